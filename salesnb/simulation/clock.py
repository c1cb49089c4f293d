"""Working time: deals and bookings move on working days, in office hours.

A moment is a float: the day number, plus how far the working day has gone (0 = 08:30, 1 = 17:30).
"""

from dataclasses import dataclass

import holidays
import numpy as np
import pandas as pd

from salesnb.simulation.plan import COUNTRY, TIMEZONE, Plan

OPENS_AT, HOURS = 8.5, 9.0


def office_days(plan: Plan) -> np.ndarray:
    """Which days of the calendar are neither weekend nor public holiday."""
    years = range(plan.days[0].year, plan.days[-1].year + 1)
    public = pd.DatetimeIndex(sorted(holidays.country_holidays(COUNTRY, years=years)))
    return np.asarray((plan.days.day_of_week < 5) & ~plan.days.isin(public))


@dataclass(frozen=True)
class Clock:
    """Each rep's own working days: `before[rep, day]` counts them, `nth[rep, k]` finds them."""

    before: np.ndarray
    nth: np.ndarray

    def forward(self, rep: np.ndarray, moment: np.ndarray, days: np.ndarray) -> np.ndarray:
        """The moment that many working days later; past the calendar's end it stands still."""
        day = np.clip(moment.astype(int), 0, self.before.shape[1] - 2)
        is_working = self.before[rep, day + 1] > self.before[rep, day]
        worked = self.before[rep, day] + np.where(is_working, moment - day, 0) + days
        k = np.minimum(worked.astype(int), self.nth.shape[1] - 1)
        return self.nth[rep, k] + worked % 1


def clock(is_working: np.ndarray) -> Clock:
    """A clock from the working days of each rep (reps x days)."""
    n_reps, n_days = is_working.shape
    before = np.zeros((n_reps, n_days + 1), dtype=int)
    np.cumsum(is_working, axis=1, out=before[:, 1:])
    nth = np.full((n_reps, before[:, -1].max() + 1), n_days)
    rep, day = np.nonzero(is_working)
    nth[rep, before[rep, day]] = day
    return Clock(before, nth)


def stamps(plan: Plan, moments: np.ndarray) -> pd.Series:
    """Moments as UTC timestamps, to the minute; NaN becomes NaT."""
    known = ~np.isnan(moments)
    days = np.floor(np.where(known, moments, 0))
    minutes = np.floor((OPENS_AT + HOURS * (np.where(known, moments, 0) - days)) * 60)
    local = pd.Series(plan.start + pd.to_timedelta(days * 1440 + minutes, unit="min"))
    zoned = local.dt.tz_localize(TIMEZONE).dt.tz_convert("UTC").dt.tz_localize(None)
    return zoned.astype("datetime64[us]").where(known)


def dates(plan: Plan, moments: np.ndarray) -> pd.Series:
    """The days of moments or of day numbers; NaN becomes NaT."""
    known = ~np.isnan(moments)
    whole = np.floor(np.where(known, moments, 0)).astype(int)
    days = pd.Series(plan.start + pd.to_timedelta(whole, unit="D"))
    return days.astype("datetime64[us]").where(known)
