"""Kinds of things by their traits: a latent-class mixture for numbers, words and blanks.

Knows no team: arrays in, arrays out. Within a kind, traits are independent; numbers are normal,
words have their own shares, and a trait that is not known says nothing (full information
likelihood). After Vermunt and Magidson (2002), "Latent class cluster analysis", fitted by EM with
weak priors, so that a small kind has neither a share nor a variance of zero.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri

STARTS, KEPT = 6, 2  # random starts, and how many of them are followed to the end
FEW_ROUNDS, ROUNDS = 15, 200
ENOUGH = 1e-6  # relative gain of the likelihood below which a fit is done
FOLDS, SHUFFLES, RESAMPLES = 5, 3, 8
PRIOR_LEVELS, PRIOR_VARIANCE = 1.0, 2.0  # cases that the whole weighs in every kind
LEAST_VARIANCE = 0.02  # of a trait whose variance in all is 1
SAMPLE = 2500  # rows on which the number of kinds is decided
BLOCK = 100_000  # rows worked on at a time


@dataclass(frozen=True, eq=False)
class Traits:
    """Rows of traits: `numbers` (n, p), spread about 1, NaN where not known; `levels` (n, q).

    A level is a code from 0 up to ``n_levels[trait]``, -1 where not known.
    """

    numbers: np.ndarray
    levels: np.ndarray
    n_levels: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, rows: np.ndarray) -> "Traits":
        """Some of the rows, by number."""
        return Traits(self.numbers[rows], self.levels[rows], self.n_levels)

    def ranked(self) -> "Traits":
        """The same with numbers of normal shape, in the same order (van der Waerden 1952)."""
        rank = pd.DataFrame(self.numbers).rank().to_numpy()
        n = (~np.isnan(self.numbers)).sum(axis=0)
        return Traits(ndtri(rank / (n + 1)), self.levels, self.n_levels)

    def shuffled(self, dice: np.random.Generator) -> "Traits":
        """The same values of each trait, dealt out anew: no trait tells of another any more."""
        return Traits(
            dice.permuted(self.numbers, axis=0), dice.permuted(self.levels, axis=0), self.n_levels
        )

    def blocks(self) -> Iterator[slice]:
        """The rows in pieces that fit into memory."""
        for first in range(0, len(self), BLOCK):
            yield slice(first, first + BLOCK)

    @property
    def n_traits(self) -> int:
        """How many traits there are, of both sorts."""
        return self.numbers.shape[1] + len(self.n_levels)

    def alone(self, trait: int) -> "Traits":
        """The same rows, were one trait all that is known; numbers are counted first."""
        numbers, levels = np.full_like(self.numbers, np.nan), np.full_like(self.levels, -1)
        if trait < self.numbers.shape[1]:
            numbers[:, trait] = self.numbers[:, trait]
        else:
            trait -= self.numbers.shape[1]
            levels[:, trait] = self.levels[:, trait]
        return Traits(numbers, levels, self.n_levels)

    def plain(self) -> np.ndarray:
        """Numbers as they are, 0 where not known, and a column per level, (n, m)."""
        p = self.numbers.shape[1]
        features = self.features()
        return np.hstack([features[:, p : 2 * p], features[:, 3 * p :]])

    def columns_of(self, trait: int) -> np.ndarray:
        """Where the features of a trait stand, numbers counted first."""
        p = self.numbers.shape[1]
        if trait < p:
            return np.array([trait, p + trait, 2 * p + trait])
        first = 3 * p + sum(self.n_levels[: trait - p])
        return np.arange(first, first + self.n_levels[trait - p])

    def features(self, rows: slice = slice(None)) -> np.ndarray:
        """What a normal and a share of levels see of a row: x known, x, x squared, levels."""
        x = self.numbers[rows]
        is_known, x = ~np.isnan(x), np.nan_to_num(x)
        marks = [
            self.levels[rows, trait][:, None] == np.arange(n)
            for trait, n in enumerate(self.n_levels)
        ]
        return np.hstack([is_known, x, x**2, *marks], dtype=float)


@dataclass(frozen=True, eq=False)
class Mixture:
    """A fitted mixture: every kind's share, and what it makes of the features of a row.

    weight : (k,) shares; slope : (features, k), offset : (k,) of the log-likelihood
    """

    weight: np.ndarray
    slope: np.ndarray
    log_likelihood: float

    def log_joint(self, features: np.ndarray) -> np.ndarray:
        """Log of the share of each kind x how likely it is to look like this, (n, k)."""
        return features @ self.slope + np.log(self.weight)

    def posterior(self, traits: Traits) -> np.ndarray:
        """The chance that each row is of each kind, (n, k)."""
        parts = [self.log_joint(traits.features(rows)) for rows in traits.blocks()]
        joint = np.concatenate(parts) if parts else np.empty((0, len(self.weight)))
        return _likelihood(joint)[1]

    def in_order(self, kinds: np.ndarray) -> "Mixture":
        """The same with the kinds in another order."""
        return Mixture(self.weight[kinds], self.slope[:, kinds], self.log_likelihood)

    def posterior_by(self, traits: Traits, trait: int) -> np.ndarray:
        """The same, were this trait all that is known."""
        own = traits.columns_of(trait)
        parts = [
            traits.features(rows)[:, own] @ self.slope[own] + np.log(self.weight)
            for rows in traits.blocks()
        ]
        joint = np.concatenate(parts) if parts else np.empty((0, len(self.weight)))
        return _likelihood(joint)[1]

    def score(self, traits: Traits) -> np.ndarray:
        """The log-likelihood of each row, of those of the fit or of others, (n,)."""
        return _likelihood(self.log_joint(traits.features()))[0]


def fit(traits: Traits, k: int, seed: int = 0) -> Mixture:
    """The best mixture of `k` kinds from several random starts."""
    dice, features = np.random.default_rng(seed), traits.features()
    if k == 1:
        return _em(traits, features, np.ones((len(traits), 1)), 1)
    n = len(traits)
    pilot = dice.choice(n, min(n, SAMPLE), replace=False)
    some = traits.take(pilot)
    begun = [
        _em(some, features[pilot], _start(dice, features[pilot], k), FEW_ROUNDS)
        for _ in range(STARTS)
    ]
    begun.sort(key=lambda each: -each.log_likelihood)
    ended = [_em(traits, features, each.posterior(traits), ROUNDS) for each in begun[:KEPT]]
    return max(ended, key=lambda each: each.log_likelihood)


def held_out(traits: Traits, k: int) -> np.ndarray:
    """The log-likelihood of each row under a fit that has not seen it (Smyth 2000), (n,)."""
    fold = np.random.default_rng(0).permutation(len(traits)) % FOLDS
    found = np.empty(len(traits))
    for each in range(FOLDS):
        mixture = fit(traits.take(np.flatnonzero(fold != each)), k)
        found[fold == each] = mixture.score(traits.take(np.flatnonzero(fold == each)))
    return found


def number_of_kinds(traits: Traits, most: int) -> int:
    """How many kinds the rows tell apart, 1 if none: by rows held out, and beyond chance.

    The smallest number that is not clearly worse than the best (one standard error, Breiman et
    al. 1984, section 3.4.3). Numbers that are not normal make several kinds look better than
    one, though no trait tells of another: so with numbers of normal shape too, it has to gain
    more than twice what it gains where the traits were dealt out anew.
    """
    some = sample(traits)
    if len(some) < 2 * FOLDS:
        return 1
    scores = [held_out(some, k) for k in range(1, most + 1)]
    best = max(scores, key=np.sum)
    worse = [best - score for score in scores]
    margin = [np.sqrt(len(some)) * np.std(each) for each in worse]
    k = next(i for i, each in enumerate(worse) if each.sum() <= margin[i]) + 1
    if k == 1:
        return 1
    dice, normal = np.random.default_rng(0), some.ranked()
    by_chance = max(_gain(normal.shuffled(dice), k) for _ in range(SHUFFLES))
    return k if _gain(normal, k) > 2 * max(0.0, by_chance) else 1


def _gain(traits: Traits, k: int) -> float:
    """What `k` kinds tell more of rows held out than one does, in log-likelihood."""
    return float((held_out(traits, k) - held_out(traits, 1)).sum())


def stability(traits: Traits, mixture: Mixture) -> float:
    """How alike the kinds are that are found in resampled rows (Hennig 2007).

    The median adjusted Rand index (Hubert and Arabie 1985): 1 the same, 0 no more than chance.
    """
    some, k = sample(traits), len(mixture.weight)
    own = mixture.posterior(some).argmax(1)
    found = []
    for each in range(RESAMPLES):
        rows = np.random.default_rng(each).integers(0, len(some), len(some))
        found.append(alike(own, fit(some.take(rows), k, seed=each).posterior(some).argmax(1)))
    return float(np.median(found))


def alike(one: np.ndarray, other: np.ndarray) -> float:
    """The adjusted Rand index of two ways to sort the same rows (Hubert and Arabie 1985)."""
    table = np.zeros((one.max() + 1, other.max() + 1))
    np.add.at(table, (one, other), 1)

    def pairs(n: np.ndarray) -> float:
        return float((n * (n - 1) / 2).sum())

    both, by_one, by_other = pairs(table), pairs(table.sum(1)), pairs(table.sum(0))
    chance = by_one * by_other / pairs(np.array([len(one)]))
    most = (by_one + by_other) / 2
    return (both - chance) / (most - chance) if most > chance else 1.0


def sample(traits: Traits) -> Traits:
    """At most `SAMPLE` of the rows, the same in every run."""
    if len(traits) <= SAMPLE:
        return traits
    return traits.take(np.random.default_rng(0).choice(len(traits), SAMPLE, replace=False))


def _start(dice: np.random.Generator, features: np.ndarray, k: int) -> np.ndarray:
    """Rows given to the nearest of `k` rows drawn at random, softly."""
    centres = features[dice.choice(len(features), k, replace=len(features) < k)]
    far = (features**2).sum(1)[:, None] - 2 * features @ centres.T + (centres**2).sum(1)
    near = np.exp(-(far - far.min(1, keepdims=True)) / 2)
    return near / near.sum(1, keepdims=True)


def _em(traits: Traits, features: np.ndarray, kinds: np.ndarray, rounds: int) -> Mixture:
    """From the chances of the kinds to a mixture and back, until nothing is gained."""
    whole = features.sum(0) / max(len(features), 1)
    before, mixture = -np.inf, None
    for _ in range(rounds):
        mixture = _maximised(traits, features, kinds, whole)
        of_rows, chances = _likelihood(mixture.log_joint(features))
        now = float(of_rows.sum())
        if now - before < ENOUGH * abs(now):
            break
        before, kinds = now, chances
    assert mixture is not None
    return Mixture(mixture.weight, mixture.slope, now)


def _likelihood(joint: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The log-likelihood of each row, (n,), and the chance that it is of each kind, (n, k).

    From the log of both together, (n, k). Most of the time of a fit is spent here: SciPy's
    `logsumexp`, or sums over many short rows in place of few long ones, would make it twice that.
    """
    joint = joint.T.copy()
    most = joint.max(axis=0)
    parts = np.exp(joint - most)
    whole = parts.sum(axis=0)
    return most + np.log(whole), (parts / whole).T


def _maximised(
    traits: Traits, features: np.ndarray, kinds: np.ndarray, whole: np.ndarray
) -> Mixture:
    """The mixture that suits the rows when each belongs to each kind by this chance."""
    k, p = kinds.shape[1], traits.numbers.shape[1]
    weight = (kinds.sum(0) + 1) / (len(kinds) + k)
    sums = features.T @ kinds
    n, x, x2 = sums[:p], sums[p : 2 * p], sums[2 * p : 3 * p]
    mean = x / (n + 0.5)
    # x is centred on 0 and spread about 1 in all: that is what the prior holds it to.
    variance = (x2 - 2 * mean * x + mean**2 * (n + 0.5) + PRIOR_VARIANCE / 2) / (n + PRIOR_VARIANCE)
    variance = np.maximum(variance, LEAST_VARIANCE)
    normal = [-0.5 * (mean**2 / variance + np.log(2 * np.pi * variance))]
    normal += [mean / variance, -0.5 / variance]
    slopes, at = [*normal], 3 * p
    for n_levels in traits.n_levels:
        prior = whole[at : at + n_levels, None] + 0.1 / n_levels
        share = sums[at : at + n_levels] + PRIOR_LEVELS * prior
        slopes.append(np.log(share / share.sum(0)))
        at += n_levels
    return Mixture(weight, np.concatenate(slopes), np.nan)
