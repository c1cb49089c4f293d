"""The few drawings every finding uses. Axes in, Axes out; safe for colour-blind readers."""

import re
import warnings
from html import escape
from io import StringIO
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK = "#1f2933"
MUTED = "#7b8794"
FAINT = "#d9dee4"
ACCENT = "#0072b2"  # strengths and the rep under view
WARN = "#d55e00"  # leaks; always told apart by place or mark too, never by colour alone

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


def new_axes(width: float = 7.0, height: float = 3.4) -> Axes:
    """Axes of a new figure in the house style, sizes in inches; not known to pyplot."""
    with mpl.rc_context(STYLE):
        return Figure(figsize=(width, height)).add_subplot()


def nothing_to_draw(ax: Axes, why: str = "Nothing to draw yet") -> Axes:
    """Empty Axes that say why they are empty."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, why, ha="center", va="center", color=MUTED, transform=ax.transAxes)
    return ax


def svg(ax: Axes, alt: str) -> str:
    """The figure of `ax` as one SVG element to stand in HTML: text as text, `alt` said aloud.

    The same figure gives the same characters in every run.
    """
    buffer = StringIO()
    figure = ax.get_figure(root=True)
    assert figure is not None, "Axes that were taken off their figure"
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        # The reader's own fonts draw the words, so what matplotlib's font lacks does not matter.
        warnings.filterwarnings("ignore", message="Glyph")
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    drawn = buffer.getvalue()
    drawn = drawn[drawn.index("<g id=") : drawn.rindex("</svg>")]
    drawn = re.sub(r'<g id="[^"]*">', "<g>", drawn)
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
