"""Former team-mates and the others: do they get the same of what a manager has to give?"""

from collections.abc import Iterator

import pandas as pd
from matplotlib.axes import Axes
from scipy import stats as tests
from scipy.stats import false_discovery_control

from salesnb import charts, stats
from salesnb.finding import Finding
from salesnb.language import say, to_say
from salesnb.metrics.presence import DAYS_A_MONTH, days_at_work
from salesnb.team import Team
from salesnb.transition.people import manager_of, reps_of
from salesnb.units import listed, number, percent

CHANCE = 0.05
FEWEST = 2  # reps on each side, below which nothing can be compared
BEST = 0.75  # a deal above this quantile of the period's amounts is one of the best
TYPES = {"measure": "str", "unit": "str"} | dict.fromkeys(
    ("value", "other", "change", "change_low", "change_high", "n_peers", "n_others"), "float64"
)
TYPES |= {"is_apart": "bool"}
# What is compared: how it is said, its unit, and what it is made of.
MEASURES = {
    to_say("coaching time"): (to_say("minutes of coaching a month"), "minutes"),
    to_say("sessions"): (to_say("coaching sessions a month"), "number"),
    to_say("praise"): (to_say("share of sessions with praise"), "percent"),
    to_say("leads"): (to_say("new deals a month"), "number"),
    to_say("best deals"): (to_say("share of large deals among new"), "percent"),
}
WHY = to_say(
    "A difference is no proof of favour: tenure, region and role differ too. It is a reason to "
    "look at how leads and time are given out."
)


def fairness(team: Team, *, manager: str = "", days: int = 365) -> Finding:
    """Do former team-mates and the others get the same time, praise, leads and best deals?

    Each rep counts once, by the month on the team and not on leave; the two groups are compared
    by Welch's t test (1947) with its 90 % interval, all measures together by Benjamini and
    Hochberg (1995). Usually no difference is shown.

    Parameters
    ----------
    manager : id or name, where the manager was a rep here
    days : how far back

    Returns
    -------
    Finding
        One row per measure:

        measure : coaching time, sessions, praise, leads or best deals
        unit : minutes a month, number a month, or percent
        value, other : mean of the former team-mates, and of the others
        change, change_low, change_high : their difference, with its interval
        n_peers, n_others : reps with a figure
        is_apart : whether they differ by more than chance, all measures taken together

    Raises
    ------
    DataError
        There is no such rep.
    """
    people = reps_of(team, manager_of(team, manager))
    table = pd.DataFrame([*_rows(_figures(team, people, days))], columns=[*TYPES, "p"])
    p = table["p"].astype("float64")
    table["is_apart"] = false_discovery_control(p) <= CHANCE if len(table) else False
    table = table[[*TYPES]].astype(TYPES)
    known = team.reps["was_peer"].notna().any()
    return Finding(
        _headline(people, table, bool(known)),
        table,
        lambda ax: _draw(ax, table),
        ask=(say("What would the others say if they saw this table?"),) * bool(len(table)),
        caveats=(say(WHY),) * bool(len(table)),
    )


def _figures(team: Team, people: pd.DataFrame, days: int) -> pd.DataFrame:
    """One row per rep: whether a peer, and each measure; blank where there is nothing to go by."""
    first = team.as_of - pd.Timedelta(days=days - 1)
    months = days_at_work(team, first, team.as_of).sum(axis=1) / DAYS_A_MONTH
    months = months.reindex(people["rep_id"])
    months = months.where(months >= 1)
    sessions = team.coaching
    sessions = sessions[(sessions["held_on"] >= first) & (sessions["held_on"] <= team.as_of)]
    held = sessions.groupby("rep_id")
    made = team.deals[team.deals["created_on"] >= first]
    is_best = (made["amount"] >= made["amount"].quantile(BEST)).astype(float)
    found = pd.DataFrame({"is_peer": people["is_peer"].to_numpy()}, index=months.index)
    if team.has("coaching"):
        found["coaching time"] = _each(held["minutes"].sum(), months)
        found["sessions"] = _each(held.size(), months)
        found["praise"] = sessions["strength"].notna().groupby(sessions["rep_id"]).mean()
    found["leads"] = _each(made.groupby("rep_id").size(), months)
    is_best = is_best.where(made["amount"].notna())
    found["best deals"] = is_best.groupby(made["rep_id"]).mean()
    return found


def _each(counts: pd.Series, months: pd.Series) -> pd.Series:
    """Counts by month; nothing recorded is none."""
    return counts.reindex(months.index).fillna(0) / months


def _rows(figures: pd.DataFrame) -> Iterator[dict[str, object]]:
    for measure, (_, unit) in MEASURES.items():
        if measure not in figures:
            continue
        values = figures[measure].astype(float).dropna()
        is_peer = figures["is_peer"].reindex(values.index)
        peers, others = values[is_peer], values[~is_peer]
        if min(len(peers), len(others)) < FEWEST:
            continue
        # Where everybody has the same there is nothing to test; rounding is no spread.
        is_spread = values.std() > 1e-9 * values.abs().max()
        found = tests.ttest_ind(peers, others, equal_var=False) if is_spread else None
        ends = found.confidence_interval(stats.LEVEL) if found else (0.0, 0.0)
        yield {
            "measure": measure,
            "unit": unit,
            "value": peers.mean(),
            "other": others.mean(),
            "change": peers.mean() - others.mean() if found else 0.0,
            "change_low": ends[0],
            "change_high": ends[1],
            "n_peers": len(peers),
            "n_others": len(others),
            "p": found.pvalue if found else 1.0,
        }


def _headline(people: pd.DataFrame, table: pd.DataFrame, is_known: bool) -> str:
    if not is_known:
        return say("Who was a team-mate of the manager is not on record (was_peer of reps).")
    n = int(people["is_peer"].sum())
    if table.empty:
        return say("{n} former team-mates on the team: too few people to compare.", n=n)
    found, n_others = table[table["is_apart"]], len(people) - n
    if found.empty:
        return say(
            "{n} former team-mates and {n_others} others: no difference shown in {measures}.",
            n=n,
            n_others=n_others,
            measures=listed(map(say, table.measure)),
        )
    return say(
        "{n} former team-mates and {n_others} others differ by more than chance in {measures}.",
        n=n,
        n_others=n_others,
        measures=listed(_against(row) for _, row in found.iterrows()),
    )


def _against(row: pd.Series) -> str:
    measure, unit = MEASURES[row["measure"]]
    digits = 0 if unit == "minutes" else 1
    own, others = (
        percent(row[whose]) if unit == "percent" else number(row[whose], digits)
        for whose in ("value", "other")
    )
    return say("{measure} ({own} against {others})", measure=say(measure), own=own, others=others)


def _draw(ax: Axes, table: pd.DataFrame) -> Axes:
    """Each difference in its own spread: half the width of its interval is one."""
    if table.empty:
        return charts.nothing_to_draw(ax, say("Too few people to compare"))
    half = (table["change_high"] - table["change_low"]) / 2
    unit = half.where(half > 0, 1.0)
    change, low, high = (table[f"change{end}"] / unit for end in ("", "_low", "_high"))
    labels = [say(MEASURES[measure][0]) for measure in table["measure"]]
    difference = charts.Points(say("former team-mates less others"), change, low, high)
    charts.dumbbell(ax, labels, difference, is_rate=False)
    ax.axvline(0, color=charts.MUTED, linewidth=0.8)
    ax.set_xticks([0], [say("no difference")])
    return ax
