"""From split thresholds of a tree model back to values of the model's own inputs."""

import math
import random
from typing import Any, Iterator

import numpy as np

from .structure import Opaque, sources, split

PER_INPUT_MAX = 100


def thresholds_by_input(model: Any, form: Any, columns: list[tuple[str, str]], rows: list[list[Any]]) -> Iterator[tuple[int, float]]:
    """(input, value): the value that the transformers turn into a threshold, for number inputs that reach the trees by a
    straight line (scalers, imputers, none at all). Where the structure is not known there are none."""
    found = form.thresholds or split_points(split(model)[1])
    transformers, _ = split(model)
    names = [name for name, _ in columns]
    try:
        made_of = sources(transformers, names)
    except Opaque:
        return
    by_feature: dict[int, list[float]] = {}
    for feature, value in found:
        if math.isfinite(value):
            by_feature.setdefault(feature, []).append(value)
    rng = random.Random(0)
    for feature, values in sorted(by_feature.items()):
        if feature >= len(made_of) or len(made_of[feature]) != 1:
            continue
        index = names.index(next(iter(made_of[feature])))
        if columns[index][1] not in ("double", "float"):
            continue
        line = _line(transformers, names, columns, rows, index, feature)
        if line is None:
            continue
        slope, offset = line
        for value in rng.sample(values, min(len(values), PER_INPUT_MAX)):
            # Exactly the threshold where nothing is computed on the way.
            yield index, value if (slope, offset) == (1.0, 0.0) else (value - offset) / slope


def _line(transformers: list[Any], names: list[str], columns: list[tuple[str, str]], rows: list[list[Any]], index: int, feature: int) -> tuple[float, float] | None:
    """Slope and offset of one input's way to one feature; None when it is no straight line."""
    import pandas as pd

    points = [0.0, 1.0, 2.0, -3.0]
    frame = pd.DataFrame([[*rows[0][:index], point, *rows[0][index + 1 :]] for point in points], columns=names)
    for name, kind in columns:
        if kind in ("double", "float"):
            frame[name] = frame[name].astype(np.float64)
    matrix: Any = frame
    try:
        for transformer in transformers:
            matrix = transformer if isinstance(transformer, str) else transformer.transform(matrix)
        matrix = matrix.toarray() if hasattr(matrix, "toarray") else np.asarray(matrix)
        seen = [float(value) for value in matrix[:, feature]]
    except (ValueError, TypeError, IndexError):
        return None
    slope, offset = seen[1] - seen[0], seen[0]
    straight = all(math.isclose(slope * point + offset, value, rel_tol=1e-9, abs_tol=1e-9) for point, value in zip(points, seen))
    return (slope, offset) if straight and slope != 0 else None


def split_points(estimator: Any) -> list[tuple[int, float]]:
    """Thresholds of scikit-learn's own tree models, whoever compiled them."""
    found: list[tuple[int, float]] = []
    if hasattr(estimator, "_predictors"):
        for iteration in estimator._predictors:
            for predictor in iteration:
                inner = predictor.nodes[predictor.nodes["is_leaf"] == 0]
                found += zip(inner["feature_idx"].tolist(), inner["num_threshold"].tolist())
        return found
    for tree in np.ravel(getattr(estimator, "estimators_", [estimator])):
        inner = getattr(tree, "tree_", None)
        if inner is not None:
            keep = inner.children_left >= 0
            found += zip(inner.feature[keep].tolist(), inner.threshold[keep].tolist())
    return found
