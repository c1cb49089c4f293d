"""What the importers of CRMs share: the objects of an export, with every row accounted for.

A vendor is a function from the objects of an export (`Sources`) and what was `Stated` to a `Made`.
"""

import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from salesnb import door, schema, settings
from salesnb.errors import DataError, Fault
from salesnb.history import look_up
from salesnb.importers import draft, exported, objects, target
from salesnb.importers.columns import Columns
from salesnb.importers.exported import RawTable
from salesnb.importers.mapping import Block, Column, Plan
from salesnb.importers.objects import Recognised
from salesnb.importers.report import ImportReport, TableCount
from salesnb.importers.sheets import Sheet
from salesnb.importers.tables import AGAIN, Part
from salesnb.importers.values import Options

WORDS = Path(__file__).parents[1] / "crm" / "words"


@dataclass(frozen=True)
class Stated:
    """What can be stated where an export does not tell.

    as_of : the day of the export, ISO
    stages : the open stages in order
    record_type : of several kinds of deals, the one to import
    currency : ISO 4217 code
    reading : decimal mark, order of day and month, time zone
    """

    as_of: str = ""
    stages: tuple[str, ...] = ()
    record_type: str = ""
    currency: str = ""
    reading: Options = field(default_factory=Options)


class Source:
    """One object of an export: its columns by API name, on the rows that are not left out.

    A column that the export lacks is missing in every row.
    """

    def __init__(self, found: Recognised, options: Options):
        self.table = found.table
        self.names = found.columns
        self.options = options
        self.rows = found.table.rows.index
        self.left_out = Counter(found.table.left_out)
        self.n_read = len(self.rows) + self.left_out.total()
        self._columns = Columns(found.table, options)
        self._known: dict[tuple[str, str], pd.Series] = {}
        self._within: list[Source] = []

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

    def within(self, stays: pd.Series, reason: str) -> "Source":
        """Some of the rows as a source of their own, the others left out for a reason."""
        found = Recognised(replace(self.table, rows=self.table.rows.loc[self.rows]), "", self.names)
        part = Source(found, self.options)
        part.left_out, part.n_read = Counter(self.left_out), self.n_read
        part.leave_out(~stays.fillna(False).astype(bool), reason)
        part._columns = Columns(
            replace(self.table, rows=self.table.rows.loc[part.rows]), self.options
        )
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
        return Sheet(table.origin, table.file, table.rows, self.n_read, {}, (), 0, said)

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


@dataclass
class Made:
    """What a vendor makes of its objects.

    parts : what each object gives to each table
    stages : the open stages in order
    latest : the latest time in the export
    currency : ISO 4217 code, empty where the export does not tell
    """

    parts: list[Part] = field(default_factory=list)
    stages: tuple[str, ...] = ()
    latest: pd.Timestamp | None = None
    currency: str = ""
    said: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    counts: list[TableCount] = field(default_factory=list)


def run(
    vendor: str,
    make: Callable[[Sources, Stated], Made],
    source: str | Path,
    dest: str | Path,
    *,
    stated: Stated,
    overwrite: bool = False,
    encoding: str = "",
) -> ImportReport:
    """Import the export of a vendor; see `salesnb.importers.run`."""
    start = door.must_exist(source, "file or folder")
    place = target.free(Path(dest), start, overwrite)
    export = exported.read(start, encoding=encoding)
    found, others = objects.recognise(vendor, export.tables)
    faults = [*_option_faults(stated), *export.faults, *_twice(found)]
    if faults:
        raise DataError(faults)
    sources = Sources(found, stated.reading)
    for each in sources.values():
        _leave_out_repeated(each)
    made = make(sources, stated)
    own, as_of_from, own_faults = _settings(made, stated)
    plan = Plan(vendor.title(), objects.ALIASES / f"{vendor}.toml", {}, (), {}, ())
    used = {part.sheet.file: part.sheet for part in made.parts}
    used |= {s.table.origin: s.sheet() for s in sources.values() if _is_counted(s, made)}
    unused = [s.table.origin for s in sources.values() if s.table.origin not in used]
    unread = {s.table.origin: s.unused() for s in sources.values()}
    by_table: dict[str, list[Part]] = {}
    for part in made.parts:
        by_table.setdefault(part.block.table, []).append(part)
    ready = draft.Draft(
        plan,
        used,
        {name: by_table[name] for name in schema.MODELS if name in by_table},
        own,
        as_of_from,
        (*unused, *map(str, others), *export.others),
        {name: left for name, left in unread.items() if name in used and left},
        said=(*made.said, *(each for s in sources.values() for each in s.said())),
        counts=tuple(made.counts),
        faults=(*made.faults, *own_faults, *(f for s in sources.values() for f in s.faults())),
    )
    return draft.written(ready, place, overwrite)


@cache
def words(vendor: str, section: str) -> Mapping[str, str]:
    """What each folded word of a vendor means: ``{"closedwon": "won"}``."""
    raw = tomllib.loads((WORDS / f"{vendor}.toml").read_text(encoding="utf-8"))[section]
    return {objects.fold(word): meaning for meaning, known in raw.items() for word in known}


def meant(values: pd.Series, known: Mapping[str, str], *, at_start: bool = False) -> pd.Series:
    """What each value means, as a whole or by its beginning, missing where it means nothing."""

    def one(value: str) -> str | None:
        folded = objects.fold(value)
        if folded in known or not at_start:
            return known.get(folded)
        parts = value.replace(":", " ").replace("-", " ").split()
        starts = (objects.fold(" ".join(parts[:n])) for n in (3, 2, 1))
        return next((known[start] for start in starts if start in known), None)

    return named(values, {value: one(value) for value in values.dropna().unique()})


def named(values: pd.Series, names: Mapping[str, str | None]) -> pd.Series:
    """What stands for each value, missing where nothing does."""
    return look_up(values, pd.Series(names, dtype="str"))


def id_of(source: Source, id_name: str, name: str, by_name: Mapping[str, str]) -> pd.Series:
    """The id in one column, else that of the name in the other, else the name."""
    names = source.text(name)
    return source.text(id_name).fillna(named(names, by_name)).fillna(names)


def now(made: Made, stated: Stated) -> pd.Timestamp | None:
    """The end of the day of the export."""
    day = pd.Timestamp(stated.as_of) if stated.as_of else made.latest
    return None if day is None else day.normalize() + pd.Timedelta(days=1)


def count(table: str, source: Source, kept: int, left_out: Mapping[str, int]) -> TableCount:
    """The rows of a source that fill columns of rows which come from elsewhere."""
    counts = dict(source.left_out + Counter(left_out))
    return TableCount(table, source.table.origin, source.n_read, kept, counts)


def known(values: pd.Series, ids: Iterable[str], what: str, said: list[str]) -> pd.Series:
    """References without those that lead nowhere, which is said."""
    is_strange = values.notna() & ~values.isin(list(ids))
    if n := int(is_strange.sum()):
        said.append(f"{what} names nothing in the data set in {n:,} rows: left blank")
    return values.mask(is_strange)


def _twice(found: Iterable[Recognised]) -> list[Fault]:
    names: dict[str, list[str]] = {}
    for each in found:
        names.setdefault(each.object, []).append(each.table.origin)
    expected = "one table of this object: put the rows of several into one file"
    return [
        Fault(name, expected, value=" and ".join(origins))
        for name, origins in names.items()
        if len(origins) > 1
    ]


def _leave_out_repeated(source: Source) -> None:
    """Rows that repeat an earlier one word for word, told by their id first."""
    id_column = next((source.names[name] for name in ("Id", "id") if source.has(name)), "")
    if not id_column:
        return
    rows = source.table.rows
    again = rows[rows.duplicated(id_column, keep=False) & rows[id_column].notna()]
    source.leave_out(again.duplicated(), AGAIN)


def _is_counted(source: Source, made: Made) -> bool:
    return any(each.file == source.table.origin for each in made.counts)


def _settings(made: Made, stated: Stated) -> tuple[settings.Settings | None, str, list[Fault]]:
    raw: dict[str, Any] = {"timezone": stated.reading.timezone, "stages": list(made.stages)}
    raw["currency"] = stated.currency or made.currency or "EUR"
    if not (stated.currency or made.currency):
        made.said.append("the currency is not in the export: EUR stands in; --currency states it")
    day, where = _as_of(made, stated)
    faults = settings.check({**raw, **({"as_of": day} if day else {})})
    return (None, where, faults) if faults else (settings.of({**raw, "as_of": day}), where, [])


def _as_of(made: Made, stated: Stated) -> tuple[date | None, str]:
    if stated.as_of:
        return date.fromisoformat(stated.as_of), "as stated"
    if made.latest is None or pd.isna(made.latest):
        return None, ""
    return made.latest.date(), "the latest change in the export"


def _option_faults(stated: Stated) -> list[Fault]:
    raw: dict[str, Any] = {"timezone": stated.reading.timezone, "stages": list(stated.stages)}
    raw |= {"currency": stated.currency} if stated.currency else {}
    try:
        day, faults = date.fromisoformat(stated.as_of or "2000-01-01"), []
    except ValueError:
        faults = [Fault("--as-of", "a day such as 2026-06-30", value=stated.as_of)]
        day = date(2000, 1, 1)
    return [*faults, *settings.check({**raw, "as_of": day})]
