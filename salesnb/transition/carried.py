"""Deals that the manager closed for the reps: help that teaches nobody."""

import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts, standout
from salesnb.finding import Finding
from salesnb.history import look_up
from salesnb.language import say, says, to_say
from salesnb.team import Team
from salesnb.transition.people import manager_of
from salesnb.units import money, number

TOUCH_DAYS = 30  # before the close, in which a manager's meetings are looked for
TYPES = {
    "rep_id": "str",
    "deal_id": "str",
    "account": "str",
    "amount": "float64",
    "outcome": "str",
    "closed_on": "datetime64[us]",
    "last_stage": "str",
    "n_moves": "int64",
    "n_meetings": "int64",
}
NOBODY = to_say(
    "No manager is on record among the reps: name one with manager, where the CRM logs what the "
    "manager does under an id of reps."
)


def super_rep(team: Team, *, manager: str = "", days: int = 365) -> Finding:
    """Which deals did the manager close for the reps?

    Deals of other reps closed in the period in which the manager moved a stage, or held a
    meeting in the 30 days before the close. A deal that the manager had owned at first and handed
    over is not one of them: only what came after another rep had begun counts.

    Parameters
    ----------
    manager : id or name among the reps; by default the only one whose role says so
    days : how far back

    Returns
    -------
    Finding
        One row per deal, by rep, the largest first:

        rep_id : the owner
        deal_id, account, outcome, closed_on
        amount : team currency
        last_stage : the last stage that the manager moved it to, if any
        n_moves, n_meetings : stages moved and meetings held by the manager

    Raises
    ------
    DataError
        There is no such rep.
    """
    who = manager_of(team, manager)
    first = team.as_of - pd.Timedelta(days=days - 1)
    closed = standout.known(team)
    closed = closed[(closed["closed_on"] >= first) & (closed["rep_id"] != who)]
    table = _touched(team, closed, who)
    return Finding(
        _headline(team, table, closed, who),
        table,
        lambda ax: _draw(ax, table, team),
        ask=(say("Which of these would the rep have closed alone, and what was missing?"),)
        * bool(len(table)),
        caveats=() if who else (say(NOBODY),),
        currency=team.currency,
        names=team.names,
        behind={
            "n_moves": lambda row: _by_the_manager(team, who, row["deal_id"])[0],
            "n_meetings": lambda row: _by_the_manager(team, who, row["deal_id"])[1],
        },
    )


def _by_the_manager(team: Team, who: str, deal_id: str | None = None) -> list[pd.DataFrame]:
    """Stages moved and meetings held by the manager in closed deals of others, or in one."""
    deals = standout.known(team)
    deals = deals[deals["closed_on"].notna() & (deals["rep_id"] != who)].set_index("deal_id")
    moves = team.stage_changes
    moves = moves[moves["deal_id"].isin(deals.index)].sort_values(["entered_at", "stage"])
    began = moves[moves["rep_id"] != who].groupby("deal_id")["entered_at"].min()
    own = moves[(moves["rep_id"] == who) & (moves["entered_at"] > look_up(moves["deal_id"], began))]
    met = team.activities
    met = met[(met["rep_id"] == who) & met["kind"].isin(["meeting", "demo"])]
    met = met[(met["outcome"] == "held") & met["deal_id"].isin(deals.index)]
    opener = look_up(
        met["deal_id"], moves.drop_duplicates("deal_id").set_index("deal_id")["rep_id"]
    )
    met = met[~(opener == who) | (met["happens_at"] > look_up(met["deal_id"], began))]
    end = look_up(met["deal_id"], deals["closed_on"]) + pd.Timedelta(days=1)
    met = met[(met["happens_at"] < end) & (met["happens_at"] > end - pd.Timedelta(days=TOUCH_DAYS))]
    return [rows if deal_id is None else rows[rows["deal_id"] == deal_id] for rows in (own, met)]


def _touched(team: Team, closed: pd.DataFrame, who: str) -> pd.DataFrame:
    own, met = _by_the_manager(team, who)
    found = pd.DataFrame(
        {
            "last_stage": own.groupby("deal_id")["stage"].last(),
            "n_moves": own.groupby("deal_id").size(),
            "n_meetings": met.groupby("deal_id").size(),
        }
    )
    counts = ["n_moves", "n_meetings"]
    found[counts] = found[counts].fillna(0)
    table = closed.merge(found.rename_axis("deal_id").reset_index(), on="deal_id")
    by = ["rep_id", "amount", "deal_id"]
    table = table.sort_values(by, ascending=[True, False, True], ignore_index=True)
    return table[[*TYPES]].astype(TYPES)


def _headline(team: Team, table: pd.DataFrame, closed: pd.DataFrame, who: str) -> str:
    if not who:
        return say("Whether the manager closes deals for the reps cannot be told from this data.")
    n = number(len(closed))
    if table.empty:
        return say("The manager had a hand in none of {n} deals that the reps closed.", n=n)
    won = table.loc[table["outcome"] == "won", "amount"].sum()
    reps = table["rep_id"].nunique()
    return says(
        "The manager had a hand in {n} of {of} deals that the reps closed, those of {reps} rep; "
        "won amount {amount}.",
        "The manager had a hand in {n} of {of} deals that the reps closed, those of {reps} reps; "
        "won amount {amount}.",
        reps,
        n=number(len(table)),
        of=n,
        reps=number(reps),
        amount=money(won, team.currency),
    )


def _draw(ax: Axes, table: pd.DataFrame, team: Team) -> Axes:
    """Deals with the manager's hand by rep: won, lost."""
    if table.empty:
        return charts.nothing_to_draw(ax, say("No deals closed by the manager"))
    counts = pd.crosstab(table["rep_id"], table["outcome"])
    counts = counts.reindex(columns=["won", "lost"], fill_value=0).head(15)
    counts.index = [team.names[rep] for rep in counts.index]
    counts.columns = [say("won"), say("lost")]
    return charts.stacked(ax, counts.astype(float), unit=to_say("deals"))
