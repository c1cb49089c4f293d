"""How a table reads: labels, units, intervals; as text in a terminal, as CSV for a spreadsheet.

Names and notes come from people: what is written is shown, and carried out by nobody.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from textwrap import shorten
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from salesnb import coded, units
from salesnb.language import says

LONGEST = 100  # characters of a cell in a terminal
# Columns that are aligned right and never broken over two lines.
FIGURES = {"rate", "points", "money", "cents", "span", "count", "number", "year", "day", "time"}
# What a spreadsheet takes for a formula, in the wide letters of Asian keyboards too.
FORMULA, NUMBER = r"\s*[=+\-@\t\n\uff1d\uff0b\uff0d\uff20]", r"[+-]?\d+([.,]\d+)?%?"
# Letters that a terminal obeys, and what is shown in their place.
SHOWN_AS = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"}
CONTROLS, TURNS = range(0x7F, 0xA0), (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
SHOWN_AS |= dict.fromkeys((*CONTROLS, *TURNS), "\ufffd")


def plain(words: str) -> str:
    """Words for a terminal, which would obey some letters: those are shown, not sent.

    Control characters become their pictures or a mark, save line breaks and tabs; so do marks
    that turn around the direction in which all that follows is written.
    """
    return words.replace("\r\n", "\n").translate(SHOWN_AS)


def for_spreadsheet(table: pd.DataFrame) -> str:
    """A table as CSV; a text that a spreadsheet would carry out has an apostrophe before it.

    Those are texts that begin as a formula does (OWASP, "CSV Injection"). Numbers stay numbers,
    also those that stand as text.
    """
    texts = table.select_dtypes(include=["str", "object", "category"])
    safe = {str(name): texts[name].astype(object).map(_as_text) for name in texts}
    return table.assign(**safe).rename(columns=_as_text).to_csv(index=False, lineterminator="\n")


def _as_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    value = value.replace("\r\n", "\n").replace("\r", "\n")  # a bare return would end the row
    return f"'{value}" if re.match(FORMULA, value) and not re.fullmatch(NUMBER, value) else value


@dataclass(frozen=True)
class Shown:
    """The first rows of a table as people read them.

    cells : as `readable` writes them
    figures : which of its columns hold figures
    n : rows of the whole table
    trends : for each of these rows its earlier values, where they are known
    """

    cells: pd.DataFrame
    figures: list[str]
    n: int
    trends: tuple[np.ndarray, ...] = ()

    def with_trends(self, history: pd.DataFrame) -> "Shown":
        """The same, each row with its earlier values, the oldest first."""
        return replace(self, trends=(*history.head(len(self.cells)).to_numpy(float),))

    @property
    def more(self) -> str:
        """How many rows are not among them; empty if none."""
        more = self.n - len(self.cells)
        n = units.number(more)
        return says("... and {n} more row", "... and {n} more rows", more, n=n) if more > 0 else ""


def shown(table: pd.DataFrame, currency: str = "", rows: int = 20) -> Shown:
    """The first rows of a table, made readable."""
    first = table.head(rows)
    cells = readable(first, currency)
    names = zip(_shown(first), cells, strict=True)
    figures = [str(label) for name, label in names if units.of(name, first[name]) in FIGURES]
    return Shown(cells, figures, len(table))


def text(found: Shown) -> str:
    """A table for a terminal: words to the left, figures to the right."""
    cells = found.cells
    columns = [_aligned(str(name), cells[name], name in found.figures) for name in cells]
    lines = ["  ".join(row).rstrip() for row in zip(*columns, strict=True)]
    return "\n".join([*lines, *filter(None, [found.more])])


def _aligned(label: str, cells: pd.Series, right: bool) -> list[str]:
    lines = [label, *(shorten(cell, LONGEST, placeholder="…") for cell in cells)]
    width = max(map(len, lines))
    return [line.rjust(width) if right else line.ljust(width) for line in lines]


def only(table: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """Some columns of a table, each with the ends of its interval."""
    ends = _intervals(table)
    return table[[*dict.fromkeys(each for name in names for each in (name, *ends.get(name, ())))]]


def readable(table: pd.DataFrame, currency: str = "") -> pd.DataFrame:
    """A table for people: labels, units, blanks left blank, an interval beside its value.

    ``win_rate, win_low, win_high`` become one column ``Win rate`` with "42% (31–55)". A column
    that is blank in every row is left out.
    """
    columns: dict[str, list[str]] = {}
    for name in _shown(table):
        label = units.label(name)
        columns[name if label in columns else label] = _cells(table, name, currency)
    return pd.DataFrame(columns, index=table.index, dtype="str")


def _cells(table: pd.DataFrame, name: str, currency: str) -> list[str]:
    values = table[name]
    if name == "metric":
        return [units.label(metric) for metric in values]
    if coded.is_coded(name) and not types.is_numeric_dtype(values.dtype):
        return coded.in_words(name, values)
    if _is_by_row(table, name):
        # Rows of one unit are told apart by equal digits; meetings a week and deals won are not.
        own = np.where(table["unit"] == "count", np.arange(len(table)), -1)
        groups = table.groupby(["unit", own])
        parts = [_by_unit(rows, name, str(unit), currency) for (unit, _), rows in groups]
        return [*pd.concat(parts or [values.astype("str")]).reindex(table.index).fillna("")]
    return _written(table, name, units.of(name, values), currency)


def _is_by_row(table: pd.DataFrame, name: str) -> bool:
    """Whether the column `unit` says row by row what the values of this column are."""
    return "unit" in table and units.of(name, table[name]) == "number" and len(table) > 0


def _by_unit(rows: pd.DataFrame, name: str, unit: str, currency: str) -> pd.Series:
    cells = _written(rows, name, units.OF_ROWS.get(unit, "number"), currency)
    return pd.Series(cells, index=rows.index, dtype="str")


def _written(table: pd.DataFrame, name: str, unit: str, currency: str) -> list[str]:
    columns = [table[each] for each in (name, *_intervals(table).get(name, ()))]
    if unit == "money" and any(end.notna().any() for end in columns[1:]):
        # An amount with an interval is an estimate: it should not look exact.
        columns = [column.map(units.rounded) for column in columns]
    # One number of digits for a value and its ends: all of them have to be told apart.
    shape = pd.concat(columns)
    cells = [*map(units.writer(unit, shape, currency), columns[0])]
    if len(columns) == 1:
        return cells
    low, high = (map(units.end_writer(unit, shape), column) for column in columns[1:])
    rows = zip(cells, low, high, strict=True)
    return [f"{cell} ({units.between(a, b)})" if cell and a and b else cell for cell, a, b in rows]


def _intervals(table: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """The columns that have an interval beside them: ``win_rate`` to ``win_low, win_high``."""
    names = [str(name) for name in table.columns]
    found: dict[str, tuple[str, str]] = {}
    for at, low in enumerate(names):
        stem = low.removesuffix("low")
        if low.endswith("low") and stem + "high" in names:
            before = [n for n in names[:at] if f"{n}_".startswith(stem) and not n.endswith("high")]
            found |= {before[-1]: (low, stem + "high")} if before else {}
    return found


def _shown(table: pd.DataFrame) -> list[str]:
    """The columns that stand for themselves: no ends of intervals, said units or blanks."""
    ends = {end for pair in _intervals(table).values() for end in pair}
    is_said_by_row = any(_is_by_row(table, str(name)) for name in table.columns)
    left_out = ends | ({"unit"} if is_said_by_row else set())
    left_out |= {str(name) for name in table if len(table) and _is_blank(table[name])}
    return [str(name) for name in table.columns if name not in left_out]


def _is_blank(values: pd.Series) -> bool:
    return all(value == "" for value in values.dropna())
