"""Why a product is different: on record, up to date, and told by everybody alike."""

from salesnb.differentiators.alike import consistency
from salesnb.differentiators.cards import card
from salesnb.differentiators.instead import said_instead
from salesnb.differentiators.quizzes import quiz
from salesnb.differentiators.upkeep import coverage, stale
from salesnb.differentiators.winning import association

__all__ = ["association", "card", "consistency", "coverage", "quiz", "said_instead", "stale"]
