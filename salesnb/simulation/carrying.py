"""Deals that the manager, promoted from among the reps, closes for a few of them."""

import numpy as np
import pandas as pd

from salesnb.simulation.people import People
from salesnb.simulation.pipeline import Deals
from salesnb.simulation.plan import STAGES, Plan

HELPED_SHARE = 1 / 8  # of reps
CARRIED_SHARE = 0.6  # of the deals they bring to the last stage after the promotion


def carried(plan: Plan, who: People, deals: Deals, visits: pd.DataFrame) -> np.ndarray:
    """The moment from which the manager leads each deal; endless where that is never.

    From its entry into the last stage on the manager moves the deal and holds the meetings; it
    stays the rep's, and its odds are the rep's.
    """
    since = np.full(deals.n, np.inf)
    if plan.null or who.manager < 0:
        return since
    dice, promoted = plan.dice("carried"), who.left[who.manager]
    stays = np.flatnonzero(np.isnan(who.left) & (who.hired < promoted))
    helped = dice.permutation(stays)[: max(1, round(HELPED_SHARE * plan.reps))]
    is_chosen = (dice.random(deals.n) < CARRIED_SHARE) & (deals.rep != who.manager)
    last = visits[(visits["stage"] == len(STAGES) - 1) & visits["rep"].isin(helped)]
    last = last[last["entered"].between(promoted + 1, plan.n_days, inclusive="left")]
    last = last[is_chosen[last["deal"]]].sort_values("entered").drop_duplicates("deal")
    since[last["deal"]] = last["entered"]
    return since
