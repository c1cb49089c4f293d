"""The door: where a team's tables come from. In front of it files, behind it pandas.

Everything is read through Ibis, so that a source other than a folder only has to hand over
Ibis tables under the names of the schema.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import ibis
import pandas as pd

from salesnb import schema
from salesnb.errors import DataError, Fault, nearest

SUFFIXES = (".csv", ".parquet")


def files(folder: Path) -> tuple[dict[str, Path], list[Fault]]:
    """The file of each table in a folder, and what is wrong with the names found there."""
    found: dict[str, Path] = {}
    faults = []
    for path in sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES):
        close = nearest(path.stem, schema.MODELS, at_least=80)
        if path.stem in found:
            faults.append(Fault(path.stem, "one file, CSV or Parquet, not both", value=path.name))
        elif path.stem in schema.MODELS:
            found[path.stem] = path
        elif close:
            faults.append(Fault(path.stem, "a table of the schema", value=path.name, nearest=close))
    for name in schema.REQUIRED_TABLES:
        if name not in found:
            faults.append(Fault(name, f"a file {name}.csv or {name}.parquet in {folder}"))
    return found, faults


def read(folder: Path) -> tuple[dict[str, pd.DataFrame], list[Fault]]:
    """Every table as it stands in its file, indexed by row number, and the files' faults.

    CSV cells arrive as text, so that a wrong one can be shown as it was written.
    """
    found, faults = files(folder)
    tables = {}
    with _connection() as con:
        for name, path in found.items():
            try:
                tables[name] = _read_one(con, path)
            except (duckdb.Error, ibis.IbisError, OSError, UnicodeError, ValueError) as error:
                faults.append(Fault(name, "a readable file", value=_first_line(error)))
    return tables, faults


@contextmanager
def _connection() -> Iterator[ibis.BaseBackend]:
    con = ibis.duckdb.connect()
    try:
        yield con
    finally:
        con.disconnect()


def _read_one(con: ibis.BaseBackend, path: Path) -> pd.DataFrame:
    if path.suffix.lower() == ".parquet":
        table = con.read_parquet(path).to_pandas()
        table.index = pd.RangeIndex(1, len(table) + 1)
        return table
    header = path.open(encoding="utf-8-sig").readline().rstrip("\r\n")
    if not header:
        raise ValueError("an empty file: not even a header")
    names = _header(header)
    table = con.read_csv(
        path,
        columns=dict.fromkeys(names, "VARCHAR"),
        auto_detect=False,
        header=True,
        delim=_separator(header),
        quote='"',
        escape='"',
        nullstr="",
    ).to_pandas()
    table.index = pd.RangeIndex(2, len(table) + 2)
    return table


def _separator(header: str) -> str:
    return max(",;\t|", key=header.count)


def _header(header: str) -> list[str]:
    names = [name.strip().strip('"') for name in header.split(_separator(header))]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"column named twice: {', '.join(twice)}")
    return names


def _first_line(error: Exception) -> str:
    """The useful lines of an engine's message: what and in which line, without its advice."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:3])[:200]


def must_be_folder(source: str | Path) -> Path:
    """The folder of a data set, or a `DataError` that says what was found instead."""
    if "://" in str(source):
        raise DataError(f"{source}: only folders of CSV or Parquet files can be read so far.")
    folder = Path(source)
    if not folder.exists():
        siblings = [p.name for p in folder.parent.iterdir()] if folder.parent.is_dir() else []
        close = nearest(folder.name, siblings)
        hint = f" Did you mean {str(folder.parent / close)!r}?" if close else ""
        raise DataError(f"There is no folder {str(source)!r}.{hint}")
    if not folder.is_dir():
        raise DataError(f"{str(source)!r} is a file; expected the folder that holds the tables.")
    return folder
