"""Days and numbers of any export in the form that tables have, however people wrote them."""

import pandas as pd

from salesnb import cells, schema
from salesnb.importers import amounts, days
from salesnb.importers.columns import Columns
from salesnb.importers.exported import RawTable
from salesnb.importers.values import Options, Values

ASKS = (amounts.ASK, days.ASK)  # what a fault says where nothing tells how a column is meant


def plainly(raw: RawTable, column: str, table: str, name: str, reading: Options) -> Values:
    """A column of an export as column `name` of a table takes it: ISO days, plain numbers.

    A column that is plain already stays as it is, and so does one in which no more cells can be
    read than as they stand: what is wrong there is told with the table. Else it is read as those
    of the known CRMs are, see `Columns`.
    """
    found = raw.rows[column]
    models = schema.columns(table)
    kind = schema.kind(models[name]) if name in models else "text"
    is_day = name.endswith("_on")
    if kind not in ("number", "time"):
        return Values(found, (), (), {})
    n_plain = int(cells.convert(found, kind, is_day).notna().sum())
    if n_plain == found.notna().sum():
        return Values(found, (), (), {})
    columns = Columns(raw, reading)
    read = columns.number if kind == "number" else columns.day if is_day else columns.time
    values = read(column)
    is_asking = any(fault.expected in ASKS for fault in columns.faults)
    if values.notna().sum() <= n_plain and not is_asking:
        return Values(found, (), (), {})
    text = _as_text(values, is_day)
    mended = [f"{column}: {what}, {n:,} cells" for (_, what), n in columns.mended.items()]
    return Values(text, (*columns.said, *mended), tuple(columns.faults), {})


def _as_text(values: pd.Series, is_day: bool) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return values.dt.strftime("%Y-%m-%d" if is_day else "%Y-%m-%dT%H:%M:%S.%fZ").astype("str")
    return values.map("{:.15g}".format, na_action="ignore").astype("str")
