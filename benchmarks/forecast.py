"""How good the odds of open deals are, out of time, beside the odds that people use.

Simulated teams as known on one day and half a year before; each forecast is held against the end
that the dice hold for the deal, which the team does not know. Beside `pipeline.forecast` stand
its rivals: the share won of decided deals that reached the stage, and of all decided deals.

    python benchmarks/forecast.py              # writes docs/forecast_accuracy.md
    python benchmarks/forecast.py --seeds 2    # quicker, prints only
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from statsmodels.api import Logit, add_constant

import salesnb
from salesnb import deal_odds
from salesnb.metrics.rates import win_rate
from salesnb.settings import Settings
from salesnb.stats import wilson, z
from salesnb.team import Team, of

PAGE = Path(__file__).parents[1] / "docs" / "forecast_accuracy.md"
BACK = (0, 180)  # days before the end of the history on which the team is asked
ODDS = ("win_rate", "stage_rate", "historic_rate")
AS_OF = pd.Timestamp("2026-06-30").as_unit("us")
World = Callable[[int], tuple[Team, pd.Series]]  # a seed to a team and who is won in the end


def simulated(seed: int, **options: object) -> tuple[Team, pd.Series]:
    """A team of `salesnb.simulate`."""
    tables = ["accounts", "products", "stage_changes"]
    team, truth = salesnb.simulate(seed=seed, tables=tables, **options)  # type: ignore[arg-type]
    ends = truth.open_deals.set_index("deal_id")["outcome"]
    outcome = team.deals.set_index("deal_id")["outcome"]
    return team, (outcome.fillna(ends.reindex(outcome.index)) == "won").astype(float)


def plain(
    seed: int,
    *,
    reps: int = 20,
    per_rep: int = 110,
    months: int = 24,
    stages: int = 4,
    advance: tuple[float, float] = (12, 0.7),
    lose: tuple[float, float] = (25, 0.8),
    never: float = 0.1,
    hidden: float = 0.0,
    mix: float = 0.4,
    rep: float = 0.25,
    drift: float = 0.0,
    skips: float = 0.0,
    purge: bool = False,
    late: bool = False,
) -> tuple[Team, pd.Series]:
    """Deals by a plainer law, in worlds that `salesnb.simulate` does not know.

    advance, lose : median days and log spread in a stage
    never : share of lost deals that lie open for a year or more
    hidden, mix, rep, drift : logit spread of what nobody sees, of traits and of reps, and change
    skips : share of stages jumped; purge : losses are closed at the quarter's end
    late : the competitor is written down for lost deals, the amount when a deal closes
    """
    dice, n, days = np.random.default_rng(seed), reps * per_rep, round(months * 30.4)
    who, now = dice.integers(reps, size=n), dice.uniform(0, days, n)
    segment, source, rival = (dice.integers(k, size=n) for k in (3, 4, 4))
    amount = np.exp(dice.normal(9 + 0.8 * segment, 0.6))
    traits = sum(dice.normal(size=4)[code] for code in (segment, source, rival))
    own, unseen = rep * dice.normal(size=(reps, stages)), hidden * dice.normal(size=n)
    base = logit((0.25 if stages > 1 else 0.4) ** (1 / stages)) + dice.normal(0, 0.3, stages)
    created, closed, is_won, is_on = now.copy(), np.full(n, np.inf), np.zeros(n, bool), now >= 0
    entries = []
    for stage in range(stages):
        here = np.flatnonzero(is_on)
        jumps = (dice.random(len(here)) < skips) & (stage > 0)
        entries.append(pd.DataFrame({"deal": here, "stage": stage, "at": now[here]})[~jumps])
        chance = base[stage] + mix * traits[here] + own[who[here], stage] + unseen[here]
        goes = dice.random(len(here)) < expit(chance + drift * (now[here] / days - 0.5))
        (fast, fast_sd), (slow, slow_sd) = advance, lose
        luck = dice.normal(size=len(here))
        took = np.where(goes, fast * np.exp(fast_sd * luck), slow * np.exp(slow_sd * luck))
        is_left = ~goes & (dice.random(len(here)) < never)
        took = np.where(is_left, took + 60 + dice.exponential(400, len(here)), took)
        now[here] += np.where(jumps & goes, 0, took)
        is_on[here[~goes]], closed[here[~goes]] = False, now[here[~goes]]
    is_won[is_on], closed[is_on] = True, now[is_on]
    if purge:
        closed = np.where(is_won, closed, np.ceil(closed / 91) * 91)
    names = np.array([f"D{i:06d}" for i in range(n)])
    is_closed, first = closed < days, AS_OF - pd.Timedelta(days=days - 1)
    deals = pd.DataFrame(
        {
            "deal_id": names,
            "rep_id": np.char.add("R", who.astype(str)),
            "segment": np.array(["small", "middle", "large"])[segment],
            "source": np.array(["web", "fair", "partner", "call"])[source],
            "competitor": np.where(late & (is_won | ~is_closed), None, np.array([*"ABCD"])[rival]),
            "amount": np.where(late & ~is_closed, np.nan, amount),
            "created_on": _day(first, created),
            "closed_on": pd.Series(_day(first, np.where(is_closed, closed, 0))).where(is_closed),
            "outcome": pd.Series(np.where(is_won, "won", "lost")).where(is_closed),
        }
    )
    log = pd.concat(entries)
    log = log[log["at"] < days]
    changes = pd.DataFrame(
        {
            "deal_id": names[log["deal"]],
            "stage": np.char.add("S", log["stage"].to_numpy().astype(str)),
            "entered_at": (first + pd.to_timedelta(log["at"].to_numpy(), unit="D")).floor("s"),
        }
    )
    everybody = np.char.add("R", np.arange(reps).astype(str))
    tables = {"reps": pd.DataFrame({"rep_id": everybody, "name": everybody}), "deals": deals}
    settings = Settings(as_of=AS_OF, stages=tuple(f"S{k}" for k in range(stages)))
    team = of(settings, {**tables, "stage_changes": changes})
    return team, pd.Series(is_won.astype(float), index=names)


def _day(first: pd.Timestamp, at: np.ndarray) -> pd.DatetimeIndex:
    return first + pd.to_timedelta(np.floor(at), unit="D")


TEAMS: dict[str, World] = {
    "24 reps x 120 deals, two years": lambda seed: simulated(seed),
    "the same, nothing planted": lambda seed: simulated(seed, null=True),
    "8 reps x 60 deals, 18 months": lambda s: simulated(s, reps=8, deals_per_rep=60, months=18),
    "40 reps x 200 deals": lambda s: simulated(s, reps=40, deals_per_rep=200),
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
                team=f"{seed} {back}",
            )
            rows.append(now.fillna({"stage_rate": now["historic_rate"].iloc[0]}))
            total, low, high = deal_odds.total(found, now)
            came = (now["amount"] * now["is_won"]).sum()
            totals.append((seconds, total, low <= came <= high, came))
    return pd.concat(rows), pd.DataFrame(totals, columns=["seconds", "total", "is_within", "came"])


def row(name: str, world: World, seeds: range) -> str:
    """One line of a table, printed as it is made."""
    rows, totals = judged(world, seeds)
    error = [f"{((rows[odds] - rows['is_won']) ** 2).mean():.3f}" for odds in ODDS]
    slope, low, high = _slope(rows["win_rate"], rows["is_won"])
    within = np.array([totals["is_within"].mean()])
    ends = wilson(within, np.array([len(totals)]))
    line = (
        f"| {name} | {len(rows):,} | {error[0]} | {error[1]} | {error[2]} | "
        f"{slope:.2f} ({low:.2f}-{high:.2f}) | {rows['win_rate'].mean():.3f} / "
        f"{rows['is_won'].mean():.3f} | {within[0]:.2f} ({ends[0][0]:.2f}-{ends[1][0]:.2f}) | "
        f"{totals['seconds'].median():.1f} |"
    )
    print(line, flush=True)
    return line


def _slope(chance: pd.Series, is_won: pd.Series) -> tuple[float, float, float]:
    """Slope of logit(won) on the logit of the chance (Cox 1958), with its 90 % interval."""
    x = add_constant(logit(chance.clip(0.001, 0.999).to_numpy()))
    found = Logit(is_won.to_numpy(), x).fit(disp=0)
    slope, half = found.params[1], z() * found.bse[1]
    return slope, slope - half, slope + half


def main() -> None:
    """Run everything and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10)
    n = parser.parse_args().seeds
    head = (
        "| | forecasts | Brier | of the stage | historic | slope | forecast / won | "
        "total within | s |\n|---|---|---|---|---|---|---|---|---|"
    )
    print(head)
    teams = [row(name, world, range(3000, 3000 + n)) for name, world in TEAMS.items()]
    worlds = [row(name, world, range(n)) for name, world in WORLDS.items()]
    if n >= 10:
        text = PAGE_TEXT.format(
            n=n, teams="\n".join([head, *teams]), worlds="\n".join([head, *worlds])
        )
        PAGE.write_text(text)


PAGE_TEXT = """# How good is the forecast?

What `pipeline.forecast` says of open deals on simulated teams, held against the end that the dice
hold for each. Written by `python benchmarks/forecast.py`; {n} teams for each line, each asked on
the last day of its history and half a year before, with what was known on that day.

- Brier: mean squared error of the chances, 0 is perfect (Brier 1950). Beside it the same for two
  rivals: "of the stage" gives every deal the share won of decided deals that reached its stage,
  "historic" the share won of all decided deals.
- slope: of logit(won) on the logit of the chance; 1 is right, below 1 the chances are too extreme
  (Cox 1958). With 90 % interval.
- forecast / won: mean chance, and the share of these deals that is won.
- total within: how often the amount won lies in the 90 % range that the headline gives.
- s: CPU seconds for one team, the checks of six earlier days included.

## Teams of `salesnb.simulate`

{teams}

## Other worlds

Deals drawn by a plainer simulator, with laws that the other does not know.

{worlds}

## How it works

- The chance to advance at every stage, given segment, source, product, competitor, amount and the
  traits of the account, with the rep's shift, all shrunken: the model behind `funnel.leaks`.
- What the time in the stage says comes from the cumulative incidence of advancing (Aalen and
  Johansen 1978), with log-normal times counting as 20 further deals. An age at which nobody has
  been seen to advance speaks against a deal, though nobody closed it.
- Chances of the later stages are multiplied; traits that open deals lack and closed ones have, or
  the other way round, are left out, and so are amounts that only repeat the list price.
- On six earlier days the same is done with what was known then. Deals since decided, and those
  still open at their present chance, correct level and spread of the chances, held back towards
  no correction.

## What it cannot do

Rivals ignore age: on a pipeline full of forgotten deals almost anything beats them. Amount,
product and competitor have no history in the tables, so the check of earlier days sees them as
they are today. Seasons to come, a new product, a price rise: it knows none of them.
"""

if __name__ == "__main__":
    main()
