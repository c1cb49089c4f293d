"""Companies, products and line items of HubSpot as tables."""

from collections.abc import Mapping

import pandas as pd

from salesnb.history import look_up
from salesnb.importers import customer_list, hubspot_links, price_list
from salesnb.importers.deal_log import NO_DEAL
from salesnb.importers.source import Source, Sources
from salesnb.importers.vendor import Made


def accounts(made: Made, source: Source) -> Mapping[str, str] | None:
    """Add the companies; what each is found by, see `customer_list.add_accounts`."""
    traits = {
        "industry": "industry",
        "country": "country",
        "employees": "numberofemployees",
        "annual_revenue": "annualrevenue",
        "founded_year": "founded_year",
    }
    return customer_list.add_accounts(made, source, "hs_object_id", "name", traits)


def lines_and_products(
    made: Made, sources: Sources, deal_ids: pd.Series, is_foreign: pd.Series
) -> pd.Series:
    """Add products and the line items of deals; the product with the most money, by deal.

    `is_foreign` are the deals, by id, whose lines are in another currency than that of the team.
    """
    lines, known = sources["line_items"], _products(made, sources["products"])
    if not lines.names:
        return pd.Series(dtype="str")
    ids, deals = lines.text("hs_object_id"), {*deal_ids}
    pairs = "line_item_id", "deal_id"
    what = "deals of line items"
    linked = hubspot_links.one_each(made, sources["line_item_deal"], pairs, {*ids}, deals, what)
    deal = hubspot_links.in_cells(lines, "deal_id", deals).fillna(look_up(ids, linked))
    lines.leave_out(~deal.isin(deals), NO_DEAL)
    deal = deal[lines.rows]
    amounts = pd.DataFrame(_amounts(lines))
    is_other = look_up(deal, is_foreign).fillna(False).astype(bool)
    if n := int(is_other.sum()):
        made.said.append(
            f"{lines.table.origin}: lines in another currency: {n:,}; their amounts are blank"
        )
    columns = {
        "deal_id": deal,
        "product_id": lines.text("hs_product_id").fillna(lines.text("name")),
        "quantity": lines.number("quantity"),
        "list_amount": amounts["list"].mask(is_other),
        "net_amount": amounts["net"].mask(is_other),
    }
    places = {
        "deal_id": "deal_id",
        "product_id": "hs_product_id" if lines.has("hs_product_id") else "name",
        "name": "name",
        "quantity": "quantity",
        "list_amount": "price",
        "net_amount": "amount",
    }
    return price_list.add_lines(made, lines, columns, places, known, lines.text("name"))


def _products(made: Made, source: Source) -> pd.Series:
    """Add the products; their ids."""
    price, cost = source.number("price"), source.number("hs_cost_of_goods_sold")
    more = {"list_price": price, "margin_rate": (1 - cost / price).where(price > 0)}
    places = {"list_price": "price", "margin_rate": "hs_cost_of_goods_sold"}
    names = "hs_object_id", "name", "hs_product_type"
    return price_list.add_products(made, source, *names, more, places)


def _amounts(lines: Source) -> dict[str, pd.Series]:
    """What a line costs before and after its discount, which is of the unit or in per cent."""
    quantity, price = lines.number("quantity"), lines.number("price")
    before = lines.number("hs_pre_discount_amount").fillna(price * quantity)
    share = lines.number("hs_discount_percentage").fillna(0.0) / 100
    after = before * (1 - share) - lines.number("discount").fillna(0.0) * quantity
    return {"list": before, "net": lines.number("amount").fillna(after)}
