"""Drawings across from left to right: over time, before and now, against the number of cases."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, MaxNLocator, PercentFormatter

from salesnb.charts.style import (
    ABOVE,
    ACCENT,
    FAINT,
    MUTED,
    WARN,
    fit_height,
    nothing_to_draw,
    shortened,
)

TICKS = 7  # dates at most
NAMED, APART = 12, 0.075  # points named at most; distance of the names, of the Axes' height


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
