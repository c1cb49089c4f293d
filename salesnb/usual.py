"""What is usual: the count to be expected of each rep in a week, learnt week by week.

Knows no team: arrays in, arrays out, one entry per rep. A week is judged by the weeks before it
and by what the others did in it, never by what came later.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression

KEEP = 0.98  # share of what was learnt that is kept from week to week: a memory of a year
TREND = 0.3  # weight of the last week in the season so far
RAMP_STEP, RAMP_STEPS = 4, 10  # a new hire's norm goes by four weeks since the hire
FAITH = 4.0  # counts' worth of "no ramp" that the others' first weeks are weighed against
SPREAD, SCATTER, SEASON = 0.09, 0.1, 0.04  # relative variances until the data say more
SPREAD_LIMITS, SEASON_LEAST, SCATTER_LEAST = (0.01, 0.5), 0.0025, 0.005
KNOWN = 8.0  # counts' worth of weeks from which on a rep tells how far reps are apart


@dataclass(frozen=True)
class Week:
    """A week of each rep: what was counted, what was to be expected, how sure that is.

    expected : mean; size : of the negative binomial, whose variance is m + m ** 2 / size
    usual : the count of a full week without season
    error, level_error, factor_error : squared relative errors of `expected` and its parts
    typical : expected of a typical rep in this one's place; flat : the same without the ramp
    is_new, step : whether still ramping, and how far
    season : what the whole team counted against what was usual for those at work
    inflation : variance over mean of the count of a typical week
    """

    count: np.ndarray
    exposure: np.ndarray
    is_new: np.ndarray
    step: np.ndarray
    expected: np.ndarray
    size: np.ndarray
    usual: np.ndarray
    error: np.ndarray
    level_error: np.ndarray
    factor_error: np.ndarray
    typical: np.ndarray
    flat: np.ndarray
    season: float
    season_error: float
    inflation: float

    @property
    def is_here(self) -> np.ndarray:
        """Who was at work at all."""
        return self.exposure > 0

    @property
    def plain_count(self) -> np.ndarray:
        """The count, a bulk import or the like cut down to what could still be chance."""
        spread = np.sqrt(self.expected + self.expected**2 / self.size)
        return np.minimum(self.count, self.expected + 3 * spread + 1)


class Usual:
    """What was learnt so far of the reps of a team.

    `seen` and `due` hold what a rep counted and what a typical rep would have, older weeks fading
    (a gamma prior that forgets: Harvey and Fernandes 1989), over their inflation, so that they
    weigh as much as so many independent events.
    """

    def __init__(self, n_reps: int):
        self.seen, self.due = np.zeros(n_reps), np.zeros(n_reps)
        self.team_seen, self.team_due = 0.0, 0.0
        self.ramp_seen = np.zeros((n_reps, RAMP_STEPS))
        self.ramp_due = np.zeros((n_reps, RAMP_STEPS))
        # Sums over single weeks and over runs of four: excess of squares, squares of the mean.
        self.scatter = np.array([[SCATTER, 1.0], [SCATTER, 1.0]]) * 160
        self.season, self.trend = np.array([SEASON, 1.0]) * 8, 1.0
        self.recent: list[np.ndarray] = []  # of the last four weeks, see `_learn_scatter`

    @property
    def dispersion(self) -> float:
        """1 / size, by moments, from single weeks or runs of four, whichever scatters more.

        A rep's slow ups and downs are usual too.
        """
        return max(*(self.scatter[:, 0] / self.scatter[:, 1]), SCATTER_LEAST)

    @property
    def spread(self) -> float:
        """Relative variance of the reps' levels, by moments."""
        is_known = self.due > KNOWN
        n = int(is_known.sum())
        if n < 3:
            return SPREAD
        level = self.seen[is_known] / self.due[is_known]
        if not level.any():
            return SPREAD
        found = level.var(ddof=1) / level.mean() ** 2 - (1 / self.due[is_known]).mean()
        return float((np.clip(found, *SPREAD_LIMITS) * n + SPREAD * 4) / (n + 4))

    def expect(self, count: np.ndarray, exposure: np.ndarray, tenure: np.ndarray) -> Week:
        """What was to be expected of a week; see `watch.watch` for the arguments."""
        seen, due = self.team_seen, self.team_due
        if due <= 0:  # the first week has only itself
            seen, due = (count * (exposure > 0)).sum(), max(exposure.sum(), 1e-9)
        base = max(seen / due, 0.1)
        inflation = 1 + base * self.dispersion
        step = np.clip(tenure / RAMP_STEP, 0, RAMP_STEPS - 1).astype(int)
        is_new = (exposure > 0) & (tenure < RAMP_STEP * RAMP_STEPS)
        ramp, ramp_error = self._ramp(is_new, step, inflation)
        prior = 1 / self.spread
        usual = base * ramp * (prior + self.seen) / (prior + self.due)
        own, level_error = usual * exposure, 1 / (prior + self.due)
        # The week's factor, from the others; one rep's bulk import must not make a good week.
        booked = np.minimum(count, 3 * own + 3) * (exposure > 0)
        weight = inflation / max(self.season[0] / self.season[1], SEASON_LEAST)
        others_due = weight + own.sum() - own
        factor = (weight * self.trend + booked.sum() - booked) / others_due
        factor_error = inflation / others_due
        error = level_error + factor_error + ramp_error
        flat = base * exposure * factor
        return Week(
            count=count,
            exposure=exposure,
            is_new=is_new,
            step=step,
            expected=own * factor,
            size=1 / (self.dispersion + error),
            usual=usual,
            error=error,
            level_error=level_error,
            factor_error=factor_error,
            typical=flat * ramp,
            flat=flat,
            season=booked.sum() / own.sum() if own.sum() > 0 else 1.0,
            season_error=inflation / own.sum() if own.sum() > 0 else np.inf,
            inflation=inflation,
        )

    def _ramp(
        self, is_new: np.ndarray, step: np.ndarray, inflation: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Share of the typical count at this tenure, from the others' first weeks; its error."""
        ramp, error = np.ones(len(step)), np.zeros(len(step))
        for rep in np.flatnonzero(is_new):
            seen = self.ramp_seen.sum(axis=0) - self.ramp_seen[rep] + FAITH
            due = self.ramp_due.sum(axis=0) - self.ramp_due[rep] + FAITH
            ramp[rep] = isotonic_regression(seen / due, weights=due).x[step[rep]]
            error[rep] = inflation / due[step[rep]]
        return ramp, error

    def learn(self, week: Week, is_usual: np.ndarray, is_judged: np.ndarray) -> None:
        """Keep what a week teaches.

        is_usual : reps whose week counts as usual; what is booked during an alarm does not
        is_judged : reps known well enough for their scatter to tell something
        """
        count, learns = week.plain_count, week.is_here & is_usual
        seen, due = count / week.inflation, week.typical / week.inflation
        self.seen = np.where(learns, KEEP * self.seen + seen, self.seen)
        self.due = np.where(learns, KEEP * self.due + due, self.due)
        tenured = week.is_here & ~week.is_new
        if tenured.any():
            self.team_seen = KEEP * self.team_seen + count[tenured].sum()
            self.team_due = KEEP * self.team_due + week.exposure[tenured].sum()
        for rep in np.flatnonzero(week.is_new & is_usual):
            self.ramp_seen[rep, week.step[rep]] += count[rep]
            self.ramp_due[rep, week.step[rep]] += week.flat[rep]
        if week.is_here.sum() > 1 and np.isfinite(week.season_error):
            excess = (week.season - self.trend) ** 2 - week.season_error
            self.season += [min(excess, 1.0), 1.0]
            self.trend += TREND * (week.season - self.trend)
        self._learn_scatter(week, count, learns & is_judged)

    def accept(self, who: np.ndarray, seen: np.ndarray, due: np.ndarray) -> None:
        """Take what these reps counted lately for their usual level."""
        self.seen, self.due = np.where(who, seen, self.seen), np.where(who, due, self.due)

    def _learn_scatter(self, week: Week, count: np.ndarray, is_judged: np.ndarray) -> None:
        """Squares of what was off, beyond what chance and the errors of level and factor explain.

        A run's error of the level is halved: the level follows the run it is compared with.
        """
        m, off = week.expected, count - week.expected
        self.recent = [*self.recent[-3:], np.array([m, off, m**2 * week.factor_error, is_judged])]
        run = np.sum(self.recent, axis=0)
        squares = np.sum([each[0] ** 2 for each in self.recent], axis=0)
        kinds = [(m, off, m**2, m**2 * week.factor_error, 1.0, is_judged)]
        kinds += [(run[0], run[1], squares, run[2], 0.5, run[3] == 4)]
        for row, (mean, off, square, factor, share, who) in enumerate(kinds):
            known = mean + mean**2 * week.level_error * share + factor
            # A few wild weeks shall not stand for all the others.
            excess = np.minimum(off**2, 12 * (known + square * self.dispersion)) - known
            self.scatter[row] *= 0.995
            self.scatter[row] += [excess[who].sum(), square[who].sum()]
