"""A day of MLflow's unmodified client with models: logged, loaded, autologged, evaluated, registered. Run with MLFLOW_TRACKING_URI set."""

import json
import sys

import mlflow
from mlflow import MlflowClient
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from journey import VERSION, main, refused, step

client = MlflowClient()
LOGGED_MODELS = VERSION >= (3, 0)


def log_model(model, name, **more):
    """A logged model's name in MLflow 3, before that a folder of the run."""
    return mlflow.sklearn.log_model(model, **{"name" if LOGGED_MODELS else "artifact_path": name}, pip_requirements=["scikit-learn"], **more)


def iris():
    x, y = load_iris(return_X_y=True, as_frame=True)
    return x, y, LogisticRegression(max_iter=200).fit(x, y)


@step
def models():
    """With signature and input example; loaded by every address, as itself and as pyfunc."""
    mlflow.set_experiment("models")
    x, y, model = iris()
    with mlflow.start_run() as run:
        signature = mlflow.models.infer_signature(x, model.predict(x))
        info = log_model(model, "clf", signature=signature, input_example=x.head(3))
    for uri in [info.model_uri, f"runs:/{run.info.run_id}/clf"]:
        assert (mlflow.sklearn.load_model(uri).predict(x) == model.predict(x)).all()
    pyfunc = mlflow.pyfunc.load_model(info.model_uri)
    assert list(pyfunc.predict(x.head(3))) == list(model.predict(x.head(3)))
    known = mlflow.models.get_model_info(info.model_uri)
    assert known.signature == signature and known.run_id == run.info.run_id
    if not LOGGED_MODELS:
        files = {f.path for f in client.list_artifacts(run.info.run_id, "clf")}
        assert {"clf/MLmodel", "clf/model.pkl", "clf/input_example.json", "clf/requirements.txt"} <= files, files
        history = json.loads(client.get_run(run.info.run_id).data.tags["mlflow.log-model.history"])
        assert [each["artifact_path"] for each in history] == ["clf"], history


@step
def logged_models():
    mlflow.set_experiment("logged models")
    x, y, model = iris()
    with mlflow.start_run() as run:
        mlflow.log_params({"C": 1.0})
        info = log_model(model, "clf", input_example=x.head(3), params={"extra": "1"}, tags={"t": "1"}, step=3)
        mlflow.log_metric("accuracy", 0.97, model_id=info.model_id, dataset=mlflow.data.from_pandas(x, name="iris"))
    assert info.model_id.startswith("m-")
    logged = mlflow.get_logged_model(info.model_id)
    assert logged.status == "READY" and logged.source_run_id == run.info.run_id and logged.name == "clf"
    assert logged.params == {"C": "1.0", "extra": "1"} or logged.params.get("extra") == "1", logged.params
    assert logged.tags["t"] == "1" and logged.metrics[0].key == "accuracy" and logged.metrics[0].dataset_name == "iris"
    found = client.get_run(run.info.run_id)
    assert [(o.model_id, o.step) for o in found.outputs.model_outputs] == [(info.model_id, 3)]
    assert (mlflow.sklearn.load_model(f"models:/{info.model_id}").predict(x) == model.predict(x)).all()
    frame = mlflow.search_logged_models(experiment_ids=[run.info.experiment_id], filter_string="metrics.accuracy > 0.9 AND name = 'clf'")
    assert list(frame["model_id"]) == [info.model_id]
    nothing = mlflow.search_logged_models(filter_string="metrics.accuracy > 0.99", output_format="list", experiment_ids=[run.info.experiment_id])
    assert nothing == []
    best = mlflow.search_logged_models(
        experiment_ids=[run.info.experiment_id],
        datasets=[{"dataset_name": "iris"}],
        order_by=[{"field_name": "metrics.accuracy", "ascending": False, "dataset_name": "iris"}],
        output_format="list",
    )
    assert [m.model_id for m in best] == [info.model_id]
    client.set_logged_model_tags(info.model_id, {"stage": "best"})
    client.delete_logged_model_tag(info.model_id, "stage")
    refused("RESOURCE_DOES_NOT_EXIST", "No tag", lambda: client.delete_logged_model_tag(info.model_id, "stage"))
    external = mlflow.create_external_model(name="external", params={"a": "b"})
    assert mlflow.get_logged_model(external.model_id).status == "READY"
    client.delete_logged_model(external.model_id)
    refused("RESOURCE_DOES_NOT_EXIST", "not found", lambda: client.get_logged_model(external.model_id))
    refused("INVALID_PARAMETER_VALUE", "Model name", lambda: client.create_logged_model(run.info.experiment_id, name="a/b"))


@step
def autologging():
    mlflow.set_experiment("autolog")
    x, y = load_iris(return_X_y=True, as_frame=True)
    mlflow.sklearn.autolog(silent=True)
    try:
        with mlflow.start_run() as run:
            model = LogisticRegression(max_iter=100).fit(x, y)
            model.score(x, y)
    finally:
        mlflow.sklearn.autolog(disable=True)
    found = client.get_run(run.info.run_id)
    assert found.data.params["max_iter"] == "100" and "training_accuracy_score" in found.data.metrics, found.data
    assert any(k.endswith("score_x") or k.startswith("LogisticRegression_score") for k in found.data.metrics), found.data.metrics
    files = {f.path for f in client.list_artifacts(run.info.run_id)}
    assert "training_confusion_matrix.png" in files, files
    assert found.inputs.dataset_inputs
    if not LOGGED_MODELS:
        assert "model" in files, files
        return
    assert found.outputs.model_outputs
    logged = mlflow.get_logged_model(found.outputs.model_outputs[0].model_id)
    assert logged.status == "READY" and any(m.key == "training_accuracy_score" for m in logged.metrics)


@step
def evaluation():
    mlflow.set_experiment("evaluate")
    x, y, model = iris()
    with mlflow.start_run() as run:
        info = log_model(model, "clf", signature=mlflow.models.infer_signature(x, model.predict(x)))
        result = mlflow.models.evaluate(
            info.model_uri,
            x.assign(target=y),
            targets="target",
            model_type="classifier",
            evaluator_config={"log_model_explainability": False},
        )
    assert result.metrics["accuracy_score"] > 0.9
    assert client.get_run(run.info.run_id).data.metrics["accuracy_score"] > 0.9
    assert any(f.path.endswith("confusion_matrix.png") for f in client.list_artifacts(run.info.run_id))


@step
def registering():
    """Registered, named by alias and by stage, found, copied, described, deleted."""
    mlflow.set_experiment("registering")
    x, y, model = iris()
    wanted = list(model.predict(x.head(3)))
    with mlflow.start_run() as run:
        log_model(model, "clf", input_example=x.head(2), registered_model_name="iris")
    version = client.get_model_version("iris", "1")
    assert version.status == "READY" and version.run_id == run.info.run_id
    again = mlflow.register_model(f"runs:/{run.info.run_id}/clf", "iris", tags={"by": "address"})
    assert str(again.version) == "2" and client.get_model_version("iris", "2").tags == {"by": "address"}
    client.set_registered_model_alias("iris", "champion", "1")
    client.transition_model_version_stage("iris", "2", "Production")
    for uri in ["models:/iris/1", "models:/iris/latest", "models:/iris@champion", "models:/iris/Production"]:
        assert list(mlflow.pyfunc.load_model(uri).predict(x.head(3))) == wanted, uri
    refused("INVALID_PARAMETER_VALUE", "Invalid Model Version stage", lambda: client.transition_model_version_stage("iris", "1", "Live"))
    moved = client.transition_model_version_stage("iris", "1", "production", archive_existing_versions=True)
    assert moved.current_stage == "Production" and client.get_model_version("iris", "2").current_stage == "Archived"
    latest = {v.current_stage: str(v.version) for v in client.get_latest_versions("iris")}
    assert latest == {"Production": "1", "Archived": "2"}, latest
    copied = client.copy_model_version("models:/iris/1", "iris elsewhere")
    assert str(copied.version) == "1" and list(mlflow.pyfunc.load_model("models:/iris elsewhere/1").predict(x.head(3))) == wanted
    client.update_model_version("iris", "1", description="the first")
    client.set_model_version_tag("iris", "1", "checked", "yes")
    assert [str(v.version) for v in client.search_model_versions("name = 'iris' AND tags.checked = 'yes'")] == ["1"]
    assert [m.name for m in client.search_registered_models("name ILIKE 'IRIS%'", order_by=["name DESC"])] == ["iris elsewhere", "iris"]
    assert client.get_model_version_by_alias("iris", "champion").description == "the first"
    refused("INVALID_PARAMETER_VALUE", "not found", lambda: client.get_model_version_by_alias("iris", "nobody"))
    client.delete_registered_model_alias("iris", "champion")
    client.delete_model_version("iris", "2")
    refused("RESOURCE_DOES_NOT_EXIST", "not found", lambda: client.get_model_version("iris", "2"))
    client.rename_registered_model("iris", "iris renamed")
    client.delete_registered_model("iris renamed")
    refused("RESOURCE_DOES_NOT_EXIST", "not found", lambda: client.get_registered_model("iris renamed"))


sys.exit(main())
