"""What an import keeps out: no name of the export stands anywhere in the data set."""

# ruff: noqa: E501  an export is easier to judge on one line

import json
import re
import stat
from pathlib import Path

import exports
import pandas as pd
import pytest
import salesforce_shape
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st
from typer.testing import CliRunner

import salesnb
from salesnb import DataError, cli, importers
from salesnb.importers import Privacy, keyfile
from salesnb.importers.names import Finder

OBJECTS = {
    "User": """\
Id,Name,Email,IsActive
005A,Ann Lee,ann.lee@x.com,true
005B,Ágnes Kovács,agi@x.com,true
005C,Idle Ida,ida@x.com,true
""",
    "Account": "Id,Name,Industry,Website\n001A,Alpha Works Kft.,Retail,alphaworks.com\n001B,Beta,Retail,\n",
    "Opportunity": """\
Id,Name,AccountId,OwnerId,StageName,Amount,CloseDate,CreatedDate,IsClosed,IsWon,LastModifiedDate,LossReason
006A,One,001A,005A,Closed Lost,10,2026-02-01,2026-01-01,true,false,2026-03-01,Beta was cheaper
006B,Two,001B,005B,New,20,2026-04-01,2026-01-02,false,false,2026-03-01,
""",
    "Task": """\
Id,WhatId,OwnerId,Subject,Status,Type,ActivityDate,IsClosed,Description
00T1,006A,005A,Call,Completed,Call,2026-01-05,true,"ann lee rang Kovács Ágnesnek, Ann's idea; ask alpha works"
00T2,006B,005B,Call,Completed,Call,2026-01-06,true,"Lee, Ann wrote to bob@beta.com and ida@x.com; Idle Ida knows"
00T3,006B,005B,Call,Completed,Call,2026-01-07,true,Nothing to tell
""",
}  # fmt: skip
NAMES = ("ann", "lee", "ágnes", "agnes", "kovács", "ida", "alpha", "beta", "x.com")


def run(folder: Path, key: Path | None, dest: str = "team", **options) -> importers.ImportReport:
    private = Privacy(key, **options)
    return importers.run("salesforce", folder, folder.with_name(dest), private=private)


def everything(folder: Path) -> str:
    """All that stands in the files of a data set."""
    said = []
    for path in sorted(folder.iterdir()):
        is_table = path.suffix == ".parquet"
        said.append(pd.read_parquet(path).to_csv() if is_table else path.read_text("utf-8"))
    return "\n".join(said)


@pytest.fixture
def export(tmp_path):
    return exports.write(tmp_path / "export", OBJECTS)


def test_no_name_stands_anywhere(export, tmp_path):
    report = run(export, tmp_path / "key")
    said = (everything(report.folder) + str(report)).casefold()
    assert not [name for name in NAMES if re.search(rf"\b{name}(?!ual_)", said)]
    team = salesnb.load(report.folder)
    assert team.fingerprint == report.team.fingerprint
    ann, agnes = team.reps["name"]
    assert re.fullmatch(r"Rep [a-z2-7]{10}", ann)
    assert list(team.reps["rep_id"]) == [n.lower().replace(" ", "-") for n in (ann, agnes)]
    alpha, beta = team.accounts["name"]
    assert team.activities["note"][0] == f"{ann} rang {agnes}, {ann}'s idea; ask {alpha}"
    assert re.fullmatch(
        rf"{ann} wrote to \(e-mail\) and Person \w+; Person \w+ knows", team.activities["note"][1]
    )
    assert team.activities["note"][2] == "Nothing to tell"
    assert team.deals["lost_reason"][0] == f"{beta} was cheaper"
    assert list(team.deals["deal_id"]) == ["006A", "006B"], "a code of the CRM is no name"


def test_the_same_key_gives_the_same_pseudonyms_and_another_others(export, tmp_path):
    first = run(export, tmp_path / "key")
    text = (export / "User.csv").read_text("utf-8")
    header, ann, *others = text.splitlines()
    (export / "User.csv").write_text("\n".join([header, *others, ann]), "utf-8")
    again = run(export, tmp_path / "key", "again")
    other = run(export, tmp_path / "other_key", "other")
    names = [{*report.team.reps["name"]} for report in (first, again, other)]
    assert names[0] == names[1]
    assert not names[0] & names[2]
    manifests = [
        json.loads((r.folder / "import.json").read_text())["withheld"]
        for r in (first, again, other)
    ]
    assert manifests[0] == manifests[1] != manifests[2]
    secret = (tmp_path / "key").read_text().splitlines()[-1]
    assert secret not in everything(first.folder)


def test_the_key_is_for_its_owner_only_and_outside_the_data_set(export, tmp_path):
    key = tmp_path / "key"
    with pytest.raises(DataError, match="must not lie in the data set"):
        run(export, tmp_path / "team" / "key")
    with pytest.raises(DataError, match="no folder"):
        run(export, tmp_path / "nowhere" / "key")
    assert not (tmp_path / "team").exists()
    run(export, key)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.chmod(0o644)
    with pytest.raises(DataError, match="others may read this key"):
        run(export, key, "again")
    key.write_text("no key\n")
    key.chmod(0o600)
    with pytest.raises(DataError, match="expected a key"):
        run(export, key, "again")
    assert key.read_text() == "no key\n"


def test_an_import_that_fails_leaves_no_key(export, tmp_path):
    (export / "Opportunity.csv").write_text("Id,StageName,CloseDate\n1,New,2026-01-01\n")
    with pytest.raises(DataError):
        run(export, tmp_path / "key")
    assert not (tmp_path / "key").exists()


def test_notes_are_left_out_and_said(export, tmp_path):
    report = run(export, None, is_without_notes=True)
    assert report.team.activities["note"].isna().all()
    assert "rang" not in everything(report.folder)
    assert "activities.note: 3 texts left out, as --without-notes asks" in report.decided
    assert list(report.team.reps["name"]) == ["Ann Lee", "Ágnes Kovács"]
    manifest = json.loads((report.folder / "import.json").read_text(encoding="utf-8"))
    assert manifest["withheld"] == {"notes": "left out"}


def test_reports_whose_ids_are_names(tmp_path):
    text = """\
Opportunity Name,Opportunity Owner,Account Name,Stage,Amount,Close Date,Created Date
Alpha renewal,Ann Lee,Alpha,Closed Won,1234.5,2026-02-01,2026-01-13
Two,Bo Kiss,Beta,New,500.5,2026-04-30,2026-02-20
"""
    folder = exports.write(tmp_path / "export", {"Ann Lee's deals": text})
    report = run(folder, tmp_path / "key")
    said = everything(report.folder) + str(report)
    assert not re.search(r"\b(Ann|Lee|Kiss|Alpha|Beta)\b", said)
    deals = report.team.deals
    assert deals["deal_id"][1] == "Two"
    assert deals["deal_id"][0].startswith("deal-")
    assert {*deals["rep_id"]} == {*report.team.reps["rep_id"]}
    assert salesnb.load(report.folder).fingerprint == report.team.fingerprint


HUBSPOT = {
    "owners": "id,email,firstName,lastName\n11,ann.lee@x.com,Ann,Lee\n12,agi@x.com,Ágnes,Kovács\n13,ida@x.com,Idle,Ida\n",
    "companies": "hs_object_id,name,domain,industry\n21,Alpha Works Kft.,alphaworks.com,RETAIL\n22,Beta,beta.com,RETAIL\n",
    "deal_pipeline_stage": "stage_id,label,display_order,probability,is_closed\nnew,New,0,0.2,false\nclosedlost,Lost,1,0.0,true\n",
    "deals": """\
hs_object_id,dealname,dealstage,amount,closedate,createdate,hubspot_owner_id,closed_lost_reason,company_id,hs_lastmodifieddate,hs_v2_date_entered_new
31,Alpha Works renewal,closedlost,10,2026-02-01,2026-01-01,11,Beta was cheaper,21,2026-03-01,2026-01-01
32,Two,new,20,2026-04-01,2026-01-02,agi@x.com,,22,2026-03-01,2026-01-02
""",
    "meetings": """\
hs_object_id,hs_meeting_title,hs_meeting_start_time,hs_meeting_end_time,hs_meeting_outcome,hs_createdate,hubspot_owner_id,associated_deal_ids,hs_meeting_body
41,Ann meets Beta,2026-01-08T10:00:00Z,2026-01-08T11:00:00Z,COMPLETED,2026-01-05T10:00:00Z,11,31,"<p><b>Lee, Ann</b> &amp; Kov&aacute;cs &Aacute;gnes of alphaworks.com; idle ida knows</p>"
""",
}  # fmt: skip


def test_no_name_of_a_hubspot_export_stands_anywhere(tmp_path):
    """Owners stand by id and by e-mail, names in texts with tags and entities."""
    folder = exports.write(tmp_path / "export", HUBSPOT)
    private = Privacy(tmp_path / "key")
    report = importers.run("hubspot", folder, tmp_path / "team", private=private)
    said = (everything(report.folder) + str(report)).casefold()
    assert not [name for name in (*NAMES, "alphaworks") if re.search(rf"\b{name}\b", said)], said
    team = salesnb.load(report.folder)
    ann, agnes = team.reps["name"]
    assert list(team.deals["rep_id"]) == list(team.reps["rep_id"])
    beta = team.accounts["name"][1]
    assert team.deals["lost_reason"][0] == f"{beta} was cheaper"
    note = team.activities["note"][0]
    assert note.startswith(f"{ann} & {agnes} of "), note
    assert re.search(r"; Person \w+ knows$", note)
    assert list(team.deals["amount"]) == [10, 20]


def test_a_mapping_whose_ids_are_made_from_names(tmp_path):
    folder = exports.write(
        tmp_path / "export",
        {"deals": "No,Owner,Opened\n1,Ann Lee,2026-01-01\n2,Bo Kiss,2026-01-02\n"},
    )
    (tmp_path / "map.toml").write_text("""\
name = "Deals of Ann Lee"
settings = { as_of = 2026-02-01, name = "Team of Bo Kiss" }
sources.deals = { file = "deals", mend.Owner = { "Bo Kiss" = "Bo  Kiss" } }
reps = { from = "deals", distinct = true, rep_id = { column = "Owner", as_id = true }, name = "Owner" }
deals = { from = "deals", deal_id = "No", rep_id = { column = "Owner", as_id = true }, created_on = "Opened" }
""")
    private = Privacy(tmp_path / "key")
    report = importers.run(tmp_path / "map.toml", folder, tmp_path / "team", private=private)
    said = everything(report.folder) + str(report)
    assert not re.search(r"(?i)\b(ann|lee|bo|kiss)\b", said), said
    assert report.team.settings.name.startswith("Team of Rep ")


def test_everything_else_stays(tmp_path):
    """A simulated team with and without pseudonyms: the same rows, the same sums."""
    team, _ = salesnb.simulate(seed=3, reps=4, deals_per_rep=12, months=8)
    folder = salesforce_shape.write(team, tmp_path / "export")
    plain = importers.run("salesforce", folder, tmp_path / "plain").team
    hidden = run(folder, tmp_path / "key").team
    reps = dict(zip(plain.reps["rep_id"], hidden.reps["rep_id"], strict=True))
    accounts = dict(zip(plain.accounts["account_id"], hidden.accounts["account_id"], strict=True))
    for name, table in plain.tables.items():
        expected = table.drop(columns=["name", "note"], errors="ignore")
        for column, ids in (("rep_id", reps), ("account_id", accounts)):
            if column in expected:
                expected = expected.assign(**{column: expected[column].map(ids).astype("str")})
        pd.testing.assert_frame_equal(hidden.tables[name][[*expected]], expected)
    assert hidden.reps["name"].nunique() == plain.reps["name"].nunique()


def found(text: str, **options) -> str:
    finder = Finder()
    finder.add_person("Ann Lee", "R1")
    finder.add_parts("Ann Lee", "R1")
    finder.add_person("Kovács Ágnes", "R2")
    finder.add_parts("Kovács Ágnes", "R2")
    finder.add_company("Best Foods Inc.", "A1")
    finder.add_company("IT", "A2")
    finder.add_company("on.se", "A3")
    return finder.replaced(text, **options)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ANN LEE and kovacs agnes", "R1 and R2"),
        ("Lee, Ann; Kovács Ágnessel", "R1; R2"),
        ("Annual meeting, leeway", "Annual meeting, leeway"),
        ("an ann; Lee! Ann", "an ann; R1! R1"),
        ("best foods, Best Foods Inc. and best prices", "A1, A1. and best prices"),
        ("IT asks: it is", "A2 asks: it is"),
        ("See www.on.se, then move on", "See www.A3, then move on"),
        ("", ""),
    ],
)
def test_names_are_found_as_people_write_them(text, expected):
    assert found(text, parts=True) == expected


@trials(max_examples=100, deadline=None)
@given(
    name=st.from_regex(r"[A-Z][a-zéőü]{3,8} [A-Z][a-zéőü]{3,8}", fullmatch=True),
    before=st.text(max_size=20),
    after=st.text(max_size=20),
    form=st.sampled_from([str, str.upper, str.lower, lambda n: ", ".join(n.split()[::-1])]),
)
def test_a_name_is_found_wherever_it_stands(name, before, after, form):
    finder = Finder()
    finder.add_person(name, "9")
    said = finder.replaced(f"{before} {form(name)} {after}")
    assert form(name) not in said
    assert finder.replaced(said) == said


def test_a_code_depends_on_key_kind_and_name():
    one, two = (keyfile.Key(Path("key"), secret) for secret in (b"1" * 32, b"2" * 32))
    codes = {one.code("reps", "a"), two.code("reps", "a"), one.code("accounts", "a")}
    assert len(codes) == 3
    # HMAC-SHA256 of "reps\na" by 32 times "1", base 32, as openssl and base32 give it.
    assert one.code("reps", "a") == "4ydluqu6vb"


def test_at_the_command_line(export, tmp_path):
    arguments = ["import", "salesforce", str(export), str(tmp_path / "team")]
    options = ["--anonymous", str(tmp_path / "key"), "--without-notes"]
    done = CliRunner().invoke(cli.app, [*arguments, *options])
    assert done.exit_code == 0, done.output
    assert "a new key in key: keep it" in done.output
    assert "Ann" not in done.output
