"""Whether time and praise reach everybody, beyond what chance does to small numbers."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.special import betainc, gammaincc
from scipy.stats import binom, false_discovery_control

from salesnb import charts, stats
from salesnb.coaching_log.held import YEAR, held, reps_in_words, rhythm, sessions_in_words
from salesnb.errors import DataError
from salesnb.finding import Finding
from salesnb.language import say, to_say
from salesnb.metrics.presence import days_at_work
from salesnb.team import Team
from salesnb.units import number

COLUMNS = ["rep_id", "n_sessions", "minutes", "expected_minutes", "attention_ratio"]
COLUMNS += ["attention_low", "attention_high", "is_apart", "n_praised", "n_worked_on"]
COLUMNS += ["is_praise_short", "last_on", "since_days", "is_forgotten"]
PRAISED, WORKED = ["strength"], ["topic", "commitment"]  # what a session is on record with
FALSE_SHARE = 0.05
LONGEST = 60  # months
PART_DAYS = 61  # of the year, whose time is compared with its other parts
SPREAD = (0.1, 4.0)  # squared coefficient of variation of gaps, at least and at most
MOST_ROWS = 30  # of the picture
ASK = to_say("Who has waited for you, and what would you like to tell them first?")
NO_MINUTES = to_say("{sessions} without minutes: they count as sessions and not as time.")


def balance(team: Team, *, months: int = 6) -> Finding:
    """Do time and praise reach everybody on the team?

    An equal share of time is one that goes by days at work: leave, and the months before and
    after somebody was on the team, do not count. Who is separated from it beyond chance is told
    by a quasi-Poisson test of the minutes (McCullagh and Nelder 1989, section 6.2) whose
    dispersion comes from how the parts of a rep's own year differ; who was forgotten, by how rarely
    anybody on the team has waited so long. Both at a false share of 5 % (Benjamini and Hochberg
    1995). On teams where time falls by chance nobody is named in 19 of 20.

    A session with a `strength` counts as praise; one with a topic or a commitment as work on
    something. Most sessions are both.

    Parameters
    ----------
    months : how far back

    Returns
    -------
    Finding
        One row per rep who was at work in that time, in order of id:

        rep_id, n_sessions, minutes
        expected_minutes : of an equal share of the team's time, by days at work
        attention_ratio, attention_low, attention_high : minutes / expected, 90 % interval
        is_apart : more or less than an equal share, separated from chance
        n_praised, n_worked_on : sessions that named a strength; that worked on something
        is_praise_short : strengths named less often than something to work on, separated from
            chance (sign test)
        last_on, since_days : the last session, and days since then; blank without one
        is_forgotten : on the team, and without a session for more than twice the usual gap, days
            of leave left out, which is rarer than chance explains

    Raises
    ------
    DataError
        The team has no coaching table, or `months` is not from 1 to 60.
    """
    if not 1 <= months <= LONGEST:
        raise DataError(f"months must lie between 1 and {LONGEST}, not {months!r}.")
    log = held(team, None, why="who was coached how much")
    since, unit = team.as_of - pd.DateOffset(months=months), _unit(team, log)
    log = log[log["held_on"] > since]
    table = _table(team, log, since, unit)
    names, n_unknown = team.names, int(log["minutes"].isna().sum())
    return Finding(
        _headline(table, log, names, months),
        table,
        lambda ax: _draw(ax, table, names),
        ask=(say(ASK),) if table["is_forgotten"].any() else (),
        caveats=_caveats(n_unknown) if n_unknown else (),
        names=names,
        behind={
            "n_sessions": lambda row: _sessions(team, since, row["rep_id"]),
            "n_praised": lambda row: _sessions(team, since, row["rep_id"]).dropna(subset=PRAISED),
            "n_worked_on": lambda row: _sessions(team, since, row["rep_id"]).dropna(
                subset=WORKED, how="all"
            ),
        },
    )


def _sessions(team: Team, since: pd.Timestamp, rep_id: str) -> pd.DataFrame:
    """The sessions of a rep after a day, as on record."""
    log = held(team, None, why="who was coached how much")
    return log[(log["held_on"] > since) & (log["rep_id"] == rep_id)]


def _table(team: Team, log: pd.DataFrame, since: pd.Timestamp, unit: float) -> pd.DataFrame:
    here = days_at_work(team, since + pd.Timedelta(days=1), team.as_of)
    is_seen = here.any(axis=1).to_numpy() | here.index.isin(log["rep_id"])
    here = here[is_seen].sort_index()
    rep = here.index.get_indexer(pd.Index(log["rep_id"]))
    n = len(here)
    praised = log[PRAISED].notna().all(axis=1).to_numpy()
    worked = log[WORKED].notna().any(axis=1).to_numpy()
    waits = _waits(team).reindex(here.index)
    last = waits["last_on"]
    table = {
        "rep_id": here.index.astype("str"),
        "n_sessions": np.bincount(rep, minlength=n),
        **_time(log, rep, here.sum(axis=1).to_numpy(), unit),
        "n_praised": np.bincount(rep, praised, n).astype(int),
        "n_worked_on": np.bincount(rep, worked, n).astype(int),
        "is_praise_short": _is_short(
            np.bincount(rep, praised & ~worked, n), np.bincount(rep, worked & ~praised, n)
        ),
        "last_on": last.to_numpy(),
        "since_days": (team.as_of - last).dt.days.clip(lower=0).to_numpy(float),
        "is_forgotten": waits["is_forgotten"].to_numpy(bool),
    }
    return pd.DataFrame(table)[COLUMNS]


def _time(
    log: pd.DataFrame, rep: np.ndarray, at_work: np.ndarray, unit: float
) -> dict[str, np.ndarray]:
    """Minutes of each rep against an equal share of all, and who is apart from it."""
    n, minutes = len(at_work), log["minutes"].fillna(0).to_numpy(float)
    own, total = np.bincount(rep, minutes, n), minutes.sum()
    share = at_work / max(1, at_work.sum())
    known = (share > 0) & (total > 0)
    blank = np.full(n, np.nan)
    low, high = stats.wilson(own / max(total, 1e-9), np.where(known, total / unit, 0))
    return {
        "minutes": own,
        "expected_minutes": share * total,
        "attention_ratio": np.divide(own, share * total, out=blank.copy(), where=known),
        "attention_low": np.divide(low, share, out=blank.copy(), where=known),
        "attention_high": np.divide(high, share, out=blank.copy(), where=known),
        "is_apart": _named(_p_of_share(own / unit, total / unit, share)),
    }


def _unit(team: Team, log: pd.DataFrame) -> float:
    """The minutes that count as one independent event: variance / mean of the time in two months.

    From the months of the same rep in the last year, so that true differences between reps do not
    hide themselves; at least what sessions of these lengths have when they come by chance.
    """
    log = log[(log["held_on"] > team.as_of - YEAR) & (log["held_on"] <= team.as_of)]
    minutes = log["minutes"].fillna(0).to_numpy(float)
    least = max(1.0, (minutes**2).sum() / max(minutes.sum(), 1.0))
    since = team.as_of - YEAR + pd.Timedelta(days=1)
    here = days_at_work(team, since, team.as_of)
    n, part = len(here), np.arange(here.shape[1]) // PART_DAYS
    days = np.add.reduceat(here.to_numpy(int), np.unique(part, return_index=True)[1], axis=1)
    code = here.index.get_indexer(pd.Index(log["rep_id"])) * days.shape[1]
    code = code + part[(log["held_on"] - since).dt.days.to_numpy(int)]
    spent = np.bincount(code, minutes, n * days.shape[1]).reshape(days.shape)
    due = spent.sum(axis=1, keepdims=True) * days / np.maximum(days.sum(axis=1, keepdims=True), 1)
    is_due = due > 0
    free = np.maximum(is_due.sum(axis=1) - 1, 0).sum()
    off = ((spent - due)[is_due] ** 2 / due[is_due]).sum()
    return max(float(off / max(1, free)), float(least))


def _p_of_share(own: np.ndarray, total: float, share: np.ndarray) -> np.ndarray:
    """How likely chance alone gives a rep so much or so little of a total, by equal shares.

    The binomial of a Poisson count given the total, for counts that need not be whole.
    """
    rest = np.maximum(total - own, 1e-9)
    at_most = betainc(rest, own + 1, 1 - share)
    at_least = np.where(own > 0, betainc(np.maximum(own, 1e-9), rest + 1, share), 1.0)
    p = np.minimum(1, 2 * np.minimum(at_most, at_least))
    return np.where((share > 0) & (share < 1), p, 1.0)


def _is_short(more: np.ndarray, less: np.ndarray) -> np.ndarray:
    """Whether sessions without praise outnumber those with nothing else, by the sign test."""
    return _named(binom.sf(less - 1, more + less, 0.5))


def _named(p: np.ndarray) -> np.ndarray:
    return false_discovery_control(p) <= FALSE_SHARE if len(p) else np.zeros(0, bool)


def _waits(team: Team) -> pd.DataFrame:
    """By rep: `last_on`, and whether the wait `is_forgotten`."""
    found = rhythm(team)
    gaps = found.gaps[found.gaps["held_on"] > team.as_of - YEAR]
    waits = found.waits.set_index("rep_id")
    wait = waits["days"].clip(upper=YEAR.days).where(waits["is_here"], 0).to_numpy(float)
    rep = waits.index.get_indexer(pd.Index(gaps["rep_id"]))
    p = _p_of_wait(wait, rep, gaps["days"].to_numpy(float))
    usual = gaps["days"].median() if len(gaps) else np.inf
    return waits.assign(is_forgotten=_named(p) & (wait > 2 * usual))


def _p_of_wait(wait: np.ndarray, rep: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """On what share of their days the others had waited so long.

    Gaps follow a gamma law whose mean is the time of all gaps and waits over the number of gaps;
    a day lies in long gaps more often than in short ones (the backward recurrence time of a
    renewal process: Cox 1962). How irregular gaps are is known from few: they count for as
    irregular as they may well be. Not less than the share of days seen.
    """
    n_reps = len(wait)

    def of_others(values: np.ndarray | None) -> np.ndarray:
        return (len(rep) if values is None else values.sum()) - np.bincount(rep, values, n_reps)

    n, time = of_others(None).astype(float), of_others(gaps) + wait.sum() - wait
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, plain = time / n, of_others(gaps) / n
        spread = (of_others(gaps**2) / n - plain**2) / plain**2 * (1 + 2 / np.sqrt(n))
        shape = 1 / np.clip(spread, *SPREAD)
        x = shape * wait / mean
        law = gammaincc(shape + 1, x) - wait / mean * gammaincc(shape, x)
        seen = [np.maximum(gaps[rep != i] - w, 0).sum() for i, w in enumerate(wait)]
        seen += np.array([np.maximum(np.delete(wait, i) - w, 0).sum() for i, w in enumerate(wait)])
        p = np.maximum(law, seen / time)
    return np.where(np.isfinite(p), np.clip(p, 0, 1), 1.0)


def _caveats(n_unknown: int) -> tuple[str, ...]:
    return (say(NO_MINUTES, sessions=sessions_in_words(n_unknown)),)


def _headline(table: pd.DataFrame, log: pd.DataFrame, names: Mapping[str, str], months: int) -> str:
    forgotten = table[table["is_forgotten"]]
    if log.empty and forgotten.empty:
        return say("No session in the last {n} months.", n=months)
    said = say("Nobody was forgotten.")
    if len(forgotten):
        people = _people(forgotten, names)
        said = say("Longer without a session than chance explains: {people}.", people=people)
    return f"{said} {_of_time(table, names)} {_of_praise(table, log)}"


def _people(rows: pd.DataFrame, names: Mapping[str, str]) -> str:
    since = [
        say("{n} days", n=number(days)) if pd.notna(days) else say("none yet")
        for days in rows["since_days"]
    ]
    return ", ".join(f"{names[rep]} ({d})" for rep, d in zip(rows["rep_id"], since, strict=True))


def _of_time(table: pd.DataFrame, names: Mapping[str, str]) -> str:
    apart = table[table["is_apart"]]
    if apart.empty:
        return say("Time differs between reps by no more than chance.")
    parts = []
    for is_more, word in ((False, say("less")), (True, say("more"))):
        rows = apart[(apart["attention_ratio"] > 1) == is_more]
        if len(rows):
            parts.append(f"{word}: {', '.join(names[rep] for rep in rows['rep_id'])}")
    return say("Time apart from an equal share, beyond chance: {people}.", people="; ".join(parts))


def _of_praise(table: pd.DataFrame, log: pd.DataFrame) -> str:
    praised, worked = int(table["n_praised"].sum()), int(table["n_worked_on"].sum())
    said = say(
        "A strength was named in {n_praised} of {sessions}, something to work on in {n_worked_on}",
        n_praised=number(praised),
        sessions=sessions_in_words(len(log)),
        n_worked_on=number(worked),
    )
    n_short = int(table["is_praise_short"].sum())
    short = say("; praise falls short for {reps}", reps=reps_in_words(n_short))
    return f"{said}{short}." if n_short else f"{said}."


def _draw(ax: Axes, table: pd.DataFrame, names: Mapping[str, str]) -> Axes:
    """Time against an equal share, the reps furthest from it where they are many."""
    rows = table.dropna(subset="attention_ratio")
    if rows.empty:
        return charts.nothing_to_draw(ax, say("No time on record"))
    far = (rows["attention_ratio"] - 1).abs().sort_values(ascending=False, kind="stable")
    rows = rows[rows.index.isin(far.index[:MOST_ROWS])]
    labels = [
        f"{names[rep]} (n = {n})" for rep, n in zip(rows["rep_id"], rows["n_sessions"], strict=True)
    ]
    points = charts.Points.of(say("time / equal share"), rows, "attention_ratio")
    charts.dumbbell(ax, labels, points, is_rate=False)
    ax.axvline(1, color=charts.MUTED, linewidth=1, linestyle="--")
    ax.set_xlim(0, max(3.0, 1.15 * rows["attention_ratio"].max()))
    return ax
