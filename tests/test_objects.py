"""Which object of a CRM a table is: by API names, connectors' names and labels in five languages."""

# ruff: noqa: E501  a header is easier to judge on one line

import tomllib
from pathlib import Path

import pandas as pd
import pytest

from salesnb import DataError
from salesnb.importers import exported, objects
from salesnb.importers.exported import RawTable

CONNECTORS = {
    "salesforce": {
        "sf_account_data": "Account",
        "sf_account_history_data": "AccountVersions",
        "sf_contact_data": "Contact",
        "sf_contact_history_data": "ContactVersions",
        "sf_event_data": "Event",
        "sf_lead_data": "Lead",
        "sf_opportunity_data": "Opportunity",
        "sf_opportunity_history_data": "OpportunityVersions",
        "sf_opportunity_line_item_data": "OpportunityLineItem",
        "sf_order_data": "Order",
        "sf_product_2_data": "Product2",
        "sf_task_data": "Task",
        "sf_user_data": "User",
        "sf_user_role_data": "UserRole",
    },
    "hubspot": {
        "company_data": "companies",
        "deal_data": "deals",
        "owner_data": "owners",
        **{
            f"{name}_data": name
            for name in (
                *("deal_company", "deal_pipeline", "deal_pipeline_stage", "deal_property_history"),
                *("deal_stage", "engagement", "engagement_call", "engagement_communication"),
                *("engagement_company", "engagement_contact", "engagement_deal"),
                *("engagement_email", "engagement_meeting", "engagement_note", "engagement_task"),
            )
        },
    },
}


@pytest.mark.parametrize("vendor", CONNECTORS)
def test_every_table_of_a_connector_is_recognised(vendor, connector_source):
    export = exported.read(connector_source / vendor)
    assert not export.faults
    found, others = objects.recognise(vendor, export.tables)
    assert {each.table.name: each.object for each in found} == CONNECTORS[vendor]
    assert not others


def test_the_columns_of_a_connector_have_their_api_names(connector_source):
    found, _ = objects.recognise("hubspot", exported.read(connector_source / "hubspot").tables)
    deals = next(each for each in found if each.object == "deals")
    assert deals.columns["dealname"] == "property_dealname"
    assert deals.columns["dealstage"] == "deal_pipeline_stage_id"
    assert deals.columns["hs_object_id"] == "deal_id"


def table(header, name="report1"):
    columns = [column.strip() for column in header.split(",")]
    return RawTable(name, f"{name}.csv", pd.DataFrame(columns=columns, dtype="str"), Path())


def seen(vendor, header, name="report1"):
    found, others = objects.recognise(vendor, [table(header, name)])
    return found[0].object if found else str(others[0])


SALESFORCE = {
    "Id,AccountId,Name,StageName,Amount,CloseDate,IsWon,OwnerId,CreatedDate": "Opportunity",
    "Opportunity ID,Opportunity Name,Stage,Close Date,Amount,Opportunity Owner": "Opportunity",
    "Opportunity-Name,Phase,Schlusstermin,Betrag,Opportunity-Inhaber,Account-Name": "Opportunity",
    "Nom de l'opportunité,Étape,Date de clôture,Montant,Nom du compte": "Opportunity",
    "Nombre de la oportunidad,Etapa,Fecha de cierre,Importe,Propietario de oportunidad": "Opportunity",
    "Lehetőség neve,Szakasz,Záró dátum,Összeg,Cégnév": "Opportunity",
    "Opportunity Name,Stage,Close Date,Account Name,Industry": "Opportunity",
    "Id,OpportunityId,StageName,Amount,CloseDate,Probability,CreatedById,CreatedDate": "OpportunityHistory",
    "opportunity_id,stage_name,amount,close_date,created_by_id,created_date": "OpportunityHistory",
    "Id,OpportunityId,Field,OldValue,NewValue,CreatedById,CreatedDate": "OpportunityFieldHistory",
    "Opportunity Name,Edited By,Field / Event,Old Value,New Value,Edit Date": "OpportunityFieldHistory",
    "Opportunity Name,Amount,Probability (%),From Stage,To Stage,Stage Duration,Close Date,Last Modified": "OpportunityHistoryReport",
    "Id,WhoId,WhatId,OwnerId,Subject,Status,ActivityDate,CompletedDateTime,TaskSubtype": "Task",
    "Subject,Due Date,Status,Priority,Assigned": "Task",
    "Id,WhatId,OwnerId,Subject,StartDateTime,EndDateTime,IsChild": "Event",
    "Id,Name,Email,IsActive,ManagerId,UserRoleId": "User",
    "Full Name,Username,Email,Active,Role": "User",
    "Id,Name,Industry,NumberOfEmployees,AnnualRevenue,BillingCountry": "Account",
    "Account-Name,Branche,Mitarbeiter,Account-Inhaber": "Account",
    "Id,Name,ProductCode,Family,IsActive": "Product2",
    "Id,OpportunityId,Product2Id,Quantity,UnitPrice,ListPrice,TotalPrice": "OpportunityLineItem",
    "QuotaOwnerId,QuotaAmount,StartDate": "ForecastingQuota",
    "Id,Name,DeveloperName,SobjectType,IsActive": "RecordType",
    "Név,Belépés dátuma,Kilépés dátuma,Munkakör,Régió": "roster",
    "Mitarbeiter,Eintrittsdatum,Austrittsdatum,Gebiet": "roster",
    "rep,hired_on,left_on,role,region": "roster",
    "Nombre,Fecha de contratación,Fecha de baja,Puesto": "roster",
    "Nom,Date d'embauche,Date de départ,Poste": "roster",
}  # fmt: skip
HUBSPOT = {
    "hs_object_id,dealname,dealstage,pipeline,amount,closedate,createdate,hubspot_owner_id": "deals",
    'Record ID,Deal Name,Deal Stage,Pipeline,Amount,Close Date,"Date entered ""Demo"""': "deals",
    "Datensatz-ID,Deal-Name,Deal-Phase,Pipeline,Betrag,Abschlussdatum": "deals",
    "ID d'enregistrement,Nom de la transaction,Phase de la transaction,Date de fermeture": "deals",
    "ID de registro,Nombre del negocio,Etapa del negocio,Fecha de cierre,Importe": "deals",
    "id,email,firstName,lastName,userId,archived": "owners",
    "Record ID,Company name,Industry,Number of Employees,Annual Revenue": "companies",
    "hs_object_id,hs_meeting_title,hs_meeting_start_time,hs_meeting_end_time,hs_meeting_outcome": "engagement_meeting",
    "hs_object_id,hs_call_title,hs_call_duration,hs_call_status,hs_call_disposition": "engagement_call",
    "deal_id,name,value,timestamp": "deal_property_history",
    "id,label,displayOrder,metadata.isClosed,metadata.probability,archived": "deal_pipeline_stage",
    "pipelineId,label,displayOrder": "deal_pipeline",
    "hs_object_id,name,price,hs_cost_of_goods_sold,hs_sku": "products",
    "hs_object_id,hs_product_id,name,quantity,price,amount": "line_items",
    "line_item_id,deal_id": "line_item_deal",
    "deal_id,merged_deal_id,category": "merged_deal",
    "hs_object_id,email,firstname,lastname,lifecyclestage,associatedcompanyid": "contacts",
    "Record ID,Call Title,Call duration,Call outcome,Activity date,Activity assigned to": "engagement_call",
    "Record ID,Task Title,Task Type,Task Status,Due date,Assigned to": "engagement_task",
    "Record ID,Email subject,Email direction,Email send status,Activity date": "engagement_email",
    "Record ID,Note body,Activity date": "engagement_note",
    "engagement_id,hs_meeting_outcome,hs_timestamp,deal_id,hubspot_owner_id": "engagement_meeting",
}  # fmt: skip
PIPEDRIVE = {
    "id,title,value,currency,status,owner_id,pipeline_id,stage_id,add_time,won_time": "deals",
    "Deal - ID,Deal - Title,Deal - Owner,Deal - Stage,Deal - Status,Deal - Value": "deals",
    "Deal - Titel,Deal - Besitzer,Deal - Phase,Deal - Status,Deal - Wert": "deals",
    "id,item_id,user_id,field_key,old_value,new_value,log_time,is_bulk_update_flag": "flow",
    "id,type,subject,done,due_date,due_time,duration,deal_id,owner_id": "activities",
    "Activity - Type,Activity - Subject,Activity - Due date,Activity - Done": "activities",
    "id,name,order_nr,pipeline_id,days_to_rotten": "stages",
    "id,name,order_nr,is_deal_probability_enabled": "pipelines",
    "id,name,email,active_flag,is_admin": "users",
    "id,name,people_count,open_deals_count,owner_id,address": "organizations",
    "id,name,code,unit,tax,prices": "products",
    "deal_id,product_id,name,item_price,quantity,sum": "deal_products",
    "Deal - Title,Deal - Status,Deal - Value,Organization - Name,Person - Name,Person - Email": "deals",
    "Affaire - Titre,Affaire - Statut,Affaire - Valeur,Affaire - Affaire créée": "deals",
    "Negocio - Título,Negocio - Estado,Negocio - Valor,Negocio - Negocio creado el": "deals",
    "deal_id,field_key,old_value,new_value,actor_user_id,time,change_source": "flow",
    "object,timestamp,data__item_id,data__field_key,data__old_value,data__new_value": "flow",
    "deal_id,change_time,changed_field_key,new_value": "flow",
    "Activity - Type,Activity - Subject,Activity - Due date,Deal - Title,Deal - Status,Deal - Value,Person - Name": "activities",
    "id,key_string,name,icon_key,order_nr,is_custom_flag": "activity_types",
    "id,name,first_name,org_id,email,phone,owner_id": "persons",
    "Person - ID,Person - Name,Person - Organization,Person - Email - Work": "persons",
    "Organization - ID,Organization - Name,Organization - Address,Organization - People": "organizations",
}  # fmt: skip
ALL = [
    (vendor, header, name)
    for vendor, known in {
        "salesforce": SALESFORCE,
        "hubspot": HUBSPOT,
        "pipedrive": PIPEDRIVE,
    }.items()
    for header, name in known.items()
]


@pytest.mark.parametrize(("vendor", "header", "expected"), ALL)
def test_a_table_is_known_by_its_columns(vendor, header, expected):
    assert seen(vendor, header) == expected
    assert seen(vendor, header.upper(), "something else") == expected


def test_labels_lead_to_api_names():
    found, _ = objects.recognise(
        "salesforce", [table("Opportunity-Name,Phase,Schlusstermin,Betrag")]
    )
    assert found[0].columns == {
        "Name": "Opportunity-Name",
        "StageName": "Phase",
        "CloseDate": "Schlusstermin",
        "Amount": "Betrag",
    }


def test_the_vendors_own_name_wins_over_a_label():
    found, _ = objects.recognise("salesforce", [table("Stage,StageName,CloseDate,Name")])
    assert found[0].columns["StageName"] == "StageName"


def test_the_file_may_settle_what_columns_leave_open():
    header = "engagement_id,hs_timestamp,type"
    assert "may be engagement_c" in seen("hubspot", header, "export")
    assert seen("hubspot", header, "engagement_communication_data") == "engagement_communication"
    assert seen("hubspot", header, "calls") == "engagement_call"


def test_an_unknown_table_is_named_with_what_it_lacks():
    said = seen("salesforce", "Opportunity Name,Stage,Amount,Owner", "pipeline")
    assert said == "pipeline.csv: nearest to Opportunity, which needs CloseDate too"
    assert seen("salesforce", "colour,weight") == "report1.csv: like nothing known"
    with pytest.raises(DataError, match=r"no vendor 'salesfroce'. Did you mean 'salesforce'"):
        objects.recognise("salesfroce", [])


@pytest.mark.parametrize("path", sorted(objects.ALIASES.glob("*.toml")), ids=lambda path: path.stem)
def test_alias_tables_name_only_columns_that_they_list(path):
    """Every column that tells an object is listed, and no name belongs to two columns alike."""
    for name, said in tomllib.loads(path.read_text(encoding="utf-8")).items():
        assert set(said) <= {"files", "needs", "lacks", "marks", "columns"}
        used = [*said.get("lacks", ()), *said.get("marks", ())]
        used += [c for need in said["needs"] for c in ([need] if isinstance(need, str) else need)]
        assert set(used) <= set(said["columns"]), name
        folded = [
            (objects.fold(alias), column)
            for column, aliases in said["columns"].items()
            for alias in dict.fromkeys(map(objects.fold, [column, *aliases]))
        ]
        twice = {alias for alias, _ in folded if sum(alias == other for other, _ in folded) > 1}
        assert not twice - {objects.fold(column) for column in said["columns"]}, (name, twice)
