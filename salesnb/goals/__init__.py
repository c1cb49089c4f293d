"""Goals: what the company wants sold, against what the team sells, works on and is paid for."""

from salesnb.goals.alignment import alignment
from salesnb.goals.attainment import attainment
from salesnb.goals.brief import brief

__all__ = ["alignment", "attainment", "brief"]
