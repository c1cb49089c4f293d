"""Where a rep's time goes: how much of it to ideal customers, and to the opposite."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.stats import false_discovery_control

from salesnb import behind, charts, standout, stats
from salesnb.companies.segments import Segments, segments
from salesnb.finding import Finding
from salesnb.history import look_up
from salesnb.language import say, to_say
from salesnb.metrics.ledger import ledger
from salesnb.once import once
from salesnb.team import Team
from salesnb.units import money, number, percent, span

COLUMNS = ["rep_id", "what", "n", "n_ideal", "n_anti", "ideal_share", "ideal_low", "ideal_high"]
COLUMNS += ["typical_share", "open_amount", "ideal_amount", "is_apart"]
OPEN, DONE = to_say("open deals"), to_say("activities")
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
        Two rows per rep with open deals, in order of id; none where no segment is ideal:

        rep_id
        what : ``open deals``; or ``activities`` of the last 13 weeks, by account or deal
        n : with companies whose segment is known
        n_ideal, n_anti : of these with ideal customers, and with the opposite
        ideal_share, ideal_low, ideal_high : n_ideal / n, 90 % interval
        typical_share : the same of the other reps together
        open_amount, ideal_amount : of all these deals, and of those with ideal customers
        is_apart : the share of deals differs from that of the others, separated from chance;
            not asked of activities, which come in rows

    Raises
    ------
    DataError
        The team has no accounts, or there is no such rep.
    """
    rep_id = None if rep is None else team.rep(rep)
    found = segments(team)
    deals = _open(team)
    table = _table(team)
    table = table if rep_id is None else table[table["rep_id"] == rep_id]
    table = table.reset_index(drop=True)
    own = deals if rep_id is None else deals[deals["rep_id"] == rep_id]
    names = team.names
    return Finding(
        headline=_headline(found, table, names, team.currency, rep_id),
        table=table,
        draw=lambda ax: _draw(ax, table, names),
        ask=_ask(team, own, rep_id) if len(table) else (),
        caveats=_caveats(found, table),
        currency=team.currency,
        names=team.names,
        behind={
            "n": lambda row: _rows(team, found, row),
            "n_ideal": lambda row: _rows(team, found, row, "is_ideal"),
            "n_anti": lambda row: _rows(team, found, row, "is_anti"),
        },
    )


def _rows(team: Team, found: Segments, row: pd.Series, *flags: str) -> pd.DataFrame:
    """The open deals, or the activities, that a count of a row counts."""
    is_open = row["what"] == OPEN
    rows = _open(team) if is_open else _activities(team, found)
    rows = rows[(rows["rep_id"] == row["rep_id"]) & rows[[*flags]].all(axis=1)]
    return behind.deals(team, rows, "segment") if is_open else rows


@once
def _open(team: Team) -> pd.DataFrame:
    """Open deals with companies of a known segment."""
    return _with_segment(ledger(team).open_deals, segments(team))


@once
def _table(team: Team) -> pd.DataFrame:
    found, deals = segments(team), _open(team)
    reps = pd.Index(sorted(deals["rep_id"].unique()) if found.ideal else [], dtype="str")
    open_ = _counted(OPEN, deals, reps)
    amount, ideal = deals["amount"].fillna(0), deals["is_ideal"]
    for name, worth in (("open_amount", amount), ("ideal_amount", amount.where(ideal, 0))):
        open_[name] = worth.groupby(deals["rep_id"]).sum().reindex(reps, fill_value=0.0).to_numpy()
    p = _p(open_["n_ideal"].to_numpy(float), open_["n"].to_numpy(float))
    open_["is_apart"] = false_discovery_control(p) <= FALSE_SHARE if len(p) else False
    table = pd.concat([open_, _counted(DONE, _activities(team, found), reps)], ignore_index=True)
    table["is_apart"] = table["is_apart"].eq(True)
    table = table.sort_values("rep_id", kind="stable", ignore_index=True)
    return table.astype({"is_apart": "bool"})[COLUMNS]


def _counted(what: str, rows: pd.DataFrame, reps: pd.Index) -> pd.DataFrame:
    """How many of each rep's rows are with ideal customers, and with the opposite."""
    rep = reps.get_indexer(pd.Index(rows["rep_id"]))
    rep, rows = rep[rep >= 0], rows[rep >= 0]
    n, ideal, anti = (
        np.bincount(rep, weights, len(reps)).astype(int)
        for weights in (None, rows["is_ideal"], rows["is_anti"])
    )
    share = stats.rates(ideal, n).drop(columns="n")
    share.columns = ["ideal_share", "ideal_low", "ideal_high"]
    counts = {"rep_id": reps.astype("str"), "n": n, "n_ideal": ideal, "n_anti": anti}
    table = pd.DataFrame(counts).assign(what=what, typical_share=_of_others(ideal, n))
    return pd.concat([table, share], axis=1).astype({"what": "str"})


def _activities(team: Team, found: Segments) -> pd.DataFrame:
    """Activities of the last weeks with companies of a known segment."""
    since, end = team.as_of - pd.Timedelta(weeks=WEEKS), team.as_of + pd.Timedelta(days=1)
    rows = team.activities
    rows = rows[(rows["happens_at"] > since) & (rows["happens_at"] < end)]
    by_deal = look_up(rows["deal_id"], team.deals.set_index("deal_id")["account_id"])
    return _with_segment(rows.assign(account_id=rows["account_id"].fillna(by_deal)), found)


def _with_segment(rows: pd.DataFrame, found: Segments) -> pd.DataFrame:
    """The rows with a company of a known segment: whether that is ideal, or the opposite."""
    rows = rows.assign(segment=look_up(rows["account_id"], found.segment)).dropna(subset="segment")
    return rows.assign(
        is_ideal=rows["segment"].isin(found.ideal), is_anti=rows["segment"].isin(found.anti)
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
    found: Segments,
    table: pd.DataFrame,
    names: Mapping[str, str],
    currency: str,
    rep_id: str | None,
) -> str:
    who = "" if rep_id is None else f"{names[rep_id]}: "
    if not found.ideal:
        why = found.why_none or say("none is won more often than chance explains")
        return who + say(
            "no ideal customer stands out, so nothing is said of where time goes: {why}.", why=why
        )
    if table.empty:
        return who + say("no open deal with a company that is known well enough.")
    open_ = table[table["what"] == OPEN]
    if rep_id is not None:
        return f"{who}{_in_words(open_.iloc[0], table[table['what'] == DONE].iloc[0], currency)}"
    apart = open_[open_["is_apart"]]
    if apart.empty:
        all_ = open_["n_ideal"].sum() / open_["n"].sum()
        return say(
            "{share} of the open deals are with ideal customers; nobody stands apart.",
            share=percent(all_),
        )
    said = [f"{names[row['rep_id']]} {percent(row['ideal_share'])}" for _, row in apart.iterrows()]
    people = ", ".join(said)
    return say(
        "With ideal customers, apart from the others: {people} of the open deals.", people=people
    )


def _in_words(deals: pd.Series, done: pd.Series, currency: str) -> str:
    said = [
        say(
            "{n_ideal} of {n} open deals are with ideal customers ({share}, {ends}), {amount} of "
            "{total}",
            n_ideal=number(deals.n_ideal),
            n=number(deals.n),
            share=percent(deals.ideal_share),
            ends=span(deals.ideal_low, deals.ideal_high, percent),
            amount=money(deals.ideal_amount, currency),
            total=money(deals.open_amount, currency),
        )
    ]
    if done["n"] >= FEWEST:
        share = percent(done["ideal_share"])
        said += [say("so are {share} of the activities with such companies", share=share)]
    if not deals["is_apart"]:
        said += [say("no different from the others by more than chance")]
    return f"{'; '.join(said)}."


def _ask(team: Team, own: pd.DataFrame, rep_id: str | None) -> tuple[str, ...]:
    """Questions on the rep's own deals: the largest ideal one, and the largest of the opposite."""
    if rep_id is None:
        return (say("What keeps deals with the opposite of an ideal customer on the list?"),)
    asked = []
    known = standout.known(team)
    for flag, question in (
        ("is_ideal", to_say("What would it take to give {deal} two more hours this week?")),
        ("is_anti", to_say("What do you know about {deal} that makes it worth the effort?")),
    ):
        largest = own[own[flag]].sort_values(["amount", "deal_id"], ascending=[False, True])
        rows = known[known["deal_id"].isin(largest["deal_id"].head(1))]
        if len(rows):
            asked.append(say(question, deal=standout.labels(rows, team.currency).iloc[0]))
    return tuple(asked)


def _caveats(found: Segments, table: pd.DataFrame) -> tuple[str, ...]:
    if table.empty:
        return ()
    names = dict(zip(found.ids, found.names, strict=True))
    ideal = "; ".join(f"{names[each]} ({each})" for each in found.ideal)
    return (
        say("Ideal: {kinds}. Territory and the leads one is given play their part.", kinds=ideal),
    )


def _draw(ax: Axes, table: pd.DataFrame, names: Mapping[str, str]) -> Axes:
    if table.empty:
        return charts.nothing_to_draw(ax, say("No ideal customer stands out"))
    if len(set(table["rep_id"])) == 1:
        typical = charts.Points(
            say("the others"), table["typical_share"], colour=charts.MUTED, marker="D"
        )
        own = charts.Points.of(say("own"), table, "ideal_share")
        counted = zip(table["what"], table["n"], strict=True)
        return charts.dumbbell(ax, [f"{say(what)} (n = {n})" for what, n in counted], typical, own)
    rows = table[table["what"] == OPEN]
    labels = [f"{names[rep]} (n = {n})" for rep, n in zip(rows["rep_id"], rows["n"], strict=True)]
    points = charts.Points.of(say("open deals with ideal customers"), rows, "ideal_share")
    return charts.dumbbell(ax, labels, points)
