"""The files of an export: found, read, mended and freed of rows that are no data, all counted."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from salesnb import cells, door
from salesnb.errors import Fault, nearest
from salesnb.importers.mapping import Plan, Rule, Source

SPACE = "space around the value"


@dataclass(frozen=True)
class Mended:
    """A value of the export that was replaced, in so many rows; an empty `new` is a blank cell."""

    file: str
    column: str
    value: str
    new: str
    n_rows: int

    def __str__(self) -> str:
        rows = "1 row" if self.n_rows == 1 else f"{self.n_rows:,} rows"
        if self.value == SPACE:
            return f"{self.file}, column {self.column}: {SPACE} cut in {rows}"
        new = repr(self.new) if self.new else "an empty cell"
        return f"{self.file}, column {self.column}: {self.value!r} became {new} in {rows}"


@dataclass(frozen=True, eq=False)
class Sheet:
    """A file of the export: its rows that are data, as mended text, and what was done to it.

    `rows` is indexed by the row numbers of the file, and `left_out` counts the others by reason.
    `n_repeated` of the rows repeat an earlier one word for word.
    """

    path: Path
    rows: pd.DataFrame
    n_read: int
    left_out: Mapping[str, int]
    mended: tuple[Mended, ...]
    n_repeated: int = 0

    @property
    def file(self) -> str:
        """The name of the file."""
        return self.path.name

    def first_of(self, names: tuple[str, ...]) -> str:
        """The first of these names that is a column here, or an empty string."""
        return next((name for name in names if name in self.rows), "")


def read(plan: Plan, folder: Path) -> tuple[dict[str, Sheet], list[Fault]]:
    """Every source of a mapping, and all that is wrong with files and columns."""
    paths, faults = _find(plan, folder)
    contents, read_faults = door.read_files({path.name: path for path in paths.values()})
    raw = {name: contents[path.name] for name, path in paths.items() if path.name in contents}
    faults += [*read_faults, *_column_faults(plan, raw, paths)]
    if faults:
        return {}, list(dict.fromkeys(faults))
    return {name: _sheet(plan.sources[name], paths[name], raw[name]) for name in paths}, []


def _find(plan: Plan, folder: Path) -> tuple[dict[str, Path], list[Fault]]:
    """The file of each source."""
    present = {p.stem: p for p in sorted(folder.iterdir()) if p.suffix.lower() in door.SUFFIXES}
    paths, faults = {}, []
    for name, source in plan.sources.items():
        found = [present[file] for file in source.files if file in present]
        if found:
            paths[name] = found[0]
        elif source.files:
            wanted = " or ".join(f"{file}.csv" for file in source.files)
            close = _closest(source.files, present)
            close = present[close].name if close else ""
            faults.append(Fault(wanted, f"this file in {folder}", nearest=close))
    return paths, faults


def _closest(names: tuple[str, ...], known: Iterable[str]) -> str:
    return next(filter(None, (nearest(name, known) for name in names)), "")


def _column_faults(
    plan: Plan, raw: Mapping[str, pd.DataFrame], paths: Mapping[str, Path]
) -> Iterator[Fault]:
    """The columns that a mapping names and the export lacks, each once."""
    for source, names in dict.fromkeys(_wanted(plan)):
        if source in raw and not any(name in raw[source] for name in names):
            close = _closest(names, raw[source].columns)
            yield Fault(paths[source].name, "this column", " or ".join(names), nearest=close)


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


def _sheet(source: Source, path: Path, raw: pd.DataFrame) -> Sheet:
    columns, mended = {}, []
    for name in raw.columns:
        mends = {**dict.fromkeys(source.blank, ""), **source.mend.get(name, {})}
        columns[name], found = _mended(path.name, raw[name], mends)
        mended += found
    rows, counts = left_out(pd.DataFrame(columns, index=raw.index), source.leave_out)
    n_repeated = int(raw.loc[rows.index].duplicated().sum())
    return Sheet(path, rows, len(raw), counts, tuple(mended), n_repeated)


def _mended(file: str, raw: pd.Series, mends: Mapping[str, str]) -> tuple[pd.Series, list[Mended]]:
    """A column as text, without space around the values and with its mends."""
    text = cells.composed(raw) if cells.is_text(raw) else cells.convert(raw, "text")
    values = text.str.strip()
    counts = [(SPACE, "", int((text.notna() & (values != text)).sum()))]
    for old, new in mends.items():
        counts.append((old, new, int((values == old).sum())))
        values = values.mask(values == old, new)
    name = str(raw.name)
    return values.mask(values == ""), [Mended(file, name, *each) for each in counts if each[2]]


def left_out(rows: pd.DataFrame, rules: tuple[Rule, ...]) -> tuple[pd.DataFrame, dict[str, int]]:
    """The rows that no rule leaves out, and the count of the others by reason."""
    counts: dict[str, int] = {}
    for rule in rules:
        goes = rows[rule.column].fillna("").isin(rule.values)
        counts[rule.reason] = counts.get(rule.reason, 0) + int(goes.sum())
        rows = rows[~goes]
    return rows, counts
