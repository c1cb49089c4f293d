"""Which records of HubSpot belong together: by tables of associations, or by ids in a cell."""

from collections.abc import Collection, Mapping

import pandas as pd

from salesnb.history import among, look_up
from salesnb.importers import vendor
from salesnb.importers.source import Source, Sources, named
from salesnb.importers.vendor import Made

FURTHER = "a further association"
PRIMARY = "5"  # HubSpot's own type of the association of a deal with its primary company
UNKNOWN = "of what is not in the data set"


def one_each(
    made: Made,
    source: Source,
    columns: tuple[str, str],
    ids: Collection[str],
    others: Collection[str] | None,
    what: str,
) -> pd.Series:
    """The first other record of each one, by id, from a table of associations.

    `columns` hold the two ids; rows whose first is none of `ids`, or whose second is none of
    `others` (if they are known), are left out, and so are further ones. The primary company comes
    first where the type of the association tells.
    """
    key, other = columns
    if not source.names:
        return pd.Series(dtype="str")
    for name, known in ((key, ids), (other, others)):
        if known is not None:
            is_known = among(source.text(name), pd.Series([*known], dtype="str"))
            source.leave_out(~is_known, UNKNOWN)
    rows = pd.DataFrame({"key": source.text(key), "other": source.text(other)})
    is_primary = (source.text("type_id") == PRIMARY).fillna(False).astype(bool)
    rows = rows.assign(rank=~is_primary).sort_values("rank", kind="stable")
    source.leave_out(rows.duplicated("key"), FURTHER)
    made.counts.append(vendor.count(what, source, len(source.rows), {}))
    return rows.drop_duplicates("key").set_index("key")["other"]


def in_cells(source: Source, name: str, ids: Collection[str] | None) -> pd.Series:
    """The first known id of each cell that may hold several, else the first of all."""
    cells = source.text(name)
    known = None if ids is None else {*ids}

    def first(cell: str) -> str:
        if known is not None and cell in known:
            return cell
        parts = [part for each in cell.split(";") if (part := each.strip())] or [cell]
        return next((part for part in parts if known is None or part in known), parts[0])

    return named(cells, {cell: first(cell) for cell in cells.dropna().unique()})


def accounts_of_deals(
    made: Made, sources: Sources, deal_ids: pd.Series, accounts: Mapping[str, str] | None
) -> pd.Series:
    """The company of each deal, under its row: by association, else by its id or name in a cell.

    Companies that are not in the data set are blank, where it has any.
    """
    deals, ids = sources["deals"], None if accounts is None else {*accounts.values()}
    pairs = "deal_id", "company_id"
    linked = one_each(made, sources["deal_company"], pairs, {*deal_ids}, ids, "companies of deals")
    found = look_up(deal_ids, linked).fillna(in_cells(deals, "company_id", ids))
    called = in_cells(deals, "company_name", accounts)
    found = found.fillna(named(called, accounts or {})).fillna(called)
    if ids is None:
        return found
    what = f"{deals.table.origin}, {deals.names.get('company_id', 'company')}"
    return vendor.known(found, ids, what, made.said)


def merged(source: Source) -> set[str]:
    """The records that became part of another, which lists them."""
    parts = source.text("hs_merged_object_ids").dropna().str.split(";").explode().astype("str")
    is_other = parts != source.text("hs_object_id").reindex(parts.index)
    return {*parts[is_other].str.strip()} - {""}
