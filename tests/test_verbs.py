"""Verbs are found by signature: none twice, none that is only passing through."""

import inspect
from types import ModuleType

from salesnb import funnel, verbs
from salesnb.finding import Finding
from salesnb.team import Team


def of(**functions):
    """The verbs of a made-up module that holds these functions."""
    module = ModuleType("salesnb.madeup")
    for name, function in functions.items():
        function.__name__ = name
        setattr(module, name, function)
    return {function.__name__ for function in verbs._verbs_of(module)}


def at_home(function):
    function.__module__ = "salesnb.madeup"
    return function


def test_a_team_in_a_finding_out():
    def verb(team: Team, *, rep: str | None = None) -> Finding: ...
    def in_words(team: "Team") -> "Finding": ...
    def other_out(team: Team) -> str: ...
    def other_in(table: str) -> Finding: ...
    def bare(team): ...
    def none() -> Finding: ...

    every = [verb, in_words, other_out, other_in, bare, none]
    named = {function.__name__: at_home(function) for function in every}
    assert of(**named) == {"verb", "in_words"}
    assert of(_hidden=at_home(verb)) == set()


def test_what_is_imported_is_found_only_at_home():
    assert of(leaks=funnel.leaks) == set()
    found = list(verbs.find().values())
    assert len(found) == len(set(found))
    assert verbs.find()["funnel.leaks"] is funnel.leaks


def test_every_verb_asks_a_question():
    for name, verb in verbs.find().items():
        assert verbs.first_line(verb).endswith("?"), name


def test_options_come_with_their_types():
    (rep, listen_for) = verbs.options(verbs.find()["coaching.questions"])
    assert (rep.name, rep.annotation, rep.default) == ("rep", str, inspect.Parameter.empty)
    assert (listen_for.name, listen_for.annotation, listen_for.default) == (
        "listen_for",
        bool,
        True,
    )


def test_what_cannot_be_answered_is_known_without_anybody(small):
    bare = Team(small.settings, {name: small.tables[name].head(0) for name in ("reps", "deals")})
    lacking = verbs.unanswered(bare)
    assert "funnel.leaks" in lacking["stage_changes"]
    assert lacking == verbs.unanswered(
        Team(small.settings, {"reps": small.reps, "deals": small.deals})
    )
