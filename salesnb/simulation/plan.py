"""What was asked of a simulation, and the dice that each of its parts throws."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from salesnb.errors import DataError

COUNTRY = "HU"
TIMEZONE = "Europe/Budapest"
STAGES = ("Qualification", "Discovery", "Demo", "Proposal", "Negotiation")
SKILLS = {
    "Qualification": ("qualifying",),
    "Discovery": ("needs discovery",),
    "Demo": ("presenting",),
    "Proposal": ("business case",),
    "Negotiation": ("negotiation", "value defence"),
}
MOST_REPS = 20_000  # as many as there are names, with an initial in the middle
AHEAD = 60  # days after as_of that bookings and planned leave may reach


@dataclass(frozen=True)
class Plan:
    """The options of `simulate`, checked; days are counted from `start`, which is day 0."""

    seed: int
    reps: int
    deals_per_rep: int
    months: int
    as_of: pd.Timestamp
    leak_share: float
    leak_shift: tuple[float, float]
    strength_share: float
    strength_shift: tuple[float, float]
    skill_sd: float
    coaching_effect: float
    coached_share: float
    course_effect: float
    drop_share: float
    behind_share: float
    null: bool

    def __post_init__(self) -> None:
        for name, low, high in (
            ("seed", 0, np.inf),
            ("reps", 1, MOST_REPS),
            ("deals_per_rep", 1, np.inf),
            ("months", 6, 120),
            ("leak_share", 0, 1),
            ("strength_share", 0, 1 - self.leak_share),
            ("skill_sd", 0, 1),
            ("coached_share", 0, 1),
            ("drop_share", 0, 1),
            ("behind_share", 0, 1),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise DataError(f"{name} must lie between {low:g} and {high:g}, not {value!r}.")
        for name in ("leak_shift", "strength_shift"):
            if len(value := getattr(self, name)) != 2 or value[0] > value[1]:
                raise DataError(f"{name} must be (lowest, highest), not {value!r}.")

    @cached_property
    def start(self) -> pd.Timestamp:
        """The first day of the history."""
        first = self.as_of + pd.Timedelta(days=1) - pd.DateOffset(months=self.months)
        return first.as_unit("us")

    @cached_property
    def n_days(self) -> int:
        """Days of history, `as_of` included."""
        return (self.as_of - self.start).days + 1

    @cached_property
    def horizon(self) -> int:
        """Days that the calendar covers: the history and what is planned after it."""
        return self.n_days + AHEAD

    @cached_property
    def days(self) -> pd.DatetimeIndex:
        """Every day of the calendar."""
        return pd.date_range(self.start, periods=self.horizon, unit="us")

    def day_of(self, when: str | pd.Timestamp) -> int:
        """The number of a day."""
        return (pd.Timestamp(when) - self.start).days

    def weekday(self, day: np.ndarray) -> np.ndarray:
        """0 is Monday."""
        return (self.start.day_of_week + day) % 7

    def dice(self, part: str) -> np.random.Generator:
        """The random numbers of one part; what another part draws does not disturb them."""
        own = np.random.SeedSequence(self.seed, spawn_key=tuple(part.encode()))
        return np.random.Generator(np.random.PCG64(own))

    def quarters(self) -> list[tuple[int, int]]:
        """First day of each calendar quarter within the history, and of the next one."""
        starts = pd.date_range(self.start, self.as_of, freq="QS")
        return [(self.day_of(q), self.day_of(q + pd.DateOffset(months=3))) for q in starts]
