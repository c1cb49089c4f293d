"""Every page of one day: run the notebooks side by side, write their pages and the index."""

import os
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from nbformat import NotebookNode
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from salesnb.report import engine, page
from salesnb.report.files import write_whole
from salesnb.report.plan import MANAGER, Job, Plan


@dataclass(frozen=True)
class Outcome:
    """What became of a job: its title, its flag and its line for the index, or its error."""

    job: Job
    title: str
    summary: str = ""
    flag: str = ""
    error: str = ""


def run(plan: Plan, workers: int | None = None) -> tuple[Path, int]:
    """Run every job, write its pages and the index; give the index and how many jobs failed.

    A notebook that fails is on the index with its error; the others still run.
    """
    outcomes = _outcomes(plan, min(workers or os.cpu_count() or 1, len(plan.jobs)))
    failed = [outcome for outcome in outcomes if outcome.error]
    made = [outcome for outcome in outcomes if not outcome.error]
    index = page.template("index.html.j2")
    facts = {**plan.facts, "Parameters": plan.parameters}
    html = index.render(plan=plan, facts=facts, failed=failed, made=made)
    return write_whole(plan.folder / "index.html", html), len(failed)


def make(job: Job, plan: Plan) -> Outcome:
    """Run one notebook and write its pages; an error is an outcome too."""
    try:
        with TemporaryDirectory() as folder:
            done = _executed(job, Path(folder) / "executed.ipynb")
        for name, edition in job.pages.items():
            write_whole(plan.folder / name, page.render(done, _sheet(job, plan, name, edition)))
        summary = page.printed(done, page.SUMMARY).removeprefix(f"{job.about}: ")
        flag = page.printed(done, page.FLAG)
        return Outcome(job, page.title(done), summary[:1].upper() + summary[1:], flag)
    except Exception as error:  # whatever it was, the other pages are still wanted
        said = str(error) if isinstance(error, engine.NotebookError) else repr(error)
        return Outcome(job, job.notebook.stem, error=said)


def _executed(job: Job, output: Path) -> NotebookNode:
    try:
        return engine.run(job.notebook, job.values, output)
    except engine.NotebookError:
        raise
    except Exception:
        # Kernels that start side by side now and then reach for the same port.
        return engine.run(job.notebook, job.values, output)


def _outcomes(plan: Plan, workers: int) -> list[Outcome]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True))
    # Spawned, not forked: the parent holds DuckDB's threads.
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_one_thread_each)
    with bar, pool:
        task = bar.add_task("Notebooks", total=len(plan.jobs))
        futures = [pool.submit(make, job, plan) for job in plan.jobs]
        for _ in as_completed(futures):
            bar.advance(task)
    return [_outcome(future, job) for future, job in zip(futures, plan.jobs, strict=True)]


def _outcome(future: Future[Outcome], job: Job) -> Outcome:
    error = future.exception()
    return Outcome(job, job.notebook.stem, error=repr(error)) if error else future.result()


def _one_thread_each() -> None:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")


def _sheet(job: Job, plan: Plan, name: str, edition: str) -> page.Sheet:
    values = {**job.values} | ({"data": plan.source} if "data" in job.values else {})
    said = ", ".join(f"{name}={value}" for name, value in values.items())
    facts = {**plan.facts, "Notebook": job.notebook.stem}
    facts |= {"Parameters": said} if said else {}
    is_rep_copy = edition not in ("", MANAGER)
    return page.Sheet(
        about=job.about,
        as_of=plan.as_of,
        team=plan.team,
        facts=facts,
        edition=edition,
        for_manager=not is_rep_copy,
        # A rep's copy travels alone, so it links nowhere.
        index="" if is_rep_copy else "../" * name.count("/") + "index.html",
        agreement=job.agreement,
    )
