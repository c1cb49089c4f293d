"""Training: courses and who took them, skills as assessed, the first weeks of new hires."""

import numpy as np
import pandas as pd

from salesnb.simulation.clock import dates
from salesnb.simulation.market import product_ids
from salesnb.simulation.people import People
from salesnb.simulation.plan import SKILLS, STAGES, Plan
from salesnb.simulation.words import ids, spelled, words

TAKEN_SHARE = 0.35  # of the reps who are there
OTHER_SKILLS = ("product knowledge", "CRM discipline")
ALL_SKILLS = (*(skill for skills in SKILLS.values() for skill in skills), *OTHER_SKILLS)
POINTS_PER_LOGIT = 0.8
SELF_BIAS, SELF_SD, MANAGER_SD = 0.35, 0.5, 0.3


def course_days(plan: Plan) -> np.ndarray:
    """The first day of each course; some lie ahead."""
    shares = np.array([course["starts"] for course in words()["courses"]])
    day = np.floor(shares * plan.n_days)
    return day - plan.weekday(day) + 1  # a Tuesday


def attended(plan: Plan, who: People) -> pd.DataFrame:
    """Who took which course, drawn by lot among those who were there: rep, course, day."""
    dice, rows = plan.dice("attendance"), []
    for code, (course, day) in enumerate(zip(words()["courses"], course_days(plan), strict=True)):
        is_here = (who.desk <= day) & ~(who.left <= day + 30)
        lot = dice.permutation(np.flatnonzero(is_here))
        done = day + np.ceil(course["hours"] / 4) + dice.integers(0, 10, len(lot))
        is_hired = who.hired[lot] <= day
        lot, done = lot[is_hired], done[is_hired]
        n = min(round(TAKEN_SHARE * len(lot)), course["seats"])
        rows.append(pd.DataFrame({"rep": lot[:n], "course": code, "day": done[:n]}))
    taken = pd.concat(rows, ignore_index=True)
    taken = taken[taken["day"] < plan.n_days]
    return taken.astype(int).sort_values(["day", "rep", "course"], ignore_index=True)


def lift(plan: Plan, taken: pd.DataFrame) -> np.ndarray:
    """Logit gained by courses: reps x stages x days."""
    gained = np.zeros((plan.reps, len(STAGES), plan.horizon))
    for rep, course, day in taken.to_numpy(int):
        gained[rep, leans(course), day:] += plan.course_effect * words()["courses"][course]["works"]
    return gained


def leans(course: int) -> list[int]:
    """The stages that lean on a course's skill."""
    skill = words()["courses"][course]["skill"]
    return [i for i, stage in enumerate(STAGES) if skill in SKILLS[stage]]


def courses_table(plan: Plan) -> pd.DataFrame:
    """The table `courses`; `lift` is what the seller of the course promises."""
    frame = pd.DataFrame(words()["courses"])
    goods = [good["name"] for good in words()["products"]]
    about = np.array([goods.index(p) if p in goods else -1 for p in frame["product"]])
    return pd.DataFrame(
        {
            "course_id": spelled(ids("C", len(frame))),
            "title": frame["title"].astype("str"),
            "skill": frame["skill"].astype("str"),
            "kind": frame["kind"].astype("str"),
            "product_id": spelled(product_ids(), about),
            **{name: frame[name].astype(float) for name in ("hours", "price", "seats")},
            "starts_on": dates(plan, course_days(plan)),
            "lift": frame["lift"].astype(float),
        }
    )


def attendance_table(plan: Plan, who: People, taken: pd.DataFrame) -> pd.DataFrame:
    """The table `attendance`; `score` is the test at the end, 0-1."""
    dice = plan.dice("tests")
    return pd.DataFrame(
        {
            "rep_id": spelled(who.rep_id, taken["rep"].to_numpy()),
            "course_id": spelled(ids("C", len(words()["courses"])), taken["course"].to_numpy()),
            "completed_on": dates(plan, taken["day"].to_numpy(float)),
            "score": np.round(dice.beta(8, 2.5, len(taken)), 2),
        }
    )


def assessments_table(
    plan: Plan, who: People, gained: np.ndarray, taken: pd.DataFrame
) -> pd.DataFrame:
    """The table `assessments`: manager and self twice a year, a certificate after a course."""
    dice = plan.dice("assessments")
    offsets = np.arange(45, plan.n_days, 182)
    grid = np.meshgrid(np.arange(plan.reps), offsets, np.arange(len(ALL_SKILLS)), indexing="ij")
    rep, day, skill = (axis.ravel() for axis in grid)
    rounds = pd.DataFrame({"rep": rep, "day": day, "skill": skill})
    skill_of = np.array([ALL_SKILLS.index(course["skill"]) for course in words()["courses"]])
    passed = taken[["rep", "day"]].assign(skill=skill_of[taken["course"]])
    rows = pd.concat([rounds.assign(by=0), rounds.assign(by=1), passed.assign(by=2)])
    rows["day"] += dice.integers(0, 12, len(rows)) * (rows["by"] < 2)
    is_here = (who.desk[rows["rep"]] + 30 <= rows["day"]) & ~(who.left[rows["rep"]] < rows["day"])
    rows = rows[is_here & (rows["day"] < plan.n_days)].sort_values(["day", "rep"], kind="stable")
    score = _score(plan, who, gained, rows, dice)
    is_hired = who.hired[rows["rep"].to_numpy()] + 30 <= rows["day"].to_numpy()
    table = pd.DataFrame(
        {
            "rep_id": spelled(who.rep_id, rows["rep"].to_numpy()),
            "skill": spelled(ALL_SKILLS, rows["skill"].to_numpy()),
            "assessed_on": dates(plan, rows["day"].to_numpy(float)),
            "score": score,
            "assessor": spelled(("manager", "self", "certification"), rows["by"].to_numpy()),
        }
    )
    return table[is_hired].reset_index(drop=True)


def _score(
    plan: Plan, who: People, gained: np.ndarray, rows: pd.DataFrame, dice: np.random.Generator
) -> np.ndarray:
    """Half points from 0 to 4: the skill that shows in selling, tenure, and the assessor's eye."""
    rep, day, skill, by = (rows[name].to_numpy() for name in ("rep", "day", "skill", "by"))
    stage_of = [next((i for i, s in enumerate(STAGES) if k in SKILLS[s]), -1) for k in ALL_SKILLS]
    stage = np.array(stage_of)[skill]
    sold = np.where(stage < 0, 0, who.shift[rep, stage] + gained[rep, stage, day])
    # Skills that no stage leans on differ between people too.
    other = dice.normal(0, 0.6, (plan.reps, len(ALL_SKILLS)))[rep, skill] * (stage < 0)
    years = np.minimum(who.months_in(rep, day) / 12, 4)
    seen = 2.1 + 0.2 * years + POINTS_PER_LOGIT * sold + other
    own_bias = dice.normal(SELF_BIAS, 0.25, plan.reps)[rep]
    noise = dice.normal(0, np.array([MANAGER_SD, SELF_SD, MANAGER_SD])[by])
    return np.clip(np.round(2 * (seen + (by == 1) * own_bias + noise)) / 2, 0, 4)


def onboarding_table(plan: Plan, who: People) -> pd.DataFrame:
    """The table `onboarding`: the tasks of everyone hired within the history."""
    dice, tasks = plan.dice("onboarding"), pd.DataFrame(words()["onboarding"])
    new = np.flatnonzero(who.hired >= 0)
    rep = np.repeat(new, len(tasks))
    task = np.tile(np.arange(len(tasks)), len(new))
    due = who.hired[rep] + tasks["day"].to_numpy()[task]
    pace = np.repeat(dice.normal(1, 6, len(new)), len(tasks))
    done = np.floor(np.maximum(due + pace + dice.normal(0, 5, len(rep)), who.hired[rep] + 1))
    is_done = (done < plan.n_days) & (dice.random(len(rep)) < 0.95)
    passed = pd.array(dice.random(len(rep)) < 0.88, dtype="boolean")
    passed[~is_done] = pd.NA
    return pd.DataFrame(
        {
            "rep_id": spelled(who.rep_id, rep),
            "task": spelled(list(tasks["task"]), task),
            "kind": spelled(list(tasks["kind"]), task),
            "due_on": dates(plan, due),
            "done_on": dates(plan, np.where(is_done, done, np.nan)),
            "is_passed": passed,
        }
    )
