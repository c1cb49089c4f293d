"""Metrics of work done: from the dial over the connect and the booking to the meeting held."""

import numpy as np
import pandas as pd

from salesnb.language import say
from salesnb.metrics import tally
from salesnb.metrics.view import View

MISSED = ("no_show", "cancelled", "rescheduled")


def weeks_at_work(view: View) -> pd.DataFrame:
    """Rep-weeks of the period: days on the team and not on leave, over 7."""
    days = view.at_work.sum(axis=1)
    rows = view.scoped(days.rename("days").reset_index())
    return tally.total(view, rows, rows["days"] / 7)


def dials_per_week(view: View) -> pd.DataFrame:
    """Calls made in the period / rep-weeks at work (days on the team, less leave, over 7)."""
    return _per_week(view, view.calls)


def meetings_booked_per_week(view: View) -> pd.DataFrame:
    """Meetings and demos booked in the period / rep-weeks at work."""
    return _per_week(view, view.booked)


def meetings_held_per_week(view: View) -> pd.DataFrame:
    """Meetings and demos held in the period / rep-weeks at work."""
    return _per_week(view, due(view, "held"))


def connect_rate(view: View) -> pd.DataFrame:
    """Calls connected / (connected + no answer), in the period: dial to connect."""
    calls = view.calls[view.calls["outcome"].isin(["connected", "no_answer"])]
    return tally.share(view, calls, calls["outcome"] == "connected")


def booked_per_connect(view: View) -> pd.DataFrame:
    """Meetings and demos booked / calls connected, in the period: connect to booked.

    A ratio, not a share: a meeting can be booked without a call.
    """
    connects = tally.number(view, view.calls[view.calls["outcome"] == "connected"])
    return tally.ratio(tally.number(view, view.booked), connects)


def held_rate(view: View) -> pd.DataFrame:
    """Meetings and demos held / due in the period with a known outcome: booked to held.

    The outcome may be held, no-show, cancelled or rescheduled. No answer where none of the team's
    meetings ever ended otherwise than held: then nobody writes it down.
    """
    found = due(view, "held", *MISSED)
    return _where_told(view, tally.share(view, found, found["outcome"] == "held"), *MISSED)


def no_show_rate(view: View) -> pd.DataFrame:
    """No-shows / (held + no-shows), of the meetings and demos due in the period.

    Rescheduled meetings are unresolved, cancelled ones are excluded. No answer where the team has
    never recorded a no-show: then nobody writes it down.
    """
    found = due(view, "held", "no_show")
    return _where_told(view, tally.share(view, found, found["outcome"] == "no_show"), "no_show")


def due(view: View, *outcomes: str) -> pd.DataFrame:
    """Meetings and demos due in the period that ended so."""
    return view.meetings[view.meetings["outcome"].isin(outcomes)]


def _where_told(view: View, found: pd.DataFrame, *outcomes: str) -> pd.DataFrame:
    """The answer, or none where no meeting of the team ever ended so."""
    if view.ledger.meetings_end.intersection(outcomes):
        return found
    why = say("no meeting of the team is on record as missed")
    return found.assign(value=np.nan, **tally.NO_INTERVAL, why=why)


def _per_week(view: View, rows: pd.DataFrame) -> pd.DataFrame:
    number = tally.number(view, rows)
    return tally.ratio(number, weeks_at_work(view)).assign(n=number["n"])
