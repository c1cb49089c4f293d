"""Companies and open deals by how well they fit, and what is still to be asked."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from salesnb import charts
from salesnb.companies import prospects as prospect_list
from salesnb.companies.customers import traits_of
from salesnb.companies.scores import UNKNOWN, Scorer
from salesnb.companies.scores import scorer as scorer_of
from salesnb.finding import Finding
from salesnb.metrics.ledger import ledger
from salesnb.team import Team
from salesnb.units import number, percent

COLUMNS = [
    "account_id",
    "deal_id",
    "segment",
    "score",
    "score_low",
    "score_high",
    "tier",
    "reasons",
]
TIERS = ("A", "B", "C", UNKNOWN)
COLOURS = (*charts.shades(3, first=2)[::-1], charts.FAINT)
ON_SCORE = (
    "The score is of the company, not of the deal: what happened since is in pipeline.forecast."
)


def scores(team: Team, *, rep: str | None = None, prospects: str | None = None) -> Finding:
    """Which open deals and companies fit best, and what should be asked of the others?

    The chance that a deal with such a company is won by a typical rep: the odds of each kind of
    company (`icp.segments`, adjusted for who sold), weighted by how likely the company is of that
    kind. A company of which nothing is known is near the average, with a wide interval.

    Parameters
    ----------
    rep : id or name; only this rep's open deals
    prospects : a CSV file of companies to score instead, with a column account_id and the traits
        of `accounts`; any others are left aside

    Returns
    -------
    Finding
        One row per open deal and per account without one, open deals first, best score first:

        account_id, deal_id : deal_id is blank for an account without an open deal
        segment : blank where there are none, or too little is known to tell
        score, score_low, score_high : chance to be won (0-1), with the 90 % interval of the
            estimate
        tier : A (odds of 1.2 times the average or more), C (0.8 times or less), B (between), or
            ``not enough known`` (fewer than half the traits, or of no kind in particular)
        reasons : what speaks for (+) and against (−) it; where not enough is known, up to three
            things to ask, the one first that tells most

    Raises
    ------
    DataError
        The team has no accounts, there is no such rep, or the file is faulty.
    """
    rep_id = None if rep is None else team.rep(rep)
    scorer = scorer_of(team)
    if prospects is not None:
        table = _of_prospects(team, scorer, Path(prospects))
    else:
        table = _of_team(team, scorer, rep_id)
    table = table.astype({"deal_id": "str", "account_id": "str"})[COLUMNS]
    return Finding(
        headline=_headline(scorer, table, prospects is not None),
        table=table.reset_index(drop=True),
        draw=lambda ax: _draw(ax, scorer, table),
        ask=_ask(table),
        caveats=_caveats(scorer, table, ledger(team).open_deals),
        currency=team.currency,
    )


def _of_prospects(team: Team, scorer: Scorer, path: Path) -> pd.DataFrame:
    """The companies of a file, best first."""
    known = _traits(prospect_list.read(path), team, scorer)
    prospect_list.must_match(known, scorer.found.customers.numbers, path)
    table = scorer.score(known).rename_axis("account_id").reset_index().assign(deal_id=None)
    return table.sort_values(["score", "account_id"], ascending=[False, True])


def _traits(prospects: pd.DataFrame, team: Team, scorer: Scorer) -> pd.DataFrame:
    """The traits of prospects as those of the team's accounts were taken."""
    accounts = prospects.set_index("account_id")
    return traits_of(accounts, team.as_of.year, scorer.found.customers.per_head)


def _of_team(team: Team, scorer: Scorer, rep_id: str | None) -> pd.DataFrame:
    """Open deals, best first, then the accounts without one; a rep's deals alone if asked for."""
    open_deals = ledger(team).open_deals.dropna(subset="account_id")
    if rep_id is not None:
        open_deals = open_deals[open_deals["rep_id"] == rep_id]
    known = scorer.found.customers.accounts
    if rep_id is not None:
        known = known[known.index.isin(open_deals["account_id"])]
    scored = scorer.score(known).rename_axis("account_id").reset_index()
    of_deals = open_deals[["account_id", "deal_id"]].merge(scored, on="account_id")
    others = scored[~scored["account_id"].isin(of_deals["account_id"])].assign(deal_id=None)
    table = pd.concat([of_deals, others.head(0) if rep_id else others])
    table["is_open"] = table["deal_id"].notna()
    order = ["is_open", "score", "account_id", "deal_id"]
    return table.sort_values(order, ascending=[False, False, True, True])


def _headline(scorer: Scorer, table: pd.DataFrame, is_prospects: bool) -> str:
    open_ = table[table["deal_id"].notna()]
    rows, what = (open_, "open deals") if len(open_) and not is_prospects else (table, "companies")
    if rows.empty:
        return "No company to score."
    counts = rows["tier"].value_counts().reindex(TIERS, fill_value=0)
    if not counts[["A", "C"]].any():
        why = scorer.found.why_none
        because = f": {why}" if why else ""
        return f"No company stands out among {number(len(rows))} {what}{because}."
    said = (
        f"Of {number(len(rows))} {what} {number(counts['A'])} fit well (A), {number(counts['B'])} "
        f"like most (B), {number(counts['C'])} less (C)"
    )
    n_unknown = counts[UNKNOWN]
    return f"{said}{f'; of {number(n_unknown)} too little is known' if n_unknown else ''}."


def _ask(table: pd.DataFrame) -> tuple[str, ...]:
    if not table["tier"].isin(["A", "C"]).any():
        return ()
    return (
        "Which of the deals marked A got less of your time than they deserve?",
        "What do you know of a deal marked C that its traits do not show?",
    )


def _caveats(scorer: Scorer, table: pd.DataFrame, open_deals: pd.DataFrame) -> tuple[str, ...]:
    said = [f"Of all such companies {percent(scorer.base_rate)} would be won.", ON_SCORE]
    n_none = int(open_deals["account_id"].isna().sum())
    if n_none and table["deal_id"].notna().any():
        said.append(f"{number(n_none)} open deals of the team name no account: no score.")
    return tuple(said)


def _draw(ax: Axes, scorer: Scorer, table: pd.DataFrame) -> Axes:
    """How many companies have which score, by tier; of open deals where there are any."""
    open_ = table[table["deal_id"].notna()]
    rows = open_ if len(open_) else table
    if rows.empty:
        return charts.nothing_to_draw(ax, "No company to score")
    low, high = rows["score"].min(), rows["score"].max()
    edges = np.linspace(max(0, low - 0.01), min(1, high + 0.01), 25)
    parts = [rows.loc[rows["tier"] == tier, "score"] for tier in TIERS]
    ax.hist(parts, bins=list(edges), stacked=True, color=COLOURS, label=TIERS)
    ax.axvline(scorer.base_rate, color=charts.INK, linewidth=1, linestyle="--")
    ax.set_xlabel("score: chance to be won")
    ax.set_ylabel("open deals" if len(open_) else "companies")
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return ax
