"""The command line: what is typed, what comes out, and how mistakes are told."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from conftest import ROOT

from salesnb import cli, verbs


@pytest.fixture(scope="module")
def folder(small, tmp_path_factory):
    return small.save(tmp_path_factory.mktemp("cli") / "team")


def salesnb(capsys, monkeypatch, *words):
    """What a command prints, says on stderr, and its exit code."""
    monkeypatch.setattr(sys, "argv", ["salesnb", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr()
    return said.out, said.err, end.value.code


@pytest.fixture
def run(capsys, monkeypatch):
    return lambda *words: salesnb(capsys, monkeypatch, *words)


def test_help_does_not_wait_for_pandas():
    slow = "('pandas', 'duckdb', 'matplotlib')"
    code = f"import sys, salesnb.cli; print([m for m in {slow} if m in sys.modules])"
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert time.perf_counter() - started < 5


def test_show_alone_lists_every_verb_with_its_question(run):
    out, _, code = run("show")
    assert code == 0
    words = " ".join(out.split())
    for name, verb in verbs.find().items():
        assert name in out
        assert verbs.first_line(verb).split()[0] in words


@pytest.mark.parametrize("name", sorted(verbs.find()))
def test_every_verb_has_a_page_of_help(run, name):
    out, _, code = run("show", name, "--help")
    assert code == 0
    for parameter in verbs.options(verbs.find()[name]):
        assert f"--{parameter.name.replace('_', '-')}" in out


def test_a_verb_as_text_csv_json_and_parquet(run, folder, small, tmp_path):
    want = verbs.find()["funnel.conversion"](small)
    out, err, code = run("show", "funnel.conversion", folder)
    assert (out, err, code) == (f"{want}\n", "", 0)
    out, _, _ = run("show", "funnel.conversion", folder, "--format", "csv")
    assert out == want.table.to_csv(index=False)
    out, _, _ = run("show", "funnel.conversion", folder, "--format", "json")
    assert json.loads(out)["headline"] == want.headline
    assert len(json.loads(out)["table"]) == len(want.table)
    file = tmp_path / "new" / "answer.parquet"
    _, _, code = run("show", "funnel.conversion", folder, "--format", "parquet", "--output", file)
    assert code == 0
    assert list(pd.read_parquet(file)) == list(want.table)


def test_options_reach_the_verb(run, folder, small):
    rep = small.reps["rep_id"].iloc[0]
    out, _, _ = run("show", "coaching.questions", folder, "--rep", rep)
    assert out == f"{verbs.find()['coaching.questions'](small, rep)}\n"
    assert "listen_for" not in out
    out, _, _ = run("show", "coaching.questions", folder, "--rep", rep, "--no-listen-for")
    assert "Listen for" not in out


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["shw"], "Did you mean 'show'"),
        (["show", "funnel.conversoin"], "funnel.conversion"),
        (["show", "funnel.conversion", "FOLDER", "--rpe", "x"], "--rep"),
        (["show", "funnel.conversion", "FOLDER", "--rep", "R001"], "Did you mean"),
        (["show", "funnel.conversion", "FOLDER", "--format", "cvs"], "csv"),
        (["show", "funnel.conversion", "FOLDER", "--format", "parquet"], "--output"),
        (["show", "funnel.conversion", "FOLDRE"], "Did you mean"),
        (["check", "FOLDRE"], "Did you mean"),
        (["report", "FOLDER", "--notebook", "funel"], "02_funnel"),
        (["report", "FOLDER", "--rep", "R001"], "Did you mean"),
        (["report", "FOLDER", "-p", "mnths=3"], "notebook parameter"),
        (["report", "FOLDER", "-p", "months"], "NAME=VALUE"),
        (["report", "FOLDER", "-p", "per_year=six"], "found 'six', expected a whole number"),
        (["import", "maven"], "salesnb import hubspot"),
        (["lab"], "salesnb new"),
        (["report", "FOLDER", "--notebooks", "nowhere"], "--notebooks"),
    ],
)
def test_a_mistake_is_told_with_a_suggestion(run, folder, tmp_path, monkeypatch, words, hint):
    monkeypatch.chdir(ROOT if words[0] == "report" else tmp_path)
    places = {"FOLDER": folder, "FOLDRE": folder.with_name("taem")}
    out, err, code = run(*[places.get(word, word) for word in words])
    assert code == 2
    assert hint in err
    assert "Traceback" not in out + err


def test_bad_data_is_told_without_a_traceback(planning, run, folder, tmp_path):
    (tmp_path / "team.toml").write_text((folder / "team.toml").read_text())
    (tmp_path / "reps.csv").write_text("rep_id,name\nR1,Ann\n")
    (tmp_path / "deals.csv").write_text("deal_id,rep_id,created_on\nD1,R9,2026-13-01\n")
    for words in (
        ["check", tmp_path],
        ["show", "funnel.conversion", tmp_path],
        ["report", tmp_path],
    ):
        out, err, code = run(*words)
        assert code == 2
        assert out == ""
        assert "R9" in err
        assert "2026-13-01" in err
        assert "Traceback" not in err


def test_check_says_what_a_data_set_holds(run, folder):
    out, _, code = run("check", folder)
    assert code == 0
    assert "deals" in out


def test_simulate_writes_a_team_that_checks(run, tmp_path):
    words = ["--seed", "3", "--reps", "3", "--deals-per-rep", "10", "--months", "6"]
    out, _, code = run("simulate", tmp_path / "made", *words)
    assert code == 0
    assert out.strip() == str(tmp_path / "made")
    assert run("check", tmp_path / "made")[2] == 0
    assert run("simulate", tmp_path / "made", *words)[2] == 2, "nothing is written over"
    of_all = ["--seed", "3", "--reps", "3", "--deals", "30", "--months", "6"]
    run("simulate", tmp_path / "same", *of_all)
    for path in (tmp_path / "same").iterdir():
        assert path.read_bytes() == (tmp_path / "made" / path.name).read_bytes(), path.name


def test_import_writes_a_team_that_checks(run, maven_source, tmp_path):
    out, _, code = run("import", "maven", maven_source, tmp_path / "maven")
    assert code == 0
    assert "deals" in out
    assert run("check", tmp_path / "maven")[2] == 0
    assert run("import", "mavne", maven_source, tmp_path / "other")[2] == 2


def test_the_command_is_installed():
    command = Path(sys.executable).with_name("salesnb")
    done = subprocess.run([command, "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    for name in ("import", "check", "show", "report", "log", "simulate"):
        assert name in done.stdout
