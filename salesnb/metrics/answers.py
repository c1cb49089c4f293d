"""Every metric of everybody in view as one tidy table, and what a typical rep is."""

import numpy as np
import pandas as pd

from salesnb.history import among
from salesnb.metrics import tally
from salesnb.metrics.presence import RAMP_MONTHS, days_at_work
from salesnb.metrics.register import REGISTER, Metric
from salesnb.metrics.view import GROUP, Ledger, View
from salesnb.team import Team

COLUMNS = ["scope", "rep_id", "stage", "metric", "value", "value_low", "value_high", "n"]
COLUMNS += ["unit", "why"]
VALUES = ["value", "value_low", "value_high"]
SUMMED = ("amount", "count")  # units that grow with the number of people
PEERS = 3  # fewer would show a person, not a benchmark
ABSENT = 0.25  # of the period, beyond which a rep is no benchmark


def everybody(ledger: Ledger, first: pd.Timestamp, last: pd.Timestamp) -> View:
    """The team together, and each rep who was on it for any part of the period."""
    reps = ledger.team.reps
    was_there = ~(reps["hired_on"] > last) & ~(reps["left_on"] < first)
    own = reps.loc[was_there, ["rep_id"]].assign(scope=reps["rep_id"])
    return View(ledger, pd.concat([reps[["rep_id"]].assign(scope=GROUP), own]), first, last)


def together(ledger: Ledger, rep_ids: list[str], first: pd.Timestamp, last: pd.Timestamp) -> View:
    """These reps and nobody else, as one."""
    return View(ledger, pd.DataFrame({"rep_id": rep_ids, "scope": GROUP}, dtype="str"), first, last)


def each(ledger: Ledger, rep_ids: list[str], first: pd.Timestamp, last: pd.Timestamp) -> View:
    """Each of these reps."""
    members = pd.DataFrame({"rep_id": rep_ids, "scope": rep_ids}, dtype="str")
    return View(ledger, members, first, last)


def peers(team: Team, rep_id: str, first: pd.Timestamp, last: pd.Timestamp) -> list[str]:
    """The reps a rep can be compared with: the others who worked a full period at full speed.

    On the team and past the first six months throughout, on leave for at most a quarter of it,
    and with a deal to their name.
    """
    reps = team.reps
    ramped = reps["hired_on"] + pd.DateOffset(months=RAMP_MONTHS)
    is_full = ~(ramped > first) & ~(reps["left_on"] <= last) & (reps["rep_id"] != rep_id)
    present = days_at_work(team, first, last).mean(axis=1)
    is_full &= reps["rep_id"].isin(present.index[present >= 1 - ABSENT])
    return sorted(reps.loc[is_full & among(reps["rep_id"], team.deals["rep_id"]), "rep_id"])


def answers(view: View, register: tuple[Metric, ...] = REGISTER) -> pd.DataFrame:
    """Every metric of a view, `COLUMNS` less rep_id; ``scope`` is a rep_id or the `GROUP`."""
    table = pd.concat([_answer(metric, view) for metric in register], ignore_index=True)
    texts = dict.fromkeys(("scope", "stage", "metric", "unit", "why"), "str")
    return table.astype({**dict.fromkeys([*VALUES, "n"], "float64"), **texts})


def _answer(metric: Metric, view: View) -> pd.DataFrame:
    """One metric of a view; a single row where the data set lacks a table that it needs."""
    named = {"metric": metric.name, "unit": metric.unit}
    lacking = [name for name in metric.needs if not view.team.has(name)]
    if lacking:
        row = tally.plain(view.labels().head(1), np.nan, 0)
        return row.assign(stage=None, why=f"needs {' and '.join(lacking)}", **named)
    found = metric.compute(view)
    said = found["why"] if "why" in found else pd.Series("", index=found.index)
    why = said.mask(said == "", "none open" if metric.is_now else "no cases in the period")
    stage = found.get("stage")
    return found.assign(stage=stage, why=why.where(found["value"].isna()), **named)


def of_team(ledger: Ledger, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    """`COLUMNS` for the team, then for the reps; metrics in the order of the register."""
    table = answers(everybody(ledger, first, last))
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
    own = answers(each(ledger, [rep_id], first, last), register)
    own = own.assign(scope="rep", rep_id=rep_id)
    others = peers(ledger.team, rep_id, first, last)
    if len(others) >= PEERS:
        typical = _typical(ledger, rep_id, others, first, last, register)
        typical = typical.assign(scope="typical", rep_id=None)
        own = pd.concat([own, typical], ignore_index=True)
    own["rep_id"] = own["rep_id"].astype("str")
    order = {metric.name: place for place, metric in enumerate(REGISTER)}
    stages = {stage: place for place, stage in enumerate(ledger.team.stages)}
    places = own["metric"].map(order) * 1000 + own["stage"].map(stages).fillna(0).astype(float)
    return own.loc[places.sort_values(kind="stable").index, COLUMNS].reset_index(drop=True)


def _typical(
    ledger: Ledger,
    rep_id: str,
    others: list[str],
    first: pd.Timestamp,
    last: pd.Timestamp,
    register: tuple[Metric, ...],
) -> pd.DataFrame:
    """The metrics of these reps together; of amounts and counts the median of the reps."""
    register = tuple(metric for metric in register if ledger.team.has(*metric.needs))
    of_hires = tuple(metric for metric in register if metric.is_of_hires)
    register = tuple(metric for metric in register if not metric.is_of_hires)
    summed = tuple(metric for metric in register if metric.unit in SUMMED)
    found = answers(together(ledger, others, first, last), register)
    values = answers(each(ledger, others, first, last), summed).groupby("metric")["value"]
    is_summed = found["unit"].isin(SUMMED)
    for column, per_rep in (("value", values.median()), ("n", values.count().astype(float))):
        found[column] = found[column].mask(is_summed, found["metric"].map(per_rep))
    found["why"] = found["why"].where(found["value"].isna())
    if not of_hires:
        return found
    return pd.concat([found, _of_hires(ledger, rep_id, of_hires, first, last)])


def _of_hires(
    ledger: Ledger,
    rep_id: str,
    register: tuple[Metric, ...],
    first: pd.Timestamp,
    last: pd.Timestamp,
) -> pd.DataFrame:
    """Metrics of new hires for all other reps; nothing if there are too few to hide a person."""
    others = sorted(set(ledger.team.reps["rep_id"]) - {rep_id})
    found = answers(together(ledger, others, first, last), register)
    is_few = found["n"] < PEERS
    found[VALUES] = found[VALUES].mask(is_few)
    found["why"] = found["why"].mask(is_few, f"fewer than {PEERS} other hires")
    return found.assign(n=found["n"].mask(is_few, 0.0))
