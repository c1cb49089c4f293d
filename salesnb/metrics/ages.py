"""The ages of open deals, in bands drawn from how long won deals took."""

import numpy as np
import pandas as pd

from salesnb import behind, stats
from salesnb.language import say, to_say
from salesnb.metrics.ledger import ledger
from salesnb.team import Team

BANDS = (
    to_say("up to the median win"),
    to_say("up to 80 % of wins"),
    to_say("up to the longest win"),
    to_say("older than any win"),
)
AT = (0.5, 0.8, 1.0)
WINS_TO_TELL = 10
COLUMNS = [
    "band",
    "to_days",
    "n_open",
    "open_deals_share",
    "open_deals_low",
    "open_deals_high",
    "open_amount",
]


def table(team: Team, rep_id: str | None = None) -> pd.DataFrame:
    """One row per band, `COLUMNS`; see `funnel.open_age`. Blank with fewer than ten wins."""
    rows, edges = _open(team, rep_id), _edges(team)
    if not len(edges):
        return _empty()
    band = np.searchsorted(edges, rows["age_days"].to_numpy())
    n = np.bincount(band, minlength=len(BANDS))
    shares = stats.rates(n, np.full(len(BANDS), len(rows)))
    amount = rows["amount"].groupby(band).sum(min_count=1).reindex(range(len(BANDS)))
    return pd.DataFrame(
        {
            "band": [say(band) for band in BANDS],
            "to_days": [*edges, np.nan],
            "n_open": n,
            "open_deals_share": shares["value"],
            "open_deals_low": shares["value_low"],
            "open_deals_high": shares["value_high"],
            "open_amount": np.where(n > 0, amount, 0.0),
        }
    )


def rows(team: Team, rep_id: str | None, band: str) -> pd.DataFrame:
    """The open deals of one band of `table`: `behind.DEALS`."""
    rows = _open(team, rep_id)
    place = [say(each) for each in BANDS].index(band)
    is_in = np.searchsorted(_edges(team), rows["age_days"].to_numpy()) == place
    return behind.deals(team, rows[is_in])


def _open(team: Team, rep_id: str | None) -> pd.DataFrame:
    rows = ledger(team).open_deals
    return rows if rep_id is None else rows[rows["rep_id"] == rep_id]


def _edges(team: Team) -> np.ndarray:
    """The highest age of each band but the last; none where too few deals are won."""
    deals = ledger(team).deals
    won = deals[deals["outcome"] == "won"]
    cycles = (won["closed_on"] - won["created_on"]).dt.days
    few = len(cycles) < WINS_TO_TELL
    return np.array([]) if few else np.floor(cycles.quantile(AT).to_numpy())


def _empty() -> pd.DataFrame:
    return pd.DataFrame({"band": pd.Series(dtype="str")}).reindex(columns=COLUMNS)
