"""From the sheets of an export to the tables of a team, and back again to say where a fault is."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from functools import partial

import pandas as pd

from salesnb.checks import value_faults
from salesnb.errors import Fault, nearest
from salesnb.importers.mapping import Block, Column, Plan, reference
from salesnb.importers.plainly import plainly
from salesnb.importers.sheets import Sheet, left_out
from salesnb.importers.values import Options

AGAIN = "the same as a row before"
Spellings = dict[str, dict[str, str]]  # by column of ids: the name that each id was made from


@dataclass(frozen=True, eq=False)
class Part:
    """What one sheet gives to one table, under the row numbers of the sheet.

    `left_out` counts the rows of the file that are not here by reason.
    """

    block: Block
    sheet: Sheet
    frame: pd.DataFrame
    left_out: Mapping[str, int]

    def place(self, name: str) -> str:
        """Where a column of the table comes from, in the words of the export."""
        column = self.block.columns.get(name)
        there = self.sheet.first_of(column.names) if column else ""
        return f"{there} ({self.block.table}.{name})" if there else f"{self.block.table}.{name}"

    def is_estimated(self, name: str, row: int) -> bool:
        """Whether a cell is empty here and something else stands in for it."""
        column = self.block.columns.get(name)
        return bool(column and column.otherwise and pd.isna(self.frame[name][row]))


@dataclass(frozen=True)
class Estimated:
    """Values the export lacks that another table stands in for; `n_empty` rows stay empty."""

    table: str
    column: str
    otherwise: str
    n_rows: int
    n_empty: int

    def __str__(self) -> str:
        still = f"; {self.n_empty:,} stay empty" if self.n_empty else ""
        return f"{self.table}.{self.column}: {self.n_rows:,} rows from {self.otherwise}{still}"


@dataclass(frozen=True)
class MadeUp:
    """One value that stands in every row for what the export lacks altogether, and why."""

    table: str
    column: str
    value: str
    why: str
    n_rows: int

    def __str__(self) -> str:
        return f"{self.table}.{self.column}: {self.value} in {self.n_rows:,} rows: {self.why}"


def as_id(name: str) -> str:
    """An id made from a name.

    >>> as_id("Moses Frase"), as_id("Ágnes  Ő. Kovács")
    ('moses-frase', 'ágnes-ő-kovács')
    """
    return re.sub(r"[\W_]+", "-", unicodedata.normalize("NFC", name).casefold()).strip("-")


@dataclass
class Told:
    """The parts of every table, in the order of the schema: those that name things first.

    spellings : by column of ids, the name that each was made from
    said : what was decided in reading
    faults : what is wrong already
    """

    parts: dict[str, list[Part]] = field(default_factory=dict)
    spellings: Spellings = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def told(plan: Plan, sheets: Mapping[str, Sheet], reading: Options) -> Told:
    """What the sheets of an export tell; `reading` says how, where a column does not."""
    found = Told()
    for block in plan.blocks:
        rows, counts = left_out(sheets[block.source].rows, block.leave_out)
        sheet = replace(sheets[block.source], rows=rows)
        columns = {}
        for name, column in block.columns.items():
            known = found.spellings.setdefault(name, {})
            values, wrong = _values(column, sheet, known)
            found.faults += wrong
            if there := sheet.first_of(column.names):
                raw = sheet.raw(sheet.rows.assign(**{there: values}))
                read = plainly(raw, there, block.table, name, reading)
                found.said += read.said
                found.faults += [each for each in read.faults if each not in found.faults]
                values = _multiplied(read.values, column.times)
            columns[name] = values
        frame = pd.DataFrame(columns, index=rows.index)
        if block.is_distinct:
            frame = frame.drop_duplicates()
            counts = {**counts, AGAIN: len(rows) - len(frame)}
        all_out = dict(Counter(sheet.left_out) + Counter(counts))
        found.parts.setdefault(block.table, []).append(Part(block, sheet, frame, all_out))
    return found


def joined(
    plan: Plan, by_table: Mapping[str, list[Part]]
) -> tuple[dict[str, pd.DataFrame], tuple[Estimated, ...]]:
    """Every table under running numbers from 1, empty values estimated where the mapping says."""
    frames = {
        name: pd.concat([part.frame for part in several], ignore_index=True)
        for name, several in by_table.items()
    }
    frames = {name: frame.set_axis(range(1, len(frame) + 1)) for name, frame in frames.items()}
    return frames, tuple(_estimate(plan, frames))


def made_up(by_table: Mapping[str, list[Part]]) -> tuple[MadeUp, ...]:
    """The values that the mapping made up."""
    return tuple(
        MadeUp(part.block.table, name, column.value, column.made_up, len(part.frame))
        for several in by_table.values()
        for part in several
        for name, column in part.block.columns.items()
        if column.made_up
    )


def at_source(
    fault: Fault, by_table: Mapping[str, list[Part]], spellings: Spellings
) -> Iterator[Fault]:
    """A fault of a table as one of the export: its file, its columns, its rows."""
    if not fault.rows:
        yield fault
        return
    written = spellings.get(fault.column, {})
    before = 0
    for part in by_table[fault.table]:
        index = part.frame.index
        rows = tuple(
            int(index[row - before - 1]) for row in fault.rows if 0 < row - before <= len(index)
        )
        before += len(index)
        rows = tuple(row for row in rows if not part.is_estimated(fault.column, row))
        if rows:
            yield Fault(
                part.sheet.file,
                fault.expected,
                " + ".join(part.place(name) for name in fault.column.split(" + ")),
                written.get(fault.value, fault.value),
                rows,
                written.get(fault.nearest, fault.nearest),
            )


def _values(column: Column, sheet: Sheet, spelt: dict[str, str]) -> tuple[pd.Series, list[Fault]]:
    """The values of one column of a table, and what is wrong with them."""
    if column.row is not None:
        return column.row + sheet.rows.index.astype("str").to_series(sheet.rows.index), []
    if not column.names:
        return pd.Series(column.value or pd.NA, index=sheet.rows.index, dtype="str"), []
    name = sheet.first_of(column.names)
    values = sheet.rows[name]
    faults: list[Fault] = []
    if column.values is not None:
        values, faults = _in_other_words(sheet.file, name, values, column)
    if column.as_id:
        faults = [*faults, *_misspelt(sheet.file, name, values, spelt)]
        ids = {name: as_id(name) or name for name in values.dropna().unique()}
        values = values.map(ids).astype("str")
    return values, faults


def _in_other_words(
    file: str, name: str, values: pd.Series, column: Column
) -> tuple[pd.Series, list[Fault]]:
    words = {old: new or pd.NA for old, new in (column.values or {}).items()}
    is_strange = values.notna() & ~values.isin(list(words))
    others = column.others or pd.NA
    mapped = values.map(words).astype("str").mask(is_strange, others)
    if column.others is not None:
        return mapped, []
    expected = "one of the mapping's values: " + ", ".join(words)
    close = partial(nearest, known=words)
    return mapped, value_faults(file, name, values[is_strange], expected, close)


def _multiplied(values: pd.Series, by: float) -> pd.Series:
    return values if by == 1 else values.map(partial(_times, by=by), na_action="ignore")


def _times(value: str, by: float) -> str:
    try:
        return str(Decimal(value) * Decimal(str(by)))
    except InvalidOperation:
        return value  # no number: the check will say so


def _misspelt(file: str, name: str, values: pd.Series, spelt: dict[str, str]) -> list[Fault]:
    """Names without a letter, and names that make the id of another name."""
    first = {name: spelt.setdefault(as_id(name), name) for name in values.dropna().unique()}
    nameless = values[values.isin([name for name in first if not as_id(name)])]
    twice = values[values.isin([name for name, other in first.items() if name != other])]
    letters = "a name with a letter or a digit, to make an id of"
    return [
        *value_faults(file, name, nameless, letters),
        *value_faults(file, name, twice, "one spelling of a name everywhere", first.__getitem__),
    ]


def _estimate(plan: Plan, frames: dict[str, pd.DataFrame]) -> Iterator[Estimated]:
    wanted = {
        (block.table, name): column.otherwise
        for block in plan.blocks
        for name, column in block.columns.items()
        if column.otherwise
    }
    for (table, name), otherwise in wanted.items():
        other, said = otherwise.split(".")
        key, other_key = reference(table, other)
        known = frames[other].drop_duplicates(other_key).set_index(other_key)[said]
        before = frames[table][name]
        frames[table][name] = before.fillna(frames[table][key].map(known))
        n_empty = int(frames[table][name].isna().sum())
        yield Estimated(table, name, otherwise, int(before.isna().sum()) - n_empty, n_empty)
