"""Where an import goes: a new folder, or an earlier import that nobody has touched since."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import salesnb
from salesnb.errors import DataError
from salesnb.importers.mapping import Plan
from salesnb.importers.privacy import Privacy
from salesnb.importers.report import ImportReport
from salesnb.importers.sheets import Sheet

MANIFEST = "import.json"


def free(dest: Path, source: Path, overwrite: bool, private: Privacy | None = None) -> Path:
    """The folder to import into, or a `DataError` where something that matters stands there.

    A key that cannot be used is told here too, before the export is read.
    """
    if private is not None:
        private.key(dest)
    place, export = dest.resolve(), source.resolve()
    if place == export or place in export.parents:
        raise DataError(f"{dest} holds the export itself; choose another folder to import into.")
    if not dest.exists() or (dest.is_dir() and not any(dest.iterdir())):
        return dest
    if not (dest / MANIFEST).is_file():
        raise DataError(f"{dest} exists and is not an earlier import; choose a new folder.")
    if not overwrite:
        raise DataError(
            f"{dest} holds an earlier import. Replace it with --overwrite, or choose a new folder."
        )
    touched = _touched(dest)
    if touched:
        raise DataError(
            f"{dest} holds files added or changed since the import: {', '.join(touched)}. "
            "Move them aside, or import into a new folder."
        )
    return dest


def sign(
    aside: Path,
    plan: Plan,
    sheets: Mapping[str, Sheet],
    report: ImportReport,
    withheld: Mapping[str, str],
    told: Callable[[str], str],
) -> None:
    """Write the manifest: from what, by which mapping, with which counts, into which files.

    `withheld` says what was kept out, and `told` puts other words for names in the export.
    """
    files = {origin: (file, n) for sheet in sheets.values() for origin, file, n in _files(sheet)}
    manifest: dict[str, Any] = {
        "made_by": f"salesnb {salesnb.__version__}",
        "mapping": {
            "name": report.mapping,
            "file": told(plan.path.name),
            "sha256": _sha256(plan.path),
        },
        "as_of": f"{report.team.as_of.date()}, {report.as_of_from}",
        "sources": {
            told(name): {"rows": n_rows, "sha256": _sha256(file)}
            for name, (file, n_rows) in files.items()
        },
        **({"withheld": dict(withheld)} if withheld else {}),
        **report.counts(),
        "fingerprint": report.team.fingerprint,
        "files": {path.name: _sha256(path) for path in sorted(aside.iterdir())},
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    (aside / MANIFEST).write_text(text + "\n", encoding="utf-8")


def _files(sheet: Sheet) -> list[tuple[str, Path, int]]:
    """The files that a table was read from, with their rows."""
    pieces = [(each.origin, each.file, each.n_read) for each in sheet.pieces]
    return pieces or [(sheet.file, sheet.path, sheet.n_read)]


def _touched(dest: Path) -> list[str]:
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
