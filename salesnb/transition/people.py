"""Who is who after a promotion: the manager, if once a rep here, former team-mates, others."""

import pandas as pd

from salesnb.metrics.presence import has_left
from salesnb.team import Team

# An account manager sells; a sales manager leads.
LEADS = r"\b(?:sales|team|regional) (?:manager|lead|leader|director)\b|\bhead of sales\b|vezető"


def manager_of(team: Team, manager: str) -> str:
    """The id of the manager among the reps: as named, else the only one whose role says so.

    Empty where nobody is. Raises `DataError` if `manager` is no rep.
    """
    if manager:
        return team.rep(manager)
    role = team.reps["role"].astype("str").fillna("")
    leads = team.reps.loc[role.str.contains(LEADS, case=False), "rep_id"]
    return str(leads.iloc[0]) if len(leads) == 1 else ""


def reps_of(team: Team, manager: str) -> pd.DataFrame:
    """The reps on the team without the manager, in order of id; with whoever is about to come.

    `is_peer`: the manager's team-mate before the promotion; false where it is not recorded.
    """
    reps = team.reps
    is_led = ~has_left(team) & (reps["rep_id"] != manager)
    reps = reps[is_led].sort_values("rep_id", ignore_index=True)
    return reps.assign(is_peer=reps["was_peer"].fillna(False).astype(bool))
