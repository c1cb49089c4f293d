"""The few drawings every finding uses. Axes in, Axes out; safe for colour-blind readers."""

from salesnb.charts.across import Change, before_and_now, funnel_plot, over_time
from salesnb.charts.rows import Mark, Points, dumbbell, mark_grid, stacked, waterfall
from salesnb.charts.style import (
    ABOVE,
    ACCENT,
    FAINT,
    INK,
    MUTED,
    STYLE,
    WARN,
    Picture,
    few_dates,
    fit_height,
    new_axes,
    nothing_to_draw,
    shortened,
    shows_data,
    svg,
)

__all__ = [
    "ABOVE",
    "ACCENT",
    "Change",
    "FAINT",
    "INK",
    "MUTED",
    "Mark",
    "Picture",
    "Points",
    "STYLE",
    "WARN",
    "before_and_now",
    "dumbbell",
    "few_dates",
    "fit_height",
    "funnel_plot",
    "mark_grid",
    "new_axes",
    "nothing_to_draw",
    "over_time",
    "shortened",
    "shows_data",
    "stacked",
    "svg",
    "waterfall",
]
