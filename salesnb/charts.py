"""The few drawings every finding uses. Axes in, Axes out; safe for colour-blind readers."""

from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK = "#1f2933"
MUTED = "#7b8794"
FAINT = "#d9dee4"
ACCENT = "#0072b2"  # strengths and the rep under view
WARN = "#d55e00"  # leaks; always told apart by place or mark too, never by colour alone

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
