"""The few drawings every finding uses. Axes in, Axes out; safe for colour-blind readers."""

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from io import StringIO
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator, PercentFormatter
from numpy.typing import ArrayLike

INK = "#1f2933"
MUTED = "#7b8794"
FAINT = "#d9dee4"
ACCENT = "#0072b2"  # strengths and the rep under view
WARN = "#d55e00"  # leaks; always told apart by place or mark too, never by colour alone

# A legend grows to the left, over the labels, where there is room for it.
ABOVE: dict[str, Any] = {"loc": "lower right", "bbox_to_anchor": (1, 1)}
OWN = "salesnb"  # marks figures that no one else has laid out
TICKS = 7  # dates at most
NAMED, APART = 12, 0.075  # points named at most; distance of the names, of the Axes' height
# A page may set these to suit a dark screen; elsewhere the colours above hold.
ROLES = {INK: "ink", MUTED: "muted", FAINT: "faint", ACCENT: "accent", WARN: "warn"}
ROLES |= {"#ffffff": "paper"}

STYLE: dict[Any, Any] = {
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "figure.constrained_layout.use": True,
    "font.family": "sans-serif",
    "font.size": 9,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "salesnb",
    "text.color": INK,
    "text.parse_math": False,  # "$" is a currency here
    "xtick.color": MUTED,
    "ytick.color": MUTED,
}


class Picture(Figure):
    """A figure that draws a box for a letter that no font has, and says nothing of it.

    Names come from everywhere, and on pages the reader's own fonts draw them.
    """

    def draw(self, renderer: Any) -> None:
        """Draw, as any figure."""
        with _boxes_for_letters():
            super().draw(renderer)

    def get_tightbbox(self, *args: Any, **options: Any) -> Any:
        """The room that the drawing takes, as of any figure."""
        with _boxes_for_letters():
            return super().get_tightbbox(*args, **options)


@contextmanager
def _boxes_for_letters() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")
        yield


def new_axes(width: float = 7.0, height: float = 3.4) -> Axes:
    """Axes of a new figure in the house style, sizes in inches; not known to pyplot."""
    with mpl.rc_context(STYLE):
        figure = Picture(figsize=(width, height))
        figure.set_gid(OWN)
        return figure.add_subplot()


def fit_height(ax: Axes, rows: int) -> None:
    """Make a figure from `new_axes` as tall as its rows need; anybody else's is left as it is."""
    figure = ax.get_figure(root=True)
    if figure is not None and figure.get_gid() == OWN and figure.axes == [ax]:
        figure.set_figheight(0.85 + 0.3 * max(rows, 2))


def nothing_to_draw(ax: Axes, why: str = "Nothing to draw yet") -> Axes:
    """Empty Axes that say why they are empty."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, why, ha="center", va="center", color=MUTED, transform=ax.transAxes)
    return ax


def shows_data(ax: Axes) -> bool:
    """Whether anything was drawn into `ax` or into Axes inside it, words aside."""
    return ax.has_data() or any(inside.has_data() for inside in ax.child_axes)


def svg(ax: Axes, alt: str) -> str:
    """The figure of `ax` as one SVG element to stand in HTML: text as text, `alt` said aloud.

    The same figure gives the same characters in every run.
    """
    buffer = StringIO()
    figure = ax.get_figure(root=True)
    assert figure is not None, "Axes that were taken off their figure"
    with mpl.rc_context(STYLE), _boxes_for_letters():
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    drawn = buffer.getvalue()
    drawn = drawn[drawn.index("<g id=") : drawn.rindex("</svg>")]
    drawn = re.sub(r'<g id="[^"]*">', "<g>", drawn)
    # A hundredth of a point is finer than any screen; words between the tags are left alone.
    drawn = re.sub(r'="[^"]*"', lambda place: re.sub(r"(\.\d\d)\d+", r"\1", place[0]), drawn)
    drawn = re.sub(r"font-family: 'DejaVu Sans'[^;\"]*", "font-family: sans-serif", drawn)
    for colour, role in ROLES.items():
        drawn = drawn.replace(f": {colour}", f": var(--{role}, {colour})")
    width, height = (72 * inches for inches in figure.get_size_inches())
    said = escape(alt)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'role="img" aria-label="{said}" viewBox="0 0 {width:g} {height:g}" width="{width:g}pt" '
        'style="max-width: 100%; height: auto; background: var(--paper, #fff); '
        f'stroke-linejoin: round; stroke-linecap: butt"><title>{said}</title>{drawn}</svg>'
    )


@dataclass(frozen=True)
class Points:
    """One series of a `dumbbell`: a value per row, with its interval where there is one."""

    name: str
    value: ArrayLike
    low: ArrayLike | None = None
    high: ArrayLike | None = None
    colour: str = ACCENT
    marker: str = "o"

    @classmethod
    def of(
        cls, name: str, rows: pd.DataFrame, column: str, colour: str = ACCENT, marker: str = "o"
    ) -> "Points":
        """A column of a table with its interval: ``win_rate`` with ``win_low, win_high``."""
        stem = column.rpartition("_")[0]
        return cls(name, rows[column], rows[f"{stem}_low"], rows[f"{stem}_high"], colour, marker)


def dumbbell(ax: Axes, labels: Sequence[str], *series: Points, is_rate: bool = True) -> Axes:
    """Rows from top to bottom, in each the values of the series side by side with intervals."""
    if not len(labels):
        return nothing_to_draw(ax)
    places = np.arange(len(labels), dtype=float)
    for number, points in enumerate(series):
        y = places + (number - (len(series) - 1) / 2) * 0.22
        value = np.asarray(points.value, float)
        if points.low is not None and points.high is not None:
            ax.hlines(y, points.low, points.high, color=points.colour, linewidth=2, alpha=0.5)
        ax.plot(value, y, points.marker, color=points.colour, label=points.name)
    ax.set_yticks(places, [shortened(label) for label in labels])
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0, labelcolor=INK)
    ax.grid(axis="x", color=FAINT)
    ax.set_axisbelow(True)
    if is_rate:
        ax.set_xlim(0, 1)
        ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.legend(**ABOVE, ncols=len(series))
    fit_height(ax, len(labels))
    return ax


def stacked(ax: Axes, lengths: pd.DataFrame, unit: str = "days") -> Axes:
    """A bar per row of `lengths`, made of one piece per column, in the order of the columns."""
    if lengths.empty:
        return nothing_to_draw(ax)
    labels, left = [shortened(label) for label in lengths.index], np.zeros(len(lengths))
    places = np.arange(len(lengths))
    shades = np.linspace(0.25, 0.95, max(1, lengths.shape[1]))
    for shade, column in zip(shades, lengths, strict=True):
        width = lengths[column].to_numpy(float)
        ax.barh(
            places,
            width,
            left=left,
            height=0.5,
            color=mpl.colormaps["Blues"](shade),
            edgecolor="white",
            label=shortened(str(column), 18),
        )
        left = left + width
    ax.set_yticks(places, labels)
    ax.set_ylim(len(lengths) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0, labelcolor=INK)
    ax.set_xlabel(unit)
    few: dict[str, Any] = {"ncols": min(3, lengths.shape[1]), "fontsize": 7.5, "handlelength": 1}
    ax.legend(**ABOVE, columnspacing=1, **few)
    fit_height(ax, len(lengths) + 1)
    return ax


def panels(ax: Axes, n: int, columns: int = 4) -> list[Axes]:
    """Small Axes inside `ax`, row by row, for pictures that share nothing but the place."""
    if not n:
        nothing_to_draw(ax)
    ax.set_axis_off()
    columns = min(columns, max(1, n))
    rows = -(-n // columns)
    fit_height(ax, 4 * rows)
    wide, high = 1 / columns, 1 / max(1, rows)
    return [
        ax.inset_axes(
            (i % columns * wide, 1 - (i // columns + 0.8) * high, 0.72 * wide, 0.6 * high)
        )
        for i in range(n)
    ]


Reach = tuple[float, float, float]  # a value with the ends of its interval


def before_and_now(
    ax: Axes, before: Reach, now: Reach, typical: float, *, is_rate: bool = False
) -> Axes:
    """Two values with their intervals, and the typical one as a dashed line."""
    for place, (value, low, high) in enumerate((before, now)):
        colour = (MUTED, ACCENT)[place]
        ax.vlines(place, low, high, color=colour, linewidth=2, alpha=0.5)
        ax.plot([place], [value], "so"[place], color=colour)
    if np.isfinite(typical):
        ax.axhline(typical, color=MUTED, linewidth=1, linestyle="--")
    ax.set_xlim(-0.6, 1.6)
    ax.set_ylim(0, 1.15 * max(ax.get_ylim()[1], 1e-9))
    ax.set_xticks([0, 1], ["before", "now"])
    ax.tick_params(labelsize=7)
    ax.yaxis.set_major_locator(MaxNLocator(3))
    if is_rate:
        ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    elif ax.get_ylim()[1] >= 1000:
        ax.yaxis.set_major_formatter(EngFormatter(sep=""))
    return ax


@dataclass(frozen=True)
class Mark:
    """A kind of mark in a `mark_grid`: where it stands, by row and column."""

    name: str
    marker: str
    colour: str
    places: Sequence[tuple[int, int]]


def mark_grid(ax: Axes, rows: Sequence[str], columns: Sequence[str], *marks: Mark) -> Axes:
    """Rows from top to bottom, columns from left to right, a mark where something stands out."""
    if not len(rows) or not len(columns):
        return nothing_to_draw(ax)
    for mark in marks:
        if len(mark.places):
            y, x = zip(*mark.places, strict=True)
            ax.plot(x, y, mark.marker, color=mark.colour, label=mark.name, markersize=8)
    ax.set_xticks(range(len(columns)), [shortened(name, 16) for name in columns])
    ax.set_yticks(range(len(rows)), [shortened(name) for name in rows])
    ax.set_xlim(-0.5, len(columns) - 0.5)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.tick_params(length=0, labelcolor=INK)
    ax.grid(color=FAINT)
    ax.set_axisbelow(True)
    if any(len(mark.places) for mark in marks):
        ax.legend(**ABOVE, ncols=len(marks))
    else:
        middle = (len(columns) - 1) / 2, (len(rows) - 1) / 2
        ax.text(*middle, "Nothing stands out from chance", ha="center", color=MUTED)
    fit_height(ax, len(rows))
    return ax


def funnel_plot(
    ax: Axes,
    n: np.ndarray,
    ratio: np.ndarray,
    spread: float,
    labels: Sequence[str],
    is_low: np.ndarray,
    is_high: np.ndarray,
) -> Axes:
    """What was reached / what was expected, against the number of cases (Spiegelhalter 2005).

    Chance alone leaves 95 % of the points between the inner and 99.8 % between the outer limits.

    Parameters
    ----------
    n, ratio : cases of equal spread, and reached / expected
    spread : variance of the ratio for a single case
    labels : text beside a point, or empty
    is_low, is_high : separated from chance
    """
    kinds = [
        (~(is_low | is_high), "o", MUTED, "not separated from chance"),
        (is_low, "v", WARN, "fewer go on"),
        (is_high, "^", ACCENT, "more go on"),
    ]
    for which, marker, colour, name in kinds:
        if which.any():
            ax.plot(n[which], ratio[which], marker, color=colour, label=name, markersize=5)
    longest = max(float(n.max(initial=0)), 20.0) * 1.15
    x = np.linspace(longest / 200, longest, 200)
    for z, style in ((1.96, "--"), (3.09, ":")):
        for side in (-z, z):
            ax.plot(x, 1 + side * np.sqrt(spread / x), style, color=MUTED, linewidth=0.8)
    ax.axhline(1, color=MUTED, linewidth=0.8)
    far = max(0.3, float(np.abs(ratio - 1).max(initial=0)) * 1.2)
    ax.set_ylim(max(0, 1 - far), 1 + far)
    ax.set_xlim(0, longest * 1.1)
    _name_aside(ax, n, ratio, labels)
    ax.set_xlabel("decided deals, weighted to equal odds")
    ax.set_ylabel("go on / expected")
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.legend(**ABOVE, ncols=3, fontsize=7.5, handlelength=1)
    return ax


def _name_aside(ax: Axes, x: np.ndarray, y: np.ndarray, labels: Sequence[str]) -> None:
    """Names of points in a column beside the Axes, a thin line to each, none over another."""
    far_out = np.argsort(-np.abs(y - 1), kind="stable")
    named = [i for i in far_out if labels[i]][:NAMED]
    named.sort(key=lambda i: (-y[i], x[i]))
    low, high = ax.get_ylim()
    heights = [(y[i] - low) / (high - low) for i in named]
    for place in range(1, len(heights)):  # from the top down, each below the one before
        heights[place] = min(heights[place], heights[place - 1] - APART)
    for place in range(len(heights) - 1, -1, -1):  # and back up from the foot
        heights[place] = max(heights[place], (len(heights) - 1 - place) * APART)
    for i, height in zip(named, heights, strict=True):
        ax.annotate(
            shortened(labels[i]),
            (x[i], y[i]),
            (1.03, height),
            textcoords=ax.transAxes,
            size=7,
            va="center",
            arrowprops={"arrowstyle": "-", "color": FAINT, "shrinkB": 3},
        )


def shortened(label: str, longest: int = 32) -> str:
    """A label that leaves room for the picture."""
    return label if len(label) <= longest else label[: longest - 1] + "…"


def over_time(
    ax: Axes, lines: Mapping[str, pd.DataFrame], name: str = "", is_rate: bool = False
) -> Axes:
    """A line per name through ``starts_on, value``; a single one with its band."""
    shades = mpl.colormaps["viridis"](np.linspace(0, 0.8, len(lines)))
    for shade, (who, rows) in zip(shades, lines.items(), strict=True):
        colour = shade if len(lines) > 1 else ACCENT
        if len(lines) == 1:
            ends = rows["value_low"], rows["value_high"]
            ax.fill_between(rows["starts_on"], *ends, color=ACCENT, alpha=0.2, linewidth=0)
        ax.plot(rows["starts_on"], rows["value"], "o-", color=colour, label=shortened(who, 18))
    # Ticks of our own: an automatic locator is at a loss where few days have a value.
    days = pd.concat([rows["starts_on"] for rows in lines.values()]).drop_duplicates().sort_values()
    shown = days.iloc[:: -(-len(days) // TICKS)]
    is_new_year = shown.dt.year.diff() != 0
    ax.set_xticks(shown, shown.dt.strftime("%b") + shown.dt.strftime("\n%Y").where(is_new_year, ""))
    ax.set_xlim(*(days.iloc[end] + pd.Timedelta(days=side) for end, side in ((0, -15), (-1, 15))))
    ax.set_ylim(bottom=0)
    ax.set_ylabel(name)
    if is_rate:
        ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    if len(lines) > 1:
        ax.legend(**ABOVE, ncols=min(5, len(lines)))
    return ax


def few_dates(ax: Axes) -> None:
    """Few dates on the x axis, the year said once."""
    locator = AutoDateLocator(maxticks=7)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def waterfall(ax: Axes, labels: Sequence[str], changes: Sequence[float]) -> Axes:
    """From the first bar to the last, each change hanging where the one before it ended.

    The first and the last of `changes` are levels, the others what was added or taken away.
    """
    if not any(changes):
        return nothing_to_draw(ax)
    size = np.asarray(changes, float)
    ends = np.append(np.cumsum(size[:-1]), size[-1])
    starts = np.r_[0.0, ends[:-2], 0.0]
    colours = np.where(size < 0, WARN, ACCENT)
    colours[[0, -1]] = MUTED
    places = np.arange(len(size))
    ax.barh(places, ends - starts, left=starts, color=list(colours), height=0.6)
    ax.vlines(ends[:-1], places[:-1] + 0.3, places[1:] - 0.3, color=MUTED, linewidth=0.8)
    ax.set_yticks(places, [shortened(label) for label in labels])
    ax.set_ylim(len(size) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0, labelcolor=INK)
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    return ax
