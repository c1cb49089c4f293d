"""Fewer rows than a data set has: of some reps, of a region, since a day. As Ibis expressions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import ibis
import pandas as pd

from salesnb import typed

# The last day on which a row still matters, where that is known: periods until they end, a deal
# until it is closed. Tables that follow others, or describe, have none.
UNTIL = {
    "deals": "closed_on",
    "activities": "happens_at",
    "quotas": "ends_on",
    "absences": "ends_on",
    "goals": "ends_on",
    "assessments": "assessed_on",
    "attendance": "completed_on",
    "onboarding": "due_on",
    "coaching": "held_on",
    "ideas": "raised_on",
}
OF_DEALS = ("deal_lines", "stage_changes", "close_date_changes")


@dataclass(frozen=True)
class Slice:
    """What is asked of a data set.

    reps : ids of reps; None for all
    since : rows that ended before this day are left out, see `UNTIL`; None for none
    """

    reps: tuple[str, ...] | None = None
    since: pd.Timestamp | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all rows are asked for."""
        return self.reps is None and self.since is None


def of(tables: Mapping[str, ibis.Table], asked: Slice) -> dict[str, ibis.Table]:
    """The rows of each table that belong to a slice.

    Those of the reps, and not ended before `since`. A deal keeps its whole history: its lines,
    stages and close dates come with it, with earlier owners outside the slice left blank. Accounts
    are those that the deals and activities name; products, goals and courses are the company's.
    """
    if asked.is_whole:
        return dict(tables)
    own = {name: _own(name, table, asked) for name, table in tables.items()}
    for name in OF_DEALS:
        if name in own:
            own[name] = _referring(name, own[name], "deal_id", [own["deals"]])
    if "stage_changes" in own and "rep_id" in own["stage_changes"].columns:
        own["stage_changes"] = _blank_owners(own["stage_changes"], asked.reps)
    if "accounts" in own:
        naming = {name: own[name] for name in ("deals", "activities") if name in own}
        ids = [_column(name, table, "account_id") for name, table in naming.items()]
        own["accounts"] = _among("accounts", own["accounts"], "account_id", ids)
    return own


def _own(name: str, table: ibis.Table, asked: Slice) -> ibis.Table:
    if asked.reps is not None and "rep_id" in table.columns and name not in OF_DEALS:
        table = table.filter(typed.bare(name, table, "rep_id").isin(list(asked.reps)))
    if asked.since is not None and UNTIL.get(name) in table.columns:
        until = typed.bare(name, table, UNTIL[name])
        table = table.filter(
            until.isnull() | (until >= ibis.literal(asked.since, type=until.type()))
        )
    return table


def _referring(
    name: str, table: ibis.Table, column: str, others: Iterable[ibis.Table]
) -> ibis.Table:
    return _among(name, table, column, [_column("deals", other, column) for other in others])


def _among(name: str, table: ibis.Table, column: str, known: Iterable[ibis.Table]) -> ibis.Table:
    """The rows whose id is among any of these; without such a column none is."""
    ids = typed.bare(name, table, column)
    # One list: PostgreSQL joins with that, but goes through each of several for every row.
    return table.filter(ids.isin(ibis.union(*known)[column]))


def _column(name: str, table: ibis.Table, column: str) -> ibis.Table:
    ids = table.select(**{column: typed.bare(name, table, column)})
    return ids.filter(ids[column].notnull())


def _blank_owners(changes: ibis.Table, reps: tuple[str, ...] | None) -> ibis.Table:
    if reps is None:
        return changes
    owner = typed.bare("stage_changes", changes, "rep_id")
    return changes.mutate(rep_id=ibis.cases((owner.isin(list(reps)), owner), else_=ibis.null(str)))
