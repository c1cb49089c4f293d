"""The sessions held with a rep: what was agreed, what came of it, the number then and now."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts, question_bank, standout, stats, units
from salesnb.finding import Finding
from salesnb.sessions import brief, clause, log, stage_of, status
from salesnb.standout import Standout
from salesnb.team import Team
from salesnb.units import capital, percent

COLUMNS = ["held_on", "topic", "strength", "diagnosis", "agreement"]
COLUMNS += ["commitment", "due_on", "done_on", "status"]
NUMBERS = ["then_rate", "then_low", "then_high", "n_then"]
NUMBERS += ["now_rate", "now_low", "now_high", "n_now"]
CHANCE = 0.05
FEWEST = 10  # deals below which a share says nothing
REGRESSION = (
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
        return Finding(f"{seen.name}: no session on record yet.", table)
    return Finding(
        f"{seen.name}: {_in_words(table)}",
        table,
        lambda ax: _draw(ax, table),
        ask=_ask(seen, table["commitment"].dropna().head(1)),
        caveats=(REGRESSION,) if table["now_rate"].notna().any() else (),
    )


def _draw(ax: Axes, table: pd.DataFrame) -> Axes:
    """The rate at each session's stage then and now, the latest session on top."""
    rows = table.dropna(subset=["then_rate", "now_rate"])
    if rows.empty:
        return charts.nothing_to_draw(ax, "Too few deals to compare then and now")
    labels = [f"{row['topic']}, {units.day(row['held_on'])}" for _, row in rows.iterrows()]
    then = charts.Points(
        "then", rows["then_rate"], rows["then_low"], rows["then_high"], charts.MUTED, "s"
    )
    now = charts.Points("since", rows["now_rate"], rows["now_low"], rows["now_high"])
    return charts.dumbbell(ax, labels, then, now)


def _then_and_now(seen: Standout, topic: str, held_on: pd.Timestamp) -> list[float]:
    """The rate at the stage before and since the session, with intervals; NaN below `FEWEST`."""
    stage = stage_of(seen.team, topic)
    left = seen.visits[(seen.visits["stage"] == stage) & (seen.visits["went"] != "open")]
    day = pd.to_datetime(left["left_at"]).dt.normalize()
    since = day > held_on
    numbers: list[float] = []
    for period in ((day > held_on - standout.YEAR) & ~since, since):
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
    said = f"last time, on {units.day(last['held_on'])}, we talked{_about(last)}."
    can_compare = pd.notna(last["then_rate"]) and pd.notna(last["now_rate"])
    if agreed.empty or pd.notna(last["commitment"]) or can_compare:
        said += f" Agreed: {_commitment(last)}." if pd.notna(last["commitment"]) else ""
        return said + _number_in_words(last) + _still_open(table.iloc[1:])
    before = agreed.iloc[0]
    day = f"on {units.day(before['held_on'])}{_about(before)}"
    others = table.iloc[1:].drop(index=agreed.index)
    return f"agreed {day}: {_commitment(before)}. {capital(said)}{_still_open(others)}"


def _about(session: pd.Series) -> str:
    return "" if pd.isna(session["topic"]) else f" about {brief(session['topic'])}"


def _commitment(session: pd.Series) -> str:
    return f"“{clause(session['commitment'])}”, {_outcome(session)}"


def _still_open(earlier: pd.DataFrame) -> str:
    n = earlier["status"].isin(["open", "past its day"]).sum()
    if not n:
        return ""
    return f" From earlier sessions {n} {'commitment is' if n == 1 else 'commitments are'} open."


def _outcome(last: pd.Series) -> str:
    if pd.notna(last["done_on"]):
        return f"done on {units.day(last['done_on'])}"
    if pd.isna(last["due_on"]):
        return "still open"
    when = "was" if last["status"] == "past its day" else "is"
    return f"still open; it {when} due on {units.day(last['due_on'])}"


def _number_in_words(last: pd.Series) -> str:
    if pd.isna(last["n_then"]) or pd.isna(last["n_now"]):
        return ""
    if pd.isna(last["then_rate"]) or pd.isna(last["now_rate"]):
        return (
            f" Too few deals to compare (n = {last['n_then']:.0f} then, {last['n_now']:.0f} since)."
        )
    then = f"{percent(last['then_rate'])} moved on then (n = {last['n_then']:.0f})"
    now = f"{percent(last['now_rate'])} since (n = {last['n_now']:.0f})"
    return f" {then}, {now}{_told_apart(last)}."


def _told_apart(last: pd.Series) -> str:
    ends = {"": "_rate", "_low": "_low", "_high": "_high"}
    now = {f"value{end}": last[f"now{name}"] for end, name in ends.items()}
    then = {f"then{end}": last[f"then{name}"] for end, name in ends.items()}
    p = standout.p_of_change(pd.DataFrame([now | then])).iloc[0]
    return "" if p < CHANCE else "; not separated from chance"


def _ask(seen: Standout, agreed: pd.Series) -> tuple[str, ...]:
    if agreed.empty:
        return ()
    known = {"commitment": clause(agreed.iloc[0])}
    asked = question_bank.choose("commitments", "reality", 1, known, seen.turn, own=1)
    return tuple(question_bank.fill(question.text, known) for question in asked)
