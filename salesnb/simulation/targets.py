"""What is asked of the team: quotas of the reps, goals of the products."""

import numpy as np
import pandas as pd

from salesnb.simulation.clock import dates
from salesnb.simulation.market import launch_days, product_ids
from salesnb.simulation.people import People
from salesnb.simulation.pipeline import Deals
from salesnb.simulation.plan import Plan
from salesnb.simulation.words import spelled, words

WARM_UP = 150  # days before the pipeline is full enough to set targets against
STRETCH, GROWTH = 0.85, 0.02  # of what is usual; growth per quarter
RAMPED = np.array([0.25, 0.5, 0.75])  # of the quota, in a new hire's first quarters
WISH = {"push": 1.6, "core": 1.0, "minor": 0.8, "loss_leader": 0.6}
STEP = 5000.0


def quarters(plan: Plan) -> np.ndarray:
    """First and last day of every quarter that has targets, the coming one included."""
    spans = plan.quarters()
    following = plan.day_of(plan.days[spans[-1][0]] + pd.DateOffset(months=6))
    spans = [*spans, (spans[-1][1], following)]
    return np.array([(first, end - 1) for first, end in spans if first >= WARM_UP])


def quotas_table(plan: Plan, who: People, deals: Deals, ends: pd.DataFrame) -> pd.DataFrame:
    """The table `quotas`: what a rep's book is usually worth in a quarter, growing."""
    span, n = quarters(plan), plan.reps
    rep, quarter = np.repeat(np.arange(n), len(span)), np.tile(np.arange(len(span)), n)
    first, last = span[quarter].T
    since = (first - who.hired[rep]) / 91
    ramp = np.where(since < 3, RAMPED[np.clip(np.ceil(since), 0, 2).astype(int)], 1.0)
    worth = _usual(plan, who, deals, ends)[rep] * STRETCH * (1 + GROWTH * quarter)
    amount = np.maximum(np.round(worth * ramp / STEP), 1) * STEP
    is_here = (who.hired[rep] <= last) & ~(who.left[rep] < first)
    return pd.DataFrame(
        {
            "rep_id": spelled(who.rep_id, rep),
            "starts_on": dates(plan, first.astype(float)),
            "ends_on": dates(plan, last.astype(float)),
            "amount": amount,
        }
    )[is_here].reset_index(drop=True)


def _usual(plan: Plan, who: People, deals: Deals, ends: pd.DataFrame) -> np.ndarray:
    """Won amount of a quarter to be expected of each rep's book, half own and half the team's."""
    win_rate = ends["is_won"].sum() / max(ends["closed"].notna().sum(), 1)
    pipeline = np.bincount(deals.rep, deals.amount, minlength=plan.reps)
    days = np.fmin(who.left, plan.n_days) - np.maximum(who.hired, 0)
    own = win_rate * pipeline / np.maximum(days, 91) * 91
    return (own + np.median(own)) / 2


def goals_table(plan: Plan, deals: Deals, ends: pd.DataFrame) -> pd.DataFrame:
    """The table `goals`: more of what is pushed, less of what only opens doors."""
    span, roles = quarters(plan), [good["role"] for good in words()["products"]]
    launched, k = launch_days(plan), len(roles)
    won = ends["is_won"].to_numpy()
    sold = np.bincount(deals.product[won], deals.amount[won], minlength=k)
    per_day = sold / (plan.n_days - np.clip(launched, 0, plan.n_days - 91))
    product, quarter = np.tile(np.arange(k), len(span)), np.repeat(np.arange(len(span)), k)
    first, last = span[quarter].T
    worth = per_day[product] * 91 * np.array([WISH[role] for role in roles])[product]
    amount = np.maximum(np.round(worth * (1 + GROWTH * quarter) / STEP), 1) * STEP
    is_sold = launched[product] <= first
    return pd.DataFrame(
        {
            "product_id": spelled(product_ids(), product),
            "starts_on": dates(plan, first.astype(float)),
            "ends_on": dates(plan, last.astype(float)),
            "amount": amount,
        }
    )[is_sold].reset_index(drop=True)
