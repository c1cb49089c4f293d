"""A product on one page: the claim, its proof, against whom, how it is told, how to open it."""

from collections.abc import Hashable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts, stats
from salesnb.differentiators import alike, asked, listed, upkeep
from salesnb.differentiators.telling import BLIND, telling
from salesnb.errors import unknown
from salesnb.finding import Finding
from salesnb.language import say, says, to_say
from salesnb.team import Team
from salesnb.units import number, percent

COLUMNS = ["product", "claim", "proof", "competitor", "owner", "freshness", "n_notes"]
COLUMNS += ["told_rate", "told_low", "told_high", "n_apart", "question"]
TEXTS = ["product", "differentiator_id", "claim", "proof", "competitor", "owner", "freshness"]
FRESH = to_say("up to date")


def card(team: Team, *, product: str | None = None, months: int = 12) -> Finding:
    """What makes a product different, on one page?

    Parameters
    ----------
    product : id or name; without it every product
    months : how far back call notes count

    Returns
    -------
    Finding
        One row per claim, product by product; one for a product without a claim:

        product, claim, proof, competitor, owner
        freshness : up to date, or what made it stale
        n_notes : call notes that could tell it, in the months before `team.as_of`
        told_rate, told_low, told_high : of these, notes that tell it, 90 % interval; blank
            without notes
        n_apart : reps who differ from the others by more than chance
        question : one to open it with, before anything is told

    Raises
    ------
    DataError
        No products or no list of claims, or there is no such product.
    """
    table = sheets(team, product, months)
    has_notes = bool(table["n_notes"].gt(0).any())
    ids: dict[Hashable, str] = dict(table["differentiator_id"])
    return Finding(
        headline=_headline(table),
        table=table[COLUMNS],
        draw=lambda ax: _draw(ax, table),
        caveats=(say(BLIND),) * has_notes,
        shown=[name for name in COLUMNS if name not in ("freshness", "n_apart")],
        behind={"n_notes": lambda row: _notes(team, months, ids[row.name])},
    )


def _notes(team: Team, months: int, differentiator_id: str) -> pd.DataFrame:
    """The notes that could tell a claim, as on record; none where a product has no claim."""
    if pd.isna(differentiator_id) or not team.has("activities"):
        return team.activities.head(0)
    return alike.on_record(team, months, differentiator_id)


def sheets(team: Team, product: str | None = None, months: int = 12) -> pd.DataFrame:
    """All that stands on the sheets of the products: the columns of the finding, and more.

    Adds product_id, differentiator_id, reviewed_on and n_reps, the reps with such notes.
    """
    team.need("products", why="differentiators.card")
    table = _table(team, months)
    if product is not None:
        table = table[table["product_id"] == product_of(team, product)]
    return table.reset_index(drop=True)


def product_of(team: Team, product: str) -> str:
    """The id of a product named by id or name; raises `DataError` where there is none."""
    products = team.products.sort_values("product_id")
    for column in ("product_id", "name"):
        found = products.loc[products[column].str.casefold() == product.casefold(), "product_id"]
        if len(found):
            return str(found.iloc[0])
    raise unknown(
        "product", product, [*products["product_id"], *products["name"]], products["name"]
    )


def _table(team: Team, months: int) -> pd.DataFrame:
    products = team.products[["product_id", "name"]].rename(columns={"name": "product"})
    rows = listed.one_each(upkeep.judged(team)).drop(columns="product")
    rows["freshness"] = rows["why"].replace("", FRESH)
    table = products.merge(rows, on="product_id", how="left").merge(
        _told(team, months), on="group", how="left"
    )
    table = table.sort_values(["product_id", "group"], ignore_index=True)
    about = table[["language", "competitor", "proof", "differentiator_id", "product"]]
    each = zip(*(about[name].astype("str").fillna("") for name in about), strict=True)
    table["question"] = [asked.opening(team, *row) for row in each]
    counts = ["n_notes", "n_reps", "n_apart"]
    types = dict.fromkeys([*TEXTS, "question"], "str") | dict.fromkeys(counts, "int64")
    return table.fillna(dict.fromkeys(counts, 0)).astype(types)


def _told(team: Team, months: int) -> pd.DataFrame:
    """How the team tells each claim: group, n_notes, told_rate with ends, n_reps, n_apart."""
    names = ["told_rate", "told_low", "told_high"]
    if not team.has("activities"):
        return pd.DataFrame(columns=["group", "n_notes", *names, "n_reps", "n_apart"], dtype=float)
    by = alike.of_all(team, telling(team), months).groupby("group")
    found = by.agg(
        n_notes=("n_notes", "sum"),
        n_told=("n_told", "sum"),
        n_reps=("rep_id", "size"),
        n_apart=("is_apart", "sum"),
    ).reset_index()
    rates = stats.rates(found["n_told"].to_numpy(), found["n_notes"].to_numpy())
    found[names] = rates[["value", "value_low", "value_high"]].to_numpy()
    return found


def _headline(table: pd.DataFrame) -> str:
    if table.empty:
        return say("No product on record.")
    n = table["product_id"].nunique()
    claims, stale = table["claim"].notna(), table["freshness"].dropna().ne(FRESH).sum()
    which = say("{n} products", n=number(n)) if n > 1 else str(table["product"].iloc[0])
    if not claims.any():
        return says(
            "{which}: no reason on record yet why to choose it.",
            "{which}: no reason on record yet why to choose them.",
            n,
            which=which,
        )
    has = says("{n} claim", "{n} claims", claims.sum(), n=number(claims.sum()))
    fresh = say("{n} to be reviewed", n=number(stale)) if stale else say("all up to date")
    notes = table["n_notes"].sum()
    if not notes:
        return say(
            "{which}: {claims}, {fresh}; no call note to see how they are told.",
            which=which,
            claims=has,
            fresh=fresh,
        )
    return say(
        "{which}: {claims}, {fresh}; told in {rate} of the notes that could tell them.",
        which=which,
        claims=has,
        fresh=fresh,
        rate=percent(np.nansum(table["told_rate"] * table["n_notes"]) / notes),
    )


def _draw(ax: Axes, table: pd.DataFrame) -> Axes:
    rows = table.dropna(subset="told_rate")
    if rows.empty:
        return charts.nothing_to_draw(ax, say("No call notes to see how it is told"))
    labels = [charts.shortened(claim, 44) for claim in rows["claim"]]
    told = charts.Points.of(say("told, of the notes on it"), rows, "told_rate")
    charts.dumbbell(ax, labels, told)
    ax.set_yticks(range(len(labels)), labels)
    return ax
