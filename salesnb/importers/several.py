"""Several files of one object, such as an export for each month, as one table.

Columns are put together by name, and a column that a file lacks is blank in its rows. Row numbers
run on from file to file, and faults are told by file and row again (`told_by_file`).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import accumulate

import pandas as pd

from salesnb.errors import DataError, Fault
from salesnb.importers import days, objects
from salesnb.importers.exported import Piece, RawTable
from salesnb.importers.objects import Recognised
from salesnb.importers.source import Source
from salesnb.importers.tables import AGAIN

IDS = ("Id", "id", "engagement_id", "hs_object_id")
MODIFIED = (
    *("LastModifiedDate", "SystemModstamp", "LastModified", "update_time", "hs_lastmodifieddate"),
    *("lastmodifieddate", "updatedAt", "updated_at"),
)
EARLIER = "an earlier state of a row"
NAMED = 3  # files that are named one by one


def is_needed(column: str) -> bool:
    """Whether a column tells which state of a row is the later one."""
    return objects.fold(column) in {objects.fold(name) for name in MODIFIED}


def joined(found: Iterable[Recognised]) -> tuple[list[Recognised], list[Fault]]:
    """The tables of each object as one, and what hinders that."""
    by_object: dict[str, list[Recognised]] = {}
    for each in found:
        by_object.setdefault(each.object, []).append(each)
    faults = [fault for each in by_object.values() for fault in _faults(each)]
    if faults:
        return [], faults
    return [each[0] if len(each) == 1 else _joined(each) for each in by_object.values()], []


@contextmanager
def told_by_file() -> Iterator[dict[str, tuple[Piece, ...]]]:
    """Faults of rows that run on over several files are told of the file and row they are in.

    What is yielded is to be filled with the pieces of each table, by origin.
    """
    pieces: dict[str, tuple[Piece, ...]] = {}
    try:
        yield pieces
    except DataError as error:
        if not any(pieces.get(fault.table) for fault in error.faults):
            raise
        faults = (each for f in error.faults for each in _of_files(f, pieces.get(f.table, ())))
        raise DataError(faults) from error


def leave_out_repeated(source: Source) -> None:
    """Leave out rows that stand there again, and all but the latest state of a row.

    Rows that are the same word for word are told by their id first. Of several files the row
    modified last stands, else the one of the later file.
    """
    rows, pieces = source.table.rows, source.table.pieces
    id_column = next((source.names[name] for name in IDS if source.has(name)), "")
    if not id_column:
        source.leave_out(_in_other_files(rows, pieces), AGAIN)
        return
    again = rows[rows.duplicated(id_column, keep=False) & rows[id_column].notna()]
    source.leave_out(again.duplicated(), AGAIN)
    if pieces:
        again = again.loc[again.index.intersection(source.rows)]
        source.leave_out(_earlier(source, again, id_column), EARLIER)


def _faults(several: list[Recognised]) -> Iterator[Fault]:
    """Files that cannot be put together, for some tell their rows apart and others do not."""
    if len(several) == 1:
        return
    for name in IDS:
        having = [each.table.origin for each in several if name in each.columns]
        for each in several if having else ():
            if name not in each.columns:
                expected = f"this column, as in {having[0]}: both are {each.object}"
                yield Fault(each.table.origin, expected, name)
    first = several[0].table
    for each in several[1:]:
        if each.table.is_1904 != first.is_1904:
            expected = f"days counted from the same year as in {first.origin}"
            yield Fault(each.table.origin, expected)


def _joined(several: list[Recognised]) -> Recognised:
    tables = [each.table for each in several]
    last = [int(max([1, *table.rows.index[-1:]])) for table in tables]
    starts = [0, *accumulate(last)]
    columns: dict[str, str] = {}
    frames, pieces = [], []
    for each, start in zip(several, starts, strict=False):
        table, names = each.table, {}
        for name, column in each.columns.items():
            here = columns.setdefault(name, column)
            if here != column and here not in table.rows:
                names[column] = here
        frames.append(table.rows.rename(columns=names).set_axis(table.rows.index + start))
        n_read = len(table.rows) + sum(table.left_out.values())
        pieces.append(Piece(table.origin, table.file, start, n_read))
    reasons = dict.fromkeys(reason for table in tables for reason in table.left_out)
    whole = RawTable(
        tables[0].name,
        _together([table.origin for table in tables]),
        pd.concat(frames),
        tables[0].file,
        tuple(f"{table.origin} {said}" for table in tables for said in table.said),
        {r: sum(table.left_out.get(r, 0) for table in tables) for r in reasons},
        tables[0].is_1904,
        tuple(pieces),
        pd.concat([table.unread for table in tables], ignore_index=True),
    )
    return Recognised(whole, several[0].object, columns)


def _together(origins: list[str]) -> str:
    if len(origins) > NAMED:
        return f"{origins[0]} and {len(origins) - 1} more"
    return f"{', '.join(origins[:-1])} and {origins[-1]}"


def _numbers(rows: pd.Index, pieces: tuple[Piece, ...]) -> pd.Series:
    """The number of the file that each row is in."""
    starts = pd.Index([piece.start for piece in pieces])
    return pd.Series(starts.searchsorted(rows, side="left") - 1, rows)


def _in_other_files(rows: pd.DataFrame, pieces: tuple[Piece, ...]) -> pd.Series:
    """Rows that an earlier file has too, as often as it has them."""
    if not pieces:
        return pd.Series(False, rows.index)
    number = _numbers(rows.index, pieces)
    columns = [*rows]
    times = rows.assign(_file=number).groupby([*columns, "_file"], dropna=False).cumcount()
    return rows.assign(_times=times).duplicated()


def _earlier(source: Source, again: pd.DataFrame, id_column: str) -> pd.Series:
    """Rows of which another one of the same id was modified later, or is in a later file."""
    number = _numbers(again.index, source.table.pieces)
    at = _modified(source, again).fillna(pd.Timestamp.min.as_unit("us"))
    order = pd.DataFrame({"id": again[id_column], "at": at, "number": number})
    latest = order.groupby("id")["at"].transform("max")
    is_late = order["at"] == latest
    last = order["number"].where(is_late).groupby(order["id"]).transform("max")
    return ~(is_late & (order["number"] == last))


def _modified(source: Source, rows: pd.DataFrame) -> pd.Series:
    """When rows were modified, by the first column that tells."""
    named = [source.names[name] for name in MODIFIED if source.has(name)]
    at = pd.Series(pd.NaT, rows.index, dtype="datetime64[us]")
    for column in dict.fromkeys([*named, *(c for c in rows if is_needed(str(c)))]):
        at = at.fillna(days.times(rows[column], source.table.origin, source.options).values)
    return at


def _of_files(fault: Fault, pieces: tuple[Piece, ...]) -> Iterator[Fault]:
    if not pieces or not fault.rows:
        yield fault
        return
    number = _numbers(pd.Index(fault.rows), pieces)
    for place, piece in enumerate(pieces):
        rows = tuple(int(row) - piece.start for row in number.index[number == place])
        if rows:
            yield replace(fault, table=piece.origin, rows=rows)
