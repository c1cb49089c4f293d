"""A team as HubSpot would export it: objects with API names, or a connector's tables."""

from pathlib import Path

import pandas as pd
from salesforce_shape import closings, day, stage_now

from salesnb.team import Team

CLOSED = {"won": "closedwon", "lost": "closedlost"}
OUTCOMES = {
    "held": "COMPLETED",
    "no_show": "NO_SHOW",
    "cancelled": "CANCELED",
    "rescheduled": "RESCHEDULED",
}
DISPOSITIONS = {
    "connected": "f240bbac-87c9-4f6e-bf70-924b57d47db7",
    "no_answer": "73a0d17f-1163-4015-bdd5-ec830791da20",
}
OBJECTS = ("deal", "company", "product", "line_item", "engagement_")
PLAIN = ("id", "engagement_id", "deal_id", "hubspot_owner_id", "pipeline", "dealstage", "archived")
CONNECTOR = {
    "dealstage": "deal_pipeline_stage_id",
    "pipeline": "deal_pipeline_id",
    "hubspot_owner_id": "owner_id",
    "archived": "_fivetran_deleted",
}


def write(team: Team, folder: Path, history: str) -> Path:
    """CSV files of the objects; `history` is what tells of stages: columns, or a table's name."""
    folder.mkdir()
    is_connector = history == "deal_stage"
    objects = {
        "owner": owners(team),
        "company": companies(team),
        "product": products(team),
        "deal_pipeline": pd.DataFrame({"pipeline_id": ["default"], "label": ["Sales"]}),
        "deal_pipeline_stage": stages(team),
        "deal": deals(team, with_columns=history == "columns"),
        "deal_property_history": fields(team, with_stages=history == "deal_property_history"),
        "line_item": lines(team),
        "engagement_meeting": meetings(team),
        "engagement_call": calls(team),
        "engagement_email": emails(team),
        "engagement_task": tasks(team),
        "roster": team.reps[["rep_id", "hired_on", "left_on", "role", "region"]],
    }
    if is_connector:
        objects = {**associated(objects), "deal_stage": stage_log(team)}
    for name, rows in objects.items():
        rows.to_csv(folder / f"{name}.csv", index=False)
    return folder


def associated(objects):
    """Ids of other objects in tables of their own, and names as a connector writes them."""
    names = [name for name in objects if name.startswith("engagement_")]
    pairs = {
        "deal_company": ("deal", "hs_object_id", "deal_id", "company_id"),
        "line_item_deal": ("line_item", "hs_object_id", "line_item_id", "deal_id"),
    }
    made = dict(objects)
    for table, (name, key, called, other) in pairs.items():
        rows = objects[name][[key, other]].dropna()
        made[table] = rows.rename(columns={key: called})
        made[name] = made[name].drop(columns=other)
    for other in ("deal_id", "company_id"):
        rows = pd.concat([objects[name][["hs_object_id", other]].dropna() for name in names])
        made[f"engagement_{other[:-3]}"] = rows.rename(columns={"hs_object_id": "engagement_id"})
    for name in names:
        made[name] = made[name].drop(columns=["deal_id", "company_id"])
        made[name] = made[name].rename(columns={"hs_object_id": "engagement_id"})
    for name in ("deal", "company", "product", "line_item", *names):
        made[name] = made[name].rename(
            columns=lambda column: CONNECTOR.get(
                column, column if column in PLAIN else f"property_{column}"
            )
        )
    return made


def owners(team):
    names = team.reps["name"].str.split(" ", n=1, expand=True)
    return pd.DataFrame(
        {
            "id": team.reps["rep_id"],
            "email": team.reps["rep_id"].str.lower() + "@example.com",
            "firstName": names[0],
            "lastName": names[1],
            "archived": team.reps["left_on"].notna(),
        }
    )


def companies(team):
    names = {
        "account_id": "id",
        "name": "name",
        "industry": "industry",
        "country": "country",
        "employees": "numberofemployees",
        "annual_revenue": "annualrevenue",
        "founded_year": "founded_year",
    }
    return team.accounts.rename(columns=names)[[*names.values()]]


def products(team):
    rows = team.products
    return pd.DataFrame(
        {
            "id": rows["product_id"],
            "name": rows["name"],
            "price": rows["list_price"],
            "hs_cost_of_goods_sold": rows["list_price"] * (1 - rows["margin_rate"]),
            "hs_product_type": rows["family"],
        }
    )


def stages(team):
    """In a muddled order, as only display_order tells the true one."""
    names = [*team.settings.stages, "Closed won", "Closed lost"]
    ids = [*map(stage_id, team.settings.stages), *CLOSED.values()]
    n = len(team.settings.stages)
    rows = pd.DataFrame(
        {
            "stage_id": ids,
            "label": names,
            "pipeline_id": "default",
            "display_order": range(n + 2),
            "probability": [*((k + 1) / (n + 1) for k in range(n)), 1.0, 0.0],
        }
    )
    return rows.sort_values("label", ascending=False)


def stage_id(name):
    return name.lower().replace(" ", "")


def deals(team, *, with_columns):
    rows = team.deals
    open_stage = stage_now(team).map(stage_id)
    first = team.stage_changes.groupby("deal_id")["entered_at"].min()
    found = pd.DataFrame(
        {
            "hs_object_id": rows["deal_id"],
            "dealname": "Deal " + rows["deal_id"],
            "pipeline": "default",
            "dealstage": rows["outcome"].map(CLOSED).fillna(open_stage),
            "amount": rows["amount"],
            "deal_currency_code": team.settings.currency,
            "closedate": day(rows["closed_on"].fillna(rows["expected_close_on"])) + "T12:00:00Z",
            "createdate": milliseconds(rows["deal_id"].map(first)),
            "hubspot_owner_id": rows["rep_id"],
            "company_id": rows["account_id"],
            "hs_analytics_source": rows["source"],
            "segment": rows["segment"],
            "competitor": rows["competitor"],
            "closed_lost_reason": rows["lost_reason"],
            "hs_lastmodifieddate": f"{team.as_of.date()}T20:00:00.000Z",
            "archived": False,
        }
    )
    if with_columns:
        log = stage_log(team).sort_values("date_entered")
        last = log.drop_duplicates(["deal_id", "value"], keep="last")
        for stage, rows in last.groupby("value"):
            entered = rows.set_index("deal_id")["date_entered"]
            found[f"hs_v2_date_entered_{stage}"] = found["hs_object_id"].map(entered)
    return found


def stage_log(team):
    """Every stage entered, closed ones too."""
    entered = team.stage_changes.assign(value=team.stage_changes["stage"].map(stage_id))
    entered = entered.rename(columns={"entered_at": "at"})
    ends = closings(team)
    rows = pd.concat([entered, ends.assign(value=ends["outcome"].map(CLOSED))])
    return pd.DataFrame(
        {"deal_id": rows["deal_id"], "value": rows["value"], "date_entered": iso(rows["at"])}
    ).sample(frac=1, random_state=1)


def fields(team, *, with_stages):
    """Values of properties over time: close dates, owners, and stages where they are asked for."""
    ends = closings(team)
    dates = team.close_date_changes.rename(columns={"changed_at": "at"})
    dates = pd.concat([dates, ends.assign(expected_close_on=ends["closed_on"])])
    dates = dates.assign(value=milliseconds(dates["expected_close_on"] + pd.Timedelta(hours=12)))
    owners = team.stage_changes.rename(columns={"entered_at": "at", "rep_id": "value"})
    now = team.deals.rename(columns={"rep_id": "value"})[["deal_id", "value"]]
    now["at"] = team.as_of + pd.Timedelta(hours=19)
    parts = {"closedate": dates, "hubspot_owner_id": pd.concat([owners, now])}
    rows = pd.concat([part.assign(name=name) for name, part in parts.items()])
    rows = rows.assign(timestamp=milliseconds(rows["at"]))
    if with_stages:
        log = stage_log(team).assign(name="dealstage")
        log["timestamp"] = milliseconds(pd.to_datetime(log["date_entered"]).dt.tz_localize(None))
        rows = pd.concat([rows, log])
    return rows[["deal_id", "name", "value", "timestamp"]].sample(frac=1, random_state=2)


def lines(team):
    rows = team.deal_lines
    return pd.DataFrame(
        {
            "hs_object_id": [f"L{n}" for n in range(len(rows))],
            "deal_id": rows["deal_id"],
            "hs_product_id": rows["product_id"],
            "name": "a line",
            "quantity": rows["quantity"],
            "price": rows["list_amount"] / rows["quantity"],
            "amount": rows["net_amount"],
        }
    )


def activities(team, kinds, **columns):
    """What all activities have; `columns` make more of their rows."""
    rows = team.activities[team.activities["kind"].isin(kinds)]
    common = {
        "hs_object_id": rows["activity_id"],
        "hubspot_owner_id": rows["rep_id"],
        "hs_timestamp": iso(rows["happens_at"]),
        "deal_id": rows["deal_id"],
        "company_id": rows["account_id"],
    }
    return pd.DataFrame({**common, **{name: make(rows) for name, make in columns.items()}})


def meetings(team):
    return activities(
        *(team, ["meeting", "demo"]),
        hs_meeting_title=lambda rows: rows["kind"].str.title() + " with the customer",
        hs_meeting_start_time=lambda rows: iso(rows["happens_at"]),
        hs_meeting_end_time=lambda rows: iso(
            rows["happens_at"] + pd.to_timedelta(rows["minutes"], unit="min")
        ),
        hs_meeting_outcome=lambda rows: rows["outcome"].map(OUTCOMES).fillna("SCHEDULED"),
        hs_createdate=lambda rows: iso(rows["booked_at"]),
        hs_meeting_body=lambda rows: rows["note"],
    )


def calls(team):
    return activities(
        *(team, ["call"]),
        hs_call_status=lambda rows: "COMPLETED",
        hs_call_disposition=lambda rows: rows["outcome"].map(DISPOSITIONS),
        hs_call_duration=lambda rows: rows["minutes"] * 60_000,
        hs_call_body=lambda rows: rows["note"],
    )


def emails(team):
    return activities(
        *(team, ["email"]),
        hs_email_subject=lambda rows: "Hello",
        hs_email_direction=lambda rows: "EMAIL",
        hs_email_status=lambda rows: "SENT",
        hs_email_text=lambda rows: rows["note"],
    )


def tasks(team):
    return activities(
        *(team, ["proposal"]),
        hs_task_subject=lambda rows: "Proposal",
        hs_task_type=lambda rows: "TODO",
        hs_task_status=lambda rows: "COMPLETED",
        hs_task_completion_date=lambda rows: iso(rows["happens_at"]),
        hs_task_body=lambda rows: rows["note"],
    )


def iso(times):
    return times.dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def milliseconds(times):
    return (times - pd.Timestamp(0)) // pd.Timedelta(milliseconds=1)
