"""Metrics of stages and of time: conversion, time in stage, sales cycle."""

import numpy as np
import pandas as pd

from salesnb import stats
from salesnb.metrics import tally
from salesnb.metrics.view import View


def stage_conversion(view: View) -> pd.DataFrame:
    """Share of the visits begun in the period that go on to a later stage (or are won).

    Cohort version: the cumulative incidence of going on (Aalen and Johansen 1978) at the longest
    time seen. Open deals are censored, never counted as lost; losing is the competing event.
    Skipped stages count as passed at once.
    """
    rows, labels = view.entered, view.labels(by_stage=True)
    event = np.select([rows["outcome"] == "advanced", rows["outcome"] == "lost"], [1, 2])
    days = rows["days"].where(~rows["is_skipped"], 0.0)
    curve = stats.incidence(days.to_numpy(), event, view.codes(rows, by_stage=True))
    return labels.join(stats.incidence_by(curve, len(labels)))


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
    return found.assign(why=np.where(found["n"] > 0, "too many are still in the stage", ""))


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
