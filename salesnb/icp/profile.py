"""The ideal customer on one page: which traits go with winning, and how common they are."""

from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.stats import false_discovery_control

from salesnb import behind, charts, mixed
from salesnb.companies.customers import Customers
from salesnb.companies.odds import ENDS, p_within_reps
from salesnb.companies.segments import Segments, segments, with_place
from salesnb.companies.words import in_words, range_in_words, said
from salesnb.finding import Finding
from salesnb.language import say
from salesnb.team import Team
from salesnb.units import number, percent, span

COLUMNS = ["trait", "level", "n_won", "n_lost", "share_of_accounts"]
COLUMNS += ["win_rate", "win_low", "win_high", "lift_ratio", "lift_low", "lift_high", "is_apart"]
PARTS = 4  # ranges into which a number is cut
MOST_LEVELS = 8
BROAD = 0.4  # share of accounts above which a profile is no profile
FALSE_SHARE = 0.05  # of the traits named, expected to be no more than chance
FEWEST = 10  # decided deals, below which a level is not named
DRAWN = 12


def profile(team: Team) -> Finding:
    """What does the ideal customer look like, and how many such companies are there?

    Trait by trait: how often deals with such companies are won against all, open ones aside,
    adjusted for who sold and shrunken (logistic regression with levels and reps as random
    effects); named only where separated from chance (score test within reps, companies as cases;
    Benjamini and Hochberg 1995).

    Returns
    -------
    Finding
        One row per trait and level, those that stand apart first, highest lift first:

        trait, level : the level in words; numbers are cut into four ranges
        n_won, n_lost : deals
        share_of_accounts : of all accounts on record (0-1)
        win_rate, win_low, win_high : for a typical rep, shrunken
        lift_ratio, lift_low, lift_high : win rate / that of all
        is_apart : separated from chance; of those named at most 5 % are expected to be false

    Raises
    ------
    DataError
        The team has no accounts.
    """
    found = segments(team)
    table = _table(found.customers)
    return Finding(
        headline=_headline(found, table),
        table=table,
        draw=lambda ax: _draw(ax, table),
        ask=_ask(found, table),
        caveats=_caveats(found),
        currency=team.currency,
        names=team.names,
        behind={
            f"n_{outcome}": partial(_deals, team, found.customers, outcome)
            for outcome in ("won", "lost")
        },
    )


def _deals(team: Team, known: Customers, outcome: str, row: pd.Series) -> pd.DataFrame:
    """The deals with companies of one level of a trait that ended so."""
    deals = with_place(known)
    deals = deals[deals["outcome"] == outcome]
    codes, labels = levels(known.accounts[row["trait"]], known.is_customer)
    return behind.deals(team, deals[codes[deals["place"]] == labels.index(row["level"])])


def _table(known: Customers) -> pd.DataFrame:
    deals = with_place(known)
    decided = deals.dropna(subset="outcome")
    if decided["outcome"].nunique() < 2:
        return _typed(pd.DataFrame(columns=COLUMNS))
    parts = [_of_trait(known, decided, name) for name in known.traits]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*COLUMNS, "p"])
    if len(table):
        is_sure = false_discovery_control(table["p"].to_numpy(float)) <= FALSE_SHARE
        table["is_apart"] = is_sure & ((table["lift_low"] > 1) | (table["lift_high"] < 1))
    order = ["is_apart", "lift_ratio", "trait", "level"]
    table = table.sort_values(order, ascending=[False, False, True, True], ignore_index=True)
    return _typed(table.reindex(columns=COLUMNS))


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    numbers = dict.fromkeys(COLUMNS[4:-1], "float64") | dict.fromkeys(["n_won", "n_lost"], "int64")
    return table.astype({"trait": "str", "level": "str", "is_apart": "bool"} | numbers)


def _of_trait(known: Customers, decided: pd.DataFrame, name: str) -> pd.DataFrame:
    """The levels of one trait that have been sold to."""
    codes, labels = levels(known.accounts[name], known.is_customer)
    code = codes[decided["place"]]
    rows = decided[code >= 0]
    code, won = code[code >= 0], rows["outcome"].eq("won").to_numpy(float)
    n = np.bincount(code, minlength=len(labels)).astype(float)
    if len(rows) == 0 or won.min() == won.max():
        return pd.DataFrame(columns=[*COLUMNS, "p"])
    mark = mixed.marks(code, len(labels))
    rep, reps = pd.factorize(rows["rep_id"], sort=True)
    model = mixed.fit(won, [mark, mixed.marks(rep, len(reps))])
    table = pd.DataFrame(dict(zip(ENDS, model.rates(np.eye(len(labels))), strict=True)))
    overall = float(np.average(table["win_rate"], weights=n))
    lifts = {f"lift{end[3:]}".replace("_rate", "_ratio"): table[end] / overall for end in ENDS}
    share = np.bincount(codes[codes >= 0], minlength=len(labels)) / max(len(codes), 1)
    table = table.assign(
        trait=name,
        level=labels,
        n_won=np.bincount(code, won, len(labels)).astype(int),
        n_lost=np.bincount(code, 1 - won, len(labels)).astype(int),
        share_of_accounts=share,
        p=[p_within_reps(rows, mark[:, [i]].toarray()) for i in range(len(labels))],
        **lifts,
    )
    table["p"] = table["p"].where(n >= FEWEST, 1.0)
    return table[n > 0].fillna({"p": 1.0})


def levels(values: pd.Series, is_customer: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Codes and labels of a trait: the commonest words, or ranges that hold as many customers."""
    name = str(values.name)
    if values.dtype != float and not pd.api.types.is_numeric_dtype(values.dtype):
        counts = values[is_customer].value_counts()
        words = sorted(counts.head(MOST_LEVELS).index)
        return pd.Index(words, dtype="str").get_indexer(values), [in_words(name, w) for w in words]
    x = values.to_numpy(float)
    cuts = np.nanquantile(x[is_customer], np.linspace(0, 1, PARTS + 1)[1:-1])
    cuts = np.unique([float(f"{cut:.2g}") for cut in cuts])
    codes = np.where(np.isnan(x), -1, np.searchsorted(cuts, x, side="right"))
    edges = [-np.inf, *cuts, np.inf]
    pairs = pairwise(edges)
    return codes, [range_in_words(name, low, high) for low, high in pairs]


def _headline(found: Segments, table: pd.DataFrame) -> str:
    apart = table[table["is_apart"]]
    good = apart[apart["lift_ratio"] > 1]
    names = dict(zip(found.ids, found.names, strict=True))
    if found.ideal:
        share = np.isin(found.segment, found.ideal).mean()
        who = "; ".join(names[each] for each in found.ideal)
        ideal = say(
            "The ideal customer: {who}. {share} of the accounts are like that.",
            who=who,
            share=percent(share),
        )
        return f"{ideal} {_most_telling(good)}" if len(good) else ideal
    if len(good):
        none = say("No kind of company is ideal as a whole.")
        return f"{none} {_most_telling(good)}"
    if len(apart):
        worst = _in_words(apart.iloc[-1])
        return say("No trait goes with winning. Won less often: {trait}.", trait=worst)
    return say(
        "No ideal customer: no trait of the accounts goes with winning more than chance gives."
    )


def _most_telling(good: pd.DataFrame) -> str:
    return say("Most telling: {trait}.", trait=_in_words(good.iloc[0]))


def _in_words(row: pd.Series) -> str:
    inside = span(row["win_low"], row["win_high"], percent)
    n = number(row["n_won"] + row["n_lost"])
    rate, level = percent(row["win_rate"]), row["level"]
    return say("{level}, {rate} won ({ends}, n = {n})", level=level, rate=rate, ends=inside, n=n)


def _ask(found: Segments, table: pd.DataFrame) -> tuple[str, ...]:
    if not (found.ideal or table["is_apart"].any()):
        return (say("Which customers would you like to have ten more of, and why?"),)
    return (
        say("What could be asked in the first call to learn these traits?"),
        say("Which trait that matters is nowhere on record?"),
    )


def _caveats(found: Segments) -> tuple[str, ...]:
    said_ = []
    share = float(np.isin(found.segment, found.ideal).mean()) if found.ideal else 0.0
    if share > BROAD:
        words = say(
            "Too broad: {share} of the accounts match; who is not meant?", share=percent(share)
        )
        said_.append(words)
    said_ += [
        say("Left out: {trait}, {why}.", trait=said(name), why=why)
        for name, why in found.customers.left_out.items()
    ]
    said_.append(say("A trait that goes with winning need not be what wins."))
    return tuple(said_)


def _draw(ax: Axes, table: pd.DataFrame) -> Axes:
    """The lift of the traits that stand apart; where none does, of the outermost."""
    apart = table[table["is_apart"]]
    if table.empty:
        return charts.nothing_to_draw(ax, say("No trait to compare"))
    rows = apart if len(apart) else table
    far = np.log(rows["lift_ratio"]).abs().rank(ascending=False, method="first")
    rows = rows[far <= DRAWN].sort_values("lift_ratio", ascending=False)
    points = charts.Points.of(say("times the win rate of all"), rows, "lift_ratio")
    charts.dumbbell(ax, rows["level"].to_list(), points, is_rate=False)
    ax.axvline(1, color=charts.MUTED, linewidth=0.8)
    return ax
