"""Languages: what is said, in which words, and that the catalogues hold what the code says."""

import re
import subprocess
import sys

import pandas as pd
import pytest
from conftest import ROOT

from salesnb import DataError, exercise_bank, language, question_bank, units

BRACES = re.compile(r"\{[^{}]*\}")
OTHERS = [code for code in language.known() if code != language.ENGLISH]
each_language = pytest.mark.parametrize("code", OTHERS)


@pytest.fixture(autouse=True)
def in_english(monkeypatch):
    monkeypatch.delenv(language.ASKED_BY, raising=False)


def test_english_is_what_stands_in_the_code():
    assert language.now() == "en"
    assert language.say("{n} deals are open.", n=12) == "12 deals are open."
    assert language.says("{n} deal", "{n} deals", 1, n="1") == "1 deal"
    assert language.says("{n} deal", "{n} deals", 2, n="2") == "2 deals"
    assert language.say("{who} said {what}", who="{what}", what="{who}") == "{what} said {who}"


def test_a_language_is_spoken_until_the_block_ends():
    with language.spoken("hu"):
        assert language.now() == "hu"
        assert units.money(12345.6, "EUR") == "12\xa0300\xa0EUR"
        assert units.number(1234.5, 1) == "1\xa0234,5"
        assert units.day(pd.Timestamp("2026-07-06")) == "2026. július 6."
    assert units.day(pd.Timestamp("2026-07-06")) == "6 July 2026"


def test_a_language_that_is_not_there():
    with pytest.raises(DataError, match="hu"):
        language.use("hx")
    assert language.now() == "en"


@each_language
def test_every_translation_names_the_same_values(code):
    for words, said in language.words_for(code).items():
        assert set(BRACES.findall(said)) == set(BRACES.findall(words)), words


@each_language
def test_the_banks_are_the_same_in_every_language(code):
    questions, exercises = question_bank.bank(), exercise_bank.exercises()
    with language.spoken(code):
        assert [q.names for q in question_bank.bank()] == [q.names for q in questions]
        assert len(exercise_bank.exercises()) == len(exercises)


@each_language
def test_the_catalogues_hold_what_the_code_says(code, tmp_path):
    """Once brought up to date, nothing changes."""
    folder = ROOT / "salesnb" / "languages" / code
    before = {path.name: path.read_bytes() for path in folder.glob("*.po")}
    try:
        script = ROOT / "salesnb" / "languages" / "update.py"
        subprocess.run([sys.executable, str(script), code], check=True, capture_output=True)
        assert {path.name: path.read_bytes() for path in folder.glob("*.po")} == before
    finally:
        for name, content in before.items():
            (folder / name).write_bytes(content)
