"""Run one notebook with its parameters; the seam behind which another engine may stand."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
import papermill
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError
from papermill.execute import ERROR_MARKER_TAG
from traitlets.config import Config

# A cell with this tag may find that the data set lacks a table; the page then says so.
MAY_LACK = "raises-exception"
# No notebook of ours takes a minute; one that hangs should not hold up the others for ever.
CELL_SECONDS = 600


class NotebookError(RuntimeError):
    """A notebook that stopped: the error, and the cell it stopped in."""


def run(notebook: Path, parameters: Mapping[str, Any], output: Path) -> NotebookNode:
    """Execute a notebook in a kernel of its own, save it to `output` and return it.

    Raises `NotebookError` if a cell fails, save where a cell tagged ``raises-exception`` finds
    that a table is lacking (`DataError`).
    """
    logging.getLogger("papermill").setLevel(logging.ERROR)
    try:
        with TemporaryDirectory() as private:
            return papermill.execute_notebook(
                notebook,
                output,
                parameters=dict(parameters),
                progress_bar=False,
                request_save_on_cell_execute=False,
                execution_timeout=CELL_SECONDS,
                config=_private(private),
                extra_arguments=_quiet(notebook),
            )
    except PapermillExecutionError:
        done = nbformat.read(output, as_version=4)
        done.cells = [cell for cell in done.cells if ERROR_MARKER_TAG not in _tags(cell)]
        why = failure(done)
    if why:
        raise NotebookError(why)
    return done


def failure(notebook: NotebookNode) -> str:
    """The first error of an executed notebook with its cell, or an empty string.

    That a table is lacking, where one may lack, is no error, nor is a name left unset by that.
    """
    expected: set[str] = set()
    for cell in notebook.cells:
        errors = [each for each in cell.get("outputs", ()) if each.output_type == "error"]
        may_lack = {"DataError"} if MAY_LACK in _tags(cell) else set()
        for error in errors:
            if error.ename not in expected | may_lack:
                return f"{error.ename}: {error.evalue}\n\nin this cell:\n{cell.source}"
        expected |= {"NameError"} if errors else set()
    return ""


def _quiet(notebook: Path) -> list[str]:
    """What keeps IPython's kernel from logging that it was told to stop."""
    spec = nbformat.read(notebook, as_version=4).metadata.get("kernelspec", {})
    return ["--log-level=CRITICAL"] if spec.get("language", "python") == "python" else []


def _private(folder: str) -> Config:
    """Talk to the kernel through files in `folder`, where only this user can listen.

    Nor do two kernels that start at once reach for the same port. Windows has only ports.
    """
    if os.name != "posix":
        return Config()
    return Config({"KernelManager": {"transport": "ipc", "ip": f"{folder}/kernel"}})


def _tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])
