"""Stages, close dates and owners over time, from whichever history Salesforce exported."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from salesnb.history import look_up
from salesnb.importers import salesforce_stages, stage_history, vendor
from salesnb.importers.salesforce_fields import (
    NO_DEAL,
    OTHER_FIELDS,
    Earlier,
    deal_of,
    name_of,
    owner_at,
)
from salesnb.importers.source import Source, Sources
from salesnb.importers.stage_history import why_no_date, why_no_entry
from salesnb.importers.vendor import Made, Stated

START, LATER = 0, 1  # rows that the deals give, and rows that the history gives
SAVED = ("deal_id", "at", "stage")
DATED = ("deal_id", "at", "close_on")


@dataclass(eq=False)
class History:
    """What was saved of the deals: rows under (START or LATER, row number of the source).

    stages, dates : deal_id, at, and stage or close_on; `from_stages`, `from_dates` the sources
    closed : the names of stages that are closed ones
    limit : the end of the day of the export
    outcome : of each deal, under the rows of the opportunities
    """

    outcome: pd.Series
    closed: set[str]
    limit: pd.Timestamp | None = None
    stages: pd.DataFrame = field(default_factory=lambda: _nothing(SAVED))
    dates: pd.DataFrame = field(default_factory=lambda: _nothing(DATED))
    from_stages: Source | None = None
    from_dates: Source | None = None
    places: Mapping[str, str] = field(default_factory=dict)
    date_places: Mapping[str, str] = field(default_factory=dict)
    no_entry: pd.Series = field(default_factory=lambda: pd.Series(dtype="str"))
    no_date: pd.Series = field(default_factory=lambda: pd.Series(dtype="str"))
    closings: pd.Series = field(default_factory=lambda: pd.Series(dtype="datetime64[us]"))

    @property
    def last_dates(self) -> pd.Series:
        """The close date that was last expected, by deal."""
        rows = self.dates[self.no_date.isna()].sort_values(["deal_id", "at"], kind="stable")
        return rows.groupby("deal_id")["close_on"].last()

    def closed_on(self, made: Made, source: Source, closes: pd.Series) -> pd.Series:
        """The days of closing; a close date still ahead gives way to the day of the change."""
        if self.limit is None:
            return closes
        is_ahead = closes >= self.limit
        changed = look_up(source.text("Id").fillna(source.text("Name")), self.closings)
        changed = changed.fillna(source.time("LastStageChangeDate"))
        moved = is_ahead & changed.notna()
        if n := int(moved.sum()):
            made.said.append(
                f"{source.table.origin}: closed deals with a close date still ahead: {n:,}; the "
                "day on which they entered their last stage counts"
            )
        return closes.mask(moved, changed.dt.normalize())


def read(
    made: Made, sources: Sources, deal_ids: pd.Series, outcome: pd.Series, stated: Stated
) -> History:
    """The history of the deals, and the order of stages."""
    deals = sources["Opportunity"]
    saves, fields, report = (
        sources[name]
        for name in ("OpportunityHistory", "OpportunityFieldHistory", "OpportunityHistoryReport")
    )
    history = History(outcome, set(), vendor.now(made, stated))
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
    history.stages = history.dates = _keyed(rows, LATER)
    history.from_stages = history.from_dates = saves
    history.places = {"deal_id": "OpportunityId", "stage": "StageName", "entered_at": "CreatedDate"}
    history.date_places = _date_places("OpportunityId", "CreatedDate", "CloseDate")


def _from_fields(
    history: History, fields: Source, deals: Source, deal_ids: pd.Series, outcome: pd.Series
) -> None:
    """OpportunityFieldHistory: old and new value of one field; the first old one came first."""
    deal = deal_of(fields, deals, deal_ids)
    fields.leave_out(~deal.isin(deal_ids), NO_DEAL)
    deal = deal[fields.rows]
    stages = fields.within(name_of(fields) == "StageName", OTHER_FIELDS)
    changes = _changes(stages, deal, "stage", stages.text("NewValue"), stages.text("OldValue"))
    starts = _starts(deals, deal_ids, changes, "stage", deals.text("StageName"))
    history.stages = pd.concat([_keyed(starts, START), _keyed(changes, LATER)])
    dates = fields.within(name_of(fields) == "CloseDate", OTHER_FIELDS)
    changes = _changes(dates, deal, "close_on", dates.day("NewValue"), dates.day("OldValue"))
    today = deals.day("CloseDate").where(outcome.isna())
    starts = _starts(deals, deal_ids, changes, "close_on", today)
    history.dates = pd.concat([_keyed(starts, START), _keyed(changes, LATER)])
    history.from_stages, history.from_dates = stages, dates
    history.places = {"deal_id": "OpportunityId", "stage": "NewValue", "entered_at": "CreatedDate"}
    history.date_places = _date_places("OpportunityId", "CreatedDate", "NewValue")


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
    deal = deal[report.rows]
    rows = pd.DataFrame({"deal_id": deal, "at": report.time("LastModified")})
    stages = rows.assign(stage=report.text("ToStage"), old=report.text("FromStage"))
    starts = _starts(deals, deal_ids, stages, "stage", deals.text("StageName"))
    history.stages = pd.concat([_keyed(starts, START), _keyed(stages, LATER)])
    dates = rows.assign(close_on=report.day("CloseDate"), stage=report.text("ToStage"))
    history.dates = _keyed(dates, LATER)
    history.from_stages = history.from_dates = report
    deal_column = "OpportunityId" if report.has("OpportunityId") else "OpportunityName"
    history.places = {"deal_id": deal_column, "stage": "ToStage", "entered_at": "LastModified"}
    history.date_places = _date_places(deal_column, "LastModified", "CloseDate")


def add(
    made: Made,
    history: History,
    earlier: list[Earlier],
    deals: Source,
    deal_ids: pd.Series,
    rep_id: pd.Series,
) -> None:
    """Add stage changes and close-date changes."""
    if history.from_stages is None or history.from_dates is None:
        return
    now = pd.Series(rep_id.to_numpy(), deal_ids.to_numpy(), dtype="str")
    now = now[~now.index.duplicated()]
    entered = history.stages[["deal_id", "stage", "at"]].rename(columns={"at": "entered_at"})
    if earlier:
        entered["rep_id"] = owner_at(history.stages, earlier, now)
    else:
        made.said.append("no owners over time in the export: stage changes have no rep_id")
    from_deals = {"deal_id": "Id", "stage": "StageName", "entered_at": "CreatedDate"}
    origins = (deals, from_deals), (history.from_stages, history.places)
    _split(made, "stage_changes", entered, history.no_entry, *origins)
    changed = history.dates[["deal_id", "at", "close_on"]]
    changed = changed.rename(columns={"at": "changed_at", "close_on": "expected_close_on"})
    from_deals = _date_places("Id", "CreatedDate", "CloseDate")
    origins = (deals, from_deals), (history.from_dates, history.date_places)
    _split(made, "close_date_changes", changed, history.no_date, *origins)


def _split(
    made: Made,
    table: str,
    rows: pd.DataFrame,
    why: pd.Series,
    *sources: tuple[Source, Mapping[str, str]],
) -> None:
    """The rows that count, as a part for each source they come from."""
    for key, (source, places) in zip((START, LATER), sources, strict=True):
        is_here = rows.index.get_level_values(0) == key
        if not is_here.any() and key == START:
            continue
        kept = rows[is_here & why.isna().to_numpy()].droplevel(0)
        left_out = {str(reason): int(n) for reason, n in why[is_here].value_counts().items()}
        columns = {str(name): kept[name] for name in kept}
        made.parts.append(source.part(table, columns, places, left_out))


def _changes(
    source: Source, deal: pd.Series, name: str, new: pd.Series, old: pd.Series
) -> pd.DataFrame:
    at = source.time("CreatedDate")
    return pd.DataFrame({"deal_id": deal[source.rows], "at": at, name: new, "old": old})


def _starts(
    deals: Source, deal_ids: pd.Series, changes: pd.DataFrame, name: str, now: pd.Series
) -> pd.DataFrame:
    """What each deal had when it was created: the first old value, or what it has now."""
    first = changes.sort_values("at", kind="stable").drop_duplicates("deal_id")
    old = look_up(deal_ids, first.dropna(subset="deal_id").set_index("deal_id")["old"])
    is_changed = deal_ids.isin(first["deal_id"])
    value = old.where(is_changed, now).astype(now.dtype)
    return pd.DataFrame({"deal_id": deal_ids, "at": deals.time("CreatedDate"), name: value})


def _date_places(deal: str, at: str, date: str) -> dict[str, str]:
    return {"deal_id": deal, "changed_at": at, "expected_close_on": date}


def _keyed(rows: pd.DataFrame, key: int) -> pd.DataFrame:
    index = pd.MultiIndex.from_arrays([[key] * len(rows), rows.index])
    return rows.set_axis(index)


def _nothing(columns: tuple[str, ...]) -> pd.DataFrame:
    kinds = {"at": "datetime64[us]", "close_on": "datetime64[us]"}
    empty = pd.DataFrame({name: pd.Series(dtype=kinds.get(name, "str")) for name in columns})
    return _keyed(empty, LATER)
