"""The files of an export: found, read, mended and freed of rows that are no data, all counted."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from salesnb import cells
from salesnb.errors import Fault, nearest, some
from salesnb.importers import exported
from salesnb.importers.exported import Export, Piece, RawTable
from salesnb.importers.mapping import Plan, Rule, Source

SPACE = "space around the value"


@dataclass(frozen=True)
class Mended:
    """A value of the export that was replaced, in so many rows; an empty `new` is a blank cell.

    Of no row: a value that the mapping would have replaced, and that nowhere stands.
    """

    file: str
    column: str
    value: str
    new: str
    n_rows: int

    def __str__(self) -> str:
        rows = "1 row" if self.n_rows == 1 else f"{self.n_rows:,} rows"
        if self.value == SPACE:
            return f"{self.file}, column {self.column}: {SPACE} cut in {rows}"
        if not self.n_rows:
            return f"{self.file}, column {self.column}: {self.value!r} stands in no row"
        new = repr(self.new) if self.new else "an empty cell"
        return f"{self.file}, column {self.column}: {self.value!r} became {new} in {rows}"


@dataclass(frozen=True, eq=False)
class Sheet:
    """A table of the export: its rows that are data, as mended text, and what was done to it.

    `file` is its name within the export and `path` the file on disk that holds it. `rows` is
    indexed by the row numbers of the file, and `left_out` counts the others by reason.
    `n_repeated` of the rows repeat an earlier one word for word; `said` is how it was read;
    `pieces` are the files that it was put together from, where they are several.
    """

    file: str
    path: Path
    rows: pd.DataFrame
    n_read: int
    left_out: Mapping[str, int]
    mended: tuple[Mended, ...]
    n_repeated: int = 0
    said: tuple[str, ...] = ()
    pieces: tuple[Piece, ...] = ()

    def first_of(self, names: tuple[str, ...]) -> str:
        """The first of these names that is a column here, or an empty string."""
        return next((name for name in names if name in self.rows), "")

    def raw(self, rows: pd.DataFrame) -> RawTable:
        """The table with these rows, as it is read where columns have to be made out."""
        return RawTable(self.file, self.file, rows, self.path)


def read(
    plan: Plan, source: Path, encoding: str = ""
) -> tuple[dict[str, Sheet], tuple[str, ...], list[Fault]]:
    """Every source of a mapping, the files it does not use, and what is wrong with the others."""
    wanted = {file for each in plan.sources.values() for file in each.files}
    export = exported.read(source, encoding=encoding, wanted=wanted.__contains__)
    raw, faults = _find(plan, export, source)
    faults += [*export.faults, *_column_faults(plan, raw)]
    if faults:
        return {}, (), list(dict.fromkeys(faults))
    used = {table.origin for table in raw.values()}
    unused = {table.origin for table in export.tables} - used | {*export.others}
    sheets = {name: _sheet(plan.sources[name], table) for name, table in raw.items()}
    return sheets, tuple(sorted(unused)), []


def _find(plan: Plan, export: Export, folder: Path) -> tuple[dict[str, RawTable], list[Fault]]:
    """The table of each source."""
    tables: dict[str, list[RawTable]] = {}
    for table in export.tables:
        tables.setdefault(table.name, []).append(table)
    broken = {Path(fault.table).stem for fault in export.faults}
    # A sheet that is not asked for goes by its own name and by that of its workbook.
    others = {Path(part).stem: origin for origin in export.others for part in origin.split("/")}
    where = folder if folder.is_dir() else f"the export, and {folder.name} alone was given"
    raw, faults = {}, []
    for name, source in plan.sources.items():
        file = next((file for file in source.files if file in tables), "")
        if file:
            raw[name] = tables[file][0]
            same = " and ".join(table.origin for table in tables[file])
            if len(tables[file]) > 1:
                faults.append(Fault(file, "one table of this name", value=same))
        elif source.files and not broken & {*source.files}:
            wanted = " or ".join(f"{file}.csv" for file in source.files)
            close = others.get(_closest(source.files, others), "")
            faults.append(Fault(wanted, f"this file in {where}", nearest=close))
    return raw, faults


def _closest(names: tuple[str, ...], known: Iterable[str]) -> str:
    return next(filter(None, (nearest(name, known) for name in names)), "")


def _column_faults(plan: Plan, raw: Mapping[str, RawTable]) -> Iterator[Fault]:
    """The columns that a mapping names and the export lacks, each once."""
    for source, names in dict.fromkeys(_wanted(plan)):
        if source in raw and not any(name in raw[source].rows for name in names):
            there = [*map(str, raw[source].rows.columns)]
            close = _closest(names, there)
            expected = "this column" if close else f"this column, where there are {some(there)}"
            yield Fault(raw[source].origin, expected, " or ".join(names), nearest=close)


def _wanted(plan: Plan) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each source with the names that one of its columns may have."""
    for name, source in plan.sources.items():
        yield from ((name, (column,)) for column in source.mend)
        yield from ((name, (rule.column,)) for rule in source.leave_out)
    for name in plan.as_of_columns:
        source_name, _, column_name = name.partition(".")
        yield source_name, (column_name,)
    for block in plan.blocks:
        yield from ((block.source, (rule.column,)) for rule in block.leave_out)
        yield from ((block.source, c.names) for c in block.columns.values() if c.names)


def _sheet(source: Source, raw: RawTable) -> Sheet:
    columns, mended = {}, []
    for name in raw.rows.columns:
        own = source.mend.get(name, {})
        mends = {**dict.fromkeys(source.blank, ""), **own}
        columns[name], found = _mended(raw.origin, raw.rows[name], mends)
        mended += [each for each in found if each.n_rows or each.value in own]
    rows, counts = left_out(pd.DataFrame(columns, index=raw.rows.index), source.leave_out)
    n_read = len(raw.rows) + sum(raw.left_out.values())
    counts = dict(Counter(raw.left_out) + Counter(counts))
    n_repeated = int(raw.rows.loc[rows.index].duplicated().sum())
    said = tuple(f"{raw.origin}: {each}" for each in raw.said)
    return Sheet(raw.origin, raw.file, rows, n_read, counts, tuple(mended), n_repeated, said)


def _mended(file: str, raw: pd.Series, mends: Mapping[str, str]) -> tuple[pd.Series, list[Mended]]:
    """A column as text, without space around the values and with its mends."""
    text = cells.composed(raw)
    values = text.str.strip()
    counts = [(SPACE, "", int((text.notna() & (values != text)).sum()))]
    for old, new in mends.items():
        counts.append((old, new, int((values == old).sum())))
        values = values.mask(values == old, new)
    name = str(raw.name)
    return values.mask(values == ""), [Mended(file, name, *each) for each in counts]


def left_out(rows: pd.DataFrame, rules: tuple[Rule, ...]) -> tuple[pd.DataFrame, dict[str, int]]:
    """The rows that no rule leaves out, and the count of the others by reason."""
    counts: dict[str, int] = {}
    for rule in rules:
        goes = rows[rule.column].fillna("").isin(rule.values)
        counts[rule.reason] = counts.get(rule.reason, 0) + int(goes.sum())
        rows = rows[~goes]
    return rows, counts
