"""Ongoing training: who lacks what, which course for whom, and whether courses work."""

from salesnb.training.decay import decay
from salesnb.training.effect import effect
from salesnb.training.gaps import gaps
from salesnb.training.next_step import next_for
from salesnb.training.offer import offer_gaps
from salesnb.training.plan import plan

__all__ = ["decay", "effect", "gaps", "next_for", "offer_gaps", "plan"]
