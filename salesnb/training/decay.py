"""Refreshers: whether scores fade after a course, and who is due when."""

import pandas as pd
from matplotlib.axes import Axes
from scipy.special import ndtr

from salesnb import charts
from salesnb.finding import Finding
from salesnb.history import look_up
from salesnb.language import say, says
from salesnb.stage_model.shrink import tiers
from salesnb.team import Team
from salesnb.training.fading import YEAR, fades, interval, last_taught
from salesnb.units import number, span

MATERIAL = 0.1  # points a year: a quarter point in two and a half years
FIRM = ("act", "look")  # tiers separated from chance
LOST = 0.25  # points: half of the step in which scores are given
COLUMNS = ["rep_id", "skill", "last_on", "since_months", "fade", "fade_low", "fade_high"]
COLUMNS += ["n_reps", "is_fading", "due_on", "is_due"]
MONTHS = 12


def decay(team: Team) -> Finding:
    """Do skills fade after a course, and who is due for a refresher when?

    How much the same rep's scores fall a year once a course or a certificate lies behind,
    beyond what the rep's other skills gain or lose meanwhile; the skills shrunken towards their
    mean (DerSimonian and Laird 1986). A refresher is due when a quarter point is likely to be lost;
    where no fading is visible, nobody is due.

    Returns
    -------
    Finding
        One row per rep on the team and skill with a course or certificate, those due first:

        rep_id, skill
        last_on : day of the last course or certificate
        since_months : months since then
        fade, fade_low, fade_high : points lost a year, with 90 % interval; below 0: gained
        n_reps : reps of the team followed over two scores or more after a course on the skill
        is_fading : whether it is more than a tenth point a year, beyond chance (Newton et al. 2004)
        due_on : day of the refresher; blank where no fading is visible
        is_due : whether that day has come

    Raises
    ------
    DataError
        The team has no assessments, courses or attendance.
    """
    team.need("assessments", "courses", "attendance", why="training.decay")
    table, names = refreshers(team), team.names
    by_skill = table.drop_duplicates("skill").sort_values("skill", ignore_index=True)
    return Finding(
        _headline(table, by_skill),
        table,
        lambda ax: _draw(ax, by_skill),
        ask=(say("Which part of the course is still in use?"),) * bool(table["is_due"].any()),
        caveats=_caveats(by_skill),
        names=names,
    )


def refreshers(team: Team) -> pd.DataFrame:
    """The table of `training.decay`."""
    table = last_taught(team).merge(fades(team), on="skill", how="left")
    table["fade_low"], table["fade_high"] = interval(table["fade"], table["fade_sd"])
    table["n_reps"] = table["n_reps"].fillna(0).astype("int64")
    table["since_months"] = (team.as_of - table["last_on"]).dt.days * MONTHS / YEAR
    table["is_fading"] = _is_beyond_chance(table)
    days = (LOST / table["fade"]).where(table["is_fading"]) * YEAR
    due = table["last_on"] + pd.to_timedelta(days.round(), unit="D")
    table["due_on"] = due.dt.normalize().astype("datetime64[us]")
    table["is_due"] = table["due_on"] <= team.as_of
    order = ["is_due", "due_on", "last_on", "rep_id", "skill"]
    table = table.sort_values(order, ascending=[False, True, True, True, True], ignore_index=True)
    return table[COLUMNS]


def _is_beyond_chance(table: pd.DataFrame) -> pd.Series:
    """Whether each row's skill fades, by Bayesian false discovery rate over the skills."""
    skills = table.drop_duplicates("skill").set_index("skill")
    p = pd.Series(ndtr((skills["fade"] - MATERIAL) / skills["fade_sd"]), skills.index).fillna(0)
    found = tiers(p.to_numpy(), p.to_numpy() >= 0)
    return look_up(table["skill"], pd.Series(found, skills.index)).isin(FIRM)


def _headline(table: pd.DataFrame, by_skill: pd.DataFrame) -> str:
    if table.empty:
        return say("Nobody on the team has taken a course or a certificate yet.")
    told = by_skill.dropna(subset="fade")
    if told.empty:
        return say("Too few scores after courses to say whether skills fade.")
    fading = told[told["is_fading"]]
    if fading.empty:
        return say(
            "No fading is visible in {n} skills after their courses: no refresher is due for that.",
            n=number(len(told)),
        )
    skills = ", ".join(_points(row) for _, row in fading.iterrows())
    n = table.loc[table["is_due"], "rep_id"].nunique()
    due = say("nobody is due for a refresher")
    if n:
        due = says(
            "{n} rep is due for a refresher", "{n} reps are due for a refresher", n, n=number(n)
        )
    return say("Fading after the course: {skills}; {due}.", skills=skills, due=due)


def _points(row: pd.Series) -> str:
    return say(
        "{skill} by {points} ({ends}) points a year",
        skill=row["skill"],
        points=number(row["fade"], 1),
        ends=span(row["fade_low"], row["fade_high"], lambda value: number(value, 1)),
    )


def _caveats(by_skill: pd.DataFrame) -> tuple[str, ...]:
    if by_skill.empty:
        return ()
    said = [
        say("Scores fade in the eye of the manager; whether the skill does, the deals would tell.")
    ]
    if not by_skill["is_fading"].all():
        said.append(
            say("Where nothing is visible, skills may hold, or there are too few scores yet.")
        )
    return tuple(said)


def _draw(ax: Axes, by_skill: pd.DataFrame) -> Axes:
    rows = by_skill.dropna(subset="fade")
    if rows.empty:
        return charts.nothing_to_draw(ax, say("Too few scores after courses"))
    ends = rows["fade_low"], rows["fade_high"]
    lost = charts.Points(say("points lost a year"), rows["fade"], *ends)
    charts.dumbbell(ax, rows["skill"].to_list(), lost, is_rate=False)
    ax.axvline(0, color=charts.MUTED, linewidth=0.8)
    return ax
