"""A worker process, talked to as the server talks to it."""

import concurrent.futures
import json
import math
import os
import pathlib
import socket
import stat
import struct
import subprocess
import sys
import time

import mlflow
import pandas as pd
import pytest
from mlflow.models import infer_signature
from mlflow.pyfunc import scoring_server

import conftest
from slipway import frames

PACKAGE = str(pathlib.Path(__file__).parents[1])

#: Does what its parameter says: the awkward answers and failures of models.
AWKWARD = """
import time
import mlflow
import numpy as np
import pandas as pd

class Awkward(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        what = (params or {}).get("what", "sum")
        if what == "raise":
            raise KeyError("no airport " + "ZZZ")
        if what == "sleep":
            time.sleep(0.5)
        if what == "nan":
            return np.array([np.nan, np.inf, -np.inf, 1.5])[: len(model_input)]
        if what == "frame":
            return pd.DataFrame({"score": model_input["a"] * 2.0, "name": "x"})
        if what == "object":
            return object()
        if what == "noise":
            print("model says hello")
        return (model_input["a"] + model_input["b"]).to_numpy()

mlflow.models.set_model(Awkward())
"""


class Talk:
    def __init__(self, folder: pathlib.Path, model: str, *arguments: str):
        self.path = str(folder / "run" / "w.sock")
        command = [sys.executable, "-m", "slipway.worker", "--socket", self.path, "--model", model, *arguments]
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": PACKAGE, "HOME": str(folder), "MLFLOW_DISABLE_TELEMETRY": "true"}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True)

    def line(self) -> dict:
        while line := self.process.stdout.readline():
            if line.startswith("slipway-worker: "):
                return json.loads(line.removeprefix("slipway-worker: "))
        raise AssertionError(f"the worker ended: {self.process.stderr.read()[-3000:]}")

    def connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(30)
        connection.connect(self.path)
        return connection

    def ask(self, **request) -> dict:
        with self.connect() as connection:
            frames.send(connection, {"id": "1", **request})
            return frames.receive(connection)

    def predict(self, kind, payload, what=None) -> dict:
        return self.ask(op="predict", kind=kind, payload=payload, **({"params": {"what": what}} if what else {}))

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def awkward_model(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("awkward")
    (folder / "code.py").write_text(AWKWARD)
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3, 4]})
    signature = infer_signature(frame, [1.0], params={"what": "sum"})
    mlflow.pyfunc.save_model(str(folder / "m"), python_model=str(folder / "code.py"), signature=signature, pip_requirements=[])
    return str(folder / "m")


@pytest.fixture(scope="module")
def awkward(awkward_model, tmp_path_factory):
    talk = Talk(tmp_path_factory.mktemp("run"), awkward_model)
    assert talk.line()["event"] == "ready"
    yield talk
    talk.end()


@pytest.fixture(scope="module")
def flights_model(tmp_path_factory) -> str:
    frame, late = conftest.flights(nulls=True)
    model = conftest.pipeline(conftest.ENCODERS["one-hot"](), conftest.NUMERIC["as they are"](), conftest.ESTIMATORS["histogram"]())
    return conftest.save(model.fit(frame, late), tmp_path_factory.mktemp("flights") / "m", frame)


@pytest.fixture(scope="module")
def served(flights_model, tmp_path_factory):
    talk = Talk(tmp_path_factory.mktemp("run"), flights_model)
    assert talk.line()["event"] == "ready"
    yield talk
    talk.end()


ROWS = [
    {"dep": 5.5, "dist": 1000, "wind": None, "carrier": "B6", "origin": "JFK"},
    {"dep": 23.25, "dist": 250.25, "wind": 7.0, "carrier": None, "origin": "never seen"},
]
PAYLOADS = {
    "dataframe_records": ROWS,
    "dataframe_split": {"columns": list(ROWS[0]), "data": [list(row.values()) for row in ROWS]},
    "instances": ROWS,
    "inputs": {name: [row[name] for row in ROWS] for name in ROWS[0]},
}


@pytest.mark.parametrize("kind", PAYLOADS)
def test_answers_are_those_of_mlflows_scoring_server(kind, served, flights_model):
    model = mlflow.pyfunc.load_model(flights_model)
    body = json.dumps({kind: PAYLOADS[kind]})
    theirs = scoring_server.invocations(body, "application/json", model, model.metadata.get_input_schema())
    ours = served.predict(kind, PAYLOADS[kind])
    assert theirs.status == 200
    assert json.dumps({"predictions": ours["predictions"]}) == theirs.response
    assert ours["id"] == "1" and ours["took_ms"] > 0
    assert served.predict("json", body)["predictions"] == ours["predictions"]


def test_csv_is_read_as_the_scoring_server_reads_it(served, flights_model):
    model = mlflow.pyfunc.load_model(flights_model)
    text = pd.DataFrame(ROWS).to_csv(index=False)
    theirs = scoring_server.invocations(text, "text/csv", model, model.metadata.get_input_schema())
    assert json.dumps({"predictions": served.predict("csv", text)["predictions"]}) == theirs.response


def test_hello_tells_who_serves_what(served):
    hello = served.ask(op="hello")
    assert hello["protocol"] == 1 and hello["load_ms"] > 0
    assert hello["python"] == "{}.{}.{}".format(*sys.version_info[:3])
    assert hello["flavours"] == ["python_function", "sklearn"]
    assert [each["name"] for each in hello["signature"]["inputs"]] == conftest.NUMBERS + conftest.TEXTS
    assert hello["packages"]["scikit-learn"]


def test_bad_input_names_its_field_and_a_models_failure_shows_where(awkward):
    good = {"columns": ["a", "b"], "data": [[1.0, 2]]}
    assert awkward.predict("dataframe_split", good)["predictions"] == [3.0]
    for kind, payload, field in [
        ("dataframe_split", {"columns": ["a", "b"], "data": [["one", 2]]}, "a"),
        ("dataframe_split", {"columns": ["a", "b"], "data": [[1.0, None]]}, "b"),
        ("dataframe_split", {"columns": ["a"], "data": [[1.0]]}, "b"),
        ("dataframe_split", {"columns": ["a", "b"], "data": [[1.0]]}, None),
        ("dataframe_records", "no rows", None),
        ("nonsense", [], "kind"),
        ("json", "{", None),
        ("json", "[]", None),
    ]:
        error = awkward.predict(kind, payload)["error"]
        assert (error["kind"], error.get("field")) == ("bad-input", field), error
        assert len(error["message"]) <= 2000
    error = awkward.predict("dataframe_split", good, "raise")["error"]
    assert error["kind"] == "model" and "no airport ZZZ" in error["message"]
    assert 'raise KeyError("no airport "' in error["traceback"]
    assert "cannot be written as JSON" in awkward.predict("dataframe_split", good, "object")["error"]["message"]
    assert awkward.ask(op="dance")["error"]["field"] == "op"
    assert awkward.ask(op="_private")["error"]["kind"] == "bad-input"


def test_answers_that_json_has_no_numbers_for_arrive(awkward):
    answer = awkward.predict("inputs", {"a": [1.0] * 4, "b": [1] * 4}, "nan")["predictions"]
    assert math.isnan(answer[0]) and answer[1:] == [math.inf, -math.inf, 1.5]


def test_frames_are_answered_as_records_and_printing_harms_nothing(awkward):
    payload = {"columns": ["a", "b"], "data": [[1.0, 2], [2.5, 3]]}
    assert awkward.predict("dataframe_split", payload, "frame")["predictions"] == [{"score": 2.0, "name": "x"}, {"score": 5.0, "name": "x"}]
    assert awkward.predict("dataframe_split", payload, "noise")["predictions"] == [3.0, 5.5]


def test_one_call_at_a_time_while_pings_pass(awkward):
    payload = {"columns": ["a", "b"], "data": [[1.0, 2]]}
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        started = time.monotonic()
        slow = [pool.submit(awkward.predict, "dataframe_split", payload, "sleep") for _ in range(2)]
        time.sleep(0.1)
        assert awkward.ask(op="ping") == {"id": "1", "pong": True}
        pinged = time.monotonic() - started
        assert [each.result()["predictions"] for each in slow] == [[3.0], [3.0]]
        assert pinged < 0.9 and time.monotonic() - started >= 1.0


def test_one_connection_carries_many_requests_in_their_order(awkward):
    with awkward.connect() as connection:
        for number in range(50):
            frames.send(connection, {"id": number, "op": "predict", "kind": "dataframe_split", "payload": {"columns": ["a", "b"], "data": [[float(number), 0]]}})
        answers = [frames.receive(connection) for _ in range(50)]
    assert [(each["id"], each["predictions"]) for each in answers] == [(number, [float(number)]) for number in range(50)]


def test_a_peer_that_breaks_the_format_is_dropped_and_nobody_else(awkward):
    with awkward.connect() as connection:
        connection.sendall(struct.pack(">I", 2**32 - 1))
        assert connection.recv(1) == b""
    with awkward.connect() as connection:
        connection.sendall(struct.pack(">I", 3) + b"{x}")
        assert connection.recv(1) == b""
    assert awkward.ask(op="ping")["pong"]


def test_only_this_user_reaches_the_socket(awkward, tmp_path, awkward_model):
    assert stat.S_IMODE(os.stat(os.path.dirname(awkward.path)).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(awkward.path).st_mode) == 0o600
    (tmp_path / "run").mkdir(mode=0o755)
    talk = Talk(tmp_path, awkward_model)
    failed = talk.line()
    assert failed["event"] == "failed" and "chmod 700" in failed["error"]["message"]
    assert talk.process.wait(10) == 3


def test_explanations_add_up_to_the_prediction(served):
    answer = served.ask(op="explain", columns=list(ROWS[0]), rows=[list(row.values()) for row in ROWS])
    probabilities = served.predict("dataframe_records", ROWS)["predictions"]
    for each, (_, second) in zip(answer["explanations"], probabilities):
        total = each["base_value"] + sum(part["attribution"] for part in each["attributions"])
        assert total == pytest.approx(each["prediction"], abs=1e-6)
        assert (each["space"], each["class"]) == ("log-odds", 1)
        assert 1 / (1 + math.exp(-each["prediction"])) == pytest.approx(second, abs=1e-9)
    assert answer["explanations"][0]["attributions"][2]["value"] is None
    assert served.ask(op="explain", columns=["dep"], rows=[[1.0]])["error"]["kind"] == "bad-input"
    assert served.ask(op="explain", columns=["dep"], rows=[])["error"]["field"] == "rows"


def test_a_model_that_does_not_load_is_told_before_the_end(tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "MLmodel").write_text("flavors: {}")
    talk = Talk(tmp_path, str(tmp_path / "m"))
    failed = talk.line()
    assert failed["event"] == "failed" and failed["error"]["message"] and "Traceback" in failed["error"]["traceback"]
    assert talk.process.wait(10) == 3
    assert not os.path.exists(talk.path)


def test_it_ends_with_its_server_and_when_asked(tmp_path, awkward_model):
    first, second = Talk(tmp_path / "a", awkward_model), Talk(tmp_path / "b", awkward_model)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir(exist_ok=True)
    assert first.line()["event"] == second.line()["event"] == "ready"
    payload = {"columns": ["a", "b"], "data": [[1.0, 2]]}
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(second.predict, "dataframe_split", payload, "sleep")
        time.sleep(0.1)
        assert second.ask(op="shutdown")["stopping"]
        assert running.result()["predictions"] == [3.0]
    assert second.process.wait(10) == 0
    first.process.stdin.close()
    assert first.process.wait(10) == 0
    assert not os.path.exists(first.path) and not os.path.exists(second.path)
