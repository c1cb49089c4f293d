"""The odds of open deals: by hand, against planted truth, and never from what came later."""

import numpy as np
import pandas as pd
import pytest
from handmade import deal, team_of
from scipy.special import expit
from scramble import scrambled_after

import salesnb
from salesnb import deal_odds, pipeline, stage_model

SEEDS = (201, 202, 203)


def visits(*groups):
    """Visits of one stage: (how many, outcome, days)."""
    rows = [(outcome, float(days)) for n, outcome, days in groups for _ in range(n)]
    found = pd.DataFrame(rows, columns=["outcome", "days"])
    found["deal_id"] = [f"D{i:04d}" for i in range(len(found))]
    return found.assign(rep_id="R1", stage="Only")


def chance(*groups):
    """The chance of the open visits, by their days."""
    found = stage_model.open_odds(visits(*groups))
    return found.groupby("days")["win_logit"].mean().map(expit)


def test_a_new_deal_has_the_chance_of_all_deals():
    found = chance((60, "advanced", 10), (140, "lost", 12), (1, "open", 0))
    assert found[0] == pytest.approx(0.3, abs=0.02)


def test_the_days_tell_who_is_left():
    # Half advance on day 10, half are lost on day 20: on day 15 nobody is left to advance.
    found = chance((100, "advanced", 10), (100, "lost", 20), (2, "open", 5), (2, "open", 15))
    assert found[5] == pytest.approx(0.5, abs=0.05)
    assert found[15] < 0.1


def test_deals_that_nobody_closes_are_not_taken_for_wins_to_come():
    # All that closed were won, within 30 days; the others lie open since 200.
    found = chance((100, "advanced", 30), (300, "open", 200), (5, "open", 1))
    assert found[200] < 0.02
    assert found[1] == pytest.approx(0.25, abs=0.08)


def test_a_later_stage_has_better_odds():
    deals = [deal(f"W{i}", "R1", "2026-01-05", "Offer", "won") for i in range(20)]
    deals += [deal(f"L{i}", "R1", "2026-01-05", "Qualify", "lost") for i in range(20)]
    deals += [deal(f"M{i}", "R1", "2026-01-05", "Demo", "lost") for i in range(20)]
    deals += [
        deal("first", "R1", "2026-06-28", "Qualify"),
        deal("last", "R1", "2026-06-05", "Offer"),
    ]
    table = pipeline.forecast(team_of(deals)).table.set_index("deal_id")
    assert table.loc["first", "win_rate"] < 0.5 < table.loc["last", "win_rate"]


def test_a_trait_written_down_at_the_end_tells_nothing():
    # A third of all deals is won. Only closed ones have a country, and most open ones are dead.
    found = visits((100, "advanced", 10), (100, "lost", 20), (30, "open", 0), (100, "open", 200))
    found["country"] = np.where(found["outcome"] == "open", None, "Hungary")
    odds = stage_model.open_odds(found)
    assert expit(odds.loc[odds["days"] == 0, "win_logit"]).mean() == pytest.approx(0.33, abs=0.04)


def test_without_stage_history_the_age_is_all_there_is():
    deals = [deal(f"W{i}", "R1", "2026-01-05", "Demo", "won") for i in range(50)]
    deals += [deal(f"L{i}", "R1", "2026-01-05", "Offer", "lost") for i in range(50)]
    deals += [deal("new", "R1", "2026-06-29", "Qualify"), deal("old", "R1", "2026-02-01", "Demo")]
    table = pipeline.forecast(team_of(deals, without=("stage_changes",))).table
    rates = table.set_index("deal_id")["win_rate"]
    assert rates["new"] == pytest.approx(0.5, abs=0.1)
    assert rates["old"] < 0.25


def test_the_sum_and_its_range_by_hand():
    now = pd.DataFrame({"deal_id": ["A", "B"], "win_logit": [0.0, 0.0]})
    found = deal_odds.Forecast(now, now, np.zeros((2, 2)))
    deals = pd.DataFrame({"deal_id": ["A", "B"], "amount": [100.0, 100.0], "win_rate": 0.5})
    total, low, high = deal_odds.total(found, deals)
    # Variance 2 x 100^2 / 4, so the range is 100 -+ 1.645 x 70.7, cut at nothing and at all.
    assert (total, low, high) == (100, 0, 200)
    deals["amount"], deals["win_rate"] = [100.0, 1.0], [0.5, 0.5]
    assert deal_odds.total(found, deals)[0] == 50.5


def test_nothing_to_calibrate_on_leaves_the_odds_as_they_are():
    empty = pd.DataFrame({"win_logit": [], "label": [], "deal_id": []}, dtype=float)
    a, covariance = deal_odds.calibration(empty)
    np.testing.assert_allclose(a, [0, 1])
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), [0.15, 0.1])


def test_earlier_days_are_seen_as_they_were(small):
    """The check of the past uses nothing recorded after each day, but for what became of it."""
    day = (small.as_of - pd.Timedelta(days=45)).date().isoformat()
    looks = [
        deal_odds.forecast(team).past.query(f"day == '{day}'").set_index("deal_id")["win_rate"]
        for team in (small, scrambled_after(small, day))
    ]
    pd.testing.assert_series_equal(*looks)


@pytest.fixture(scope="module")
def judged():
    """Forecasts of open deals, with what the dice hold for them."""
    parts = []
    for seed in SEEDS:
        team, truth = salesnb.simulate(
            seed=seed, reps=12, deals_per_rep=100, months=18, tables=["stage_changes", "accounts"]
        )
        found = deal_odds.forecast(team)
        ends = truth.open_deals.set_index("deal_id")["outcome"]
        now = found.now.assign(is_won=(found.now["deal_id"].map(ends) == "won").astype(float))
        view = deal_odds.whole(team)
        now["stage_rate"] = now["stage"].map(deal_odds.stage_rates(view)).astype(float)
        now["historic_rate"] = deal_odds.win_rate(view)["value"].iloc[0]
        parts.append(now)
    return pd.concat(parts)


def test_it_beats_stage_probabilities_and_the_historic_win_rate(judged):
    error = {
        name: ((judged[name] - judged["is_won"]) ** 2).mean()
        for name in ("win_rate", "stage_rate", "historic_rate")
    }
    assert error["win_rate"] < 0.9 * error["historic_rate"]
    assert error["win_rate"] < 0.9 * error["stage_rate"]


def test_it_is_calibrated(judged):
    expected, sd = (
        judged["win_rate"].sum(),
        np.sqrt((judged["win_rate"] * (1 - judged["win_rate"])).sum()),
    )
    assert abs(judged["is_won"].sum() - expected) < 3 * sd
    high = judged["win_rate"] > judged["win_rate"].median()
    assert judged[high]["is_won"].mean() > 2 * judged[~high]["is_won"].mean()
