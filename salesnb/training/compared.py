"""What became of those who took a course: in deals, and in scores beside who did not take it."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
from statsmodels.regression.linear_model import OLS

from salesnb import trials
from salesnb.once import once
from salesnb.stats import LEVEL
from salesnb.team import Team
from salesnb.training.needs import spelled, stages_of

HALF_YEAR, YEAR = 182, 365  # days
SINKS_IN = 14  # days after a course until a score counts as one after it
FEWEST = 4  # scored before and after, of those who took the course and of the others
ALONE = 0.999  # leverage of a person who tells nothing of the effect
WORTH = 0.03  # of the deals at a stage: less is not worth a course
WORTH_SCORE = 0.25  # points: half of the step in which scores are given


class Contrast(NamedTuple):
    """The difference made, with its 90 % interval; NaN where the groups are too small."""

    effect: float = np.nan
    low: float = np.nan
    high: float = np.nan
    error: float = np.nan


@dataclass(frozen=True, eq=False)
class Compared:
    """What is known of one course.

    deals : `trials.verdict` with n_others, earlier_rate, later_rate; empty where no stage leans
        on the skill
    scores : the difference made to scores, in points
    score_change : of those who took it
    n_scored_others : who did not and have scores before and after
    """

    scores: Contrast
    score_change: float
    n_scored_others: int
    deals: dict[str, int | float | str] = field(default_factory=dict)

    @property
    def answer(self) -> tuple[str, str]:
        """What the verdict rests on, deals before scores, and the verdict; both empty without."""
        if pd.notna(self.deals.get("effect")):
            return "deals", str(self.deals["verdict"])
        if pd.notna(self.scores.effect):
            return "scores", trials.word(self.scores.low, self.scores.high, WORTH_SCORE)
        return "", ""


@once
def by_course(team: Team) -> dict[str, Compared]:
    """For each course that somebody took: the deals, and the scores."""
    taken, begun = completed(team), programmes(team)
    scored = scored_by_others(team)
    panel = trials.panel(team, begun) if len(begun) else pd.DataFrame()
    found = {}
    for course_id, own in taken.groupby("course_id"):
        skill = own["skill"].iloc[0]
        days = _days(team, own, taken[taken["skill"] == skill])
        of_scores = _of_scores(scored[scored["skill"] == skill], days)
        deals = _of_deals(team, panel, begun, str(course_id))
        found[str(course_id)] = Compared(*of_scores, deals)
    return found


def completed(team: Team, first: bool = True) -> pd.DataFrame:
    """When each rep completed each course, or first did: rep_id, course_id, completed_on, skill."""
    courses = team.courses.assign(skill=spelled(team, team.courses["skill"]).astype("str"))
    taken = team.attendance[["rep_id", "course_id", "completed_on"]].sort_values(
        ["completed_on", "rep_id", "course_id"]
    )
    taken = taken.drop_duplicates(["rep_id", "course_id"]) if first else taken
    return taken.merge(courses[["course_id", "skill"]], on="course_id")


def programmes(team: Team) -> pd.DataFrame:
    """Every course that a rep took, at each stage that leans on its skill.

    rep_id, stage, starts_on (the day it was completed), course_id; empty without dated stages.
    """
    leaning = [(skill, stage) for skill, stages in stages_of(team).items() for stage in stages]
    stages = pd.DataFrame(leaning, columns=["skill", "stage"]).astype("str")
    taken = completed(team).rename(columns={"completed_on": "starts_on"})
    found = taken[taken["rep_id"].isin(team.reps["rep_id"])].merge(stages, on="skill")
    if not team.has("stage_changes") or not team.settings.is_dated:
        found = found.head(0)
    return found[["rep_id", "stage", "starts_on", "course_id"]].sort_values(
        ["starts_on", "rep_id", "stage", "course_id"], ignore_index=True
    )


def scored_by_others(team: Team) -> pd.DataFrame:
    """Scores by the manager, or by whoever gave any: rep_id, skill, day, value."""
    said = team.assessments
    given = said[said["assessor"].fillna("manager") == "manager"]
    given = given if len(given) else said
    skill = spelled(team, given["skill"]).astype("str")
    columns = {"rep_id": given["rep_id"], "skill": skill, "day": given["assessed_on"]}
    return pd.DataFrame({**columns, "value": given["score"]})


def _of_deals(
    team: Team, panel: pd.DataFrame, begun: pd.DataFrame, course_id: str
) -> dict[str, int | float | str]:
    """The deals of those who took a course, beside other courses at the same stages."""
    own = begun[begun["course_id"] == course_id]
    if own.empty:
        return {}
    stages = own["stage"].unique()
    here = begun[begun["stage"].isin(stages)]
    rows = panel[panel["stage"].isin(stages)].reset_index(drop=True)
    doses = _doses(rows, here)
    beside = doses.drop(columns=course_id).to_numpy()
    rows["dose"] = doses[course_id]
    before, since = trials.before_and_since(team, stages, own)
    return {
        "n_others": len(trials.others(rows, beside)),
        "earlier_rate": before,
        "later_rate": since,
        **trials.verdict(trials.fits(rows, beside), rows, WORTH),
    }


def _doses(rows: pd.DataFrame, begun: pd.DataFrame) -> pd.DataFrame:
    """Which of the courses that a rep has begun are among the first so many: a column for each."""
    by = ["rep_id", "stage"]
    begun = begun.assign(dose=begun.groupby(by).cumcount() + 1)
    each = rows[[*by, "dose"]].reset_index().merge(begun, on=by, suffixes=("", "_from"))
    each = each[each["dose"] >= each["dose_from"]]
    counted = pd.crosstab(each["index"], each["course_id"])
    return counted.reindex(index=rows.index, columns=begun["course_id"].unique(), fill_value=0)


def _days(team: Team, own: pd.DataFrame, of_skill: pd.DataFrame) -> pd.DataFrame:
    """The day that divides before from after: one's own, or the middle one for the others.

    Who took another course on the same skill is no comparison.
    """
    middle = own["completed_on"].sort_values().iloc[(len(own) - 1) // 2]
    reps = team.reps["rep_id"].sort_values()
    others = reps[~reps.isin(of_skill["rep_id"])]
    rest = pd.DataFrame({"rep_id": others, "completed_on": middle, "had": False})
    return pd.concat([own[["rep_id", "completed_on"]].assign(had=True), rest], ignore_index=True)


def _of_scores(scored: pd.DataFrame, days: pd.DataFrame) -> tuple[Contrast, float, int]:
    """The mean score: the year after against the year before."""
    rows = scored.merge(days, on="rep_id")
    away = (rows["day"] - rows["completed_on"]).dt.days
    before = rows[away.between(-YEAR, 0)].groupby("rep_id")["value"].mean()
    after = rows[away.between(SINKS_IN, YEAR)].groupby("rep_id")["value"].mean()
    seen = days.set_index("rep_id").assign(before=before, after=after).dropna().sort_index()
    had = seen["had"].to_numpy(bool)
    change = seen["after"] - seen["before"]
    found = contrast(seen["after"].to_numpy(), had, seen["before"].to_numpy())
    return found, float(change[had].mean()), int((~had).sum())


def contrast(after: np.ndarray, had: np.ndarray, before: np.ndarray) -> Contrast:
    """Mean difference of `after` between those who `had` it and the others, alike in `before`.

    Analysis of covariance: for a score there are one or two numbers before and after, and how far
    chance moves a score only the spread between people can tell, so there is nothing for the
    likelihood of `trials` to weigh. Errors hold where the groups vary differently (HC3, MacKinnon
    and White 1985).
    """
    if min(had.sum(), (~had).sum()) < FEWEST:
        return Contrast()
    # A person whose number before is like nobody's else has the slope to themselves.
    influence = _model(after, had, before).fit().get_influence()
    is_alike = influence.hat_matrix_diag < ALONE
    model = _model(after[is_alike], had[is_alike], before[is_alike])
    fit = model.fit(cov_type="HC3", use_t=True)
    low, high = fit.conf_int(1 - LEVEL)[1]
    return Contrast(float(fit.params[1]), float(low), float(high), float(fit.bse[1]))


def _model(after: np.ndarray, had: np.ndarray, before: np.ndarray) -> OLS:
    alike = [before - before.mean()] if np.ptp(before) > 0 else []
    return OLS(after, np.column_stack([np.ones(len(had)), had, *alike]))
