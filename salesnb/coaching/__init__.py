"""Coaching: the coach's side of a one-on-one, and the plan of a month, a visit and a programme."""

from salesnb.coaching.asking import questions
from salesnb.coaching.examples import deals_to_discuss
from salesnb.coaching.last_time import since_last_time
from salesnb.coaching.month import time_plan
from salesnb.coaching.riding import ride_alongs
from salesnb.coaching.watching import observation
from salesnb.coaching.weeks import programme

__all__ = [
    "deals_to_discuss",
    "observation",
    "programme",
    "questions",
    "ride_alongs",
    "since_last_time",
    "time_plan",
]
