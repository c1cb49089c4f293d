"""Everything that happened to a team, before anyone wrote it down in tables."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb.simulation.carrying import carried
from salesnb.simulation.coaching import coached
from salesnb.simulation.deals import close_dates, closings
from salesnb.simulation.market import Accounts
from salesnb.simulation.people import People, people
from salesnb.simulation.pipeline import Deals, deals
from salesnb.simulation.plan import Plan
from salesnb.simulation.selling import World
from salesnb.simulation.training import attended, lift


@dataclass(frozen=True)
class Story:
    """The parts, each as its own module draws it.

    courses : rep, course, day
    gained : logit gained by courses alone (reps x stages x days)
    programmes : rep, stage, day, win_rate
    visits : see `selling.sell`
    ends : see `deals.closings`
    moves, due : see `deals.close_dates`
    led : see `carrying.carried`
    """

    plan: Plan
    who: People
    firms: Accounts
    deals: Deals
    world: World
    courses: pd.DataFrame
    gained: np.ndarray
    programmes: pd.DataFrame
    visits: pd.DataFrame
    ends: pd.DataFrame
    moves: pd.DataFrame
    due: np.ndarray
    led: np.ndarray


def tell(plan: Plan) -> Story:
    """Let it happen."""
    who = people(plan)
    made, firms = deals(plan, who)
    courses = attended(plan, who)
    gained = lift(plan, courses)
    world, programmes, visits = coached(World(plan, who, made, gained))
    ends = closings(plan, made, visits)
    moves, due = close_dates(plan, who, made, visits, ends)
    return Story(
        plan=plan,
        who=who,
        firms=firms,
        deals=made,
        world=world,
        courses=courses,
        gained=gained,
        programmes=programmes,
        visits=visits,
        ends=ends,
        moves=moves,
        due=due,
        led=carried(plan, who, made, visits),
    )
