"""HubSpot exports: by API names, connectors' tables and labels; round trips; broken files."""

# ruff: noqa: E501  an export is easier to judge on one line

import json
from functools import partial

import exports
import hubspot_shape
import pandas as pd
import pytest
from exports import change, counts, lines, write
from typer.testing import CliRunner

import salesnb
from salesnb import cli
from salesnb.importers import Options

run, faults_of = (partial(each, "hubspot") for each in (exports.run, exports.faults_of))

API = {
    "owners": """\
id,email,firstName,lastName,archived
11,ann@x.com,Ann,Lee,false
12,bo@x.com,Bo,Kiss,true
13,ida@x.com,Idle,Ida,false
""",
    "companies": """\
hs_object_id,name,industry,numberofemployees,annualrevenue,country,archived
21,Alpha,RETAIL,120,5000000,Hungary,false
22,Beta,RETAIL,30,,Germany,true
""",
    "deal_pipeline": "pipeline_id,label\ndefault,Sales\n77,Renewals\n",
    "deal_pipeline_stage": """\
stage_id,label,pipeline_id,display_order,probability,is_closed
appointmentscheduled,New,default,0,0.2,false
contractsent,Proposal,default,2,0.8,false
presentationscheduled,Demo,default,1,0.4,false
closedwon,Closed won,default,3,1.0,true
closedlost,Closed lost,default,4,0.0,false
9001,Renewal,77,0,0.5,false
9002,Renewed,77,1,1.0,true
""",
    "deals": """\
hs_object_id,dealname,pipeline,dealstage,amount,deal_currency_code,closedate,createdate,hubspot_owner_id,dealtype,closed_lost_reason,company_id,hs_lastmodifieddate,archived,hs_merged_object_ids,hs_v2_date_entered_appointmentscheduled,hs_v2_date_entered_presentationscheduled,hs_v2_date_entered_contractsent,hs_v2_date_entered_closedwon,hs_v2_date_entered_closedlost,hs_v2_date_entered_9001,hs_v2_date_entered_current_stage,hs_date_entered_contractsent
31,One,default,closedwon,1000.5,USD,2026-02-01T12:00:00Z,2026-01-01T09:00:00.000Z,11,newbusiness,,21,2026-03-01T10:00:00Z,false,,2026-01-01T09:00:00.123Z,1768035600000,1768899600,2026-02-01T12:00:00Z,,,2026-02-01T12:00:00Z,2020-01-01T00:00:00Z
32,Two,default,closedlost,500,USD,2026-02-10T12:00:00Z,2026-01-02T09:00:00.000Z,12,existingbusiness,Price,22,2026-02-10T10:00:00Z,false,,2026-01-02T09:00:00.000Z,1769331600000,,,2026-02-10T12:00:00Z,,2026-02-10T12:00:00Z,
33,Three,default,contractsent,300,USD,2026-04-30T12:00:00Z,2026-01-03T09:00:00.000Z,11,,,22;21,2026-02-10T10:00:00Z,false,35,2026-01-03T09:00:00.000Z,,1768903200,,,,2026-01-20T10:00:00Z,
34,Gone,default,contractsent,1,USD,2026-04-30T12:00:00Z,2026-01-04T09:00:00.000Z,11,,,,2026-02-10T10:00:00Z,true,,2026-01-04T09:00:00.000Z,,,,,,,
35,Twin,default,contractsent,1,USD,2026-04-30T12:00:00Z,2026-01-04T09:00:00.000Z,11,,,,2026-02-10T10:00:00Z,false,,2026-01-04T09:00:00.000Z,,,,,,,
36,Nobody's,default,contractsent,1,USD,2026-04-30T12:00:00Z,2026-01-04T09:00:00.000Z,,,,,2026-02-10T10:00:00Z,false,,2026-01-04T09:00:00.000Z,,,,,,,
37,Again,77,9001,,USD,2026-05-31T12:00:00Z,2026-01-05T09:00:00.000Z,bo@x.com,,,21,2026-02-10T10:00:00Z,false,,2026-01-05T09:00:00.000Z,,,,,2026-01-06T09:00:00.000Z,2026-01-06T09:00:00Z,
""",
    "meetings": """\
hs_object_id,hs_meeting_title,hs_activity_type,hs_meeting_start_time,hs_meeting_end_time,hs_meeting_outcome,hs_createdate,hubspot_owner_id,associated_deal_ids,hs_meeting_body,archived
41,Talk,,2026-01-08T10:00:00Z,2026-01-08T11:00:00Z,COMPLETED,2026-01-05T10:00:00Z,11,31,<p>All <b>well</b> &amp; &lt;ann@x.com&gt;</p>,false
42,Demo of the product,,2026-01-09T10:00:00Z,2026-01-09T10:30:00Z,NO_SHOW,2026-01-05T10:00:00Z,11,33,,false
43,Review,Demo,2026-01-10T10:00:00Z,2026-01-10T10:30:00Z,SCHEDULED,2026-01-05T10:00:00Z,12,35;33,,false
44,Review,,2026-04-10T10:00:00Z,2026-04-10T10:30:00Z,SCHEDULED,2026-01-05T10:00:00Z,11,33,,false
45,Review,,2026-01-10T10:00:00Z,2026-01-10T10:30:00Z,CANCELED,2026-01-05T10:00:00Z,11,99,,false
46,Gone,,2026-01-10T10:00:00Z,2026-01-10T10:30:00Z,COMPLETED,2026-01-05T10:00:00Z,11,33,,true
47,Nobody's,,2026-01-10T10:00:00Z,2026-01-10T10:30:00Z,COMPLETED,2026-01-05T10:00:00Z,,33,,false
""",
    "calls": """\
hs_object_id,hs_call_title,hs_call_duration,hs_call_status,hs_call_disposition,hs_timestamp,hs_createdate,hubspot_owner_id,associated_company_ids,associated_contact_ids
51,Call,120000,COMPLETED,f240bbac-87c9-4f6e-bf70-924b57d47db7,2026-01-06T08:00:00Z,2026-01-06T08:05:00Z,11,21,
52,Call,0,NO_ANSWER,,2026-01-07T08:00:00Z,2026-01-07T08:05:00Z,12,,61
53,Call,5000,COMPLETED,b2cf5968-551e-4856-9783-52b3da59a7d0,2026-01-08T08:00:00Z,2026-01-08T08:05:00Z,12,,62
54,Call,,QUEUED,,2026-01-09T08:00:00Z,2026-01-09T08:05:00Z,12,,
""",
    "contacts": """\
hs_object_id,email,firstname,lastname,lifecyclestage,associatedcompanyid
61,c@alpha.com,Cy,Po,customer,21
62,d@gone.com,Di,Po,customer,
""",
    "emails": """\
hs_object_id,hs_email_subject,hs_email_direction,hs_email_status,hs_timestamp,hubspot_owner_id
71,Prices,EMAIL,SENT,2026-01-07T08:00:00Z,11
72,Re: prices,INCOMING_EMAIL,,2026-01-07T09:00:00Z,11
73,Prices,EMAIL,BOUNCED,2026-01-07T10:00:00Z,11
""",
    "tasks": """\
hs_object_id,hs_task_subject,hs_task_type,hs_task_status,hs_timestamp,hs_task_completion_date,hubspot_owner_id
81,Proposal to Alpha,TODO,COMPLETED,2026-01-05T08:00:00Z,2026-01-09T08:00:00Z,11
82,Call Beta,CALL,COMPLETED,2026-01-05T08:00:00Z,2026-01-06T08:00:00Z,11
83,Proposal to Beta,TODO,NOT_STARTED,2026-06-05T08:00:00Z,,11
84,Tidy up,TODO,COMPLETED,2026-01-05T08:00:00Z,2026-01-06T08:00:00Z,11
""",
    "notes": "hs_object_id,hs_note_body,hs_timestamp\n91,remember,2026-01-05T08:00:00Z\n",
    "products": """\
hs_object_id,name,price,hs_cost_of_goods_sold,hs_product_type
101,Basic,100,40,service
102,Extra,120,,service
""",
    "line_items": """\
hs_object_id,deal_id,hs_product_id,name,quantity,price,amount,hs_discount_percentage
111,31,101,Basic,10,100,900,10
112,31,,Setup,1,100.5,100.5,
113,34,101,Basic,1,1,1,
114,33,102,Extra,2,120,,25
""",
    "roster": "rep,hired_on,left_on,region\nann@x.com,2024-05-01,,North\nBo Kiss,2023-01-01,2026-02-15,South\nNobody,2020-01-01,,\n",
}


@pytest.fixture
def api(tmp_path):
    return write(tmp_path / "export", API)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The export as it is, imported."""
    return run(write(tmp_path_factory.mktemp("api") / "export", API))


CONNECTOR = {
    "owner_data": """\
owner_id,_fivetran_synced,email,first_name,last_name,is_active
11,2026-03-02 00:00:00,ann@x.com,Ann,Lee,true
12,2026-03-02 00:00:00,bo@x.com,Bo,Kiss,false
""",
    "company_data": """\
id,is_deleted,property_name,property_industry,property_country
21,false,Alpha,Retail,HU
22,true,Beta,Retail,DE
23,false,Gamma,Retail,DE
""",
    "deal_pipeline_data": "pipeline_id,_fivetran_deleted,label\ndefault,FALSE,Sales\n",
    "deal_pipeline_stage_data": """\
stage_id,label,pipeline_id,display_order,probability,is_closed,closed_won,_fivetran_deleted
s1,New,default,0,0.2,FALSE,FALSE,FALSE
s2,Demo,default,1,0.4,FALSE,FALSE,FALSE
s3,Proposal,default,2,0.8,FALSE,FALSE,FALSE
s4,Old,default,3,0.9,FALSE,FALSE,TRUE
s5,Done,default,4,1.0,TRUE,TRUE,FALSE
s6,Dropped,default,5,0.0,FALSE,FALSE,FALSE
""",
    "deal_data": """\
deal_id,is_deleted,deal_pipeline_id,deal_pipeline_stage_id,owner_id,property_dealname,property_amount,property_closedate,property_createdate,property_hs_lastmodifieddate
31,false,default,s5,11,One,1000.5,2026-02-01 12:00:00,2026-01-01 09:00:00,2026-03-01 10:00:00
32,false,default,s6,12,Two,500,,2026-01-02 09:00:00,2026-02-10 10:00:00
33,false,default,s3,11,Three,300,2026-04-30 12:00:00,2026-01-03 09:00:00,2026-02-10 10:00:00
34,true,default,s1,11,Gone,1,2026-04-30 12:00:00,2026-01-04 09:00:00,2026-02-10 10:00:00
35,false,default,s1,11,Twin,1,2026-04-30 12:00:00,2026-01-04 09:00:00,2026-02-10 10:00:00
""",
    "merged_deal_data": "deal_id,merged_deal_id\n33,35\n",
    "deal_stage_data": """\
deal_id,value,date_entered,_fivetran_start,_fivetran_end,_fivetran_active
31,s2,2026-01-10 09:00:00,2026-01-10 09:00:00,2026-02-01 12:00:00,FALSE
31,s1,2026-01-01 09:00:00,2026-01-01 09:00:00,2026-01-10 09:00:00,FALSE
31,s5,2026-02-01 12:00:00,2026-02-01 12:00:00,2050-01-01 00:00:00,TRUE
32,s1,2026-01-02 09:00:00,2026-01-02 09:00:00,2026-01-20 09:00:00,FALSE
32,s6,2026-01-20 09:00:00,2026-01-20 09:00:00,2026-01-25 09:00:00,FALSE
32,s1,2026-01-25 09:00:00,2026-01-25 09:00:00,2026-02-10 09:00:00,FALSE
32,s6,2026-02-10 09:00:00,2026-02-10 09:00:00,2050-01-01 00:00:00,TRUE
33,s1,2026-01-03 09:00:00,2026-01-03 09:00:00,2026-01-04 09:00:00,FALSE
33,s1,2026-01-04 09:00:00,2026-01-04 09:00:00,2026-01-20 09:00:00,FALSE
33,s3,2026-01-20 09:00:00,2026-01-20 09:00:00,2050-01-01 00:00:00,TRUE
34,s1,2026-01-04 09:00:00,2026-01-04 09:00:00,2050-01-01 00:00:00,TRUE
""",
    "deal_property_history_data": """\
deal_id,name,value,timestamp,source
31,closedate,2026-01-31 12:00:00,2026-01-01 09:00:00,CRM_UI
31,closedate,2026-02-05 12:00:00,2026-01-10 09:00:00,CRM_UI
31,closedate,2026-02-01 12:00:00,2026-02-01 11:59:59,CRM_UI
33,closedate,2026-04-30 12:00:00,2026-01-03 09:00:00,CRM_UI
33,closedate,2026-04-30 15:00:00,2026-01-04 09:00:00,CRM_UI
33,hubspot_owner_id,12,2026-01-03 09:00:00,CRM_UI
33,hubspot_owner_id,11,2026-01-15 09:00:00,CRM_UI
33,amount,300,2026-01-15 09:00:00,CRM_UI
34,closedate,2026-04-30 12:00:00,2026-01-04 09:00:00,CRM_UI
""",
    "deal_company_data": """\
deal_id,company_id,type_id,category
31,23,341,HUBSPOT_DEFINED
31,21,5,HUBSPOT_DEFINED
33,22,5,HUBSPOT_DEFINED
34,21,5,HUBSPOT_DEFINED
""",
    "engagement_data": """\
id,type,portal_id,owner_id,timestamp,active
41,MEETING,1,11,2026-01-08 10:00:00,true
42,MEETING,1,11,2026-01-09 10:00:00,false
51,CALL,1,12,2026-01-06 08:00:00,true
99,CALL,1,12,2026-01-06 08:00:00,true
""",
    "engagement_meeting_data": """\
engagement_id,start_time,end_time,meeting_outcome,title,body
41,2026-01-08 10:00:00,2026-01-08 11:00:00,,Talk,All well
42,2026-01-09 10:00:00,2026-01-09 10:30:00,,Talk,
""",
    "engagement_call_data": """\
engagement_id,_fivetran_deleted,property_hs_createdate,property_hs_timestamp,property_hs_call_duration,type
51,false,2026-01-06 08:05:00,,90,CALL
52,true,2026-01-06 08:05:00,2026-01-06 08:00:00,60,CALL
""",
    "engagement_deal_data": """\
engagement_id,deal_id,engagement_type
41,34,MEETING
41,31,MEETING
41,33,MEETING
77,33,MEETING
""",
    "engagement_company_data": "engagement_id,company_id,engagement_type\n51,21,CALL\n",
    "product_data": "id,property_name,property_price\n101,Basic,100\n",
    "line_item_data": """\
id,product_id,property_name,property_quantity,property_price,property_amount
111,101,Basic,10,100,900
112,101,Basic,1,100,100
""",
    "line_item_deal_data": "line_item_id,deal_id\n111,31\n112,34\n",
}

LABELS = {
    "hubspot-crm-exports-all-deals-2026-03-01": '''\
Record ID,Deal Name,Deal Stage,Pipeline,Deal owner,Amount,Currency,Close Date,Create Date,Last Modified Date,Associated Company,Associated Company IDs,"Date entered ""New (Sales Pipeline)""","Date exited ""New (Sales Pipeline)""","Date entered ""Demo (online) (Sales Pipeline)""","Date entered ""Closed won (Sales Pipeline)""","Latest time in ""New (Sales Pipeline)"""
31,One,Closed won (Sales Pipeline),Sales Pipeline,Ann Lee,"1,000.50",USD,2026-02-01 00:30,2026-01-01 09:00,2026-03-01 10:00,Alpha;Beta,21;22,2026-01-01 09:00,2026-01-10 09:00,2026-01-10 09:00,2026-02-01 00:30,777600000
32,Two,Demo (online) (Sales Pipeline),Sales Pipeline,Bo Kiss,500,USD,2026-04-30 12:00,2026-01-02 09:00,2026-02-10 10:00,Beta,22,2026-01-02 09:00,2026-01-20 09:00,2026-01-20 09:00,,1555200000
33,Three,New (Sales Pipeline),Sales Pipeline,,300,USD,2026-04-30 12:00,2026-01-03 09:00,2026-02-10 10:00,,,2026-01-03 09:00,,,,
''',
    "hubspot-crm-exports-all-companies": """\
Record ID,Company name,Industry,Number of Employees,Country/Region
21,Alpha,Retail,120,Hungary
22,Beta,Retail,30,Germany
""",
    "hubspot-crm-exports-all-meetings": """\
Record ID,Meeting name,Meeting start time,Meeting end time,Meeting outcome,Activity assigned to,Associated Deal IDs,Create date
41,Talk,2026-01-08 10:00,2026-01-08 11:00,Completed,Ann Lee,31,2026-01-05 10:00
42,Talk,2026-01-09 10:00,2026-01-09 11:00,No show,Bo Kiss,32;31,2026-01-05 10:00
""",
}

GERMAN = """\
Datensatz-ID;Deal-Name;Deal-Phase;Pipeline;Zuständiger Mitarbeiter für Deal;Betrag;Abschlussdatum;Erstellungsdatum;"Datum des Eintritts in „Angebot (Vertrieb)“";"Datum des Austritts aus „Angebot (Vertrieb)“"
31;Eins;Abgeschlossen und gewonnen;Vertrieb;Änne Groß;1.234,50 €;01.02.2026;13.01.2026;14.01.2026 10:00;01.02.2026 10:00
32;Zwei;Angebot;Vertrieb;Änne Groß;500,00 €;30.04.2026;02.01.2026;20.01.2026 10:00;
33;Drei;Kontakt;Vertrieb;Änne Groß;;30.04.2026;03.01.2026;;
"""


def test_deals_by_hand(report):
    team = report.team
    columns = "deal_id", "rep_id", "account_id", "product_id", "segment", "created_on", "amount"
    assert lines(team.deals, *columns) == [
        "31 11 21 101 newbusiness 2026-01-01 1000.5",
        "32 12 - - existingbusiness 2026-01-02 500.0",
        "33 11 21 102 - 2026-01-03 300.0",
        "37 12 21 - - 2026-01-05 -",
    ]
    assert lines(
        team.deals, "deal_id", "expected_close_on", "closed_on", "outcome", "lost_reason"
    ) == [
        "31 - 2026-02-01 won -",
        "32 - 2026-02-10 lost Price",
        "33 2026-04-30 - - -",
        "37 2026-05-31 - - -",
    ]
    assert team.settings.currency == "USD"
    assert team.as_of == pd.Timestamp("2026-03-01")


def test_a_column_for_each_stage_by_hand(report):
    changes = report.team.stage_changes
    assert lines(changes, "deal_id", "stage", "entered_at") == [
        "31 New 2026-01-01",
        "32 New 2026-01-02",
        "33 New 2026-01-03",
        "37 New 2026-01-05",
        "31 Demo 2026-01-10",
        "32 Demo 2026-01-25",
        "31 Proposal 2026-01-20",
        "33 Proposal 2026-01-20",
        "37 Renewal 2026-01-06",
    ]
    times = changes["entered_at"].iloc[[0, 4, 6]]
    assert [str(time) for time in times] == [
        *("2026-01-01 09:00:00.123000", "2026-01-10 09:00:00", "2026-01-20 09:00:00"),
    ]
    said = "deals.csv, hs_v2_date_entered_"
    assert f"{said}presentationscheduled: 2 cells read as milliseconds since 1970" in report.decided
    assert f"{said}contractsent: 2 cells read as seconds since 1970" in report.decided
    assert any("of each stage, the last time" in each for each in report.decided)
    assert report.unused_columns["deals.csv"] == (
        *("hs_v2_date_entered_current_stage", "hs_date_entered_contractsent"),
    )


def test_activities_by_hand(report):
    columns = "activity_id", "rep_id", "kind", "happens_at", "outcome", "deal_id", "account_id"
    assert lines(report.team.activities, *columns, "minutes") == [
        "41 11 meeting 2026-01-08 held 31 - 60.0",
        "42 11 demo 2026-01-09 no_show 33 - 30.0",
        "43 12 demo 2026-01-10 - 33 - 30.0",
        "44 11 meeting 2026-04-10 - 33 - 30.0",
        "45 11 meeting 2026-01-10 cancelled - - 30.0",
        "51 11 call 2026-01-06 connected - 21 2.0",
        "52 12 call 2026-01-07 no_answer - 21 0.0",
        f"53 12 call 2026-01-08 no_answer - - {5 / 60}",
        "71 11 email 2026-01-07 - - - -",
        "81 11 proposal 2026-01-09 - - - -",
    ]
    assert report.team.activities["note"][0] == "All well & <ann@x.com>"
    assert (
        "meetings.csv: past meetings of which nobody said what came of them: 1; they count neither "
        "as held nor as missed" in report.decided
    )
    assert "calls.csv, hs_call_duration: read as milliseconds" in report.decided


def test_people_companies_and_products_by_hand(report):
    team = report.team
    assert lines(team.reps, "rep_id", "name", "hired_on", "left_on", "region") == [
        "11 Ann Lee 2024-05-01 - North",
        "12 Bo Kiss 2023-01-01 2026-02-15 South",
    ]
    assert lines(team.accounts, "account_id", "industry", "country", "employees") == [
        "21 RETAIL Hungary 120.0"
    ]
    assert lines(team.products, "product_id", "name", "family", "list_price", "margin_rate") == [
        "101 Basic service 100.0 0.6",
        "102 Extra service 120.0 -",
        "Setup Setup - - -",
    ]
    assert lines(
        team.deal_lines, "deal_id", "product_id", "quantity", "list_amount", "net_amount"
    ) == [
        "31 101 10.0 1000.0 900.0",
        "31 Setup 1.0 100.5 100.5",
        "33 102 2.0 240.0 180.0",
    ]


GONE = {"archived": 1, "merged into another": 1, "without an owner": 1}
CLOSING = "closing, which the deals tell"


def test_every_row_left_out_has_its_reason(report):
    found = [(c.table, c.file, c.read, c.kept, dict(c.left_out)) for c in report.tables]
    assert [each for each in found if each[0] != "stage_changes"] == [
        ("reps", "owners.csv", 3, 2, {"owns no deal or activity": 1}),
        ("accounts", "companies.csv", 2, 1, {"archived": 1}),
        ("products", "products.csv", 2, 2, {}),
        (
            *("products", "line_items.csv", 4, 1),
            {"of a deal that is not in the data set": 1, "its product is known already": 2},
        ),
        ("deals", "deals.csv", 7, 4, GONE),
        ("deal_lines", "line_items.csv", 4, 3, {"of a deal that is not in the data set": 1}),
        ("activities", "meetings.csv", 7, 5, {"archived": 1, "without an owner": 1}),
        ("activities", "calls.csv", 4, 3, {"call that is not over": 1}),
        (
            *("activities", "emails.csv", 3, 1),
            {"e-mail that came in": 1, "e-mail that was not sent": 1},
        ),
        (
            *("activities", "tasks.csv", 4, 1),
            {
                "task not completed": 1,
                "task to do a call, which is logged on its own": 1,
                "task of type TODO": 1,
            },
        ),
        ("stages", "deal_pipeline_stage.csv", 7, 7, {}),
        ("pipelines", "deal_pipeline.csv", 2, 2, {}),
        ("activities", "notes.csv", 1, 0, {"a note is no activity": 1}),
        ("reps", "roster.csv", 3, 2, {"nobody of this name or id is in the export": 1}),
        ("companies of contacts", "contacts.csv", 2, 1, {"without a company in the data set": 1}),
    ]
    read = {file: n for _, file, n, *_ in found}
    assert read == {f"{name}.csv": len(text.splitlines()) - 1 for name, text in API.items()}
    assert [each[1:] for each in found if each[0] == "stage_changes"] == [
        ("deals.csv", 7, 4, GONE),
        ("deals.csv", 7, 2, {**GONE, "never in Demo": 2}),
        ("deals.csv", 7, 2, {**GONE, "never in Proposal": 2}),
        ("deals.csv", 7, 0, {**GONE, "never in Closed won": 3, CLOSING: 1}),
        ("deals.csv", 7, 0, {**GONE, "never in Closed lost": 3, CLOSING: 1}),
        ("deals.csv", 7, 1, {**GONE, "never in Renewal": 3}),
    ]
    assert (
        "deals.csv, company_id: rows that name nothing in the data set: 1; left blank there"
        in report.decided
    )


def test_the_manifest_and_the_report_are_those_of_every_import(report):
    manifest = json.loads((report.folder / "import.json").read_text(encoding="utf-8"))
    assert set(manifest["sources"]) == {f"{name}.csv" for name in API}
    assert manifest["mapping"]["name"] == "HubSpot"
    assert manifest["fingerprint"] == salesnb.load(report.folder).fingerprint


def test_all_pipelines_or_one(api, report):
    said = "all pipelines are imported: Sales (4), Renewals (1); --pipeline chooses one"
    assert said in report.decided
    assert report.team.settings.stages == ("New", "Renewal", "Demo", "Proposal")
    for wanted in ("sales", "default"):
        sales = run(api, pipeline=wanted)
        assert list(sales.team.deals["deal_id"]) == ["31", "32", "33"]
        assert sales.team.settings.stages == ("New", "Demo", "Proposal")
        deals = counts(sales)["deals", "deals.csv"]
        assert deals[2]["of another pipeline"] == 1
    renewals = run(api, pipeline="Renewals").team
    assert lines(renewals.stage_changes, "deal_id", "stage") == ["37 Renewal"]
    assert renewals.settings.stages == ("Renewal",)
    with pytest.raises(salesnb.DataError, match="a pipeline of the export: Sales, Renewals"):
        run(api, pipeline="Sale")
    with pytest.raises(salesnb.DataError, match="--record-type: found 'Sales', expected --pipel"):
        run(api, record_type="Sales")


@pytest.fixture
def connector(tmp_path):
    return write(tmp_path / "export", CONNECTOR)


def test_tables_of_a_connector_by_hand(connector):
    report = run(connector)
    team = report.team
    assert lines(
        team.deals,
        *("deal_id", "rep_id", "account_id", "expected_close_on", "closed_on", "outcome"),
    ) == [
        "31 11 21 2026-02-05 2026-02-01 won",
        "32 12 - - 2026-02-10 lost",
        "33 11 - 2026-04-30 - -",
    ]
    assert lines(team.stage_changes, "deal_id", "stage", "entered_at", "rep_id") == [
        "31 Demo 2026-01-10 11",
        "31 New 2026-01-01 11",
        "32 New 2026-01-02 12",
        "32 New 2026-01-25 12",
        "33 New 2026-01-03 12",
        "33 Proposal 2026-01-20 11",
    ]
    assert lines(team.close_date_changes, "deal_id", "changed_at", "expected_close_on") == [
        "31 2026-01-01 2026-01-31",
        "31 2026-01-10 2026-02-05",
        "33 2026-01-03 2026-04-30",
    ]
    assert lines(
        team.activities,
        *("activity_id", "rep_id", "kind", "happens_at", "outcome", "deal_id", "account_id"),
        "minutes",
    ) == [
        "41 11 meeting 2026-01-08 held 31 - 60.0",
        "51 12 call 2026-01-06 - - 21 1.5",
    ]
    assert team.activities["happens_at"][1] == pd.Timestamp("2026-01-06 08:00")
    assert lines(team.deal_lines, "deal_id", "product_id", "net_amount") == ["31 101 900.0"]
    assert team.settings.stages == ("New", "Demo", "Proposal"), "a deleted stage nobody was in"
    for said in (
        "deals closed and opened again: 1; their last close counts",
        "deal_data.csv: closed deals without a close date: 1; the day on which they entered their "
        "last stage counts",
        "engagement_call_data.csv, property_hs_call_duration: read as seconds",
        "engagement_meeting_data.csv: no meeting is called completed, so past ones that nothing "
        "says otherwise of count as held: 1",
        "inactive reps without the day they left: 1; they count as present until a roster states "
        "left_on",
    ):
        assert said in report.decided


def test_every_row_of_a_connector_is_counted(connector):
    unknown, no_deal = "of what is not in the data set", "of a deal that is not in the data set"
    found = counts(run(connector))
    expected = {
        ("deals", "deal_data.csv"): (5, 3, {"deleted": 1, "merged into another": 1}),
        ("stage_changes", "deal_stage_data.csv"): (
            *(11, 6),
            {no_deal: 1, CLOSING: 3, "saved without a new stage": 1},
        ),
        ("close_date_changes", "deal_property_history_data.csv"): (
            *(9, 3),
            {
                no_deal: 1,
                "of other fields": 3,
                "of a closed deal": 1,
                "saved without a new close date": 1,
            },
        ),
        ("owners over time", "deal_property_history_data.csv"): (
            *(9, 2),
            {no_deal: 1, "of other fields": 6},
        ),
        ("companies of deals", "deal_company_data.csv"): (
            *(4, 1),
            {unknown: 2, "a further association": 1},
        ),
        ("deals of activities", "engagement_deal_data.csv"): (
            *(4, 1),
            {unknown: 2, "a further association": 1},
        ),
        ("companies of activities", "engagement_company_data.csv"): (1, 1, {}),
        ("deals of line items", "line_item_deal_data.csv"): (2, 1, {unknown: 1}),
        ("activities", "engagement_meeting_data.csv"): (2, 1, {"archived": 1}),
        ("activities", "engagement_call_data.csv"): (2, 1, {"deleted": 1}),
        ("owners and times of activities", "engagement_data.csv"): (
            *(4, 2),
            {"of no activity in the data set": 2},
        ),
        ("merged deals", "merged_deal_data.csv"): (1, 1, {}),
    }
    assert {key: found[key] for key in expected} == expected
    read = {file: n for (_, file), (n, *_) in found.items()}
    assert read == {f"{name}.csv": len(text.splitlines()) - 1 for name, text in CONNECTOR.items()}


def test_a_history_of_properties_tells_stages_too(tmp_path):
    rows = CONNECTOR["deal_stage_data"].splitlines()[1:]
    log = [row.split(",")[:3] for row in rows]
    more = "".join(f"{deal},Deal Stage,{stage},{at},CRM_UI\n" for deal, stage, at in log)
    objects = {name: text for name, text in CONNECTOR.items() if name != "deal_stage_data"}
    objects["deal_property_history_data"] += more
    report = run(write(tmp_path / "export", objects))
    assert lines(report.team.stage_changes, "deal_id", "stage", "entered_at") == [
        "31 Demo 2026-01-10",
        "31 New 2026-01-01",
        "32 New 2026-01-02",
        "32 New 2026-01-25",
        "33 New 2026-01-03",
        "33 Proposal 2026-01-20",
    ]
    assert counts(report)["stage_changes", "deal_property_history_data.csv"][:2] == (20, 6)


def test_labels_of_the_user_interface(tmp_path):
    report = run(write(tmp_path / "export", LABELS), reading=Options(timezone="Europe/Budapest"))
    team = report.team
    assert lines(
        team.deals,
        *("deal_id", "rep_id", "account_id", "amount", "created_on", "closed_on", "outcome"),
    ) == [
        "31 Ann Lee 21 1000.5 2026-01-01 2026-02-01 won",
        "32 Bo Kiss 22 500.0 2026-01-02 - -",
    ]
    assert lines(team.stage_changes, "deal_id", "stage", "entered_at") == [
        "31 New 2026-01-01",
        "32 New 2026-01-02",
        "31 Demo (online) 2026-01-10",
        "32 Demo (online) 2026-01-20",
    ]
    assert team.stage_changes["entered_at"][0] == pd.Timestamp("2026-01-01 08:00"), "UTC"
    assert team.settings.stages == ("New", "Demo (online)")
    assert lines(team.activities, "activity_id", "rep_id", "outcome", "deal_id") == [
        "41 Ann Lee held 31",
        "42 Bo Kiss no_show 32",
    ]


def test_labels_without_the_pipeline(tmp_path):
    deals = LABELS["hubspot-crm-exports-all-deals-2026-03-01"]
    deals = deals.replace("Pipeline,Deal owner", "Team,Deal owner")
    team = run(write(tmp_path / "export", {"deals": deals})).team
    assert team.settings.stages == ("New", "Demo (online)")
    assert list(team.deals["outcome"].dropna()) == ["won"]


def test_labels_in_german(tmp_path):
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "deals.csv").write_bytes(GERMAN.encode("cp1252"))
    team = run(folder, as_of="2026-03-01", stages=("Kontakt", "Angebot")).team
    assert lines(team.deals, "deal_id", "rep_id", "amount", "closed_on", "outcome") == [
        "31 Änne Groß 1234.5 2026-02-01 won",
        "32 Änne Groß 500.0 - -",
        "33 Änne Groß - - -",
    ]
    assert lines(team.stage_changes, "deal_id", "stage", "entered_at") == [
        "31 Angebot 2026-01-14",
        "32 Angebot 2026-01-20",
    ]


def test_rows_of_a_connector(connector_source, tmp_path):
    folder = tmp_path / "export"
    folder.mkdir()
    for path in (connector_source / "hubspot").glob("*.csv"):
        (folder / path.name).write_bytes(path.read_bytes())
    report = run(folder)
    found = counts(report)
    assert found["deals", "deal_data.csv"] == (44, 22, {"without an owner": 22})
    assert found["reps", "owner_data.csv"] == (100, 3, {"owns no deal or activity": 97})
    assert found["accounts", "company_data.csv"] == (24, 24, {})
    no_deal = {"of a deal that is not in the data set": 14}
    assert found["stage_changes", "deal_stage_data.csv"] == (14, 0, no_deal)
    no_owner = {"without an owner": 100}
    assert found["activities", "engagement_meeting_data.csv"] == (100, 0, no_owner)
    assert {file for _, file in found} == {path.name for path in folder.glob("*.csv")}
    assert any("nothing tells which deals are closed" in each for each in report.decided)
    assert report.team.fingerprint == salesnb.load(report.folder).fingerprint


def test_durations_of_calls(api):
    for written, minutes in (("00:02:30", 2.5), ("150000", 2.5), ("150", 2.5)):
        rows = [f"{n},Call,{written},2026-01-06T08:00:00Z,11" for n in (51, 52)]
        text = "\n".join(
            ["hs_object_id,hs_call_title,hs_call_duration,hs_timestamp,owner_id", *rows]
        )
        (api / "calls.csv").write_text(text + "\n")
        calls = run(api).team.activities.query("kind == 'call'")
        assert list(calls["minutes"]) == [minutes, minutes]


def test_a_name_that_is_open_in_one_pipeline_and_closed_in_another(api):
    change(api / "deal_pipeline_stage.csv", "9001,Renewal,", "9001,Closed won,")
    report = run(api)
    assert report.team.settings.stages == ("Closed won", "New", "Demo", "Proposal")
    assert lines(report.team.deals, "deal_id", "outcome") == ["31 won", "32 lost", "33 -", "37 -"]
    assert lines(report.team.stage_changes, "deal_id", "stage")[-1] == "37 Closed won"
    assert len(report.team.stage_changes) == 9, "the closing of 31 is none"


def test_times_are_those_of_the_team(api):
    """HubSpot stores UTC; 23:30 there is the next day in Budapest, the day before in New York."""
    change(api / "deals.csv", "USD,2026-02-01T12:00:00Z", "USD,2026-01-31T23:30:00Z")
    for zone, day in (("Europe/Budapest", "2026-02-01"), ("America/New_York", "2026-01-31")):
        team = run(api, reading=Options(timezone=zone)).team
        assert lines(team.deals, "deal_id", "closed_on")[0] == f"31 {day}"
        assert team.stage_changes["entered_at"][4] == pd.Timestamp("2026-01-10 09:00")


def test_programs_write_ids_with_a_point_and_times_in_utc(connector):
    """As pandas writes a column of ids in which one is missing."""
    names = {"deal_id", "owner_id", "company_id", "value"}
    for path in connector.glob("*.csv"):
        rows = pd.read_csv(path, dtype="str", keep_default_na=False)
        for name in names & {*rows}:
            is_id = rows[name].str.fullmatch(r"\d+")
            rows[name] = rows[name].mask(is_id, rows[name] + ".0")
        rows.to_csv(path, index=False)
    found = run(connector, reading=Options(timezone="America/New_York")).team
    assert list(found.deals["deal_id"]) == ["31", "32", "33"]
    assert lines(found.stage_changes, "deal_id", "stage", "rep_id")[-2:] == [
        *("33 New 12", "33 Proposal 11"),
    ]
    assert found.stage_changes["entered_at"][0] == pd.Timestamp("2026-01-10 09:00")
    assert lines(found.deals, "deal_id", "account_id", "closed_on")[0] == "31 21 2026-02-01"


def test_a_deal_in_a_stage_before_its_create_date(api):
    change(api / "deals.csv", "2026-01-03T09:00:00.000Z,11", "2026-01-15T09:00:00.000Z,11")
    report = run(api)
    assert lines(report.team.deals, "deal_id", "created_on")[2] == "33 2026-01-03"
    assert (
        "deals.csv: deals in a stage before their create date: 1; they begin on the day they "
        "entered it" in report.decided
    )


def test_stages_by_the_ids_of_columns(tmp_path):
    """Signs of an id are gone in the name of its column, and a number stands behind."""
    deals = """\
hs_object_id,dealname,dealstage,createdate,hubspot_owner_id,hs_is_closed,hs_is_closed_won,hs_deal_stage_probability,hs_v2_date_entered_1f-2A,hs_v2_date_entered_3b_4c_77,hs_date_entered_987,closedate
1,One,1f-2A,2026-01-01,ann@x.com,false,false,0.2,2026-01-01T09:00:00Z,,,
2,Two,3b-4c,2026-01-02,ann@x.com,false,false,0.6,2026-01-02T09:00:00Z,2026-01-03T09:00:00Z,,
3,Three,987,2026-01-02,ann@x.com,true,true,1,2026-01-02T09:00:00Z,2026-01-03T09:00:00Z,2026-01-04T09:00:00Z,2026-01-04
"""
    report = run(write(tmp_path / "export", {"deals": deals}))
    assert lines(report.team.stage_changes, "deal_id", "stage") == [
        *("1 1f-2A", "2 1f-2A", "3 1f-2A", "2 3b-4c", "3 3b-4c"),
    ]
    said = "the open stages are 1f-2A, 3b-4c, by their probability; --stages states others"
    assert said in report.decided
    assert list(report.team.deals["outcome"].dropna()) == ["won"]


def test_nothing_tells_which_deals_are_closed_but_their_probability(tmp_path):
    deals = """\
Record ID,Deal Name,Deal Stage,Create Date,Deal owner,Close Date,Deal probability
1,One,Signed,2026-01-01,Ann Lee,2026-02-01,100%
2,Two,Gone,2026-01-02,Ann Lee,2026-02-02,0%
3,Three,Talking,2026-01-03,Ann Lee,2026-03-02,40%
"""
    report = run(write(tmp_path / "export", {"deals": deals}))
    assert lines(report.team.deals, "deal_id", "outcome") == ["1 won", "2 lost", "3 -"]
    assert "deals.csv: deals of 100 % or 0 %: 2; they count as won or lost" in report.decided
    assert "stage_changes" in report.unfilled_tables
    assert any(each.startswith("no history of stages in the export") for each in report.decided)
    (tmp_path / "export" / "deals.csv").write_text(deals.replace("%", ""))
    assert lines(run(tmp_path / "export").team.deals, "outcome") == ["won", "lost", "-"]


def test_amounts_in_several_currencies(api):
    header, *rows = API["deals"].splitlines()
    rows[0] += ",1000.5"
    rows = [*rows[:1], rows[1].replace("USD", "EUR") + ",600", *(row + "," for row in rows[2:])]
    path = api / "deals.csv"
    path.write_text("\n".join([header + ",amount_in_home_currency", *rows]) + "\n")
    change(api / "line_items.csv", "112,31,", "112,32,")
    report = run(api)
    assert report.team.settings.currency == "USD"
    assert lines(report.team.deals, "deal_id", "amount")[:2] == ["31 1000.5", "32 600.0"]
    assert (
        "deals.csv: deals in EUR, USD; amounts are those of amount_in_home_currency"
        in report.decided
    )
    said = "line_items.csv: lines in another currency: 1; their amounts are blank"
    assert said in report.decided
    assert lines(report.team.deal_lines, "deal_id", "net_amount")[1] == "32 -"
    path.write_text(API["deals"].replace("500,USD", "500,EUR"))
    with pytest.raises(salesnb.DataError, match="amounts in one currency"):
        run(api)


def test_a_close_date_still_ahead_gives_way_to_the_day_of_closing(api):
    change(api / "deals.csv", "USD,2026-02-10T12:00:00Z", "USD,2026-12-31T12:00:00Z")
    report = run(api)
    assert lines(report.team.deals, "deal_id", "closed_on")[1] == "32 2026-02-10"
    assert any("closed deals with a close date still ahead: 1" in each for each in report.decided)


def test_every_fault_is_said_at_once(api):
    change(api / "deals.csv", "contractsent,300,", "contractsent,many,")
    change(api / "deals.csv", "1769331600000", "soon")
    change(api / "calls.csv", "120000", "long")
    assert faults_of(api, stages=("New", "Demo", "Propsal", "Renewal")) == [
        "calls.csv, row 2, column hs_call_duration: found 'long', expected a number such as 1234.5, perhaps with a currency or a per cent sign",
        "deals.csv, row 4, column amount: found 'many', expected a number such as 1234.5, perhaps with a currency or a per cent sign, with a decimal point as '1000.5' shows",
        "deals.csv, row 3, column hs_v2_date_entered_presentationscheduled: found 'soon', expected a time such as 2026-06-30T09:15:00Z, from 1900 to 2100",
        "deals.csv, rows 2, 4, column stage_changes.stage: found 'Proposal', expected a stage of team.toml (nearest: 'Propsal')",
    ]


def test_what_no_import_can_do_without(tmp_path):
    bare = {"deals": "Deal Name,Deal Stage,Close Date\nOne,New,2026-01-02\n"}
    assert faults_of(write(tmp_path / "export", bare)) == [
        "deals.csv, column createdate: expected this column, by this name or its label",
        "deals.csv, column hubspot_owner_id or owner_name: expected this column, by this name or its label",
    ]
    (tmp_path / "export" / "deals.csv").write_text("a,b\n1,2\n")
    assert faults_of(tmp_path / "export") == [
        "deals: expected a table of this object, with dealname and dealstage"
    ]
    header, *rows = API["deals"].splitlines()
    (tmp_path / "export" / "deals.csv").write_text("\n".join([header, rows[3], rows[5]]))
    assert faults_of(tmp_path / "export") == [
        "deals.csv: found '1 archived, 1 without an owner', expected deals that are not left out"
    ]


def test_rows_that_repeat(api):
    path = api / "deals.csv"
    path.write_text(API["deals"] + API["deals"].splitlines()[1] + "\n")
    found = counts(run(api))["deals", "deals.csv"]
    assert found == (8, 4, {"the same as a row before": 1, **GONE})


def test_at_the_command_line(api):
    to = str(api.with_name("team"))
    more = ["--as-of", "2026-03-02", "--pipeline", "Sales"]
    done = CliRunner().invoke(cli.app, ["import", "hubspot", str(api), to, *more])
    assert done.exit_code == 0, done.output
    assert "HubSpot: as of 2026-03-02 (as stated)" in done.output
    assert "1 left out (of another pipeline)" in done.output


@pytest.fixture(scope="module")
def simulated():
    return exports.handed_over(seed=3)[0]


@pytest.mark.parametrize("history", ["columns", "deal_stage", "deal_property_history"])
def test_a_team_written_as_hubspot_exports_it_is_read_back(simulated, tmp_path, history):
    found = run(hubspot_shape.write(simulated, tmp_path / "export", history)).team
    changes = simulated.stage_changes
    if history == "columns":  # of a stage, the last visit only
        changes = changes.sort_values("entered_at").drop_duplicates(
            ["deal_id", "stage"], keep="last"
        )
        assert len(changes) < len(simulated.stage_changes)
    exports.must_be_read_back(found, simulated, stage_changes=changes)


test_a_broken_export_is_faults_or_a_team_with_every_row_counted = exports.broken(
    "hubspot",
    [API, CONNECTOR, LABELS, {"deals": GERMAN}],
    {*API, *CONNECTOR},
    *("31", "1767254400000", "1767254400"),
)
