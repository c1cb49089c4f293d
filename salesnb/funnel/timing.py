"""When deals are won and lost, and how old the open ones are."""

import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts
from salesnb.charts import MUTED
from salesnb.finding import Finding
from salesnb.language import say, to_say
from salesnb.metrics import ages, seasons
from salesnb.team import Team
from salesnb.units import money, number, percent, span

WHEN = {
    "month": to_say("in {level}"),
    "weekday": to_say("on a {level}"),
    "quarter": to_say("in the {level}"),
    "quarter_end": to_say("in the {level}"),
}


def calendar(team: Team) -> Finding:
    """When are deals won and lost?

    Every close on record by month of the year, last month of the quarter, last two weeks of the
    quarter and weekday, each level against the others. Months, weekdays and the last two weeks
    are compared within the same part of the quarter. An effect is named only if at most 5 % of
    those named are expected to be chance (Benjamini and Hochberg 1995); batches of deals closed
    together count as less evidence than as many single ones.

    Returns
    -------
    Finding
        One row per level:

        factor, level : ``quarter``, ``quarter_end``, ``month`` or ``weekday``, and which
        n_closed, n_won : deals
        win_rate, win_low, win_high : with 90 % interval
        other_rate : win rate of the deals it is compared with
        won_share, days_share : share of all wins, and of all days on record
        n_times : how often the level came round; once is not enough to tell
        p, q : of there being no difference, and so after the many looks; blank if not tested
        stands_out : whether q is at most 5 %

    Raises
    ------
    DataError
        The days of deals are made up.
    """
    team.need_dates(why="funnel.calendar")
    table = seasons.table(team)
    return Finding(
        headline=_calendar_headline(table),
        table=table,
        draw=lambda ax: _draw_calendar(ax, table),
        ask=(
            say("Who decides when a deal is closed in the CRM, and when do losses get recorded?"),
        ),
        caveats=(
            say(
                "A close is counted on the day it was recorded; what is associated with a date is "
                "not caused by it."
            ),
        ),
        currency=team.currency,
        names=team.names,
        behind={
            "n_closed": lambda row: seasons.rows(team, row, "won", "lost"),
            "n_won": lambda row: seasons.rows(team, row, "won"),
        },
    )


def open_age(team: Team, *, rep: str | None = None) -> Finding:
    """How old is the open pipeline, next to the deals that were won?

    The ages of open deals (of one rep, or of all) against the cycles of every deal the team has
    won, from creation to close. At least ten wins are needed.

    Returns
    -------
    Finding
        One row per band of age, young to old:

        band : up to the median win, up to 80 % of wins, up to the longest win, older than any win
        to_days : the highest age of the band, blank for the last
        n_open : open deals in it
        open_deals_share, open_deals_low, open_deals_high : of all open deals, with 90 % interval
        open_amount : their amount, team currency; blank if no amount is known

    Raises
    ------
    DataError
        A rep who is not on the team, or the days of deals are made up.
    """
    team.need_dates(why="funnel.open_age")
    rep_id = None if rep is None else team.rep(rep)
    table = ages.table(team, rep_id)
    return Finding(
        headline=_age_headline(table, team.currency),
        table=table,
        draw=lambda ax: _draw_ages(ax, table),
        ask=(
            say("Which of the oldest deals would you open again today, and which can be closed?"),
        ),
        caveats=(say("Age counts from creation; a deal reopened is as old as on its first day."),),
        currency=team.currency,
        behind={"n_open": lambda row: ages.rows(team, rep_id, row["band"])},
    )


def _calendar_headline(table: pd.DataFrame) -> str:
    if not table["n_closed"].sum():
        return say("No deal is closed yet.")
    named = table[table["stands_out"].fillna(False).astype(bool)].sort_values("p", kind="stable")
    if named.empty:
        return say(
            "When a deal closes says nothing of how it ends: nothing stands out from chance."
        )
    first = named.iloc[0]
    said = say(
        "Of deals closed {when}, {rate} are won ({ends}), against {other} of the others: more "
        "than chance gives.",
        when=say(WHEN[first.factor], level=first.level),
        rate=percent(first.win_rate),
        ends=span(first.win_low, first.win_high, percent),
        other=percent(first.other_rate),
    )
    more = len(named) - 1
    return f"{said} " + say("{n} more stand out.", n=more) if more else said


def _draw_calendar(ax: Axes, table: pd.DataFrame) -> Axes:
    rows = table[table["n_closed"] > 0]
    value, low, high = (rows[name].to_list() for name in ("win_rate", "win_low", "win_high"))
    others = charts.Points(
        say("compared with"), rows["other_rate"].to_list(), colour=MUTED, marker="|"
    )
    own = charts.Points(say("won"), value, low, high)
    return charts.dumbbell(ax, rows["level"].to_list(), own, others)


def _age_headline(table: pd.DataFrame, currency: str) -> str:
    if table.empty:
        return say("Too few deals are won to tell what is old.")
    n, last = int(table["n_open"].sum()), table.iloc[-1]
    if not n:
        return say("No deal is open.")
    share, low, high = (last[f"open_deals_{part}"] for part in ("share", "low", "high"))
    said = say(
        "{n_old} of {n} open deals ({share}, {ends}) are older than any deal was when it was won "
        "({days} days)",
        n_old=number(last.n_open),
        n=number(n),
        share=percent(share),
        ends=span(low, high, percent),
        days=number(table.to_days.max()),
    )
    if not last["open_amount"] > 0:
        return f"{said}."
    return f"{said}, " + say("worth {amount}", amount=money(last.open_amount, currency)) + "."


def _draw_ages(ax: Axes, table: pd.DataFrame) -> Axes:
    value, low, high = (
        table[name].to_list() for name in ("open_deals_share", "open_deals_low", "open_deals_high")
    )
    points = charts.Points(say("share of open deals"), value, low, high)
    return charts.dumbbell(ax, table["band"].to_list(), points)
