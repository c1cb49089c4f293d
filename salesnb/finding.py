"""An answer: one sentence, the table behind it, a picture, and the questions it opens."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import pandas as pd
from babel.numbers import format_currency, format_decimal, format_percent
from matplotlib.axes import Axes

from salesnb import charts, display

LOCALE = "en"


@dataclass(frozen=True, eq=False)
class Finding:
    """What a verb answers.

    headline : one sentence; names a person or a stage only where the evidence does
    table : the numbers behind it, unformatted
    draw : draws the picture into the Axes it is given
    ask : open questions for the conversation
    caveats : what the reader must know before leaning on it
    currency : ISO code of the amounts in `table`
    """

    headline: str
    table: pd.DataFrame
    draw: Callable[[Axes], Any] | None = None
    ask: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    currency: str = ""

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the picture into `ax`, or into a new figure, and return the Axes."""
        if ax is None:
            ax = charts.new_axes()
        with mpl.rc_context(charts.STYLE):
            (self.draw or charts.nothing_to_draw)(ax)
        return ax

    def __str__(self) -> str:
        lines = [self.headline]
        if len(self.table):
            lines += ["", display.text(self.table)]
        lines += [f"Ask: {question}" for question in self.ask]
        lines += [f"Note: {caveat}" for caveat in self.caveats]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return display.html(self)


def money(amount: float, currency: str) -> str:
    """An amount in words for a headline: ``money(12345.6, "EUR")`` is ``"€12,300"``.

    Rounded to three significant digits: a headline should not claim more than it knows.
    """
    if pd.isna(amount):
        return "unknown"
    digits = max(0, len(str(int(abs(amount)))) - 3)
    rounded = round(amount, -digits) if abs(amount) >= 1 else 0
    return format_currency(rounded, currency, format="¤#,##0", locale=LOCALE, currency_digits=False)


def percent(rate: float, digits: int = 0) -> str:
    """A rate in words: ``percent(0.423)`` is ``"42%"``; a missing one is ``"unknown"``."""
    if pd.isna(rate):
        return "unknown"
    pattern = "#,##0%" if digits == 0 else "#,##0." + "0" * digits + "%"
    return format_percent(rate, format=pattern, locale=LOCALE)


def number(value: float, digits: int = 0) -> str:
    """A plain number in words: ``number(1234.5)`` is ``"1,234"``."""
    if pd.isna(value):
        return "unknown"
    return format_decimal(round(value, digits), locale=LOCALE)


def span(low: float, high: float, say: Callable[[float], str] = number) -> str:
    """An interval in words: ``span(0.31, 0.55, percent)`` is ``"31%-55%"``."""
    return f"{say(low)}-{say(high)}"
