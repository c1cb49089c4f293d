"""Pay: what a plan pays and why, what another one would cost, and whether it serves the goals."""

from salesnb.comp.compare import compare
from salesnb.comp.design import design
from salesnb.comp.health import health
from salesnb.comp.incentives import incentives
from salesnb.comp.payout import payout

__all__ = ["compare", "design", "health", "incentives", "payout"]
