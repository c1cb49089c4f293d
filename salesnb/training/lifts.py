"""What a course can be expected to add to a score: what is promised, and what others kept of it."""

import numpy as np
import pandas as pd

from salesnb.once import once
from salesnb.team import Team
from salesnb.training.compared import by_course
from salesnb.training.needs import spelled

# Before any course was seen: half of what is promised, or of a quarter point where nothing is.
KEPT, KEPT_SD = 0.5, 0.25
UNKNOWN = 0.25
OWN_SD = 0.15  # points by which courses differ from the share that all keep
NO = "no"


@once
def lifts(team: Team) -> pd.DataFrame:
    """One row per course, in order of its id.

    Returns
    -------
    DataFrame
        The columns of the table `courses`, the skill as the settings spell it, and

        expected_lift : points; the promise times what the team's courses kept of theirs, drawn
            to what was seen of this one; 0 where it was shown not to work
        answer : of `training.effect`, empty where it has none
    """
    table = team.courses.sort_values("course_id", ignore_index=True)
    table["skill"] = spelled(team, table["skill"]).astype("str")
    seen = by_course(team) if team.has("attendance") else {}
    promised = table["lift"].fillna(table["lift"].mean()).fillna(UNKNOWN).to_numpy(float)
    found = [seen.get(course) for course in table["course_id"]]
    made = np.array([each.scores.effect if each else np.nan for each in found], float)
    error = np.array([each.scores.error if each else np.nan for each in found], float)
    is_seen = np.isfinite(made) & np.isfinite(error)
    weight = np.where(is_seen, 1 / (np.where(is_seen, error, 1) ** 2 + OWN_SD**2), 0)
    made = np.where(is_seen, made, 0)
    prior = 1 / KEPT_SD**2
    kept = (KEPT * prior + np.sum(weight * promised * made)) / (
        prior + np.sum(weight * promised**2)
    )
    usual = np.clip(kept, 0, 1) * promised
    own = np.where(is_seen, OWN_SD**2 * weight, 0)
    said = [each.answer[1] if each else "" for each in found]
    table["answer"] = pd.Series(said, table.index, dtype="str")
    expected = np.maximum(own * made + (1 - own) * usual, 0)
    table["expected_lift"] = np.where(table["answer"] == NO, 0.0, expected)
    return table
