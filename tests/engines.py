"""Engines to read a team from: a PostgreSQL server of one's own, DuckDB, Spark in this process."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import ibis
import pandas as pd

from salesnb import schema
from salesnb.team import Team

PASSWORD = "open sesame"
POSTGRES_USER = "postgres"  # whom Debian's package makes; the server does not start as root
TYPES = {"text": "TEXT", "number": "NUMERIC", "flag": "BOOLEAN", "time": "TIMESTAMPTZ"}


def program(name: str) -> str | None:
    """A program of PostgreSQL; Debian keeps those of the server off the path."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    return shutil.which(
        name, path=os.pathsep.join([*map(str, reversed(places)), os.environ["PATH"]])
    )


@contextmanager
def postgres_server() -> Iterator[str]:
    """A server of one's own on the loopback; the start of the address of its databases.

    The password is in PGPASSWORD.
    """
    is_root = os.getuid() == 0
    owner = {"user": POSTGRES_USER, "group": POSTGRES_USER} if is_root else {}
    home = Path(mkdtemp(prefix="salesnb-postgres-"))
    (home / "password").write_text(PASSWORD)
    if is_root:
        for path in (home / "password", home):
            shutil.chown(path, POSTGRES_USER, POSTGRES_USER)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "cwd": home, **owner}
    new = ["-D", home / "data", "-U", "sales", "-E", "UTF8", "--locale=C", "--no-sync"]
    secret = ["--auth=scram-sha-256", f"--pwfile={home / 'password'}"]
    options = f"-p {port} -h 127.0.0.1 -k {home} -F"
    control = [program("pg_ctl"), "-D", home / "data", "-l", home / "log", "-w"]
    try:
        subprocess.run([program("initdb"), *new, *secret], **quiet)
        subprocess.run([*control, "-o", options, "start"], **quiet)
        try:
            yield f"postgres://sales@127.0.0.1:{port}"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], **quiet)
    finally:
        shutil.rmtree(home)


def fill_postgres(team: Team, address: str) -> None:
    """The tables of a team, as a warehouse would have them: decimals, days, times with a zone."""
    import psycopg

    with psycopg.connect(address, autocommit=True) as con:
        for name, table in team.tables.items():
            known = schema.columns(name)
            kinds = {c: _sql_type(c, known.get(c), table[c]) for c in table}
            con.execute(f"CREATE TABLE {name} ({', '.join(f'{c} {k}' for c, k in kinds.items())})")
            with con.cursor().copy(f"COPY {name} FROM STDIN (FORMAT csv)") as copy:
                copy.write(table.to_csv(index=False, header=False))


def _sql_type(column: str, model: object, values: pd.Series) -> str:
    if model is None:
        return "NUMERIC" if values.dtype.kind == "f" else "TEXT"
    kind = schema.kind(model)
    return "DATE" if column.endswith("_on") else TYPES[kind]


def fill_duckdb(tables: dict[str, pd.DataFrame], file: Path) -> None:
    """These tables in a DuckDB file."""
    con = ibis.duckdb.connect(file)
    for name, table in tables.items():
        con.create_table(name, ibis.memtable(table))
    con.disconnect()


# A Java that lives for seconds: no second compiler, one collector, no plan made anew on the way.
SHORT_LIVED = {
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.ui.enabled": "false",
}


def fill_spark(folder: Path) -> None:
    """The Parquet files of a folder as views of the Spark session of this process."""
    from pyspark.sql import SparkSession

    session = SparkSession.builder.master("local[1]").config(map=SHORT_LIVED).getOrCreate()
    for file in folder.glob("*.parquet"):
        session.read.parquet(str(file)).createOrReplaceTempView(file.stem)
