"""Metrics of the open pipeline as it stands on `as_of`, and of how fast it turns into money."""

import numpy as np
import pandas as pd

from salesnb.history import among, look_up
from salesnb.language import say
from salesnb.metrics import tally
from salesnb.metrics.durations import sales_cycle_days
from salesnb.metrics.ledger import DAY
from salesnb.metrics.rates import average_won_amount, win_rate
from salesnb.metrics.view import View

STALLED_AT = 0.8  # quantile of won deals' time in the stage
WON_TO_TELL = 10  # won deals a stage must have seen before a limit is drawn from them
UNTOUCHED_DAYS = 14


def n_open(view: View) -> pd.DataFrame:
    """Number of deals open on `as_of`."""
    return tally.number(view, view.open)


def open_amount(view: View) -> pd.DataFrame:
    """Sum of the amounts of the deals open on `as_of`."""
    return tally.total(view, view.open, view.open["amount"])


def sales_velocity_amount(view: View) -> pd.DataFrame:
    """Open deals x average won amount x win rate / sales cycle days: amount per day.

    One window for all four: wins, amounts and cycle are those of the period, open deals those
    open at its end.
    """
    return velocity_factors(view)["sales_velocity_amount"]


def velocity_factors(view: View) -> dict[str, pd.DataFrame]:
    """The sales velocity of a view and its four factors, each as an answer of its own."""
    deals = view.ledger.deals
    was_open = (deals["created_on"] < view.ends_on + DAY) & ~(deals["closed_on"] <= view.ends_on)
    factors = {
        "n_open": tally.number(view, view.scoped(deals[was_open])),
        "average_won_amount": average_won_amount(view),
        "win_rate": win_rate(view),
        "sales_cycle_days": sales_cycle_days(view),
    }
    n, amount, rate, days = (answer["value"] for answer in factors.values())
    value = n * amount * rate / days.where(days > 0)
    found = tally.plain(view.labels(), value, factors["win_rate"]["n"])
    return {**factors, "sales_velocity_amount": found}


def stalled(view: View) -> pd.DataFrame:
    """Open deals in their stage: adds `limit_days` and `is_stalled` (blank without a limit).

    The limit is the 80th percentile of the days that won deals of the whole team spent in the
    stage; a stage that fewer than 10 won deals passed through has none.
    """
    seen = view.ledger.visits
    won = seen[(seen["deal_outcome"] == "won") & ~seen["is_skipped"]]
    days = won.groupby("stage", observed=False)["days"]
    limit = days.quantile(STALLED_AT).where(days.size() >= WON_TO_TELL)
    is_in = seen["outcome"] == "open"
    rows = seen[is_in].assign(limit_days=seen.loc[is_in, "stage"].map(limit).astype(float))
    is_beyond = (rows["days"] > rows["limit_days"]).astype("boolean")
    rows["is_stalled"] = is_beyond.mask(rows["limit_days"].isna())
    return view.scoped(rows)


def stalled_share(view: View) -> pd.DataFrame:
    """Open deals longer in their stage than 80 % of won deals ever were / open deals.

    Stages that fewer than 10 won deals passed through have no limit and are left out.
    """
    rows = stalled(view).dropna(subset="is_stalled")
    return tally.share(view, rows, rows["is_stalled"])


def stalled_amount(view: View) -> pd.DataFrame:
    """Sum of the amounts of the stalled deals, as `stalled_share` counts them."""
    rows = stalled(view).dropna(subset="is_stalled")
    told, late = tally.number(view, rows), rows[rows["is_stalled"].astype(bool)]
    found = tally.total(view, late, late["amount"])
    return found.assign(value=found["value"].where(told["n"] > 0))


def untouched(view: View, days: int = UNTOUCHED_DAYS) -> pd.DataFrame:
    """Open deals at least 14 days old, with `is_untouched`.

    Untouched: no activity in the last 14 days and none booked ahead. An activity counts for its
    deal, or for every open deal of its account if it names no deal; cancelled and rescheduled
    ones do not count.
    """
    since = view.team.as_of + DAY - pd.Timedelta(days=days)
    rows = view.open[view.open["age_days"] >= days]
    return rows.assign(is_untouched=~_is_named(rows, touches(view, since)))


def last_touched_on(view: View, rows: pd.DataFrame) -> pd.Series:
    """The day of the last activity of each deal, counted as `untouched` does; blank without one."""
    done = touches(view)
    past = done[done["happens_at"] < view.team.as_of + DAY]
    newest = [
        look_up(rows[key], past.groupby(key)["happens_at"].max())
        for key in ("deal_id", "account_id")
    ]
    return pd.concat(newest, axis=1).max(axis=1).dt.normalize()


def silent_days(view: View, rows: pd.DataFrame) -> pd.Series:
    """Days since the `last_on` of each deal, or since it was created if nobody ever touched it."""
    return (view.team.as_of - rows["last_on"].fillna(rows["created_on"])).dt.days.astype(float)


def touches(view: View, since: pd.Timestamp | None = None) -> pd.DataFrame:
    """The activities that count as a touch: all but those cancelled or rescheduled.

    Of those that name a deal the account is blank: they are no touch of its other deals.
    """
    done = view.team.activities[["deal_id", "account_id", "happens_at", "outcome"]]
    done = done if since is None else done[done["happens_at"] >= since]
    done = done[~done["outcome"].isin(["cancelled", "rescheduled"])]
    return done.assign(account_id=done["account_id"].mask(done["deal_id"].notna()))


def has_next_step(view: View) -> pd.Series:
    """Which deals of `view.open` have an activity ahead, counted as `untouched` does."""
    return _is_named(view.open, touches(view, view.team.as_of + DAY))


def _is_named(rows: pd.DataFrame, done: pd.DataFrame) -> pd.Series:
    """Whether any of these activities names the deal or its account."""
    by_deal = among(rows["deal_id"], done["deal_id"])
    return by_deal | (among(rows["account_id"], done["account_id"]) & rows["account_id"].notna())


def untouched_share(view: View) -> pd.DataFrame:
    """Open deals without activity in 14 days and with none booked ahead / open deals.

    Of deals at least 14 days old. Cancelled and rescheduled activities do not count; one that
    names an account but no deal counts for every deal of the account.
    """
    rows = untouched(view)
    found = tally.share(view, rows, rows["is_untouched"])
    told = view.team.activities[["deal_id", "account_id"]].notna().any(axis=None)
    if told:
        return found
    found[["value", "value_low", "value_high"]] = np.nan
    return found.assign(why=say("no activity names its deal or account"))


def open_older_than_any_win_share(view: View) -> pd.DataFrame:
    """Open deals older than the longest cycle of any won deal of the team / open deals.

    Age and cycle count from creation; at least ten wins are needed.
    """
    rows, longest = view.open, longest_win_days(view)
    found = tally.share(view, rows, rows["age_days"] > longest)
    if not np.isnan(longest):
        return found
    found[["value", "value_low", "value_high"]] = np.nan
    return found.assign(why=say("fewer than {n} wins", n=WON_TO_TELL))


def open_older_than_any_win_amount(view: View) -> pd.DataFrame:
    """Sum of the amounts of the open deals older than the longest cycle of any won deal."""
    longest = longest_win_days(view)
    rows = view.open[view.open["age_days"] > longest]
    found = tally.total(view, rows, rows["amount"])
    return found.assign(value=found["value"] if longest >= 0 else np.nan)


def longest_win_days(view: View) -> float:
    """Days of the longest cycle of any deal the team has won; NaN with fewer than ten wins."""
    won = view.ledger.deals[view.ledger.deals["outcome"] == "won"]
    longest = (won["closed_on"] - won["created_on"]).dt.days.max()
    return float(longest) if len(won) >= WON_TO_TELL else np.nan
