"""Who was at work when, and how much of a full quota a new hire carries."""

import numpy as np
import pandas as pd

from salesnb.team import Team

RAMP_MONTHS = 6  # over which a new hire's quota grows to the full one, day by day
DAYS_A_MONTH = 365.25 / 12


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


def ramp_share(team: Team, days: pd.Index) -> np.ndarray:
    """How much of a full quota a rep carries each day: from 0 on hire to 1 after six months."""
    hired = team.reps["hired_on"].to_numpy()[:, None]
    since = (days.to_numpy()[None, :] - hired) / np.timedelta64(1, "D")
    return np.nan_to_num(np.clip(since / (RAMP_MONTHS * DAYS_A_MONTH), 0, 1), nan=1.0)
