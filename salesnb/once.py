"""What is worked out once for a team, however many findings ask for it.

A team never changes, so an answer about it stays true: it is kept with the team in memory. What
took long and is asked of the whole team can be kept on disk too, for other processes and for
tomorrow (`keep_in`); there it is found again by the data's fingerprint, the code's and the
libraries' versions. A file that is not what was written, or that others could have written, is not
read: its answer is worked out again.
"""

import hashlib
import io
import os
import pickle
import stat
from collections.abc import Callable
from contextlib import contextmanager, suppress
from functools import cache, partial, wraps
from importlib import import_module
from importlib.metadata import version
from inspect import Parameter, Signature, signature
from pathlib import Path
from time import process_time
from typing import Any, ParamSpec, TypeVar

from filelock import FileLock

from salesnb import door, language

Given = ParamSpec("Given")
Answer = TypeVar("Answer")

SLOW = 0.2  # seconds of computing, from which an answer is worth a file
MOST = 2 * 2**30  # bytes of a folder, before the answers not asked for longest are thrown away
PATIENCE = 600  # seconds to wait for somebody else's answer
LIBRARIES = ("numpy", "pandas", "scipy", "scikit-learn", "statsmodels", "pyarrow")

_asked: set[str] = set()
_folder: Path | None = None


def once(function: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """Let ``function(team, ...)`` be worked out once for each team and each set of arguments.

    The answer is handed to everybody who asks: it is not to be changed. What takes long and asks
    for nothing but the team is kept on disk, if a folder was named.
    """
    return _remembered(function, on_disk=True)


def once_here(function: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """As `once`, in memory alone: for what is quicker made again than read."""
    return _remembered(function, on_disk=False)


def _remembered(function: Callable[Given, Answer], *, on_disk: bool) -> Callable[Given, Answer]:
    name = f"{function.__module__}:{function.__qualname__}"
    takes = signature(function)

    @wraps(function)
    def asked(*args: Given.args, **options: Given.kwargs) -> Answer:
        team: Any = args[0]
        answers = team.__dict__.setdefault("_once", {})
        asked_of = takes.bind(*args, **options)
        asked_of.apply_defaults()
        options_of = (*asked_of.args[1:], *asked_of.kwargs.items())
        key = (language.now(), name, *options_of)  # an answer may hold words
        if key not in answers:
            is_of_team = options_of == _defaults(takes)
            work = partial(function, *args, **options)
            answers[key] = _kept(name, team, work) if is_of_team and on_disk else work()
            if is_of_team:
                _asked.add(name)
        return answers[key]

    return asked


def _defaults(takes: Signature) -> tuple[Any, ...]:
    """What a function is asked with if it is asked of the team alone."""
    options = list(takes.parameters.values())[1:]
    own = [(o.name, o.default) if o.kind is Parameter.KEYWORD_ONLY else o.default for o in options]
    return tuple(own)


def forget(team: Any) -> None:
    """Drop what is kept in memory: answers hold the team, and so all its tables, as it holds them.

    For an earlier day of a large team that nobody will ask about again, or to measure how long it
    takes.
    """
    team.__dict__.pop("_once", None)


def asked_for() -> frozenset[str]:
    """The names of what this process worked out for a whole team, to be given to `ahead`."""
    return frozenset(_asked)


def ahead(team: Any, names: frozenset[str]) -> None:
    """Have answers about the whole team ready before anybody asks; what fails is asked again."""
    for name in sorted(names):
        module, _, function = name.partition(":")
        with suppress(Exception):
            getattr(import_module(module), function)(team)


def keep_in(folder: str | Path | None) -> None:
    """Keep what takes long in files of this folder; None keeps nothing on disk.

    Raises `PermissionError` for a folder into which others could put files: they would be read.
    """
    global _folder
    if folder is None:
        _folder = None
        return
    folder = Path(folder)
    door.make_folder(folder)
    if not _is_ours(folder.stat()):
        raise PermissionError(f"{folder} belongs to somebody else, or others may write into it.")
    _folder = folder


def _kept(name: str, team: Any, work: Callable[[], Answer]) -> Answer:
    if _folder is None:
        return work()
    path = _path(_folder, name, team)
    known = _read(path, team)
    if known is not None:
        return known[0]
    with _alone(path):
        known = _read(path, team)  # somebody else may have worked it out meanwhile
        if known is not None:
            return known[0]
        began = process_time()
        answer = work()
        if process_time() - began > SLOW:
            _write(path, answer, team)
        return answer


def _path(folder: Path, name: str, team: Any) -> Path:
    said = "\n".join([name, team.key, code(), language.now()])
    return folder / f"{hashlib.sha256(said.encode()).hexdigest()[:40]}.answer"


@cache
def code() -> str:
    """The fingerprint of this package and what it computes with: others may answer otherwise."""
    here = Path(__file__).parent
    digest = hashlib.sha256(" ".join(map(version, LIBRARIES)).encode())
    for path in sorted(here.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(f"{path.relative_to(here)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


class _Writer(pickle.Pickler):
    """Writes an answer that may hold the team it is about without the team."""

    def __init__(self, file: io.BytesIO, team: Any):
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self.team = team

    def persistent_id(self, obj: Any) -> str | None:
        return "team" if obj is self.team else None


class _Reader(pickle.Unpickler):
    """Reads it again, about the team at hand."""

    def __init__(self, file: io.BytesIO, team: Any):
        super().__init__(file)
        self.team = team

    def persistent_load(self, pid: str) -> Any:
        return self.team


def _read(path: Path, team: Any) -> tuple[Any] | None:
    """The answer in a file; None if there is none, or it is not what this user has written."""
    try:
        with open(path, "rb", opener=_unfollowed) as file:
            if not _is_ours(os.fstat(file.fileno())):
                return None
            content = file.read()
        digest, answer = content[:32], content[32:]
        if hashlib.sha256(path.name.encode() + answer).digest() != digest:
            return None
        os.utime(path)
        return (_Reader(io.BytesIO(answer), team).load(),)
    except (OSError, pickle.PickleError, AttributeError, ImportError, EOFError):
        return None


def _unfollowed(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0))


def _is_ours(about: os.stat_result) -> bool:
    """Whether nobody but this user could have written there, where the system tells."""
    if not hasattr(os, "getuid"):
        return True
    return about.st_uid == os.getuid() and not about.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _write(path: Path, answer: Any, team: Any) -> None:
    """Keep an answer: whole or not at all; not if the disk is full, or no file can hold it."""
    with suppress(OSError, pickle.PicklingError, AttributeError, TypeError):
        file = io.BytesIO()
        _Writer(file, team).dump(answer)
        content = file.getvalue()
        digest = hashlib.sha256(path.name.encode() + content).digest()
        path.unlink(missing_ok=True)  # it was not to be trusted, nor is its mode
        _prune(path.parent, MOST - len(content))
        with door.whole_file(path) as new:
            new.write_bytes(digest + content)


def _prune(folder: Path, most: int) -> None:
    files = sorted(folder.glob("*.answer"), key=lambda path: path.stat().st_mtime, reverse=True)
    total = 0
    for path in files:
        total += path.stat().st_size
        if total > most:
            path.unlink(missing_ok=True)


@contextmanager
def _alone(path: Path):
    """While one works an answer out, others who need it wait for it, but not for ever."""
    lock = FileLock(path.with_suffix(".lock"), timeout=PATIENCE, mode=0o600)
    with suppress(OSError):  # then each works it out
        lock.acquire()
    try:
        yield
    finally:
        if lock.is_locked:
            with suppress(OSError):
                Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()
