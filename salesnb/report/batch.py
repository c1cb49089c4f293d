"""Every page of one day: run the notebooks side by side, write their pages and the index.

The pages are the truth of it: each says what it was made from, and appears whole or not at all.
So a run that was stopped, in whatever way, goes on where it was, and one that finds nothing
changed makes nothing.
"""

import os
import re
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import monotonic

from salesnb.report import making, outcome, page, progress
from salesnb.report.files import alone, share, write_whole
from salesnb.report.notebook import shown
from salesnb.report.outcome import FAILED, MADE, UNCHANGED, WAITING, Outcome
from salesnb.report.plan import Job, Plan
from salesnb.report.workers import CAN_FORK, Ended, Limits, Workers

TRIES = 3  # of a job whose process is killed; an error in a notebook is not tried again
OUT_OF_MEMORY = re.compile(r"\w*MemoryError:")  # NumPy has one of its own
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


def run(plan: Plan, options: Options = Options()) -> list[Outcome]:
    """Run every job whose pages do not stand yet, write pages, index and ``run.json``.

    A notebook that fails is on the index with its error; the others still run. Raises `OSError`
    if the index cannot be written, `KeyboardInterrupt` after it was, if the run is stopped, and
    `DataError` if another run is writing into the same folder.
    """
    with alone(plan.folder, is_shared=plan.is_shared):
        batch = _Batch(plan, options)
        try:
            if batch.waiting:
                batch.write()
                with progress.bar(len(batch.waiting), len(plan.jobs)) as shown_as:
                    batch.go(shown_as)
        finally:
            batch.look()
            batch.write()
    return batch.outcomes


class _Batch:
    def __init__(self, plan: Plan, options: Options) -> None:
        self.plan, self.options = plan, options
        begin = outcome.to_make if options.is_forced else partial(outcome.standing, plan.folder)
        self.outcomes = [begin(job) for job in plan.jobs]
        self.waiting = deque(n for n, each in enumerate(self.outcomes) if each.status != UNCHANGED)
        self.frame = replace(plan, jobs=())  # what every child is told; not all the others' jobs
        self.known: frozenset[str] = frozenset()
        self.written = monotonic()

    def go(self, shown_as: progress.Bar) -> None:
        """Run what waits, each in a process of its own, so many at a time.

        If the process from which they are started is killed, there is another, up to a limit.
        """
        folder = next((str(j.values["data"]) for j in self.plan.jobs if "data" in j.values), None)
        cache = None if self.options.cache is None else str(self.options.cache)
        warm = partial(making.ready, folder, cache)
        for _ in range(TRIES):
            if self.waiting:
                self.known = frozenset()
                with Workers(warm, is_forking=self.options.is_forking) as crew:
                    self._run(crew, folder, shown_as)
        for key in self.waiting:
            self._note(key, Ended(failure="could not be started"), is_last=True)
            shown_as.add(self.outcomes[key])

    def _run(self, crew: Workers, folder: str | None, shown_as: progress.Bar) -> None:
        for _ in range(min(self.options.workers or os.cpu_count() or 1, len(self.waiting))):
            self._next(crew)
        for key, told in crew.told():
            if not isinstance(told, Ended):
                continue
            self._note(key, told)
            self._learn(crew, folder, told)
            shown_as.add(self.outcomes[key])
            self._next(crew)
            if monotonic() - self.written > SAID_EVERY:
                with suppress(OSError):  # a disk that is full now may not be at the end
                    outcome.record(self.plan, self.outcomes)
                self.written = monotonic()

    def _next(self, crew: Workers) -> None:
        if not (self.waiting and crew.is_alive):
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

    def _note(self, key: int, told: Ended, *, is_last: bool = False) -> None:
        before = self.outcomes[key]
        line = dict(told.value[0]) if told.value else {"error": self._where(before.job, told)}
        if told.value and (why := self._beyond(told, line.get("error", ""))):
            line["error"] = f"{why}\n\n{line.get('error', '')}"
        status, tries = FAILED if "error" in line else MADE, before.tries + 1
        was_killed = told.value is None and not told.is_late
        if was_killed and tries < TRIES and not is_last:
            status = WAITING
            self.waiting.append(key)
        self.outcomes[key] = replace(
            before, status=status, tries=tries,
            seconds=told.seconds, cpu=told.cpu, peak=told.peak, **{"error": "", **line},
        )  # fmt: skip

    def _beyond(self, told: Ended, error: str) -> str:
        """Which limit a notebook that could still say where it was had come to."""
        if told.is_late:
            return f"Took longer than {self.options.seconds:g} s."
        if OUT_OF_MEMORY.match(error) and self.options.memory is not None:
            return f"Asked for more than {self.options.memory:g} MiB of memory."
        return ""

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

    def look(self) -> None:
        """Find the pages that stand although nobody could say so any more."""
        for key, each in enumerate(self.outcomes):
            if each.status != WAITING:
                continue
            found = outcome.standing(self.plan.folder, each.job)
            if found.is_there:
                self.outcomes[key] = found

    def write(self) -> None:
        """Write ``run.json`` and the index, as things stand."""
        outcome.record(self.plan, self.outcomes)
        index = write_index(self.plan, self.outcomes)
        old = [each.job for each in self.outcomes if each.status == UNCHANGED]
        pages = [self.plan.folder / name for job in old for name in job.pages]
        share([index, *pages], self.plan.is_shared)


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
