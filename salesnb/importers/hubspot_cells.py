"""How HubSpot writes cells: ids of programs, times of its interfaces, days on the team's clock."""

from dataclasses import replace

import pandas as pd

from salesnb.importers import clock, values
from salesnb.importers.source import Source

IDS = (
    *("hs_object_id", "id", "deal_id", "company_id", "contact_id", "engagement_id", "owner_id"),
    *("hubspot_owner_id", "hs_product_id", "line_item_id", "merged_deal_id", "dealstage"),
    *("stage_id", "pipeline", "pipeline_id", "associatedcompanyid", "value"),
)
FLOAT = r"^\d+\.0+$"
PLAIN_DAY = r"^\d{4}-\d{2}-\d{2}$"


def read_as_written(source: Source) -> None:
    """Times of programs are UTC, whatever zone is stated; ids are whole numbers or text.

    The columns of a program have no space in their names, those of the user interface have.
    """
    if not any(" " in str(name) for name in source.table.rows):
        source.read_by(replace(source.options, timezone="UTC"))
    for name in (name for name in IDS if source.has(name)):
        text = source.text(name)
        floats = text[values.matches(text, FLOAT)].unique()
        if len(floats):
            source.mend(name, {each: each.partition(".")[0] for each in floats})


def local_day(source: Source, name: str, zone: str) -> pd.Series:
    """The days of a column of times on the clock of a zone; what is a day already stays."""
    days = clock.to_local(source.time(name), zone).dt.normalize()
    is_day = values.matches(source.text(name), PLAIN_DAY)
    return days.mask(is_day, source.day(name)) if is_day.any() else days
