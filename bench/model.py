"""Saves the model that both servers serve, and registers it at the server that MLFLOW_TRACKING_URI names.

python bench/model.py FOLDER requirements.txt
"""

import sys

import mlflow
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

folder, requirements = sys.argv[1:]
random = np.random.default_rng(7)
rows = pd.DataFrame({f"x{n}": random.normal(size=2000) for n in range(10)})
model = LogisticRegression().fit(rows, rows.sum(axis=1) > 0)
options = {
    "signature": mlflow.models.infer_signature(rows, model.predict_proba(rows)),
    "pyfunc_predict_fn": "predict_proba",
    "pip_requirements": requirements,
}
mlflow.sklearn.save_model(model, folder, **options)
with mlflow.start_run():
    mlflow.sklearn.log_model(model, name="model", registered_model_name="bench", **options)
