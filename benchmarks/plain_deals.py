"""Deals by a plainer law than `salesnb.simulate`, in worlds that it does not know."""

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from salesnb.settings import Settings
from salesnb.team import Team, of

AS_OF = pd.Timestamp("2026-06-30").as_unit("us")


def plain(
    seed: int,
    *,
    reps: int = 20,
    per_rep: int = 110,
    months: int = 24,
    stages: int = 4,
    advance: tuple[float, float] = (12, 0.7),
    lose: tuple[float, float] = (25, 0.8),
    never: float = 0.1,
    hidden: float = 0.0,
    mix: float = 0.4,
    rep: float = 0.25,
    drift: float = 0.0,
    skips: float = 0.0,
    purge: bool = False,
    late: bool = False,
) -> tuple[Team, pd.Series]:
    """A team, and which of its deals are won in the end.

    advance, lose : median days and log spread in a stage
    never : share of lost deals that lie open for a year or more
    hidden, mix, rep, drift : logit spread of what nobody sees, of traits and of reps, and change
    skips : share of stages jumped; purge : losses are closed at the quarter's end
    late : the competitor is written down for lost deals, the amount when a deal closes
    """
    dice, n, days = np.random.default_rng(seed), reps * per_rep, round(months * 30.4)
    who, now = dice.integers(reps, size=n), dice.uniform(0, days, n)
    segment, source, rival = (dice.integers(k, size=n) for k in (3, 4, 4))
    amount = np.exp(dice.normal(9 + 0.8 * segment, 0.6))
    traits = sum(dice.normal(size=4)[code] for code in (segment, source, rival))
    own, unseen = rep * dice.normal(size=(reps, stages)), hidden * dice.normal(size=n)
    base = logit((0.25 if stages > 1 else 0.4) ** (1 / stages)) + dice.normal(0, 0.3, stages)
    created, closed, is_won, is_on = now.copy(), np.full(n, np.inf), np.zeros(n, bool), now >= 0
    entries = []
    for stage in range(stages):
        here = np.flatnonzero(is_on)
        jumps = (dice.random(len(here)) < skips) & (stage > 0)
        entries.append(pd.DataFrame({"deal": here, "stage": stage, "at": now[here]})[~jumps])
        chance = base[stage] + mix * traits[here] + own[who[here], stage] + unseen[here]
        goes = dice.random(len(here)) < expit(chance + drift * (now[here] / days - 0.5))
        (fast, fast_sd), (slow, slow_sd) = advance, lose
        luck = dice.normal(size=len(here))
        took = np.where(goes, fast * np.exp(fast_sd * luck), slow * np.exp(slow_sd * luck))
        is_left = ~goes & (dice.random(len(here)) < never)
        took = np.where(is_left, took + 60 + dice.exponential(400, len(here)), took)
        now[here] += np.where(jumps & goes, 0, took)
        is_on[here[~goes]], closed[here[~goes]] = False, now[here[~goes]]
    is_won[is_on], closed[is_on] = True, now[is_on]
    if purge:
        closed = np.where(is_won, closed, np.ceil(closed / 91) * 91)
    names = np.array([f"D{i:06d}" for i in range(n)])
    is_closed, first = closed < days, AS_OF - pd.Timedelta(days=days - 1)
    deals = pd.DataFrame(
        {
            "deal_id": names,
            "rep_id": np.char.add("R", who.astype(str)),
            "segment": np.array(["small", "middle", "large"])[segment],
            "source": np.array(["web", "fair", "partner", "call"])[source],
            "competitor": np.where(late & (is_won | ~is_closed), None, np.array([*"ABCD"])[rival]),
            "amount": np.where(late & ~is_closed, np.nan, amount),
            "created_on": _day(first, created),
            "closed_on": pd.Series(_day(first, np.where(is_closed, closed, 0))).where(is_closed),
            "outcome": pd.Series(np.where(is_won, "won", "lost")).where(is_closed),
        }
    )
    log = pd.concat(entries)
    log = log[log["at"] < days]
    changes = pd.DataFrame(
        {
            "deal_id": names[log["deal"]],
            "stage": np.char.add("S", log["stage"].to_numpy().astype(str)),
            "entered_at": (first + pd.to_timedelta(log["at"].to_numpy(), unit="D")).floor("s"),
        }
    )
    everybody = np.char.add("R", np.arange(reps).astype(str))
    tables = {"reps": pd.DataFrame({"rep_id": everybody, "name": everybody}), "deals": deals}
    settings = Settings(as_of=AS_OF, stages=tuple(f"S{k}" for k in range(stages)))
    team = of(settings, {**tables, "stage_changes": changes})
    return team, pd.Series(is_won.astype(float), index=names)


def _day(first: pd.Timestamp, at: np.ndarray) -> pd.DatetimeIndex:
    return first + pd.to_timedelta(np.floor(at), unit="D")
