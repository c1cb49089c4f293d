"""The process from which tasks are started, each in a child of its own, held to its limits.

It has no threads, and has loaded what all tasks need. For each task it forks a child, which
inherits all of it and shares its memory; what the child does, nobody else sees. Where there is no
fork, children are started ahead and load for themselves.
"""

import contextlib
import os
import pickle
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from multiprocessing import connection, get_context
from multiprocessing.connection import Client, Connection
from time import monotonic
from typing import Any

from salesnb.report.task import GRACE, LATE, Ended, Limits, run

LOOK = 1.0  # seconds between two looks at who is still there
HERE = b"here"  # what it says first


def main() -> None:
    """The program of the process: it is told on its input where to report."""
    address, key = pickle.loads(sys.stdin.buffer.read())
    os.write(1, HERE)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.close(nothing)
    parent = Client(address, authkey=key)
    with contextlib.suppress(EOFError):
        _serve(parent, *parent.recv())
    os._exit(0)  # what was frozen for the children would be reported as leaking


@dataclass
class _Child:
    key: Any
    process: Any
    pipe: Connection
    limits: Limits
    began: float = field(default_factory=monotonic)
    said: Any = None
    asked_to_stop: bool = False

    @property
    def deadline(self) -> float:
        seconds = self.limits.seconds
        if seconds is None:
            return float("inf")
        return self.began + seconds + (self.limits.grace if self.asked_to_stop else 0)


def _serve(parent: Connection, warm: Callable[[], Any] | None, is_forking: bool) -> None:
    """Start children, pass on what they say, hold them to their limits."""
    if hasattr(os, "setsid"):
        os.setsid()  # Ctrl-C is for the one who asked, who then hangs up
    if is_forking and warm is not None:
        warm()
    starter = _Forking() if is_forking else _Ahead(warm)
    children: dict[Connection, _Child] = {}
    try:
        while True:
            _once_round(parent, starter, children)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # nobody is there any more
    finally:
        for child in children.values():
            _kill(child.process)
        starter.close()


def _once_round(parent: Connection, starter: Any, children: dict[Connection, _Child]) -> None:
    """Wait until somebody has something to say, or is late."""
    late = min((child.deadline for child in children.values()), default=float("inf"))
    timeout = max(0.0, min(late - monotonic(), LOOK)) if children else None
    for pipe in connection.wait([parent, *children], timeout):
        if pipe is parent:
            _obey(parent, starter, children)
        elif isinstance(pipe, Connection):
            _listen(parent, children[pipe], children)
    for child in [*children.values()]:
        # What it has forked may hold its line open, so that it ends without one hearing of it.
        if not child.process.is_alive() and not child.pipe.poll():
            _end(parent, child, children, Ended(failure=_why(child)))
        elif child.deadline <= monotonic():
            _stop(child)


def _obey(parent: Connection, starter: Any, children: dict[Connection, _Child]) -> None:
    verb, *rest = parent.recv()
    if verb == "warm":
        task, args = rest
        if starter.is_forking:
            with contextlib.suppress(Exception):  # what is not there is worked out by each
                task(*args)
        return
    key, task, args, limits = rest
    try:
        process, pipe = starter.start(task, args, limits)
    except OSError as error:
        parent.send((key, Ended(failure=f"could not be started: {error.strerror or error}")))
        return
    children[pipe] = _Child(key, process, pipe, limits)


def _listen(parent: Connection, child: _Child, children: dict[Connection, _Child]) -> None:
    try:
        what = child.pipe.recv()
    except (EOFError, OSError):
        what = Ended(failure=_why(child))
    except Exception as error:
        what = Ended(failure=f"told what cannot be read: {type(error).__name__}: {error}")
    if isinstance(what, Ended):
        _end(parent, child, children, what)
    else:
        child.said = what
        parent.send((child.key, what))


def _end(
    parent: Connection, child: _Child, children: dict[Connection, _Child], what: Ended
) -> None:
    del children[child.pipe]
    _kill(child.process)  # and whatever it has left running
    child.pipe.close()
    seconds = monotonic() - child.began
    told = replace(what, said=child.said, seconds=seconds, is_late=child.asked_to_stop)
    parent.send((child.key, told))


def _why(child: _Child) -> str:
    if child.asked_to_stop:
        return LATE.format(child.limits.seconds)
    child.process.join(GRACE)
    code = child.process.exitcode
    if code is not None and code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended without a word (exit code {code})"


def _stop(child: _Child) -> None:
    """First an interrupt, so that it can still say where it was; then the end."""
    if child.asked_to_stop:
        _kill(child.process)
        return
    child.asked_to_stop = True
    with contextlib.suppress(ProcessLookupError):
        os.kill(child.process.pid, signal.SIGINT)


def _kill(process: Any) -> None:
    """End a child and everything that it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError, AttributeError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()


class _Forking:
    is_forking = True

    def start(self, task: Any, args: Any, limits: Limits) -> tuple[Any, Connection]:
        """Fork a child that runs the task."""
        context = get_context("fork")
        ours, theirs = context.Pipe()
        process = context.Process(target=run, args=(theirs, task, args, limits), daemon=False)
        process.start()
        theirs.close()
        return process, ours

    def close(self) -> None:
        """Nobody waits."""


class _Ahead:
    """Where there is no fork: one child is always loading for the task to come."""

    is_forking = False

    def __init__(self, warm: Callable[[], Any] | None) -> None:
        self.warm = warm
        self.next = self._begun()

    def start(self, task: Any, args: Any, limits: Limits) -> tuple[Any, Connection]:
        """Give the task to the child that is ready, and begin another."""
        (process, pipe), self.next = self.next, self._begun()
        pipe.send((task, args, limits))
        return process, pipe

    def close(self) -> None:
        """End the one who waits."""
        _kill(self.next[0])

    def _begun(self) -> tuple[Any, Connection]:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_wait, args=(theirs, self.warm), daemon=False)
        process.start()
        theirs.close()
        return process, ours


def _wait(pipe: Connection, warm: Callable[[], Any] | None) -> None:
    if warm is not None:
        warm()
    with contextlib.suppress(EOFError):
        run(pipe, *pipe.recv())
