"""The time of day behind a day, and from the clock of a place to UTC."""

import numpy as np
import pandas as pd

from salesnb.errors import unknown
from salesnb.importers import values
from salesnb.settings import ZONES

CLOCK = (
    r"^(?P<early>d[eu])?\.? ?(?P<hour>\d{1,2})[:h](?P<minute>\d{2})"
    r"(?:[:.](?P<second>\d{2})(?:[.,](?P<part>\d{1,9}))?)? ?(?:(?P<half>[ap])[.]? ?m[.]?)? ?"
    r"(?P<zone>z|utc|gmt|cet|cest|"
    r"(?:utc|gmt)? ?(?P<sign>[+-])(?P<ahead>\d{1,2}):?(?P<more>\d{2})?)?$"
)
HOURS = {"z": 0, "utc": 0, "gmt": 0, "cet": 1, "cest": 2}
HOUR, MINUTE, SECOND = 3_600_000_000, 60_000_000, 1_000_000


def read(text: pd.Series) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Times of day in microseconds, how far their zones are ahead of UTC, and which are wrong.

    ``3:04 PM``, ``du. 3:04``, ``15:04:05.123+02:00`` and the like; a missing time is midnight, a
    zone that is not stated is missing.
    """
    codes, different = pd.factorize(text)
    found = _read(pd.Series(different, dtype="str"))
    time, ahead, is_wrong = (each.reindex(codes).set_axis(text.index) for each in found)
    return time.mask(text.isna(), 0.0), ahead, is_wrong.fillna(False).astype(bool)


def _read(text: pd.Series) -> tuple[pd.Series, pd.Series, pd.Series]:
    parts = values.pieces(text.str.lower(), text.index, CLOCK)
    hour, minute, second = (_number(parts[name]) for name in ("hour", "minute", "second"))
    half = parts["half"].fillna("") + parts["early"].fillna("")
    is_half = half != ""
    is_wrong = text.notna() & parts["hour"].isna() | (hour > 23) | (minute > 59) | (second > 59)
    is_wrong |= is_half & ((hour > 12) | (hour < 1) | (half.str.len() > 2))
    hour = hour.where(~is_half, hour % 12 + 12 * half.isin(["p", "du"]))
    part = _number(parts["part"].str.ljust(9, "0").str[:6])
    time = hour * HOUR + minute * MINUTE + second * SECOND + part
    ahead = _number(parts["ahead"]) * HOUR + _number(parts["more"]) * MINUTE
    is_wrong |= ahead > 14 * HOUR
    ahead = ahead.where(parts["sign"] != "-", -ahead)
    named = parts["zone"].map(HOURS).astype("float64") * HOUR
    return time, ahead.where(parts["sign"].notna(), named), is_wrong


def to_utc(local: pd.Series, zone: str) -> tuple[pd.Series, str]:
    """Times on the clock of a place as UTC, and what was decided where the clock is put on or back.

    Raises `DataError` where there is no such zone.
    """
    if zone not in ZONES:
        raise unknown("time zone", zone, ZONES)
    if zone == "UTC" or not local.notna().any():
        return local, ""
    early, late = (
        local.dt.tz_localize(
            zone, ambiguous=np.full(len(local), first), nonexistent="shift_forward"
        )
        for first in (True, False)
    )
    n_twice = int((early != late).where(local.notna(), False).sum())
    n_never = int((early.dt.tz_localize(None) != local).where(local.notna(), False).sum())
    said = [f"{n_twice:,} that the clock showed twice are the earlier ones"] * bool(n_twice)
    said += [f"{n_never:,} that the clock skipped are moved on"] * bool(n_never)
    return early.dt.tz_convert(None).astype("datetime64[us]"), "; ".join(said)


def to_local(utc: pd.Series, zone: str) -> pd.Series:
    """Times in UTC on the clock of a place."""
    if zone not in ZONES:
        raise unknown("time zone", zone, ZONES)
    return utc.dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None).astype(utc.dtype)


def _number(text: pd.Series) -> pd.Series:
    return pd.to_numeric(text, errors="coerce").fillna(0.0)
