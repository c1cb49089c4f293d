"""Which rep stands out at which stage, as far as chance, deal mix and open deals allow.

Knows no team: a table of stage visits in, a table of cells (rep x stage) out.

1. `fit`: how likely each visit is to advance, given what was known of the deal, with a shift for
   every rep x stage; visits still open count for what their age says (Larson and Dinse 1985).
2. `shrink`: what a cell's shift is, given what it shows and how all cells lie (Stephens 2017).
3. `cells` and `slowness`: the two tables. `open_odds`: how likely each open deal is to be won.
"""

from salesnb.stage_model.cells import cells
from salesnb.stage_model.fit import StageFit, fit
from salesnb.stage_model.odds import open_odds
from salesnb.stage_model.shrink import Posterior, shrink, tiers
from salesnb.stage_model.slowness import slowness

__all__ = ["Posterior", "StageFit", "cells", "fit", "open_odds", "shrink", "slowness", "tiers"]
