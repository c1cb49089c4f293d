"""The cases behind a metric: the rows that its n counts, as people read them."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from salesnb import behind
from salesnb.errors import DataError
from salesnb.metrics import answers, dates, pipeline, quota, rates
from salesnb.metrics.activity import due
from salesnb.metrics.ledger import Ledger
from salesnb.metrics.view import View
from salesnb.team import Team

Counted = Callable[[View], pd.DataFrame]


@dataclass(frozen=True)
class Cases:
    """Which rows of a view are counted, and how they are shown."""

    of: Counted
    shown: Callable[[Team, pd.DataFrame], pd.DataFrame]


def rows(
    book: Ledger,
    reps: list[str],
    metric: str,
    stage: str | None,
    first: pd.Timestamp,
    last: pd.Timestamp,
) -> pd.DataFrame:
    """The rows that the n of a metric counts, of these reps together, in a period.

    Raises `DataError` where it counts no rows of the tables: reps, quotas or quarters.
    """
    if metric not in CASES:
        raise DataError(f"No single rows stand behind {metric}: see metrics.glossary().")
    view, cases = answers.together(book, reps, first, last), CASES[metric]
    found = cases.of(view)
    if not pd.isna(stage):
        found = found[found["stage"] == stage]
    return cases.shown(book.team, found.reset_index(drop=True))


def _with_amount(deals: pd.DataFrame) -> pd.DataFrame:
    return deals[deals["amount"].notna()]


def _sold(view: View) -> pd.DataFrame:
    return rates.won_lines(view).drop_duplicates("deal_id")


def _priced(view: View) -> pd.DataFrame:
    lines = rates.won_lines(view).dropna(subset=["list_amount", "net_amount"])
    return lines.drop_duplicates("deal_id")


def _told(view: View) -> pd.DataFrame:
    return pipeline.stalled(view).dropna(subset="is_stalled")


def _pushed(view: View) -> pd.DataFrame:
    found = dates.moves(view)
    return found[found["is_push"]]


def _pushed_within(view: View) -> pd.DataFrame:
    found = dates.moves(view)
    return found[found["is_within"]]


def _decided(view: View) -> pd.DataFrame:
    seen = view.ledger.visits
    return view.scoped(seen[view.within(seen["deal_closed_on"])])


def _calls(view: View, *outcomes: str) -> pd.DataFrame:
    return view.calls[view.calls["outcome"].isin(outcomes)]


def _stayed(view: View) -> pd.DataFrame:
    return view.entered[~view.entered["is_skipped"]]


def _closed(view: View) -> pd.DataFrame:
    return view.closed


def _won(view: View) -> pd.DataFrame:
    return view.won


def _won_amounts(view: View) -> pd.DataFrame:
    return _with_amount(view.won)


def _covering(view: View) -> pd.DataFrame:
    return _with_amount(quota.due(view))


def _moves(team: Team, found: pd.DataFrame) -> pd.DataFrame:
    return behind.deals(team, found, "changed_at", "from_on", "expected_close_on")


def _slipped(team: Team, found: pd.DataFrame) -> pd.DataFrame:
    return behind.deals(team, found, "starts_on", "ends_on", "is_slipped")


def _all(shown: Callable[[Team, pd.DataFrame], pd.DataFrame], **of: Counted) -> dict[str, Cases]:
    return {name: Cases(each, shown) for name, each in of.items()}


CASES = {
    **_all(
        behind.deals,
        win_rate=_closed,
        value_win_rate=lambda view: view.closed[view.closed["amount"] > 0],
        cohort_win_rate=lambda view: view.created,
        cohort_open_share=lambda view: view.created,
        won_within_90_days=lambda view: view.created,
        n_won=_won,
        won_amount=_won_amounts,
        average_won_amount=_won_amounts,
        discount_rate=_priced,
        multi_product_share=_sold,
        sales_cycle_days=_won,
        sales_cycle_days_p25=_won,
        sales_cycle_days_p75=_won,
        days_to_loss=lambda view: view.closed[view.closed["outcome"] == "lost"],
        sales_velocity_amount=_closed,
        n_open=lambda view: view.open,
        open_amount=lambda view: _with_amount(view.open),
        untouched_share=pipeline.untouched,
        open_older_than_any_win_share=lambda view: view.open,
        pipeline_coverage=_covering,
        quota_left_amount=_covering,
    ),
    **_all(
        behind.visits,
        stage_conversion=lambda view: view.entered,
        stage_exit_conversion=lambda view: view.left,
        stage_to_won=_decided,
        time_in_stage_days=_stayed,
        time_in_stage_days_p25=_stayed,
        time_in_stage_days_p75=_stayed,
        stalled_share=_told,
    ),
    **_all(
        behind.activities,
        dials_per_week=lambda view: view.calls,
        connect_rate=lambda view: _calls(view, "connected", "no_answer"),
        booked_per_connect=lambda view: _calls(view, "connected"),
        meetings_booked_per_week=lambda view: view.booked,
        meetings_held_per_week=lambda view: due(view, "held"),
        held_rate=lambda view: due(view, "held", "no_show", "cancelled", "rescheduled"),
        no_show_rate=lambda view: due(view, "held", "no_show"),
    ),
    **_all(_moves, push_count=_pushed, within_month_push_count=_pushed_within, pushed_days=_pushed),
    **_all(_slipped, slippage_rate=lambda view: view.due),
}
