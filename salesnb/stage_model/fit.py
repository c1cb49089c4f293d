"""The fit: chances and times together, because an open visit says as much as its age allows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from salesnb.stage_model.chances import Chances
from salesnb.stage_model.covariates import covariates, levels
from salesnb.stage_model.times import Times

ROUNDS = 24
ENOUGH = 0.005  # change of a logit below which the fit is done
CURVE_AT = (0, 1, 2, 4, 7, 11, 16)  # rounds at which second derivatives are taken anew
SHORTEST = 0.5  # days: what left on the day it came
LEAST_WEIGHT = 0.1  # of an open visit's curvature, so that every step goes uphill


@dataclass(frozen=True, eq=False)
class StageFit:
    """A fitted model of stage visits, in order of stage, rep and deal.

    visits : the rows; stage, rep : their codes in `stages` and `reps`
    chances, times : the two halves
    log_odds : log of S_advanced / S_lost at the age of an open visit, 0 where it tells nothing
    is_advanced, is_open, is_told : told are the visits whose outcome or age is known
    """

    visits: pd.DataFrame
    stages: pd.Index
    reps: pd.Index
    stage: np.ndarray
    rep: np.ndarray
    chances: Chances
    times: Times
    log_odds: np.ndarray
    is_advanced: np.ndarray
    is_open: np.ndarray
    is_told: np.ndarray

    @property
    def cell(self) -> np.ndarray:
        """Code of the rep x stage of each visit, counted stage by stage."""
        return self.stage * len(self.reps) + self.rep

    @property
    def n_cells(self) -> int:
        """Stages x reps."""
        return len(self.stages) * len(self.reps)

    def by_cell(self, values: np.ndarray) -> np.ndarray:
        """Sums over the visits of each cell, (stages, reps)."""
        return np.bincount(self.cell, values, self.n_cells).reshape(len(self.stages), -1)


def fit(visits: pd.DataFrame) -> StageFit:
    """Fit chances and times to stage visits by EM (Larson and Dinse 1985).

    The same rows in any order give the same fit.

    Parameters
    ----------
    visits : one row per deal and stage reached

        deal_id, rep_id, stage : stage in its order if categorical, else as sorted
        outcome : ``advanced``, ``lost`` or ``open``
        days : in the stage; the age where open; NaN where not known
        amount, segment, source, product_id, competitor, industry, country, employees,
        tenure_months, entered_at (or month) : known on entry; each may be missing
    """
    visits = _in_order(visits)
    stage, stages = pd.factorize(visits["stage"], sort=True)
    rep, reps = pd.factorize(visits["rep_id"], sort=True)
    outcome = visits["outcome"].to_numpy(str)
    is_advanced, is_lost = outcome == "advanced", outcome == "lost"
    is_open = ~(is_advanced | is_lost)
    log_days = np.log(np.maximum(visits["days"].to_numpy(float, na_value=np.nan), SHORTEST))
    segment = levels(visits["segment"]) if "segment" in visits else np.zeros(len(visits), int)
    times = Times(log_days, stage, rep, segment, is_lost, is_open)
    ahead = np.bincount(stage, is_advanced) + 1, np.bincount(stage, is_lost) + 1
    start = np.log(ahead[0] / ahead[1])
    chances = Chances(stage, rep, covariates(visits), start, len(reps))
    log_odds = _alternate(chances, times, is_advanced, is_open) if len(visits) else np.zeros(0)
    is_told = ~is_open
    is_told[times.open] = True
    return StageFit(
        visits, pd.Index(stages), pd.Index(reps), stage, rep, chances, times, log_odds,
        is_advanced, is_open, is_told,
    )  # fmt: skip


def _in_order(visits: pd.DataFrame) -> pd.DataFrame:
    stage = visits["stage"]
    if isinstance(stage.dtype, pd.CategoricalDtype):
        visits = visits.assign(stage=stage.cat.remove_unused_categories())
    return visits.sort_values(["stage", "rep_id", "deal_id"], ignore_index=True)


def _alternate(
    chances: Chances, times: Times, is_advanced: np.ndarray, is_open: np.ndarray
) -> np.ndarray:
    """Turn by turn until the logits stand; the log odds that the ages of open visits give."""
    still, log_odds = times.open, np.zeros(len(is_open))
    log_odds[still] = times.log_odds()
    for turn in range(ROUNDS):
        times.step(expit(chances.logit + log_odds)[still])
        log_odds[still] = times.log_odds()
        if climb(chances, log_odds, is_advanced, is_open, still, turn) < ENOUGH and turn > 4:
            break
    return log_odds


def climb(
    chances: Chances,
    log_odds: np.ndarray,
    is_advanced: np.ndarray,
    is_open: np.ndarray,
    still: np.ndarray,
    turn: int,
) -> float:
    """One step of the chances, given what the ages of the open visits say.

    Returns the largest change of a logit; `still` are the open visits whose age is known.
    """
    p, q = chances.p(), expit(chances.logit + log_odds)
    if turn in CURVE_AT:
        weight = p * (1 - p)
        # An open visit knows the less, the less its age tells the outcomes apart.
        known = np.maximum(weight - q * (1 - q), LEAST_WEIGHT * weight)
        weight[is_open] = 0
        weight[still] = known[still]
        chances.curve(weight)
    return chances.step(np.where(is_open, q - p, is_advanced - p))
