"""What was read of an export, on its way into a folder: checked as a whole, written as a whole."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from salesnb import door, logbook, saved, schema
from salesnb.checks import check_tables
from salesnb.errors import DataError, Fault
from salesnb.importers import privacy, progress, tables, target, update
from salesnb.importers import report as reports
from salesnb.importers.mapping import Plan
from salesnb.importers.privacy import Hidden, Named, Privacy
from salesnb.importers.report import ImportReport, TableCount
from salesnb.importers.sheets import Sheet
from salesnb.importers.tables import Estimated, Part, Spellings
from salesnb.settings import Settings
from salesnb.team import Team


@dataclass(frozen=True, eq=False)
class Draft:
    """A team before it is checked.

    plan, sheets, parts : by what, from which tables, into which tables
    settings : the team's settings, missing where there is a fault in them
    as_of_from : where the day of the export comes from
    unused : tables of the export that no table comes from
    unused_columns : columns that were not read, by table, where the plan does not tell
    spellings : by column of ids, the name that each was made from
    said : what was decided
    counts : rows that fill columns of rows that come from elsewhere
    faults : what is wrong already
    named : names in the export beside those in its tables
    is_currency_told : whether the export or somebody states the currency
    are_stages_stated : whether somebody states the stages, whatever the export tells
    """

    plan: Plan
    sheets: Mapping[str, Sheet]
    parts: Mapping[str, list[Part]]
    settings: Settings | None
    as_of_from: str
    unused: tuple[str, ...] = ()
    unused_columns: reports.Names | None = None
    spellings: Spellings = field(default_factory=dict)
    said: tuple[str, ...] = ()
    counts: tuple[TableCount, ...] = ()
    faults: tuple[Fault, ...] = ()
    named: Named = field(default_factory=Named)
    is_currency_told: bool = True
    are_stages_stated: bool = False


def written(
    draft: Draft,
    place: Path,
    overwrite: bool = False,
    private: Privacy | None = None,
    is_update: bool = False,
) -> ImportReport:
    """The draft as a data set at `place`, whole or not at all.

    With `is_update` an earlier import there is brought up to date, see `update`. Raises `DataError`
    with every fault of the draft and of its tables, in the words of the export.
    """
    private = private or Privacy()
    key = private.key(place)
    progress.tell("Checking", progress.MADE)
    team, estimated = _checked(draft)
    progress.tell("Writing", progress.CHECKED)
    team, hidden = privacy.applied(team, private, key, draft.named)
    report = reports.of(
        draft.plan,
        place,
        team,
        draft.as_of_from,
        draft.sheets,
        draft.unused,
        draft.parts,
        estimated,
    )
    if draft.unused_columns is not None:
        report = replace(report, unused_columns=draft.unused_columns)
    report = replace(
        report,
        tables=(*report.tables, *draft.counts),
        decided=tuple(dict.fromkeys([*report.decided, *draft.said, *hidden.said])),
    ).in_other_words(hidden.told)
    if is_update and target.is_there(place):
        report = _updated(draft, place, report, hidden)
    else:
        with door.whole(place, replace=overwrite) as aside:
            saved.write(team.settings, team.tables, aside)
            target.sign(aside, draft.plan, draft.sheets, report, hidden)
    if key is not None:
        key.keep()
    return report


def _updated(draft: Draft, place: Path, report: ImportReport, hidden: Hidden) -> ImportReport:
    """The data set at a place brought up to date, while nobody else writes to it."""
    with logbook.alone(place):
        before = update.of(place, report.mapping, hidden.withheld)
        team, changed = update.merged(
            before,
            report.team,
            is_currency_told=draft.is_currency_told,
            are_stages_stated=draft.are_stages_stated,
        )
        with door.whole(place, replace=True) as aside:
            team = update.fill(aside, before, team, report.team.tables)
            report = replace(report, team=team, changed=tuple(changed))
            target.sign(aside, draft.plan, draft.sheets, report, hidden, before.touched)
    return report


def _checked(draft: Draft) -> tuple[Team, tuple[Estimated, ...]]:
    """The team, and what was estimated in it; or every fault."""
    frames, estimated = tables.joined(draft.plan, draft.parts)
    typed, found = check_tables(frames, draft.settings)
    at_source = [
        each
        for fault in found
        for said in tables.at_source(fault, draft.parts, draft.spellings)
        for each in _not_again(said, draft.faults)
    ]
    if not (draft.faults or at_source):  # else that is why
        at_source += _without_deals(draft.parts.get("deals", []))
    if draft.settings is None or draft.faults or at_source:
        raise DataError([*draft.faults, *at_source])
    return Team(draft.settings, _in_order(typed)), estimated


def _without_deals(parts: list[Part]) -> Iterator[Fault]:
    """That there is no deal, and what became of the rows that could have been one."""
    if any(len(part.frame) for part in parts):
        return
    for part in parts:
        said = [f"{n:,} left out ({reason})" for reason, n in part.left_out.items() if n]
        why = ", ".join(said) or "there is none under the header"
        yield Fault(part.sheet.file, f"a deal in some row: {why}")


def _not_again(fault: Fault, before: Iterable[Fault]) -> Iterator[Fault]:
    """A fault of cells that are blank, without those that are so for being wrong."""
    if fault.value or not fault.rows:
        yield fault
        return
    column = fault.column.partition(" (")[0]
    known = {row for f in before if (f.table, f.column) == (fault.table, column) for row in f.rows}
    rows = tuple(row for row in fault.rows if row not in known)
    if rows:
        yield replace(fault, rows=rows)


def _in_order(typed: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {name: typed[name] for name in schema.MODELS if name in typed}
