"""How deals move: through the stages to won or lost, at their owner's odds and speed."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from salesnb.simulation.people import RAMP_LOGIT, RAMP_MONTHS, People
from salesnb.simulation.pipeline import Deals
from salesnb.simulation.plan import STAGES, Plan

K = len(STAGES)
LAST = K - 1
# Working days in a stage, log-normal: median by stage for those who advance and for the lost.
TO_ADVANCE, TO_LOSE = np.array([5.5, 8.0, 9.0, 10.5, 9.5]), np.array([9.0, 14.0, 16.0, 20.0, 17.0])
SPREAD_ADVANCE, SPREAD_LOSE = 0.65, 0.8
SEGMENT_SPEED = np.array([0.8, 1.05, 1.4])
FORGOTTEN_SHARE, FORGOTTEN = 0.15, (100.0, 0.6)  # lost, but nobody closes them
SKIP_SHARE, BACK_SHARE, BACK = 0.08, 0.06, (5.0, 0.6)
REOPEN_SHARE, REOPEN_DAYS = 0.03, (20, 120)
AUGUST, DECEMBER, QUARTER_END = -0.2, -0.1, 0.3
PULL_IN = 0.6  # share of wins early in a quarter that were pulled into the one before


@dataclass(frozen=True)
class World:
    """All that decides about a deal beside its own traits.

    lift : logit gained by coaching and courses (reps x stages x days)
    """

    plan: Plan
    who: People
    deals: Deals
    lift: np.ndarray

    def season(self, stage: int, moment: np.ndarray) -> np.ndarray:
        """Logit of the time of the year."""
        month = self.plan.days.month.to_numpy()[self._day(moment)]
        calm = np.where(month == 8, AUGUST, 0) + np.where(month == 12, DECEMBER, 0)
        return calm + (QUARTER_END * (month % 3 == 0) if stage == LAST else 0)

    def typical(self, deal: np.ndarray, stage: int, rep: np.ndarray, t: np.ndarray) -> np.ndarray:
        """Logit of advancing for the typical rep of the same tenure."""
        ramp = RAMP_LOGIT * np.exp(-self.who.months_in(rep, t) / RAMP_MONTHS)
        return self.deals.odds[deal, stage] + self.season(stage, t) + ramp

    def skill(self, stage: int, rep: np.ndarray, t: np.ndarray) -> np.ndarray:
        """Logit that this rep adds at this time."""
        return self.who.shift[rep, stage] + self.lift[rep, stage, self._day(t)]

    def _day(self, moment: np.ndarray) -> np.ndarray:
        return np.minimum(moment.astype(int), self.plan.horizon - 1)


def sell(world: World) -> pd.DataFrame:
    """Every visit of every deal to a stage; the same dice fall whatever coaching did before.

    Returns
    -------
    DataFrame
        deal, stage, rep : codes; the rep is the owner on entry
        entered, left : moments; what is later than the history is not yet known
        is_advance : whether the visit ends in advancing (else in losing)
        back, again : when the deal fell back to the stage before and when it returned, else NaN
        spell : 1 after a reopening, else 0
    """
    plan, n = world.plan, world.deals.n
    first = _walk(world, 0, np.zeros(n, int), world.deals.created)
    dice = plan.dice("reopened")
    gap, is_lucky = dice.uniform(*REOPEN_DAYS, n), dice.random(n) < REOPEN_SHARE
    lost = first[~first["is_advance"]]
    deal, rep = lost["deal"].to_numpy(), lost["rep"].to_numpy()
    start = world.who.clock.forward(rep, lost["left"].to_numpy(), gap[deal] * 5 / 7)
    again = is_lucky[deal] & (start < plan.n_days)
    from_stage, restart = np.full(n, K), np.full(n, np.nan)
    from_stage[deal[again]] = np.maximum(lost["stage"].to_numpy()[again] - 1, 0)
    restart[deal[again]] = start[again]
    second = _walk(world, 1, from_stage, restart)
    return pd.concat([first, second], ignore_index=True)


def _walk(world: World, spell: int, from_stage: np.ndarray, start: np.ndarray) -> pd.DataFrame:
    """Stage by stage, all deals at once; a deal whose `start` is NaN stays where it is."""
    dice, n = world.plan.dice(f"walk {spell}"), world.deals.n
    draws = {name: dice.random((n, K)) for name in ("advance", "forgotten", "pull", "back")}
    draws |= {name: dice.normal(size=(n, K)) for name in ("days", "delay")}
    is_hasty = (dice.random(n) < SKIP_SHARE) & (spell == 0)
    skip = np.where(is_hasty, dice.integers(0, K, n), -1)
    now, is_on, visits = start.copy(), ~np.isnan(start), []
    for stage in range(K):
        here = np.flatnonzero(is_on & (from_stage <= stage) & (skip != stage))
        visit = _visit(world, stage, here, now[here], {k: v[here, stage] for k, v in draws.items()})
        visits.append(visit.assign(spell=spell))
        now[here], is_on[here] = visit["left"], visit["is_advance"]
    return pd.concat(visits, ignore_index=True)


def _visit(
    world: World, stage: int, deal: np.ndarray, now: np.ndarray, draws: dict[str, np.ndarray]
) -> pd.DataFrame:
    """What becomes of the deals that enter a stage, and when."""
    rep = world.who.owner(world.deals.rep[deal], now)
    logit = world.typical(deal, stage, rep, now) + world.skill(stage, rep, now)
    is_advance = draws["advance"] < expit(logit)
    days = _days(world, stage, deal, rep, is_advance, draws)
    clock = world.who.clock
    left = clock.forward(rep, now, days)
    falls = (draws["back"] < BACK_SHARE) & (stage > 0)
    delay = np.exp(np.log(BACK[0]) + BACK[1] * draws["delay"])
    back = np.where(falls, clock.forward(rep, now, 0.4 * days), np.nan)
    again = np.where(falls, clock.forward(rep, now, 0.4 * days + delay), np.nan)
    left = np.where(falls, clock.forward(rep, now, days + delay), left)
    if stage == LAST:
        left = _pulled_in(world.plan, np.fmax(now, again), left, is_advance, draws["pull"])
    columns = {"deal": deal, "stage": stage, "rep": rep, "entered": now, "left": left}
    return pd.DataFrame({**columns, "is_advance": is_advance, "back": back, "again": again})


def _days(
    world: World,
    stage: int,
    deal: np.ndarray,
    rep: np.ndarray,
    is_advance: np.ndarray,
    draws: dict[str, np.ndarray],
) -> np.ndarray:
    """Working days in the stage."""
    who = world.who
    speed = who.speed[rep, stage] * SEGMENT_SPEED[world.deals.segment[deal]]
    advance = TO_ADVANCE[stage] * np.exp(SPREAD_ADVANCE * draws["days"])
    lose = TO_LOSE[stage] * np.exp(SPREAD_LOSE * draws["days"]) * who.hygiene[rep]
    forgotten = FORGOTTEN[0] * np.exp(FORGOTTEN[1] * draws["days"])
    lose = np.where(draws["forgotten"] < FORGOTTEN_SHARE, lose + forgotten, lose)
    return np.maximum(speed * np.where(is_advance, advance, lose), 0.1)


def _pulled_in(
    plan: Plan, since: np.ndarray, left: np.ndarray, is_won: np.ndarray, luck: np.ndarray
) -> np.ndarray:
    """Some wins of a quarter's first three weeks are signed in the last days of the one before."""
    ends = np.flatnonzero(plan.days.is_quarter_end)
    if not len(ends):
        return left
    end = ends[np.maximum(np.searchsorted(ends, left) - 1, 0)]
    # On the last working days: the quarter's end may be a Sunday.
    signed = end - 4 + 4 * luck / PULL_IN
    signed = np.floor(signed) - np.maximum(plan.weekday(np.floor(signed)) - 4, 0)
    signed = signed + luck / PULL_IN
    is_soon = (left - end > 0) & (left - end < 22) & (signed > since + 1)
    return np.where(is_won & is_soon & (luck < PULL_IN), signed, left)
