"""The coach's side by hand and against planted truth: questions, deals, what was agreed."""

import pandas as pd
import pytest
from handmade import AS_OF, REPS, STAGES, cells, deal, team_of
from statsmodels.stats.proportion import proportion_confint

import salesnb
from salesnb import DataError, charts, coaching, standout
from salesnb.question_bank import STEPS, bank, stage_kind
from salesnb.settings import Settings
from salesnb.team import Team

LEAK = {
    ("R1", "Demo"): {
        "tier": "act",
        "leak_probability": 0.99,
        "n_visits": 96.0,
        "advance_rate": 0.41,
        "advance_low": 0.34,
        "advance_high": 0.49,
        "typical_rate": 0.58,
        "lost_amount": 84_000.0,
        "lost_low": 40_000.0,
        "lost_high": 120_000.0,
    }
}
WATCH = {("R1", "Demo"): LEAK["R1", "Demo"] | {"tier": "watch", "leak_probability": 0.6}}
FEW = {("R1", stage): {"tier": "too_few", "strength_tier": "too_few"} for stage in STAGES}
STRONG = {("R1", "Offer"): {"strength_tier": "act", "advance_rate": 0.8, "advance_high": 0.9}}
# Most of what stops at Demo is small business; the largest deal that stopped there is not.
DEALS = [
    deal("D1", "R1", "2026-01-05", "Demo", "lost", amount=9_000, segment="SMB", account_id="Alfa"),
    deal("D2", "R1", "2026-02-05", "Demo", "lost", amount=7_000, segment="SMB", account_id="Beta"),
    deal("D3", "R1", "2026-03-05", "Demo", "lost", amount=5_000, segment="SMB", account_id="Core"),
    deal("D4", "R1", "2026-02-01", "Demo", "lost", amount=90_000, segment="Ent", account_id="Data"),
    deal("D5", "R1", "2026-01-08", "Offer", "won", amount=8_000, segment="SMB", account_id="Echo"),
    deal("D6", "R1", "2026-01-09", "Offer", "won", amount=95_000, segment="Ent", account_id="Fox"),
    deal("D7", "R1", "2026-06-10", "Demo", amount=6_000, segment="SMB", account_id="Golf"),
    deal("D8", "R1", "2023-01-05", "Demo", "lost", amount=99_000, segment="SMB", account_id="Old"),
    deal("D9", "R2", "2026-01-05", "Demo", "lost", amount=50_000, segment="SMB", account_id="Bobs"),
]


@pytest.fixture
def found(monkeypatch):
    """Makes cells be what a test says they are."""

    def are(what):
        monkeypatch.setattr(standout.leaks, "cells", lambda team: cells(what))

    return are


def session(session_id="S1", rep="R1", held_on="2026-05-04", kind="one_on_one", **more):
    return {"session_id": session_id, "rep_id": rep, "held_on": held_on, "kind": kind, **more}


def text_of(finding):
    return "\n".join([str(finding), finding.table.to_string(), *map(str, finding.table.to_numpy())])


# The deals


def test_two_typical_deals_that_stopped_and_the_most_alike_that_moved_on(found):
    found(LEAK)
    table = coaching.deals_to_discuss(team_of(DEALS), "R1").table
    # Not D4, larger but of the segment that rarely stops; not D8, too long ago.
    assert list(table["deal_id"]) == ["D1", "D2", "D5"]
    assert list(table["stage"]) == ["Demo", "Demo", "Demo"]
    assert list(table["stage_days"]) == [10, 10, 10]
    assert list(table["age_days"]) == [20, 20, 30]
    assert table["shows"].iloc[0] == "stopped at Demo after 10 days"
    assert table["shows"].iloc[2] == "is the most alike that moved on from Demo after 10 days"


def test_where_nothing_stopped_lately_the_open_ones_are_talked_about(found):
    found(LEAK)
    team = team_of([row for row in DEALS if row["outcome"] != "lost"])
    table = coaching.deals_to_discuss(team, "R1").table
    assert list(table["deal_id"]) == ["D7"]
    assert table["shows"].iloc[0] == "has been at Demo for 10 days"
    # It has not stopped: it is asked about as what it is, open.
    asked = coaching.questions(team, "R1").table
    known = {q.text: q.names for q in bank()}
    about = asked.loc[asked["deals"] == "D7", "question"].str.replace(
        "Golf (€6,000)", "{open_deal}"
    )
    assert len(about)
    assert all("deal" not in known[text] for text in about)


def test_where_nothing_stands_out_one_of_each_kind(found):
    found({})
    table = coaching.deals_to_discuss(team_of(DEALS), "R1").table
    assert list(table["deal_id"]) == ["D6", "D7", "D3"]
    assert list(table["outcome"].fillna("open")) == ["won", "open", "lost"]
    assert table["shows"].iloc[2] == "stopped at Demo after 20 days"


def test_deals_without_amount_segment_account_or_product(found):
    found(LEAK)
    bare = [deal("D1", "R1", "2026-01-05", "Demo", "lost"), deal("D2", "R1", "2026-02-05", "Offer")]
    finding = coaching.deals_to_discuss(team_of(bare), "R1")
    assert list(finding.table["deal_id"]) == ["D1", "D2"]
    assert "deal D1; deal D2" in finding.headline
    assert "stopped at Demo" in finding.table["shows"].iloc[0]
    assert "nan" not in text_of(coaching.questions(team_of(bare), "R1")).lower().split()


# The questions


def test_questions_are_about_the_stage_and_the_reps_own_deals(found):
    found(LEAK)
    finding = coaching.questions(team_of(DEALS), "Ágnes Kiss")
    table = finding.table
    assert finding.headline == "Ágnes Kiss: questions on Demo, where more deals stop than expected."
    assert {"presenting"} <= set(table["topic"]) <= {"presenting", "commitments", "hygiene"}
    named = {deal_id for ids in table["deals"] for deal_id in ids.split(", ") if deal_id}
    assert {"D1", "D2", "D5", "D7"} >= named
    assert len(named) >= 2
    assert 6 <= len(table) <= 9


def test_questions_come_in_grow_order_and_none_twice(found):
    found(LEAK)
    table = coaching.questions(team_of(DEALS), "R1").table
    places = [STEPS.index(step) for step in table["step"]]
    assert places == sorted(places)
    assert set(table["step"]) == set(STEPS)
    assert table["question"].is_unique


def test_a_stage_worth_watching_is_said_to_be_no_more_than_that(found):
    found(WATCH)
    finding = coaching.questions(team_of(DEALS), "R1")
    assert "presenting" in set(finding.table["topic"])
    assert "worth watching; not yet separated from chance" in finding.headline
    assert "stop" not in finding.headline


def test_where_nothing_stands_out_strengths_and_growth(found):
    found({})
    finding = coaching.questions(team_of(DEALS), "R1")
    assert {"strengths", "growth"} <= set(finding.table["topic"])
    assert "nothing stands out" in finding.headline
    assert "Demo" not in finding.headline


def test_too_few_deals_is_not_nothing(found):
    found(FEW)
    assert "too few deals to say" in coaching.questions(team_of(DEALS), "R1").headline


def test_a_strength_is_asked_about_by_its_stage(found):
    found(STRONG)
    asked = {
        question
        for month in range(1, 5)
        for question in coaching.questions(
            team_of(DEALS[:6], as_of=pd.Timestamp(2027, month, 28)), "R1"
        ).table["question"]
    }
    assert any("move on from Offer more often than expected" in question for question in asked)


def test_a_new_hire_is_asked_about_the_first_weeks(found):
    found({})
    finding = coaching.questions(team_of(DEALS), "R5")
    assert set(finding.table["topic"]) == {"new hire", "commitments"}
    assert "no deals yet" in finding.headline
    assert set(finding.table["deals"]) == {""}


def test_listen_for_is_for_the_manager_only(found):
    found(LEAK)
    team = team_of(DEALS)
    for_both = coaching.questions(team, "R1", listen_for=False)
    assert "listen_for" not in for_both.table
    assert "Good:" not in text_of(for_both)
    assert coaching.questions(team, "R1").table["listen_for"].str.len().min() > 20


def test_the_same_day_gives_the_same_page_and_the_next_month_other_questions(found):
    found(LEAK)
    pages = [
        coaching.questions(team_of(DEALS, as_of=pd.Timestamp(day)), "R1").table["question"]
        for day in ("2026-06-30", "2026-06-30", "2026-07-31")
    ]
    assert list(pages[0]) == list(pages[1])
    assert not set(pages[0]) & set(pages[2])


def test_a_rep_is_not_asked_what_every_other_rep_is_asked(found):
    found({})
    team = team_of(
        [{**row, "rep_id": rep, "deal_id": row["deal_id"] + rep} for row in DEALS for rep in REPS]
    )
    pages = {tuple(coaching.questions(team, rep).table["question"]) for rep in REPS}
    assert len(pages) > 2


@pytest.mark.parametrize(
    "name", ["{deal}", "{0}", "{x!r:>{y}}", "%s \\1", "<script>alert(1)</script>"]
)
def test_a_hostile_name_is_a_name(found, name):
    found(LEAK)
    deals = [{**row, "account_id": name} for row in DEALS]
    finding = coaching.questions(team_of(deals), "R1")
    asked = finding.table.loc[finding.table["deals"] != "", "question"]
    assert asked.str.contains(name, regex=False).all()
    assert "<script>" not in finding._repr_html_()


def test_two_deals_with_one_label_are_told_apart(found):
    found(LEAK)
    deals = [{**row, "account_id": "Alfa", "amount": 5_000} for row in DEALS]
    said = coaching.deals_to_discuss(team_of(deals), "R1").headline
    assert "Alfa (€5,000) D1" in said
    assert "Alfa (€5,000) D2" in said


def test_dates_that_passed_bring_a_question(found):
    found(LEAK)
    days = ["2026-06-10", "2026-06-20", "2026-06-29", "2026-06-30", None]
    late = [
        deal(f"L{i}", "R1", "2026-06-01", "Qualify", amount=100 - i, expected_close_on=day)
        for i, day in enumerate(days)
    ]
    team = team_of(DEALS + late)
    assert list(standout.of(team, "R1").overdue["deal_id"]) == ["L0", "L1", "L2"]
    asked = hygiene(coaching.questions(team, "R1"))
    assert len(asked) == 1
    assert "3 of your open deals" in asked[0] or "deal L0 (€100)" in asked[0]
    on_time = [{**row, "expected_close_on": "2026-12-01"} for row in late]
    assert not hygiene(coaching.questions(team_of(DEALS + on_time), "R1"))


def hygiene(finding):
    return list(finding.table.loc[finding.table["topic"] == "hygiene", "question"])


def test_open_deals_without_contact_bring_a_question(found):
    found(LEAK)
    still = [deal(f"L{i}", "R1", "2026-05-01", "Qualify", amount=100) for i in range(3)]
    call = {
        "activity_id": "A1",
        "rep_id": "R1",
        "kind": "call",
        "happens_at": "2026-06-29T10:00:00",
    }

    def topics(*ids):
        calls = pd.DataFrame([{**call, "activity_id": i, "deal_id": i} for i in ids])
        return set(
            coaching.questions(team_of(DEALS + still, activities=calls), "R1").table["topic"]
        )

    assert "time use" in topics("D7")
    assert "time use" not in topics("D7", "L0", "L1", "L2")


def test_a_cause_seen_elsewhere_is_taken_up(found):
    found(LEAK)
    for reason, is_asked in (("external", True), ("own", False)):
        log = pd.DataFrame(
            [session(reason=reason), session("S0", held_on="2026-01-01", reason="external")]
        )
        topics = set(coaching.questions(team_of(DEALS, coaching=log), "R1").table["topic"])
        assert ("external causes" in topics) is is_asked


def test_without_stage_history_there_are_still_questions():
    team = team_of(DEALS, without=["stage_changes"])
    finding = coaching.questions(team, "R1")
    assert {"strengths", "growth"} <= set(finding.table["topic"])
    assert "No stage history" in finding.caveats[0]
    assert len(coaching.deals_to_discuss(team, "R1").table) == 3


def test_an_unknown_rep_is_an_error():
    with pytest.raises(DataError, match="Did you mean"):
        coaching.questions(team_of(DEALS), "Agnes Kis")


# Since last time


def before_and_after(moved_then, lost_then, moved_now, lost_now):
    """Deals that left Demo in spring, before the session of 4 May, and in June, after it."""
    counts = [("A", "2026-02-01", moved_then, lost_then), ("B", "2026-05-05", moved_now, lost_now)]
    return [
        deal(f"{name}{way}{i}", "R1", day, "Offer" if way == "M" else "Demo", outcome)
        for name, day, moved, lost in counts
        for way, n, outcome in (("M", moved, "won"), ("L", lost, "lost"))
        for i in range(n)
    ]


def test_the_number_then_and_now_with_their_n(found):
    found({})
    log = pd.DataFrame([session(topic="demo", commitment="Run two demos", due_on="2026-05-20")])
    row = coaching.since_last_time(
        team_of(before_and_after(12, 8, 9, 3), coaching=log), "R1"
    ).table.iloc[0]
    assert (row["n_then"], row["then_rate"]) == (20, 12 / 20)
    assert (row["n_now"], row["now_rate"]) == (12, 9 / 12)
    low, high = proportion_confint(12, 20, alpha=0.1, method="wilson")
    assert (row["then_low"], row["then_high"]) == pytest.approx((low, high))
    assert row["status"] == "past its day"


def test_below_ten_deals_no_number_is_shown(found):
    found({})
    log = pd.DataFrame([session(topic="Demo")])
    finding = coaching.since_last_time(team_of(before_and_after(12, 8, 5, 4), coaching=log), "R1")
    assert pd.isna(finding.table["now_rate"].iloc[0])
    assert finding.table["n_now"].iloc[0] == 9
    assert "Too few deals to compare (n = 20 then, 9 since)" in finding.headline
    assert not finding.caveats


def test_where_the_last_talk_left_nothing_what_was_agreed_before_comes_first(found):
    found({})
    before = session(
        session_id="S0", held_on="2026-04-01", topic="Offer", commitment="Call Ann.", done_on=None
    )
    log = pd.DataFrame([session(topic="Demo", session_id="S1", commitment=None), before])
    said = coaching.since_last_time(team_of(before_and_after(12, 8, 5, 4), coaching=log), "R1")
    assert said.headline.startswith(
        "Ágnes Kiss: agreed on 1 April 2026 about Offer: “Call Ann”, still open. Last time, on "
    )
    assert said.headline.endswith("we talked about Demo.")
    assert "Call Ann" in said.ask[0]


@pytest.mark.parametrize(
    ("numbers", "is_apart"), [((10, 10, 12, 8), False), ((5, 25, 27, 3), True)]
)
def test_a_difference_is_named_only_beyond_chance(found, numbers, is_apart):
    found({})
    log = pd.DataFrame([session(topic="Demo")])
    finding = coaching.since_last_time(team_of(before_and_after(*numbers), coaching=log), "R1")
    assert ("not separated from chance" in finding.headline) is not is_apart
    assert (
        "comes back by itself" in finding.caveats[0] or "come back by itself" in finding.caveats[0]
    )


def test_a_skill_stands_for_the_stage_that_leans_on_it(found):
    found({})
    team = team_of(
        before_and_after(12, 8, 9, 3), coaching=pd.DataFrame([session(topic="Storytelling")])
    )
    skilled = salesnb.Team(
        salesnb.team.settings.of(
            {"as_of": AS_OF, "stages": STAGES, "skills": {"Demo": ["storytelling"]}}
        ),
        team.tables,
    )
    assert coaching.since_last_time(skilled, "R1").table["n_then"].iloc[0] == 20
    assert pd.isna(coaching.since_last_time(team, "R1").table["n_then"].iloc[0])


@pytest.mark.parametrize(
    ("done_on", "due_on", "status"),
    [
        ("2026-05-10", "2026-05-20", "done"),
        ("2026-05-30", "2026-05-20", "done later"),
        ("2026-05-30", None, "done"),
        (None, "2026-06-29", "past its day"),
        (None, "2026-06-30", "open"),
        (None, None, "open"),
    ],
)
def test_what_became_of_a_commitment(found, done_on, due_on, status):
    found({})
    log = pd.DataFrame([session(commitment="Call two customers.", done_on=done_on, due_on=due_on)])
    finding = coaching.since_last_time(team_of(DEALS, coaching=log), "R1")
    assert finding.table["status"].iloc[0] == status
    assert "“Call two customers”" in finding.headline
    assert ("done on" in finding.headline) is (done_on is not None)
    assert "Call two customers" in finding.ask[0]


def test_the_latest_session_comes_first_and_only_ones_own(found):
    found({})
    log = pd.DataFrame(
        [
            session("S1", held_on="2026-03-01", topic="Offer"),
            session("S2", held_on="2026-05-01", topic="Demo"),
            session("S3", rep="R2", held_on="2026-06-01", topic="Qualify"),
        ]
    )
    team = team_of(DEALS, coaching=log)
    assert list(coaching.since_last_time(team, "R1").table["topic"]) == ["Demo", "Offer"]
    assert list(coaching.since_last_time(team, "R1", sessions=1).table["topic"]) == ["Demo"]
    assert "no session on record" in coaching.since_last_time(team, "R4").headline


def test_a_colleague_in_the_notes_stays_unnamed(found):
    found(LEAK)
    agreed = "Watch Bob Braun and R2 at the next demo, then call Bobby"
    log = pd.DataFrame([session(topic="Demo", commitment=agreed, strength="as calm as Cili Nagy")])
    team = team_of(DEALS, coaching=log)
    for finding in (coaching.since_last_time(team, "R1"), coaching.questions(team, "R1")):
        said = text_of(finding)
        assert not any(name in said for rep, name in REPS.items() if rep != "R1")
        assert "R2" not in said
    said = coaching.since_last_time(team, "R1").table["commitment"].iloc[0]
    assert said == "Watch a colleague and a colleague at the next demo, then call Bobby"


def test_no_coaching_table_is_named():
    with pytest.raises(DataError, match="coaching") as raised:
        coaching.since_last_time(team_of(DEALS), "R1")
    assert raised.value.faults[0].table == "coaching"


# Against planted truth


@pytest.fixture(scope="module")
def planted():
    return salesnb.simulate(
        seed=5,
        reps=10,
        deals_per_rep=200,
        months=24,
        leak_share=0.3,
        leak_shift=(-1.8, -1.2),
        tables=["reps", "accounts", "products", "deals", "stage_changes"],
    )


def test_planted_leaks_are_what_the_questions_are_about(planted):
    team, truth = planted
    clear = truth.leaks[truth.leaks["n_visits"] >= 100].drop_duplicates("rep_id")
    assert len(clear) >= 3
    hits = 0
    for leak in clear.itertuples():
        finding = coaching.questions(team, leak.rep_id)
        own = truth.leaks.loc[truth.leaks["rep_id"] == leak.rep_id, "stage"]
        kinds = {stage_kind(stage, team.stages) for stage in own}
        hits += bool(kinds & set(finding.table["topic"]))
        ids = {i for each in finding.table["deals"] for i in each.split(", ") if i}
        moved = team.stage_changes.loc[team.stage_changes["rep_id"] == leak.rep_id, "deal_id"]
        owned = team.deals.loc[team.deals["rep_id"] == leak.rep_id, "deal_id"]
        assert ids
        assert ids <= {*moved, *owned}
    assert hits >= 0.8 * len(clear)


def test_without_planted_leaks_the_questions_are_about_strengths_and_growth():
    n_reps = n_on_a_stage = 0
    for seed in range(3):
        team, _ = salesnb.simulate(
            seed=seed,
            reps=8,
            deals_per_rep=80,
            months=18,
            null=True,
            tables=["reps", "accounts", "products", "deals", "stage_changes"],
        )
        for rep in team.reps["rep_id"]:
            topics = set(coaching.questions(team, rep).table["topic"])
            n_reps += 1
            n_on_a_stage += not topics & {"growth", "new hire"}
    assert n_reps == 24
    assert n_on_a_stage <= 2


def test_deals_without_stages_are_drawn_as_nothing(small):
    bare = Team(Settings(as_of=small.as_of), {"reps": small.reps, "deals": small.deals})
    finding = coaching.deals_to_discuss(bare, "R01")
    assert len(finding.table)
    assert not charts.shows_data(finding.plot())
