"""Metrics of new hires: the first deal of their own, and when they carry their share."""

import numpy as np
import pandas as pd

from salesnb import stats
from salesnb.history import among, look_up
from salesnb.language import say
from salesnb.metrics.ledger import DAY, Ledger
from salesnb.metrics.presence import DAYS_A_MONTH
from salesnb.metrics.view import View
from salesnb.team import Team

WINDOW = 3  # months looked back on
SHARE = 0.8  # of the tenured median
TENURED_MONTHS = 12
TENURED_REPS = 3  # as many it takes for a median


def time_to_first_deal_days(view: View) -> pd.DataFrame:
    """Median days from hire to the close of the first won deal created after the hire.

    Kaplan-Meier over the reps hired since the first deal on record: inherited deals do not
    count; who has none yet is censored, who left without one never has one (leaving competes).
    """
    return _waited(view, first_wins(view.ledger), view.team.as_of, 1.0)


def ramp_months(view: View) -> pd.DataFrame:
    """Median months from hire until a rep's trailing 3 months reach 80 % of the tenured median.

    The amount won of three calendar months after the hire, inherited deals left out, held in the
    next month too, against the median of reps at least 12 months on the team before the window.
    Kaplan-Meier over the reps hired since the first deal on record: who has not ramped by the last
    month of which that can be said is censored, who left before never ramps (leaving competes).
    """
    ledger = view.ledger
    return _waited(view, ramped(ledger), decided_until(ledger.team), 1 / DAYS_A_MONTH)


def hires(ledger: Ledger) -> pd.DataFrame:
    """Reps hired since the first deal on record: rep_id, hired_on, left_on, role, region."""
    reps, began = ledger.team.reps, ledger.deals["created_on"].min()
    is_new = (reps["hired_on"] >= began) & (reps["hired_on"] <= ledger.team.as_of)
    columns = ["rep_id", "hired_on", "left_on", "role", "region"]
    return reps.loc[is_new, columns].sort_values(["hired_on", "rep_id"], ignore_index=True)


def deals_of_hires(ledger: Ledger) -> pd.DataFrame:
    """The deals that hires hold or closed, with `hired_on` and whether each `is_inherited`.

    Inherited is what was created before the hire, or first seen in somebody else's hands.
    """
    found = ledger.deals.merge(hires(ledger)[["rep_id", "hired_on"]], on="rep_id")
    changes = ledger.team.stage_changes[["deal_id", "rep_id", "entered_at"]].dropna(subset="rep_id")
    changes = changes[among(changes["deal_id"], found["deal_id"])]
    first = changes.sort_values(["entered_at", "rep_id"]).drop_duplicates("deal_id")
    opener = look_up(found["deal_id"], first.set_index("deal_id")["rep_id"])
    is_handed = opener.notna() & (opener != found["rep_id"])
    return found.assign(is_inherited=is_handed | (found["created_on"] < found["hired_on"]))


def first_wins(ledger: Ledger) -> pd.Series:
    """The day each hire closed the first won deal of their own, by rep_id."""
    deals = deals_of_hires(ledger)
    own = deals[(deals["outcome"] == "won") & ~deals["is_inherited"]]
    return own.groupby("rep_id")["closed_on"].min()


def decided_until(team: Team) -> pd.Timestamp:
    """The last day by which a rep can be known to have ramped: the month after must be over."""
    return (team.as_of + DAY).to_period("M").to_timestamp() - pd.DateOffset(months=1) - DAY


def waits(found: pd.DataFrame, reached: pd.Series, until: pd.Timestamp) -> pd.DataFrame:
    """Hires with their `days` until what they `reached`, or until now; `is_there` tells which.

    A leaver is kept waiting: with every censoring time known, that makes 1 - the Kaplan-Meier
    curve the cumulative incidence with leaving as competitor (Fine and Gray 1999).
    """
    on = look_up(found["rep_id"], reached)
    days = (on.fillna(until) - found["hired_on"]).dt.days.clip(lower=0)
    return found.assign(days=days.astype(float), is_there=on.notna())


def _waited(view: View, reached: pd.Series, until: pd.Timestamp, scale: float) -> pd.DataFrame:
    """The median wait of each scope."""
    rows = view.scoped(waits(hires(view.ledger), reached, until))
    labels, code = view.labels(), view.codes(rows)
    days = rows["days"].to_numpy() * scale
    curve = stats.incidence(days, rows["is_there"].to_numpy(int), code)
    found = labels.join(stats.waiting_time(curve, len(labels)))
    is_known = found["n"] > 0
    return found.assign(why=np.where(is_known, say("not yet"), say("no hires since records began")))


def ramped(ledger: Ledger) -> pd.Series:
    """The day by which each rep had ramped, by rep_id; reps who have not are left out."""
    reps = ledger.team.reps.set_index("rep_id")
    won = _won_by_month(ledger, reps.index)
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


def _won_by_month(ledger: Ledger, rep_ids: pd.Index) -> pd.DataFrame:
    """Amount won by rep and whole calendar month, from the first deal on record to `as_of`.

    Without what hires inherited.
    """
    deals, seen = ledger.deals, deals_of_hires(ledger)
    began = deals["created_on"].min()
    began = ledger.team.as_of if pd.isna(began) else began
    months = pd.period_range(began, (ledger.team.as_of + DAY).to_period("M") - 1, freq="M")
    deals = deals[~among(deals["deal_id"], seen.loc[seen["is_inherited"], "deal_id"])]
    won = deals[deals["outcome"] == "won"].assign(month=deals["closed_on"].dt.to_period("M"))
    by_month = won.pivot_table(index="rep_id", columns="month", values="amount", aggfunc="sum")
    return by_month.reindex(index=rep_ids, columns=months).fillna(0.0)
