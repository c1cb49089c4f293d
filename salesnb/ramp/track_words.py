"""Whether new hires are on track, in words."""

import numpy as np
import pandas as pd

from salesnb.language import say, says, to_say
from salesnb.ramp.newcomers import FEWEST, new, nobody_new, not_new
from salesnb.team import Team
from salesnb.units import listed, number, percent, span

NAMED = {
    "behind": to_say("Behind of past hires beyond chance: {people}."),
    "ahead": to_say("Ahead of past hires beyond chance: {people}."),
}
STATES = {
    "behind": to_say("{item} behind{place}"),
    "ahead": to_say("{item} ahead{place}"),
    "on track": to_say("{item} on track{place}"),
    "too early": to_say("{item} too early{place}"),
    "too few to compare": to_say("{item} too few to compare{place}"),
}


def headline(team: Team, table: pd.DataFrame, months: int, rep: str | None) -> str:
    """The answer in a sentence or two."""
    if rep is not None and new(team, months, rep).empty:
        return not_new(team, rep, months)
    if table.empty:
        return nobody_new(months)
    if rep is not None:
        weeks = number(np.floor(table["at_work_weeks"].iloc[0]))
        said = [_in_words(row) for _, row in table.iterrows()]
        return say(
            "{who}, week {week} at work: {items}.",
            who=team.names[team.rep(rep)],
            week=weeks,
            items=", ".join(said),
        )
    n = table["rep_id"].nunique()
    found = [_named(team, table, status) for status in ("behind", "ahead")]
    found = [each for each in found if each]
    told = table[table["status"].isin(["behind", "ahead", "on track"])]["rep_id"].nunique()
    people = says("{n} new hire", "{n} new hires", n, n=number(n))
    if not told:
        if (table["n_hires"] < FEWEST).any():
            return say("{hires}: nothing can be said yet, too few past hires.", hires=people)
        return say("{hires}: nothing can be said yet, too early.", hires=people)
    if not found:
        return say(
            "{hires}, {n} with enough to compare: nobody stands out from chance.",
            hires=people,
            n=number(told),
        )
    return f"{people}. {' '.join(found)}"


def _in_words(row: pd.Series) -> str:
    item, status = row["item"], row["status"]
    words = STATES[status]
    return say(words, item=say(item), place=_place(row))


def _place(row: pd.Series) -> str:
    if row["status"] not in ("ahead", "behind", "on track"):
        return ""
    ends = span(row["below_low"], row["below_high"], percent)
    return say(
        " (more than {share} of {n} hires, {ends})",
        share=percent(row["below_share"]),
        n=number(row["n_hires"]),
        ends=ends,
    )


def _named(team: Team, table: pd.DataFrame, status: str) -> str:
    rows = table[table["status"] == status]
    if rows.empty:
        return ""
    each = [
        f"{team.names[str(rep_id)]} ({', '.join(map(say, of_rep['item']))})"
        for rep_id, of_rep in rows.groupby("rep_id", sort=False)
    ]
    return say(NAMED[status], people=listed(each))


def ask(team: Team, table: pd.DataFrame) -> tuple[str, ...]:
    """Questions for the talk; none where there is nothing to talk about."""
    if table.empty:
        return ()
    if (table["status"] == "behind").any():
        return (
            say("What takes more of your week than you thought it would?"),
            say("Where did you last have to wait for somebody, and for how long?"),
        )
    return (say("What would you like to be able to do alone by next month?"),)


def caveats(team: Team, table: pd.DataFrame) -> tuple[str, ...]:
    """What the reader must know before leaning on it."""
    if table.empty:
        return ()
    said = [
        say(
            "Past hires are all hires on record after as many weeks at work, whoever left later "
            "among them; whoever left sooner is not."
        ),
        say(
            "The typical rep here is the median past hire; the season of the start is not taken "
            "out."
        ),
    ]
    if (table["status"] == "too few to compare").any():
        said.append(say("Nothing is compared with fewer than {n} past hires.", n=number(FEWEST)))
    if not team.has("absences"):
        said.append(say("No leave is recorded: time away counts as time at work."))
    return tuple(said)
