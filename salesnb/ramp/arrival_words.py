"""What new hires bring, in words."""

import numpy as np
import pandas as pd
from scipy.stats import friedmanchisquare

from salesnb.language import say, says, to_say
from salesnb.metrics.answers import PEERS
from salesnb.team import Team
from salesnb.units import number

CHANCE = 0.05
ABOVE = to_say("Hires score themselves {points} points above their manager on average (n = {n}).")
BELOW = to_say("Hires score themselves {points} points below their manager on average (n = {n}).")


def headline(
    team: Team, held: pd.DataFrame, table: pd.DataFrame, rep: str | None, weeks: int
) -> str:
    """The answer in a sentence or two."""
    if rep is not None:
        return _of_one(team.names[team.rep(rep)], table, weeks)
    rows = table[(table["scope"] == "team") & table["gap"].notna()]
    if rows.empty:
        return say(
            "No hire has a score from the first {weeks} weeks to set beside a target.",
            weeks=number(weeks),
        )
    n = held["rep_id"].nunique()
    first = rows.iloc[0]
    begin = says(
        "{n} hire scored within {weeks} weeks",
        "{n} hires scored within {weeks} weeks",
        n,
        n=number(n),
        weeks=number(weeks),
    )
    if not _p_of_skills(held) <= CHANCE:
        least, most = (number(end, 1) for end in (rows["gap"].min(), rows["gap"].max()))
        return say(
            "{scored}: {least} to {most} points short of ramped colleagues; no skill stands out "
            "from the others beyond chance.",
            scored=begin,
            least=least,
            most=most,
        )
    return say(
        "{scored}, skills differ beyond chance: teach {skill} first, {points} short of ramped "
        "colleagues.",
        scored=begin,
        skill=first["skill"],
        points=_points(first),
    )


def _of_one(name: str, table: pd.DataFrame, weeks: int) -> str:
    known = table.dropna(subset="gap")
    if known.empty:
        return say(
            "{who} has no score from the first {weeks} weeks to set beside a target.",
            who=name,
            weeks=number(weeks),
        )
    first = known.iloc[0]
    if not first["gap_low"] > 0:
        return say("{who}: no skill lies below the target by more than chance.", who=name)
    return say(
        "{who}: the largest gap on arrival is {skill}, {points}.",
        who=name,
        skill=first["skill"],
        points=_points(first),
    )


def _points(row: pd.Series) -> str:
    gap, low, high = (number(row[name], 1) for name in ("gap", "gap_low", "gap_high"))
    if np.isnan(row["gap_low"]):
        return say("{n} points of score", n=gap)
    return say("{n} points ({low} to {high})", n=gap, low=low, high=high)


def ask(table: pd.DataFrame, rep: str | None) -> tuple[str, ...]:
    """Questions for the talk; none where there is nothing to talk about."""
    if table["gap"].isna().all():
        return ()
    if rep is None:
        return (
            say("Who on the team is strong at this and would like to show it to a new colleague?"),
        )
    return (
        say("Which of these skills did you use most where you were before?"),
        say("Where do you see yourself otherwise than I do, and what have I not seen yet?"),
    )


def caveats(
    team: Team, arrived: pd.DataFrame, table: pd.DataFrame, target: float
) -> tuple[str, ...]:
    """What the reader must know before leaning on it."""
    if arrived.empty:
        return ()
    waited = ((arrived["assessed_on"] - arrived["hired_on"]).dt.days / 7).median()
    said = []
    if waited > 8:
        said.append(
            say(
                "The first score came {weeks} weeks after the hire (median): some of the ramp is "
                "in it. Score in the first two weeks to see what people bring.",
                weeks=number(waited),
            )
        )
    off = (arrived["self_score"] - arrived["score"]).dropna()
    if len(off):
        points, n = number(abs(off.mean()), 1), number(len(off))
        words = ABOVE if off.mean() > 0 else BELOW
        said.append(say(words, points=points, n=n))
    if not target and table["target"].isna().any():
        said.append(say("Below {n} colleagues with a score there is no target.", n=number(PEERS)))
    return tuple(said)


def _p_of_skills(held: pd.DataFrame) -> float:
    """How likely chance alone would order the skills so alike in hires (Friedman 1937)."""
    gaps = held.pivot_table(index="rep_id", columns="skill", values="raw").dropna()
    if len(gaps) < 3 or gaps.shape[1] < 3 or gaps.nunique().max() < 2:
        return np.nan
    return float(friedmanchisquare(*gaps.to_numpy().T).pvalue)
