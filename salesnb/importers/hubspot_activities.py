"""Meetings, calls, e-mails and tasks of HubSpot as what a rep did or booked."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from salesnb.history import look_up
from salesnb.importers import activity_rows, hubspot_people, hubspot_results, vendor
from salesnb.importers.hubspot_links import in_cells, one_each
from salesnb.importers.people import Owners
from salesnb.importers.source import Source, Sources
from salesnb.importers.vendor import Made

VENDOR = "hubspot"
NO_KINDS = {
    "engagement_note": "a note is no activity",
    "engagement_communication": "a message is no activity",
}
NO_OWNER = "without an owner"
NO_TIME = "without a time"
NOT_DONE = "task not completed"
NOT_TOLD = "task of which nothing tells that it was done"
INCOMING = "e-mail that came in"
NOT_SENT = "e-mail that was not sent"
NOT_YET = "call that is not over"


@dataclass(frozen=True)
class Form:
    """Where a table of activities has what: kind, title, note, and the times in preference."""

    kind: str
    title: str
    note: str
    times: tuple[str, ...]


FORMS = {
    "engagement_meeting": Form(
        "meeting", "hs_meeting_title", "hs_meeting_body", ("hs_meeting_start_time", "hs_timestamp")
    ),
    "engagement_call": Form("call", "hs_call_title", "hs_call_body", ("hs_timestamp",)),
    "engagement_email": Form("email", "hs_email_subject", "hs_email_text", ("hs_timestamp",)),
    "engagement_task": Form(
        "task", "hs_task_subject", "hs_task_body", ("hs_task_completion_date", "hs_timestamp")
    ),
}


@dataclass(frozen=True, eq=False)
class Booked:
    """What is an activity in one table, under its row numbers."""

    form: Form
    source: Source
    ids: pd.Series
    kind: pd.Series
    at: pd.Series
    owners: Owners


def read(made: Made, sources: Sources, known: Mapping[str, str]) -> list[Booked]:
    """Leave out what is no activity; `known` are the ids of owners by name and by e-mail."""
    engagement = sources["engagement"]
    found = [
        _read(sources[name], form, sources, known)
        for name, form in FORMS.items()
        if sources[name].names
    ]
    for name, reason in NO_KINDS.items():
        if sources[name].names:
            sources[name].leave_out(pd.Series(True, sources[name].rows), reason)
            made.counts.append(vendor.count("activities", sources[name], 0, {}))
    if engagement.names:
        ids = {each for booked in found for each in booked.ids}
        engagement.leave_out(~engagement.text("id").isin(ids), "of no activity in the data set")
        what = "owners and times of activities"
        made.counts.append(vendor.count(what, engagement, len(engagement.rows), {}))
    return found


def add(
    made: Made,
    sources: Sources,
    booked: list[Booked],
    deals: set[str],
    accounts: Mapping[str, str] | None,
    now: pd.Timestamp | None,
) -> None:
    """Add the activities; `now` is the end of the day of the export."""
    linked = _linked(made, sources, booked, deals, accounts)
    for each in booked:
        source, form = each.source, each.form
        columns = {
            "activity_id": each.ids,
            "rep_id": each.owners.ids,
            "kind": each.kind,
            "happens_at": each.at,
            "note": activity_rows.plain(source.text(form.note)),
            **_results(made, each, now),
            **_about(made, each, linked, deals, accounts),
        }
        places = {
            "activity_id": "engagement_id" if source.has("engagement_id") else "hs_object_id",
            "rep_id": each.owners.place,
            "happens_at": next((name for name in form.times if source.has(name)), ""),
            "minutes": "hs_call_duration",
            "booked_at": "hs_createdate",
        }
        made.parts.append(source.part("activities", columns, places))


def _results(made: Made, each: Booked, now: pd.Timestamp | None) -> dict[str, pd.Series]:
    if each.form.kind == "meeting":
        return hubspot_results.of_meetings(made, each.source, each.at, now)
    if each.form.kind == "call":
        return hubspot_results.of_calls(made, each.source)
    return {}


def _read(source: Source, form: Form, sources: Sources, known: Mapping[str, str]) -> Booked:
    engagement = sources["engagement"]
    ids = source.text("engagement_id").fillna(activity_rows.ids(source, "hs_object_id"))
    told = pd.DataFrame(
        {
            "owner": engagement.text("owner_id"),
            "at": engagement.time("timestamp"),
            "is_active": engagement.flag("active"),
        }
    ).set_axis(engagement.text("id"))
    told = told[~told.index.duplicated()]
    is_gone = look_up(ids, told["is_active"]) == False  # noqa: E712
    source.leave_out(is_gone, "archived")
    kind = _kinds(source, form, sources)
    owners = hubspot_people.owners(source, known, look_up(ids, told["owner"]))
    source.leave_out(owners.ids.isna(), NO_OWNER)
    at = look_up(ids, told["at"])[source.rows]
    for name in reversed(form.times):
        at = source.time(name).fillna(at)
    if form.kind in ("call", "email"):  # these are logged when they happen
        at = at.fillna(source.time("hs_createdate"))
    source.leave_out(at.isna(), NO_TIME)
    rows = source.rows
    owners = Owners(source, owners.ids[rows], owners.names[rows], owners.place)
    return Booked(form, source, ids[rows], kind[rows], at[rows], owners)


def _kinds(source: Source, form: Form, sources: Sources) -> pd.Series:
    """What each row is; rows that are no activity are left out."""
    if form.kind == "task":
        return _task_kinds(source, sources)
    if form.kind == "email":
        words = vendor.words(VENDOR, "emails")
        direction = vendor.meant(source.text("hs_email_direction"), words)
        status = vendor.meant(source.text("hs_email_status"), words)
        source.leave_out(direction == "incoming", INCOMING)
        source.leave_out((direction == "not_sent") | (status == "not_sent"), NOT_SENT)
    if form.kind == "call":
        status = vendor.meant(source.text("hs_call_status"), vendor.words(VENDOR, "calls"))
        source.leave_out(status == "open", NOT_YET)
    kind = pd.Series(form.kind, source.rows, dtype="str")
    if form.kind != "meeting":
        return kind
    words = vendor.words(VENDOR, "kinds")
    told = vendor.meant(source.text("hs_activity_type"), words)
    told = told.fillna(vendor.meant(source.text(form.title), words, at_start=True))
    return kind.mask(told.isin(["demo", "proposal"]), told)


def _task_kinds(tasks: Source, sources: Sources) -> pd.Series:
    """By type, else by the beginning of the title; a call that is logged too counts once."""
    words = vendor.words(VENDOR, "kinds")
    status = vendor.meant(tasks.text("hs_task_status"), vendor.words(VENDOR, "tasks"))
    is_done = status == "completed"
    if not tasks.has("hs_task_status"):
        is_done = tasks.text("hs_task_completion_date").notna()
    is_told = tasks.has("hs_task_status") or tasks.has("hs_task_completion_date")
    tasks.leave_out(~is_done.fillna(False), NOT_DONE if is_told else NOT_TOLD)
    kind = vendor.meant(tasks.text("hs_task_type"), words)
    kind = kind.fillna(vendor.meant(tasks.text("hs_task_subject"), words, at_start=True))
    for name, form in FORMS.items():
        if form.kind != "task" and sources[name].names:
            reason = f"task to do a {form.kind}, which is logged on its own"
            tasks.leave_out(kind == form.kind, reason)
    called = tasks.text("hs_task_type").fillna("TODO")
    activity_rows.leave_out_others(tasks, kind[tasks.rows], called, "task")
    return kind


def _linked(
    made: Made,
    sources: Sources,
    booked: list[Booked],
    deals: set[str],
    accounts: Mapping[str, str] | None,
) -> dict[str, pd.Series]:
    """The deal, company and contact of each activity by the tables of associations."""
    ids = {each for one in booked for each in one.ids}
    contacts, known = sources["contacts"], None if accounts is None else {*accounts.values()}
    of_contacts = in_cells(contacts, "associatedcompanyid", known)
    people = contacts.text("hs_object_id")
    if contacts.names:
        is_known = of_contacts.notna() & (True if known is None else of_contacts.isin([*known]))
        contacts.leave_out(~is_known, "without a company in the data set")
        what = "companies of contacts"
        made.counts.append(vendor.count(what, contacts, len(contacts.rows), {}))
    company = of_contacts[contacts.rows].set_axis(people[contacts.rows])
    found = {"company of contact": company[~company.index.duplicated()]}
    for name, others in (("deal", deals), ("company", known), ("contact", None)):
        table, pair = sources[f"engagement_{name}"], ("engagement_id", f"{name}_id")
        what = {"company": "companies"}.get(name, f"{name}s") + " of activities"
        found[name] = one_each(made, table, pair, ids, others, what)
    return found


def _about(
    made: Made,
    each: Booked,
    linked: Mapping[str, pd.Series],
    deals: set[str],
    accounts: Mapping[str, str] | None,
) -> dict[str, pd.Series]:
    """The deal and the company of each activity; what is not in the data set is blank, and said."""
    source, origin = each.source, each.source.table.origin
    known = None if accounts is None else {*accounts.values()}
    deal = look_up(each.ids, linked["deal"]).fillna(in_cells(source, "deal_id", deals))
    contact = look_up(each.ids, linked["contact"]).fillna(in_cells(source, "contact_id", None))
    company = look_up(each.ids, linked["company"]).fillna(in_cells(source, "company_id", known))
    company = company.fillna(look_up(contact, linked["company of contact"]))
    if known is not None:
        what = f"{origin}, {source.names.get('company_id', 'company')}"
        company = vendor.known(company, known, what, made.said)
    what = f"{origin}, {source.names.get('deal_id', 'deal')}"
    return {"deal_id": vendor.known(deal, deals, what, made.said), "account_id": company}
