"""How meetings become deals: so many for each, so much later, by each rep's own ratio."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.optimize import nnls

from salesnb.history import look_up
from salesnb.team import Team
from salesnb.watch import Watched
from salesnb.weekly import DAY, WEEK, Weekly, shares

LAGS = 7  # weeks from booking a meeting to the deal, at most
LOOK_BACK = 52  # weeks that tell how meetings become deals
OWN = (5.0, 200.0)  # deals' worth of "like the others" that a rep's own ratio is weighed against
LATELY = 8  # weeks that tell how many meetings are booked now
USUAL, AFTER_ALARM = 30.0, 4.0  # meetings' worth of the usual level weighed against those
A_YEAR, SEASON_SHARE = 52, 0.7  # last year's season counts so much


@dataclass(frozen=True, eq=False)
class Inflow:
    """What comes in: meetings booked and deals made of them (reps x weeks, the past then ahead).

    week : Mondays ahead, the first one that of the day after `as_of`
    booked : meetings, LAGS weeks of the past and then those to be expected ahead, the running
        week's as a whole
    usual : meetings of a usual full week (reps,)
    pace_error : relative standard error of what is booked ahead (reps,)
    ratio, ratio_n : deals per meeting, and the deals' worth of evidence behind it (reps,)
    lag : share of the deals that come so many weeks after the booking
    inflation : variance over mean of weekly deals
    to_come : share of the running week's working days that lies ahead
    """

    week: pd.DatetimeIndex
    booked: np.ndarray
    usual: np.ndarray
    pace_error: np.ndarray
    ratio: np.ndarray
    ratio_n: np.ndarray
    lag: np.ndarray
    inflation: float
    to_come: float

    def parts(self, rep: int) -> tuple[np.ndarray, np.ndarray]:
        """Deals of a rep by week ahead: from meetings booked, and from those to be booked."""
        booked = self.booked[[rep, rep]]
        booked[0, LAGS:] = booked[1, :LAGS] = 0
        known, ahead = self.ratio[rep] * lagged(booked, self.lag)[:, LAGS:]
        known[0], ahead[0] = known[0] * self.to_come, ahead[0] * self.to_come
        return known, ahead

    def of(self, reps: np.ndarray) -> "Inflow":
        """The inflow of the reps in these rows; nothing comes in where the row is -1."""

        def rows(values: np.ndarray, blank: float) -> np.ndarray:
            return np.append(values, np.full((1, *values.shape[1:]), blank), axis=0)[reps]

        return replace(
            self,
            booked=rows(self.booked, 0.0),
            usual=rows(self.usual, 0.0),
            pace_error=rows(self.pace_error, 1.0),
            ratio=rows(self.ratio, 0.0),
            ratio_n=rows(self.ratio_n, 1.0),
        )


def inflow(team: Team, weeks: Weekly, watched: Watched, n_ahead: int) -> Inflow:
    """What to expect if reps go on to book as in the last weeks."""
    created = deals_created(team, weeks)
    ratio, ratio_n, lag, inflation = _ratios(weeks.count, created)
    ahead = ahead_of(team.as_of, n_ahead)
    pace, pace_error = _pace(weeks, watched)
    to_come = 1 - min((team.as_of + DAY - ahead[0]).days, 5) / 5
    usual = watched.usual[:, -1] if watched.usual.shape[1] else np.zeros(len(weeks.rep_id))
    work = _at_work(team, weeks.rep_id, ahead)
    coming = (pace * usual)[:, None] * work * _season(weeks, watched, n_ahead)
    past = np.pad(weeks.count, ((0, 0), (LAGS + 1, 0)))
    if len(weeks.week) and weeks.week[-1] == ahead[0]:  # its working days have all passed
        coming[:, 0] = past[:, -1]
        past = past[:, :-1]
    booked = np.concatenate([past[:, -LAGS:], coming], axis=1)
    return Inflow(ahead, booked, usual, pace_error, ratio, ratio_n, lag, inflation, to_come)


def ahead_of(as_of: pd.Timestamp, n: int) -> pd.DatetimeIndex:
    """The Mondays of the weeks ahead; the first week holds the day after."""
    first = as_of + DAY
    return pd.date_range(first - first.weekday() * DAY, periods=n, freq="7D", unit="us")


def next_weeks(as_of: pd.Timestamp, n: int) -> np.ndarray:
    """Days from `as_of` to the end of each of the weeks ahead."""
    return ((ahead_of(as_of, n) + WEEK - DAY) - as_of).days.to_numpy()


def lagged(booked: np.ndarray, lag: np.ndarray) -> np.ndarray:
    """What is due in each week of what was booked before."""
    n = booked.shape[1]
    return np.asarray(
        sum(share * np.pad(booked, ((0, 0), (back, 0)))[:, :n] for back, share in enumerate(lag))
    )


def deals_created(team: Team, weeks: Weekly) -> np.ndarray:
    """Deals created by rep and week; whoever owned the deal first has created it."""
    deals = team.deals
    first = team.stage_changes.dropna(subset="rep_id").sort_values(["entered_at", "rep_id"])
    owner = first.drop_duplicates("deal_id").set_index("deal_id")["rep_id"]
    owner = look_up(deals["deal_id"], owner).fillna(deals["rep_id"])
    rep, n_weeks = weeks.rep_id.get_indexer(pd.Index(owner)), len(weeks.week)
    week = ((deals["created_on"] - weeks.week.min()).dt.days // 7).fillna(-1).to_numpy(int)
    inside = (rep >= 0) & (week >= 0) & (week < n_weeks)
    shape = (len(weeks.rep_id), n_weeks)
    code = rep[inside] * n_weeks + week[inside]
    return np.bincount(code, minlength=shape[0] * shape[1]).reshape(shape)


def _ratios(
    booked: np.ndarray, created: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Deals per meeting of each rep, shrunken towards the team's; the lag; the inflation.

    The lag is that of a regression of deals on the meetings of the weeks before, no share below
    0; the ratio is a gamma prior (the team's) updated by what came of the rep's own meetings.
    """
    last = max(booked.shape[1] - LOOK_BACK, min(LAGS - 1, booked.shape[1]))
    back = [np.pad(booked, ((0, 0), (k, 0)))[:, : booked.shape[1]] for k in range(LAGS)]
    x = np.stack([b[:, last:].ravel() for b in back], axis=1).astype(float)
    y = created[:, last:]
    weight = nnls(x, y.ravel().astype(float))[0] if x.any() else np.zeros(LAGS)
    lag = weight / weight.sum() if weight.sum() > 0 else np.eye(LAGS)[1]
    due = lagged(booked, lag)[:, last:]
    made, meetings = y.sum(axis=1).astype(float), due.sum(axis=1)
    team = made.sum() / meetings.sum() if meetings.sum() > 0 else 0.0
    expected = team * meetings
    beyond = ((made - expected) ** 2 - expected).sum() / max((expected**2).sum(), 1e-9)
    own = float(np.clip(1 / beyond if beyond > 0 else np.inf, *OWN))
    ratio = team * (own + made) / (own + expected)
    mean = ratio[:, None] * due
    off = ((y - mean) ** 2).sum() / mean.sum() if mean.sum() > 0 else 1.0
    return ratio, own + made, lag, max(float(off), 1.0)


def _pace(weeks: Weekly, watched: Watched) -> tuple[np.ndarray, np.ndarray]:
    """Booked now against usual, from the last weeks, and its relative error (reps,).

    A gamma prior about the usual level, updated by the last weeks; during an alarm it counts for
    little, and only the weeks since the drop began are looked at.
    """
    n = min(LATELY, watched.expected.shape[1])
    is_alarm = np.asarray(watched.is_alarm[:, -1:].any(axis=1))
    since = np.where(watched.score[:, -n:] > 0, 1.0, np.where(is_alarm, 0.0, 1.0)[:, None])
    counted = (weeks.count[:, -n:] * since * (watched.expected[:, -n:] > 0)).sum(axis=1)
    expected = (watched.expected[:, -n:] * since).sum(axis=1)
    size = watched.size[:, -1] if watched.size.shape[1] else np.ones(len(is_alarm))
    mean = expected / max(n, 1)
    inflation = 1 + mean / size
    prior = np.where(is_alarm, AFTER_ALARM, USUAL)
    shape, rate = prior + counted / inflation, prior + expected / inflation
    return shape / rate, 1 / np.sqrt(shape)


def _at_work(team: Team, rep_id: pd.Index, ahead: pd.DatetimeIndex) -> np.ndarray:
    """Share of each week ahead at work, with leave nobody has planned yet: as much as last year."""
    always = Team(team.settings, {**team.tables, "absences": team.absences.iloc[:0]})
    past = pd.date_range(end=ahead[0] - WEEK, periods=A_YEAR, freq="7D", unit="us")
    work = shares(team, rep_id, ahead)
    with np.errstate(divide="ignore", invalid="ignore"):
        planned = work.sum(axis=0) / shares(always, rep_id, ahead).sum(axis=0)
        usual = shares(team, rep_id, past).sum() / shares(always, rep_id, past).sum()
        return work * np.fmin(usual / planned, 1)  # 1 where nobody was there to tell


def _season(weeks: Weekly, watched: Watched, n_ahead: int) -> np.ndarray:
    """Last year's factors of the weeks ahead, smoothed, against the mean of that year.

    The mean weighs each week by who was at work, as the usual level does.
    """
    past = watched.season
    if len(past) < A_YEAR + LATELY:
        return np.ones(n_ahead)
    smooth = np.convolve(np.pad(past, 1, mode="edge"), np.ones(3) / 3, mode="valid")
    at_work = weeks.exposure[:, -A_YEAR:].sum(axis=0)
    if not at_work.any():
        return np.ones(n_ahead)
    year = smooth[-A_YEAR:] / np.average(smooth[-A_YEAR:], weights=at_work)
    return 1 + SEASON_SHARE * (np.resize(year, n_ahead) - 1)
