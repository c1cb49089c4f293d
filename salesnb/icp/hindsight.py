"""Whether the profile would have helped: earlier days' rankings against what came of the deals."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts, stats
from salesnb.companies.customers import Customers
from salesnb.companies.scores import scorer as scorer_of
from salesnb.companies.segments import with_place
from salesnb.errors import DataError
from salesnb.finding import Finding
from salesnb.history import look_up
from salesnb.language import say, says, to_say
from salesnb.metrics.ledger import ledger
from salesnb.team import Team
from salesnb.units import fixed, number

COLUMNS = ["ranking", "n_deals", "n_top", "win_lift_ratio", "win_lift_low", "win_lift_high"]
COLUMNS += ["revenue_lift_ratio", "revenue_lift_low", "revenue_lift_high"]
TOP = 0.2
QUARTER = pd.DateOffset(months=3)
EARLY = pd.Timedelta(days=14)  # later on, effort follows success
DRAWS = 200
FEWEST, FEWEST_WON = 40, 10  # decided deals, and won ones, for a look back to say anything
SCORE, TREES = to_say("score"), to_say("gradient boosting")
OWN, RANDOM = to_say("reps' own choice"), to_say("random")
TABLES = ("reps", "accounts", "products", "deals", "stage_changes", "close_date_changes")


def backtest(team: Team, *, quarters: int = 4) -> Finding:
    """Would the ranking of earlier days have found the wins that came?

    At the start of each of the last quarters the profile is learnt from what was known then
    (`Team.at`), and ranks the deals that were open or created in the quarter by their company
    alone. The lift is the win rate, and the revenue per deal, of the top fifth of the deals since
    decided, over that of all; the bands are bootstrapped over companies. Beside it: chance, the
    deals on which the reps did most in the first two weeks, and gradient boosting on the same
    traits.

    Parameters
    ----------
    quarters : how many to look back, 1 to 8

    Returns
    -------
    Finding
        One row per ranking; none where too little was decided:

        ranking : ``score`` (icp.scores), ``gradient boosting``, ``reps' own choice`` (activities
            in the first two weeks of the deal; blank without activities), ``random``
        n_deals, n_top : deals ranked and since decided; of these in the top fifth
        win_lift_ratio, win_lift_low, win_lift_high : won among the top / won among all
        revenue_lift_ratio, revenue_lift_low, revenue_lift_high : amount won per deal, likewise

    Raises
    ------
    DataError
        The team has no accounts, or `quarters` is out of range.
    """
    if not 1 <= quarters <= 8:
        raise DataError(f"quarters: expected 1 to 8, found {quarters}.")
    team.need("accounts", why="icp.backtest")
    team.need_dates(why="icp.backtest")
    known = Team(team.settings, {name: team.tables[name] for name in TABLES if team.has(name)})
    days = [(team.as_of - i * QUARTER).normalize() for i in range(quarters, 0, -1)]
    looks = [_look(known, day, team) for day in days]
    ranked = pd.concat(looks, ignore_index=True)
    is_enough = len(ranked) >= FEWEST and ranked["is_won"].sum() >= FEWEST_WON
    table = _table(ranked) if is_enough else pd.DataFrame(columns=COLUMNS)
    floats = dict.fromkeys(COLUMNS[3:], "float64")
    table = table.astype({"ranking": "str", "n_deals": "int64", "n_top": "int64"} | floats)
    return Finding(
        headline=_headline(table, quarters, len(ranked)),
        table=table,
        draw=lambda ax: _draw(ax, table),
        ask=(
            say("Which won deals would this ranking have put last, and what did you see in them?"),
        )
        if len(table)
        else (),
        caveats=(say("Deals still open are not judged."),) if len(table) else (),
        currency=team.currency,
    )


def _look(known: Team, day: pd.Timestamp, team: Team) -> pd.DataFrame:
    """The deals of one quarter with how each ranking saw them at its start, and what came."""
    columns = ["account_id", "look", "is_won", "amount", SCORE, TREES, OWN]
    then = known.at(day)
    deals = ledger(known).deals.sort_values("deal_id")
    was_there = (deals["created_on"] <= day + QUARTER) & ~(deals["closed_on"] <= day)
    rows = deals[was_there & deals["outcome"].notna() & deals["account_id"].notna()]
    scorer = scorer_of(then)
    accounts = scorer.found.customers.accounts
    if rows.empty or not scorer.found.customers.is_customer.any():
        return pd.DataFrame(columns=columns)
    scored = scorer.score(accounts)["score"]
    rows = rows.assign(
        look=str(day.date()),
        is_won=rows["outcome"].eq("won").astype(float),
        amount=rows["amount"].fillna(0.0),
        **{SCORE: look_up(rows["account_id"], scored)},
        **{TREES: look_up(rows["account_id"], _by_trees(scorer.found.customers))},
        **{OWN: _effort(team, rows)},
    )
    return rows.dropna(subset=SCORE)[columns]


def _effort(team: Team, deals: pd.DataFrame) -> pd.Series:
    """Activities on each deal in its first days: what the rep made of it before it went on."""
    rows = team.activities[["deal_id", "happens_at"]].merge(deals[["deal_id", "created_on"]])
    if rows.empty:
        return pd.Series(np.nan, index=deals.index)
    early = rows[rows["happens_at"] < rows["created_on"] + EARLY]
    return look_up(deals["deal_id"], early["deal_id"].value_counts()).fillna(0.0).astype(float)


def _by_trees(known: Customers) -> pd.Series:
    """The chances by a gradient boosting model of the same traits (Friedman 2001)."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    decided = with_place(known).dropna(subset="outcome")
    won = decided["outcome"].eq("won").to_numpy()
    x = known.accounts.copy()
    for name in known.words:
        x[name] = pd.factorize(x[name], sort=True)[0]
        x[name] = x[name].astype(float).where(x[name] >= 0).where(x[name] < 250)
    if not len(x.columns) or won.all() or not won.any():
        return pd.Series(0.0, index=x.index)
    model = HistGradientBoostingClassifier(
        max_iter=60, learning_rate=0.08, min_samples_leaf=20, random_state=0,
        categorical_features=[name in known.words for name in x],
    )  # fmt: skip
    values = x.to_numpy(float)
    model.fit(values[decided["place"]], won)
    return pd.Series(model.predict_proba(values)[:, 1], index=x.index)


@dataclass(frozen=True)
class _Cases:
    """Deals of all looks, to be drawn again by company."""

    company: np.ndarray
    look: np.ndarray
    is_won: np.ndarray
    amount: np.ndarray


def _table(ranked: pd.DataFrame) -> pd.DataFrame:
    cases = _Cases(
        pd.factorize(ranked["account_id"], sort=True)[0],
        pd.factorize(ranked["look"], sort=True)[0],
        ranked["is_won"].to_numpy(float),
        (ranked["amount"] * ranked["is_won"]).to_numpy(float),
    )
    n_top = int(sum(np.ceil(TOP * n) for n in np.bincount(cases.look)))
    rows = []
    for name in (SCORE, TREES, OWN):
        lifts = _lifts(ranked[name].to_numpy(float), cases)
        rows.append([name, len(ranked), n_top, *lifts])
    rows.append([RANDOM, len(ranked), n_top, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    return pd.DataFrame(rows, columns=COLUMNS)


def _lifts(score: np.ndarray, cases: _Cases) -> list[float]:
    """Lift in win rate and in revenue, each with its band."""
    if np.isnan(score).any():
        return [np.nan] * 6
    dice = np.random.default_rng(0)
    # Equal scores are in no order: chance decides, once.
    jitter = dice.random(len(score))
    once = np.ones(len(score))
    value = _lift(score, jitter, cases, once)
    n = cases.company.max() + 1
    drawn = np.array(
        [
            _lift(
                score,
                jitter,
                cases,
                np.bincount(dice.integers(0, n, n), minlength=n)[cases.company],
            )
            for _ in range(DRAWS)
        ]
    )
    tail = (1 - stats.LEVEL) / 2
    low, high = np.nanquantile(drawn, [tail, 1 - tail], axis=0)
    return [
        each for i in (0, 1) for each in (value[i], min(low[i], value[i]), max(high[i], value[i]))
    ]


def _lift(
    score: np.ndarray, jitter: np.ndarray, cases: _Cases, weight: np.ndarray
) -> tuple[float, float]:
    """Of the top fifth of each look against all, every deal counted `weight` times."""
    order = np.lexsort((jitter, -score, cases.look))
    look, w = cases.look[order], weight[order].astype(float)
    ends = np.bincount(look, w)
    before = np.concatenate([[0], np.cumsum(ends)[:-1]])
    so_far = np.cumsum(w) - w - before[look]
    part = np.clip(TOP * ends[look] - so_far, 0, w)
    found = []
    for gain in (cases.is_won[order], cases.amount[order]):
        usual = (gain * w).sum() / max(w.sum(), 1)
        found.append((gain * part).sum() / max(part.sum(), 1e-9) / usual if usual > 0 else np.nan)
    return found[0], found[1]


def _headline(table: pd.DataFrame, quarters: int, n: int) -> str:
    when = says("last quarter", "last {n} quarters", quarters, n=number(quarters))
    if table.empty:
        return say(
            "Too few deals of the {when} are decided to look back (n = {n}).",
            when=when,
            n=number(n),
        )
    by_ranking = {str(row["ranking"]): row for _, row in table.iterrows()}
    score = by_ranking[SCORE]
    said = say(
        "Over the {when} the fifth of {n} deals with the best score was won {times} as often as "
        "all",
        when=when,
        n=number(n),
        times=_times(score),
    )
    rivals = [
        f"{say(name)} {_times(by_ranking[name])}"
        for name in (OWN, TREES)
        if pd.notna(by_ranking[name]["win_lift_ratio"])
    ]
    if not score["win_lift_low"] > 1:
        said += "; " + say("not separated from chance")
    return f"{said} ({', '.join(rivals)})." if rivals else f"{said}."


def _times(row: pd.Series) -> str:
    ratio, low, high = (row[f"win_lift_{end}"] for end in ("ratio", "low", "high"))
    ends = f"{fixed(low, 2)}-{fixed(high, 2)}"
    return say("{ratio} times ({ends})", ratio=fixed(ratio, 2), ends=ends)


def _draw(ax: Axes, table: pd.DataFrame) -> Axes:
    rows = table.dropna(subset="win_lift_ratio")
    if rows.empty:
        return charts.nothing_to_draw(ax, say("Too few deals are decided"))
    win = charts.Points.of(say("win rate"), rows, "win_lift_ratio")
    revenue = charts.Points.of(say("revenue"), rows, "revenue_lift_ratio", charts.MUTED, "s")
    charts.dumbbell(ax, [*map(say, rows["ranking"])], win, revenue, is_rate=False)
    ax.axvline(1, color=charts.INK, linewidth=0.8)
    ax.set_xlabel(say("top fifth / all"))
    return ax
