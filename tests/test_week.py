"""Who needs a word this week: at most five lines, each against the rep's own usual."""

import numpy as np
import pandas as pd
import pytest
from handmade import deal, team_of

from salesnb import attention, pipeline
from salesnb.team import Team


def looks(*counts):
    """Looks at one rep's deals: (how many are so, of how many)."""
    return [
        pd.DataFrame(
            {"rep_id": ["R1"] * n + ["R2"] * 50, "is_it": [True] * k + [False] * (n - k + 50)}
        )
        for k, n in counts
    ]


@pytest.mark.parametrize(("now", "is_unusual"), [(2, False), (4, False), (12, True)])
def test_a_count_is_held_against_the_reps_own(now, is_unusual):
    found = attention._against_usual("overdue", looks(*[(2, 20)] * 6, (now, 20)))
    row = found.set_index("rep_id").loc["R1"]
    # 12 of 120 before, and the team's 13 of 422 weighing as much as ten deals.
    assert row["usual"] == pytest.approx(20 * (12 + 10 * 13 / 422) / 130)
    assert (row["p"] < 0.01) == is_unusual
    assert row["usual_low"] <= row["usual"] <= row["usual_high"]


def test_counts_that_always_wander_are_no_news():
    calm = attention._against_usual("overdue", looks(*[(4, 20)] * 6, (9, 20)))
    wild = attention._against_usual(
        "overdue", looks(*[(k, 20) for k in (0, 9, 1, 8, 0, 9)], (9, 20))
    )
    assert calm["p"].min() < 0.05 < wild["p"].min()


def without_activities(team: Team, reps: list[str], days: int) -> Team:
    """These reps have done nothing for some days, and have nothing ahead."""
    rows = team.activities
    since = team.as_of - pd.Timedelta(days=days)
    kept = rows[~(rows["rep_id"].isin(reps) & (rows["happens_at"] >= since))]
    return Team(team.settings, {**team.tables, "activities": kept.reset_index(drop=True)})


def test_deals_left_alone_are_named(small):
    present = attention._at_work(small)
    still = small.deals[small.deals["outcome"].isna() & small.deals["rep_id"].isin(present)]
    rep = str(still["rep_id"].value_counts().index[0])
    found = pipeline.week(without_activities(small, [rep], 21))
    lines = found.table[found.table["rep_id"] == rep]
    assert "untouched" in set(lines["reason"])
    name = small.reps.set_index("rep_id").loc[rep, "name"]
    assert str(name) in found.headline
    assert "without any activity in 14 days" in found.headline


def test_never_more_than_five_lines(small):
    found = pipeline.week(without_activities(small, list(small.reps["rep_id"]), 60))
    assert len(found.table) <= 5


def test_who_is_away_or_gone_is_not_named(small):
    rep = attention._at_work(small)[0]
    leave = {"rep_id": rep, "starts_on": small.as_of - pd.Timedelta(days=10)}
    leave |= {"ends_on": small.as_of + pd.Timedelta(days=10)}
    absences = pd.concat([small.absences, pd.DataFrame([leave])], ignore_index=True)
    team = Team(small.settings, {**small.tables, "absences": absences})
    assert rep not in attention._at_work(team)


def test_nothing_unusual_is_said_in_so_many_words():
    deals = [deal(f"D{i}", "R1", "2026-01-05", "Demo") for i in range(12)]
    changes = [(f"D{i}", "2026-01-05", "2026-12-31") for i in range(12)]
    log = pd.DataFrame(changes, columns=["deal_id", "changed_at", "expected_close_on"])
    found = pipeline.week(team_of(deals, close_date_changes=log))
    assert found.table.empty
    assert found.headline == "All within their usual range."
    assert "Not looked at, for lack of a log: meetings, untouched." in found.caveats


def test_without_any_log_there_is_nothing_to_compare():
    deals = [deal(f"D{i}", "R1", "2026-01-05", "Demo") for i in range(3)]
    found = pipeline.week(team_of(deals, without=("stage_changes",)))
    assert found.headline.startswith("Nothing to compare")
    assert np.isfinite(len(found.table))
