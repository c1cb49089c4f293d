"""Whether effort, sales and pay go where the company's goals are."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter
from scipy.special import betainc
from scipy.stats import false_discovery_control

from salesnb import behind, charts, pay, sold, stats
from salesnb.effort import Effort, effort
from salesnb.finding import Finding
from salesnb.language import say, to_say
from salesnb.metrics.view import in_words, period
from salesnb.team import Team
from salesnb.units import money, percent, span
from salesnb.wanted import labels, wanted

BOTH = ("effort", "sales")  # held against the goals; pay follows from sales
MEASURES = (*BOTH, "pay")
COLUMNS = ["name", "role", "status", "goal_share"]
COLUMNS += [f"{what}_{end}" for what in MEASURES for end in ("share", "low", "high")]
LOST = "lost_margin_amount"
COLUMNS += [LOST, f"{LOST}_low", f"{LOST}_high", "margin_rate", "n_activities", "n_won"]
COLUMNS += ["product_id"]
SHOWN = ["name", "role", "status", "goal_share", "effort_share", "sales_share", "pay_share"]
SHOWN += ["n_won", "lost_margin_amount"]
OFF = {
    to_say("not_pushed"): to_say("Less effort than the goal"),
    to_say("undersold"): to_say("Effort, but less sold than the goal"),
    to_say("overdone"): to_say("More than the goal"),
}
LESS = to_say("The mix brought {amount} less margin than that of the goals ({ends}).")
MORE = to_say("The mix brought {amount} more margin than that of the goals ({ends}).")
FALSE_SHARE = 0.05  # of the products named, expected to be no more than chance
FEWEST = 10  # deals of equal weight, below which nothing is said of a product
FEWEST_WON = 5  # deals with a product that is said to be overdone
DRAWN = 10


def alignment(
    team: Team,
    *,
    rep: str | None = None,
    starts_on: str | None = None,
    ends_on: str | None = None,
) -> Finding:
    """Do effort, sales and pay go where the goals are?

    Each product's share of the goals, of the hours spent on deals, of the amount won and of the
    commission paid, by default of the twelve months up to `team.as_of`. Deals are the cases of the
    intervals: one large deal is one case. A product is named where its share lies on the wrong
    side of its goal by more than chance (score test; Benjamini and Hochberg 1995).

    Parameters
    ----------
    rep : id or name; the shares are then this rep's own, against the goals of the company

    Returns
    -------
    Finding
        One row per product, by id:

        name, role, margin_rate, product_id : of the product
        goal_share : of all goals, by amount
        effort_share, effort_low, effort_high : of the hours on deals that name a product
        sales_share, sales_low, sales_high : of the net amount won
        pay_share, pay_low, pay_high : of commission less clawbacks; blank without ``comp.toml``
        n_activities, n_won : activities on, and deals won with the product
        lost_margin_amount, lost_margin_amount_low, lost_margin_amount_high : margin that the same
            sales in the mix of the goals would have brought more, in the team's currency; adds up
            over products
        status : ``not_pushed`` (a push product with less effort than its goal), ``undersold`` (a
            push product with effort but less sold), ``overdone`` (a minor product or loss leader
            with more effort or sales than its goal), or blank

    Raises
    ------
    DataError
        No goals or products, no such rep, or a period that holds no day.
    """
    team.need("goals", "products", why="goals.alignment")
    rep_id = None if rep is None else team.rep(rep)
    first, last = period(team, starts_on, ends_on)
    won = _own(sold.within(sold.lines(team), first, last), rep_id)
    spent = effort(team, first, last)
    spent = Effort(_own(spent.rows, rep_id), spent.told)
    paid = pd.DataFrame(columns=["deal_id", "product_id", "coins"])
    if team.settings.plans:
        paid = _own(pay.per_product(team, first, last), rep_id)
    table = _table(team, wanted(team, first, last), spent.rows, won, paid)
    who = "" if rep_id is None else f"{team.names[rep_id]}: "
    return Finding(
        headline=who + _headline(team, table, won, in_words(first, last)),
        table=table[COLUMNS],
        draw=lambda ax: _draw(ax, table),
        ask=_ask(table),
        caveats=_caveats(team, spent),
        currency=team.currency,
        shown=SHOWN,
        behind={"n_won": lambda row: _won_with(team, row["product_id"], rep_id, first, last)},
    )


def _won_with(
    team: Team, product: str, rep_id: str | None, first: pd.Timestamp, last: pd.Timestamp
) -> pd.DataFrame:
    """The deals won with a product, with what of each it brought."""
    lines = _own(sold.within(sold.lines(team), first, last), rep_id)
    lines = lines[lines["product_id"] == product]
    won = lines.groupby("deal_id", sort=False)[["net_amount"]].sum().reset_index()
    return behind.deals(team, won, "net_amount")


def _own(rows: pd.DataFrame, rep_id: str | None) -> pd.DataFrame:
    return rows if rep_id is None else rows[rows["rep_id"] == rep_id]


def _table(
    team: Team,
    goal: pd.Series,
    spent: pd.DataFrame,
    won: pd.DataFrame,
    paid: pd.DataFrame,
) -> pd.DataFrame:
    products = team.products.set_index("product_id").loc[goal.index]
    table = products[["name", "role", "margin_rate"]].reset_index()
    total = float(goal.sum())
    table["goal_share"] = goal.to_numpy() / total if total > 0 else np.nan
    sources = {"effort": (spent, "hours"), "sales": (won, "net_amount"), "pay": (paid, "coins")}
    for what, (rows, column) in sources.items():
        code = goal.index.get_indexer(pd.Index(rows["product_id"], dtype="str"))
        kept, code = rows[code >= 0], code[code >= 0]
        case = pd.factorize(kept["deal_id"])[0]
        found = stats.shares(kept[column].to_numpy(float), code, case, len(goal))
        for end, value in (("share", "value"), ("low", "value_low"), ("high", "value_high")):
            table[f"{what}_{end}"] = found[value]
        table[f"{what}_cases"] = found["n_effective"]
        if what == "effort":
            counted = np.bincount(code, kept["n"], len(goal))
            table["n_activities"] = np.rint(counted).astype(int)
        elif what == "sales":
            table["n_won"] = found["n"]
    table = _with_lost_margin(table, float(won["net_amount"].clip(lower=0).sum()))
    table["status"] = _status(table)
    return table


def _with_lost_margin(table: pd.DataFrame, sold_amount: float) -> pd.DataFrame:
    """What each share costs: (goal - sales share) x its margin above that of the goals."""
    above = table["margin_rate"] - (table["goal_share"] * table["margin_rate"]).sum()
    ends = {
        end: (table["goal_share"] - table[f"sales_{end}"]) * above * sold_amount
        for end in ("share", "low", "high")
    }
    sides = np.sort(np.column_stack([ends["low"], ends["high"]]), axis=1)
    table[LOST] = ends["share"]
    table[[f"{LOST}_low", f"{LOST}_high"]] = sides
    return table


def _status(table: pd.DataFrame) -> pd.Series:
    """What stands out from chance on the wrong side of the goal."""
    p = np.array([_p_of_gap(table, what) for what in BOTH])
    is_sure = np.zeros(p.shape, bool)
    if p.size:
        is_sure = (false_discovery_control(p.ravel()) <= FALSE_SHARE).reshape(p.shape)
    goal, is_push = table["goal_share"], table["role"] == "push"
    less, more = (
        [is_sure[i] & (sign * (table[f"{what}_share"] - goal) > 0) for i, what in enumerate(BOTH)]
        for sign in (-1, 1)
    )
    is_aside = table["role"].isin(["minor", "loss_leader"])
    is_overdone = is_aside & (more[0] | more[1]) & (table["n_won"] >= FEWEST_WON)
    said = np.select(
        [is_push & less[0], is_push & less[1], is_overdone],
        ["not_pushed", "undersold", "overdone"],
        "",
    )
    return pd.Series(said, index=table.index, dtype="str")


def _p_of_gap(table: pd.DataFrame, what: str) -> np.ndarray:
    """How likely chance alone would set a share so far from its goal: binomial, both sides.

    With the number of cases of equal weight, which need not be whole.
    """
    n, goal = table[f"{what}_cases"].to_numpy(float), table["goal_share"].to_numpy(float)
    hits = table[f"{what}_share"].to_numpy(float) * n
    is_known = (n >= FEWEST) & ~np.isnan(goal) & ~np.isnan(hits)
    hits, n, goal = (np.where(is_known, each, 0.5) for each in (hits, n, goal))
    at_least = np.where(hits > 0, betainc(np.maximum(hits, 1e-9), n - hits + 1, goal), 1.0)
    at_most = np.where(n > hits, 1 - betainc(hits + 1, np.maximum(n - hits, 1e-9), goal), 1.0)
    return np.where(is_known, np.minimum(2 * np.minimum(at_least, at_most), 1.0), 1.0)


def _headline(team: Team, table: pd.DataFrame, won: pd.DataFrame, when: str) -> str:
    if table.empty or table["goal_share"].isna().all():
        return say("There are no goals for any product {when}.", when=when)
    if not len(won):
        return say("Nothing was won {when}, so nothing can be held against the goals.", when=when)
    push = table[table["role"] == "push"]
    goal, done, sales, paid = (
        percent(push[f"{what}_share"].sum()) for what in ("goal", "effort", "sales", "pay")
    )
    parts = [say("{share} of sales", share=sales)]
    if push["effort_share"].notna().any():
        parts.insert(0, say("{share} of the effort", share=done))
    if push["pay_share"].notna().any():
        parts.append(say("{share} of pay", share=paid))
    said = [
        say(
            "{goal} of the goals are push products: they have {parts} {when}.",
            goal=goal,
            parts=", ".join(parts),
            when=when,
        )
    ]
    off = {words: table.loc[table["status"] == status, "name"] for status, words in OFF.items()}
    named = [f"{say(words)}: {', '.join(names)}." for words, names in off.items() if len(names)]
    said += named or [say("No product is off its goal by more than chance.")]
    return " ".join([*said, _lost(team, table, won)]).strip()


def _lost(team: Team, table: pd.DataFrame, won: pd.DataFrame) -> str:
    """What the mix costs in all, where that is separated from chance."""
    if table["margin_rate"].isna().any():
        return ""
    deals = won.groupby("deal_id")[["net_amount", "margin_amount"]].sum()
    sold_amount, n = deals["net_amount"].sum(), len(deals)
    if n < FEWEST or sold_amount <= 0:
        return ""
    rate = deals["margin_amount"].sum() / sold_amount
    off = deals["margin_amount"] - rate * deals["net_amount"]
    half = stats.z() * np.sqrt((off**2).sum() * n / (n - 1))
    lost = ((table["goal_share"] * table["margin_rate"]).sum() - rate) * sold_amount
    if abs(lost) <= half:
        return say("What the mix costs in margin is within chance.")
    ends = span(abs(lost) - half, abs(lost) + half, lambda x: money(x, team.currency))
    amount = money(abs(lost), team.currency)
    return say(LESS if lost > 0 else MORE, amount=amount, ends=ends)


def _ask(table: pd.DataFrame) -> tuple[str, ...]:
    status = set(table["status"])
    asked = []
    if "not_pushed" in status:
        asked.append(say("What would have to be true for you to open with the push product?"))
    if "undersold" in status:
        asked.append(say("Where do deals with the push product stop, and who has got past that?"))
    if "overdone" in status:
        asked.append(say("What do you hope comes after the product that only opens the door?"))
    return tuple(asked) if asked or table.empty else (say("Which goal makes least sense to you?"),)


def _caveats(team: Team, spent: Effort) -> tuple[str, ...]:
    said = [say("Shares of the amount; the goals are those of the company for the same days.")]
    if len(spent.rows):
        said.append(spent.caveat)
    else:
        said.append(say("No activity names a deal: nothing is said of effort."))
    if not team.settings.plans:
        said.append(say("There is no comp.toml: nothing is said of pay."))
    return tuple(said)


def _draw(ax: Axes, table: pd.DataFrame) -> Axes:
    """Four bars a product, those with the largest goals, with their intervals."""
    rows = table.sort_values("goal_share", ascending=False, kind="stable").head(DRAWN)
    rows = rows.dropna(subset="goal_share")
    if rows.empty:
        return charts.nothing_to_draw(ax)
    places = np.arange(len(rows), dtype=float)
    looks = {to_say("goal"): charts.INK, to_say("effort"): charts.MUTED}
    looks |= {to_say("sales"): charts.ACCENT, to_say("pay"): charts.WARN}
    shown = [what for what in looks if rows[f"{what}_share"].notna().any()]
    for number, what in enumerate(shown):
        y = places + (number - (len(shown) - 1) / 2) * 0.2
        length = rows[f"{what}_share"]
        ax.barh(y, length, height=0.17, color=looks[what], label=say(what), alpha=0.8)
        if what != "goal":
            ends = rows[f"{what}_low"], rows[f"{what}_high"]
            ax.hlines(y, *ends, color=charts.INK, linewidth=0.8)
    ax.set_yticks(places, [charts.shortened(label) for label in labels(rows)])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0, labelcolor=charts.INK)
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.grid(axis="x", color=charts.FAINT)
    ax.set_axisbelow(True)
    charts.fit_height(ax, 2 * len(rows))
    return ax
