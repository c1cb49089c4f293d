"""Ongoing training: who lacks what, which course for whom, and whether courses work."""

from salesnb.training.decay import decay
from salesnb.training.effect import effect
from salesnb.training.gaps import gaps

__all__ = ["decay", "effect", "gaps"]
