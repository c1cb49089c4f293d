"""Loading: sound data as it is written, broken data with every fault named, nothing in between."""

import shutil
import sys

import numpy as np
import pandas as pd
import pytest
from broken import BROKEN, GOOD, SOUND, write_good
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import salesnb
from salesnb import DataError, cells, schema
from salesnb.door import whole
from salesnb.errors import SHOWN
from salesnb.settings import Settings
from salesnb.team import Team, of

SETTINGS = Settings(as_of=pd.Timestamp("2026-06-30"))


@pytest.fixture
def folder(tmp_path):
    return write_good(tmp_path / "team")


@pytest.mark.parametrize("case", BROKEN)
def test_every_fault_is_named(folder, case):
    breaks, expected = BROKEN[case]
    breaks(folder)
    with pytest.raises(DataError) as caught:
        salesnb.load(folder)
    said = [str(fault) for fault in caught.value.faults]
    assert said == [line.replace("{folder}", str(folder)) for line in expected]
    assert str(caught.value).startswith(f"{len(said)} fault")


AT_THE_COMMAND_LINE = [
    "a required file is missing",
    "a folder instead of a file",
    "Latin-2",
    "not TOML",
    "a damaged Parquet file",
    "everything at once",
]


@pytest.mark.parametrize("case", AT_THE_COMMAND_LINE)
def test_at_the_command_line_a_fault_is_a_message(folder, case, monkeypatch, capsys):
    from salesnb import cli

    BROKEN[case][0](folder)
    monkeypatch.setattr(sys, "argv", ["salesnb", "check", str(folder)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    out, err = capsys.readouterr()
    assert left.value.code == 2
    assert "expected" in err
    assert "Traceback" not in out + err


@pytest.mark.parametrize("case", SOUND)
def test_what_looks_odd_but_is_sound_loads_as_the_same(folder, tmp_path, case):
    original = salesnb.load(write_good(tmp_path / "original"))
    SOUND[case](folder)
    assert salesnb.load(folder).fingerprint == original.fingerprint


def test_a_sound_set_is_read_as_written(folder):
    team = salesnb.load(folder)
    assert list(team.reps["name"]) == ["Őry Ágnes", "Bob 😀"]
    assert team.accounts["industry"][1] == 'medical, "other" care'
    assert team.activities["note"][0] == "two\nlines"
    assert list(team.stage_changes["entered_at"].dt.hour) == [9, 10, 0]
    assert team.deals["amount"].isna().sum() == 1
    assert {str(dtype) for dtype in team.deals.dtypes} == {"str", "float64", "datetime64[us]"}


def test_a_header_alone_is_an_empty_table(folder):
    (folder / "quotas.csv").write_text("rep_id,starts_on,ends_on,amount\n")
    team = salesnb.load(folder)
    assert team.has("quotas")
    assert list(team.quotas.columns) == list(schema.columns("quotas"))
    assert len(team.quotas) == 0


def test_numbers_as_ids_stay_whole(folder):
    long = [2**53 + 1, 2**53 + 3]
    (folder / "accounts.csv").unlink()
    pd.DataFrame({"account_id": pd.array([*long, 1], dtype="Int64")}).to_parquet(
        folder / "accounts.parquet"
    )
    for account, number in zip(("A1", "A2"), long, strict=True):
        text = (folder / "deals.csv").read_text()
        (folder / "deals.csv").write_text(text.replace(account, str(number)))
    team = salesnb.load(folder)
    assert list(team.accounts["account_id"]) == [*map(str, long), "1"]
    assert team.deals["account_id"].isin(team.accounts["account_id"]).all()


def test_a_very_long_value_is_kept_and_a_long_wrong_one_is_shortened(folder):
    note = "x" * 100_000
    text = (folder / "activities.csv").read_text()
    (folder / "activities.csv").write_text(text.replace("ahead", note))
    assert salesnb.load(folder).activities["note"][1] == note
    (folder / "activities.csv").write_text(text.replace("meeting", note))
    with pytest.raises(DataError) as caught:
        salesnb.load(folder)
    assert len(str(caught.value)) < 300


def test_thousands_of_wrong_values_hide_no_other_fault(folder):
    rows = [f"E{n},R1,A1,P1,{n % 28 + 1}/12/2025,{n}.0.0,,\n" for n in range(5000)]
    (folder / "deals.csv").write_text(GOOD["deals.csv"] + "".join(rows) + "E1,R9,,,,,,\n")
    with pytest.raises(DataError) as caught:
        salesnb.load(folder)
    faults = caught.value.faults
    assert len(faults) < SHOWN
    assert {fault.column for fault in faults} == {"deal_id", "rep_id", "created_on", "amount"}
    days = [fault for fault in faults if "12/2025" in fault.value]
    assert sum(len(fault.rows) for fault in days) == 5000
    assert "18 more values such as 11/12/2025" in str(days[-1])


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("nowhere/teem", "There is no folder"),
        ("team/deals.csv", "is a file; expected the folder that holds the tables"),
        ("oracle://db/team", "There is no engine 'oracle'. Known: duckdb, postgres"),
    ],
)
def test_a_place_that_is_no_data_set(folder, wanted, message):
    place = wanted if "://" in wanted else folder.parent / wanted
    with pytest.raises(DataError, match=message):
        salesnb.load(place)


def test_a_misspelt_folder_names_the_nearest(folder):
    with pytest.raises(DataError, match=r"Did you mean '.*team'"):
        salesnb.load(folder.parent / "taem")


@pytest.mark.parametrize(
    ("kind", "written", "meant"),
    [
        ("time", "2026/06/30", "2026-06-30"),
        ("time", "2026. 6. 3.", "2026-06-03"),
        ("time", "30.06.2026 14:00", "2026-06-30"),
        ("time", "06/30/2026", "2026-06-30"),
        ("time", "05/05/2026", "2026-05-05"),
        ("time", "05/06/2026", ""),
        ("time", "31/31/2026", ""),
        ("time", "46203", "2026-06-30"),
        ("time", "soon", ""),
        ("number", "$1,234.00", "1234.00"),
        ("number", "1.234.567,89 €", "1234567.89"),
        ("number", "1 234,50 Ft", "1234.50"),
        ("number", "-12,5", "-12.5"),
        ("number", "1,234", ""),
        ("number", "1,234,567", "1234567"),
        ("number", "12 %", ""),
        ("number", "(500)", ""),
        ("number", "about 3", "3"),
        ("number", "N/A", ""),
        ("flag", "maybe", ""),
    ],
)
def test_a_guess_is_made_only_where_there_is_one_reading(kind, written, meant):
    assert cells.meant(kind, written) == meant


@settings(max_examples=30, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_mutated_set_loads_or_says_why(tmp_path_factory, data):
    """Bytes cut out, put in, moved and repeated: a team or a `DataError`, nothing else."""
    folder = write_good(tmp_path_factory.mktemp("mutated"))
    for _ in range(data.draw(st.integers(1, 4))):
        path = folder / data.draw(st.sampled_from(sorted(GOOD)))
        path.write_bytes(_mutated(path.read_bytes(), data))
    try:
        assert isinstance(salesnb.load(folder), Team)
    except DataError as error:
        assert all(fault.expected for fault in error.faults)
    finally:
        shutil.rmtree(folder)


def _mutated(content: bytes, data: st.DataObject) -> bytes:
    at, to = sorted(data.draw(st.tuples(*[st.integers(0, len(content))] * 2)))
    piece = data.draw(
        st.one_of(
            st.sampled_from(
                [b"", b'"', b",", b"\n", b"\r", b"\0", b"\xff", b";", b" ", b"[", b"="]
            ),
            st.sampled_from(
                [b"NULL", b"-1", b"1e999", b"9999-12-31", b"0001-01-01", b"nan", b"\xef\xbb\xbf"]
            ),
            st.binary(max_size=4),
            st.text(max_size=6).map(lambda text: text.encode(errors="replace")),
            st.just(content[at:to]),
        )
    )
    keep = data.draw(st.booleans())
    return content[:at] + piece + content[at if keep else min(to, at + 12) :]


NAMES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8
)
TRICKY = [
    "Ő",
    "=1",
    '"',
    "a,b",
    ";",
    "two\nlines",
    "cr\rhere",
    "both\r\n",
    " s ",
    "😀",
    "-",
    "1,5",
    "'",
]


@settings(max_examples=12, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    names=st.lists(st.one_of(NAMES, st.sampled_from(TRICKY)), min_size=1, max_size=6),
    amounts=st.lists(st.floats(0, 1e300), min_size=6, max_size=6),
    times=st.lists(
        st.datetimes(pd.Timestamp("1950-01-01"), pd.Timestamp("2026-06-30")), min_size=6, max_size=6
    ),
)
@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_what_is_saved_is_what_is_loaded(tmp_path_factory, format, names, amounts, times):
    n = len(names)
    reps = pd.DataFrame({"rep_id": [f"R{i}" for i in range(n)], "name": names})
    deals = reps[["rep_id"]].assign(
        deal_id=reps["rep_id"], created_on=times[:n], amount=amounts[:n], lost_reason=names[::-1]
    )
    calls = deals[["rep_id", "deal_id"]].assign(
        activity_id=deals["deal_id"], kind="call", happens_at=times[:n], note=names
    )
    try:
        team = of(SETTINGS, {"reps": reps, "deals": deals, "activities": calls})
    except DataError:
        return  # a name such as "NULL", or of white space alone
    folder = tmp_path_factory.mktemp("saved") / "team"
    team.save(folder, format=format)
    loaded = salesnb.load(folder)
    assert loaded.fingerprint == team.fingerprint
    for name, table in team.tables.items():
        pd.testing.assert_frame_equal(loaded.tables[name], table)


def test_the_same_team_from_csv_and_from_parquet(small, tmp_path):
    csv = salesnb.load(small.save(tmp_path / "csv", format="csv"))
    parquet = salesnb.load(small.save(tmp_path / "parquet", format="parquet"))
    assert csv.fingerprint == parquet.fingerprint == small.fingerprint


def test_traits_of_every_type_survive_csv(tmp_path):
    accounts = pd.DataFrame(
        {
            "account_id": ["A1", "A2", "A3"],
            "plan": pd.Categorical(["x", "y", None]),
            "is_partner": [True, False, True],
            "score": [1.5, np.nan, 2],
            "tier": [1, 2, 3],
        }
    )
    reps = pd.DataFrame({"rep_id": ["R1"], "name": ["Ann"]})
    deals = pd.DataFrame({"deal_id": ["D1"], "rep_id": ["R1"], "created_on": ["2026-01-01"]})
    team = of(SETTINGS, {"reps": reps, "deals": deals, "accounts": accounts})
    loaded = salesnb.load(team.save(tmp_path / "csv", format="csv"))
    pd.testing.assert_frame_equal(loaded.accounts, team.accounts)


def test_a_save_that_fails_leaves_nothing(folder, tmp_path, monkeypatch):
    team = salesnb.load(folder)
    written = []

    def full(table, path, **kwargs):
        written.append(path)
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        path.write_bytes(b"half")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", full)
    with pytest.raises(DataError, match="No space left on device"):
        team.save(tmp_path / "out" / "team")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError, ZeroDivisionError])
def test_a_replacement_that_is_stopped_leaves_the_old_one(tmp_path, stop):
    place = tmp_path / "place"
    place.mkdir()
    (place / "old").touch()
    with pytest.raises((stop, DataError)), whole(place, replace=True) as aside:
        (aside / "new").touch()
        raise stop
    assert [path.name for path in place.iterdir()] == ["old"]
    with whole(place, replace=True) as aside:
        (aside / "new").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["place", "new"]


def test_a_stage_may_be_entered_on_the_day_before_by_another_clock(folder):
    text = GOOD["stage_changes.csv"].replace("2026-01-05T09:00:00Z", "2026-01-04T00:30:00Z")
    (folder / "stage_changes.csv").write_text(text)
    assert salesnb.load(folder).stage_changes["entered_at"].min().day == 4


def test_who_has_nothing_on_record_lately_is_named(tmp_path):
    reps = pd.DataFrame(
        {
            "rep_id": ["busy", "gone", "left", "calls", "new"],
            "name": ["Ann", "Bo", "Cy", "Di", "Ed"],
            "hired_on": ["2020-01-01"] * 4 + ["2026-05-01"],
            "left_on": [None, None, "2025-01-01", None, None],
        }
    )
    deals = pd.DataFrame({"rep_id": ["busy", "gone", "left", "calls"], "deal_id": list("1234")})
    deals = deals.assign(created_on=["2026-06-01", *["2024-01-01"] * 3], amount="1")
    calls = pd.DataFrame({"activity_id": ["A1"], "rep_id": ["calls"], "kind": ["call"]})
    tables = {"reps": reps, "deals": deals, "activities": calls.assign(happens_at="2026-03-01")}
    said = salesnb.check(of(SETTINGS, tables).save(tmp_path / "team")).caveats
    assert [line.partition(" in the last")[0] for line in said if "on record" in line] == [
        "Nothing is on record of Bo"
    ]
