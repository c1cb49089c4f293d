"""The ideal customer profile: who is worth the time, told early from what is known of them."""

from salesnb.icp.drift import drift
from salesnb.icp.focus import focus
from salesnb.icp.hindsight import backtest
from salesnb.icp.kinds import segments
from salesnb.icp.profile import profile
from salesnb.icp.rank import scores

__all__ = ["backtest", "drift", "focus", "profile", "scores", "segments"]
