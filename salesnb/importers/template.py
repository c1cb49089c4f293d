"""Empty tables to fill by hand: for what no CRM holds, or where there is no CRM."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from salesnb import door, schema, settings

GUIDE = "tables.md"
MARK = "\ufeff"  # without it a spreadsheet takes accents for two letters each
ROWS = {
    "reps": "a sales rep",
    "accounts": "a company; further columns are traits that the ideal customer may show",
    "products": "a product",
    "deals": "an opportunity, won, lost or open",
    "deal_lines": "a product on a deal",
    "stage_changes": "a deal entering a stage",
    "close_date_changes": "a new expected close date of a deal",
    "activities": "a call, mail, meeting, demo or proposal, booked or done",
    "quotas": "a rep's target for a period",
    "absences": "leave",
    "goals": "what the company wants of a product in a period",
    "assessments": "a skill scored, 0 to 4",
    "courses": "a training on offer",
    "attendance": "a course taken",
    "onboarding": "a new hire's task",
    "coaching": "a coaching session",
    "differentiators": "why a product is different",
    "ideas": "an idea or a mistake brought up in the team",
}
KINDS = {"text": "text", "number": "a number, 1234.5", "flag": "true or false"}
SETTINGS = """\
# What all reports need to know of the team. Take the # away where a line applies.

name = "Our team"

# The day on which the tables were filled. Every "now" in the reports is this day.
# as_of = 2026-06-30

# ISO 4217; every amount is in this one currency.
currency = "EUR"

# For showing times; times in the tables are UTC.
timezone = "UTC"

# ISO 3166: its public holidays are no working days.
# country = "HU"

# The month in which the fiscal year starts.
fiscal_year_starts = 1

# The open stages of a deal in order, as stage_changes has them.
stages = []

# Which skills each stage leans on, as assessments and courses name them.
# [skills]
# Discovery = ["needs discovery"]
"""
INTRO = """\
# How to fill these tables

One file is one table, one row under its header one thing. Only `reps` and `deals` must have rows;
delete the files that you do not need. Then `salesnb check {folder}` says what is wrong, with file,
row and column, and what the tables are good for.

- A day is written 2026-06-30, a time 2026-06-30T09:15 in UTC, an amount 1234.50 without a sign.
- A column marked * must be filled in every row. Columns beyond these may be added.
- Separators are commas; semicolons and tabs are understood too.
"""


def write(dest: str | Path, known_as: str = "") -> Path:
    """Write a folder of empty CSV tables with their headers, ``team.toml`` and a guide.

    `known_as` is what the guide calls the folder, if it is not to stay where it is written.

    Raises `DataError` if `dest` exists and holds anything, or cannot be written.
    """
    folder = door.must_be_free(dest)
    with door.whole(folder) as aside:
        for table in schema.MODELS:
            header = MARK + ",".join(schema.columns(table)) + "\n"
            (aside / f"{table}.csv").write_text(header, encoding="utf-8", newline="")
        (aside / settings.FILE).write_text(SETTINGS, encoding="utf-8")
        guide = INTRO.format(folder=shlex.quote(known_as or str(dest))) + "".join(_tables())
        (aside / GUIDE).write_text(guide, encoding="utf-8")
    return folder


def _tables() -> Iterator[str]:
    for table in schema.MODELS:
        yield f"\n## {table}\n\nOne row is {ROWS[table]}.\n\n| column | holds |\n|---|---|\n"
        must = set(schema.required(table))
        for name, column in schema.columns(table).items():
            mark = " *" if name in must else ""
            yield f"| `{name}`{mark} | {_refers(table, name) or _holds(name, column)} |\n"


def _refers(table: str, name: str) -> str:
    other, key = schema.references(table).get(name, ("", ""))
    return f"a `{key}` of `{other}`" if other else ""


def _holds(name: str, column: Any) -> str:
    words = [w for check in column.checks for w in check.statistics.get("allowed_values", ())]
    if words:
        return " or ".join(f"`{word}`" for word in words)
    if name.endswith(("_rate", "_share")):
        return "a share, 0.35 for 35 %"
    if schema.kind(column) == "time":
        return "a day" if name.endswith("_on") else "a time"
    return KINDS[schema.kind(column)] + (", not used twice" if column.unique else "")
