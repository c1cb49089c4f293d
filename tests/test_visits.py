"""Stage visits by hand: skipped, moved back, reopened, handed over, unlogged."""

import pandas as pd
import pytest

from salesnb import DataError
from salesnb.settings import Settings
from salesnb.team import of
from salesnb.visits import visits

SETTINGS = Settings(as_of=pd.Timestamp("2026-06-30"), stages=("Qualify", "Demo", "Offer"))


def team_of(deals, changes):
    reps = pd.DataFrame({"rep_id": ["R1", "R2"], "name": ["Ágnes", "Bob"]})
    deals = pd.DataFrame(deals, columns=["deal_id", "rep_id", "created_on", "closed_on", "outcome"])
    changes = pd.DataFrame(changes, columns=["deal_id", "stage", "entered_at", "rep_id"])
    return of(SETTINGS, {"reps": reps, "deals": deals, "stage_changes": changes})


def moves(*entries):
    """Entries of deal D, all by R1: ``moves("Demo 2026-01-11")``."""
    return [("D", *entry.split(), "R1") for entry in entries]


def seen(team):
    found = visits(team)
    columns = ["stage", "rep_id", "outcome", "days", "is_skipped"]
    rows = found[columns].astype(object).where(found[columns].notna(), None)
    return [tuple(row) for row in rows.itertuples(index=False)]


def test_a_deal_that_was_won_stage_by_stage():
    team = team_of(
        [("D", "R1", "2026-01-01", "2026-02-10", "won")],
        [
            ("D", "Qualify", "2026-01-01", "R1"),
            ("D", "Demo", "2026-01-11", "R1"),
            ("D", "Offer", "2026-01-31", "R1"),
        ],
    )
    assert seen(team) == [
        ("Qualify", "R1", "advanced", 10, False),
        ("Demo", "R1", "advanced", 20, False),
        ("Offer", "R1", "advanced", 10, False),
    ]


def test_a_skipped_stage_was_reached_and_left_no_time():
    team = team_of(
        [("D", "R1", "2026-01-01", "2026-02-10", "lost")],
        moves("Qualify 2026-01-01", "Offer 2026-01-31"),
    )
    assert seen(team) == [
        ("Qualify", "R1", "advanced", 30, False),
        ("Demo", "R1", "advanced", None, True),
        ("Offer", "R1", "lost", 10, False),
    ]


def test_moving_back_counts_once_and_all_days_add_up():
    team = team_of(
        [("D", "R1", "2026-06-01", None, None)],
        [
            ("D", "Qualify", "2026-06-01", "R1"),
            ("D", "Demo", "2026-06-05", "R1"),
            ("D", "Qualify", "2026-06-10", "R1"),
            ("D", "Demo", "2026-06-12", "R1"),
        ],
    )
    assert seen(team) == [
        ("Qualify", "R1", "advanced", 4 + 2, False),
        ("Demo", "R1", "open", 5 + 18, False),
    ]


def test_a_move_is_credited_to_the_owner_at_the_time_a_loss_to_the_last_owner():
    team = team_of(
        [("D", "R2", "2026-01-01", "2026-03-01", "lost")],
        moves("Qualify 2026-01-01", "Demo 2026-01-11"),
    )
    assert [row[:3] for row in seen(team)] == [
        ("Qualify", "R1", "advanced"),
        ("Demo", "R2", "lost"),
    ]


def test_a_stage_change_after_the_close_reopens_the_deal():
    team = team_of(
        [("D", "R1", "2026-01-01", "2026-02-01", "lost")],
        moves("Qualify 2026-01-01", "Demo 2026-06-20"),
    )
    found = visits(team)
    assert list(found["outcome"]) == ["advanced", "open"]
    assert found["is_reopened"].all()
    # Before it was reopened, the deal was lost.
    assert list(visits(team.at("2026-03-01"))["outcome"]) == ["lost"]


def test_a_deal_without_changes_was_in_the_first_stage_since_the_log_began():
    team = team_of(
        [
            ("logged", "R1", "2026-02-01", None, None),
            ("silent", "R1", "2026-06-20", None, None),
            ("before", "R1", "2025-01-01", "2025-03-01", "won"),
            ("quick", "R1", "2026-03-01", "2026-03-02", "won"),
        ],
        [("logged", "Qualify", "2026-02-01", "R1")],
    )
    found = visits(team)
    assert found.groupby("deal_id").size().to_dict() == {"logged": 1, "quick": 3, "silent": 1}
    assert found.set_index("deal_id").loc["silent", ["outcome", "days"]].to_list() == ["open", 10]
    assert set(found.loc[found["deal_id"] == "quick", "outcome"]) == {"advanced"}


def test_no_rows_and_no_table():
    empty = team_of([], [])
    assert visits(empty).empty
    no_log = of(SETTINGS, {"reps": empty.reps, "deals": empty.deals})
    with pytest.raises(DataError, match="stage_changes"):
        visits(no_log)
