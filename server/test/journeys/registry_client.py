"""A model's life in the registry through the unmodified MLflow client, and what a live release forbids it.

Reads one step a line (register, held, freed), prints one JSON object for each; any surprise is a traceback and exit 1.
"""

import json
import sys
import tempfile

import mlflow
import numpy as np
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sklearn.linear_model import LogisticRegression

X = np.array([[0.0], [1.0], [2.0], [3.0]])
client = MlflowClient()


def refused(call, *args, **kwargs):
    """The error code with which a call fails; it must fail."""
    try:
        call(*args, **kwargs)
    except MlflowException as error:
        return error.error_code, str(error)
    raise AssertionError(f"{call.__name__} was not refused")


def register():
    model = LogisticRegression().fit(X, [0, 0, 1, 1])
    with mlflow.start_run() as run:
        mlflow.log_metric("auc", 0.9)
        signature = mlflow.models.infer_signature(X, model.predict(X))
        info = mlflow.sklearn.log_model(
            model, name="model", signature=signature, registered_model_name="churn", input_example=X[:1]
        )
    first = client.get_model_version("churn", "1")
    assert first.status == "READY" and first.run_id == run.info.run_id, first
    assert first.source == f"models:/{info.model_id}", first
    # A second version by URI of the run, a third by copying; both load and predict alike.
    second = mlflow.register_model(f"runs:/{run.info.run_id}/model", "churn", tags={"by": "uri"})
    assert second.version == 2 or second.version == "2", second
    client.set_registered_model_alias("churn", "champion", 2)
    copied = client.copy_model_version("models:/churn@champion", "churn-prod")
    assert str(copied.version) == "1", copied
    wanted = list(model.predict(X))
    for uri in ("models:/churn/1", "models:/churn@champion", "models:/churn/latest", "models:/churn-prod/1"):
        assert list(mlflow.pyfunc.load_model(uri).predict(X)) == wanted, uri
        assert list(mlflow.sklearn.load_model(uri).predict(X)) == wanted, uri
    with tempfile.TemporaryDirectory() as folder:
        path = mlflow.artifacts.download_artifacts("models:/churn/1", dst_path=folder)
        assert open(f"{path}/MLmodel").read().startswith("artifact_path")
    # Pinned: the run's own files may change, the version does not.
    run_file = tempfile.mkstemp()[1]
    client.log_artifact(run.info.run_id, run_file, "model")

    client.update_registered_model("churn", description="who leaves")
    client.set_registered_model_tag("churn", "team", "crm")
    client.set_model_version_tag("churn", "1", "checked", "yes")
    client.update_model_version("churn", "1", description="the first")
    client.delete_model_version_tag("churn", "1", "checked")
    client.transition_model_version_stage("churn", "1", "Staging")
    assert client.get_latest_versions("churn", ["Staging"])[0].version in (1, "1")
    found = client.search_registered_models("name LIKE 'churn%' AND tags.team = 'crm'")
    assert [each.name for each in found] == ["churn"], found
    assert dict(found[0].aliases) == {"champion": "2"}, found[0].aliases
    versions = client.search_model_versions("name = 'churn'", order_by=["version_number ASC"])
    assert [str(each.version) for each in versions] == ["1", "2"], versions
    by_run = client.search_model_versions(f"run_id = '{run.info.run_id}'")
    assert len(by_run) == 3, by_run

    assert refused(client.create_registered_model, "churn")[0] == "RESOURCE_ALREADY_EXISTS"
    assert refused(client.get_registered_model, "nobody")[0] == "RESOURCE_DOES_NOT_EXIST"
    assert refused(client.get_model_version_by_alias, "churn", "nobody")[0] == "INVALID_PARAMETER_VALUE"
    assert refused(client.create_model_version, "churn", "/etc/passwd")[0] == "INVALID_PARAMETER_VALUE"
    client.create_registered_model("old")
    client.rename_registered_model("old", "older")
    client.delete_registered_model("older")
    return {"run_id": run.info.run_id, "model_id": info.model_id, "experiment_id": run.info.experiment_id}


def held(run_id, model_id, experiment_id):
    """What a live release stands on stays, from whichever side it is pulled at."""
    calls = [
        (client.delete_model_version, "churn", "1"),
        (client.delete_registered_model, "churn"),
        (client.rename_registered_model, "churn", "other"),
        (client.set_registered_model_alias, "churn", "champion", "1"),
        (client.delete_registered_model_alias, "churn", "champion"),
        (client.delete_run, run_id),
        (client.delete_logged_model, model_id),
        (client.delete_experiment, experiment_id),
        (client.log_metric, run_id, "auc", 0.99),
        (client.log_param, run_id, "late", "1"),
        (client.set_terminated, run_id, "FAILED"),
        (client.finalize_logged_model, model_id, "FAILED"),
        (client.log_model_params, model_id, {"late": "1"}),
    ]
    texts = []
    for call, *args in calls:
        code, text = refused(call, *args)
        assert code == "RESOURCE_CONFLICT", (call.__name__, code, text)
        texts.append(text)
    client.set_tag(run_id, "note", "live")
    client.update_run(run_id, name="the live one")
    client.set_logged_model_tags(model_id, {"note": "live"})
    client.set_model_version_tag("churn", "1", "note", "live")
    client.update_model_version("churn", "1", description="live")
    return {"texts": texts}


def freed(run_id, model_id, experiment_id):
    client.delete_registered_model_alias("churn", "champion")
    client.delete_model_version("churn", "2")
    client.delete_registered_model("churn")
    return {"models": sorted(each.name for each in client.search_registered_models())}


def prompts():
    """Prompts are entries of the registry that its searches leave out."""
    mlflow.genai.register_prompt("greeting", "Hello {{name}}", commit_message="first", tags={"team": "crm"})
    second = mlflow.genai.register_prompt("greeting", "Good day, {{name}}")
    assert second.version == 2, second
    mlflow.genai.set_prompt_alias("greeting", "production", version=1)
    loaded = mlflow.genai.load_prompt("prompts:/greeting@production")
    assert loaded.format(name="Ada") == "Hello Ada" and loaded.commit_message == "first", loaded
    assert mlflow.genai.load_prompt("prompts:/greeting/2").template == "Good day, {{name}}"
    assert [each.name for each in mlflow.genai.search_prompts()] == ["greeting"]
    assert "greeting" not in [each.name for each in client.search_registered_models()]
    assert refused(client.create_registered_model, "greeting")[0] == "INVALID_PARAMETER_VALUE"
    assert refused(mlflow.genai.register_prompt, "churn", "x")[0] == "INVALID_PARAMETER_VALUE"
    chat = mlflow.genai.register_prompt("chat", [{"role": "user", "content": "Hi {{name}}"}])
    assert mlflow.genai.load_prompt("prompts:/chat/1").template == chat.template
    mlflow.genai.delete_prompt_alias("greeting", "production")
    return {}


STEPS = {"prompts": prompts, "register": register, "held": held, "freed": freed}
for line in sys.stdin:
    step, *args = line.split()
    print(json.dumps(STEPS[step](*args)), flush=True)
