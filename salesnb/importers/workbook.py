"""The sheets of an Excel or LibreOffice workbook as text cells, under the rows that it shows."""

import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from salesnb.csvfile import header_faults
from salesnb.errors import DataError, Fault
from salesnb.importers import archive, edges

SUFFIXES = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
EXPECTED = (
    "a workbook that can be opened (an .xls that is a web page inside is none): save it as CSV"
)

Counts = dict[str, int]


def sheets(path: Path) -> Iterator[tuple[str, list[list[str]]]]:
    """The name and the cells of every sheet, formulas by their last result.

    Days come as ``2026-03-04``, times as ``2026-03-04 09:15:00``, numbers with a decimal point.
    Raises `DataError` where the workbook cannot be opened.
    """
    archive.must_be_small(path)
    try:
        found = pd.read_excel(
            path, sheet_name=None, header=None, dtype=object, na_filter=False, engine="calamine"
        )
    except Exception as error:  # whatever a parser of foreign bytes may meet
        why = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise DataError([Fault(path.name, EXPECTED, value=why)]) from error
    for name, rows in found.items():
        yield str(name), [[_text(cell) for cell in row] for row in rows.to_numpy()]


def table(origin: str, rows: list[list[str]]) -> tuple[pd.DataFrame, Counts]:
    """One sheet as a table under its header, and the rows that are none of it, by reason.

    Columns without a name and without a cell are left away. Raises `DataError` as CSV files do.
    """
    place = edges.header_row(rows)
    n_last = edges.footer_rows(rows[place + 1 :], len(rows[place]), is_padded=True)
    body = rows[place + 1 : len(rows) - n_last]
    used = [n for n, _ in enumerate(rows[place]) if any(row[n].strip() for row in rows[place:])]
    names = [rows[place][n].strip() for n in used]
    faults = list(header_faults(origin, names))
    if faults:
        header = (place + 1,)
        raise DataError([Fault(origin, f.expected, f.column, f.value, header) for f in faults])
    kept = {n: row for n, row in enumerate(body, start=place + 2) if any(c.strip() for c in row)}
    cells = [[row[n] for n in used] for row in kept.values()]
    text = pd.DataFrame(cells, columns=names, index=[*kept], dtype="str")
    counts = {
        edges.TITLE: _n_filled(rows[:place]),
        edges.BLANK: len(body) - len(kept),
        edges.FOOTER: _n_filled(rows[len(rows) - n_last :]),
    }
    return text.mask(text == ""), {reason: n for reason, n in counts.items() if n}


def is_1904(path: Path) -> bool:
    """Whether a workbook counts days from 1904, as old ones from a Mac do; its serials differ."""
    try:
        with zipfile.ZipFile(path) as book:
            said = book.read("xl/workbook.xml")[:100_000]
    except (*archive.BROKEN, KeyError, OSError):
        return False
    return bool(re.search(rb'date1904\s*=\s*"(1|true)"', said))


def _n_filled(rows: list[list[str]]) -> int:
    return sum(any(cell.strip() for cell in row) for row in rows)


def _text(cell: Any) -> str:
    match cell:
        case str():
            return cell
        case bool():
            return "true" if cell else "false"
        case float():
            return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
        case datetime():
            is_day = cell.time() == time(0)
            return cell.date().isoformat() if is_day else cell.isoformat(" ", "seconds")
        case date():
            return cell.isoformat()
        case timedelta():
            return str(cell)
    return "" if cell is None or cell is pd.NaT else str(cell)
