"""Metrics of stages and of time: conversion, time in stage, sales cycle."""

import numpy as np
import pandas as pd

from salesnb import stats
from salesnb.language import say
from salesnb.metrics import tally
from salesnb.metrics.view import View


def stage_conversion(view: View) -> pd.DataFrame:
    """Share of the visits begun in the period that go on to a later stage (or are won).

    Cohort version: the cumulative incidence of going on (Aalen and Johansen 1978) at the longest
    time seen. Open deals are censored, never counted as lost; losing is the competing event.
    Skipped stages count as passed at once.
    """
    labels = view.labels(by_stage=True)
    return labels.join(gone_on(view.entered, view.codes(view.entered, by_stage=True), len(labels)))


def gone_on(visits: pd.DataFrame, groups: np.ndarray, n_groups: int) -> pd.DataFrame:
    """The cohort conversion of stage visits, see `stage_conversion`, of any groups of them."""
    outcome = visits["outcome"]
    event = np.select([outcome == "advanced", outcome == "lost"], [1, 2])
    days = visits["days"].where(~visits["is_skipped"], 0.0)
    return stats.incidence_by(stats.incidence(days.to_numpy(), event, groups), n_groups)


def stage_exit_conversion(view: View) -> pd.DataFrame:
    """Gone on / (gone on + lost), of the stage visits that ended in the period.

    Exit version: deals stuck in the stage drop out, so read it beside `stage_conversion`.
    """
    return tally.share(view, view.left, view.left["outcome"] == "advanced", by_stage=True)


def stage_to_won(view: View) -> pd.DataFrame:
    """Deals won / deals decided in the period, of those that ever reached the stage."""
    seen = view.ledger.visits
    rows = view.scoped(seen[view.within(seen["deal_closed_on"])])
    return tally.share(view, rows, rows["deal_outcome"] == "won", by_stage=True)


def time_in_stage_days(view: View) -> pd.DataFrame:
    """Median days in a stage, all visits of a deal added up, of visits begun in the period.

    Kaplan-Meier: open deals are censored; skipped stages are left out.
    """
    return _time_in_stage(view, 0.5)


def time_in_stage_days_p25(view: View) -> pd.DataFrame:
    """First quartile of the days in a stage, as `time_in_stage_days`."""
    return _time_in_stage(view, 0.25)


def time_in_stage_days_p75(view: View) -> pd.DataFrame:
    """Third quartile of the days in a stage, as `time_in_stage_days`."""
    return _time_in_stage(view, 0.75)


def _time_in_stage(view: View, q: float) -> pd.DataFrame:
    labels = view.labels(by_stage=True)
    found = labels.join(stats.waiting_time(view.stage_waits, len(labels), q))
    why = say("too many are still in the stage")
    return found.assign(why=np.where(found["n"] > 0, why, ""))


def sales_cycle_days(view: View) -> pd.DataFrame:
    """Median days from creation to close of the deals won in the period."""
    return tally.middle(view, view.won, view.won["days"])


def sales_cycle_days_p25(view: View) -> pd.DataFrame:
    """First quartile of the days from creation to close of the deals won in the period."""
    return tally.middle(view, view.won, view.won["days"], 0.25)


def sales_cycle_days_p75(view: View) -> pd.DataFrame:
    """Third quartile of the days from creation to close of the deals won in the period."""
    return tally.middle(view, view.won, view.won["days"], 0.75)


def days_to_loss(view: View) -> pd.DataFrame:
    """Median days from creation to close of the deals lost in the period."""
    lost = view.closed[view.closed["outcome"] == "lost"]
    return tally.middle(view, lost, lost["days"])
