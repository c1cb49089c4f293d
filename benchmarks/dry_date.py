"""Whether the weeks ahead come as `pipeline.dry_date` says, out of time.

Simulated teams and the demo as known on five days of their last year; each outlook is held
against what came 4, 8 and 13 weeks later. Then some reps' meetings are halved, and the deals that
came of them taken out: the dry date said, and the true one, are to come nearer.

    python benchmarks/dry_date.py              # writes docs/dry_date.md
    python benchmarks/dry_date.py --seeds 1    # quicker, prints only
"""

import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from pages import as_markdown, options, write

import salesnb
from salesnb import pipeline
from salesnb.outlook.hindsight import KINDS, WEEKS, came
from salesnb.stats import wilson
from salesnb.team import Team

ROOT = Path(__file__).parents[1]
TABLES = ("reps", "deals", "stage_changes", "activities", "absences", "quotas")
BACK = (13, 20, 27, 34, 41)  # weeks before the end of the history
QUARTER, SURE, LEFT, SINCE = 13, 0.9, 0.5, 8  # a drop leaves half, eight weeks before the day on
PLANTED, TENURED = 0.3, 300  # share of reps with a drop; days since their hire
DAY = pd.Timedelta(days=1)
TEAMS = {
    "24 reps x 120 deals, two years": {},
    "the same, nothing planted": {"null": True},
    "8 reps x 60 deals, 18 months": {"reps": 8, "deals_per_rep": 60, "months": 18},
    "8 reps x 150 deals": {"reps": 8, "deals_per_rep": 150},
    "12 reps x 200 deals, 30 months": {"reps": 12, "deals_per_rep": 200, "months": 30},
    "14 reps x 90 deals": {"reps": 14, "deals_per_rep": 90},
    "30 reps x 100 deals": {"reps": 30, "deals_per_rep": 100},
    "40 reps x 60 deals, 18 months": {"reps": 40, "deals_per_rep": 60, "months": 18},
}


def made(name: str, seed: int, **more: object) -> Team:
    """A team of `salesnb.simulate`, or the demo."""
    if name == "data/demo":
        return salesnb.load(ROOT / "data" / "demo")
    team, _ = salesnb.simulate(seed=seed, tables=TABLES, **TEAMS[name], **more)  # type: ignore[arg-type]
    return team


# The band


def ahead(team: Team, day: pd.Timestamp) -> pd.DataFrame:
    """What was said on a day of the quarter ahead, beside what came of it (`open_came` ...)."""
    start = time.process_time()
    table = pipeline.dry_date(team.at(day)).table
    table["seconds"] = time.process_time() - start
    left = team.reps.set_index("rep_id")["left_on"]
    stayed = left.index[~(left <= day + 7 * QUARTER * DAY)]
    rows = table.assign(n_weeks=((table["week"] - table["week"].min()).dt.days // 7) + 1)
    rows = rows[rows["n_weeks"] <= QUARTER]
    reps = rows[rows["rep_id"].isin(stayed)]
    rep_id = pd.Index(sorted(table["rep_id"].dropna().unique()))
    actual = came(team, rep_id, day)
    at, week = rep_id.get_indexer(pd.Index(reps["rep_id"])), reps["n_weeks"].to_numpy() - 1
    reps = reps.assign(**{f"{kind}_came": actual[kind][at, week] for kind in KINDS})
    whole = rows[rows["rep_id"].isna()]
    whole = whole.assign(**{f"{kind}_came": actual[kind].sum(axis=0) for kind in KINDS})
    return pd.concat([reps, whole])


def looked_back(name: str, seeds: range) -> pd.DataFrame:
    """Every outlook of these teams."""
    found = []
    for seed in seeds:
        team = made(name, seed)
        found += [ahead(team, team.as_of - 7 * weeks * DAY) for weeks in BACK]
    return pd.concat(found, ignore_index=True).assign(team=name)


def held(rows: pd.DataFrame, kind: str) -> str:
    """Share of amounts within their band, with how many there are."""
    inside = rows[f"{kind}_came"].between(rows[f"{kind}_low"], rows[f"{kind}_high"])
    return f"{inside.mean():.2f} ({len(rows)})" if len(rows) else ""


def cells(rows: pd.DataFrame) -> list[str]:
    """Coverage of open and won amounts, of reps and of the team."""
    is_team = rows["rep_id"].isna()
    return [held(rows[is_team == whole], kind) for whole in (False, True) for kind in KINDS]


def by_week(rows: pd.DataFrame) -> list[list[str]]:
    """A line for each number of weeks ahead, and for all of them."""
    lines = [[str(n), *cells(rows[rows["n_weeks"] == n])] for n in WEEKS]
    return [*lines, ["all", *cells(rows[rows["n_weeks"].isin(WEEKS)])]]


def by_team(rows: pd.DataFrame) -> list[list[str]]:
    """A line for each kind of team, with the seconds of an answer."""
    return [
        [str(name), *cells(own[own["n_weeks"].isin(WEEKS)]), f"{own['seconds'].median():.1f}"]
        for name, own in rows.groupby("team", sort=False)
    ]


def by_share(rows: pd.DataFrame) -> list[list[str]]:
    """How often those were short of whom a share of draws was: reps, 4, 8 and 13 weeks ahead."""
    rows = rows[rows["rep_id"].notna() & rows["n_weeks"].isin(WEEKS)].dropna(subset="dry_share")
    is_short = rows["open_amount_came"] < rows["needed_amount"]
    edges = [0, 0.1, 0.3, 0.5, 0.7, SURE, 1.001]
    lines = []
    for low, high in pairwise(edges):
        own = (rows["dry_share"] >= low) & (rows["dry_share"] < high)
        share, n = np.array([is_short[own].mean()]), np.array([own.sum()])
        ends = wilson(share, n)
        said = rows.loc[own, "dry_share"].mean()
        inside = f"{share[0]:.2f} ({ends[0][0]:.2f}-{ends[1][0]:.2f})"
        lines.append([f"{low:.1f}-{min(high, 1):.1f}", f"{said:.2f}", inside, str(n[0])])
    return lines


# A planted drop


def thinned(team: Team, reps: list[str], since: pd.Timestamp, dice: np.random.Generator) -> Team:
    """The team with half of these reps' meetings not booked, and no deals come of them."""
    acts, deals = team.activities, team.deals
    is_late = acts["rep_id"].isin(reps) & (acts["booked_at"] >= since)
    is_out = is_late & (acts["kind"] == "meeting") & (dice.random(len(acts)) >= LEFT)
    firsts = acts[is_out & acts["deal_id"].isna()]
    held_on = pd.MultiIndex.from_arrays([firsts["account_id"], firsts["happens_at"].dt.normalize()])
    begun = pd.MultiIndex.from_frame(deals[["account_id", "created_on"]])
    gone = set(deals.loc[begun.isin(held_on) & deals["rep_id"].isin(reps), "deal_id"])
    tables = {**team.tables, "activities": acts[~is_out & ~acts["deal_id"].isin(gone)]}
    for name in ("deals", "stage_changes"):
        tables[name] = tables[name][~tables[name]["deal_id"].isin(gone)]
    return Team(team.settings, tables)


def true_weeks(team: Team, rows: pd.DataFrame, day: pd.Timestamp) -> np.ndarray:
    """Weeks until the open amount that came was below what was said to be needed, by rep."""
    rep_id = pd.Index(sorted(rows["rep_id"].unique()))
    needed = rows.sort_values(["rep_id", "week"])["needed_amount"].to_numpy()
    is_short = came(team, rep_id, day)["open_amount"] < needed.reshape(len(rep_id), -1)[:, :QUARTER]
    return np.where(is_short.any(axis=1), is_short.argmax(axis=1), QUARTER)


def dropped(name: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Weeks until dry of reps with a drop, and of the others of the same team.

    Rows: said without and with the drop, true without and with it; a quarter stands for "not
    within it". Reps who were short already are left out.
    """
    team, dice = made(name, seed, drop_share=0), np.random.default_rng([seed, 3])
    day = team.as_of - 7 * QUARTER * DAY
    reps = team.reps[~(team.reps["left_on"] <= team.as_of)]
    tenured = reps.loc[~(reps["hired_on"] > day - TENURED * DAY), "rep_id"]
    some = [rep for rep in sorted(tenured) if dice.random() < PLANTED]
    fewer = thinned(team, some, day - 7 * SINCE * DAY, dice)
    table, then = (pipeline.dry_date(each.at(day)).table for each in (team, fewer))
    rows, then = (t[t["rep_id"].isin(tenured)] for t in (table, then))
    said, said_then = (
        t.groupby("rep_id")["dry_weeks"].first().fillna(QUARTER).clip(upper=QUARTER)
        for t in (rows, then)
    )
    true, true_then = (true_weeks(each, rows, day) for each in (team, fewer))
    weeks = np.array([said, said_then.reindex(said.index), true, true_then])
    could, has = (said > 0).to_numpy(), said.index.isin(some)
    return weeks[:, could & has], weeks[:, could & ~has]


def drop_line(name: str, weeks: np.ndarray) -> list[str]:
    """How many came nearer, and the mean weeks until dry."""
    said, said_then, true, true_then = weeks
    is_nearer, is_truly = said_then < said, true_then < true
    shares = []
    for cases in (is_nearer, is_nearer[is_truly]):
        share, n = np.array([cases.mean() if len(cases) else np.nan]), np.array([len(cases)])
        low, high = wilson(share, n)
        shares.append(f"{share[0]:.2f} ({low[0]:.2f}-{high[0]:.2f})" if len(cases) else "")
    means = [f"{mean:.1f}" for mean in weeks.mean(axis=1)]
    return [name, str(len(said)), shares[0], f"{is_truly.mean():.2f}", shares[1], *means]


def as_table(head: list[str], lines: list[list[str]]) -> str:
    """A Markdown table, printed as it is made."""
    text = as_markdown(pd.DataFrame(lines, columns=head))
    print(text, "\n", flush=True)
    return text


def main() -> None:
    """Run everything and write the page."""
    n = options(__doc__, seeds=4).seeds
    seeds = range(7000, 7000 + n)
    what = ["open, rep", "won, rep", "open, team", "won, team"]
    rows = pd.concat([looked_back(name, seeds) for name in TEAMS], ignore_index=True)
    demo = looked_back("data/demo", range(1))
    found = {
        "weeks": as_table(["weeks ahead", *what], by_week(rows)),
        "demo": as_table(["weeks ahead", *what], by_week(demo)),
        "teams": as_table(["team", *what, "s"], by_team(pd.concat([rows, demo]))),
        "shares": as_table(["short in draws", "mean", "were short", "n"], by_share(rows)),
    }
    pairs = [dropped(name, seed) for name in TEAMS for seed in seeds]
    groups = zip(("halved", "the others"), zip(*pairs, strict=True), strict=True)
    head = ["meetings", "reps", "said nearer", "truly nearer", "said of these"]
    head += ["weeks said", "with the drop", "true weeks", "with the drop "]
    lines = [drop_line(name, np.concatenate(weeks, axis=1)) for name, weeks in groups]
    found["drops"] = as_table(head, lines)
    if n >= 4:
        write("dry_date.md", TEXT.format(n=n, n_teams=len(TEAMS), **found))


TEXT = """# How good is the dry date?

What `pipeline.dry_date` says of the weeks ahead, held against what came. Written by
`python benchmarks/dry_date.py`: {n} simulated teams of each of {n_teams} kinds, and the demo, each
as known 13, 20, 27, 34 and 41 weeks before the end of its history (`Team.at`).

## The band

How often the amount that came lies within the 80 % band, with the number of amounts. Won amounts
add up from the day on. Reps who left within the quarter are not counted; whoever took over their
deals is, and the team as a whole.

{weeks}

The demo alone:

{demo}

By kind of team, 4, 8 and 13 weeks ahead together; s: CPU seconds for one answer, the looks back of
four earlier days included:

{teams}

Two in five reps win nothing in four weeks, which any band from 0 holds: it holds more than 80 %
there. One factor makes the band wider at all horizons.

## Who falls short

Of reps 4, 8 and 13 weeks ahead, by the share of draws in which the open pipeline was below what the
quota needs: how many were below it in the end, with 90 % interval. A headline names those of the
last line only.

{shares}

## Fewer meetings

Half of the meetings of three in ten reps are taken out, from eight weeks before the day on, and
with them the deals that came of them. Of the reps who were not short already: how many have an
earlier dry date than without the drop, as it is said on the day, and in truth (open amount that
came against the amount said to be needed); of the latter, how many were said to; mean weeks until
then, a quarter standing for "not within it".

{drops}

The others' dry dates move a little: what is shrunken towards the team moves with it.
The true weeks are fewer than those said: an amount that goes up and down is below a line sooner
than its median is; the lower end of the band (`dry_weeks_low`) is the early date.

## How it works

- Meetings: each rep's usual week, times the present pace (the last eight weeks, a gamma prior about
  the usual level; during an alarm of `early_warning` only the weeks since the drop), times the
  share of the week at work (leave not planned yet: as much as last year), times seven tenths of
  last year's season.
- Deals: the lag from booking to deal is a regression of deals on the meetings of the weeks before
  with no share below 0; the ratio is a gamma prior, the team's, updated by the rep's own.
- Open and new deals go through the stages as earlier ones did that had waited as long: cumulative
  incidences (Aalen and Johansen 1978), open visits censored, days scaled by the size of the deal,
  the rep's own odds shrunken towards the team's.
- What the quota needs: its next 13 weeks x open amount per amount won in the quarter that followed,
  measured on ten days of the last year and shrunken towards the team's. A ratio of open amount
  to quota alone would take dead deals for pipeline.
- The band: 300 draws of all this, what is uncertain drawn too; then as wide as the outlooks of four
  earlier days, each by what was known then, would have had to be to hold 80 % (conformal: Vovk and
  others 2005), never narrower.

## What it cannot do

- It goes on as things are: a campaign to come, a price rise, a new territory are not in it. A new
  hire's ramp is not in it either; a quarter ahead that made 3 % of open pipeline.
- Wins pulled into the last days of a quarter come in its first weeks as a surplus of the forecast.
- Amounts stand as they are today; a deal that shrinks is not followed.
- What reps have in common (a season unlike last year's) is in the team's band only through the
  looks back.
"""

if __name__ == "__main__":
    main()
