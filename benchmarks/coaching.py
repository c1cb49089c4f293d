"""How often coaching is said to work when it does, and when it does not, beside usual ways.

    python benchmarks/coaching.py            writes docs/coaching_effect.md
    python benchmarks/coaching.py --quick    a few teams per setting, prints the tables only

Made here: two years of one coached stage. The quality of each rep is lasting differences plus an
autoregression from quarter to quarter; reps have their own mix of two segments; deals take
log-normal times, losses longer than advances, and some are still open at the end. Twice, after a
year and after a year and a half, the reps with the lowest share of advanced deals of the last
quarter or the last year are put into a programme; everybody has one-on-ones. Beside that teams of
`salesnb.simulate`, with what it plants and with nothing planted.
"""

import argparse
import warnings
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy.special import expit, logit
from scipy.stats import norm

import salesnb
from salesnb import coaching_log, schema
from salesnb.settings import Settings
from salesnb.team import Team

AS_OF = pd.Timestamp("2026-06-30")
QUARTER, N_QUARTERS = 91, 8
DAYS = QUARTER * N_QUARTERS
STARTS = (4 * QUARTER + 8, 6 * QUARTER + 8)  # days since the history began
SHARE = 0.2  # of the reps, each time
TYPICAL = np.array([0.5, 0.68])  # of the two segments
TO_ADVANCE, TO_LOSE, SPREAD = 10.0, 18.0, 0.7  # median days, log standard deviation
EFFECT = 0.06
TABLES = ("accounts", "products", "stage_changes", "coaching")
WAYS = ["salesnb", "before and after", "difference in differences", "ANCOVA, HC3"]


class Setting(NamedTuple):
    """One kind of team: `deals` are those of a rep at the stage in two years."""

    reps: int
    deals: int
    rule: str  # the coached are the worst of the last "quarter" or "year"
    fading: float  # how much of a quarter's quality is left in the next one
    lasting: float  # standard deviation of lasting differences, logit
    drift: float  # of those that fade
    effect: float


def made(setting: Setting, seed: int) -> Team:
    """A team of this kind."""
    dice = np.random.default_rng(seed)
    n = dice.poisson(setting.deals * np.exp(dice.normal(0, 0.3, setting.reps)))
    rep = np.repeat(np.arange(setting.reps), n)
    entered = np.floor(dice.uniform(0, DAYS, len(rep)))
    segment = (dice.random(len(rep)) < dice.beta(3, 3, setting.reps)[rep]).astype(int)
    quality = _quality(setting, dice)[rep, (entered // QUARTER).astype(int)]
    p = expit(logit(TYPICAL[segment]) + quality)
    luck, pace = dice.random(len(rep)), np.exp(SPREAD * dice.normal(size=len(rep)))
    lift, coached = np.zeros((setting.reps, DAYS)), []
    for start in STARTS:
        is_advance = luck < p + lift[rep, entered.astype(int)]
        left = entered + np.ceil(pace * np.where(is_advance, TO_ADVANCE, TO_LOSE))
        worst = _worst(setting, rep, is_advance, left, start)
        lift[worst, start:] += setting.effect
        coached += [(each, start) for each in worst]
    is_advance = luck < p + lift[rep, entered.astype(int)]
    left = entered + np.ceil(pace * np.where(is_advance, TO_ADVANCE, TO_LOSE))
    return _team(setting, rep, segment, entered, left, is_advance, _log(setting, coached, dice))


def _quality(setting: Setting, dice: np.random.Generator) -> np.ndarray:
    drift = dice.normal(0, 1, (setting.reps, N_QUARTERS))
    for quarter in range(1, N_QUARTERS):
        fresh = np.sqrt(1 - setting.fading**2) * drift[:, quarter]
        drift[:, quarter] = setting.fading * drift[:, quarter - 1] + fresh
    return dice.normal(0, setting.lasting, (setting.reps, 1)) + setting.drift * drift


def _worst(
    setting: Setting, rep: np.ndarray, is_advance: np.ndarray, left: np.ndarray, start: int
) -> np.ndarray:
    """Whose share of advanced deals was lowest in the last quarter or year, as known then."""
    first = start - 8 - (QUARTER if setting.rule == "quarter" else 4 * QUARTER)
    seen = (left >= first) & (left < start - 8)
    n = np.bincount(rep[seen], minlength=setting.reps)
    share = np.bincount(rep[seen], is_advance[seen], setting.reps) / np.maximum(n, 1)
    return np.argsort(np.where(n >= 3, share, np.inf), kind="stable")[
        : max(1, round(SHARE * setting.reps))
    ]


def _log(setting: Setting, coached: list, dice: np.random.Generator) -> pd.DataFrame:
    rows = [(r, s + 7 * week, "programme", "Demo") for r, s in coached for week in range(4)]
    for rep in range(setting.reps):
        for day in range(14, DAYS, 28):
            rows.append((rep, day, "one_on_one", dice.choice(["Demo", "Offer", "planning"])))
    log = pd.DataFrame(rows, columns=["rep", "day", "kind", "topic"])
    log["session_id"] = [f"S{i}" for i in range(len(log))]
    return log


def _day(day: np.ndarray) -> pd.Series:
    day = pd.Series(np.asarray(day, float))
    day = day.where(day < DAYS)
    return AS_OF - pd.to_timedelta(DAYS - 1 - day, unit="D").astype("timedelta64[us]")


def _team(setting, rep, segment, entered, left, is_advance, log) -> Team:
    names = np.array([f"R{i:02d}" for i in range(setting.reps)])
    ids = np.array([f"D{i}" for i in range(len(rep))])
    moved = is_advance & (left < DAYS)
    changes = pd.DataFrame(
        {
            "deal_id": np.r_[ids, ids[moved]],
            "stage": np.repeat(["Demo", "Offer"], [len(ids), moved.sum()]),
            "entered_at": pd.concat([_day(entered), _day(left[moved])], ignore_index=True),
            "rep_id": names[np.r_[rep, rep[moved]]],
        }
    )
    outcome = pd.Series(np.where(~is_advance & (left < DAYS), "lost", None), dtype="str")
    deals = {"deal_id": ids, "rep_id": names[rep], "segment": np.array(["A", "B"])[segment]}
    deals |= {"created_on": _day(entered), "closed_on": _day(left).where(outcome.notna())}
    tables = {
        "reps": pd.DataFrame({"rep_id": names, "name": names}),
        "deals": pd.DataFrame(deals | {"outcome": outcome}),
        "stage_changes": changes,
        "coaching": log.assign(rep_id=names[log["rep"]], held_on=_day(log["day"])).drop(
            columns=["rep", "day"]
        ),
    }
    whole = {name: pd.concat([schema.empty(name), rows]) for name, rows in tables.items()}
    return Team(Settings(as_of=AS_OF, stages=("Demo", "Offer")), whole)


def judged(team: Team, stage: str, truth: float) -> dict:
    """What each way says of the coaching at one stage."""
    table = coaching_log.effect(team).table
    row = table[table["topic"] == stage].iloc[0]
    people = coaching_log.expected_and_seen(team).table
    people = people[people["topic"] == stage].dropna(subset=["expected_rate", "seen_rate"])
    inside = people["seen_rate"].between(people["expected_low"], people["expected_high"])
    told = pd.notna(row["effect"])
    return {
        "salesnb": row["verdict"] == "yes",
        "no": row["verdict"] == "no",
        "cannot tell": row["verdict"] == "cannot_tell",
        "error": row["effect"] - truth,
        "holds": row["effect_low"] <= truth <= row["effect_high"] if told else np.nan,
        "width": row["effect_high"] - row["effect_low"],
        "n_inside": inside.sum(),
        "n_people": len(people),
        **_usual_ways(team, stage),
    }


def _usual_ways(team: Team, stage: str) -> dict:
    """Verdicts (one-sided p < .05) on the first round of coaching, of deals that left the stage."""
    seen = coaching_log.working.ended(team)
    seen = seen[seen["stage"] == stage]
    begun = coaching_log.working.begun(team)
    begun = begun[begun["stage"] == stage]
    start = begun["starts_on"].min()
    coached = set(begun.loc[begun["starts_on"] == start, "rep_id"])
    seen = seen[seen["rep_id"].isin(coached | (set(seen["rep_id"]) - set(begun["rep_id"])))]
    time = ((seen["left_at"] - start).dt.days // QUARTER).clip(upper=0)
    good, n = (
        pd.crosstab(seen["rep_id"], time, values, aggfunc="sum").fillna(0)
        for values in (seen["outcome"] == "advanced", pd.Series(1, index=seen.index))
    )
    if 0 not in n or -1 not in n:
        return dict.fromkeys(WAYS[1:], np.nan)
    mine = n.index.isin(coached)
    before, after = (_pooled(good[t][mine], n[t][mine]) for t in (-1, 0))
    other_before, other_after = (_pooled(good[t][~mine], n[t][~mine]) for t in (-1, 0))
    change = after[0] - before[0]
    did = change - (other_after[0] - other_before[0])
    spread = after[1] + before[1], other_after[1] + other_before[1]
    rate = (good / n.where(n > 0)).fillna(good.sum() / n.sum())
    x = sm.add_constant(np.column_stack([rate.drop(columns=0), mine]).astype(float))
    ancova = np.nan
    if len(x) > x.shape[1] + 1 and 1 < mine.sum() < len(x) - 1:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # two quarters alike for all, in a few small teams
            fit = sm.OLS(rate[0].to_numpy(), x).fit(cov_type="HC3", use_t=True)
        ancova = float(fit.params[-1] > 0 and fit.pvalues[-1] / 2 < 0.05)
    return {
        "before and after": norm.sf(change / np.sqrt(spread[0])) < 0.05,
        "difference in differences": norm.sf(did / np.sqrt(sum(spread))) < 0.05,
        "ANCOVA, HC3": ancova,
    }


def _pooled(good: pd.Series, n: pd.Series) -> tuple[float, float]:
    rate = good.sum() / max(n.sum(), 1)
    return rate, max(rate * (1 - rate), 0.01) / max(n.sum(), 1)


def settings_looked_at() -> list[Setting]:
    """Without any effect, then with one."""
    firm, some, much = (0.0, 0.0, 0.0), (0.5, 0.2, 0.3), (0.8, 0.2, 0.3)
    alike = [("quarter", some), ("year", much)]
    every = list(product(("quarter", "year"), (firm, some, much)))
    null = [
        Setting(reps, 100, rule, *quality, 0.0)
        for reps, looked_at in ((8, alike), (30, every), (60, alike))
        for rule, quality in looked_at
    ]
    sizes = [(8, 100), (30, 100), (30, 400), (60, 100)]
    return null + [Setting(*size, "quarter", *some, EFFECT) for size in sizes]


def own_teams(seeds: int, settings: list[Setting]) -> pd.DataFrame:
    """What was found in teams made here, one row per setting."""
    rows = []
    for setting in settings:
        found = [
            judged(made(setting, 1000 + seed), "Demo", setting.effect) for seed in range(seeds)
        ]
        rows.append(setting._asdict() | {"teams": seeds} | _summary(pd.DataFrame(found)))
        print(as_markdown(pd.DataFrame(rows[-1:])).splitlines()[-1], flush=True)
    return pd.DataFrame(rows)


def simulated_teams(seeds: int) -> pd.DataFrame:
    """Teams of `salesnb.simulate`; a row of the mean over all topics coached."""
    rows = []
    for effect, null in ((0.0, True), (0.0, False), (0.35, False)):
        found = []
        for seed in range(seeds):
            team, truth = salesnb.simulate(
                seed=1000 + seed, reps=30, deals_per_rep=150, coaching_effect=effect,
                course_effect=0, null=null, tables=TABLES,
            )  # fmt: skip
            for topic in coaching_log.effect(team).table.dropna(subset="effect")["topic"]:
                found.append(judged(team, topic, _planted(team, truth, topic, effect)))
        about = {"planted": "nothing at all" if null else f"{effect:g} logit"}
        rows.append(about | {"teams": seeds, "topics": len(found)} | _summary(pd.DataFrame(found)))
        print(as_markdown(pd.DataFrame(rows[-1:])).splitlines()[-1], flush=True)
    return pd.DataFrame(rows)


def _planted(team: Team, truth, stage: str, effect: float) -> float:
    """Points that the planted logit is worth on the deals of the coached since."""
    if not effect:
        return 0.0
    found = coaching_log.working.panel(team)
    found = found[(found["stage"] == stage) & (found["dose"] > 0)]
    own = truth.skills.set_index(["rep_id", "stage"])["shift_logit"]
    shift = np.array([own[rep, stage] for rep in found["rep_id"]])
    p = logit(found["typical_rate"].clip(0.01, 0.99)) + shift
    gain = (expit(p + effect * found["dose"]) - expit(p)) / found["dose"]
    return float(np.average(gain, weights=found["n_known"]))


def _summary(found: pd.DataFrame) -> dict:
    means = found.drop(columns=["n_inside", "n_people"]).astype(float).mean()
    people = found["n_inside"].sum() / max(found["n_people"].sum(), 1)
    return means.to_dict() | {"people hold": people}


def as_markdown(table: pd.DataFrame) -> str:
    """A table as Markdown, numbers to two digits."""
    shown = table.copy()
    for column in shown.select_dtypes("float"):
        digits = 3 if column == "error" else 2
        shown[column] = [f"{v:.{digits}f}" if pd.notna(v) else "" for v in shown[column]]
    lines = ["| " + " | ".join(shown.columns) + " |", "|" + "---|" * len(shown.columns)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in shown.itertuples(index=False)]
    return "\n".join(lines)


def main() -> None:
    """Run, print, and write the page unless quick."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seeds", type=int, default=500)
    options = parser.parse_args()
    seeds = 5 if options.quick else options.seeds
    own = own_teams(seeds, settings_looked_at())
    simulated = simulated_teams(max(seeds // 5, 3))
    parts = ["reps", "deals", "rule", "fading", "lasting", "drift", "teams"]
    null, works = own[own["effect"] == 0], own[own["effect"] > 0]
    holds = ["error", "holds", "people hold"]
    words = {"seeds": str(seeds), "margin": f"±{2 * np.sqrt(0.05 * 0.95 / seeds):.2f}"}
    tables = {
        "null": as_markdown(null[[*parts, *WAYS, *holds]]),
        "works": as_markdown(
            works[["reps", "deals", "teams", *WAYS, "no", "cannot tell", "width", *holds]]
        ),
        "simulated": as_markdown(
            simulated[["planted", "teams", "topics", "salesnb", "no", *holds]]
        ),
    }
    for table in tables.values():
        print(table)
    if not options.quick:
        page = Path(__file__).parents[1] / "docs" / "coaching_effect.md"
        page.write_text(PAGE.format(**tables, **words), encoding="utf-8")
        print(page)


PAGE = """# Does coaching work, and how well is that known?

Made by `python benchmarks/coaching.py`: teams whose truth is known. `coaching_log.effect` says
`yes` when the whole 90 % interval of the effect lies above 0, so without any effect one topic in
twenty should read yes; `no` when the interval lies below 3 points; else `cannot_tell`.

Why not before and after: whoever is coached because a quarter was low comes back by themselves. A
comparison with the others over the same two quarters does not help, since the others were not
chosen for a low one.

The method: a model of every rep's rate in every quarter (`salesnb.drift`), with lasting differences
between reps and differences that fade. It is analysis of covariance on all earlier quarters, each
weighed by its deals; how strongly a past quarter counts is averaged over what the data leave open.
Least squares of the quarters' rates with HC3 errors, on the first round alone, is the last column
of the usual ways: it is as honest, and finds far less, because it has to find from the spread of a
few reps what is known from the number of their deals.

## When coaching does nothing

Share of teams in which each way says "it worked". The coached are the worst fifth of the last
*quarter* or *year*, in two rounds. *fading*: how much of a rep's quarter is left in the next
one; *lasting* and *drift*: standard deviations of the two kinds of differences (logit). *deals*:
of a rep at the stage in two years, on average. *error*: mean of the estimate less the truth, in
points / 100. *holds*: how often the 90 % interval of the effect covers the truth; *people hold*:
how often the rate seen of a coached rep lies in the interval of
`coaching_log.expected_and_seen`.

{null}

With {seeds} teams a share of .05 is known to about {margin}.

## When coaching adds 6 points

Chosen by the last quarter, fading .5, lasting .2, drift .3. *width* of the 90 % interval, in points
/ 100.

{works}

## Teams of `salesnb.simulate`

30 reps with 150 deals in two years through five stages; *topics* of all teams together. *0.35
logit* is worth 4 to 8 points; *0 logit* are teams with leaks and strengths whose coaching does
nothing; *nothing at all* are teams in which all reps are alike.

{simulated}

## What it cannot tell

- Whether the coaching was the cause, where reps were chosen for a reason that is in no number. Only
  a draw by lot can: `coaching_log.staggered_start`.
- A reason that shows at other stages only. The model of a stage looks at that stage: a rep chosen
  for being low everywhere, and low everywhere for good, reads as if coaching had done less.
- Effects that build up or wear off: it is the mean since the first session of the programme.
- Anything of one person. With fewer than two coached or three others there is no figure.
- Which of several topics worked, once many are looked at: one in twenty reads yes by chance.
- An effect of 6 points in a team of eight, most of the time. `n_more_deals` says how far it is.
"""

if __name__ == "__main__":
    main()
