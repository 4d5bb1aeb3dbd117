"""Walks a fitted pipeline and builds its graph."""

from typing import Any

from ..structure import Opaque, parts, split
from .encoders import Column, encode, impute, numbers, scale
from .estimators import add_estimator
from .form import CompiledForm, InputGuard
from .graph import Block, Graph, TextColumn, Unsupported

_SCALERS = frozenset(["StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler"])
_ENCODERS = frozenset(["OneHotEncoder", "OrdinalEncoder", "TargetEncoder"])
NUMBER_TYPES = frozenset(["double", "float", "long", "integer", "boolean"])

__all__ = ["Unsupported", "compile_pipeline"]


class _Walk:
    def __init__(self, columns: list[tuple[str, str]]):
        self.graph = Graph()
        self.names: list[str] | None = [name for name, _ in columns]
        self.guards = [InputGuard(name, f"x{index}", kind) for index, (name, kind) in enumerate(columns)]
        self.now: list[Column] = [self._input(guard) for guard in self.guards]
        #: The input that a raw column is, as long as it is one; encoders refuse by it.
        self.origin: dict[str, InputGuard] = {self._tensor(column): guard for column, guard in zip(self.now, self.guards)}

    def _input(self, guard: InputGuard) -> Column:
        if guard.type == "string":
            return TextColumn(self.graph.input(guard.onnx_name, True))
        if guard.type not in NUMBER_TYPES:
            raise Unsupported(f"an input of type {guard.type}")
        tensor = self.graph.input(guard.onnx_name, False)
        held = {"float": "single", "boolean": "bool", "long": "int", "integer": "int"}.get(guard.type, "double")
        return Block(self.graph.round_single(tensor) if held == "single" else tensor, 1, held)

    @staticmethod
    def _tensor(column: Column) -> str:
        return column.tensor

    def through(self, transformer: Any, now: list[Column], names: list[str] | None) -> list[Column]:
        kind = type(transformer).__name__
        if isinstance(transformer, str) or (kind == "FunctionTransformer" and transformer.func is None):
            return now
        if kind == "Pipeline":
            for _, step in transformer.steps:
                if step is not None:
                    now = self.through(step, now, names)
                    names = None
            return now
        if kind == "ColumnTransformer":
            return self._by_column(transformer, now, names)
        if kind == "SimpleImputer":
            return impute(self.graph, transformer, now)
        if kind in _SCALERS:
            return [scale(self.graph, transformer, now)]
        if kind in _ENCODERS:
            return [self._encoded(transformer, self._singles(now))]
        raise Unsupported(kind)

    def _by_column(self, transformer: Any, now: list[Column], names: list[str] | None) -> list[Column]:
        if transformer.transformer_weights:
            raise Unsupported("ColumnTransformer with weights")
        singles = self._singles(now)
        result: list[Column] = []
        for part, where in parts(transformer, len(singles), names):
            inner = [names[index] for index in where] if names else None
            result += self.through(part, [singles[index] for index in where], inner)
        return result

    def _singles(self, now: list[Column]) -> list[Column]:
        """One entry per column, so that columns can be selected."""
        result: list[Column] = []
        for column in now:
            if isinstance(column, TextColumn) or column.width == 1:
                result.append(column)
            else:
                result += [self.graph.pick(column, [index]) for index in range(column.width)]
        return result

    def _encoded(self, encoder: Any, columns: list[Column]) -> Block:
        block, refusals = encode(self.graph, encoder, columns)
        for column, refusal in zip(columns, refusals):
            guard = self.origin.get(self._tensor(column))
            if refusal is None:
                continue
            if guard is None:
                raise Unsupported("an encoder that refuses values, behind another step")
            if refusal["values"] is not None:
                allowed = [_plain(value) for value in refusal["values"]]
                guard.values = allowed if guard.values is None else [each for each in guard.values if each in allowed]
            if refusal["null"]:
                guard.nullable = False
        return block


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else float(value)


def compile_pipeline(model: Any, columns: list[tuple[str, str]]) -> CompiledForm:
    """Compiles a fitted pipeline whose inputs are the columns (name, MLflow type) of a signature. Raises Unsupported."""
    walk = _Walk(columns)
    transformers, estimator = split(model)
    now = walk.now
    names: list[str] | None = walk.names
    try:
        for transformer in transformers:
            now = walk.through(transformer, now, names)
            names = None
    except Opaque as error:
        raise Unsupported(str(error)) from error
    except AttributeError as error:
        # A private name that another scikit-learn has not: no reason to fail, only not to compile.
        raise Unsupported(f"this version of scikit-learn is not known: {error}") from error
    if not transformers:
        now = _in_fitted_order(estimator, now, walk.names)
    block = numbers(walk.graph, now, type(estimator).__name__)
    if block.width != getattr(estimator, "n_features_in_", block.width):
        raise Unsupported(f"{type(estimator).__name__} reads {estimator.n_features_in_} features, the steps before it give {block.width}")
    try:
        outputs = add_estimator(walk.graph, estimator, block)
    except AttributeError as error:
        raise Unsupported(f"this version of scikit-learn is not known: {error}") from error
    return CompiledForm(walk.graph.serialize(), walk.guards, outputs, "slipway", walk.graph.thresholds)


def _in_fitted_order(estimator: Any, now: list[Column], names: list[str] | None) -> list[Column]:
    fitted = getattr(estimator, "feature_names_in_", None)
    if fitted is None or names is None:
        return now
    if list(fitted) != names:
        raise Unsupported("inputs in another order than the estimator was fitted with")
    return now

