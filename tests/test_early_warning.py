"""Early warning: by hand, on planted drops, and where things are missing."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from scipy.stats import nbinom

from salesnb import DataError, pipeline, team, watch
from salesnb.settings import Settings
from salesnb.usual import Usual
from salesnb.weekly import is_silent, weekly, working_days

AS_OF = pd.Timestamp("2026-06-28")  # a Sunday
N_WEEKS = 52
WEEKS = pd.date_range(end="2026-06-22", periods=N_WEEKS, freq="7D")
STEADY = [5, 7, 6, 4, 8, 6, 5, 7, 6, 6]  # 6 a week, as chance would have it


def bench():
    path = Path(__file__).parents[1] / "benchmarks" / "warning.py"
    spec = importlib.util.spec_from_file_location("warning_benchmark", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def steady(shift=0):
    return [STEADY[(week * 3 + shift) % 10] for week in range(N_WEEKS)]


def made(counts, *, hired=None, absences=None, country="HU", booked=True, kind="meeting"):
    """A team whose reps booked so many in each week, from Monday on."""
    rows = [
        (rep, WEEKS[week] + pd.Timedelta(days=i % 5, hours=9))
        for rep, weeks in counts.items()
        for week, n in enumerate(weeks)
        for i in range(n)
    ]
    at = pd.Series([at for _, at in rows])
    activities = pd.DataFrame(
        {
            "activity_id": [f"T{i}" for i in range(len(rows))],
            "rep_id": [rep for rep, _ in rows],
            "kind": kind,
            "booked_at": at if booked else pd.NaT,
            "happens_at": at if not booked else at + pd.Timedelta(days=9),
        }
    )
    reps = pd.DataFrame({"rep_id": list(counts), "name": [f"Rep {rep}" for rep in counts]})
    reps["hired_on"] = pd.Series(
        [pd.Timestamp((hired or {}).get(rep, "2019-01-07")) for rep in counts]
    )
    deals = pd.DataFrame(columns=["deal_id", "rep_id", "created_on"])
    tables = {"reps": reps, "deals": deals, "activities": activities}
    if absences is not None:
        tables["absences"] = pd.DataFrame(absences, columns=["rep_id", "starts_on", "ends_on"])
    return team.of(Settings(as_of=AS_OF, country=country), tables)


def ten(**more):
    return {f"R{i}": steady(i) for i in range(10)} | more


def rows_of(found, rep):
    rows = found.table[found.table["rep_id"] == rep]
    return rows.set_index("week").sort_index()


# By hand


def test_evidence_is_the_ratio_of_two_negative_binomials():
    usual = Usual(1)
    week = usual.expect(np.array([3.0]), np.array([1.0]), np.array([1e4]))
    week = replace(week, expected=np.array([6.0]), size=np.array([12.0]))
    low = nbinom.logpmf(3, 12, 12 / (12 + 0.6 * 6))
    same = nbinom.logpmf(3, 12, 12 / (12 + 6))
    assert watch.evidence(week)[0] == pytest.approx(low - same)


def test_nine_of_ten_normal_weeks_lie_within_the_range():
    low, high = watch.limits(np.array([6.0]), np.array([12.0]))
    share = 12 / 18
    assert nbinom.cdf(high, 12, share) - nbinom.cdf(low - 1, 12, share) >= 0.9
    assert nbinom.cdf(low - 1, 12, share) <= 0.05 <= nbinom.cdf(low, 12, share)


def test_what_was_booked_is_counted_by_the_week_of_booking():
    found = pipeline.early_warning(made(ten()))
    assert list(found.table) == [
        *("rep_id", "week", "n_booked", "expected", "expected_low", "expected_high"),
        *("is_alarm", "alarm_since"),
    ]
    assert (rows_of(found, "R3")["n_booked"] == steady(3)).all()
    assert len(found.table) == 10 * N_WEEKS
    assert found.table["week"].iloc[0] == WEEKS[-1]
    assert not found.table["is_alarm"].any()
    assert found.headline == "Meetings booked: all within their usual range."
    late = rows_of(found, "R3").tail(20)
    assert late["expected"].between(5, 7).all()


def test_a_lasting_drop_is_said_in_numbers():
    short = [*steady(1)[:-8], 8, 8, 2, 1, 3, 2, 1, 3]
    found = pipeline.early_warning(made(ten(SHORT=short)))
    rows = rows_of(found, "SHORT")
    assert rows["is_alarm"].iloc[-1]
    first = rows.index[rows["is_alarm"]][0]
    assert WEEKS[-6] < first <= WEEKS[-3]
    assert (rows["alarm_since"][rows["is_alarm"]] == first).all()
    assert rows["alarm_since"][~rows["is_alarm"]].isna().all()
    said = "1 of 11 reps with fewer meetings booked than usual. Rep SHORT: 12 booked in 6 weeks, "
    assert found.headline.startswith(said + "usually 3")
    assert found.ask
    alone = pipeline.early_warning(made(ten(SHORT=short)), rep="SHORT")
    assert alone.headline.startswith("Rep SHORT: fewer meetings booked than usual. 12 booked in 6")
    assert set(alone.table["rep_id"]) == {"SHORT"}
    assert_frame_equal(
        alone.table, found.table[found.table["rep_id"] == "SHORT"].reset_index(drop=True)
    )


def test_an_alarm_ends_when_the_calendar_fills_again():
    back = [*steady(1)[:-16], *[2, 1, 3, 2, 1, 3], *steady(1)[-10:]]
    rows = rows_of(pipeline.early_warning(made(ten(BACK=back))), "BACK")
    assert rows["is_alarm"].iloc[-12:-9].any()
    assert not rows["is_alarm"].iloc[-1]


def test_after_a_quarter_the_lower_level_is_the_usual_one():
    lower = [n // 2 for n in steady(1)]
    changed = [*steady(1)[:-25], *lower[-25:]]
    rows = rows_of(pipeline.early_warning(made(ten(CHANGED=changed))), "CHANGED")
    assert rows["is_alarm"].iloc[-20:-10].any()
    assert not rows["is_alarm"].iloc[-5:].any()
    assert rows["expected"].iloc[-1] < 4


def test_the_whole_team_has_a_quiet_week_and_nobody_is_accused():
    quiet = {rep: [*weeks[:-5], 2, 3, 2, 1, 2] for rep, weeks in ten().items()}
    found = pipeline.early_warning(made(quiet))
    assert not found.table["is_alarm"].any()
    assert rows_of(found, "R1")["expected"].iloc[-1] < 4


def test_leave_and_holidays_are_no_drop():
    away = [*steady(1)[:-6], 0, 0, 0, 0, 0, 6]
    leave = [("AWAY", WEEKS[-6], WEEKS[-2] + pd.Timedelta(days=6))]
    rows = rows_of(pipeline.early_warning(made(ten(AWAY=away), absences=leave)), "AWAY")
    assert not rows["is_alarm"].any()
    assert (rows["expected"].iloc[-6:-1] == 0).all()
    assert rows["expected"].iloc[-1] > 4
    weeks = weekly(made(ten(), absences=[]))
    share = dict(zip(weeks.week.strftime("%Y-%m-%d"), weeks.exposure[0], strict=True))
    assert share["2026-04-27"] == pytest.approx(4 / 5)  # the first of May is a Friday
    assert share["2026-05-04"] == 1


def test_weekends_differ_by_country():
    first, last = pd.Timestamp("2026-06-01"), pd.Timestamp("2026-06-07")
    assert working_days("HU", first, last).tolist() == [True] * 5 + [False] * 2
    assert working_days("IL", first, last).tolist() == [True] * 4 + [False] * 2 + [True]
    assert working_days("", first, last).sum() == 5


def test_empty_weeks_without_a_word_of_leave():
    one = np.array([[6] * 20 + [0, 0, 0, 0, 0]])
    assert not is_silent(one, True).any()
    assert is_silent(one, False)[0].tolist() == [False] * 20 + [True] * 3 + [False] * 2
    busy = np.array([[40] * 20 + [0, 0, 0, 0, 0]])
    assert is_silent(busy, True)[0].tolist() == [False] * 20 + [True] * 5


def test_a_bulk_import_by_one_rep_accuses_nobody():
    bulk = [*steady(2)[:-6], 400, *steady(2)[-5:]]
    found = pipeline.early_warning(made(ten(BULK=bulk)))
    assert not found.table["is_alarm"].any()


def test_a_new_hire_is_held_against_others_first_weeks():
    slow = [1, 2, 1, 2, 2, 3, 2, 3, 3, 4, 3, 4, 4, 5, 4, 5, 5, 6, 5, 6]
    hired, counts = {}, ten()
    for i, begins in enumerate((8, 12, 16, 20)):
        hired[f"N{i}"] = WEEKS[begins]
        counts[f"N{i}"] = [0] * begins + slow + steady(i)[begins + len(slow) :]
    hired["NEW"], counts["NEW"] = WEEKS[-6], [0] * (N_WEEKS - 6) + slow[:6]
    found = pipeline.early_warning(made(counts, hired=hired))
    rows = rows_of(found, "NEW")
    assert len(rows) == 6
    assert rows["expected"].iloc[0] < 3
    assert not rows["is_alarm"].any()
    assert not found.table["is_alarm"].any()


# What is missing


def test_without_a_day_of_booking_the_meeting_itself_counts():
    found = pipeline.early_warning(made(ten(), booked=False))
    assert (rows_of(found, "R3")["n_booked"] == steady(3)).all()
    assert any("day of booking is not recorded" in caveat for caveat in found.caveats)


def test_meetings_ahead_are_not_counted_before_they_take_place():
    some = made(ten(), booked=False)
    activities = some.activities
    activities["happens_at"] += pd.Timedelta(days=14)
    later = team.of(some.settings, {**some.tables, "activities": activities})
    found = pipeline.early_warning(later)
    assert found.table["week"].max() == WEEKS[-1]
    assert (rows_of(found, "R3")["n_booked"].to_numpy() == steady(3)[:-2]).all()


def test_what_is_not_known_is_said():
    said = " ".join(pipeline.early_warning(made(ten(), country="")).caveats)
    assert "No country" in said
    assert "No leave is recorded" in said
    said = " ".join(pipeline.early_warning(made(ten(), absences=[])).caveats)
    assert "No country" not in said
    assert "leave is recorded" not in said


def test_only_weeks_whose_working_days_have_passed_are_judged():
    for day, last in (("2026-06-25", -2), ("2026-06-26", -1)):  # Thursday, Friday
        found = pipeline.early_warning(made(ten()).at(day))
        assert found.table["week"].max() == WEEKS[last]


def test_one_rep_alone_and_one_without_any_booking():
    found = pipeline.early_warning(made({"R1": [*steady(1)[:-6], 2, 1, 2, 1, 2, 1]}))
    assert found.table["is_alarm"].iloc[0]
    found = pipeline.early_warning(made({"R1": steady(1), "R2": [0] * N_WEEKS}), rep="R2")
    assert found.table.empty
    assert found.headline == "No meetings booked on record: nothing to compare."


def test_another_kind_and_one_that_does_not_exist():
    found = pipeline.early_warning(made(ten(), kind="call"), kind="call")
    assert (rows_of(found, "R3")["n_booked"] == steady(3)).all()
    assert found.headline.startswith("Calls: ")
    with pytest.raises(DataError, match="Did you mean 'meeting'"):
        pipeline.early_warning(made(ten()), kind="meetings")


def test_without_activities_the_table_is_named():
    some = made(ten())
    tables = {name: some.tables[name] for name in ("reps", "deals")}
    with pytest.raises(DataError, match="activities"):
        pipeline.early_warning(team.of(some.settings, tables))


# Ground truth


def test_every_week_is_judged_by_what_was_known_at_its_end(small):
    sunday = small.as_of - pd.Timedelta(days=small.as_of.day_of_week + 1 + 7 * 12)
    then = pipeline.early_warning(small.at(sunday)).table
    now = pipeline.early_warning(small).table
    now = now[now["week"] <= then["week"].max()]
    both = then.merge(now, on=["rep_id", "week"], suffixes=("", "_now"))
    assert len(both) == len(then)
    for column in ("n_booked", "expected", "expected_low", "is_alarm"):
        np.testing.assert_allclose(
            both[column].astype(float), both[f"{column}_now"].astype(float), err_msg=column
        )


@pytest.fixture(scope="module")
def benchmark():
    return bench()


@pytest.mark.slow
@pytest.mark.parametrize("world", [{}, {"size": 4}, {"is_leave_known": False}, {"reps": 8}])
def test_false_alarms_stay_rare(benchmark, world):
    n = 6 * 30 // world.get("reps", 30)
    teams = [benchmark.counts(seed, **world) for seed in range(n)]
    total = benchmark.Score()
    for weeks in teams:
        none = np.full(len(weeks.rep_id), -1)
        total += benchmark.score(benchmark.cusum(weeks), weeks, none)
    assert total.per_year <= 0.55
    assert total.n_false > 0, "a watch that never errs is not watching"


@pytest.mark.slow
def test_drops_are_found_in_time(benchmark):
    teams = [benchmark.counts(seed) for seed in range(8)]
    half = benchmark.rated(teams, benchmark.cusum, 0.5, times=3)
    less = benchmark.rated(teams, benchmark.cusum, 0.7, times=3)
    assert half.n_found / half.n_drops >= 0.7
    assert less.n_found / less.n_drops >= 0.3
    naive = benchmark.rated(teams, benchmark.below_average, 0.5, times=1)
    assert naive.per_year > 5 * half.per_year


def test_normal_weeks_lie_within_their_range(benchmark):
    inside = []
    for seed in range(4):
        weeks = benchmark.counts(seed)
        seen = watch.watch(weeks.count, weeks.exposure, weeks.tenure)
        judged = seen.is_sure & (weeks.exposure > 0)
        is_in = (weeks.count >= seen.low) & (weeks.count <= seen.high)
        inside.append(is_in[judged].mean())
    assert 0.88 <= np.mean(inside) <= 0.97
