"""One rep at a glance: what goes well, one thing to work on, the numbers and where they go."""

from salesnb.scorecard.profile import flags, profile, team_view
from salesnb.scorecard.stages import strengths, work_on
from salesnb.scorecard.trend import trend

__all__ = ["flags", "profile", "strengths", "team_view", "trend", "work_on"]
