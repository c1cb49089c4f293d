"""Whether a plan is sound: what it pays for, whether pay follows performance, how many measures."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter

from salesnb import charts, pay, sold, stats
from salesnb.comp_plan import ROLES, Plan
from salesnb.finding import Finding
from salesnb.history import look_up
from salesnb.metrics.view import in_words, period
from salesnb.team import Team
from salesnb.units import number, percent, span

COLUMNS = ["item", "kind", "unit", "value", "value_low", "value_high", "n", "why"]
MOST = 3  # measures; people remember and follow no more
DRAWS, SEED = 1000, 12
NO_ROLE = "no role"


def health(team: Team, *, plan: str = "") -> Finding:
    """Does the plan pay for what it should, and is it simple enough to be followed?

    For the twelve months up to `team.as_of`. Reps who were on the team throughout are held side by
    side; nobody is named.

    Parameters
    ----------
    plan : a plan of ``comp.toml`` as if it had always been in force; by default the one of the day

    Returns
    -------
    Finding
        One row per sign of health:

        item : what is looked at
        kind : ``role`` (share of commission by role of the product), ``variable`` (share of all pay
            that hangs on results), ``follows`` (rank correlation of pay with margin brought),
            ``spread`` (90th / 50th percentile of pay) or ``measures`` (what pay hangs on)
        unit, value, value_low, value_high : with 90 % interval; rate, ratio or count
        n : deals, reps or measures
        why : what a good value would be, or which measures

    Raises
    ------
    DataError
        No ``comp.toml``, or no such plan.
    """
    team.need_dates("comp.health")
    in_force = pay.chosen(team, plan)
    first, last = period(team, None, None)
    now = [each for each in in_force.values() if each.starts_on <= team.as_of <= each.ends_on]
    rows = pay.earned(team, first, last, plan)
    parts = [*_by_role(team, first, last, plan), _variable(rows), *_people(team, rows, first, last)]
    table = pd.DataFrame([*parts, _measures(now[-1:])], columns=COLUMNS)
    numbers = dict.fromkeys(("value", "value_low", "value_high"), "float64")
    texts = dict.fromkeys(("item", "kind", "unit", "why"), "str")
    table = table.astype({**numbers, **texts, "n": "int64"})
    return Finding(
        headline=_headline(table, in_words(first, last)),
        table=table,
        draw=lambda ax: _draw(ax, team, rows, first, last),
        ask=("What would you do differently tomorrow if the plan paid for it?",),
        caveats=("Pay as the plan has it, replayed; nobody's own pay is shown.",),
        currency=team.currency,
        shown=[name for name in COLUMNS if name != "kind"],
    )


Row = tuple[str, str, str, float, float, float, int, str]


def _by_role(team: Team, first: pd.Timestamp, last: pd.Timestamp, plan: str) -> list[Row]:
    """The share of commission by role of the product."""
    paid = pay.per_product(team, first, last, plan)
    role = look_up(paid["product_id"], team.products.set_index("product_id")["role"])
    role = role.fillna(NO_ROLE)
    roles = [each for each in (*ROLES, NO_ROLE) if (role == each).any()]
    code = pd.Index(roles, dtype="str").get_indexer(pd.Index(role))
    case = pd.factorize(paid["deal_id"])[0]
    found = stats.shares(paid["coins"].to_numpy(float), code, case, len(roles))
    return [
        (f"commission on {each.replace('_', ' ')}", "role", "rate", *ends, int(n), "")
        for each, ends, n in zip(roles, found.iloc[:, :3].to_numpy(), found["n"], strict=True)
    ]


def _variable(rows: pd.DataFrame) -> Row:
    total = rows["coins"].sum()
    fixed = rows.loc[rows["rule"] == "base pay", "coins"].sum()
    share = 1 - fixed / total if total > 0 else np.nan
    n = rows["rep_id"].nunique()
    return "pay that hangs on results", "variable", "rate", share, np.nan, np.nan, n, ""


def _throughout(team: Team, first: pd.Timestamp, last: pd.Timestamp) -> pd.Index:
    """Reps on the team from the first day to the last."""
    reps = team.reps
    is_there = ~(reps["hired_on"] > first) & ~(reps["left_on"] < last)
    return pd.Index(sorted(reps.loc[is_there, "rep_id"]), dtype="str")


def _pay_and_margin(
    team: Team, rows: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp
) -> pd.DataFrame:
    ids = _throughout(team, first, last)
    paid = rows.groupby("rep_id")["coins"].sum().reindex(ids, fill_value=0)
    margin = pay.margins(team, first, last)["margin_amount"].reindex(ids, fill_value=0.0)
    amounts = pay.Coins.of(team.currency).amounts(paid)
    return pd.DataFrame({"pay": amounts, "margin": margin.to_numpy(float)}, index=ids)


def _people(team: Team, rows: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp) -> list[Row]:
    """Whether pay follows margin, and how far the best paid are from the middle."""
    both = _pay_and_margin(team, rows, first, last)
    known = sold.within(sold.lines(team), first, last)["margin_rate"].notna().any()
    follows = stats.rank_correlation(both["pay"], both["margin"]) if known else (np.nan,) * 3
    paid, n = both["pay"].to_numpy(), len(both)
    spread = (np.nan, np.nan, np.nan)
    if n >= 5 and np.median(paid) > 0:
        dice = np.random.default_rng(SEED)
        drawn = np.quantile(paid[dice.integers(0, n, (DRAWS, n))], [0.5, 0.9], axis=1)
        value = float(np.quantile(paid, 0.9) / np.median(paid))
        low, high = np.quantile(drawn[1] / np.maximum(drawn[0], 1e-9), [0.05, 0.95])
        spread = (value, min(low, value), max(high, value))
    return [
        ("pay follows margin", "follows", "ratio", *follows, n, "1: who brings more earns more"),
        ("best paid against the middle", "spread", "ratio", *spread, n, "90th / 50th percentile"),
    ]


def _measures(plans: list[Plan]) -> Row:
    named = plans[0].measures if plans else ()
    n = len(named)
    return "what pay hangs on", "measures", "count", float(n), np.nan, np.nan, n, ", ".join(named)


def _headline(table: pd.DataFrame, when: str) -> str:
    of_kind: dict[str, Any] = dict(zip(table["kind"], table.to_dict("records"), strict=True))
    variable, follows, measures = (of_kind[k] for k in ("variable", "follows", "measures"))
    if np.isnan(variable["value"]):
        return f"Nothing was paid {when}."
    said = [f"{percent(variable['value'])} of pay hangs on results {when}."]
    push = table[table["item"] == "commission on push"]
    if len(push) and np.isfinite(push["value"].iloc[0]):
        row = push.iloc[0]
        ends = span(row["value_low"], row["value_high"], percent)
        said.append(f"{percent(row['value'])} of commission is for push products ({ends}).")
    if np.isfinite(follows["value"]):
        ends = span(follows["value_low"], follows["value_high"], lambda x: number(x, 2))
        how = "follows" if follows["value_low"] > 0 else "is not seen to follow"
        said.append(f"Pay {how} margin: rank correlation {number(follows['value'], 2)} ({ends}).")
    n = int(measures["value"])
    if n > MOST:
        said.append(f"It hangs on {n} measures ({measures['why']}): more than {MOST} to follow.")
    return " ".join(said)


def _draw(
    ax: Axes, team: Team, rows: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp
) -> Axes:
    """Pay against margin of those who were there throughout, without names."""
    both = _pay_and_margin(team, rows, first, last)
    if both.empty or not both["pay"].any():
        return charts.nothing_to_draw(ax)
    ax.plot(both["margin"], both["pay"], "o", color=charts.ACCENT, markersize=5)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(EngFormatter(sep=""))
    ax.set_ylim(bottom=0)
    ax.set_xlabel("margin brought by a rep")
    ax.set_ylabel("pay")
    return ax
