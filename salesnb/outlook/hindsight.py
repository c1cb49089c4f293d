"""The outlook of earlier days held against what came: how often the band held, how wide it must be.

On four days of the last year the outlook is drawn from what was known then (`Team.at`).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb import lot
from salesnb.once import forget, once
from salesnb.outlook.book import book
from salesnb.outlook.draws import ahead
from salesnb.outlook.inflow import next_weeks
from salesnb.outlook.needs import QUARTER
from salesnb.team import Team
from salesnb.weekly import DAY

BAND = 0.8  # of what comes is to lie within the band
MOST = 100  # reps that stand for the others of a large team
LOOKS, WEEKS = 4, (4, 8, 13)  # earlier days, and weeks ahead that are checked on each
BEFORE = 26 * 7  # days of history that an earlier day must have
WIDEST = 3.0
KINDS = ("open_amount", "won_amount")
COLUMNS = ["day", "rep_id", "weeks", "kind", "low", "middle", "high", "actual"]


@dataclass(frozen=True, eq=False)
class Hindsight:
    """How the bands of earlier days did.

    checks : one row per day, rep (blank: all together), week ahead and kind (open_amount,
        won_amount): `low`, `middle`, `high` as drawn, `actual`, `is_inside`
    wider : factor on the drawn band by (kind, whether it is the team's), 1 or more
    """

    checks: pd.DataFrame
    wider: dict[tuple[str, bool], float]

    @property
    def of_reps(self) -> pd.Series:
        """Whether each check of a rep lay within the drawn band."""
        return self.checks.loc[self.checks["rep_id"].notna(), "is_inside"]


def hindsight(team: Team, *, of_all: bool = False) -> Hindsight:
    """Hold the outlooks of earlier days against what came, rep by rep.

    With `of_all` that of all reps together too. Without, so many reps of a large team stand for
    the others: a page about one rep need not draw a thousand.
    """
    is_small = len(book(team).rep_id) <= MOST
    return _of_all(team) if of_all or is_small else _of_some(team)


@once
def _of_all(team: Team) -> Hindsight:
    return _held(team, None)


@once
def _of_some(team: Team) -> Hindsight:
    return _held(team, MOST)


def _held(team: Team, most: int | None) -> Hindsight:
    first = max(team.deals["created_on"].min(), team.activities["happens_at"].min().normalize())
    days = [team.as_of - QUARTER * DAY * (look + 1) for look in range(LOOKS)]
    found = [check(team, day, most) for day in days if day >= first + BEFORE * DAY]
    checks = pd.concat([pd.DataFrame(columns=[*COLUMNS, "is_inside"]), *found], ignore_index=True)
    is_team = checks["rep_id"].isna()
    wider = {
        (kind, of_team): widening(checks[(checks["kind"] == kind) & (is_team == of_team)])
        for kind in KINDS
        for of_team in (False, True)
    }
    return Hindsight(checks, wider)


def check(team: Team, day: pd.Timestamp, most: int | None = None) -> pd.DataFrame:
    """The outlook of one day against what came, for those who were on the team all along.

    Of at most so many of them, or of all and of all together.
    """
    past = team.at(day)
    known = ahead(past, max(WEEKS))
    rep_id = known.book.rep_id
    left = team.reps.set_index("rep_id")["left_on"].reindex(rep_id)
    stayed = np.flatnonzero(~(left <= day + QUARTER * DAY).to_numpy())
    if most is not None:
        stayed = rep_id.get_indexer(pd.Index(lot.drawn(rep_id[stayed], most)))
    then = known.drawn(stayed)
    who: list[tuple[list[int], str | None]] = [([n], each) for n, each in enumerate(then.rep_id)]
    who += [([*range(len(who))], None)] if most is None else []
    at, rows = np.array(WEEKS) - 1, []
    for kind, actual in came(team, then.rep_id, day).items():
        drawn = getattr(then, kind)
        for reps, one in who:
            ends = band(drawn[reps].sum(axis=0)[at])
            values = (*ends, actual[reps].sum(axis=0)[at])
            rows += [(day, one, *row) for row in zip(WEEKS, [kind] * 3, *values, strict=True)]
    forget(past)
    found = pd.DataFrame(rows, columns=COLUMNS)
    return found.assign(is_inside=found["actual"].between(found["low"], found["high"]))


def band(drawn: np.ndarray, wider: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Low end, middle and high end of draws (weeks x draws); never below 0."""
    tail = (1 - BAND) / 2
    low, middle, high = np.quantile(drawn, [tail, 0.5, 1 - tail], axis=-1)
    return np.maximum(middle - wider * (middle - low), 0), middle, middle + wider * (high - middle)


def came(team: Team, rep_id: pd.Index, day: pd.Timestamp) -> dict[str, np.ndarray]:
    """What each rep had open and had won by the end of each week after `day` (reps x weeks)."""
    deals = book(team).deals
    rep = rep_id.get_indexer(pd.Index(deals["rep_id"]))
    amount, n = deals["amount"].fillna(0.0).to_numpy(), len(rep_id)
    found: dict[str, list[np.ndarray]] = {kind: [] for kind in KINDS}
    for end in next_weeks(day, max(WEEKS)):
        until = day + int(end) * DAY
        is_closed = deals["closed_on"] <= until
        is_open = (deals["created_on"] <= until) & ~is_closed
        is_won = (deals["outcome"] == "won") & (deals["closed_on"] > day) & is_closed
        for kind, which in zip(KINDS, (is_open, is_won), strict=True):
            who = which.to_numpy() & (rep >= 0)
            found[kind].append(np.bincount(rep[who], amount[who], n))
    return {kind: np.array(weeks).T for kind, weeks in found.items()}


def widening(checks: pd.DataFrame) -> float:
    """How many times as wide the band would have had to be (conformal: Vovk and others 2005)."""
    middle, actual = checks["middle"], checks["actual"]
    reach = (checks["high"] - middle).where(actual > middle, middle - checks["low"])
    off = (actual - middle).abs()
    score = np.where(off > 0, off / reach.where(reach > 0), 0.0).astype(float)
    score = np.sort(np.nan_to_num(score, nan=WIDEST))
    if not len(score):
        return 1.0
    at = int(np.ceil(BAND * (len(score) + 1))) - 1
    return float(np.clip(score[min(at, len(score) - 1)], 1.0, WIDEST))
