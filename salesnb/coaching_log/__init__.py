"""What the coaching log tells: who was coached on what, what was agreed, and whether it worked."""

from salesnb.coaching_log.expecting import expected_and_seen
from salesnb.coaching_log.starting import staggered_start
from salesnb.coaching_log.working import effect

__all__ = ["effect", "expected_and_seen", "staggered_start"]
