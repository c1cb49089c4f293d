"""One metric month by month, and whether it has a trend beyond chance."""

import numpy as np
import pandas as pd
from babel.dates import format_date
from matplotlib.axes import Axes
from scipy.stats import false_discovery_control

from salesnb import charts, stats, units
from salesnb.errors import DataError
from salesnb.finding import Finding
from salesnb.language import locale, say, to_say
from salesnb.metrics import answers, cases
from salesnb.metrics.ledger import DAY, Ledger, ledger
from salesnb.metrics.register import Metric, find
from salesnb.team import Team
from salesnb.units import label, money, number, percent

BY_MONTH = ["starts_on", "ends_on", "stage", "metric", "value", "value_low", "value_high", "n"]
BY_MONTH += ["unit", "why"]
CHANCE = 0.05


def trend(
    team: Team, *, metric: str = "win_rate", rep: str | None = None, months: int = 12
) -> Finding:
    """How has one number gone, month by month?

    A month's deals are judged by what is known today; the open pipeline is that known at the end
    of each month. A trend is named only if it is more than chance gives (5 %; over several stages
    at most 5 % of those named are expected to be false): Cochran-Armitage for rates, Kendall's
    tau for all else.

    Returns
    -------
    Finding
        One row per calendar month, the last one up to `team.as_of`, and per stage where the
        metric has stages:

        starts_on, ends_on : the days of the month
        stage, metric, value, value_low, value_high, n, unit, why : as in `overview`

    Raises
    ------
    DataError
        An unknown metric or rep, less than one month, a table that the metric needs is lacking,
        or the days of deals are made up.
    """
    team.need_dates(why="metrics.trend")
    chosen = find(metric)
    team.need(*chosen.needs, why=f"metrics.trend of {metric}")
    if months < 1:
        raise DataError(f"months: found {months}, expected at least 1.")
    rep_ids = sorted(team.reps["rep_id"]) if rep is None else [team.rep(rep)]
    table = _by_month(team, chosen, rep_ids, months)
    who = say("the team") if rep is None else team.names[rep_ids[0]]
    return Finding(
        headline=say(
            "{metric} of {who}: {trend}.",
            metric=label(metric),
            who=who,
            trend=_trend_in_words(table, chosen, team.currency),
        ),
        table=table,
        draw=lambda ax: _draw_months(ax, table, metric),
        ask=(say("What changed in the months where the line moves, and what stayed the same?"),),
        caveats=_month_caveats(team),
        currency=team.currency,
        names=team.names,
        behind={"n": lambda row: _of_month(team, chosen, rep_ids, row)},
    )


def _by_month(team: Team, metric: Metric, rep_ids: list[str], months: int) -> pd.DataFrame:
    few = _few(team, metric)
    last, parts = team.as_of.to_period("M"), []
    for month in pd.period_range(last - (months - 1), last, freq="M"):
        first = month.start_time.as_unit("us")
        end = min(month.end_time.normalize().as_unit("us"), team.as_of)
        known = Ledger(few.at(end)) if metric.is_now else ledger(team)
        found = answers.answers(answers.together(known, rep_ids, first, end), (metric,))
        parts.append(found.assign(starts_on=first, ends_on=end))
    return pd.concat(parts, ignore_index=True)[BY_MONTH]


def _few(team: Team, metric: Metric) -> Team:
    """The team with the tables that a metric needs."""
    tables = {"reps", "deals", "stage_changes", "absences", *metric.needs}
    return Team(team.settings, {name: t for name, t in team.tables.items() if name in tables})


def _of_month(team: Team, metric: Metric, rep_ids: list[str], row: pd.Series) -> pd.DataFrame:
    """The rows that the n of a month counts, as they were known then where the metric says so."""
    first, end = row["starts_on"], row["ends_on"]
    book = Ledger(_few(team, metric).at(end)) if metric.is_now else ledger(team)
    return cases.rows(book, rep_ids, metric.name, row["stage"], first, end)


def _trend_in_words(table: pd.DataFrame, metric: Metric, currency: str) -> str:
    """The last month's value, and the trend where it is more than chance."""
    if table["value"].isna().all():
        return say("no cases")
    newest, ways = table.iloc[-1], _trends(table, metric.unit == "rate")
    said = say("no trend beyond chance")
    if ways:
        both = say(" and ")
        said = say("{ways} by more than chance", ways=both.join(ways))
    if table["stage"].notna().any():
        return said
    value = _written(newest["value"], metric.unit, currency)
    month = format_date(newest["starts_on"], say("MMMM y"), locale=locale())
    return say(
        "{value} in {month} (n = {n}), {trend}",
        value=value,
        month=month,
        n=number(newest.n),
        trend=said,
    )


def _trends(table: pd.DataFrame, is_rate: bool) -> list[str]:
    """Which way the series go, of each stage or of all, where that is more than chance."""
    groups = table.fillna({"stage": ""}).groupby("stage", sort=False)
    tests = {
        str(stage): stats.trend(rows["value"].to_numpy(), rows["n"].to_numpy(), is_rate)
        for stage, rows in groups
    }
    direction, p = np.array(list(tests.values())).T
    is_named = false_discovery_control(np.nan_to_num(p, nan=1.0)) <= CHANCE
    return [
        _way(way, stage)
        for stage, way, named in zip(tests, direction, is_named, strict=True)
        if named
    ]


def _way(way: float, stage: str) -> str:
    if not stage:
        return say("rising") if way > 0 else say("falling")
    words = to_say("rising at {stage}") if way > 0 else to_say("falling at {stage}")
    return say(words, stage=stage)


def _month_caveats(team: Team) -> tuple[str, ...]:
    if (team.as_of + DAY).day == 1:
        return ()
    return (
        say("The last month is not over: it is counted up to {day}.", day=units.day(team.as_of)),
    )


def _written(value: float, unit: str, currency: str) -> str:
    if unit in ("rate", "percent"):
        return percent(value)
    return money(value, currency) if unit == "amount" else number(value, 1)


def _draw_months(ax: Axes, table: pd.DataFrame, metric: str) -> Axes:
    if table["value"].isna().all():
        return charts.nothing_to_draw(ax)
    groups = table.fillna({"stage": ""}).groupby("stage", sort=False)
    lines = {str(stage): rows for stage, rows in groups}
    return charts.over_time(
        ax, lines, label(metric), is_rate=find(metric).unit in ("rate", "percent")
    )
