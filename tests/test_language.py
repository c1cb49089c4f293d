"""Languages: what is said, in which words, and that the catalogues hold what the code says."""

import re
import subprocess
import sys

import pandas as pd
import pytest
from conftest import ROOT

from salesnb import DataError, cli, exercise_bank, language, question_bank, units, verbs
from salesnb.languages import seen

BRACES = re.compile(r"\{[^{}]*\}")
OTHERS = [code for code in language.known() if code != language.ENGLISH]
SAME = {"hu": {"MMM", "gradient boosting", "Trend"}}  # texts that are the same in English
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


def test_names_are_in_the_order_of_the_alphabet():
    names = ["Zsolt", "Zoltán", "Csaba", "Cukor", "Özséb", "Ottó", "Ő", "Árpád", "Anna", "Áron"]
    assert sorted(names, key=language.alphabetical)[:3] == ["Anna", "Áron", "Árpád"]
    assert sorted(["zoë", "Álvaro", "bob"], key=language.alphabetical) == ["Álvaro", "bob", "zoë"]
    with language.spoken("hu"):  # cs is a letter after c, ö and ő one after o
        assert sorted(names, key=language.alphabetical) == [
            *["Anna", "Áron", "Árpád", "Cukor", "Csaba", "Ottó", "Ő", "Özséb", "Zoltán", "Zsolt"]
        ]


@each_language
def test_every_text_is_translated(code):
    """No blank, and what stays as it is in English are words that the language has taken over."""
    said = language.words_for(code)
    assert {words for words in said if words == said[words]} <= SAME[code]


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


def answers(team):
    """What every verb answers, as HTML, by its name; of one rep where it is about one."""
    rep = team.reps["rep_id"].iloc[0]
    for name, verb in verbs.find().items():
        for_rep = {"rep": rep} if "rep" in {each.name for each in verbs.options(verb)} else {}
        yield name, verb(team, **for_rep)._repr_html_()


def pages(folder, output):
    """The pages of one rep, the front page, the cards and the sheets of ride-alongs, by file."""
    only = ["--notebook", "04_one_on_one", "--rep", "R01", "--notebooks", str(ROOT / "notebooks")]
    for words in (["report", *only], ["cards"], ["ride-alongs"]):
        made = [words[0], str(folder), *words[1:], "--output", str(output)]
        cli.app(made, standalone_mode=False)
    yield from ((path.name, path.read_text("utf-8")) for path in sorted(output.rglob("*.html")))


@each_language
def test_a_page_says_nothing_in_another_language(code, small, tmp_path):
    """Every text of every answer and of the pages around them, those that are said aloud too."""
    known = seen.Known(code, small)
    folder = small.save(tmp_path / "team")
    with language.spoken(code):
        made = [*answers(small), *pages(folder, tmp_path / "pages")]
    assert len(made) > len(verbs.find()) + 4
    left = {
        f"{place}: {text}": words
        for place, html in made
        for text, words in seen.untranslated(html, known)
    }
    assert not left


def test_what_is_untranslated_is_found(small):
    known = seen.Known("hu", small)
    deal = small.stages[0]
    html = f'<p>Nyitott: {deal}</p><svg aria-label="Well done"><text>{deal[:5]}…</text></svg>'
    assert [*seen.untranslated(html, known)] == [("Well done", ["well", "done"])]
