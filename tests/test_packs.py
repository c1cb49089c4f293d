"""A pack of pages for each part of a team: by region, by manager, by any column of reps."""

import json
import re
import sys
from contextlib import closing
from dataclasses import replace
from urllib.parse import unquote

import pandas as pd
import pytest
from test_display import Seen
from test_report import save

import salesnb
from salesnb import cli
from salesnb.report import batch
from salesnb.report.plan import plan

MANAGERS = ["Ann/../Lee", "Ann/../Lee", "ann/../lee", "Zoë & <b>Ö?=#", "Zoë & <b>Ö?=#", "7", "", ""]


@pytest.fixture(scope="module")
def source(small, tmp_path_factory):
    """Eight reps; their managers are called as oddly as may be, and two have none."""
    reps = small.reps.assign(manager=MANAGERS, left_on=None, role=None)
    reps.loc[1, "left_on"] = small.as_of - pd.Timedelta(days=9)
    team = replace(small, tables={**small.tables, "reps": reps.replace({"manager": {"": None}})})
    return team.save(tmp_path_factory.mktemp("packs") / "a team")


@pytest.fixture(scope="module")
def crew(source):
    """The team is loaded, as it is for the command."""
    with closing(batch.crew(str(source), "reports")) as crew:
        yield crew


@pytest.fixture(scope="module")
def ran(source, crew, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    count = ("import salesnb\nprint('Reps:', *salesnb.load(data).reps['rep_id'])", ["summary"])
    data = 'data: str = ""  # where'
    save(folder / "nb", "01_team", count, parameters=data)
    save(folder / "nb", "02_rep", count, parameters=f'{data}\nrep: str = ""  # who')
    planned = plan(source, folder / "nb", folder / "out", by="manager")
    return planned, batch.run(planned, batch.Options(workers=2), crew), folder


def links(folder):
    seen = Seen((folder / "index.html").read_text(encoding="utf-8"))
    found = [unquote(attrs["href"]) for tag, attrs in seen.tags if tag == "a"]
    return [link for link in found if not link.startswith("#")], " ".join(
        "".join(seen.text).split()
    )


def test_each_manager_has_a_pack(ran):
    planned, outcomes, _ = ran
    assert {each.status for each in outcomes} == {"made"}
    assert [pack.part for pack in planned.packs] == [
        "7", "Ann/../Lee", "Zoë & <b>Ö?=#", "ann/../lee", "without manager",
    ]  # fmt: skip
    assert planned.folder.name == "by_manager"
    front, said = links(planned.folder)
    assert len({link.casefold() for link in front}) == 5
    for pack, link in zip(planned.packs, front, strict=True):
        assert (planned.folder / link).resolve() == (pack.folder / "index.html").resolve()
        assert pack.folder.parent == planned.folder
        assert re.fullmatch(r"[\w-]+", pack.folder.name, re.ASCII)
        assert pack.part in said


def test_a_pack_holds_its_own_part_and_leads_nowhere_else(ran, source):
    planned, *_ = ran
    reps = salesnb.load(source).reps
    of_manager = reps.groupby(reps["manager"].fillna("without manager"))["rep_id"].agg(list)
    for pack in planned.packs:
        own = of_manager[pack.part]
        found, said = links(pack.folder)
        assert all((pack.folder / link).resolve().is_relative_to(pack.folder) for link in found)
        assert all((pack.folder / link).is_file() for link in found)
        team_page = (pack.folder / "01_team.html").read_text(encoding="utf-8")
        assert f"Reps: {' '.join(own)}<" in team_page.replace("\n", "")
        there = {rep for rep in own if rep != reps["rep_id"][1]}
        pages = {path.name.split(".")[0] for path in (pack.folder / "rep").iterdir()}
        assert pages == there
        assert ("1 of 2 reps has left" in said) == (len(there) < len(own))


def test_a_reps_page_is_the_same_as_without_packs(ran, source, crew):
    planned, _, folder = ran
    alone = plan(source, folder / "nb", folder / "alone", only=["02_rep"])
    batch.run(alone, batch.Options(workers=2), crew)
    everybody = " ".join(salesnb.load(source).reps["rep_id"])
    for pack in planned.packs:
        for path in (pack.folder / "rep").iterdir():
            text = path.read_text(encoding="utf-8")
            assert f"Reps: {everybody}" in text
            assert "all 8 reps of the data set" in text
            is_rep_copy = "manager.html" not in path.name
            if is_rep_copy:
                assert pack.part == "7" or pack.part not in "".join(Seen(text).text)
                other = (alone.folder / "rep" / path.name).read_text(encoding="utf-8")
                against = r"<div><dt>Reps are set against.*?</div>\n"
                assert re.sub(against, "", text) == other


def test_the_run_is_told_as_one_and_goes_on_as_one(ran):
    planned, outcomes, _ = ran
    run = json.loads((planned.folder / "run.json").read_text(encoding="utf-8"))
    assert run["made"] == len(outcomes) == 5 + 7
    assert all(
        (planned.folder / page).is_file() for each in run["reports"] for page in each["pages"]
    )
    assert len({page for each in run["reports"] for page in each["pages"]}) == 5 + 2 * 7
    assert {each.status for each in batch.run(planned)} == {"unchanged"}


def test_the_foot_of_a_page_says_which_part(ran):
    planned, *_ = ran
    pack = next(pack for pack in planned.packs if "Zo" in pack.part)
    text = (pack.folder / "01_team.html").read_text(encoding="utf-8")
    said = "".join(Seen(text).text)
    assert "data=a team?manager=Zo%C3%AB+%26+%3Cb%3E%C3%96%3F%3D%23" in said
    assert f"{planned.team}: {pack.part}" in said


def test_a_part_of_a_team(source):
    whole = salesnb.load(source)
    assert [*whole.parts("manager")][-1] == ""
    part = whole.part("manager", "Zoë & <b>Ö?=#")
    ids = set(part.reps["rep_id"])
    assert len(ids) == 2
    for name, table in part.tables.items():
        if "rep_id" in table:
            assert set(table["rep_id"].dropna()) <= ids, name
    assert not part.has("goals"), "they are the whole team's"
    assert part.key != whole.key
    again = salesnb.load(f"{source}?manager=Zo%C3%AB+%26+%3Cb%3E%C3%96%3F%3D%23")
    assert again.fingerprint == part.fingerprint
    blank = salesnb.load(f"{source}?manager=")
    assert len(blank.reps) == 2
    region = next(iter(blank.parts("region")))
    within = salesnb.load(f"{source}?manager=&region={region}")
    assert set(within.reps["rep_id"]) <= set(blank.reps["rep_id"])


def test_pages_of_one_part_alone(ran, source):
    *_, folder = ran
    planned = plan(f"{source}?manager=7", folder / "nb", folder / "part")
    outcomes = batch.run(planned, batch.Options(workers=1))
    (rep,) = salesnb.load(planned.source).reps["rep_id"]
    assert [each.summary for each in outcomes] == [f"Reps: {rep}"] * 2
    assert {each.error for each in outcomes} == {""}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["SOURCE", "--by", "manger"], "Did you mean 'manager'?"),
        (["SOURCE", "--by", "role_in_team"], "column of reps"),
        (["SOURCE?manager=Ann"], "There is no manager 'Ann'"),
        (["SOURCE?Ann"], "COLUMN=VALUE"),
        (["SOURCE", "--by", "role"], "is blank"),
    ],
)
def test_a_part_that_nobody_is_in_is_told(planning, monkeypatch, capsys, ran, source, words, said):
    *_, folder = ran
    words = [word.replace("SOURCE", str(source)) for word in words]
    words += ["--notebooks", str(folder / "nb"), "--output", str(folder / "none")]
    monkeypatch.setattr(sys, "argv", ["salesnb", "report", *words])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert said in capsys.readouterr().err
