"""Whether the team tells the same: each rep and each claim, against the others."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.stats import false_discovery_control

from salesnb import charts, stats
from salesnb.differentiators import instead, listed
from salesnb.differentiators.picture import heat_map
from salesnb.differentiators.telling import BLIND, Telling, as_logged, exact_p, recent, telling
from salesnb.finding import Finding
from salesnb.language import say, says
from salesnb.sessions import without_colleagues
from salesnb.team import Team
from salesnb.units import number, percent

COLUMNS = ["rep_id", "product", "differentiator_id", "claim", "n_notes", "n_told"]
COLUMNS += ["told_rate", "told_low", "told_high", "others_rate", "is_apart", "instead"]
FEWEST = 5  # notes below which nothing is said of a person
PEERS = 3  # others who hide a person among them
FALSE_SHARE = 0.05
TEXTS = ("differentiator_id", "claim", "instead")


def consistency(team: Team, *, rep: str | None = None, months: int = 12) -> Finding:
    """Does everybody tell alike what makes a product different?

    How many of a rep's call notes about a product tell its claim. A claim counts as told where a
    sentence of the note says it, or another wording that the list holds, in the note's language:
    character trigrams (TF-IDF) and rapidfuzz, in any script. Who differs from the others is
    decided by Fisher's exact test with the mid-p value, of all those named at most 5 % expected
    to be chance (Benjamini and Hochberg 1995). How good it is on planted notes:
    ``docs/claims_accuracy.md``.

    Parameters
    ----------
    rep : id or name; the answer then names nobody else
    months : how far back notes count

    Returns
    -------
    Finding
        One row per rep and claim, those with notes only, in order of claim and rep:

        rep_id, product
        differentiator_id, claim : as written in the language of the rep's notes
        n_notes : notes about the product, in a language in which the claim is written
        n_told : notes that tell it
        told_rate, told_low, told_high : n_told / n_notes, 90 % interval
        others_rate : the same of the other reps together; blank with fewer than three of them
        is_apart : differs from the others by more than chance
        instead : what the rep says most often in the notes that do not tell it, if it comes back

    Raises
    ------
    DataError
        No activities, products or list of claims; or there is no such rep.
    """
    rep_id = None if rep is None else team.rep(rep)
    seen = telling(team)
    whole = of_all(team, seen, months)
    table = whole if rep_id is None else whole[whole["rep_id"] == rep_id].reset_index(drop=True)
    if rep_id is not None:
        table["instead"] = without_colleagues(table["instead"], team, rep_id)
    shown = table[COLUMNS]
    names = team.names
    return Finding(
        headline=_headline(seen, table, names, rep_id),
        table=shown,
        draw=lambda ax: _draw(ax, table, names, rep_id),
        ask=_ask(table, rep_id),
        caveats=_caveats(table),
        names=names,
        shown=[name for name in COLUMNS if name != "differentiator_id"],
        behind={
            "n_notes": lambda row: _notes(team, months, row),
            "n_told": lambda row: _notes(team, months, row).query("is_told"),
        },
    )


def _notes(team: Team, months: int, row: pd.Series) -> pd.DataFrame:
    notes = on_record(team, months, row["differentiator_id"])
    return notes[notes["rep_id"] == row["rep_id"]]


def on_record(team: Team, months: int, differentiator_id: str) -> pd.DataFrame:
    """The notes in which a claim could be told, as on record, and whether it is: `is_told`."""
    seen = telling(team)
    rows = seen.chances[recent(seen.chances["happens_at"], team, months)]
    rows = rows[rows["group"] == listed.group_of(seen.claims, differentiator_id)]
    return as_logged(team, rows).assign(is_told=rows["is_told"].to_numpy())


def told(team: Team, seen: Telling, months: int) -> pd.DataFrame:
    """Notes and tellings of each rep and claim: group, rep_id, n_notes, n_told, language."""
    rows = seen.chances[recent(seen.chances["happens_at"], team, months)]
    rows = rows.assign(language=rows["language"].astype(object))
    found = rows.groupby(["group", "rep_id"]).agg(
        n_notes=("is_told", "size"),
        n_told=("is_told", "sum"),
        language=("language", lambda each: each.value_counts().sort_index().idxmax()),
    )
    return found.reset_index().astype({"n_told": int, "n_notes": int, "rep_id": "str"})


def of_all(team: Team, seen: Telling, months: int) -> pd.DataFrame:
    """The columns of the finding for every rep, with group and heading of each claim."""
    found = told(team, seen, months)
    n, k = found["n_notes"].to_numpy(), found["n_told"].to_numpy()
    by = found.groupby("group")
    rest_n = by["n_notes"].transform("sum").to_numpy() - n
    rest_k = by["n_told"].transform("sum").to_numpy() - k
    is_hidden = by["rep_id"].transform("size").to_numpy() <= PEERS
    rates = stats.rates(k, n)
    found["told_rate"], found["told_low"] = rates["value"], rates["value_low"]
    found["told_high"] = rates["value_high"]
    others = np.divide(rest_k, rest_n, out=np.full(len(n), np.nan), where=rest_n > 0)
    found["others_rate"] = np.where(is_hidden, np.nan, others)
    p = np.where(is_hidden | (n < FEWEST), 1.0, exact_p(k, n, rest_k, rest_n))
    is_apart = false_discovery_control(p) <= FALSE_SHARE if len(p) else np.zeros(0, bool)
    found["is_apart"] = is_apart
    found = _worded(found, seen.claims)
    found["instead"] = _said(team, seen, found, months)
    found = found.sort_values(["group", "rep_id"], ignore_index=True)
    return found.astype(dict.fromkeys(("product", *TEXTS), "str"))


def _worded(found: pd.DataFrame, claims: pd.DataFrame) -> pd.DataFrame:
    """Each claim as the list words it in the rep's language, else as it words it first."""
    named = ["group", "product_id", "product", "differentiator_id", "claim"]
    first = listed.one_each(claims)[named]
    first["heading"] = first["claim"]
    own = claims[["group", "language", *named[3:]]].drop_duplicates(["group", "language"])
    found = found.merge(first, on="group", how="left")
    found = found.merge(own, on=["group", "language"], how="left", suffixes=("", "_own"))
    for name in named[3:]:
        found[name] = found.pop(f"{name}_own").fillna(found[name])
    return found


def _said(team: Team, seen: Telling, found: pd.DataFrame, months: int) -> pd.Series:
    """What each rep says most often in the notes that could tell a claim and do not."""
    silent = seen.chances[~seen.chances["is_told"]][["note", "group"]]
    rows = instead.grouped(team, months).merge(silent, on="note")
    by = ["group", "rep_id"]
    count = rows.groupby([*by, "way"])["note"].nunique().rename("n").reset_index()
    count = count[count["n"] >= 2].sort_values(
        [*by, "n", "way"], ascending=[True, True, False, True]
    )
    best = count.drop_duplicates(by)
    return instead.example(rows.merge(best, on=[*by, "way"]), by, found)


def _headline(
    seen: Telling, table: pd.DataFrame, names: Mapping[str, str], rep_id: str | None
) -> str:
    who = "" if rep_id is None else f"{names[rep_id]}: "
    if seen.claims.empty:
        listed_yet = say("no claim is listed yet.")
        return f"{who}{listed_yet}" if who else say("No claim is on the list yet.")
    if table.empty:
        none = say("no call note about a product with a claim.")
        return f"{who}{none}"
    apart = table[table["is_apart"]]
    if rep_id is not None:
        return who + _of_one(table, apart)
    if apart.empty:
        told = percent(table["n_told"].sum() / table["n_notes"].sum())
        return say(
            "Claims are told in {rate} of the notes that could tell them; nobody differs from the "
            "others by more than chance.",
            rate=told,
        )
    by = table.groupby("group").agg(
        claim=("heading", "first"),
        n_apart=("is_apart", "sum"),
        n_reps=("rep_id", "size"),
        n_told=("n_told", "sum"),
        n_notes=("n_notes", "sum"),
    )
    least = by.sort_values(["n_apart", "n_notes"], ascending=[False, True]).iloc[0]
    told = percent(least["n_told"] / least["n_notes"])
    return say(
        "Told least alike: “{claim}”, in {rate} of {n_notes} notes; {n_apart} of {n_reps} reps "
        "differ from the others by more than chance.",
        claim=least["claim"],
        rate=told,
        n_notes=number(least["n_notes"]),
        n_apart=number(least["n_apart"]),
        n_reps=number(least["n_reps"]),
    )


def _of_one(table: pd.DataFrame, apart: pd.DataFrame) -> str:
    if apart.empty:
        told = percent(table["n_told"].sum() / table["n_notes"].sum())
        return say(
            "tells the claims in {rate} of the notes that could tell them, no different from the "
            "others by more than chance.",
            rate=told,
        )
    gap = (apart["told_rate"] - apart["others_rate"]).abs()
    order = apart.assign(gap=gap).sort_values(["gap", "differentiator_id"], ascending=[False, True])
    first = order.to_dict("records")[0]
    n = len(apart) - 1
    more = says("; one more claim differs", "; {n} more claims differ", n, n=n) if n else ""
    return say(
        "tells “{claim}” in {n_told} of {n_notes} notes on {product}, the others in "
        "{others}{more}.",
        claim=first["claim"],
        n_told=number(first["n_told"]),
        n_notes=number(first["n_notes"]),
        product=first["product"],
        others=percent(first["others_rate"]),
        more=more,
    )


def _ask(table: pd.DataFrame, rep_id: str | None) -> tuple[str, ...]:
    apart = table[table["is_apart"]]
    if apart.empty:
        return ()
    less = apart[apart["told_rate"] < apart["others_rate"]]
    asked = []
    if rep_id is not None and len(less):
        claim = less.iloc[0]["claim"]
        asked.append(say("What do customers say when they hear “{claim}”?", claim=claim))
    if rep_id is None:
        asked.append(
            say("What do those who tell it see in the customer that makes it worth telling?")
        )
    if less["instead"].notna().any():
        asked.append(say("Where do other words work better than the ones on the list?"))
    return tuple(asked)


def _caveats(table: pd.DataFrame) -> tuple[str, ...]:
    if table.empty:
        return ()
    return (
        say(BLIND),
        say("Notes of one deal resemble one another, so differences are a little less sure."),
    )


def _draw(ax: Axes, table: pd.DataFrame, names: Mapping[str, str], rep_id: str | None) -> Axes:
    if table.empty:
        return charts.nothing_to_draw(ax, say("No call notes yet"))
    if rep_id is not None:
        labels = [
            f"{charts.shortened(claim, 20)} (n = {n})"
            for claim, n in zip(table["claim"], table["n_notes"], strict=True)
        ]
        rate = table["others_rate"]
        others = charts.Points(say("the others"), rate, colour=charts.MUTED, marker="D")
        own = charts.Points.of(say("own notes"), table, "told_rate")
        return charts.dumbbell(ax, labels, others, own)
    return heat_map(ax, table, names)
