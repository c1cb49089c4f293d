"""A newer export over an older data set: what the CRM says anew, what people added to it kept.

Tables that the import does not fill stay as they are. Of those that it fills, rows of the export
take the place of the same rows; rows that are not in the export any more stay, and are counted.
"""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import tomlkit

from salesnb import door, logbook, schema, settings
from salesnb.dataset import load
from salesnb.errors import DataError
from salesnb.history import among
from salesnb.importers import target
from salesnb.importers.report import Changed
from salesnb.saved import write_table
from salesnb.settings import Settings
from salesnb.team import Team

FIRST = 5  # ids that are named of what is not in the export any more
# What a deal went through is told by the export as a whole: its rows of before give way.
OF_DEALS = ("deal_lines", "stage_changes", "close_date_changes")
# Of people and things a blank cell says that the CRM does not know: what stood there stays.
LASTING = ("reps", "accounts", "products")
# What an open deal must not have, whatever it had when it was closed.
STATE = ("closed_on", "outcome", "lost_reason")


@dataclass(frozen=True, eq=False)
class Before:
    """A data set that an import is to update.

    team : as it stands
    folder, files : where it is, and the file of each of its tables
    touched : files that were added or changed since the last import
    """

    folder: Path
    team: Team
    files: Mapping[str, Path]
    touched: frozenset[str]


def of(folder: Path, mapping: str, withheld: Mapping[str, str]) -> Before:
    """The data set in a folder; `DataError` where an import by this mapping cannot update it.

    `withheld` is what the import keeps out: names by another key would be other people.
    """
    manifest = target.manifest(folder)
    by = manifest["mapping"]["name"]
    if by != mapping:
        raise DataError(f"{folder} was imported from {by}; {mapping} cannot update it.")
    if manifest.get("withheld", {}).get("names") != withheld.get("names"):
        raise DataError(
            f"{folder} was imported with other names or another key: update it with the same "
            "--anonymous, or import into a new folder."
        )
    found, _ = door.files(folder)
    return Before(folder, load(folder), found, frozenset(target.touched(folder)))


def merged(
    before: Before, new: Team, *, is_currency_told: bool, are_stages_stated: bool
) -> tuple[Team, list[Changed]]:
    """The team with what a newer export says, and what that changed by table.

    Raises `DataError` for an older export, and for one in another currency.
    """
    old = before.team
    own = _settings(old.settings, new.settings, is_currency_told, are_stages_stated)
    tables, changes = dict(old.tables), []
    for name, table in new.tables.items():
        was = old.tables.get(name)
        if was is None:
            tables[name] = table
            changes.append(Changed(name, len(table), 0, 0, 0))
        elif name in OF_DEALS:
            tables[name], change = _of_deals(name, was, table, new.deals["deal_id"])
            changes.append(change)
        else:
            tables[name], change = _rows(name, was, table)
            changes.append(change)
    in_order = {name: tables[name] for name in schema.MODELS if name in tables}
    return Team(own, in_order), changes


def fill(aside: Path, before: Before, team: Team, filled: Iterable[str]) -> Team:
    """Write the data set into a folder: `filled` tables anew, all else as it is; the team in it.

    Raises `DataError` where what people added does not fit what the export says now.
    """
    for path in before.folder.iterdir():
        if path.name in (target.MANIFEST, logbook.LOCK):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.copytree(path, aside / path.name, symlinks=True)
        else:
            shutil.copy2(path, aside / path.name, follow_symlinks=False)
    for name in filled:
        path = before.files.get(name, Path(f"{name}.parquet"))
        (aside / path.name).unlink(missing_ok=True)  # a link is not written through
        write_table(team.tables[name], aside / path.name)
    own = aside / settings.FILE
    own.write_text(_edited(own.read_text(encoding="utf-8-sig"), team.settings), encoding="utf-8")
    return load(aside)


def _settings(old: Settings, new: Settings, is_told: bool, are_stated: bool) -> Settings:
    """What the team says of itself, on the day of the newer export."""
    if new.as_of < old.as_of:
        raise DataError(
            f"The export is of {new.as_of.date()}, the data set of {old.as_of.date()}: an update "
            "needs a newer export, or --as-of states its day."
        )
    if is_told and new.currency != old.currency:
        raise DataError(
            f"The export is in {new.currency}, the data set in {old.currency}: import into a new "
            "folder."
        )
    stages = _stages(old.stages, new.stages, are_stated)
    return replace(old, as_of=new.as_of, stages=stages)


def _stages(old: tuple[str, ...], new: tuple[str, ...], are_stated: bool) -> tuple[str, ...]:
    """The stages in their old order, new ones behind those that they follow in the export.

    >>> _stages(("Demo", "Offer"), ("Call", "Offer", "Test"), are_stated=False)
    ('Call', 'Demo', 'Offer', 'Test')
    """
    first, second = (new, old) if are_stated else (old, new)
    found = [*first]
    for place, stage in enumerate(second):
        if stage not in found:
            before = second[place - 1] if place else None
            found.insert(found.index(before) + 1 if before else 0, stage)
    return tuple(found)


def _keys(name: str) -> list[str]:
    """The columns that name a row."""
    model = schema.MODELS[name]
    own = [column for column, about in model.columns.items() if about.unique]
    return own or list(model.unique or schema.required(name))


def _rows(name: str, was: pd.DataFrame, now: pd.DataFrame) -> tuple[pd.DataFrame, Changed]:
    """Rows told apart by their key: those of the export, and those that vanished."""
    keys = _keys(name)
    old, new = (table.set_index(_index(table, keys)) for table in (was, now))
    new = _with_kept(name, old, new)
    is_gone = ~pd.Series(among(old.index.to_series(), new.index.to_series()).to_numpy(), old.index)
    if name == "quotas":
        is_gone &= ~_overlaps(was, now).set_axis(old.index)
    gone = old[is_gone]
    is_known = among(new.index.to_series(), old.index.to_series())
    n_same = _n_same(old, new[is_known])
    n_known = int(is_known.sum())
    n_replaced = len(old) - len(gone) - n_known
    first = tuple(map(str, gone[keys[0]].iloc[:FIRST])) if len(keys) == 1 else ()
    change = Changed(
        name, len(new) - n_known, n_known - n_same, n_same, len(gone), n_replaced, first
    )
    return pd.concat([new, gone.reindex(columns=new.columns)], ignore_index=True), change


def _index(table: pd.DataFrame, keys: list[str]) -> pd.Index:
    if len(keys) == 1:
        return pd.Index(table[keys[0]])
    whole = table[keys[0]].astype("str").fillna("")
    for key in keys[1:]:
        whole = whole + "\n" + table[key].astype("str").fillna("")
    return pd.Index(whole)


def _with_kept(name: str, old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """The new rows with what stood in columns, or cells, of which the export says nothing."""
    once = old[~old.index.duplicated()]
    filled = {}
    for column in [*new, *(each for each in old if each not in new)]:
        if column not in old or column in STATE:
            continue
        says_nothing = column not in new or not new[column].notna().any()
        if says_nothing or name in LASTING:
            known = once[column].reindex(new.index)
            filled[column] = known if column not in new else _or(_told(new[column]), known)
            if column in new:  # an id is better than no name
                filled[column] = filled[column].fillna(new[column])
    return new.assign(**filled)


def _told(new: pd.Series) -> pd.Series:
    """A column of which names that are ids, for want of others, are blank."""
    return new.mask(new == new.index) if new.name == "name" else new


def _or(new: pd.Series, known: pd.Series) -> pd.Series:
    """Where the new value is blank, the known one, in one type."""
    if not new.notna().any():
        return known
    if new.dtype != known.dtype:
        known = known.astype("object") if not known.notna().any() else known
    return new.where(new.notna(), known)


def _n_same(old: pd.DataFrame, new: pd.DataFrame) -> int:
    """How many rows are the same as those of their key."""
    was = old[~old.index.duplicated()].reindex(new.index)
    is_same = pd.Series(True, new.index)
    for column in new:
        if column not in was:
            is_same &= new[column].isna()
            continue
        a, b = new[column], was[column]
        equal = (a == b).fillna(False).astype(bool) if len(a) else pd.Series(False, a.index)
        is_same &= equal.to_numpy() | (a.isna() & b.isna()).to_numpy()
    return int(is_same.sum())


def _overlaps(was: pd.DataFrame, now: pd.DataFrame) -> pd.Series:
    """Which old quotas are of a time that new ones of the same rep are of too."""
    rows = was.assign(place=range(len(was)))
    both = rows.merge(now, on="rep_id", suffixes=("", "_new"))
    is_over = (both["starts_on"] <= both["ends_on_new"]) & (
        both["starts_on_new"] <= both["ends_on"]
    )
    return pd.Series(rows["place"].isin(both.loc[is_over, "place"]).to_numpy())


def _of_deals(
    name: str, was: pd.DataFrame, now: pd.DataFrame, deals: pd.Series
) -> tuple[pd.DataFrame, Changed]:
    """Rows of deals: those that the export tells, and those of deals that vanished."""
    is_told = among(was["deal_id"], deals)
    told, gone = was[is_told], was[~is_told]
    columns = [column for column in now if column in was]
    n_same = _n_shared(told[columns], now[columns])
    change = Changed(name, len(now) - n_same, 0, n_same, len(gone), len(told) - n_same)
    return pd.concat([now, gone], ignore_index=True), change


def _n_shared(one: pd.DataFrame, other: pd.DataFrame) -> int:
    """How many rows two tables share, as often as both have them."""
    hashes = (pd.Series(pd.util.hash_pandas_object(each, index=False)) for each in (one, other))
    counts = [each.value_counts() for each in hashes]
    return int(pd.concat(counts, axis=1, join="inner").min(axis=1).sum())


def _edited(text: str, own: Settings) -> str:
    """The text of team.toml on another day, everything else as somebody wrote it."""
    document = tomlkit.parse(text)
    document["as_of"] = own.as_of.date()
    if list(document.get("stages", [])) != [*own.stages]:
        document["stages"] = [*own.stages]
    return tomlkit.dumps(document)
