"""The exercise bank: what to practise at which kind of stage, and what to watch for on a visit.

Both stand in ``exercises/*.toml``, one file per kind of stage, so that a sales manager can change
them without reading code.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from salesnb import language
from salesnb.language import say, to_say
from salesnb.question_bank import STAGE_KINDS

WEEKS = ("observe", "practise", "apply", "review")  # what a week of a programme is for
MOMENTS = (to_say("before"), to_say("during"), to_say("after"))  # of a visit


@dataclass(frozen=True)
class Exercise:
    """Something to do in a week: how, how long it takes, and what to count."""

    kind: str
    title: str
    week: str
    how: str
    minutes: float
    measure: str


@dataclass(frozen=True)
class Watch:
    """Something to watch for on a visit."""

    kind: str
    moment: str
    text: str


def exercises() -> tuple[Exercise, ...]:
    """Every exercise, kind by kind, in the order of the files and the language spoken."""
    return _exercises(language.now())


def watches() -> tuple[Watch, ...]:
    """Everything to watch for, kind by kind, in the order of the files and the language spoken."""
    return _watches(language.now())


@cache
def _exercises(_: str) -> tuple[Exercise, ...]:
    words = ("title", "how", "measure")
    return tuple(
        Exercise(kind, **row | {word: say(text) for word, text in row.items() if word in words})
        for kind in STAGE_KINDS
        for row in _rows(kind, "exercise")
    )


@cache
def _watches(_: str) -> tuple[Watch, ...]:
    return tuple(
        Watch(kind, row["moment"], *map(say, [row["text"]]))
        for kind in STAGE_KINDS
        for row in _rows(kind, "watch")
    )


def choose(kind: str, week: str, n: int, turn: int) -> list[Exercise]:
    """`n` exercises of a kind for such weeks, the next ones with the next `turn`.

    Where there are fewer they come again.
    """
    fits = [exercise for exercise in exercises() if (exercise.kind, exercise.week) == (kind, week)]
    return [fits[(turn + number) % len(fits)] for number in range(n)]


def _rows(kind: str, what: str) -> list[dict]:
    text = (files("salesnb") / "exercises" / f"{kind}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)[what]
