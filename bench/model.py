"""The model that both scoring servers serve.

python bench/model.py FOLDER requirements.txt save        the model, and the rows that it was trained on as FOLDER/rows.parquet
python bench/model.py FOLDER requirements.txt register URL    registers it at the server that MLFLOW_TRACKING_URI names, twice:
    as `bench`, whose run names the rows (the URL of their version) as its input, so that it can be compiled and compared on them,
    and as `bench-python`, which names no rows and therefore is served by a Python process
"""

import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

folder, requirements, what = Path(sys.argv[1]), *sys.argv[2:4]
random = np.random.default_rng(7)
rows = pd.DataFrame({f"x{n}": random.normal(size=2000) for n in range(10)})
model = LogisticRegression().fit(rows, rows.sum(axis=1) > 0)
options = {
    "signature": mlflow.models.infer_signature(rows, model.predict_proba(rows)),
    "pyfunc_predict_fn": "predict_proba",
    "pip_requirements": requirements,
}
data = folder / "rows.parquet"
if what == "save":
    folder.mkdir(parents=True)
    rows.to_parquet(data, index=False)
    mlflow.sklearn.save_model(model, folder / "model", **options)
else:
    for name in ("bench", "bench-python"):
        with mlflow.start_run():
            if name == "bench":
                mlflow.log_input(mlflow.data.from_pandas(rows, source=sys.argv[4], name="bench-rows"))
            mlflow.sklearn.log_model(model, name="model", registered_model_name=name, **options)
