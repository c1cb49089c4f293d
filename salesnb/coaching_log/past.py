"""The sessions held: when, with whom, of what kind, about what, and what was agreed."""

import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts
from salesnb.coaching_log.held import WEEKS, held, lately, reps_in_words, sessions_in_words
from salesnb.errors import DataError
from salesnb.finding import Finding
from salesnb.language import say, says, to_say
from salesnb.metrics.presence import days_at_work
from salesnb.sessions import status
from salesnb.team import Team
from salesnb.units import capital, month, number

COLUMNS = ["session_id", "held_on", "rep_id", "kind", "minutes", "topic", "strength"]
COLUMNS += ["commitment", "status", "reason"]
WRITTEN = ["diagnosis", "agreement"]  # shown where the log has them
KINDS = {
    "one_on_one": (to_say("{n} one-on-one"), to_say("{n} one-on-ones"), to_say("one-on-one")),
    "ride_along": (to_say("{n} ride-along"), to_say("{n} ride-alongs"), to_say("ride-along")),
    "call_review": (to_say("{n} call review"), to_say("{n} call reviews"), to_say("call review")),
    "programme": (
        to_say("{n} programme session"),
        to_say("{n} programme sessions"),
        to_say("programme session"),
    ),
}  # one of them, several, and their name
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
        return _begin(say("no session on record yet."), is_of_all)
    late = lately(log, team.as_of)
    if late.empty:
        before = sessions_in_words(len(log))
        none = say(
            "no session in the last {weeks} weeks; {sessions} before.", weeks=WEEKS, sessions=before
        )
        return _begin(none, is_of_all)
    counts = late["kind"].value_counts()
    kinds = [
        says(one, many, counts[kind], n=number(counts[kind]))
        for kind, (one, many, _) in KINDS.items()
        if kind in counts
    ]
    hours = late["minutes"].sum() / 60
    length = say(", {n} hours", n=number(hours, 1)) if hours else ""
    said = say(
        "{sessions}{hours} in the last {weeks} weeks ({kinds})",
        sessions=sessions_in_words(len(late)),
        hours=length,
        weeks=WEEKS,
        kinds=", ".join(kinds),
    )
    return f"{said}{_without(team, late)}." if is_of_all else f"{said}."


def _begin(sentence: str, is_of_all: bool) -> str:
    return capital(sentence) if is_of_all else sentence


def _without(team: Team, late: pd.DataFrame) -> str:
    """How many of those who were at work had no session."""
    since = team.as_of - pd.Timedelta(weeks=WEEKS)
    here = days_at_work(team, since, team.as_of).any(axis=1)
    reps = here.index[here]
    n_none = int((~reps.isin(late["rep_id"])).sum())
    if not n_none:
        return say("; everybody had at least one")
    return say("; {n_none} of {reps} had none", n_none=n_none, reps=reps_in_words(len(reps)))


def _ask(log: pd.DataFrame, is_of_one: bool) -> tuple[str, ...]:
    if log.empty:
        return ()
    if is_of_one:
        return (say("Which of these conversations helped you most, and what made it so?"),)
    return (say("Which of these conversations would you hold again in the same way?"),)


def _draw(ax: Axes, log: pd.DataFrame, as_of: pd.Timestamp) -> Axes:
    """Sessions by month and kind, the latest month at the foot."""
    last = max([as_of, *log["held_on"].head(1)]).to_period("M")
    months = pd.period_range(end=last, periods=MONTHS, freq="M")
    held_in = log["held_on"].dt.to_period("M")
    recent = held_in.isin(months)
    if not recent.any():
        return charts.nothing_to_draw(ax, say("No session in the last twelve months"))
    counts = pd.crosstab(held_in[recent], log.loc[recent, "kind"])
    known = [kind for kind in KINDS if kind in counts]
    counts = counts.reindex(index=months, columns=known, fill_value=0)
    counts = counts.set_axis([month(each.start_time) for each in months])
    counts = counts.set_axis([say(KINDS[kind][-1]) for kind in known], axis=1)
    return charts.stacked(ax, counts, say("sessions"))
