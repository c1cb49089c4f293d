"""How far a run is: one bar where somebody watches, a line now and then where nobody does."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from salesnb.display import plain
from salesnb.report.outcome import FAILED, WAITING, Outcome

log = logging.getLogger(__name__)
SLOW = 4.0  # times as long as the others


class Bar:
    """Reports done and failed, rate, time left, and what is slow."""

    def __init__(self, progress: Progress, n: int) -> None:
        self.progress = progress
        self.task = progress.add_task("Notebooks", total=n, failed=0, rate="", slow="")
        self.began = monotonic()
        self.slowest: tuple[float, str] = (0.0, "")
        self.seconds = 0.0
        self.n_done = self.n_failed = self.n_tried = 0

    def add(self, outcome: Outcome) -> None:
        """One more has ended; one that is tried again is waiting."""
        name = plain(f"{outcome.job.notebook.stem} {outcome.job.about}".strip())
        self.n_failed += outcome.status == FAILED
        self.n_done += outcome.status != WAITING
        self.n_tried += 1
        seconds = outcome.seconds or 0.0
        self.seconds += seconds
        self.slowest = max(self.slowest, (seconds, name))
        log.info("%s: %s in %.1f s%s", name, outcome.status, seconds, _because(outcome))
        is_slow = self.slowest[0] > SLOW * self.seconds / self.n_tried
        self.progress.update(
            self.task,
            completed=self.n_done,
            failed=self.n_failed,
            rate=f"{self.n_done / max(monotonic() - self.began, 0.1):.1f}/s",
            slow=f"slow: {self.slowest[1]} ({self.slowest[0]:.0f} s)" if is_slow else "",
        )


def _because(outcome: Outcome) -> str:
    return f": {plain(outcome.error.splitlines()[0])}" if outcome.error else ""


@contextmanager
def bar(n: int, n_all: int) -> Iterator[Bar]:
    """A bar for `n` jobs of `n_all`; nothing is drawn where the output is no terminal."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]} failed  {task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[slow]}", markup=False),  # a name is no markup
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        if n < n_all:
            console.print(f"{n_all - n} of {n_all} unchanged.")
        yield Bar(progress, n)
