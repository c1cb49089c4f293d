"""Importers: a small export of every kind of dirt, mappings with faults, other people's exports."""

# ruff: noqa: E501  a message is easier to judge on one line

import hashlib
import json
import re
import sys
import zipfile

import pandas as pd
import pytest

import salesnb
from salesnb import DataError, icp, importers, metrics, scorecard, verbs
from salesnb.importers import target

OWNERS = """\
Owner,Since
Ann Lee,2024-01-01
Bo Ő. Kiss,2024-02-01
Idle Ida,
"""
GOODS = """\
Item,Price
Basic Set,1.5
Pro,2
"""
DEALS = """\
No;Owner;Item;Stage;Opened;Demo on;Closed;Value;Unused
1;Ann Lee;Basic Set;Won;2026-01-01;2026-01-10;2026-02-01;1700;x
2; Ann Lee ;BasicSet;Lost;2026-01-02;;2026-02-03;0;
3;Bo Ő. Kiss;Pro;Open;2026-02-01;2026-02-05;;;
4;Bo Ő. Kiss;;Open;2026-02-02;;;;
5;Ann Lee;Pro;Open;2026-02-03;;;;TEST
6;Ann Lee;Pro;Open;;;;;
"""
MAPPING = """\
name = "A small export"

[settings]
currency = "EUR"
as_of = { latest = ["deals.Closed", "deals.Demo on"] }
stages = ["New", "Demo"]

[sources.owners]
file = ["users", "owners"]

[sources.goods]
file = "goods"

[sources.deals]
file = "deals"
mend.Item = { BasicSet = "Basic Set" }
mend.Value = { "0" = "" }
leave_out = [
    { column = "Unused", is = "TEST", reason = "test rows" },
    { column = "Opened", is = ["", "never"], reason = "never opened" },
]

[reps]
from = "owners"
rep_id = { column = "Owner", as_id = true }
name = "Owner"
hired_on = "Since"
role = { value = "Seller" }

[products]
from = "goods"
product_id = { column = "Item", as_id = true }
name = "Item"
list_price = { column = "Price", times = 1000 }

[deals]
from = "deals"
deal_id = ["Number", "No"]
rep_id = { column = "Owner", as_id = true }
product_id = { column = "Item", as_id = true }
created_on = "Opened"
closed_on = "Closed"
outcome = { column = "Stage", values = { Won = "won", Lost = "lost" }, others = "" }
amount = { column = "Value", otherwise = "products.list_price" }

[[stage_changes]]
from = "deals"
deal_id = "No"
stage = { value = "New" }
entered_at = "Opened"

[[stage_changes]]
from = "deals"
leave_out = [{ column = "Demo on", is = "", reason = "no demo" }]
deal_id = "No"
stage = { value = "Demo" }
entered_at = "Demo on"
"""
FILES = {"owners.csv": OWNERS, "goods.csv": GOODS, "deals.csv": DEALS}


@pytest.fixture
def export(tmp_path):
    folder = tmp_path / "export"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    (tmp_path / "map.toml").write_text(MAPPING, encoding="utf-8")
    return folder


def run(export, dest="team", mapping="map.toml", **options):
    return importers.run(export.parent / mapping, export, export.parent / dest, **options)


def change(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def faults_of(export):
    before = {path.name for path in export.parent.iterdir()}
    with pytest.raises(DataError) as caught:
        run(export)
    assert {path.name for path in export.parent.iterdir()} == before, "nothing half-written"
    return [str(fault) for fault in caught.value.faults]


def test_one_file_where_several_are_needed(export):
    with pytest.raises(DataError) as caught:
        importers.run(export.parent / "map.toml", export / "deals.csv", export.parent / "team")
    assert str(caught.value.faults[0]) == (
        "users.csv or owners.csv: expected this file in the export, and deals.csv alone was given"
    )


def test_a_workbook_of_one_sheet_goes_by_its_own_name(export):
    plain = run(export, "plain").team
    deals = pd.read_csv(export / "deals.csv", sep=";", dtype="str")
    (export / "deals.csv").unlink()
    deals.to_excel(export / "deals.xlsx", sheet_name="Sheet1", index=False)
    assert run(export).team.deals["deal_id"].to_list() == plain.deals["deal_id"].to_list()
    with pd.ExcelWriter(export / "deals.xlsx") as book:
        for name in ("Sheet1", "Sheet2"):
            deals.to_excel(book, sheet_name=name, index=False)
    with pytest.raises(DataError, match=r"deals.csv: expected .* \(nearest: 'deals.xlsx/Sheet"):
        run(export, "two")


def test_an_export_without_deals_is_no_export(export):
    text = (export / "deals.csv").read_text(encoding="utf-8")
    (export / "deals.csv").write_text(text.splitlines()[0] + "\n", encoding="utf-8")
    change(
        export.parent / "map.toml",
        'as_of = { latest = ["deals.Closed", "deals.Demo on"] }',
        "as_of = 2026-06-30",
    )
    said = "deals.csv: expected a deal in some row: there is none under the header"
    assert faults_of(export) == [said]
    (export / "deals.csv").write_text(
        "\n".join([*text.splitlines()[:1], text.splitlines()[-2]]), encoding="utf-8"
    )
    said = "deals.csv: expected a deal in some row: 1 left out (test rows)"
    assert faults_of(export) == [said]


def test_a_mend_that_meets_nothing_is_said(export):
    change(
        export.parent / "map.toml", 'BasicSet = "Basic Set"', 'BasicSet = "Basic Set", Pr0 = "Pro"'
    )
    assert "deals.csv, column Item: 'Pr0' stands in no row" in map(str, run(export).mended)


def test_by_hand(export):
    report = run(export)
    team = salesnb.load(report.folder)
    assert team.fingerprint == report.team.fingerprint
    assert list(team.reps["rep_id"]) == ["ann-lee", "bo-ő-kiss", "idle-ida"]
    assert list(team.reps["role"]) == ["Seller"] * 3
    deals = team.deals.set_index("deal_id")
    assert list(deals.index) == ["1", "2", "3", "4"]
    assert list(deals["rep_id"]) == ["ann-lee", "ann-lee", "bo-ő-kiss", "bo-ő-kiss"]
    assert list(deals["product_id"].fillna("")) == ["basic-set", "basic-set", "pro", ""]
    assert list(deals["amount"].fillna(-1)) == [1700, 1500, 2000, -1]
    assert list(deals["outcome"].fillna("")) == ["won", "lost", "", ""]
    entries = team.stage_changes[["deal_id", "stage"]].agg(" ".join, axis=1)
    assert list(entries) == ["1 New", "2 New", "3 New", "4 New", "1 Demo", "3 Demo"]
    assert team.as_of == pd.Timestamp("2026-02-05")
    assert report.as_of_from == "the latest date in deals.csv Closed, deals.csv Demo on"


def test_every_row_and_every_change_is_accounted_for(export):
    report = run(export)
    counts = {(c.table, c.kept): (c.read, dict(c.left_out)) for c in report.tables}
    assert counts == {
        ("reps", 3): (3, {}),
        ("products", 2): (2, {}),
        ("deals", 4): (6, {"test rows": 1, "never opened": 1}),
        ("stage_changes", 4): (6, {"test rows": 1, "never opened": 1}),
        ("stage_changes", 2): (6, {"test rows": 1, "never opened": 1, "no demo": 2}),
    }
    assert all(c.read == c.kept + sum(c.left_out.values()) for c in report.tables)
    assert [(m.column, m.value, m.new, m.n_rows) for m in report.mended[:3]] == [
        ("Owner", "space around the value", "", 1),
        ("Item", "BasicSet", "Basic Set", 1),
        ("Value", "0", "", 1),
    ]
    [amount] = report.estimated
    assert (amount.n_rows, amount.n_empty) == (2, 1)
    assert report.unfilled_columns["reps"] == ("left_on", "region", "was_peer")
    assert "quotas" in report.unfilled_tables
    assert "deals" not in report.unfilled_tables
    assert report.unused_columns == {}


def test_the_report_says_it_all(export):
    (export / "notes.csv").write_text("a\n1\n")
    change(export / "goods.csv", "Item,Price", "Item,Colour,Price")
    change(export / "goods.csv", "Set,", "Set,red,")
    change(export / "goods.csv", "Pro,", "Pro,blue,")
    said = str(run(export)).splitlines()
    for line in [
        "A small export: as of 2026-02-05 (the latest date in deals.csv Closed, deals.csv Demo on)",
        "- deals from deals.csv: 6 rows read, 4 kept, 1 left out (test rows), 1 left out (never",
        "- deals.csv, column Owner: space around the value cut in 1 row",
        "- deals.csv, column Item: 'BasicSet' became 'Basic Set' in 1 row",
        "- deals.csv, column Value: '0' became an empty cell in 1 row",
        "- deals.amount: 2 rows from products.list_price; 1 stay empty",
        "- reps: left_on, region, was_peer",
        "- whole tables: accounts, deal_lines,",
        "- goods.csv: Colour",
        "- notes.csv",
    ]:
        assert any(each.startswith(line) for each in said), line


def test_the_export_is_only_read(export):
    before = {path.name: path.read_bytes() for path in export.iterdir()}
    run(export)
    run(export, overwrite=True)
    assert {path.name: path.read_bytes() for path in export.iterdir()} == before


def test_the_manifest_says_from_what(export):
    report = run(export)
    manifest = json.loads((report.folder / "import.json").read_text(encoding="utf-8"))
    assert manifest["made_by"] == f"salesnb {salesnb.__version__}"
    assert manifest["mapping"]["name"] == "A small export"
    digest = hashlib.sha256((export / "goods.csv").read_bytes()).hexdigest()
    assert manifest["sources"]["goods.csv"] == {"rows": 2, "sha256": digest}
    assert manifest["fingerprint"] == report.team.fingerprint
    assert {"team.toml", "deals.parquet"} <= set(manifest["files"])
    assert manifest["tables"][-1]["left_out"]["no demo"] == 2


def zipped(export):
    path = export.parent / "export.zip"
    with zipfile.ZipFile(path, "w") as file:
        for each in export.iterdir():
            file.write(each, f"crm/{each.name}")
    return path


def booked(export):
    path = export.parent / "export.xlsx"
    with pd.ExcelWriter(path, engine="xlsxwriter") as book:
        for each in export.iterdir():
            rows = pd.read_csv(each, sep=None, engine="python", dtype=str)
            rows.to_excel(book, sheet_name=each.stem, index=False)
    return path


def in_other_bytes(export):
    for each in export.iterdir():
        text = each.read_text(encoding="utf-8")
        each.write_bytes(text.encode("utf-16" if each.name == "goods.csv" else "cp1250"))
    return export


@pytest.mark.parametrize("form", [zipped, booked, in_other_bytes])
def test_every_form_of_an_export_gives_the_same_team(export, form):
    wanted = run(export).team.fingerprint
    source = form(export)
    report = importers.run(export.parent / "map.toml", source, export.parent / "other")
    assert report.team.fingerprint == wanted
    assert all(c.read == c.kept + sum(c.left_out.values()) for c in report.tables)
    manifest = json.loads((report.folder / "import.json").read_text(encoding="utf-8"))
    files = {".zip": "crm/deals.csv", ".xlsx": "export.xlsx/deals", "": "deals.csv"}
    on_disk = source / "deals.csv" if source.is_dir() else source
    digest = hashlib.sha256(on_disk.read_bytes()).hexdigest()
    assert manifest["sources"][files[source.suffix]] == {"rows": 6, "sha256": digest}


def test_how_a_file_was_read_is_in_the_report(export):
    said = "deals.csv: read as Windows-1250 (Central European)"
    report = run(in_other_bytes(export))
    assert any(each.startswith(said) for each in report.decided)
    assert f"- {said}" in str(report).split("Decided in reading\n")[1].split("\n\n")[0]


def test_two_tables_of_one_name_are_a_fault(export):
    (export / "old").mkdir()
    (export / "old" / "goods.csv").write_text(GOODS, encoding="utf-8")
    assert faults_of(export) == [
        "goods: found 'goods.csv and old/goods.csv', expected one table of this name"
    ]


def test_a_footer_is_counted_with_the_rows_left_out(export):
    with (export / "deals.csv").open("a", encoding="utf-8") as file:
        file.write("\nConfidential Information - Do Not Distribute\n")
    deals = next(count for count in run(export).tables if count.table == "deals")
    assert (deals.read, deals.kept, deals.left_out["footer of the report"]) == (7, 4, 1)


# What is wrong with the export, in its own words: file, column, row as a spreadsheet counts it.
THERE = "where there are Nr, Ownr, Item, Stage, Opened, Demo on, Closed, Value, Unused"
EXPORTS = {
    "a missing file": (
        lambda e: (e / "owners.csv").rename(e / "ownners.csv"),
        ["users.csv or owners.csv: expected this file in {export} (nearest: 'ownners.csv')"],
    ),
    "a column without a name, another called otherwise": (
        lambda e: [change(e / "deals.csv", "Owner;", "Ownr;"), change(e / "goods.csv", "Price", "")],
        [
            "goods.csv, row 1: expected a name for column 2, or that column removed",
            "deals.csv, column Owner: expected this column (nearest: 'Ownr')",
        ],
    ),
    "columns called otherwise": (
        lambda e: [change(e / "deals.csv", "No;Owner", "Nr;Ownr"), change(e / "goods.csv", "Pri", "P")],
        [
            "goods.csv, column Price: expected this column (nearest: 'Pce')",
            f"deals.csv, column Number or No: expected this column, {THERE}",
            "deals.csv, column Owner: expected this column (nearest: 'Ownr')",
            f"deals.csv, column No: expected this column, {THERE}",
        ],
    ),
    "a file cut short": (
        lambda e: change(e / "deals.csv", "6;Ann Lee;Pro;Open;;;;;", "6;Ann"),
        ["deals.csv, row 7: found '2 cells', expected 9 as in the header"],
    ),
    "a name nobody knows": (
        lambda e: change(e / "deals.csv", "3;Bo Ő. Kiss", "3;Bo O. Kiss"),
        ["deals.csv, row 4, column Owner (deals.rep_id): found 'Bo O. Kiss', expected a rep_id of reps (nearest: 'Bo Ő. Kiss')"],
    ),
    "a name in two spellings": (
        lambda e: change(e / "deals.csv", "BasicSet", "basic set"),
        ["deals.csv, row 3, column Item: found 'basic set', expected one spelling of a name everywhere (nearest: 'Basic Set')"],
    ),
    "a name without a letter": (
        lambda e: change(e / "owners.csv", "Idle Ida", "-"),
        ["owners.csv, row 4, column Owner: found '-', expected a name with a letter or a digit, to make an id of"],
    ),
    "two people of one name": (
        lambda e: change(e / "owners.csv", "Idle Ida", "Ann Lee"),
        ["owners.csv, rows 2, 4, column Owner (reps.rep_id): found 'Ann Lee', expected every value once"],
    ),
    "a day and a number": (
        lambda e: [
            change(e / "deals.csv", "2026-02-02", "30.02.2026"),
            change(e / "deals.csv", "1700", "1.7oo"),
            change(e / "goods.csv", "1.5", "one and a half"),
        ],
        [
            "goods.csv, row 2, column Price (products.list_price): found 'one and a half', expected a plain number such as 1234.5",
            "deals.csv, row 5, column Opened (deals.created_on): found '30.02.2026', expected a day such as 2026-06-30, from 1900 to 2100",
            "deals.csv, row 2, column Value (deals.amount): found '1.7oo', expected a plain number such as 1234.5 (nearest: '1.7')",
            "deals.csv, row 5, column Opened (stage_changes.entered_at): found '30.02.2026', expected a time such as 2026-06-30T09:15:00Z, from 1900 to 2100",
        ],
    ),
    "the second part of a table": (
        lambda e: change(e / "deals.csv", "2026-02-05;;", "soon;;"),
        ["deals.csv, row 4, column Demo on (stage_changes.entered_at): found 'soon', expected a time such as 2026-06-30T09:15:00Z, from 1900 to 2100"],
    ),
    "won without a day": (
        lambda e: change(e / "deals.csv", "2026-02-01;1700", ";1700"),
        ["deals.csv, row 2, column Stage (deals.outcome): found 'won', expected closed_on filled too"],
    ),
    "no date at all": (
        lambda e: change(e.parent / "map.toml", '["deals.Closed", "deals.Demo on"]', '["deals.Unused"]'),
        ["map.toml, settings.as_of: expected a date in deals.csv Unused"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", EXPORTS)
def test_a_broken_export_is_described_in_its_own_words(export, case):
    breaks, expected = EXPORTS[case]
    breaks(export)
    assert faults_of(export) == [line.replace("{export}", str(export)) for line in expected]


def test_days_and_amounts_may_be_written_as_people_write_them(export):
    plain = run(export)
    path = export / "deals.csv"
    text = re.sub(r"(\d{4})-(\d\d)-(\d\d)", r"\3.\2.\1", path.read_text(encoding="utf-8"))
    path.write_text(text.replace(";1700;", ";1 700,00 €;"), encoding="utf-8")
    (export / "goods.csv").write_text("Item;Price\nBasic Set;1,5\nPro;2\n", encoding="utf-8")
    told = run(export, "people")
    assert told.team.fingerprint == plain.team.fingerprint
    assert any("the day stands first" in each for each in told.decided)
    assert any("decimal comma" in each for each in told.decided)


def test_what_nothing_decides_is_asked_for(export):
    path = export / "deals.csv"
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"\d{4}-\d\d-\d\d", "03/04/2026", text)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="expected --day-first or --month-first"):
        run(export)
    stated = importers.Stated(reading=importers.Options(day_first=True))
    deals = run(export, "stated", stated=stated).team.deals
    assert set(deals["created_on"]) == {pd.Timestamp("2026-04-03")}


def test_a_column_that_does_not_tell_is_read_as_the_others_of_its_file(export):
    path = export / "deals.csv"
    text = re.sub(r"(\d{4})-(\d\d)-(\d\d)", r"\3/\2/\1", path.read_text(encoding="utf-8"))
    path.write_text(text.replace("10/01/2026", "25/01/2026"), encoding="utf-8")  # of Demo on alone
    deals = run(export).team.deals
    assert list(deals["created_on"].head(2)) == [*pd.to_datetime(["2026-01-01", "2026-01-02"])]
    assert deals["closed_on"].max() == pd.Timestamp("2026-02-03")


def test_the_close_date_of_an_open_deal_is_when_it_is_expected_to_close(export):
    """One column for both, as most CRMs have it."""
    told = DEALS.replace(
        "3;Bo Ő. Kiss;Pro;Open;2026-02-01;2026-02-05;",
        "3;Bo Ő. Kiss;Pro;Open;2026-02-01;2026-02-05;2026-02-20",
    )
    (export / "deals.csv").write_text(told, encoding="utf-8")
    report = run(export)
    deals = report.team.deals.set_index("deal_id")
    assert pd.isna(deals["closed_on"]["3"])
    assert deals["expected_close_on"].dropna().to_dict() == {"3": pd.Timestamp("2026-02-20")}
    assert deals["closed_on"]["1"] == pd.Timestamp("2026-02-01")
    assert "deals.expected_close_on: the close date of deals still open (1)" in str(report)


def test_words_that_the_mapping_does_not_list_are_faults(export):
    change(export.parent / "map.toml", ', others = ""', "")
    assert faults_of(export) == [
        "deals.csv, rows 4, 5, column Stage: found 'Open', "
        "expected one of the mapping's values: Won, Lost"
    ]


# What is wrong with a mapping: the place in it, and the nearest thing it may have meant.
MAPPINGS = {
    "a misspelt section": ("[products]", "[product]", "product: found 'product', expected a known key (nearest: 'products')"),
    "a misspelt column": ('hired_on = "Since"', 'hired = "Since"', "reps.hired: found 'hired', expected a known key (nearest: 'hired_on')"),
    "a misspelt option": ("as_id = true", "asid = true", "reps.rep_id.asid: found 'asid', expected a known key (nearest: 'as_id')"),
    "a misspelt rule": ("reason = ", "because = ", "sources.deals.leave_out.because: found 'because', expected a known key: column, is, reason"),
    "a source that is none": ('from = "owners"', 'from = "owner"', "reps.from: found 'owner', expected a source of the mapping (nearest: 'owners')"),
    "a required column left out": ('created_on = "Opened"', "", "deals.created_on: expected this column, which is required"),
    "a required table left out": ("[reps]", "[quotas]", "[reps]: expected this table, which is required"),
    "a currency that is none": ('"EUR"', '"EURO"', "settings.currency: found 'EURO', expected an ISO 4217 code such as EUR (nearest: 'EUR')"),
    "no day": ("as_of = ", "asof = ", "settings.as_of: expected the day of the export, such as as_of = 2026-06-30"),
    "a day of an unknown source": ('"deals.Closed"', '"deal.Closed"', "settings.as_of: found 'deal.Closed', expected source.column"),
    "a column without words": ('name = "Owner"', "name = 3", "reps.name: found '3', expected text, or a list of texts"),
    "neither column nor value": ('{ value = "Seller" }', "{ times = 2 }", "reps.role: expected either a column, a value or a row"),
    "a value and a row": ('{ value = "Seller" }', '{ value = "Seller", row = "R" }', "reps.role: expected either a column, a value or a row"),
    "a row that is no text": ('{ value = "Seller" }', "{ row = 3 }", "reps.role.row: found '3', expected text in quotes"),
    "made up from nothing": ('{ value = "Seller" }', '{ column = "Owner", made_up = "a guess" }', "reps.role.made_up: expected a value beside it"),
    "words for nothing that are none": ('file = "goods"', 'file = "goods"\nblank = 3', "sources.goods.blank: found '3', expected text, or a list of texts"),
    "neither distinct nor not": ('from = "owners"', 'from = "owners"\ndistinct = "yes"', "reps.distinct: found 'yes', expected true or false"),
    "a unit that is no number": ("times = 1000", 'times = "k"', "products.list_price.times: found 'k', expected a number"),
    "an estimate from nowhere": ("products.list_price", "products.price", "deals.amount.otherwise: found 'products.price', expected a filled column of a table that deals refers to (nearest: 'products.list_price')"),
    "an estimate from strangers": ("products.list_price", "stage_changes.stage", "deals.amount.otherwise: found 'stage_changes.stage', expected a filled column"),
    "a section that is none": ('name = "A small export"', "goals = 3", "goals: found '3', expected a section [goals]"),
    "mends that are none": ('mend.Item = { BasicSet = "Basic Set" }\nmend.Value = { "0" = "" }', "mend = 3", "sources.deals.mend: found '3', expected a section of this name"),
}  # fmt: skip


@pytest.mark.parametrize("case", MAPPINGS)
def test_a_fault_of_a_mapping_names_its_place(export, case):
    old, new, expected = MAPPINGS[case]
    change(export.parent / "map.toml", old, new)
    said = faults_of(export)
    assert any(line.startswith(f"map.toml, {expected}") for line in said), said


def test_faults_of_the_mapping_and_of_the_files_come_together(export):
    change(export.parent / "map.toml", "hired_on", "hired")
    change(export.parent / "map.toml", "curr", "cur")
    (export / "goods.csv").unlink()
    change(export / "owners.csv", "Owner", "Person")
    said = faults_of(export)
    assert [line.split(":")[0] for line in said] == [
        "map.toml, settings.curency",
        "map.toml, reps.hired",
        "goods.csv",
        "owners.csv, column Owner",
    ]


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ("mavn", r"There is no mapping.*'mavn'. Did you mean 'maven'\?"),
        ("hubspto", r"There is no mapping.*'hubspto'. Did you mean 'hubspot'\?"),
        ("nowhere.toml", "There is no mapping"),
    ],
)
def test_an_unknown_mapping(export, mapping, said):
    with pytest.raises(DataError, match=said):
        importers.run(mapping, export, export.parent / "team")


def test_a_mapping_that_is_not_toml(export):
    (export.parent / "map.toml").write_text("[sources")
    assert faults_of(export)[0].startswith("map.toml: found ")


def test_an_earlier_import_is_replaced_only_on_request(export):
    run(export)
    with pytest.raises(DataError, match=r"holds an earlier import. Replace it with --overwrite"):
        run(export)
    change(export / "owners.csv", "Idle Ida,\n", "")
    assert len(run(export, overwrite=True).team.reps) == 2
    assert len(salesnb.load(export.parent / "team").reps) == 2


@pytest.mark.parametrize("own", ["quotas.csv", "team.toml"])
def test_what_people_added_to_an_import_is_never_replaced(export, own):
    folder = run(export).folder
    with (folder / own).open("a") as file:
        file.write("# mine\n")
    with pytest.raises(DataError, match=f"added or changed since the import: {own}"):
        run(export, overwrite=True)
    assert (folder / own).read_text().endswith("# mine\n")


def test_only_an_import_is_replaced(export):
    folder = export.parent / "team"
    folder.mkdir()
    assert run(export).folder == folder, "an empty folder is as good as none"
    (folder / "import.json").unlink()
    with pytest.raises(DataError, match="not an earlier import"):
        run(export, overwrite=True)
    for dest in (export, export.parent):
        with pytest.raises(DataError, match="holds the export itself"):
            importers.run(export.parent / "map.toml", export, dest, overwrite=True)


@pytest.mark.parametrize("stop", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_import_that_fails_half_way_leaves_all_as_it_was(export, monkeypatch, stop):
    report = run(export)

    def fail(*_):
        raise stop

    monkeypatch.setattr(target, "sign", fail)
    with pytest.raises((DataError, KeyboardInterrupt)):
        run(export, "other")
    with pytest.raises((DataError, KeyboardInterrupt)):
        run(export, overwrite=True)
    names = {"export", "map.toml", "team"}
    assert {path.name for path in export.parent.iterdir()} == names
    assert salesnb.load(report.folder).fingerprint == report.team.fingerprint


# One file without ids, dates or amounts: all that a mapping can do about it.
BARE = """\
Who;What;Rival;Won
Ann Lee;Basic Set;None known;yes
Bo Kiss;Basic Set;Acme;no
Ann Lee;Basic Set;None known;yes
 Ann Lee;Pro;n/a;no
"""
BARE_MAPPING = """\
name = "A bare export"

[settings]
as_of = 2020-12-31

[sources.rows]
file = "rows"
blank = ["n/a", "None known"]
leave_out = [{ column = "What", is = "", reason = "nothing sold" }]

[reps]
from = "rows"
distinct = true
rep_id = { column = "Who", as_id = true }
name = "Who"

[accounts]
from = "rows"
account_id = { row = "" }
further = { rival = "Rival" }

[deals]
from = "rows"
deal_id = { row = "D" }
rep_id = { column = "Who", as_id = true }
account_id = { row = "" }
competitor = "Rival"
created_on = { value = "2020-12-31", made_up = "no dates" }
closed_on = { value = "2020-12-31", made_up = "no dates" }
outcome = { column = "Won", values = { yes = "won", no = "lost" } }
"""


@pytest.fixture
def bare(tmp_path):
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "rows.csv").write_text(BARE, encoding="utf-8")
    (tmp_path / "map.toml").write_text(BARE_MAPPING, encoding="utf-8")
    return folder


def test_rows_without_ids_get_those_of_their_place_in_the_file(bare):
    team = run(bare).team
    assert list(team.deals["deal_id"]) == ["D2", "D3", "D4", "D5"]
    assert list(team.accounts["account_id"]) == ["2", "3", "4", "5"]
    assert list(team.deals["account_id"]) == list(team.accounts["account_id"])


def test_a_row_left_out_leaves_the_other_numbers_as_they_are(bare):
    change(bare / "rows.csv", "Bo Kiss;Basic Set", "Bo Kiss;")
    report = run(bare)
    assert list(report.team.deals["deal_id"]) == ["D2", "D4", "D5"]
    assert report.repeated == {"rows.csv": 1}


def test_rows_that_come_out_the_same_are_one(bare):
    report = run(bare)
    assert list(report.team.reps["rep_id"]) == ["ann-lee", "bo-kiss"]
    reps = next(count for count in report.tables if count.table == "reps")
    assert (reps.read, reps.kept, reps.left_out["the same as a row before"]) == (4, 2, 2)


def test_rows_that_agree_on_the_id_alone_are_a_fault(bare):
    change(bare.parent / "map.toml", 'name = "Who"', 'name = "Who"\nregion = "What"')
    assert faults_of(bare) == [
        "rows.csv, rows 2, 5, column Who (reps.rep_id): found 'Ann Lee', expected every value once"
    ]


def test_words_for_nothing_are_empty_cells(bare):
    report = run(bare)
    assert list(report.team.deals["competitor"].fillna("")) == ["", "Acme", "", ""]
    assert list(report.team.accounts["rival"].fillna("")) == ["", "Acme", "", ""]
    assert [(m.column, m.value, m.new, m.n_rows) for m in report.mended] == [
        ("Who", "space around the value", "", 1),
        ("Rival", "n/a", "", 1),
        ("Rival", "None known", "", 2),
    ]


def test_rows_repeated_word_for_word_are_kept_and_counted(bare):
    report = run(bare)
    assert len(report.team.deals) == 4
    assert report.repeated == {"rows.csv": 1}
    assert "- rows.csv: 1 row repeats an earlier row word for word; kept" in str(report)
    manifest = json.loads((report.folder / "import.json").read_text(encoding="utf-8"))
    assert manifest["repeated"] == {"rows.csv": 1}
    assert manifest["made_up"][0]["column"] == "created_on"


def test_a_day_made_up_is_said_and_nothing_is_made_of_it(bare):
    report = run(bare)
    said = str(report)
    assert "Values made up\n- deals.created_on: 2020-12-31 in 4 rows: no dates" in said
    team = salesnb.load(report.folder)
    assert not team.settings.is_dated
    with pytest.raises(DataError, match="those in this data set are made up"):
        salesnb.funnel.calendar(team)
    table = metrics.overview(team).table.set_index("metric")
    assert table.loc["win_rate", "value"].iloc[0] == 0.5
    for name in ("sales_cycle_days", "days_to_loss", "won_within_90_days", "cohort_win_rate"):
        assert table.loc[name, "value"].isna().all(), name


def test_a_team_whose_days_are_real_says_nothing_of_it(export):
    report = run(export)
    assert report.team.settings.is_dated
    assert "made up" not in str(report)
    assert "is_dated" not in (report.folder / "team.toml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def salvirt(salvirt_source, tmp_path_factory):
    """Salvirt's deals, imported; they are only read."""
    return importers.run("salvirt", salvirt_source, tmp_path_factory.mktemp("salvirt") / "team")


def test_salvirt_counts(salvirt):
    rows = {name: len(table) for name, table in salvirt.team.tables.items()}
    assert rows == {"reps": 18, "accounts": 448, "products": 14, "deals": 448}
    assert salvirt.team.deals["outcome"].value_counts().to_dict() == {"won": 227, "lost": 221}
    assert salvirt.repeated == {"Salvirt_B2B_ML_dataset.csv": 83}
    assert salvirt.unused_columns == {}
    assert sum(mended.n_rows for mended in salvirt.mended) == 20 + 32 + 36 + 14 + 10


def test_salvirt_traits_are_those_of_its_deals(salvirt):
    team = salvirt.team
    assert (team.accounts.notna().sum() > 0).sum() == 21, "an id and twenty traits"
    first = team.accounts.set_index("account_id").loc["A2"]
    said = first[["company_size", "purchasing_department", "budget_allocated"]].fillna("")
    assert list(said) == ["Mid", "", "Yes"]
    deals = team.deals.merge(team.accounts, on="account_id")
    pd.testing.assert_series_equal(deals["competitor"], deals["competitors"], check_names=False)


def test_salvirt_says_what_its_data_can_tell(salvirt):
    team = salvirt.team
    lacking = verbs.unanswered(team)
    assert {"funnel.calendar", "metrics.win_curve", "pipeline.forecast"} <= {
        *lacking["days of deals"]
    }
    assert metrics.overview(team).headline.startswith("The team won 227 of 448 deals")
    assert "further apart than chance" in metrics.overview(team, rep="Seller 1").headline
    profile = icp.profile(team).table
    apart = profile.loc[profile["is_apart"], "trait"]
    assert "competitors" in set(apart)


def test_salvirt_judges_no_seller_of_few_deals(salvirt):
    team = salvirt.team
    n = team.deals["rep_id"].value_counts()
    few = n.index[n < 10]
    assert len(few) == 12
    for rep in few:
        assert "no further apart than chance" in metrics.overview(team, rep=rep).headline
    view = scorecard.team_view(team)
    assert "nobody is set apart" in view.headline
    assert not view.table[["n_leaks", "n_strengths"]].to_numpy().any()


def test_salvirt_makes_nothing_of_its_days(salvirt):
    team = salvirt.team
    for name in verbs.find():
        verb = verbs.find()[name]
        one = {"rep": "Seller 1"} if "rep" in [o.name for o in verbs.options(verb)] else {}
        try:
            found = verb(team, **one)
        except DataError:
            continue
        assert not re.search(r"\b0 days|last year|2016", found.headline), (name, found.headline)
        spans = found.table.filter(regex="_days$|^cycle_")
        assert spans.isna().all(axis=None), (name, spans)


@pytest.fixture(scope="module")
def maven(maven_source, tmp_path_factory):
    """Maven's export, imported; it is only read."""
    before = {path.name: path.read_bytes() for path in maven_source.iterdir()}
    report = importers.run("maven", maven_source, tmp_path_factory.mktemp("maven") / "team")
    assert {path.name: path.read_bytes() for path in maven_source.iterdir()} == before
    return report


def test_maven_counts(maven):
    rows = {name: len(table) for name, table in maven.team.tables.items()}
    assert rows == {
        "reps": 35,
        "accounts": 85,
        "products": 7,
        "deals": 8300,
        "stage_changes": 8300,
    }
    outcomes = maven.team.deals["outcome"].fillna("open").value_counts().to_dict()
    assert outcomes == {"won": 4238, "lost": 2473, "open": 1589}
    deals = next(count for count in maven.tables if count.table == "deals")
    assert (deals.read, deals.kept, list(deals.left_out.values())) == (8800, 8300, [500])


def test_maven_mended(maven):
    assert {(m.file, m.column, m.value, m.new, m.n_rows) for m in maven.mended} == {
        ("accounts.csv", "sector", "technolgy", "technology", 12),
        ("accounts.csv", "office_location", "Philipines", "Philippines", 1),
        ("sales_pipeline.csv", "product", "GTXPro", "GTX Pro", 1480),
        ("sales_pipeline.csv", "close_value", "0", "", 2473),
    }
    assert maven.unused_files == ("data_dictionary.csv",)
    assert maven.unused_columns == {}


def test_maven_amounts(maven):
    [amount] = maven.estimated
    assert (amount.n_rows, amount.n_empty) == (2473 + 1589, 0)
    deals = maven.team.deals.merge(maven.team.products, on="product_id")
    won = deals[deals["outcome"] == "won"]
    assert won["amount"].sum() == 10_005_534
    assert (won["amount"] / won["list_price"]).median() == pytest.approx(1, abs=0.01)
    others = deals[deals["outcome"] != "won"]
    assert (others["amount"] == others["list_price"]).all()


def test_maven_people_without_deals_are_kept(maven):
    team = maven.team
    idle = team.reps[~team.reps["rep_id"].isin(team.deals["rep_id"])]
    assert len(idle) == 5
    assert set(team.reps["region"]) == {"Central", "East", "West"}
    assert team.reps["manager"].nunique() == 6
    assert team.rep("Moses Frase") == "moses-frase"


def test_maven_settings_and_units(maven):
    team = maven.team
    assert (team.currency, str(team.as_of.date())) == ("USD", "2017-12-31")
    assert team.stages == ("Engaging",)
    acme = team.accounts.set_index("account_id").loc["Acme Corporation"]
    assert acme["annual_revenue"] == 1_100_040_000
    assert team.deals["account_id"].isna().sum() == 1088


def test_what_cannot_be_answered_is_known_before_it_is_asked(maven, small):
    lacking = verbs.unanswered(maven.team)
    assert "pipeline.early_warning" in lacking["activities"]
    assert not any("funnel.conversion" in names for names in lacking.values())
    assert verbs.unanswered(small) == {}


def test_maven_at_the_command_line(maven_source, tmp_path, monkeypatch, capsys):
    from salesnb import cli

    dest = tmp_path / "maven"
    monkeypatch.setattr(sys, "argv", ["salesnb", "import", "maven", str(maven_source), str(dest)])
    for code, words in (
        (0, ["8,300 kept, 500 left out", "\n- activities: ", "pipeline.early_warning"]),
        (2, ["holds an earlier import"]),
    ):
        with pytest.raises(SystemExit) as left:
            cli.main()
        assert left.value.code == code
        said = "".join(capsys.readouterr())
        assert all(each in said for each in words), said
    assert salesnb.load(dest).has("deals")
