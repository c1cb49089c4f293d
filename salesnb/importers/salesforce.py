"""What Salesforce's objects mean: opportunities, their history, people, products and quotas."""

import string
from collections.abc import Mapping

import pandas as pd

from salesnb.errors import Fault
from salesnb.history import look_up
from salesnb.importers import (
    deal_log,
    dealbook,
    people,
    salesforce_activities,
    salesforce_catalog,
    salesforce_fields,
    salesforce_history,
    values,
    vendor,
)
from salesnb.importers.deal_log import History
from salesnb.importers.people import Owners, Users
from salesnb.importers.source import Source, Sources, id_of
from salesnb.importers.vendor import Made, Stated

VENDOR = "salesforce"
DELETED = "deleted"
IDS = (
    *("Id", "OpportunityId", "AccountId", "OwnerId", "WhatId", "Product2Id", "QuotaOwnerId"),
    "RecordTypeId",
)
SHORT_ID = "^[0a-z][0-9A-Za-z]{14}$"
BITS = string.ascii_uppercase + "012345"
NEEDS = ("Id", "Name"), ("CreatedDate",), ("OwnerId", "OwnerName")
DATED = ("LastModifiedDate", "CreatedDate", "LastModified")
AUTHORED = ("Opportunity", "OpportunityHistory", "OpportunityFieldHistory", "Task", "Event")


def make(sources: Sources, stated: Stated) -> Made:
    """The tables of a team from the objects of an export, by API names, connector or labels."""
    made = Made()
    deals = sources["Opportunity"]
    made.faults += _lacking(deals)
    if made.faults:
        return made
    _leave_out(made, sources, stated)
    made.latest = _latest(sources)
    made.currency = dealbook.currency(made, deals, "CurrencyIsoCode")
    users = _users(sources["User"])
    accounts = salesforce_catalog.accounts(made, sources["Account"])
    deal_ids = deals.text("Id").fillna(deals.text("Name"))
    history = salesforce_history.read(made, sources, deal_ids, _outcome(deals), stated)
    products = salesforce_catalog.lines_and_products(made, sources, {*deal_ids})
    booked = salesforce_activities.read(sources["Task"], sources["Event"])
    earlier = salesforce_fields.owners(made, sources, users, deal_ids)
    of_deals, *of_booked = (_owners(each, users) for each in (deals, *booked.sources))
    before = (Owners(each.source, each.rep_id, each.rep_id, each.place) for each in earlier)
    reps = people.add(made, users, [of_deals, *of_booked, *before], sources["roster"])
    _deals(made, of_deals, accounts, history, products, deal_ids)
    columns = salesforce_history.COLUMNS
    deal_log.add(made, history, earlier, deals, columns, deal_ids, of_deals.ids)
    now = vendor.now(made, stated)
    salesforce_activities.add(made, booked, of_booked, {*deal_ids}, accounts, now)
    salesforce_catalog.quotas(made, sources["ForecastingQuota"], reps, users)
    return made


def _lacking(deals: Source) -> list[Fault]:
    """What no import can do without."""
    if not deals.names:
        return [Fault("Opportunity", "a table of this object, with StageName and CloseDate")]
    return dealbook.lacking(deals, NEEDS)


def _leave_out(made: Made, sources: Sources, stated: Stated) -> None:
    """Rows that are no data: deleted ones, and deals of another record type."""
    for source in sources.values():
        _lengthen_ids(source)
        source.leave_out(source.flag("IsDeleted"), DELETED)
    _choose_type(made, sources, stated)
    made.faults += dealbook.none_left(sources["Opportunity"])


def _lengthen_ids(source: Source) -> None:
    """The 15 characters of an id in a report as the 18 that it has everywhere else."""
    for name in (name for name in IDS if source.has(name)):
        text = source.text(name)
        short = text[values.matches(text, SHORT_ID)].unique()
        if len(short):
            source.mend(name, {each: each + _check(each) for each in short})


def _check(short: str) -> str:
    """Three characters that tell which letters of an id are capitals, five bits each."""
    parts = (short[at : at + 5] for at in (0, 5, 10))
    bits = (sum(letter.isupper() << n for n, letter in enumerate(part)) for part in parts)
    return "".join(BITS[each] for each in bits)


def _choose_type(made: Made, sources: Sources, stated: Stated) -> None:
    """Opportunities of one record type where one is asked for; else all, and said."""
    types = sources["RecordType"]
    names = dict(zip(types.text("Id"), types.text("Name"), strict=True))
    if types.names:
        made.counts.append(vendor.count("record types", types, len(types.rows), {}))
    columns = "RecordTypeId", "RecordTypeName"
    deals, wanted = sources["Opportunity"], stated.record_type
    dealbook.choose(made, deals, columns, names, wanted, "record type")


def _users(source: Source) -> Users:
    full = source.text("FirstName").fillna("") + " " + source.text("LastName").fillna("")
    full = full.str.strip().astype("str")
    names = source.text("Name").fillna(full.mask(full == "")).fillna(source.text("Username"))
    ids = source.text("Id").fillna(names)
    places = {"rep_id": "Id" if source.has("Id") else "Name", "name": "Name", "role": "Title"}
    email = source.text("Email")
    return Users(source, ids, names, email, source.text("Title"), source.flag("IsActive"), places)


def _owners(source: Source, users: Users) -> Owners:
    """Owners by id, else by the user of their name, else by name."""
    place = "OwnerId" if source.has("OwnerId") else "OwnerName"
    ids = id_of(source, "OwnerId", "OwnerName", users.by_name())
    return Owners(source, ids, source.text("OwnerName"), place)


def _latest(sources: Sources) -> pd.Timestamp | None:
    """The latest change or creation in the export."""
    told = (*AUTHORED, "OpportunityHistoryReport")
    return vendor.latest((sources[key], name) for key in told for name in DATED)


def _outcome(source: Source) -> pd.Series:
    """Won, lost or missing, by IsClosed and IsWon, else by what the stage is called."""
    by_stage = vendor.meant(source.text("StageName"), vendor.words(VENDOR, "stages"))
    is_won, is_closed = source.flag("IsWon"), source.flag("IsClosed")
    is_won = is_won.fillna(by_stage == "won").astype(bool)
    is_closed = is_closed.fillna(by_stage.notna() | is_won).astype(bool)
    lost = pd.Series("lost", source.rows, dtype="str").where(is_closed)
    return lost.mask(is_closed & is_won, "won")


def _deals(
    made: Made,
    owners: Owners,
    accounts: Mapping[str, str] | None,
    history: History,
    products: pd.Series,
    deal_id: pd.Series,
) -> None:
    source, outcome = owners.source, history.outcome
    closes = source.day("CloseDate")
    changed = look_up(deal_id, history.closings).fillna(source.time("LastStageChangeDate"))
    closed = dealbook.closed(made, source, closes.where(outcome.notna()), changed, history.limit)
    expected = look_up(deal_id, history.last_dates)
    columns = {
        "deal_id": deal_id,
        "rep_id": owners.ids,
        "account_id": dealbook.account(made, source, accounts, "AccountId", "AccountName"),
        "product_id": look_up(deal_id, products),
        "source": source.text("LeadSource"),
        "segment": source.text("Segment"),
        "competitor": source.text("Competitor"),
        "created_on": dealbook.began(made, source, source.day("CreatedDate"), closed),
        "amount": source.number("Amount"),
        "expected_close_on": expected.where(outcome.notna(), closes),
        "closed_on": closed,
        "outcome": outcome,
        "lost_reason": source.text("LostReason").where(outcome == "lost"),
    }
    places = {
        "deal_id": "Id" if source.has("Id") else "Name",
        "rep_id": owners.place,
        "account_id": "AccountId",
        "source": "LeadSource",
        "created_on": "CreatedDate",
        "amount": "Amount",
        "expected_close_on": "CloseDate",
        "closed_on": "CloseDate",
        "outcome": "StageName",
    }
    made.parts.append(source.part("deals", columns, places))
