"""How a rep's numbers go: the last months beside the months before and a typical rep's."""

from collections.abc import Callable
from textwrap import fill

import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts, standout
from salesnb.errors import DataError
from salesnb.finding import Finding
from salesnb.language import say, to_say
from salesnb.metrics import answers, cases
from salesnb.metrics.ledger import ledger
from salesnb.metrics.register import find
from salesnb.once import once
from salesnb.team import Team
from salesnb.units import label, money, number, percent

COLUMNS = ["metric", "unit", "value", "value_low", "value_high", "n"]
COLUMNS += ["then", "then_low", "then_high", "n_then", "benchmark", "is_apart"]
FOLLOWED = ["win_rate", "sales_cycle_days", "n_won", "won_amount", "average_won_amount"]
FOLLOWED += ["meetings_held_per_week", "no_show_rate", "quota_attainment"]
THEN = {"value": "then", "value_low": "then_low", "value_high": "then_high", "n": "n_then"}
CHANCE = 0.05  # that any page of the team names a change that is none
HOW_OFTEN = to_say(
    "A change is named only where chance alone would name any in one team in twenty. "
    "The numbers are raw: the mix of deals may have changed too, and a typical rep's is another."
)


def trend(team: Team, rep: str, *, months: int = 6) -> Finding:
    """How do this rep's numbers compare with the months before, and with a typical rep's?

    Returns
    -------
    Finding
        One row per metric (see `metrics.glossary`) of which the rep has cases:

        metric, unit
        value, value_low, value_high, n : in the last `months`, with interval and cases
        then, then_low, then_high, n_then : in as many months before
        benchmark : a typical rep in the last `months`; blank below three others
        is_apart : whether the two periods differ by more than chance

    Raises
    ------
    DataError
        There is no such rep, or less than one month.
    """
    seen = standout.of(team, rep)
    if months < 1:
        raise DataError(f"months: found {months}, expected at least 1.")
    table = table_of(team, seen.rep_id, months)
    return Finding(
        f"{seen.name}: {_in_words(table, months, team.currency)}",
        table,
        lambda ax: _draw(ax, table),
        ask=(say("Which of these numbers would you like to see move by next time?"),),
        caveats=(say(HOW_OFTEN),),
        currency=team.currency,
        names={seen.rep_id: seen.name},
        behind={
            "n": lambda row: rows(team, seen.rep_id, row["metric"], months),
            "n_then": lambda row: rows(team, seen.rep_id, row["metric"], months, is_then=True),
        },
    )


def rows(
    team: Team, rep_id: str, metric: str, months: int, *, is_then: bool = False
) -> pd.DataFrame:
    """The rows that a metric of a rep counts in the last months, or in as many before."""
    first, last = _periods(team, months)[is_then]
    return cases.rows(ledger(team), [rep_id], metric, None, first, last)


def _periods(
    team: Team, months: int
) -> tuple[tuple[pd.Timestamp, pd.Timestamp], tuple[pd.Timestamp, pd.Timestamp]]:
    """The first and last day of the last months, and of as many before."""
    middle = team.as_of - pd.DateOffset(months=months)
    first, day = middle - pd.DateOffset(months=months), pd.Timedelta(days=1)
    return (middle + day, team.as_of), (first + day, middle)


@once
def _table(team: Team, rep_id: str, months: int) -> pd.DataFrame:
    lately, earlier = _periods(team, months)
    books, register = ledger(team), tuple(find(name) for name in FOLLOWED)
    now = answers.of_rep(books, rep_id, *lately, register)
    before = answers.answers(answers.each(books, [rep_id], *earlier), register)
    now, before = now.set_index("metric"), before.set_index("metric")[[*THEN]]
    own = now[now["scope"] == "rep"].join(before.rename(columns=THEN))
    own = own.assign(benchmark=now.loc[now["scope"] == "typical", "value"]).reindex(FOLLOWED)
    # What the rep had no case of, before or since, is no number to hold against anybody's.
    own = own[own[["n", "n_then"]].gt(0).any(axis=1)]
    own = own.dropna(subset=["value", "then"], how="all").reset_index()
    own = own if team.settings.is_dated else own.head(0)  # no periods to compare
    return own.assign(is_apart=_is_apart(own, len(team.reps))).reindex(columns=COLUMNS)


def table_of(team: Team, rep_id: str, months: int) -> pd.DataFrame:
    """The numbers followed, in the last months and in as many before: the table of `trend`."""
    return _table(team, rep_id, months).copy(deep=False)


def _is_apart(table: pd.DataFrame, n_reps: int) -> pd.Series:
    """Which changes are more than chance, given how many numbers of how many reps are looked at."""
    p = standout.p_of_change(table)
    return p < CHANCE / max(1, p.notna().sum() * n_reps)


def _in_words(table: pd.DataFrame, months: int, currency: str) -> str:
    apart = table[table["is_apart"]]
    if table[["value_low", "then_low"]].isna().any(axis=1).all():
        return say("too few deals to compare the periods.")
    if apart.empty:
        return say(
            "no number of the last {months} months differs from before by more than chance.",
            months=months,
        )
    said = [_change_in_words(row, currency) for _, row in apart.iterrows()]
    return say("in the last {months} months {changes}.", months=months, changes="; ".join(said))


def _change_in_words(row: pd.Series, currency: str) -> str:
    now, then = (_written(row[each], row["unit"], currency) for each in ("value", "then"))
    return say(
        "{metric} {now} (n = {n}), before {then} (n = {n_then})",
        metric=label(row.metric).lower(),
        now=now,
        n=number(row.n),
        then=then,
        n_then=number(row.n_then),
    )


def _written(value: float, unit: str, currency: str) -> str:
    writers: dict[str, Callable[[float], str]] = {
        "rate": percent,
        "percent": percent,
        "amount": lambda amount: money(amount, currency),
    }
    return writers.get(unit, lambda plain: number(plain, 1))(value)


def _draw(ax: Axes, table: pd.DataFrame) -> Axes:
    """A small picture per metric: before and now, with the typical rep's as a line."""
    rows = table.dropna(subset=["value", "then"])
    changes = [
        charts.Change(
            fill(label(row["metric"]), 15),
            (row["then"], row["then_low"], row["then_high"]),
            (row["value"], row["value_low"], row["value_high"]),
            row["benchmark"],
            is_rate=row["unit"] in ("rate", "percent"),
        )
        for _, row in rows.iterrows()
    ]
    return charts.before_and_now(ax, changes)
