"""What is in the data stays data: whatever it says, wherever it is shown or written."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pandas as pd
import pytest
from conftest import ROOT
from hostile import IDS, PAYLOADS
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import sync_playwright
from test_browser import CHROMIUM, FLAGS
from test_display import Seen

import salesnb
from salesnb import door, importers, logbook
from salesnb.report import batch, cards, ride_alongs
from salesnb.report.files import safe_names, write_whole
from salesnb.report.plan import plan

COMMAND = [sys.executable, "-c", "from salesnb.cli import main; main()"]
# Loaded by every Python that is started: whatever would leave the machine is written down, refused.
NO_NETWORK = """
import os, socket, sys

def watch(event, args):
    if not event.startswith(("socket.", "urllib.")):
        return
    if event in ("socket.__new__", "socket.gethostname"):
        return
    if getattr(args[0], "family", None) == getattr(socket, "AF_UNIX", -1):
        return
    if event == "socket.bind" and args[1][0] in ("127.0.0.1", "::1"):
        return  # as urllib3 does to see whether there is IPv6
    with open(os.environ["TRIED"], "a") as log:
        log.write(f"{event} {args}\\n")
    raise OSError("no network")

sys.addaudithook(watch)
"""


def open_to_others(folder):
    """What in a folder others may read or write."""
    return {str(path) for path in [folder, *folder.rglob("*")] if path.lstat().st_mode & 0o077}


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def lax():
    """Files are made for everybody, unless they are asked for otherwise."""
    before = os.umask(0)
    yield
    os.umask(before)


# A whole run on a team of payloads, without a network


@dataclass(frozen=True)
class Ran:
    """What a command left behind: what it said, what of the network it tried, and its pages."""

    home: Path
    code: int
    said: str
    tried: str
    pages: Sequence[Path] = ()


def without_network(home, *command):
    """Run a command where no Python may ask the network, and no library either if that works."""
    (home / "site").mkdir(exist_ok=True)
    (home / "site" / "sitecustomize.py").write_text(NO_NETWORK)
    paths = [str(home / "site"), str(ROOT), os.environ.get("PYTHONPATH", "")]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "TRIED": str(home / "tried")}
    env |= {"XDG_CACHE_HOME": str(home / "cache")}
    alone = ["unshare", "--user", "--map-root-user", "--net"]
    can = shutil.which("unshare") and not subprocess.run([*alone, "true"]).returncode
    done = subprocess.run(
        [*(alone if can else ()), *command], env=env, umask=0, capture_output=True, text=True
    )
    tried = (home / "tried").read_text() if (home / "tried").exists() else ""
    return Ran(home, done.returncode, done.stdout + done.stderr, tried)


@pytest.fixture(scope="module")
def ran(bad, tmp_path_factory):
    """The report of that team, every notebook and one rep; its cards and ride-alongs beside it."""
    home = tmp_path_factory.mktemp("security")
    source, output = bad.save(home / "team"), home / "out"
    words = ["report", source, "--notebooks", ROOT / "notebooks", "--rep", IDS[0]]
    words += ["--output", output, "--keep-notebooks"]
    done = without_network(home, *COMMAND, *map(str, words))
    cards.write(source, output)
    ride_alongs.write(source, output, per_year=12)
    return replace(done, pages=sorted(output.rglob("*.html")))


def test_everything_is_made_and_nobody_asks_the_network(ran):
    assert ran.code == 0, ran.said
    run = json.loads((ran.home / "out" / "2026-06-30" / "run.json").read_text())
    assert run["made"] == len([*(ROOT / "notebooks").glob("*.ipynb")])
    assert {"cards.html", "index.html"} < {path.name for path in ran.pages}
    assert {"one_on_one", "ride_alongs"} < {path.parent.name for path in ran.pages}
    assert ran.tried == ""
    assert "\x1b" not in ran.said


def test_whoever_does_ask_the_network_is_caught(tmp_path):
    ask = "import socket; socket.create_connection(('127.0.0.1', 9))"
    caught = without_network(tmp_path, sys.executable, "-c", ask)
    assert caught.code == 1
    assert "127.0.0.1" in caught.tried


def test_all_that_a_run_leaves_is_for_its_owner_only(ran):
    written = [ran.home / name for name in ("team", "out", "cache/salesnb")]
    assert {path.suffix for path in (ran.home / "out").rglob("*") if path.is_file()} == {
        ".html", ".json", ".ipynb", ".ics",
    }  # fmt: skip
    assert any(written[-1].rglob("*.answer"))
    assert not set().union(*map(open_to_others, written))


# The same pages in a browser

LISTEN = """addEventListener('securitypolicyviolation', e => console.log(
    `refused ${e.violatedDirective} ${e.blockedURI}`))"""
# Text, tags, names of attributes, where links lead, and what Markdown would have made of a payload.
LOOK = """() => {
    const all = [...document.querySelectorAll('*')]
    const made = [...document.querySelectorAll('strong, em, code, del, b, i, h1, mjx-container')]
    return {
        text: document.body.textContent + document.title,
        tags: all.map(e => e.localName),
        attributes: all.flatMap(e => e.getAttributeNames()),
        links: [...document.querySelectorAll('[href]')].map(e => e.getAttribute('href')),
        values: all.flatMap(e => [e.value, e.getAttribute('aria-label')]).filter(Boolean),
        made: made.map(e => e.textContent),
    }
}"""
HTML = """a body button code datalist dd defs details dialog div dl dt em fieldset figure footer
    h1 h2 h3 head header html input label legend li main meta nav option output p pre script section
    select small span strong style summary table tbody td textarea th thead title tr ul ol"""
SVG = "svg g path text tspan use rect clipPath polyline circle"


def look(paths):
    """What a browser makes of each page; and all it said, asked for, refused or failed at."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium on the path")
    found, troubles = {}, []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context()
        context.add_init_script(LISTEN)
        context.on("console", lambda said: troubles.append(said.text))
        context.on("weberror", lambda error: troubles.append(str(error.error)))
        context.on("dialog", lambda dialog: (troubles.append(dialog.message), dialog.dismiss()))
        context.on("request", lambda asked: troubles.append(asked.url))
        page = context.new_page()
        for path in paths:
            page.goto(path.as_uri())
            found[path] = page.evaluate(LOOK)
        browser.close()
    return found, [each for each in troubles if not _is_own(each, paths)]


@pytest.fixture(scope="module")
def seen(ran):
    """The pages of the run in a browser."""
    return look(ran.pages)


def _is_own(said, pages):
    return said.startswith("data:image/") or said in {path.as_uri() for path in pages}


@pytest.mark.browser
def test_nothing_runs_is_refused_or_fetched(seen):
    assert seen[1] == []


@pytest.mark.browser
def test_what_would_run_is_refused_and_seen(ran, tmp_path):
    """Had anything been let through, the policy would stop it and the test above would fail."""
    html = (ran.home / "out/2026-06-30/index.html").read_text()
    let_in = "<style>p {color: red}</style><img src=http://192.0.2.1/x onerror=alert(2)>"
    let_in += "<script>alert(1)</script><a href='javascript:alert(3)' id=x>x</a>"
    page = tmp_path / "page.html"
    page.write_text(html.replace("</main>", f"{let_in}</main>"))
    found, troubles = look([page])
    said = "\n".join(troubles)
    for what in ("style-src-elem inline", "script-src-elem inline", "img-src http://192.0.2.1/x"):
        assert f"refused {what}" in said
    assert not {"1", "2", "3"} & {*troubles}, "no dialog"
    assert "script" in found[page]["tags"]


@pytest.mark.browser
def test_no_word_becomes_an_element(seen):
    for path, page in seen[0].items():
        assert set(page["tags"]) <= {*HTML.split(), *SVG.split()}, path
        assert page["tags"].count("script") <= 1
        assert page["tags"].count("style") == 1
        assert not [name for name in page["attributes"] if name.startswith("on")]
        assert all(
            re.fullmatch(r"#[\w-]+|[\w./-]+\.html(#[\w-]+)?", link) for link in page["links"]
        ), path
        assert not {"bold", "i", "c", "s", "h1", "x2"} & {*page["made"]}


@pytest.mark.browser
def test_every_payload_is_read_as_it_was_written(seen):
    said = _flat(" ".join(page["text"] for page in seen[0].values()))
    values = _flat(" ".join(value for page in seen[0].values() for value in page["values"]))
    for payload in PAYLOADS:
        assert _flat(payload) in said, payload
    assert PAYLOADS[0] in values
    # None has become what a template or Markdown would have made of it.
    for inside, as_written in ((r"7\*7", r"[{$]\{7\*7"), (r"bold\b", r"\*\*bold\b")):
        assert len(re.findall(inside, said)) == len(re.findall(as_written, said)) > 0
    assert not re.search(r"\b49 [{]", said)


def _flat(text):
    return " ".join(text.split())


# Names of files


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    """A team whose reps are called as badly as can be, and a notebook that says who."""
    home = tmp_path_factory.mktemp("names")
    reps = pd.DataFrame({"rep_id": IDS, "name": [f"Rep {n}" for n in range(len(IDS))]})
    deals = pd.DataFrame({"deal_id": IDS, "rep_id": IDS, "created_on": "2026-01-05"})
    settings = salesnb.team.Settings(as_of=pd.Timestamp("2026-06-30"), stages=("A",))
    salesnb.team.of(settings, {"reps": reps, "deals": deals}).save(home / "team")
    tags = {"tags": ["parameters"]}
    cells = [new_markdown_cell("# Who"), new_code_cell('rep: str = ""  # who', metadata=tags)]
    spec = {"kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}}
    notebook = new_notebook(cells=[*cells, new_code_cell("print([rep])")], metadata=spec)
    (home / "notebooks").mkdir()
    nbformat.write(notebook, home / "notebooks" / "01_who.ipynb")
    return home


def test_no_id_of_a_rep_leads_out_of_the_folder(named, crew):
    before = {*named.rglob("*")}
    planned = plan(named / "team", named / "notebooks", named / "out", is_keeping=True)
    outcomes = batch.run(planned, batch.Options(workers=2), crew)
    assert {each.status for each in outcomes} == {"made"}
    made = [path for path in named.rglob("*") if path not in before and path.is_file()]
    assert len(made) == 3 * len(IDS) + 2
    assert len({str(path).casefold() for path in made}) == len(made)
    assert all(planned.folder.resolve() in path.resolve().parents for path in made)
    assert all(re.fullmatch(r"[\w-]{1,80}(\.manager)?\.(html|ipynb|json)", p.name) for p in made)
    said = {path: "".join(Seen(path.read_text()).text) for path in made if path.suffix == ".html"}
    links = [
        a["href"] for t, a in Seen((planned.folder / "index.html").read_text()).tags if t == "a"
    ]
    pages = {planned.folder / unquote(link) for link in links if link != "#main"}
    assert len(pages) == 2 * len(IDS)
    for job in planned.jobs:
        for path in (planned.folder / name for name in job.pages):
            assert path in pages
            assert repr([job.values["rep"]]) in said[path]


def test_the_name_of_a_file_does_not_depend_on_who_else_is_asked_for(named):
    where = (named / "team", named / "notebooks", named / "out")
    pages = {job.values["rep"]: job.pages for job in plan(*where).jobs}
    for rep in ("Case", "case"):
        (alone,) = plan(*where, reps=[rep]).jobs
        assert alone.pages == pages[rep]


@pytest.mark.parametrize("ids", [["a\0b"], ["\u00e9", "e\u0301"], [""]])
def test_ids_that_files_could_not_tell_apart_are_faults(ids):
    settings = salesnb.team.Settings(as_of=pd.Timestamp("2026-06-30"), stages=("A",))
    reps = pd.DataFrame({"rep_id": ids, "name": "Ann"})
    deals = pd.DataFrame({"deal_id": ["D1"], "rep_id": ids[:1], "created_on": "2026-01-05"})
    with pytest.raises(salesnb.DataError, match="reps, row"):
        salesnb.team.of(settings, {"reps": reps, "deals": deals})


def test_a_name_that_looks_like_anothers_with_its_mark_is_marked_too():
    (marked,) = safe_names(["a/b"]).values()
    for like_it in (marked, marked.upper()):
        names = safe_names(["a/b", like_it])
        assert names["a/b"] == marked
        assert names[like_it].casefold() != marked.casefold()


# Who may read


def test_a_data_set_is_for_its_owner_and_stays_as_open_as_it_was_made(small, tmp_path, lax):
    team = small.save(tmp_path / "team")
    assert not open_to_others(team)
    assert mode(team) == 0o700
    assert not open_to_others(small.save(tmp_path / "csv", format="csv"))
    team.chmod(0o750)
    with door.whole(team, replace=True) as aside:
        assert mode(aside.parent) == 0o700, "nobody looks in while it is written"
        (aside / "reps.csv").write_text("")
    assert (mode(team), mode(team / "reps.csv")) == (0o750, 0o640)


def test_an_import_is_for_its_owner_only(tmp_path, lax):
    export, mapping = tmp_path / "export", tmp_path / "crm.toml"
    export.mkdir()
    (export / "deals.csv").write_text("Id,Owner,Created\nD1,Ann,2026-01-05\n")
    mapping.write_text("""
        settings = { as_of = 2026-06-30, stages = ["A"] }
        sources.d.file = "deals"
        reps = { from = "d", distinct = true, rep_id = "Owner", name = "Owner" }
        deals = { from = "d", deal_id = "Id", rep_id = "Owner", created_on = "Created" }
    """)
    importers.run(mapping, export, tmp_path / "mine")
    assert not open_to_others(tmp_path / "mine")


@pytest.mark.parametrize(("folder", "file"), [(0o700, 0o600), (0o770, 0o660)])
def test_logging_notes_changes_nobodys_rights(named, tmp_path, lax, folder, file):
    team = shutil.copytree(named / "team", tmp_path / "team")
    team.chmod(folder)
    row = {"session_id": "S1", "rep_id": "-rf", "held_on": pd.Timestamp("2026-06-01")}
    with logbook.alone(team):
        assert mode(team / logbook.LOCK) == file
        logbook._write(team, {}, [row | {"kind": "one_on_one"}])
    written = team / "coaching.parquet"
    assert mode(written) == file
    written.chmod(0o640)
    logbook._write(team, {(0, "topic"): "Demo"}, [])
    assert mode(written) == 0o640
    assert salesnb.load(team).coaching["topic"].tolist() == ["Demo"]


def test_a_page_is_for_its_owner_unless_it_is_shared(tmp_path, lax):
    page = write_whole(tmp_path / "out" / "day" / "a.html", "a")
    assert (mode(page), mode(page.parent), mode(page.parent.parent)) == (0o600, 0o700, 0o700)
    page.chmod(0o666)
    assert mode(write_whole(page, "b")) == 0o600
    os.umask(0o027)
    assert mode(write_whole(tmp_path / "all" / "a.html", "a", is_shared=True)) == 0o640
    assert mode(tmp_path / "all") == 0o750


def test_pages_that_stand_are_shared_too_once_it_is_asked_for(named, lax):
    def run(is_shared):
        planned = plan(
            named / "team", named / "notebooks", named / "both", reps=["-rf"], is_shared=is_shared
        )
        statuses = [each.status for each in batch.run(planned, batch.Options(workers=1))]
        pages = [planned.folder / name for name in planned.jobs[0].pages]
        return statuses, [mode(path) for path in (*pages, planned.folder / "index.html")], pages[0]

    assert run(False)[:2] == (["made"], [0o600] * 3)
    statuses, modes, page = run(True)
    assert (statuses, modes) == (["unchanged"], [0o666] * 3)
    assert (mode(page.parent), mode(page.parent.parent)) == (0o777, 0o777)
    assert run(False)[:2] == (["unchanged"], [0o600] * 3)
