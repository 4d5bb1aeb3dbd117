"""Registers a small model that serves (`serves`), or one that raises while it is loaded (`raises`), as `fare`.

python failures_models.py serves|raises requirements.txt
"""

import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema, TensorSpec
from sklearn.linear_model import LogisticRegression

kind, requirements = sys.argv[1:]
rows = pd.DataFrame({"distance": np.linspace(0.0, 9.0, 40), "passengers": np.arange(40) % 5})
signature = ModelSignature(
    inputs=Schema([ColSpec("double", "distance"), ColSpec("long", "passengers")]),
    outputs=Schema([TensorSpec(np.dtype("float64"), (-1, 2))]),
)
with mlflow.start_run():
    if kind == "serves":
        model = LogisticRegression().fit(rows, rows["distance"] > 4)
        mlflow.sklearn.log_model(
            model,
            name="model",
            signature=signature,
            pyfunc_predict_fn="predict_proba",
            pip_requirements=requirements,
            registered_model_name="fare",
        )
    else:
        mlflow.pyfunc.log_model(
            name="model",
            python_model=str(Path(__file__).with_name("failures_raises.py")),
            signature=signature,
            pip_requirements=requirements,
            registered_model_name="fare",
        )
