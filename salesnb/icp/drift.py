"""Whether the ideal customer is still who it was."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.special import ndtr
from scipy.stats import false_discovery_control

from salesnb import behind, charts, stats
from salesnb.companies.segments import segments, with_place
from salesnb.errors import DataError
from salesnb.finding import Finding
from salesnb.language import say
from salesnb.team import Team
from salesnb.units import day as in_words
from salesnb.units import number, percent

COLUMNS = ["segment", "name", "n_before", "before_rate", "before_low", "before_high"]
COLUMNS += ["n_after", "after_rate", "after_low", "after_high", "share_before", "share_after"]
COLUMNS += ["is_moved"]
FALSE_SHARE = 0.05


def drift(team: Team, *, since: str | None = None) -> Finding:
    """Has the ideal customer moved since a given day?

    Each segment's win rate before and from that day on. A segment has moved where its odds
    changed otherwise than those of the others (difference of log odds, Benjamini and Hochberg
    1995 over the segments): that all won less often for a while is no change of profile.

    Parameters
    ----------
    since : a day; by default the middle of the time in which deals were closed

    Returns
    -------
    Finding
        One row per segment, in the order of `icp.segments`:

        segment, name
        n_before, n_after : deals won or lost before, and from that day on
        before_rate, before_low, before_high, after_rate, after_low, after_high : of these won
        share_before, share_after : of all deals won in that time
        is_moved : separated from chance

    Raises
    ------
    DataError
        The team has no accounts, or `since` is no day.
    """
    team.need_dates(why="icp.drift")
    found, decided = segments(team), _decided(team)
    kind = found.kind[decided["place"]]
    day = _middle(decided, team.as_of) if since is None else _day(since)
    table = _table(found.ids, found.names, kind, decided, day)
    table = table if not found.why_none else table.head(0)
    return Finding(
        headline=_headline(table, day, found.why_none),
        table=table,
        draw=lambda ax: _draw(ax, table),
        ask=(say("What has changed at these customers, or in how we sell to them?"),)
        if table["is_moved"].any()
        else (),
        caveats=(say("Segments are those of today, traits as recorded today."),),
        currency=team.currency,
        behind={
            "n_before": lambda row: _of_segment(team, row["segment"], day, is_after=False),
            "n_after": lambda row: _of_segment(team, row["segment"], day, is_after=True),
        },
    )


def _decided(team: Team) -> pd.DataFrame:
    """The deals won or lost, each with the `place` of its company among the customers."""
    return with_place(segments(team).customers).dropna(subset="outcome")


def _of_segment(team: Team, segment: str, day: pd.Timestamp, *, is_after: bool) -> pd.DataFrame:
    """The deals decided with a kind of companies before a day, or from it on."""
    found, decided = segments(team), _decided(team)
    rows = decided[found.kind[decided["place"]] == found.ids.index(segment)]
    return behind.deals(team, rows[(rows["closed_on"] >= day) == is_after])


def _day(since: str) -> pd.Timestamp:
    try:
        return pd.Timestamp(since).normalize()
    except ValueError:
        raise DataError(f"since: expected a day such as 2026-03-31, found {since!r}.") from None


def _middle(decided: pd.DataFrame, as_of: pd.Timestamp) -> pd.Timestamp:
    if decided.empty:
        return as_of
    closed = decided["closed_on"].sort_values()
    return pd.Timestamp(closed.iloc[len(closed) // 2]).normalize()


def _table(
    ids: list[str],
    names: tuple[str, ...],
    kind: np.ndarray,
    decided: pd.DataFrame,
    day: pd.Timestamp,
) -> pd.DataFrame:
    k = len(ids)
    won, after = decided["outcome"].eq("won").to_numpy(), (decided["closed_on"] >= day).to_numpy()
    found: dict[str, pd.Series | np.ndarray] = {
        "segment": pd.Series(ids, dtype="str"),
        "name": pd.Series(list(names), dtype="str"),
    }
    log_odds, variance = [], []
    for when, rows in (("before", ~after & (kind >= 0)), ("after", after & (kind >= 0))):
        hits = np.bincount(kind[rows & won], minlength=k).astype(float)
        n = np.bincount(kind[rows], minlength=k).astype(float)
        rates = stats.rates(hits, n)
        ends = {"rate": "value", "low": "value_low", "high": "value_high"}
        found |= {f"{when}_{end}": rates[column] for end, column in ends.items()}
        found |= {f"n_{when}": n.astype(int), f"share_{when}": hits / max(hits.sum(), 1)}
        log_odds.append(np.log((hits + 0.5) / (n - hits + 0.5)))
        variance.append(1 / (hits + 0.5) + 1 / (n - hits + 0.5))
    table = pd.DataFrame(found)
    table["is_moved"] = _moved(log_odds[1] - log_odds[0], variance[0] + variance[1])
    return table[COLUMNS]


def _moved(change: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Which changes differ from those of all the others together."""
    if len(change) < 2:
        return np.zeros(len(change), bool)
    weight = 1 / variance
    others = weight.sum() - weight
    usual = ((weight * change).sum() - weight * change) / others
    z = (change - usual) / np.sqrt(variance + 1 / others)
    return false_discovery_control(2 * ndtr(-np.abs(z))) <= FALSE_SHARE


def _headline(table: pd.DataFrame, day: pd.Timestamp, why_none: str) -> str:
    when = in_words(day)
    if table.empty:
        why = why_none or say("no account is known well enough")
        return say("No segments to compare: {why}.", why=why)
    moved = table[table["is_moved"]]
    if moved.empty:
        n = number(len(table))
        return say(
            "None of {n} kinds of companies is won otherwise since {day} than chance explains.",
            n=n,
            day=when,
        )
    kinds = "; ".join(_kind(row) for _, row in moved.iterrows())
    return say("Moved since {day}: {kinds}.", day=when, kinds=kinds)


def _kind(row: pd.Series) -> str:
    name, segment = row["name"], row["segment"]
    return say(
        "{name} ({segment}): {after} won since (n = {n_after}), {before} before (n = {n_before})",
        name=name,
        segment=segment,
        after=percent(row.after_rate),
        n_after=number(row.n_after),
        before=percent(row.before_rate),
        n_before=number(row.n_before),
    )


def _draw(ax: Axes, table: pd.DataFrame) -> Axes:
    rows = table.dropna(subset=["before_rate", "after_rate"])
    if rows.empty:
        return charts.nothing_to_draw(ax, say("No segments to compare"))
    before = charts.Points.of(say("before"), rows, "before_rate", charts.MUTED, "s")
    after = charts.Points.of(say("after"), rows, "after_rate")
    return charts.dumbbell(ax, rows["segment"].to_list(), before, after)
