"""Changes of single fields: which field, of which deal, and who owned it over time."""

from dataclasses import dataclass

import pandas as pd

from salesnb.history import look_up
from salesnb.importers import objects, vendor
from salesnb.importers.people import Users
from salesnb.importers.source import Source, Sources, id_of, named
from salesnb.importers.vendor import Made

NO_DEAL = "of a deal that is not in the data set"
OTHER_FIELDS = "of other fields"
USER_ID = r"^005[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?$"


@dataclass(frozen=True, eq=False)
class Earlier:
    """Owners over time: `rep_id` from `at` on, or until then where `place` is OldValue."""

    source: Source
    deal_id: pd.Series
    at: pd.Series
    rep_id: pd.Series
    place: str


def owners(made: Made, sources: Sources, users: Users, deal_ids: pd.Series) -> list[Earlier]:
    """Owners over time from OpportunityFieldHistory, which names each by id and by name."""
    fields = sources["OpportunityFieldHistory"]
    if not fields.names:
        return []
    deal = deal_of(fields, sources["Opportunity"], deal_ids)
    fields.leave_out(~deal.isin(deal_ids), NO_DEAL)
    is_owner = name_of(fields).isin(["OwnerId", "OwnerName"])
    values = pd.concat([fields.text("NewValue")[is_owner], fields.text("OldValue")[is_owner]])
    by_name = users.by_name()
    is_id = values.isin(users.ids) | values.str.match(USER_ID).fillna(False).astype(bool)
    if is_id.any():
        by_name = {}
        is_owner &= fields.text("NewValue").isin(values[is_id])
    rows = fields.within(is_owner, OTHER_FIELDS)
    made.counts.append(vendor.count("owners over time", rows, len(rows.rows), {}))
    at, deal = rows.time("CreatedDate"), deal[rows.rows]
    both = ((place, rows.text(place)) for place in ("NewValue", "OldValue"))
    return [
        Earlier(rows, deal, at, named(value, by_name).fillna(value), place)
        for place, value in both
        if len(rows.rows)
    ]


def owner_at(rows: pd.DataFrame, earlier: list[Earlier], now: pd.Series) -> pd.Series:
    """Who owned the deal: the last new owner before, else the first old one, else the present."""
    new, old = (
        pd.DataFrame({"deal_id": each.deal_id, "at": each.at, "rep_id": each.rep_id})
        for each in earlier
    )
    new, old = (each.dropna(subset=["at"]).sort_values("at", kind="stable") for each in (new, old))
    left = rows[["deal_id", "at"]].assign(place=range(len(rows))).dropna(subset=["at"])
    left = left.sort_values("at", kind="stable")
    before = pd.merge_asof(left, new, on="at", by="deal_id").set_index("place")["rep_id"]
    first = old.drop_duplicates("deal_id").set_index("deal_id")["rep_id"]
    found = before.reindex(range(len(rows))).set_axis(rows.index).astype("str")
    return found.fillna(look_up(rows["deal_id"], first)).fillna(look_up(rows["deal_id"], now))


def name_of(fields: Source) -> pd.Series:
    """The API names of the fields that changed, by whatever label they go."""
    names = objects.kinds("salesforce")["Opportunity"].names
    values = fields.text("Field")
    found = {v: names.get(objects.fold(v), (v, 0))[0] for v in values.dropna().unique()}
    return named(values, found)


def deal_of(source: Source, deals: Source, deal_ids: pd.Series) -> pd.Series:
    """The deal of each row, by id or by a name that only one deal has."""
    names = deals.text("Name")
    one = names[names.notna() & ~names.duplicated(keep=False)]
    by_name = dict(zip(one, deal_ids[one.index], strict=True))
    return id_of(source, "OpportunityId", "OpportunityName", by_name)
