"""Pipedrive exports: by API names, connectors' names and labels; round trips; broken files."""

# ruff: noqa: E501  an export is easier to judge on one line

import json
from functools import partial
from pathlib import Path

import exports
import pandas as pd
import pipedrive_shape
import pytest
from exports import lines, write
from typer.testing import CliRunner

import salesnb
from salesnb import cli
from salesnb.importers import Options

API = {
    "users": """\
id,name,email,active_flag,is_admin
1,Ann Lee,ann@x.com,1,0
2,Bo Kiss,bo@x.com,0,0
3,Idle Ida,ida@x.com,1,1
""",
    "organizations": """\
id,name,people_count,address_country,employee_count,industry,owner_id,active_flag
10,Alpha,2,HU,120,Retail,1,true
11,Beta,1,DE,30,Retail,2,false
""",
    "persons": """\
id,name,org_id,org_name,email,phone,active_flag
90,Cili,10.0,Alpha,cili@alpha.com,,true
91,Dani,,,dani@x.com,,true
""",
    "pipelines": "id,name,url_title,order_nr\n1,Sales,sales,1\n2,Renewals,renewals,2\n",
    "stages": """\
id,name,order_nr,pipeline_id,deal_probability,active_flag
3,Proposal,2,1,60,true
1,New,0,1,10,true
2,Demo,1,1,30,true
4,Old,3,1,90,false
""",
    "deals": """\
id,title,value,currency,status,user_id,org_id,person_id,pipeline_id,stage_id,add_time,update_time,stage_change_time,won_time,first_won_time,lost_time,close_time,lost_reason,expected_close_date,probability,deleted,is_archived,origin
101,One,1000.5,USD,won,1,10.0,,1,3,2026-01-01 09:00:00,2026-03-01 10:00:00,2026-01-20 09:00:00,2026-02-01 12:00:00,2026-02-01 12:00:00,,2026-02-01 12:00:00,,2026-02-05,,false,false,Import
102,Two,500,USD,lost,2,11.0,,1,2,2026-01-02 09:00:00,2026-02-10 10:00:00,2026-01-25 09:00:00,,2026-01-22 09:00:00,2026-02-10 09:00:00,2026-02-10 09:00:00,Price,2026-02-28,,false,false,ManuallyCreated
103,Three,300,USD,open,1,,90.0,1,3,2026-01-03 09:00:00,2026-02-10 10:00:00,2026-01-20 09:00:00,,,,,,2026-04-30,60,false,false,ManuallyCreated
104,Gone,1,USD,deleted,1,,,1,1,2026-01-04 09:00:00,2026-02-10 10:00:00,,,,,,,,,true,false,ManuallyCreated
105,Five,,USD,open,2,10.0,,1,1,2026-01-05 09:00:00,2026-02-10 10:00:00,,,,,,,2026-05-31,10,false,false,ManuallyCreated
106,Shelved,7,USD,open,2,10.0,,1,1,2026-01-05 09:00:00,2026-02-10 10:00:00,,,,,,,,,false,true,ManuallyCreated
""",
    "deal_flow": """\
id,item_id,user_id,field_key,old_value,new_value,log_time,is_bulk_update_flag
9,102,2,stage_id,2,1,2026-02-12 09:00:00,
8,102,2,status,open,lost,2026-02-10 09:00:00,
7,102,2,status,won,open,2026-01-24 09:00:00,
6,102,2,stage_id,1,2,2026-01-25 09:00:00,
5,102,2,status,open,won,2026-01-22 09:00:00,
13,101,1,stage_id,2,3,2026-01-20 09:00:00,1
12,101,1,stage_id,1,2,2026-01-20 09:00:00,
4,101,1,expected_close_date,2026-01-31,2026-02-05,2026-01-10 09:00:00,
3,101,1,value,900,1000.5,2026-01-10 09:00:00,
2,103,2,stage_id,1,3,2026-01-20 09:00:00,
1,103,2,user_id,2,1,2026-01-15 09:00:00,
14,104,1,stage_id,1,2,2026-01-20 09:00:00,
15,102,2,expected_close_date,2026-02-01,2026-02-28,2026-01-25 09:00:00,
""",
    "activity_types": "id,key_string,name,icon_key,order_nr\n1,call,Call,call,1\n2,product_demo,Product demo,x,2\n3,lunch,Lunch,lunch,3\n4,task,Task,task,4\n",
    "activities": """\
id,type,subject,done,due_date,due_time,duration,add_time,marked_as_done_time,deal_id,org_id,person_id,user_id,note,active_flag
201,call,No answer: Alpha,1,2026-01-05,,,2026-01-04 10:00:00,2026-01-06 08:00:00,101.0,10.0,,1,,true
202,call,Call again,0,2026-06-05,,,2026-01-05 10:00:00,,101.0,10.0,,1,,true
203,email,Prices,1,2026-01-07,,,2026-01-05 10:00:00,2026-01-07 09:00:00,,11.0,90.0,2,<p>Hi &amp; bye</p>,true
204,task,Letter,1,2026-01-07,,,2026-01-05 10:00:00,2026-01-07 09:00:00,,,,1,,true
205,call,Call,1,2026-01-07,,,2026-01-05 10:00:00,2026-01-07 09:00:00,101.0,,,1,,false
206,meeting,Meeting,1,2026-01-08,10:00,01:00,2026-01-05 10:00:00,2026-01-09 17:00:00,101.0,10.0,,1,,true
207,product_demo,Demo of the product,1,2026-01-09,10:00,00:30,2026-01-05 10:00:00,2026-01-09 17:00:00,103.0,,,1,,true
208,lunch,No show: review,0,2026-01-10,10:00,00:30,2026-01-05 10:00:00,,103.0,,,1,,true
209,meeting,Review,0,2026-04-10,10:00,00:30,2026-01-05 10:00:00,,103.0,,,1,,true
210,meeting,Forgotten,0,2026-01-10,10:00,00:30,2026-01-05 10:00:00,,103.0,,,1,,true
""",
    "products": "id,name,code,unit,tax,category,prices.0.price\n501,Basic,B,,0,Core,100\n502,Extra,E,,0,Core,120\n",
    "deal_products": """\
id,deal_id,product_id,name,item_price,quantity,discount_percentage,sum,enabled_flag
1,101,501,Basic,100,10,10,900,true
2,101,502,Extra,120,1,16.25,,true
3,104,501,Basic,1,1,0,1,true
4,101,501,Basic,50,1,0,50,false
""",
    "roster": "rep,hired_on,left_on,region\nann@x.com,2024-05-01,,North\nBo Kiss,2023-01-01,2026-02-15,South\nNobody,2020-01-01,,\n",
}


run = partial(exports.run, "pipedrive")
faults_of = partial(exports.faults_of, "pipedrive")


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
        "101 1 10 501 2026-01-01 1000.5",
        "102 2 - - 2026-01-02 500.0",
        "103 1 10 - 2026-01-03 300.0",
        "105 2 10 - 2026-01-05 -",
    ]
    assert lines(
        team.deals, "deal_id", "expected_close_on", "closed_on", "outcome", "lost_reason", "source"
    ) == [
        "101 2026-02-05 2026-02-01 won - Import",
        "102 2026-02-28 2026-02-10 lost Price ManuallyCreated",
        "103 2026-04-30 - - - ManuallyCreated",
        "105 2026-05-31 - - - ManuallyCreated",
    ]
    assert team.settings.currency == "USD"
    assert team.as_of == pd.Timestamp("2026-03-01")


def test_history_by_hand(report):
    """The flow comes newest first; two changes of one second are in the order of their ids. A deal
    that is opened again enters its stage a second time."""
    assert report.team.settings.stages == ("New", "Demo", "Proposal")
    changes = report.team.stage_changes.sort_values(["deal_id", "entered_at"], kind="stable")
    assert lines(changes, "deal_id", "stage", "entered_at", "rep_id", "is_bulk") == [
        "101 New 2026-01-01 1 -",
        "101 Demo 2026-01-20 1 -",
        "101 Proposal 2026-01-20 1 true",
        "102 New 2026-01-02 2 -",
        "102 New 2026-01-24 2 -",
        "102 Demo 2026-01-25 2 -",
        "103 New 2026-01-03 2 -",
        "103 Proposal 2026-01-20 1 -",
        "105 New 2026-01-05 2 -",
    ]
    dates = report.team.close_date_changes.sort_values(["deal_id", "changed_at"])
    assert lines(dates, "deal_id", "changed_at", "expected_close_on") == [
        "101 2026-01-01 2026-01-31",
        "101 2026-01-10 2026-02-05",
        "102 2026-01-02 2026-02-01",
        "102 2026-01-25 2026-02-28",
        "103 2026-01-03 2026-04-30",
        "105 2026-01-05 2026-05-31",
    ]
    assert "deals closed and opened again: 1; their last close counts" in report.decided
    said = "deals whose present stage is not the last one in the flow: 1; the flow counts"
    assert said in report.decided
    assert (
        "deal_flow.csv: stage changes made in bulk: 1, of 1 deals; they count, and is_bulk marks them: a bulk edit is not selling"
        in report.decided
    )


def test_activities_by_hand(report):
    columns = "activity_id", "rep_id", "kind", "outcome", "deal_id", "account_id", "minutes", "note"
    assert lines(report.team.activities, *columns) == [
        "201 1 call no_answer 101 10 - -",
        "203 2 email - - - - Hi & bye",
        "206 1 meeting held 101 10 60.0 -",
        "207 1 demo held 103 - 30.0 -",
        "208 1 meeting no_show 103 - 30.0 -",
        "209 1 meeting - 103 - 30.0 -",
    ]
    assert list(report.team.activities["happens_at"].astype(str)) == [
        "2026-01-06 08:00:00",
        "2026-01-07 09:00:00",
        "2026-01-08 10:00:00",
        "2026-01-09 10:00:00",
        "2026-01-10 10:00:00",
        "2026-04-10 10:00:00",
    ]
    said = (
        "activities.csv: types of activities count: Product demo (1) as demo, Lunch (1) as meeting"
    )
    assert said in report.decided


def test_people_and_products_by_hand(report):
    team = report.team
    assert lines(team.reps, "rep_id", "name", "hired_on", "left_on", "region") == [
        "1 Ann Lee 2024-05-01 - North",
        "2 Bo Kiss 2023-01-01 2026-02-15 South",
    ]
    assert lines(team.accounts, "account_id", "name", "industry", "country", "employees") == [
        "10 Alpha Retail HU 120.0"
    ]
    assert lines(team.products, "product_id", "name", "family", "list_price") == [
        "501 Basic Core 100.0",
        "502 Extra Core 120.0",
    ]
    assert lines(
        team.deal_lines, "deal_id", "product_id", "quantity", "list_amount", "net_amount"
    ) == [
        "101 501 10.0 1000.0 900.0",
        "101 502 1.0 120.0 100.5",
    ]


def test_every_row_left_out_has_its_reason(report):
    counts = {(c.table, c.file): (c.read, c.kept, dict(c.left_out)) for c in report.tables}
    gone, other, strange = {"deleted": 1, "archived while open": 1}, "of other fields", 1
    no_deal = {"of a deal that is not in the data set": strange}
    assert counts == {
        ("reps", "users.csv"): (3, 2, {"owns no deal or activity": 1}),
        ("reps", "roster.csv"): (3, 2, {"nobody of this name or id is in the export": 1}),
        ("accounts", "organizations.csv"): (2, 1, {"deleted": 1}),
        ("organizations of persons", "persons.csv"): (2, 1, {"of no organization": 1}),
        ("products", "products.csv"): (2, 2, {}),
        ("deals", "deals.csv"): (6, 4, gone),
        ("deal_lines", "deal_products.csv"): (4, 2, {"switched off": 1, **no_deal}),
        ("stages", "stages.csv"): (4, 4, {}),
        ("pipelines", "pipelines.csv"): (2, 2, {}),
        ("stage_changes", "deals.csv"): (6, 4, gone),
        ("stage_changes", "deal_flow.csv"): (
            13,
            5,
            {other: 4, **no_deal, "closing, which the deals tell": 2, "of a closed deal": 1},
        ),
        ("close_date_changes", "deals.csv"): (6, 4, gone),
        ("close_date_changes", "deal_flow.csv"): (13, 2, {other: 10, **no_deal}),
        ("owners over time", "deal_flow.csv"): (13, 1, {other: 11, **no_deal}),
        ("types of activities", "activity_types.csv"): (4, 4, {}),
        ("activities", "activities.csv"): (
            10,
            6,
            {"deleted": 1, "activity of type Task": 1, "not done": 2},
        ),
    }
    assert (
        "deals.csv, org_id: rows that name nothing in the data set: 1; left blank there"
        in report.decided
    )


def test_the_manifest_names_every_source(report):
    manifest = json.loads((report.folder / "import.json").read_text(encoding="utf-8"))
    assert set(manifest["sources"]) == {f"{name}.csv" for name in API}
    assert manifest["fingerprint"] == salesnb.load(report.folder).fingerprint
    assert report.unused_columns["products.csv"] == ("code", "unit", "tax")


CONNECTOR = {
    "pipedrive_deals": """\
id,title,value,currency,status,user_id__id,user_id__name,org_id__value,org_id__name,pipeline_id,stage_id,add_time,update_time,stage_change_time,won_time,first_won_time,lost_time,close_time,expected_close_date,deleted
101,One,1000.5,EUR,won,1,Ann Lee,10,Alpha,1,3,2026-01-01T23:30:00Z,2026-03-01T10:00:00Z,,2026-02-01T23:30:00Z,2026-02-01T23:30:00Z,,2026-02-01T23:30:00Z,2026-02-05,false
102,Two,500,EUR,open,2,Bo Kiss,,,1,1,2026-01-02T09:00:00Z,2026-02-10T10:00:00Z,2026-01-20T09:00:00Z,,,,,,false
""",
    "dealflow": """\
object,timestamp,data__id,data__item_id,data__user_id,data__field_key,data__old_value,data__new_value,data__log_time
dealChange,2026-01-20 09:00:00,7,101,1,stage_id,1.0,3.0,2026-01-20 09:00:00
note,2026-01-21 09:00:00,,,,,,,
activity,2026-01-22 09:00:00,5,101,1,,,,
""",
    "stages": "id,name,order_nr,pipeline_id,pipeline_name,is_deleted\n1,New,1,1,Sales,false\n3,Proposal,2,1,Sales,false\n",
    "activities": """\
id,type,subject,done,due_date,due_time,duration,marked_as_done_time,deal_id,org_id,owner_id
201,call,Call,true,2026-01-05,08:00:00,00:15:00,2026-01-06T08:00:00Z,101,10,1
202,meeting,Meeting,true,2026-01-07,,45,2026-01-08T08:00:00Z,101,10,1
""",
}


def test_names_of_connectors(tmp_path):
    """Nested values flattened by signs, ids as decimals; the day is that of the team."""
    folder = write(tmp_path / "export", CONNECTOR)
    report = run(folder, reading=Options(timezone="Europe/Budapest"))
    team = report.team
    columns = "deal_id", "rep_id", "account_id", "created_on", "closed_on", "outcome"
    assert lines(team.deals, *columns) == [
        "101 1 10 2026-01-02 2026-02-02 won",
        "102 2 - 2026-01-02 - -",
    ]
    assert lines(team.reps, "rep_id", "name") == ["1 Ann Lee", "2 Bo Kiss"]
    assert lines(team.stage_changes, "deal_id", "stage", "entered_at") == [
        "101 New 2026-01-01",
        "102 New 2026-01-20",
        "101 Proposal 2026-01-20",
    ]
    assert list(team.activities["happens_at"].astype(str)) == [
        "2026-01-06 08:00:00",
        "2026-01-06 23:00:00",
    ], "a meeting without an hour is at the start of the day of the team"
    assert list(team.activities["minutes"]) == [15, 45]
    flow = next(c for c in report.tables if c.file == "dealflow.csv")
    assert flow.left_out == {"no change of a field": 2}
    assert (
        "deals whose stage changed without a row in the flow: 1; of them only the present stage is known"
        in report.decided
    )


V2 = {
    "deals": """\
id,title,value,currency,status,owner_id,org_id,pipeline_id,stage_id,add_time,update_time,won_time,lost_time,close_time,is_deleted,is_archived
101,One,1000.5,EUR,lost,"{""id"": 1, ""name"": ""Ann Lee""}",,1,2,2026-01-01T09:00:00Z,2026-03-01T10:00:00Z,,,2026-02-01T12:00:00Z,false,false
102,Two,500,EUR,open,"{'email': 'a@x.com', 'name': 'Ann Lee', 'id': 1}","{'owner_id': 1, 'value': 10}",1,9,2026-01-02T09:00:00Z,2026-02-10T10:00:00Z,,,,false,false
""",
    "deal_changelog": """\
deal_id,field_key,old_value,new_value,actor_user_id,time,change_source,is_bulk_update_flag
101,stage_id,9,2,1,2026-01-25 09:00:00,app,false
101,stage_id,2,9,1,2026-01-25 09:00:00,app,false
101,stage_id,1,2,1,2026-01-20 09:00:00,app,false
102,stage_id,1,9,1,2026-01-24 09:00:00,app,false
""",
    "stages": "id,name,order_nr,pipeline_id,is_deleted\n1,New,1,1,false\n2,Demo,2,1,false\n",
}


def test_names_of_the_second_api(tmp_path):
    """The changelog has no ids and comes newest first; a stage that is gone has a number only."""
    report = run(write(tmp_path / "export", V2))
    team = report.team
    assert lines(team.deals, "deal_id", "rep_id", "account_id", "closed_on", "outcome") == [
        "101 1 - 2026-02-01 lost",
        "102 1 10 - -",
    ]
    changes = team.stage_changes.sort_values(["deal_id", "entered_at"], kind="stable")
    assert lines(changes, "deal_id", "stage") == [
        "101 New",
        "101 Demo",
        "101 9",
        "101 Demo",
        "102 New",
        "102 9",
    ]
    assert team.settings.stages == ("New", "9", "Demo")
    assert any(
        each.startswith("stages that the export does not name: 9;") for each in report.decided
    )


LABELS = {
    "deals-27348383-8": """\
Deal - ID,Deal - Title,Deal - Owner,Deal - Organization,Deal - Pipeline,Deal - Stage,Deal - Status,Deal - Value,Deal - Currency,Deal - Deal created,Deal - Last stage change,Deal - Won time,Deal - Lost time,Deal - Lost reason,Deal - Expected close date,Deal - Archive status,Deal - Probability
101,One,Ann Lee,Alpha,Sales,Demo,Won,"1,234.00",EUR,2026-01-13 00:30:00,2026-01-20 09:00:00,2026-02-01,,,2026-02-05,Not archived,
102,Two,Bo Kiss,Beta,Sales,New,Lost,500,EUR,2026-01-02 09:00:00,,,2026-02-10 12:00:00,Price,2026-02-28,Not archived,
103,Three,Ann Lee,,Sales,Demo,Open,,EUR,2026-01-04 09:00:00,2026-02-14 23:30:00,,,,,Not archived,50
104,Old,Ann Lee,,Sales,New,Open,5,EUR,2026-01-04 09:00:00,,,,,,Archived,
105,Four,Ann Lee,,Sales,New,Open,,EUR,2026-01-05 09:00:00,,,,,,Not archived,10
""",
    "activities-1": """\
Activity - Subject,Activity - Type,Activity - Due date,Activity - Due time,Activity - Duration,Activity - Done,Activity - Assigned to user,Activity - Deal,Organization
Call,Call,2026-01-05,10:30,00:15,Done,Ann Lee,One,Alpha
Meet,Meeting,2026-01-06,,,To do,Ann Lee,One,Alpha
""",
    "organizations-2": "Organization - ID,Organization - Name,Organization - Country of Address,Organization - Industry,Organization - Number of employees\n10,Alpha,HU,Retail,120\n11,Beta,DE,Retail,\n",
}


def test_labels_of_the_interface(tmp_path):
    """Times are those of the team; of each deal the present stage is known, and since when."""
    report = run(write(tmp_path / "export", LABELS), reading=Options(timezone="Europe/Budapest"))
    team = report.team
    columns = "deal_id", "rep_id", "account_id", "amount", "created_on", "closed_on", "outcome"
    assert lines(team.deals, *columns) == [
        "101 Ann Lee 10 1234.0 2026-01-13 2026-02-01 won",
        "102 Bo Kiss 11 500.0 2026-01-02 2026-02-10 lost",
        "103 Ann Lee - - 2026-01-04 - -",
        "105 Ann Lee - - 2026-01-05 - -",
    ]
    assert lines(team.stage_changes, "deal_id", "stage", "entered_at") == [
        "101 Demo 2026-01-20",
        "102 New 2026-01-02",
        "103 Demo 2026-02-14",
        "105 New 2026-01-05",
    ]
    assert team.stage_changes["entered_at"][0] == pd.Timestamp("2026-01-20 08:00")
    assert team.settings.stages == ("New", "Demo")
    assert team.as_of == pd.Timestamp("2026-02-14"), "the day in Budapest"
    assert lines(team.activities, "activity_id", "kind", "deal_id", "account_id", "minutes") == [
        "activities-1-2 call 101 10 15.0"
    ]
    assert team.activities["happens_at"][0] == pd.Timestamp("2026-01-05 09:30")
    assert any(
        each.startswith("no history of stages in the export: of each deal only its present stage")
        for each in report.decided
    )


def test_a_table_of_stages_orders_those_of_the_interface(tmp_path):
    stages = "id,name,order_nr,pipeline_id\n1,Demo,1,7\n2,New,2,7\n3,Signing,3,7\n"
    report = run(write(tmp_path / "export", {**LABELS, "stages": stages}))
    assert report.team.settings.stages == ("Demo", "New", "Signing")


GERMAN = """\
Deal - Titel;Deal - Besitzer;Deal - Organisation;Deal - Phase;Deal - Status;Deal - Wert;Deal - Deal erstellt;Deal - Letzte Phasenänderung;Deal - Datum des gewonnenen Deals;Deal - Datum des verlorenen Deals
Eins;Änne Groß;Alpha;Angebot;Gewonnen;1.234,50 €;13.01.2026 10:00;20.01.2026 10:00;01.02.2026 10:00;
Zwei;Änne Groß;Beta;Neu;Offen;500,00 €;02.01.2026 10:00;;;
"""
FRENCH = """\
Affaire - Titre;Affaire - Propriétaire;Affaire - Organisation;Affaire - Étape;Affaire - Statut;Affaire - Valeur;Affaire - Affaire créée;Affaire - Date de gain;Affaire - Heure de l'échec
Un;Ève Noël;Alpha;Offre;Gagnée;1 234,50 €;13/01/2026 10:00;01/02/2026 10:00;
Deux;Ève Noël;Beta;Nouveau;Ouverte;500,00 €;02/01/2026 10:00;;
"""
SPANISH = """\
Negocio - Título;Negocio - Propietario;Negocio - Etapa;Negocio - Estado;Negocio - Valor;Negocio - Negocio creado el;Negocio - Fecha de ganado
Uno;Íñigo Peña;Oferta;Ganado;1.234,50 €;2026-01-13 10:00:00;2026-02-01 10:00:00
Dos;Íñigo Peña;Nuevo;Abierto;500,00 €;2026-01-02 10:00:00;
"""


@pytest.mark.parametrize(
    ("text", "title", "owner"),
    [
        (GERMAN, "Eins", "Änne Groß"),
        (FRENCH, "Un", "Ève Noël"),
        (SPANISH, "Uno", "Íñigo Peña"),
    ],
)
def test_labels_in_other_languages(tmp_path, text, title, owner):
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "export.csv").write_bytes(text.encode("cp1252"))
    report = run(folder, as_of="2026-03-01", stages=("Neu", "Angebot"))
    columns = "deal_id", "rep_id", "amount", "created_on", "closed_on", "outcome"
    assert lines(report.team.deals, *columns)[0] == (
        f"{title} {owner} 1234.5 2026-01-13 2026-02-01 won"
    )
    assert list(report.team.deals["outcome"].isna()) == [False, True]
    lacks_change = "stage_changes" in report.unfilled_tables
    assert lacks_change == ("Phasenänderung" not in text)
    said = next(each for each in report.decided if each.startswith("no history of stages"))
    assert lacks_change == ("Last stage change in the list of deals adds" in said)


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


RENEWALS = "5,Due,0,2,50,true\n6,Proposal,1,2,70,true\n7,Signed,2,2,90,true\n"
TWO = {
    **API,
    "stages": API["stages"] + RENEWALS,
    "deals": API["deals"].replace(",90.0,1,3,", ",90.0,2,6,"),
    "deal_flow": API["deal_flow"].replace("stage_id,1,3,", "stage_id,1,6,"),
}


def test_all_pipelines_are_imported_and_said(tmp_path):
    """A stage stands where it stands in its pipeline; Proposal, the end of one and the middle of
    the other, between them."""
    report = run(write(tmp_path / "export", TWO))
    said = "all pipelines are imported: Sales (3), Renewals (1); --pipeline chooses one"
    assert said in report.decided
    assert report.team.settings.stages == ("Due", "New", "Demo", "Proposal", "Signed")
    assert any("how far on each stands in its own pipeline" in each for each in report.decided)
    assert len(report.team.deals) == 4


@pytest.mark.parametrize("name", ["renewals", "2"])
def test_one_pipeline_is_chosen_by_name_or_id(tmp_path, name):
    report = run(write(tmp_path / "export", TWO), pipeline=name)
    assert list(report.team.deals["deal_id"]) == ["103"]
    assert report.team.settings.stages == ("Due", "Proposal", "Signed")
    assert lines(report.team.stage_changes, "deal_id", "stage") == ["103 Proposal"]
    counts = {(c.table, c.file): c.left_out for c in report.tables}
    assert counts["deals", "deals.csv"] == {
        "deleted": 1,
        "archived while open": 1,
        "of another pipeline": 3,
    }
    assert counts["stage_changes", "deals.csv"]["a stage of another pipeline"] == 1


def test_a_pipeline_that_there_is_not(tmp_path):
    assert faults_of(write(tmp_path / "export", TWO), pipeline="Sale") == [
        "deals.csv, column pipeline_id: found 'Sale', expected a pipeline of the export: Sales, Renewals",
        "deals.csv: found '1 deleted, 1 archived while open, 4 of another pipeline', expected deals that are not left out",
    ]


def test_many_deals_that_one_user_moves_in_one_second_are_a_bulk_edit(tmp_path):
    """Five deals in one second are; four, or five by two users, are not."""
    header = API["deals"].splitlines()[0]
    row = "{},Deal {},1,EUR,open,1,,,1,2,2026-01-01 09:00:00,2026-03-01 10:00:00,2026-02-01 09:00:00,,,,,,,,false,false,"
    deals = [header, *(row.format(n, n) for n in range(301, 315))]
    flow = ["item_id,user_id,field_key,old_value,new_value,log_time"]
    flow += [f"{n},1,stage_id,1,2,2026-02-01 09:00:00" for n in range(301, 306)]
    flow += [f"{n},1,stage_id,1,2,2026-02-01 09:00:01" for n in range(306, 310)]
    flow += [f"{n},{n % 2},stage_id,1,2,2026-02-01 09:00:02" for n in range(310, 315)]
    objects = {"deals": deals, "flow": flow, "stages": API["stages"].splitlines()}
    report = run(
        write(tmp_path / "export", {name: "\n".join(rows) for name, rows in objects.items()})
    )
    marked = report.team.stage_changes.dropna(subset="is_bulk")
    assert list(marked["deal_id"]) == ["301", "302", "303", "304", "305"]
    assert any("stage changes made in bulk: 5, of 5 deals" in each for each in report.decided)


def test_new_values_without_old_ones(tmp_path):
    """A log that begins with the first stage and has no old values."""
    flow = """\
deal_id,change_time,changed_field_key,new_value
101,2026-01-01 09:00:00,stage_id,1
101,2026-01-20 09:00:00,stage_id,3
102,2026-01-02 09:00:00,stage_id,1
102,2026-01-02 09:00:00,user_id,2
"""
    objects = {name: text for name, text in API.items() if name != "deal_flow"}
    report = run(write(tmp_path / "export", {**objects, "deal_changes": flow}))
    assert lines(report.team.stage_changes, "deal_id", "stage", "entered_at", "rep_id") == [
        "103 Proposal 2026-01-20 1",
        "105 New 2026-01-05 2",
        "101 New 2026-01-01 1",
        "101 Proposal 2026-01-20 1",
        "102 New 2026-01-02 2",
    ]


def test_a_lost_deal_counts_though_it_is_archived(api):
    change(
        api / "deals.csv",
        "106,Shelved,7,USD,open,2,10.0,,1,1,2026-01-05 09:00:00,2026-02-10 10:00:00,,,,,",
        "106,Shelved,7,USD,lost,2,10.0,,1,1,2026-01-05 09:00:00,2026-02-10 10:00:00,,,,"
        "2026-02-01 09:00:00,",
    )
    deals = run(api).team.deals
    assert deals.loc[deals["deal_id"] == "106", "outcome"].tolist() == ["lost"]


def test_merged_rows_are_left_out(api):
    header, *rows = API["deals"].splitlines()
    rows = [
        header + ",merge_what_id",
        *(f"{row},{101 if row[:3] == '104' else ''}" for row in rows),
    ]
    (api / "deals.csv").write_text("\n".join(rows), encoding="utf-8")
    deals = next(c for c in run(api).tables if c.table == "deals")
    assert deals.left_out == {"merged into another": 1, "archived while open": 1}


def test_every_fault_is_said_at_once(api):
    change(api / "deals.csv", "103,Three,300,USD,open", "103,Three,many,EUR,opened")
    change(api / "deals.csv", "105,Five,,USD,open", "105,Five,,USD,")
    change(api / "deal_flow.csv", "2026-01-31,2026-02-05", "2026-01-31,soon")
    change(
        api / "activities.csv",
        "206,meeting,Meeting,1,2026-01-08,10:00,01:00",
        "206,meeting,Meeting,1,2026-01-08,25:00,an hour",
    )
    change(api / "activities.csv", "203,email,Prices,1", "203,email,Prices,perhaps")
    assert faults_of(api, stages=("New", "Dmo", "Proposal")) == [
        "deals.csv, row 4, column status: found 'opened', expected open, won, lost or deleted",
        "deals.csv, row 6, column status: expected open, won, lost or deleted",
        "deals.csv, column currency: found 'USD in 3 rows, EUR in 1 rows', expected amounts in one currency",
        "activities.csv, row 7, column due_time: found '25:00', expected a time of day such as 15:30",
        "activities.csv, row 4, column done: found 'perhaps', expected yes or no, in words or as 1 or 0",
        "activities.csv, row 7, column duration: found 'an hour', expected a duration such as 01:30, or minutes",
        "deal_flow.csv, row 9, column new_value: found 'soon', expected a day such as 2026-06-30, from 1900 to 2100",
        "deals.csv, row 4, column value: found 'many', expected a number such as 1234.5, perhaps with a currency or a per cent sign, with a decimal point as '1000.5' shows",
        "deal_flow.csv, rows 5, 8, column new_value (stage_changes.stage): found 'Demo', expected a stage of team.toml (nearest: 'Dmo')",
    ]


def test_what_no_import_can_do_without(tmp_path):
    bare = {"export": "Deal - Title,Deal - Status,Deal - Value\nOne,Won,1\n"}
    assert faults_of(write(tmp_path / "export", bare)) == [
        "export.csv, column add_time: expected this column, by this name or its label",
        "export.csv, column owner_id or owner_name: expected this column, by this name or its label",
    ]
    (tmp_path / "export" / "export.csv").write_text("a,b\n1,2\n")
    assert faults_of(tmp_path / "export") == [
        "deals: expected a table of this object, with title, status and value"
    ]


def test_a_close_without_a_day_is_a_fault(api):
    """Neither the deal nor the flow tells when it was won."""
    change(api / "deals.csv", "2026-02-01 12:00:00,2026-02-01 12:00:00,,2026-02-01 12:00:00", ",,,")
    assert faults_of(api) == [
        "deals.csv, row 2, column status (deals.outcome): found 'won', expected closed_on filled too"
    ]
    change(api / "deal_flow.csv", "3,101,1,value,900,1000.5", "3,101,1,status,open,won")
    assert lines(run(api).team.deals, "closed_on")[0] == "2026-01-10"


def test_a_deal_entered_after_it_was_closed(api):
    change(
        api / "deals.csv",
        "2026-02-10 09:00:00,2026-02-10 09:00:00,Price",
        "2026-01-01 09:00:00,,Price",
    )
    report = run(api)
    assert lines(report.team.deals, "deal_id", "created_on", "closed_on")[1] == (
        "102 2026-01-01 2026-01-01"
    )
    assert any("deals entered after the day they closed: 1" in each for each in report.decided)
    assert "102" not in set(report.team.stage_changes["deal_id"])


def test_changes_from_before_a_deal_was_created(api):
    """What another deal went through, before it was merged into this one."""
    change(
        api / "deal_flow.csv", "2,103,2,stage_id,1,3,2026-01-20", "2,103,2,stage_id,1,3,2025-12-20"
    )
    counts = {(c.table, c.file): c.left_out for c in run(api).tables}
    assert counts["stage_changes", "deal_flow.csv"]["before its deal was created"] == 1


def test_at_the_command_line(api):
    call = CliRunner().invoke
    team = str(api.with_name("team"))
    done = call(cli.app, ["import", "pipedrive", str(api), team, "--pipeline", "Sales"])
    assert done.exit_code == 0, done.output
    assert "as of 2026-03-01 (the latest change in the export)" in done.output


LOST = {**exports.LOST, "products": exports.LOST["products"] | {"margin_rate"}}


@pytest.fixture(scope="module")
def simulated():
    """A team of which a deal was lost and reopened, and these deals."""
    team, truth = exports.handed_over(seed=5)
    return team, truth.reopened


def test_a_team_written_as_pipedrive_exports_it_is_read_back(simulated, tmp_path):
    simulated, reopened = simulated
    assert len(reopened)
    report = run(pipedrive_shape.write(simulated, tmp_path / "export", reopened))
    said = f"deals closed and opened again: {len(reopened)}; their last close counts"
    assert said in report.decided
    exports.must_be_read_back(report.team, simulated, LOST)


def test_the_lists_of_the_interface_hold_the_deals_and_their_present_stage(simulated, tmp_path):
    """Lost besides: reps' ids, products, the order of stages, all of the history but its end."""
    simulated, _ = simulated
    folder = pipedrive_shape.write_labels(simulated, tmp_path / "export")
    stages = simulated.settings.stages
    assert faults_of(folder)[0] == (
        f"--stages: found '{', '.join(sorted(stages))}', expected the open stages in order: nothing in the export tells"
    )
    found = run(folder, stages=stages).team
    names = simulated.reps.set_index("rep_id")["name"]
    was = simulated.deals.assign(rep_id=simulated.deals["rep_id"].map(names), product_id=None)
    was, now = (each.sort_values("deal_id", ignore_index=True) for each in (was, found.deals))
    pd.testing.assert_frame_equal(now, was.astype(now.dtypes), check_like=True)
    now = found.stage_changes.set_index("deal_id").loc[simulated.deals["deal_id"]]
    assert list(now["stage"]) == list(pipedrive_shape.stage_now(simulated))
    since = pipedrive_shape.last_move(simulated)
    assert list(now["entered_at"]) == list(since[simulated.deals["deal_id"]])


ODD = (
    *("101", "won", "deleted", "Done", "{", '{"id": 1}', "[1]", "7.0", "25:00", "<p>", "stage_id"),
)


test_a_broken_export_is_faults_or_a_team_with_every_row_counted = exports.broken(
    "pipedrive", [API, CONNECTOR, V2, LABELS, {"export": GERMAN}], {*API} - {"deals"}, *ODD
)
