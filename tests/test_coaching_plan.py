"""The coaching plan by hand, on many random teams and against brute force."""

from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from handmade import AS_OF, REPS, cells, deal, team_of
from scipy.optimize import minimize

import salesnb
from salesnb import DataError, coaching, exercise_bank, leaks, standout
from salesnb.coaching import gains, routing, sharing, weeks

DEALS = [
    deal(f"{rep}{n}", rep, f"2026-0{1 + n}-05", "Offer", "won", amount=50_000)
    for rep in REPS
    for n in range(4)
]
LEAK = {
    "tier": "act",
    "leak_probability": 0.95,
    "lost_amount": 200_000.0,
    "lost_low": 100_000.0,
    "lost_high": 300_000.0,
}


@pytest.fixture
def found(monkeypatch):
    """Makes cells be what a test says they are, on record for a year."""

    def are(what):
        monkeypatch.setattr(gains.leaks, "cells", lambda team: cells(what))
        monkeypatch.setattr(gains.leaks, "years", lambda team, found: np.ones(len(found)))

    return are


def coached(*rows, **more):
    """A coaching log: (rep, day, minutes), then columns."""
    table = pd.DataFrame(rows, columns=["rep_id", "held_on", "minutes"])
    table["session_id"] = [f"S{n}" for n in range(len(table))]
    return table.assign(kind="one_on_one", **more)


def test_the_years_on_record_are_the_same_for_many_cells_as_for_one(small):
    cells = leaks.cells(small)
    one_by_one = [leaks.years_at(small, c.rep_id, str(c.stage)) for c in cells.itertuples()]
    assert leaks.years(small, cells).tolist() == one_by_one
    assert np.isnan(leaks.years(small, pd.DataFrame({"rep_id": ["nobody"], "stage": ["none"]})))


# Hours: the rules, on numbers


@pytest.mark.parametrize("seed", range(60))
def test_every_rule_keeps_its_promises_on_a_random_team(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 60))
    need = np.exp(rng.normal(8, rng.choice([0.0, 0.3, 2.5]), n))
    worth = need * rng.uniform(0.9, 1.1, n)
    total = float(rng.uniform(0.2, 4) * n)
    floor = float(rng.choice([0.0, 0.4, 1.0])) * total / n
    brings = {}
    for rule in sharing.RULES:
        hours = sharing.share(rule, need, worth, total, floor)
        assert hours.sum() == pytest.approx(total, rel=1e-14)
        assert (hours >= floor - 1e-9).all()
        brings[rule] = sharing.expected(hours, worth)
        np.testing.assert_allclose(sharing.share(rule, 10 * need, 10 * worth, total, floor), hours)
    equal = sharing.expected(np.full(n, total / n), worth)
    assert brings["need"] >= equal * (1 - 1e-12)
    assert brings["gain"] >= equal * (1 - 1e-12)
    assert brings["gain"] >= max(brings.values()) * (1 - 1e-12)


def test_the_plan_by_gain_is_the_best_there_is():
    worth, total, floor = np.array([9.0, 1.0, 4.0, 4.0, 0.5]), 12.0, 0.5
    best = minimize(
        lambda hours: -sharing.expected(hours, worth),
        np.full(5, total / 5),
        bounds=[(floor, total)] * 5,
        constraints={"type": "eq", "fun": lambda hours: hours.sum() - total},
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 500},
    )
    hours = sharing.share("gain", worth, worth, total, floor)
    np.testing.assert_allclose(hours, best.x, atol=1e-3)


def test_by_need_is_in_proportion_where_that_is_no_loss():
    need = np.array([3.0, 1.0, 1.0, 1.0])
    hours = sharing.share("need", need, need, 10.0, 1.0)
    np.testing.assert_allclose(hours, [4, 2, 2, 2])


def test_by_need_gives_way_where_it_would_bring_less_than_equal_hours():
    need = np.array([1000.0, 100.0, 100.0, 100.0])
    worth = np.array([100.0, 100.0, 100.0, 100.0])
    hours = sharing.share("need", need, worth, 40.0, 0.0)
    assert sharing.expected(hours, worth) == pytest.approx(sharing.expected(np.full(4, 10), worth))
    assert hours[0] >= hours[1]


def test_the_middle_gets_most_and_ties_are_treated_alike():
    need = np.array([5.0, 4.0, 3.0, 2.0, 1.0])
    np.testing.assert_allclose(sharing.share("middle", need, need, 8.0, 1.0), [1, 2, 2, 2, 1])
    np.testing.assert_allclose(sharing.share("middle", np.ones(4), np.ones(4), 8.0, 1.0), 2.0)


def test_two_hundred_reps_take_no_time():
    rng = np.random.default_rng(0)
    need = np.exp(rng.normal(8, 2, 200))
    for rule in sharing.RULES:
        assert sharing.share(rule, need, need, 400.0, 0.75).sum() == pytest.approx(400)


# Hours: the team


def test_a_leak_is_the_reason_and_counts_by_its_probability(found):
    found({("R1", "Demo"): LEAK, ("R2", "Demo"): LEAK | {"tier": "watch", "leak_probability": 0.6}})
    finding = coaching.time_plan(team_of(DEALS))
    table = finding.table.set_index("rep_id")
    assert table.loc["R1", "need_amount"] == pytest.approx(0.95 * 200_000)
    assert table.loc["R1", "need_amount_low"] == pytest.approx(0.95 * 100_000)
    assert table.loc["R2", "need_amount"] == pytest.approx(0.6 * 200_000)
    assert table.loc["R3", "need_amount"] == 0
    # By hand: five reps won 200,000 each, so growth is 2,000; 0.3 of the need comes on top.
    weight = np.array([2_000 + 57_000, 2_000 + 36_000, 2_000, 2_000, 2_000])
    np.testing.assert_allclose(
        table.sort_index()["hours"], 0.75 + (40 - 5 * 0.75) * weight / weight.sum()
    )
    assert list(table["reason"]) == ["leak at Demo", "worth watching: Demo"] + [gains.NOTHING] * 3
    assert "Ágnes Kiss" in finding.headline
    assert "Bob Braun" not in finding.headline  # not separated from chance


def test_a_cell_that_is_no_more_than_chance_counts_for_nothing(found):
    found({("R1", "Demo"): LEAK | {"tier": ""}})
    table = coaching.time_plan(team_of(DEALS)).table
    assert table["hours"].to_numpy() == pytest.approx(8)
    assert set(table["reason"]) == {gains.NOTHING}


def test_a_new_hire_has_more(found):
    found({})
    reps = pd.DataFrame({"rep_id": [*REPS], "name": [*REPS.values()]})
    reps["hired_on"] = ["2020-01-01"] * 4 + ["2026-06-01"]
    table = coaching.time_plan(team_of(DEALS, reps=reps)).table
    assert table["rep_id"].iloc[0] == "R5"
    assert table["reason"].iloc[0] == "new"
    # A month of six is over: 5 / 6 of a fifth of the 200,000 that a rep wins in a year.
    assert table["need_amount"].iloc[0] == pytest.approx(200_000 / 5 * 5 / 6, rel=0.01)


def test_scores_count_only_as_far_as_they_tell_reps_apart(found):
    found({})
    skills = ["a", "b", "c", "d"]
    scores = {"R1": [1, 1, 1, 1], "R2": [3, 3, 3, 3], "R3": [3, 3, 3, 3], "R4": [3, 3, 3, 3]}
    noise = {"R1": [0, 4, 0, 4], "R2": [4, 0, 4, 0], "R3": [1, 3, 3, 1], "R4": [2, 2, 2, 2]}

    def rows(points):
        made = [
            (rep, skill, point)
            for rep, row in points.items()
            for skill, point in zip(skills, row, strict=True)
        ]
        table = pd.DataFrame(made, columns=["rep_id", "skill", "score"])
        return table.assign(assessed_on="2026-05-01", assessor="manager")

    sure = coaching.time_plan(team_of(DEALS, assessments=rows(scores))).table.set_index("rep_id")
    assert sure.loc["R1", "need_amount"] == pytest.approx(0.05 * 200_000 * 2)
    assert sure.loc["R1", "reason"] == "skills"
    unsure = coaching.time_plan(team_of(DEALS, assessments=rows(noise))).table
    assert (unsure["need_amount"] == 0).all()


def test_who_kept_what_was_agreed_counts_a_little_more_by_gain(found):
    found({})
    log = coached(*[("R1", "2026-03-01", 45)] * 20, *[("R2", "2026-03-01", 45)] * 20)
    log = log.assign(commitment="call", due_on="2026-03-10")
    log["done_on"] = ["2026-03-09"] * 20 + [None] * 20
    table = coaching.time_plan(team_of(DEALS, coaching=log)).table.set_index("rep_id")
    assert table.loc["R1", "gain_hours"] > table.loc["R3", "gain_hours"] > 7
    assert table.loc["R2", "gain_hours"] < table.loc["R3", "gain_hours"]
    assert table["need_hours"].to_numpy() == pytest.approx(8)


def test_who_had_far_less_than_the_share_is_flagged_beyond_chance(found):
    found({("R1", "Demo"): LEAK})
    days = ["2026-04-10", "2026-05-10", "2026-06-10"]
    log = coached(*[(rep, day, 45) for rep in ("R2", "R3", "R4", "R5") for day in days])
    table = coaching.time_plan(team_of(DEALS, coaching=log)).table.set_index("rep_id")
    assert list(table.index[table["is_neglected"]]) == ["R1"]
    assert table.loc["R1", "n_sessions"] == 0
    assert table.loc["R2", "minutes"] == 135
    assert table.loc["R2", "minutes_share"] == pytest.approx(0.25)
    # One session in all: nobody is one session short.
    once = coaching.time_plan(team_of(DEALS, coaching=log.head(1))).table
    assert not once["is_neglected"].any()


def test_somebody_hired_last_week_is_not_neglected(found):
    found({})
    reps = pd.DataFrame({"rep_id": [*REPS], "name": [*REPS.values()]})
    reps["hired_on"] = ["2020-01-01"] * 4 + ["2026-06-24"]
    log = coached(
        *[
            (rep, day, 45)
            for rep in ("R1", "R2", "R3", "R4")
            for day in pd.date_range("2026-04-06", periods=12, freq="7D")
        ]
    )
    table = coaching.time_plan(team_of(DEALS, coaching=log, reps=reps)).table.set_index("rep_id")
    assert not table.loc["R5", "is_neglected"]


def test_whoever_left_or_is_away_all_month_has_no_hours(found):
    found({})
    reps = pd.DataFrame({"rep_id": [*REPS], "name": [*REPS.values()]})
    reps["left_on"] = [None, None, None, None, "2026-06-30"]
    leave = pd.DataFrame(
        {"rep_id": ["R3", "R4"], "starts_on": "2026-06-20", "ends_on": ["2026-08-30", "2026-07-10"]}
    )
    finding = coaching.time_plan(team_of(DEALS, reps=reps, absences=leave))
    assert set(finding.table["rep_id"]) == {"R1", "R2", "R4"}
    assert finding.table["hours"].sum() == pytest.approx(40)
    assert "Without 1 who has left the team." in finding.caveats
    assert any("Cili Nagy" in caveat for caveat in finding.caveats)


def test_hours_below_the_floors_are_shared_equally_and_it_is_said(found):
    found({("R1", "Demo"): LEAK})
    finding = coaching.time_plan(team_of(DEALS), hours=3)
    for rule in ("hours", "need_hours", "middle_hours", "gain_hours"):
        assert finding.table[rule].to_numpy() == pytest.approx(0.6)
    assert any("needs 3.8 hours; it is 36 min instead" in caveat for caveat in finding.caveats)


def test_one_rep_has_all_hours(found):
    found({})
    reps = pd.DataFrame({"rep_id": ["R1"], "name": ["Ágnes Kiss"]})
    team = team_of([row for row in DEALS if row["rep_id"] == "R1"], reps=reps)
    finding = coaching.time_plan(team)
    assert list(finding.table["hours"]) == [40]
    assert finding.headline == "40 hours for 1 rep: all of them."


@pytest.mark.parametrize("rule", sharing.RULES)
def test_each_rule_says_what_it_expects_and_middle_may_expect_less(found, rule):
    found({("R1", "Demo"): LEAK})
    finding = coaching.time_plan(team_of(DEALS), rule=rule)
    np.testing.assert_array_equal(finding.table["hours"], finding.table[f"{rule}_hours"])
    lines = {
        each: next(c for c in finding.caveats if c.startswith(f"By {each},"))
        for each in sharing.RULES
    }
    assert "% less than with equal hours" in lines["middle"]
    assert "at the floor: Ágnes Kiss" in lines["middle"]
    assert "% more than with equal hours" in lines["gain"]
    assert all("about €" in line for line in lines.values())


def test_a_rule_that_is_not_known_and_hours_that_are_none():
    team = team_of(DEALS)
    with pytest.raises(DataError, match=r"no rule 'nead'. Did you mean 'need'"):
        coaching.time_plan(team, rule="nead")
    with pytest.raises(DataError, match="hours: found 0"):
        coaching.time_plan(team, hours=0)
    with pytest.raises(DataError, match="floor_hours: found -1"):
        coaching.time_plan(team, floor_hours=-1)


@pytest.mark.parametrize("seed", [1, 2])
def test_where_nothing_is_planted_hours_are_close_to_equal(seed):
    tables = ["stage_changes", "coaching", "assessments", "absences"]
    team, _ = salesnb.simulate(seed=seed, reps=12, deals_per_rep=80, null=True, tables=tables)
    table = coaching.time_plan(team).table
    settled = table[(table["reason"] == gains.NOTHING)]
    assert len(settled) >= 6
    assert settled["hours"].max() < 2 * settled["hours"].min()


def test_a_team_without_amounts_has_a_plan_but_no_money(found):
    found({})
    bare = [deal(row["deal_id"], row["rep_id"], "2026-01-05", "Demo", "won") for row in DEALS]
    finding = coaching.time_plan(team_of(bare))
    assert finding.table["need_amount"].isna().all()
    assert finding.table["hours"].to_numpy() == pytest.approx(8)
    assert not any("€" in caveat for caveat in finding.caveats)


# Ride-alongs: the programme


def visits_of(rng, n_reps=4, n_days=5, n_regions=2, room=2):
    """A few reps and days over two weeks, some of them away."""
    days = pd.bdate_range("2026-07-02", periods=n_days, unit="us")
    monday = (days - pd.to_timedelta(days.day_of_week, unit="D")).unique()
    most = rng.choice([300, -19])  # or all due on the same day
    late = pd.to_timedelta(rng.integers(-20, most, n_reps), unit="D")
    return routing.Visits(
        days=days,
        is_free=rng.random((n_reps, n_days)) < 0.5,
        due=(AS_OF - late).to_numpy(),
        region=rng.integers(-1, n_regions, n_reps),
        every=182.5,
        room=pd.Series(room, index=monday),
        there=frozenset({(0, monday[-1])}) if rng.random() < 0.3 else frozenset(),
    )


def judged(visits, found):
    """Visits made, then what they cost, written anew from the definition."""
    weeks = sorted(set(visits.monday))
    cost, trips = 0.0, set()
    for rep, day in enumerate(found):
        week = weeks[-1] + pd.Timedelta(days=7) if day < 0 else visits.monday[day]
        late = (week - pd.Timestamp(visits.due[rep])) / pd.Timedelta(days=1) / visits.every
        cost += late**2 if late > 0 else (0 if day < 0 else -routing.EARLY * late)
        if day >= 0 and visits.region[rep] >= 0:
            trips.add((int(visits.region[rep]), week))
    n = sum(day >= 0 for day in found)
    return n, cost + routing.TRIP * len(trips - visits.there)


def is_allowed(visits, found):
    used = [day for day in found if day >= 0]
    by_week = Counter(visits.monday[day] for day in used)
    return (
        len(used) == len(set(used))
        and all(visits.is_free[rep, day] for rep, day in enumerate(found) if day >= 0)
        and all(n <= visits.room[week] for week, n in by_week.items())
    )


@pytest.mark.parametrize("seed", range(16))
def test_the_calendar_is_the_best_of_all_calendars(seed):
    visits = visits_of(np.random.default_rng(seed))
    found = routing.route(visits)
    assert is_allowed(visits, found)
    every = product(range(-1, len(visits.days)), repeat=len(visits.due))
    best = min(
        (-n, cost) for n, cost in (judged(visits, f) for f in every if is_allowed(visits, f))
    )
    n, cost = judged(visits, found)
    assert n == -best[0]
    assert cost == pytest.approx(best[1], abs=1e-6)


def test_one_region_on_days_side_by_side_and_the_latest_first():
    days = pd.bdate_range("2026-07-06", periods=5, unit="us")
    due = pd.DatetimeIndex(["2026-01-01", "2025-01-01", "2026-02-01"]).to_numpy()
    visits = routing.Visits(
        days=days,
        is_free=np.array([[1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [0, 1, 1, 1, 1]], bool),
        due=due,
        region=np.array([0, 1, 0]),
        every=182.5,
        room=pd.Series(3, index=days[:1]),
    )
    # Region 1 has waited longest and comes first; then the two of region 0, day after day.
    assert list(routing.route(visits)) == [1, 0, 2]


def test_nobody_free_and_no_room_is_no_calendar():
    rng = np.random.default_rng(1)
    visits = visits_of(rng, room=0)
    assert (routing.route(visits) == routing.NO_DAY).all()


# Ride-alongs: the team


def rides(*rows):
    table = pd.DataFrame(rows, columns=["rep_id", "held_on"])
    table["session_id"] = [f"S{n}" for n in range(len(table))]
    return table.assign(kind="ride_along")


def by_rep(finding):
    return finding.table.set_index("rep_id")


def test_how_each_rep_stands():
    log = rides(
        ("R1", "2025-06-01"),
        ("R2", "2026-02-01"),
        ("R3", "2026-05-01"),
        ("R4", "2025-10-01"),
        ("R4", "2026-07-14"),
    )
    reps = pd.DataFrame({"rep_id": [*REPS], "name": [*REPS.values()]})
    reps["hired_on"] = ["2020-01-01"] * 4 + ["2026-02-15"]
    table = by_rep(coaching.ride_alongs(team_of(DEALS, reps=reps, coaching=log)))
    assert dict(table["status"]) == {
        "R1": "overdue",
        "R2": "due",
        "R3": "not yet",
        "R4": "planned",
        "R5": "due",
    }
    assert table.loc["R1", "last_on"] == pd.Timestamp("2025-06-01")
    assert table.loc["R1", "due_on"] == pd.Timestamp("2025-11-30")
    # R5 was hired in February: half a year later the first one is due.
    assert table.loc["R5", "due_on"] == pd.Timestamp("2026-08-16")
    assert table.loc["R4", "planned_on"] == pd.Timestamp("2026-07-14")
    assert pd.isna(table.loc["R3", "planned_on"])


def test_days_respect_leave_the_manager_holidays_and_what_is_booked():
    reps = pd.DataFrame({"rep_id": [*REPS], "name": [*REPS.values()]})
    leave = pd.DataFrame({"rep_id": ["R1"], "starts_on": ["2026-06-29"], "ends_on": ["2026-07-10"]})
    log = rides(*[(rep, "2025-01-10") for rep in REPS], ("R5", "2026-07-01"))
    team = team_of(DEALS, reps=reps, absences=leave, coaching=log)
    team = salesnb.Team(replace(team.settings, country="US"), team.tables)
    away = "2026-07-06/2026-07-08,2026-07-14"
    finding = coaching.ride_alongs(team, weeks=3, per_week=5, away=away)
    table = by_rep(finding)
    days = table["planned_on"]
    assert days.notna().all()
    assert days.is_unique
    assert (days.dt.day_of_week < 5).all()
    taken = ["2026-07-03", "2026-07-06", "2026-07-07", "2026-07-08", "2026-07-14"]
    assert not days.isin(pd.DatetimeIndex(taken)).any()  # the 4th is a Saturday: the 3rd is off
    assert days["R1"] > pd.Timestamp("2026-07-10")
    assert days["R5"] == pd.Timestamp("2026-07-01")
    assert table.loc["R5", "status"] == "planned"


def test_whoever_left_is_not_visited_and_who_does_not_fit_is_said():
    reps = pd.DataFrame({"rep_id": [*REPS], "name": [*REPS.values()]})
    reps["left_on"] = [None] * 4 + ["2026-06-30"]
    log = rides(*[(rep, f"2025-0{n}-10") for n, rep in enumerate(REPS, start=1)])
    finding = coaching.ride_alongs(team_of(DEALS, reps=reps, coaching=log), weeks=1, per_week=1)
    # From Wednesday to the next Tuesday: two weeks begun, one visit in each.
    table = by_rep(finding)
    assert set(table.index) == {"R1", "R2", "R3", "R4"}
    assert list(table.index[table["planned_on"].notna()]) == ["R1", "R2"]  # waited longest
    assert "2 days are proposed, for 2 there is no room" in finding.headline
    assert any("No day for Cili Nagy, Dan Ito" in caveat for caveat in finding.caveats)


def test_an_empty_log_means_that_everybody_is_due():
    team = team_of(DEALS, coaching=rides().astype("str"))
    table = coaching.ride_alongs(team, weeks=6, per_week=1).table
    assert set(table["status"]) == {"due"}
    assert table["planned_on"].notna().sum() == 5


@pytest.mark.parametrize(
    ("options", "said"),
    {
        ("away", "2026-07-10/2026-07-06"): "first day before the last",
        ("away", "July"): "away: found 'July', expected a day",
        ("away", "2026-07-06/"): "away: found '', expected a day",
        ("per_year", 0): "per_year: found 0, expected 1 to 12",
        ("weeks", 90): "weeks: found 90",
        ("per_week", 6): "per_week: found 6",
    }.items(),
)
def test_options_that_make_no_sense(options, said):
    name, value = options
    with pytest.raises(DataError, match=said):
        coaching.ride_alongs(team_of(DEALS, coaching=rides(("R1", "2026-01-01"))), **{name: value})


def test_two_hundred_reps_have_a_calendar_at_once():
    rng = np.random.default_rng(0)
    days = pd.bdate_range("2026-07-01", periods=40, unit="us")
    is_free = np.ones((200, 40), bool)
    for rep in range(0, 200, 3):
        first = rng.integers(0, 36)
        is_free[rep, first : first + 8] = False
    late = pd.to_timedelta(rng.integers(-50, 300, 200), unit="D")
    monday = (days - pd.to_timedelta(days.day_of_week, unit="D")).unique()
    visits = routing.Visits(
        days,
        is_free,
        (AS_OF - late).to_numpy(),
        rng.integers(0, 6, 200),
        182.5,
        pd.Series(2, index=monday),
    )
    found = routing.route(visits)
    assert is_allowed(visits, found)
    assert (found >= 0).sum() == 18  # two in each of nine weeks begun


# The programme


ACT = {
    "tier": "act",
    "leak_probability": 0.99,
    "n_visits": 96.0,
    "advance_rate": 0.40,
    "advance_low": 0.32,
    "advance_high": 0.48,
    "lost_amount": 84_000.0,
    "lost_low": 40_000.0,
    "lost_high": 120_000.0,
}
# Two deals a week reached Demo and were lost there, 52 weeks long.
PACE = [
    deal(f"P{n}", "R1", (AS_OF - pd.Timedelta(days=25 + 3.5 * n)).date(), "Demo", "lost")
    for n in range(104)
]


@pytest.fixture
def standing_out(monkeypatch):
    """Makes what stands out for a rep be what a test says."""

    def are(what):
        monkeypatch.setattr(standout.leaks, "cells", lambda team: cells(what))

    return are


def test_a_programme_has_a_row_a_week_and_goes_from_watching_to_reviewing(standing_out):
    standing_out({("R1", "Demo"): ACT})
    finding = coaching.programme(team_of(PACE), "R1")
    table = finding.table
    assert list(table["week_number"]) == [1, 2, 3, 4, 5, 6]
    assert list(table["starts_on"]) == list(pd.date_range("2026-07-06", periods=6, freq="7D"))
    assert table["aim"].iloc[0] == "See together how Demo goes now"
    assert table["aim"].iloc[-1] == "Look at what has changed"
    assert table["exercise"].is_unique
    presenting = {e.title for e in exercise_bank.exercises() if e.kind == "presenting"}
    assert set(table["exercise"]) <= presenting
    assert table["question"].str.endswith("?").all()
    assert finding.headline.startswith("Ágnes Kiss: 6 weeks on Demo")
    assert list(table["n_expected"]) == [2, 4, 6, 8, 10, 12]  # two a week


def test_expected_numbers_are_those_of_the_beta_binomial(standing_out):
    standing_out({("R1", "Demo"): ACT})
    last = coaching.programme(team_of(PACE), "R1").table.iloc[-1]
    # By hand: 0.40 with (0.32, 0.48) is a standard deviation of 0.0486, a beta of size 100.5.
    a, b = weeks.beta(0.40, 0.32, 0.48)
    assert a / (a + b) == pytest.approx(0.40)
    assert a + b == pytest.approx(0.24 / (0.16 / 2 / 1.6449) ** 2 - 1, rel=1e-3)
    draws = np.random.default_rng(0).binomial(12, np.random.default_rng(1).beta(a, b, 200_000))
    assert last["unchanged_low"] == np.quantile(draws, 0.05)
    assert last["unchanged_high"] == np.quantile(draws, 0.95)
    assert last["improved"] > last["unchanged"]
    assert last["stop_below"] == last["unchanged_low"]


@pytest.mark.parametrize(("rate", "n", "n_seen"), [(0.3, 20, 60), (0.4, 12, 90), (0.6, 40, 150)])
def test_the_bound_hardly_ever_stops_somebody_who_has_not_become_worse(rate, n, n_seen):
    """From the history to the bound to the deals that follow, with true rates known."""
    rng = np.random.default_rng(5)
    truth = rng.beta(rate * 40, (1 - rate) * 40, 20_000)
    seen = rng.binomial(n_seen, truth)
    bounds = []
    for number in range(n_seen + 1):  # a rate shrunken as the model's, with its interval
        mean = (rate * 40 + number) / (40 + n_seen)
        half = 1.6449 * np.sqrt(mean * (1 - mean) / (40 + n_seen))
        bounds.append(weeks.moved_on(np.array([n]), *weeks.beta(mean, mean - half, mean + half))[1])
    bound = np.concatenate(bounds)[seen]
    hoped = 1 / (1 + np.exp(-(np.log(truth / (1 - truth)) + weeks.HOPED)))
    stopped = (rng.binomial(n, truth) < bound).mean()
    stopped_though_better = (rng.binomial(n, hoped) < bound).mean()
    assert stopped <= 0.055
    assert stopped_though_better <= 0.012
    # It is no bound that nobody can fall below.
    assert (rng.binomial(n, truth / 2) < bound).mean() > 0.2


@pytest.mark.parametrize("tier", ["", "watch", "too_few"])
def test_no_programme_for_chance(standing_out, tier):
    standing_out({("R1", stage): ACT | {"tier": tier} for stage in ("Qualify", "Demo", "Offer")})
    finding = coaching.programme(team_of(PACE), "R1")
    assert finding.table.empty
    assert "no programme is called for" in finding.headline
    assert finding.ask[0].endswith("?")


def test_few_deals_set_no_bound(standing_out):
    standing_out({("R1", "Demo"): ACT})
    finding = coaching.programme(team_of(PACE), "R1", weeks=3)
    assert finding.table["stop_below"].isna().all()
    assert "too few for a bound" in finding.headline


@pytest.mark.parametrize("length", [3, 5, 12])
def test_a_programme_of_any_length(standing_out, length):
    standing_out({("R1", "Demo"): ACT})
    table = coaching.programme(team_of(PACE), "R1", weeks=length).table
    assert len(table) == length
    assert (table["unchanged_low"] <= table["unchanged"]).all()
    with pytest.raises(DataError, match="weeks: found 2"):
        coaching.programme(team_of(PACE), "R1", weeks=2)


# The observation sheet


def test_strengths_first_then_the_stage_with_numbers_and_own_deals(standing_out):
    strong = {"strength_tier": "act", "advance_rate": 0.8, "advance_high": 0.9}
    standing_out({("R1", "Demo"): ACT, ("R1", "Offer"): strong})
    own = [*PACE, deal("X", "R1", "2026-06-10", "Demo", amount=6_000, account_id="Golf")]
    finding = coaching.observation(team_of(own), "R1")
    table = finding.table
    assert "works" in table["watch_for"].iloc[0]
    assert "Offer" in table["watch_for"].iloc[0]
    assert table["why"].iloc[0].startswith("80% move on from Offer")
    assert "Golf (€6,000)" in table["watch_for"].iloc[1]
    assert list(table["moment"].unique()) == ["before", "during", "after"]
    demo = table.loc[table["moment"] == "during", "why"].iloc[0]
    assert demo == "40% move on from Demo (32%–48%, n = 96); 61% with the typical rep"
    assert len(finding.ask) == 3
    assert all(question.endswith("?") for question in finding.ask)
    assert "look first for what works at Offer, then at Demo" in finding.headline


def test_where_nothing_stands_out_it_is_said(standing_out):
    standing_out({})
    finding = coaching.observation(team_of(PACE), "R1")
    assert "nothing stands out" in finding.headline
    new = coaching.observation(team_of(PACE), "R5")
    assert "no deals yet" in new.headline
    assert len(new.table) >= 5


def test_what_was_agreed_last_time_is_on_the_sheet(standing_out):
    standing_out({})
    log = coached(("R1", "2026-06-01", 45), commitment="Ask Bob Braun for a date.")
    table = coaching.observation(team_of(PACE, coaching=log), "R1").table
    said = table.loc[table["why"] == "agreed 1 June 2026", "watch_for"].iloc[0]
    assert said == "How what was agreed shows: “Ask a colleague for a date”"
