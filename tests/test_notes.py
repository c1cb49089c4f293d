"""Notes of one-on-ones: every fault by hand, what is added, and that nothing is lost."""

import json
import multiprocessing
import shutil

import pandas as pd
import pytest
from handmade import deal, team_of

import salesnb
from salesnb import DataError, cli, logbook
from salesnb.csvfile import form

SESSIONS = [
    {"session_id": "S1", "rep_id": "R1", "held_on": "2026-05-04", "commitment": "Call, twice"},
    {"session_id": "S2", "rep_id": "R2", "held_on": "2026-05-05", "commitment": "Ask"},
    {"session_id": "S3", "rep_id": "R1", "held_on": "2026-05-11", "commitment": None},
]
WORDS = 'Árvíztűrő "tükörfúrógép"; <b>\nmásodik sor, 🙂'


def team():
    coaching = pd.DataFrame(SESSIONS).assign(kind="one_on_one")
    hired = ["2020-01-01", None, None, None, None]
    made = team_of([deal("D1", "R1", "2026-01-05", "Demo")], coaching=coaching)
    reps = made.reps.assign(hired_on=pd.to_datetime(pd.Series(hired)).astype("datetime64[us]"))
    return type(made)(made.settings, {**made.tables, "reps": reps})


@pytest.fixture(params=["parquet", "csv"])
def data(request, tmp_path):
    return team().save(tmp_path / "data", format=request.param)


@pytest.fixture(scope="module")
def same(tmp_path_factory):
    """A data set to which nothing may be added."""
    return team().save(tmp_path_factory.mktemp("same") / "data")


def notes(session_id="N1", done=None, session=(), **changes):
    written = {"held_on": "2026-07-02", "kind": "one_on_one", "topic": "Demo", "reason": "own"}
    written |= {"commitment": WORDS, "due_on": "2026-07-16", "diagnosis": "4 or 2", "minutes": "45"}
    made = {
        "format": "salesnb notes",
        "version": 1,
        "team": "Team",
        "rep_id": "R1",
        "rep": "Ágnes Kiss",
        "as_of": "2026-06-30",
        "data": "abc",
        "salesnb": "0.1.0",
        "session_id": session_id,
        "session": written | dict(session),
        "done": done or {},
    }
    return made | changes


def saved(folder, content, name="notes.json"):
    path = folder / name
    path.write_text(json.dumps(content) if isinstance(content, dict) else content, "utf-8")
    return path


def log(data, *contents):
    paths = [saved(data.parent, each, f"n{i}.json") for i, each in enumerate(contents)]
    return logbook.log(paths, data)


def row(data, session_id="N1"):
    return salesnb.load(data).coaching.set_index("session_id").loc[session_id]


def test_a_session_is_added_as_it_was_written(data):
    before = salesnb.load(data).coaching
    found = log(data, notes(done={"S1": "2026-06-20"}))
    assert found.headline == "Team, coaching log: 1 added, 1 done."
    after = salesnb.load(data).coaching
    assert len(after) == len(before) + 1
    added = row(data)
    assert added["commitment"] == WORDS
    assert added["minutes"] == 45
    assert added["held_on"] == pd.Timestamp("2026-07-02")
    assert added["diagnosis"] == "4 or 2"
    assert pd.isna(added["strength"])
    assert row(data, "S1")["done_on"] == pd.Timestamp("2026-06-20")
    is_other = before["session_id"].isin(["S2", "S3"])
    pd.testing.assert_frame_equal(after[before.columns][:3][is_other], before[is_other])


def test_twice_is_once(data):
    log(data, notes(done={"S1": "2026-06-20"}))
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    found = log(data, notes(done={"S1": "2026-06-20"}))
    assert found.headline == "Team, coaching log: nothing new."
    assert {path.name: path.read_bytes() for path in data.iterdir()} == before
    assert log(data, notes(), notes()).headline.endswith("nothing new.")


def test_a_correction_changes_its_row_and_nothing_since(data):
    log(data, notes())
    log(data, notes("N2", done={"N1": "2026-07-10"}))
    found = log(data, notes(session={"commitment": "Shorter"}))
    assert list(found.table["what"]) == ["corrected"]
    assert list(found.table["columns"]) == ["commitment"]
    assert row(data)["commitment"] == "Shorter"
    assert row(data)["done_on"] == pd.Timestamp("2026-07-10")


def test_a_day_that_stands_is_not_overwritten(data):
    log(data, notes("N2", done={"S1": "2026-06-20"}))
    found = log(data, notes("N3", done={"S1": "2026-06-25"}))
    assert row(data, "S1")["done_on"] == pd.Timestamp("2026-06-20")
    assert "nothing new" in set(found.table["what"])


def test_ticks_alone_are_no_session(data):
    blank = dict.fromkeys(notes()["session"], "") | {"kind": "one_on_one", "held_on": ""}
    found = log(data, notes(session=blank, done={"S1": "2026-06-20"}))
    assert list(found.table["what"]) == ["done"]
    assert len(salesnb.load(data).coaching) == 3
    with pytest.raises(DataError, match="something written"):
        log(data, notes(session=blank))


def test_a_data_set_without_a_log_gets_one(data):
    next(data.glob("coaching.*")).unlink()
    log(data, notes())
    assert len(salesnb.load(data).coaching) == 1
    assert {path.suffix for path in data.iterdir() if path.name[0].isalpha()} <= {
        ".toml",
        next(data.glob("reps.*")).suffix,
    }


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"team": "Other"}, r"column team: found 'Other', expected notes of the team 'Team'"),
        ({"rep_id": "R9"}, "column rep_id: found 'R9', expected a rep_id of reps"),
        ({"rep": "Bob Braun"}, "column rep: found 'Bob Braun', expected the name of R1"),
        ({"format": "x"}, "expected notes saved by a one-on-one page"),
        ({"version": 2}, "column version: found '2', expected version 1"),
        ({"session_id": ""}, "column session_id: expected what the page saved here"),
        ({"more": "x"}, "column more: expected nothing by this name"),
        ({"session": {"comitment": "x"}}, "column comitment.*nearest: 'commitment'"),
        ({"session": {"held_on": 3}}, "column held_on: found '3', expected text"),
        ({"session_id": "S2"}, "column session_id: found 'S2', expected an id of this rep's"),
        ({"done": {"S2": "2026-06-01"}}, "found 'S2', expected a session of this rep with"),
        ({"done": {"S3": "2026-06-01"}}, "found 'S3', expected a session of this rep with"),
        ({"done": {"S1": "soon"}}, "column done, S1: found 'soon', expected a day"),
        ({"done": {"S1": "2026-05-01"}}, "expected a day from 2026-05-04, when it was agreed"),
    ],
)
def test_what_is_refused(same, changes, said):
    before = {path.name: path.read_bytes() for path in same.iterdir()}
    with pytest.raises(DataError, match=said):
        log(same, notes("N5"), notes(**changes))
    after = {path.name: path.read_bytes() for path in same.iterdir()}
    assert {name: after[name] for name in before} == before, "not even the sound file was added"


def test_all_that_is_wrong_with_a_session_is_said_at_once(same):
    wrong = {"held_on": "2026-13-01", "kind": "chat", "reason": "fate", "minutes": "an hour"}
    with pytest.raises(DataError) as error:
        log(same, notes(session=wrong), notes("N2", session={"due_on": "2026-06-01"}))
    for said in ("held_on", "'chat'", "'fate'", "'an hour'", "a day not before held_on"):
        assert said in str(error.value)
    assert {fault.table for fault in error.value.faults} == {"n0.json", "n1.json"}


@pytest.mark.parametrize(
    ("day", "said"),
    [("2027-07-02", "a day up to 2027-06-30"), ("2019-12-31", "when the rep was hired"), ("", "")],
)
def test_days_that_cannot_be(same, day, said):
    with pytest.raises(DataError, match=f"held_on.*{said}"):
        log(same, notes(session={"held_on": day}))


def test_files_that_are_no_notes(same, tmp_path):
    torn, deep = saved(tmp_path, '{"format": "salesnb', "torn.json"), "[" * 100_000
    binary = tmp_path / "binary.json"
    binary.write_bytes(b"\xff\xfe\x00{")
    large = saved(tmp_path, " " * 2_000_001, "large.json")
    paths = [torn, binary, large, saved(tmp_path, deep, "deep.json"), tmp_path / "none.json"]
    with pytest.raises(DataError) as error:
        logbook.log([*paths, saved(tmp_path, "[]", "list.json")], same)
    names = {fault.table for fault in error.value.faults}
    assert names == {path.name for path in paths} | {"list.json"}


def test_a_csv_keeps_its_cells_its_separator_and_its_mark(tmp_path):
    data = team().save(tmp_path / "data", format="csv")
    path = data / "coaching.csv"
    text = "session_id;rep_id;held_on;kind;commitment;x\nS1;R1; 2026-05-04 ;one_on_one;007;1,50\n"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    log(data, notes())
    assert path.read_bytes().startswith(b"\xef\xbb\xbfsession_id;rep_id;held_on;kind;commitment;x;")
    assert b"S1;R1; 2026-05-04 ;one_on_one;007;1,50" in path.read_bytes()
    assert form(path) == (";", True)
    assert row(data)["commitment"] == WORDS


def test_an_error_on_the_way_leaves_the_old_file(data, monkeypatch):
    before = {path.name: path.read_bytes() for path in data.iterdir()}

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("salesnb.files.os.fsync", full)
    with pytest.raises(DataError, match="No space left on device"):
        log(data, notes())
    after = {path.name: path.read_bytes() for path in data.iterdir() if path.name != logbook.LOCK}
    assert after == before


def _log_one(data, number):
    logbook.log([saved(data.parent, notes(f"N{number}"), f"n{number}.json")], data)


def test_several_managers_at_once_lose_nothing(tmp_path):
    data = team().save(tmp_path / "data")
    context = multiprocessing.get_context("spawn")
    people = [context.Process(target=_log_one, args=(data, number)) for number in range(4)]
    for one in people:
        one.start()
    for one in people:
        one.join(120)
    ids = set(salesnb.load(data).coaching["session_id"])
    assert {"S1", "S2", "S3", "N0", "N1", "N2", "N3"} == ids


def test_the_command(data, tmp_path, monkeypatch, capsys):
    good, bad = saved(tmp_path, notes()), saved(tmp_path, notes(team="Other"), "bad.json")
    monkeypatch.setattr("sys.argv", ["salesnb", "log", str(good), str(data)])
    with pytest.raises(SystemExit) as done:
        cli.main()
    assert not done.value.code
    assert "1 added" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["salesnb", "log", str(good), str(bad), str(data)])
    with pytest.raises(SystemExit) as done:
        cli.main()
    assert done.value.code == 2
    said = capsys.readouterr().err
    assert "bad.json, column team: found 'Other'" in said
    assert "Traceback" not in said


def test_the_next_page_opens_with_it(data):
    long = "x" * 10_000
    log(data, notes(session={"commitment": long, "diagnosis": "I talk too much"}))
    found = salesnb.coaching.since_last_time(salesnb.load(data), "R1")
    assert "on 2 July 2026, we talked about Demo" in found.headline
    assert len(found.headline) < 600
    assert found.table["diagnosis"].iloc[0] == "I talk too much"
    assert found.table["commitment"].iloc[0] == long, "the data keeps all of it"
    assert len(found._repr_html_()) < 20_000
    assert pd.isna(found.table["now_rate"].iloc[0])


def test_the_lock_is_not_a_table(data):
    log(data, notes())
    assert salesnb.check(data)
    shutil.rmtree(data)
