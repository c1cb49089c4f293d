"""The early warning: who books less than usual for weeks, as a table, in words, as a picture."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts
from salesnb.language import in_order, say, to_say
from salesnb.once import once
from salesnb.team import Team
from salesnb.units import capital, number, span
from salesnb.watch import NEW_USUAL, Watched, limits, watch
from salesnb.weekly import Weekly, weekly

COLUMNS = ["rep_id", "week", "n_booked", "expected", "expected_low", "expected_high"]
COLUMNS += ["is_alarm", "alarm_since"]
NAMED = 5  # people in one sentence
LATELY = 4  # weeks that are compared when there is no alarm
BARS = 24  # people in one picture
PLURAL = {
    "call": to_say("calls"),
    "email": to_say("emails"),
    "meeting": to_say("meetings booked"),
    "demo": to_say("demos booked"),
    "proposal": to_say("proposals"),
}
COUNTED = {
    "call": to_say("{n} calls"),
    "email": to_say("{n} emails"),
    "meeting": to_say("{n} booked"),
    "demo": to_say("{n} booked"),
    "proposal": to_say("{n} proposals"),
}
HOW_SURE = to_say(
    "Expected is each rep's own level, with the season, holidays and leave taken into account. "
    "About one false alarm per rep in two to three years is the price of an early one. After "
    "{weeks} weeks of alarm the lower level counts as the usual one."
)


@dataclass(frozen=True, eq=False)
class Warning:
    """Weekly counts of a team, what was usual, and where they stay below it."""

    team: Team
    kind: str
    weeks: Weekly
    watched: Watched

    @cached_property
    def names(self) -> pd.Series:
        """Name by rep_id."""
        return self.team.reps.set_index("rep_id")["name"]

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per rep and week on the team, the latest week first; see `COLUMNS`."""
        w, s = self.weeks, self.watched
        rep, week = np.nonzero(w.is_employed)
        table = pd.DataFrame(
            {
                "rep_id": pd.Series(w.rep_id[rep], dtype="str"),
                "week": pd.Series(w.week[week], dtype="datetime64[us]"),
                "n_booked": w.count[rep, week].astype(float),
                "expected": s.expected[rep, week],
                "expected_low": s.low[rep, week],
                "expected_high": s.high[rep, week],
                "is_alarm": s.is_alarm[rep, week],
                "alarm_since": self._since[rep, week],
            }
        )
        order = np.lexsort((rep, -week))
        return table.astype({"alarm_since": "datetime64[us]"}).iloc[order].reset_index(drop=True)

    @cached_property
    def _since(self) -> np.ndarray:
        """The Monday on which the alarm under way began, blank without one."""
        is_on = self.watched.is_alarm
        starts = is_on & ~np.pad(is_on, ((0, 0), (1, 0)))[:, :-1]
        first = np.maximum.accumulate(np.where(starts, np.arange(is_on.shape[1]), 0), axis=1)
        mondays = self.weeks.week.to_numpy()
        blank = np.full(is_on.shape, np.datetime64("NaT"), "datetime64[us]")
        return np.where(is_on, mondays[first], blank) if len(mondays) else blank

    @cached_property
    def now(self) -> pd.DataFrame:
        """One row per rep on the team in the last week, in order of name.

        rep_id, name, is_alarm, is_sure
        n_weeks : that are compared: since the shortfall began, or the last four
        n_booked, expected, low, high : in these weeks, with the range of 90 % of normal ones
        """
        rows = [self._lately(r) for r in np.flatnonzero(self.weeks.is_employed[:, -1:].any(axis=1))]
        columns = ["rep_id", "name", "is_alarm", "is_sure", "n_weeks"]
        columns += ["n_booked", "expected", "low", "high"]
        return pd.DataFrame(rows, columns=columns).sort_values(
            ["name", "rep_id"], ignore_index=True
        )

    def _lately(self, rep: Any) -> tuple:
        s = self.watched
        is_alarm = bool(s.is_alarm[rep, -1])
        n = self._short_for(rep) if is_alarm else min(LATELY, s.expected.shape[1])
        m = s.expected[rep, -n:]
        total = m.sum()
        scatter = (m**2 / s.size[rep, -n:]).sum()
        low, high = limits(total, np.asarray(total**2 / scatter if scatter > 0 else 1.0))
        rep_id = self.weeks.rep_id[rep]
        booked = self.weeks.count[rep, -n:].sum()
        name, is_sure = self.names[rep_id], bool(s.is_sure[rep, -1])
        return rep_id, name, is_alarm, is_sure, n, booked, total, float(low), float(high)

    def lately(self, rep_id: str) -> pd.DatetimeIndex:
        """The weeks that are compared of a rep, by their Mondays."""
        n = self.now.set_index("rep_id")["n_weeks"][rep_id]
        return self.weeks.week[-n:]

    def _short_for(self, rep: int) -> int:
        """Weeks since the running sum of an alarm under way left 0."""
        is_zero = np.flatnonzero(self.watched.score[rep] == 0)
        return self.watched.score.shape[1] - 1 - int(is_zero[-1])

    def about(self, row: pd.Series) -> str:
        """A rep in words: ``12 booked in 4 weeks, usually 23 (17-29)``."""
        return say(
            "{booked}, usually {usual} ({ends})",
            booked=self._booked(row),
            usual=number(row.expected),
            ends=span(row.low, row.high),
        )

    def _booked(self, row: pd.Series) -> str:
        count, weeks = say(COUNTED[self.kind], n=number(row["n_booked"])), row["n_weeks"]
        if weeks == 1:
            return say("{count} in the last week", count=count)
        return say("{count} in {weeks} weeks", count=count, weeks=weeks)

    @property
    def _what(self) -> str:
        """What is counted, in words."""
        return say(PLURAL[self.kind])

    @property
    def headline(self) -> str:
        """Who needs a word, the largest shortfall first; or that nobody does."""
        now = self.now
        if now.empty:
            return self._nobody()
        if len(self.weeks.rep_id) == 1:
            return self._alone(now.iloc[0])
        short = now[now["is_alarm"]]
        if short.empty:
            return self._all_well(now)
        gap = (short["expected"] - short["n_booked"]).round(6)
        short = short.assign(gap=gap).sort_values("gap", ascending=False, kind="stable")
        said = [f"{row['name']}: {self.about(row)}" for _, row in short.head(NAMED).iterrows()]
        more = len(short) - NAMED
        said += [say("and {n} more", n=more)] if more > 0 else []
        return say(
            "{n} of {of} reps with fewer {what} than usual. {people}.",
            n=len(short),
            of=len(now),
            what=self._what,
            people="; ".join(said),
        )

    def _nobody(self) -> str:
        if len(self.table) and len(self.weeks.rep_id) == 1:
            name = self.names[self.weeks.rep_id[0]]
            return say("{name}: no longer on the team.", name=name)
        return say("No {what} on record: nothing to compare.", what=self._what)

    def _all_well(self, now: pd.DataFrame) -> str:
        unsure = int((~now["is_sure"]).sum())
        is_low = (now["n_booked"] < now["low"]).any()
        said = say("nobody shows a lasting drop")
        if unsure:
            said += "; " + say("of {n} too little is known yet", n=unsure)
        elif not is_low:
            said = say("all within their usual range")
        return f"{capital(self._what)}: {said}."

    def _alone(self, row: pd.Series) -> str:
        """One rep against the own usual level."""
        name, about = row["name"], self.about(row)
        if row["expected"] == 0 and not row["is_alarm"]:
            return say("{name}: away for the last {n} weeks.", name=name, n=row.n_weeks)
        if not row["is_sure"] and not row["is_alarm"]:
            about, where = self._booked(row), say("too early to say what is usual")
        elif row["is_alarm"]:
            where = say("fewer {what} than usual", what=self._what)
        elif row["n_booked"] < row["low"]:
            where = say("below the usual range, not yet a lasting drop")
        elif row["n_booked"] > row["high"]:
            where = say("more than usual")
        else:
            where = say("within the usual range")
        return f"{name}: {where}. {about}."

    @property
    def ask(self) -> tuple[str, ...]:
        """Open questions, where there is something to ask about."""
        if not self.now["is_alarm"].any():
            return ()
        return (
            say("What has been different in these weeks from the ones before?"),
            say("Which part of it is in your hands, and what would help with the rest?"),
            say("What would the next two weeks have to look like for the calendar to fill again?"),
        )

    @property
    def caveats(self) -> tuple[str, ...]:
        """What to keep in mind."""
        if self.table.empty:
            return self.weeks.caveats
        return (say(HOW_SURE, weeks=NEW_USUAL), *self.weeks.caveats)

    def draw(self, ax: Axes) -> Axes:
        """One rep: week by week; several: the last weeks of each against the usual range."""
        if self.table.empty:
            return charts.nothing_to_draw(ax)
        return self._draw_weeks(ax) if len(self.weeks.rep_id) == 1 else self._draw_reps(ax)

    def _draw_weeks(self, ax: Axes) -> Axes:
        rows = self.table.sort_values("week").tail(52)
        week, booked = rows["week"].to_numpy(), rows["n_booked"].to_numpy()
        ax.fill_between(
            week,
            rows["expected_low"].to_numpy(float),
            rows["expected_high"].to_numpy(float),
            step="mid",
            color=charts.FAINT,
            label=say("usual range"),
        )
        ax.plot(week, booked, color=charts.INK, linewidth=1, marker=".", label=say("per week"))
        is_on = rows["is_alarm"].to_numpy()
        if is_on.any():
            label = say("lasting drop")
            ax.plot(week[is_on], booked[is_on], "X", color=charts.WARN, label=label)
        ax.set_ylim(bottom=0)
        ax.set_title(say("{what} by week", what=capital(self._what)))
        return ax

    def _draw_reps(self, ax: Axes) -> Axes:
        now = self.now.sort_values("is_alarm", ascending=False, kind="stable").head(BARS)
        rows = now.sort_values(["name", "rep_id"], ascending=False, key=in_order)
        rows = rows.reset_index(drop=True)
        y = np.arange(len(rows))
        label = say("usual range")
        ax.hlines(y, rows["low"], rows["high"], color=charts.FAINT, linewidth=6, label=label)
        for is_on, colour, mark, label in (
            (False, charts.INK, "o", say("last weeks")),
            (True, charts.WARN, "X", say("lasting drop")),
        ):
            of = rows["is_alarm"] == is_on
            if of.any():
                ax.plot(rows["n_booked"][of], y[of], mark, color=colour, label=label)
        other = (
            rows["n_weeks"]
            .map(lambda n: say(" ({n} weeks)", n=n))
            .where(rows["n_weeks"] != LATELY, "")
        )
        ax.set_yticks(y, rows["name"] + other, fontsize=7)
        ax.tick_params(axis="y", length=0, labelcolor=charts.INK)
        ax.set_xlim(left=0)
        ax.set_title(say("{what} in {weeks} weeks", what=capital(self._what), weeks=LATELY))
        charts.fit_height(ax, 2 * len(rows) // 3)
        return ax


def warning(team: Team, kind: str = "meeting", rep: str | None = None) -> Warning:
    """Watch a kind of activity; with `rep`, what concerns this one alone."""
    found = Warning(team, kind, weekly(team, kind), watched(team, kind))
    return found if rep is None else only(found, rep)


@once
def watched(team: Team, kind: str = "meeting") -> Watched:
    """Every rep's weeks held against the usual, for all who ask of one."""
    weeks = weekly(team, kind)
    return watch(weeks.count, weeks.exposure, weeks.tenure)


def only(found: Warning, rep_id: str) -> Warning:
    """The same about one rep; the others have served to tell what was usual."""
    is_own = np.asarray(found.weeks.rep_id == rep_id)
    by_rep = {
        name: getattr(found.weeks, name)[is_own]
        for name in ("rep_id", "count", "exposure", "is_employed", "tenure")
    }
    weeks = Weekly(week=found.weeks.week, caveats=found.weeks.caveats, **by_rep)
    fields = {
        name: value if name == "season" else value[is_own]
        for name, value in vars(found.watched).items()
    }
    return Warning(found.team, found.kind, weeks, Watched(**fields))
