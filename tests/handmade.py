"""A team by hand, deal by deal, and cells as if they had been found in it."""

import pandas as pd

from salesnb.settings import Settings
from salesnb.team import Team, of

STAGES = ("Qualify", "Demo", "Offer")
AS_OF = pd.Timestamp("2026-06-30")
REPS = {"R1": "Ágnes Kiss", "R2": "Bob Braun", "R3": "Cili Nagy", "R4": "Dan Ito", "R5": "Eve New"}
CELL = {
    "n_visits": 80.0,
    "n_open": 5.0,
    "advance_rate": 0.60,
    "advance_low": 0.52,
    "advance_high": 0.68,
    "typical_rate": 0.61,
    "leak_probability": 0.05,
    "strength_probability": 0.05,
    "tier": "",
    "strength_tier": "",
    "lost_amount": -1_000.0,
    "lost_low": -9_000.0,
    "lost_high": 7_000.0,
    "is_upper_bound": False,
}


def deal(deal_id, rep, created, reached, outcome=None, **more):
    """A deal that spent ten days in each stage up to `reached`, then closed unless open."""
    return {"deal_id": deal_id, "rep_id": rep, "created_on": created} | {
        "reached": reached,
        "outcome": outcome,
        **more,
    }


def team_of(deals, stages=STAGES, as_of=AS_OF, without=(), **tables) -> Team:
    """The team of these deals, with its stage changes, accounts called by their id."""
    rows, changes = [], []
    for row in deals:
        row = dict(row)
        created = pd.Timestamp(row["created_on"])
        steps = stages[: stages.index(row.pop("reached")) + 1]
        for place, stage in enumerate(steps):
            entered = created + pd.Timedelta(days=10 * place)
            changes.append((row["deal_id"], stage, entered, row["rep_id"]))
        if row["outcome"]:
            row["closed_on"] = created + pd.Timedelta(days=10 * len(steps))
        rows.append(row)
    deals = pd.DataFrame(rows, columns=["deal_id", "rep_id", "created_on", *_further(rows)])
    tables = {
        "reps": pd.DataFrame({"rep_id": [*REPS], "name": [*REPS.values()]}),
        "deals": deals,
        "stage_changes": pd.DataFrame(
            changes, columns=["deal_id", "stage", "entered_at", "rep_id"]
        ),
        **tables,
    }
    if "account_id" in deals and "accounts" not in tables:
        tables["accounts"] = pd.DataFrame({"account_id": deals["account_id"].dropna().unique()})
    kept = {name: table for name, table in tables.items() if name not in without}
    return of(Settings(as_of=as_of, stages=stages), kept)


def cells(found, stages=STAGES, reps=("R1", "R2", "R3", "R4")) -> pd.DataFrame:
    """Cells in which nothing stands out but what is `found`: (rep, stage) to what differs."""
    rows = [
        {"rep_id": rep, "stage": stage} | CELL | found.get((rep, stage), {})
        for rep in reps
        for stage in stages
    ]
    return pd.DataFrame(rows)


def _further(rows):
    return list(dict.fromkeys(key for row in rows for key in row))[3:]
