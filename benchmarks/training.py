"""How well gaps in skill are found, courses judged, fading seen, and plans made.

    python benchmarks/training.py            writes docs/training_accuracy.md
    python benchmarks/training.py --quick    a few small teams, prints the tables only

Simulated teams with planted truth: what a manager sees of a rep follows the skill that shows in
deals, tenure, and an eye of their own; reps see themselves more kindly. Courses add what is asked
for, or nothing; in the simulation no score fades by itself.
"""

import time
from collections.abc import Iterator

import numpy as np
import pandas as pd
from pages import as_markdown, options, write

import salesnb
from salesnb import training, trials
from salesnb.simulation.truth import Truth
from salesnb.team import Team
from salesnb.training import needs, timetable

TABLES = ("stage_changes", "assessments", "courses", "attendance")
SCORES = TABLES[1:]
FIRM = ["act", "look"]
MANY = 6  # times the seeds, where a share of .05 is looked at
Rows = list[dict]


def true_levels(team: Team, truth: Truth) -> pd.Series:
    """What a simulated manager would see on average on the last day, by rep and skill."""
    stage_of = {k: stage for stage, own in team.settings.skills.items() for k in own}
    logit = truth.skills.set_index(["rep_id", "stage"])["shift_logit"].to_dict()
    for row in team.attendance.merge(truth.courses, on="course_id").itertuples():
        logit[row.rep_id, row.stage] += row.effect_logit
    hired = team.reps.set_index("rep_id")["hired_on"]
    years = ((team.as_of - hired).dt.days / 365.25).clip(0, 4)
    return pd.Series(
        {
            (rep, skill): 2.1 + 0.2 * years[rep] + 0.8 * logit[rep, stage]
            for rep in team.reps["rep_id"]
            for skill, stage in stage_of.items()
        }
    )


def sent_the_lowest(team: Team) -> Team:
    """The same team, had those with the lowest numbers in the quarter before been sent."""
    seen, stages, rows = trials.ended(team), needs.stages_of(team), []
    for each in team.courses.itertuples():
        start = each.starts_on
        if start > team.as_of - pd.Timedelta(days=120) or each.skill not in stages:
            continue
        is_then = seen["left_at"].between(start - pd.Timedelta(days=90), start, inclusive="left")
        here = seen[is_then & seen["stage"].isin(stages[each.skill])]
        rate = (here["outcome"] == "advanced").groupby(here["rep_id"]).agg(["mean", "size"])
        rate = rate[rate["size"] >= 5].sort_values("mean")
        sent = rate.index[: max(1, round(0.3 * len(rate)))]
        rows += [(rep, each.course_id, start + pd.Timedelta(days=3)) for rep in sent]
    taken = pd.DataFrame(rows, columns=["rep_id", "course_id", "completed_on"])
    taken = taken.astype({"rep_id": "str", "course_id": "str", "completed_on": "datetime64[us]"})
    return Team(team.settings, {**team.tables, "attendance": taken.assign(score=np.nan)})


def faded(team: Team, rate: float) -> Team:
    """The team, had scores faded by `rate` points a year since a rep's first course."""
    said = team.assessments
    taken = team.attendance.merge(team.courses[["course_id", "skill"]], on="course_id")
    first = taken.groupby(["rep_id", "skill"])["completed_on"].min().to_dict()
    places = zip(said["rep_id"], said["skill"], strict=True)
    since = pd.Series([first.get(place, pd.NaT) for place in places], said.index)
    years = ((said["assessed_on"] - since).dt.days / 365.25).clip(lower=0).fillna(0)
    dither = np.random.default_rng(0).uniform(-0.25, 0.25, len(said))
    said["score"] = np.clip(np.round(2 * (said["score"] - rate * years + dither)) / 2, 0, 4)
    return Team(team.settings, {**team.tables, "assessments": said})


def levels(reps: int, seeds: range) -> Rows:
    """Gaps named by us, and by the manager's last score alone."""
    rows = []
    for seed in seeds:
        team, truth = salesnb.simulate(seed=seed, reps=reps, deals_per_rep=20, tables=TABLES)
        known, table = true_levels(team, truth), training.gaps(team).table
        last = team.assessments.query("assessor == 'manager'").sort_values("assessed_on")
        last = last.groupby(["rep_id", "skill"])["score"].last()
        places = pd.MultiIndex.from_frame(table[["rep_id", "skill"]])
        table = table.assign(true=known.reindex(places).to_numpy(), last=last.reindex(places).array)
        table = table.dropna(subset="true")
        is_gap = table["target"] - table["true"] > needs.MATERIAL
        rules = {
            "salesnb, act and look": table["tier"].isin(FIRM),
            "last score half a point below": table["target"] - table["last"] > needs.MATERIAL,
            "lowest per skill": table["last"] == table.groupby("skill")["last"].transform("min"),
        }
        inside = table["true"].between(table["score_low"], table["score_high"]).mean()
        rows += [
            {"reps": reps, "rule": rule, "n": flag.sum(), "false": (flag & ~is_gap).sum()}
            | {"found": (flag & is_gap).sum(), "to_find": is_gap.sum()}
            | ({"inside": inside} if rule.startswith("salesnb") else {})
            for rule, flag in rules.items()
        ]
    return rows


def judged(reps: int, deals: int, seeds: range) -> Rows:
    """What is said of courses that work and of those that do not."""
    rows = []
    worlds = (("none, drawn by lot", 0.0, False), ("none, the lowest sent", 0.0, True))
    worlds += (("0.2 logit", 0.2, False), ("0.4 logit", 0.4, False), ("0.8 logit", 0.8, False))
    for name, effect, is_chosen in worlds:
        for seed in seeds:
            team, truth = salesnb.simulate(
                seed=seed, reps=reps, deals_per_rep=deals, course_effect=effect,
                coaching_effect=0, tables=TABLES,
            )  # fmt: skip
            team = sent_the_lowest(team) if is_chosen else team
            table = training.effect(team).table.merge(truth.courses, on="course_id")
            table = table[(table["evidence"] == "deals") & (table["effect_logit"] == effect)]
            answers = {
                said: (table["answer"] == said).sum() for said in ("yes", "no", "cannot_tell")
            }
            naive, scored = (table["naive_change"] > 0).sum(), table["score_effect"].notna().sum()
            shared = {"reps": reps, "deals": deals, "effect": name, "n": len(table)}
            of_scores = {"scored": scored, "above": (table["score_effect_low"] > 0).sum()}
            told = {"naive": naive, "size": table["effect"].sum()} | of_scores
            rows.append(shared | answers | told)
    return rows


def fading(reps: int, seeds: range) -> Rows:
    """Whether fading is seen where it is, and where it is not."""
    rows = []
    for rate in (0.0, 0.3, 0.6):
        for seed in seeds:
            team, _ = salesnb.simulate(
                seed=seed, reps=reps, deals_per_rep=20, months=36, course_effect=0, tables=SCORES
            )
            table = training.decay(faded(team, rate) if rate else team).table
            table = table[table["skill"] != "product knowledge"]  # two courses: the clock restarts
            table = table.drop_duplicates("skill")
            seen, inside = (
                table["is_fading"],
                table["fade_low"].le(rate) & table["fade_high"].ge(rate),
            )
            rows.append(
                {"reps": reps, "fade": rate, "any": seen.any(), "skills": seen.mean()}
                | {"estimated": table["fade"].mean(), "inside": inside.mean()}
            )
    return rows


def offers(seeds: range) -> Iterator[tuple[float | None, timetable.Offer, np.ndarray]]:
    """Places of 200 reps in 40 courses over two quarters."""
    for budget in (None, 0.3, 0.05):
        for seed in seeds:
            dice = np.random.default_rng(seed)
            axes = np.meshgrid(np.arange(200), np.arange(40), np.arange(2), indexing="ij")
            rep, course, quarter = (axis.ravel() for axis in axes)
            only = dice.integers(-1, 2, 40)  # -1: in any quarter
            keep = np.repeat(dice.random(8000) < 0.4, 2)
            keep &= (only[course] < 0) | (only[course] == quarter)
            price = np.round(dice.gamma(2, 400, 40) * (dice.random(40) > 0.2))
            made = timetable.Offer(
                rep=rep[keep], course=course[keep], quarter=quarter[keep],
                skill=dice.integers(0, 15, 40)[course[keep]],
                value=np.repeat(dice.gamma(1, 0.3, 8000), 2)[keep], price=price,
                seats=dice.integers(2, 15, 40).astype(float),
                hours=dice.integers(2, 17, 40).astype(float),
                for_all=np.zeros((40, 2), bool),
                budget=np.inf if budget is None else budget * price.mean() * 200,
                hours_per_rep=16.0,
            )  # fmt: skip
            yield budget, made, dice.random((40, 2)) < 0.05


def planned(seeds: range) -> Rows:
    """Plans beside the greedy choice and lots, and the time they take."""
    rows = []
    for budget, made, wished in offers(seeds):
        started = time.process_time()
        found, chosen = timetable.best(made, wished)
        seconds, greedy = time.process_time() - started, made.worth(timetable.greedy(made))
        order = np.random.default_rng(0).permutation(len(made.value))
        lot = made.worth(timetable.in_turn(made, order, int(chosen.sum())))
        best = found.worth(chosen)
        name = "none" if budget is None else f"{budget:.0%} of a place each"
        rows.append(
            {"budget": name, "greedy / plan": greedy / best, "by lot / plan": lot / best}
            | {"is below": best < greedy - 1e-9, "CPU s": seconds}
        )
    return rows


def of_levels(rows: Rows) -> pd.DataFrame:
    """One line per size and rule."""
    by = pd.DataFrame(rows).groupby(["reps", "rule"], sort=False)
    total, mean = by.sum(), by.mean()
    shares = {"false share": total["false"] / total["n"]}
    shares |= {"gaps found": total["found"] / total["to_find"], "interval holds": mean["inside"]}
    return pd.DataFrame(shares).reset_index()


def of_judged(rows: Rows) -> pd.DataFrame:
    """One line per size and true effect."""
    total = pd.DataFrame(rows).groupby(["reps", "deals", "effect"], sort=False).sum()
    names = {"yes": "yes", "no": "no", "cannot_tell": "cannot tell", "naive": "naive: better"}
    names |= {"size": "mean effect"}
    shares = total[[*names]].div(total["n"], axis=0).rename(columns=names)
    shares.insert(0, "courses", total["n"])
    return shares.assign(**{"scores: yes": total["above"] / total["scored"]}).reset_index()


def of_fading(rows: Rows) -> pd.DataFrame:
    """One line per size and true fading."""
    names = {"any": "teams with any", "skills": "skills named", "inside": "interval holds"}
    mean = pd.DataFrame(rows).groupby(["reps", "fade"], sort=False).mean()
    return mean.rename(columns=names).reset_index()


def main() -> None:
    """Run, print, and write the page unless quick."""
    asked = options(__doc__, seeds=20, flags=("quick",))
    seeds = range(1000, 1000 + (3 if asked.quick else asked.seeds))
    sizes = (8, 24) if asked.quick else (8, 24, 100)
    teams = ((24, 120),) if asked.quick else ((8, 120), (24, 120), (100, 200))
    many = range(seeds.start, seeds.start + len(seeds) * (1 if asked.quick else MANY))
    made = {
        "levels": of_levels([row for reps in sizes for row in levels(reps, seeds)]),
        "judged": of_judged([row for size in teams for row in judged(*size, many)]),
        "fading": of_fading([row for reps in sizes[1:] for row in fading(reps, seeds)]),
        "planned": pd.DataFrame(planned(seeds[:5]))
        .groupby("budget", sort=False)
        .mean()
        .reset_index(),
    }
    shown = {name: as_markdown(table) for name, table in made.items()}
    print(*shown.values(), sep="\n\n")
    if not asked.quick:
        write("training_accuracy.md", PAGE.format(**shown, many=len(many)))


PAGE = """# How well training is planned and judged

Made by `python benchmarks/training.py`: simulated teams whose truth is known.

## Gaps

A gap is named falsely if the true level is less than half a point below the target. *Gaps found*:
of the true ones, those named. *Interval holds*: how often the 90 % interval of the level covers
the truth. Beside it, two rules on the manager's last score.

{levels}

## Did the course work?

Shares of courses by what is said of them, in {many} teams for each row; *naive: better* is how
often those who attended did better afterwards than in the 91 days before, *mean effect* in shares
of deals that go on, *scores: yes* how often the manager's scores alone would say so. With no
effect, `yes` is false; 5 % would be nominal. Where the lowest are sent, their numbers come back by
themselves, and the naive change praises nearly every course. The model takes levels to be normal
and so expects a little too much to come back where a few lie far below all others: it errs by
saying `yes` too seldom. The method is that of coaching: `docs/coaching_effect.md`.

{judged}

## Fading

`fade`: true points lost a year. *Teams with any*: where a skill is said to fade.

{fading}

## Plans

200 reps, 40 courses, two quarters, places worth what chance gives them. *Is below*: how often the
plan is worth less than the greedy one.

{planned}
"""

if __name__ == "__main__":
    main()
