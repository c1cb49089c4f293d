"""Intervals, medians and incidence against statsmodels, SciPy, arithmetic on paper and chance."""

import numpy as np
import pytest
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight
from statsmodels.stats.proportion import proportion_confint, proportions_ztest

from salesnb import stats

ONE = np.zeros(6, dtype=int)


@pytest.mark.parametrize(("hits", "n"), [(0, 5), (3, 10), (10, 10), (411, 1554)])
def test_wilson_is_that_of_statsmodels(hits, n):
    rate = stats.rates(np.array([hits]), np.array([n])).iloc[0]
    low, high = proportion_confint(hits, n, alpha=0.1, method="wilson")
    assert rate["value"] == hits / n
    assert rate["value_low"] == pytest.approx(low, abs=1e-12)
    assert rate["value_high"] == pytest.approx(high, abs=1e-12)


def test_a_rate_without_cases_is_unknown():
    assert stats.rates(np.array([0]), np.array([0])).iloc[0, :3].isna().all()


def test_quantiles_are_those_of_numpy_for_each_group():
    rng = np.random.default_rng(1)
    values, groups = rng.exponential(30, 500), rng.integers(0, 7, 500)
    for q in (0.25, 0.5, 0.8):
        found = stats.quantiles(values, groups, 8, q)
        wanted = [np.quantile(values[groups == group], q) for group in range(7)]
        np.testing.assert_allclose(found["value"][:7], wanted)
        assert np.isnan(found["value"][7])
        known = found.dropna()
        assert (known["value_low"] <= known["value"]).all()
        assert (known["value"] <= known["value_high"]).all()


def test_the_interval_of_a_median_on_paper():
    # Of 10 values the 2nd and the 9th hold the median: P(Binomial(10, 1/2) <= 1) = 11/1024 = 1.1 %
    # lies below 5 %, P(<= 2) = 56/1024 = 5.5 % does not.
    found = stats.quantiles(np.arange(10.0, 110, 10), np.zeros(10, int), 1).iloc[0]
    assert (found["value"], found["value_low"], found["value_high"]) == (55, 20, 90)
    # Of four no two values hold it with 90 %: (1/2)^4 = 6 % on each side.
    few = stats.quantiles(np.arange(4.0), np.zeros(4, int), 1).iloc[0]
    assert few["value"] == 1.5
    assert np.isnan(few["value_low"])
    assert np.isnan(few["value_high"])


def test_incidence_on_paper():
    # Day 20: 1 of 6 lost, 5/6 go on. Day 25: one is censored. Day 30: 1 of 4 won: 5/6 x 1/4 = 5/24.
    # Day 60: 1 of 3 won: 5/8 x 1/3 = 5/24 more. Day 70: 1 of 2 lost. Day 180: censored.
    days = np.array([60, 20, 30, 70, 25, 180])
    event = np.array([1, 2, 1, 2, 0, 0])
    curve = stats.incidence(days, event, ONE)
    np.testing.assert_allclose(curve["incidence"], [0, 0, 5 / 24, 10 / 24, 10 / 24, 10 / 24])
    assert stats.incidence_by(curve, 1, day=30)["value"][0] == pytest.approx(5 / 24)
    assert np.isnan(stats.incidence_by(curve, 1, day=19)["value"][0])


@pytest.fixture
def waits():
    rng = np.random.default_rng(5)
    n = 400
    return (
        rng.geometric(0.03, n),
        rng.choice([0, 1, 2], n, p=[0.3, 0.3, 0.4]),
        rng.integers(0, 3, n),
    )


def test_incidence_and_its_error_are_those_of_statsmodels(waits):
    days, event, _ = waits
    curve = stats.incidence(days, event, np.zeros(len(days), int))
    reference = CumIncidenceRight(days, event)
    np.testing.assert_allclose(curve["incidence"], reference.cinc[0], atol=1e-12)
    place = len(curve) // 2
    seen, final = curve[: place + 1], np.full(place + 1, curve["incidence"][place])
    error = np.sqrt(stats._variance_terms(seen, final).sum())
    assert error == pytest.approx(reference.cinc_se[0][place], rel=1e-9)


def test_waiting_times_are_those_of_statsmodels_in_every_group(waits):
    days, event, groups = waits
    found = stats.waiting_time(stats.incidence(days, event, groups), 3, 0.5)
    for group in range(3):
        one = groups == group
        reference = SurvfuncRight(days[one], (event[one] > 0).astype(int))
        assert found["value"][group] == reference.quantile(0.5)
        # Of so many cases another well-founded band, log(-log), is hardly another.
        low, high = reference.quantile_ci(0.5, alpha=0.1)
        assert abs(found["value_low"][group] - low) <= 2
        assert abs(found["value_high"][group] - high) <= 3


@pytest.mark.parametrize("n", [3, 4, 5, 8, 12, 40])
def test_the_interval_of_a_median_wait_is_that_of_the_sign_test_where_all_is_known(n):
    days, one = np.arange(1.0, n + 1), np.zeros(n, int)
    waited = stats.waiting_time(stats.incidence(days, np.ones(n, int), one), 1)
    assert waited.equals(stats.quantiles(days, one, 1)[waited.columns].astype(waited.dtypes))


@pytest.mark.parametrize(("n", "longest"), [(8, 3.0), (40, 2.0)])
def test_the_interval_of_a_median_wait_covers_the_truth(n, longest):
    # 1,500 groups; waits in whole weeks, so with ties, seen for a while that differs from case to
    # case. With 90 % asked of each, chance takes no more than 1.3 points off.
    rng, n_groups = np.random.default_rng(8), 1_500
    groups = np.repeat(np.arange(n_groups), n)
    wait = np.ceil(rng.exponential(10 / np.log(2), n * n_groups))
    seen = np.ceil(rng.uniform(3, 10 * longest, n * n_groups))
    curve = stats.incidence(np.minimum(wait, seen), (wait <= seen).astype(int), groups)
    found = stats.waiting_time(curve, n_groups)
    covered = (~(found["value_low"] > 10) & ~(found["value_high"] < 10)).mean()
    assert covered >= 0.887
    if n == 40:
        assert covered <= 0.97


def test_a_median_wait_on_paper():
    # Half are through on day 2 and nobody before day 3 ends: the middle of the two.
    curve = stats.incidence(np.array([1, 2, 3, 4]), np.ones(4, int), np.zeros(4, int))
    assert stats.waiting_time(curve, 1)["value"][0] == 2.5
    # Two of three are still waiting: the median is not reached.
    curve = stats.incidence(np.array([1, 9, 9]), np.array([1, 0, 0]), np.zeros(3, int))
    assert np.isnan(stats.waiting_time(curve, 1)["value"][0])


def test_nothing_to_go_by():
    none = np.array([], dtype=int)
    curve = stats.incidence(none, none, none)
    assert stats.incidence_by(curve, 2)["value"].isna().all()
    assert stats.waiting_time(curve, 2)["value"].isna().all()
    assert stats.quantiles(none, none, 2)["value"].isna().all()


def test_the_interval_of_a_censored_rate_covers_the_truth():
    # 600 cohorts of 60: events after exponential waits, 45 % of them the one looked at, seen for
    # a while that differs from case to case.
    rng = np.random.default_rng(3)
    n_groups, n, horizon = 600, 60, 30.0
    groups = np.repeat(np.arange(n_groups), n)
    wait = rng.exponential(20, n_groups * n)
    seen = rng.uniform(10, 60, n_groups * n)
    event = np.where(wait > seen, 0, np.where(rng.random(n_groups * n) < 0.45, 1, 2))
    truth = 0.45 * (1 - np.exp(-horizon / 20))
    curve = stats.incidence(np.minimum(wait, seen), event, groups)
    found = stats.incidence_by(curve, n_groups, horizon)
    covered = ((found["value_low"] <= truth) & (truth <= found["value_high"])).mean()
    assert 0.87 <= covered <= 0.93
    assert found["value"].mean() == pytest.approx(truth, abs=0.005)


def test_a_trend_of_rates_on_paper():
    # 1, 2 and 3 of 10: Cochran-Armitage z = sum (x - 1) k / sqrt(p q sum n (x - 1)^2)
    # = 2 / sqrt(0.2 x 0.8 x 20) = 1.118, p = 0.264.
    direction, p = stats.trend(np.array([0.1, 0.2, 0.3]), np.array([10, 10, 10]), True)
    assert direction == 1
    assert p == pytest.approx(0.2636, abs=1e-4)
    assert np.isnan(stats.trend(np.array([0.1, np.nan, 0.3]), np.array([10, 0, 10]), True)[1])


def test_a_trend_of_amounts_is_kendalls():
    direction, p = stats.trend(np.array([6.0, 5, 4, 3, 2, 1]), np.ones(6), False)
    assert direction == -1
    assert p == pytest.approx(2 / 720)  # one of 6! orders falls throughout, one rises


def test_two_rates_are_compared_as_statsmodels_does():
    p = stats.two_rates_p(0.3, 40, 0.45, 200)
    assert p == pytest.approx(proportions_ztest([12, 90], [40, 200])[1])
    assert stats.two_rates_p(0.0, 5, 0.0, 9) == 1.0
