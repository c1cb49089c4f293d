"""Files that appear whole or not at all, for their owner only, under names that are safe."""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp

from filelock import FileLock, Timeout

from salesnb.errors import DataError

ASIDE = ".part"  # the end of the name of a file that is being written

RESERVED = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{i}" for port in ("com", "lpt") for i in "0123456789"),
}


def write_whole(path: Path, content: bytes | str, *, is_shared: bool = False) -> Path:
    """Write a file aside, then rename it: nobody ever reads half a page.

    For its owner only, unless it `is_shared`: then as the user's umask says. The same goes for
    folders that are made on the way.
    """
    _make(path.parent, is_shared)
    handle, aside = mkstemp(ASIDE, f".{path.name[:40]}-", path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())  # or after a power cut the name may stand and the page not
        if is_shared:
            Path(aside).chmod(0o666 & ~_umask())
        return Path(aside).replace(path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise


@contextmanager
def alone(folder: Path, *, is_shared: bool = False) -> Iterator[None]:
    """While one run writes into a folder; what an earlier one that was killed left there is gone.

    Raises `DataError` if another run is writing into it.
    """
    _make(folder, is_shared)
    lock = FileLock(folder / ".lock", blocking=False, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        raise DataError(f"Another run is writing into {folder}: wait for its end.") from None
    try:
        for left in folder.rglob(f".*{ASIDE}"):
            left.unlink(missing_ok=True)
        yield
    finally:
        with suppress(OSError):  # Windows keeps a file that is open
            Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def _make(folder: Path, is_shared: bool) -> None:
    if folder.exists():
        return
    _make(folder.parent, is_shared)
    folder.mkdir(mode=0o777 if is_shared else 0o700, exist_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def safe_names(names: list[str]) -> dict[str, str]:
    """A file name for each name: itself where that is safe, else with a mark that tells it apart.

    Two names that differ only in case would be one file on some systems, so they are marked too.
    """
    folded = Counter(name.casefold() for name in names)
    return {
        name: name if _is_safe(name) and folded[name.casefold()] == 1 else _marked(name)
        for name in names
    }


def _is_safe(name: str) -> bool:
    fits = re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,59}", name)
    return bool(fits) and name.casefold() not in RESERVED


def _marked(name: str) -> str:
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9_]+', '-', name)[:40].strip('-')}-{mark}".strip("-")
