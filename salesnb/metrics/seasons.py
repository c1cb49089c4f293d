"""When in the year, the quarter and the week deals are won: each time against the others."""

from calendar import day_name, month_name
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control
from scipy.stats import t as student

from salesnb import stats
from salesnb.team import Team
from salesnb.visits import settled

COLUMNS = ["factor", "level", "n_closed", "n_won", "win_rate", "win_low", "win_high"]
COLUMNS += ["other_rate", "won_share", "days_share", "n_times", "p", "q", "stands_out"]
FALSE_SHARE = 0.05  # of the effects named, expected by chance
CLOSED_TO_TELL = 20  # on both sides of a comparison
TIMES_TO_TELL = 2  # a level that came round once may be anything


@dataclass(frozen=True)
class Factor:
    """Something a day has: its `levels`, and the `time` by which one level comes round.

    n_looks : of how many levels there is a comparison; of two, one says it all
    is_within : compare within the same part of the quarter
    """

    name: str
    levels: tuple[str, ...]
    time: str
    n_looks: int
    is_within: bool = True


MONTHS = tuple(month_name[1:])
WEEKDAYS = tuple(day_name)
FACTORS = (
    Factor("quarter", ("last month of the quarter", "first two months"), "month_no", 1, False),
    Factor("quarter_end", ("last two weeks of the quarter", "rest of the quarter"), "half_no", 1),
    Factor("month", MONTHS, "month_no", 12),
    Factor("weekday", WEEKDAYS, "day_no", 7),
)


def table(team: Team) -> pd.DataFrame:
    """One row per level of each factor: `COLUMNS`; see `funnel.calendar`."""
    deals = settled(team).dropna(subset="outcome")
    first = deals["closed_on"].min() if len(deals) else team.as_of
    every_day = placed(team, pd.Series(pd.date_range(first, team.as_of, unit="us")))
    closed = placed(team, deals["closed_on"]).assign(is_won=deals["outcome"] == "won")
    found = pd.concat([_levels(factor, closed, every_day) for factor in FACTORS])
    looks = found["p"].notna()
    found["q"] = np.nan
    if looks.any():
        found.loc[looks, "q"] = false_discovery_control(found.loc[looks, "p"])
    found["stands_out"] = (found["q"] <= FALSE_SHARE).astype("boolean")
    return found[COLUMNS].reset_index(drop=True)


def placed(team: Team, days: pd.Series) -> pd.DataFrame:
    """For each day the code of its level of every factor, and the time it belongs to."""
    is_last = (days.dt.month - team.settings.fiscal_year_starts) % 3 == 2
    to_go = (days + pd.offsets.MonthEnd(0) - days).dt.days
    is_end = is_last & (to_go < 14)
    month_no = days.dt.year * 12 + days.dt.month
    return pd.DataFrame(
        {
            "quarter": np.where(is_last, 0, 1),
            "quarter_end": np.where(is_end, 0, 1),
            "month": days.dt.month - 1,
            "weekday": days.dt.dayofweek,
            "is_last": is_last.astype(int),
            "month_no": month_no,
            "half_no": month_no * 2 + is_end,
            "day_no": (days - pd.Timestamp(0)).dt.days,
        }
    )


def _levels(factor: Factor, closed: pd.DataFrame, every_day: pd.DataFrame) -> pd.DataFrame:
    level, n_levels = closed[factor.name].to_numpy(int), len(factor.levels)
    part = closed["is_last"].to_numpy(int) * factor.is_within
    is_won = closed["is_won"].to_numpy(float)
    group = level * 2 + part
    n = np.bincount(group, minlength=2 * n_levels).reshape(n_levels, 2)
    won = np.bincount(group, is_won, 2 * n_levels).reshape(n_levels, 2)
    tested = _against_others(n, won, *_spread(closed[factor.time].to_numpy(), group, is_won))
    n_times = closed.groupby(factor.name)[factor.time].nunique().reindex(range(n_levels)).fillna(0)
    is_look = (np.arange(n_levels) < factor.n_looks) & (n_times.to_numpy() >= TIMES_TO_TELL)
    days = np.bincount(every_day[factor.name].to_numpy(int), minlength=n_levels)
    rates = stats.rates(won.sum(axis=1), n.sum(axis=1))
    return tested.assign(
        factor=factor.name,
        level=factor.levels,
        n_closed=n.sum(axis=1),
        n_won=won.sum(axis=1).astype(int),
        win_rate=rates["value"],
        win_low=rates["value_low"],
        win_high=rates["value_high"],
        won_share=won.sum(axis=1) / max(1.0, is_won.sum()),
        days_share=days / days.sum(),
        n_times=n_times.to_numpy(int),
        p=tested["p"].where(is_look),
    )


def _against_others(n: np.ndarray, won: np.ndarray, spread: float, freedom: int) -> pd.DataFrame:
    """Each level against the others in the same part of the quarter (Mantel and Haenszel 1959).

    n, won : closed and won deals by level and part. The variance is `spread` times the binomial,
    on `freedom` degrees of freedom (McCullagh and Nelder 1989, section 4.5).
    """
    all_n, all_won = n.sum(axis=0), won.sum(axis=0)
    rest = all_n - n
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.nan_to_num(won - n * all_won / all_n).sum(axis=1)
        variance = n * rest * all_won * (all_n - all_won) / (all_n**2 * (all_n - 1.0))
        z = off / np.sqrt(spread * np.nan_to_num(variance).sum(axis=1))
        other = np.nan_to_num(n * (all_won - won) / rest, posinf=0).sum(axis=1)
        other_rate = other / (n * (rest > 0)).sum(axis=1)
    is_enough = np.minimum(n, rest).sum(axis=1) >= CLOSED_TO_TELL
    p = np.where(is_enough & (freedom > 0), 2 * student.sf(np.abs(z), max(1, freedom)), np.nan)
    return pd.DataFrame({"other_rate": other_rate, "p": p})


def _spread(time: np.ndarray, group: np.ndarray, is_won: np.ndarray) -> tuple[float, int]:
    """How much more the win rate of one level varies from time to time than chance, at least 1.

    Pearson's chi squared of the wins of each time, over its degrees of freedom: whole batches of
    deals closed on one day, or a bad month, are not so many pieces of evidence.
    """
    cells = pd.DataFrame({"time": time, "group": group, "won": is_won, "n": 1})
    cells = cells.groupby(["time", "group"], as_index=False).sum()
    by_group = cells.groupby("group")[["won", "n"]].transform("sum")
    rate = by_group["won"] / by_group["n"]
    chance = cells["n"] * rate * (1 - rate)
    freedom = len(cells) - cells["group"].nunique()
    chi2 = ((cells["won"] - cells["n"] * rate) ** 2 / chance.where(chance > 0)).sum()
    return max(1.0, chi2 / max(1, freedom)), freedom
