"""What is in the data is never carried out: by a terminal, a spreadsheet, a calendar, by Python."""

import ast
import base64
import pickle
import re
import sys
from io import StringIO
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from conftest import ROOT
from hostile import IDS
from icalendar import Calendar
from pyarrow import parquet

import salesnb
from salesnb import cli, door, once
from salesnb.display import for_spreadsheet, plain
from salesnb.finding import Finding
from salesnb.report import calendar, plan, progress
from salesnb.report.outcome import Outcome

MODULES = sorted((ROOT / "salesnb").rglob("*.py"))


def test_a_terminal_is_told_nothing():
    words = "\x1b[2J\x1b]0;t\x07 a\r\nb\tc\rd \x9b31m \x7f \u202egnp \u200f\u05d0 é😀"
    assert plain(words) == "␛[2J␛]0;t␇ a\nb\tc␍d �31m � �gnp \u200f\u05d0 é😀"
    table = pd.DataFrame({words: [words]})
    found = str(Finding(words, table, ask=(words,), caveats=(words,)))
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", found)


@pytest.fixture(scope="module")
def saved(bad, tmp_path_factory):
    return bad.save(tmp_path_factory.mktemp("bad") / "team", format="csv")


def said_by(monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["salesnb", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return "".join(capsys.readouterr()), end.value.code


@pytest.mark.parametrize("format", ["table", "json", "csv"])
def test_the_command_tells_the_terminal_nothing(saved, monkeypatch, capsys, format):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    words = ["show", "coaching_log.history", saved, "--rep", IDS[0], "--format", format]
    out, code = said_by(monkeypatch, capsys, *words)
    assert code == 0
    assert "alert(" in out
    assert not re.search(r"[\x1b\x9b\x07\r\u202e]", out)


def test_neither_does_a_fault_nor_a_list_of_names(tmp_path, monkeypatch, capsys):
    bad = "\x1b]0;owned\x07"
    (tmp_path / "team.toml").write_text('as_of = 2026-06-30\nstages = ["A"]\n')
    (tmp_path / "reps.csv").write_text(f"rep_id,name\nR1,{bad}\n")
    (tmp_path / "deals.csv").write_text("deal_id,rep_id,created_on\nD1,R1,2026-01-05\n")
    (tmp_path / "stage_changes.csv").write_text("deal_id,stage,entered_at\nD1,A,2026-01-05\n")
    questions = [["show", "funnel.conversion", tmp_path, "--rep", "nobody"], ["check", tmp_path]]
    for n, words in enumerate(questions):
        said, code = said_by(monkeypatch, capsys, *words)
        assert code == 2
        assert "owned" in said
        assert not re.search(r"[\x1b\x07]", said)
        (tmp_path / "deals.csv").write_text(f"deal_id,{bad},{bad}\nD{n},,\n")


def test_a_bar_is_drawn_whatever_a_rep_is_called(monkeypatch, capsys, caplog):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    caplog.set_level("INFO")
    jobs = [plan.Job(Path("one.ipynb"), {}, {}, "[/closed] \x1b]0;owned\x07") for _ in range(9)]
    with progress.bar(9, 9) as bar:
        for n, job in enumerate(jobs):
            bar.add(Outcome(job, "failed", error="\x1b]0;owned\x07", seconds=100 if n else 1000))
    drawn = capsys.readouterr().err
    assert "slow: one [/closed] ␛]0;owned␇ (1000 s)" in re.sub(r"\x1b\[[\d;?]*\w", "", drawn)
    assert "\x1b]" not in drawn + caplog.text
    assert "one [/closed] ␛]0;owned␇: failed in 100.0 s: ␛]0;owned␇" in caplog.messages


def test_a_spreadsheet_carries_nothing_out():
    texts = [
        "=1+1",
        "+1 555 01",
        "-2+3+cmd|' /C calc'!A0",
        "@SUM(1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
    ]
    texts += ["＝1+1", "a\r=1+1", 'a",=1+1', "a;=1"]
    fine = ["-12.5", "+3", "-4%", "a=b", "", "x-y", "-1,5"]
    numbers = pd.Series([-1.5, 2.0], dtype="float64")
    table = pd.DataFrame({"=name": texts, "day": pd.Timestamp("2026-01-01")})
    read = pd.read_csv(StringIO(for_spreadsheet(table)), dtype="str", keep_default_na=False)
    assert list(read) == ["'=name", "day"]
    assert len(read) == len(texts)
    harmless = read["'=name"]
    assert harmless[:9].str.startswith("'").all()
    assert not harmless.str.match(r"\s*[=+@＝-]").any()
    assert harmless[9:].tolist() == ["a\n=1+1", 'a",=1+1', "a;=1"]
    assert set(read["day"]) == {"2026-01-01"}
    for same in (pd.DataFrame({"a": fine}), pd.DataFrame({"a": numbers}), pd.DataFrame({"a": []})):
        assert for_spreadsheet(same) == same.to_csv(index=False, lineterminator="\n")
    kinds = pd.DataFrame({"a": ["=1", None]}).astype("category").assign(b=[True, None], c=[-1, 2])
    assert for_spreadsheet(kinds) == "a,b,c\n'=1,True,-1\n,,2\n"


def test_show_as_csv_is_for_a_spreadsheet_and_a_data_set_is_as_it_was(
    saved, bad, monkeypatch, capsys
):
    words = ["show", "coaching_log.history", saved, "--rep", IDS[0], "--format", "csv"]
    out, code = said_by(monkeypatch, capsys, *words)
    assert code == 0
    read = pd.read_csv(StringIO(out), dtype="str", keep_default_na=False)
    assert not any(read[column].str.match(r"\s*[=+@]").any() for column in read)
    assert salesnb.load(saved).fingerprint == bad.fingerprint


def test_a_name_adds_nothing_to_a_calendar(small):
    name = "Ann\r\nEND:VEVENT\rBEGIN:VALARM\nX:1\x1b\u2028,;\\"
    team = salesnb.Team(small.settings, {**small.tables, "reps": small.reps.assign(name=name)})
    visit = {"rep_id": small.reps["rep_id"].iloc[0], "planned_on": small.as_of, "region": name}
    written = calendar.ics(pd.DataFrame([{**visit, "last_on": pd.NaT}]), team)
    assert not re.search(rb"[^\r]\n|\r[^\n]|\x1b", written)
    lines = written.replace(b"\r\n ", b"").decode().split("\r\n")
    assert lines.count("END:VEVENT") == 1
    assert not [line for line in lines if line.startswith(("BEGIN:VALARM", "X"))]
    (event,) = Calendar.from_ical(written).walk("VEVENT")
    assert str(event["location"]) == "Ann END:VEVENT BEGIN:VALARM X:1 ,;\\"


# Nothing in a file is run

RUNS = {"eval", "exec", "compile", "__import__"}
UNSAFE = {"pickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "yaml"}
UNSAFE_CALLS = {"read_pickle", "load_module", "system", "popen", "literal_eval", "from_string"}
# Own answers from the own cache, checked to be those that were written into a folder of one's own;
# and what the own processes say over a pipe that asks for a key.
PICKLES = {"once.py", "report/nursery.py", "report/workers.py"}


def dangers(source):
    """What in a module could run what it is given."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names} & UNSAFE
        elif isinstance(node, ast.ImportFrom):
            found |= {(node.module or "").partition(".")[0]} & UNSAFE
        elif isinstance(node, ast.Call):
            called = node.func
            found |= {called.id} & RUNS if isinstance(called, ast.Name) else set()
            found |= {called.attr} & UNSAFE_CALLS if isinstance(called, ast.Attribute) else set()
            for option in node.keywords:
                is_on = not (isinstance(option.value, ast.Constant) and option.value.value is False)
                found |= {option.arg} & {"allow_pickle", "shell"} if is_on and option.arg else set()
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_given_is_run(path):
    name = path.relative_to(ROOT / "salesnb").as_posix()
    assert dangers(path.read_text()) == ({"pickle"} if name in PICKLES else set())


@pytest.mark.parametrize(
    "source",
    ["import pickle", "from joblib import load", "import yaml.loader", "eval('1')", "exec(x)",
     "pd.read_pickle(p)", "np.load(p, allow_pickle=True)", "run(c, shell=True)", "os.system(c)"],
)  # fmt: skip
def test_what_could_run_is_found(source):
    assert dangers(source)


class Bomb:
    """Unpickled, it leaves a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_an_answer_that_others_put_into_the_cache_is_not_read(tmp_path):
    went_off, file = tmp_path / "went_off", tmp_path / "cache" / "x.answer"
    file.parent.mkdir(mode=0o700)
    file.write_bytes(bytes(32) + pickle.dumps(Bomb(went_off)))
    assert once._read(file, None) is None
    assert not went_off.exists()
    file.parent.chmod(0o770)
    with pytest.raises(PermissionError):
        once.keep_in(file.parent)


def test_a_parquet_file_carries_nothing_that_runs(small, tmp_path):
    """Neither as a type that is made from a pickle nor as pandas' or Arrow's own metadata."""
    went_off = tmp_path / "went_off"
    team = small.save(tmp_path / "team")
    table = parquet.read_table(team / "coaching.parquet")
    bomb = pickle.dumps(Bomb(went_off))
    kind = {"ARROW:extension:name": "arrow.py_extension_type", "ARROW:extension:metadata": bomb}
    fields = [field.with_metadata(kind) for field in table.schema]
    meta = {"pandas": b'{"index_columns": [], "columns": [], "x": "__import__(\'os\')"}', "x": bomb}
    bad = pa.table(table.columns, schema=pa.schema(fields, metadata=meta))
    parquet.write_table(bad, team / "coaching.parquet")
    stored = parquet.read_metadata(team / "coaching.parquet").metadata
    assert b"arrow.py_extension_type" in base64.b64decode(stored[b"ARROW:schema"])
    assert salesnb.load(team).fingerprint == small.fingerprint
    assert door.edited(team / "coaching.parquet", {(0, "topic"): "Demo"}, [])
    assert not went_off.exists()
