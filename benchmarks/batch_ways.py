"""Ways of making one-on-one pages, each a program of its own that `batch.py` starts and watches.

python benchmarks/batch_ways.py WAY DATA OUT REP...
"""

import ast
import json
import logging
import subprocess
import sys
from multiprocessing import get_context
from pathlib import Path
from time import process_time
from typing import Any

import nbformat

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "04_one_on_one.ipynb"
SPENT = "spent.json"  # what the floor spent on each report, in seconds of CPU


def cli(data: str, out: Path, reps: list[str]) -> None:
    """Two commands for each report, as the manuals of papermill and nbconvert say."""
    for rep in reps:
        done = out / f"{rep}.ipynb"
        _run("-m", "papermill", NOTEBOOK, done, "-p", "data", data, "-p", "rep", rep)
        _run("-m", "nbconvert", "--to", "html", "--no-input", done)


def _run(*words: Any) -> None:
    subprocess.run([sys.executable, *map(str, words)], check=True, capture_output=True)


def api(data: str, out: Path, reps: list[str]) -> None:
    """Papermill's function in a loop, one exporter for all."""
    import papermill

    def execute(rep: str) -> Any:
        values = {"data": data, "rep": rep}
        return papermill.execute_notebook(NOTEBOOK, None, values, progress_bar=False)

    _loop(execute, out, reps)


def ploomber(data: str, out: Path, reps: list[str]) -> None:
    """The same with ploomber-engine, which runs the cells in its own process."""
    from ploomber_engine import execute_notebook

    def execute(rep: str) -> Any:
        values = {"data": data, "rep": rep}
        return execute_notebook(NOTEBOOK, None, parameters=values, progress_bar=False)

    _loop(execute, out, reps)


def _loop(execute: Any, out: Path, reps: list[str]) -> None:
    from nbconvert import HTMLExporter

    logging.disable()
    exporter = HTMLExporter(exclude_input=True)
    for rep in reps:
        html, _ = exporter.from_notebook_node(execute(rep))
        (out / f"{rep}.html").write_text(html, encoding="utf-8")


def spawn2(data: str, out: Path, reps: list[str]) -> None:
    """Two processes, in each papermill's function in a loop."""
    halves = [
        get_context("spawn").Process(target=api, args=(data, out, reps[half::2])) for half in (0, 1)
    ]
    for half in halves:
        half.start()
    for half in halves:
        half.join()


def quarto(data: str, out: Path, reps: list[str]) -> None:
    """``quarto render`` for each report."""
    for rep in reps:
        values = ["-P", f"data:{data}", "-P", f"rep:{rep}"]
        command = ["quarto", "render", str(NOTEBOOK), "--to", "html", "--execute", *values]
        where = ["--output-dir", str(out), "--output", f"{rep}.html"]
        subprocess.run([*command, *where], check=True, capture_output=True)


def floor(data: str, out: Path, reps: list[str]) -> None:
    """The statements of the notebook in one process, without notebook; pages as the batch's."""
    from salesnb import dataset
    from salesnb.report import files, making, page
    from salesnb.report.plan import plan

    dataset.keep(data)
    planned = plan(data, NOTEBOOK.parent, out, only=["one_on_one"], reps=reps)
    by_rep = {job.values["rep"]: job for job in planned.jobs}
    spent = []
    for rep in reps:
        job, began = by_rep[rep], process_time()
        done, shown = _executed(job.values)
        for name, edition in job.pages.items():
            html = page.render(done, making.sheet(job, planned, name, edition, {}))
            files.write_whole(planned.folder / name, html)
        spent.append({"report": process_time() - began, "shown": shown})
        (out / SPENT).write_text(json.dumps(spent))


def _executed(values: dict[str, Any]) -> tuple[Any, float]:
    """The notebook with what its cells show, and the CPU seconds that the showing took."""
    shown, names = 0.0, {"print": lambda *_, **__: None}
    done = nbformat.read(NOTEBOOK, as_version=4)
    for cell in (cell for cell in done.cells if cell.cell_type == "code"):
        tree = ast.parse(cell.source)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "cell", "exec"), names)
        found = eval(compile(ast.Expression(last.value), "cell", "eval"), names) if last else None
        if "parameters" in cell.metadata.get("tags", []):
            names |= values
        if hasattr(found, "_repr_html_"):
            began = process_time()
            html = found._repr_html_()
            shown += process_time() - began
            cell.outputs = [nbformat.v4.new_output("display_data", data={"text/html": html})]
    return done, shown


if __name__ == "__main__":
    way, data, out, *reps = sys.argv[1:]
    globals()[way](data, Path(out), reps)
