"""Cells as typed values: what counts as text, number, time or flag, and what a bad one meant."""

import re
from datetime import date, timedelta

import numpy as np
import pandas as pd
from pandas.api import types

from salesnb.errors import DataError

FLAGS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
FIRST = 10_000  # values that tell whether a column repeats itself
EARLIEST, LATEST = pd.Timestamp("1900-01-01"), pd.Timestamp("2100-12-31T23:59:59.999999")
ISO = r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?)?"
# What databases and spreadsheets write where there is nothing, or a formula went wrong; a formula;
# the character that ends a text for programs in C.
NO_VALUE = r"NULL|null|NaN|nan|\\N|<NA>|#N/A|#REF!|#VALUE!|#NAME\?|#DIV/0!|#NUM!"
NO_TEXT = rf"\A(?:{NO_VALUE})$|\A=[A-Za-z.]+\(|\x00"


def day(written: str | date, what: str) -> pd.Timestamp:
    """A day from 1900 to 2100, given as ``2026-06-30`` or as a date.

    Raises `DataError` that names `what` was given otherwise: "June" would be a day of this year.
    """
    text = str(written).strip()
    found = convert(pd.Series([text], dtype="str"), "time", is_day=True).iloc[0]
    if pd.isna(found):
        raise DataError(f"{what}: found {text!r}, expected {expected('time', True, text)}.")
    return found


def is_text(values: pd.Series) -> bool:
    """Whether a column holds text, or Python objects that may be text."""
    return types.is_object_dtype(values.dtype) or types.is_string_dtype(values.dtype)


def blank_to_na(values: pd.Series) -> pd.Series:
    """Cells of nothing but white space as missing."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    if not is_text(values):
        return values
    return without(values, values.astype("str").str.strip() == "")


def without(values: pd.Series, goes: pd.Series) -> pd.Series:
    """The values with some missing; the same in memory where that is none."""
    return values.mask(goes) if goes.any() else values


def kept(new: pd.Series, old: pd.Series) -> pd.Series:
    """The new values; where they are the old ones these, which take no memory."""
    return old if new.equals(old) else new


def composed(text: pd.Series) -> pd.Series:
    """Text with accents as one character each: a Mac writes ``Ő`` as two, which looks the same."""
    if text.dropna().str.isascii().all():
        return text
    return kept(text.str.normalize("NFC"), text)


def convert(values: pd.Series, kind: str, is_day: bool = False) -> pd.Series:
    """Values as ``text``, ``number``, ``time`` or ``flag``; one that is none becomes missing."""
    if _repeats(values):  # each different value is read once
        code, different = pd.factorize(values)
        once = pd.Series(different)
        found = _converted(once, kind, is_day)
        if found.equals(once):
            return values
        return found.reindex(code).set_axis(values.index)
    return _converted(values, kind, is_day)


def _repeats(values: pd.Series) -> bool:
    """Whether a long column of text seems to say the same things again and again."""
    first = values.head(FIRST)
    return len(first) == FIRST and values.dtype == "str" and 2 * first.nunique() < FIRST


def _converted(values: pd.Series, kind: str, is_day: bool) -> pd.Series:
    if kind == "text":
        return _text(values)
    if kind == "number":
        return _number(values)
    if kind == "flag":
        words = values.map(lambda v: FLAGS.get(str(v).strip().casefold()), na_action="ignore")
        return words.astype("boolean")
    return _time(values, is_day)


def trait(values: pd.Series) -> pd.Series:
    """A column beyond the schema: numbers where every value is one, else text."""
    if types.is_datetime64_any_dtype(values.dtype):
        return _time(values, is_day=False)
    numbers = _number(values)
    return numbers if numbers.notna().equals(values.notna()) else _text(values)


def expected(kind: str, is_day: bool, value: str) -> str:
    """What should stand in a cell where `value` was found."""
    if kind == "text":
        is_formula = value.startswith("=")
        return "a value, not a formula" if is_formula else "text, or an empty cell for unknown"
    if kind == "time":
        example = "a day such as 2026-06-30" if is_day else "a time such as 2026-06-30T09:15:00Z"
        return f"{example}, from 1900 to 2100"
    return "a plain number such as 1234.5" if kind == "number" else "true or false"


def meant(kind: str, value: str) -> str:
    """What a badly written cell probably meant, empty where it could be read in two ways.

    >>> meant("time", "31.12.2025"), meant("number", "1 234,50 Ft"), meant("time", "04/05/2026")
    ('2025-12-31', '1234.50', '')
    """
    readings = {"time": _meant_day, "number": _meant_number}
    return readings[kind](value.strip()) if kind in readings else ""


def _text(values: pd.Series) -> pd.Series:
    if types.is_float_dtype(values.dtype):
        known = values.dropna()
        if ((known % 1 == 0) & (known.abs() < 2**53)).all():
            values = values.astype("Int64")
    is_text = values.dtype == pd.StringDtype(na_value=np.nan)
    text = composed(values if is_text else values.astype("str").where(values.notna()))
    return without(text, text.str.contains(NO_TEXT).fillna(False).astype(bool))


def _number(values: pd.Series) -> pd.Series:
    if not (is_text(values) or types.is_numeric_dtype(values.dtype)) or types.is_bool_dtype(values):
        # A time or a flag would silently turn into a count of nanoseconds, or into 1 and 0.
        return pd.Series(float("nan"), index=values.index, dtype="float64")
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    return numbers.where(numbers.abs() != float("inf"))


def _time(values: pd.Series, is_day: bool) -> pd.Series:
    if not types.is_datetime64_any_dtype(values.dtype):
        text = values.astype("str").str.strip()
        # Without the pattern "now", "2026" and 45123 would be times too.
        values = text.where(text.str.fullmatch(ISO).fillna(False).astype(bool))
        # A day is the day as written, whatever the hour and zone behind it.
        values = values.str[:10] if is_day else values
    times = pd.to_datetime(values, errors="coerce", utc=True, format="ISO8601")
    times = times.dt.tz_localize(None).astype("datetime64[us]")
    times = times.where(times.between(EARLIEST, LATEST))
    return times.dt.normalize() if is_day else times


def _meant_number(value: str) -> str:
    bare = re.fullmatch(r"[^\d.,+-]*([+-]?\d[\d\s.,']*)\s*[^\d%)]*", value)
    if not bare:
        return ""
    digits = re.sub(r"[\s']", "", bare[1])
    marks = re.findall(r"[.,]", digits)
    if len(set(marks)) == 2:
        decimal = marks[-1]
        return "" if marks.count(decimal) > 1 else _plain(digits, decimal)
    if len(marks) == 1 and not re.search(r"[.,]\d{3}$", digits):
        return _plain(digits, marks[0])
    return _plain(digits, "") if len(marks) != 1 else ""


def _plain(digits: str, decimal: str) -> str:
    whole, _, part = digits.partition(decimal) if decimal else (digits, "", "")
    whole = re.sub(r"[.,]", "", whole)
    return f"{whole}.{part}" if part else whole


def _meant_day(value: str) -> str:
    if re.fullmatch(r"[2-7]\d{4}(\.\d*)?", value):  # a serial number of Excel, 1954 to 2119
        return str(date(1899, 12, 30) + timedelta(days=int(float(value))))
    found = re.match(r"(\d{1,4})[./ -]+(\d{1,2})[./ -]+(\d{1,4})\b", value)
    first, second, third = (int(part) for part in found.groups()) if found else (0, 0, 0)
    if first > 31:
        return _day(first, second, third)
    readings = {_day(third, second, first), _day(third, first, second)} - {""}
    return readings.pop() if len(readings) == 1 else ""


def _day(year: int, month: int, day: int) -> str:
    try:
        return str(date(year, month, day)) if EARLIEST.year <= year <= LATEST.year else ""
    except ValueError:
        return ""
