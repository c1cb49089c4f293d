"""The deals of a team as an outlook sees them: what is open, and how earlier ones went."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb.metrics.presence import is_here
from salesnb.once import once_here
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

    @property
    def visits(self) -> pd.DataFrame:
        """Visits to stages: deal_id, rep, stage (rank), days, event (0 not over), size.

        Without a stage history, one visit per deal from its creation to its close.
        """
        return _seen(self.team)

    @property
    def open(self) -> pd.DataFrame:
        """Open deals of these reps: rep, `stage` (rank), `waited` (days in it), size, amount."""
        return _open(self.team)

    @property
    def ways(self) -> Ways:
        """What became of visits so far."""
        return _ways(self.team)

    def amounts(self, rep: int, n: int, dice: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Amount and `size` of `n` new deals of a rep: like own ones of the last year, or others'.

        The fewer the own ones, the more often like anybody's.
        """
        everybody, of_each = _new_amounts(self.team)
        own = of_each[rep]
        if not len(everybody):
            return np.zeros(n), np.zeros(n)
        amount = everybody[dice.integers(0, len(everybody), n)]
        if len(own):
            is_own = dice.random(n) < len(own) / (len(own) + OWN_AMOUNTS)
            amount = np.where(is_own, own[dice.integers(0, len(own), n)], amount)
        return amount, np.log(amount / self.usual_amount)


@once_here
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


@once_here
def _seen(team: Team) -> pd.DataFrame:
    deals, rep_id = book(team).deals, book(team).rep_id
    if team.has("stage_changes"):
        rows = visits(team)
        stage, days = rows["stage"].cat.codes, rows["days"].fillna(0)
    else:
        rows = deals
        stage = pd.Series(0, index=rows.index)
        days = (rows["closed_on"].fillna(team.as_of) - rows["created_on"]).dt.days
    size = deals.set_index("deal_id")["size"].reindex(rows["deal_id"])
    return pd.DataFrame(
        {
            "deal_id": rows["deal_id"].to_numpy(),
            "rep": rep_id.get_indexer(pd.Index(rows["rep_id"])),
            "stage": stage.to_numpy(int),
            "days": days.to_numpy(float),
            "event": rows["outcome"].map(ENDS).fillna(0).to_numpy(int),
            "size": size.fillna(0).to_numpy(float),
        }
    )


@once_here
def _open(team: Team) -> pd.DataFrame:
    deals = book(team).deals
    deals = deals[deals["outcome"].isna() & (deals["rep"] >= 0)]
    seen = _seen(team)
    here = seen[seen["event"] == 0].drop_duplicates("deal_id", keep="last")
    found = deals.merge(here[["deal_id", "stage", "days"]], on="deal_id", how="left")
    age = (team.as_of - found["created_on"]).dt.days
    return pd.DataFrame(
        {
            "rep": found["rep"],
            "stage": found["stage"].fillna(0).astype(int),
            "waited": found["days"].fillna(age).astype(float),
            "size": found["size"],
            "amount": found["amount"].fillna(0.0),
        }
    )


@once_here
def _ways(team: Team) -> Ways:
    seen, known = _seen(team), book(team)
    stage, days, event, rep, size = (
        seen[name].to_numpy() for name in ("stage", "days", "event", "rep", "size")
    )
    return paths.learn(stage, days, event, rep, size, (len(known.rep_id), known.n_stages))


@once_here
def _new_amounts(team: Team) -> tuple[np.ndarray, list[np.ndarray]]:
    """Amounts of the deals created in the last year: everybody's, and each rep's own."""
    deals, n = book(team).deals, len(book(team).rep_id)
    rows = deals[(deals["created_on"] > team.as_of - YEAR * DAY) & (deals["amount"] > 0)]
    rows = rows.sort_values(["rep", "amount"])
    amount, rep = rows["amount"].to_numpy(float), rows["rep"].to_numpy()
    own = np.split(amount, np.searchsorted(rep, np.arange(n + 1)))[1:-1]
    return np.sort(amount), own
