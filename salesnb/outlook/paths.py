"""Where deals go from here: paths through the stages, drawn from how earlier visits ended.

Knows no team: arrays in, arrays out. A visit to a stage ends by going on or by being lost, or has
not ended yet. A deal that has waited for long has the odds of those that had waited as long.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from salesnb import stats

GOES_ON, LOST = 1, 2
DOUBT = 1.0  # visits that never end, added to those seen: few have waited for as long
ALIKE = (20.0, 400.0)  # visits' worth of "like the others" that a rep's own are weighed against
SIZES = 3.0  # e-folds from the usual amount beyond which size makes no further difference
RIDGE = 10.0  # visits' worth of "size makes no difference"


@dataclass(frozen=True)
class Stage:
    """How visits to a stage end, by day: share gone on and share lost so far, and those waiting.

    The shares are cumulative incidences (Aalen and Johansen 1978): open visits are censored.
    """

    day: np.ndarray
    on: np.ndarray
    lost: np.ndarray
    n_waiting: np.ndarray

    def odds(self, waited: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Chance that a visit which has lasted so many days still ends, and ends by going on."""
        row = self._row(waited)
        gone, dropped = (share[row] for share in self._so_far)
        on, lost = self.on[-1:].sum() - gone, self.lost[-1:].sum() - dropped
        alive = np.maximum(1 - gone - dropped, 1e-12)
        n = self._still_waiting[row]
        ends = np.clip((on + lost) / alive, 0, 1) * n / (n + DOUBT)
        return ends, np.divide(on, on + lost, out=np.full(len(waited), 0.5), where=on + lost > 0)

    def ends_on(self, goes_on: np.ndarray, waited: np.ndarray, u: np.ndarray) -> np.ndarray:
        """Days in the stage until it ends so, beyond those waited; `u` is uniform."""
        found, row = np.full(len(u), np.inf), self._row(waited)
        shares = zip((self.on, self.lost), self._so_far, (goes_on, ~goes_on), strict=True)
        for share, so_far, who in shares:
            if len(share) and who.any():
                start = so_far[row[who]]
                at = np.searchsorted(share, start + u[who] * (share[-1] - start), side="right")
                found[who] = self.day[np.minimum(at, len(share) - 1)]
        return np.maximum(found - waited, 0)

    @cached_property
    def _so_far(self) -> tuple[np.ndarray, np.ndarray]:
        return np.append(0.0, self.on), np.append(0.0, self.lost)

    @cached_property
    def _still_waiting(self) -> np.ndarray:
        return np.append(self.n_waiting, 0.0)

    def _row(self, day: np.ndarray) -> np.ndarray:
        """How many rows of the curve lie up to each day; most visits begin, and need no search."""
        if day.any():
            return np.searchsorted(self.day, day, side="right")
        return np.full(len(day), np.searchsorted(self.day, 0.0, side="right"))


@dataclass(frozen=True)
class Ways:
    """What was learnt from visits: the stages, reps' own odds, how much slower large deals are.

    stages : in days of a deal of the usual size
    shift, shift_sd : logit of going on, of this rep against the others (reps x stages)
    slower : log of the days that a visit takes, per e-fold of the amount
    """

    stages: list[Stage]
    shift: np.ndarray
    shift_sd: np.ndarray
    slower: float


def learn(
    stage: np.ndarray,
    days: np.ndarray,
    event: np.ndarray,
    rep: np.ndarray,
    size: np.ndarray,
    shape: tuple[int, int],
) -> Ways:
    """Learn from visits: stage, days, end (0 not yet, 1 goes on, 2 lost), rep and size of each.

    `size` is the log amount against the usual one (0 where unknown); `shape` is reps x stages.
    Reps are codes; what ended under nobody on the team (code -1) still tells how stages end.
    """
    size = np.clip(size, -SIZES, SIZES)
    slower = _slower(stage, days, event, size)
    curve = stats.incidence(days / np.exp(slower * size), event, stage)
    found = [_stage(curve[curve["group"] == rank]) for rank in range(shape[1])]
    is_over = event > 0
    shift, sd = _own_odds(stage[is_over], event[is_over], rep[is_over], shape)
    return Ways(found, shift, sd, slower)


def _stage(rows: pd.DataFrame) -> Stage:
    day, on, n = (rows[c].to_numpy(float) for c in ("day", "incidence", "n_at_risk"))
    lost = np.maximum(1 - rows["survival"].to_numpy(float) - on, 0)
    return Stage(day, on, lost, n)


def _own_odds(
    stage: np.ndarray, event: np.ndarray, rep: np.ndarray, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Each rep's logit of going on against the others', shrunken as far as reps are alike."""
    known = rep >= 0
    code = rep[known] * shape[1] + stage[known]
    n = np.bincount(code, minlength=shape[0] * shape[1]).reshape(shape)
    on = np.bincount(code, event[known] == GOES_ON, shape[0] * shape[1]).reshape(shape)
    share = (on.sum(axis=0) + 1) / (n.sum(axis=0) + 2)
    chance = n * share * (1 - share)
    # Variance between reps beyond chance, by moments; as so many visits of a beta prior.
    beyond = ((on - n * share) ** 2 - chance).sum() / np.maximum((n**2).sum(), 1)
    usual = (share * (1 - share)).mean()
    weight = np.clip(usual / beyond - 1 if beyond > 0 else np.inf, *ALIKE)
    own = (on + weight * share) / (n + weight)
    return logit(own) - logit(share), 1 / np.sqrt((n + weight) * own * (1 - own))


def _slower(stage: np.ndarray, days: np.ndarray, event: np.ndarray, size: np.ndarray) -> float:
    """Slope of log days on size, of visits that ended, within stage and end."""
    is_over = (event > 0) & (days > 0)
    group, x, y = 3 * stage[is_over] + event[is_over], size[is_over], np.log(days[is_over])
    n = np.maximum(np.bincount(group), 1)
    x = x - (np.bincount(group, x) / n)[group]
    return float((x * y).sum() / ((x**2).sum() + RIDGE)) if len(x) else 0.0


def draw(
    ways: Ways,
    stage: np.ndarray,
    waited: np.ndarray,
    starts: np.ndarray,
    shift: np.ndarray,
    size: np.ndarray,
    dice: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the end of deals: the day it closes (infinite if not), and whether it is won.

    Parameters
    ----------
    stage, waited : where each deal stands, and for how many days already
    starts : the day from which on it is followed (0 is now)
    shift : own logit of going on at each stage (deals x stages)
    size : log amount against the usual one
    """
    now, alive = starts.astype(float), np.ones(len(stage), bool)
    waited, closes = waited.astype(float), np.full(len(stage), np.inf)
    slower = np.exp(ways.slower * np.clip(size, -SIZES, SIZES))
    for rank, at in enumerate(ways.stages):
        here = np.flatnonzero(alive & (stage <= rank))
        since = waited[here] / slower[here]
        ends, odds = at.odds(since)
        odds = expit(logit(np.clip(odds, 1e-6, 1 - 1e-6)) + shift[here, rank])
        u = dice.random((3, len(here)))
        goes_on, is_over = u[1] < odds, u[0] < ends
        left = slower[here] * at.ends_on(goes_on, since, u[2])
        now[here] += np.where(is_over, left, np.inf)
        closes[here[is_over & ~goes_on]] = now[here[is_over & ~goes_on]]
        alive[here] = is_over & goes_on
        waited[here] = 0
    return np.where(alive, now, closes), alive
