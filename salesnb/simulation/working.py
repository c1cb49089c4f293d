"""The working day: calls, emails, meetings booked and held, demos, proposals.

Pieces of the table are frames with the columns of `_rows`; codes below 0 are blank.
"""

from typing import Any

import numpy as np
import pandas as pd

from salesnb.simulation.clock import HOURS, stamps
from salesnb.simulation.deals import deal_ids
from salesnb.simulation.market import Accounts, account_ids
from salesnb.simulation.people import People
from salesnb.simulation.pipeline import Deals, booking_rate, days_ahead, draw_days, held_share
from salesnb.simulation.plan import Plan
from salesnb.simulation.words import ids, pick, spelled

KINDS = ("call", "email", "meeting", "demo", "proposal")
CALL, EMAIL, MEETING, DEMO, PROPOSAL = range(5)
OUTCOMES = ("held", "no_show", "cancelled", "rescheduled", "connected", "no_answer")
HELD, NO_SHOW, CANCELLED, RESCHEDULED, CONNECTED, NO_ANSWER = range(6)
WITHOUT_DEAL = 1.2  # first meetings that lead nowhere, per one that becomes a deal
NO_DEAL_MIX = np.array([0.62, 0.14, 0.12, 0.12])  # their outcomes, in the order of OUTCOMES
DEAL_MIX = np.array([0.84, 0.05, 0.05, 0.06])  # those of meetings on a deal
MEETING_ON = {1: (MEETING, 0.9), 2: (DEMO, 0.95), 3: (MEETING, 0.35), 4: (MEETING, 0.6)}
DIALS, CONNECT_RATE, CUSTOMERS_CONNECT_RATE = 9.0, 0.2, 0.55  # cold calls a day; who picks up
TOUCH_EVERY, TOUCH_UNTIL = 6.0, 45.0  # days; later a deal that will be lost is left alone
CALL_SHARE = 0.4  # of touches; the others are emails


def activities(
    plan: Plan,
    who: People,
    firms: Accounts,
    deals: Deals,
    visits: pd.DataFrame,
    led: np.ndarray,
) -> pd.DataFrame:
    """Everything the reps did or booked, in the order in which it came to be known."""
    known = visits[visits["entered"] < plan.n_days]
    firsts = [_opening(plan, who, deals), _leading_nowhere(plan, who, firms, deals)]
    meetings = pd.concat([*firsts, _on_deals(plan, who, deals, known)], ignore_index=True)
    again = _again(plan, who, meetings)
    calls = [_booking_call(frame) for frame in firsts]
    others = [_dials(plan, who, firms), _touches(plan, who, deals, known), _offers(deals, known)]
    rows = pd.concat([meetings, again, *calls, *others], ignore_index=True)
    is_ahead = rows["happens"] >= plan.n_days
    rows = rows[~is_ahead | (rows["booked"] < plan.n_days)]
    rows.loc[is_ahead, "outcome"] = -1
    # No deal is -1, the last one here: its row is blank.
    is_led = (rows["kind"] == MEETING) & (rows["booked"] >= np.r_[led, np.inf][rows["deal"]])
    rows.loc[is_led, "rep"] = who.manager
    seen = rows["booked"].fillna(rows["happens"])
    return rows.iloc[np.lexsort((rows["happens"], seen))].reset_index(drop=True)


def activities_table(
    plan: Plan, who: People, firms: Accounts, deals: Deals, rows: pd.DataFrame, note: pd.Series
) -> pd.DataFrame:
    """The table `activities`."""
    return pd.DataFrame(
        {
            "activity_id": spelled(activity_ids(len(rows))),
            "rep_id": spelled(who.rep_id, rows["rep"].to_numpy()),
            "kind": spelled(KINDS, rows["kind"].to_numpy()),
            "booked_at": stamps(plan, rows["booked"].to_numpy()),
            "happens_at": stamps(plan, rows["happens"].to_numpy()),
            "outcome": spelled(OUTCOMES, rows["outcome"].to_numpy()),
            "deal_id": spelled(deal_ids(deals.n), rows["deal"].to_numpy()),
            "account_id": spelled(account_ids(firms), rows["account"].to_numpy()),
            "minutes": _minutes(plan, rows),
            "note": note,
        }
    )


def activity_ids(n: int) -> list[str]:
    """The ids of `n` activities."""
    return ids("T", n, 6)


def _rows(**columns: Any) -> pd.DataFrame:
    """rep, kind, booked, happens, outcome, deal, account; `about` is the deal a first meeting
    led to, which nobody knew when it was booked."""
    blank = {"booked": np.nan, "outcome": -1, "deal": -1, "account": -1, "about": -1}
    return pd.DataFrame({**blank, **columns})


def _opening(plan: Plan, who: People, deals: Deals) -> pd.DataFrame:
    """The first meetings that became deals."""
    return _rows(
        rep=who.owner(deals.rep, deals.created),
        kind=MEETING,
        booked=deals.booked,
        happens=_on_the_half_hour(deals.created, deals.booked),
        outcome=HELD,
        account=deals.account,
        about=np.arange(deals.n),
    )


def _leading_nowhere(plan: Plan, who: People, firms: Accounts, deals: Deals) -> pd.DataFrame:
    """First meetings without a deal, and those not yet held that will have one."""
    dice, done = plan.dice("first meetings"), who.share_done()
    rate, held = booking_rate(plan, who)[:, : plan.n_days], held_share(plan, who)
    per_deal = deals.n / (rate * held).sum()
    n_nowhere = round(WITHOUT_DEAL * per_deal * rate.sum())
    n_coming = round(per_deal * (rate * (1 - held)).sum())
    rep_a, day_a = draw_days(dice, rate, n_nowhere)
    rep_b, day_b = draw_days(dice, rate * (1 - held), n_coming)
    rep, day = np.concatenate([rep_a, rep_b]), np.concatenate([day_a, day_b])
    is_coming = np.arange(len(rep)) >= n_nowhere
    u, low = dice.random(len(rep)), np.where(is_coming, held[rep, day], 0)
    booked = day + dice.random(len(rep))
    met = who.clock.forward(rep, booked, days_ahead(low + u * (1 - low)))
    size = np.bincount(firms.rep, minlength=plan.reps)
    rows = _rows(
        rep=who.owner(rep, met),
        kind=MEETING,
        booked=booked,
        happens=_on_the_half_hour(met, booked),
        outcome=pick(dice, NO_DEAL_MIX, len(rep)),
        account=firms.first[rep] + (dice.random(len(rep)) * size[rep]).astype(int),
    )
    return rows[dice.random(len(rows)) < done[rep, day]]


def _on_deals(plan: Plan, who: People, deals: Deals, known: pd.DataFrame) -> pd.DataFrame:
    """Meetings and demos that a stage calls for, booked when the deal enters it."""
    dice, frames = plan.dice("meetings"), []
    for stage, (kind, share) in MEETING_ON.items():
        here = known[(known["stage"] == stage) & (dice.random(len(known)) < share)]
        deal, entered = here["deal"].to_numpy(), here["entered"].to_numpy()
        ahead = 7 * np.exp(dice.normal(0, 0.5, len(here)))
        met = entered + np.minimum(0.7 * (here["left"].to_numpy() - entered), ahead)
        met = who.clock.forward(here["rep"].to_numpy(), met, np.zeros(len(here)))
        rows = _rows(
            rep=who.owner(deals.rep[deal], met),
            kind=kind,
            booked=entered,
            happens=_on_the_half_hour(met, entered),
            outcome=pick(dice, DEAL_MIX, len(here)),
            deal=deal,
            account=deals.account[deal],
            about=deal,
        )
        frames.append(rows)
    return _thinned(plan, who, dice, pd.concat(frames, ignore_index=True))


def _again(plan: Plan, who: People, meetings: pd.DataFrame) -> pd.DataFrame:
    """What was rescheduled gets another day."""
    dice = plan.dice("rescheduled")
    moved = meetings[(meetings["outcome"] == RESCHEDULED) & (meetings["happens"] < plan.n_days)]
    rep, booked = moved["rep"].to_numpy(), moved["happens"].to_numpy()
    ahead = np.exp(dice.normal(np.log(4), 0.5, len(moved)))
    met = _on_the_half_hour(who.clock.forward(rep, booked, ahead), booked)
    outcome = pick(dice, DEAL_MIX[:3], len(moved))
    return _thinned(plan, who, dice, moved.assign(booked=booked, happens=met, outcome=outcome))


def _thinned(
    plan: Plan, who: People, dice: np.random.Generator, rows: pd.DataFrame
) -> pd.DataFrame:
    """Fewer bookings in the weeks of a drop."""
    factor = drop_factor(plan, who)[rows["rep"], rows["booked"].astype(int)]
    return rows[dice.random(len(rows)) < factor]


def drop_factor(plan: Plan, who: People) -> np.ndarray:
    """Meetings booked against usual (reps x days)."""
    factor = np.ones((plan.reps, plan.n_days))
    for rep, first, last, left in zip(*who.drops.to_dict("list").values(), strict=True):
        factor[rep, first : last + 1] = left
    return factor


def _booking_call(meetings: pd.DataFrame) -> pd.DataFrame:
    """The call in which a first meeting was booked."""
    calls = meetings.assign(kind=CALL, outcome=CONNECTED, about=-1)
    return calls.assign(happens=calls["booked"], booked=np.nan)


def _dials(plan: Plan, who: People, firms: Accounts) -> pd.DataFrame:
    """Cold calls; in the weeks of a drop there are fewer of these too."""
    dice = plan.dice("dials")
    rate = DIALS * who.is_open[:, : plan.n_days] * who.energy[:, None]
    n = dice.poisson(rate * np.sqrt(drop_factor(plan, who))) * who.is_there[:, : plan.n_days]
    rep, day = (np.repeat(axis, n.ravel()) for axis in np.indices(n.shape).reshape(2, -1))
    size = np.bincount(firms.rep, minlength=plan.reps)
    account = firms.first[rep] + (dice.random(len(rep)) * size[rep]).astype(int)
    picks_up = dice.random(len(rep)) < CONNECT_RATE * dice.uniform(0.75, 1.25, plan.reps)[rep]
    return _rows(
        rep=rep,
        kind=CALL,
        happens=day + dice.random(len(rep)),
        outcome=np.where(picks_up, CONNECTED, NO_ANSWER),
        account=np.where(dice.random(len(rep)) < 0.7, account, -1),
    )


def _touches(plan: Plan, who: People, deals: Deals, known: pd.DataFrame) -> pd.DataFrame:
    """Calls and emails while a deal is alive."""
    dice = plan.dice("touches")
    entered = known["entered"].to_numpy()
    stay = np.minimum(known["left"].to_numpy(), plan.n_days) - entered
    stay = np.where(known["is_advance"], stay, np.minimum(stay, TOUCH_UNTIL))
    n = 1 + dice.poisson(stay / TOUCH_EVERY)
    visit = np.repeat(np.arange(len(known)), n)
    day = np.floor(entered[visit] + stay[visit] * dice.random(len(visit)))
    deal = known["deal"].to_numpy()[visit]
    moment = who.clock.forward(deals.rep[deal], day, 0.99 * dice.random(len(visit)))
    moment = np.maximum(moment, entered[visit])
    is_call = dice.random(len(visit)) < CALL_SHARE
    picks_up = np.where(dice.random(len(visit)) < CUSTOMERS_CONNECT_RATE, CONNECTED, NO_ANSWER)
    return _rows(
        rep=who.owner(deals.rep[deal], moment),
        kind=np.where(is_call, CALL, EMAIL),
        happens=moment,
        outcome=np.where(is_call, picks_up, -1),
        deal=deal,
        account=deals.account[deal],
    )


def _offers(deals: Deals, known: pd.DataFrame) -> pd.DataFrame:
    """The proposal itself, sent early in its stage."""
    here = known[known["stage"] == 3]
    deal, entered = here["deal"].to_numpy(), here["entered"].to_numpy()
    return _rows(
        rep=here["rep"].to_numpy(),
        kind=PROPOSAL,
        happens=np.minimum(entered + 0.05, np.floor(entered) + 0.999),
        deal=deal,
        account=deals.account[deal],
    )


def _on_the_half_hour(moment: np.ndarray, booked: np.ndarray) -> np.ndarray:
    """Meetings begin on the half hour, not before they are booked."""
    day, slots = np.floor(moment), 2 * HOURS
    slot = np.minimum(np.ceil((moment - day) * slots), slots - 1) / slots
    return np.maximum(day + slot, np.where(np.floor(booked) == day, booked, 0))


def _minutes(plan: Plan, rows: pd.DataFrame) -> np.ndarray:
    """How long it took, of what took place."""
    dice, kind, outcome = plan.dice("minutes"), rows["kind"].to_numpy(), rows["outcome"].to_numpy()
    lengths = np.array([[0, 0, 0], [0, 0, 0], [30, 45, 60], [45, 60, 90], [0, 0, 0]])
    met = lengths[kind, dice.integers(0, 3, len(rows))]
    talked = np.ceil(dice.gamma(1.5, 4, len(rows)))
    minutes = np.where(outcome == CONNECTED, talked, np.nan)
    return np.where(outcome == HELD, met, minutes)
