"""When the pipeline runs dry, in words and as a picture."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter

from salesnb import charts
from salesnb.outlook.dry import QUARTER, Dry
from salesnb.outlook.hindsight import BAND, KINDS, WEEKS
from salesnb.outlook.inflow import LATELY
from salesnb.units import listed, money, number, percent

SURE = 0.9  # who falls short in so many draws of some week of the quarter is named
REACH = 2.0  # nobody books more than so many times the usual meetings
NAMED = 5  # people in one sentence
NO_QUOTA = "no quota: what was won in the last year stands for it."


@dataclass(frozen=True, eq=False)
class Telling:
    """What an outlook says to its reader."""

    found: Dry

    @cached_property
    def now(self) -> pd.DataFrame:
        """The first week's row of each, in the order of the table, with what the weeks after say.

        Adds `name`; `is_sure`: short in 90 % of draws in some week of the quarter; `back_on`:
        from which week on the open pipeline is enough again, NaT if it stays short; `coming` and
        `usual`: meetings a week of the quarter ahead and of a usual week.
        """
        seen = self.found.outlook
        rows = self.found.table.drop_duplicates("rep_id").reset_index(drop=True)
        weeks = [self.found.weeks_of(rep_id) for rep_id in rows["rep_id"]]
        usual = rows["rep_id"].map(pd.Series(seen.inflow.usual, index=seen.rep_id))
        return rows.assign(
            name=rows["rep_id"].map(self.found.team.reps.set_index("rep_id")["name"]),
            is_sure=[bool((w["dry_share"].head(QUARTER) >= SURE).any()) for w in weeks],
            back_on=pd.Series([_back_on(w) for w in weeks], dtype="datetime64[us]"),
            coming=[w["n_meetings"].head(QUARTER).mean() for w in weeks],
            usual=usual.fillna(seen.inflow.usual.sum()),
        )

    @property
    def headline(self) -> str:
        """From which week on the open pipeline is too small, and what would close the gap."""
        now, with_team = self.now, self.found.with_team
        who = "The team" if with_team else now["name"].iloc[0]
        if now["required_ratio"].isna().all():
            return f"{who}: no deal won in the last year tells what the quota needs."
        said = f"{who}: {self._about(now.iloc[0])}."
        if not with_team:
            return said
        reps = now[now["rep_id"].notna()]
        sure = reps[reps["is_sure"]].sort_values(["dry_weeks", "name"], kind="stable")
        if sure.empty:
            return f"{said} No single rep's falls short beyond chance."
        named = [f"{row['name']} {self._short(row)}" for _, row in sure.head(NAMED).iterrows()]
        more = [f"{len(sure) - NAMED} more"] if len(sure) > NAMED else []
        fall = "falls" if len(sure) == 1 else "fall"
        count = f"{len(sure)} of {len(reps)} reps {fall} short beyond chance"
        return f"{said} {count}: {'; '.join([*named, *more])}."

    @property
    def pressing(self) -> str:
        """Of how many the open pipeline falls short by more than chance; empty if of nobody."""
        reps = self.now[self.now["rep_id"].notna()]
        n = int(reps["is_sure"].sum())
        if not n:
            return ""
        fall = "falls" if n == 1 else "fall"
        return (
            f"The open pipelines of {n} of {len(reps)} reps {fall} short of what the quota needs."
        )

    def _about(self, row: pd.Series) -> str:
        """One row in words."""
        if pd.isna(row["dry_weeks"]):
            return self._enough(row)
        if row["dry_weeks"] == 0:
            has, needs = (
                money(row[name], self.found.team.currency)
                for name in ("open_amount", "needed_amount")
            )
            small = "is" if row["is_sure"] else "may be"
            said = f"the open pipeline {small} too small for the quota, {has} of {needs} needed"
        else:
            falls = "falls" if row["is_sure"] else "may fall"
            when = _day(row["dry_on"])
            said = f"the open pipeline {falls} below what the quota needs in the week of {when}"
        if pd.notna(row["back_on"]):
            said += f"; enough again from that of {_day(row['back_on'])} if bookings go on as now"
        return said + self._remedy(row)

    def _enough(self, row: pd.Series) -> str:
        week = self.found.outlook.inflow.week
        said = f"the open pipeline carries the quota to the week of {_day(week[-1])}"
        if row["dry_weeks_low"] > 0:
            until = _day(week[int(row["dry_weeks_low"]) - 1])
            said += f", at the low end of the band only to that of {until}"
        return said

    def _short(self, row: pd.Series) -> str:
        when = "now" if row["dry_weeks"] == 0 else f"from {_day(row['dry_on'])}"
        return when + self._remedy(row)

    def _remedy(self, row: pd.Series) -> str:
        """What would close the gap, if that is within reach."""
        extra, usual = row["extra_meetings"], row["usual"]
        if pd.isna(extra) or extra == 0:
            return ""
        if extra + row["coming"] > REACH * usual:
            return f" (more than meetings alone can close; {number(usual)} a week is usual)"
        what = "meeting" if extra <= 1 else "meetings"
        weeks = "a week" if self.found.weeks == 1 else f"a week for {self.found.weeks} weeks"
        return f" ({number(np.ceil(extra))} more {what} {weeks} would close it)"

    @property
    def ask(self) -> tuple[str, ...]:
        """Open questions, where the pipeline falls short."""
        if not self.found.table["is_dry"].any():
            return ()
        return (
            "Where would more first meetings come from in the next weeks, and what would make room "
            "for them?",
            "Which of the open deals could come sooner or grow, and what would that take?",
        )

    @property
    def caveats(self) -> tuple[str, ...]:
        """What the reader must know: the assumption, how good the band was, what is missing."""
        team = self.found.team
        said = [
            f"Drawn as if reps went on to book as in the last {LATELY} weeks; amounts are as they "
            "stand, and won amounts add up from now on.",
            self._checked(),
        ]
        without = ~self.found.outlook.has_quota
        if without.all():
            said.append(f"There is {NO_QUOTA}")
        elif without.any():
            said.append(f"{number(without.sum())} reps have {NO_QUOTA}")
        if not team.has("stage_changes"):
            said.append("No stage history is recorded: deals are followed by their age alone.")
        n_blank = (team.deals["amount"].isna() & team.deals["outcome"].isna()).sum()
        if n_blank and self.found.with_team:
            said.append(f"{number(n_blank)} open deals have no amount and count as 0.")
        return tuple(said)

    def _checked(self) -> str:
        """How often the band of earlier days held."""
        past = self.found.hindsight
        inside = past.of_reps
        if inside.empty:
            return f"The history is too short to say how often a band of {percent(BAND)} holds."
        widest = max(past.wider[kind, False] for kind in KINDS)
        said = (
            f"On {past.checks['day'].nunique()} days of the last year, by what was known then, the "
            f"drawn band of {percent(BAND)} held {percent(inside.mean())} of "
            f"{number(len(inside))} amounts {listed(map(str, WEEKS))} weeks ahead, rep by rep"
        )
        return said + (f"; it is shown up to {widest:.1f} times as wide." if widest > 1 else ".")

    def draw(self, ax: Axes) -> Axes:
        """Open pipeline ahead with its band, and what the quota needs."""
        found = self.found
        rows = found.weeks_of(None if found.with_team else found.table["rep_id"].iloc[0])
        week, open_amount = rows["week"].to_numpy(), rows["open_amount"].to_numpy(float)
        low, high = (rows[f"open_amount_{end}"].to_numpy(float) for end in ("low", "high"))
        ax.fill_between(week, low, high, color=charts.FAINT, label=f"{BAND:.0%} of cases")
        ax.plot(week, open_amount, color=charts.INK, label="open pipeline")
        needed = rows["needed_amount"].to_numpy()
        ax.plot(week, needed, color=charts.WARN, linestyle="--", label="needed")
        for at in np.flatnonzero(rows["is_dry"].to_numpy())[:1]:
            ax.axvline(week[at], color=charts.WARN, linewidth=0.8, linestyle=":")
            ax.plot(week[at], open_amount[at], "D", color=charts.WARN)
            # At the foot, where no line runs, and on the side that has room for it.
            side, aside = ("left", 3) if at < len(week) / 2 else ("right", -3)
            ax.annotate(
                f"short from {_day(rows['week'].iloc[at])}",
                (week[at], 0.03),
                (aside, 0),
                xycoords=ax.get_xaxis_transform(),
                textcoords="offset points",
                ha=side,
                color=charts.WARN,
                in_layout=False,
            )
        charts.few_dates(ax)
        ax.set_ylim(bottom=0)
        ax.yaxis.set_major_formatter(EngFormatter(sep=""))
        ax.set_ylabel(f"at the end of the week, {found.team.currency}".rstrip(", "))
        return ax


def _back_on(weeks: pd.DataFrame) -> pd.Timestamp | None:
    """The week from which on nothing falls short any more, if there is one."""
    short = np.flatnonzero(weeks["is_dry"].to_numpy())
    after = short[-1] + 1 if len(short) else len(weeks)
    return weeks["week"].iloc[after] if after < len(weeks) else None


def _day(day: pd.Timestamp) -> str:
    return f"{day.day} {day:%B}"
