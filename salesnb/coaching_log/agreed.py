"""What was agreed in the sessions, and what came of it."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts, question_bank, standout, stats
from salesnb.coaching_log.held import YEAR, held
from salesnb.finding import Finding, Urgency
from salesnb.language import say, says
from salesnb.metrics.answers import PEERS
from salesnb.metrics.presence import has_left
from salesnb.sessions import clause, status
from salesnb.team import Team
from salesnb.units import capital, number, percent, span

COLUMNS = ["rep_id", "held_on", "topic", "commitment", "due_on", "done_on", "status"]
COLUMNS += ["overdue_days", "is_kept"]
ORDER = ["past its day", "open", "done later", "done"]
FEWEST = 5  # commitments below which a share is not drawn
MOST_ROWS = 30  # of the picture
WEEK, LATELY = pd.Timedelta(days=7), pd.Timedelta(days=30)


def commitments(team: Team, *, rep: str | None = None) -> Finding:
    """Which commitments are open or past their day, and how many are kept?

    Kept is what was done by its day, among the commitments of the last year whose day has passed;
    one without a day is neither kept nor not.

    Parameters
    ----------
    rep : id or name; the answer then names nobody else

    Returns
    -------
    Finding
        One row per commitment: those past their day first, the longest overdue on top; then the
        open ones by day, then those done, the latest first:

        rep_id, held_on, topic, commitment, due_on, done_on
        status : past its day, open, done later or done
        overdue_days : days since its day, where that has passed and it is not done
        is_kept : done by its day; blank where the day has not passed or there is none

    Raises
    ------
    DataError
        The team has no coaching table, or there is no such rep.
    """
    log = held(team, rep, why="what was agreed")
    everybody = held(team, None, why="what was agreed")
    everybody = everybody[~everybody["rep_id"].isin(team.reps.loc[has_left(team), "rep_id"])]
    table = _table(everybody if rep is None else log, team.as_of)
    others = _table(everybody, team.as_of)
    others = others[others["rep_id"] != (rep and team.rep(rep))]
    who = "" if rep is None else f"{team.names[team.rep(rep)]}: "
    return Finding(
        f"{who}{_headline(table, team.as_of, rep is None)}",
        table,
        lambda ax: _draw(ax, table, others, team, rep),
        ask=_ask(team, rep, table),
        names=team.names,
        pressing=_pressing(table, team.as_of),
        urgency=Urgency.PROMISE,
    )


def _pressing(table: pd.DataFrame, as_of: pd.Timestamp) -> str:
    """What falls due in the week ahead, and what was due in the last month and is not done."""
    waiting = table.loc[table["done_on"].isna(), "due_on"]
    due = int(waiting.between(as_of, as_of + WEEK).sum())
    late = int((waiting.lt(as_of) & waiting.ge(as_of - LATELY)).sum())
    if not due + late:
        return ""
    return say(
        "Commitments due within a week: {due}; past their day in the last month: {late}.",
        due=due,
        late=late,
    )


def with_outcome(log: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """The sessions with the `status` of their commitment and whether it `is_kept`."""
    has_passed = log["commitment"].notna() & (log["due_on"] < as_of)
    is_kept = (log["done_on"] <= log["due_on"]).astype("boolean").where(has_passed)
    return log.assign(status=status(log, as_of), is_kept=is_kept)


def kept(table: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """The commitments whose day has passed in the last year."""
    return table[table["is_kept"].notna() & (table["due_on"] >= as_of - YEAR)]


def _table(log: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    table = with_outcome(log.dropna(subset="commitment"), as_of)
    late = (as_of - table["due_on"]).dt.days.astype("float64")
    table["overdue_days"] = late.where(table["status"] == "past its day")
    # Days count upwards for what lies ahead and downwards for what is done.
    is_done = table["done_on"].notna()
    day = np.where(is_done, -table["done_on"].astype("int64"), table["due_on"].astype("int64"))
    no_day = np.where(is_done, table["done_on"].isna(), table["due_on"].isna())
    rank = table["status"].map({word: place for place, word in enumerate(ORDER)})
    table = table.assign(rank=rank, no_day=no_day, day=day)
    by = ["rank", "no_day", "day", "held_on", "session_id"]
    return table.sort_values(by, ignore_index=True)[COLUMNS]


def _headline(table: pd.DataFrame, as_of: pd.Timestamp, is_of_all: bool) -> str:
    if table.empty:
        none = say("no commitment on record yet.")
        return capital(none) if is_of_all else none
    count = table["status"].value_counts()
    late, still = int(count.get("past its day", 0)), int(count.get("open", 0))
    waiting = say("none past its day")
    if late:
        waiting = says("{n} past its day", "{n} past their day", late, n=late)
    said = says(
        "{n} commitment on record: {waiting}, {still} open, {done} done.",
        "{n} commitments on record: {waiting}, {still} open, {done} done.",
        len(table),
        n=number(len(table)),
        waiting=waiting,
        still=still,
        done=len(table) - late - still,
    )
    ended = kept(table, as_of)
    if ended.empty:
        return said
    rate = stats.rates(np.array([ended["is_kept"].sum()]), np.array([len(ended)])).iloc[0]
    inside = span(rate["value_low"], rate["value_high"], percent)
    were_kept = say(
        "Of the {n} whose day passed in the last year {rate} were done by it ({inside}).",
        n=number(len(ended)),
        rate=percent(rate.loc["value"]),
        inside=inside,
    )
    return f"{said} {were_kept}"


def _ask(team: Team, rep: str | None, table: pd.DataFrame) -> tuple[str, ...]:
    if table.empty:
        return ()
    if rep is None:
        return (say("Which of the commitments past their day does somebody need you for?"),)
    waiting = table[table["done_on"].isna()]
    latest = (waiting if len(waiting) else table).head(1)
    known = {"commitment": clause(latest["commitment"].iloc[0])}
    turn = standout.of(team, rep).turn
    asked = question_bank.choose("commitments", "reality", 1, known, turn, own=1)
    return tuple(question_bank.fill(each.text, known) for each in asked)


def _draw(ax: Axes, table: pd.DataFrame, others: pd.DataFrame, team: Team, rep: str | None) -> Axes:
    """The share kept in the last year, by rep; beside one rep the others together."""
    ended = kept(table, team.as_of)
    rows = ended.groupby("rep_id")["is_kept"].agg(["sum", "size"])
    rows = rows[rows["size"] >= FEWEST].head(MOST_ROWS)
    rows.index = rows.index.map(team.names)
    if rep is not None and len(rows) and others["rep_id"].nunique() >= PEERS:
        ended = kept(others, team.as_of)
        rows.loc[say("the others together")] = [ended["is_kept"].sum(), len(ended)]
    if rows.empty:
        return charts.nothing_to_draw(ax, say("Too few commitments whose day has passed"))
    rate = stats.rates(rows["sum"].to_numpy(float), rows["size"].to_numpy(float))
    labels = [f"{who} (n = {n})" for who, n in zip(rows.index, rows["size"], strict=True)]
    ends = rate["value_low"], rate["value_high"]
    points = charts.Points(say("done by their day"), rate["value"], *ends)
    return charts.dumbbell(ax, labels, points)
