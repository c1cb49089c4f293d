"""Limits of a survival curve that few cases, ties and censoring do not make too narrow.

The beta product confidence procedure (Fay, Brittain and Proschan 2013). Without censoring its
limits are those of Clopper and Pearson (1934), so that the interval it gives a median is that of
the sign test.
"""

import numpy as np
import pandas as pd
from scipy.special import betaincinv


def limits(curve: pd.DataFrame, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper limit of the survival after each row of `stats.incidence`.

    The upper one is a quantile of the product of Beta(n - d + 1, d) over the days so far, the lower
    one as if one more of those still waiting went at once. A product of betas is taken as the beta
    of the same mean and variance.
    """
    by, n = curve["group"], curve["n_at_risk"].astype(float)
    d = curve["n_first"] + curve["n_other"]
    mean = ((n - d + 1) / (n + 1)).groupby(by).cumprod().to_numpy()
    ratio = ((n - d + 2) / (n + 2)).groupby(by).cumprod().to_numpy()  # E[x^2] / E[x]
    after = n.groupby(by).shift(-1, fill_value=0.0).to_numpy()
    tail = (1 - level) / 2
    low = _quantile(tail, mean * after / (after + 1), ratio * (after + 1) / (after + 2))
    return low, _quantile(1 - tail, mean, ratio)


def _quantile(p: float, mean: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    """Of the beta with this mean and this E[x^2] / E[x]; the mean where that is 0 or 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        size = (1 - ratio) / (ratio - mean)
    is_spread = (mean > 0) & (mean < 1)
    return np.where(is_spread, betaincinv(mean * size, (1 - mean) * size, p), mean)
