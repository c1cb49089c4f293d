"""Stage visits: how each deal went through the stages, one row per deal and stage reached.

The conventions, in one place for every finding that counts stages:

- A deal has *reached* a stage if its furthest open stage ranks at or after it, or it was won; a
  stage reached without an entry of its own was skipped. The first entry counts, all visits' days
  add up.
- A stage change dated after the close means that the deal was reopened: the old close is
  superseded, and the deal is open.
- A move is credited to the rep who owned the deal when it moved, a loss or a stay to the owner.
- A deal without any stage change was in the first stage since it was created, if it was created
  after the log began; before that nothing is known of its stages, and it has no visits.
"""

import numpy as np
import pandas as pd

from salesnb.history import look_up
from salesnb.once import once
from salesnb.team import Team

COLUMNS = ["deal_id", "rep_id", "stage", "outcome", "days", "entered_at", "left_at"]
COLUMNS += ["is_skipped", "is_reopened", "account_id", "segment", "source", "product_id"]
COLUMNS += ["competitor", "amount", "tenure_months"]
DAYS_A_MONTH = 365.25 / 12


def visits(team: Team) -> pd.DataFrame:
    """One row per deal and stage reached, in order of deal and stage.

    Returns
    -------
    DataFrame
        deal_id, rep_id : the deal, and the rep to whom this stage's result is credited
        stage : categorical, in the team's order
        outcome : ``advanced`` (to a later stage, or won from the last), ``lost`` or ``open``
        days : days spent in the stage over all visits, up to `team.as_of`; NaN if skipped
        entered_at, left_at : first entry (NaT if skipped); NaT `left_at` while open
        is_skipped, is_reopened : flags
        account_id, segment, source, product_id, competitor, amount : of the deal
        tenure_months : of that rep on entering; NaN where `hired_on` is not known

    Raises
    ------
    DataError
        The team has no stage history.
    """
    team.need("stage_changes", why="the way of deals through the stages")
    return _visits(team).copy(deep=False)


@once
def _visits(team: Team) -> pd.DataFrame:
    deals, changes = settled(team), team.stage_changes
    # Numbers in the order of the ids: text is slow to look up.
    names = pd.Index(deals["deal_id"]).sort_values()
    for table in (deals, changes):
        table["deal"] = names.get_indexer(pd.Index(table["deal_id"]))
    changes = _in_order(changes, team.stages)
    deals = _furthest(deals, changes, len(team.stages))
    stages = range(max(1, len(team.stages)))  # a team without stages has no visits, but columns
    found = pd.concat([_of_stage(rank, team, deals, changes) for rank in stages])
    found["stage"] = pd.Categorical(found["stage"], categories=list(team.stages), ordered=True)
    found["tenure_months"] = _tenure(team, found)
    return found.sort_values(["deal", "stage"], ignore_index=True)[COLUMNS]


def settled(team: Team) -> pd.DataFrame:
    """The deals as they stand: a reopened deal is open, its old close superseded.

    Adds ``is_reopened``. Where the days are made up, that of creation is blank: no span is known.
    """
    deals = team.deals
    if not team.settings.is_dated:
        deals["created_on"] = pd.NaT
        deals = deals.astype({"created_on": "datetime64[us]"})
    last = team.stage_changes.groupby("deal_id")["entered_at"].max().dt.normalize()
    deals["is_reopened"] = look_up(deals["deal_id"], last) > deals["closed_on"]
    for column in ("closed_on", "outcome", "lost_reason"):
        deals[column] = deals[column].mask(deals["is_reopened"])
    return deals


def _in_order(changes: pd.DataFrame, stages: tuple[str, ...]) -> pd.DataFrame:
    """Stage changes in order of time, with their rank and when the next visit began."""
    changes["rank"] = changes["stage"].map({s: i for i, s in enumerate(stages)}).astype(float)
    changes = changes.sort_values(["deal", "entered_at", "rank"], ignore_index=True)
    changes["next_at"] = changes.groupby("deal")["entered_at"].shift(-1)
    return changes


def _furthest(deals: pd.DataFrame, changes: pd.DataFrame, n_stages: int) -> pd.DataFrame:
    """Deals with the rank of their furthest stage; the number of stages where won."""
    furthest = look_up(deals["deal"], changes.groupby("deal")["rank"].max())
    log_began = changes["entered_at"].dt.normalize().min()
    is_unlogged = furthest.isna() & (deals["created_on"] >= log_began)
    furthest = furthest.mask(is_unlogged, 0)
    is_won = (deals["outcome"] == "won") & furthest.notna()
    return deals.assign(furthest=furthest.mask(is_won, n_stages), is_unlogged=is_unlogged).dropna(
        subset="furthest"
    )


def _of_stage(rank: int, team: Team, deals: pd.DataFrame, changes: pd.DataFrame) -> pd.DataFrame:
    """The visits of one stage."""
    reached = deals[deals["furthest"] >= rank].copy(deep=False)
    own = changes[changes["rank"] == rank]
    beyond = changes[changes["rank"] > rank].drop_duplicates("deal").set_index("deal")
    ids = reached["deal"]
    first = own.drop_duplicates("deal").set_index("deal")["entered_at"]
    reached["entered_at"] = look_up(ids, first)
    if rank == 0:
        created = reached["created_on"].where(reached["is_unlogged"])
        reached["entered_at"] = reached["entered_at"].fillna(created)
    has_advanced = reached["furthest"] > rank
    reached["outcome"] = np.where(has_advanced, "advanced", reached["outcome"].fillna("open"))
    reached["left_at"] = look_up(ids, beyond["entered_at"]).fillna(reached["closed_on"])
    reached["rep_id"] = look_up(ids, beyond["rep_id"]).fillna(reached["rep_id"])
    reached["is_skipped"] = reached["entered_at"].isna()
    reached["days"] = _days(reached, own, team.as_of)
    reached["stage"] = team.stages[rank] if team.stages else ""
    return reached


def _days(reached: pd.DataFrame, own: pd.DataFrame, as_of: pd.Timestamp) -> pd.Series:
    """Days in a stage, all visits added up; a visit ends with the next, the close or `as_of`."""
    closed = look_up(own["deal"], reached.set_index("deal")["closed_on"])
    end = own["next_at"].fillna(closed).fillna(as_of).dt.normalize()
    spent = (end - own["entered_at"].dt.normalize()).dt.days.clip(lower=0)
    logged = look_up(reached["deal"], spent.groupby(own["deal"]).sum())
    since = (reached["closed_on"].fillna(as_of) - reached["entered_at"].dt.normalize()).dt.days
    return logged.fillna(since.clip(lower=0)).astype(float)


def _tenure(team: Team, found: pd.DataFrame) -> pd.Series:
    hired = look_up(found["rep_id"], team.reps.set_index("rep_id")["hired_on"])
    entered = found["entered_at"].fillna(found["left_at"])
    return ((entered - hired).dt.days / DAYS_A_MONTH).clip(lower=0)
