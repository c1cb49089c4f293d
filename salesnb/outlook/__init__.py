"""The weeks ahead, from meetings through deals to wins, and when the pipeline runs dry.

`book` holds the deals; `inflow` says how many come in, `paths` what becomes of them, `needs` how
much open pipeline a quota asks for; `draws` puts them together many times over; `hindsight` holds
earlier outlooks against what came; `dry` is the answer as a table, `telling` in words.
"""

from salesnb.outlook.dry import dry, empty, why_not
from salesnb.outlook.telling import NO_QUOTA, Telling

__all__ = ["NO_QUOTA", "Telling", "dry", "empty", "why_not"]
