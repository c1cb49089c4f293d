"""A programme of some weeks for one rep, at the stage where most is lost."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.special import expit, logit
from scipy.stats import betabinom

from salesnb import charts, exercise_bank, leaks, question_bank, standout, stats
from salesnb.coaching.examples import NO_HISTORY
from salesnb.errors import DataError
from salesnb.finding import Finding
from salesnb.standout import Standout
from salesnb.team import Team
from salesnb.units import number

HOPED = 0.4  # logit by which a programme is hoped to raise the chance: ten points from 40 %
PACE = pd.Timedelta(weeks=26)  # over which the rep's own pace is counted
LEAST, MOST = 3, 12  # weeks
TAIL = 0.05
FEWEST = 10  # deals below which no bound is set
AIMS = {
    "observe": "See together how {stage} goes now",
    "practise": "Practise away from customers",
    "apply": "Use it with customers",
    "review": "Look at what has changed",
}
STEPS = {"observe": "reality", "practise": "options", "apply": "will", "review": "reality"}
WORDS = ["aim", "exercise", "how", "measure", "question"]
RANGES = [f"{what}{end}" for what in ("unchanged", "improved") for end in ("", "_low", "_high")]
COLUMNS = ["week_number", "starts_on", "aim", "exercise", "how", "minutes", "measure", "question"]
COLUMNS += ["n_expected", *RANGES, "stop_below"]
SHOWN = ["starts_on", "aim", "exercise", "how", "minutes", "measure", "question", "stop_below"]
HOPE = (
    "What is hoped for is an assumption: a programme that works is taken to raise a chance of 40 % "
    "to 50 %. The ranges hold in nine of ten cases; both the rate and the deals to come are unsure."
)


def programme(team: Team, rep: str, *, weeks: int = 6) -> Finding:
    """What would a programme of some weeks look like for this rep, and what may be expected of it?

    Only for a stage where the rep's deals stop more often than the typical rep's would, beyond
    chance; of several the one that costs most. Where nothing stands out no programme is called
    for. A week to observe comes first, weeks to practise and to apply follow, a review comes last.

    The numbers are those of the deals that will have left the stage since the start, at the
    rep's own pace of the last 26 weeks: how many of them move on if nothing changes, and if the
    programme works as hoped. The bound of the last week is set so that a rep in whom nothing has
    changed falls below it in at most one of twenty cases, and one who has improved hardly ever:
    it is the moment to talk about what else would help, and about fit. Look once, at the end;
    whoever looks every week will see it crossed by chance.

    Parameters
    ----------
    rep : id or name
    weeks : 3 to 12

    Returns
    -------
    Finding
        One row per week, none where no programme is called for:

        week_number, starts_on : from 1; a Monday
        aim, exercise, how, measure : what the week is for, what to do, what to count
        minutes : that the exercise takes
        question : an open one for the end of the week
        n_expected : deals that will have left the stage by the end of the week
        unchanged, unchanged_low, unchanged_high : of these, how many move on if nothing changes:
            median and 90 % range (beta-binomial)
        improved, improved_low, improved_high : the same if it works as hoped
        stop_below : the bound, in the last week; blank below ten deals

    Raises
    ------
    DataError
        There is no such rep, or the weeks are not 3 to 12.
    """
    if not LEAST <= weeks <= MOST:
        raise DataError(f"weeks: found {weeks}, expected {LEAST} to {MOST}.")
    seen = standout.of(team, rep)
    if not seen.is_firm:
        return _not_called_for(seen)
    table = _table(seen, weeks)
    return Finding(
        _headline(seen, table),
        table,
        lambda ax: _draw(ax, table),
        ask=(f"What would make {weeks} weeks on {_stage(seen)} worth your time?",),
        caveats=(HOPE, *_at_the_end(table)),
        currency=team.currency,
        shown=SHOWN,
    )


def _not_called_for(seen: Standout) -> Finding:
    why = "nothing stands out from chance" if seen.can_say else "too few deals to tell from chance"
    if seen.leak is not None:
        why = f"{seen.leak['stage']} is worth watching, but not yet separated from chance"
    asked = question_bank.choose("growth", "goal", 1, (), seen.turn)
    types = dict.fromkeys(COLUMNS, "float64") | dict.fromkeys(WORDS, "str")
    types |= {"week_number": "int64", "starts_on": "datetime64[us]"}
    table = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in types.items()})
    return Finding(
        f"{seen.name}: no programme is called for; {why}.",
        table[COLUMNS],
        lambda ax: charts.nothing_to_draw(ax, "No programme is called for"),
        ask=tuple(question.text for question in asked),
        caveats=() if seen.has_history else (NO_HISTORY,),
    )


def _stage(seen: Standout) -> str:
    assert seen.leak is not None
    return str(seen.leak["stage"])


def _table(seen: Standout, weeks: int) -> pd.DataFrame:
    table = pd.DataFrame([*_what_to_do(seen, weeks)])
    monday = seen.team.as_of + pd.Timedelta(days=7 - seen.team.as_of.day_of_week)
    table["week_number"] = np.arange(1, weeks + 1)
    table["starts_on"] = pd.date_range(monday, periods=weeks, freq="7D", unit="us")
    n = np.round(_pace(seen) * np.arange(1, weeks + 1))
    assert seen.leak is not None
    chance = beta(*(float(seen.leak[f"advance_{end}"]) for end in ("rate", "low", "high")))
    ranges = {"unchanged": moved_on(n, *chance), "improved": moved_on(n, *raised(*chance))}
    for name, counts in ranges.items():
        for end, count in zip(("", "_low", "_high"), counts, strict=True):
            table[f"{name}{end}"] = count
    table["n_expected"] = n
    last = table.iloc[-1]
    has_bound = last["n_expected"] >= FEWEST and last["unchanged_low"] > 0
    table["stop_below"] = np.nan
    if has_bound:
        table.loc[table.index[-1], "stop_below"] = last["unchanged_low"]
    return table.astype(dict.fromkeys(WORDS, "str"))[COLUMNS]


def _what_to_do(seen: Standout, weeks: int) -> Iterator[dict[str, str | float]]:
    """Aim, exercise and question of each week."""
    stage = _stage(seen)
    kind = question_bank.stage_kind(stage, seen.team.stages)
    practise = (weeks - 1) // 2
    length = {"observe": 1, "practise": practise, "apply": weeks - 2 - practise, "review": 1}
    for what, n in length.items():
        asked = question_bank.choose(kind, STEPS[what], n, {"stage"}, seen.turn)
        for place, exercise in enumerate(exercise_bank.choose(kind, what, n, seen.turn)):
            yield {
                "aim": question_bank.fill(AIMS[what], {"stage": stage}),
                "exercise": exercise.title,
                "how": exercise.how,
                "minutes": float(exercise.minutes),
                "measure": exercise.measure,
                "question": question_bank.fill(asked[place % len(asked)].text, {"stage": stage}),
            }


def _pace(seen: Standout) -> float:
    """Deals that leave the stage in a week, as over the last 26 weeks or since the first deal."""
    own = seen.visits[(seen.visits["stage"] == _stage(seen))]
    first = max(seen.team.as_of - PACE, own["entered_at"].min())
    weeks = max((seen.team.as_of - first) / pd.Timedelta(weeks=1), 1.0)
    return float((own["left_at"] > first).sum() / weeks)


def beta(rate: float, low: float, high: float) -> tuple[float, float]:
    """The beta distribution with this mean and about this 90 % interval: a and b."""
    rate = min(max(rate, 0.01), 0.99)
    spread = max((high - low) / (2 * stats.z()), 1e-3)
    size = max(rate * (1 - rate) / spread**2 - 1, 2.0)
    return rate * size, (1 - rate) * size


def raised(a: float, b: float) -> tuple[float, float]:
    """The same distribution, its mean raised by what a programme is hoped to bring."""
    rate = float(expit(logit(a / (a + b)) + HOPED))
    return rate * (a + b), (1 - rate) * (a + b)


def moved_on(n: np.ndarray, a: float, b: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How many of `n` deals move on: median and 90 % range of the beta-binomial."""
    middle, low, high = (betabinom.ppf(q, n, a, b) for q in (0.5, TAIL, 1 - TAIL))
    return middle, np.fmax(low, 0), np.fmax(high, 0)


def _headline(seen: Standout, table: pd.DataFrame) -> str:
    assert seen.leak is not None
    last, weeks = table.iloc[-1], len(table)
    said = (
        f"{seen.name}: {weeks} weeks on {_stage(seen)}, where deals stop more often than expected"
    )
    said += f"; the cost is {leaks.lost_in_words(seen.team, seen.leak)}. "
    n = number(last["n_expected"])
    if last["n_expected"] < FEWEST:
        return f"{said}By week {weeks} about {n} deals will have left it: too few for a bound."
    said += f"By week {weeks} we expect {_range(last, 'improved')} of {n} to move on if it works, "
    said += f"{_range(last, 'unchanged')} if nothing changes"
    if pd.isna(last["stop_below"]):
        return f"{said}."
    below = number(last["stop_below"])
    return f"{said}; below {below}: talk about what else would help, and about fit."


def _range(row: pd.Series, what: str) -> str:
    return f"{number(row[f'{what}_low'])}-{number(row[f'{what}_high'])}"


def _at_the_end(table: pd.DataFrame) -> tuple[str, ...]:
    if table["stop_below"].isna().all():
        return ()
    n = number(table["n_expected"].iloc[-1])
    return (
        f"The bound is that of the first {n} deals that leave the stage after the start, however "
        "long they take; a rep in whom nothing changed falls below it in at most one of twenty "
        "cases. It is looked at once, at the end.",
    )


def _draw(ax: Axes, table: pd.DataFrame) -> Axes:
    """How many deals move on by the end of each week, if it works and if nothing changes."""
    week = table["week_number"]
    for name, colour, label in (
        ("unchanged", charts.MUTED, "if nothing changes"),
        ("improved", charts.ACCENT, "if it works as hoped"),
    ):
        ends = table[f"{name}_low"], table[f"{name}_high"]
        ax.fill_between(week, *ends, color=colour, alpha=0.2, linewidth=0)
        ax.plot(week, table[name], "o-", color=colour, label=label)
    bound = table.dropna(subset="stop_below")
    if len(bound):
        ax.plot(bound["week_number"], bound["stop_below"], "v", color=charts.WARN, label="bound")
    ax.set_xticks(week)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("week")
    ax.set_ylabel("deals moved on")
    return ax
