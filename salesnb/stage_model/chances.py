"""How likely visits are to advance: ridge-penalised logistic regression, stage by stage.

logit P(advance) = stage + covariates (stage by stage, around what is common to all stages)
+ rep x stage. The widths of the ridges are learned from the data (empirical Bayes).
"""

from itertools import pairwise

import numpy as np
from scipy.special import expit

from salesnb.stage_model.covariates import Covariates

REP_VARIANCE = 0.5**2  # of the rep x stage shifts while covariates are fitted
STAGE_VARIANCE = 3.0**2
COMMON_START, OWN_START = 0.3**2, 0.2**2
COMMON_RANGE, OWN_RANGE = (0.05**2, 2.0), (0.03**2, 1.0)
LONGEST_STEP = 1.5
BOUND = 12.0  # of a logit


class Chances:
    """The regression's state; visits must come sorted by stage and rep.

    logit : of each visit
    shift : rep x stage, (stages, reps)
    """

    def __init__(
        self, stage: np.ndarray, rep: np.ndarray, known: Covariates, start: np.ndarray, n_reps: int
    ):
        n_stages, n_levels = len(start), known.n_levels
        edges = np.searchsorted(stage, np.arange(n_stages + 1))
        self.rows = [slice(*ends) for ends in pairwise(edges)]
        self.rep, self.codes, self.covariate = rep, known.codes, known.covariate
        self.columns = [np.ascontiguousarray(column) for column in known.codes.T]
        self.stage_effect = start.astype(float)
        self.common = np.zeros(n_levels)
        self.own = np.zeros((n_stages, n_levels))
        self.shift = np.zeros((n_stages, n_reps))
        self.common_variance = np.full(len(known.names), COMMON_START)
        self.own_variance = np.full(len(known.names), OWN_START)
        self.logit = self.typical() + self._own_shift()

    def typical(self) -> np.ndarray:
        """The logit of each visit without the rep's shift."""
        return np.concatenate(
            [self.at(stage, rows) for stage, rows in enumerate(self.rows)] or [np.zeros(0)]
        )

    def at(self, stage: int, rows: slice) -> np.ndarray:
        """The logit, without the rep's shift, that these visits' deals would have at `stage`."""
        logit = np.full(rows.stop - rows.start, self.stage_effect[stage])
        for column in self.columns:
            logit += self.own[stage][column[rows]]
        return logit

    def p(self) -> np.ndarray:
        """Chance of advancing of each visit."""
        return expit(self.logit)

    def curve(self, weight: np.ndarray) -> None:
        """Take the second derivatives from these weights of the visits, and learn the ridges."""
        self.information = [self._information(stage, weight) for stage in range(len(self.rows))]
        for _ in range(3 if self.columns else 1):
            self._invert()
            self._learn_ridges()
        self._invert()

    def step(self, residual: np.ndarray) -> float:
        """One Newton step from the visits' residuals; the largest change of a logit."""
        own_precision, common_precision = self._precisions()
        pull = own_precision * (self.own - self.common).sum(axis=0)
        pull -= common_precision * self.common
        pulls = []
        for stage in range(len(self.rows)):
            of_rep, of_level = self._gradient(stage, residual, own_precision)
            by_rep, by_level, _ = self.information[stage]
            free = of_level - by_level.T @ (of_rep / (by_rep + 1 / REP_VARIANCE))
            pull += own_precision * (self.inverse[stage] @ free)[1:]
            pulls.append((of_rep, free))
        move_common = self.common_inverse @ pull
        for stage, (of_rep, free) in enumerate(pulls):
            by_rep, by_level, _ = self.information[stage]
            move = self.inverse[stage] @ (free + np.r_[0, own_precision * move_common])
            move = np.clip(move, -LONGEST_STEP, LONGEST_STEP)
            shift = (of_rep - by_level @ move) / (by_rep + 1 / REP_VARIANCE)
            self.stage_effect[stage] += move[0]
            self.own[stage] += move[1:]
            self.shift[stage] += np.clip(shift, -LONGEST_STEP, LONGEST_STEP)
        self.common += move_common
        before, self.logit = self.logit, self.typical() + self._own_shift()
        self.logit = np.clip(self.logit, -BOUND, BOUND)
        return float(np.abs(self.logit - before).max(initial=0))

    def borrowed_variance(self) -> np.ndarray:
        """Variance that each cell's shift owes to the covariates' being estimated.

        What is common to a stage's cells is left out: it moves the typical rep along.
        """
        found = np.zeros_like(self.shift)
        for stage, (by_rep, by_level, _) in enumerate(self.information):
            weight = np.maximum(by_rep, 1e-9)
            leaning = by_level / weight[:, None]
            leaning = leaning - np.average(leaning, axis=0, weights=weight)
            found[stage] = np.einsum("rj,jk,rk->r", leaning, self.covariance(stage), leaning)
        return found

    def covariance(self, stage: int) -> np.ndarray:
        """Covariance of a stage's estimates: its own level first, then those of the covariates."""
        inverse = self.inverse[stage]
        through = inverse[:, 1:] * self._precisions()[0]
        return inverse + through @ self.common_inverse @ through.T

    def _own_shift(self) -> np.ndarray:
        parts = [shift[self.rep[rows]] for shift, rows in zip(self.shift, self.rows, strict=True)]
        return np.concatenate(parts or [np.zeros(0)])

    def _precisions(self) -> tuple[np.ndarray, np.ndarray]:
        own, common = 1 / self.own_variance, 1 / self.common_variance
        return own[self.covariate], common[self.covariate]

    def _information(
        self, stage: int, weight: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """X'WX of a stage in blocks: reps, reps x levels, levels (the stage's own level first)."""
        rows, n_levels, n_reps = self.rows[stage], len(self.covariate), self.shift.shape[1]
        w, rep = weight[rows], self.rep[rows]
        by_rep = np.bincount(rep, w, n_reps)
        by_level, gram = np.zeros((n_reps, n_levels + 1)), np.zeros((n_levels + 1, n_levels + 1))
        by_level[:, 0], gram[0, 0] = by_rep, w.sum()
        columns = [column[rows] for column in self.columns]
        for i, one in enumerate(columns):
            by_level[:, 1:] += _table(rep, one, w, n_reps, n_levels)
            for other in columns[:i]:
                both = _table(one, other, w, n_levels, n_levels)
                gram[1:, 1:] += both + both.T
            gram[1:, 1:] += np.diag(np.bincount(one, w, n_levels))
        gram[0, 1:] = gram[1:, 0] = by_level[:, 1:].sum(axis=0)
        return by_rep, by_level, gram

    def _gradient(
        self, stage: int, residual: np.ndarray, own_precision: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        rows = self.rows[stage]
        e, n_levels = residual[rows], len(self.covariate)
        of_rep = np.bincount(self.rep[rows], e, self.shift.shape[1])
        of_level = np.zeros(n_levels + 1)
        of_level[0] = e.sum() - self.stage_effect[stage] / STAGE_VARIANCE
        for column in self.columns:
            of_level[1:] += np.bincount(column[rows], e, n_levels)
        of_level[1:] -= own_precision * (self.own[stage] - self.common)
        return of_rep - self.shift[stage] / REP_VARIANCE, of_level

    def _invert(self) -> None:
        """Inverses after eliminating the reps, then the stages."""
        own_precision, common_precision = self._precisions()
        ridge = np.diag(np.r_[1 / STAGE_VARIANCE, own_precision])
        common = np.diag(len(self.rows) * own_precision + common_precision)
        self.inverse = []
        for by_rep, by_level, gram in self.information:
            taken = by_level.T @ (by_level / (by_rep + 1 / REP_VARIANCE)[:, None])
            self.inverse.append(np.linalg.inv(gram - taken + ridge))
            common -= own_precision[:, None] * self.inverse[-1][1:, 1:] * own_precision
        self.common_inverse = np.linalg.inv(common)

    def _learn_ridges(self) -> None:
        own = np.mean([np.diag(inverse)[1:] for inverse in self.inverse], axis=0)
        own += ((self.own - self.common) ** 2).mean(axis=0)
        common = self.common**2 + np.diag(self.common_inverse)
        n = np.bincount(self.covariate)
        self.own_variance = np.clip(np.bincount(self.covariate, own) / n, *OWN_RANGE)
        self.common_variance = np.clip(np.bincount(self.covariate, common) / n, *COMMON_RANGE)


def _table(
    one: np.ndarray, other: np.ndarray, weight: np.ndarray, n_one: int, n_other: int
) -> np.ndarray:
    """A weighted cross table of two codes."""
    return np.bincount(one * n_other + other, weight, n_one * n_other).reshape(n_one, n_other)
