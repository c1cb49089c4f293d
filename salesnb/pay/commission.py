"""Commission: each sale cut at the bands of attainment, rated, capped, and taken back if lost."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

import numpy as np
import pandas as pd

from salesnb.comp_plan import Plan
from salesnb.history import look_up
from salesnb.pay.coins import Coins, rounded, shared
from salesnb.pay.credit import PERIOD, credits
from salesnb.team import Team

DEAL = ["rep_id", "starts_on", "closed_on", "deal_id"]


def commission(team: Team, in_force: Mapping[str, Plan]) -> pd.DataFrame:
    """One row per credit of `credits` and band of attainment that the deal runs through.

    Adds, in coins:

    band, times : number of the band, and by what it multiplies rates
    base : of the credit within the band; rate : None for a product without one
    pay : base x rate x times, rounded; over : what the cap takes off (0 or less, more for a
        negative sale beyond the cap)
    back_on, back : the day the customer left too soon, and what that takes back
    """
    found = credits(team, in_force)
    parts = [_of_plan(found[found["plan"] == name], plan) for name, plan in in_force.items()]
    own = ["rep_id", "starts_on", "closed_on", "deal_id", "band", "product_id"]
    rows = pd.concat(parts, ignore_index=True) if parts else _of_plan(found.iloc[:0], Plan(""))
    rows = rows.sort_values(own, ignore_index=True)
    rows["over"] = _over(rows, in_force, Coins.of(team.currency))
    churned = look_up(rows["account_id"], team.accounts.set_index("account_id")["churned_on"])
    days = {name: plan.clawback_days for name, plan in in_force.items()}
    allowed = rows["plan"].map(days).astype(float)
    waited = (churned - rows["closed_on"]).dt.days
    is_lost = (allowed > 0) & (waited >= 0) & (waited <= allowed)
    rows["back_on"] = churned.where(is_lost)
    rows["back"] = np.where(is_lost, -(rows["pay"] + rows["over"]), 0)
    return rows


def _of_plan(rows: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """The rows of one plan cut at its bands, with what they pay."""
    base = rows["net" if plan.basis == "net" else "margin"].to_numpy()
    parts = []
    for number, times, low, high in _cuts(rows, plan):
        exact = pd.Series([times] * len(rows), rows.index, dtype=object)
        part = rows.assign(band=number, times=exact, base=shared(base, low, high))
        parts.append(part[high > low])
    cut = pd.concat(parts, ignore_index=True)
    rates = _rates(cut, plan)
    due = [
        Decimal(int(coins)) * (rate or 0) * times
        for coins, rate, times in zip(cut["base"], rates, cut["times"], strict=True)
    ]
    return cut.assign(rate=pd.Series(rates, dtype=object), pay=rounded(due, plan.rounding))


Cut = tuple[int, Decimal, np.ndarray, np.ndarray]


def _cuts(rows: pd.DataFrame, plan: Plan) -> Iterator[Cut]:
    """Each band with what it multiplies by, and the part of each row's deal from `low` to `high`.

    Without a quota, or with one of 0, rates are as they stand: band -1.
    """
    quota = rows["quota"].to_numpy(float)
    is_open = ~(quota > 0) | (not plan.bands)
    yield -1, Decimal(1), np.zeros(len(rows)), is_open.astype(float)
    start = rows["before"].to_numpy(float)
    total = rows["total"].to_numpy(float)
    below = () if plan.bands and plan.bands[0][0] == 0 else ((Decimal(0), Decimal(1)),)
    bands = (*below, *plan.bands)
    edges = [-np.inf, *(float(at) for at, _ in bands[1:]), np.inf]
    for number, (_, times) in enumerate(bands if plan.bands else ()):
        with np.errstate(invalid="ignore", divide="ignore"):
            ends = [
                np.clip((np.rint(edge * quota) - start) / total, 0, 1)
                if np.isfinite(edge)
                else np.where(total < 0, edge < 0, edge > 0).astype(float)
                for edge in edges[number : number + 2]
            ]
            at_once = np.rint(edges[number] * quota) <= start
            at_once &= start < np.rint(edges[number + 1] * quota)
        low, high = np.minimum(*ends), np.maximum(*ends)
        low, high = np.where(total == 0, 0, low), np.where(total == 0, at_once, high)
        yield number, times, np.where(is_open, 0, low), np.where(is_open, 0, high)


def _rates(rows: pd.DataFrame, plan: Plan) -> list[Decimal | None]:
    """The rate of each row: the product's own, else its role's, else the plan's."""
    pairs = zip(rows["product_id"], rows["role"], strict=True)
    known: dict[tuple[str, str], Decimal | None] = {}
    found = []
    for product, role in pairs:
        if (product, role) not in known:
            by_role = plan.role_rates.get(role, plan.rate)
            known[product, role] = plan.product_rates.get(product, by_role)
        found.append(known[product, role])
    return found


def _over(rows: pd.DataFrame, in_force: Mapping[str, Plan], coins: Coins) -> np.ndarray:
    """What the cap takes off each row: it counts what its own plan pays in the period."""
    caps = {
        name: np.inf if plan.cap_amount is None else float(coins.exact(plan.cap_amount))
        for name, plan in in_force.items()
    }
    by = [rows[column] for column in (*PERIOD, "plan")]
    so_far = rows["pay"].groupby(by).cumsum().to_numpy(float)
    before = so_far - rows["pay"].to_numpy(float)
    cap = rows["plan"].map(caps).astype(float).to_numpy()
    paid = np.minimum(so_far, cap) - np.minimum(before, cap)
    return np.rint(paid - rows["pay"].to_numpy(float)).astype(np.int64)
