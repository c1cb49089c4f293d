"""Accounts, products, lines and quotas of Salesforce as tables."""

from collections.abc import Mapping

import pandas as pd

from salesnb.importers import customer_list, price_list, salesforce_traits
from salesnb.importers.deal_log import NO_DEAL
from salesnb.importers.people import Users
from salesnb.importers.source import Source, Sources, id_of
from salesnb.importers.vendor import Made

NO_REP = "of somebody who is no rep"


def accounts(made: Made, source: Source) -> Mapping[str, str] | None:
    """Add the accounts; what each is found by, see `customer_list.add_accounts`."""
    traits = {
        "industry": "Industry",
        "country": "BillingCountry",
        "employees": "NumberOfEmployees",
        "annual_revenue": "AnnualRevenue",
        "founded_year": "YearStarted",
        **salesforce_traits.traits(made, source),
    }
    country = source.text("BillingCountryCode").fillna(source.text("BillingCountry"))
    return customer_list.add_accounts(made, source, "Id", "Name", traits, country)


def lines_and_products(made: Made, sources: Sources, deals: set[str]) -> pd.Series:
    """Add products and the lines of deals; the product with the most money, by deal."""
    lines, products = sources["OpportunityLineItem"], sources["Product2"]
    ids = price_list.add_products(made, products, "Id", "Name", "Family")
    if not lines.names:
        return pd.Series(dtype="str")
    lines.leave_out(~lines.text("OpportunityId").isin(deals), NO_DEAL)
    quantity, net = lines.number("Quantity"), lines.number("TotalPrice")
    columns = {
        "deal_id": lines.text("OpportunityId"),
        "product_id": lines.text("Product2Id").fillna(lines.text("ProductName")),
        "quantity": quantity,
        "list_amount": lines.number("ListPrice") * quantity,
        "net_amount": net.fillna(lines.number("UnitPrice") * quantity),
    }
    places = {
        "deal_id": "OpportunityId",
        "product_id": "Product2Id",
        "name": "ProductName",
        "quantity": "Quantity",
        "list_amount": "ListPrice",
        "net_amount": "TotalPrice",
    }
    names = lines.text("ProductName").fillna(lines.text("ProductCode"))
    return price_list.add_lines(made, lines, columns, places, ids, names)


def quotas(made: Made, source: Source, reps: set[str], users: Users) -> None:
    """Add quotas, each to the day before the next period: a month, or a quarter."""
    if not source.names:
        return
    owner = id_of(source, "QuotaOwnerId", "QuotaOwnerName", users.by_name())
    source.leave_out(~owner.isin(reps), NO_REP)
    starts = source.day("StartDate")
    periods = starts.dropna().dt.to_period("M").drop_duplicates().sort_values()
    steps = periods.astype("int64").diff().dropna()
    months = 3 if len(steps) and steps.min() == 3 else 1
    if months == 3:
        made.said.append(
            f"{source.table.origin}: quotas begin every third month and are of quarters"
        )
    ends = starts + pd.DateOffset(months=months) - pd.Timedelta(days=1)
    columns = {
        "rep_id": owner[source.rows],
        "starts_on": starts,
        "ends_on": ends.astype("datetime64[us]"),
        "amount": source.number("QuotaAmount"),
    }
    places = {"rep_id": "QuotaOwnerId", "starts_on": "StartDate", "amount": "QuotaAmount"}
    made.parts.append(source.part("quotas", columns, places))
