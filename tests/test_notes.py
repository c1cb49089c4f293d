"""Notes of one-on-ones on their way from a downloaded file into the coaching table."""

import csv
import io
import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from broken import GOOD
from pyarrow import parquet
from test_display import HOSTILE

import salesnb
from salesnb import DataError, cli, coaching, door, logbook, notes, schema, sessions, standout

ID = "N" + "0" * 31
WRITTEN = {
    "held_on": "2026-07-08",
    "kind": "one_on_one",
    "minutes": "45",
    "topic": "Demo",
    "strength": "Listens",
    "diagnosis": "I talk too much",
    "reason": "own",
    "agreement": "Fewer slides",
    "commitment": "Two demos without slides",
    "due_on": "2026-07-22",
}
LOG = """\
session_id,rep_id,held_on,kind,commitment,done_on,extra
S1,R1,2026-05-04,one_on_one,Call Ann,,007
S2,R2,2026-05-05,ride_along,"Call ""Bob"", again",,
S3,R1,2026-05-06,one_on_one,,,
S4,R1,2026-05-07,one_on_one,Write,2026-05-20,
"""
LONG = "árvíztűrő tükörfúrógép 😀 " * 400
TEXTS = [*HOSTILE, LONG, "x" * 10_000, "two\n\nlines; and, more\ttab", "a\r\nb\rc", "  spaces  "]
TEXTS += ["123", "- list\n- of two", "=1+1", '"', "'"]


def content(**changes):
    """A file as the page of R1 downloads it; `fields` and `done` are merged, None leaves out."""
    made = {"format": "salesnb notes", "version": 1, "salesnb": "0.1.0", "team": "Demo"}
    made |= {"rep_id": "R1", "name": "Őry Ágnes", "as_of": "2026-06-30", "data": "0123456789ab"}
    made |= {"session_id": f"{ID}1", "fields": dict(WRITTEN), "done": {}}
    for key, value in changes.items():
        merges = key in ("fields", "done") and isinstance(value, dict)
        made[key] = {**made[key], **value} if merges else value
        if value is None:
            del made[key]
    return made


def save(path, *, raw=None, **changes):
    text = json.dumps(content(**changes), ensure_ascii=False)
    path.write_bytes(text.encode() if raw is None else raw)
    return path


def write(folder):
    """A small sound data set of CSV files with four sessions."""
    folder.mkdir()
    for name in ("team.toml", "reps.csv", "deals.csv"):
        (folder / name).write_text(GOOD[name], encoding="utf-8", newline="")
    (folder / "coaching.csv").write_text(LOG, encoding="utf-8", newline="")
    return folder


@pytest.fixture
def folder(tmp_path):
    """That data set, to be written into."""
    return write(tmp_path / "team")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "notes-R1.json"


@pytest.fixture(scope="module")
def team(tmp_path_factory):
    """The team of that data set, for what need not be written."""
    return salesnb.load(write(tmp_path_factory.mktemp("notes") / "team"))


def table(folder):
    return salesnb.load(folder).coaching.set_index("session_id")


def bytes_of(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name != logbook.LOCK}


def faults(*files_and_folder):
    *files, folder = files_and_folder
    before = bytes_of(folder)
    with pytest.raises(DataError) as raised:
        logbook.log(files, folder)
    assert bytes_of(folder) == before, "nothing changes"
    return [str(fault) for fault in raised.value.faults]


# What goes in


def test_every_column_is_filled(folder, file):
    (entry,) = logbook.log([save(file)], folder)
    assert str(entry) == "notes-R1.json: session of 2026-07-08 with Őry Ágnes added"
    row = table(folder).loc[f"{ID}1"]
    assert row["rep_id"] == "R1"
    assert row["minutes"] == 45
    for name in set(WRITTEN) - {"minutes", "held_on", "due_on"}:
        assert row[name] == WRITTEN[name]
    assert row["held_on"] == pd.Timestamp("2026-07-08")
    assert row["due_on"] == pd.Timestamp("2026-07-22")
    assert pd.isna(row["done_on"])
    assert pd.isna(row["question"])


def test_nothing_but_the_day_need_be_written(folder, file):
    blank = dict.fromkeys(WRITTEN, "") | {"held_on": "2026-07-08", "kind": "ride_along"}
    logbook.log([save(file, fields=blank)], folder)
    row = table(folder).loc[f"{ID}1"]
    assert row.dropna().to_dict() == {
        "rep_id": "R1",
        "held_on": pd.Timestamp("2026-07-08"),
        "kind": "ride_along",
    }


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_text_arrives_as_it_was_typed(folder, file, kind):
    if kind == "parquet":
        as_parquet(folder)
    names = ["strength", "diagnosis", "agreement", "commitment"]
    files = []
    for i, text in enumerate(TEXTS):
        path = file.with_name(f"{i}.json")
        fields = dict.fromkeys(names, text)
        files.append(save(path, session_id=f"N{i:032x}", fields=fields))
    logbook.log(files, folder)
    found = table(folder)
    for i, text in enumerate(TEXTS):
        assert [found.loc[f"N{i:032x}", name] for name in names] == [text] * 4
    assert [entry.is_new for entry in logbook.log(files, folder)] == [False] * len(files)


def as_parquet(folder):
    read = pd.read_csv(folder / "coaching.csv", dtype="str")
    for day in ("held_on", "done_on"):
        read[day] = pd.to_datetime(read[day])
    read.to_parquet(folder / "coaching.parquet", index=False)
    (folder / "coaching.csv").unlink()


# The same file again


def test_the_same_file_twice_adds_nothing_and_says_so(folder, file):
    save(file, done={"S1": "2026-07-07"})
    logbook.log([file], folder)
    before = bytes_of(folder)
    (entry,) = logbook.log([file], folder)
    assert str(entry) == "notes-R1.json: session of 2026-07-08 with Őry Ágnes: nothing new"
    assert bytes_of(folder) == before
    first, second = logbook.log([save(file, session_id=f"{ID}2"), file], folder)
    assert (first.is_new, second.is_new) == (True, False)
    assert len(table(folder)) == 6


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_changed_notes_correct_their_row(folder, file, kind):
    if kind == "parquet":
        as_parquet(folder)
    logbook.log([save(file)], folder)
    done = save(file.with_name("later.json"), session_id=f"{ID}2", done={f"{ID}1": "2026-07-20"})
    logbook.log([done], folder)
    fields = {"commitment": "Three demos", "due_on": "", "minutes": "50", "reason": ""}
    (entry,) = logbook.log([save(file, fields=fields)], folder)
    assert set(entry.columns) == {"commitment", "due_on", "minutes", "reason"}
    assert "corrected: " in str(entry)
    row = table(folder).loc[f"{ID}1"]
    assert (row["commitment"], row["minutes"]) == ("Three demos", 50)
    assert pd.isna(row["due_on"])
    assert pd.isna(row["reason"])
    assert row["done_on"] == pd.Timestamp("2026-07-20"), "set since, and not blanked"
    assert len(table(folder)) == 6


def test_a_field_that_a_file_leaves_out_is_left_alone(folder, file):
    logbook.log([save(file, fields={"question": "What if?"})], folder)
    (entry,) = logbook.log([save(file)], folder)
    assert not entry.columns
    assert table(folder).loc[f"{ID}1", "question"] == "What if?"


# Commitments of before


def test_commitments_are_marked_done_where_they_are_not(folder, file):
    (entry,) = logbook.log([save(file, done={"S1": "2026-06-01", "S4": "2026-07-01"})], folder)
    assert (entry.done, entry.before) == (("S1",), ("S4",))
    assert str(entry).endswith("marked done: S1; was done before and stays so: S4")
    done = table(folder)["done_on"]
    assert done["S1"] == pd.Timestamp("2026-06-01")
    assert done["S4"] == pd.Timestamp("2026-05-20")
    assert done.drop(["S1", "S4"]).isna().all()


# What is refused

DAY = "a day such as 2026-06-30, from 1900 to 2100"
WRONG = {
    "another team": (
        {"team": "Damo"},
        ["team: found 'Damo', expected the name of this team, 'Demo'"],
    ),
    "nobody on the team": (
        {"rep_id": "R01"},
        ["rep_id: found 'R01', expected a rep_id of reps (nearest: 'R1')"],
    ),
    "another name": (
        {"name": "Bob 😀"},
        ["name: found 'Bob 😀', expected the name of R1, 'Őry Ágnes'"],
    ),
    "another format": ({"format": "notes"}, ["format: found 'notes', expected 'salesnb notes'"]),
    "another version": ({"version": 2}, ["version: found '2', expected 1"]),
    "a version in quotes": ({"version": "1"}, ["version: found '1', expected 1"]),
    "no format": ({"format": None}, ["format: expected 'salesnb notes'"]),
    "an unknown key": ({"rep_ids": "R1"}, ["rep_ids: expected a known key (nearest: 'rep_id')"]),
    "a key that lacks": ({"data": None}, ["data: expected text"]),
    "a number for text": ({"team": 7}, ["team: found '7', expected text"]),
    "a list for fields": ({"fields": []}, ["fields: found '[]', expected texts by name"]),
    "an unknown field": (
        {"fields": {"minuts": "45"}},
        ["minuts: expected a known field (nearest: 'minutes')"],
    ),
    "done in the fields": (
        {"fields": {"done_on": "2026-07-07"}},
        ["done_on: expected a known field"],
    ),
    "a field that is no text": (
        {"fields": {"minutes": 45}},
        ["minutes: found '45', expected text"],
    ),
    "a day for as_of": (
        {"as_of": "30.06.2026"},
        [f"as_of: found '30.06.2026', expected {DAY} (nearest: '2026-06-30')"],
    ),
    "no day held": ({"fields": {"held_on": ""}}, ["held_on: expected a value, which is required"]),
    "no kind": ({"fields": {"kind": " "}}, ["kind: expected a value, which is required"]),
    "no date": (
        {"fields": {"held_on": "08.07.2026", "due_on": "2026-02-30"}},
        [
            f"held_on: found '08.07.2026', expected {DAY}",
            f"due_on: found '2026-02-30', expected {DAY}",
        ],
    ),
    "due before held": (
        {"fields": {"due_on": "2026-07-07"}},
        ["due_on: found '2026-07-07 with held_on 2026-07-08', expected a day not before held_on"],
    ),
    "held before the hire": (
        {"fields": {"held_on": "2023-12-31"}},
        ["held_on: found '2023-12-31', expected a day not before hired_on (2024-01-01)"],
    ),
    "held in two years": (
        {"fields": {"held_on": "2027-07-01", "due_on": ""}},
        ["held_on: found '2027-07-01', expected a day within a year after as_of (2026-06-30)"],
    ),
    "another kind": (
        {"fields": {"kind": "one_on_on"}},
        [
            "kind: found 'one_on_on', expected one of one_on_one, ride_along, call_review, "
            "programme (nearest: 'one_on_one')"
        ],
    ),
    "another reason": (
        {"fields": {"reason": "luck"}},
        ["reason: found 'luck', expected one of own, external, unclear"],
    ),
    "minutes in words": (
        {"fields": {"minutes": "an hour"}},
        ["minutes: found 'an hour', expected a plain number such as 1234.5"],
    ),
    "minus one minute": (
        {"fields": {"minutes": "-1"}},
        ["minutes: found '-1.0', expected a number at least 0"],
    ),
    "more minutes than a day has": (
        {"fields": {"minutes": "1441"}},
        ["minutes: found '1441', expected whole minutes, at most a day"],
    ),
    "half a minute": (
        {"fields": {"minutes": "0.5"}},
        ["minutes: found '0.5', expected whole minutes, at most a day"],
    ),
    "a formula": (
        {"fields": {"commitment": "=SUM(A1)", "diagnosis": "=SUM(A1)"}},
        [
            f"{x}: found '=SUM(A1)', expected a value, not a formula"
            for x in ("commitment", "diagnosis")
        ],
    ),
    "half a character": (
        {"fields": {"agreement": "\ud83d"}},
        ["agreement: found '?', expected text that can be written as UTF-8"],
    ),
    "a text too long": (
        {"fields": {"agreement": "x" * 50_001}},
        ["agreement: found '50,001 characters', expected at most 50,000 characters"],
    ),
    "a session id of another form": (
        {"session_id": "S1"},
        ["session_id: found 'S1', expected N and 32 hexadecimal digits"],
    ),
    "a commitment that is not there": (
        {"done": {"S9": "2026-07-07"}},
        ["done: found 'S9', expected the session_id of a commitment of this rep"],
    ),
    "a session without a commitment": (
        {"done": {"S3": "2026-07-07"}},
        ["done: found 'S3', expected the session_id of a commitment of this rep"],
    ),
    "another rep's commitment": (
        {"done": {"S2": "2026-07-07"}},
        ["done: found 'S2', expected the session_id of a commitment of this rep"],
    ),
    "done before it was agreed": (
        {"done": {"S1": "2026-05-03"}},
        ["done S1: found '2026-05-03', expected a day not before held_on (2026-05-04)"],
    ),
    "done some day": (
        {"done": {"S1": "soon"}},
        [f"done S1: found 'soon', expected {DAY}"],
    ),
    "done in two years": (
        {"done": {"S1": "2027-07-01"}},
        ["done S1: found '2027-07-01', expected a day within a year after as_of (2026-06-30)"],
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_fault_is_named(team, file, name):
    changes, expected = WRONG[name]
    if name == "half a character":
        save(file, raw=json.dumps(content(**changes)).encode())
    else:
        save(file, **changes)
    found = refused(file, team)
    assert len(found) == len(expected)
    for said, want in zip(sorted(found), sorted(expected), strict=True):
        assert said.startswith(f"notes-R1.json, {want}")


def refused(file, team):
    with pytest.raises(DataError) as raised:
        notes.read(file, team)
    return [str(fault) for fault in raised.value.faults]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "expected the file that a one-on-one page downloads"),
        (b"[1]", "expected the file that a one-on-one page downloads"),
        (b'{"format": "salesnb notes"', "expected the file that a one-on-one page downloads"),
        (b'{"format": NaN}', "found 'the word NaN'"),
        (b'{"format": "a", "format": "b"}', "found 'a name twice'"),
        (b"[" * 100_000, "expected the file that a one-on-one page downloads"),
        (json.dumps({"team": "Ő"}, ensure_ascii=False).encode("cp1250"), "expected UTF-8 text"),
        (b" " * 2_000_001, "found 'a file larger than that', expected at most 2,000,000 bytes"),
    ],
)
def test_a_file_that_is_none(team, file, raw, said):
    (found,) = refused(save(file, raw=raw), team)
    assert found.startswith("notes-R1.json")
    assert said in found


def test_a_file_that_is_not_there(team, file):
    assert refused(file, team) == [
        "notes-R1.json: found 'no such file or directory', expected a file that can be read"
    ]


def test_every_fault_of_every_file_at_once(folder, file, tmp_path):
    save(file, team="X", fields={"kind": "talk", "due_on": "2026-07-07"}, done={"S9": "x"})
    good = save(tmp_path / "good.json", session_id=f"{ID}2")
    other = save(tmp_path / "other.json", raw=b"{}")
    found = faults(good, file, other, folder)
    assert len(found) == 5
    assert {said.split(",")[0] for said in found} == {"notes-R1.json", "other.json"}


def test_another_reps_session_is_not_written_over(folder, file):
    logbook.log([save(file)], folder)
    (found,) = faults(save(file, rep_id="R2", name="Bob 😀"), folder)
    assert "expected an id that is not another rep's" in found


def test_two_versions_of_one_talk_are_not_guessed_between(folder, file, tmp_path):
    other = save(tmp_path / "other.json", fields={"topic": "Offer"})
    (found,) = faults(save(file), other, folder)
    assert "the same notes as in notes-R1.json: give only the latest of the two" in found


def test_faulty_data_is_told_first(folder, file):
    (folder / "reps.csv").write_text("rep_id\nR1\n")
    assert any("column name" in said for said in faults(save(file), folder))


# The file of the table


@pytest.mark.parametrize(
    ("separator", "end", "mark"), [(",", "\n", ""), (";", "\r\n", "\ufeff"), ("\t", "\n", "")]
)
def test_the_cells_of_a_csv_file_stay_as_they_are(folder, file, separator, end, mark):
    rows = [
        ["session_id", "rep_id", "held_on", "kind", "commitment", "done_on", "extra", "minutes"],
        ["S1", "R1", "2026-05-04T09:00", "one_on_one", 'Say "no"', "", "007", "45.0"],
        ["S2", "R2", " 2026-05-05 ", "one_on_one", f"a{separator}b", "2026-05-06", "1e3", "\t"],
        ["S3", "R1", "2026-05-06", "one_on_one", "two\r\nlines\rand\nmore", "", " x ", "0045"],
    ]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)
    path = folder / "coaching.csv"
    path.write_text(mark + text.getvalue() + end, encoding="utf-8", newline="")
    logbook.log([save(file, done={"S1": "2026-07-07"})], folder)
    written = path.read_bytes().decode()
    assert written.startswith(mark + "session_id")
    found = list(
        csv.reader(io.StringIO(written.removeprefix(mark), newline=""), delimiter=separator)
    )
    rows[1][5] = "2026-07-07"
    names, *found = [line for line in found if line]
    assert names[:8] == rows[0]
    assert set(names[8:]) == set(WRITTEN) - set(rows[0])
    assert [line[:8] for line in found[:3]] == rows[1:]
    assert all(not any(line[8:]) for line in found[:3])
    assert written.count(end) >= 5
    assert len(table(folder)) == 4


@pytest.mark.parametrize("like", [",", ";"])
def test_a_csv_table_that_lacks_is_made_like_the_others(folder, file, like):
    (folder / "coaching.csv").unlink()
    for path in folder.glob("*.csv"):
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
        with path.open("w", encoding="utf-8-sig", newline="") as open_file:
            csv.writer(open_file, delimiter=like).writerows(rows)
    logbook.log([save(file)], folder)
    written = (folder / "coaching.csv").read_bytes()
    assert written.startswith(b"\xef\xbb\xbfsession_id" + like.encode())
    assert written.endswith(b"\r\n")
    assert list(table(folder)) == [*list(schema.columns("coaching"))[1:], *notes.BEYOND]


def test_a_parquet_table_that_lacks_is_made_like_the_others(folder, file, tmp_path):
    (folder / "coaching.csv").unlink()
    saved = salesnb.load(folder).save(tmp_path / "saved")
    logbook.log([save(file)], saved)
    assert (saved / "coaching.parquet").exists()
    assert table(saved).loc[f"{ID}1", "agreement"] == "Fewer slides"


def test_the_cells_of_a_parquet_file_keep_value_and_type(folder, file):
    (folder / "coaching.csv").unlink()
    text, days = pa.string(), [date(2026, 5, 4), date(2026, 5, 5)]
    columns = {
        "session_id": pa.array([10**17 + 1, 10**17 + 2], pa.int64()),
        "rep_id": pa.array(["R1", "R2"]).dictionary_encode(),
        "held_on": pa.array(days, pa.date32()),
        "kind": pa.array(["one_on_one", "ride_along"], text),
        "minutes": pa.array([45, None], pa.int32()),
        "commitment": pa.array(["Call Ann", "Call Bob"], pa.large_string()),
        "due_on": pa.nulls(2),
        "done_on": pa.array([None, None], pa.timestamp("ns", "UTC")),
        "reason": pa.nulls(2),
        "extra": pa.array([1.5, None], pa.float32()),
        "seen_at": pa.array([1, None], pa.timestamp("ns")),
    }
    path = folder / "coaching.parquet"
    parquet.write_table(pa.table(columns), path)
    logbook.log([save(file, done={"100000000000000001": "2026-07-07"})], folder)
    after = parquet.read_table(path)
    for name in set(columns) - {"session_id", "due_on", "reason"}:
        assert after[name].type == columns[name].type
    for name in set(columns) - {"session_id", "done_on"}:
        assert after[name].to_pylist()[:2] == columns[name].to_pylist()
    assert after["session_id"].to_pylist() == [str(10**17 + 1), str(10**17 + 2), f"{ID}1"]
    found = table(folder)
    assert found.loc["100000000000000001", "done_on"] == pd.Timestamp("2026-07-07")
    assert found.loc[f"{ID}1", "minutes"] == 45


# Whole or not at all


def fails(*_args, **_options):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("where", "what"),
    [(door, "edited"), (Path, "write_bytes"), (door.os, "fsync"), (Path, "replace")],
)
def test_an_error_on_the_way_leaves_the_old_file(folder, file, monkeypatch, where, what):
    save(file)
    before = bytes_of(folder)
    monkeypatch.setattr(where, what, fails)
    with pytest.raises(DataError, match="No space left"):
        logbook.log([file], folder)
    assert bytes_of(folder) == before


def test_what_would_not_load_is_not_written(folder, file, monkeypatch):
    save(file)
    before = bytes_of(folder)
    edited = door.edited
    monkeypatch.setattr(door, "edited", lambda *a: edited(*a).replace(b"one_on_one", b"talk"))
    with pytest.raises(DataError, match="found 'talk'"):
        logbook.log([file], folder)
    assert bytes_of(folder) == before


WRITER = """
import sys
from pathlib import Path
from salesnb import logbook
folder, *files = map(Path, sys.argv[1:])
for file in files:
    logbook.log([file], folder)
"""


def test_none_is_lost_when_several_write_at_once(folder, tmp_path):
    files = [save(tmp_path / f"{i}.json", session_id=f"N{i:032x}") for i in range(4)]
    words = [sys.executable, "-c", WRITER, str(folder)]
    mine = [[*words, *map(str, files[i::2])] for i in range(2)]
    running = [subprocess.Popen(each, stderr=subprocess.PIPE) for each in mine]
    for process in running:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
    assert len(table(folder)) == 4 + 4


def test_whoever_waits_too_long_is_told(folder, file, monkeypatch):
    monkeypatch.setattr(logbook, "PATIENCE", 0)
    save(file)
    with logbook.FileLock(folder / logbook.LOCK), pytest.raises(DataError, match="try again"):
        logbook.log([file], folder)


# The command


def test_the_command(folder, file, monkeypatch, capsys):
    def run(*words):
        monkeypatch.setattr(sys, "argv", ["salesnb", "log", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return end.value.code, *capsys.readouterr()

    other = save(file.with_name("other.json"), session_id=f"{ID}2")
    code, out, err = run(save(file), other, folder)
    assert (code, err) == (0, "")
    assert out.count("added") == 2
    code, out, err = run(file, folder)
    assert "nothing new" in out
    code, out, err = run(save(file, team="X", fields={"kind": "x"}), folder)
    assert (code, out) == (2, "")
    assert err.startswith("2 faults in the data:\n- notes-R1.json, team: found 'X', expected")
    assert "Traceback" not in err
    assert run(file)[0] == 2
    assert run(file, folder.with_name("taem"))[0] == 2


# The next page


def test_the_next_page_opens_with_it(folder, file):
    logbook.log([save(file)], folder)
    team = salesnb.load(folder)
    found = coaching.since_last_time(team, "R1", sessions=1)
    row = found.table.iloc[0]
    assert (row["diagnosis"], row["agreement"]) == ("I talk too much", "Fewer slides")
    assert row["status"] == "open"
    assert row[["now_rate", "now_low", "now_high", "n_now"]].isna().all(), "held after the export"
    assert found.headline == (
        "Őry Ágnes: last time, on 8 July 2026, we talked about Demo. "
        "Agreed: “Two demos without slides”, still open; it is due on 22 July 2026."
    )
    assert "Fewer slides" in found._repr_html_()


def test_a_long_text_is_short_on_the_page_and_whole_in_the_table(folder, file):
    long = dict.fromkeys(
        ["topic", "strength", "diagnosis", "agreement", "commitment"], "x" * 10_000
    )
    logbook.log([save(file, fields=long)], folder)
    team = salesnb.load(folder)
    found = coaching.since_last_time(team, "R1")
    assert found.table["commitment"].iloc[0] == "x" * 10_000
    assert len(found.headline) < 700
    assert all(len(question) < 400 for question in found.ask)
    html = found._repr_html_()
    assert html.count('<details class="long"><summary>' + "x" * 10_000) == 5
    asked = coaching.questions(team, "R1").table["question"]
    assert asked.str.len().max() < 600


def test_brief_keeps_one_line():
    assert sessions.brief("two\n lines") == "two lines"
    assert sessions.brief("x" * 161) == "x" * 159 + "…"
    assert sessions.brief("x" * 160) == "x" * 160


def test_a_clause_has_no_stop_at_its_end():
    assert sessions.clause("Call  at 9.30.\n") == "Call at 9.30"
    assert sessions.clause("x" * 160 + "!") == "x" * 160
    assert sessions.clause("What?") == "What?"


def test_words_beyond_the_schema_are_words_even_if_all_are_numbers(folder, file):
    logbook.log([save(file, fields={"diagnosis": "123"})], folder)
    log = sessions.log(standout.of(salesnb.load(folder), "R1"))
    assert log["diagnosis"].dropna().tolist() == ["123"]
