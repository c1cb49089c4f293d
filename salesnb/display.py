"""How a finding looks: as text in a terminal, as HTML in a notebook and on a page."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from salesnb.finding import Finding


def text(table: pd.DataFrame, rows: int = 20) -> str:
    """The first rows of a table for a terminal; numbers rounded for reading only."""
    shown = table.head(rows).round(3).to_string(index=False, na_rep="")
    more = len(table) - rows
    return shown + (f"\n... and {more:,} more rows" if more > 0 else "")


def html(finding: Finding, rows: int = 30) -> str:
    """Headline, table and caveats of a finding as HTML."""
    caveats = "".join(f"<li>{escape(caveat)}</li>" for caveat in finding.caveats)
    return (
        f"<p><strong>{escape(finding.headline)}</strong></p>"
        + finding.table.head(rows).to_html(index=False, na_rep="")
        + (f"<ul>{caveats}</ul>" if caveats else "")
    )
