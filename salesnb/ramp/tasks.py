"""The first weeks' tasks of new hires: what is done, what is passed, who waits for what."""

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts, stats
from salesnb.finding import Finding, Urgency
from salesnb.language import say, says, to_say
from salesnb.ramp.newcomers import NEW_MONTHS, new, nobody_new, not_new
from salesnb.team import Team
from salesnb.units import number, percent, span

KINDS = (to_say("product"), to_say("phone"), to_say("crm"), to_say("tool"), to_say("skill"))
STATES = (
    to_say("passed"),
    to_say("done"),
    to_say("to repeat"),
    to_say("ahead"),
    to_say("overdue"),
)
RECORDED = to_say("Passed is what was recorded: a task passed once can be forgotten again.")
COUNTS = ["n_tasks", "n_done", "n_passed", "n_to_repeat", "n_ahead", "n_overdue"]
DONE = ["done_share", "done_low", "done_high"]
COLUMNS = ["rep_id", "kind", *COUNTS, "overdue_days", "waits_for", *DONE, "n_due"]


def checklist(team: Team, *, rep: str | None = None, months: int = NEW_MONTHS) -> Finding:
    """Which onboarding tasks are done and passed, and who waits for what?

    A task is *overdue* when its day has passed and it is not done, *to repeat* when it was done and
    not passed.

    Parameters
    ----------
    rep : one new hire alone, by id or name
    months : since the hire, within which somebody is new

    Returns
    -------
    Finding
        One row per new hire and kind of task; those with something overdue first, then those with
        something to repeat, then the latest hire:

        rep_id, kind : ``product``, ``phone``, ``crm``, ``tool`` or ``skill``
        n_tasks, n_done, n_passed, n_to_repeat : tasks; a task done without a result is neither
            passed nor to repeat
        n_ahead, n_overdue : not done, due on `team.as_of` or later, and before
        overdue_days : days since the oldest of these was due
        waits_for : the tasks overdue and to repeat
        done_share, done_low, done_high, n_due : done, of those due before `team.as_of`; 90 %
            interval (Wilson 1927)

    Raises
    ------
    DataError
        No onboarding table, or there is no such rep.
    """
    people = new(team, months, rep)
    team.need("onboarding", why="ramp.checklist")
    tasks = _tasks(team, people)
    table = _table(tasks, people)
    return Finding(
        headline=_headline(team, tasks, people, rep, months),
        table=table,
        draw=lambda ax: _draw(ax, tasks),
        ask=_ask(tasks),
        caveats=(say(RECORDED),) if len(tasks) else (),
        names=team.names,
        pressing=_pressing(tasks),
        urgency=Urgency.NEW_HIRE,
        behind={n: partial(_counted, team, months, rep, n) for n in [*COUNTS, "n_due"]},
    )


def _counted(
    team: Team, months: int, rep: str | None, counted: str, row: pd.Series
) -> pd.DataFrame:
    """The tasks of a new hire and a kind that one of the counts is of."""
    tasks = _tasks(team, new(team, months, rep))
    is_its = (tasks["rep_id"] == row["rep_id"]) & (tasks["kind"].astype("str") == row["kind"])
    return tasks[is_its & _flags(tasks)[counted]].drop(columns=["is_due", "is_done"])


def _pressing(tasks: pd.DataFrame) -> str:
    n = int((tasks["state"] == "overdue").sum())
    if not n:
        return ""
    return says("New hires: {n} task overdue.", "New hires: {n} tasks overdue.", n, n=number(n))


def _tasks(team: Team, people: pd.DataFrame) -> pd.DataFrame:
    """The tasks of the new hires with what became of each: `state`, `late` days."""
    rows = team.onboarding
    rows = rows[rows["rep_id"].isin(people["rep_id"])]
    is_done, is_past = rows["done_on"].notna(), rows["due_on"] < team.as_of
    is_passed, is_failed = rows["is_passed"].eq(True), rows["is_passed"].eq(False)
    state = np.select(
        [
            is_done & is_passed.fillna(False).to_numpy(bool),
            is_done & is_failed.fillna(False).to_numpy(bool),
            is_done,
            is_past,
        ],
        ["passed", "to repeat", "done", "overdue"],
        default="ahead",
    )
    late = (team.as_of - rows["due_on"]).dt.days.where(state == "overdue").astype(float)
    rows = rows.assign(state=pd.Series(state, index=rows.index, dtype="str"))
    rows = rows.assign(late=late, is_due=is_past, is_done=is_done)
    return rows.sort_values(["rep_id", "due_on", "task"], ignore_index=True)


def _flags(tasks: pd.DataFrame) -> pd.DataFrame:
    """Which tasks each count is of."""
    flags = {
        "n_tasks": True,
        "n_done": tasks["is_done"],
        "n_passed": tasks["state"] == "passed",
        "n_to_repeat": tasks["state"] == "to repeat",
        "n_ahead": tasks["state"] == "ahead",
        "n_overdue": tasks["state"] == "overdue",
        "n_due": tasks["is_due"],
        "done_due": tasks["is_due"] & tasks["is_done"],
    }
    return pd.DataFrame(flags, index=tasks.index)


def _table(tasks: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """One row per new hire and kind."""
    keys = [tasks["rep_id"], tasks["kind"].astype("str")]
    counts = _flags(tasks).astype(float).groupby(keys).sum()
    waits = tasks["task"].where(tasks["state"].isin(["overdue", "to repeat"]))
    table = counts.assign(
        overdue_days=tasks["late"].groupby(keys).max(),
        waits_for=waits.groupby(keys).agg(lambda each: "; ".join(each.dropna())),
    ).reset_index()
    share = stats.rates(table["done_due"].to_numpy(), table["n_due"].to_numpy())
    table[DONE] = share[["value", "value_low", "value_high"]]
    place = {rep_id: i for i, rep_id in enumerate(people["rep_id"])}
    order = {kind: i for i, kind in enumerate(KINDS)}
    urgent = np.select([table["n_overdue"] > 0, table["n_to_repeat"] > 0], [0, 1], default=2)
    table = table.assign(
        urgent=urgent, person=table["rep_id"].map(place), nth=table["kind"].map(order)
    ).sort_values(["urgent", "person", "nth"], ignore_index=True)
    return table[COLUMNS].astype({"rep_id": "str", "kind": "str", "waits_for": "str"})


def _headline(
    team: Team, tasks: pd.DataFrame, people: pd.DataFrame, rep: str | None, months: int
) -> str:
    if people.empty:
        return nobody_new(months) if rep is None else not_new(team, rep, months)
    n = tasks["rep_id"].nunique()
    who = says("{n} new hire", "{n} new hires", n, n=number(n))
    who = who if rep is None else team.names[people["rep_id"].iloc[0]]
    if tasks.empty:
        return say("{who}: no onboarding task is on record.", who=who)
    due = tasks[tasks["is_due"]]
    if due.empty:
        n_done = number(tasks["is_done"].sum())
        return say("{who}: no task is due yet, {n} done ahead of time.", who=who, n=n_done)
    share = stats.rates(np.array([due["is_done"].sum()]), np.array([len(due)])).iloc[0]
    said = say(
        "{who}: {share} of {n} tasks due are done ({ends})",
        who=who,
        share=percent(share.loc["value"]),
        n=number(len(due)),
        ends=span(share["value_low"], share["value_high"], percent),
    )
    n_late, n_again = (int((tasks["state"] == state).sum()) for state in ("overdue", "to repeat"))
    late = tasks[tasks["state"] == "overdue"]["kind"].value_counts()
    kinds = ", ".join(f"{late[kind]} {say(kind)}" for kind in KINDS if kind in late)
    overdue = say("; {n} overdue ({kinds})", n=number(n_late), kinds=kinds)
    said += overdue if n_late else say("; none is overdue")
    return said + (say(", {n} to repeat", n=number(n_again)) if n_again else "") + "."


def _ask(tasks: pd.DataFrame) -> tuple[str, ...]:
    if not tasks["state"].isin(["overdue", "to repeat"]).any():
        return ()
    return (
        say("What is in the way of this task: time, access, or somebody who shows how?"),
        say("Who on the team does this so well that you would like to watch once?"),
    )


def _draw(ax: Axes, tasks: pd.DataFrame) -> Axes:
    """Tasks by kind, in pieces by what became of them."""
    counts = pd.crosstab(tasks["kind"], tasks["state"])
    kinds = [kind for kind in KINDS if kind in counts.index]
    states = [state for state in STATES if state in counts]
    counts = counts.reindex(index=kinds, columns=states).rename(index=say, columns=say)
    return charts.stacked(ax, counts, unit=say("tasks"))
