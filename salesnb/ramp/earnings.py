"""What hires win by month since the hire, and colleagues of long standing in the same months.

A month is a twelfth of 365.25 days counted from the day of the hire, so that nobody's first month
is cut short.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t as student

from salesnb import stats
from salesnb.metrics import ramp as measured
from salesnb.metrics.answers import PEERS
from salesnb.metrics.ledger import DAY, Ledger
from salesnb.metrics.presence import DAYS_A_MONTH
from salesnb.metrics.ramp import TENURED_MONTHS

DRAWS, SEED = 2000, 6


@dataclass(frozen=True, eq=False)
class Earnings:
    """Amounts won, hires x months since the hire.

    hires : one row per hire: rep_id, hired_on, left_on
    won : own deals won in the month; NaN in a month that is not over
    is_there : whether on the team for the whole month
    tenured : what a colleague at least a year on the team won in the same days, on average; NaN
        for the first weeks on record, when deals opened before that are missing
    usual : what each colleague of long standing won in a month on the team (of the last year)
    """

    hires: pd.DataFrame
    won: np.ndarray
    is_there: np.ndarray
    tenured: np.ndarray
    usual: np.ndarray

    @property
    def n(self) -> np.ndarray:
        """Hires whose month is over, by month."""
        return (~np.isnan(self.won)).sum(axis=0)

    def first(self, months: int) -> "Earnings":
        """The same up to so many months, those that too few hires have behind them left out."""
        months = min(months, int((self.n >= PEERS).sum()))
        won, there, tenured = (a[:, :months] for a in (self.won, self.is_there, self.tenured))
        return Earnings(self.hires, won, there, tenured, self.usual)

    def draws(self) -> np.ndarray:
        """How often each hire counts: once, then as drawn in bootstrap samples."""
        return np.vstack([np.ones(len(self.hires)), resampled(len(self.hires), SEED)])


def resampled(n: int, seed: int) -> np.ndarray:
    """How often each of `n` cases is drawn in each bootstrap sample (draws x cases)."""
    if not n:
        return np.zeros((DRAWS, 0), int)
    return np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), DRAWS)


def interval(value: np.ndarray, drawn: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ends of the 90 % bootstrap interval, wider for few cases as Student's t is.

    `drawn` are draws x values; a value that some draws do not have counts as endless there, and an
    end that falls among these is NaN.
    """
    n = np.asarray(n, float)
    few = np.where(n > 1, student.ppf((1 + stats.LEVEL) / 2, np.maximum(n - 1, 1)), np.nan)
    wider = few / stats.z() * np.sqrt(n / np.maximum(n - 1, 1))
    tail = (1 - stats.LEVEL) / 2
    ends = np.where(np.isnan(drawn), np.inf, drawn)
    low, high = np.quantile(ends, [tail, 1 - tail], axis=0, method="inverted_cdf")
    with np.errstate(invalid="ignore"):  # of an endless value the draws alone tell the low end
        low = np.where(np.isfinite(value), np.minimum(value - wider * (value - low), value), low)
        high = np.maximum(value + wider * (high - value), value)
    return low, np.where(np.isfinite(high), high, np.nan)


def earnings(book: Ledger) -> Earnings:
    """What every hire since the first deal on record has won so far, month by month.

    A month after a hire has left counts as one without a win: that is what hiring them brought.
    """
    hires, as_of = measured.hires(book), book.team.as_of
    over = ((as_of + DAY - hires["hired_on"]).dt.days / DAYS_A_MONTH).to_numpy()
    months = int(over.max(initial=0))
    deals = measured.deals_of_hires(book)
    deals = deals[(deals["outcome"] == "won") & ~deals["is_inherited"]]
    since = (((deals["closed_on"] - deals["hired_on"]).dt.days + 0.5) / DAYS_A_MONTH).to_numpy()
    inside = since < months
    rep = pd.Index(hires["rep_id"]).get_indexer(pd.Index(deals["rep_id"]))[inside]
    won = np.zeros((len(hires), months))
    np.add.at(won, (rep, since[inside].astype(int)), deals["amount"].fillna(0).to_numpy()[inside])
    ends = np.arange(1, months + 1)
    stayed = ((hires["left_on"] - hires["hired_on"]).dt.days / DAYS_A_MONTH).fillna(np.inf)
    return Earnings(
        hires=hires,
        won=np.where(ends <= over[:, None], won, np.nan),
        is_there=ends <= stayed.to_numpy()[:, None],
        tenured=_beside(book, hires, months),
        usual=_usual(book),
    )


def _beside(book: Ledger, hires: pd.DataFrame, months: int) -> np.ndarray:
    """What the average tenured colleague won in each hire's months."""
    days, present, won = _tenured(book)
    if not len(days):
        return np.full((len(hires), months), np.nan)
    n = present.sum(axis=0)
    daily = np.divide(won.sum(axis=0), n, out=np.zeros(len(days)), where=n > 0)
    until = np.r_[0.0, np.cumsum(daily)]
    start = (hires["hired_on"] - days[0]).dt.days.to_numpy()[:, None]
    edges = np.round(start + DAYS_A_MONTH * np.arange(months + 1)).astype(int)
    beside = np.diff(until[np.clip(edges, 0, len(days))], axis=1)
    return np.where(edges[:, :-1] < _cycle_days(book), np.nan, beside)


def _cycle_days(book: Ledger) -> float:
    """Days that four in five won deals took: until then the record holds too few wins."""
    won = book.deals[book.deals["outcome"] == "won"]
    days = (won["closed_on"] - won["created_on"]).dt.days
    return float(days.quantile(0.8)) if len(days) else 0.0


def _usual(book: Ledger) -> np.ndarray:
    """A month's wins of each tenured colleague, over the last year's days on the team."""
    _, present, won = _tenured(book)
    there, sold = (each[:, -365:].sum(axis=1) for each in (present, won))
    enough = there >= 2 * DAYS_A_MONTH
    return np.asarray(sold[enough] / there[enough] * DAYS_A_MONTH)


def _tenured(book: Ledger) -> tuple[pd.DatetimeIndex, np.ndarray, np.ndarray]:
    """The days since the first deal; who was then tenured, and what they won (reps x days)."""
    team, deals = book.team, book.deals
    began = deals["created_on"].min()
    days = pd.date_range(began if pd.notna(began) else team.as_of + DAY, team.as_of, unit="us")
    reps = team.reps.set_index("rep_id").sort_index()
    since = (reps["hired_on"] + pd.DateOffset(months=TENURED_MONTHS)).to_numpy()[:, None]
    day = days.to_numpy()[None, :]
    present = ~(since > day) & ~(reps["left_on"].to_numpy()[:, None] < day)
    sold = deals[(deals["outcome"] == "won") & (deals["closed_on"] >= began)]
    rep = reps.index.get_indexer(pd.Index(sold["rep_id"]))
    amount = np.zeros(present.shape)
    place = (rep, (sold["closed_on"] - began).dt.days.to_numpy())
    np.add.at(amount, place, sold["amount"].fillna(0).to_numpy())
    return days, present, amount * present
