"""A day of MLflow's unmodified client with models: logged, loaded, autologged, evaluated, registered. Run with MLFLOW_TRACKING_URI set."""

import sys

import mlflow
from mlflow import MlflowClient
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from journey import main, refused, step

client = MlflowClient()


@step
def models():
    mlflow.set_experiment("models")
    x, y = load_iris(return_X_y=True, as_frame=True)
    model = LogisticRegression(max_iter=200).fit(x, y)
    with mlflow.start_run() as run:
        mlflow.log_params({"C": 1.0})
        info = mlflow.sklearn.log_model(model, name="clf", input_example=x.head(3), params={"extra": "1"}, tags={"t": "1"}, step=3, pip_requirements=["scikit-learn"])
        mlflow.log_metric("accuracy", 0.97, model_id=info.model_id, dataset=mlflow.data.from_pandas(x, name="iris"))
    assert info.model_id.startswith("m-")
    logged = mlflow.get_logged_model(info.model_id)
    assert logged.status == "READY" and logged.source_run_id == run.info.run_id and logged.name == "clf"
    assert logged.params == {"C": "1.0", "extra": "1"} or logged.params.get("extra") == "1", logged.params
    assert logged.tags["t"] == "1" and logged.metrics[0].key == "accuracy" and logged.metrics[0].dataset_name == "iris"
    found = client.get_run(run.info.run_id)
    assert [(o.model_id, o.step) for o in found.outputs.model_outputs] == [(info.model_id, 3)]
    for uri in [info.model_uri, f"models:/{info.model_id}", f"runs:/{run.info.run_id}/clf"]:
        loaded = mlflow.sklearn.load_model(uri)
        assert (loaded.predict(x) == model.predict(x)).all()
    pyfunc = mlflow.pyfunc.load_model(info.model_uri)
    assert list(pyfunc.predict(x.head(3))) == list(model.predict(x.head(3)))
    assert mlflow.models.get_model_info(info.model_uri).signature is not None
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
    assert found.inputs.dataset_inputs and found.outputs.model_outputs
    files = {f.path for f in client.list_artifacts(run.info.run_id)}
    assert "training_confusion_matrix.png" in files, files
    logged = mlflow.get_logged_model(found.outputs.model_outputs[0].model_id)
    assert logged.status == "READY" and any(m.key == "training_accuracy_score" for m in logged.metrics)


@step
def evaluation():
    mlflow.set_experiment("evaluate")
    x, y = load_iris(return_X_y=True, as_frame=True)
    model = LogisticRegression(max_iter=200).fit(x, y)
    with mlflow.start_run() as run:
        info = mlflow.sklearn.log_model(model, name="clf", signature=mlflow.models.infer_signature(x, model.predict(x)), pip_requirements=["scikit-learn"])
        result = mlflow.models.evaluate(
            info.model_uri,
            x.assign(target=y),
            targets="target",
            model_type="classifier",
            evaluator_config={"log_model_explainability": False},
        )
    assert result.metrics["accuracy_score"] > 0.9
    assert client.get_run(run.info.run_id).data.metrics["accuracy_score"] > 0.9


@step
def registering():
    mlflow.set_experiment("registering")
    x, y = load_iris(return_X_y=True, as_frame=True)
    model = LogisticRegression(max_iter=200).fit(x, y)
    with mlflow.start_run():
        mlflow.sklearn.log_model(model, name="clf", input_example=x.head(2), registered_model_name="iris", pip_requirements=["scikit-learn"])
    version = client.get_model_version("iris", "1")
    assert version.status == "READY"
    client.set_registered_model_alias("iris", "champion", "1")
    loaded = mlflow.pyfunc.load_model("models:/iris@champion")
    assert list(loaded.predict(x.head(3))) == list(model.predict(x.head(3)))


sys.exit(main())
