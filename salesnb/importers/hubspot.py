"""What HubSpot's objects mean: deals, their pipelines and history, people, companies, products."""

from collections.abc import Mapping

import pandas as pd

from salesnb.errors import Fault
from salesnb.history import look_up
from salesnb.importers import (
    clock,
    dealbook,
    hubspot_activities,
    hubspot_catalog,
    hubspot_cells,
    hubspot_history,
    hubspot_links,
    hubspot_people,
    hubspot_stages,
    people,
    vendor,
)
from salesnb.importers.hubspot_cells import local_day
from salesnb.importers.hubspot_history import History
from salesnb.importers.people import Owners
from salesnb.importers.source import Source, Sources
from salesnb.importers.vendor import Made, Stated

DELETED, ARCHIVED, MERGED = "deleted", "archived", "merged into another"
NO_OWNER = "without an owner"
NEEDS = ("hs_object_id", "dealname"), ("createdate",), ("hubspot_owner_id", "owner_name")
LISTS = ("deal_pipeline", "deal_pipeline_stage", "owners")  # old records name what is gone there
DATED = {
    "deals": ("hs_lastmodifieddate", "createdate"),
    "deal_stage": ("date_entered",),
    "deal_property_history": ("timestamp",),
    "engagement": ("last_updated", "created_at"),
    **dict.fromkeys(hubspot_activities.FORMS, ("hs_lastmodifieddate", "hs_createdate")),
}


def make(sources: Sources, stated: Stated) -> Made:
    """The tables of a team from the objects of an export, by API names, connector or labels."""
    made = Made()
    deals = sources["deals"]
    made.faults += _lacking(deals)
    if made.faults:
        return made
    for source in sources.values():
        hubspot_cells.read_as_written(source)
    users = hubspot_people.users(sources["owners"])
    known = hubspot_people.known(users)
    _leave_out(made, sources, known, stated)
    if not len(deals.rows):
        return made
    amount, is_foreign = _amounts(made, deals, stated)
    stages = hubspot_stages.read(made, sources)
    accounts = hubspot_catalog.accounts(made, sources["companies"])
    deal_ids = deals.text("hs_object_id").fillna(deals.text("dealname"))
    outcome = hubspot_stages.outcome(made, deals, stages)
    history = hubspot_history.read(made, sources, stages, deal_ids, outcome, stated)
    made.latest = _latest(sources, history, outcome)
    by_id = is_foreign.set_axis(deal_ids)
    products = hubspot_catalog.lines_and_products(
        made, sources, deal_ids, by_id[~by_id.index.duplicated()]
    )
    booked = hubspot_activities.read(made, sources, known)
    earlier = hubspot_history.owners(made, sources, known)
    of_deals = hubspot_people.owners(deals, known)
    before = (Owners(each.source, each.rep_id, each.rep_id, each.place) for each in earlier)
    everybody = [of_deals, *(each.owners for each in booked), *before]
    people.add(made, users, everybody, sources["roster"])
    now = vendor.now(made, stated)
    columns = {
        "deal_id": deal_ids,
        "account_id": hubspot_links.accounts_of_deals(made, sources, deal_ids, accounts),
        "product_id": look_up(deal_ids, products),
        "amount": amount,
        **_dates(made, deals, history, deal_ids, outcome, stated),
    }
    _deals(made, of_deals, columns, outcome)
    hubspot_history.add(made, history, earlier, deal_ids, of_deals.ids)
    hubspot_activities.add(made, sources, booked, {*deal_ids}, accounts, now)
    return made


def _lacking(deals: Source) -> list[Fault]:
    """What no import can do without."""
    if not deals.names:
        return [Fault("deals", "a table of this object, with dealname and dealstage")]
    return dealbook.lacking(deals, NEEDS)


def _leave_out(made: Made, sources: Sources, known: Mapping[str, str], stated: Stated) -> None:
    """Rows that are no data: what is deleted, archived or merged, what nobody owns."""
    for name, source in sources.items():
        if name not in LISTS:
            source.leave_out(source.flag("is_deleted"), DELETED)
            source.leave_out(source.flag("archived"), ARCHIVED)
    deals, merges, pipelines = (sources[n] for n in ("deals", "merged_deal", "deal_pipeline"))
    for source in (deals, sources["companies"]):
        gone = hubspot_links.merged(source)
        source.leave_out(source.text("hs_object_id").isin([*gone]), MERGED)
    deals.leave_out(deals.text("hs_object_id").isin(merges.text("merged_deal_id").dropna()), MERGED)
    if merges.names:
        made.counts.append(vendor.count("merged deals", merges, len(merges.rows), {}))
    names = dict(zip(pipelines.text("pipeline_id"), pipelines.text("label"), strict=True))
    columns = "pipeline", "pipeline_name"
    dealbook.choose(made, deals, columns, names, stated.pipeline, "pipeline")
    deals.leave_out(hubspot_people.owners(deals, known).ids.isna(), NO_OWNER)
    made.faults += dealbook.none_left(deals)


def _latest(sources: Sources, history: History, outcome: pd.Series) -> pd.Timestamp | None:
    """The latest change; where nothing tells when deals changed, the latest closing too."""
    deals = sources["deals"]
    told = vendor.latest((sources[k], name) for k, names in DATED.items() for name in names)
    times = [told, history.stages["at"].max()]
    if not deals.has("hs_lastmodifieddate") and not history.from_stages:
        times.append(deals.time("closedate").where(outcome.notna()).max())
    return max((time for time in times if pd.notna(time)), default=None)


def _amounts(made: Made, deals: Source, stated: Stated) -> tuple[pd.Series, pd.Series]:
    """Amounts in one currency, and which deals were made in another.

    Several currencies need the amounts in that of the company, which is the one in which both
    amounts are the same in every deal.
    """
    code, home = deals.text("deal_currency_code"), deals.number("amount_in_home_currency")
    amount, none = deals.number("amount"), pd.Series(False, deals.rows)
    if code.nunique() < 2 or not deals.has("amount_in_home_currency"):
        made.currency = dealbook.currency(made, deals, "deal_currency_code")
        return (amount if deals.has("amount") else home), none
    is_same = ((amount - home).abs() < 0.005)[amount.notna() & home.notna()]
    alike = is_same.groupby(code).all()
    codes = [str(each) for each in alike.index[alike]]
    made.currency = codes[0] if len(codes) == 1 else ""
    made.said.append(
        f"{deals.table.origin}: deals in {', '.join(sorted(code.dropna().unique()))}; amounts are "
        f"those of {deals.names['amount_in_home_currency']}"
    )
    return home, code.notna() & (code != (stated.currency or made.currency))


def _dates(
    made: Made,
    deals: Source,
    history: History,
    deal_ids: pd.Series,
    outcome: pd.Series,
    stated: Stated,
) -> dict[str, pd.Series]:
    """When deals began, are expected to close, and were closed."""
    zone, is_closed = stated.reading.timezone, outcome.notna()
    closes, created = (local_day(deals, name, zone) for name in ("closedate", "createdate"))
    first = history.entered.groupby("deal_id")["at"].min()
    first, changed = (
        clock.to_local(look_up(deal_ids, times), zone).dt.normalize()
        for times in (first, history.closings)
    )
    is_late = first < created
    if n := int(is_late.sum()):
        made.said.append(
            f"{deals.table.origin}: deals in a stage before their create date: {n:,}; they begin "
            "on the day they entered it"
        )
    changed = changed.where(is_closed)
    is_blank = closes.isna() & changed.notna()
    if n := int(is_blank.sum()):
        made.said.append(
            f"{deals.table.origin}: closed deals without a close date: {n:,}; the day on which "
            "they entered their last stage counts"
        )
    ends = closes.where(is_closed).mask(is_blank, changed)
    closed = dealbook.closed(made, deals, ends, changed, vendor.now(made, stated))
    expected = look_up(deal_ids, history.last_dates)
    return {
        "created_on": dealbook.began(made, deals, created.mask(is_late, first), closed),
        "expected_close_on": expected.where(is_closed, closes),
        "closed_on": closed,
    }


def _deals(
    made: Made, owners: Owners, columns: Mapping[str, pd.Series], outcome: pd.Series
) -> None:
    source = owners.source
    if source.has("dealtype") and not source.has("segment"):
        made.said.append(f"{source.table.origin}: the segment of a deal is its type")
    columns = {
        **columns,
        "rep_id": owners.ids,
        "source": source.text("hs_analytics_source"),
        "segment": source.text("segment").fillna(source.text("dealtype")),
        "competitor": source.text("competitor"),
        "outcome": outcome,
        "lost_reason": source.text("closed_lost_reason").where(outcome == "lost"),
    }
    places = {
        "deal_id": "hs_object_id" if source.has("hs_object_id") else "dealname",
        "rep_id": owners.place,
        "account_id": "company_id",
        "source": "hs_analytics_source",
        "created_on": "createdate",
        "amount": "amount",
        "expected_close_on": "closedate",
        "closed_on": "closedate",
        "outcome": "dealstage",
    }
    made.parts.append(source.part("deals", columns, places))
