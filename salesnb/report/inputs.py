"""What a page rests on: the same inputs, the same page, so it need not be made again."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import numpy as np

from salesnb import language, once
from salesnb.team import Team, row_hashes

if TYPE_CHECKING:
    from salesnb.report.plan import Job

# Where a notebook says in its metadata of which tables it shows a rep's own rows alone.
SECTION, OWN = "salesnb", "own_rows"


class Inputs:
    """The fingerprints of a team's jobs."""

    def __init__(self, team: Team) -> None:
        self.team = team
        self._own: dict[str, Mapping[str, str]] = {}
        self._notebooks: dict[Path, tuple[str, tuple[str, ...]]] = {}

    def of(self, job: "Job") -> str:
        """The fingerprint of all that a job's pages rest on, save the day they are made.

        All rows of all tables, since a rep is set against the team; only of the tables which the
        notebook's metadata names (``{"salesnb": {"own_rows": ["coaching"]}}``) the rep's own.
        """
        text, own = self._notebook(job.notebook)
        rep = str(job.values.get("rep", ""))
        tables = {
            name: self._rows(name).get(rep, "") if name in own and rep else digest
            for name, digest in self.team.digests.items()
        }
        agreement = asdict(job.agreement) if job.agreement else {}
        agreement.pop("stamp", None)
        values = {name: value for name, value in job.values.items() if name != "data"}
        said = [
            once.code(), text, values, dict(job.pages), job.about, agreement, tables,
            repr(self.team.settings), language.now(),
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()

    def _notebook(self, path: Path) -> tuple[str, tuple[str, ...]]:
        if path not in self._notebooks:
            text = path.read_text(encoding="utf-8")
            about = nbformat.reads(text, as_version=4).metadata.get(SECTION, {})
            digest = hashlib.sha256(text.encode()).hexdigest()
            self._notebooks[path] = digest, tuple(about.get(OWN, ()))
        return self._notebooks[path]

    def _rows(self, name: str) -> Mapping[str, str]:
        """By rep, what tells their rows of a table from any other rows."""
        if name not in self._own:
            table = self.team.tables[name]
            hashes = row_hashes(table)
            self._own[name] = {
                str(rep): hashlib.sha256(np.sort(hashes[rows]).tobytes()).hexdigest()
                for rep, rows in table.groupby("rep_id", observed=True).indices.items()
            }
        return self._own[name]
