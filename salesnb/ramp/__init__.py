"""New hires: how long the ramp takes, who is on track, what to teach first, what it costs."""

from salesnb.ramp.curves import curve

__all__ = ["curve"]
