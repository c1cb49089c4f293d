"""Which products are won together."""

import pandas as pd
from matplotlib.axes import Axes

from salesnb import behind, charts, stats
from salesnb.finding import Finding
from salesnb.language import say
from salesnb.metrics import answers, rates
from salesnb.metrics.ledger import ledger
from salesnb.metrics.view import View, in_words, period
from salesnb.team import Team
from salesnb.units import number, percent, span

PAIRS = ["product_id", "with_product_id", "n_won", "n_both", "attach_rate", "attach_low"]
PAIRS += ["attach_high"]


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
    view = answers.together(ledger(team), rep_ids, first, last)
    table = _pairs(rates.won_lines(view))
    return Finding(
        headline=_attach_headline(team, table, in_words(first, last)),
        table=table,
        draw=lambda ax: _draw_pairs(ax, team, table),
        ask=(say("What do the customers who took both have in common?"),),
        currency=team.currency,
        names=team.names,
        behind={
            "n_won": lambda row: _with(view, row["product_id"]),
            "n_both": lambda row: _with(view, row["product_id"], row["with_product_id"]),
        },
    )


def _with(view: View, *products: str) -> pd.DataFrame:
    """The won deals among whose lines all these products are."""
    lines = rates.won_lines(view)
    deals = lines[["deal_id"]].drop_duplicates()
    for product in products:
        own = lines.loc[lines["product_id"] == product, "deal_id"]
        deals = deals[deals["deal_id"].isin(own)]
    return behind.deals(view.team, deals)


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
        return say("No two products were won together {when}.", when=when)
    surest = table.iloc[int(table["attach_low"].to_numpy().argmax())]
    one, other = _product_names(team, surest[["product_id", "with_product_id"]])
    ends = span(surest["attach_low"], surest["attach_high"], percent)
    return say(
        "Of {n} deals won with {product} {when}, {rate} also hold {other} ({ends}).",
        n=number(surest.n_won),
        product=one,
        when=when,
        rate=percent(surest.attach_rate),
        other=other,
        ends=ends,
    )


def _product_names(team: Team, product_ids: pd.Series) -> list[str]:
    names = team.products.set_index("product_id")["name"]
    return [str(names.get(product_id, product_id)) for product_id in product_ids]


def _draw_pairs(ax: Axes, team: Team, table: pd.DataFrame) -> Axes:
    rows = table.sort_values("attach_low", ascending=False, kind="stable").head(15)
    names = (_product_names(team, rows[c]) for c in ("product_id", "with_product_id"))
    labels = [
        say("{product} with {other}", product=one, other=other)
        for one, other in zip(*names, strict=True)
    ]
    value, low, high = (rows[f"attach_{end}"].to_list() for end in ("rate", "low", "high"))
    return charts.dumbbell(ax, labels, charts.Points(say("attach rate"), value, low, high))
