"""Where deals stop: how many go on from each stage."""

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.stats import chi2_contingency

from salesnb import charts
from salesnb.charts import ACCENT, MUTED
from salesnb.errors import unknown
from salesnb.finding import Finding
from salesnb.language import say, to_say
from salesnb.metrics import conversion as conversions
from salesnb.metrics import quarterly
from salesnb.metrics.view import in_words, period
from salesnb.team import Team
from salesnb.units import number, percent, span

NARROWEST = to_say("At the narrowest step: what do the deals that stop there have in common?")
CHANCE = 0.05
CLOSED_TO_TELL = 5  # deals a group must have closed to be compared
DRAWN = 25  # rows at most
BY = {
    "rep": to_say("by rep"),
    "segment": to_say("by segment"),
    "source": to_say("by source"),
    "product": to_say("by product"),
    "period": to_say("by period"),
}


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
    has_trend = by is None and team.settings.is_dated and bool(table["n_exits"].any())
    return Finding(
        headline=_conversion_headline(table, by, in_words(first, last)),
        table=table,
        draw=lambda ax: _draw_conversion(ax, table, by),
        ask=(say(NARROWEST),) if len(team.stages) > 1 else (),
        caveats=_conversion_caveats(table, by),
        currency=team.currency,
        names=team.names,
        trend=quarterly.what_it_shows(),
        history=partial(conversions.by_quarter, team, rep_id, last, table) if has_trend else None,
        behind={
            counted: partial(conversions.rows, team, by, rep_id, first, last, counted)
            for counted in conversions.COUNTED
        },
    )


def _conversion_headline(table: pd.DataFrame, by: str | None, when: str) -> str:
    whole = table[table["stage"] == conversions.TOTAL]
    created = int(whole["n_entered"].sum())
    if not created:
        return say("No deal was created {when}.", when=when)
    n, still_open = number(created), percent(whole["n_open"].sum() / created)
    if by is not None:
        return say(
            "Of {n} deals created {when}, {open} are still open; {difference}.",
            n=n,
            when=when,
            open=still_open,
            difference=_difference(whole, by),
        )
    won, low, high = whole.iloc[0][["cohort_rate", "cohort_low", "cohort_high"]]
    stages = table[table["stage"] != conversions.TOTAL]
    return say(
        "Of {n} deals created {when}, {won} come to be won ({ends}), {open} are still open; "
        "{narrowest}.",
        n=n,
        when=when,
        won=percent(won),
        ends=span(low, high, percent),
        open=still_open,
        narrowest=_narrowest(stages),
    )


def _narrowest(stages: pd.DataFrame) -> str:
    """The stage with the lowest conversion, if its interval lies below all others."""
    known = stages.dropna(subset="cohort_rate").sort_values("cohort_rate", kind="stable")
    if len(known) < 2 or known["cohort_high"].iloc[0] >= known["cohort_low"].iloc[1:].min():
        return say("no step stands out as the narrowest")
    first = known.iloc[0]
    return say(
        "the narrowest step is {stage}: {rate} go on ({ends})",
        stage=first.stage,
        rate=percent(first.cohort_rate),
        ends=span(first.cohort_low, first.cohort_high, percent),
    )


def _difference(whole: pd.DataFrame, by: str) -> str:
    """Whether win rates differ between the groups by more than chance; names no group."""
    groups = whole[whole["n_decided"] >= CLOSED_TO_TELL]
    won = (groups["won_rate"] * groups["n_decided"]).round()
    counts = np.array([won, groups["n_decided"] - won])
    if len(groups) < 2 or (counts.sum(axis=1) == 0).any():
        return say("too few are decided to compare them {by}", by=say(BY[by]))
    if chi2_contingency(counts, correction=False).pvalue < CHANCE:
        return say("{by}, win rates differ by more than chance gives", by=say(BY[by]))
    return say("{by}, win rates differ by no more than chance gives", by=say(BY[by]))


def _conversion_caveats(table: pd.DataFrame, by: str | None) -> tuple[str, ...]:
    entered, still_open = table["n_entered"], table["n_open"]
    said = []
    if (still_open > 0.4 * entered).any():
        said.append(say("Where more than 40 % are still open, the cohort rate will grow."))
    if by == "rep":
        said.append(
            say("Raw rates: what kind of deals each rep was given is not taken into account.")
        )
    return tuple(said)


def _draw_conversion(ax: Axes, table: pd.DataFrame, by: str | None) -> Axes:
    rows = table if by is None else table[table["stage"] == conversions.TOTAL]
    rows = rows[rows["n_entered"] + rows["n_exits"] > 0].head(DRAWN)
    labels = rows["stage" if by is None else conversions.BY[by]].replace(
        conversions.TOTAL, say("created to won")
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
            (say("of those who entered"), "cohort", ACCENT, "o"),
            (say("of those who left"), "exit", MUTED, "s"),
        )
    ]
    return charts.dumbbell(ax, labels.to_list(), *series)
