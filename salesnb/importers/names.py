"""Names of people and companies, found again in text however they are written there."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import pairwise

import pandas as pd

from salesnb.importers.source import Source
from salesnb.language import without_accents

WORD = re.compile(r"[^\W_]+")
GAP = re.compile(r"[\s.,'’&/_+-]{1,3}")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
ADDRESS = "(e-mail)"
HOST = re.compile(r"[\w-]+(?:\.[\w-]+)+")  # alphaworks.com
AROUND_HOST = re.compile(r"^(?:\w+://)?(?:www\.)?|/.*$")
SHORT = 3  # letters up to which a name of one word counts only as it is written
ENDING = 4  # letters that a language may add to a name: Ágnesnek, Annas
LEGAL = {
    *("inc", "llc", "ltd", "limited", "corp", "corporation", "co", "plc", "gmbh", "ag", "kg", "se"),
    *("sa", "sas", "sarl", "sl", "srl", "spa", "bv", "nv", "ab", "as", "oy", "kft", "zrt", "nyrt"),
    *("bt", "rt", "doo", "sro"),
}
# Where exports name people and companies: objects whose rows are such, columns of any object.
PEOPLE = ("User", "users", "owners", "Contact", "contacts", "persons", "Lead")
COMPANIES = ("Account", "organizations", "companies")
CALLED = ("Name", "name", "Username", "Email", "email", "primary_email")
FULL = (("FirstName", "LastName"), ("firstName", "lastName"), ("firstname", "lastname"))
OF_PEOPLE = (
    *("OwnerName", "QuotaOwnerName", "ManagerName", "CreatedByName", "owner_name", "person_name"),
    "rep",
)
OF_COMPANIES = ("AccountName", "org_name", "Company")
WEB = ("domain", "Website")


def of_people(sources: Iterable[Source]) -> set[str]:
    """Every name and address of a person in an export, of rows that are left out too."""
    found: set[str] = set()
    for source in sources:
        is_person = source.object in PEOPLE
        for name in (*OF_PEOPLE, *(CALLED if is_person else ())):
            found |= {*_cells(source, name).dropna()}
        for first, last in FULL if is_person else ():
            both = _cells(source, first).fillna("") + " " + _cells(source, last).fillna("")
            found |= {*both.str.strip()}
    return found - {""}


def of_companies(sources: Iterable[Source]) -> set[str]:
    """Every name and web address of a company in an export, of rows that are left out too."""
    found: set[str] = set()
    for source in sources:
        is_company = source.object in COMPANIES
        for name in (*OF_COMPANIES, *(("Name", "name") if is_company else ())):
            found |= {*_cells(source, name).dropna()}
        for name in WEB if is_company else ():
            found |= {AROUND_HOST.sub("", each) for each in _cells(source, name).dropna()}
    return found - {""}


def _cells(source: Source, name: str) -> pd.Series:
    rows = source.table.rows
    return (
        rows[source.names[name]] if source.has(name) else pd.Series(index=rows.index, dtype="str")
    )


@cache
def folded(word: str) -> str:
    """A word without capitals and accents."""
    return without_accents(word.casefold())


def words(text: str) -> tuple[str, ...]:
    """The words of a name, folded.

    >>> words("Dr. Kovács-Nagy, Ágnes")
    ('dr', 'kovacs', 'nagy', 'agnes')
    """
    return tuple(folded(word) for word in WORD.findall(text))


def is_name(text: str) -> bool:
    """Whether an id is a name rather than a code of a CRM.

    >>> is_name("Ann Lee"), is_name("ann-lee"), is_name("005A"), is_name("R01")
    (True, True, False, False)
    """
    letters = sum(char.isalpha() for char in text)
    return letters > 1 and (" " in text or "@" in text or not any(map(str.isdigit, text)))


class Finder:
    """Replaces names in text.

    A name is found whatever its capitals and accents, with its first word last, with the ending
    that a language gives it (Ágnesnek), and without the legal form of a company. With `parts` the
    single words of people's names are found too, where they begin with a capital.
    """

    def __init__(self) -> None:
        self._whole: dict[tuple[str, ...], str] = {}
        self._lengths: dict[str, list[int]] = {}  # of names by their first word, longest first
        self._as_written: dict[str, str] = {}  # short names
        self._parts: dict[str, str] = {}
        self._addresses: dict[str, str] = {}

    def add_person(self, name: str, instead: str) -> None:
        """A person by name or address; the first of two stands."""
        if EMAIL.fullmatch(name):
            self._addresses.setdefault(name.casefold(), instead)
            name = name.partition("@")[0]
            if len(words(name)) < 2:
                return
        known = words(name)
        self._add(name, known, instead)
        if len(known) > 1:
            self._add(name, (*known[1:], known[0]), instead)
            self._add(name, (known[-1], *known[:-1]), instead)

    def add_parts(self, name: str, instead: str) -> None:
        """The single words of a person's name."""
        for word in words(name.partition("@")[0]):
            if len(word) >= SHORT:
                self._parts.setdefault(word, instead)

    def add_company(self, name: str, instead: str) -> None:
        """A company by name, with and without its legal form, or by its web address."""
        known = words(name)
        self._add(name, known, instead)
        while len(known) > 1 and known[-1] in LEGAL and not HOST.fullmatch(name):
            known = known[:-1]
            self._add(name, known, instead)

    def _add(self, name: str, known: tuple[str, ...], instead: str) -> None:
        if len(known) == 1 and len(known[0]) <= SHORT:
            self._as_written.setdefault(WORD.findall(name)[0], instead)
        elif known and known not in self._whole:
            self._whole[known] = instead
            lengths = {len(known), *self._lengths.get(known[0], ())}
            self._lengths[known[0]] = sorted(lengths, reverse=True)

    def replaced(self, text: str, *, parts: bool = False, single: bool = True) -> str:
        """The text with other words for names; without `single` only for those of several words."""
        text = EMAIL.sub(lambda m: self._addresses.get(m[0].casefold(), ADDRESS), text)
        found = [(m.start(), m.end(), m[0], folded(m[0])) for m in WORD.finditer(text)]
        pieces, at, number = [], 0, 0
        while number < len(found):
            start, _, word, _ = found[number]
            instead, n = self._at(text, found, number)
            if not n or (n == 1 and not single):
                instead, n = (self._part(word) if parts else ""), 1
            if instead:
                pieces += [text[at:start], instead]
                at = found[number + n - 1][1]
            number += n
        return "".join([*pieces, text[at:]])

    def _at(self, text: str, found: list[tuple], number: int) -> tuple[str, int]:
        """What stands for the longest name that begins with this word, and its words."""
        _, _, word, plain = found[number]
        for n in self._lengths.get(plain, ()):
            here = found[number : number + n]
            gaps = (text[a[1] : b[0]] for a, b in pairwise(here))
            if len(here) == n and all(map(GAP.fullmatch, gaps)):
                *start, last = (each[3] for each in here)
                for end in (last, *_stems(last)):
                    if instead := self._whole.get((*start, end)):
                        return instead, n
        if word in self._as_written:
            return self._as_written[word], 1
        stems = _stems(plain) if word[0].isupper() else ()
        return next(((self._whole[s,], 1) for s in stems if (s,) in self._whole), ("", 0))

    def _part(self, word: str) -> str:
        if not word[0].isupper():
            return ""
        plain = folded(word)
        return next((self._parts[w] for w in (plain, *_stems(plain)) if w in self._parts), "")


def _stems(word: str) -> list[str]:
    """A word without the ending that it may have."""
    return [word[:-n] for n in range(1, ENDING + 1) if len(word) - n > SHORT]


def by_value(values: pd.Series, how: Mapping[str, str]) -> pd.Series:
    """A column with other values, missing ones left."""
    return values.map(dict(how), na_action="ignore").astype(values.dtype)
