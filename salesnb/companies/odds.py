"""How often deals with each kind of company are won, and what they are worth, whoever sells."""

import numpy as np
import pandas as pd
from scipy.stats import chi2

from salesnb import mixed, stats

ENDS = ("win_rate", "win_low", "win_high")


def chances(decided: pd.DataFrame, design: np.ndarray) -> mixed.Chances:
    """The chances that deals are won, by their company and by who sold; both shrunken.

    Parameters
    ----------
    decided : place (row of the company in `design`), rep_id, outcome
    design : (companies, m)
    """
    won = decided["outcome"].eq("won").to_numpy(float)
    rep, reps = pd.factorize(decided["rep_id"], sort=True)
    sellers = mixed.marks(rep, len(reps))
    return mixed.fit(won, [design[decided["place"].to_numpy(int)], sellers])


def table(
    deals: pd.DataFrame, belongs: np.ndarray, odds: mixed.Chances, can_differ: bool
) -> tuple[pd.DataFrame, float]:
    """Wins, losses, odds and value of each kind, and the win rate of all.

    Parameters
    ----------
    deals : place, outcome, amount
    belongs : (companies, kinds) the chance of each to be of each kind
    can_differ : whether the kinds are won differently at all; otherwise none is ideal
    """
    k, likeliest = belongs.shape[1], belongs.argmax(1)
    decided = deals.dropna(subset="outcome")
    found = pd.DataFrame(dict(zip(ENDS, odds.rates(np.eye(k)), strict=True)))
    found = pd.concat([found, _counts(deals, likeliest, k), _value(decided, likeliest, k)], axis=1)
    share = belongs[decided["place"]].mean(0) if len(decided) else np.full(k, 1 / k)
    overall = float(np.average(found["win_rate"], weights=share))
    return found.assign(**_judged(found, share, overall, can_differ)), overall


def none() -> pd.DataFrame:
    """The same table where there are no kinds."""
    floats = [
        "win_rate",
        "win_low",
        "win_high",
        "value_amount",
        "value_amount_low",
        "value_amount_high",
    ]
    types = dict.fromkeys(floats, "float64") | dict.fromkeys(["n_won", "n_lost", "n_open"], "int64")
    types |= {"is_ideal": "bool", "is_anti": "bool"}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in types.items()})


def worth(found: pd.DataFrame) -> np.ndarray:
    """Win rate x value of each kind; the win rate alone where no amounts are on record."""
    return (found["win_rate"] * found["value_amount"].fillna(1.0)).to_numpy()


def p_within_reps(decided: pd.DataFrame, marks: np.ndarray) -> float:
    """The p value of deals with some marks being won as often as without, whoever sells.

    A score test within reps. Deals of one company are one case (Liang and Zeger 1986), so that a
    loyal customer is no crowd.

    Parameters
    ----------
    decided : place (of the company), rep_id, outcome
    marks : (deals, m) whether, or how likely, a deal has each mark
    """
    if decided.empty:
        return np.nan
    rep = pd.factorize(decided["rep_id"])[0]
    n = np.bincount(rep).astype(float)
    won = decided["outcome"].eq("won").to_numpy(float)
    off = won - (np.bincount(rep, won) / n)[rep]
    usual = np.column_stack([np.bincount(rep, column) / n for column in marks.T])
    terms = off[:, None] * (marks - usual[rep])
    company = pd.factorize(decided["place"])[0]
    by_company = np.column_stack([np.bincount(company, column) for column in terms.T])
    total, spread = by_company.sum(0), by_company.T @ by_company
    rank = np.linalg.matrix_rank(spread)
    statistic = total @ np.linalg.pinv(spread, rcond=1e-9) @ total
    return float(chi2.sf(statistic, rank)) if rank else np.nan


def _judged(
    found: pd.DataFrame, share: np.ndarray, overall: float, can_differ: bool
) -> dict[str, np.ndarray]:
    """Which kinds are ideal, and which the opposite.

    Ideal: clearly won more often, and worth no less than most; or won no less often, and clearly
    worth more. The opposite: clearly won less often, and worth less.
    """
    rate, rate_low, rate_high = (
        found[name].to_numpy() for name in ("win_rate", "win_low", "win_high")
    )
    value_low = (found["value_amount_low"] / found["value_amount"]).fillna(1.0).to_numpy()
    log_worth = np.log(worth(found))
    below = np.hypot(np.log(rate_low / rate), np.log(value_low))
    middle = float(np.average(log_worth, weights=share))
    order = np.argsort(log_worth)
    half = min(int(np.searchsorted(np.cumsum(share[order]), 0.5)), len(order) - 1)
    is_won = (rate_low > overall) & (log_worth >= log_worth[order[half]])
    is_worth = (log_worth - below > middle) & (rate >= overall)
    is_anti = (rate_high < overall) & (log_worth <= middle)
    return {"is_ideal": can_differ & (is_won | is_worth), "is_anti": can_differ & is_anti}


def _counts(deals: pd.DataFrame, kind: np.ndarray, k: int) -> pd.DataFrame:
    of_deal = kind[deals["place"]]
    which = {"n_won": deals["outcome"] == "won", "n_lost": deals["outcome"] == "lost"}
    which["n_open"] = deals["outcome"].isna()
    counts = {name: np.bincount(of_deal[rows], minlength=k) for name, rows in which.items()}
    return pd.DataFrame(counts)


def _value(decided: pd.DataFrame, kind: np.ndarray, k: int) -> pd.DataFrame:
    """The mean amount of won deals of each kind, shrunken towards that of all (Morris 1983).

    Amounts spread by factors, so this is done to their logarithms; back by Duan's (1983) smear.
    """
    won = decided[(decided["outcome"] == "won") & (decided["amount"] > 0)]
    of_deal, log = kind[won["place"]], np.log(won["amount"].to_numpy())
    columns = ["value_amount", "value_amount_low", "value_amount_high"]
    if not len(log):
        return pd.DataFrame(np.nan, index=range(k), columns=columns)
    n = np.bincount(of_deal, minlength=k).astype(float)
    mean = np.divide(np.bincount(of_deal, log, k), n, out=np.full(k, log.mean()), where=n > 0)
    left = log - mean[of_deal]
    within = float((left**2).sum() / max(len(log) - (n > 0).sum(), 1)) + 1e-9
    between = np.average((mean - log.mean()) ** 2, weights=n) - within * (n > 0).sum() / n.sum()
    between = max(float(between), 1e-9)
    trust = n * between / (n * between + within)
    value = log.mean() + trust * (mean - log.mean())
    half = stats.z() * np.sqrt(between * (1 - trust))
    smear = float(np.exp(left).mean())
    ends = np.column_stack([value, value - half, value + half])
    return pd.DataFrame(np.exp(ends) * smear, columns=columns)
