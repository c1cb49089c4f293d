"""The sessions on record as the verbs of this topic read them, and how far apart they were."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb import sessions, standout
from salesnb.history import look_up
from salesnb.language import says
from salesnb.metrics.presence import days_at_work, is_here
from salesnb.team import Team
from salesnb.units import number

WEEKS = 13  # "lately"
YEAR = pd.Timedelta(days=365)


def held(team: Team, rep: str | None, why: str) -> pd.DataFrame:
    """The sessions, the latest first; on one rep's answer colleagues' names are left out.

    Raises `DataError` for an unknown rep, and where the team has no coaching table.
    """
    seen = None if rep is None else standout.of(team, rep)
    team.need("coaching", why=why)
    if seen is not None:
        return sessions.log(seen)
    by = ["held_on", "session_id"]
    return team.coaching.sort_values(by, ascending=False, ignore_index=True)


def lately(table: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """The sessions of the last 13 weeks; one logged since the export is among them."""
    return table[table["held_on"] > as_of - pd.Timedelta(weeks=WEEKS)]


def sessions_in_words(n: int) -> str:
    """``sessions_in_words(2)`` is ``"2 sessions"``."""
    return says("{n} session", "{n} sessions", n, n=number(n))


def times(n: int) -> str:
    """``times(2)`` is ``"2 times"``."""
    return says("{n} time", "{n} times", n, n=number(n))


def reps_in_words(n: int) -> str:
    """``reps_in_words(2)`` is ``"2 reps"``."""
    return says("{n} rep", "{n} reps", n, n=number(n))


@dataclass(frozen=True, eq=False)
class Rhythm:
    """Days between sessions, days of leave left out.

    gaps : rep_id, held_on (of the session that ended the gap), days
    waits : one row per rep
        rep_id, last_on (of the last session, NaT without one)
        days : since then, or since the log began or the rep came
        is_here : on the team on `as_of`, on leave or not
    """

    gaps: pd.DataFrame
    waits: pd.DataFrame


def rhythm(team: Team) -> Rhythm:
    """How far apart the sessions with each rep were."""
    log = team.coaching[["rep_id", "held_on"]].drop_duplicates()
    log = log.sort_values(["rep_id", "held_on"], ignore_index=True)
    now = team.as_of
    first, end = (now, now) if log.empty else (log["held_on"].min(), log["held_on"].max())
    first, end = min(first, now), max(end, now)
    present = days_at_work(team, first, end)
    before = np.zeros((len(present), present.shape[1] + 1), np.int32)
    before[:, 1:] = present.to_numpy().cumsum(axis=1)
    rep = present.index.get_indexer(pd.Index(log["rep_id"]))
    at = before[rep, (log["held_on"] - first).dt.days.to_numpy(int)]
    log["days"] = pd.Series(at, dtype="float64").groupby(log["rep_id"]).diff()
    last = np.zeros(len(present), np.int32)
    np.maximum.at(last, rep, at)
    today = before[:, (now - first).days]
    reps = team.reps
    waits = pd.DataFrame({"rep_id": reps["rep_id"], "days": np.maximum(today - last, 0.0)})
    waits["last_on"] = look_up(reps["rep_id"], log.groupby("rep_id")["held_on"].max())
    waits["is_here"] = is_here(team)
    return Rhythm(log.dropna(subset="days").reset_index(drop=True), waits)
