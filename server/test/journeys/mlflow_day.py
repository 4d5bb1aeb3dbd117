"""A day of MLflow's unmodified client: experiments, runs, search, artifacts, datasets. Run with MLFLOW_TRACKING_URI set."""

import json
import math
import os
import sys
import tempfile
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException

from journey import VERSION, main, refused, step

client = MlflowClient()
KEYED_IMAGES = VERSION >= (2, 11)


@step
def experiments():
    assert client.get_experiment("0").name == "Default"
    made = client.create_experiment("journey", tags={"team": "blue"})
    found = client.get_experiment_by_name("journey")
    assert found.experiment_id == made and found.tags == {"team": "blue"}
    assert found.artifact_location == f"mlflow-artifacts:/{made}"
    assert client.get_experiment_by_name("nothing") is None
    refused("RESOURCE_ALREADY_EXISTS", "journey", lambda: client.create_experiment("journey"))
    client.set_experiment_tag(made, "stage", "")
    assert client.get_experiment(made).tags == {"stage": "", "team": "blue"}
    if VERSION >= (3, 0):
        client.delete_experiment_tag(made, "team")
        refused("RESOURCE_DOES_NOT_EXIST", "No tag", lambda: client.delete_experiment_tag(made, "team"))
        assert client.get_experiment(made).tags == {"stage": ""}
    client.rename_experiment(made, "journey renamed")
    assert client.get_experiment(made).name == "journey renamed"
    run = client.create_run(made)
    client.delete_experiment(made)
    assert client.get_experiment(made).lifecycle_stage == "deleted"
    assert client.get_run(run.info.run_id).info.lifecycle_stage == "deleted"
    refused("RESOURCE_ALREADY_EXISTS", "deleted", lambda: client.create_experiment("journey renamed"))
    refused("INVALID_PARAMETER_VALUE", "active", lambda: client.create_run(made))
    client.restore_experiment(made)
    assert client.get_run(run.info.run_id).info.lifecycle_stage == "active"
    names = [e.name for e in client.search_experiments(filter_string="name LIKE 'journey%'")]
    assert names == ["journey renamed"]
    pages, token = [], None
    for i in range(5):
        client.create_experiment(f"page {i}")
    while True:
        page = client.search_experiments(max_results=2, page_token=token, order_by=["name ASC"], filter_string="name ILIKE 'PAGE%'")
        pages.append([e.name for e in page])
        token = page.token
        if not token:
            break
    assert pages == [["page 0", "page 1"], ["page 2", "page 3"], ["page 4"]], pages
    assert len(client.search_experiments(view_type=ViewType.ALL)) >= 7
    refused("INVALID_PARAMETER_VALUE", "", lambda: client.search_experiments(page_token="nonsense"))
    refused("RESOURCE_DOES_NOT_EXIST", "No Experiment", lambda: client.get_experiment("99999"))


@step
def runs_metrics_params_tags():
    mlflow.set_experiment("runs")
    with mlflow.start_run(run_name="first", tags={"a": "1"}, description="what it is") as run:
        run_id = run.info.run_id
        mlflow.log_param("depth", 3)
        mlflow.log_param("depth", 3)
        refused("INVALID_PARAMETER_VALUE", "Changing param values is not allowed. Param with key='depth'", lambda: mlflow.log_param("depth", 4))
        mlflow.log_params({f"p{i}": "x" * 6100 for i in range(120)})
        for i in range(10):
            mlflow.log_metric("loss", 1 / (i + 1), step=i)
        mlflow.log_metrics({"acc": 0.5, "f1/macro": 0.25, "späte metrik": 1}, step=2)
        mlflow.log_metric("nan", float("nan"))
        mlflow.log_metric("inf", float("inf"))
        mlflow.log_metric("negative", -1, step=-5)
        mlflow.log_metric("big", 1.0, step=2**62, timestamp=1)
        mlflow.set_tags({"b": "2", "long": "y" * 8100})
        mlflow.set_tag("c", "")
        mlflow.delete_tag("b")
        refused("RESOURCE_DOES_NOT_EXIST", "No tag with name: b", lambda: client.delete_tag(run_id, "b"))
        refused("INVALID_PARAMETER_VALUE", "Names may only contain", lambda: client.log_metric(run_id, "bad!key", 1))
    found = client.get_run(run_id)
    assert found.info.run_name == "first" and found.info.status == "FINISHED" and found.info.end_time
    assert found.data.params["depth"] == "3" and len(found.data.params) == 121
    assert len(found.data.params["p1"]) == 6000 and len(found.data.tags["long"]) == 8000
    assert found.data.metrics["loss"] == 0.1 and math.isnan(found.data.metrics["nan"])
    assert found.data.metrics["inf"] == sys.float_info.max and found.data.metrics["negative"] == -1
    assert found.data.tags["c"] == "" and found.data.tags["mlflow.note.content"] == "what it is"
    history = client.get_metric_history(run_id, "loss")
    assert [m.step for m in history] == list(range(10))
    assert client.get_metric_history(run_id, "big")[0].step == 2**62
    assert client.get_metric_history(run_id, "unknown") == []
    # The latest is the greatest by step, then timestamp, then value; an exact repeat is one point.
    client.log_metric(run_id, "late", 1.0, timestamp=100, step=5)
    client.log_metric(run_id, "late", 9.0, timestamp=200, step=4)
    client.log_metric(run_id, "late", 1.0, timestamp=100, step=5)
    assert client.get_run(run_id).data.metrics["late"] == 1.0
    assert len(client.get_metric_history(run_id, "late")) == 2
    refused("RESOURCE_DOES_NOT_EXIST", "not found", lambda: client.get_run("f" * 32))
    client.update_run(run_id, status="FAILED", name="renamed")
    assert client.get_run(run_id).data.tags["mlflow.runName"] == "renamed"
    client.set_tag(run_id, "mlflow.runName", "again")
    assert client.get_run(run_id).info.run_name == "again"
    client.delete_run(run_id)
    refused("INVALID_PARAMETER_VALUE", "must be in the 'active' state", lambda: client.log_metric(run_id, "x", 1))
    client.restore_run(run_id)
    client.log_metric(run_id, "x", 1)


@step
def batches():
    mlflow.set_experiment("batches")
    run = client.create_run(mlflow.get_experiment_by_name("batches").experiment_id)
    run_id = run.info.run_id
    client.log_batch(
        run_id,
        metrics=[Metric("m", i, 1000 + i, i) for i in range(800)],
        params=[Param("p", "1")],
        tags=[RunTag("t", "1"), RunTag("t", "2")],
    )
    found = client.get_run(run_id)
    assert found.data.metrics == {"m": 799} and found.data.params == {"p": "1"} and found.data.tags["t"] == "2"
    assert len(client.get_metric_history(run_id, "m")) == 800
    refused(
        "INVALID_PARAMETER_VALUE",
        "Changing param values is not allowed. Params were already logged='[{'key': 'p', 'old_value': '1', 'new_value': '2'}]'",
        lambda: client.log_batch(run_id, params=[Param("p", "2"), Param("q", "1")]),
    )
    assert "q" not in client.get_run(run_id).data.params
    refused(
        "INVALID_PARAMETER_VALUE",
        "at most 1000 metrics",
        lambda: client._tracking_client.store.log_batch(run_id, [Metric("m", i, 1, i) for i in range(1001)], [], []),
    )
    # Asynchronous: several threads write batches of one run at once.
    futures = [client.log_batch(run_id, metrics=[Metric("async", i, 1, i)], params=[Param(f"a{i}", "1")], synchronous=False) for i in range(50)]
    for future in futures:
        future.wait()
    assert len(client.get_metric_history(run_id, "async")) == 50


@step
def searching():
    experiment = mlflow.set_experiment("search")
    for i in range(6):
        with mlflow.start_run(run_name=f"run {i}"):
            mlflow.log_param("lr", ["0.1", "0.01"][i % 2])
            mlflow.log_metric("loss", i / 10)
            if i < 3:
                mlflow.log_metric("only some", i)
            mlflow.set_tag("owner.name", f"o'{i}")
            mlflow.set_tag("kind", ["Tree", "linear"][i % 2])
    ids = [experiment.experiment_id]

    def names(filter_string="", order_by=("metrics.loss ASC",), **kwargs):
        return [r.info.run_name for r in client.search_runs(ids, filter_string, order_by=list(order_by), **kwargs)]

    every = [f"run {i}" for i in range(6)]
    assert names() == every
    assert names("metrics.loss > 0.2") == every[3:]
    assert names("metric.loss >= 0.2 and metrics.loss != 0.4") == ["run 2", "run 3", "run 5"]
    assert names("params.lr = '0.1' AND metrics.loss < 0.3") == ["run 0", "run 2"]
    assert names('params."lr" = "0.01"') == ["run 1", "run 3", "run 5"]
    assert names("tags.kind LIKE 'T%'") == ["run 0", "run 2", "run 4"]
    assert names("tags.kind LIKE 't%'") == []
    assert names("tags.kind ILIKE 'tr__'") == ["run 0", "run 2", "run 4"]
    assert names("tags.owner.name = 'o''3'") == ["run 3"]
    assert names("tags.`owner.name` != 'o''3'") == every[:3] + every[4:]
    assert names("metrics.`only some` <= 1") == ["run 0", "run 1"]
    assert names("metrics.`only some` != 0") == ["run 1", "run 2"]
    assert names("tags.nothing != 'x'") == []
    assert names("tags.nothing IS NULL AND params.lr IS NOT NULL") == every
    assert names("attributes.run_name = 'run 4'") == ["run 4"]
    assert names("run_name LIKE '%5'") == ["run 5"]
    assert names("Run name = 'run 5'") == ["run 5"]
    assert names("attributes.status = 'FINISHED' and start_time > 0 and end_time > 1") == every
    run_ids = [r.info.run_id for r in client.search_runs(ids, order_by=["metrics.loss ASC"])]
    assert names(f"run_id IN ('{run_ids[1]}', '{run_ids[2]}')") == ["run 1", "run 2"]
    assert names(f"attributes.run_id NOT IN ('{run_ids[1]}')") == [every[0]] + every[2:]
    assert names("", ("metrics.`only some` DESC", "metrics.loss DESC")) == ["run 2", "run 1", "run 0", "run 5", "run 4", "run 3"]
    assert names("", ("params.lr ASC", "start_time DESC")) == ["run 5", "run 3", "run 1", "run 4", "run 2", "run 0"]
    assert names("", ("attributes.start_time ASC",)) == every and names("", ()) == every[::-1]
    assert names("metrics.loss < 0.1 OR (metrics.loss > 0.4 AND NOT params.lr = '0.1')") == ["run 0", "run 5"]
    # Params are text to MLflow; against a number they are compared as numbers here.
    assert names("params.lr > 0.05") == ["run 0", "run 2", "run 4"]
    for wrong in ["metrics.loss", "metrics.loss > 'a'", "params.lr > 'a'", "nonsense = 'a'", "metrics.loss >", "loss = 1", "params.lr = 'a", ")(", "attributes.experiment_id = '1'"]:
        refused("INVALID_PARAMETER_VALUE", "", lambda wrong=wrong: names(wrong))
    refused("INVALID_PARAMETER_VALUE", "duplicate", lambda: names("", ("metrics.loss", "metrics.loss DESC")))
    refused("INVALID_PARAMETER_VALUE", "50000", lambda: names(max_results=50001))
    seen, token = [], None
    while True:
        page = client.search_runs(ids, order_by=["metrics.`only some` DESC"], max_results=2, page_token=token)
        seen += [r.info.run_name for r in page]
        token = page.token
        if not token:
            break
    assert sorted(seen) == every and seen[:3] == ["run 2", "run 1", "run 0"], seen
    client.delete_run(run_ids[0])
    assert names() == every[1:]
    assert names(run_view_type=ViewType.DELETED_ONLY) == ["run 0"] and names(run_view_type=ViewType.ALL) == every
    assert client.search_runs([]) == []
    frame = mlflow.search_runs(ids, "metrics.loss > 0.2", order_by=["metrics.loss DESC"])
    assert list(frame["tags.mlflow.runName"]) == ["run 5", "run 4", "run 3"] and frame["params.lr"][0] == "0.01"


@step
def nested_runs():
    mlflow.set_experiment("nested")
    with mlflow.start_run(run_name="parent") as parent:
        for i in range(3):
            with mlflow.start_run(run_name=f"child {i}", nested=True):
                mlflow.log_metric("v", i)
    children = mlflow.search_runs(experiment_names=["nested"], filter_string=f"tags.mlflow.parentRunId = '{parent.info.run_id}'")
    assert len(children) == 3
    with mlflow.start_run(run_id=parent.info.run_id):
        mlflow.log_metric("resumed", 1)
    assert client.get_run(parent.info.run_id).info.status == "FINISHED"
    try:
        with mlflow.start_run(run_name="failing") as failing:
            raise ValueError("on purpose")
    except ValueError:
        pass
    assert client.get_run(failing.info.run_id).info.status == "FAILED"


@step
def artifacts():
    mlflow.set_experiment("artifacts")
    with mlflow.start_run() as run:
        run_id = run.info.run_id
        mlflow.log_text("hello", "notes/größe + [ok] 日本.txt")
        mlflow.log_dict({"a": [1, 2]}, "data/one.json")
        mlflow.log_dict({"a": [1, 2]}, "data/two.yaml")
        mlflow.log_text("", "empty.txt")
        figure, axes = plt.subplots()
        axes.plot([0, 1], [1, 0])
        mlflow.log_figure(figure, "plots/line.png")
        mlflow.log_image(np.zeros((4, 4, 3), dtype=np.uint8), "black.png")
        for at in range(2 if KEYED_IMAGES else 0):
            # Before 3.0 a slash in a key became `#`, which the client itself then cuts off an address.
            key = "gray/scale" if VERSION >= (3, 0) else "gray"
            mlflow.log_image(np.full((4, 4, 3), at, dtype=np.uint8), key=key, step=at)
        mlflow.log_table({"q": ["a"], "n": [1]}, "table.json")
        mlflow.log_table({"q": ["b"], "n": [2]}, "table.json")
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "sub").mkdir()
            Path(folder, "sub", "big.bin").write_bytes(os.urandom(3_000_000))
            Path(folder, "top.txt").write_text("top")
            mlflow.log_artifacts(folder, "tree")
            big = Path(folder, "sub", "big.bin").read_bytes()
    top = {f.path: f.is_dir for f in client.list_artifacts(run_id)}
    images = {"images": True} if KEYED_IMAGES else {}
    assert top == {"black.png": False, "data": True, "empty.txt": False, **images, "notes": True, "plots": True, "table.json": False, "tree": True}, top
    assert [f.path for f in client.list_artifacts(run_id, "tree")] == ["tree/sub", "tree/top.txt"]
    assert [(f.path, f.file_size) for f in client.list_artifacts(run_id, "tree/sub")] == [("tree/sub/big.bin", 3_000_000)]
    assert client.list_artifacts(run_id, "nothing") == []
    assert len(client.list_artifacts(run_id, "images")) == (4 if KEYED_IMAGES else 0)
    with tempfile.TemporaryDirectory() as folder:
        there = Path(client.download_artifacts(run_id, "", folder))
        assert (there / "notes" / "größe + [ok] 日本.txt").read_text() == "hello"
        assert (there / "tree" / "sub" / "big.bin").read_bytes() == big
        assert (there / "empty.txt").read_bytes() == b""
    assert mlflow.artifacts.load_text(f"runs:/{run_id}/tree/top.txt") == "top"
    assert mlflow.artifacts.load_dict(f"runs:/{run_id}/data/one.json") == {"a": [1, 2]}
    assert mlflow.artifacts.load_image(f"runs:/{run_id}/black.png").size == (4, 4)
    table = mlflow.load_table("table.json", run_ids=[run_id])
    assert list(table["q"]) == ["a", "b"]
    client.log_text(run_id, "changed", "data/one.json")
    assert mlflow.artifacts.load_text(f"runs:/{run_id}/data/one.json") == "changed"
    refused_download(run_id)
    repository = mlflow.store.artifact.artifact_repository_registry.get_artifact_repository(run.info.artifact_uri)
    repository.delete_artifacts("tree/sub")
    assert [f.path for f in client.list_artifacts(run_id, "tree")] == ["tree/top.txt"]
    repository.delete_artifacts("tree")
    assert "tree" not in [f.path for f in client.list_artifacts(run_id)]


def refused_download(run_id):
    try:
        mlflow.artifacts.load_text(f"runs:/{run_id}/absent.txt")
    except MlflowException as error:
        assert "absent.txt" in str(error), error
        return
    raise AssertionError("an absent artifact was answered")


@step
def multipart():
    """A large file in parts, as a client sends it that is told to."""
    mlflow.set_experiment("multipart")
    os.environ["MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD"] = "true"
    os.environ["MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE"] = "1000000"
    os.environ["MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE"] = "1000000"
    try:
        with tempfile.TemporaryDirectory() as folder, mlflow.start_run() as run:
            Path(folder, "large.bin").write_bytes(os.urandom(5_500_000))
            mlflow.log_artifact(f"{folder}/large.bin", "parts")
            there = mlflow.artifacts.download_artifacts(f"runs:/{run.info.run_id}/parts/large.bin", dst_path=f"{folder}/down")
            assert Path(there).read_bytes() == Path(folder, "large.bin").read_bytes()
    finally:
        del os.environ["MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD"]


@step
def datasets():
    mlflow.set_experiment("datasets")
    frame = pd.DataFrame({"x": [1.0, 2.0], "y": [0, 1]})
    data = mlflow.data.from_pandas(frame, source="https://example.com/data.csv", name="points", targets="y")
    with mlflow.start_run() as run:
        mlflow.log_input(data, context="training", tags={"kind": "raw"})
        mlflow.log_input(data, context="training")
        mlflow.log_metrics({"accuracy": 0.9}, **({"dataset": data} if VERSION >= (3, 0) else {}))
    inputs = client.get_run(run.info.run_id).inputs.dataset_inputs
    assert len(inputs) == 1 and inputs[0].dataset.name == "points" and json.loads(inputs[0].dataset.profile)["num_rows"] == 2
    assert {t.key: t.value for t in inputs[0].tags} == {"mlflow.data.context": "training", "kind": "raw"}
    assert mlflow.data.get_source(inputs[0]).url == "https://example.com/data.csv"
    found = client.search_runs([run.info.experiment_id], "datasets.name = 'points' AND dataset.context = 'training'")
    assert len(found) == 1 and found[0].inputs.dataset_inputs[0].dataset.digest == data.digest
    assert client.search_runs([run.info.experiment_id], "datasets.digest IN ('other')") == []


sys.exit(main())
