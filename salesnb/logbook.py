"""The logbook: notes of one-on-ones into the coaching table of a data set, one writer at a time."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock, Timeout

from salesnb import cells, door
from salesnb.dataset import load
from salesnb.errors import DataError, Fault
from salesnb.notes import BEYOND, TABLE, Notes, read
from salesnb.team import Team

LOCK = ".coaching.lock"
PATIENCE = 120  # seconds to wait for others who write


@dataclass(frozen=True)
class Entry:
    """What one file of notes did to the coaching table.

    columns : those that were corrected
    done : commitments marked done, by session_id
    before : commitments that were done already, on another day, and stay so
    """

    file: str
    about: str
    is_new: bool
    columns: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    before: tuple[str, ...] = ()

    def __str__(self) -> str:
        said = [f"{self.about} added"] if self.is_new else []
        said += [f"{self.about} corrected: {', '.join(self.columns)}"] if self.columns else []
        said += [f"{self.about}: nothing new"] if not (said or self.done) else []
        said += [f"marked done: {', '.join(self.done)}"] if self.done else []
        said += [f"was done before and stays so: {', '.join(self.before)}"] if self.before else []
        return f"{self.file}: {'; '.join(said)}"


def log(files: Sequence[Path], folder: str | Path) -> list[Entry]:
    """Append the notes in these files to the coaching table of a folder; all of them or none.

    Notes logged before add nothing; where they were changed since, their row is corrected.
    Raises `DataError` with every fault of every file, or of the data set; nothing changes then.
    """
    folder = door.must_be_folder(folder)
    with alone(folder):
        team = load(folder)
        every = _checked(files, team)
        changes: dict[tuple[int, str], Any] = {}
        rows: dict[str, dict[str, Any]] = {}
        entries = [_entry(notes, team, changes, rows) for notes in every]
        if changes or rows:
            _write(folder, changes, [*rows.values()])
    return entries


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Nobody else writes while the block lasts."""
    try:
        with FileLock(folder / LOCK, timeout=PATIENCE, mode=door.mode_in(folder)):
            yield
    except Timeout as error:
        said = f"Somebody else has been writing to {folder} for {PATIENCE} seconds: try again."
        raise DataError(said) from error
    except OSError as error:
        raise DataError(f"{folder} cannot be written: {error.strerror or error}") from error


def _checked(files: Sequence[Path], team: Team) -> list[Notes]:
    """The notes of every file, or every fault of every file."""
    found: dict[str, Notes] = {}
    faults: list[Fault] = []
    every = []
    for path in files:
        try:
            notes = read(path, team)
        except DataError as error:
            faults += error.faults
            continue
        other = found.setdefault(notes.session_id, notes)
        if (other.fields, other.done) != (notes.fields, notes.done):
            expected = f"the same notes as in {other.file}: give only the latest of the two"
            faults.append(Fault(notes.file, expected, "session_id", notes.session_id))
        every.append(notes)
    if faults:
        raise DataError(faults)
    return every


def _entry(
    notes: Notes,
    team: Team,
    changes: dict[tuple[int, str], Any],
    rows: dict[str, dict[str, Any]],
) -> Entry:
    """What becomes of one file: cells to change and rows to add are put into the last two."""
    log = team.coaching
    places = dict(zip(log["session_id"], log.index, strict=True))
    about = f"session of {notes.fields['held_on'].date()} with {team.names[notes.rep_id]}"
    columns: list[str] = []
    is_new = notes.session_id not in places and notes.session_id not in rows
    if is_new:
        ids = {"session_id": notes.session_id, "rep_id": notes.rep_id}
        rows[notes.session_id] = ids | {name: _plain(v) for name, v in notes.fields.items()}
    elif notes.session_id in places:
        place = places[notes.session_id]
        known = _as_notes(log, place)
        columns = [name for name, value in notes.fields.items() if known.get(name) != value]
        changes |= {(place, name): _plain(notes.fields[name]) for name in columns}
    done, before = [], []
    for session, day in notes.done.items():
        place = places[session]
        known_day = changes.get((place, "done_on"), log["done_on"].iloc[place])
        if pd.isna(known_day):
            changes[place, "done_on"] = day
            done.append(session)
        elif known_day != day:
            before.append(session)
    return Entry(notes.file, about, is_new, tuple(columns), tuple(done), tuple(before))


def _as_notes(log: pd.DataFrame, place: int) -> dict[str, Any]:
    """A row of the coaching table as notes hold it."""
    row = log.iloc[[place]]
    beyond = {name: cells.convert(row[name], "text") for name in BEYOND if name in row}
    values = row.assign(**beyond).iloc[0]
    return {str(name): None if pd.isna(value) else value for name, value in values.items()}


def _plain(value: Any) -> Any:
    """A value as files hold it: minutes are whole numbers."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _write(
    folder: Path, changes: Mapping[tuple[int, str], Any], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Change the file of the table, unless the data set would not load any more."""
    found, _ = door.files(folder)
    own = found.get(TABLE)
    path = (own or folder / f"{TABLE}{found['deals'].suffix}").resolve()
    with door.whole_file(path, None if own else door.mode_in(folder)) as new:
        if own is None:
            new.write_bytes(door.without_rows(TABLE, like=found["deals"]))
        new.write_bytes(door.edited(path if own else new, changes, rows))
        load(folder, instead={TABLE: new})
