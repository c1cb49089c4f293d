"""How figures are written: in a headline by hand, in a table by what the column's name says."""

from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd
from babel.dates import format_date
from babel.numbers import format_compact_decimal, format_currency, format_decimal, format_percent
from pandas.api import types

from salesnb.language import locale, say

SPANS = ("days", "weeks", "months", "hours", "minutes")
MONEY = ("amount", "price", "revenue", "cost", "pay")
ENDS = {"rate": "rate", "share": "rate", "on": "day", "at": "time", "year": "year", "id": "text"}
ENDS |= {"week": "day", "since": "day"}
TO_THE_CENT = {"paid_amount"}  # what people are paid adds up
POINTS = {"effect", "naive_change"}  # differences of rates
ENDS |= dict.fromkeys(MONEY, "money") | dict.fromkeys(SPANS, "span")

# Columns whose name is the analyst's word and not the manager's.
LABELS = {"benchmark": "Typical rep", "typical_rate": "Typical rep", "is_apart": "Differs"}
LABELS |= {"lost_amount": "Lost amount, in all", "n_won": "Deals won"}
LABELS |= {"dry_on": "Dry from"}  # there is an is_dry too
LABELS |= {"effect": "Effect, points", "naive_change": "Naive change, points"}
# What the column `unit` of a table with one metric per row says.
OF_ROWS = {
    "rate": "rate",
    "percent": "rate",
    "amount": "money",
    "count": "number",
    "days": "span",
    "months": "span",
}


def money(amount: float, currency: str) -> str:
    """An amount in words for a headline: ``money(12345.6, "EUR")`` is ``"€12,300"``.

    Rounded to three significant digits: a headline should not claim more than it knows.
    """
    return say("unknown") if pd.isna(amount) else amount_in(rounded(amount), currency)


def rounded(amount: float) -> float:
    """An amount to three significant digits, whole units at the finest."""
    if pd.isna(amount):
        return amount
    digits = max(0, len(str(int(abs(amount)))) - 3)
    return round(amount, -digits) if abs(amount) >= 1 else 0


def amount_in(amount: float, currency: str) -> str:
    """An amount to the unit: ``amount_in(12345.6, "EUR")`` is ``"€12,346"``."""
    pattern = locale().currency_formats["standard"].pattern.replace("0.00", "0")
    return format_currency(amount, currency, pattern, locale=locale(), currency_digits=False)


def to_the_cent(amount: float, currency: str) -> str:
    """An amount as it is paid: ``to_the_cent(12345.6, "EUR")`` is ``"€12,345.60"``."""
    return format_currency(amount, currency, locale=locale())


def percent(rate: float, digits: int = 0) -> str:
    """A rate in words: ``percent(0.423)`` is ``"42%"``; a missing one is ``"unknown"``."""
    if pd.isna(rate):
        return say("unknown")
    pattern = "#,##0%" if digits == 0 else "#,##0." + "0" * digits + "%"
    return format_percent(rate, format=pattern, locale=locale())


def number(value: float, digits: int = 0) -> str:
    """A plain number in words: ``number(1234.5)`` is ``"1,234"``."""
    if pd.isna(value):
        return say("unknown")
    return format_decimal(round(value, digits), locale=locale())


def short(value: float, digits: int = 2) -> str:
    """A number where there is little room: ``short(12_500)`` is ``"12.5K"``."""
    return format_compact_decimal(value, locale=locale(), fraction_digits=digits)


def day(when: pd.Timestamp) -> str:
    """A day in words: ``day(pd.Timestamp("2026-07-06"))`` is ``"6 July 2026"``."""
    return format_date(when, say("d MMMM y"), locale=locale())


def month(when: pd.Timestamp) -> str:
    """A month in words: ``month(pd.Timestamp("2026-07-06"))`` is ``"Jul 2026"``."""
    return format_date(when, say("MMM y"), locale=locale())


def whole_month(when: pd.Timestamp) -> str:
    """A month in a sentence: ``whole_month(pd.Timestamp("2026-07-06"))`` is ``"July 2026"``."""
    return format_date(when, say("MMMM y"), locale=locale())


def span(low: float, high: float, written: Callable[[float], str] = number) -> str:
    """An interval in words: ``span(0.31, 0.55, percent)`` is ``"31%–55%"``."""
    return between(written(low), written(high))


def between(low: str, high: str) -> str:
    """What lies between two ends: ``"31–55"``, but ``"-2 to 3"`` where one is below nought."""
    if "-" in low + high:
        return say("{low} to {high}", low=low, high=high)
    return f"{low}–{high}"


def listed(words: Iterable[str]) -> str:
    """Words in a sentence: ``listed(["A", "B", "C"])`` is ``"A, B and C"``; empty without any."""
    *most, last = [*words] or [""]
    return say("{others} and {last}", others=", ".join(most), last=last) if most else last


def capital(sentence: str) -> str:
    """A sentence with a capital at its beginning; the rest as it was."""
    return sentence[:1].upper() + sentence[1:]


def of(column: str, values: pd.Series) -> str:
    """The unit of a column: its name says it, else its type.

    One of ``rate points money cents span count day time year flag number text``.
    """
    words = column.split("_")
    if column in TO_THE_CENT:
        return "cents"
    if column in POINTS:
        return "points"
    if words[0] == "n":
        return "count"
    if words[0] == "share":
        return "rate"
    if words[-1] in ENDS:
        return ENDS[words[-1]]
    if types.is_bool_dtype(values.dtype):
        return "flag"
    if types.is_datetime64_any_dtype(values.dtype):
        return "time"
    if types.is_numeric_dtype(values.dtype):
        return "number"
    return "text"


def label(column: str) -> str:
    """A column's name for people: ``"age_days"`` is ``"Age, days"``, ``"win_rate"`` "Win rate"."""
    return say(_in_english(column))


def _in_english(column: str) -> str:
    if column in LABELS:
        return LABELS[column]
    words = column.split("_")
    if words[0] == "n":
        return " ".join(["n", *words[1:]])
    if len(words) > 1 and words[-1] in SPANS and not words[-2].isdigit():
        words = [*words[:-2], words[-2] + ",", words[-1]]
    elif len(words) > 1 and words[-1] in ("on", "at", "id"):
        words = words[:-1]
    elif words[0] == "is":
        words = words[1:]
    return capital(" ".join(words))


def writer(unit: str, values: pd.Series, currency: str = "") -> Callable[[Any], str]:
    """What writes one value of a column; blanks stay blank, digits suit the largest value."""
    digits = _digits(unit, values)
    writers: dict[str, Callable[[Any], str]] = {
        "rate": lambda value: percent(value, digits),
        "points": lambda value: number(round(100 * value)),
        "money": lambda value: amount_in(value, currency) if currency else number(value),
        "cents": lambda value: to_the_cent(value, currency) if currency else number(value, 2),
        "span": lambda value: fixed(value, digits),
        "count": lambda value: fixed(value, digits),
        "number": lambda value: fixed(value, digits),
        "day": lambda value: value.strftime("%Y-%m-%d"),
        "time": lambda value: value.strftime("%Y-%m-%d %H:%M"),
        "flag": lambda value: say("yes") if value else say("no"),
        "year": lambda value: f"{value:.0f}",
    }
    write = writers.get(unit, str)
    return lambda value: "" if pd.isna(value) else write(value)


def end_writer(unit: str, values: pd.Series) -> Callable[[Any], str]:
    """What writes the ends of an interval beside a value: its digits without its sign."""
    if unit not in ("rate", "money"):
        return writer(unit, values)
    digits, scale = _digits(unit, values), 100 if unit == "rate" else 1
    return lambda value: "" if pd.isna(value) else fixed(value * scale, digits)


def _digits(unit: str, values: pd.Series) -> int:
    if not types.is_numeric_dtype(values.dtype) or values.isna().all():
        return 0
    largest = float(values.abs().max())
    if unit == "rate":
        return 0 if largest >= 0.1 else 1
    if (values.dropna() % 1 == 0).all():
        return 0
    enough = {"span": 1, "number": 2}.get(unit, 0)
    return 0 if largest >= 100 else min(enough, 1 if largest >= 10 else 2)


def fixed(value: float, digits: int) -> str:
    """A number to so many digits: ``fixed(1.0, 1)`` is ``"1.0"``."""
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    # Adding nothing makes a nought that was a little less than nothing a plain one.
    return format_decimal(round(value, digits) + 0.0, format=pattern, locale=locale())
