"""The deals worth walking through: a rep's own, chosen for what they show."""

import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts, standout
from salesnb.finding import Finding
from salesnb.history import look_up
from salesnb.language import say, says, to_say
from salesnb.standout import Standout
from salesnb.team import Team
from salesnb.units import number

COLUMNS = ["deal_id", "account", "product", "amount", "stage", "outcome", "closed_on"]
COLUMNS += ["stage_days", "age_days", "shows"]
NO_HISTORY = to_say("No stage history is recorded, so nothing can be said about single stages.")
AFTER = to_say("{what} after {n} day"), to_say("{what} after {n} days")
FOR = to_say("{what} for {n} day"), to_say("{what} for {n} days")
IN = to_say("{what} in {n} day"), to_say("{what} in {n} days")


def deals_to_discuss(team: Team, rep: str) -> Finding:
    """Which three deals are worth walking through with this rep?

    Where there is a stage to talk about: two deals of the last year that stopped there, large
    and of the kind that stops there most often, and the one most like them that moved on. Where
    there is none: a deal that was won, one that is open and one that was lost.

    Returns
    -------
    Finding
        One row per deal, in the order to talk about them:

        deal_id, account, product
        amount : team currency
        stage : the stage talked about, or the last one reached
        outcome, closed_on : empty while open
        stage_days : days in that stage, all visits
        age_days : from created to closed, or to now
        shows : what the deal shows

    Raises
    ------
    DataError
        There is no such rep.
    """
    seen = standout.of(team, rep)
    chosen = three(seen)
    table = chosen[COLUMNS]
    if table.empty:
        return Finding(say("{name}: no deals yet to walk through.", name=seen.name), table)
    deals = "; ".join(standout.labels(chosen, team.currency))
    return Finding(
        say("{name}: worth walking through: {deals}.", name=seen.name, deals=deals),
        table,
        lambda ax: _draw(ax, seen, chosen),
        ask=(say("What do you notice when you lay these deals side by side?"),) * (len(table) > 1),
        caveats=() if team.has("stage_changes") else (say(NO_HISTORY),),
        currency=team.currency,
    )


def three(seen: Standout) -> pd.DataFrame:
    """Three deals in the order to talk about them, fewer if there are no more.

    The columns of the finding, and `role`: stopped, alike, won, open or lost.
    """
    chosen = _at_the_leak(seen) if seen.leak is not None else _one_of_each(seen)
    shape = dict.fromkeys(("amount", "stage_days", "age_days"), "float64")
    chosen = chosen.reindex(columns=[*COLUMNS, "role"]).astype(shape)
    return chosen.drop_duplicates("deal_id", ignore_index=True).head(3)


def _at_the_leak(seen: Standout) -> pd.DataFrame:
    """Two deals that stopped at the stage and one like them that moved on; else open ones."""
    assert seen.leak is not None
    stage = str(seen.leak["stage"])
    lost = seen.at(stage, "lost")
    usual = standout.typical(lost)
    stopped = pd.concat([usual, lost[~lost["deal_id"].isin(usual["deal_id"])]]).head(2)
    if stopped.empty:
        waiting = seen.at(stage, "open").sort_values("days", ascending=False, kind="stable")
        return _as_rows(waiting.head(2), "stopped", say("has been at {stage}", stage=stage), FOR)
    moved_on = standout.alike(stopped.iloc[0], seen.at(stage, "advanced")).head(1)
    alike = say("is the most alike that moved on from {stage}", stage=stage)
    rows = [
        _as_rows(stopped, "stopped", _stopped(stage), AFTER),
        _as_rows(moved_on, "alike", alike, AFTER),
    ]
    return pd.concat(rows, ignore_index=True)


def _one_of_each(seen: Standout) -> pd.DataFrame:
    """The largest win, the largest open deal and the latest lost one; then the next of each."""
    last = seen.last_visits.set_index("deal_id")
    kinds = [
        (_with_stage(deals, last), role)
        for role, deals in (
            ("won", seen.wins(strong_stage(seen))),
            ("open", seen.still_open),
            ("lost", seen.losses),
        )
    ]
    places = [(place, kind) for place in range(3) for kind in kinds if place < len(kind[0])]
    rows = [_one(deals.iloc[[place]], role) for place, (deals, role) in places[:3]]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=COLUMNS)


def _one(deal: pd.DataFrame, role: str) -> pd.DataFrame:
    """The row of a deal that was won, is open or was lost."""
    if role == "won":
        return _as_rows(deal, role, say("was won"), IN, "age_days")
    if role == "open":
        return _as_rows(deal, role, say("has been open"), FOR, "age_days")
    return _as_rows(deal, role, _stopped(deal["stage"].iloc[0]), AFTER, "age_days")


def _stopped(stage: str) -> str:
    return say("stopped") if pd.isna(stage) else say("stopped at {stage}", stage=stage)


def strong_stage(seen: Standout) -> str:
    """The first stage at which the rep's deals move on more often than expected, or ''."""
    return "" if seen.strengths.empty else str(seen.strengths["stage"].iloc[0])


def _with_stage(deals: pd.DataFrame, last: pd.DataFrame) -> pd.DataFrame:
    stage, days = (look_up(deals["deal_id"], last[name]) for name in ("stage", "days"))
    return deals.assign(stage=stage, days=days)


def _as_rows(
    deals: pd.DataFrame, role: str, what: str, lasting: tuple[str, str], spent: str = "days"
) -> pd.DataFrame:
    """Rows of the table; what a deal shows, with the days of the column `spent`, where known."""
    shows = [
        what if pd.isna(days) else says(*lasting, days, what=what, n=number(days))
        for days in deals[spent]
    ]
    shown = pd.Series(shows, index=deals.index, dtype="str")
    return deals.assign(role=role, shows=shown, stage_days=deals["days"])


def _draw(ax: Axes, seen: Standout, chosen: pd.DataFrame) -> Axes:
    """How long each deal spent in each stage."""
    spent = seen.visits[seen.visits["deal_id"].isin(chosen["deal_id"])]
    spent = spent.pivot_table(index="deal_id", columns="stage", values="days", aggfunc="sum")
    spent = spent.reindex(index=chosen["deal_id"], columns=list(seen.team.stages)).fillna(0)
    spent.index = standout.labels(chosen, seen.team.currency).to_numpy()
    return charts.stacked(ax, spent)
