"""Rates that bring pay in line with the goals, within a budget and bounds."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.optimize import linprog

from salesnb import charts, pay, sold, stats
from salesnb.errors import DataError, unknown
from salesnb.finding import Finding
from salesnb.language import say
from salesnb.metrics.quota import coming_quarter, fiscal_quarter
from salesnb.metrics.view import in_words, period
from salesnb.team import Team
from salesnb.units import money, percent
from salesnb.wanted import labels, wanted

COLUMNS = ["name", "role", "goal_share", "sales_share", "expected_share", "pay_share"]
COLUMNS += ["effective_rate", "new_rate", "highest_rate", "designed_share", "designed_low"]
COLUMNS += ["designed_high", "product_id"]
OF_MARGIN = 0.5  # no rate takes more of a product's margin than this
TIMES = 3.0  # the highest rate, of the one rate that would spend the budget
LEVELS = ("role", "product")
PRIOR = 100.0  # deals of equal weight that the goals count for at least, as a guess at the mix


def design(
    team: Team,
    *,
    budget: float | None = None,
    level: str = "role",
    lowest_rate: float = 0.0,
    highest_rate: float | None = None,
) -> Finding:
    """Which rates would bring pay in line with the goals, for the same money?

    A linear programme: the rates that leave the smallest part of commission elsewhere than the
    goals of the coming quarter are (or the newest there are), spend the budget on the sales to be
    expected, and keep within bounds. Expected is the amount of the twelve months up to
    `team.as_of` in a mix drawn from last year's towards the goals as far as chance explains the gap
    (Dirichlet-multinomial, by moments): rates that follow one year's mix to the letter miss the
    goals in the next. People are taken to sell the same whatever is paid; what the rates would
    cost if the mix moved all the way to the goals is said beside it. Bands, caps, clawbacks and
    splits stay out of it: they multiply what the rates give.

    Parameters
    ----------
    budget : commission in the team's currency; by default what the plans paid in those months
    level : one rate for each ``role``, which a team can remember, or for each ``product``
    lowest_rate, highest_rate : bounds (0-1); by default 0, and three times the one rate that would
        spend the budget. No product is paid more than half its margin.

    Returns
    -------
    Finding
        One row per product with a goal or sales, by id:

        name, role, product_id
        goal_share, sales_share : of the goals, of the amount won
        expected_share : of sales in another year, see above
        pay_share : of commission as paid
        effective_rate : commission as paid / amount won
        new_rate, highest_rate : the rate found, and its upper bound
        designed_share, designed_low, designed_high : of commission on last year's deals under the
            new rates, with 90 % interval: the mix of another year will differ

    Raises
    ------
    DataError
        No goals or products, no ``comp.toml``, a level that is none, or bounds that cross.
    """
    team.need("goals", "products", why="comp.design")
    team.need_dates("comp.design")
    if level not in LEVELS:
        raise unknown("level", level, LEVELS)
    pay.chosen(team)
    first, last = period(team, None, None)
    won = sold.within(sold.lines(team), first, last).dropna(subset=["product_id", "net_amount"])
    table = _table(team, won, first, last)
    paid = float(table.pop("paid").sum())
    table["expected_share"] = _expected(won, table)
    task = _task(table, paid if budget is None else budget, level, lowest_rate, highest_rate)
    table["highest_rate"] = task.high
    table["new_rate"] = rates = task.solved()
    shares = _shares(won, table, rates)
    for end, value in (("share", "value"), ("low", "value_low"), ("high", "value_high")):
        table[f"designed_{end}"] = shares[value]
    return Finding(
        headline=_headline(team, table, task, in_words(first, last)),
        table=table[COLUMNS],
        draw=lambda ax: _draw(ax, table),
        ask=(say("What would people do with these rates that nobody here has thought of?"),),
        caveats=_caveats(team, table, task),
        currency=team.currency,
        shown=COLUMNS[:-1],
    )


@dataclass(frozen=True, eq=False)
class Task:
    """What is asked of the rates: one entry per product.

    sales : amount to be expected; goal : share of the goals; low, high : bounds of each rate
    group : which products have one rate; spend : what they cost in all; asked : what was to be
    """

    sales: np.ndarray
    goal: np.ndarray
    low: np.ndarray
    high: np.ndarray
    group: np.ndarray
    spend: float
    asked: float

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to distribute, or no goal to distribute it by."""
        return not (self.spend > 0 and self.goal.sum() > 0)

    def solved(self) -> np.ndarray:
        """The rate of each product; NaN where there is nothing to go by."""
        if self.is_empty:
            return np.full(len(self.sales), np.nan)
        n, k = len(self.sales), int(self.group.max()) + 1
        share = self.sales / self.spend * self.high.max()  # of pay, with rates in units of the top
        of_group = np.zeros((n, k))
        of_group[np.arange(n), self.group] = share
        off = np.eye(n)
        found = linprog(
            np.r_[np.zeros(k), np.ones(n)],
            A_ub=np.block([[of_group, -off], [-of_group, -off]]),
            b_ub=np.r_[self.goal, -self.goal],
            A_eq=[np.r_[of_group.sum(axis=0), np.zeros(n)]],
            b_eq=[1.0],
            bounds=[*self._bounds(k), *[(0, None)] * n],
        )
        if not found.success:
            raise DataError(f"No rates were found: {found.message}")
        return found.x[self.group] * self.high.max()

    def _bounds(self, k: int) -> list[tuple[float, float]]:
        """Those of each group: the tightest of its products."""
        top, each = self.high.max(), [self.group == group for group in range(k)]
        return [(self.low[own].max() / top, self.high[own].min() / top) for own in each]


def _misfit(table: pd.DataFrame, rates: np.ndarray) -> float:
    """The part of pay on last year's deals that lies elsewhere than the goals (0-1)."""
    paid = rates * table["sales"].to_numpy()
    return float(np.abs(paid / paid.sum() - table["goal_share"]).sum() / 2)


def _expected(won: pd.DataFrame, table: pd.DataFrame) -> np.ndarray:
    """The mix of another year: last year's, drawn towards the goals as far as chance explains."""
    goal, seen = table["goal_share"].to_numpy(), table["sales_share"].to_numpy()
    size = won["net_amount"].clip(lower=0).groupby(won["deal_id"]).sum()
    if size.sum() <= 0 or np.isnan(goal).any():
        return seen
    n = size.sum() ** 2 / (size**2).sum()  # deals of equal weight (Kish 1965)
    scatter = ((seen - goal) ** 2).sum() / max((goal * (1 - goal)).sum(), 1e-9)
    prior = max(1 / max(scatter - 1 / n, 1e-9), PRIOR)
    return (n * seen + prior * goal) / (n + prior)


def _goal(team: Team, first: pd.Timestamp, last: pd.Timestamp) -> pd.Series:
    """The goals that the rates are for: those of the coming quarter, else the newest there are."""
    for days in (coming_quarter(team), fiscal_quarter(team, team.as_of), (first, last)):
        goal = wanted(team, *days)
        if goal.sum() > 0:
            break
    return goal


def _table(team: Team, won: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    goal = _goal(team, first, last)
    products = team.products.set_index("product_id").loc[goal.index]
    table = products[["name", "role", "margin_rate"]].reset_index()
    paid = pay.per_product(team, first, last)
    amounts = pd.Series(pay.Coins.of(team.currency).amounts(paid["coins"]), paid.index)
    found = {
        "goal": goal,
        "sales": won["net_amount"].clip(lower=0).groupby(won["product_id"]).sum(),
        "paid": amounts.groupby(paid["product_id"]).sum().clip(lower=0),
    }
    for name, by_product in found.items():
        table[name] = by_product.reindex(goal.index).fillna(0.0).to_numpy(float)
        total = table[name].sum()
        share = {"goal": "goal_share", "sales": "sales_share", "paid": "pay_share"}[name]
        table[share] = table[name] / total if total > 0 else np.nan
    table["effective_rate"] = table["paid"] / table["sales"].where(table["sales"] > 0)
    return table[(table["goal"] > 0) | (table["sales"] > 0)].reset_index(drop=True)


def _task(
    table: pd.DataFrame, budget: float, level: str, lowest: float, highest: float | None
) -> Task:
    if not (0 <= lowest <= 1 and (highest is None or lowest <= highest <= 1) and budget >= 0):
        raise DataError("Rates lie between 0 and 1, the lowest not above the highest; no debts.")
    sales = (table["expected_share"] * table["sales"].sum()).to_numpy(float)
    margin = table["margin_rate"].to_numpy(float)
    flat = budget / sales.sum() if sales.sum() > 0 else 0.0
    top = min(TIMES * flat, 1.0) if highest is None else highest
    bound = np.where(np.isnan(margin), top, np.clip(OF_MARGIN * margin, 0, top))
    high, low = bound, np.minimum(lowest, bound)
    group = np.arange(len(table))
    if level == "role":
        group = pd.factorize(table["role"].fillna(""), sort=True)[0]
        for own in (group == each for each in np.unique(group)):
            high = np.where(own, high[own].min(), high)
            low = np.where(own, low[own].min(), low)
    spend = float(np.clip(budget, (low * sales).sum(), (high * sales).sum()))
    goal = table["goal_share"].fillna(0.0).to_numpy(float)
    return Task(sales, goal, low, high, group, spend, budget)


def _shares(won: pd.DataFrame, table: pd.DataFrame, rates: np.ndarray) -> pd.DataFrame:
    """The share of commission of each product under the rates, deals being the cases."""
    code = pd.Index(table["product_id"]).get_indexer(pd.Index(won["product_id"]))
    rows, code = won[code >= 0], code[code >= 0]
    paid = rows["net_amount"].to_numpy(float) * rates[code]
    return stats.shares(paid, code, pd.factorize(rows["deal_id"])[0], len(table))


def _headline(team: Team, table: pd.DataFrame, task: Task, when: str) -> str:
    if task.is_empty:
        return say(
            "There is nothing to design rates by: no goals, or nothing was paid {when}.", when=when
        )
    rates = table["new_rate"].to_numpy()
    flat = np.full(len(rates), 1.0)
    now = table["effective_rate"].fillna(0).to_numpy()
    said = say(
        "For {spend} of commission: on the deals {when}, these rates leave {off} of pay elsewhere "
        "than the goals; one rate for all leaves {flat}",
        spend=money(task.spend, team.currency),
        when=when,
        off=percent(_misfit(table, rates)),
        flat=percent(_misfit(table, flat)),
    )
    if now.any():
        off = percent(_misfit(table, now))
        said = say("{rates}, the plan as it is {off}", rates=said, off=off)
    push = table[(table["role"] == "push") & (table["sales"] > 0)]
    each = [f"{row['name']} {percent(row['new_rate'], 1)}" for _, row in push.iterrows()]
    products = ", ".join(each)
    return (
        f"{said}. " + say("Push products: {products}.", products=products) if each else f"{said}."
    )


def _caveats(team: Team, table: pd.DataFrame, task: Task) -> tuple[str, ...]:
    if task.is_empty:
        return ()
    moved = float((table["new_rate"] * task.goal).sum() * table["sales"].sum())
    same = float((table["new_rate"] * table["sales"]).sum())
    said = [
        say(
            "Last year's own deals would cost {amount} of commission.",
            amount=money(same, team.currency),
        ),
        say(
            "Assumes that people sell the same whatever is paid. If the mix moved all the way to "
            "the goals, the same sales would cost {amount} of commission.",
            amount=money(moved, team.currency),
        ),
        say("No product is paid more than half its margin; bands and caps are not in it."),
    ]
    if abs(task.spend - task.asked) > 0.005 * max(task.asked, 1):
        asked = money(task.asked, team.currency)
        said.append(say("Within these bounds not {amount} is spent.", amount=asked))
    return tuple(said)


def _draw(ax: Axes, table: pd.DataFrame) -> Axes:
    rows = table.dropna(subset=["designed_share", "goal_share"])
    if rows.empty:
        return charts.nothing_to_draw(ax)
    series = [
        charts.Points(say("goals"), rows["goal_share"], None, None, charts.INK, "D"),
        charts.Points(say("pay now"), rows["pay_share"], None, None, charts.MUTED, "s"),
        charts.Points.of(say("pay with these rates"), rows, "designed_share"),
    ]
    charts.dumbbell(ax, labels(rows), *series)
    reach = np.nanmax(rows[["goal_share", "pay_share", "designed_high"]].to_numpy(float))
    ax.set_xlim(0, min(1, 1.1 * reach))
    return ax
