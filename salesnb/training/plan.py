"""The training plan: which course for whom and when, under budget, hours and seats."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts
from salesnb.errors import DataError
from salesnb.finding import Finding
from salesnb.history import look_up
from salesnb.language import say, says
from salesnb.team import Team
from salesnb.training import timetable
from salesnb.training.gaps import slanted
from salesnb.training.needs import LOST, members, needs
from salesnb.training.wishes import LEAST, Wishes, wishes
from salesnb.units import money, number, percent

SHOWN = ["rep_id", "title", "skill", "quarter_on", "starts_on", "hours", "cost_amount", "gain"]
SHOWN += ["is_for_all", "yearly_lost_amount"]
DRAWS = 20  # of a sign-up by lot
ROWS, MARKS = 30, "os^vDPX*"  # names that fit a picture; quarters in turn
COLUMNS = {"rep_id": "str", "course_id": "str", "title": "str", "skill": "str"}
COLUMNS |= {"quarter_on": "datetime64[us]", "starts_on": "datetime64[us]", "hours": "float64"}
COLUMNS |= {"cost_amount": "float64", "gain": "float64", "is_for_all": "bool"}
COLUMNS |= dict.fromkeys(LOST, "float64")


class Way(NamedTuple):
    """A way to fill courses: how many places, points of score expected, value, cost, hours."""

    name: str
    places: float
    gain: float
    value: float
    cost: float
    hours: float


def plan(
    team: Team, *, budget: float | None = None, hours_per_rep: float = 16.0, quarters: int = 2
) -> Finding:
    """Which course for whom and when, under budget, seats and hours?

    Somebody is sent where a gap or a leak is more likely than not, and to nothing that was taken
    already unless a refresher is due. A place is worth the points of score it can be expected to
    add, never more than the gap; a gap at which deals of an average loss are lost counts twice.
    What a course adds is its promise times what the team's courses kept of theirs, drawn to what
    was seen of this one; one shown not to work adds nothing. What most of the team lacks becomes
    one session for all, where that is cheaper. The best places are found by integer programming
    (Kellerer, Pferschy and Pisinger 2004); how much better they are than a sign-up by lot is in
    ``docs/training_accuracy.md``.

    Parameters
    ----------
    budget : team currency, for all quarters; by default none
    hours_per_rep : most hours of courses in a quarter
    quarters : how many calendar quarters ahead

    Returns
    -------
    Finding
        One row per place, by quarter, course and rep:

        rep_id, course_id, title, skill
        quarter_on : first day of the quarter in which to take it
        starts_on : its day; blank where it was held before and a day has to be arranged
        hours
        cost_amount : team currency; of a session for all, each one's part of a full room
        gain : points of score to be expected, 0-4
        is_for_all : one session for everybody who lacks the skill
        yearly_lost_amount, yearly_lost_amount_low, yearly_lost_amount_high : what is lost a year
            at the stages that lean on the skill, as in `training.gaps`; not what the course brings

    Raises
    ------
    DataError
        The team has no assessments or courses; a limit is below 0, or there is no quarter.
    """
    team.need("assessments", "courses", why="training.plan")
    for name, value in (("budget", budget or 0), ("hours_per_rep", hours_per_rep)):
        if not value >= 0:
            raise DataError(f"{name} must not be below 0, not {value!r}.")
    if not 1 <= quarters <= 8:
        raise DataError(f"quarters must lie between 1 and 8, not {quarters!r}.")
    wished, most = wishes(team, quarters), np.inf if budget is None else float(budget)
    wanted = wished.places[wished.places["is_wanted"]].reset_index(drop=True)
    offer = wished.offer(wanted, most, hours_per_rep)
    offer, chosen = timetable.best(offer, wished.for_all(offer, wanted))
    table = _table(team, wished, wanted, offer, chosen)
    ways = (
        _way("this plan", offer, wanted, chosen),
        _by_lot(wished, most, hours_per_rep, int(chosen.sum())),
        _everything(wished),
    )
    return Finding(
        _headline(team, table, wanted, ways),
        table,
        lambda ax: _draw(ax, table, team.names),
        ask=(say("What would each of them have to leave aside for these hours?"),)
        * (len(table) > 0),
        caveats=_caveats(team, wished, table),
        currency=team.currency,
        names=team.names,
        shown=SHOWN,
    )


def _table(
    team: Team,
    wished: Wishes,
    wanted: pd.DataFrame,
    offer: timetable.Offer,
    chosen: np.ndarray,
) -> pd.DataFrame:
    """The places chosen, for people."""
    table, session = wanted[chosen].copy(), offer.session[chosen]
    courses = wished.courses.set_index("course_id")
    for name in ("title", "starts_on", "hours"):
        table[name] = look_up(table["course_id"], courses[name])
    table["starts_on"] = table["starts_on"].where(table["starts_on"] > team.as_of)
    is_all = offer.for_all.ravel()[session]
    course = offer.course[chosen]
    shared = (offer.price * np.nan_to_num(offer.seats, posinf=0))[course]
    part = shared / np.maximum(offer.taken(chosen)[session], 1)
    table["cost_amount"] = np.where(is_all, part, offer.prices[session])
    table["is_for_all"] = is_all
    table = table.sort_values(["quarter_on", "course_id", "rep_id"], ignore_index=True)
    return table.reindex(columns=[*COLUMNS]).astype(COLUMNS)


def _way(name: str, offer: timetable.Offer, places: pd.DataFrame, chosen: np.ndarray) -> Way:
    taken = places[chosen]
    hours = float(offer.hours[offer.course[chosen]].sum())
    gain, value = float(taken["gain"].sum()), float(taken["value"].sum())
    return Way(name, float(chosen.sum()), gain, value, offer.cost(chosen), hours)


def _by_lot(wished: Wishes, budget: float, hours_per_rep: float, most: int) -> Way:
    """As many places drawn by lot under the same limits, on average."""
    every = wished.places
    offer, dice = wished.offer(every, budget, hours_per_rep), np.random.default_rng(0)
    drawn = [
        _way("", offer, every, timetable.in_turn(offer, dice.permutation(len(every)), most))
        for _ in range(DRAWS)
    ]
    places, gain, value, cost, hours = np.mean([way[1:] for way in drawn], axis=0)
    return Way("sign-up by lot", places, gain, value, cost, hours)


def _everything(wished: Wishes) -> Way:
    """Every rep in every course, once, whatever it costs."""
    once = wished.places.drop_duplicates(["rep_id", "course_id"])
    best = once.sort_values("value").drop_duplicates(["rep_id", "skill"], keep="last")
    courses = wished.courses.set_index("course_id")
    cost, hours = (look_up(once["course_id"], courses[name]).sum() for name in ("price", "hours"))
    gain, value = best["gain"].sum(), best["value"].sum()
    return Way("everyone to everything", len(once), gain, value, float(cost), float(hours))


def _headline(team: Team, table: pd.DataFrame, wanted: pd.DataFrame, ways: tuple[Way, ...]) -> str:
    ours, lot, every = ways
    if table.empty:
        if needs(team).empty:
            return say("Nobody's skills are assessed, so no course can be given to anybody.")
        if len(wanted):
            return say("No course for anybody: no place fits the limits.")
        return say("No course for anybody: no likely gap has a course.")
    n, reps, courses = len(table), table["rep_id"].nunique(), table["course_id"].nunique()
    said = say(
        "{places} for {reps} in {courses}, {cost} and {hours} hours.",
        places=says("{n} place", "{n} places", n, n=number(n)),
        reps=_reps(reps),
        courses=says("{n} course", "{n} courses", courses, n=number(courses)),
        cost=money(ours.cost, team.currency),
        hours=number(ours.hours),
    )
    other_ways = say(
        "As many places by lot would bring {share} of what it brings; everyone to everything "
        "{times} times as much for {cost} and {hours} hours.",
        share=percent(lot.value / ours.value),
        times=number(every.value / ours.value, 1),
        cost=money(every.cost, team.currency),
        hours=number(every.hours),
    )
    return f"{said} {other_ways}{_for_all(table)}"


def _for_all(table: pd.DataFrame) -> str:
    titles = table.loc[table["is_for_all"], "title"].drop_duplicates()
    if titles.empty:
        return ""
    titles = ", ".join(titles)
    return " " + say("Most of the team lacks it, so one session for all: {titles}.", titles=titles)


def _reps(n: int) -> str:
    return says("{n} rep", "{n} reps", n, n=number(n))


def _caveats(team: Team, wished: Wishes, table: pd.DataFrame) -> tuple[str, ...]:
    said = [say("Gains are expectations from scores, not promises; see whether courses worked.")]
    courses = wished.courses
    useless = courses.loc[courses["expected_lift"] < LEAST, "title"]
    if len(useless):
        said.append(
            say(
                "Left out, as next to nothing can be expected of them so far: {titles}.",
                titles=", ".join(useless),
            )
        )
    if len(table) and table["starts_on"].isna().any():
        said.append(
            say("A course without a day was held before: whether and when has to be arranged.")
        )
    if courses["price"].isna().any():
        said.append(say("A course without a price counts as free."))
    if table["is_for_all"].any():
        said.append(
            say("A session for all is reckoned at the price of a full room; ask for an offer.")
        )
    missing = len(members(team)) - needs(team)["rep_id"].nunique()
    if missing:
        said.append(say("Not assessed and so not in the plan: {reps}.", reps=_reps(missing)))
    return tuple(said)


def _draw(ax: Axes, table: pd.DataFrame, names: Mapping[str, str]) -> Axes:
    """Who sits in which course, and in which quarter."""
    if table.empty:
        return charts.nothing_to_draw(ax, say("No places"))
    who = [*dict.fromkeys(table["rep_id"].sort_values())][:ROWS]
    what = table.drop_duplicates("course_id").sort_values("course_id")
    marks, place = [], dict(zip(what["course_id"], range(len(what)), strict=True))
    shown = table[table["rep_id"].isin(who)]
    quarters = shown["quarter_on"].dt.to_period("Q").astype("str")
    for turn, quarter in enumerate(sorted({*quarters})):
        rows = shown[quarters == quarter]
        places = [
            (who.index(rep), place[course])
            for rep, course in zip(rows["rep_id"], rows["course_id"], strict=True)
        ]
        colour = charts.ACCENT if turn == 0 else charts.MUTED
        marks.append(charts.Mark(quarter, MARKS[turn % len(MARKS)], colour, places))
    return slanted(charts.mark_grid(ax, [names[r] for r in who], [*what["title"]], *marks))
