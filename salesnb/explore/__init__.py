"""For JupyterLab: ask again for another rep or period, open the rows, turn a rate."""

from salesnb.explore.listing import Rows, rows
from salesnb.explore.pickers import Asked, ask
from salesnb.explore.sliders import Rates, rates

__all__ = ["Asked", "Rates", "Rows", "ask", "rates", "rows"]
