"""Is "the deals are harder" said when they are, and not when they are alike?

    python benchmarks/blame_check.py            writes docs/blame_check.md
    python benchmarks/blame_check.py --quick    two small teams, prints the table only

Simulated teams whose odds are known. *As simulated*: every rep has a mix of one's own. *Alike*:
the companies and deals are dealt anew, so that every rep draws from one mix, while skill, tenure
and time stay with the rep; what is said of a difference there is false.
"""

import time
from dataclasses import replace

import numpy as np
import pandas as pd
from pages import as_markdown, options, write
from scipy.special import expit

import salesnb
from salesnb.coaching_log.hardness import YEAR, hardness
from salesnb.simulation import team as simulated
from salesnb.simulation.clock import dates
from salesnb.simulation.deals import closings
from salesnb.simulation.plan import Plan
from salesnb.simulation.selling import sell
from salesnb.simulation.story import Story, tell
from salesnb.simulation.words import spelled

SIZES = [(8, 120), (24, 120), (24, 300)]
TABLES = ("reps", "accounts", "products", "deals", "stage_changes")
BUNDLE = ("account", "segment", "source", "product", "competitor", "amount", "odds")
CLEAR = 0.8  # of the others' chance: clearly harder


def plan_of(seed: int, reps: int, deals: int) -> Plan:
    """The plan of a simulation as `salesnb.simulate` makes it by default."""
    found: list[Plan] = []
    real, simulated._made = simulated._made, lambda plan, wanted: found.append(plan)  # type: ignore
    try:
        salesnb.simulate(seed=seed, reps=reps, deals_per_rep=deals, coached_share=0.0)
    finally:
        simulated._made = real
    return found[0]


def dealt_anew(story: Story, seed: int) -> Story:
    """The same story with the companies dealt among the reps by lot, each with its deals' traits.

    Companies change places with others that have as many deals, so that a rep's deals stay as
    clustered as they were.
    """
    dice, made = np.random.default_rng(seed), story.deals
    order = np.argsort(made.account, kind="stable")
    _, first, size = np.unique(made.account[order], return_index=True, return_counts=True)
    takes = np.empty(made.n, int)
    for n in np.unique(size):
        same = np.flatnonzero(size == n)
        for one, other in zip(same, dice.permutation(same), strict=True):
            takes[order[first[one] : first[one] + n]] = order[first[other] : first[other] + n]
    deals = replace(made, **{name: getattr(made, name)[takes] for name in BUNDLE})
    world = replace(story.world, deals=deals)
    visits = sell(world)
    ends = closings(story.plan, deals, visits)
    return replace(story, deals=deals, world=world, visits=visits, ends=ends)


def one_team(seed: int, reps: int, deals: int, is_alike: bool) -> pd.DataFrame:
    """What is said of each rep, and what is so."""
    story = tell(plan_of(seed, reps, deals))
    story = dealt_anew(story, seed) if is_alike else story
    tables = {name: simulated.MAKERS[name](story) for name in TABLES}
    team = salesnb.Team(simulated.settings(story.plan), tables)
    chance = expit(story.deals.odds).prod(axis=1)
    day = pd.Series(dates(story.plan, story.deals.created))
    is_recent = (day > team.as_of - YEAR).to_numpy()
    owner = tables["deals"]["rep_id"].to_numpy()
    rows = []
    for rep in spelled(story.who.rep_id):
        own = (owner == rep) & is_recent
        started = time.process_time()
        found = hardness(team, rep)
        if found is None:
            continue
        true = chance[own].mean(), chance[is_recent & ~own].mean()
        rows.append(
            {
                "reps": reps,
                "deals": deals,
                "mix": "alike" if is_alike else "as simulated",
                "verdict": found.verdict,
                "ratio": true[0] / true[1],
                "is_inside": found.gap_low <= true[0] - true[1] <= found.gap_high,
                "seconds": time.process_time() - started,
            }
        )
    return pd.DataFrame(rows)


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """One line per size and mix."""
    lines = []
    for (reps, deals, mix), all_ in rows.groupby(["reps", "deals", "mix"], sort=False):
        said, ratio = all_["verdict"], all_["ratio"]
        named = said.isin(["harder", "easier"])
        wrong = (said == "harder") & (ratio >= 1) | (said == "easier") & (ratio <= 1)
        clear = (ratio < CLEAR) | (ratio > 1 / CLEAR)
        lines.append(
            {
                "reps": reps,
                "deals": deals,
                "mix": mix,
                "cases": len(all_),
                "said harder": (said == "harder").mean(),
                "said easier": (said == "easier").mean(),
                "said alike": (said == "alike").mean(),
                "wrong way": wrong.sum() / named.sum() if named.any() else np.nan,
                "clear ones named": named[clear].mean() if clear.any() else np.nan,
                "alike though clear": (said[clear] == "alike").mean() if clear.any() else np.nan,
                "interval holds": all_["is_inside"].mean(),
                "CPU s": all_["seconds"].mean(),
            }
        )
    return pd.DataFrame(lines)


def main() -> None:
    """Run, print, and write the page unless quick."""
    asked = options(__doc__, seeds=6, flags=("quick",))
    rows = []
    for reps, deals in SIZES[:2] if asked.quick else SIZES:
        seeds = 2 if asked.quick else asked.seeds * (3 if reps < 10 else 1)
        for is_alike in (True, False):
            rows += [one_team(seed, reps, deals, is_alike) for seed in range(500, 500 + seeds)]
            print(as_markdown(summary(pd.concat(rows[-seeds:])), digits=3), flush=True)
    if not asked.quick:
        write("blame_check.md", PAGE.format(table=as_markdown(summary(pd.concat(rows)), digits=3)))


PAGE = """# "The leads are bad": how well that is checked

Made by `python benchmarks/blame_check.py`: simulated teams whose odds are known, leaks and
strengths planted as by default. The check runs the typical rep's odds, learnt from other reps'
deals, over the deals that a rep got in the last year and over those of the others.

*As simulated*: every rep has a mix of one's own. *Alike*: companies are dealt among the reps by
lot, so that every rep draws from one mix; *said harder* and *said easier* are false there, 2.5 %
each are nominal. *Wrong way*: of those said to be harder or easier, the share whose deals are not,
by the true odds of these very deals. *Clear ones named*: of the reps whose deals have less than
0.8 or more than 1.25 of the others' true chance, the share said to be harder or easier; *alike
though clear*: the share of these said to be about as hard. *Interval holds*: how often the 90 %
interval of the difference covers that of the true odds of these very deals; as it also covers
which deals happened to come, it may be wider than that needs. *CPU s*: seconds for one rep.

{table}
"""

if __name__ == "__main__":
    main()
