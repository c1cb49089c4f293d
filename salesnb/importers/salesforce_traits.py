"""What a company noted of its accounts in fields of its own: traits that its customers may show."""

import re

import pandas as pd

from salesnb import cells, schema
from salesnb.importers import vendor
from salesnb.importers.source import Source
from salesnb.importers.vendor import Made

_, CUSTOM = vendor.OWN_FIELDS["salesforce"]
MOST_WORDS = 50  # different words of a trait; what has more is a text, or a name


def traits(made: Made, source: Source) -> dict[str, str]:
    """The name of each trait and its field: ``{"customer_tier": "Customer_Tier__c"}``.

    A trait is a number, or one of some words. Fields whose name is a column of accounts already
    are none, nor are blank ones.
    """
    fields = [str(name) for name in source.table.rows if str(name).endswith(CUSTOM)]
    source.also({field: field for field in fields})
    taken = {*schema.columns("accounts"), "name"}
    found: dict[str, str] = {}
    for field in fields:
        name = named(field)
        if name not in {*taken, *found} and _is_trait(source.table.rows.loc[source.rows, field]):
            found[name] = field
    if found:
        said = ", ".join(f"{field} as {name}" for name, field in found.items())
        made.said.append(f"{source.table.origin}: traits of accounts are {said}")
    return found


def named(field: str) -> str:
    """The name of a trait.

    >>> named("Customer_Tier__c"), named("MainMarket__c"), named("ns__ERP__c")
    ('customer_tier', 'main_market', 'ns_erp')
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", field.removesuffix(CUSTOM))
    return re.sub(r"_+", "_", words).strip("_").lower()


def _is_trait(values: pd.Series) -> bool:
    known = values.dropna()
    if known.empty:
        return False
    return bool(known.nunique() <= MOST_WORDS or cells.convert(known, "number").notna().all())
