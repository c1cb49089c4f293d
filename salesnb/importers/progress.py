"""How far an import is: one bar where somebody watches, nothing where nobody does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from salesnb.display import plain

# How much of the time lies behind when the tables are read, told, checked; measured on one export.
READ, MADE, CHECKED = 0.25, 0.75, 0.9

_tell: ContextVar[Callable[[str, float], None] | None] = ContextVar("tell", default=None)


def tell(what: str, done: float) -> None:
    """Say what begins now, when so much (0-1) of the whole is done."""
    if told := _tell.get():
        told(what, done)


@contextmanager
def bar(console: Console | None = None) -> Iterator[None]:
    """A bar for the import within; nothing is drawn where the output is no terminal."""
    console = console or Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),  # a name is no markup
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    hidden = not console.is_terminal
    with Progress(*columns, console=console, disable=hidden, transient=True) as progress:
        task = progress.add_task("Importing", total=1.0)

        def told(what: str, done: float) -> None:
            progress.update(task, description=plain(what), completed=done)

        token = _tell.set(told)
        try:
            yield
        finally:
            _tell.reset(token)
