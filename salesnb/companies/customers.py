"""The companies behind the deals: what is known of each before the sale, and what became of it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api import types

from salesnb.language import say
from salesnb.latent import Traits
from salesnb.metrics.ledger import ledger
from salesnb.once import once
from salesnb.team import Team

# Known only after the sale, or no trait at all.
NO_TRAITS = {"account_id", "name", "churned_on", "expansion_amount"}
LEAST_KNOWN = 0.1  # share of customers of whom a trait has to be known
RARE = 0.03  # share of customers below which a level counts as "other"
FEW = 3  # customers below which it does so anyway
MOST_OTHER = 0.6  # share of "other" above which a trait is a name, not a kind
TELLS_ALL = 0.92  # area under the curve above which one trait alone decides the sale
FEWEST_TO_TELL = 40  # customers below which that is not asked
ONE_SIDED = 0.98  # share of the known values that belong to one outcome, for the same reason
BINS = 8
FARTHEST = 4.0  # spreads from the middle; what lies beyond is taken to lie there


@dataclass(frozen=True, eq=False)
class Customers:
    """The traits of companies, ready to be compared.

    accounts : indexed by account_id, in order; a column per trait, numbers and words as recorded
    numbers, words : names of the traits of either sort
    deals : deals of these accounts; account_id, rep_id, outcome ("won", "lost", blank), amount,
        created_on, closed_on
    is_customer : accounts that have bought or turned down something, in order of `accounts`
    left_out : trait to why it is not used
    per_head : whether revenue is taken per head
    """

    accounts: pd.DataFrame
    numbers: tuple[str, ...]
    words: tuple[str, ...]
    deals: pd.DataFrame
    is_customer: np.ndarray
    left_out: dict[str, str]
    per_head: bool

    @property
    def traits(self) -> tuple[str, ...]:
        """The names of the traits that are used."""
        return self.numbers + self.words

    @property
    def has_bought(self) -> pd.Series:
        """Whether each account with a decided deal has ever bought, by account_id."""
        return _has_bought(self.deals)


@once
def customers(team: Team) -> Customers:
    """The companies of a team; traits that are not known before the sale are left out.

    Raises `DataError` where there are no accounts, or deals do not name them.
    """
    team.need("accounts", why="a look at the kinds of companies")
    accounts = team.accounts.sort_values("account_id").set_index("account_id")
    deals = ledger(team).deals
    columns = ["deal_id", "account_id", "rep_id", "outcome", "amount", "created_on", "closed_on"]
    deals = deals[columns].dropna(subset="account_id").sort_values("deal_id", ignore_index=True)
    deals["outcome"] = deals["outcome"].astype("str")
    per_head = _grows_with_size(accounts)
    known = traits_of(accounts, team.as_of.year, per_head).dropna(axis=1, how="all")
    has_bought = _has_bought(deals)
    is_customer = known.index.isin(has_bought.index)
    left_out = _no_use(known[is_customer])
    left_out |= _known_too_late(known[is_customer].drop(columns=list(left_out)), has_bought)
    kept = [str(name) for name in known if name not in left_out]
    numbers = tuple(name for name in kept if types.is_numeric_dtype(known[name].dtype))
    words = tuple(name for name in kept if name not in numbers)
    return Customers(known[kept], numbers, words, deals, is_customer, left_out, per_head)


def _has_bought(deals: pd.DataFrame) -> pd.Series:
    decided = deals.dropna(subset="outcome")
    return decided["outcome"].eq("won").groupby(decided["account_id"]).any()


def _grows_with_size(accounts: pd.DataFrame) -> bool:
    """Whether revenue goes with the number of employees more than revenue per head does."""
    if not {"employees", "annual_revenue"} <= set(accounts):
        return False
    rows = accounts[["employees", "annual_revenue"]].astype(float)
    rows = np.log(rows[(rows > 0).all(axis=1)].to_numpy())
    if len(rows) < FEW or not rows.std(axis=0).all():
        return False
    heads, revenue = rows.T
    with_heads = np.corrcoef([heads, revenue, revenue - heads])[0]
    return bool(abs(with_heads[1]) > abs(with_heads[2]))


def traits_of(accounts: pd.DataFrame, year: int, per_head: bool) -> pd.DataFrame:
    """Accounts with their possible traits: ages for years of founding, words for yes and no.

    With `per_head`, revenue is taken so, for size is said by the heads already.
    """
    found = accounts.drop(columns=[name for name in accounts if name in NO_TRAITS])
    if per_head and {"employees", "annual_revenue"} <= set(found):
        heads = found["employees"].clip(lower=1)
        found["annual_revenue"] = found["annual_revenue"] / heads
        found = found.rename(columns={"annual_revenue": "revenue_per_head"})
    for name in found:
        if types.is_bool_dtype(found[name].dtype):
            found[name] = found[name].map({True: "yes", False: "no"}).astype("str")
        elif str(name).endswith("_year") and types.is_numeric_dtype(found[name].dtype):
            found[name] = (year - found[name]).clip(lower=0)
            found = found.rename(columns={name: str(name).removesuffix("_year") + "_years_ago"})
    return found[[n for n in found if not types.is_datetime64_any_dtype(found[n].dtype)]]


def _no_use(traits: pd.DataFrame) -> dict[str, str]:
    """Traits that say nothing of a kind of company, and why."""
    found: dict[str, str] = {}
    for name in traits:
        values = traits[name].dropna()
        counts = values.value_counts()
        if len(values) < max(FEW, LEAST_KNOWN * len(traits)):
            found[str(name)] = say("hardly ever recorded")
        elif len(counts) < 2:
            found[str(name)] = say("the same for all")
        elif not types.is_numeric_dtype(values.dtype):
            rare = counts[counts < max(FEW, RARE * len(values))].sum()
            if rare > MOST_OTHER * len(values):
                found[str(name)] = say("almost every company has its own")
    return found


def _known_too_late(traits: pd.DataFrame, has_bought: pd.Series) -> dict[str, str]:
    """Traits that nearly decide the sale alone: they are recorded because of it."""
    bought = has_bought.reindex(traits.index).to_numpy(bool)
    if len(traits) < FEWEST_TO_TELL or bought.all() or not bought.any():
        return {}
    why = say("nearly decides the sale alone, so it is probably recorded after it")
    return {str(name): why for name in traits if _tells_all(traits[name], bought)}


def _tells_all(values: pd.Series, bought: np.ndarray) -> bool:
    """Whether a trait, or that it is known at all, tells who bought."""
    is_known = values.notna().to_numpy()
    if is_known.sum() >= FEWEST_TO_TELL / 2 and not is_known.all():
        won = bought[is_known].mean()
        if max(won, 1 - won) > max(ONE_SIDED, 1 - (1 - bought.mean()) / 5):
            return True
    level = binned(values)
    n = np.bincount(level, minlength=level.max() + 1)
    won = np.bincount(level, bought, minlength=len(n))
    # The rate of a level as the others of that level see it, so that rare levels tell nothing.
    rate = (won[level] - bought + bought.mean()) / n[level]
    return _area(rate, bought) > TELLS_ALL


def binned(values: pd.Series) -> np.ndarray:
    """Codes of the levels of a trait: words as they are, numbers in eighths, blanks last."""
    if types.is_numeric_dtype(values.dtype):
        rank = values.rank(pct=True, method="average")
        return (rank * BINS).apply(np.ceil).fillna(BINS + 1).to_numpy(int) - 1
    codes, levels = pd.factorize(values, sort=True)
    return np.where(codes < 0, len(levels), codes)


def _area(score: np.ndarray, is_hit: np.ndarray) -> float:
    """The chance that a hit scores above a miss (Mann and Whitney 1947)."""
    rank = pd.Series(score).rank().to_numpy()
    n, m = is_hit.sum(), (~is_hit).sum()
    return float((rank[is_hit].sum() - n * (n + 1) / 2) / (n * m))


@dataclass(frozen=True, eq=False)
class Scale:
    """How traits as recorded become comparable numbers and codes: learnt on customers.

    is_log : numbers looked at by their logarithm; middle, spread : of the customers' values
    levels : the words of each trait that have a code of their own; the rest share the last code
    """

    numbers: tuple[str, ...]
    words: tuple[str, ...]
    is_log: np.ndarray
    middle: np.ndarray
    spread: np.ndarray
    levels: tuple[pd.Index, ...]

    def __call__(self, accounts: pd.DataFrame) -> Traits:
        """The traits of companies; a column that is lacking is unknown for all."""
        accounts = accounts.reindex(columns=[*self.numbers, *self.words])
        x = _logs(accounts[list(self.numbers)].to_numpy(float), self.is_log)
        x = np.clip((x - self.middle) / self.spread, -FARTHEST, FARTHEST)
        codes = [
            _codes(accounts[name], levels)
            for name, levels in zip(self.words, self.levels, strict=True)
        ]
        empty = np.empty((len(accounts), 0), int)
        return Traits(
            x,
            np.column_stack(codes) if codes else empty,
            tuple(len(each) + 1 for each in self.levels),
        )


def scale(accounts: pd.DataFrame, numbers: tuple[str, ...], words: tuple[str, ...]) -> Scale:
    """Learn the scale of traits from companies."""
    x = accounts[list(numbers)].to_numpy(float)
    is_log = np.array([_is_skewed(x[:, i]) for i in range(x.shape[1])], bool)
    x = _logs(x, is_log)
    middle = np.nanmean(x, axis=0) if len(x) else np.zeros(x.shape[1])
    spread = np.nanstd(x, axis=0) if len(x) else np.ones(x.shape[1])
    return Scale(
        numbers,
        words,
        is_log,
        middle,
        np.where(spread > 0, spread, 1.0),
        tuple(_common(accounts[name]) for name in words),
    )


def _is_skewed(x: np.ndarray) -> bool:
    """Whether a number spreads by factors: all positive, and much longer upwards than down."""
    x = x[~np.isnan(x)]
    if len(x) < FEW or x.min() < 0:
        return False
    low, middle, high = np.quantile(x, [0.1, 0.5, 0.9])
    return bool(high > 2 and high - middle > 1.5 * (middle - low))


def _logs(x: np.ndarray, is_log: np.ndarray) -> np.ndarray:
    x = x.copy()
    x[:, is_log] = np.log1p(np.maximum(x[:, is_log], 0))
    return x


def _common(values: pd.Series) -> pd.Index:
    """The words that enough customers share, in alphabetical order."""
    counts = values.value_counts()
    return pd.Index(sorted(counts.index[counts >= max(FEW, RARE * counts.sum())]), dtype="str")


def _codes(values: pd.Series, levels: pd.Index) -> np.ndarray:
    codes = levels.get_indexer(pd.Index(values.astype("str")))
    return np.where(values.isna(), -1, np.where(codes < 0, len(levels), codes))
