"""What was saved of deals over time, from whichever log, as stage and close-date changes.

Rows stand under (START or LATER, row number of their source): START rows are what the deals tell of
their beginning, LATER rows are those of the log.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from salesnb.errors import Fault
from salesnb.history import look_up
from salesnb.importers import owner_log, stage_history
from salesnb.importers.owner_log import Earlier
from salesnb.importers.source import Source
from salesnb.importers.vendor import Made

START, LATER = 0, 1
NO_DEAL = "of a deal that is not in the data set"
OTHER_FIELDS = "of other fields"
SAVED = ("deal_id", "at", "stage")
DATED = ("deal_id", "at", "close_on")
MARKS = ("is_bulk",)  # columns beyond the schema that a log may add

# A source, and the column of it that each column of a table comes from.
Origin = tuple[Source | None, Mapping[str, str]]


@dataclass(eq=False)
class History:
    """What was saved of the deals.

    stages, dates : deal_id, at, and stage or close_on; `from_stages`, `from_dates` the sources
    outcome : of each deal, under the rows of the deals
    closed : the names of stages that are closed ones
    limit : the end of the day of the export
    places, date_places : the column of the log that each column comes from
    no_entry, no_date : why rows do not count; missing where they do
    closings : when each closed deal was last closed, by deal
    """

    outcome: pd.Series
    closed: set[str] = field(default_factory=set)
    limit: pd.Timestamp | None = None
    stages: pd.DataFrame = field(default_factory=lambda: nothing(SAVED))
    dates: pd.DataFrame = field(default_factory=lambda: nothing(DATED))
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
        return last_dates(self.dates, self.no_date)


def keyed(rows: pd.DataFrame, key: int) -> pd.DataFrame:
    """Rows of a source under `key` and their numbers."""
    index = pd.MultiIndex.from_arrays([[key] * len(rows), rows.index])
    return rows.set_axis(index)


def nothing(columns: tuple[str, ...]) -> pd.DataFrame:
    """No rows, in their types."""
    kinds = {"at": "datetime64[us]", "close_on": "datetime64[us]"}
    empty = pd.DataFrame({name: pd.Series(dtype=kinds.get(name, "str")) for name in columns})
    return keyed(empty, LATER)


def starts(
    deal_ids: pd.Series, created: pd.Series, changes: pd.DataFrame, name: str, now: pd.Series
) -> pd.DataFrame:
    """What each deal had when it was created: the first old value, or what it has now.

    `changes` has deal_id, at, old and the column `name`, rows of one time in their order.
    """
    first = changes.sort_values("at", kind="stable").drop_duplicates("deal_id")
    old = look_up(deal_ids, first.dropna(subset="deal_id").set_index("deal_id")["old"])
    is_changed = deal_ids.isin(first["deal_id"])
    value = old.where(is_changed, now).astype(now.dtype)
    return pd.DataFrame({"deal_id": deal_ids, "at": created, name: value})


def date_places(deal: str, at: str, date: str) -> dict[str, str]:
    """The columns of a source that close-date changes come from."""
    return {"deal_id": deal, "changed_at": at, "expected_close_on": date}


def order(made: Made, seen: pd.DataFrame, is_needed: bool, why: str = "") -> tuple[str, ...]:
    """The open stages in order; how that was found out is said, or a fault asks for it.

    `seen` is that of `stage_history.order`, whose reason `why` may replace.
    """
    columns = {"stage": "str", "probability": "float64", "place": "float64", "category": "float64"}
    seen = seen.reindex(columns=[*columns]).astype(columns)
    stages, found = stage_history.order(seen)
    why = why or found
    if stages:
        by = f", by {why}" if why else ""
        made.said.append(f"the open stages are {', '.join(stages)}{by}; --stages states others")
    elif is_needed:
        known = ", ".join(sorted(seen["stage"].dropna().unique()))
        expected = "the open stages in order: nothing in the export tells"
        made.faults.append(Fault("--stages", expected, value=known))
    return stages


def add(
    made: Made,
    history: History,
    earlier: list[Earlier],
    deals: Source,
    columns: Mapping[str, str],
    deal_ids: pd.Series,
    rep_id: pd.Series,
) -> None:
    """Add stage changes and close-date changes.

    `columns` are those of the deals that the beginnings come from: deal_id, at, stage, close_on.
    """
    if len(history.stages) or history.from_stages is not None:
        names = {"deal_id": "deal_id", "stage": "stage", "entered_at": "at"}
        from_deals = {name: columns[key] for name, key in names.items()}
        origins = (deals, from_deals), (history.from_stages, history.places)
        now = deal_ids, rep_id
        add_stages(made, history.stages, history.no_entry, earlier, now, *origins)
    if history.from_dates is not None:
        from_deals = date_places(columns["deal_id"], columns["at"], columns["close_on"])
        dated = (deals, from_deals), (history.from_dates, history.date_places)
        add_dates(made, history.dates, history.no_date, *dated)


def add_stages(
    made: Made,
    rows: pd.DataFrame,
    why: pd.Series,
    earlier: list[Earlier],
    now: tuple[pd.Series, pd.Series],
    *sources: Origin,
) -> None:
    """Add the stage changes among what was saved, and who owned the deal; see `_split`.

    `now` are the deals and their present owners.
    """
    entered = _renamed(rows, {"stage": "stage", "at": "entered_at"})
    if earlier:
        deal_ids, rep_id = now
        owners = pd.Series(rep_id.to_numpy(), deal_ids.to_numpy(), dtype="str")
        owners = owners[~owners.index.duplicated()]
        entered["rep_id"] = owner_log.owner_at(rows, earlier, owners)
    else:
        made.said.append("no owners over time in the export: stage changes have no rep_id")
    _split(made, "stage_changes", entered, why, *sources)


def add_dates(made: Made, rows: pd.DataFrame, why: pd.Series, *sources: Origin) -> None:
    """Add the close-date changes among what was saved; see `_split`."""
    changed = _renamed(rows, {"at": "changed_at", "close_on": "expected_close_on"})
    _split(made, "close_date_changes", changed, why, *sources)


def last_dates(dates: pd.DataFrame, why: pd.Series) -> pd.Series:
    """The close date that was last expected, by deal."""
    rows = dates[why.isna().to_numpy()].sort_values(["deal_id", "at"], kind="stable")
    return rows.groupby("deal_id")["close_on"].last()


def _renamed(rows: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    marks = [name for name in MARKS if name in rows]
    return rows[["deal_id", *names, *marks]].rename(columns=names)


def _split(made: Made, table: str, rows: pd.DataFrame, why: pd.Series, *sources: Origin) -> None:
    """Add the rows that count, as a part for each source they come from.

    The first level of `rows` is the place of their source among `sources`, the second its row.
    """
    for key, (source, places) in enumerate(sources):
        is_here = rows.index.get_level_values(0) == key
        if source is None or (len(source.rows) and not is_here.any()):
            continue
        kept = rows[is_here & why.isna().to_numpy()].droplevel(0)
        left_out = {str(reason): int(n) for reason, n in why[is_here].value_counts().items()}
        columns = {str(name): kept[name] for name in kept}
        made.parts.append(source.part(table, columns, places, left_out))
