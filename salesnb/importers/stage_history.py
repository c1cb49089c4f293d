"""From what was saved of deals over time to entered stages and new expected close dates.

`saved` has a row for each save: deal_id, at, stage; or deal_id, at, close_on. Of each row it is
told why it is none that counts; where nothing is told, it counts.
"""

from collections.abc import Set

import pandas as pd

SAME_STAGE = "saved without a new stage"
SAME_DATE = "saved without a new close date"
CLOSING = "closing, which the deals tell"
CLOSED = "of a closed deal"
AT_ONCE = "the same stage at the same time"
NO_DATE = "without a close date"


def why_no_entry(saved: pd.DataFrame, closed: Set[str]) -> pd.Series:
    """Why each row enters no open stage; `closed` are the stages that are none of the open ones."""
    rows = _in_order(saved)
    is_closing = rows["stage"].isin(closed)
    is_same = (rows["stage"] == rows.groupby("deal_id")["stage"].shift()) & ~is_closing
    kept = rows[~is_same & ~is_closing]
    again = kept.index[kept.duplicated(["deal_id", "stage", "at"])]
    why = pd.Series(pd.NA, rows.index, dtype="str")
    why = why.mask(is_same, SAME_STAGE).mask(is_closing, CLOSING)
    why = why.mask(why.index.isin(again), AT_ONCE)
    return why.reindex(saved.index)


def why_no_date(saved: pd.DataFrame, is_closed: pd.Series) -> pd.Series:
    """Why each row is no new close date that was expected; that of closing a deal is none."""
    is_blank = saved["close_on"].isna() & ~is_closed
    rows = _in_order(saved[~is_closed & ~is_blank])
    is_same = rows["close_on"] == rows.groupby("deal_id")["close_on"].shift()
    why = pd.Series(pd.NA, saved.index, dtype="str").mask(is_closed, CLOSED).mask(is_blank, NO_DATE)
    return why.mask(is_same.reindex(saved.index, fill_value=False), SAME_DATE)


def closings(saved: pd.DataFrame, closed: Set[str]) -> pd.Series:
    """When each closed deal was last closed, by deal; a deal that was opened again has no time."""
    rows = _in_order(saved)
    is_closed = rows["stage"].isin(closed)
    last_open = rows["at"].where(~is_closed).groupby(rows["deal_id"]).transform("max")
    ends = rows[is_closed & ~(rows["at"] < last_open)]
    return ends.groupby("deal_id")["at"].min()


def n_reopened(saved: pd.DataFrame, closed: Set[str]) -> int:
    """How many deals entered an open stage after they were closed."""
    rows = _in_order(saved)
    is_closed = rows["stage"].isin(closed)
    was_closed = is_closed.groupby(rows["deal_id"]).shift(fill_value=False).astype(bool)
    return int(rows.loc[was_closed & ~is_closed, "deal_id"].nunique())


def order(seen: pd.DataFrame) -> tuple[tuple[str, ...], str]:
    """The stages in order, and by what; no stages where nothing tells.

    `seen` has stage, probability (0-100), place (the share of a deal's stages before this one) and
    category (the rank of its forecast category). The median of the first that all stages have
    decides, then that of the next.
    """
    names = {
        "probability": "their probability",
        "place": "the order in which deals entered them",
        "category": "their forecast category",
    }
    table = seen.dropna(subset="stage").groupby("stage")[[*names]].median()
    used = [name for name in names if table[name].min(skipna=False) < table[name].max()]
    if len(table) > 1 and not used:
        return (), ""
    stages = table.reset_index().sort_values([*used, "stage"], kind="stable")["stage"]
    return tuple(stages), " and ".join(names[name] for name in used[:1])


def places(entered: pd.DataFrame) -> pd.Series:
    """Where in its deal each entry stands: 0 for the first, 1 for the last, missing alone."""
    rows = _in_order(entered)
    n = rows.groupby("deal_id").cumcount()
    last = rows.groupby("deal_id")["stage"].transform("size") - 1
    return (n / last.where(last > 0)).reindex(entered.index)


def _in_order(saved: pd.DataFrame) -> pd.DataFrame:
    return saved.sort_values(["deal_id", "at"], kind="stable")
