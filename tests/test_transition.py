"""From rep to manager, by hand: first talks, ideas, fairness, help that carries, handover."""

import numpy as np
import pandas as pd
import pytest
from handmade import AS_OF, STAGES, deal, team_of

import salesnb
from salesnb import DataError, transition
from salesnb.settings import Settings
from salesnb.team import Team, of

PEOPLE = [("R1", "Ágnes Kiss"), ("R2", "Bob Braun"), ("R3", "Cili Nagy"), ("R4", "Dan Ito")]
NOW = AS_OF.date().isoformat()


def reps(**columns):
    table = pd.DataFrame(PEOPLE, columns=["rep_id", "name"])
    return table.assign(was_peer=[False, True, False, True], **columns)


def session(number, rep, held_on, **more):
    row = {"session_id": f"S{number}", "rep_id": rep, "held_on": held_on, "kind": "one_on_one"}
    return row | more


# The first talks


def test_former_team_mates_first_two_a_day_and_nobody_on_leave():
    sessions = [session(1, "R1", "2026-06-20"), session(2, "R4", "2026-06-01")]
    leave = {"rep_id": "R2", "starts_on": "2026-07-06", "ends_on": "2026-07-10"}
    team = team_of([], reps=reps(), coaching=pd.DataFrame(sessions), absences=pd.DataFrame([leave]))
    found = transition.plan(team)
    talks = found.table[found.table["rep_id"] != ""].set_index("rep_id")["starts_on"]
    # As of Tuesday 30 June: from Monday 6 July. R2 is back on Monday 13 July. Of the others R3
    # has never had a session.
    assert dict(talks.dt.strftime("%m-%d")) == {
        "R4": "07-06",
        "R3": "07-06",
        "R1": "07-07",
        "R2": "07-13",
    }
    phase = found.table.set_index("rep_id")["phase"]
    assert phase["R4"] == "week 1"
    assert phase["R2"] == "weeks 2-4"
    assert found.headline == (
        "From 6 July 2026: 4 first talks, the 2 former team-mates first; the last on 13 July 2026."
    )


def test_no_talk_on_a_weekend_and_none_with_oneself():
    many = pd.DataFrame({"rep_id": [f"P{i:02}" for i in range(24)]}).assign(name="N")
    team = team_of([], reps=many.assign(name=many["rep_id"]))
    found = transition.plan(team, manager="P05", starts="2026-07-02")
    talks = found.table[found.table["rep_id"] != ""]
    assert len(talks) == 23
    assert "P05" not in set(talks["rep_id"])
    assert talks["starts_on"].dt.day_of_week.max() == 4
    assert talks["starts_on"].value_counts().max() == 2
    assert talks["starts_on"].min() == pd.Timestamp("2026-07-02")
    assert found.caveats, "who was a team-mate is not on record, and the page says so"


def test_a_wrong_day_or_name_is_said():
    with pytest.raises(DataError, match="starts"):
        transition.plan(team_of([]), starts="next week")
    with pytest.raises(DataError, match="no rep 'Nobody'"):
        transition.handover(team_of([]), manager="Nobody")


# Ideas


def idea(number, rep, raised_on, **more):
    return {"idea_id": f"I{number}", "rep_id": rep, "raised_on": raised_on, "idea": "x"} | more


def test_ideas_by_hand():
    rows = [
        idea(1, "R1", "2026-06-20"),
        idea(2, "R1", "2026-01-10", decision="adopted", decided_on="2026-01-20"),
        idea(
            3,
            "R2",
            "2026-01-10",
            decision="adopted",
            decided_on="2026-01-30",
            credited_on="2026-02-01",
            outcome="failed",
            owned_on="2026-03-01",
        ),
        idea(4, "R3", "2025-01-10"),
    ]
    found = transition.ideas(team_of([], reps=reps(), ideas=pd.DataFrame(rows)))
    table = found.table.set_index("rep_id")
    assert list(table.index) == ["R1", "R4", "R3", "R2"]
    assert list(table["n_raised"]) == [2, 0, 0, 1]
    assert table.loc["R1", "longest_wait_days"] == 10
    assert table.loc["R2", "answer_days"] == 20
    assert table.loc["R3", "last_raised_on"] == pd.Timestamp("2025-01-10")
    assert "3 ideas raised in the last year, 1 still unanswered" in found.headline
    assert "Of 2 adopted 1 was credited in public (12%–88%)." in found.headline
    assert "Of 1 that failed 1 was owned by the manager" in found.headline


def test_no_ideas_is_said():
    team = team_of([], ideas=pd.DataFrame([idea(1, "R1", "2024-01-10")]))
    assert transition.ideas(team).headline.startswith("No idea was raised in the last year")


# Fairness


def team_with_sessions(minutes, n_peers):
    """Reps with twelve sessions each, of so many minutes; the first ones were team-mates."""
    n = len(minutes)
    people = pd.DataFrame({"rep_id": [f"P{i:02}" for i in range(n)]})
    people = people.assign(name=people["rep_id"], was_peer=np.arange(n) < n_peers)
    rows = [
        session(f"{i}-{m}", f"P{i:02}", AS_OF - pd.Timedelta(days=30 * m), minutes=minutes[i, m])
        for i in range(n)
        for m in range(12)
    ]
    deals = pd.DataFrame([deal("D1", "P00", "2026-01-05", "Demo")]).drop(columns="reached")
    tables = {"reps": people, "deals": deals, "coaching": pd.DataFrame(rows)}
    return of(Settings(as_of=AS_OF, stages=STAGES), tables)


def test_a_gap_in_time_is_found_and_its_interval_holds_the_difference():
    dice = np.random.default_rng(1)
    minutes = dice.normal(40, 5, (20, 12)) + 20 * (np.arange(20) < 6)[:, None]
    found = transition.fairness(team_with_sessions(minutes, 6))
    row = found.table.set_index("measure").loc["coaching time"]
    per_month = 365 / 365.25 * 12
    by_hand = minutes.sum(axis=1) / per_month
    assert row["value"] == pytest.approx(by_hand[:6].mean())
    assert row["change"] == pytest.approx(by_hand[:6].mean() - by_hand[6:].mean())
    assert "minutes of coaching a month" in found.headline
    assert "differ by more than chance" in found.headline


def test_equal_treatment_is_seldom_called_a_difference():
    dice = np.random.default_rng(2)
    said = 0
    for _ in range(60):
        found = transition.fairness(team_with_sessions(dice.normal(40, 5, (20, 12)), 6))
        said += "differ by more than chance" in found.headline
    # 5 % of 60 teams are 3; more than 8 would come by chance once in 250 times.
    assert said <= 8


def test_two_people_are_too_few():
    found = transition.fairness(team_with_sessions(np.full((4, 12), 40.0), 1))
    assert "too few people to compare" in found.headline
    assert "not on record" in transition.fairness(team_of([])).headline


# Deals that the manager closed, accounts of two reps


def with_moves(deals, moves, **tables):
    """The team of these deals with further stage changes (deal, stage, day, rep)."""
    made = team_of(deals, **tables)
    more = pd.DataFrame(moves, columns=["deal_id", "stage", "entered_at", "rep_id"])
    both = pd.concat([made.stage_changes, more.astype({"entered_at": "datetime64[us]"})])
    return Team(made.settings, {**made.tables, "stage_changes": both.reset_index(drop=True)})


def test_the_managers_hand_in_others_deals():
    deals = [
        deal("D1", "R1", "2026-01-05", "Demo", "won", amount=5_000),
        deal("D2", "R1", "2026-01-05", "Demo", "lost", amount=9_000),
        deal("D3", "R2", "2026-01-05", "Offer", "won", amount=7_000),
        deal("D4", "R4", "2026-01-05", "Offer", "won", amount=7_000),
        deal("D5", "R1", "2024-01-05", "Offer", "won", amount=7_000),
    ]
    met = {
        "activity_id": "A1",
        "rep_id": "R4",
        "kind": "meeting",
        "happens_at": "2026-01-20",
        "outcome": "held",
        "deal_id": "D2",
    }
    moves = [("D1", "Offer", "2026-01-24", "R4"), ("D3", "Qualify", "2026-01-01", "R4")]
    team = with_moves(deals, moves, reps=reps(), activities=pd.DataFrame([met]))
    found = transition.super_rep(team, manager="R4")
    # D1: moved by the manager; D2: met before the close; D3 was the manager's before it was R2's.
    assert list(found.table["deal_id"]) == ["D2", "D1"]
    assert list(found.table["n_moves"]) == [0, 1]
    assert list(found.table["n_meetings"]) == [1, 0]
    assert found.headline.startswith("The manager had a hand in 2 of 3 deals")
    assert "cannot be told" in transition.super_rep(team).headline
    lead = Team(team.settings, {**team.tables, "reps": reps(role=["Rep", "Rep", "", "Sales Lead"])})
    assert list(transition.super_rep(lead).table["deal_id"]) == ["D2", "D1"]


def test_what_the_manager_did_as_the_owner_is_no_help():
    deals = [deal("D1", "R1", "2026-05-01", "Demo", "won", amount=5_000)]
    met = {
        "activity_id": "A1",
        "rep_id": "R4",
        "kind": "meeting",
        "happens_at": "2026-04-25",
        "outcome": "held",
        "deal_id": "D1",
    }
    moves = [("D1", "Qualify", "2026-04-20", "R4")]
    team = with_moves(deals, moves, reps=reps(), activities=pd.DataFrame([met]))
    # R4 opened it and met the customer; R1 took it over on 1 May and won it on 21 May.
    assert transition.super_rep(team, manager="R4").table.empty
    later = pd.DataFrame([met | {"happens_at": "2026-05-15"}])
    again = with_moves(deals, moves, reps=reps(), activities=later)
    assert list(transition.super_rep(again, manager="R4").table["n_meetings"]) == [1]


def test_every_planted_deal_is_found_and_no_other():
    n_found = []
    for seed in range(10):
        team, truth = salesnb.simulate(
            seed=seed, deals_per_rep=60, tables=["stage_changes", "activities"]
        )
        planted = truth.carried.merge(team.deals, on="deal_id")
        is_recent = planted["closed_on"] > team.as_of - pd.Timedelta(days=365)
        found = transition.super_rep(team)
        assert set(found.table["deal_id"]) == set(planted.loc[is_recent, "deal_id"])
        assert bool(found.caveats) != (team.reps["role"] == "Sales Manager").any()
        n_found += [len(found.table)] if len(planted) else []
    assert len(n_found) >= 3 and min(n_found) >= 1
    null, _ = salesnb.simulate(seed=0, deals_per_rep=60, null=True, tables=["stage_changes"])
    assert transition.super_rep(null).table.empty


def test_two_reps_at_one_account():
    deals = [
        deal("D1", "R1", "2026-05-01", "Offer", account_id="Both"),
        deal("D2", "R2", "2026-05-20", "Demo", account_id="Both"),
        deal("D3", "R2", "2026-04-01", "Demo", "won", account_id="Hands"),
        deal("D4", "R3", "2026-03-01", "Demo", "lost", account_id="After"),
        deal("D5", "R1", "2026-05-01", "Demo", "won", account_id="After"),
        deal("D6", "R1", "2026-04-01", "Offer", "won", account_id="Left"),
        deal("D7", "R1", "2026-04-01", "Offer", "won", account_id="Alone"),
    ]
    moves = [("D3", "Qualify", "2026-03-20", "R1"), ("D6", "Qualify", "2026-03-20", "R4")]
    left = [None, None, None, pd.Timestamp("2026-03-31")]
    team = with_moves(deals, moves, reps=reps(left_on=left))
    table = transition.rivalry(team).table.set_index("account")
    signs = {"Both": "both at once", "Hands": "changed hands"}
    signs |= {"Left": "handed over", "After": "one after the other"}
    assert dict(table["sign"]) == signs
    assert table.loc["Both", "overlap_days"] == 41
    assert table.loc["Hands", ["rep_id", "other_rep", "n_won"]].to_list() == ["R1", "Bob Braun", 1]


# The manager's old pipeline


def test_accounts_stay_together_and_the_load_is_shared():
    own = [deal(f"M{i}", "R4", "2026-06-01", "Demo", account_id=f"A{i // 2}") for i in range(6)]
    found = transition.handover(team_of(own, reps=reps()), manager="R4").table
    assert len(found) == 6
    assert "R4" not in set(found["rep_id"])
    by_account = found.groupby("account")["rep_id"].unique()
    assert all(len(who) == 1 for who in by_account)
    assert found.groupby("rep_id").size().to_list() == [2, 2, 2]


def decided(rep: str, n_won: int, n: int) -> list[dict]:
    """Deals of a rep with enterprises, so many won."""
    return [
        deal(f"{rep}-{i}", rep, "2026-01-01", "Demo", "won" if i < n_won else "lost", segment="Ent")
        for i in range(n)
    ]


def test_experience_decides_where_the_load_is_even():
    own = deal("M1", "R4", "2026-06-01", "Demo", segment="Ent", amount=9_000)
    past = [*decided("R1", 8, 40), *decided("R2", 30, 40), *decided("R3", 8, 40)]
    row = transition.handover(team_of([*past, own], reps=reps()), manager="R4").table.iloc[0]
    assert row["rep_id"] == "R2"
    assert row["n_segment"] == 40
    assert 0.6 < row["segment_win_rate"] < 0.75  # 30 of 40, drawn towards the 46 of 120 of all


def test_what_chance_explains_is_not_taken_for_experience():
    own = deal("M1", "R4", "2026-06-01", "Demo", segment="Ent", amount=9_000)
    past = [*decided("R1", 11, 30), *decided("R2", 9, 30), *decided("R3", 10, 30)]
    row = transition.handover(team_of([*past, own], reps=reps()), manager="R4").table.iloc[0]
    assert row["segment_win_rate"] == pytest.approx(1 / 3, abs=0.01)


def test_former_team_mates_get_no_more_than_their_part():
    own = [deal(f"M{i}", "R4", "2026-06-01", "Demo", segment="Ent") for i in range(6)]
    past = [*decided("R1", 2, 40), *decided("R2", 38, 40), *decided("R3", 2, 40)]
    table = transition.handover(team_of([*past, *own], reps=reps()), manager="R4").table
    # R2, the only former team-mate of three reps, has won nearly all, and gets a third.
    assert table["rep_id"].value_counts().to_dict() == {"R1": 2, "R2": 2, "R3": 2}


def test_nobody_who_is_away_or_just_hired_is_loaded():
    own = [deal(f"M{i}", "R4", "2026-06-01", "Demo") for i in range(9)]
    hired = [pd.Timestamp("2020-01-01"), pd.Timestamp("2026-05-01"), None, None]
    away = {"rep_id": "R1", "starts_on": "2026-06-29", "ends_on": "2026-09-30"}
    team = team_of(own, reps=reps(hired_on=hired), absences=pd.DataFrame([away]))
    taken = transition.handover(team, manager="R4").table["rep_id"].value_counts()
    assert set(taken.index) == {"R2", "R3"}
    assert taken["R3"] > taken["R2"]


def test_after_the_promotion_it_says_who_has_the_deals_now():
    moved = deal("M1", "R1", "2026-05-01", "Demo", account_id="Acme")
    team = with_moves(
        [moved],
        [("M1", "Qualify", "2026-04-30T12:00", "R4"), ("M1", "Offer", "2026-06-20", "R1")],
        reps=reps(left_on=[None, None, None, pd.Timestamp("2026-06-01")]),
    )
    changes = team.stage_changes
    is_old = (changes["rep_id"] == "R1") & (changes["entered_at"] < "2026-06-01")
    changes = changes.assign(rep_id=changes["rep_id"].mask(is_old, "R4"))
    team = Team(team.settings, {**team.tables, "stage_changes": changes})
    found = transition.handover(team, manager="Dan Ito")
    assert list(found.table["now_with"]) == ["Ágnes Kiss"]
    assert "1 open deal of the manager" in found.headline
