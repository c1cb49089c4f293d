"""Stages, close dates and owners of HubSpot's deals over time, from whichever history there is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from salesnb.history import look_up
from salesnb.importers import deal_log, hubspot_stages, objects, stage_history, vendor
from salesnb.importers.deal_log import NO_DEAL, OTHER_FIELDS, Origin
from salesnb.importers.hubspot_cells import local_day
from salesnb.importers.hubspot_stages import Stages
from salesnb.importers.owner_log import Earlier
from salesnb.importers.source import Source, Sources, named
from salesnb.importers.vendor import Made, Stated

ENTERED = re.compile(r"(?i)(?:property_)?hs_(?P<new>v2_)?date_entered_(?P<stage>.+)")
NO_STAGE = "current_stage"  # the day of the present stage, under whatever name
OTHER_PIPELINE = "a stage of another pipeline"
AT_CLOSING = pd.Timedelta(seconds=10)  # HubSpot sets the close date along with the closed stage


@dataclass(eq=False)
class History:
    """What was saved of the deals, under (number of the origin, row number).

    stages, dates : deal_id, at, and stage or close_on
    no_entry, no_date : why a row counts for nothing, missing where it counts
    closings : when each closed deal was last closed, by deal
    by_column : whether stages are the columns of the deals, which are blank where a deal never was
    """

    stages: pd.DataFrame
    dates: pd.DataFrame
    by_column: bool = False
    from_stages: list[Origin] = field(default_factory=list)
    from_dates: list[Origin] = field(default_factory=list)
    no_entry: pd.Series = field(default_factory=lambda: pd.Series(dtype="str"))
    no_date: pd.Series = field(default_factory=lambda: pd.Series(dtype="str"))
    closings: pd.Series = field(default_factory=lambda: pd.Series(dtype="datetime64[us]"))

    @property
    def entered(self) -> pd.DataFrame:
        """The open stages that deals entered."""
        return self.stages[self.no_entry.isna().to_numpy()]

    @property
    def last_dates(self) -> pd.Series:
        """The close date that was last expected, by deal."""
        return deal_log.last_dates(self.dates, self.no_date)


def read(
    made: Made,
    sources: Sources,
    stages: Stages,
    deal_ids: pd.Series,
    outcome: pd.Series,
    stated: Stated,
) -> History:
    """The history of the deals, and the order of stages."""
    deals, fields = sources["deals"], sources["deal_property_history"]
    for each in (fields, sources["deal_stage"]):
        each.leave_out(~each.text("deal_id").isin(deal_ids), NO_DEAL)
    history = History(deal_log.nothing(deal_log.SAVED), deal_log.nothing(deal_log.DATED))
    _read_stages(made, history, sources, stages, deal_ids)
    if fields.names:
        _read_dates(history, fields, stated.reading.timezone)
    closed = hubspot_stages.closed(stages, deals, outcome, history.stages["stage"])
    _judge(made, history, stages.pipelines, closed - {*stated.stages}, stated)
    order = hubspot_stages.order
    made.stages = stated.stages or order(made, stages, history.entered, deals, outcome)
    return history


def owners(made: Made, sources: Sources, known: Mapping[str, str]) -> list[Earlier]:
    """Owners over time; `known` are the ids of owners by name and by e-mail."""
    fields = sources["deal_property_history"]
    rows = fields.within(_name_of(fields) == "hubspot_owner_id", OTHER_FIELDS)
    if not len(rows.rows):
        return []
    made.counts.append(vendor.count("owners over time", rows, len(rows.rows), {}))
    value, deal, at = rows.text("value"), rows.text("deal_id"), rows.time("timestamp")
    rep_id, none = named(value, known).fillna(value), rows.rows[:0]
    new = Earlier(rows, deal, at, rep_id, "value")
    return [new, Earlier(rows, deal[none], at[none], rep_id[none], "value")]


def add(
    made: Made, history: History, earlier: list[Earlier], deal_ids: pd.Series, rep_id: pd.Series
) -> None:
    """Add stage changes and close-date changes; `rep_id` are the present owners of the deals."""
    if history.from_stages:
        rows, why, now = history.stages, history.no_entry, (deal_ids, rep_id)
        deal_log.add_stages(made, rows, why, earlier, now, *history.from_stages)
    if history.from_dates:
        deal_log.add_dates(made, history.dates, history.no_date, *history.from_dates)


def _read_stages(
    made: Made, history: History, sources: Sources, stages: Stages, deal_ids: pd.Series
) -> None:
    """A list of stages entered, else a history of fields, else the columns of the deals."""
    deals, log, fields = (sources[n] for n in ("deals", "deal_stage", "deal_property_history"))
    fields = fields.within(_name_of(fields) == "dealstage", OTHER_FIELDS)
    columns = _stage_columns(deals, stages)
    if len(log.rows) or (log.names and not len(fields.rows) and not columns):
        at = log.time("date_entered").fillna(log.time("_fivetran_start"))
        places = {"deal_id": "deal_id", "stage": "value", "entered_at": "date_entered"}
        _keep(history, log, at, stages, places)
    elif len(fields.rows):
        places = {"deal_id": "deal_id", "stage": "value", "entered_at": "timestamp"}
        _keep(history, fields, fields.time("timestamp"), stages, places)
    elif columns:
        _from_columns(history, deals, stages, deal_ids, columns)
        made.said.append(
            f"{deals.table.origin}: of each stage, the last time that a deal entered it; earlier "
            "visits are not in the export"
        )
    else:
        made.said.append(
            "no history of stages in the export: what became of deals is known, not how they got "
            "there. Columns such as hs_v2_date_entered_..., or the tables deal_stage or "
            "deal_property_history beside it add stages"
        )


def _keep(
    history: History, source: Source, at: pd.Series, stages: Stages, places: Mapping[str, str]
) -> None:
    value = source.text("value")
    rows = pd.DataFrame(
        {
            "deal_id": source.text("deal_id"),
            "at": at,
            "stage": stages.name(value),
            "pipeline": stages.pipeline_of(value),
        }
    )
    history.stages = deal_log.keyed(rows, 0)
    history.from_stages = [(source, places)]


def _from_columns(
    history: History,
    deals: Source,
    stages: Stages,
    deal_ids: pd.Series,
    columns: Mapping[str, tuple[str, str]],
) -> None:
    """A column for each stage, with the time at which the deal last entered it."""
    frames = []
    for number, (column, (stage, pipeline)) in enumerate(columns.items()):
        deals.also({column: column})
        at = deals.time(column)
        rows = pd.DataFrame({"deal_id": deal_ids, "at": at, "stage": stage, "pipeline": pipeline})
        frames.append(deal_log.keyed(rows, number))
        history.from_stages.append((deals, {"deal_id": "hs_object_id", "entered_at": column}))
    kinds = {"stage": "str", "pipeline": "str"}
    history.stages, history.by_column = pd.concat(frames).astype(kinds), True


def _stage_columns(deals: Source, stages: Stages) -> dict[str, tuple[str, str]]:
    """The stage and the pipeline of each column of entries; of two for one stage the newer form."""
    known = [*stages.rows["id"], *deals.text("dealstage").dropna().unique()]
    by_fold = {objects.fold(each): each for each in known}
    found: dict[str, tuple[int, str, str, str]] = {}
    cells = deals.table.rows
    for column in (str(name) for name in cells if cells[name].notna().any()):
        if parts := ENTERED.fullmatch(column.strip()):
            if parts["stage"].lower() == NO_STAGE:
                continue
            key, rank = _id(parts["stage"], by_fold), int(not parts["new"])
            one = pd.Series([key], dtype="str")
            stage, pipeline = stages.name(one)[0], stages.pipeline_of(one).fillna("")[0]
        elif key := hubspot_stages.in_label(column):
            rank, (stage, pipeline) = 0, stages.bare(key)
        else:
            continue
        if key not in found or rank < found[key][0]:
            found[key] = rank, column, stage, pipeline
    return {column: (stage, pipeline) for _, column, stage, pipeline in found.values()}


def _id(suffix: str, by_fold: Mapping[str, str]) -> str:
    """The id of a stage in the name of a column, where signs are gone and a number may follow."""
    folded = objects.fold(suffix)
    if folded in by_fold:
        return by_fold[folded]
    longer = (fold for fold in by_fold if re.fullmatch(re.escape(fold) + r"\d+", folded))
    marked = [fold for fold in longer if not by_fold[fold].isalnum()]
    return by_fold[max(marked, key=len)] if marked else suffix


def _read_dates(history: History, fields: Source, zone: str) -> None:
    dates = fields.within(_name_of(fields) == "closedate", OTHER_FIELDS)
    rows = pd.DataFrame(
        {
            "deal_id": dates.text("deal_id"),
            "at": dates.time("timestamp"),
            "close_on": local_day(dates, "value", zone),
        }
    )
    history.dates = deal_log.keyed(rows, 0)
    places = deal_log.date_places("deal_id", "timestamp", "value")
    history.from_dates = [(dates, places)]


def _judge(
    made: Made, history: History, names: Mapping[str, str], closed: set[str], stated: Stated
) -> None:
    """Tell which rows count: not those of closed stages, of other pipelines, or of no time."""
    rows = history.stages
    is_other = pd.Series(False, rows.index)
    if stated.pipeline and "pipeline" in rows:
        wanted = {stated.pipeline.casefold(), names.get(stated.pipeline, "").casefold()}
        is_other = rows["pipeline"].notna() & (rows["pipeline"] != "")
        is_other &= ~rows["pipeline"].str.casefold().isin(wanted).fillna(False).astype(bool)
    is_never = rows["at"].isna() & history.by_column
    told = rows[~is_never & ~is_other]
    why = stage_history.why_no_entry(told, closed).reindex(rows.index)
    why = why.mask(is_other, OTHER_PIPELINE)
    history.no_entry = why.mask(is_never, "never in " + rows["stage"]).astype("str")
    history.closings = stage_history.closings(told, closed)
    ended = look_up(history.dates["deal_id"], history.closings)
    is_closed = history.dates["at"] >= ended - AT_CLOSING
    history.no_date = stage_history.why_no_date(history.dates, is_closed)
    if n := stage_history.n_reopened(told, closed):
        made.said.append(f"deals closed and opened again: {n:,}; their last close counts")


def _name_of(fields: Source) -> pd.Series:
    """The API names of the properties that changed, by whatever label they go."""
    names = objects.kinds("hubspot")["deals"].names
    values = fields.text("name")
    found = {v: names.get(objects.fold(v), (v, 0))[0] for v in values.dropna().unique()}
    return named(values, found)
