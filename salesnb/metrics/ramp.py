"""Metrics of new hires: the first deal of their own, and when they carry their share."""

import numpy as np
import pandas as pd

from salesnb import stats
from salesnb.history import look_up
from salesnb.metrics.presence import DAYS_A_MONTH
from salesnb.metrics.view import DAY, View

WINDOW = 3  # months looked back on
SHARE = 0.8  # of the tenured median
TENURED_MONTHS = 12
TENURED_REPS = 3  # as many it takes for a median


def time_to_first_deal_days(view: View) -> pd.DataFrame:
    """Median days from hire to the close of the first won deal created after the hire.

    Kaplan-Meier over the reps hired since the first deal on record: inherited deals do not
    count; who has none yet is censored, who left without one never has one (leaving competes).
    """
    hires = _hires(view)
    deals = view.ledger.deals.merge(hires, on="rep_id")
    own = deals[(deals["outcome"] == "won") & (deals["created_on"] >= deals["hired_on"])]
    first = own.groupby("rep_id")["closed_on"].min()
    return _waited(view, hires, look_up(hires["rep_id"], first), 1.0)


def ramp_months(view: View) -> pd.DataFrame:
    """Median months from hire until a rep's trailing 3 months reach 80 % of the tenured median.

    The won amount of three calendar months after the hire, held in the next month too, against
    the median of reps at least 12 months on the team before the window. Kaplan-Meier over the
    reps hired since the first deal on record: who has not ramped yet is censored, who left
    before never ramps (leaving competes).
    """
    hires = _hires(view)
    return _waited(view, hires, look_up(hires["rep_id"], _ramped_on(view)), 1 / DAYS_A_MONTH)


def _hires(view: View) -> pd.DataFrame:
    """Reps hired since the first deal on record: rep_id, hired_on."""
    reps, began = view.team.reps, view.ledger.deals["created_on"].min()
    is_new = (reps["hired_on"] >= began) & (reps["hired_on"] <= view.team.as_of)
    return reps.loc[is_new, ["rep_id", "hired_on"]]


def _waited(view: View, hires: pd.DataFrame, reached: pd.Series, scale: float) -> pd.DataFrame:
    """The median wait of each scope.

    A leaver is kept waiting until `as_of`: with every censoring time known, that makes 1 - the
    Kaplan-Meier curve the cumulative incidence with leaving as competitor (Fine and Gray 1999).
    """
    days = (reached.fillna(view.team.as_of) - hires["hired_on"]).dt.days * scale
    rows = view.scoped(hires.assign(days=days, is_there=reached.notna()))
    labels, code = view.labels(), view.codes(rows)
    curve = stats.incidence(rows["days"].to_numpy(), rows["is_there"].to_numpy(int), code)
    found = labels.join(stats.waiting_time(curve, len(labels)))
    return found.assign(why=np.where(found["n"] > 0, "not yet", "no hires since records began"))


def _ramped_on(view: View) -> pd.Series:
    """The day by which each rep had ramped, by rep_id; reps who have not are left out."""
    reps = view.team.reps.set_index("rep_id")
    won = _won_by_month(view, reps.index)
    if won.shape[1] <= WINDOW:
        return pd.Series(dtype="datetime64[us]")
    trailing = won.T.rolling(WINDOW).sum().T
    months = pd.PeriodIndex(won.columns)
    ends = months.to_timestamp(how="end").normalize()
    begins = (months - (WINDOW - 1)).to_timestamp()
    hired, left = reps["hired_on"].to_numpy()[:, None], reps["left_on"].to_numpy()[:, None]
    tenured_since = (begins - pd.DateOffset(months=TENURED_MONTHS)).to_numpy()[None, :]
    is_tenured = ~(hired > tenured_since) & ~(left < ends.to_numpy()[None, :])
    median = trailing.where(is_tenured).median().where(is_tenured.sum(axis=0) >= TENURED_REPS)
    hire_month = reps["hired_on"].dt.to_period("M").dt.to_timestamp().to_numpy()[:, None]
    is_after = begins.to_numpy()[None, :] >= hire_month
    is_there = (trailing >= SHARE * median) & (median > 0) & is_after
    held = is_there & is_there.shift(-1, axis=1, fill_value=False)
    first = held.to_numpy().argmax(axis=1)
    return pd.Series(ends[first], index=reps.index)[held.any(axis=1)]


def _won_by_month(view: View, rep_ids: pd.Index) -> pd.DataFrame:
    """Amount won by rep and whole calendar month, from the first deal on record to `as_of`."""
    deals = view.ledger.deals
    began = deals["created_on"].min()
    began = view.team.as_of if pd.isna(began) else began
    months = pd.period_range(began, (view.team.as_of + DAY).to_period("M") - 1, freq="M")
    won = deals[deals["outcome"] == "won"].assign(month=deals["closed_on"].dt.to_period("M"))
    by_month = won.pivot_table(index="rep_id", columns="month", values="amount", aggfunc="sum")
    return by_month.reindex(index=rep_ids, columns=months).fillna(0.0)
