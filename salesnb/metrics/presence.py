"""Who was at work when."""

import numpy as np
import pandas as pd

from salesnb.team import Team

RAMP_MONTHS = 6  # after the hire, in which a rep is still ramping
DAYS_A_MONTH = 365.25 / 12


def has_left(team: Team) -> pd.Series:
    """Whether each rep's last day on the team has come, row by row of `team.reps`.

    Where that day is not known, it has not. Somebody hired for a later day has not left, but is
    not here either.
    """
    return team.reps["left_on"] <= team.as_of


def is_here(team: Team) -> pd.Series:
    """Whether each rep is on the team on `as_of`, on leave or not: hired by then, and not left.

    Row by row of `team.reps`; a day of hire that is not known lies in the past.
    """
    return ~(team.reps["hired_on"] > team.as_of) & ~has_left(team)


def days_at_work(team: Team, starts_on: pd.Timestamp, ends_on: pd.Timestamp) -> pd.DataFrame:
    """Which days each rep was on the team and not on leave: one row per rep, one column per day.

    From `hired_on` to `left_on`, both within; where they are not known, always.
    """
    reps, days = team.reps.set_index("rep_id"), pd.date_range(starts_on, ends_on, unit="us")
    day = days.to_numpy()[None, :]
    is_early = day < reps["hired_on"].to_numpy()[:, None]
    is_late = day > reps["left_on"].to_numpy()[:, None]
    is_away = _on_leave(team, reps.index, starts_on, len(days))
    return pd.DataFrame(~(is_early | is_late | is_away), index=reps.index, columns=days)


def _on_leave(team: Team, rep_ids: pd.Index, first: pd.Timestamp, n_days: int) -> np.ndarray:
    leave = team.absences[team.absences["rep_id"].isin(rep_ids)]
    rep = rep_ids.get_indexer(pd.Index(leave["rep_id"]))
    changes = np.zeros((len(rep_ids), n_days + 1))
    for column, later, step in (("starts_on", 0, 1), ("ends_on", 1, -1)):
        day = (leave[column] - first).dt.days.to_numpy() + later
        np.add.at(changes, (rep, np.clip(day, 0, n_days)), step)
    return changes.cumsum(axis=1)[:, :n_days] > 0
