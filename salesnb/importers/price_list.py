"""What is sold, for any CRM: products, lines of deals, each deal's main product."""

from collections.abc import Mapping

import pandas as pd

from salesnb.importers.source import Source
from salesnb.importers.vendor import Made

NO_PRODUCT = "without a product"
KNOWN = "its product is known already"


def add_products(
    made: Made,
    products: Source,
    key: str,
    name: str,
    family: str,
    more: Mapping[str, pd.Series] | None = None,
    places: Mapping[str, str] | None = None,
) -> pd.Series:
    """Add the products, with `more` columns where the CRM has them; their ids.

    `key`, `name` and `family` are what the CRM calls these columns; `places` those of `more`.
    """
    ids = products.text(key).fillna(products.text(name))
    if products.names:
        columns = {
            "product_id": ids,
            "name": products.text(name).fillna(ids),
            "family": products.text(family),
            **(more or {}),
        }
        own = key if products.has(key) else name
        places = {"product_id": own, "name": name, "family": family, **(places or {})}
        made.parts.append(products.part("products", columns, places))
    return ids


def add_lines(
    made: Made,
    lines: Source,
    columns: Mapping[str, pd.Series],
    places: Mapping[str, str],
    known: pd.Series,
    names: pd.Series,
) -> pd.Series:
    """Add the lines of deals, and products that stand on lines only; the main product by deal.

    `columns` are those of deal_lines; lines without a product_id are left out. `known` are the ids
    of the products that are there; `names` what each line calls its product.
    """
    lines.leave_out(columns["product_id"].isna(), NO_PRODUCT)
    rows = pd.DataFrame(dict(columns)).loc[lines.rows]
    new = rows.loc[~rows["product_id"].isin(known), "product_id"].drop_duplicates()
    if len(new):
        called = {"product_id": new, "name": names.reindex(new.index).fillna(new)}
        counts = {KNOWN: len(lines.rows) - len(new)}
        made.parts.append(lines.part("products", called, places, counts))
    made.parts.append(lines.part("deal_lines", {name: rows[name] for name in columns}, places))
    largest = rows.sort_values("net_amount", ascending=False, kind="stable")
    return largest.drop_duplicates("deal_id").set_index("deal_id")["product_id"]
