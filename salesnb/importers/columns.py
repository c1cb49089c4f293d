"""The columns of one raw table as typed values, each read in the light of the others."""

from collections.abc import Callable
from functools import cached_property

import pandas as pd

from salesnb.errors import DataError, Fault, nearest
from salesnb.importers import amounts, days, values
from salesnb.importers.exported import RawTable
from salesnb.importers.values import Options, Values

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
        return self._noted(values.text(self._cells(name), self.table.origin))

    def number(self, name: str) -> pd.Series:
        """A column of numbers, float64."""
        cells, origin = self._cells(name), self.table.origin
        elsewhere = self._elsewhere(name, "decimal")
        return self._noted(amounts.numbers(cells, origin, self.options.decimal, elsewhere))

    def flag(self, name: str) -> pd.Series:
        """A column of true and false, boolean."""
        return self._noted(values.flags(self._cells(name), self.table.origin))

    def day(self, name: str) -> pd.Series:
        """A column of days, datetime64 at midnight."""
        return self._time(name, is_day=True)

    def time(self, name: str) -> pd.Series:
        """A column of times in UTC, datetime64."""
        return self._time(name, is_day=False)

    def _time(self, name: str, is_day: bool) -> pd.Series:
        found = days.times(
            self._cells(name),
            self.table.origin,
            self.options,
            self._elsewhere(name, "day_first"),
            is_day=is_day,
            is_1904=self.table.is_1904,
        )
        return self._noted(found)

    def _cells(self, name: str) -> pd.Series:
        if name not in self.table.rows:
            close = nearest(name, self.table.rows.columns)
            raise DataError([Fault(self.table.origin, "this column", name, nearest=close)])
        return self.table.rows[name]

    def _noted(self, found: Values) -> pd.Series:
        self.said += [each for each in found.said if each not in self.said]
        self.faults += [each for each in found.faults if each not in self.faults]
        for what, n in found.mended.items():
            self.mended[str(found.values.name), what] = n
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
        for name in self.table.rows:
            yield name, self.table.rows[name].dropna().drop_duplicates().head(SAMPLE)
