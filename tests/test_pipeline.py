"""The open pipeline by hand: six deals, arithmetic on paper; and what cannot be known said so."""

import numpy as np
import pandas as pd
import pytest
from handmade import deal, team_of

from salesnb import DataError, pipeline


def wins(n=10):
    """Won deals that spent ten days in each of three stages, long ago."""
    return [
        deal(f"W{i}", "R1", f"2026-01-{i + 1:02d}", "Offer", "won", amount=100.0) for i in range(n)
    ]


# --- stalled


@pytest.fixture
def sitting():
    """Limits: 10 days in every stage, 30 days in all."""
    deals = [
        deal("A", "R1", "2026-06-20", "Qualify", amount=10.0),  # 10 days there
        deal("B", "R1", "2026-06-19", "Qualify", amount=20.0),  # 11 days there
        deal("C", "R2", "2026-05-30", "Demo", amount=30.0),  # 31 days old, 21 of them in Demo
        deal("D", "R2", "2026-06-10", "Demo", amount=40.0),  # 20 days old, 10 of them in Demo
    ]
    return team_of([*wins(), *deals])


def test_stalled_and_dead_by_the_records_of_won_deals(sitting):
    found = pipeline.stalled(sitting)
    rows = found.table.set_index("deal_id")
    assert list(found.table["deal_id"]) == ["C", "B"]  # by amount
    assert rows.loc["B", ["status", "age_days", "limit_days"]].tolist() == ["stalled", 11, 10]
    assert rows.loc["C", ["status", "age_days", "deal_days"]].tolist() == ["dead", 21, 31]
    assert found.headline.startswith("1 of 4 open deals (25%")
    assert "older than any deal was when it was won (30 days)" in found.headline
    assert "1 more has been in a stage longer" in found.headline


def test_with_few_wins_nothing_is_stalled_or_dead():
    team = team_of([*wins(9), deal("A", "R1", "2025-06-20", "Qualify")])
    found = pipeline.stalled(team)
    assert found.table.empty
    assert found.headline == "Too few deals are won to tell which open ones have sat too long."


def test_stalled_of_one_rep_is_judged_by_the_whole_teams_wins(sitting):
    assert list(pipeline.stalled(sitting, rep="R2").table["deal_id"]) == ["C"]


# --- untouched


def activity(n, deal_id, happens_at, outcome="held", kind="call", rep="R1", **more):
    return {
        "activity_id": f"T{n}",
        "rep_id": rep,
        "kind": kind,
        "booked_at": min(pd.Timestamp(happens_at), pd.Timestamp("2026-06-30")),
        "happens_at": happens_at,
        "outcome": outcome,
        "deal_id": deal_id,
        **more,
    }


@pytest.fixture
def touched():
    deals = [deal(x, "R1", "2026-06-01", "Qualify", amount=ord(x)) for x in "ABCDE"]
    deals += [deal("F", "R1", "2026-06-01", "Qualify", amount=1.0, account_id="firm")]
    deals += [deal("young", "R1", "2026-06-17", "Qualify")]  # 13 days old
    activities = [
        activity(1, "A", "2026-06-17 08:00"),  # 13 days ago
        activity(2, "B", "2026-06-16 17:00"),  # 14 days ago
        activity(3, "C", "2026-07-02", None, "meeting"),  # ahead
        activity(4, "D", "2026-07-02", "cancelled", "meeting"),
        activity(5, None, "2026-06-29", account_id="firm"),
    ]
    return team_of(deals, activities=pd.DataFrame(activities))


def test_untouched_deals_have_nothing_behind_and_nothing_ahead(touched):
    found = pipeline.untouched(touched)
    rows = found.table.set_index("deal_id")
    assert list(rows.index) == ["E", "D", "B"]
    assert rows.loc["B", "silent_days"] == 14
    assert rows.loc["B", "last_on"] == pd.Timestamp("2026-06-16")
    assert rows.loc["E", "silent_days"] == 29  # never touched: since it was created
    assert pd.isna(rows.loc["E", "last_on"])
    assert found.headline.startswith("3 of 6 open deals (50%")


def test_untouched_for_a_week(touched):
    assert "A" in set(pipeline.untouched(touched, days=7).table["deal_id"])
    with pytest.raises(DataError, match="days: found 0"):
        pipeline.untouched(touched, days=0)


def test_activities_that_name_no_deal_tell_nothing(touched):
    tables = {**touched.tables, "activities": touched.activities.assign(deal_id=None)}
    tables["activities"]["account_id"] = None
    tables["activities"] = tables["activities"].astype({"deal_id": "str", "account_id": "str"})
    found = pipeline.untouched(type(touched)(touched.settings, tables))
    assert found.table.empty
    assert "not known" in found.headline


# --- slipping


@pytest.fixture
def moved():
    deals = [
        deal("A", "R1", "2026-01-10", "Demo", amount=50.0, expected_close_on="2026-07-15"),
        deal("B", "R1", "2026-01-10", "Demo", amount=60.0, expected_close_on="2026-06-20"),
        deal("C", "R2", "2026-01-10", "Demo", amount=70.0, expected_close_on="2026-08-20"),
    ]
    deals += [deal("W", "R2", "2026-03-20", "Offer", "won", expected_close_on="2026-04-30")]
    changes = [
        ("A", "2026-01-10", "2026-04-30"),
        ("A", "2026-04-20", "2026-05-31"),  # a push of 31 days
        ("A", "2026-05-20", "2026-05-25"),  # earlier
        ("A", "2026-06-01", "2026-07-15"),  # a push of 51 days
        ("B", "2026-01-10", "2026-06-10"),
        ("B", "2026-06-01", "2026-06-20"),  # within the month
        ("C", "2026-01-10", "2026-08-20"),
        ("W", "2026-03-20", "2026-04-30"),
    ]
    log = pd.DataFrame(changes, columns=["deal_id", "changed_at", "expected_close_on"])
    return team_of(deals, close_date_changes=log)


def test_pushes_and_passed_dates_of_open_deals(moved):
    found = pipeline.slipping(moved)
    rows = found.table.set_index("deal_id")
    assert list(rows.index) == ["B", "A"]
    assert rows.loc["A", ["n_pushes", "pushed_days"]].tolist() == [2, 82]
    assert rows.loc["A", "first_close_on"] == pd.Timestamp("2026-04-30")
    assert rows.loc["B", ["n_pushes", "overdue_days"]].tolist() == [0, 10]
    assert pd.isna(rows.loc["A", "overdue_days"])


def test_slippage_counts_what_was_due_when_the_quarter_began(moved):
    # Due in April to June on 31 March: A, B and W; A and B were still open on 30 June.
    headline = pipeline.slipping(moved, starts_on="2026-04-01").headline
    assert headline.startswith("Of 3 deals due in a quarter when it began")
    assert "67%" in headline


# --- hygiene


def test_what_to_tidy_up_is_counted_by_rep():
    deals = [
        deal("A", "R2", "2026-06-01", "Demo", expected_close_on="2026-06-29", amount=5.0),
        deal("B", "R2", "2026-06-01", "Demo", expected_close_on="2026-06-30", amount=0.0),
        deal("C", "R1", "2026-06-01", "Demo", amount=5.0),
        deal("D", "R1", "2026-06-01", "Qualify", amount=np.nan),
        deal("W", "R3", "2026-05-01", "Offer", "won", amount=5.0),
    ]
    activities = pd.DataFrame([activity(1, "C", "2026-07-01", None, "meeting")])
    team = team_of(deals, activities=activities)
    changes = team.stage_changes
    is_jump = (changes["deal_id"] == "B") & (changes["stage"] == "Qualify")
    team = type(team)(team.settings, {**team.tables, "stage_changes": changes[~is_jump]})
    found = pipeline.hygiene(team)
    rows = found.table.set_index("rep_id")
    assert list(rows.index) == ["R1", "R2"]
    # None of the first rep's deals has a close date: whether it has passed cannot be told.
    np.testing.assert_array_equal(rows.loc["R1"], [2, 1, 1, np.nan, 1, 0])
    assert rows.loc["R2"].tolist() == [2, 2, 2, 1, 1, 1]
    assert found.headline.startswith("3 of 4 open deals")


def test_what_cannot_be_told_is_blank_and_said(sitting):
    found = pipeline.hygiene(sitting)
    assert found.table[["n_no_next_step", "n_overdue"]].isna().all(axis=None)
    assert "The data set cannot tell: nothing booked ahead, close date passed." in found.caveats
    assert found.headline.endswith("as far as the data set can tell.")


# --- coverage


def test_coverage_against_what_is_left_of_the_quota():
    deals = [
        deal("W", "R1", "2026-05-01", "Offer", "won", amount=100.0),  # closed on 31 May
        deal("L", "R1", "2026-04-01", "Offer", "lost", amount=300.0),
        deal("A", "R1", "2026-06-01", "Demo", amount=150.0, expected_close_on="2026-08-01"),
        deal("B", "R1", "2026-06-01", "Demo", amount=999.0, expected_close_on="2026-10-01"),
        deal("C", "R2", "2026-06-01", "Demo", amount=70.0, expected_close_on="2026-09-30"),
    ]
    rows = [(rep, "2026-07-01", "2026-09-30", 100.0) for rep in ("R1", "R2")]
    quotas = pd.DataFrame(rows, columns=["rep_id", "starts_on", "ends_on", "amount"])
    found = pipeline.coverage(team_of(deals, quotas=quotas))
    rows = found.table
    assert rows["scope"].tolist() == ["team", "rep", "rep"]
    assert rows["due_amount"].tolist() == [220, 150, 70]  # B is due later
    assert rows["left_amount"].tolist() == [200, 100, 100]
    np.testing.assert_allclose(rows["coverage_ratio"], [1.1, 1.5, 0.7])
    np.testing.assert_allclose(rows["required_ratio"], 4)  # 100 won of 400 decided
    assert "1.1 times" in found.headline


def test_a_quota_that_is_met_needs_no_ratio():
    deals = [deal("W", "R1", "2026-04-20", "Offer", "won", amount=100.0)]  # closed on 20 May
    quotas = pd.DataFrame([("R1", "2026-04-01", "2026-06-30", 80.0)])
    quotas.columns = ["rep_id", "starts_on", "ends_on", "amount"]
    team = team_of(deals, quotas=quotas, as_of=pd.Timestamp("2026-06-10"))
    found = pipeline.coverage(team, rep="R1")
    assert found.table["status"].tolist() == ["met"]
    assert found.table["coverage_ratio"].isna().all()
    assert found.headline == "The quota of the quarter to 30 June 2026 is met."


# --- waterfall


@pytest.fixture
def flowing():
    """What happens in April to June; a deal closes thirty days after it began."""
    deals = [
        deal("stays", "R1", "2026-01-01", "Demo", amount=1.01, expected_close_on="2026-06-15"),
        deal("pushed", "R1", "2026-01-01", "Demo", amount=2.02, expected_close_on="2026-09-15"),
        deal("pulled", "R1", "2026-01-01", "Demo", amount=4.04, expected_close_on="2026-06-15"),
        deal("won", "R2", "2026-03-20", "Offer", "won", amount=8.08),
        deal("lost", "R2", "2026-03-20", "Offer", "lost", amount=16.16),
        deal("new", "R2", "2026-06-20", "Demo", amount=32.32, expected_close_on="2026-06-30"),
        deal("quick", "R2", "2026-04-20", "Offer", "won", amount=64.64),
        deal("later", "R2", "2026-06-20", "Demo", amount=128.28, expected_close_on="2026-12-31"),
        deal("before", "R2", "2026-01-20", "Offer", "won", amount=999.0),
    ]
    for row in deals:
        row.setdefault("expected_close_on", "2026-05-31")
    changes = [
        ("pushed", "2026-01-01", "2026-05-15"),
        ("pushed", "2026-05-15", "2026-09-15"),
        ("pulled", "2026-01-01", "2026-09-15"),
        ("pulled", "2026-04-15", "2026-06-15"),
    ]
    log = pd.DataFrame(changes, columns=["deal_id", "changed_at", "expected_close_on"])
    return team_of(deals, close_date_changes=log)


def test_every_step_from_one_day_to_another(flowing):
    rows = pipeline.waterfall(flowing).table.set_index("step")
    assert rows["n_deals"].to_dict() == {
        "start": 5, "new": 3, "won": -2, "lost": -1, "pushed": 0, "pulled_in": 0, "resized": 0,
        "end": 5,
    }  # fmt: skip
    assert rows["n_due"].to_dict() == {
        "start": 4, "new": 2, "won": -2, "lost": -1, "pushed": -1, "pulled_in": 1, "resized": 0,
        "end": 3,
    }  # fmt: skip
    due = rows["due_amount"].round(2).to_dict()
    assert due["start"] == 27.27  # stays, pushed, won, lost
    assert due["new"] == 96.96  # new, quick
    assert (due["won"], due["lost"]) == (-72.72, -16.16)
    assert (due["pushed"], due["pulled_in"]) == (-2.02, 4.04)
    assert due["end"] == 37.37


@pytest.mark.parametrize("options", [{}, {"rep": "R1"}, {"due_by": "2026-12-31"}])
def test_the_steps_add_up_to_the_cent(flowing, small, options):
    spans = [{}, {"starts_on": "2026-02-10", "ends_on": "2026-05-20"}]
    for team, span in [(flowing, spans[0]), (flowing, spans[1]), (small, spans[0])]:
        given = {**options, **span}
        if "rep" in given:
            given["rep"] = team.deals["rep_id"].min()
        rows = pipeline.waterfall(team, **given).table.set_index("step")
        for column in ("n_deals", "amount", "n_due", "due_amount"):
            steps = rows[column].drop("end").sum()
            assert abs(steps - rows.loc["end", column]) < 0.005


def test_a_deal_handed_over_leaves_one_rep_and_comes_to_the_other(flowing):
    tables = {**flowing.tables, "deals": flowing.deals}
    is_stays = tables["deals"]["deal_id"] == "stays"
    tables["deals"]["rep_id"] = tables["deals"]["rep_id"].mask(is_stays, "R3")
    changes = flowing.stage_changes
    move = {"deal_id": "stays", "stage": "Demo", "entered_at": "2026-05-05", "rep_id": "R3"}
    move["entered_at"] = pd.Timestamp(move["entered_at"]).as_unit("us")
    tables["stage_changes"] = pd.concat([changes, pd.DataFrame([move])], ignore_index=True)
    team = type(flowing)(flowing.settings, tables)
    left = pipeline.waterfall(team, rep="R1").table.set_index("step")
    came = pipeline.waterfall(team, rep="R3").table.set_index("step")
    assert left.loc["handed_over", ["n_deals", "amount"]].tolist() == [-1, -1.01]
    assert came.loc["handed_over", ["n_deals", "amount"]].tolist() == [1, 1.01]
    assert "handed_over" not in pipeline.waterfall(team).table["step"].tolist()


def test_an_earlier_export_shows_what_was_resized_and_removed(flowing, tmp_path):
    then = flowing.at("2026-03-31")
    deals = then.deals
    deals["amount"] = deals["amount"].mask(deals["deal_id"] == "stays", 1.00)
    extra = deals[deals["deal_id"] == "stays"].assign(deal_id="gone", amount=5.0)
    deals = pd.concat([deals, extra], ignore_index=True)
    type(then)(then.settings, {**then.tables, "deals": deals}).save(tmp_path / "march")
    rows = pipeline.waterfall(flowing, earlier=str(tmp_path / "march")).table.set_index("step")
    assert round(rows.loc["resized", "amount"], 2) == 0.01
    assert rows.loc["removed", ["n_deals", "amount"]].tolist() == [-1, -5]
    assert abs(rows["amount"].drop("end").sum() - rows.loc["end", "amount"]) < 0.005


def test_what_resized_cannot_know_is_said(flowing):
    assert any("Amounts have no history" in said for said in pipeline.waterfall(flowing).caveats)


def test_a_day_that_cannot_be_read_is_named(flowing):
    with pytest.raises(DataError, match="soon"):
        pipeline.waterfall(flowing, due_by="soon")


# --- velocity


def test_velocity_is_that_of_the_metrics(small):
    from salesnb import metrics

    pd.testing.assert_frame_equal(pipeline.velocity(small).table, metrics.velocity(small).table)


# --- somebody else's export


@pytest.fixture(scope="module")
def maven(maven_source, tmp_path_factory):
    import salesnb
    from salesnb import importers

    folder = tmp_path_factory.mktemp("maven") / "team"
    importers.run("maven", maven_source, folder)
    return salesnb.load(folder)


def test_mavens_dead_deals_are_named(maven):
    found = pipeline.stalled(maven)
    assert (found.table["status"] == "dead").sum() == 1291
    assert found.headline.startswith("1,291 of 1,589 open deals (81%")
    assert "dead, by the team's own record" in found.headline


def test_mavens_dead_deals_are_not_forecast_to_be_won(maven):
    table = pipeline.forecast(maven).table.set_index("deal_id")
    dead = pipeline.stalled(maven).table.query("status == 'dead'")["deal_id"]
    assert table.loc[dead, "win_rate"].max() < 0.01
    assert table.drop(dead)["win_rate"].mean() > 0.1
