"""The rhythm of the sessions: how far apart they are, and when the next one is due."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts, stats, units
from salesnb.coaching_log.held import YEAR, held, reps_in_words, rhythm
from salesnb.errors import DataError
from salesnb.finding import Finding, Urgency
from salesnb.history import look_up
from salesnb.language import say
from salesnb.metrics.answers import PEERS
from salesnb.metrics.presence import days_at_work
from salesnb.team import Team
from salesnb.units import listed, number, span

COLUMNS = ["rep_id", "n_gaps", "gap_days", "gap_low", "gap_high", "longest_gap_days", "last_on"]
COLUMNS += ["next_on", "overdue_days", "is_due"]
WEEK = pd.Timedelta(days=7)
LEAVE_AHEAD = 120  # days ahead in which booked leave moves a session
LONGEST = 366  # days that may be promised
MOST_ROWS = 30  # of the picture


def cadence(team: Team, *, every_days: int = 30, rep: str | None = None) -> Finding:
    """How regular are the sessions, and who is due?

    Gaps are those of the last year. Days of leave are left out everywhere, so that nobody is
    overdue for having been away.

    Parameters
    ----------
    every_days : the rhythm that was promised
    rep : id or name; the answer then names nobody else

    Returns
    -------
    Finding
        One row per rep on the team, the longest overdue first, then by next day:

        rep_id
        n_gaps : between two sessions, ended in the last year
        gap_days, gap_low, gap_high : median days between two sessions, 90 % interval by order
            statistics (Conover 1999); blank ends where there are too few
        longest_gap_days : the longest of them, or of the time since the last session
        last_on : day of the last session
        next_on : `every_days` later; without a session, after the first day of log or rep
        overdue_days : since then, where it has passed
        is_due : overdue, or due within seven days

    Raises
    ------
    DataError
        The team has no coaching table, `every_days` is not from 1 to 366, or there is no such rep.
    """
    if not 1 <= every_days <= LONGEST:
        raise DataError(f"every_days must lie between 1 and {LONGEST}, not {every_days!r}.")
    log = held(team, rep, why="the rhythm of sessions")
    whole = _table(team, every_days)
    usual = _usual(team)
    table = whole if rep is None else whole[whole["rep_id"] == team.rep(rep)]
    table = table.reset_index(drop=True)
    if rep is not None and len(team.reps) - 1 < PEERS:
        usual = usual * np.nan  # beside one or two colleagues the team's usual would be a person's
    names = team.names
    is_one = rep is not None
    who = "" if rep is None else f"{names[team.rep(rep)]}: "
    return Finding(
        f"{who}{_of_one(table, usual) if is_one else _of_all(log, table, usual, names)}",
        table,
        lambda ax: _draw(ax, table, names, every_days),
        ask=() if table.empty else (say("Which day suits both of you for the next session?"),),
        names=names,
        pressing=_pressing(table),
        urgency=Urgency.RHYTHM,
        behind={"n_gaps": lambda row: _gaps(team).query("rep_id == @row.rep_id")},
    )


def _gaps(team: Team) -> pd.DataFrame:
    """The gaps that ended in the last year: rep_id, held_on, days."""
    gaps = rhythm(team).gaps
    return gaps[gaps["held_on"] > team.as_of - YEAR]


def _pressing(table: pd.DataFrame) -> str:
    late = int(table["overdue_days"].gt(0).sum())
    due = int(table["is_due"].sum()) - late
    if not late + due:
        return ""
    return say("Coaching sessions: {late} overdue, {due} due within a week.", late=late, due=due)


def _table(team: Team, every_days: int) -> pd.DataFrame:
    found, now = rhythm(team), team.as_of
    here = found.waits[found.waits["is_here"]].reset_index(drop=True)
    gaps = _gaps(team)
    rep = pd.Index(here["rep_id"]).get_indexer(pd.Index(gaps["rep_id"]))
    days = gaps["days"].to_numpy()[rep >= 0]
    middle = stats.quantiles(days, rep[rep >= 0], len(here))
    longest = here["days"].to_numpy(float)
    np.maximum.at(longest, rep[rep >= 0], days)
    due, late = _next(team, here, every_days)
    table = pd.DataFrame(
        {
            "rep_id": here["rep_id"],
            "n_gaps": middle["n"].astype("int64"),
            "gap_days": middle["value"],
            "gap_low": middle["value_low"],
            "gap_high": middle["value_high"],
            "longest_gap_days": longest,
            "last_on": here["last_on"],
            "next_on": due,
            "overdue_days": late,
            "is_due": (due <= now + WEEK).to_numpy(bool),
        }
    )
    order = table.assign(late=table["overdue_days"].fillna(0))
    order = order.sort_values(["late", "next_on", "rep_id"], ascending=[False, True, True])
    return order[COLUMNS].reset_index(drop=True)


def _next(team: Team, here: pd.DataFrame, every_days: int) -> tuple[pd.Series, pd.Series]:
    """When each next session is due, by days at work, and how many such days ago that was."""
    now, hired_on = team.as_of, team.reps.set_index("rep_id")["hired_on"]
    log_from = min([now, *team.coaching["held_on"].sort_values().head(1)])
    begins = here["last_on"].fillna(look_up(here["rep_id"], hired_on)).fillna(log_from)
    begins = begins.where(begins > log_from, log_from)
    if here.empty:
        return begins, here["days"]
    first = min(begins.min(), now)
    end = max(begins.max(), now) + pd.Timedelta(days=every_days + LEAVE_AHEAD)
    present = days_at_work(team, first, end).loc[here["rep_id"]].to_numpy()
    count = present.cumsum(axis=1)
    rows, start = np.arange(len(here)), (begins - first).dt.days.to_numpy(int)
    wanted = count[rows, start] + every_days
    place = np.array([np.searchsorted(row, n) for row, n in zip(count, wanted, strict=True)])
    # Leave without an end in sight: the plain day.
    place = np.where(place < count.shape[1], place, start + every_days)
    due = pd.Series(first + pd.to_timedelta(place, unit="D"), index=here.index)
    today = (now - first).days
    late = count[rows, today] - count[rows, np.minimum(place, today)]
    return due.astype("datetime64[us]"), pd.Series(late, dtype="float64").where(due < now)


def _usual(team: Team) -> pd.Series:
    """The team's median gap of the last year, with its interval."""
    gaps = rhythm(team).gaps
    days = gaps.loc[gaps["held_on"] > team.as_of - YEAR, "days"].to_numpy()
    return stats.quantiles(days, np.zeros(len(days), int), 1).iloc[0]


def _days(row: pd.Series, value: str, low: str, high: str) -> str:
    ends = f" ({span(row[low], row[high])})" if pd.notna(row[low]) and pd.notna(row[high]) else ""
    return say("every {n} days{ends}", n=number(row[value]), ends=ends)


def _of_all(
    log: pd.DataFrame, table: pd.DataFrame, usual: pd.Series, names: Mapping[str, str]
) -> str:
    if log.empty or table.empty:
        return say("No session on record yet.") if log.empty else say("Nobody is on the team.")
    late, due = table[table["overdue_days"] > 0], table[table["is_due"]]
    often = "" if pd.isna(usual["value"]) else _days(usual, "value", "value_low", "value_high")
    said = say("A session {often} is usual.", often=often) + " " if often else ""
    if due.empty:
        return said + say("Nobody is due within a week.")
    n_late, n_soon = len(late), len(due) - len(late)
    parts = [say("{reps} overdue", reps=reps_in_words(n_late))] if n_late else []
    parts += [say("{reps} due within a week", reps=reps_in_words(n_soon))] if n_soon else []
    first = ", ".join(names[each] for each in due["rep_id"].head(3))
    return said + say("{due}; next: {people}.", due=listed(parts), people=first)


def _of_one(table: pd.DataFrame, usual: pd.Series) -> str:
    if table.empty:
        return say("not on the team now, so no session is due.")
    row = table.iloc[0]
    said = say("no two sessions in the last year")
    if row["n_gaps"]:
        said = say("a session {often}", often=_days(row, "gap_days", "gap_low", "gap_high"))
    if pd.notna(usual["value"]):
        said += say("; the team's usual is {n}", n=number(usual["value"]))
    day = units.day(row["next_on"])
    if pd.notna(row["overdue_days"]):
        return say("{said}. The next was due on {day}.", said=said, day=day)
    return say("{said}. The next is due on {day}.", said=said, day=day)


def _draw(ax: Axes, table: pd.DataFrame, names: Mapping[str, str], every_days: int) -> Axes:
    """The usual gap of each rep, and the days since the last session, against the promise."""
    rows = table[table["n_gaps"] > 0].head(MOST_ROWS)
    if rows.empty:
        return charts.nothing_to_draw(ax, say("Too few sessions to tell their rhythm"))
    counted = zip(rows["rep_id"], rows["n_gaps"], strict=True)
    labels = [f"{names[rep]} (n = {n})" for rep, n in counted]
    days = rows["longest_gap_days"]
    longest = charts.Points(say("longest"), days, colour=charts.MUTED, marker="s")
    usual = charts.Points.of(say("usual"), rows, "gap_days")
    charts.dumbbell(ax, labels, longest, usual, is_rate=False)
    ax.axvline(every_days, color=charts.MUTED, linewidth=1, linestyle="--")
    ax.set_xlim(left=0)
    ax.set_xlabel(say("days between sessions (dashed: {n})", n=every_days))
    return ax
