"""Ten questions that show whether the team tells alike what makes its products different."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from salesnb import question_bank
from salesnb.differentiators import asked, listed
from salesnb.finding import Finding
from salesnb.language import say, says
from salesnb.team import Team
from salesnb.units import number

COLUMNS = ["product", "kind", "question", "options", "answer"]
LENGTH, OPTIONS, FEWEST_OPTIONS = 10, 4, 3
# In turn: what is asked, and the column that holds the answer; the last two are open.
ASKS = {"claim": "claim", "proof": "proof", "product": "product", "competitor": "competitor"}
ASKS |= {"say_it": "claim", "show_it": "proof"}
OPEN = ("say_it", "show_it")


def quiz(team: Team, *, language: str = "", seed: int = 0, answers: bool = True) -> Finding:
    """Ten questions: does the team know what makes its products different?

    Claims, proofs and competitors from the list; wrong options are those of other products. The
    same day and seed give the same questions.

    Parameters
    ----------
    language : of the claims to ask for, by default that of the page; where the list holds one in
        another language only, that
    seed : another number, other questions
    answers : with the answers; without them the table can be handed out

    Returns
    -------
    Finding
        One row per question, ten at most:

        product : blank where the product is the question
        kind : choice, or open
        question
        options : three or four to choose from, a bar between them; blank where it is open
        answer

    Raises
    ------
    DataError
        No products, or no list of claims.
    """
    team.need("products", why="differentiators.quiz")
    dice = np.random.default_rng([seed, team.as_of.toordinal()])
    claims = listed.one_each(listed.claims(team), language)
    claims["competitor"] = claims["competitor"].where(listed.is_filled(claims["competitor"]))
    claims["proof"] = claims["proof"].where(listed.is_filled(claims["proof"]))
    drawn = [*_drawn(claims, dice)]
    table = pd.DataFrame(drawn, columns=COLUMNS, dtype="str")
    n = len(table)
    said = says(
        "{n} question on {products} products, each to be answered alone first.",
        "{n} questions on {products} products, each to be answered alone first.",
        n,
        n=number(n),
        products=claims["product"].nunique(),
    )
    return Finding(
        said if n else say("No claim on the list to ask for."),
        table if answers else table.drop(columns="answer"),
        ask=(say("Which answers differed, and which is the one we want to give?"),) * (n > 0),
    )


def _drawn(claims: pd.DataFrame, dice: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Questions about every claim and of every sort in turn.

    One that quotes a claim gives away the answer to what makes its product different, so the two
    come together only where there are too few others.
    """
    rows = claims.sort_values("differentiator_id").to_dict("records")
    left = [(rows[place], what) for place in dice.permutation(len(rows)) for what in ASKS]
    times: Counter[str] = Counter()

    def rank(turn: tuple[dict[str, Any], str]) -> tuple[int, int, int]:
        row, what = turn
        other = f"{row['product_id']} {'quoted' if ASKS[what] == 'claim' else 'wanted'}"
        return times[other], times[row["differentiator_id"]], times[what]

    seen: set[str] = set()
    while left and len(seen) < LENGTH:
        row, what = turn = min(left, key=rank)
        left.remove(turn)
        made = _question(claims, row, what, dice)
        if made and made["question"] not in seen:
            seen.add(made["question"])
            side = "wanted" if ASKS[what] == "claim" else "quoted"
            times.update([f"{row['product_id']} {side}", row["differentiator_id"], what])
            yield made


def _question(
    claims: pd.DataFrame, row: dict[str, Any], what: str, dice: np.random.Generator
) -> dict[str, Any] | None:
    answer = row[ASKS[what]]
    if pd.isna(answer):
        return None
    options = "" if what in OPEN else _options(claims, row, what, dice)
    if not options and what not in OPEN:
        return None
    text = asked.of(row["language"], "quiz")[what]
    values = {name: str(row[name]) for name in ("product", "claim", "competitor")}
    return {
        "product": "" if what == "product" else row["product"],
        "kind": "open" if what in OPEN else "choice",
        "question": question_bank.fill(text, values),
        "options": options,
        "answer": str(answer),
    }


def _options(
    claims: pd.DataFrame, row: dict[str, Any], what: str, dice: np.random.Generator
) -> str:
    """The right option among those of other products, in no order; "" where they are too few."""
    name = ASKS[what]
    own = set(claims.loc[claims["product_id"] == row["product_id"], name].dropna())
    others = claims.loc[claims["product_id"] != row["product_id"], name].dropna()
    wrong = sorted(set(others) - own)
    if len(wrong) + 1 < FEWEST_OPTIONS:
        return ""
    chosen = [wrong[place] for place in dice.permutation(len(wrong))[: OPTIONS - 1]]
    shown = [str(row[name]), *chosen]
    return " | ".join(shown[place] for place in dice.permutation(len(shown)))
