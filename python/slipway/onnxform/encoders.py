"""Transformers, one by one: each takes the columns it was fitted on and gives one block of numbers."""

from typing import Any

import numpy as np

from ..structure import imputed, one_hot_widths
from .graph import Block, Graph, ML, TextColumn, Unsupported

#: What the server sends for a null in a text column. No category can be equal to it by accident.
NULL_TEXT = "\u0000null"
CATEGORIES_MAX = 100_000

Column = Block | TextColumn


def numbers(graph: Graph, columns: list[Column], step: str) -> Block:
    for column in columns:
        if isinstance(column, TextColumn):
            raise Unsupported(f"{step} over a text column")
    return graph.concat([column for column in columns if isinstance(column, Block)])


def scale(graph: Graph, transformer: Any, columns: list[Column]) -> Block:
    kind = type(transformer).__name__
    block = numbers(graph, columns, kind)
    if kind == "StandardScaler":
        if transformer.with_mean:
            block = graph.arithmetic("Sub", block, transformer.mean_)
        return graph.arithmetic("Div", block, transformer.scale_) if transformer.with_std else block
    if kind == "MaxAbsScaler":
        return graph.arithmetic("Div", block, transformer.scale_)
    if kind == "RobustScaler":
        if transformer.with_centering:
            block = graph.arithmetic("Sub", block, transformer.center_)
        return graph.arithmetic("Div", block, transformer.scale_) if transformer.with_scaling else block
    block = graph.arithmetic("Add", graph.arithmetic("Mul", block, transformer.scale_), transformer.min_)
    if not transformer.clip:
        return block
    low, high = transformer.feature_range
    bounded = graph.op("Min", graph.op("Max", block.tensor, graph.constant(float(low))), graph.constant(float(high)))
    # Clipping keeps NaN in scikit-learn; Max and Min of ONNX leave that open.
    missing = graph.op("IsNaN", block.tensor)
    return Block(graph.op("Where", missing, block.tensor, bounded), block.width, block.held)


def impute(graph: Graph, imputer: Any, columns: list[Column]) -> list[Column]:
    if all(isinstance(column, TextColumn) for column in columns):
        return impute_text(imputer, columns)
    if not _is_nan(imputer.missing_values):
        raise Unsupported("SimpleImputer with missing_values other than NaN")
    block = numbers(graph, columns, "SimpleImputer")
    missing = graph.op("IsNaN", block.tensor)
    keep = imputed(imputer)
    fill = np.asarray([0.0 if not kept else value for value, kept in zip(imputer.statistics_, keep)], dtype=np.float64)
    if block.single:
        fill = fill.astype(np.float32).astype(np.float64)
    filled = Block(graph.op("Where", missing, graph.constant(fill.reshape(1, -1)), block.tensor), block.width, block.held)
    result: list[Column] = [graph.pick(filled, [index for index, kept in enumerate(keep) if kept])]
    if imputer.add_indicator:
        from onnx import TensorProto

        shown = graph.op("Cast", missing, to=TensorProto.DOUBLE)
        result.append(graph.pick(Block(shown, block.width), [int(index) for index in imputer.indicator_.features_]))
    return result


def impute_text(imputer: Any, columns: list[Column]) -> list[Column]:
    if imputer.add_indicator:
        raise Unsupported("SimpleImputer with add_indicator over text")
    if not (_is_nan(imputer.missing_values) or imputer.missing_values is None):
        raise Unsupported("SimpleImputer with missing_values other than null over text")
    keep = imputed(imputer)
    result: list[Column] = []
    for column, fill, kept in zip(columns, imputer.statistics_, keep):
        if not kept or not isinstance(column, TextColumn):
            continue
        if not isinstance(fill, str):
            raise Unsupported("SimpleImputer that fills text with something else")
        result.append(TextColumn(column.tensor, fill))
    return result


def encode(graph: Graph, encoder: Any, columns: list[Column]) -> tuple[Block, list[dict | None]]:
    """Looks every column up in a table of what the encoder itself answers for each of its categories, for anything else
    and for a null. Second: for each column, what it refuses: ``{"values": […], "null": bool}`` or None."""
    widths = _widths(encoder, len(columns))
    blocks: list[Block] = []
    refusals: list[dict | None] = []
    start = 0
    for position, (column, width) in enumerate(zip(columns, widths)):
        block, refusal = _lookup(graph, encoder, column, position, start, width)
        blocks.append(block)
        refusals.append(refusal)
        start += width
    blocks = [block for block in blocks if block.width > 0]
    return graph.concat(blocks), refusals


def _widths(encoder: Any, count: int) -> list[int]:
    kind = type(encoder).__name__
    if kind == "OneHotEncoder":
        return one_hot_widths(encoder)
    return [len(encoder.encodings_) // count if kind == "TargetEncoder" else 1] * count


def _lookup(graph: Graph, encoder: Any, column: Column, position: int, start: int, width: int) -> tuple[Block, dict | None]:
    categories = list(encoder.categories_[position])
    if len(categories) > CATEGORIES_MAX:
        raise Unsupported(f"an encoder with more than {CATEGORIES_MAX} categories")
    text = isinstance(column, TextColumn)
    known = [each for each in categories if not _is_null(each)]
    if text and not all(isinstance(each, str) for each in known):
        raise Unsupported("an encoder of text whose categories are not all text")
    table = _answers(encoder, position, known, start, width)
    unseen = _unseen(known, text)
    unknown = _answer_or_none(encoder, position, unseen, start, width)
    if text and column.null is not None:
        null_row = _answer_or_none(encoder, position, column.null, start, width)
    else:
        nulls = [each for each in categories if _is_null(each)]
        null_row = _answer_or_none(encoder, position, nulls[0] if nulls else (None if text else np.nan), start, width)
    width_of_row = np.zeros(width)
    rows = np.vstack([table, (unknown if unknown is not None else width_of_row)[None], (null_row if null_row is not None else width_of_row)[None]])
    index = _index(graph, column, known, len(known))
    picked = graph.op("Gather", graph.constant(rows.astype(np.float64), "table"), index, axis=0)
    tensor = graph.op("Reshape", picked, graph.constant(np.asarray([-1, width], dtype=np.int64)))
    refusal = {"values": known if unknown is None else None, "null": null_row is None}
    return Block(tensor, width), refusal if unknown is None or null_row is None else None


def _index(graph: Graph, column: Column, known: list, count: int) -> str:
    """The row of the table: a category's own, then the one of unknown values, then the one of nulls."""
    from onnx import TensorProto, numpy_helper

    if isinstance(column, TextColumn):
        keys = [*known, NULL_TEXT]
        values = [*range(count), count + 1]
        return graph.op(
            "LabelEncoder", column.tensor, domain=ML, keys_strings=keys, values_int64s=values, default_int64=count
        )
    if not known:
        known = [0.0]
        values = np.asarray([float(count)])
    else:
        values = np.arange(len(known), dtype=np.float64)
    found = graph.op(
        "LabelEncoder", column.tensor, domain=ML,
        keys_tensor=numpy_helper.from_array(np.asarray(known, dtype=np.float64), "keys"),
        values_tensor=numpy_helper.from_array(values, "values"),
        default_tensor=numpy_helper.from_array(np.asarray([float(count)]), "default"),
    )
    index = graph.op("Where", graph.op("IsNaN", column.tensor), graph.constant(float(count + 1)), found)
    return graph.op("Cast", index, to=TensorProto.INT64)


def _frame(encoder: Any, position: int, values: list) -> Any:
    """Rows in which only one column varies, as the encoder was given them when it was fitted."""
    import pandas as pd

    names = getattr(encoder, "feature_names_in_", None)
    columns = list(names) if names is not None else list(range(len(encoder.categories_)))
    data = {}
    for index, name in enumerate(columns):
        first = next(iter(encoder.categories_[index]), np.nan)
        column = values if index == position else [first] * len(values)
        array = np.empty(len(values), dtype=object)
        array[:] = column
        if not any(isinstance(each, str) or each is None for each in column):
            array = array.astype(np.float64)
        data[name] = array
    frame = pd.DataFrame(data, columns=columns)
    return frame if names is not None else frame.to_numpy(dtype=object if any(d == object for d in frame.dtypes) else None)


def _answers(encoder: Any, position: int, values: list, start: int, width: int) -> np.ndarray:
    if not values:
        return np.zeros((0, width))
    answer = encoder.transform(_frame(encoder, position, values))
    answer = answer.toarray() if hasattr(answer, "toarray") else np.asarray(answer)
    return np.asarray(answer[:, start : start + width], dtype=np.float64)


def _answer_or_none(encoder: Any, position: int, value: Any, start: int, width: int) -> np.ndarray | None:
    try:
        return _answers(encoder, position, [value], start, width)[0]
    except (ValueError, TypeError):
        return None


def _unseen(known: list, text: bool) -> Any:
    if text:
        return "\u0000unseen"
    largest = max((abs(float(each)) for each in known), default=0.0)
    return largest * 2 + 1


def _is_nan(value: Any) -> bool:
    return isinstance(value, (float, np.floating)) and value != value


def _is_null(value: Any) -> bool:
    return value is None or _is_nan(value) or type(value).__name__ == "NAType"
