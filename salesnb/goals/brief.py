"""One page for the team: what to push, what is minor, what only opens doors."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import behind, charts, sold, stats
from salesnb.comp_plan import ROLES
from salesnb.finding import Finding
from salesnb.history import look_up
from salesnb.language import say, to_say
from salesnb.metrics.quota import coming_quarter
from salesnb.team import Team
from salesnb.units import day, listed, number, percent, span
from salesnb.wanted import labels, wanted

COLUMNS = ["name", "role", "why", "goal_amount", "goal_share", "margin_rate", "n_won"]
COLUMNS += ["bundled_rate", "bundled_low", "bundled_high", "n_customers"]
COLUMNS += ["followed_rate", "followed_low", "followed_high"]
COLUMNS += ["usual_rate", "usual_low", "usual_high", "product_id"]
SHOWN = ["name", "role", "why", "goal_amount", "goal_share", "margin_rate"]
SHOWN += ["bundled_rate", "n_customers", "followed_rate", "usual_rate"]
WHO = ("followed", "usual")
GOALS, MARGIN = to_say("{share} of the goals"), to_say("{share} margin")
WITHIN = 365  # days in which a customer is to come back
SAID = {
    "push": to_say("comes first"),
    "core": to_say("keep going"),
    "minor": to_say("where asked for"),
}
MISSED = to_say("Which of these would your customers miss least, and what do they ask for instead?")
UNDECIDED = to_say("decide what it is for")
DOOR = {
    "more": to_say("never alone; more follows"),
    "less": to_say("never alone; less follows"),
    "": to_say("never alone; no more shown to follow"),
}
FOLLOWED = {
    "more": to_say(
        "Opens doors: {product}; {own} of the customers who began with it (n = {n}) buy again "
        "within a year ({ends}), more than the {others} of others."
    ),
    "less": to_say(
        "Opens doors: {product}; {own} of the customers who began with it (n = {n}) buy again "
        "within a year ({ends}), less than the {others} of others."
    ),
    "": to_say(
        "Opens doors: {product}; {own} of the customers who began with it (n = {n}) buy again "
        "within a year ({ends}), not told apart from the {others} of others."
    ),
}


def brief(team: Team) -> Finding:
    """What should we push, what is minor, and what only opens doors?

    The goals of the coming fiscal quarter (the one that holds the day after `team.as_of`), with
    what is bought together with each product and after it. Whether a loss leader opens doors shows
    in how many of the customers who began with it buy again within a year, against those who began
    without it; who has not been a customer that long yet is censored, who left competes.

    Returns
    -------
    Finding
        One row per product: push, core, minor, loss leaders; within these the largest goal first

        name, role, product_id : of the product
        why : what that means for the team
        margin_rate : of the product
        goal_amount, goal_share : of the quarter, team currency and share of all goals
        n_won : deals won with it, ever
        bundled_rate, bundled_low, bundled_high : of these with another product too
        n_customers : customers whose first deal held it
        followed_rate, followed_low, followed_high : of these bought again on a later day within a
            year
        usual_rate, usual_low, usual_high : the same of the customers who began without it

    Raises
    ------
    DataError
        The team has no goals or no products.
    """
    team.need("goals", "products", why="goals.brief")
    first, last = coming_quarter(team)
    table = _table(team, wanted(team, first, last))
    return Finding(
        headline=_headline(table, say("from {first} to {last}", first=day(first), last=day(last))),
        table=table,
        draw=lambda ax: _draw(ax, table),
        ask=(say(MISSED),),
        caveats=_caveats(table),
        currency=team.currency,
        shown=SHOWN,
        behind={
            "n_won": lambda row: behind.deals(team, _won_with(team, row["product_id"])),
            "n_customers": lambda row: _began_with(team, row["product_id"]),
        },
    )


def _table(team: Team, goal: pd.Series) -> pd.DataFrame:
    products = team.products.set_index("product_id").loc[goal.index]
    table = products[["name", "role", "margin_rate"]].reset_index()
    total = goal.sum()
    table["goal_amount"] = goal.to_numpy()
    table["goal_share"] = goal.to_numpy() / total if total > 0 else np.nan
    table = pd.concat([table, _bundled(team, goal.index), _followed(team, goal.index)], axis=1)
    rank = table["role"].map({role: place for place, role in enumerate(ROLES)}).astype(float)
    order = ["rank", "goal_amount", "product_id"]
    table = table.assign(rank=rank.fillna(len(ROLES)), why=_why(table))
    table = table.sort_values(order, ascending=[True, False, True], ignore_index=True)
    return table[COLUMNS]


def _won_with(team: Team, product: str) -> pd.DataFrame:
    """The deals won with a product, ever."""
    lines = sold.lines(team)
    return lines[lines["product_id"] == product].drop_duplicates("deal_id")


def _began_with(team: Team, product: str) -> pd.DataFrame:
    """The customers whose first deal held a product, each with that deal."""
    first = _first_lines(team)[0]
    return behind.deals(team, first[first["product_id"] == product].drop_duplicates("account_id"))


def _bundled(team: Team, products: pd.Index) -> pd.DataFrame:
    """Won deals with each product, and how many of them hold another one."""
    lines = sold.lines(team).dropna(subset="product_id")
    code = products.get_indexer(pd.Index(lines["product_id"], dtype="str"))
    lines, code = lines[code >= 0], code[code >= 0]
    many = lines.groupby("deal_id")["product_id"].transform("nunique").to_numpy(int) > 1
    n = np.bincount(code, minlength=len(products)).astype(int)
    found = stats.rates(np.bincount(code, many, len(products)), n).drop(columns="n")
    found.columns = ["bundled_rate", "bundled_low", "bundled_high"]
    return found.assign(n_won=n)


def _followed(team: Team, products: pd.Index) -> pd.DataFrame:
    """Customers who began with each product, and who of them bought again within a year."""
    first, waits = _first_lines(team)
    parts = []
    for place, product in enumerate(products):
        began = waits.index.isin(first.loc[first["product_id"] == product, "account_id"])
        parts.append(waits.assign(group=2 * place + ~began))
    rows = pd.concat(parts) if parts else waits.assign(group=0)
    curve = stats.incidence(*(rows[name].to_numpy() for name in ("days", "event", "group")))
    found = stats.incidence_by(curve, 2 * len(products), WITHIN)
    # Where nobody has bought again or left, those who were there all year tell how rare it is.
    whole = rows.loc[rows["days"] >= WITHIN, "group"].to_numpy(int)
    whole = np.bincount(whole, minlength=2 * len(products))
    found = found.fillna(stats.rates(np.zeros(len(whole)), whole))
    own, others = found.iloc[::2].reset_index(drop=True), found.iloc[1::2].reset_index(drop=True)
    ends = {"rate": "value", "low": "value_low", "high": "value_high"}
    table = pd.DataFrame({f"followed_{end}": own[value] for end, value in ends.items()})
    table = table.assign(n_customers=own["n"].astype(int))
    return table.assign(**{f"usual_{end}": others[value] for end, value in ends.items()})


def _first_lines(team: Team) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What customers bought on their first day, and how long they waited for the next: `_waits`."""
    lines = sold.lines(team).dropna(subset=["product_id", "account_id"])
    waits = _waits(team, lines)
    return lines[lines["closed_on"] == look_up(lines["account_id"], waits["since"])], waits


def _waits(team: Team, lines: pd.DataFrame) -> pd.DataFrame:
    """Days from each customer's first deal, on `since`, to the next; event 1 bought again, 2 left
    before, 0 not yet."""
    since = lines.groupby("account_id")["closed_on"].min()
    later = lines[lines["closed_on"] > look_up(lines["account_id"], since)]
    again = later.groupby("account_id")["closed_on"].min().reindex(since.index)
    left = team.accounts.set_index("account_id")["churned_on"].reindex(since.index)
    until = again.fillna(team.as_of)
    is_gone = left < until
    event = np.select([is_gone, again.notna()], [2, 1], 0)
    days = (until.mask(is_gone, left) - since).dt.days.clip(lower=0).astype(float)
    return pd.DataFrame({"since": since, "days": days, "event": event}, index=since.index)


def _opens(row: pd.Series) -> str:
    """Whether those who began with it buy again ``more`` or ``less`` often, or it is not told.

    From the interval of a difference by square-and-add (Newcombe 1998).
    """
    own, other = ([row[f"{who}_{end}"] for end in ("rate", "low", "high")] for who in WHO)
    gap = own[0] - other[0]
    if gap > np.hypot(own[0] - own[1], other[2] - other[0]):
        return "more"
    return "less" if -gap > np.hypot(own[2] - own[0], other[0] - other[1]) else ""


def _why(table: pd.DataFrame) -> pd.Series:
    words = [
        DOOR[_opens(row)] if row["role"] == "loss_leader" else SAID.get(row["role"], UNDECIDED)
        for _, row in table.iterrows()
    ]
    return pd.Series(map(say, words), index=table.index, dtype="str")


def _headline(table: pd.DataFrame, when: str) -> str:
    push = table[table["role"] == "push"]
    if push.empty:
        return say("No product is marked to be pushed.")
    each = [f"{row['name']}{_in_brackets(row)}" for _, row in push.iterrows()]
    said = [say("To push {when}: {products}.", when=when, products=listed(each))]
    minor = table.loc[table["role"] == "minor", "name"]
    if len(minor):
        said.append(say("Minor: {products}.", products=", ".join(minor)))
    for _, row in table[table["role"] == "loss_leader"].iterrows():
        said.append(_door(row))
    return " ".join(said)


def _in_brackets(row: pd.Series) -> str:
    known = {GOALS: row["goal_share"], MARGIN: row["margin_rate"]}
    parts = [say(words, share=percent(value)) for words, value in known.items() if value == value]
    return f" ({', '.join(parts)})" if parts else ""


def _door(row: pd.Series) -> str:
    n, name = number(row["n_customers"]), row["name"]
    if np.isnan(row["followed_rate"]):
        return say("Opens doors: {product}.", product=name)
    ends = span(row["followed_low"], row["followed_high"], percent)
    own, others = percent(row["followed_rate"]), percent(row["usual_rate"])
    return say(FOLLOWED[_opens(row)], product=name, own=own, n=n, ends=ends, others=others)


def _caveats(table: pd.DataFrame) -> tuple[str, ...]:
    said = [say("That customers who began with a product come back need not be because of it.")]
    if table["role"].isna().any():
        said.append(say("Products without a role: ask what they are for."))
    return tuple(said)


def _draw(ax: Axes, table: pd.DataFrame) -> Axes:
    """How often customers come back after each product, against those who do not have it."""
    rows = table.dropna(subset="followed_rate").head(12)
    if rows.empty:
        return charts.nothing_to_draw(ax)
    usual = charts.Points.of(say("began without it"), rows, "usual_rate", charts.MUTED, "s")
    own = charts.Points.of(say("buy again within a year"), rows, "followed_rate")
    return charts.dumbbell(ax, labels(rows), own, usual)
