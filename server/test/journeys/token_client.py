"""MLflow's unmodified client with the tokens in its environment. Prints one JSON object."""

import json
import os

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException


def outcome(name, **environment):
    """What making an experiment comes to with these settings: its name, or the error code."""
    for key in ("MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_WORKSPACE"):
        os.environ.pop(key, None)
    os.environ.update(environment)
    client = MlflowClient()
    try:
        return client.get_experiment(client.create_experiment(name)).name
    except MlflowException as error:
        return error.error_code


editor, viewer, revoked = (os.environ[name] for name in ("EDITOR", "VIEWER", "REVOKED"))
print(
    json.dumps(
        {
            "bearer": outcome("by-bearer", MLFLOW_TRACKING_TOKEN=editor),
            "basic": outcome("by-basic", MLFLOW_TRACKING_USERNAME="ci", MLFLOW_TRACKING_PASSWORD=editor),
            "viewer": outcome("by-viewer", MLFLOW_TRACKING_TOKEN=viewer),
            "revoked": outcome("by-revoked", MLFLOW_TRACKING_TOKEN=revoked),
            "nobody": outcome("by-nobody"),
        }
    )
)
