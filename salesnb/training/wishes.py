"""Which course could help whom, and how much: the places that a plan chooses from."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.special import ndtr

from salesnb.history import look_up
from salesnb.once import once
from salesnb.team import Team
from salesnb.training.compared import HALF_YEAR, completed
from salesnb.training.decay import refreshers
from salesnb.training.lifts import lifts
from salesnb.training.needs import LOST, MOST, by_skill, needs
from salesnb.training.timetable import Offer

BY = ["rep_id", "skill"]
A_YEAR = 4  # quarters
LEAST = 0.05  # points: whoever can expect less stays at work


@dataclass(frozen=True, eq=False)
class Wishes:
    """Every place there is for somebody, and the offer of the courses.

    places : a row per rep, course and quarter: rep_id, course_id, skill, quarter_on, gain (points
        expected), value (gain weighted by money), is_wanted (a gap or a leak is likely, and the
        course is neither taken nor fresh)
    courses : the columns of `lifts`
    wide : skills that most of the team lacks
    """

    places: pd.DataFrame
    courses: pd.DataFrame
    wide: frozenset[str]

    def offer(self, places: pd.DataFrame, budget: float, hours_per_rep: float) -> Offer:
        """These places, numbered."""
        course = pd.Index(self.courses["course_id"]).get_indexer(places["course_id"])
        quarter, quarters = pd.factorize(places["quarter_on"], sort=True)
        return Offer(
            rep=pd.factorize(places["rep_id"], sort=True)[0],
            course=course,
            skill=pd.factorize(places["skill"], sort=True)[0],
            quarter=quarter,
            value=places["value"].to_numpy(float),
            price=self.courses["price"].fillna(0).to_numpy(float),
            seats=self.courses["seats"].fillna(np.inf).to_numpy(float),
            hours=self.courses["hours"].to_numpy(float),
            for_all=np.zeros((len(self.courses), max(len(quarters), 1)), bool),
            budget=budget,
            hours_per_rep=hours_per_rep,
        )

    def for_all(self, offer: Offer, places: pd.DataFrame) -> np.ndarray:
        """The session of each skill most of the team lacks that would do most, if held for all."""
        wished = np.zeros(offer.for_all.shape, bool)
        worth = np.bincount(offer.session, offer.value, wished.size).reshape(wished.shape)
        for skill in sorted(self.wide):
            of_skill = worth * (self.courses["skill"] == skill).to_numpy()[:, None]
            if of_skill.max(initial=0) > 0:
                wished.flat[int(of_skill.argmax())] = True
        return wished


@once
def wishes(team: Team, quarters: int = A_YEAR) -> Wishes:
    """What could be taken in the next `quarters`."""
    gaps, courses = needs(team), lifts(team)
    offered = _in_quarters(team, courses, quarters)
    places = gaps.merge(offered, on="skill")
    mean, sd = places["gap"].to_numpy(float), places["gap_sd"].to_numpy(float)
    lift = places["expected_lift"].to_numpy(float)
    gain = np.maximum(_above(mean, sd) - _above(mean - lift, sd), 0)
    lost = gaps["yearly_lost_amount"].clip(lower=0)
    usual = lost[lost > 0].mean()
    stake = (places["yearly_lost_amount"].clip(lower=0) / usual).fillna(0).to_numpy(float)
    is_likely = (places["gap_probability"] >= MOST) | (places["leak_probability"] >= MOST)
    # Rounded: what cannot be told apart should not decide between two plans.
    places = places.assign(gain=gain, value=np.round(gain * (1 + stake), 4))
    places["is_wanted"] = is_likely & ~_is_fresh(team, places) & (gain >= LEAST)
    places = places[_is_free(team, places)]
    columns = ["rep_id", "course_id", "skill", "quarter_on", "gain", "value", "is_wanted", *LOST]
    wide = by_skill(gaps)
    return Wishes(
        places[columns].sort_values(columns[:4], ignore_index=True),
        courses,
        frozenset(wide.loc[wide["is_team_wide"], "skill"]),
    )


def first_quarter(team: Team) -> pd.Timestamp:
    """The first day of the calendar quarter in which tomorrow lies."""
    tomorrow = team.as_of + pd.Timedelta(days=1)
    return tomorrow.to_period("Q").start_time.as_unit("us")


def _in_quarters(team: Team, courses: pd.DataFrame, quarters: int) -> pd.DataFrame:
    """Courses by the quarters they can be taken in: their own, or any where held before."""
    first = first_quarter(team)
    days = [first + pd.DateOffset(months=3 * ahead) for ahead in range(quarters + 1)]
    found = []
    for start, end in pairwise(days):
        is_ahead = courses["starts_on"] > team.as_of
        is_then = (courses["starts_on"] >= start) & (courses["starts_on"] < end)
        found.append(courses[is_then | ~is_ahead].assign(quarter_on=start))
    table = pd.concat(found, ignore_index=True)
    table["quarter_on"] = table["quarter_on"].astype("datetime64[us]")
    kept = ["course_id", "skill", "starts_on", "quarter_on", "expected_lift"]
    return table[kept]


def _above(mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Expectation of the part above 0 of a normal."""
    z = mean / sd
    return mean * ndtr(z) + sd * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)


def _is_fresh(team: Team, places: pd.DataFrame) -> pd.Series:
    """Taken already, or another on the skill in the last half-year; unless a refresher is due."""
    if not team.has("attendance"):
        return pd.Series(False, places.index)
    taken = completed(team)
    pairs = pd.MultiIndex.from_frame(places[BY].astype("str"))
    own = pd.MultiIndex.from_frame(places[["rep_id", "course_id"]].astype("str"))
    has = own.isin(pd.MultiIndex.from_frame(taken[["rep_id", "course_id"]]))
    since = team.as_of - pd.Timedelta(days=HALF_YEAR)
    late = pairs.isin(pd.MultiIndex.from_frame(taken.loc[taken["completed_on"] > since, BY]))
    due = refreshers(team)
    is_due = pairs.isin(pd.MultiIndex.from_frame(due.loc[due["is_due"], BY]))
    return pd.Series((has | late) & ~is_due, places.index)


def _is_free(team: Team, places: pd.DataFrame) -> pd.Series:
    """Whether the rep is not on leave on the day the course starts, where it has one ahead."""
    starts = look_up(places["course_id"], team.courses.set_index("course_id")["starts_on"])
    away = (
        places[["rep_id"]].assign(place=places.index, day=starts).merge(team.absences, on="rep_id")
    )
    is_away = (away["starts_on"] <= away["day"]) & (away["day"] <= away["ends_on"])
    is_away &= away["day"] > team.as_of
    return ~places.index.to_series().isin(away.loc[is_away, "place"])
