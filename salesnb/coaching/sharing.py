"""Sharing a number of hours: by need, to the middle, or where they are expected to bring most.

Knows no team: arrays in, arrays out. What coaching brings with a rep grows with the hours and
levels off, ``worth * (1 - exp(-hours / LEVELS_OFF))``; every rule keeps a floor for everybody.
"""

import numpy as np
from scipy.optimize import brentq
from scipy.stats import rankdata

RULES = ("need", "middle", "gain")
LEVELS_OFF = 4.0  # hours a month that bring 63 % of what coaching can
MIDDLE = (0.2, 0.8)  # places by need, from the least to the greatest


def expected(hours: np.ndarray, worth: np.ndarray) -> float:
    """What these hours are expected to bring with all reps together."""
    return float(np.sum(worth * -np.expm1(-hours / LEVELS_OFF)))


def share(rule: str, need: np.ndarray, worth: np.ndarray, total: float, floor: float) -> np.ndarray:
    """The hours of each rep under a rule; they add up to `total`, nobody is below `floor`.

    Parameters
    ----------
    rule : one of `RULES`
    need, worth : above 0; what the hours should follow, and what they can bring at most
    total, floor : hours; `total` is at least `floor` for everybody
    """
    if not len(need):
        return np.zeros(0)
    ways = {"need": _by_need, "middle": _to_the_middle, "gain": _by_gain}
    hours = ways[rule](need, worth, total, floor)
    hours[np.argmax(hours)] += total - hours.sum()  # what rounding left over
    return hours


def _by_need(need: np.ndarray, worth: np.ndarray, total: float, floor: float) -> np.ndarray:
    """What is above the floors in proportion to need.

    Where that would bring less than equal hours for all, it is moved in a straight line towards
    the plan that brings most, as far as it must; as gains are concave there is such a point.
    """
    rest = total - floor * len(need)
    hours, best = floor + rest * need / need.sum(), _by_gain(need, worth, total, floor)
    equal = expected(np.full(len(need), total / len(need)), worth)

    def short(way: float) -> float:
        return expected(hours + way * (best - hours), worth) - equal

    if short(0.0) >= 0:
        return hours
    way = brentq(short, 0.0, 1.0) if short(1.0) > 0 else 1.0
    return hours + min(1.0, way + 1e-9) * (best - hours)


def _to_the_middle(need: np.ndarray, worth: np.ndarray, total: float, floor: float) -> np.ndarray:
    """What is above the floors in equal parts to the middle 60 % by need; ties are one place."""
    place = (rankdata(need) - 0.5) / len(need)
    is_middle = (place >= MIDDLE[0]) & (place <= MIDDLE[1])
    return floor + (total - floor * len(need)) * is_middle / is_middle.sum()


def _by_gain(need: np.ndarray, worth: np.ndarray, total: float, floor: float) -> np.ndarray:
    """Each moment to the rep with whom it is expected to bring most: water-filling.

    The gains are concave, so the greedy plan is the best one. Those above the floor are brought
    to one marginal gain; they are the `k` with the greatest worth, for the largest `k` that
    leaves all of them above it.
    """
    order = np.argsort(-worth, kind="stable")
    size = np.log(worth[order])
    k = np.arange(1, len(size) + 1)
    above = total - (len(size) - k) * floor
    water = (np.cumsum(size) - above / LEVELS_OFF) / k
    n_above = int(np.max(np.nonzero(LEVELS_OFF * (size - water) >= floor)[0], initial=0))
    hours = np.empty(len(size))
    hours[order] = np.maximum(floor, LEVELS_OFF * (size - water[n_above]))
    return hours
