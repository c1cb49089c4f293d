"""How good the odds of open deals are, out of time, beside the odds that people use.

Simulated teams as known on one day and half a year before; each forecast is held against the end
that the dice hold for the deal, which the team does not know. Beside `pipeline.forecast` stand
its rivals: the share won of decided deals that reached the stage, and of all decided deals.

    python benchmarks/forecast.py              # writes docs/forecast_accuracy.md
    python benchmarks/forecast.py --seeds 2    # quicker, prints only
"""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from pages import options, write
from plain_deals import plain
from scipy.special import logit
from statsmodels.api import Logit, add_constant

import salesnb
from salesnb import deal_odds
from salesnb.metrics.rates import win_rate
from salesnb.stats import wilson, z
from salesnb.team import Team

ROOT = Path(__file__).parents[1]
BACK = (0, 180)  # days before the end of the history on which the team is asked
ODDS = ("win_rate", "stage_rate", "historic_rate")
World = Callable[[int], tuple[Team, pd.Series]]  # a seed to a team and who is won in the end


def simulated(seed: int, **options: object) -> tuple[Team, pd.Series]:
    """A team of `salesnb.simulate`."""
    tables = ["accounts", "products", "stage_changes"]
    team, truth = salesnb.simulate(seed=seed, tables=tables, **options)  # type: ignore[arg-type]
    ends = truth.open_deals.set_index("deal_id")["outcome"]
    outcome = team.deals.set_index("deal_id")["outcome"]
    return team, (outcome.fillna(ends.reindex(outcome.index)) == "won").astype(float)


TEAMS: dict[str, World] = {
    "24 reps x 120 deals, two years": lambda seed: simulated(seed),
    "the same, nothing planted": lambda seed: simulated(seed, null=True),
    "8 reps x 60 deals, 18 months": lambda s: simulated(s, reps=8, deals_per_rep=60, months=18),
    "40 reps x 200 deals": lambda s: simulated(s, reps=40, deals_per_rep=200),
    "5 reps x 40 deals, one year": lambda s: simulated(s, reps=5, deals_per_rep=40, months=12),
}
WORLDS: dict[str, World] = {
    "times tell nothing": lambda s: plain(s, advance=(18, 0.9), lose=(18, 0.9), never=0),
    "winners slow, losers fast": lambda s: plain(s, advance=(30, 0.8), lose=(6, 0.6), never=0),
    "a third of the lost never closed": lambda s: plain(s, never=0.35),
    "losses closed at the quarter's end": lambda s: plain(s, purge=True),
    "deals differ in what nobody sees": lambda s: plain(s, hidden=1.2),
    "win rates fall": lambda s: plain(s, drift=-1.0),
    "stages jumped": lambda s: plain(s, skips=0.3),
    "fields filled in at the end": lambda s: plain(s, late=True),
    "one stage": lambda s: plain(s, stages=1, advance=(40, 0.5), lose=(50, 0.8), never=0.25),
    "long cycles, 30 months": lambda s: plain(s, advance=(45, 0.7), lose=(60, 0.8), months=30),
    "strong mix, unequal reps": lambda s: plain(s, mix=0.8, rep=0.6),
    "6 reps x 45 deals": lambda s: plain(s, reps=6, per_rep=45, months=14),
}


def judged(world: World, seeds: range) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every forecast with the truth, and the total of every team with its range."""
    rows, totals = [], []
    for seed in seeds:
        team, is_won = world(seed)
        for back in BACK:
            then = team.at(team.as_of - pd.Timedelta(days=back))
            start = time.process_time()
            found = deal_odds.forecast(then)
            seconds = time.process_time() - start
            view = deal_odds.whole(then)
            now = found.now.merge(then.deals[["deal_id", "amount"]], on="deal_id")
            now = now.assign(
                stage_rate=now["stage"].map(deal_odds.stage_rates(view)).astype(float),
                historic_rate=win_rate(view)["value"].iloc[0],
                is_won=now["deal_id"].map(is_won),
                seed=seed,
            )
            rows.append(now.fillna({"stage_rate": now["historic_rate"].iloc[0]}))
            total, low, high = deal_odds.total(found, now)
            came = (now["amount"] * now["is_won"]).sum()
            totals.append((seconds, total, low <= came <= high, came))
    return pd.concat(rows), pd.DataFrame(totals, columns=["seconds", "total", "is_within", "came"])


def row(name: str, world: World, seeds: range) -> tuple[str, list[str], list[list[float]]]:
    """The line of a world, printed as it is made; those of its teams, and their figures."""
    rows, totals = judged(world, seeds)
    within = np.array([totals["is_within"].mean()])
    ends = wilson(within, np.array([len(totals)]))
    teams = [(f"{name}, {seed}", of_seed) for seed, of_seed in rows.groupby("seed")]
    errors = [_errors(of_seed) for _, of_seed in teams]
    n_best = sum(own < min(rivals) for own, *rivals in errors)
    line = (
        f"{_line(name, rows)} {rows['win_rate'].mean():.3f} / {rows['is_won'].mean():.3f} | "
        f"{n_best} of {len(teams)} | {within[0]:.2f} ({ends[0][0]:.2f}-{ends[1][0]:.2f}) | "
        f"{totals['seconds'].median():.1f} |"
    )
    print(line, flush=True)
    slopes = [_slope(of_seed["win_rate"], of_seed["is_won"])[0] for _, of_seed in teams]
    figures = [[*error, slope] for error, slope in zip(errors, slopes, strict=True)]
    return line, [_line(*each) for each in teams], figures


def on_the_demo() -> list[str]:
    """The forecasts of earlier days on ``data/demo``, by day and together."""
    past = deal_odds.forecast(salesnb.load(ROOT / "data" / "demo")).past.dropna(subset="is_won")
    days = [(str(day.date()), rows) for day, rows in past.groupby("day")]
    return [_line(*each) for each in [*days, ("together", past)]]


def _errors(rows: pd.DataFrame) -> list[float]:
    """Brier scores of the forecast and of its rivals."""
    return [float(((rows[odds] - rows["is_won"]) ** 2).mean()) for odds in ODDS]


def _line(name: str, rows: pd.DataFrame) -> str:
    """What every table has: n, Brier scores and slope."""
    errors = " | ".join(f"{error:.3f}" for error in _errors(rows))
    slope, low, high = _slope(rows["win_rate"], rows["is_won"])
    return f"| {name} | {len(rows):,} | {errors} | {slope:.2f} ({low:.2f}-{high:.2f}) |"


def _slope(chance: pd.Series, is_won: pd.Series) -> tuple[float, float, float]:
    """Slope of logit(won) on the logit of the chance (Cox 1958), with its 90 % interval."""
    x = add_constant(logit(chance.clip(0.001, 0.999).to_numpy()))
    found = Logit(is_won.to_numpy(), x).fit(disp=0)
    slope, half = found.params[1], z() * found.bse[1]
    return slope, slope - half, slope + half


def main() -> None:
    """Run everything and write the page."""
    n = options(__doc__, seeds=10).seeds
    demo = on_the_demo()
    print(HEAD, *demo, WIDE, sep="\n")
    teams = [row(name, world, range(3000, 3000 + n)) for name, world in TEAMS.items()]
    figures = np.mean([each for *_, of_teams in teams for each in of_teams], axis=0)
    mean = " | ".join(f"{figure:.3f}" for figure in figures)
    tables = {
        "demo": [HEAD, *demo],
        "teams": [WIDE, *(line for line, *_ in teams), f"| mean over teams | | {mean} | | | | |"],
        "by_team": [HEAD, *(line for _, of_teams, _ in teams for line in of_teams)],
    }
    print(tables["teams"][-1], *tables["by_team"], WIDE, sep="\n", flush=True)
    tables["worlds"] = [WIDE, *(row(name, world, range(n))[0] for name, world in WORLDS.items())]
    if n >= 10:
        said = {name: "\n".join(lines) for name, lines in tables.items()}
        write("forecast_accuracy.md", PAGE_TEXT.format(n=n, **said))


HEAD = """| | n | Brier | of the stage | historic | slope |
|---|---|---|---|---|---|"""
WIDE = """| | n | Brier | of the stage | historic | slope | forecast / won | best | within | s |
|---|---|---|---|---|---|---|---|---|---|"""
PAGE_TEXT = """# How good is the forecast?

What `pipeline.forecast` says of open deals on simulated teams, held against the end that the dice
hold for each. Written by `python benchmarks/forecast.py`; {n} teams for each line, each asked on
the last day of its history and half a year before, with what was known on that day.

- Brier: mean squared error of the chances, 0 is perfect (Brier 1950). Beside it the same for two
  rivals: "of the stage" gives every deal the share won of decided deals that reached its stage,
  "historic" the share won of all decided deals.
- n: forecasts.
- slope: of logit(won) on the logit of the chance; 1 is right, below 1 the chances are too extreme
  (Cox 1958). With 90 % interval.
- forecast / won: mean chance, and the share of these deals that is won.
- best: in how many of the teams it errs less than both rivals.
- within: how often the amount won lies in the 90 % range that the headline gives.
- s: CPU seconds for one team, the checks of six earlier days included.

## On the demo team

Forecasts of six earlier days by what was known then, of the deals since decided.

{demo}

## Teams of `salesnb.simulate`

{teams}

## Other worlds

Deals drawn by a plainer simulator, with laws that the other does not know.

{worlds}

## Team by team

The teams of `salesnb.simulate` by their seed, both days together.

{by_team}

## How it works

- The chance to advance at every stage, given segment, source, product, competitor, amount and the
  traits of the account, with the rep's shift, all shrunken: the model behind `funnel.leaks`.
- What the time in the stage says comes from the cumulative incidence of advancing (Aalen and
  Johansen 1978), with log-normal times counting as 20 further deals. An age at which nobody has
  been seen to advance speaks against a deal, though nobody closed it.
- A deal's age counts by the pace at which deals of its segment advance: a large one takes longer,
  so that its age says less against it.
- The less sure a chance, the nearer to even odds (Zeger, Liang and Albert 1988).
- Chances of the later stages are multiplied; traits that open deals lack and closed ones have, or
  the other way round, are left out, and so are amounts that only repeat the list price.
- On six earlier days the same is done with what was known then. Deals since decided, and those
  still open at their present chance, correct level and spread of the chances, held back towards
  no correction.

## What it cannot do

With half a year of history and some fifty closed deals the chances are too extreme: nobody has
seen yet how long a win may take. Rivals ignore age: on a pipeline full of forgotten deals almost
anything beats them. Amount, product and competitor have no history in the tables, so the check of
earlier days sees them as they are today. Seasons to come, a new product, a price rise: it knows
none of them.
"""

if __name__ == "__main__":
    main()
