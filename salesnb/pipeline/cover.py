"""Whether the pipeline covers what is left of the quota."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts, units
from salesnb.finding import Finding
from salesnb.language import say
from salesnb.metrics import answers, cases, quota
from salesnb.metrics.ledger import DAY, ledger
from salesnb.metrics.view import GROUP
from salesnb.team import Team
from salesnb.units import money, number, span

COVERAGE = ["scope", "rep_id", "n_due", "due_amount", "left_amount", "coverage_ratio"]
COVERAGE += ["required_ratio", "required_low", "required_high", "status"]
MET, NO_QUOTA = "met", "no_quota"


def coverage(team: Team, *, rep: str | None = None) -> Finding:
    """Is there enough in the pipeline for what is left of the quota?

    For the coming fiscal quarter, the one that holds the day after `team.as_of`: the open amount
    due in it over the quota not yet won. What is required is 1 / the team's value win rate of the
    last twelve months, never a fixed 3x. Deals that will be created and won within the quarter
    come on top.

    Returns
    -------
    Finding
        The team, then one row per rep with a quota in the quarter, by id:

        scope : ``team`` or ``rep``; rep_id
        n_due, due_amount : open deals due in the quarter, team currency
        left_amount : the quota less what is won in the quarter; below 0 once it is met
        coverage_ratio : due / left; blank once it is met
        required_ratio, required_low, required_high : with 90 % interval, the same for everybody:
            one rep's wins are too few to tell
        status : ``met``, ``covered``, ``short`` (below the interval of what is required), ``close``
            (within it), ``unknown`` (no value win rate) or ``no_quota``

    Raises
    ------
    DataError
        The team has no quotas, or there is no such rep.
    """
    team.need("quotas", why="pipeline.coverage")
    table = _covered(team, rep)
    n_undated = int(ledger(team).open_deals["expected_close_on"].isna().sum()) if len(table) else 0
    return Finding(
        headline=_coverage_headline(team, table, rep),
        table=table,
        draw=lambda ax: _draw_coverage(ax, team, table),
        ask=(say("Where could the missing amount come from, and what has to start this week?"),),
        caveats=_coverage_caveats(n_undated),
        currency=team.currency,
        names=team.names,
        behind={"n_due": lambda row: _due(team, row)},
    )


def _due(team: Team, row: pd.Series) -> pd.DataFrame:
    """The deals open and due in the quarter, of the team or of a rep."""
    reps = sorted(team.reps["rep_id"]) if row["scope"] == "team" else [row["rep_id"]]
    metric, today = "pipeline_coverage", team.as_of
    return cases.rows(ledger(team), reps, metric, None, today, today)


def _covered(team: Team, rep: str | None) -> pd.DataFrame:
    first = (team.as_of + DAY - pd.DateOffset(years=1)).as_unit("us")
    everybody = answers.everybody(ledger(team), first, team.as_of)
    found = quota.coverage(everybody)
    ratio = quota.pipeline_coverage(everybody)["value"]
    needed = quota.required_coverage(everybody).iloc[0]  # the group's comes first
    table = found.assign(
        rep_id=found["scope"].where(found["scope"] != GROUP),
        scope=np.where(found["scope"] == GROUP, "team", "rep"),
        n_due=found["n"].astype(int),
        due_amount=found["open_amount"],
        coverage_ratio=ratio,
        required_ratio=needed["value"],
        required_low=needed["value_low"],
        required_high=needed["value_high"],
    )
    table["status"] = _status(table)
    is_shown = table["has_quota"] if rep is None else table["rep_id"] == team.rep(rep)
    return table.loc[is_shown, COVERAGE].reset_index(drop=True)


def _status(table: pd.DataFrame) -> pd.Series:
    ratio = table["coverage_ratio"]
    found = np.select(
        [
            ~table["has_quota"],
            table["left_amount"] <= 0,
            table["required_ratio"].isna() | ratio.isna(),
            ratio >= table["required_high"],
            ratio < table["required_low"],
        ],
        [NO_QUOTA, MET, "unknown", "covered", "short"],
        "close",
    )
    return pd.Series(found, index=table.index, dtype="str")


def _coverage_headline(team: Team, table: pd.DataFrame, rep: str | None) -> str:
    first, last = quota.coming_quarter(team)
    if table.empty or table["status"].iloc[0] == NO_QUOTA:
        return say(
            "There is no quota for the quarter from {first} to {last}.",
            first=units.day(first),
            last=units.day(last),
        )
    row = table.iloc[0]
    is_met = row["status"] == MET
    if is_met:
        said = say("The quota of the quarter to {day} is met.", day=units.day(last))
    else:
        said = say(
            "For the quarter to {day}, {due} is open and due (n = {n}), {left} of the quota is "
            "left: {ratio} times.",
            day=units.day(last),
            due=money(row.due_amount, team.currency),
            n=number(row.n_due),
            left=money(row.left_amount, team.currency),
            ratio=number(row.coverage_ratio, 1),
        )
        said = f"{said} {_required(row)}"
    reps = table[table["scope"] == "rep"]
    if rep is not None or reps.empty:
        return said
    n_short = int((reps["status"] == "short").sum())
    short = say("{n} of {of} reps are short of it.", n=number(n_short), of=number(len(reps)))
    return f"{said} {short}"


def _required(row: pd.Series) -> str:
    if np.isnan(row["required_ratio"]):
        return say("What is required is not known: too little was won or lost.")
    ends = span(row["required_low"], row["required_high"], lambda x: number(x, 1))
    return say("Required is {ratio} ({ends}).", ratio=number(row.required_ratio, 1), ends=ends)


def _coverage_caveats(n_undated: int) -> tuple[str, ...]:
    said = [
        say("Required is what the team's own win rate asks for, by amount, of the last 12 months.")
    ]
    if n_undated:
        n = number(n_undated)
        said.append(say("{n} open deals have no expected close and are not counted.", n=n))
    return tuple(said)


def _draw_coverage(ax: Axes, team: Team, table: pd.DataFrame) -> Axes:
    rows = table.dropna(subset="coverage_ratio")
    if rows.empty:
        return charts.nothing_to_draw(ax)
    names = team.reps.set_index("rep_id")["name"]
    labels = [say("team") if pd.isna(r) else str(names[r]) for r in rows["rep_id"]]
    points = charts.Points(say("open and due / quota left"), rows["coverage_ratio"].to_list())
    charts.dumbbell(ax, labels, points, is_rate=False)
    low, high = rows[["required_low", "required_high"]].iloc[0]
    if np.isfinite(low) and np.isfinite(high):
        ax.axvspan(low, high, color=charts.FAINT, label=say("required"), zorder=0)
    ax.set_xlim(left=0)
    return ax
