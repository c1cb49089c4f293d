"""Whether a sentence says what a claim says: by the letters they share, in any script.

Two views, averaged. The share of the claim's trigrams that the sentence holds, weighted by how
rare they are where the claim is not the topic (TF-IDF; Salton and Buckley 1988): endings of words
and single letters may differ. And how well the claim's words, in order of the alphabet, can be
laid onto a stretch of the sentence's (Levenshtein's indel distance, by rapidfuzz): extra words do
no harm, missing ones do. What is said in other words altogether is not seen.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from rapidfuzz import fuzz
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer

from salesnb.differentiators import languages

# Chosen on sentences of another trade in seven languages, where limits from .5 to .56 do about as
# well (``benchmarks/claims.toml``); ``docs/claims_accuracy.md`` says what others would do.
ALIKE = 0.52
LONGEST = 30  # words looked at together, where nothing ends a sentence
ENDS = r"(?<=[.!?;:…])\s+|[\n\r。！？]+"
NO_WORD = r"[\W_]+"


@dataclass(frozen=True, eq=False)
class Sentences:
    """Different sentences, as words without capitals and signs.

    text : (sentences,) ; words : (different words,) ; holds : (sentences, words), 1 where it does
    """

    text: np.ndarray
    words: np.ndarray
    holds: sparse.csr_array

    def trigrams(self, vocabulary: CountVectorizer) -> sparse.csr_array:
        """Which trigrams of a vocabulary each sentence holds, (sentences, trigrams)."""
        # Words are far fewer than sentences, so theirs are looked up once.
        found = sparse.csr_array(self.holds @ vocabulary.transform(self.words))
        found.data[:] = 1
        return found

    def languages(self, known: dict[str, frozenset[str]]) -> np.ndarray:
        """How much each sentence speaks for each language, (sentences, languages)."""
        return (self.holds @ languages.hits(self.words, known)).toarray()


def plain(text: pd.Series) -> pd.Series:
    """Words without capitals and signs, a space between them."""
    text = text.str.normalize("NFKC").str.casefold()
    return text.str.replace(NO_WORD, " ", regex=True).str.strip()


def split(notes: pd.Series) -> pd.Series:
    """The sentences of notes as they are written, each with the index of its note."""
    said = notes.str.split(ENDS, regex=True).explode().dropna()
    said = said[said.str.strip() != ""].astype("str")
    is_long = said.str.len() > 2 * LONGEST
    is_long &= said.where(is_long, "").str.count(r"\s") >= LONGEST
    if not is_long.any():
        return said
    cut = said[is_long].map(_windows).explode().astype("str")
    return pd.concat([said[~is_long], cut]).sort_index(kind="stable")


def _windows(text: str) -> list[str]:
    """Stretches of a text without ends, each half over the next."""
    words, half = text.split(), LONGEST // 2
    return [" ".join(words[at : at + LONGEST]) for at in range(0, len(words) - half, half)]


def sentences(text: np.ndarray) -> Sentences:
    """Plain sentences taken apart into their words."""
    split_words = CountVectorizer(token_pattern=r"[^ ]+", lowercase=False, binary=True)
    try:
        holds = sparse.csr_array(split_words.fit_transform(text), dtype=float)
    except ValueError:  # no word at all
        return Sentences(text, np.empty(0, object), sparse.csr_array((len(text), 0)))
    return Sentences(text, split_words.get_feature_names_out(), holds)


def vocabulary(wordings: list[str]) -> CountVectorizer:
    """The trigrams within the words of all wordings."""
    return CountVectorizer(analyzer="char_wb", ngram_range=(3, 3), lowercase=False).fit(wordings)


def rarity(grams: sparse.csr_array, times: np.ndarray) -> np.ndarray:
    """How rare each trigram is, in sentences that were said so many times: its weight."""
    return 1 + np.log((1 + times.sum()) / (1 + grams.T @ times))


def alike(
    wording: str, own: np.ndarray, text: np.ndarray, grams: sparse.csr_array, weight: np.ndarray
) -> np.ndarray:
    """How far each sentence says what a wording says, 0-1; below what can reach `ALIKE`, 0.

    Parameters
    ----------
    wording, own : plain, and (trigrams,) which ones it holds
    text, grams : the sentences; weight : (trigrams,) rarity
    """
    wanted = own * weight
    shared = grams @ wanted / max(wanted.sum(), 1e-9)
    found = np.zeros(len(text))
    for at in np.flatnonzero(shared >= 2 * ALIKE - 1):
        found[at] = (shared[at] + _laid_on(wording, text[at])) / 2
    return found


def _laid_on(wording: str, sentence: str) -> float:
    """How well the wording's words can be laid onto a stretch of the sentence, 0-1."""
    is_shorter = len(sentence) < len(wording)
    score = fuzz.token_sort_ratio if is_shorter else fuzz.partial_token_sort_ratio
    return score(wording, sentence) / 100
