"""Papermill's engine `salesnb`: the same outputs as its own, from a process that is warm already.

``papermill --engine salesnb in.ipynb out.ipynb``, or ``engine_name="salesnb"`` in Python. The
first notebook starts a nursery (see `nursery`), which is kept for those that follow; each notebook
runs in a process forked from it. What is no Python notebook of this environment goes to
papermill's own engine, as does everything where there is no fork.
"""

import atexit
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any

import matplotlib.backends
import nbformat
import pyarrow
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, NBClientEngine, NotebookExecutionManager, papermill_engines

from salesnb.report import task, workers
from salesnb.report.task import Ended
from salesnb.report.workers import Workers

HERE = "salesnb-here"
# What a kernel loads when it starts, our own notebooks and most others.
LOADED = (
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.magics.execution",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "ipykernel.debugger",
    "ipykernel.kernelspec",
    "ipywidgets",
    "matplotlib.pyplot",
    "matplotlib_inline.config",
    "papermill",
    "salesnb.report.kernel",
    "seaborn",
    "sqlite3",
    "tornado.platform.asyncio",
)


class Here(Engine):
    """Run the cells in this very process, which is to be used for nothing else."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        log_output: bool = False,
        stdout_file: Any = None,
        stderr_file: Any = None,
        execution_timeout: int | None = None,
        **_: Any,
    ) -> None:
        """Run all cells to the first that fails; nbclient makes the outputs."""
        from salesnb.report.kernel import Kernel

        client = PapermillNotebookClient(
            nb_man,
            km=Kernel(execution_timeout),
            kernel_name=kernel_name,
            timeout=execution_timeout,
            log_output=log_output,
            stdout_file=stdout_file,
            stderr_file=stderr_file,
            on_cell_start=lambda cell, cell_index: task.say(("began", cell_index, "")),
        )
        client.execute()


class Warm(Engine):
    """Run the cells in a process forked from one that has loaded everything."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: NotebookExecutionManager, kernel_name: str, **options: Any
    ) -> None:
        """Run all cells to the first that fails, as papermill's own engine would."""
        if not (workers.CAN_FORK and is_ours(kernel_name)):
            NBClientEngine.execute_managed_notebook(nb_man, kernel_name, **options)
            return
        text, here = nbformat.writes(nb_man.nb), (str(Path.cwd()), dict(os.environ))
        seconds = options.get("execution_timeout")
        with _one_at_a_time, _crew() as crew:
            crew.start("notebook", _run, text, kernel_name, seconds, here)
            ended = Ended()
            for _, what in crew.told():
                if isinstance(what, Ended):
                    ended = what
                else:
                    _follow(nb_man, what, options)
        _finish(nb_man, ended)


papermill_engines.register(HERE, Here)


def warm() -> None:
    """Be ready for any notebook, in the process from which theirs are forked."""
    load()
    freeze()


def load() -> None:
    """Load what notebooks will load."""
    for name in LOADED:
        import_module(name)
    # All that is installed is looked through for ways to draw and to start a kernel.
    matplotlib.backends.backend_registry.list_all()
    is_ours("python3")


def freeze() -> None:
    """What is there and stays need not be looked at, and so copied, by any child's collector.

    What was needed on the way goes back to the system.
    """
    gc.collect()
    pyarrow.default_memory_pool().release_unused()
    gc.freeze()


_one_at_a_time = Lock()
_crews: dict[int, Workers] = {}  # by process: one that was forked from this has its own


@contextmanager
def _crew() -> Iterator[Workers]:
    """The nursery that is kept; one in which a notebook was given up is not used again."""
    crew = _crews.get(os.getpid())
    if crew is None or not crew.is_alive:
        crew = _crews[os.getpid()] = Workers(warm)
        atexit.register(crew.close)
    try:
        yield crew
    except BaseException:
        crew.close()
        raise


def is_ours(kernel_name: str) -> bool:
    """Whether a kernel of this name is that of this Python."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        spec = KernelSpecManager().get_kernel_spec(kernel_name)
    except NoSuchKernel:
        return False
    is_usual = "ipykernel_launcher" in spec.argv and not spec.env
    return is_usual and spec.argv[0] in (sys.executable, "python", "python3")


class _Reporting(NotebookExecutionManager):
    """Tells whoever started this process of each cell that has ended."""

    def cell_complete(
        self, cell: NotebookNode, cell_index: int | None = None, **options: Any
    ) -> None:
        super().cell_complete(cell, cell_index, **options)
        task.say(("ended", cell_index, _as_text(cell)))


def _run(
    text: str, kernel_name: str, seconds: int | None, here: tuple[str, dict[str, str]]
) -> tuple[str, dict, str]:
    """A child's task: the cells, the notebook's own metadata, and an error that is to be raised."""
    os.chdir(here[0])
    os.environ.clear()
    os.environ.update(here[1])
    manager = _Reporting(nbformat.reads(text, as_version=4), progress_bar=False)
    manager.notebook_start()
    why = ""
    try:
        Here.execute_managed_notebook(manager, kernel_name, execution_timeout=seconds)
    except CellTimeoutError as error:
        why = str(error)
    return _as_text(*manager.nb.cells), dict(manager.nb.metadata), why


def _as_text(*cells: NotebookNode) -> str:
    return nbformat.writes(nbformat.v4.new_notebook(cells=cells), version=4)


def _follow(
    manager: NotebookExecutionManager, told: tuple[str, int, str], options: dict[str, Any]
) -> None:
    what, index, text = told
    cell = manager.nb.cells[index]
    if what == "began":
        manager.cell_start(cell, index)
        return
    cell.update(nbformat.reads(text, as_version=4).cells[0])
    if cell.metadata.papermill["status"] == manager.FAILED:
        manager.cell_exception(cell, cell_index=index)
    manager.cell_complete(cell, cell_index=index)
    if cell.cell_type == "code":
        _log(manager, cell, options)


def _log(manager: NotebookExecutionManager, cell: NotebookNode, options: dict[str, Any]) -> None:
    wanted = {name: options.get(name) for name in ("log_output", "stdout_file", "stderr_file")}
    if any(wanted.values()):
        client = PapermillNotebookClient(manager, **wanted)
        for output in cell.outputs:
            client.log_output_message(output)


def _finish(manager: NotebookExecutionManager, ended: Ended) -> None:
    if ended.failure:
        raise DeadKernelError(f"Kernel died: it {ended.failure}")
    text, metadata, why = ended.value
    for cell, done in zip(manager.nb.cells, nbformat.reads(text, as_version=4).cells, strict=True):
        cell.update(done)
    manager.nb.metadata.update(
        {name: each for name, each in metadata.items() if name in ("language_info", "widgets")}
    )
    if why:
        raise CellTimeoutError(why)
