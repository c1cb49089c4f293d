"""The metric register: every number of the suite has its one definition here.

`overview` shows all of them, `trend` one of them month by month, `glossary` what they mean.
"""

from salesnb.metrics.answers import overview, trend

__all__ = ["overview", "trend"]
