"""How a finding looks: as text in a terminal, as HTML in a notebook and on a page.

Everything in a table or a sentence is text to this module, never markup: names and notes come
from people.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape, unescape
from textwrap import shorten
from typing import Any

import pandas as pd

from salesnb import units
from salesnb.language import say, says

LONGEST = 100  # characters of a cell in a terminal
OPEN_ROWS = 12  # a longer table is folded away below its picture
PAGE_ROWS = 25  # and even without one
LONG = 240  # characters of a cell on a page that are shown before it is opened
# Columns that are aligned right and never broken over two lines.
FIGURES = {"rate", "points", "money", "cents", "span", "count", "number", "year", "day", "time"}
# What a spreadsheet takes for a formula, in the wide letters of Asian keyboards too.
FORMULA, NUMBER = r"\s*[=+\-@\t\n\uff1d\uff0b\uff0d\uff20]", r"[+-]?\d+([.,]\d+)?%?"
# Letters that a terminal obeys, and what is shown in their place.
SHOWN_AS = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"}
CONTROLS, TURNS = range(0x7F, 0xA0), (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
SHOWN_AS |= dict.fromkeys((*CONTROLS, *TURNS), "\ufffd")
# Columns that hold words of the schema, such as one_on_one or too_few, or of a verb.
CODES = {"factor", "kind", "topic", "step", "tier", "role", "status", "answer", "verdict"}
CODES |= {"what", "outcome", "moment"}


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
    """

    cells: pd.DataFrame
    figures: list[str]
    n: int

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


def html(
    headline: str,
    found: Shown,
    picture: str = "",
    ask: Iterable[str] = (),
    caveats: Iterable[str] = (),
) -> str:
    """Headline, picture, table, questions and caveats as HTML; `picture` is markup already.

    The class ``mathjax_ignore`` keeps JupyterLab from reading a formula between two "$".
    """
    seen = f"<figure>{picture}</figure>" if picture else ""
    seen += _list("ask", say("Ask"), ask)
    return (
        '<div class="finding mathjax_ignore">'
        f'<p class="headline"><strong>{escape(headline)}</strong></p>'
        + (f'<div class="seen">{seen}</div>' if seen else "")
        + (_folded(found, bool(picture)) if found.n else "")
        + _list("caveats", say("Keep in mind"), caveats)
        + "</div>"
    )


def _folded(found: Shown, has_picture: bool) -> str:
    """The table; a long one folded away, sooner where a picture says the same."""
    if found.n <= (OPEN_ROWS if has_picture else PAGE_ROWS):
        return table_html(found)
    words = say("The numbers, {n} rows", n=units.number(found.n))
    return f"<details><summary>{words}</summary>{table_html(found)}</details>"


def table_html(found: Shown) -> str:
    """A table as HTML without styles of its own."""
    import great_tables as gt  # half a second that the command line need not wait for

    # An id that is the same in every run, so that the same finding is the same page.
    name = "t" + hashlib.sha256(found.cells.to_csv(index=False).encode()).hexdigest()[:6]
    made = gt.GT(found.cells, id=name).cols_align("left").cols_align("right", columns=found.figures)
    # Thousands of cells need not say each that they are one.
    bare = re.search(r"<table.*</table>", made.as_raw_html().replace("gt_row ", ""), re.DOTALL)
    cells = re.sub(r"(<td[^>]*>)([^<]*)(</td>)", _cell_folded, bare.group() if bare else "")
    note = f'<p class="more">{found.more}</p>' if found.more else ""
    # To be scrolled sideways by keyboard too, where the screen is narrow.
    name = escape(say("The numbers"))
    frame = f'<div class="numbers" role="region" aria-label="{name}" tabindex="0">'
    return f"{frame}{cells}{note}</div>"


def _cell_folded(cell: re.Match[str]) -> str:
    """A table cell; a long text shows its first lines, and all of it once it is opened."""
    if len(unescape(cell[2])) <= LONG:
        return cell[0]
    return f'{cell[1]}<details class="long"><summary>{cell[2]}</summary></details>{cell[3]}'


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
    if name.rpartition("_")[2] in CODES:
        words = values.astype("str").fillna("")
        said = words if name == "topic" else map(say, words)  # people write topics
        return [word.replace("_", "\N{NO-BREAK SPACE}") for word in said]
    if _is_by_row(table, name):
        parts = [_by_unit(rows, name, str(unit), currency) for unit, rows in table.groupby("unit")]
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
    return [f"{cell} ({_between(a, b)})" if cell and a and b else cell for cell, a, b in rows]


def _between(low: str, high: str) -> str:
    if "-" in low + high:
        return say("{low} to {high}", low=low, high=high)
    return f"{low}–{high}"


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


def _list(kind: str, title: str, sentences: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f'<div class="{kind}"><p>{title}</p><ul>{items}</ul></div>' if items else ""
