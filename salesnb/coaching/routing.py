"""Days for visits: an integer programme that knows no team, arrays in and arrays out.

As many visits as there is room for come first; then as little lateness, and as few trips to a
region, as possible. The programme chooses the weeks; within a week all orders are tried.
"""

from dataclasses import dataclass
from itertools import permutations

import numpy as np
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, vstack

# What a visit costs: the square of its lateness, in shares of the time between two visits, so
# that whoever has waited longest goes first; a little for coming early; and a trip to a region
# as much as a week more, at two visits a year, for somebody who is late by all of that time.
EARLY, TRIP = 0.01, 0.08
EXACT = {"mip_rel_gap": 0.0, "node_limit": 5_000}  # nodes and not seconds: alike on any machine
NO_DAY = -1


@dataclass(frozen=True, eq=False)
class Visits:
    """What is to be planned.

    days : on which the manager can ride along, in order
    is_free : whether the rep is at work (reps x days)
    due : the day on which each rep's visit is due (datetime64)
    region : number of each rep's region, -1 where unknown
    every : days between two visits
    room : visits that each week can still take, by Monday
    there : region and Monday of the trips that are made anyway
    """

    days: pd.DatetimeIndex
    is_free: np.ndarray
    due: np.ndarray
    region: np.ndarray
    every: float
    room: pd.Series
    there: frozenset[tuple[int, pd.Timestamp]] = frozenset()

    @property
    def monday(self) -> pd.DatetimeIndex:
        """The Monday of each day's week."""
        return pd.DatetimeIndex(self.days - pd.to_timedelta(self.days.day_of_week, unit="D"))


def route(visits: Visits) -> np.ndarray:
    """The number of the day on which each rep is visited, `NO_DAY` where there is no room."""
    found = np.full(len(visits.due), NO_DAY)
    weeks = pd.DatetimeIndex(visits.monday.unique())
    week = weeks.get_indexer(visits.monday)
    for number, reps in enumerate(_by_week(visits, weeks, week)):
        found[reps] = _in_a_week(visits, reps, np.flatnonzero(week == number))
    return found


def _by_week(visits: Visits, weeks: pd.DatetimeIndex, week: np.ndarray) -> list[np.ndarray]:
    """The reps to visit in each week.

    For given trips the constraints are those of a flow, so that only trips are branched on.
    """
    late, too_late = _lateness(visits, weeks)
    room = visits.room.reindex(weeks).fillna(0).to_numpy(float)
    room = np.minimum(room, np.bincount(week))
    everybody = _places(visits.is_free, week, np.ones(late.shape, bool))
    n_most = round(float(_solved(-np.ones(len(everybody)), _flow(everybody, room)).sum()))
    if not n_most:
        return [np.zeros(0, int)] * len(weeks)
    is_worth_it = _is_worth_it(visits.is_free, week, too_late[:, None] - late, n_most)
    places = _places(visits.is_free, week, is_worth_it)
    rep, at = places["rep"].to_numpy(), places["week"].to_numpy()
    trips, no_visit_alone = _trips(visits.region[rep], rep, at, len(weeks))
    rows = [*_flow(places, room, len(trips)), no_visit_alone]
    rows.append(_sums(np.zeros(len(rep), int), len(trips), np.array([n_most]), at_least=n_most))
    made = [(region, weeks[number]) in visits.there for region, number in trips]
    cost = np.r_[late[rep, at] - too_late[rep], np.where(made, 0, TRIP)]
    is_chosen = _solved(cost, rows, len(trips))[: len(rep)] > 0.5
    return [np.sort(rep[is_chosen & (at == number)]) for number in range(len(weeks))]


def _places(is_free: np.ndarray, week: np.ndarray, is_worth_it: np.ndarray) -> pd.DataFrame:
    """Where a rep can be visited: rep, week, and the day of reps who are not free all week.

    Whoever is free all week takes a day that is left over, so that no day has to be chosen now.
    """
    rep, day = np.nonzero(is_free & is_worth_it[:, week])
    n_free = np.zeros((len(is_free), week.max(initial=-1) + 1), int)
    np.add.at(n_free, (rep, week[day]), 1)
    is_whole = n_free[rep, week[day]] == np.bincount(week)[week[day]]
    places = pd.DataFrame({"rep": rep, "week": week[day], "day": np.where(is_whole, NO_DAY, day)})
    return places.drop_duplicates(ignore_index=True)


def _is_worth_it(
    is_free: np.ndarray, week: np.ndarray, gain: np.ndarray, n_most: int
) -> np.ndarray:
    """Which reps to think of in which week (reps x weeks).

    Where as many others as there are visits, free all week, would each gain more by a whole trip,
    one of them could always take the place.
    """
    found = np.zeros(gain.shape, bool)
    for number in range(gain.shape[1]):
        others = np.sort(gain[is_free[:, week == number].all(axis=1), number])[::-1]
        least = others[n_most - 1] - TRIP if 0 < n_most <= len(others) else -np.inf
        found[:, number] = gain[:, number] >= least - 1e-9
    return found


def _lateness(visits: Visits, weeks: pd.DatetimeIndex) -> tuple[np.ndarray, np.ndarray]:
    """What a visit in each week costs (reps x weeks), and what none at all costs."""
    ends = np.append(weeks.to_numpy(), weeks.to_numpy()[-1] + np.timedelta64(7, "D"))
    share = (ends[None, :] - visits.due[:, None]) / np.timedelta64(1, "D") / visits.every
    cost = np.where(share > 0, share**2, -EARLY * share)
    return cost[:, :-1], np.maximum(share[:, -1], 0) ** 2


Rows = tuple[coo_array, np.ndarray, np.ndarray]  # a matrix, and the least and most of its rows


def _flow(places: pd.DataFrame, room: np.ndarray, n_more: int = 0) -> list[Rows]:
    """At most one visit of a rep and one on a day, and as many in a week as there is room for."""
    rep, day = (places[name].to_numpy() for name in ("rep", "day"))
    by_day = np.where(day == NO_DAY, day.max(initial=0) + 1, day)
    once = np.ones(int(rep.max(initial=0)) + 1)
    on_a_day = np.append(np.ones(int(day.max(initial=0)) + 1), np.inf)  # the last: no day yet
    groups = ((rep, once), (by_day, on_a_day), (places["week"].to_numpy(), room))
    return [_sums(group, n_more, most) for group, most in groups]


def _sums(group: np.ndarray, n_more: int, most: np.ndarray, at_least: float = 0) -> Rows:
    """Of each group of the first variables at most so many; `n_more` variables follow."""
    place, shape = (group, np.arange(len(group))), (len(most), len(group) + n_more)
    matrix = coo_array((np.ones(len(group)), place), shape=shape)
    return matrix, np.full(len(most), float(at_least)), most


def _trips(
    region: np.ndarray, rep: np.ndarray, week: np.ndarray, n_weeks: int
) -> tuple[list[tuple[int, int]], Rows]:
    """The trips, by region and week; and that a rep is visited only if there is one."""
    known = np.flatnonzero(region >= 0)
    code, trip = np.unique(region[known] * n_weeks + week[known], return_inverse=True)
    pair, first, row = np.unique(
        rep[known] * n_weeks + week[known], return_index=True, return_inverse=True
    )
    values = np.r_[np.ones(len(known)), -np.ones(len(pair))]
    where = np.r_[row, np.arange(len(pair))], np.r_[known, len(rep) + trip[first]]
    matrix = coo_array((values, where), shape=(len(pair), len(rep) + len(code)))
    trips = [(int(each) // n_weeks, int(each) % n_weeks) for each in code]
    return trips, (matrix, np.full(len(pair), -np.inf), np.zeros(len(pair)))


def _solved(cost: np.ndarray, rows: list[Rows], n_trips: int = 0) -> np.ndarray:
    """The cheapest plan: first which trips, which stand last, then who is visited on them."""
    matrix = vstack([each for each, _, _ in rows]).tocsr()
    least, most = (np.concatenate([row[side] for row in rows]) for side in (1, 2))
    limits = LinearConstraint(matrix, least, most)
    is_trip = np.arange(len(cost)) >= len(cost) - n_trips
    low, high = np.zeros(len(cost)), np.ones(len(cost))
    if n_trips:
        done = milp(
            cost, integrality=is_trip, bounds=Bounds(low, high), constraints=limits, options=EXACT
        )
        low[is_trip] = high[is_trip] = np.round(done.x[is_trip])
    whole = np.ones(len(cost))
    return milp(cost, integrality=whole, bounds=Bounds(low, high), constraints=limits).x


def _in_a_week(visits: Visits, reps: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Days for the reps of one week: one region on days side by side, the latest first."""
    if not len(reps):
        return np.zeros(0, int)
    orders = np.array([*permutations(days, len(reps))], dtype=int)
    orders = orders[visits.is_free[reps, orders].all(axis=1)]
    number = visits.days.to_numpy().astype("datetime64[D]").astype(int)[orders]
    region = visits.region[reps]
    apart = np.abs(number[:, :, None] - number[:, None, :])
    is_alike = (region[:, None] == region[None, :]) & (region >= 0)
    spread = (apart * is_alike).sum(axis=(1, 2))
    waited = np.argsort(np.argsort(-visits.due[reps].astype("int64"), kind="stable")) + 1
    return orders[np.lexsort((*orders.T[::-1], number @ waited, spread))[0]]
