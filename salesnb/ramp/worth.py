"""What the ramp is worth: when a hire has earned what they cost, and what a month faster brings."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts
from salesnb.finding import Finding
from salesnb.history import among, look_up
from salesnb.language import say, to_say
from salesnb.metrics.ledger import ledger
from salesnb.ramp.earnings import SEED, Earnings, earnings, interval, resampled
from salesnb.ramp.newcomers import FEWEST, confounded
from salesnb.team import Team
from salesnb.units import money, number, span

COST_SHARE = 0.2  # of what a colleague wins: a quota of five times what a rep costs
VALUES = ["value", "value_low", "value_high"]
BREAK_EVEN, FASTER = to_say("break-even month"), to_say("a ramp one month faster is worth")
COLLEAGUE, COST = to_say("a colleague wins in a month"), to_say("a hire costs in a month")
MARGIN = to_say("margin")


def cost(
    team: Team, *, monthly_cost: float = 0.0, margin_rate: float = 0.0, months: int = 24
) -> Finding:
    """When has a new hire earned what they cost, and what is a month faster worth?

    Per hire made: the margin on the deals they won so far, those inherited left out, less what
    they cost, month by month since the hire. Who left earns and costs nothing from then on. A ramp
    one month faster brings one more month of a colleague's margin in place of a first month.

    Parameters
    ----------
    monthly_cost : all that a hire costs in a month (pay, training, tools, a colleague's hours), in
        the team's currency. Pay is not in the tables: 0 assumes a fifth of what the median
        colleague wins in a month, as where a quota is five times what a rep costs
    margin_rate : margin / amount won; 0 takes that of the products on the won deals
    months : since the hire, at most; a month that fewer than three hires have behind them is left
        out

    Returns
    -------
    Finding
        One row per figure, `unit` saying what it is:

        item : ``break-even month`` (blank value where it lies beyond the months on record),
            ``a ramp one month faster is worth``, ``a colleague wins in a month`` (at least a year
            on the team, mean), ``a hire costs in a month``, ``margin``, then ``balance after month
            1`` and on: margin so far less cost so far, per hire
        value, value_low, value_high : 90 % interval by bootstrap over hires and colleagues; without
            an upper end where that lies beyond the months on record
        unit : months, amount or rate
        n : hires, or colleagues

    Raises
    ------
    DataError
        The days of deals are made up.

    Notes
    -----
    The balance is a mean cumulative function: each month's mean over those whose month is over,
    added up (Nelson 1988); its interval is a bootstrap over whole hires.
    """
    team.need_dates("ramp.cost")
    made = earnings(ledger(team)).first(months)
    usual = made.usual
    margin = margin_rate or _margin(team)
    spent = monthly_cost or COST_SHARE * (float(np.median(usual)) if len(usual) else np.nan)
    table = _cost_table(made, margin if np.isfinite(margin) else 1.0, spent)
    is_assumed = {"cost": not monthly_cost, "margin": not np.isfinite(margin)}
    return Finding(
        headline=_cost_headline(table, made, team.currency),
        table=table,
        draw=lambda ax: _draw_cost(ax, table),
        ask=_cost_ask(table),
        caveats=_cost_caveats(made, is_assumed),
        currency=team.currency,
    )


def _margin(team: Team) -> float:
    """Margin on what was paid for the lines of won deals, else by the product of the deal; NaN
    where none is on record."""
    won = team.deals[team.deals["outcome"] == "won"]
    lines = team.deal_lines
    lines = lines[among(lines["deal_id"], won["deal_id"])]
    rows = lines.rename(columns={"net_amount": "paid"}) if len(lines) else won
    rows = rows.rename(columns={"amount": "paid"})[["product_id", "paid"]]
    margin = look_up(rows["product_id"], team.products.set_index("product_id")["margin_rate"])
    known = margin.notna() & rows["paid"].notna()
    paid = rows.loc[known, "paid"].sum()
    return float((margin * rows["paid"])[known].sum() / paid) if paid > 0 else np.nan


def _cost_table(made: Earnings, margin: float, spent: float) -> pd.DataFrame:
    """Every figure with its interval; the first of the draws is the data themselves."""
    draws, n = made.draws(), made.n
    seen = draws @ (~np.isnan(made.won)).astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        won = draws @ np.nan_to_num(made.won) / seen
        there = draws @ (made.is_there & ~np.isnan(made.won)).astype(float) / seen
    balance = np.cumsum(won * margin - there * spent, axis=1)
    even = _break_even(balance)
    usual = made.usual if len(made.usual) else np.array([np.nan])
    colleague = np.vstack([np.ones(len(usual)), resampled(len(usual), SEED + 1)]) @ usual
    colleague = colleague / len(usual)
    first = won[:, 0] if won.shape[1] else np.full(len(won), np.nan)
    faster = (colleague - first) * margin
    n_all, n_usual = float(len(made.hires)), float(len(made.usual))
    rows = [
        _row(BREAK_EVEN, even, n_all, "months"),
        _row(FASTER, faster, n_usual, "amount"),
        _row(COLLEAGUE, colleague, n_usual, "amount"),
        (COST, spent, np.nan, np.nan, "amount", np.nan),
        (MARGIN, margin, np.nan, np.nan, "rate", np.nan),
        *(
            _row(f"balance after month {month + 1}", balance[:, month], n[month], "amount")
            for month in range(balance.shape[1])
        ),
    ]
    table = pd.DataFrame(rows, columns=["item", *VALUES, "unit", "n"])
    return table.astype({"item": "str", "unit": "str", **dict.fromkeys([*VALUES, "n"], "float64")})


def _row(item: str, drawn: np.ndarray, n: float, unit: str) -> tuple:
    value, samples = drawn[0], drawn[1:, None]
    if np.isnan(samples).all() or (unit == "amount" and _is_one(samples)):
        return item, value, np.nan, np.nan, unit, n
    start = value if np.isfinite(value) else np.inf
    low, high = interval(np.array([start]), samples, np.array([n]))
    if unit == "months":  # whole months, and none before the first
        low, high = np.maximum(np.floor(low), 1), np.ceil(high)
    return item, value, float(low[0]) if np.isfinite(low[0]) else np.nan, float(high[0]), unit, n


def _is_one(samples: np.ndarray) -> bool:
    """Whether all draws are the same: nothing has varied yet, which says nothing about chance."""
    return bool(np.nanmax(samples) - np.nanmin(samples) <= 1e-9 * np.nanmax(np.abs(samples)))


def _break_even(balance: np.ndarray) -> np.ndarray:
    """The first month from which on the balance stays at or above nothing; NaN if there is none."""
    months = balance.shape[1]
    if not months:
        return np.full(len(balance), np.nan)
    below = ~(balance >= 0)
    last_below = np.where(below.any(axis=1), months - np.argmax(below[:, ::-1], axis=1), 0)
    return np.where(last_below < months, last_below + 1.0, np.nan)


def _cost_headline(table: pd.DataFrame, made: Earnings, currency: str) -> str:
    if not made.won.shape[1]:
        return say("Too few hires on record to say when one has earned what they cost.")
    months = made.won.shape[1]
    even, faster = _of(table, BREAK_EVEN), _of(table, FASTER)
    spent = money(_of(table, COST)["value"], currency)
    low, high = number(even["value_low"]), number(even["value_high"])
    if np.isnan(even["value"]):
        said = say(
            "At {cost} a month a new hire has earned what they cost later than the {n} months on "
            "record",
            cost=spent,
            n=number(months),
        )
        least = say(", at the earliest in month {n}", n=low)
        said += "" if np.isnan(even["value_low"]) else least
    else:
        until = say("{low} to {high}", low=low, high=high)
        said = say(
            "At {cost} a month a new hire has earned what they cost in month {n} ({ends})",
            cost=spent,
            n=number(even["value"]),
            ends=say("{low} or later", low=low) if np.isnan(even["value_high"]) else until,
        )
    if np.isnan(faster["value"]):
        return f"{said}."
    worth = say(
        "A ramp one month faster is worth {amount} ({ends}).",
        amount=money(faster["value"], currency),
        ends=span(faster["value_low"], faster["value_high"], lambda each: money(each, currency)),
    )
    return f"{said}. {worth}"


def _of(table: pd.DataFrame, item: str) -> pd.Series:
    return table[table["item"] == item].iloc[0]


def _cost_ask(table: pd.DataFrame) -> tuple[str, ...]:
    if table["n"].isna().all() or not table["n"].max() > 0:
        return ()
    return (
        say("What would one of us stop doing, so that a new hire gets that hour?"),
        say("Which week of the first three brings the least for what it takes?"),
    )


def _cost_caveats(made: Earnings, is_assumed: dict[str, bool]) -> tuple[str, ...]:
    said = []
    if is_assumed["cost"]:
        said.append(
            say(
                "What a hire costs is assumed: a fifth of what the median colleague wins in a "
                "month. Put in your own figure."
            )
        )
    if is_assumed["margin"]:
        said.append(say("No margins are on record: the amount won is taken whole."))
    said.append(say("What a colleague would have won with the same leads is not subtracted."))
    if 0 < len(made.hires) < FEWEST * 2:
        n = number(len(made.hires))
        said.append(say("{n} hires say little: read the interval.", n=n))
    return (*said, *confounded(made.hires["hired_on"]))


def _draw_cost(ax: Axes, table: pd.DataFrame) -> Axes:
    """The balance of a hire by month, with band."""
    rows = table[table["item"].str.startswith("balance")]
    if rows.empty:
        return charts.nothing_to_draw(ax)
    month = np.arange(1, len(rows) + 1)
    ends = rows["value_low"].to_numpy(), rows["value_high"].to_numpy()
    ax.fill_between(month, *ends, color=charts.ACCENT, alpha=0.2, linewidth=0)
    ax.plot(month, rows["value"].to_numpy(), color=charts.ACCENT)
    ax.axhline(0, color=charts.MUTED, linewidth=0.8)
    even = table.loc[table["item"] == BREAK_EVEN, "value"].iloc[0]
    if np.isfinite(even):
        ax.plot([even], [rows["value"].iloc[int(even) - 1]], "o", color=charts.ACCENT)
        place: dict[str, Any] = {"textcoords": "offset points", "in_layout": False}
        ax.annotate(say("month {n}", n=number(even)), (even, 0), (0, -12), size=8, **place)
    charts.write_short(ax.yaxis)
    ax.set_xlabel(say("months since the hire"))
    ax.set_ylabel(say("margin less cost, per hire"))
    return ax
