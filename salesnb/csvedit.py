"""One CSV file with some cells changed and rows added; every other cell stays as it is written."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from salesnb import csvfile
from salesnb.errors import DataError, Fault


def edited(
    path: Path, changes: Mapping[tuple[int, str], Any], rows: Sequence[Mapping[str, Any]]
) -> bytes:
    """The file with other cells, by row from 0 and column, and with `rows` at its end.

    Values are text, whole numbers, days or None; a column is added when a value needs it. Every
    other cell stays as it is written, as do separator, line ends and byte-order mark; quotes that
    a cell does not need are left out.
    """
    text = csvfile.decoded(path)
    separator, names = csvfile.first_row(path.name, text)
    needed = [*(column for _, column in changes), *(name for row in rows for name in row)]
    columns = [*dict.fromkeys([*names, *needed])]
    lines = [columns]
    n_rows = 0
    for number, found in csvfile.numbered(path.name, text, separator):
        if isinstance(found, Fault):
            raise DataError([found])
        if number == 1 or (len(found) < 2 and not "".join(found).strip()):
            lines += [found] if number > 1 else []
            continue
        by_name = dict(zip(columns, found, strict=False))
        lines.append([_cell(changes.get((n_rows, c), by_name.get(c))) for c in columns])
        n_rows += 1
    lines += [[_cell(row.get(column)) for column in columns] for row in rows]
    return _written(lines, separator, path.read_bytes())


def header(columns: Iterable[str], like: Path) -> bytes:
    """A file without rows, with the separator, the line ends and the mark of another file."""
    separator, _ = csvfile.first_row(like.name, csvfile.decoded(like))
    return _written([[*columns]], separator, like.read_bytes())


def _written(lines: Iterable[Iterable[str]], separator: str, like: bytes) -> bytes:
    ends = re.search(rb"\r\n|\n|\r", like)
    end = ends.group().decode() if ends else "\n"
    text = "".join(separator.join(_quoted(c, separator) for c in line) + end for line in lines)
    return text.encode("utf-8-sig" if like.startswith(b"\xef\xbb\xbf") else "utf-8")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return str(value)[:10] if isinstance(value, date) else str(value)


def _quoted(cell: str, separator: str) -> str:
    needs = any(mark in cell for mark in f'{separator}"\r\n')
    return '"' + cell.replace('"', '""') + '"' if needs else cell
