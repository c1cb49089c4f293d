"""An answer: one sentence, the table behind it, a picture, and the questions it opens."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts, display, markup
from salesnb.errors import LISTED, DataError, unknown
from salesnb.language import say
from salesnb.units import money, number, percent, span

__all__ = ["Finding", "Urgency", "money", "number", "percent", "span"]

NO_ROWS = (
    "No single rows stand behind these figures: a model or a rule gave them from many, or each row "
    "of the table is one already. The docstring of the question says which."
)
PAGE = (4.8, 2.9)  # inches; small enough that the words stay legible on a phone


class Urgency(IntEnum):
    """In which order the front page of a team tells what does not wait, the smallest first.

    What breaks a promise or loses money within the week comes before what costs money slowly, and
    that before what was planned and not yet held.
    """

    PROMISE = 1  # what was agreed with somebody is due, or past its day
    PIPELINE = 2  # the open pipeline falls short of what the quota needs
    CLOSE_DATE = 3  # deals were to be closed by now
    PERSON = 4  # somebody is out of their own usual range
    LEAK = 5  # deals are lost at a stage, month by month
    NEW_HIRE = 6  # a new hire waits for what was planned
    RHYTHM = 7  # sessions and visits that are due


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
    urgency : what it is about, which says how early it is told there
    history : gives earlier values of the rows of `table`, by its index, the oldest first
    trend : what the small lines through them show, said where they are drawn
    behind : columns of `table` that count something, each with what gives the rows counted, for a
        row of `table`; see `rows`
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
    trend: str = ""
    pressing: str = ""
    urgency: Urgency = Urgency.RHYTHM
    behind: Mapping[str, Callable[[pd.Series], pd.DataFrame]] = field(default_factory=dict)

    def rows(self, counted: str = "", **where: Any) -> pd.DataFrame:
        """The rows behind one figure, as many as `table` counts: ``rows(rep="R03", stage="Demo")``.

        They are found when they are asked for.

        Parameters
        ----------
        counted : the column that counts them, such as ``"n_open"``; by default the first of
            `behind`
        where : which row of `table` is meant, by its columns; ``rep`` is an id or a name

        Raises
        ------
        DataError
            No rows stand behind the figures, or behind this one; no such column or value; more
            than one row of `table` is meant.
        """
        if not self.behind:
            raise DataError(NO_ROWS)
        counted = counted or next(iter(self.behind))
        if counted not in self.behind:
            raise unknown("count with rows behind it", counted, self.behind)
        return self.behind[counted](self._only_row(where)).reset_index(drop=True)

    def _only_row(self, where: Mapping[str, Any]) -> pd.Series:
        """The one row of the table of which all this is true."""
        found = self.table
        for name, value in where.items():
            column = "rep_id" if name == "rep" and name not in found else name
            if column not in found:
                raise unknown("column", name, found.columns)
            values = found[column]
            if column == "rep_id" and value not in set(values):
                value = {said: rep for rep, said in self.names.items()}.get(value, value)
            is_it = values.isna() if pd.isna(value) else values == value
            if not is_it.any():
                known = values.dropna().astype("str").unique()
                raise unknown(column, str(value), known)
            found = found[is_it]
        if len(found) != 1:
            raise DataError(self._which(found))
        return found.iloc[0]

    def _which(self, found: pd.DataFrame) -> str:
        """What has to be said for one row of several to be meant."""
        if found.empty:
            return "The table has no rows."
        words = found.select_dtypes(exclude="number")
        apart = next((name for name in words if len(words[name].unique()) > 1), "")
        choices = ", ".join(words[apart].dropna().astype("str").unique()[:LISTED]) if apart else ""
        hint = f" Say which {apart}: {choices}." if apart else ""
        return f"{len(found)} rows of the table are meant, expected one.{hint}"

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
        lines += [say("Ask: {question}", question=question) for question in self.ask]
        lines += [say("Note: {caveat}", caveat=caveat) for caveat in self.caveats]
        return display.plain("\n".join(lines))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        ax = self._drawn(charts.new_axes(*PAGE), own=True)
        picture = charts.svg(ax, self.headline) if charts.shows_data(ax) else ""
        found, caveats = self._readable, self.caveats
        if self.history is not None:
            caveats += (self.trend,) if self.trend else ()
            found = found.with_trends(self.history().reindex(self.table.index))
        front = (self.pressing, int(self.urgency)) if self.pressing else None
        return markup.html(self.headline, found, picture, self.ask, caveats, front)

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
