"""`simulate`: a whole team from a seed."""

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from salesnb import cells, schema
from salesnb.errors import unknown
from salesnb.settings import Settings
from salesnb.simulation import (
    coaching,
    deals,
    ideas,
    market,
    notes,
    paying,
    people,
    targets,
    training,
    working,
)
from salesnb.simulation.plan import COUNTRY, SKILLS, STAGES, TIMEZONE, Plan
from salesnb.simulation.story import Story, tell
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
    behind_share: float = 0.1,
    null: bool = False,
    tables: Iterable[str] | None = None,
) -> tuple[Team, Truth]:
    """A believable sales team, and the truth that was planted in it.

    The same arguments give the same team on any machine. What differs between reps without being
    skill is always there: their mix of segments, sources, products, sizes and competitors, their
    discounts, tenure and energy, the claims they tell; so are seasons and forgotten open deals.

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
    behind_share : share of the last year's hires who book far fewer meetings than hires before
        them did, rounded up; of those with twelve weeks and five earlier hires behind them
    null : plant nothing: every rep is typical and slow, fast or late by chance only, no kind of
        company is better, no coaching or course works, nobody's meetings drop, no hire is behind,
        the manager closes no deal of others
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
        as_of=cells.day(as_of, "as_of"),
        leak_share=leak_share,
        leak_shift=leak_shift,
        strength_share=strength_share,
        strength_shift=strength_shift,
        skill_sd=0.0 if null else skill_sd,
        coaching_effect=0.0 if null else coaching_effect,
        coached_share=coached_share,
        course_effect=0.0 if null else course_effect,
        drop_share=0.0 if null else drop_share,
        behind_share=0.0 if null else behind_share,
        null=null,
    )
    wanted = set(schema.MODELS) if tables is None else {*tables, *schema.REQUIRED_TABLES}
    for name in wanted:
        if name not in schema.MODELS:
            raise unknown("table", name, schema.MODELS)
    return _made(plan, wanted)


def _made(plan: Plan, wanted: set[str]) -> tuple[Team, Truth]:
    story = tell(plan)
    made = {name: make(story) for name, make in MAKERS.items() if name in wanted}
    told = pd.DataFrame({"activity_id": [], "differentiator_id": []}, dtype="str")
    if "activities" in wanted:
        made["activities"], told = _activities(story)
    in_order = {name: made[name] for name in schema.MODELS if name in wanted}
    return Team(settings(plan), in_order), truth(story, told)


def _activities(story: Story) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table `activities`, and what its notes tell."""
    plan, who, firms, made = story.plan, story.who, story.firms, story.deals
    rows = working.activities(plan, who, firms, made, story.visits, story.led)
    note, told = notes.notes(plan, who, made, rows)
    table = working.activities_table(plan, who, firms, made, rows, note)
    claim = notes.claim_ids(told["claim"].to_numpy(), told["language"].to_numpy())
    activity = table["activity_id"].take(told["row"].to_numpy()).reset_index(drop=True)
    return table, pd.DataFrame({"activity_id": activity, "differentiator_id": claim})


def _wins(story: Story) -> tuple[np.ndarray, np.ndarray]:
    won = story.ends["is_won"].to_numpy()
    return story.deals.account[won], story.ends["closed"].to_numpy()[won]


MAKERS: dict[str, Callable[[Story], pd.DataFrame]] = {
    "reps": lambda s: people.reps_table(s.plan, s.who),
    "accounts": lambda s: market.accounts_table(s.plan, s.who, s.firms, *_wins(s)),
    "products": lambda s: market.products_table(s.plan),
    "deals": lambda s: deals.deals_table(s.plan, s.who, s.firms, s.deals, s.ends, s.due),
    "deal_lines": lambda s: deals.deal_lines_table(s.plan, s.deals, s.visits),
    "stage_changes": lambda s: deals.stage_changes_table(s.plan, s.who, s.deals, s.visits, s.led),
    "close_date_changes": lambda s: deals.close_date_changes_table(s.plan, s.deals, s.moves),
    "quotas": lambda s: targets.quotas_table(s.plan, s.who, s.deals, s.ends),
    "absences": lambda s: people.absences_table(s.plan, s.who),
    "goals": lambda s: targets.goals_table(s.plan, s.deals, s.ends),
    "assessments": lambda s: training.assessments_table(s.plan, s.who, s.gained, s.courses),
    "courses": lambda s: training.courses_table(s.plan),
    "attendance": lambda s: training.attendance_table(s.plan, s.who, s.courses),
    "onboarding": lambda s: training.onboarding_table(s.plan, s.who),
    "coaching": lambda s: coaching.coaching_table(s.plan, s.who, s.programmes),
    "differentiators": lambda s: notes.differentiators_table(s.plan),
    "ideas": lambda s: ideas.ideas_table(s.plan, s.who),
}


def settings(plan: Plan) -> Settings:
    """What the simulated team says of itself."""
    return Settings(
        as_of=plan.as_of,
        name="Example team",
        currency="EUR",
        timezone=TIMEZONE,
        stages=STAGES,
        skills=SKILLS,
        country=COUNTRY,
        plans=paying.plans(plan),
    )
