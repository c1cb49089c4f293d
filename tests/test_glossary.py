"""GLOSSARY.md says what every metric and every column means, and nothing stale.

``python tests/test_glossary.py`` writes the part on metrics anew.
"""

import inspect
import re
from contextlib import suppress
from pathlib import Path

import pytest

from salesnb import DataError, metrics, schema, verbs

PAGE = Path(__file__).parents[1] / "GLOSSARY.md"
INTERVAL = ("_low", "_high")  # said once for all columns


def section(title):
    """The text under a heading of the page, up to the next one."""
    return PAGE.read_text(encoding="utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]


def columns_of(title):
    """The columns that a section defines, in its order."""
    cells = re.findall(r"^\| (`.*?) \|", section(title), flags=re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]


def metric_rows():
    """The register as rows of a table."""
    rows = ["| metric | unit | definition | needs |", "|---|---|---|---|"]
    for row in metrics.glossary().itertuples():
        definition = f"{row.definition} {row.conventions}".strip()
        rows.append(f"| `{row.metric}` | {row.unit} | {definition} | {row.needs or ''} |")
    return "\n".join(rows) + "\n"


def without_intervals(names):
    return {name for name in names if not name.endswith(INTERVAL) and name not in ("low", "high")}


@pytest.fixture(scope="module")
def found(small):
    """The columns of every verb's table."""
    names = set(metrics.glossary())
    for verb in verbs.find().values():
        parameters = inspect.signature(verb).parameters
        asks = parameters.get("rep") and parameters["rep"].default is inspect.Parameter.empty
        options = [{"rep": small.reps["rep_id"].min()} if asks else {}]
        if "by" in parameters:
            options += [{"by": by} for by in ("rep", "segment", "source", "product", "period")]
        for option in options:
            with suppress(DataError):  # verbs differ in what they group by
                names |= set(verb(small, **option).table)
    return without_intervals(names)


def schema_columns():
    return {name for table in schema.MODELS for name in schema.columns(table)}


def test_every_metric_is_defined_as_the_code_defines_it():
    assert metric_rows() in section("Metrics"), "run python tests/test_glossary.py"


def test_every_column_of_the_tables_is_there_and_none_else():
    assert set(columns_of("Columns of the tables")) == schema_columns()


def test_every_column_of_a_finding_is_there_and_none_else(found):
    listed = set(columns_of("Columns of findings"))
    assert found - listed - schema_columns() == set()
    assert listed - found == set()


@pytest.mark.parametrize("title", ["Columns of findings", "Columns of the tables"])
def test_columns_are_named_once_in_order(title):
    names = columns_of(title)
    assert len(names) == len(set(names))
    first = re.findall(r"^\| `(\w+)`", section(title), flags=re.MULTILINE)
    assert first == sorted(first)


if __name__ == "__main__":
    before, after = PAGE.read_text(encoding="utf-8").split("| metric | unit |")
    rest = after[after.index("\n\n## ") :]
    PAGE.write_text(before + metric_rows().rstrip("\n") + rest, encoding="utf-8")
