"""The reps of a team: users who own something, other owners, and what a roster adds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from salesnb.history import look_up
from salesnb.importers import vendor
from salesnb.importers.source import Source, by_name
from salesnb.importers.vendor import Made

IDLE = "owns no deal or activity"
KNOWN = "its owner is known already"
NOBODY = "nobody of this name or id is in the export"
FROM_ROSTER = ("hired_on", "left_on", "role", "region")


@dataclass(frozen=True, eq=False)
class Users:
    """The users of a CRM, under the row numbers of their source."""

    source: Source
    ids: pd.Series
    names: pd.Series
    emails: pd.Series
    roles: pd.Series
    is_active: pd.Series
    places: Mapping[str, str]

    def by_name(self) -> dict[str, str]:
        """The id for each name that only one user has."""
        return by_name(self.names, self.ids)


@dataclass(frozen=True, eq=False)
class Owners:
    """Who owns the rows of a source: ids, and names where there are any."""

    source: Source
    ids: pd.Series
    names: pd.Series
    place: str


def add(made: Made, users: Users, owners: Iterable[Owners], roster: Source) -> set[str]:
    """Add the table reps; return its ids."""
    owners = list(owners)
    needed = {each for owner in owners for each in owner.ids.dropna().unique()}
    people = _people(users, owners)
    facts = _facts(made, people, roster)
    is_kept = users.ids.isin(needed | {*facts.index})
    ids: set[str] = set()
    if users.source.names:
        kept = users.ids[is_kept]
        columns = {"rep_id": kept, "name": users.names[kept.index].fillna(kept)}
        columns |= _filled(kept, facts, users.roles)
        n_idle = int((~is_kept).sum())
        made.parts.append(users.source.part("reps", columns, users.places, {IDLE: n_idle}))
        ids |= {*kept}
    for owner in owners:
        ids |= _others(made, owner, ids, facts, bool(len(users.ids)))
    _say_what_lacks(made, users, ids, facts)
    return ids


def _people(users: Users, owners: Iterable[Owners]) -> pd.DataFrame:
    """Everybody, with what a roster may call them."""
    frames = [pd.DataFrame({"id": users.ids, "name": users.names, "email": users.emails})]
    frames += [pd.DataFrame({"id": each.ids, "name": each.names}) for each in owners]
    return pd.concat(frames, ignore_index=True).dropna(subset="id").drop_duplicates("id")


def _facts(made: Made, people: pd.DataFrame, roster: Source) -> pd.DataFrame:
    """What the roster says, by id; its rows are counted."""
    called = roster.text("rep")
    ids = pd.Series(pd.NA, called.index, dtype="str")
    folded = called.str.casefold()
    for key in ("id", "email", "name"):
        names = people[key].str.casefold() if key in people else people["id"]
        one = people[names.notna() & ~names.duplicated(keep=False)]
        ids = ids.fillna(look_up(folded, one["id"].set_axis(names[one.index])))
    values = {
        "hired_on": roster.day("hired_on"),
        "left_on": roster.day("left_on"),
        "role": roster.text("role"),
        "region": roster.text("region"),
    }
    is_again = ids.duplicated() & ids.notna()
    kept = ids.notna() & ~is_again
    if roster.names:
        lost = {NOBODY: int(ids.isna().sum()), "a second row of a person": int(is_again.sum())}
        made.counts.append(vendor.count("reps", roster, int(kept.sum()), lost))
    return pd.DataFrame(values)[kept].set_axis(ids[kept])


def _filled(ids: pd.Series, facts: pd.DataFrame, roles: pd.Series) -> dict[str, pd.Series]:
    found = {name: look_up(ids, facts[name]) for name in FROM_ROSTER}
    return {**found, "role": found["role"].fillna(roles.reindex(ids.index))}


def _others(
    made: Made, owner: Owners, ids: set[str], facts: pd.DataFrame, has_users: bool
) -> set[str]:
    """Owners who are no users, each from the first row that names one."""
    new = owner.ids[owner.ids.notna() & ~owner.ids.isin(list(ids))].drop_duplicates()
    if not len(new):
        return set()
    columns = {"rep_id": new, "name": owner.names.reindex(new.index).fillna(new)}
    columns |= _filled(new, facts, pd.Series(dtype="str"))
    n_known = len(owner.source.rows) - len(new)
    places = {"rep_id": owner.place, "name": owner.place}
    made.parts.append(owner.source.part("reps", columns, places, {KNOWN: n_known}))
    if has_users:
        origin = owner.source.table.origin
        made.said.append(
            f"{origin}: owners who are no users of the export: {len(new):,}; they are reps too"
        )
    return {*new}


def _say_what_lacks(made: Made, users: Users, ids: set[str], facts: pd.DataFrame) -> None:
    hired = {*facts.index[facts["hired_on"].notna()]}
    if n := len(ids - hired):
        made.said.append(
            f"reps without hired_on: {n:,} of {len(ids):,}; ramp-up, tenure and capacity "
            "leave them out; a roster beside the export adds it, with the columns rep, hired_on, "
            "left_on, role, region"
        )
    gone = {*users.ids[(users.is_active == False).fillna(False)]} & ids  # noqa: E712
    gone -= {*facts.index[facts["left_on"].notna()]}
    if gone:
        made.said.append(
            f"inactive reps without the day they left: {len(gone):,}; they count as present "
            "until a roster states left_on"
        )
