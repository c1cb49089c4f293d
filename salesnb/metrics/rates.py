"""Metrics of deals won and lost: each function is one definition, its docstring says which."""

import numpy as np
import pandas as pd

from salesnb import stats
from salesnb.language import say
from salesnb.metrics import tally
from salesnb.metrics.view import View

WON_WITHIN = 90


def win_rate(view: View) -> pd.DataFrame:
    """Deals won / (won + lost), of the deals closed in the period.

    Counts deals, not amounts; open deals are in neither number.
    """
    return tally.share(view, view.closed, view.closed["outcome"] == "won")


def cohort_win_rate(view: View) -> pd.DataFrame:
    """Deals won so far / deals created, of the deals created in the period.

    Reads low while many of them are still open: see `cohort_open_share`.
    """
    return tally.share(view, view.created, view.created["outcome"] == "won")


def cohort_open_share(view: View) -> pd.DataFrame:
    """Deals still open / deals created, of the deals created in the period."""
    return tally.share(view, view.created, view.created["outcome"].isna())


def won_within_90_days(view: View) -> pd.DataFrame:
    """The win curve at day 90: share of the deals created in the period won within 90 days.

    Cumulative incidence (Aalen and Johansen 1978): open deals are censored at their age, losing
    is the competing event.
    """
    rows, labels = view.created, view.labels()
    event = np.select([rows["outcome"] == "won", rows["outcome"] == "lost"], [1, 2])
    curve = stats.incidence(rows["days"].to_numpy(), event, view.codes(rows))
    return labels.join(stats.incidence_by(curve, len(labels), WON_WITHIN))


def value_win_rate(view: View) -> pd.DataFrame:
    """Amount won / (amount won + amount lost), of the deals closed in the period.

    Deals without an amount are left out; unknown where all won or all lost deals lack theirs.
    """
    deals = view.closed
    found = tally.share(view, deals, deals["outcome"] == "won", weight=deals["amount"])
    is_blind = pd.Series(False, index=found.index)
    for _, rows in deals.groupby("outcome"):
        is_blind |= ~(
            tally.total(view, rows, rows["amount"].where(rows["amount"] > 0))["value"] >= 0
        )
    values = ["value", "value_low", "value_high"]
    found[values] = found[values].mask(is_blind)
    return found.assign(why=np.where(is_blind, say("won or lost deals have no amounts"), ""))


def n_won(view: View) -> pd.DataFrame:
    """Number of deals won in the period."""
    return tally.number(view, view.won)


def won_amount(view: View) -> pd.DataFrame:
    """Sum of the amounts of the deals won in the period."""
    return tally.total(view, view.won, view.won["amount"])


def average_won_amount(view: View) -> pd.DataFrame:
    """Amount won / deals won in the period, of the deals with an amount."""
    found = won_amount(view)
    return found.assign(value=found["value"] / found["n"].where(found["n"] > 0))


def won_lines(view: View) -> pd.DataFrame:
    """The product lines of the deals won in the period, each deal's product once."""
    deals = view.won[["deal_id", "scope"]]
    return deals.merge(view.team.deal_lines, on="deal_id")


def discount_rate(view: View) -> pd.DataFrame:
    """1 - sum of net amounts / sum of list amounts, of the lines of deals won in the period.

    Weighted by amount, not a mean of ratios; lines without both amounts are left out. The
    interval is that of a ratio of sums (Cochran 1977, section 6.4), deals being the cases.
    """
    lines = won_lines(view).dropna(subset=["list_amount", "net_amount"])
    deals = lines.groupby(["scope", "deal_id"], as_index=False)[["list_amount", "net_amount"]].sum()
    listed = tally.total(view, deals, deals["list_amount"])
    net = tally.total(view, deals, deals["net_amount"])
    found = tally.ratio(net, listed)
    paid = found["value"].to_numpy()
    off = deals["net_amount"] - paid[deals["scope"]] * deals["list_amount"]
    squares = tally.total(view, deals, off**2)["value"]
    n = found["n"].where(found["n"] > 1)
    half = stats.z() * np.sqrt(squares * n / (n - 1)) / listed["value"]
    return found.assign(value=1 - paid, value_low=1 - paid - half, value_high=1 - paid + half)


def multi_product_share(view: View) -> pd.DataFrame:
    """Won deals with two or more products / won deals with product lines, in the period.

    For one product with another, see `metrics.attach`.
    """
    lines = won_lines(view)
    n_products = lines.groupby(["scope", "deal_id"])["product_id"].nunique()
    deals = n_products.rename("n_products").reset_index()
    return tally.share(view, deals, deals["n_products"] > 1)
