"""What attainment says of goals and quotas."""

import pandas as pd

from salesnb import units
from salesnb.language import say, to_say
from salesnb.team import Team
from salesnb.units import money, number, percent, span

LISTED = {"product": to_say("products: {parts}"), "rep": to_say("reps: {parts}")}
STATUS = {
    to_say("met"): to_say("{n} met"),
    to_say("missed"): to_say("{n} missed"),
    to_say("on_track"): to_say("{n} on track"),
    to_say("short"): to_say("{n} short"),
    to_say("open"): to_say("{n} open"),
}
IN_SIGHT = to_say(
    "What of the amount that is missing is already in sight, and what has to be found?"
)
NO_SEASONS = to_say("The outlook takes the pace of the last twelve months; seasons are not in it.")


def headline(team: Team, table: pd.DataFrame, rep_id: str | None) -> str:
    """All goals and quotas under way, or the one of a rep."""
    who = "" if rep_id is None else f"{team.names[rep_id]}: "
    if table.empty:
        return who + say("no goal or quota is under way on {day}.", day=units.day(team.as_of))
    if rep_id is not None:
        return who + _of_one(team, table.iloc[0])
    products = table[table["scope"] == "product"]
    parts = [_of_goals(team, products)] if len(products) else []
    for scope, rows in table.groupby("scope", sort=False):
        counts = rows["status"].value_counts()
        each = [
            say(words, n=counts[status]) for status, words in STATUS.items() if status in counts
        ]
        parts.append(say(LISTED[str(scope)], parts=", ".join(each)))
    behind = products[products["status"].isin(["short", "missed"])]
    said = ["; ".join(parts) + "."]
    if len(behind):
        names = ", ".join(behind["product"])
        said.append(say("Below the goal: {products}.", products=names))
    return " ".join(said)


def _of_goals(team: Team, rows: pd.DataFrame) -> str:
    won, goal, due = (rows[f"{what}_amount"].sum() for what in ("won", "goal", "due"))
    return say(
        "{won} of {goal} of the goals is won, {time} of the time has passed",
        won=money(won, team.currency),
        goal=money(goal, team.currency),
        time=percent(due / goal),
    )


def _of_one(team: Team, row: pd.Series) -> str:
    won, goal, due = (
        money(row[f"{what}_amount"], team.currency) for what in ("won", "goal", "due")
    )
    said = say(
        "{won} won (n = {n}) of a quota of {quota} to {day}",
        won=won,
        n=number(row.n_won),
        quota=goal,
        day=units.day(row.ends_on),
    )
    if (status := row["status"]) in ("met", "missed"):
        return f"{said}: {say(status)}."
    low, high = row["outlook_amount_low"], row["outlook_amount_high"]
    ends = span(low, high, lambda x: money(x, team.currency))
    return say("{won}, {due} due by now; at this pace {ends}.", won=said, due=due, ends=ends)
