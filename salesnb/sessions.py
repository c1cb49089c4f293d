"""The sessions held with reps, as logged: what the topics on coaching share."""

import re

import numpy as np
import pandas as pd

from salesnb import cells
from salesnb.language import say, to_say
from salesnb.once import once
from salesnb.standout import Standout
from salesnb.team import Team

# Free text; the last two are columns beyond the schema, written on the one-on-one page.
WRITTEN = ("topic", "strength", "question", "commitment", "diagnosis", "agreement")


def log(seen: Standout) -> pd.DataFrame:
    """The rep's sessions, the latest first, with every column of free text.

    Colleagues' names in it are left out.
    """
    return _log(seen.team, seen.rep_id).copy(deep=False)


@once
def _log(team: Team, rep_id: str) -> pd.DataFrame:
    table = team.coaching
    table = table[table["rep_id"] == rep_id]
    table = table.sort_values(["held_on", "session_id"], ascending=False, ignore_index=True)
    for column in WRITTEN:
        # A column beyond the schema may be lacking, or be numbers where nobody wrote any words.
        text = table.get(column, pd.Series(index=table.index, dtype="str"))
        table[column] = without_colleagues(cells.convert(text, "text"), team, rep_id)
    return table


def without_colleagues(text: pd.Series, team: Team, rep_id: str) -> pd.Series:
    """Free text for a page that two people read: no third person's name or id stands on it."""
    own = team.reps[team.reps["rep_id"] == rep_id]
    own_words = {*own["name"], *own["rep_id"]}

    def without(found: re.Match) -> str:
        return found[0] if found[0] in own_words else say("a colleague")

    return text if text.isna().all() else text.str.replace(_people(team), without, regex=True)


@once
def _people(team: Team) -> re.Pattern:
    """Whatever names somebody on the team, the longest first."""
    words = sorted({*team.reps["name"], *team.reps["rep_id"]}, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)")


def brief(text: str, at_most: int = 160) -> str:
    """Free text in one line, cut with an ellipsis where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= at_most else f"{line[: at_most - 1].rstrip()}…"


def clause(text: str) -> str:
    """The same within a sentence: without the stop at its end."""
    return brief(re.sub(r"[\s.!]+$", "", text))


def status(table: pd.DataFrame, as_of: pd.Timestamp) -> pd.Series:
    """What became of each commitment: done, done later, open, past its day; blank without one."""
    is_done, due = table["done_on"].notna(), table["due_on"]
    said = np.select(
        [
            table["commitment"].isna(),
            is_done & (table["done_on"] > due),
            is_done,
            due < as_of,
        ],
        ["", to_say("done later"), to_say("done"), to_say("past its day")],
        default=to_say("open"),
    )
    return pd.Series(said, index=table.index, dtype="str")


def stage_of(team: Team, topic: str) -> str:
    """The stage that a session's topic means: by its name, or the one that leans on that skill."""
    if pd.isna(topic):
        return ""
    word = topic.casefold()
    stages = [stage for stage in team.stages if stage.casefold() == word]
    leaning = [
        stage
        for stage, skills in team.settings.skills.items()
        if word in {skill.casefold() for skill in skills}
    ]
    found = stages or leaning
    return found[0] if len(found) == 1 else ""
