"""Whether the list is complete and up to date: every product with a claim, proof and owner."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts
from salesnb.differentiators import listed
from salesnb.finding import Finding
from salesnb.language import say, says, to_say
from salesnb.team import Team
from salesnb.units import day, money, number
from salesnb.visits import settled

COVERAGE = ["product_id", "name", "n_claims", "n_no_proof", "n_no_owner", "open_amount", "lacks"]
STALE = ["differentiator_id", "product", "claim", "owner", "reviewed_on", "why", "stale_since"]
STALE += ["next_step", "due_on"]
CHOOSE = to_say("What would make a customer choose {product} over doing nothing?")
VALID = pd.DateOffset(months=12)  # how long a review holds where nothing changes
TIME = pd.Timedelta(days=14)  # to put right what is found stale


def coverage(team: Team) -> Finding:
    """Which products lack a reason why they are different, or its proof or owner?

    A claim that the list holds in several languages is one claim. It has a proof, or an owner,
    where one of its rows names one.

    Returns
    -------
    Finding
        One row per product, those that lack something first, largest open amount first:

        product_id, name
        n_claims : reasons why it is different
        n_no_proof, n_no_owner : of these without
        open_amount : of the open deals about the product, team currency
        lacks : what is lacking, in words; empty where nothing is

    Raises
    ------
    DataError
        The team has no products, or no list of claims.
    """
    team.need("products", why="differentiators.coverage")
    table = _covered(team)
    lacking = table[table["lacks"] != ""]
    owners = int(table["n_no_owner"].sum())
    first = lacking[lacking["n_claims"] == 0]["name"].head(1)
    return Finding(
        headline=_coverage_headline(team, table),
        table=table,
        draw=lambda ax: _draw_coverage(ax, table),
        ask=(
            *(say(CHOOSE, product=name) for name in first),
            *((say("Who keeps the claims without an owner true?"),) if owners else ()),
        ),
        currency=team.currency,
        shown=COVERAGE[1:],
    )


def _covered(team: Team) -> pd.DataFrame:
    rows = listed.claims(team)
    filled = {name: listed.is_filled(rows[name]) for name in ("proof", "owner")}
    has = rows.assign(**filled).groupby("group")
    each = has[["proof", "owner"]].any().assign(product_id=has["product_id"].first())
    count = each.groupby("product_id").agg(
        n_claims=("proof", "size"), proofs=("proof", "sum"), owners=("owner", "sum")
    )
    table = team.products[["product_id", "name"]]
    found = count.reindex(table["product_id"]).fillna(0).astype(int).reset_index(drop=True)
    table = table.reset_index(drop=True).assign(
        n_claims=found["n_claims"],
        n_no_proof=found["n_claims"] - found["proofs"],
        n_no_owner=found["n_claims"] - found["owners"],
    )
    deals = settled(team)
    amounts = deals[deals["outcome"].isna()].groupby("product_id")["amount"].sum()
    table["open_amount"] = amounts.reindex(table["product_id"]).fillna(0.0).to_numpy(float)
    lacks = [_lacks(row) for row in table.itertuples()]
    table["lacks"] = pd.Series(lacks, table.index, dtype="str")
    order = table.assign(is_whole=table["lacks"] == "").sort_values(
        ["is_whole", "open_amount", "product_id"], ascending=[True, False, True]
    )
    return order[COVERAGE].reset_index(drop=True)


def _lacks(row) -> str:
    if not row.n_claims:
        return say("a claim")
    said = []
    for n, what in ((row.n_no_proof, say("proof")), (row.n_no_owner, say("owner"))):
        if n and row.n_claims > 1:
            said.append(say("{what} of {n} of {of} claims", what=what, n=n, of=row.n_claims))
        elif n:
            said.append(what)
    return ", ".join(said)


def _coverage_headline(team: Team, table: pd.DataFrame) -> str:
    if table.empty:
        return say("No product on record.")
    none = table[table["n_claims"] == 0]
    proof, owner = table["n_no_proof"].gt(0).sum(), table["n_no_owner"].gt(0).sum()
    if not (table["lacks"] != "").any():
        return say("All {n} products have a claim, a proof and an owner.", n=number(len(table)))
    said = []
    if len(none):
        worth = none["open_amount"].sum()
        amount = say(" ({amount} open)", amount=money(worth, team.currency)) if worth else ""
        said.append(
            says(
                "{which} has no reason on record why to choose it{amount}",
                "{which} have no reason on record why to choose it{amount}",
                len(none),
                which=none["name"].iloc[0] if len(none) == 1 else number(len(none)),
                amount=amount,
            )
        )
    said += [say("{n} with a claim without proof", n=number(proof))] if proof else []
    said += [say("{n} with one without an owner", n=number(owner))] if owner else []
    return say("Of {n} products: {lacks}.", n=number(len(table)), lacks="; ".join(said))


def _draw_coverage(ax: Axes, table: pd.DataFrame) -> Axes:
    """A mark where a product lacks something."""
    lacks = [table["n_claims"] == 0, table["n_no_proof"] > 0, table["n_no_owner"] > 0]
    places = [(row, col) for col, each in enumerate(lacks) for row in np.flatnonzero(each).tolist()]
    mark = charts.Mark(say("lacking"), "X", charts.WARN, places)
    if len(table) and not places:
        return charts.nothing_to_draw(ax, say("Nothing is lacking"))
    what = [say("a claim"), say("proof"), say("owner")]
    return charts.mark_grid(ax, [*table["name"]], what, mark)


def stale(team: Team) -> Finding:
    """Which claims are due for a review, because the product is new or changed or time has passed?

    A claim is stale if the product was launched or changed after its last review, if it
    was never reviewed, or if the review is more than 12 months ago.

    Returns
    -------
    Finding
        One row per stale claim, in order of `stale_since`; rows of several languages that are
        stale alike are one:

        differentiator_id, product, claim
        owner : who keeps it up to date
        reviewed_on : blank if never
        why : what made it stale
        stale_since : the day of the launch or change, or when the 12 months were over; of a claim
            never reviewed, the last launch or change, blank if none is on record
        next_step : what to do
        due_on : by when: two weeks from `team.as_of`

    Raises
    ------
    DataError
        The team has no products, or no list of claims.
    """
    team.need("products", why="differentiators.stale")
    table, n_claims = _stale(team), listed.claims(team)["group"].nunique()
    return Finding(
        headline=_stale_headline(table, n_claims, team),
        table=table,
        draw=lambda ax: _draw_stale(ax, table, team.as_of),
        ask=(say("What did the customer see that the claim does not say yet?"),) * (len(table) > 0),
        shown=STALE[1:],
    )


def judged(team: Team) -> pd.DataFrame:
    """The list with `why` a row is stale, empty where it is not, and `stale_since`."""
    rows, now = listed.claims(team), team.as_of
    products = team.products.set_index("product_id")[["launched_on", "changed_on"]]
    of = products.reindex(rows["product_id"]).set_index(rows.index)
    of, reviewed = of.where(of <= now), rows["reviewed_on"]
    is_never, is_old = reviewed.isna(), reviewed + VALID < now
    is_changed, is_launched = of["changed_on"] > reviewed, of["launched_on"] > reviewed
    rows["why"] = np.select([is_never, is_changed, is_launched, is_old], [*NEXT], "")
    is_new = is_never | is_changed | is_launched
    expiry = (reviewed + VALID).where(is_old)
    rows["stale_since"] = of.max(axis=1).where(is_new).fillna(expiry)
    return rows.astype({"why": "str"})


def _stale(team: Team) -> pd.DataFrame:
    found = judged(team)
    found = found[found["why"] != ""]
    found["next_step"], found["why"] = found["why"].map(NEXT).map(say), found["why"].map(say)
    found["due_on"] = team.as_of + TIME
    # Rows of a claim that are stale alike are one, in the language of the page.
    alike = ["group", "reviewed_on", "owner", "why"]
    found = found.assign(place=listed.place(found["language"]))
    found = found.sort_values(["place", "differentiator_id"])
    found = found.drop_duplicates(alike)
    found = found.sort_values(["stale_since", "differentiator_id"], na_position="first")
    types = dict.fromkeys(("owner", "next_step"), "str") | {"due_on": "datetime64[us]"}
    return found[STALE].astype(types).reset_index(drop=True)


NEXT = {
    to_say("never reviewed"): to_say("Check claim and proof with two customers, and note the day"),
    to_say("product changed since"): to_say(
        "Hold claim and proof against the change, then tell the team"
    ),
    to_say("product launched since"): to_say(
        "Check claim and proof on the first deals, then tell the team"
    ),
    to_say("reviewed over 12 months ago"): to_say(
        "Check whether proof and competitor are still as they were"
    ),
}


def _stale_headline(table: pd.DataFrame, n_claims: int, team: Team) -> str:
    if not n_claims:
        return say("No claim is on the list yet.")
    if table.empty:
        return says(
            "Up to date: the one claim is reviewed since the products last changed.",
            "Up to date: all {n} claims are reviewed since the products last changed.",
            n_claims,
            n=number(n_claims),
        )
    n, first, owner = len(table), table.iloc[0], table["owner"].iloc[0]
    return says(
        "{n} claim is due for a review by {day}, first “{claim}” ({product}, {why}); {owner}.",
        "{n} claims are due for a review by {day}, first “{claim}” ({product}, {why}); {owner}.",
        n,
        n=number(n),
        day=day(team.as_of + TIME),
        claim=first["claim"],
        product=first["product"],
        why=first["why"],
        owner=say("owner: {who}", who=owner) if pd.notna(owner) else say("nobody owns it yet"),
    )


def _draw_stale(ax: Axes, table: pd.DataFrame, now: pd.Timestamp) -> Axes:
    """How long each claim has been out of date."""
    known = table.dropna(subset="stale_since")
    if known.empty:
        return charts.nothing_to_draw(ax, say("No claim is out of date"))
    days = (now - known["stale_since"]).dt.days.to_numpy()
    labels = [*(known["product"] + ": " + known["claim"])]
    ax.barh(range(len(days)), days, color=charts.ACCENT, height=0.5)
    ax.set_yticks(range(len(days)), [charts.shortened(label, 46) for label in labels])
    ax.set_ylim(len(days) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0, labelcolor=charts.INK)
    ax.set_xlabel(say("days out of date"))
    charts.fit_height(ax, len(days))
    return ax
