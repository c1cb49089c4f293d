"""The rows behind a figure as people read them: deals, visits of a stage, activities."""

import pandas as pd

from salesnb.history import look_up
from salesnb.once import once
from salesnb.team import Team
from salesnb.visits import settled

DEALS = ["deal_id", "account", "product", "rep_id", "amount", "created_on", "closed_on"]
DEALS += ["age_days", "outcome", "lost_reason"]
VISITS = ["deal_id", "account", "product", "rep_id", "stage", "amount", "entered_at", "left_at"]
VISITS += ["stage_days", "outcome"]
OF_COLLEAGUES = "Behind a typical rep's figure stand rows of colleagues: they are not shown."


@once
def known(team: Team) -> pd.DataFrame:
    """Every deal as it stands, with its account and product in words and its age.

    Adds `account` (its name where recorded, else its id), `product` and `age_days` (created to
    closed, or to now).
    """
    deals = settled(team)
    accounts, products = team.accounts, team.products
    names = accounts["name"] if "name" in accounts else accounts["account_id"]
    named = pd.Series(names.to_numpy(), index=accounts["account_id"], dtype="str")
    deals["account"] = look_up(deals["account_id"], named).fillna(deals["account_id"])
    deals["product"] = look_up(deals["product_id"], products.set_index("product_id")["name"])
    end = deals["closed_on"].fillna(team.as_of)
    deals["age_days"] = (end - deals["created_on"]).dt.days.astype(float)
    return deals


def deals(team: Team, rows: pd.DataFrame, *more: str) -> pd.DataFrame:
    """The deals of some rows, as they stand, in the order of the rows.

    `rows` have a deal_id; `more` are columns of theirs that stand beside. One row each: `DEALS`,
    of which age_days is counted from creation to the close or to now.
    """
    found = known(team).set_index("deal_id").reindex(rows["deal_id"]).reset_index()
    return found[DEALS].assign(**{name: rows[name].to_numpy() for name in more})


def visits(team: Team, rows: pd.DataFrame) -> pd.DataFrame:
    """Visits of a stage, with the deal in words, in the order of the rows: `VISITS`.

    The rep is the one to whom the visit is credited; stage_days are those in the stage, and the
    outcome is that of the visit: ``advanced``, ``lost`` or ``open``.
    """
    deal = deals(team, rows)
    own = rows.rename(columns={"days": "stage_days"}).reset_index(drop=True)
    own = own.assign(account=deal["account"], product=deal["product"])
    return own.astype({"stage": "str"})[VISITS]


def activities(team: Team, rows: pd.DataFrame) -> pd.DataFrame:
    """The activities as they are on record; `rows` hold their place in the table as `row`."""
    return team.activities.iloc[rows["row"].to_numpy(int)].reset_index(drop=True)
