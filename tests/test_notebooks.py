"""The notebooks: their rules by hand, and their figures run again."""

import ast
import os
import subprocess
import sys

import nbformat
import papermill
import pytest
import told
import torture
from conftest import ROOT
from nbformat import NotebookNode

from salesnb.report import workers

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
CHECKED = "nbval-check-output"


def cells(path, kind):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return [cell for cell in notebook.cells if cell.cell_type == kind]


def tagged(path, tag):
    return [cell for cell in cells(path, "code") if tag in cell.metadata.get("tags", [])]


def test_there_are_notebooks():
    assert {"00_start_here", "02_funnel", "04_one_on_one"} <= {path.stem for path in NOTEBOOKS}


@each_notebook
def test_it_is_short_and_plain(path):
    code = cells(path, "code")
    assert len(code) + len(cells(path, "markdown")) <= 25
    for cell in code:
        assert 1 <= len(cell.source.strip().splitlines()) <= 4
        names = {type(node).__name__ for node in ast.walk(ast.parse(cell.source))}
        assert not names & {"FunctionDef", "ClassDef", "Lambda"}
        assert "pandas" not in cell.source


@each_notebook
def test_it_opens_and_closes_like_the_others(path):
    words = [cell.source for cell in cells(path, "markdown")]
    assert words[0].startswith("# ")
    assert [text for text in words if text.startswith("# ")] == words[:1]
    assert words[-2].startswith("## On Monday\n")
    assert words[-1].startswith("## What this cannot tell you\n")


@each_notebook
def test_its_parameters_are_all_seen(path):
    (cell,) = tagged(path, "parameters")
    written = [line for line in cell.source.splitlines() if line.strip()]
    seen = papermill.inspect_notebook(path)
    assert len(seen) == len(written)
    assert all(each["help"] and each["inferred_type_name"] != "None" for each in seen.values())
    assert "data" in seen


@each_notebook
def test_every_answer_is_checked(path):
    """A cell without count and output passes nbval in silence, so each must hold both."""
    checked = tagged(path, CHECKED)
    assert checked
    for cell in checked:
        assert cell.source.startswith("print(")
        assert cell.execution_count
        assert [output.output_type for output in cell.outputs] == ["stream"]
        assert cell.outputs[0].text.strip()
    for cell in cells(path, "code"):
        assert cell in checked or not cell.outputs, "outputs that nothing checks go stale"
    named = {target for cell in cells(path, "code") for target in assigned(cell)}
    printed = " ".join(cell.source for cell in checked)
    assert all(name in printed for name in named - {"team", *papermill.inspect_notebook(path)})


def assigned(cell):
    tree = ast.parse(cell.source)
    return [node.targets[0].id for node in ast.walk(tree) if isinstance(node, ast.Assign)]


@each_notebook
def test_one_line_for_the_index(path):
    (cell,) = tagged(path, "summary")
    # What it prints is for the index alone; a finding's own headline stays on the page.
    assert ("print(" in cell.source) == ("remove-cell" in cell.metadata.tags)


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def run_again(request, tmp_path_factory):
    """A notebook that nbval ran, what nbval said, and the outputs of each of its cells."""
    path, aside = request.param, tmp_path_factory.mktemp(request.param.stem)
    command = [sys.executable, "-m", "pytest", "--nbval-lax", str(path), "-q", "-c", "/dev/null"]
    command += ["--rootdir", str(aside), "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "told"]
    where = {told.FILE: str(aside / "told"), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | where)
    return path, done, told.read(aside / "told")


def test_its_figures_come_out_again(run_again):
    path, done, _ = run_again
    assert done.returncode == 0, done.stdout[-3000:]
    assert f"{len(cells(path, 'code'))} passed" in done.stdout


@pytest.mark.skipif(not workers.CAN_FORK, reason="no fork here")
def test_the_engine_answers_as_a_usual_kernel(run_again, tmp_path):
    path, _, outputs = run_again
    ours = papermill.execute_notebook(
        path, tmp_path / path.name, engine_name="salesnb", cwd=path.parent, progress_bar=False
    )
    code = [cell for cell in ours.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [*range(1, len(code) + 1)]
    stock = [NotebookNode(execution_count=n, outputs=each) for n, each in enumerate(outputs, 1)]
    assert torture.answers(code) == torture.answers(stock)
    assert sum(map(len, outputs)) >= 5
