"""How long it takes to load some reps of a large company, by engine, and how much memory.

One simulated team is written again and again under other ids until there are so many million stage
changes; then slices of 10, 100 and 1,000 reps are loaded from Parquet files, PostgreSQL and Spark,
each in a process of its own. Where memory and time follow the slice, the lines of a plot lie on
each other.
"""

import argparse
import multiprocessing
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib
import matplotlib.pyplot as plt
import psutil
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import salesnb
from salesnb import door
from salesnb.simulation import company

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import engines

REPS, DEALS_PER_REP, MONTHS = 100, 120, 6  # of a team
PROCESSOR, MEMORY = "seconds of a processor", "GB of memory"
SLICES = (10, 100, 1000)
PLOT = Path(__file__).parents[1] / "docs" / "slices.svg"
ENGINES = {
    "files": "Parquet files",
    "postgres": "PostgreSQL",
    "indexed": "PostgreSQL with indexes",
    "spark": "Spark",
}
INDEXED = ("rep_id", "deal_id", "account_id")
SPARK = {
    "spark.ui.enabled": "false",
    "spark.driver.memory": "4g",
    "spark.sql.shuffle.partitions": "2",
}


def write(folder: Path, stage_changes: float) -> tuple[int, int]:
    """A company of about so many stage changes; how many reps and stage changes it has."""
    team, _ = salesnb.simulate(seed=1, reps=REPS, deals_per_rep=DEALS_PER_REP, months=MONTHS)
    copies = max(1, round(stage_changes / len(team.stage_changes)))
    folder.mkdir()
    company.write_teams(folder, (team for _ in range(copies)))
    return copies * REPS, copies * len(team.stage_changes)


@contextmanager
def postgres(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """The company on a server of its own: its address, and the server."""
    import psycopg

    with pytest.MonkeyPatch.context() as patch, engines.postgres_server() as server:
        patch.setenv("PGPASSWORD", engines.PASSWORD)
        address = f"{server}/postgres"
        with psycopg.connect(address, autocommit=True) as con:
            for file in folder.glob("*.parquet"):
                copy_table(con, pq.ParquetFile(file), file.stem)
            con.execute("ANALYZE")
            [place] = con.execute("SHOW data_directory").fetchone()
        pid = int((Path(place) / "postmaster.pid").read_text().split()[0])
        yield f"{address}?settings={folder}", psutil.Process(pid)


def copy_table(con, file: pq.ParquetFile, name: str) -> None:
    """A Parquet file as a table: decimals, days, times with a zone."""
    kinds = {field.name: sql_type(field) for field in file.schema_arrow}
    columns = ", ".join(f"{column} {kind}" for column, kind in kinds.items())
    con.execute(f"CREATE UNLOGGED TABLE {name} ({columns})")
    options = pa.csv.WriteOptions(include_header=False)
    with con.cursor().copy(f"COPY {name} FROM STDIN (FORMAT csv)") as copy:
        for rows in file.iter_batches():
            text = BytesIO()
            pa.csv.write_csv(rows, text, options)
            copy.write(text.getvalue())


def sql_type(field: pa.Field) -> str:
    """What a warehouse would make of a column."""
    if pa.types.is_timestamp(field.type):
        return "DATE" if field.name.endswith("_on") else "TIMESTAMPTZ"
    if pa.types.is_boolean(field.type):
        return "BOOLEAN"
    return "TEXT" if pa.types.is_large_string(field.type) else "NUMERIC"


def index(address: str, folder: Path) -> None:
    """Indexes on the columns that a slice asks by."""
    import psycopg

    with psycopg.connect(address.partition("?")[0], autocommit=True) as con:
        for file in folder.glob("*.parquet"):
            for column in {*INDEXED} & {*pq.ParquetFile(file).schema_arrow.names}:
                con.execute(f"CREATE INDEX ON {file.stem} ({column})")
        con.execute("ANALYZE")


def start_spark(folder: Path) -> None:
    """The company as views of a session in this process."""
    from pyspark.sql import SparkSession

    session = SparkSession.builder.master("local[2]").config(map=SPARK).getOrCreate()
    for file in folder.glob("*.parquet"):
        session.read.parquet(str(file)).createOrReplaceTempView(file.stem)
    session.sql("SELECT 1").collect()


def work(servers: Iterable[psutil.Process]) -> float:
    """Seconds of a processor so far: of this process, what it started, and the servers."""
    own = psutil.Process()
    each = [own, *own.children(recursive=True), *servers]
    return sum(sum(process.cpu_times()[:4]) for process in each)


def measured(engine: str, folder: Path, source: str, pids: list[int], n_reps: int, queue) -> None:
    """Rows, seconds and seconds of a processor of a load; GB of memory of its process at most."""
    servers = [psutil.Process(pid) for pid in pids]
    if engine == "spark":
        start_spark(folder)
    with door.connection():  # what the engine takes to start is not measured
        pass
    names = [f"{number // REPS + 1:03}-R{number % REPS + 1:03}" for number in range(n_reps)]
    worked, began = work(servers), time.perf_counter()
    found = salesnb.load(source, reps=names)
    seconds = time.perf_counter() - began
    time.sleep(1)  # until a server has counted what ended
    queue.put((sum(map(len, found.tables.values())), seconds, work(servers) - worked, held()))


def held() -> float:
    """GB that this program has held at most.

    `resource` would tell more: it counts what the process that started this one had held.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1e6


def timed(engine: str, folder: Path, size: int, n_reps: int, source: str, *pids: int) -> list[dict]:
    """What each slice takes, told as a row of the page."""
    context, rows = multiprocessing.get_context("spawn"), []
    for n in (each for each in SLICES if each <= n_reps):
        queue = context.Queue()
        given = (engine, folder, source, list(pids), n, queue)
        process = context.Process(target=measured, args=given)
        process.start()
        n_rows, seconds, worked, most = queue.get(timeout=3600)
        process.join()
        rows.append({"engine": engine, "size": size, "reps": n, PROCESSOR: worked, MEMORY: most})
        told = f"{n:,} | {n_rows:,} | {seconds:.1f} | {worked:.1f} | {most:.2f}"
        print(f"| {ENGINES[engine]} | {size:,} | {told} |", flush=True)
    return rows


def of_company(folder: Path, size: int, n_reps: int, asked: list[str]) -> list[dict]:
    """What slices of a company take, engine by engine."""
    rows = []
    if "files" in asked:
        rows += timed("files", folder, size, n_reps, str(folder))
    if "postgres" in asked or "indexed" in asked:
        with postgres(folder) as (address, server):
            if "postgres" in asked:
                rows += timed("postgres", folder, size, n_reps, address, server.pid)
            if "indexed" in asked:
                index(address, folder)
                rows += timed("indexed", folder, size, n_reps, address, server.pid)
    if "spark" in asked:
        rows += timed("spark", folder, size, n_reps, f"spark://local?settings={folder}")
    return rows


def plot(rows: list[dict], path: Path) -> None:
    """What a load takes by the size of the slice: a row for each engine, a line for a company."""
    matplotlib.rcParams["svg.hashsalt"] = "slices"
    shown = list(dict.fromkeys(row["engine"] for row in rows))
    size = (8, 0.6 + 2.2 * len(shown))
    figure, grid = plt.subplots(len(shown), 2, figsize=size, layout="constrained", squeeze=False)
    for engine, axes in zip(shown, grid, strict=True):
        for axis, what in zip(axes, (PROCESSOR, MEMORY), strict=True):
            for size in dict.fromkeys(row["size"] for row in rows if row["engine"] == engine):
                own = [row for row in rows if (row["engine"], row["size"]) == (engine, size)]
                x, y = ([row[name] for row in own] for name in ("reps", what))
                axis.plot(x, y, marker="o", label=f"{size / 1e6:.2g} million stage changes")
            axis.set(xscale="log", ylabel=what, ylim=(0, None))
            axis.set_title(ENGINES[engine], loc="left", fontsize="medium")
    for axis in grid[-1]:
        axis.set_xlabel("reps in the slice")
    grid[0, 0].legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("millions", type=float, nargs="*", default=[1.0, 10.0])
    parser.add_argument("--engine", action="append", choices=[*ENGINES])
    parser.add_argument("--plot", type=Path, default=PLOT)
    told = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # servers are stopped on the way out
    rows = []
    print(
        "| engine | stage changes | reps in slice | its rows | seconds | of a processor | GB |\n"
        "|--|--|--|--|--|--|--|"
    )
    for millions in told.millions:
        with TemporaryDirectory() as aside:
            folder = Path(aside) / "company"
            n_reps, size = write(folder, millions * 1e6)
            rows += of_company(folder, size, n_reps, told.engine or [*ENGINES])
    plot(rows, told.plot)


if __name__ == "__main__":
    main()
