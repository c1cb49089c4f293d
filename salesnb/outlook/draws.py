"""The weeks ahead: open pipeline and won amount of each rep, drawn from meetings to wins."""

from dataclasses import dataclass
from zlib import crc32

import numpy as np
import pandas as pd

from salesnb.once import once
from salesnb.outlook import paths
from salesnb.outlook.book import Book, book
from salesnb.outlook.inflow import LAGS, Inflow, inflow, next_weeks
from salesnb.outlook.needs import QUARTER, quota_by_day, required_coverage
from salesnb.team import Team
from salesnb.warning import watched
from salesnb.weekly import weekly

AHEAD = 26  # weeks
DRAWS, PROBES = 300, 1000


@dataclass(frozen=True)
class Deals:
    """Deals of one rep in all draws, one entry each: begin and close in days from now."""

    draw: np.ndarray
    amount: np.ndarray
    begins: np.ndarray
    closes: np.ndarray
    is_won: np.ndarray

    def by_week(
        self, day: np.ndarray, ends: np.ndarray, which: np.ndarray | None = None
    ) -> np.ndarray:
        """Amount of those whose `day` lies before each week's end (weeks x draws)."""
        week, n = np.searchsorted(ends, day), len(ends)
        who = (week < n) if which is None else (week < n) & which
        cells = np.bincount(week[who] * DRAWS + self.draw[who], self.amount[who], n * DRAWS)
        return cells.reshape(n, DRAWS).cumsum(axis=0)


@dataclass(frozen=True, eq=False)
class Outlook:
    """What lies ahead of each rep, and what the quota needs.

    rep_id : (reps,); inflow : its rows are those of the same reps
    open_amount : open at the end of each week (reps x weeks x draws)
    won_amount : won from now to the end of each week (reps x weeks x draws)
    quota_amount : quota from now to the end of each week (reps x weeks)
    needed_amount : open amount that the quota of the quarter after each week needs (reps x weeks)
    next_quota_amount : that quota (reps x weeks)
    needed_n : the wins' worth of evidence behind what is needed (reps,)
    added_amount : open after 0, 1, 2 ... weeks, of a deal that begins now (reps x weeks)
    has_quota : whether a quota was set; else last year's wins stand for it (reps,)
    """

    rep_id: pd.Index
    inflow: Inflow
    open_amount: np.ndarray
    won_amount: np.ndarray
    quota_amount: np.ndarray
    needed_amount: np.ndarray
    next_quota_amount: np.ndarray
    needed_n: np.ndarray
    added_amount: np.ndarray
    has_quota: np.ndarray


@dataclass(frozen=True, eq=False)
class Ahead:
    """What is known of the weeks ahead before anything is drawn; see `Outlook` for the arrays."""

    book: Book
    inflow: Inflow
    quota_amount: np.ndarray
    needed_amount: np.ndarray
    next_quota_amount: np.ndarray
    needed_n: np.ndarray
    has_quota: np.ndarray

    def drawn(self, reps: np.ndarray | None = None) -> Outlook:
        """Draw the weeks ahead of these reps, by their places in the book; of all by default.

        Open deals go on as earlier ones did that had waited as long in their stage; new ones come
        from the meetings booked and to be booked, by the rep's own ratio. Odds and ratios are
        shrunken towards the team's, and their uncertainty is drawn with the rest (a parametric
        bootstrap; a rep's dice are the same in every run, whoever else is drawn).
        """
        rep_id, n_weeks = self.book.rep_id, len(self.inflow.week)
        who = np.arange(len(rep_id)) if reps is None else reps
        ends = next_weeks(self.book.team.as_of, n_weeks)
        drawn = [draw(self.book, self.inflow, rep, ends) for rep in who.tolist()]
        open_amount, won_amount, added = (
            np.array([each[part] for each in drawn]).reshape(len(who), n_weeks, n)
            for part, n in enumerate((DRAWS, DRAWS, 1))
        )
        return Outlook(
            rep_id=rep_id[who],
            inflow=self.inflow.of(who),
            open_amount=open_amount,
            won_amount=won_amount,
            quota_amount=self.quota_amount[who],
            needed_amount=self.needed_amount[who],
            next_quota_amount=self.next_quota_amount[who],
            needed_n=self.needed_n[who],
            added_amount=added[:, :, 0],
            has_quota=self.has_quota[who],
        )


@once
def ahead(team: Team, n_weeks: int = AHEAD) -> Ahead:
    """What is known of the weeks ahead of everybody on the team.

    Raises
    ------
    DataError
        The team has no activities.
    """
    weeks, deals = weekly(team), book(team)
    # Who has never booked a meeting has no inflow.
    coming = inflow(team, weeks, watched(team), n_weeks).of(weeks.rep_id.get_indexer(deals.rep_id))
    ends = next_weeks(team.as_of, n_weeks)
    per_day, has_quota = quota_by_day(deals, int(ends[-1]) + QUARTER)
    until = np.pad(per_day.cumsum(axis=1), ((0, 0), (1, 0)))
    next_quota = until[:, ends + QUARTER] - until[:, ends]
    coverage, evidence = required_coverage(deals)
    needed = next_quota * coverage[:, None]
    return Ahead(deals, coming, until[:, ends], needed, next_quota, evidence, has_quota)


@once
def outlook(team: Team) -> Outlook:
    """The weeks ahead of everybody on the team, drawn."""
    return ahead(team).drawn()


def draw(
    deals: Book, coming: Inflow, rep: int, ends: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A rep's open and won amount (weeks x draws), and what is left of a new deal by week.

    `ends` are the days from now to the end of each week.
    """
    dice = np.random.default_rng([crc32(deals.rep_id[rep].encode()), 2])
    own, spread = deals.ways.shift[rep], deals.ways.shift_sd[rep]
    shift = own + spread * dice.normal(size=(DRAWS, deals.n_stages))
    both = _old(deals, rep, shift, dice), _new(deals, coming, rep, shift, ends, dice)
    begun = sum(some.by_week(some.begins, ends) for some in both)
    ended = sum(some.by_week(some.closes, ends) for some in both)
    won = sum(some.by_week(some.closes, ends, some.is_won) for some in both)
    return np.maximum(begun - ended, 0), np.asarray(won), _lasts(deals, rep, len(ends), dice)


def _old(deals: Book, rep: int, shift: np.ndarray, dice: np.random.Generator) -> Deals:
    """The open deals of a rep."""
    rows = deals.open[deals.open["rep"] == rep]
    number = np.repeat(np.arange(DRAWS), len(rows))
    stage, waited, size, amount = (
        np.tile(rows[name].to_numpy(), DRAWS) for name in ("stage", "waited", "size", "amount")
    )
    begins = np.zeros(len(number))
    ends = paths.draw(deals.ways, stage, waited, begins, shift[number], size, dice)
    return Deals(number, amount, begins, *ends)


def _new(
    deals: Book,
    coming: Inflow,
    rep: int,
    shift: np.ndarray,
    ends: np.ndarray,
    dice: np.random.Generator,
) -> Deals:
    """The deals that meetings will bring."""
    known, ahead = coming.parts(rep)
    error, evidence = coming.pace_error[rep], max(coming.ratio_n[rep], 1.0)
    pace = dice.gamma(1 / error**2, error**2, DRAWS)
    ratio = dice.gamma(evidence, 1 / evidence, DRAWS)
    mean = ratio[:, None] * (known + pace[:, None] * ahead)
    if coming.inflation > 1:  # gamma-Poisson weeks: negative binomial
        beyond = coming.inflation - 1
        mean = dice.gamma(np.maximum(mean, 1e-9) / beyond, beyond)
    n = dice.poisson(mean)
    number, week = (np.repeat(axis.ravel(), n.ravel()) for axis in np.indices(n.shape))
    first = np.append(0, ends)[:-1]
    begins = first[week] + dice.random(len(week)) * (ends - first)[week]
    amount, size = deals.amounts(rep, len(number), dice)
    none = np.zeros(len(number))
    closed = paths.draw(deals.ways, none.astype(int), none, begins, shift[number], size, dice)
    return Deals(number, amount, begins, *closed)


def _lasts(deals: Book, rep: int, n_weeks: int, dice: np.random.Generator) -> np.ndarray:
    """Amount of a rep's new deal that is still open after 0, 1, 2 ... weeks, on average."""
    amount, size = deals.amounts(rep, PROBES, dice)
    none, shift = np.zeros(PROBES), np.tile(deals.ways.shift[rep], (PROBES, 1))
    closes, _ = paths.draw(deals.ways, none.astype(int), none, none, shift, size, dice)
    return np.array([(amount * (closes > 7 * week)).mean() for week in range(n_weeks)])


def response(found: Outlook, n_weeks: int) -> np.ndarray:
    """Open amount at the end of each week for one more meeting in each of the next weeks.

    Reps x weeks; the meetings are booked from the week after the running one on, for `n_weeks`.
    """
    coming = found.inflow
    ahead = found.open_amount.shape[1]
    begins = np.zeros(LAGS + ahead)
    begins[1 : 1 + n_weeks] = 1.0
    deals = np.convolve(begins, coming.lag)[:ahead]
    open_ = np.array([np.convolve(deals, lasts)[:ahead] for lasts in found.added_amount])
    return coming.ratio[:, None] * open_.reshape(len(found.rep_id), ahead)
