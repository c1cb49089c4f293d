"""Open deals that do not move: too long in their stage, or left alone."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts
from salesnb.errors import DataError
from salesnb.finding import Finding
from salesnb.metrics import pipeline as metrics
from salesnb.metrics.view import View
from salesnb.pipeline.opened import largest, now, share, stages, worth
from salesnb.team import Team
from salesnb.units import number

STALLED = ["deal_id", "rep_id", "stage", "age_days", "limit_days", "deal_days", "status", "amount"]
UNTOUCHED = ["deal_id", "rep_id", "stage", "last_on", "silent_days", "age_days", "amount"]
NOT_TOLD = "No activity names its deal or account, so no deal is known to be untouched."


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
            "What would have to happen for this deal to move, and who has to do it?",
            "Which of these would you close today, if closing one cost nothing?",
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
    rows["last_on"] = metrics.last_touched_on(view, rows)
    is_told = bool(team.activities[["deal_id", "account_id"]].notna().any(axis=None))
    silent = (team.as_of - rows["last_on"].fillna(rows["created_on"])).dt.days.astype(float)
    rows = rows.assign(silent_days=silent, stage=stages(view, rows))
    table = largest(rows[rows["is_untouched"]] if is_told else rows.iloc[:0], UNTOUCHED)
    return Finding(
        headline=_untouched_headline(table, len(rows), days, is_told, team.currency),
        table=table,
        draw=lambda ax: _draw_untouched(ax, table),
        ask=(
            "Who on the customer's side would notice if this deal ended today?",
            "Which of these get a call this week, and which get an honest end?",
        ),
        caveats=() if is_told else (NOT_TOLD,),
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
        return "No deal is open."
    if table["limit_days"].isna().all() and np.isnan(longest):
        return "Too few deals are won to tell which open ones have sat too long."
    dead, slow = (table[table["status"] == status] for status in ("dead", "stalled"))
    said = []
    if len(dead):
        said.append(
            f"{share(len(dead), n_open)} are older than any deal was when it was won "
            f"({number(longest)} days){worth(dead, currency)}: dead, by the team's own record."
        )
    if len(slow):
        what = f"{number(len(slow))} more" if len(dead) else share(len(slow), n_open)
        verb = "has" if len(dead) and len(slow) == 1 else "have"
        said.append(
            f"{what} {verb} been in a stage longer than four in five won deals were"
            f"{worth(slow, currency)}."
        )
    return " ".join(said) or (
        f"None of {number(n_open)} open deals has been in its stage longer than four in five "
        "won deals were."
    )


def _stalled_caveats(table: pd.DataFrame, longest: float) -> tuple[str, ...]:
    said = ["One in five won deals was beyond the limit too: it opens a conversation, no more."]
    n_no_limit = int(table["limit_days"].isna().sum())
    if n_no_limit:
        said.append(f"{number(n_no_limit)} open deals are in a stage with fewer than 10 won deals.")
    if np.isnan(longest):
        said.append("Fewer than ten wins: which deals are dead cannot be told.")
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
        ("", charts.MUTED, "o", "open"),
        ("stalled", charts.ACCENT, "s", "stalled"),
        ("dead", charts.WARN, "X", "dead"),
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
    ax.set_xlabel("days in the stage; the line is the limit")
    return ax


def _untouched_headline(
    table: pd.DataFrame, n: int, days: int, is_told: bool, currency: str
) -> str:
    if not is_told:
        return "No activity names its deal or account: which deals are untouched is not known."
    if not n:
        return f"No open deal is {days} days old."
    if table.empty:
        return f"All {number(n)} open deals of at least {days} days have been touched lately."
    never = int(table["last_on"].isna().sum())
    rest = f"; {number(never)} never had one" if never else ""
    return (
        f"{share(len(table), n)} of at least {days} days have no activity in {days} days and "
        f"none ahead{worth(table, currency)}{rest}."
    )


def _draw_untouched(ax: Axes, table: pd.DataFrame) -> Axes:
    """How long the untouched deals have been silent."""
    if table.empty:
        return charts.nothing_to_draw(ax)
    weeks = table["silent_days"].to_numpy() / 7
    edges = np.arange(0, np.ceil(weeks.max()) + 2, max(1.0, np.ceil(weeks.max() / 30)))
    ax.hist(weeks, bins=list(edges), color=charts.ACCENT, edgecolor=charts.PAPER)
    ax.set_xlabel("weeks since the last activity")
    ax.set_ylabel("open deals")
    return ax
