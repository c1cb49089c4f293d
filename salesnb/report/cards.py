"""A sheet for each product: what makes it different, to print and to pin up."""

from pathlib import Path
from typing import Any

import pandas as pd
from babel import Locale, UnknownLocaleError

from salesnb import __version__, door, units
from salesnb.dataset import load
from salesnb.differentiators import cards
from salesnb.differentiators.listed import claims as listed_claims
from salesnb.language import locale, say, to_say
from salesnb.report import page
from salesnb.report.files import write_whole
from salesnb.team import Team
from salesnb.units import number, percent, span
from salesnb.wanted import role_in_words

PROOF, AGAINST, OWNER = to_say("Proof"), to_say("Against"), to_say("Kept by")
REVIEWED, TOLD = to_say("Reviewed"), to_say("Told")


def write(source: str | Path, output: str | Path, product: str | None = None) -> Path:
    """Write ``cards.html`` into the folder of the day: one sheet per product; give the file.

    Raises `DataError` for faulty data, without a list of claims, and for an unknown product.
    """
    team = load(source)
    html = page.template("cards.html.j2").render(
        team=team.settings.name,
        as_of=units.day(team.as_of),
        cards=sheets(team, product),
        facts={
            to_say("Data"): f"{door.name(door.located(source))}, {team.fingerprint}",
            "salesnb": __version__,
        },
    )
    return write_whole(Path(output) / str(team.as_of.date()) / "cards.html", html)


def sheets(team: Team, product: str | None = None) -> list[dict[str, Any]]:
    """What stands on each sheet: kicker, product, its claims with their facts, a question."""
    table = cards.sheets(team, product)
    about, other = _about(team), _other_languages(team)
    found: dict[str, dict[str, Any]] = {}
    for row in _records(table):
        blank = {"product": row["product"], "kicker": about[row["product_id"]], "claims": []}
        sheet = found.setdefault(row["product_id"], blank | {"question": row["question"]})
        if pd.notna(row["claim"]):
            sheet["claims"].append(_claim(row, other))
    return [*found.values()]


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _about(team: Team) -> dict[str, str]:
    """Family and role of each product, as far as they are on record."""
    rows = team.products[["family", "role"]].astype("str").fillna("")
    roles = rows["role"].map(role_in_words)
    said = [" · ".join(filter(None, row)) for row in zip(rows["family"], roles, strict=True)]
    return dict(zip(team.products["product_id"], said, strict=True))


def _claim(row: dict[str, Any], other: dict[str, dict[str, str]]) -> dict[str, Any]:
    facts = {PROOF: row["proof"], AGAINST: row["competitor"], OWNER: row["owner"]}
    shown = {name: "" if pd.isna(fact) else str(fact) for name, fact in facts.items()}
    if not shown[AGAINST]:
        shown[AGAINST] = say("anybody")
    return {
        "claim": row["claim"],
        "question": row["question"],
        "facts": {**shown, REVIEWED: _reviewed(row), TOLD: _told(row)}
        | other[row["differentiator_id"]],
    }


def _reviewed(row: dict[str, Any]) -> str:
    if pd.isna(row["reviewed_on"]):
        return say("never: to be reviewed")
    day = units.day(row["reviewed_on"])
    why = row["freshness"]
    if why == cards.FRESH:
        return f"{day}, {say(cards.FRESH)}"
    return say("{day}: to be reviewed ({why})", day=day, why=say(why))


def _told(row: dict[str, Any]) -> str:
    if pd.isna(row["told_rate"]):
        return say("no call note yet that could tell it")
    n_apart, n_reps = number(row["n_apart"]), number(row["n_reps"])
    return say(
        "in {share} ({ends}) of {n} call notes; {apart}",
        share=percent(row["told_rate"]),
        ends=span(row["told_low"], row["told_high"], percent),
        n=number(row["n_notes"]),
        apart=say("{n} of {all} reps differ by more than chance", n=n_apart, all=n_reps)
        if row["n_apart"]
        else say("nobody differs by more than chance"),
    )


def _other_languages(team: Team) -> dict[str, dict[str, str]]:
    """Each claim in its other languages, by the id of any of its rows: language to words."""
    rows = listed_claims(team)
    found: dict[str, dict[str, str]] = {}
    for _, group in rows.groupby("group"):
        each = group[["differentiator_id", "language", "claim"]].to_dict("records")
        for own in each:
            found[own["differentiator_id"]] = {
                say("In {language}", language=_spoken(row["language"])): row["claim"]
                for row in each
                if row is not own
            }
    return found


def _spoken(code: str) -> str:
    """The name of a language by its code."""
    try:
        return Locale.parse(code).get_language_name(locale()) or code
    except (UnknownLocaleError, ValueError):
        return code or say("other words")
