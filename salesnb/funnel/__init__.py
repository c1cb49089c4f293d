"""Where deals stop, who loses them where, how long they take and how old the open ones are."""

from salesnb.funnel.flow import conversion
from salesnb.funnel.leaking import leaks
from salesnb.funnel.pace import slow_stages
from salesnb.funnel.timing import calendar, open_age

__all__ = ["calendar", "conversion", "leaks", "open_age", "slow_stages"]
