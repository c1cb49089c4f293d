"""Of the deals that left a stage, how many went on, quarter by quarter: what a trend line shows."""

from collections.abc import Sequence

import pandas as pd

from salesnb.language import say, to_say

QUARTERS, FEWEST = 8, 10  # points of a line; deals below which a quarter shows chance
YOUNG = pd.DateOffset(months=6)  # of a log, in which only what ends soon has ended
WHAT_IT_SHOWS = to_say(
    "Trend: of the deals that left the stage, the share that went on, in each of the last "
    "{quarters} quarters; left out are those with fewer than {n} and those in the first six months "
    "on record."
)


def gone_on(visits: pd.DataFrame, keys: Sequence[str], last: pd.Timestamp) -> pd.DataFrame:
    """The share gone on among the visits that ended in each quarter up to a day, the oldest first.

    Parameters
    ----------
    visits : outcome, entered_at, left_at and `keys`
    last : the last day of the last quarter; the others end three, six, ... months earlier

    Returns
    -------
    DataFrame
        One row per value of `keys`, one column per quarter; blank below ten visits, and for
        quarters that begin in the first six months on record
    """
    ends = [last - pd.DateOffset(months=3 * back) for back in range(QUARTERS, -1, -1)]
    left = visits[visits["left_at"].notna() & (visits["outcome"] != "open")]
    quarter = pd.cut(left["left_at"].dt.normalize(), ends, labels=range(QUARTERS))
    left = left.assign(quarter=quarter.astype(float), has_advanced=left["outcome"].eq("advanced"))
    cells = left.groupby([*keys, "quarter"])["has_advanced"].agg(["mean", "size"])
    enough = cells.loc[cells["size"] >= FEWEST, "mean"].reset_index()
    shares = enough.pivot_table(index=[*keys], columns="quarter", values="mean")
    begun = visits["entered_at"].min() + YOUNG
    told = [place for place, before in enumerate(ends[:-1]) if before >= begun]
    return shares.reindex(columns=told).reindex(columns=range(QUARTERS))


def what_it_shows() -> str:
    """What is drawn, for whoever reads the table."""
    return say(WHAT_IT_SHOWS, quarters=QUARTERS, n=FEWEST)
