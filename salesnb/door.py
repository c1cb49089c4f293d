"""The door: where a team's tables come from and go to. In front of it files, behind it pandas.

Everything is read through Ibis, so that a source other than a folder only has to hand over
Ibis tables under the names of the schema.
"""

import os
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any
from urllib.parse import parse_qsl, urlencode

import duckdb
import ibis
import pandas as pd

from salesnb import csvedit, csvfile, database, parquetfile, schema, typed
from salesnb.database import Address
from salesnb.errors import DataError, Fault, nearest

SUFFIXES = (".csv", ".parquet")
ASIDE = ".part"  # the end of the name of a folder in which a file is being written
OWN_FOLDER, OWN_FILE = 0o700, 0o600  # for the owner only


def files(folder: Path) -> tuple[dict[str, Path], list[Fault]]:
    """The file of each table in a folder, and what is wrong with the names found there."""
    found: dict[str, Path] = {}
    faults = []
    for path in sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES):
        close = nearest(path.stem, schema.MODELS, at_least=80)
        if path.stem in found:
            both = f"{found[path.stem].name} and {path.name}"
            faults.append(Fault(path.stem, "one file, CSV or Parquet, not both", value=both))
        elif path.stem in schema.MODELS:
            found[path.stem] = path
        elif close:
            faults.append(Fault(path.name, "a table of the schema", value=path.stem, nearest=close))
    meant = {fault.nearest for fault in faults}
    for name in schema.REQUIRED_TABLES:
        if name not in found and name not in meant:
            other = next((p.name for p in sorted(folder.glob(f"{name}.*"))), "")
            expected = f"a file {name}.csv or {name}.parquet in {folder}"
            faults.append(Fault(name, expected, value=other))
    return found, faults


def read(
    folder: Path, instead: Mapping[str, Path] | None = None
) -> tuple[dict[str, pd.DataFrame], list[Fault]]:
    """Every table as it stands in its file, indexed by row number, and the files' faults.

    `instead` names files to read in place of a table's own.
    """
    found, faults = files(folder)
    tables, file_faults = read_files({**found, **(instead or {})})
    return tables, faults + file_faults


def read_files(paths: Mapping[str, Path]) -> tuple[dict[str, pd.DataFrame], list[Fault]]:
    """The content of CSV and Parquet files under the names given, and what is wrong with them.

    CSV cells arrive as text, so that a wrong one can be shown as it was written.
    """
    tables: dict[str, pd.DataFrame] = {}
    faults: list[Fault] = []
    with connection() as con:
        for name, path in paths.items():
            read_one = csvfile.read if path.suffix.lower() == ".csv" else parquet
            try:
                tables[name] = read_one(con, path)
            except (DataError, OSError) as error:
                faults += faults_of(error, path.name)
    return tables, faults


def faults_of(error: DataError | OSError, name: str) -> Sequence[Fault]:
    """What is wrong with a file that could not be read."""
    if isinstance(error, DataError):
        return error.faults
    why = (error.strerror or str(error)).lower()
    return [Fault(name, "a file that can be read", value=why)]


@contextmanager
def connection() -> Iterator[ibis.BaseBackend]:
    """A database in memory that reads files."""
    con = database.quiet(ibis.duckdb.connect())
    try:
        yield con
    finally:
        con.disconnect()


@contextmanager
def lazily(
    folder: Path, instead: Mapping[str, Path] | None = None
) -> Iterator[tuple[dict[str, ibis.Table], list[Fault]]]:
    """The tables of a folder, of which a Parquet file is read only as far as it is asked for.

    A CSV file is read whole, since its rows cannot be told apart otherwise. And the files' faults.
    `instead` names files to read in place of a table's own.
    """
    found, faults = files(folder)
    paths = {**found, **(instead or {})}
    tables = {}
    with connection() as con:
        for name, path in paths.items():
            try:
                if path.suffix.lower() == ".csv":
                    tables[name] = con.create_table(name, ibis.memtable(csvfile.read(con, path)))
                else:
                    tables[name] = _parquet(con, path)
            except (DataError, OSError) as error:
                faults += faults_of(error, path.name)
        yield tables, faults


def parquet(con: ibis.BaseBackend, path: Path) -> pd.DataFrame:
    """The values of a Parquet file, each column in its type; rows are numbered from 1.

    Raises `DataError` with every fault of the file, `OSError` where it cannot be opened.
    """
    table = _parquet(con, path)
    try:
        return numbered(table)
    except (duckdb.Error, ibis.IbisError) as error:
        raise _damaged(path, error) from error


def _parquet(con: ibis.BaseBackend, path: Path) -> ibis.Table:
    path.open("rb").close()  # the engine's own words for a file it may not open say less
    try:
        table = con.read_parquet(path)
    except (duckdb.Error, ibis.IbisError) as error:
        raise _damaged(path, error) from error
    if faults := typed.odd(path.name, table):
        raise DataError(faults)
    return table


def _damaged(path: Path, error: Exception) -> DataError:
    expected = "a Parquet file: damaged or cut short, export it again"
    why = str(error).splitlines()[0].replace(str(path), path.name)
    return DataError([Fault(path.name, expected, value=why[:120])])


def numbered(table: ibis.Table) -> pd.DataFrame:
    """The rows of an engine's table, numbered from 1."""
    found = csvfile.in_memory(typed.plain(table))
    return found.set_axis(range(1, len(found) + 1))


@contextmanager
def whole(folder: Path, *, replace: bool = False) -> Iterator[Path]:
    """A new folder to fill that appears as `folder` once the block ends, or not at all.

    It and its files are for their owner only. With `replace` an existing folder steps aside only
    then, and comes back if that fails; what takes its place is as open as it was.
    """
    folder = folder.resolve()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            new = aside / "new"
            new.mkdir()
            yield new
            _set_modes(new, like=folder if replace and folder.exists() else None)
            _swap(new, folder, aside / "old", replace)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise DataError(f"{folder} cannot be written: {error.strerror or error}") from error


def _set_modes(new: Path, like: Path | None) -> None:
    new.chmod(stat.S_IMODE(like.stat().st_mode) if like else OWN_FOLDER)
    for path in new.iterdir():
        if path.is_file() and not path.is_symlink():
            path.chmod(mode_in(new))


def _swap(new: Path, folder: Path, old: Path, replace: bool) -> None:
    try:
        if folder.exists() and replace:
            folder.rename(old)
        elif folder.exists():
            folder.rmdir()
        new.rename(folder)
    except BaseException:  # an interrupt too must not leave the place empty
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise


def edited(
    path: Path, changes: Mapping[tuple[int, str], Any], rows: Sequence[Mapping[str, Any]]
) -> bytes:
    """A table's file with other cells, by row from 0 and column, and with `rows` at its end."""
    how = csvedit if path.suffix.lower() == ".csv" else parquetfile
    return how.edited(path, changes, rows)


def without_rows(table: str, like: Path) -> bytes:
    """A file of this table that holds no rows yet, in the form of another table's file."""
    if like.suffix.lower() == ".csv":
        return csvedit.header(schema.columns(table), like)
    return schema.empty(table).to_parquet(index=False)


@contextmanager
def whole_file(path: Path, mode: int | None = None) -> Iterator[Path]:
    """A file to write that takes the place of `path` once the block ends, or not at all.

    `mode` says who may read it; without, it keeps the mode of the file it replaces, and a new one
    is for its owner only.
    """
    with TemporaryDirectory(ASIDE, f".{path.stem[:40]}-", path.parent) as aside:
        new = Path(aside) / path.name
        yield new
        if mode is None:
            mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else OWN_FILE
        new.chmod(mode)
        with new.open("rb+") as file:
            os.fsync(file.fileno())  # or after a power cut the name may stand and the words not
        new.replace(path)


def make_folder(folder: Path, mode: int = OWN_FOLDER) -> None:
    """Make a folder and those on the way to it, by default for the owner only; or leave it."""
    if not folder.exists():
        make_folder(folder.parent, mode)
        folder.mkdir(mode, exist_ok=True)


def mode_in(folder: Path) -> int:
    """The mode of a new file that whoever may read the folder is to read."""
    return stat.S_IMODE(folder.stat().st_mode) & 0o666


def address(source: str | Path) -> tuple[Path | Address, Mapping[str, str]]:
    """The folder or database of a data set, and the part of its team: column of reps to value.

    ``data/demo?region=North`` is the part of ``data/demo`` in that region; values are written as
    in the address of a web page. Raises `DataError` as `must_be_folder` and `database.address`.
    """
    if database.is_address(source):
        where = database.address(source)
        return where.whole, where.part
    name, mark, query = str(source).rpartition("?")
    if not mark or Path(source).exists():
        return must_be_folder(source), {}
    try:
        part = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=True))
    except ValueError:
        raise DataError(
            f"{str(source)!r}: expected COLUMN=VALUE after the question mark."
        ) from None
    return must_be_folder(name), part


def part_of(source: str | Path, column: str, value: str) -> str:
    """The address of a part of a data set, or of a part of it."""
    place, part = address(source)
    if isinstance(place, Address):
        return str(replace(place, part={**part, column: value}))
    return f"{place}?{urlencode({**part, column: value})}"


def located(source: str | Path | Address) -> str:
    """The address of a data set as it is found from any folder."""
    if isinstance(source, Address):
        return str(source)
    is_database = database.is_address(source)
    return str(database.address(source)) if is_database else str(Path(source).resolve())


def name(source: str | Path) -> str:
    """What a data set is called: its folder, or its database without where that is."""
    return database.address(source).name if database.is_address(source) else Path(source).name


def must_be_free(folder: str | Path) -> Path:
    """The path of a folder to write, or a `DataError` if anything stands there."""
    place = Path(folder)
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise DataError(f"{place} exists already; choose a new folder or empty this one.")
    return place


def must_be_folder(source: str | Path) -> Path:
    """The folder of a data set, or a `DataError` that says what was found instead."""
    folder = must_exist(source, "folder")
    if not folder.is_dir():
        raise DataError(f"{str(source)!r} is a file; expected the folder that holds the tables.")
    return folder


def must_exist(source: str | Path, what: str) -> Path:
    """The path of a file or folder, or a `DataError` that names what looks most like it."""
    if "://" in str(source):
        raise DataError(f"A {what} is needed here; a database cannot stand in for it.")
    path = Path(source)
    if not path.exists():
        siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        close = nearest(path.name, siblings)
        hint = f" Did you mean {str(path.parent / close)!r}?" if close else ""
        raise DataError(f"There is no {what} {str(source)!r}.{hint}")
    return path
