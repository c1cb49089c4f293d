"""What was known of a deal when it entered a stage, as categories.

Every covariate becomes a category and a missing value a level of its own. Amounts are cut by
rank within their segment, so that neither the currency nor the price level matters; tenure is
cut into the months in which people ramp. The ridge of the regression keeps small levels small.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

TRAITS = ("segment", "source", "product_id", "competitor", "industry", "country")
FEWEST = 15  # visits a level needs to stand alone; rarer levels share one
MOST_LEVELS = 40
BINS = 10
TENURE_MONTHS = (2, 4, 6, 9, 12, 18)
SURE = 10  # wins (or losses) expected of a level, yet none seen


@dataclass(frozen=True)
class Covariates:
    """Covariates as codes that count the levels of all of them through."""

    names: tuple[str, ...]
    codes: np.ndarray  # (visits, covariates)
    covariate: np.ndarray  # (levels,): which covariate a level belongs to

    @property
    def n_levels(self) -> int:
        """How many levels there are in all."""
        return len(self.covariate)


def covariates(visits: pd.DataFrame) -> Covariates:
    """The covariates of these visits, those that tell something."""
    n = len(visits)
    traits = {name: levels(visits[name]) for name in TRAITS if name in visits}
    traits["amount"] = _by_rank(visits.get("amount"), visits.get("segment"), n)
    traits["employees"] = _by_rank(visits.get("employees"), None, n)
    decided, is_lost = _ends(visits)
    traits = {k: c for k, c in traits.items() if not _knows_the_end(c[decided], is_lost)}
    moments = {"entered": levels(_month(visits)), "tenure": _tenure(visits.get("tenure_months"), n)}
    names: list[str] = []
    codes: list[np.ndarray] = []
    covariate: list[int] = []
    for name, code in {**traits, **moments}.items():
        found, code = np.unique(code, return_inverse=True)
        if len(found) > 1:
            codes.append(code + len(covariate))
            covariate += [len(names)] * len(found)
            names.append(name)
    stacked = np.column_stack(codes) if codes else np.zeros((n, 0), int)
    return Covariates(tuple(names), stacked, np.array(covariate, int))


def levels(values: pd.Series) -> np.ndarray:
    """Codes of a category: frequent levels, then one for all rare ones, then missing."""
    code, known = pd.factorize(values, sort=True)
    count = np.bincount(code[code >= 0], minlength=len(known))
    frequent = np.argsort(-count, kind="stable")[:MOST_LEVELS]
    frequent = frequent[count[frequent] >= FEWEST]
    place = np.full(len(known) + 1, len(frequent))
    place[frequent] = np.arange(len(frequent))
    place[-1] = len(frequent) + 1
    return place[code]


def _month(visits: pd.DataFrame) -> pd.Series:
    if "month" in visits:
        return visits["month"]
    if "entered_at" in visits:
        return visits["entered_at"].dt.strftime("%Y-%m")
    return pd.Series(0, index=visits.index)


def _tenure(months: pd.Series | None, n: int) -> np.ndarray:
    if months is None:
        return np.zeros(n, int)
    number = months.to_numpy(float, na_value=np.nan)
    return np.where(
        np.isnan(number), len(TENURE_MONTHS) + 1, np.searchsorted(TENURE_MONTHS, number, "right")
    )


def _by_rank(values: pd.Series | None, within: pd.Series | None, n: int) -> np.ndarray:
    """Bins of equal size by rank; ranks, so that no unit of measure matters."""
    if values is None:
        return np.zeros(n, int)
    number = pd.Series(values.to_numpy(float, na_value=np.nan))
    by = np.zeros(n, int) if within is None else levels(within)
    rank = number.groupby(by).rank(pct=True)
    return np.where(rank.isna(), BINS, np.ceil(rank.fillna(1) * BINS) - 1).astype(int)


def _ends(visits: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Which visits stand for a decided deal, one for each, and whether it was lost."""
    deal, outcome = visits["deal_id"], visits["outcome"]
    is_lost = (outcome == "lost").groupby(deal, sort=False).transform("any")
    is_open = (outcome == "open").groupby(deal, sort=False).transform("any")
    decided = (~deal.duplicated() & ~is_open).to_numpy()
    return decided, is_lost.to_numpy()[decided]


def _knows_the_end(code: np.ndarray, is_lost: np.ndarray) -> bool:
    """Whether some level is never, or always, followed by a win.

    Such a trait was written down after the end (a competitor named once lost, an amount of 0 on
    every lost deal): it was not known on entry, and would explain away what the rep does.
    """
    size, n_lost = np.bincount(code), np.bincount(code, is_lost)
    expected = size * (is_lost.mean() if len(is_lost) else 0)
    no_loss = (n_lost == 0) & (expected > SURE)
    no_win = (n_lost == size) & (size - expected > SURE)
    return bool((no_loss | no_win).any())
