"""What was sold of each product, and what it left as margin: what goals and pay share."""

import pandas as pd

from salesnb.history import among, look_up
from salesnb.once import once
from salesnb.team import Team
from salesnb.visits import settled

COLUMNS = ["deal_id", "rep_id", "account_id", "closed_on", "product_id", "net_amount"]


@once
def lines(team: Team) -> pd.DataFrame:
    """What was won, one row per deal and product, in order of these.

    The net amounts of a deal's lines, or its own amount and product where it has none.

    Returns
    -------
    DataFrame
        deal_id, rep_id, account_id, closed_on : of the deal; the rep who owns it
        product_id : blank where it is not recorded
        net_amount : blank where no amount is recorded
        role, margin_rate : of the product, as far as recorded
        margin_amount : net_amount x margin_rate
    """
    deals = settled(team)
    deals = deals[(deals["outcome"] == "won") & deals["closed_on"].notna()]
    listed = team.deal_lines.dropna(subset="net_amount")
    by = listed.groupby(["deal_id", "product_id"])
    listed = by["net_amount"].sum().reset_index()
    found = deals[COLUMNS[:4]].merge(listed, on="deal_id")
    bare = deals[~among(deals["deal_id"], listed["deal_id"])]
    bare = bare.rename(columns={"amount": "net_amount"})[COLUMNS]
    table = pd.concat([found[COLUMNS], bare], ignore_index=True)
    products = team.products.set_index("product_id")
    for column in ("role", "margin_rate"):
        table[column] = look_up(table["product_id"], products[column])
    table["margin_amount"] = table["net_amount"] * table["margin_rate"]
    return table.sort_values(["deal_id", "product_id"], ignore_index=True)


def within(rows: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    """The rows won between two days, both within."""
    return rows[rows["closed_on"].between(first, last)]
