"""Everything a rep earns between two days: commission, cap, what is taken back, bonus, base pay."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from salesnb import sold
from salesnb.comp_plan import FIRST, LAST, NOTHING, Plan
from salesnb.errors import DataError, Fault
from salesnb.once import once
from salesnb.pay.coins import Coins, rounded
from salesnb.pay.commission import commission
from salesnb.pay.credit import PERIOD
from salesnb.team import Team

EARNED = ["rep_id", "paid_on", "rule", "deal_id", "product_id", "plan", "base", "rate", "times"]
EARNED += ["band", "share", "coins"]
RULES = ("commission", "cap", "clawback", "bonus", "base pay")  # in this order on one day


def chosen(team: Team, plan: str = "") -> dict[str, Plan]:
    """The plans by name, each on its days; or one plan alone, as if always in force.

    Raises `DataError` where the team has no plans, or none of that name.
    """
    plans = team.settings.plans
    if not plans:
        said = "Pay needs comp.toml beside team.toml: this data set does not say how it is paid."
        raise DataError([Fault("comp.toml", "this file: how the team is paid")], said)
    if not plan:
        return {each.name: each for each in plans}
    return {plan: replace(plans.named(plan), starts_on=FIRST, ends_on=LAST)}


def earned(team: Team, first: pd.Timestamp, last: pd.Timestamp, plan: str = "") -> pd.DataFrame:
    """Every line of pay between two days, both within, in order of rep, day and deal.

    Returns
    -------
    DataFrame
        rep_id, paid_on
        rule : ``commission``, ``cap``, ``clawback``, ``bonus`` or ``base pay``
        deal_id, product_id : of commission and what changes it
        plan : name of the plan
        base : coins that the rate is taken of; rate (None: the product has none), times; of base
            pay and bonus, `times` is the share of the month, or the attainment
        band : number of the band of attainment, -1 for none; share : of the deal's credit
        coins : what it pays
    """
    in_force = chosen(team, plan)
    rows = _commission(team, plan)
    parts = [_as_sold(rows), _bonus(team, rows, in_force), _base(team, in_force, first, last)]
    table = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    table = table[table["paid_on"].between(first, last)]
    order = table["rule"].map({rule: place for place, rule in enumerate(RULES)})
    by = ["rep_id", "paid_on", "deal_id", "order", "band", "product_id"]
    return table.assign(order=order).sort_values(by, ignore_index=True)[EARNED]


def per_rep(team: Team, first: pd.Timestamp, last: pd.Timestamp, plan: str = "") -> pd.Series:
    """What each rep on record earned between two days, in coins."""
    rows = earned(team, first, last, plan)
    reps = pd.Index(sorted(team.reps["rep_id"]), dtype="str", name="rep_id")
    return rows.groupby("rep_id")["coins"].sum().reindex(reps, fill_value=0)


def margins(team: Team, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    """Deals won and margin brought between two days by each rep who owned them at the close.

    n_won, margin_amount ; indexed by rep_id
    """
    rows = sold.within(sold.lines(team), first, last).groupby("rep_id")
    found = {"n_won": rows["deal_id"].nunique(), "margin_amount": rows["margin_amount"].sum()}
    return pd.DataFrame(found)


def per_product(
    team: Team, first: pd.Timestamp, last: pd.Timestamp, plan: str = ""
) -> pd.DataFrame:
    """What each deal's products paid each rep: commission less cap and what was taken back.

    deal_id, product_id, rep_id, closed_on, coins : for deals won between two days
    """
    rows = _commission(team, plan)
    rows = rows[rows["closed_on"].between(first, last)]
    return rows.assign(coins=rows["pay"] + rows["over"] + rows["back"])[
        ["deal_id", "product_id", "rep_id", "closed_on", "coins"]
    ]


@once
def _commission(team: Team, plan: str) -> pd.DataFrame:
    return commission(team, chosen(team, plan))


def _as_sold(rows: pd.DataFrame) -> pd.DataFrame:
    """Commission, what the cap takes off it, and what is taken back, one under the other."""
    rows = rows.assign(share=rows["high"] - rows["low"])
    sale = rows.assign(rule="commission", paid_on=rows["closed_on"], coins=rows["pay"])
    blank = rows.assign(base=np.nan, rate=None, times=1.0, band=-1)
    over = blank.assign(rule="cap", paid_on=rows["closed_on"], coins=rows["over"])
    back = blank.assign(rule="clawback", paid_on=rows["back_on"], coins=rows["back"])
    found = [sale, over[over["coins"] != 0], back[back["paid_on"].notna()]]
    return pd.concat(found, ignore_index=True)[EARNED]


def _bonus(team: Team, rows: pd.DataFrame, in_force: Mapping[str, Plan]) -> pd.DataFrame:
    """The bonus of each quota period that reached it, on its last day."""
    coins = Coins.of(team.currency)
    quotas = team.quotas[["rep_id", "starts_on", "ends_on", "amount"]]
    quotas = quotas.assign(quota=coins.whole(quotas["amount"]))
    quotas = quotas[(quotas["quota"] > 0) & (quotas["ends_on"] <= team.as_of)]
    credited = rows.drop_duplicates([*PERIOD, "deal_id"]).groupby(PERIOD)["total"].sum()
    won = credited.reindex(pd.MultiIndex.from_frame(quotas[PERIOD]), fill_value=0).to_numpy()
    quotas = quotas.assign(times=won / quotas["quota"])
    parts = []
    for plan in in_force.values():
        is_due = quotas["ends_on"].between(plan.starts_on, plan.ends_on)
        is_due &= won >= quotas["quota"].to_numpy() * float(plan.bonus_from)
        if plan.bonus_amount > 0:
            each = rounded([coins.exact(plan.bonus_amount)], plan.rounding)[0]
            parts.append(quotas[is_due].assign(plan=plan.name, coins=each))
    found = pd.concat(parts) if parts else quotas.iloc[:0].assign(plan="", coins=0)
    return _plain(found.assign(paid_on=found["ends_on"], base=np.nan), "bonus")


def _base(
    team: Team, in_force: Mapping[str, Plan], first: pd.Timestamp, last: pd.Timestamp
) -> pd.DataFrame:
    """Base pay by month, by the days of the month on the team with the plan in force."""
    coins, reps = Coins.of(team.currency), team.reps[["rep_id", "hired_on", "left_on"]]
    months = pd.date_range(first.replace(day=1), min(last, team.as_of), freq="MS", unit="us")
    parts = []
    for plan in in_force.values():
        if plan.base_amount == NOTHING:
            continue
        rows = reps.merge(pd.DataFrame({"month": months}), how="cross")
        month_end = rows["month"] + pd.offsets.MonthEnd(0)
        since, until = max(first, plan.starts_on), min(last, team.as_of, plan.ends_on)
        begins = rows["month"].where(rows["month"] > since, since)
        begins = begins.where(~(rows["hired_on"] > begins), rows["hired_on"])
        ends = month_end.where(month_end < until, until)
        ends = ends.where(~(rows["left_on"] < ends), rows["left_on"])
        days = (ends - begins).dt.days.clip(lower=-1) + 1
        length, full = rows["month"].dt.days_in_month, coins.exact(plan.base_amount)
        due = [full * int(n) / int(all_) for n, all_ in zip(days, length, strict=True)]
        paid = rows.assign(paid_on=ends, plan=plan.name, base=float(full), times=days / length)
        parts.append(paid.assign(coins=rounded(due, plan.rounding))[days > 0])
    found = pd.concat(parts) if parts else reps.iloc[:0].assign(paid_on=first, plan="", coins=0)
    return _plain(found, "base pay")


def _plain(rows: pd.DataFrame, rule: str) -> pd.DataFrame:
    """Lines that belong to no deal."""
    blank: dict[str, Any] = {"deal_id": None, "product_id": None, "rate": None}
    blank |= {"band": -1, "share": 1.0}
    blank |= {name: None for name in ("base", "times") if name not in rows}
    return rows.assign(rule=rule, **blank)[EARNED].astype({"deal_id": "str", "product_id": "str"})
