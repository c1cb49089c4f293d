"""The question bank: open questions as data, and the kind of work that a stage name stands for.

The questions stand in ``questions/*.toml``, one file per topic, so that a sales manager can
change them without reading code. They follow the GROW model (Whitmore, *Coaching for
Performance*, 1992): goal, reality, options, will.
"""

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from salesnb import language
from salesnb.language import say, to_say, without_accents

STEPS = (to_say("goal"), to_say("reality"), to_say("options"), to_say("will"))
STAGE_KINDS = (
    to_say("prospecting"),
    to_say("qualifying"),
    to_say("discovery"),
    to_say("presenting"),
    to_say("proposal"),
    to_say("negotiation"),
    to_say("closing"),
)
TOPICS = (
    *STAGE_KINDS,
    "time_use",
    to_say("hygiene"),
    to_say("strengths"),
    to_say("growth"),
    "external_causes",
    to_say("commitments"),
    "new_hire",
)
AS_READ = (to_say("time use"), to_say("external causes"), to_say("new hire"))  # of these topics
# What a question may name; each stands for something of the rep's own.
PLACEHOLDERS = (
    "stage",  # the stage that the conversation is about
    "deal",  # a deal that stopped there
    "alike",  # a deal much like it that moved on
    "n_lost",  # how many stopped there
    "open_deal",  # an open deal, in that stage where there is one
    "won_deal",  # a deal that was won
    "lost_deal",  # a deal that was lost
    "strong_stage",  # a stage from which deals move on more often than expected
    "n_overdue",  # open deals whose closing date has passed
    "overdue_deal",
    "n_untouched",  # open deals without contact for two weeks and none booked
    "untouched_deal",
    "commitment",  # what was agreed last time
)
BRACES = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Question:
    """An open question: its topic, its GROW step, and what the manager listens for."""

    topic: str
    step: str
    text: str
    listen_for: str

    @property
    def names(self) -> tuple[str, ...]:
        """The placeholders in the text."""
        return tuple(BRACES.findall(self.text))


def bank() -> tuple[Question, ...]:
    """Every question, topic by topic, in the order of the files and the language spoken."""
    return _bank(language.now())


@cache
def _bank(_: str) -> tuple[Question, ...]:
    return tuple(
        Question(topic, row["step"], *map(say, (row["text"], row["listen_for"])))
        for topic in TOPICS
        for row in _toml(f"{topic}.toml")["question"]
    )


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its placeholders replaced, in one pass: braces in a value stay as they are.

    >>> fill("Walk me through {deal}?", {"deal": "Acme {x} (€42,000)"})
    'Walk me through Acme {x} (€42,000)?'
    """
    return BRACES.sub(lambda found: values[found[1]], text)


def choose(
    topic: str, step: str, n: int, known: Collection[str], turn: int, own: int = 0
) -> list[Question]:
    """`n` questions of a topic and step whose placeholders are all `known`.

    The first `own` of them name something of the rep's own, as far as there are any. `turn` says
    whose turn it is: with the next number come the next questions.
    """
    fits = [q for q in bank() if q.topic == topic and q.step == step and set(q.names) <= set(known)]
    owned = [q for q in fits if set(q.names) - {"stage"}]
    first = _in_turn(owned, own, turn)
    rest = [q for q in fits if q not in owned] if own else fits
    return first + _in_turn(rest, n - len(first), turn)


def _in_turn(questions: list[Question], n: int, turn: int) -> list[Question]:
    size = len(questions)
    return [questions[(turn * n + i) % size] for i in range(min(n, size))]


def stage_kind(stage: str, stages: tuple[str, ...]) -> str:
    """The kind of work that a stage stands for, told from its name or else from its position.

    >>> stage_kind("Proposal/Price Quote", ("Qualification", "Proposal/Price Quote"))
    'proposal'
    >>> stage_kind("Phase 3", ("Phase 1", "Phase 2", "Phase 3"))
    'closing'
    """
    name = _plain(stage)
    known = [(len(word), kind) for word, kind in _keywords() if _holds(name, word)]
    if known:
        longest = max(length for length, _ in known)
        return next(kind for length, kind in known if length == longest)
    kinds = _toml("stages.toml")["by_position"]
    place = stages.index(stage) / max(1, len(stages) - 1) if stage in stages else 0
    return kinds[round(place * (len(kinds) - 1))]


@cache
def _keywords() -> tuple[tuple[str, str], ...]:
    table = _toml("stages.toml")["keywords"]
    return tuple((_plain(word), kind) for kind in STAGE_KINDS for word in table[kind])


def _holds(name: str, word: str) -> bool:
    return word in name if len(word) >= 6 else f" {word}" in f" {name}"


def _plain(words: str) -> str:
    """Lower case without accents, marks as blanks."""
    bare = re.sub(r"[\W_]+", " ", without_accents(words.casefold()))
    return " ".join(bare.split())


@cache
def _toml(name: str) -> dict:
    return tomllib.loads((files("salesnb") / "questions" / name).read_text(encoding="utf-8"))
