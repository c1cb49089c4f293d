"""Where deals stop: conversion of each stage, when deals close, how old the open ones are."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.stats import chi2_contingency

from salesnb import charts
from salesnb.charts import ACCENT, MUTED
from salesnb.errors import unknown
from salesnb.finding import Finding
from salesnb.metrics import ages, seasons
from salesnb.metrics import conversion as conversions
from salesnb.metrics.view import in_words, period
from salesnb.team import Team
from salesnb.units import money, number, percent, span

NARROWEST = "At the narrowest step: what do the deals that stop there have in common?"
CHANCE = 0.05
CLOSED_TO_TELL = 5  # deals a group must have closed to be compared
DRAWN = 25  # rows at most


def conversion(
    team: Team,
    *,
    by: str | None = None,
    rep: str | None = None,
    starts_on: str | None = None,
    ends_on: str | None = None,
) -> Finding:
    """How many deals go on from each stage?

    Two versions side by side, by default of the twelve months up to `team.as_of`. The cohort
    rate follows the deals that entered: the share that has gone on by the longest time seen, open
    deals censored at their time in the stage, never counted as lost (cumulative incidence, Aalen
    and Johansen 1978). The exit rate looks at the deals that left: gone on / (gone on + lost);
    deals stuck in the stage drop out of it. A skipped stage counts as passed at once; a move is
    credited to the rep who owned the deal then.

    Parameters
    ----------
    by : ``rep``, ``segment``, ``source``, ``product`` or ``period`` (fiscal quarter)

    Returns
    -------
    Finding
        One row per stage in order, then ``all`` from creation to won; of each the groups of `by`
        in alphabetical order, never by rate:

        stage
        rep_id, segment, source, product_id, quarter : one of them, if `by` asks for it
        n_entered : entered in the period, of whom n_advanced, n_lost, n_open; n_skipped passed
            without an entry of their own
        cohort_rate, cohort_low, cohort_high : of those who entered, with 90 % interval
        n_exits, exit_rate, exit_low, exit_high : of those who left in the period
        n_decided, won_rate, won_low, won_high : deals closed in the period that ever reached the
            stage, and the share of them won

    Raises
    ------
    DataError
        No stage history, an unknown `by` or rep, or a period that holds no day.
    """
    if by is not None and by not in conversions.BY:
        raise unknown("grouping", by, conversions.BY)
    team.need("stage_changes", why="funnel.conversion")
    first, last = period(team, starts_on, ends_on)
    rep_id = None if rep is None else team.rep(rep)
    table = conversions.table(team, by, rep_id, first, last)
    return Finding(
        headline=_conversion_headline(table, by, in_words(first, last)),
        table=table,
        draw=lambda ax: _draw_conversion(ax, table, by),
        ask=(NARROWEST,) if len(team.stages) > 1 else (),
        caveats=_conversion_caveats(table, by),
        currency=team.currency,
        names=team.names,
    )


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
        ask=("Who decides when a deal is closed in the CRM, and when do losses get recorded?",),
        caveats=(
            "A close is counted on the day it was recorded; what is associated with a date is "
            "not caused by it.",
        ),
        currency=team.currency,
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
    table = ages.table(team, None if rep is None else team.rep(rep))
    return Finding(
        headline=_age_headline(table, team.currency),
        table=table,
        draw=lambda ax: _draw_ages(ax, table),
        ask=("Which of the oldest deals would you open again today, and which can be closed?",),
        caveats=("Age counts from creation; a deal reopened is as old as on its first day.",),
        currency=team.currency,
    )


def _conversion_headline(table: pd.DataFrame, by: str | None, when: str) -> str:
    whole = table[table["stage"] == conversions.TOTAL]
    created = int(whole["n_entered"].sum())
    if not created:
        return f"No deal was created {when}."
    still_open = f"{percent(whole['n_open'].sum() / created)} are still open"
    said = f"Of {number(created)} deals created {when}, "
    if by is not None:
        return f"{said}{still_open}; {_difference(whole, by)}."
    won, low, high = whole.iloc[0][["cohort_rate", "cohort_low", "cohort_high"]]
    share = f"{percent(won)} come to be won ({span(low, high, percent)}), {still_open}"
    return f"{said}{share}; {_narrowest(table[table['stage'] != conversions.TOTAL])}."


def _narrowest(stages: pd.DataFrame) -> str:
    """The stage with the lowest conversion, if its interval lies below all others."""
    known = stages.dropna(subset="cohort_rate").sort_values("cohort_rate", kind="stable")
    if len(known) < 2 or known["cohort_high"].iloc[0] >= known["cohort_low"].iloc[1:].min():
        return "no step stands out as the narrowest"
    first = known.iloc[0]
    ends = span(first["cohort_low"], first["cohort_high"], percent)
    return f"the narrowest step is {first['stage']}: {percent(first['cohort_rate'])} go on ({ends})"


def _difference(whole: pd.DataFrame, by: str) -> str:
    """Whether win rates differ between the groups by more than chance; names no group."""
    groups = whole[whole["n_decided"] >= CLOSED_TO_TELL]
    won = (groups["won_rate"] * groups["n_decided"]).round()
    counts = np.array([won, groups["n_decided"] - won])
    if len(groups) < 2 or (counts.sum(axis=1) == 0).any():
        return f"too few are decided to compare them by {by}"
    p = chi2_contingency(counts, correction=False).pvalue
    differ = "differ by more" if p < CHANCE else "differ by no more"
    return f"by {by}, win rates {differ} than chance gives"


def _conversion_caveats(table: pd.DataFrame, by: str | None) -> tuple[str, ...]:
    entered, still_open = table["n_entered"], table["n_open"]
    said = []
    if (still_open > 0.4 * entered).any():
        said.append("Where more than 40 % are still open, the cohort rate will grow.")
    if by == "rep":
        said.append("Raw rates: what kind of deals each rep was given is not taken into account.")
    return tuple(said)


def _draw_conversion(ax: Axes, table: pd.DataFrame, by: str | None) -> Axes:
    rows = table if by is None else table[table["stage"] == conversions.TOTAL]
    rows = rows[rows["n_entered"] + rows["n_exits"] > 0].head(DRAWN)
    labels = rows["stage" if by is None else conversions.BY[by]].replace(
        conversions.TOTAL, "created to won"
    )
    series = [
        charts.Points(
            name,
            rows[f"{part}_rate"].to_list(),
            rows[f"{part}_low"].to_list(),
            rows[f"{part}_high"].to_list(),
            colour,
            marker,
        )
        for name, part, colour, marker in (
            ("of those who entered", "cohort", ACCENT, "o"),
            ("of those who left", "exit", MUTED, "s"),
        )
    ]
    return charts.dumbbell(ax, labels.to_list(), *series)


def _calendar_headline(table: pd.DataFrame) -> str:
    if not table["n_closed"].sum():
        return "No deal is closed yet."
    named = table[table["stands_out"].fillna(False).astype(bool)].sort_values("p", kind="stable")
    if named.empty:
        return "When a deal closes says nothing of how it ends: nothing stands out from chance."
    first = named.iloc[0]
    level = {"month": "in {}", "weekday": "on a {}"}.get(first["factor"], "in the {}")
    more = f" {len(named) - 1} more stand out." if len(named) > 1 else ""
    return (
        f"Of deals closed {level.format(first['level'])}, {percent(first['win_rate'])} are won "
        f"({span(first['win_low'], first['win_high'], percent)}), against "
        f"{percent(first['other_rate'])} of the others: more than chance gives.{more}"
    )


def _draw_calendar(ax: Axes, table: pd.DataFrame) -> Axes:
    rows = table[table["n_closed"] > 0]
    value, low, high = (rows[name].to_list() for name in ("win_rate", "win_low", "win_high"))
    others = charts.Points("compared with", rows["other_rate"].to_list(), colour=MUTED, marker="|")
    own = charts.Points("won", value, low, high)
    return charts.dumbbell(ax, rows["level"].to_list(), own, others)


def _age_headline(table: pd.DataFrame, currency: str) -> str:
    if table.empty:
        return "Too few deals are won to tell what is old."
    n, last = int(table["n_open"].sum()), table.iloc[-1]
    if not n:
        return "No deal is open."
    worth = f", worth {money(last['open_amount'], currency)}" if last["open_amount"] > 0 else ""
    share, low, high = (last[f"open_deals_{part}"] for part in ("share", "low", "high"))
    return (
        f"{number(last['n_open'])} of {number(n)} open deals ({percent(share)}, "
        f"{span(low, high, percent)}) are older than any deal was when "
        f"it was won ({number(table['to_days'].max())} days){worth}."
    )


def _draw_ages(ax: Axes, table: pd.DataFrame) -> Axes:
    value, low, high = (
        table[name].to_list() for name in ("open_deals_share", "open_deals_low", "open_deals_high")
    )
    points = charts.Points("share of open deals", value, low, high)
    return charts.dumbbell(ax, table["band"].to_list(), points)
