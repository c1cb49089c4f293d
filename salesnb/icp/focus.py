"""Where a rep's time goes: how much of it to ideal customers, and to the opposite."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.stats import false_discovery_control

from salesnb import charts, standout, stats
from salesnb.companies.segments import Segments, segments
from salesnb.finding import Finding
from salesnb.history import look_up
from salesnb.metrics.view import ledger
from salesnb.team import Team
from salesnb.units import money, number, percent, span

COLUMNS = ["rep_id", "n_open", "ideal_share", "ideal_low", "ideal_high", "typical_share"]
COLUMNS += ["n_ideal", "n_anti", "open_amount", "ideal_amount"]
COLUMNS += ["n_activities", "time_share", "time_low", "time_high", "typical_time_share", "is_apart"]
WEEKS = 13
FEWEST = 10  # open deals below which a share says nothing of a person
FALSE_SHARE = 0.05


def focus(team: Team, *, rep: str | None = None) -> Finding:
    """How much of each rep's pipeline and time goes to ideal customers?

    Parameters
    ----------
    rep : id or name; the answer then names nobody else

    Returns
    -------
    Finding
        One row per rep with open deals, in order of id; none where no segment is ideal:

        rep_id
        n_open : open deals with a company whose segment is known
        ideal_share, ideal_low, ideal_high : of these with ideal customers, 90 % interval
        typical_share : the same of the other reps together
        n_ideal, n_anti : open deals with ideal customers, and with the opposite
        open_amount, ideal_amount : of all these deals, and of those with ideal customers
        n_activities : with such companies in the last 13 weeks, by account or deal
        time_share, time_low, time_high : of these with ideal customers
        typical_time_share : the same of the other reps together
        is_apart : the share of deals differs from that of the others, separated from chance

    Raises
    ------
    DataError
        The team has no accounts, or there is no such rep.
    """
    rep_id = None if rep is None else team.rep(rep)
    found = segments(team)
    deals = _open_deals(team, found)
    table = _table(team, found, deals)
    table = table if rep_id is None else table[table["rep_id"] == rep_id]
    table = table.reset_index(drop=True)
    own = deals if rep_id is None else deals[deals["rep_id"] == rep_id]
    names = team.reps.set_index("rep_id")["name"]
    return Finding(
        headline=_headline(found, table, names, team.currency, rep_id),
        table=table,
        draw=lambda ax: _draw(ax, table, names),
        ask=_ask(team, own, rep_id) if len(table) else (),
        caveats=_caveats(found, table),
        currency=team.currency,
    )


def _open_deals(team: Team, found: Segments) -> pd.DataFrame:
    """Open deals with companies of a known segment: whether that is ideal, or the opposite."""
    deals = ledger(team).open_deals
    deals = deals.assign(segment=look_up(deals["account_id"], found.segment))
    deals = deals.dropna(subset="segment")
    return deals.assign(
        is_ideal=deals["segment"].isin(found.ideal), is_anti=deals["segment"].isin(found.anti)
    )


def _table(team: Team, found: Segments, deals: pd.DataFrame) -> pd.DataFrame:
    reps = pd.Index(sorted(deals["rep_id"].unique())) if found.ideal else pd.Index([], dtype="str")
    deals = deals[deals["rep_id"].isin(reps)]
    rep = reps.get_indexer(pd.Index(deals["rep_id"]))
    ideal = deals["is_ideal"].to_numpy(float)
    n, hits = (np.bincount(rep, w, len(reps)) for w in (None, ideal))
    share = (
        stats.rates(hits, n)
        .drop(columns="n")
        .set_axis(["ideal_share", "ideal_low", "ideal_high"], axis=1)
    )
    amount = deals["amount"].fillna(0).to_numpy()
    p = _p(hits, n)
    table = pd.DataFrame({"rep_id": reps.astype("str"), "n_open": n.astype(int)})
    table = table.assign(
        typical_share=_of_others(hits, n),
        n_ideal=hits.astype(int),
        n_anti=np.bincount(rep, deals["is_anti"], len(reps)).astype(int),
        open_amount=np.bincount(rep, amount, len(reps)),
        ideal_amount=np.bincount(rep, amount * ideal, len(reps)),
        is_apart=false_discovery_control(p) <= FALSE_SHARE if len(p) else np.zeros(0, bool),
    )
    return pd.concat([table, share, _time(team, found, reps)], axis=1)[COLUMNS]


def _time(team: Team, found: Segments, reps: pd.Index) -> pd.DataFrame:
    """Activities of the last weeks with companies of a known segment."""
    since = team.as_of - pd.Timedelta(weeks=WEEKS) + pd.Timedelta(days=1)
    rows = team.activities
    end = team.as_of + pd.Timedelta(days=1)
    rows = rows[(rows["happens_at"] >= since) & (rows["happens_at"] < end)]
    by_deal = look_up(rows["deal_id"], team.deals.set_index("deal_id")["account_id"])
    segment = look_up(rows["account_id"].fillna(by_deal), found.segment)
    rows = rows.assign(segment=segment).dropna(subset="segment")
    rows = rows[rows["rep_id"].isin(reps)]
    rep, ideal = reps.get_indexer(pd.Index(rows["rep_id"])), rows["segment"].isin(found.ideal)
    n, hits = (np.bincount(rep, w, len(reps)) for w in (None, ideal.to_numpy(float)))
    share = stats.rates(hits, n)
    return pd.DataFrame(
        {
            "n_activities": n.astype(int),
            "time_share": share["value"],
            "time_low": share["value_low"],
            "time_high": share["value_high"],
            "typical_time_share": _of_others(hits, n),
        }
    )


def _of_others(hits: np.ndarray, n: np.ndarray) -> np.ndarray:
    others = n.sum() - n
    return np.divide(hits.sum() - hits, others, out=np.full(len(n), np.nan), where=others > 0)


def _p(hits: np.ndarray, n: np.ndarray) -> np.ndarray:
    """How likely chance alone would set each share so far from that of the others."""
    rest, others = hits.sum() - hits, n.sum() - n
    return np.array(
        [
            stats.two_rates_p(h / m, m, r / o, o) if m >= FEWEST and o else 1.0
            for h, m, r, o in zip(hits, n, rest, others, strict=True)
        ]
    )


def _headline(
    found: Segments, table: pd.DataFrame, names: pd.Series, currency: str, rep_id: str | None
) -> str:
    who = "" if rep_id is None else f"{names[rep_id]}: "
    if not found.ideal:
        why = found.why_none or "none is won more often than chance explains"
        return f"{who}no ideal customer stands out, so nothing is said of where time goes: {why}."
    if table.empty:
        return f"{who}no open deal with a company that is known well enough."
    if rep_id is not None:
        return f"{who}{_in_words(table.iloc[0], currency)}"
    apart = table[table["is_apart"]]
    if apart.empty:
        all_ = table["n_ideal"].sum() / table["n_open"].sum()
        return f"{percent(all_)} of the open deals are with ideal customers; nobody stands apart."
    said = [f"{names[row['rep_id']]} {percent(row['ideal_share'])}" for _, row in apart.iterrows()]
    return f"With ideal customers, apart from the others: {', '.join(said)} of the open deals."


def _in_words(row: pd.Series, currency: str) -> str:
    inside = span(row["ideal_low"], row["ideal_high"], percent)
    said = (
        f"{number(row['n_ideal'])} of {number(row['n_open'])} open deals are with ideal customers "
        f"({percent(row['ideal_share'])}, {inside}), {money(row['ideal_amount'], currency)} of "
        f"{money(row['open_amount'], currency)}"
    )
    if row["n_activities"] >= FEWEST:
        said += f"; so is {percent(row['time_share'])} of the time spent with these companies"
    apart = "" if row["is_apart"] else "; no different from the others by more than chance"
    return f"{said}{apart}."


def _ask(team: Team, own: pd.DataFrame, rep_id: str | None) -> tuple[str, ...]:
    """Questions on the rep's own deals: the largest ideal one, and the largest of the opposite."""
    if rep_id is None:
        return ("What keeps deals with the opposite of an ideal customer on the list?",)
    asked = []
    known = standout.known(team)
    for flag, question in (
        ("is_ideal", "What would it take to give {} two more hours this week?"),
        ("is_anti", "What do you know about {} that makes it worth the effort?"),
    ):
        largest = own[own[flag]].sort_values(["amount", "deal_id"], ascending=[False, True])
        rows = known[known["deal_id"].isin(largest["deal_id"].head(1))]
        if len(rows):
            asked.append(question.format(standout.labels(rows, team.currency).iloc[0]))
    return tuple(asked)


def _caveats(found: Segments, table: pd.DataFrame) -> tuple[str, ...]:
    if table.empty:
        return ()
    names = dict(zip(found.ids, found.names, strict=True))
    said = [f"Ideal: {'; '.join(f'{names[each]} ({each})' for each in found.ideal)}."]
    if table["n_activities"].any():
        said.append(f"Time: activities of the last {WEEKS} weeks, each counted as one.")
    said.append("A share is not a verdict: territory and the leads one is given play their part.")
    return tuple(said)


def _draw(ax: Axes, table: pd.DataFrame, names: pd.Series) -> Axes:
    if table.empty:
        return charts.nothing_to_draw(ax, "No ideal customer stands out")
    if len(table) == 1:
        row = table.iloc[0]
        value, low, high = (
            [row[f"ideal_{end}"], row[f"time_{end}"]] for end in ("share", "low", "high")
        )
        own = charts.Points("own", value, low, high)
        others = [row["typical_share"], row["typical_time_share"]]
        typical = charts.Points("of the others", others, colour=charts.MUTED, marker="D")
        return charts.dumbbell(ax, ["open deals", "activities"], typical, own)
    labels = [
        f"{names[rep]} (n = {n})" for rep, n in zip(table["rep_id"], table["n_open"], strict=True)
    ]
    return charts.dumbbell(
        ax, labels, charts.Points.of("open deals with ideal customers", table, "ideal_share")
    )
