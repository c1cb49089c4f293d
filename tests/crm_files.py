"""What the tests of CRM exports share: exports as files, imports in which every row is counted."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import strategies as st

import salesnb
from salesnb import DataError, importers
from salesnb.importers import Stated

CELL = st.one_of(
    st.sampled_from(
        [
            *("", "NULL", "x", "-1", "1,5", "2026-13-01", "03/04/2026", "=A1()", "006A", "true"),
            *("9" * 400, "1767254400000", "1767254400", "0"),
        ]
    ),
    st.text(max_size=6),
)
PLACE = st.integers(0, 20)
CHANGES = st.lists(st.tuples(PLACE, PLACE, PLACE, CELL), max_size=6)


def write(folder: Path, objects: Mapping[str, str]) -> Path:
    """An export: a CSV file for each object."""
    folder.mkdir()
    for name, text in objects.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def run(vendor: str, folder: Path, **stated) -> importers.ImportReport:
    """The import of a folder into the folder `team` beside it."""
    report = importers.run(
        vendor, folder, folder.with_name("team"), overwrite=True, stated=Stated(**stated)
    )
    assert all(c.read == c.kept + sum(c.left_out.values()) for c in report.tables), report
    return report


def faults_of(vendor: str, folder: Path, **stated) -> list[str]:
    """What is said of an export that is wrong."""
    with pytest.raises(DataError) as caught:
        run(vendor, folder, **stated)
    assert not folder.with_name("team").exists(), "nothing half-written"
    return [str(fault) for fault in caught.value.faults]


def lines(table: pd.DataFrame, *columns: str) -> list[str]:
    """Some columns of a table, a line for each row; a dash for what is missing."""
    return [
        " ".join(
            f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else str(value) for value in row
        )
        for row in table[[*columns]].astype(object).fillna("-").itertuples(index=False)
    ]


def counts(report: importers.ImportReport) -> dict:
    """Rows read, kept and left out by reason, by table and file."""
    return {(c.table, c.file): (c.read, c.kept, dict(c.left_out)) for c in report.tables}


def change(path: Path, old: str, new: str) -> None:
    """One piece of the text of a file for another."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def broken(objects: Mapping[str, str], changes: Iterable[tuple]) -> dict[str, str]:
    """The objects with some cells changed, whichever the numbers fall on."""
    tables = {}
    for name, text in objects.items():
        separator = ";" if ";" in text.partition("\n")[0] else ","
        tables[name] = [*csv.reader(text.splitlines(), delimiter=separator)]
    for table, row, column, value in changes if tables else ():
        rows = tables[sorted(tables)[table % len(tables)]]
        cells = rows[row % len(rows)]
        cells[column % len(cells)] = value
    return {
        name: pd.DataFrame(rows).to_csv(index=False, header=False) for name, rows in tables.items()
    }


def faults_or_a_team(vendor: str, folder: Path) -> None:
    """An import that may fail: with faults and nothing written, else with every row counted."""

    try:
        report = run(vendor, folder)
    except DataError as error:
        assert error.faults
        assert not folder.with_name("team").exists()
    else:
        assert report.team.fingerprint == salesnb.load(report.folder).fingerprint
