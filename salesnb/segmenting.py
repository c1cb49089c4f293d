"""The kinds of companies a team sells to, and how often deals with each are won."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.special import expit
from scipy.stats import chi2

from salesnb import latent, mixed, plain_words, stats
from salesnb.customers import Customers, Scale, customers, scale
from salesnb.history import look_up
from salesnb.team import Team

MOST = 8  # kinds that are still told apart by a reader
FEWEST = 20  # customers below which no kinds are looked for
FEW_WON = 100  # won customers below which what is found is indicative
STABLE = 0.4  # adjusted Rand index of kinds found again in resampled customers, at the least
CHANCE = 0.07  # of kinds being called different in odds that are not
SURE = 0.5  # chance of one kind above which a company is said to be of it
ATTENUATION = 0.346  # of a logit by a normal spread (Zeger, Liang and Albert 1988)


@dataclass(frozen=True, eq=False)
class Segments:
    """Kinds of companies, best first, or none.

    customers, scale, mixture : the companies, how their traits are compared, the kinds
    belongs : (accounts, kinds) the chance that each account is of each kind
    kind : (accounts,) its likeliest kind, -1 where none is likely enough
    names : in plain words
    odds : the chances by kind, adjusted for who sold
    table : a row per kind: n_won, n_lost, n_open, win_rate, win_low, win_high, value_amount,
        value_low, value_high, is_ideal, is_anti
    overall_rate : won of decided deals, over all kinds
    p : how often chance alone would make the kinds differ as much in odds; NaN without kinds
    stability : adjusted Rand index of the kinds found again in resampled customers
    why_none : why there are none, or empty
    """

    customers: Customers
    scale: Scale
    mixture: latent.Mixture
    belongs: np.ndarray
    kind: np.ndarray
    names: tuple[str, ...]
    table: pd.DataFrame
    overall_rate: float
    p: float
    stability: float
    why_none: str

    @property
    def ids(self) -> list[str]:
        """S1 is the best kind."""
        return [f"S{place + 1}" for place in range(len(self.names))]

    @property
    def segment(self) -> pd.Series:
        """The segment of each account, by account_id; blank where not enough is known."""
        labels = np.array([*self.ids, None], dtype=object)
        index = self.customers.accounts.index
        return pd.Series(labels[self.kind], index=index, dtype="str", name="segment")

    @property
    def ideal(self) -> list[str]:
        """The ids of the ideal segments."""
        return [each for each, is_it in zip(self.ids, self.table["is_ideal"], strict=True) if is_it]

    @property
    def anti(self) -> list[str]:
        """The ids of the segments that are the opposite."""
        return [each for each, is_it in zip(self.ids, self.table["is_anti"], strict=True) if is_it]


@lru_cache(maxsize=8)  # a team never changes
def segments(team: Team) -> Segments:
    """The kinds of companies of a team.

    Raises `DataError` where there are no accounts.
    """
    found = customers(team)
    sold = found.accounts[found.is_customer]
    ruler = scale(sold, found.numbers, found.words)
    traits = ruler(sold)
    k = latent.number_of_kinds(traits, MOST) if found.traits and len(sold) >= FEWEST else 1
    mixture = latent.fit(traits, k)
    steady = latent.stability(traits, mixture) if k > 1 else np.nan
    if k > 1 and steady < STABLE:
        k, mixture = 1, latent.fit(traits, 1)
    belongs = mixture.posterior(ruler(found.accounts))
    deals = _with_place(found)
    p = _p_of_odds(deals, belongs) if k > 1 else np.nan
    rows, overall = _by_kind(deals, belongs, can_differ=k > 1 and p < CHANCE)
    best_first = np.argsort(-(rows["win_rate"] * rows["value_amount"]).to_numpy(), kind="stable")
    belongs = belongs[:, best_first]
    kind = np.where(belongs.max(1) >= SURE, belongs.argmax(1), -1) if k > 1 else _none(belongs)
    kind[found.accounts.isna().all(axis=1)] = -1
    names = plain_words.names(found, kind, k) if k > 1 else ()
    return Segments(
        customers=found,
        scale=ruler,
        mixture=latent.Mixture(
            mixture.weight[best_first], mixture.slope[:, best_first], mixture.log_likelihood
        ),
        belongs=belongs,
        kind=kind,
        names=names,
        table=rows.iloc[best_first].head(len(names)).reset_index(drop=True),
        overall_rate=overall,
        p=p,
        stability=steady,
        why_none=_why_none(found, k, p, steady),
    )


def _none(belongs: np.ndarray) -> np.ndarray:
    return np.full(len(belongs), -1)


def _why_none(found: Customers, k: int, p: float, steady: float) -> str:
    n, n_won = int(found.is_customer.sum()), int(found.has_bought.sum())
    if not found.traits:
        return "no trait of the accounts is on record that is known before the sale"
    if n < FEWEST:
        return f"only {n} accounts have bought or turned down anything"
    if k == 1 and steady < STABLE:
        return "kinds found in these accounts are not found again in a resample of them"
    if k == 1:
        return "the traits of these accounts do not go together in kinds"
    if not p < CHANCE and n_won >= FEW_WON:
        return f"the accounts fall into {k} kinds, but none is won more often than chance explains"
    return ""


def _with_place(found: Customers) -> pd.DataFrame:
    """The deals with their account's row as `place`."""
    accounts = found.accounts.index
    place = look_up(found.deals["account_id"], pd.Series(range(len(accounts)), index=accounts))
    return found.deals.assign(place=place).dropna(subset="place").astype({"place": int})


def _p_of_odds(deals: pd.DataFrame, belongs: np.ndarray) -> float:
    """The p value of all kinds being won alike, whoever sells: a score test within reps.

    Deals of one company are one case (Liang and Zeger 1986), so that a loyal customer is no crowd.
    """
    decided = deals.dropna(subset="outcome")
    rep = pd.factorize(decided["rep_id"])[0]
    n = np.bincount(rep).astype(float)
    won = decided["outcome"].eq("won").to_numpy(float)
    off = won - (np.bincount(rep, won) / n)[rep]
    kinds = belongs[decided["place"], 1:]
    usual = np.column_stack([np.bincount(rep, column) / n for column in kinds.T])
    terms = off[:, None] * (kinds - usual[rep])
    company = pd.factorize(decided["place"])[0]
    by_company = np.column_stack([np.bincount(company, column) for column in terms.T])
    total, spread = by_company.sum(0), by_company.T @ by_company
    statistic = total @ np.linalg.pinv(spread, rcond=1e-9) @ total
    return float(chi2.sf(statistic, np.linalg.matrix_rank(spread))) if len(decided) else np.nan


def _by_kind(
    deals: pd.DataFrame, belongs: np.ndarray, can_differ: bool
) -> tuple[pd.DataFrame, float]:
    """Wins, losses, odds and value of each kind; ideal and anti only if the kinds can differ."""
    k, likeliest = belongs.shape[1], belongs.argmax(1)
    decided = deals.dropna(subset="outcome")
    won = decided["outcome"].eq("won").to_numpy(float)
    rep = pd.factorize(decided["rep_id"], sort=True)[0]
    sellers = sparse.csr_array((np.ones(len(rep)), (np.arange(len(rep)), rep)))
    model = mixed.fit(won, [belongs[decided["place"]], sellers])
    mean, error = model.logits(np.eye(k))
    shrink = np.sqrt(1 + ATTENUATION * model.variances[1])
    ends = {"win_rate": 0, "win_low": -stats.z(), "win_high": stats.z()}
    table = pd.DataFrame({name: expit((mean + z * error) / shrink) for name, z in ends.items()})
    table = table.assign(**_counts(deals, likeliest, k), **_value(decided, likeliest, k))
    share = belongs[decided["place"]].mean(0) if len(decided) else np.full(k, 1 / k)
    overall = float(np.average(table["win_rate"], weights=share))
    return table.assign(**_judged(table, share, overall, can_differ)), overall


def _judged(
    table: pd.DataFrame, share: np.ndarray, overall: float, can_differ: bool
) -> dict[str, pd.Series]:
    """Which kinds are ideal, and which the opposite.

    Ideal: clearly won more often, and worth no less than most; or won no less often, and clearly
    worth more. The opposite: clearly won less often, and worth less. Worth is win rate x value.
    """
    worth = np.log(table["win_rate"] * table["value_amount"])
    middle = float(np.average(worth, weights=share))
    below = np.log(table["win_low"] / table["win_rate"]) ** 2
    below = np.sqrt(below + np.log(table["value_low"] / table["value_amount"]) ** 2)
    order = np.argsort(worth.to_numpy())
    median = worth.iloc[order[np.searchsorted(np.cumsum(share[order]), 0.5)]]
    is_won = (table["win_low"] > overall) & (worth >= median)
    is_worth = (worth - below > middle) & (table["win_rate"] >= overall)
    is_anti = (table["win_high"] < overall) & (worth < middle)
    return {"is_ideal": can_differ & (is_won | is_worth), "is_anti": can_differ & is_anti}


def _counts(deals: pd.DataFrame, kind: np.ndarray, k: int) -> dict[str, np.ndarray]:
    of_deal = kind[deals["place"]]
    which = {"n_won": deals["outcome"] == "won", "n_lost": deals["outcome"] == "lost"}
    which["n_open"] = deals["outcome"].isna()
    return {name: np.bincount(of_deal[rows], minlength=k) for name, rows in which.items()}


def _value(decided: pd.DataFrame, kind: np.ndarray, k: int) -> pd.DataFrame:
    """The mean amount of won deals of each kind, shrunken towards that of all (Morris 1983).

    Amounts spread by factors, so this is done to their logarithms; back by Duan's (1983) smear.
    """
    won = decided[(decided["outcome"] == "won") & (decided["amount"] > 0)]
    of_deal, log = kind[won["place"]], np.log(won["amount"].to_numpy())
    columns = ["value_amount", "value_low", "value_high"]
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
