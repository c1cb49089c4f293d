"""Notes of a one-on-one, as its page saves them: read, checked, turned into rows of `coaching`."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from salesnb import cells, checks
from salesnb.errors import DataError, Fault, nearest
from salesnb.team import Team

FORMAT, VERSION = "salesnb notes", 1
LARGEST = 2_000_000  # bytes; a talk does not fill more
LONGEST = 365  # days after the export on which a talk may be held
FACTS = ("format", "version", "team", "rep_id", "rep", "as_of", "data", "salesnb", "session_id")
# Columns of `coaching` that a talk fills; the last two are beyond the schema.
WRITTEN = ("held_on", "kind", "minutes", "topic", "strength", "reason", "commitment", "due_on")
WRITTEN += ("diagnosis", "agreement")
# Filled in beforehand: alone they are no session.
GIVEN = ("held_on", "kind")


@dataclass(frozen=True)
class Notes:
    """One file of notes.

    facts : what the page says of itself, by the names in `FACTS`
    session : what was written, by the names in `WRITTEN`; blank where nothing was
    done : the days on which earlier commitments were done, by session_id
    """

    file: str
    facts: Mapping[str, Any]
    session: Mapping[str, str]
    done: Mapping[str, str]

    @property
    def session_id(self) -> str:
        """The id that the page gave the session."""
        return str(self.facts["session_id"])

    @property
    def rep_id(self) -> str:
        """Whose page it was."""
        return str(self.facts["rep_id"])

    @property
    def has_session(self) -> bool:
        """Whether anything was written beside ticks at earlier commitments."""
        return any(value for name, value in self.session.items() if name not in GIVEN)


def read(path: Path) -> Notes:
    """The notes in a file, its form checked.

    Raises `DataError` with every fault: not a file, too large, not UTF-8, not the JSON that a
    page saves.
    """
    try:
        size = path.stat().st_size
        text = path.read_bytes().decode("utf-8-sig") if size <= LARGEST else ""
        given = json.loads(text) if text else None
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise DataError([Fault(path.name, "a file that can be read", value=why)]) from error
    except (ValueError, RecursionError) as error:
        raise DataError([Fault(path.name, "the JSON that a one-on-one page saves")]) from error
    if size > LARGEST:
        raise DataError([Fault(path.name, f"at most {LARGEST:,} bytes", value=f"{size:,} bytes")])
    faults = [*_form_faults(path.name, given)]
    if faults:
        raise DataError(faults)
    facts = {name: given[name] for name in FACTS}
    session = {name: str(given["session"].get(name, "")).strip() for name in WRITTEN}
    return Notes(path.name, facts, session, dict(given["done"]))


def _form_faults(file: str, given: Any) -> Iterator[Fault]:
    if not isinstance(given, dict) or given.get("format") != FORMAT:
        yield Fault(file, "notes saved by a one-on-one page")
        return
    if given.get("version") != VERSION:
        yield Fault(file, f"version {VERSION} of the notes", "version", str(given.get("version")))
        return
    known = {*FACTS, "session", "done"}
    for name in [*FACTS, "session", "done"]:
        kind = {"version": int, "session": dict, "done": dict}.get(name, str)
        if not isinstance(given.get(name), kind) or given[name] == "":
            yield Fault(file, "what the page saved here", name, str(given.get(name, ""))[:80])
    session, done = given.get("session"), given.get("done")
    names = [(name, known) for name in given]
    names += [(name, set(WRITTEN)) for name in (session if isinstance(session, dict) else ())]
    for name, allowed in names:
        if name not in allowed:
            yield Fault(file, "nothing by this name", name, nearest=nearest(name, allowed))
    for part in (session, done):
        for name, value in part.items() if isinstance(part, dict) else ():
            if not isinstance(value, str):
                yield Fault(file, "text", name, str(value)[:80])


def faults(notes: Notes, team: Team) -> list[Fault]:
    """Everything about the notes that does not fit the team; an empty list if they do."""
    found = [*_whose(notes, team)]
    if not found:
        found = [*_session_faults(notes, team), *_done_faults(notes, team)]
    return found


def _whose(notes: Notes, team: Team) -> Iterator[Fault]:
    given = str(notes.facts["team"])
    if given != team.settings.name:
        yield Fault(notes.file, f"notes of the team {team.settings.name!r}", "team", given)
    names = dict(zip(team.reps["rep_id"], team.reps["name"], strict=True))
    if notes.rep_id not in names:
        yield Fault(notes.file, "a rep_id of reps", "rep_id", notes.rep_id)
    elif names[notes.rep_id] != notes.facts["rep"]:
        expected = f"the name of {notes.rep_id} in reps: {names[notes.rep_id]!r}"
        yield Fault(notes.file, expected, "rep", str(notes.facts["rep"])[:80])


def _session_faults(notes: Notes, team: Team) -> Iterator[Fault]:
    if not notes.has_session and not notes.done:
        yield Fault(notes.file, "something written", "session", "only blanks")
    whose = dict(zip(team.coaching["session_id"], team.coaching["rep_id"], strict=True))
    if whose.get(notes.session_id, notes.rep_id) != notes.rep_id:
        yield Fault(notes.file, "an id of this rep's session", "session_id", notes.session_id)
    if not notes.has_session:
        return
    typed, found = checks.as_typed("coaching", as_row(notes).set_axis([1]))
    known = {(fault.column, 1) for fault in found}
    for fault in [*found, *checks.model_faults("coaching", typed, known)]:
        yield replace(fault, table=notes.file, rows=())
    held = typed["held_on"].iloc[0]
    if pd.isna(held):
        return
    last = team.as_of + pd.Timedelta(days=LONGEST)
    hired = dict(zip(team.reps["rep_id"], team.reps["hired_on"], strict=True))[notes.rep_id]
    if held > last:
        yield Fault(notes.file, f"a day up to {last.date()}", "held_on", str(held.date()))
    if held < hired:
        expected = f"a day from {hired.date()}, when the rep was hired"
        yield Fault(notes.file, expected, "held_on", str(held.date()))


def _done_faults(notes: Notes, team: Team) -> Iterator[Fault]:
    own = team.coaching[team.coaching["rep_id"] == notes.rep_id].dropna(subset="commitment")
    held_on: dict[str, pd.Timestamp] = dict(zip(own["session_id"], own["held_on"], strict=True))
    for session_id, written in notes.done.items():
        if session_id not in held_on:
            yield Fault(notes.file, "a session of this rep with a commitment", "done", session_id)
            continue
        try:
            day = cells.day(written, "done")
        except DataError:
            yield Fault(notes.file, "a day such as 2026-06-30", f"done, {session_id}", written)
            continue
        if day < held_on[session_id]:
            expected = f"a day from {held_on[session_id].date()}, when it was agreed"
            yield Fault(notes.file, expected, f"done, {session_id}", written)


def as_row(notes: Notes) -> pd.DataFrame:
    """The session as one row of text cells of `coaching`, blank ones missing."""
    ids = {"session_id": notes.session_id, "rep_id": notes.rep_id}
    row = pd.DataFrame([{**ids, **notes.session}], dtype="str")
    return row.mask(row == "")
