"""Reps' rates at a stage before and since something was done for them, quarter by quarter.

What coaching and training share: a *programme* is a rep, a stage and the day it began. Every
stage visit is set against what the typical rep makes of the same deal, so that a change of the
deal mix is no effect. A deal that was in the stage when the programme began belongs to neither
time: until then it counts as open for what its age said, and what became of it is left out. A
deal still open counts for what its age says, as in `leaks`.
"""

import numpy as np
import pandas as pd
from scipy.special import expit

from salesnb import drift, leaks, stage_model
from salesnb.drift import Drift
from salesnb.once import once
from salesnb.stage_model import StageFit
from salesnb.team import Team

QUARTER = 91  # days
QUARTERS = 12  # looked back: three years
LEAST_SPREAD = 0.02  # p (1 - p) of a deal that is all but sure
LEAST_KNOWN = 0.05  # of a case, of a deal still open
FEWEST_OTHERS = 3  # reps, or the comparison would be with a person


def panel(team: Team, programmes: pd.DataFrame) -> pd.DataFrame:
    """What was seen of every rep at every stage in each quarter, before and since programmes.

    `programmes` has ``rep_id, stage, starts_on``.

    Returns
    -------
    DataFrame
        One row per stage, rep, quarter and dose with visits that tell something:

        stage, rep_id
        time : quarters ago, counted back from 0, the latest
        dose : how many programmes at this stage the rep had begun
        n_deals : deals that entered the stage
        n_known : how many decided deals they tell as much as
        level : the rep's rate less that of the typical rep on the same deals
        variance : of its chance
        typical_rate : that of the typical rep

    Raises
    ------
    DataError
        The team has no stage history.
    """
    seen = _as_of_their_start(known(team), programmes)
    first = team.as_of - pd.Timedelta(days=QUARTER * QUARTERS)
    is_recent = (seen["entered_at"] >= first).to_numpy()
    fitted = stage_model.fit(seen[is_recent])
    return _cells(team, fitted)


@once
def known(team: Team) -> pd.DataFrame:
    """The team's stage visits with what was known of them on entry; not to be changed."""
    return leaks.known_on_entry(team)


def fits(found: pd.DataFrame) -> Drift | None:
    """The model of one stage's rows of the `panel`; None where there is nothing to compare."""
    if not (found["dose"] > 0).any() or len(others(found)) < FEWEST_OTHERS:
        return None
    unit = pd.factorize(found["rep_id"], sort=True)[0]
    level, variance, time, dose = (
        found[name].to_numpy() for name in ("level", "variance", "time", "dose")
    )
    return drift.fit(level, variance, unit, time, dose)


def others(found: pd.DataFrame) -> set[str]:
    """The reps with deals in quarters since the first programme, before they were in one."""
    treated = found[found["dose"] > 0]
    start = found["rep_id"].map(treated.groupby("rep_id")["time"].min()).fillna(np.inf)
    is_beside = (found["time"] >= treated["time"].min()) & (found["time"] < start)
    return set(found.loc[is_beside, "rep_id"])


def _as_of_their_start(seen: pd.DataFrame, programmes: pd.DataFrame) -> pd.DataFrame:
    """The visits with their dose; those under way at a programme's start as they were then."""
    seen = seen.astype({"stage": "str"}).sort_values(["deal_id", "stage"], ignore_index=True)
    seen["day"] = seen["entered_at"].dt.normalize().astype("datetime64[us]")
    seen = seen.dropna(subset="day").sort_values("day", kind="stable", ignore_index=True)
    starts = programmes[["rep_id", "stage", "starts_on"]].astype({"rep_id": "str", "stage": "str"})
    starts["starts_on"] = starts["starts_on"].astype("datetime64[us]")
    starts = starts.sort_values("starts_on", ignore_index=True)
    starts["dose"] = starts.groupby(["rep_id", "stage"]).cumcount() + 1
    places = seen[["day", "rep_id", "stage"]]
    begun = pd.merge_asof(
        places, starts, left_on="day", right_on="starts_on", by=["rep_id", "stage"]
    )
    to_come = pd.merge_asof(
        places, starts, left_on="day", right_on="starts_on", by=["rep_id", "stage"],
        direction="forward", allow_exact_matches=False,
    )  # fmt: skip
    seen["dose"] = begun["dose"].fillna(0).astype(int)
    start = to_come["starts_on"]
    under_way = start.notna() & ~(seen["left_at"] < start)
    seen["outcome"] = seen["outcome"].mask(under_way, "open")
    seen["days"] = seen["days"].mask(under_way, (start - seen["day"]).dt.days.astype(float))
    return seen.drop(columns="day")


def _cells(team: Team, fitted: StageFit) -> pd.DataFrame:
    seen, logit = fitted.visits, fitted.chances.typical()
    p, own = expit(logit), fitted.chances.p()
    q = expit(logit + fitted.log_odds)
    is_open, told = fitted.is_open, fitted.is_told
    known = np.where(is_open, 1 - q * (1 - q) / np.maximum(p * (1 - p), 1e-9), 1.0) * told
    rows = pd.DataFrame(
        {
            "stage": seen["stage"].astype("str"),
            "rep_id": seen["rep_id"].astype("str"),
            "time": -((team.as_of - seen["entered_at"].dt.normalize()).dt.days // QUARTER),
            "dose": seen["dose"],
            "n_deals": told.astype(int),
            "n_known": known,
            "n_open": (is_open & told).astype(int),
            "beyond": np.where(is_open, q - p, fitted.is_advanced - p) * told,
            "spread": np.maximum(own * (1 - own), LEAST_SPREAD) * told,
            "typical_rate": p * told,
        }
    )
    found = rows.groupby(["stage", "rep_id", "time", "dose"], as_index=False).sum()
    found = found[found["n_deals"] > 0].reset_index(drop=True)
    decided = found["n_deals"] - found["n_open"]
    known_cases = np.maximum(found["n_known"], decided + LEAST_KNOWN * found["n_open"])
    found["n_known"] = np.minimum(known_cases, found["n_deals"])
    found["level"] = found["beyond"] / found["n_known"]
    found["variance"] = found["spread"] / found["n_deals"] / found["n_known"]
    found["typical_rate"] /= found["n_deals"]
    return found.drop(columns=["n_open", "beyond", "spread"])
