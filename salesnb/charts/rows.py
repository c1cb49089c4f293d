"""Drawings in rows from top to bottom: values with intervals, bars, marks, a waterfall."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import ArrayLike

from salesnb.charts.style import (
    ACCENT,
    FAINT,
    INK,
    MUTED,
    PAPER,
    WARN,
    fit_height,
    nothing_to_draw,
    shades,
    shortened,
    write_short,
)
from salesnb.language import say, to_say

DAYS = to_say("days")


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
    fit_height(ax, len(labels))
    return ax


def stacked(ax: Axes, lengths: pd.DataFrame, unit: str = DAYS) -> Axes:
    """A bar per row of `lengths`, made of one piece per column, in the order of the columns."""
    if not lengths.to_numpy().any():
        return nothing_to_draw(ax)
    labels, left = [shortened(label) for label in lengths.index], np.zeros(len(lengths))
    places = np.arange(len(lengths))
    for shade, column in zip(shades(lengths.shape[1], first=1), lengths, strict=True):
        width = lengths[column].to_numpy(float)
        ax.barh(
            places,
            width,
            left=left,
            height=0.5,
            color=shade,
            edgecolor=PAPER,
            label=shortened(str(column), 18),
        )
        left = left + width
    ax.set_yticks(places, labels)
    ax.set_ylim(len(lengths) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0, labelcolor=INK)
    ax.set_xlabel(say(unit))
    if (lengths % 1 == 0).all(axis=None):
        ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))  # there are no half deals
    fit_height(ax, len(lengths) + 1)
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
    if not any(len(mark.places) for mark in marks):
        middle = (len(columns) - 1) / 2, (len(rows) - 1) / 2
        ax.text(*middle, say("Nothing stands out from chance"), ha="center", color=MUTED)
    fit_height(ax, len(rows))
    return ax


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
    write_short(ax.xaxis)
    return ax
