"""The words of a simulated team, read from ``words.toml``."""

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd


@cache
def words() -> dict[str, Any]:
    """Everything in ``words.toml``."""
    return tomllib.loads(files(__package__).joinpath("words.toml").read_text(encoding="utf-8"))


def ids(letter: str, n: int, width: int = 2) -> list[str]:
    """``R01 R02 ...``, as wide as the largest needs."""
    width = max(width, len(str(n)))
    return [f"{letter}{i:0{width}d}" for i in range(1, n + 1)]


def spelled(names: Sequence[str] | np.ndarray, codes: np.ndarray | None = None) -> pd.Series:
    """Codes as text, or the names themselves; a negative code is blank."""
    pool = pd.array(list(names), dtype="str")
    if codes is None:
        return pd.Series(pool)
    return pd.Series(pool.take(np.where(codes < 0, -1, codes), allow_fill=True))


def pick(dice: np.random.Generator, shares: np.ndarray, n: int | None = None) -> np.ndarray:
    """One code per row of `shares` (rows x choices), or `n` codes from one row of shares."""
    rows = np.cumsum(np.atleast_2d(shares), axis=1)
    u = dice.random(rows.shape[0] if n is None else n)[:, None] * rows[:, -1:]
    return (u >= rows).sum(axis=1)
