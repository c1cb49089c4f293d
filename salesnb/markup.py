"""How a finding looks as HTML, in a notebook and on a page.

Everything in a table or a sentence is text to this module, never markup: names and notes come
from people.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from html import escape

import numpy as np
import pandas as pd

from salesnb import units
from salesnb.display import Shown
from salesnb.language import say, to_say

OPEN_ROWS = 12  # a longer table is folded away below its picture
PAGE_ROWS = 25  # and even without one
LONG = 240  # characters of a cell that are shown before it is opened
WIDE, HIGH = 64.0, 16.0  # of a trend line, in the units of a screen

STEPS = {
    1: to_say("{n} values, the last higher than the first"),
    -1: to_say("{n} values, the last lower than the first"),
    0: to_say("{n} values, the last the same as the first"),
}


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
            row.append(form.cell[False].format(id=f"{name}-Trend", words=trend_line(trend)))
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
