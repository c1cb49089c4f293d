"""The batch: what is planned, what is run, what lies in the folder afterwards."""

import json
import re
import shutil
from dataclasses import replace
from urllib.parse import unquote

import nbformat
import pandas as pd
import pytest
from conftest import REPS, ROOT
from inprocess import pages
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from test_display import HOSTILE, Seen

import salesnb
from salesnb import DataError, importers, team
from salesnb.finding import Urgency
from salesnb.report import batch, index, notebook, outcome, standing
from salesnb.report.files import safe_names, write_whole
from salesnb.report.plan import Job, Plan, plan
from salesnb.report.task import Ended

AS_OF = "2026-06-30"
FOR_INDEX = re.compile(rf'<meta name="salesnb-({"|".join(outcome.LINE)})".*>\n')


def save(folder, name, *cells, parameters=""):
    """A small notebook that needs no data."""
    made = [new_markdown_cell(f"# {name}")]
    if parameters:
        made.append(new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    made += [new_code_cell(source, metadata={"tags": tags}) for source, tags in cells]
    spec = {"kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}}
    folder.mkdir(exist_ok=True)
    nbformat.write(new_notebook(cells=made, metadata=spec), folder / f"{name}.ipynb")


@pytest.fixture(scope="module")
def strange(tmp_path_factory):
    """A team whose ids and names are as odd as a CRM allows; one rep left, one has no deals."""
    ids = ["a/b", "A/B", "../../etc", "con", "r1", "R1", "ok", "gone", "new", *HOSTILE[:2]]
    names = ["Zoë", "álvaro", "Bob", "bob", *HOSTILE]
    reps = pd.DataFrame({"rep_id": ids, "name": names[: len(ids)]})
    reps["left_on"] = ["2026-01-01" if rep == "gone" else None for rep in ids]
    deals = pd.DataFrame({"rep_id": [rep for rep in ids if rep != "new"] * 3})
    deals["deal_id"] = [f"D{n}" for n in deals.index]
    deals["created_on"] = "2025-03-01"
    settings = salesnb.team.Settings(as_of=pd.Timestamp(AS_OF), stages=("A", "B"))
    made = team.of(settings, {"reps": reps, "deals": deals.assign(amount="100")})
    return made.save(tmp_path_factory.mktemp("strange") / "team")


# The plan


def test_what_is_planned(strange, tmp_path):
    planned = plan(strange, ROOT / "notebooks", tmp_path)
    assert planned.folder == tmp_path / AS_OF
    names = [job.notebook.stem for job in planned.jobs]
    assert {"00_start_here", "02_funnel", "04_one_on_one"} <= set(names)
    people = [job for job in planned.jobs if job.about]
    assert "gone" not in {job.values["rep"] for job in people}
    assert "new" in {job.values["rep"] for job in people}
    first = [
        re.sub(r"\W", "", job.about)[:1].casefold() for job in people if job.about[0].isalpha()
    ]
    assert first[0] == "á", "accents do not send anybody to the end of the list"
    assert [job.about for job in people if job.about[0] in "zZ"] == ["Zoë"]


def test_file_names_are_safe_and_different(strange, tmp_path):
    planned = plan(strange, ROOT / "notebooks", tmp_path, only=["one_on_one"])
    files = [name for job in planned.jobs for name in job.pages]
    assert len({name.casefold() for name in files}) == 2 * len(planned.jobs)
    for name in files:
        assert re.fullmatch(r"one_on_one/[A-Za-z0-9_][A-Za-z0-9_-]*(\.manager)?\.html", name)
        assert name.split("/")[1].split(".")[0].casefold() not in ("con", "nul", "aux")
    assert "one_on_one/ok.html" in files


def test_names_stay_the_same_when_others_come_and_go():
    assert safe_names(["kovács-ágnes"])["kovács-ágnes"].startswith("kovacs-agnes-")
    assert safe_names(["R07", "x y"])["x y"] == safe_names(["x y", "a/b"])["x y"]


def test_one_who_left_can_be_asked_for(strange, tmp_path):
    planned = plan(strange, ROOT / "notebooks", tmp_path, reps=["gone", "ok"], only=["one_on_one"])
    assert {job.values["rep"] for job in planned.jobs} == {"gone", "ok"}


def test_a_page_of_one_who_left_since_is_found(strange, tmp_path):
    planned = plan(strange, ROOT / "notebooks", tmp_path)
    folder = planned.folder / "one_on_one"
    for name in ("gone.html", "gone.manager.html", "ok.html", "note.txt"):
        write_whole(folder / name, "")
    write_whole(planned.folder / "of_another_kind.html", "")
    assert [page.name for page in outcome.left_over(planned)] == ["gone.html", "gone.manager.html"]


def test_parameters_reach_the_notebooks_that_have_them(strange, tmp_path):
    folder = tmp_path / "nb"
    save(
        folder, "01_a", ("n", []), parameters="n: int = 1  # how many\nis_on: bool = True  # or not"
    )
    save(folder, "02_b", ("rep", []), parameters='rep: str = "x"  # who\nn: str = "1"  # how')
    planned = plan(strange, folder, tmp_path, reps=["ok"], given=["n=3", "is_on=false"])
    assert [dict(job.values) for job in planned.jobs] == [
        {"n": 3, "is_on": False},
        {"n": "3", "rep": "ok"},
    ]
    for wrong in ("m=3", "n=three", "is_on=maybe", "n", "data=x", "rep=ok"):
        with pytest.raises(DataError, match=re.escape(wrong.partition("=")[0])):
            plan(strange, folder, tmp_path, given=[wrong])


NO_KERNEL = new_notebook(cells=[new_code_cell("x = 1", metadata={"tags": ["parameters"]})])


@pytest.mark.parametrize("text", [nbformat.writes(NO_KERNEL), "{nope", "", "[]"])
def test_a_file_that_is_no_notebook_to_run_is_told(strange, tmp_path, text):
    path = tmp_path / "own.ipynb"
    path.write_text(text)
    with pytest.raises(DataError, match=r"own\.ipynb: expected a notebook with a kernel"):
        plan(strange, tmp_path, tmp_path)


def test_everything_misspelt_is_found_before_anything_runs(strange, tmp_path):
    for options in ({"only": ["one_on_on"]}, {"reps": ["okk"]}, {"given": ["reppp=1"]}):
        with pytest.raises(DataError):
            plan(strange, ROOT / "notebooks", tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


# The run


@pytest.fixture(scope="module")
def ran(strange, crew, tmp_path_factory):
    """A batch of three small notebooks, one of which fails, run as `salesnb report` runs them."""
    folder = tmp_path_factory.mktemp("batch")
    lacking = "from salesnb.errors import DataError\nraise DataError('no table')"
    save(
        folder / "nb",
        "01_good",
        ("print('kept back')", ["remove-cell"]),
        ("print('In one', 'line')", ["summary", "remove-cell"]),
        (lacking + "\nx = 1", ["raises-exception"]),
        ("print(x)", ["raises-exception"]),
        ("print('the end')", []),
    )
    save(folder / "nb", "02_bad", ("print('so far')", []), ("1 / 0  # <b>", []))
    save(folder / "nb", "03_rep", ("print(rep)", ["summary"]), parameters='rep: str = ""  # who')
    planned = plan(strange, folder / "nb", folder / "out", reps=["a/b", "A/B", HOSTILE[0]])
    outcomes = batch.run(planned, batch.Options(workers=2), crew)
    failed = sum(each.status == outcome.FAILED for each in outcomes)
    return planned, planned.folder / "index.html", failed


def test_a_notebook_that_fails_does_not_stop_the_others(ran):
    planned, index, failed = ran
    html = index.read_text()
    assert failed == 1
    assert "ZeroDivisionError" in html
    assert "1 / 0  # &lt;b&gt;" in html
    assert "1 of 5 pages could not be made" in html
    written = {str(p.relative_to(planned.folder)) for p in planned.folder.rglob("*.html")}
    wanted = {name for job in planned.jobs for name in job.pages} - {"02_bad.html"}
    assert written == wanted | {"index.html"}


def test_a_lacking_table_is_no_failure(ran):
    planned, *_ = ran
    html = (planned.folder / "01_good.html").read_text()
    assert '<p class="lacking">no table</p>' in html
    assert "NameError" not in html
    assert "not defined" not in html
    assert "the end" in html
    assert "kept back" not in html


def test_the_index_leads_to_every_page(ran):
    _, index, _ = ran
    seen = Seen(index.read_text())
    links = [unquote(attrs["href"]) for tag, attrs in seen.tags if tag == "a"]
    pages_ = [link for link in links if not link.startswith("#")]
    assert len(pages_) == 1 + 2 * 3
    assert all((index.parent / link).is_file() for link in pages_)
    said = " ".join("".join(seen.text).split())
    assert "In one line" in said
    assert HOSTILE[0] in said
    assert said.index("álvaro") < said.index("Zoë")


def test_the_index_says_what_stands_out_and_who_has_no_page(strange, crew, tmp_path):
    folder = tmp_path / "nb"
    save(
        folder,
        "01_rep",
        ("print('act: Offer')", ["flag", "remove-cell"]),
        parameters='data: str = ""  # where\nrep: str = ""  # who\nn: int = 1  # how many',
    )
    planned = plan(strange, folder, tmp_path / "out", given=["n=3"])
    assert planned.missing == "1 of 11 reps has left the team: no page."
    assert planned.parameters == "data=team, n=3"
    few = replace(planned, jobs=planned.jobs[:1])
    batch.run(few, batch.Options(workers=1), crew)
    index = few.folder / "index.html"
    said = " ".join("".join(Seen(index.read_text()).text).split())
    assert "act: Offer" in said
    assert planned.missing in said
    assert "data=team, n=3" in said
    (name, *_) = few.jobs[0].pages
    assert "data=team, n=3, rep=" in (planned.folder / name).read_text()
    asked = plan(strange, folder, tmp_path / "out", reps=["ok"])
    assert asked.missing == "Only the reps that were asked for."
    assert asked.parameters == "data=team, rep=ok"


def test_a_run_that_changes_nothing_reads_no_table(strange, crew, tmp_path):
    data, folder, out = (tmp_path / name for name in ("team", "nb", "out"))
    shutil.copytree(strange, data)
    save(folder, "01_rep", ("print(rep)", ["summary"]), parameters='rep: str = ""  # who')
    asked = {"reps": ["ok"], "given": [], "only": [], "is_shared": False, "is_keeping": False}
    assert standing.index(data, folder, out, **asked) is None
    planned = plan(data, folder, out, **asked)
    batch.run(planned, batch.Options(workers=1), crew)
    index = planned.folder / "index.html"
    assert standing.index(data, folder, out, **asked) == index
    told = json.loads((planned.folder / standing.FILE).read_text())
    assert told["unchanged"] == 1 and told["made"] == 0
    assert [report["status"] for report in told["reports"]] == ["unchanged"]
    assert standing.index(data, folder, out, **asked) == index, "still known to the next run"
    assert standing.index(data, folder, out, **{**asked, "reps": ["new"]}) is None
    for path in (data / "deals.parquet", folder / "01_rep.ipynb", data / "team.toml"):
        content = path.read_bytes()
        path.write_bytes(content + b"\n")
        assert standing.index(data, folder, out, **asked) is None, path
        path.write_bytes(content)
    assert standing.index(data, folder, out, **asked) == index
    page = planned.folder / next(iter(planned.jobs[0].pages))
    page.write_text(page.read_text().replace(planned.jobs[0].inputs, "0" * 64))
    assert standing.index(data, folder, out, **asked) is None
    page.unlink()
    assert standing.index(data, folder, out, **asked) is None


def test_nothing_is_left_lying_about(ran):
    planned, *_ = ran
    left = [path for path in planned.folder.parent.rglob("*") if path.is_file()]
    assert {path.suffix for path in left} == {".html", ".json"}


def test_files_appear_whole_or_not_at_all(tmp_path):
    path = write_whole(tmp_path / "deep" / "a.html", "one")
    with pytest.raises(TypeError):
        write_whole(path, 3)
    assert path.read_text() == "one"
    assert [p.name for p in path.parent.iterdir()] == ["a.html"]


def test_the_engine_names_the_cell_that_failed(crew, tmp_path):
    save(tmp_path, "bad", ("fine = 1", []), ("fine / 0", []))
    crew.workers.start("one", notebook.run, tmp_path / "bad.ipynb", {})
    (ended,) = (what for _, what in crew.workers.told() if isinstance(what, Ended))
    assert re.search(r"(?s)ZeroDivisionError.*cell:\s+fine / 0", ended.failure)


# The pages of the demo, of thin data and of strange people


@pytest.fixture(scope="module")
def demo_pages(demo_report):
    """Every page of the demo by file, and the plan."""
    output = demo_report.parents[1]
    planned = plan(ROOT / "data" / "demo", ROOT / "notebooks", output, reps=REPS)
    made = [planned.folder / name for job in planned.jobs for name in job.pages]
    return {path: path.read_text() for path in made}, planned


def test_a_reps_page_names_nobody_else(demo_pages, demo):
    made, planned = demo_pages
    people = demo.reps.set_index("rep_id")["name"]
    for job in (job for job in planned.jobs if job.about):
        own = job.values["rep"]
        others = [*people.drop(own), *people.drop(own).index]
        words = {word for name in people.drop(own) for word in name.split()}
        others += sorted(words - set(people[own].split()))
        pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, others))})(?!\w)")
        for name in job.pages:
            html = made[planned.folder / name]
            assert people[own] in html
            assert not pattern.findall(html)


def test_every_page_is_light_and_keeps_to_itself(demo_pages):
    made, planned = demo_pages
    assert len(made) == len(planned.jobs) + len(REPS) > 25
    for path, html in made.items():
        assert len(html.encode()) < 300_000, path
        tags = Seen(html).tags
        names = [tag for tag, _ in tags]
        assert not {"link", "iframe", "form"} & set(names)
        assert names.count("script") == ("script-src" in html) == 1
        has_form = path.parent.name == "one_on_one"
        assert ('id="agreement"' in html) == has_form
        for tag, attrs in tags:
            assert tag != "svg" or attrs["aria-label"].strip()
            assert tag != "img" or attrs["alt"].strip()
            assert not attrs.get("src", "data:").startswith(("http", "//", "file"))


def test_every_page_states_its_data(demo_pages, demo):
    for html in demo_pages[0].values():
        assert demo.fingerprint in html
        assert salesnb.__version__ in html
        assert pd.__version__ in html


def test_the_two_copies_differ_only_in_what_to_listen_for(demo_pages):
    made, planned = demo_pages
    for job in (job for job in planned.jobs if job.about):
        reps, managers = (made[planned.folder / name] for name in job.pages)
        assert "isten for" not in reps
        assert "isten for" in managers
        bare = re.sub(r'<details class="manager">.*?</details>', "", managers, flags=re.DOTALL)
        head = re.compile(r'<p class="kicker">.*?</p>', re.DOTALL)
        assert head.sub("", FOR_INDEX.sub("", bare)) == head.sub("", reps)


def test_the_same_data_is_the_same_pages(demo_pages, tmp_path):
    made, planned = demo_pages
    few = ["funnel", "one_on_one", "goals_and_pay"]
    again, _ = pages(ROOT / "data" / "demo", tmp_path, reps=["R04"], only=few)
    for path, html in again.items():
        before = made[planned.folder / path.relative_to(tmp_path / planned.folder.name)]
        assert html == FOR_INDEX.sub("", before)


def test_thin_and_strange_data_still_make_pages(strange, tmp_path):
    made, planned = pages(strange, tmp_path)
    for job in (job for job in planned.jobs if job.about):
        for name in job.pages:
            seen = Seen(made[planned.folder / name])
            assert job.about in "".join(seen.text)
            assert "img" not in {tag for tag, _ in seen.tags}
            assert [tag for tag, _ in seen.tags].count("script") == 1
    assert any('class="lacking"' in html for html in made.values())


def test_a_rep_without_deals_gets_a_page(small, tmp_path):
    newcomer = small.reps.head(1).assign(rep_id="R99", name="New Comer", hired_on=small.as_of)
    reps = pd.concat([small.reps, newcomer], ignore_index=True)
    source = replace(small, tables={**small.tables, "reps": reps}).save(tmp_path / "team")
    made, _ = pages(source, tmp_path, reps=["R99"], only=["one_on_one"])
    for html in made.values():
        assert html.count("<h2") == 9
        assert "New Comer" in html


def test_someone_elses_export_makes_pages(maven_source, tmp_path):
    importers.run("maven", maven_source, tmp_path / "maven")
    loaded = salesnb.load(tmp_path / "maven")
    made, _ = pages(tmp_path / "maven", tmp_path, reps=loaded.reps["rep_id"].head(2))
    assert len(made) == 10 + 2 * 2
    assert any('class="lacking"' in html for html in made.values())


def test_the_front_page_opens_with_what_does_not_wait(tmp_path):
    def made(name, **lines):
        job = Job(tmp_path / name, {}, {f"{name}.html": ""})
        said = [(f"s-{n}", f"Ask {n}", *line) for n, line in enumerate(lines.items())]
        said = json.dumps([(*place, line, Urgency[about]) for *place, about, line in said])
        return outcome.Outcome(job, outcome.MADE, name, pressing=said)

    def shown(*outcomes):
        front = Plan("Team", "30 June", {}, tmp_path, tuple(each.job for each in outcomes))
        return Seen(index.write(front, outcomes).read_text())

    team = [
        made("a", LEAK=HOSTILE[0]),
        made("b", PIPELINE="dry", LEAK="two", PERSON="a word"),
        made("c", LEAK="three", RHYTHM="a visit", PROMISE="agreed"),
        made("d"),
    ]
    seen = shown(*team)
    links = [attrs["href"] for tag, attrs in seen.tags if tag == "a" and "#" in attrs["href"]]
    urgent = ["c.html#s-2", "b.html#s-0", "b.html#s-2", "a.html#s-0", "b.html#s-1"]
    assert links == ["#main", *urgent, "c.html#s-1", "c.html#s-0"], "a third leak comes last"
    said = " ".join("".join(seen.text).split())
    assert said.index("two") < said.index("2 more lines") < said.index("three")
    assert HOSTILE[0] in said
    assert "as far as the pages are made" not in said
    part = shown(team[3], outcome.to_make(team[0].job))
    assert "Nothing stands out from chance, and nothing is due, as far as the pages are made." in (
        " ".join("".join(part.text).split())
    )


def test_a_folder_that_moves_keeps_working(ran, tmp_path):
    _, index, _ = ran
    moved = shutil.copytree(index.parent, tmp_path / "elsewhere")
    links = [a["href"] for t, a in Seen((moved / "index.html").read_text()).tags if t == "a"]
    assert all((moved / unquote(link)).is_file() for link in links if not link.startswith("#"))
