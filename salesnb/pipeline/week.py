"""The manager's Monday: who needs a word this week, and why."""

import pandas as pd
from matplotlib.axes import Axes

from salesnb import behind, charts
from salesnb.attention import REASONS, open_now, unusual
from salesnb.finding import Finding, Urgency
from salesnb.language import in_order, say, says, to_say
from salesnb.team import Team
from salesnb.units import listed, number, span
from salesnb.warning import Warning, warning
from salesnb.weekly import booked as bookings

TYPES = {"rep_id": "str", "reason": "str"} | dict.fromkeys(
    ("n_now", "usual", "usual_low", "usual_high"), "float64"
)
TYPES |= {"why": "str"}
COLUMNS = list(TYPES)
LINES = 5
SHOWN_WEEKS = 26  # in a trend line
MEETINGS = "meetings"
SAID = {
    "untouched": to_say(
        "{n} of {of} open deals without any activity in 14 days and none ahead, usually {usual} "
        "({ends})"
    ),
    "overdue": to_say("{n} of {of} open deals past their expected close, usually {usual} ({ends})"),
    "stalled": to_say(
        "{n} of {of} open deals longer in their stage than four in five won deals were, usually "
        "{usual} ({ends})"
    ),
}
NAMES = {
    MEETINGS: to_say("meetings"),
    "untouched": to_say("untouched"),
    "overdue": to_say("overdue"),
    "stalled": to_say("stalled"),
}


def week(team: Team) -> Finding:
    """Who needs a word this week, and why?

    At most five lines, each against the rep's own usual: meetings booked, as `early_warning`
    raises an alarm; then open deals untouched, overdue or stalled, more than the same rep had on
    earlier days (of those named at most 5 % are expected to be chance). Drops in meetings come
    first, then what is surest; the lines stand in order of name.

    Returns
    -------
    Finding
        One row per line:

        rep_id
        reason : ``meetings``, ``untouched``, ``overdue`` or ``stalled``
        n_now : meetings booked since the drop began, or such deals today
        usual, usual_low, usual_high : how many are usual for this rep, with their 90 % range
        why : in words
    """
    booked = warning(team) if team.has("activities") else None
    lines = pd.concat([_meetings(booked), _deals(team)], ignore_index=True)
    names = team.reps.set_index("rep_id")["name"]
    table = lines.head(LINES).assign(name=lines["rep_id"].map(names))
    table = table.sort_values(["name", "rep_id", "reason"], key=in_order, ignore_index=True)
    return Finding(
        headline=_headline(team, table, booked),
        table=table[COLUMNS].astype(TYPES),
        draw=lambda ax: _draw(ax, table),
        ask=(say("What has been different lately, and what would help?"),) if len(table) else (),
        caveats=_caveats(team, len(lines) - len(table)),
        currency=team.currency,
        names=team.names,
        pressing=_pressing(table),
        urgency=Urgency.PERSON,
        history=None if booked is None else lambda: _by_week(table, booked),
        behind={"n_now": lambda row: _behind(team, booked, row)},
    )


def _behind(team: Team, booked: Warning | None, row: pd.Series) -> pd.DataFrame:
    """The meetings booked since the drop began, or such open deals."""
    rep_id = row["rep_id"]
    if row["reason"] != MEETINGS or booked is None:
        return behind.deals(team, open_now(team, row["reason"], rep_id))
    return pd.concat(bookings(team, booked.kind, rep_id, week) for week in booked.lately(rep_id))


def _pressing(table: pd.DataFrame) -> str:
    if table.empty:
        return ""
    reasons = table["reason"].map(NAMES).map(say).groupby(table["name"])
    who = listed(f"{name} ({', '.join(rows)})" for name, rows in reasons)
    return say("Out of their own usual range, to have a word with: {people}.", people=who)


def _by_week(table: pd.DataFrame, booked: Warning) -> pd.DataFrame:
    """Meetings booked week by week of those who are named for them."""
    weeks = booked.weeks
    counts = pd.DataFrame(weeks.count, weeks.rep_id).iloc[:, -SHOWN_WEEKS:].astype(float)
    named = table["rep_id"].where(table["reason"] == MEETINGS)
    return counts.reindex(named).set_axis(table.index)


def _meetings(booked: Warning | None) -> pd.DataFrame:
    """The reps with an alarm, the largest shortfall first."""
    if booked is None or booked.now.empty:
        return pd.DataFrame(columns=COLUMNS)
    short = booked.now[booked.now["is_alarm"].astype(bool)]
    gap = (short["expected"] - short["n_booked"]).rename("gap")
    short = short.join(gap).sort_values(["gap", "rep_id"], ascending=[False, True])
    return pd.DataFrame(
        {
            "rep_id": short["rep_id"],
            "reason": MEETINGS,
            "n_now": short["n_booked"].astype(float),
            "usual": short["expected"].astype(float),
            "usual_low": short["low"].astype(float),
            "usual_high": short["high"].astype(float),
            "why": [
                say("meetings, {numbers}", numbers=booked.about(row)) for _, row in short.iterrows()
            ],
        }
    )


def _deals(team: Team) -> pd.DataFrame:
    """The reps whose open deals are out of their usual range, the surest first."""
    found = unusual(team)
    said = []
    for reason, n_now, n, usual, low, high in zip(
        *(found[name] for name in ("reason", "n_now", "n", "usual", "usual_low", "usual_high")),
        strict=True,
    ):
        said.append(
            say(
                SAID[reason],
                n=number(n_now),
                of=number(n),
                usual=number(usual),
                ends=span(low, high),
            )
        )
    return found.assign(why=pd.Series(said, index=found.index, dtype="str"))[COLUMNS]


def _headline(team: Team, table: pd.DataFrame, booked: Warning | None) -> str:
    if not _known(team):
        return say("Nothing to compare: no activities, close dates or stages on record.")
    if table.empty:
        n_unknown = 0 if booked is None else int((~booked.now["is_sure"].astype(bool)).sum())
        if not n_unknown:
            return say("All within their usual range.")
        return say(
            "All within their usual range; of {n} too little is known of their meetings yet.",
            n=number(n_unknown),
        )
    said = "; ".join(
        f"{name}: {why}" for name, why in zip(table["name"], table["why"], strict=True)
    )
    n = table["rep_id"].nunique()
    people = says(
        "{n} person to have a word with.", "{n} people to have a word with.", n, n=number(n)
    )
    return f"{people} {said}."


def _known(team: Team) -> list[str]:
    """What can be looked at."""
    known = {MEETINGS: "activities"} | {reason: table for reason, (_, table) in REASONS.items()}
    return [name for name, table in known.items() if len(team.tables.get(table, ())) > 0]


def _caveats(team: Team, n_more: int) -> tuple[str, ...]:
    said = [say("Out of one's own usual range, no more: somebody may have had a reason.")]
    if n_more:
        said.append(say("{n} further lines, less sure, are left out.", n=number(n_more)))
    unknown = [say(name) for key, name in NAMES.items() if key not in _known(team)]
    if unknown:
        left_out = ", ".join(unknown)
        said.append(say("Not looked at, for lack of a log: {reasons}.", reasons=left_out))
    return tuple(said)


def _draw(ax: Axes, table: pd.DataFrame) -> Axes:
    if table.empty:
        return charts.nothing_to_draw(ax, say("All within their usual range"))
    reasons = [say(NAMES[reason]) for reason in table["reason"]]
    labels = [f"{name}: {why}" for name, why in zip(table["name"], reasons, strict=True)]
    usual, low, high = (table[f"usual{end}"].to_list() for end in ("", "_low", "_high"))
    points = (
        charts.Points(say("usual"), usual, low, high, charts.MUTED),
        charts.Points(say("now"), table["n_now"].to_list(), colour=charts.WARN, marker="D"),
    )
    return charts.dumbbell(ax, labels, *points, is_rate=False)
