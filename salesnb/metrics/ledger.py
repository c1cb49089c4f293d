"""The settled tables of a team, as every metric reads them: each made once."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from salesnb.by_rep import ByRep, by_rep
from salesnb.history import among, look_up
from salesnb.once import once_here
from salesnb.team import Team
from salesnb.visits import settled, visits

DAY = pd.Timedelta(days=1)
MEETINGS = ("meeting", "demo")
# The columns that metrics read, and the tables that tell how deals stood on an earlier day.
DEALS = ["deal_id", "rep_id", "account_id", "created_on", "amount", "expected_close_on"]
DEALS += ["closed_on", "outcome"]
VISITS = ["deal_id", "rep_id", "stage", "outcome", "days", "entered_at", "left_at"]
VISITS += ["is_skipped", "amount"]
ACTIVITIES = ["rep_id", "kind", "outcome", "booked_at", "happens_at"]
LOGS = ("reps", "deals", "stage_changes", "close_date_changes")


class Ledger:
    """The tables of a team as every metric reads them, each made once."""

    def __init__(self, team: Team):
        self.team = team
        self._due: dict[tuple[pd.Timestamp, pd.Timestamp], pd.DataFrame] = {}

    def due(self, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
        """The deals that were due between two days, as known when that time began.

        With `starts_on` and `ends_on` of that time, the owner then, and by its end `is_slipped`:
        still open, or closed only later.
        """
        if (first, last) not in self._due:
            deals = self._logs_before(first).at(first - DAY).deals
            due = deals[deals["outcome"].isna() & deals["expected_close_on"].between(first, last)]
            ended = look_up(due["deal_id"], self.deals.set_index("deal_id")["closed_on"])
            due = due[DEALS].assign(starts_on=first, ends_on=last, is_slipped=~(ended <= last))
            self._due[first, last] = due
        return self._due[first, last]

    def _logs_before(self, day: pd.Timestamp) -> Team:
        """As much of the team as tells how the deals stood that were open just before a day."""
        logs = {name: self.team.tables[name] for name in LOGS if self.team.has(name)}
        deals = logs["deals"]
        was_open = (deals["created_on"] < day) & ~(deals["closed_on"] < day)
        kept = deals.loc[was_open, "deal_id"]
        for name in set(logs) - {"reps"}:
            logs[name] = logs[name][among(logs[name]["deal_id"], kept)]
        return Team(self.team.settings, logs)

    @property
    def deals(self) -> pd.DataFrame:
        """Deals as they stand: a reopened one is open."""
        return _deals(self.team)

    def deals_of(self, reps: Iterable[str]) -> pd.DataFrame:
        """The deals of these reps, by rep."""
        return _of(_by_owner(self.team), reps)

    @property
    def all_visits(self) -> pd.DataFrame:
        """Stage visits with all they carry."""
        return visits(self.team)

    @property
    def visits(self) -> pd.DataFrame:
        """Stage visits with the outcome of their deal and its day, blank while open."""
        return _visits(self.team)

    def calls(self, reps: Iterable[str] | None = None) -> pd.DataFrame:
        """Calls, of these reps or of all."""
        return _of(_calls(self.team), reps)

    def meetings(self, reps: Iterable[str] | None = None) -> pd.DataFrame:
        """Meetings and demos; without a day of booking, booked on the day they took place."""
        return _of(_meetings(self.team), reps)

    @property
    def meetings_end(self) -> frozenset[str]:
        """How meetings and demos may end, by this team's records: the outcomes that occur."""
        return _meetings_end(self.team)

    @property
    def close_dates(self) -> pd.DataFrame:
        """Expected close dates as they were set: with the one before, `from_on`, and the rep."""
        return _close_dates(self.team)

    @property
    def open_deals(self) -> pd.DataFrame:
        """Deals open on `as_of`, with `age_days` since they were created."""
        return _open_deals(self.team)


@once_here
def ledger(team: Team) -> Ledger:
    """The ledger of a team, kept for the next question: a team never changes."""
    return Ledger(team)


@once_here
def _deals(team: Team) -> pd.DataFrame:
    return settled(team)[DEALS]


@once_here
def _by_owner(team: Team) -> ByRep:
    return by_rep(_deals(team))


@once_here
def _visits(team: Team) -> pd.DataFrame:
    deals, found = _deals(team).set_index("deal_id"), visits(team)[VISITS]
    for column, of_deal in (("outcome", "deal_outcome"), ("closed_on", "deal_closed_on")):
        found[of_deal] = look_up(found["deal_id"], deals[column])
    return found


@once_here
def _calls(team: Team) -> ByRep:
    return by_rep(_of_kind(team, ("call",)))


@once_here
def _meetings(team: Team) -> ByRep:
    return by_rep(_of_kind(team, MEETINGS))


@once_here
def _meetings_end(team: Team) -> frozenset[str]:
    return frozenset(_meetings(team).rows["outcome"].dropna().unique())


def _of_kind(team: Team, kinds: tuple[str, ...]) -> pd.DataFrame:
    rows = team.activities
    place = np.flatnonzero(rows["kind"].isin(kinds))  # in the table, where all else of them stands
    rows = rows[ACTIVITIES].iloc[place]
    return rows.assign(booked_at=rows["booked_at"].fillna(rows["happens_at"]), row=place)


def _of(found: ByRep, reps: Iterable[str] | None) -> pd.DataFrame:
    return found.rows if reps is None else found.of(*reps)


@once_here
def _close_dates(team: Team) -> pd.DataFrame:
    log = team.close_date_changes
    log = log.sort_values(["deal_id", "changed_at", "expected_close_on"], kind="stable")
    log["from_on"] = log.groupby("deal_id")["expected_close_on"].shift()
    return log.merge(_deals(team)[["deal_id", "rep_id"]], on="deal_id")


@once_here
def _open_deals(team: Team) -> pd.DataFrame:
    deals = _deals(team)
    deals = deals[deals["outcome"].isna()]
    return deals.assign(age_days=(team.as_of - deals["created_on"]).dt.days.astype(float))
