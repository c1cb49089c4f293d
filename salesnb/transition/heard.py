"""Ideas and mistakes brought up in the team: answered, adopted, credited, owned."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts, stats
from salesnb.finding import Finding
from salesnb.team import Team
from salesnb.transition.people import manager_of, reps_of
from salesnb.units import percent, span

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
ADOPTED = ("adopted", "credited", "failed", "owned")
SMALL = (
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
    recent = raised[raised["raised_on"] > team.as_of - YEAR]
    table = _by_rep(people, raised, recent, team.as_of)
    return Finding(
        _headline(recent, table, team.as_of),
        table,
        lambda ax: _draw(ax, raised, team.as_of),
        ask=_ask(recent, table),
        caveats=(SMALL,),
        names=team.names,
    )


def _by_rep(
    people: pd.DataFrame, raised: pd.DataFrame, recent: pd.DataFrame, as_of: pd.Timestamp
) -> pd.DataFrame:
    is_adopted, is_failed = recent["decision"] == "adopted", recent["outcome"] == "failed"
    is_open = recent["decided_on"].isna()
    each = recent.assign(
        wait=(as_of - recent["raised_on"]).dt.days.where(is_open),
        taken=(recent["decided_on"] - recent["raised_on"]).dt.days,
        is_open=is_open,
        is_adopted=is_adopted,
        is_credited=is_adopted & recent["credited_on"].notna(),
        is_failed=is_failed,
        is_owned=is_failed & recent["owned_on"].notna(),
    ).groupby("rep_id")
    found = pd.DataFrame(
        {
            "n_raised": each.size(),
            "n_open": each["is_open"].sum(),
            "longest_wait_days": each["wait"].max(),
            "answer_days": each["taken"].median(),
            **{f"n_{what}": each[f"is_{what}"].sum() for what in ADOPTED},
        }
    ).reindex(people["rep_id"])
    counts = ["n_raised", "n_open", *(f"n_{what}" for what in ADOPTED)]
    found[counts] = found[counts].fillna(0)
    last = raised.groupby("rep_id")["raised_on"].max().reindex(people["rep_id"])
    found = found.assign(last_raised_on=last, is_peer=people["is_peer"].to_numpy()).reset_index()
    # Those who wait for an answer, the longest first; then those not heard for longest.
    waits = found["longest_wait_days"].notna()
    waiting = found[waits].sort_values(["longest_wait_days", "rep_id"], ascending=[False, True])
    quiet = found[~waits].sort_values(["last_raised_on", "rep_id"], na_position="first")
    return pd.concat([waiting, quiet], ignore_index=True)[[*TYPES]].astype(TYPES)


def _headline(recent: pd.DataFrame, table: pd.DataFrame, as_of: pd.Timestamp) -> str:
    if recent.empty:
        return "No idea was raised in the last year: ask for one, and answer it within two weeks."
    n, n_open = len(recent), int(recent["decided_on"].isna().sum())
    said = f"{n} idea{'' if n == 1 else 's'} raised in the last year, {n_open} still unanswered"
    said += f"{_answer_time(recent, as_of)}."
    n_adopted = int((recent["decision"] == "adopted").sum())
    credited = recent["credited_on"].notna() & (recent["decision"] == "adopted")
    said += f" {_share('credited in public', credited.sum(), n_adopted, 'adopted')}"
    failed = recent["outcome"] == "failed"
    owned = (failed & recent["owned_on"].notna()).sum()
    return said + f" {_share('owned by the manager', owned, failed.sum(), 'that failed')}"


def _answer_time(recent: pd.DataFrame, as_of: pd.Timestamp) -> str:
    end = recent["decided_on"].fillna(as_of)
    days = (end - recent["raised_on"]).dt.days.to_numpy()
    curve = stats.incidence(days, recent["decided_on"].notna().to_numpy(int), np.zeros(len(recent)))
    median = stats.waiting_time(curve, 1)["value"].iloc[0]
    return "" if np.isnan(median) else f"; half have an answer within {median:.0f} days"


def _share(what: str, hits: int, n: int, of_what: str) -> str:
    if not n:
        return f"None {of_what} yet." if of_what == "adopted" else ""
    found = stats.rates(np.array([hits]), np.array([n])).iloc[0]
    ends = span(found["value_low"], found["value_high"], percent)
    return f"Of {n} {of_what} {int(hits)} {'was' if hits == 1 else 'were'} {what} ({ends})."


def _ask(recent: pd.DataFrame, table: pd.DataFrame) -> tuple[str, ...]:
    asked = []
    if (table["n_open"] > 0).any():
        asked.append("Which of the waiting ideas can be answered today, even with a no?")
    if (table["n_raised"] == 0).any():
        asked.append("Whom have you not asked for an idea in a year?")
    if table["n_adopted"].sum() > table["n_credited"].sum():
        asked.append("Whose adopted idea has nobody heard about yet?")
    return tuple(asked)


def _draw(ax: Axes, raised: pd.DataFrame, as_of: pd.Timestamp) -> Axes:
    """A run chart: ideas raised by month, with the median month."""
    if raised.empty:
        return charts.nothing_to_draw(ax, "No ideas on record")
    months = pd.period_range(raised["raised_on"].min(), as_of, freq="M")
    counts = raised["raised_on"].dt.to_period("M").value_counts().reindex(months, fill_value=0)
    n = counts.to_numpy(float)
    line = pd.DataFrame(
        {"starts_on": months.to_timestamp(), "value": n, "value_low": n, "value_high": n}
    )
    charts.over_time(ax, {"": line}, "Ideas raised a month")
    middle = float(counts.median())
    ax.axhline(middle, color=charts.MUTED, linestyle=":", linewidth=1)
    ax.annotate(
        f"median {middle:g}",
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
