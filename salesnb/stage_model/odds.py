"""The odds of open deals: to advance from where they stand, then from every stage after it.

The fit takes every open visit to end some day, which is right for telling reps apart and too rosy
for a forecast: some deals are never closed. Here an age at which visits have not been seen to
advance any more speaks against the deal, however few were closed as lost by then.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from salesnb import stats
from salesnb.stage_model.cells import log_likelihood
from salesnb.stage_model.covariates import levels
from salesnb.stage_model.fit import ENOUGH, ROUNDS, SHORTEST, StageFit, climb, fit
from salesnb.stage_model.shrink import GRID, Posterior, shrink

SURE = 1e-4  # no chance nearer to 0 or 1 than this
ATTENUATION = 0.346  # of a logit by its variance (Zeger, Liang and Albert 1988)
PRIOR_VISITS = 20.0  # what the log-normal times weigh against the visits seen
UNSEEN = 0.25  # visits that may yet advance at an age at which none has been seen to
WRITTEN_LATE = 0.2  # difference between the shares filled in on open and on closed deals
FEW = 20  # deals below which that difference is not looked at
TRAITS = ["segment", "source", "product_id", "competitor", "industry", "country"]
TRAITS += ["employees", "amount"]
COLUMNS = ["deal_id", "rep_id", "stage", "days", "win_logit", "logit_sd"]


def open_odds(visits: pd.DataFrame) -> pd.DataFrame:
    """How likely each open deal is to be won, given its stage, its time there, its mix and rep.

    The chance to advance from the present stage, given that it has not happened yet, times those
    of the later stages; the rep's own shifts shrunken as in `cells`.

    Parameters
    ----------
    visits : as for `fit`

    Returns
    -------
    DataFrame
        One row per open visit, in order of deal:

        deal_id, rep_id, stage, days
        win_logit : log odds of winning the deal, the less sure the nearer to even
        logit_sd : standard error of that from the estimated chances, by the delta method
    """
    if not (visits["outcome"] == "open").any():
        return pd.DataFrame(columns=COLUMNS).astype({"win_logit": float, "logit_sd": float})
    fitted = _with_endless(fit(_as_known(visits)))
    posterior = shrink(log_likelihood(fitted), fitted.chances.borrowed_variance())
    at = np.flatnonzero(fitted.is_open)
    log_win, variance = np.zeros(len(at)), np.zeros(len(at))
    for stage in range(len(fitted.stages)):
        ahead = fitted.stage[at] <= stage
        deals = at[ahead]
        chance = _logit(fitted, posterior, stage, deals)
        chance += np.where(fitted.stage[deals] == stage, fitted.log_odds[deals], 0)
        p = expit(chance)
        log_win[ahead] += np.log(np.maximum(p, SURE))
        variance[ahead] += (1 - p) ** 2 * _variance(fitted, posterior, stage, deals)
    win = np.clip(np.exp(log_win), SURE, 1 - SURE)
    sd = np.sqrt(variance) / (1 - win)
    # The mean chance over what the logit may be is nearer to even odds than that of its middle.
    mean = logit(win) / np.sqrt(1 + ATTENUATION * sd**2)
    found = fitted.visits.iloc[at][COLUMNS[:4]].assign(win_logit=mean, logit_sd=sd)
    return found.sort_values("deal_id", ignore_index=True)


def _as_known(visits: pd.DataFrame) -> pd.DataFrame:
    """Without the traits that are written down when a deal ends.

    Where open deals lack what closed ones have, or the other way round, the blank would tell the
    end before it comes.
    """
    is_open = (visits["outcome"] == "open").groupby(visits["deal_id"]).transform("any")
    one = visits[~visits["deal_id"].duplicated()]
    is_open = is_open.loc[one.index]
    if min(is_open.sum(), (~is_open).sum()) < FEW:
        return visits
    traits = [name for name in TRAITS if name in visits]
    filled = one[traits].notna()
    gap = (filled[is_open].mean() - filled[~is_open].mean()).abs()
    return visits.drop(columns=gap.index[gap > WRITTEN_LATE])


def _with_endless(fitted: StageFit) -> StageFit:
    """The fit with chances that allow for visits that never end."""
    log_odds = _age_says(fitted)
    still = np.flatnonzero(fitted.is_open & fitted.is_told)
    for turn in range(ROUNDS):
        state = fitted.is_advanced, fitted.is_open, still, turn
        if climb(fitted.chances, log_odds, *state) < ENOUGH and turn > 4:
            break
    return replace(fitted, log_odds=log_odds)


def _age_says(fitted: StageFit) -> np.ndarray:
    """log of P(still there at that age | will advance) / P(still there | will not), open visits.

    From the cumulative incidence of advancing (Aalen and Johansen 1978): who has not been seen to
    advance by the longest time on record does not advance. The log-normal times of the fit count
    as `PRIOR_VISITS` further visits, so that a handful of visits does not decide.
    """
    days = _usual_days(fitted)
    event = np.select([fitted.is_advanced, ~fitted.is_open], [1, 2], 0)
    known = np.isfinite(days)
    if_advanced, if_lost = np.zeros(len(days)), np.zeros(len(days))
    if_advanced[fitted.times.open], if_lost[fitted.times.open] = fitted.times.log_survival()
    found = np.zeros(len(days))
    curves = stats.incidence(days[known], event[known], fitted.stage[known])
    for stage, curve in curves.groupby("group"):
        at = np.flatnonzero(known & fitted.is_open & (fitted.stage == stage))
        rows = curve.iloc[[0, *range(len(curve))]]  # a row before the first day for those of age 0
        row = rows.iloc[np.searchsorted(curve["day"].to_numpy(), days[at], side="right")]
        n, total = curve["n_at_risk"].iloc[0], curve["incidence"].iloc[-1]
        is_young = days[at] < curve["day"].iloc[0]
        by_then = np.where(is_young, 0.0, row["incidence"])
        there = np.where(is_young, 1.0, row["survival"])
        share = (n * total + 1) / (n + 2)
        prior = PRIOR_VISITS * np.array([share, 1 - share])
        advance = n * (total - by_then) + prior[0] * np.exp(if_advanced[at]) + UNSEEN
        not_ = n * np.maximum(there - total + by_then, 0) + prior[1] * np.exp(if_lost[at])
        start = (n * total + prior[0] + UNSEEN) / (n * (1 - total) + prior[1])
        found[at] = np.log(advance / not_) - np.log(start)
    return found


def _usual_days(fitted: StageFit) -> np.ndarray:
    """Days in the stage, by the pace at which the deals of its segment advance; NaN if unknown.

    A large deal takes longer than others to be won, so that its age says less against it.
    """
    visits, days = fitted.visits, fitted.visits["days"].to_numpy(float, na_value=np.nan)
    segment = levels(visits["segment"]) if "segment" in visits else np.zeros(len(visits), int)
    return np.maximum(days, SHORTEST) * np.exp(-fitted.times.pace(fitted.stage, segment))


def _logit(fitted: StageFit, posterior: Posterior, stage: int, at: np.ndarray) -> np.ndarray:
    """The logit that these deals would have at a stage, with their rep's shift."""
    chances = fitted.chances
    of_levels = chances.own[stage][chances.codes[at]].sum(axis=1)
    shift = posterior.centre[stage] + posterior.mean()[stage][fitted.rep[at]]
    return chances.stage_effect[stage] + of_levels + shift


def _variance(fitted: StageFit, posterior: Posterior, stage: int, at: np.ndarray) -> np.ndarray:
    """The variance of that logit: of the covariates' effects, and of the rep's shift."""
    covariance = fitted.chances.covariance(stage)
    first = np.zeros((len(at), 1), int)  # the stage's own level
    which = np.hstack([first, fitted.chances.codes[at] + 1])
    found = np.zeros(len(at))
    for one in which.T:
        for other in which.T:
            found += covariance[one, other]
    spread = posterior.team @ GRID**2 - posterior.mean() ** 2
    return found + spread[stage][fitted.rep[at]]
