"""Where an import goes: a new folder, or an earlier import that nobody has touched since."""

import hashlib
import json
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

import salesnb
from salesnb.errors import DataError
from salesnb.importers.mapping import Plan
from salesnb.importers.privacy import Hidden, Privacy
from salesnb.importers.report import ImportReport
from salesnb.importers.sheets import Sheet

MANIFEST = "import.json"


def free(
    dest: Path,
    source: Path,
    overwrite: bool,
    private: Privacy | None = None,
    update: bool = False,
) -> Path:
    """The folder to import into, or a `DataError` where something that matters stands there.

    With `update` an earlier import may stand there, whatever was added to it since. A key that
    cannot be used is told here too, before the export is read.
    """
    if private is not None:
        private.key(dest)
    place, export = dest.resolve(), source.resolve()
    if place == export or place in export.parents:
        raise DataError(f"{dest} holds the export itself; choose another folder to import into.")
    if not dest.exists() or (dest.is_dir() and not any(dest.iterdir())):
        return dest
    if not is_there(dest):
        raise DataError(f"{dest} exists and is not an earlier import; choose a new folder.")
    if update:
        manifest(dest)
        return dest
    if not overwrite:
        raise DataError(
            f"{dest} holds an earlier import. Replace it with --overwrite, bring it up to date "
            "with --update, or choose a new folder."
        )
    if changed := touched(dest):
        raise DataError(
            f"{dest} holds files added or changed since the import: {', '.join(changed)}. "
            "Keep them with --update, move them aside, or import into a new folder."
        )
    return dest


def sign(
    aside: Path,
    plan: Plan,
    sheets: Mapping[str, Sheet],
    report: ImportReport,
    hidden: Hidden,
    others: Set[str] = frozenset(),
) -> None:
    """Write the manifest: from what, by which mapping, with which counts, into which files.

    `others` are files that are not of the import alone.
    """
    files = {origin: (file, n) for sheet in sheets.values() for origin, file, n in _files(sheet)}
    own = [path for path in sorted(aside.iterdir()) if path.name not in others]
    said: dict[str, Any] = {
        "made_by": f"salesnb {salesnb.__version__}",
        "mapping": {
            "name": report.mapping,
            "file": hidden.told(plan.path.name),
            "sha256": _sha256(plan.path),
        },
        "as_of": f"{report.team.as_of.date()}, {report.as_of_from}",
        "sources": {
            hidden.told(name): {"rows": n_rows, "sha256": _sha256(file)}
            for name, (file, n_rows) in files.items()
        },
        **({"withheld": dict(hidden.withheld)} if hidden.withheld else {}),
        **report.counts(),
        "fingerprint": report.team.fingerprint,
        "files": {path.name: _sha256(path) for path in own},
    }
    text = json.dumps(said, indent=2, ensure_ascii=False)
    (aside / MANIFEST).write_text(text + "\n", encoding="utf-8")


def _files(sheet: Sheet) -> list[tuple[str, Path, int]]:
    """The files that a table was read from, with their rows."""
    pieces = [(each.origin, each.file, each.n_read) for each in sheet.pieces]
    return pieces or [(sheet.file, sheet.path, sheet.n_read)]


def manifest(dest: Path) -> dict[str, Any]:
    """The manifest of an earlier import; `DataError` where it is none."""
    try:
        said = json.loads((dest / MANIFEST).read_text(encoding="utf-8"))
        if {*said["files"]} and said["mapping"]["name"]:
            return said
    except (ValueError, KeyError, TypeError, OSError):
        pass
    raise DataError(f"{dest / MANIFEST} is not what an import wrote: import into a new folder.")


def is_there(dest: Path) -> bool:
    """Whether an earlier import stands there."""
    return (dest / MANIFEST).is_file()


def touched(dest: Path) -> list[str]:
    """What stands in an earlier import otherwise than it was written."""
    try:
        written = json.loads((dest / MANIFEST).read_text(encoding="utf-8"))["files"]
    except (ValueError, KeyError, TypeError):
        return [MANIFEST]
    return sorted(
        path.name
        for path in dest.iterdir()
        if path.name != MANIFEST and (path.is_dir() or written.get(path.name) != _sha256(path))
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
