"""How long an import of a large export takes, and how much memory.

Makes an export of Salesforce by API names from a simulated team, its rows repeated under other
ids, with columns beside that no table uses, as exports have them. Then imports it by the command
`salesnb import`, a process of its own, of which seconds and memory are taken.
"""

import argparse
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pyarrow as pa
from pyarrow import csv

import salesnb

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import salesforce_shape

OWN = ("Id", "Name", "AccountId", "OpportunityId", "WhatId", "Description")
SHARED = ("User", "Product2", "roster")
UNUSED = {
    "WhoId": "0031G00000Ja7B6QAJ",
    "CreatedById": "0051G00000Ja7B6QAJ",
    "LastModifiedById": "0051G00000Ja7B6QAJ",
    "SystemModstamp": "2026-06-30T09:00:00.000+0000",
}
MB = 1 << 20


def write(folder: Path, megabytes: float, seed: int = 3) -> None:
    """An export of about this size."""
    team, _ = salesnb.simulate(seed=seed, reps=24, deals_per_rep=120, months=24)
    one = salesforce_shape.write(team, folder)
    tables = {path: pd.read_csv(path, dtype="str") for path in sorted(one.glob("*.csv"))}
    wide = {p: t.assign(**UNUSED) if p.stem in ("Task", "Event") else t for p, t in tables.items()}
    for path, table in wide.items():
        with path.open("wb") as file:
            append(file, table, 0)
    copies = round(megabytes * MB / sum(path.stat().st_size for path in wide))
    for path, table in wide.items():
        with path.open("ab") as file:
            for copy in range(1, copies if path.stem not in SHARED else 0):
                append(file, table, copy)


def append(file, table: pd.DataFrame, copy: int) -> None:
    """The rows under the ids of a copy, each note another one; those of copy 0 under a header."""
    end = f"-{copy}" if copy else ""
    rows = table.assign(**{column: table[column] + end for column in OWN if column in table})
    options = csv.WriteOptions(include_header=not copy, quoting_style="needed")
    csv.write_csv(pa.Table.from_pandas(rows, preserve_index=False), file, options)


def imported(export: Path, dest: Path) -> tuple[float, float, float]:
    """Seconds, seconds of a processor, and GB of memory at most, of one import."""
    began = time.perf_counter()
    asked = "import sys; sys.argv[1:] = ['import', 'salesforce', *sys.argv[1:]]"
    said = ["-c", f"{asked}; from salesnb.cli import main; main()", str(export), str(dest)]
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    child = os.posix_spawn(sys.executable, [sys.executable, *said], os.environ, file_actions=quiet)
    _, status, used = os.wait4(child, 0)
    if status:
        sys.exit(f"the import ended with {os.waitstatus_to_exitcode(status)}")
    seconds = time.perf_counter() - began
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("megabytes", type=float, nargs="*", default=[100.0, 1000.0])
    print("| export MB | rows | kept | left out | seconds | of a processor | GB at most |")
    print("|--|--|--|--|--|--|--|")
    for megabytes in parser.parse_args().megabytes:
        with TemporaryDirectory() as aside:
            export, dest = Path(aside) / "export", Path(aside) / "team"
            write(export, megabytes)
            size = sum(path.stat().st_size for path in export.iterdir()) / MB
            seconds, work, most = imported(export, dest)
            said = json.loads((dest / "import.json").read_text(encoding="utf-8"))
        kept = sum(count["kept"] for count in said["tables"])
        read = sum(source["rows"] for source in said["sources"].values())
        out = sum((Counter(count["left_out"]) for count in said["tables"]), Counter())
        counts = f"{size:.0f} | {read:,} | {kept:,} | {out.total():,}"
        print(f"| {counts} | {seconds:.0f} | {work:.0f} | {most:.2f} |", flush=True)
        print(*(f"{n:,} {reason}" for reason, n in out.items()), sep="; ", file=sys.stderr)


if __name__ == "__main__":
    main()
