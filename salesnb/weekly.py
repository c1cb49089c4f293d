"""Weeks of work: what each rep booked, and how much of each week there was to book in."""

from dataclasses import dataclass

import holidays
import numpy as np
import pandas as pd

from salesnb.errors import unknown
from salesnb.language import say
from salesnb.metrics.presence import days_at_work
from salesnb.once import once
from salesnb.team import Team
from salesnb.units import percent

KINDS = ("call", "email", "meeting", "demo", "proposal")
MOST_WEEKS = 160  # older weeks teach nothing about what is usual now
SELDOM = 8  # activities a week below which a week without any says nothing about presence
RARELY, AT_MOST = 4, 3  # the same where no leave is recorded, and for how many weeks in a row
JOINED_LATE = 4  # weeks after the log began from which on a first activity is a first day
NEVER = 10_000.0  # weeks since the hire of somebody hired long ago
WEEK, DAY = pd.Timedelta(days=7), pd.Timedelta(days=1)


@dataclass(frozen=True, eq=False)
class Weekly:
    """Weekly counts of one kind of activity (reps x weeks).

    rep_id : (reps,); week : (weeks,) Mondays, up to the last whose working days have passed
    count : activities booked in the week
    exposure : share of the week's working days at work: leave, holidays, hire and leaving taken out
    is_employed : whether the rep was on the team, at work or not
    tenure : weeks since the hire
    caveats : what is not known, in words
    """

    rep_id: pd.Index
    week: pd.DatetimeIndex
    count: np.ndarray
    exposure: np.ndarray
    is_employed: np.ndarray
    tenure: np.ndarray
    caveats: tuple[str, ...]


@once
def weekly(team: Team, kind: str = "meeting") -> Weekly:
    """Weekly counts of a kind of activity, by the week of booking.

    Where the booking is not dated, by the week it takes place. Weeks in which a rep who is
    usually busy recorded nothing of any kind count as absence.

    Raises
    ------
    DataError
        The team has no activities, or there is no such kind.
    """
    if kind not in KINDS:
        raise unknown("kind of activity", kind, KINDS)
    team.need("activities", why=f"the count of each week's {kind}s")
    rows = team.activities[["rep_id", "kind", "booked_at", "happens_at"]]
    rows["at"] = rows["booked_at"].fillna(rows["happens_at"])
    own = rows[rows["kind"] == kind]
    weeks = _weeks(own["at"], team)
    reps = _reps(team, own, weeks)
    count, anything = _counts(own, reps, weeks), _counts(rows, reps, weeks)
    first = _first_week(rows, reps, weeks)
    hired = team.reps.set_index("rep_id")["hired_on"].reindex(reps)
    exposure, is_employed = _at_work(team, reps, weeks)
    has_begun = np.arange(len(weeks)) >= np.where(hired.notna(), 0, first)[:, None]
    is_active = ~is_silent(anything, team.has("absences")) & (count.sum(axis=0) > 0)
    return Weekly(
        rep_id=reps,
        week=weeks,
        count=count,
        exposure=exposure * is_active * has_begun,
        is_employed=is_employed & has_begun,
        tenure=_tenure(hired, first, weeks),
        caveats=_caveats(team, own),
    )


def booked(team: Team, kind: str, rep_id: str, week: pd.Timestamp) -> pd.DataFrame:
    """The activities that `weekly` counts of a rep in the week of this Monday, as on record."""
    rows = team.activities
    rows = rows[(rows["rep_id"] == rep_id) & (rows["kind"] == kind)]
    at = rows["booked_at"].fillna(rows["happens_at"])
    return rows[(at >= week) & (at < week + WEEK)]


def working_days(country: str, first: pd.Timestamp, last: pd.Timestamp) -> np.ndarray:
    """Which days are neither weekend nor public holiday; Monday to Friday without a country."""
    days = pd.date_range(first, last, unit="us")
    public = _calendar(country, range(first.year, last.year + 1))
    if public is None:
        return np.asarray(days.day_of_week < 5)
    is_holiday = days.isin(pd.DatetimeIndex([pd.Timestamp(day) for day in public]))
    return np.asarray(~days.day_of_week.isin(list(public.weekend)) & ~is_holiday)


def is_silent(anything: np.ndarray, is_leave_known: bool) -> np.ndarray:
    """Weeks without any activity of a rep who until then was busy: absence nobody recorded.

    Where no leave is recorded at all, a less busy rep's empty weeks are taken for leave too, but
    not more than three in a row.
    """
    is_empty = anything == 0
    usual = np.cumsum(anything, axis=1) / np.maximum(np.cumsum(~is_empty, axis=1), 1)
    found = is_empty & (usual >= SELDOM)
    if is_leave_known:
        return found
    week = np.arange(anything.shape[1])
    since = week - np.maximum.accumulate(np.where(is_empty, -1, week), axis=1)
    return found | (is_empty & (usual >= RARELY) & (since <= AT_MOST))


def shares(team: Team, reps: pd.Index, weeks: pd.DatetimeIndex) -> np.ndarray:
    """Share of each week's usual working days at work, past or ahead (reps x weeks)."""
    return _at_work(team, reps, weeks)[0]


def _calendar(country: str, years: range) -> holidays.HolidayBase | None:
    try:
        return holidays.country_holidays(country, years=years) if country else None
    except NotImplementedError:
        return None


def _weeks(at: pd.Series, team: Team) -> pd.DatetimeIndex:
    """The Mondays from the first whole week of the log to the last one that has passed."""
    at = at[at < team.as_of + DAY]
    if at.empty:
        return pd.DatetimeIndex([], dtype="datetime64[us]")
    public = _calendar(team.settings.country, range(team.as_of.year, team.as_of.year + 1))
    ends = max({*range(7)} - (set(public.weekend) if public is not None else {5, 6}))
    last = team.as_of - pd.Timedelta(days=ends)
    last = last - pd.Timedelta(days=last.day_of_week)
    first = at.min().normalize()
    first = first + pd.Timedelta(days=-first.day_of_week % 7)
    first = max(first, last - (MOST_WEEKS - 1) * WEEK)
    return pd.date_range(first, last, freq="7D", unit="us")


def _reps(team: Team, own: pd.DataFrame, weeks: pd.DatetimeIndex) -> pd.Index:
    """Who has ever booked one, and who was hired since the log began; in order of id."""
    reps = team.reps
    is_new = reps["hired_on"] >= weeks.min() if len(weeks) else reps["hired_on"].isna() & False
    found = reps["rep_id"].isin(own["rep_id"].unique()) | is_new
    return pd.Index(reps.loc[found, "rep_id"].sort_values(), dtype="str")


def _counts(rows: pd.DataFrame, reps: pd.Index, weeks: pd.DatetimeIndex) -> np.ndarray:
    """Rows by rep and week."""
    rep = reps.get_indexer(pd.Index(rows["rep_id"]))
    week = _number(rows["at"], weeks)
    inside = (rep >= 0) & (week >= 0) & (week < len(weeks))
    code = rep[inside] * len(weeks) + week[inside]
    return np.bincount(code, minlength=len(reps) * len(weeks)).reshape(len(reps), len(weeks))


def _number(at: pd.Series, weeks: pd.DatetimeIndex) -> np.ndarray:
    """The number of the week that each time falls into; negative before the first."""
    start = weeks[0] if len(weeks) else pd.Timestamp(0)
    return ((at.dt.normalize() - start).dt.days // 7).to_numpy(int)


def _first_week(rows: pd.DataFrame, reps: pd.Index, weeks: pd.DatetimeIndex) -> np.ndarray:
    """The week of the first activity of any kind; 0 if about when the log began, or never."""
    first = rows.groupby("rep_id")["at"].min().reindex(reps)
    number = _number(first.fillna(weeks.min()), weeks) if len(weeks) else np.zeros(len(reps), int)
    return np.where(number > JOINED_LATE, number, 0)


def _at_work(team: Team, reps: pd.Index, weeks: pd.DatetimeIndex) -> tuple[np.ndarray, np.ndarray]:
    """Share of each week at work, and whether on the team at all (reps x weeks)."""
    shape = (len(reps), len(weeks), 7)
    if not len(weeks):
        return np.zeros(shape[:2]), np.zeros(shape[:2], bool)
    first, last = weeks[0], weeks[-1] + WEEK - DAY
    at_work = days_at_work(team, first, last).reindex(reps).to_numpy(bool)
    is_working = working_days(team.settings.country, first, last)
    usual = is_working.reshape(-1, 7).sum(axis=1).max(initial=1)
    share = (at_work & is_working).reshape(shape).sum(axis=2) / max(usual, 1)
    everybody = {**team.tables, "absences": team.absences.iloc[:0]}
    on_team = days_at_work(Team(team.settings, everybody), first, last).reindex(reps)
    return share, np.asarray(on_team.to_numpy(bool).reshape(shape).any(axis=2))


def _tenure(hired: pd.Series, first: np.ndarray, weeks: pd.DatetimeIndex) -> np.ndarray:
    """Weeks since the hire; where that is not known, since a first activity well into the log."""
    since_first = np.arange(len(weeks)) - first[:, None]
    unknown = np.where(first[:, None] > 0, since_first, NEVER)
    days = weeks.to_numpy()[None, :] - hired.to_numpy()[:, None]
    since_hire = days / np.timedelta64(7, "D")
    return np.where(np.isnan(since_hire), unknown, since_hire).clip(0, NEVER)


def _caveats(team: Team, own: pd.DataFrame) -> tuple[str, ...]:
    found = []
    undated = own["booked_at"].isna().mean() if len(own) else 0.0
    if undated > 0.01 and own["kind"].isin(["meeting", "demo"]).all():
        found.append(
            say(
                "For {share} of them the day of booking is not recorded; they count in the week in "
                "which they take place, so a drop shows some weeks later.",
                share=percent(undated),
            )
        )
    if not team.has("absences"):
        found.append(say("No leave is recorded: only weeks without any activity count as absence."))
    if _calendar(team.settings.country, range(2000, 2001)) is None:
        found.append(
            say(
                "No country is set in team.toml: public holidays show only in what the whole team "
                "does."
            )
        )
    return tuple(found)
