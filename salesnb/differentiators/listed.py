"""The manager's list of claims: what is told of which product, in which languages and words."""

import re

import pandas as pd

from salesnb.differentiators import languages, matching
from salesnb.history import look_up
from salesnb.language import ENGLISH, now
from salesnb.team import Team

OTHER_WORDS = "wordings"  # a further column: other ways to say it, a bar between them
WHY = "what makes a product different"


def claims(team: Team) -> pd.DataFrame:
    """The list, one row per claim and language, in order of its ids.

    Adds `product` (its name), `language` (a code, ``""`` where not known), `group` (the claim
    whatever its language: rows of one product whose ids differ by the language only) and
    `wordings` (the claim and its other wordings, plain).
    """
    team.need("differentiators", why=WHY)
    rows = team.differentiators.sort_values("differentiator_id", ignore_index=True)
    products = team.products.set_index("product_id")["name"]
    rows["product"] = look_up(rows["product_id"], products).fillna(rows["product_id"])
    other = rows[OTHER_WORDS].astype("str") if OTHER_WORDS in rows else pd.Series("", rows.index)
    rows[OTHER_WORDS] = [
        _plain(claim, more) for claim, more in zip(rows["claim"], other.fillna(""), strict=True)
    ]
    is_said = "language" in rows
    rows["language"] = languages.code(rows["language"]) if is_said else _guessed(rows)
    stem = rows["differentiator_id"].astype(object)
    if is_said:
        each = zip(rows["differentiator_id"], rows["language"], strict=True)
        stem = pd.Series([_stem(name, spoken) for name, spoken in each], rows.index, dtype=object)
    keys = pd.MultiIndex.from_arrays([rows["product_id"], stem])
    rows["group"] = pd.factorize(keys)[0]
    return rows


def group_of(claims: pd.DataFrame, differentiator_id: str) -> int:
    """The claim that a row of the list is about, whatever its language."""
    return int(claims.loc[claims["differentiator_id"] == differentiator_id, "group"].iloc[0])


def one_each(rows: pd.DataFrame, language: str = "") -> pd.DataFrame:
    """One row per claim: that in a language, else in English, else the first.

    Without a language it is that of the page.
    """
    order = rows.assign(place=place(rows["language"], language))
    order = order.sort_values(["group", "place", "differentiator_id"], kind="stable")
    return order.drop_duplicates("group").drop(columns="place").reset_index(drop=True)


def place(languages: pd.Series, language: str = "") -> pd.Series:
    """0 for one language, by default that of the page; 1 for English, 2 for all else."""
    return languages.map({ENGLISH: 1} | {language or now(): 0}).fillna(2)


def is_filled(text: pd.Series) -> pd.Series:
    """Whether something is written there."""
    return text.astype("str").str.strip().fillna("") != ""


def _plain(claim: str, more: str) -> tuple[str, ...]:
    said = matching.plain(pd.Series([claim, *more.split("|")], dtype="str"))
    return tuple(dict.fromkeys(text for text in said if text))


def _stem(name: str, language: str) -> str:
    """``F01-hu`` in Hungarian is ``F01``."""
    return re.sub(rf"[-_. ]{language}$", "", name, flags=re.IGNORECASE) if language else name


def _guessed(rows: pd.DataFrame) -> pd.Series:
    said = matching.sentences(rows["wordings"].map(" ".join).to_numpy(object))
    words = languages.common_words()
    spoken = languages.likeliest(said.languages(words), [*words])
    return pd.Series(spoken, rows.index, dtype="str")
