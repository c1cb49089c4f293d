"""Drawings across from left to right: over time, before and now, against the number of cases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from babel.dates import format_date
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from salesnb.charts.room import BESIDE, WHOLE
from salesnb.charts.style import (
    ACCENT,
    FAINT,
    INK,
    MUTED,
    WARN,
    fit_height,
    nothing_to_draw,
    shades,
    shortened,
)
from salesnb.language import locale, say
from salesnb.units import number, percent, short

TICKS = 7  # dates at most
NAMED, APART = 12, 0.075  # points named at most; distance of the names, of the Axes' height


def over_time(
    ax: Axes, lines: Mapping[str, pd.DataFrame], name: str = "", is_rate: bool = False
) -> Axes:
    """A line per name through ``starts_on, value``; a single one with its band."""
    for shade, (who, rows) in zip(shades(len(lines), first=3), lines.items(), strict=True):
        colour = shade if len(lines) > 1 else ACCENT
        if len(lines) == 1:
            ends = rows["value_low"], rows["value_high"]
            ax.fill_between(rows["starts_on"], *ends, color=ACCENT, alpha=0.2, linewidth=0)
        named: dict[str, Any] = {"label": shortened(who, 18)} if len(lines) > 1 else {}
        ax.plot(rows["starts_on"], rows["value"], "o-", color=colour, **named)
    # Ticks of our own: an automatic locator is at a loss where few days have a value.
    days = pd.concat([rows["starts_on"] for rows in lines.values()]).drop_duplicates().sort_values()
    shown = days.iloc[:: -(-len(days) // TICKS)]
    is_new_year = shown.dt.year.diff() != 0
    months = shown.map(lambda day: format_date(day, "LLL", locale=locale()))
    ax.set_xticks(shown, months + shown.dt.strftime("\n%Y").where(is_new_year, ""))
    ax.set_xlim(*(days.iloc[end] + pd.Timedelta(days=side) for end, side in ((0, -15), (-1, 15))))
    ax.set_ylim(bottom=0)
    ax.set_ylabel(name)
    if is_rate:
        ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return ax


Reach = tuple[float, float, float]  # a value with the ends of its interval


@dataclass(frozen=True)
class Change:
    """A number before and now, each with its interval, and the typical one, blank for none."""

    name: str
    before: Reach
    now: Reach
    typical: float
    is_rate: bool = False


def before_and_now(ax: Axes, changes: Sequence[Change], columns: int = 4) -> Axes:
    """A small picture for each change, row by row, each with a scale of its own.

    All are drawn into `ax`: Axes for each would take most of the time.
    """
    if not len(changes):
        return nothing_to_draw(ax)
    ax.set_axis_off()
    ax.set_gid(WHOLE)
    columns = min(columns, len(changes))
    rows = -(-len(changes) // columns)
    fit_height(ax, 4 * rows)
    ax.set_xlim(0, columns)
    ax.set_ylim(rows, 0)
    for place, change in enumerate(changes):
        _small_picture(ax, change, place % columns, place // columns)
    return ax


def _small_picture(ax: Axes, change: Change, left: int, above: int) -> None:
    """One change in the square that lies so many to the right and down."""
    x, foot, height = left + 0.72 * np.array([0.6, 1.6]) / 2.2, above + 0.7, 0.5
    reach = np.array([change.before, change.now], float)
    top = 1.2 * max(np.nanmax(np.append(reach, change.typical)), 1e-9)
    ax.plot([left, left + 0.72], [foot, foot], color=MUTED, linewidth=0.8)
    for place, (value, low, high) in enumerate(foot - height * reach / top):
        colour = (MUTED, ACCENT)[place]
        ax.plot([x[place]] * 2, [low, high], color=colour, linewidth=2, alpha=0.5)
        ax.plot([x[place]], [value], "so"[place], color=colour)
    small: dict[str, Any] = {"size": 7, "color": MUTED, "linespacing": 1.3}
    if np.isfinite(change.typical):
        y = foot - height * change.typical / top
        ax.plot([left, left + 0.72], [y, y], "--", color=MUTED, linewidth=1)
        if left == above == 0:  # said once
            ax.text(left + 0.74, y, say("typical\nrep"), va="center", **small)
    words = say("before"), say("now")
    for place, (value, word) in enumerate(
        zip((change.before[0], change.now[0]), words, strict=True)
    ):
        said = f"{_said(value, change.is_rate)}\n{word}"
        ax.text(x[place], foot + 0.04, said, ha="center", va="top", **small)
    small["color"] = INK
    ax.text(left, foot - height - 0.03, change.name, va="bottom", **small)


def _said(value: float, is_rate: bool) -> str:
    if is_rate:
        return percent(value)
    if value >= 1000:
        return short(value, 0)
    return number(float(f"{value:.3g}"), 6)


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
        (~(is_low | is_high), "o", MUTED, say("not separated from chance")),
        (is_low, "v", WARN, say("fewer go on")),
        (is_high, "^", ACCENT, say("more go on")),
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
    ax.set_xlabel(say("decided deals, weighted to equal odds"))
    ax.set_ylabel(say("go on / expected"))
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
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
            gid=BESIDE,
            arrowprops={"arrowstyle": "-", "color": FAINT, "shrinkB": 3},
        )
