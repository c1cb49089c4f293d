"""Training by hand, against planted truth, and where nothing is planted."""

import importlib.util
from dataclasses import replace
from importlib import import_module
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from handmade import AS_OF, REPS, cells, deal, team_of

import salesnb
from salesnb import DataError, coaching_log, training, trials
from salesnb.team import Team
from salesnb.training import compared, fading, needs, scores, timetable, wishes
from salesnb.training.lifts import lifts


def bench():
    path = Path(__file__).parents[1] / "benchmarks" / "training.py"
    spec = importlib.util.spec_from_file_location("training_benchmark", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BENCH = bench()
DAYS = ("2025-08-15", "2026-02-15")
TABLES = ["stage_changes", "assessments", "courses", "attendance"]


def assessed(levels, days=DAYS, assessors=("manager",)):
    """Assessments of reps x skills: (rep, skill) to the score that everybody gives."""
    rows = [
        (rep, skill, day, score, by)
        for (rep, skill), score in levels.items()
        for day in days
        for by in assessors
    ]
    columns = ["rep_id", "skill", "assessed_on", "score", "assessor"]
    return pd.DataFrame(rows, columns=columns)


def course(course_id="C1", skill="pitching", **more):
    return {
        "course_id": course_id,
        "title": f"Title {course_id}",
        "skill": skill,
        "kind": "skill",
        "hours": 8.0,
        "price": 500.0,
        "seats": 10.0,
        "starts_on": "2026-08-04",
        "lift": 0.5,
    } | more


def team(levels, courses=None, attendance=(), skills=None, **tables) -> Team:
    """A team without deals whose reps have these levels."""
    taken = pd.DataFrame([*attendance], columns=["rep_id", "course_id", "completed_on"])
    made = team_of(
        [],
        assessments=assessed(levels),
        courses=pd.DataFrame([course()] if courses is None else courses),
        attendance=taken,
        **tables,
    )
    skills = {"Demo": ("pitching",)} if skills is None else skills
    return Team(replace(made.settings, skills=skills), made.tables)


def low_of(n, skills=("pitching", "asking", "closing")):
    """Five reps good at everything, but for the first `n`, who are poor at the first skill."""
    levels = {(rep, skill): 3.5 for rep in REPS for skill in skills}
    return levels | {(rep, skills[0]): 1.0 for rep in [*REPS][:n]}


# The level at a skill


def test_where_all_score_the_same_nothing_stands_out():
    found = training.gaps(team({(rep, skill): 2.5 for rep in REPS for skill in "abc"}))
    assert found.table["score"].to_numpy() == pytest.approx(2.5)
    assert found.table["gap"].to_numpy() == pytest.approx(0, abs=1e-6)
    assert set(found.table["tier"]) == {""}
    assert "Nothing stands out" in found.headline or "nothing stands out" in found.headline
    assert not any(name in found.headline for name in REPS.values())


def test_a_level_lies_between_what_was_seen_and_the_team():
    levels = low_of(1)
    one = scores.current(_typed(assessed(levels, days=DAYS[1:])), AS_OF)
    two = scores.current(_typed(assessed(levels)), AS_OF)
    low = [x[(x["rep_id"] == "R1") & (x["skill"] == "pitching")].iloc[0] for x in (one, two)]
    assert 1.0 < low[1]["score"] < 3.5
    assert low[0]["n_assessments"] == 1
    assert low[1]["n_assessments"] == 2
    assert low[1]["manager_score"] == pytest.approx(1.0)


def test_a_rep_who_sees_everything_rosily_is_not_better_for_it():
    dice = np.random.default_rng(2)
    levels = {(f"R{i}", skill): dice.normal(2.5, 0.4) for i in range(12) for skill in "abcde"}
    by_manager = assessed(levels)
    rosy = assessed({place: v + 0.6 for place, v in levels.items()}, assessors=("self",))
    alone = scores.current(_typed(by_manager), AS_OF)
    both = scores.current(_typed(pd.concat([by_manager, rosy])), AS_OF)
    assert both["score"].mean() == pytest.approx(alone["score"].mean(), abs=0.02)


def test_an_old_score_weighs_less():
    then = {("R1", "a"): 1.0, ("R2", "a"): 3.0}
    now = {("R1", "a"): 3.0, ("R2", "a"): 3.0}
    said = pd.concat([assessed(then, days=["2023-06-30"]), assessed(now, days=["2026-06-30"])])
    found = scores.current(_typed(said), AS_OF).set_index("rep_id")["manager_score"]
    assert found["R1"] == pytest.approx((1 / 8 + 3 * 1) / (1 / 8 + 1), abs=0.01)


def _typed(said):
    return said.assign(assessed_on=pd.to_datetime(said["assessed_on"])).reset_index(drop=True)


def test_planted_skills_are_found_and_intervals_hold():
    inside, false, named, better = [], 0, 0, []
    for seed in range(700, 704):
        made, truth = salesnb.simulate(seed=seed, reps=24, deals_per_rep=20, tables=TABLES)
        known = BENCH.true_levels(made, truth)
        table = training.gaps(made).table
        places = pd.MultiIndex.from_frame(table[["rep_id", "skill"]])
        true = known.reindex(places).to_numpy()
        table, true = table[~np.isnan(true)], true[~np.isnan(true)]
        inside.append(((table["score_low"] <= true) & (true <= table["score_high"])).mean())
        firm = table["tier"].isin(["act", "look"]).to_numpy()
        named += firm.sum()
        false += (firm & (table["target"] - true <= needs.MATERIAL)).sum()
        error = [np.std(table[name] - true) for name in ("score", "manager_score")]
        better.append(error[0] < error[1])
    assert 0.85 <= np.mean(inside) <= 0.95
    assert named > 50
    assert false / named <= 0.12
    assert np.mean(better) >= 0.85


def test_scores_that_differ_by_chance_alone_name_hardly_anybody():
    dice, flagged = np.random.default_rng(5), 0
    levels = {(rep, skill): 0.0 for rep in REPS for skill in "abcdef"}
    said = assessed(levels, days=(*DAYS, "2025-02-15"), assessors=("manager", "self"))
    made = team_of([], assessments=said)
    usual = 2.5 + 0.3 * (made.assessments["assessor"] == "self")
    for _ in range(40):
        noisy = (usual + dice.normal(0, 0.4, len(usual))).clip(0, 4)
        drawn = made.assessments.assign(score=np.round(2 * noisy) / 2)
        one = Team(made.settings, {**made.tables, "assessments": drawn})
        flagged += training.gaps(one).table["tier"].isin(["act", "look"]).any()
    assert flagged <= 2


def test_money_of_a_stage_is_of_a_year_and_divided_among_its_skills(monkeypatch):
    leak = {"leak_probability": 0.97, "lost_amount": 9_000.0, "lost_low": 3e3, "lost_high": 15e3}
    monkeypatch.setattr(needs.leaks, "cells", lambda made: cells({("R1", "Demo"): leak}))
    monkeypatch.setattr(needs.leaks, "years", lambda made, found: np.full(len(found), 1.5))
    made = team(low_of(1), skills={"Demo": ("pitching", "asking")})
    table = training.gaps(made, target=3.0).table.set_index(["rep_id", "skill"])
    first = table.loc[("R1", "pitching")]
    assert first["yearly_lost_amount"] == pytest.approx(9_000 / 1.5 / 2)
    assert first["yearly_lost_amount_low"] == pytest.approx(1_000)
    assert first["leak_probability"] == 0.97
    assert first["tier"] == "act"
    assert pd.isna(table.loc[("R1", "closing"), "yearly_lost_amount"])
    said = training.gaps(made, target=3.0).headline
    assert "Ágnes Kiss, pitching" in said
    assert "deals at Demo lose about €3,000 (€1,000–€5,000) a year" in said


def test_what_most_of_the_team_lacks_is_a_matter_for_all():
    said = training.gaps(team(low_of(4)), target=3.0).headline
    assert "Most of the team may lack pitching (4 of 5)" in said
    assert "Most" not in training.gaps(team(low_of(2)), target=3.0).headline
    assert "Most" not in training.gaps(team(low_of(4)), rep="R1", target=3.0).headline


def test_a_target_beyond_the_scale_is_an_error():
    with pytest.raises(DataError, match="target must lie between 0 and 4"):
        training.gaps(team(low_of(1)), target=5.0)


def test_skills_are_the_same_whatever_their_capitals():
    made = team(low_of(1), courses=[course(skill="Pitching ")])
    assert list(lifts(made)["skill"]) == ["pitching"]


# The plan


def test_who_lacks_it_goes_and_nobody_else():
    table = training.plan(team(low_of(2))).table
    assert list(table["rep_id"]) == ["R1", "R2"]
    assert set(table["course_id"]) == {"C1"}
    assert table["cost_amount"].tolist() == [500, 500]
    assert (table["starts_on"] == "2026-08-04").all()
    assert (table["quarter_on"] == "2026-07-01").all()
    # Half of the promise of half a point, long before the gap is closed.
    assert table["gain"].to_numpy() == pytest.approx(0.25, abs=0.01)


def test_where_nobody_lacks_anything_nobody_goes():
    finding = training.plan(team(low_of(0)))
    assert finding.table.empty
    assert finding.headline == "No course for anybody: no likely gap has a course."


@pytest.mark.parametrize(
    ("limits", "n"),
    [({"budget": 499}, 0), ({"budget": 500}, 1), ({"hours_per_rep": 7.9}, 0), ({}, 2)],
)
def test_limits_are_kept(limits, n):
    assert len(training.plan(team(low_of(2)), **limits).table) == n


def test_seats_are_kept():
    assert len(training.plan(team(low_of(2), courses=[course(seats=1.0)])).table) == 1


def test_a_course_is_taken_once_unless_it_lies_long_behind_and_fades():
    made = team(low_of(2), attendance=[("R1", "C1", "2025-05-01")])
    assert list(training.plan(made).table["rep_id"]) == ["R2"]
    # Another one on the skill comes only when the first had time to show.
    two = [course(), course("C2", starts_on="2026-09-01")]
    late = team(low_of(2), courses=two, attendance=[("R1", "C1", "2026-06-01")])
    assert "R1" not in set(training.plan(late).table["rep_id"])
    early = team(low_of(2), courses=two, attendance=[("R1", "C1", "2025-06-01")])
    table = training.plan(early).table
    assert table.loc[table["rep_id"] == "R1", "course_id"].tolist() == ["C2"]


def test_a_refresher_is_due_once_fading_is_visible(monkeypatch):
    made = team(low_of(2), attendance=[("R1", "C1", "2025-05-01")])
    due = pd.DataFrame({"rep_id": ["R1"], "skill": ["pitching"], "is_due": [True]})
    monkeypatch.setattr(
        wishes, "refreshers", lambda team: due.astype({"rep_id": "str", "skill": "str"})
    )
    assert list(training.plan(made).table["rep_id"]) == ["R1", "R2"]


def test_who_is_on_leave_on_the_day_does_not_go():
    leave = pd.DataFrame({"rep_id": ["R1"], "starts_on": ["2026-08-01"], "ends_on": ["2026-08-09"]})
    assert list(training.plan(team(low_of(2), absences=leave)).table["rep_id"]) == ["R2"]


def test_a_course_held_before_can_be_taken_in_any_quarter():
    table = training.plan(team(low_of(1), courses=[course(starts_on="2025-01-10")])).table
    assert len(table) == 1
    assert table["starts_on"].isna().all()
    far = team(low_of(1), courses=[course(starts_on="2027-05-01")])
    assert training.plan(far).table.empty
    assert len(training.plan(far, quarters=4).table) == 1


def test_one_session_for_all_where_most_lack_it():
    few = training.plan(team(low_of(4), courses=[course(seats=2.0)]))
    assert len(few.table) == 4
    assert few.table["is_for_all"].all()
    assert few.table["cost_amount"].sum() == pytest.approx(2 * 500)
    assert "one session for all: Title C1" in few.headline
    # With seats enough single places are cheaper, and for two of five it is nobody's matter.
    assert not training.plan(team(low_of(4))).table["is_for_all"].any()
    poor = training.plan(team(low_of(4), courses=[course(seats=2.0)]), budget=900)
    assert len(poor.table) == 1


def test_the_dearer_of_two_equal_courses_is_not_taken():
    two = [course("C1", price=900.0), course("C2", price=300.0)]
    assert set(training.plan(team(low_of(2), courses=two)).table["course_id"]) == {"C2"}


def test_an_unknown_lift_counts_like_the_others_and_none_at_all_like_a_little():
    both = lifts(team(low_of(1), courses=[course(lift=0.8), course("C2", lift=np.nan)]))
    assert both["expected_lift"].tolist() == pytest.approx([0.4, 0.4])
    none = lifts(team(low_of(1), courses=[course(lift=np.nan)]))
    assert none["expected_lift"].tolist() == pytest.approx([0.125])


def test_the_same_plan_every_time(small):
    one, other = training.plan(small), training.plan(Team(small.settings, small.tables))
    pd.testing.assert_frame_equal(one.table, other.table)
    assert one.headline == other.headline


def offer(seed, reps, courses, quarters=2, share=0.6, budget=None):
    """Places drawn by lot, and the sessions that may be held for all."""
    dice = np.random.default_rng(seed)
    axes = np.meshgrid(*(np.arange(n) for n in (reps, courses, quarters)), indexing="ij")
    rep, number, quarter = (axis.ravel() for axis in axes)
    own = np.repeat(dice.random(reps * courses) < share, quarters)
    only = dice.integers(-1, quarters, courses)  # -1: in any quarter
    keep = own & ((only[number] < 0) | (only[number] == quarter))
    price = np.round(dice.gamma(2, 400, courses) * (dice.random(courses) > 0.2))
    made = timetable.Offer(
        rep=rep[keep],
        course=number[keep],
        skill=dice.integers(0, max(1, courses // 2), courses)[number[keep]],
        quarter=quarter[keep],
        value=np.repeat(dice.gamma(1, 0.3, reps * courses), quarters)[keep],
        price=price,
        seats=np.where(dice.random(courses) < 0.1, np.inf, dice.integers(1, 4, courses)),
        hours=dice.integers(2, 17, courses).astype(float),
        for_all=np.zeros((courses, quarters), bool),
        budget=np.inf if budget is None else budget * price.mean() * reps,
        hours_per_rep=16.0,
    )
    return made, dice.random((courses, quarters)) < 0.3


@pytest.mark.parametrize("budget", [None, 0.3, 0.8])
def test_a_plan_is_never_below_the_greedy_one(budget):
    for seed in range(40):
        made, wished = offer(seed, 12, 6, budget=budget)
        found, chosen = timetable.best(made, wished)
        assert found.allows(chosen)
        simple = timetable.greedy(made)
        assert made.allows(simple)
        assert found.worth(chosen) >= made.worth(simple) - 1e-9


@pytest.mark.parametrize("budget", [None, 0.4, 0.8])
def test_a_small_plan_is_the_best_there_is(budget):
    n_tried = 0
    for seed in range(40):
        made, wished = offer(seed, 3, 3, quarters=1 + seed % 2, budget=budget)
        if not 0 < len(made.value) <= 10:
            continue
        found, chosen = timetable.best(made, wished)
        each = (np.array(bits, bool) for bits in product([False, True], repeat=len(made.value)))
        top = max(found.worth(bits) for bits in each if found.allows(bits))
        assert found.worth(chosen) >= top * (1 - 2 * timetable.GAP) - 1e-9
        n_tried += 1
    assert n_tried >= 20


def test_a_plan_is_worth_more_than_lots():
    shares = []
    for seed in range(2):
        made, _ = salesnb.simulate(seed=seed, reps=20, deals_per_rep=40, tables=TABLES)
        found = wishes.wishes(made, 2)
        said = training.plan(made, budget=5_000).headline
        shares.append(float(said.split("by lot would bring ")[1].split("%")[0]) / 100)
        assert len(found.places)
    assert max(shares) < 0.6


# Did it work


MANY = [f"R{i:02}" for i in range(12)]
SPRING = "2026-02-10"


def went(taken, rates=(), stages=("Demo",), courses=(), n=50):
    """Twelve reps with `n` deals a quarter at each stage, half of which go on, `rates` since."""
    rates, rows = dict(rates), []
    for rep in MANY:
        for quarter in ("2025-08-01", "2025-11-01", "2026-02-15", "2026-04-20"):
            rate = rates.get(rep, 0.5) if quarter > SPRING else 0.5
            hits = round(n * rate)
            for i in range(n):
                reached = "Offer" if i < hits else "Demo"
                outcome = "won" if i < hits else "lost"
                # Ten days a stage: this one enters Demo on the day.
                created = str((pd.Timestamp(quarter) - pd.Timedelta(days=10)).date())
                rows.append(deal(f"{rep}{quarter}{i}", rep, created, reached, outcome))
    made = team_of(
        rows,
        reps=pd.DataFrame({"rep_id": MANY, "name": MANY}),
        assessments=assessed({(MANY[0], "pitching"): 3.0}),
        courses=pd.DataFrame(courses or [course(), course("C2")]),
        attendance=pd.DataFrame(taken, columns=["rep_id", "course_id", "completed_on"]),
    )
    skills = dict.fromkeys(stages, ("pitching",))
    return Team(replace(made.settings, skills=skills), made.tables)


def test_two_courses_at_one_stage_are_told_apart():
    taken = [(rep, "C1", SPRING) for rep in MANY[:4]] + [(rep, "C2", SPRING) for rep in MANY[4:8]]
    finding = training.effect(went(taken, dict.fromkeys(MANY[:4], 0.8)))
    table = finding.table.set_index("course_id")
    assert table["answer"].to_dict() == {"C1": "yes", "C2": "cannot_tell"}
    assert table.loc["C1", "effect"] == pytest.approx(0.3, abs=0.05)
    assert table.loc["C2", "effect"] == pytest.approx(0, abs=0.05)
    assert table["n_compared"].tolist() == [4, 4]
    assert table["n_deals"].tolist() == [400, 400]
    assert (table.loc["C1", "earlier_rate"], table.loc["C1", "later_rate"]) == (0.5, 0.8)
    assert table.loc["C1", "naive_change"] == pytest.approx(0.3)
    assert "It worked: Title C1; cannot tell yet: 1." in finding.headline


def test_a_course_that_never_came_without_another_cannot_be_told():
    taken = [(rep, name, SPRING) for rep in MANY[:4] for name in ("C1", "C2")]
    table = training.effect(went(taken, dict.fromkeys(MANY[:4], 0.8))).table
    assert table["answer"].tolist() == ["", ""]
    assert table["effect"].isna().all()


def test_of_one_rep_or_without_others_nothing_is_said():
    one = training.effect(went([(MANY[0], "C1", SPRING)])).table
    most = training.effect(went([(rep, "C1", SPRING) for rep in MANY[:10]])).table
    assert one["answer"].tolist() == most["answer"].tolist() == [""]
    assert (one["n_compared"].tolist(), most["n_compared"].tolist()) == ([11], [2])


def test_a_skill_of_several_stages_is_seen_at_all_of_them():
    taken = [(rep, "C1", SPRING) for rep in MANY[:4]]
    made = went(taken, dict.fromkeys(MANY[:4], 0.8), stages=("Qualify", "Demo"))
    row = training.effect(made).table.iloc[0]
    # All deals leave Qualify, so the course adds 0 there and 30 points at Demo.
    assert 0 < row["effect"] < 0.3
    assert row["later_rate"] == pytest.approx(0.9)
    alone = training.effect(went(taken, dict.fromkeys(MANY[:4], 0.8))).table.iloc[0]
    assert row["n_deals"] > alone["n_deals"]


def test_coaching_and_courses_are_judged_alike():
    taken = [(rep, "C1", SPRING) for rep in MANY[:4]]
    made = went(taken, dict.fromkeys(MANY[:4], 0.56))
    begun = pd.DataFrame(taken, columns=["rep_id", "topic", "held_on"])
    log = begun.assign(kind="programme", topic="Demo", session_id=MANY[:4], minutes=60.0)
    log["held_on"] = pd.to_datetime(log["held_on"])
    coached = Team(made.settings, {**made.tables, "coaching": of_log(made, log)})
    one = training.effect(made).table.iloc[0]
    other = coaching_log.effect(coached).table.iloc[0]
    same = ["effect", "effect_low", "effect_high", "n_more_deals", "naive_change", "n_deals"]
    assert one[same].tolist() == pytest.approx(other[same].tolist(), nan_ok=True)
    assert (one["answer"], one["n_compared"]) == (other["verdict"], other["n_controls"])


def of_log(made, log):
    """A coaching log as the team would hold it."""
    return team_of([], coaching=log, reps=made.reps).coaching


def test_a_contrast_is_that_of_analysis_of_covariance():
    dice = np.random.default_rng(3)
    had, before = np.arange(30) < 9, dice.normal(2.5, 0.5, 30)
    after = 1 + 0.3 * had + 0.6 * before + dice.normal(0, 0.2 + 0.2 * had, 30)
    found = compared.contrast(after, had, before)
    design = np.column_stack([np.ones(30), had, before])
    by_hand = np.linalg.lstsq(design, after, rcond=None)[0]
    inverse = np.linalg.inv(design.T @ design)
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    left = (after - design @ by_hand) / (1 - leverage)
    assert found.effect == pytest.approx(by_hand[1])
    assert found.error == pytest.approx(np.sqrt(np.sum(((design @ inverse)[:, 1] * left) ** 2)))
    assert found.low < found.effect < found.high


def test_a_person_like_nobody_else_does_not_make_a_contrast_sure():
    had, before = np.arange(12) < 5, np.full(12, 3.0)
    after = 3 + 0.5 * had + np.tile([0.2, -0.2], 6)
    usual = compared.contrast(after, had, before)
    alone = compared.contrast(np.r_[after, 1.0], np.r_[had, False], np.r_[before, 1.0])
    assert alone.effect == pytest.approx(usual.effect)
    assert alone.error == pytest.approx(usual.error)


def test_too_few_on_either_side_is_no_contrast():
    nothing = compared.contrast(np.ones(20), np.arange(20) < 3, np.ones(20))
    assert np.isnan(nothing.effect)


def test_three_answers():
    assert trials.word(0.01, 0.09, 0.03) == "yes"
    assert trials.word(-0.02, 0.02, 0.03) == "no"
    assert trials.word(-0.02, 0.06, 0.03) == "cannot_tell"


def test_what_comes_back_by_itself_is_no_effect():
    # Nothing planted: with lasting leaks the estimate is 2 to 3 points low, as the docs say.
    found = []
    for seed in range(800, 806):
        made, _ = salesnb.simulate(
            seed=seed, reps=24, course_effect=0, coaching_effect=0, null=True, tables=TABLES
        )
        found.append(training.effect(BENCH.sent_the_lowest(made)).table)
    table = pd.concat(found)
    told = table[table["evidence"] == "deals"]
    assert len(told) > 18
    assert (told["naive_change"] > 0).mean() > 0.8
    assert (told["answer"] == "yes").mean() <= 0.1
    assert abs(told["effect"].mean()) < 0.02


def test_a_planted_effect_is_seen_in_deals_and_scores():
    found = []
    for seed in (1, 2):
        made, truth = salesnb.simulate(
            seed=seed, reps=90, deals_per_rep=150, course_effect=0.8, tables=TABLES
        )
        table = training.effect(made).table.merge(truth.courses, on="course_id")
        found.append(table[table["evidence"] == "deals"])
    table = pd.concat(found)
    works = table["effect_logit"] > 0
    assert (table.loc[works, "answer"] == "yes").mean() > 0.5
    assert (table.loc[~works, "answer"] != "yes").all()
    assert table.loc[works, "score_effect"].mean() == pytest.approx(0.8 * 0.8, abs=0.2)


def test_where_no_stage_leans_on_it_scores_answer():
    made = team(low_of(2), skills={"Demo": ("something else",)})
    table = training.effect(made).table
    assert table.empty
    assert training.effect(made).headline == "Nobody has completed a course yet."
    sent = team(low_of(2), skills={}, attendance=[("R1", "C1", "2025-12-01")])
    finding = training.effect(sent)
    assert finding.table["answer"].tolist() == [""]
    assert "Too few people" in finding.headline


# Refreshers


def test_fading_is_seen_where_it_is_and_hardly_where_it_is_not():
    seen, quiet, size = [], 0, []
    for seed in range(8):
        made, _ = salesnb.simulate(
            seed=seed, reps=24, deals_per_rep=20, months=36, course_effect=0, tables=TABLES[1:]
        )
        quiet += not training.decay(made).table["is_fading"].any()
        table = training.decay(BENCH.faded(made, 0.6)).table
        table = table[table["skill"] != "product knowledge"]  # two courses, the clock starts again
        seen.append(table["is_fading"].mean())
        size.append(table["fade"].mean())
    assert quiet >= 6
    assert np.mean(seen) > 0.9
    assert np.mean(size) == pytest.approx(0.6, abs=0.1)


def test_a_refresher_is_due_when_a_quarter_point_is_gone(monkeypatch):
    known = pd.DataFrame({"skill": ["pitching"], "n_reps": [9], "fade": [0.5], "fade_sd": [0.05]})
    home = import_module("salesnb.training.decay")  # the verb has the same name
    monkeypatch.setattr(home, "fades", lambda made: known.astype({"skill": "str"}))
    taken = [("R1", "C1", "2025-06-30"), ("R2", "C1", "2026-03-01")]
    table = training.decay(team(low_of(0), attendance=taken)).table.set_index("rep_id")
    # 0.25 points at 0.5 a year: half a year, 182.6 days.
    assert table["due_on"].dt.strftime("%Y-%m-%d").to_dict() == {
        "R1": "2025-12-30",
        "R2": "2026-08-31",
    }
    assert table["is_due"].to_dict() == {"R1": True, "R2": False}


def test_a_skill_scored_alone_cannot_fade_visibly():
    levels = {(rep, "pitching"): 3.0 for rep in REPS}
    made = team(levels, attendance=[(rep, "C1", "2025-07-10") for rep in REPS])
    assert fading.fades(made)["fade"].isna().all()
    assert "Too few scores" in training.decay(made).headline


# The offer, and one rep


def test_what_is_not_taught_and_what_nobody_needs():
    made = team(low_of(2), courses=[course(skill="asking"), course("C2", skill="singing")])
    table = training.offer_gaps(made).table.set_index("skill")
    assert table["status"].to_dict() == {
        "pitching": "no course",
        "asking": "nobody needs it",
        "singing": "not assessed",
        "closing": "",
    }
    assert table.loc["pitching", "n_below"] == 2
    said = training.offer_gaps(made).headline
    assert said == (
        "Lacking and not taught: pitching (2 of 5 reps); taught though nobody lacks it: asking."
    )


def test_strengths_first_then_what_comes_next():
    finding = training.next_for(team(low_of(1)), "R1")
    table = finding.table
    assert table["kind"].tolist() == ["strength", "strength", "next"]
    assert table["skill"].iloc[-1] == "pitching"
    assert table["title"].tolist() == ["", "", "Title C1"]
    assert "course for pitching: Title C1 (from 4 August 2026)" in finding.headline
    assert len(table) <= 5
    bare = team(low_of(1))
    bare = Team(bare.settings, {k: v for k, v in bare.tables.items() if k != "courses"})
    assert "no course on offer fits" in training.next_for(bare, "R1").headline
    assert "choose by interest" in training.next_for(team(low_of(1)), "R2").headline
