"""One rep's own plan: what comes easily, what to learn next, and the course for it."""

import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts, standout, units
from salesnb.finding import Finding
from salesnb.language import say
from salesnb.team import Team
from salesnb.training import scores
from salesnb.training.needs import MOST, needs
from salesnb.training.wishes import wishes
from salesnb.units import number, span

STRONG, TO_GROW = 2, 3  # rows of each kind
COLUMNS = {"skill": "str", "kind": "str", "score": "float64", "score_low": "float64"}
COLUMNS |= {"score_high": "float64", "self_score": "float64", "target": "float64"}
COLUMNS |= {"title": "str", "starts_on": "datetime64[us]"}


def next_for(team: Team, rep: str) -> Finding:
    """What does this rep do well, and which course comes next?

    Strengths first; then the skills furthest below the target, those more likely than not to be
    more than half a point below it, with the course that can be expected to add most in the next
    four quarters.

    Returns
    -------
    Finding
        At most five rows:

        skill
        kind : ``strength`` or ``next``
        score, score_low, score_high : level, 0-4, on the manager's scale, with 90 % interval
        self_score : mean of the rep's own scores
        target : the level aimed at, 0-4
        title : the course, of what comes next
        starts_on : its day; blank where one has to be arranged

    Raises
    ------
    DataError
        The team has no assessments, or there is no such rep.
    """
    team.need("assessments", why="a look at skills and courses")
    seen = standout.of(team, rep)
    found = needs(team)
    table = _table(team, found[found["rep_id"] == seen.rep_id], seen.rep_id)
    return Finding(
        f"{seen.name}: {_in_words(table)}",
        table,
        lambda ax: _draw(ax, table),
        ask=(say("What would you like to be known for a year from now?"),) * (len(table) > 0),
    )


def _table(team: Team, own: pd.DataFrame, rep_id: str) -> pd.DataFrame:
    by = own.sort_values(["score", "skill"], ascending=[False, True])
    lacking = by[by["gap_probability"] >= MOST]
    strong = by[by["gap_probability"] < MOST].head(STRONG).assign(kind="strength")
    course = _courses(team, rep_id) if team.has("courses") and len(own) else None
    table = pd.concat([strong, lacking[::-1].head(TO_GROW).assign(kind="next")])
    if course is not None:
        table = table.merge(course, on="skill", how="left")
        is_next = table["kind"] == "next"
        table["title"] = table["title"].where(is_next)
        table["starts_on"] = table["starts_on"].where(is_next)
    table = table.reindex(columns=[*COLUMNS])
    table["title"] = table["title"].astype("str").fillna("")
    return table.astype(COLUMNS).reset_index(drop=True)


def _courses(team: Team, rep_id: str) -> pd.DataFrame:
    """The course that could add most to each skill: skill, title, starts_on (ahead)."""
    wished = wishes(team)
    places = wished.places
    places = places[(places["rep_id"] == rep_id) & places["is_wanted"]]
    order = ["gain", "quarter_on", "course_id"]
    places = places.sort_values(order, ascending=[False, True, True]).drop_duplicates("skill")
    found = places[["skill", "course_id"]].merge(
        wished.courses[["course_id", "title", "starts_on"]], on="course_id"
    )
    found["starts_on"] = found["starts_on"].where(found["starts_on"] > team.as_of)
    return found[["skill", "title", "starts_on"]]


def _in_words(table: pd.DataFrame) -> str:
    if table.empty:
        return say("no skill has been assessed yet.")
    strong, coming = (table[table["kind"] == kind] for kind in ("strength", "next"))
    said = []
    if len(strong):
        said.append(say("strongest in {skill}", skill=_level(strong.iloc[0])))
    if coming.empty:
        return say("{strength}; nothing else stands out, so choose by interest.", strength=said[0])
    target = number(coming["target"].iloc[0], 1)
    next_skill = _level(coming.iloc[0])
    said.append(say("next {skill}, aiming at {target}", skill=next_skill, target=target))
    return f"{'; '.join(said)}{_course(coming)}."


def _course(coming: pd.DataFrame) -> str:
    """The first course among what comes next."""
    with_course = coming[coming["title"] != ""]
    if with_course.empty:
        return say("; no course on offer fits")
    first = with_course.iloc[0]
    day = first["starts_on"]
    when = say("day to be arranged")
    if pd.notna(day):
        when = say("from {day}", day=units.day(day))
    skill, title = first["skill"], first["title"]
    return say("; course for {skill}: {title} ({when})", skill=skill, title=title, when=when)


def _level(row: pd.Series) -> str:
    ends = span(row["score_low"], row["score_high"], lambda value: number(value, 1))
    level = number(row["score"], 1)
    return say("{skill} at {level} ({ends})", skill=row["skill"], level=level, ends=ends)


def _draw(ax: Axes, table: pd.DataFrame) -> Axes:
    if table.empty:
        return charts.nothing_to_draw(ax, say("Nothing assessed yet"))
    seen = charts.Points(say("level"), table["score"], table["score_low"], table["score_high"])
    own = charts.Points(say("own view"), table["self_score"], None, None, charts.MUTED, "s")
    charts.dumbbell(ax, table["skill"].to_list(), seen, own, is_rate=False)
    ax.axvline(table["target"].iloc[0], color=charts.MUTED, linewidth=1, linestyle="--")
    ax.set_xlim(scores.LOWEST, scores.HIGHEST + 0.1)
    return ax
