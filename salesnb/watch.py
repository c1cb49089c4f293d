"""An alarm for weekly counts that stay below what is usual: a negative-binomial CUSUM.

Knows no team: arrays in, arrays out, one row per rep and one column per week. What is said of a
week rests on that week and those before it, so an alarm never changes afterwards.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import nbinom

from salesnb.stats import LEVEL
from salesnb.usual import Usual, Week

# The likelihood ratio of a drop to DROP of the usual level is added up week by week. No week adds
# more than CAP, so that two empty weeks (leave that nobody recorded) raise no alarm alone.
DROP, CAP, LIMIT = 0.6, 1.2, 2.7
MOST, OFF = 1.3 * LIMIT, 0.5 * LIMIT  # so far the sum may rise, and where an alarm ends
WARM_UP = 8  # weeks before any alarm
UNSURE = 0.08  # squared relative error of the expected count above which there is none
NEW_USUAL = 13  # weeks of alarm after which the lower level is the usual one


@dataclass(frozen=True)
class Watched:
    """What was usual in each week, and where the counts fell short of it (reps x weeks).

    expected, low, high : the count to be expected, and the range of 90 % of normal weeks
    size : of the negative binomial of that count: its variance is m + m ** 2 / size
    usual : the count of a full week without season
    is_sure : whether enough is known of the rep for an alarm
    score : what has added up; is_alarm : it passed the limit and has not yet receded
    season : (weeks,) what the team counted against what was usual for those at work
    """

    expected: np.ndarray
    low: np.ndarray
    high: np.ndarray
    size: np.ndarray
    usual: np.ndarray
    is_sure: np.ndarray
    score: np.ndarray
    is_alarm: np.ndarray
    season: np.ndarray


class Alarm:
    """The running sum of each rep, and what was counted since the alarm began."""

    def __init__(self, n_reps: int):
        self.score, self.is_on = np.zeros(n_reps), np.zeros(n_reps, bool)
        self.weeks, self.seen, self.due = np.zeros(n_reps), np.zeros(n_reps), np.zeros(n_reps)

    def add(self, week: Week, is_sure: np.ndarray) -> None:
        """Add the evidence of a week."""
        ratio = np.where(week.is_here, np.minimum(evidence(week), CAP), 0)
        self.score = np.where(is_sure, np.clip(self.score + ratio, 0, MOST), 0)
        self.is_on = np.where(self.is_on, self.score > OFF, self.score >= LIMIT)
        self.weeks = np.where(self.is_on, self.weeks + 1, 0)
        counted = week.is_here / week.inflation
        self.seen = np.where(self.is_on, self.seen + week.plain_count * counted, 0)
        self.due = np.where(self.is_on, self.due + week.typical * counted, 0)

    def end_old(self, usual: Usual) -> None:
        """After a quarter the lower level is the usual one, and the alarm ends."""
        is_old = self.weeks >= NEW_USUAL
        usual.accept(is_old, self.seen, self.due)
        self.score, self.weeks = np.where(is_old, 0, self.score), np.where(is_old, 0, self.weeks)


def evidence(week: Week) -> np.ndarray:
    """Log likelihood ratio of a drop to `DROP` against the usual level, negative binomial."""
    k, m = week.size, week.expected
    return week.count * np.log(DROP) + (week.count + k) * np.log((k + m) / (k + DROP * m))


def watch(count: np.ndarray, exposure: np.ndarray, tenure: np.ndarray) -> Watched:
    """Watch weekly counts for a lasting drop below each rep's own level.

    Expected is the rep's own level (older weeks fading, shrunken towards the team's), times the
    week's factor (the others' counts that week against theirs), times the share of the week at
    work, times the ramp of a new hire (the others' first weeks). A CUSUM adds up the evidence of
    a drop (Page 1954; Hawkins and Olwell 1998), each week's part capped.

    Parameters
    ----------
    count : what was counted in each week
    exposure : share of a full week at work; 0 where absent or not on the team
    tenure : weeks since the hire; infinite where long ago
    """
    n_reps, n_weeks = count.shape
    usual, alarm, weeks, found = Usual(n_reps), Alarm(n_reps), [], []
    for t in range(n_weeks):
        week = usual.expect(count[:, t].astype(float), exposure[:, t], tenure[:, t])
        is_sure = (week.error <= UNSURE) & (t >= WARM_UP)
        alarm.add(week, is_sure)
        weeks.append(week)
        found.append((is_sure, alarm.score, alarm.is_on))
        usual.learn(week, is_usual=~alarm.is_on, is_judged=is_sure)
        alarm.end_old(usual)
    expected, size, level = (
        _columns([getattr(week, name) for week in weeks], n_reps)
        for name in ("expected", "size", "usual")
    )
    is_sure, score, is_alarm = (_columns([f[i] for f in found], n_reps) for i in range(3))
    low, high = limits(expected, size)
    season = np.array([week.season for week in weeks])
    return Watched(expected, low, high, size, level, is_sure == 1, score, is_alarm == 1, season)


def limits(
    expected: np.ndarray, size: np.ndarray, level: float = LEVEL
) -> tuple[np.ndarray, np.ndarray]:
    """The range that holds a negative binomial count of this mean with probability `level`."""
    share, tail = size / (size + expected), (1 - level) / 2
    low, high = nbinom.ppf(tail, size, share), nbinom.ppf(1 - tail, size, share)
    return np.fmin(low, expected), np.fmax(high, expected)


def _columns(weeks: list[np.ndarray], n_reps: int) -> np.ndarray:
    """One column per week."""
    return np.array(weeks).T if weeks else np.zeros((n_reps, 0))
