"""A team in an engine: the same as from files, checked there, and no more of it read than asked."""

import os
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote_plus

import ibis
import pandas as pd
import pytest
from broken import BROKEN, GOOD, SOUND, write_good
from engines import PASSWORD, fill_duckdb, fill_postgres, fill_spark, program
from test_report import save

import salesnb
from salesnb import DataError, cli, database, dataset, door, metrics, schema, slices
from salesnb.errors import Fault
from salesnb.report import batch
from salesnb.report.plan import plan


@pytest.fixture(scope="session")
def saved(small, tmp_path_factory):
    """The small team in files."""
    return small.save(tmp_path_factory.mktemp("files") / "small")


@pytest.fixture(scope="session")
def duckdb_team(small, saved, tmp_path_factory):
    """The small team in a DuckDB file, with its settings beside it."""
    folder = tmp_path_factory.mktemp("duckdb")
    fill_duckdb(dict(small.tables), folder / "team.duckdb")
    for name in ("team.toml", "comp.toml"):
        (folder / name).write_bytes((saved / name).read_bytes())
    return f"duckdb://{folder}/team.duckdb"


@pytest.fixture(scope="session")
def postgres_team(small, saved, postgres):
    """The small team on a PostgreSQL server."""
    fill_postgres(small, postgres("team"))
    return f"{postgres('team')}?settings={saved}"


@pytest.fixture(scope="session")
def spark_team(saved):
    """The small team as views of a Spark session."""
    if program("java") is None:
        pytest.skip("needs Java: Debian's package openjdk-17-jre-headless")
    pytest.importorskip("pyspark", reason="needs PySpark: pip install 'salesnb[pyspark]'")
    fill_spark(saved)
    return f"spark://local?settings={saved}"


@pytest.fixture(params=["duckdb_team", "postgres_team", "spark_team"])
def stands(request, small):
    """An engine's address, and the same team from files."""
    return request.getfixturevalue(request.param), small


def answers(team):
    """A handful of findings in full."""
    yield metrics.overview(team).table
    yield salesnb.funnel.leaks(team).table
    yield salesnb.goals.attainment(team).table
    yield salesnb.pipeline.week_ahead(team, rep=team.reps["rep_id"][0]).table
    if team.settings.plans:
        yield salesnb.comp.payout(team, rep=team.reps["rep_id"][0]).table


def test_an_engine_holds_the_same_team_and_answers_to_the_cent(stands):
    address, files = stands
    team = salesnb.load(address)
    assert team.fingerprint == files.fingerprint
    for own, other in zip(answers(team), answers(files), strict=True):
        # Engines give rows in other orders, and sums of them may differ in their last digit.
        pd.testing.assert_frame_equal(own, other, rtol=1e-12, atol=0)


def test_an_engine_says_what_it_holds(stands):
    address, files = stands
    said = salesnb.check(address)
    rows = pd.DataFrame([dataset._extent(name, files) for name in files.tables])
    pd.testing.assert_frame_equal(said.table, rows.set_axis(list(said.table), axis=1))


@pytest.fixture
def crossed(monkeypatch):
    """The rows of every table that came out of an engine, by its columns."""
    seen = []
    read = door.numbered

    def watched(table):
        found = read(table)
        seen.append(found)
        return found

    monkeypatch.setattr(door, "numbered", watched)
    return seen


def test_of_a_region_nothing_else_is_read(stands, crossed):
    address, files = stands
    region = files.reps["region"][0]
    expected = files.only(regions=[region])
    team = salesnb.load(address, region=region)
    ids = set(expected.reps["rep_id"])
    assert 0 < len(ids) < len(files.reps)
    for name in set(files.tables) - {"accounts"}:
        assert team.digests[name] == expected.digests[name], name
    named = {*expected.deals["account_id"], *expected.activities["account_id"]}
    assert set(team.accounts["account_id"]) == named & set(files.accounts["account_id"])
    assert {rep for rows in crossed if "rep_id" in rows for rep in rows["rep_id"].dropna()} == ids
    deals = {deal for rows in crossed if "quantity" in rows for deal in rows["deal_id"]}
    assert deals <= set(expected.deals["deal_id"])


def test_reps_go_by_id_or_name_and_by_region_too(duckdb_team, small, saved):
    one, other = small.reps["rep_id"][:2]
    team = salesnb.load(duckdb_team, reps=[one, small.names[other]])
    assert list(team.reps["rep_id"]) == [one, other]
    assert salesnb.load(saved, reps=[one, other]).fingerprint == team.fingerprint
    region = small.reps["region"][0]
    assert list(salesnb.load(duckdb_team, reps=[one], region=region).reps["rep_id"]) == [one]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"reps": ["R99"]}, "There is no rep 'R99'"),
        ({"region": "Nowhere"}, "There is no region 'Nowhere'. Known: "),
        ({"since": "June"}, "since: found 'June', expected a day such as"),
    ],
)
def test_who_is_not_there_is_said_with_who_is(duckdb_team, asked, said):
    with pytest.raises(DataError, match=said):
        salesnb.load(duckdb_team, **asked)


def test_since_a_day_by_hand(tmp_path):
    """D1 and D2 were closed before March; D3 is open: it comes, with its history, whole."""
    folder = write_good(tmp_path / "team")
    changes = GOOD["stage_changes.csv"] + "D3,Qualify,2026-06-01T09:00:00Z\n"
    (folder / "stage_changes.csv").write_text(changes)
    team = salesnb.load(folder, since="2026-03-02")
    assert list(team.deals["deal_id"]) == ["D3"]
    assert list(team.stage_changes["deal_id"]) == ["D3"]
    assert list(team.accounts["account_id"]) == ["A1"]
    assert list(team.activities["activity_id"]) == ["X2"]
    assert list(team.reps["rep_id"]) == ["R1", "R2"]
    on_the_day = salesnb.load(folder, since="2026-03-01")
    assert list(on_the_day.deals["deal_id"]) == ["D2", "D3"]


def sql(dialect, name, asked):
    """What an engine would be asked for a table."""
    tables = {each: ibis.table(_columns(each), name=each) for each in schema.MODELS}
    return str(ibis.to_sql(slices.of(tables, asked)[name], dialect=dialect))


def _columns(name):
    types = {"text": "string", "number": "decimal(18, 2)", "time": "timestamp", "flag": "boolean"}
    return {c: types[schema.kind(model)] for c, model in schema.columns(name).items()}


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "pyspark", "snowflake", "bigquery"])
def test_filters_are_part_of_what_every_engine_is_asked(dialect):
    asked = slices.Slice(("R07",), pd.Timestamp("2026-01-01"))
    for name in schema.MODELS:
        said = sql(dialect, name, asked)
        follows = name in (*slices.OF_DEALS, "accounts") or "rep_id" in schema.columns(name)
        assert ("'R07'" in said) == follows, name
        assert ("2026" in said) == (name in {*slices.UNTIL, *slices.OF_DEALS, "accounts"}), name


def test_accounts_are_looked_up_in_one_list():
    """PostgreSQL goes through each of several lists for every row: minutes for 100 reps."""
    said = sql("postgres", "accounts", slices.Slice(("R07",)))
    assert (said.count(" IN (\n    SELECT"), said.count(" OR ")) == (1, 0), said


# What is wrong with a file rather than with its rows cannot be wrong in a database.
OF_ROWS = [
    case
    for case, (_, lines) in BROKEN.items()
    if not any(".csv" in line or ".parquet" in line or "{folder}" in line for line in lines)
]


def same(fault: Fault) -> Fault:
    """A fault without what tells its rows."""
    return replace(fault, rows=(), ids=())


def as_text(folder):
    """The tables of a folder as text, in a DuckDB file beside them."""
    raw, faults = door.read(folder)
    assert not faults
    fill_duckdb({name: table.astype("str") for name, table in raw.items()}, folder / "team.duckdb")
    return f"duckdb://{folder}/team.duckdb"


def touched(folder):
    """The files of the sound data set that are not what they were, and others."""
    return {
        path.name
        for path in folder.iterdir()
        if path.name not in GOOD or path.read_bytes() != GOOD[path.name].encode()
    } | {name for name in GOOD if not (folder / name).exists()}


def apart():
    """The cases, those of different files together: an engine then names the faults of all."""
    groups: list[tuple[set[str], list[str]]] = []
    for case in OF_ROWS:
        with TemporaryDirectory() as aside:
            folder = write_good(Path(aside) / "team")
            BROKEN[case][0](folder)
            files = touched(folder)
        for taken, cases in groups:
            # Without sound settings not every fault of the rows can be told.
            if not taken & files and ("team.toml" in files) == ("team.toml" in taken):
                taken |= files
                cases.append(case)
                break
        else:
            groups.append((files, [case]))
    return [cases for _, cases in groups]


@pytest.mark.parametrize("cases", apart(), ids=", ".join)
def test_the_same_faults_are_named_as_for_a_folder(tmp_path, cases):
    folder = write_good(tmp_path / "team")
    for case in cases:
        BROKEN[case][0](folder)
    with pytest.raises(DataError) as of_files:
        salesnb.load(folder)
    assert {*map(str, of_files.value.faults)} >= {line for c in cases for line in BROKEN[c][1]}
    with pytest.raises(DataError) as of_engine:
        salesnb.check(as_text(folder))
    assert {*map(same, of_engine.value.faults)} == {*map(same, of_files.value.faults)}


OF_CELLS = ("space around numbers and days", "accents as two characters", "a day with an hour")


@pytest.mark.parametrize("case", ["as it is", *OF_CELLS])
def test_what_looks_odd_but_is_sound_loads_as_the_same(tmp_path, case):
    folder = write_good(tmp_path / "team")
    original = salesnb.load(folder).fingerprint
    SOUND[case](folder)
    assert salesnb.load(as_text(folder)).fingerprint == original


def test_what_is_odd_about_a_file_does_not_reach_an_engine(tmp_path):
    good, _ = door.read(write_good(tmp_path / "good"))
    for case in {*SOUND} - {*OF_CELLS}:
        folder = write_good(tmp_path / case)
        SOUND[case](folder)
        for name, table in door.read(folder)[0].items():
            own, was = (each.reset_index(drop=True) for each in (table, good[name]))
            pd.testing.assert_frame_equal(own, was)


def test_only_the_rows_that_are_wrong_are_read(small, saved, tmp_path, crossed):
    deals = small.deals
    deals.loc[5, "outcome"] = "Lost"
    deals.loc[7, "rep_id"] = "R99"
    fill_duckdb({"reps": small.reps, "deals": deals}, tmp_path / "team.duckdb")
    (tmp_path / "team.toml").write_bytes((saved / "team.toml").read_bytes())
    with pytest.raises(DataError) as caught:
        salesnb.check(f"duckdb://{tmp_path}/team.duckdb")
    first, second = deals["deal_id"][[5, 7]]
    said = {str(fault) for fault in caught.value.faults}
    assert f"deals, row {second}, column rep_id: found 'R99', expected a rep_id of reps" in {
        line.partition(" (nearest")[0] for line in said
    }
    assert any(
        line.startswith(f"deals, row {first}, column outcome: found 'Lost'") for line in said
    )
    assert {id for rows in crossed if "deal_id" in rows for id in rows["deal_id"]} == {
        first,
        second,
    }


def test_faults_outside_a_slice_are_not_its_own(tmp_path):
    folder = write_good(tmp_path / "team")
    BROKEN["an outcome in capitals"][0](folder)  # of R2
    assert list(salesnb.load(folder, reps=["R1"]).deals["deal_id"]) == ["D1", "D3"]
    with pytest.raises(DataError, match="deals, row D2, column outcome: found 'Lost'"):
        salesnb.load(folder, reps=["R2"])


def test_capitals_and_views(small, tmp_path):
    """As Snowflake writes names; a view."""
    shout = {"DEALS": small.deals.rename(columns=str.upper)}
    fill_duckdb({**shout, "people": small.reps.assign(manager="Ann")}, tmp_path / "team.duckdb")
    con = ibis.duckdb.connect(tmp_path / "team.duckdb")
    con.con.execute("CREATE VIEW reps AS SELECT * FROM people")
    con.disconnect()
    (tmp_path / "own.toml").write_text(GOOD["team.toml"])
    team = salesnb.load(f"duckdb://{tmp_path}/team.duckdb", settings=tmp_path / "own.toml")
    assert list(team.deals) == list(small.deals)
    assert set(team.reps["manager"]) == {"Ann"}
    assert team.settings.name == "Demo"


def test_columns_beyond_the_schema_come_however_a_team_is_loaded(tmp_path):
    """A mark on every change of D1, as Pipedrive's import writes it, and a link on deals."""
    folder = write_good(tmp_path / "team")
    marked = {"stage_changes": "is_bulk", "deals": "crm_url"}
    for name, column in marked.items():
        header, *rows = GOOD[f"{name}.csv"].splitlines()
        rows = [f"{row},{'yes' if row.startswith('D1') else 'no'}" for row in rows]
        (folder / f"{name}.csv").write_text("\n".join([f"{header},{column}", *rows]))
    whole = salesnb.load(folder)
    assert list(whole.stage_changes["is_bulk"]) == ["yes", "yes", "no"]
    address = as_text(folder)
    assert salesnb.load(address).fingerprint == whole.fingerprint
    for source in (folder, address):
        part = salesnb.load(source, reps=["R1"])
        assert list(part.stage_changes["is_bulk"]) == ["yes", "yes"]
        assert list(part.deals["crm_url"]) == ["yes", "no"]


def test_a_file_instead_stands_in_a_slice_too_but_in_no_database(tmp_path):
    folder = write_good(tmp_path / "team")
    other = tmp_path / "other.csv"
    other.write_text(
        GOOD["deals.csv"].replace("D1,R1,A1,P1,2026-01-05,100", "D1,R1,A1,P1,2026-01-05,7")
    )
    instead = {"deals": other}
    for asked in ({}, {"reps": ["R1"]}, {"since": "2026-01-01"}):
        assert salesnb.load(folder, instead=instead, **asked).deals["amount"][0] == 7, asked
    with pytest.raises(DataError, match=r"instead.* is for a folder; team\.duckdb is a database"):
        salesnb.load(as_text(folder), instead=instead)


def test_what_a_slice_refers_to_is_looked_up_in_the_whole(tmp_path):
    """X2 of R2 is about a deal of R1, which is there; the account of D2 is nowhere."""
    folder = write_good(tmp_path / "team")
    activities = GOOD["activities.csv"].replace("10:00:00Z,D2,60", "10:00:00Z,D3,60")
    (folder / "activities.csv").write_text(activities)
    assert list(salesnb.load(folder, reps=["R2"]).activities["deal_id"]) == ["D3"]
    (folder / "deals.csv").write_text(GOOD["deals.csv"].replace("R2,A2", "R2,A9"))
    for source in (folder, as_text(folder)):
        salesnb.load(source, reps=["R1"])
        with pytest.raises(DataError, match="deals, row D2, column account_id: found 'A9'"):
            salesnb.load(source, reps=["R2"])


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("duckdb://nowhere.duckdb", "There is no database file"),
        ("postgres://sales@db/team", r"the tables do not say as_of.*\?settings=team.toml"),
        ("postgres://sales@db:team", "expected postgres://user@host/database"),
        ("mysql://sales@db/team", "There is no engine 'mysql'"),
    ],
)
def test_a_place_that_is_no_database(address, said):
    with pytest.raises(DataError, match=said):
        salesnb.load(address)


SECRETS = [
    "postgres://sales:hunter2@db/team",
    "postgres://sales:hunt/er2@db/team",
    "postgres://sales:hunt#er2@db/team",
    "postgres://sales:hunt?er2@db/team",
    "postgres://sales:1/er2@db/team",
    "postgres://sales@db/team?password=hunter2",
    "snowflake://sales@account/db?token=hunter2",
]


@pytest.mark.parametrize("address", SECRETS)
def test_an_address_with_a_secret_is_refused_and_not_repeated(address):
    with pytest.raises(DataError) as caught:
        database.address(address)
    assert "er2" not in str(caught.value)
    assert "password" in str(caught.value)


@pytest.mark.parametrize(
    "written",
    [
        "postgres://sales@db:5433/crm/public?sslmode=require&settings=/etc/team.toml",
        "bigquery://project/dataset?settings=/etc/team.toml",
        "spark://master:7077/sales?spark.executor.memory=2g&settings=/etc/team.toml",
        "duckdb:///srv/a%20b/team.duckdb?settings=/etc/team.toml&reps.region=North",
    ],
)
def test_an_address_is_read_as_it_is_written(written):
    found = database.address(written)
    assert str(found).replace("+", "%20") == written
    assert database.address(str(found)) == found


def test_a_part_is_that_of_the_folder(duckdb_team, small):
    region = small.reps["region"][0]
    address = door.part_of(duckdb_team, "region", region)
    assert salesnb.load(address).fingerprint == small.part("region", region).fingerprint
    assert door.name(address) == f"team.duckdb?region={quote_plus(region)}"


def test_three_strokes_may_stand_before_a_file_from_here(duckdb_team, monkeypatch):
    file = database.address(duckdb_team).path
    monkeypatch.chdir(file.removesuffix("team.duckdb"))
    for written in ("duckdb://team.duckdb", "duckdb:///team.duckdb", f"duckdb:///{file}"):
        assert database.address(written).path == file


def test_a_password_that_is_wrong_is_told_without_a_traceback(postgres_team, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    with pytest.raises(DataError, match=r"postgres://team: .*authentication failed") as caught:
        salesnb.load(postgres_team)
    assert "hunter2" not in str(caught.value)
    assert os.environ["PGPASSWORD"] != PASSWORD


def test_what_is_wrong_here_is_not_blamed_on_the_engine(duckdb_team, monkeypatch):
    monkeypatch.setattr(slices, "of", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        salesnb.load(duckdb_team)


def test_pages_are_made_from_a_database_and_do_not_say_where_it_is(postgres_team, small, tmp_path):
    count = ("import salesnb\nprint('Reps:', *salesnb.load(data).reps['rep_id'])", ["summary"])
    save(tmp_path / "nb", "01_team", count, parameters='data: str = ""  # where')
    with closing(batch.crew(postgres_team, "reports")) as crew:
        for status in ("made", "unchanged"):
            planned = crew.plan(postgres_team, tmp_path / "nb", tmp_path / "out")
            (told,) = batch.run(planned, ready=crew)
            assert told.status == status
    assert planned.data == small.fingerprint
    assert planned.sources == ""
    written = [path.read_text() for path in planned.folder.iterdir() if path.is_file()]
    assert any(" ".join(small.reps["rep_id"]) in text for text in written)
    assert len(written) == 3
    for text in written:
        assert "data=team" in text
        for secret in (PASSWORD, "sales@", "127.0.0.1"):
            assert secret not in text


def test_packs_find_their_part_in_a_database(duckdb_team, small, tmp_path):
    save(tmp_path / "nb", "01_team", ("1", []), parameters='data: str = ""  # where')
    packs = plan(duckdb_team, tmp_path / "nb", tmp_path / "out", by="region").packs
    addresses = [pack.jobs[0].values["data"] for pack in packs]
    parts = [database.address(address).part for address in addresses]
    assert parts == [{"region": region} for region in small.parts("region")]


def test_the_command_takes_an_address(duckdb_team, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["salesnb", "check", duckdb_team])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 0
    assert "no fault found" in capsys.readouterr().out
