"""Why a product is different: on record, up to date, and told by everybody alike."""

from salesnb.differentiators.alike import consistency
from salesnb.differentiators.instead import said_instead
from salesnb.differentiators.upkeep import coverage, stale

__all__ = ["consistency", "coverage", "said_instead", "stale"]
