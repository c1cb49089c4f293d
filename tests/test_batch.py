"""A batch through every fault: nothing is lost, nothing made twice, and the index is true."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import nbformat
import pandas as pd
import pytest
from conftest import ROOT
from test_report import save

import salesnb
from salesnb import DataError, door, once, team
from salesnb.report import batch, files, workers
from salesnb.report.outcome import FAILED, MADE, UNCHANGED
from salesnb.report.plan import plan

needs_fork = pytest.mark.skipif(not workers.CAN_FORK, reason="no fork here")
AS_OF = "2026-06-30"
ONE = batch.Options(workers=1)


def people(folder, *ids):
    """A team of these reps, each with two deals."""
    deals = pd.DataFrame({"rep_id": [*ids, *ids]})
    deals["deal_id"] = [f"D{n}" for n in deals.index]
    deals = deals.assign(created_on="2025-03-01", amount="100")
    reps = pd.DataFrame({"rep_id": ids, "name": [f"{rep} Name" for rep in ids]})
    settings = salesnb.team.Settings(as_of=pd.Timestamp(AS_OF), stages=("A", "B"))
    return team.of(settings, {"reps": reps, "deals": deals}).save(folder)


def files_in(folder):
    """Every file, by its place, with its last change."""
    return {
        str(path.relative_to(folder)): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file()
    }


def recorded(folder):
    """What ``run.json`` says of each rep."""
    run = json.loads((folder / AS_OF / "run.json").read_text())
    return run, {each["rep"]: each for each in run["reports"]}


# One run, many faults

FAULTS = (
    ("import os, time\nfrom pathlib import Path\nprint('said', rep)", ["summary"]),
    ("note = Path(os.environ['NOTES'], rep)\nis_first = not note.exists()\nnote.touch()", []),
    ("if rep == 'once' and is_first: os.kill(os.getpid(), 9)", []),
    ("if rep == 'nursery' and is_first: os.kill(os.getppid(), 9)\n", []),
    ("if rep == 'ever': os.kill(os.getpid(), 9)", []),
    ("if rep == 'hangs': time.sleep(60)", ["raises-exception"]),
    ("if rep == 'hogs': held = bytearray(2**30)", []),
    ("if rep == 'errs': 1 / 0", []),
)
FINE = {"fine", "good", "nursery", "once"}


@pytest.fixture(scope="module")
def drilled(tmp_path_factory):
    """A run in which all goes wrong, and its folder."""
    folder = tmp_path_factory.mktemp("drill")
    (folder / "notes").mkdir()
    source = people(folder / "team", *FINE, "ever", "hangs", "hogs", "errs")
    save(folder / "nb", "01_rep", *FAULTS, parameters='rep: str = ""  # who')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NOTES", str(folder / "notes"))
        planned = plan(source, folder / "nb", folder / "out")
        outcomes = batch.run(planned, batch.Options(workers=2, seconds=6, memory=400))
    return folder / "out", {each.job.values["rep"]: each for each in outcomes}


@needs_fork
def test_all_are_accounted_for(drilled):
    _, found = drilled
    assert {rep for rep, each in found.items() if each.status == MADE} == FINE
    assert {rep for rep, each in found.items() if each.status == FAILED} == set(found) - FINE


@needs_fork
def test_whoever_is_killed_is_tried_again_up_to_a_limit(drilled):
    _, found = drilled
    assert found["once"].tries >= 2
    assert found["nursery"].tries >= 2
    assert found["ever"].tries == batch.TRIES
    assert found["errs"].tries == 1, "an error in a notebook comes again"


@needs_fork
def test_the_index_names_the_fault_and_the_cell(drilled):
    out, found = drilled
    assert found["ever"].error.startswith("Its process was killed by SIGKILL.")
    assert "if rep == 'ever'" in found["ever"].error
    assert found["hangs"].error.startswith("Took longer than 6 s.")
    assert "time.sleep(60)" in found["hangs"].error
    assert found["errs"].error.startswith("ZeroDivisionError: division by zero")
    if sys.platform == "linux":
        assert found["hogs"].error.startswith("Asked for more than 400 MiB of memory.")
    assert "bytearray(2**30)" in found["hogs"].error
    html = (out / AS_OF / "index.html").read_text()
    assert "4 of 8 pages could not be made" in html
    assert "still to be made" not in html
    for rep, each in found.items():
        assert (f"Said {rep}" in html) == (rep in FINE)
        assert all((f'href="{page}"' in html) == (rep in FINE) for page in each.job.pages)


@needs_fork
def test_what_a_run_says_to_a_machine(drilled):
    out, found = drilled
    run, reports = recorded(out)
    counts = {name: run[name] for name in ("made", "unchanged", "failed", "waiting", "is_over")}
    assert counts == {"made": 4, "unchanged": 0, "failed": 4, "waiting": 0, "is_over": True}
    assert set(reports) == set(found)
    for rep, each in reports.items():
        assert set(each) == {
            "notebook", "rep", "pages", "status", "tries", "seconds", "cpu_seconds", "peak_mib",
            "inputs", "error",
        }  # fmt: skip
        assert (each["status"], each["notebook"]) == (found[rep].status, "01_rep")
        assert each["seconds"] > 0
        assert bool(each["error"]) == (rep not in FINE)
    assert reports["fine"]["cpu_seconds"] > 0
    assert reports["fine"]["peak_mib"] > 50
    assert reports["ever"]["peak_mib"] is None, "nobody could measure it"


@needs_fork
def test_nothing_is_left_lying_about(drilled):
    out, found = drilled
    pages = {page for rep in FINE for page in found[rep].job.pages}
    assert set(files_in(out / AS_OF)) == {*pages, "index.html", "run.json"}


# Only what changed


@pytest.fixture(scope="module")
def made(crew, tmp_path_factory):
    """A team of two, pages of both and one of the team."""
    folder = tmp_path_factory.mktemp("made")
    people(folder / "team", "a", "b")
    save(folder / "nb", "01_rep", ("print(rep)\n1 + 1", []), parameters='rep: str = ""  # who')
    save(folder / "nb", "02_team", ("2", []))
    path = folder / "nb" / "01_rep.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata["salesnb"] = {"own_rows": ["deals"]}
    nbformat.write(notebook, path)
    assert statuses(batch.run(planned(folder), ONE, crew)) == [MADE] * 3
    return folder


def planned(folder, output="out", **options):
    return plan(folder / "team", folder / "nb", folder / output, **options)


def statuses(outcomes):
    return [each.status for each in outcomes]


def test_what_did_not_change_is_not_made_again(made, monkeypatch):
    monkeypatch.setattr(batch, "crew", None)  # nothing is even started
    before = files_in(made / "out" / AS_OF / "rep")
    assert statuses(batch.run(planned(made), ONE)) == [UNCHANGED] * 3
    assert files_in(made / "out" / AS_OF / "rep") == before
    run, _ = recorded(made / "out")
    assert (run["unchanged"], run["is_over"]) == (3, True)


def test_only_what_changed_is_made_again(made, crew, tmp_path):
    folder = shutil.copytree(made, tmp_path / "own")
    known = salesnb.load(folder / "team")
    deals = known.deals.assign(amount=known.deals["amount"].where(known.deals["rep_id"] == "a", 7))
    shutil.rmtree(folder / "team")
    replace(known, tables={**known.tables, "deals": deals}).save(folder / "team")
    before = files_in(folder / "out" / AS_OF / "rep")
    assert statuses(batch.run(planned(folder), ONE, crew)) == [UNCHANGED, MADE, MADE]
    after = files_in(folder / "out" / AS_OF / "rep")
    assert {name for name in after if after[name] != before[name]} == {"b.html", "b.manager.html"}
    run, reports = recorded(folder / "out")
    assert (run["unchanged"], reports["a"]["tries"], reports["b"]["tries"]) == (1, 0, 1)


def waiting(folder, options=ONE, **given):
    """The numbers of the jobs that a run would do."""
    return [*batch._Batch(planned(folder, **given), options).waiting]


def test_what_makes_a_page_be_made_again(made, tmp_path, monkeypatch):
    folder = shutil.copytree(made, tmp_path / "own")
    assert waiting(folder) == []
    assert waiting(folder, replace(ONE, is_forced=True)) == [0, 1, 2]
    page = folder / "out" / AS_OF / "rep" / "a.html"
    whole = page.read_text()
    page.write_text(
        whole.replace('name="salesnb-inputs" content="', 'name="salesnb-inputs" content="0')
    )
    assert waiting(folder) == [0], "made from something else"
    page.unlink()
    assert waiting(folder) == [0], "one of its two pages is gone"
    page.write_text(whole)
    save(folder / "nb", "02_team", ("3", []))
    assert waiting(folder) == [2], "another notebook"
    monkeypatch.setattr(once, "code", lambda: "another version")
    assert waiting(folder) == [0, 1, 2]


def test_what_failed_by_force_is_named(tmp_path):
    forced = replace(ONE, is_forced=True)
    people(tmp_path / "team", "a")
    save(tmp_path / "nb", "02_team", ("2", []))
    (begun,) = batch._Batch(planned(tmp_path), forced).outcomes
    assert begun.title == "02_team"


def test_without_a_fork_the_pages_are_the_same(made):
    ahead = planned(made, "ahead", reps=["a"], only=["rep"])
    batch.run(ahead, replace(ONE, is_forking=False))
    for name in ahead.jobs[0].pages:
        first = (made / "out" / AS_OF / name).read_text()
        assert (ahead.folder / name).read_text() == first


@needs_fork
def test_others_wait_for_a_notebooks_first_report(crew, tmp_path, monkeypatch):
    people(tmp_path / "team", "a", "b", "c")
    save(tmp_path / "nb", "01_rep", ("print(rep)", []), parameters='rep: str = ""  # who')
    ours = planned(tmp_path)
    first, second, third = ours.jobs
    assert crew.is_ready_for(first)
    crew.begin(0, first, ours)
    assert not crew.is_ready_for(second), "it would work out the same for the team once more"
    assert [key for key, _ in crew.told()] == [0]
    assert crew.is_ready_for(second)
    crew.begin(1, second, ours)
    assert crew.is_ready_for(third)
    assert [key for key, _ in crew.told()] == [1]
    monkeypatch.setattr("salesnb.report.crew.PATIENCE", 0.0)
    save(tmp_path / "other", "01_rep", ("print(rep)", []), parameters='rep: str = ""  # who')
    others = plan(tmp_path / "team", tmp_path / "other", tmp_path / "out")
    crew.begin(2, others.jobs[0], others)
    assert crew.is_ready_for(others.jobs[1]), "but not for ever: it may hang"
    assert [key for key, _ in crew.told()] == [2]


# Stopped, and started again

PACE = 'import time\ntime.sleep(0.3 if rep < "e" else 1.5)'
CLI = [sys.executable, "-c", "from salesnb.cli import main; main()", "report"]


@pytest.fixture
def paced(tmp_path):
    """The command for eight reps; half of them take their time."""
    source = people(tmp_path / "team", *"abcdefgh")
    save(tmp_path / "nb", "01_rep", (PACE, []), parameters='rep: str = ""  # who')
    command = [*CLI, source, "--notebooks", tmp_path / "nb", "--output", tmp_path / "out"]
    return [str(each) for each in [*command, "--workers", "1", "--no-cache"]], tmp_path / "out"


def started(command):
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)


def until(n, folder):
    """Wait until so many pages are there."""
    for _ in range(3000):
        if len([*folder.glob(f"{AS_OF}/rep/*.html")]) >= n:
            return
        time.sleep(0.05)
    raise AssertionError("no pages come")


@needs_fork
@pytest.mark.skipif(sys.platform != "linux", reason="children end with their parent")
def test_a_run_that_is_stopped_goes_on_where_it_was(paced):
    command, out = paced
    run = started(command)
    until(4, out)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=60)
    assert (run.returncode, said.splitlines()[-1][:8]) == (130, "Stopped.")
    assert "Traceback" not in said
    content, reports = recorded(out)
    assert content["is_over"] is False
    stopped = files_in(out / AS_OF)
    made = {rep for rep, each in reports.items() if each["status"] in (MADE, UNCHANGED)}
    assert made >= {
        rep for rep in "abcdefgh" if {f"rep/{rep}.html", f"rep/{rep}.manager.html"} <= set(stopped)
    }
    assert len(made) >= 2
    index = (out / AS_OF / "index.html").read_text()
    assert f"{8 - len(made)} of 8 are still to be made" in index
    assert {rep for rep in "abcdefgh" if f'href="rep/{rep}.html"' in index} == made
    check_whole(stopped, out)

    left = out / AS_OF / "rep" / f".x-12345678{door.ASIDE}"
    left.mkdir()
    (left / "x.html").write_text("half a page")
    run = started(command)
    run.communicate(timeout=120)
    assert run.returncode == 0
    content, reports = recorded(out)
    assert content["made"] + content["unchanged"] == 8
    assert content["unchanged"] >= len(made)
    over = files_in(out / AS_OF)
    wanted = {f"rep/{rep}{copy}.html" for rep in "abcdefgh" for copy in ("", ".manager")}
    assert set(over) == {*wanted, "index.html", "run.json"}
    stood = {page for each in reports.values() if each["status"] == UNCHANGED
             for page in each["pages"]}  # fmt: skip
    assert all(over[page] == stopped[page] for page in stood), "what stood was not made again"
    check_whole(over, out)


def check_whole(names, out):
    for name in names:
        assert door.ASIDE not in name
        assert not name.endswith(".lock")
        if name.endswith(".html"):
            assert (out / AS_OF / name).read_text().rstrip().endswith("</html>")


def test_one_run_at_a_time_writes_into_a_folder(tmp_path):
    with files.alone(tmp_path / "out"):
        with pytest.raises(DataError, match="Another run"), files.alone(tmp_path / "out"):
            pass
        assert [path.name for path in (tmp_path / "out").iterdir()] == [".lock"]
    with files.alone(tmp_path / "out"):
        pass
    assert not [*(tmp_path / "out").iterdir()]


# A full disk

FULL = """
mount -t tmpfs -o size=400k none "$1" || exit 99
head -c 335k /dev/zero > "$1/ballast"
shift
"$@"; echo "$?" >> "$OUT/codes"
cp -r "$OUT"/pages "$OUT"/full
rm "$OUT"/pages/ballast
"$@"; echo "$?" >> "$OUT/codes"
cp -r "$OUT"/pages "$OUT"/freed
"""


@needs_fork
@pytest.mark.skipif(not shutil.which("unshare"), reason="needs unshare, for a disk of its own")
def test_a_full_disk(tmp_path):
    source = people(tmp_path / "team", *"abcdef")
    save(tmp_path / "nb", "01_rep", ("print(rep)", []), parameters='rep: str = ""  # who')
    pages = tmp_path / "pages"
    pages.mkdir()
    command = [*CLI, source, "--notebooks", tmp_path / "nb", "--output", pages, "--no-cache"]
    own = ["unshare", "-rm", "sh", "-c", FULL, "sh", pages, *command, "--workers", "1"]
    env = os.environ | {"PYTHONPATH": str(ROOT), "OUT": str(tmp_path)}
    done = subprocess.run(list(map(str, own)), env=env, capture_output=True, text=True)
    if not (tmp_path / "codes").exists():
        pytest.skip(f"needs a disk of its own: {done.stderr.strip()}")
    assert "Traceback" not in done.stderr
    full, freed = (tmp_path / "codes").read_text().split()
    assert full in ("1", "3"), "pages could not be written, and perhaps neither could the index"
    assert "No space left on device" in done.stderr + json.dumps(recorded(tmp_path / "full"))
    check_whole(files_in(tmp_path / "full" / AS_OF), tmp_path / "full")
    before = {
        path.stem.removesuffix(".manager") for path in (tmp_path / "full").rglob("rep/*.html")
    }
    assert 0 < len(before) < 6
    assert freed == "0"
    again, _ = recorded(tmp_path / "freed")
    assert again["unchanged"] + again["made"] == 6
    assert 0 < again["unchanged"] <= len(before)
    assert len([*(tmp_path / "freed").rglob("*.html")]) == 6 * 2 + 1


@pytest.fixture
def on_a_disk_that_fills(tmp_path, monkeypatch):
    """Report on a disk that takes so many files."""
    from typer.testing import CliRunner

    from salesnb.cli import app

    def run(n_files):
        room, sync = iter(range(n_files)), os.fsync

        def full(file):
            if next(room, None) is None:
                raise OSError(28, "No space left on device")
            sync(file)

        source = people(tmp_path / "team", "a")
        save(tmp_path / "nb", "01_team", ("1", []))
        monkeypatch.setattr(files.os, "fsync", full)
        where = ["--notebooks", str(tmp_path / "nb"), "--output", str(tmp_path / "out")]
        done = CliRunner().invoke(app, ["report", str(source), *where, "--workers", "1"])
        return done, [path for path in (tmp_path / "out").rglob("*") if path.is_file()]

    return run


def test_where_nothing_can_be_written_no_page_is_made(on_a_disk_that_fills):
    done, written = on_a_disk_that_fills(0)
    assert isinstance(done.exception, DataError)
    said = str(done.exception)
    assert "cannot be written to: [Errno 28] No space left on device" in said
    assert said.endswith("Name another folder with --output.")
    assert not written


def test_an_index_that_cannot_be_written_is_an_error(on_a_disk_that_fills):
    done, written = on_a_disk_that_fills(2)  # run.json and the index, as the run begins
    assert done.exit_code == 3
    assert "The index could not be written: [Errno 28] No space left on device" in done.output
    assert {path.name for path in written} >= {"run.json", "index.html"}
