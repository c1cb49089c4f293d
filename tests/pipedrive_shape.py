"""A team as Pipedrive would export it: objects with API names, or the lists of its interface."""

from pathlib import Path

import pandas as pd
from salesforce_shape import closings, day

from salesnb.team import Team

SUBJECTS = {
    "no_show": "No show: ",
    "cancelled": "Canceled: ",
    "rescheduled": "Rescheduled: ",
    "connected": "Connected: ",
    "no_answer": "No answer: ",
}
TYPES = {"email": "email", "proposal": "send_proposal", "demo": "product_demo"}
PIPELINE = 1
LABELS = {
    "id": "Deal - ID",
    "title": "Deal - Title",
    "value": "Deal - Value",
    "currency": "Deal - Currency",
    "status": "Deal - Status",
    "owner_name": "Deal - Owner",
    "org_name": "Deal - Organization",
    "stage_name": "Deal - Stage",
    "add_time": "Deal - Deal created",
    "update_time": "Deal - Update time",
    "stage_change_time": "Deal - Last stage change",
    "won_time": "Deal - Won time",
    "lost_time": "Deal - Lost time",
    "lost_reason": "Deal - Lost reason",
    "expected_close_date": "Deal - Expected close date",
    "probability": "Deal - Probability",
    "origin": "Deal - Source origin",
    "segment": "Deal - Segment",
    "competitor": "Deal - Competitor",
}


def write(team: Team, folder: Path, reopened: pd.DataFrame) -> Path:
    """CSV files of the objects by API names; what is custom in Pipedrive has a plain name.

    `reopened` has the deals that were lost on a day, and opened again on another.
    """
    objects = {
        "users": users(team),
        "organizations": organizations(team),
        "products": products(team),
        "stages": stages(team),
        "pipelines": pd.DataFrame({"id": [PIPELINE], "name": "Sales", "order_nr": 1}),
        "deals": deals(team),
        "deal_flow": flow(team, reopened),
        "deal_products": lines(team),
        "activities": activities(team),
        "activity_types": pd.DataFrame(
            {"key_string": ["send_proposal"], "name": "Proposal sent", "icon_key": "x"}
        ),
        "roster": team.reps[["rep_id", "hired_on", "left_on", "role", "region"]],
    }
    return _save(objects, folder)


def write_labels(team: Team, folder: Path) -> Path:
    """CSV files of the lists of deals and organizations, with their labels in English."""
    names = team.accounts.set_index("account_id")["name"]
    rows = deals(team).assign(
        owner_name=team.deals["rep_id"].map(team.reps.set_index("rep_id")["name"]).to_numpy(),
        org_name=team.deals["account_id"].map(names).to_numpy(),
        stage_name=stage_now(team).to_numpy(),
        probability=stage_now(team).map(share_of(team)).to_numpy(),
    )
    companies = team.accounts.rename(
        columns={
            "account_id": "Organization - ID",
            "name": "Organization - Name",
            "industry": "Organization - Industry",
        }
    )
    companies = companies[["Organization - ID", "Organization - Name", "Organization - Industry"]]
    return _save({"deals-1-1": rows[[*LABELS]].rename(columns=LABELS), "orgs": companies}, folder)


def _save(objects, folder):
    folder.mkdir()
    for name, rows in objects.items():
        rows.to_csv(folder / f"{name}.csv", index=False)
    return folder


def users(team):
    reps = team.reps
    return pd.DataFrame(
        {
            "id": reps["rep_id"],
            "name": reps["name"],
            "email": reps["rep_id"].str.lower() + "@example.com",
            "active_flag": reps["left_on"].isna(),
        }
    )


def organizations(team):
    names = {
        "account_id": "id",
        "name": "name",
        "industry": "industry",
        "country": "address_country",
        "employees": "employee_count",
        "annual_revenue": "annual_revenue",
        "founded_year": "founded_year",
    }
    rows = team.accounts.rename(columns=names)[[*names.values()]]
    return rows.assign(people_count=1, active_flag=True)


def products(team):
    names = {
        "product_id": "id",
        "name": "name",
        "family": "category",
        "list_price": "prices.0.price",
    }
    return team.products.rename(columns=names)[[*names.values()]].assign(code="", unit="", tax=0)


def stages(team):
    names = list(team.settings.stages)
    return pd.DataFrame(
        {
            "id": range(11, 11 + len(names)),
            "name": names,
            "order_nr": range(len(names)),
            "pipeline_id": PIPELINE,
            "is_deleted": False,
        }
    ).iloc[::-1]


def id_of(team):
    return stages(team).set_index("name")["id"].astype("str")


def share_of(team):
    names = team.settings.stages
    return {name: 10 + 80 * n / len(names) for n, name in enumerate(names)}


def stage_now(team):
    changes = team.stage_changes.sort_values("entered_at")
    last = changes.drop_duplicates("deal_id", keep="last").set_index("deal_id")["stage"]
    return team.deals["deal_id"].map(last)


def last_move(team):
    """When each deal last came into another stage than it was in."""
    rows = team.stage_changes.sort_values(["deal_id", "entered_at"])
    is_same = rows["stage"] == rows.groupby("deal_id")["stage"].shift()
    return rows[~is_same].groupby("deal_id")["entered_at"].max()


def deals(team):
    rows = team.deals
    entered = team.stage_changes.groupby("deal_id")["entered_at"]
    closed = closings(team).set_index("deal_id")["at"]
    closed = rows["deal_id"].map(closed)
    return pd.DataFrame(
        {
            "id": rows["deal_id"],
            "title": "Deal " + rows["deal_id"],
            "value": rows["amount"],
            "currency": team.settings.currency,
            "status": rows["outcome"].fillna("open"),
            "owner_id": rows["rep_id"],
            "org_id": rows["account_id"],
            "pipeline_id": PIPELINE,
            "stage_id": stage_now(team).map(id_of(team)),
            "add_time": stamp(rows["deal_id"].map(entered.min())),
            "update_time": f"{team.as_of.date()} 20:00:00",
            "stage_change_time": stamp(rows["deal_id"].map(last_move(team))),
            "won_time": stamp(closed.where(rows["outcome"] == "won")),
            "first_won_time": stamp(closed.where(rows["outcome"] == "won")),
            "lost_time": stamp(closed.where(rows["outcome"] == "lost")),
            "close_time": stamp(closed),
            "lost_reason": rows["lost_reason"],
            "expected_close_date": day(rows["expected_close_on"]),
            "origin": rows["source"],
            "segment": rows["segment"],
            "competitor": rows["competitor"],
            "is_deleted": False,
        }
    )


def flow(team, reopened):
    """Every change with what was before, the newest first."""
    changes = team.stage_changes.rename(columns={"entered_at": "at"})
    changes = changes.assign(new=changes["stage"].map(id_of(team)))
    dates = team.close_date_changes.rename(columns={"changed_at": "at"})
    dates = dates.assign(new=day(dates["expected_close_on"]))
    end = team.as_of + pd.Timedelta(hours=19)
    now = team.deals[["deal_id"]].assign(at=end, new=team.deals["rep_id"])
    owners = pd.concat([changes.assign(new=changes["rep_id"])[["deal_id", "at", "new"]], now])
    closed = closings(team)[["deal_id", "at", "outcome"]].rename(columns={"outcome": "new"})
    begun = now.assign(at=pd.Timestamp("2000-01-01"), new="open")
    closed = changed(pd.concat([begun, *spells(team, reopened), closed]))
    rows = pd.concat(
        [
            closed.assign(field_key="status"),
            changed(changes).assign(field_key="stage_id"),
            changed(dates).assign(field_key="expected_close_date"),
            changed(owners).assign(field_key="owner_id"),
        ]
    ).sort_values("at", ascending=False, kind="stable")
    return pd.DataFrame(
        {
            "id": range(len(rows), 0, -1),
            "item_id": rows["deal_id"].to_numpy(),
            "user_id": "R01",
            "field_key": rows["field_key"].to_numpy(),
            "old_value": rows["old"].to_numpy(),
            "new_value": rows["new"].to_numpy(),
            "log_time": stamp(rows["at"]).to_numpy(),
        }
    )


def spells(team, reopened):
    """The loss that was superseded, and the opening at the next entry of a stage."""
    entries = team.stage_changes.merge(reopened, on="deal_id")
    entries = entries[entries["entered_at"] >= entries["reopened_on"]]
    again = entries.sort_values("entered_at").drop_duplicates("deal_id")
    lost = again.assign(at=again["entered_at"] - pd.Timedelta(days=1), new="lost")
    columns = ["deal_id", "at", "new"]
    return lost[columns], again.assign(at=again["entered_at"], new="open")[columns]


def changed(rows):
    rows = rows.sort_values(["deal_id", "at"], kind="stable")
    old = rows.groupby("deal_id")["new"].shift()
    return rows.assign(old=old)[old.notna() & (old != rows["new"])]


def lines(team):
    rows = team.deal_lines
    return pd.DataFrame(
        {
            "id": range(len(rows)),
            "deal_id": rows["deal_id"],
            "product_id": rows["product_id"],
            "item_price": rows["list_amount"] / rows["quantity"],
            "quantity": rows["quantity"],
            "sum": rows["net_amount"],
            "is_enabled": True,
        }
    )


def activities(team):
    rows = team.activities
    is_booked = rows["kind"].isin(["meeting", "demo"])
    happens, at = rows["happens_at"], rows["happens_at"].dt.strftime("%H:%M:%S")
    is_done = ~is_booked | (rows["outcome"] == "held")
    return pd.DataFrame(
        {
            "id": rows["activity_id"],
            "type": rows["kind"].map(TYPES).fillna(rows["kind"]),
            "subject": rows["outcome"].map(SUBJECTS).fillna("") + "the customer",
            "done": is_done.astype(int),
            "due_date": day(happens),
            "due_time": at.where(is_booked),
            "duration": rows["minutes"].map(spent, na_action="ignore"),
            "add_time": stamp(rows["booked_at"]),
            "marked_as_done_time": stamp(happens.where(is_done & ~is_booked)),
            "deal_id": rows["deal_id"],
            "org_id": rows["account_id"],
            "owner_id": rows["rep_id"],
            "note": rows["note"],
        }
    )


def spent(minutes):
    return f"{int(minutes) // 60:02}:{int(minutes) % 60:02}"


def stamp(times):
    return times.dt.strftime("%Y-%m-%d %H:%M:%S")
