"""What a cell's shift is, given what the cell shows and how all cells of the team lie.

Empirical Bayes with a spike at the typical rep and slabs to both sides, weights estimated from
the team and held back towards the spike (Stephens 2017, "False discovery rates: a new deal").
The typical rep of each stage is where the spike fits best, so that many leaking reps do not
drag it. A shift is in units in which `MATERIAL` matters to a manager.
"""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.special import logsumexp, ndtr

MATERIAL = 0.3
STEP = 0.05
GRID = np.round(np.arange(-60, 61) * STEP, 6)  # shifts from the typical rep
CENTRES = np.round(np.arange(-20, 21) * STEP, 6)  # where the typical rep may lie
CENTRE_SD = 0.3
NODES = np.arange(-16, 17) * 0.25  # where log-likelihoods are given
WEAK_SD = 0.7  # of the prior behind intervals and amounts
ROUNDS = 50
LIMITS = {"act": 0.05, "look": 0.10}  # expected share of false ones among those named
NAMED = 0.75  # nobody is named whose own probability is lower, however sure the others are
WATCH = 0.5


@dataclass(frozen=True, eq=False)
class Posterior:
    """What is known of each cell's shift from the typical rep of its stage.

    team : (stages, reps, grid) probabilities under the team's own prior
    weak : the same under a normal prior that takes nobody for typical. Intervals and amounts
        come from it: under a spike the interval of a typical rep would shrink to nothing and
        that of an unusual one miss it half of the time.
    centre : (stages,) the typical rep, on the scale of the likelihood
    """

    team: np.ndarray
    weak: np.ndarray
    centre: np.ndarray

    def mean(self) -> np.ndarray:
        """Expected shift of each cell."""
        return self.team @ GRID

    def below(self, limit: float = -MATERIAL) -> np.ndarray:
        """Probability that the shift lies below a limit."""
        return self.team @ _side(limit - GRID)

    def above(self, limit: float = MATERIAL) -> np.ndarray:
        """Probability that the shift lies above a limit."""
        return self.team @ _side(GRID - limit)

    def quantile(self, q: float) -> np.ndarray:
        """Quantile of the shift under the weak prior."""
        total = np.cumsum(self.weak, axis=2)
        above = np.minimum((total < q).sum(axis=2), len(GRID) - 1)[..., None]
        upto = np.take_along_axis(total, above, 2)
        own = np.take_along_axis(self.weak, above, 2)
        part = (q - upto + own) / np.maximum(own, 1e-300)
        return (GRID[above] + (part - 0.5) * STEP)[..., 0]


def shrink(log_likelihood: np.ndarray, borrowed_variance: np.ndarray | float = 0.0) -> Posterior:
    """The posterior of every cell.

    Parameters
    ----------
    log_likelihood : (stages, reps, len(NODES)), constant for a cell without data
    borrowed_variance : of each cell's estimate, from what was estimated before
    """
    likelihood = np.exp(_widened(log_likelihood, borrowed_variance))
    first = round((GRID[0] + CENTRES[0] - NODES[0]) / STEP)
    windows = np.lib.stride_tricks.sliding_window_view(likelihood, len(GRID), axis=2)
    windows = windows[:, :, first : first + len(CENTRES)]  # stages, reps, centres, grid
    kinds, strength = _kinds()
    fits = np.maximum(windows @ kinds.T, 1e-300)
    has_data = np.ptp(log_likelihood, axis=2) > 0
    share = strength / strength.sum()
    for _ in range(ROUNDS):
        fit = fits @ share
        centred = _weights(np.log(fit).sum(axis=1))
        of_kind = np.einsum(
            "srm,sm,srmk->k", has_data[..., None] / fit, centred, fits, optimize=True
        )
        share = strength + share * of_kind
        share /= share.sum()
    team = share @ kinds
    weak = _normal(WEAK_SD)
    return Posterior(
        _averaged(windows, team, centred), _averaged(windows, weak, centred), centred @ CENTRES
    )


def tiers(probability: np.ndarray, is_enough: np.ndarray) -> np.ndarray:
    """The tier of each cell by Bayesian false discovery rate (Newton et al. 2004).

    ``act``, ``look`` : named in order of probability as long as the expected share of false
    ones stays within `LIMITS` and the own probability reaches `NAMED`; ``watch`` : more likely
    than not; ``too_few`` : too few deals to say; else empty.
    """
    p, enough = probability.ravel(), is_enough.ravel()
    found = np.where(p >= WATCH, "watch", "").astype(object)
    order = np.argsort(np.where(enough, -p, 1), kind="stable")
    order = order[enough[order] & (p[order] >= NAMED)]
    false_share = np.cumsum(1 - p[order]) / np.arange(1, len(order) + 1)
    for name in ("look", "act"):
        found[order[false_share <= LIMITS[name]]] = name
    return np.where(enough, found, "too_few").reshape(probability.shape)


def _widened(log_likelihood: np.ndarray, borrowed_variance: np.ndarray | float) -> np.ndarray:
    """On a fine grid, flattened by what the estimates before add to the variance; peak at 0."""
    fine = np.round(np.arange(round((NODES[-1] - NODES[0]) / STEP) + 1) * STEP + NODES[0], 6)
    log = CubicSpline(NODES, log_likelihood, axis=2)(fine)
    peak = np.clip(log.argmax(axis=2), 1, len(fine) - 2)[..., None]
    bend = (np.take_along_axis(log, peak + step, 2)[..., 0] for step in (-1, 0, 1))
    left, middle, right = bend
    variance = 1 / np.maximum((2 * middle - left - right) / STEP**2, 1e-3)
    log = log * (variance / (variance + borrowed_variance))[..., None]
    return log - log.max(axis=2, keepdims=True)


def _kinds() -> tuple[np.ndarray, np.ndarray]:
    """The kinds of reps that a prior mixes, and how many cells each is worth beforehand."""
    size = np.abs(GRID)
    material = ndtr((size - MATERIAL) / 0.08) * ndtr((1.2 - size) / 0.08)
    slabs = [np.exp(-0.5 * (size / sd) ** 2) for sd in (0.4, 0.8)] + [material]
    spikes = [(size == 0).astype(float), _normal(0.1)]
    sides = [slab * (side * GRID > 0) for slab in slabs for side in (-1, 1)]
    kinds = np.array([*spikes, _normal(0.2), *sides])
    strength = np.r_[2.5, 2.5, np.full(len(kinds) - 2, 1 / (len(kinds) - 2))]
    return kinds / kinds.sum(axis=1, keepdims=True), strength


def _side(distance: np.ndarray) -> np.ndarray:
    """1 on one side of a limit, 0 on the other, half for the grid point that lies on it."""
    return np.where(np.isclose(distance, 0), 0.5, distance > 0)


def _normal(sd: float) -> np.ndarray:
    density = np.exp(-0.5 * (GRID / sd) ** 2)
    return density / density.sum()


def _weights(log_fit: np.ndarray) -> np.ndarray:
    """Probability of each centre, (stages, centres)."""
    log = log_fit - 0.5 * (CENTRES / CENTRE_SD) ** 2
    return np.exp(log - logsumexp(log, axis=1, keepdims=True))


def _averaged(windows: np.ndarray, prior: np.ndarray, centred: np.ndarray) -> np.ndarray:
    """The posterior of each cell's shift, averaged over where the typical rep may lie."""
    per_centre = centred[:, None, :] / np.maximum(windows @ prior, 1e-300)
    found = np.einsum("srmd,srm->srd", windows, per_centre, optimize=True) * prior
    return found / found.sum(axis=2, keepdims=True)
