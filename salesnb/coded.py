"""Words that stand in tables as codes, such as one_on_one or too_few, as people read them.

Those that the schema defines are in the catalogues by themselves, those of verbs are named here or
where a verb writes them.
"""

from collections.abc import Iterable

import pandas as pd

from salesnb import units
from salesnb.language import ENGLISH, now, say, to_say

# By the last word of a column's name, or by all of it: what holds words of the schema or of a verb.
COLUMNS = {"factor", "kind", "step", "tier", "role", "status", "answer", "verdict", "what"}
COLUMNS |= {"outcome", "moment", "rule", "scope", "sign", "measure", "evidence"}
WRITTEN = {"topic"}  # words that people write, among them stages and skills of more than one word
AS_THEY_ARE = {"item", "reason", "decision", "assessor"}
AS_THEY_ARE |= {"trait", "ranking", "milestone"}

LAST_WORDS = COLUMNS | WRITTEN

OF_PEOPLE, ALL = {"stage", "level"}, "all"  # words of the CRM, save that of a row of all
WORDS = (
    *(to_say("act"), to_say("look"), to_say("watch"), to_say("too_few")),  # tiers
    *(to_say("strength"), to_say("work_on"), to_say("trend"), to_say("next")),  # kinds of rows
    *(to_say("choice"), to_say("open")),  # of questions in a quiz
    *(to_say("month"), to_say("quarter"), to_say("quarter_end"), to_say("weekday")),
    *(to_say("yes"), to_say("no"), to_say("cannot_tell")),  # verdicts
    *(to_say("deals"), to_say("scores")),  # evidence
    *(to_say("start"), to_say("new"), to_say("reopened"), to_say("pushed"), to_say("pulled_in")),
    *(to_say("resized"), to_say("handed_over"), to_say("removed"), to_say("end")),
    *(to_say("met"), to_say("no_quota"), to_say("covered"), to_say("close"), to_say("short")),
    *(to_say("no course"), to_say("nothing useful"), to_say("nobody needs it")),
    *(to_say("not assessed"), to_say("planned"), to_say("overdue"), to_say("due")),
    *(to_say("too few to compare"), to_say("too early"), to_say("ahead"), to_say("behind")),
    *(to_say("meetings"), to_say("balance after month {n}")),
    *(to_say("on track"), to_say("average_won_amount"), to_say("n_open"), to_say("win_rate")),
    *(to_say("sales_cycle_days"), to_say("sales_velocity_amount")),
)  # fmt: skip


def is_coded(column: str) -> bool:
    """Whether a column holds such words."""
    is_whole_name = column in OF_PEOPLE or column in AS_THEY_ARE
    return is_whole_name or column.rpartition("_")[2] in LAST_WORDS


def in_words(column: str, codes: Iterable[str]) -> list[str]:
    """The codes of a column in the language that is spoken; blanks are empty."""
    words = pd.Series([*codes], dtype="str").fillna("")
    if column in OF_PEOPLE:
        return [say(word) if word == ALL else word for word in words]
    if column in AS_THEY_ARE:
        return [*map(_said, words)]
    said = words if column in WRITTEN else map(say, words)
    return [word.replace("_", "\N{NO-BREAK SPACE}") for word in said]


def _said(code: str) -> str:
    """In other words too where it ends in a number: "balance after month 3"."""
    stem, _, n = code.rpartition(" ")
    said = say(f"{stem} {{n}}", n=n) if stem and n.isdigit() else say(code)
    # In another language the name of a metric as elsewhere.
    return said if said != code or now() == ENGLISH else units.label(code)
