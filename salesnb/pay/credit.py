"""Whose sale it is, in which quota period, and how far along the quota it came."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from salesnb import sold
from salesnb.comp_plan import Plan, Plans
from salesnb.history import look_up
from salesnb.metrics.quota import fiscal_quarter
from salesnb.pay.coins import Coins, shared
from salesnb.team import Team

PERIOD = ["rep_id", "starts_on"]
IN_ORDER = [*PERIOD, "closed_on", "deal_id"]


def credits(team: Team, in_force: Mapping[str, Plan]) -> pd.DataFrame:
    """One row per won deal, product and rep who has a share in it.

    deal_id, product_id, rep_id, account_id, closed_on, role, margin_rate : see `sold.lines`
    plan : the name of the plan in force on the day, blank for none
    starts_on, ends_on, quota : the quota period of the day, else the fiscal quarter; the quota in
        coins, NaN for none
    net, margin : coins credited; before, total : coins credited in the period before this deal
        and for it
    """
    rows = sold.lines(team).dropna(subset="net_amount").rename(columns={"rep_id": "closer"})
    rows["plan"] = _plan_of(rows["closed_on"], in_force)
    shares = _shares(team, team.settings.plans, rows, in_force)
    rows = rows.drop(columns="closer").merge(shares, on="deal_id")
    coins = Coins.of(team.currency)
    whole = coins.whole(rows["net_amount"])
    rows["net"] = shared(whole, rows["low"].to_numpy(), rows["high"].to_numpy())
    rows["margin"] = np.rint(rows["net"] * rows["margin_rate"].fillna(0)).astype(np.int64)
    rows = _with_period(team, rows, coins)
    rows = rows.sort_values([*IN_ORDER, "product_id"], ignore_index=True)
    of_deal = rows.groupby([*IN_ORDER], sort=False)["net"].transform("sum")
    so_far = rows.groupby(PERIOD, sort=False)["net"].cumsum()
    within_deal = rows.groupby(IN_ORDER, sort=False)["net"].cumsum()
    return rows.assign(total=of_deal, before=so_far - within_deal)


def _plan_of(days: pd.Series, in_force: Mapping[str, Plan]) -> pd.Series:
    found = pd.Series("", index=days.index, dtype="str")
    for name, plan in in_force.items():
        found = found.mask(days.between(plan.starts_on, plan.ends_on), name)
    return found


def _shares(
    team: Team, plans: Plans, rows: pd.DataFrame, in_force: Mapping[str, Plan]
) -> pd.DataFrame:
    """Who has which part of a deal's credit: deal_id, rep_id, from `low` to `high` (0-1)."""
    deals = rows.drop_duplicates("deal_id")[["deal_id", "closer", "plan"]]
    opener = look_up(deals["deal_id"], _openers(team)).fillna(deals["closer"])
    per_plan = {name: float(plan.opener_share) for name, plan in in_force.items()}
    part = (
        deals["plan"].map(per_plan).astype(float).fillna(0.0).where(opener != deals["closer"], 0.0)
    )
    is_split = deals["deal_id"].isin(list(plans.splits))
    part = part.mask(is_split, 0.0)
    closing = deals.assign(rep_id=deals["closer"], low=part, high=1.0)[~is_split]
    opening = deals.assign(rep_id=opener, low=0.0, high=part)[part > 0]
    agreed = pd.DataFrame(_agreed(plans), columns=["deal_id", "rep_id", "low", "high"])
    agreed = agreed[agreed["deal_id"].isin(deals["deal_id"])]
    columns = ["deal_id", "rep_id", "low", "high"]
    parts = pd.concat([closing[columns], opening[columns], agreed], ignore_index=True)
    return parts.astype({"deal_id": "str", "rep_id": "str", "low": "float64", "high": "float64"})


def _openers(team: Team) -> pd.Series:
    """The rep who first moved each deal, by deal."""
    log = team.stage_changes.dropna(subset="rep_id").sort_values(["entered_at", "stage"])
    return log.drop_duplicates("deal_id").set_index("deal_id")["rep_id"]


def _agreed(plans: Plans) -> list[tuple[str, str, float, float]]:
    found = []
    for deal, by_rep in plans.splits.items():
        ends = np.cumsum([0.0, *map(float, by_rep.values())]).round(12)
        found += [(deal, rep, ends[i], ends[i + 1]) for i, rep in enumerate(by_rep)]
    return found


def _with_period(team: Team, rows: pd.DataFrame, coins: Coins) -> pd.DataFrame:
    """With the quota period that holds the day of the close, else the fiscal quarter."""
    quotas = team.quotas.assign(quota=coins.whole(team.quotas["amount"]).astype(float))
    quotas = quotas.drop(columns="amount").sort_values(["starts_on", "rep_id"])
    rows = rows.sort_values(["closed_on", "deal_id", "product_id", "rep_id"])
    rows = pd.merge_asof(rows, quotas, left_on="closed_on", right_on="starts_on", by="rep_id")
    has_none = ~(rows["ends_on"] >= rows["closed_on"])
    rows["quota"] = rows["quota"].mask(has_none)
    quarter = {day: fiscal_quarter(team, day) for day in rows.loc[has_none, "closed_on"].unique()}
    for end, column in enumerate(("starts_on", "ends_on")):
        instead = rows["closed_on"].map({day: both[end] for day, both in quarter.items()})
        rows[column] = rows[column].mask(has_none, instead)
    return rows
