"""Made teams in which some reps are coached, for benchmarks/coaching.py: their truth is known.

Two years of one coached stage. The quality of each rep is lasting differences plus an
autoregression from quarter to quarter. Twice, after a year and after a year and a half, the reps
with the lowest share of advanced deals of the last quarter or the last year are put into a
programme. `made` is a whole team: reps have their own mix of two segments, deals take log-normal
times, losses longer than advances, some are still open at the end, and everybody has one-on-ones.
`counted` is the same in counts by quarter, a hundred times faster.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from salesnb import schema
from salesnb.settings import Settings
from salesnb.team import Team

AS_OF = pd.Timestamp("2026-06-30")
QUARTER, N_QUARTERS = 91, 8
DAYS = QUARTER * N_QUARTERS
ROUNDS = (4, 6)  # quarters at the beginning of which coaching starts
STARTS = tuple(QUARTER * quarter + 8 for quarter in ROUNDS)  # days since the history began
SHARE = 0.2  # of the reps, each time
TYPICAL = np.array([0.5, 0.68])  # of the two segments
TO_ADVANCE, TO_LOSE, SPREAD = 10.0, 18.0, 0.7  # median days, log standard deviation
FEWEST = 3  # deals, below which nobody is judged


class Setting(NamedTuple):
    """One kind of team: `deals` are those of a rep at the stage in two years."""

    reps: int
    deals: int
    rule: str  # the coached are the worst of the last "quarter" or "year"
    fading: float  # how much of a quarter's quality is left in the next one
    lasting: float  # standard deviation of lasting differences, logit
    drift: float  # of those that fade
    effect: float


def made(setting: Setting, seed: int) -> Team:
    """A team of this kind."""
    dice = np.random.default_rng(seed)
    n = dice.poisson(setting.deals * np.exp(dice.normal(0, 0.3, setting.reps)))
    rep = np.repeat(np.arange(setting.reps), n)
    entered = np.floor(dice.uniform(0, DAYS, len(rep)))
    segment = (dice.random(len(rep)) < dice.beta(3, 3, setting.reps)[rep]).astype(int)
    quality = _quality(setting, dice)[rep, (entered // QUARTER).astype(int)]
    p = expit(logit(TYPICAL[segment]) + quality)
    luck, pace = dice.random(len(rep)), np.exp(SPREAD * dice.normal(size=len(rep)))
    lift, coached = np.zeros((setting.reps, DAYS)), []
    for start in STARTS:
        is_advance = luck < p + lift[rep, entered.astype(int)]
        left = entered + np.ceil(pace * np.where(is_advance, TO_ADVANCE, TO_LOSE))
        worst = _worst(setting, rep, is_advance, left, start)
        lift[worst, start:] += setting.effect
        coached += [(each, start) for each in worst]
    is_advance = luck < p + lift[rep, entered.astype(int)]
    left = entered + np.ceil(pace * np.where(is_advance, TO_ADVANCE, TO_LOSE))
    return _team(setting, rep, segment, entered, left, is_advance, _log(setting, coached, dice))


def _quality(setting: Setting, dice: np.random.Generator) -> np.ndarray:
    drift = dice.normal(0, 1, (setting.reps, N_QUARTERS))
    for quarter in range(1, N_QUARTERS):
        fresh = np.sqrt(1 - setting.fading**2) * drift[:, quarter]
        drift[:, quarter] = setting.fading * drift[:, quarter - 1] + fresh
    return dice.normal(0, setting.lasting, (setting.reps, 1)) + setting.drift * drift


def _worst(
    setting: Setting, rep: np.ndarray, is_advance: np.ndarray, left: np.ndarray, start: int
) -> np.ndarray:
    """Whose share of advanced deals was lowest in the last quarter or year, as known then."""
    first = start - 8 - (QUARTER if setting.rule == "quarter" else 4 * QUARTER)
    seen = (left >= first) & (left < start - 8)
    n = np.bincount(rep[seen], minlength=setting.reps)
    share = np.bincount(rep[seen], is_advance[seen], setting.reps) / np.maximum(n, 1)
    return np.argsort(np.where(n >= FEWEST, share, np.inf), kind="stable")[
        : max(1, round(SHARE * setting.reps))
    ]


def _log(setting: Setting, coached: list, dice: np.random.Generator) -> pd.DataFrame:
    rows = [(r, s + 7 * week, "programme", "Demo") for r, s in coached for week in range(4)]
    for rep in range(setting.reps):
        for day in range(14, DAYS, 28):
            rows.append((rep, day, "one_on_one", dice.choice(["Demo", "Offer", "planning"])))
    log = pd.DataFrame(rows, columns=["rep", "day", "kind", "topic"])
    log["session_id"] = [f"S{i}" for i in range(len(log))]
    return log


def _day(day: np.ndarray) -> pd.Series:
    day = pd.Series(np.asarray(day, float))
    day = day.where(day < DAYS)
    return AS_OF - pd.to_timedelta(DAYS - 1 - day, unit="D").astype("timedelta64[us]")


def _team(setting, rep, segment, entered, left, is_advance, log) -> Team:
    names = np.array([f"R{i:02d}" for i in range(setting.reps)])
    ids = np.array([f"D{i}" for i in range(len(rep))])
    moved = is_advance & (left < DAYS)
    changes = pd.DataFrame(
        {
            "deal_id": np.r_[ids, ids[moved]],
            "stage": np.repeat(["Demo", "Offer"], [len(ids), moved.sum()]),
            "entered_at": pd.concat([_day(entered), _day(left[moved])], ignore_index=True),
            "rep_id": names[np.r_[rep, rep[moved]]],
        }
    )
    outcome = pd.Series(np.where(~is_advance & (left < DAYS), "lost", None), dtype="str")
    deals = {"deal_id": ids, "rep_id": names[rep], "segment": np.array(["A", "B"])[segment]}
    deals |= {"created_on": _day(entered), "closed_on": _day(left).where(outcome.notna())}
    tables = {
        "reps": pd.DataFrame({"rep_id": names, "name": names}),
        "deals": pd.DataFrame(deals | {"outcome": outcome}),
        "stage_changes": changes,
        "coaching": log.assign(rep_id=names[log["rep"]], held_on=_day(log["day"])).drop(
            columns=["rep", "day"]
        ),
    }
    whole = {name: pd.concat([schema.empty(name), rows]) for name, rows in tables.items()}
    return Team(Settings(as_of=AS_OF, stages=("Demo", "Offer")), whole)


def counted(setting: Setting, seed: int) -> pd.DataFrame:
    """Counts of such a team: one row per rep and quarter.

    rep_id, time, dose, n_known, n_good, and what `salesnb.trials.panel` makes of them: level,
    variance, typical_rate
    """
    dice = np.random.default_rng(seed)
    pace = setting.deals / N_QUARTERS * np.exp(dice.normal(0, 0.3, (setting.reps, 1)))
    n = dice.poisson(pace, (setting.reps, N_QUARTERS))
    typical = float(TYPICAL.mean())
    p = expit(logit(typical) + _quality(setting, dice))
    dose, good = np.zeros_like(n), np.zeros_like(n)
    for quarter in range(N_QUARTERS):
        if quarter in ROUNDS:
            seen = slice(quarter - (1 if setting.rule == "quarter" else 4), quarter)
            of = n[:, seen].sum(axis=1)
            share = np.where(of >= FEWEST, good[:, seen].sum(axis=1) / np.maximum(of, 1), np.inf)
            worst = np.argsort(share, kind="stable")[: max(1, round(SHARE * setting.reps))]
            dose[worst, quarter:] += 1
        chance = np.clip(p[:, quarter] + setting.effect * dose[:, quarter], 0.001, 0.999)
        good[:, quarter] = dice.binomial(n[:, quarter], chance)
    own = (good.sum(axis=1) + 10 * typical) / (n.sum(axis=1) + 10)
    rep, quarter = np.divmod(np.arange(n.size), N_QUARTERS)
    rows = pd.DataFrame({"rep_id": rep, "time": quarter - N_QUARTERS + 1, "dose": dose.ravel()})
    rows["n_known"], rows["n_good"], rows["typical_rate"] = n.ravel(), good.ravel(), typical
    rows = rows[rows["n_known"] > 0].reset_index(drop=True)
    rows["level"] = rows["n_good"] / rows["n_known"] - typical
    rows["variance"] = (own * (1 - own))[rows["rep_id"]] / rows["n_known"]
    return rows
