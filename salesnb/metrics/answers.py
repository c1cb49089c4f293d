"""Every metric of a team or of one rep at a glance, and one metric month by month."""

import pandas as pd

from salesnb.finding import Finding
from salesnb.team import Team


def overview(
    team: Team,
    *,
    rep: str | None = None,
    starts_on: str | None = None,
    ends_on: str | None = None,
) -> Finding:
    """How do the numbers stand, for the team and for each rep?"""
    return Finding("No deals yet.", pd.DataFrame())


def trend(
    team: Team, *, metric: str = "win_rate", rep: str | None = None, months: int = 12
) -> Finding:
    """How has one number gone, month by month?"""
    return Finding("No deals yet.", pd.DataFrame())
