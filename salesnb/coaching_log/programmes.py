"""Who was coached on what in earnest: programmes, told apart from the sessions everybody has."""

import numpy as np
import pandas as pd
from scipy.stats import poisson

from salesnb.sessions import stage_of
from salesnb.team import Team

WINDOW = pd.Timedelta(days=42)  # many sessions on one stage within it are a programme
AGAIN = pd.Timedelta(days=60)  # without a session on it: the next one begins another programme
FEWEST_SESSIONS = 3
FALSE_ALARMS = 0.05  # to be expected in a whole log of sessions on topics drawn by lot
COLUMNS = ["rep_id", "stage", "starts_on"]


def on_stages(team: Team) -> pd.DataFrame:
    """The sessions held so far whose topic means a stage, with that `stage`, in order of time."""
    log = team.coaching
    log = log[log["held_on"] <= team.as_of]
    topics = log["topic"].dropna().unique()
    stage = log["topic"].map({topic: stage_of(team, topic) for topic in topics}).astype("str")
    log = log.assign(stage=stage.fillna(""))
    log = log[(log["stage"] != "") & log["rep_id"].isin(team.reps["rep_id"])]
    return log.sort_values(["rep_id", "stage", "held_on", "session_id"], ignore_index=True)


def programmes(team: Team) -> pd.DataFrame:
    """Every programme that a rep was in: ``rep_id, stage, starts_on``, n_sessions, is_declared.

    A programme is a run of sessions of the kind ``programme`` on one stage (or a skill it leans
    on), or of more sessions on it within six weeks than chance would bring about, given how many
    everybody has. A pause of 60 days ends it.
    """
    log = on_stages(team)
    is_declared = log["kind"] == "programme"
    own = ["rep_id", "stage"]
    several = _many(team, log[~is_declared])
    log = log[is_declared | log["session_id"].isin(several)].reset_index(drop=True)
    log["is_declared"] = log["kind"] == "programme"
    pause = log["held_on"] - log.groupby(own)["held_on"].shift()
    run = (~(pause < AGAIN)).cumsum().rename("run")
    found = log.groupby([*own, run], as_index=False).agg(
        starts_on=("held_on", "min"),
        n_sessions=("session_id", "count"),
        is_declared=("is_declared", "any"),
    )
    return found.drop(columns="run", errors="ignore").sort_values(
        ["starts_on", "rep_id", "stage"], ignore_index=True
    )


def _many(team: Team, log: pd.DataFrame) -> set[str]:
    """Ids of the sessions that crowd within six weeks as they would not by chance."""
    if log.empty:
        return set()
    span = max((log["held_on"].max() - log["held_on"].min()) / WINDOW, 1.0)
    n_places = len(team.reps) * max(len(team.stages), 1)
    usual = len(log) / (n_places * span)
    # How many in a window would be seen in one log of twenty, were topics drawn by lot.
    rare = poisson.isf(FALSE_ALARMS / (n_places * span), usual) + 1
    fewest = int(max(FEWEST_SESSIONS, rare))
    by = log.groupby(["rep_id", "stage"])["held_on"]
    last = by.shift(1 - fewest)
    opens = np.flatnonzero((last - log["held_on"] <= WINDOW).to_numpy())
    crowded = (opens[:, None] + np.arange(fewest)).ravel()
    return set(log["session_id"].iloc[np.unique(crowded)])
