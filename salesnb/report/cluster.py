"""Reports made on many machines, by the workers of a Dask cluster.

Each worker keeps a crew of its own (`crew.Here`): a process beside it, without Dask's threads, that
loads the team and forks a child for each report. Data and notebooks are read, and pages written,
where they lie, under one path or address on all machines; through the scheduler go only the names
of what is to be made, and what became of it. A report whose worker is lost is given to another.
"""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any
from uuid import uuid4

from distributed import Client, Future, LocalCluster, Worker, WorkerPlugin, get_worker

from salesnb.errors import DataError
from salesnb.report import files
from salesnb.report.crew import Here, Ready
from salesnb.report.plan import Job, Plan
from salesnb.report.plan import plan as planned
from salesnb.report.task import Ended

HERE = "local:"
ANSWER = 10.0  # seconds a scheduler has to answer, and its first worker to come
PATIENCE = 120.0  # seconds without any worker, before what is under way is given up
LOOK = 2.0  # seconds without news, before it is asked whether anybody is there
POLL = 0.01
IDLE = 60.0  # seconds before a worker lets its crew go: whoever asked may be gone without a word


class Cluster:
    """A crew of all workers of a cluster, as they come and go (see `crew.Crew`).

    Raises `DataError` if there is no cluster at the address, or not one that can make reports.
    """

    def __init__(self, address: str, ready: Ready) -> None:
        if ready.output is not None and files.is_private(ready.output):
            raise DataError(
                f"{ready.output} is seen by one process only: name a folder or an "
                "address that all machines of the cluster reach."
            )
        self.name = f"salesnb-{uuid4().hex[:8]}"
        self._local = _local(address)
        self._client = _client(address if self._local is None else self._local)
        self._count = count()
        self._running: dict[int, Future | None] = {}
        self._done: SimpleQueue[tuple[int, Future]] = SimpleQueue()
        self._seen = monotonic()
        try:
            self._client.register_plugin(Nursery(ready), name=self.name)
        except Exception as error:
            self.close()
            raise DataError(f"The workers at {address} cannot make reports: {error}") from None

    @property
    def at_once(self) -> int:
        """Twice what its workers do at a time, so that none waits for the next."""
        return max(2, 2 * sum(self._threads().values()))

    def plan(self, *where: Any, **asked: Any) -> Plan:
        """What is to be made, planned in this process. Raises as `plan.plan`."""
        return planned(*where, **asked)

    def is_ready_for(self, job: Job) -> bool:
        """Each worker sees to that for itself."""
        return True

    def begin(self, key: int, job: Job, plan: Plan) -> None:
        """Begin a report; `key` names it in what is `told`."""
        self._running[key] = None
        with suppress(Exception):  # told as lost
            name = f"{self.name}-{next(self._count)}"
            future = self._client.submit(_make, self.name, job, plan, key=name)
            self._running[key] = future
            future.add_done_callback(lambda done: self._done.put((key, done)))

    def told(self, timeout: float | None = None) -> Iterator[tuple[int, Ended]]:
        """What became of each report; ends when none is under way."""
        while self._running:
            try:
                key, future = self._done.get(timeout=LOOK)
            except Empty:
                yield from self._lost()
                continue
            if self._running.get(key) is future:
                del self._running[key]
                yield key, _result(future)

    def _lost(self) -> Iterator[tuple[int, Ended]]:
        """Everything under way, if nobody is there any more to make it."""
        if self._threads():
            self._seen = monotonic()
        is_there = self._client.status == "running"
        if is_there and monotonic() - self._seen < PATIENCE:
            return
        why = "found no worker in the cluster" if is_there else "was lost with the scheduler"
        for key in [*self._running]:
            if future := self._running.pop(key):
                with suppress(Exception):
                    future.cancel()
            yield key, Ended(failure=why)

    def _threads(self) -> dict[str, int]:
        """The workers, and how many reports each makes at a time; none if nobody answers."""
        if self._client.status != "running":
            return {}  # to ask would be to wait for half a minute
        with suppress(Exception):
            return self._client.nthreads()
        return {}

    def close(self) -> None:
        """Take back what is under way, and let the workers' crews go."""
        if self._client.status == "running":
            with suppress(Exception):  # or they find out for themselves, see `IDLE`
                self._client.cancel([each for each in self._running.values() if each])
                self._client.unregister_worker_plugin(self.name)
        self._client.close()
        if self._local:
            self._local.close()


def _local(address: str) -> LocalCluster | None:
    """So many workers on this machine, for ``local:4``; None for any other address."""
    n = address.removeprefix(HERE)
    if address.startswith(HERE) and n.isdecimal() and int(n) > 0:
        # What a worker's crew holds, Dask does not see: limits are kept by the crew itself.
        return LocalCluster(
            n_workers=int(n),
            threads_per_worker=1,
            memory_limit=None,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.ERROR,
        )
    if "://" not in address:
        raise DataError(f"--dask {address}: expected tcp://host:8786, tls://host:8786 or local:4.")
    return None


def _client(where: LocalCluster | str) -> Client:
    try:
        client = Client(where, timeout=ANSWER, set_as_default=False)
    except (OSError, ValueError) as error:
        raise DataError(f"No Dask scheduler answers at {where}: {error}") from None
    try:
        client.wait_for_workers(1, timeout=ANSWER)
    except TimeoutError:
        client.close()
        raise DataError(f"No worker at {where}: start some with `dask worker {where}`.") from None
    return client


def _result(future: Future) -> Ended:
    try:
        return future.result()
    except Exception as error:
        return Ended(failure=f"was given up by the cluster ({type(error).__name__}: {error})")


async def _make(name: str, job: Job, plan: Plan) -> Ended:
    """On a worker, in its loop, so that Dask counts it as one thing under way."""
    nursery = get_worker().plugins[name]
    assert isinstance(nursery, Nursery)
    return await nursery.make(job, plan)


class Nursery(WorkerPlugin):
    """On a worker: the crew that makes its reports, as long as there are any."""

    def __init__(self, ready: Ready) -> None:
        self.ready = ready
        self.crew: Here | None = None
        self.ended: dict[int, Ended] = {}
        self.n_begun = self.n_ended = 0

    def setup(self, worker: Worker) -> None:
        """In the worker's loop; the crew waits for the first report."""
        self.lock = asyncio.Lock()

    async def make(self, job: Job, plan: Plan) -> Ended:
        """Make a report; what became of it."""
        key = self.n_begun
        self.n_begun += 1
        async with self.lock:
            if self.crew is None or not self.crew.is_alive:
                self.crew = await asyncio.to_thread(Here, self.ready)
            crew = self.crew
        while not crew.is_ready_for(job):
            await asyncio.sleep(POLL)
        crew.begin(key, job, plan)
        while key not in self.ended:
            await asyncio.sleep(POLL)
            self.ended.update(crew.told(0))
        self.n_ended += 1
        asyncio.get_running_loop().call_later(IDLE, self._rest, self.n_begun)
        return self.ended.pop(key)

    def _rest(self, n_begun: int) -> None:
        if self.n_begun == self.n_ended == n_begun:
            self._close()

    async def teardown(self, worker: Worker) -> None:
        """The run is over, or the worker."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        crew, self.crew = self.crew, None
        if crew:
            crew.close()
