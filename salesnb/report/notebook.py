"""Run one notebook with its parameters, in a process that is used for nothing else."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from papermill.engines import papermill_engines
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from salesnb.report import engine

# A cell with this tag may find that the data set lacks a table; the page then says so.
MAY_LACK = "raises-exception"
SHOWN_LINES = 12  # of a cell that failed


class NotebookError(RuntimeError):
    """A notebook that stopped: the error, and the cell it stopped in."""


def run(notebook: Path, parameters: Mapping[str, Any]) -> NotebookNode:
    """Execute a notebook as papermill would and return it.

    Raises `NotebookError` if a cell fails, save where a cell tagged ``raises-exception`` finds
    that a table is lacking (`DataError`).
    """
    logging.getLogger("papermill").setLevel(logging.ERROR)
    loaded = load_notebook_node(str(notebook))
    ready = parameterize_notebook(loaded, dict(parameters))
    kernel = ready.metadata.get("kernelspec", {}).get("name", "python3")
    name = engine.HERE if engine.is_ours(kernel) else None
    done = papermill_engines.execute_notebook_with_engine(name, ready, kernel, progress_bar=False)
    if why := failure(done):
        raise NotebookError(why)
    return done


def failure(notebook: NotebookNode) -> str:
    """The first error of an executed notebook with its cell, or an empty string.

    That a table is lacking, where one may lack, is no error, nor is a name left unset by that.
    """
    expected: set[str] = set()
    for cell in notebook.cells:
        errors = [each for each in cell.get("outputs", ()) if each.output_type == "error"]
        may_lack = {"DataError"} if MAY_LACK in cell.metadata.get("tags", []) else set()
        for error in errors:
            if error.ename not in expected | may_lack:
                return f"{error.ename}: {error.evalue}\n\nin this cell:\n{shown(cell.source)}"
        expected |= {"NameError"} if errors else set()
    return ""


def shown(source: str) -> str:
    """A cell for a message: its first lines."""
    lines = source.splitlines()
    return "\n".join([*lines[:SHOWN_LINES], *(["..."] if len(lines) > SHOWN_LINES else [])])
