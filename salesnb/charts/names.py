"""The names of the series beside their marks, where a reader looks, in place of a legend."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import Collection, LineCollection
from matplotlib.colors import to_hex, to_rgba
from matplotlib.container import BarContainer
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from salesnb.charts.room import EDGE, LINE, make_room, size_of, title_of, width_of
from salesnb.charts.style import ACCENT, INK, MUTED, WARN, write_decimals

SIZE = 8.0  # points of the letters
SAMPLE, GAP = 8.0, 9.0  # points: a sample of the mark before its name; between two names
LONGEST = 16  # letters in a line beside the Axes


@dataclass(frozen=True)
class Series:
    """What was drawn under a name: the artist, and the place of the mark next to which it goes."""

    name: str
    artist: Any
    x: float
    y: float

    @property
    def colour(self) -> str:
        """The colour of its marks."""
        artist = self.artist[0] if isinstance(self.artist, BarContainer) else self.artist
        if isinstance(artist, Line2D):
            return to_hex(to_rgba(artist.get_color()))
        if isinstance(artist, LineCollection):
            return to_hex(np.atleast_2d(artist.get_color())[0])
        return to_hex(np.atleast_2d(artist.get_facecolor())[0])


def finish(ax: Axes, is_own: bool = False) -> Axes:
    """Name the series; where the figure is one's own, make room for all that is written."""
    write_decimals(ax)
    handles, labels = ax.get_legend_handles_labels()
    is_beside = bool(handles) and all(map(_runs, handles)) and not ax.yaxis_inverted()
    series = [_series(ax, *each, is_beside) for each in zip(handles, labels, strict=True)]
    if is_own:
        beside = _widest(series) if is_beside else 0.0
        make_room(ax, beside, lambda wide: 0.0 if is_beside else _tall(_lines(series, wide)))
    if is_beside:
        _beside(ax, series)
    elif series:
        _above(ax, series)
    return ax


def _runs(artist: Any) -> bool:
    """Whether it runs from left to right, so that its name can stand at its end."""
    if isinstance(artist, Line2D):
        return artist.get_linestyle() != "None" and np.shape(artist.get_xydata())[0] > 2
    return isinstance(artist, Collection) and not isinstance(artist, LineCollection)


def _series(ax: Axes, artist: Any, name: str, is_beside: bool) -> Series:
    """The series with the place of its last point, or of the one in the uppermost row."""
    points = _points(artist)
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return Series(name, artist, 0.5, 0.5)
    if is_beside:
        last = points[points[:, 0] == points[:, 0].max()]
        x, y = last[0, 0], last[:, 1].mean()
    else:
        up = points[:, 1] if ax.yaxis_inverted() else -points[:, 1]
        x, y = points[np.argmin(up)]
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    place = np.clip([(x - left) / (right - left), (y - low) / (high - low)], 0, 1)
    return Series(name, artist, *map(float, place))


def _points(artist: Any) -> np.ndarray:
    if isinstance(artist, BarContainer):
        return np.array([each.get_center() for each in artist.patches], float)
    if isinstance(artist, Line2D):
        return np.asarray(artist.get_xydata(), float)
    if isinstance(artist, LineCollection):
        return np.array([line.mean(axis=0) for line in artist.get_segments() if len(line)])
    if isinstance(artist, Patch):
        ends = artist.get_path().transformed(artist.get_patch_transform()).get_extents()
        return np.array([[(ends.x0 + ends.x1) / 2, ends.y0]])
    return np.vstack([path.vertices for path in artist.get_paths()])


def _widest(series: Sequence[Series]) -> float:
    return max(width_of(fill(each.name, LONGEST), SIZE) for each in series) + 2 * EDGE


def _tall(lines: Sequence[Sequence[Series]]) -> float:
    return SIZE * 1.5 * len(lines)


def _beside(ax: Axes, series: Sequence[Series]) -> None:
    """The names at the ends of their lines, none over another."""
    wide, high = size_of(ax)
    order = sorted(series, key=lambda each: each.y)
    names = [fill(each.name, LONGEST) for each in order]
    tall = [SIZE * LINE * (1 + name.count("\n")) / high for name in names]
    middle = apart([each.y for each in order], tall, 0.0, 1.0)
    for each, name, y in zip(order, names, middle, strict=True):
        ax.text(
            1 + EDGE / wide, y, name,
            transform=ax.transAxes, size=SIZE, va="center", color=_legible(each.colour),
        )  # fmt: skip


def _above(ax: Axes, series: Sequence[Series]) -> None:
    """The names above the Axes, as near to their marks in the first row as there is room."""
    wide, high = size_of(ax)
    place = ax.get_position()  # the names may stand over what is beside the Axes too
    left, right = place.x0 / place.width, (1 - place.x1) / place.width
    for row, line in enumerate(_lines(series, wide * (1 + left + right))):
        line = sorted(line, key=lambda each: each.x)
        widths = [(SAMPLE + GAP + width_of(each.name, SIZE)) / wide for each in line]
        middles = apart([each.x for each in line], widths, -left, 1 + right + (GAP - EDGE) / wide)
        y = 1 + (EDGE + title_of(ax) + SIZE * (0.6 + 1.5 * row)) / high
        for each, middle, width in zip(line, middles, widths, strict=True):
            x = middle - width / 2
            ax.add_artist(_sample(ax, each, x + SAMPLE / 2 / wide, y, SAMPLE / 2 / wide))
            ax.text(
                x + (SAMPLE + 2) / wide, y, each.name,
                transform=ax.transAxes, size=SIZE, va="center_baseline",
                color=_legible(each.colour),
            )  # fmt: skip


def _lines(series: Sequence[Series], wide: float) -> list[list[Series]]:
    """The series in as few lines as their names need, the last of them uppermost."""
    lines: list[list[Series]] = []
    left = 0.0
    for each in series:
        own = SAMPLE + GAP + width_of(each.name, SIZE)
        if own > left:
            lines.append([])
            left = wide
        lines[-1].append(each)
        left -= own
    return lines[::-1]


def _sample(ax: Axes, series: Series, x: float, y: float, half: float) -> Line2D:
    """The mark of a series, once more, before its name."""
    artist = series.artist
    look: dict[str, Any] = {"color": series.colour, "clip_on": False, "transform": ax.transAxes}
    if isinstance(artist, Line2D) and artist.get_marker() not in (None, "None", ""):
        size = min(artist.get_markersize(), 6)
        edge = artist.get_markeredgewidth()
        return Line2D([x], [y], marker=artist.get_marker(), ms=size, mew=edge, **look)
    if isinstance(artist, Line2D | LineCollection):
        dash = artist.get_linestyle() if isinstance(artist, Line2D) else "-"
        return Line2D([x - half, x + half], [y, y], linestyle=dash, linewidth=1.5, **look)
    return Line2D([x], [y], marker="s", ms=6, **look)


def _legible(colour: str) -> str:
    """A colour for letters: that of the marks, or the ink's where those may be too light."""
    return colour if colour in (ACCENT, WARN, MUTED) else INK


def apart(middles: Sequence[float], sizes: Sequence[float], low: float, high: float) -> list[float]:
    """Places in ascending order moved as little as is simple, so that none covers another.

    They stay between `low` and `high` as far as all of them fit.
    """
    found = [*middles]
    ends = low
    for at, size in enumerate(sizes):
        found[at] = max(found[at], ends + size / 2)
        ends = found[at] + size / 2
    ends = high
    for at in range(len(found) - 1, -1, -1):
        found[at] = min(found[at], ends - sizes[at] / 2)
        ends = found[at] - sizes[at] / 2
    return found
