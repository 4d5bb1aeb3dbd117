"""Models of the tests: small, seeded, saved as MLflow saves them."""

import os
import pathlib
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
# As the worker does: threads that wait for each other cost more than they bring for a few rows.
os.environ["OMP_NUM_THREADS"] = "1"

from sklearn.compose import ColumnTransformer  # noqa: E402
from sklearn.ensemble import (  # noqa: E402
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.pipeline import Pipeline  # noqa: E402
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder  # noqa: E402

ROWS = 1500
NUMBERS = ["dep", "dist", "wind"]
TEXTS = ["carrier", "origin"]


def flights(rows: int = ROWS, nulls: bool = False, seed: int = 3) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "dep": rng.uniform(0, 24, rows),
            "dist": rng.lognormal(6.5, 0.7, rows),
            "wind": rng.normal(10, 5, rows),
            "carrier": rng.choice(["AA", "B6", "DL", "UA", "\u00e9\u00e9"], rows),
            "origin": rng.choice(["JFK", "LGA", "EWR"], rows),
        }
    )
    score = 0.2 * (frame.dep - 12) + 0.1 * (frame.wind - 10) + (frame.carrier == "B6") + rng.normal(0, 1, rows)
    late = (score > 0.3).astype(int).to_numpy()
    if nulls:
        frame.loc[rng.random(rows) < 0.2, "wind"] = np.nan
        # Missing says something, so that a wrong way through a tree shows.
        late = np.where(frame.wind.isna(), 1 - late, late)
    return frame, late


ENCODERS = {
    "one-hot": lambda: OneHotEncoder(handle_unknown="ignore"),
    "ordinal": lambda: OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
    "target": lambda: TargetEncoder(random_state=0),
}
NUMERIC = {"scaled": lambda: Pipeline([("fill", SimpleImputer()), ("scale", StandardScaler())]), "as they are": lambda: "passthrough"}
ESTIMATORS = {
    "logistic": lambda: LogisticRegression(max_iter=500),
    "forest": lambda: RandomForestClassifier(15, max_depth=8, random_state=0),
    "boosting": lambda: GradientBoostingClassifier(n_estimators=20, random_state=0),
    "histogram": lambda: HistGradientBoostingClassifier(max_iter=25, random_state=0),
}


def pipeline(encoder, numeric, estimator) -> Pipeline:
    return Pipeline([("columns", ColumnTransformer([("numbers", numeric, NUMBERS), ("texts", encoder, TEXTS)])), ("model", estimator)])


def save(model, path, frame: pd.DataFrame, predict_fn: str = "predict_proba", example: bool = False) -> str:
    import mlflow.sklearn
    from mlflow.models import infer_signature

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        head = frame.head(5)
        mlflow.sklearn.save_model(
            model, str(path), signature=infer_signature(head, getattr(model, predict_fn)(head)), pyfunc_predict_fn=predict_fn,
            serialization_format="cloudpickle", pip_requirements=[], input_example=head.head(2) if example else None,
        )
    return str(path)


@pytest.fixture(scope="session")
def rows_file(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("rows") / "rows.parquet"
    flights()[0].assign(late=flights()[1]).to_parquet(path)
    return str(path)


@pytest.fixture(scope="session")
def rows_with_nulls(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("rows") / "nulls.parquet"
    flights(nulls=True)[0].to_parquet(path)
    return str(path)
