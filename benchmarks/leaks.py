"""How often leaks are named rightly, missed or made up, beside three rules that dashboards use.

    python benchmarks/leaks.py            writes docs/leaks_accuracy.md
    python benchmarks/leaks.py --quick    a few small teams, prints the table only

Simulated teams with planted truth: 15 % of rep x stage cells leak by -0.5 to -1.2 on the logit
scale, 10 % are strengths, deal mix differs between reps, open deals are censored and lost ones
linger. On null teams nothing is planted. A flag is false if the true shift is above -0.3.
"""

import time

import numpy as np
import pandas as pd
from pages import as_markdown, options, write
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

import salesnb
from salesnb import leaks, once
from salesnb.visits import visits

SIZES = [(8, 20), (8, 100), (8, 500), (30, 20), (30, 100), (30, 200), (30, 500)]
SIZES += [(200, 20), (200, 100), (200, 500)]
TABLES = ("accounts", "products", "stage_changes")
MATERIAL = -0.3
OURS = "salesnb, act and look"
RULES = (OURS, "10 points below the team", "lowest at each stage, open as lost", "p < .05 per cell")


def one_team(reps: int, deals: int, seed: int, null: bool) -> list[dict]:
    """The figures of every rule on one simulated team."""
    team, truth = salesnb.simulate(
        seed=seed, reps=reps, deals_per_rep=deals, null=null, tables=TABLES,
        coaching_effect=0, course_effect=0,
    )  # fmt: skip
    once.forget(team)
    started = time.process_time()
    cells = leaks.cells(team)
    seconds = time.process_time() - started
    true = truth.skills[["rep_id", "stage", "mean_shift_logit", "lost_amount"]]
    true = true.rename(columns={"mean_shift_logit": "true_shift", "lost_amount": "true_lost"})
    cells = cells.merge(true, on=["rep_id", "stage"], how="left").merge(
        _raw(team), on=["rep_id", "stage"], how="left"
    )
    is_leak = cells["true_shift"] <= MATERIAL
    shared = {"reps": reps, "deals": deals, "seed": seed, "null": null}
    return [
        shared | {"rule": rule} | _judged(cells, flagged, is_leak, rule, seconds)
        for rule, flagged in _flags(cells).items()
    ]


def _raw(team: salesnb.Team) -> pd.DataFrame:
    """Advanced and lost by rep and stage, as a dashboard counts them."""
    seen = visits(team).astype({"stage": "str"})
    counts = seen.pivot_table(
        index=["rep_id", "stage"],
        columns="outcome",
        values="deal_id",
        aggfunc="count",
        fill_value=0,
    )
    counts = counts.reindex(columns=["advanced", "lost", "open"], fill_value=0)
    return counts.add_prefix("raw_").reset_index()


def _flags(cells: pd.DataFrame) -> dict[str, pd.Series]:
    """Which cells each rule names."""
    advanced, lost = cells["raw_advanced"], cells["raw_lost"]
    by_stage = cells["stage"]
    totals = advanced.groupby(by_stage).transform("sum"), lost.groupby(by_stage).transform("sum")
    team_rate = totals[0] / (totals[0] + totals[1])
    own = advanced / (advanced + lost)
    as_lost = advanced / (advanced + lost + cells["raw_open"])
    p = [
        binomtest(int(a), int(a + b), rate, "less").pvalue if a + b else 1.0
        for a, b, rate in zip(advanced, lost, team_rate, strict=True)
    ]
    lowest = as_lost == as_lost.groupby(by_stage).transform("min")
    found = (
        cells["tier"].isin(["act", "look"]),
        own < team_rate - 0.1,
        lowest,
        pd.Series(p) < 0.05,
    )
    return dict(zip(RULES, found, strict=True))


def _judged(
    cells: pd.DataFrame, flagged: pd.Series, is_leak: pd.Series, rule: str, seconds: float
) -> dict:
    found = {
        "n_flags": int(flagged.sum()),
        "n_false": int((flagged & ~is_leak).sum()),
        "found": cells.loc[flagged & is_leak, "true_lost"].sum(),
        "to_find": cells.loc[is_leak, "true_lost"].sum(),
        "cpu": seconds,
    }
    if rule == OURS:
        told = cells[cells["n_visits"] >= 50]
        inside = told["true_shift"].between(told["shift_low"], told["shift_high"])
        found |= {
            "estimated": cells.loc[flagged, "lost_amount"].sum(),
            "true": cells.loc[flagged, "true_lost"].sum(),
            "n_inside": int(inside.sum()),
            "n_intervals": len(told),
        }
        if is_leak.any() and not is_leak.all():
            found["auc"] = roc_auc_score(is_leak, cells["leak_probability"])
    return found


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """One line per size and rule."""
    lines = []
    for (reps, deals, rule), all_ in rows.groupby(["reps", "deals", "rule"], sort=False):
        null, planted = all_[all_["null"]], all_[~all_["null"]]
        total = planted.sum(numeric_only=True)
        lines.append(
            {
                "reps": reps,
                "deals": deals,
                "seeds": len(planted),
                "rule": rule,
                "false share": total["n_false"] / total["n_flags"] if total["n_flags"] else np.nan,
                "null teams flagged": (null["n_flags"] > 0).mean(),
                "lost revenue found": total["found"] / total["to_find"],
                "estimated / true": total["estimated"] / total["true"] if total["true"] else np.nan,
                "interval holds": total["n_inside"] / total["n_intervals"]
                if total["n_intervals"]
                else np.nan,
                "AUC": planted["auc"].mean(),
                "CPU s": planted["cpu"].mean() if rule == OURS else np.nan,
            }
        )
    return pd.DataFrame(lines)


def main() -> None:
    """Run, print, and write the page unless quick."""
    asked = options(__doc__, seeds=20, flags=("quick",))
    sizes = [(8, 100), (30, 100)] if asked.quick else SIZES
    rows: list[dict] = []
    for reps, deals in sizes:
        seeds = 3 if asked.quick else asked.seeds if reps * deals < 100_000 else 8
        for null in (False, True):
            for seed in range(1000, 1000 + seeds):
                rows += one_team(reps, deals, seed, null)
        print(as_markdown(summary(pd.DataFrame(rows[-2 * seeds * len(RULES) :]))), flush=True)
    if not asked.quick:
        write("leaks_accuracy.md", PAGE.format(table=as_markdown(summary(pd.DataFrame(rows)))))


PAGE = """# How well leaks are found

Made by `python benchmarks/leaks.py`: simulated teams whose truth is known, beside three rules that
dashboards use. A flag is false if the true shift of the rep at that stage is above -0.3 on the
logit scale. *Null teams flagged*: the share of teams without any leak in which somebody is named.
*Lost revenue found*: of the revenue lost through true leaks, the share in flagged ones.
*Estimated / true*: money at the flagged cells. *Interval holds*: how often the 90 % interval of
the shift covers the truth, cells of 50 deals or more. *CPU s*: seconds for one team, one core.

Of a rep with fewer than 40 deals at a stage nothing is said there. Measured on ten teams of 30 reps
with 100 deals each: at 40 deals .04 of the flags are false and .49 of the lost revenue is found,
at 50 deals .05 and .42; no null team is flagged at either. Waiting for more deals would only miss
more.

{table}
"""

if __name__ == "__main__":
    main()
