"""Which stages are open, and in which order deals go through them."""

import pandas as pd

from salesnb.importers import deal_log, objects, stage_history, vendor
from salesnb.importers.source import Source
from salesnb.importers.vendor import Made

CATEGORIES = {
    "omitted": 0,
    "pipeline": 1,
    "bestcase": 2,
    "mostlikely": 3,
    "commit": 4,
    "forecast": 4,
}


def closed(saved: pd.DataFrame, deals: Source, outcome: pd.Series) -> set[str]:
    """Stages of closed deals that no open deal is in, and those that are called so."""
    stage, is_open = deals.text("StageName"), outcome.isna()
    by_deals = {*stage[~is_open].dropna()} - {*stage[is_open].dropna()}
    names = pd.Series([*{*saved["stage"].dropna()}], dtype="str")
    called = names[vendor.meant(names, vendor.words("salesforce", "stages")).notna()]
    return by_deals | {*called}


def order(made: Made, entered: pd.DataFrame, deals: Source, outcome: pd.Series) -> tuple[str, ...]:
    """The open stages in order, and how that was found out, or a fault that asks for it."""
    entered = entered.assign(place=stage_history.places(entered))
    category = deals.text("ForecastCategoryName")
    ranks = {each: CATEGORIES.get(objects.fold(each)) for each in category.dropna().unique()}
    open_deals = pd.DataFrame(
        {
            "stage": deals.text("StageName"),
            "probability": deals.number("Probability"),
            "category": category.map(ranks).astype("float64"),
        }
    )[outcome.isna()]
    seen = pd.concat([open_deals, entered.reset_index(drop=True)], ignore_index=True)
    return deal_log.order(made, seen, bool(len(entered)))
