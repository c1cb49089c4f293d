"""Tasks that were completed, and events, as what a rep did or booked."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from salesnb.importers import activity_rows, vendor
from salesnb.importers.people import Owners
from salesnb.importers.source import Source
from salesnb.importers.vendor import Made

VENDOR = "salesforce"
NOT_DONE = "task not completed"
COPY = "copy of an invitee"
SERIES = "head of a series"


@dataclass(frozen=True, eq=False)
class Booked:
    """Tasks and events with their kinds, under their row numbers."""

    sources: tuple[Source, ...]
    kinds: tuple[pd.Series, ...]


def read(tasks: Source, events: Source) -> Booked:
    """Leave out what is no activity, and tell the kinds of the rest."""
    found = []
    if tasks.names:
        _leave_out_open(tasks)
        found.append((tasks, _task_kinds(tasks)))
    if events.names:
        events.leave_out(events.flag("IsChild"), COPY)
        events.leave_out(events.flag("IsRecurrence"), SERIES)
        found.append((events, _event_kinds(events)))
    return Booked(tuple(s for s, _ in found), tuple(k[s.rows] for s, k in found))


def add(
    made: Made,
    booked: Booked,
    owners: list[Owners],
    deals: set[str],
    accounts: Mapping[str, str] | None,
    now: pd.Timestamp | None,
) -> None:
    """Add the activities; `now` is the end of the day of the export."""
    for source, kind, owner in zip(booked.sources, booked.kinds, owners, strict=True):
        is_event = source.has("StartDateTime") or source.has("ActivityDateTime")
        more = _event(source, now) if is_event else _task(source, kind)
        columns = {
            "activity_id": activity_rows.ids(source, "Id"),
            "rep_id": owner.ids,
            "kind": kind,
            "note": source.text("Description"),
            **more,
            **_links(made, source, deals, accounts),
        }
        at = "StartDateTime" if source.has("StartDateTime") else "ActivityDateTime"
        if not is_event:
            at = "CompletedDateTime" if source.has("CompletedDateTime") else "ActivityDate"
        places = {"activity_id": "Id", "rep_id": owner.place, "kind": "Type", "happens_at": at}
        made.parts.append(source.part("activities", columns, places))


def _leave_out_open(tasks: Source) -> None:
    status = vendor.meant(tasks.text("Status"), vendor.words(VENDOR, "status"))
    is_done = tasks.flag("IsClosed").fillna(status == "completed").astype(bool)
    tasks.leave_out(~is_done, NOT_DONE)


def _task_kinds(tasks: Source) -> pd.Series:
    """By type, then by subtype, then by the beginning of the subject."""
    kinds = vendor.words(VENDOR, "kinds")
    subtype = tasks.text("TaskSubtype")
    kind = vendor.meant(tasks.text("Type"), kinds).fillna(vendor.meant(subtype, kinds))
    kind = kind.fillna(vendor.meant(tasks.text("Subject"), kinds, at_start=True))
    other = tasks.text("Type").fillna(subtype).fillna("Task")
    activity_rows.leave_out_others(tasks, kind, other, "task")
    return kind


def _event_kinds(events: Source) -> pd.Series:
    """A demo by type or subject, else a meeting; a type such as Call is what it says."""
    kinds = vendor.words(VENDOR, "kinds")
    is_demo = vendor.meant(events.text("Subject"), kinds, at_start=True) == "demo"
    kind = vendor.meant(events.text("Type"), kinds).fillna("meeting")
    return kind.mask(is_demo & (kind == "meeting"), "demo")


def _task(tasks: Source, kind: pd.Series) -> dict[str, pd.Series]:
    done = tasks.time("CompletedDateTime").fillna(tasks.day("ActivityDate"))
    result = vendor.meant(
        tasks.text("CallDisposition"), vendor.words(VENDOR, "outcomes"), at_start=True
    )
    is_call = kind == "call"
    return {
        "happens_at": done,
        "outcome": result.where(is_call & result.isin(["connected", "no_answer"])),
        "minutes": (tasks.number("CallDurationInSeconds") / 60).where(is_call),
    }


def _event(events: Source, now: pd.Timestamp | None) -> dict[str, pd.Series]:
    """Held where it is past and nothing says otherwise."""
    outcomes = vendor.words(VENDOR, "outcomes")
    starts = events.time("StartDateTime").fillna(events.time("ActivityDateTime"))
    said = vendor.meant(events.text("Subject"), outcomes, at_start=True)
    said = said.where(said.isin(["no_show", "cancelled", "rescheduled"]))
    said = said.mask(events.flag("NoShow").fillna(False).astype(bool), "no_show")
    is_past = pd.Series(False, starts.index) if now is None else starts < now
    held = pd.Series("held", starts.index, dtype="str").where(is_past)
    spent = (events.time("EndDateTime") - starts).dt.total_seconds() / 60
    return {
        "booked_at": events.time("CreatedDate"),
        "happens_at": starts,
        "outcome": said.fillna(held),
        "minutes": events.number("DurationInMinutes").fillna(spent),
    }


def _links(
    made: Made, source: Source, deals: set[str], accounts: Mapping[str, str] | None
) -> dict[str, pd.Series]:
    """The deal or the account that an activity is about; what else it may be about is said."""
    what, account = source.text("WhatId"), source.text("AccountId")
    known = {*(accounts or {}).values()}
    is_account = what.isin(known) | what.str.startswith("001").fillna(False).astype(bool)
    account = account.fillna(what.where(is_account))
    if accounts is not None:
        where = f"{source.table.origin}, {source.names.get('AccountId', 'WhatId')}"
        account = vendor.known(account, known, where, made.said)
    deal = what.mask(is_account)
    where = f"{source.table.origin}, {source.names.get('WhatId', 'WhatId')}"
    return {"deal_id": vendor.known(deal, deals, where, made.said), "account_id": account}
