"""What the company wants of each product in a time: goals by the days that fall into it."""

import pandas as pd

from salesnb.language import say
from salesnb.team import Team


def wanted(team: Team, first: pd.Timestamp, last: pd.Timestamp) -> pd.Series:
    """The goal amount of each product between two days, both within; by product_id, in order.

    A goal counts by the share of its days that fall into the time. Products without one: 0.
    """
    goals = team.goals
    begins = goals["starts_on"].where(goals["starts_on"] > first, first)
    ends = goals["ends_on"].where(goals["ends_on"] < last, last)
    days = ((ends - begins).dt.days + 1).clip(lower=0)
    length = (goals["ends_on"] - goals["starts_on"]).dt.days + 1
    amount = (goals["amount"] * days / length).groupby(goals["product_id"]).sum()
    products = pd.Index(sorted(team.products["product_id"]), dtype="str", name="product_id")
    return amount.reindex(products, fill_value=0.0).astype(float)


def role_in_words(role: str) -> str:
    """``role_in_words("loss_leader")`` is ``"loss leader"``."""
    return say(role).replace("_", " ")


def labels(products: pd.DataFrame) -> list[str]:
    """Names for a picture, each with the role of the product: ``"Starter (loss leader)"``."""
    roles = products["role"].fillna("").map(role_in_words)
    return [
        f"{name} ({role})" if role else name
        for name, role in zip(products["name"], roles, strict=True)
    ]
