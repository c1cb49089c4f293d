"""The sessions held: when, with whom, of what kind, about what, and what was agreed."""

import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts
from salesnb.coaching_log.held import WEEKS, held, lately, several
from salesnb.errors import DataError
from salesnb.finding import Finding
from salesnb.metrics.presence import days_at_work
from salesnb.sessions import status
from salesnb.team import Team
from salesnb.units import number

COLUMNS = ["session_id", "held_on", "rep_id", "kind", "minutes", "topic", "strength"]
COLUMNS += ["commitment", "status", "reason"]
WRITTEN = ["diagnosis", "agreement"]  # shown where the log has them
KINDS = {
    "one_on_one": "one-on-one",
    "ride_along": "ride-along",
    "call_review": "call review",
    "programme": "programme session",
}
MONTHS = 12  # in the picture


def history(team: Team, *, rep: str | None = None, sessions: int = 20) -> Finding:
    """Which coaching sessions were held, and what came of them?

    Parameters
    ----------
    rep : id or name; the answer then names nobody else
    sessions : how many of the latest sessions the table holds

    Returns
    -------
    Finding
        One row per session, the latest first:

        session_id, held_on, rep_id
        kind : ``one_on_one``, ``ride_along``, ``call_review`` or ``programme``
        minutes
        topic, strength, commitment : as written
        status : of the commitment: done, done later, open or past its day; blank without one
        reason : where the rep saw the cause: ``own``, ``external``, ``unclear``
        diagnosis, agreement : as written, where the log has these columns

    Raises
    ------
    DataError
        The team has no coaching table, `sessions` is below 1, or there is no such rep.
    """
    if sessions < 1:
        raise DataError(f"sessions must be at least 1, not {sessions!r}.")
    log = held(team, rep, why="the sessions held")
    shown = log.head(sessions)
    columns = [*COLUMNS, *(name for name in WRITTEN if name in log)]
    table = shown.assign(status=status(shown, team.as_of))[columns]
    who = "" if rep is None else f"{team.names[team.rep(rep)]}: "
    return Finding(
        f"{who}{_headline(team, log, rep is None)}",
        table,
        lambda ax: _draw(ax, log, team.as_of),
        ask=_ask(log, rep is not None),
        names=team.names,
    )


def _headline(team: Team, log: pd.DataFrame, is_of_all: bool) -> str:
    if log.empty:
        return _begin("no session on record yet.", is_of_all)
    late = lately(log, team.as_of)
    if late.empty:
        before = several(len(log), "session")
        return _begin(f"no session in the last {WEEKS} weeks; {before} before.", is_of_all)
    counts = late["kind"].value_counts()
    kinds = ", ".join(several(counts[kind], word) for kind, word in KINDS.items() if kind in counts)
    hours = late["minutes"].sum() / 60
    length = f", {number(hours, 1)} hours" if hours else ""
    said = f"{several(len(late), 'session')}{length} in the last {WEEKS} weeks ({kinds})"
    return f"{said}{_without(team, late)}." if is_of_all else f"{said}."


def _begin(sentence: str, is_of_all: bool) -> str:
    return sentence.capitalize() if is_of_all else sentence


def _without(team: Team, late: pd.DataFrame) -> str:
    """How many of those who were at work had no session."""
    since = team.as_of - pd.Timedelta(weeks=WEEKS)
    here = days_at_work(team, since, team.as_of).any(axis=1)
    reps = here.index[here]
    n_none = int((~reps.isin(late["rep_id"])).sum())
    if not n_none:
        return "; everybody had at least one"
    return f"; {n_none} of {several(len(reps), 'rep')} had none"


def _ask(log: pd.DataFrame, is_of_one: bool) -> tuple[str, ...]:
    if log.empty:
        return ()
    if is_of_one:
        return ("Which of these conversations helped you most, and what made it so?",)
    return ("Which of these conversations would you hold again in the same way?",)


def _draw(ax: Axes, log: pd.DataFrame, as_of: pd.Timestamp) -> Axes:
    """Sessions by month and kind, the latest month at the foot."""
    last = max([as_of, *log["held_on"].head(1)]).to_period("M")
    months = pd.period_range(end=last, periods=MONTHS, freq="M")
    month = log["held_on"].dt.to_period("M")
    recent = month.isin(months)
    if not recent.any():
        return charts.nothing_to_draw(ax, "No session in the last twelve months")
    counts = pd.crosstab(month[recent], log.loc[recent, "kind"])
    known = [kind for kind in KINDS if kind in counts]
    counts = counts.reindex(index=months, columns=known, fill_value=0)
    counts = counts.set_axis([f"{month:%b %Y}" for month in months])
    return charts.stacked(ax, counts.set_axis([KINDS[kind] for kind in known], axis=1), "sessions")
