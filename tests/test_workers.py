"""Tasks in processes of their own: whatever becomes of one is told, and the others go on."""

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tasks

from salesnb.report import nursery, task, workers
from salesnb.report.task import Ended, Limits
from salesnb.report.workers import Workers

pytestmark = pytest.mark.skipif(not workers.CAN_FORK, reason="no fork here")
linux = pytest.mark.skipif(sys.platform != "linux", reason="what the system tells of processes")
KILLED = "was killed by SIGKILL"
NONE = Limits()
GONE = "could not be started, or was stopped from outside"


@pytest.fixture(scope="module", autouse=True)
def _importable():
    """Workers find the tasks of the tests."""
    here = Path(__file__).parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, [here, here.parent])))
        yield


@pytest.fixture(scope="module")
def crew(_importable):
    """One for all: whatever became of the tasks before, it goes on."""
    with Workers(tasks.warm) as crew:
        yield crew


@pytest.fixture(scope="module")
def ahead(_importable):
    """The same where nothing is forked."""
    with Workers(tasks.warm, is_forking=False) as crew:
        yield crew


def run(crew, *given, limits=NONE):
    """What became of a task; another that is under way meanwhile must come to its end."""
    crew.start("it", *given, limits=limits)
    crew.start("other", tasks.add, 1, 1)
    found = ends(crew)
    assert found["other"].value == 2
    return found["it"]


def ends(crew):
    """What became of each task under way, by its key."""
    return {key: told for key, told in crew.told() if isinstance(told, Ended)}


def is_gone(pid):
    """Whether a process has ended, or does so soon."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def offspring(pid):
    """The processes that another has started, and theirs."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [*listed, *(each for child in listed for each in offspring(child))]


# What a task can come to


def test_a_value(crew):
    told = run(crew, tasks.add, 2, 3)
    assert (told.value, told.failure, told.is_late) == (5, "", False)
    assert told.seconds > 0
    assert told.cpu > 0
    assert told.peak > 1


def test_an_exception_is_told_with_its_place(crew):
    told = run(crew, tasks.fail)
    assert told.value is None
    assert "in fail" in told.failure
    assert "ValueError: no such luck" in told.failure


@pytest.mark.parametrize(
    ("task", "failure"),
    [
        (tasks.leave, "SystemExit: that is all"),
        (tasks.stop_at_once, "ended without a word (exit code 3)"),
        (tasks.unsayable, "could not be told"),
        (tasks.unreadable, "told what cannot be read: RuntimeError: sprung"),
        (tasks.killed, KILLED),
    ],
)
def test_whoever_gives_no_value_is_told(crew, task, failure):
    told = run(crew, task)
    assert told.value is None
    assert failure in told.failure


def test_what_is_said_arrives_in_order(crew):
    crew.start("a", tasks.talk)
    *said, (key, told) = crew.told()
    assert said == [("a", 0), ("a", 1), ("a", 2)]
    assert (key, told.value, told.said) == ("a", "done", 2)


def test_what_hangs_is_interrupted(crew):
    told = run(crew, tasks.hang, limits=Limits(seconds=0.3))
    assert (told.is_late, told.said) == (True, "hanging")
    assert told.failure == "took longer than 0.3 s"
    assert not math.isnan(told.peak), "it stopped by itself, so it could be measured"


def test_who_is_deaf_to_the_interrupt_is_killed(crew):
    told = run(crew, tasks.hang_deaf, limits=Limits(seconds=0.3, grace=0.3))
    assert (told.is_late, told.said) == (True, "deaf")
    assert told.failure == "took longer than 0.3 s"
    assert math.isnan(told.peak)


@linux
def test_what_asks_for_too_much_memory_is_refused(crew):
    told = run(crew, tasks.hog, 200, limits=Limits(memory=100))
    assert told.failure == "asked for more than 100 MiB of memory"
    assert run(crew, tasks.hog, 50, limits=Limits(memory=100)).value == 50


def test_nobody_speaks_for_a_while(crew):
    crew.start("it", tasks.hang, limits=Limits(seconds=0.5))
    assert [what for _, what in crew.told(timeout=0.1)] in ([], ["hanging"])
    assert ends(crew)["it"].is_late, "what was under way still is"


@linux
def test_started_ahead_all_comes_to_the_same(ahead):
    """Where there is no fork; at once, since each has to load for itself."""
    limits = {"hangs": Limits(seconds=8), "hogs": Limits(memory=100)}
    given = {
        "adds": (tasks.add, 2, 3), "fails": (tasks.fail,), "is killed": (tasks.killed,),
        "hangs": (tasks.hang,), "hogs": (tasks.hog, 200), "is warm": (tasks.was_warm,),
        "breaks": (tasks.unreadable,),
    }  # fmt: skip
    for key, each in given.items():
        ahead.start(key, *each, limits=limits.get(key, Limits()))
    found = ends(ahead)
    assert found["adds"].value == 5
    assert found["is warm"].value is True
    assert "ValueError: no such luck" in found["fails"].failure
    assert found["is killed"].failure == KILLED
    assert "sprung" in found["breaks"].failure
    assert (found["hangs"].failure, found["hangs"].is_late) == ("took longer than 8 s", True)
    assert found["hogs"].failure == "asked for more than 100 MiB of memory"
    ahead.warm(tasks.fail)  # for the forked alone
    assert run(ahead, tasks.add, 1, 2).value == 3


# What is left behind


@linux
def test_programs_that_a_task_left_running_end_with_it(crew, tmp_path):
    assert not run(crew, tasks.leave_a_program, tmp_path / "pid").failure
    assert is_gone((tmp_path / "pid").read_text())


@linux
def test_a_process_that_holds_the_line_open_hides_nothing(crew, tmp_path):
    told = run(crew, tasks.leave_a_fork, tmp_path / "pid", limits=Limits(seconds=20))
    assert told.failure == KILLED
    assert is_gone((tmp_path / "pid").read_text())


@linux
def test_closing_ends_what_is_under_way():
    crew = Workers()
    crew.start("it", tasks.hang)
    next(crew.told())  # it runs
    own = offspring(crew._nursery.pid)
    assert own
    crew.close()
    assert all(is_gone(pid) for pid in [crew._nursery.pid, *own])


@linux
@pytest.mark.parametrize("is_forking", [True, False])
def test_of_a_nursery_that_is_killed_every_task_is_told(is_forking):
    with Workers(is_forking=is_forking) as crew:
        for n in range(2):
            crew.start(n, tasks.hang)
        said = crew.told()
        assert {next(said)[1], next(said)[1]} == {"hanging"}
        own = offspring(crew._nursery.pid)
        os.kill(crew._nursery.pid, signal.SIGKILL)
        found = dict(said)
        assert {key: told.failure for key, told in found.items()} == {0: GONE, 1: GONE}
        assert all(is_gone(pid) for pid in own)
        assert not crew.is_alive
        crew.start("late", tasks.add, 1, 1)
        assert ends(crew)["late"].failure == GONE


ASKING = """
import tasks, time
from salesnb.report.workers import Workers
crew = Workers()
crew.start("it", tasks.hang)
next(crew.told())
print(crew._nursery.pid, flush=True)
time.sleep(60)
"""


@linux
def test_nothing_lives_on_when_whoever_asked_is_killed():
    asking = subprocess.Popen([sys.executable, "-c", ASKING], stdout=subprocess.PIPE, text=True)
    nursery = asking.stdout.readline().strip()
    own = [nursery, *offspring(nursery)]
    assert len(own) == 2
    asking.kill()
    asking.communicate()
    assert all(is_gone(pid) for pid in own)


# What is inherited


def test_tasks_find_everything_warm(crew):
    assert run(crew, tasks.was_warm).value is True
    crew.warm(tasks.warmer, "very")
    assert run(crew, tasks.was_warm).value == "very"
    crew.warm(tasks.warmer, True)


def test_every_task_has_its_own_chance(crew):
    crew.warm(tasks.import_numpy)
    for n in range(3):
        crew.start(n, tasks.draw)
    assert len({told.value for told in ends(crew).values()}) == 3


def test_what_cannot_be_warm_fails_every_task(capfd):
    with Workers(tasks.fail) as crew:
        for n in range(3):
            crew.start(n, tasks.add, 1, 1)
        assert [told.failure for told in ends(crew).values()] == [GONE] * 3
    assert "ValueError: no such luck" in capfd.readouterr().err


# Where the system has less to offer


def test_a_nursery_that_cannot_begin_is_an_error_at_once(monkeypatch):
    monkeypatch.setattr(sys, "executable", "false")
    with pytest.raises(RuntimeError, match="could not be started"):
        Workers()


class Line(list):
    """What a nursery would be asked, and what it answers."""

    send = list.append

    def recv(self):
        return "start", "it", tasks.add, (1, 1), Limits()


class Full:
    """No more processes are to be had."""

    def start(self, *_):
        raise BlockingIOError(11, "Resource temporarily unavailable")


def test_a_task_that_cannot_be_started_is_told():
    parent, children = Line(), {}
    nursery._obey(parent, Full(), children)
    ((key, told),) = parent
    assert (key, children) == ("it", {})
    assert told.failure == "could not be started: Resource temporarily unavailable"


@pytest.mark.parametrize("lacking", [("resource",), ("setpgid", "killpg")])
def test_without_some_calls_tasks_run_all_the_same(lacking, monkeypatch):
    """As on Windows, in a child that is not there to stay."""
    ours, theirs = nursery.get_context("fork").Pipe()
    if "resource" in lacking:
        monkeypatch.setattr(task, "resource", None)
        monkeypatch.setattr(task.sys, "platform", "win32")
    else:
        for name in lacking:
            monkeypatch.delattr(os, name)
    limits = Limits(1, 100)
    child = nursery.get_context("fork").Process(
        target=task.run, args=(theirs, tasks.add, (1, 2), limits)
    )
    child.start()
    theirs.close()
    told = ours.recv()
    nursery._kill(child)
    assert (told.value, told.failure) == (3, "")
    assert math.isnan(told.peak) == ("resource" in lacking)
    assert child.exitcode in (0, -signal.SIGKILL)
