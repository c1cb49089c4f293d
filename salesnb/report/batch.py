"""Every page of one day: run the notebooks side by side, write their pages and the index.

The pages are the truth of it: each says what it was made from, and appears whole or not at all.
So a run that was stopped, in whatever way, goes on where it was, and one that finds nothing
changed makes nothing.
"""

import re
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

from salesnb.errors import DataError
from salesnb.report import index, making, outcome, progress
from salesnb.report.crew import Crew, Here, Ready
from salesnb.report.files import Place, alone, cannot_be_written, place, share
from salesnb.report.notebook import shown
from salesnb.report.outcome import FAILED, MADE, UNCHANGED, WAITING, Outcome
from salesnb.report.plan import Job, Plan
from salesnb.report.task import Ended, Limits
from salesnb.report.workers import CAN_FORK

TRIES = 3  # of a job whose process is killed; an error in a notebook is not tried again
OUT_OF_MEMORY = re.compile(r"\w*MemoryError:")  # NumPy has one of its own
SAID_EVERY = 2.0  # seconds between two writings of run.json
QUIET = 5.0  # seconds without news, before it is asked whether more can be begun
LOOKS = 32  # pages looked at side by side, since a store that is far away takes its time


@dataclass(frozen=True)
class Options:
    """How a plan is run.

    workers : notebooks run at a time; as many as there are cores, or a cluster takes, if None
    seconds, memory : what a job may take, on the clock and in MiB beyond what all share
    is_forced : whether pages that stand are made again
    cache : the folder for what is worked out once for the team; None keeps nothing on disk
    is_forking : whether processes are forked from a warm one, where that can be done
    dask : the cluster that makes the pages, ``tcp://host:8786`` or ``local:4``; empty for none
    """

    workers: int | None = None
    seconds: float | None = 600
    memory: float | None = 4096
    is_forced: bool = False
    cache: str | Path | None = None
    is_forking: bool = CAN_FORK
    dask: str = ""


def crew(source: str | None, output: str | Place, options: Options = Options()) -> Crew:
    """Who can make reports about these data, and the plan for them.

    Raises `DataError` if there is no such cluster, or nobody can write to `output`.
    """
    limits = Limits(options.seconds, options.memory)
    cache = None if options.cache is None else str(options.cache)
    ready = Ready(source, cache, place(output), limits, options.is_forced, options.is_forking)
    if not options.dask:
        return Here(ready)
    try:
        from salesnb.report.cluster import Cluster
    except ModuleNotFoundError as error:
        raise DataError(f"--dask needs {error.name}: pip install 'salesnb[dask]'.") from None
    return Cluster(options.dask, ready)


def run(plan: Plan, options: Options = Options(), ready: Crew | None = None) -> list[Outcome]:
    """Run every job whose pages do not stand yet, write pages, index and ``run.json``.

    By a crew that is `ready`, or by one of its own.

    A notebook that fails is on the index with its error; the others still run. Raises `DataError`
    if there is no such cluster, another run is writing into the same folder, or nothing can be
    written there; `OSError` if in the end the index cannot be, and `KeyboardInterrupt` after it
    was, if the run is stopped.
    """
    with alone(plan.folder, is_shared=plan.is_shared):
        batch = _Batch(plan, options)
        if not batch.waiting:
            batch.write_first()
            return batch.outcomes
        own = ready or crew(batch.data, plan.folder, options)
        with nullcontext() if ready else closing(own):
            batch.write_first()
            try:
                with progress.bar(len(batch.waiting), len(batch.outcomes)) as shown_as:
                    batch.go(own, shown_as)
            finally:
                batch.look()
                batch.write()
    return batch.outcomes


class _Batch:
    def __init__(self, plan: Plan, options: Options) -> None:
        self.plan, self.options = plan, options
        # What every child is told with its job: not all the others' jobs.
        frames = [(replace(part, jobs=()), part.jobs) for part in plan.parts]
        self.todo = [(job, frame) for frame, jobs in frames for job in jobs]
        self.outcomes = [*_standing(self.todo, options.is_forced)]
        self.waiting = deque(n for n, each in enumerate(self.outcomes) if each.status != UNCHANGED)
        self.n_begun = 0
        self.written = monotonic()

    @property
    def data(self) -> str | None:
        """The data set that the jobs are about, if they are about one."""
        return self.plan.source if any("data" in job.values for job, _ in self.todo) else None

    def write_first(self) -> None:
        """Write how things stand before anything is made: where that cannot be, nothing is."""
        try:
            self.write()
        except OSError as error:
            raise cannot_be_written(self.plan.folder, error) from error

    def go(self, crew: Crew, shown_as: progress.Bar) -> None:
        """Have made what waits, so many at a time."""
        self._begin(crew)
        while self.n_begun:
            for key, ended in crew.told(QUIET):
                self.n_begun -= 1
                self._note(key, ended)
                shown_as.add(self.outcomes[key])
                self._begin(crew)
                self._say()
            self._begin(crew)  # what was better not begun yet

    def _say(self) -> None:
        if monotonic() - self.written > SAID_EVERY:
            with suppress(OSError):  # a disk that is full now may not be at the end
                outcome.record(self.plan, self.outcomes)
            self.written = monotonic()

    def _begin(self, crew: Crew) -> None:
        most = self.options.workers or crew.at_once
        while self.n_begun < most:
            ready = (key for key in self.waiting if crew.is_ready_for(self.todo[key][0]))
            if (key := next(ready, None)) is None:
                return
            self.waiting.remove(key)
            crew.begin(key, *self.todo[key])
            self.n_begun += 1

    def _note(self, key: int, told: Ended) -> None:
        before = self.outcomes[key]
        made = told.value or making.Made({"error": self._where(before.job, told)})
        making.write(made.pages, self.todo[key][1])
        line = dict(made.line)
        if told.value and (why := self._beyond(told, line.get("error", ""))):
            line["error"] = f"{why}\n\n{line.get('error', '')}"
        status, tries = FAILED if "error" in line else MADE, before.tries + 1
        was_killed = told.value is None and not told.is_late
        if was_killed and tries < TRIES:
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
        for key, (job, plan) in enumerate(self.todo):
            if self.outcomes[key].status != WAITING:
                continue
            found = outcome.standing(job, plan.folder)
            if found.is_there:
                self.outcomes[key] = found

    def write(self) -> None:
        """Write ``run.json`` and the index, as things stand."""
        outcome.record(self.plan, self.outcomes)
        index.write(self.plan, self.outcomes)
        shown = [self.plan.folder / "index.html"]
        for each, (job, plan) in zip(self.outcomes, self.todo, strict=True):
            if each.status == UNCHANGED:
                shown += [plan.folder / name for name in job.pages]
        share(shown, self.plan.is_shared)


def _standing(todo: list[tuple[Job, Plan]], is_forced: bool) -> Iterator[Outcome]:
    """What stands of each job before the run."""

    def look(each: tuple[Job, Plan]) -> Outcome:
        job, plan = each
        return outcome.to_make(job) if is_forced else outcome.standing(job, plan.folder)

    with ThreadPoolExecutor(LOOKS) as pool:
        yield from pool.map(look, todo)
