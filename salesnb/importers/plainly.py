"""Days and numbers of any export in the form that tables have, however people wrote them."""

import pandas as pd

from salesnb import cells, schema
from salesnb.importers import amounts, days
from salesnb.importers.values import Options, Values

ASKS = (amounts.ASK, days.ASK)  # what a fault says where nothing tells how a column is meant


def plainly(column: pd.Series, table: str, name: str, file: str, reading: Options) -> Values:
    """A column of text as column `name` of a table takes it: ISO days and times, plain numbers.

    A column that is plain already stays as it is, and so does one in which no more cells can be
    read than as they stand: what is wrong there is told with the table. Else it is read as a
    whole, see `days.times` and `amounts.numbers`, which tell what they decided.
    """
    models = schema.columns(table)
    kind = schema.kind(models[name]) if name in models else "text"
    as_it_stands = Values(column, (), (), {})
    if kind not in ("number", "time"):
        return as_it_stands
    is_day = name.endswith("_on")
    n_plain = int(cells.convert(column, kind, is_day).notna().sum())
    if n_plain == column.notna().sum():
        return as_it_stands
    if kind == "number":
        found = amounts.numbers(column, file, reading.decimal)
    else:
        found = days.times(column, file, reading, is_day=is_day)
    is_asking = any(fault.expected in ASKS for fault in found.faults)
    if found.values.notna().sum() <= n_plain and not is_asking:
        return as_it_stands
    return Values(_as_text(found.values, is_day), found.said, found.faults, found.mended)


def _as_text(values: pd.Series, is_day: bool) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return values.dt.strftime("%Y-%m-%d" if is_day else "%Y-%m-%dT%H:%M:%S.%fZ").astype("str")
    return values.map("{:.15g}".format, na_action="ignore").astype("str")
