"""How often coaching is said to work when it does, and when it does not, beside usual ways.

    python benchmarks/coaching.py            writes docs/coaching_effect.md
    python benchmarks/coaching.py --quick    a few teams per setting, prints the tables only

The teams are those of benchmarks/coached_teams.py: many in counts by quarter, some whole, from
deals and a coaching log; beside them teams of `salesnb.simulate`, with what it plants and with
nothing planted.
"""

import warnings
from itertools import product

import numpy as np
import pandas as pd
import statsmodels.api as sm
from coached_teams import N_QUARTERS, QUARTER, ROUNDS, Setting, counted, made
from pages import as_markdown, options, write
from scipy.special import expit, logit
from scipy.stats import norm

import salesnb
from salesnb import coaching_log, stats, trials
from salesnb.coaching_log.working import WORTHWHILE
from salesnb.team import Team

EFFECT = 0.06
COUNTED = 4  # times as many teams in counts as whole ones: they are quick
TABLES = ("accounts", "products", "stage_changes", "coaching")
WAYS = ["salesnb", "before and after", "difference in differences", "ANCOVA, HC3"]
PARTS = ["reps", "deals", "rule", "fading", "lasting", "drift", "teams"]
HOLDS = ["error", "holds", "people hold"]
FIRM, SOME, MUCH = (0.0, 0.0, 0.0), (0.5, 0.2, 0.3), (0.8, 0.2, 0.3)  # fading, lasting, drift


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
        **_from_deals(team, stage),
    }


def judged_counts(setting: Setting, seed: int) -> dict:
    """What each way says of a team in counts."""
    rows = counted(setting, seed)
    model = trials.fits(rows)
    assert model is not None
    low, high = model.effect.quantile(0.05), model.effect.quantile(0.95)
    inside = []
    for _, own in rows[rows["rep_id"].isin(rows.loc[rows["dose"] > 0, "rep_id"])].groupby("rep_id"):
        for dose in range(1, own["dose"].max() + 1):
            after, before = own[own["dose"] == dose], own[own["dose"] < dose]
            if len(after):
                inside.append(_is_expected(model, before, after))
    start = ROUNDS[0] - N_QUARTERS + 1
    coached = set(rows.loc[(rows["dose"] > 0) & (rows["time"] == start), "rep_id"])
    never = set(rows["rep_id"]) - set(rows.loc[rows["dose"] > 0, "rep_id"])
    rows = rows[rows["rep_id"].isin(coached | never)]
    time = (rows["time"] - start).clip(upper=0)
    return {
        "salesnb": low > 0,
        "no": low <= 0 and high < WORTHWHILE,
        "cannot tell": low <= 0 and high >= WORTHWHILE,
        "error": model.effect.mean - setting.effect,
        "holds": low <= setting.effect <= high,
        "width": high - low,
        "n_inside": sum(inside),
        "n_people": len(inside),
        **_usual_ways(rows["rep_id"], time, rows["n_good"], rows["n_known"], coached),
    }


def _is_expected(model: trials.Drift, before: pd.DataFrame, after: pd.DataFrame) -> bool:
    n = after["n_known"].sum()
    share = (after["n_known"] / n).to_numpy()
    level = model.expected(before.index.to_numpy(), after.index.to_numpy(), share)
    expected = np.clip(after["typical_rate"].iloc[0] + level.mean, 0.01, 0.99)
    half = stats.z() * np.hypot(level.error, np.sqrt(expected * (1 - expected) / n))
    return bool(abs(after["n_good"].sum() / n - expected) <= half)


def _from_deals(team: Team, stage: str) -> dict:
    """The usual ways on the first round of coaching, of the deals that left the stage."""
    seen = trials.ended(team)
    seen = seen[seen["stage"] == stage]
    begun = coaching_log.working.begun(team)
    begun = begun[begun["stage"] == stage]
    start = begun["starts_on"].min()
    coached = set(begun.loc[begun["starts_on"] == start, "rep_id"])
    seen = seen[seen["rep_id"].isin(coached | (set(seen["rep_id"]) - set(begun["rep_id"])))]
    time = ((seen["left_at"] - start).dt.days // QUARTER).clip(upper=0)
    one = pd.Series(1, index=seen.index)
    return _usual_ways(seen["rep_id"], time, seen["outcome"] == "advanced", one, coached)


def _usual_ways(
    rep: pd.Series, time: pd.Series, good: pd.Series, n: pd.Series, coached: set
) -> dict:
    """Verdicts, one-sided p < .05; `time` in quarters, 0 is all since the start."""
    good, n = (pd.crosstab(rep, time, each, aggfunc="sum").fillna(0) for each in (good, n))
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


def in_counts() -> list[Setting]:
    """Teams in counts: without any effect, then with one."""
    null = [
        Setting(reps, 100, rule, *quality, 0.0)
        for reps, rule, quality in product((8, 30, 60), ("quarter", "year"), (FIRM, SOME, MUCH))
    ]
    sizes = product((8, 30, 60), (100, 400))
    return null + [Setting(*size, "quarter", *SOME, EFFECT) for size in sizes]


def from_deals() -> list[Setting]:
    """Whole teams: without any effect, then with one."""
    null = [
        Setting(reps, 100, rule, *quality, 0.0)
        for reps, (rule, quality) in product((8, 30), (("quarter", SOME), ("year", MUCH)))
    ]
    return null + [Setting(reps, 100, "quarter", *SOME, EFFECT) for reps in (8, 30)]


def looked_at(settings: list[Setting], seeds: int, is_whole: bool) -> pd.DataFrame:
    """What was found, one row per setting."""
    rows = []
    for setting in settings:
        found = [
            judged(made(setting, seed), "Demo", setting.effect)
            if is_whole
            else judged_counts(setting, seed)
            for seed in range(1000, 1000 + seeds)
        ]
        rows.append(setting._asdict() | {"teams": seeds} | _summary(pd.DataFrame(found)))
        print(as_markdown(pd.DataFrame(rows[-1:]), error=3).splitlines()[-1], flush=True)
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
        print(as_markdown(pd.DataFrame(rows[-1:]), error=3).splitlines()[-1], flush=True)
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


def main() -> None:
    """Run, print, and write the page unless quick."""
    asked = options(__doc__, seeds=500, flags=("quick",))
    seeds = 5 if asked.quick else asked.seeds
    counts = looked_at(in_counts(), COUNTED * seeds, is_whole=False)
    whole = looked_at(from_deals(), seeds, is_whole=True)
    simulated = simulated_teams(max(seeds // 10, 3))
    tables = page_tables(counts, whole, simulated)
    for table in tables.values():
        print(table)
    if not asked.quick:
        n = COUNTED * seeds
        words = {"seeds": f"{n:,}", "margin": f"±{2 * np.sqrt(0.05 * 0.95 / n):.2f}"}
        write("coaching_effect.md", PAGE.format(**tables, **words))


def page_tables(
    counts: pd.DataFrame, whole: pd.DataFrame, simulated: pd.DataFrame
) -> dict[str, str]:
    """The tables of the page, by their place in it."""
    null, works = counts[counts["effect"] == 0], counts[counts["effect"] > 0]
    size = ["reps", "deals", "teams"]
    shown = {
        "null": null[[*PARTS, *WAYS, *HOLDS]],
        "works": works[[*size, *WAYS, "no", "cannot tell", "width", *HOLDS]],
        "whole": whole[[*PARTS, "effect", *WAYS, "width", *HOLDS]],
        "simulated": simulated[["planted", "teams", "topics", "salesnb", "no", *HOLDS]],
    }
    return {name: as_markdown(table, error=3) for name, table in shown.items()}


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
of the usual ways: it cries wolf as seldom, and finds far less, because it has to find from the
spread of a few reps what is known from the number of their deals.

## When coaching does nothing

Share of teams in which each way says "it worked". The coached are the worst fifth of the last
*quarter* or *year*, in two rounds. *fading*: how much of a rep's quarter is left in the next
one; *lasting* and *drift*: standard deviations of the two kinds of differences (logit). *deals*:
of a rep at the stage in two years, on average. *error*: mean of the estimate less the truth, in
points / 100. *holds*: how often the 90 % interval of the effect covers the truth; *people hold*:
how often the rate seen of a coached rep lies in the interval of
`coaching_log.expected_and_seen`.

{null}

With {seeds} teams a share of .05 is known to about {margin}; the rows have their dice in common, so
they err together.

## When coaching adds 6 points

Chosen by the last quarter, fading .5, lasting .2, drift .3. *width* of the 90 % interval, in points
/ 100.

{works}

## From deals and a coaching log

The tables above are of counts by quarter. These are whole teams: deals in two segments, of which
each rep has their own mix, some still open, and a log in which everybody has one-on-ones.

{whole}

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
- The whole effect, where those coached are a few who lie far below all others for good: levels are
  taken to be normal, so more is expected to come back by itself than does. In the teams of
  `salesnb.simulate`, with such leaks, the estimate is 2 to 3 points too low; `yes` stays rare.
- Effects that build up or wear off: it is the mean since the first session of the programme.
- Anything of one person. With fewer than two coached or three others there is no figure.
- Which of several topics worked, once many are looked at: one in twenty reads yes by chance.
- An effect of 6 points in a team of eight, most of the time. `n_more_deals` says how far it is.
"""

if __name__ == "__main__":
    main()
