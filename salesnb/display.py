"""How a finding looks: as text in a terminal, as HTML in a notebook and on a page.

Everything in a table or a sentence is text to this module, never markup: names and notes come
from people.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from html import escape
from textwrap import shorten
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from salesnb import coded, units
from salesnb.language import say, says, to_say

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

STEPS = {
    1: to_say("{n} values, the last higher than the first"),
    -1: to_say("{n} values, the last lower than the first"),
    0: to_say("{n} values, the last the same as the first"),
}


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
    trends : for each of these rows a small line through its earlier values, as markup, if known
    """

    cells: pd.DataFrame
    figures: list[str]
    n: int
    trends: tuple[str, ...] = ()

    def with_trends(self, history: pd.DataFrame) -> "Shown":
        """The same, each row with a small line through its values, the oldest first."""
        lines = map(trend_line, history.head(len(self.cells)).to_numpy(float))
        return replace(self, trends=tuple(lines))

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
    pressing: tuple[str, int] | None = None,
) -> str:
    """Headline, picture, table, questions and caveats as HTML; `picture` is markup already.

    `pressing` is a line for the front page of a team, with its place there: it is not shown here.
    The class ``mathjax_ignore`` keeps JupyterLab from reading a formula between two "$".
    """
    seen = f"<figure>{picture}</figure>" if picture else ""
    seen += _list("ask", say("Ask"), ask)
    front = ' data-pressing="{}" data-urgency="{}"' if pressing else ""
    front = front.format(*map(escape, map(str, pressing or ())))
    return (
        f'<div class="finding mathjax_ignore"{front}>'
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
    """A table as HTML without styles of its own, each row with its trend where there is one."""
    form, figures = _form(), set(found.figures)
    # An id that is the same in every run, so that the same finding is the same page.
    written = "\n".join(["\t".join(map(str, found.cells)), *map("\t".join, _rows(found))])
    name = "t" + hashlib.sha256(written.encode()).hexdigest()[:6]
    ids = [f"{name}-{escape(str(label)).replace(' ', '-')}" for label in found.cells]
    sides = [label in figures for label in found.cells]
    columns = [*zip(ids, sides, strict=True)]
    heads = [
        form.head[side].format(id=each, words=escape(str(label)))
        for (each, side), label in zip(columns, found.cells, strict=True)
    ]
    rows = [
        [
            form.cell[side].format(id=each, words=_cell(words))
            for (each, side), words in zip(columns, row, strict=True)
        ]
        for row in _rows(found)
    ]
    if found.trends:
        heads.append(form.head[False].format(id=f"{name}-Trend", words=say("Trend")))
        for row, trend in zip(rows, found.trends, strict=True):
            row.append(form.cell[False].format(id=f"{name}-Trend", words=trend))
    lines = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    table = f"{form.before}{''.join(heads)}{form.between}{lines}{form.after}"
    note = f'<p class="more">{found.more}</p>' if found.more else ""
    # To be scrolled sideways by keyboard too, where the screen is narrow.
    called = escape(say("The numbers"))
    frame = f'<div class="numbers" role="group" aria-label="{called}" tabindex="0">'
    return f"{frame}{table}{note}</div>"


def _rows(found: Shown) -> list[tuple[str, ...]]:
    return [*found.cells.itertuples(index=False, name=None)]


@dataclass(frozen=True)
class _Form:
    """A table as great_tables writes it, in pieces; headings and cells for words and figures."""

    before: str
    between: str
    after: str
    head: tuple[str, str]
    cell: tuple[str, str]


@cache
def _form() -> _Form:
    """Taken from one small table: to lay out each anew is a fifth of what a page costs."""
    import great_tables as gt  # half a second that the command line need not wait for

    sample = pd.DataFrame({"words": ["{words}"], "figures": ["{words}"]}, dtype="str")
    made = gt.GT(sample, id="t").cols_align("left").cols_align("right", columns=["figures"])
    html = re.sub(r">\s+<", "><", made.as_raw_html())
    html = re.sub(r' (data-quarto-[\w-]+|rowspan|colspan)="[^"]*"', "", html)
    html = re.sub("gt_row |gt_columns_bottom_border ", "", html)  # a page does without
    parts = re.search(
        r"(<table.*?)(<th .*?</th>)(<th .*?</th>)(.*?)"
        r"<tr>(<td.*</td>)(<td.*</td>)</tr>(.*</table>)",
        html,
    )
    assert parts is not None, "great_tables writes tables in another form"
    before, *heads, between, words, figures, after = parts.groups()
    heads = [re.sub(r'id="[^"]*">[^<]*<', 'id="{id}">{words}<', head) for head in heads]
    cells = [re.sub(r'headers="[^"]*"', 'headers="{id}"', cell) for cell in (words, figures)]
    return _Form(before, between, after, (heads[0], heads[1]), (cells[0], cells[1]))


def _cell(words: str) -> str:
    """What stands in a cell; a long text shows its first lines, and all of it once opened."""
    if len(words) <= LONG:
        return escape(words)
    return f'<details class="long"><summary>{escape(words)}</summary></details>'


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


WIDE, HIGH = 64.0, 16.0  # of a trend line, in the units of a screen


def trend_line(values: np.ndarray) -> str:
    """A line as wide as a word through some values, the last one marked; nothing below three.

    Tufte (2006), "Sparklines", in Beautiful Evidence. From nought up, so that small changes
    look small; what it says aloud are its ends.
    """
    known = np.isfinite(values)
    if known.sum() < 3:
        return ""
    x = 2 + (WIDE - 5) * np.arange(len(values)) / (len(values) - 1)
    low, high = min(0.0, float(values[known].min())), max(0.0, float(values[known].max()))
    y = HIGH - 3 - (HIGH - 6) * (values - low) / ((high - low) or 1.0)
    points = " ".join(f"{a:.4g},{b:.3g}" for a, b in zip(x[known], y[known], strict=True))
    last_x, last_y = points.rsplit(" ", 1)[1].split(",")
    step = int(np.sign(values[known][-1] - values[known][0]))
    said = escape(say(STEPS[step], n=known.sum()))
    return (
        f'<svg class="trend" role="img" aria-label="{said}" '
        f'viewBox="0 0 {WIDE:g} {HIGH:g}" width="{WIDE:g}" height="{HIGH:g}">'
        f'<polyline points="{points}" fill="none" '
        f'stroke="currentColor"/><circle cx="{last_x}" cy="{last_y}" r="2"/></svg>'
    )


def _list(kind: str, title: str, sentences: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f'<div class="{kind}"><p>{title}</p><ul>{items}</ul></div>' if items else ""
