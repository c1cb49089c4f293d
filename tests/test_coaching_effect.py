"""Whether coaching worked: by hand, against statsmodels, and on teams whose truth is known."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from handmade import AS_OF, STAGES, deal, team_of

import salesnb
from salesnb import DataError, coaching_log, drift, trials
from salesnb.coaching_log.programmes import programmes
from salesnb.settings import Settings
from salesnb.team import Team

DAY = pd.Timedelta(days=1)
sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import coaching as light  # noqa: E402


def sessions(*rows) -> pd.DataFrame:
    """A coaching log of (rep, day, kind, topic)."""
    log = pd.DataFrame(rows, columns=["rep_id", "held_on", "kind", "topic"])
    return log.assign(session_id=[f"S{i}" for i in range(len(log))])


def programme(rep, day, topic="Demo", kind="programme", n=4):
    """Weekly sessions from a day on."""
    return [(rep, pd.Timestamp(day) + 7 * i * DAY, kind, topic) for i in range(n)]


def deals_of(rep, first, moved, lost, outcome="won"):
    """Deals that entered Demo on one day: so many moved on, so many were lost there."""
    created = (pd.Timestamp(first) - 10 * DAY).date().isoformat()
    went = ["Offer"] * moved + ["Demo"] * lost
    return [
        deal(f"{rep}{first}{i}", rep, created, way, outcome if way == "Offer" else "lost")
        for i, way in enumerate(went)
    ]


EVERYBODY = [f"R{i}" for i in range(1, 6)]


def steady(per_quarter=(7, 5)):
    """Five reps whose deals go on at the same rate in spring and autumn."""
    days = ("2025-08-01", "2025-11-01", "2026-02-01", "2026-04-20")
    return [row for rep in EVERYBODY for day in days for row in deals_of(rep, day, *per_quarter)]


# Who was coached


def test_a_programme_begins_with_its_first_session_and_a_pause_begins_another():
    log = sessions(*programme("R1", "2026-01-05"), *programme("R1", "2026-05-04"))
    found = programmes(team_of(steady(), coaching=log))
    assert list(found["starts_on"]) == [pd.Timestamp("2026-01-05"), pd.Timestamp("2026-05-04")]
    assert list(found["n_sessions"]) == [4, 4]
    assert found["is_declared"].all()


def test_the_one_on_ones_that_everybody_has_are_no_treatment():
    months = pd.date_range("2025-01-06", AS_OF, freq="28D")
    topics = ["Qualify", "Demo", "Offer", "Demo", "planning"]
    usual = [
        (rep, day, "one_on_one", topics[(i + k) % 5])
        for k, rep in enumerate(EVERYBODY)
        for i, day in enumerate(months)
    ]
    team = team_of(steady(), coaching=sessions(*usual))
    assert programmes(team).empty
    finding = coaching_log.effect(team)
    assert finding.table.empty
    assert "No topic was coached" in finding.headline


def test_many_sessions_on_one_topic_in_a_short_time_are_a_programme_whatever_they_are_called():
    months = pd.date_range("2025-01-06", AS_OF, freq="28D")
    usual = [
        (rep, day, "one_on_one", STAGES[(i + k) % 3])
        for k, rep in enumerate(EVERYBODY)
        for i, day in enumerate(months)
    ]
    crowded = programme("R2", "2026-03-02", kind="ride_along", n=6)
    found = programmes(team_of(steady(), coaching=sessions(*usual, *crowded)))
    assert list(found["rep_id"]) == ["R2"]
    assert list(found["stage"]) == ["Demo"]
    assert not found["is_declared"].any()
    assert abs(found["starts_on"].iloc[0] - pd.Timestamp("2026-03-02")) <= 42 * DAY


def test_a_skill_stands_for_the_stage_that_leans_on_it():
    log = sessions(*programme("R1", "2026-03-02", "Storytelling"))
    team = team_of(steady(), coaching=log)
    assert programmes(team).empty
    skilled = Team(
        Settings(as_of=AS_OF, stages=STAGES, skills={"Demo": ("storytelling",)}), team.tables
    )
    assert list(programmes(skilled)["stage"]) == ["Demo"]
    assert list(coaching_log.effect(skilled).table["topic"]) == ["Demo"]


def test_a_session_that_is_yet_to_come_has_not_been_held():
    log = sessions(*programme("R1", "2026-06-29"))
    team = team_of(steady(), coaching=log)
    assert programmes(team)["n_sessions"].tolist() == [1]


# Before and since, by hand


def test_the_panel_counts_deals_by_quarter_and_dose():
    team = team_of(steady(), coaching=sessions(*programme("R1", "2026-03-02")))
    found = trials.panel(team, programmes(team))
    demo = found[found["stage"] == "Demo"]
    assert len(demo) == 20
    assert (demo["n_deals"] == 12).all()
    np.testing.assert_allclose(demo["n_known"], 12)
    np.testing.assert_allclose(demo["typical_rate"] + demo["level"], 7 / 12)
    coached = demo[demo["dose"] == 1]
    assert list(coached["rep_id"]) == ["R1"]
    assert list(coached["time"]) == [0]
    np.testing.assert_allclose(demo["variance"], 7 / 12 * 5 / 12 / 12, rtol=0.05)


def test_a_deal_under_way_at_the_start_belongs_to_neither_time():
    """Ten days in Demo from 1 April: on the 6th nobody knew what would become of them."""
    deals = [*steady(), *deals_of("R1", "2026-04-01", 0, 12)]
    log = sessions(*programme("R1", "2026-04-06"))
    team = team_of(deals, coaching=log)
    found = trials.panel(team, programmes(team))
    own = found[(found["stage"] == "Demo") & (found["rep_id"] == "R1")].set_index(["time", "dose"])
    assert own.loc[(0, 0), "n_deals"] == 12
    assert own.loc[(0, 0), "n_known"] < 8
    all_lost = trials.panel(team, programmes(team).assign(starts_on=pd.Timestamp("2026-04-12")))
    known = all_lost[(all_lost["stage"] == "Demo") & (all_lost["rep_id"] == "R1")]
    known = known.set_index(["time", "dose"]).loc[(0, 0)]
    assert known["n_known"] == pytest.approx(12)
    assert own.loc[(0, 0), "level"] > known["level"] + 0.2


# The model against statsmodels


@pytest.fixture
def one_width(monkeypatch):
    """Only one choice of widths, so that the fit is generalised least squares."""
    monkeypatch.setattr(drift, "STEADY", (0.09,))
    monkeypatch.setattr(drift, "DRIFT", (0.06,))
    monkeypatch.setattr(drift, "FADING", (0.5,))


@pytest.fixture(scope="module")
def rows():
    """Twelve units over six periods, four of them treated from the fifth, one twice."""
    dice = np.random.default_rng(3)
    unit, time = np.divmod(np.arange(72), 6)
    dose = ((unit < 4) & (time >= 4)).astype(int) + ((unit == 0) & (time == 5))
    keep = dice.random(72) < 0.9
    level = dice.normal(0, 0.1, 72) + 0.05 * dose
    return [a[keep] for a in (level, dice.uniform(0.005, 0.03, 72), unit, time, dose)]


def test_with_known_widths_it_is_generalised_least_squares(one_width, rows):
    level, variance, unit, time, dose = rows
    v = np.where(
        unit[:, None] == unit,
        0.09**2 + 0.06**2 * 0.5 ** np.abs(time[:, None] - time),
        0.0,
    ) + np.diag(variance)
    x = np.column_stack([np.eye(6)[time], dose])
    fit = sm.GLS(level, x, sigma=v).fit()
    error = np.sqrt(np.linalg.inv(x.T @ np.linalg.solve(v, x))[-1, -1])
    told = drift.fit(*rows).effect
    assert told.mean == pytest.approx(fit.params[-1], abs=1e-4)
    assert told.error == pytest.approx(error, rel=1e-3)
    assert told.quantile(0.05) == pytest.approx(told.mean - 1.6449 * error, abs=1e-3)


def test_with_two_periods_it_is_analysis_of_covariance(monkeypatch):
    """Equal chance, a lasting difference: the slope is known, the rest is least squares."""
    monkeypatch.setattr(drift, "STEADY", (0.1,))
    monkeypatch.setattr(drift, "DRIFT", (0.0,))
    dice = np.random.default_rng(5)
    before, after = dice.normal(0, 0.14, (2, 30))
    treated = before < np.quantile(before, 0.3)
    slope = 0.1**2 / (0.1**2 + 0.01)
    x = sm.add_constant(treated.astype(float))
    by_hand = sm.OLS(after - slope * before, x).fit().params[1]
    # The period before has a mean of its own to be found; the treated tell of it too.
    level = np.r_[before, after]
    unit, time = np.tile(np.arange(30), 2), np.repeat([0, 1], 30)
    dose = np.r_[np.zeros(30), treated].astype(int)
    told = drift.fit(level, np.full(60, 0.01), unit, time, dose).effect
    assert told.mean == pytest.approx(by_hand, abs=1e-4)


def test_what_to_expect_is_the_best_linear_forecast(one_width, rows):
    level, variance, unit, time, dose = rows
    fit = drift.fit(*rows)
    before = np.flatnonzero((unit == 2) & (dose == 0))
    after = np.flatnonzero((unit == 2) & (dose == 1))
    share = np.full(len(after), 1 / len(after))
    periods = fit.fixed[0]
    v = 0.09**2 + 0.06**2 * 0.5 ** np.abs(time[before][:, None] - time[before])
    c = 0.09**2 + 0.06**2 * 0.5 ** np.abs(time[after][:, None] - time[before])
    off = level[before] - periods[time[before]]
    by_hand = periods[time[after]] + c @ np.linalg.solve(v + np.diag(variance[before]), off)
    assert fit.expected(before, after, share).mean == pytest.approx(share @ by_hand)


def test_rows_in_any_order_give_the_same(rows):
    order = np.random.default_rng(1).permutation(len(rows[0]))
    one, other = drift.fit(*rows).effect, drift.fit(*(a[order] for a in rows)).effect
    assert other.mean == pytest.approx(one.mean)
    assert other.error == pytest.approx(one.error)


# The answer


def test_few_coached_cannot_be_told():
    team = team_of(steady(), coaching=sessions(*programme("R1", "2026-03-02")))
    row = coaching_log.effect(team).table.iloc[0]
    assert (row["verdict"], row["n_coached"], row["n_controls"]) == ("cannot_tell", 1, 4)
    assert np.isnan(row["effect"])
    assert row["n_deals"] == 12
    assert "too few were coached" in coaching_log.effect(team).headline


@pytest.mark.parametrize("day", ["2026-03-02", "2026-04-21"])
def test_without_others_it_cannot_be_told(day):
    """On the second day there are deals of before and since in the same quarter."""
    log = sessions(*(row for rep in EVERYBODY for row in programme(rep, day)))
    deals = [*steady(), *(row for rep in EVERYBODY for row in deals_of(rep, "2026-05-01", 7, 5))]
    row = coaching_log.effect(team_of(deals, coaching=log)).table.iloc[0]
    assert (row["verdict"], row["n_controls"]) == ("cannot_tell", 0)
    assert np.isnan(row["effect"])


def test_the_change_from_before_to_after_is_arithmetic():
    deals = [*steady(), *deals_of("R1", "2026-04-21", 8, 0), *deals_of("R2", "2026-04-21", 0, 4)]
    log = sessions(*programme("R1", "2026-03-02"), *programme("R2", "2026-03-02"))
    row = coaching_log.effect(team_of(deals, coaching=log)).table.iloc[0]
    assert row["naive_change"] == pytest.approx((14 + 8) / (24 + 12) - 14 / 24)
    assert row["n_deals"] == 36


def test_a_large_effect_is_told_and_none_is_ruled_out():
    def verdict(moved, n=300, **options):
        deals = [
            row
            for rep in EVERYBODY
            for day, rate in (("2025-08-01", 0.5), ("2025-11-01", 0.5), ("2026-04-20", moved))
            for hits in [round(n * (rate if rep in ("R1", "R2") else 0.5))]
            for row in deals_of(rep, day, hits, n - hits)
        ]
        log = sessions(*programme("R1", "2026-03-02"), *programme("R2", "2026-03-02"))
        return coaching_log.effect(team_of(deals, coaching=log), **options).table.iloc[0]

    told = verdict(0.8)
    assert told["verdict"] == "yes"
    assert told["effect_low"] < 0.3 < told["effect_high"]
    assert np.isnan(told["n_more_deals"])
    assert verdict(0.5, worthwhile=0.15)["verdict"] == "no"
    unsure = verdict(0.5, worthwhile=0.01)
    assert unsure["verdict"] == "cannot_tell"
    assert unsure["n_more_deals"] > 0


def test_coached_twice_is_one_rep_and_two_doses():
    twice = [*programme("R1", "2025-12-01"), *programme("R1", "2026-03-02")]
    log = sessions(*twice, *programme("R2", "2026-03-02"))
    team = team_of(steady(), coaching=log)
    row = coaching_log.effect(team).table.iloc[0]
    assert row["n_coached"] == 2
    assert row["n_deals"] == 36
    rows = coaching_log.expected_and_seen(team).table
    assert list(rows["rep_id"]) == ["R1", "R1", "R2"]
    assert list(rows["n_deals"]) == [12, 12, 12]
    assert rows["seen_rate"].tolist() == pytest.approx([7 / 12] * 3)
    assert rows["expected_rate"].between(0.5, 0.7).all()


def test_what_happened_after_the_day_changes_nothing(small):
    day = "2026-03-31"
    assert coaching_log.effect(small.at(day)).table.equals(
        coaching_log.effect(small.at("2026-05-31").at(day)).table
    )


def test_a_lacking_table_is_named():
    with pytest.raises(DataError, match="coaching"):
        coaching_log.effect(team_of(steady()))


def test_made_up_days_say_nothing():
    team = team_of(steady(), coaching=sessions(*programme("R1", "2026-03-02")))
    undated = Team(Settings(as_of=AS_OF, stages=STAGES, is_dated=False), team.tables)
    with pytest.raises(DataError, match="made up"):
        coaching_log.effect(undated)


# Teams whose truth is known


def said(setting, seeds):
    """What is said of one kind of team over several seeds."""
    return pd.DataFrame(
        [light.judged(light.made(setting, s), "Demo", setting.effect) for s in seeds]
    )


@pytest.fixture(scope="module")
def no_effect():
    setting = light.Setting(20, 100, "quarter", 0.5, 0.2, 0.3, 0.0)
    return said(setting, range(24))


def test_without_effect_it_is_seldom_said_to_work(no_effect):
    """Of 24 teams about one; five or more would come about once in two hundred times."""
    assert no_effect["salesnb"].sum() <= 4
    assert abs(no_effect["error"].mean()) < 0.03
    assert no_effect["holds"].sum() >= 17


def test_before_and_after_says_that_it_worked_anyway(no_effect):
    assert no_effect["before and after"].mean() > 0.5


def test_without_effect_what_is_seen_was_to_be_expected(no_effect):
    assert no_effect["n_people"].sum() > 150
    assert no_effect["n_inside"].sum() / no_effect["n_people"].sum() >= 0.84


def test_a_true_effect_is_recovered():
    setting = light.Setting(30, 200, "quarter", 0.5, 0.2, 0.2, 0.12)
    found = said(setting, range(6))
    assert found["salesnb"].sum() >= 4
    assert abs(found["error"].mean()) < 0.04
    assert not found["no"].any()


# Waves drawn by lot


def test_waves_are_drawn_within_blocks_of_like_need(demo):
    table = coaching_log.staggered_start(demo, waves=2).table
    assert len(table) >= 4
    assert (table["need"].diff().dropna() <= 1e-9).all()
    whole = table.groupby("block").filter(lambda block: len(block) == 2)
    assert whole.groupby("block")["wave"].agg(set).map(lambda waves: waves == {1, 2}).all()
    starts = table.groupby("wave")["starts_on"].unique().str[0]
    assert (starts.loc[2] - starts.loc[1]).days == 91
    assert starts.loc[1] > demo.as_of
    assert starts.loc[1].day_name() == "Monday"


def test_the_lot_is_the_same_on_the_same_day_and_another_with_another_seed(demo):
    draws = [tuple(coaching_log.staggered_start(demo, seed=s).table["wave"]) for s in (0, 0, 1, 2)]
    assert draws[0] == draws[1]
    assert len(set(draws)) > 1


def test_the_lot_favours_nobody(demo):
    waves = [coaching_log.staggered_start(demo, seed=s).table["wave"] for s in range(100)]
    first = (pd.DataFrame(waves) == 1).mean()
    assert first.iloc[: len(first) // 2 * 2].between(0.3, 0.7).all()


def test_topic_may_be_a_skill_and_must_be_one(demo):
    by_stage = coaching_log.staggered_start(demo, topic="Demo").table
    assert by_stage.equals(coaching_log.staggered_start(demo, topic="presenting").table)
    with pytest.raises(DataError, match="Demoo"):
        coaching_log.staggered_start(demo, topic="Demoo")


@pytest.mark.parametrize("options", [{"waves": 1}, {"weeks": 0}, {"start": "2020-01-06"}])
def test_what_cannot_be_planned_is_an_error(demo, options):
    with pytest.raises(DataError):
        coaching_log.staggered_start(demo, **options)


def test_too_few_to_draw_from():
    team = team_of(deals_of("R1", "2026-02-01", 1, 1))
    assert "Too few reps" in coaching_log.staggered_start(team).headline
    assert salesnb.coaching_log.staggered_start(team, topic="Offer").table.empty
