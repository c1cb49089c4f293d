"""What the plan of a month says: how the hours are shared, and what each rule would bring."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd

from salesnb.coaching import gains, sharing
from salesnb.coaching.gains import Needs
from salesnb.language import say, says, to_say
from salesnb.team import Team
from salesnb.units import money, number, percent, span

NAMED, LISTED = 3, 6  # in the headline, in a note
DEFINITION = to_say(
    "What hours bring is an assumption, not a measurement: of a need, coaching wins back at most "
    "{share} in a year, {hours} hours every month bring 63 % of "
    "that, and the next ones ever less. Use it to compare plans, not as a forecast."
)
WAYS = {
    "need": to_say("most to the greatest need"),
    "middle": to_say("most to the middle 60 % by need"),
    "gain": to_say("where they are expected to bring most"),
}
RULES = {
    "need": to_say("By need, {way}: {brings}"),
    "middle": to_say("By middle, {way}: {brings}"),
    "gain": to_say("By gain, {way}: {brings}"),
}


def headline(
    table: pd.DataFrame, found: Needs, team: Team, hours: float, rule: str, floor: float
) -> str:
    """Who gets how much, and why those who get most."""
    if table.empty:
        return say("Nobody is at work in the coming month.")
    n = len(table)
    written = number(hours, 1)
    said = says("{hours} hours for {n} rep", "{hours} hours for {n} reps", n, hours=written, n=n)
    if n == 1:
        return say("{plan}: all of them.", plan=said)
    if floor * n >= hours - 1e-9:
        return say(
            "{plan}: {each} each; there is no more than that to share.",
            plan=said,
            each=_hours(hours / n),
        )
    most, least = (_hours(table["hours"].agg(end)) for end in ("max", "min"))
    if rule == "middle":
        return say(
            "{plan}, {way}: {most} each, for the others {least}.",
            plan=said,
            way=say(WAYS[rule]),
            most=most,
            least=least,
        )
    firm = found.table.index[found.table["is_firm"]]
    named = table[table["rep_id"].isin(firm)].head(NAMED)
    if named.empty:
        return say(
            "{plan}: no leak stands out from chance; {least} to {most} each.",
            plan=said,
            least=least,
            most=most,
        )
    people = ", ".join(
        f"{team.names[rep]} {_hours(had)} ({why})"
        for rep, had, why in zip(named["rep_id"], named["hours"], named["reason"], strict=True)
    )
    return say(
        "{plan}, {way}: {people}; everybody has at least {least}.",
        plan=said,
        way=say(WAYS[rule]),
        people=people,
        least=least,
    )


def _hours(hours: float) -> str:
    if hours >= 1:
        return say("{hours} h", hours=number(hours, 1))
    return say("{minutes} min", minutes=number(hours * 60))


def ask(table: pd.DataFrame) -> tuple[str, ...]:
    """Open questions for the manager alone."""
    if table.empty:
        return ()
    asked = [
        say("Which of these hours stand in the calendar already, and what would have to give way?")
    ]
    if table["is_neglected"].any():
        asked.append(
            say("What has kept us from spending time with those who had less than their share?")
        )
    return tuple(asked)


def caveats(
    team: Team,
    found: Needs,
    plans: Mapping[str, np.ndarray],
    floor: float,
    floor_hours: float,
    left_out: tuple[str, ...],
) -> tuple[str, ...]:
    """What each rule would bring, and what is not known; `left_out` says who has no hours."""
    said = [*left_out]
    n = len(found.table)
    if not n:
        return tuple(said)
    if floor < floor_hours:
        said.append(
            say(
                "The floor of {floor} for each of {n} reps needs {hours} hours; "
                "it is {instead} instead.",
                floor=_hours(floor_hours),
                n=n,
                hours=number(floor_hours * n, 1),
                instead=_hours(floor),
            )
        )
    equal = np.full(n, sum(plans["need"]) / n)
    said += [_rule_in_words(team, found, rule, plan, equal, floor) for rule, plan in plans.items()]
    said.append(say(DEFINITION, share=percent(gains.WINNABLE), hours=number(sharing.LEVELS_OFF)))
    if not team.has("stage_changes"):
        said.append(say("No stage history is recorded, so leaks are not among the needs."))
    if not team.has("coaching"):
        said.append(
            say("No coaching is logged, so nothing can be said of what each rep had so far.")
        )
    return tuple(said)


def _rule_in_words(
    team: Team, found: Needs, rule: str, plan: np.ndarray, equal: np.ndarray, floor: float
) -> str:
    """What a rule is expected to bring, against equal hours for all, and whom it leaves least."""
    brings, same = (sharing.expected(hours, found.worth) for hours in (plan, equal))
    change = _compared(round(100 * (brings / same - 1)))
    if found.is_money:
        low, high = (sharing.expected(plan, found.worth_at(end)) for end in ("low", "high"))
        amount = money(brings, team.currency)
        amount += f" ({span(low, high, partial(money, currency=team.currency))})" * (high > low)
        change = say("about {amount} a year, {change}", amount=amount, change=change)
    said = say(RULES[rule], way=say(WAYS[rule]), brings=change)
    at_floor = [team.names[rep] for rep in found.table.index[plan <= floor + 1e-6]]
    if not at_floor or len(at_floor) == len(plan):
        return f"{said}."
    return say("{rule}; at the floor: {people}.", rule=said, people=_first(at_floor))


def _compared(change: int) -> str:
    if not change:
        return say("as much as with equal hours for all")
    size = abs(change)
    if change > 0:
        return say("{n} % more than with equal hours for all", n=size)
    return say("{n} % less than with equal hours for all", n=size)


def _first(names: list[str]) -> str:
    more, said = len(names) - LISTED, ", ".join(names[:LISTED])
    return say("{names} and {n} more", names=said, n=more) if more > 0 else said
