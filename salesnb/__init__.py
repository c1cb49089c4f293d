"""The sales manager's notebooks: load a team, ask it questions, read the answers together."""

from salesnb.errors import DataError
from salesnb.finding import Finding
from salesnb.team import Team, check, load

__version__ = "0.1.0"
__all__ = ["DataError", "Finding", "Team", "check", "load"]
