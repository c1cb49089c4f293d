"""What the tests share: a small team with every table, the demo, other people's data."""

import os

# As many tests run at a time as there are cores: threads of their own would only wait for each
# other, and keep the cores busy with that. Before anything loads NumPy.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from contextlib import closing
from pathlib import Path

import pytest
from engines import PASSWORD, postgres_server, program
from filelock import FileLock
from hostile import hostile

import salesnb
from salesnb import cli
from salesnb.report import batch
from salesnb.report.plan import plan
from salesnb.team import Team

ROOT = Path(__file__).parents[1]
# With many deals, with few, just started; on their way in, out and in between.
REPS = ["R01", "R02", "R11", "R04", "R07", "R16", "R19", "R22"]
SHARED = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def small() -> Team:
    """Eight reps, a year, every table, planted leaks."""
    team, _ = salesnb.simulate(seed=11, reps=8, deals_per_rep=60, months=12)
    return team


@pytest.fixture(scope="session")
def bad() -> Team:
    """A small team all of whose words, and the ids of its reps, are attacks."""
    team, _ = salesnb.simulate(seed=11, reps=5, deals_per_rep=24, months=9)
    return hostile(team)


@pytest.fixture(scope="session")
def demo() -> Team:
    """The team of data/demo."""
    return salesnb.load(ROOT / "data" / "demo")


@pytest.fixture(scope="session")
def demo_report(tmp_path_factory) -> Path:
    """The index of the demo's report for `REPS`, as the command makes it, in kernels.

    Made once for all tests that read it, those that run in other processes too.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "demo_report"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            new = folder.with_suffix(".new")
            words = ["report", str(ROOT / "data/demo"), "--notebooks", str(ROOT / "notebooks")]
            words += [word for rep in REPS for word in ("--rep", rep)] + ["--output", str(new)]
            cli.app(words, standalone_mode=False)
            new.rename(folder)
    (index,) = folder.glob("*/index.html")
    return index


@pytest.fixture(scope="session")
def crew():
    """Makes reports of any plan: started once, for all tests that ask no more of it than that."""
    with closing(batch.crew(None, "reports", batch.Options(seconds=120))) as crew:
        yield crew


@pytest.fixture(scope="session")
def postgres():
    """Makes a database on a PostgreSQL server of our own; gives its address."""
    if program("initdb") is None:
        pytest.skip("needs a PostgreSQL server: Debian's package postgresql")
    psycopg = pytest.importorskip(
        "psycopg", reason="needs psycopg: pip install 'salesnb[postgres]'"
    )
    with pytest.MonkeyPatch.context() as patch, postgres_server() as server:
        patch.setenv("PGPASSWORD", PASSWORD)

        def made(name: str) -> str:
            with psycopg.connect(f"{server}/postgres", autocommit=True) as con:
                if not con.execute(
                    "SELECT 1 FROM pg_database WHERE datname = %s", [name]
                ).fetchone():
                    con.execute(f"CREATE DATABASE {name}")
            return f"{server}/{name}"

        yield made


class Planning:
    """A crew that only plans, in this process: for commands that end before a report is made."""

    plan = staticmethod(plan)

    def close(self) -> None:
        """There is nobody to send home."""


@pytest.fixture
def planning(monkeypatch):
    """Commands start no process that makes reports."""
    monkeypatch.setattr(batch, "crew", lambda *_: Planning())


@pytest.fixture(scope="session")
def maven_source() -> Path:
    """Someone else's CRM export; not part of the project."""
    return _shared("maven_crm")


@pytest.fixture(scope="session")
def salvirt_source() -> Path:
    """Someone else's deals, anonymised; not part of the project."""
    return _shared("salvirt_b2b")


@pytest.fixture(scope="session")
def connector_source() -> Path:
    """Rows as connectors write them from two CRMs; not part of the project."""
    return _shared("crm_exports")


def _shared(name: str) -> Path:
    source = SHARED / name
    if not source.exists():
        pytest.skip(f"needs other people's data in {source.parent.name}/{source.name}")
    return source
