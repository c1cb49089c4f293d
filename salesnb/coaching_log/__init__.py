"""What the coaching log tells: who was coached on what, what was agreed, and whether it worked."""

from salesnb.coaching_log.agreed import commitments
from salesnb.coaching_log.causes import readiness
from salesnb.coaching_log.equal import balance
from salesnb.coaching_log.expecting import expected_and_seen
from salesnb.coaching_log.past import history
from salesnb.coaching_log.regular import cadence
from salesnb.coaching_log.starting import staggered_start
from salesnb.coaching_log.working import effect

__all__ = [
    "balance",
    "cadence",
    "commitments",
    "effect",
    "expected_and_seen",
    "history",
    "readiness",
    "staggered_start",
]
