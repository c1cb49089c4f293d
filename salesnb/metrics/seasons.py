"""When in the year, the quarter and the week deals are won: each time against the others."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control
from scipy.stats import t as student

from salesnb import behind, stats
from salesnb.language import say, to_say
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


MONTHS = (
    to_say("January"),
    to_say("February"),
    to_say("March"),
    to_say("April"),
    to_say("May"),
    to_say("June"),
    to_say("July"),
    to_say("August"),
    to_say("September"),
    to_say("October"),
    to_say("November"),
    to_say("December"),
)
WEEKDAYS = (
    to_say("Monday"),
    to_say("Tuesday"),
    to_say("Wednesday"),
    to_say("Thursday"),
    to_say("Friday"),
    to_say("Saturday"),
    to_say("Sunday"),
)
QUARTER = to_say("last month of the quarter"), to_say("first two months")
QUARTER_END = to_say("last two weeks of the quarter"), to_say("rest of the quarter")
FACTORS = (
    Factor("quarter", QUARTER, "month_no", 1, False),
    Factor("quarter_end", QUARTER_END, "half_no", 1),
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


def rows(team: Team, row: pd.Series, *outcomes: str) -> pd.DataFrame:
    """The closed deals of one level of `table`, of these outcomes alone: `behind.DEALS`."""
    deals = settled(team)
    deals = deals[deals["outcome"].isin(outcomes)]
    factor = next(each for each in FACTORS if each.name == row["factor"])
    place = [say(level) for level in factor.levels].index(row["level"])
    return behind.deals(team, deals[placed(team, deals["closed_on"])[factor.name] == place])


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
            "weekday": days.dt.day_of_week,
            "is_last": is_last.astype(int),
            "month_no": month_no,
            "half_no": month_no * 2 + is_end,
            "day_no": (days - pd.Timestamp(0)).dt.days,
        }
    )


def _levels(factor: Factor, closed: pd.DataFrame, every_day: pd.DataFrame) -> pd.DataFrame:
    n_levels = len(factor.levels)
    rows = closed.assign(
        level=closed[factor.name], part=closed["is_last"] * factor.is_within, won=closed["is_won"]
    )
    cells = rows.groupby(["level", "part", factor.time])["won"].agg(["size", "sum"]).reset_index()
    cells = cells.set_axis(["level", "part", "time", "n", "won"], axis=1)
    tests = [_against_others(cells, level) for level in range(n_levels)]
    sums = cells.groupby("level")[["n", "won"]].sum().reindex(range(n_levels), fill_value=0)
    n_times = cells.groupby("level")["time"].nunique().reindex(range(n_levels), fill_value=0)
    is_look = (np.arange(n_levels) < factor.n_looks) & (n_times.to_numpy() >= TIMES_TO_TELL)
    days = np.bincount(every_day[factor.name].to_numpy(int), minlength=n_levels)
    rates = stats.rates(sums["won"].to_numpy(), sums["n"].to_numpy())
    return pd.DataFrame(tests, columns=["other_rate", "p"]).assign(
        factor=factor.name,
        level=[say(level) for level in factor.levels],
        n_closed=sums["n"].to_numpy(int),
        n_won=sums["won"].to_numpy(int),
        win_rate=rates["value"],
        win_low=rates["value_low"],
        win_high=rates["value_high"],
        won_share=(sums["won"] / max(1, sums["won"].sum())).to_numpy(float),
        days_share=days / days.sum(),
        n_times=n_times.to_numpy(int),
        p=lambda found: found["p"].where(is_look),
    )


def _against_others(cells: pd.DataFrame, level: int) -> tuple[float, float]:
    """The win rate of the others in the same part of the quarter, and the p value of a level.

    The score test of Mantel and Haenszel (1959) against Student's t, its variance that of deals
    as much alike within one time as `_likeness` finds. `cells`: level, part, time, n, won.
    """
    likeness, freedom = _likeness(cells)
    part, n, won = (cells[name].to_numpy() for name in ("part", "n", "won"))
    is_own = (cells["level"] == level).to_numpy(float)
    all_n, all_won = np.bincount(part, n, 2), np.bincount(part, won, 2)
    own_n, own_won = np.bincount(part, n * is_own, 2), np.bincount(part, won * is_own, 2)
    rest_n, is_compared = all_n - own_n, (own_n > 0) & (all_n > own_n)
    if np.minimum(own_n, rest_n).sum() < CLOSED_TO_TELL:
        return np.nan, np.nan
    others = (all_won - own_won)[is_compared] / rest_n[is_compared]
    other_rate = np.average(others, weights=own_n[is_compared])
    known = np.maximum(all_n, 1)
    rate, off = (all_won / known)[part], is_own - (own_n / known)[part]
    variance = (off**2 * rate * (1 - rate) * n * (1 + (n - 1) * likeness)).sum()
    if variance <= 0 or freedom < 1:
        return other_rate, np.nan
    t = (off * (won - n * rate)).sum() / np.sqrt(variance)
    return other_rate, 2 * student.sf(abs(t), freedom)


def _likeness(cells: pd.DataFrame) -> tuple[float, int]:
    """How much alike deals closed at one time are beyond their level, and degrees of freedom.

    The intraclass correlation by moments (Williams 1982), at least 0: deals closed in one batch,
    or in one bad month, are not so many pieces of evidence.
    """
    sums = cells.groupby(["level", "part"])[["n", "won"]].transform("sum")
    n, rate = cells["n"], sums["won"] / sums["n"]
    n_groups = cells.groupby(["level", "part"]).ngroups
    freedom = len(cells) - n_groups
    pairs = (rate * (1 - rate) * n * (n - 1)).sum()
    if freedom < 1 or pairs <= 0:
        return 0.0, freedom
    squares = ((cells["won"] - n * rate) ** 2).sum() * len(cells) / freedom
    return max(0.0, (squares - (rate * (1 - rate) * n).sum()) / pairs), freedom
