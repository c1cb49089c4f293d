"""Which object of a CRM a table of an export is, told by its columns.

The names that columns go by are data: ``crm/aliases/*.toml``, whose first file explains the form.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from salesnb.errors import unknown
from salesnb.importers.exported import RawTable
from salesnb.language import without_accents

ALIASES = Path(__file__).parents[1] / "crm" / "aliases"
EVERYWHERE = "generic"  # what may lie beside the export of any vendor
NUMBERED = r"(?i)[ _.(-]+(part|teil|partie|parte)?[ _.-]*\d[\d _.()-]*$"  # one file of several
CLOSE = 0.05  # scores less apart than this tell nothing


@dataclass(frozen=True, eq=False)
class Kind:
    """An object of a vendor: its names, what it needs, lacks and is marked by, and its columns.

    `needs` are groups of columns of which one must be there; `names` gives each folded name of a
    column its API name, and its place in the order of preference.
    """

    name: str
    files: frozenset[str]
    needs: tuple[tuple[str, ...], ...]
    lacks: tuple[str, ...]
    marks: tuple[str, ...]
    names: Mapping[str, tuple[str, int]]

    def columns(self, header: Iterable[str]) -> dict[str, str]:
        """The columns of a table by API name; the name that the vendor prefers where two fit."""
        found: dict[str, tuple[int, str]] = {}
        for column in header:
            name, rank = self.names.get(fold(column), ("", 0))
            if name and (name not in found or rank < found[name][0]):
                found[name] = rank, column
        return {name: column for name, (_, column) in found.items()}


@dataclass(frozen=True, eq=False)
class Recognised:
    """A table that is this object; `columns` gives the table's column for each API name it has."""

    table: RawTable
    object: str
    columns: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Unrecognised:
    """A table that is no known object, or may be several; with what the nearest would need."""

    table: RawTable
    nearest: tuple[str, ...]
    missing: tuple[str, ...]

    def __str__(self) -> str:
        origin = self.table.origin
        if len(self.nearest) > 1:
            return f"{origin}: may be {' or '.join(self.nearest)}; name the file after what it is"
        if not self.nearest:
            return f"{origin}: like nothing known"
        return f"{origin}: nearest to {self.nearest[0]}, which needs {', '.join(self.missing)} too"


def recognise(
    vendor: str, tables: Iterable[RawTable]
) -> tuple[list[Recognised], list[Unrecognised]]:
    """Every table as an object of the vendor (or a roster), and those that are none.

    A table may be what it has the needed columns of. Among several, one that the file is named
    after wins, then the one with the largest share of characteristic columns. Raises `DataError`
    for an unknown vendor.
    """
    known = {**kinds(vendor), **kinds(EVERYWHERE)}
    found: list[Recognised] = []
    others: list[Unrecognised] = []
    for table in tables:
        fits = sorted(_fits(table, known.values()), key=lambda fit: fit[:2], reverse=True)
        if not fits:
            others.append(_nearest(table, known.values()))
        elif len(fits) > 1 and fits[0][0] == fits[1][0] and fits[0][1] - fits[1][1] < CLOSE:
            others.append(Unrecognised(table, tuple(kind.name for _, _, kind in fits[:2]), ()))
        else:
            kind = fits[0][2]
            found.append(Recognised(table, kind.name, kind.columns(table.rows.columns)))
    return found, others


@cache
def kinds(vendor: str) -> Mapping[str, Kind]:
    """The objects of a vendor by name. Raises `DataError` where there is no such vendor."""
    path = ALIASES / f"{vendor}.toml"
    if not path.is_file():
        known = sorted(p.stem for p in ALIASES.glob("*.toml") if p.stem != EVERYWHERE)
        raise unknown("vendor", vendor, known)
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    return {name: _kind(name, said) for name, said in raw.items()}


def is_known(vendor: str, column: str) -> bool:
    """Whether a column has a name in some object of the vendor."""
    return fold(column) in _names(vendor)


def is_called(vendor: str, kind: str, table: str) -> bool:
    """Whether a table bears a name that this object of the vendor goes by."""
    return _file(table) in kinds(vendor)[kind].files


@cache
def _names(vendor: str) -> frozenset[str]:
    every = [*kinds(vendor).values(), *kinds(EVERYWHERE).values()]
    return frozenset(name for kind in every for name in kind.names)


def fold(name: str) -> str:
    """A name without capitals, accents, spaces, signs and a connector's prefix.

    >>> fold("Date de clôture"), fold("stage_name") == fold("StageName"), fold("property_amount")
    ('datedecloture', True, 'amount')
    """
    plain = without_accents(name.strip()).casefold()
    return re.sub(r"[\W_]+", "", re.sub(r"^property_", "", plain))


def _kind(name: str, said: Mapping) -> Kind:
    names: dict[str, tuple[str, int]] = {}
    for column, aliases in said["columns"].items():
        for rank, alias in enumerate([column, *aliases]):
            if rank < names.get(fold(alias), ("", 1000))[1]:
                names[fold(alias)] = column, rank
    return Kind(
        name,
        frozenset(_file(file) for file in [name, *said.get("files", ())]),
        tuple((need,) if isinstance(need, str) else tuple(need) for need in said["needs"]),
        tuple(said.get("lacks", ())),
        tuple(said.get("marks", ())),
        names,
    )


def _file(name: str) -> str:
    """The name of a file without what connectors and exports put around it, and a number.

    >>> _file("sf_opportunity_data"), _file("Opportunity-2026-05 (2)"), _file("Product2_1")
    ('opportunity', 'opportunity', 'product2')
    """
    bare = re.sub(NUMBERED, "", name)
    return fold(re.sub(r"(?i)^(sf|salesforce|hubspot|pipedrive)_|_data$", "", bare))


def _fits(table: RawTable, known: Iterable[Kind]) -> Iterable[tuple[bool, float, Kind]]:
    for kind in known:
        there = set(kind.columns(table.rows.columns))
        if not _missing(kind, there) and not there & {*kind.lacks}:
            yield _file(table.name) in kind.files, _score(kind, there), kind


def _missing(kind: Kind, there: set[str]) -> tuple[str, ...]:
    return tuple(" or ".join(group) for group in kind.needs if not there & {*group})


def _score(kind: Kind, there: set[str]) -> float:
    groups = [*kind.needs, *((mark,) for mark in kind.marks)]
    return sum(bool(there & {*group}) for group in groups) / len(groups)


def _nearest(table: RawTable, known: Iterable[Kind]) -> Unrecognised:
    """The object that needs least more, and among several the one that has most of its columns."""
    best: tuple[int, float] | None = None
    found = Unrecognised(table, (), ())
    for kind in known:
        there = set(kind.columns(table.rows.columns))
        missing = _missing(kind, there)
        fit = -len(missing), _score(kind, there)
        if missing and fit[1] and not there & {*kind.lacks} and (best is None or fit > best):
            best, found = fit, Unrecognised(table, (kind.name,), missing)
    return found
