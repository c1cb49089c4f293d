"""What one written day says: year, month and day, or two numbers that may be either."""

import re
from dataclasses import dataclass
from functools import cache

from babel import Locale

LANGUAGES = ("en", "hu", "de", "fr", "es")
# What stands around the parts of a day: 4 de marzo de 2026, 1er mars, 4th of March.
FILLERS = {"de", "del", "of", "the", "le", "el", "st", "nd", "rd", "th", "er", "ᵉʳ", "º"}
BETWEEN = r"[\s.,/\-]*"
PIVOT = 70  # two-digit years from here on are of the last century, as in POSIX


@dataclass(frozen=True)
class Written:
    """A day in its parts. Where `is_open`, `day` and `month` are just the first and second number.

    `has_points` tells that points stand between them.
    """

    year: int
    month: int
    day: int
    is_open: bool = False
    has_points: bool = False


def read(text: str) -> Written | None:
    """The parts of a written day, or nothing where it is none.

    >>> read("2026. 03. 04.")
    Written(year=2026, month=3, day=4, is_open=False, has_points=False)
    >>> read("4 de marzo de 2026") == read("Wed, March 4th, 2026") == read("2026-3-4")
    True
    >>> read("03/04/26")
    Written(year=2026, month=4, day=3, is_open=True, has_points=False)
    """
    words = re.findall(r"\d+|[^\W\d_]+|º", text.casefold())
    left = re.sub(rf"\d+|[^\W\d_]+|º|{BETWEEN}", "", text.casefold())
    if left or len(words) > 8:
        return None
    numbers = [word for word in words if word.isascii() and word.isdigit()]
    names = [word for word in words if not word.isdigit() and word not in FILLERS]
    if sum(name in _months() for name in names) > 1:  # in French mar. is a Tuesday too
        names = [name for name in names if name not in _weekdays()]
    months = [_months()[name] for name in names if name in _months()]
    if any(name not in _months() and name not in _weekdays() for name in names):
        return None
    if len(months) == 1 and len(numbers) == 2:
        return _named(numbers, months[0])
    if months or names or len(numbers) != 3 or max(map(len, numbers)) > 4:
        return None
    return _numbered(numbers, "." in text)


def _named(numbers: list[str], month: int) -> Written | None:
    first, second = numbers
    if len(first) == 4 and len(second) <= 2:
        return Written(int(first), month, int(second))
    if len(first) <= 2 and len(second) in (2, 4):
        return Written(_year(second), month, int(first))
    return None


def _numbered(numbers: list[str], has_points: bool) -> Written | None:
    first, second, third = numbers
    if len(first) == 4 and len(second) <= 2 and len(third) <= 2:
        return Written(int(first), int(second), int(third))
    if len(first) <= 2 and len(second) <= 2 and len(third) in (2, 4):
        return Written(_year(third), int(second), int(first), True, has_points)
    return None


def _year(text: str) -> int:
    year = int(text)
    return year if len(text) == 4 else year + (1900 if year >= PIVOT else 2000)


@cache
def _months() -> dict[str, int]:
    """Names of months, long and short, without points; none means two months in two languages."""
    return {
        name.casefold().strip("."): number
        for language in LANGUAGES
        for kind in ("format", "stand-alone")
        for width in ("wide", "abbreviated")
        for number, name in Locale.parse(language).months[kind][width].items()
    } | {"sept": 9, "set": 9, "mrz": 3}


@cache
def _weekdays() -> set[str]:
    return {
        name.casefold().strip(".")
        for language in LANGUAGES
        for width in ("wide", "abbreviated", "short")
        for name in Locale.parse(language).days["format"][width].values()
    }
