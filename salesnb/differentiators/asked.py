"""The bank of questions on claims, as data: ``questions.toml``."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any
from zlib import crc32

from salesnb import question_bank
from salesnb.differentiators import listed
from salesnb.team import Team


@cache
def bank() -> dict[str, Any]:
    """Every question by language."""
    text = files(__package__).joinpath("questions.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def of(language: str, part: str) -> dict[str, Any]:
    """The questions in a language, else in English: ``"opening"`` or ``"quiz"``."""
    return bank().get(language, bank()[listed.FIRST])[part]


def opening(
    team: Team, language: str, competitor: str, proof: str, differentiator_id: str, product: str
) -> str:
    """A question that opens a claim with a customer, in its language; another one each month.

    It is about the competitor where one is named, else about the proof.
    """
    kind = "competitor" if competitor.strip() else "proof" if proof.strip() else "plain"
    choices = of(language, "opening")[kind]
    month = team.as_of.year * 12 + team.as_of.month
    turn = month + crc32(f"{differentiator_id} {product}".encode())
    known = {"competitor": competitor, "product": product}
    return question_bank.fill(choices[turn % len(choices)], known)
