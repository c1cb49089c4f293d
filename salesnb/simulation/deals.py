"""The tables of deals, as a CRM that was exported on `as_of` shows them."""

import numpy as np
import pandas as pd

from salesnb.simulation.clock import dates, stamps
from salesnb.simulation.market import Accounts, account_ids, product_ids
from salesnb.simulation.people import People
from salesnb.simulation.pipeline import Deals
from salesnb.simulation.plan import STAGES, Plan
from salesnb.simulation.words import ids, pick, spelled, words

REASONS = np.array(  # why a deal is lost, by stage, in the order of words.toml
    [
        [0.45, 0.05, 0.05, 0.20, 0.15, 0.10],
        [0.40, 0.08, 0.10, 0.15, 0.15, 0.12],
        [0.25, 0.10, 0.20, 0.10, 0.10, 0.25],
        [0.25, 0.25, 0.20, 0.12, 0.12, 0.06],
        [0.20, 0.35, 0.25, 0.10, 0.08, 0.02],
    ]
)
COMPETITOR_REASON = 2
DAYS_TO_CLOSE = np.array([70.0, 90.0, 120.0])  # what reps expect at first, by segment
PUSH, PUSHES, GIVES_UP = (28.0, 0.5), 12, 0.12


def deal_ids(n: int) -> list[str]:
    """The ids of `n` deals."""
    return ids("D", n, 5)


def closings(plan: Plan, deals: Deals, visits: pd.DataFrame) -> pd.DataFrame:
    """One row per deal, in order: where its story stands on `as_of`.

    stage : of the last visit; closed : moment, NaN while open; is_won
    """
    known = visits[visits["entered"] < plan.n_days]
    last = known.sort_values(["spell", "stage"], kind="stable").drop_duplicates("deal", keep="last")
    last = last.set_index("deal").reindex(range(deals.n))
    is_closed = last["left"] < plan.n_days
    is_won = last["is_advance"].to_numpy(bool) & is_closed
    return pd.DataFrame(
        {"stage": last["stage"], "closed": last["left"].where(is_closed), "is_won": is_won}
    )


def deals_table(
    plan: Plan, who: People, firms: Accounts, deals: Deals, ends: pd.DataFrame, due: np.ndarray
) -> pd.DataFrame:
    """The table `deals`; `due` is the expected close of each deal as last set."""
    dice, market = plan.dice("deals table"), words()["market"]
    closed = ends["closed"].to_numpy()
    shares = REASONS[ends["stage"].to_numpy(int)]
    shares[:, COMPETITOR_REASON] *= deals.competitor >= 0
    is_lost = ~np.isnan(closed) & ~ends["is_won"].to_numpy()
    is_told = is_lost & (dice.random(deals.n) < 0.9)
    outcome = np.where(np.isnan(closed), -1, np.where(is_lost, 1, 0))
    return pd.DataFrame(
        {
            "deal_id": spelled(deal_ids(deals.n)),
            "rep_id": spelled(who.rep_id, who.owner(deals.rep, np.fmin(closed, plan.n_days))),
            "account_id": spelled(account_ids(firms), deals.account),
            "product_id": spelled(product_ids(), deals.product),
            "source": spelled(market["sources"], deals.source),
            "segment": spelled(market["segments"], deals.segment),
            "competitor": spelled(market["competitors"], deals.competitor),
            "created_on": dates(plan, deals.created),
            "amount": deals.amount,
            "expected_close_on": dates(plan, due),
            "closed_on": dates(plan, closed),
            "outcome": spelled(("won", "lost"), outcome),
            "lost_reason": spelled(
                market["lost_reasons"], np.where(is_told, pick(dice, shares), -1)
            ),
        }
    )


def deal_lines_table(plan: Plan, deals: Deals, visits: pd.DataFrame) -> pd.DataFrame:
    """The table `deal_lines`: written once a deal has come to the Proposal stage."""
    is_offered = (visits["stage"] >= STAGES.index("Proposal")) & (visits["entered"] < plan.n_days)
    lines = deals.lines[deals.lines["deal"].isin(visits.loc[is_offered, "deal"])]
    return pd.DataFrame(
        {
            "deal_id": spelled(deal_ids(deals.n), lines["deal"].to_numpy()),
            "product_id": spelled(product_ids(), lines["product"].to_numpy()),
            **{name: lines[name].to_numpy() for name in ("quantity", "list_amount", "net_amount")},
        }
    )


def stage_changes_table(
    plan: Plan, who: People, deals: Deals, visits: pd.DataFrame, led: np.ndarray
) -> pd.DataFrame:
    """The table `stage_changes`: every entry into a stage, falls back and returns included."""
    entries = visits.assign(at=visits["entered"])
    fell = visits[visits["back"] < visits["left"]]
    back = fell.assign(at=fell["back"], stage=fell["stage"] - 1)
    rows = pd.concat([entries, back, fell.assign(at=fell["again"])], ignore_index=True)
    rows = rows[rows["at"] < plan.n_days].sort_values(["deal", "at"], kind="stable")
    deal, at = rows["deal"].to_numpy(), rows["at"].to_numpy()
    mover = np.where(at >= led[deal], who.manager, who.owner(deals.rep[deal], at))
    return pd.DataFrame(
        {
            "deal_id": spelled(deal_ids(deals.n), deal),
            "stage": spelled(STAGES, rows["stage"].to_numpy()),
            "entered_at": stamps(plan, at),
            "rep_id": spelled(who.rep_id, mover),
        }
    )


def close_dates(
    plan: Plan, who: People, deals: Deals, visits: pd.DataFrame, ends: pd.DataFrame
) -> tuple[pd.DataFrame, np.ndarray]:
    """Every close date a rep wrote down (deal, at, due), and the last one of each deal.

    Dates are pushed as they come near, set anew in Negotiation, and forgotten in the end.
    """
    dice, n = plan.dice("close dates"), deals.n
    end = ends["closed"].fillna(plan.n_days).to_numpy()
    last_stage = visits[visits["stage"] == len(STAGES) - 1].drop_duplicates("deal")
    dealing = np.full(n, np.inf)
    dealing[last_stage["deal"]] = last_stage["entered"]
    length = DAYS_TO_CLOSE[deals.segment] * np.exp(dice.normal(0, 0.3, n))
    due = _month_end(plan, dice, deals.created + length)
    rows = [pd.DataFrame({"deal": np.arange(n), "at": deals.created, "due": due})]
    at, is_kept = deals.created.copy(), np.ones(n, bool)
    for _ in range(PUSHES):
        near = np.maximum(due - dice.normal(1, 5, n), at + 2)
        is_dealing = (dealing > at) & (dealing < near)
        when = who.clock.forward(deals.rep, np.where(is_dealing, dealing, near), np.full(n, 0.1))
        later = due + np.exp(dice.normal(np.log(PUSH[0]), PUSH[1], n))
        soon = dealing + np.exp(dice.normal(np.log(18), 0.4, n))
        new = _month_end(plan, dice, np.where(is_dealing, soon, np.maximum(later, when + 5)))
        is_kept &= dice.random(n) >= GIVES_UP
        moved = np.flatnonzero(is_kept & (when < end) & (new != due))
        at[moved], due[moved] = when[moved], new[moved]
        rows.append(pd.DataFrame({"deal": moved, "at": at[moved], "due": due[moved]}))
    return pd.concat(rows, ignore_index=True).sort_values(["deal", "at"], kind="stable"), due


def close_date_changes_table(plan: Plan, deals: Deals, moves: pd.DataFrame) -> pd.DataFrame:
    """The table `close_date_changes`, the date first set included."""
    return pd.DataFrame(
        {
            "deal_id": spelled(deal_ids(deals.n), moves["deal"].to_numpy()),
            "changed_at": stamps(plan, moves["at"].to_numpy()),
            "expected_close_on": dates(plan, moves["due"].to_numpy()),
        }
    )


def _month_end(plan: Plan, dice: np.random.Generator, day: np.ndarray) -> np.ndarray:
    """A day that a rep would write down: a weekday, more often than not the month's last one."""
    date = pd.DatetimeIndex(plan.start + pd.to_timedelta(np.floor(day), unit="D"))
    to_end = np.asarray(date.days_in_month - date.day)
    day = np.floor(day) + np.where(dice.random(len(day)) < 0.55, to_end, 0)
    return day - np.maximum(plan.weekday(day) - 4, 0)
