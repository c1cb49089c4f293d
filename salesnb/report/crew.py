"""Who makes the reports: the processes of this machine, or those of a cluster (see `cluster`)."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

from salesnb.errors import DataError
from salesnb.report import making
from salesnb.report.files import Place
from salesnb.report.plan import Job, Plan
from salesnb.report.task import ANY, Ended, Limits
from salesnb.report.workers import CAN_FORK, Workers

NURSERIES = 3  # one after the other, before reports are told as failed
PATIENCE = 60.0  # seconds for a notebook's first report, which may hang, before others begin


@dataclass(frozen=True)
class Ready:
    """What is at hand before the first report is begun.

    folder : the data set that most reports are about, loaded once; None loads none
    cache : the folder for what is worked out once for the team; None keeps nothing on disk
    output : where the pages will go
    limits : what a report may take
    is_forced : whether pages that stand are made again
    is_forking : whether processes are forked from a warm one
    """

    folder: str | None = None
    cache: str | None = None
    output: Place | None = None
    limits: Limits = ANY
    is_forced: bool = False
    is_forking: bool = CAN_FORK


class Crew(Protocol):
    """Makes reports, as many at once as are begun."""

    @property
    def at_once(self) -> int:
        """How many it would like to have under way, at most."""

    def plan(self, *where: Any, **asked: Any) -> Plan:
        """What is to be made: `plan.plan`, where the team is loaded. Raises as that does."""

    def is_ready_for(self, job: Job) -> bool:
        """Whether a report is better begun now than when another has ended."""

    def begin(self, key: int, job: Job, plan: Plan) -> None:
        """Begin a report; `key` names it in what is `told`."""

    def told(self, timeout: float | None = None) -> Iterator[tuple[int, Ended]]:
        """What became of each report; ends when none is under way.

        May end too when none has ended for `timeout` s.
        """

    def close(self) -> None:
        """End everything, also what is under way."""


class Here:
    """A crew of this machine: each report in a process forked from one that has the team.

    If that one is killed, there is another, up to a limit.
    """

    def __init__(self, ready: Ready) -> None:
        self.at_once = os.cpu_count() or 1
        self.ready = ready
        self._jobs: dict[Any, Job] = {}
        self._asked: frozenset[str] = frozenset()
        self._first: dict[Path, float] = {}  # by notebook: until when others wait
        self._started: list[Workers] = []
        self._start()

    def _start(self) -> None:
        ready = self.ready
        warm = partial(making.ready, ready.folder, ready.cache, ready.output)
        self._started.append(Workers(warm, is_forking=ready.is_forking))
        self._known: frozenset[str] = frozenset()

    @property
    def workers(self) -> Workers:
        """Those who are there now."""
        return self._started[-1]

    def plan(self, *where: Any, **asked: Any) -> Plan:
        """What is to be made: `plan.plan`, so that the team is loaded but once.

        Raises as that, and `RuntimeError` if the process that plans is killed.
        """
        self.workers.start("plan", partial(making.planned, asked=asked), *where)
        (told,) = (told for _, told in self.workers.told() if isinstance(told, Ended))
        if isinstance(told.value, DataError):
            raise told.value
        if told.value is None:
            raise RuntimeError(f"No plan could be made: its process {told.failure}.")
        return told.value

    def is_ready_for(self, job: Job) -> bool:
        """Not while a notebook's first report works out what the others will find answered."""
        return not self.ready.is_forking or self._first.get(job.notebook, 0.0) <= monotonic()

    def begin(self, key: Any, job: Job, plan: Plan) -> None:
        """Begin a report; what others have asked about the whole team, it finds answered."""
        if not self.is_alive and len(self._started) < NURSERIES:
            self._start()
        new = self._asked - self._known
        if new and self.ready.folder is not None:
            self._known |= new
            self.workers.warm(making.known, self.ready.folder, new)
        self._jobs[key] = job
        self._first.setdefault(job.notebook, monotonic() + PATIENCE)
        task = (making.make, job, plan, self.ready.is_forced)
        self.workers.start(key, *task, limits=self.ready.limits)

    def told(self, timeout: float | None = None) -> Iterator[tuple[Any, Ended]]:
        """What became of each report; ends when none is, or none has ended for `timeout` s."""
        asked = None
        while asked is not self.workers:  # others may have been started meanwhile
            asked = self.workers
            for key, what in asked.told(timeout):
                if isinstance(what, Ended):
                    self._learn(self._jobs.pop(key), what.value)
                    yield key, what

    def _learn(self, job: Job, made: making.Made | None) -> None:
        self._first[job.notebook] = 0.0
        if made and job.values.get("data") == self.ready.folder:
            self._asked |= made.asked

    @property
    def is_alive(self) -> bool:
        """Whether reports can be begun."""
        return self.workers.is_alive

    def close(self) -> None:
        """End everything, also what is under way."""
        for workers in self._started:
            workers.close()
