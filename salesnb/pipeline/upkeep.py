"""What the CRM says of open deals that is no longer so: dates that slip, fields that lack."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import behind, charts, stats
from salesnb.finding import Finding, Urgency
from salesnb.history import look_up
from salesnb.language import say, says, to_say
from salesnb.metrics import answers, dates
from salesnb.metrics import hygiene as faulty
from salesnb.metrics.ledger import ledger
from salesnb.metrics.view import View, in_words, period
from salesnb.pipeline.opened import largest, now, rep_ids, share, stages, worth
from salesnb.team import Team
from salesnb.units import number, percent, span

SLIPPING = ["deal_id", "rep_id", "stage", "n_pushes", "pushed_days", "first_close_on"]
SLIPPING += ["expected_close_on", "overdue_days", "amount"]
LATELY = 7  # days since a close date, that are of this week
WORDS = {
    "no_next_step": to_say("nothing booked ahead"),
    "overdue": to_say("close date passed"),
    "no_amount": to_say("no amount"),
    "stage_jump": to_say("a stage was jumped"),
}


def slipping(
    team: Team,
    *,
    rep: str | None = None,
    starts_on: str | None = None,
    ends_on: str | None = None,
) -> Finding:
    """Which close dates slip, and how often?

    Slippage counts the deals due in a fiscal quarter when it began that were still open at its
    end, over the whole quarters of the period, by default the twelve months up to `team.as_of`.
    A push moves the expected close into a later calendar month.

    Returns
    -------
    Finding
        One row per open deal that was ever pushed or whose close date has passed, largest amount
        first:

        deal_id, rep_id, stage
        n_pushes : times the date was moved into a later calendar month
        pushed_days : days by which these pushes moved it
        first_close_on, expected_close_on : the date first set, and the present one
        overdue_days : days since the present one, blank while it lies ahead
        amount : team currency

    Raises
    ------
    DataError
        No changes of close dates, there is no such rep, or a period that holds no day.
    """
    team.need("close_date_changes", why="pipeline.slipping")
    first, last = period(team, starts_on, ends_on)
    view = answers.together(ledger(team), rep_ids(team, rep), first, last)
    open_deals = _pushed(now(team, rep))
    is_listed = (open_deals["n_pushes"] > 0) | (open_deals["overdue_days"] > 0)
    table = largest(open_deals[is_listed], SLIPPING)
    return Finding(
        headline=_slipping_headline(view, table, in_words(first, last), team.currency),
        table=table,
        draw=lambda ax: _draw_pushes(ax, open_deals),
        ask=(
            say("What did the customer say when you last agreed on a date?"),
            say("What has to happen on their side before they can sign?"),
        ),
        caveats=(say("A date moved before the change log began is not counted as a push."),),
        currency=team.currency,
        names=team.names,
        pressing=_pressing(table, team.currency),
        urgency=Urgency.CLOSE_DATE,
        behind={"n_pushes": lambda row: _moves_of(team, row)},
    )


def hygiene(team: Team, *, rep: str | None = None) -> Finding:
    """What is missing or out of date on the open deals?

    Counts by rep, in order of their ids, never by number: somebody with many deals, or with a
    territory that another left behind, has more to tidy up.

    Returns
    -------
    Finding
        One row per rep with open deals:

        rep_id, n_open : open deals
        n_to_tidy : those with any of the following
        n_no_next_step : nothing booked ahead that names the deal (or its account and no deal)
        n_overdue : the expected close has passed
        n_no_amount : the amount is blank or 0
        n_stage_jump : a stage was passed without an entry of its own

        A count is blank where the data set cannot tell.

    Raises
    ------
    DataError
        There is no such rep.
    """
    rows = faulty.faults(now(team, rep))
    flags = rows[list(faulty.FAULTS)]
    n_to_tidy = flags.fillna(False).any(axis=1).groupby(rows["rep_id"]).sum()
    counts = flags.astype("Float64").groupby(rows["rep_id"]).sum(min_count=1)
    counts = counts.astype("float64").add_prefix("n_")
    n_open = rows.groupby("rep_id").size()
    table = pd.concat([n_open.rename("n_open"), n_to_tidy.rename("n_to_tidy"), counts], axis=1)
    table = table.reset_index().sort_values("rep_id", ignore_index=True)
    table = table.astype({"rep_id": "str", "n_open": "int64", "n_to_tidy": "int64"})
    return Finding(
        headline=_hygiene_headline(flags, len(rows)),
        table=table,
        draw=lambda ax: _draw_hygiene(ax, flags),
        ask=(
            say(
                "Which of these fields help you to sell, and which do you fill in for somebody "
                "else?"
            ),
        ),
        caveats=_hygiene_caveats(flags),
        currency=team.currency,
        names=team.names,
        behind={
            "n_open": lambda row: _to_tidy(team, row),
            "n_to_tidy": lambda row: _to_tidy(team, row, *faulty.FAULTS),
            **{f"n_{name}": partial(_faulty, team, name) for name in faulty.FAULTS},
        },
    )


def _pressing(table: pd.DataFrame, currency: str) -> str:
    """The deals that were to be closed in the week that has passed."""
    late = table[table["overdue_days"] <= LATELY]
    if late.empty:
        return ""
    return says(
        "{n} deal was to be closed in the last week and is still open{worth}.",
        "{n} deals were to be closed in the last week and are still open{worth}.",
        len(late),
        n=number(len(late)),
        worth=worth(late, currency),
    )


def _to_tidy(team: Team, row: pd.Series, *of: str) -> pd.DataFrame:
    """The open deals of a rep with what is to be tidied up; with one of these faults at least."""
    rows = faulty.faults(now(team, row["rep_id"]))
    is_it = rows[[*of]].fillna(False).any(axis=1) if of else rows["deal_id"].notna()
    return behind.deals(team, rows[is_it], *faulty.FAULTS)


def _faulty(team: Team, name: str, row: pd.Series) -> pd.DataFrame:
    return _to_tidy(team, row, name)


def _moves_of(team: Team, row: pd.Series) -> pd.DataFrame:
    """The pushes of a deal's close date, the first one on top."""
    pushes = _pushes(now(team, row["rep_id"]))
    pushes = pushes[pushes["deal_id"] == row["deal_id"]].sort_values("changed_at")
    return pushes[["deal_id", "changed_at", "from_on", "expected_close_on", "days"]]


def _pushes(view: View) -> pd.DataFrame:
    """All pushes on record, whenever."""
    began = view.team.close_date_changes["changed_at"].min()
    moves = dates.moves(view if pd.isna(began) else replace(view, starts_on=began))
    return moves[moves["is_push"]]


def _pushed(view: View) -> pd.DataFrame:
    """The open deals with what the log of close dates says of them."""
    log = view.team.close_date_changes.sort_values(["deal_id", "changed_at", "expected_close_on"])
    pushes = _pushes(view).groupby("deal_id")["days"].agg(["size", "sum"])
    deals = view.open
    ids, first = deals["deal_id"], log.drop_duplicates("deal_id").set_index("deal_id")
    overdue = (view.team.as_of - deals["expected_close_on"]).dt.days
    return deals.assign(
        stage=stages(view, deals),
        n_pushes=look_up(ids, pushes["size"]).fillna(0).astype(float),
        pushed_days=look_up(ids, pushes["sum"]).fillna(0).astype(float),
        first_close_on=look_up(ids, first["expected_close_on"]).fillna(deals["expected_close_on"]),
        overdue_days=overdue.where(overdue > 0).astype(float),
    )


def _slipping_headline(view: View, table: pd.DataFrame, when: str, currency: str) -> str:
    rate = dates.slippage_rate(view).iloc[0]
    if rate["n"]:
        said = say(
            "Of {n} deals due in a quarter when it began, {when}, {rate} ({ends}) were still open "
            "at its end.",
            n=number(rate.n),
            when=when,
            rate=percent(rate.value),
            ends=span(rate.value_low, rate.value_high, percent),
        )
    else:
        said = say("No deal was due in a quarter when it began, {when}.", when=when)
    if table.empty:
        return f"{said} " + say("No open deal was pushed or is overdue.")
    n_pushed, n_late = int((table["n_pushes"] > 0).sum()), int(table["overdue_days"].count())
    often = int((table["n_pushes"] >= 3).sum())
    pushed = say("{n} deals that were pushed", n=number(n_pushed))
    if often:
        pushed = say("{pushed}, {n} of them three times or more", pushed=pushed, n=number(often))
    return f"{said} " + say(
        "Open now: {pushed}; {n} with a close date that has passed{worth} together.",
        pushed=pushed,
        n=number(n_late),
        worth=worth(table, currency),
    )


def _draw_pushes(ax: Axes, deals: pd.DataFrame) -> Axes:
    """How many open deals were pushed how often."""
    if deals.empty:
        return charts.nothing_to_draw(ax)
    n = np.bincount(deals["n_pushes"].to_numpy(int))
    ax.bar(np.arange(len(n)), n, color=charts.ACCENT)
    ax.set_xticks(np.arange(len(n)))
    ax.set_xlabel(say("times pushed into a later month"))
    ax.set_ylabel(say("open deals"))
    return ax


def _hygiene_headline(flags: pd.DataFrame, n: int) -> str:
    if not n:
        return say("No deal is open.")
    counts = {name: int(flags[name].sum()) for name in WORDS if flags[name].notna().any()}
    n_any = int(flags.fillna(False).any(axis=1).sum())
    if not n_any:
        words = to_say("Nothing to tidy up on {n} open deals, as far as the data set can tell.")
        if len(counts) == len(WORDS):
            words = to_say("Nothing to tidy up on {n} open deals.")
        return say(words, n=number(n))
    parts = [f"{say(WORDS[name])} {number(count)}" for name, count in counts.items() if count]
    return say(
        "{share} have something to tidy up: {faults}.",
        share=share(n_any, n),
        faults=", ".join(parts),
    )


def _hygiene_caveats(flags: pd.DataFrame) -> tuple[str, ...]:
    unknown = [say(WORDS[name]) for name in WORDS if len(flags) and flags[name].isna().all()]
    faults = ", ".join(unknown)
    return (say("The data set cannot tell: {faults}.", faults=faults),) if unknown else ()


def _draw_hygiene(ax: Axes, flags: pd.DataFrame) -> Axes:
    """The share of open deals with each fault, among those where it can be told."""
    if flags.empty:
        return charts.nothing_to_draw(ax)
    found = stats.rates(flags.sum().to_numpy(float), flags.count().to_numpy(float))
    ends = found["value_low"].to_list(), found["value_high"].to_list()
    points = charts.Points(say("share of open deals"), found["value"].to_list(), *ends)
    return charts.dumbbell(ax, [*map(say, WORDS.values())], points)
