"""Who takes longer at which stage than the typical rep with the same kind of deals."""

import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts
from salesnb import leaks as model
from salesnb.finding import Finding
from salesnb.language import say, says, to_say
from salesnb.team import Team
from salesnb.units import number, span

NAMED = ("act", "look")  # tiers separated from chance
DRAWN = 25  # rows at most
DEFINITION = to_say(
    "Deals that go on, the open ones as far as their age says that they will, against the typical "
    "rep of this team with the same kind of deals. Of those marked act at most 5 %, of those "
    "marked look at most 10 % are expected to be chance."
)


def slow_stages(team: Team, *, rep: str | None = None) -> Finding:
    """At which stage do a rep's deals take longer than the typical rep's?

    Days in the stage by stage, outcome and segment, open deals censored, the rep's own pace
    shrunken. Closing lost deals late is a habit of its own and not taken for slow selling. A
    stage is slow from 1.25 times the typical days.

    Parameters
    ----------
    rep : id or name; the answer then names nobody else

    Returns
    -------
    Finding
        One row per rep and stage: what is separated from chance first, slowest on top, then the
        others by rep and stage:

        rep_id, stage
        n_visits, n_open : deals that went on or are open; of these open
        typical_days : median days of the typical rep with the same kind of deals
        time_ratio, time_low, time_high : the rep's days / typical days, with 90 % interval
        slow_probability, fast_probability : of a ratio above 1.25, below 0.8
        tier, fast_tier : act, look, watch (more likely than not), too_few (deals) or empty
        late_ratio, late_tier : days until the rep closes a lost deal / typical days, beyond the
            rep's pace with other deals; the same at every stage

    Raises
    ------
    DataError
        No stage history, or a rep who is not on the team.
    """
    team.need("stage_changes", why="funnel.slow_stages")
    rep_id = None if rep is None else team.rep(rep)
    cells = model.slowness(team)
    cells = cells if rep_id is None else cells[cells["rep_id"] == rep_id]
    names = team.reps.set_index("rep_id")["name"]
    table = _named_first(cells)
    named = table[table["tier"].isin(NAMED)]
    late = table[table["late_tier"].isin(NAMED)].drop_duplicates("rep_id")
    return Finding(
        headline=_headline(table, named, names),
        table=table,
        draw=lambda ax: _draw(ax, table, names, rep_id is None),
        ask=_ask(table, named, late),
        caveats=_caveats(table, late, names),
        currency=team.currency,
        names=team.names,
        behind={
            "n_visits": lambda cell: model.rows(team, cell, "advanced", "open"),
            "n_open": lambda cell: model.rows(team, cell, "open"),
        },
    )


def _named_first(cells: pd.DataFrame) -> pd.DataFrame:
    is_named = cells["tier"].isin(NAMED)
    first = cells[is_named].sort_values("time_ratio", ascending=False, kind="stable")
    return pd.concat([first, cells[~is_named]], ignore_index=True)


def _headline(table: pd.DataFrame, named: pd.DataFrame, names: pd.Series) -> str:
    if table.empty:
        return say("No deals at any stage yet.")
    if named.empty:
        if (table["tier"] == "too_few").all():
            return say("Too few deals at every stage to tell anything from chance.")
        return say("Nothing stands out from chance: no stage takes anybody longer than is typical.")
    first = named.iloc[0]
    said = say(
        "Deals of {name} take {ratio} times as long at {stage} ({ends}, n = {n}) as with the "
        "typical rep, whose median is {days} days.",
        name=names[first.rep_id],
        ratio=_times(first.time_ratio),
        stage=first.stage,
        ends=span(first.time_low, first.time_high, _times),
        n=number(first.n_visits),
        days=number(first.typical_days),
    )
    more = len(named) - 1
    if not more:
        return said
    others = says("{n} more cell stands out.", "{n} more cells stand out.", more, n=more)
    return f"{said} {others}"


def _times(ratio: float) -> str:
    return number(ratio, 1)


def _ask(table: pd.DataFrame, named: pd.DataFrame, late: pd.DataFrame) -> tuple[str, ...]:
    if table.empty:
        return ()
    questions = [
        say("What are deals waiting for at {stage}, and who could move that along?", stage=stage)
        for stage in named["stage"].drop_duplicates().head(2)
    ]
    if len(late):
        questions.append(say("What makes it hard to close a deal that is lost?"))
    return tuple(questions or [say("Which step takes longer than it should, and what would help?")])


def _caveats(table: pd.DataFrame, late: pd.DataFrame, names: pd.Series) -> tuple[str, ...]:
    said = [say(DEFINITION)] if len(table) else []
    said += [
        say(
            "{name} closes lost deals late ({ratio} times the typical days): the pipeline looks "
            "fuller than it is.",
            name=names[cell.rep_id],
            ratio=_times(cell.late_ratio),
        )
        for _, cell in late.iterrows()
    ]
    return tuple(said)


def _draw(ax: Axes, table: pd.DataFrame, names: pd.Series, is_team: bool) -> Axes:
    rows = table[table["tier"].isin(NAMED) | table["fast_tier"].isin(NAMED)] if is_team else table
    rows = rows.head(DRAWN)
    if rows.empty:
        return charts.nothing_to_draw(ax, say("Nothing stands out from chance"))
    labels = rows["stage"].astype("str")
    labels = rows["rep_id"].map(names) + ", " + labels if is_team else labels
    value, low, high = (rows[name].to_list() for name in ("time_ratio", "time_low", "time_high"))
    points = charts.Points(say("days / typical days"), value, low, high)
    charts.dumbbell(ax, labels.to_list(), points, is_rate=False)
    ax.axvline(1, color=charts.MUTED, linewidth=0.8)
    return ax
