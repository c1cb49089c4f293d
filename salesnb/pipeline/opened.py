"""Open deals as the findings list and count them."""

import numpy as np
import pandas as pd

from salesnb import stats
from salesnb.history import look_up
from salesnb.language import say
from salesnb.metrics import answers
from salesnb.metrics.ledger import ledger
from salesnb.metrics.view import View
from salesnb.team import Team
from salesnb.units import money, number, percent, span


def rep_ids(team: Team, rep: str | None) -> list[str]:
    """Everybody, or the one rep given by id or name."""
    return sorted(team.reps["rep_id"]) if rep is None else [team.rep(rep)]


def now(team: Team, rep: str | None) -> View:
    """The open deals of everybody together, or of one rep, as `view.open`."""
    return answers.together(ledger(team), rep_ids(team, rep), team.as_of, team.as_of)


def stages(view: View, deals: pd.DataFrame) -> pd.Series:
    """The stage of open deals, blank where it is not known."""
    if not view.team.has("stage_changes"):
        return pd.Series(np.nan, index=deals.index, dtype="str")
    seen = view.ledger.visits
    found = seen[seen["outcome"] == "open"].set_index("deal_id")["stage"].astype("str")
    return look_up(deals["deal_id"], found)


def largest(deals: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Largest amount first, those without one last; ties by id."""
    order = deals.sort_values(["amount", "deal_id"], ascending=[False, True])
    return order[columns].reset_index(drop=True)


def worth(deals: pd.DataFrame, currency: str) -> str:
    """Their amount in words, empty where there is none."""
    total = deals["amount"].sum()
    if not total > 0:
        return ""
    return ", " + say("worth {amount}", amount=money(total, currency))


def share(n: int, of: int) -> str:
    """A count with its share and interval: ``12 of 30 open deals (40%, 27%-55%)``."""
    found = stats.rates(np.array([n]), np.array([of])).iloc[0]
    ends = span(found["value_low"], found["value_high"], percent)
    return say(
        "{n} of {of} open deals ({share}, {ends})",
        n=number(n),
        of=number(of),
        share=percent(found.value),
        ends=ends,
    )
