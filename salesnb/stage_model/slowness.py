"""The table of slow stages: one row per rep and stage."""

import numpy as np
import pandas as pd
from scipy.special import expit

from salesnb.stage_model.cells import TAIL
from salesnb.stage_model.fit import StageFit
from salesnb.stage_model.shrink import MATERIAL, NODES, Posterior, shrink, tiers
from salesnb.stage_model.times import ADVANCED, LOST

SLOW = 1.25  # times the typical days: from here on it matters
FEWEST_TIMES = 20  # below: too few deals to say
UNIT = -np.log(SLOW) / MATERIAL  # log days of one unit of shift: slow is a negative shift

COLUMNS = {
    "rep_id": "str",
    "stage": "str",
    "n_visits": "int64",
    "n_open": "int64",
    "typical_days": "float64",
    "time_ratio": "float64",
    "time_low": "float64",
    "time_high": "float64",
    "slow_probability": "float64",
    "fast_probability": "float64",
    "tier": "str",
    "fast_tier": "str",
    "late_ratio": "float64",
    "late_tier": "str",
}


def slowness(fitted: StageFit) -> pd.DataFrame:
    """How long each rep takes at each stage, against the typical rep on the same kind of deals.

    Deals that go on are looked at, open ones as far as their age says that they will. How late a
    rep closes lost deals is a habit of its own: it is given once per rep, and no sign of slow
    selling.

    Returns
    -------
    DataFrame
        One row per rep and stage with deals that went on or are open, in order of rep, then stage:

        rep_id, stage
        n_visits, n_open : deals that went on or are open; of these open
        typical_days : median days in the stage of the typical rep on the same kind of deals
        time_ratio, time_low, time_high : the rep's days / typical days with 90 % interval
        slow_probability, fast_probability : of a ratio above 1.25, below 0.8
        tier, fast_tier : ``act``, ``look``, ``watch``, ``too_few`` or empty, as for leaks
        late_ratio, late_tier : days until the rep closes a lost deal / typical days, beyond the
            rep's pace with other deals; the same at every stage
    """
    if not len(fitted.visits):
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in COLUMNS.items()})
    estimate, variance, typical = _pace(fitted)
    posterior = _shrunk(estimate, variance)
    went_on = fitted.is_advanced | fitted.is_open
    n_visits = fitted.by_cell(went_on).astype(int)
    is_enough = n_visits >= FEWEST_TIMES
    slow, fast = posterior.below(), posterior.above()
    centre = np.exp(posterior.centre * UNIT)[:, None]
    grid = np.array(np.meshgrid(fitted.stages, fitted.reps, indexing="ij"), dtype=object)
    table = {
        "rep_id": grid[1],
        "stage": grid[0],
        "n_visits": n_visits,
        "n_open": fitted.by_cell(fitted.is_open).astype(int),
        "typical_days": typical * centre,
        **_ratios(posterior),
        "slow_probability": slow,
        "fast_probability": fast,
        "tier": tiers(slow, is_enough),
        "fast_tier": tiers(fast, is_enough),
        **_late(fitted),
    }
    found = pd.DataFrame({name: values.T.ravel() for name, values in table.items()})
    found = found[found["n_visits"] > 0]
    return found[list(COLUMNS)].astype(COLUMNS).reset_index(drop=True)


def _weights(fitted: StageFit) -> np.ndarray:
    logit = fitted.chances.logit + fitted.log_odds
    return fitted.times.weight(expit(logit)[fitted.times.open])


def _pace(fitted: StageFit) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log days of each rep at each stage against the kind of deals: estimate, variance, median."""
    times, n_reps = fitted.times, len(fitted.reps)
    weight = np.where(times.law % 2 == ADVANCED, _weights(fitted), 0)
    code, _ = times.parts["stage"]
    rep = np.arange(fitted.n_cells) % n_reps
    own = times.effect["rep"][rep] + times.effect["outcome"][2 * rep + ADVANCED]
    own = own + times.effect["stage"]
    estimate, variance = times.unshrunken(code, fitted.n_cells, weight, own)
    n = np.bincount(code, weight, fitted.n_cells)
    typical = times.middle - own[code] + times.scale[times.law] * times.median()[times.law]
    total = np.bincount(code, weight * typical, fitted.n_cells)
    median = np.exp(np.divide(total, n, out=np.full(len(n), np.nan), where=n > 0))
    shape = len(fitted.stages), n_reps
    return estimate.reshape(shape), variance.reshape(shape), median.reshape(shape)


def _late(fitted: StageFit) -> dict[str, np.ndarray]:
    """How late each rep closes lost deals, beyond the rep's pace otherwise; by cell."""
    times, n_reps = fitted.times, len(fitted.reps)
    code, size = times.parts["outcome"]
    own = np.repeat(times.effect["rep"], 2) + times.effect["outcome"]
    estimate, variance = (
        part.reshape(n_reps, 2) for part in times.unshrunken(code, size, _weights(fitted), own)
    )
    posterior = _shrunk(
        (estimate[:, LOST] - estimate[:, ADVANCED])[None], variance.sum(axis=1)[None]
    )
    n_lost = np.bincount(fitted.rep, ~(fitted.is_advanced | fitted.is_open), n_reps)
    ratio = _ratios(posterior)["time_ratio"][0]
    tier = tiers(posterior.below(), (n_lost >= FEWEST_TIMES)[None])[0]
    shape = len(fitted.stages), n_reps
    return {"late_ratio": np.broadcast_to(ratio, shape), "late_tier": np.broadcast_to(tier, shape)}


def _shrunk(estimate: np.ndarray, variance: np.ndarray) -> Posterior:
    """The posterior of log days, in units of shift; a cell without visits says nothing."""
    at = np.clip(estimate / UNIT, NODES[0], NODES[-1])[..., None]
    return shrink(-0.5 * (NODES - at) ** 2 * UNIT**2 / variance[..., None])


def _ratios(posterior: Posterior) -> dict[str, np.ndarray]:
    mean = posterior.mean()
    ends = posterior.quantile(1 - TAIL), posterior.quantile(TAIL)
    return {
        "time_ratio": np.exp(mean * UNIT),
        "time_low": np.exp(np.maximum(ends[0], mean) * UNIT),
        "time_high": np.exp(np.minimum(ends[1], mean) * UNIT),
    }
