"""What is missing or out of date on the open deals, as they stand on `as_of`."""

import pandas as pd

from salesnb.metrics.ledger import DAY
from salesnb.metrics.pipeline import has_next_step, touches
from salesnb.metrics.view import View

FAULTS = ("no_next_step", "overdue", "no_amount", "stage_jump")


def faults(view: View) -> pd.DataFrame:
    """Open deals with a flag for each of `FAULTS`, blank where the data set cannot tell.

    no_next_step : no activity ahead that names the deal, or its account and no deal; cancelled
        and rescheduled ones do not count; blank where the data set holds none ahead at all
    overdue : the expected close lies before `as_of`; blank where the deal has none
    no_amount : the amount is blank or 0
    stage_jump : a stage was passed without an entry of its own; blank without stage history
    """
    deals = view.open
    flags = {
        "no_next_step": _no_next_step(view),
        "overdue": (deals["expected_close_on"] < view.team.as_of)
        .astype("boolean")
        .mask(deals["expected_close_on"].isna()),
        "no_amount": ~(deals["amount"] > 0),
        "stage_jump": _stage_jump(view),
    }
    return deals.assign(**{name: flag.astype("boolean") for name, flag in flags.items()})


def _no_next_step(view: View) -> pd.Series:
    ahead = touches(view, view.team.as_of + DAY)
    is_told = ahead[["deal_id", "account_id"]].notna().any(axis=None)
    lacks = (~has_next_step(view)).astype("boolean")
    return lacks if is_told else pd.Series(pd.NA, index=lacks.index, dtype="boolean")


def _stage_jump(view: View) -> pd.Series:
    deals = view.open
    if not view.team.has("stage_changes"):
        return pd.Series(pd.NA, index=deals.index, dtype="boolean")
    seen = view.ledger.visits
    return deals["deal_id"].isin(seen.loc[seen["is_skipped"], "deal_id"])
