"""Stages, close dates, owners and outcomes over time, from the flow of Pipedrive's deals."""

from dataclasses import dataclass

import pandas as pd

from salesnb.errors import Fault
from salesnb.history import look_up
from salesnb.importers import deal_log, objects, stage_history, vendor
from salesnb.importers.deal_log import LATER, NO_DEAL, OTHER_FIELDS, START, History, keyed
from salesnb.importers.owner_log import Earlier
from salesnb.importers.pipedrive_cells import VENDOR, flag, is_true, mend_ids
from salesnb.importers.pipedrive_stages import Stages
from salesnb.importers.source import Source, named
from salesnb.importers.vendor import Made

NO_CHANGE = "no change of a field"
NO_STAGE = "without a stage"
EARLY = "before its deal was created"
OTHER_PIPELINE = "a stage of another pipeline"
STAGE, STATUS, DUE = "stageid", "status", "expectedclosedate"
OWNER = ("userid", "ownerid")
ENDS = ("won", "lost")
CLOSED = "\0closed"  # stands where a deal is closed: in Pipedrive that is no stage
SAVED = {"deal_id": "str", "at": "datetime64[us]", "stage": "str"}
BULK = 5  # so many deals that one user changes in one second are not moved by hand
HOUR, DAY = pd.Timedelta(hours=1), pd.Timedelta(days=1)


@dataclass(frozen=True, eq=False)
class Flow:
    """The changes of deals: rows of the log, which deal each is of, which field it changed."""

    source: Source
    deal_id: pd.Series
    field: pd.Series

    def has(self, field: str) -> bool:
        """Whether the log has changes of this field."""
        return bool((self.field == field).any())

    def of(self, *fields: str) -> "Flow":
        """The changes of some fields."""
        source = self.source.within(self.field.isin(fields), OTHER_FIELDS)
        mend_ids(source)
        return Flow(source, self.deal_id[source.rows], self.field[source.rows])

    def changes(self, name: str, new: pd.Series, old: pd.Series) -> pd.DataFrame:
        """deal_id, at, the new value as `name`, old; changes of one second in their order."""
        at = self.source.time("log_time")
        rows = pd.DataFrame({"deal_id": self.deal_id, "at": at, name: new, "old": old})
        return rows.loc[_order(self.source.text("id"), self.deal_id, at)]


def read(made: Made, source: Source, deal_ids: pd.Series) -> Flow:
    """The changes of fields of deals that are in the data set."""
    if source.names:
        if not source.has("log_time"):
            expected = "this column, with the time of each change"
            made.faults.append(Fault(source.table.origin, expected, "log_time"))
        what = source.text("object")
        source.leave_out(what.notna() & (_folded(what) != "dealchange"), NO_CHANGE)
        source.leave_out(source.text("field_key").isna(), NO_CHANGE)
        deal_id = source.text("item_id").fillna(source.text("deal_id"))
        source.leave_out(~deal_id.isin(deal_ids), NO_DEAL)
    deal_id = source.text("item_id").fillna(source.text("deal_id"))
    return Flow(source, deal_id, _folded(source.text("field_key")))


def owners(made: Made, flow: Flow) -> list[Earlier]:
    """Who owned the deals over time."""
    if not flow.source.names:
        return []
    rows = flow.of(*OWNER)
    if not len(rows.source.rows):
        return []
    n = len(rows.source.rows)
    made.counts.append(vendor.count("owners over time", rows.source, n, {}))
    new, old = rows.source.text("new_value"), rows.source.text("old_value")
    changes = rows.changes("new", new, old).dropna(subset="at")
    deal, at = changes["deal_id"], changes["at"]
    both = ((place, changes[name]) for place, name in (("new_value", "new"), ("old_value", "old")))
    return [Earlier(rows.source, deal, at, value, place) for place, value in both]


def moves(made: Made, flow: Flow, stages: Stages) -> tuple[Source, pd.DataFrame]:
    """Changes of stage and of status: deal_id, at; stage, old; status, was."""
    rows = flow.of(STAGE, STATUS)
    new, old = rows.source.text("new_value"), rows.source.text("old_value")
    is_stage = rows.field == STAGE
    changes = rows.changes(
        "stage", stages.called(new.where(is_stage)), stages.called(old.where(is_stage))
    )
    words = vendor.words(VENDOR, "status")
    changes["status"] = vendor.meant(new.where(~is_stage), words)
    changes["was"] = vendor.meant(old.where(~is_stage), words)
    _mark_bulk(made, rows, changes, "stage", "stage changes")
    return rows.source, changes


def outcomes(changes: pd.DataFrame) -> pd.DataFrame:
    """Changes of the status, of each deal in order; and whether each opens the deal again."""
    rows = changes.dropna(subset="status").sort_values(["deal_id", "at"], kind="stable")
    was_closed = rows["was"].isin(ENDS) | rows["was"].isna() & rows["deal_id"].duplicated()
    return rows.assign(is_again=(rows["status"] == "open") & was_closed)


def history(
    made: Made,
    flow: Flow,
    deals: Source,
    deal_ids: pd.Series,
    stages: Stages,
    outcome: pd.Series,
    saved: tuple[Source, pd.DataFrame],
) -> History:
    """What was `saved` of stages, and of close dates; else each deal's present stage."""
    found = History(outcome, {CLOSED})
    source, changes = saved
    present = stages.called(deals.text("stage_name").fillna(deals.text("stage_id")))
    created = deals.time("add_time")
    first = pd.DataFrame({"deal_id": [], "at": [], "stage": []}).astype(SAVED)
    if flow.has(STAGE):
        moved = changes.dropna(subset="stage")
        at = _since(made, deals, deal_ids, moved["deal_id"], created)
        first = deal_log.starts(deal_ids, at, moved, "stage", present)
        _say_what_differs(made, moved, deal_ids, present)
    elif deals.has("stage_change_time"):
        at = deals.time("stage_change_time").fillna(created)
        first = pd.DataFrame({"deal_id": deal_ids, "at": at, "stage": present})
    found.stages = _with_spells(pd.concat([keyed(first, START), keyed(changes, LATER)]))
    if len(changes):
        found.from_stages = source
        deal = _deal_column(source)
        found.places = {"deal_id": deal, "stage": "new_value", "entered_at": "log_time"}
    if flow.has(DUE):
        _read_dates(made, found, flow, deals, deal_ids)
    _say_what_lacks(made, flow, deals)
    return found


def _with_spells(rows: pd.DataFrame) -> pd.DataFrame:
    """A deal that is opened again enters the stage that it was in; one that is closed, none."""
    again = outcomes(rows)["is_again"].reindex(rows.index, fill_value=False)
    in_order = rows.sort_values(["deal_id", "at"], kind="stable")
    last = in_order.groupby("deal_id")["stage"].ffill().reindex(rows.index)
    is_end = rows["status"].isin([*ENDS, "deleted"])
    return rows.assign(stage=rows["stage"].mask(again, last).mask(is_end, CLOSED))


def _read_dates(made: Made, found: History, flow: Flow, deals: Source, deal_ids: pd.Series) -> None:
    rows = flow.of(DUE)
    new, old = (rows.source.day(name) for name in ("new_value", "old_value"))
    changes = rows.changes("close_on", new, old)
    _mark_bulk(made, rows, changes, "close_on", "close-date changes")
    now, created = deals.day("expected_close_date"), deals.time("add_time")
    first = deal_log.starts(deal_ids, created, changes, "close_on", now)
    found.dates = pd.concat([keyed(first, START), keyed(changes, LATER)])
    found.from_dates = rows.source
    deal = _deal_column(rows.source)
    found.date_places = deal_log.date_places(deal, "log_time", "new_value")


def columns(deals: Source, flow: Flow) -> dict[str, str]:
    """The columns of the deals that the beginnings of their history come from."""
    stage = "stage_id" if deals.has("stage_id") else "stage_name"
    at = "add_time" if flow.has(STAGE) else "stage_change_time"
    return {
        "deal_id": "id" if deals.has("id") else "title",
        "at": at,
        "stage": stage,
        "close_on": "expected_close_date",
    }


def judge(found: History, begun: pd.Series, ended: pd.Series, foreign: set[str]) -> None:
    """Say which rows count; `begun` and `ended` are when deals were created and closed, by deal.

    `foreign` are stages of other pipelines, which deals went through before they came to theirs.
    """
    stage = found.stages["stage"]
    why = _why_out(found.stages, begun, ended)
    why = why.mask(stage.isin(foreign), OTHER_PIPELINE).mask(stage.isna(), NO_STAGE)
    sound = found.stages[why.isna()]
    found.no_entry = why.fillna(stage_history.why_no_entry(sound, found.closed).reindex(why.index))
    why = _why_out(found.dates, begun, ended)
    sound = found.dates[why.isna()]
    is_closed = pd.Series(False, sound.index)
    found.no_date = why.fillna(stage_history.why_no_date(sound, is_closed).reindex(why.index))


def _why_out(rows: pd.DataFrame, begun: pd.Series, ended: pd.Series) -> pd.Series:
    """Why rows are none of the life of their deal; with an hour of grace, as clocks differ."""
    start, end = (look_up(rows["deal_id"], each) for each in (begun, ended))
    why = pd.Series(pd.NA, rows.index, dtype="str").mask(rows["at"] < start - HOUR, EARLY)
    return why.mask(rows["at"] > end, stage_history.CLOSED)


def _folded(values: pd.Series) -> pd.Series:
    return named(values, {value: objects.fold(value) for value in values.dropna().unique()})


def _order(ids: pd.Series, deal_id: pd.Series, at: pd.Series) -> pd.Index:
    """The rows as they were logged: by id, else as they stand, the newest perhaps first."""
    number = pd.to_numeric(ids, errors="coerce")
    if len(number) and number.notna().all():
        return number.sort_values(kind="stable").index
    step = at.groupby(deal_id).diff()
    falls = (step < pd.Timedelta(0)).sum() > (step > pd.Timedelta(0)).sum()
    return at.index[::-1] if falls else at.index


def _mark_bulk(made: Made, rows: Flow, changes: pd.DataFrame, name: str, what: str) -> None:
    """Mark the changes of many deals at once: flagged so, or by one user within one second."""
    is_meant = changes[name].notna()
    source = rows.source
    user = source.text("user_id").reindex(changes.index)
    second = changes["at"].dt.floor("s")
    moved = changes["deal_id"].where(is_meant)
    n_deals = moved.groupby([user, second]).transform("nunique")
    is_bulk = is_true(flag(made, source, "is_bulk_update_flag")).reindex(changes.index)
    is_bulk = is_meant & (is_bulk | (n_deals >= BULK).fillna(False))
    if n := int(is_bulk.sum()):
        changes["is_bulk"] = pd.Series("true", changes.index, dtype="str").where(is_bulk)
        n_moved = moved[is_bulk].nunique()
        made.said.append(
            f"{source.table.origin}: {what} made in bulk: {n:,}, of {n_moved:,} deals; they count, "
            "and is_bulk marks them: a bulk edit is not selling"
        )


def _since(
    made: Made, deals: Source, deal_ids: pd.Series, changed: pd.Series, created: pd.Series
) -> pd.Series:
    """When each deal's first known stage began: with the deal, unless it moved and no row tells."""
    moved = deals.time("stage_change_time")
    is_lost = (moved > created + DAY) & ~deal_ids.isin(changed)
    if n := int(is_lost.sum()):
        made.said.append(
            f"deals whose stage changed without a row in the flow: {n:,}; of them only the present "
            "stage is known"
        )
    return created.mask(is_lost, moved)


def _deal_column(source: Source) -> str:
    return "item_id" if source.has("item_id") else "deal_id"


def _say_what_differs(
    made: Made, changes: pd.DataFrame, deal_ids: pd.Series, present: pd.Series
) -> None:
    """A deal that is in another stage than the flow ends with has changes that are not in it."""
    rows = changes.sort_values("at", kind="stable").drop_duplicates("deal_id", keep="last")
    logged = look_up(deal_ids, rows.set_index("deal_id")["stage"])
    if n := int((logged.notna() & present.notna() & (logged != present)).sum()):
        made.said.append(
            f"deals whose present stage is not the last one in the flow: {n:,}; the flow counts"
        )


def _say_what_lacks(made: Made, flow: Flow, deals: Source) -> None:
    if flow.has(STAGE):
        return
    known = "what became of deals is known, not how they got there"
    more = "Last stage change in the list of deals adds their present stage, "
    if deals.has("stage_change_time"):
        known = "of each deal only its present stage is known, and since when"
        more = ""
    made.said.append(
        f"no history of stages in the export: {known}; {more}a table of the deals' flow or "
        "changelog beside it adds stages and close dates"
    )
