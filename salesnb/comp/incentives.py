"""What an hour on each product earns the rep, and what it brings the company."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import behind, charts, pay, sold, stats
from salesnb.effort import effort
from salesnb.finding import Finding
from salesnb.language import say, to_say
from salesnb.metrics.view import in_words, period
from salesnb.team import Team
from salesnb.units import money
from salesnb.wanted import labels, role_in_words

COLUMNS = ["name", "role", "status", "n_deals", "hours", "pay_hour_amount"]
COLUMNS += ["pay_hour_amount_low", "pay_hour_amount_high", "margin_hour_amount"]
COLUMNS += ["margin_hour_amount_low", "margin_hour_amount_high", "product_id"]
FEWEST = 10  # deals


def incentives(team: Team, *, plan: str = "") -> Finding:
    """Where does the plan pay against the goal?

    Commission earned and margin brought by an hour of work on each product's deals, lost deals
    included, in the twelve months up to `team.as_of`. Whoever looks for the best paid hour goes
    where the plan sends them. Deals are the cases of the intervals.

    Parameters
    ----------
    plan : a plan of ``comp.toml`` as if it had always been in force; by default the one of the day

    Returns
    -------
    Finding
        One row per product, by id; amounts in the team's currency:

        name, role, product_id
        n_deals, hours : deals worked on or won, and the hours on them
        pay_hour_amount, pay_hour_amount_low, pay_hour_amount_high : commission an hour
        margin_hour_amount, margin_hour_amount_low, margin_hour_amount_high : margin an hour
        status : ``pays_less`` (an hour on a push product earns clearly less than an hour on all),
            ``pays_more`` (on a minor product or loss leader clearly more), ``pays_for_loss``
            (commission where the company loses), or blank

    Raises
    ------
    DataError
        No products or activities, no ``comp.toml``, or no such plan.
    """
    team.need("products", "activities", why="comp.incentives")
    team.need_dates("comp.incentives")
    pay.chosen(team, plan)
    first, last = period(team, None, None)
    spent = effort(team, first, last)
    rows = _rows(team, spent.rows, first, last, plan)
    table = _table(team, rows)
    total = rows[["coins", "hours"]].sum()
    everywhere = total["coins"] / total["hours"] if total["hours"] > 0 else np.nan
    table["status"] = _status(table, everywhere)
    return Finding(
        headline=_headline(team, table, everywhere, in_words(first, last)),
        table=table[COLUMNS],
        draw=lambda ax: _draw(ax, table, everywhere),
        ask=(
            say("If you only looked at your own pay, which product would you leave out, and why?"),
        ),
        caveats=(spent.caveat if len(spent.rows) else say("No activity names a deal."),),
        currency=team.currency,
        shown=COLUMNS[:-1],
        behind={"n_deals": lambda row: _deals(team, row["product_id"], first, last, plan)},
    )


def _deals(
    team: Team, product: str, first: pd.Timestamp, last: pd.Timestamp, plan: str
) -> pd.DataFrame:
    """The deals on which a product was worked or won, with what it took, paid and brought."""
    rows = _rows(team, effort(team, first, last).rows, first, last, plan)
    rows = rows[rows["product_id"] == product]
    return behind.deals(team, rows, "hours", "coins", "margin_amount")


def _rows(
    team: Team, spent: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp, plan: str
) -> pd.DataFrame:
    """What each deal took, paid and brought, by product: deal_id, product_id, hours, coins,
    margin_amount; pay in units of the currency."""
    paid = pay.per_product(team, first, last, plan)
    paid["coins"] = pay.Coins.of(team.currency).amounts(paid["coins"])
    won = sold.within(sold.lines(team), first, last)
    keys = ["deal_id", "product_id"]
    parts = [spent[[*keys, "hours"]], paid[[*keys, "coins"]], won[[*keys, "margin_amount"]]]
    rows = pd.concat(parts, ignore_index=True).fillna({"hours": 0.0, "coins": 0.0})
    return rows.dropna(subset="product_id").groupby(keys).sum().reset_index()


def _table(team: Team, rows: pd.DataFrame) -> pd.DataFrame:
    table = team.products[["product_id", "name", "role", "margin_rate"]]
    table = table.sort_values("product_id", ignore_index=True)
    code = pd.Index(table["product_id"]).get_indexer(pd.Index(rows["product_id"], dtype="str"))
    rows, code = rows[code >= 0], code[code >= 0]
    case = pd.factorize(rows["deal_id"])[0]
    table["hours"] = np.bincount(code, rows["hours"], len(table))
    for name, column in (("pay_hour_amount", "coins"), ("margin_hour_amount", "margin_amount")):
        above = rows[column].to_numpy(float)
        found = stats.ratios(above, rows["hours"].to_numpy(float), code, case, len(table))
        found = found.mask(table["margin_rate"].isna()) if column == "margin_amount" else found
        for end, value in (("", "value"), ("_low", "value_low"), ("_high", "value_high")):
            table[name + end] = found[value]
        table["n_deals"] = np.bincount(code, minlength=len(table)).astype(int)
    return table


def _status(table: pd.DataFrame, everywhere: float) -> pd.Series:
    role, is_known = table["role"], table["n_deals"] >= FEWEST
    is_aside = role.isin(["minor", "loss_leader"])
    said = np.select(
        [
            is_known & (table["margin_hour_amount_high"] < 0) & (table["pay_hour_amount_low"] > 0),
            is_known & (role == "push") & (table["pay_hour_amount_high"] < everywhere),
            is_known & is_aside & (table["pay_hour_amount_low"] > everywhere),
        ],
        ["pays_for_loss", "pays_less", "pays_more"],
        "",
    )
    return pd.Series(said, index=table.index, dtype="str")


SAYS = {
    to_say("pays_for_loss"): to_say(
        "{product} ({role}) earns {pay} an hour where the company loses {margin}"
    ),
    to_say("pays_less"): to_say(
        "{product} ({role}) earns {pay} an hour, less than the {all} of all products"
    ),
    to_say("pays_more"): to_say(
        "{product} ({role}) earns {pay} an hour, more than the {all} of all products"
    ),
}


def _headline(team: Team, table: pd.DataFrame, everywhere: float, when: str) -> str:
    if np.isnan(everywhere):
        return say(
            "No hour of work on a deal is on record {when}, so pay cannot be held against it.",
            when=when,
        )
    parts = []
    for _, row in table[table["status"] != ""].iterrows():
        values = {
            "product": row["name"],
            "role": role_in_words(row["role"]),
            "pay": money(row["pay_hour_amount"], team.currency),
            "margin": money(abs(row["margin_hour_amount"]), team.currency),
            "all": money(everywhere, team.currency),
        }
        words = SAYS[row["status"]]
        parts.append(say(words, **values))
    if not parts:
        amount = money(everywhere, team.currency)
        return say(
            "The plan does not pay against the goals beyond chance: {amount} an hour {when}.",
            amount=amount,
            when=when,
        )
    listed = "; ".join(parts)
    return say("The plan pays against the goals {when}: {products}.", when=when, products=listed)


def _draw(ax: Axes, table: pd.DataFrame, everywhere: float) -> Axes:
    rows = table.dropna(subset="pay_hour_amount")
    if rows.empty:
        return charts.nothing_to_draw(ax)
    value, low, high = (rows[f"pay_hour_amount{end}"] for end in ("", "_low", "_high"))
    points = charts.Points(say("commission an hour"), value, low, high)
    charts.dumbbell(ax, labels(rows), points, is_rate=False)
    everything = say("all products")
    ax.axvline(everywhere, color=charts.MUTED, linewidth=1, linestyle="--", label=everything)
    return ax
