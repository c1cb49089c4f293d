"""A newer export over an older data set: what people added stays, what vanished is told."""

# ruff: noqa: E501  an export is easier to judge on one line

import json
import shutil
from dataclasses import replace

import exports
import pandas as pd
import pytest
import salesforce_shape
from exports import lines, write
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st
from typer.testing import CliRunner

import salesnb
from salesnb import DataError, cli, importers
from salesnb.importers import Privacy, Stated, update

USERS = "Id,Name,Username,IsActive\n005A,Ann Lee,ann,true\n005B,Bo Kiss,bo,true\n"
HEADER = "Id,OwnerId,StageName,Amount,CloseDate,CreatedDate,IsClosed,IsWon,LastModifiedDate\n"
OLD = {
    "User": USERS,
    "Opportunity": HEADER + """\
006A,005A,New,10,2026-05-01,2026-01-01,false,false,2026-02-01
006B,005A,Closed Won,20,2026-02-01,2026-01-02,true,true,2026-02-28
006C,005B,Closed Lost,30,2026-02-01,2026-01-03,true,false,2026-02-01
006D,005B,Offer,40,2026-05-01,2026-01-04,false,false,2026-02-01
""",
    "OpportunityHistory": """\
OpportunityId,StageName,CloseDate,CreatedDate,Probability
006A,New,2026-05-01,2026-01-01,10
006B,New,2026-05-01,2026-01-02,10
006D,New,2026-05-01,2026-01-04,10
006D,Offer,2026-05-01,2026-01-14,50
""",
    "ForecastingQuota": "QuotaOwnerId,QuotaAmount,StartDate\n005A,1000,2026-01-01\n005A,1000,2026-02-01\n",
}  # fmt: skip
# 006A won, 006B as before, 006C open again, 006D gone, 006E new; Bo is gone; another stage.
NEW = {
    "User": "Id,Name,Username,IsActive\n005A,Ann Lee,ann,true\n",
    "Opportunity": HEADER + """\
006A,005A,Closed Won,11,2026-03-01,2026-01-01,true,true,2026-03-01
006B,005A,Closed Won,20,2026-02-01,2026-01-02,true,true,2026-02-28
006C,005A,Demo,30,2026-06-01,2026-01-03,false,false,2026-03-01
006E,005A,New,50,2026-06-01,2026-03-01,false,false,2026-03-05
""",
    "OpportunityHistory": """\
OpportunityId,StageName,CloseDate,CreatedDate,Probability
006A,New,2026-05-01,2026-01-01,10
006A,Demo,2026-05-01,2026-02-10,30
006B,New,2026-05-01,2026-01-02,10
006C,Demo,2026-06-01,2026-03-01,30
006E,New,2026-06-01,2026-03-01,10
""",
    "ForecastingQuota": "QuotaOwnerId,QuotaAmount,StartDate\n005A,1200,2026-02-01\n005A,1300,2026-03-01\n",
}  # fmt: skip
COACHING = "session_id,rep_id,held_on,kind,commitment\ns1,005B,2026-02-20,one_on_one,call more\n"


def run(folder, team, **options):
    return importers.run("salesforce", folder, team, **options)


@pytest.fixture
def team(tmp_path):
    """An import to which people have added."""
    folder = run(write(tmp_path / "old", OLD), tmp_path / "team").folder
    (folder / "coaching.csv").write_text(COACHING)
    (folder / "notes").mkdir()
    (folder / "notes" / "mine.txt").write_text("mine")
    own = folder / "team.toml"
    own.write_text("# my team\n" + own.read_text().replace('"Team"', '"North"'))
    reps = pd.read_parquet(folder / "reps.parquet")
    hired = pd.to_datetime(["2024-01-01", None]).astype("datetime64[us]")
    reps.assign(hired_on=hired, was_peer=[True, False]).to_parquet(folder / "reps.parquet")
    return folder


@pytest.fixture
def new(tmp_path):
    return write(tmp_path / "new", NEW)


def state(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


def test_by_hand(team, new):
    report = run(new, team, update=True)
    found = salesnb.load(team)
    assert found.fingerprint == report.team.fingerprint
    assert lines(found.deals, "deal_id", "rep_id", "amount", "closed_on", "outcome") == [
        "006A 005A 11.0 2026-03-01 won",
        "006B 005A 20.0 2026-02-01 won",
        "006C 005A 30.0 - -",
        "006E 005A 50.0 - -",
        "006D 005B 40.0 - -",
    ]
    assert lines(found.stage_changes, "deal_id", "stage", "entered_at") == [
        "006A New 2026-01-01",
        "006A Demo 2026-02-10",
        "006B New 2026-01-02",
        "006C Demo 2026-03-01",
        "006E New 2026-03-01",
        "006D New 2026-01-04",
        "006D Offer 2026-01-14",
    ]
    assert lines(found.quotas, "rep_id", "starts_on", "amount") == [
        "005A 2026-02-01 1200.0",
        "005A 2026-03-01 1300.0",
        "005A 2026-01-01 1000.0",
    ]
    assert found.as_of == pd.Timestamp("2026-03-05")
    assert found.settings.stages == ("New", "Demo", "Offer")


def test_what_people_added_stays(team, new):
    before = state(team)
    run(new, team, update=True)
    assert state(team)["coaching.csv"] == before["coaching.csv"]
    assert (team / "notes" / "mine.txt").read_text() == "mine"
    own = (team / "team.toml").read_text()
    assert own.startswith("# my team\n")
    assert 'name = "North"' in own
    assert lines(salesnb.load(team).reps, "rep_id", "name", "hired_on", "was_peer") == [
        "005A Ann Lee 2024-01-01 True",
        "005B Bo Kiss - False",
    ]


def test_a_rep_whom_the_export_does_not_name_keeps_the_name(team, new):
    (new / "User.csv").unlink()
    run(new, team, update=True)
    assert list(salesnb.load(team).reps["name"]) == ["Ann Lee", "Bo Kiss"]


def test_rows_are_counted(team, new):
    report = run(new, team, update=True)
    assert [str(each) for each in report.changed] == [
        "reps: 0 new, 0 changed, 1 unchanged, 1 not in the export any more, kept (005B)",
        "deals: 1 new, 2 changed, 1 unchanged, 1 not in the export any more, kept (006D)",
        "stage_changes: 3 new, 0 changed, 2 unchanged, 2 not in the export any more, kept",
        "close_date_changes: 2 new, 0 changed, 2 unchanged, 1 not in the export any more, kept",
        "quotas: 1 new, 1 changed, 0 unchanged, 1 not in the export any more, kept",
    ]
    assert "Since the last import\n- reps: 0 new" in str(report)
    manifest = json.loads((team / "import.json").read_text(encoding="utf-8"))
    assert manifest["changed"][1]["first"] == ["006D"]
    assert manifest["fingerprint"] == salesnb.load(team).fingerprint


def test_the_same_export_again_changes_nothing(team, new):
    first = run(new, team, update=True).team.fingerprint
    report = run(new, team, update=True)
    assert report.team.fingerprint == first
    assert not any(each.new or each.changed or each.replaced for each in report.changed)


def test_overwriting_still_sees_what_people_added(team, new):
    run(new, team, update=True)
    with pytest.raises(DataError, match=r"coaching\.csv, notes, reps\.parquet, team\.toml"):
        run(new, team, overwrite=True)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"stated": Stated(as_of="2026-02-20")}, "needs a newer export|not after as_of"),
        ({"private": True}, "other names or another key"),
    ],
)
def test_what_cannot_be_updated_stays_as_it_is(team, new, tmp_path, how, said):
    before = state(team)
    if how.get("private"):
        how = {"private": Privacy(tmp_path / "key")}
    with pytest.raises(DataError, match=said):
        run(new, team, update=True, **how)
    assert {k: v for k, v in state(team).items() if not k.startswith(".")} == before
    assert not (tmp_path / "key").exists()


def test_an_older_export_or_another_currency_is_refused(team, tmp_path, new):
    old = write(
        tmp_path / "older", {**OLD, "Opportunity": OLD["Opportunity"].replace("02-28", "02-05")}
    )
    with pytest.raises(DataError, match="an update needs a newer export"):
        run(old, team, update=True)
    with pytest.raises(DataError, match="is in USD, the data set in EUR"):
        run(new, team, update=True, stated=Stated(currency="USD"))


def test_what_does_not_fit_leaves_all_as_it_was(team, new):
    (team / "coaching.csv").write_text(COACHING.replace("005B", "005X"))
    before = state(team)
    with pytest.raises(DataError, match="005X"):
        run(new, team, update=True)
    assert {k: v for k, v in state(team).items() if not k.startswith(".")} == before


def test_another_crm_is_refused_and_a_hand_made_data_set(team, new, tmp_path):
    manifest = team / "import.json"
    manifest.write_text(manifest.read_text().replace('"Salesforce"', '"Pipedrive"'))
    with pytest.raises(DataError, match="was imported from Pipedrive; Salesforce cannot"):
        run(new, team, update=True)
    manifest.write_text("{}")
    with pytest.raises(DataError, match="is not what an import wrote"):
        run(new, team, update=True)
    manifest.unlink()
    with pytest.raises(DataError, match="is not an earlier import"):
        run(new, team, update=True)


def test_a_table_that_was_made_csv_stays_csv(team, new):
    table = pd.read_parquet(team / "deals.parquet")
    (team / "deals.parquet").unlink()
    table.to_csv(team / "deals.csv", index=False)
    run(new, team, update=True)
    assert not (team / "deals.parquet").exists()
    assert len(salesnb.load(team).deals) == 5


def test_pseudonyms_are_kept_over_an_update(tmp_path, new):
    private = Privacy(tmp_path / "key")
    first = run(write(tmp_path / "old", OLD), tmp_path / "team", private=private)
    again = run(new, tmp_path / "team", private=private, update=True)
    assert list(again.team.reps["name"]) == list(first.team.reps["name"])
    deals = next(each for each in again.changed if each.table == "deals")
    assert (deals.new, deals.changed, deals.unchanged, deals.vanished) == (1, 2, 1, 1)


def test_at_the_command_line(tmp_path, new):
    call = ["import", "salesforce", str(new), str(tmp_path / "team")]
    first = CliRunner().invoke(cli.app, [*call, "--update"])
    assert first.exit_code == 0, "where nothing is yet, an update is the first import"
    again = CliRunner().invoke(cli.app, [*call, "--update"])
    assert "deals: 0 new, 0 changed, 4 unchanged" in again.output
    both = CliRunner().invoke(cli.app, [*call, "--update", "--overwrite"])
    assert both.exit_code == 2


def test_stages_are_put_in_order():
    of = update._stages
    assert of(("Demo", "Offer"), ("Call", "Offer", "Test"), False) == (
        "Call",
        "Demo",
        "Offer",
        "Test",
    )
    assert of(("A", "B"), ("B", "A"), False) == ("A", "B")
    assert of(("A", "B"), ("B", "A"), True) == ("B", "A")
    assert of((), ("A",), False) == ("A",)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """A team, exported and imported."""
    team, _ = salesnb.simulate(seed=3, reps=4, deals_per_rep=12, months=8)
    place = tmp_path_factory.mktemp("whole")
    imported = run(salesforce_shape.write(team, place / "export"), place / "team")
    return team, imported.team, place / "team"


@trials(max_examples=8, deadline=None)
@given(gone=st.sets(st.integers(0, 47), max_size=40))
def test_whatever_deals_vanish_nothing_is_lost_and_nothing_made_up(
    simulated, tmp_path_factory, gone
):
    team, whole, folder = simulated
    place = tmp_path_factory.mktemp("part")
    shutil.copytree(folder, place / "team")
    deals = team.deals
    kept = {*deals["deal_id"][~deals.index.isin([g % len(deals) for g in gone])]}
    if not kept:
        return
    own = ("deals", "deal_lines", "stage_changes", "close_date_changes")
    fewer = {name: team.tables[name][team.tables[name]["deal_id"].isin(kept)] for name in own}
    part = replace(team, tables={**team.tables, **fewer})
    as_of, stages = str(team.as_of.date()), team.settings.stages
    report = run(
        salesforce_shape.write(part, place / "export"),
        place / "team",
        update=True,
        stated=Stated(as_of=as_of, stages=stages),
    )
    for name in own:
        was, now = (
            t.tables[name].sort_values([*whole.tables[name]], ignore_index=True)
            for t in (whole, report.team)
        )
        pd.testing.assert_frame_equal(was, now[[*was]])
    counts = {each.table: each for each in report.changed}
    assert counts["deals"].vanished == len(deals) - len(kept)
    assert counts["deals"].unchanged == len(kept)


def test_exports_module_counts_rows_still(tmp_path):
    """An update counts the rows of the export as every import does."""
    report = exports.run("salesforce", write(tmp_path / "old", OLD))
    again = run(tmp_path / "old", report.folder, update=True)
    assert again.tables == report.tables
