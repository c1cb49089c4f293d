"""Open deals that do not move: too long in their stage, or left alone."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts
from salesnb.errors import DataError
from salesnb.finding import Finding
from salesnb.language import say, to_say
from salesnb.metrics import pipeline as metrics
from salesnb.metrics.view import View
from salesnb.pipeline.opened import largest, now, share, stages, worth
from salesnb.team import Team
from salesnb.units import number

STALLED = ["deal_id", "rep_id", "stage", "age_days", "limit_days", "deal_days", "status", "amount"]
UNTOUCHED = ["deal_id", "rep_id", "stage", "last_on", "silent_days", "age_days", "amount"]
NOT_TOLD = to_say("No activity names its deal or account, so no deal is known to be untouched.")

SLOW = to_say("{share} have been in a stage longer than four in five won deals were{worth}.")
SLOW_TOO = {  # by whether it is one
    True: to_say("{n} more has been in a stage longer than four in five won deals were{worth}."),
    False: to_say("{n} more have been in a stage longer than four in five won deals were{worth}."),
}


def stalled(team: Team, *, rep: str | None = None) -> Finding:
    """Which open deals have sat in a stage longer than won deals ever did?

    A deal is stalled once it has been in its stage longer than four in five won deals of the
    whole team were; a stage that fewer than 10 won deals passed through has no limit. It is
    dead, by the team's own record, once it is older than the longest cycle of any won deal, from
    creation (ten wins are needed).

    Returns
    -------
    Finding
        One row per stalled or dead deal, largest amount first:

        deal_id, rep_id, stage
        age_days : days in the stage on `team.as_of`, all visits added up
        limit_days : 80th percentile of the days that won deals spent there
        deal_days : days since the deal was created
        status : ``dead`` or ``stalled``
        amount : team currency

    Raises
    ------
    DataError
        The team has no stage history, or there is no such rep.
    """
    team.need("stage_changes", why="pipeline.stalled")
    view = now(team, rep)
    table, longest = _sitting(view), metrics.longest_win_days(view)
    return Finding(
        headline=_stalled_headline(table, len(view.open), longest, team.currency),
        table=table[table["status"] != ""].reset_index(drop=True),
        draw=lambda ax: _draw_stalled(ax, team, table),
        ask=(
            say("What would have to happen for this deal to move, and who has to do it?"),
            say("Which of these would you close today, if closing one cost nothing?"),
        ),
        caveats=_stalled_caveats(table, longest),
        currency=team.currency,
        names=team.names,
    )


def untouched(team: Team, *, rep: str | None = None, days: int = 14) -> Finding:
    """Which open deals has nobody touched for a while, with nothing booked ahead?

    Of the deals at least so many days old: those without any activity in these days and none
    ahead. Cancelled and rescheduled activities do not count; one that names an account but no
    deal counts for every open deal of the account.

    Returns
    -------
    Finding
        One row per untouched deal, largest amount first:

        deal_id, rep_id, stage
        last_on : day of the last activity, blank if there never was one
        silent_days : since then, or since the deal was created
        age_days : since the deal was created
        amount : team currency

    Raises
    ------
    DataError
        The team has no activities, the days of deals are made up, there is no such rep, or `days`
        is below 1.
    """
    team.need("activities", why="pipeline.untouched")
    team.need_dates(why="pipeline.untouched")
    if days < 1:
        raise DataError(f"days: found {days}, expected at least 1.")
    view = now(team, rep)
    rows = metrics.untouched(view, days)
    rows["last_on"] = metrics.last_touched_on(view, rows)
    is_told = bool(team.activities[["deal_id", "account_id"]].notna().any(axis=None))
    rows = rows.assign(silent_days=metrics.silent_days(view, rows), stage=stages(view, rows))
    table = largest(rows[rows["is_untouched"]] if is_told else rows.iloc[:0], UNTOUCHED)
    return Finding(
        headline=_untouched_headline(table, len(rows), days, is_told, team.currency),
        table=table,
        draw=lambda ax: _draw_untouched(ax, table),
        ask=(
            say("Who on the customer's side would notice if this deal ended today?"),
            say("Which of these get a call this week, and which get an honest end?"),
        ),
        caveats=() if is_told else (say(NOT_TOLD),),
        currency=team.currency,
        names=team.names,
    )


def _sitting(view: View) -> pd.DataFrame:
    """All open deals with their time in stage; `status` is empty where nothing is the matter."""
    in_stage = metrics.stalled(view)[["deal_id", "stage", "days", "limit_days", "is_stalled"]]
    rows = view.open.merge(in_stage, on="deal_id", how="left")
    rows = rows.rename(columns={"age_days": "deal_days"}).rename(columns={"days": "age_days"})
    is_dead = rows["deal_days"] > metrics.longest_win_days(view)
    is_stalled = rows["is_stalled"].fillna(False).astype(bool)
    rows["status"] = np.select([is_dead, is_stalled], ["dead", "stalled"], "")
    return largest(rows.astype({"stage": "str", "status": "str"}), STALLED)


def _stalled_headline(table: pd.DataFrame, n_open: int, longest: float, currency: str) -> str:
    if not n_open:
        return say("No deal is open.")
    if table["limit_days"].isna().all() and np.isnan(longest):
        return say("Too few deals are won to tell which open ones have sat too long.")
    dead, slow = (table[table["status"] == status] for status in ("dead", "stalled"))
    said = []
    if len(dead):
        said.append(
            say(
                "{share} are older than any deal was when it was won ({days} days){worth}: dead, "
                "by the team's own record.",
                share=share(len(dead), n_open),
                days=number(longest),
                worth=worth(dead, currency),
            )
        )
    if len(slow):
        words = SLOW_TOO[len(slow) == 1] if len(dead) else SLOW
        some, total = share(len(slow), n_open), worth(slow, currency)
        said.append(say(words, share=some, n=number(len(slow)), worth=total))
    return " ".join(said) or say(
        "None of {n} open deals has been in its stage longer than four in five won deals were.",
        n=number(n_open),
    )


def _stalled_caveats(table: pd.DataFrame, longest: float) -> tuple[str, ...]:
    said = [
        say("One in five won deals was beyond the limit too: it opens a conversation, no more.")
    ]
    n_no_limit = int(table["limit_days"].isna().sum())
    if n_no_limit:
        n = number(n_no_limit)
        said.append(say("{n} open deals are in a stage with fewer than 10 won deals.", n=n))
    if np.isnan(longest):
        said.append(say("Fewer than ten wins: which deals are dead cannot be told."))
    return tuple(said)


def _draw_stalled(ax: Axes, team: Team, table: pd.DataFrame) -> Axes:
    """Days in the stage of every open deal, stage by stage, beside the limit."""
    rows = table.dropna(subset=["age_days"])
    rows = rows[rows["stage"].isin(team.stages)]
    if rows.empty:
        return charts.nothing_to_draw(ax)
    place = rows["stage"].map({stage: i for i, stage in enumerate(team.stages)}).to_numpy(float)
    # Spread by rank within the stage, so that deals do not hide one another.
    spread = rows.groupby("stage")["age_days"].rank(method="first", pct=True).to_numpy(float)
    for status, colour, mark, name in (
        ("", charts.MUTED, "o", say("open")),
        ("stalled", charts.ACCENT, "s", say("stalled")),
        ("dead", charts.WARN, "X", say("dead")),
    ):
        of = (rows["status"] == status).to_numpy()
        if of.any():
            y = place[of] + 0.5 * (spread[of] - 0.5)
            ax.plot(rows["age_days"].to_numpy()[of], y, mark, color=colour, label=name, ms=3)
    limits = rows.groupby("stage")["limit_days"].first().dropna()
    for stage, limit in limits.items():
        at = list(team.stages).index(str(stage))
        ax.vlines(limit, at - 0.4, at + 0.4, color=charts.INK)
    ax.set_yticks(range(len(team.stages)), [charts.shortened(name) for name in team.stages])
    ax.set_ylim(len(team.stages) - 0.5, -0.5)
    ax.set_xlabel(say("days in the stage; the line is the limit"))
    return ax


def _untouched_headline(
    table: pd.DataFrame, n: int, days: int, is_told: bool, currency: str
) -> str:
    if not is_told:
        return say("No activity names its deal or account: which deals are untouched is not known.")
    if not n:
        return say("No open deal is {days} days old.", days=days)
    if table.empty:
        return say(
            "All {n} open deals of at least {days} days have been touched lately.",
            n=number(n),
            days=days,
        )
    said = say(
        "{share} of at least {days} days have no activity in {days} days and none ahead{worth}",
        share=share(len(table), n),
        days=days,
        worth=worth(table, currency),
    )
    never = int(table["last_on"].isna().sum())
    return f"{said}; " + say("{n} never had one", n=number(never)) + "." if never else f"{said}."


def _draw_untouched(ax: Axes, table: pd.DataFrame) -> Axes:
    """How long the untouched deals have been silent."""
    if table.empty:
        return charts.nothing_to_draw(ax)
    weeks = table["silent_days"].to_numpy() / 7
    edges = np.arange(0, np.ceil(weeks.max()) + 2, max(1.0, np.ceil(weeks.max() / 30)))
    ax.hist(weeks, bins=list(edges), color=charts.ACCENT, edgecolor=charts.PAPER)
    ax.set_xlabel(say("weeks since the last activity"))
    ax.set_ylabel(say("open deals"))
    return ax
