"""What was exported: every table of a folder, an archive, a workbook or single files, as text.

Nothing is interpreted yet. A cell is the text that stands in the file, a row has the number that a
spreadsheet shows for it, and what is no row of a table is counted with its reason.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import ibis
import pandas as pd

from salesnb import cells, csvfile, door
from salesnb.errors import DataError, Fault
from salesnb.importers import archive, edges, encoding, progress, workbook

TEXT = (".csv", ".tsv", ".tab", ".txt")
PARQUET = ".parquet"
ZIP = ".zip"
FILES = (*TEXT, PARQUET, *workbook.SUFFIXES)
SEPARATOR_LINE = 16  # bytes at most: "sep=;" and a line end, in UTF-8


@dataclass(frozen=True)
class Piece:
    """One of several files that a table is put together from.

    origin, file : as of a table
    start : what its row numbers are counted from in the whole
    n_read : its rows, those left out too
    """

    origin: str
    file: Path
    start: int
    n_read: int


@dataclass(frozen=True, eq=False)
class RawTable:
    """One table of an export, as it stands there.

    name : the file without its ending, or the sheet
    origin : where it stands within the export: ``deals.csv``, ``book.xlsx/Deals``
    rows : text cells, empty ones missing, under the row numbers that a spreadsheet shows
    file : the file on disk that holds it, perhaps an archive
    said : what was decided in reading it
    left_out : rows that are none of the table, by reason
    is_1904 : whether serial days count from 1904
    pieces : the files that it was put together from, where they are several
    unread : the first rows of columns that were not read
    """

    name: str
    origin: str
    rows: pd.DataFrame
    file: Path
    said: tuple[str, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    is_1904: bool = False
    pieces: tuple[Piece, ...] = ()
    unread: pd.DataFrame = field(default_factory=pd.DataFrame)


@dataclass(frozen=True, eq=False)
class Export:
    """The tables that were read, what is wrong with others, and the names of what was not read."""

    tables: tuple[RawTable, ...]
    faults: tuple[Fault, ...]
    others: tuple[str, ...]


@dataclass(frozen=True)
class _Place:
    """A file to read: where it is now, its name within the export, the file the user has."""

    path: Path
    origin: str
    file: Path


def read(
    source: str | Path,
    *,
    encoding: str = "",
    wanted: Callable[[str], bool] = lambda name: True,
    columns: Callable[[str, str], bool] = lambda table, name: True,
) -> Export:
    """Every table of an export.

    `source` is a folder (folders within it too), a zip archive, a workbook, or one CSV or Parquet
    file; archives within archives are not opened. `encoding` is that of text files, where it shall
    not be found out. Tables whose name is not `wanted` are listed but not read, and of a text file
    only these `columns`, by the table's name and theirs.

    Raises `DataError` where there is no such source or encoding. What cannot be read is in the
    faults: file, row, what was expected.
    """
    start = door.must_exist(source, "file or folder")
    codec = _encoding(encoding)
    reader = _Reader(codec, wanted, columns)
    with TemporaryDirectory(prefix="salesnb-") as aside, door.connection() as con:
        behind, size = 0, _size(start)
        for number, place in enumerate(_places(start, Path(aside), reader)):
            progress.tell(f"Reading {place.origin}", progress.READ * min(behind / size, 1))
            behind += place.path.stat().st_size
            own = Path(aside) / f"copy-{number}"
            own.mkdir()
            reader.file(con, place, own)
            shutil.rmtree(own)
    return Export(tuple(reader.tables), tuple(reader.faults), tuple(sorted(reader.others)))


def _size(start: Path) -> int:
    """How many bytes there are to read; those of archives count as they are packed."""
    paths = start.rglob("*") if start.is_dir() else [start]
    return sum(path.stat().st_size for path in paths if path.is_file()) or 1


def _encoding(name: str) -> str:
    return encoding.named(name) if name else ""


def _places(start: Path, aside: Path, reader: "_Reader") -> Iterator[_Place]:
    """The files to read; what is none of them goes to the reader's others."""
    paths = sorted(p for p in start.rglob("*") if p.is_file()) if start.is_dir() else [start]
    for path in paths:
        origin = path.relative_to(start).as_posix() if start.is_dir() else path.name
        if path.suffix.lower() != ZIP:
            yield from _known(_Place(path, origin, path), reader)
            continue
        into = Path(mkdtemp(dir=aside))
        prefix = f"{origin}/" if start.is_dir() else ""
        try:
            for name, place in archive.unpacked(path, into):
                yield from _known(_Place(place, prefix + name, path), reader)
                place.unlink()
        except (DataError, OSError) as error:
            reader.fault(error, path.name, origin)


def _known(place: _Place, reader: "_Reader") -> Iterator[_Place]:
    name = Path(place.origin).name
    if name.startswith((".", "~$")) or "__MACOSX/" in place.origin:
        return  # what systems and open workbooks leave behind
    if place.path.suffix.lower() in FILES:
        yield place
    elif place.origin == place.file.name:
        known = ", ".join((*FILES, ZIP))
        reader.faults.append(Fault(place.origin, f"a folder, or a file of one of {known}"))
    else:
        reader.others.append(place.origin)


class _Reader:
    """Reads one file after the other and gathers tables, faults and the names of the rest."""

    def __init__(
        self, encoding: str, wanted: Callable[[str], bool], columns: Callable[[str, str], bool]
    ):
        self.encoding = encoding
        self.wanted = wanted
        self.columns = columns
        self.tables: list[RawTable] = []
        self.faults: list[Fault] = []
        self.others: list[str] = []

    def file(self, con: ibis.BaseBackend, place: _Place, own: Path) -> None:
        suffix = place.path.suffix.lower()
        name = Path(place.origin).stem
        try:
            if suffix in workbook.SUFFIXES:
                self.workbook(place)
            elif not self.wanted(name):
                self.others.append(place.origin)
            elif suffix == PARQUET:
                rows = _as_text(door.parquet(con, place.path))
                self.tables.append(RawTable(name, place.origin, rows, place.file))
            else:
                columns = partial(self.columns, name)
                self.tables.append(_text_file(con, place, own, self.encoding, columns))
        except (DataError, OSError) as error:
            self.fault(error, place.path.name, place.origin)

    def workbook(self, place: _Place) -> None:
        is_1904 = workbook.is_1904(place.path)
        sheets, stem = [*workbook.sheets(place.path)], Path(place.origin).stem
        if len(sheets) == 1 and not self.wanted(sheets[0][0]) and self.wanted(stem):
            sheets = [(stem, sheets[0][1])]  # the only sheet is what the workbook is called
        for name, cells_of in sheets:
            origin = f"{place.origin}/{name}"
            if not self.wanted(name) or not any(cell.strip() for row in cells_of for cell in row):
                self.others.append(origin)
                continue
            try:
                rows, counts = workbook.table(origin, cells_of)
            except DataError as error:
                self.faults += error.faults
                continue
            table = RawTable(name, origin, rows, place.file, (), counts, is_1904)
            self.tables.append(table)

    def fault(self, error: DataError | OSError, name: str, origin: str) -> None:
        found = door.faults_of(error, name)
        self.faults += [replace(fault, table=origin) for fault in found]


def _text_file(
    con: ibis.BaseBackend, place: _Place, own: Path, codec: str, columns: Callable[[str], bool]
) -> RawTable:
    """A CSV file: in UTF-8, without the line that states the separator, without its footer."""
    said = []
    found, others = (codec, ()) if codec else encoding.of(place.path)
    if found not in ("", "utf-8", "utf-8-sig"):
        said.append(f"read as {encoding.said(found)}{_or(others)}")
    path, separators = _in_utf8(place.path, own, found)
    end, n_footer = edges.cut_footer(path, separators)
    if n_footer:
        path = _shortened(path, own, end)
    rows, unread = csvfile.parts(con, path, separators, columns)
    is_blank = rows.isna().all(axis=1)
    counts = {edges.BLANK: int(is_blank.sum()), edges.FOOTER: n_footer}
    counts = {reason: n for reason, n in counts.items() if n}
    name = Path(place.origin).stem
    rows = rows[~is_blank] if is_blank.any() else rows
    return RawTable(name, place.origin, rows, place.file, tuple(said), counts, unread=unread)


def _or(others: tuple[str, ...]) -> str:
    if not others:
        return ""
    names = " or ".join(encoding.said(name) for name in others)
    return f", though it may be {names}: encoding={others[0]!r} says so"


def _in_utf8(path: Path, own: Path, codec: str) -> tuple[Path, str]:
    """The file, or a copy of it that is UTF-8 and begins with the header; the separators to try."""
    with path.open("rb") as file:
        is_stated = b"sep=" in file.read(64).replace(b"\0", b"")[:10].lower()
    if not is_stated and codec in ("", "utf-8", "utf-8-sig"):
        return path, csvfile.SEPARATORS
    separators = csvfile.SEPARATORS
    copy = own / path.name
    try:
        with (
            path.open(encoding=_without_mark(codec), newline="") as file,
            copy.open("w", encoding="utf-8", newline="") as new,
        ):
            start = file.readline(SEPARATOR_LINE)
            stated = start.strip('\ufeff\r\n"')
            if stated.lower().startswith("sep=") and len(stated) == 5:
                separators = stated[4]
            else:
                new.write(start)
            shutil.copyfileobj(file, new, 1 << 20)
    except UnicodeError as error:
        expected = f"text in {encoding.said(codec)}: another encoding= may fit"
        raise DataError([Fault(path.name, expected, value=str(error)[:120])]) from error
    return copy, separators


def _without_mark(codec: str) -> str:
    return {"": "utf-8-sig", "utf-8": "utf-8-sig"}.get(codec, codec)


def _shortened(path: Path, own: Path, end: int) -> Path:
    copy = own / path.name
    if path != copy:
        shutil.copyfile(path, copy)
    with copy.open("rb+") as file:
        file.truncate(end)
    return copy


def _as_text(typed: pd.DataFrame) -> pd.DataFrame:
    """The columns of a Parquet file as text: days and times in ISO, flags as true and false."""
    return typed.apply(_column_as_text) if len(typed.columns) else typed


def _column_as_text(values: pd.Series) -> pd.Series:
    if pd.api.types.infer_dtype(values, skipna=True) == "boolean":
        values = values.map({True: "true", False: "false"}, na_action="ignore")
    text = values.astype("str") if cells.is_text(values) else cells.convert(values, "text")
    return text.mask(text == "")
