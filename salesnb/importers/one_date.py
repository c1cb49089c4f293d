"""One close date for open and closed deals alike, as most CRMs have it."""

from collections.abc import Mapping
from dataclasses import replace

from salesnb.importers.tables import Part


def told_apart(parts: Mapping[str, list[Part]]) -> tuple[dict[str, list[Part]], list[str]]:
    """The parts of a team, the close date of an open deal being the day it is expected to close.

    Where `closed_on` is filled and `expected_close_on` is not; and what was decided so.
    """
    found = [_told_apart(part) for part in parts.get("deals", [])]
    n = sum(n for _, n in found)
    said = [f"deals.expected_close_on: the close date of deals still open ({n:,})"] if n else []
    return {**parts, **({"deals": [part for part, _ in found]} if found else {})}, said


def _told_apart(part: Part) -> tuple[Part, int]:
    deals = part.frame
    if not {"closed_on", "outcome"} <= {*deals} or "expected_close_on" in deals:
        return part, 0
    is_open = deals["outcome"].isna() | (deals["outcome"] == "")
    n = int((is_open & deals["closed_on"].notna()).sum())
    if not n:
        return part, 0
    day = deals["closed_on"]
    apart = deals.assign(closed_on=day.mask(is_open), expected_close_on=day.where(is_open))
    return replace(part, frame=apart), n
