"""How the pipeline moves: what came and went, and how fast it turns into money."""

from functools import partial

import pandas as pd
from matplotlib.axes import Axes

from salesnb import behind, cells, charts, metrics, units
from salesnb import waterfall as steps
from salesnb.dataset import load
from salesnb.errors import DataError
from salesnb.finding import Finding
from salesnb.language import say, to_say
from salesnb.metrics import quota
from salesnb.metrics.ledger import DAY
from salesnb.metrics.view import period
from salesnb.team import Team
from salesnb.units import money, number

STEPS = {
    "start": to_say("Start"),
    "new": to_say("New"),
    "reopened": to_say("Reopened"),
    "won": to_say("Won"),
    "lost": to_say("Lost"),
    "pushed": to_say("Pushed"),
    "pulled_in": to_say("Pulled in"),
    "resized": to_say("Resized"),
    "handed_over": to_say("Handed over"),
    "removed": to_say("Removed"),
    "end": to_say("End"),
}


def waterfall(
    team: Team,
    *,
    rep: str | None = None,
    starts_on: str | None = None,
    ends_on: str | None = None,
    due_by: str | None = None,
    earlier: str | None = None,
) -> Finding:
    """How did the open pipeline change, step by step?

    From the evening before `starts_on` to the evening of `ends_on`, by default the fiscal quarter
    that holds `team.as_of` so far. Beside all open deals, those due by `due_by`, by default the
    end of the quarter that holds `ends_on`: deals leave and enter them by their close date too.
    The steps add up to the cent.

    Parameters
    ----------
    earlier : the folder of an earlier export, as the pipeline at the start. Amounts have no
        history in a CRM export: without it every deal counts with its present amount on both
        days, so nothing is resized

    Returns
    -------
    Finding
        One row per step, in order:

        step : ``start``; ``new``; ``reopened``, if any; ``won``; ``lost``; ``pushed`` (still open,
            now due later than `due_by`, or without a date); ``pulled_in`` (open at the start, now
            due or won by `due_by`); ``resized``; ``handed_over``, of one rep's deals; ``removed``,
            gone since the earlier export; ``end``
        n_deals, amount : all open deals; negative where they leave
        n_due, due_amount : the same of those due by `due_by`

    Raises
    ------
    DataError
        There is no such rep, a day that cannot be read, a period that holds no day, an earlier
        export that is not earlier or in another currency, or the days of deals are made up.
    """
    team.need_dates(why="pipeline.waterfall")
    before, after = _two_days(team, starts_on, ends_on, earlier)
    last = after.as_of
    due = quota.fiscal_quarter(team, last)[1] if due_by is None else cells.day(due_by, "due_by")
    rep_id = None if rep is None else team.rep(rep)
    table = steps.table(before, after, due, rep_id)
    is_told = earlier is not None or team.has("close_date_changes")

    def gone(row: pd.Series, *, is_due: bool) -> pd.DataFrame:
        deals = steps.gone(before, after, due, rep_id, row["step"], is_due=is_due)
        rows = behind.deals(before if row["step"] in ("start", "removed") else after, deals)
        # One that was handed over has a colleague's name now.
        return rows if rep_id is None else rows.drop(columns="rep_id")

    return Finding(
        headline=_waterfall_headline(table, before.as_of, last, due, team.currency, is_told),
        table=table,
        draw=lambda ax: _draw_waterfall(ax, table, due),
        ask=(say("Which step surprises you, and which could we have seen coming?"),),
        caveats=_waterfall_caveats(before, after, due, earlier),
        currency=team.currency,
        behind={
            "n_deals": partial(gone, is_due=False),
            "n_due": partial(gone, is_due=True),
        },
    )


def velocity(team: Team, *, rep: str | None = None, months: int = 6) -> Finding:
    """Does the pipeline turn into money faster or slower than before, and through what?

    The same as `metrics.velocity`: open deals x average won amount x win rate / sales cycle, of
    the last months against as many before, the change split into the four (LMDI, Ang 2005).

    Returns
    -------
    Finding
        One row per factor, then the velocity itself:

        factor, unit : what is counted, and in which unit
        then, now : its value in the earlier and in the later window
        n_then, n_now : the cases behind it
        change_amount : what it did to the velocity, team currency per day; blank where a window
            has a factor that is 0 or unknown

    Raises
    ------
    DataError
        A rep who is not on the team, or less than one month.
    """
    return metrics.velocity(team, rep=rep, months=months)


def _two_days(
    team: Team, starts_on: str | None, ends_on: str | None, earlier: str | None
) -> tuple[Team, Team]:
    """The team on the evening before the period, and on its last."""
    if earlier is not None:
        if starts_on is not None:
            raise DataError("Give starts_on or earlier, not both: an export has its own day.")
        before = load(earlier)
        if before.currency != team.currency:
            raise DataError(f"{earlier} is in {before.currency}, the team in {team.currency}.")
        first, last = period(team, str((before.as_of + DAY).date()), ends_on)
        return before, team.at(last)
    if starts_on is None:
        day = team.as_of if ends_on is None else min(cells.day(ends_on, "ends_on"), team.as_of)
        starts_on = str(quota.fiscal_quarter(team, day)[0].date())
    first, last = period(team, starts_on, ends_on)
    return team.at(first - DAY), team.at(last)


def _waterfall_headline(
    table: pd.DataFrame,
    before: pd.Timestamp,
    after: pd.Timestamp,
    due: pd.Timestamp,
    currency: str,
    is_told: bool,
) -> str:
    """In words; `is_told` is whether it is on record that close dates were moved."""
    rows = table.set_index("step")

    def said(step: str, column: str = "amount") -> str:
        return money(abs(float(rows[column][step])), currency)

    if not rows[["n_deals", "n_due"]].any(axis=None):
        return say(
            "No deal was open between {first} and {last}.",
            first=units.day(before),
            last=units.day(after),
        )
    came = {step: said(step) for step in ("start", "end", "new", "won", "lost")}
    n_start, n_end = (number(rows["n_deals"][step]) for step in ("start", "end"))
    moved = say(
        "From {first} to {last} the open pipeline went from {start} ({n_start} deals) to {end} "
        "({n_end}): {new} new, {won} won, {lost} lost.",
        first=units.day(before),
        last=units.day(after),
        n_start=n_start,
        n_end=n_end,
        **came,
    )
    if not (rows["n_due"].any() and is_told):
        return moved
    pushed, pulled_in = (said(step, "due_amount") for step in ("pushed", "pulled_in"))
    return f"{moved} " + say(
        "Of what was due by {day}, {pushed} was pushed beyond and {pulled_in} pulled in.",
        day=units.day(due),
        pushed=pushed,
        pulled_in=pulled_in,
    )


def _waterfall_caveats(
    before: Team, after: Team, due: pd.Timestamp, earlier: str | None
) -> tuple[str, ...]:
    said = []
    if earlier is None:
        said.append(
            say(
                "Amounts have no history: every deal counts with its present amount on both days, "
                "so what was resized cannot be seen. An earlier export tells it (earlier=)."
            )
        )
    is_open = after.deals["outcome"].isna()
    n_undated = int((is_open & after.deals["expected_close_on"].isna()).sum())
    if n_undated:
        n = number(n_undated)
        said.append(say("{n} open deals have no expected close: never counted as due.", n=n))
    n_blank = int((is_open & after.deals["amount"].isna()).sum())
    if n_blank:
        said.append(say("{n} open deals have no amount and count as 0.", n=number(n_blank)))
    return tuple(said)


def _draw_waterfall(ax: Axes, table: pd.DataFrame, due: pd.Timestamp) -> Axes:
    """The deals due by a day, or all where none has a close date."""
    has_due = bool(table["n_due"].any())
    column = "due_amount" if has_due else "amount"
    rows = table[(table[column] != 0) | table["step"].isin(["start", "end"])]
    charts.waterfall(ax, [say(STEPS[step]) for step in rows["step"]], rows[column].to_list())
    day = units.day(due)
    ax.set_xlabel(say("open amount due by {day}", day=day) if has_due else say("open amount"))
    return ax
