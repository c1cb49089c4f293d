"""Simulated teams: the same from the same seed, valid, honest about what was planted."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet as pq
import pytest

import salesnb
from salesnb import DataError, schema
from salesnb.simulation import Truth, company
from salesnb.team import of

DEMO = Path(__file__).parents[1] / "data" / "demo"
CORE = ("stage_changes", "deal_lines")


@pytest.fixture(scope="module")
def made():
    return salesnb.simulate(seed=3, reps=12, deals_per_rep=60, months=12)


@pytest.fixture(scope="module")
def large():
    """Enough deals to see what was planted without an analysis."""
    return salesnb.simulate(seed=5, reps=24, deals_per_rep=800, coaching_effect=0, tables=CORE)


def exits(team) -> pd.DataFrame:
    """First visits that ended, by plain arithmetic: rep_id, stage, is_advance."""
    ranks = {stage: rank for rank, stage in enumerate(team.stages)}
    first = team.stage_changes.drop_duplicates(["deal_id", "stage"])
    first = first.assign(rank=first["stage"].map(ranks))
    deals = team.deals.set_index("deal_id")
    furthest = first.groupby("deal_id")["rank"].max()
    outcome = first["deal_id"].map(deals["outcome"])
    is_past = (first["rank"] < first["deal_id"].map(furthest)) | (outcome == "won")
    return first.assign(is_advance=is_past)[is_past | (outcome == "lost")]


def won_rates(team, first: str, last: str) -> pd.Series:
    """Share won of the deals each rep closed in a period."""
    deals = team.deals[team.deals["closed_on"].between(first, last)]
    return (deals["outcome"] == "won").groupby(deals["rep_id"]).mean()


def test_same_seed_same_team(made):
    again, _ = salesnb.simulate(seed=3, reps=12, deals_per_rep=60, months=12)
    other, _ = salesnb.simulate(seed=4, reps=12, deals_per_rep=60, months=12)
    assert again.fingerprint == made[0].fingerprint != other.fingerprint


def test_every_table_is_there_and_valid(made):
    team, _ = made
    assert list(team.tables) == list(schema.MODELS)
    assert all(len(table) for table in team.tables.values())
    checked = of(team.settings, team.tables)
    for name, table in team.tables.items():
        pd.testing.assert_frame_equal(table, checked.tables[name])


def test_every_documented_column_is_used(made):
    for name, table in made[0].tables.items():
        assert list(table.columns[table.notna().any()])[: len(schema.columns(name))] == list(
            schema.columns(name)
        )


def test_some_tables_are_those_of_the_whole_team(made):
    part, truth = salesnb.simulate(seed=3, reps=12, deals_per_rep=60, months=12, tables=["quotas"])
    assert list(part.tables) == ["reps", "deals", "quotas"]
    for name, table in part.tables.items():
        pd.testing.assert_frame_equal(table, made[0].tables[name])
    pd.testing.assert_frame_equal(truth.skills, made[1].skills)


def test_the_team_does_not_hold_the_truth(made):
    team, truth = made
    known = {column for name in schema.MODELS for column in schema.columns(name)}
    traits = {"crm_in_use", "remote_share", "growth_rate", "language", "wordings"}
    assert {column for table in team.tables.values() for column in table} == known | traits
    kinds = set(truth.classes["company_class"])
    for table in team.tables.values():
        for column in table.select_dtypes("str"):
            assert not table[column].isin(kinds).any()


@pytest.mark.parametrize("size", [1, 2, 5])
def test_small_teams_work(size):
    team, truth = salesnb.simulate(reps=size, deals_per_rep=3, months=6, as_of="2026-02-14")
    assert len(team.reps) == size and len(truth.skills) == 5 * size
    of(team.settings, team.tables)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"reps": 0}, "reps"),
        ({"leak_share": 0.8, "strength_share": 0.4}, "strength_share"),
        ({"leak_shift": (-0.5, -1.2)}, "leak_shift"),
        ({"as_of": "the first of May"}, "as_of"),
        ({"tables": ["deal"]}, "deals"),
    ],
)
def test_a_wrong_parameter_is_named(wrong, named):
    with pytest.raises(salesnb.DataError, match=named):
        salesnb.simulate(**wrong)


def test_calendar_is_sane(made):
    team, truth = made
    activities = team.activities
    for column in ("booked_at", "happens_at"):
        local = activities[column].dropna().dt.tz_localize("UTC").dt.tz_convert("Europe/Budapest")
        assert local.dt.day_of_week.max() < 5
        assert local.dt.hour.between(8, 17).all()
        assert not local.dt.strftime("%m-%d").isin(["03-15", "08-20", "10-23", "12-25"]).any()
    assert not (activities["happens_at"] < activities["booked_at"]).any()
    ahead = activities[activities["happens_at"] >= team.as_of + pd.Timedelta(days=1)]
    assert len(ahead) and ahead["booked_at"].notna().all() and ahead["outcome"].isna().all()
    reps = activities.merge(team.reps, on="rep_id")
    assert not (reps["happens_at"] < reps["hired_on"]).any()
    late = reps[reps["happens_at"] >= reps["left_on"] + pd.Timedelta(days=1)]
    # Nobody works after the last day but the manager, on the deals of the others.
    assert set(late["role"]) <= {"Sales Manager"} and set(late["kind"]) <= {"meeting"}
    assert set(late["deal_id"]) <= set(truth.carried["deal_id"])


def test_deals_are_believable(large):
    team, _ = large
    deals = team.deals
    closed = deals[deals["outcome"].notna()]
    assert 0.2 < (closed["outcome"] == "won").mean() < 0.32
    assert 0.08 < deals["outcome"].isna().mean() < 0.18
    won = deals[deals["outcome"] == "won"]
    assert 60 <= (won["closed_on"] - won["created_on"]).dt.days.median() <= 100
    lines = team.deal_lines.groupby("deal_id")["net_amount"].sum()
    amounts = deals.set_index("deal_id")["amount"]
    np.testing.assert_allclose(lines, amounts[lines.index], atol=0.01)
    assert set(won["deal_id"]) <= set(lines.index)
    entered = team.stage_changes.groupby("deal_id")["entered_at"].agg(["min", "max"])
    entered = entered.loc[deals["deal_id"]].reset_index()
    assert (entered["min"].dt.normalize() == deals["created_on"]).all()
    assert not (deals["closed_on"] < entered["max"].dt.normalize()).any()


def test_histories_are_as_messy_as_real_ones(made):
    team, truth = made
    ranks = team.stage_changes["stage"].map({s: i for i, s in enumerate(team.stages)})
    step = ranks.groupby(team.stage_changes["deal_id"]).diff()
    assert (step == -1).any() and (step == 2).any()
    assert len(truth.reopened) and set(truth.reopened["deal_id"]) <= set(team.deals["deal_id"])
    owners = team.stage_changes.groupby("deal_id")["rep_id"].nunique()
    left = team.reps.loc[team.reps["left_on"].notna(), "rep_id"]
    assert (owners > 1).any() and len(left)
    still = team.deals[team.deals["outcome"].isna()]
    assert not still["rep_id"].isin(left).any()


def test_leaks_and_strengths_show_in_plain_rates(large):
    team, truth = large
    visits = exits(team)
    rate = visits.groupby(["rep_id", "stage"])["is_advance"].agg(["mean", "size"])
    usual = visits.groupby("stage")["is_advance"].mean()
    gap = (rate["mean"] - usual.reindex(rate.index, level="stage"))[rate["size"] >= 100]
    skills = truth.skills.set_index(["rep_id", "stage"]).reindex(gap.index)
    assert gap[skills["is_leak"]].mean() < -0.08 < 0.04 < gap[skills["is_strength"]].mean()
    assert (gap[skills["is_leak"]] < 0).mean() > 0.9
    assert np.corrcoef(gap, skills["mean_shift_logit"])[0, 1] > 0.85


def test_planted_shifts_lie_where_asked(large):
    leaks, strengths = large[1].leaks, large[1].strengths
    assert len(leaks) == round(0.15 * 24 * 5) and len(strengths) == round(0.1 * 24 * 5)
    assert leaks["shift_logit"].between(-1.2, -0.5).all()
    assert strengths["shift_logit"].between(0.5, 1.0).all()


def test_lost_money_is_plausible(large):
    team, truth = large
    skills = truth.skills
    clear = skills[skills["mean_shift_logit"].abs() > 0.3]
    assert (clear["lost_amount"] * clear["mean_shift_logit"] <= 0).all()
    cost = truth.leaks["lost_amount"].sum() / team.deals["amount"].sum()
    assert 0.005 < cost < 0.08
    # An approximation on paper: amount entered x typical slope of the chance x later chance.
    entered = team.stage_changes.drop_duplicates(["deal_id", "stage"])
    entered = entered.merge(team.deals[["deal_id", "amount", "outcome"]], on="deal_id")
    passed = entered.groupby("stage")["outcome"].agg(lambda o: (o == "won").mean())
    worth = entered.groupby(["rep_id", "stage"])["amount"].sum()
    rough = -worth * passed.reindex(worth.index, level="stage")
    cells = skills.set_index(["rep_id", "stage"]).reindex(worth.index)
    rough = rough * cells["mean_shift_logit"] * 0.3
    assert np.corrcoef(rough, cells["lost_amount"])[0, 1] > 0.9
    assert 0.5 < cells["lost_amount"].abs().sum() / rough.abs().sum() < 2


def test_null_plants_nothing():
    team, truth = salesnb.simulate(seed=5, reps=24, deals_per_rep=300, null=True, tables=CORE)
    assert not len(truth.leaks) and not len(truth.strengths) and not len(truth.drops)
    assert (truth.skills[["shift_logit", "mean_shift_logit", "lost_amount"]] == 0).all(axis=None)
    assert (truth.speed["factor"] == 1).all() and (truth.hygiene["factor"] == 1).all()
    assert (truth.class_effects["shift_logit"] == 0).all()
    assert (truth.coaching["effect_logit"] == 0).all()
    assert (truth.courses["effect_logit"] == 0).all()
    # Mix and tenure remain; beyond them reps differ by chance.
    visits = exits(team)
    old = team.reps.loc[team.reps["hired_on"] < "2024-07-01", "rep_id"]
    visits = visits[visits["rep_id"].isin(old)].merge(team.deals, on="deal_id")
    kind = visits.groupby(["stage", "segment", "source"])["is_advance"]
    expected, n = kind.transform("mean"), visits.groupby(["rep_id_x", "stage"]).size()
    error = (visits["is_advance"] - expected).groupby([visits["rep_id_x"], visits["stage"]]).sum()
    spread = (expected * (1 - expected)).groupby([visits["rep_id_x"], visits["stage"]]).sum()
    z = (error / np.sqrt(spread))[n >= 50]
    assert 0.7 < (z**2).mean() < 1.4


def test_coached_reps_regress_to_the_mean():
    rises = []
    for seed in range(6):
        team, truth = salesnb.simulate(
            seed=seed, reps=40, deals_per_rep=100, coaching_effect=0, course_effect=0, tables=CORE
        )
        for start, chosen in truth.coaching.groupby("starts_on"):
            quarter = start.to_period("Q")
            after = won_rates(team, str(quarter.start_time), str(quarter.end_time))
            rises += list(chosen["rep_id"].map(after) - chosen["win_rate"].to_numpy())
    assert np.nanmean(rises) > 0.05  # nothing worked, yet everybody "improved"


def test_coaching_lifts_its_stage_only_afterwards():
    with_it, truth = salesnb.simulate(seed=2, reps=40, deals_per_rep=300, tables=CORE)
    without, _ = salesnb.simulate(
        seed=2, reps=40, deals_per_rep=300, coaching_effect=0, tables=CORE
    )
    first = truth.coaching["starts_on"].min()
    pd.testing.assert_frame_equal(
        with_it.stage_changes[with_it.stage_changes["entered_at"] < first].reset_index(drop=True),
        without.stage_changes[without.stage_changes["entered_at"] < first].reset_index(drop=True),
    )
    coached = truth.coaching.drop_duplicates(["rep_id", "stage"])[["rep_id", "stage", "starts_on"]]
    gain = []
    for team in (with_it, without):
        later = exits(team).merge(coached, on=["rep_id", "stage"])
        gain.append(later.loc[later["entered_at"] >= later["starts_on"], "is_advance"].mean())
    assert 0.02 < gain[0] - gain[1] < 0.15


def test_drops_show_in_meetings_booked():
    team, truth = salesnb.simulate(seed=1, reps=30, tables=["activities"])
    booked = team.activities[team.activities["kind"].isin(["meeting", "demo"])]
    week = booked["booked_at"].dt.to_period("W-SUN").dt.start_time
    counts = pd.crosstab(booked["rep_id"], week)
    usual = counts.drop(index=truth.drops["rep_id"]).sum()
    during, otherwise = [], []
    for drop in truth.drops.itertuples():
        within = (counts.columns >= drop.starts_on) & (counts.columns <= drop.ends_on)
        share = counts.loc[drop.rep_id] / usual
        during.append(share[within].mean() / drop.factor)
        otherwise.append(share[~within].mean())
    assert 0.7 < np.sum(during) / np.sum(otherwise) < 1.3
    assert (truth.drops["ends_on"] == team.as_of).any()


def test_who_is_planted_behind_books_few_meetings_and_nobody_else_does():
    shares, others = [], []
    for seed in range(6):
        team, truth = salesnb.simulate(seed=seed, tables=["activities"])
        hires = team.reps[team.reps["hired_on"] > team.deals["created_on"].min()]
        assert len(hires) == 8
        first = team.activities[team.activities["kind"] == "meeting"].merge(hires, on="rep_id")
        first = first[first["deal_id"].isna()]  # first meetings
        weeks = (team.as_of - hires.set_index("rep_id")["hired_on"]).dt.days / 7
        for planted in truth.behind.itertuples():
            days = team.as_of - planted.hired_on
            since = first["booked_at"] - first["hired_on"]
            booked = first[since <= days].groupby("rep_id").size()
            earlier = weeks.index[weeks > weeks[planted.rep_id]]
            assert len(earlier) >= 5
            shares.append(booked[planted.rep_id] / booked[earlier].median() / planted.factor)
            others.append(booked[earlier].min() / booked[earlier].median())
    assert len(shares) >= 5
    assert 0.7 < np.mean(shares) < 1.4
    assert np.mean(others) > 0.4
    assert not len(salesnb.simulate(seed=0, null=True, tables=[])[1].behind)
    assert not len(salesnb.simulate(seed=0, behind_share=0, tables=[])[1].behind)


def test_the_manager_leads_deals_of_a_few_reps_once_promoted():
    n_led = []
    for seed in range(12):
        team, truth = salesnb.simulate(
            seed=seed, deals_per_rep=60, tables=["stage_changes", "activities"]
        )
        lead = team.reps[team.reps["role"] == "Sales Manager"]
        if lead.empty:
            assert not len(truth.carried)
            continue
        manager, promoted = lead["rep_id"].iloc[0], lead["left_on"].iloc[0]
        led = truth.carried.merge(team.deals, on="deal_id", suffixes=("", "_now"))
        assert (led["rep_id"] == led["rep_id_now"]).all() and not (led["rep_id"] == manager).any()
        assert 1 <= led["rep_id"].nunique() <= 3
        assert (led["led_on"] > promoted).all()
        moves = team.stage_changes
        late = moves[(moves["rep_id"] == manager) & (moves["entered_at"].dt.normalize() > promoted)]
        assert set(late["deal_id"]) == set(led["deal_id"])
        assert set(late.drop_duplicates("deal_id")["stage"]) == {team.stages[-1]}
        met = team.activities[team.activities["rep_id"] == manager]
        met = met[met["booked_at"].dt.normalize() > promoted]
        assert len(met) and set(met["deal_id"]) <= set(led["deal_id"])
        assert (met["kind"] == "meeting").all()
        n_led.append(len(led))
    assert len(n_led) >= 3


def test_notes_tell_what_the_truth_says(made):
    team, truth = made
    notes = team.activities.set_index("activity_id")["note"]
    assert set(truth.notes["activity_id"]) <= set(notes.dropna().index)
    claims = team.differentiators.set_index("differentiator_id")["claim"]
    told = truth.notes.assign(
        note=truth.notes["activity_id"].map(notes),
        claim=truth.notes["differentiator_id"].map(claims),
    )
    is_verbatim = [
        claim.casefold() in note.casefold()
        for claim, note in zip(told["claim"], told["note"], strict=True)
    ]
    assert 0.1 < np.mean(is_verbatim) < 0.6
    lacking = set(team.products["product_id"]) - set(team.differentiators["product_id"])
    assert lacking
    stale = team.differentiators.merge(team.products, on="product_id")
    assert (stale["reviewed_on"] < stale["changed_on"]).any()


def test_truth_tables_are_documented_and_the_demo_has_rows_in_each():
    _, truth = salesnb.simulate(seed=0, tables=["activities"])
    for field in dataclasses.fields(Truth):
        table = getattr(truth, field.name)
        assert isinstance(table, pd.DataFrame) and len(table)
        for column in table:
            assert column in Truth.__doc__, (field.name, column)


def test_demo_is_the_simulated_team(demo, tmp_path):
    again, _ = salesnb.simulate(seed=0)
    assert again.fingerprint == demo.fingerprint
    saved = again.save(tmp_path / "demo")
    written = pq.read_schema(DEMO / "deals.parquet").metadata[b"pandas"]
    writer = pq.read_metadata(DEMO / "deals.parquet").created_by
    pandas = json.loads(written)["pandas_version"]
    if pandas != pd.__version__ or not writer.endswith(pyarrow.__version__):
        pytest.skip(f"files were written by pandas {pandas} and {writer}")
    for path in sorted(DEMO.iterdir()):
        assert (saved / path.name).read_bytes() == path.read_bytes(), path.name


def test_demo_is_small_and_instructive(demo):
    assert sum(path.stat().st_size for path in DEMO.iterdir()) < 5_000_000
    assert len(demo.reps) == 24
    assert demo.reps["left_on"].notna().any()
    assert (demo.reps["hired_on"] > "2026-01-01").any()


def test_a_company_is_its_teams(tmp_path, monkeypatch):
    """Three reps in teams of two at most: 2 + 1; each team as `simulate` makes it."""
    monkeypatch.setattr(company, "MOST_REPS", 2)
    asked = {"seed": 6, "deals_per_rep": 15, "months": 6, "as_of": "2026-06-30"}
    folder = company.write(tmp_path / "one", reps=3, **asked)
    whole = salesnb.load(folder)
    assert len(whole.reps) == 3
    assert len(whole.deals) == 45
    teams = [
        salesnb.simulate(**{**asked, "seed": company._seed(6, n)}, reps=r)[0]
        for n, r in ((1, 2), (2, 1))
    ]
    own = whole.deals[whole.deals["deal_id"].str.startswith("002-")]
    own = own.assign(deal_id=own["deal_id"].str.removeprefix("002-"))
    own = own.sort_values("deal_id", ignore_index=True)
    for column in ("deal_id", "created_on", "amount", "outcome"):
        pd.testing.assert_series_equal(own[column], teams[1].deals[column])
    assert whole.goals["amount"].sum() == sum(team.goals["amount"].sum() for team in teams)
    (tmp_path / "two").mkdir()
    company.write_teams(tmp_path / "two", teams)
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_a_company_that_cannot_be_made_leaves_nothing(tmp_path):
    with pytest.raises(DataError, match="months must lie between"):
        company.write(
            tmp_path / "one", seed=0, reps=9, deals_per_rep=9, months=1, as_of="2026-06-30"
        )
    assert not [*tmp_path.iterdir()]
