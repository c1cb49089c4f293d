"""What open deals are worth: the odds of each, calibrated on what the same odds said before.

On a few earlier days the odds are worked out from what was known then, and held against what
became of the deals. Nothing that was recorded later is used on any of them.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from salesnb import leaks, stage_model, stats
from salesnb.history import look_up
from salesnb.metrics import answers
from salesnb.metrics.durations import stage_to_won
from salesnb.metrics.ledger import ledger
from salesnb.metrics.pipeline import longest_win_days
from salesnb.metrics.rates import win_rate
from salesnb.metrics.view import View
from salesnb.once import forget, once
from salesnb.team import Team

LOOKS, EVERY = 6, 45  # earlier days, and days between them; the latest lies so long ago
CLOSED_TO_TELL = 30  # deals closed by then, for an earlier day to be looked at
# How far the odds may be off before the data has its say: all of them, and their spread.
INTERCEPT_SD, SLOPE_SD = 0.15, 0.1
# How far better or worse times move all odds, as a logit: what is won by about a fifth.
TIMES_SD = 0.25
WHOLE = "open"  # the only stage of a team without stage history
TABLES = ("reps", "accounts", "products", "deals", "stage_changes", "close_date_changes")


@dataclass(frozen=True, eq=False)
class Forecast:
    """The odds of the deals open on `as_of`, and what the odds of earlier days were worth.

    now : one row per open deal, in order of id
        deal_id, rep_id, stage, stage_days
        win_rate, win_low, win_high : chance to be won in the end, with 90 % interval
    past : the same of the deals open on each earlier day (`day`), by what was known then
        win_rate; its rivals stage_rate (won among decided deals that reached the stage) and
        historic_rate (won among all decided); is_won : 1 or 0, blank while undecided
    covariance : of intercept and slope of the calibration
    """

    now: pd.DataFrame
    past: pd.DataFrame
    covariance: np.ndarray


@once
def forecast(team: Team) -> Forecast:
    """The odds of every open deal of a team."""
    known = Team(team.settings, {name: team.tables[name] for name in TABLES if team.has(name)})
    looks = [_look(known.at(day)) for day in _days(known)]
    past = _checked(looks, known)
    now = odds(known)
    a, covariance = calibration(_labelled(looks, known, now))
    now = _calibrated(now, a, covariance)
    return Forecast(now, past, covariance)


def total(found: Forecast, deals: pd.DataFrame) -> tuple[float, float, float]:
    """The amount to be expected of open deals together, with the range that holds it in 90 %.

    Each deal is won or lost as a whole; the calibration moves all together, and so do better or
    worse times than those it was learnt in (`TIMES_SD`), of which six earlier days tell little.

    Parameters
    ----------
    deals : deal_id, amount and win_rate of some of ``found.now``
    """
    rows = deals.dropna(subset=["amount", "win_rate"])
    amount, p = rows["amount"].to_numpy(), rows["win_rate"].to_numpy()
    x = look_up(rows["deal_id"], found.now.set_index("deal_id")["win_logit"]).to_numpy()
    slope = np.column_stack([np.ones(len(rows)), x]).T @ (amount * p * (1 - p))
    shared = found.covariance + np.diag([TIMES_SD**2, 0.0])
    sd = np.sqrt((amount**2 * p * (1 - p)).sum() + slope @ shared @ slope)
    expected, half = float((amount * p).sum()), float(stats.z() * sd)
    return expected, max(0.0, expected - half), min(float(amount.sum()), expected + half)


def odds(team: Team) -> pd.DataFrame:
    """The odds of the open deals as known on `as_of`, before calibration: `stage_model.open_odds`.

    An amount that is just the list price of the product tells nothing and counts as unknown.
    """
    visits = leaks.known_on_entry(team) if team.has("stage_changes") else _without_stages(team)
    prices = team.products.set_index("product_id")["list_price"]
    is_listed = visits["amount"] == look_up(visits["product_id"], prices)
    return stage_model.open_odds(visits.assign(amount=visits["amount"].mask(is_listed)))


def _without_stages(team: Team) -> pd.DataFrame:
    """Deals as visits of one stage that begins with their creation."""
    deals = team.deals
    end = deals["closed_on"].fillna(team.as_of)
    outcome = deals["outcome"].map({"won": "advanced", "lost": "lost"}).fillna("open")
    return deals.assign(
        stage=WHOLE,
        outcome=outcome,
        days=(end - deals["created_on"]).dt.days.astype(float),
        entered_at=deals["created_on"],
    )


def _days(team: Team) -> list[pd.Timestamp]:
    """The earlier days, from the first, on which enough was known."""
    closed = team.deals["closed_on"].dropna().sort_values().reset_index(drop=True)
    days = [team.as_of - pd.Timedelta(days=EVERY * i) for i in range(LOOKS, 0, -1)]
    return [day for day in days if (closed <= day).sum() >= CLOSED_TO_TELL]


def _look(team: Team) -> pd.DataFrame:
    """The odds on one day, with those of the rivals."""
    found = odds(team)
    view = whole(team)
    by_stage = found["stage"].astype("str").map(stage_rates(view)).astype(float)
    historic = win_rate(view)["value"].iloc[0]
    forget(team)
    return found.assign(
        day=team.as_of, stage_rate=by_stage.fillna(historic), historic_rate=historic
    )


def whole(team: Team) -> View:
    """All of the team's history."""
    first = min(team.deals["created_on"].min(), team.as_of)
    return answers.together(ledger(team), sorted(team.reps["rep_id"]), first, team.as_of)


def stage_rates(view: View) -> pd.Series:
    """Won among the decided deals that ever reached a stage, by stage."""
    if not view.team.has("stage_changes"):
        return pd.Series(win_rate(view)["value"].iloc[0], index=[WHOLE])
    return stage_to_won(view).set_index("stage")["value"]


def _labelled(looks: list[pd.DataFrame], team: Team, now: pd.DataFrame) -> pd.DataFrame:
    """What became of the deals of the looks; one still open counts with its present odds."""
    if not looks:
        return pd.DataFrame({"win_logit": [], "label": [], "deal_id": []}, dtype=float)
    rows = pd.concat(looks, ignore_index=True)
    outcome = look_up(rows["deal_id"], team.deals.set_index("deal_id")["outcome"])
    present = pd.Series(expit(now["win_logit"].to_numpy(float)), index=now["deal_id"])
    label = (outcome == "won").astype(float).where(outcome.notna())
    label = label.fillna(look_up(rows["deal_id"], present))
    return rows.assign(label=label).dropna(subset="label")


def calibration(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Intercept and slope of logit(won) on the logit of the odds, and their covariance.

    Ridge-penalised towards 0 and 1. A deal seen on several days is one deal.
    """
    ridge, none = np.diag([INTERCEPT_SD**-2, SLOPE_SD**-2]), np.array([0.0, 1.0])
    x = np.column_stack([np.ones(len(rows)), rows["win_logit"].to_numpy(float)])
    label, a = rows["label"].to_numpy(float), none
    weight = rows["deal_id"].nunique() / max(1, len(rows))
    for _ in range(20):
        p = expit(x @ a)
        information = weight * (x.T * (p * (1 - p))) @ x + ridge
        a = a + np.linalg.solve(information, weight * x.T @ (label - p) - ridge @ (a - none))
    return a, np.linalg.inv(information)


def _calibrated(rows: pd.DataFrame, a: np.ndarray, covariance: np.ndarray) -> pd.DataFrame:
    """With the calibrated chance and its interval."""
    x = np.column_stack([np.ones(len(rows)), rows["win_logit"].to_numpy(float)])
    centre = x @ a
    variance = np.einsum("ij,jk,ik->i", x, covariance, x)
    half = stats.z() * np.sqrt((a[1] * rows["logit_sd"].to_numpy(float)) ** 2 + variance)
    return rows.assign(
        stage=rows["stage"].astype("str"),
        stage_days=rows["days"].astype(float),
        win_rate=expit(centre),
        win_low=expit(centre - half),
        win_high=expit(centre + half),
    )


def _checked(looks: list[pd.DataFrame], team: Team) -> pd.DataFrame:
    """The forecasts of each look, calibrated on the looks before it, with what became of them."""
    columns = ["day", "deal_id", "stage", "win_rate", "stage_rate", "historic_rate"]
    parts = []
    for i, look in enumerate(looks):
        then = team.at(look["day"].iloc[0]) if len(look) else team
        a, covariance = calibration(_labelled(looks[:i], then, look))
        parts.append(_calibrated(look, a, covariance)[columns])
    if not parts:
        return pd.DataFrame(columns=[*columns, "is_won"], dtype=float)
    past = pd.concat(parts, ignore_index=True)
    return past.assign(is_won=_ended(past["deal_id"], team))


def _ended(deal_id: pd.Series, team: Team) -> pd.Series:
    """1 won, 0 lost or open and older than any deal was when it was won, blank else."""
    view = whole(team)
    deals = view.ledger.deals.set_index("deal_id")
    old = view.open.loc[view.open["age_days"] > longest_win_days(view), "deal_id"]
    is_won = (deals["outcome"] == "won").astype(float).where(deals["outcome"].notna())
    return look_up(deal_id, is_won.mask(is_won.index.isin(old), 0.0))
