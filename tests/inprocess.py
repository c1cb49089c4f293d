"""Notebooks run in this process, without a kernel: the same cells, many times faster."""

import ast
import io
from contextlib import redirect_stdout
from functools import cache

import nbformat
import pytest
from conftest import ROOT
from nbformat.v4 import new_output

import salesnb
from salesnb.report import making, notebook, page
from salesnb.report.plan import plan


def executed(path, **values):
    """The notebook with outputs as a kernel would leave them; fails where the engine would."""
    done, names = nbformat.read(path, as_version=4), {}
    for cell in done.cells:
        if cell.cell_type == "code":
            cell.outputs = outputs(cell.source, names)
        if "parameters" in cell.metadata.get("tags", []):
            names |= values
    assert not notebook.failure(done), notebook.failure(done)
    return done


def outputs(source, names):
    tree, printed, shown = ast.parse(source), io.StringIO(), None
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    try:
        with redirect_stdout(printed):
            exec(compile(tree, "cell", "exec"), names)
            shown = (
                eval(compile(ast.Expression(last.value), "cell", "eval"), names) if last else None
            )
    except Exception as error:
        return [new_output("error", ename=type(error).__name__, evalue=str(error), traceback=[])]
    made = [new_output("stream", text=printed.getvalue())] if printed.getvalue() else []
    if html := _html(shown):
        made.append(new_output("display_data", data={"text/html": html}))
    return made


def _html(shown):
    if hasattr(shown, "_repr_html_"):
        return shown._repr_html_()
    bundle = shown._repr_mimebundle_() if hasattr(shown, "_repr_mimebundle_") else {}
    return (bundle[0] if isinstance(bundle, tuple) else bundle).get("text/html")


def pages(source, output, **options):
    """Every page of a plan by file, written too; and the plan.

    The team is loaded once for all of them, so that what many pages need is computed once.
    """
    planned = plan(source, ROOT / "notebooks", output, **options)
    made, load = {}, cache(salesnb.load)
    for job in planned.jobs:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(salesnb, "load", load)
            done = executed(job.notebook, **job.values)
        for name, edition in job.pages.items():
            html = page.render(done, making.sheet(job, planned, name, edition, {}))
            made[making.write_whole(planned.folder / name, html)] = html
    return made, planned
