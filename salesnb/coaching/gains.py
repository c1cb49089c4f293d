"""The need for coaching of each rep, in money a year, and what coaching may bring.

Only the leaks are measured. The shares below are assumptions, set low on purpose: a plan needs
some, and it is better to read them here than to guess them.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb import leaks, standout
from salesnb.history import look_up
from salesnb.language import say, to_say
from salesnb.metrics.presence import DAYS_A_MONTH, RAMP_MONTHS
from salesnb.team import Team
from salesnb.visits import settled

WINNABLE = 0.3  # of a need, what coaching wins back at most
GROWTH = 0.01  # of a rep's wins in a year, what it brings where nothing stands out
POINT = 0.05  # of a rep's wins in a year, lost per point of score below the middle of the team
RAMP = 0.2  # the same for somebody on the first day, falling to none at the end of the ramp
RESPONSE, USUAL = 0.25, 10.0  # weight of the commitments kept; as many usual ones are added
HALF_SURE = 0.5  # reliability of scores where it cannot be told from them
NOTHING = to_say("nothing stands out")


@dataclass(frozen=True, eq=False)
class Needs:
    """What there is to gain with each rep.

    table : indexed by rep_id; amount (money a year), low, high (blank without a leak), reason,
        stage (of a leak, else empty), is_firm (a leak separated from chance)
    weight : what the hours follow: growth for everybody, and what can be won of the need
    worth : the same, a little more for those who kept what was agreed
    is_money : whether amounts are on record
    """

    table: pd.DataFrame
    weight: np.ndarray
    worth: np.ndarray
    is_money: bool

    def worth_at(self, end: str) -> np.ndarray:
        """`worth` if the need were at an end of its interval."""
        shift = WINNABLE * (self.table[end] - self.table["amount"]).fillna(0).to_numpy()
        return self.worth / self.weight * (self.weight + shift)


def needs(team: Team, reps: pd.Index) -> Needs:
    """The needs of these reps.

    A leak counts with what it costs a year times its probability, if it is separated from chance
    or worth watching; the mean score below the middle of the team counts as far as scores tell
    reps apart; the first months count because people learn most then.
    """
    scale, is_money = _yearly(team, len(reps))
    leak = _leaks(team, reps)
    skill = POINT * scale * _gap(team, reps)
    ramp = RAMP * scale * _ramp_left(team, reps)
    table = pd.DataFrame({"amount": leak["amount"] + skill + ramp}, index=reps)
    half = [np.sqrt(leak[f"square_{end}"]) for end in ("low", "high")]
    has_leak = leak["stage"] != ""
    table["low"] = (table["amount"] - half[0]).clip(lower=0).where(has_leak)
    table["high"] = (table["amount"] + half[1]).where(has_leak)
    table["stage"], table["is_firm"] = leak["stage"], leak["is_firm"]
    table["reason"] = _reasons(leak, skill, ramp, GROWTH * scale / WINNABLE / 2)
    weight = (GROWTH * scale + WINNABLE * table["amount"]).to_numpy(float)
    return Needs(table, weight, weight * _response(team, reps), is_money)


def _yearly(team: Team, n_reps: int) -> tuple[float, bool]:
    """What a rep wins in a year; where nothing was won, the worth of a deal; else 1."""
    deals = settled(team)
    is_won = (deals["outcome"] == "won") & (deals["closed_on"] > team.as_of - standout.YEAR)
    won, usual = deals.loc[is_won, "amount"].sum() / max(n_reps, 1), deals["amount"].mean()
    known = [float(amount) for amount in (won, usual) if amount > 0]
    return (known[0], True) if known else (1.0, False)


def _leaks(team: Team, reps: pd.Index) -> pd.DataFrame:
    """By rep: expected loss a year, squared half widths of its interval, the largest stage."""
    found = leaks.cells(team) if team.has("stage_changes") else pd.DataFrame(columns=["tier"])
    found = found[found["tier"].isin([*standout.FIRM, "watch"])]
    table = pd.DataFrame(0.0, index=reps, columns=["amount", "square_low", "square_high"])
    table["stage"], table["is_firm"] = "", False
    if found.empty:
        return table
    weight = found["leak_probability"] / np.fmax(leaks.years(team, found), 1.0)
    found = found.assign(amount=(weight * found["lost_amount"]).clip(lower=0).fillna(0))
    for end, sign in (("low", 1), ("high", -1)):
        half = weight * sign * (found["lost_amount"] - found[f"lost_{end}"])
        found[f"square_{end}"] = half.clip(lower=0).fillna(0) ** 2
    by_rep = found.groupby("rep_id")[["amount", "square_low", "square_high"]].sum()
    table.update(by_rep.reindex(reps))
    found["is_firm"] = found["tier"].isin(standout.FIRM)
    first = found.sort_values(["is_firm", "amount"], ascending=False, kind="stable")
    first = first.drop_duplicates("rep_id").set_index("rep_id")
    table["stage"] = first["stage"].astype("str").reindex(reps).fillna("")
    table["is_firm"] = first["is_firm"].reindex(reps, fill_value=False)
    return table


def _gap(team: Team, reps: pd.Index) -> np.ndarray:
    """Points by which a rep's mean score is below the middle, as far as scores are reliable.

    The latest score of each skill by somebody else, against the median of that skill. What the
    means differ by more than the scatter within reps explains is their reliability.
    """
    rows = team.assessments
    rows = rows[(rows["assessor"] != "self") & rows["rep_id"].isin(reps)]
    rows = rows.sort_values(["assessed_on", "score"]).drop_duplicates(
        ["rep_id", "skill"], keep="last"
    )
    off = rows["score"] - rows.groupby("skill")["score"].transform("median")
    by_rep = off.groupby(rows["rep_id"])
    mean, n = by_rep.mean(), by_rep.size()
    if len(mean) < 3:
        return np.zeros(len(reps))
    within, free = (by_rep.var(ddof=0) * n).sum(), (n - 1).sum()
    spread = mean.var()
    noise = within / free * (1 / n).mean() if free else HALF_SURE * spread
    reliability = max(0.0, 1 - noise / spread) if spread > 0 else 0.0
    below = (mean.median() - mean).clip(lower=0) * reliability
    return below.reindex(reps).fillna(0).to_numpy(float)


def _ramp_left(team: Team, reps: pd.Index) -> np.ndarray:
    """How much of the first months is still ahead, 1 on the first day."""
    hired = team.reps.set_index("rep_id")["hired_on"].reindex(reps)
    months = ((team.as_of - hired).dt.days / DAYS_A_MONTH).clip(lower=0)
    return (1 - months / RAMP_MONTHS).clip(lower=0).fillna(0).to_numpy(float)


def _response(team: Team, reps: pd.Index) -> np.ndarray:
    """A little above 1 for those who did what was agreed more often than others, else below."""
    rows = team.coaching
    is_known = rows["commitment"].notna() & (
        rows["due_on"].le(team.as_of) | rows["done_on"].notna()
    )
    rows = rows[is_known & rows["rep_id"].isin(reps)]
    if rows.empty:
        return np.ones(len(reps))
    is_done = rows["done_on"].notna()
    share, by_rep = is_done.mean(), is_done.groupby(rows["rep_id"])
    done = look_up(pd.Series(reps), by_rep.sum()).fillna(0).to_numpy(float)
    n = look_up(pd.Series(reps), by_rep.size()).fillna(0).to_numpy(float)
    return 1 + RESPONSE * ((done + USUAL * share) / (n + USUAL) - share)


def _reasons(leak: pd.DataFrame, skill: np.ndarray, ramp: np.ndarray, least: float) -> pd.Series:
    """A plain word for the largest part of the need, if it is more than `least`."""
    parts = pd.DataFrame({"leak": leak["amount"], "new": ramp, "skills": skill}, index=leak.index)
    largest = parts.columns[parts.to_numpy().argmax(axis=1)] if len(parts) else []
    said = [
        _reason(part, stage, is_firm)
        for part, stage, is_firm in zip(largest, leak["stage"], leak["is_firm"], strict=True)
    ]
    words = pd.Series(said, index=leak.index, dtype="str")
    return words.where(parts.max(axis=1) > least, say(NOTHING))


def _reason(part: str, stage: str, is_firm: bool) -> str:
    if part == "new":
        return say("new")
    if part == "skills":
        return say("skills")
    return (
        say("leak at {stage}", stage=stage)
        if is_firm
        else say("worth watching: {stage}", stage=stage)
    )
