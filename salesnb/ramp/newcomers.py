"""Who is new, and when they were hired: what the questions about new hires share."""

import pandas as pd

from salesnb import units
from salesnb.history import look_up
from salesnb.language import say
from salesnb.metrics import ramp as measured
from salesnb.metrics.ledger import Ledger
from salesnb.metrics.presence import DAYS_A_MONTH, is_here
from salesnb.team import Team
from salesnb.units import number, whole_month

NEW_MONTHS = 12  # since the hire
FEWEST = 5  # past hires below which nothing is compared


def new(team: Team, months: int, rep: str | None = None) -> pd.DataFrame:
    """Who was hired within so many months and is still there, the latest first.

    rep_id, hired_on, role. With a `rep`, that one alone if new; `DataError` if there is no such.
    """
    reps = team.reps
    since = team.as_of - pd.DateOffset(months=months)
    is_new = is_here(team) & (reps["hired_on"] >= since)
    if rep is not None:
        is_new &= reps["rep_id"] == team.rep(rep)
    found = reps.loc[is_new, ["rep_id", "hired_on", "role"]]
    return found.sort_values(["hired_on", "rep_id"], ascending=[False, True], ignore_index=True)


def milestones(ledger: Ledger) -> dict[str, pd.DataFrame]:
    """The hires on record with their wait for each milestone: `metrics.ramp.waits`, and
    `is_gone` for who left without it."""
    hires, team = measured.hires(ledger), ledger.team
    reached = {
        "first deal": (measured.first_wins(ledger), team.as_of),
        "ramped": (measured.ramped(ledger), measured.decided_until(team)),
    }
    found = {name: measured.waits(hires, on, until) for name, (on, until) in reached.items()}
    return {
        name: rows.assign(
            months=rows["days"] / DAYS_A_MONTH, is_gone=rows["left_on"].notna() & ~rows["is_there"]
        )
        for name, rows in found.items()
    }


def not_new(team: Team, rep: str, months: int) -> str:
    """A headline about a rep who is not new."""
    rep_id = team.rep(rep)
    hired_on = look_up(pd.Series([rep_id]), team.reps.set_index("rep_id")["hired_on"]).iloc[0]
    day = say("a day not on record") if pd.isna(hired_on) else units.day(hired_on)
    return say(
        "{who} was hired on {day}: not within the last {months} months.",
        who=team.names[rep_id],
        day=day,
        months=months,
    )


def nobody_new(months: int) -> str:
    """A headline where nobody is new."""
    return say("Nobody on the team was hired within the last {months} months.", months=months)


def confounded(hired_on: pd.Series) -> tuple[str, ...]:
    """What the days of hire do not let anybody tell apart."""
    if len(hired_on) < 2:
        return ()
    months = hired_on.dt.to_period("M").nunique()
    if months == 1:
        return (
            say(
                "All {n} were hired in {month}: what the ramp did and what the market did in these "
                "months cannot be told apart.",
                n=number(len(hired_on)),
                month=whole_month(hired_on.iloc[0]),
            ),
        )
    quarter = hired_on.dt.quarter.value_counts()
    if quarter.iloc[0] > 0.75 * len(hired_on):
        return (
            say(
                "{n_same} of {n} were hired in the same quarter of a year: the season is in their "
                "ramp.",
                n_same=number(quarter.iloc[0]),
                n=number(len(hired_on)),
            ),
        )
    return ()
