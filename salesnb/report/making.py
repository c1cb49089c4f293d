"""One job, done in a process of its own: run the notebook, write its pages."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat

from salesnb import once, team
from salesnb.errors import DataError
from salesnb.report import engine, notebook, page
from salesnb.report import plan as planning
from salesnb.report.files import write_whole
from salesnb.report.plan import MANAGER, Job, Plan
from salesnb.units import capital


def ready(folder: str | None, cache: str | None) -> None:
    """In the nursery: load the libraries, and the team, if it can be."""
    once.keep_in(cache)
    engine.load()
    page.template("page.html.j2")
    if folder is not None:
        with suppress(DataError):  # which the plan will meet too, and say
            team.keep(folder)
    engine.freeze()


def planned(*where: Any, asked: Mapping[str, Any]) -> Plan | DataError:
    """The plan, made where the team is loaded; or what is wrong with the data."""
    try:
        return planning.plan(*where, **asked)
    except DataError as error:
        return error


def known(folder: str, names: frozenset[str]) -> None:
    """In the nursery: have ready what children asked for about the whole team."""
    once.ahead(team.load(folder), names)
    engine.freeze()


def make(job: Job, plan: Plan) -> tuple[dict[str, str], frozenset[str]]:
    """Run a notebook and write its pages; gives its line on the index, and what was asked for.

    An error is part of the line.
    """
    try:
        done = notebook.run(job.notebook, job.values)
        summary = page.printed(done, page.SUMMARY).removeprefix(f"{job.about}: ")
        line = {
            "title": page.title(done),
            "summary": capital(summary),
            "flag": page.printed(done, page.FLAG),
        }
        if plan.is_keeping:
            kept = plan.folder / "notebooks" / _kept(job)
            write_whole(kept, nbformat.writes(done), is_shared=plan.is_shared)
        for name, edition in job.pages.items():
            html = page.render(done, sheet(job, plan, name, edition, line))
            write_whole(plan.folder / name, html, is_shared=plan.is_shared)
        return line, once.asked_for()
    except notebook.NotebookError as error:
        return {"error": str(error)}, once.asked_for()
    except OSError as error:
        return {"error": f"could not be written: {error.strerror or error}"}, once.asked_for()


def _kept(job: Job) -> Path:
    """Where the executed notebook goes: beside its first page, by the same name."""
    return Path(next(iter(job.pages))).with_suffix(".ipynb")


def sheet(job: Job, plan: Plan, name: str, edition: str, line: dict[str, str]) -> page.Sheet:
    """What stands around the notebook's own words on the page `name`."""
    values = {**job.values} | ({"data": plan.source} if "data" in job.values else {})
    said = ", ".join(f"{name}={value}" for name, value in values.items())
    facts = {**plan.facts, "Notebook": job.notebook.stem}
    facts |= {"Parameters": said} if said else {}
    is_rep_copy = edition not in ("", MANAGER)
    # A rep's copy travels alone: it links nowhere, and does not say what the index says.
    about = {"inputs": job.inputs} | ({} if is_rep_copy else line)
    return page.Sheet(
        about=job.about,
        as_of=plan.as_of,
        team=plan.team,
        facts=facts,
        edition=edition,
        for_manager=not is_rep_copy,
        index="" if is_rep_copy else "../" * name.count("/") + "index.html",
        agreement=job.agreement,
        made_from=about,
    )
