"""All metrics at a glance: a rep beside a typical one, or the team."""

from itertools import pairwise
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts, stats
from salesnb.behind import OF_COLLEAGUES
from salesnb.charts import ACCENT, MUTED
from salesnb.errors import DataError
from salesnb.finding import Finding
from salesnb.language import say, to_say
from salesnb.metrics import answers, cases
from salesnb.metrics.ledger import DAY, Ledger, ledger
from salesnb.metrics.register import find
from salesnb.metrics.view import in_words, period
from salesnb.team import Team
from salesnb.units import label, money, number, percent, span

CHANCE = 0.05
QUARTERS, OPENING = 8, 20  # points of a trend line; rows that have one, at most
UNDATED = to_say(
    "The days of deals are made up: nothing is said of how long they took, or of when."
)
RAW = to_say("Raw numbers: what kind of deals each rep was given is not taken into account.")

SCOPES = {"rep": to_say("rep"), "typical": to_say("typical"), "team": to_say("team")}


def overview(
    team: Team,
    *,
    rep: str | None = None,
    starts_on: str | None = None,
    ends_on: str | None = None,
) -> Finding:
    """How do the numbers stand, for the team and for each rep?

    The period is by default the twelve months up to `team.as_of`; what concerns the open
    pipeline is always that of `as_of`. With `rep`, that rep beside a typical one: of the others,
    those who were on the team and past their first six months throughout, and not on leave for
    more than a quarter of the period; below three of them there is no benchmark.

    Returns
    -------
    Finding
        One row per metric and scope, and per stage where a metric has stages:

        scope : ``team``, ``rep`` or ``typical``
        rep_id : for the rows of a rep
        stage : for the metrics of a stage
        metric, unit : see `glossary`
        value, value_low, value_high : with its 90 % interval where there is one; of a typical
            rep's amounts and counts the median of the reps, of all else that of their deals
            together
        n : the cases behind the value; for a typical rep's amounts and counts, the reps
        why : where there is no value, the reason

    Raises
    ------
    DataError
        A rep who is not on the team, or a period that holds no day.
    """
    first, last = period(team, starts_on, ends_on)
    book = ledger(team)
    is_dated = team.settings.is_dated
    when = in_words(first, last) if is_dated else say("on days that nobody recorded")
    if rep is None:
        table = answers.of_team(book, first, last)
        headline = _team_headline(team, table, when)
    else:
        table = answers.of_rep(book, team.rep(rep), first, last)
        headline = _rep_headline(team, table, when)
    return Finding(
        headline=headline,
        table=table,
        draw=lambda ax: _draw(ax, table),
        history=None if rep else lambda: _by_quarter(book, table, last),
        ask=(say("Which of these numbers surprises you, and what do you think stands behind it?"),),
        caveats=(say(RAW), *(() if is_dated else (say(UNDATED),)), *_unanswered(team, table)),
        currency=team.currency,
        names=team.names,
        behind={"n": lambda row: _cases(book, row, first, last)},
    )


def _cases(book: Ledger, row: pd.Series, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    """The rows that the n of a row counts; those of colleagues are not shown."""
    if row["scope"] == "typical":
        raise DataError(OF_COLLEAGUES)
    reps = [row["rep_id"]] if row["scope"] == "rep" else sorted(book.team.reps["rep_id"])
    return cases.rows(book, reps, row["metric"], row["stage"], first, last)


def _by_quarter(book: Ledger, table: pd.DataFrame, last: pd.Timestamp) -> pd.DataFrame:
    """The team's numbers in each quarter up to the last day; of a state, or of a stage, none."""
    reps = sorted(book.team.reps["rep_id"])
    register = tuple(map(find, table["metric"].head(OPENING).unique()))
    ends = [last - pd.DateOffset(months=3 * back) for back in range(QUARTERS, -1, -1)]
    quarters = [
        answers.answers(answers.together(book, reps, before + DAY, end), register)
        for before, end in pairwise(ends)
    ]
    whole = [rows[rows["stage"].isna()].set_index("metric")["value"] for rows in quarters]
    is_now = table["metric"].isin([metric.name for metric in register if metric.is_now])
    own = table["metric"].where((table["scope"] == "team") & table["stage"].isna() & ~is_now)
    by_metric = pd.concat(whole, axis=1, ignore_index=True)
    return by_metric.reindex(own).set_axis(table.index)


def _team_headline(team: Team, table: pd.DataFrame, when: str) -> str:
    rate, n_won, won = (_row(table, "team", m) for m in ("win_rate", "n_won", "won_amount"))
    if not rate["n"]:
        return say("No deal was closed {when}.", when=when)
    won_deals, n, share = n_won["value"], number(rate["n"]), percent(rate["value"])
    said = say(
        "The team won {n} of {of} deals closed {when} ({share}, {ends})",
        n=number(won_deals),
        of=n,
        when=when,
        share=share,
        ends=_ends(rate),
    )
    if not won["value"] >= 0:
        return f"{said}."
    amount = money(won["value"], team.currency)
    return say("{won}, {amount} in all.", won=said, amount=amount)


def _rep_headline(team: Team, table: pd.DataFrame, when: str) -> str:
    """The rep's win rate beside the typical one, and whether chance alone may set them apart."""
    own, typical = _row(table, "rep", "win_rate"), _row(table, "typical", "win_rate")
    name = team.names[own["rep_id"]]
    if not own["n"]:
        return say("{name} closed no deal {when}.", name=name, when=when)
    n_won, n, share = round(own["value"] * own["n"]), number(own["n"]), percent(own["value"])
    said = say(
        "{name} won {n} of {of} deals closed {when} ({share}, {ends})",
        name=name,
        n=number(n_won),
        of=n,
        when=when,
        share=share,
        ends=_ends(own),
    )
    if not typical["n"]:
        return f"{said}; " + say("there are too few others for a benchmark.")
    p = stats.two_rates_p(own["value"], own["n"], typical["value"], typical["n"])
    # Every rep gets such a sentence: over all of them chance should be taken for more but rarely.
    rate = percent(typical["value"])
    if p >= CHANCE / len(team.reps):
        return f"{said}; " + say("a typical rep {rate}: no further apart than chance.", rate=rate)
    return f"{said}; " + say(
        "a typical rep {rate}: if their deals were alike, further apart than chance.", rate=rate
    )


def _ends(row: dict[str, Any]) -> str:
    return span(row["value_low"], row["value_high"], percent)


def _row(table: pd.DataFrame, scope: str, metric: str) -> dict[str, Any]:
    """One row of the table; n is 0 if it is not there."""
    rows = table[(table["scope"] == scope) & (table["metric"] == metric)]
    return {str(k): v for k, v in rows.iloc[0].items()} if len(rows) else {"n": 0}


def _unanswered(team: Team, table: pd.DataFrame) -> tuple[str, ...]:
    """What the data set cannot answer, by the table that is lacking."""
    lacking = table[[bool(find(metric).lacking(team)) for metric in table["metric"]]]
    return tuple(
        say("Not answered, {why}: {metrics}.", why=why, metrics=", ".join(sorted(set(rows.metric))))
        for why, rows in lacking.groupby("why")
    )


def _draw(ax: Axes, table: pd.DataFrame) -> Axes:
    """The rates without stages: of the rep and a typical one, or of the team."""
    rates = table[(table["unit"] == "rate") & table["stage"].isna()].set_index("metric")
    who = {"rep": ACCENT, "typical": MUTED} if "typical" in set(rates["scope"]) else {}
    who = who or ({"team": ACCENT} if "team" in set(rates["scope"]) else {"rep": ACCENT})
    rates = rates[rates["scope"].isin(who)]
    shown = rates.index[rates["value"].notna()].unique()
    series = []
    for scope, colour in who.items():
        rows = rates[rates["scope"] == scope].reindex(shown)
        ends = rows["value_low"].to_list(), rows["value_high"].to_list()
        series.append(
            charts.Points(say(SCOPES[scope]), rows["value"].to_list(), *ends, colour=colour)
        )
    return charts.dumbbell(ax, [label(name) for name in shown], *series)
