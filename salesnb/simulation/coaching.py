"""Coaching: programmes for last quarter's worst reps, and the sessions everybody has."""

from dataclasses import replace

import numpy as np
import pandas as pd

from salesnb.simulation.clock import dates
from salesnb.simulation.people import People
from salesnb.simulation.plan import SKILLS, STAGES, Plan
from salesnb.simulation.selling import World, sell
from salesnb.simulation.words import ids, pick, spelled, words

FEWEST = 4  # closed deals in the quarter, below which nobody is judged
TENURE = 6  # months, below which nobody is put into a programme
STARTS_AFTER = 8  # days into the quarter
SESSIONS = 4  # weekly, in a programme
EVERY = 28  # days between one-on-ones
KINDS = ("one_on_one", "ride_along", "call_review", "programme")
KIND_MIX = np.array([0.7, 0.17, 0.13])
REASONS, REASON_MIX = ("own", "external", "unclear"), np.array([0.5, 0.3, 0.2])
MINUTES = np.array([45.0, 180.0, 30.0, 60.0])


def coached(world: World) -> tuple[World, pd.DataFrame, pd.DataFrame]:
    """The world with its coaching programmes, the programmes, and the visits that follow.

    Every second quarter the worst win rates of the last quarter are coached at the stage where
    they lost most. A programme is chosen on what was known then, and changes only what comes
    after: the history is told again with the same dice.

    Programmes: rep, stage, day (of the first session), win_rate (of the quarter that chose).
    """
    plan, found = world.plan, [pd.DataFrame(columns=["rep", "stage", "day", "win_rate"])]
    visits = sell(world)
    starts = [start for start, _ in plan.quarters()]
    for last, now in zip(starts[1::2], starts[2::2], strict=False):
        day = now + STARTS_AFTER
        if day + 7 * SESSIONS >= plan.n_days:
            break
        chosen = _worst(world, visits, last, now)
        found.append(chosen.assign(day=day))
        if plan.coaching_effect and len(chosen):
            lift = world.lift.copy()
            lift[chosen["rep"], chosen["stage"], day:] += plan.coaching_effect
            world = replace(world, lift=lift)
            visits = sell(world)
    programmes = pd.concat([f for f in found if len(f)] or found[:1], ignore_index=True)
    return world, programmes.astype({"rep": int, "stage": int, "day": int}), visits


def _worst(world: World, visits: pd.DataFrame, first: int, end: int) -> pd.DataFrame:
    """The reps with the lowest win rate of a quarter, and the stage where each fell behind most."""
    who, n = world.who, world.plan.reps
    done = visits[(visits["left"] >= first) & (visits["left"] < end)]
    advanced = _counts(done[done["is_advance"]], n)
    lost = _counts(done[~done["is_advance"]], n)
    won = advanced[:, -1]
    n_closed = won + lost.sum(axis=1)
    rate = np.divide(won, n_closed, out=np.full(n, np.inf), where=n_closed >= FEWEST)
    tenure = who.months_in(np.arange(n), np.full(n, end))
    is_here = (tenure >= TENURE) & ~(who.left <= end + 90)
    rate = np.where(is_here, rate, np.inf)
    n_chosen = min(round(world.plan.coached_share * is_here.sum()), np.isfinite(rate).sum())
    chosen = np.sort(np.argsort(rate, kind="stable")[:n_chosen])
    team = advanced.sum(axis=0) / np.maximum((advanced + lost).sum(axis=0), 1)
    # Two typical visits are added, so that one bad deal does not name the stage.
    own = (advanced + 2 * team) / (advanced + lost + 2)
    stage = np.argmax(team - own, axis=1)
    return pd.DataFrame({"rep": chosen, "stage": stage[chosen], "win_rate": rate[chosen]})


def _counts(visits: pd.DataFrame, n_reps: int) -> np.ndarray:
    """Visits by rep and stage."""
    code = visits["rep"].to_numpy() * len(STAGES) + visits["stage"].to_numpy()
    return np.bincount(code, minlength=n_reps * len(STAGES)).reshape(n_reps, -1)


def coaching_table(plan: Plan, who: People, programmes: pd.DataFrame) -> pd.DataFrame:
    """The table `coaching`."""
    dice = plan.dice("coaching")
    rows = pd.concat([_programme_rows(programmes), _usual_rows(plan, who, dice)])
    rows = rows.sort_values(["day", "rep"], kind="stable", ignore_index=True)
    n, stage, kind = len(rows), rows["stage"].to_numpy(), rows["kind"].to_numpy()
    day = rows["day"].to_numpy()
    due = np.where(dice.random(n) < 0.85, day + dice.choice([7, 14, 14, 21], n), np.nan)
    done = np.floor(due + dice.normal(-1, 4, n))
    keeps = np.clip(dice.normal(0.7, 0.15, plan.reps), 0.3, 0.95)[rows["rep"]]
    is_done = (dice.random(n) < keeps) & (done < plan.n_days)
    reasons = dice.dirichlet(8 * REASON_MIX, plan.reps)[rows["rep"]]
    is_said = dice.random(n) < 0.8
    is_hired = who.hired[rows["rep"]] <= day
    table = pd.DataFrame(
        {
            "session_id": spelled(ids("S", n, 4)),
            "rep_id": spelled(who.rep_id, rows["rep"].to_numpy()),
            "held_on": dates(plan, day),
            "kind": spelled(KINDS, kind),
            "minutes": MINUTES[kind] + dice.choice([-15.0, 0.0, 0.0, 15.0], n),
            "topic": _topics(dice, stage),
            "strength": _text(dice, "strengths", stage, np.ones(n, bool)),
            "question": _text(dice, "questions", stage, np.ones(n, bool)),
            "commitment": _text(dice, "commitments", stage, ~np.isnan(due)),
            "due_on": dates(plan, due),
            "done_on": dates(plan, np.where(is_done, np.maximum(done, day), np.nan)),
            "reason": spelled(REASONS, np.where(is_said, pick(dice, reasons), -1)),
        }
    )
    return table[is_hired].reset_index(drop=True)


def _programme_rows(programmes: pd.DataFrame) -> pd.DataFrame:
    weeks = [
        programmes.assign(day=programmes["day"] + 7 * week, kind=len(KINDS) - 1)
        for week in range(SESSIONS)
    ]
    return pd.concat(weeks, ignore_index=True)


def _usual_rows(plan: Plan, who: People, dice: np.random.Generator) -> pd.DataFrame:
    """A session about every four weeks, on a day the rep is there."""
    n_slots = plan.n_days // EVERY
    rep = np.repeat(np.arange(plan.reps), n_slots)
    day = np.tile(np.arange(n_slots) * EVERY, plan.reps) + dice.integers(0, EVERY, len(rep))
    day = who.clock.forward(rep, day, np.zeros(len(rep))).astype(int)
    is_there = who.is_open[rep, np.minimum(day, plan.horizon - 1)] & (day < plan.n_days)
    is_held = is_there & (dice.random(len(rep)) < 0.93)
    kind, stage = pick(dice, KIND_MIX, len(rep)), dice.integers(0, len(STAGES), len(rep))
    rows = pd.DataFrame({"rep": rep, "day": day, "kind": kind, "stage": stage})
    return rows[is_held]


def _topics(dice: np.random.Generator, stage: np.ndarray) -> pd.Series:
    """The stage, or a skill it leans on."""
    names = [*STAGES, *(SKILLS[name][0] for name in STAGES)]
    return spelled(names, stage + len(STAGES) * (dice.random(len(stage)) < 0.3))


def _text(
    dice: np.random.Generator, what: str, stage: np.ndarray, is_said: np.ndarray
) -> pd.Series:
    """One of the sentences for the stage."""
    pool = [words()["coaching"][name][what] for name in STAGES]
    sizes = np.array([len(lines) for lines in pool])
    code = (np.cumsum(sizes) - sizes)[stage] + (dice.random(len(stage)) * sizes[stage]).astype(int)
    return spelled([line for lines in pool for line in lines], np.where(is_said, code, -1))
