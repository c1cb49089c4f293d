"""A team whose tables are in an engine: checked there, and read only as far as they are asked for.

Of what looks wrong the rows are read and judged by `checks`, as those of a file are.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import ibis
import pandas as pd

from salesnb import checks, comp_plan, database, door, schema, slices, suspects, typed
from salesnb import settings as own_settings
from salesnb.cells import day
from salesnb.comp_plan import Plans
from salesnb.database import Address
from salesnb.dataset import Extent, contents
from salesnb.errors import DataError, Fault
from salesnb.finding import Finding
from salesnb.settings import Settings
from salesnb.slices import Slice
from salesnb.team import Team

NO_SETTINGS = (
    "the tables do not say as_of, the day of the export, or the stages: add ?settings=team.toml to "
    "the address, or settings='team.toml' to salesnb.load"
)


@dataclass(frozen=True)
class Source:
    """Tables in an engine, what the team says of itself, and what is wrong with that."""

    tables: Mapping[str, ibis.Table]
    settings: Settings | None
    plans: Plans
    faults: tuple[Fault, ...]


def load(
    place: Path | Address,
    *,
    reps: Iterable[str] | None = None,
    region: str | None = None,
    since: str | pd.Timestamp | None = None,
    settings: str | Path | None = None,
    instead: Mapping[str, Path] | None = None,
) -> Team:
    """A team, or a slice of it, from a database or from files; see `dataset.load`."""
    first = None if since is None else day(str(since), "since")
    with opened(place, settings, instead) as source:
        asked = Slice(_ids(source, reps, region), first)
        faults = _faults_beside_rows(source)
        part = slices.of(source.tables, asked) if _has_required(source) else source.tables
        raw = {name: door.numbered(table) for name, table in part.items()}
        tables, found = checks.check_tables(raw, source.settings, whole=asked.is_whole)
        if not asked.is_whole:
            found += _reference_faults(source, tables)
    faults += [_by_id(fault, raw) for fault in found]
    if faults or source.settings is None:
        raise DataError(faults)
    return Team(replace(source.settings, plans=source.plans), tables)


def check(place: Address) -> Finding:
    """What `dataset.check` says, found out by the engine: no table is read."""
    with opened(place) as source:
        faults = _faults_beside_rows(source)
        faults += _suspect_faults(source) if _has_required(source) else []
        if faults or source.settings is None:
            raise DataError(faults)
        own = source.settings
        return contents(own, [_extent(name, table) for name, table in source.tables.items()])


def _extent(name: str, table: ibis.Table) -> Extent:
    dated = schema.DATED_BY.get(name)
    days = typed.value(name, table, dated) if dated else ibis.null("timestamp")
    known = table.select(day=days)
    found = known.aggregate(n=known.count(), first=known["day"].min(), last=known["day"].max())
    row = found.to_pyarrow().to_pylist()[0]
    first, last = pd.Series([row["first"], row["last"]], dtype="datetime64[us]").dt.normalize()
    return name, row["n"], first, last


@contextmanager
def opened(
    place: Path | Address,
    settings: str | Path | None = None,
    instead: Mapping[str, Path] | None = None,
) -> Iterator[Source]:
    """What a place holds, to be read while the block runs.

    Raises `DataError` for a place that cannot be read, and for files `instead` of a database's
    tables.
    """
    if isinstance(place, Path):
        with door.lazily(place, instead) as (tables, faults):
            yield _with_settings(tables, Path(settings or place), faults)
        return
    if instead:
        raise DataError(f"instead={[*instead]} is for a folder; {place.name} is a database.")
    told = Path(settings).resolve() if settings else Path(place.settings)
    if not (settings or place.settings):
        raise DataError(f"{place.engine}://{place.name}: {NO_SETTINGS}.")
    with database.opened(place) as tables:
        odd = [fault for name, table in tables.items() for fault in typed.odd(name, table)]
        yield _with_settings(tables, told, odd)


def _with_settings(
    tables: Mapping[str, ibis.Table], place: Path, faults: Iterable[Fault]
) -> Source:
    own, own_faults = own_settings.read(place)
    tables = {name: tables[name] for name in schema.MODELS if name in tables}
    plans, plan_faults = comp_plan.read(place)
    return Source(tables, own, plans, (*own_faults, *plan_faults, *faults))


def _ids(source: Source, reps: Iterable[str] | None, region: str | None) -> tuple[str, ...] | None:
    """The ids of the reps that are meant; of the others nothing is read, if all are found."""
    if reps is None and region is None:
        return None
    if "reps" not in source.tables:
        raise DataError(source.faults)
    named = None if reps is None else [str(rep) for rep in reps]
    regions = None if region is None else [region]
    people = typed.table("reps", source.tables["reps"]).select("rep_id", "name", "region")
    meant = [] if named is None else [people["rep_id"].isin(named) | people["name"].isin(named)]
    meant += [] if region is None else [people["region"] == region]
    try:
        return _only(people.filter(meant), named, regions)
    except DataError:
        return _only(people, named, regions)  # which says who is known instead


def _only(
    people: ibis.Table, named: list[str] | None, regions: list[str] | None
) -> tuple[str, ...]:
    frame = checks.as_typed("reps", door.numbered(people))[0]
    team = Team(Settings(pd.Timestamp(0)), {"reps": frame, "deals": schema.empty("deals")})
    return tuple(team.only(reps=named, regions=regions).reps["rep_id"])


def _has_required(source: Source) -> bool:
    return set(schema.REQUIRED_TABLES) <= set(source.tables)


def _faults_beside_rows(source: Source) -> list[Fault]:
    """What is wrong with the files, the settings, and the names in plans of pay."""
    named = comp_plan.name_faults(source.plans, _named(source)) if _has_required(source) else []
    return [*source.faults, *named]


def _suspect_faults(source: Source) -> list[Fault]:
    """Every fault of the rows, each named by what its first column says; no sound row is read."""
    suspect = suspects.of(source.tables, source.settings)
    raw = {name: door.numbered(rows) for name, rows in suspect.items()}
    keys = {f"{other}.{key}": _keys(source, other, key) for other, key in _targets(source, raw)}
    _, faults = checks.check_tables(raw, source.settings, keys=keys)
    return [_by_id(fault, raw) for fault in faults]


def _reference_faults(source: Source, tables: Mapping[str, pd.DataFrame]) -> list[Fault]:
    """Rows of a slice that name what even the whole does not have."""
    numbered = {name: t.set_axis(range(1, len(t) + 1)) for name, t in tables.items()}
    keys = {
        f"{other}.{key}": _keys_of_slice(source, tables, other, key)
        for other, key in _targets(source, tables)
    }
    return checks.reference_faults(numbered, keys)


def _targets(source: Source, rows: Mapping[str, pd.DataFrame]) -> set[tuple[str, str]]:
    """The tables and keys that these rows may refer to."""
    return {
        target
        for name, table in rows.items()
        for target in schema.references(name).values()
        if len(table) and target[0] in source.tables
    }


def _keys_of_slice(
    source: Source, tables: Mapping[str, pd.DataFrame], name: str, key: str
) -> set[str] | None:
    """What a slice refers to and is there; all that is there where something is not."""
    if key not in source.tables[name].columns:
        return None
    own = set(tables[name][key].dropna())
    referring = (
        table[column].dropna().unique()
        for other, table in tables.items()
        for column, target in schema.references(other).items()
        if target == (name, key)
    )
    outside = {each for values in referring for each in values} - own
    if not outside:
        return own
    ids = typed.bare(name, source.tables[name], key)
    there = source.tables[name].filter(ids.isin(sorted(outside))).select(key).distinct()
    known = own | set(checks.as_typed(name, door.numbered(there))[0][key].dropna())
    return known if outside <= known else _keys(source, name, key)


def _keys(source: Source, name: str, key: str) -> set[str] | None:
    """What a key column says; None without such a column, which is a fault of its own."""
    table = source.tables[name]
    if key not in table.columns:
        return None
    raw = door.numbered(table.select(key).distinct())
    return set(checks.as_typed(name, raw)[0][key].dropna())


def _named(source: Source) -> dict[str, pd.DataFrame]:
    """Of the products, deals and reps that plans of pay name, those that there are."""
    meant: dict[str, set[str]] = {}
    for name, _, _, words in comp_plan.names(source.plans):
        meant[name] = meant.get(name, set()) | set(words)
    found = {}
    for name in [name for name in meant if name in source.tables]:
        rows = typed.table(name, source.tables[name])
        key = rows.columns[0]
        found[name] = door.numbered(rows.filter(rows[key].isin(sorted(meant[name]))).select(key))
    return found


def _by_id(fault: Fault, raw: Mapping[str, pd.DataFrame]) -> Fault:
    """A fault that names its rows as a database can: by what stands in their first column."""
    if not fault.rows or fault.table not in raw:
        return fault
    rows = raw[fault.table].loc[list(fault.rows)]
    ids = rows.get(next(iter(schema.columns(fault.table))), pd.Series([pd.NA] * len(rows)))
    said = ids.astype("str").fillna("without an id")
    return replace(fault, rows=(), ids=tuple(dict.fromkeys(said)))
