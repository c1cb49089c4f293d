"""What an import did: rows read, kept and left out, what was mended or estimated, what lacks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from salesnb import schema
from salesnb.importers.mapping import Plan
from salesnb.importers.sheets import Mended, Sheet
from salesnb.importers.tables import Estimated, MadeUp, Part, made_up
from salesnb.team import Team

Names = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class TableCount:
    """The rows of one file on their way into one table; `left_out` counts them by reason."""

    table: str
    file: str
    read: int
    kept: int
    left_out: Mapping[str, int]

    def __str__(self) -> str:
        reasons = [f"{n:,} left out ({reason})" for reason, n in self.left_out.items() if n]
        counts = ", ".join([f"{self.read:,} rows read", f"{self.kept:,} kept", *reasons])
        return f"{self.table} from {self.file}: {counts}"


@dataclass(frozen=True)
class Changed:
    """What an update did to the rows of a table.

    new, changed, unchanged : of the export, beside what stood there
    vanished : not in the export any more; they stay
    replaced : what the export tells otherwise now; they are gone
    first : the ids of some that vanished
    """

    table: str
    new: int
    changed: int
    unchanged: int
    vanished: int
    replaced: int = 0
    first: tuple[str, ...] = ()

    def __str__(self) -> str:
        counts = {name: getattr(self, name) for name in ("new", "changed", "unchanged")}
        said = [f"{n:,} {name}" for name, n in counts.items()]
        said += [f"{self.replaced:,} told otherwise now"] if self.replaced else []
        more = ", ..." if len(self.first) < self.vanished else ""
        which = f" ({', '.join(self.first)}{more})" if self.first else ""
        said += [f"{self.vanished:,} not in the export any more, kept{which}"] * bool(self.vanished)
        return f"{self.table}: {', '.join(said)}"


@dataclass(frozen=True, eq=False)
class ImportReport:
    """What an import did. ``print(report)`` says all of it.

    team : the team as imported
    folder : where it was written
    mapping : the mapping's name
    as_of_from : where the day of the export comes from
    tables : rows read, kept and left out; ``read == kept + sum(left_out.values())``
    repeated : rows kept that repeat an earlier one word for word, by file
    mended, estimated : values replaced, and values that another table stands in for
    made_up : values that nobody recorded, one for all rows
    unfilled_columns : columns of the schema that the mapping does not fill, by table
    unfilled_tables : tables of the schema that it does not fill at all
    unused_columns : columns of the export that no table uses, by file
    unused_files : files and sheets of the export that no table uses
    decided : how files were read where that was not plain
    changed : what an update did to the rows of each table that the import fills
    """

    team: Team
    folder: Path
    mapping: str
    as_of_from: str
    tables: tuple[TableCount, ...]
    repeated: Mapping[str, int]
    mended: tuple[Mended, ...]
    estimated: tuple[Estimated, ...]
    made_up: tuple[MadeUp, ...]
    unfilled_columns: Names
    unfilled_tables: tuple[str, ...]
    unused_columns: Names
    unused_files: tuple[str, ...]
    decided: tuple[str, ...] = ()
    changed: tuple[Changed, ...] = ()

    def __str__(self) -> str:
        whole = [f"whole tables: {', '.join(self.unfilled_tables)}"] if self.unfilled_tables else []
        day = f"{self.team.as_of.date()} ({self.as_of_from})"
        again = [
            f"{file}: {'1 row repeats' if n == 1 else f'{n:,} rows repeat'} an earlier row word "
            "for word; kept"
            for file, n in self.repeated.items()
        ]
        parts: dict[str, Sequence[object]] = {
            f"{self.mapping}: as of {day}, now in {self.folder}": [*self.tables, *again],
            **({"Since the last import": self.changed} if self.changed else {}),
            **({"Decided in reading": self.decided} if self.decided else {}),
            "Values mended": self.mended,
            "Values estimated": self.estimated,
            **({"Values made up": self.made_up} if self.made_up else {}),
            "Not in the export": [*_lines(self.unfilled_columns), *whole],
            "In the export, not used": [*_lines(self.unused_columns), *self.unused_files],
        }
        lines = []
        for title, said in parts.items():
            lines += [title, *(f"- {each}" for each in said or ("nothing",)), ""]
        return "\n".join(lines[:-1])

    def counts(self) -> dict[str, Any]:
        """The figures for the manifest."""
        said = ("tables", "changed", "mended", "estimated", "made_up")
        lists = {name: [asdict(each) for each in getattr(self, name)] for name in said}
        return {**lists, "repeated": dict(self.repeated), "decided": list(self.decided)}

    def in_other_words(self, how: Callable[[str], str]) -> "ImportReport":
        """The report with other words for what it cites from the export."""
        cited = (
            "mapping",
            "tables",
            "repeated",
            "mended",
            "unused_columns",
            "unused_files",
            "decided",
        )
        return replace(self, **{name: in_other_words(getattr(self, name), how) for name in cited})


def of(
    plan: Plan,
    folder: Path,
    team: Team,
    as_of_from: str,
    sheets: Mapping[str, Sheet],
    unused_files: tuple[str, ...],
    parts: Mapping[str, list[Part]],
    estimated: tuple[Estimated, ...],
) -> ImportReport:
    """The report of an import."""
    return ImportReport(
        team=team,
        folder=folder,
        mapping=plan.name,
        as_of_from=as_of_from,
        tables=tuple(_count(part) for several in parts.values() for part in several),
        mended=tuple(dict.fromkeys(m for sheet in sheets.values() for m in sheet.mended)),
        repeated={sheet.file: sheet.n_repeated for sheet in sheets.values() if sheet.n_repeated},
        estimated=estimated,
        made_up=made_up(parts),
        unfilled_columns=_unfilled(parts),
        unfilled_tables=tuple(name for name in schema.MODELS if name not in parts),
        unused_columns=_unused(plan, sheets, parts),
        unused_files=unused_files,
        decided=tuple(dict.fromkeys(said for sheet in sheets.values() for said in sheet.said)),
    )


def in_other_words(said: Any, how: Callable[[str], str]) -> Any:
    """Every text within with other words; names of tables and columns stay."""
    if isinstance(said, str):
        return how(said)
    if isinstance(said, Mapping):
        return {how(name): in_other_words(each, how) for name, each in said.items()}
    if isinstance(said, tuple | list):
        return type(said)(in_other_words(each, how) for each in said)
    if is_dataclass(said) and not isinstance(said, type):
        own = (each.name for each in fields(said) if each.name not in ("table", "column"))
        return replace(said, **{name: in_other_words(getattr(said, name), how) for name in own})
    return said


def _count(part: Part) -> TableCount:
    read, kept = part.sheet.n_read, len(part.frame)
    return TableCount(part.block.table, part.sheet.file, read, kept, part.left_out)


def _unfilled(parts: Mapping[str, list[Part]]) -> Names:
    filled = {(name, c) for name, several in parts.items() for part in several for c in part.frame}
    lacking = {
        name: tuple(c for c in schema.columns(name) if (name, c) not in filled) for name in parts
    }
    return {name: columns for name, columns in lacking.items() if columns}


def _unused(plan: Plan, sheets: Mapping[str, Sheet], parts: Mapping[str, list[Part]]) -> Names:
    rules = [(name, rule) for name, source in plan.sources.items() for rule in source.leave_out]
    rules += [(block.source, rule) for block in plan.blocks for rule in block.leave_out]
    used = {(sheets[name].file, rule.column) for name, rule in rules}
    used |= {
        (part.sheet.file, part.sheet.first_of(column.names))
        for several in parts.values()
        for part in several
        for column in part.block.columns.values()
    }
    left = {
        sheet.file: tuple(c for c in sheet.rows.columns if (sheet.file, c) not in used)
        for sheet in sheets.values()
    }
    return {file: columns for file, columns in left.items() if columns}


def _lines(names: Names) -> list[str]:
    return [f"{of}: {', '.join(columns)}" for of, columns in names.items()]
