"""The deals of a team as an outlook sees them: what is open, and how earlier ones went."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from salesnb.metrics.presence import is_here
from salesnb.once import once
from salesnb.outlook import paths
from salesnb.outlook.paths import Ways
from salesnb.team import Team
from salesnb.visits import settled, visits
from salesnb.weekly import DAY

YEAR = 365  # days whose deals tell what a new one is worth
OWN_AMOUNTS = 20  # own deals at which a rep's new ones are as often like the own as like others'
ENDS = {"advanced": paths.GOES_ON, "won": paths.GOES_ON, "lost": paths.LOST}


@dataclass(frozen=True, eq=False)
class Book:
    """The deals of a team, and who of its reps has them.

    deals : settled, in order of id; with `rep` (code, -1 for who is not on the team any more) and
        `size` (log amount against the usual one, 0 where unknown)
    rep_id : those on the team on `as_of` who have had deals or booked meetings, in order
    usual_amount : the median of all deals
    """

    team: Team
    deals: pd.DataFrame
    rep_id: pd.Index
    usual_amount: float

    @property
    def n_stages(self) -> int:
        """How many stages visits tell of; without a stage history there is one."""
        return len(self.team.stages) if self.team.has("stage_changes") else 1

    @cached_property
    def visits(self) -> pd.DataFrame:
        """Visits to stages: deal_id, rep, stage (rank), days, event (0 not over), size.

        Without a stage history, one visit per deal from its creation to its close.
        """
        if self.team.has("stage_changes"):
            rows = visits(self.team)
            stage, days = rows["stage"].cat.codes, rows["days"].fillna(0)
        else:
            rows = self.deals
            stage = pd.Series(0, index=rows.index)
            days = (rows["closed_on"].fillna(self.team.as_of) - rows["created_on"]).dt.days
        size = self.deals.set_index("deal_id")["size"].reindex(rows["deal_id"])
        return pd.DataFrame(
            {
                "deal_id": rows["deal_id"].to_numpy(),
                "rep": self.rep_id.get_indexer(pd.Index(rows["rep_id"])),
                "stage": stage.to_numpy(int),
                "days": days.to_numpy(float),
                "event": rows["outcome"].map(ENDS).fillna(0).to_numpy(int),
                "size": size.fillna(0).to_numpy(float),
            }
        )

    @cached_property
    def open(self) -> pd.DataFrame:
        """Open deals of these reps: rep, `stage` (rank), `waited` (days in it), size, amount."""
        deals = self.deals[self.deals["outcome"].isna() & (self.deals["rep"] >= 0)]
        here = self.visits[self.visits["event"] == 0].drop_duplicates("deal_id", keep="last")
        found = deals.merge(here[["deal_id", "stage", "days"]], on="deal_id", how="left")
        age = (self.team.as_of - found["created_on"]).dt.days
        return pd.DataFrame(
            {
                "rep": found["rep"],
                "stage": found["stage"].fillna(0).astype(int),
                "waited": found["days"].fillna(age).astype(float),
                "size": found["size"],
                "amount": found["amount"].fillna(0.0),
            }
        )

    @cached_property
    def ways(self) -> Ways:
        """What became of visits so far."""
        seen = self.visits
        stage, days, event, rep, size = (
            seen[name].to_numpy() for name in ("stage", "days", "event", "rep", "size")
        )
        return paths.learn(stage, days, event, rep, size, (len(self.rep_id), self.n_stages))

    @cached_property
    def _new_amounts(self) -> tuple[np.ndarray, list[np.ndarray]]:
        """Amounts of the deals created in the last year: everybody's, and each rep's own."""
        since = self.team.as_of - YEAR * DAY
        rows = self.deals[(self.deals["created_on"] > since) & (self.deals["amount"] > 0)]
        rows = rows.sort_values(["rep", "amount"])
        amount, rep = rows["amount"].to_numpy(float), rows["rep"].to_numpy()
        ends = np.searchsorted(rep, np.arange(len(self.rep_id) + 1))
        own = np.split(amount, ends)[1:-1]
        return np.sort(amount), own

    def amounts(self, rep: int, n: int, dice: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Amount and `size` of `n` new deals of a rep: like own ones of the last year, or others'.

        The fewer the own ones, the more often like anybody's.
        """
        everybody, own = self._new_amounts[0], self._new_amounts[1][rep]
        if not len(everybody):
            return np.zeros(n), np.zeros(n)
        amount = everybody[dice.integers(0, len(everybody), n)]
        if len(own):
            is_own = dice.random(n) < len(own) / (len(own) + OWN_AMOUNTS)
            amount = np.where(is_own, own[dice.integers(0, len(own), n)], amount)
        return amount, np.log(amount / self.usual_amount)


@once
def book(team: Team) -> Book:
    """The deals of a team, with who of its reps has them or books meetings."""
    reps, activities = team.reps, team.activities
    meets = activities.loc[activities["kind"] == "meeting", "rep_id"].unique()
    sells = reps["rep_id"].isin([*team.deals["rep_id"].unique(), *meets])
    rep_id = pd.Index(reps.loc[is_here(team) & sells, "rep_id"].sort_values(), dtype="str")
    deals = settled(team).sort_values("deal_id", ignore_index=True)
    known = deals["amount"].where(deals["amount"] > 0)
    usual = float(known.median()) if known.notna().any() else 1.0
    rep = rep_id.get_indexer(pd.Index(deals["rep_id"]))
    return Book(team, deals.assign(rep=rep, size=np.log(known / usual).fillna(0.0)), rep_id, usual)
