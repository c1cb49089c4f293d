"""All rows of a finding, or those behind one of its figures, to be searched and sorted."""

from dataclasses import replace
from typing import Any

import ipywidgets
import pandas as pd

from salesnb import display
from salesnb.explore.still import Still, answer, table
from salesnb.finding import Finding
from salesnb.language import say, to_say
from salesnb.units import label, number

MOST = 100  # rows shown at a time: search for the others
AS_THEY_COME = to_say("as they come")


class Rows(Still):
    """Every row and column of a finding's table; the headline shows but the first of them.

    search : words that a row must hold, all of them; case does not count
    by : the column to sort by
    is_falling : whether the largest come first
    found : the rows as they stand, unformatted
    """

    def __init__(self, finding: Finding):
        self.finding = finding
        columns = {str(name): label(str(name)) for name in finding.table}
        self.search = ipywidgets.Text(
            placeholder=say("a name, a stage, a deal; then Enter"), continuous_update=False
        )
        self.by = ipywidgets.Dropdown(
            options=[(say(AS_THEY_COME), ""), *((said, name) for name, said in columns.items())],
            description=say("Sort by"),
        )
        self.is_falling = ipywidgets.Checkbox(value=True, description=say("largest first"))
        self._shown = answer()
        moved = (self.search, self.by, self.is_falling)
        super().__init__([ipywidgets.HBox(moved), self._shown])
        for each in moved:
            each.observe(self._turn, names="value")
        self._turn()

    def _turn(self, _change: Any = None) -> None:
        named = self.finding.named
        if self.by.value:
            named = named.sort_values(
                self.by.value, ascending=not self.is_falling.value, kind="stable"
            )
        self.found = named[_holds(named, self.search.value.split())]
        shown = display.shown(self.found, self.finding.currency, MOST)
        self._shown.value = table(self._said, shown)

    def still(self) -> str:
        """The first of the rows as they stand, as HTML, folded."""
        return table(self._said, display.shown(self.found, self.finding.currency), is_folded=True)

    @property
    def _said(self) -> str:
        n, found = len(self.finding.table), len(self.found)
        if found < n:
            return say("{found} of {n} rows", found=number(found), n=number(n))
        return say("All {n} rows", n=number(n))


def rows(finding: Finding, counted: str = "", **where: Any) -> Rows:
    """Open all rows and columns of a finding; or, of one of its figures, the rows behind it.

    ``explore.rows(leaks)`` shows ``leaks.table``. ``explore.rows(leaks, rep="R03", stage="Demo")``
    shows the deals that figure counts, as ``leaks.rows(rep="R03", stage="Demo")`` gives them as a
    pandas table.

    Parameters
    ----------
    counted : the column that counts them, such as ``"n_open"``, where there are several
    where : which row of the table is meant, by its columns; ``rep`` is an id or a name

    Raises
    ------
    DataError
        See `Finding.rows`.
    """
    if not (counted or where):
        return Rows(finding)
    return Rows(replace(finding, table=finding.rows(counted, **where)))


def _holds(named: pd.DataFrame, words: list[str]) -> pd.Series:
    """Which rows hold all these words."""
    rows = named.astype("str").fillna("").itertuples(index=False)
    lines = pd.Series(map(" ".join, rows), index=named.index, dtype="str").str.casefold()
    found = pd.Series(True, index=named.index)
    for word in words:
        found &= lines.str.contains(word.casefold(), regex=False)
    return found
