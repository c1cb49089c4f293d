"""Whether a plan is sound: what it pays for, whether pay follows performance, how many measures."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts, pay, sold, stats
from salesnb.comp_plan import Plan
from salesnb.finding import Finding
from salesnb.history import look_up
from salesnb.language import say, to_say
from salesnb.metrics.view import in_words, period
from salesnb.team import Team
from salesnb.units import number, percent, span

COLUMNS = ["item", "kind", "unit", "value", "value_low", "value_high", "n", "why"]
MOST = 3  # measures; people remember and follow no more
DRAWS, SEED = 1000, 12
NO_ROLE = "no role"
COMMISSION = {
    "push": to_say("commission on push"),
    "core": to_say("commission on core"),
    "minor": to_say("commission on minor"),
    "loss_leader": to_say("commission on loss leader"),
    NO_ROLE: to_say("commission on no role"),
}
FOLLOWS = to_say("Pay follows margin: rank correlation {value} ({ends}).")
TOO_MANY = to_say("It hangs on {n} measures ({measures}): more than {most} to follow.")
NOT_SEEN = to_say("Pay is not seen to follow margin: rank correlation {value} ({ends}).")


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
    by_role = _by_role(team, first, last, plan)
    parts = [*by_role.values(), _variable(rows), *_people(team, rows, first, last)]
    table = pd.DataFrame([*parts, _measures(now[-1:])], columns=COLUMNS)
    numbers = dict.fromkeys(("value", "value_low", "value_high"), "float64")
    texts = dict.fromkeys(("item", "kind", "unit", "why"), "str")
    table = table.astype({**numbers, **texts, "n": "int64"})
    return Finding(
        headline=_headline(table, by_role.get("push"), in_words(first, last)),
        table=table,
        draw=lambda ax: _draw(ax, team, rows, first, last),
        ask=(say("What would you do differently tomorrow if the plan paid for it?"),),
        caveats=(say("Pay as the plan has it, replayed; nobody's own pay is shown."),),
        currency=team.currency,
        shown=[name for name in COLUMNS if name != "kind"],
    )


Row = tuple[str, str, str, float, float, float, int, str]


def _by_role(team: Team, first: pd.Timestamp, last: pd.Timestamp, plan: str) -> dict[str, Row]:
    """The share of commission by role of the product."""
    paid = pay.per_product(team, first, last, plan)
    role = look_up(paid["product_id"], team.products.set_index("product_id")["role"])
    role = role.fillna(NO_ROLE)
    roles = [each for each in COMMISSION if (role == each).any()]
    code = pd.Index(roles, dtype="str").get_indexer(pd.Index(role))
    case = pd.factorize(paid["deal_id"])[0]
    found = stats.shares(paid["coins"].to_numpy(float), code, case, len(roles))
    rows = zip(roles, found.iloc[:, :3].to_numpy(), found["n"], strict=True)
    return {
        each: (say(COMMISSION[each]), "role", "rate", *ends, int(n), "") for each, ends, n in rows
    }


def _variable(rows: pd.DataFrame) -> Row:
    total = rows["coins"].sum()
    fixed = rows.loc[rows["rule"] == "base pay", "coins"].sum()
    share = 1 - fixed / total if total > 0 else np.nan
    n = rows["rep_id"].nunique()
    return say("pay that hangs on results"), "variable", "rate", share, np.nan, np.nan, n, ""


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
    good, held = say("1: who brings more earns more"), say("90th / 50th percentile")
    return [
        (say("pay follows margin"), "follows", "ratio", *follows, n, good),
        (say("best paid against the middle"), "spread", "ratio", *spread, n, held),
    ]


def _measures(plans: list[Plan]) -> Row:
    named = plans[0].measures if plans else ()
    n = len(named)
    item, why = say("what pay hangs on"), ", ".join(map(say, named))
    return item, "measures", "count", float(n), np.nan, np.nan, n, why


def _headline(table: pd.DataFrame, push: Row | None, when: str) -> str:
    of_kind: dict[str, Any] = dict(zip(table["kind"], table.to_dict("records"), strict=True))
    variable, follows, measures = (of_kind[k] for k in ("variable", "follows", "measures"))
    if np.isnan(variable["value"]):
        return say("Nothing was paid {when}.", when=when)
    share = percent(variable["value"])
    said = [say("{share} of pay hangs on results {when}.", share=share, when=when)]
    if push and np.isfinite(push[3]):
        share, ends = percent(push[3]), span(push[4], push[5], percent)
        said.append(
            say("{share} of commission is for push products ({ends}).", share=share, ends=ends)
        )
    if np.isfinite(follows["value"]):
        value, words = (
            number(follows["value"], 2),
            FOLLOWS if follows["value_low"] > 0 else NOT_SEEN,
        )
        ends = span(follows["value_low"], follows["value_high"], lambda x: number(x, 2))
        said.append(say(words, value=value, ends=ends))
    n, named = int(measures["value"]), measures["why"]
    if n > MOST:
        said.append(say(TOO_MANY, n=n, measures=named, most=MOST))
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
        charts.write_short(axis)
    ax.set_ylim(bottom=0)
    ax.set_xlabel(say("margin brought by a rep"))
    ax.set_ylabel(say("pay"))
    return ax
