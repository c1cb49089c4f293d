"""How Pipedrive writes cells: ids, flags, times of the API, and what is no row of a table."""

import re
from dataclasses import replace

import pandas as pd

from salesnb.importers import clock, values, vendor
from salesnb.importers.source import Source
from salesnb.importers.vendor import Made

VENDOR = "pipedrive"
IDS = (
    *("id", "deal_id", "item_id", "owner_id", "user_id", "org_id", "person_id", "stage_id"),
    *("pipeline_id", "product_id", "old_value", "new_value"),
)
DELETED, MERGED = "deleted", "merged into another"
ARCHIVED = "archived while open"
FLOAT, NESTED = r"^\d+\.0+$", r"^\{.*\}$"
LABEL = " - "


def read_as_written(source: Source) -> None:
    """Times of the API are UTC, whatever zone is stated; ids are as `mend_ids` has them."""
    if not any(LABEL in str(name) for name in source.table.rows):
        source.read_by(replace(source.options, timezone="UTC"))
    mend_ids(source)


def mend_ids(source: Source) -> None:
    """Ids as they are, where programs wrote ``12.0`` or ``{"id": 12, "name": "Ann"}``."""
    for name in (name for name in IDS if source.has(name)):
        text = source.text(name)
        floats = text[values.matches(text, FLOAT)].unique()
        nested = text[values.matches(text, NESTED)].unique()
        new = {each: each.partition(".")[0] for each in floats}
        new |= {each: inner for each in nested if (inner := _inner_id(each))}
        if new:
            source.mend(name, new)


def flag(made: Made, source: Source, name: str) -> pd.Series:
    """A column of yes and no in any words, as true; blank cells are missing."""
    known = vendor.words(VENDOR, "flags")
    plain = {word: "yes" if is_true else "no" for word, is_true in values.FLAGS.items()}
    expected = "yes or no, in words or as 1 or 0"
    found = vendor.told(made, source, name, {**plain, **known}, expected)
    return (found == "yes").astype("boolean").mask(found.isna())


def is_true(flags: pd.Series) -> pd.Series:
    """Whether a flag is set; a missing one is not."""
    return flags.fillna(False).astype(bool)


def leave_out_gone(made: Made, source: Source) -> None:
    """Leave out rows that were merged into others or deleted."""
    source.leave_out(source.text("merged_into").notna(), MERGED)
    source.leave_out(is_true(flag(made, source, "is_deleted")), DELETED)
    source.leave_out(is_true(~flag(made, source, "active_flag")), DELETED)


def local_day(times: pd.Series, zone: str) -> pd.Series:
    """The day of each time where the team is."""
    return clock.to_local(times, zone).dt.normalize()


def _inner_id(cell: str) -> str:
    """The id within a nested value, as JSON or Python writes it; empty where it has none."""
    found = re.search(r"""['"](?:id|value)['"]:\s*['"]?(\d+)""", cell)
    return found[1] if found else ""
