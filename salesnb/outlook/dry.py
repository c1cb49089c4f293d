"""When the pipeline runs dry: the weeks ahead of each rep as a table."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.stats import gamma

from salesnb.errors import DataError
from salesnb.language import say
from salesnb.once import once
from salesnb.outlook.book import book
from salesnb.outlook.draws import Outlook, ahead, outlook, response
from salesnb.outlook.hindsight import KINDS, Hindsight, band, hindsight
from salesnb.stats import LEVEL
from salesnb.team import Team

QUARTER = 13  # weeks
ROOM = 2  # weeks from the last extra meeting until deals have come of it
MOST_WEEKS = 10
ENDS = ("", "_low", "_high")
COLUMNS = ["rep_id", "week", "n_meetings", *(f"open_amount{end}" for end in ENDS), "needed_amount"]
COLUMNS += ["coverage_ratio", "required_ratio", *(f"won_amount{end}" for end in ENDS)]
COLUMNS += ["quota_amount", "is_dry", "dry_share", "dry_on", *(f"dry_weeks{end}" for end in ENDS)]
COLUMNS += [f"extra_meetings{end}" for end in ENDS]


@dataclass(frozen=True, eq=False)
class Dry:
    """The outlook of a team's reps, of all together where `rep_id` is blank.

    weeks : of extra meetings; with_team : whether all together are shown before each of them
    """

    team: Team
    outlook: Outlook
    hindsight: Hindsight
    weeks: int
    with_team: bool

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per rep and week, the next week first; all reps together before each of them."""
        parts = [self._rows(list(range(len(self.outlook.rep_id))), None)] if self.with_team else []
        parts += [self._rows([rep], name) for rep, name in enumerate(self.outlook.rep_id)]
        table = pd.concat(parts, ignore_index=True)
        return table.sort_values("week", kind="stable", ignore_index=True)[COLUMNS]

    def weeks_of(self, rep_id: str | None) -> pd.DataFrame:
        """The rows of one rep, or of all together."""
        own = self.table["rep_id"].isna() if pd.isna(rep_id) else self.table["rep_id"] == rep_id
        return self.table[own]

    def _rows(self, reps: list[int], rep_id: str | None) -> pd.DataFrame:
        seen, is_team = self.outlook, rep_id is None
        week = seen.inflow.week
        n = len(week)
        rows = pd.DataFrame({"week": week, "rep_id": pd.Series([rep_id] * n, dtype="str")})
        rows["n_meetings"] = seen.inflow.booked[reps, -n:].sum(axis=0)
        for kind in KINDS:
            drawn = getattr(seen, kind)[reps].sum(axis=0)
            low, middle, high = band(drawn, self.hindsight.wider[kind, is_team])
            rows[kind], rows[f"{kind}_low"], rows[f"{kind}_high"] = middle, low, high
        quota, needed = (
            getattr(seen, name)[reps].sum(axis=0) for name in ("next_quota_amount", "needed_amount")
        )
        rows["needed_amount"], rows["quota_amount"] = needed, seen.quota_amount[reps].sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            rows["coverage_ratio"] = np.where(quota > 0, rows["open_amount"] / quota, np.nan)
            rows["required_ratio"] = np.where(quota > 0, needed / quota, np.nan)
        rows["is_dry"] = rows["open_amount"] < needed
        rows["dry_share"] = self._dry_share(reps, rows)
        for end in ENDS:
            short = np.flatnonzero(rows[f"open_amount{end}"].to_numpy() < needed)
            rows[f"dry_weeks{end}"] = float(short[0]) if len(short) else np.nan
        rows["dry_on"] = week[rows["is_dry"]].min()
        for end, extra in zip(ENDS, self._extra(reps, rows), strict=True):
            rows[f"extra_meetings{end}"] = extra
        return rows.astype({"dry_on": "datetime64[us]"})

    def _dry_share(self, reps: list[int], rows: pd.DataFrame) -> np.ndarray:
        """Share of draws that fall short, what is needed being no surer than its evidence."""
        drawn, middle = self.outlook.open_amount[reps].sum(axis=0), rows["open_amount"].to_numpy()
        wider = self.hindsight.wider["open_amount", bool(rows["rep_id"].isna().any())]
        drawn = middle[:, None] + wider * (drawn - middle[:, None])
        evidence = self.outlook.needed_n[reps].sum()
        off = np.random.default_rng(len(reps)).gamma(evidence, 1 / evidence, drawn.shape[1])
        needed = rows["needed_amount"].to_numpy()[:, None] / off
        return np.where(np.isnan(needed[:, 0]), np.nan, (drawn < needed).mean(axis=1))

    def _extra(self, reps: list[int], rows: pd.DataFrame) -> tuple[float, float, float]:
        """More meetings a week that close the gap for the rest of the quarter, for each rep.

        With the 90 % interval of the ratio of deals to meetings; NaN where no meeting of these
        reps has become a deal.
        """
        ahead = slice(min(self.weeks + ROOM, QUARTER - 1), QUARTER)
        gap = (rows["needed_amount"] - rows["open_amount"]).to_numpy()[ahead]
        gain = response(self.outlook, self.weeks)[reps].mean(axis=0)[ahead]
        if np.isnan(gap).any() or not (gain > 0).all():
            return (np.nan,) * 3
        extra = max(float((gap / gain).max()), 0.0)
        evidence, tail = self.outlook.inflow.ratio_n[reps].sum(), (1 - LEVEL) / 2
        worst, best = gamma.ppf([tail, 1 - tail], evidence, scale=1 / evidence)
        return extra, extra / best, extra / worst


def dry(team: Team, rep_id: str | None, weeks: int) -> Dry:
    """The outlook of all reps, or of one; `why_not` must have found nothing against it.

    Raises
    ------
    DataError
        `weeks` is not between 1 and 10.
    """
    if not 1 <= weeks <= MOST_WEEKS:
        raise DataError(f"weeks: found {weeks!r}, expected a whole number from 1 to {MOST_WEEKS}.")
    if rep_id is None:
        return Dry(team, outlook(team), hindsight(team, of_all=True), weeks, True)
    known = ahead(team)
    here = known.drawn(np.flatnonzero(known.book.rep_id == rep_id))
    return Dry(team, here, hindsight(team), weeks, False)


def why_not(team: Team, rep_id: str | None) -> str:
    """Why there is nothing to forecast from, in a sentence; blank if there is."""
    if not _has_meetings(team):
        return say("No meetings are recorded: without them no dry date can be told.")
    if team.deals.empty:
        return say("No deals are recorded: nothing to tell a dry date from.")
    here = book(team).rep_id
    if rep_id is None:
        if len(here):
            return ""
        return say("Nobody is on the team now who has deals or meetings on record.")
    if rep_id in here:
        return ""
    name = team.reps.set_index("rep_id")["name"][rep_id]
    return say("{name}: not on the team now, or neither deals nor meetings on record.", name=name)


@once
def _has_meetings(team: Team) -> bool:
    return bool((team.activities["kind"] == "meeting").any())


def empty() -> pd.DataFrame:
    """The table without rows."""
    blank = pd.DataFrame({name: pd.Series(dtype="float64") for name in COLUMNS})
    day = "datetime64[us]"
    return blank.astype({"rep_id": "str", "week": day, "is_dry": "bool", "dry_on": day})
