"""Money in whole coins, the smallest of a currency, rounded as a plan says."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd
from babel.numbers import get_currency_precision

from salesnb.comp_plan import ROUNDINGS

ONE = Decimal(1)


@dataclass(frozen=True)
class Coins:
    """How many coins make one unit of the currency: 100 cents a euro, 1 yen a yen."""

    per_unit: int

    @classmethod
    def of(cls, currency: str) -> "Coins":
        """Those of a currency."""
        return cls(10 ** get_currency_precision(currency))

    def whole(self, amounts: pd.Series) -> np.ndarray:
        """Amounts in coins; a blank is none."""
        return np.rint(amounts.fillna(0).to_numpy(float) * self.per_unit).astype(np.int64)

    def exact(self, amount: Decimal) -> Decimal:
        """An amount of a plan in coins."""
        return amount * self.per_unit

    def amounts(self, coins: np.ndarray | pd.Series) -> np.ndarray:
        """Coins as amounts."""
        return np.asarray(coins, float) / self.per_unit


def rounded(coins: Iterable[Decimal], rounding: str) -> np.ndarray:
    """Parts of coins as whole ones, each by itself."""
    way = ROUNDINGS[rounding]
    return np.array([int(each.quantize(ONE, way)) for each in coins], dtype=np.int64)


def shared(coins: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The part of whole coins between two shares; parts that meet add up to the whole."""
    return (np.rint(coins * high) - np.rint(coins * low)).astype(np.int64)
