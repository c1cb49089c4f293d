"""Metrics of expected close dates: slippage, pushes, and what the pipeline forecast was worth."""

import numpy as np
import pandas as pd

from salesnb.language import say
from salesnb.metrics import tally
from salesnb.metrics.ledger import DAY
from salesnb.metrics.view import View, quarters

YEAR = pd.Timedelta(days=365)


def slippage_rate(view: View) -> pd.DataFrame:
    """Deals due in a quarter when it began, but still open at its end / all due when it began.

    Summed over the whole fiscal quarters in the period, or over the period if it holds none. A
    deal whose date was moved beyond the quarter is still open at its end; the owner when the
    quarter began counts.
    """
    rows = view.due
    return tally.share(view, rows, rows["is_slipped"])


def slippage_amount_share(view: View) -> pd.DataFrame:
    """Amount slipped / amount due when the quarter began, as `slippage_rate`."""
    rows = view.due
    return tally.share(view, rows, rows["is_slipped"], weight=rows["amount"])


def moves(view: View) -> pd.DataFrame:
    """Changes of expected close dates in the period: `days` later (below 0: earlier), `is_push`.

    A push moves the date into a later calendar month. The first date of a deal is no change.
    """
    log = view.ledger.close_dates
    log = log[log["from_on"].notna() & view.within(log["changed_at"])]
    before, to = log["from_on"], log["expected_close_on"]
    month, month_before = (d.dt.year * 12 + d.dt.month for d in (to, before))
    log = log.assign(days=(to - before).dt.days, is_push=month > month_before)
    return view.scoped(log.assign(is_within=(log["days"] > 0) & ~log["is_push"]))


def push_count(view: View) -> pd.DataFrame:
    """Times a close date was moved into a later calendar month, in the period."""
    rows = moves(view)
    return tally.number(view, rows[rows["is_push"]])


def within_month_push_count(view: View) -> pd.DataFrame:
    """Times a close date was moved later within its calendar month, in the period."""
    rows = moves(view)
    return tally.number(view, rows[rows["is_within"]])


def pushed_days(view: View) -> pd.DataFrame:
    """Median days by which a push into a later month moved the close date, in the period."""
    rows = moves(view)
    rows = rows[rows["is_push"]]
    return tally.middle(view, rows, rows["days"])


def pushes_per_deal(view: View) -> pd.DataFrame:
    """Pushes into a later month in the period / deals open at some time in it."""
    deals = view.ledger.deals
    is_live = (deals["created_on"] < view.ends_on + DAY) & ~(deals["closed_on"] < view.starts_on)
    return tally.ratio(push_count(view), tally.number(view, view.scoped(deals[is_live])))


def forecasts(view: View) -> pd.DataFrame:
    """What the pipeline forecast for each whole quarter of the period, and what came, by scope.

    forecast_amount : amount due in the quarter when it began x the team's value win rate of the
    year before, NaN without one; actual_amount : amount won in the quarter
    """
    deals, due = view.ledger.deals, view.due
    parts = []
    for first, last in quarters(view):
        before = deals[deals["closed_on"].between(first - YEAR, first - DAY)]
        decided = before["amount"].sum()
        won = before.loc[before["outcome"] == "won", "amount"].sum()
        is_won = (deals["outcome"] == "won") & deals["closed_on"].between(first, last)
        came, seen = view.scoped(deals[is_won]), due[due["starts_on"] == first]
        rate = won / decided if decided > 0 else np.nan
        forecast = rate * tally.total(view, seen, seen["amount"])["value"]
        actual = tally.total(view, came, came["amount"])["value"]
        parts.append(view.labels().assign(forecast_amount=forecast, actual_amount=actual))
    return pd.concat(parts)


def forecast_accuracy(view: View) -> pd.DataFrame:
    """1 - sum of abs(forecast - actual) / sum of actual, over the whole quarters of the period.

    Forecast of a quarter on its first day: amount due in it x the team's value win rate of the
    year before. The tables hold no forecast of the reps' own. n: quarters.
    """
    rows = forecasts(view)
    found = _over_actual(view, rows, (rows["forecast_amount"] - rows["actual_amount"]).abs())
    return found.assign(value=1 - found["value"])


def forecast_bias(view: View) -> pd.DataFrame:
    """(Forecast - actual) / actual, over the whole quarters of the period: above 0, too rosy.

    The forecast is that of `forecast_accuracy`.
    """
    rows = forecasts(view)
    return _over_actual(view, rows, rows["forecast_amount"] - rows["actual_amount"])


def _over_actual(view: View, rows: pd.DataFrame, off: pd.Series) -> pd.DataFrame:
    rows = rows.assign(off=off, n=1).dropna(subset="forecast_amount")
    sums = rows.groupby("scope")[["off", "actual_amount", "n"]].sum().reindex(view.scopes)
    sums = sums.fillna(0.0).reset_index(drop=True)
    value = sums["off"] / sums["actual_amount"].where(sums["actual_amount"] > 0)
    found = tally.plain(view.labels(), value, sums["n"])
    is_known = sums["n"] > 0
    return found.assign(why=np.where(is_known, say("nothing was won"), say("no earlier quarter")))
