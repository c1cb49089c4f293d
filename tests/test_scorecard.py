"""The scorecard by hand and against planted truth: no more is said than the evidence holds."""

import numpy as np
import pandas as pd
import pytest
from handmade import REPS, cells, deal, team_of
from statsmodels.stats.proportion import confint_proportions_2indep

import salesnb
from salesnb import DataError, scorecard, standout, stats

LEAK = {
    "tier": "act",
    "leak_probability": 0.99,
    "n_visits": 96.0,
    "advance_rate": 0.41,
    "advance_low": 0.34,
    "advance_high": 0.49,
    "typical_rate": 0.58,
    "lost_amount": 168_000.0,
    "lost_low": 80_000.0,
    "lost_high": 240_000.0,
}
STRENGTH = {"strength_tier": "look", "advance_rate": 0.8, "advance_low": 0.72, "advance_high": 0.87}
DEALS = [
    deal("D1", "R1", "2024-06-30", "Demo", "lost", amount=9_000, account_id="Alfa"),
    deal("D2", "R1", "2026-01-05", "Offer", "won", amount=8_000, account_id="Beta"),
    deal("D3", "R1", "2026-02-05", "Offer", "won", amount=95_000, account_id="Core"),
    deal("D4", "R1", "2026-06-10", "Demo", amount=6_000, account_id="Data"),
    deal("D5", "R2", "2026-06-10", "Demo", amount=6_000, account_id="Echo"),
]


@pytest.fixture
def found(monkeypatch):
    """Makes cells be what a test says they are."""

    def are(what, **options):
        monkeypatch.setattr(standout.leaks, "cells", lambda team: cells(what, **options))

    return are


def test_one_thing_to_work_on_in_money_with_n_and_interval(found):
    found({("R1", "Demo"): LEAK})
    finding = scorecard.work_on(team_of(DEALS), "R1")
    # D1 entered Demo on 2024-07-10: 1.97 years on record, 168,000 / 1.97 = 85,300 a year.
    assert finding.headline == (
        "Ágnes Kiss: deals stop more often than expected at Demo: 41% move on (34%–49%, n = 96) "
        "where 58% of the same deals would with a typical rep; "
        "about €85,200 (€40,600–€122,000) a year."
    )
    table = finding.table.set_index("stage")
    assert list(table.index) == ["Qualify", "Demo", "Offer"]
    assert table.loc["Demo", "lost_amount"] == 168_000
    assert table.loc[["Qualify", "Offer"], "lost_amount"].isna().all()


def test_of_two_leaks_the_larger_in_money_is_the_one(found):
    small = LEAK | {"lost_amount": 1_000.0, "leak_probability": 1.0}
    found({("R1", "Qualify"): small, ("R1", "Demo"): LEAK | {"tier": "look"}})
    assert "expected at Demo" in scorecard.work_on(team_of(DEALS), "R1").headline


def test_a_firm_leak_goes_before_a_larger_one_worth_watching(found):
    found(
        {("R1", "Qualify"): LEAK | {"tier": "watch"}, ("R1", "Demo"): LEAK | {"lost_amount": 5.0}}
    )
    assert "expected at Demo" in scorecard.work_on(team_of(DEALS), "R1").headline


def test_worth_watching_claims_nothing_and_names_no_money(found):
    found({("R1", "Demo"): LEAK | {"tier": "watch"}})
    said = scorecard.work_on(team_of(DEALS), "R1").headline
    assert "worth watching, not yet separated from chance" in said
    assert "€" not in said
    assert "more often than expected" not in said


def test_mostly_open_deals_make_it_an_upper_bound_and_a_short_record_no_year(found):
    found({("R1", "Demo"): LEAK | {"is_upper_bound": True}})
    said = scorecard.work_on(team_of(DEALS[1:]), "R1").headline
    assert "at most about €168,000 (€80,000–€240,000) in the time on record" in said


@pytest.mark.parametrize(
    ("what", "said"),
    [({}, "nothing to work on stands out"), ({"tier": "too_few"}, "too few deals")],
)
def test_nothing_and_too_few_are_said_as_such(found, what, said):
    found({("R1", stage): what for stage in ("Qualify", "Demo", "Offer")})
    headline = scorecard.work_on(team_of(DEALS), "R1").headline
    assert said in headline
    assert "Demo" not in headline


def test_a_strength_is_shown_by_the_deals_won_through_it(found):
    found({("R1", "Demo"): STRENGTH})
    finding = scorecard.strengths(team_of(DEALS), "R1")
    assert list(finding.table["deal_id"]) == ["D3", "D2"]
    assert set(finding.table["stage"]) == {"Demo"}
    assert "from Demo: 80% move on (72%–87%, n = 80) where 61%" in finding.headline
    assert finding.ask[0].endswith("?")
    assert "Core" in finding.ask[0]


def test_two_strengths_are_not_shown_by_the_same_deal(found):
    found({("R1", "Demo"): STRENGTH, ("R1", "Offer"): STRENGTH})
    won = [deal(f"W{i}", "R1", "2026-01-05", "Offer", "won", amount=i) for i in range(1, 6)]
    table = scorecard.strengths(team_of(won), "R1").table
    assert list(table["deal_id"]) == ["W5", "W4", "W3", "W2", "W1"]
    assert list(table["stage"]) == ["Demo"] * 3 + ["Offer"] * 2


def test_without_a_strength_the_deals_won_are_still_good_news(found):
    found({})
    finding = scorecard.strengths(team_of(DEALS), "R1")
    assert "2 deals won in the last year, the largest Core (€95,000)" in finding.headline
    assert finding.table["stage"].isna().all()


def test_a_rep_without_deals_and_a_team_without_history():
    team = team_of(DEALS)
    for verb in (scorecard.strengths, scorecard.work_on, scorecard.profile):
        assert verb(team, "R5").headline == "Eve New: no deals yet."
    assert "too few deals" in scorecard.trend(team, "R5").headline
    bare = team_of(DEALS, without=["stage_changes"])
    finding = scorecard.profile(bare, "R1")
    assert "No stage history" in finding.caveats[0]
    assert "2 deals won" in finding.headline


def test_the_typical_rep_of_a_team_of_three_is_not_shown(found):
    found({("R1", "Demo"): LEAK}, reps=("R1", "R2", "R3"))
    finding = scorecard.work_on(team_of(DEALS), "R1")
    assert finding.table["typical_rate"].isna().all()
    assert "58%" not in finding.headline
    assert "nan" not in finding.headline and "unknown" not in finding.headline


def test_the_profile_holds_every_kind_of_item(found):
    found({("R1", "Demo"): LEAK, ("R1", "Offer"): STRENGTH})
    table = scorecard.profile(team_of(DEALS), "R1").table
    kinds = table.set_index("kind")
    assert kinds.loc["strength", "item"] == "Offer"
    assert kinds.loc["strength", "deals"] == "D3, D2"
    assert pd.isna(kinds.loc["strength", "lost_amount"])
    assert kinds.loc["work_on", "benchmark"] == 0.58
    assert "win_rate" in set(kinds.loc["trend", "item"])
    assert table["value"].dtype == float


def test_the_team_stands_in_order_of_names_and_without_those_who_left(found):
    found(
        {("R2", "Demo"): LEAK, ("R3", "Offer"): STRENGTH, ("R4", "Demo"): LEAK | {"tier": "watch"}}
    )
    reps = pd.DataFrame({"rep_id": [*REPS], "name": [*REPS.values()]})
    reps["left_on"] = [None, None, None, None, "2026-06-01"]
    finding = scorecard.team_view(team_of(DEALS, reps=reps))
    table = finding.table.set_index("rep_id")
    names = ["Ágnes Kiss", "Bob Braun", "Cili Nagy", "Dan Ito"]
    assert list(finding.table["name"]) == names
    assert "R5" not in table.index
    assert (table.loc["R2", "n_leaks"], table.loc["R2", "leak_stage"]) == (1, "Demo")
    assert (table.loc["R4", "n_leaks"], table.loc["R4", "leak_stage"]) == (0, "")
    assert table.loc["R4", "n_watch"] == 1
    assert table.loc["R3", "strengths"] == "Offer"
    assert "stands out for 1, a strength for 1" in finding.headline
    assert not any(name in finding.headline for name in REPS.values())


# The trend


def halves(won_then, lost_then, won_now, lost_now):
    """Deals of R1 closed in the half-year before 2026 and in the first half of 2026."""
    counts = [("A", "2025-09-01", won_then, lost_then), ("B", "2026-03-01", won_now, lost_now)]
    return [
        deal(f"{name}{outcome}{i}", "R1", day, "Offer", outcome, amount=1_000)
        for name, day, won, lost in counts
        for outcome, n in (("won", won), ("lost", lost))
        for i in range(n)
    ]


def test_now_and_then_by_hand(found):
    found({})
    table = scorecard.trend(team_of(halves(6, 14, 12, 13)), "R1").table.set_index("metric")
    row = table.loc["win_rate"]
    assert (row["value"], row["n"]) == (12 / 25, 25)
    assert (row["then"], row["n_then"]) == (6 / 20, 20)
    assert table.loc["won_amount", ["value", "then"]].tolist() == [12_000, 6_000]
    assert table.loc["sales_cycle_days", "value"] == 30
    assert not row["is_apart"]


def test_a_change_is_named_only_beyond_chance(found):
    found({})
    small = scorecard.trend(team_of(halves(6, 14, 12, 13)), "R1").headline
    assert "differs from before by more than chance" in small
    large = scorecard.trend(team_of(halves(3, 37, 33, 7)), "R1").headline
    assert "win rate 82% (n = 40), before 8% (n = 40)" in large.replace("83%", "82%")


def test_months_below_one_are_an_error():
    with pytest.raises(DataError, match="months"):
        scorecard.trend(team_of(DEALS), "R1", months=0)


@pytest.mark.parametrize(
    "counts", [(5, 20, 12, 25), (5, 20, 14, 25), (30, 60, 20, 60), (0, 9, 4, 9), (9, 20, 12, 20)]
)
def test_the_change_agrees_with_newcombe(counts):
    then, n_then, now, n_now = counts
    found = stats.rates(np.array([now, then]), np.array([n_now, n_then]))
    ends = ["value", "value_low", "value_high"]
    row = dict(zip(ends, found.loc[0, ends], strict=True))
    row |= dict(zip(["then", "then_low", "then_high"], found.loc[1, ends], strict=True))
    p = standout.p_of_change(pd.DataFrame([row])).iloc[0]
    low, high = confint_proportions_2indep(
        now, n_now, then, n_then, method="newcomb", compare="diff", alpha=1 - stats.LEVEL
    )
    assert bool(p < 1 - stats.LEVEL) is bool(low > 0 or high < 0)


def test_chance_alone_is_called_a_change_about_as_often_as_it_says():
    rng = np.random.default_rng(7)
    for n, rate in ((20, 0.3), (40, 0.5), (80, 0.2)):
        hits = rng.binomial(n, rate, (2, 4_000))
        now, then = (stats.rates(h, np.full(4_000, n)) for h in hits)
        then.columns = ["then", "then_low", "then_high", "n_then"]
        p = standout.p_of_change(now.join(then))
        assert (p < 0.05).mean() < 0.065
        assert (p < 0.05 / 2).mean() < 0.035


def test_the_same_number_twice_is_no_change():
    same = {"value": 0.0, "value_low": 0.0, "value_high": 0.0}
    row = same | {"then": 0.0, "then_low": 0.0, "then_high": 0.0}
    assert not (standout.p_of_change(pd.DataFrame([row])) < 0.05).any()


# Against planted truth


def test_planted_leaks_and_strengths_are_found_and_nulls_left_alone():
    tables = ["reps", "accounts", "products", "deals", "stage_changes"]
    team, truth = salesnb.simulate(
        seed=4, reps=10, deals_per_rep=200, leak_share=0.2, leak_shift=(-1.8, -1.2), tables=tables
    )
    view = scorecard.team_view(team).table.set_index("rep_id")
    large = truth.leaks[truth.leaks["n_visits"] >= 100]
    flagged = [view.loc[rep, "n_leaks"] > 0 for rep in large["rep_id"]]
    assert len(large) >= 3
    assert np.mean(flagged) >= 0.7
    for rep in view.index[view["n_leaks"] > 0]:
        truly = truth.skills[(truth.skills["rep_id"] == rep) & (truth.skills["shift_logit"] < -0.3)]
        assert len(truly), "a flagged rep has a planted leak"
    null, _ = salesnb.simulate(seed=4, reps=10, deals_per_rep=100, null=True, tables=tables)
    assert (scorecard.team_view(null).table["n_leaks"] == 0).all()
