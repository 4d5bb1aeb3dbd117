"""Puts 20,000 finished runs into a store of MLflow's, past its server: by its API that would take half an hour.

python bench/tracking/seed.py STORE_URI RUNS      prints the experiment's id

Each run has 5 metrics, 5 params and MLflow's own tags, as bench/tracking.ts logs them into Slipway.
"""

import sys

from mlflow.store.tracking.dbmodels.models import SqlLatestMetric, SqlMetric, SqlParam, SqlRun, SqlTag
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

uri, runs = sys.argv[1], int(sys.argv[2])
store = SqlAlchemyStore(uri, "/tmp/mlflow-bench-artifacts")
experiment = store.create_experiment("bench-search")
AT_ONCE = 1000


def value(run: int, metric: int) -> float:
    """The same in bench/tracking.ts: spread over 0 to 1, without a library."""
    return ((run * 7919 + metric * 104729) % 100_003) / 100_003


for first in range(0, runs, AT_ONCE):
    rows = {SqlRun: [], SqlMetric: [], SqlLatestMetric: [], SqlParam: [], SqlTag: []}
    for run in range(first, min(first + AT_ONCE, runs)):
        run_id = f"{run:032x}"
        started = 1_700_000_000_000 + run * 1000
        rows[SqlRun].append(
            {
                "run_uuid": run_id,
                "name": f"run-{run}",
                "source_type": "LOCAL",
                "source_name": "train.py",
                "entry_point_name": "",
                "user_id": "bench",
                "status": "FINISHED",
                "start_time": started,
                "end_time": started + 500,
                "source_version": "",
                "lifecycle_stage": "active",
                "artifact_uri": f"/tmp/mlflow-bench-artifacts/{run_id}",
                "experiment_id": int(experiment),
            }
        )
        for metric in range(5):
            point = {"run_uuid": run_id, "key": f"m{metric}", "value": value(run, metric), "timestamp": started, "step": 1}
            rows[SqlMetric].append(point | {"is_nan": False})
            rows[SqlLatestMetric].append(point | {"is_nan": False})
            rows[SqlParam].append({"run_uuid": run_id, "key": f"p{metric}", "value": str((run + metric) % 17)})
        for key, text in (("mlflow.user", "bench"), ("mlflow.source.name", "train.py"), ("mlflow.runName", f"run-{run}")):
            rows[SqlTag].append({"run_uuid": run_id, "key": key, "value": text})
    with store.ManagedSessionMaker() as session:
        for kind, values in rows.items():
            session.bulk_insert_mappings(kind, values)
print(experiment)
