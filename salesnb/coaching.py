"""The coach's side of a one-on-one: since last time, the deals to walk through, the questions."""

import pandas as pd

from salesnb.finding import Finding
from salesnb.team import Team

QUESTIONS = ["step", "topic", "question", "deal_id", "listen_for"]
DEALS = ["deal_id", "account", "product", "amount", "stage", "outcome", "days", "shows"]
SESSIONS = ["held_on", "kind", "topic", "strength", "commitment", "due_on", "done_on", "status"]
SESSIONS += ["then_rate", "then_low", "then_high", "n_then"]
SESSIONS += ["now_rate", "now_low", "now_high", "n_now"]


def questions(team: Team, rep: str, *, listen_for: bool = True) -> Finding:
    """What to ask this rep: open questions in GROW order, drawn from the rep's own deals."""
    columns = QUESTIONS if listen_for else QUESTIONS[:-1]
    return Finding(f"Nothing to ask {team.rep(rep)} yet.", pd.DataFrame(columns=columns))


def deals_to_discuss(team: Team, rep: str) -> Finding:
    """Which three deals are worth walking through with this rep?"""
    return Finding(f"No deals of {team.rep(rep)} yet.", pd.DataFrame(columns=DEALS))


def since_last_time(team: Team, rep: str, *, sessions: int = 3) -> Finding:
    """What was agreed in the last sessions, what came of it, and the number then and now."""
    team.need("coaching", why="looking back at the last session")
    return Finding(f"No session with {team.rep(rep)} yet.", pd.DataFrame(columns=SESSIONS))
