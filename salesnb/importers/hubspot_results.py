"""What came of HubSpot's meetings and calls."""

import pandas as pd

from salesnb.importers import values, vendor
from salesnb.importers.source import Source
from salesnb.importers.vendor import Made

VENDOR = "hubspot"
CALL_LONG = 10_000  # ten seconds in milliseconds; in seconds, nearly three hours
CLOCK = r"^\d{1,2}:[0-5]\d:[0-5]\d$"
NOT_HELD = ("no_show", "cancelled", "rescheduled")


def of_meetings(
    made: Made, meetings: Source, starts: pd.Series, now: pd.Timestamp | None
) -> dict[str, pd.Series]:
    """When meetings were booked, what came of them, how long they took.

    Held are those that are called so. HubSpot books a meeting as scheduled and leaves it so until
    somebody says otherwise: where nobody ever calls one held, those that are past count as held.
    """
    said = vendor.meant(meetings.text("hs_meeting_outcome"), vendor.words(VENDOR, "outcomes"))
    is_past = pd.Series(False, starts.index) if now is None else starts < now
    is_open = is_past & ~said.isin(["held", *NOT_HELD])
    outcome = said.where(said.isin(["held", *NOT_HELD]))
    n, origin = int(is_open.sum()), meetings.table.origin
    if n and (said == "held").any():
        made.said.append(
            f"{origin}: past meetings of which nobody said what came of them: {n:,}; they count "
            "neither as held nor as missed"
        )
    elif n:
        made.said.append(
            f"{origin}: no meeting is called completed, so past ones that nothing says otherwise "
            f"of count as held: {n:,}"
        )
        outcome = outcome.mask(is_open, "held")
    ends = meetings.time("hs_meeting_end_time")
    return {
        "booked_at": meetings.time("hs_createdate"),
        "outcome": outcome,
        "minutes": (ends - starts).dt.total_seconds() / 60,
    }


def of_calls(made: Made, calls: Source) -> dict[str, pd.Series]:
    """Whether anybody answered, by the outcome of a call, else by its status; and its minutes."""
    told = vendor.meant(calls.text("hs_call_disposition"), vendor.words(VENDOR, "outcomes"))
    status = vendor.meant(calls.text("hs_call_status"), vendor.words(VENDOR, "calls"))
    told = told.where(told.isin(["connected", "no_answer"]))
    outcome = told.fillna(status.where(status.isin(["no_answer", "cancelled"])))
    return {"outcome": outcome, "minutes": _minutes(made, calls)}


def _minutes(made: Made, calls: Source) -> pd.Series:
    """Durations are milliseconds, in older exports seconds; the longer calls tell which.

    The user interface may write them as ``00:02:30``.
    """
    text = calls.text("hs_call_duration")
    if text.notna().any() and values.matches(text.dropna(), CLOCK).all():
        return pd.to_timedelta(text).dt.total_seconds() / 60
    duration = calls.number("hs_call_duration")
    if not (duration > 0).any():
        return duration / 60_000
    is_milli = duration[duration > 0].quantile(0.9) >= CALL_LONG
    unit, per_minute = ("milliseconds", 60_000) if is_milli else ("seconds", 60)
    where = f"{calls.table.origin}, {calls.names['hs_call_duration']}"
    made.said.append(f"{where}: read as {unit}")
    return duration / per_minute
