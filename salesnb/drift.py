"""What a treatment adds to levels that drift, when those treated were chosen for a low past.

Knows no team: arrays in, arrays out. The level of a unit in a period is

    level = period + steady + drift + effect x dose + chance

where `steady` is a normal effect of the unit, `drift` one of unit and period that fades at a
steady pace (first-order autoregression), and `chance` has a known variance, that of a rate seen
in so many cases. Whoever was chosen by what was seen before is no trouble to the likelihood
(Rubin 1976, "Inference and missing data"): what a low past says of the future stands in the
covariance. This is analysis of covariance on every earlier period, each weighed by the cases
behind it. How wide the two effects are and how fast drift fades is averaged over, weighed by the
restricted likelihood, so that the interval knows what is not known of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

# Standard deviations, in points of a rate, and how much of the drift is left a period later.
STEADY = (0.0, 0.03, 0.06, 0.09, 0.13, 0.18)
DRIFT = (0.0, 0.03, 0.06, 0.1, 0.15)
FADING = (0.0, 0.5, 0.8)
USUAL_STEADY = 0.06  # the mean of an exponential prior, weak: lasting differences are small
NOTHING = 1e6  # variance of a row that is not there
WEAK = 1e-6  # precision of what is known of the fixed effects beforehand
HALVINGS = 60


@dataclass(frozen=True, eq=False)
class Mixture:
    """A mixture of normals: what is known of a number once all widths are averaged over."""

    means: np.ndarray
    errors: np.ndarray
    weights: np.ndarray

    @property
    def mean(self) -> float:
        """The expected value."""
        return float(self.weights @ self.means)

    @property
    def error(self) -> float:
        """The standard deviation."""
        spread = self.errors**2 + (self.means - self.mean) ** 2
        return float(np.sqrt(self.weights @ spread))

    def below(self, value: float) -> float:
        """The probability of less than `value`."""
        return float(self.weights @ ndtr((value - self.means) / self.errors))

    def quantile(self, q: float) -> float:
        """The value below which a share `q` lies."""
        low = float((self.means - 9 * self.errors).min())
        high = float((self.means + 9 * self.errors).max())
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.below(middle) < q else (low, middle)
        return (low + high) / 2


@dataclass(frozen=True, eq=False)
class Drift:
    """A fitted model; the first axis of everything in it runs over the widths averaged over.

    rows : (units, most rows of a unit), which row of the data stands where; -1 where none
    fixed, covariance : of the periods, then the effect
    """

    level: np.ndarray
    variance: np.ndarray
    time: np.ndarray
    design: np.ndarray
    unit: np.ndarray
    widths: np.ndarray
    weights: np.ndarray
    fixed: np.ndarray
    covariance: np.ndarray

    @property
    def effect(self) -> Mixture:
        """What one dose adds."""
        return Mixture(self.fixed[:, -1], np.sqrt(self.covariance[:, -1, -1]), self.weights)

    def expected(self, before: np.ndarray, after: np.ndarray, share: np.ndarray) -> Mixture:
        """The mean level to expect in the rows `after` without a further dose, given `before`.

        `before` and `after` are rows of one unit, `share` the weights of those after.
        """
        design = self.design[after].copy()
        design[:, -1] -= 1
        to_time, at_time = self.time[after], self.time[before]
        both = _covariance(self.widths, to_time, at_time)
        own = _covariance(self.widths, at_time, at_time) + np.diag(self.variance[before])
        lean = np.linalg.solve(own, both.transpose(0, 2, 1)).transpose(0, 2, 1)
        moved = share @ (design - lean @ self.design[before])
        mean = np.einsum("gi,gi->g", moved, self.fixed) + share @ (lean @ self.level[before]).T
        spread = _covariance(self.widths, to_time, to_time) - lean @ both.transpose(0, 2, 1)
        spread = np.einsum("i,gij,j->g", share, spread, share)
        spread += np.einsum("gi,gij,gj->g", moved, self.covariance, moved)
        return Mixture(mean, np.sqrt(np.maximum(spread, 1e-12)), self.weights)


def fit(
    level: np.ndarray, variance: np.ndarray, unit: np.ndarray, time: np.ndarray, dose: np.ndarray
) -> Drift:
    """Fit the model to one row per unit, period and dose.

    Parameters
    ----------
    level, variance : what was seen, in points of a rate, and the variance of its chance
    unit : codes
    time : number of the period
    dose : how many treatments the unit had had; or one column for each kind, the one whose
        effect is asked for last
    """
    period = np.unique(time, return_inverse=True)[1]
    design = np.column_stack([np.eye(period.max(initial=0) + 1)[period], dose]).astype(float)
    widths = np.array([*_widths()])
    place = _places(unit)
    there = place >= 0
    y = np.where(there, level[place], 0.0)
    x = np.where(there[..., None], design[place], 0.0)
    own = np.where(there, variance[place], NOTHING)
    gram, moment, square, logs = [], [], [], []
    for width in widths[:, None]:
        v = _covariance(width, time[place], time[place])[0]
        v = v * (there[:, :, None] & there[:, None, :]) + own[..., None] * np.eye(place.shape[1])
        inverse = np.linalg.inv(v)
        vx = inverse @ x
        gram.append(np.einsum("umi,umj->ij", x, vx))
        moment.append(np.einsum("um,umi->i", y, vx))
        square.append(np.einsum("um,umn,un->", y, inverse, y))
        logs.append(np.linalg.slogdet(v)[1].sum())
    information = np.array(gram) + WEAK * np.eye(design.shape[1])
    covariance = np.linalg.inv(information)
    fixed = np.einsum("gij,gj->gi", covariance, np.array(moment))
    misfit = np.array(square) - np.einsum("gi,gi->g", fixed, np.array(moment))
    log = -0.5 * (np.array(logs) + np.linalg.slogdet(information)[1] + misfit)
    log -= widths[:, 0] / USUAL_STEADY
    weights = np.exp(log - log.max())
    weights /= weights.sum()
    return Drift(level, variance, time, design, unit, widths, weights, fixed, covariance)


def _widths() -> Iterator[tuple[float, float, float]]:
    """Steady, drift and fading to average over; without drift there is nothing to fade."""
    for steady in STEADY:
        for drift in DRIFT:
            yield from ((steady, drift, fading) for fading in (FADING if drift else FADING[:1]))


def _covariance(widths: np.ndarray, time: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Of the levels of one unit, or of many at once, without chance; widths first."""
    apart = np.abs(time[..., :, None] - other[..., None, :]).astype(float)
    shape = (-1, *(1,) * apart.ndim)
    steady, drift, fading = (part.reshape(shape) for part in widths.T)
    return steady**2 + drift**2 * fading**apart


def _places(unit: np.ndarray) -> np.ndarray:
    """The rows of each unit, (units, most rows); -1 where a unit has fewer."""
    order = np.argsort(unit, kind="stable")
    code = np.unique(unit[order], return_inverse=True)[1]
    n = np.bincount(code)
    column = np.arange(len(unit)) - (np.cumsum(n) - n)[code]
    place = np.full((len(n), n.max(initial=0)), -1)
    place[code, column] = order
    return place
