"""Ideas and mistakes brought up in the team: answered, adopted, credited, owned."""

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts, stats
from salesnb.finding import Finding
from salesnb.language import say, says, to_say
from salesnb.team import Team
from salesnb.transition.people import manager_of, reps_of
from salesnb.units import number, percent, span

YEAR = pd.Timedelta(days=365)
TYPES = {
    "rep_id": "str",
    "is_peer": "boolean",
    "n_raised": "int64",
    "last_raised_on": "datetime64[us]",
    "n_open": "int64",
    "longest_wait_days": "float64",
    "answer_days": "float64",
    "n_adopted": "int64",
    "n_credited": "int64",
    "n_failed": "int64",
    "n_owned": "int64",
}
NONE_RAISED = to_say(
    "No idea was raised in the last year: ask for one, and answer it within two weeks."
)
CREDITED = (
    to_say("Of {n} adopted {hits} was credited in public ({ends})."),
    to_say("Of {n} adopted {hits} were credited in public ({ends})."),
)
OWNED = (
    to_say("Of {n} that failed {hits} was owned by the manager ({ends})."),
    to_say("Of {n} that failed {hits} were owned by the manager ({ends})."),
)
COUNTS = ("n_raised", "n_open", "n_adopted", "n_credited", "n_failed", "n_owned")
SMALL = to_say(
    "Some raise many ideas and some few, by nature and by chance: who has raised none in a year "
    "was perhaps never asked."
)


def ideas(team: Team, *, manager: str = "") -> Finding:
    """Are ideas answered, credited in public, and mistakes owned; who has not been heard?

    Over the last year. How long an answer takes counts the ideas still waiting
    (Kaplan-Meier), since a mean of those answered would be too short.

    Parameters
    ----------
    manager : id or name, where the manager was a rep here

    Returns
    -------
    Finding
        One row per rep, those with ideas waiting first, then those not heard for longest:

        rep_id
        is_peer : whether the manager's team-mate before
        n_raised, last_raised_on : ideas of the last year; the last one ever
        n_open, longest_wait_days : still without an answer
        answer_days : median days from raised to decided
        n_adopted, n_credited : adopted; of these credited in public
        n_failed, n_owned : adopted and failed; of these the manager took the blame for

    Raises
    ------
    DataError
        The team has no ideas table, or there is no such rep.
    """
    team.need("ideas", why="asking what became of ideas")
    people = reps_of(team, manager_of(team, manager))
    raised = team.ideas
    recent = _lately(team)
    table = _by_rep(people, raised, recent, team.as_of)
    return Finding(
        _headline(recent, table, team.as_of),
        table,
        lambda ax: _draw(ax, raised, team.as_of),
        ask=_ask(recent, table),
        caveats=(say(SMALL),),
        names=team.names,
        behind={n: partial(_counted, team, n) for n in COUNTS},
    )


def _lately(team: Team) -> pd.DataFrame:
    """The ideas of the last year."""
    return team.ideas[team.ideas["raised_on"] > team.as_of - YEAR]


def _flags(recent: pd.DataFrame) -> pd.DataFrame:
    """Which ideas each count is of."""
    is_adopted, is_failed = recent["decision"] == "adopted", recent["outcome"] == "failed"
    flags = {
        "n_raised": recent["idea_id"].notna(),
        "n_open": recent["decided_on"].isna(),
        "n_adopted": is_adopted,
        "n_credited": is_adopted & recent["credited_on"].notna(),
        "n_failed": is_failed,
        "n_owned": is_failed & recent["owned_on"].notna(),
    }
    return pd.DataFrame(flags).fillna(False).astype(bool)


def _counted(team: Team, counted: str, row: pd.Series) -> pd.DataFrame:
    """The ideas of a rep that one of the counts is of."""
    recent = _lately(team)
    return recent[_flags(recent)[counted] & (recent["rep_id"] == row["rep_id"])]


def _by_rep(
    people: pd.DataFrame, raised: pd.DataFrame, recent: pd.DataFrame, as_of: pd.Timestamp
) -> pd.DataFrame:
    flags = _flags(recent)
    each = recent.assign(
        wait=(as_of - recent["raised_on"]).dt.days.where(flags["n_open"]),
        taken=(recent["decided_on"] - recent["raised_on"]).dt.days,
    ).groupby("rep_id")
    counts = flags.groupby(recent["rep_id"]).sum().reindex(people["rep_id"]).fillna(0)
    days = {"longest_wait_days": each["wait"].max(), "answer_days": each["taken"].median()}
    found = counts.join(pd.DataFrame(days))
    last = raised.groupby("rep_id")["raised_on"].max().reindex(people["rep_id"])
    found = found.assign(last_raised_on=last, is_peer=people["is_peer"].to_numpy()).reset_index()
    # Those who wait for an answer, the longest first; then those not heard for longest.
    waits = found["longest_wait_days"].notna()
    waiting = found[waits].sort_values(["longest_wait_days", "rep_id"], ascending=[False, True])
    quiet = found[~waits].sort_values(["last_raised_on", "rep_id"], na_position="first")
    return pd.concat([waiting, quiet], ignore_index=True)[[*TYPES]].astype(TYPES)


def _headline(recent: pd.DataFrame, table: pd.DataFrame, as_of: pd.Timestamp) -> str:
    if recent.empty:
        return say(NONE_RAISED)
    n, n_open = len(recent), int(recent["decided_on"].isna().sum())
    raised = says(
        "{n} idea raised in the last year, {n_open} still unanswered",
        "{n} ideas raised in the last year, {n_open} still unanswered",
        n,
        n=n,
        n_open=n_open,
    )
    adopted, failed = recent["decision"] == "adopted", recent["outcome"] == "failed"
    credited, owned = recent["credited_on"].notna(), recent["owned_on"].notna()
    said = [f"{_with_answer_time(raised, recent, as_of)}."]
    if adopted.any():
        said.append(_share(CREDITED, (adopted & credited).sum(), adopted.sum()))
    else:
        said.append(say("None adopted yet."))
    if failed.any():
        said.append(_share(OWNED, (failed & owned).sum(), failed.sum()))
    return " ".join(said)


def _with_answer_time(raised: str, recent: pd.DataFrame, as_of: pd.Timestamp) -> str:
    end = recent["decided_on"].fillna(as_of)
    days = (end - recent["raised_on"]).dt.days.to_numpy()
    curve = stats.incidence(days, recent["decided_on"].notna().to_numpy(int), np.zeros(len(recent)))
    median = stats.waiting_time(curve, 1)["value"].iloc[0]
    if np.isnan(median):
        return raised
    return say("{ideas}; half have an answer within {n} days", ideas=raised, n=number(median))


def _share(words: tuple[str, str], hits: int, n: int) -> str:
    found = stats.rates(np.array([hits]), np.array([n])).iloc[0]
    ends = span(found["value_low"], found["value_high"], percent)
    return says(*words, hits, n=n, hits=hits, ends=ends)


def _ask(recent: pd.DataFrame, table: pd.DataFrame) -> tuple[str, ...]:
    asked = []
    if (table["n_open"] > 0).any():
        asked.append(say("Which of the waiting ideas can be answered today, even with a no?"))
    if (table["n_raised"] == 0).any():
        asked.append(say("Whom have you not asked for an idea in a year?"))
    if table["n_adopted"].sum() > table["n_credited"].sum():
        asked.append(say("Whose adopted idea has nobody heard about yet?"))
    return tuple(asked)


def _draw(ax: Axes, raised: pd.DataFrame, as_of: pd.Timestamp) -> Axes:
    """A run chart: ideas raised by month, with the median month."""
    if raised.empty:
        return charts.nothing_to_draw(ax, say("No ideas on record"))
    months = pd.period_range(raised["raised_on"].min(), as_of, freq="M")
    counts = raised["raised_on"].dt.to_period("M").value_counts().reindex(months, fill_value=0)
    n = counts.to_numpy(float)
    line = pd.DataFrame(
        {"starts_on": months.to_timestamp(), "value": n, "value_low": n, "value_high": n}
    )
    charts.over_time(ax, {"": line}, say("Ideas raised a month"))
    middle = float(counts.median())
    ax.axhline(middle, color=charts.MUTED, linestyle=":", linewidth=1)
    ax.annotate(
        say("median {n}", n=number(middle, 1)),
        (0.99, middle),
        xycoords=("axes fraction", "data"),
        xytext=(0, 3),
        textcoords="offset points",
        ha="right",
        color=charts.MUTED,
        in_layout=False,
        bbox={"facecolor": charts.PAPER, "edgecolor": "none", "pad": 1},  # the line runs behind it
    )
    return ax
