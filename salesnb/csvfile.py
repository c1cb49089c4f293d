"""One CSV file as text cells, every row under the number that a spreadsheet shows for it.

DuckDB reads the file. What it refuses is read again by the standard library's csv module, which
is slower but can say of every row what is wrong with it.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import duckdb
import ibis
import pandas as pd

from salesnb.errors import DataError, Fault

SEPARATORS = ",;\t|"
NOT_CSV = {
    b"PK\x03\x04": "an Excel workbook",
    b"PAR1": "a Parquet file",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
SAVE_AS = "UTF-8 text: save it as 'CSV UTF-8'"
BLANK_LINES = ("\n\n", "\n\r\n", "\r\r")
HEADER_AT_MOST = 100_000
PIECE = 1 << 22
FIRST = 20_000  # rows of columns that are not wanted


def read(con: ibis.BaseBackend, path: Path, separators: str = SEPARATORS) -> pd.DataFrame:
    """The cells of a file as text, blank ones missing; the index is the row number.

    The header is row 1, blank lines count, a quoted cell of several lines is one row. The separator
    is that of `separators` which splits the header into most cells. Raises `DataError` with every
    fault of the file, `OSError` where it cannot be opened.
    """
    return parts(con, path, separators)[0]


def parts(
    con: ibis.BaseBackend,
    path: Path,
    separators: str = SEPARATORS,
    wanted: Callable[[str], bool] = lambda column: True,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The `wanted` columns of a file as `read`, and the first rows of the others."""
    start, has_gaps = _looked_over(path)
    separator, names = first_row(path.name, start, separators)
    # The engine skips blank lines, and the rows behind one would be numbered wrongly.
    if not has_gaps:
        try:
            return _fast(con, path, names, separator, wanted)
        except duckdb.Error:
            pass
    return split(_patient(path.name, decoded(path), names, separator), wanted)


def split(rows: pd.DataFrame, wanted: Callable[[str], bool]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The `wanted` columns of a table, and the first rows of the others."""
    kept = [name for name in rows if wanted(str(name))]
    return rows[kept], rows.drop(columns=kept).head(FIRST)


def _looked_over(path: Path) -> tuple[str, bool]:
    """The beginning of a file, and whether there are blank lines before its end.

    Piece by piece, since a large file does not fit into memory twice.
    """
    start, last, has_gaps = "", "", False
    try:
        with path.open("rb") as raw:
            _must_be_text(path.name, raw.read(PIECE))
        with path.open(encoding="utf-8-sig", newline="") as file:
            while piece := file.read(PIECE):
                if "\0" in piece:
                    return decoded(path), True
                start = start or piece
                # What is left of the last piece begins with a row end, if it ended in blank lines.
                text = last + piece
                kept = text.rstrip()
                has_gaps = has_gaps or any(lines in kept for lines in BLANK_LINES)
                last = kept[-1:] + text[len(kept) :]
    except UnicodeDecodeError:
        return decoded(path), True
    return start, has_gaps


def _must_be_text(name: str, data: bytes) -> None:
    for start, what in NOT_CSV.items():
        if data.startswith(start):
            raise DataError([Fault(name, SAVE_AS, value=what)])
    if data.count(b"\0") > len(data) / 4:
        raise DataError([Fault(name, SAVE_AS, value="UTF-16")])


def decoded(path: Path) -> str:
    """The text of a file in UTF-8; `DataError` where it is none, by column and row."""
    data = path.read_bytes()
    _must_be_text(path.name, data)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = ""
    if "\0" in text or (data and not text):
        raise DataError(_unreadable(path.name, data))
    return text


def _unreadable(name: str, data: bytes) -> Iterator[Fault]:
    """The cells that are not UTF-8 text, by column."""
    start = data[:4096]
    if sum(byte < 32 and byte not in b"\t\n\r" for byte in start) > len(start) / 20:
        yield Fault(name, SAVE_AS, value="data that is no text")
        return
    text = data.decode("latin-1")
    separator, names = first_row(name, text)
    names = [column.encode("latin-1").decode("utf-8", errors="replace")[:40] for column in names]
    found: dict[str, list[tuple[int, str]]] = {}
    for number, cells in numbered(name, text, separator):
        for column, cell in zip(names, cells if isinstance(cells, list) else (), strict=False):
            shown = cell.encode("latin-1").decode("utf-8", errors="replace")
            if "\ufffd" in shown or "\0" in shown:
                found.setdefault(column, []).append((number, shown.replace("\0", "\ufffd")))
    for column, places in found.items():
        yield Fault(name, SAVE_AS, column, places[0][1][:80], tuple(row for row, _ in places))
    if not found:
        yield Fault(name, SAVE_AS, value="bytes of another encoding")


def first_row(name: str, text: str, separators: str = SEPARATORS) -> tuple[str, list[str]]:
    """The separator that splits the first row into most cells, and the cells."""
    if not text.strip():
        raise DataError([Fault(name, "a header and rows", value="an empty file")])
    first = {s: _split(text, s) for s in separators}
    separator = max(first, key=lambda s: len(first[s]))
    names = [column.strip() for column in first[separator]]
    faults = list(header_faults(name, names))
    if faults:
        raise DataError(faults)
    return separator, names


def _split(text: str, separator: str) -> list[str]:
    head = io.StringIO(text[:HEADER_AT_MOST], newline="")
    return next(csv.reader(head, delimiter=separator))


def header_faults(name: str, names: list[str]) -> Iterator[Fault]:
    """What is wrong with the names of the columns in the first row of a table."""
    if not any(names):
        yield Fault(name, "the names of the columns in the first row", rows=(1,))
        return
    for number, column in enumerate(names, start=1):
        if not column:
            yield Fault(name, f"a name for column {number}, or that column removed", rows=(1,))
        elif "\n" in column:
            found = column.splitlines()[0][:40] + "…"
            expected = "a column name on one line (perhaps a quote never closes)"
            yield Fault(name, expected, value=found, rows=(1,))
    for column in dict.fromkeys(names):
        if column and names.count(column) > 1:
            found = f"{names.count(column)} columns of this name"
            yield Fault(name, "every column once", column, found, rows=(1,))


def _fast(
    con: ibis.BaseBackend,
    path: Path,
    names: list[str],
    separator: str,
    wanted: Callable[[str], bool],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    # Names of our own: the engine takes "Id" and "ID" for the same column.
    table = con.read_csv(
        path,
        columns={f"c{number}": "VARCHAR" for number in range(len(names))},
        auto_detect=False,
        header=True,
        delim=separator,
        quote='"',
        escape='"',
        nullstr="",
    )
    own = {f"c{number}": name for number, name in enumerate(names)}
    kept = [column for column, name in own.items() if wanted(name)] or [*own]
    others = [column for column in own if column not in kept]
    found = in_memory(table[kept])
    found = found.set_axis([own[each] for each in kept], axis=1).set_axis(range(2, len(found) + 2))
    first = in_memory(table[others].limit(FIRST)) if others else found[[]].head(FIRST)
    first = first.set_axis([own[each] for each in others], axis=1)
    return found, first.set_axis(range(2, len(first) + 2))


def in_memory(table: ibis.Table) -> pd.DataFrame:
    """The rows of a table; by way of Arrow, which takes a sixth of the time of `to_pandas`."""
    return table.to_pyarrow().to_pandas(split_blocks=True, self_destruct=True, date_as_object=False)


def _patient(name: str, text: str, names: list[str], separator: str) -> pd.DataFrame:
    rows: dict[int, list[str]] = {}
    faults = []
    for number, cells in numbered(name, text, separator):
        if isinstance(cells, Fault):
            faults.append(cells)
        elif number > 1 and (len(cells) > 1 or "".join(cells).strip()):
            rows[number] = cells
            if len(cells) != len(names):
                faults.append(_ragged(name, number, len(cells), len(names), separator))
    if faults:
        raise DataError(_joined(faults))
    table = pd.DataFrame(list(rows.values()), columns=names, index=list(rows), dtype="str")
    return table.mask(table == "")


def _ragged(name: str, row: int, found: int, expected: int, separator: str) -> Fault:
    cells = "1 cell" if found == 1 else f"{found} cells"
    hint = f" (a cell that holds a {separator!r} needs quotes)" if found > expected else ""
    return Fault(name, f"{expected} as in the header{hint}", value=cells, rows=(row,))


def numbered(name: str, text: str, separator: str) -> Iterator[tuple[int, list[str] | Fault]]:
    """Every row with its number, or what is wrong with it."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    number = 0
    while True:
        number += 1
        try:
            yield number, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield number, Fault(name, _expected(str(error)), rows=(number,))


def _expected(error: str) -> str:
    if "field limit" in error:
        return f"cells of at most {csv.field_size_limit():,} characters (perhaps an unclosed quote)"
    return 'a quote that ends the cell it begins; quotes inside are doubled: "say ""hello"""'


def _joined(faults: Iterable[Fault]) -> Iterator[Fault]:
    """Rows with the same fault as one fault."""
    same: dict[tuple[str, str], list[Fault]] = {}
    for fault in faults:
        same.setdefault((fault.expected, fault.value), []).append(fault)
    for (expected, value), alike in same.items():
        rows = tuple(row for fault in alike for row in fault.rows)
        yield Fault(alike[0].table, expected, value=value, rows=rows)
