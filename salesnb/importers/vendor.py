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
from salesnb.checks import value_faults
from salesnb.errors import DataError, Fault
from salesnb.importers import clock, draft, exported, names, objects, progress, several, target
from salesnb.importers.exported import Piece
from salesnb.importers.mapping import Plan
from salesnb.importers.privacy import Named, Privacy
from salesnb.importers.report import ImportReport, TableCount
from salesnb.importers.source import Source, Sources, named
from salesnb.importers.tables import Part
from salesnb.importers.values import Options

BY_NAME = ("pipedrive", "salesforce")  # of these no column is read that has no known name
# Where fields that a company added are read all the same, and how their names end.
OWN_FIELDS = {"salesforce": ("Account", "__c")}
WORDS = Path(__file__).parents[1] / "crm" / "words"
NAMES = {"hubspot": "HubSpot"}


@dataclass(frozen=True)
class Stated:
    """What can be stated where an export does not tell.

    as_of : the day of the export, ISO
    stages : the open stages in order
    record_type, pipeline : of several kinds of deals, the one to import
    currency : ISO 4217 code
    reading : decimal mark, order of day and month, time zone
    """

    as_of: str = ""
    stages: tuple[str, ...] = ()
    record_type: str = ""
    pipeline: str = ""
    currency: str = ""
    reading: Options = field(default_factory=Options)


@dataclass
class Made:
    """What a vendor makes of its objects.

    parts : what each object gives to each table
    stages : the open stages in order
    latest : the latest time in the export
    currency : ISO 4217 code, empty where the export does not tell
    said : what was decided, in sentences
    faults : what is wrong beyond single cells
    counts : the rows that fill columns of rows which come from elsewhere
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
    private: Privacy | None = None,
    update: bool = False,
) -> ImportReport:
    """Import the export of a vendor; see `salesnb.importers.run`."""
    start = door.must_exist(source, "file or folder")
    place = target.free(Path(dest), start, overwrite, private, update)
    with several.told_by_file() as pieces:
        # What was read is let go once the draft stands: a large export takes much memory.
        ready = _draft(vendor, make, start, encoding, stated, private, pieces)
        return draft.written(ready, place, overwrite, private, update)


def _read(
    vendor: str, start: Path, encoding: str, stated: Stated, pieces: dict[str, tuple[Piece, ...]]
) -> tuple[Sources, tuple[str, ...]]:
    """The objects of an export, and what is none; `pieces` gains the files of each.

    Raises `DataError` for options and files that cannot be read.
    """

    kind, end = OWN_FIELDS.get(vendor, ("", ""))

    def columns(table: str, name: str) -> bool:
        if vendor not in BY_NAME or objects.is_known(vendor, name) or several.is_needed(name):
            return True
        return bool(end) and name.endswith(end) and objects.is_called(vendor, kind, table)

    export = exported.read(start, encoding=encoding, columns=columns)
    recognised, others = objects.recognise(vendor, export.tables)
    found, apart = several.joined(recognised)
    if faults := [*_option_faults(vendor, stated), *export.faults, *apart]:
        raise DataError(faults)
    pieces |= {each.table.origin: each.table.pieces for each in found}
    sources = Sources(found, stated.reading)
    for each in sources.values():
        several.leave_out_repeated(each)
    return sources, (*map(str, others), *export.others)


def _draft(
    vendor: str,
    make: Callable[[Sources, Stated], Made],
    start: Path,
    encoding: str,
    stated: Stated,
    private: Privacy | None,
    pieces: dict[str, tuple[Piece, ...]],
) -> draft.Draft:
    """What the objects of an export are as a team."""
    sources, others = _read(vendor, start, encoding, stated, pieces)
    progress.tell("Telling what became of deals", progress.READ)
    made = make(sources, stated)
    if not made.parts:
        raise DataError(made.faults)
    own, as_of_from, own_faults = _settings(made, stated)
    plan = Plan(
        NAMES.get(vendor, vendor.title()), objects.ALIASES / f"{vendor}.toml", {}, (), {}, ()
    )
    used = {part.sheet.file: part.sheet for part in made.parts}
    used |= {s.table.origin: s.sheet() for s in sources.values() if _is_counted(s, made)}
    unused = [s.table.origin for s in sources.values() if s.table.origin not in used]
    unread = {s.table.origin: s.unused() for s in sources.values()}
    by_table: dict[str, list[Part]] = {}
    for part in made.parts:
        by_table.setdefault(part.block.table, []).append(part)
    return draft.Draft(
        plan,
        used,
        {name: by_table[name] for name in schema.MODELS if name in by_table},
        own,
        as_of_from,
        (*unused, *others),
        {name: left for name, left in unread.items() if name in used and left},
        said=(*made.said, *(each for s in sources.values() for each in s.said())),
        counts=tuple(made.counts),
        faults=(*made.faults, *own_faults, *(f for s in sources.values() for f in s.faults())),
        named=_named(sources, private),
        is_currency_told=bool(stated.currency or made.currency),
        are_stages_stated=bool(stated.stages),
    )


@cache
def words(vendor: str, section: str) -> Mapping[str, str]:
    """What each folded word of a vendor means, else that of any: ``{"closedwon": "won"}``."""
    found: dict[str, str] = {}
    for name in (vendor, objects.EVERYWHERE):
        raw = tomllib.loads((WORDS / f"{name}.toml").read_text(encoding="utf-8"))
        for meaning, known in raw.get(section, {}).items():
            for word in known:
                found.setdefault(objects.fold(word), meaning)
    return found


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


def told(
    made: Made, source: Source, name: str, known: Mapping[str, str], expected: str
) -> pd.Series:
    """What each value of a column means, missing where it is blank; others are faults."""
    values = source.text(name)
    found = meant(values, known)
    wrong = values[values.notna() & found.isna()]
    column = source.names.get(name, name)
    faults = value_faults(source.table.origin, column, wrong, expected)
    made.faults += [fault for fault in faults if fault not in made.faults]
    return found


def latest(columns: Iterable[tuple[Source, str]]) -> pd.Timestamp | None:
    """The latest time in several columns."""
    times = (source.time(name).max() for source, name in columns if source.has(name))
    return max((time for time in times if pd.notna(time)), default=None)


def now(made: Made, stated: Stated) -> pd.Timestamp | None:
    """The end of the day of the export."""
    day, _ = _as_of(made, stated)
    return None if day is None else pd.Timestamp(day) + pd.Timedelta(days=1)


def count(table: str, source: Source, kept: int, left_out: Mapping[str, int]) -> TableCount:
    """The rows of a source that fill columns of rows which come from elsewhere."""
    counts = dict(source.left_out + Counter(left_out))
    return TableCount(table, source.table.origin, source.n_read, kept, counts)


def known(values: pd.Series, ids: Iterable[str], what: str, said: list[str]) -> pd.Series:
    """References without those that lead nowhere, which is said."""
    is_strange = values.notna() & ~values.isin(list(ids))
    if n := int(is_strange.sum()):
        said.append(f"{what}: rows that name nothing in the data set: {n:,}; left blank there")
    return values.mask(is_strange)


def _named(sources: Sources, private: Privacy | None) -> Named:
    """Everybody and every company in the export, where names are to be found."""
    if private is None or private.key_file is None:
        return Named()
    every = [*sources.values()]
    return Named(frozenset(names.of_people(every)), frozenset(names.of_companies(every)))


def _is_counted(source: Source, made: Made) -> bool:
    return any(each.file == source.table.origin for each in made.counts)


def _settings(made: Made, stated: Stated) -> tuple[settings.Settings | None, str, list[Fault]]:
    currency = stated.currency or made.currency
    if not currency:
        made.said.append("the currency is not in the export: EUR stands in; --currency states it")
    day, where = _as_of(made, stated)
    if day is None:
        return None, "", [Fault("--as-of", "the day of the export: no column tells of changes")]
    raw = {"as_of": day, "timezone": stated.reading.timezone, "stages": list(made.stages)}
    raw["currency"] = currency or "EUR"
    faults = settings.check(raw)
    return (None, where, faults) if faults else (settings.of(raw), where, [])


def _as_of(made: Made, stated: Stated) -> tuple[date | None, str]:
    if stated.as_of:
        return date.fromisoformat(stated.as_of), "as stated"
    if made.latest is None or pd.isna(made.latest):
        return None, ""
    latest = clock.to_local(pd.Series([made.latest]), stated.reading.timezone)
    return latest.iloc[0].date(), "the latest change in the export"


def _option_faults(vendor: str, stated: Stated) -> list[Fault]:
    """What is wrong with the options, by their names at the command line."""
    raw: dict[str, Any] = {"timezone": stated.reading.timezone, "stages": list(stated.stages)}
    raw |= {"currency": stated.currency} if stated.currency else {}
    faults = [
        replace(fault, table=f"--{fault.column}", column="")
        for fault in settings.check({**raw, "as_of": date(2000, 1, 1)})
    ]
    try:
        date.fromisoformat(stated.as_of or "2000-01-01")
    except ValueError:
        faults.append(Fault("--as-of", "a day such as 2026-06-30", value=stated.as_of))
    other = "pipeline" if vendor == "salesforce" else "record_type"
    if getattr(stated, other):
        right = "--record-type" if vendor == "salesforce" else "--pipeline"
        option = f"--{other.replace('_', '-')}"
        faults.append(Fault(option, f"{right} in its place", value=getattr(stated, other)))
    return faults
