"""What stands out for one rep, and the deals that show it: what the topics on people share."""

from dataclasses import dataclass
from functools import cached_property
from zlib import crc32

import numpy as np
import pandas as pd
from scipy import special

from salesnb import leaks, schema, stats
from salesnb.behind import known
from salesnb.by_rep import ByRep, by_rep
from salesnb.language import say
from salesnb.metrics import pipeline
from salesnb.metrics.answers import PEERS
from salesnb.metrics.ledger import ledger
from salesnb.metrics.view import View
from salesnb.once import once, once_here
from salesnb.team import Team
from salesnb.units import money
from salesnb.visits import visits

YEAR = pd.Timedelta(days=365)  # how far back people remember a deal
FIRM = ("act", "look")  # tiers that are separated from chance
KNOWN = ["account", "product", "outcome", "created_on", "closed_on", "age_days"]
FAR = 5.0  # amounts this many factors of e apart, or unknown, are not alike at all
TRAITS = ("segment", "product_id", "source", "competitor")


@dataclass(frozen=True, eq=False)
class Standout:
    """One rep against the typical rep on the same deals, and this rep's own deals."""

    team: Team
    rep_id: str

    @property
    def name(self) -> str:
        """The rep's name."""
        reps = self.team.reps
        return str(reps.loc[reps["rep_id"] == self.rep_id, "name"].iloc[0])

    @cached_property
    def cells(self) -> pd.DataFrame:
        """The rep's row of `leaks.cells` for each stage, in the order of the stages.

        No typical rate where there are too few others to hide a person.
        """
        cells = _cells(self.team)
        own = cells.of(self.rep_id)
        if len(cells.starts) <= PEERS:
            # Beside one or two colleagues the typical rep would be a person.
            own = own.assign(typical_rate=np.nan)
        return own.assign(stage=own["stage"].astype("str")).reset_index(drop=True)

    @cached_property
    def leak(self) -> pd.Series | None:
        """The cell to work on: the largest in money of those separated from chance.

        Where there is none, the most probable of those worth watching; else None.
        """
        firm = self.cells[self.cells["tier"].isin(FIRM)]
        if len(firm):
            return firm.sort_values("lost_amount", ascending=False, kind="stable").iloc[0]
        watch = self.cells[self.cells["tier"] == "watch"]
        by = watch.sort_values("leak_probability", ascending=False, kind="stable")
        return by.iloc[0] if len(by) else None

    @property
    def is_firm(self) -> bool:
        """Whether the leak, if any, is separated from chance."""
        return self.leak is not None and self.leak["tier"] in FIRM

    @property
    def turn(self) -> int:
        """A number that moves on by one each month and starts elsewhere for each rep."""
        return self.team.as_of.year * 12 + self.team.as_of.month + crc32(self.rep_id.encode())

    @cached_property
    def strengths(self) -> pd.DataFrame:
        """The cells of stages where more deals move on than expected, separated from chance."""
        return self.cells[self.cells["strength_tier"].isin(FIRM)]

    @property
    def is_new(self) -> bool:
        """Whether the rep has no deals at all yet."""
        return self.deals.empty and self.visits.empty

    @property
    def has_history(self) -> bool:
        """Whether it is on record which stages deals went through."""
        return self.team.has("stage_changes")

    @property
    def can_say(self) -> bool:
        """Whether there are enough deals at any stage to tell skill from chance."""
        return bool(len(self.cells)) and not (self.cells["tier"] == "too_few").all()

    @cached_property
    def deals(self) -> pd.DataFrame:
        """The deals that this rep owns now, as they stand, the latest first."""
        found = _deals(self.team).of(self.rep_id)
        return found.sort_values(["created_on", "deal_id"], ascending=[False, True])

    @cached_property
    def visits(self) -> pd.DataFrame:
        """The stage visits credited to this rep, `went` saying how they ended.

        The columns of `visits.visits` and those of `known`, `outcome` being that of the deal.
        """
        own = _visits(self.team).of(self.rep_id)
        return own.assign(stage=own["stage"].astype("str"))

    @cached_property
    def last_visits(self) -> pd.DataFrame:
        """One row per deal the rep owns or moved: the last stage it reached with this rep."""
        return self.visits.drop_duplicates("deal_id", keep="last")

    def at(self, stage: str, went: str) -> pd.DataFrame:
        """The rep's visits of a stage that went so in the last year, or ever if none did.

        `went` is ``"advanced"``, ``"lost"`` or ``"open"``. Largest amount first.
        """
        found = self.visits[(self.visits["stage"] == stage) & (self.visits["went"] == went)]
        recent = found[~(found["left_at"] < self.team.as_of - YEAR)]
        return largest(recent if len(recent) else found)

    def wins(self, stage: str = "") -> pd.DataFrame:
        """The rep's won deals of the last year if there are any, else all; largest first.

        With a `stage`: those that this rep moved on from it.
        """
        won = self.deals[self.deals["outcome"] == "won"]
        if stage:
            at_stage = self.visits[self.visits["stage"] == stage]
            won = won[won["deal_id"].isin(at_stage["deal_id"])]
        recent = won[won["closed_on"] >= self.team.as_of - YEAR]
        return largest(recent if len(recent) else won)

    @property
    def has_recent_win(self) -> bool:
        """Whether a deal was won in the last year; not where the days are made up."""
        won = self.deals["outcome"] == "won"
        is_recent = won & (self.deals["closed_on"] >= self.team.as_of - YEAR)
        return self.team.settings.is_dated and bool(is_recent.any())

    @property
    def still_open(self) -> pd.DataFrame:
        """The rep's open deals, largest first."""
        return largest(self.deals[self.deals["outcome"].isna()])

    @property
    def losses(self) -> pd.DataFrame:
        """The rep's lost deals, the latest first; of one day the largest first."""
        lost = largest(self.deals[self.deals["outcome"] == "lost"])
        return lost.sort_values("closed_on", ascending=False, kind="stable", ignore_index=True)

    @cached_property
    def overdue(self) -> pd.DataFrame:
        """The rep's open deals whose expected close has passed, largest amount first."""
        deals = self.deals
        is_overdue = deals["outcome"].isna() & (deals["expected_close_on"] < self.team.as_of)
        return largest(deals[is_overdue])

    @cached_property
    def untouched(self) -> pd.DataFrame:
        """The rep's open deals without activity in 14 days and none booked ahead, largest first.

        With `silent_days` since the last one. As `metrics` counts them; none where no activity
        names its deal or account.
        """
        silent = self.deals["deal_id"].map(_untouched(self.team)).astype("float64")
        return largest(self.deals.assign(silent_days=silent).dropna(subset="silent_days"))


@once
def of(team: Team, rep: str) -> Standout:
    """What stands out for a rep, given by id or name; `DataError` if there is none."""
    return Standout(team, team.rep(rep))


def _with_log(team: Team) -> Team:
    """A team without stage history as one in which no deal was seen in any stage."""
    if team.has("stage_changes"):
        return team
    return Team(team.settings, {**team.tables, "stage_changes": schema.empty("stage_changes")})


@once_here
def _cells(team: Team) -> ByRep:
    return by_rep(leaks.cells(_with_log(team)))


@once_here
def _deals(team: Team) -> ByRep:
    return by_rep(known(team))


@once_here
def _visits(team: Team) -> ByRep:
    table = visits(_with_log(team)).rename(columns={"outcome": "went"})
    return by_rep(table.merge(known(team)[["deal_id", *KNOWN]], on="deal_id", how="left"))


@once
def _untouched(team: Team) -> dict[str, float]:
    """Days without contact of the open deals that have none; of no deal where none is named."""
    reps = team.reps["rep_id"]
    members = pd.DataFrame({"rep_id": reps, "scope": reps}, dtype="str")
    if not team.activities[["deal_id", "account_id"]].notna().any(axis=None):
        return {}
    view = View(ledger(team), members, team.as_of, team.as_of)
    rows = pipeline.untouched(view)
    rows = rows[rows["is_untouched"]]
    rows = rows.assign(last_on=pipeline.last_touched_on(view, rows))
    return dict(zip(rows["deal_id"], pipeline.silent_days(view, rows), strict=True))


def largest(deals: pd.DataFrame) -> pd.DataFrame:
    """Deals in order of amount, the largest first; ties by id."""
    return deals.sort_values(["amount", "deal_id"], ascending=[False, True], ignore_index=True)


def typical(stopped: pd.DataFrame) -> pd.DataFrame:
    """The deals of the kind that is most frequent among them: same segment, else same product."""
    for trait in ("segment", "product_id"):
        if stopped[trait].notna().any():
            usual = stopped[trait].mode().iloc[0]  # of equal ones the first in the alphabet
            return stopped[stopped[trait] == usual]
    return stopped


def alike(deal: pd.Series, others: pd.DataFrame) -> pd.DataFrame:
    """`others` in order of likeness to a deal: each shared trait counts as much as an amount
    nearer by a factor of e."""
    shared = sum((others[trait] == deal[trait]).astype(float) for trait in TRAITS)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.log(others["amount"] / deal["amount"]).abs().fillna(FAR).clip(upper=FAR)
    order = others.assign(likeness=(shared - distance).round(6))
    order = order.sort_values(["likeness", "deal_id"], ascending=[False, True], ignore_index=True)
    return order.drop(columns="likeness")


def labels(deals: pd.DataFrame, currency: str) -> pd.Series:
    """What people call these deals: ``Acme (Flow Core, €42,000)``; with the id where two would be
    the same."""
    account = deals["account"].astype("str").fillna(deals["deal_id"].map(_unnamed))
    amount = deals["amount"].map(lambda a: money(a, currency), na_action="ignore")
    known = pd.concat([deals["product"], amount], axis=1).astype(object)
    inside = known.apply(lambda row: ", ".join(row.dropna()), axis=1).astype("str")
    label = account + inside.map(lambda words: f" ({words})" if words else "")
    return label.mask(label.duplicated(keep=False), label + " " + deals["deal_id"])


def _unnamed(deal_id: str) -> str:
    return say("deal {deal_id}", deal_id=deal_id)


def p_of_change(table: pd.DataFrame) -> pd.Series:
    """How likely chance alone would set two numbers so far apart; NaN without intervals.

    From the interval of a difference by square-and-add (Newcombe 1998; Zou and Donner 2008) of
    the 90 % intervals of ``value`` and of ``then``.
    """
    gap = table["value"] - table["then"]
    up = np.hypot(table["value"] - table["value_low"], table["then_high"] - table["then"])
    down = np.hypot(table["value_high"] - table["value"], table["then"] - table["then_low"])
    half = np.where(gap > 0, up, down)
    return pd.Series(2 * special.ndtr(-gap.abs() / half * stats.z()), index=table.index)
