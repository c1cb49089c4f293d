"""Whether all pages stand, found out before anything is loaded: from the bytes of all sources.

A run leaves in ``run.json`` the fingerprint of the files it read. Where the files are the same,
byte by byte, and each page still says that it was made from the same, there is nothing to do.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from html import unescape
from pathlib import Path
from typing import Any

from salesnb import language, once
from salesnb.database import is_address
from salesnb.report.files import Place, head, write_whole

FILE = "run.json"
HEAD = 8192  # bytes of a page in which it says what it was made from
ABOUT = re.compile(r'<meta name="salesnb-(\w+)" content="([^"]*)">')
MADE, UNCHANGED = "made", "unchanged"


def sources(source: str | Path, notebooks: Path, **asked: Any) -> str:
    """The fingerprint of all files a run reads and of what it was asked; the same, the same pages.

    `asked` as `plan` is asked. Empty where files cannot be read, and of a database, which has to
    be asked: then no page is known to stand.
    """
    if is_address(source):
        return ""
    data = Path(source)
    digest = hashlib.sha256(once.code().encode())
    wanted = {name: value for name, value in asked.items() if value}  # not asked is not set
    said = [data.resolve().name, wanted, language.now()]
    digest.update(json.dumps(said, sort_keys=True).encode())
    named = (Path(name) for name in asked.get("only", ()))
    try:
        files = [path for path in data.iterdir() if path.is_file()]
        others = [*notebooks.glob("*.ipynb"), *(path for path in named if path.is_file())]
        for path in [*sorted(files), *sorted(others)]:
            with path.open("rb") as file:
                digest.update(f"{path.name}\n".encode())
                digest.update(hashlib.file_digest(file, "sha256").digest())
    except OSError:
        return ""
    return digest.hexdigest()


def index(source: str | Path, notebooks: Path, output: str | Path, **asked: Any) -> Path | None:
    """The index of a run on the same sources all of whose pages stand; None if there is none.

    Or if it is not looked for: from a database, behind an address, and of packs.

    Its ``run.json`` then says of each page that it was left unchanged.
    """
    if is_address(source) or "://" in str(output) or asked.get("by"):
        return None
    data = Path(source)
    try:
        as_of = tomllib.loads((data / "team.toml").read_text(encoding="utf-8-sig"))["as_of"]
        folder = Path(output) / str(as_of)
        told = json.loads((folder / FILE).read_text(encoding="utf-8"))
        known = sources(data, notebooks, **asked)
        if not (told["is_over"] and known and told["sources"] == known):
            return None
        if not all(_stands(folder, report) for report in told["reports"]):
            return None
        found = folder / "index.html"
        found.stat()
    except (OSError, ValueError, KeyError, TypeError):
        return None  # whatever is amiss will be said where it is read in earnest
    blank = dict.fromkeys(("seconds", "cpu_seconds", "peak_mib"))
    told["reports"] = [
        {**report, "status": UNCHANGED, "tries": 0, **blank} for report in told["reports"]
    ]
    told |= {MADE: 0, UNCHANGED: len(told["reports"])}
    write_whole(folder / FILE, as_text(told), is_shared=bool(asked.get("is_shared")))
    return found


def as_text(told: Mapping[str, Any]) -> str:
    """What ``run.json`` holds, as it is written."""
    return json.dumps(told, ensure_ascii=False, indent=1, allow_nan=False)


def _stands(folder: Path, report: Mapping[str, Any]) -> bool:
    was_made = report["status"] in (MADE, UNCHANGED) and report["inputs"]
    pages = [about(folder / name) for name in report["pages"]]
    return bool(was_made) and all(page.get("inputs") == report["inputs"] for page in pages)


def about(page: Place) -> Mapping[str, str]:
    """What a page says of itself in its first lines; nothing if it is not there."""
    text = head(page, HEAD).decode(errors="ignore")
    return {name: unescape(value) for name, value in ABOUT.findall(text)}
