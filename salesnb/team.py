"""The team: its tables as logged, the day they were exported, and what it says of itself."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from salesnb import cells, comp_plan, door, history, saved, schema, settings, units
from salesnb.checks import check_tables
from salesnb.errors import DataError, Fault, unknown
from salesnb.settings import Settings

AT_ONCE = 500_000  # rows
FILL_IT = (
    "Import {it} from your CRM or fill {it} by hand, the columns in brackets in every row, and ask "
    "again: `salesnb import --template FOLDER` writes all tables empty and says how to fill them."
)
DATE_THEM = (
    "Fill created_on and closed_on of the table deals with real days and take is_dated out of "
    "team.toml."
)


@dataclass(frozen=True, eq=False)
class Team:
    """Tidy tables of one team, as known on `as_of`.

    Every table of the schema is an attribute: ``team.deals``, ``team.activities``. One that the
    data set lacks is an empty table; ``team.has("quotas")`` tells the difference. Two teams are
    the same data when their `fingerprint` is the same.
    """

    settings: Settings
    tables: Mapping[str, pd.DataFrame]

    def __post_init__(self) -> None:
        for name in self.tables:
            if name not in schema.MODELS:
                raise unknown("table", name, schema.MODELS)
        object.__setattr__(self, "tables", MappingProxyType(dict(self.tables)))

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name.startswith("_") or name not in schema.MODELS:
            raise AttributeError(f"a team has no table {name!r}")
        table = self.tables.get(name)
        # A shallow copy: whoever changes what they were given changes it for themselves alone.
        return schema.empty(name) if table is None else table.copy(deep=False)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *schema.MODELS})

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(table):,} {name}" for name, table in self.tables.items())
        return f"Team {self.settings.name!r} as of {self.as_of.date()}: {counts}"

    def __getstate__(self) -> dict:
        return {"settings": self.settings, "tables": dict(self.tables)}

    def __setstate__(self, state: dict) -> None:
        object.__setattr__(self, "settings", state["settings"])
        object.__setattr__(self, "tables", MappingProxyType(state["tables"]))

    @property
    def as_of(self) -> pd.Timestamp:
        """The day of the export: "now" for every finding."""
        return self.settings.as_of

    @property
    def stages(self) -> tuple[str, ...]:
        """The open stages in order."""
        return self.settings.stages

    @property
    def currency(self) -> str:
        """ISO code of the one currency of all amounts."""
        return self.settings.currency

    @cached_property
    def names(self) -> Mapping[str, str]:
        """The name of each rep by id; of namesakes with the id."""
        reps = self.reps
        is_shared = reps["name"].duplicated(keep=False)
        names = reps["name"].mask(is_shared, reps["name"] + " (" + reps["rep_id"] + ")")
        return MappingProxyType(dict(zip(reps["rep_id"], names, strict=True)))

    @cached_property
    def digests(self) -> Mapping[str, str]:
        """What tells the rows of each table from any other rows; their order does not matter."""
        return MappingProxyType({name: _digest(table) for name, table in self.tables.items()})

    @cached_property
    def fingerprint(self) -> str:
        """Twelve characters that name this data: the same rows in any order give the same."""
        digest = hashlib.sha256(settings.as_toml(self.settings).encode())
        if self.settings.plans:
            digest.update(comp_plan.as_toml(self.settings.plans).encode())
        for name in sorted(self.digests):
            digest.update(f"{name} {self.digests[name]}".encode())
        return digest.hexdigest()[:12]

    @cached_property
    def key(self) -> str:
        """What answers about this data are kept under; of what was made from it, said briefly."""
        return self.fingerprint

    def has(self, *names: str) -> bool:
        """Whether the data set holds all these tables (an empty one counts)."""
        return all(name in self.tables for name in names)

    def need(self, *names: str, why: str) -> None:
        """Raise a `DataError` that names every table lacking, and `why` it is needed."""
        lacking = [name for name in names if name not in self.tables]
        if lacking:
            tables = " and ".join(
                f"{name} ({', '.join(schema.required(name))})" for name in lacking
            )
            which, it = ("a table", "it") if len(lacking) == 1 else ("tables", "them")
            raise DataError(
                (Fault(name, f"this table: {why} needs it") for name in lacking),
                f"{_as_subject(why)} needs {which} this data set does not have: {tables}. "
                f"{FILL_IT.format(it=it)}",
            )

    def need_dates(self, why: str) -> None:
        """Raise a `DataError` where the days of deals are made up: `why` needs real ones."""
        if not self.settings.is_dated:
            raise DataError(
                [Fault("days of deals", f"days on record: {why} needs them")],
                f"{_as_subject(why)} needs the days on which deals were created and "
                f"closed; those in this data set are made up. {DATE_THEM}",
            )

    def rep(self, rep: str) -> str:
        """The id of a rep given by id or by name; `DataError` with the nearest names otherwise."""
        reps = self.reps
        if (reps["rep_id"] == rep).any():
            return rep
        named = reps.loc[reps["name"] == rep, "rep_id"]
        if len(named) == 1:
            return str(named.iloc[0])
        if len(named) > 1:
            ids = ", ".join(named)
            raise DataError(f"{len(named)} reps are called {rep!r}: give the rep_id ({ids}).")
        listed = reps["rep_id"] + " (" + reps["name"] + ")"
        raise unknown("rep", rep, [*reps["rep_id"], *reps["name"]], listed)

    def at(self, day: str | pd.Timestamp) -> "Team":
        """The team as it was known at the end of `day`.

        Rows dated later are gone; values that became known later are blank; an open deal belongs
        to whoever the log last showed as its owner. Raises `DataError` for what is no day, and
        for a day after `as_of`.
        """
        day = cells.day(day, "at")
        if day > self.as_of:
            raise DataError(f"{day.date()} lies after the export ({self.as_of.date()}).")
        if day == self.as_of:
            return self
        tables = history.as_known(self.tables, day)
        return self._derived(replace(self.settings, as_of=day), tables, f"at {day.date()}")

    def only(
        self,
        *,
        reps: Iterable[str] | None = None,
        regions: Iterable[str] | None = None,
        roles: Iterable[str] | None = None,
    ) -> "Team":
        """The same team with fewer people; accounts, products and courses stay.

        `reps` are ids or names. Raises `DataError` for one that is not on the team.
        """
        table = self.reps
        if reps is not None:
            table = table[table["rep_id"].isin([self.rep(rep) for rep in reps])]
        for column, words in (("region", regions), ("role", roles)):
            for word in words or ():
                if not (self.reps[column] == word).any():
                    raise unknown(column, word, self.reps[column].dropna().unique())
            table = table if words is None else table[table[column].isin(list(words))]
        ids = sorted(table["rep_id"])
        return self._derived(self.settings, _of_reps(dict(self.tables), set(ids)), f"only {ids}")

    def part(self, column: str, value: str) -> "Team":
        """The people of whom this column of `reps` says `value`: one region's, one manager's.

        An empty value stands for those of whom it says nothing. As `only`, and without the goals,
        which are the whole team's. Raises `DataError` for a column or a value that nobody has.
        """
        found = self.parts(column)
        if value not in found:
            raise unknown(column, value, found)
        tables = _of_reps(dict(self.tables), set(found[value]))
        tables.pop("goals", None)
        return self._derived(self.settings, tables, f"part {column}={value}")

    def parts(self, column: str) -> dict[str, list[str]]:
        """What a column of `reps` says, and of whom: value to rep ids, by value.

        An empty value, for those of whom it says nothing, comes last. Raises `DataError` for a
        column that `reps` does not have.
        """
        reps = self.reps
        if column not in reps:
            raise unknown("column of reps", column, reps.columns)
        values = reps[column].map(_said, na_action="ignore").astype("str").fillna("")
        found = {str(value): [*ids] for value, ids in reps.groupby(values)["rep_id"]}
        return dict(sorted(found.items(), key=lambda item: (not item[0], item)))

    def _derived(self, own: Settings, tables: Mapping[str, pd.DataFrame], how: str) -> "Team":
        team = Team(own, tables)
        if "key" in self.__dict__:  # all rows need not be read again to tell it apart
            team.__dict__["key"] = f"{self.key} {how}"
        return team

    def save(self, folder: str | Path, *, format: str = "parquet") -> Path:
        """Write ``team.toml`` and one file per table; the folder appears whole or not at all.

        Raises `DataError` if `folder` exists and holds anything, or `format` is not
        ``"parquet"`` or ``"csv"``.
        """
        if format not in ("parquet", "csv"):
            raise unknown("format", format, ("parquet", "csv"))
        folder = door.must_be_free(folder)
        with door.whole(folder) as aside:
            saved.write(self.settings, self.tables, aside, format)
        return folder


def _said(value: Any) -> str:
    """A value in words; a number that is whole without a decimal point."""
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _as_subject(why: str) -> str:
    """What begins a sentence; the name of a verb is written as it is typed."""
    return why if "." in why.partition(" ")[0] else units.capital(why)


def of(settings: Settings, tables: Mapping[str, pd.DataFrame]) -> Team:
    """A team from tables in memory, checked as `load` checks files.

    Raises `DataError` with every fault; row numbers count from 1.
    """
    numbered = {name: t.set_axis(range(1, len(t) + 1)) for name, t in tables.items()}
    typed, faults = check_tables(numbered, settings)
    lacking = [Fault(name, "this table") for name in schema.REQUIRED_TABLES if name not in tables]
    if faults or lacking:
        raise DataError([*lacking, *faults])
    return Team(settings, {name: typed[name] for name in schema.MODELS if name in typed})


def _of_reps(tables: dict[str, pd.DataFrame], ids: set[str]) -> dict[str, pd.DataFrame]:
    """The rows of these reps. Of a deal that changed hands, earlier owners are left blank."""
    deals = tables["deals"]["deal_id"][tables["deals"]["rep_id"].isin(ids)]
    for name, table in tables.items():
        if name in ("stage_changes", "deal_lines", "close_date_changes"):
            table = table[history.among(table["deal_id"], deals)]
            if "rep_id" in table:
                table = table.assign(rep_id=table["rep_id"].where(table["rep_id"].isin(ids)))
        elif "rep_id" in table:
            table = table[table["rep_id"].isin(ids)]
        tables[name] = table.reset_index(drop=True)
    return tables


def _digest(table: pd.DataFrame) -> str:
    return hashlib.sha256(np.sort(row_hashes(table)).tobytes()).hexdigest()


def row_hashes(table: pd.DataFrame) -> np.ndarray:
    """A number for each row that tells it from any other; the order of columns does not matter."""
    table = table[sorted(table.columns)]
    # Text is hashed as objects, of which a long table has too many to hold at once.
    parts = [table.iloc[first : first + AT_ONCE] for first in range(0, len(table) or 1, AT_ONCE)]
    return np.concatenate([pd.util.hash_pandas_object(part, index=False) for part in parts])
