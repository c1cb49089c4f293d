"""Sales teams with planted truth: every table of the schema, and beside them what is so."""

from salesnb.simulation.team import simulate
from salesnb.simulation.truth import Truth

__all__ = ["Truth", "simulate"]
