"""Changes of single fields: which field, of which deal, and who owned it over time."""

import pandas as pd

from salesnb.importers import objects, vendor
from salesnb.importers.deal_log import NO_DEAL, OTHER_FIELDS
from salesnb.importers.owner_log import Earlier
from salesnb.importers.people import Users
from salesnb.importers.source import Source, Sources, by_name, id_of, named
from salesnb.importers.vendor import Made

USER_ID = r"^005[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?$"


def owners(made: Made, sources: Sources, users: Users, deal_ids: pd.Series) -> list[Earlier]:
    """Owners over time from OpportunityFieldHistory, which names each by id and by name."""
    fields = sources["OpportunityFieldHistory"]
    if not fields.names:
        return []
    deal = deal_of(fields, sources["Opportunity"], deal_ids)
    fields.leave_out(~deal.isin(deal_ids), NO_DEAL)
    is_owner = name_of(fields).isin(["OwnerId", "OwnerName"])
    values = pd.concat([fields.text("NewValue")[is_owner], fields.text("OldValue")[is_owner]])
    ids = users.by_name()
    is_id = values.isin(users.ids) | values.str.match(USER_ID).fillna(False).astype(bool)
    if is_id.any():
        ids = {}
        is_owner &= fields.text("NewValue").isin(values[is_id])
    rows = fields.within(is_owner, OTHER_FIELDS)
    made.counts.append(vendor.count("owners over time", rows, len(rows.rows), {}))
    at, deal = rows.time("CreatedDate"), deal[rows.rows]
    both = ((place, rows.text(place)) for place in ("NewValue", "OldValue"))
    return [
        Earlier(rows, deal, at, named(value, ids).fillna(value), place)
        for place, value in both
        if len(rows.rows)
    ]


def name_of(fields: Source) -> pd.Series:
    """The API names of the fields that changed, by whatever label they go."""
    names = objects.kinds("salesforce")["Opportunity"].names
    values = fields.text("Field")
    found = {v: names.get(objects.fold(v), (v, 0))[0] for v in values.dropna().unique()}
    return named(values, found)


def deal_of(source: Source, deals: Source, deal_ids: pd.Series) -> pd.Series:
    """The deal of each row, by id or by a name that only one deal has."""
    known = by_name(deals.text("Name"), deal_ids)
    return id_of(source, "OpportunityId", "OpportunityName", known)
