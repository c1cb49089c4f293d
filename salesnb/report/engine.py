"""Run one notebook with its parameters; the seam behind which another engine may stand."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
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

    `output` should stand in a folder of its own, such as a temporary one.

    Raises `NotebookError` if a cell fails, save where a cell tagged ``raises-exception`` finds
    that a table is lacking (`DataError`).
    """
    logging.getLogger("papermill").setLevel(logging.ERROR)
    try:
        return papermill.execute_notebook(
            notebook,
            output,
            parameters=dict(parameters),
            progress_bar=False,
            request_save_on_cell_execute=False,
            execution_timeout=CELL_SECONDS,
            config=_private(output.parent),
        )
    except PapermillExecutionError as error:
        done = nbformat.read(output, as_version=4)
        done.cells = [cell for cell in done.cells if ERROR_MARKER_TAG not in _tags(cell)]
        if _lacks_only_data(done):
            return done
        raise NotebookError(
            f"{error.ename}: {error.evalue}\n\nin this cell:\n{error.source}"
        ) from None


def _private(folder: Path) -> Config:
    """Talk to the kernel through files in `folder`, where only this user can listen.

    Nor do two kernels that start at once reach for the same port. Windows has only ports.
    """
    if os.name != "posix":
        return Config()
    return Config({"KernelManager": {"transport": "ipc", "ip": str(folder / "kernel")}})


def _tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def _lacks_only_data(notebook: NotebookNode) -> bool:
    """Whether every error is a lacking table where one may lack, or a name left unset by that."""
    expected = {"DataError"}
    for cell in notebook.cells:
        errors = {o.ename for o in cell.get("outputs", ()) if o.output_type == "error"}
        if (errors and MAY_LACK not in _tags(cell)) or errors - expected:
            return False
        expected |= {"NameError"} if errors else set()
    return True
