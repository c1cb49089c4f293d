"""What was planted. It is returned beside the team and never stands inside it."""

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from scipy.special import expit

from salesnb.simulation.plan import STAGES
from salesnb.simulation.selling import World
from salesnb.simulation.words import spelled


@dataclass(frozen=True)
class Truth:
    """What a simulated team hides, for judging what an analysis finds.

    Logit shifts are against the typical rep on a deal of the same kind, in the same month, at
    the same tenure: 0 is typical, below 0 worse. Amounts are in the team's currency.

    skills : every rep x stage
        rep_id, stage
        is_leak, is_strength : planted as such
        shift_logit : difference at the start of the history
        mean_shift_logit : the same with coaching and courses, averaged over the rep's visits
        n_visits : deals that entered the stage while the rep owned them
        lost_amount : sum over these deals of amount x (p typical - p rep) x the rep's own chance
            to win from the next stage on; negative where the rep is better than typical
    leaks : the rows of `skills` planted as leaks, largest loss first
    strengths : the rows planted as strengths, largest gain first
    speed : every rep x stage; rep_id, stage, factor : working days in the stage against typical
    hygiene : rep_id, factor : working days until a lost deal is closed, against typical
    """

    skills: pd.DataFrame
    leaks: pd.DataFrame
    strengths: pd.DataFrame
    speed: pd.DataFrame
    hygiene: pd.DataFrame

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(getattr(self, f.name))} {f.name}" for f in fields(self))
        return f"Truth: {counts}"


def truth(world: World, visits: pd.DataFrame) -> Truth:
    """The truth of a simulation as tables."""
    skills = skills_table(world, visits)
    return Truth(
        skills=skills,
        leaks=_planted(skills, "is_leak", ascending=False),
        strengths=_planted(skills, "is_strength", ascending=True),
        speed=cells(world).assign(factor=world.who.speed.ravel()),
        hygiene=pd.DataFrame(
            {"rep_id": pd.Series(world.who.rep_id, dtype="str"), "factor": world.who.hygiene}
        ),
    )


def _planted(skills: pd.DataFrame, which: str, ascending: bool) -> pd.DataFrame:
    found = skills[skills[which]].sort_values("lost_amount", ascending=ascending, kind="stable")
    return found.reset_index(drop=True)


def cells(world: World) -> pd.DataFrame:
    """Every rep x stage: rep_id, stage."""
    n, k = world.who.shift.shape
    rep, stage = np.repeat(np.arange(n), k), np.tile(np.arange(k), n)
    return pd.DataFrame({"rep_id": spelled(world.who.rep_id, rep), "stage": spelled(STAGES, stage)})


def skills_table(world: World, visits: pd.DataFrame) -> pd.DataFrame:
    """`Truth.skills`: skill and its price by rep and stage."""
    n, k = world.who.shift.shape
    known = visits[(visits["entered"] < world.plan.n_days) & (visits["spell"] == 0)]
    shift, count, lost = np.zeros((n, k)), np.zeros((n, k)), np.zeros((n, k))
    for stage in range(k):
        here = known[known["stage"] == stage]
        deal, rep, now = (here[name].to_numpy() for name in ("deal", "rep", "entered"))
        skill = world.skill(stage, rep, now)
        typical = world.typical(deal, stage, rep, now)
        chance = np.ones(len(here))
        for later in range(stage + 1, k):
            odds = world.typical(deal, later, rep, now) + world.skill(later, rep, now)
            chance *= expit(odds)
        loss = world.deals.amount[deal] * (expit(typical) - expit(typical + skill)) * chance
        count[:, stage] = np.bincount(rep, minlength=n)
        shift[:, stage] = np.bincount(rep, skill, minlength=n)
        lost[:, stage] = np.bincount(rep, loss, minlength=n)
    mean = np.divide(shift, count, out=world.who.shift.copy(), where=count > 0)
    return cells(world).assign(
        is_leak=world.who.is_leak.ravel(),
        is_strength=world.who.is_strength.ravel(),
        shift_logit=world.who.shift.ravel(),
        mean_shift_logit=mean.ravel(),
        n_visits=count.ravel().astype(int),
        lost_amount=lost.ravel().round(2),
    )
