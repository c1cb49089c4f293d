"""What is installed: all that the commands need, found from a folder outside the repository."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml
from conftest import ROOT

import salesnb
from salesnb import DataError, cli, importers, workspace

OUTSIDE = {"PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}


def python(code, where, **variables):
    """What a program prints that runs in another folder."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=where,
        env=os.environ | OUTSIDE | variables,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    words = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", f"--wheel-dir={folder}"]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *words, ROOT], check=True)
    (built,) = folder.glob("salesnb-*.whl")
    return built


def test_the_wheel_holds_the_package_and_the_notebooks_and_nothing_else(wheel):
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "salesnb").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    notebooks = {f"salesnb/notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    held = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert len(notebooks) > 10
    assert held == package | notebooks
    assert wheel.name.startswith(f"salesnb-{salesnb.__version__}-py3")


def test_the_installed_package_finds_its_notebooks_from_anywhere(wheel, tmp_path):
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    ZipFile(wheel).extractall(site)
    code = "from salesnb.workspace import notebooks; print(*sorted(notebooks().glob('*')))"
    found = python(code, elsewhere, PYTHONPATH=str(site)).split()
    assert [Path(each).name for each in found] == sorted(
        path.name for path in (ROOT / "notebooks").glob("*.ipynb")
    )
    assert {Path(each).parent for each in found} == {site / "salesnb" / "notebooks"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return workspace.lay_out(tmp_path_factory.mktemp("new") / "myteam")


def test_a_new_folder_has_notebooks_a_demo_and_tables_to_fill(folder, demo, monkeypatch):
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        assert (folder / "notebooks" / path.name).read_bytes() == path.read_bytes()
    assert salesnb.load(folder / "data" / "demo").fingerprint == demo.fingerprint
    with pytest.raises(DataError, match=r"^1 fault.*\n.*as_of"):
        salesnb.load(folder / "data" / "mine")
    monkeypatch.chdir(folder)
    assert workspace.notebooks() == workspace.own_notebooks() == Path("notebooks")


def test_its_readme_names_commands_that_there_are(folder):
    text = (folder / "README.md").read_text(encoding="utf-8")
    known = {command.name or command.callback.__name__ for command in cli.app.registered_commands}
    named = set(re.findall(r"`salesnb (\w+)", text))
    assert {"report", "check", "lab", "import"} <= named <= known


def test_its_mapping_reads_one_file_of_deals(folder, tmp_path):
    (tmp_path / "deals.csv").write_text(
        "Owner,Company,Value,Created,Lead,Qualified,Demo,Offer,Closed,Status,Lost reason\n"
        "Ann Smith,Acme,1200.50,2026-01-05,2026-01-05,2026-01-12,,,2026-02-01,Lost,Price\n"
        "Bo Li,Acme,800,2026-02-01,2026-02-01,2026-02-03,2026-02-10,2026-03-01,2026-03-09,Won,\n"
        "Bo Li,Zen,,2026-06-01,2026-06-01,,,,,Open,\n"
    )
    done = importers.run(folder / workspace.MAPPING, tmp_path / "deals.csv", tmp_path / "ours")
    assert set(done.team.names.values()) == {"Ann Smith", "Bo Li"}
    assert done.team.deals["amount"].to_list()[:2] == [1200.5, 800]
    assert done.team.deals["outcome"].fillna("").to_list() == ["lost", "won", ""]
    entered = done.team.stage_changes.groupby("stage").size()
    assert entered[list(done.team.stages)].to_list() == [3, 2, 1, 1]


def test_its_mapping_reads_a_roster_a_history_and_activities_too(folder, tmp_path):
    whole = (folder / workspace.MAPPING).read_text(encoding="utf-8")
    head, _, more = whole.partition("# More than one file")
    head = head.replace('{ row = "D" }', '"Deal number"')
    sections = re.split(r"(?m)^(?=\[)", head)
    kept = [each for each in sections if not each.startswith(("[reps]", "[[stage_changes]]"))]
    taken = re.findall(r"(?m)^# (\[.*|[\w.]+ = .*)", more)
    (tmp_path / "map.toml").write_text("\n".join([*kept, *taken]), encoding="utf-8")
    files = tmp_path / "export"
    files.mkdir()
    for name, text in {
        "deals": "Deal number,Owner,Company,Value,Created,Closed,Status,Lost reason\n"
        "7,Ann Smith,Acme,1200.50,2026-01-05,2026-02-01,Lost,Price\n"
        "9,Bo Li,Zen,,2026-06-01,,Open,\n",
        "reps": "Rep,Hired,Left,Role,Region\nAnn Smith,2020-01-01,2026-03-01,,N\nBo Li,,,,\n",
        "stage_history": "Deal number,Stage,Entered\n7,Lead,2026-01-05\n7,Presentation,2026-01-09\n"
        "7,Closed lost,2026-02-01\n9,Lead,2026-06-01\n",
        "activities": "Owner,Deal number,Type,Created,Date,Result\n"
        "Ann Smith,7,Call,,2026-01-06,\nBo Li,9,Meeting,2026-06-02,2026-06-05,No show\n",
    }.items():
        (files / f"{name}.csv").write_text(text)
    team = importers.run(tmp_path / "map.toml", files, tmp_path / "ours").team
    assert team.reps["left_on"].notna().to_list() == [True, False]
    assert team.stage_changes["stage"].to_list() == ["Lead", "Demo", "Lead"]
    assert team.activities["outcome"].fillna("").to_list() == ["", "no_show"]


def test_nothing_is_written_over(folder, tmp_path):
    with pytest.raises(DataError, match="exists already; choose a new folder"):
        workspace.lay_out(folder)
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(DataError, match="exists already"):
        workspace.lay_out(tmp_path)
    with pytest.raises(DataError, match="exists already"):
        workspace.lay_out(tmp_path / "note.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


def test_jupyterlab_wants_a_folder_with_notebooks_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert workspace.notebooks() == ROOT / "notebooks"
    with pytest.raises(DataError, match="salesnb new"):
        workspace.own_notebooks()


def test_it_says_its_version(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["salesnb", "--version"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert (capsys.readouterr().out, end.value.code) == (f"salesnb {salesnb.__version__}\n", 0)


def test_who_cites_it_knows_whom(tmp_path):
    said = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert said["license"] == project["license"]
    assert said["authors"] == [{"name": "The salesnb authors"}]
    assert {"cff-version", "message", "title"} <= set(said)


# Modules and functions that only Unix has: where they are missing, everything still loads.
ELSEWHERE = """
import builtins, os, pkgutil, signal
UNIX = {"fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"}
real = builtins.__import__
def imported(name, names=None, *rest, **more):
    if name in UNIX and str((names or {}).get("__name__")).startswith("salesnb"):
        raise ImportError(name)
    return real(name, names, *rest, **more)
builtins.__import__ = imported
for name in ("fork", "getuid", "killpg", "setpgid", "setsid", "O_NOFOLLOW"):
    delattr(os, name)
for name in ("SIGALRM", "setitimer"):
    delattr(signal, name)
import salesnb
for module in pkgutil.walk_packages(salesnb.__path__, "salesnb."):
    real(module.name)
from salesnb.once import keep_in
from salesnb.report import workers
keep_in("answers")
print(workers.CAN_FORK)
"""


def test_everything_loads_where_there_is_no_unix(tmp_path):
    assert python(ELSEWHERE, tmp_path, PYTHONPATH=str(ROOT)).strip() == "False"
