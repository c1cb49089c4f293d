"""A team as Salesforce would export it: objects with API names."""

from pathlib import Path

import pandas as pd

from salesnb.team import Team

PROBABILITY = {"Qualification": 10, "Discovery": 20, "Demo": 40, "Proposal": 60, "Negotiation": 80}
CLOSED = {"won": "Closed Won", "lost": "Closed Lost"}
SUBJECTS = {"no_show": "Meeting", "cancelled": "Canceled: ", "rescheduled": "Rescheduled: "}
RESULTS = {"connected": "Connected", "no_answer": "No Answer"}


def write(team: Team, folder: Path, history: str = "OpportunityHistory") -> Path:
    """CSV files of the objects; `history` is the object that tells of stages."""
    folder.mkdir()
    objects = {
        "User": users(team),
        "Account": accounts(team),
        "Product2": team.products.rename(
            columns={"product_id": "Id", "name": "Name", "family": "Family"}
        )[["Id", "Name", "Family"]],
        "Opportunity": opportunities(team),
        "OpportunityLineItem": lines(team),
        "Task": tasks(team),
        "Event": events(team),
        "roster": team.reps[["rep_id", "hired_on", "left_on", "role", "region"]],
        "OpportunityFieldHistory": owner_history(team),
    }
    if history == "OpportunityHistory":
        objects[history] = saves(team)
    else:
        objects[history] = pd.concat([objects[history], field_history(team)])
    for name, rows in objects.items():
        rows.to_csv(folder / f"{name}.csv", index=False)
    return folder


def users(team):
    reps = team.reps
    return pd.DataFrame(
        {
            "Id": reps["rep_id"],
            "Name": reps["name"],
            "Email": reps["rep_id"].str.lower() + "@example.com",
            "IsActive": reps["left_on"].isna(),
        }
    )


def accounts(team):
    names = {
        "account_id": "Id",
        "name": "Name",
        "industry": "Industry",
        "country": "BillingCountry",
        "employees": "NumberOfEmployees",
        "annual_revenue": "AnnualRevenue",
        "founded_year": "YearStarted",
    }
    return team.accounts.rename(columns=names)[[*names.values()]]


def stage_now(team):
    changes = team.stage_changes.sort_values("entered_at")
    last = changes.drop_duplicates("deal_id", keep="last").set_index("deal_id")["stage"]
    deals = team.deals
    return deals["outcome"].map(CLOSED).fillna(deals["deal_id"].map(last))


def opportunities(team):
    deals = team.deals
    first = team.stage_changes.groupby("deal_id")["entered_at"].min()
    stage = stage_now(team)
    return pd.DataFrame(
        {
            "Id": deals["deal_id"],
            "Name": "Deal " + deals["deal_id"],
            "AccountId": deals["account_id"],
            "OwnerId": deals["rep_id"],
            "StageName": stage,
            "Probability": stage.map(PROBABILITY).fillna((stage == "Closed Won") * 100),
            "Amount": deals["amount"],
            "LeadSource": deals["source"],
            "Segment__c": deals["segment"],
            "MainCompetitors__c": deals["competitor"],
            "Loss_Reason__c": deals["lost_reason"],
            "CreatedDate": iso(deals["deal_id"].map(first)),
            "CloseDate": day(deals["closed_on"].fillna(deals["expected_close_on"])),
            "IsClosed": deals["outcome"].notna(),
            "IsWon": deals["outcome"] == "won",
            "IsDeleted": False,
            "CurrencyIsoCode": team.settings.currency,
            "LastModifiedDate": f"{team.as_of.date()}T20:00:00.000+0000",
        }
    )


def lines(team):
    rows = team.deal_lines
    return pd.DataFrame(
        {
            "Id": [f"L{n}" for n in range(len(rows))],
            "OpportunityId": rows["deal_id"],
            "Product2Id": rows["product_id"],
            "Quantity": rows["quantity"],
            "ListPrice": rows["list_amount"] / rows["quantity"],
            "TotalPrice": rows["net_amount"],
        }
    )


def saves(team):
    """A row for every change of stage, of close date and of outcome, with what then held."""
    stages = team.stage_changes.rename(columns={"entered_at": "at"})[["deal_id", "at", "stage"]]
    dates = team.close_date_changes.rename(columns={"changed_at": "at", "expected_close_on": "on"})
    rows = pd.concat([stages, dates]).groupby(["deal_id", "at"], as_index=False).last()
    rows = rows.sort_values(["deal_id", "at"])
    rows[["stage", "on"]] = rows.groupby("deal_id")[["stage", "on"]].ffill()
    won = closings(team).rename(columns={"closed_on": "on"})
    rows = pd.concat([rows, won[["deal_id", "at", "stage", "on"]]])
    return pd.DataFrame(
        {
            "Id": [f"H{n}" for n in range(len(rows))],
            "OpportunityId": rows["deal_id"].to_numpy(),
            "StageName": rows["stage"].to_numpy(),
            "CloseDate": day(rows["on"]).to_numpy(),
            "Probability": rows["stage"].map(PROBABILITY).to_numpy(),
            "CreatedById": "R01",
            "CreatedDate": iso(rows["at"]).to_numpy(),
        }
    ).sample(frac=1, random_state=1)


def closings(team):
    closed = team.deals.dropna(subset="outcome")
    logs = [
        table.groupby("deal_id")[column].max()
        for table, column in (
            (team.stage_changes, "entered_at"),
            (team.close_date_changes, "changed_at"),
        )
    ]
    last = pd.concat(logs, axis=1).max(axis=1)
    at = closed["deal_id"].map(last) + pd.Timedelta(minutes=1)
    at = at.where(at > closed["closed_on"], closed["closed_on"] + pd.Timedelta(hours=20))
    return closed.assign(at=at, stage=closed["outcome"].map(CLOSED))


def field_history(team):
    """Stage and close date, each with what was before."""
    closed = closings(team)
    stages = team.stage_changes.rename(columns={"entered_at": "at", "stage": "NewValue"})
    stages = pd.concat([stages, closed[["deal_id", "at"]].assign(NewValue=closed["stage"])])
    dates = team.close_date_changes.rename(columns={"changed_at": "at"})
    dates = dates.assign(NewValue=day(dates["expected_close_on"]))
    dates = pd.concat([dates, closed[["deal_id", "at"]].assign(NewValue=day(closed["closed_on"]))])
    tables = [changed(stages, "StageName"), changed(dates, "CloseDate")]
    return pd.concat(tables)


def owner_history(team):
    """Whoever owned the deal at its stages, and who owns it now; by id and by name."""
    stages = team.stage_changes.rename(columns={"entered_at": "at", "rep_id": "NewValue"})
    now = team.deals[["deal_id"]].assign(
        at=team.as_of + pd.Timedelta(hours=19), NewValue=team.deals["rep_id"]
    )
    ids = changed(pd.concat([stages[["deal_id", "at", "NewValue"]], now]), "Owner")
    names = team.reps.set_index("rep_id")["name"]
    by_name = ids.assign(OldValue=ids["OldValue"].map(names), NewValue=ids["NewValue"].map(names))
    return pd.concat([ids, by_name])


def changed(rows, field):
    rows = rows.sort_values(["deal_id", "at"], kind="stable")
    old = rows.groupby("deal_id")["NewValue"].shift()
    rows = rows.assign(OldValue=old)[old.notna() & (old != rows["NewValue"])]
    return pd.DataFrame(
        {
            "OpportunityId": rows["deal_id"],
            "Field": field,
            "OldValue": rows["OldValue"],
            "NewValue": rows["NewValue"],
            "CreatedById": "R01",
            "CreatedDate": iso(rows["at"]),
        }
    )


def tasks(team):
    rows = team.activities[team.activities["kind"].isin(["call", "email", "proposal"])]
    return pd.DataFrame(
        {
            "Id": rows["activity_id"],
            "OwnerId": rows["rep_id"],
            "WhatId": rows["deal_id"].fillna(rows["account_id"]),
            "AccountId": rows["account_id"],
            "Subject": rows["kind"].str.title(),
            "Status": "Completed",
            "IsClosed": True,
            "Type": rows["kind"].map({"proposal": "Proposal"}),
            "TaskSubtype": rows["kind"].map({"call": "Call", "email": "Email"}).fillna("Task"),
            "Description": rows["note"],
            "ActivityDate": day(rows["happens_at"]),
            "CompletedDateTime": iso(rows["happens_at"]),
            "CallDisposition": rows["outcome"].map(RESULTS),
            "CallDurationInSeconds": rows["minutes"] * 60,
        }
    )


def events(team):
    rows = team.activities[team.activities["kind"].isin(["meeting", "demo"])]
    return pd.DataFrame(
        {
            "Id": rows["activity_id"],
            "OwnerId": rows["rep_id"],
            "WhatId": rows["deal_id"].fillna(rows["account_id"]),
            "AccountId": rows["account_id"],
            "Subject": rows["outcome"].map(SUBJECTS).fillna("") + " with the customer",
            "Type": rows["kind"].str.title(),
            "Description": rows["note"],
            "StartDateTime": iso(rows["happens_at"]),
            "DurationInMinutes": rows["minutes"],
            "CreatedDate": iso(rows["booked_at"]),
            "IsChild": False,
            "No_Show__c": rows["outcome"] == "no_show",
        }
    )


def iso(times):
    return times.dt.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def day(times):
    return times.dt.strftime("%Y-%m-%d")
