"""Team: the tables at hand, an earlier day, fewer people, saved and loaded again."""

import pickle
from dataclasses import replace

import pandas as pd
import pytest

import salesnb
from salesnb import DataError, metrics, schema
from salesnb.errors import unknown
from salesnb.settings import Settings
from salesnb.team import Team, of
from salesnb.visits import settled

SETTINGS = Settings(as_of=pd.Timestamp("2026-06-30"), stages=("Qualify", "Demo"))
REPS = pd.DataFrame(
    {
        "rep_id": ["R1", "R2", "R3"],
        "name": ["Őry Ágnes", "Bob", "Bob"],
        "hired_on": ["2024-01-01", "2025-01-01", "2026-05-01"],
        "left_on": [None, "2026-04-30", None],
        "region": ["North", "South", "South"],
    }
)
DEALS = pd.DataFrame(
    {
        "deal_id": ["won", "moved", "late"],
        "rep_id": ["R1", "R3", "R1"],
        "created_on": ["2026-01-01", "2026-01-01", "2026-05-01"],
        "expected_close_on": ["2026-03-01", "2026-09-01", "2026-08-01"],
        "closed_on": ["2026-03-01", None, None],
        "outcome": ["won", None, None],
    }
)
CHANGES = pd.DataFrame(
    {
        "deal_id": ["won", "moved", "moved"],
        "stage": ["Qualify", "Qualify", "Demo"],
        "entered_at": ["2026-01-01T09:00Z", "2026-01-02T09:00Z", "2026-05-10T09:00Z"],
        "rep_id": ["R1", "R2", "R3"],
    }
)
MOVED = pd.DataFrame(
    {
        "deal_id": ["moved", "moved"],
        "changed_at": ["2026-01-01T09:00Z", "2026-05-01T09:00Z"],
        "expected_close_on": ["2026-04-01", "2026-09-01"],
    }
)
BOOKED = pd.DataFrame(
    {
        "activity_id": ["past", "ahead", "unlogged"],
        "rep_id": ["R1", "R1", "R1"],
        "kind": ["meeting", "meeting", "call"],
        "booked_at": ["2026-01-05T09:00Z", "2026-01-05T09:00Z", None],
        "happens_at": ["2026-01-10T09:00Z", "2026-02-10T09:00Z", "2026-02-10T09:00Z"],
        "outcome": ["held", "no_show", "connected"],
        "note": ["good", "nobody came", "spoke"],
    }
)


@pytest.fixture
def team():
    tables = {"reps": REPS, "deals": DEALS, "stage_changes": CHANGES, "activities": BOOKED}
    return of(SETTINGS, {**tables, "close_date_changes": MOVED})


def deal(team, deal_id):
    return team.deals.set_index("deal_id").loc[deal_id]


def test_tables_are_attributes_and_a_lacking_one_is_empty(team):
    assert len(team.reps) == 3
    assert team.quotas.empty
    assert list(team.quotas) == ["rep_id", "starts_on", "ends_on", "amount"]
    assert team.has("reps", "deals")
    assert not team.has("quotas")
    assert "stage_changes" in dir(team)
    with pytest.raises(AttributeError, match="no table 'quota'"):
        team.quota  # noqa: B018


def test_nobody_can_change_a_team(team):
    before = team.fingerprint
    deals = team.deals
    deals["amount"] = 1.0
    deals.loc[0, "rep_id"] = "R3"
    team.reps.drop(columns="name")
    assert Team(team.settings, team.tables).fingerprint == before
    with pytest.raises(TypeError):
        team.tables["deals"] = deals


def test_need_names_what_is_lacking_and_what_it_would_hold(team):
    with pytest.raises(DataError) as error:
        team.need("quotas", "goals", "deals", why="attainment")
    assert [fault.table for fault in error.value.faults] == ["quotas", "goals"]
    said = (
        "Attainment needs tables this data set does not have: quotas (rep_id, starts_on, ends_on,"
    )
    assert str(error.value).startswith(said)
    then = "Import them from your CRM or fill them by hand, the columns in brackets in every row"
    assert then in str(error.value)
    assert "`salesnb import --template FOLDER` writes all tables empty" in str(error.value)


def test_at_drops_what_came_later(team):
    then = team.at("2026-02-01")
    assert then.as_of == pd.Timestamp("2026-02-01")
    assert set(then.deals["deal_id"]) == {"won", "moved"}
    assert pd.isna(deal(then, "won")["outcome"])
    assert pd.isna(deal(then, "won")["closed_on"])
    assert then.reps["left_on"].isna().all()
    assert len(then.stage_changes) == 2


def test_at_knows_a_close_on_the_day_itself(team):
    assert deal(team.at("2026-03-01"), "won")["outcome"] == "won"
    assert pd.isna(deal(team.at("2026-02-28"), "won")["outcome"])


def test_at_gives_an_open_deal_to_its_owner_of_the_day(team):
    assert deal(team.at("2026-05-09"), "moved")["rep_id"] == "R2"
    assert deal(team.at("2026-05-10"), "moved")["rep_id"] == "R3"


def test_at_knows_the_close_date_of_the_day(team):
    assert deal(team.at("2026-02-01"), "moved")["expected_close_on"] == pd.Timestamp("2026-04-01")
    assert deal(team.at("2026-02-01"), "won")["expected_close_on"] == pd.Timestamp("2026-03-01")
    later = MOVED.assign(changed_at="2026-05-01T09:00Z").iloc[1:]
    only_later = of(SETTINGS, {"reps": REPS, "deals": DEALS, "close_date_changes": later})
    assert pd.isna(deal(only_later.at("2026-02-01"), "moved")["expected_close_on"])


def test_at_keeps_a_booking_but_not_how_it_went(team):
    then = team.at("2026-01-20").activities.set_index("activity_id")
    assert set(then.index) == {"past", "ahead"}
    assert then.loc["past", "outcome"] == "held"
    assert pd.isna(then.loc["ahead", "outcome"])
    assert pd.isna(then.loc["ahead", "note"])
    assert then.loc["ahead", "happens_at"] == pd.Timestamp("2026-02-10 09:00")


def test_at_leaves_the_team_as_it_was(team):
    team.at("2026-03-15")
    assert team.reps["left_on"].notna().sum() == 1


def test_at_the_day_of_export_is_the_team_itself(team):
    assert team.at("2026-06-30") is team
    with pytest.raises(DataError, match="2026-07-01 lies after the export"):
        team.at("2026-07-01")


def test_only_keeps_the_rows_of_some_people(team):
    assert set(team.only(reps=["R1"]).deals["deal_id"]) == {"won", "late"}
    assert set(team.only(regions=["South"]).reps["rep_id"]) == {"R2", "R3"}
    assert team.only(reps=["Őry Ágnes"]).reps["rep_id"].to_list() == ["R1"]
    # The earlier owner of a deal that changed hands is not on this smaller team.
    assert pd.isna(team.only(reps=["R3"]).stage_changes["rep_id"]).to_list() == [True, False]


def test_only_and_rep_name_who_was_perhaps_meant(team):
    with pytest.raises(DataError, match=r"no rep 'R11'\. Did you mean 'R1'"):
        team.only(reps=["R11"])
    with pytest.raises(DataError, match=r"no region 'Sauth'\. Did you mean 'South'"):
        team.only(regions=["Sauth"])
    with pytest.raises(DataError, match="2 reps are called 'Bob'"):
        team.rep("Bob")


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_save_and_load_again(team, tmp_path, form):
    for n, each in enumerate([team, team.only(reps=["R3"]), team.at("2026-02-01")]):
        folder = each.save(tmp_path / f"{n}", format=form)
        assert salesnb.load(folder).fingerprint == each.fingerprint


def test_save_writes_over_nothing(team, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious.txt").write_text("mine")
    with pytest.raises(DataError, match="exists already"):
        team.save(tmp_path / "full")
    with pytest.raises(DataError, match="no format 'exel'"):
        team.save(tmp_path / "new", format="exel")
    assert [p.name for p in tmp_path.iterdir()] == ["full"]


def test_the_fingerprint_is_of_the_rows_in_any_order(team):
    turned = {name: table.iloc[::-1] for name, table in team.tables.items()}
    assert Team(team.settings, turned).fingerprint == team.fingerprint
    less = {**team.tables, "deals": team.deals.iloc[:2]}
    assert Team(team.settings, less).fingerprint != team.fingerprint
    later = replace(team.settings, as_of=pd.Timestamp("2026-07-01"))
    assert Team(later, team.tables).fingerprint != team.fingerprint


def test_a_team_can_be_sent_to_another_process(team):
    assert pickle.loads(pickle.dumps(team)).fingerprint == team.fingerprint


def test_every_table_may_be_empty():
    empty = of(SETTINGS, {name: schema.empty(name) for name in schema.MODELS})
    assert empty.at("2026-01-01").only(reps=[]).deals.empty


def test_the_dates_that_order_history_are_columns_of_their_tables():
    for table, column in schema.DATED_BY.items():
        assert column in schema.columns(table)
    for table, known in schema.KNOWN_ON.items():
        assert {c for k, v in known.items() for c in (k, *v)} <= set(schema.columns(table))
    for table, past in schema.PAST.items():
        assert set(past) <= set(schema.columns(table))


def test_at_does_not_know_people_and_products_that_came_later(team):
    assert "R3" not in set(team.at("2026-04-01").reps["rep_id"])
    assert "R3" in set(team.at("2026-05-10").reps["rep_id"])
    products = pd.DataFrame(
        {"product_id": ["old", "new"], "name": "x", "launched_on": ["2020-01-01", "2026-05-01"]}
    )
    claims = pd.DataFrame(
        {"differentiator_id": ["1", "2"], "product_id": ["old", "new"], "claim": "x"}
    )
    tables = {"reps": REPS, "deals": DEALS, "products": products, "differentiators": claims}
    then = of(SETTINGS, tables).at("2026-04-01")
    assert then.products["product_id"].to_list() == ["old"]
    assert then.differentiators["differentiator_id"].to_list() == ["1"]


@pytest.mark.parametrize("day", ["June", "2026", "today", "0001-01-01", "2026-02-30", "2999-01-01"])
def test_what_is_no_day_is_refused(small, day):
    with pytest.raises(DataError, match=f"found '{day}', expected a day such as 2026-06-30"):
        small.at(day)
    with pytest.raises(DataError, match="as_of: found"):
        salesnb.simulate(as_of=day)


def test_known_names_are_listed_once_and_what_is_left_out_is_counted():
    said = str(unknown("rep", "zzz", [*"ab", *"ab"]))
    assert said.endswith("Known: a, b.")
    said = str(unknown("rep", "zzz", [f"R{n:02}" for n in range(48)]))
    assert said.endswith("R39 and 8 more.")


def test_a_rep_nobody_knows_is_told_each_rep_once(small):
    with pytest.raises(DataError) as caught:
        small.rep("zzzzzz")
    for rep_id, name in small.names.items():
        assert str(caught.value).count(f"{rep_id} ({name})") == 1


def test_a_lacking_table_is_said_under_the_verbs_name(small):
    bare = Team(small.settings, {"reps": small.reps, "deals": small.deals})
    with pytest.raises(DataError, match=r"^funnel\.leaks needs a table this data set"):
        bare.need("stage_changes", why="funnel.leaks")
    with pytest.raises(DataError, match=r"^Looking back needs a table"):
        bare.need("coaching", why="looking back")


def test_namesakes_are_told_apart_by_id(small):
    reps = small.reps.assign(name=["Ann", "Ann", *small.reps["name"][2:]])
    names = Team(small.settings, {**small.tables, "reps": reps}).names
    assert names["R01"] == "Ann (R01)" and names["R02"] == "Ann (R02)"
    assert names["R03"] == small.names["R03"]


def test_days_that_are_made_up_are_said_and_not_counted(tmp_path):
    team = of(replace(SETTINGS, is_dated=False), {"reps": REPS, "deals": DEALS})
    with pytest.raises(DataError, match=r"metrics.trend needs the days .* are made up") as caught:
        metrics.trend(team)
    assert [fault.table for fault in caught.value.faults] == ["days of deals"]
    assert team.deals["created_on"].notna().all(), "the table stays as it is"
    assert settled(team)["created_on"].isna().all(), "but no verb counts days from it"
    assert not salesnb.load(team.save(tmp_path / "team")).settings.is_dated
    assert "The days of deals are made up." in salesnb.check(tmp_path / "team").caveats
