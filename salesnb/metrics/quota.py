"""Metrics of quotas: attainment, and the pipeline that covers what is left of them."""

from dataclasses import replace

import numpy as np
import pandas as pd

from salesnb.history import look_up
from salesnb.language import say
from salesnb.metrics import tally
from salesnb.metrics.ledger import DAY
from salesnb.metrics.presence import RAMP_MONTHS
from salesnb.metrics.rates import value_win_rate
from salesnb.metrics.view import View
from salesnb.team import Team


def quota_rows(view: View, *, is_full: bool = False) -> pd.DataFrame:
    """Each quota as far as it lies in the period: what was due in it, and what was won.

    rep_id, scope
    due_amount : the quota x (days at work in the period / days of the quota's own period)
    won_amount, n_won : of the deals that this rep closed in the same days
    """
    team, quotas = view.team, view.team.quotas
    inside = (quotas["starts_on"] <= view.ends_on) & (quotas["ends_on"] >= view.starts_on)
    quotas = quotas[inside & quotas["rep_id"].isin(team.reps["rep_id"])]
    at_work = view.at_work
    rep = at_work.index.get_indexer(pd.Index(quotas["rep_id"]))
    first = ((quotas["starts_on"] - view.starts_on).dt.days).clip(lower=0).to_numpy()
    last = (quotas["ends_on"] - view.starts_on).dt.days.clip(upper=at_work.shape[1] - 1).to_numpy()
    won, n_won = _won_by_day(view, at_work)

    def between(by_day: np.ndarray) -> np.ndarray:
        so_far = np.cumsum(np.pad(by_day, ((0, 0), (1, 0))), axis=1)
        return so_far[rep, last + 1] - so_far[rep, first]

    length = (quotas["ends_on"] - quotas["starts_on"]).dt.days + 1
    amount = _full(team, quotas) if is_full else quotas["amount"]
    due = {"due_amount": amount * between(at_work.to_numpy(float)) / length}
    rows = quotas.assign(**due, won_amount=between(won), n_won=between(n_won))
    return view.scoped(rows[["rep_id", "due_amount", "won_amount", "n_won"]])


def _full(team: Team, quotas: pd.DataFrame) -> pd.Series:
    """The quotas, those of new hires raised to the median of the others in the same period."""
    hired_on = look_up(quotas["rep_id"], team.reps.set_index("rep_id")["hired_on"])
    is_new = quotas["starts_on"] < hired_on + pd.DateOffset(months=RAMP_MONTHS)
    others = quotas["amount"].mask(is_new)
    median = others.groupby([quotas["starts_on"], quotas["ends_on"]]).transform("median")
    return quotas["amount"].where(~(is_new & (median > quotas["amount"])), median)


def _won_by_day(view: View, at_work: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Amount and number of the deals each rep won each day, in the shape of `at_work`."""
    deals = view.ledger.deals_of(view.members["rep_id"])
    won = deals[(deals["outcome"] == "won") & view.within(deals["closed_on"])]
    rep = at_work.index.get_indexer(pd.Index(won["rep_id"]))
    day = (won["closed_on"] - view.starts_on).dt.days.to_numpy()
    amount, n = np.zeros(at_work.shape), np.zeros(at_work.shape)
    np.add.at(amount, (rep, day), won["amount"].fillna(0).to_numpy())
    np.add.at(n, (rep, day), 1)
    return amount, n


def quota_amount(view: View) -> pd.DataFrame:
    """Quota of the period, prorated for start, leave and departure; n: quota periods.

    A quota counts by the share of its days that fall into the period and find the rep at work.
    """
    rows = quota_rows(view)
    return tally.total(view, rows, rows["due_amount"])


def quota_attainment(view: View) -> pd.DataFrame:
    """Amount won / quota prorated for start, leave and departure, in the period.

    The quota is the one that was set, so a new hire's is the ramped one if theirs was set lower;
    wins count on the days for which there is a quota.
    """
    return _attainment(view, quota_rows(view))


def quota_attainment_full(view: View) -> pd.DataFrame:
    """Amount won / full quota, prorated for start, leave and departure, in the period.

    The full quota of a rep in the first six months is the median of those of the other reps for
    the same days, if that is more than was set; all else is as in `quota_attainment`.
    """
    return _attainment(view, quota_rows(view, is_full=True))


def _attainment(view: View, rows: pd.DataFrame) -> pd.DataFrame:
    found = tally.ratio(
        tally.total(view, rows, rows["won_amount"]), tally.total(view, rows, rows["due_amount"])
    )
    n_won = tally.total(view, rows, rows["n_won"])["value"]
    return found.assign(n=n_won, why=say("no quota"))


def coming_quarter(team: Team) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The fiscal quarter still to be worked: the one that holds the day after `as_of`."""
    return fiscal_quarter(team, team.as_of + DAY)


def fiscal_quarter(team: Team, day: pd.Timestamp) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First and last day of the fiscal quarter that holds a day."""
    months = (day.month - team.settings.fiscal_year_starts) % 3
    first = day.replace(day=1) - pd.DateOffset(months=months)
    return first.as_unit("us"), (first + pd.DateOffset(months=3) - DAY).as_unit("us")


def coverage(view: View) -> pd.DataFrame:
    """What `pipeline_coverage` divides, by scope: `open_amount`, `left_amount`, `n`, `has_quota`.

    Only reps with a quota in the coming quarter count, on both sides.
    """
    quarter = _coming(view)
    quotas = quota_rows(quarter)
    deals = _due(quarter, quotas)
    open_amount = tally.total(view, deals, deals["amount"])
    quota = tally.total(view, quotas, quotas["due_amount"])
    won = tally.total(view, quotas, quotas["won_amount"])
    has_quota = quota["value"] > 0
    return open_amount[["scope", "n"]].assign(
        open_amount=open_amount["value"],
        left_amount=(quota["value"] - won["value"]).where(has_quota),
        has_quota=has_quota,
    )


def due(view: View) -> pd.DataFrame:
    """The open deals due in the coming quarter, of reps with a quota in it."""
    quarter = _coming(view)
    return _due(quarter, quota_rows(quarter))


def _due(quarter: View, quotas: pd.DataFrame) -> pd.DataFrame:
    deals = quarter.open[quarter.within(quarter.open["expected_close_on"])]
    return deals[deals["rep_id"].isin(quotas.loc[quotas["due_amount"] > 0, "rep_id"].unique())]


def _coming(view: View) -> View:
    first, last = coming_quarter(view.team)
    return replace(view, starts_on=first, ends_on=last)


def pipeline_coverage(view: View) -> pd.DataFrame:
    """Open amount due in the coming quarter / (its quota - won in it so far).

    The coming quarter is the fiscal quarter that holds the day after `as_of`. Where nothing is
    left of the quota there is no ratio: it reads "met".
    """
    rows = coverage(view)
    is_met = rows["left_amount"] <= 0
    value = rows["open_amount"] / rows["left_amount"].where(rows["left_amount"] > 0)
    why = np.where(is_met, say("met"), _why_none(rows))
    return tally.plain(view.labels(), value, rows["n"]).assign(why=why)


def quota_left_amount(view: View) -> pd.DataFrame:
    """Quota of the coming quarter - won in it so far; below 0 once it is met."""
    rows = coverage(view)
    found = tally.plain(view.labels(), rows["left_amount"], rows["n"])
    return found.assign(why=_why_none(rows))


def required_coverage(view: View) -> pd.DataFrame:
    """1 / value win rate of the period: the pipeline that a quota needs, never a fixed 3x."""
    rate = value_win_rate(view)
    ends = {"value": "value", "value_low": "value_high", "value_high": "value_low"}
    over = {end: 1 / rate[source].where(rate[source] > 0) for end, source in ends.items()}
    return rate.assign(**over)


def _why_none(rows: pd.DataFrame) -> np.ndarray:
    return np.where(rows["has_quota"], "", say("no quota for the quarter"))
