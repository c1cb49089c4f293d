"""Ride-alongs: who is due for one, and a calendar for the coming weeks."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib import dates as mdates
from matplotlib.axes import Axes

from salesnb import cells, charts
from salesnb.coaching import routing
from salesnb.coaching.routing import NO_DAY, Visits
from salesnb.errors import DataError
from salesnb.finding import Finding, Urgency
from salesnb.language import say, says, to_say
from salesnb.metrics.presence import days_at_work, has_left
from salesnb.team import Team
from salesnb.weekly import working_days

DAY, WEEK = pd.Timedelta(days=1), pd.Timedelta(days=7)
A_YEAR = 365.0  # days
COLUMNS = ["rep_id", "region", "last_on", "due_on", "status", "planned_on"]
LIMITS = {"per_year": (1, 12), "weeks": (1, 26), "per_week": (1, 5)}
DRAWN, LISTED = 30, 6
FROM_THE_LOG = to_say(
    "Without a ride-along on record the time counts from the hire, or from where the log begins."
)


def ride_alongs(
    team: Team, *, per_year: int = 2, weeks: int = 8, per_week: int = 2, away: str = ""
) -> Finding:
    """Who is due for a ride-along, and on which day of the coming weeks?

    Every rep is to be visited `per_year` times. A visit that stands in the coaching log ahead of
    today is kept; whoever is due by the end of the coming weeks and has none gets a day: a working
    day on which neither of the two is away, at most one visit a day, whoever has waited longest
    first, and people of one region in the same week and on days side by side.

    Parameters
    ----------
    per_year : ride-alongs with each rep, 1 to 12
    weeks : how far ahead to plan, 1 to 26
    per_week : visits in a week at most, 1 to 5
    away : when the manager is away: days and ranges of days, such as
        ``"2026-07-06/2026-07-10, 2026-07-20"``

    Returns
    -------
    Finding
        One row per rep on the team, those with a day first, in the order of the days:

        rep_id, region
        last_on : the last ride-along; blank if none is on record
        due_on : when the next is due
        status : ``planned`` (stands in the log), ``overdue``, ``due`` (by the end of the coming
            weeks) or ``not yet``
        planned_on : day in the log, or the one proposed

    Raises
    ------
    DataError
        The team has no coaching table; a number out of its limits; a day that is none.

    Notes
    -----
    An integer programme (HiGHS through SciPy): the sum of squared lateness, in shares of the time
    between two visits, and trips to a region; see `salesnb.coaching.routing`.
    """
    _check(per_year=per_year, weeks=weeks, per_week=per_week)
    absent = _days_away(away)
    team.need("coaching", why="coaching.ride_alongs")
    every = A_YEAR / per_year
    table = _states(team, every, team.as_of + weeks * WEEK)
    table["planned_on"] = _with_days(team, table, every, weeks, per_week, absent)
    order = table.assign(late=table["planned_on"].fillna(pd.Timestamp.max.as_unit("us")))
    order = order.sort_values(["late", "due_on", "rep_id"], ignore_index=True)
    table = order[COLUMNS]
    return Finding(
        _headline(table, weeks),
        table,
        lambda ax: _draw(ax, table, team, weeks),
        ask=(say("Which customer visit would you like company for?"),) if len(table) else (),
        caveats=_caveats(team, table, per_week),
        names=team.names,
        pressing=_headline(table, weeks) if table["status"].eq("overdue").any() else "",
        urgency=Urgency.RHYTHM,
    )


def _check(**numbers: int) -> None:
    for name, value in numbers.items():
        least, most = LIMITS[name]
        if not least <= value <= most:
            raise DataError(f"{name}: found {value}, expected {least} to {most}.")


def _days_away(text: str) -> pd.DatetimeIndex:
    """The days of ``2026-07-06/2026-07-10, 2026-07-20``."""
    days = pd.DatetimeIndex([], dtype="datetime64[us]")
    for part in filter(None, (part.strip() for part in text.split(","))):
        first, is_range, last = part.partition("/")
        start = cells.day(first, "away")
        end = cells.day(last, "away") if is_range else start
        if end < start:
            raise DataError(f"away: found {part!r}, expected the first day before the last.")
        days = days.union(pd.date_range(start, end, unit="us"))
    return days


def _states(team: Team, every: float, end: pd.Timestamp) -> pd.DataFrame:
    """Everybody on the team, in order of id: the last ride-along, the next, and how it stands.

    Somebody hired for a later day too: a ride-along with them can fall within the coming weeks.
    """
    reps = team.reps[~has_left(team)].sort_values("rep_id", ignore_index=True)
    log = team.coaching
    rides = log[log["kind"] == "ride_along"].groupby(["rep_id", log["held_on"] > team.as_of])
    days = rides["held_on"].agg(["min", "max"]).reset_index(names=["rep_id", "is_ahead"])
    ahead = days[days["is_ahead"]].set_index("rep_id")["min"].reindex(reps["rep_id"])
    last = days[~days["is_ahead"]].set_index("rep_id")["max"].reindex(reps["rep_id"])
    table = reps[["rep_id", "region"]].assign(last_on=last.to_numpy(), planned_on=ahead.to_numpy())
    wait = pd.Timedelta(days=round(every))
    log_began = log["held_on"].min() if len(log) else team.as_of - wait
    began = min(log_began, team.as_of)
    since = reps["hired_on"].where(reps["hired_on"] > began, began)
    table["due_on"] = (table["last_on"].fillna(since) + wait).astype("datetime64[us]")
    is_late, is_due = table["due_on"] < team.as_of, table["due_on"] <= end
    said = np.select(
        [table["planned_on"].notna(), is_late, is_due], ["planned", "overdue", "due"], "not yet"
    )
    return table.assign(status=pd.Series(said, index=table.index, dtype="str"))


def _with_days(
    team: Team,
    table: pd.DataFrame,
    every: float,
    weeks: int,
    per_week: int,
    absent: pd.DatetimeIndex,
) -> pd.Series:
    """The days in the log, and those proposed for whoever is due."""
    first, last = team.as_of + DAY, team.as_of + weeks * WEEK
    booked = table[table["planned_on"].notna()]
    days = pd.date_range(first, last, unit="us")
    days = days[working_days(team.settings.country, first, last)].difference(absent)
    days = days.difference(pd.DatetimeIndex(booked["planned_on"]))
    waiting = table[table["status"].isin(["overdue", "due"])]
    if waiting.empty or not len(days):
        return table["planned_on"]
    codes = pd.Categorical(table["region"]).codes
    region = pd.Series(codes, index=table.index)
    monday = booked["planned_on"] - pd.to_timedelta(booked["planned_on"].dt.day_of_week, unit="D")
    mondays = pd.date_range(first - first.day_of_week * DAY, last, freq="7D", unit="us")
    taken = monday.value_counts().reindex(mondays).fillna(0)
    at_work = days_at_work(team, first, last).reindex(waiting["rep_id"])[days]
    found = routing.route(
        Visits(
            days=days,
            is_free=at_work.to_numpy(bool),
            due=waiting["due_on"].to_numpy(),
            region=region[waiting.index].to_numpy(int),
            every=every,
            room=(per_week - taken).clip(lower=0),
            there=frozenset(zip(region[booked.index], monday, strict=True)),
        )
    )
    has_day = found != NO_DAY
    proposed = pd.Series(days[found[has_day]], index=waiting.index[has_day])
    return table["planned_on"].fillna(proposed)


def _headline(table: pd.DataFrame, weeks: int) -> str:
    if table.empty:
        return say("Nobody is on the team to ride along with.")
    n = table["status"].value_counts()
    waiting = table[table["status"].isin(["overdue", "due"])]
    n_days = int(waiting["planned_on"].notna().sum())
    overdue, due, planned = (int(n.get(status, 0)) for status in ("overdue", "due", "planned"))
    said = say(
        "Of {n} reps {n_overdue} are overdue for a ride-along and {n_due} due in the coming "
        "{weeks} weeks",
        n=len(table),
        n_overdue=overdue,
        n_due=due,
        weeks=weeks,
    )
    if planned:
        said += "; " + say("{n} stand in the log already", n=planned)
    if waiting.empty:
        return f"{said}."
    days = says("{n} day is proposed", "{n} days are proposed", n_days, n=n_days)
    left = len(waiting) - n_days
    if left:
        days = say("{days}, for {n} there is no room", days=days, n=left)
    return f"{said}. {days}."


def _caveats(team: Team, table: pd.DataFrame, per_week: int) -> tuple[str, ...]:
    said = []
    left = table[table["status"].isin(["overdue", "due"]) & table["planned_on"].isna()]
    if len(left):
        who = ", ".join(team.names[rep] for rep in left["rep_id"].head(LISTED))
        if len(left) > LISTED:
            who = say("{names} and {n} more", names=who, n=len(left) - LISTED)
        said.append(
            say(
                "No day for {who}: on leave, or {n} visits in a week are not enough.",
                who=who,
                n=per_week,
            )
        )
    if table["last_on"].isna().any():
        said.append(say(FROM_THE_LOG))
    if len(table) and not team.settings.country:
        said.append(say("No country is set in team.toml, so public holidays are not known."))
    return tuple(said)


def _draw(ax: Axes, table: pd.DataFrame, team: Team, weeks: int) -> Axes:
    """The days planned, and the days on which visits were or are due."""
    rows = table[table["status"] != "not yet"].head(DRAWN)
    if rows.empty:
        return charts.nothing_to_draw(ax, say("Nobody is due in the coming weeks"))
    places = np.arange(len(rows))
    first, last = team.as_of - 2 * WEEK, team.as_of + (weeks + 1) * WEEK
    due = rows["due_on"].where(rows["due_on"] > first, first)
    name = say("due")
    ax.plot(due, places, "|", color=charts.MUTED, label=name, markersize=9, markeredgewidth=2)
    kinds: Mapping[str, tuple[str, str]] = {"planned": ("s", charts.INK), "": ("o", charts.ACCENT)}
    for status, (marker, colour) in kinds.items():
        is_own = (rows["status"] == "planned") == bool(status)
        label = say("in the log") if status else say("proposed")
        if (is_own & rows["planned_on"].notna()).any():
            days = rows["planned_on"].where(is_own)
            ax.plot(days, places, marker, color=colour, label=label, markersize=6)
    ends = pd.Series([first - 2 * DAY, team.as_of, last])
    low, now, high = mdates.date2num(ends)
    ax.axvline(now, color=charts.FAINT)
    ax.set_xlim(low, high)
    charts.few_dates(ax)
    ax.set_yticks(places, [charts.shortened(team.names[rep], 24) for rep in rows["rep_id"]])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0, labelcolor=charts.INK)
    ax.grid(axis="y", color=charts.FAINT)
    charts.fit_height(ax, len(rows))
    return ax
