"""Single metrics seen closely: what moved the sales velocity, the win curve, attach rates."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from salesnb import charts, stats
from salesnb.errors import DataError
from salesnb.finding import Finding
from salesnb.metrics import answers, rates
from salesnb.metrics.ledger import DAY, ledger
from salesnb.metrics.pipeline import velocity_factors
from salesnb.metrics.view import in_words, period
from salesnb.team import Team
from salesnb.units import label, money, number, percent, span

FACTORS = {"n_open": "count", "average_won_amount": "amount", "win_rate": "rate"}
FACTORS |= {"sales_cycle_days": "days", "sales_velocity_amount": "amount"}
SAID = {"n_open": "the number of open deals", "average_won_amount": "the average won amount"}
SAID |= {"win_rate": "the win rate", "sales_cycle_days": "the sales cycle"}
STEP_DAYS = 10
CURVE = ["day", "won_share", "won_low", "won_high", "lost_share", "lost_low", "lost_high"]
CURVE += ["n_waiting"]
PAIRS = ["product_id", "with_product_id", "n_won", "n_both", "attach_rate", "attach_low"]
PAIRS += ["attach_high"]


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
    windows = []
    for last in (ends - pd.DateOffset(months=months), ends):
        first = (last - pd.DateOffset(months=months)).as_unit("us")
        window = answers.together(book, rep_ids, first, (last - DAY).as_unit("us"))
        windows.append(velocity_factors(window))
    table = _taken_apart(*windows)
    return Finding(
        headline=_velocity_headline(table, months, team.currency),
        table=table,
        draw=lambda ax: _draw_velocity(ax, table),
        ask=("Which of the four could be moved most easily in the next quarter?",),
        caveats=(
            "The four factors move one another, and a few large deals move the average amount.",
        ),
        currency=team.currency,
    )


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
    when = "in the last month" if months == 1 else f"in the last {months} months"
    if np.isnan(total["change_amount"]):
        return f"Too little was won {when} or before to take the sales velocity apart."
    parts = table.iloc[:-1]
    largest = parts.iloc[int(parts["change_amount"].abs().to_numpy().argmax())]
    return (
        f"Sales velocity {when}: {money(total['now'], currency)} a day, before "
        f"{money(total['then'], currency)}; {SAID[largest['factor']]} did most of it "
        f"({'+' if largest['change_amount'] > 0 else ''}"
        f"{money(largest['change_amount'], currency)} a day)."
    )


def _draw_velocity(ax: Axes, table: pd.DataFrame) -> Axes:
    if table["change_amount"].isna().all():
        return charts.nothing_to_draw(ax)
    rows = table.iloc[::-1]
    colours = [charts.ACCENT if change >= 0 else charts.WARN for change in rows["change_amount"]]
    ax.barh([label(factor) for factor in rows["factor"]], rows["change_amount"], color=colours)
    ax.axvline(0, color=charts.INK, linewidth=1)
    ax.set_xlabel("change of the velocity, amount per day")
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
        ask=("How long do you keep working on a deal that is older than most wins were?",),
        currency=team.currency,
    )


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
        return f"No deal was created {when}."
    if table.empty:
        return f"Of {number(n)} deals created {when} none is closed yet."
    at = table[table["day"] <= rates.WON_WITHIN].iloc[-1]
    ends = span(at["won_low"], at["won_high"], percent)
    return (
        f"Of {number(n)} deals created {when}, {percent(at['won_share'])} are won within "
        f"{number(at['day'])} days ({ends}), {percent(at['lost_share'])} lost; in the end "
        f"{percent(table['won_share'].iloc[-1])} are won."
    )


def _draw_curve(ax: Axes, table: pd.DataFrame) -> Axes:
    if table.empty:
        return charts.nothing_to_draw(ax)
    for name, colour, dash in (("won", charts.ACCENT, "-"), ("lost", charts.MUTED, "--")):
        ends = table[f"{name}_low"], table[f"{name}_high"]
        ax.fill_between(table["day"], *ends, color=colour, alpha=0.2, linewidth=0, step="post")
        ax.step(table["day"], table[f"{name}_share"], dash, where="post", color=colour, label=name)
    ax.set_ylim(0, 1)
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.set_xlabel("days since creation")
    return ax


def attach(
    team: Team,
    *,
    rep: str | None = None,
    starts_on: str | None = None,
    ends_on: str | None = None,
) -> Finding:
    """Which products are sold together?

    Attach rate of B to A: won deals with both / won deals with A, by default of the twelve months
    up to `team.as_of`.

    Returns
    -------
    Finding
        One row per pair of products that were won together at least once, by product:

        product_id, with_product_id : A and B
        n_won, n_both : won deals with A, and those of them with B too
        attach_rate, attach_low, attach_high : n_both / n_won, with 90 % interval

    Raises
    ------
    DataError
        No deal lines, a rep who is not on the team, or a period that holds no day.
    """
    team.need("deal_lines", why="metrics.attach")
    first, last = period(team, starts_on, ends_on)
    rep_ids = sorted(team.reps["rep_id"]) if rep is None else [team.rep(rep)]
    table = _pairs(rates.won_lines(answers.together(ledger(team), rep_ids, first, last)))
    return Finding(
        headline=_attach_headline(team, table, in_words(first, last)),
        table=table,
        draw=lambda ax: _draw_pairs(ax, team, table),
        ask=("What do the customers who took both have in common?",),
        currency=team.currency,
    )


def _pairs(lines: pd.DataFrame) -> pd.DataFrame:
    each = lines[["deal_id", "product_id"]].drop_duplicates()
    both = each.merge(each.rename(columns={"product_id": "with_product_id"}), on="deal_id")
    both = both[both["product_id"] != both["with_product_id"]]
    table = both.groupby(["product_id", "with_product_id"]).size().rename("n_both").reset_index()
    table["n_won"] = table["product_id"].map(each["product_id"].value_counts()).astype(int)
    found = stats.rates(table["n_both"].to_numpy(), table["n_won"].to_numpy())
    ends = {"attach_rate": "value", "attach_low": "value_low", "attach_high": "value_high"}
    return table.assign(**{name: found[value] for name, value in ends.items()})[PAIRS]


def _attach_headline(team: Team, table: pd.DataFrame, when: str) -> str:
    if table.empty:
        return f"No two products were won together {when}."
    surest = table.iloc[int(table["attach_low"].to_numpy().argmax())]
    one, other = _product_names(team, surest[["product_id", "with_product_id"]])
    ends = span(surest["attach_low"], surest["attach_high"], percent)
    return (
        f"Of {number(surest['n_won'])} deals won with {one} {when}, "
        f"{percent(surest['attach_rate'])} also hold {other} ({ends})."
    )


def _product_names(team: Team, product_ids: pd.Series) -> list[str]:
    names = team.products.set_index("product_id")["name"]
    return [str(names.get(product_id, product_id)) for product_id in product_ids]


def _draw_pairs(ax: Axes, team: Team, table: pd.DataFrame) -> Axes:
    rows = table.sort_values("attach_low", ascending=False, kind="stable").head(15)
    names = (_product_names(team, rows[c]) for c in ("product_id", "with_product_id"))
    labels = [f"{one} with {other}" for one, other in zip(*names, strict=True)]
    value, low, high = (rows[f"attach_{end}"].to_list() for end in ("rate", "low", "high"))
    return charts.dumbbell(ax, labels, charts.Points("attach rate", value, low, high))
