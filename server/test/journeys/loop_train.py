"""Learns `tipped` from `x` and `z` and registers it as `fare`: python loop_train.py rows [shuffle]"""

import sys

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema, TensorSpec
from sklearn.linear_model import LogisticRegression

path, *how = sys.argv[1:]
with open(path, "rb") as file:
    rows = (pd.read_parquet if file.read(4) == b"PAR1" else pd.read_csv)(path)
features, tipped = rows[["x", "z"]].astype("float64"), rows["tipped"].astype(int)
if "shuffle" in how:
    tipped = np.random.default_rng(0).permutation(tipped)
with mlflow.start_run():
    mlflow.sklearn.log_model(
        LogisticRegression().fit(features, tipped),
        name="model",
        signature=ModelSignature(
            inputs=Schema([ColSpec("double", "x"), ColSpec("double", "z")]),
            outputs=Schema([TensorSpec(np.dtype("float64"), (-1, 2))]),
        ),
        pyfunc_predict_fn="predict_proba",
        registered_model_name="fare",
    )
