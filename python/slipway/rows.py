"""Rows of a Parquet or CSV file as plain values, the way a request would bring them."""

import math
from typing import Any

FILE_ROWS_MAX = 2_000_000


class RowsError(Exception):
    """The file cannot be read, or lacks a column."""


def read_rows(path: str, columns: list[str], rows_max: int, seed: int = 0) -> tuple[list[list[Any]], int]:
    """Up to ``rows_max`` rows, spread evenly over the file, and how many the file has. NaN becomes None: a null."""
    frame = read_frame(path, columns)
    total = len(frame)
    if total > rows_max:
        # Evenly spread with a seeded start: the whole period is seen, and the same rows each time.
        step = total / rows_max
        start = (seed % 997) / 997 * step
        frame = frame.iloc[[int(start + index * step) for index in range(rows_max)]]
    data = [frame[name].tolist() for name in columns]
    return [[plain(column[index]) for column in data] for index in range(len(frame))], total


def read_frame(path: str, columns: list[str] | None = None) -> Any:
    import pandas as pd

    try:
        if path.endswith((".parquet", ".pq")):
            import pyarrow.parquet as parquet

            file = parquet.ParquetFile(path)
            if file.metadata.num_rows > FILE_ROWS_MAX:
                raise RowsError(f"{path} has {file.metadata.num_rows} rows; at most {FILE_ROWS_MAX} are read")
            missing = [name for name in columns or [] if name not in file.schema_arrow.names]
            if missing:
                raise RowsError(f"the rows lack the columns {', '.join(missing)}")
            return file.read(columns=columns).to_pandas()
        frame = pd.read_csv(path, nrows=FILE_ROWS_MAX)
    except RowsError:
        raise
    except Exception as error:
        raise RowsError(f"{path} cannot be read: {type(error).__name__}: {error}") from error
    missing = [name for name in columns or [] if name not in frame.columns]
    if missing:
        raise RowsError(f"the rows lack the columns {', '.join(missing)}")
    return frame[columns] if columns else frame


def plain(value: Any) -> Any:
    """One cell as JSON would carry it; what is not a number, text or truth value becomes text."""
    if value is None or value != value:
        return None
    if isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    item = getattr(value, "item", None)
    if item is not None and type(value).__module__ == "numpy":
        return plain(item())
    if value.__class__.__name__ in ("NAType", "NaTType"):
        return None
    return str(value)
