"""`simulate`: a whole team from a seed."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from salesnb import schema
from salesnb.errors import DataError, unknown
from salesnb.settings import Settings
from salesnb.simulation import deals as deal_tables
from salesnb.simulation import market
from salesnb.simulation.people import people, reps_table
from salesnb.simulation.pipeline import deals
from salesnb.simulation.plan import COUNTRY, SKILLS, STAGES, TIMEZONE, Plan
from salesnb.simulation.selling import World, sell
from salesnb.simulation.truth import Truth, truth
from salesnb.team import Team


def simulate(
    *,
    seed: int = 0,
    reps: int = 24,
    deals_per_rep: int = 120,
    months: int = 24,
    as_of: str | pd.Timestamp = "2026-06-30",
    leak_share: float = 0.15,
    leak_shift: tuple[float, float] = (-1.2, -0.5),
    strength_share: float = 0.1,
    strength_shift: tuple[float, float] = (0.5, 1.0),
    skill_sd: float = 0.1,
    coaching_effect: float = 0.35,
    coached_share: float = 0.2,
    course_effect: float = 0.2,
    drop_share: float = 0.2,
    null: bool = False,
    tables: Iterable[str] | None = None,
) -> tuple[Team, Truth]:
    """A believable sales team, and the truth that was planted in it.

    The same arguments give the same team on any machine. What differs between reps without being
    skill (their mix of segments, sources, products, sizes and competitors, their tenure, the
    seasons, a share of forgotten open deals) is always there.

    Parameters
    ----------
    seed : a whole number from 0
    reps, deals_per_rep : size; deals are spread over the reps by tenure and energy
    months, as_of : the history ends on `as_of` and began so many months before
    leak_share, strength_share : share of rep x stage cells planted as leaks and as strengths
    leak_shift, strength_shift : lowest and highest logit shift of such a cell
    skill_sd : spread of the logit shifts of all other cells
    coaching_effect : logit that a coaching programme adds at its stage
    coached_share : share of reps, the last quarter's worst, in a programme each quarter
    course_effect : logit that an effective course adds at the stages that lean on its skill
    drop_share : share of reps whose booked meetings drop for some weeks
    null : plant nothing: every rep is typical and slow, fast or late by chance only, no kind of
        company is better, no coaching or course works, nobody's meetings drop
    tables : make only these, faster; they are the same as in the whole team

    Returns
    -------
    Team, Truth
        The truth is not in the team; see `Truth` for its tables.

    Raises
    ------
    DataError
        A parameter out of its range, or a table that does not exist.
    """
    plan = Plan(
        seed=seed,
        reps=reps,
        deals_per_rep=deals_per_rep,
        months=months,
        as_of=_day(as_of),
        leak_share=leak_share,
        leak_shift=leak_shift,
        strength_share=strength_share,
        strength_shift=strength_shift,
        skill_sd=0.0 if null else skill_sd,
        coaching_effect=0.0 if null else coaching_effect,
        coached_share=coached_share,
        course_effect=0.0 if null else course_effect,
        drop_share=0.0 if null else drop_share,
        null=null,
    )
    wanted = set(schema.MODELS) if tables is None else {*tables, *schema.REQUIRED_TABLES}
    for name in wanted:
        if name not in schema.MODELS:
            raise unknown("table", name, schema.MODELS)
    return _made(plan, wanted)


def _day(day: str | pd.Timestamp) -> pd.Timestamp:
    try:
        return pd.Timestamp(day).normalize().as_unit("us")
    except ValueError:
        raise DataError(f"as_of must be a day such as 2026-06-30, not {day!r}.") from None


def _made(plan: Plan, wanted: set[str]) -> tuple[Team, Truth]:
    who = people(plan)
    offers, firms = deals(plan, who)
    world = World(plan, who, offers, np.zeros((plan.reps, len(STAGES), plan.horizon)))
    visits = sell(world)
    ends = deal_tables.closings(plan, offers, visits)
    moves, due = deal_tables.close_dates(plan, who, offers, visits, ends)
    makers = {
        "reps": lambda: reps_table(plan, who),
        "accounts": lambda: market.accounts_table(plan, who, firms),
        "products": lambda: market.products_table(plan),
        "deals": lambda: deal_tables.deals_table(plan, who, firms, offers, ends, due),
        "deal_lines": lambda: deal_tables.deal_lines_table(plan, offers, visits),
        "stage_changes": lambda: deal_tables.stage_changes_table(plan, who, offers, visits),
        "close_date_changes": lambda: deal_tables.close_date_changes_table(plan, offers, moves),
    }
    made = {name: makers[name]() for name in schema.MODELS if name in wanted and name in makers}
    return Team(settings(plan), made), truth(world, visits)


def settings(plan: Plan) -> Settings:
    """What the simulated team says of itself."""
    return Settings(
        as_of=plan.as_of,
        name="Demo",
        currency="EUR",
        timezone=TIMEZONE,
        stages=STAGES,
        skills=SKILLS,
        country=COUNTRY,
    )
