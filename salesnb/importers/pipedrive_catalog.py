"""Organizations, persons, products and the lines of deals of Pipedrive as tables."""

from collections.abc import Mapping

import pandas as pd

from salesnb.importers import customer_list, dealbook, price_list, vendor
from salesnb.importers.deal_log import NO_DEAL
from salesnb.importers.pipedrive_cells import flag, is_true
from salesnb.importers.source import Source, Sources, by_name, id_of, named
from salesnb.importers.vendor import Made

SWITCHED_OFF = "switched off"
NO_COMPANY = "of no organization"


def accounts(made: Made, source: Source) -> Mapping[str, str] | None:
    """Add the organizations; what each is found by, see `customer_list.add_accounts`."""
    traits = {
        "industry": "industry",
        "country": "country",
        "employees": "employee_count",
        "annual_revenue": "annual_revenue",
        "founded_year": "founded_year",
    }
    return customer_list.add_accounts(made, source, "id", "name", traits)


def companies_of_persons(
    made: Made, source: Source, known: Mapping[str, str] | None
) -> Mapping[str, str]:
    """The organization of each person, by id, and by name where only one has it."""
    if not source.names:
        return {}
    names = source.text("name")
    ids = source.text("id").fillna(names)
    company = id_of(source, "org_id", "org_name", known or {})
    has_one = company.notna() & ids.notna()
    n = int(has_one.sum())
    lost = {NO_COMPANY: len(source.rows) - n}
    made.counts.append(vendor.count("organizations of persons", source, n, lost))
    ids, company, names = ids[has_one], company[has_one], names[has_one]
    return {**by_name(names, company), **dict(zip(ids, company, strict=True))}


def company(
    made: Made, source: Source, known: Mapping[str, str] | None, persons: Mapping[str, str]
) -> pd.Series:
    """The organization of each row, else that of its person."""
    person = named(id_of(source, "person_id", "person_name", {}), persons)
    return dealbook.account(made, source, known, "org_id", "org_name", person)


def lines_and_products(made: Made, sources: Sources, deals: set[str]) -> pd.Series:
    """Add products and the lines of deals; the product with the most money, by deal."""
    lines, products = sources["deal_products"], sources["products"]
    prices, places = {"list_price": products.number("price")}, {"list_price": "price"}
    ids = price_list.add_products(made, products, "id", "name", "category", prices, places)
    if not lines.names:
        return pd.Series(dtype="str")
    lines.leave_out(is_true(~flag(made, lines, "is_enabled")), SWITCHED_OFF)
    lines.leave_out(~lines.text("deal_id").isin(deals), NO_DEAL)
    quantity, listed = lines.number("quantity"), lines.number("item_price")
    listed = listed * quantity.fillna(1)
    columns = {
        "deal_id": lines.text("deal_id"),
        "product_id": lines.text("product_id").fillna(lines.text("name")),
        "quantity": quantity,
        "list_amount": listed,
        "net_amount": lines.number("sum").fillna(listed - _discount(lines, listed)),
    }
    places = {
        "deal_id": "deal_id",
        "product_id": "product_id",
        "name": "name",
        "quantity": "quantity",
        "list_amount": "item_price",
        "net_amount": "sum",
    }
    return price_list.add_lines(made, lines, columns, places, ids, lines.text("name"))


def _discount(lines: Source, listed: pd.Series) -> pd.Series:
    """What is taken off: a percentage, unless it is said to be an amount."""
    off = lines.number("discount").fillna(0)
    is_amount = (lines.text("discount_type") == "amount").fillna(False)
    return off.where(is_amount, listed * off / 100)
