"""Every metric of everybody in view as one tidy table, and what a typical rep is."""

import numpy as np
import pandas as pd

from salesnb import lot
from salesnb.history import among
from salesnb.language import say
from salesnb.metrics import tally
from salesnb.metrics.ledger import Ledger
from salesnb.metrics.presence import RAMP_MONTHS, days_at_work
from salesnb.metrics.register import REGISTER, Metric
from salesnb.metrics.view import GROUP, View
from salesnb.team import Team
from salesnb.units import listed

COLUMNS = ["scope", "rep_id", "stage", "metric", "value", "value_low", "value_high", "n"]
COLUMNS += ["unit", "why"]
VALUES = ["value", "value_low", "value_high"]
SUMMED = ("amount", "count")  # units that grow with the number of people
PEERS = 3  # fewer would show a person, not a benchmark
MOST_PEERS = 100  # tell as well what is typical as a thousand
ABSENT = 0.25  # of the period, beyond which a rep is no benchmark


def everybody(ledger: Ledger, first: pd.Timestamp, last: pd.Timestamp) -> View:
    """The team together, and each rep who was on it for any part of the period."""
    reps = ledger.team.reps
    was_there = ~(reps["hired_on"] > last) & ~(reps["left_on"] < first)
    own = reps.loc[was_there, ["rep_id"]].assign(scope=reps["rep_id"])
    members = pd.concat([reps[["rep_id"]].assign(scope=GROUP), own]).astype("str")
    return View(ledger, members, first, last, always=(GROUP,))


def together(ledger: Ledger, rep_ids: list[str], first: pd.Timestamp, last: pd.Timestamp) -> View:
    """These reps and nobody else, as one."""
    members = pd.DataFrame({"rep_id": rep_ids, "scope": GROUP}, dtype="str")
    return View(ledger, members, first, last, always=(GROUP,))


def each(ledger: Ledger, rep_ids: list[str], first: pd.Timestamp, last: pd.Timestamp) -> View:
    """Each of these reps."""
    members = pd.DataFrame({"rep_id": rep_ids, "scope": rep_ids}, dtype="str")
    return View(ledger, members, first, last)


def peers(team: Team, rep_id: str, first: pd.Timestamp, last: pd.Timestamp) -> list[str]:
    """The reps a rep can be compared with: the others who worked a full period at full speed.

    On the team and past the first six months throughout, on leave for at most a quarter of it,
    and with a deal to their name. Of more than a hundred, as many drawn by lot stand for all.
    """
    reps = team.reps
    ramped = reps["hired_on"] + pd.DateOffset(months=RAMP_MONTHS)
    is_full = ~(ramped > first) & ~(reps["left_on"] <= last) & (reps["rep_id"] != rep_id)
    present = days_at_work(team, first, last).mean(axis=1)
    is_full &= reps["rep_id"].isin(present.index[present >= 1 - ABSENT])
    is_full &= among(reps["rep_id"], team.deals["rep_id"])
    return lot.drawn(reps.loc[is_full, "rep_id"], MOST_PEERS)


def answers(view: View, register: tuple[Metric, ...] = REGISTER) -> pd.DataFrame:
    """Every metric of a view, `COLUMNS` less rep_id; ``scope`` is a rep_id or the `GROUP`."""
    table = pd.concat([_answer(metric, view) for metric in register], ignore_index=True)
    texts = dict.fromkeys(("scope", "stage", "metric", "unit", "why"), "str")
    return table.astype({**dict.fromkeys([*VALUES, "n"], "float64"), **texts})


def _answer(metric: Metric, view: View) -> pd.DataFrame:
    """One metric of a view; where the data set lacks a table that it needs, rows that say so."""
    named = {"metric": metric.name, "unit": metric.unit}
    if lacking := metric.lacking(view.team):
        rows = tally.plain(view.labels(), np.nan, 0)
        return rows.assign(stage=None, why=say("needs {tables}", tables=listed(lacking)), **named)
    found = metric.compute(view)
    said = found["why"] if "why" in found else pd.Series("", index=found.index)
    nothing = say("none open") if metric.is_now else say("no cases in the period")
    why = said.mask(said == "", nothing)
    stage = found.get("stage")
    return found.assign(stage=stage, why=why.where(found["value"].isna()), **named)


def of_team(ledger: Ledger, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    """`COLUMNS` for the team, then for the reps; metrics in the order of the register.

    What the data set cannot answer is said once, of the team.
    """
    table = answers(everybody(ledger, first, last))
    is_known = table["metric"].isin([m.name for m in REGISTER if ledger.team.has(*m.needs)])
    table = table[is_known | (table["scope"] == GROUP)]
    is_team = table["scope"] == GROUP
    table["rep_id"] = table["scope"].mask(is_team)
    table = table.assign(scope=np.where(is_team, "team", "rep"))[COLUMNS]
    # The team first: whoever reads the top of a long table should not read a ranking.
    return pd.concat([table[is_team], table[~is_team]], ignore_index=True)


def of_rep(
    ledger: Ledger,
    rep_id: str,
    first: pd.Timestamp,
    last: pd.Timestamp,
    register: tuple[Metric, ...] = REGISTER,
) -> pd.DataFrame:
    """`COLUMNS` for one rep, each metric followed by that of a typical rep, if there are enough."""
    others = peers(ledger.team, rep_id, first, last)
    others = others if len(others) >= PEERS else []
    members = pd.DataFrame({"rep_id": [rep_id, *others], "scope": [rep_id] + [GROUP] * len(others)})
    table = answers(View(ledger, members.astype("str"), first, last), register)
    is_own = table["scope"] == rep_id
    found = [table[is_own].assign(scope="rep", rep_id=rep_id)]
    if others:
        typical = _per_rep(table[~is_own], each(ledger, others, first, last), register)
        typical = _of_hires(typical, ledger, rep_id, first, last, register)
        found.append(typical.assign(scope="typical", rep_id=None))
    both = pd.concat(found).astype({"rep_id": "str"})
    # In the order of the metrics and stages of the rep's own rows.
    order = {place: i for i, place in enumerate(zip(*_places(found[0]), strict=True))}
    both["order"] = [order[place] for place in zip(*_places(both), strict=True)]
    return both.sort_values("order", kind="stable")[COLUMNS].reset_index(drop=True)


def _places(table: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    return table["metric"], table["stage"].fillna("")


def _per_rep(table: pd.DataFrame, single: View, register: tuple[Metric, ...]) -> pd.DataFrame:
    """The rows of several reps together; of amounts and counts the median of the reps."""
    team = single.team
    summed = tuple(m for m in register if m.unit in SUMMED and team.has(*m.needs))
    values = answers(single, summed).groupby("metric")["value"]
    is_summed = table["metric"].isin([metric.name for metric in summed])
    for column, per_rep in (("value", values.median()), ("n", values.count().astype(float))):
        table = table.assign(
            **{column: table[column].mask(is_summed, table["metric"].map(per_rep))}
        )
    table = table[table["metric"].isin([m.name for m in REGISTER if team.has(*m.needs)])]
    return table.assign(why=table["why"].where(table["value"].isna()))


def _of_hires(
    table: pd.DataFrame,
    ledger: Ledger,
    rep_id: str,
    first: pd.Timestamp,
    last: pd.Timestamp,
    register: tuple[Metric, ...],
) -> pd.DataFrame:
    """The same rows, metrics of new hires for all other reps; too few would show a person."""
    register = tuple(metric for metric in register if metric.is_of_hires)
    if not register:
        return table
    others = sorted(set(ledger.team.reps["rep_id"]) - {rep_id})
    found = answers(together(ledger, others, first, last), register)
    is_few = found["n"] < PEERS
    found[VALUES] = found[VALUES].mask(is_few)
    found["why"] = found["why"].mask(is_few, say("fewer than {n} other hires", n=PEERS))
    found["n"] = found["n"].mask(is_few, 0.0)
    return pd.concat([table[~table["metric"].isin(found["metric"])], found])
