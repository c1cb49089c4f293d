"""The columns of one raw table as typed values, each read in the light of the others."""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial

import pandas as pd

from salesnb.errors import DataError, Fault, nearest
from salesnb.importers import amounts, days, values
from salesnb.importers.exported import RawTable
from salesnb.importers.values import Options, Values

TRIED = 1_000  # cells by which it is judged whether they repeat
SAMPLE = 20_000  # cells of another column that are looked at for a decimal mark or a day above 12


class Columns:
    """Reads columns of a table by name and gathers what was decided, mended and is wrong.

    A cell that can be read in two ways (``1,234``, ``03/04/2026``) is decided by its column, else
    by the other columns of the table, else by the options; else it is a fault that asks for one.
    A column that the table lacks is a `DataError`.
    """

    def __init__(self, table: RawTable, options: Options | None = None):
        self.table = table
        self.options = options or Options()
        self.said: list[str] = []
        self.faults: list[Fault] = []
        self.mended: dict[tuple[str, str], int] = {}

    def text(self, name: str) -> pd.Series:
        """A column of text, blanks missing."""
        return self._noted(
            name, _once(partial(values.text, origin=self.table.origin), self._cells(name))
        )

    def number(self, name: str) -> pd.Series:
        """A column of numbers, float64."""
        cells, origin = self._cells(name), self.table.origin
        elsewhere = self._elsewhere(name, "decimal")
        decimal = self.options.decimal
        read = partial(amounts.numbers, origin=origin, decimal=decimal, others=elsewhere)
        return self._noted(name, _once(read, cells))

    def flag(self, name: str) -> pd.Series:
        """A column of true and false, boolean."""
        return self._noted(
            name, _once(partial(values.flags, origin=self.table.origin), self._cells(name))
        )

    def day(self, name: str) -> pd.Series:
        """A column of days, datetime64 at midnight."""
        return self._time(name, is_day=True)

    def time(self, name: str) -> pd.Series:
        """A column of times in UTC, datetime64."""
        return self._time(name, is_day=False)

    def _time(self, name: str, is_day: bool) -> pd.Series:
        read = partial(
            days.times,
            origin=self.table.origin,
            options=self.options,
            others=self._elsewhere(name, "day_first"),
            is_day=is_day,
            is_1904=self.table.is_1904,
        )
        # On the clock of a place cells are counted that it showed twice.
        is_counted = not is_day and self.options.timezone != "UTC"
        cells = self._cells(name)
        return self._noted(name, read(cells) if is_counted else _once(read, cells))

    def _cells(self, name: str) -> pd.Series:
        if name not in self.table.rows:
            close = nearest(name, self.table.rows.columns)
            raise DataError([Fault(self.table.origin, "this column", name, nearest=close)])
        return self.table.rows[name]

    def _noted(self, name: str, found: Values) -> pd.Series:
        self.said += [each for each in found.said if each not in self.said]
        self.faults += [each for each in found.faults if each not in self.faults]
        for what, n in found.mended.items():
            self.mended[name, what] = n
        return found.values

    def _elsewhere(self, name: str, what: str) -> Callable:
        """What the other columns prove, where they agree."""

        def proved():  # asked for only where the column itself does not tell
            known = {proof for column, proof in getattr(self, f"_{what}").items() if column != name}
            known -= {"", None}
            return known.pop() if len(known) == 1 else ("" if what == "decimal" else None)

        return proved

    @cached_property
    def _decimal(self) -> dict[str, str]:
        return {name: amounts.decimal_of(cells) for name, cells in self._samples()}

    @cached_property
    def _day_first(self) -> dict[str, bool | None]:
        return {name: days.day_first_of(cells) for name, cells in self._samples()}

    def _samples(self):
        for rows in (self.table.rows, self.table.unread):
            for name in rows:
                yield name, rows[name].dropna().drop_duplicates().head(SAMPLE)


def _once(read: Callable[[pd.Series], Values], cells: pd.Series) -> Values:
    """What is read of a column; where its cells repeat, each different one is read once.

    Where cells are wrong or mended, all are read, so that each has its row and is counted; then too
    where cells prove contrary things, for those outvoted are wrong.
    """
    if cells.head(TRIED).nunique() > TRIED / 4:
        return read(cells)
    codes, different = pd.factorize(cells, use_na_sentinel=False)
    once = pd.Series(different, dtype=cells.dtype, name=cells.name)
    found = read(once)
    if found.faults or found.mended:
        return read(cells)
    if found.values.equals(once):
        return replace(found, values=cells)  # which takes no memory
    return replace(found, values=found.values.take(codes).set_axis(cells.index))
