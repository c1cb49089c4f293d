"""Tasks side by side, each in a process of its own that begins with everything loaded.

The processes are children of a *nursery* (see `nursery`). One that is killed, hangs or asks for too
much memory is an event, not an end: the others go on.
"""

import contextlib
import os
import pickle
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from multiprocessing.connection import Listener
from typing import Any

from salesnb.report import nursery
from salesnb.report.task import ANY, GRACE, Ended, Limits

# What is loaded in the nursery computes with one thread: a fork must not find more.
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")
NO_DEBUGGER = "PYDEVD_DISABLE_FILE_VALIDATION"  # which else warns of breakpoints it would miss
# Large blocks of memory go back to the system when they are free: every process keeps its own else.
MEMORY = {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_MMAP_THRESHOLD_": str(2**20)}
CAN_FORK = hasattr(os, "fork")
PROGRAM = f"from {nursery.__name__} import main; main()"


class Workers:
    """Run tasks, each in a process of its own; as many at once as are given.

    warm : called once in the nursery, or in each child that is started ahead
    is_forking : whether children are forked; the answers are the same either way

    Raises `RuntimeError` if the nursery cannot be started.
    """

    def __init__(
        self, warm: Callable[[], Any] | None = None, *, is_forking: bool = CAN_FORK
    ) -> None:
        # A new process, not forked: whoever asks may have threads, and locks that they hold.
        key = secrets.token_bytes(32)
        with Listener(authkey=key) as door:
            self._nursery = subprocess.Popen(
                [sys.executable, "-c", PROGRAM],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=MEMORY | os.environ | dict.fromkeys((*ONE_THREAD, NO_DEBUGGER), "1"),
            )
            stdin, stdout = self._nursery.stdin, self._nursery.stdout
            assert stdin is not None
            assert stdout is not None
            with contextlib.suppress(BrokenPipeError), stdin:
                stdin.write(pickle.dumps((door.address, key)))
            with stdout:
                said = stdout.read(len(nursery.HERE))
            if said != nursery.HERE:  # nobody would come to the door
                code = self._nursery.wait()
                raise RuntimeError(f"The workers could not be started (exit code {code}).")
            self._pipe = door.accept()
        self._running: set[Any] = set()
        self._send((warm, is_forking))

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, key: Any, task: Callable[..., Any], *args: Any, limits: Limits = ANY) -> None:
        """Begin ``task(*args)``, a function of a module; `key` names it in what is `told`."""
        self._running.add(key)
        self._send(("start", key, task, args, limits))

    def warm(self, task: Callable[..., Any], *args: Any) -> None:
        """Call ``task(*args)`` in the nursery, for all who are forked from now on."""
        self._send(("warm", task, args))

    def told(self, timeout: float | None = None) -> Iterator[tuple[Any, Any]]:
        """What the tasks under way say, and at last what became of each: ``key, Ended``.

        Ends when nothing is under way, or nothing was said for `timeout` seconds.
        """
        while self._running and self._pipe.poll(timeout):
            try:
                key, what = self._pipe.recv()
            except (EOFError, ConnectionResetError):
                self._nursery.wait()
                break
            if isinstance(what, Ended):
                self._running.discard(key)
            yield key, what
        while self._running and not self.is_alive:  # what is started meanwhile is told as well
            yield (
                self._running.pop(),
                Ended(failure="could not be started, or was stopped from outside"),
            )

    def _send(self, what: Any) -> None:
        with contextlib.suppress(BrokenPipeError):  # told as a failure of all that is under way
            self._pipe.send(what)

    @property
    def is_alive(self) -> bool:
        """Whether tasks can be started."""
        return self._nursery.poll() is None

    def close(self) -> None:
        """End everything, also what is under way."""
        self._pipe.close()
        try:
            self._nursery.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._nursery.kill()
            self._nursery.wait()
