"""A training as anybody writes it: nothing in it speaks of Slipway but the last line."""

import os
import sys

import mlflow

with mlflow.start_run(run_name="recorded") as run:
    mlflow.log_params({"random_state": 7, "lr": 0.1})
    print(run.info.run_id)
    if "--differences" in sys.argv:
        from slipway import record

        record.log()
assert os.environ["MLFLOW_TRACKING_URI"]
