"""The owners of HubSpot: by id, by name or by e-mail, whichever a record has."""

from collections.abc import Mapping

import pandas as pd

from salesnb.importers.people import Owners, Users
from salesnb.importers.source import Source, by_name, named


def users(source: Source) -> Users:
    """The owners of the account; archived ones are those who left it."""
    full = source.text("firstName").fillna("") + " " + source.text("lastName").fillna("")
    full = full.str.strip().astype("str")
    email = source.text("email")
    ids = source.text("id").fillna(email)
    names = full.mask(full == "").fillna(email)
    is_active = source.flag("is_active").fillna(~source.flag("archived"))
    places = {"rep_id": "id" if source.has("id") else "email", "name": "firstName"}
    none = pd.Series(pd.NA, source.rows, dtype="str")
    return Users(source, ids, names, email, none, is_active, places)


def known(found: Users) -> dict[str, str]:
    """The ids of owners by e-mail and by name, where only one has it."""
    return {**by_name(found.emails, found.ids), **found.by_name()}


def owners(source: Source, ids: Mapping[str, str], others: pd.Series | None = None) -> Owners:
    """Who owns the rows; `ids` are those by name and e-mail, `others` are told elsewhere."""
    said = source.text("hubspot_owner_id").fillna(source.text("owner_name"))
    said = said if others is None else said.fillna(others)
    place = "hubspot_owner_id" if source.has("hubspot_owner_id") else "owner_name"
    names = source.text("owner_name").fillna(said)
    return Owners(source, named(said, ids).fillna(said), names, place)
