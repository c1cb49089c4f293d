"""The objects of an export, their columns by API name, with every row accounted for."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from salesnb import schema
from salesnb.errors import Fault
from salesnb.history import look_up
from salesnb.importers.columns import Columns
from salesnb.importers.exported import RawTable
from salesnb.importers.mapping import Block, Column
from salesnb.importers.objects import Recognised
from salesnb.importers.sheets import Sheet
from salesnb.importers.tables import Part
from salesnb.importers.values import Options


class Source:
    """One object of an export: its columns by API name, on the rows that are not left out.

    A column that the export lacks is missing in every row.
    """

    def __init__(self, found: Recognised, options: Options):
        self.table = found.table
        self.object = found.object
        self.names = found.columns
        self.options = options
        self.rows = found.table.rows.index
        self.left_out = Counter(found.table.left_out)
        self.n_read = len(self.rows) + self.left_out.total()
        self._columns = Columns(found.table, options)
        self._known: dict[tuple[str, str], pd.Series] = {}
        self._mended: set[tuple[str, str]] = set()
        self._within: list[Source] = []

    def also(self, names: Mapping[str, str]) -> None:
        """Give further columns of the table names to read them by."""
        self.names = {**self.names, **names}

    def read_by(self, options: Options) -> None:
        """Read the columns by other options; before the first is read."""
        self.options = options
        self._columns = Columns(self.table, options)

    def has(self, *names: str) -> bool:
        """Whether the export has all these columns."""
        return all(name in self.names for name in names)

    def text(self, name: str) -> pd.Series:
        """A column of text."""
        return self._typed("text", name)

    def number(self, name: str) -> pd.Series:
        """A column of numbers, float64."""
        return self._typed("number", name)

    def flag(self, name: str) -> pd.Series:
        """A column of true and false, boolean."""
        return self._typed("flag", name)

    def day(self, name: str) -> pd.Series:
        """A column of days, datetime64 at midnight."""
        return self._typed("day", name)

    def time(self, name: str) -> pd.Series:
        """A column of times in UTC, datetime64."""
        return self._typed("time", name)

    def leave_out(self, goes: pd.Series, reason: str) -> None:
        """Leave out rows for a reason; rows of which nothing is known stay."""
        goes = goes.reindex(self.rows).fillna(False).astype(bool)
        if n := int(goes.sum()):
            self.left_out[reason] += n
            self.rows = self.rows[~goes.to_numpy()]

    def mend(self, name: str, new: Mapping[str, str]) -> None:
        """Put other values in place of some of a column, under the same meaning."""
        found = self.text(name)
        self._known["text", name] = named(found, new).fillna(found)
        self._mended.add(("text", name))

    def within(self, stays: pd.Series, reason: str) -> "Source":
        """Some of the rows as a source of their own, the others left out for a reason."""
        found = Recognised(replace(self.table, rows=self.table.rows.loc[self.rows]), "", self.names)
        part = Source(found, self.options)
        part.left_out, part.n_read = Counter(self.left_out), self.n_read
        part.leave_out(~stays.fillna(False).astype(bool), reason)
        part._columns = Columns(
            replace(self.table, rows=self.table.rows.loc[part.rows]), self.options
        )
        part._known.update((key, self._known[key]) for key in self._mended)
        self._within.append(part)
        return part

    def part(
        self,
        table: str,
        columns: Mapping[str, pd.Series],
        places: Mapping[str, str],
        left_out: Mapping[str, int] | None = None,
    ) -> Part:
        """What these rows give to a table.

        `columns` are those of the table, all under the same row numbers of the source; `places`
        say which column of the source each is from; `left_out` counts rows of the source that
        are not among them.
        """
        named = {n: Column((self.names[api],)) for n, api in places.items() if self.has(api)}
        block = Block(table, self.table.origin, named)
        counts = dict(self.left_out + Counter(left_out or {}))
        return Part(block, self.sheet(), pd.DataFrame(dict(columns)), counts)

    def sheet(self) -> Sheet:
        """The table as the report and the manifest name it."""
        table = self.table
        said = tuple(f"{table.origin}: {each}" for each in table.said)
        return Sheet(
            table.origin,
            table.file,
            table.rows,
            self.n_read,
            left_out={},
            mended=(),
            said=said,
            pieces=table.pieces,
        )

    def unused(self) -> tuple[str, ...]:
        """The columns of the export that nobody asked for."""
        read = self._read()
        return tuple(str(name) for name in self.table.rows if name not in read)

    def _read(self) -> set[str]:
        own = {self.names[name] for _, name in self._known if self.has(name)}
        return own.union(*(part._read() for part in self._within))

    def said(self) -> list[str]:
        """What was decided and mended in reading."""
        origin = self.table.origin
        said = [f"{origin}, {each}" for each in self._columns.said]
        for (column, what), n in self._columns.mended.items():
            said.append(f"{origin}, {column}: {what} in {'1 row' if n == 1 else f'{n:,} rows'}")
        return said + [each for part in self._within for each in part.said()]

    def faults(self) -> list[Fault]:
        """What is wrong in the rows that are not left out."""
        here = set(self.rows)
        found = [
            replace(fault, rows=tuple(row for row in fault.rows if row in here))
            for fault in self._columns.faults
        ]
        found = [fault for fault in found if fault.rows]
        return found + [each for part in self._within for each in part.faults()]

    def _typed(self, kind: str, name: str) -> pd.Series:
        if (kind, name) not in self._known:
            dtype: Any = schema.DTYPES["time" if kind == "day" else kind]
            self._known[kind, name] = (
                getattr(self._columns, kind)(self.names[name])
                if self.has(name)
                else pd.Series(index=self.table.rows.index, dtype=dtype)
            )
        return self._known[kind, name].loc[self.rows]


class Sources(dict[str, Source]):
    """The objects of an export by name; one that it lacks has no columns and no rows."""

    def __init__(self, found: Iterable[Recognised], options: Options):
        super().__init__((each.object, Source(each, options)) for each in found)
        self.options = options

    def __missing__(self, name: str) -> Source:
        table = RawTable(name, name, pd.DataFrame(), Path())
        return Source(Recognised(table, name, {}), self.options)


def named(values: pd.Series, names: Mapping[str, str | None]) -> pd.Series:
    """What stands for each value, missing where nothing does."""
    return look_up(values, pd.Series(names, dtype="str"))


def id_of(source: Source, id_name: str, name: str, by_name: Mapping[str, str]) -> pd.Series:
    """The id in one column, else that of the name in the other, else the name."""
    names = source.text(name)
    return source.text(id_name).fillna(named(names, by_name)).fillna(names)


def by_name(names: pd.Series, ids: pd.Series) -> dict[str, str]:
    """The id for each name that only one row has."""
    one = names[names.notna() & ~names.duplicated(keep=False)]
    return dict(zip(one, ids[one.index], strict=True))
