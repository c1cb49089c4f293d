"""Conversion by hand; the calendar against chance, planted effects and someone else's data."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import salesnb
from salesnb import DataError, funnel, importers, schema, scorecard
from salesnb.funnel import leaking
from salesnb.metrics import quarterly, seasons
from salesnb.settings import Settings
from salesnb.team import Team, of

STAGES = ("Qualify", "Offer")
SEEDS = 40


def team_of(deals, changes, **settings):
    columns = ["deal_id", "rep_id", "segment", "created_on", "closed_on", "outcome", "amount"]
    changes = pd.DataFrame(changes, columns=["deal_id", "stage", "entered_at", "rep_id"])
    tables = {
        "reps": pd.DataFrame({"rep_id": ["R1", "R2"], "name": ["Ágnes", "Bob"]}),
        "deals": pd.DataFrame(deals, columns=columns, dtype=object),
        "stage_changes": changes,
    }
    return of(Settings(as_of=pd.Timestamp("2026-06-30"), stages=STAGES, **settings), tables)


@pytest.fixture(scope="module")
def six():
    """Two won, one of them past Offer without an entry; two lost; two open."""
    return team_of(
        [
            ("D1", "R1", "A", "2026-01-01", "2026-02-10", "won", 1),
            ("D2", "R1", "A", "2026-01-01", "2026-01-31", "won", 1),
            ("D3", "R1", "B", "2026-01-01", "2026-02-20", "lost", 1),
            ("D4", "R2", "B", "2026-04-01", "2026-04-11", "lost", 1),
            ("D5", "R2", None, "2026-06-10", None, None, 1),
            ("D6", "R2", "A", "2026-06-20", None, None, 1),
        ],
        [
            ("D1", "Qualify", "2026-01-01", "R1"),
            ("D1", "Offer", "2026-01-21", "R1"),
            ("D2", "Qualify", "2026-01-01", "R1"),
            ("D3", "Qualify", "2026-01-01", "R1"),
            ("D3", "Offer", "2026-02-01", "R2"),  # R2's deal on the day it moved
            ("D4", "Qualify", "2026-04-01", "R2"),
            ("D5", "Qualify", "2026-06-10", "R2"),
            ("D6", "Qualify", "2026-06-20", "R2"),
        ],
    )


def test_conversion_by_hand(six):
    table = funnel.conversion(six).table.set_index("stage")
    counts = ["n_entered", "n_advanced", "n_lost", "n_open", "n_skipped"]
    assert table.loc["Qualify", counts].tolist() == [6, 3, 1, 2, 0]
    assert table.loc["Offer", counts].tolist() == [3, 2, 1, 0, 1]
    assert table.loc["all", counts].tolist() == [6, 2, 2, 2, 0]
    # Qualify: day 10 D4 lost (1 of 6), D6 censored; day 20 D1 goes on (1 of 4), D5 censored; day
    # 30 D2 (1 of 2), day 31 D3: 5/6 x 1/4 + 5/8 x 1/2 + 5/16 x 1 = 5/24 + 5/16 + 5/16 = 5/6.
    assert table.loc["Qualify", "cohort_rate"] == pytest.approx(5 / 6)
    assert table.loc["Qualify", "exit_rate"] == pytest.approx(3 / 4)
    assert table.loc["Qualify", ["n_exits", "n_decided"]].tolist() == [4, 4]
    assert table.loc["Qualify", "won_rate"] == pytest.approx(2 / 4)
    # Offer: D2 passed at once, D3 lost on day 19, D1 won on day 20.
    assert table.loc["Offer", "cohort_rate"] == pytest.approx(2 / 3)
    # From creation: D4 lost on day 10 (1 of 6; D6 censored), D5 censored on day 20, D2 won on day
    # 30 (1 of 3), D1 on day 40 (1 of 2), D3 lost: 5/6 x 1/3 + 5/9 x 1/2.
    assert table.loc["all", "cohort_rate"] == pytest.approx(5 / 18 + 5 / 18)
    assert table.loc["all", "exit_rate"] == pytest.approx(2 / 4)


def test_conversion_by_group_is_in_order_of_name(six):
    table = funnel.conversion(six, by="segment").table
    assert table["segment"].tolist() == ["A", "B", "not recorded"] * 3
    assert table["stage"].tolist() == ["Qualify"] * 3 + ["Offer"] * 3 + ["all"] * 3
    whole = table[table["stage"] == "all"].set_index("segment")
    assert whole["n_advanced"].to_dict() == {"A": 2, "B": 0, "not recorded": 0}
    assert np.isnan(whole.loc["not recorded", "cohort_rate"])
    assert table.groupby("stage")["n_entered"].sum().to_dict() == {
        "Qualify": 6,
        "Offer": 3,
        "all": 6,
    }


def test_a_move_is_credited_to_its_owner_at_the_time(six):
    table = funnel.conversion(six, by="rep").table.set_index(["stage", "rep_id"])
    # D3 moved to Offer under R2 and was lost there by R1, who owns it now.
    assert table.loc[("Qualify", "R2"), "n_advanced"] == 1
    assert table.loc[("Offer", "R1"), "n_lost"] == 1
    own = funnel.conversion(six, rep="Bob").table.set_index("stage")
    assert own.loc["Qualify", "n_entered"] == 4
    assert own.loc["all", "n_entered"] == 3


def test_conversion_by_fiscal_quarter(six):
    table = funnel.conversion(six, by="period").table.set_index(["stage", "quarter"])
    assert table.loc[("Qualify", "2026-Q1"), "n_entered"] == 3
    assert table.loc[("Qualify", "2026-Q2"), "n_entered"] == 3
    assert table.loc[("all", "2026-Q2"), "n_decided"] == 1
    april = team_of([], [], fiscal_year_starts=4)
    team = Team(april.settings, six.tables)
    # A fiscal year bears the name of the calendar year in which it ends.
    found = funnel.conversion(team, by="period").table["quarter"].unique()
    assert sorted(found) == ["2026-Q4", "2027-Q1"]


def test_a_period_chooses_entries_exits_and_decisions_by_their_own_days(six):
    table = funnel.conversion(six, starts_on="2026-02-01", ends_on="2026-04-30").table
    row = table.set_index("stage").loc["Qualify"]
    assert row["n_entered"] == 1  # D4
    assert row["n_exits"] == 2  # D3, D4
    assert row["n_decided"] == 3  # D1, D3, D4


def test_conversion_errors(six):
    with pytest.raises(DataError, match="segment"):
        funnel.conversion(six, by="segmnt")
    with pytest.raises(DataError, match="stage_changes"):
        funnel.conversion(Team(six.settings, {"reps": six.reps, "deals": six.deals}))
    with pytest.raises(DataError, match="no day"):
        funnel.conversion(six, starts_on="2026-05-01", ends_on="2026-04-01")


def test_reps_that_differ_by_chance_are_said_to(small):
    found = funnel.conversion(small, by="rep")
    assert not any(rep in found.headline for rep in [*small.reps["rep_id"], *small.reps["name"]])
    assert "chance" in found.headline


# --- the calendar ---------------------------------------------------------------------------


def closed(seed, *, n=1200, months=24, rate=0.3, last_month=0.0, in_batches=0.0):
    """Deals closed on random working days, won at random; more in a quarter's last month."""
    rng = np.random.default_rng(seed)
    as_of = pd.Timestamp("2026-06-30")
    days = pd.bdate_range(as_of - pd.DateOffset(months=months) + pd.Timedelta(days=1), as_of)
    day, luck = rng.integers(0, len(days), n), rng.random(n)
    is_batched = rng.random(n) < in_batches
    day[is_batched] = rng.choice(rng.integers(0, len(days), 20), is_batched.sum())
    is_last = days[day].month.to_numpy() % 3 == 0
    # Batches are clean-ups: nothing in them is won.
    is_won = (luck < rate + last_month * is_last) & ~is_batched
    deals = schema.empty("deals").reindex(range(n))
    deals["deal_id"], deals["rep_id"] = [f"D{i}" for i in range(n)], "R1"
    deals["created_on"] = deals["closed_on"] = days[day].as_unit("us")
    deals["outcome"] = np.where(is_won, "won", "lost")
    reps = schema.empty("reps").reindex(range(1)).assign(rep_id="R1", name="Ágnes")
    return Team(Settings(as_of=as_of.as_unit("us")), {"reps": reps, "deals": deals})


def share_of_alarms(**plan):
    found = (seasons.table(closed(seed, **plan)) for seed in range(SEEDS))
    return np.mean([table["stands_out"].any() for table in found])


@pytest.mark.slow
def test_where_the_date_says_nothing_nothing_stands_out():
    # At the nominal 5 % more than five of forty come up once in seventy.
    assert share_of_alarms() <= 5 / SEEDS
    assert share_of_alarms(months=15, n=500) <= 5 / SEEDS


@pytest.mark.slow
def test_a_clean_up_is_not_a_season():
    # Every tenth deal is closed as lost on one of twenty days.
    assert share_of_alarms(in_batches=0.1) <= 6 / SEEDS


def test_a_planted_quarter_end_is_found():
    for seed in range(5):
        table = seasons.table(closed(seed, last_month=0.2))
        assert table.loc[table["level"] == "last month of the quarter", "stands_out"].all()
        # The months are compared within their part of the quarter: no March, June ... besides.
        assert table.loc[table["factor"] == "month", "stands_out"].sum() <= 1


def test_the_calendar_by_hand():
    # 40 of 60 are won in the last months of four quarters, 20 of 60 in the others.
    rows = [(m, i < 10) for m in (3, 6, 9, 12) for i in range(15)]
    rows += [(m, i < 5) for m in (2, 5, 8, 11) for i in range(15)]
    deals = schema.empty("deals").reindex(range(len(rows)))
    deals["deal_id"], deals["rep_id"] = [f"D{i}" for i in range(len(rows))], "R1"
    day = [pd.Timestamp(2025, m, 3) for m, _ in rows]
    deals["created_on"] = deals["closed_on"] = pd.DatetimeIndex(day).as_unit("us")
    deals["outcome"] = ["won" if is_won else "lost" for _, is_won in rows]
    reps = schema.empty("reps").reindex(range(1)).assign(rep_id="R1", name="Ágnes")
    settings = Settings(as_of=pd.Timestamp("2025-12-31").as_unit("us"))
    found = funnel.calendar(Team(settings, {"reps": reps, "deals": deals}))
    row = found.table.set_index("level").loc["last month of the quarter"]
    assert row[["n_closed", "n_won", "n_times"]].tolist() == [60, 40, 4]
    assert row["win_rate"] == pytest.approx(2 / 3)
    assert row["other_rate"] == pytest.approx(1 / 3)
    assert row["won_share"] == pytest.approx(40 / 60)
    # 3 February to 31 December are 332 days; March, June, September, December have 122.
    assert row["days_share"] == pytest.approx(122 / 332)
    # All months of a kind are alike, so the variance is binomial: 120 x 1/2 x 1/4 = 15 deals^2
    # over 30 +- 10: t = 10 / sqrt(60 x 60 / 120 x 1/4) = 3.65 on 8 - 2 degrees of freedom.
    assert row["p"] == pytest.approx(0.0107, abs=2e-4)
    # One of four looks (each month came round once): the quarter and three weekdays or so.
    looks = found.table["p"].notna().sum()
    assert row["q"] <= row["p"] * looks + 1e-12
    assert "last month of the quarter" in found.headline


def test_maven_wins_in_the_last_month_of_a_quarter(maven):
    found = funnel.calendar(maven)
    row = found.table.set_index("level").loc["last month of the quarter"]
    assert row["win_rate"] == pytest.approx(0.807, abs=0.001)
    assert row["other_rate"] == pytest.approx(0.523, abs=0.001)
    assert row["stands_out"]
    assert "last month of the quarter, 81% are won" in found.headline
    # It is the only thing that does: the data were made without anything else.
    assert found.table["stands_out"].sum() == 1


def test_maven_has_no_difference_between_reps_but_between_quarters(maven):
    assert (
        "by rep, win rates differ by no more than chance"
        in funnel.conversion(maven, by="rep").headline
    )


def test_maven_has_a_dead_pipeline(maven):
    found = funnel.open_age(maven)
    last = found.table.iloc[-1]
    assert last["band"] == "older than any win"
    # 81 % of the open deals of the stage Engaging; those of Prospecting have no day of engagement.
    assert found.table["to_days"].max() == 138
    assert 0.6 <= last["open_deals_share"] <= 0.83


@pytest.fixture(scope="module")
def maven(maven_source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("maven") / "team"
    importers.run("maven", maven_source, folder)
    return salesnb.load(folder)


# --- the age of the open pipeline -----------------------------------------------------------


def test_open_age_by_hand():
    # Ten wins after 10, 20 ... 100 days: half within 55, 80 % within 82 (10 + 0.8 x 9 x 10).
    won = [
        (
            f"W{d}",
            "R1",
            "A",
            "2025-10-01",
            pd.Timestamp("2025-10-01") + pd.Timedelta(days=d),
            "won",
            1,
        )
        for d in range(10, 101, 10)
    ]
    ages = {"a": 0, "b": 55, "c": 56, "d": 82, "e": 100, "f": 101}
    opened = [
        (
            name,
            "R1" if name < "d" else "R2",
            "A",
            pd.Timestamp("2026-06-30") - pd.Timedelta(days=age),
            None,
            None,
            10,
        )
        for name, age in ages.items()
    ]
    team = team_of([*won, *opened], [])
    found = funnel.open_age(team)
    assert found.table["to_days"].tolist()[:3] == [55, 82, 100]
    assert found.table["n_open"].tolist() == [2, 2, 1, 1]
    assert found.table["open_deals_share"].tolist() == pytest.approx([2 / 6, 2 / 6, 1 / 6, 1 / 6])
    assert found.table["open_amount"].tolist() == [20, 20, 10, 10]
    assert "1 of 6 open deals" in found.headline
    assert funnel.open_age(team, rep="Bob").table["n_open"].tolist() == [0, 1, 1, 1]
    assert funnel.open_age(team_of(opened, [])).table.empty


# --- leaks ----------------------------------------------------------------------------------


def cell(rep, stage, own, typical, tier=""):
    shift = np.log(own / (1 - own)) - np.log(typical / (1 - typical))
    row = {"rep_id": rep, "stage": stage, "advance_rate": own, "typical_rate": typical}
    return row | {
        "tier": tier,
        "shift_low": shift - 0.3,
        "shift_high": shift + 0.3,
        "precision": 30,
    }


def test_low_at_every_stage_means_that_none_is_level():
    low = [cell("R1", "Qualify", 0.5, 0.7), cell("R1", "Demo", 0.6, 0.7)]
    few = cell("R1", "Offer", 0.62, 0.7, tier="too_few")
    level = cell("R1", "Offer", 0.698, 0.701, tier="too_few")
    other = [cell("R2", "Qualify", 0.7, 0.7), cell("R2", "Demo", 0.5, 0.7)]
    assert leaking._low_everywhere(pd.DataFrame([*low, few, *other])) == ["R1"]
    assert leaking._low_everywhere(pd.DataFrame([*low, level, *other])) == []
    assert leaking._low_everywhere(pd.DataFrame([low[0], few])) == [], "one told stage is one leak"


def test_the_same_sum_stands_on_every_page(demo):
    said, found = {}, funnel.leaks(demo).table
    reps = found.loc[found["tier"].isin(["act", "look"]), "rep_id"].unique()
    assert len(reps) >= 2
    for rep in reps:
        for finding in (funnel.leaks(demo, rep=rep), scorecard.work_on(demo, rep)):
            (sum_,) = re.findall(r"about €[^;]*? a year", finding.headline)
            said.setdefault(rep, set()).add(sum_)
            assert "Lost amounts in the table are in all" in " ".join(finding.caveats)
    assert all(len(sums) == 1 for sums in said.values())


def test_one_stage_has_no_narrowest_step(six):
    changes = six.stage_changes[six.stage_changes["stage"] == "Qualify"]
    tables = {"reps": six.reps, "deals": six.deals, "stage_changes": changes}
    one = Team(Settings(as_of=six.as_of, stages=("Qualify",)), tables)
    assert funnel.conversion(one).ask == ()
    assert len(funnel.conversion(six).ask) == 1


def test_the_share_gone_on_by_quarter():
    """Of ten deals a quarter so many go on; young quarters and small ones are left out."""
    went = {"2024-11": 9, "2025-02": 8, "2025-05": 8, "2025-08": 7, "2025-11": 6, "2026-02": 5}
    rows = [
        {"stage": stage, "outcome": "advanced" if i < n else "lost"}
        | {"entered_at": pd.Timestamp(f"{month}-03"), "left_at": pd.Timestamp(f"{month}-20 15:00")}
        for month, n in went.items()
        for stage, n_deals in (("Demo", 10), ("Offer", 9))
        for i in range(n_deals)
    ]
    waiting = {"stage": "Demo", "outcome": "open", "entered_at": pd.Timestamp("2026-05-04")}
    visits = pd.DataFrame([*rows, waiting])
    found = quarterly.gone_on(visits, ["stage"], pd.Timestamp("2026-03-31"))
    blank = [np.nan] * 5
    assert found.loc["Demo"].to_list() == pytest.approx([*blank, 0.7, 0.6, 0.5], nan_ok=True)
    assert "Offer" not in found.index, "nine deals are too few"
    nobody = quarterly.gone_on(visits.tail(1), ["stage"], pd.Timestamp("2026-06-30"))
    assert nobody.empty and list(nobody) == [*range(8)]


def test_a_trend_line_for_each_stage_of_the_team_alone(small):
    assert funnel.conversion(small).history is not None
    assert funnel.conversion(small, by="rep").history is None
    just_begun = team_of(
        [("D1", "R1", "", "2026-06-01", None, None, 1.0)], [("D1", "Qualify", "2026-06-01", "R1")]
    )
    assert funnel.leaks(just_begun).history().isna().all(axis=None)
    undated = Team(replace(small.settings, is_dated=False), small.tables)
    assert funnel.conversion(undated).history is None
    assert funnel.leaks(undated).history is None
    assert "Trend: of the deals" not in str(funnel.conversion(small)), "no line, no word of it"
    assert "Trend: of the deals" in funnel.conversion(small)._repr_html_()
    assert "Trend: of the deals" not in funnel.conversion(undated)._repr_html_()
