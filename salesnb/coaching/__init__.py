"""The coach's side of a one-on-one: since last time, the deals to walk through, the questions."""

from salesnb.coaching.asking import questions
from salesnb.coaching.examples import deals_to_discuss
from salesnb.coaching.last_time import since_last_time

__all__ = ["deals_to_discuss", "questions", "since_last_time"]
