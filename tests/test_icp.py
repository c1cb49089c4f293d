"""The ideal customer: kinds planted and found, none where there are none, six deals on paper."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from handmade import REPS, deal, team_of

import salesnb
from salesnb import DataError, icp, latent, mixed
from salesnb.companies import odds as kind_odds
from salesnb.companies.customers import customers, traits_of
from salesnb.companies.segments import segments
from salesnb.companies.words import as_said, range_in_words
from salesnb.latent import Traits

TABLES = ("accounts", "products")


def simulated(seed, reps=8, deals_per_rep=130, **more):
    return salesnb.simulate(
        seed=seed, reps=reps, deals_per_rep=deals_per_rep, tables=TABLES,
        coaching_effect=0, course_effect=0, **more,
    )  # fmt: skip


def with_accounts(team, change):
    """The team with other traits of its accounts."""
    accounts = change(team.accounts)
    return replace(team, tables={**team.tables, "accounts": accounts})


def shuffled(accounts, seed=0):
    """The same values of each trait, dealt out anew: nothing goes with anything."""
    dice = np.random.default_rng(seed)
    return accounts.assign(
        **{
            name: dice.permutation(accounts[name].to_numpy())
            for name in accounts
            if name != "account_id"
        }
    )


@pytest.fixture(scope="module")
def planted():
    return simulated(3)


# The mixture, against arithmetic and against what was planted.


def two_kinds(n=200, seed=0):
    """Half the rows about (-2, word 0), half about (+2, word 1), a tenth of all not known."""
    dice = np.random.default_rng(seed)
    kind = np.repeat([0, 1], n // 2)
    x = dice.normal(4.0 * kind - 2, 0.5, n)[:, None]
    word = kind[:, None].copy()
    x[dice.random(n) < 0.1] = np.nan
    word[dice.random(n) < 0.1] = -1
    return Traits(x / 2, word, (2,)), kind


def test_two_kinds_are_found_as_two():
    traits, kind = two_kinds()
    assert latent.number_of_kinds(traits, 6) == 2
    mixture = latent.fit(traits, 2)
    assert latent.alike(kind, mixture.posterior(traits).argmax(1)) > 0.95
    assert latent.stability(traits, mixture) > 0.9
    assert mixture.weight == pytest.approx([0.5, 0.5], abs=0.05)


def test_one_kind_is_found_as_one_whatever_its_shape():
    dice = np.random.default_rng(1)
    x = np.column_stack([dice.exponential(1, 400) - 1, dice.choice([-1.0, 1.0], 400)])
    traits = Traits(x, dice.integers(0, 4, (400, 1)), (4,))
    assert latent.number_of_kinds(traits, 6) == 1


def test_a_row_of_which_nothing_is_known_is_of_each_kind_by_its_share():
    traits, _ = two_kinds()
    mixture = latent.fit(traits, 2)
    unknown = Traits(np.array([[np.nan]]), np.array([[-1]]), (2,))
    assert mixture.posterior(unknown)[0] == pytest.approx(mixture.weight)
    assert mixture.posterior_by(traits.take(np.arange(5)), 0) == pytest.approx(
        mixture.posterior(traits.take(np.arange(5)).alone(0))
    )


def test_likelihood_by_hand():
    """One kind, one number: the mean of 0, 0, 3 weighed with half a case at 0 is 6/7."""
    traits = Traits(np.array([[0.0], [0.0], [3.0]]), np.empty((3, 0), int), ())
    mixture = latent.fit(traits, 1)
    mean = 3 / 3.5
    variance = (9 - 2 * mean * 3 + mean**2 * 3.5 + 1) / 5
    expected = -0.5 * (np.log(2 * np.pi * variance) + (np.array([0, 0, 3]) - mean) ** 2 / variance)
    assert mixture.score(traits) == pytest.approx(expected)


def test_agreement_is_that_of_an_independent_implementation():
    from sklearn.metrics import adjusted_rand_score

    dice = np.random.default_rng(5)
    for _ in range(20):
        one, other = dice.integers(0, 4, (2, 50))
        assert latent.alike(one, other) == pytest.approx(adjusted_rand_score(one, other))


# The odds: shrunken, and not fooled by who sells.


def test_effects_are_found_and_chance_is_shrunken_away():
    dice = np.random.default_rng(2)
    code = dice.integers(0, 3, 6000)
    hit = (dice.random(6000) < np.array([0.2, 0.3, 0.4])[code]).astype(float)
    noise = dice.integers(0, 40, 6000)
    model = mixed.fit(hit, [mixed.marks(code, 3), mixed.marks(noise, 40)])
    rate, low, high = model.rates(np.eye(3))
    assert rate == pytest.approx([0.2, 0.3, 0.4], abs=0.03)
    assert (high - low < 0.15).all()
    assert np.abs(model.effects[4:]).max() < 0.15


def test_a_rate_and_its_ends_by_hand():
    """Logit 0 + 1, standard error sqrt(0.05 + 0.04) = 0.3; then over a spread of 3 in logits."""
    one = mixed.Chances(np.array([0.0, 1.0]), np.diag([0.05, 0.04]), np.array([0.0]))
    ends = 1 / (1 + np.exp([-1, -1 + 1.645 * 0.3, -1 - 1.645 * 0.3]))
    assert np.ravel(one.rates(np.ones((1, 1)))) == pytest.approx(ends, abs=1e-4)
    wide = replace(one, variances=np.array([9.0]))
    value = 1 / (1 + np.exp(-1 / np.sqrt(1 + 0.346 * 9)))
    assert wide.rates(np.ones((1, 1)))[0][0] == pytest.approx(value)


def test_the_p_value_is_uniform_when_nothing_is_there():
    dice = np.random.default_rng(9)
    p = []
    for _ in range(300):
        place, rep = np.arange(240), dice.integers(0, 6, 240)
        won = dice.random(240) < 0.2 + 0.08 * rep
        rows = pd.DataFrame(
            {"place": place, "rep_id": rep, "outcome": np.where(won, "won", "lost")}
        )
        p.append(kind_odds.p_within_reps(rows, dice.dirichlet([1, 1, 1], 240)[:, 1:]))
    assert 0.02 <= np.mean(np.array(p) < 0.07) <= 0.12


def test_a_segment_that_a_strong_rep_works_is_not_ideal_by_that():
    """R1 wins 80 % and sells to kind 1 alone; the others win 20 %, of either kind."""
    dice, n = np.random.default_rng(4), 1200
    rep = dice.integers(0, 6, n)
    kind = np.where(rep == 0, 1, dice.integers(0, 2, n))
    won = dice.random(n) < np.where(rep == 0, 0.8, 0.2)
    rows = pd.DataFrame({"place": np.arange(n), "rep_id": rep.astype(str), "amount": 1.0})
    rows["outcome"] = np.where(won, "won", "lost")
    belongs = np.eye(2)[kind]
    assert kind_odds.p_within_reps(rows, belongs[:, 1:]) > 0.05
    table, _ = kind_odds.table(rows, belongs, kind_odds.chances(rows, belongs), can_differ=True)
    assert not table["is_ideal"].any()
    raw = pd.Series(won).groupby(kind).mean()
    assert raw[1] > 1.6 * raw[0]
    assert table["win_rate"][1] < 1.4 * table["win_rate"][0]


# Planted kinds, null teams, and who says nothing.


def test_planted_kinds_are_found(planted):
    team, truth = planted
    table = icp.scores(team).table.drop_duplicates("account_id").dropna(subset="segment")
    known = table.merge(truth.classes, on="account_id")
    found = pd.factorize(known["segment"])[0]
    assert latent.alike(found, pd.factorize(known["company_class"])[0]) > 0.65
    segment = icp.segments(team).table
    assert len(segment) >= 4
    assert segment["name"].is_unique
    assert segment["share_of_accounts"].sum() <= 1 + 1e-9
    decided = team.deals["outcome"].value_counts()
    assert segment["n_won"].sum() == decided["won"]
    assert segment["n_lost"].sum() == decided["lost"]


@pytest.mark.slow
def test_no_segments_where_traits_carry_nothing():
    empty = []
    for seed in range(20):
        team, _ = simulated(seed, null=True)
        empty.append(icp.segments(with_accounts(team, shuffled)).table.empty)
    assert np.mean(empty) >= 0.9


@pytest.mark.slow
def test_no_ideal_where_kinds_are_won_alike():
    """The traits fall into kinds, but outcomes are dealt out anew among the deals of each rep."""
    named = []
    for seed in range(20):
        team, _ = simulated(seed)
        deals, dice = team.deals, np.random.default_rng(seed)
        decided = deals[deals["outcome"].notna()]
        dealt = decided.groupby("rep_id")["outcome"].transform(
            lambda outcome, dice=dice: dice.permutation(outcome.to_numpy())
        )
        deals["outcome"] = dealt.reindex(deals.index).astype("str")
        found = segments(replace(team, tables={**team.tables, "deals": deals}))
        named.append(bool(found.ideal or found.anti))
    assert np.mean(named) <= 0.1


def test_scores_are_calibrated_out_of_time(planted):
    team, _ = planted
    day = team.as_of - pd.Timedelta(days=200)
    scores = icp.scores(team.at(day)).table.drop_duplicates("account_id").set_index("account_id")
    deals = team.deals[team.deals["closed_on"] > day].dropna(subset="outcome")
    deals = deals.assign(score=scores["score"].reindex(deals["account_id"]).to_numpy())
    assert deals["score"].mean() == pytest.approx((deals["outcome"] == "won").mean(), abs=0.06)
    best = deals[deals["score"] >= deals["score"].quantile(0.8)]
    assert (best["outcome"] == "won").mean() > (deals["outcome"] == "won").mean()


def test_traits_known_only_after_the_sale_are_named_and_left_out(planted):
    team, _ = planted
    won = set(team.deals.loc[team.deals["outcome"] == "won", "account_id"])
    is_won = team.accounts["account_id"].isin(won)

    def leaking(accounts):
        return accounts.assign(
            support_tier=np.where(is_won, "gold", "none"),
            onboarded_by=pd.Series(np.where(is_won, "Ann", None), dtype="str"),
        )

    found = icp.profile(with_accounts(team, leaking))
    assert not {"support_tier", "onboarded_by"} & set(found.table["trait"])
    said = " ".join(found.caveats)
    assert "support tier" in said
    assert "onboarded by" in said


def test_a_profile_that_matches_nearly_all_says_so(planted, monkeypatch):
    team, _ = planted
    monkeypatch.setattr(icp.profile.__globals__["np"], "isin", lambda *_: np.ones(10, bool))
    assert any("Too broad" in each for each in icp.profile(team).caveats)


# What is said where little is known.


def test_too_few_accounts_are_an_answer():
    names = [f"A{i}" for i in range(6)]
    deals = [deal(f"D{a}", "R1", "2026-01-05", "Offer", "won", account_id=a) for a in names]
    team = team_of(deals)
    assert "no trait of the accounts" in icp.segments(team).headline
    accounts = pd.DataFrame({"account_id": names, "industry": list("aaabbb")})
    found = icp.segments(team_of(deals, accounts=accounts))
    assert "only 6 accounts" in found.headline
    assert found.table.empty
    assert icp.backtest(team).table.empty
    assert icp.focus(team, rep="R1").table.empty


def test_without_accounts_the_error_names_them(planted):
    team = replace(planted[0], tables={"reps": planted[0].reps, "deals": planted[0].deals})
    with pytest.raises(DataError) as error:
        icp.segments(team)
    assert [fault.table for fault in error.value.faults] == ["accounts"]


def test_what_is_not_known_is_asked_for(planted):
    team, _ = planted
    first = team.accounts["account_id"].iloc[0]

    def unknown(accounts):
        traits = [name for name in accounts if name not in ("account_id", "name")]
        rows = accounts["account_id"] == first
        return accounts.assign(**{name: accounts[name].mask(rows) for name in traits})

    row = (
        icp.scores(with_accounts(team, unknown)).table.set_index("account_id").loc[[first]].iloc[0]
    )
    assert row["tier"] == "not enough known"
    assert row["reasons"].startswith("ask: ")
    assert row["reasons"].count(",") == 2
    assert pd.isna(row["segment"])


# Prospects from a file.


def test_prospects_are_scored_as_accounts_are(planted, tmp_path):
    team, _ = planted
    path = tmp_path / "prospects.csv"
    team.accounts.head(30).to_csv(path, index=False)
    table = icp.scores(team, prospects=str(path)).table
    own = icp.scores(team).table.drop_duplicates("account_id").set_index("account_id")
    assert len(table) == 30
    assert table["deal_id"].isna().all()
    assert table["score"].is_monotonic_decreasing
    assert table["score"].to_numpy() == pytest.approx(own.loc[table["account_id"], "score"])


def test_a_prospects_file_may_lack_traits(planted, tmp_path):
    path = tmp_path / "prospects.csv"
    path.write_text("account_id,industry,employees\nX1,Software,90\nX2,,\n")
    table = icp.scores(planted[0], prospects=str(path)).table.set_index("account_id")
    assert table.loc["X2", "tier"] == "not enough known"
    assert table["score"].between(0, 1).all()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("industry\nSoftware\n", "account_id"),
        ("account_id,employees\nX1,many\n", "many"),
        ("account_id\nX1\nX1\n", "X1"),
        ("account_id,remote_share\nX1,half\n", "numbers"),
    ],
)
def test_a_faulty_prospects_file_is_told(planted, tmp_path, text, said):
    path = tmp_path / "prospects.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=said):
        icp.scores(planted[0], prospects=str(path))
    with pytest.raises(DataError, match="no file"):
        icp.scores(planted[0], prospects=str(tmp_path / "none.csv"))


# Hindsight, drift, focus.


def test_lift_by_hand():
    """Ten deals, the two best scored won, one other won: 1.0 against 0.3."""
    from salesnb.icp.hindsight import _Cases, _lift

    won = np.array([1, 1, 0, 0, 0, 0, 0, 0, 0, 1.0])
    cases = _Cases(np.arange(10), np.zeros(10, int), won, won * 100)
    score = np.arange(10, 0, -1.0)
    lift, revenue = _lift(score, np.zeros(10), cases, np.ones(10))
    assert lift == pytest.approx(1 / 0.3)
    assert revenue == pytest.approx(100 / 30)


def test_the_backtest_beats_chance_where_kinds_were_planted():
    team, _ = simulated(3, reps=16)
    table = icp.backtest(team).table.set_index("ranking")
    assert list(table.index) == ["score", "gradient boosting", "reps' own choice", "random"]
    assert table.loc["score", "win_lift_ratio"] > 1
    assert (table.loc["random", "win_lift_low":] == 1).all()
    with pytest.raises(DataError, match="quarters"):
        icp.backtest(team, quarters=0)


def test_a_kind_that_moved_is_named_and_the_others_are_not(planted):
    team, truth = planted
    day = team.deals["closed_on"].quantile(0.5).normalize()
    kind = truth.classes.set_index("account_id")["company_class"]
    deals, dice = team.deals, np.random.default_rng(0)
    moved = kind.reindex(deals["account_id"]).eq("service_firm").to_numpy()
    moved = moved & (deals["closed_on"] >= day).to_numpy() & deals["outcome"].notna().to_numpy()
    outcome = deals["outcome"].to_numpy(object)
    outcome[moved] = np.where(dice.random(moved.sum()) < 0.8, "won", "lost")
    deals["outcome"] = pd.Series(outcome, dtype="str")
    found = icp.drift(replace(team, tables={**team.tables, "deals": deals}), since=str(day.date()))
    named = found.table[found.table["is_moved"]]
    assert len(named) == 1
    assert named["after_rate"].iloc[0] > 0.6
    assert named["name"].iloc[0] in found.headline
    with pytest.raises(DataError, match="since"):
        icp.drift(team, since="soon")


def test_focus_counts_deals_and_activities(planted):
    team, _ = planted
    found, kinds = icp.focus(team), segments(team)
    if not kinds.ideal:
        assert found.table.empty
        return
    open_ = team.deals[team.deals["outcome"].isna()]
    is_ideal = kinds.segment.reindex(open_["account_id"]).isin(kinds.ideal).to_numpy()
    own = open_["rep_id"].to_numpy() == team.reps["rep_id"].iloc[0]
    row = found.table.set_index(["rep_id", "what"]).loc[team.reps["rep_id"].iloc[0], "open deals"]
    assert row["n_ideal"] == (own & is_ideal).sum()
    others = ~own & kinds.segment.reindex(open_["account_id"]).notna().to_numpy()
    assert row["typical_share"] == pytest.approx(is_ideal[others].mean())


# Words.


def test_traits_are_said_as_people_say_them():
    assert range_in_words("employees", 82.3, 512) == "82–510 employees"
    assert range_in_words("remote_share", -np.inf, 0.344) == "remote up to 34%"
    assert range_in_words("founded_years_ago", 20, np.inf) == "founded over 20 years ago"
    assert as_said("employees", pd.Series([1234.0, np.nan])).tolist() == ["1,200 employees", ""]
    assert as_said("crm_in_use", pd.Series(["modern"], dtype="str")).tolist() == [
        "CRM in use: modern"
    ]


def test_traits_are_taken_from_what_is_recorded():
    accounts = pd.DataFrame(
        {
            "account_id": ["A", "B"],
            "name": ["x", "y"],
            "employees": [10.0, 0.0],
            "annual_revenue": [1000.0, 500.0],
            "founded_year": [2000.0, np.nan],
            "is_public": [True, False],
        }
    )
    found = traits_of(accounts.set_index("account_id"), 2026, per_head=True)
    assert list(found) == ["employees", "revenue_per_head", "founded_years_ago", "is_public"]
    assert found["revenue_per_head"].tolist() == [100, 500]
    assert found["founded_years_ago"].iloc[0] == 26
    assert found["is_public"].tolist() == ["yes", "no"]


def test_names_without_use_as_traits_are_left_out(planted):
    team, _ = planted
    n = len(team.accounts)
    found = customers(
        with_accounts(team, lambda a: a.assign(phone=[f"+36 {i}" for i in range(n)], fax="none"))
    )
    assert found.left_out["phone"] == "almost every company has its own"
    assert found.left_out["fax"] == "the same for all"


def test_every_rep_by_hand_has_a_focus_or_a_reason():
    team = team_of([deal("D1", "R1", "2026-01-05", "Offer", account_id="A1")])
    for rep in REPS:
        assert REPS[rep] in icp.focus(team, rep=rep).headline
