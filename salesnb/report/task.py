"""One task in a process of its own: its limits, what it says on the way, and how it ends."""

import contextlib
import ctypes
import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

try:
    import resource
except ImportError:  # Windows, where no task is held to a limit of memory
    resource = None  # type: ignore[assignment]

GRACE = 5.0  # seconds between asking a process to stop and making it
LATE = "took longer than {:g} s"
END_WITH_PARENT = 1  # PR_SET_PDEATHSIG, see prctl(2)
# M_MMAP_THRESHOLD and M_TRIM_THRESHOLD, see mallopt(3). A process that ends in a second keeps what
# it frees: each page that it asks for anew is emptied by the system, a quarter of all it touches.
KEPT = {-3: 4 * 2**20, -1: 8 * 2**20}


@dataclass(frozen=True)
class Limits:
    """What a task may take: seconds on the clock, and MiB beyond what it inherits.

    grace : seconds between the interrupt of a task that is late and its end
    """

    seconds: float | None = None
    memory: float | None = None
    grace: float = GRACE


ANY = Limits()


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


def say(what: Any) -> None:
    """Tell whoever started the task this process runs."""
    if _to_nursery is not None:
        _to_nursery.send(what)


_to_nursery: Connection | None = None


def run(pipe: Connection, task: Callable[..., Any], args: Any, limits: Limits) -> None:
    """The life of the process: do the task, tell what became of it."""
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
        libc = ctypes.CDLL(None)
        libc.prctl(END_WITH_PARENT, signal.SIGKILL)
        with contextlib.suppress(AttributeError):  # another C library
            for parameter, n_bytes in KEPT.items():
                libc.mallopt(parameter, n_bytes)
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
