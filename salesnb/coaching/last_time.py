"""The sessions held with a rep: what was agreed, what came of it, the number then and now."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts, leaks, question_bank, standout, stats, units
from salesnb.errors import DataError
from salesnb.finding import Finding
from salesnb.language import say, says, to_say
from salesnb.sessions import brief, clause, log, stage_of, status
from salesnb.standout import Standout
from salesnb.team import Team
from salesnb.units import capital, number, percent

COLUMNS = ["held_on", "topic", "strength", "diagnosis", "agreement"]
COLUMNS += ["commitment", "due_on", "done_on", "status"]
NUMBERS = ["then_rate", "then_low", "then_high", "n_then"]
NUMBERS += ["now_rate", "now_low", "now_high", "n_now"]
CHANCE = 0.05
ENDED = ("advanced", "lost")
FEWEST = 10  # deals below which a share says nothing
REGRESSION = to_say(
    "A number that was low when it was chosen as a topic tends to come back by itself: "
    "the difference between then and now is not the effect of the coaching."
)


def since_last_time(team: Team, rep: str, *, sessions: int = 3) -> Finding:
    """What was agreed in the last sessions, what came of it, and how is the number now?

    Where the topic was a stage, the share of deals that moved on from it among those that left
    it: in the year up to the session, and since. Below ten deals the share is left blank.

    Parameters
    ----------
    rep : id or name
    sessions : how many of the last sessions

    Returns
    -------
    Finding
        One row per session, the latest first:

        held_on, topic, strength
        diagnosis, agreement : how the rep saw it, and what the two agreed, as written on the
            one-on-one page; blank where nothing was
        commitment, due_on, done_on
        status : done, done later, open or past its day; blank where nothing was agreed
        then_rate, then_low, then_high, n_then : moved on in the year up to the session, 90 %
            interval (Wilson 1927), deals that left the stage
        now_rate, now_low, now_high, n_now : the same since the session; blank where it was held
            after the export

    Raises
    ------
    DataError
        The team has no coaching table, or there is no such rep.
    """
    seen = standout.of(team, rep)
    team.need("coaching", why="looking back at the last sessions")
    table = log(seen).head(sessions)
    table = table.assign(status=status(table, team.as_of))
    numbers = [_then_and_now(seen, row["topic"], row["held_on"]) for _, row in table.iterrows()]
    numbers_table = pd.DataFrame(numbers, columns=NUMBERS, index=table.index, dtype="float64")
    table = pd.concat([table, numbers_table], axis=1)[[*COLUMNS, *NUMBERS]]
    if table.empty:
        return Finding(say("{name}: no session on record yet.", name=seen.name), table)
    return Finding(
        f"{seen.name}: {_in_words(table)}",
        table,
        lambda ax: _draw(ax, table),
        ask=_ask(seen, table["commitment"].dropna().head(1)),
        caveats=(say(REGRESSION),) if table["now_rate"].notna().any() else (),
        behind={
            "n_then": lambda row: _left(seen, row)[0],
            "n_now": lambda row: _left(seen, row)[1],
        },
    )


def _left(seen: Standout, session: pd.Series) -> list[pd.DataFrame]:
    """The visits of the session's stage that ended in the year up to it, and since."""
    stage = stage_of(seen.team, session["topic"])
    if not stage or session["held_on"] > seen.team.as_of:
        raise DataError("No deals are counted: the topic was no stage, or the session is to come.")
    rows = leaks.rows(seen.team, pd.Series({"rep_id": seen.rep_id, "stage": stage}), *ENDED)
    return [rows[when] for when in _when(rows["left_at"], session["held_on"])]


def _when(left_at: pd.Series, held_on: pd.Timestamp) -> tuple[pd.Series, pd.Series]:
    """Which moments lie in the year up to a session, and which after it."""
    day = pd.to_datetime(left_at).dt.normalize()
    return (day > held_on - standout.YEAR) & (day <= held_on), day > held_on


def _draw(ax: Axes, table: pd.DataFrame) -> Axes:
    """The rate at each session's stage then and now, the latest session on top."""
    rows = table.dropna(subset=["then_rate", "now_rate"])
    if rows.empty:
        return charts.nothing_to_draw(ax, say("Too few deals to compare then and now"))
    labels = [f"{row['topic']}, {units.day(row['held_on'])}" for _, row in rows.iterrows()]
    then = charts.Points(
        say("then"), rows["then_rate"], rows["then_low"], rows["then_high"], charts.MUTED, "s"
    )
    now = charts.Points(say("since"), rows["now_rate"], rows["now_low"], rows["now_high"])
    return charts.dumbbell(ax, labels, then, now)


def _then_and_now(seen: Standout, topic: str, held_on: pd.Timestamp) -> list[float]:
    """The rate at the stage before and since the session, with intervals; NaN below `FEWEST`."""
    stage = stage_of(seen.team, topic)
    left = seen.visits[(seen.visits["stage"] == stage) & (seen.visits["went"] != "open")]
    numbers: list[float] = []
    before, since = _when(left["left_at"], held_on)
    for period in (before, since):
        went = left.loc[period, "went"]
        found = stats.rates(np.array([(went == "advanced").sum()]), np.array([len(went)])).iloc[0]
        rate = [found["value"], found["value_low"], found["value_high"]]
        is_ahead = period is since and held_on > seen.team.as_of
        n = len(went) if stage and not is_ahead else np.nan
        numbers += [*(rate if len(went) >= FEWEST else [np.nan] * 3), n]
    return numbers


def _in_words(table: pd.DataFrame) -> str:
    """The last session; where it left nothing to look back at, first what was agreed before."""
    last, agreed = table.iloc[0], table.dropna(subset="commitment").head(1)
    can_compare = pd.notna(last["then_rate"]) and pd.notna(last["now_rate"])
    if agreed.empty or pd.notna(last["commitment"]) or can_compare:
        said = [_talked(last)]
        if pd.notna(last["commitment"]):
            said += [say("Agreed: {commitment}.", commitment=_commitment(last))]
        said += [_number_in_words(last), _still_open(table.iloc[1:])]
    else:
        others = table.iloc[1:].drop(index=agreed.index)
        said = [_agreed(agreed.iloc[0]), capital(_talked(last)), _still_open(others)]
    return " ".join(filter(None, said))


def _talked(session: pd.Series) -> str:
    day, topic = units.day(session["held_on"]), session["topic"]
    if pd.isna(topic):
        return say("last time, on {day}, we talked.", day=day)
    return say("last time, on {day}, we talked about {topic}.", day=day, topic=brief(topic))


def _agreed(session: pd.Series) -> str:
    day, topic, said = units.day(session["held_on"]), session["topic"], _commitment(session)
    if pd.isna(topic):
        return say("agreed on {day}: {commitment}.", day=day, commitment=said)
    return say(
        "agreed on {day} about {topic}: {commitment}.",
        day=day,
        topic=brief(topic),
        commitment=said,
    )


def _commitment(session: pd.Series) -> str:
    agreed = clause(session["commitment"])
    return say("“{commitment}”, {outcome}", commitment=agreed, outcome=_outcome(session))


def _still_open(earlier: pd.DataFrame) -> str:
    n = int(earlier["status"].isin(["open", "past its day"]).sum())
    if not n:
        return ""
    return says(
        "From earlier sessions {n} commitment is open.",
        "From earlier sessions {n} commitments are open.",
        n,
        n=n,
    )


def _outcome(last: pd.Series) -> str:
    if pd.notna(last["done_on"]):
        done = units.day(last["done_on"])
        return say("done on {day}", day=done)
    if pd.isna(last["due_on"]):
        return say("still open")
    due, is_past = units.day(last["due_on"]), last["status"] == "past its day"
    if is_past:
        return say("still open; it was due on {day}", day=due)
    return say("still open; it is due on {day}", day=due)


def _number_in_words(last: pd.Series) -> str:
    if pd.isna(last["n_then"]) or pd.isna(last["n_now"]):
        return ""
    n_then, n_now = number(last["n_then"]), number(last["n_now"])
    if pd.isna(last["then_rate"]) or pd.isna(last["now_rate"]):
        return say(
            "Too few deals to compare (n = {n_then} then, {n_now} since).",
            n_then=n_then,
            n_now=n_now,
        )
    said = say(
        "{then} moved on then (n = {n_then}), {now} since (n = {n_now})",
        then=percent(last["then_rate"]),
        n_then=n_then,
        now=percent(last["now_rate"]),
        n_now=n_now,
    )
    return (
        f"{said}." if _is_apart(last) else say("{change}; not separated from chance.", change=said)
    )


def _is_apart(last: pd.Series) -> bool:
    ends = {"": "_rate", "_low": "_low", "_high": "_high"}
    now = {f"value{end}": last[f"now{name}"] for end, name in ends.items()}
    then = {f"then{end}": last[f"then{name}"] for end, name in ends.items()}
    return bool(standout.p_of_change(pd.DataFrame([now | then])).iloc[0] < CHANCE)


def _ask(seen: Standout, agreed: pd.Series) -> tuple[str, ...]:
    if agreed.empty:
        return ()
    known = {"commitment": clause(agreed.iloc[0])}
    asked = question_bank.choose("commitments", "reality", 1, known, seen.turn, own=1)
    return tuple(question_bank.fill(question.text, known) for question in asked)
