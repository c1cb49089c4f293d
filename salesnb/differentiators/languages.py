"""Which language a text is written in, told by its commonest words and those of the claims.

A claim can be told in the language it is written in; a note in another one says nothing of it.
"""

import tomllib
from collections.abc import Collection
from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd
from scipy import sparse

UNKNOWN = ""
TEAM = 0.1  # what the habit of the team weighs against that of a rep


@cache
def common_words() -> dict[str, frozenset[str]]:
    """The commonest words of each language, from ``languages.toml``."""
    text = files(__package__).joinpath("languages.toml").read_text(encoding="utf-8")
    return {code: frozenset(words.split()) for code, words in tomllib.loads(text).items()}


def known(language: pd.Series, words: pd.Series) -> dict[str, frozenset[str]]:
    """The words that speak for each language: the commonest ones, and those of its claims.

    language, words : of each claim, the words with spaces between them
    """
    found = dict(common_words())
    for code, text in words.groupby(language):
        if code != UNKNOWN:
            found[str(code)] = found.get(str(code), frozenset()) | {*" ".join(text).split()}
    return found


def hits(words: np.ndarray, known: dict[str, frozenset[str]]) -> sparse.csr_array:
    """How much each word speaks for each language, (words, languages).

    A word that several languages have in common speaks for each of them by its part.
    """
    has = np.array([[word in own for own in known.values()] for word in words], float)
    has = has.reshape(len(words), len(known))
    return sparse.csr_array(has / np.maximum(has.sum(axis=1, keepdims=True), 1))


def likeliest(
    found: np.ndarray,
    codes: list[str],
    by: pd.Series | None = None,
    is_latin: np.ndarray | None = None,
    home: Collection[str] = (),
) -> np.ndarray:
    """The language of each text, ``""`` where nothing tells.

    Parameters
    ----------
    found : (texts, languages) what speaks for each of `codes`
    by : who wrote it; where a text leaves it open, it is in the language its author mostly
        writes, else in that of the team
    is_latin : whether a text has Latin letters; one without is in no language by habit
    home : languages that are to be expected; another one takes more than a single word
    """
    named = np.array([UNKNOWN, *codes], dtype=object)
    weight = found
    if by is not None and is_latin is not None:
        usual = is_latin[:, None] * np.isin(codes, list(home))
        # Each text by itself first; then what its author, and the team, mostly write.
        alone = (found + usual).argmax(axis=1)[:, None] == np.arange(len(codes))
        first = pd.DataFrame((alone & (found > 0).any(axis=1, keepdims=True)).astype(float))
        own = first.groupby(by.to_numpy()).transform("sum").to_numpy(float)
        habit = _shares(own) + TEAM * _shares(first.sum().to_numpy(float)[None, :])
        weight = found + usual + is_latin[:, None] * habit
    return named[np.where(weight.max(axis=1, initial=0) > 0, weight.argmax(axis=1) + 1, 0)]


def _shares(found: np.ndarray) -> np.ndarray:
    return found / np.maximum(found.sum(axis=1, keepdims=True), 1e-9)


def code(written: pd.Series) -> pd.Series:
    """Codes of languages as they are written: ``"hu-HU"`` is ``"hu"``; blank where none is."""
    short = written.astype("str").str.casefold().str.extract(r"^\s*([a-z]{2,3})\b", expand=False)
    return short.fillna(UNKNOWN).astype("str")
