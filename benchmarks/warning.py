"""How soon a lasting drop in meetings booked is found, at how many false alarms.

Teams over two years, with leave, holidays, seasons, new hires and leavers. In some reps' weeks a
part of the bookings is taken out; whether an alarm begins within eight weeks of it, and how many
begin elsewhere, is counted. Beside it stand the rules that people use.

    python benchmarks/warning.py              # writes docs/warning_accuracy.md
    python benchmarks/warning.py --seeds 4    # quicker, prints only
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from pages import options, write

import salesnb
from salesnb import watch
from salesnb.stats import wilson
from salesnb.weekly import NEVER, Weekly, is_silent, weekly

WITHIN, LASTS, AFTER = 8, 20, 8  # weeks: to be found in, of a drop, until things are usual again
PLANTED, FIRST = 0.25, 30  # share of reps with a drop; first week in which one may begin
Rule = Callable[[Weekly], np.ndarray]  # is_alarm (reps x weeks) from what was booked


@dataclass(frozen=True)
class Score:
    """Alarms counted: false ones, rep-weeks without a drop, drops found, drops."""

    n_false: int = 0
    n_usual: int = 0
    n_found: int = 0
    n_drops: int = 0

    def __add__(self, other: "Score") -> "Score":
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Score(*(a + b for a, b in pairs))

    @property
    def per_year(self) -> float:
        """False alarms per rep and year."""
        return 52 * self.n_false / max(self.n_usual, 1)

    @property
    def found(self) -> str:
        """Share of drops found, with its 90 % interval."""
        share = np.array([self.n_found / max(self.n_drops, 1)])
        low, high = wilson(share, np.array([self.n_drops]))
        return f"{share[0]:.2f} ({low[0]:.2f}-{high[0]:.2f})"


def cusum(weeks: Weekly) -> np.ndarray:
    """The alarm of `pipeline.early_warning`."""
    return watch.watch(weeks.count, weeks.exposure, weeks.tenure).is_alarm


def ewma(weeks: Weekly, keep: float = 0.75, limit: float = 0.72) -> np.ndarray:
    """A moving average of the same residuals, cut off at 2.5 standard deviations."""
    w = watch.watch(weeks.count, weeks.exposure, weeks.tenure)
    spread = np.sqrt(w.expected + w.expected**2 / w.size)
    off = np.divide(weeks.count - w.expected, spread, out=np.zeros(spread.shape), where=spread > 0)
    off = np.clip(off, -2.5, 2.5) * w.is_sure
    mean, is_on, found = np.zeros(len(off)), np.zeros(len(off), bool), []
    for week in off.T:
        mean = keep * mean + (1 - keep) * week
        is_on = np.where(is_on, mean < -limit / 2, mean <= -limit)
        found.append(is_on)
    return np.array(found).T


def below_last_week(weeks: Weekly) -> np.ndarray:
    """Fewer than the week before."""
    return np.pad(weeks.count[:, 1:] < weeks.count[:, :-1], ((0, 0), (1, 0)))


def below_average(weeks: Weekly, share: float = 0.7, last: int = 1, before: int = 13) -> np.ndarray:
    """The last weeks' mean below a share of the mean of the weeks before."""
    table = pd.DataFrame(weeks.count.T)
    usual = table.rolling(before).mean().shift(last)
    return (table.rolling(last).mean() < share * usual).to_numpy().T


def below_target(weeks: Weekly) -> np.ndarray:
    """Below three quarters of the team's mean, over four weeks."""
    table = pd.DataFrame(weeks.count.T).rolling(4).mean()
    return table.lt(0.75 * table.mean(axis=1), axis=0).to_numpy().T


RULES: dict[str, Rule] = {
    "CUSUM (early_warning)": cusum,
    "EWMA .25 of the same residuals": ewma,
    "below last week": below_last_week,
    "below 80 % of the mean of four weeks": lambda w: below_average(w, 0.8, before=4),
    "week below 70 % of the 13 weeks before": below_average,
    "four weeks below 70 % of the 13 before": lambda w: below_average(w, last=4),
    "four weeks below 50 % of the 13 before": lambda w: below_average(w, 0.5, 4),
    "four weeks below 30 % of the 13 before": lambda w: below_average(w, 0.3, 4),
    "four weeks below 75 % of the team": below_target,
}


def simulated(seed: int, deals_per_rep: int, reps: int = 30) -> Weekly:
    """A team of `salesnb.simulate`, none of whom has a drop yet."""
    team, _ = salesnb.simulate(
        seed=seed,
        deals_per_rep=deals_per_rep,
        reps=reps,
        drop_share=0,
        tables=("reps", "activities", "absences"),
    )
    return weekly(team)


def counts(
    seed: int,
    *,
    reps: int = 30,
    mean: float = 6,
    size: float = 12,
    wander: float = 0,
    new: float = 0.2,
    is_leave_known: bool = True,
    n_weeks: int = 104,
) -> Weekly:
    """Counts from another, plainer world: gamma-Poisson weeks, a rep's slow ups and downs."""
    dice = np.random.default_rng(seed)
    level = mean * np.exp(dice.normal(0, 0.3, (reps, 1)))
    week = np.arange(n_weeks)
    season = 1 + 0.25 * np.sin(2 * np.pi * week / 52 + 1) + dice.normal(0, 0.06, n_weeks)
    season[25::52] *= 0.3
    away = dice.random((reps, n_weeks)) < 0.06
    away |= np.roll(away, 1, axis=1) & (dice.random((reps, n_weeks)) < 0.5)
    slow = np.zeros((reps, n_weeks))
    for t in range(1, n_weeks):
        slow[:, t] = 0.9 * slow[:, t - 1] + wander * np.sqrt(0.19) * dice.normal(size=reps)
    hired = np.where(dice.random(reps) < new, dice.integers(10, n_weeks - 10, reps), -NEVER)
    tenure = np.clip(week - hired[:, None], -1, NEVER)
    ramp = 1 - 0.6 * np.exp(-np.maximum(tenure, 0) / 11)
    here = ~away & (tenure >= 0)
    rate = level * season * ramp * np.exp(slow) * dice.gamma(size, 1 / size, (reps, n_weeks))
    is_on_team, count = tenure >= 0, dice.poisson(rate * here)
    if not is_leave_known:
        here = is_on_team & ~is_silent(count, False)
    return Weekly(
        rep_id=pd.Index([f"R{rep}" for rep in range(reps)]),
        week=pd.date_range("2024-07-01", periods=n_weeks, freq="7D"),
        count=count,
        exposure=here.astype(float),
        is_employed=is_on_team,
        tenure=np.maximum(tenure, 0),
        caveats=(),
    )


def planted(weeks: Weekly, factor: float, seed: int) -> tuple[Weekly, np.ndarray]:
    """The same weeks with bookings taken out, and the week in which each rep's drop begins.

    Only reps who are past their first weeks and stay for the eight that count; -1 without a drop.
    """
    dice = np.random.default_rng([seed, 1])
    n_reps, n_weeks = weeks.count.shape
    start = dice.integers(FIRST, n_weeks - WITHIN, n_reps)
    stays = weeks.is_employed[np.arange(n_reps), start + WITHIN]
    is_known = weeks.tenure[np.arange(n_reps), start] > 40
    busy = np.array([weeks.exposure[r, s : s + WITHIN].sum() for r, s in enumerate(start)]) >= 6
    has = (dice.random(n_reps) < PLANTED) & stays & is_known & busy
    start = np.where(has, start, -1)
    since = np.arange(n_weeks) - start[:, None]
    is_short = has[:, None] & (since >= 0) & (since < LASTS)
    left = dice.binomial(weeks.count, np.where(is_short, factor, 1.0))
    return replace(weeks, count=left), start


def score(is_alarm: np.ndarray, weeks: Weekly, start: np.ndarray) -> Score:
    """Count the alarms that begin within a drop's first weeks, and those where there is none."""
    begins = is_alarm & ~np.pad(is_alarm, ((0, 0), (1, 0)))[:, :-1]
    since = np.arange(is_alarm.shape[1]) - start[:, None]
    has = (start >= 0)[:, None]
    is_usual = weeks.is_employed & ~(has & (since >= 0) & (since < LASTS + AFTER))
    is_usual[:, : watch.WARM_UP] = False
    found = (begins & has & (since >= 0) & (since < WITHIN)).any(axis=1)
    return Score(*(int(each.sum()) for each in (begins & is_usual, is_usual, found, has)))


def rated(teams: list[Weekly], rule: Rule, factor: float, times: int = 4) -> Score:
    """A rule over all teams, each with several plantings."""
    total = Score()
    for number, weeks in enumerate(teams):
        for time in range(times):
            left, start = planted(weeks, factor, 100 * number + time)
            total += score(rule(left), left, start)
    return total


def row(name: str, teams: list[Weekly], rule: Rule) -> str:
    """One line of a table: false alarms, a halving found, a drop to 70 % found."""
    half, less = (rated(teams, rule, factor) for factor in (0.5, 0.7))
    both = Score(half.n_false + less.n_false, half.n_usual + less.n_usual)
    mean = np.mean([w.count.sum() / max(w.exposure.sum(), 1) for w in teams])
    line = f"| {name} | {mean:.1f} | {both.per_year:.2f} | {half.found} | {less.found} |"
    print(line, flush=True)
    return line


WORLDS: dict[str, dict] = {
    "6 a week, size 12": {},
    "size 4: weeks differ more": {"size": 4},
    "size 1000: as regular as chance allows": {"size": 1000},
    "3 a week": {"mean": 3},
    "12 a week": {"mean": 12},
    "slow ups and downs of 20 %": {"size": 25, "wander": 0.2},
    "leave nobody recorded": {"is_leave_known": False},
    "half of them new": {"new": 0.5},
    "a year of history": {"n_weeks": 60},
    "8 reps": {"reps": 8},
    "3 reps": {"reps": 3},
}


def main() -> None:
    """Run everything and write the page."""
    n_seeds = options(__doc__, seeds=20).seeds
    head = "| | a week | false alarms per rep and year | halving found | drop to 70 % found |"
    head = f"{head}\n|---|---|---|---|---|"
    print(head)
    usual = [simulated(seed, 120) for seed in range(n_seeds)]
    busy = [simulated(seed, 180) for seed in range(100, 100 + n_seeds)]
    rules = [row(name, busy, rule) for name, rule in RULES.items()]
    eight = [simulated(seed, 180, reps=8) for seed in range(200, 200 + 2 * n_seeds)]
    fewer = [row("CUSUM, teams that book fewer", usual, cusum)]
    fewer += [row("CUSUM, teams of 8 reps", eight, cusum)]
    others = []
    for name, world in WORLDS.items():
        n = n_seeds * 30 // max(world.get("reps", 30), 10)
        teams = [counts(seed, **world) for seed in range(1000, 1000 + n)]
        others.append(row(name, teams, cusum))
    if n_seeds >= 20:
        tables = {"rules": [head, *rules], "fewer": [head, *fewer], "worlds": [head, *others]}
        said = {name: "\n".join(lines) for name, lines in tables.items()}
        write(
            "warning_accuracy.md",
            PAGE_TEXT.format(n=n_seeds, n_small=2 * n_seeds, **CONSTANTS, **said),
        )


CONSTANTS = {"lasts": LASTS, "within": WITHIN, "drop": watch.DROP, "cap": watch.CAP}
CONSTANTS |= {"limit": watch.LIMIT, "new": watch.NEW_USUAL}
PAGE_TEXT = """# How early is the early warning?

What `pipeline.early_warning` finds on simulated teams, and how often it errs. Written by
`python benchmarks/warning.py`; {n} teams of 30 reps for each line, two years each, unless it
says otherwise.

A drop is planted by taking out half of a rep's bookings, or three in ten, from a random week on,
for {lasts} weeks. It is found if an alarm begins within {within} weeks. An alarm that begins in a
week without a drop is false. Intervals are 90 %.

## Against the rules people use

Teams of `salesnb.simulate`, with leave, holidays, seasons, new hires and leavers.

{rules}

Whoever cries every other week misses nothing. The one rule of thumb that errs as seldom as the
CUSUM, four weeks below 30 %, finds a third as much. EWMA is as good where its limit was tuned to
these teams; the CUSUM keeps its limit everywhere below.

Teams that book less, and {n_small} teams of 8 reps:

{fewer}

## In other worlds

Counts drawn by a plainer simulator; nothing was tuned here either. The fewer meetings in a week
and the more a rep's weeks differ, the less is found at so few false alarms.

{worlds}

## How it works

- Expected = own level x the week's factor x share of the week at work x ramp of a new hire.
  The level is a gamma prior (the team's spread of levels) updated week by week, older weeks fading
  with a memory of a year; the factor is what the others booked against their levels.
- The dispersion comes from all reps together, from single weeks or runs of four, whichever scatter
  more, so that slow ups and downs are no alarm.
- Evidence of a drop to {drop:.0%} of the level is added up, negative binomial, at most {cap} a
  week; alarm from {limit} on, until it has receded to half of that. What is booked during an alarm
  does not lower the usual level; after {new} weeks of alarm the lower level is the usual one.
- The limit was set once so that teams of all these kinds stay at about half a false alarm per rep
  and year.
"""
if __name__ == "__main__":
    main()
