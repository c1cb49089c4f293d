"""Who sits in which course and quarter: the best places under budget, seats and hours.

Knows no team: arrays in, places out. A binary knapsack (Kellerer, Pferschy and Pisinger 2004),
solved as an integer programme and never below the greedy choice.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

GAP = 1e-3  # relative, from which on a better plan is not searched for
CHEAPER, SOONER = 1e-4, 1e-5  # of the best value: what decides between equals
MORE = 0.01  # of the value: less is not worth a session for all


@dataclass(frozen=True, eq=False)
class Offer:
    """Places that could be taken, and the limits.

    rep, course, skill, quarter, value : of each place; numbers from 0
    price, seats, hours : of each course; seats may be inf
    budget, hours_per_rep : in all; per rep and quarter
    for_all : sessions (courses x quarters) that seat everybody for the price of a full room
    """

    rep: np.ndarray
    course: np.ndarray
    skill: np.ndarray
    quarter: np.ndarray
    value: np.ndarray
    price: np.ndarray
    seats: np.ndarray
    hours: np.ndarray
    for_all: np.ndarray
    budget: float
    hours_per_rep: float

    @property
    def session(self) -> np.ndarray:
        """The session of each place: a course in a quarter."""
        return self.course * self.for_all.shape[1] + self.quarter

    @cached_property
    def rooms(self) -> np.ndarray:
        """Seats of each session."""
        seats = np.broadcast_to(self.seats[:, None], self.for_all.shape)
        return np.where(self.for_all, np.inf, seats).ravel()

    @cached_property
    def prices(self) -> np.ndarray:
        """Price of a place in each session; none where the room is paid for."""
        return np.where(self.for_all, 0.0, self.price[:, None]).ravel()

    @property
    def left(self) -> float:
        """The budget after the rooms of the sessions for all."""
        return self.budget - self.cost_of_rooms

    def taken(self, chosen: np.ndarray) -> np.ndarray:
        """Places taken in each session."""
        return np.bincount(self.session[chosen], minlength=self.for_all.size)

    def cost(self, chosen: np.ndarray) -> float:
        """What the chosen places cost, sessions for all included."""
        return float(self.taken(chosen) @ self.prices) + self.cost_of_rooms

    @property
    def cost_of_rooms(self) -> float:
        """What the sessions for all cost."""
        return float((self.for_all.sum(axis=1) * _room(self)).sum())

    def worth(self, chosen: np.ndarray) -> float:
        """The value of the chosen places."""
        return float(self.value[chosen].sum())

    def allows(self, chosen: np.ndarray) -> bool:
        """Whether the chosen places keep every limit."""
        time = self.rep[chosen] * self.for_all.shape[1] + self.quarter[chosen]
        hours = np.bincount(time, self.hours[self.course[chosen]])
        pairs = np.stack([self.rep[chosen], self.skill[chosen]])
        return bool(
            hours.max(initial=0) <= self.hours_per_rep + 1e-9
            and np.unique(pairs, axis=1).shape[1] == chosen.sum()
            and (self.taken(chosen) <= self.rooms).all()
            and self.cost(chosen) <= self.budget + 1e-6
        )


def _room(offer: Offer) -> np.ndarray:
    """What a full room of each course costs."""
    return offer.price * np.where(np.isfinite(offer.seats), offer.seats, 0)


def best(offer: Offer, wished: np.ndarray) -> tuple[Offer, np.ndarray]:
    """The offer with the sessions for all that are worth it among those `wished`, and the places.

    A session for all is held where the greedy choice gains by it.
    """
    chosen = greedy(offer)
    for session in np.flatnonzero(wished):
        opened = offer.for_all.copy()
        opened.flat[session] = True
        tried = replace(offer, for_all=opened)
        more = greedy(tried) if tried.left >= 0 else chosen
        is_full = np.bincount(tried.session[more], minlength=opened.size)[session]
        is_room = is_full > offer.seats[session // opened.shape[1]]
        if is_room and tried.worth(more) > (1 + MORE) * offer.worth(chosen):
            offer, chosen = tried, more
    solved = _programmed(offer)
    found = [each for each in (chosen, solved) if offer.allows(each)]
    return offer, max(found, key=lambda each: (round(offer.worth(each), 9), -offer.cost(each)))


def greedy(offer: Offer) -> np.ndarray:
    """Places taken one by one: the best of by value, by value for money and for time."""
    price, hours = offer.prices[offer.session], offer.hours[offer.course]
    little = 0.1 * max(float(price.mean()), 1e-9) if len(price) else 1.0
    keys = (offer.value, offer.value / (price + little), offer.value / (hours + 1e-3))
    found = [in_turn(offer, np.argsort(-key, kind="stable")) for key in keys]
    return max(found, key=offer.worth)


def in_turn(offer: Offer, order: np.ndarray, most: float = np.inf) -> np.ndarray:
    """The places of `order` that still fit, one after the other, at most so many."""
    chosen = np.zeros(len(offer.value), bool)
    hours = np.zeros((int(offer.rep.max(initial=-1)) + 1, offer.for_all.shape[1]))
    has: set[tuple[int, int]] = set()
    left, seats, session = offer.left, offer.rooms.copy(), offer.session
    for place in order:
        if most < 1:
            break
        rep, quarter, own = offer.rep[place], offer.quarter[place], session[place]
        price, length = offer.prices[own], offer.hours[offer.course[place]]
        pair = (rep, offer.skill[place])
        is_late = hours[rep, quarter] + length > offer.hours_per_rep + 1e-9
        if seats[own] < 1 or price > left + 1e-9 or is_late or pair in has:
            continue
        chosen[place] = True
        has.add(pair)
        hours[rep, quarter] += length
        left, most, seats[own] = left - price, most - 1, seats[own] - 1
    return chosen


def _programmed(offer: Offer) -> np.ndarray:
    """The integer programme: a place is taken or not."""
    n = len(offer.value)
    if not n:
        return np.zeros(0, bool)
    price = offer.prices[offer.session]
    time = offer.rep * offer.for_all.shape[1] + offer.quarter
    pair = offer.rep * (int(offer.skill.max()) + 1) + offer.skill
    limits = [
        (_marks(time, offer.hours[offer.course]), offer.hours_per_rep),
        (_marks(pair), 1.0),
        (_marks(offer.session), offer.rooms[: offer.session.max() + 1]),
    ]
    if np.isfinite(offer.left):
        limits.append((sparse.csr_array(price[None, :]), offer.left))
    dear = CHEAPER * price / max(float(price.max()), 1e-9) + SOONER * offer.quarter
    solved = milp(
        float(offer.value.max()) * dear - offer.value,
        integrality=np.ones(n),
        bounds=Bounds(0, 1),
        constraints=[LinearConstraint(matrix, -np.inf, most) for matrix, most in limits],
        # Presolving takes longer than solving, now and then by far.
        options={"mip_rel_gap": GAP, "presolve": False},
    )
    return np.zeros(n, bool) if solved.x is None else solved.x > 0.5


def _marks(row: np.ndarray, value: np.ndarray | None = None) -> sparse.csr_array:
    """A row for each limit, a column for each place."""
    value = np.ones(len(row)) if value is None else value
    return sparse.csr_array((value, (row, np.arange(len(row)))), (int(row.max()) + 1, len(row)))
