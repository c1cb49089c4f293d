"""What one rep is paid, line by line and to the cent."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts, pay, standout, units
from salesnb.finding import Finding
from salesnb.history import look_up
from salesnb.language import say, says, to_say
from salesnb.metrics.quota import fiscal_quarter
from salesnb.metrics.view import period
from salesnb.standout import Standout
from salesnb.team import Team
from salesnb.units import number, percent, to_the_cent

COLUMNS = ["paid_on", "rule", "why", "deal_id", "account", "product", "base_amount", "pay_rate"]
COLUMNS += ["paid_amount"]
TOTAL = to_say("total")
PARTS = (
    to_say("base pay"),
    to_say("commission"),
    to_say("cap"),
    to_say("clawback"),
    to_say("bonus"),
)


def payout(
    team: Team,
    rep: str,
    *,
    plan: str = "",
    starts_on: str | None = None,
    ends_on: str | None = None,
) -> Finding:
    """What is this rep paid, and for what?

    Every won deal is credited on the day it closed to the rep who owns it, or to those who share
    in it as ``comp.toml`` says. Deals are taken in order of day and id; one that runs through a
    band of attainment is cut there. Each line is rounded by itself, so that lines add up. A deal
    that was reopened pays nothing.

    Parameters
    ----------
    plan : a plan of ``comp.toml`` as if it had always been in force; by default the one of the day
    starts_on, ends_on : by default the fiscal quarter that holds `team.as_of`, so far

    Returns
    -------
    Finding
        One row per line of pay in order of day, the total last:

        paid_on : the day of the close, of the loss, or the last day of the month or period
        rule : ``commission``, ``cap``, ``clawback``, ``bonus``, ``base pay`` or ``total``
        why : the rule in words
        deal_id, account, product : of commission and what changes it
        base_amount : what the rate is taken of, team currency
        pay_rate : rate x what the band multiplies it by; blank where the product has no rate
        paid_amount : to the cent

    Raises
    ------
    DataError
        No ``comp.toml``, no such plan or rep, or a period that holds no day.
    """
    seen = standout.of(team, rep)
    team.need_dates("comp.payout")
    starts_on = starts_on or str(fiscal_quarter(team, team.as_of)[0].date())
    first, last = period(team, starts_on, ends_on)
    rows = pay.earned(team, first, last, plan)
    rows = rows[rows["rep_id"] == seen.rep_id].reset_index(drop=True)
    table = _statement(seen, rows, last)
    return Finding(
        headline=_headline(seen, table, first, last),
        table=table,
        draw=lambda ax: _draw(ax, table),
        ask=(say("Which of these deals was paid for what it took, and which was not?"),)
        * bool((table["rule"] == "commission").any()),
        caveats=_caveats(rows, plan),
        currency=team.currency,
    )


def _statement(seen: Standout, rows: pd.DataFrame, last: pd.Timestamp) -> pd.DataFrame:
    team, coins = seen.team, pay.Coins.of(seen.team.currency)
    deals = standout.known(team).set_index("deal_id")
    names = team.products.set_index("product_id")["name"]
    times = rows["times"].astype(float)
    is_rated = rows["rule"].eq("commission") & rows["rate"].notna()
    table = rows.assign(
        why=[_why(row, deals) for row in rows.itertuples()],
        account=look_up(rows["deal_id"], deals["account"]),
        product=look_up(rows["product_id"], names).fillna(rows["product_id"]),
        base_amount=coins.amounts(rows["base"]),
        pay_rate=(rows["rate"].astype(float) * times).where(is_rated),
        paid_amount=coins.amounts(rows["coins"]),
    )
    total = {"paid_on": last, "rule": TOTAL, "paid_amount": table["paid_amount"].sum()}
    table = pd.concat([table, pd.DataFrame([total])], ignore_index=True)[COLUMNS]
    kinds = dict.fromkeys(("base_amount", "pay_rate", "paid_amount"), "float64")
    kinds |= dict.fromkeys(("rule", "why", "deal_id", "account", "product"), "str")
    return table.astype({**kinds, "paid_on": "datetime64[us]"})


def _why(row: tuple, deals: pd.DataFrame) -> str:
    rule, times = row.rule, row.times  # type: ignore[attr-defined]
    if rule == "base pay":
        if times == 1:
            return say("the month")
        return say("{share} of the month", share=percent(times))
    if rule == "bonus":
        return say("quota attained: {share}", share=percent(times))
    if rule == "cap":
        return say("beyond the most of a period")
    if rule == "clawback":
        days = (row.paid_on - deals.loc[row.deal_id, "closed_on"]).days  # type: ignore[attr-defined]
        return say("customer left after {n} days", n=number(days))
    said = []
    if (share := row.share) <= 1 - 1e-9:  # type: ignore[attr-defined]
        said.append(say("{share} of the credit", share=percent(share)))
    if row.rate is None:  # type: ignore[attr-defined]
        return ", ".join([say("no rate for this product"), *said])
    if times != 1:
        said.append(say("rate x {n} in this band of the quota", n=number(float(times), 3)))
    return ", ".join(said)


def _headline(seen: Standout, table: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp) -> str:
    when = say("from {first} to {last}", first=units.day(first), last=units.day(last))
    if len(table) == 1:
        return say("{name}: nothing was earned {when}.", name=seen.name, when=when)
    by_rule = table.groupby("rule")["paid_amount"].sum()
    parts = [
        f"{say(rule)} {to_the_cent(by_rule[rule], seen.team.currency)}"
        for rule in PARTS
        if by_rule.get(rule)
    ]
    total = to_the_cent(by_rule[TOTAL], seen.team.currency)
    listed = ", ".join(parts) or say("no line pays anything")
    return say(
        "{name}: {total} {when}: {parts}.", name=seen.name, total=total, when=when, parts=listed
    )


def _caveats(rows: pd.DataFrame, plan: str) -> tuple[str, ...]:
    said = [say("Recomputed from the deals on record; what payroll decided otherwise is not here.")]
    if plan:
        said.append(say("As if the plan '{plan}' had always been in force.", plan=plan))
    unrated = rows.loc[(rows["rule"] == "commission") & rows["rate"].isna(), "deal_id"].nunique()
    if unrated:
        said.append(
            says(
                "{n} deal with a product for which the plan has no rate.",
                "{n} deals with a product for which the plan has no rate.",
                unrated,
                n=number(unrated),
            )
        )
    return tuple(said)


def _draw(ax: Axes, table: pd.DataFrame) -> Axes:
    by_rule = table.groupby("rule")["paid_amount"].sum()
    shown = [rule for rule in PARTS[1:] if by_rule.get(rule, 0)]
    bars = [PARTS[0], *shown, TOTAL]
    changes = [by_rule.get(rule, 0.0) for rule in bars]
    return charts.waterfall(ax, [*map(say, bars)], np.array(changes).tolist())
