"""The model of stages: against independent implementations, by hand, and against planted truth."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from pandas.testing import assert_frame_equal
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import norm

import salesnb
from salesnb import importers, leaks, stage_model
from salesnb.stage_model.cells import amounts, log_likelihood
from salesnb.stage_model.chances import REP_VARIANCE, STAGE_VARIANCE
from salesnb.stage_model.covariates import covariates
from salesnb.stage_model.shrink import NODES, shrink, tiers

FIRM = ("act", "look")


def made(
    shift: np.ndarray,
    n: int = 150,
    base: float = 0.6,
    seed: int = 0,
    slow: np.ndarray | float = 1.0,
    late: np.ndarray | float = 1.0,
    never: np.ndarray | float = 0.0,
    window: float = 400.0,
) -> pd.DataFrame:
    """Visits of `n` deals a rep through the stages of `shift` (reps x stages).

    slow, late : factor on all days, and on those of lost deals, by rep
    never : share of lost deals, by rep, that nobody closes
    """
    dice = np.random.default_rng(seed)
    n_reps, n_stages = shift.shape
    rep = np.repeat(np.arange(n_reps), n)
    slow, late, never = (np.broadcast_to(each, n_reps)[rep] for each in (slow, late, never))
    segment, amount = dice.integers(0, 3, len(rep)), np.exp(dice.normal(9, 0.7, len(rep)))
    now, is_here, rows = dice.uniform(0, window, len(rep)), np.ones(len(rep), bool), []
    for stage in range(n_stages):
        logit = np.log(base / (1 - base)) + shift[rep, stage] + 0.5 * (segment - 1)
        is_won = dice.random(len(rep)) < expit(logit)
        days = np.exp(dice.normal(np.log(np.where(is_won, 10, 20 * late)), 0.7)) * slow
        days = np.where(~is_won & (dice.random(len(rep)) < never), 1e4, days)
        is_open = now + days > window
        outcome = np.where(is_open, "open", np.where(is_won, "advanced", "lost"))
        rows.append(
            pd.DataFrame(
                {
                    "deal_id": np.char.add("D", np.arange(len(rep)).astype(str)),
                    "rep_id": [f"R{code:02d}" for code in rep],
                    "stage": f"S{stage}",
                    "outcome": outcome,
                    "days": np.where(is_open, np.maximum(window - now, 0.0), days),
                    "amount": amount,
                    "segment": segment.astype(str),
                    "month": (now // 30).astype(int),
                }
            )[is_here]
        )
        is_here, now = is_here & is_won & ~is_open, now + days
    return pd.concat(rows, ignore_index=True)


def cells(visits: pd.DataFrame) -> pd.DataFrame:
    return stage_model.cells(stage_model.fit(visits))


@pytest.fixture(scope="module")
def planted() -> pd.DataFrame:
    """Ten reps at two stages; R03 leaks at S0, R07 at S1."""
    shift = np.zeros((10, 2))
    shift[3, 0], shift[7, 1] = -1.1, -1.2
    return made(shift, n=250)


def test_ridge_logit_is_that_of_a_general_optimiser(planted):
    visits = planted[(planted["stage"] == "S0") & (planted["outcome"] != "open")]
    fit = stage_model.fit(visits.drop(columns="month"))
    chances = fit.chances
    own = np.eye(chances.own.shape[1])[chances.codes].sum(axis=1)
    reps = np.eye(len(fit.reps))[fit.rep]
    y = fit.is_advanced.astype(float)
    # One stage: what is common and what is its own add up to one normal effect.
    spread = (chances.own_variance + chances.common_variance)[chances.covariate]
    x = np.column_stack([np.ones(len(y)), own, reps])
    variance = np.r_[STAGE_VARIANCE, spread, np.full(len(fit.reps), REP_VARIANCE)]

    def loss(beta: np.ndarray) -> float:
        logit = x @ beta
        return np.logaddexp(0, logit).sum() - y @ logit + 0.5 * (beta**2 / variance).sum()

    best = minimize(loss, np.zeros(x.shape[1]), method="BFGS", options={"gtol": 1e-6}).x
    np.testing.assert_allclose(chances.shift[0], best[-len(fit.reps) :], atol=0.01)
    np.testing.assert_allclose(chances.logit, x @ best, atol=0.01)


def test_a_cells_likelihood_peaks_where_statsmodels_says(planted):
    visits = planted[planted["outcome"] != "open"]
    fit = stage_model.fit(visits)
    log, typical = log_likelihood(fit), fit.chances.typical()
    for stage, rep in ((0, 3), (1, 7), (1, 2)):
        own = (fit.stage == stage) & (fit.rep == rep)
        alone = sm.GLM(
            fit.is_advanced[own].astype(float),
            np.ones(own.sum()),
            family=sm.families.Binomial(),
            offset=typical[own],
        ).fit()
        best = np.interp(NODES, NODES, log[stage, rep]).argmax()
        around = np.polyfit(NODES[best - 1 : best + 2], log[stage, rep][best - 1 : best + 2], 2)
        assert -around[1] / (2 * around[0]) == pytest.approx(alone.params[0], abs=0.03)
        assert -1 / (2 * around[0]) == pytest.approx(alone.bse[0] ** 2, rel=0.1)


def test_an_open_visit_is_a_mixture_of_both_outcomes(planted):
    fit = stage_model.fit(planted)
    still = fit.times.open
    if_advanced, if_lost = fit.times.log_survival()
    own = (fit.stage == 0) & (fit.rep == 5)
    assert fit.is_open[own].any()

    def by_hand(shift: float) -> float:
        p = expit(fit.chances.typical() + shift)
        log = np.where(fit.is_advanced, np.log(p), np.log(1 - p))
        log[still] = np.log(p[still] * np.exp(if_advanced) + (1 - p[still]) * np.exp(if_lost))
        return log[own].sum()

    found = log_likelihood(fit)[0, 5]
    for one, other in ((14, 16), (16, 20)):
        want = by_hand(NODES[one]) - by_hand(NODES[other])
        assert found[one] - found[other] == pytest.approx(want, abs=1e-6)


def test_censored_times_are_those_of_maximum_likelihood():
    dice = np.random.default_rng(3)
    days, until = np.exp(dice.normal(3, 0.8, 3000)), dice.uniform(5, 80, 3000)
    is_open = days > until
    visits = pd.DataFrame(
        {
            "deal_id": np.arange(3000),
            "rep_id": "R1",
            "stage": "S",
            "outcome": np.where(is_open, "open", "advanced"),
            "days": np.minimum(days, until),
        }
    )
    times = stage_model.fit(visits).times

    def loss(at: np.ndarray) -> float:
        z = (np.log(np.minimum(days, until)) - at[0]) / np.exp(at[1])
        return -np.where(is_open, norm.logsf(z), norm.logpdf(z) - at[1]).sum()

    middle, log_scale = minimize(loss, np.array([2.5, 0.0])).x
    assert times.middle[0] == pytest.approx(middle, abs=0.06)
    assert times.scale[0] == pytest.approx(np.exp(log_scale), rel=0.06)
    curve = sm.SurvfuncRight(np.minimum(days, until), (~is_open).astype(int))
    z = (np.log(curve.surv_times) - times.middle[0]) / times.scale[0]
    ours = np.interp(z, (np.arange(120) - 59.5) * 0.1, times.survival[0])
    at_risk = curve.surv_prob > 0.1
    assert np.abs(ours - curve.surv_prob)[at_risk].max() < 0.03


def test_the_weak_posterior_is_the_conjugate_one():
    # Thirty typical reps known exactly hold the centre at 0.
    estimate, variance = np.r_[np.zeros(30), -0.8], np.r_[np.full(30, 1e-3), 0.09]
    log = -0.5 * (NODES - estimate[:, None]) ** 2 / variance[:, None]
    posterior = shrink(log[None])
    kept = 0.49 / (0.49 + 0.09)
    mean, sd = -0.8 * kept, np.sqrt(0.09 * kept)
    assert posterior.centre[0] == pytest.approx(0, abs=0.01)
    for q in (0.05, 0.5, 0.95):
        assert posterior.quantile(q)[0, -1] == pytest.approx(norm.ppf(q, mean, sd), abs=0.02)
    assert posterior.below()[0, -1] + posterior.above()[0, -1] < 1
    assert (posterior.mean()[0, :30] < 0.02).all()


def test_many_leaks_do_not_drag_the_typical_rep():
    dice = np.random.default_rng(5)
    true = np.where(np.arange(100) < 40, dice.uniform(-1.2, -0.5, 100), 0.0)
    seen = true + dice.normal(0, 0.15, 100)
    log = -0.5 * (NODES - seen[:, None]) ** 2 / 0.15**2
    posterior = shrink(log[None])
    assert abs(posterior.centre[0]) < 0.05 < abs(np.median(seen))
    assert (posterior.mean()[0, :40] < -0.2).mean() > 0.95


def test_a_cell_without_data_says_nothing():
    log = np.zeros((1, 6, len(NODES)))
    log[0, :5] = -0.5 * (NODES / 0.2) ** 2
    posterior = shrink(log)
    assert posterior.quantile(0.5)[0, 5] == pytest.approx(0, abs=0.05)
    assert posterior.quantile(0.95)[0, 5] > 1
    assert posterior.below()[0, 5] < 0.5


def test_tiers_by_hand():
    p = np.array([0.30, 0.99, 0.80, 0.97, 0.90, 0.60, 0.995])
    enough = np.array([True] * 6 + [False])
    # Among those named: .01, .02, .047 -> act; (.01 + .03 + .10 + .20) / 4 = .085 -> look.
    want = ["", "act", "look", "act", "act", "watch", "too_few"]
    assert tiers(p[None], enough[None])[0].tolist() == want
    # A single .76 among sure ones is within 10 % taken together; alone it is still named.
    assert tiers(np.array([[0.999] * 9 + [0.74]]), np.ones((1, 10), bool))[0, -1] == "watch"


def test_planted_leaks_are_found_and_priced(planted):
    found = cells(planted).set_index(["rep_id", "stage"])
    assert found["tier"].isin(FIRM).sum() == 2
    for rep, stage, true in (("R03", "S0", -1.1), ("R07", "S1", -1.2)):
        cell = found.loc[rep, stage]
        assert cell["tier"] == "act"
        assert cell["shift_low"] < true < cell["shift_high"]
        assert cell["lost_low"] < cell["lost_amount"] < cell["lost_high"]
    cell, deals = found.loc["R07", "S1"], planted[planted["stage"] == "S1"]
    own = deals[deals["rep_id"] == "R07"]
    typical = np.log(0.6 / 0.4) + 0.5 * (own["segment"].astype(int) - 1)
    lost = (own["amount"] * (expit(typical) - expit(typical - 1.2))).sum()
    assert cell["lost_amount"] == pytest.approx(lost, rel=0.25)
    assert cell["typical_rate"] == pytest.approx(expit(typical).mean(), abs=0.04)
    assert cell["advance_rate"] == pytest.approx(expit(typical - 1.2).mean(), abs=0.08)


def test_at_the_last_stage_the_lost_amount_is_the_gap_in_the_rate(planted):
    found = cells(planted.assign(amount=100.0))
    last = found[found["stage"] == "S1"]
    gap = last["typical_rate"] - last["advance_rate"]
    np.testing.assert_allclose(last["lost_amount"], 100 * last["n_visits"] * gap, rtol=1e-6)
    first = found[found["stage"] == "S0"]
    gap = (first["typical_rate"] - first["advance_rate"]).abs()
    # What is lost early might have been lost later anyway.
    assert (first["lost_amount"].abs() < 100 * first["n_visits"] * gap).all()


def test_teams_without_leaks_are_left_alone():
    for seed in range(6):
        for window in (150.0, 400.0):
            found = cells(made(np.zeros((8, 3)), n=120, seed=seed, window=window))
            assert not found["tier"].isin(FIRM).any()
            assert not found["strength_tier"].isin(FIRM).any()


def test_who_is_slow_to_close_lost_deals_is_no_better_and_no_worse():
    some = np.arange(12) % 3 == 0
    for habit in ({"late": np.where(some, 4.0, 1.0)}, {"never": np.where(some, 0.6, 0.0)}):
        for seed in range(3):
            fit = stage_model.fit(made(np.zeros((12, 2)), n=200, seed=seed, **habit))
            found = stage_model.cells(fit)
            assert not found["tier"].isin(FIRM).any()
            assert not found["strength_tier"].isin(FIRM).any()
            slow = stage_model.slowness(fit)
            assert not slow["tier"].isin(FIRM).any()
            late = slow[slow["late_tier"].isin(FIRM)]["rep_id"].unique()
            assert set(late) <= {f"R{code:02d}" for code in np.flatnonzero(some)}
            if "late" in habit:
                assert len(late) == some.sum()
            else:
                assert fit.times.never_closed[some].min() > fit.times.never_closed[~some].max()


def test_slow_reps_are_found():
    slow = np.where(np.arange(10) == 4, 1.8, 1.0)
    found = stage_model.slowness(stage_model.fit(made(np.zeros((10, 2)), n=200, slow=slow)))
    named = found[found["tier"].isin(FIRM)]
    assert set(named["rep_id"]) == {"R04"}
    assert named["time_ratio"].between(1.4, 2.2).all()
    assert ((named["time_low"] < 1.8) & (named["time_high"] > 1.8)).all()
    assert found["typical_days"].between(7, 13).all()


def test_the_order_of_rows_does_not_matter(planted):
    turned = planted.sample(frac=1, random_state=1)
    one, other = stage_model.fit(planted), stage_model.fit(turned)
    assert_frame_equal(stage_model.cells(one), stage_model.cells(other), check_exact=True)
    assert_frame_equal(stage_model.slowness(one), stage_model.slowness(other), check_exact=True)


def test_ten_times_the_amounts_change_amounts_alone(planted):
    before, after = cells(planted), cells(planted.assign(amount=planted["amount"] * 10))
    for column in before:
        if column.startswith("lost_"):
            np.testing.assert_allclose(after[column], 10 * before[column], rtol=1e-9)
        else:
            pd.testing.assert_series_equal(after[column], before[column], check_exact=True)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda v: v.iloc[:0], id="empty"),
        pytest.param(lambda v: v.iloc[:1], id="one visit"),
        pytest.param(lambda v: v[v["stage"] == "S0"], id="one stage"),
        pytest.param(lambda v: v[v["rep_id"] == "R03"], id="one rep"),
        pytest.param(lambda v: v.assign(outcome="open"), id="all open"),
        pytest.param(lambda v: v.assign(outcome="advanced"), id="all advanced"),
        pytest.param(lambda v: v.assign(outcome="lost"), id="all lost"),
        pytest.param(lambda v: v.assign(days=np.nan), id="no days"),
        pytest.param(lambda v: v.assign(days=0.0), id="same day"),
        pytest.param(lambda v: v.assign(amount=np.nan), id="no amounts"),
        pytest.param(lambda v: v.assign(segment=None), id="no segments"),
        pytest.param(lambda v: v.drop(columns=["amount", "segment", "month"]), id="bare"),
    ],
)
def test_odd_tables_give_sane_answers(planted, change):
    visits = change(planted)
    fit = stage_model.fit(visits)
    found, slow = stage_model.cells(fit), stage_model.slowness(fit)
    assert list(found) == list(cells(planted))
    assert found["n_visits"].sum() == len(visits)
    for rate in ("advance_rate", "advance_low", "advance_high", "typical_rate"):
        assert found[rate].between(0, 1).all()
    assert (found["advance_low"] <= found["advance_rate"] + 1e-9).all()
    assert found["shift_logit"].between(-3, 3).all()
    assert slow["time_ratio"].between(0.05, 20).all()
    has_amounts = len(visits) and visits.get("amount", pd.Series(dtype=float)).notna().any()
    assert found["lost_amount"].notna().all() == bool(has_amounts or not len(visits))
    if not visits["outcome"].isin(["lost"]).any() or not visits["outcome"].isin(["advanced"]).any():
        assert not found["tier"].isin(FIRM).any()


def test_few_deals_are_too_few_to_say():
    found = cells(made(np.full((6, 1), 0.0), n=39))
    assert (found["tier"] == "too_few").all()
    assert (found["strength_tier"] == "too_few").all()
    found = cells(made(np.full((6, 1), 0.0), n=40))
    assert not (found["tier"] == "too_few").any()


def test_above_40_percent_open_the_amount_is_an_upper_bound(planted):
    found = cells(planted)
    share = found["n_open"] / found["n_visits"]
    assert (found["is_upper_bound"] == (share > 0.4)).all()
    fresh = cells(made(np.zeros((4, 1)), window=15.0))
    assert fresh["is_upper_bound"].all()


def test_missing_amounts_count_at_the_mean_of_the_segment():
    visits = pd.DataFrame(
        {"segment": ["a", "a", "b", None], "amount": [10.0, np.nan, np.nan, 40.0]}
    )
    filled, is_missing = amounts(visits)
    assert filled.tolist() == [10, 10, 25, 40]
    assert is_missing.tolist() == [False, True, True, False]


def test_what_was_written_down_after_the_end_is_no_covariate(planted):
    lost = planted.groupby("deal_id")["outcome"].transform(lambda o: (o == "lost").any())
    told = planted.assign(competitor=np.where(lost, "Acme", None))
    assert "segment" in covariates(told).names
    assert "competitor" not in covariates(told).names
    half = np.arange(len(told)) % 2 == 0
    assert "competitor" in covariates(planted.assign(competitor=np.where(half, "A", "B"))).names


def test_the_mix_of_deals_is_no_leak():
    """A rep with the hardest segment only is not worse than the others."""
    easy = made(np.zeros((9, 1)), n=300, seed=4)
    hard = easy[easy["segment"] == "0"].groupby("rep_id").head(25)
    one = hard.assign(rep_id="R99", deal_id="X" + hard["deal_id"])
    found = cells(pd.concat([easy, one])).set_index("rep_id")
    rates = [decided["outcome"].eq("advanced").mean() for decided in (easy, one)]
    by_chance = np.sqrt(rates[0] * (1 - rates[0]) / len(one))
    assert rates[1] < rates[0] - 1.96 * by_chance, "a raw comparison would name this rep"
    assert found.loc["R99", "tier"] == ""
    assert found.loc["R99", "typical_rate"] == pytest.approx(expit(np.log(1.5) - 0.5), abs=0.06)


@pytest.fixture(scope="module")
def simulated() -> list:
    """Teams with every trouble of real ones, and their truth."""
    tables = ("stage_changes", "accounts")
    return [
        salesnb.simulate(seed=seed, reps=20, deals_per_rep=250, tables=tables)
        for seed in (11, 12, 13)
    ]


def test_simulated_teams_are_read_rightly(simulated):
    keys, parts = ["rep_id", "stage"], []
    for team, truth in simulated:
        true = truth.skills[[*keys, "mean_shift_logit", "lost_amount"]]
        true = true.rename(columns={"mean_shift_logit": "shift", "lost_amount": "true_lost"})
        true = true.astype(dict.fromkeys(keys, "str"))
        parts.append(leaks.cells(team).merge(true, on=keys, validate="1:1"))
    found = pd.concat(parts, ignore_index=True)
    flagged, is_leak = found["tier"].isin(FIRM), found["shift"] <= -0.3
    assert (flagged & ~is_leak).sum() <= 0.15 * flagged.sum()
    assert found["true_lost"][flagged & is_leak].sum() > 0.5 * found["true_lost"][is_leak].sum()
    inside = found["shift"].between(found["shift_low"], found["shift_high"])
    assert 0.85 < inside[found["n_visits"] >= 40].mean() < 0.98
    ratio = found["lost_amount"][flagged].sum() / found["true_lost"][flagged].sum()
    assert 0.75 < ratio < 1.35


def test_a_team_is_asked_once(simulated):
    team = simulated[0][0]
    first = leaks.cells(team)
    first["tier"] = "changed"
    assert not (leaks.cells(team)["tier"] == "changed").any()
    assert leaks.fitted(team) is leaks.fitted(team)


def test_maven_has_no_best_and_no_worst_rep(maven_source, tmp_path):
    importers.run("maven", maven_source, tmp_path / "maven")
    team = salesnb.load(tmp_path / "maven")
    found = leaks.cells(team)
    assert len(found) == 30
    assert not found["tier"].isin([*FIRM, "watch"]).any()
    assert not found["strength_tier"].isin([*FIRM, "watch"]).any()
