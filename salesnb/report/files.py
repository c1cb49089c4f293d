"""Files that appear whole or not at all, for their owner only, under names that are safe.

They lie in a folder of this machine, or wherever `fsspec` can write, such as ``s3://bucket/folder``.
"""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from typing import TypeVar

from filelock import FileLock, Timeout
from fsspec import get_filesystem_class
from upath import UPath

from salesnb import door
from salesnb.errors import DataError
from salesnb.language import without_accents

RESERVED = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{i}" for port in ("com", "lpt") for i in "0123456789"),
}

MARK = r"(?i)(^|-)[0-9a-f]{16}$"

Place = Path | UPath  # of a page, or the folder of many
Where = TypeVar("Where", bound=Place)
SOME = ("s3://", "gs://", "abfs://", "sftp://")
IN_MEMORY = "memory"  # the protocol of what no other process sees


def place(output: str | Place) -> Place:
    """The folder of that name, or behind that address, such as ``s3://bucket/folder``.

    Raises `DataError` for an address that nothing installed can write to.
    """
    if isinstance(output, Path) or "://" not in str(output):
        return Path(str(output))
    try:
        folder = UPath(str(output))
        if folder.protocol in ("file", "local"):
            return Path(folder.path)
        folder.fs  # noqa: B018 - asked for, so that what is lacking is said now
    except (ImportError, OSError) as error:
        raise DataError(f"{output} cannot be written to: {error}") from None
    except ValueError:
        known = ", ".join(SOME)
        raise DataError(f"{output}: expected a folder, or an address such as {known}.") from None
    return folder


def cannot_be_written(folder: Place, error: Exception) -> DataError:
    """What is said where no page can be written, before any is made."""
    return DataError(f"{folder} cannot be written to: {error}. Name another folder with --output.")


def is_private(folder: Place) -> bool:
    """Whether what is written there is lost on every other process."""
    return isinstance(folder, UPath) and folder.protocol == IN_MEMORY


def load(folder: Place | None) -> None:
    """Load the library that writes there, without any of its threads."""
    if isinstance(folder, UPath):
        get_filesystem_class(folder.protocol)


def head(path: Place, n_bytes: int) -> bytes:
    """The first bytes of a file; none if it cannot be read."""
    try:
        if isinstance(path, UPath):
            return path.fs.cat_file(path.path, start=0, end=n_bytes)
        with path.open("rb") as file:
            return file.read(n_bytes)
    except Exception:  # every kind of store has its own
        return b""


def write_whole(path: Where, content: bytes | str, *, is_shared: bool = False) -> Where:
    """Write a file and the folders on the way to it: nobody ever reads half a page.

    For its owner only, unless it `is_shared`: then as the user's umask says. Behind an address the
    file is put in one piece, which is all or nothing in an object store; who may read it is settled
    there. Raises `OSError`.
    """
    data = content.encode() if isinstance(content, str) else content
    if isinstance(path, UPath):
        _put(path, data)
        return path
    door.make_folder(path.parent, _mode(door.OWN_FOLDER, 0o777, is_shared))
    with door.whole_file(path, _mode(door.OWN_FILE, 0o666, is_shared)) as new:
        new.write_bytes(data)
    return path


def _put(path: UPath, data: bytes) -> None:
    try:
        path.fs.pipe_file(path.path, data)
    except Exception as error:  # every kind of store has its own
        raise OSError(f"{path}: {error}") from error


def share(pages: Iterable[Place], is_shared: bool) -> None:
    """Let others read pages that stand, and enter their folders; or let nobody else read them."""
    pages = [page for page in pages if not isinstance(page, UPath)]
    with suppress(PermissionError):  # what is somebody else's stays as they want it
        for page in pages:
            page.chmod(_mode(door.OWN_FILE, 0o666, is_shared))
        for folder in {page.parent for page in pages} if is_shared else ():
            folder.chmod(0o777 & ~_umask())


def _mode(own: int, everybody: int, is_shared: bool) -> int:
    return everybody & ~_umask() if is_shared else own


@contextmanager
def alone(folder: Place, *, is_shared: bool = False) -> Iterator[None]:
    """While one run writes into a folder; what was left there by who was killed is gone after it.

    Behind an address nothing is held: nobody there could say who does. Raises `DataError` if
    another run is writing into it, or nobody can.
    """
    if isinstance(folder, UPath):
        yield
        return
    lock = FileLock(folder / ".lock", blocking=False, mode=0o600)
    try:
        door.make_folder(folder, _mode(door.OWN_FOLDER, 0o777, is_shared))
        lock.acquire()
    except Timeout:
        raise DataError(f"Another run is writing into {folder}: wait for its end.") from None
    except OSError as error:
        raise cannot_be_written(folder, error) from None
    try:
        _tidy(folder)
        yield
    finally:
        _tidy(folder)
        with suppress(OSError):  # Windows keeps a file that is open
            Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def _tidy(folder: Path) -> None:
    """Remove pages that somebody who was killed had begun."""
    for left in [*folder.rglob(f".*{door.ASIDE}")]:
        rmtree(left, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def safe_names(names: list[str]) -> dict[str, str]:
    """A file name for each name: itself where that is safe, else with a mark that tells it apart.

    Two names that differ only in case would be one file on some systems, so they are marked too;
    and so is a name that looks like another one's with its mark.
    """
    folded = Counter(name.casefold() for name in names)
    return {
        name: name if _is_safe(name) and folded[name.casefold()] == 1 else _marked(name)
        for name in names
    }


def _is_safe(name: str) -> bool:
    fits = re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,59}", name)
    return bool(fits) and name.casefold() not in RESERVED and not re.search(MARK, name)


def _marked(name: str) -> str:
    mark = hashlib.sha256(name.encode()).hexdigest()[:16]
    plain = re.sub(r"[^A-Za-z0-9_]+", "-", without_accents(name))
    return f"{plain[:40].strip('-')}-{mark}".strip("-")
