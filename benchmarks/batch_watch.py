"""A program watched from outside: when its pages appear, what its processes take and hold."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import filter as filter_names
from pathlib import Path
from time import monotonic, sleep

import psutil

POLL = 0.02  # seconds between two looks at the folder


@dataclass
class Seen:
    """What was seen of a run: at each report the seconds and the CPU seconds so far."""

    at: list[tuple[float, float]] = field(default_factory=list)
    seconds: float = 0.0
    cpu: float = 0.0
    pss: float = 0.0  # MiB that its child processes held together at most, shared pages once

    def steady(self, skip: int, workers: int) -> tuple[float, float]:
        """Seconds and CPU seconds per report once it runs, and at the end as busy as then.

        The first reports, which still pay for the start, are left out.
        """
        last = len(self.at) - (workers > 1)
        n = (last - skip) // workers * workers
        begin, end = ([(0.0, 0.0), *self.at][at] for at in (skip, skip + n))
        return (end[0] - begin[0]) / n, (end[1] - begin[1]) / n


def watch(command: list[str], out: Path, pattern: str, weighs: bool = False) -> Seen:
    """Run a command and look at its processes whenever a page appears."""
    out.mkdir(parents=True, exist_ok=True)
    seen, began = Seen(), monotonic()
    alone = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    alone |= {"XDG_CACHE_HOME": str(out / "cache")}  # nothing is known from another run
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=alone)
    tree = psutil.Process(process.pid)
    while not _is_over(tree):
        # Folders come and go under way: `walk` passes over them, `rglob` would not.
        there = sum(len(filter_names(names, pattern)) for *_, names in os.walk(out))
        if there > len(seen.at):
            spent = (monotonic() - began, _cpu(tree))
            seen.at += [spent] * (there - len(seen.at))
        if weighs:
            seen.pss = max(seen.pss, sum(map(_pss, _family(tree)[1:])))
        sleep(10 * POLL if weighs else POLL)
    seen.seconds, seen.cpu = monotonic() - began, _cpu(tree)
    if process.wait():
        raise SystemExit(f"failed: {' '.join(command)}")
    return seen


def _is_over(process: psutil.Process) -> bool:
    """Whether it has ended; until it is waited for its times can still be read."""
    return process.status() == psutil.STATUS_ZOMBIE


def _family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _cpu(process: psutil.Process) -> float:
    def times() -> Iterator[float]:
        for each in _family(process):
            try:
                used = each.cpu_times()
            except psutil.NoSuchProcess:
                continue
            yield used.user + used.system + used.children_user + used.children_system

    return sum(times())


def _pss(process: psutil.Process) -> float:
    try:
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
