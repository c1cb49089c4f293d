"""How often each rep tells each claim, as a grid of shades."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Rectangle

from salesnb import charts
from salesnb.language import alphabetical, say

SHOWN = 30  # reps at most
DARK = 4 / len(charts.SHADES)  # a shade from here on takes figures in the colour of the paper
BOX = (0.94, 0.9)


def heat_map(ax: Axes, table: pd.DataFrame, names: Mapping[str, str]) -> Axes:
    """Reps from top to bottom, claims from left to right, the shade how often a claim is told.

    table : rep_id, group, heading (of the claim), n_notes, n_told, told_rate, is_apart
    """
    order = table.groupby("rep_id").agg(n_apart=("is_apart", "sum"), n=("n_notes", "sum"))
    order = order.sort_values(["n_apart", "n"], ascending=False, kind="stable")
    reps = pd.Index(
        sorted(order.index[:SHOWN], key=lambda each: alphabetical(names.get(each, each)))
    )
    heading = table.drop_duplicates("group").set_index("group")["heading"].sort_index()
    cells = table[table["rep_id"].isin(reps)]
    x, y = (
        heading.index.get_indexer(pd.Index(cells["group"])),
        reps.get_indexer(pd.Index(cells["rep_id"])),
    )
    grid = np.full((len(reps), len(heading)), np.nan)
    grid[y, x] = cells["told_rate"]
    shades = ListedColormap(charts.SHADES)
    edges = (np.arange(each + 1) - 0.5 for each in grid.shape[::-1])
    ax.pcolormesh(*edges, grid, cmap=shades, vmin=0, vmax=1, edgecolor=charts.PAPER)
    ax.invert_yaxis()
    said = cells["n_told"].astype("str") + "/" + cells["n_notes"].astype("str")
    colour = np.where(cells["told_rate"] > DARK, charts.PAPER, charts.INK)
    for place in range(len(cells)):
        figures = {"size": 6.5, "ha": "center", "va": "center", "color": colour[place]}
        figures["in_layout"] = False
        ax.text(x[place], y[place], said.iloc[place], **figures)
    for at in np.flatnonzero(cells["is_apart"]):
        corner = (x[at] - BOX[0] / 2, y[at] - BOX[1] / 2)
        ax.add_patch(Rectangle(corner, *BOX, fill=False, edgecolor=charts.WARN))
    ax.set_yticks(range(len(reps)), [charts.shortened(names.get(rep, rep)) for rep in reps])
    labels = [charts.shortened(claim, 34) for claim in heading]
    ax.set_xticks(range(len(labels)), labels, rotation=90)
    ax.tick_params(length=0, labelcolor=charts.INK, labelsize=7.5)
    part = ""
    if len(order) > len(reps):
        part = say(", {n_shown} of {n} reps", n_shown=len(reps), n=len(order))
    title = say("Notes that tell it / notes on the product{part}; framed: differs", part=part)
    ax.set_title(title, fontsize=8)
    charts.fit_height(ax, len(reps) + 7)
    return ax
