"""How a metric answers: one row per scope (and stage) with value, interval and n."""

import numpy as np
import pandas as pd

from salesnb import stats
from salesnb.metrics.view import View

Values = np.ndarray | pd.Series | float
NO_INTERVAL = {"value_low": np.nan, "value_high": np.nan}


def share(
    view: View,
    rows: pd.DataFrame,
    is_hit: pd.Series,
    *,
    weight: pd.Series | None = None,
    by_stage: bool = False,
) -> pd.DataFrame:
    """The share of rows that are hits, with its Wilson interval.

    With weights, the share of the weight; its interval is that of the effective number of rows,
    (sum of weights) squared / sum of squared weights (Kish 1965).
    """
    labels, w = view.labels(by_stage), np.ones(len(rows))
    if weight is not None:
        rows, is_hit, w = rows[weight > 0], is_hit[weight > 0], weight[weight > 0].to_numpy(float)
    code = view.codes(rows, by_stage)

    def added(values: np.ndarray) -> np.ndarray:
        return np.bincount(code, values, len(labels))

    n, total = np.bincount(code, minlength=len(labels)), added(w)
    found = stats.rates(added(is_hit.to_numpy(float) * w), total)
    effective = np.divide(total**2, added(w**2), out=np.zeros(len(labels)), where=n > 0)
    found["value_low"], found["value_high"] = stats.wilson(found["value"].to_numpy(), effective)
    return labels.join(found.assign(n=n))


def total(view: View, rows: pd.DataFrame, values: pd.Series) -> pd.DataFrame:
    """The sum of the known values of each scope: 0 without rows, NaN where no value is known."""
    labels, code, known = view.labels(), view.codes(rows), values.notna().to_numpy(float)
    n_rows, n = np.bincount(code, minlength=len(labels)), np.bincount(code, known, len(labels))
    value = np.bincount(code, values.fillna(0).to_numpy(float), len(labels))
    return plain(labels, np.where((n == 0) & (n_rows > 0), np.nan, value), n)


def number(view: View, rows: pd.DataFrame) -> pd.DataFrame:
    """How many rows each scope has."""
    labels = view.labels()
    n = np.bincount(view.codes(rows), minlength=len(labels))
    return plain(labels, n, n)


def middle(view: View, rows: pd.DataFrame, values: pd.Series, q: float = 0.5) -> pd.DataFrame:
    """A quantile of each scope's values, with its distribution-free interval."""
    labels = view.labels()
    return labels.join(stats.quantiles(values.to_numpy(), view.codes(rows), len(labels), q))


def ratio(over: pd.DataFrame, under: pd.DataFrame) -> pd.DataFrame:
    """One answer over another, with the n of the latter; NaN where the latter is 0."""
    value = over["value"] / under["value"].where(under["value"] > 0)
    return plain(under[["scope"]], value, under["n"])


def plain(labels: pd.DataFrame, value: Values, n: Values) -> pd.DataFrame:
    """An answer without an interval."""
    return labels.assign(value=value, **NO_INTERVAL, n=n)
