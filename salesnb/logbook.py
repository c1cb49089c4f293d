"""The coaching log on disk: notes are added under a lock, to the whole file or not at all."""

import codecs
import io
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from filelock import FileLock, Timeout

from salesnb import checks, csvfile, door, notes, schema
from salesnb import team as teams
from salesnb.errors import DataError, Fault
from salesnb.files import write_whole
from salesnb.finding import Finding
from salesnb.notes import Notes
from salesnb.team import Team

LOCK = ".coaching.lock"
PATIENCE = 60  # seconds to wait for somebody else who is logging
TABLE = "coaching"
NOTHING = "nothing new"


def log(paths: Sequence[Path], folder: Path) -> Finding:
    """What was added to the coaching log of a data set from files of notes?

    All files are checked before anything is written. A session that is in the log already is not
    added again; where its notes have changed, its row is corrected. A commitment is marked done
    where no day stands yet.

    Returns
    -------
    Finding
        One row per session or commitment:

        file, session_id, rep_id
        what : added, corrected, done, or nothing new
        columns : what was corrected

    Raises
    ------
    DataError
        With every fault of every file; for a data set that is faulty; where the log stays locked.
    """
    folder = door.must_be_folder(folder)
    read, faults = _read(paths)
    try:
        with FileLock(folder / LOCK, timeout=PATIENCE):
            team = teams.load(folder)
            faults += [fault for each in read for fault in notes.faults(each, team)]
            if faults:
                raise DataError(faults)
            return _logged(read, team, folder)
    except Timeout as error:
        raise DataError(f"{folder}: somebody else is writing to the log; try again.") from error
    except OSError as error:
        raise DataError(f"{folder} cannot be written: {error.strerror or error}") from error


def _read(paths: Sequence[Path]) -> tuple[list[Notes], list[Fault]]:
    read: list[Notes] = []
    faults: list[Fault] = []
    for path in paths:
        try:
            read.append(notes.read(path))
        except DataError as error:
            faults += error.faults
    return read, faults


def _logged(read: Sequence[Notes], team: Team, folder: Path) -> Finding:
    table = _table(team, folder)
    rows: list[dict[str, str]] = []
    for each in read:
        table, done = _added(table, each)
        rows += done
    told = pd.DataFrame(rows, columns=["file", "session_id", "rep_id", "what", "columns"])
    counts = told["what"].value_counts()
    if set(counts.index) - {NOTHING}:
        _checked(table, team)
        _written(table, _path(team, folder))
    new = [f"{counts[what]} {what}" for what in ("added", "corrected", "done") if what in counts]
    said = ", ".join(new) or NOTHING
    return Finding(f"{team.settings.name}, coaching log: {said}.", told, names=team.names)


def _path(team: Team, folder: Path) -> Path:
    """The file of the table; of a data set without one, beside the reps and of their kind."""
    found, _ = door.files(folder)
    return found.get(TABLE) or found["reps"].with_name(f"{TABLE}{found['reps'].suffix}")


def _table(team: Team, folder: Path) -> pd.DataFrame:
    """The log as it stands: the cells of a CSV as text, untouched; else typed."""
    path = _path(team, folder)
    if not path.exists() or path.suffix.lower() != ".csv":
        return team.coaching
    tables, _ = door.read_files({TABLE: path})
    return tables[TABLE].reset_index(drop=True)


def _added(table: pd.DataFrame, one: Notes) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    """The table with the session and the commitments of one file, and what was done."""
    said = []
    place = {"file": one.file, "session_id": one.session_id, "rep_id": one.rep_id}
    if one.has_session:
        row = _like(table, notes.as_row(one))
        at = table.index[table["session_id"] == one.session_id]
        if not len(at):
            table = pd.concat([table, row], ignore_index=True)
            said.append({**place, "what": "added", "columns": ""})
        else:
            changed = _changed(table.loc[at[0]], row.iloc[0])
            for name in changed:
                if name not in table:
                    table[name] = pd.Series(dtype="str")
                table.loc[at[0], name] = row[name].iloc[0]
            what = "corrected" if changed else NOTHING
            said.append({**place, "what": what, "columns": ", ".join(changed)})
    for session_id, day in one.done.items():
        at = table.index[table["session_id"] == session_id]
        done = _like(table, pd.DataFrame({"done_on": [day]}, dtype="str"))["done_on"].iloc[0]
        is_new = table.loc[at, "done_on"].isna().all() if "done_on" in table else True
        if is_new:
            table.loc[at, "done_on"] = done
        what = "done" if is_new else NOTHING
        said.append({**place, "session_id": session_id, "what": what, "columns": ""})
    return table, said


def _changed(old: pd.Series, new: pd.Series) -> list[str]:
    """The columns in which a session differs; what the page does not hold is left alone."""

    def same(name: str) -> bool:
        before, now = old.get(name), new[name]
        return (pd.isna(before) and pd.isna(now)) or before == now

    return [str(name) for name in new.index if not same(str(name))]


def _like(table: pd.DataFrame, row: pd.DataFrame) -> pd.DataFrame:
    """A row of text in the types of the table: a table of text cells keeps text."""
    known = schema.columns(TABLE)
    is_typed = not pd.api.types.is_string_dtype(table["held_on"])
    typed, _ = checks.as_typed(TABLE, row)
    return row.assign(**{name: typed[name] for name in row if is_typed and name in known})


def _checked(table: pd.DataFrame, team: Team) -> None:
    """Raise `DataError` if the data set would be faulty with this log."""
    kept = {name: team.tables[name] for name in schema.REQUIRED_TABLES}
    needed = {name: team.tables[name] for name in ("accounts", "products") if team.has(name)}
    teams.of(team.settings, {**kept, **needed, TABLE: table})


def _written(table: pd.DataFrame, path: Path) -> None:
    buffer = io.BytesIO()
    if path.suffix.lower() != ".csv":
        table.to_parquet(buffer, index=False, compression="zstd")
    else:
        separator, mark = csvfile.form(path) if path.exists() else (",", False)
        text = csvfile.text_of(table, separator)
        buffer.write((codecs.BOM_UTF8 if mark else b"") + text.encode())
    write_whole(path, buffer.getvalue())
