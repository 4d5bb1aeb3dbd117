"""Makes and reads stores with MLflow's own client, of 1.30 to 3.x: `make URI`, `more URI`, `dump URI` any number of times.

`dump` prints one line of JSON with all that the client sees, without what differs from place to place (ids of experiments,
where artifacts lie). What it prints of a source and of the server that took it in has to be the same.
"""

import hashlib
import json
import math
import os
import sys
import tempfile

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import mlflow  # noqa: E402
from mlflow.entities import Metric, Param, RunTag, ViewType  # noqa: E402
from mlflow.tracking import MlflowClient  # noqa: E402

T0 = 1_700_000_000_000
POINTS = int(os.environ.get("IMPORT_POINTS", "2500"))


def location(uri, name):
    """Beside a database no client knows where its artifacts are to go."""
    folder = os.environ.get("IMPORT_ARTIFACTS")
    return {"artifact_location": f"file://{folder}/{name}"} if folder and not uri.startswith("file:") else {}


def series(client, run_id, key, first, count):
    points = [Metric(key, math.sin(i / 7) / (i + 1), T0 + 10 * i, i) for i in range(first, first + count)]
    for at in range(0, count, 1000):
        client.log_batch(run_id, metrics=points[at : at + 1000])


def make(uri):
    client = MlflowClient(uri, uri)
    vision = client.create_experiment("vision", **location(uri, "vision"))
    client.set_experiment_tag(vision, "team", "see")
    gone = client.create_experiment("gone", **location(uri, "gone"))
    one = client.create_run(vision, start_time=T0, tags={"mlflow.runName": "one", "a/b": "c", "mlflow.user": "ada"})
    run_id = one.info.run_id
    client.log_batch(
        run_id,
        params=[Param("lr", "0.1"), Param("net/depth", "5"), Param("empty name", "x y")],
        tags=[RunTag("text", "of\nseveral lines, ü € 漢")],
    )
    series(client, run_id, "loss", 0, POINTS)
    client.log_batch(
        run_id,
        metrics=[
            Metric("val/acc", float("nan"), T0, 0),
            Metric("val/acc", 0.5, T0 + 1, 3),
            Metric("val/acc", 0.25, T0 + 2, 1),
            Metric("val/acc", 0.125, T0, -4),
            Metric("far", float("inf"), T0, 0),
            Metric("far", -1e300, T0, 2**53 + 1),
            Metric("time", 1.5, T0 + 5, 0),
        ],
    )
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "note.txt")
        with open(path, "w", encoding="utf-8") as file:
            file.write("hello")
        client.log_artifact(run_id, path, "deep/down")
        with open(os.path.join(folder, "MLmodel"), "w", encoding="utf-8") as file:
            file.write("flavors:\n  python_function:\n    python_version: 3.11.7\nmlflow_version: 1.0\n")
        os.remove(path)
        client.log_artifacts(run_id, folder, "model")
    child = client.create_run(vision, start_time=T0 + 1, tags={"mlflow.parentRunId": run_id, "mlflow.runName": "child"})
    client.log_param(child.info.run_id, "lr", "0.2")
    client.set_terminated(child.info.run_id, "FAILED", T0 + 900)
    dropped = client.create_run(vision, start_time=T0 + 2, tags={"mlflow.runName": "dropped"})
    client.log_metric(dropped.info.run_id, "loss", 9, T0, 1)
    client.delete_run(dropped.info.run_id)
    lost = client.create_run(gone, start_time=T0 + 3, tags={"mlflow.runName": "lost"})
    client.log_metric(lost.info.run_id, "loss", 7, T0, 1)
    client.set_terminated(lost.info.run_id, "FINISHED", T0 + 5)
    client.delete_experiment(gone)
    datasets(client, run_id)
    logged = logged_model(client, vision, run_id)
    registry(client, one, logged)


def datasets(client, run_id):
    try:
        from mlflow.entities import Dataset, DatasetInput, InputTag
    except ImportError:
        return
    dataset = Dataset("flights", "d1g35t", "local", '{"uri": "flights.csv"}', '{"mlflow_colspec": []}', '{"rows": 2}')
    client.log_inputs(run_id, [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])])


def logged_model(client, experiment, run_id):
    if not hasattr(client, "create_logged_model"):
        return None
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus

    model = client.create_logged_model(experiment, "net", run_id, {"kind": "cnn"}, {"depth": "5"}, "vision")
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "MLmodel"), "w", encoding="utf-8") as file:
            file.write("flavors:\n  python_function:\n    python_version: 3.11.7\nmlflow_version: 3.0\n")
        client.log_model_artifacts(model.model_id, folder)
    client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, 3)])
    client.log_metric(run_id, "model/acc", 0.75, T0, 3, model_id=model.model_id)
    return model.model_id


def registry(client, run, logged):
    client.create_registered_model("net", tags={"owner": "ada"}, description="sees")
    source = f"{run.info.artifact_uri}/model"
    client.create_model_version("net", source, run.info.run_id, tags={"v": "1"}, description="first")
    client.create_model_version("net", source, run.info.run_id)
    if logged:
        client.create_model_version("net", f"models:/{logged}", run.info.run_id)
    client.transition_model_version_stage("net", "1", "Production")
    if hasattr(client, "set_registered_model_alias"):
        client.set_registered_model_alias("net", "champion", "1")
        client.set_registered_model_alias("net", "rival", "2")


def run_named(client, name):
    vision = client.get_experiment_by_name("vision").experiment_id
    return client.search_runs([vision], f"tags.mlflow.runName = '{name}'")[0].info.run_id


def more(uri):
    """What a source goes on doing after it was taken in once."""
    client = MlflowClient(uri, uri)
    run_id = run_named(client, "one")
    series(client, run_id, "loss", POINTS, 50)
    client.log_metric(run_id, "late", 1, T0, -7)
    client.set_tag(run_id, "text", "changed")
    client.delete_tag(run_id, "a/b")
    client.log_text(run_id, "more", "deep/more.txt")
    client.set_terminated(run_id, "FINISHED", T0 + 10_000)
    vision = client.get_experiment_by_name("vision").experiment_id
    new = client.create_run(vision, start_time=T0 + 50, tags={"mlflow.runName": "new"})
    client.log_metric(new.info.run_id, "loss", 3, T0, 1)
    if hasattr(client, "set_registered_model_alias"):
        client.set_registered_model_alias("net", "champion", "2")
        client.delete_registered_model_alias("net", "rival")
    client.transition_model_version_stage("net", "1", "Archived")


def pairs(tags):
    return {each.key: each.value for each in tags} if isinstance(tags, list) else dict(tags or {})


def number(value):
    # Infinities are kept as the greatest numbers, as in MLflow's own databases.
    return repr(max(-sys.float_info.max, min(sys.float_info.max, value)) if value == value else value)


def files(client, run_id, path=None):
    found = {}
    for entry in client.list_artifacts(run_id, path):
        if entry.is_dir:
            found.update(files(client, run_id, entry.path))
        else:
            with open(client.download_artifacts(run_id, entry.path), "rb") as file:
                found[entry.path] = hashlib.sha256(file.read()).hexdigest()
    return found


def dump_run(client, run):
    info = run.info
    keys = sorted(run.data.metrics)
    inputs = getattr(run, "inputs", None)
    outputs = getattr(run, "outputs", None)
    out = {
        "name": getattr(info, "run_name", None) or run.data.tags.get("mlflow.runName"),
        "user": info.user_id,
        "status": info.status,
        "start": info.start_time,
        "end": info.end_time,
        "stage": info.lifecycle_stage,
        "params": dict(sorted(run.data.params.items())),
        "tags": dict(sorted(run.data.tags.items())),
        "latest": {key: number(run.data.metrics[key]) for key in keys},
        "history": {
            key: sorted((each.step, each.timestamp, number(each.value)) for each in history(client, info.run_id, key))
            for key in keys
        },
        "inputs": [
            [vars(each.dataset), sorted((tag.key, tag.value) for tag in each.tags)]
            for each in (inputs.dataset_inputs if inputs else [])
        ],
        "outputs": [[each.model_id, each.step] for each in (getattr(outputs, "model_outputs", None) or [])],
    }
    if info.lifecycle_stage == "active":
        out["files"] = files(client, info.run_id)
    return out


def history(client, run_id, key):
    return client.get_metric_history(run_id, key)


def dump_models(client, experiments):
    if not hasattr(client, "search_logged_models"):
        return {}
    return {
        model.model_id: {
            "name": model.name,
            "type": model.model_type,
            "run": model.source_run_id,
            "status": str(model.status),
            "created": model.creation_timestamp,
            "params": pairs(model.params),
            "tags": {key: value for key, value in pairs(model.tags).items() if key != "mlflow.modelVersions"},
            "metrics": [[m.key, number(m.value), m.step, m.timestamp] for m in (model.metrics or [])],
        }
        for model in client.search_logged_models([each.experiment_id for each in experiments])
    }


def dump_registry(client):
    out = {}
    for model in client.search_registered_models():
        out[model.name] = {
            "description": model.description or "",
            "created": model.creation_timestamp,
            "tags": pairs(model.tags),
            "aliases": {key: str(value) for key, value in (getattr(model, "aliases", None) or {}).items()},
            "versions": {
                str(each.version): {
                    "created": each.creation_timestamp,
                    "stage": each.current_stage,
                    "run": each.run_id,
                    "description": each.description or "",
                    "tags": pairs(each.tags),
                }
                for each in client.search_model_versions(f"name = '{model.name}'")
            },
        }
    return out


def dump(uri):
    client = MlflowClient(uri, uri)
    experiments = client.search_experiments(view_type=ViewType.ALL)
    out = {"experiments": {}, "runs": {}, "registry": dump_registry(client)}
    for experiment in sorted(experiments, key=lambda each: each.name):
        if experiment.name != "Default":
            out["experiments"][experiment.name] = [experiment.lifecycle_stage, dict(sorted(experiment.tags.items()))]
        for run in client.search_runs([experiment.experiment_id], run_view_type=ViewType.ALL):
            full = client.get_run(run.info.run_id)
            out["runs"][run.info.run_id] = {"experiment": experiment.name, **dump_run(client, full)}
    active = [each for each in experiments if each.lifecycle_stage == "active"]
    out["models"] = dump_models(client, active)
    print(json.dumps(out, sort_keys=True), flush=True)


if __name__ == "__main__":
    words = sys.argv[1:]
    for verb, uri in zip(words[::2], words[1::2]):
        # What a version's source names is looked up there.
        mlflow.set_tracking_uri(uri)
        mlflow.set_registry_uri(uri)
        {"make": make, "more": more, "dump": dump}[verb](uri)
    print(json.dumps({"version": mlflow.__version__}), flush=True)
