"""One file of notes, as a one-on-one page downloads it: read, and checked against the team."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from salesnb import cells, checks
from salesnb.errors import DataError, Fault, nearest
from salesnb.team import Team

FORMAT, VERSION = "salesnb notes", 1
LARGEST = 2_000_000  # bytes of a file
LONGEST = 50_000  # characters of a text
DAY = 24 * 60  # minutes
AHEAD = pd.DateOffset(years=1)  # how long after the export a talk may be held
TABLE = "coaching"
# Every key of a file, and what it holds.
KEYS = {"format": str, "version": int, "salesnb": str, "team": str, "rep_id": str, "name": str}
KEYS |= {"as_of": str, "data": str, "session_id": str, "fields": dict, "done": dict}
WORDS = {str: "text", int: "a whole number", dict: "texts by name"}
# Columns of the coaching table that a file may fill; two of them lie beyond the schema.
BEYOND = ("diagnosis", "agreement")
IN_SCHEMA = "held_on kind minutes topic strength question commitment due_on reason"
FIELDS = (*IN_SCHEMA.split(), *BEYOND)
REQUIRED = ("held_on", "kind")


@dataclass(frozen=True)
class Notes:
    """What was written about one talk.

    fields : column of the coaching table to value, None where nothing was written
    done : session_id of an earlier commitment of the rep to the day it was done
    """

    file: str
    session_id: str
    rep_id: str
    fields: Mapping[str, Any]
    done: Mapping[str, pd.Timestamp]


def read(path: Path, team: Team) -> Notes:
    """The notes in a file; `DataError` with every fault: field, value found, value expected."""
    raw = _content(path)
    faults = list(_form_faults(raw))
    if not faults:
        faults = [*_identity_faults(raw, team), *_done_faults(raw, team)]
        fields, wrong = _fields(raw)
        faults += [*wrong, *_day_faults(raw, fields, team)]
    if faults:
        raise DataError(replace(fault, table=path.name, rows=()) for fault in faults)
    done = {session: cells.day(day, session) for session, day in raw["done"].items()}
    return Notes(path.name, raw["session_id"], raw["rep_id"], fields, done)


def _content(path: Path) -> dict[str, Any]:
    """The JSON object in a file."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            expected = f"at most {LARGEST:,} bytes"
            raise DataError([Fault(path.name, expected, value="a file larger than that")])
        raw = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise DataError([Fault(path.name, "a file that can be read", value=why)]) from error
    except UnicodeDecodeError as error:
        raise DataError([Fault(path.name, "UTF-8 text")]) from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, DataError):
            raise
        expected = "the file that a one-on-one page downloads"
        raise DataError([Fault(path.name, expected, value=str(error)[:80])]) from error
    if not isinstance(raw, dict):
        raise DataError([Fault(path.name, "the file that a one-on-one page downloads")])
    return raw


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name twice")
    return found


def _no(word: str) -> None:
    raise ValueError(f"the word {word}")


def _form_faults(raw: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with the file whatever the team: format, keys, kinds of values."""
    for key, wanted in (("format", FORMAT), ("version", VERSION)):
        if raw.get(key) != wanted or isinstance(raw[key], bool):
            yield Fault(TABLE, repr(wanted), key, _shown(raw.get(key, "")))
            return  # of another format, nothing more can be said
    yield from _unknown(raw, KEYS, "a known key")
    for key, kind in KEYS.items():
        if key not in raw:
            yield Fault(TABLE, WORDS[kind], key)
        elif type(raw[key]) is not kind:
            yield Fault(TABLE, WORDS[kind], key, _shown(raw[key]))
        elif kind is dict:
            for name, value in raw[key].items():
                yield from _text_faults(name, value)
        elif kind is str:
            yield from _text_faults(key, raw[key])
    if isinstance(raw.get("fields"), dict):
        yield from _unknown(raw["fields"], FIELDS, "a known field")


def _text_faults(name: str, text: Any) -> Iterator[Fault]:
    if type(text) is not str:
        yield Fault(TABLE, "text", _shown(name), _shown(text))
    elif any("\ud800" <= letter <= "\udfff" for letter in name + text):
        yield Fault(TABLE, "text that can be written as UTF-8", _shown(name), _shown(text))
    elif len(text) > LONGEST:
        found = f"{len(text):,} characters"
        yield Fault(TABLE, f"at most {LONGEST:,} characters", name, found)


def _unknown(found: Mapping[str, Any], known: Mapping | tuple, expected: str) -> Iterator[Fault]:
    for name in found:
        if name not in known:
            yield Fault(TABLE, expected, _shown(name), nearest=nearest(name, known))


def _identity_faults(raw: Mapping[str, Any], team: Team) -> Iterator[Fault]:
    """Notes of another team or rep, or without an id of their own."""
    ours = team.settings.name
    if raw["team"] != ours:
        yield Fault(TABLE, f"the name of this team, {ours!r}", "team", _shown(raw["team"]))
    reps = team.reps.set_index("rep_id")["name"]
    if raw["rep_id"] not in reps.index:
        close = nearest(raw["rep_id"], reps.index)
        yield Fault(TABLE, "a rep_id of reps", "rep_id", _shown(raw["rep_id"]), nearest=close)
    elif raw["name"] != reps[raw["rep_id"]]:
        expected = f"the name of {raw['rep_id']}, {reps[raw['rep_id']]!r}"
        yield Fault(TABLE, expected, "name", _shown(raw["name"]))
    if not re.fullmatch(r"N[0-9a-f]{32}", raw["session_id"]):
        expected = "N and 32 hexadecimal digits"
        yield Fault(TABLE, expected, "session_id", _shown(raw["session_id"]))
    else:
        log = team.coaching.set_index("session_id")["rep_id"]
        if log.get(raw["session_id"], raw["rep_id"]) != raw["rep_id"]:
            yield Fault(TABLE, "an id that is not another rep's", "session_id", raw["session_id"])
    yield from _no_day("as_of", raw["as_of"])


def _fields(raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """The fields as typed values, None where blank, and what is wrong with them."""
    texts = pd.DataFrame({name: [text] for name, text in raw["fields"].items()}, dtype="str")
    texts = texts.reindex(columns=[*dict.fromkeys([*texts, *REQUIRED])])
    ids = {"session_id": raw["session_id"], "rep_id": raw["rep_id"]}
    in_schema = texts.drop(columns=[*BEYOND], errors="ignore").assign(**ids)
    typed, faults = checks.as_typed(TABLE, in_schema)
    known = {(fault.column, 0) for fault in faults}
    faults += [f for f in checks.model_faults(TABLE, typed, known) if f.column in FIELDS]
    for name in set(BEYOND) & set(texts):
        blank = cells.blank_to_na(texts[name])
        typed[name] = cells.convert(blank, "text")
        wrong = blank[blank.notna() & typed[name].isna()]
        faults += [Fault(TABLE, cells.expected("text", False, w), name, _shown(w)) for w in wrong]
    minutes = typed["minutes"].iloc[0]
    if pd.notna(minutes) and (minutes % 1 or minutes > DAY):
        faults.append(Fault(TABLE, "whole minutes, at most a day", "minutes", f"{minutes:g}"))
    row = {name: typed[name].iloc[0] for name in texts}
    return {str(name): None if pd.isna(value) else value for name, value in row.items()}, faults


def _day_faults(raw: Mapping[str, Any], fields: Mapping[str, Any], team: Team) -> Iterator[Fault]:
    """A talk before the rep was hired, or long after the export."""
    held_on, reps = fields["held_on"], team.reps
    hired = reps.loc[reps["rep_id"] == raw["rep_id"], "hired_on"]
    if held_on is None:
        return
    if (held_on < hired).any():
        expected = f"a day not before hired_on ({hired.iloc[0].date()})"
        yield Fault(TABLE, expected, "held_on", str(held_on.date()))
    yield from _too_late("held_on", held_on, team)


def _done_faults(raw: Mapping[str, Any], team: Team) -> Iterator[Fault]:
    """Commitments that are not there, or another rep's, or done before they were made."""
    log = team.coaching
    own = log[(log["rep_id"] == raw["rep_id"]) & log["commitment"].notna()]
    held = own.set_index("session_id")["held_on"]
    for session, written in raw["done"].items():
        name = f"done {session}"
        if session not in held.index:
            expected = "the session_id of a commitment of this rep"
            close = nearest(session, held.index)
            yield Fault(TABLE, expected, "done", _shown(session), nearest=close)
            continue
        wrong = list(_no_day(name, written))
        yield from wrong
        if wrong:
            continue
        day = cells.day(written, name)
        if day < held[session]:
            expected = f"a day not before held_on ({held[session].date()})"
            yield Fault(TABLE, expected, name, written)
        yield from _too_late(name, day, team)


def _no_day(name: str, written: str) -> Iterator[Fault]:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", written) or pd.isna(
        cells.convert(pd.Series([written], dtype="str"), "time", is_day=True).iloc[0]
    ):
        meant = cells.meant("time", written)
        yield Fault(TABLE, cells.expected("time", True, written), name, _shown(written), (), meant)


def _too_late(name: str, day: pd.Timestamp, team: Team) -> Iterator[Fault]:
    if day > team.as_of + AHEAD:
        expected = f"a day within a year after as_of ({team.as_of.date()})"
        yield Fault(TABLE, expected, name, str(day.date()))


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= 80 else text[:79] + "…"
