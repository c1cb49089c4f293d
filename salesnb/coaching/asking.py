"""Which questions to ask a rep: chosen by what was found, filled with the rep's own deals."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pandas as pd

from salesnb import question_bank, sessions, standout
from salesnb.coaching import examples
from salesnb.finding import Finding
from salesnb.language import say
from salesnb.question_bank import Question
from salesnb.standout import Standout
from salesnb.team import Team
from salesnb.units import number

COLUMNS = ["step", "topic", "question", "deals", "listen_for"]
KIND, SIDE = "kind", "side"  # the stage's kind of work; what else is worth a question


class Place(NamedTuple):
    """A place on the page: step and topic, how many questions, how many on the rep's own deals."""

    step: str
    topic: str
    n: int = 1
    own: int = 0


ON_A_STAGE = (
    Place("goal", KIND),
    Place("reality", KIND, 2, own=2),
    Place("reality", SIDE, own=1),
    Place("options", KIND, 2, own=1),
    Place("will", KIND),
    Place("will", "commitments"),
)
ON_STRENGTHS = (
    Place("goal", "growth"),
    Place("reality", "strengths", own=1),
    Place("reality", "growth"),
    Place("reality", SIDE, own=1),
    Place("options", "strengths"),
    Place("options", "growth"),
    Place("will", "growth"),
    Place("will", "commitments"),
)
FOR_A_NEW_HIRE = (
    Place("goal", "new_hire"),
    Place("reality", "new_hire", 2),
    Place("options", "new_hire", 2),
    Place("will", "new_hire"),
    Place("will", "commitments"),
)


class Named(NamedTuple):
    """A deal that a question may name."""

    deal_id: str
    label: str


def questions(team: Team, rep: str, *, listen_for: bool = True) -> Finding:
    """What to ask this rep, in open questions drawn from the rep's own deals?

    The topic is the stage where deals stop more often than the typical rep's would, the largest
    in money; where nothing stands out, what goes well and what comes next; without deals, the
    first weeks. Deals past their closing date or long without contact add a question. The order
    is that of the GROW model. Which of the fitting questions come depends on rep and month only:
    the same day gives the same page, the next month other questions.

    Parameters
    ----------
    rep : id or name
    listen_for : with the manager's notes; without them the table is fit for the rep's own page

    Returns
    -------
    Finding
        One row per question, in the order to ask them:

        step : goal, reality, options or will
        topic : the kind of work or the theme the question belongs to
        question
        deals : ids of the deals it names
        listen_for : what a good answer sounds like, and where to ask on

    Raises
    ------
    DataError
        There is no such rep.
    """
    seen = standout.of(team, rep)
    table = pd.DataFrame([*_rows(seen)], columns=COLUMNS, dtype="str")
    return Finding(
        _headline(seen),
        table if listen_for else table.drop(columns="listen_for"),
        caveats=() if team.has("stage_changes") else (say(examples.NO_HISTORY),),
        currency=team.currency,
    )


def _headline(seen: Standout) -> str:
    name = seen.name
    if seen.is_new:
        return say("{name}: no deals yet. Questions for the first weeks.", name=name)
    if seen.leak is None:
        why = say("nothing stands out")
        why = why if seen.can_say else say("too few deals to say what stands out")
        return say(
            "{name}: {why}. Questions on what goes well and what comes next.", name=name, why=why
        )
    stage = seen.leak["stage"]
    if seen.is_firm:
        return say(
            "{name}: questions on {stage}, where more deals stop than expected.",
            name=name,
            stage=stage,
        )
    return say(
        "{name}: questions on {stage}, which is worth watching; not yet separated from chance.",
        name=name,
        stage=stage,
    )


def _rows(seen: Standout) -> Iterator[dict[str, str]]:
    """The rows of the table: questions in turn, filled with the rep's own deals."""
    chosen = examples.three(seen)
    deals = _deals(seen, chosen)
    known = _known(seen) | {name: deal.label for name, deal in deals.items()}
    topics = {KIND: _kind(seen), SIDE: _side(seen, known)}
    n_asked = 0
    for place in _plan(seen):
        topic = topics.get(place.topic, place.topic)
        for asked in question_bank.choose(topic, place.step, place.n, known, seen.turn, place.own):
            named = {name: deals[name] for name in asked.names if name in deals}
            if "deal" in named and "alike" not in named:
                # The pair is compared as it is; other questions go to and fro between the two.
                named["deal"] = deals["deal_too"] if n_asked % 2 else deals["deal"]
                n_asked += 1
            yield _row(asked, known, named)


def _row(asked: Question, known: Mapping[str, str], named: Mapping[str, Named]) -> dict[str, str]:
    topic = asked.topic.replace("_", " ")
    values = {**known, **{name: deal.label for name, deal in named.items()}}
    return {
        "step": asked.step,
        "topic": say(topic),
        "question": question_bank.fill(asked.text, values),
        "deals": ", ".join(dict.fromkeys(deal.deal_id for deal in named.values())),
        "listen_for": asked.listen_for,
    }


def _plan(seen: Standout) -> tuple[Place, ...]:
    if seen.leak is not None:
        return ON_A_STAGE
    return FOR_A_NEW_HIRE if seen.is_new else ON_STRENGTHS


def _kind(seen: Standout) -> str:
    if seen.leak is None:
        return ""
    return question_bank.stage_kind(str(seen.leak["stage"]), seen.team.stages)


def _side(seen: Standout, known: Mapping[str, str]) -> str:
    """What else is worth a question: causes seen elsewhere, dates that passed, silent deals."""
    last = sessions.log(seen).head(1)
    topics = ["external_causes"] if (last["reason"] == "external").any() else []
    topics += ["hygiene"] if "n_overdue" in known else []
    topics += ["time_use"] if "n_untouched" in known else []
    return topics[seen.turn % len(topics)] if topics else ""


def _deals(seen: Standout, chosen: pd.DataFrame) -> dict[str, Named]:
    """The deals that a question may name, by placeholder."""
    stopped = chosen[chosen["role"].isin(["stopped", "lost"]) & (chosen["outcome"] == "lost")]
    still_open = seen.still_open
    if seen.leak is not None:
        still_open = seen.at(str(seen.leak["stage"]), "open")
    rows = {
        "deal": stopped,
        "deal_too": stopped.iloc[1:] if len(stopped) > 1 else stopped,
        "alike": chosen[chosen["role"] == "alike"],
        "open_deal": still_open,
        "won_deal": seen.wins(examples.strong_stage(seen)),
        "lost_deal": seen.losses,
        "overdue_deal": seen.overdue,
        "untouched_deal": seen.untouched,
    }
    first = {name: deals.iloc[0] for name, deals in rows.items() if len(deals)}
    columns = ["deal_id", "account", "product", "amount"]
    each = pd.DataFrame(first.values(), columns=columns).drop_duplicates("deal_id")
    label = dict(zip(each["deal_id"], standout.labels(each, seen.team.currency), strict=True))
    return {name: Named(row["deal_id"], label[row["deal_id"]]) for name, row in first.items()}


def _known(seen: Standout) -> dict[str, str]:
    """What the other placeholders stand for; one without a value leaves its questions out."""
    known = {}
    if seen.leak is not None:
        stage = known["stage"] = str(seen.leak["stage"])
        lost_at = seen.at(stage, "lost")["left_at"]
        known |= _several("n_lost", (lost_at >= seen.team.as_of - standout.YEAR).sum())
    if examples.strong_stage(seen):
        known["strong_stage"] = examples.strong_stage(seen)
    known |= _several("n_overdue", len(seen.overdue))
    known |= _several("n_untouched", len(seen.untouched))
    agreed = sessions.log(seen)["commitment"].head(1).dropna()
    return known if agreed.empty else known | {"commitment": sessions.clause(agreed.iloc[0])}


def _several(name: str, n: int) -> dict[str, str]:
    return {name: number(n)} if n >= 2 else {}
