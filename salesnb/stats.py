"""Rates with intervals, medians with intervals, incidence with censoring: for many groups at once.

Knows no team: arrays in, arrays out. A group is a code 0, 1, ... below `n_groups`; nothing here
loops over groups. Where nothing can be said the answer is NaN, never 0.
"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special
from scipy.stats import binom, kendalltau, rankdata

from salesnb import beta_product

LEVEL = 0.9  # of every interval of the suite
TINY = 1e-12


def z(level: float = LEVEL) -> float:
    """Half the width of a normal interval, in standard errors."""
    return float(special.ndtri((1 + level) / 2))


def wilson(rate: np.ndarray, n: np.ndarray, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
    """The score interval of a rate seen in `n` cases (Wilson 1927): low and high.

    `n` may be an effective number of cases, such as that of a weighted or censored rate.
    Always 0 <= low <= rate <= high <= 1; NaN where `n` is 0 or the rate is NaN.
    """
    rate, n = np.asarray(rate, float), np.asarray(n, float)
    n = np.where(n > 0, n, np.nan)
    z2 = z(level) ** 2
    middle = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (rate * (1 - rate) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    return np.clip(middle - half, 0, rate), np.clip(middle + half, rate, 1)


def rates(hits: np.ndarray, n: np.ndarray, level: float = LEVEL) -> pd.DataFrame:
    """Rates of `hits` among `n` with their Wilson intervals.

    Returns
    -------
    DataFrame
        value, value_low, value_high : 0-1; NaN where `n` is 0
        n : cases
    """
    hits, n = np.asarray(hits, float), np.asarray(n, float)
    rate = np.divide(hits, n, out=np.full(len(n), np.nan), where=n > 0)
    low, high = wilson(rate, n, level)
    return pd.DataFrame({"value": rate, "value_low": low, "value_high": high, "n": n})


def shares(amount: np.ndarray, group: np.ndarray, case: np.ndarray, n_groups: int) -> pd.DataFrame:
    """The share of each group in a total, with its interval; amounts come in cases.

    A case may hold amounts of several groups, as a deal holds several products. The variance is
    that of a ratio of sums over cases (Cochran 1977, section 6.4); the interval is Wilson's for
    the effective number of cases that gives. An amount below 0 counts as none.

    Returns
    -------
    DataFrame
        value, value_low, value_high : 0-1; NaN where there is no total
        n : cases with an amount of the group
        n_effective : cases of equal weight that would tell as much
    """
    amount = np.maximum(np.nan_to_num(np.asarray(amount, float)), 0)
    rows = pd.DataFrame({"group": group, "case": case, "amount": amount})
    rows = rows.groupby(["group", "case"])["amount"].sum().reset_index()
    whole = rows.groupby("case")["amount"].transform("sum").to_numpy()
    own, code = rows["amount"].to_numpy(), rows["group"].to_numpy(int)
    all_cases = rows.groupby("case")["amount"].sum().to_numpy()
    n, total = int((all_cases > 0).sum()), all_cases.sum()
    if total <= 0:
        blank = pd.DataFrame(np.nan, range(n_groups), ["value", "value_low", "value_high"])
        return blank.assign(n=0, n_effective=0.0)
    share = np.bincount(code, own, n_groups) / total
    squares = (all_cases**2).sum()
    off = np.bincount(code, own**2 - 2 * share[code] * own * whole, n_groups) + share**2 * squares
    variance = np.maximum(off, 0) / total**2 * n / max(n - 1, 1)
    equal = total**2 / squares  # what so many cases of equal weight would weigh (Kish 1965)
    spread = share * (1 - share)
    effective = np.divide(spread, variance, out=np.full(n_groups, equal), where=variance > TINY)
    effective = np.minimum(effective, n)
    low, high = wilson(share, effective)
    counts = np.bincount(code, own > 0, n_groups).astype(int)
    ends = {"value": share, "value_low": low, "value_high": high}
    return pd.DataFrame({**ends, "n": counts, "n_effective": effective})


def ratios(
    above: np.ndarray, below: np.ndarray, group: np.ndarray, case: np.ndarray, n_groups: int
) -> pd.DataFrame:
    """Sums of `above` over sums of `below` for each group, with intervals; rows come in cases.

    The interval is that of a ratio of sums over cases (Cochran 1977, section 6.4).

    Returns
    -------
    DataFrame
        value, value_low, value_high : NaN where `below` adds up to nothing, or of one case only
        n : cases
    """
    rows = pd.DataFrame({"group": group, "case": case, "above": above, "below": below})
    rows = rows.groupby(["group", "case"])[["above", "below"]].sum().reset_index()
    code, top, bottom = (rows[name].to_numpy() for name in ("group", "above", "below"))
    code = code.astype(int)
    n = np.bincount(code, minlength=n_groups)
    total = np.bincount(code, bottom, n_groups)
    total = np.where(total > 0, total, np.nan)
    value = np.bincount(code, top, n_groups) / total
    off = np.bincount(code, np.nan_to_num(top - value[code] * bottom) ** 2, n_groups)
    half = z() * np.sqrt(off * n / np.where(n > 1, n - 1, np.nan)) / total
    ends = {"value": value, "value_low": value - half, "value_high": value + half}
    return pd.DataFrame({**ends, "n": n})


def rank_correlation(one: ArrayLike, other: ArrayLike) -> tuple[float, float, float]:
    """Spearman's rank correlation with its interval (Bonett and Wright 2000); NaN below 5 pairs."""
    one, other = np.asarray(one, float), np.asarray(other, float)
    n = len(one)
    if n < 5 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return np.nan, np.nan, np.nan
    found = float(np.corrcoef(rankdata(one), rankdata(other))[0, 1])
    middle = np.arctanh(np.clip(found, -1 + 1e-9, 1 - 1e-9))
    error = np.sqrt((1 + found**2 / 2) / (n - 3))
    low, high = np.tanh([middle - z() * error, middle + z() * error])
    return found, min(float(low), found), max(float(high), found)


def quantiles(
    values: np.ndarray, groups: np.ndarray, n_groups: int, q: float = 0.5, level: float = LEVEL
) -> pd.DataFrame:
    """A quantile of each group, interpolated, with its distribution-free interval.

    The ends of the interval are order statistics whose ranks are binomial quantiles (Conover
    1999, section 3.2); they are NaN where the group is too small to hold them.

    Returns
    -------
    DataFrame
        value, value_low, value_high : in the unit of `values`; n : cases
    """
    values, groups = np.asarray(values, float), np.asarray(groups)
    known = ~np.isnan(values)
    values, groups = values[known], groups[known]
    values = values[np.lexsort((values, groups))]
    n = np.bincount(groups, minlength=n_groups)
    first = np.cumsum(n) - n

    def at(rank: np.ndarray) -> np.ndarray:
        inside = (rank >= 0) & (rank < n)
        found = np.full(n_groups, np.nan)
        found[inside] = values[(first + rank)[inside].astype(int)]
        return found

    place = q * (n - 1)
    below, above = at(np.floor(place)), at(np.ceil(place))
    value = below + (above - below) * (place % 1)
    low, high = _ranks(n, q, level)
    return pd.DataFrame({"value": value, "value_low": at(low), "value_high": at(high), "n": n})


def _ranks(n: np.ndarray, q: float, level: float) -> tuple[np.ndarray, np.ndarray]:
    """The ranks, from 0, of the order statistics that hold a quantile; -1 where there is none."""
    tail, n_known = (1 - level) / 2, np.maximum(n, 1)
    low = binom.ppf(tail, n_known, q) - 1
    high = binom.ppf(1 - tail, n_known, q)
    return low, np.where(high < n, high, -1)


def incidence(days: np.ndarray, event: np.ndarray, groups: np.ndarray) -> pd.DataFrame:
    """How many of each group have met an event by each day; the unfinished are censored.

    The cumulative incidence of event 1 with every other event competing (Aalen and Johansen
    1978). With one kind of event, `survival` is that of Kaplan and Meier (1958).

    Parameters
    ----------
    days : time until the event, or until now
    event : 0 not yet (censored), 1 the event looked at, 2 any other event that ends the wait
    groups : codes

    Returns
    -------
    DataFrame
        One row per group and day on which anything happened, in that order:

        group, day
        n_at_risk, n_first, n_other : cases still waiting that day, and what became of them
        survival : share without any event by the end of that day
        incidence : share with event 1 by then
    """
    moments = pd.DataFrame(
        {"group": groups, "day": days, "n_first": event == 1, "n_other": event == 2, "n": 1}
    )
    rows = moments.groupby(["group", "day"], as_index=False).sum()
    by = rows["group"]
    waiting = rows.groupby(by)["n"].transform("sum") - rows.groupby(by)["n"].cumsum() + rows["n"]
    rows["n_at_risk"] = waiting
    rows["survival"] = (1 - (rows["n_first"] + rows["n_other"]) / waiting).groupby(by).cumprod()
    before = rows.groupby(by)["survival"].shift(fill_value=1.0)
    rows["incidence"] = (before * rows["n_first"] / waiting).groupby(by).cumsum()
    return rows[["group", "day", "n_at_risk", "n_first", "n_other", "survival", "incidence"]]


def incidence_by(
    curve: pd.DataFrame, n_groups: int, day: float = np.inf, level: float = LEVEL
) -> pd.DataFrame:
    """The share of each group that has met event 1 by the end of a day, with its interval.

    The interval is Wilson's for the effective number of cases p (1 - p) / var(p), with the
    variance of Marubini and Valsecchi (1995, section 10.2); without censoring it is Wilson's own.

    Returns
    -------
    DataFrame
        value, value_low, value_high : 0-1; NaN where no case of the group has met any event
        n : cases
    """
    n = _n(curve, n_groups)
    seen = curve[curve["day"] <= day]
    group, last = seen["group"].to_numpy(), seen.groupby("group")["incidence"].last()
    rate = np.zeros(n_groups)
    rate[last.index.to_numpy(int)] = last
    variance = np.bincount(group, _variance_terms(seen, rate[group]), n_groups)
    events = np.bincount(group, seen["n_first"] + seen["n_other"], n_groups)
    spread = rate * (1 - rate)
    # A rate of 0 or 1 has no variance of its own: it was seen in as many cases as have ended.
    effective = np.divide(spread, variance, out=events.astype(float), where=variance > 1e-12)
    rate = np.where(events > 0, rate, np.nan)
    low, high = wilson(rate, np.minimum(effective, n), level)
    return pd.DataFrame({"value": rate, "value_low": low, "value_high": high, "n": n})


def _variance_terms(curve: pd.DataFrame, final: np.ndarray) -> np.ndarray:
    """What each row adds to the variance of its group's `final` incidence."""
    n, first = curve["n_at_risk"].to_numpy(float), curve["n_first"].to_numpy(float)
    d = first + curve["n_other"].to_numpy(float)
    to_come = final - curve["incidence"].to_numpy()
    before = curve.groupby("group")["survival"].shift(fill_value=1.0).to_numpy()
    hazard = np.divide(d, n * (n - d), out=np.zeros(len(curve)), where=n > d)
    own = before**2 * (n - first) * first / n**3
    return to_come**2 * hazard + own - 2 * to_come * before * first / n**2


def waiting_time(
    curve: pd.DataFrame, n_groups: int, q: float = 0.5, level: float = LEVEL
) -> pd.DataFrame:
    """The day by which a share `q` of each group has met any event (Kaplan-Meier).

    Where the curve stays at exactly `q` for a while, the middle of that time. The interval inverts
    the beta product band (Fay, Brittain and Proschan 2013), which few cases, ties and censoring do
    not make too narrow; without censoring it is that of the sign test.

    Returns
    -------
    DataFrame
        value, value_low, value_high : days; NaN where the curve does not come that far, the low
            end also where the cases are too few for any, as four for the median
        n : cases
    """
    group, day, survival = curve["group"], curve["day"], curve["survival"].to_numpy()
    is_event = (curve["n_first"] + curve["n_other"] > 0).to_numpy()
    low, high = beta_product.limits(curve, level)
    is_told = _n(curve, n_groups) > np.log((1 - level) / 2) / np.log(1 - q)  # any low end at all

    def first_day(is_there: np.ndarray) -> np.ndarray:
        return day[is_there].groupby(group).first().reindex(range(n_groups)).to_numpy(float)

    reached = first_day(is_event & (survival <= 1 - q + TINY))
    passed = first_day(is_event & (survival < 1 - q - TINY))
    value = np.where(np.isnan(passed), reached, (reached + passed) / 2)
    earliest = np.where(is_told, first_day(low <= 1 - q), np.nan)
    ends = {"value_low": earliest, "value_high": first_day(high <= 1 - q)}
    return pd.DataFrame({"value": value, **ends, "n": _n(curve, n_groups)})


def _n(curve: pd.DataFrame, n_groups: int) -> np.ndarray:
    """The cases of each group: those at risk on its first day."""
    first = curve.groupby("group")["n_at_risk"].first()
    return first.reindex(range(n_groups), fill_value=0).to_numpy()


def trend(values: np.ndarray, n: np.ndarray, is_rate: bool) -> tuple[float, float]:
    """Whether a series of equally spaced values rises (1) or falls (-1), and the p value of that.

    Rates seen in `n` cases each: the Cochran-Armitage test. Anything else: Kendall's tau. The p
    value is NaN where there is nothing to test.
    """
    values, n = np.asarray(values, float), np.asarray(n, float)
    known = ~np.isnan(values) & (n > 0 if is_rate else True)
    if known.sum() < 3:
        return np.nan, np.nan
    when, values, n = np.flatnonzero(known), values[known], n[known]
    if not is_rate:
        found = kendalltau(when, values)
        return float(np.sign(found.statistic)), float(found.pvalue)
    off = when - np.average(when, weights=n)
    pooled = np.average(values, weights=n)
    spread = pooled * (1 - pooled) * np.sum(n * off**2)
    if spread <= 0:
        return np.nan, np.nan
    score = np.sum(n * off * values) / np.sqrt(spread)
    return float(np.sign(score)), float(2 * special.ndtr(-abs(score)))


def two_rates_p(rate: float, n: float, other: float, other_n: float) -> float:
    """The two-sided p value of two rates being the same (score test)."""
    pooled = (rate * n + other * other_n) / (n + other_n)
    spread = pooled * (1 - pooled) * (1 / n + 1 / other_n)
    if spread <= 0:
        return 1.0
    return float(2 * special.ndtr(-abs(rate - other) / np.sqrt(spread)))
