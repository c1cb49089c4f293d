"""Single metrics seen closely: what moved the sales velocity, and the win curve."""

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from salesnb import behind, charts, stats
from salesnb.errors import DataError
from salesnb.finding import Finding
from salesnb.language import say, says, to_say
from salesnb.metrics import answers, cases, rates
from salesnb.metrics.ledger import DAY, ledger
from salesnb.metrics.pipeline import velocity_factors
from salesnb.metrics.view import in_words, period
from salesnb.team import Team
from salesnb.units import label, money, number, percent, span

FACTORS = {"n_open": "count", "average_won_amount": "amount", "win_rate": "rate"}
FACTORS |= {"sales_cycle_days": "days", "sales_velocity_amount": "amount"}
SAID = {
    "n_open": to_say("the number of open deals"),
    "average_won_amount": to_say("the average won amount"),
    "win_rate": to_say("the win rate"),
    "sales_cycle_days": to_say("the sales cycle"),
}
STEP_DAYS = 10
CURVE = ["day", "won_share", "won_low", "won_high", "lost_share", "lost_low", "lost_high"]
CURVE += ["n_waiting"]


def velocity(team: Team, *, rep: str | None = None, months: int = 6) -> Finding:
    """Which of its four factors moved the sales velocity?

    The last months against as many before: open deals (at the end of each window) x average won
    amount x win rate / median sales cycle. The change is split by the logarithmic mean (LMDI,
    Ang 2005): the parts add up to it, nothing is left over.

    Returns
    -------
    Finding
        One row per factor, then the velocity itself:

        factor, unit : what is counted, and in which unit
        then, now : its value in the earlier and in the later window
        n_then, n_now : the cases behind it
        change_amount : what it did to the velocity, team currency per day; blank where a window
            has a factor that is 0 or unknown

    Raises
    ------
    DataError
        A rep who is not on the team, less than one month, or the days of deals are made up.
    """
    team.need_dates(why="metrics.velocity")
    if months < 1:
        raise DataError(f"months: found {months}, expected at least 1.")
    rep_ids = sorted(team.reps["rep_id"]) if rep is None else [team.rep(rep)]
    book, ends = ledger(team), team.as_of + DAY
    half = ends - pd.DateOffset(months=months)
    spans = {"then": _window(half, months), "now": _window(ends, months)}
    windows = [velocity_factors(answers.together(book, rep_ids, *span)) for span in spans.values()]
    table = _taken_apart(*windows)
    return Finding(
        headline=_velocity_headline(table, months, team.currency),
        table=table,
        draw=lambda ax: _draw_velocity(ax, table),
        ask=(say("Which of the four could be moved most easily in the next quarter?"),),
        caveats=(
            say(
                "The four factors move one another, and a few large deals move the average amount."
            ),
        ),
        currency=team.currency,
        behind={f"n_{when}": partial(_cases, team, rep_ids, *span) for when, span in spans.items()},
    )


def _window(end: pd.Timestamp, months: int) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The first and the last day of so many months before a day."""
    return (end - pd.DateOffset(months=months)).as_unit("us"), (end - DAY).as_unit("us")


def _cases(
    team: Team, rep_ids: list[str], first: pd.Timestamp, last: pd.Timestamp, row: pd.Series
) -> pd.DataFrame:
    """The cases of a factor in one of the two windows."""
    if row["factor"] == "n_open" and last < team.as_of:
        raise DataError(
            f"Which deals were open on an earlier day, team.at({str(last.date())!r}) says."
        )
    return cases.rows(ledger(team), rep_ids, row["factor"], None, first, last)


def _taken_apart(then: dict[str, pd.DataFrame], now: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The table of `velocity` from the factors of two windows."""
    values = {"then": then, "now": now}
    table = pd.DataFrame({"factor": list(FACTORS), "unit": list(FACTORS.values())})
    for name, answer in values.items():
        table[name] = [float(answer[factor]["value"].iloc[0]) for factor in FACTORS]
        table[f"n_{name}"] = [float(answer[factor]["n"].iloc[0]) for factor in FACTORS]
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(table["now"].to_numpy() / table["then"].to_numpy())
    logs[list(FACTORS).index("sales_cycle_days")] *= -1
    before, after = table["then"].iloc[-1], table["now"].iloc[-1]
    # The logarithmic mean of the two velocities; where they are equal, that value.
    scale = (after - before) / logs[-1] if logs[-1] else before
    table["change_amount"] = scale * logs if np.isfinite(logs).all() else np.nan
    return table


def _velocity_headline(table: pd.DataFrame, months: int, currency: str) -> str:
    total = table.iloc[-1]
    when = says("in the last month", "in the last {n} months", months, n=months)
    if np.isnan(total["change_amount"]):
        return say(
            "Too little was won {when} or before to take the sales velocity apart.", when=when
        )
    parts = table.iloc[:-1]
    largest = parts.iloc[int(parts["change_amount"].abs().to_numpy().argmax())]
    now, then = money(total["now"], currency), money(total["then"], currency)
    change = largest["change_amount"]
    sign = "+" if change > 0 else ""
    return say(
        "Sales velocity {when}: {now} a day, before {then}; {factor} did most of it ({change} a "
        "day).",
        when=when,
        now=now,
        then=then,
        factor=say(SAID[largest.factor]),
        change=sign + money(change, currency),
    )


def _draw_velocity(ax: Axes, table: pd.DataFrame) -> Axes:
    if table["change_amount"].isna().all():
        return charts.nothing_to_draw(ax)
    rows = table.iloc[::-1]
    colours = [charts.ACCENT if change >= 0 else charts.WARN for change in rows["change_amount"]]
    ax.barh([label(factor) for factor in rows["factor"]], rows["change_amount"], color=colours)
    ax.axvline(0, color=charts.INK, linewidth=1)
    ax.set_xlabel(say("change of the velocity, amount per day"))
    return ax


def win_curve(
    team: Team,
    *,
    rep: str | None = None,
    starts_on: str | None = None,
    ends_on: str | None = None,
) -> Finding:
    """By which day after their creation are deals won?

    The deals created in the period, by default the twelve months up to `team.as_of`: cumulative
    incidence of winning (Aalen and Johansen 1978), open deals censored at their age, losing the
    competing event.

    Returns
    -------
    Finding
        One row per ten days, up to the age of the last deal that closed:

        day : since creation
        won_share, won_low, won_high : won by the end of that day, with 90 % interval
        lost_share, lost_low, lost_high : lost by then
        n_waiting : deals neither closed nor younger than that

    Raises
    ------
    DataError
        A rep who is not on the team, a period that holds no day, or the days of deals are made up.
    """
    team.need_dates(why="metrics.win_curve")
    first, last = period(team, starts_on, ends_on)
    rep_ids = sorted(team.reps["rep_id"]) if rep is None else [team.rep(rep)]
    deals = answers.together(ledger(team), rep_ids, first, last).created
    table = _curve(deals)
    return Finding(
        headline=_curve_headline(table, len(deals), in_words(first, last)),
        table=table,
        draw=lambda ax: _draw_curve(ax, table),
        ask=(say("How long do you keep working on a deal that is older than most wins were?"),),
        currency=team.currency,
        behind={"n_waiting": lambda row: _waiting(team, rep_ids, first, last, row["day"])},
    )


def _waiting(
    team: Team, rep_ids: list[str], first: pd.Timestamp, last: pd.Timestamp, day: float
) -> pd.DataFrame:
    """The deals neither closed nor younger than so many days."""
    deals = answers.together(ledger(team), rep_ids, first, last).created
    return behind.deals(team, deals[deals["days"] > day])


def _curve(deals: pd.DataFrame) -> pd.DataFrame:
    is_won, is_lost = deals["outcome"] == "won", deals["outcome"] == "lost"
    waited, nobody = deals["days"].to_numpy(), np.zeros(len(deals), int)
    closed = deals.loc[is_won | is_lost, "days"]
    days = np.arange(0, closed.max() + STEP_DAYS, STEP_DAYS) if len(closed) else np.array([])
    found = {"day": days}
    for name, event in (("won", (is_won, is_lost)), ("lost", (is_lost, is_won))):
        curve = stats.incidence(waited, np.select(event, [1, 2]), nobody)
        by_day = [stats.incidence_by(curve, 1, day).iloc[0] for day in days]
        for column, end in (("value", "share"), ("value_low", "low"), ("value_high", "high")):
            found[f"{name}_{end}"] = np.array([row[column] for row in by_day])
    found["n_waiting"] = (waited[None, :] > days[:, None]).sum(axis=1)
    return pd.DataFrame(found)[CURVE]


def _curve_headline(table: pd.DataFrame, n: int, when: str) -> str:
    if not n:
        return say("No deal was created {when}.", when=when)
    if table.empty:
        return say("Of {n} deals created {when} none is closed yet.", n=number(n), when=when)
    at = table[table["day"] <= rates.WON_WITHIN].iloc[-1]
    ends = span(at["won_low"], at["won_high"], percent)
    return say(
        "Of {n} deals created {when}, {won} are won within {days} days ({ends}), {lost} lost; in "
        "the end {in_the_end} are won.",
        n=number(n),
        when=when,
        won=percent(at.won_share),
        days=number(at.day),
        ends=ends,
        lost=percent(at.lost_share),
        in_the_end=percent(table.won_share.iloc[-1]),
    )


def _draw_curve(ax: Axes, table: pd.DataFrame) -> Axes:
    if table.empty:
        return charts.nothing_to_draw(ax)
    named = {"won": say("won"), "lost": say("lost")}
    for name, colour, dash in (("won", charts.ACCENT, "-"), ("lost", charts.MUTED, "--")):
        ends = table[f"{name}_low"], table[f"{name}_high"]
        ax.fill_between(table["day"], *ends, color=colour, alpha=0.2, linewidth=0, step="post")
        share = table[f"{name}_share"]
        ax.step(table["day"], share, dash, where="post", color=colour, label=named[name])
    ax.set_ylim(0, 1)
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.set_xlabel(say("days since creation"))
    return ax
