"""What stands still where nothing can be moved: on a page, in a notebook without a kernel."""

from html import escape
from typing import Any

import ipywidgets

from salesnb import display, markup


class Still(ipywidgets.VBox):
    """Widgets that are also shown as plain HTML, for whatever knows no widgets."""

    def still(self) -> str:
        """The widgets as they stand, as HTML."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle = super()._repr_mimebundle_(**options)
        data, *rest = bundle if isinstance(bundle, tuple) else (bundle,)
        shown = {**(data or {}), "text/html": self.still()}
        return (shown, *rest) if rest else shown


def answer() -> ipywidgets.HTML:
    """Where a finding is shown: it looks as it does below any other cell."""
    shown = ipywidgets.HTML()
    shown.add_class("jp-RenderedHTMLCommon")
    return shown


def table(said: str, found: display.Shown, *, is_folded: bool = False) -> str:
    """A sentence and a table as HTML; folded, the table is seen once the sentence is clicked."""
    rows = markup.table_html(found)
    words = f"<p>{escape(said)}</p>{rows}"
    if is_folded:
        words = f"<details><summary>{escape(said)}</summary>{rows}</details>"
    return f'<div class="finding mathjax_ignore">{words}</div>'
