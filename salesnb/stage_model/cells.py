"""The table of leaks and strengths: one row per rep and stage."""

import numpy as np
import pandas as pd
from scipy.interpolate import CubicSpline
from scipy.special import expit

from salesnb.stage_model.fit import StageFit
from salesnb.stage_model.shrink import GRID, NODES, Posterior, shrink, tiers

FEWEST_VISITS = 40  # below: too few deals to say
MOST_OPEN = 0.4  # above: the lost amount is an upper bound
TAIL = 0.05  # on each side of an interval
CURVE = np.arange(-12, 13) * 0.25  # shifts at which rates and amounts are worked out

COLUMNS = {
    "rep_id": "str",
    "stage": "str",
    "n_visits": "int64",
    "n_open": "int64",
    "advance_rate": "float64",
    "advance_low": "float64",
    "advance_high": "float64",
    "typical_rate": "float64",
    "shift_logit": "float64",
    "shift_low": "float64",
    "shift_high": "float64",
    "leak_probability": "float64",
    "strength_probability": "float64",
    "tier": "str",
    "strength_tier": "str",
    "lost_amount": "float64",
    "lost_low": "float64",
    "lost_high": "float64",
    "is_upper_bound": "bool",
    "n_no_amount": "int64",
    "precision": "float64",
}


def cells(fitted: StageFit) -> pd.DataFrame:
    """Every rep at every stage against the typical rep on the same deals.

    Returns
    -------
    DataFrame
        One row per rep and stage with visits, in order of rep, then stage:

        rep_id, stage
        n_visits, n_open : deals that entered the stage; of these still in it
        advance_rate, advance_low, advance_high : the rep's chance that they advance
        typical_rate : that of the typical rep on the same deals
        shift_logit : the rep's shift from the typical rep, shrunken towards 0 (a logit)
        shift_low, shift_high : 90 % interval, not shrunken by the team's prior
        leak_probability, strength_probability : of a shift below -0.3, above +0.3
        tier, strength_tier : ``act``, ``look``, ``watch``, ``too_few`` or empty
        lost_amount, lost_low, lost_high : amount x (typical - own chance) x own chance to win
            from the next stage on, summed over the deals that entered; 90 % interval
        is_upper_bound : above 40 % of the deals are still open
        n_no_amount : deals without an amount, counted at the mean of their segment
        precision : information on the shift (1 / variance of the logit)
    """
    if not len(fitted.visits):
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in COLUMNS.items()})
    borrowed = fitted.chances.borrowed_variance()
    posterior = shrink(log_likelihood(fitted), borrowed)
    n_visits = fitted.by_cell(np.ones(len(fitted.visits))).astype(int)
    is_enough = n_visits >= FEWEST_VISITS
    leak, strength = posterior.below(), posterior.above()
    grid = np.array(np.meshgrid(fitted.stages, fitted.reps, indexing="ij"), dtype=object)
    table = {
        "rep_id": grid[1],
        "stage": grid[0],
        "n_visits": n_visits,
        "n_open": fitted.by_cell(fitted.is_open).astype(int),
        **_shifts(posterior),
        "leak_probability": leak,
        "strength_probability": strength,
        "tier": tiers(leak, is_enough),
        "strength_tier": tiers(strength, is_enough),
        **_rates_and_amounts(fitted, posterior),
        "precision": 1 / (1 / np.maximum(_information(fitted), 1e-9) + borrowed),
    }
    found = pd.DataFrame({name: values.T.ravel() for name, values in table.items()})
    found["is_upper_bound"] = found["n_open"] > MOST_OPEN * found["n_visits"]
    found = found[found["n_visits"] > 0]
    return found[list(COLUMNS)].astype(COLUMNS).reset_index(drop=True)


def log_likelihood(fitted: StageFit) -> np.ndarray:
    """Log-likelihood of each cell's shift at `NODES`, the rest as fitted; (stages, reps, nodes)."""
    told = fitted.is_told
    still = told & fitted.is_open
    advanced = fitted.by_cell(fitted.is_advanced)
    odds = np.exp(fitted.chances.typical())
    aged = odds[still] * np.exp(np.clip(fitted.log_odds[still], -20, 20))
    cell, found = fitted.cell, []
    for node in NODES:
        factor = np.exp(node)
        log = -np.bincount(cell[told], np.log1p(odds[told] * factor), fitted.n_cells)
        log += np.bincount(cell[still], np.log1p(aged * factor), fitted.n_cells)
        found.append(log.reshape(advanced.shape) + node * advanced)
    return np.stack(found, axis=2)


def _information(fitted: StageFit) -> np.ndarray:
    """What each cell's visits tell of its shift."""
    p, q = fitted.chances.p(), expit(fitted.chances.logit + fitted.log_odds)
    told = p * (1 - p) - np.where(fitted.is_open, q * (1 - q), 0)
    return fitted.by_cell(np.where(fitted.is_told, np.maximum(told, 0), 0))


def _shifts(posterior: Posterior) -> dict[str, np.ndarray]:
    mean = posterior.mean()
    low, high = posterior.quantile(TAIL), posterior.quantile(1 - TAIL)
    return {
        "shift_logit": mean,
        "shift_low": np.minimum(low, mean),
        "shift_high": np.maximum(high, mean),
    }


def _rates_and_amounts(fitted: StageFit, posterior: Posterior) -> dict[str, np.ndarray]:
    """Rates and lost amounts: each a curve over the shift, read off at the shift's posterior."""
    typical = fitted.chances.typical() + posterior.centre[fitted.stage]
    amount, is_missing = amounts(fitted.visits)
    worth = amount * _downstream(fitted, posterior)
    p_typical = expit(typical)
    rate, loss = [], []
    for shift in CURVE:
        p = expit(typical + shift)
        rate.append(fitted.by_cell(p))
        loss.append(fitted.by_cell(worth * (p_typical - p)))
    n = np.maximum(fitted.by_cell(np.ones(len(typical))), 1)
    own, own_low, own_high = _read(np.stack(rate, axis=2) / n[..., None], posterior)
    lost, lost_high, lost_low = _read(np.stack(loss, axis=2), posterior)
    return {
        "advance_rate": own,
        "advance_low": own_low,
        "advance_high": own_high,
        "typical_rate": fitted.by_cell(p_typical) / n,
        "lost_amount": lost,
        "lost_low": lost_low,
        "lost_high": lost_high,
        "n_no_amount": fitted.by_cell(is_missing).astype(int),
    }


def _read(curve: np.ndarray, posterior: Posterior) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean of a curve over the shift, and its values at the ends of the shift's interval."""
    if np.isnan(curve).any():
        nothing = np.full(curve.shape[:2], np.nan)
        return nothing, nothing, nothing
    fine = CubicSpline(CURVE, curve, axis=2)(GRID)
    mean = (posterior.weak * fine).sum(axis=2)
    ends = []
    for q in (TAIL, 1 - TAIL):
        place = np.clip(
            (posterior.quantile(q) - GRID[0]) / (GRID[1] - GRID[0]), 0, len(GRID) - 1.001
        )
        below = place.astype(int)[..., None]
        part = place[..., None] - below
        at = np.take_along_axis(fine, below, 2) * (1 - part)
        ends.append((at + np.take_along_axis(fine, below + 1, 2) * part)[..., 0])
    return mean, ends[0], ends[1]


def amounts(visits: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Amounts, missing ones at the mean of their segment (else of all), and which are missing."""
    if "amount" not in visits:
        return np.full(len(visits), np.nan), np.ones(len(visits), bool)
    amount = visits["amount"].astype(float)
    filled = amount
    if "segment" in visits:
        filled = amount.fillna(amount.groupby(visits["segment"]).transform("mean"))
    return filled.fillna(amount.mean()).to_numpy(), amount.isna().to_numpy()


def _downstream(fitted: StageFit, posterior: Posterior) -> np.ndarray:
    """The rep's own chance to win each deal from the next stage on."""
    shift = posterior.centre[:, None] + posterior.mean()
    chances, found = fitted.chances, np.ones(len(fitted.stage))
    for stage, rows in enumerate(chances.rows):
        for later in range(stage + 1, len(fitted.stages)):
            found[rows] *= expit(chances.at(later, rows) + shift[later][fitted.rep[rows]])
    return found
