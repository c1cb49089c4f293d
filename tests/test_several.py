"""Several files of one object: one table, every row counted, faults by file and row."""

import csv
import hashlib
import io
import json

import exports
import pandas as pd
import pytest
import salesforce_shape
from exports import lines, write
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st

import salesnb
from salesnb.importers import objects

USERS = "Id,Name\n005A,Ann\n005B,Bo\n"
HEADER = "Id,OwnerId,StageName,Amount,CloseDate,CreatedDate,IsClosed,IsWon,LastModifiedDate\n"
ONE = (
    HEADER
    + """\
006A,005A,New,10,2026-05-01,2026-01-01,false,false,2026-02-01
006B,005A,Closed Won,20,2026-02-01,2026-01-02,true,true,2026-02-28
006C,005B,New,30,2026-05-01,2026-01-03,false,false,2026-02-01
006D,005B,New,40,2026-05-01,2026-01-04,false,false,2026-02-01
"""
)
# Other columns in another order; 006A is newer, 006B older, 006C the same, 006D of the same time.
TWO = """\
Amount,Id,OwnerId,Stage,CloseDate,CreatedDate,IsClosed,IsWon,LastModifiedDate,LeadSource
11,006A,005A,Closed Won,2026-03-01,2026-01-01,true,true,2026-03-01,Web
21,006B,005A,New,2026-04-01,2026-01-02,false,false,2026-01-31,Web
30,006C,005B,New,2026-05-01,2026-01-03,false,false,2026-02-01,
41,006D,005B,New,2026-05-01,2026-01-04,false,false,2026-02-01,Fair
50,006E,005B,New,2026-05-01,2026-01-05,false,false,2026-03-02,
"""


def run(folder, **stated):
    return exports.run("salesforce", folder, **stated)


@pytest.fixture
def export(tmp_path):
    return write(tmp_path / "export", {"User": USERS, "Opportunity_1": ONE, "Opportunity_2": TWO})


def test_by_hand(export):
    report = run(export)
    assert lines(report.team.deals, "deal_id", "amount", "outcome", "source") == [
        "006B 20.0 won -",
        "006C 30.0 - -",
        "006A 11.0 won Web",
        "006D 41.0 - Fair",
        "006E 50.0 - -",
    ]
    [deals] = [count for count in report.tables if count.table == "deals"]
    assert deals.file == "Opportunity_1.csv and Opportunity_2.csv"
    assert (deals.read, deals.kept) == (9, 5)
    assert deals.left_out == {
        "the same as a row before": 1,
        "an earlier state of a row": 3,
    }


def test_the_manifest_names_every_file(export):
    manifest = json.loads((run(export).folder / "import.json").read_text(encoding="utf-8"))
    for name, n_rows in (("Opportunity_1.csv", 4), ("Opportunity_2.csv", 5)):
        digest = hashlib.sha256((export / name).read_bytes()).hexdigest()
        assert manifest["sources"][name] == {"rows": n_rows, "sha256": digest}


def test_faults_name_the_file_and_its_row(export):
    for name, old, new in (
        ("Opportunity_1", "Closed Won,20", "Closed Won,many"),
        ("Opportunity_2", "50,006E", "more,006E"),
        ("Opportunity_2", "2026-01-05", "soon"),
    ):
        path = export / f"{name}.csv"
        path.write_text(path.read_text().replace(old, new))
    said = exports.faults_of("salesforce", export)
    assert sorted({each.partition(":")[0] for each in said}) == [
        "Opportunity_1.csv, row 3, column Amount",
        "Opportunity_2.csv, row 6, column Amount",
        "Opportunity_2.csv, row 6, column CreatedDate",
    ]


def test_files_that_tell_their_rows_apart_otherwise_are_not_put_together(export):
    text = TWO.replace("Amount,Id,", "Amount,Opportunity Name,")
    (export / "Opportunity_2.csv").write_text(text)
    assert exports.faults_of("salesforce", export) == [
        "Opportunity_2.csv, column Id: expected this column, as in Opportunity_1.csv: "
        "both are Opportunity"
    ]


def test_two_states_of_which_none_is_later_are_a_fault(export):
    path = export / "Opportunity_2.csv"
    path.write_text(path.read_text().replace("50,006E", "50,006D").replace("03-02", "02-01"))
    assert exports.faults_of("salesforce", export) == [
        "Opportunity_2.csv, rows 5, 6, column Id (deals.deal_id): found '006D', "
        "expected every value once"
    ]


def test_rows_without_an_id_that_two_files_share_count_once(tmp_path):
    deals = HEADER + "006A,005A,New,10,2026-05-01,2026-01-01,false,false,2026-02-01\n"
    line = "006A,01tA,2,10,20\n"
    header = "OpportunityId,Product2Id,Quantity,UnitPrice,TotalPrice\n"
    folder = write(
        tmp_path / "export",
        {
            "User": USERS,
            "Opportunity": deals,
            "OpportunityLineItem_1": header + 2 * line,
            "OpportunityLineItem_2": header + 3 * line + "006A,01tB,1,5,5\n",
        },
    )
    report = run(folder)
    assert list(report.team.deal_lines["net_amount"]) == [20, 20, 20, 5]
    [count] = [count for count in report.tables if count.table == "deal_lines"]
    assert (count.read, count.left_out) == (6, {"the same as a row before": 2})


def test_names_of_files_with_numbers():
    for name in (
        "Opportunity_1",
        "Opportunity 2026-05",
        "sf_opportunity_data (3)",
        "opportunity.2",
    ):
        assert objects._file(name) == "opportunity"
    assert objects._file("Product2") == "product2"


@trials(max_examples=8, deadline=None)
@given(cuts=st.lists(st.integers(0, 200), min_size=1, max_size=3), overlap=st.integers(0, 20))
def test_an_export_cut_into_files_is_the_same_team(tmp_path_factory, cuts, overlap):
    """However it is cut, with whatever overlap."""
    folder = tmp_path_factory.mktemp("cut") / "export"
    team, _ = salesnb.simulate(seed=3, reps=3, deals_per_rep=8, months=6)
    salesforce_shape.write(team, folder)
    whole = run(folder).team
    for name in ("Opportunity", "OpportunityHistory", "Task"):
        path = folder / f"{name}.csv"
        header, *rows = csv.reader(io.StringIO(path.read_text()))
        path.unlink()
        ends = sorted({*(cut % (len(rows) + 1) for cut in cuts), len(rows)})
        for number, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
            part = pd.DataFrame(rows[max(start - overlap, 0) : end], columns=header)
            part.to_csv(folder / f"{name}_{number}.csv", index=False)
    assert run(folder).team.fingerprint == whole.fingerprint
