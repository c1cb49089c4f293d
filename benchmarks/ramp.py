"""How well the ramp is read: how long it takes, who is behind, when a hire has earned their cost.

    python benchmarks/ramp.py            writes docs/ramp_accuracy.md
    python benchmarks/ramp.py --quick    a few teams, prints the tables only

Simulated teams whose new hires start with fewer meetings and worse odds that fade with time; none
of them is planted behind, and no coaching works, so that hires are of one kind. The truth is what
many hires of large teams come to, followed for two years or more and none of them still on the
way. In one line a third of the hires leave at random days before the end.
"""

from functools import cache

import numpy as np
import pandas as pd
from pages import as_markdown, options, write

import salesnb
from salesnb import ramp
from salesnb.metrics import ramp as measured
from salesnb.metrics.ledger import ledger
from salesnb.metrics.presence import DAYS_A_MONTH
from salesnb.ramp.earnings import Earnings, earnings
from salesnb.ramp.plans import _plan
from salesnb.ramp.worth import COST_SHARE, _break_even, _margin
from salesnb.stats import wilson
from salesnb.team import Team

SIZES, SEEDS, SEEDS_LEAVING, SEEDS_OF_MONEY = (24, 60, 200), 300, 100, 60
LEAVING, LEAVE_MONTHS = 0.33, 12.0
AT = (4, 6, 9, 12)  # months of the plan that are judged
PER_MONTH = 5  # deals per rep
TRUE_TEAMS, TRUE_TEAMS_LEAVING, TRUE_PLANS = 275, 30, 30  # of 800 reps; the last for the money


def leaving(team: Team, seed: int) -> Team:
    """The same team, of whose hires a third leave; a colleague takes over what is open."""
    dice = np.random.default_rng(seed)
    reps, hires = team.reps, measured.hires(ledger(team))
    days = pd.to_timedelta(np.ceil(dice.exponential(LEAVE_MONTHS * 30, len(hires))), unit="D")
    goes = dice.random(len(hires)) < LEAVING
    left = pd.Series((hires["hired_on"] + days).to_numpy(), index=hires["rep_id"])[goes]
    left = left[left <= team.as_of]
    heir = reps.loc[reps["left_on"].isna() & ~reps["rep_id"].isin(left.index), "rep_id"].iloc[0]
    reps["left_on"] = reps["left_on"].fillna(reps["rep_id"].map(left)).astype("datetime64[us]")
    deals, changes = team.deals, team.stage_changes
    deals = deals[~(deals["created_on"] > deals["rep_id"].map(left))].copy()
    last = deals["rep_id"].map(left)
    deals["rep_id"] = deals["rep_id"].mask(~(deals["closed_on"] <= last) & last.notna(), heir)
    changes = changes[changes["deal_id"].isin(deals["deal_id"])].copy()
    is_late = changes["entered_at"] > changes["rep_id"].map(left) + pd.Timedelta(days=1)
    changes["rep_id"] = changes["rep_id"].mask(is_late, heir)
    tables = {**team.tables, "reps": reps, "deals": deals, "stage_changes": changes}
    return Team(team.settings, {name: t.reset_index(drop=True) for name, t in tables.items()})


def made(seed: int, reps: int, months: int = 24, leave: bool = False, tables=()) -> Team:
    """A simulated team at the usual pace of deals."""
    team, _ = salesnb.simulate(
        seed=seed, reps=reps, months=months, deals_per_rep=PER_MONTH * months,
        coaching_effect=0, behind_share=0,
        tables=["stage_changes", "products", "deal_lines", *tables],
    )  # fmt: skip
    return leaving(team, seed) if leave else team


@cache
def truth(n: int, leave: bool) -> dict:
    """Median months, mean curve and break-even of many hires, all followed for two years.

    They were hired on the same days of a history as those of the teams that are judged.
    """
    waits, firsts, parts = [], [], []
    for seed in range(9000, 9000 + n):
        team = made(seed, 800, months=48, leave=leave)
        book, since = ledger(team), team.as_of - pd.DateOffset(months=24, days=45)
        hires = measured.hires(book)
        hires = hires[hires["hired_on"] < since]
        for reached, until, into in (
            (measured.ramped(book), measured.decided_until(team), waits),
            (measured.first_wins(book), team.as_of, firsts),
        ):
            rows = measured.waits(hires, reached, until)
            into += list((rows["days"] / DAYS_A_MONTH).where(rows["is_there"], np.inf))
        if len(parts) == TRUE_PLANS:
            continue
        found = earnings(book)
        is_early = (found.hires["hired_on"] < since).to_numpy()
        parts.append((found, is_early, _margin(team)))
    plan = [_plan(_early(found, is_early), 1.0)["plan_share"] for found, is_early, _ in parts]
    balance = []
    for found, is_early, margin in parts:
        own = _early(found, is_early)
        spent = COST_SHARE * np.median(own.usual)
        balance.append(np.cumsum(own.won.mean(axis=0) * margin - own.is_there.mean(axis=0) * spent))
    return {
        "n": len(waits),
        "ramped": float(np.median(waits)),
        "first deal": float(np.median(firsts)),
        "mean": {"ramped": _mean(waits), "first deal": _mean(firsts)},
        "plan": np.mean(plan, axis=0),
        "even": float(_break_even(np.mean(balance, axis=0)[None, :])[0]),
    }


def _mean(waits: list[float]) -> float:
    """The mean of those who get there, all of them followed for two years."""
    return float(np.mean([wait for wait in waits if np.isfinite(wait)]))


def _early(found: Earnings, is_early: np.ndarray) -> Earnings:
    """Only the hires that were followed for two years, and only these two years."""
    rows = (found.won, found.is_there, found.tenured)
    won, there, tenured = (each[is_early][:, :23] for each in rows)
    return Earnings(found.hires[is_early], won, there, tenured, found.usual)


def medians(reps: int, seeds: int, true: dict, leave: bool) -> list[dict]:
    """How the median wait of one kind of team comes out."""
    rows = []
    for seed in range(seeds):
        table = ramp.curve(made(seed, reps, leave=leave)).table.set_index("milestone")
        for milestone, row in table.iterrows():
            goal = true[milestone]
            low, high = row["median_months_low"], row["median_months_high"]
            rows.append(
                {
                    "reps": reps,
                    "milestone": milestone,
                    "median": row["median_months"],
                    "naive": row["naive_months"],
                    "is_low": not low > goal,
                    "holds": not low > goal and not high < goal,
                    "told": pd.notna(row["median_months"]),
                    "truth": goal,
                    "mean": true["mean"][milestone],
                }
            )
    frame = pd.DataFrame(rows)
    return [
        {
            "reps": f"{reps}{', a third leave' if leave else ''}",
            "milestone": milestone,
            "truth": f"{rows['truth'].iloc[0]:.1f}",
            "median": f"{rows['median'].mean():.1f}",
            "told": f"{rows['told'].mean():.2f}",
            "interval holds": _share(rows["holds"]),
            "mean of those who made it": f"{rows['naive'].mean():.1f}",
            "true mean": f"{rows['mean'].iloc[0]:.1f}",
            "too low": _share((rows["naive"] < rows["mean"])[rows["naive"].notna()]),
        }
        for milestone, rows in frame.groupby("milestone")
    ]


def money(reps: int, seeds: int, true: dict) -> list[dict]:
    """How the plan and the break-even month come out."""
    rows = []
    for seed in range(seeds):
        team = made(seed, reps)
        plan = ramp.quota_plan(team).table.set_index("month").dropna(subset="plan_low")
        for month in set(AT) & {int(each) for each in plan.index}:
            row, goal = plan.loc[month], true["plan"][month - 1]
            holds = row["plan_low"] <= goal <= row["plan_high"]
            rows.append((f"share of a full quota, month {month}", goal, row["plan_share"], holds))
        row = ramp.cost(team).table.iloc[0]
        goal = true["even"]
        holds = not row["value_low"] > goal and not row["value_high"] < goal
        rows.append(("break-even month", goal, row["value"], holds))
    frame = pd.DataFrame(rows, columns=["figure", "truth", "value", "holds"])
    return [
        {
            "reps": reps,
            "figure": figure,
            "truth": f"{each['truth'].iloc[0]:.2f}",
            "mean": f"{each['value'].mean():.2f}",
            "interval holds": _share(each["holds"]),
        }
        for figure, each in frame.groupby("figure", sort=True)
    ]


def track(seeds: int, reps: int = 200) -> list[dict]:
    """How often somebody is named where hires are of one kind, and where one is held back."""
    rows = []
    for seed in range(seeds):
        team = made(seed, reps, tables=("activities", "absences"))
        found = ramp.on_track(team).table
        slow = found.loc[found["at_work_weeks"].between(8, 40), "rep_id"]
        rows.append(
            {
                "n_new": found["rep_id"].nunique(),
                "n_named": found["status"].isin(["ahead", "behind"]).sum(),
                "n_told": found["status"].isin(["ahead", "behind", "on track"]).sum(),
            }
        )
        for kept in (0.5, 0.25):
            if len(slow):
                rep, dice = slow.iloc[0], np.random.default_rng(seed)
                acts = team.activities
                gone = (acts["rep_id"] == rep) & (dice.random(len(acts)) > kept)
                held = Team(team.settings, {**team.tables, "activities": acts[~gone]})
                table = ramp.on_track(held).table
                own = table[(table["rep_id"] == rep) & (table["item"] == "meetings booked")]
                rows[-1][f"{kept}"] = (own["status"] == "behind").iloc[0]
    frame = pd.DataFrame(rows)
    return [
        {
            "reps": reps,
            "teams": len(frame),
            "comparisons": f"{frame['n_told'].mean():.0f}",
            "teams with anybody named": _share(frame["n_named"] > 0),
            "half the meetings gone: found": _share(frame["0.5"].dropna().astype(bool)),
            "three in four gone: found": _share(frame["0.25"].dropna().astype(bool)),
        }
    ]


def _share(hits: pd.Series) -> str:
    n = max(len(hits), 1)
    low, high = wilson(np.array([hits.mean()]), np.array([n]))
    return f"{hits.mean():.2f} ({low[0]:.2f}-{high[0]:.2f})"


def main() -> None:
    """Run, print, and write the page unless quick."""
    asked = options(__doc__, flags=("quick",))
    n, n_leaving = (1, 1) if asked.quick else (TRUE_TEAMS, TRUE_TEAMS_LEAVING)
    sizes, seeds = ((60,), 5) if asked.quick else (SIZES, SEEDS)
    true, true_leaving = truth(n, False), truth(n_leaving, True)
    waits = [row for reps in sizes for row in medians(reps, seeds, true, leave=False)]
    waits += medians(sizes[-1], min(seeds, SEEDS_LEAVING), true_leaving, leave=True)
    worth = [row for reps in sizes for row in money(reps, min(seeds, SEEDS_OF_MONEY), true)]
    tracked = track(3 if asked.quick else 30)
    parts = {"waits": waits, "worth": worth, "tracked": tracked}
    texts = {name: as_markdown(pd.DataFrame(rows)) for name, rows in parts.items()}
    print(*texts.values(), sep="\n\n")
    counts = {"n": true["n"], "n_leaving": true_leaving["n"], "seeds": seeds}
    if not asked.quick:
        write("ramp_accuracy.md", PAGE.format(**counts, **texts))


PAGE = """# How well the ramp is read

Made by `python benchmarks/ramp.py`: simulated teams of two years, a fifth of the reps hired within
them, five deals a month for each rep. The truth comes from {n:,} hires of large teams, all followed
for two years. Intervals in brackets are 90 %.

## How long the ramp takes

*Median*: mean over the teams that have one (*told*). *Interval holds*: how often the 90 % interval
of the median covers the truth. Beside it the number that is usually quoted, the mean of those who
made it so far, and how often it lies below the mean of those who get there in the end.

It holds a little more often than nine times in ten: the band is made to hold with few hires too.

{waits}

## What it is worth

Hires are few and a month holds few deals. The 90 % interval of a share holds the truth in 65 to
90 % of teams only, least often in the first half-year, where few hires have won anything yet and
the plan asks somewhat too little. That of the break-even month holds it in 87 to 97 %.

{worth}

## Who is on track

The hires differ in energy as all reps do, none is held back: whoever is named there is within what
hires are. Then one new hire of 8 to 40 weeks loses half, or three in four, of the meetings.

{tracked}
"""

if __name__ == "__main__":
    main()
