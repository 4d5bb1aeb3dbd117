"""A loaded MLflow model, asked and answering as MLflow's own scoring server does."""

import json
import os
import platform
import re
import sys
import time
import traceback
from typing import Any

from . import __version__

KINDS = ("dataframe_split", "dataframe_records", "instances", "inputs", "csv", "json")
TRACEBACK_CHARS_MAX = 8000
MESSAGE_CHARS_MAX = 2000
_REPORTED = ("mlflow", "mlflow-skinny", "scikit-learn", "numpy", "pandas", "scipy", "xgboost", "lightgbm", "shap",
             "onnx", "onnxruntime", "skl2onnx", "cloudpickle", "skops")


def calm_threads() -> None:
    """Keeps numerical libraries to one thread unless somebody said otherwise: several for a request of one row only wait
    for each other, and beside other processes they wait long. To be called before anything numerical is imported."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")


class BadInput(Exception):
    """The request is at fault, not the model. ``field`` names the column where it is known."""

    def __init__(self, message: str, field: str | None = None):
        super().__init__(message[:MESSAGE_CHARS_MAX])
        self.field = field


class ModelError(Exception):
    """The model raised; ``traceback`` is the end of what it printed."""

    def __init__(self, message: str, trace: str = ""):
        super().__init__(message[:MESSAGE_CHARS_MAX])
        self.traceback = trace[-TRACEBACK_CHARS_MAX:]


_FIELDS = (
    re.compile(r"Failed to convert column (.+?) (?:to|from) type"),
    re.compile(r"Incompatible input types for column (.+?)\. "),
    re.compile(r"Model is missing (?:required )?inputs \[['\"](.+?)['\"][,\]]"),
    re.compile(r"[Ee]xtra (?:columns|inputs).*?\[['\"](.+?)['\"][,\]]"),
)


def field_of(message: str) -> str | None:
    """The column that one of MLflow's messages speaks of."""
    for pattern in _FIELDS:
        match = pattern.search(message)
        if match:
            return match.group(1).strip("'\"")
    return None


class Model:
    """Raises BadInput and ModelError from `parse` and `predict`, and whatever loading raises from the constructor."""

    def __init__(self, path: str):
        started = time.monotonic()
        import mlflow.pyfunc

        self.path = path
        self.pyfunc = mlflow.pyfunc.load_model(path)
        self.metadata = self.pyfunc.metadata
        self.schema = self.metadata.get_input_schema()
        self.load_ms = round((time.monotonic() - started) * 1000)

    def raw(self) -> Any:
        """What the model's flavour loads, for example a scikit-learn pipeline."""
        get = getattr(self.pyfunc, "get_raw_model", None) or getattr(self.pyfunc._model_impl, "get_raw_model", None)
        return get() if get else getattr(self.pyfunc._model_impl, "sklearn_model", None)

    def describe(self) -> dict:
        signature = self.metadata.signature
        return {
            "slipway": __version__,
            "python": platform.python_version(),
            "packages": installed(_REPORTED),
            "flavours": sorted(self.metadata.flavors or {}),
            "signature": json_of(signature) if signature else None,
            "model_uuid": self.metadata.model_uuid,
            "load_ms": self.load_ms,
        }

    def parse(self, kind: str, payload: Any, params: Any = None) -> tuple[Any, Any]:
        """Data and parameters as MLflow's scoring server makes them from a request."""
        from mlflow.exceptions import MlflowException
        from mlflow.pyfunc import scoring_server

        if kind not in KINDS:
            raise BadInput(f"kind {kind!r} is none of {', '.join(KINDS)}", "kind")
        try:
            if kind == "csv":
                import io

                return scoring_server.parse_csv_input(io.StringIO(payload), self.schema), None
            if kind == "json":
                body = scoring_server._decode_json_input(payload)
            else:
                body = {kind: payload, **({"params": params} if params is not None else {})}
            parsed = scoring_server._parse_json_data(body, self.metadata, self.schema)
            return parsed.data, parsed.params
        except MlflowException as error:
            raise BadInput(error.message, field_of(error.message)) from error
        except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
            raise BadInput(f"the payload cannot be read as {kind}: {error}") from error

    def predict(self, data: Any, params: Any = None) -> Any:
        """The model's raw answer for data that `parse` made."""
        from mlflow.exceptions import MlflowException

        try:
            return self.pyfunc.predict(data, params=params) if params is not None else self.pyfunc.predict(data)
        except MlflowException as error:
            if "schema" in error.message or error.error_code in ("BAD_REQUEST", "INVALID_PARAMETER_VALUE"):
                raise BadInput(error.message, field_of(error.message)) from error
            raise ModelError(error.message, traceback.format_exc()) from error
        except Exception as error:
            raise ModelError(f"{type(error).__name__}: {error}", traceback.format_exc()) from error

    def answer(self, kind: str, payload: Any, params: Any = None) -> Any:
        """Plain data, as ``predictions`` of MLflow's scoring server after its JSON is read."""
        return rendered(self.predict(*self.parse(kind, payload, params)))


def rendered(raw: Any) -> Any:
    """A raw answer as the plain data that MLflow's scoring server would write as JSON; NaN stays a float."""
    import io

    from mlflow.pyfunc.scoring_server import predictions_to_json

    plain = _plain(raw)
    if plain is not None:
        return plain
    text = io.StringIO()
    try:
        predictions_to_json(raw, text)
    except (TypeError, ValueError) as error:
        raise ModelError(f"the model's answer cannot be written as JSON: {error}") from error
    return json.loads(text.getvalue())["predictions"]


def _plain(raw: Any) -> list | None:
    """The same for arrays of numbers, without writing and reading them as text."""
    dtype = getattr(raw, "dtype", None)
    if type(raw).__name__ == "ndarray" and dtype is not None and dtype.kind in "fiub":
        return raw.tolist()
    return None


def json_of(signature: Any) -> dict:
    """A signature as plain data: ``inputs``, ``outputs``, ``params``, each a list or None."""
    said = signature.to_dict()
    return {part: json.loads(said[part]) if said.get(part) else None for part in ("inputs", "outputs", "params")}


def installed(names: tuple[str, ...]) -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            pass
    return found


def python_version() -> str:
    return "{}.{}.{}".format(*sys.version_info[:3])
