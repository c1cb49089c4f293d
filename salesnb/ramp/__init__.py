"""New hires: how long the ramp takes, who is on track, what to teach first, what it costs."""

from salesnb.ramp.arrival import first_assessment
from salesnb.ramp.curves import curve
from salesnb.ramp.plans import quota_plan
from salesnb.ramp.tasks import checklist
from salesnb.ramp.track import on_track
from salesnb.ramp.worth import cost

__all__ = ["checklist", "cost", "curve", "first_assessment", "on_track", "quota_plan"]
