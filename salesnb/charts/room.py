"""Room around the Axes for what is written there, from the number and width of its letters.

Matplotlib's own layout draws all of a picture twice only to find room: a quarter of the time
that a page takes. What this project's pictures write outside the Axes is known: the labels of
the ticks and of the axes, a title, and the names of the series.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from math import cos, radians, sin

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.dates import ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.text import Text

LINE = 1.25  # height of a line of text, of the size of its letters
EDGE = 4.0  # points that stay free at the edge of a picture
PAD = 4.0  # points between an axis and its labels
BESIDE = "beside"  # marks words to the right of the Axes
WHOLE = "whole"  # marks Axes without axis that fill their figure: their words have room inside


@dataclass(frozen=True)
class Room:
    """Points to the sides of the Axes."""

    left: float = EDGE
    right: float = EDGE
    below: float = EDGE
    above: float = EDGE


def width_of(words: str, size: float) -> float:
    """The width in points of the longest line of some words in letters of a size in points."""
    return size * max(sum(map(_advance, line)) for line in words.split("\n"))


@cache
def _advance(letter: str) -> float:
    """The width of a letter of size 1; of one that the font lacks, that of a square."""
    font = get_font(findfont("DejaVu Sans"))
    if not font.get_char_index(ord(letter)):
        return 1.0
    font.set_size(100, 72)
    return float(font.load_char(ord(letter)).linearHoriAdvance) / 65536 / 100


def size_of(ax: Axes) -> tuple[float, float]:
    """Width and height of Axes in points, as they stand."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    width, height = (72 * inches for inches in figure.get_size_inches())
    place = ax.get_position()
    return place.width * width, place.height * height


def make_room(ax: Axes, beside: float, above: Callable[[float], float]) -> None:
    """Place the Axes of a figure of their own where all that is written has room.

    Words written into the Axes, and Axes within, may reach anywhere: then Matplotlib looks.

    Parameters
    ----------
    beside : points to the right that the names of series take
    above : points that such names take above, where there are so many across
    """
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    inside = [each for each in (*ax.texts, *ax.child_axes) if each.get_gid() != BESIDE]
    if ax.get_gid() != WHOLE and any(each.get_in_layout() for each in inside):
        return
    figure.set_layout_engine("none")
    room = _needed(ax) if ax.axison else Room()
    width, height = (72 * inches for inches in figure.get_size_inches())
    right = max(room.right, beside)
    room = replace(room, right=right, above=room.above + above(width))
    across, up = width - room.left - room.right, height - room.below - room.above
    ax.set_position((room.left / width, room.below / height, across / width, up / height))
    # Said once, not looked for at every drawing.
    middle = EDGE + float(ax.xaxis.label.get_fontsize()) * LINE / 2
    ax.yaxis.set_label_coords((middle - room.left) / across, 0.5)
    ax.xaxis.set_label_coords(0.5, (middle - room.below) / up)
    ax.yaxis.label.set_verticalalignment("center")
    ax.xaxis.label.set_verticalalignment("center")


def title_of(ax: Axes) -> float:
    """The height of the title in points."""
    titles = ax.get_title("left"), ax.get_title("center"), ax.get_title("right")
    lines = max(1 + each.count("\n") if each else 0 for each in titles)
    return float(ax.title.get_fontsize()) * LINE * lines


def _needed(ax: Axes) -> Room:
    left, _ = _labels(ax.yaxis)
    sides, below = _labels(ax.xaxis)
    first = next((each for each in ax.get_xticklabels() if each.get_text()), None)
    if first is not None and first.get_horizontalalignment() == "right":
        left, sides = max(left, _size(first)[0]), 0.0
    beside = [2 * EDGE + _size(each)[0] for each in ax.texts if each.get_gid() == BESIDE]
    right = max(EDGE + sides / 2, *beside, 0.0)
    return Room(EDGE + left, right, EDGE + below, 2 * EDGE + title_of(ax))


def _labels(axis: Axis) -> tuple[float, float]:
    """The room that an axis takes: to the side and up, in points."""
    labels = [each for each in axis.get_majorticklabels() if each.get_text()]
    sizes = [_size(label) for label in labels] or [(0.0, 0.0)]
    wide, high = (max(ends) for ends in zip(*sizes, strict=True))
    pad = 2 * PAD if labels else 0.0
    if isinstance(axis.get_major_formatter(), ConciseDateFormatter):
        high += _high(axis.get_offset_text())  # the year, below the days
    name = _high(axis.label) + PAD if axis.label.get_text() else 0.0
    is_x = axis is axis.axes.xaxis
    return (wide, high + pad + name) if is_x else (wide + pad + name, high)


def _high(label: Text) -> float:
    return float(label.get_fontsize()) * LINE * (1 + label.get_text().count("\n"))


def _size(label: Text) -> tuple[float, float]:
    """Width and height of a label, as it is turned."""
    wide, high = width_of(label.get_text(), float(label.get_fontsize())), _high(label)
    turn = radians(label.get_rotation())
    across = abs(wide * cos(turn)) + abs(high * sin(turn))
    return across, abs(wide * sin(turn)) + abs(high * cos(turn))
