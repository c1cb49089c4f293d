"""The coming month's coaching hours, shared over the reps at work."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.stats import poisson

from salesnb import charts
from salesnb.coaching import gains, sharing, telling
from salesnb.coaching.gains import Needs
from salesnb.errors import DataError, unknown
from salesnb.finding import Finding
from salesnb.language import say, says
from salesnb.metrics.presence import days_at_work, has_left
from salesnb.team import Team
from salesnb.weekly import working_days

SHOWN = ["rep_id", "hours", "need_hours", "middle_hours", "gain_hours", "need_amount", "reason"]
SHOWN += ["n_sessions", "minutes", "is_neglected"]
QUARTER = pd.Timedelta(days=91)
DAY = pd.Timedelta(days=1)
MONTHS_A_QUARTER = 3
SESSION = 45.0  # minutes, where no length is recorded at all
CHANCE = 0.05
DRAWN = 30


def time_plan(
    team: Team, *, hours: float = 40, rule: str = "need", floor_hours: float = 0.75
) -> Finding:
    """How should the coming month's coaching hours be shared over the team?

    Everybody has a floor, by default one conversation of 45 minutes. The rest follows a rule:
    ``need`` shares it in proportion to what each rep's leaks, skills and first months cost, and
    to a little growth that everybody is due; ``middle`` gives it in equal parts to the middle
    60 % by need; ``gain`` to whomever it is expected to bring most with. All three stand side by
    side. Where nothing stands out the shares by need are close to equal. Where a plan by need
    would be expected to bring less than equal hours for all, it is moved towards the plan by
    gain until it does not.

    Parameters
    ----------
    hours : for coaching in the coming month, over all reps
    rule : ``need``, ``middle`` or ``gain``
    floor_hours : for everybody; where the hours do not suffice, everybody has the same

    Returns
    -------
    Finding
        One row per rep at work in the coming month, most hours first:

        rep_id
        hours : under the chosen rule
        need_hours, middle_hours, gain_hours : under each rule
        need_amount, need_amount_low, need_amount_high : what leaks, skills below the middle and
            the first months cost a year; leaks by their probability, with a 90 % interval; the
            others are assumptions, which have none
        reason : what most of the need is, or "nothing stands out"
        n_sessions, minutes : coaching in the last 91 days; blank where none is ever logged
        minutes_share, hours_share : of all of those minutes, and of the hours of this plan
        is_neglected : had fewer sessions than that share by more than chance (5 %, Poisson), and
            is more than one session short

    Raises
    ------
    DataError
        There is no such rule, or the hours are not above 0, or the floor is below 0.

    Notes
    -----
    Greedy is optimal for concave gains (Fox 1966). Most to the middle: Sales Executive Council,
    as told by Dixon and Adamson, "The dirty secret of effective sales coaching" (2011).
    """
    _check(hours, rule, floor_hours)
    reps, left_out = _at_work(team)
    found = gains.needs(team, reps)
    floor = min(floor_hours, hours / max(len(reps), 1))
    plans = {
        each: sharing.share(each, found.weight, found.worth, hours, floor) for each in sharing.RULES
    }
    table = _table(team, reps, found, plans, rule)
    return Finding(
        telling.headline(table, found, team, hours, rule, floor),
        table,
        lambda ax: _draw(ax, table, team.names),
        ask=telling.ask(table),
        caveats=telling.caveats(team, found, plans, floor, floor_hours, left_out),
        currency=team.currency,
        names=team.names,
        shown=[name for name in SHOWN if name != f"{rule}_hours"],
        behind={"n_sessions": lambda row: _sessions(team, [row["rep_id"]])}
        if team.has("coaching")
        else {},
    )


def _sessions(team: Team, reps: Iterable[str]) -> pd.DataFrame:
    """Their sessions of the last quarter, as on record."""
    rows = team.coaching
    first = team.as_of - QUARTER + DAY
    return rows[rows["held_on"].between(first, team.as_of) & rows["rep_id"].isin(reps)]


def _check(hours: float, rule: str, floor_hours: float) -> None:
    if rule not in sharing.RULES:
        raise unknown("rule", rule, sharing.RULES)
    if not 0 < hours < np.inf:
        raise DataError(f"hours: found {hours:g}, expected a number above 0.")
    if not 0 <= floor_hours < np.inf:
        raise DataError(f"floor_hours: found {floor_hours:g}, expected 0 or more.")


def _at_work(team: Team) -> tuple[pd.Index, tuple[str, ...]]:
    """Who works on any day of the coming month, in order of id; and who does not, in words."""
    first, last = team.as_of + DAY, team.as_of + pd.DateOffset(months=1)
    days = days_at_work(team, first, last)
    is_there = days.loc[:, working_days(team.settings.country, first, last)].any(axis=1)
    left = has_left(team).to_numpy()
    n_left, is_away = int(left.sum()), ~is_there & ~left
    away = ", ".join(team.names[rep] for rep in sorted(days.index[is_away]))
    said = []
    if n_left:
        said.append(
            says(
                "Without {n} who has left the team.",
                "Without {n} who have left the team.",
                n_left,
                n=n_left,
            )
        )
    if away:
        said.append(
            say("Not at work in the coming month, so without hours: {people}.", people=away)
        )
    return pd.Index(sorted(days.index[is_there]), dtype="str", name="rep_id"), tuple(said)


def _table(
    team: Team, reps: pd.Index, found: Needs, plans: Mapping[str, np.ndarray], rule: str
) -> pd.DataFrame:
    hours = plans[rule]
    table = pd.DataFrame({"rep_id": reps.astype("str"), "hours": hours})
    for each, plan in plans.items():
        table[f"{each}_hours"] = plan
    ends = {"need_amount": "amount", "need_amount_low": "low", "need_amount_high": "high"}
    for column, end in ends.items():
        table[column] = found.table[end].to_numpy() if found.is_money else np.nan
    table["reason"] = found.table["reason"].to_numpy()
    table = table.astype({"reason": "str"})
    so_far = _so_far(team, reps)
    table = table.join(so_far.reset_index(drop=True))
    table["hours_share"] = hours / hours.sum() if len(hours) else hours
    table["is_neglected"] = _is_neglected(table)
    table = table.drop(columns=["usual_minutes", "presence"])
    order = table.assign(size=table["hours"].round(6))
    order = order.sort_values(["size", "rep_id"], ascending=[False, True], ignore_index=True)
    return order.drop(columns="size")


def _so_far(team: Team, reps: pd.Index) -> pd.DataFrame:
    """Sessions of the last quarter by rep; the length of one, and the share of days at work."""
    first, rows = team.as_of - QUARTER + DAY, _sessions(team, reps)
    usual = rows.groupby("kind")["minutes"].transform("median").fillna(rows["minutes"].median())
    minutes = rows["minutes"].fillna(usual).fillna(SESSION)
    by_rep = minutes.groupby(rows["rep_id"])
    found = pd.DataFrame({"n_sessions": by_rep.size(), "minutes": by_rep.sum()}, dtype="float64")
    found = found.reindex(reps).fillna(0.0 if team.has("coaching") else np.nan)
    total = found["minutes"].sum()
    found["minutes_share"] = found["minutes"] / total if total > 0 else np.nan
    found["usual_minutes"] = minutes.median() if len(minutes) else SESSION
    days = days_at_work(team, first, team.as_of).reindex(reps)
    found["presence"] = days.mean(axis=1).to_numpy(float)
    return found


def _is_neglected(table: pd.DataFrame) -> pd.Series:
    """Fewer sessions than the plan's share of all that were held, beyond chance and one session.

    Whoever was there for a part of the quarter only is due that part.
    """
    due = table["hours_share"] * table["presence"]
    n_due, minutes_due = due * table["n_sessions"].sum(), due * table["minutes"].sum()
    is_rare = poisson.cdf(table["n_sessions"].fillna(np.inf), n_due) < CHANCE
    return is_rare & (minutes_due - table["minutes"] > table["usual_minutes"])


def _draw(ax: Axes, table: pd.DataFrame, names: Mapping[str, str]) -> Axes:
    """Hours of the plan as bars, and a mark at what each rep had in a month so far."""
    rows = table.head(DRAWN)
    if rows.empty:
        return charts.nothing_to_draw(ax, say("Nobody is at work in the coming month"))
    places = np.arange(len(rows))
    ax.barh(places, rows["hours"], height=0.6, color=charts.ACCENT, label=say("planned, hours"))
    had = rows["minutes"] / 60 / MONTHS_A_QUARTER
    if had.notna().any():
        label = say("had in a month so far")
        ax.plot(had, places, "|", color=charts.WARN, label=label, markersize=9, markeredgewidth=2)
    ax.set_yticks(places, [charts.shortened(names[rep], 24) for rep in rows["rep_id"]])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlim(left=0)
    ax.tick_params(axis="y", length=0, labelcolor=charts.INK)
    charts.fit_height(ax, len(rows))
    return ax
