"""Run every notebook on the demo team and keep only the outputs that the tests check.

python notebooks/refresh.py
"""

from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

HERE = Path(__file__).parent
CHECKED, LEFT_OUT = "nbval-check-output", "remove-cell"
FOLDED = {"source_hidden": True, "outputs_hidden": True}  # in JupyterLab: for the tests alone
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def refreshed(path: Path) -> NotebookNode:
    """The notebook run from the top, without pictures, times or anything that differs by run."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, resources={"metadata": {"path": str(path.parent)}}).execute()
    notebook.metadata = METADATA | {
        name: said for name, said in notebook.metadata.items() if name == "salesnb"
    }
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        folded = {"jupyter": FOLDED} if LEFT_OUT in tags else {}
        cell.metadata = ({"tags": tags} if tags else {}) | folded
        if cell.cell_type == "code" and CHECKED not in tags:
            cell.update(outputs=[], execution_count=None)
    return notebook


if __name__ == "__main__":
    for each in sorted(HERE.glob("*.ipynb")):
        each.write_text(nbformat.writes(refreshed(each)) + "\n", encoding="utf-8")
