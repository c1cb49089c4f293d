"""Reports made by a Dask cluster: a real scheduler, real workers, and what becomes of them."""

import json
import os
import pickle
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from threading import Thread

import psutil
import pytest
from conftest import ROOT
from distributed import Client
from test_report import save

from salesnb import DataError, cli
from salesnb.report import batch, cluster, making
from salesnb.report.outcome import FAILED, MADE
from salesnb.report.plan import plan

DASK = str(Path(sys.executable).with_name("dask"))
QUIET = ["--no-dashboard", "--host", "127.0.0.1"]


@contextmanager
def running(*words):
    """A process of its own, ended at the end in whatever state it is."""
    env = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(words, env=env, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def scheduler(folder):
    file = folder / "scheduler.json"
    with running(DASK, "scheduler", *QUIET, "--port", "0", "--scheduler-file", file) as process:
        wait_until(file.exists)
        wait_until(file.read_text)
        yield json.loads(file.read_text())["address"], process


def worker(address):
    return running(DASK, "worker", address, *QUIET, "--no-nanny", "--nthreads", "1")


def wait_until(is_so, seconds=240):
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


@contextmanager
def two_workers(folder):
    with ExitStack() as running_:
        address, _ = running_.enter_context(scheduler(folder))
        for _ in range(2):
            running_.enter_context(worker(address))
        with Client(address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=240)
        yield address


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with two_workers(tmp_path_factory.mktemp("cluster")) as address:
        yield address


@pytest.fixture(scope="module")
def source(small, tmp_path_factory):
    return small.save(tmp_path_factory.mktemp("team") / "team")


@pytest.fixture
def planned(source, tmp_path):
    """A page per rep; each leaves a line of who was made by which crew, and waits to be let go."""
    log, go = tmp_path / "made.log", tmp_path / "go"
    cell = f"""
    import os, pathlib, time
    open({str(log)!r}, "a").write(f"{{rep}} {{os.getppid()}}\\n")
    while not pathlib.Path({str(go)!r}).exists():
        time.sleep(0.02)
    print("Page of", rep)
    """
    save(tmp_path / "nb", "01_rep", (dedent(cell), ["summary"]), parameters='rep: str = ""  # who')
    return plan(source, tmp_path / "nb", tmp_path / "out")


def let_go(planned):
    (planned.folder.parents[1] / "go").touch()


def lines(planned):
    log = planned.folder.parents[1] / "made.log"
    return [line.split() for line in log.read_text().splitlines()] if log.exists() else []


def is_whole(planned, outcomes):
    """Whether all pages are there, and index and run.json tell it."""
    run = json.loads((planned.folder / "run.json").read_text())
    index = (planned.folder / "index.html").read_text()
    pages = [name for job in planned.jobs for name in job.pages]
    assert {each.status for each in outcomes} == {MADE}
    assert run["is_over"]
    assert run["made"] == len(planned.jobs)
    assert "still to be made" not in index
    for name in pages:
        assert (planned.folder / name).read_text().endswith("</html>")
        assert f'href="{name}"' in index
    left = {path.suffix for path in planned.folder.rglob("*") if path.is_file()}
    assert left == {".html", ".json"}


def test_only_names_go_through_the_scheduler(planned):
    frame = replace(planned, jobs=())
    assert max(len(pickle.dumps((job, frame))) for job in planned.jobs) < 10_000


def test_a_worker_that_is_killed_loses_nothing(address, crew, planned):
    with worker(address) as victim, Client(address, set_as_default=False) as client:
        client.wait_for_workers(3, timeout=240)
        family = []

        def kill():
            try:
                wait_until(lambda: crews(planned) & children(victim))
                wait_until(lambda: len(crews(planned)) == 3)
                family.extend(psutil.Process(victim.pid).children(recursive=True))
                victim.send_signal(signal.SIGKILL)
                wait_until(lambda: not any(each.is_running() for each in family))
            finally:
                let_go(planned)

        killer = Thread(target=kill)
        killer.start()
        options = batch.Options(dask=address)
        outcomes = batch.run(planned, options)
        killer.join()
    assert len(family) >= 2, "a crew, and a report that it was at"
    is_whole(planned, outcomes)
    n_begun = Counter(rep for rep, _ in lines(planned))
    assert set(n_begun) == {job.values["rep"] for job in planned.jobs}
    assert sorted(n_begun.values()) == [1] * (len(planned.jobs) - 1) + [2], "that one alone, again"
    is_the_same_as_here(planned, outcomes, options, crew)


def is_the_same_as_here(planned, outcomes, options, crew):
    """What a cluster made: it stands, is not made again, and is what one machine makes."""
    assert {each.status for each in batch.run(planned, options)} == {"unchanged"}
    frame = replace(planned, jobs=())
    for before in outcomes:  # as when a worker is lost before it could say that all was done
        assert making.make(before.job, frame).line == before.line
    assert len(lines(planned)) == len(planned.jobs) + 1
    here = replace(planned, folder=planned.folder.parent / "here")
    batch.run(here, batch.Options(workers=1), crew)
    for name in (name for job in planned.jobs for name in job.pages):
        assert (here.folder / name).read_bytes() == (planned.folder / name).read_bytes()


def crews(planned):
    return {crew for _, crew in lines(planned)}


def children(process):
    return {str(each.pid) for each in psutil.Process(process.pid).children()}


def test_limits_and_errors_are_told_as_on_one_machine(address, source, tmp_path):
    save(tmp_path / "nb", "01_good", ("print('fine')", []))
    save(tmp_path / "nb", "02_bad", ("1 / 0", []))
    save(tmp_path / "nb", "03_late", ("import time\ntime.sleep(60)", []))
    save(tmp_path / "nb", "04_dies", ("import os, signal\nos.kill(os.getpid(), 9)", []))
    planned = plan(source, tmp_path / "nb", tmp_path / "out")
    options = batch.Options(dask=address, seconds=3, is_forced=True)
    good, bad, late, dies = batch.run(planned, options)
    assert good.status == MADE
    assert "ZeroDivisionError" in bad.error
    assert "Took longer than 3 s" in late.error
    assert "killed by SIGKILL" in dies.error
    assert "os.kill(os.getpid(), 9)" in dies.error
    assert [each.tries for each in (good, bad, late, dies)] == [1, 1, 1, batch.TRIES]


@pytest.fixture(scope="module")
def forlorn(tmp_path_factory):
    """A scheduler without workers, which one test kills: those that want it alive come before."""
    with scheduler(tmp_path_factory.mktemp("forlorn")) as started:
        yield started


def test_a_scheduler_without_workers_is_told(monkeypatch, forlorn, planned):
    address, _ = forlorn
    monkeypatch.setattr(cluster, "ANSWER", 2)
    with pytest.raises(DataError, match="dask worker tcp"):
        batch.run(planned, batch.Options(dask=address))


def test_a_scheduler_that_is_lost_ends_the_run(forlorn, planned):
    address, process = forlorn
    with worker(address):

        def kill():
            wait_until(lambda: lines(planned))
            process.kill()
            let_go(planned)

        Thread(target=kill).start()
        outcomes = batch.run(planned, batch.Options(dask=address))
    assert "lost with the scheduler" in " ".join(each.error for each in outcomes)
    run = json.loads((planned.folder / "run.json").read_text())
    assert run["is_over"]
    assert run["failed"] == sum(each.status == FAILED for each in outcomes) > 0


def test_workers_of_this_machine_by_number(planned):
    let_go(planned)
    few = replace(planned, jobs=planned.jobs[:2])
    is_whole(few, batch.run(few, batch.Options(dask="local:1")))


def test_other_data_or_code_elsewhere_are_told(source, tmp_path):
    save(tmp_path / "nb", "01_team", ("1", []), parameters='data: str = ""  # which')
    planned = plan(source, tmp_path / "nb", tmp_path / "out")
    gone = replace(planned.jobs[0], notebook=tmp_path / "nowhere.ipynb")
    for other, said in (
        (replace(planned, data="other"), "The data have changed"),
        (replace(planned, code="other"), "Another version of salesnb"),
        (replace(planned, jobs=(gone,)), "There is no .*nowhere.ipynb on"),
        (replace(planned, source=str(tmp_path / "no team")), "There is no folder .*no team"),
    ):
        (job,) = other.jobs
        assert re.search(said, making.make(job, other).line["error"])


@pytest.mark.parametrize(
    ("dask", "output", "said"),
    [
        ("somewhere", "out", "expected tcp://"),
        ("local:none", "out", "expected tcp://"),
        ("tcp://127.0.0.1:1", "out", "No Dask scheduler answers at tcp://127.0.0.1:1"),
        ("local:1", "memory://out", "one process only"),
    ],
)
def test_what_is_no_cluster_is_told(monkeypatch, capsys, source, tmp_path, dask, output, said):
    monkeypatch.setattr(cluster, "ANSWER", 0.5)
    assert said in refused(monkeypatch, capsys, source, tmp_path, dask, output)
    assert not (tmp_path / "out").exists()


def refused(monkeypatch, capsys, source, tmp_path, dask, output="out"):
    save(tmp_path / "nb", "01_good", ("print('fine')", []))
    monkeypatch.chdir(tmp_path)
    words = ["--notebooks", "nb", "--output", output, "--dask", dask]
    monkeypatch.setattr(sys, "argv", ["salesnb", "report", str(source), *words])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    return capsys.readouterr().err


def test_without_dask_it_says_what_to_install(monkeypatch, capsys, source, tmp_path):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "salesnb.report.cluster")
    monkeypatch.delattr("salesnb.report.cluster")
    assert "salesnb[dask]" in refused(monkeypatch, capsys, source, tmp_path, "local:2")
