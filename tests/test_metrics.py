"""Every metric by hand: a few deals, the arithmetic on paper in the comments."""

import inspect

import numpy as np
import pandas as pd
import pytest

from salesnb import DataError, metrics
from salesnb.metrics import answers, presence
from salesnb.metrics.ledger import Ledger
from salesnb.metrics.register import REGISTER
from salesnb.metrics.view import GROUP, View, period
from salesnb.settings import Settings
from salesnb.team import of

STAGES = ("Qualify", "Demo", "Offer")
COLUMNS = {
    "reps": ["rep_id", "name", "hired_on", "left_on"],
    "deals": ["deal_id", "rep_id", "created_on", "closed_on", "outcome", "amount"],
    "stage_changes": ["deal_id", "stage", "entered_at"],
    "deal_lines": ["deal_id", "product_id", "list_amount", "net_amount"],
    "close_date_changes": ["deal_id", "changed_at", "expected_close_on"],
    "quotas": ["rep_id", "starts_on", "ends_on", "amount"],
    "absences": ["rep_id", "starts_on", "ends_on"],
    "activities": ["rep_id", "kind", "booked_at", "happens_at", "outcome", "deal_id", "account_id"],
}
REPS = [("R1", "Ágnes", "2024-01-01", None), ("R2", "Bob", "2024-01-01", None)]


def team_of(as_of="2026-06-30", extra=None, **rows):
    """A team from rows of the columns above; `extra` adds columns to deals."""
    rows.setdefault("reps", REPS)
    tables = {
        name: pd.DataFrame(table, columns=COLUMNS[name], dtype=object)
        for name, table in rows.items()
    }
    tables["deals"] = tables["deals"].assign(**(extra or {}))
    if "activities" in tables:
        tables["activities"]["activity_id"] = [f"A{i}" for i in range(len(rows["activities"]))]
    return of(Settings(as_of=pd.Timestamp(as_of), stages=STAGES), tables)


def value(team, metric, scope=GROUP, *, stage=None, starts_on=None, ends_on=None, get="value"):
    """One figure of the whole team, or of one rep."""
    view = answers.everybody(Ledger(team), *period(team, starts_on, ends_on))
    table = answers.answers(view, (metrics.find(metric),))
    table = table[table["scope"] == scope]
    rows = table if stage is None else table[table["stage"] == stage]
    assert len(rows) == 1
    return rows[get].iloc[0]


# --- deals won and lost ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def six():
    """Six deals, one of them reopened. Cycles of the won: 60, 30 and 220 days."""
    return team_of(
        deals=[
            ("D1", "R1", "2026-01-10", "2026-03-11", "won", 100),  # 60 days
            ("D2", "R1", "2026-02-01", "2026-02-21", "lost", 300),  # 20 days
            ("D3", "R1", "2026-03-01", "2026-03-31", "won", 50),  # 30 days
            ("D4", "R2", "2026-04-01", "2026-06-10", "lost", 50),  # 70 days
            ("D5", "R2", "2026-06-05", None, None, 80),  # 25 days old
            ("D6", "R1", "2025-06-01", "2026-01-07", "won", 400),  # 220 days, created too early
            ("D7", "R2", "2026-01-01", "2026-02-01", "won", 999),  # reopened in June: 180 days old
        ],
        stage_changes=[("D7", "Demo", "2026-06-01")],
    )


BY_HAND = [
    ("win_rate", GROUP, 3 / 5, 5),  # D1, D3, D6 of D1, D2, D3, D4, D6; D7 is open again
    ("win_rate", "R1", 3 / 4, 4),
    ("win_rate", "R2", 0 / 1, 1),  # 0, not unknown
    ("value_win_rate", GROUP, 550 / 900, 5),  # 100 + 50 + 400 of these + 300 + 50
    ("cohort_win_rate", GROUP, 2 / 6, 6),  # D6 was created before the period
    ("cohort_open_share", GROUP, 2 / 6, 6),  # D5, D7
    ("won_within_90_days", GROUP, 5 / 12, 6),  # tests/test_stats.py has the steps
    ("n_won", GROUP, 3, 3),
    ("won_amount", GROUP, 550, 3),
    ("won_amount", "R2", 0, 0),  # a sum of nothing is 0
    ("average_won_amount", GROUP, 550 / 3, 3),
    ("average_won_amount", "R2", np.nan, 0),  # an average of nothing is unknown
    ("sales_cycle_days", GROUP, 60, 3),
    ("sales_cycle_days_p25", GROUP, 45, 3),  # half-way from 30 to 60
    ("sales_cycle_days_p75", GROUP, 140, 3),  # half-way from 60 to 220
    ("sales_cycle_days", "R2", np.nan, 0),
    ("days_to_loss", GROUP, 45, 2),  # half-way from 20 to 70
    ("sales_velocity_amount", GROUP, 2 * (550 / 3) * (3 / 5) / 60, 5),  # D5, D7 open
    ("sales_velocity_amount", "R2", np.nan, 1),
    ("n_open", GROUP, 2, 2),
    ("open_amount", GROUP, 80 + 999, 2),
    ("open_amount", "R1", 0, 0),
    ("required_coverage", GROUP, 900 / 550, 5),
    ("required_coverage", "R2", np.nan, 1),  # nothing won: no coverage would do
]


@pytest.mark.parametrize(("metric", "scope", "expected", "n"), BY_HAND)
def test_deals_won_and_lost(six, metric, scope, expected, n):
    assert value(six, metric, scope) == pytest.approx(expected, nan_ok=True)
    assert value(six, metric, scope, get="n") == n


def test_a_period_counts_both_its_ends(six):
    assert value(six, "n_won", starts_on="2026-03-11", ends_on="2026-03-31") == 2
    assert value(six, "n_won", starts_on="2026-03-12", ends_on="2026-03-30") == 0
    assert np.isnan(value(six, "win_rate", starts_on="2026-03-12", ends_on="2026-03-30"))


def test_open_deals_of_the_velocity_are_those_at_the_end_of_the_period(six):
    # On 15 April D4 and D7 are open; the other factors are those of the period: all but D4.
    found = value(six, "sales_velocity_amount", ends_on="2026-04-15")
    assert found == pytest.approx(2 * (550 / 3) * (3 / 4) / 60)


def test_value_win_rate_is_unknown_where_lost_deals_have_no_amounts():
    team = team_of(
        deals=[
            ("D1", "R1", "2026-01-01", "2026-02-01", "won", 100),
            ("D2", "R1", "2026-01-01", "2026-02-01", "lost", 0),
            ("D3", "R1", "2026-01-01", "2026-02-01", "lost", None),
        ]
    )
    assert np.isnan(value(team, "value_win_rate"))
    assert value(team, "value_win_rate", get="why") == "won or lost deals have no amounts"


def test_the_interval_of_a_value_rate_knows_that_one_deal_weighs_most():
    # 97 of 100 in one deal: (100)^2 / (97^2 + 3) = 1.06 effective deals, not 4.
    even = [(f"D{i}", "R1", "2026-01-01", "2026-02-01", w, 25) for i, w in enumerate(WON_1_OF_4)]
    odd = [(*row[:5], 97 if row[4] == "won" else 1) for row in even]
    narrow, wide = (
        value(team_of(deals=deals), "value_win_rate", get="value_low") for deals in (even, odd)
    )
    assert narrow == pytest.approx(value(team_of(deals=even), "win_rate", get="value_low"))
    assert wide < 0.97 - 0.5


WON_1_OF_4 = ("won", "lost", "lost", "lost")


# --- product lines --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lines():
    deals = [(f"D{i}", "R1", "2026-01-01", "2026-02-01", "won", 100) for i in (1, 2, 3)]
    lost = ("D4", "R1", "2026-01-01", "2026-02-01", "lost", 100)
    return team_of(
        deals=[*deals, lost],
        deal_lines=[
            ("D1", "A", 100, 90),
            ("D1", "B", 100, 50),
            ("D2", "A", 200, 200),
            ("D2", "A", 100, 100),
            ("D3", "B", 100, None),  # without its price the line is left out
            ("D4", "A", 100, 10),  # not won
        ],
    )


def test_discount_rate_is_weighted(lines):
    # 1 - (90 + 50 + 200 + 100) / (100 + 100 + 200 + 100) = 1 - 440 / 500; two deals.
    assert value(lines, "discount_rate") == pytest.approx(0.12)
    assert value(lines, "discount_rate", get="n") == 2
    # Off the common 0.88: D1 140 - 176 = -36, D2 300 - 264 = 36. Standard error
    # sqrt(2 x 36^2 x 2 / 1) / 500 = 0.144; 90 % is 1.645 of them.
    high = value(lines, "discount_rate", get="value_high")
    assert high == pytest.approx(0.12 + 1.6449 * 0.144, abs=1e-5)
    assert np.isnan(value(lines, "discount_rate", "R2"))


def test_multi_product_share_counts_products_not_lines(lines):
    assert value(lines, "multi_product_share") == pytest.approx(1 / 3)  # D1; D2 holds A twice


def test_attach_rate_of_each_pair(lines):
    table = metrics.attach(lines).table
    rows = table.set_index(["product_id", "with_product_id"])
    # A stands on D1 and D2, with B on D1; B stands on D1 and D3, with A on D1.
    assert rows.loc[("A", "B"), ["n_won", "n_both", "attach_rate"]].tolist() == [2, 1, 0.5]
    assert rows.loc[("B", "A"), ["n_won", "n_both", "attach_rate"]].tolist() == [2, 1, 0.5]
    assert len(rows) == 2


# --- stages ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def staged():
    """Demo: D1 advances after 10 days, D2 is lost after 20, D3 is open for 15, D4 skips it."""
    return team_of(
        deals=[
            ("D1", "R1", "2026-01-01", "2026-02-20", "won", 1),
            ("D2", "R1", "2026-01-01", "2026-02-10", "lost", 1),
            ("D3", "R1", "2026-06-01", None, None, 1),
            ("D4", "R1", "2026-01-01", "2026-03-01", "lost", 1),
        ],
        stage_changes=[
            ("D1", "Qualify", "2026-01-01"),
            ("D1", "Demo", "2026-01-21"),
            ("D1", "Offer", "2026-01-31"),
            ("D2", "Qualify", "2026-01-01"),
            ("D2", "Demo", "2026-01-21"),
            ("D3", "Qualify", "2026-06-01"),
            ("D3", "Demo", "2026-06-15"),
            ("D4", "Qualify", "2026-01-01"),
            ("D4", "Offer", "2026-02-10"),
        ],
    )


STAGED = [
    # All four go on from Qualify: after 20, 20, 14 and 40 days.
    ("stage_conversion", "Qualify", 1, 4),
    ("time_in_stage_days", "Qualify", 20, 4),
    # Demo: D4 passes at once (1/4), D1 on day 10 (1/3 of 3/4), D3 is censored on day 15, D2 is
    # lost on day 20. The naive 2/4 happens to be the same; without D2's day it would not be.
    ("stage_conversion", "Demo", 1 / 4 + 3 / 4 * 1 / 3, 4),
    ("stage_exit_conversion", "Demo", 2 / 3, 3),  # D1, D4 of D1, D2, D4
    ("stage_to_won", "Demo", 1 / 3, 3),  # D1 of D1, D2, D4; D3 is not decided
    ("time_in_stage_days", "Demo", 20, 3),  # 10, (15), 20: half are through on day 20
    ("time_in_stage_days_p25", "Demo", 10, 3),
    ("time_in_stage_days_p75", "Demo", 20, 3),
    ("stage_conversion", "Offer", 1 / 2, 2),  # D1 after 20 days; D4 lost on day 19
    ("stage_exit_conversion", "Offer", 1 / 2, 2),
    ("stage_to_won", "Offer", 1 / 2, 2),
]


@pytest.mark.parametrize(("metric", "stage", "expected", "n"), STAGED)
def test_stages(staged, metric, stage, expected, n):
    assert value(staged, metric, stage=stage) == pytest.approx(expected)
    assert value(staged, metric, stage=stage, get="n") == n


def test_an_open_deal_is_not_counted_as_lost():
    # Five deals of which two went on after 5 days and three are open since yesterday.
    deals = [(f"D{i}", "R1", "2026-06-20", None, None, 1) for i in range(2)]
    deals += [(f"D{i}", "R1", "2026-06-29", None, None, 1) for i in range(2, 5)]
    changes = [(d[0], "Qualify", d[2]) for d in deals]
    changes += [("D0", "Demo", "2026-06-25"), ("D1", "Demo", "2026-06-25")]
    team = team_of(deals=deals, stage_changes=changes)
    assert value(team, "stage_conversion", stage="Qualify") == 1
    assert value(team, "stage_conversion", stage="Qualify", get="n") == 5
    assert value(team, "stage_exit_conversion", stage="Qualify") == 1
    assert np.isnan(value(team, "stage_to_won", stage="Qualify"))
    assert np.isnan(value(team, "stage_conversion", stage="Offer"))


# --- the open pipeline ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def aging():
    """Ten wins that spent 1 to 10 days in Qualify, and four open deals in it."""
    won = [(f"W{d}", "R1", "2026-01-01", f"2026-01-{d + 11}", "won", 1) for d in range(1, 11)]
    changes = [(f"W{d}", "Qualify", "2026-01-01") for d in range(1, 11)]
    changes += [(f"W{d}", "Demo", f"2026-01-{d + 1:02}") for d in range(1, 11)]
    ages = {"O1": ("2026-06-23", 100), "O2": ("2026-06-20", 40), "O3": ("2026-05-31", 7)}
    ages["O4"] = ("2026-06-09", None)
    opened = [(d, "R1", day, None, None, amount) for d, (day, amount) in ages.items()]
    changes += [(d, "Qualify", day) for d, (day, _) in ages.items()]
    did = [
        ("R1", "call", None, "2026-06-17", "no_answer", "O3", None),  # 14 days back, that day too
        ("R1", "meeting", "2026-06-01", "2026-07-03", None, "O2", None),  # booked ahead
        ("R1", "call", None, "2026-06-20", "cancelled", "O4", None),
    ]
    return team_of(deals=[*won, *opened], stage_changes=changes, activities=did)


def test_stalled(aging):
    # The 80th percentile of 1 ... 10 is 8.2 days; O1 has 7, O2 10, O3 30 and O4 21.
    assert value(aging, "stalled_share") == pytest.approx(3 / 4)
    assert value(aging, "stalled_amount") == 40 + 7  # that of O4 is not known
    assert np.isnan(value(aging, "stalled_share", "R2"))


def test_stalled_is_unknown_where_few_deals_were_won(staged):
    assert np.isnan(value(staged, "stalled_share"))
    assert np.isnan(value(staged, "stalled_amount"))


def test_untouched(aging):
    # O3 was called, O4 only in vain planned; O1 and O2 are not 14 days old.
    assert value(aging, "untouched_share") == pytest.approx(1 / 2)
    assert value(aging, "untouched_share", get="n") == 2


def test_untouched_by_account():
    deals = [(f"D{i}", "R1", "2026-01-01", None, None, 1) for i in (1, 2)]
    did = [("R1", "email", None, "2026-06-25", None, None, "X")]
    team = team_of(deals=deals, activities=did, extra={"account_id": ["X", "Y"]})
    assert value(team, "untouched_share") == pytest.approx(1 / 2)
    unnamed = team_of(
        deals=deals, activities=[("R1", "email", None, "2026-06-25", None, None, None)]
    )
    assert np.isnan(value(unnamed, "untouched_share"))
    assert value(unnamed, "untouched_share", get="why") == "no activity names its deal or account"


def test_open_older_than_any_win(aging):
    # The longest cycle is 20 days (1 to 21 January); O3 has 30, O4 21.
    assert value(aging, "open_older_than_any_win_share") == pytest.approx(2 / 4)
    assert value(aging, "open_older_than_any_win_amount") == 7


def test_nine_wins_are_too_few_to_call_a_deal_old(aging):
    nine = aging.tables["deals"].query("deal_id != 'W5'")
    team = of(aging.settings, {"reps": aging.reps, "deals": nine})
    assert np.isnan(value(team, "open_older_than_any_win_share"))
    assert np.isnan(value(team, "open_older_than_any_win_amount"))


# --- quotas ---------------------------------------------------------------------------------


QUARTERS = [
    ("2026-01-01", "2026-03-31"),
    ("2026-04-01", "2026-06-30"),
    ("2026-07-01", "2026-09-30"),
]


@pytest.fixture(scope="module")
def targets():
    """R1 all along, R2 on leave, R3 hired on 16 May with a third of a quota, R4 left on 14 Feb."""
    reps = [
        ("R1", "Ágnes", "2020-01-01", None),
        ("R2", "Bob", None, None),
        ("R3", "Çelik", "2026-05-16", None),
        ("R4", "Dóra", "2020-01-01", "2026-02-14"),
    ]
    quotas = [(r, *q, 900) for r in ("R1", "R2") for q in QUARTERS]
    quotas += [("R3", *QUARTERS[1], 300), ("R4", *QUARTERS[0], 900)]
    deals = [
        ("D1", "R1", "2026-01-01", "2026-02-01", "won", 600),
        ("D2", "R1", "2026-01-01", "2026-05-01", "won", 900),
        ("D3", "R2", "2026-01-01", "2026-05-01", "won", 546),
        ("D4", "R3", "2026-05-20", "2026-06-20", "won", 110),
        ("D5", "R4", "2026-01-01", "2026-02-10", "won", 450),
        ("D6", "R1", "2026-06-01", None, None, 1200),
        ("D7", "R2", "2026-06-01", None, None, 1000),
        ("D8", "R3", "2026-06-01", None, None, 1000),
        ("D9", "R1", "2025-11-01", "2025-12-01", "won", 5000),  # before there was a quota
    ]
    due = [None] * 5 + ["2026-08-01", "2026-10-01", "2026-08-01", None]
    # Two leaves that overlap: 1 to 30 June are 30 days.
    away = [("R2", "2026-06-01", "2026-06-20"), ("R2", "2026-06-10", "2026-06-30")]
    return team_of(
        deals=deals, reps=reps, quotas=quotas, absences=away, extra={"expected_close_on": due}
    )


ATTAINED = [
    ("quota_amount", "R1", 1800, 2),
    ("quota_attainment", "R1", 1500 / 1800, 2),
    # On leave for 30 of the 91 days of the second quarter.
    ("quota_amount", "R2", 900 + 900 * 61 / 91, 2),
    ("quota_attainment", "R2", 546 / (900 + 900 * 61 / 91), 1),
    # Hired on day 46 of 91: 46 days are left. Its own quota is a third of a full one.
    ("quota_amount", "R3", 300 * 46 / 91, 1),
    ("quota_attainment", "R3", 110 / (300 * 46 / 91), 1),
    ("quota_attainment_full", "R3", 110 / (900 * 46 / 91), 1),
    ("quota_attainment_full", "R1", 1500 / 1800, 2),
    # Left after 45 of 90 days.
    ("quota_attainment", "R4", 450 / 450, 1),
]


@pytest.mark.parametrize(("metric", "scope", "expected", "n"), ATTAINED)
def test_quotas(targets, metric, scope, expected, n):
    assert value(targets, metric, scope) == pytest.approx(expected)
    assert value(targets, metric, scope, get="n") == n


def test_a_quota_counts_by_its_days_in_the_period(targets):
    # 31 of the 90 days of the first quarter; D1 is won on the day after.
    found = value(targets, "quota_amount", "R1", starts_on="2026-01-01", ends_on="2026-01-31")
    assert found == pytest.approx(900 * 31 / 90)
    found = value(targets, "quota_attainment", "R1", starts_on="2026-01-01", ends_on="2026-01-31")
    assert found == 0


def test_coverage_of_the_coming_quarter(targets):
    # July to September: R1 has 1200 due of 900; R2's deal is due in October; R3 has no quota.
    assert value(targets, "pipeline_coverage", "R1") == pytest.approx(1200 / 900)
    assert value(targets, "pipeline_coverage", "R2") == 0
    assert np.isnan(value(targets, "pipeline_coverage", "R3"))
    assert value(targets, "pipeline_coverage", "R3", get="why") == "no quota for the quarter"
    assert value(targets, "pipeline_coverage") == pytest.approx(1200 / 1800)
    assert value(targets, "quota_left_amount", "R1") == 900


def test_coverage_within_a_quarter(targets):
    # On 15 May 900 of R1's 900 are won: met, so there is no ratio.
    team = targets.at("2026-05-15")
    assert value(team, "quota_left_amount", "R1") == 0
    assert np.isnan(value(team, "pipeline_coverage", "R1"))
    assert value(team, "pipeline_coverage", "R1", get="why") == "met"


# --- expected close dates -------------------------------------------------------------------


@pytest.fixture(scope="module")
def dated():
    """Deals due in the second quarter as known on 31 March, and what became of them."""
    deals = [
        ("D1", "R1", "2026-01-01", "2026-05-01", "won", 100),  # due in May, won in May
        ("D2", "R1", "2026-01-01", None, None, 300),  # due in May, moved to August: slipped
        ("D3", "R1", "2026-01-01", "2026-06-30", "lost", 100),  # lost on the last day: not slipped
        ("D4", "R2", "2026-01-01", None, None, 500),  # due in June, never moved, open: slipped
        ("D5", "R2", "2026-01-01", "2026-04-20", "won", 900),  # was due in July
        ("D6", "R2", "2026-04-02", None, None, 100),  # created later
        # The year before: 200 of 800 won.
        ("P1", "R1", "2025-06-01", "2025-07-01", "won", 200),
        ("P2", "R1", "2025-06-01", "2025-07-01", "lost", 600),
    ]
    due = [None, None, None, "2026-06-15", None, "2026-05-15", None, None]
    moves = [
        ("D1", "2026-01-02", "2026-05-10"),
        ("D2", "2026-01-02", "2026-05-10"),
        ("D2", "2026-05-01", "2026-05-31"),  # 21 days later, the same month
        ("D2", "2026-05-20", "2026-07-15"),  # 45 days later, another month
        ("D2", "2026-06-20", "2026-08-01"),  # 17 days later, another month
        ("D3", "2026-01-02", "2026-06-10"),
        ("D3", "2026-06-01", "2026-05-31"),  # earlier
        ("D5", "2026-01-02", "2026-07-10"),
    ]
    extra = {"expected_close_on": due}
    return team_of(deals=deals, close_date_changes=moves, extra=extra)


DATED = [
    ("slippage_rate", GROUP, 2 / 4, 4),  # D2, D4 of D1, D2, D3, D4
    ("slippage_rate", "R1", 1 / 3, 3),
    ("slippage_amount_share", GROUP, 800 / 1000, 4),
    ("push_count", GROUP, 2, 2),
    ("within_month_push_count", GROUP, 1, 1),
    ("pushed_days", GROUP, 31, 2),  # half-way from 17 to 45
    ("pushes_per_deal", "R1", 2 / 3, 3),  # D1, D2, D3
    ("pushes_per_deal", "R2", 0 / 3, 3),
    # 1000 due x the 1/4 of the year before = 250; 100 + 900 came.
    ("forecast_accuracy", GROUP, 1 - 750 / 1000, 1),
    ("forecast_bias", GROUP, -750 / 1000, 1),
    ("forecast_accuracy", "R1", 1 - 25 / 100, 1),  # 500 due x 1/4 = 125; 100 came
    ("forecast_bias", "R1", 25 / 100, 1),
]


@pytest.mark.parametrize(("metric", "scope", "expected", "n"), DATED)
def test_expected_close_dates(dated, metric, scope, expected, n):
    found = {"starts_on": "2026-04-01", "ends_on": "2026-06-30"}
    assert value(dated, metric, scope, **found) == pytest.approx(expected)
    assert value(dated, metric, scope, **found, get="n") == n


def test_a_forecast_against_nothing_won_is_unknown(dated):
    assert np.isnan(value(dated.only(reps=["R1"]), "forecast_accuracy", ends_on="2026-04-30"))
    early = {"starts_on": "2025-07-01", "ends_on": "2025-09-30"}
    assert value(dated, "forecast_accuracy", **early, get="why") == "no earlier quarter"


# --- work -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def work():
    """June: 30 days, of which R1 is away for 9: 3 weeks at work; R2 4 2/7 weeks."""
    r1 = [("call", None, "2026-06-02", outcome) for outcome in ("connected", "no_answer", None)]
    r1 += [("call", None, "2026-06-03", "no_answer"), ("call", None, "2026-05-31", "connected")]
    r1 += [
        ("meeting", "2026-06-01", "2026-06-04", "held"),
        ("demo", "2026-06-01", "2026-06-05", "no_show"),
        ("meeting", "2026-05-20", "2026-06-05", "held"),  # booked in May
        ("meeting", "2026-06-02", "2026-06-06", "cancelled"),
        ("meeting", "2026-06-02", "2026-06-07", "rescheduled"),
        ("meeting", "2026-06-25", "2026-07-07", None),  # not due yet
        ("proposal", "2026-06-02", "2026-06-07", "held"),
    ]
    return team_of(
        deals=[],
        activities=[("R1", *row, None, None) for row in r1],
        absences=[("R1", "2026-06-22", "2026-07-05")],
    )


WORK = [
    ("dials_per_week", "R1", 4 / 3, 4),
    ("dials_per_week", "R2", 0, 0),
    ("dials_per_week", GROUP, 4 / (3 + 30 / 7), 4),
    ("connect_rate", "R1", 1 / 3, 3),
    ("connect_rate", "R2", np.nan, 0),
    ("booked_per_connect", "R1", 5 / 1, 1),
    ("booked_per_connect", "R2", np.nan, 0),
    ("meetings_booked_per_week", "R1", 5 / 3, 5),
    ("meetings_held_per_week", "R1", 2 / 3, 2),
    ("held_rate", "R1", 2 / 5, 5),
    ("no_show_rate", "R1", 1 / 3, 3),
    ("no_show_rate", "R2", np.nan, 0),
]


@pytest.mark.parametrize(("metric", "scope", "expected", "n"), WORK)
def test_work(work, metric, scope, expected, n):
    found = value(work, metric, scope, starts_on="2026-06-01")
    assert found == pytest.approx(expected, nan_ok=True)
    assert value(work, metric, scope, starts_on="2026-06-01", get="n") == n


# --- new hires ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hires():
    """Three tenured reps who win 100 a month each; N1 ramps, N2 is not there yet, N3 left."""
    months = pd.date_range("2024-01-31", "2025-12-31", freq="ME")
    wins = [(rep, day, 100) for rep in ("T1", "T2", "T3") for day in months]
    # N1's months from February: 0, 50, 90, 100, 100: trailing 140 to April, 240 to May = 80 %.
    wins += [("N1", pd.Timestamp(2025, month, 15), won) for month, won in RAMP]
    wins += [("N2", pd.Timestamp(2025, 10, 31), 10)]
    deals = [
        (f"D{i}", rep, day - pd.Timedelta(days=10), day, "won", won)
        for i, (rep, day, won) in enumerate(wins)
    ]
    # An inherited deal of N1's: won before any of their own.
    deals += [("old", "N1", "2024-12-01", "2025-02-20", "won", 1)]
    reps = [(rep, rep, "2020-01-01", None) for rep in ("T1", "T2", "T3")]
    reps += [
        ("N1", "N1", "2025-02-01", None),
        ("N2", "N2", "2025-10-01", None),
        ("N3", "N3", "2025-03-01", "2025-06-30"),
    ]
    return team_of(as_of="2025-12-31", reps=reps, deals=deals)


RAMP = [(3, 50), (4, 90), (5, 100), *((month, 100) for month in range(6, 13))]


def test_time_to_first_deal(hires):
    # N1: 1 February to 15 March = 42 days, the inherited deal left out; N2: 30 days; N3 never.
    assert value(hires, "time_to_first_deal_days", "N1") == 42
    assert value(hires, "time_to_first_deal_days", "N2") == 30
    assert np.isnan(value(hires, "time_to_first_deal_days", "N3"))
    assert value(hires, "time_to_first_deal_days", "N3", get="why") == "not yet"
    # 1/3 by day 30, 2/3 by day 42: N3 stays in the count for good.
    assert value(hires, "time_to_first_deal_days") == 42
    assert value(hires, "time_to_first_deal_days", get="n") == 3
    assert value(hires, "time_to_first_deal_days", "T1", get="n") == 0


def test_ramp_time(hires):
    # Trailing three months of the tenured: 300, of which 80 % are 240. N1: February to April 140
    # (1 inherited more), March to May 240: there on 31 May, and in June with 290 still.
    # 1 February to 31 May are 119 days = 3.9 months.
    assert value(hires, "ramp_months", "N1") == pytest.approx(119 / (365.25 / 12))
    assert np.isnan(value(hires, "ramp_months", "N2"))
    # N2 has been there for less than that. Of N1 and N3, who left for good, half are there.
    assert value(hires, "ramp_months") == pytest.approx(119 / (365.25 / 12))
    assert value(hires, "ramp_months", get="n") == 3


def test_one_good_quarter_that_does_not_last_is_no_ramp(hires):
    deals = hires.tables["deals"]
    is_later = (deals["rep_id"] == "N1") & (deals["closed_on"] > "2025-05-31")
    team = of(hires.settings, {"reps": hires.reps, "deals": deals[~is_later]})
    assert np.isnan(value(team, "ramp_months", "N1"))


# --- the register and its findings ----------------------------------------------------------


def test_every_metric_is_tested_here_by_hand():
    told = inspect.getsource(inspect.getmodule(test_every_metric_is_tested_here_by_hand))
    assert not [metric.name for metric in REGISTER if f'"{metric.name}"' not in told]


def test_every_metric_of_an_empty_team_is_unknown_or_nothing():
    team = team_of(**{name: [] for name in COLUMNS if name != "reps"})
    table = metrics.overview(team).table
    assert set(table["metric"]) == {metric.name for metric in REGISTER}
    assert table["value"].fillna(0).eq(0).all()
    assert table.loc[table["value"].isna(), "why"].notna().all()
    assert table.loc[table["value"].notna(), "why"].isna().all()
    rates = table[table["unit"] == "rate"]
    assert rates["value"].isna().all()


def test_overview_says_what_it_cannot_answer(six):
    found = metrics.overview(six)
    row = found.table[found.table["metric"] == "quota_attainment"]
    assert row[["scope", "why"]].to_numpy().tolist() == [["team", "needs quotas"]]
    assert any("needs quotas" in caveat for caveat in found.caveats)
    assert found.headline == (
        "The team won 3 of 5 deals closed in the 12 months to 30 June 2026 (60%, 27%–86%), "
        "€550 in all."
    )


def test_a_rep_is_called_apart_only_where_chance_over_all_reps_is_rare():
    def won_by_first(k):
        rows = [("R1", i, i < k) for i in range(40)]
        rows += [(f"R{r}", i, i < 20) for r in (2, 3, 4, 5) for i in range(40)]
        return team_of(
            reps=[(f"R{r}", f"Rep {r}", None, None) for r in range(1, 6)],
            deals=[
                (f"{rep}-{i}", rep, "2026-01-01", "2026-02-01", "won" if is_won else "lost", 1)
                for rep, i, is_won in rows
            ],
        )

    # 13 of 40 against 80 of 160: z = 1.98, p = 0.048, but one of five reps: not below 0.01.
    assert "no further apart than chance" in metrics.overview(won_by_first(13), rep="R1").headline
    # 10 of 40: z = 2.84, p = 0.0045.
    assert "alike, further apart" in metrics.overview(won_by_first(10), rep="R1").headline


def test_a_rep_is_told_what_the_data_cannot_answer(six):
    found = metrics.overview(six, rep="R1")
    assert any("needs quotas" in caveat for caveat in found.caveats)


def test_here_is_who_was_hired_by_the_day_and_has_not_left():
    days = {
        "a": ("2020-01-01", None),
        "b": (None, None),
        "c": ("2026-06-30", "2026-07-01"),  # the first day, and one more
        "d": ("2020-01-01", "2026-06-30"),  # the last day
        "e": ("2026-07-01", None),  # about to come
    }
    rows = [{"rep_id": r, "name": r, "hired_on": h, "left_on": e} for r, (h, e) in days.items()]
    team = team_of(reps=rows, deals=[])
    assert team.reps["rep_id"][presence.is_here(team)].tolist() == ["a", "b", "c"]
    assert team.reps["rep_id"][presence.has_left(team)].tolist() == ["d"]


def test_a_benchmark_leaves_out_the_rep_the_ramping_and_the_part_timers():
    reps = [
        ("R1", "Ágnes", "2020-01-01", None),
        ("R2", "Bob", None, None),
        ("R3", "Çelik", "2025-06-01", None),  # ramping at the start of the period
        ("R4", "Dóra", "2020-01-01", "2026-06-29"),  # left before its end
        ("R5", "Éva", "2020-01-01", None),  # on leave for four months
        ("R6", "Fay", "2020-01-01", None),
        ("R7", "Gus", "2020-01-01", None),
        ("R8", "Hal", "2020-01-01", None),  # has no deal
    ]
    deals = [
        (f"{rep}{i}", f"R{rep}", "2026-01-01", "2026-02-01", "won" if i < won else "lost", 10 * rep)
        for rep, won in ((1, 4), (2, 1), (3, 4), (4, 4), (5, 4), (6, 2), (7, 3))
        for i in range(4)
    ]
    away = [("R5", "2025-08-01", "2025-11-30")]
    team = team_of(reps=reps, deals=deals, absences=away)
    table = metrics.overview(team, rep="R1").table.set_index(["metric", "scope"])
    # Of R2, R6 and R7 together 1 + 2 + 3 of 12 deals; the median of 1, 2 and 3 wins.
    assert table.loc[("win_rate", "typical"), "value"] == 6 / 12
    assert table.loc[("win_rate", "typical"), "n"] == 12
    assert table.loc[("n_won", "typical"), ["value", "n"]].tolist() == [2, 3]
    assert table.loc[("win_rate", "rep"), "value"] == 1
    assert set(table["rep_id"].dropna()) == {"R1"}
    # Without R7 two are left: they would be known.
    fewer = metrics.overview(team.only(reps=["R1", "R2", "R6"]), rep="Ágnes")
    assert set(fewer.table["scope"]) == {"rep"}
    assert "too few others" in fewer.headline


def test_trend_by_month(six):
    table = metrics.trend(six, metric="n_won", months=6).table
    assert table["value"].tolist() == [1, 0, 2, 0, 0, 0]  # January, March twice
    assert table["ends_on"].iloc[1] == pd.Timestamp("2026-02-28")
    with pytest.raises(DataError, match="win_rate"):
        metrics.trend(six, metric="winrate")
    with pytest.raises(DataError, match="activities"):
        metrics.trend(six, metric="no_show_rate")


def test_a_trend_of_the_open_pipeline_is_as_known_then(six):
    table = metrics.trend(six, metric="n_open", months=3).table
    # End of April: D4 (D7 was closed then); May: D4 ... and June: D5, D7.
    assert table["value"].tolist() == [1, 1, 2]


def test_a_trend_is_named_only_beyond_chance():
    def monthly(wins):
        return team_of(
            deals=[
                (f"{m}-{i}", "R1", "2025-01-01", f"2026-{m:02}-15", "won" if i < k else "lost", 1)
                for m, k in enumerate(wins, 1)
                for i in range(20)
            ]
        )

    falling = metrics.trend(monthly([15, 13, 11, 8, 6, 3]), months=6)
    assert "falling by more than chance" in falling.headline
    level = metrics.trend(monthly([9, 11, 10, 8, 11, 10]), months=6)
    assert "no trend beyond chance" in level.headline


def test_velocity_is_taken_apart_without_a_rest(six):
    table = metrics.velocity(six, months=3).table.set_index("factor")
    # January to March against nothing won in April to June: unknown, not 0.
    assert table["change_amount"].isna().all()
    known = six.at("2026-04-15")
    twice = pd.concat([known.deals, earlier(known.deals)])
    team = of(known.settings, {**known.tables, "deals": twice})
    table = metrics.velocity(team, months=3).table.set_index("factor")
    *parts, total = table["change_amount"]
    velocity = table.loc["sales_velocity_amount"]
    # 16 January to 15 April: D4 open, D1, D3, D7 won, D2 lost, cycles of 60, 30 and 31 days.
    assert velocity["now"] == pytest.approx(1 * (1149 / 3) * (3 / 4) / 31)
    assert total == pytest.approx(velocity["now"] - velocity["then"])
    assert sum(parts) == pytest.approx(total)


def earlier(deals):
    """The closed deals once more, a hundred days earlier and twice as large."""
    shift = pd.Timedelta(days=100)
    closed = deals.dropna(subset="closed_on")
    return closed.assign(
        deal_id=closed["deal_id"] + "x",
        created_on=closed["created_on"] - shift,
        closed_on=closed["closed_on"] - shift,
        amount=closed["amount"] * 2,
    )


def test_the_win_curve_is_the_cumulative_incidence(six):
    table = metrics.win_curve(six).table.set_index("day")
    assert table.loc[20, "won_share"] == 0
    assert table.loc[50, "won_share"] == pytest.approx(5 / 24)
    assert table.loc[60, "won_share"] == pytest.approx(10 / 24)
    # Lost: 1/6 on day 20, half of what is left (5/12) on day 70.
    assert table.loc[70, "lost_share"] == pytest.approx(1 / 6 + 5 / 24)
    assert table.loc[20, "n_waiting"] == 5


def test_glossary_defines_every_metric():
    table = metrics.glossary()
    assert table["metric"].tolist() == [metric.name for metric in REGISTER]
    assert (table["definition"].str.len() > 20).all()
    assert table["definition"].str.endswith((".", "period.")).all()
    assert set(table["unit"]) == {"rate", "percent", "days", "months", "amount", "count", "ratio"}


def test_figures_do_not_depend_on_who_else_is_asked_about(small):
    view = answers.everybody(Ledger(small), *period(small, None, None))
    everybody = answers.answers(view).set_index(["metric", "stage", "scope"])["value"]
    rep = small.reps["rep_id"].iloc[0]
    alone = View(
        view.ledger, pd.DataFrame({"rep_id": [rep], "scope": [rep]}), *period(small, None, None)
    )
    own = answers.answers(alone).set_index(["metric", "stage", "scope"])["value"]
    pd.testing.assert_series_equal(own, everybody.loc[own.index])
