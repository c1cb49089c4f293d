"""Those who took a course beside those who did not: deals and scores, before and after."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb.ancova import Contrast, contrast
from salesnb.once import once
from salesnb.team import Team
from salesnb.training.needs import spelled, stages_of
from salesnb.visits import visits

HALF_YEAR, YEAR = 182, 365  # days
FEWEST = 8  # decided deals of a rep before, and after
USUAL = 10  # deals' worth of the team's rate that steady a rate of few deals
SINKS_IN = 14  # days after a course until a score counts as one after it


@dataclass(frozen=True, eq=False)
class Compared:
    """One number of those who took a course and of the others.

    people : rep_id, had (took it), before, after, n_before, n_after
    found : the difference made
    """

    people: pd.DataFrame
    found: Contrast

    @property
    def mean(self) -> tuple[float, float]:
        """The number of those who took it, before and after, each case counting once."""
        own = self.people[self.people["had"]]
        if own.empty:
            return np.nan, np.nan
        before = np.average(own["before"], weights=own["n_before"])
        return float(before), float(np.average(own["after"], weights=own["n_after"]))

    def n(self, had: bool) -> int:
        """People compared, who had it or not."""
        return int((self.people["had"] == had).sum())


@once
def by_course(team: Team) -> dict[str, tuple[Compared, Compared]]:
    """For each course that somebody took: the deals, and the scores."""
    taken = completed(team)
    moved, scored = _deals(team), scored_by_others(team)
    found = {}
    for course_id, own in taken.groupby("course_id"):
        skill = own["skill"].iloc[0]
        days = _days(team, own, taken[taken["skill"] == skill])
        stages = stages_of(team).get(skill, [])
        of_stages = moved[moved["stage"].isin(stages)]
        of_skill = scored[scored["skill"] == skill]
        found[str(course_id)] = (_of_deals(of_stages, days), _of_scores(of_skill, days))
    return found


def completed(team: Team, first: bool = True) -> pd.DataFrame:
    """When each rep completed each course, or first did: rep_id, course_id, completed_on, skill."""
    courses = team.courses.assign(skill=spelled(team, team.courses["skill"]).astype("str"))
    taken = team.attendance[["rep_id", "course_id", "completed_on"]].sort_values(
        ["completed_on", "rep_id", "course_id"]
    )
    taken = taken.drop_duplicates(["rep_id", "course_id"]) if first else taken
    return taken.merge(courses[["course_id", "skill"]], on="course_id")


def _days(team: Team, own: pd.DataFrame, of_skill: pd.DataFrame) -> pd.DataFrame:
    """The day that divides before from after: one's own, or the middle one for the others.

    Who took another course on the same skill is no comparison.
    """
    middle = own["completed_on"].sort_values().iloc[(len(own) - 1) // 2]
    reps = team.reps["rep_id"].sort_values()
    others = reps[~reps.isin(of_skill["rep_id"])]
    rest = pd.DataFrame({"rep_id": others, "completed_on": middle, "had": False})
    return pd.concat([own[["rep_id", "completed_on"]].assign(had=True), rest], ignore_index=True)


def _deals(team: Team) -> pd.DataFrame:
    """Deals that have left a stage: rep_id, stage, day (entered), value (1: went on)."""
    columns = {"rep_id": "str", "stage": "str", "day": "datetime64[us]", "value": "float64"}
    if not team.has("stage_changes") or not team.settings.is_dated:
        return pd.DataFrame(columns=[*columns]).astype(columns)
    seen = visits(team)
    seen = seen[(seen["outcome"] != "open") & ~seen["is_skipped"]]
    return pd.DataFrame(
        {
            "rep_id": seen["rep_id"],
            "stage": seen["stage"].astype("str"),
            "day": seen["entered_at"],
            "value": (seen["outcome"] == "advanced").astype(float),
        }
    )


def scored_by_others(team: Team) -> pd.DataFrame:
    """Scores by the manager, or by whoever gave any: rep_id, skill, day, value."""
    said = team.assessments
    given = said[said["assessor"].fillna("manager") == "manager"]
    given = given if len(given) else said
    skill = spelled(team, given["skill"]).astype("str")
    columns = {"rep_id": given["rep_id"], "skill": skill, "day": given["assessed_on"]}
    return pd.DataFrame({**columns, "value": given["score"]})


def _of_deals(moved: pd.DataFrame, days: pd.DataFrame) -> Compared:
    """The share of deals that went on: the year after against two periods before."""
    rows, away = _dated(moved, days)
    parts = {
        "long": away < -HALF_YEAR,
        "late": (away >= -HALF_YEAR) & (away < 0),
        "after": (away > 0) & (away <= YEAR),
    }
    sums = {name: _sums(rows[part], days) for name, part in parts.items()}
    (hit, n), before = sums["after"], [sums["long"], sums["late"]]
    n_before = before[0][1] + before[1][1]
    is_enough = (n >= FEWEST) & (n_before >= FEWEST)
    steadied = [
        (hits + USUAL * hits.sum() / max(cases.sum(), 1)) / (cases + USUAL)
        for hits, cases in before
        if cases.sum()
    ]
    with np.errstate(invalid="ignore"):
        people = days[["rep_id", "had"]].assign(
            before=(before[0][0] + before[1][0]) / n_before,
            after=hit / n,
            n_before=n_before,
            n_after=n,
        )
    return _compared(people, np.column_stack(steadied or [n_before]), is_enough)


def _of_scores(scored: pd.DataFrame, days: pd.DataFrame) -> Compared:
    """The mean score: the year after against the year before."""
    rows, away = _dated(scored, days)
    total, n_before = _sums(rows[(away >= -YEAR) & (away <= 0)], days)
    later, n = _sums(rows[(away >= SINKS_IN) & (away <= YEAR)], days)
    with np.errstate(invalid="ignore"):
        before, after = total / n_before, later / n
    people = days[["rep_id", "had"]].assign(
        before=before, after=after, n_before=n_before, n_after=n
    )
    return _compared(people, before[:, None], (n > 0) & (n_before > 0))


def _compared(people: pd.DataFrame, before: np.ndarray, is_enough: np.ndarray) -> Compared:
    people = people[is_enough].reset_index(drop=True)
    found = contrast(people["after"].to_numpy(), people["had"].to_numpy(bool), before[is_enough])
    return Compared(people, found)


def _dated(rows: pd.DataFrame, days: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """The rows of the people compared, with the days by which they lie after the dividing day."""
    place = pd.Index(days["rep_id"]).get_indexer(pd.Index(rows["rep_id"]))
    rows = rows.assign(place=place)[place >= 0]
    divide = days["completed_on"].to_numpy()[rows["place"].to_numpy()]
    return rows, ((rows["day"] - divide) / pd.Timedelta(days=1)).to_numpy(float)


def _sums(rows: pd.DataFrame, days: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Sum and count of the values of each person."""
    place = rows["place"].to_numpy(int)
    total = np.bincount(place, rows["value"].to_numpy(float), len(days))
    return total, np.bincount(place, minlength=len(days)).astype(float)
