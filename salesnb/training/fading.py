"""How fast a skill fades once its course is over, from scores of the same people over time."""

import numpy as np
import pandas as pd
from scipy.stats import t

from salesnb import stats
from salesnb.once import once
from salesnb.team import Team
from salesnb.training.compared import completed, scored_by_others
from salesnb.training.needs import members, spelled

YEAR = 365.25  # days
FEWEST = 5  # reps with two scores after a course
TRACE, LEAST = 0.01, 0.01  # squared years; points a year
ROUNDS, ENOUGH = 200, 1e-6
COLUMNS = {"skill": "str", "n_reps": "int64", "fade": "float64", "fade_sd": "float64"}


def last_taught(team: Team) -> pd.DataFrame:
    """When each rep on the team last took a course or a certificate: rep_id, skill, last_on."""
    events = _events(team)
    events = events[events["rep_id"].isin(members(team))]
    last = events.groupby(["rep_id", "skill"])["day"].max()
    return last.rename("last_on").reset_index()


@once
def fades(team: Team) -> pd.DataFrame:
    """Points lost a year after a course, of each skill that anybody was taught, shrunken.

    Within the same rep and skill, beyond what the rep's other skills gain or lose from one
    half-year to the next; the skills shrunken towards their mean (DerSimonian and Laird 1986).

    Returns
    -------
    DataFrame
        skill
        n_reps : reps with two scores or more after their course
        fade, fade_sd : points a year, and the standard error; NaN where no skill can be told
    """
    rows = _with_event(team)
    n = _followed(rows)
    skills = n.index[n >= FEWEST]
    table = pd.DataFrame({"skill": n.index, "n_reps": n.to_numpy()})
    slope, error = _slopes(rows, skills) if len(skills) else (np.empty(0), np.empty(0))
    error = error * _few(n[skills].to_numpy(float))
    mean, sd, apart, apart_sd = _shrunken(slope, error)
    known = pd.DataFrame({"skill": skills, "fade": mean, "fade_sd": sd}).astype({"skill": "str"})
    table = table.astype({"skill": "str"}).merge(known, on="skill", how="left")
    table = table.fillna({"fade": apart, "fade_sd": apart_sd})
    return table.reindex(columns=[*COLUMNS]).astype(COLUMNS)


def _events(team: Team) -> pd.DataFrame:
    """Courses completed and certificates: rep_id, skill, day."""
    passed = team.assessments[team.assessments["assessor"] == "certification"]
    passed = passed.assign(skill=spelled(team, passed["skill"]).astype("str"))
    passed = passed.rename(columns={"assessed_on": "day"})
    taken = completed(team, first=False).rename(columns={"completed_on": "day"})
    return pd.concat([each[["rep_id", "skill", "day"]] for each in (taken, passed)])


def _with_event(team: Team) -> pd.DataFrame:
    """Scores with the years since the last event before them; NaN where there was none."""
    scores = scored_by_others(team).sort_values(["day", "rep_id", "skill"], ignore_index=True)
    events = _events(team).drop_duplicates().sort_values(["day", "rep_id", "skill"])
    events["taught"] = events["day"]
    by = ["rep_id", "skill"]
    if scores.empty or events.empty:
        return scores.assign(since=np.nan, half_year=0)
    rows = pd.merge_asof(scores, events, on="day", by=by, allow_exact_matches=False)
    half_year = (team.as_of - rows["day"]).dt.days // 182
    return rows.assign(since=(rows["day"] - rows["taught"]).dt.days / YEAR, half_year=half_year)


def _followed(rows: pd.DataFrame) -> pd.Series:
    """Reps with two scores or more after an event, by skill; every skill with an event."""
    after = rows.dropna(subset="since")
    n = after.groupby(["skill", "rep_id"]).size()
    return (n >= 2).groupby("skill").sum()


def _slopes(rows: pd.DataFrame, skills: pd.Index) -> tuple[np.ndarray, np.ndarray]:
    """Points lost a year by skill, with standard errors clustered by rep; inf without a trace."""
    own = rows.groupby(["rep_id", "skill"]).ngroup().to_numpy()
    season = rows.groupby(["rep_id", "half_year"]).ngroup().to_numpy()
    is_after = rows["since"].notna().to_numpy(float)[:, None]
    since = rows["since"].fillna(0).to_numpy()[:, None]
    of_skill = rows["skill"].to_numpy()[:, None] == skills.to_numpy()[None, :]
    values = np.column_stack([rows["value"], of_skill * since, of_skill * is_after]).astype(float)
    within = _within(values, own, season)
    score, design = within[:, 0], within[:, 1:]
    is_told = (design**2).sum(axis=0)[: len(skills)] > TRACE
    inverse = np.linalg.pinv(design.T @ design, rcond=1e-9, hermitian=True)
    found = inverse @ (design.T @ score)
    rep, reps = pd.factorize(rows["rep_id"])
    parts = np.zeros((len(reps), design.shape[1]))
    np.add.at(parts, rep, design * (score - design @ found)[:, None])
    spread = inverse @ (parts.T @ parts) @ inverse * len(reps) / max(len(reps) - 1, 1)
    error = np.sqrt(np.maximum(np.diag(spread)[: len(skills)], LEAST**2))
    return -found[: len(skills)], np.where(is_told, error, np.inf)


def _few(n: np.ndarray) -> np.ndarray:
    """By how much errors clustered in `n` people are too small, for intervals of 90 %."""
    return np.sqrt(n / (n - 2)) * t.ppf((1 + stats.LEVEL) / 2, n - 2) / stats.z()


def _within(values: np.ndarray, *groups: np.ndarray) -> np.ndarray:
    """Values less the means of their groups, in turn until nothing moves."""
    for _ in range(ROUNDS):
        before = values
        for group in groups:
            n = np.bincount(group)
            means = [np.bincount(group, column) / n for column in values.T]
            values = values - np.column_stack(means)[group]
        if np.abs(values - before).max(initial=0) < ENOUGH:
            break
    return values


def _shrunken(slope: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Each slope drawn to their mean, with its error; then those of a skill not seen."""
    if not np.isfinite(error).any():
        return np.full(len(slope), np.nan), error, np.nan, np.nan
    weight = 1 / error**2
    mean = np.average(slope, weights=weight)
    excess = np.sum(weight * (slope - mean) ** 2) - (len(slope) - 1)
    size = weight.sum() - np.sum(weight**2) / weight.sum()
    between = max(0.0, excess / size) if size > 0 else 0.0
    weight = 1 / (error**2 + between)
    mean, mean_variance = np.average(slope, weights=weight), 1 / weight.sum()
    own = between / (between + error**2)
    sd = np.sqrt(own * error**2 + (1 - own) ** 2 * mean_variance)
    drawn = own * slope + (1 - own) * mean
    return drawn, sd, float(mean), float(np.sqrt(mean_variance + between))


def interval(fade: pd.Series, sd: pd.Series) -> tuple[pd.Series, pd.Series]:
    """The 90 % interval of a fade."""
    return fade - stats.z() * sd, fade + stats.z() * sd
