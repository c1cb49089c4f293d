"""New hires: how long the ramp takes, who is on track, what to teach first, what it costs."""

from salesnb.ramp.curves import curve
from salesnb.ramp.plans import quota_plan
from salesnb.ramp.worth import cost

__all__ = ["cost", "curve", "quota_plan"]
