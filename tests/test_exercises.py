"""The exercise bank: enough for every kind of stage, each with a measure, none a verdict."""

import re
from collections import Counter

import pytest
from test_questions import VERDICTS

from salesnb import exercise_bank
from salesnb.exercise_bank import MOMENTS, WEEKS, choose, exercises, watches
from salesnb.question_bank import STAGE_KINDS


def words(text):
    return len(text.split())


@pytest.mark.parametrize("kind", STAGE_KINDS)
def test_every_kind_has_six_exercises_and_every_week(kind):
    weeks = Counter(exercise.week for exercise in exercises() if exercise.kind == kind)
    assert sum(weeks.values()) >= 6
    assert set(weeks) == set(WEEKS)
    assert weeks["practise"] >= 2
    assert weeks["apply"] >= 2


@pytest.mark.parametrize("kind", STAGE_KINDS)
def test_every_kind_has_something_to_watch_for_at_every_moment(kind):
    moments = Counter(watch.moment for watch in watches() if watch.kind == kind)
    assert set(moments) == set(MOMENTS)
    assert moments["during"] >= 2


@pytest.mark.parametrize("exercise", exercises(), ids=lambda e: e.title)
def test_an_exercise_says_how_and_what_to_count(exercise):
    assert exercise.week in WEEKS
    assert 2 <= len(re.findall(r"[.?](?:\s|$)", exercise.how)) <= 4
    assert 25 <= words(exercise.how) <= 75
    assert 15 <= exercise.minutes <= 120
    assert 5 <= words(exercise.measure) <= 16
    assert not exercise.measure.endswith(".")
    assert 1 <= words(exercise.title) <= 9


@pytest.mark.parametrize("text", [*(e.how for e in exercises()), *(w.text for w in watches())])
def test_no_verdict_and_nothing_to_fill_in(text):
    assert not re.search(rf"\b({'|'.join(VERDICTS.split())})\b", text, re.I)
    assert "{" not in text


def test_a_watch_is_a_short_line():
    assert all(6 <= words(watch.text) <= 24 for watch in watches())


def test_no_text_comes_twice():
    texts = [e.title for e in exercises()] + [e.how for e in exercises()]
    texts += [watch.text for watch in watches()]
    assert [text for text, n in Counter(map(str.casefold, texts)).items() if n > 1] == []


def test_a_file_for_every_kind_and_none_besides():
    folder = exercise_bank.files("salesnb") / "exercises"
    assert {path.name.removesuffix(".toml") for path in folder.iterdir()} == set(STAGE_KINDS)


def test_the_next_turn_brings_the_next_exercises():
    first, then = (choose("closing", "practise", 2, turn) for turn in (0, 1))
    assert first[1] == then[0]
    assert len({e.title for e in choose("closing", "practise", 3, 7)}) == 3
    assert len(choose("closing", "practise", 20, 7)) == 20
