"""Did the course work: deals and scores of those who took it, beside those who did not."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts
from salesnb.finding import Finding
from salesnb.language import say, to_say
from salesnb.team import Team
from salesnb.training.compared import Compared, by_course, completed
from salesnb.training.needs import spelled
from salesnb.units import capital, number

SHOWN = ["title", "evidence", "answer", "n_attended", "n_compared", "n_deals", "effect"]
SHOWN += ["naive_change", "n_more_deals", "score_effect"]
ENDS = ("", "_low", "_high")
COLUMNS = {"course_id": "str", "title": "str", "skill": "str", "evidence": "str", "answer": "str"}
COLUMNS |= dict.fromkeys(["n_attended", "n_compared", "n_deals"], "int64")
COLUMNS |= dict.fromkeys(["earlier_rate", "later_rate", "naive_change"], "float64")
COLUMNS |= {f"effect{end}": "float64" for end in ENDS}
COLUMNS |= {"n_more_deals": "float64", "score_change": "float64"}
COLUMNS |= {f"score_effect{end}": "float64" for end in ENDS}
WORDS = {
    "yes": to_say("it worked: {which}"),
    "no": to_say("too little to be worth it: {which}"),
    "cannot_tell": to_say("cannot tell yet: {which}"),
    "": to_say("too few to compare: {which}"),
}
CAVEATS = (
    to_say(
        "The naive change of those who attended misleads: who is sent because a number is low sees "
        "it come back by itself, and some months are better for everybody. The effect is what is "
        "seen beyond what their earlier quarters and the others' deals let expect."
    ),
    to_say("Of twenty courses without any effect about one would read yes."),
    to_say("A manager who scores knows who attended; deals do not."),
)


def effect(team: Team) -> Finding:
    """Did the courses work, in deals and in scores?

    In deals: every deal at the stages that lean on the skill is set against what the typical rep
    makes of the same deal, and every rep who took the course against what all their earlier
    quarters, and the same quarters of those who took none, let expect; other courses at these
    stages are taken into account (`salesnb.trials`, `salesnb.drift`: one likelihood, as for
    coaching). Where no stage leans on the skill, or too few deals tell, the manager's scores a
    year before and after answer, beside others whose scores were alike before. How often it errs:
    ``docs/training_accuracy.md``.

    Returns
    -------
    Finding
        One row per course that somebody completed, in order of its id:

        course_id, title, skill
        evidence : ``deals`` or ``scores``, what the answer rests on; empty where nothing could be
            compared
        answer : ``yes`` (the whole interval lies above 0); ``no`` (it lies below 3 points of
            rate, or a quarter point of score); ``cannot_tell``; empty where too few can be
            compared: in deals two who took it and three others, in scores four on either side
        n_attended, n_compared : reps who completed it; reps who did not and are compared
        n_deals : deals of those who attended that entered the stages since
        earlier_rate, later_rate : share of their deals that went on, in the 91 days before and
            since
        naive_change : the difference of the two
        effect, effect_low, effect_high : difference made, in points of rate, 90 % interval
        n_more_deals : about how many more of those who attended until the interval is 3 points
            on each side; blank when the answer is yes or no
        score_change : of those who attended, in points
        score_effect, score_effect_low, score_effect_high : difference made, 90 % interval

    Raises
    ------
    DataError
        The team has no courses or no attendance.
    """
    team.need("courses", "attendance", why="training.effect")
    found = by_course(team)
    names = team.courses.drop_duplicates("course_id").set_index("course_id")["title"]
    taken = completed(team).groupby("course_id")["rep_id"].nunique()
    skill = team.courses.drop_duplicates("course_id").set_index("course_id")["skill"]
    skill = spelled(team, skill)
    rows = [
        {"course_id": course, "title": names[course], "skill": skill[course]}
        | {"n_attended": taken[course]}
        | _row(seen)
        for course, seen in sorted(found.items())
    ]
    table = pd.DataFrame(rows, columns=[*COLUMNS]).astype(COLUMNS)
    return Finding(
        _headline(table),
        table,
        lambda ax: _draw(ax, table),
        ask=_ask(table),
        caveats=(*map(say, CAVEATS), *_caveats(team, table)),
        currency=team.currency,
        shown=SHOWN,
    )


def _row(seen: Compared) -> dict[str, int | float | str]:
    evidence, answer = seen.answer
    deals = {"n_others": 0, "n_deals": 0, **seen.deals}
    earlier, later = deals.get("earlier_rate", np.nan), deals.get("later_rate", np.nan)
    return {
        **deals,
        "evidence": evidence,
        "answer": answer,
        "n_compared": seen.n_scored_others if evidence == "scores" else deals["n_others"],
        "naive_change": float(later) - float(earlier),
        "score_change": seen.score_change,
        **dict(zip((f"score_effect{end}" for end in ENDS), seen.scores[:3], strict=True)),
    }


def _headline(table: pd.DataFrame) -> str:
    if table.empty:
        return say("Nobody has completed a course yet.")
    told = table[table["answer"] != ""]
    if told.empty:
        return say("Too few people on either side to say of any course whether it worked.")
    parts = []
    for answer, words in WORDS.items():
        rows = table[table["answer"] == answer]
        titles = ", ".join(rows["title"]) if answer in ("yes", "no") else number(len(rows))
        parts += [say(words, which=titles)] if len(rows) else []
    answers, n = capital("; ".join(parts)), number(len(table))
    said = say("Did {n} courses work? {answers}.", n=n, answers=answers)
    more = told["n_more_deals"].min()
    if not more > 0:
        return said
    nearest = say("The nearest needs about {n} more deals.", n=number(round(more, -1)))
    return f"{said} {nearest}"


def _ask(table: pd.DataFrame) -> tuple[str, ...]:
    asked = []
    if (table["answer"] == "yes").any():
        asked.append(say("What of it do those who went use in their deals?"))
    if (table["answer"] == "no").any():
        asked.append(say("What would have to change so that something of it reaches the deals?"))
    if (table["answer"] == "cannot_tell").any():
        asked.append(say("Could the next course start with half of those on the list, by lot?"))
    return tuple(asked)


def _caveats(team: Team, table: pd.DataFrame) -> tuple[str, ...]:
    if table.empty:
        return ()
    said = []
    if not team.has("stage_changes") or not team.settings.is_dated:
        said.append(say("Without a dated history of stages only scores can tell."))
    if (table["evidence"] == "scores").any():
        said.append(
            say("Where no stage leans on the skill, or too few deals were decided, scores answer.")
        )
    if (table["answer"] == "").any():
        said.append(
            say(
                "No answer where too few can be compared: two who went and three others for deals, "
                "four and four for scores."
            )
        )
    return tuple(said)


def _draw(ax: Axes, table: pd.DataFrame) -> Axes:
    """The effect on deals with its interval, beside the naive change."""
    rows = table.dropna(subset="effect")
    if rows.empty:
        return charts.nothing_to_draw(ax, say("Too few deals on either side"))
    effect, low, high = (100 * rows[f"effect{end}"] for end in ENDS)
    made = charts.Points(say("effect"), effect, low, high)
    change = 100 * rows["naive_change"]
    naive = charts.Points(say("naive change"), change, None, None, charts.MUTED, "s")
    charts.dumbbell(ax, rows["title"].to_list(), made, naive, is_rate=False)
    ax.axvline(0, color=charts.MUTED, linewidth=0.8)
    ax.set_xlabel(say("points of the share of deals that go on"))
    return ax
