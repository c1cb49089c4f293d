"""From text columns to typed values: what people write, decided column by column."""

import datetime as dt
import json
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent
from hypothesis import given, settings
from hypothesis import strategies as st

from salesnb import DataError
from salesnb.importers import amounts, days, values
from salesnb.importers.columns import Columns
from salesnb.importers.exported import RawTable
from salesnb.importers.values import Options


def column(*cells, name="C"):
    return pd.Series(cells, range(2, len(cells) + 2), name=name, dtype="str")


def rows_of(faults):
    return sorted(row for fault in faults for row in fault.rows)


def plain(series):
    return [None if pd.isna(value) else value for value in series]


NUMBERS = {
    ("$1,234.00", "$5.5"): [1234, 5.5],
    ("1 234,50 Ft", "7 Ft"): [1234.5, 7],
    ("1\u202f234,50 €", "1\xa0000,00 €"): [1234.5, 1000],
    ("€ 1.234,5",): [1234.5],
    ("(123.45)", "-3", "5.00-", "−2"): [-123.45, -3, -5, -2],
    ("-$5.00", "$-5.00"): [-5, -5],
    ("1,234", "2,5"): [1.234, 2.5],
    ("1,234", "2.5"): [1234, 2.5],
    ("1.234.567", "2.000"): [1234567, 2000],
    ("1'234.50 CHF", "1’000"): [1234.5, 1000],
    ("1,23,456.00",): [123456],
    ("45 %", "3,5%", "0"): [0.45, 0.035, 0],
    ("Fr. 5.–", "Fr. 6.-"): [5, 6],
    ("1.5E+06", "2"): [1.5e6, 2],
    ("0.125", "1.500"): [0.125, 1.5],
    ("1234.567",): [1234.567],
    ('=HYPERLINK("https://x";"12")', '="0013"'): [12, 13],
    ("", "NULL", "N/A", "-", "#N/A", "\\N", "(blank)", " "): [None] * 8,
}


@pytest.mark.parametrize("cells", NUMBERS)
def test_numbers(cells):
    found = amounts.numbers(column(*cells), "d.csv")
    assert not found.faults, [str(fault) for fault in found.faults]
    assert plain(found.values) == pytest.approx(NUMBERS[cells], nan_ok=True)


WRONG_NUMBERS = {
    ("abc", "1,2,3", "--5", "(5", "10 apples", "=A1+B1", "1,23 456.0"): [2, 3, 4, 5, 6, 7, 8],
    ("1,234.50", "1.234,50", "2.5"): [3],
    ("45 %", "3"): [3],
    ("5 USD", "6 EUR", "7 EUR"): [2],
    ("=SUM(A1:A2)", "1"): [2],
}


@pytest.mark.parametrize("cells", WRONG_NUMBERS)
def test_what_is_no_number_is_a_fault_of_its_row(cells):
    found = amounts.numbers(column(*cells), "d.csv")
    wrong = rows_of(found.faults)
    assert wrong == WRONG_NUMBERS[cells]
    assert list(found.values.index[found.values.isna()]) == wrong


def test_what_was_decided_is_said():
    found = amounts.numbers(column("1 234,50 Ft", "7"), "d.csv")
    assert found.said == ("C: decimal comma, as '1 234,50' shows", "C: amounts in HUF")
    assert amounts.numbers(column("1", "2"), "d.csv").said == ()
    found = amounts.numbers(column("45%", "N/A", "N/A"), "d.csv")
    assert found.said == ("C: per cent read as shares, 45 % as 0.45",)
    assert found.mended == {"'N/A' read as a blank cell": 2}


@pytest.mark.parametrize(
    ("cell", "comma", "point"), [("1,234", 1.234, 1234), ("1.234", 1234, 1.234)]
)
def test_a_number_of_two_readings_asks_for_the_option(cell, comma, point):
    [fault] = amounts.numbers(column(cell, "2", cell), "d.csv").faults
    assert str(fault) == (
        f"d.csv, rows 2, 4, column C: found {cell!r}, expected --decimal , or --decimal . stated: "
        "nothing in the file tells what the mark is"
    )
    for decimal, number in ((",", comma), (".", point)):
        found = amounts.numbers(column(cell), "d.csv", decimal)
        assert list(found.values) == [number]
        assert found.said[0].endswith("as stated")


DAYS = {
    ("2026-03-04", "2026-03-04T23:30:00+02:00", "2026-3-4 3:15:52"): ["2026-03-04"] * 3,
    ("03/04/2026", "25/03/2026"): ["2026-04-03", "2026-03-25"],
    ("03/04/2026", "03/25/2026"): ["2026-03-04", "2026-03-25"],
    ("03-04-26", "25-03-26", "1-1-70"): ["2026-04-03", "2026-03-25", "1970-01-01"],
    ("03.04.2026",): ["2026-04-03"],
    ("05/05/2026",): ["2026-05-05"],
    ("2026. 03. 04.", "2026.03.04"): ["2026-03-04"] * 2,
    ("2026. március 4.", "2026. márc. 4., szerda"): ["2026-03-04"] * 2,
    ("4. März 2026", "04-Mar-26", "March 4th, 2026"): ["2026-03-04"] * 3,
    ("1er août 2026", "mar. 4 août 2026"): ["2026-08-01", "2026-08-04"],
    ("4 de marzo de 2026", "mié, 4 mar 2026"): ["2026-03-04"] * 2,
    ("45123", "45123.75", "20230716"): ["2023-07-16"] * 3,
    ("1577834123000", "1577834123"): ["2019-12-31"] * 2,
    ("9999-12-31 23:59:59", "", "N/A"): [None] * 3,
}


@pytest.mark.parametrize("cells", DAYS)
def test_days(cells):
    found = days.times(column(*cells), "d.csv", is_day=True)
    assert not found.faults, [str(fault) for fault in found.faults]
    assert [v and str(v.date()) for v in plain(found.values)] == DAYS[cells]


TIMES = {
    ("2026-03-04", "2026-03-04T10:00:00.123Z"): ["2026-03-04 00:00", "2026-03-04 10:00:00.123"],
    ("2026-03-04T10:00:00+0200", "4 Mar 2026 10:00 GMT+2"): ["2026-03-04 08:00"] * 2,
    ("3/4/2026, 3:04 PM", "3/25/2026, 12:00\u202fAM"): ["2026-03-04 15:04", "2026-03-25 00:00"],
    ("2026. 03. 04. du. 3:04", "2026. 03. 04. 15:04:00"): ["2026-03-04 15:04"] * 2,
    ("4 mars 2026 15h04", "04.03.2026 15:04", "4/3/2026 3:04 p. m."): ["2026-03-04 15:04"] * 3,
    ("45123.5", "1689508800000", "1689508800.0"): ["2023-07-16 12:00"] * 3,
}


@pytest.mark.parametrize("cells", TIMES)
def test_times(cells):
    found = days.times(column(*cells), "d.csv", Options(day_first=True))
    assert not found.faults, [str(fault) for fault in found.faults]
    assert list(found.values) == [pd.Timestamp(time) for time in TIMES[cells]]


def test_what_is_no_time_is_a_fault_of_its_row():
    cells = "x 2026-13-01 2026-02-30 1/2/3 12 2026-01-01T25:00 13/13/2026 1850-01-01 2026-05-05"
    found = days.times(column(*cells.split()), "d.csv")
    assert rows_of(found.faults) == list(range(2, 10))
    mixed = days.times(column("25/03/2026", "26/03/2026", "03/25/2026"), "d.csv", is_day=True)
    assert rows_of(mixed.faults) == [4]
    assert "the day stands first, as '25/03/2026' shows" in mixed.faults[0].expected


def test_a_day_of_two_readings_asks_for_the_option():
    cells = column("03/04/2026", "05/05/2026", "06/07/2026")
    [fault] = days.times(cells, "d.csv", is_day=True).faults
    assert str(fault).startswith(
        "d.csv, rows 2, 4, column C: found '03/04/2026', expected --day-first or --month-first"
    )
    for first, day in ((True, "2026-04-03"), (False, "2026-03-04")):
        found = days.times(cells, "d.csv", Options(day_first=first), is_day=True)
        assert (str(found.values.iloc[0].date()), found.faults) == (day, ())
    assert found.said == ("C: the month stands first, as stated",)


def test_the_clock_put_on_and_back():
    cells = column("2026-03-29 02:30", "2026-10-25 02:30", "2026-06-01 12:00", "2026-06-01T12:00Z")
    found = days.times(cells, "d.csv", Options(timezone="Europe/Budapest"))
    wanted = ["2026-03-29 01:00", "2026-10-25 00:30", "2026-06-01 10:00", "2026-06-01 12:00"]
    assert list(found.values) == [pd.Timestamp(time) for time in wanted]
    assert found.said == (
        "C: times without a zone are those of Europe/Budapest",
        "C: 1 that the clock showed twice are the earlier ones; "
        "1 that the clock skipped are moved on",
    )
    with pytest.raises(DataError, match=r"no time zone 'Europe/Budapst'\. Did you mean"):
        days.times(cells, "d.csv", Options(timezone="Europe/Budapst"))


def test_a_moment_is_a_day_in_the_zone_and_serials_may_count_from_1904():
    late = column("1577834123000")  # 23:15 UTC
    found = days.times(late, "d.csv", Options(timezone="Europe/Budapest"), is_day=True)
    assert list(found.values) == [pd.Timestamp("2020-01-01")]
    found = days.times(column("43661"), "d.csv", is_day=True, is_1904=True)
    assert list(found.values) == [pd.Timestamp("2023-07-16")]
    assert found.said == ("C: 1 cell read as serial days from 1904",)


def test_flags():
    words = ["true", "IGAZ", "WAHR", "VRAI", "VERDADERO", "Yes", "oui", "1", "x"]
    others = ["false", "HAMIS", "FALSCH", "FAUX", "FALSO", "No", "non", "0"]
    found = values.flags(column(*words, *others, ""), "d.csv")
    assert plain(found.values) == [True] * len(words) + [False] * len(others) + [None]
    assert values.flags(column("x", "", "X"), "d.csv").values.to_list() == [True, False, True]
    [fault] = values.flags(column("maybe", "1"), "d.csv").faults
    assert fault.rows == (2,)


def test_text():
    found = values.text(
        column(" Ann ", "O\u030b", '=HYPERLINK("u","a ""b""")', "=SUM(A1)", "=x"), "d"
    )
    assert plain(found.values) == ["Ann", "Ő", 'a "b"', None, "=x"]
    assert rows_of(found.faults) == [5]
    assert found.mended == {"a formula replaced by the text that it shows": 1}


def raw(**columns):
    rows = pd.DataFrame(columns, dtype="str")
    return RawTable("d", "d.csv", rows.set_axis(range(2, len(rows) + 2)), file=None)


def test_a_column_is_read_in_the_light_of_the_others():
    table = raw(
        a=["1,234", "2,345"],
        b=["1,5", "2"],
        c=["03/04/2026", ""],
        d=["12/25/2025", "N/A"],
        e=["x", ""],
    )
    read = Columns(table)
    assert list(read.number("a")) == [1.234, 2.345]
    assert read.day("c").iloc[0] == pd.Timestamp("2026-03-04")
    assert list(read.flag("e")) == [True, False]
    read.text("d")
    assert read.said == [
        "a: decimal comma, as in other columns of the file",
        "c: the month stands first, as in other columns of the file",
        "e: a cell without a mark is false",
    ]
    assert read.mended == {("d", "'N/A' read as a blank cell"): 1}
    assert not read.faults
    with pytest.raises(DataError, match=r"d.csv, column amont: expected this column"):
        read.text("amont")


def test_other_columns_that_contradict_one_another_decide_nothing():
    read = Columns(raw(a=["1,234"], b=["1,5"], c=["1.5"]))
    read.number("a")
    assert rows_of(read.faults) == [2]


LOCALES = ["en_US", "hu_HU", "de_DE", "de_CH", "fr_FR", "es_ES"]


@settings(max_examples=80, deadline=None)
@given(
    numbers=st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=1, max_size=8),
    locale=st.sampled_from(LOCALES),
    currency=st.sampled_from([None, "EUR", "HUF", "USD", "CHF"]),
)
def test_a_number_written_as_in_a_place_is_read_back(numbers, locale, currency):
    def written(number):
        if currency:
            return format_currency(
                number, currency, locale=locale, currency_digits=False, format="#,##0.00 ¤"
            )
        return format_decimal(number, "#,##0.00", locale=locale)

    found = amounts.numbers(column(*map(written, numbers)), "d.csv")
    assert not found.faults, [str(fault) for fault in found.faults]
    assert list(found.values) == pytest.approx([float(number) for number in numbers])


@settings(max_examples=40, deadline=None)
@given(share=st.integers(-1000, 1000), locale=st.sampled_from(LOCALES))
def test_a_share_is_read_back(share, locale):
    cells = [format_percent(s / 1000, "#,##0.0%", locale=locale) for s in (share, 1)]
    found = amounts.numbers(column(*cells), "d.csv")
    assert list(found.values) == pytest.approx([share / 1000, 0.001])


DAY = st.dates(dt.date(1970, 1, 1), dt.date(2069, 12, 31))


@settings(max_examples=120, deadline=None)
@given(
    written=st.lists(DAY, min_size=1, max_size=8),
    locale=st.sampled_from(LOCALES),
    width=st.sampled_from(["short", "medium", "long", "full"]),
)
def test_a_day_written_as_in_a_place_is_read_back(written, locale, width):
    if width == "short":  # of a year of two digits the century is known, of en_US the order
        written = [*written, dt.date(2025, 12, 25)]
    cells = [format_date(day, width, locale=locale) for day in written]
    found = days.times(column(*cells), "d.csv", is_day=True)
    assert not found.faults, [str(fault) for fault in found.faults]
    assert [value.date() for value in found.values] == written


@settings(max_examples=60, deadline=None)
@given(
    moments=st.lists(st.datetimes(dt.datetime(1971, 1, 1), dt.datetime(2069, 1, 1)), min_size=1),
    zone=st.sampled_from(["UTC", "Europe/Budapest", "America/New_York", "Asia/Kolkata"]),
    form=st.sampled_from(
        ["%Y-%m-%dT%H:%M:%S%z", "%d/%m/%Y %H:%M:%S %z", "%b %d, %Y %I:%M:%S %p %z"]
    ),
)
def test_a_time_with_a_zone_is_read_back(moments, zone, form):
    aware = [m.replace(microsecond=0, tzinfo=dt.UTC).astimezone(ZoneInfo(zone)) for m in moments]
    aware = [m for m in aware if m.utcoffset().total_seconds() % 60 == 0] or [
        aware[0].astimezone(dt.UTC)
    ]
    cells = [f"{m:{form}}" for m in [*aware, dt.datetime(2025, 12, 25, tzinfo=dt.UTC)]]
    found = days.times(column(*cells), "d.csv")
    assert not found.faults, [str(fault) for fault in found.faults]
    assert list(found.values)[:-1] == [
        pd.Timestamp(m.astimezone(dt.UTC)).tz_localize(None) for m in aware
    ]


ODD = st.one_of(
    st.text(max_size=12),
    st.text(st.sampled_from("0123456789.,-/: ()%$€FtEUROMAPTZ+='\""), max_size=16),
    st.sampled_from(
        ["1,234", "03/04/2026", "45123", "=A1()", "1e999", "9" * 400, "99:99", "²", "٣"]
    ),
)


@settings(max_examples=150, deadline=None)
@given(cells=st.lists(ODD, max_size=8))
def test_any_text_is_a_value_a_blank_or_a_fault(cells):
    """Never another exception, and never a cell that is silently gone."""
    text = column(*cells)
    is_blank = values.text(text, "d").values.isna()
    gone = {int(row) for row in text.index[is_blank.to_numpy()]}
    for found in (
        amounts.numbers(text, "d"),
        days.times(text, "d"),
        days.times(text, "d", is_day=True),
        values.flags(text, "d"),
    ):
        assert list(found.values.index) == list(text.index)
        missing = {int(row) for row in text.index[found.values.isna().to_numpy()]}
        ended = {
            int(row) for row in text.index[text.fillna("").str.strip().str.startswith("9999-12-31")]
        }
        assert missing - gone - ended <= {*rows_of(found.faults)}
        json.dumps([found.said, dict(found.mended)])


def test_every_month_in_every_language():
    for language in ("en", "hu", "de", "fr", "es"):
        for width in ("wide", "abbreviated"):
            names = Locale.parse(language).months["format"][width]
            cells = [f"4 {name} 2026" for name in names.values()]
            found = days.times(column(*cells), "d", is_day=True)
            assert [value.month for value in found.values] == list(names), (language, width)
