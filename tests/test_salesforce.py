"""Salesforce exports: by API names, connectors' names and labels; round trips; broken files."""

# ruff: noqa: E501  an export is easier to judge on one line

import json
from functools import partial

import exports
import pandas as pd
import pytest
import salesforce_shape
from exports import change, counts, lines, write
from typer.testing import CliRunner

import salesnb
from salesnb import DataError, cli, importers
from salesnb.importers import Options, Stated, salesforce

API = {
    "User": """\
Id,Name,Email,IsActive,Title
005A,Ann Lee,ann@x.com,true,Seller
005B,Bo Kiss,bo@x.com,false,Seller
005C,Idle Ida,ida@x.com,true,Boss
""",
    "Account": """\
Id,Name,Industry,NumberOfEmployees,BillingCountry,IsDeleted
001A,Alpha,Retail,120,HU,false
001B,Beta,Retail,30,DE,true
""",
    "Opportunity": """\
Id,Name,AccountId,OwnerId,StageName,Probability,Amount,CloseDate,CreatedDate,IsClosed,IsWon,IsDeleted,CurrencyIsoCode,LastModifiedDate
006A,One,001A,005A,Closed Won,100,1000.5,2026-02-01,2026-01-01T09:00:00.000Z,true,true,false,USD,2026-03-01T10:00:00.000Z
006B,Two,001B,005B,Closed Lost,0,500,2026-02-10,2026-01-02T09:00:00.000Z,true,false,false,USD,2026-02-10T10:00:00.000Z
006C,Three,,005A,Proposal,60,300,2026-04-30,2026-01-03T09:00:00.000Z,false,false,false,USD,2026-02-10T10:00:00.000Z
006D,Gone,,005A,New,10,1,2026-04-30,2026-01-04T09:00:00.000Z,false,false,true,USD,2026-02-10T10:00:00.000Z
006E,Five,001A,005B,New,10,,2026-05-31,2026-01-05T09:00:00.000Z,false,false,false,USD,2026-02-10T10:00:00.000Z
""",
    "OpportunityHistory": """\
Id,OpportunityId,StageName,Amount,CloseDate,CreatedDate,IsDeleted
h1,006A,New,900,2026-01-31,2026-01-01T09:00:00.000Z,false
h3,006A,Closed Won,1000.5,2026-02-01,2026-02-01T12:00:00.000Z,false
h2,006A,New,1000.5,2026-02-05,2026-01-10T09:00:00.000Z,false
h4,006B,New,500,2026-02-01,2026-01-02T09:00:00.000Z,false
h5,006B,Closed Lost,500,2026-01-20,2026-01-20T09:00:00.000Z,false
h6,006B,Proposal,500,2026-02-28,2026-01-25T09:00:00.000Z,false
h7,006B,Closed Lost,500,2026-02-10,2026-02-10T09:00:00.000Z,false
h8,006C,New,300,2026-04-30,2026-01-03T09:00:00.000Z,false
h9,006C,Proposal,300,2026-04-30,2026-01-20T09:00:00.000Z,false
h10,006D,New,1,2026-04-30,2026-01-04T09:00:00.000Z,false
h11,006E,New,1,2026-05-31,2026-01-05T09:00:00.000Z,false
h12,006E,New,1,2026-05-31,2026-01-05T09:00:00.000Z,true
""",
    "Task": """\
Id,WhatId,AccountId,OwnerId,Subject,Status,Type,TaskSubtype,ActivityDate,CompletedDateTime,IsClosed,IsDeleted,CallDisposition,CallDurationInSeconds
00T1,006A,001A,005A,Call Alpha,Completed,,Call,2026-01-05,2026-01-06T08:00:00.000Z,true,false,No answer,0
00T2,006A,001A,005A,Call again,Not Started,,Call,2026-06-05,,false,false,,
00T3,001A,001A,005B,Email: prices,Completed,,Task,2026-01-07,,true,false,,
00T4,701X,,005A,Letter,Completed,Letter,Task,2026-01-07,,true,false,,
00T5,006A,,005A,Call,Completed,,Call,2026-01-07,,true,true,,
""",
    "Event": """\
Id,WhatId,OwnerId,Subject,Type,StartDateTime,EndDateTime,IsChild,IsRecurrence,IsDeleted,CreatedDate
00U1,006A,005A,Meeting,Meeting,2026-01-08T10:00:00.000Z,2026-01-08T11:00:00.000Z,false,false,false,2026-01-05T10:00:00.000Z
00U2,006A,005B,Meeting,Meeting,2026-01-08T10:00:00.000Z,2026-01-08T11:00:00.000Z,true,false,false,2026-01-05T10:00:00.000Z
00U3,006C,005A,Demo of the product,,2026-01-09T10:00:00.000Z,2026-01-09T10:30:00.000Z,false,false,false,2026-01-05T10:00:00.000Z
00U4,006C,005A,No show: review,Meeting,2026-01-10T10:00:00.000Z,2026-01-10T10:30:00.000Z,false,false,false,2026-01-05T10:00:00.000Z
00U5,006C,005A,Review,Meeting,2026-04-10T10:00:00.000Z,2026-04-10T10:30:00.000Z,false,false,false,2026-01-05T10:00:00.000Z
00U6,006C,005A,Weekly,Meeting,2026-01-10T10:00:00.000Z,2026-01-10T10:30:00.000Z,false,true,false,2026-01-05T10:00:00.000Z
""",
    "Product2": "Id,Name,ProductCode,Family\n01tA,Basic,B,Core\n01tB,Extra,E,Core\n",
    "OpportunityLineItem": """\
Id,OpportunityId,Product2Id,Quantity,UnitPrice,ListPrice,TotalPrice
l1,006A,01tA,10,90,100,900
l2,006A,01tB,1,100.5,120,100.5
l3,006D,01tA,1,1,1,1
""",
    "ForecastingQuota": """\
QuotaOwnerId,QuotaAmount,StartDate
005A,1000,2026-01-01
005A,1100,2026-02-01
005C,9000,2026-01-01
""",
    "roster": "rep,hired_on,left_on,region\nann@x.com,2024-05-01,,North\nBo Kiss,2023-01-01,2026-02-15,South\nNobody,2020-01-01,,\n",
}


run = partial(exports.run, "salesforce")
faults_of = partial(exports.faults_of, "salesforce")


@pytest.fixture
def api(tmp_path):
    return write(tmp_path / "export", API)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The export as it is, imported."""
    return run(write(tmp_path_factory.mktemp("api") / "export", API))


def test_deals_by_hand(report):
    team = report.team
    assert lines(
        team.deals, "deal_id", "rep_id", "account_id", "product_id", "created_on", "amount"
    ) == [
        "006A 005A 001A 01tA 2026-01-01 1000.5",
        "006B 005B - - 2026-01-02 500.0",
        "006C 005A - - 2026-01-03 300.0",
        "006E 005B 001A - 2026-01-05 -",
    ]
    assert lines(team.deals, "deal_id", "expected_close_on", "closed_on", "outcome") == [
        "006A 2026-02-05 2026-02-01 won",
        "006B 2026-02-28 2026-02-10 lost",
        "006C 2026-04-30 - -",
        "006E 2026-05-31 - -",
    ]
    assert team.settings.currency == "USD"
    assert team.as_of == pd.Timestamp("2026-03-01")


def test_history_by_hand(report):
    assert report.team.settings.stages == ("New", "Proposal")
    assert lines(report.team.stage_changes, "deal_id", "stage", "entered_at") == [
        "006A New 2026-01-01",
        "006B New 2026-01-02",
        "006B Proposal 2026-01-25",
        "006C New 2026-01-03",
        "006C Proposal 2026-01-20",
        "006E New 2026-01-05",
    ]
    assert lines(report.team.close_date_changes, "deal_id", "changed_at", "expected_close_on") == [
        "006A 2026-01-01 2026-01-31",
        "006A 2026-01-10 2026-02-05",
        "006B 2026-01-02 2026-02-01",
        "006B 2026-01-25 2026-02-28",
        "006C 2026-01-03 2026-04-30",
        "006E 2026-01-05 2026-05-31",
    ]
    assert "deals closed and opened again: 1; their last close counts" in report.decided


def test_activities_by_hand(report):
    team = report.team
    columns = (
        "activity_id",
        "rep_id",
        "kind",
        "happens_at",
        "outcome",
        "deal_id",
        "account_id",
        "minutes",
    )
    assert lines(team.activities, *columns) == [
        "00T1 005A call 2026-01-06 no_answer 006A 001A 0.0",
        "00T3 005B email 2026-01-07 - - 001A -",
        "00U1 005A meeting 2026-01-08 held 006A - 60.0",
        "00U3 005A demo 2026-01-09 held 006C - 30.0",
        "00U4 005A meeting 2026-01-10 no_show 006C - 30.0",
        "00U5 005A meeting 2026-04-10 - 006C - 30.0",
    ]


def test_people_products_and_quotas_by_hand(report):
    team = report.team
    assert lines(team.reps, "rep_id", "name", "hired_on", "left_on", "role", "region") == [
        "005A Ann Lee 2024-05-01 - Seller North",
        "005B Bo Kiss 2023-01-01 2026-02-15 Seller South",
    ]
    assert lines(team.accounts, "account_id", "industry", "country", "employees") == [
        "001A Retail HU 120.0"
    ]
    assert lines(team.products, "product_id", "name", "family") == [
        "01tA Basic Core",
        "01tB Extra Core",
    ]
    assert lines(
        team.deal_lines, "deal_id", "product_id", "quantity", "list_amount", "net_amount"
    ) == [
        "006A 01tA 10.0 1000.0 900.0",
        "006A 01tB 1.0 120.0 100.5",
    ]
    assert lines(team.quotas, "rep_id", "starts_on", "ends_on", "amount") == [
        "005A 2026-01-01 2026-01-31 1000.0",
        "005A 2026-02-01 2026-02-28 1100.0",
    ]


def test_every_row_left_out_has_its_reason(report):
    assert counts(report) == {
        ("reps", "User.csv"): (3, 2, {"owns no deal or activity": 1}),
        ("reps", "roster.csv"): (3, 2, {"nobody of this name or id is in the export": 1}),
        ("accounts", "Account.csv"): (2, 1, {"deleted": 1}),
        ("products", "Product2.csv"): (2, 2, {}),
        ("deals", "Opportunity.csv"): (5, 4, {"deleted": 1}),
        ("deal_lines", "OpportunityLineItem.csv"): (
            3,
            2,
            {"of a deal that is not in the data set": 1},
        ),
        ("stage_changes", "OpportunityHistory.csv"): (
            12,
            6,
            {
                "deleted": 1,
                "of a deal that is not in the data set": 1,
                "saved without a new stage": 1,
                "closing, which the deals tell": 3,
            },
        ),
        ("close_date_changes", "OpportunityHistory.csv"): (
            12,
            6,
            {
                "deleted": 1,
                "of a deal that is not in the data set": 1,
                "of a closed deal": 3,
                "saved without a new close date": 1,
            },
        ),
        ("activities", "Task.csv"): (
            5,
            2,
            {"deleted": 1, "task not completed": 1, "task of type Letter": 1},
        ),
        ("activities", "Event.csv"): (6, 4, {"copy of an invitee": 1, "head of a series": 1}),
        ("quotas", "ForecastingQuota.csv"): (3, 2, {"of somebody who is no rep": 1}),
    }
    assert (
        "Opportunity.csv, AccountId: rows that name nothing in the data set: 1; left blank there"
        in report.decided
    )


def test_the_manifest_and_the_report_are_those_of_every_import(report):
    manifest = json.loads((report.folder / "import.json").read_text(encoding="utf-8"))
    assert set(manifest["sources"]) == {f"{name}.csv" for name in API}
    assert manifest["sources"]["Opportunity.csv"]["rows"] == 5
    assert manifest["fingerprint"] == salesnb.load(report.folder).fingerprint
    assert report.unused_columns == {
        "OpportunityHistory.csv": ("Amount",),
        "Product2.csv": ("ProductCode",),
    }
    assert "the open stages are New, Proposal, by their probability" in str(report)


FIELDS = """\
Id,OpportunityId,Field,OldValue,NewValue,CreatedDate
f1,006A,StageName,New,Proposal,2026-01-10T09:00:00.000Z
f2,006A,StageName,Proposal,Closed Won,2026-02-01T12:00:00.000Z
f3,006A,CloseDate,2026-01-31,2026-02-05,2026-01-10T09:00:00.000Z
f4,006C,StageName,New,Proposal,2026-01-20T09:00:00.000Z
f5,006C,Owner,Bo Kiss,Ann Lee,2026-01-15T09:00:00.000Z
f6,006C,Owner,005B,005A,2026-01-15T09:00:00.000Z
f7,006C,Amount,1,2,2026-01-15T09:00:00.000Z
"""


def test_field_history_begins_with_the_first_old_value(tmp_path):
    objects = {name: text for name, text in API.items() if name != "OpportunityHistory"}
    team = run(write(tmp_path / "export", {**objects, "OpportunityFieldHistory": FIELDS})).team
    assert lines(team.stage_changes, "deal_id", "stage", "entered_at", "rep_id") == [
        "006A New 2026-01-01 005A",
        "006C New 2026-01-03 005B",
        "006E New 2026-01-05 005B",
        "006A Proposal 2026-01-10 005A",
        "006C Proposal 2026-01-20 005A",
    ]
    assert lines(team.close_date_changes, "deal_id", "changed_at", "expected_close_on") == [
        "006A 2026-01-01 2026-01-31",
        "006C 2026-01-03 2026-04-30",
        "006E 2026-01-05 2026-05-31",
        "006A 2026-01-10 2026-02-05",
    ]


def test_a_history_of_owners_alone_tells_no_stages(tmp_path):
    objects = {name: text for name, text in API.items() if name != "OpportunityHistory"}
    header, *rows = FIELDS.splitlines()
    owners = "\n".join([header, *(row for row in rows if "Owner" in row)]) + "\n"
    report = run(write(tmp_path / "export", {**objects, "OpportunityFieldHistory": owners}))
    assert "stage_changes" in report.unfilled_tables
    counts = next(c for c in report.tables if c.table == "owners over time")
    assert (counts.read, counts.kept, counts.left_out) == (2, 1, {"of other fields": 1})


LABELS = {
    "report": """\
Opportunity Name,Opportunity Owner,Account Name,Stage,Amount,Probability (%),Close Date,Created Date,Last Modified Date
One,Ann Lee,Alpha,Closed Won,"$1,234.00",100%,2/1/2026,1/13/2026,2/14/2026
Two,Bo Kiss,Beta,Proposal,$500.00,60%,4/30/2026,1/2/2026,1/20/2026
Three,Ann Lee,,New,,10%,5/31/2026,1/4/2026,1/20/2026
""",
    "opportunity_history": """\
Opportunity Name,Amount,Probability (%),From Stage,To Stage,Stage Duration,Close Date,Last Modified,Last Modified By
One,1234,100%,New,Closed Won,19,2/1/2026,2/1/2026 3:00 PM,Ann Lee
Two,500,60%,New,Proposal,3,4/30/2026,1/20/2026 9:00 AM,Bo Kiss
""",
}


def test_labels_of_reports(tmp_path):
    report = run(
        write(tmp_path / "export", LABELS),
        currency="USD",
        reading=Options(timezone="Europe/Budapest"),
    )
    team = report.team
    assert lines(
        team.deals,
        "deal_id",
        "rep_id",
        "account_id",
        "amount",
        "created_on",
        "closed_on",
        "outcome",
    ) == [
        "One Ann Lee Alpha 1234.0 2026-01-13 2026-02-01 won",
        "Two Bo Kiss Beta 500.0 2026-01-02 - -",
        "Three Ann Lee - - 2026-01-04 - -",
    ]
    assert lines(team.stage_changes, "deal_id", "stage") == [
        "One New",
        "Two New",
        "Three New",
        "Two Proposal",
    ]
    assert team.stage_changes["entered_at"].iloc[-1] == pd.Timestamp("2026-01-20 08:00")
    assert lines(team.reps, "rep_id", "name") == ["Ann Lee Ann Lee", "Bo Kiss Bo Kiss"]
    assert team.as_of == pd.Timestamp("2026-02-14"), (
        "the day in Budapest, though 23:00 before in UTC"
    )


GERMAN = """\
Opportunity-Name;Opportunity-Inhaber;Account-Name;Phase;Betrag;Wahrscheinlichkeit (%);Schlusstermin;Erstelldatum
Eins;Änne Groß;Alpha;Gewonnen;1.234,50 €;100;01.02.2026;13.01.2026
Zwei;Änne Groß;Beta;Angebot;500,00 €;60;30.04.2026;02.01.2026
"""


def test_labels_in_german(tmp_path):
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "bericht.csv").write_bytes(GERMAN.encode("cp1252"))
    report = run(folder, as_of="2026-03-01")
    assert lines(report.team.deals, "deal_id", "rep_id", "amount", "closed_on", "outcome") == [
        "Eins Änne Groß 1234.5 2026-02-01 won",
        "Zwei Änne Groß 500.0 - -",
    ]
    assert "stage_changes" in report.unfilled_tables
    assert any(each.startswith("no history of stages in the export") for each in report.decided)


def test_rows_of_a_connector(connector_source, tmp_path):
    folder = tmp_path / "export"
    folder.mkdir()
    for path in (connector_source / "salesforce").glob("*.csv"):
        (folder / path.name).write_bytes(path.read_bytes())
    assert faults_of(folder) == [
        "sf_opportunity_data.csv: found '10 deleted', expected deals that are not left out"
    ]
    deals = pd.read_csv(folder / "sf_opportunity_data.csv", dtype="str")
    deals.assign(is_deleted="false").to_csv(folder / "sf_opportunity_data.csv", index=False)
    report = run(folder)
    assert len(report.team.deals) == len(deals)
    assert set(report.team.deals["outcome"].dropna()) <= {"won", "lost"}
    assert "sf_lead_data.csv" in report.unused_files


def test_record_types_are_chosen_by_name(api):
    path = api / "Opportunity.csv"
    rows = pd.read_csv(path, dtype="str").assign(
        RecordTypeId=["012A", "012A", "012B", "012B", "012B"]
    )
    rows.to_csv(path, index=False)
    (api / "RecordType.csv").write_text(
        "Id,Name,SobjectType\n012A,New business,Opportunity\n012B,Renewal,Opportunity\n"
    )
    said = "all record types are imported: New business (2), Renewal (2); --record-type chooses one"
    assert said in run(api).decided
    chosen = run(api, record_type="renewal")
    assert list(chosen.team.deals["deal_id"]) == ["006C", "006E"]
    deals = next(c for c in chosen.tables if c.table == "deals")
    assert deals.left_out == {"deleted": 1, "of another record type": 2}


def test_every_fault_is_said_at_once(api):
    change(
        api / "Opportunity.csv",
        "006C,Three,,005A,Proposal,60,300,",
        "006C,Three,,005A,Proposal,60,many,",
    )
    change(
        api / "Opportunity.csv",
        "false,false,USD,2026-02-10T10:00:00.000Z\n006D",
        "false,false,EUR,2026-02-10T10:00:00.000Z\n006D",
    )
    change(
        api / "OpportunityHistory.csv",
        "h9,006C,Proposal,300,2026-04-30,2026-01-20T",
        "h9,006C,Proposal,300,soon,2026-01-20T",
    )
    assert faults_of(api, stages=("New", "Propsal")) == [
        "Opportunity.csv, column CurrencyIsoCode: found 'USD in 3 rows, EUR in 1 rows', expected amounts in one currency",
        "Opportunity.csv, row 4, column Amount: found 'many', expected a number such as 1234.5, perhaps with a currency or a per cent sign, with a decimal point as '1000.5' shows",
        "OpportunityHistory.csv, row 10, column CloseDate: found 'soon', expected a day such as 2026-06-30, from 1900 to 2100",
        "OpportunityHistory.csv, rows 7, 10, column StageName (stage_changes.stage): found 'Proposal', expected a stage of team.toml (nearest: 'Propsal')",
    ]


def test_what_no_import_can_do_without(tmp_path):
    bare = {"report": "Opportunity Name,Stage,Close Date\nOne,New,2026-01-02\n"}
    assert faults_of(write(tmp_path / "export", bare)) == [
        "report.csv, column CreatedDate: expected this column, by this name or its label",
        "report.csv, column OwnerId or OwnerName: expected this column, by this name or its label",
    ]
    (tmp_path / "export" / "report.csv").write_text("a,b\n1,2\n")
    assert faults_of(tmp_path / "export") == [
        "Opportunity: expected a table of this object, with StageName and CloseDate"
    ]


def test_a_close_date_still_ahead_gives_way_to_the_day_of_closing(api):
    change(api / "Opportunity.csv", "500,2026-02-10,", "500,2026-12-31,")
    report = run(api)
    assert lines(report.team.deals, "deal_id", "closed_on")[1] == "006B 2026-02-10"
    assert any("closed deals with a close date still ahead: 1" in each for each in report.decided)


def test_a_deal_entered_after_it_was_closed(api):
    change(api / "Opportunity.csv", "500,2026-02-10,2026-01-02T", "500,2026-01-02,2026-01-20T")
    report = run(api)
    assert (
        lines(report.team.deals, "deal_id", "created_on", "closed_on")[1]
        == "006B 2026-01-02 2026-01-02"
    )
    assert "Opportunity.csv: deals entered after the day they closed: 1;" in str(report)


def test_fields_of_a_companys_own_are_traits_of_its_accounts(api):
    """A tier, a number and one that says nothing; what accounts have already is no trait."""
    (api / "Account.csv").write_text(
        "Id,Name,Industry,Customer_Tier__c,MainMarket__c,Sites__c,Empty__c,Industry__c,Internal\n"
        "001A,Alpha,Retail,Gold,DACH,3,,Shops,x\n"
        "001B,Beta,Retail, ,Benelux,12.5,,Shops,y\n"
    )
    report = run(api)
    found = report.team.accounts.set_index("account_id")
    assert [*found.columns[-4:]] == ["customer_tier", "main_market", "sites", "name"]
    assert lines(found, "customer_tier", "main_market", "sites") == [
        "Gold DACH 3.0",
        "- Benelux 12.5",
    ]
    assert report.unused_columns["Account.csv"] == ("Empty__c", "Industry__c", "Internal")
    assert (
        "Account.csv: traits of accounts are Customer_Tier__c as customer_tier, "
        "MainMarket__c as main_market, Sites__c as sites"
    ) in report.decided


def test_a_field_of_many_words_is_no_trait(api):
    rows = [f"001{n},Firm {n},Retail,said {n},{n}" for n in range(60)]
    text = "\n".join(["Id,Name,Industry,Remark__c,Seats__c", *rows, "001A,Alpha,Retail,,"])
    (api / "Account.csv").write_text(text)
    found = run(api).team.accounts
    assert "remark" not in found
    assert found["seats"].sum() == sum(range(60))


def test_what_is_stated_is_checked_first(api):
    said = faults_of(api, as_of="soon", currency="EURO", stages=("New", "New"))
    assert any(each.startswith("--as-of: found 'soon'") for each in said)
    assert any(each.startswith("--currency: found 'EURO'") for each in said)
    assert any(each.startswith("--stages: found 'New', expected every stage once") for each in said)
    with pytest.raises(DataError, match="A mapping states all itself, save"):
        importers.run("maven", api, api.with_name("team"), stated=Stated(currency="EUR"))


def test_rows_that_repeat_and_ids_that_are_short(api):
    path = api / "Opportunity.csv"
    for old, new in (("006A", "0061G00000Ja7B6"), ("006E", "0061G00000HhviA")):
        for each in ("Opportunity", "OpportunityHistory", "Task", "Event", "OpportunityLineItem"):
            text = (api / f"{each}.csv").read_text()
            longer = {
                "0061G00000Ja7B6": "0061G00000Ja7B6QAJ",
                "0061G00000HhviA": "0061G00000HhviAQAR",
            }
            (api / f"{each}.csv").write_text(
                text.replace(old, new if each == "Opportunity" else longer[new])
            )
    text = path.read_text()
    path.write_text(text + text.splitlines()[1] + "\n")
    report = run(api)
    assert list(report.team.deals["deal_id"])[::3] == ["0061G00000Ja7B6QAJ", "0061G00000HhviAQAR"]
    assert len(report.team.deal_lines) == 2
    deals = next(c for c in report.tables if c.table == "deals")
    assert deals.left_out == {"deleted": 1, "the same as a row before": 1}


def test_at_the_command_line(api):
    call = CliRunner().invoke
    done = call(
        cli.app,
        ["import", "salesforce", str(api), str(api.with_name("team")), "--as-of", "2026-03-02"],
    )
    assert done.exit_code == 0, done.output
    assert "as of 2026-03-02 (as stated)" in done.output
    wrong = call(
        cli.app, ["import", "salesforce", str(api), str(api.with_name("other")), "--decimal", ";"]
    )
    assert wrong.exit_code == 2


LOST = {**exports.LOST, "products": exports.LOST["products"] | {"list_price", "margin_rate"}}


@pytest.fixture(scope="module")
def simulated():
    return exports.handed_over(seed=3)[0]


@pytest.mark.parametrize("history", ["OpportunityHistory", "OpportunityFieldHistory"])
def test_a_team_written_as_salesforce_exports_it_is_read_back(simulated, tmp_path, history):
    folder = salesforce_shape.write(simulated, tmp_path / "export", history)
    found = run(folder).team
    exports.must_be_read_back(found, simulated, LOST)


FIELDED = {**API, "OpportunityFieldHistory": FIELDS}
del FIELDED["OpportunityHistory"]


test_a_broken_export_is_faults_or_a_team_with_every_row_counted = exports.broken(
    "salesforce", [API, FIELDED, LABELS, {"bericht": GERMAN}], FIELDED, "006A"
)


def test_the_check_of_an_id():
    assert "0061G00000Ja7B6" + salesforce._check("0061G00000Ja7B6") == "0061G00000Ja7B6QAJ"
