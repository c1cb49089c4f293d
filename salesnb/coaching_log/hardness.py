"""Are a rep's deals harder than those of the others? The typical rep's odds, run over both.

"The leads are bad" can be tested as far as deals are described: their segment, source, product,
amount, competitor and company. What these traits mean for the odds is learnt from other reps'
deals alone, or a rep's own weakness would make their deals look hard.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import t

from salesnb import leaks, stage_model, stats
from salesnb.history import look_up
from salesnb.metrics.answers import PEERS
from salesnb.once import once
from salesnb.stage_model.covariates import covariates
from salesnb.team import Team

YEAR = pd.Timedelta(days=365)
FOLDS = 5  # reps are learnt from in so many turns
FEWEST = 20  # deals of the last year below which nothing is said
CHANCE = 0.05
ALIKE = 0.2  # of the others' chance: a difference that would change nobody's mind
MOMENTS = ("entered", "tenure")  # of the time and of the rep, not of the deal


@dataclass(frozen=True)
class Hardness:
    """The typical rep's chance to win the deals that a rep got in the last year.

    typical_rate, other_rate : on these deals, and on those of the others
    gap_low, gap_high : 90 % interval of the difference
    p : of so large a difference, were the deals of one kind
    n, n_others : deals
    """

    typical_rate: float
    other_rate: float
    gap_low: float
    gap_high: float
    p: float
    n: int
    n_others: int

    @property
    def verdict(self) -> str:
        """``harder``, ``easier``, ``alike`` or, where the interval is too wide, empty."""
        if self.p < CHANCE:
            return "harder" if self.typical_rate < self.other_rate else "easier"
        widest = max(-self.gap_low, self.gap_high)
        return "alike" if widest < ALIKE * self.other_rate else ""


@dataclass(frozen=True, eq=False)
class _Scored:
    """The deals of the last year by the odds that some of the reps' deals taught.

    deals : rep_id (the owner), account
    codes : (deals, traits) levels of the covariates; n_levels of them in all
    chance : that a typical rep wins
    slope : (deals, stages) of that chance by the logit at each stage
    covariances : of the stage's level and the covariates' levels, by stage
    """

    deals: pd.DataFrame
    codes: np.ndarray
    chance: np.ndarray
    slope: np.ndarray
    covariances: list[np.ndarray]


def hardness(team: Team, rep_id: str) -> Hardness | None:
    """How hard a rep's deals of the last year are; None where nothing can be said.

    The difference of two means of a typical rep's chance to win. Its variance is that of the
    deals that happened to come, deals of one company being one case (Liang and Zeger 1986), and
    that of the odds themselves, by the delta method; a t test.

    Nothing is said without stage history, below 20 deals, and with fewer than three colleagues:
    the typical rep would be a person.
    """
    others = team.reps.loc[team.reps["rep_id"] != rep_id, "rep_id"]
    if not team.has("stage_changes") or len(others) < PEERS:
        return None
    fold = int(pd.Index(team.reps["rep_id"]).sort_values().get_loc(rep_id)) % FOLDS
    scored = _scored(team)[fold]
    owner = scored.deals["rep_id"]
    own = (owner == rep_id).to_numpy()
    if own.sum() < FEWEST or owner[~own].nunique() < PEERS:
        return None
    return _compared(scored, own)


def _compared(scored: _Scored, own: np.ndarray) -> Hardness:
    weight = np.where(own, 1 / own.sum(), -1 / (~own).sum())
    gap = float(weight @ scored.chance)
    sd = float(np.sqrt(_of_draw(scored, own) + _of_odds(scored, weight)))
    free = scored.deals.loc[own, "account"].nunique() - 1
    half = float(t.ppf((1 + stats.LEVEL) / 2, max(free, 1))) * sd
    p = 2 * t.sf(abs(gap) / sd, max(free, 1)) if sd > 0 else 1.0
    return Hardness(
        typical_rate=float(scored.chance[own].mean()),
        other_rate=float(scored.chance[~own].mean()),
        gap_low=gap - half,
        gap_high=gap + half,
        p=float(p),
        n=int(own.sum()),
        n_others=int((~own).sum()),
    )


def _of_draw(scored: _Scored, own: np.ndarray) -> float:
    """Variance of the difference from which deals came: companies are drawn, not deals."""
    found = 0.0
    for rows in (own, ~own):
        off = scored.chance[rows] - scored.chance[rows].mean()
        by_account = np.bincount(pd.factorize(scored.deals.loc[rows, "account"])[0], off)
        n = len(by_account)
        found += n / max(n - 1, 1) * float((by_account**2).sum()) / rows.sum() ** 2
    return found


def _of_odds(scored: _Scored, weight: np.ndarray) -> float:
    """Variance of the difference from the odds' being estimated."""
    found = 0.0
    for stage, covariance in enumerate(scored.covariances):
        pull = weight * scored.slope[:, stage]
        lean = np.zeros(len(covariance))
        lean[0] = pull.sum()  # the stage's own level
        for column in scored.codes.T:
            lean[1:] += np.bincount(column, pull, len(covariance) - 1)
        found += float(lean @ covariance @ lean)
    return found


@once
def _scored(team: Team) -> list[_Scored]:
    """For each fold the deals by the odds that the deals of all reps but those in it taught."""
    visits = leaks.known_on_entry(team)
    reps = pd.Index(team.reps["rep_id"]).sort_values()
    return [_without(team, visits, reps[fold::FOLDS]) for fold in range(FOLDS)]


def _without(team: Team, visits: pd.DataFrame, hidden: pd.Index) -> _Scored:
    is_hidden = visits["rep_id"].isin(hidden)
    # A visit of unknown age that is still open teaches nothing.
    fitted = stage_model.fit(
        visits.assign(
            outcome=visits["outcome"].mask(is_hidden, "open"),
            days=visits["days"].mask(is_hidden),
        )
    )
    known = covariates(fitted.visits)
    is_trait = np.array([name not in MOMENTS for name in known.names], bool)
    rows = _first_visits(team, fitted.visits)
    chances = fitted.chances
    codes = chances.codes[rows][:, is_trait]
    p = np.ones((len(rows), len(fitted.stages)))
    for stage, of_stage in enumerate(chances.rows):
        level = chances.stage_effect[stage]
        when = chances.own[stage][chances.codes[of_stage][:, ~is_trait]].sum(axis=1)
        level += when.mean() if len(when) else 0.0
        p[:, stage] = expit(level + chances.own[stage][codes].sum(axis=1))
    chance = p.prod(axis=1)
    deals = fitted.visits.iloc[rows][["deal_id", "account_id"]].reset_index(drop=True)
    owner = look_up(deals["deal_id"], team.deals.set_index("deal_id")["rep_id"])
    deals = deals.assign(rep_id=owner, account=deals["account_id"].fillna(deals["deal_id"]))
    covariances = [chances.covariance(stage) for stage in range(len(fitted.stages))]
    return _Scored(deals, codes, chance, chance[:, None] * (1 - p), covariances)


def _first_visits(team: Team, visits: pd.DataFrame) -> np.ndarray:
    """The row of the first stage that each deal of the last year is known to have reached."""
    created = look_up(visits["deal_id"], team.deals.set_index("deal_id")["created_on"])
    is_recent = (created > team.as_of - YEAR) | (not team.settings.is_dated)
    return np.flatnonzero(is_recent & ~visits["deal_id"].duplicated())
