"""Pages somewhere else than in a folder: in a bucket, in memory, behind any address of fsspec."""

import json
import sys
from contextlib import closing

import pytest
from moto.server import ThreadedMotoServer
from test_report import save
from upath import UPath

from salesnb import cli
from salesnb.report import batch
from salesnb.report.files import head, place, write_whole
from salesnb.report.plan import plan

SETTINGS = {
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@pytest.fixture(scope="module")
def store():
    """An object store on this machine, with a bucket that is called pages."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**SETTINGS, "AWS_ENDPOINT_URL": f"http://{host}:{port}"}.items():
            patch.setenv(name, value)
        UPath("s3://pages").mkdir()
        yield
    server.stop()


@pytest.fixture(scope="module")
def crew(store):
    """One that knows of the store."""
    with closing(batch.crew(None, "s3://pages")) as crew:
        yield crew


@pytest.fixture(scope="module")
def source(small, tmp_path_factory):
    return small.save(tmp_path_factory.mktemp("team") / "team")


@pytest.fixture
def notebooks(tmp_path):
    cell = ("print('Page of', rep)", ["summary"])
    save(tmp_path / "nb", "01_rep", cell, parameters='rep: str = ""  # who')
    return tmp_path / "nb"


@pytest.mark.parametrize("address", ["s3://pages/a team's", "memory://pages", "file://TMP/a b"])
def test_pages_behind_an_address(store, crew, source, notebooks, tmp_path, address):
    address = address.replace("TMP", str(tmp_path))
    planned = plan(source, notebooks, address, reps=["R01", "R02"], is_keeping=True)
    outcomes = batch.run(planned, batch.Options(workers=2), crew)
    assert {each.status for each in outcomes} == {"made"}
    folder = UPath(address) / planned.folder.name
    pages = [name for job in planned.jobs for name in job.pages]
    found = {str(each.path)[len(folder.path) :].lstrip("/") for each in folder.rglob("*.*")}
    kept = {f"notebooks/rep/{job.values['rep']}.ipynb" for job in planned.jobs}
    assert found == {*pages, *kept, "index.html", "run.json"}
    index = (folder / "index.html").read_text(encoding="utf-8")
    for name in pages:
        assert f'href="{name}"' in index
        assert (folder / name).read_bytes().endswith(b"</html>")
    assert json.loads((folder / "run.json").read_text(encoding="utf-8"))["is_over"]
    again = batch.run(planned, batch.Options(workers=2))
    assert {each.status for each in again} == {"unchanged"}
    assert [each.summary for each in again] == [each.summary for each in outcomes]


def test_the_head_of_a_file(store, tmp_path):
    for folder in (tmp_path, UPath("s3://pages/head"), UPath("memory://head")):
        path = write_whole(folder / "page.html", "0123456789")
        assert head(path, 4) == b"0123"
        assert head(path, 40) == b"0123456789"
        assert head(folder / "nowhere.html", 4) == b""


def test_an_address_of_this_machine_is_a_folder(tmp_path):
    assert place(f"file://{tmp_path}/a b") == tmp_path / "a b"
    assert place("reports").name == "reports"


def salesnb(monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["salesnb", "report", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return said.err, end.value.code


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("s4://pages", "s4://pages: expected a folder, or an address such as s3://"),
        ("gs://pages", "gcsfs"),
    ],
)
def test_where_nothing_can_write_is_told(monkeypatch, capsys, source, notebooks, address, said):
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    words = [source, "--notebooks", notebooks, "--output", address]
    told, ended = salesnb(monkeypatch, capsys, *words)
    assert said in told
    assert ended == 2


def test_a_bucket_that_is_not_there_is_told(
    planning, monkeypatch, capsys, store, source, notebooks
):
    words = [source, "--notebooks", notebooks, "--output", "s3://nowhere/pages"]
    told, ended = salesnb(monkeypatch, capsys, *words)
    assert "s3://nowhere/pages/2026-06-30 cannot be written to: " in told
    assert "Name another folder with --output." in told
    assert ended == 2
