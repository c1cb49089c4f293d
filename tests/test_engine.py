"""The engine: what stock papermill makes of a notebook, made of it in a forked process."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import papermill
import pytest
import torture
from conftest import ROOT
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat.v4 import new_code_cell, new_notebook
from papermill.exceptions import PapermillExecutionError

from salesnb.report import engine, workers
from salesnb.report.workers import Workers

pytestmark = pytest.mark.skipif(not workers.CAN_FORK, reason="no fork here")
SPEC = {"kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}}
STOCK, OURS = None, "salesnb"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASKED", "yes")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))


def save(*sources, parameters="", name="in.ipynb"):
    cells = [new_code_cell(parameters, metadata={"tags": ["parameters"]})] if parameters else []
    cells += [new_code_cell(source) for source in sources]
    nbformat.write(new_notebook(cells=cells, metadata=SPEC), name)
    return name


def execute(name, how=OURS, **options):
    """The executed notebook; what it raised is left to the test."""
    return papermill.execute_notebook(
        name, "out.ipynb", engine_name=how, progress_bar=False, **options
    )


def left():
    """The notebook as it was written."""
    return nbformat.read("out.ipynb", as_version=4)


# The same answers


@pytest.fixture(scope="module")
def tortured(tmp_path_factory):
    """The torture notebook as stock papermill leaves it; each engine in a folder of its own."""
    folder = tmp_path_factory.mktemp("torture")
    return folder, _tortured(folder, STOCK)


def _tortured(folder, how):
    own = folder / (how or "stock")
    own.mkdir()
    nbformat.write(torture.notebook(), own / "in.ipynb")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASKED", "yes")
        patch.delenv("PYTEST_CURRENT_TEST")  # where it is set, ipykernel leaves out a part of it
        patch.chdir(own)
        # The errors of cells that may fail are raised at the very end, after all was written.
        with pytest.raises(PapermillExecutionError, match="asyncio"):
            execute("in.ipynb", how) if how else torture.by_stock("in.ipynb", "out.ipynb")
        return left()


def differences(cells, others):
    """The names of the cells that do not give the same."""
    pairs = zip(*map(torture.answers, (cells, others)), cells, strict=True)
    return {cell.metadata.get("of"): (a, b) for a, b, cell in pairs if a != b}


def test_the_engine_answers_as_stock_papermill(tortured):
    folder, stock = tortured
    ours = _tortured(folder, OURS)
    assert not differences(stock.cells, ours.cells)
    assert torture.widgets(ours) == torture.widgets(stock)
    assert ours.metadata.language_info == stock.metadata.language_info
    assert set(ours.metadata.papermill) == set(stock.metadata.papermill)
    for cell, theirs in zip(ours.cells, stock.cells, strict=True):
        assert cell.metadata.get("tags") == theirs.metadata.get("tags")
        about, their = (each.metadata.get("papermill", {}) for each in (cell, theirs))
        assert about.get("status") == their.get("status")
        assert about.get("exception") == their.get("exception")


def test_the_torture_is_one(tortured):
    """A comparison of two notebooks that stopped early would compare nothing."""
    _, stock = tortured
    of = {cell.metadata.get("of"): cell for cell in stock.cells}
    assert of["last"].outputs[0].data == {"text/plain": "'the end'"}
    assert "raw out" in str(of["file descriptor"].outputs)
    assert len(str(of["huge, one line"].outputs)) > 5_000_000
    assert len(torture.widgets(stock)) > 15
    failed = [name for name, cell in of.items() if "'error'" in str(cell.get("outputs"))]
    assert len(failed) > 10


def test_started_ahead_it_answers_the_same(tortured):
    folder, stock = tortured
    own = folder / "ahead"
    own.mkdir()
    ready = papermill.iorw.load_notebook_node(str(folder / "stock" / "in.ipynb"))
    with Workers(engine.load, is_forking=False) as crew:
        crew.start(
            "it", engine._run, nbformat.writes(ready), "python3", None, (str(own), dict(os.environ))
        )
        *_, (_, ended) = crew.told()
    assert not ended.failure
    done = nbformat.reads(ended.value[0], as_version=4)
    # Papermill has put a cell about the errors before all others, and one before the last of them.
    own_cells = [cell for cell in stock.cells if "of" in cell.metadata]
    assert not differences(own_cells, done.cells[1:])


# The same faults


@pytest.mark.parametrize("how", [STOCK, OURS])
def test_an_error_stops_the_notebook(how):
    save("x = 1", "1 / 0", "print('never')")
    with pytest.raises(PapermillExecutionError, match="ZeroDivisionError") as caught:
        execute("in.ipynb", how)
    assert (caught.value.exec_count, caught.value.source) == (2, "1 / 0")
    *_, failed, after = left().cells
    assert failed.metadata.papermill.status == "failed"
    assert (after.metadata.papermill.status, after.outputs) == ("pending", [])


@pytest.mark.parametrize("how", [STOCK, OURS])
def test_a_cell_that_takes_too_long(how):
    save("print('begun', flush=True)\nimport time\ntime.sleep(60)")
    with pytest.raises(
        CellTimeoutError, match="timed out while it was being executed, after 1 seconds"
    ):
        execute("in.ipynb", how, execution_timeout=1)


@pytest.mark.parametrize("how", [STOCK, OURS])
def test_a_kernel_that_dies(how):
    save("import os\nos.kill(os.getpid(), 9)")
    with pytest.raises(DeadKernelError, match="Kernel died"):
        execute("in.ipynb", how)
    save("'fine again'")
    assert "fine again" in str(execute("in.ipynb", how).cells[-1].outputs)


def test_a_kernel_of_another_name_is_left_to_papermill():
    assert engine.is_ours("python3")
    assert not engine.is_ours("no such kernel")
    save("1")
    with pytest.raises(Exception, match="No such kernel named other"):
        execute("in.ipynb", kernel_name="other")


# One process for each


def test_one_notebook_sees_nothing_of_another():
    save(
        "import sys\nsys.modules['math'].own = 1\nleft_behind = 2\nimport os\nos.environ['A'] = 'b'"
    )
    execute("in.ipynb")
    save("import math, os\nhasattr(math, 'own'), 'left_behind' in globals(), 'A' in os.environ")
    shown = execute("in.ipynb").cells[-1].outputs[0].data["text/plain"]
    assert shown == "(False, False, False)"


def test_a_nursery_that_was_killed_is_started_again():
    save("'here'")
    execute("in.ipynb")
    os.kill(engine._crews[os.getpid()]._nursery.pid, signal.SIGKILL)
    engine._crews[os.getpid()]._nursery.wait()
    assert "here" in str(execute("in.ipynb").cells[-1].outputs)


def interrupt_once(began):
    """Press Ctrl-C as soon as the file is there."""
    while not began.exists():
        time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGINT)


def test_a_notebook_that_was_given_up_does_not_speak_into_the_next():
    began = Path("began").resolve()
    save(f"import pathlib, time\npathlib.Path({str(began)!r}).touch()\ntime.sleep(30)")
    threading.Thread(target=interrupt_once, args=(began,)).start()
    with pytest.raises(KeyboardInterrupt):
        execute("in.ipynb")
    save("'the next'")
    assert "the next" in str(execute("in.ipynb").cells[-1].outputs)


def test_from_several_threads_each_gets_its_own():
    found = {}

    def one(n):
        name = save(f"{n} * 11", name=f"{n}.ipynb")
        done = papermill.execute_notebook(name, None, engine_name=OURS, progress_bar=False)
        found[n] = done.cells[-1].outputs[0].data["text/plain"]

    threads = [threading.Thread(target=one, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {0: "0", 1: "11", 2: "22"}


def test_at_the_command_line_with_parameters():
    save("print(n * 2, flush=True)\nn", parameters="n: int = 1  # how many")
    command = [sys.executable, "-m", "papermill", "--engine", OURS, "in.ipynb", "out.ipynb"]
    done = subprocess.run(
        [*command, "-p", "n", "21", "--log-output", "--stdout-file", "said.txt"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert left().metadata.papermill.parameters == {"n": 21}
    assert left().cells[-1].outputs[-1].data == {"text/plain": "21"}
    assert Path("said.txt").read_text() == "42\n"
    assert "42" in done.stderr
