"""Which original columns each column of a pipeline's transformed matrix comes from."""

from typing import Any

Sources = frozenset

_ONE_TO_ONE = frozenset(
    "StandardScaler MinMaxScaler MaxAbsScaler RobustScaler QuantileTransformer PowerTransformer OrdinalEncoder"
    .split()
)


class Opaque(Exception):
    """A step whose outputs cannot be told apart by column."""


def split(model: Any) -> tuple[list[Any], Any]:
    """The fitted transformers before the final estimator, and the estimator; nested pipelines are opened."""
    if type(model).__name__ == "Pipeline":
        steps = [step for _, step in model.steps[:-1] if step is not None and not (isinstance(step, str) and step == "passthrough")]
        inner, final = split(model.steps[-1][1])
        return [*steps, *inner], final
    return [], model


def sources(transformers: list[Any], columns: list[str]) -> list[Sources]:
    """For each column behind the transformers, the original columns it is made of. Raises Opaque."""
    now = [Sources([name]) for name in columns]
    names: list[str] | None = list(columns)
    for transformer in transformers:
        now = through(transformer, now, names)
        names = None
    return now


def chosen(spec: Any, count: int, names: list[str] | None) -> list[int]:
    """The positions that a ColumnTransformer's column selection means. Raises Opaque."""
    if isinstance(spec, str):
        spec = [spec]
    if isinstance(spec, slice):
        if any(isinstance(edge, str) for edge in (spec.start, spec.stop)):
            if names is None:
                raise Opaque("columns are selected by name behind the first step")
            start = 0 if spec.start is None else names.index(spec.start)
            stop = count if spec.stop is None else names.index(spec.stop) + 1
            return list(range(start, stop))
        return list(range(count))[spec]
    items = list(spec) if hasattr(spec, "__iter__") else [spec]
    if items and all(isinstance(item, bool) or type(item).__name__ in ("bool", "bool_") for item in items):
        return [index for index, item in enumerate(items) if item]
    positions = []
    for item in items:
        if isinstance(item, str):
            if names is None or item not in names:
                raise Opaque(f"column {item!r} is not among the inputs")
            positions.append(names.index(item))
        else:
            positions.append(int(item) % count)
    return positions


def parts(transformer: Any, count: int, names: list[str] | None) -> list[tuple[Any, list[int]]]:
    """A fitted ColumnTransformer's transformers with their positions, in the order of its output; dropped ones left out."""
    found = []
    for name, part, spec in transformer.transformers_:
        if isinstance(part, str) and part == "drop":
            continue
        where = chosen(spec, count, names)
        if where:
            found.append((part, where))
    return found


def through(transformer: Any, now: list[Sources], names: list[str] | None) -> list[Sources]:
    kind = type(transformer).__name__
    if isinstance(transformer, str):
        return now
    if kind == "Pipeline":
        for _, step in transformer.steps:
            if step is not None:
                now = through(step, now, names)
                names = None
        return now
    if kind == "ColumnTransformer":
        result: list[Sources] = []
        for part, where in parts(transformer, len(now), names):
            result += through(part, [now[index] for index in where], [names[index] for index in where] if names else None)
        return result
    if kind == "FeatureUnion":
        return [each for _, part in transformer.transformer_list for each in through(part, now, names)]
    if kind == "OneHotEncoder":
        return [source for source, width in zip(now, one_hot_widths(transformer)) for _ in range(width)]
    if kind == "TargetEncoder":
        width = len(transformer.encodings_) // max(1, len(now))
        return [source for source in now for _ in range(width)]
    if kind == "SimpleImputer":
        kept = [source for source, keep in zip(now, imputed(transformer)) if keep]
        extra = [now[int(index)] for index in transformer.indicator_.features_] if transformer.add_indicator else []
        return kept + extra
    if kind == "MissingIndicator":
        return [now[int(index)] for index in transformer.features_]
    if kind == "FunctionTransformer" and transformer.func is None:
        return now
    if kind in _ONE_TO_ONE:
        return now
    raise Opaque(f"{kind} mixes columns in a way that is not known")


def one_hot_widths(encoder: Any) -> list[int]:
    widths = getattr(encoder, "_n_features_outs", None)
    if widths is None:
        raise Opaque("this scikit-learn's OneHotEncoder does not tell its widths")
    return [int(width) for width in widths]


def imputed(imputer: Any) -> list[bool]:
    """Which columns a SimpleImputer keeps: it drops those that had no value at all."""
    statistics = list(imputer.statistics_)
    if getattr(imputer, "keep_empty_features", False) or imputer.strategy == "constant":
        return [True] * len(statistics)
    return [not (value is None or value != value) for value in statistics]
