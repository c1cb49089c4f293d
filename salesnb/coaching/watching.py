"""The observation sheet of a ride-along: what to look for, and what to ask afterwards."""

from collections.abc import Iterator

import pandas as pd

from salesnb import exercise_bank, question_bank, sessions, standout, units
from salesnb.coaching.examples import NO_HISTORY, strong_stage
from salesnb.exercise_bank import MOMENTS
from salesnb.finding import Finding
from salesnb.language import say, to_say
from salesnb.standout import Standout
from salesnb.team import Team
from salesnb.units import number, percent, span

FEW = 2  # strengths and deals named
COLUMNS = ["moment", "watch_for", "why"]
ASKED = (("strengths", "reality"), ("", "reality"), ("", "options"))  # "": the stage's kind of work


def observation(team: Team, rep: str) -> Finding:
    """What is worth watching for on a visit with this rep, and what to ask afterwards?

    Strengths come first. Then the stage that stands out, or is worth watching, or where most of
    the rep's open deals are; with deals of the rep's own, and what was agreed last time. Watch
    and write down what is said and done; the questions are for afterwards.

    Parameters
    ----------
    rep : id or name

    Returns
    -------
    Finding
        One row per thing to watch for, in the order of the visit; `ask` holds the questions:

        moment : before, during or after the visit
        watch_for
        why : the number behind it with its n, where there is one

    Raises
    ------
    DataError
        There is no such rep.
    """
    seen = standout.of(team, rep)
    stage = _stage(seen)
    rows = pd.DataFrame([*_rows(seen, stage)], columns=COLUMNS, dtype="str")
    order = rows["moment"].map(MOMENTS.index).astype(int)
    table = rows.iloc[order.argsort(kind="stable")].reset_index(drop=True)
    return Finding(
        _headline(seen, stage),
        table,
        ask=_ask(seen, stage),
        caveats=() if seen.has_history else (say(NO_HISTORY),),
        currency=team.currency,
    )


def _stage(seen: Standout) -> str:
    """The stage to watch: the one that stands out, else the one with most open deals."""
    if seen.leak is not None:
        return str(seen.leak["stage"])
    stages = seen.visits.loc[seen.visits["went"] == "open", "stage"].value_counts()
    most = [stage for stage in seen.team.stages if stages.get(stage, 0) == stages.max()]
    return most[0] if most else "".join(seen.team.stages[:1])


def _headline(seen: Standout, stage: str) -> str:
    if seen.leak is None and (not stage or seen.is_new):
        return say("{name}: no deals yet; look at how the day goes.", name=seen.name)
    first = strong_stage(seen)
    look = say("look at {stage}", stage=stage)
    if first:
        look = say(
            "look first for what works at {first}, then at {stage}", first=first, stage=stage
        )
    if seen.is_firm:
        words = to_say("{name}: {look}, where deals stop more often than expected.")
    elif seen.leak is not None:
        words = to_say("{name}: {look}; worth watching, not yet separated from chance.")
    else:
        words = to_say("{name}: {look}, where most open deals are; nothing stands out.")
    return say(words, name=seen.name, look=look)


def _rows(seen: Standout, stage: str) -> Iterator[tuple[str, str, str]]:
    """The rows, strengths first."""
    yield from _strengths(seen)
    last = sessions.log(seen).dropna(subset="commitment").head(1)
    for agreed, day in zip(last["commitment"], last["held_on"], strict=True):
        words = agreed.rstrip(" .!")
        yield (
            "during",
            say("How what was agreed shows: “{commitment}”", commitment=words),
            say("agreed {day}", day=units.day(day)),
        )
    why = _numbers(seen, stage)
    own = standout.labels(seen.at(stage, "open").head(FEW), seen.team.currency)
    if len(own):
        touched = say("Deals the visit may touch: {deals}", deals="; ".join(own))
        yield "before", touched, why.pop("before", "")
    kind = question_bank.stage_kind(stage, seen.team.stages)
    for watch in exercise_bank.watches():
        if watch.kind == kind:
            yield watch.moment, watch.text, why.pop(watch.moment, "")


def _strengths(seen: Standout) -> Iterator[tuple[str, str, str]]:
    for _, cell in seen.strengths.head(FEW).iterrows():
        stage = cell["stage"]
        yield (
            "before",
            say("First what works: what the rep does at {stage}", stage=stage),
            _rate(cell),
        )
    if seen.strengths.empty:
        why = say("no stage stands out as a strength from chance")
        yield "before", say("First what works: what customers respond to, word for word"), why


def _numbers(seen: Standout, stage: str) -> dict[str, str]:
    """A number for each moment, from this rep's deals."""
    why = {}
    n_open, n_lost = (len(seen.at(stage, went)) for went in ("open", "lost"))
    if n_open:
        why["before"] = say("n = {n} open at {stage}", n=number(n_open), stage=stage)
    if seen.leak is not None:
        rate = _rate(seen.leak)
        unsure = say("{rate}; not separated from chance", rate=rate)
        why["during"] = rate if seen.is_firm else unsure
    if n_lost:
        why["after"] = say("n = {n} stopped at {stage}", n=number(n_lost), stage=stage)
    return why


def _rate(cell: pd.Series) -> str:
    """A rate at a stage with its interval and n, and the typical one where that names nobody."""
    rate, stage, typical = percent(cell["advance_rate"]), cell["stage"], cell["typical_rate"]
    said = say(
        "{rate} move on from {stage} ({ends}, n = {n})",
        rate=rate,
        stage=stage,
        ends=span(cell.advance_low, cell.advance_high, percent),
        n=number(cell.n_visits),
    )
    if pd.isna(typical):
        return said
    return say("{rate}; {typical} with the typical rep", rate=said, typical=percent(typical))


def _ask(seen: Standout, stage: str) -> tuple[str, ...]:
    """Open questions for afterwards: on what went well, on the stage, on other ways."""
    known = {"stage": stage} if stage else {}
    known |= {"strong_stage": strong_stage(seen)} if strong_stage(seen) else {}
    kind = question_bank.stage_kind(stage, seen.team.stages)
    chosen = [
        question
        for topic, step in ASKED
        for question in question_bank.choose(topic or kind, step, 1, known, seen.turn)
    ]
    return tuple(question_bank.fill(question.text, known) for question in chosen)
