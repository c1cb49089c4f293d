"""Pay: what a plan pays and why, what another one would cost, and whether it serves the goals."""

from salesnb.comp.payout import payout

__all__ = ["payout"]
