"""Which call note tells which claim."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.stats import hypergeom

from salesnb.differentiators import languages, listed, matching
from salesnb.history import look_up
from salesnb.language import to_say
from salesnb.once import once
from salesnb.team import Team

OPENS = 30  # days in which a meeting with an account may become a deal
BLIND = to_say(
    "A claim counts as told where a note says it in its own or its listed words, in any form and "
    "with slips of the pen; in other words, in another language, or unwritten, it is not seen."
)


@dataclass(frozen=True, eq=False)
class Telling:
    """The notes on products with claims, and what they tell.

    claims : as `listed.claims`
    notes : activity_id, rep_id, deal_id, product_id, happens_at, language; the row is its number
    said : note, sentence (as written), plain, product_id, is_claim; one row per sentence
    chances : note, group, is_told, rep_id, deal_id, product_id, happens_at, language; one row per
        note and claim of its product that is written in the note's language
    """

    claims: pd.DataFrame
    notes: pd.DataFrame
    said: pd.DataFrame
    chances: pd.DataFrame


@once
def telling(team: Team) -> Telling:
    """What the notes of a team tell, kept for the next question: a team never changes.

    Raises `DataError` without activities or a list of claims.
    """
    team.need("activities", "products", why="how products are told of")
    claims, notes = listed.claims(team), _notes(team)
    said = _said(notes["note"])
    code, unique = pd.factorize(said["plain"])
    known = matching.sentences(np.asarray(unique, dtype=object))
    said["code"], said["product_id"] = code, notes["product_id"].to_numpy()[said["note"]]
    of_note = sparse.csr_array(
        (np.ones(len(said)), (said["note"], code)), (len(notes), len(unique))
    )
    words = languages.known(claims["language"], claims["wordings"].map(" ".join))
    is_latin = notes["note"].str.contains("[A-Za-z]").to_numpy(float)
    found, home = of_note @ known.languages(words), set(claims["language"])
    spoken = languages.likeliest(found, [*words], notes["rep_id"], is_latin, home)
    notes["language"] = pd.Series(spoken, notes.index, dtype="str")
    pairs = _pairs(claims, said, known)
    told = said.merge(pairs, on=["code", "product_id"])
    own = notes["language"].to_numpy()[told["note"]]
    told = told[(own == told["language"]) | (own == "") | (told["language"] == "")]
    said["is_claim"] = said["at"].isin(told["at"])
    return Telling(claims, notes.drop(columns="note"), said, _chances(claims, notes, told))


def _notes(team: Team) -> pd.DataFrame:
    """The notes on activities that took place, each with its deal and what that is about."""
    rows = team.activities
    end = team.as_of + pd.Timedelta(days=1)
    rows = rows[listed.is_filled(rows["note"]) & (rows["happens_at"] < end)]
    rows = rows.sort_values("activity_id", ignore_index=True)
    rows["deal_id"] = rows["deal_id"].fillna(_deal_of_account(team, rows))
    rows["product_id"] = look_up(rows["deal_id"], _products(team))
    columns = ["activity_id", "rep_id", "deal_id", "product_id", "happens_at", "note"]
    return rows[columns].dropna(subset="product_id").reset_index(drop=True)


def _deal_of_account(team: Team, rows: pd.DataFrame) -> pd.Series:
    """The deal that a note on an account alone belongs to: the newest open that day, else the
    next one that opens within `OPENS` days, as after a first meeting."""
    deals = team.deals.dropna(subset="account_id").sort_values(["created_on", "deal_id"])
    deals = deals[["deal_id", "account_id", "created_on", "closed_on"]]
    days = rows.assign(day=rows["happens_at"].dt.normalize(), row=rows.index)
    days = days.dropna(subset="account_id").sort_values("day")[["row", "day", "account_id"]]
    by = {"left_on": "day", "right_on": "created_on", "by": "account_id"}
    before = pd.merge_asof(days, deals, **by)  # type: ignore[arg-type]
    before = before[~(before["closed_on"] < before["day"])]
    soon = {**by, "direction": "forward", "tolerance": pd.Timedelta(days=OPENS)}
    after = pd.merge_asof(days, deals, **soon)  # type: ignore[arg-type]
    of_row = [found.set_index("row")["deal_id"].reindex(rows.index) for found in (before, after)]
    return of_row[0].fillna(of_row[1])


def _products(team: Team) -> pd.Series:
    """The product of each deal; where the deal names none, the largest of its lines."""
    deals = team.deals.set_index("deal_id")["product_id"]
    lines = team.deal_lines.sort_values(
        ["net_amount", "product_id"], ascending=[False, True], kind="stable"
    )
    largest = lines.drop_duplicates("deal_id").set_index("deal_id")["product_id"]
    return deals.fillna(largest.reindex(deals.index))


def _said(notes: pd.Series) -> pd.DataFrame:
    sentence = matching.split(notes)
    said = pd.DataFrame({"note": sentence.index.to_numpy(int), "sentence": sentence.to_numpy()})
    said = said.astype({"sentence": "str"})
    different = said["sentence"].drop_duplicates()
    plain = pd.Series(matching.plain(different).to_numpy(), index=different, dtype="str")
    said["plain"] = look_up(said["sentence"], plain)
    said = said[said["plain"] != ""].reset_index(drop=True)
    return said.assign(at=np.arange(len(said)))


def _pairs(claims: pd.DataFrame, said: pd.DataFrame, known: matching.Sentences) -> pd.DataFrame:
    """Which sentences about a product say which of its claims: code, product_id, group, language.

    What is rare is judged by the notes on other products, where the claim is not the topic.
    """
    rows = claims[["product_id", "group", "language", "wordings"]].explode("wordings")
    rows = rows.dropna(subset="wordings")
    found: list[pd.DataFrame] = []
    if rows.empty or not len(known.words):
        return pd.DataFrame(columns=["code", "product_id", "group", "language"]).astype(
            {"code": int, "product_id": "str", "group": int, "language": "str"}
        )
    vocabulary = matching.vocabulary([*rows["wordings"]])
    grams, n = known.trigrams(vocabulary), len(known.text)
    own = vocabulary.transform(rows["wordings"]).toarray() > 0
    in_all = np.bincount(said["code"], minlength=n)
    for product, wordings in rows.assign(place=np.arange(len(rows))).groupby("product_id"):
        here = np.bincount(said["code"][said["product_id"] == product], minlength=n)
        weight, at = matching.rarity(grams, in_all - here), np.flatnonzero(here)
        text, part = known.text[at], grams[at]
        for each in wordings.to_dict("records"):
            score = matching.alike(each["wordings"], own[each["place"]], text, part, weight)
            same = {name: each[name] for name in ("product_id", "group", "language")}
            found.append(pd.DataFrame({"code": at[score >= matching.ALIKE], **same}))
    return pd.concat(found, ignore_index=True).drop_duplicates().astype({"product_id": "str"})


def _chances(claims: pd.DataFrame, notes: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """Every note with each claim of its product that it could tell."""
    rows = notes.drop(columns="note").assign(note=np.arange(len(notes)))
    each = claims[["product_id", "group", "language"]].rename(columns={"language": "written"})
    found = rows.merge(each, on="product_id")
    fits = found["language"].eq(found["written"]) | found["language"].eq("")
    found = found[fits | found["written"].eq("")].drop_duplicates(["note", "group"])
    is_told = pd.MultiIndex.from_frame(found[["note", "group"]]).isin(
        pd.MultiIndex.from_frame(told[["note", "group"]])
    )
    return found.assign(is_told=is_told).drop(columns="written").reset_index(drop=True)


def as_logged(team: Team, notes: pd.DataFrame) -> pd.DataFrame:
    """The activities that hold these notes, in their order, as on record."""
    return team.activities.set_index("activity_id").reindex(notes["activity_id"]).reset_index()


def recent(days: pd.Series, team: Team, months: int) -> pd.Series:
    """Which of these moments lie within so many months before `team.as_of`."""
    return days > team.as_of - pd.DateOffset(months=months)


def exact_p(k: np.ndarray, n: np.ndarray, other_k: np.ndarray, other_n: np.ndarray) -> np.ndarray:
    """The two-sided mid-p value of Fisher's exact test, twice the smaller side (Lancaster 1961)."""
    given = (n + other_n, k + other_k, n)
    half = hypergeom.pmf(k, *given) / 2
    side = np.minimum(hypergeom.cdf(k - 1, *given), hypergeom.sf(k, *given)) + half
    return np.minimum(2 * side, 1.0)
