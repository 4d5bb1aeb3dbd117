"""Small models for the tests of serving, saved as MLflow saves them: python serving_models.py OUT."""

import os
import pathlib
import sys
import warnings

import mlflow.pyfunc
import mlflow.sklearn
import numpy as np
import pandas as pd
from mlflow.models import infer_signature
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

warnings.simplefilter("ignore")
out = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(5)
ROWS = 1500
frame = pd.DataFrame(
    {
        "dep": rng.uniform(0, 24, ROWS),
        "dist": rng.lognormal(6.5, 0.7, ROWS),
        "stops": rng.integers(0, 4, ROWS),
        "carrier": rng.choice(["AA", "B6", "DL"], ROWS),
    }
)
late = ((0.2 * (frame.dep - 12) + (frame.carrier == "B6") + rng.normal(0, 1, ROWS)) > 0.3).astype(int)
frame.loc[rng.random(ROWS) < 0.1, "dist"] = np.nan
frame.to_parquet(out / "rows.parquet")
head = frame.head(5)

model = Pipeline(
    [
        ("columns", ColumnTransformer([("carrier", OneHotEncoder(handle_unknown="ignore"), ["carrier"])], remainder="passthrough")),
        ("model", HistGradientBoostingClassifier(max_iter=20, random_state=0)),
    ]
).fit(frame, late)
mlflow.sklearn.save_model(
    model, str(out / "late"), signature=infer_signature(head, model.predict_proba(head)), pyfunc_predict_fn="predict_proba",
    serialization_format="cloudpickle", pip_requirements=[],
)


class Wayward(mlflow.pyfunc.PythonModel):
    """Does to its process what the row says."""

    def predict(self, context, model_input, params=None):
        import time

        for word, number in zip(model_input["word"], model_input["number"]):
            if word == "raise":
                raise RuntimeError("this destination is new to me")
            if word == "die":
                os._exit(7)
            if word == "sleep":
                time.sleep(number)
        # A NaN goes out, and an infinity comes back as it was sent.
        return [float("nan") if word == "nan" else number for word, number in zip(model_input["word"], model_input["number"])]


example = pd.DataFrame({"word": ["a"], "number": [1.5]})
mlflow.pyfunc.save_model(
    str(out / "wayward"), python_model=Wayward(), signature=infer_signature(example, [1.5]), pip_requirements=[]
)


class Nameless(mlflow.pyfunc.PythonModel):
    """Takes whatever comes: it has no signature."""

    def predict(self, context, model_input, params=None):
        return {"rows": len(model_input)}


mlflow.pyfunc.save_model(str(out / "nameless"), python_model=Nameless(), pip_requirements=[])

broken = out / "broken"
mlflow.pyfunc.save_model(str(broken), python_model=Nameless(), pip_requirements=[])
(broken / "python_model.pkl").write_bytes(b"this is no pickle")

# What MLflow's own scoring server answers, for comparison: its application is asked without a socket between.
import asyncio  # noqa: E402
import json  # noqa: E402

from mlflow.pyfunc import scoring_server  # noqa: E402

app = scoring_server.init(mlflow.pyfunc.load_model(str(out / "late")))


async def ask(case: dict) -> dict:
    content = case["body"] if case["type"] == "text/csv" or isinstance(case["body"], str) else json.dumps(case["body"])
    answer = {"status": 0, "text": ""}

    async def receive() -> dict:
        return {"type": "http.request", "body": content.encode(), "more_body": False}

    async def send(message: dict) -> None:
        if message["type"] == "http.response.start":
            answer["status"] = message["status"]
        else:
            answer["text"] += message.get("body", b"").decode()

    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "path": "/invocations",
             "raw_path": b"/invocations", "root_path": "", "scheme": "http", "query_string": b"", "client": ("127.0.0.1", 1),
             "server": ("127.0.0.1", 80), "headers": [(b"content-type", case["type"].encode())]}
    await app(scope, receive, send)
    return answer


async def ask_all() -> list:
    return [await ask(case) for case in json.loads((out / "cases.json").read_text())]


(out / "answers.json").write_text(json.dumps(asyncio.run(ask_all())))
