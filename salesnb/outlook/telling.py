"""When the pipeline runs dry, in words and as a picture."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from babel.dates import format_date
from matplotlib.axes import Axes

from salesnb import charts
from salesnb.language import locale, say, says, to_say
from salesnb.outlook.dry import QUARTER, Dry
from salesnb.outlook.hindsight import BAND, KINDS, WEEKS
from salesnb.outlook.inflow import LATELY
from salesnb.units import fixed, listed, money, number, percent

SURE = 0.9  # who falls short in so many draws of some week of the quarter is named
REACH = 2.0  # nobody books more than so many times the usual meetings
NAMED = 5  # people in one sentence
FEW = 2  # meetings a week, below which tenths are told

NO_QUOTA = to_say("There is no quota: what was won in the last year stands for it.")
FALL_SHORT = {  # by whether there is a quota: of one rep, of several
    True: (
        to_say("The open pipelines of {n} of {of} reps falls short of what the quota needs."),
        to_say("The open pipelines of {n} of {of} reps fall short of what the quota needs."),
    ),
    False: (
        to_say(
            "The open pipelines of {n} of {of} reps falls short of what a year like the last needs."
        ),
        to_say(
            "The open pipelines of {n} of {of} reps fall short of what a year like the last needs."
        ),
    ),
}
TOO_SMALL = {  # by whether it is sure
    True: to_say("the open pipeline is too small for the quota, {has} of {needs} needed"),
    False: to_say("the open pipeline may be too small for the quota, {has} of {needs} needed"),
}
FALLS = {
    True: to_say("the open pipeline falls below what the quota needs in the week of {day}"),
    False: to_say("the open pipeline may fall below what the quota needs in the week of {day}"),
}


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
        who = say("The team") if with_team else now["name"].iloc[0]
        if now["required_ratio"].isna().all():
            return say("{who}: no deal won in the last year tells what the quota needs.", who=who)
        said = f"{who}: {self._about(now.iloc[0])}."
        if not with_team:
            return said
        reps = now[now["rep_id"].notna()]
        sure = reps[reps["is_sure"]].sort_values(["dry_weeks", "name"], kind="stable")
        if sure.empty:
            return f"{said} " + say("No single rep's falls short beyond chance.")
        named = [f"{row['name']} {self._short(row)}" for _, row in sure.head(NAMED).iterrows()]
        more = len(sure) - NAMED
        named += [say("{n} more", n=more)] if more > 0 else []
        count = says(
            "{n} of {of} reps falls short beyond chance",
            "{n} of {of} reps fall short beyond chance",
            len(sure),
            n=len(sure),
            of=len(reps),
        )
        return f"{said} {count}: {'; '.join(named)}."

    @property
    def pressing(self) -> str:
        """Of how many the open pipeline falls short by more than chance; empty if of nobody."""
        reps = self.now[self.now["rep_id"].notna()]
        n = int(reps["is_sure"].sum())
        if not n:
            return ""
        has_quota = bool(self.found.outlook.has_quota.any())
        return says(*FALL_SHORT[has_quota], n, n=n, of=len(reps))

    def _about(self, row: pd.Series) -> str:
        """One row in words."""
        if pd.isna(row["dry_weeks"]):
            return self._enough(row)
        if row["dry_weeks"] == 0:
            has, needs = (
                money(row[name], self.found.team.currency)
                for name in ("open_amount", "needed_amount")
            )
            said = say(TOO_SMALL[bool(row.is_sure)], has=has, needs=needs)
        else:
            said = say(FALLS[bool(row.is_sure)], day=_day(row.dry_on))
        if pd.notna(row["back_on"]):
            back = _day(row["back_on"])
            said += "; " + say("enough again from that of {day} if bookings go on as now", day=back)
        return said + self._remedy(row)

    def _enough(self, row: pd.Series) -> str:
        week = self.found.outlook.inflow.week
        said = say("the open pipeline carries the quota to the week of {day}", day=_day(week[-1]))
        if row["dry_weeks_low"] > 0:
            until = _day(week[int(row["dry_weeks_low"]) - 1])
            said += ", " + say("at the low end of the band only to that of {day}", day=until)
        return said

    def _short(self, row: pd.Series) -> str:
        is_now = row["dry_weeks"] == 0
        return (say("now") if is_now else say("from {day}", day=_day(row.dry_on))) + self._remedy(
            row
        )

    def _remedy(self, row: pd.Series) -> str:
        """What would close the gap, if that is within reach."""
        extra, usual = row["extra_meetings"], row["usual"]
        if pd.isna(extra) or extra == 0:
            return ""
        if extra + row["coming"] > REACH * usual:
            n = number(usual, 0 if usual >= FEW else 1)
            said = say("more than meetings alone can close; {n} a week is usual", n=n)
            return f" ({said})"
        n, weeks = np.ceil(extra), self.found.weeks
        if weeks == 1:
            said = says(
                "{n} more meeting a week would close it",
                "{n} more meetings a week would close it",
                n,
                n=number(n),
            )
        else:
            said = says(
                "{n} more meeting a week for {weeks} weeks would close it",
                "{n} more meetings a week for {weeks} weeks would close it",
                n,
                n=number(n),
                weeks=weeks,
            )
        return f" ({said})"

    @property
    def ask(self) -> tuple[str, ...]:
        """Open questions, where the pipeline falls short."""
        if not self.found.table["is_dry"].any():
            return ()
        return (
            say(
                "Where would more first meetings come from in the next weeks, and what would make "
                "room for them?"
            ),
            say("Which of the open deals could come sooner or grow, and what would that take?"),
        )

    @property
    def caveats(self) -> tuple[str, ...]:
        """What the reader must know: the assumption, how good the band was, what is missing."""
        team = self.found.team
        said = [
            say(
                "Drawn as if reps went on to book as in the last {weeks} weeks; amounts are as "
                "they stand, and won amounts add up from now on.",
                weeks=LATELY,
            ),
            self._checked(),
        ]
        without = ~self.found.outlook.has_quota
        if without.all():
            said.append(say(NO_QUOTA))
        elif without.any():
            n = number(without.sum())
            said.append(
                say("{n} reps have no quota: what was won in the last year stands for it.", n=n)
            )
        if not team.has("stage_changes"):
            said.append(say("No stage history is recorded: deals are followed by their age alone."))
        n_blank = (team.deals["amount"].isna() & team.deals["outcome"].isna()).sum()
        if n_blank and self.found.with_team:
            said.append(say("{n} open deals have no amount and count as 0.", n=number(n_blank)))
        return tuple(said)

    def _checked(self) -> str:
        """How often the band of earlier days held."""
        past = self.found.hindsight
        inside = past.of_reps
        if inside.empty:
            return say(
                "The history is too short to say how often a band of {band} holds.",
                band=percent(BAND),
            )
        widest = max(past.wider[kind, False] for kind in KINDS)
        said = say(
            "On {days} days of the last year, by what was known then, the drawn band of {band} "
            "held {share} of {n} amounts {weeks} weeks ahead, rep by rep",
            days=past.checks.day.nunique(),
            band=percent(BAND),
            share=percent(inside.mean()),
            n=number(len(inside)),
            weeks=listed(map(str, WEEKS)),
        )
        if widest <= 1:
            return f"{said}."
        return say("{held}; it is shown up to {n} times as wide.", held=said, n=fixed(widest, 1))

    def draw(self, ax: Axes) -> Axes:
        """Open pipeline ahead with its band, and what the quota needs."""
        found = self.found
        rows = found.weeks_of(None if found.with_team else found.table["rep_id"].iloc[0])
        week, open_amount = rows["week"].to_numpy(), rows["open_amount"].to_numpy(float)
        low, high = (rows[f"open_amount_{end}"].to_numpy(float) for end in ("low", "high"))
        ax.fill_between(
            week, low, high, color=charts.FAINT, label=say("{share} of cases", share=percent(BAND))
        )
        ax.plot(week, open_amount, color=charts.INK, label=say("open pipeline"))
        needed = rows["needed_amount"].to_numpy()
        ax.plot(week, needed, color=charts.WARN, linestyle="--", label=say("needed"))
        for at in np.flatnonzero(rows["is_dry"].to_numpy())[:1]:
            ax.axvline(week[at], color=charts.WARN, linewidth=0.8, linestyle=":")
            ax.plot(week[at], open_amount[at], "D", color=charts.WARN)
            # At the foot, where no line runs, and on the side that has room for it.
            side, aside = ("left", 3) if at < len(week) / 2 else ("right", -3)
            ax.annotate(
                say("short from {day}", day=_day(rows.week.iloc[at])),
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
        charts.write_short(ax.yaxis)
        label = say("at the end of the week, {currency}", currency=found.team.currency)
        ax.set_ylabel(label.rstrip(", "))
        return ax


def _back_on(weeks: pd.DataFrame) -> pd.Timestamp | None:
    """The week from which on nothing falls short any more, if there is one."""
    short = np.flatnonzero(weeks["is_dry"].to_numpy())
    after = short[-1] + 1 if len(short) else len(weeks)
    return weeks["week"].iloc[after] if after < len(weeks) else None


def _day(day: pd.Timestamp) -> str:
    return format_date(day, say("d MMMM"), locale=locale())
