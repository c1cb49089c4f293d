"""What was to be expected of each coached rep without coaching, and what was seen."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts, standout, stats
from salesnb.coaching_log import working
from salesnb.finding import Finding
from salesnb.language import say, to_say
from salesnb.team import Team
from salesnb.units import fixed, percent, span

COLUMNS = {
    "rep_id": "str",
    "topic": "str",
    "starts_on": "datetime64[us]",
    "expected_rate": "float64",
    "expected_low": "float64",
    "expected_high": "float64",
    "seen_rate": "float64",
    "n_deals": "int64",
}
MOST_DRAWN = 20
NOT_A_VERDICT = to_say(
    "This is no verdict on a person, nor on the coaching of one: a single rep's deals are too few, "
    "and one rate in ten lies outside its interval by chance. Whether coaching works is "
    "told by all of them together."
)


def expected_and_seen(team: Team, *, rep: str | None = None) -> Finding:
    """What was to be expected of each coached rep without coaching, and what was seen since?

    The forecast goes from the rep's own quarters before the programme, each weighed by its deals
    and drawn towards the team, to the deals that entered the stage since, at the team's level of
    that time: the model of `effect`. Its interval holds the chance in those deals too.

    Parameters
    ----------
    rep : id or name; nobody else is named then

    Returns
    -------
    Finding
        One row per rep and programme, in order of rep, topic and start:

        rep_id, topic
        starts_on : first session of the programme
        expected_rate, expected_low, expected_high : rate of advancing from the stage that was to
            be expected of these deals without the programme; 90 % interval of what is seen;
            blank with fewer than three other reps to compare with, or without deals since
        seen_rate : the rate seen, open deals counted for what their age says; blank without deals
        n_deals : deals that entered the stage since, up to the rep's next programme on it

    Raises
    ------
    DataError
        There is no coaching log, no stage history, no such rep, or the days of deals are made up.
    """
    rep_id = None if rep is None else standout.of(team, rep).rep_id
    team.need("coaching", "stage_changes", why="coaching_log.expected_and_seen")
    team.need_dates("coaching_log.expected_and_seen")
    begun = working.begun(team)
    begun = begun.assign(number=begun.groupby(["rep_id", "stage"]).cumcount() + 1)
    begun = begun[begun["stage"].isin(team.stages)]
    if rep_id is not None:
        begun = begun[begun["rep_id"] == rep_id]
    rows = [_row(team, each) for each in begun.itertuples()]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    table = table.sort_values(["rep_id", "topic", "starts_on"], ignore_index=True)
    names = team.names if rep_id is None else {rep_id: team.names[rep_id]}
    return Finding(
        _headline(table, names.get(rep_id or "", "")),
        table,
        lambda ax: _draw(ax, table, names, rep_id is None),
        ask=_ask(table),
        caveats=(say(NOT_A_VERDICT),) if len(table) else (),
        names=names,
    )


def _row(team: Team, programme: Any) -> dict:
    rep, stage, number = programme.rep_id, programme.stage, programme.number
    found = working.panel(team)
    found = found[found["stage"] == stage].reset_index(drop=True)
    is_own = found["rep_id"] == rep
    after = found[is_own & (found["dose"] == number)]
    row = {"rep_id": rep, "topic": stage, "starts_on": programme.starts_on}
    row |= {"expected_rate": np.nan, "expected_low": np.nan, "expected_high": np.nan}
    row |= {"seen_rate": np.nan, "n_deals": after["n_deals"].sum()}
    if after.empty:
        return row
    n = after["n_known"].sum()
    share = (after["n_known"] / n).to_numpy()
    typical = share @ after["typical_rate"]
    row["seen_rate"] = float(np.clip(typical + share @ after["level"], 0, 1))
    model = working.fitted(team, stage)
    if model is None:
        return row
    before = found.index[is_own & (found["dose"] < number)].to_numpy()
    level = model.expected(before, after.index.to_numpy(), share)
    expected = float(np.clip(typical + level.mean, 0.01, 0.99))
    half = stats.z() * np.hypot(level.error, np.sqrt(expected * (1 - expected) / n))
    low, high = np.clip([expected - half, expected + half], 0, 1)
    return row | {"expected_rate": expected, "expected_low": low, "expected_high": high}


def _headline(table: pd.DataFrame, name: str) -> str:
    who = f"{name}: " if name else ""
    if table.empty:
        none = say("no coaching programme on record.")
        return f"{who}{none}" if name else say("Nobody: {none}", none=none)
    told = table.dropna(subset="expected_rate")
    if told.empty:
        few = say("too few deals or colleagues to say what was to be expected.")
        return f"{who}{few}"
    if name and len(told) == 1:
        row = told.iloc[0]
        return say(
            "{who}: since coaching on {topic}, {seen} moved on (n = {n}); {expected} ({ends}) was "
            "to be expected without it{which}.",
            who=name,
            topic=row["topic"],
            seen=percent(row["seen_rate"]),
            n=row["n_deals"],
            expected=percent(row["expected_rate"]),
            ends=span(row["expected_low"], row["expected_high"], percent),
            which=_apart(row),
        )
    n_above = int((told["seen_rate"] > told["expected_high"]).sum())
    n_below = int((told["seen_rate"] < told["expected_low"]).sum())
    said = say(
        "of {n} programmes, {n_above} were followed by more than was to be expected without them "
        "and {n_below} by less; by chance alone it would be about {usual} each.",
        n=len(told),
        n_above=n_above,
        n_below=n_below,
        usual=fixed(0.05 * len(told), 1),
    )
    return f"{who}{said}"


def _apart(row: pd.Series) -> str:
    inside = row["expected_low"] <= row["seen_rate"] <= row["expected_high"]
    return say(", which is within what chance does") if inside else ""


def _ask(table: pd.DataFrame) -> tuple[str, ...]:
    topics = ", ".join(table["topic"].drop_duplicates())
    asked = say("What has changed in how you go about {topics} since then?", topics=topics)
    return (asked,) if len(table) else ()


def _draw(ax: Axes, table: pd.DataFrame, names: Mapping[str, str], with_names: bool) -> Axes:
    """What was to be expected, with its interval, beside what was seen."""
    told = table.dropna(subset="expected_rate").head(MOST_DRAWN)
    labels = [
        f"{names[rep] + ', ' if with_names else ''}{topic}"
        for rep, topic in zip(told["rep_id"], told["topic"], strict=True)
    ]
    expected = charts.Points.of(say("expected without"), told, "expected_rate", charts.MUTED, "s")
    charts.dumbbell(ax, labels, expected, charts.Points(say("seen since"), told["seen_rate"]))
    for place, n in enumerate(told["n_deals"]):
        ax.text(1.01, place, f"n = {n}", va="center", gid=charts.BESIDE)
    return ax
