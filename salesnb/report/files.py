"""Files that appear whole or not at all, under names that are safe on every system."""

import hashlib
import os
import re
from pathlib import Path
from tempfile import mkstemp

RESERVED = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{i}" for port in ("com", "lpt") for i in "0123456789"),
}


def write_whole(path: Path, content: bytes | str) -> Path:
    """Write a file aside, then rename it: nobody ever reads half a page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = mkstemp(prefix=f".{path.name[:40]}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        Path(aside).chmod(0o644)
        return Path(aside).replace(path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise


def safe_names(names: list[str]) -> dict[str, str]:
    """A file name for each name: itself where that is safe, else with a mark that tells it apart.

    Two names that differ only in case would be one file on some systems, so they are marked too.
    """
    folded = [name.casefold() for name in names]
    return {
        name: name if _is_safe(name) and folded.count(name.casefold()) == 1 else _marked(name)
        for name in names
    }


def _is_safe(name: str) -> bool:
    fits = re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,59}", name)
    return bool(fits) and name.casefold() not in RESERVED


def _marked(name: str) -> str:
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9_]+', '-', name)[:40].strip('-')}-{mark}".strip("-")
