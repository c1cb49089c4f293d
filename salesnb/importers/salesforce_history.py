"""Stages, close dates and owners over time, from whichever history Salesforce exported."""

import pandas as pd

from salesnb.history import look_up
from salesnb.importers import salesforce_stages, stage_history, vendor
from salesnb.importers.deal_log import (
    LATER,
    NO_DEAL,
    OTHER_FIELDS,
    START,
    History,
    date_places,
    keyed,
    starts,
)
from salesnb.importers.salesforce_fields import deal_of, name_of
from salesnb.importers.source import Source, Sources
from salesnb.importers.stage_history import why_no_date, why_no_entry
from salesnb.importers.vendor import Made, Stated

COLUMNS = {"deal_id": "Id", "at": "CreatedDate", "stage": "StageName", "close_on": "CloseDate"}


def read(
    made: Made, sources: Sources, deal_ids: pd.Series, outcome: pd.Series, stated: Stated
) -> History:
    """The history of the deals, and the order of stages."""
    deals = sources["Opportunity"]
    saves, fields, report = (
        sources[name]
        for name in ("OpportunityHistory", "OpportunityFieldHistory", "OpportunityHistoryReport")
    )
    history = History(outcome, limit=vendor.now(made, stated))
    if saves.names:
        _from_saves(history, saves, deal_ids)
    elif (name_of(fields) == "StageName").any():
        _from_fields(history, fields, deals, deal_ids, outcome)
        _say_since_when(made, fields, deals)
    elif report.names:
        _from_report(history, report, deals, deal_ids)
    else:
        made.said.append(
            "no history of stages in the export: what became of deals is known, not how they got "
            "there. OpportunityHistory, OpportunityFieldHistory or the report Opportunity History "
            "beside it add stages and close dates"
        )
    _judge(made, history, deals, stated)
    return history


def _judge(made: Made, history: History, deals: Source, stated: Stated) -> None:
    """Tell closed stages from open ones, order these, and say which rows count."""
    history.closed = salesforce_stages.closed(history.stages, deals, history.outcome)
    history.closed -= {*stated.stages}
    history.no_entry = why_no_entry(history.stages, history.closed)
    history.closings = stage_history.closings(history.stages, history.closed)
    ended = look_up(history.dates["deal_id"], history.closings)
    is_closed = history.dates["at"] >= ended
    if "stage" in history.dates:
        is_closed |= history.dates["stage"].isin(history.closed)
    history.no_date = why_no_date(history.dates, is_closed)
    if n := stage_history.n_reopened(history.stages, history.closed):
        made.said.append(f"deals closed and opened again: {n:,}; their last close counts")
    entered = history.stages[history.no_entry.isna()]
    order = salesforce_stages.order
    made.stages = stated.stages or order(made, entered, deals, history.outcome)


def _from_saves(history: History, saves: Source, deal_ids: pd.Series) -> None:
    """OpportunityHistory: the new values after every save."""
    saves.leave_out(~saves.text("OpportunityId").isin(deal_ids), NO_DEAL)
    rows = pd.DataFrame(
        {
            "deal_id": saves.text("OpportunityId"),
            "at": saves.time("CreatedDate"),
            "stage": saves.text("StageName"),
            "close_on": saves.day("CloseDate"),
            "probability": saves.number("Probability"),
        }
    )
    history.stages = history.dates = keyed(rows, LATER)
    history.from_stages = history.from_dates = saves
    history.places = {"deal_id": "OpportunityId", "stage": "StageName", "entered_at": "CreatedDate"}
    history.date_places = date_places("OpportunityId", "CreatedDate", "CloseDate")


def _from_fields(
    history: History, fields: Source, deals: Source, deal_ids: pd.Series, outcome: pd.Series
) -> None:
    """OpportunityFieldHistory: old and new value of one field; the first old one came first."""
    deal = deal_of(fields, deals, deal_ids)
    fields.leave_out(~deal.isin(deal_ids), NO_DEAL)
    deal, created = deal[fields.rows], deals.time("CreatedDate")
    stages = fields.within(name_of(fields) == "StageName", OTHER_FIELDS)
    changes = _changes(stages, deal, "stage", stages.text("NewValue"), stages.text("OldValue"))
    first = starts(deal_ids, created, changes, "stage", deals.text("StageName"))
    history.stages = pd.concat([keyed(first, START), keyed(changes, LATER)])
    dates = fields.within(name_of(fields) == "CloseDate", OTHER_FIELDS)
    changes = _changes(dates, deal, "close_on", dates.day("NewValue"), dates.day("OldValue"))
    today = deals.day("CloseDate").where(outcome.isna())
    first = starts(deal_ids, created, changes, "close_on", today)
    history.dates = pd.concat([keyed(first, START), keyed(changes, LATER)])
    history.from_stages, history.from_dates = stages, dates
    history.places = {"deal_id": "OpportunityId", "stage": "NewValue", "entered_at": "CreatedDate"}
    history.date_places = date_places("OpportunityId", "CreatedDate", "NewValue")


def _say_since_when(made: Made, fields: Source, deals: Source) -> None:
    """Fields are tracked from some day on, and Salesforce forgets after 18 to 24 months."""
    since = fields.time("CreatedDate").min()
    n = int((deals.time("CreatedDate") < since).sum())
    if n:
        made.said.append(
            f"deals created before {fields.table.origin} begins ({since:%Y-%m-%d}): {n:,}; what "
            "they went through before is not known"
        )


def _from_report(history: History, report: Source, deals: Source, deal_ids: pd.Series) -> None:
    """The report Opportunity History: from which stage to which, by the opportunity's name."""
    deal = deal_of(report, deals, deal_ids)
    report.leave_out(~deal.isin(deal_ids), NO_DEAL)
    deal, created = deal[report.rows], deals.time("CreatedDate")
    rows = pd.DataFrame({"deal_id": deal, "at": report.time("LastModified")})
    stages = rows.assign(stage=report.text("ToStage"), old=report.text("FromStage"))
    first = starts(deal_ids, created, stages, "stage", deals.text("StageName"))
    history.stages = pd.concat([keyed(first, START), keyed(stages, LATER)])
    dates = rows.assign(close_on=report.day("CloseDate"), stage=report.text("ToStage"))
    history.dates = keyed(dates, LATER)
    history.from_stages = history.from_dates = report
    deal_column = "OpportunityId" if report.has("OpportunityId") else "OpportunityName"
    history.places = {"deal_id": deal_column, "stage": "ToStage", "entered_at": "LastModified"}
    history.date_places = date_places(deal_column, "LastModified", "CloseDate")


def _changes(
    source: Source, deal: pd.Series, name: str, new: pd.Series, old: pd.Series
) -> pd.DataFrame:
    at = source.time("CreatedDate")
    return pd.DataFrame({"deal_id": deal[source.rows], "at": at, name: new, "old": old})
