"""The deals as they come in: when, from whom, what kind, how large, and how likely to move."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from salesnb.simulation.market import Accounts, accounts, kinds, launch_days
from salesnb.simulation.people import MONTH, People, ramped
from salesnb.simulation.plan import STAGES, Plan
from salesnb.simulation.words import pick, words

SEASON = np.array([0.9, 1.05, 1.1, 1.0, 1.05, 1.05, 0.85, 0.6, 1.15, 1.15, 1.1, 0.6])
BOOKED_AHEAD = (5.0, 0.5)  # working days from booking the first meeting to holding it, log-normal

SOURCE_MIX = np.array([0.3, 0.35, 0.12, 0.13, 0.1])
COMPETITOR_MIX = np.array([0.4, 0.22, 0.16, 0.12, 0.10])  # the first: none known
PRODUCT_MIX = np.array(  # main product by segment
    [
        [0.34, 0.18, 0.2, 0.08, 0.05, 0.11, 0.04],
        [0.3, 0.22, 0.2, 0.1, 0.1, 0.05, 0.03],
        [0.28, 0.22, 0.2, 0.12, 0.14, 0.02, 0.02],
    ]
)
AMOUNT = np.array([8500.0, 26000.0, 88000.0])  # median by segment
AMOUNT_SD = np.array([0.55, 0.55, 0.65])
PRODUCT_WORTH = np.array([1.0, 1.25, 1.1, 0.8, 0.9, 0.45, 0.5])
ATTACH = np.array([0.1, 0.06, 0.08, 0.12, 0.14, 0.16, 0.25])  # chance of a further line

BASE = np.array([0.58, 1.08, 1.34, 0.98, 1.60])
SEGMENT_ODDS = np.array([0.12, 0.0, -0.25])
SOURCE_ODDS = np.array([0.15, -0.25, 0.5, -0.1, 0.2])
COMPETITOR_ODDS = np.array([0.12, -0.3, -0.1, 0.1, -0.2])
PRODUCT_ODDS = np.array([0.1, 0.0, 0.05, -0.15, 0.0, 0.15, 0.1])
SIZE_ODDS = -0.15
HIDDEN_SD = 0.2  # what no field of the CRM tells


@dataclass(frozen=True)
class Deals:
    """Deals as arrays, oldest first; `competitor` is -1 where none is known.

    booked, created : moments of booking and of holding the first meeting
    odds : logit of advancing for the typical rep (deals x stages), the season left out
    lines : deal, product, quantity, list_amount, net_amount
    """

    rep: np.ndarray
    booked: np.ndarray
    created: np.ndarray
    account: np.ndarray
    segment: np.ndarray
    source: np.ndarray
    product: np.ndarray
    competitor: np.ndarray
    amount: np.ndarray
    odds: np.ndarray
    lines: pd.DataFrame

    @property
    def n(self) -> int:
        return len(self.rep)


def booking_rate(plan: Plan, who: People) -> np.ndarray:
    """How many first meetings are booked at each desk on a day, against others and other days."""
    dice, day = plan.dice("weeks"), np.arange(plan.horizon)
    week = (plan.start.day_of_week + day) // 7
    rate = who.is_open * who.energy[:, None] * SEASON[plan.days.month - 1]
    # Good weeks and bad weeks that nobody can explain.
    rate = rate * dice.gamma(12, 1 / 12, (plan.reps, week[-1] + 1))[:, week]
    rate = rate * ramped(np.maximum(day - who.desk[:, None], 0) / MONTH)
    for rep_, first, last, factor in zip(*who.drops.to_dict("list").values(), strict=True):
        rate[rep_, first : last + 1] *= factor
    return rate


def deals(plan: Plan, who: People) -> tuple[Deals, Accounts]:
    """Draw every deal of the history, and the companies they are with."""
    dice = plan.dice("deals")
    rate = booking_rate(plan, who)
    rep, booked, created = _arrivals(plan, who, rate, dice)
    n = len(rep)
    firms = accounts(plan, np.bincount(rep, minlength=plan.reps))
    size = np.bincount(firms.rep, minlength=plan.reps)
    rep = _taken(plan, who, rate, (rep, booked, created))
    account = firms.first[rep] + (dice.random(n) * size[rep]).astype(int)
    segment = firms.segment[account]
    source = pick(dice, dice.dirichlet(12 * SOURCE_MIX, plan.reps)[rep])
    competitor = pick(dice, dice.dirichlet(12 * COMPETITOR_MIX, plan.reps)[rep]) - 1
    taste = dice.gamma(6, 1 / 6, (plan.reps, len(PRODUCT_WORTH)))
    product = pick(dice, PRODUCT_MIX[segment] * taste[rep])
    product = np.where(created < launch_days(plan)[product] + 14, 0, product)
    worth = np.where(plan.null, 1.0, kinds("worth"))[firms.kind[account]]
    worth = worth * PRODUCT_WORTH[product] * np.exp(dice.normal(0, 0.15, plan.reps))[rep]
    amount = AMOUNT[segment] * worth * np.exp(dice.normal(0, AMOUNT_SD[segment]))
    lines, amount = _lines(plan, rep, segment, product, created, amount)
    large = np.log(amount / AMOUNT[segment])
    codes = (segment, source, competitor + 1, product, firms.kind[account])
    odds = _odds(plan, codes, large)
    made = Deals(
        rep, booked, created, account, segment, source, product, competitor, amount, odds, lines
    )
    return made, firms


def draw_days(dice: np.random.Generator, rate: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Rep and day of `n` events, drawn by their rate (reps x days); sorted by rep."""
    until = np.cumsum(rate, axis=1)
    rep = np.sort(pick(dice, until[:, -1], n))
    # One sorted line of all reps' days, so that a single search finds every day.
    share = until / np.maximum(until[:, -1:], 1e-12) + np.arange(len(rate))[:, None]
    place = np.searchsorted(share.ravel(), rep + dice.random(n), side="right")
    return rep, place % rate.shape[1]


def held_share(plan: Plan, who: People) -> np.ndarray:
    """The share of meetings booked on a day that are held by `as_of` (reps x days)."""
    before = who.clock.before
    days_to_go = before[:, [plan.n_days]] - before[:, 1 : plan.n_days + 1]
    middle, spread = np.log(BOOKED_AHEAD[0]), BOOKED_AHEAD[1]
    return ndtr((np.log(np.maximum(days_to_go, 1e-9)) - middle) / spread)


def days_ahead(u: np.ndarray) -> np.ndarray:
    """Working days from booking to meeting, by their quantile."""
    return np.exp(np.log(BOOKED_AHEAD[0]) + BOOKED_AHEAD[1] * ndtri(u))


def _arrivals(
    plan: Plan, who: People, rate: np.ndarray, dice: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whose deal, when the first meeting was booked and when it was held, in order of time."""
    total, held = plan.reps * plan.deals_per_rep, held_share(plan, who)
    rep, day = draw_days(dice, rate[:, : plan.n_days] * held, total)
    booked = day + dice.random(total)
    created = who.clock.forward(rep, booked, days_ahead(dice.random(total) * held[rep, day]))
    order = np.argsort(created, kind="stable")
    return rep[order], booked[order], created[order]


def _taken(
    plan: Plan, who: People, rate: np.ndarray, arrivals: tuple[np.ndarray, ...]
) -> np.ndarray:
    """Whose deal it becomes: a colleague's, where the rep of the desk does not do all its work."""
    dice, done = plan.dice("taken"), who.share_done()
    rep, booked, created = arrivals
    day, met = booked.astype(int), np.minimum(created.astype(int), plan.horizon - 1)
    passed = np.flatnonzero(dice.random(len(rep)) >= done[rep, day])
    can = rate[:, day[passed]] * done[:, day[passed]]
    until = np.cumsum(can * who.is_there[:, met[passed]], axis=0)
    colleague = (until <= dice.random(len(passed)) * until[-1]).sum(axis=0)
    taken = rep.copy()
    taken[passed] = np.where(until[-1] > 0, colleague, rep[passed])
    return taken


def _odds(plan: Plan, codes: tuple[np.ndarray, ...], large: np.ndarray) -> np.ndarray:
    """Logit of advancing by stage: traits weigh differently at each stage."""
    dice, k = plan.dice("odds"), len(STAGES)
    kind_odds = np.where(plan.null, 0.0, kinds("odds"))
    effects = (SEGMENT_ODDS, SOURCE_ODDS, COMPETITOR_ODDS, PRODUCT_ODDS, kind_odds)
    odds = np.tile(BASE, (len(large), 1))
    for code, effect in zip(codes, effects, strict=True):
        by_stage = effect[:, None] * dice.uniform(0.6, 1.4, (len(effect), k))
        odds += by_stage[code]
    odds += SIZE_ODDS * dice.uniform(0.5, 1.5, k) * large[:, None]
    return odds + HIDDEN_SD * dice.normal(size=len(large))[:, None]


def _lines(
    plan: Plan,
    rep: np.ndarray,
    segment: np.ndarray,
    product: np.ndarray,
    created: np.ndarray,
    amount: np.ndarray,
) -> tuple[pd.DataFrame, np.ndarray]:
    """The products on each deal at list and net price; the amount is what the lines add up to."""
    dice, goods = plan.dice("lines"), pd.DataFrame(words()["products"])
    n, k = len(rep), len(goods)
    is_on = dice.random((n, k)) < ATTACH * (created[:, None] > launch_days(plan) + 14)
    weight = np.where(is_on, dice.uniform(0.05, 0.3, (n, k)), 0.0)
    weight[np.arange(n), product] = 1.0
    habit = np.clip(dice.normal(0.07, 0.035, plan.reps), 0, None)
    off = habit[rep] + 0.03 * segment + dice.exponential(0.04, n) - 0.03
    deal, good = np.nonzero(weight)
    share = weight[deal, good] / weight.sum(axis=1)[deal]
    discount = np.clip(off[deal] + 0.1 * (goods["role"] == "loss_leader").to_numpy()[good], 0, 0.4)
    discount = np.round(discount, 2)
    price = goods["list_price"].to_numpy(float)[good]
    quantity = np.maximum(np.round(amount[deal] * share / (price * (1 - discount))), 1)
    lines = pd.DataFrame({"deal": deal, "product": good, "quantity": quantity})
    lines["list_amount"] = quantity * price
    lines["net_amount"] = np.round(lines["list_amount"] * (1 - discount), 2)
    return lines, np.bincount(deal, lines["net_amount"], minlength=n).round(2)
