"""Files that appear whole or not at all, for their owner only, under names that are safe.

They lie in a folder of this machine, or wherever `fsspec` can write, such as ``s3://bucket/folder``.
"""

import hashlib
import os
import re
from collections import Counter
from pathlib import Path
from tempfile import mkstemp
from typing import TypeVar

from fsspec import get_filesystem_class
from upath import UPath

from salesnb.errors import DataError

RESERVED = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{i}" for port in ("com", "lpt") for i in "0123456789"),
}

Place = Path | UPath  # of a page, or the folder of many
Where = TypeVar("Where", bound=Place)
SOME = ("s3://", "gs://", "abfs://", "sftp://")
IN_MEMORY = "memory"  # the protocol of what no other process sees


def place(output: str | Path) -> Place:
    """The folder of that name, or behind that address, such as ``s3://bucket/folder``.

    Raises `DataError` for an address that nothing installed can write to.
    """
    if "://" not in str(output):
        return Path(output)
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
    """Write a file aside, then rename it: nobody ever reads half a page.

    For its owner only, unless it `is_shared`: then as the user's umask says. The same goes for
    folders that are made on the way. Behind an address the file is put in one piece, which is all
    or nothing in an object store; who may read it is settled there. Raises `OSError`.
    """
    data = content.encode() if isinstance(content, str) else content
    if isinstance(path, UPath):
        _put(path, data)
    else:
        _rename(path, data, is_shared)
    return path


def _put(path: UPath, data: bytes) -> None:
    try:
        path.fs.pipe_file(path.path, data)
    except Exception as error:  # every kind of store has its own
        raise OSError(f"{path}: {error}") from error


def _rename(path: Path, data: bytes, is_shared: bool) -> None:
    _make(path.parent, is_shared)
    handle, aside = mkstemp(prefix=f".{path.name[:40]}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # or after a power cut the name may stand and the page not
        if is_shared:
            Path(aside).chmod(0o666 & ~_umask())
        Path(aside).replace(path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise


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
