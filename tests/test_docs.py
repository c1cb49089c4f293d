"""The documentation: links lead somewhere, code runs, commands exist, Sphinx has no complaint."""

import re
import shlex
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from itertools import dropwhile
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import nbformat
import pytest
import test_contract as contract
import typer
from conftest import ROOT

import salesnb
from salesnb import cli, verbs

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
GUIDE = ROOT / "docs" / "analysts_guide.md"
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
FENCE = re.compile(r"^( *)```(.*?)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
# Before a block that is not run stands why; nothing else leaves one out.
NOT_RUN = re.compile(r"<!-- not run: (.+) -->\n+$")
SECONDS = 300


def blocks(page: Path, language: str) -> list[tuple[str, str]]:
    """The fenced blocks of a page in a language: what stands in them, and why they do not run."""
    text = page.read_text(encoding="utf-8")
    found = []
    for fence in FENCE.finditer(text):
        if fence[2] == language:
            reason = NOT_RUN.search(text[: fence.start()])
            found.append((fence[3], reason[1] if reason else ""))
    return found


def with_blocks(language: str) -> pytest.MarkDecorator:
    """One case for each page that has blocks in a language."""
    pages = [page for page in PAGES if blocks(page, language)]
    return pytest.mark.parametrize("page", pages, ids=lambda page: str(page.relative_to(ROOT)))


def prose(page: Path) -> str:
    """A page without what stands in its blocks and between backticks."""
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", page.read_text(encoding="utf-8")))


@cache
def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and MyST make them."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@each_page
def test_its_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{target}: no such file"
        assert not anchor or anchor in anchors(there), f"{target}: no such heading"


@each_page
def test_what_it_says_to_run_is_there(page):
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert set(re.findall(r"(?:^|`)make (\w+)", text, flags=re.MULTILINE)) <= set(targets)
    for program in re.findall(r"python (\w+/\w+\.py)", text):
        assert (ROOT / program).is_file(), program


def test_there_are_pages_with_links_and_blocks():
    assert len(re.findall(r"\]\(", prose(ROOT / "README.md"))) > 5
    assert "what-each-table-opens" in anchors(GUIDE)
    assert len(blocks(GUIDE, "python")) > 4
    assert len(blocks(ROOT / "README.md", "")) == 2


@pytest.fixture(scope="module")
def desk(small, tmp_path_factory):
    """A folder to work in, with a small team in the place of the demo, for speed."""
    desk = tmp_path_factory.mktemp("desk")
    (desk / "data").mkdir()
    small.save(desk / "data" / "demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(desk)
        yield desk


@with_blocks("python")
def test_its_code_runs(page, desk):
    names = {"__name__": "page"}
    for code, why_not in blocks(page, "python"):
        if not why_not:
            exec(compile(code, str(page), "exec"), names)


@pytest.fixture(scope="module")
def command():
    """The command line, with a command for each question."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(sys, "argv", ["salesnb", "show"])
        cli.main()
    return typer.main.get_command(cli.app)


def understood(group, words: list[str], parent=None):
    """Let the command line read words, without doing what they say; a mistake raises."""
    context = group.make_context("salesnb", words, parent=parent)
    if hasattr(group, "commands"):
        rest = [*context._protected_args, *context.args]
        _, chosen, rest = group.resolve_command(context, rest)
        understood(chosen, rest, context)


def typed(page: Path) -> list[list[str]]:
    """The words of each command line of a page that calls salesnb."""
    lines = [line for text, _ in blocks(page, "") for line in text.splitlines()]
    words = [shlex.split(line, comments=True) for line in lines]
    words = [[*dropwhile(lambda word: "=" in word, line)] for line in words]  # NAME=value first
    return [line[1:] for line in words if line[:1] == ["salesnb"]]


@with_blocks("")
def test_its_commands_are_understood(page, command):
    for words in typed(page):
        understood(command, words)


def test_commands_that_do_not_exist_are_not_understood(command):
    assert len(typed(ROOT / "README.md")) > 4
    for words in (["reprot", "data"], ["report", "data", "--rpe", "R1"], ["show", "funnel.leks"]):
        with pytest.raises(Exception, match=r"No such|Missing|Did you mean"):
            understood(command, words)


def test_the_managers_guide_names_sections_that_exist():
    text = (ROOT / "docs" / "managers_guide.md").read_text(encoding="utf-8")
    named = re.findall(r"(?<!\*)\*([^*]+\?)\*(?!\*)", text)
    assert len(named) > 20
    headings = {
        line.removeprefix("## ")
        for path in (ROOT / "notebooks").glob("*.ipynb")
        for cell in nbformat.read(path, as_version=4).cells
        for line in cell.source.splitlines()
    }
    assert {" ".join(name.split()) for name in named} - headings == set()


METHODS = [page for page in PAGES if page.parent.name == "methods" and page.stem != "index"]


@pytest.mark.parametrize("page", METHODS, ids=lambda page: page.stem)
def test_the_accuracy_of_a_method_is_what_was_measured(page):
    """Each figure stands on a page that a benchmark wrote, to which the method's page leads."""
    said = page.read_text(encoding="utf-8").split("\n## Accuracy\n")[1].split("\n## ")[0]
    measured = [page.parent / target for target in re.findall(r"\]\((\S+?\.md)\)", said)]
    assert measured or "no benchmark" in said
    known = " ".join(each.read_text(encoding="utf-8") for each in measured)
    figures = re.findall(r"\d+\.\d{2,}", said)
    assert figures or "no benchmark" in said
    assert [figure for figure in figures if not re.search(rf"\b{figure}\b", known)] == []


def test_the_reference_holds_every_question():
    text = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    modules = {name.partition(".")[0] for name in verbs.find()}
    assert set(re.findall(r"automodule:: salesnb\.(\w+)", text)) == modules
    for name in verbs.find():
        module, _, verb = name.partition(".")
        assert verb in getattr(salesnb, module).__all__


def test_the_question_of_ones_own_keeps_what_every_question_promises(small, monkeypatch):
    module = ModuleType("salesnb.lost")
    (code,) = [code for code, _ in blocks(GUIDE, "python") if "def reasons" in code]
    exec(compile(code, "lost.py", "exec"), vars(module))
    (verb,) = verbs._verbs_of(module)
    name = "lost.reasons"
    monkeypatch.setitem(contract.VERBS, name, verb)
    answers = {name: contract.answer(name, small)}
    empty = {table: rows.iloc[:0] for table, rows in small.tables.items()}
    idle = salesnb.Team(small.settings, {**empty, "reps": small.reps})
    contract.test_it_can_be_guessed(name)
    contract.test_it_returns_a_finding(name, answers)
    contract.test_it_leaves_the_team_as_it_was(name, small)
    contract.test_values_lie_within_their_intervals(name, answers)
    contract.test_it_draws_into_the_axes_it_is_given(name, answers)
    contract.test_a_reps_answer_names_nobody_else(name, small)
    contract.test_nothing_to_go_by(name, idle)
    contract.test_an_unknown_rep_is_an_error(name, small)


@pytest.mark.skipif(find_spec("myst_nb") is None, reason="needs pip install 'salesnb[docs]'")
def test_sphinx_has_no_complaint(tmp_path):
    """The notebooks are not run here; `make docs` does that."""
    built = [sys.executable, "-m", "sphinx", "--conf-dir", ROOT / "docs", "--fail-on-warning"]
    built += ["--keep-going", "--quiet", "-D", "nb_execution_mode=off", ROOT, tmp_path / "docs"]
    done = subprocess.run(built, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr[-3000:]
    loads = re.compile(r'<(?:script|link|img)[^>]+(?:src|href)="(https?:[^"]+)"')
    for page in (tmp_path / "docs").rglob("*.html"):
        assert not loads.findall(page.read_text(encoding="utf-8")), page.name
