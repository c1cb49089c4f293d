"""What each rep lacks of each skill, and what the deals say of it: what the verbs share."""

import numpy as np
import pandas as pd
from scipy.special import ndtr

from salesnb import leaks, stats
from salesnb.metrics.presence import is_here
from salesnb.once import once
from salesnb.stage_model.shrink import tiers
from salesnb.team import Team
from salesnb.training import scores

MATERIAL = 0.5  # points: the step in which scores are given
UPPER = 0.75  # the level that a quarter of all scores reach is within reach of everybody
MOST = 0.5  # of those assessed: from here on the team lacks a skill, not a person
LOST = ["yearly_lost_amount", "yearly_lost_amount_low", "yearly_lost_amount_high"]
OF_CELL = ["lost_amount", "lost_low", "lost_high"]
GAP = ["rep_id", "skill", "score", "score_low", "score_high", "n_assessments", "manager_score"]
GAP += ["self_score", "target", "gap", "gap_low", "gap_high", "gap_probability", "tier"]
GAP += ["stages", "leak_probability", *LOST]


def members(team: Team) -> pd.Series:
    """The ids of the reps who are on the team on `team.as_of`, in order."""
    return team.reps.loc[is_here(team), "rep_id"].sort_values(ignore_index=True)


def spelled(team: Team, skills: pd.Series) -> pd.Series:
    """Skills as the settings spell them, where only upper and lower case differ."""
    known = {name.casefold(): name for names in team.settings.skills.values() for name in names}
    return skills.map(lambda name: known.get(name.strip().casefold(), name), na_action="ignore")


def stages_of(team: Team) -> dict[str, list[str]]:
    """The stages that lean on each skill."""
    found: dict[str, list[str]] = {}
    for stage in team.stages:
        for skill in team.settings.skills.get(stage, ()):
            found.setdefault(skill, []).append(stage)
    return found


def assessed(team: Team) -> pd.DataFrame:
    """The table of assessments, each skill spelled in one way, in an order of its own."""
    said = team.assessments
    said["skill"] = spelled(team, said["skill"]).astype("str")
    return said.sort_values([*said.columns], ignore_index=True)


@once
def needs(team: Team, target: float | None = None) -> pd.DataFrame:
    """One row per rep on the team and skill with a score, in order of rep, then skill.

    The columns of `training.gaps` and `gap_sd`, the standard error of the gap.
    """
    found = scores.current(assessed(team), team.as_of)
    found = found[found["rep_id"].isin(members(team))].reset_index(drop=True)
    found["target"] = aim(found["score"]) if target is None else float(target)
    half = stats.z() * found["sd"]
    for name, value in (("score", found["score"]), ("gap", found["target"] - found["score"])):
        found[name] = value
        found[f"{name}_low"], found[f"{name}_high"] = value - half, value + half
    for end in ("score_low", "score_high"):
        found[end] = found[end].clip(scores.LOWEST, scores.HIGHEST)
    found["gap_probability"] = ndtr((found["gap"] - MATERIAL) / found["sd"])
    probability = found["gap_probability"].to_numpy()
    found["tier"] = pd.Series(tiers(probability, probability >= 0), found.index, dtype="str")
    found = found.merge(_in_deals(team), on=["rep_id", "skill"], how="left")
    found["stages"] = found["skill"].map(
        {skill: ", ".join(stages) for skill, stages in stages_of(team).items()}
    )
    found["stages"] = found["stages"].astype("str").fillna("")
    return found.rename(columns={"sd": "gap_sd"})[[*GAP, "gap_sd"]]


def aim(score: pd.Series) -> float:
    """The level that a quarter of all scores on the team reach, of whatever skill."""
    return float(score.quantile(UPPER)) if len(score) else np.nan


def _in_deals(team: Team) -> pd.DataFrame:
    """What the deals of each rep say at the stages that lean on each skill.

    The probability of the likeliest leak; the amounts of a year, those of a stage that leans on
    several skills divided among them.
    """
    columns = ["rep_id", "skill", "leak_probability", *LOST]
    leaning = [
        (stage, skill, 1 / len(skills))
        for stage, skills in team.settings.skills.items()
        for skill in dict.fromkeys(skills)
    ]
    if not leaning or not team.has("stage_changes"):
        return pd.DataFrame(columns=columns).astype({"rep_id": "str", "skill": "str"})
    cells = leaks.cells(team).astype({"stage": "str"})
    scale = np.fmax(leaks.years(team, cells), 1)  # of less than a year all there is
    cells = _shared_out(cells, scale, leaning)
    by = cells.groupby(["rep_id", "skill"])
    found = by[LOST].sum(min_count=1).assign(leak_probability=by["leak_probability"].max())
    return found.reset_index()[columns]


def _shared_out(
    cells: pd.DataFrame, years: np.ndarray, leaning: list[tuple[str, str, float]]
) -> pd.DataFrame:
    """The cells of each skill, with their amounts of a year."""
    for name, of_cell in zip(LOST, OF_CELL, strict=True):
        cells[name] = cells[of_cell] / years
    parts = pd.DataFrame(leaning, columns=["stage", "skill", "part"])
    found = cells.merge(parts.astype({"stage": "str", "skill": "str"}), on="stage")
    found[LOST] = found[LOST].mul(found["part"], axis=0)
    return found


def by_skill(found: pd.DataFrame) -> pd.DataFrame:
    """One row per skill: how many were assessed, how many are likely below, and the money."""
    likely = found["gap_probability"] >= MOST
    lost = found["yearly_lost_amount"].where(likely)
    rows = found.assign(n_below=likely, yearly_lost_amount=lost.clip(lower=0)).groupby("skill")
    table = rows.agg(
        n_reps=("rep_id", "size"),
        n_below=("n_below", "sum"),
        gap=("gap", "mean"),
        yearly_lost_amount=("yearly_lost_amount", "sum"),
    ).reset_index()
    return table.assign(is_team_wide=table["n_below"] > MOST * table["n_reps"])
