"""The question bank: enough questions for every topic, all open, none of them a verdict."""

import re
from collections import Counter

import pytest

from salesnb import question_bank
from salesnb.question_bank import PLACEHOLDERS, STEPS, TOPICS, bank, fill, stage_kind

CLOSED = (
    "Did Do Does Is Are Was Were Have Has Had Can Could Will Would Should Shall May Don't Isn't"
)
VERDICTS = r"""fail\w* bad\w* weak\w* wrong\w* poor\w* worst worse mistake\w* fault\w* lazy
excuse\w* blame\w* underperform\w* incompetent careless slow sloppy stupid unable problem
should must"""
PIPELINE = ("First", "Second", "Third", "Last")


def everyone(questions):
    return [pytest.param(question, id=question.text[:40]) for question in questions]


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_has_eight_questions_and_every_step(topic):
    steps = Counter(question.step for question in bank() if question.topic == topic)
    assert sum(steps.values()) >= 8
    assert set(steps) == set(STEPS)


@pytest.mark.parametrize("topic", TOPICS)
def test_every_step_can_be_asked_without_a_deal_at_hand(topic):
    plain = {q.step for q in bank() if q.topic == topic and set(q.names) <= {"stage"}}
    assert plain == set(STEPS)


@pytest.mark.parametrize("question", everyone(bank()))
def test_a_question_is_open_and_says_no_verdict(question):
    assert question.text.endswith("?")
    assert question.text.split()[0] not in CLOSED.split()
    assert not re.search(r"\b(why|don't you|didn't you|isn't it)\b", question.text, re.I)
    assert not re.search(rf"\b({'|'.join(VERDICTS.split())})\b", question.text, re.I)
    assert len(question.text.split()) <= 32


@pytest.mark.parametrize("question", everyone(bank()))
def test_a_question_names_what_is_known_and_what_to_listen_for(question):
    assert question.step in STEPS
    assert set(question.names) <= set(PLACEHOLDERS)
    assert question.text.count("{") == len(question.names) == question.text.count("}")
    assert len(question.listen_for.split()) >= 6
    assert "{" not in question.listen_for


def test_no_question_comes_twice():
    texts = [re.sub(r"\W+", " ", question.text.casefold()) for question in bank()]
    assert [text for text, n in Counter(texts).items() if n > 1] == []


def test_every_placeholder_is_used():
    assert {name for question in bank() for name in question.names} == set(PLACEHOLDERS)


def test_a_file_for_every_topic_and_none_besides():
    folder = question_bank.files("salesnb") / "questions"
    names = {path.name.removesuffix(".toml") for path in folder.iterdir()}
    assert names - {"stages"} == set(TOPICS)


@pytest.mark.parametrize("value", ["{deal}", "{}", "{x!r}", "\\1", "<script>alert(1)</script>"])
def test_filling_leaves_braces_in_a_name_alone(value):
    assert fill("Take {deal} and {alike}?", {"deal": value, "alike": "B"}) == f"Take {value} and B?"


@pytest.mark.parametrize(
    ("stage", "kind"),
    {
        "Prospecting": "prospecting",
        "Contact Made": "prospecting",
        "Kapcsolatfelvétel": "prospecting",
        "Qualification": "qualifying",
        "qualifiedtobuy": "qualifying",
        "Id. Decision Makers": "qualifying",
        "Minősítés": "qualifying",
        "Needs analysis": "discovery",
        "Discovery": "discovery",
        "Engaging": "discovery",
        "Bedarfsanalyse": "discovery",
        "Igényfelmérés": "discovery",
        "DEMO": "presenting",
        "presentationscheduled": "presenting",
        "Value Proposition": "presenting",
        "Bemutató": "presenting",
        "Proposal/Price Quote": "proposal",
        "Angebot gesendet": "proposal",
        "Árajánlat": "proposal",
        "arajanlat": "proposal",
        "Negotiation/Review": "negotiation",
        "Contract negotiation": "negotiation",
        "Vertragsverhandlung": "negotiation",
        "Tárgyalás": "negotiation",
        "Contract sent": "closing",
        "contractsent": "closing",
        "Abschluss": "closing",
        "Szerződéskötés": "closing",
    }.items(),
)
def test_the_kind_of_a_stage_is_told_from_its_name(stage, kind):
    assert stage_kind(stage, ("One", stage, "Three")) == kind


def test_an_unknown_stage_is_placed_by_its_position():
    kinds = [stage_kind(stage, PIPELINE) for stage in PIPELINE]
    assert kinds[0] == "qualifying"
    assert kinds[1] in ("discovery", "presenting")
    assert kinds[2] in ("presenting", "proposal")
    assert kinds[3] == "closing"


def test_a_pipeline_of_one_stage_and_no_pipeline_have_a_kind():
    assert stage_kind("Phase", ("Phase",)) in TOPICS
    assert stage_kind("🙂", ()) in TOPICS
