"""What a metric sees: a period of a team, and for whom each row counts."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from salesnb import cells, stats, units
from salesnb.errors import DataError
from salesnb.language import say
from salesnb.metrics.ledger import DAY, Ledger
from salesnb.metrics.presence import days_at_work
from salesnb.team import Team

GROUP = ""  # the scope of everybody in view together; every other scope is a rep_id


@dataclass(frozen=True)
class View:
    """A period of a team, and who counts for what.

    members : rep_id, scope; a rep counts for themself and for the `GROUP`
    starts_on, ends_on : the period, both days within
    always : scopes that are answered even where nobody counts for them
    """

    ledger: Ledger
    members: pd.DataFrame
    starts_on: pd.Timestamp
    ends_on: pd.Timestamp
    always: tuple[str, ...] = ()

    @property
    def team(self) -> Team:
        """The team as exported; its open pipeline is that of `as_of`, whatever the period."""
        return self.ledger.team

    @cached_property
    def scopes(self) -> pd.Index:
        """Every scope, in order; the group comes first."""
        return pd.Index(sorted({*self.members["scope"], *self.always}), dtype="str")

    @cached_property
    def _codes(self) -> pd.DataFrame:
        codes = self.scopes.get_indexer(pd.Index(self.members["scope"]))
        return pd.DataFrame({"rep_id": self.members["rep_id"], "scope": codes})

    def scoped(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Each row once for every scope its rep counts in: adds ``scope``, a code."""
        return rows.merge(self._codes, on="rep_id")

    def labels(self, by_stage: bool = False) -> pd.DataFrame:
        """One row per group of the answer: its scope, and its stage if asked for."""
        if not by_stage:
            return pd.DataFrame({"scope": self.scopes})
        stages = pd.Index(self.team.stages, dtype="str")
        every = pd.MultiIndex.from_product([self.scopes, stages], names=["scope", "stage"])
        return every.to_frame(index=False)

    def codes(self, rows: pd.DataFrame, by_stage: bool = False) -> np.ndarray:
        """For each of the scoped rows, which row of `labels` it belongs to."""
        scope = rows["scope"].to_numpy(int)
        if not by_stage:
            return scope
        return scope * len(self.team.stages) + rows["stage"].cat.codes.to_numpy(int)

    def within(self, days: pd.Series) -> pd.Series:
        """Which days or times fall into the period."""
        return (days >= self.starts_on) & (days < self.ends_on + DAY)

    @cached_property
    def created(self) -> pd.DataFrame:
        """Deals created in the period, with the days waited until the close or `as_of`."""
        deals = self.ledger.deals_of(self.members["rep_id"])
        deals = deals[self.within(deals["created_on"])]
        waited = deals["closed_on"].fillna(self.team.as_of) - deals["created_on"]
        return self.scoped(deals.assign(days=waited.dt.days.clip(lower=0)))

    @cached_property
    def closed(self) -> pd.DataFrame:
        """Deals closed in the period, with their days from creation to close."""
        deals = self.ledger.deals_of(self.members["rep_id"])
        deals = deals[self.within(deals["closed_on"])]
        cycle = (deals["closed_on"] - deals["created_on"]).dt.days
        return self.scoped(deals.assign(days=cycle.astype(float)))

    @cached_property
    def won(self) -> pd.DataFrame:
        """Deals won in the period."""
        return self.closed[self.closed["outcome"] == "won"]

    @cached_property
    def open(self) -> pd.DataFrame:
        """Deals open on `as_of`."""
        return self.scoped(self.ledger.open_deals)

    @cached_property
    def entered(self) -> pd.DataFrame:
        """Stage visits that began in the period; a skipped stage was passed on leaving it."""
        seen = self.ledger.visits
        return self.scoped(seen[self.within(seen["entered_at"].fillna(seen["left_at"]))])

    @cached_property
    def stage_waits(self) -> pd.DataFrame:
        """How long visits that began in the period take, by `labels` with stage: `incidence`.

        Skipped visits took no time in the stage and are left out; open ones are censored.
        """
        rows = self.entered[~self.entered["is_skipped"]]
        event = (rows["outcome"] != "open").to_numpy(int)
        return stats.incidence(rows["days"].to_numpy(), event, self.codes(rows, by_stage=True))

    @cached_property
    def left(self) -> pd.DataFrame:
        """Stage visits that ended in the period."""
        return self.scoped(self.ledger.visits[self.within(self.ledger.visits["left_at"])])

    @cached_property
    def calls(self) -> pd.DataFrame:
        """Calls made in the period."""
        rows = self.ledger.calls(self.members["rep_id"])
        return self.scoped(rows[self.within(rows["happens_at"])])

    @cached_property
    def meetings(self) -> pd.DataFrame:
        """Meetings and demos that were due in the period."""
        rows = self.ledger.meetings(self.members["rep_id"])
        return self.scoped(rows[self.within(rows["happens_at"])])

    @cached_property
    def booked(self) -> pd.DataFrame:
        """Meetings and demos booked in the period, whenever they take place."""
        rows = self.ledger.meetings(self.members["rep_id"])
        return self.scoped(rows[self.within(rows["booked_at"])])

    @cached_property
    def at_work(self) -> pd.DataFrame:
        """Which days of the period each rep of the team was at work."""
        return days_at_work(self.team, self.starts_on, self.ends_on)

    @cached_property
    def due(self) -> pd.DataFrame:
        """Deals that were due in each whole quarter of the period: see `Ledger.due`."""
        return self.scoped(pd.concat([self.ledger.due(*quarter) for quarter in quarters(self)]))


def period(
    team: Team, starts_on: str | None, ends_on: str | None
) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First and last day; by default the twelve months up to `as_of`.

    Raises `DataError` if a day cannot be read, the period ends before it starts, or it has not
    begun on `as_of`.
    """
    last = min(cells.day(ends_on, "ends_on"), team.as_of) if ends_on else team.as_of
    first = cells.day(starts_on, "starts_on") if starts_on else last + DAY - pd.DateOffset(years=1)
    if first > last:
        raise DataError(f"The period {first.date()} to {last.date()} holds no day before as_of.")
    return first.as_unit("us"), last.as_unit("us")


def in_words(first: pd.Timestamp, last: pd.Timestamp) -> str:
    """A period for a headline: "in the 12 months to 30 June 2026".""" ""
    if first == last + DAY - pd.DateOffset(years=1):
        return say("in the 12 months to {day}", day=units.day(last))
    return say("from {first} to {last}", first=units.day(first), last=units.day(last))


def quarters(view: View) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    """The whole fiscal quarters within the period; the period itself if it holds none."""
    first_month = view.team.settings.fiscal_year_starts
    starts = pd.date_range(view.starts_on, view.ends_on, freq="MS", unit="us")
    starts = starts[(starts.month - first_month) % 3 == 0]
    whole = [(day, day + pd.DateOffset(months=3) - DAY) for day in starts]
    inside = [(first, last.as_unit("us")) for first, last in whole if last <= view.ends_on]
    return inside or [(view.starts_on, view.ends_on)]
