"""A compiled model and what stands before it: the guards of its inputs, which the server applies too."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .encoders import NULL_TEXT

_RANGES = {"integer": (-(2.0**31), 2.0**31 - 1), "long": (-(2.0**53) + 1, 2.0**53 - 1), "boolean": (0.0, 1.0)}


class Refused(Exception):
    """A guard does not let a value through; ``field`` is the input's name."""

    def __init__(self, message: str, field: str):
        super().__init__(message)
        self.field = field


@dataclass
class InputGuard:
    """What one input takes, and how it becomes a tensor.

    ``type`` is MLflow's (double, float, long, integer, boolean, string), ``tensor`` ONNX Runtime's. A value is refused when
    it is of another type, a null and not ``nullable``, below ``minimum``, above ``maximum``, not finite where either is
    set, or not among ``values``. A null becomes NaN, or NULL_TEXT in text.
    """

    name: str
    onnx_name: str
    type: str
    tensor: str = ""
    nullable: bool = True
    minimum: float | None = None
    maximum: float | None = None
    values: list | None = None
    _allowed: frozenset | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.tensor = self.tensor or ("string" if self.type == "string" else "float64")
        self.minimum, self.maximum = _RANGES.get(self.type, (None, None))
        if self.type in ("integer", "long", "boolean"):
            # MLflow reads a null in such a column as an error, or as False without a word.
            self.nullable = False

    def number(self, value: Any) -> Any:
        """The value as it goes into the tensor. Raises Refused."""
        if value is None:
            if not self.nullable:
                raise Refused(f"{self.name} must not be null", self.name)
            return NULL_TEXT if self.tensor == "string" else math.nan
        if self.type == "string":
            if not isinstance(value, str):
                raise Refused(f"{self.name} must be text", self.name)
            self._check_value(value)
            return value
        if self.type == "boolean":
            if not isinstance(value, bool):
                raise Refused(f"{self.name} must be true or false", self.name)
            return float(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Refused(f"{self.name} must be a number", self.name)
        value = float(value)
        if value != value:
            return self.number(None)
        if self.type in ("integer", "long") and not value.is_integer():
            raise Refused(f"{self.name} must be a whole number", self.name)
        if (self.minimum is not None and value < self.minimum) or (self.maximum is not None and value > self.maximum):
            raise Refused(f"{self.name} must be between {self.minimum} and {self.maximum}", self.name)
        self._check_value(value)
        return value

    def _check_value(self, value: Any) -> None:
        if self.values is None:
            return
        if self._allowed is None:
            self._allowed = frozenset(self.values)
        if value not in self._allowed:
            raise Refused(f"{self.name} must be one of the {len(self.values)} values that the model knows", self.name)

    def describe(self) -> dict:
        facts = {"name": self.name, "onnx_name": self.onnx_name, "type": self.tensor, "signature_type": self.type,
                 "nullable": self.nullable}
        if self.nullable:
            facts["null_as"] = NULL_TEXT if self.tensor == "string" else "NaN"
        for key in ("minimum", "maximum", "values"):
            if getattr(self, key) is not None:
                facts[key] = getattr(self, key)
        return facts


_DTYPES = {"float64": np.float64, "float32": np.float32, "int64": np.int64, "bool": np.bool_, "string": object}


@dataclass
class CompiledForm:
    model: bytes
    inputs: list[InputGuard]
    #: As in the report: name, kind (label, probabilities, value), shape, classes.
    outputs: list[dict]
    #: ``slipway`` or ``skl2onnx``.
    compiler: str
    #: (feature of the matrix that the final estimator reads, split threshold).
    thresholds: list[tuple[int, float]] = field(default_factory=list)
    _session: Any = field(default=None, repr=False)

    def admit(self, row: list[Any]) -> list[Any]:
        """The row's values as they go into the tensors. Raises Refused."""
        return [guard.number(value) for guard, value in zip(self.inputs, row)]

    def run(self, admitted: list[list[Any]], output: str) -> np.ndarray:
        """The named output for rows that were admitted."""
        if self._session is None:
            self._session = self._open()
        feeds = {}
        for index, guard in enumerate(self.inputs):
            column = np.asarray([row[index] for row in admitted], dtype=_DTYPES[guard.tensor])
            feeds[guard.onnx_name] = column.reshape(-1, 1)
        used = {each.name for each in self._session.get_inputs()}
        answer = self._session.run([output], {name: each for name, each in feeds.items() if name in used})[0]
        return np.asarray(answer)

    def _open(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(self.model, options, providers=["CPUExecutionProvider"])
