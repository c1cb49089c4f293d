"""The files of the coming ride-alongs: a calendar, and an observation sheet for each visit."""

from pathlib import Path

import pandas as pd
from babel.dates import format_date

from salesnb import __version__, coaching, door, units
from salesnb.dataset import load
from salesnb.exercise_bank import MOMENTS
from salesnb.finding import Finding
from salesnb.language import locale, say, to_say
from salesnb.report import calendar
from salesnb.report.files import safe_names, write_whole
from salesnb.report.page import template
from salesnb.team import Team

CALENDAR, SHEETS = "ride_alongs.ics", "ride_alongs"


def write(
    source: str | Path,
    output: str | Path = "reports",
    *,
    per_year: int = 2,
    weeks: int = 8,
    per_week: int = 2,
    away: str = "",
) -> str:
    """Write ``<as_of>/ride_alongs.ics`` and ``<as_of>/ride_alongs/<rep>.html``.

    Returns what was planned, in words. For the options see `coaching.ride_alongs`, whose errors
    are raised before anything is written.
    """
    team, name = load(source), door.name(door.located(source))
    found = coaching.ride_alongs(team, per_year=per_year, weeks=weeks, per_week=per_week, away=away)
    folder = Path(output) / str(team.as_of.date())
    visits = found.table.dropna(subset="planned_on")
    files = safe_names([*team.reps["rep_id"]])
    for _, visit in visits.iterrows():
        path = folder / SHEETS / f"{files[visit['rep_id']]}.html"
        write_whole(path, sheet(team, visit, name))
    path = write_whole(folder / CALENDAR, calendar.ics(visits, team))
    return _in_words(found, visits, team, path)


def sheet(team: Team, visit: pd.Series, source: str = "") -> str:
    """The observation sheet of a visit as one HTML page, to be printed and written on."""
    rep = visit["rep_id"]
    seen = coaching.observation(team, rep)
    rows = {
        moment: seen.table[seen.table["moment"] == moment].to_dict("records") for moment in MOMENTS
    }
    return template("observation.html.j2").render(
        name=team.names[rep],
        team=team.settings.name,
        day=units.day(visit["planned_on"]),
        region="" if pd.isna(visit["region"]) else visit["region"],
        last="" if pd.isna(visit["last_on"]) else units.day(visit["last_on"]),
        headline=seen.headline.removeprefix(f"{team.reps.set_index('rep_id')['name'][rep]}: "),
        rows=rows,
        ask=seen.ask,
        facts={
            to_say("Data"): f"{source}, {team.fingerprint}",
            to_say("As of"): units.day(team.as_of),
            "salesnb": __version__,
        },
    )


def _in_words(found: Finding, visits: pd.DataFrame, team: Team, path: Path) -> str:
    """The headline, a line for each visit, what was left out, and the file."""
    days = visits["planned_on"].map(_with_weekday).astype("str")
    who = visits["rep_id"].map(team.names).astype("str")
    lines = [*(days + "  " + who + ", " + visits["status"].map(say))]
    return "\n".join([found.headline, *lines, *found.caveats, str(path)])


def _with_weekday(day: pd.Timestamp) -> str:
    return f"{day.date()} {format_date(day, 'EEE', locale=locale())}"
