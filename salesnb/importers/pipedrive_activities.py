"""Activities that were done, and meetings ahead, as what a rep did or booked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from salesnb.checks import value_faults
from salesnb.importers import activity_rows, clock, objects, pipedrive_catalog, values, vendor
from salesnb.importers.people import Owners
from salesnb.importers.pipedrive_cells import VENDOR, flag, is_true
from salesnb.importers.source import Source, Sources, by_name, id_of, named
from salesnb.importers.vendor import Made

NOT_DONE = "not done"
BOOKED = ("meeting", "demo")
OF_MEETINGS = ("no_show", "cancelled", "rescheduled")
OF_CALLS = ("connected", "no_answer")
SPENT = r"^(?:(?P<hours>\d+):(?P<minutes>[0-5]\d)(?::[0-5]\d)?|(?P<plain>\d+(?:\.\d+)?))$"


@dataclass(frozen=True, eq=False)
class Done:
    """The activities that count, with what they are, how they ended and when they happen."""

    source: Source
    kind: pd.Series
    outcome: pd.Series
    happens_at: pd.Series


@dataclass(frozen=True)
class Known:
    """What activities may be about: deals by title, organizations and persons by id and name."""

    deals: Mapping[str, str]
    deal_ids: set[str]
    accounts: Mapping[str, str] | None
    persons: Mapping[str, str]


def known_deals(deals: Source, deal_ids: pd.Series) -> dict[str, str]:
    """The deal of each title that only one has."""
    return by_name(deals.text("title"), deal_ids)


def read(made: Made, sources: Sources, now: pd.Timestamp | None, zone: str) -> Done:
    """Leave out what is no activity or was not done, and tell what the rest is.

    A meeting or a demo happens when it is due, anything else when it was marked as done. Those
    that are ahead, and those whose subject says how they ended, stay though they are not done.
    """
    source = sources["activities"]
    kind = _kinds(made, source, sources["activity_types"])
    is_booked = kind.isin(BOOKED)
    due, marked = _due(made, source, zone), source.time("marked_as_done_time")
    happens = due.fillna(marked).where(is_booked, marked.fillna(due))
    told = vendor.meant(source.text("subject"), vendor.words(VENDOR, "outcomes"), at_start=True)
    told = told.where(is_booked & told.isin(OF_MEETINGS) | (kind == "call") & told.isin(OF_CALLS))
    is_done = is_true(flag(made, source, "done").fillna(marked.notna()))
    is_ahead = pd.Series(False, kind.index) if now is None else happens >= now
    source.leave_out(~(is_done | is_booked & (is_ahead | told.notna())), NOT_DONE)
    held = pd.Series("held", kind.index, dtype="str").where(is_booked & is_done & ~is_ahead)
    found = kind, told.fillna(held), happens
    return Done(source, *(each[source.rows] for each in found))


def add(made: Made, done: Done, owner: Owners, known: Known) -> None:
    """Add the activities."""
    source = done.source
    if not source.names:
        return
    columns = {
        "activity_id": activity_rows.ids(source, "id"),
        "rep_id": owner.ids,
        "kind": done.kind,
        "booked_at": source.time("add_time").where(done.kind.isin(BOOKED)),
        "happens_at": done.happens_at,
        "outcome": done.outcome,
        "minutes": _minutes(made, source),
        "note": activity_rows.plain(source.text("note")),
        **_links(made, source, known),
    }
    places = {
        "activity_id": "id",
        "rep_id": owner.place,
        "kind": "type",
        "booked_at": "add_time",
        "happens_at": "due_date",
        "outcome": "subject",
        "minutes": "duration",
    }
    made.parts.append(source.part("activities", columns, places))


def _kinds(made: Made, source: Source, types: Source) -> pd.Series:
    """By the name of the type; what another name than that of a kind counts as is said."""
    if types.names:
        made.counts.append(vendor.count("types of activities", types, len(types.rows), {}))
    keys, names = types.text("key_string"), types.text("name")
    called = source.text("type")
    called = named(called, dict(zip(keys, names, strict=True))).fillna(called)
    meant = {name: _kind(name) for name in called.dropna().unique()}
    kind = named(called, meant)
    counts = called.value_counts()
    said = [
        f"{name} ({counts[name]:,}) as {meant[name]}"
        for name in counts.index
        if meant[name] and objects.fold(name) != meant[name]
    ]
    if said:
        made.said.append(f"{source.table.origin}: types of activities count: {', '.join(said)}")
    activity_rows.leave_out_others(source, kind, called.fillna("none"), "activity")
    return kind[source.rows]


def _kind(name: str) -> str | None:
    """What a type is, by its whole name, else by the most telling of its words."""
    known = vendor.words(VENDOR, "kinds")
    if whole := known.get(objects.fold(name)):
        return whole
    found = {known.get(objects.fold(word)) for word in re.split(r"[\W_]+", name)}
    return next((kind for kind in known.values() if kind in found), None)


def _due(made: Made, source: Source, zone: str) -> pd.Series:
    """When an activity is due in UTC; one without an hour at the start of the day of the team."""
    time, _, is_wrong = clock.read(source.text("due_time"))
    wrong = source.text("due_time")[is_wrong]
    column = source.names.get("due_time", "due_time")
    made.faults += value_faults(source.table.origin, column, wrong, "a time of day such as 15:30")
    day = source.day("due_date")
    is_timed = source.text("due_time").notna() & ~is_wrong
    local = (day + pd.to_timedelta(time, unit="us")).astype("datetime64[us]")
    timed, said = clock.to_utc(local.where(is_timed), source.options.timezone)
    if said:
        made.said.append(f"{source.table.origin}, {column}: {said}")
    # A day with an hour of its own in one cell is a time; a bare one is a day of the team.
    whole = source.time("due_date")
    has_hour = clock.to_local(whole, source.options.timezone) != day
    bare, _ = clock.to_utc(day, zone)
    return timed.fillna(whole.where(has_hour)).fillna(bare)


def _minutes(made: Made, source: Source) -> pd.Series:
    """Durations such as 01:30 or 90 in minutes."""
    text = source.text("duration")
    found = values.pieces(text, text.index, SPENT)
    hours, minutes, plain = (
        pd.to_numeric(found[name], errors="coerce").astype("float64")
        for name in ("hours", "minutes", "plain")
    )
    spent = (hours * 60 + minutes).fillna(plain)
    wrong = text[text.notna() & spent.isna()]
    column = source.names.get("duration", "duration")
    expected = "a duration such as 01:30, or minutes"
    made.faults += value_faults(source.table.origin, column, wrong, expected)
    return spent


def _links(made: Made, source: Source, known: Known) -> dict[str, pd.Series]:
    """The deal and the account that an activity is about; what is not in the data set is said."""
    origin = source.table.origin
    deal = id_of(source, "deal_id", "deal_title", known.deals)
    place = source.names.get("deal_id", source.names.get("deal_title", "deal"))
    deal = vendor.known(deal, known.deal_ids, f"{origin}, {place}", made.said)
    account = pipedrive_catalog.company(made, source, known.accounts, known.persons)
    return {"deal_id": deal, "account_id": account}
