"""The pipeline: what is open and how it stands, what will come of it, and who should hear of it."""

from salesnb.pipeline.ahead import dry_date, early_warning
from salesnb.pipeline.cover import coverage
from salesnb.pipeline.idle import stalled, untouched
from salesnb.pipeline.movement import velocity, waterfall
from salesnb.pipeline.odds import forecast
from salesnb.pipeline.upkeep import hygiene, slipping
from salesnb.pipeline.week import week
from salesnb.pipeline.week_ahead import week_ahead

__all__ = ["coverage", "dry_date", "early_warning", "forecast", "hygiene", "slipping", "stalled"]
__all__ += ["untouched", "velocity", "waterfall", "week", "week_ahead"]
