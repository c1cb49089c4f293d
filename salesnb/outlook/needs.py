"""What the quota needs: so much of it each day ahead, and so much open pipeline to carry it."""

import numpy as np
import pandas as pd

from salesnb.outlook.book import YEAR, Book
from salesnb.weekly import DAY

QUARTER = 13 * 7  # days of quota that an open pipeline has to carry
EVERY, LOOKS = 28, 10  # days between looks back, and looks, that measure what a pipeline yields
WINS = 8.0  # wins' worth of the team's yield that a rep's own is weighed against


def required_coverage(book: Book) -> tuple[np.ndarray, np.ndarray]:
    """Open amount per amount won in the quarter that follows, of each rep, and what stands behind.

    The measured form of 1 / value win rate: it holds however long deals stay open and however
    many are dead. Taken on several days of the last year whose following quarter has passed, and
    shrunken towards the team's; NaN where nothing was won. The evidence is counted in wins of
    equal size (Kish 1965), the team's included.
    """
    deals, n = book.deals, len(book.rep_id)
    sums = np.zeros((3, n + 1))
    first = deals["created_on"].min() + QUARTER * DAY
    for look in range(LOOKS):
        day = book.team.as_of - (QUARTER + EVERY * look) * DAY
        if not day >= first:
            break
        then = (deals["closed_on"] > day) & (deals["closed_on"] <= day + QUARTER * DAY)
        won = deals["amount"].where(then & (deals["outcome"] == "won")).fillna(0.0)
        was_open = (deals["created_on"] <= day) & ~(deals["closed_on"] <= day)
        for row, amount in enumerate((won, won**2, deals["amount"].where(was_open).fillna(0.0))):
            # The last place is for those who are not on the team any more.
            sums[row] += np.bincount(deals["rep"] % (n + 1), amount, n + 1)
    won, squares, was_open = sums * EVERY / QUARTER  # the looks overlap
    if won.sum() == 0 or was_open.sum() == 0:
        return np.full(n, np.nan), np.full(n, WINS)
    share = won.sum() / was_open.sum()
    n_won = np.divide(won**2, squares, out=np.zeros(n + 1), where=squares > 0)
    own = n_won / (n_won + WINS)
    found = np.divide(won, was_open, out=np.full(n + 1, share), where=was_open > 0)
    return (1 / (own * found + (1 - own) * share))[:n], (n_won + WINS)[:n]


def quota_by_day(book: Book, n_days: int) -> tuple[np.ndarray, np.ndarray]:
    """Quota of each rep on each day ahead (reps x days), and whether one was ever set.

    Beyond the last quota it goes on as it was. Where none was set it is what the rep won per day
    in the last year.
    """
    team = book.team
    day = pd.date_range(team.as_of + DAY, periods=n_days, unit="us").to_numpy()
    per_day = np.tile(_won_per_day(book)[:, None], n_days)
    rows = team.quotas.sort_values(["starts_on", "ends_on"], ascending=[True, False])
    rep = book.rep_id.get_indexer(pd.Index(rows["rep_id"]))
    is_set = np.isin(np.arange(len(book.rep_id)), rep)
    per_day[is_set] = 0.0
    length = (rows["ends_on"] - rows["starts_on"]).dt.days.to_numpy() + 1
    rates = rows["amount"].to_numpy() / length
    for who, begins, rate in zip(rep, rows["starts_on"].to_numpy(), rates, strict=True):
        if who >= 0:
            per_day[who, day >= begins] = rate
    return per_day, is_set


def _won_per_day(book: Book) -> np.ndarray:
    """Amount each rep won per day of the last year on the team; of a quarter at least."""
    team, deals, n = book.team, book.deals, len(book.rep_id)
    if deals.empty:
        return np.zeros(n)
    first = max(deals["created_on"].min(), team.as_of - YEAR * DAY)
    hired = team.reps.set_index("rep_id")["hired_on"].reindex(book.rep_id)
    days = (team.as_of - hired.fillna(first).clip(lower=first)).dt.days.to_numpy(float)
    won = deals[(deals["outcome"] == "won") & (deals["closed_on"] > first) & (deals["rep"] >= 0)]
    amount = np.bincount(won["rep"], won["amount"].fillna(0.0), n)
    return amount / np.maximum(days, QUARTER)
