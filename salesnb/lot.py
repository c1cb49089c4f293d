"""A few who stand for many: drawn by lot, and in every run the same."""

from collections.abc import Iterable
from zlib import crc32


def drawn(ids: Iterable[str], most: int) -> list[str]:
    """So many of these ids, in order; all of them where there are no more."""
    lot = sorted(ids, key=lambda each: (crc32(each.encode()), each))
    return sorted(lot[:most])
