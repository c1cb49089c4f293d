"""Every page of one day: run the notebooks side by side, write their pages and the index.

The pages are the truth of it: each says what it was made from, and appears whole or not at all.
So a run that was stopped, in whatever way, goes on where it was, and one that finds nothing
changed makes nothing.
"""

import os
from collections import deque
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from salesnb.errors import DataError
from salesnb.report import making, outcome, page, progress
from salesnb.report.files import write_whole
from salesnb.report.notebook import shown
from salesnb.report.outcome import FAILED, MADE, UNCHANGED, WAITING, Outcome
from salesnb.report.plan import Job, Plan
from salesnb.report.workers import CAN_FORK, Ended, Limits, Workers

TRIES = 3  # of a job whose process is killed; an error in a notebook is not tried again
SAID_EVERY = 2.0  # seconds between two writings of run.json


@dataclass(frozen=True)
class Options:
    """How a plan is run.

    workers : notebooks run at a time; as many as there are cores if None
    seconds, memory : what a job may take, on the clock and in MiB beyond what all share
    is_forced : whether pages that stand are made again
    cache : the folder for what is worked out once for the team; None keeps nothing on disk
    is_forking : whether processes are forked from a warm one, where that can be done
    """

    workers: int | None = None
    seconds: float | None = 600
    memory: float | None = 4096
    is_forced: bool = False
    cache: str | Path | None = None
    is_forking: bool = CAN_FORK


def crew(source: str | Path | None, options: Options = Options()) -> Workers:
    """A nursery that has loaded the libraries, and the team if it can be."""
    folder = None if source is None else str(Path(source).resolve())
    cache = None if options.cache is None else str(options.cache)
    return Workers(partial(making.ready, folder, cache), is_forking=options.is_forking)


def planned(ready: Workers, *args: Any, **asked: Any) -> Plan:
    """The `plan.plan` of a crew, so that the team is loaded but once. Raises as that does."""
    ready.start("plan", partial(making.planned, asked=asked), *args)
    (told,) = (told for _, told in ready.told() if isinstance(told, Ended))
    if isinstance(told.value, DataError):
        raise told.value
    if told.value is None:
        raise OSError(f"no plan could be made: its process {told.failure}")
    return told.value


def run(plan: Plan, options: Options = Options(), ready: Workers | None = None) -> list[Outcome]:
    """Run every job whose pages do not stand yet, write pages, index and ``run.json``.

    By a crew that is `ready`, or by one of its own.

    A notebook that fails is on the index with its error; the others still run. Raises `OSError`
    if the index cannot be written, and `KeyboardInterrupt` after it was, if the run is stopped.
    """
    batch = _Batch(plan, options)
    try:
        if batch.waiting:
            batch.write()
            with progress.bar(len(batch.waiting), len(plan.jobs)) as shown_as:
                batch.go(shown_as, ready)
    finally:
        batch.write()
    return batch.outcomes


class _Batch:
    def __init__(self, plan: Plan, options: Options) -> None:
        self.plan, self.options = plan, options
        begin = Outcome if options.is_forced else partial(outcome.standing, folder=plan.folder)
        self.outcomes = [begin(job) for job in plan.jobs]
        self.waiting = deque(n for n, each in enumerate(self.outcomes) if each.status != UNCHANGED)
        self.frame = replace(plan, jobs=())  # what every child is told; not all the others' jobs
        self.known: frozenset[str] = frozenset()
        self.written = monotonic()

    def go(self, shown_as: progress.Bar, ready: Workers | None) -> None:
        """Run what waits, each in a process of its own, so many at a time."""
        folder = next((str(j.values["data"]) for j in self.plan.jobs if "data" in j.values), None)
        n = min(self.options.workers or os.cpu_count() or 1, len(self.waiting))
        with nullcontext(ready) if ready else crew(folder, self.options) as own:
            for _ in range(n):
                self._next(own)
            for key, told in own.told():
                if not isinstance(told, Ended):
                    continue
                self._note(key, told)
                self._learn(own, folder, told)
                shown_as.add(self.outcomes[key])
                self._next(own)
                if monotonic() - self.written > SAID_EVERY:
                    outcome.record(self.plan, self.outcomes)
                    self.written = monotonic()

    def _next(self, crew: Workers) -> None:
        if not self.waiting:
            return
        key = self.waiting.popleft()
        limits = Limits(self.options.seconds, self.options.memory)
        crew.start(key, making.make, self.plan.jobs[key], self.frame, limits=limits)

    def _learn(self, crew: Workers, folder: str | None, told: Ended) -> None:
        """What one job asked about the whole team, the others will find in the nursery."""
        new = (told.value[1] if told.value else frozenset()) - self.known
        if new and folder is not None and self.waiting:
            self.known |= new
            crew.warm(making.known, folder, new)

    def _note(self, key: int, told: Ended) -> None:
        before = self.outcomes[key]
        line = dict(told.value[0]) if told.value else {"error": self._where(before.job, told)}
        if told.is_late and told.value:
            line["error"] = (
                f"Took longer than {self.options.seconds:g} s.\n\n{line.get('error', '')}"
            )
        status, tries = FAILED if "error" in line else MADE, before.tries + 1
        was_killed = told.value is None and not told.is_late
        if was_killed and tries < TRIES:
            status = WAITING
            self.waiting.append(key)
        self.outcomes[key] = replace(
            before, status=status, tries=tries,
            seconds=told.seconds, cpu=told.cpu, peak=told.peak, **{"error": "", **line},
        )  # fmt: skip

    def _where(self, job: Job, told: Ended) -> str:
        """Why a process came to no end, and the cell it was in."""
        why = f"Its process {told.failure}."
        if not told.said:
            return why
        import nbformat

        # The parameters are injected as a cell of their own, so that the number may be one more.
        cells = nbformat.read(job.notebook, as_version=4).cells
        at = max(0, told.said[1] - (1 if job.values else 0))
        return f"{why}\n\nIt was in this cell:\n{shown(cells[min(at, len(cells) - 1)].source)}"

    def write(self) -> None:
        """Write ``run.json`` and the index, as things stand."""
        outcome.record(self.plan, self.outcomes)
        write_index(self.plan, self.outcomes)


def write_index(plan: Plan, outcomes: Iterable[Outcome]) -> Path:
    """Write the index: links to the pages that stand, errors, and how many are still to come."""
    outcomes = list(outcomes)
    failed = [each for each in outcomes if each.status == FAILED]
    made = [each for each in outcomes if each.is_there]
    html = page.template("index.html.j2").render(
        plan=plan,
        facts={**plan.facts, "Parameters": plan.parameters},
        failed=failed,
        made=made,
        n_waiting=len(outcomes) - len(failed) - len(made),
    )
    return write_whole(plan.folder / "index.html", html, is_shared=plan.is_shared)
