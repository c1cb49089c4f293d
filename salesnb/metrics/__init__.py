"""The metric register: every number of the suite has its one definition here.

`overview` shows all of them, `trend` one of them month by month, `glossary` what they mean.
Each metric is a function of a `view.View`; its docstring is the definition that pages print.
"""

from salesnb.metrics.bundles import attach
from salesnb.metrics.closeups import velocity, win_curve
from salesnb.metrics.looks import overview
from salesnb.metrics.months import trend
from salesnb.metrics.register import find, glossary

__all__ = ["attach", "find", "glossary", "overview", "trend", "velocity", "win_curve"]
