"""One job, done in a process of its own: run the notebook, write its pages."""

import json
import platform
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd

from salesnb import charts, dataset, door, language, once, question_bank, verbs
from salesnb.errors import DataError
from salesnb.finding import Finding
from salesnb.language import to_say
from salesnb.report import engine, files, notebook, outcome, page
from salesnb.report import plan as planning
from salesnb.report.files import write_whole
from salesnb.report.plan import MANAGER, Job, Plan
from salesnb.units import capital


@dataclass(frozen=True)
class Made:
    """What a job came to.

    line : its line on the index, or its error
    asked : what was asked about the whole team
    pages : what is still to be written, by whoever asked, for nobody else can
    """

    line: Mapping[str, str]
    asked: frozenset[str] = frozenset()
    pages: Mapping[str, str] = field(default_factory=dict)


def ready(folder: str | None, cache: str | None, output: files.Place | None = None) -> None:
    """In the nursery: load the libraries, and the team, if it can be."""
    with suppress(OSError):  # a folder that is not for us is not used
        once.keep_in(cache)
    once.code()
    engine.load()
    files.load(output)
    _show_once()
    question_bank.bank()
    if folder is not None:
        verbs.find()  # which loads every topic
        with suppress(DataError, OSError):  # the plan, or each report, says it of itself
            dataset.keep(folder)
    engine.freeze()


def _show_once() -> None:
    """Show some finding on some page: what that looks up at first is then known to every child."""
    table = pd.DataFrame({"name": ["some"], "won_amount": [1.5], "win_rate": [0.5], "n": [1.0]})
    points = charts.Points("some", table["win_rate"], table["win_rate"], table["win_rate"])
    found = Finding("Some.", table, lambda ax: charts.dumbbell(ax, ["some"], points))
    shown = nbformat.v4.new_output("display_data", {"text/html": found._repr_html_()})
    cells = [
        nbformat.v4.new_markdown_cell("# Some\n\n**Words**"),
        nbformat.v4.new_code_cell(outputs=[shown]),
    ]
    sheet = page.Sheet(about="some", as_of="", team="", facts={})
    page.render(nbformat.v4.new_notebook(cells=cells), sheet)
    page.template("agreement.html.j2")


def planned(*where: Any, asked: Mapping[str, Any]) -> Plan | DataError:
    """The plan, made where the team is loaded; or what is wrong with the data."""
    try:
        return planning.plan(*where, **asked)
    except DataError as error:
        return error


def known(folder: str, names: frozenset[str]) -> None:
    """In the nursery: have ready what children asked for about the whole team."""
    once.ahead(dataset.load(folder), names)
    engine.freeze()


def make(job: Job, plan: Plan, is_forced: bool = False) -> Made:
    """Run a notebook and write its pages, unless somebody did meanwhile; an error is its line."""
    language.use(plan.language)  # on another machine nobody has said so yet
    before = outcome.standing(job, plan.folder)
    if before.is_there and not is_forced:
        return Made(before.line)
    try:
        if why := _strange(job, plan):
            return Made({"error": why})
        done = notebook.run(job.notebook, job.values)
        summary = page.printed(done, page.SUMMARY).removeprefix(f"{job.about}: ")
        line = {
            "title": page.title(done),
            "summary": capital(summary),
            "flag": page.printed(done, page.FLAG),
            "pressing": "" if job.about else json.dumps(page.pressing(done), ensure_ascii=False),
        }
        made = {f"notebooks/{_kept(job)}": nbformat.writes(done)} if plan.is_keeping else {}
        for name, edition in job.pages.items():
            made[name] = page.render(done, sheet(job, plan, name, edition, line))
        if files.is_private(plan.folder):
            return Made(line, once.asked_for(), made)
        write(made, plan)
        return Made(line, once.asked_for())
    except (notebook.NotebookError, DataError) as error:
        return Made({"error": str(error)}, once.asked_for())
    except OSError as error:
        return Made({"error": f"could not be written: {error.strerror or error}"}, once.asked_for())


def write(pages: Mapping[str, str], plan: Plan) -> None:
    """Write pages, by name, into the folder of a plan."""
    for name, text in pages.items():
        write_whole(plan.folder / name, text, is_shared=plan.is_shared)


def _strange(job: Job, plan: Plan) -> str:
    """Why this is no place to make what was planned elsewhere, or empty."""
    here = f"on {platform.node()}"
    if not job.notebook.is_file():
        return f"There is no {job.notebook} {here}."
    if plan.code not in ("", once.code()):
        return f"Another version of salesnb, or of what it computes with, is installed {here}."
    if plan.data and "data" in job.values:
        found = dataset.load(plan.source).fingerprint
        if found != plan.data:
            return f"The data have changed, or are others {here}: {found}, not {plan.data}."
    return ""


def _kept(job: Job) -> Path:
    """Where the executed notebook goes: beside its first page, by the same name."""
    return Path(next(iter(job.pages))).with_suffix(".ipynb")


def sheet(job: Job, plan: Plan, name: str, edition: str, line: dict[str, str]) -> page.Sheet:
    """What stands around the notebook's own words on the page `name`."""
    values = {**job.values}
    if "data" in values:
        values["data"] = door.name(values["data"])
    said = ", ".join(f"{name}={value}" for name, value in values.items())
    facts = {**plan.facts, to_say("Notebook"): job.notebook.stem}
    facts |= {to_say("Parameters"): said} if said else {}
    is_rep_copy = edition not in ("", MANAGER)
    # A rep's copy travels alone: it links nowhere, and does not say what the index says.
    about = {"inputs": job.inputs} | ({} if is_rep_copy else line)
    return page.Sheet(
        about=job.about,
        as_of=plan.as_of,
        # Nor of which part of the team: that may be called after somebody.
        team=plan.team if is_rep_copy else plan.title,
        facts=facts,
        edition=edition,
        for_manager=not is_rep_copy,
        index="" if is_rep_copy else "../" * name.count("/") + "index.html",
        agreement=job.agreement,
        made_from=about,
    )
