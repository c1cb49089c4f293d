"""Ideas and mistakes that reps bring up, what became of them, and who got the credit."""

import numpy as np
import pandas as pd

from salesnb.simulation.clock import dates
from salesnb.simulation.people import People
from salesnb.simulation.plan import Plan
from salesnb.simulation.words import ids, pick, spelled, words

PER_YEAR = 2.5  # ideas of a rep
ADOPTED, DECLINED = 0.45, 0.35  # the others stay open
CREDITED, WORKED, OWNED = 0.6, 0.65, 0.5


def ideas_table(plan: Plan, who: People) -> pd.DataFrame:
    """The table `ideas`: some reps raise many, some none; not every adopted one is credited."""
    dice = plan.dice("ideas")
    rate = PER_YEAR / 365 * plan.n_days * dice.gamma(2, 0.5, plan.reps)
    rep = np.repeat(np.arange(plan.reps), dice.poisson(rate))
    day = dice.integers(0, plan.n_days, len(rep))
    is_here = who.is_open[rep, day]
    order = np.argsort(day[is_here], kind="stable")
    rep, day = rep[is_here][order], day[is_here][order].astype(float)
    n = len(rep)
    decision = pick(dice, np.array([ADOPTED, DECLINED, 1 - ADOPTED - DECLINED]), n)
    decided = np.where(decision < 2, day + np.ceil(dice.gamma(2, 12, n)), np.nan)
    decided = np.where(decided < plan.n_days, decided, np.nan)
    is_adopted = (decision == 0) & ~np.isnan(decided)
    is_credited = is_adopted & (dice.random(n) < CREDITED)
    credited = np.where(is_credited, decided + dice.integers(0, 15, n), np.nan)
    is_old = is_adopted & (decided + 60 < plan.n_days) & (dice.random(n) < 0.85)
    outcome = np.where(is_old, dice.random(n) >= WORKED, -1).astype(int)
    is_owned = (outcome == 1) & (dice.random(n) < OWNED)
    owned = np.where(is_owned, decided + dice.integers(40, 60, n), np.nan)
    pool = words()["ideas"]
    table = pd.DataFrame(
        {
            "idea_id": spelled(ids("I", n, 3)),
            "rep_id": spelled(who.rep_id, rep),
            "raised_on": dates(plan, day),
            "idea": spelled(pool, dice.integers(0, len(pool), n)),
            "decision": spelled(("adopted", "declined"), np.where(np.isnan(decided), -1, decision)),
            "decided_on": dates(plan, decided),
            "credited_on": dates(plan, np.where(credited < plan.n_days, credited, np.nan)),
            "outcome": spelled(("worked", "failed"), outcome),
            "owned_on": dates(plan, owned),
        }
    )
    return table[who.is_there[rep, day.astype(int)]].reset_index(drop=True)
