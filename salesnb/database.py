"""A database or warehouse that holds the tables of a team, as tables or views of these names.

Its address is ``ENGINE://user@host/database``. Behind a question mark stand options of the engine
and two of our own: ``settings=team.toml``, where the settings of the team are, and
``reps.region=North``, the part of the team in that region.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

import ibis

from salesnb import schema
from salesnb.errors import DataError, Fault, nearest, unknown

# How the engine is written in an address, and what Ibis calls it.
ENGINES = {
    "duckdb": "duckdb",
    "postgres": "postgres",
    "postgresql": "postgres",
    "spark": "pyspark",
    "snowflake": "snowflake",
    "bigquery": "bigquery",
}
SECRET = re.compile(r"passw|pwd|passcode|passphrase|secret|token|private_key$", re.IGNORECASE)
SETTINGS, PART = "settings", "reps."
NO_SECRETS = (
    "an address is kept in pages and logs, so it must not hold a password or a token; PostgreSQL "
    "takes the password from PGPASSWORD or ~/.pgpass, see docs/databases.md for others"
)


@dataclass(frozen=True)
class Address:
    """Where a database is, without a secret.

    place : user, host and port; of Spark its master; of DuckDB nothing
    path : the database, and after a stroke its schema; of DuckDB the file, from the root
    options : what the engine is told beyond that
    settings : the ``team.toml`` of the team, or its folder; empty for none
    part : the part of the team that is meant, column of reps to value
    """

    engine: str
    place: str
    path: str
    options: Mapping[str, str] = field(default_factory=dict)
    settings: str = ""
    part: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        said = dict(self.options) | ({SETTINGS: self.settings} if self.settings else {})
        said |= {f"{PART}{column}": value for column, value in self.part.items()}
        query = f"?{urlencode(said, safe='/')}" if said else ""
        return f"{self.engine}://{self.place}{quote(self.path)}{query}"

    @property
    def name(self) -> str:
        """What the database is called, with the part that is meant."""
        name = self.path.rpartition("/")[2] or self.engine
        return f"{name}?{urlencode(self.part)}" if self.part else name

    @property
    def whole(self) -> "Address":
        """The address without a part of the team."""
        return replace(self, part={})


def is_address(source: object) -> bool:
    """Whether this is the address of a database rather than a folder."""
    return "://" in str(source)


def address(source: object, settings: str | Path | None = None) -> Address:
    """What an address says; files in it as they are found from the present folder.

    Raises `DataError` for an engine that is not known, and for an address with a password, which
    is not repeated.
    """
    written = str(source)
    engine = written.partition("://")[0]
    if engine not in ENGINES:
        raise unknown("engine", engine, ENGINES)
    try:
        parts = urlsplit(written)
        said = dict(
            parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        )
        parts.port  # noqa: B018 - raises where it is none
    except ValueError:
        raise _unreadable(engine) from None
    if parts.password is not None or any(SECRET.search(name) for name in said):
        raise DataError(f"{engine}://...: {NO_SECRETS}.")
    if parts.fragment or "@" in parts.path:
        raise _unreadable(engine)
    part = {name.removeprefix(PART): said.pop(name) for name in [*said] if name.startswith(PART)}
    given = str(settings or said.pop(SETTINGS, ""))
    said.pop(SETTINGS, "")
    own = str(Path(given).resolve()) if given else ""
    if engine == "duckdb":
        file = _file(parts)
        return Address(engine, "", str(file), said, own or str(file.parent), part)
    return Address(engine, parts.netloc, parts.path.rstrip("/"), said, own, part)


def _unreadable(engine: str) -> DataError:
    # Not repeated: what is hard to read may be a password with a stroke or a hash in it.
    return DataError(
        f"{engine}://...: expected {engine}://user@host/database?option=value, and no password."
    )


def _file(parts: SplitResult) -> Path:
    """The file of a DuckDB database: ``duckdb://near.duckdb``, or with three strokes as well."""
    written = Path(unquote(f"{parts.netloc}{parts.path}"))
    near = Path(str(written).lstrip("/"))
    # SQLAlchemy writes three strokes before a path from here, Ibis before one from the root.
    return (near if not written.exists() and near.exists() else written).resolve()


@contextmanager
def opened(where: Address) -> Iterator[dict[str, ibis.Table]]:
    """The tables of the schema that the database has, to be read while the block runs.

    Raises `DataError` where there is no such database, the engine's library is not installed, or
    the engine refuses; and with every fault of the tables' names.
    """
    try:
        con = _connect(where)
        try:
            yield _tables(con, where)
        finally:
            if where.engine != "spark":  # its session belongs to the whole process
                con.disconnect()
    except (DataError, KeyboardInterrupt):
        raise
    except ImportError as error:
        extra = ENGINES[where.engine].removeprefix("py")
        why = f"needs {error.name or 'a library'}: pip install 'salesnb[{extra}]'"
        raise DataError(f"{where.engine}://: {why}.") from None
    except Exception as error:  # every engine has errors of its own
        if type(error).__module__ == "builtins" and not isinstance(error, OSError):
            raise
        why = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        raise DataError(f"{where.engine}://{where.name}: {why}") from error


def _connect(where: Address) -> ibis.BaseBackend:
    options: dict[str, Any] = dict(where.options)
    if where.engine == "duckdb":
        if not Path(where.path).is_file():
            near = nearest(Path(where.path).name, _siblings(Path(where.path)))
            hint = f" Did you mean {near!r}?" if near else ""
            raise DataError(f"There is no database file {where.path!r}.{hint}")
        return quiet(ibis.duckdb.connect(where.path, read_only=True, **options))
    if where.engine == "spark":
        return _spark(where)
    return ibis.connect(str(replace(where, settings="", part={})))


def quiet(con: Any) -> ibis.BaseBackend:
    """A connection to DuckDB that draws no bar of its own: it would stand amid what is printed."""
    con.con.execute("SET enable_progress_bar = false; SET enable_progress_bar_print = false")
    return con


def _siblings(file: Path) -> list[str]:
    return [path.name for path in file.parent.iterdir()] if file.parent.is_dir() else []


def _spark(where: Address) -> ibis.BaseBackend:
    """Spark in this process, or the cluster whose master the address names."""
    from pyspark.sql import SparkSession

    is_here = where.place in ("", "local")
    builder = SparkSession.builder.appName("salesnb")
    builder = builder.master("local[*]" if is_here else f"spark://{where.place}")
    for name, value in where.options.items():
        builder = builder.config(name, value)
    return ibis.pyspark.connect(builder.getOrCreate())


def _tables(con: ibis.BaseBackend, where: Address) -> dict[str, ibis.Table]:
    own = where.path.strip("/") if where.engine == "spark" else ""
    inside: dict[str, Any] = {"database": own} if own else {}
    names = {_plain(name): name for name in _names(con, inside)}
    faults = []
    for name in schema.MODELS:
        close = "" if name in names else nearest(name, names, at_least=80)
        if close and close not in schema.MODELS:
            faults.append(Fault(close, "a table of the schema", value=close, nearest=name))
        elif name not in names and name in schema.REQUIRED_TABLES:
            faults.append(Fault(name, f"a table or view of this name in {where.name}"))
    if faults:
        raise DataError(faults)
    tables = {name: con.table(names[name], **inside) for name in schema.MODELS if name in names}
    return {name: _renamed(table) for name, table in tables.items()}


def _names(con: Any, inside: Mapping[str, str]) -> list[str]:
    if con.name != "duckdb":
        return con.list_tables(**inside)
    # Ibis 12 asks for them by a method that DuckDB 2 no longer has.
    listed = (
        "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
    )
    return [name for (name,) in con.con.execute(listed).fetchall()]


def _renamed(table: ibis.Table) -> ibis.Table:
    other = {_plain(name): name for name in table.columns if _plain(name) != name}
    return table.rename(other) if other else table


def _plain(name: str) -> str:
    """A name that the engine wrote in capitals, as Snowflake does, in small letters."""
    return name.lower() if name.isupper() else name
