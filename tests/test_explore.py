"""What an analyst moves in JupyterLab, without a browser: pickers, rows, what stands still."""

import re
from dataclasses import replace

import pandas as pd
import pytest
from handmade import deal, team_of

from salesnb import DataError, Finding, coaching, explore, funnel, metrics, pipeline
from salesnb.team import Team


def test_a_pick_asks_the_verb_again(small):
    asked = explore.ask(small, funnel.conversion)
    assert list(asked.pickers) == ["rep", "period", "known_on"]
    assert asked.finding.headline == funnel.conversion(small).headline
    assert funnel.conversion(small).headline.split(";")[0] in asked.still()
    rep = small.reps["rep_id"].iloc[2]
    asked.pickers["rep"].value = rep
    assert asked.finding.headline == funnel.conversion(small, rep=rep).headline
    asked.pickers["period"].label = "Jan to Mar 2026"
    quarter = {"starts_on": "2026-01-01", "ends_on": "2026-03-31"}
    of_quarter = funnel.conversion(small, rep=rep, **quarter)
    assert asked.finding.headline == of_quarter.headline
    assert asked.still() == of_quarter._repr_html_()
    asked.pickers["known_on"].label = "30 April 2026"
    then = funnel.conversion(small.at("2026-04-30"), rep=rep, **quarter)
    assert asked.finding.headline == then.headline
    asked.pickers["rep"].label = "the whole team"
    asked.pickers["period"].label = "the usual period"
    then = funnel.conversion(small.at("2026-04-30"))
    assert asked.finding.headline == then.headline


def test_where_the_pickers_start_and_what_they_leave_alone(small):
    rep = small.reps["name"].iloc[0]
    asked = explore.ask(small, metrics.trend, metric="sales_cycle_days", rep=rep, months=6)
    options = {"metric": "sales_cycle_days", "months": 6}
    assert asked.finding.headline == metrics.trend(small, rep=rep, **options).headline
    asked.pickers["months"].value = 9
    asked.pickers["rep"].label = "the whole team"
    options["months"] = 9
    assert asked.finding.headline == metrics.trend(small, **options).headline


def test_a_question_about_one_rep_begins_with_the_first_by_name(small):
    asked = explore.ask(small, coaching.questions)
    assert asked.pickers["rep"].label == min(small.names.values())
    assert "the whole team" not in dict(asked.pickers["rep"].options)


def test_what_cannot_be_told_stands_in_place_of_the_old_answer(small):
    asked = explore.ask(small, funnel.conversion)
    asked.pickers["period"].label = "Apr to Jun 2026"
    asked.pickers["known_on"].label = "31 January 2026"
    assert asked.finding is None
    assert "holds no day" in asked.still()
    assert "strong" not in asked.still()
    bare = Team(small.settings, {"reps": small.reps, "deals": small.deals})
    with pytest.raises(DataError, match="stage_changes"):
        explore.ask(bare, funnel.conversion)
    with pytest.raises(DataError, match="Did you mean"):
        explore.ask(small, funnel.conversion, rep="R001")
    nobody = Team(small.settings, {name: rows.head(0) for name, rows in small.tables.items()})
    with pytest.raises(DataError, match="nobody to pick"):
        explore.ask(nobody, funnel.conversion)


def test_quarters_are_those_of_the_fiscal_year(small):
    from dataclasses import replace

    team = Team(replace(small.settings, fiscal_year_starts=2), small.tables)
    periods = dict(explore.ask(team, metrics.win_curve).pickers["period"].options)
    assert periods["Feb to Apr 2026"] == ("2026-02-01", "2026-04-30")
    assert periods["May to Jul 2026"] == ("2026-05-01", "2026-06-30"), "no later than is known"


def test_rows_are_searched_and_sorted(small):
    finding = funnel.leaks(small)
    opened = explore.rows(finding)
    assert len(opened.found) == len(finding.table)
    rep, name = small.reps["rep_id"].iloc[0], small.reps["name"].iloc[0]
    opened.search.value = f"{name.upper()} demo"
    own = finding.table[(finding.table["rep_id"] == rep) & (finding.table["stage"] == "Demo")]
    assert list(opened.found.index) == list(own.index)
    assert f"{len(own)} of {len(finding.table)} rows" in opened.still()
    opened.search.value = ""
    opened.by.value = "n_visits"
    assert opened.found["n_visits"].is_monotonic_decreasing
    opened.is_falling.value = False
    assert opened.found["n_visits"].is_monotonic_increasing
    assert finding.table["n_visits"].to_list() == funnel.leaks(small).table["n_visits"].to_list()


def test_a_finding_without_rows_is_opened_too(small):
    found = funnel.leaks(small)
    opened = explore.rows(replace(found, table=found.table.iloc[:0]))
    opened.search.value = "demo"
    assert len(opened.found) == 0
    assert "All 0 rows" in opened.still()


@pytest.fixture(scope="module")
def six():
    """Six deals: of Ágnes three reached Demo, of which one went on, one was lost, one is open."""
    more = {"account_id": "Acme", "amount": 100.0}
    return team_of(
        [
            deal("D1", "R1", "2026-01-05", "Offer", "won", **more),
            deal("D2", "R1", "2026-02-02", "Demo", "lost", amount=200.0),
            deal("D3", "R1", "2026-06-01", "Demo", amount=300.0),
            deal("D4", "R1", "2026-06-08", "Qualify"),
            deal("D5", "R2", "2026-03-02", "Demo", "lost"),
            deal("D6", "R2", "2026-06-15", "Qualify"),
        ]
    )


def test_the_deals_behind_a_figure(six):
    leaks = funnel.leaks(six)
    rows = leaks.rows(rep="Ágnes Kiss", stage="Demo")
    assert rows["deal_id"].to_list() == ["D1", "D2", "D3"]
    assert rows["outcome"].to_list() == ["advanced", "lost", "open"]
    assert rows["account"].fillna("").to_list() == ["Acme", "", ""]
    assert rows["amount"].to_list() == [100, 200, 300]
    assert rows["stage_days"].to_list() == [10, 10, 19], "open since 11 June"
    assert leaks.rows("n_open", rep="R1", stage="Demo")["deal_id"].to_list() == ["D3"]
    steps = funnel.conversion(six)
    assert set(steps.rows(stage="all")["deal_id"]) == {f"D{n}" for n in range(1, 7)}
    assert set(steps.rows("n_exits", stage="Demo")["deal_id"]) == {"D1", "D2", "D5"}
    assert set(steps.rows("n_lost", stage="Qualify")["deal_id"]) == set()
    won = metrics.overview(six).rows(scope="rep", rep="R1", metric="win_rate", stage=None)
    assert won["deal_id"].to_list() == ["D1", "D2"]


def test_the_deals_behind_a_step_of_the_pipeline(six):
    """D1 is won on 4 February, ten days in each stage; D2 was created the day before the period."""
    found = pipeline.waterfall(six, starts_on="2026-02-03")
    went = {step: found.rows(step=step)["deal_id"].to_list() for step in found.table["step"]}
    assert went["start"] == ["D1", "D2"]
    assert went["new"] == ["D3", "D4", "D5", "D6"]
    assert went["won"] == ["D1"]
    assert went["lost"] == ["D2", "D5"]
    assert went["end"] == ["D3", "D4", "D6"]
    assert found.rows("n_due", step="new").empty, "no deal has a close date"


def test_a_figure_is_named_by_its_row(six):
    leaks = funnel.leaks(six)
    for where, said in (
        ({"rep": "R1"}, "3 rows of the table are meant, expected one. Say which stage: Qualify, D"),
        ({"rep": "R1", "stage": "Dmeo"}, "no stage 'Dmeo'. Did you mean 'Demo'"),
        ({"rep": "Agnes Kis", "stage": "Demo"}, "no rep_id 'Agnes Kis'"),
        ({"stages": "Demo"}, "no column 'stages'. Did you mean 'stage'"),
        ({"counted": "n_visit", "rep": "R1", "stage": "Demo"}, "Did you mean 'n_visits'"),
    ):
        with pytest.raises(DataError, match=re.escape(said)):
            leaks.rows(**where)
    with pytest.raises(DataError, match="No single rows stand behind these figures: a model"):
        pipeline.forecast(six).rows(deal_id="D3")
    with pytest.raises(DataError, match="The table has no rows"):
        funnel.leaks(team_of([])).rows()


def test_what_is_typical_shows_nobody(small):
    one = metrics.overview(small, rep="R01")
    assert set(one.rows(scope="rep", metric="win_rate")["rep_id"]) == {"R01"}
    with pytest.raises(DataError, match="rows of colleagues"):
        one.rows(scope="typical", metric="win_rate")


def test_the_rows_of_a_figure_are_opened(six):
    opened = explore.rows(funnel.leaks(six), rep="R1", stage="Demo")
    assert opened.found["deal_id"].to_list() == ["D1", "D2", "D3"]
    assert "All 3 rows" in opened.still()
    assert "Ágnes Kiss" in opened.still(), "by name"
    opened.search.value = "lost"
    assert opened.found["deal_id"].to_list() == ["D2"]
    assert "n_open" in funnel.leaks(six).behind
    assert "All 1 rows" in explore.rows(funnel.leaks(six), "n_open", rep="R1", stage="Demo").still()


def test_a_finding_holds_no_rows_of_the_data(small):
    """They are found when asked for: what gives them knows the team and no table."""
    found = funnel.leaks(small)
    held = [cell.cell_contents for of in found.behind.values() for cell in of.__closure__ or ()]
    assert not any(isinstance(each, pd.DataFrame) for each in held)


def test_words_of_the_data_are_words(bad):
    asked, opened = explore.ask(bad, funnel.leaks), explore.rows(metrics.overview(bad))
    for each in (asked.still(), opened.still()):
        assert "<script" not in each
        assert "<img" not in each
    assert isinstance(asked.finding, Finding)
