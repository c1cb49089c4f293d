"""A sheet for each product: what makes it different, to print and to pin up."""

from pathlib import Path
from typing import Any

import pandas as pd
from babel import Locale, UnknownLocaleError

from salesnb import __version__, door, units
from salesnb.differentiators import cards
from salesnb.differentiators.listed import claims as listed_claims
from salesnb.language import locale
from salesnb.report import page
from salesnb.report.files import write_whole
from salesnb.team import Team, load
from salesnb.units import number, percent


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
            "Data": f"{door.name(door.located(source))}, {team.fingerprint}",
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
    said = [" · ".join(filter(None, row)) for row in zip(rows["family"], rows["role"], strict=True)]
    return dict(zip(team.products["product_id"], [w.replace("_", " ") for w in said], strict=True))


def _claim(row: dict[str, Any], other: dict[str, dict[str, str]]) -> dict[str, Any]:
    facts = {"Proof": row["proof"], "Against": row["competitor"], "Kept by": row["owner"]}
    shown = {name: "" if pd.isna(fact) else str(fact) for name, fact in facts.items()}
    if not shown["Against"]:
        shown["Against"] = "anybody"
    return {
        "claim": row["claim"],
        "question": row["question"],
        "facts": {**shown, "Reviewed": _reviewed(row), "Told": _told(row)}
        | other[row["differentiator_id"]],
    }


def _reviewed(row: dict[str, Any]) -> str:
    if pd.isna(row["reviewed_on"]):
        return "never: to be reviewed"
    day = units.day(row["reviewed_on"])
    is_fresh = row["freshness"] == cards.FRESH
    return f"{day}, {cards.FRESH}" if is_fresh else f"{day}: to be reviewed ({row['freshness']})"


def _told(row: dict[str, Any]) -> str:
    if pd.isna(row["told_rate"]):
        return "no call note yet that could tell it"
    ends = f"{percent(row['told_low'])}-{percent(row['told_high'])}"
    apart = (
        f"{number(row['n_apart'])} of {number(row['n_reps'])} reps differ by more than chance"
        if row["n_apart"]
        else "nobody differs by more than chance"
    )
    return (
        f"in {percent(row['told_rate'])} ({ends}) of {number(row['n_notes'])} call notes; {apart}"
    )


def _other_languages(team: Team) -> dict[str, dict[str, str]]:
    """Each claim in its other languages, by the id of any of its rows: language to words."""
    rows = listed_claims(team)
    found: dict[str, dict[str, str]] = {}
    for _, group in rows.groupby("group"):
        each = group[["differentiator_id", "language", "claim"]].to_dict("records")
        for own in each:
            found[own["differentiator_id"]] = {
                f"In {_spoken(row['language'])}": row["claim"] for row in each if row is not own
            }
    return found


def _spoken(code: str) -> str:
    """The English name of a language by its code."""
    try:
        return Locale.parse(code).get_language_name(locale()) or code
    except (UnknownLocaleError, ValueError):
        return code or "other words"
