"""Ride-alongs as a file that any calendar reads."""

import hashlib
import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
from icalendar import Calendar, Event

from salesnb.team import Team

BEGINS, LASTS = time(9), timedelta(hours=3)  # in the team's time zone
UTC = ZoneInfo("UTC")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def ics(visits: pd.DataFrame, team: Team) -> bytes:
    """The visits with a day, as iCalendar (RFC 5545): a morning each, from 9 to 12 o'clock.

    Times are in UTC, which every calendar shows in its own zone. A visit keeps its UID until it
    has been held, so that importing a later plan moves it; SEQUENCE counts the days of the plans.

    Parameters
    ----------
    visits : the table of `coaching.ride_alongs`
    """
    calendar = Calendar()
    calendar.add("prodid", "-//salesnb//ride-alongs//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    for _, visit in visits.dropna(subset="planned_on").iterrows():
        calendar.add_component(_event(visit, team))
    return calendar.to_ical()


def _event(visit: pd.Series, team: Team) -> Event:
    begins = datetime.combine(visit["planned_on"].date(), BEGINS, ZoneInfo(team.settings.timezone))
    event = Event()
    event.add("uid", _uid(visit, team))
    event.add("dtstamp", team.as_of.to_pydatetime().replace(tzinfo=UTC))
    event.add("sequence", (team.as_of - pd.Timestamp(0)).days)
    event.add("dtstart", begins.astimezone(UTC))
    event.add("dtend", (begins + LASTS).astimezone(UTC))
    event.add("summary", _line(f"Ride-along: {team.names[visit['rep_id']]}"))
    if pd.notna(visit["region"]):
        event.add("location", _line(visit["region"]))
    return event


def _line(words: str) -> str:
    """Words on one line: control characters have no place in a calendar (RFC 5545, 3.3.11)."""
    return " ".join(CONTROL.sub(" ", words).split())


def _uid(visit: pd.Series, team: Team) -> str:
    """The same for the same rep until the next visit has been held."""
    since = "" if pd.isna(visit["last_on"]) else str(visit["last_on"].date())
    said = "\n".join([team.settings.name, visit["rep_id"], since])
    return f"{hashlib.sha256(said.encode()).hexdigest()[:24]}@salesnb"
