"""The files of the coming ride-alongs: a calendar that calendars read, a sheet for one page."""

import re
import shutil
from datetime import UTC, datetime

import pandas as pd
import pytest
from handmade import AS_OF, REPS, deal, team_of
from icalendar import Calendar
from playwright.sync_api import sync_playwright
from test_browser import FLAGS
from test_display import HOSTILE
from typer.testing import CliRunner

import salesnb
from salesnb import DataError, coaching
from salesnb.cli import app
from salesnb.report import calendar, ride_alongs

DEALS = [deal(f"D{n}", "R1", "2026-01-05", "Demo", "lost", amount=9_000) for n in range(3)]


def team_with(*rides, zone="Europe/Budapest", names=(), as_of=AS_OF):
    """A team whose log holds these ride-alongs: (rep, day)."""
    log = pd.DataFrame(rides, columns=["rep_id", "held_on"])
    log["session_id"] = [f"S{n}" for n in range(len(log))]
    reps = pd.DataFrame({"rep_id": [*REPS], "name": [*REPS.values()], "region": "Nord; Ost, \\ä"})
    reps.loc[: len(names) - 1, "name"] = list(names) if names else reps["name"].head(0)
    made = team_of(DEALS, as_of=as_of, reps=reps, coaching=log.assign(kind="ride_along"))
    tables = dict(made.tables)
    settings = salesnb.team.Settings(as_of=as_of, timezone=zone, stages=made.stages, name="Süd")
    return salesnb.Team(settings, tables)


def events(team, **options):
    table = coaching.ride_alongs(team, **options).table
    written = calendar.ics(table, team)
    return table, written, Calendar.from_ical(written).walk("VEVENT")


OVERDUE = [(rep, "2025-01-10") for rep in REPS]


def test_every_visit_is_a_morning_in_the_teams_zone():
    table, written, found = events(team_with(*OVERDUE))
    assert len(found) == table["planned_on"].notna().sum() == 5
    for event, day in zip(found, table["planned_on"], strict=True):
        begins = event.decoded("dtstart")
        assert begins == datetime(day.year, day.month, day.day, 7, tzinfo=UTC)  # 9 in summer
        assert (event.decoded("dtend") - begins).total_seconds() == 3 * 3600
        assert event.decoded("dtstamp") == datetime(2026, 6, 30, tzinfo=UTC)
    lines = written.split(b"\r\n")
    assert b"\n" not in b"".join(lines)
    assert all(len(line) <= 75 for line in lines)


@pytest.mark.parametrize(
    ("zone", "hour"), [("UTC", 9), ("America/New_York", 13), ("Asia/Tokyo", 0)]
)
def test_other_zones(zone, hour):
    _, _, found = events(team_with(*OVERDUE, zone=zone))
    assert {event.decoded("dtstart").hour for event in found} == {hour}


def test_in_winter_nine_is_another_hour_of_the_day():
    team = team_with(("R1", "2025-01-10"), as_of=pd.Timestamp("2026-01-31"))
    _, _, found = events(team, weeks=2)
    assert found[0].decoded("dtstart").hour == 8


def test_a_later_plan_moves_the_visit_and_does_not_double_it():
    _, _, before = events(team_with(*OVERDUE))
    late = team_with(*OVERDUE, as_of=pd.Timestamp("2026-07-14"))
    _, _, after = events(late)
    uids = [{event["uid"]: event for event in found} for found in (before, after)]
    assert set(uids[0]) == set(uids[1])
    assert len(uids[0]) == 5
    for uid, event in uids[0].items():
        assert uids[1][uid]["sequence"] > event["sequence"]
        assert uids[1][uid]["dtstart"].dt > event["dtstart"].dt
    # Once it has been held the next visit is another one.
    _, _, held = events(team_with(*OVERDUE, ("R1", "2025-02-20")))
    assert len({event["uid"] for event in held} - set(uids[0])) == 1


def test_the_same_plan_is_the_same_file():
    team = team_with(*OVERDUE)
    table = coaching.ride_alongs(team).table
    assert calendar.ics(table, team) == calendar.ics(table, team)


def test_the_summary_says_who_and_nothing_else():
    names = [name for name in HOSTILE if name.strip()][:5]
    team = team_with(*OVERDUE, names=names)
    _, _, found = events(team)
    assert {str(event["summary"]) for event in found} == {
        f"Ride-along: {team.names[rep]}" for rep in REPS
    }
    assert {str(event["location"]) for event in found} == {"Nord; Ost, \\ä"}
    assert all("description" not in event for event in found)


def test_a_visit_in_the_log_is_in_the_calendar_and_nobody_else_is():
    team = team_with(("R1", "2026-05-01"), ("R1", "2026-07-09"), *((r, "2026-06-01") for r in REPS))
    table, _, found = events(team)
    assert [str(event["summary"]) for event in found] == ["Ride-along: Ágnes Kiss"]
    assert table["status"].iloc[0] == "planned"


def test_a_sheet_names_nobody_else_needs_nothing_and_shows_no_markup():
    team = team_with(*OVERDUE, names=["<b>Eve</b> & Co"])
    table = coaching.ride_alongs(team).table
    page = ride_alongs.sheet(team, table[table["rep_id"] == "R1"].iloc[0], "demo")
    assert "<b>" not in page
    assert "&lt;b&gt;Eve&lt;/b&gt; &amp; Co" in page
    assert not re.search(r"<script|https?://|<img|url\(", page)
    for rep, name in [*REPS.items()][1:]:
        assert name not in page
        assert not re.search(rf"\b{rep}\b", page)
    assert "What we agree" in page
    assert "nan" not in page.lower().split()


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("team") / "data"
    return team_with(*OVERDUE).save(folder)


def test_the_command_writes_the_files_and_says_what_is_planned(saved, tmp_path):
    done = CliRunner().invoke(app, ["ride-alongs", str(saved), "--output", str(tmp_path)])
    assert done.exit_code == 0, done.output
    folder = tmp_path / "2026-06-30"
    assert {path.name for path in (folder / "ride_alongs").iterdir()} == {
        f"{rep}.html" for rep in REPS
    }
    assert len(Calendar.from_ical((folder / "ride_alongs.ics").read_bytes()).walk("VEVENT")) == 5
    assert "5 days are proposed" in done.output
    assert re.search(r"^2026-07-01 Wed  \w+ \w+, overdue$", done.output, re.M)
    for name in REPS.values():
        assert f"{name}, overdue" in done.output
    assert "ride_alongs.ics" in done.output


def test_what_is_misspelt_writes_nothing(saved, tmp_path):
    with pytest.raises(DataError, match="away: found 'July'"):
        ride_alongs.write(saved, tmp_path / "out", away="July")
    assert not (tmp_path / "out").exists()


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium on the path")
def test_a_sheet_is_one_sheet_of_paper_and_fits_a_phone(demo, tmp_path):
    """Even with long names, two strengths and a leak; on A4 as the page asks for it."""
    shown = coaching.ride_alongs(demo).table.assign(planned_on=pd.Timestamp("2026-07-07"))
    names = {rep: HOSTILE[n % len(HOSTILE)] for n, rep in enumerate(demo.names)}
    reps = demo.reps.assign(name=demo.reps["rep_id"].map(names))
    team = salesnb.Team(demo.settings, {**demo.tables, "reps": reps})
    with sync_playwright() as playwright:
        options = {"executable_path": shutil.which("chromium"), "args": FLAGS}
        browser = playwright.chromium.launch(**options)
        page = browser.new_page(viewport={"width": 390, "height": 844})
        for number, visit in enumerate(shown.head(8).to_dict("records")):
            path = tmp_path / f"{number}.html"
            path.write_text(ride_alongs.sheet(team, pd.Series(visit), "demo"), encoding="utf-8")
            page.goto(path.as_uri())
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            pdf = page.pdf(prefer_css_page_size=True)
            assert max(int(count) for count in re.findall(rb"/Count (\d+)", pdf)) == 1
        browser.close()
