"""The offer of courses against what the team needs."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts
from salesnb.finding import Finding
from salesnb.language import say, to_say
from salesnb.team import Team
from salesnb.training.lifts import lifts
from salesnb.training.needs import by_skill, needs, stages_of
from salesnb.training.wishes import LEAST
from salesnb.units import capital, money, number

COLUMNS = {"skill": "str", "status": "str", "n_reps": "int64", "n_below": "int64"}
COLUMNS |= {"gap": "float64", "yearly_lost_amount": "float64", "stages": "str"}
COLUMNS |= {"n_courses": "int64", "n_useful": "int64", "courses": "str"}
SHOWN = ["skill", "status", "n_reps", "n_below", "gap", "yearly_lost_amount", "stages"]
SHOWN += ["n_useful", "courses"]
LACKING = to_say("lacking and not taught: {skills}")
LITTLE = to_say("taught by courses of which little can be expected so far: {skills}")
STATUS = ("no course", "nothing useful", "nobody needs it", "not assessed", "")


def offer_gaps(team: Team) -> Finding:
    """Which skills does the team lack that no course teaches, and which courses does nobody need?

    A rep lacks a skill where a gap of more than half a point is more likely than not, as in
    `training.gaps`. A course is useful where it can be expected to add a twentieth of a point or
    more, as in `training.plan`.

    Returns
    -------
    Finding
        One row per skill that is assessed, taught or leant on by a stage, what needs a decision
        first:

        skill
        status : ``no course``, ``nothing useful`` (somebody lacks it), ``nobody needs it``
            (a course does), ``not assessed``, or empty
        n_reps, n_below : reps assessed; of these likely to lack it
        gap : mean of the gaps, in points; below 0: above the target
        yearly_lost_amount : team currency; what those who lack it lose a year at its stages
        stages : the stages that lean on it
        n_courses, n_useful : courses on it; of these useful
        courses : their titles

    Raises
    ------
    DataError
        The team has no assessments or courses.
    """
    team.need("assessments", "courses", why="training.offer_gaps")
    table = _table(team)
    return Finding(
        _headline(team, table),
        table,
        lambda ax: _draw(ax, table),
        ask=_ask(table),
        currency=team.currency,
        shown=SHOWN,
    )


def _table(team: Team) -> pd.DataFrame:
    courses, leaning = lifts(team).copy(), stages_of(team)
    courses["is_useful"] = courses["expected_lift"] >= LEAST
    taught = courses.groupby("skill").agg(
        n_courses=("course_id", "size"),
        n_useful=("is_useful", "sum"),
        courses=("title", ", ".join),
    )
    lacking = by_skill(needs(team)).set_index("skill")
    skills = sorted({*lacking.index, *taught.index, *leaning})
    table = lacking.reindex(skills).join(taught)
    counts = ["n_reps", "n_below", "n_courses", "n_useful"]
    table[counts] = table[counts].astype("float64").fillna(0)
    table["courses"] = table["courses"].astype("str").fillna("")
    table["stages"] = [", ".join(leaning.get(skill, ())) for skill in skills]
    table["status"] = np.select(
        [
            table["n_reps"] == 0,
            (table["n_below"] > 0) & (table["n_courses"] == 0),
            (table["n_below"] > 0) & (table["n_useful"] == 0),
            (table["n_below"] == 0) & (table["n_courses"] > 0),
        ],
        ["not assessed", "no course", "nothing useful", "nobody needs it"],
        default="",
    )
    rank = table["status"].map({status: place for place, status in enumerate(STATUS)})
    table = table.assign(rank=rank).rename_axis("skill").reset_index()
    table = table.sort_values(["rank", "n_below", "skill"], ascending=[True, False, True])
    return table.reset_index(drop=True).reindex(columns=[*COLUMNS]).astype(COLUMNS)


def _headline(team: Team, table: pd.DataFrame) -> str:
    if table.empty:
        return say("No skill is assessed and no course is on offer.")
    parts = []
    for status, words in (
        ("no course", LACKING),
        ("nothing useful", LITTLE),
    ):
        rows = table[table["status"] == status]
        named = ", ".join(f"{row['skill']} ({_who(team, row)})" for _, row in rows.iterrows())
        parts += [say(words, skills=named)] if named else []
    spare = ", ".join(table.loc[table["status"] == "nobody needs it", "skill"])
    parts += [say("taught though nobody lacks it: {skills}", skills=spare)] if spare else []
    if not parts:
        return say(
            "Every skill that somebody lacks has a course, and every course somebody for it."
        )
    return f"{capital('; '.join(parts))}."


def _who(team: Team, row: pd.Series) -> str:
    n_below, n, lost = number(row["n_below"]), number(row["n_reps"]), row["yearly_lost_amount"]
    said = say("{n_below} of {n} reps", n_below=n_below, n=n)
    if not lost > 0:
        return said
    return said + say(", about {amount} a year", amount=money(lost, team.currency))


def _ask(table: pd.DataFrame) -> tuple[str, ...]:
    is_open = table["status"].isin(STATUS[:2])
    return (say("Who on the team is good at this and could teach it?"),) * bool(is_open.any())


def _draw(ax: Axes, table: pd.DataFrame) -> Axes:
    """How many lack each skill, beside how many courses teach it."""
    rows = table[(table["n_below"] > 0) | (table["n_courses"] > 0)]
    if rows.empty:
        return charts.nothing_to_draw(ax)
    below = charts.Points(say("reps who lack it"), rows["n_below"])
    useful = charts.Points(say("useful courses"), rows["n_useful"], None, None, charts.WARN, "s")
    charts.dumbbell(ax, rows["skill"].to_list(), below, useful, is_rate=False)
    ax.set_xlim(left=-0.3)
    return ax
