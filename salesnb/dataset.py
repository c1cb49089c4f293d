"""A data set, in a folder or a database: loaded as a team, or told with every fault."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from salesnb import comp_plan, door, schema, settings, units
from salesnb.checks import check_tables
from salesnb.database import Address
from salesnb.errors import DataError
from salesnb.finding import Finding
from salesnb.history import among
from salesnb.language import say, to_say
from salesnb.once import once
from salesnb.settings import Settings
from salesnb.team import Team

Extent = tuple[str, int, pd.Timestamp, pd.Timestamp]  # table, rows, first and last day
# Where somebody at work leaves a trace, and the day of it.
TRACES = [("deals", "created_on"), ("deals", "closed_on"), ("activities", "happens_at")]
TRACES += [("stage_changes", "entered_at")]
SILENT_MONTHS, NAMED = 6, 8
to_say("n rows")  # the column that counts them

_ready: dict[str, tuple[Any, Team]] = {}


def keep(source: str | Path) -> Team:
    """Load a team and have it ready for whoever loads it again in this process.

    As long as its files are the same; they are looked at each time. A database is read but once:
    what it is asked meanwhile, it would answer from another moment. Raises as `load`.
    """
    place = door.address(source)[0]
    seen = _state(place)
    team = _whole(place, None)
    team.key  # noqa: B018 - worked out now, for all
    _ready[door.located(place)] = (seen, team)
    part = load(source)
    part.fingerprint  # noqa: B018
    return part


def _state(place: Path | Address) -> list[tuple[str, int, int]]:
    """What tells that no file of a folder was written to."""
    if isinstance(place, Address):
        return []
    about = [(path.name, path.stat()) for path in place.iterdir() if path.is_file()]
    return sorted((name, each.st_size, each.st_mtime_ns) for name, each in about)


def load(
    source: str | Path,
    *,
    reps: Iterable[str] | None = None,
    region: str | None = None,
    since: str | pd.Timestamp | None = None,
    settings: str | Path | None = None,
    instead: Mapping[str, Path] | None = None,
) -> Team:
    """Load a team from a folder or a database.

    A folder holds ``team.toml`` and one CSV or Parquet file per table; ``comp.toml`` beside them,
    where there is one, says how the team is paid. ``folder?region=North`` is a part of the team,
    see `Team.part`. A database is named by an address, ``postgres://user@host/sales``: see
    docs/databases.md.

    Parameters
    ----------
    reps, region : only these reps, by id or name, or those of a region; other rows are not read
    since : a day; what had ended before is not read (see `slices.UNTIL`), a deal comes with all
        of its history
    settings : the ``team.toml`` to take, or its folder; by default that in the folder, beside the
        file of a DuckDB database, or the one the address names (``?settings=team.toml``)
    instead : files that stand in the place of a table's own in a folder; a database takes none

    Raises
    ------
    DataError
        With every fault of every table at once: table, rows, column, value found, value
        expected, nearest known name. Nothing is dropped or repaired. Of a slice, its own rows.
    """
    place, part = door.address(source)
    if any(option is not None for option in (reps, region, since, settings)):
        from salesnb import remote

        team = remote.load(
            place, reps=reps, region=region, since=since, settings=settings, instead=instead
        )
    else:
        team = _whole(place, instead)
    for column, value in part.items():
        team = _part(team, column, value)
    return team


@once
def _part(team: Team, column: str, value: str) -> Team:
    return team.part(column, value)


def _whole(place: Path | Address, instead: Mapping[str, Path] | None) -> Team:
    ready = _ready.get(door.located(place))
    if ready and instead is None and ready[0] == _state(place):
        return ready[1]
    if isinstance(place, Address):
        from salesnb import remote

        return remote.load(place, instead=instead)
    return _from_files(place, instead)


def _from_files(folder: Path, instead: Mapping[str, Path] | None) -> Team:
    own_settings, faults = settings.read(folder)
    raw, file_faults = door.read(folder, instead)
    tables, table_faults = check_tables(raw, own_settings)
    plans, plan_faults = comp_plan.read(folder)
    faults += plan_faults + comp_plan.name_faults(plans, tables)
    if faults or file_faults or table_faults or own_settings is None:
        raise DataError([*faults, *file_faults, *table_faults])
    known = {name: tables[name] for name in schema.MODELS if name in tables}
    return Team(replace(own_settings, plans=plans), known)


def check(source: str | Path) -> Finding:
    """Is this data set sound, and what does it hold?

    Returns
    -------
    Finding
        One row per table:

        table, n_rows
        first_on, last_on : the days its rows span; blank for tables that are no log

    Raises
    ------
    DataError
        With every fault of every table at once, as `load`.
    """
    place, part = door.address(source)
    if isinstance(place, Address) and not part:
        from salesnb import remote

        return remote.check(place)
    team = load(source)
    rows = [_extent(name, team) for name in schema.MODELS if team.has(name)]
    found = contents(team.settings, rows)
    return replace(found, caveats=(*found.caveats, *_silent(team)))


def _silent(team: Team) -> list[str]:
    """Reps of whom nothing is on record lately, although nobody says that they have left."""
    if not team.settings.is_dated:
        return []
    since = team.as_of - pd.DateOffset(months=SILENT_MONTHS)
    lately = [
        table.loc[table[day].gt(since), "rep_id"]
        for name, day in TRACES
        for table in (team.tables.get(name),)
        if table is not None
    ]
    reps = team.reps
    is_here = reps["left_on"].isna() & ~reps["hired_on"].gt(since)
    names = reps.loc[is_here & ~among(reps["rep_id"], pd.concat(lately)), "name"]
    if names.empty:
        return []
    more = len(names) - NAMED
    shown = [*names.head(NAMED), *([say("{n} more", n=more)] if more > 0 else [])]
    return [
        say(
            "Nothing is on record of {names} in the last {months} months: whoever has left needs a "
            "day in left_on of the table reps, or counts as somebody who sells nothing.",
            names=units.listed(shown),
            months=SILENT_MONTHS,
        )
    ]


def contents(own: Settings, rows: list[Extent]) -> Finding:
    """The finding of `check`, from what is known of each table."""
    table = pd.DataFrame(rows, columns=["table", "n_rows", "first_on", "last_on"])
    lacking = [name for name in schema.MODELS if name not in set(table["table"])]
    names, n, day = ", ".join(lacking), len(table), units.day(own.as_of)
    caveats = [say("Not in this data set: {tables}.", tables=names)] if lacking else []
    caveats += [] if own.is_dated else [say("The days of deals are made up.")]
    return Finding(
        say("{team}: {n} tables as of {day}, no fault found.", team=own.name, n=n, day=day),
        table,
        caveats=tuple(caveats),
    )


def _extent(name: str, team: Team) -> Extent:
    table = team.tables[name]
    dated = table.get(schema.DATED_BY.get(name, ""), pd.Series(dtype="datetime64[us]"))
    days = dated.dt.normalize()
    return name, len(table), days.min(), days.max()
