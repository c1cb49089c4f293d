"""Chances with several sources of difference, each shrunken as far as the data say it is chance.

Knows no team: arrays in, arrays out. A logistic regression with normal random effects in blocks,
fitted by penalised quasi-likelihood; the variance of each block by Schall's (1991) iterations.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.special import expit, logit

from salesnb import stats

ROUNDS, ENOUGH = 100, 1e-5
MEAN_PENALTY = 0.05  # so weak that it matters only where all or none are hits
ATTENUATION = 0.346  # of a logit by a normal spread (Zeger, Liang and Albert 1988)
FIRST_VARIANCE, LEAST_VARIANCE = 0.1, 1e-4


@dataclass(frozen=True, eq=False)
class Chances:
    """A fitted model: a mean, and the effects of every block one after the other.

    effects : (1 + columns,) logits, the mean first
    covariance : of the effects, given the variances
    variances : (blocks,) of the effects in each
    """

    effects: np.ndarray
    covariance: np.ndarray
    variances: np.ndarray

    def in_order(self, first: np.ndarray) -> "Chances":
        """The same with the columns of the first block in another order."""
        rest = np.arange(len(first) + 1, len(self.effects))
        order = np.r_[0, 1 + first, rest]
        return Chances(self.effects[order], self.covariance[np.ix_(order, order)], self.variances)

    def logits(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard error of the logit of rows, effects not in them left at zero.

        Parameters
        ----------
        rows : (n, m) of the first m columns of the design, without the mean
        """
        design = np.column_stack([np.ones(len(rows)), rows])
        m = design.shape[1]
        mean = design @ self.effects[:m]
        spread = np.einsum("ij,ij->i", design @ self.covariance[:m, :m], design)
        return mean, np.sqrt(np.maximum(spread, 0))

    def rates(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Chances for rows of all blocks but the last, over that block's whole spread.

        With the two ends of their 90 % interval; `rows` as for `logits`.
        """
        mean, error = self.logits(rows)
        half, scale = stats.z() * error, np.sqrt(1 + ATTENUATION * self.variances[-1])
        return expit(mean / scale), expit((mean - half) / scale), expit((mean + half) / scale)


def marks(codes: np.ndarray, n: int) -> sparse.csr_array:
    """A column for each code from 0 up to `n`, 1 where a row has it."""
    return sparse.csr_array((np.ones(len(codes)), (np.arange(len(codes)), codes)), (len(codes), n))


def fit(hit: np.ndarray, blocks: list[sparse.sparray | np.ndarray]) -> Chances:
    """Chances of `hit` (0 or 1) from blocks of columns, each with a variance of its own."""
    design = sparse.csr_array(sparse.hstack([np.ones((len(hit), 1)), *blocks]))
    size = [block.shape[1] for block in blocks]
    block = np.repeat(np.arange(len(size)), size)
    variances = np.full(len(size), FIRST_VARIANCE)
    effects = np.zeros(design.shape[1])
    effects[0] = logit((hit.sum() + 0.5) / (len(hit) + 1))
    for _ in range(ROUNDS):
        penalty = np.r_[MEAN_PENALTY, 1 / variances[block]]
        chance = expit(design @ effects)
        curve = design.T @ (design * (chance * (1 - chance))[:, None])
        curve = curve.toarray() + np.diag(penalty)
        covariance = np.linalg.inv(curve)
        step = covariance @ (design.T @ (hit - chance) - penalty * effects)
        effects = effects + step
        before, variances = variances, _variances(effects, covariance, block, variances)
        if max(np.abs(step).max(), np.abs(variances - before).max(initial=0)) < ENOUGH:
            break
    return Chances(effects, covariance, variances)


def _variances(
    effects: np.ndarray, covariance: np.ndarray, block: np.ndarray, before: np.ndarray
) -> np.ndarray:
    """What the effects spread, beyond what they would spread by chance."""
    squares = np.bincount(block, effects[1:] ** 2, len(before))
    left = np.bincount(block, np.diag(covariance)[1:], len(before)) / before
    free = np.maximum(np.bincount(block, minlength=len(before)) - left, 1e-6)
    return np.maximum(squares / free, LEAST_VARIANCE)
