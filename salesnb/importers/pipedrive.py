"""What Pipedrive's objects mean: deals and their flow, people, organizations, products."""

import pandas as pd

from salesnb.checks import value_faults
from salesnb.errors import Fault
from salesnb.history import look_up
from salesnb.importers import (
    clock,
    deal_log,
    dealbook,
    people,
    pipedrive_activities,
    pipedrive_catalog,
    pipedrive_flow,
    pipedrive_stages,
    vendor,
)
from salesnb.importers.deal_log import History
from salesnb.importers.people import Owners, Users
from salesnb.importers.pipedrive_activities import Known
from salesnb.importers.pipedrive_cells import (
    ARCHIVED,
    DELETED,
    VENDOR,
    flag,
    is_true,
    leave_out_gone,
    local_day,
    read_as_written,
)
from salesnb.importers.pipedrive_stages import Stages
from salesnb.importers.source import Source, Sources, id_of
from salesnb.importers.vendor import Made, Stated

NEEDS = ("id", "title"), ("add_time",), ("owner_id", "owner_name")
PIPELINE = "pipeline_id", "pipeline_name"
DATED = {
    "deals": ("update_time", "add_time", "stage_change_time"),
    "flow": ("log_time",),
    "activities": ("update_time", "add_time", "marked_as_done_time"),
}
ROWS = ("deals", "activities", "organizations", "persons", "products", "deal_products")


def make(sources: Sources, stated: Stated) -> Made:
    """The tables of a team from the objects of an export, by API names, connector or labels."""
    made, zone = Made(), stated.reading.timezone
    deals = sources["deals"]
    made.faults += _lacking(deals)
    if made.faults:
        return made
    for source in sources.values():
        read_as_written(source)
    stages = pipedrive_stages.read(made, sources)
    outcome = _leave_out(made, sources, stages, stated)
    made.latest = _latest(sources)
    made.currency = dealbook.currency(made, deals, "currency")
    users = _users(made, sources["users"])
    accounts = pipedrive_catalog.accounts(made, sources["organizations"])
    persons = pipedrive_catalog.companies_of_persons(made, sources["persons"], accounts)
    deal_ids = deals.text("id").fillna(deals.text("title"))
    flow = pipedrive_flow.read(made, sources["flow"], deal_ids)
    saved = pipedrive_flow.moves(made, flow, stages)
    history = pipedrive_flow.history(made, flow, deals, deal_ids, stages, outcome, saved)
    closed_at = _closed_at(made, deals, deal_ids, outcome, pipedrive_flow.outcomes(saved[1]))
    _judge(made, history, deals, deal_ids, stages, closed_at, stated)
    products = pipedrive_catalog.lines_and_products(made, sources, {*deal_ids})
    done = pipedrive_activities.read(made, sources, vendor.now(made, stated), zone)
    earlier = pipedrive_flow.owners(made, flow)
    of_deals, of_done = (_owners(each, users) for each in (deals, done.source))
    before = (Owners(each.source, each.rep_id, each.rep_id, each.place) for each in earlier)
    people.add(made, users, [of_deals, of_done, *before], sources["roster"])
    account = pipedrive_catalog.company(made, deals, accounts, persons)
    _deals(made, of_deals, account, history, products, deal_ids, local_day(closed_at, zone), zone)
    columns = pipedrive_flow.columns(deals, flow)
    deal_log.add(made, history, earlier, deals, columns, deal_ids, of_deals.ids)
    titles = pipedrive_activities.known_deals(deals, deal_ids)
    pipedrive_activities.add(made, done, of_done, Known(titles, {*deal_ids}, accounts, persons))
    return made


def _lacking(deals: Source) -> list[Fault]:
    """What no import can do without."""
    if not deals.names:
        return [Fault("deals", "a table of this object, with title, status and value")]
    return dealbook.lacking(deals, NEEDS)


def _leave_out(made: Made, sources: Sources, stages: Stages, stated: Stated) -> pd.Series:
    """Rows that are no data: merged and deleted ones, open deals archived, another pipeline's.

    Returns the outcome of the deals that stay.
    """
    for name in ROWS:
        if sources[name].names:
            leave_out_gone(made, sources[name])
    deals = sources["deals"]
    words = vendor.words(VENDOR, "status")
    expected = "open, won, lost or deleted"
    status = vendor.told(made, deals, "status", words, expected)
    blank = deals.text("status")[lambda each: each.isna()].fillna("")
    made.faults += value_faults(deals.table.origin, deals.names["status"], blank, expected)
    deals.leave_out(status == "deleted", DELETED)
    # What was won or lost counts, archived or not: who tidies up changes no win rate.
    is_archived = is_true(flag(made, deals, "is_archived"))
    deals.leave_out(is_archived & (status == "open"), ARCHIVED)
    dealbook.choose(made, deals, PIPELINE, stages.pipelines, stated.pipeline, "pipeline")
    made.faults += dealbook.none_left(deals)
    return status[deals.rows].where(lambda each: each != "open")


def _latest(sources: Sources) -> pd.Timestamp | None:
    """The latest change in the export; a close counts where changes are not exported."""
    columns = [(sources[key], name) for key in DATED for name in DATED[key]]
    if not sources["deals"].has("update_time"):
        columns += [(sources["deals"], name) for name in ("won_time", "lost_time", "close_time")]
    return vendor.latest(columns)


def _users(made: Made, source: Source) -> Users:
    names = source.text("name").fillna(source.text("email"))
    ids = source.text("id").fillna(names)
    places = {"rep_id": "id" if source.has("id") else "name", "name": "name"}
    role = pd.Series(index=ids.index, dtype="str")
    is_active = flag(made, source, "active_flag")
    return Users(source, ids, names, source.text("email"), role, is_active, places)


def _owners(source: Source, users: Users) -> Owners:
    """Owners by id, else by the user of their name, else by name."""
    place = "owner_id" if source.has("owner_id") else "owner_name"
    ids = id_of(source, "owner_id", "owner_name", users.by_name())
    return Owners(source, ids, source.text("owner_name"), place)


def _closed_at(
    made: Made, deals: Source, deal_ids: pd.Series, outcome: pd.Series, log: pd.DataFrame
) -> pd.Series:
    """When each closed deal was closed for the last time, under the rows of the deals."""
    won, lost = (deals.time(name) for name in ("won_time", "lost_time"))
    newest = log.drop_duplicates("deal_id", keep="last")
    last = newest[newest["status"] != "open"].set_index("deal_id")["at"]
    at = won.where(outcome == "won", lost.where(outcome == "lost"))
    at = at.fillna(deals.time("close_time")).fillna(look_up(deal_ids, last))
    first = deals.time("first_won_time")
    was_won = first.notna() & ((outcome != "won") | (won > first))
    if n := len({*deal_ids[was_won]} | {*log["deal_id"][log["is_again"]]}):
        made.said.append(f"deals closed and opened again: {n:,}; their last close counts")
    return at.where(outcome.notna())


def _judge(
    made: Made,
    history: History,
    deals: Source,
    deal_ids: pd.Series,
    stages: Stages,
    closed_at: pd.Series,
    stated: Stated,
) -> None:
    """Say which rows of the history count, and put the stages in order."""
    zone = stated.reading.timezone
    # A close that is known to the day only ends with that day.
    is_day = closed_at == clock.to_utc(local_day(closed_at, zone), zone)[0]
    ended = closed_at.mask(is_day, closed_at + pd.Timedelta(days=1))
    used = pipedrive_stages.pipelines_of(deals, stages)
    foreign = stages.elsewhere(used) if stated.pipeline else set()
    life = pd.DataFrame({"begun": deals.time("add_time"), "ended": ended}).set_index(deal_ids)
    life = life[~life.index.duplicated()]
    pipedrive_flow.judge(history, life["begun"], life["ended"], foreign)
    entered = history.stages[history.no_entry.isna()]
    present = stages.called(deals.text("stage_name").fillna(deals.text("stage_id")))
    open_deals = pd.DataFrame({"stage": present, "probability": deals.number("probability")})
    open_deals = open_deals[history.outcome.isna()]
    if unnamed := stages.unnamed(entered["stage"]):
        made.said.append(
            f"stages that the export does not name: {', '.join(unnamed)}; they go by their "
            "number, and stand where deals entered them"
        )
    order = pipedrive_stages.order
    made.stages = stated.stages or order(made, stages, used, entered, open_deals)


def _deals(
    made: Made,
    owners: Owners,
    account: pd.Series,
    history: History,
    products: pd.Series,
    deal_id: pd.Series,
    closed: pd.Series,
    zone: str,
) -> None:
    source, outcome = owners.source, history.outcome
    created = local_day(source.time("add_time"), zone)
    expected = look_up(deal_id, history.last_dates)
    if source.has("expected_close_date"):
        expected = source.day("expected_close_date")
    columns = {
        "deal_id": deal_id,
        "rep_id": owners.ids,
        "account_id": account,
        "product_id": look_up(deal_id, products),
        "source": source.text("source").fillna(source.text("origin")),
        "segment": source.text("segment"),
        "competitor": source.text("competitor"),
        "created_on": dealbook.began(made, source, created, closed),
        "amount": source.number("value"),
        "expected_close_on": expected,
        "closed_on": closed,
        "outcome": outcome,
        "lost_reason": source.text("lost_reason").where(outcome == "lost"),
    }
    places = {
        "deal_id": "id" if source.has("id") else "title",
        "rep_id": owners.place,
        "account_id": "org_id",
        "source": "source",
        "created_on": "add_time",
        "amount": "value",
        "expected_close_on": "expected_close_date",
        "closed_on": "close_time",
        "outcome": "status",
    }
    made.parts.append(source.part("deals", columns, places))
