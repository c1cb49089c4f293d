"""An answer: one sentence, the table behind it, a picture, and the questions it opens."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts, display
from salesnb.units import money, number, percent, span

__all__ = ["Finding", "money", "number", "percent", "span"]

PAGE = (4.8, 2.9)  # inches; small enough that the words stay legible on a phone


@dataclass(frozen=True, eq=False)
class Finding:
    """What a verb answers.

    headline : one sentence; names a person or a stage only where the evidence does
    table : the numbers behind it, unformatted
    draw : draws the picture into the Axes it is given
    ask : open questions for the conversation
    caveats : what the reader must know before leaning on it
    currency : ISO code of the amounts in `table`
    names : rep_id to name, by which people are shown; the table keeps the ids
    shown : the columns people see, in this order, each with its interval; all by default
    pressing : one line for the front page of a team, where something does not wait: it is told
        from chance, or its day has come; empty where that is not so
    history : gives earlier values of the rows of `table`, by its index, the oldest first
    """

    headline: str
    table: pd.DataFrame
    draw: Callable[[Axes], Any] | None = None
    ask: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    currency: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    shown: Sequence[str] = ()
    history: Callable[[], pd.DataFrame] | None = None
    pressing: str = ""

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the picture into `ax`, or into a new figure, and return the Axes."""
        own = ax is None
        if ax is None:
            ax = charts.new_axes()
        return self._drawn(ax, own)

    def _drawn(self, ax: Axes, own: bool) -> Axes:
        with mpl.rc_context(charts.STYLE):
            (self.draw or charts.nothing_to_draw)(ax)
            return charts.finish(ax, own)

    def __str__(self) -> str:
        lines = [self.headline]
        if len(self.table):
            lines += ["", display.text(self._readable)]
        lines += [f"Ask: {question}" for question in self.ask]
        lines += [f"Note: {caveat}" for caveat in self.caveats]
        return display.plain("\n".join(lines))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        ax = self._drawn(charts.new_axes(*PAGE), own=True)
        picture = charts.svg(ax, self.headline) if charts.shows_data(ax) else ""
        found = self._readable
        if self.history is not None:
            found = found.with_trends(self.history().reindex(self.table.index))
        return display.html(self.headline, found, picture, self.ask, self.caveats, self.pressing)

    @cached_property
    def _readable(self) -> display.Shown:
        """The columns shown, with names in place of the ids of reps, where they are known."""
        named = self.named
        return display.shown(
            display.only(named, self.shown) if self.shown else named, self.currency
        )

    @property
    def named(self) -> pd.DataFrame:
        """The table with names in place of the ids of reps, where they are known."""
        if not self.names or "rep_id" not in self.table:
            return self.table
        ids = self.table["rep_id"]
        return self.table.assign(rep_id=ids.map(self.names).astype("str").fillna(ids))
