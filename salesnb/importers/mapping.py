"""Mappings: how the files of an export become tables, as written in ``crm/*.toml``.

``crm/maven.toml`` explains the form. Reading one finds every fault in it; nothing is guessed.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from salesnb import schema, settings
from salesnb.errors import DataError, Fault, nearest, unknown

ANY_DAY = date(2000, 1, 1)
BUILT_IN = Path(__file__).parents[1] / "crm"
TOP = ("name", "settings", "sources")
SOURCE = ("file", "blank", "mend", "leave_out")
RULE = ("column", "is", "reason")
DAYS = ("created_on", "closed_on")
ORIGINS = ("column", "value", "row")
COLUMN = (*ORIGINS, "values", "others", "as_id", "times", "otherwise", "made_up")


@dataclass(frozen=True)
class Rule:
    """Rows that are left out: where `column` holds one of `values` (empty text: a blank cell)."""

    column: str
    values: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Source:
    """A file of the export, by the names it may have, with its mends and rules.

    `blank` are the words that stand for an empty cell in every column.
    """

    files: tuple[str, ...]
    blank: tuple[str, ...] = ()
    mend: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    leave_out: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class Column:
    """Where the values of a column come from: the first of `names`, one `value` for all, or ids.

    `row` makes an id of the number of the row in the file; `made_up` says why there is a `value`
    that nobody recorded.
    """

    names: tuple[str, ...] = ()
    value: str = ""
    row: str | None = None
    values: Mapping[str, str] | None = None
    others: str | None = None
    as_id: bool = False
    times: float = 1
    otherwise: str = ""
    made_up: str = ""


@dataclass(frozen=True)
class Block:
    """One source feeding one table; with `is_distinct`, rows that come out the same are one."""

    table: str
    source: str
    columns: Mapping[str, Column]
    leave_out: tuple[Rule, ...] = ()
    is_distinct: bool = False


@dataclass(frozen=True)
class Plan:
    """A whole mapping; `as_of_columns` name the columns whose latest date is the day."""

    name: str
    path: Path
    settings: Mapping[str, Any]
    as_of_columns: tuple[str, ...]
    sources: Mapping[str, Source]
    blocks: tuple[Block, ...]

    @property
    def is_dated(self) -> bool:
        """Whether the days of deals are those of the export."""
        days = [b.columns.get(day) for b in self.blocks if b.table == "deals" for day in DAYS]
        return not any(day and day.made_up for day in days)


def names() -> list[str]:
    """The built-in mappings."""
    return sorted(path.stem for path in BUILT_IN.glob("*.toml"))


def read(mapping: str | Path, beside: Iterable[str] = ()) -> tuple[Plan, list[Fault]]:
    """The mapping of this built-in name or file: what can be read of it, and all that is wrong.

    `beside` are names that could have been given in its place, for who misspelt one.

    Raises `DataError` where there is no such mapping, or the file is not TOML.
    """
    path = BUILT_IN / f"{mapping}.toml" if str(mapping) in names() else Path(mapping)
    if not path.is_file():
        own = (str(found) for found in path.parent.glob("*.toml"))
        raise unknown("mapping, built in or file,", str(mapping), [*beside, *names(), *own])
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise DataError([Fault(path.name, "a TOML file in UTF-8", value=str(error))]) from error
    reader = _Reader(path.name)
    return reader.plan(path, raw), reader.faults


class _Reader:
    """Reads one file and gathers its faults."""

    def __init__(self, file: str):
        self.file = file
        self.faults: list[Fault] = []

    def plan(self, path: Path, raw: dict[str, Any]) -> Plan:
        self.keys("", raw, (*TOP, *schema.MODELS))
        own, as_of_columns = self.settings(self.section("settings", raw))
        sources = {
            name: self.source(f"sources.{name}", self.section(name, raw["sources"], "sources"))
            for name in self.section("sources", raw)
        }
        blocks = tuple(self.blocks({t: raw[t] for t in schema.MODELS if t in raw}, sources))
        for table in schema.REQUIRED_TABLES:
            if table not in raw:
                self.fault(f"[{table}]", "this table, which is required")
        for column in as_of_columns:
            if column.split(".")[0] not in sources:
                self.fault("settings.as_of", "source.column", column, sources)
        self.estimates(blocks)
        return Plan(str(raw.get("name", path.stem)), path, own, as_of_columns, sources, blocks)

    def settings(self, raw: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
        as_of = raw.get("as_of")
        if not isinstance(as_of, dict):
            self.faults += [_in_file(self.file, fault) for fault in settings.check(raw)]
            return raw, ()
        self.keys("settings.as_of", as_of, ("latest",))
        columns = self.words("settings.as_of.latest", as_of.get("latest"))
        rest = {name: value for name, value in raw.items() if name != "as_of"}
        found = settings.check({**rest, "as_of": ANY_DAY})
        self.faults += [_in_file(self.file, fault) for fault in found]
        return rest, columns

    def source(self, where: str, raw: dict[str, Any]) -> Source:
        self.keys(where, raw, SOURCE)
        mend = {
            column: self.texts(f"{where}.mend.{column}", mends)
            for column, mends in self.section("mend", raw, where, optional=True).items()
        }
        files = self.words(f"{where}.file", raw.get("file"))
        blank = self.words(f"{where}.blank", raw["blank"]) if "blank" in raw else ()
        return Source(files, blank, mend, self.rules(where, raw))

    def rules(self, where: str, raw: dict[str, Any]) -> tuple[Rule, ...]:
        where += ".leave_out"
        rules = raw.get("leave_out", [])
        if isinstance(rules, list) and all(isinstance(rule, dict) for rule in rules):
            return tuple(self.rule(where, rule) for rule in rules)
        self.fault(where, "a list of rules: { column, is, reason }", rules)
        return ()

    def rule(self, where: str, raw: dict[str, Any]) -> Rule:
        self.keys(where, raw, RULE)
        for key in RULE:
            if key not in raw:
                self.fault(f"{where}.{key}", "this key: column, is and reason make a rule")
        values = self.words(f"{where}.is", raw.get("is", ""))
        return Rule(str(raw.get("column", "")), values, str(raw.get("reason", "")))

    def blocks(self, raw: dict[str, Any], sources: Mapping[str, Source]) -> Iterator[Block]:
        for table, written in raw.items():
            for each in written if isinstance(written, list) else [written]:
                if not isinstance(each, dict):
                    self.fault(table, f"a section [{table}]", each)
                    continue
                source = each.get("from")
                if source not in sources:
                    self.fault(f"{table}.from", "a source of the mapping", source or "", sources)
                columns = dict(self.columns(table, each))
                is_distinct = self.flag(f"{table}.distinct", each.get("distinct", False))
                yield Block(table, str(source), columns, self.rules(table, each), is_distinct)

    def columns(self, table: str, raw: dict[str, Any]) -> Iterator[tuple[str, Column]]:
        known = schema.columns(table)
        self.keys(table, raw, ("from", "distinct", "further", "leave_out", *known))
        for name in schema.required(table):
            if name not in raw:
                self.fault(f"{table}.{name}", "this column, which is required")
        for name in known:
            if name in raw:
                yield name, self.column(table, name, raw[name])
        for name, written in self.section("further", raw, table, optional=True).items():
            yield name, self.column(f"{table}.further", name, written)

    def column(self, table: str, name: str, raw: Any) -> Column:
        where = f"{table}.{name}"
        if not isinstance(raw, dict):
            return Column(self.words(where, raw))
        self.keys(where, raw, COLUMN)
        if sum(origin in raw for origin in ORIGINS) != 1:
            self.fault(where, "either a column, a value or a row")
        if "made_up" in raw and "value" not in raw:
            self.fault(f"{where}.made_up", "a value beside it: what is made up")
        times = raw.get("times", 1)
        if type(times) not in (int, float):
            self.fault(f"{where}.times", "a number", times)
        return Column(
            self.words(f"{where}.column", raw["column"]) if "column" in raw else (),
            self.text(f"{where}.value", raw.get("value", "")),
            self.text(f"{where}.row", raw["row"]) if "row" in raw else None,
            self.texts(f"{where}.values", raw["values"]) if "values" in raw else None,
            self.text(f"{where}.others", raw["others"]) if "others" in raw else None,
            raw.get("as_id") is True,
            times,
            self.text(f"{where}.otherwise", raw.get("otherwise", "")),
            self.text(f"{where}.made_up", raw.get("made_up", "")),
        )

    def estimates(self, blocks: tuple[Block, ...]) -> None:
        """What stands in for an empty value must itself be filled, and be referred to."""
        filled = {f"{block.table}.{name}" for block in blocks for name in block.columns}
        for block in blocks:
            for name, column in block.columns.items():
                other = column.otherwise.partition(".")[0]
                key = reference(block.table, other)[0]
                if column.otherwise and not {column.otherwise, f"{block.table}.{key}"} <= filled:
                    where = f"{block.table}.{name}.otherwise"
                    expected = f"a filled column of a table that {block.table} refers to"
                    self.fault(where, expected, column.otherwise, filled)

    def keys(self, where: str, raw: Mapping[str, Any], known: Sequence[str]) -> None:
        for key in raw:
            if key not in known:
                expected = "a known key"
                expected += "" if nearest(key, known) else f": {', '.join(known)}"
                self.fault(f"{where}.{key}".strip("."), expected, key, known)

    def section(
        self, name: str, raw: dict[str, Any], where: str = "", optional: bool = False
    ) -> dict[str, Any]:
        found = raw.get(name, {} if optional else None)
        if isinstance(found, dict):
            return found
        self.fault(f"{where}.{name}".strip("."), "a section of this name", found or "")
        return {}

    def words(self, where: str, raw: Any) -> tuple[str, ...]:
        words = raw if isinstance(raw, list) else [raw]
        if words and all(isinstance(word, str) for word in words):
            return tuple(words)
        self.fault(where, "text, or a list of texts", "" if raw is None else raw)
        return ()

    def text(self, where: str, raw: Any) -> str:
        if isinstance(raw, str):
            return raw
        self.fault(where, "text in quotes", raw)
        return ""

    def flag(self, where: str, raw: Any) -> bool:
        if not isinstance(raw, bool):
            self.fault(where, "true or false", raw)
        return raw is True

    def texts(self, where: str, raw: Any) -> dict[str, str]:
        if isinstance(raw, dict) and all(isinstance(value, str) for value in raw.values()):
            return raw
        self.fault(where, 'texts by text, such as { "Closed Won" = "won" }', raw)
        return {}

    def fault(self, where: str, expected: str, found: Any = "", known: Any = ()) -> None:
        close = nearest(str(found), known)
        self.faults.append(Fault(self.file, expected, where, str(found)[:80], nearest=close))


def reference(table: str, other: str) -> tuple[str, str]:
    """The column of `table` that names rows of `other`, and the column it names there.

    >>> reference("deals", "products")
    ('product_id', 'product_id')
    """
    found = schema.references(table).items()
    return next(((name, key) for name, (where, key) in found if where == other), ("", ""))


def _in_file(file: str, fault: Fault) -> Fault:
    where = f"settings.{fault.column}".strip(".")
    return Fault(file, fault.expected, where, fault.value, nearest=fault.nearest)
