"""How pages and pictures look: colours and letters; and the picture as SVG for a page."""

import re
import warnings
from calendar import month_abbr
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from io import StringIO
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter, ScalarFormatter

from salesnb.language import locale, say
from salesnb.units import short

# The colours of pages and pictures, by what they are for: on white paper and on a dark screen.
# One accent; the warning is always told apart by place or mark too, never by colour alone.
LIGHT = {
    "ink": "#1f2933", "muted": "#5f6c7b", "faint": "#d9dee4", "wash": "#f4f6f8",
    "paper": "#ffffff", "accent": "#0072b2", "warn": "#c25400",
    # From little to much: what stands between them can be told by place or number too.
    "shade-1": "#deebf7", "shade-2": "#c0d8ed", "shade-3": "#94c4df", "shade-4": "#5fa6d1",
    "shade-5": "#3484bf", "shade-6": "#1461a8", "shade-7": "#08427c",
}  # fmt: skip
DARK = {
    "ink": "#e4e9ee", "muted": "#9fabb8", "faint": "#3a4653", "wash": "#1c232b",
    "paper": "#14191f", "accent": "#56b4e9", "warn": "#f0a35e",
    "shade-1": "#1b2733", "shade-2": "#1f3a53", "shade-3": "#255279", "shade-4": "#2f6fa3",
    "shade-5": "#4a92c7", "shade-6": "#7fb8e0", "shade-7": "#bcdcf3",
}  # fmt: skip
INK, MUTED, FAINT, PAPER = (LIGHT[name] for name in ("ink", "muted", "faint", "paper"))
ACCENT = LIGHT["accent"]  # strengths and the rep under view
WARN = LIGHT["warn"]  # leaks
SHADES = tuple(colour for name, colour in LIGHT.items() if name.startswith("shade"))

OWN = "salesnb"  # marks figures that no one else has laid out
# A page may set these to suit a dark screen; elsewhere the colours above hold.
ROLES = {colour: name for name, colour in LIGHT.items()}

COLOUR = re.compile(": (#[0-9a-f]{6})")

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


def nothing_to_draw(ax: Axes, why: str = "") -> Axes:
    """Empty Axes that say why they are empty."""
    ax.set_axis_off()
    said = why or say("Nothing to draw yet")
    ax.text(0.5, 0.5, said, ha="center", va="center", color=MUTED, transform=ax.transAxes)
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
    for patch in (figure.patch, ax.patch):
        patch.set_visible(False)  # the paper is the page's
    # Drawn once: `savefig` draws all of it a first time only to find room.
    with mpl.rc_context(STYLE):
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None})
    drawn = buffer.getvalue()
    drawn = drawn[drawn.index("<g id=") : drawn.rindex("</svg>")]
    drawn = re.sub(r'<g id="[^"]*">', "<g>", drawn)
    drawn = re.sub(r">\n\s*<", "><", drawn)  # indentation is a tenth of it
    # A hundredth of a point is finer than any screen; words between the tags are left alone.
    drawn = re.sub(r'="[^"]*"', lambda place: re.sub(r"(\.\d\d)\d+", r"\1", place[0]), drawn)
    drawn = re.sub(r"font-family: 'DejaVu Sans'[^;\"]*", "font-family: sans-serif", drawn)
    drawn = COLOUR.sub(_by_role, drawn)
    width, height = (72 * inches for inches in figure.get_size_inches())
    said = escape(alt)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'role="img" aria-label="{said}" viewBox="0 0 {width:g} {height:g}" width="{width:g}pt" '
        'style="max-width: 100%; height: auto; background: var(--paper, #fff); '
        f'stroke-linejoin: round; stroke-linecap: butt"><title>{said}</title>{drawn}</svg>'
    )


def _by_role(colour: re.Match[str]) -> str:
    role = ROLES.get(colour[1])
    return f": var(--{role}, {colour[1]})" if role else colour[0]


def shades(n: int, first: int = 0) -> list[str]:
    """So many shades from little to much, as far apart as can be, none lighter than `first`."""
    places = np.linspace(first, len(SHADES) - 1, n) if n > 1 else [len(SHADES) // 2]
    return [SHADES[round(place)] for place in places]


def shortened(label: str, longest: int = 32) -> str:
    """A label that leaves room for the picture."""
    return label if len(label) <= longest else label[: longest - 1] + "…"


def few_dates(ax: Axes) -> None:
    """Few dates on the x axis, the year said once."""
    locator = AutoDateLocator(maxticks=7)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(Dates(locator))


class Dates(ConciseDateFormatter):
    """Dates with the months' names in the language that is spoken."""

    def __init__(self, locator: AutoDateLocator) -> None:
        day = say("%d %b %Y")
        said_once = ["", "%Y", say("%b %Y"), day, day, f"{day} %H:%M"]
        super().__init__(locator, offset_formats=said_once)

    def format_ticks(self, values: Any) -> list[str]:
        """The labels of the ticks."""
        return [_months(label) for label in super().format_ticks(values)]

    def get_offset(self) -> str:
        """What is said once."""
        return _months(super().get_offset())


def _months(label: str) -> str:
    names = locale().months["stand-alone"]["abbreviated"]
    return re.sub("|".join(month_abbr[1:]), lambda m: names[[*month_abbr].index(m[0])], label)


class Decimals(Formatter):
    """What another formatter writes, with the decimal sign of the language that is spoken."""

    def __init__(self, own: Formatter) -> None:
        self.own = own

    def __call__(self, x: float, pos: int | None = None) -> str:
        """The label of a tick."""
        return self.own(x, pos).replace(".", locale().number_symbols["latn"]["decimal"])

    def set_locs(self, locs: Any) -> None:
        """Where the ticks are."""
        self.own.set_locs(locs)


def write_short(axis: Axis) -> None:
    """Write large figures at an axis in short: "10K", in Hungarian "10 E"."""
    axis.set_major_formatter(lambda value, _: short(value))


def write_decimals(ax: Axes) -> None:
    """Give the figures at the axes the decimal sign of the language that is spoken."""
    for axis in (each for inside in (ax, *ax.child_axes) for each in (inside.xaxis, inside.yaxis)):
        own = axis.get_major_formatter()
        if isinstance(own, ScalarFormatter) and locale().language != "en":
            axis.set_major_formatter(Decimals(own))
