"""Exports of CRMs for tests: written, imported with every row accounted for, and broken."""

import csv
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import strategies as st

import salesnb
from salesnb import DataError, importers
from salesnb.importers import Stated

WORDS = ("", "NULL", "x", "-1", "1,5", "2026-13-01", "03/04/2026", "=A1()", "9" * 400, "true")
PLACE = st.integers(0, 20)


def write(folder: Path, objects: dict[str, str]) -> Path:
    """One CSV file for each object."""
    folder.mkdir()
    for name, text in objects.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def run(vendor: str, folder: Path, **stated) -> importers.ImportReport:
    """Import into a folder `team` beside the export; every row that was read is accounted for."""
    report = importers.run(
        vendor, folder, folder.with_name("team"), overwrite=True, stated=Stated(**stated)
    )
    assert all(c.read == c.kept + sum(c.left_out.values()) for c in report.tables), report
    return report


def faults_of(vendor: str, folder: Path, **stated) -> list[str]:
    """What is said of an export that cannot be imported."""
    with pytest.raises(DataError) as caught:
        run(vendor, folder, **stated)
    assert not folder.with_name("team").exists(), "nothing half-written"
    return [str(fault) for fault in caught.value.faults]


def lines(table: pd.DataFrame, *columns: str) -> list[str]:
    """Rows as text: days, and a dash where a cell is blank."""
    return [
        " ".join(
            f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else str(value) for value in row
        )
        for row in table[[*columns]].astype(object).fillna("-").itertuples(index=False)
    ]


def counts(report: importers.ImportReport) -> dict[tuple[str, str], tuple]:
    """Rows read, kept and left out by reason, by table and file."""
    return {(c.table, c.file): (c.read, c.kept, dict(c.left_out)) for c in report.tables}


def change(path: Path, old: str, new: str) -> None:
    """One piece of the text of a file for another, everywhere."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def changes(*words: str) -> st.SearchStrategy:
    """Up to six cells to change, and what into; `words` beside those that harm any export."""
    cell = st.one_of(st.sampled_from([*WORDS, *words]), st.text(max_size=6))
    return st.lists(st.tuples(PLACE, PLACE, PLACE, cell), max_size=6)


def is_sound_or_refused(
    vendor: str, folder: Path, objects: dict[str, str], made: list[tuple]
) -> None:
    """Some cells of an export changed: it is a team that can be loaded, or faults and no trace."""
    write(folder, _changed(objects, made))
    try:
        report = run(vendor, folder)
    except DataError as error:
        assert error.faults
        assert not folder.with_name("team").exists()
    else:
        assert report.team.fingerprint == salesnb.load(report.folder).fingerprint


def _changed(objects: dict[str, str], made: list[tuple]) -> dict[str, str]:
    """The objects with some cells changed, whichever the numbers fall on."""
    tables = {}
    for name, text in objects.items():
        header, *_ = rows = text.splitlines()
        tables[name] = [*csv.reader(rows, delimiter=";" if ";" in header else ",")]
    for table, row, column, value in made if tables else ():
        rows = tables[sorted(tables)[table % len(tables)]]
        cells = rows[row % len(rows)]
        cells[column % len(cells)] = value
    return {
        name: pd.DataFrame(rows).to_csv(index=False, header=False) for name, rows in tables.items()
    }
