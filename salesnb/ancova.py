"""Whether those who had something did better afterwards than like others who had not.

Knows no team. Analysis of covariance on every earlier period: whoever was chosen because a number
was low is compared with others whose number was as low, so that its coming back by itself is no
effect. Standard errors hold where the groups vary differently (HC3, MacKinnon and White 1985).
"""

from typing import NamedTuple

import numpy as np
from scipy import special, stats

from salesnb.stats import LEVEL, z

FEWEST = 4  # in each group
POWER = 0.8  # of seeing an effect that is worth it


class Contrast(NamedTuple):
    """The difference made, with its 90 % interval; NaN where the groups are too small."""

    effect: float = np.nan
    low: float = np.nan
    high: float = np.nan
    error: float = np.nan


def contrast(after: np.ndarray, had: np.ndarray, before: np.ndarray) -> Contrast:
    """Mean difference of `after` between those who `had` it and the others, alike in `before`.

    Parameters
    ----------
    after, had : one value per person; whether the person had it
    before : (people, periods) the same number in earlier periods
    """
    had = np.asarray(had, bool)
    free = len(had) - before.shape[1] - 2
    if min(had.sum(), (~had).sum()) < FEWEST or free < FEWEST:
        return Contrast()
    design = np.column_stack([np.ones(len(had)), had, before - before.mean(axis=0)])
    inverse = np.linalg.pinv(design.T @ design, hermitian=True)
    found = inverse @ (design.T @ after)
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    left = (after - design @ found) / np.maximum(1 - leverage, 1e-3)
    spread = design @ inverse
    error = float(np.sqrt(np.sum((spread[:, 1] * left) ** 2)))
    half = float(stats.t.ppf((1 + LEVEL) / 2, _freedom(spread[:, 1], leverage, free))) * error
    effect = float(found[1])
    return Contrast(effect, effect - half, effect + half, error)


def _freedom(spread: np.ndarray, leverage: np.ndarray, free: int) -> float:
    """Degrees of freedom of the standard error (Satterthwaite): few where one group is small."""
    part = spread**2 / np.maximum(1 - leverage, 1e-3)
    return min(float(free), max(1.0, float(part.sum() ** 2 / np.sum(part**2))))


def verdict(found: Contrast, worth: float) -> str:
    """``yes``: better than chance explains; ``no``: less than is `worth` it; else ``cannot_tell``.

    Empty where nothing could be compared.
    """
    if np.isnan(found.effect):
        return ""
    if found.low > 0:
        return "yes"
    return "no" if found.high < worth else "cannot_tell"


def times_more(found: Contrast, worth: float) -> float:
    """How many times the cases it takes to see an effect that is `worth` it in four of five cases.

    The error shrinks with the root of the number of cases.
    """
    wanted = worth / (z() + float(special.ndtri(POWER)))
    return max(0.0, (found.error / wanted) ** 2 - 1)
