"""How long an import of a large export takes, and how much memory.

Makes an export of Salesforce from a simulated team, its rows repeated under other ids, with some
columns beside that no table uses, as exports have them; then imports it in a process of its own.
"""

import argparse
import multiprocessing
import resource
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

import salesnb
from salesnb import importers

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import salesforce_shape

OF_DEALS = ("OpportunityId", "WhatId")
UNUSED = {
    "WhoId": "0031G00000Ja7B6QAJ",
    "CreatedById": "0051G00000Ja7B6QAJ",
    "LastModifiedById": "0051G00000Ja7B6QAJ",
    "SystemModstamp": "2026-06-30T09:00:00.000+0000",
}
AS_MUCH = 1 << 20


def write(folder: Path, megabytes: float, seed: int = 3) -> None:
    """An export of about this size."""
    team, _ = salesnb.simulate(seed=seed, reps=24, deals_per_rep=120, months=24)
    one = salesforce_shape.write(team, folder)
    paths = sorted(one.glob("*.csv"))
    tables = {path: pd.read_csv(path, dtype="str") for path in paths}
    wide = {p: t.assign(**UNUSED) if p.stem in ("Task", "Event") else t for p, t in tables.items()}
    size = sum(len(table.to_csv(index=False)) for table in wide.values()) / AS_MUCH
    for path, table in wide.items():
        with path.open("w", encoding="utf-8", newline="") as file:
            for copy in range(max(1, round(megabytes / size))):
                rows = again(path.stem, table, copy)
                if len(rows):
                    rows.to_csv(file, index=False, header=copy == 0)


def again(name: str, table: pd.DataFrame, copy: int) -> pd.DataFrame:
    """The rows under the ids of a copy; users, accounts and products are the same in all."""
    if copy == 0:
        return table
    if name in ("User", "Account", "Product2", "roster"):
        return table.head(0)
    own = [c for c in ("Id", "Name", *OF_DEALS) if c in table]
    changed = {}
    for column in own:
        ids = table[column]
        is_account = ids.isin(table["AccountId"]) if "AccountId" in table else ids.isna()
        is_kept = ids.isna() | (is_account & (column == "WhatId"))
        changed[column] = ids.where(is_kept, ids + f"-{copy}")
    return table.assign(**changed)


def measured(folder: Path, queue: multiprocessing.Queue) -> None:
    """Seconds, and GB of memory at most, of one import."""
    with TemporaryDirectory() as aside:
        began = time.perf_counter()
        report = importers.run("salesforce", folder, Path(aside) / "team")
        seconds = time.perf_counter() - began
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    queue.put((seconds, most, {name: len(t) for name, t in report.team.tables.items()}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("megabytes", type=float, nargs="*", default=[50.0, 100.0])
    context = multiprocessing.get_context("spawn")
    for megabytes in parser.parse_args().megabytes:
        with TemporaryDirectory() as aside:
            folder = Path(aside) / "export"
            write(folder, megabytes)
            size = sum(path.stat().st_size for path in folder.iterdir()) / AS_MUCH
            queue = context.Queue()
            process = context.Process(target=measured, args=(folder, queue))
            process.start()
            seconds, most, rows = queue.get()
            process.join()
        print(f"{size:.0f} MB: {seconds:.1f} s, {most:.2f} GB at most; {rows}", flush=True)


if __name__ == "__main__":
    main()
