"""Each task in a process of its own, within limits, that begins with everything loaded.

A *nursery* is one process without threads that has loaded what all tasks need. For each task it
forks a child, which inherits all of it and shares its memory; what the child does, nobody else
sees. Where there is no fork, children are started ahead and load for themselves. A child that is
killed, hangs or asks for too much memory is an event, not an end: the others go on.
"""

import contextlib
import ctypes
import os
import pickle
import secrets
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from multiprocessing import connection, get_context
from multiprocessing.connection import Client, Connection, Listener
from time import monotonic
from typing import Any

try:
    import resource
except ImportError:  # Windows, where no child is held to a limit of memory
    resource = None  # type: ignore[assignment]

# What is loaded in the nursery computes with one thread: a fork must not find more.
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")
NO_DEBUGGER = "PYDEVD_DISABLE_FILE_VALIDATION"  # which else warns of breakpoints it would miss
GRACE = 5.0  # seconds between asking a process to stop and making it
LOOK = 1.0  # seconds between two looks at who is still there
HERE = b"here"  # what the nursery says first
LATE = "took longer than {:g} s"
END_WITH_PARENT = 1  # PR_SET_PDEATHSIG, see prctl(2)
CAN_FORK = hasattr(os, "fork")


@dataclass(frozen=True)
class Limits:
    """What a task may take: seconds on the clock, and MiB beyond what it inherits.

    grace : seconds between the interrupt of a task that is late and its end
    """

    seconds: float | None = None
    memory: float | None = None
    grace: float = GRACE


@dataclass(frozen=True)
class Ended:
    """What became of a task.

    value : what it returned, None if it came to no end
    failure : why it came to no end, or empty
    said : the last it had said
    seconds, cpu : on the clock, and of the processor
    peak : most memory it held, in MiB, what it inherited included; blank if it was killed
    is_late : whether it was stopped at its time limit
    """

    value: Any = None
    failure: str = ""
    said: Any = None
    seconds: float = 0.0
    cpu: float = 0.0
    peak: float = float("nan")
    is_late: bool = False


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
                [sys.executable, "-c", f"from {__name__} import main; main()"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | dict.fromkeys((*ONE_THREAD, NO_DEBUGGER), "1"),
            )
            stdin, stdout = self._nursery.stdin, self._nursery.stdout
            assert stdin is not None
            assert stdout is not None
            with contextlib.suppress(BrokenPipeError), stdin:
                stdin.write(pickle.dumps((door.address, key)))
            with stdout:
                is_here = stdout.read(len(HERE)) == HERE  # or nobody would come to the door
            if not is_here:
                code = self._nursery.wait()
                raise RuntimeError(f"The workers could not be started (exit code {code}).")
            self._pipe = door.accept()
        self._running: set[Any] = set()
        self._send((warm, is_forking))

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(
        self, key: Any, task: Callable[..., Any], *args: Any, limits: Limits = Limits()
    ) -> None:
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


def say(what: Any) -> None:
    """Tell whoever started the task this process runs."""
    if _to_nursery is not None:
        _to_nursery.send(what)


_to_nursery: Connection | None = None


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
    """The nursery: start children, pass on what they say, hold them to their limits."""
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
        process = context.Process(target=_run, args=(theirs, task, args, limits), daemon=False)
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
        _run(pipe, *pipe.recv())


def _run(pipe: Connection, task: Callable[..., Any], args: Any, limits: Limits) -> None:
    """A child's life."""
    global _to_nursery
    _to_nursery = pipe
    try:
        _alone(limits)
        ended = Ended(value=task(*args))
    except KeyboardInterrupt:
        ended = Ended(failure=LATE.format(limits.seconds))
    except MemoryError:
        ended = Ended(failure=f"asked for more than {limits.memory:g} MiB of memory")
    except BaseException:
        ended = Ended(failure=traceback.format_exc(limit=-3))
    try:
        pipe.send(_measured(ended))
    except Exception as error:
        pipe.send(Ended(failure=f"could not be told: {error}"))
    pipe.close()
    with contextlib.suppress(Exception):
        sys.stdout.flush()
    os._exit(0)  # nothing that was inherited is to be tidied up by a child


def _alone(limits: Limits) -> None:
    """Its own chance and group of processes, that ends with the nursery; memory within limits."""
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
    if not hasattr(os, "setpgid"):
        return
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(END_WITH_PARENT, signal.SIGKILL)
    if limits.memory is not None and resource is not None:
        most = int(_held() + limits.memory * 2**20)
        _, allowed = resource.getrlimit(resource.RLIMIT_DATA)
        if allowed == resource.RLIM_INFINITY or most < allowed:
            resource.setrlimit(resource.RLIMIT_DATA, (most, allowed))


def _held() -> int:
    """Bytes of private memory this process has asked for, where the system tells."""
    with contextlib.suppress(OSError), open("/proc/self/status") as status:  # noqa: PTH123
        for line in status:
            if line.startswith("VmData"):
                return int(line.split()[1]) * 1024
    return 0


def _measured(ended: Ended) -> Ended:
    if resource is None:
        return ended
    used = resource.getrusage(resource.RUSAGE_SELF)
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return replace(ended, cpu=used.ru_utime + used.ru_stime, peak=used.ru_maxrss / unit)


def main() -> None:
    """The nursery's own program: it is told on its input where to report."""
    address, key = pickle.loads(sys.stdin.buffer.read())
    os.write(1, HERE)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.close(nothing)
    parent = Client(address, authkey=key)
    with contextlib.suppress(EOFError):
        _serve(parent, *parent.recv())
    os._exit(0)  # what was frozen for the children would be reported as leaking
