"""Who starts when: coaching in waves drawn by lot, so that its effect can be known next time."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.special import ndtri

from salesnb import cells, charts, leaks, units
from salesnb.errors import DataError, unknown
from salesnb.finding import Finding
from salesnb.language import say
from salesnb.sessions import stage_of
from salesnb.team import Team

COLUMNS = {
    "rep_id": "str",
    "need": "float64",
    "n_visits": "int64",
    "block": "int64",
    "wave": "int64",
    "starts_on": "datetime64[us]",
}
PACE = pd.Timedelta(days=182)  # over which the deals to come are counted ahead
DRIFT = 0.05  # standard deviation of what a rep's rate does of itself in the meantime
POWER = 0.8
MOST_DRAWN = 24


def staggered_start(
    team: Team,
    *,
    topic: str = "",
    start: str = "",
    waves: int = 2,
    weeks: int = 13,
    seed: int = 0,
) -> Finding:
    """Who should start coaching on a topic when, so that it can be known whether it works?

    Of the reps behind the typical rep at the stage, everybody is coached, but not at once. Those
    of like need make a block, and who of a block is in which wave is drawn by lot: until their
    turn the later waves are what the earlier ones are compared with, and nobody was chosen for a
    low quarter. The same team, day and seed give the same draw.

    Parameters
    ----------
    topic : a stage, or a skill; by default the stage that costs the team most
    start : day of the first wave; by default the Monday after the export
    waves : how many
    weeks : from one wave to the next
    seed : another number, another draw

    Returns
    -------
    Finding
        One row per rep, the greatest need first:

        rep_id
        need : the typical rep's rate of advancing less the rep's own (shrunken) on the same deals
        n_visits : deals of the rep that entered the stage
        block : 1, 2, ...: reps of like need, as many as there are waves
        wave : 1, 2, ...
        starts_on : first day of the wave

    Raises
    ------
    DataError
        There is no stage history, no such topic, no such day, fewer than two waves or less than
        a week between them.
    """
    if waves < 2 or weeks < 1:
        raise DataError(f"waves must be at least 2 and weeks 1, not {waves!r} and {weeks!r}.")
    first = _first_day(team, start)
    behind, stage = _behind(team, _stage(team, topic))
    enough = behind if len(behind) >= waves else behind.head(0)
    table = _drawn(team, enough, waves, seed)
    table["starts_on"] = first + pd.to_timedelta((table["wave"] - 1) * 7 * weeks, unit="D")
    table = table[list(COLUMNS)].astype(COLUMNS)
    return Finding(
        _headline(team, table, stage, waves, weeks),
        table,
        lambda ax: _draw(ax, table, team),
        ask=_ask(table),
        caveats=_caveats(table),
        names=team.names,
        behind={
            "n_visits": lambda row: leaks.rows(
                team, pd.Series({"rep_id": row["rep_id"], "stage": stage}), *leaks.WENT
            )
        },
    )


def _first_day(team: Team, start: str) -> pd.Timestamp:
    if not start:
        return team.as_of.normalize() + pd.Timedelta(days=7 - team.as_of.day_of_week)
    day = cells.day(start, "start")
    if day <= team.as_of:
        raise DataError(f"start: {day.date()} does not lie after the export ({team.as_of.date()}).")
    return day


def _stage(team: Team, topic: str) -> str:
    if not topic:
        return ""
    stage = stage_of(team, topic)
    if not stage:
        skills = [skill for names in team.settings.skills.values() for skill in names]
        raise unknown("topic", topic, [*team.stages, *skills])
    return stage


def _behind(team: Team, stage: str) -> tuple[pd.DataFrame, str]:
    """Who is behind the typical rep, at that stage or at the one that costs the team most."""
    found = leaks.cells(team)
    found["need"] = found["typical_rate"] - found["advance_rate"]
    # Whoever is about to leave is not drawn: the weeks of a wave lie ahead.
    here = team.reps.loc[team.reps["left_on"].isna(), "rep_id"]
    found = found[found["rep_id"].isin(here) & (found["need"] > 0)].astype({"stage": "str"})
    if not stage and len(found):
        cost = found.groupby("stage")["lost_amount"].sum().round(6)
        if not cost.any():  # amounts are not recorded
            cost = found.groupby("stage")["need"].sum().round(6)
        stage = str(cost.sort_values(ascending=False, kind="stable").index[0])
    found = found[found["stage"] == stage].assign(rank=lambda rows: rows["need"].round(9))
    found = found.sort_values(["rank", "rep_id"], ascending=[False, True], ignore_index=True)
    return found, stage


def _drawn(team: Team, behind: pd.DataFrame, waves: int, seed: int) -> pd.DataFrame:
    """Blocks of like need, the waves drawn by lot within each."""
    dice = np.random.default_rng([seed, team.as_of.toordinal()])
    n_blocks = -(-len(behind) // waves)
    order = np.array([dice.permutation(waves) + 1 for _ in range(n_blocks)], int).ravel()
    place = np.arange(len(behind))
    return behind.assign(block=place // waves + 1, wave=order[: len(behind)])


def told(team: Team, table: pd.DataFrame, stage: str, weeks: int) -> float:
    """The effect, in points of the rate, that would be told when the second wave starts (80 %)."""
    seen = leaks.known_on_entry(team)
    own = seen["rep_id"].isin(table["rep_id"]) & (seen["stage"].astype("str") == stage)
    recent = own & (seen["entered_at"] >= team.as_of - PACE)
    n = recent.sum() / len(table) * weeks * 7 / PACE.days
    rate = (seen.loc[own, "outcome"] == "advanced").mean()
    if not n:
        return np.nan
    of_a_rep = rate * (1 - rate) / n + DRIFT**2
    n_first = (table["wave"] == 1).sum()
    error = np.sqrt(of_a_rep * (1 / n_first + 1 / (len(table) - n_first)))
    return float((ndtri(0.95) + ndtri(POWER)) * error)


def _headline(team: Team, table: pd.DataFrame, stage: str, waves: int, weeks: int) -> str:
    if len(table) < waves:
        where = say(" at {stage}", stage=stage) if stage else ""
        return say(
            "Too few reps are behind the typical rep{where} to start in {waves} waves.",
            where=where,
            waves=waves,
        )
    said = say(
        "{n} reps start coaching on {stage} in {waves} waves drawn by lot, the first on {first}, "
        "the last on {last}.",
        n=len(table),
        stage=stage,
        waves=waves,
        first=units.day(table["starts_on"].min()),
        last=units.day(table["starts_on"].max()),
    )
    least = told(team, table, stage, weeks)
    second = table.loc[table["wave"] == 2, "starts_on"].min()
    if np.isnan(least):
        return said
    power = say(
        "By {day}, when the second starts, an effect of about {points} points would be told in "
        "four of five cases.",
        day=units.day(second),
        points=units.number(100 * least),
    )
    return f"{said} {power}"


def _ask(table: pd.DataFrame) -> tuple[str, ...]:
    if table.empty:
        return ()
    return (
        say("Would you coach somebody before their turn whatever the draw says, and can it wait?"),
        say("How small an effect would still be worth the hours?"),
    )


def _caveats(table: pd.DataFrame) -> tuple[str, ...]:
    if table.empty:
        return ()
    return (
        say(
            "Whoever is coached before their wave, or for another reason, is no longer a "
            "comparison: write the reason into the log."
        ),
        say(
            "The effect that would be told is a rough one: the deals of the last half-year go on "
            "at the same pace, and a rep's own rate drifts by 5 points."
        ),
    )


def _draw(ax: Axes, table: pd.DataFrame, team: Team) -> Axes:
    """The need of each rep, by wave."""
    shown = table.head(MOST_DRAWN)
    labels = [team.names[rep] for rep in shown["rep_id"]]
    colours = (charts.ACCENT, charts.WARN, charts.MUTED, charts.INK)
    series = [
        charts.Points(
            say("wave {n}", n=wave),
            100 * shown["need"].where(shown["wave"] == wave),
            colour=colours[(wave - 1) % len(colours)],
            marker="os^D"[(wave - 1) % 4],
        )
        for wave in sorted(shown["wave"].unique())
    ]
    charts.dumbbell(ax, labels, *series, is_rate=False)
    ax.set_xlabel(say("points behind the typical rep"))
    return ax
