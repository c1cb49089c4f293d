"""One Parquet file with some cells changed and rows added; the other cells keep value and type."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from salesnb import cells


def edited(
    path: Path, changes: Mapping[tuple[int, str], Any], rows: Sequence[Mapping[str, Any]]
) -> bytes:
    """The file with other cells, by row from 0 and column, and with `rows` at its end.

    Values are text, whole numbers, days or None; a column is added when a value needs it.
    """
    table = parquet.read_table(path)
    needed = [*(column for _, column in changes), *(name for row in rows for name in row)]
    columns = {
        name: _column(
            table[name] if name in table.column_names else pa.nulls(len(table)),
            {row: value for (row, column), value in changes.items() if column == name},
            [row.get(name) for row in rows],
        )
        for name in dict.fromkeys([*table.column_names, *needed])
    }
    written = BytesIO()
    parquet.write_table(pa.table(columns), written, compression="zstd")
    return written.getvalue()


def _column(old: Any, changes: Mapping[int, Any], new: Sequence[Any]) -> pa.Array:
    kind = old.type
    first = next((v for v in [*changes.values(), *new] if v is not None), None)
    if pa.types.is_null(kind):
        kind = _kind(first)
    values = old.to_pylist()
    if isinstance(first, str) and not _is_text(kind):
        # Ids that were whole numbers so far: the same text that the loader makes of them.
        values = [
            *cells.convert(old.to_pandas(), "text").astype(object).where(lambda t: t.notna(), None)
        ]
        kind = pa.large_string()
    for row, value in changes.items():
        values[row] = _fit(value, kind)
    return pa.array([*values, *(_fit(value, kind) for value in new)], kind)


def _kind(value: Any) -> pa.DataType:
    if isinstance(value, datetime):
        return pa.timestamp("us")
    return pa.float64() if isinstance(value, int) else pa.large_string()


def _is_text(kind: pa.DataType) -> bool:
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.types.is_string(inner) or pa.types.is_large_string(inner)


def _fit(value: Any, kind: pa.DataType) -> Any:
    """A value as the column holds them."""
    if value is None or not _is_text(kind):
        return value.to_pydatetime() if isinstance(value, pd.Timestamp) else value
    return str(value.date()) if isinstance(value, datetime) else str(value)
