"""What an import keeps out of a data set: names behind pseudonyms, free text left out."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from salesnb import cells, schema
from salesnb.importers import keyfile, names
from salesnb.importers.keyfile import Key
from salesnb.importers.names import Finder
from salesnb.team import Team

# What people write in sentences, in tables that an import may fill.
NOTES = {
    "activities": ("note",),
    "coaching": ("strength", "question", "commitment"),
    "differentiators": ("claim", "proof"),
    "ideas": ("idea",),
}
# Stages and skills are named by everyday words: there a name has two words at least.
EVERYDAY = ("stage", "topic", "skill", "task")
OWN = {"rep_id": "reps", "account_id": "accounts"}  # ids that are replaced whatever they hold
LIKE_REPS = ("manager",)  # columns of reps that name other people


@dataclass(frozen=True)
class Privacy:
    """What is kept out.

    key_file : pseudonyms made with the key in this file stand for names; a new key if there is none
    is_without_notes : notes are left out
    """

    key_file: Path | None = None
    is_without_notes: bool = False

    def key(self, dest: Path) -> Key | None:
        """The key for a data set at `dest`, as `keyfile.at`."""
        return None if self.key_file is None else keyfile.at(self.key_file, dest)


@dataclass(frozen=True, eq=False)
class Named:
    """Names in an export beside those in its tables: people, companies."""

    people: frozenset[str] = field(default_factory=frozenset)
    companies: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, eq=False)
class Hidden:
    """What was kept out: in words, for the manifest; and what hides names in any other text."""

    said: tuple[str, ...] = ()
    withheld: Mapping[str, str] = field(default_factory=dict)
    told: Callable[[str], str] = str


def applied(team: Team, private: Privacy, key: Key | None, named: Named) -> tuple[Team, Hidden]:
    """The team without what is to be kept out."""
    said: list[str] = []
    told: Callable[[str], str] = str
    withheld: dict[str, str] = {}
    if private.is_without_notes:
        team, said = without_notes(team)
        withheld["notes"] = "left out"
    if key is not None:
        team, told, more = anonymous(team, key, named)
        said = [*said, *more]
        withheld["names"] = f"pseudonyms by the key {key.fingerprint}"
    return team, Hidden(tuple(said), withheld, told)


def without_notes(team: Team) -> tuple[Team, list[str]]:
    """The team without what people wrote in sentences, and how much that was."""
    tables, said = dict(team.tables), []
    for name, columns in NOTES.items():
        for column in columns if name in tables else ():
            values = tables[name][column]
            if schema.columns(name)[column].nullable and (n := int(values.notna().sum())):
                blank = pd.Series(pd.NA, values.index, values.dtype)
                tables[name] = tables[name].assign(**{column: blank})
                said.append(f"{name}.{column}: {n:,} texts left out, as --without-notes asks")
    return Team(team.settings, tables), said


def anonymous(team: Team, key: Key, named: Named) -> tuple[Team, Callable[[str], str], list[str]]:
    """The team with pseudonyms for names, what does the same to any text, and what is said of it.

    Ids of reps and accounts are pseudonyms of the ids, names those of the same code. Wherever a
    name stands in other text, its pseudonym stands in its place; an id that holds one is replaced
    as a whole.
    """
    finder = _finder(team, key, named)
    tables = {name: _table(name, table, key, finder) for name, table in team.tables.items()}

    def everyday(word: str) -> str:
        return finder.replaced(word, single=False)

    own = replace(
        team.settings,
        name=finder.replaced(team.settings.name),
        stages=tuple(map(everyday, team.settings.stages)),
        skills={
            everyday(stage): tuple(map(everyday, skills))
            for stage, skills in team.settings.skills.items()
        },
    )
    n_reps, n_accounts = len(team.reps), len(team.accounts)
    who = f"pseudonyms stand for the names of {n_reps:,} reps and {n_accounts:,} accounts"
    kept = f"a new key in {key.path.name}: keep it" if key.is_new else f"the key in {key.path.name}"
    notes = "of names in notes, those are found that the export has elsewhere too"
    said = [f"{who}, by {kept}; {notes}"]
    return Team(own, tables), finder.replaced, said


def _finder(team: Team, key: Key, named: Named) -> Finder:
    """All that may stand for a person or a company, with what is to stand there instead."""
    finder = Finder()
    reps, accounts = team.reps, team.accounts
    for rep_id, name in zip(reps["rep_id"], reps["name"], strict=True):
        instead = _called("Rep", key.code("reps", rep_id))
        for each in (name, rep_id) if names.is_name(rep_id) else (name,):
            finder.add_person(each, instead)
            finder.add_parts(each, instead)
    others = {each for column in LIKE_REPS if column in reps for each in reps[column].dropna()}
    for name in sorted({*others, *named.people}):
        instead = _called("Person", key.code("people", " ".join(names.words(name))))
        own = finder.replaced(name)  # another spelling of a rep's name is that rep
        finder.add_person(name, own if own.startswith("Rep ") and own != name else instead)
    by_name = {each: each for each in _ids(team, "account_id") if names.is_name(each)}
    if "name" in accounts:
        known = accounts.dropna(subset="name")
        by_name |= dict(zip(known["name"].astype("str"), known["account_id"], strict=True))
    for name in sorted({*by_name, *named.companies}):
        code = key.code("accounts", by_name.get(name, name))
        finder.add_company(name, _called("Account", code))
    return finder


def _called(kind: str, code: str) -> str:
    return f"{kind} {code}"


def _ids(team: Team, column: str) -> set[str]:
    found = (table[column].dropna() for table in team.tables.values() if column in table)
    return {each for ids in found for each in ids.unique()}


def _table(name: str, table: pd.DataFrame, key: Key, finder: Finder) -> pd.DataFrame:
    texts = [column for column in table if cells.is_text(table[column])]
    found = {str(column): _column(name, table[column], key, finder) for column in texts}
    for ids, word in (("rep_id", "Rep"), ("account_id", "Account")):
        if name == OWN[ids] and "name" in table:
            codes = {each: _called(word, key.code(name, each)) for each in table[ids]}
            found["name"] = names.by_value(table[ids], codes).rename("name")
    return table.assign(**found)


def _column(name: str, values: pd.Series, key: Key, finder: Finder) -> pd.Series:
    column = str(values.name)
    known = values.dropna().unique()
    if column in OWN:
        start = column.removesuffix("_id")
        return _by(values, known, lambda each: f"{start}-{key.code(OWN[column], each)}")
    if _is_fixed(name, column):
        return values
    if column in EVERYDAY:
        return _by(values, known, lambda each: finder.replaced(each, single=False))
    if column.endswith("_id"):
        start = column.removesuffix("_id")

        def whole(each: str) -> str:
            is_named = finder.replaced(each) != each
            return f"{start}-{key.code(start, each)}" if is_named else each

        return _by(values, known, whole)
    is_note = column in NOTES.get(name, ()) or column not in schema.columns(name)
    return _by(values, known, lambda each: finder.replaced(each, parts=is_note))


def _by(values: pd.Series, known: Iterable[str], how: Callable[[str], str]) -> pd.Series:
    return names.by_value(values, {each: how(each) for each in known})


def _is_fixed(table: str, column: str) -> bool:
    """Whether a column holds words of the schema."""
    model = schema.columns(table).get(column)
    return model is not None and any(check.name == "isin" for check in model.checks)
