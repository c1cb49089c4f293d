"""Reps' rates at a stage before and since something was done for them, quarter by quarter.

What coaching and training share: a *programme* is a rep, a stage and the day it began. Every
stage visit is set against what the typical rep makes of the same deal, so that a change of the
deal mix is no effect. A deal that was in the stage when the programme began belongs to neither
time: until then it counts as open for what its age said, and what became of it is left out. A
deal still open counts for what its age says, as in `leaks`.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd
from scipy.special import expit

from salesnb import drift, leaks, stage_model, stats
from salesnb.drift import Drift
from salesnb.once import once
from salesnb.stage_model import StageFit
from salesnb.team import Team

QUARTER = 91  # days
QUARTERS = 12  # looked back: three years
LEAST_SPREAD = 0.02  # p (1 - p) of a deal that is all but sure
LEAST_KNOWN = 0.05  # of a case, of a deal still open
FEWEST_TREATED = 2  # reps; of one rep it would be a verdict on a person
FEWEST_OTHERS = 3  # reps, or the comparison would be with a person
APART = 1_000  # quarters, so that two stages share none
FARTHEST = 1.0  # points of a rate: an effect with a wider error is not known at all


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
    seen = _as_of_their_start(leaks.known_on_entry(team), programmes)
    first = team.as_of - pd.Timedelta(days=QUARTER * QUARTERS)
    is_recent = (seen["entered_at"] >= first).to_numpy()
    fitted = stage_model.fit(seen[is_recent])
    return _cells(team, fitted)


def fits(found: pd.DataFrame, beside: np.ndarray | None = None) -> Drift | None:
    """The model of rows of the `panel`; None where there is nothing to compare.

    Rows of several stages share the effect and the widths; levels and quarters are their own.
    `beside` are the doses of what else was done, one column for each kind.
    """
    if not (found["dose"] > 0).any() or len(others(found, beside)) < FEWEST_OTHERS:
        return None
    unit = found.groupby(["rep_id", "stage"]).ngroup().to_numpy()
    stage = pd.factorize(found["stage"])[0]
    level, variance, time, dose = (
        found[name].to_numpy() for name in ("level", "variance", "time", "dose")
    )
    doses = dose if beside is None else np.column_stack([beside, dose])
    return drift.fit(level, variance, unit, time + APART * stage, doses)


def others(found: pd.DataFrame, beside: np.ndarray | None = None) -> set[str]:
    """The reps with deals in quarters since the first programme, before they were in any."""
    is_treated = (found["dose"] > 0).to_numpy()
    is_in_any = is_treated if beside is None else is_treated | (beside > 0).any(axis=1)
    since = found[is_in_any].groupby("rep_id")["time"].min()
    start = found["rep_id"].map(since).astype("float64").fillna(np.inf)
    is_beside = (found["time"] >= found.loc[is_treated, "time"].min()) & (found["time"] < start)
    return set(found.loc[is_beside, "rep_id"])


def verdict(
    model: Drift | None, found: pd.DataFrame, worthwhile: float
) -> dict[str, int | float | str]:
    """What a model of rows of the `panel` says of its programmes.

    Returns
    -------
    dict
        n_deals : deals of the treated that entered the stage since
        effect, effect_low, effect_high : what a programme added to the rate, in points of it
            (0.06 = 6 points); 90 % interval; blank with fewer than two treated or three others
        verdict : in a `word`
        n_more_deals : about how many more deals of the treated until the interval is
            `worthwhile` on each side; blank when the verdict is yes or no
    """
    since = found[found["dose"] > 0]
    n_deals = int(since["n_deals"].sum())
    row: dict[str, int | float | str] = {"n_deals": n_deals}
    row |= dict.fromkeys(["effect", "effect_low", "effect_high", "n_more_deals"], np.nan)
    row["verdict"] = "cannot_tell"
    if model is None or since["rep_id"].nunique() < FEWEST_TREATED:
        return row
    told = model.effect
    if told.error > FARTHEST:
        return row
    low, high = told.quantile(0.05), told.quantile(0.95)
    row |= {"effect": float(np.clip(told.mean, low, high)), "effect_low": low, "effect_high": high}
    row["verdict"] = word(low, high, worthwhile)
    if row["verdict"] == "cannot_tell":
        wide = (stats.z() * told.error / worthwhile) ** 2
        row["n_more_deals"] = _rounded_up(n_deals * max(wide - 1, 0.05))
    return row


def word(low: float, high: float, worthwhile: float) -> str:
    """The verdict of a 90 % interval.

    ``yes`` if all of it lies above 0 (without any effect that happens once in twenty), ``no`` if
    it lies below `worthwhile`, else ``cannot_tell``.
    """
    return "yes" if low > 0 else "no" if high < worthwhile else "cannot_tell"


def before_and_since(
    team: Team, stages: Collection[str], programmes: pd.DataFrame
) -> tuple[float, float]:
    """The rate of those treated in the 91 days before their first programme, and since.

    Of the deals that left one of the `stages`, in points of a rate: what is usually compared.
    """
    seen = ended(team)
    seen = seen[seen["stage"].isin(stages) & seen["rep_id"].isin(programmes["rep_id"])]
    start = seen["rep_id"].map(programmes.groupby("rep_id")["starts_on"].min())
    is_later = seen["left_at"] >= start
    is_before = (seen["left_at"] < start) & (seen["left_at"] >= start - pd.Timedelta(days=QUARTER))
    advanced = seen["outcome"] == "advanced"
    return float(advanced[is_before].mean()), float(advanced[is_later].mean())


@once
def ended(team: Team) -> pd.DataFrame:
    """The stage visits that ended, with how and when."""
    seen = leaks.known_on_entry(team)[["rep_id", "stage", "outcome", "left_at"]].astype(
        {"stage": "str"}
    )
    return seen[seen["outcome"] != "open"]


def _rounded_up(n: float) -> float:
    """To two digits: no more is known."""
    step = 10.0 ** max(np.floor(np.log10(max(n, 1))) - 1, 0)
    return float(np.ceil(n / step) * step)


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
