"""How long visits last: log days by stage, outcome and segment, and the rep's own pace.

An accelerated failure time model fitted by Buckley and James' method (1979): a visit that goes
on counts with the time it can be expected to take. The law of the residuals is estimated too, a
normal one smoothed towards what is seen, so that log-normal times are a start and no dogma. Some
lost deals are never closed: how many is a rep's own habit (a cure model, Boag 1949).
"""

import numpy as np
from scipy.special import ndtr

WIDTH = 0.1
EDGES = np.arange(-60, 61) * WIDTH
MIDDLE = (EDGES[1:] + EDGES[:-1]) / 2
N_BINS = len(MIDDLE)
NORMAL = np.diff(ndtr(EDGES)) / np.diff(ndtr(EDGES)).sum()
BELL = np.exp(-0.5 * (np.arange(-6, 7) * WIDTH / 0.15) ** 2)
BELL /= BELL.sum()
NORMAL_VISITS = 20.0  # what the normal law weighs against the visits seen
ADVANCED, LOST = 0, 1
NEVER_CLOSED = 0.1  # of lost deals, to begin with
HABIT = 10.0  # lost deals that the team's habit weighs against the rep's own


class Times:
    """Times of the visits that ended, and of the open ones once as each outcome.

    pace : log days a rep takes more than the typical one, by what it is common to:
        everything, an outcome, a stage
    never_closed : share of each rep's lost deals that stay open for good
    """

    def __init__(
        self,
        log_days: np.ndarray,
        stage: np.ndarray,
        rep: np.ndarray,
        segment: np.ndarray,
        is_lost: np.ndarray,
        is_open: np.ndarray,
    ):
        known = np.isfinite(log_days)
        ended, still = np.flatnonzero(known & ~is_open), np.flatnonzero(known & is_open)
        row = np.r_[ended, still, still]
        outcome = np.repeat([ADVANCED, LOST], len(still))
        outcome = np.r_[is_lost[ended].astype(int), outcome]
        self.n_ended, self.n_open, self.row = len(ended), len(still), row
        self.open = still
        self.log_days, self.law = log_days[row], stage[row] * 2 + outcome
        n_stages, n_reps = stage.max(initial=0) + 1, rep.max(initial=0) + 1
        self.n_laws = 2 * n_stages
        n_segments = segment.max(initial=0) + 1
        self.parts = {
            "kind": (self.law * n_segments + segment[row], self.n_laws * n_segments),
            "rep": (rep[row], n_reps),
            "outcome": (rep[row] * 2 + outcome, 2 * n_reps),
            "stage": (stage[row] * n_reps + rep[row], n_stages * n_reps),
        }
        self.open_rep, self.n_lost = rep[still], np.bincount(rep[is_lost], minlength=n_reps)
        self.never_closed = np.full(n_reps, NEVER_CLOSED)
        self.effect = {name: np.zeros(size) for name, (_, size) in self.parts.items()}
        self.variance = {"kind": 4.0, "rep": 0.1, "outcome": 0.05, "stage": 0.03}
        self._start()

    def _start(self) -> None:
        law, y = self.law[: self.n_ended], self.log_days[: self.n_ended]
        usual = y.mean() if len(y) else 3.0
        n = np.bincount(law, minlength=self.n_laws)
        self.typical = (np.bincount(law, y, self.n_laws) + usual) / (n + 1)
        self.middle = self.typical[self.law]
        off = np.bincount(law, (y - self.typical[law]) ** 2, self.n_laws)
        self.scale = np.sqrt((off + 1) / (n + 1))
        self.expected, self.known = self.log_days, np.ones(len(self.log_days))
        self.density = np.tile(NORMAL, (self.n_laws, 1))
        self._tabulate()
        self._expect()

    def step(self, p_advance: np.ndarray) -> None:
        """One round of the fit, given how likely each open visit is to advance."""
        self._learn_habit(p_advance)
        weight = self.weight(p_advance)
        self._learn_law(weight)
        self._expect()
        precision = weight / self.scale[self.law] ** 2
        none = np.zeros(self.n_laws)
        self.typical += self._move(self.law, self.n_laws, precision, none, 0.5)[0]
        for name, (code, size) in self.parts.items():
            prior = 1 / self.variance[name]
            move, information = self._move(code, size, precision, -self.effect[name] * prior, prior)
            self.effect[name] += move
            seen = information > prior + 1e-6
            if name != "kind" and seen.any():
                spread = self.effect[name][seen] ** 2 + 1 / information[seen]
                self.variance[name] = float(np.clip(spread.mean(), 0.001, 1))
        n = np.bincount(self.law, weight, self.n_laws)
        squares = weight * ((self.expected - self.middle) ** 2 + self.unsure)
        squares = np.bincount(self.law, squares, self.n_laws)
        self.scale = np.clip(np.sqrt((squares + 1) / (n + 2)), 0.2, 2.5)

    def log_odds(self) -> np.ndarray:
        """log of S_advanced(age) / S_lost(age) for each open visit."""
        if_advanced, if_lost = self.log_survival()
        return if_advanced - if_lost

    def pace(self, stage: np.ndarray, segment: np.ndarray) -> np.ndarray:
        """Log days that visits of a segment take to advance, more than others at the stage."""
        kind = self.effect["kind"]
        return kind[(stage * 2 + ADVANCED) * (len(kind) // self.n_laws) + segment]

    def weight(self, p_advance: np.ndarray) -> np.ndarray:
        """What each row counts: an open visit as much as its outcome is likely."""
        will_be_closed = (1 - p_advance) * (1 - self._share_never())
        return np.r_[np.ones(self.n_ended), p_advance, will_be_closed]

    def log_survival(self) -> tuple[np.ndarray, np.ndarray]:
        """log S(age) of each open visit, should it advance and should it be lost."""
        if_advanced, if_closed = self._log_survival()
        never = self.never_closed[self.open_rep]
        return if_advanced, np.log(never + (1 - never) * np.exp(if_closed))

    def _share_never(self) -> np.ndarray:
        """How likely each open visit, if lost, is one that is never closed."""
        never = self.never_closed[self.open_rep]
        return never / (never + (1 - never) * np.exp(self._log_survival()[1]))

    def _learn_habit(self, p_advance: np.ndarray) -> None:
        lost, n_reps = 1 - p_advance, len(self.never_closed)
        never = np.bincount(self.open_rep, lost * self._share_never(), n_reps)
        n = self.n_lost + np.bincount(self.open_rep, lost, n_reps)
        usual = np.clip(never.sum() / max(n.sum(), 1), 0.001, 0.9)
        self.never_closed = (never + HABIT * usual) / (n + HABIT)

    def _log_survival(self) -> tuple[np.ndarray, np.ndarray]:
        still = slice(self.n_ended, None)
        law, place = self.law[still], (self._residual(still) - MIDDLE[0]) / WIDTH
        place = np.clip(place, 0, N_BINS - 1.001)
        below = place.astype(int)
        part, log = place - below, np.log(self.survival)
        found = log[law, below] * (1 - part) + log[law, below + 1] * part
        return found[: self.n_open], found[self.n_open :]

    def unshrunken(
        self, code: np.ndarray, size: int, weight: np.ndarray, effect: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Estimate and variance of effects without the ridge; variance is infinite without data.

        `effect` : what the fit has given these codes so far, `weight` of each row
        """
        precision = weight / self.scale[self.law] ** 2
        gradient = np.bincount(code, precision * (self.expected - self.middle), size)
        information = np.bincount(code, precision * self.known, size)
        with np.errstate(divide="ignore", invalid="ignore"):
            estimate = effect + np.where(information > 0, gradient / information, 0)
            return estimate, 1 / information

    def median(self) -> np.ndarray:
        """Median residual of each law."""
        below = np.cumsum(self.density, axis=1)
        return EDGES[1:][(below < 0.5).sum(axis=1).clip(max=N_BINS - 1)] - WIDTH / 2

    def _move(
        self, code: np.ndarray, size: int, precision: np.ndarray, pull: np.ndarray, prior: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """A Newton step of one set of effects; what open visits do not know weighs less."""
        gradient = np.bincount(code, precision * (self.expected - self.middle), size) + pull
        information = np.bincount(code, precision * self.known, size) + prior
        move = np.clip(gradient / information, -1, 1)
        self.middle = self.middle + move[code]
        self.expected = self.expected + move[code] * (1 - self.known)
        return move, information

    def _residual(self, which: slice) -> np.ndarray:
        return (self.log_days[which] - self.middle[which]) / self.scale[self.law[which]]

    def _bin(self, which: slice) -> np.ndarray:
        place = (self._residual(which) - EDGES[0]) / WIDTH
        return np.clip(place.astype(int), 0, N_BINS - 1)

    def _expect(self) -> None:
        """Expected log days of open visits, their variance, and how much they tell (0-1)."""
        still = slice(self.n_ended, None)
        law, bin_ = self.law[still], self._bin(still)
        scale, z = self.scale[law], self._residual(still)
        mean = np.maximum(self.mean_beyond[law, bin_], z)
        self.expected, self.unsure = self.log_days.copy(), np.zeros(len(self.log_days))
        self.known = np.ones(len(self.log_days))
        self.expected[still] = self.middle[still] + scale * mean
        self.unsure[still] = scale**2 * self.variance_beyond[law, bin_]
        self.known[still] = np.clip(self.hazard[law, bin_] * (mean - z), 0.05, 1)

    def _learn_law(self, weight: np.ndarray) -> None:
        """The residuals' density; open visits are spread over the times still ahead of them."""
        ended, still = slice(None, self.n_ended), slice(self.n_ended, None)
        size = self.n_laws * N_BINS
        seen = np.bincount(self.law[ended] * N_BINS + self._bin(ended), minlength=size)
        place = self.law[still] * N_BINS + self._bin(still)
        per_survivor = weight[still] / self.survival.ravel()[place]
        ahead = np.bincount(place, per_survivor, size).reshape(-1, N_BINS)
        spread = self.density * (np.cumsum(ahead, axis=1) - ahead / 2)
        rows = seen.reshape(-1, N_BINS) + spread
        smooth = np.array([np.convolve(row, BELL, "same") for row in rows])
        density = smooth + NORMAL_VISITS * NORMAL
        self.density = density / density.sum(axis=1, keepdims=True)
        self._tabulate()

    def _tabulate(self) -> None:
        """Survival and what lies beyond, at the middle of each bin of each law."""

        def beyond(values: np.ndarray) -> np.ndarray:
            return np.cumsum(values[:, ::-1], axis=1)[:, ::-1] - values / 2

        f = self.density
        self.survival = np.maximum(beyond(f), 1e-12)
        mean = beyond(f * MIDDLE) / self.survival
        self.mean_beyond = np.maximum(mean, MIDDLE + 0.02)
        square = beyond(f * MIDDLE**2) / self.survival
        self.variance_beyond = np.maximum(square - mean**2, 1e-3)
        self.hazard = np.minimum(f / WIDTH / self.survival, 20.0)
