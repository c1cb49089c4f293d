"""Where a rep sees the causes, what is kept of what was agreed, and whether the deals are hard."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.stats import beta

from salesnb import charts, question_bank, standout, stats
from salesnb.coaching_log.agreed import kept, with_outcome
from salesnb.coaching_log.hardness import Hardness, hardness
from salesnb.coaching_log.held import YEAR, held, times
from salesnb.errors import DataError
from salesnb.finding import Finding
from salesnb.language import say, to_say
from salesnb.metrics.answers import PEERS
from salesnb.standout import Standout
from salesnb.team import Team
from salesnb.units import number, percent, span

COLUMNS = ["what", "n", "n_seen", "share", "share_low", "share_high", "typical_share", "is_apart"]
OWN, OUTSIDE = to_say("cause in one's own hands"), to_say("cause outside")
KEPT = to_say("commitments done by their day")
DEALS = to_say("typical rep would win, of these deals")
VERDICTS = {
    "harder": to_say("The deals of the last year are harder than the others': {figures}."),
    "easier": to_say("The deals of the last year are easier than the others': {figures}."),
    "alike": to_say("The deals of the last year are about as hard as the others': {figures}."),
    "": to_say("Whether the deals are harder than the others' cannot be told yet: {figures}."),
}
SHORTER = {DEALS: to_say("won by a typical rep"), KEPT: to_say("done by their day")}
FEWEST = 5  # sessions with a reason, or commitments, below which nothing is said
PRIOR = (2.0, 50.0)  # cases that the team's share weighs, at least and at most
LOGGED = to_say("Only what was logged counts: a cause as it was said and written down on that day.")
UNRECORDED = to_say(
    "Deals are compared by what is on record of them. A territory that is poorer in ways nobody "
    "records cannot be told apart from skill."
)


def readiness(team: Team, rep: str) -> Finding:
    """Where does this rep see the causes, is what was agreed kept, and are the deals harder?

    From the log of the last year, as a start for a talk and not as a verdict. Shares are drawn
    towards the team's as far as they are seen in few cases (beta-binomial, Morris 1983); below
    five cases nothing is said. Beside them a check of "the deals are bad": the odds of the
    typical rep, learnt from the others' deals, are run over the deals that this rep got in the
    last year and over those of the others. Sometimes the rep is right. Where both are of one
    kind, "harder" is said in at most 2.5 of 100 cases (docs/blame_check.md).

    Returns
    -------
    Finding
        Four rows:

        what : the cause seen in one's own hands; the cause seen outside; commitments done by
            their day; what a typical rep would win of this rep's deals
        n, n_seen : sessions with a cause noted, commitments whose day has passed, deals of the
            last year; of these those that count, blank for deals
        share, share_low, share_high : n_seen / n drawn towards the team's, 90 % interval; for
            deals the typical rep's chance, with the interval of its difference from the others'
        typical_share : the same of the other reps together; of deals, on those of the others
        is_apart : the deals are harder or easier, separated from chance; never said of a person

    Raises
    ------
    DataError
        The team has no coaching table, or there is no such rep.
    """
    seen = standout.of(team, rep)
    own = _last_year(team, held(team, rep, why="what was said and agreed"))
    everybody = _last_year(team, held(team, None, why="what was said and agreed"))
    others = everybody[everybody["rep_id"] != seen.rep_id]
    found = hardness(team, seen.rep_id)
    rows = [
        _row(what, _cases(own, what), _cases(others, what), len(team.reps) - 1)
        for what in (OWN, OUTSIDE, KEPT)
    ]
    table = pd.DataFrame([*rows, _of_deals(found)], columns=COLUMNS)
    table["what"] = table["what"].map(say)
    table = table.astype({"what": "str", "n": "int64", "is_apart": "bool"})
    return Finding(
        f"{seen.name}: {_causes(table)}; {_agreed(table)}. {_deals(found)}",
        table,
        lambda ax: _draw(ax, table),
        ask=_ask(seen),
        caveats=(say(LOGGED), say(UNRECORDED)),
        behind={"n": lambda row: _sessions(team, seen.rep_id, row["what"])},
    )


def _sessions(team: Team, rep_id: str, what: str) -> pd.DataFrame:
    """The sessions that a share counts, as on record."""
    logged = {say(each): each for each in (OWN, OUTSIDE, KEPT)}
    if what not in logged:
        raise DataError("The deals are all that the rep got in the last year, by a model's odds.")
    log = _last_year(team, held(team, rep_id, why="what was said and agreed"))
    return log.loc[_cases(log, logged[what]).index]


def _last_year(team: Team, log: pd.DataFrame) -> pd.DataFrame:
    log = with_outcome(log, team.as_of)
    log["is_kept"] = log["is_kept"].where(log.index.isin(kept(log, team.as_of).index))
    return log.assign(reason=log["reason"].where(log["held_on"] > team.as_of - YEAR))


def _cases(log: pd.DataFrame, what: str) -> pd.DataFrame:
    """rep_id, and whether it is so, of each case."""
    if what == KEPT:
        cases = log.dropna(subset="is_kept")
        return cases[["rep_id"]].assign(is_so=cases["is_kept"].astype(bool))
    cases = log.dropna(subset="reason")
    word = {OWN: "own", OUTSIDE: "external"}[what]
    return cases[["rep_id"]].assign(is_so=cases["reason"] == word)


def _row(what: str, own: pd.DataFrame, others: pd.DataFrame, n_others: int) -> dict:
    n, hits = len(own), int(own["is_so"].sum())
    row = {"what": what, "n": n, "n_seen": float(hits), "is_apart": False}
    is_told = n_others >= PEERS and others["rep_id"].nunique() >= PEERS
    share = others["is_so"].mean() if is_told else np.nan
    if n < FEWEST:
        return row | {"typical_share": share}
    # Jeffreys' prior where the team's share would be that of a person.
    a, b = _prior(others, share) if is_told else (0.5, 0.5)
    law = beta(a + hits, b + n - hits)
    tail, mean = (1 - stats.LEVEL) / 2, float(law.mean())
    low, high = min(law.ppf(tail), mean), max(law.ppf(1 - tail), mean)
    return row | {
        "share": mean,
        "share_low": low,
        "share_high": high,
        "typical_share": share,
    }


def _prior(others: pd.DataFrame, share: float) -> tuple[float, float]:
    """A beta law of the reps' shares, by moments: the less they differ, the more it weighs."""
    by_rep = others.groupby("rep_id")["is_so"].agg(["sum", "size"])
    n, even = by_rep["size"].to_numpy(float), share * (1 - share)
    off = ((by_rep["sum"] - n * share) ** 2 / n).sum()
    excess = (off - (len(n) - 1) * even) / max(n.sum() - (n**2).sum() / n.sum(), 1e-9)
    weight = np.clip(even / excess - 1, *PRIOR) if excess > 0 else PRIOR[1]
    middle = np.clip(share, 0.01, 0.99)
    return float(weight * middle), float(weight * (1 - middle))


def _of_deals(found: Hardness | None) -> dict:
    row = {"what": DEALS, "n": 0, "n_seen": np.nan, "is_apart": False}
    if found is None:
        return row
    return row | {
        "n": found.n,
        "share": found.typical_rate,
        "share_low": max(0.0, found.other_rate + found.gap_low),
        "share_high": min(1.0, found.other_rate + found.gap_high),
        "typical_share": found.other_rate,
        "is_apart": found.verdict in ("harder", "easier"),
    }


def _causes(table: pd.DataFrame) -> str:
    own, outside = table.iloc[0], table.iloc[1]
    n = own["n"]
    if n < FEWEST:
        return say("a cause was noted in too few sessions of the last year to say (n = {n})", n=n)
    return say(
        "a cause was noted in {n} sessions of the last year, {own} in one's own hands "
        "({own_share}) and {outside} outside ({outside_share})",
        n=n,
        own=times(int(own["n_seen"])),
        own_share=_share(own),
        outside=times(int(outside["n_seen"])),
        outside_share=_share(outside),
    )


def _agreed(table: pd.DataFrame) -> str:
    row = table.iloc[2]
    n = row["n"]
    if n < FEWEST:
        return say("too few commitments whose day has passed to say (n = {n})", n=n)
    return say(
        "{n_kept} of {n} commitments were done by their day ({share})",
        n_kept=number(row["n_seen"]),
        n=n,
        share=_share(row),
    )


def _share(row: pd.Series) -> str:
    own, typical = span(row["share_low"], row["share_high"], percent), row["typical_share"]
    if pd.isna(typical):
        return own
    return say("{share}, the others {others}", share=own, others=percent(typical))


def _deals(found: Hardness | None) -> str:
    if found is None:
        return say(
            "Whether the deals are harder than the others' cannot be told from what is on record."
        )
    figures = say(
        "a typical rep would win {rate} of them against {others_rate} of the others' "
        "(n = {n} and {n_others})",
        rate=percent(found.typical_rate),
        others_rate=percent(found.other_rate),
        n=number(found.n),
        n_others=number(found.n_others),
    )
    return say(VERDICTS[found.verdict], figures=figures)


def _ask(seen: Standout) -> tuple[str, ...]:
    """Two questions for the talk, on a deal of the rep's own where one was lost."""
    lost = seen.losses.head(1)
    known = {}
    if len(lost):
        known["deal"] = standout.labels(lost, seen.team.currency).iloc[0]
    asked = [
        *question_bank.choose("external_causes", "reality", 1, known, seen.turn, own=1),
        *question_bank.choose("external_causes", "options", 1, known, seen.turn),
    ]
    return tuple(question_bank.fill(each.text, known) for each in asked)


def _draw(ax: Axes, table: pd.DataFrame) -> Axes:
    """Each share with its interval, and that of the others."""
    rows = table.dropna(subset="share")
    if rows.empty:
        return charts.nothing_to_draw(ax, say("Too little on record to say"))
    shorter = {say(words): say(fewer) for words, fewer in SHORTER.items()}
    whats = rows["what"].replace(shorter)
    labels = [f"{what} (n = {number(n)})" for what, n in zip(whats, rows["n"], strict=True)]
    others = say("the others")
    typical = charts.Points(others, rows["typical_share"], colour=charts.MUTED, marker="D")
    own = charts.Points(say("own"), rows["share"], rows["share_low"], rows["share_high"])
    return charts.dumbbell(ax, labels, typical, own)
