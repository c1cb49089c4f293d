"""Exports of CRMs for tests: written, imported with every row accounted for, and broken."""

import csv
import os
import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import salesnb
from salesnb import DataError, importers
from salesnb.importers import Stated
from salesnb.simulation import Truth
from salesnb.team import Team

WORDS = ("", "NULL", "x", "-1", "1,5", "2026-13-01", "03/04/2026", "=A1()", "9" * 400, "true")
PLACE = st.integers(0, 20)
TRIALS = int(os.environ.get("SALESNB_TRIALS", "15"))  # broken exports of each CRM
# What no CRM's export holds of a team, by table; products are a matter of the CRM.
LOST = {
    "reps": {"was_peer"},
    "accounts": {"churned_on", "expansion_amount", "crm_in_use", "remote_share", "growth_rate"},
    "products": {"role", "launched_on", "changed_on"},
    "deals": set(),
    "deal_lines": set(),
    "stage_changes": set(),
    "close_date_changes": set(),
    "activities": set(),
}
KEYS = {
    "stage_changes": ["deal_id", "entered_at"],
    "close_date_changes": ["deal_id", "changed_at"],
    "deal_lines": ["deal_id", "product_id"],
}


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


def handed_over(seed: int) -> tuple[Team, Truth]:
    """A team of which one deal went to somebody else half-way; products stand on lines only."""
    team, truth = salesnb.simulate(seed=seed, reps=4, deals_per_rep=12, months=8)
    deals = team.deals
    number = deals.index[deals["outcome"].isna()][0]
    deals.loc[number, "rep_id"] = next(
        rep for rep in team.reps["rep_id"] if rep != deals["rep_id"][number]
    )
    has_lines = deals["deal_id"].isin(team.deal_lines["deal_id"])
    deals["product_id"] = deals["product_id"].where(has_lines)
    return replace(team, tables={**team.tables, "deals": deals}), truth


def must_be_read_back(
    found: Team, was: Team, lost: Mapping[str, set[str]] = LOST, **known: pd.DataFrame
) -> None:
    """A team that went through an export is what it was, but for what is `lost`.

    `known` are tables of which an export tells less.
    """
    for of in ("stages", "as_of", "currency"):
        assert getattr(found, of) == getattr(was, of)
    for name, gone in lost.items():
        before = known.get(name, was.tables[name])
        key = KEYS.get(name, [before.columns[0]])
        old, new = (t.sort_values(key, ignore_index=True) for t in (before, found.tables[name]))
        kept = [column for column in old if column not in gone]
        pd.testing.assert_frame_equal(new[kept], old[kept], check_like=True)


def broken(
    vendor: str, forms: list[dict[str, str]], may_lack: Collection[str], *words: str
) -> Callable:
    """A test: exports in these forms, with cells changed and objects missing, are sound or refused.

    `SALESNB_TRIALS=10000 pytest tests/test_hubspot.py -k broken` tries more of them.
    """

    @settings(max_examples=TRIALS, deadline=None)
    @given(
        objects=st.sampled_from(forms),
        made=changes(*words),
        without=st.sets(st.sampled_from(sorted(may_lack)), max_size=6),
    )
    def test(tmp_path_factory, objects, made, without):
        kept = {name: text for name, text in objects.items() if name not in without}
        aside = tmp_path_factory.mktemp("broken")
        is_sound_or_refused(vendor, aside / "export", kept, made)
        shutil.rmtree(aside)

    return test


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
