"""What is said of a product in place of its claims, in the reps' own words."""

from collections.abc import Hashable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.stats import false_discovery_control
from sklearn.cluster import AgglomerativeClustering
from sklearn.feature_extraction.text import TfidfVectorizer

from salesnb import charts, stats
from salesnb.differentiators.telling import Telling, as_logged, exact_p, recent, telling
from salesnb.finding import Finding
from salesnb.history import look_up
from salesnb.language import say, to_say
from salesnb.once import once
from salesnb.sessions import without_colleagues
from salesnb.team import Team
from salesnb.units import capital, number, percent

COLUMNS = ["product", "instead", "n_said", "n_reps", "n_notes"]
COLUMNS += ["said_rate", "said_low", "said_high"]
MOST = 1500  # different sentences grouped, the most frequent ones
APART = 0.6  # cosine distance within a group, on average
FEWEST = 3  # notes that make a way of saying it
TWICE, FALSE_SHARE = 2, 0.05
PER_PRODUCT = 4
BY_LETTERS = to_say("Sentences are grouped by the letters they share, not by what they mean.")


def said_instead(team: Team, *, rep: str | None = None, months: int = 12) -> Finding:
    """What do call notes say of a product that is no claim on the list?

    Sentences that tell none of the product's claims, grouped by the letters they share (TF-IDF of
    trigrams, average linkage), where they are said more often of this product than of others:
    "they want references" is said of all. Some will be a claim in other words: add those to the
    column `wordings` of the list, a bar between them, and they count from then on. Some may make a
    better claim than the one on the list.

    Parameters
    ----------
    rep : id or name; only this rep's own sentences then, and no colleague's name
    months : how far back

    Returns
    -------
    Finding
        At most four rows per product, the most frequent first:

        product
        instead : a sentence of the group, as it was written
        n_said : notes with a sentence of the group
        n_reps : reps who wrote them
        n_notes : notes about the product
        said_rate, said_low, said_high : n_said / n_notes, 90 % interval

    Raises
    ------
    DataError
        No activities, products or list of claims; or there is no such rep.
    """
    rep_id = None if rep is None else team.rep(rep)
    table = _table(team, telling(team), rep_id, months)
    who = "" if rep_id is None else f"{team.names[rep_id]}: "
    said = _headline(table)
    rows = table[["product_id", "way"]].itertuples(name=None)
    ways: dict[Hashable, tuple[str, int]] = {at: (product, way) for at, product, way in rows}
    return Finding(
        headline=f"{who}{said}" if who else capital(said),
        table=table[COLUMNS],
        draw=lambda ax: _draw(ax, table),
        ask=(say("Which of these is one of our claims in other words?"),) * (len(table) > 0),
        caveats=(say(BY_LETTERS),) * (len(table) > 0),
        behind={
            "n_said": lambda row: _saying(team, rep_id, months, *ways[row.name]),
            "n_notes": lambda row: _on_product(team, rep_id, months, ways[row.name][0]),
        },
    )


def _saying(team: Team, rep_id: str | None, months: int, product_id: str, way: int) -> pd.DataFrame:
    """The notes on a product that say something so, as on record."""
    rows = grouped(team, months)
    rows = rows[(rows["product_id"] == product_id) & (rows["way"] == way)]
    notes = _on_product(team, rep_id, months, product_id)
    said = telling(team).notes["activity_id"].reindex(rows["note"].unique())
    return notes[notes["activity_id"].isin(said)].reset_index(drop=True)


def _on_product(team: Team, rep_id: str | None, months: int, product_id: str) -> pd.DataFrame:
    """The notes on a product, of one rep or of all, as on record."""
    notes = telling(team).notes
    notes = notes[recent(notes["happens_at"], team, months) & (notes["product_id"] == product_id)]
    notes = notes if rep_id is None else notes[notes["rep_id"] == rep_id]
    return as_logged(team, notes)


@once
def grouped(team: Team, months: int) -> pd.DataFrame:
    """Sentences that tell no claim but are typical of a product, with the `way` they say it.

    Returns
    -------
    DataFrame
        note, sentence, plain, product_id, rep_id, language, way; one row per sentence
    """
    seen = telling(team)
    notes = seen.notes[recent(seen.notes["happens_at"], team, months)]
    said = seen.said[~seen.said["is_claim"] & seen.said["note"].isin(notes.index)]
    for name in ("rep_id", "language"):
        said[name] = look_up(said["note"], notes[name]).to_numpy()
    said["way"] = look_up(said["plain"], _ways(said["plain"])).to_numpy()
    said = said.dropna(subset="way").astype({"way": int})
    typical = _typical(said, notes)
    return said.merge(typical, on=["product_id", "way"])


def _ways(plain: pd.Series) -> pd.Series:
    """The number of its group for each of the most frequent sentences."""
    count = plain.value_counts().rename_axis("plain").reset_index(name="n")
    text = count.sort_values(["n", "plain"], ascending=[False, True])["plain"].head(MOST)
    if len(text) < 2:
        return pd.Series(range(len(text)), index=text, dtype=float)
    words = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 3), lowercase=False)
    vectors = words.fit_transform(text)
    apart = np.clip(1 - (vectors @ vectors.T).toarray(), 0, None)
    tree = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="average", distance_threshold=APART
    )
    return pd.Series(tree.fit_predict(apart).astype(float), index=text)


def _typical(said: pd.DataFrame, notes: pd.DataFrame) -> pd.DataFrame:
    """The ways that are said of a product at least twice as often as of others, beyond chance.

    Counted in notes of the language in which most of them are.
    """
    each = said.drop_duplicates(["note", "way"])
    spoken = each.groupby("way")["language"].agg(lambda own: own.mode().iloc[0])
    each = each[each["language"] == look_up(each["way"], spoken)]
    counts = each.groupby(["product_id", "way", "language"]).size().rename("n").reset_index()
    of_both = notes.groupby(["product_id", "language"]).size()
    here = of_both.reindex(pd.MultiIndex.from_frame(counts[["product_id", "language"]])).to_numpy()
    there = look_up(counts["language"], notes["language"].value_counts()).to_numpy() - here
    own = counts["n"].to_numpy()
    other = counts.groupby("way")["n"].transform("sum").to_numpy() - own
    p = exact_p(own, here, other, there)
    is_sure = false_discovery_control(p) <= FALSE_SHARE if len(p) else np.zeros(0, bool)
    is_more = is_sure & (own * (there + 1) >= TWICE * (other + 1) * here)
    is_typical = (own >= FEWEST) & (is_more | (there == 0))  # of the only product all is typical
    return counts.loc[is_typical, ["product_id", "way"]]


def _table(team: Team, seen: Telling, rep_id: str | None, months: int) -> pd.DataFrame:
    rows, notes = grouped(team, months), seen.notes
    notes = notes[recent(notes["happens_at"], team, months)]
    if rep_id is not None:
        rows, notes = rows[rows["rep_id"] == rep_id], notes[notes["rep_id"] == rep_id]
    by = rows.groupby(["product_id", "way"])
    found = by.agg(n_said=("note", "nunique"), n_reps=("rep_id", "nunique")).reset_index()
    found = found[found["n_said"] >= (FEWEST if rep_id is None else 2)].reset_index(drop=True)
    found["instead"] = example(rows, ["product_id", "way"], found)
    if rep_id is not None:
        found["instead"] = without_colleagues(found["instead"], team, rep_id)
    found["n_notes"] = look_up(found["product_id"], notes["product_id"].value_counts()).to_numpy()
    rate = stats.rates(found["n_said"].to_numpy(), found["n_notes"].to_numpy())
    for name, own in (
        ("said_rate", "value"),
        ("said_low", "value_low"),
        ("said_high", "value_high"),
    ):
        found[name] = rate[own]
    names = team.products.set_index("product_id")["name"]
    found["product"] = look_up(found["product_id"], names)
    order = found.sort_values(["product_id", "n_said", "instead"], ascending=[True, False, True])
    best = order.groupby("product_id").head(PER_PRODUCT)
    types = {"product": "str", "instead": "str", "n_notes": "int64"}
    return best[[*COLUMNS, "product_id", "way"]].astype(types).reset_index(drop=True)


def example(rows: pd.DataFrame, by: list[str], found: pd.DataFrame) -> pd.Series:
    """The most frequent sentence of each group, as written; of equal ones the first."""
    count = rows.groupby([*by, "sentence"]).size().rename("n").reset_index()
    first = count.sort_values([*by, "n", "sentence"], ascending=[True] * len(by) + [False, True])
    first = first.drop_duplicates(by)
    said = found[by].merge(first, on=by, how="left")["sentence"]
    return pd.Series(said.to_numpy(), index=found.index, dtype="str")


def _headline(table: pd.DataFrame) -> str:
    if table.empty:
        return say("no way of saying it comes back often enough to be shown beside the claims.")
    first = table.sort_values(["n_said", "instead"], ascending=[False, True]).iloc[0]
    return say(
        "said most often beside the claims, of {product}: “{instead}” in {rate} of {n} notes.",
        product=first["product"],
        instead=first["instead"],
        rate=percent(first["said_rate"]),
        n=number(first["n_notes"]),
    )


def _draw(ax: Axes, table: pd.DataFrame) -> Axes:
    if table.empty:
        return charts.nothing_to_draw(ax, say("Nothing comes back often enough"))
    rows = table.sort_values("said_rate", ascending=False).head(12)
    labels = [charts.shortened(said, 44) for said in rows["instead"]]
    said = charts.Points.of(say("of the notes on the product"), rows, "said_rate")
    charts.dumbbell(ax, labels, said)
    ax.set_yticks(range(len(labels)), labels)
    return ax
