"""What was planted. It is returned beside the team and never stands inside it."""

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from scipy.special import expit

from salesnb.simulation.clock import dates
from salesnb.simulation.deals import deal_ids
from salesnb.simulation.market import account_ids, kind_names, kinds
from salesnb.simulation.notes import LANGUAGES, claim_ids, tell_rates
from salesnb.simulation.people import RAMP_ENERGY, RAMP_LOGIT, RAMP_MONTHS, People
from salesnb.simulation.plan import STAGES, Plan
from salesnb.simulation.selling import World
from salesnb.simulation.story import Story
from salesnb.simulation.training import leans
from salesnb.simulation.words import ids, spelled, words


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
    hygiene : every rep; rep_id, factor : working days until a lost deal is closed, against typical
    ramp : a new hire; month since the hire, shift_logit at every stage, booked_factor on meetings
        booked, both against the same rep later
    drops : planted drops in meetings booked; rep_id, starts_on, ends_on (the last day known),
        factor on all bookings of these days
    behind : new hires who book fewer meetings, and so open fewer deals, than other hires after as
        long on the team; rep_id, hired_on, factor on both
    carried : deals that the manager leads for a rep, from the last stage on; deal_id, rep_id,
        led_on (the first day of that)
    classes : every account; account_id, company_class
    class_effects : company_class, shift_logit at every stage, amount_factor
    coaching : programmes; rep_id, stage, starts_on, win_rate (of the quarter for which the rep
        was chosen), effect_logit from that day on
    courses : course_id, stage (empty where no stage leans on the skill), effect_logit from the
        day a rep completes it
    claims : rep x differentiator in the rep's language; rep_id, differentiator_id,
        tell_rate : how often the rep tells it in a meeting about the product
    notes : activity_id, differentiator_id : every claim told in a note (empty where the
        activities were not asked for)
    reopened : deal_id, lost_on (superseded), reopened_on
    open_deals : deals open on `as_of`; deal_id, outcome that the dice hold for them
    """

    skills: pd.DataFrame
    leaks: pd.DataFrame
    strengths: pd.DataFrame
    speed: pd.DataFrame
    hygiene: pd.DataFrame
    ramp: pd.DataFrame
    drops: pd.DataFrame
    behind: pd.DataFrame
    carried: pd.DataFrame
    classes: pd.DataFrame
    class_effects: pd.DataFrame
    coaching: pd.DataFrame
    courses: pd.DataFrame
    claims: pd.DataFrame
    notes: pd.DataFrame
    reopened: pd.DataFrame
    open_deals: pd.DataFrame

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(getattr(self, f.name))} {f.name}" for f in fields(self))
        return f"Truth: {counts}"


def truth(story: Story, notes: pd.DataFrame) -> Truth:
    """The truth of a story as tables; `notes` is what the notes tell."""
    plan, who, skills = story.plan, story.who, _skills(story.world, story.visits)
    return Truth(
        skills=skills,
        leaks=_planted(skills, "is_leak", ascending=False),
        strengths=_planted(skills, "is_strength", ascending=True),
        speed=_cells(story.world).assign(factor=who.speed.ravel()),
        hygiene=pd.DataFrame({"rep_id": spelled(who.rep_id), "factor": who.hygiene}),
        ramp=_ramp(),
        drops=pd.DataFrame(
            {
                "rep_id": spelled(who.rep_id, who.drops["rep"].to_numpy()),
                "starts_on": dates(plan, who.drops["first"].to_numpy(float)),
                "ends_on": dates(plan, who.drops["last"].to_numpy(float)),
                "factor": who.drops["factor"],
            }
        ),
        behind=_behind(plan, who),
        carried=_carried(story),
        coaching=pd.DataFrame(
            {
                "rep_id": spelled(who.rep_id, story.programmes["rep"].to_numpy()),
                "stage": spelled(STAGES, story.programmes["stage"].to_numpy()),
                "starts_on": dates(plan, story.programmes["day"].to_numpy(float)),
                "win_rate": story.programmes["win_rate"].astype(float),
                "effect_logit": plan.coaching_effect,
            }
        ),
        **_companies(story),
        courses=_courses(story),
        claims=_claims(story),
        notes=notes,
        **_deals(story),
    )


def _skills(world: World, visits: pd.DataFrame) -> pd.DataFrame:
    """Skill and its price by rep and stage."""
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
    return _cells(world).assign(
        is_leak=world.who.is_leak.ravel(),
        is_strength=world.who.is_strength.ravel(),
        shift_logit=world.who.shift.ravel(),
        mean_shift_logit=mean.ravel(),
        n_visits=count.ravel().astype(int),
        lost_amount=lost.ravel().round(2),
    )


def _cells(world: World) -> pd.DataFrame:
    """Every rep x stage: rep_id, stage."""
    n, k = world.who.shift.shape
    rep, stage = np.repeat(np.arange(n), k), np.tile(np.arange(k), n)
    return pd.DataFrame({"rep_id": spelled(world.who.rep_id, rep), "stage": spelled(STAGES, stage)})


def _planted(skills: pd.DataFrame, which: str, ascending: bool) -> pd.DataFrame:
    found = skills[skills[which]].sort_values("lost_amount", ascending=ascending, kind="stable")
    return found.reset_index(drop=True)


def _ramp() -> pd.DataFrame:
    month = np.arange(13)
    left = np.exp(-month / RAMP_MONTHS)
    return pd.DataFrame(
        {"month": month, "shift_logit": RAMP_LOGIT * left, "booked_factor": 1 - RAMP_ENERGY * left}
    )


def _behind(plan: Plan, who: People) -> pd.DataFrame:
    rep = np.flatnonzero(who.pace < 1)
    hired_on = dates(plan, who.hired[rep])
    return pd.DataFrame(
        {"rep_id": spelled(who.rep_id, rep), "hired_on": hired_on, "factor": who.pace[rep]}
    )


def _carried(story: Story) -> pd.DataFrame:
    deal = np.flatnonzero(np.isfinite(story.led))
    led = story.led[deal]
    return pd.DataFrame(
        {
            "deal_id": spelled(deal_ids(story.deals.n), deal),
            "rep_id": spelled(story.who.rep_id, story.who.owner(story.deals.rep[deal], led)),
            "led_on": dates(story.plan, led),
        }
    )


def _companies(story: Story) -> dict[str, pd.DataFrame]:
    names = kind_names()
    effects = {"shift_logit": kinds("odds"), "amount_factor": kinds("worth")}
    if story.plan.null:
        effects = {"shift_logit": np.zeros(len(names)), "amount_factor": np.ones(len(names))}
    return {
        "classes": pd.DataFrame(
            {
                "account_id": spelled(account_ids(story.firms)),
                "company_class": spelled(names, story.firms.kind),
            }
        ),
        "class_effects": pd.DataFrame({"company_class": spelled(names), **effects}),
    }


def _courses(story: Story) -> pd.DataFrame:
    course_ids = ids("C", len(words()["courses"]))
    rows = [
        (course_ids[code], STAGES[stage], story.plan.course_effect * course["works"])
        for code, course in enumerate(words()["courses"])
        for stage in leans(code)
    ]
    return pd.DataFrame(rows, columns=["course_id", "stage", "effect_logit"])


def _claims(story: Story) -> pd.DataFrame:
    rates = tell_rates(story.plan)
    rep, claim = (axis.ravel() for axis in np.indices(rates.shape))
    speaks = [LANGUAGES.index(place["language"]) for place in words()["regions"].values()]
    language = np.array(speaks)[story.who.region[rep]]
    return pd.DataFrame(
        {
            "rep_id": spelled(story.who.rep_id, rep),
            "differentiator_id": claim_ids(claim, language),
            "tell_rate": rates.ravel(),
        }
    )


def _deals(story: Story) -> dict[str, pd.DataFrame]:
    plan, visits, names = story.plan, story.visits, deal_ids(story.deals.n)
    in_order = visits.sort_values(["spell", "stage"], kind="stable")
    last = in_order.drop_duplicates("deal", keep="last")
    is_open = story.ends["closed"].isna()
    last = last[is_open[last["deal"]].to_numpy()].sort_values("deal")
    second = visits[visits["spell"] == 1].sort_values("entered").drop_duplicates("deal")
    lost = visits[(visits["spell"] == 0) & ~visits["is_advance"]].set_index("deal")["left"]
    second = second.sort_values("deal")
    return {
        "open_deals": pd.DataFrame(
            {
                "deal_id": spelled(names, last["deal"].to_numpy()),
                "outcome": spelled(("won", "lost"), 1 - last["is_advance"].to_numpy(int)),
            }
        ),
        "reopened": pd.DataFrame(
            {
                "deal_id": spelled(names, second["deal"].to_numpy()),
                "lost_on": dates(plan, lost[second["deal"]].to_numpy()),
                "reopened_on": dates(plan, second["entered"].to_numpy()),
            }
        ),
    }
