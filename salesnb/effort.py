"""How much time goes into each deal and product: what goals and pay share.

Recorded minutes count as recorded. What took place without them counts as long as its kind
usually takes (`USUAL`); what did not take place counts for nothing.
"""

from dataclasses import dataclass

import pandas as pd

from salesnb.history import look_up
from salesnb.language import say
from salesnb.once import once
from salesnb.team import Team
from salesnb.units import percent

USUAL = {"call": 5.0, "email": 10.0, "meeting": 45.0, "demo": 60.0, "proposal": 120.0}  # minutes
NEVER = ("no_show", "cancelled", "rescheduled", "no_answer")


@dataclass(frozen=True, eq=False)
class Effort:
    """Hours by deal and product, and how much of all activity they are.

    rows : deal_id, product_id, rep_id, hours, n (activities; parts of one where a deal holds
        several products)
    told : share of all activities of the time that name a deal
    """

    rows: pd.DataFrame
    told: float

    @property
    def caveat(self) -> str:
        """What the reader must know of it."""
        return say(
            "{share} of activities name a deal, only they count; emails count as 10 minutes, "
            "proposals as two hours.",
            share=percent(self.told),
        )


@once
def effort(team: Team, first: pd.Timestamp, last: pd.Timestamp) -> Effort:
    """The hours between two days, both within, that went into deals with a known product."""
    rows = team.activities
    rows = rows[(rows["happens_at"] >= first) & (rows["happens_at"] < last + pd.Timedelta(days=1))]
    on_deals = rows.dropna(subset="deal_id")
    usual = on_deals["kind"].map(USUAL).astype(float).mask(on_deals["outcome"].isin(NEVER), 0.0)
    on_deals = on_deals.assign(hours=on_deals["minutes"].fillna(usual) / 60, n=1.0)
    by_deal = on_deals.groupby(["deal_id", "rep_id"])[["hours", "n"]].sum().reset_index()
    found = by_deal.merge(_products(team), on="deal_id")
    for column in ("hours", "n"):
        found[column] *= found["part"]
    found = found.sort_values(["deal_id", "product_id", "rep_id"], ignore_index=True)
    told = len(on_deals) / len(rows) if len(rows) else float("nan")
    return Effort(found[["deal_id", "product_id", "rep_id", "hours", "n"]], told)


def _products(team: Team) -> pd.DataFrame:
    """Which part of each deal is which product: by the amounts of its lines, else its own."""
    lines = team.deal_lines.assign(part=team.deal_lines["net_amount"])
    lines = lines[lines["part"] > 0].groupby(["deal_id", "product_id"])["part"].sum().reset_index()
    lines["part"] /= lines.groupby("deal_id")["part"].transform("sum")
    deals = team.deals[["deal_id", "product_id"]].dropna().assign(part=1.0)
    has_lines = look_up(deals["deal_id"], lines.groupby("deal_id")["part"].sum()).notna()
    return pd.concat([lines, deals[~has_lines]], ignore_index=True)
