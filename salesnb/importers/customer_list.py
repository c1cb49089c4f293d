"""Who is sold to, for any CRM: companies as accounts, found by id and by name."""

from collections.abc import Mapping

import pandas as pd

from salesnb.importers.source import Source, by_name
from salesnb.importers.vendor import Made

NUMBERS = ("employees", "annual_revenue", "founded_year")


def add_accounts(
    made: Made,
    source: Source,
    key: str,
    name: str,
    traits: Mapping[str, str],
    country: pd.Series | None = None,
) -> Mapping[str, str] | None:
    """Add the accounts; their ids by id, and by name where only one has it. None: no accounts.

    `key`, `name` and `traits` (by column of accounts) are what the CRM calls these columns;
    `country` stands in for that column where several tell of it.
    """
    if not source.names:
        return None
    names = source.text(name)
    ids = source.text(key).fillna(names)
    told = {
        column: source.number(api) if column in NUMBERS else source.text(api)
        for column, api in traits.items()
    }
    columns = {"account_id": ids, **told}
    if country is not None:
        columns["country"] = country
    if source.has(name):
        columns["name"] = names
    places = {"account_id": key if source.has(key) else name, **traits}
    made.parts.append(source.part("accounts", columns, places))
    # A name that is another's id means that other.
    return {**by_name(names, ids), **dict(zip(ids, ids, strict=True))}
