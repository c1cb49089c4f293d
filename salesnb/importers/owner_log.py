"""Who owned deals over time."""

from dataclasses import dataclass

import pandas as pd

from salesnb.history import look_up
from salesnb.importers.source import Source


@dataclass(frozen=True, eq=False)
class Earlier:
    """Owners over time: `rep_id` from `at` on in the first of two, until then in the second."""

    source: Source
    deal_id: pd.Series
    at: pd.Series
    rep_id: pd.Series
    place: str


def owner_at(rows: pd.DataFrame, earlier: list[Earlier], now: pd.Series) -> pd.Series:
    """Who owned the deal: the last new owner before, else the first old one, else the present.

    `rows` has deal_id and at; `earlier` are the new owners and the old ones; `now` is by deal.
    """
    new, old = (
        pd.DataFrame({"deal_id": each.deal_id, "at": each.at, "rep_id": each.rep_id})
        for each in earlier
    )
    new, old = (each.dropna(subset=["at"]).sort_values("at", kind="stable") for each in (new, old))
    left = rows[["deal_id", "at"]].assign(place=range(len(rows))).dropna(subset=["at"])
    left = left.sort_values("at", kind="stable")
    before = pd.merge_asof(left, new, on="at", by="deal_id").set_index("place")["rep_id"]
    first = old.drop_duplicates("deal_id").set_index("deal_id")["rep_id"]
    found = before.reindex(range(len(rows))).set_axis(rows.index).astype("str")
    return found.fillna(look_up(rows["deal_id"], first)).fillna(look_up(rows["deal_id"], now))
