"""Days and times as people and programs write them, decided for a whole column."""

from collections.abc import Callable, Mapping
from datetime import date

import pandas as pd
import pyarrow.compute as pc

from salesnb import cells
from salesnb.checks import value_faults
from salesnb.importers import amounts, clock, values, written_days
from salesnb.importers.values import Options, Values
from salesnb.importers.written_days import Written

# A day, and a time behind it; in Hungarian du. (p.m.) may stand before the hour.
SPLIT = r"^(?P<day>.*?\d.*?)(?:(?:,? |T|, ?)(?P<clock>(?:d[eu]\.? ?)?\d{1,2}[:h]\d{2}.*))?$"
NUMBER = r"^\d+(?:\.\d*)?$"
EPOCHS = {10: ("seconds", 1_000_000), 13: ("milliseconds", 1_000), 16: ("microseconds", 1)}
SERIALS = (10_000, 73_415)  # from 1927 on, so that a small number is none, to the end of 2100
DAY = 86_400_000_000
ZONED = r"[T ].*(?:Z|[+-]\d{2}:?\d{2}|[+-]\d{2})$"
ENDLESS = r"^9999-12-31"  # what has not ended ends then in a database
ASK = "--day-first or --month-first stated: nothing in the file tells day from month"


def times(
    column: pd.Series,
    origin: str,
    options: Options | None = None,
    others: Callable[[], bool | None] = lambda: None,
    *,
    is_day: bool = False,
    is_1904: bool = False,
) -> Values:
    """A column of text as times in UTC, or as days.

    Read are ISO, days and months in any order with any separators and month names in five
    languages, seconds or milliseconds since 1970, and serial days of spreadsheets. Which of two
    numbers is the day is what most cells of the column show that can be read in one way only
    (``25/03/2026``); else a point between them puts the day first, as every country that writes
    points does; else it is as `others` returns for the other columns of the file, or as in the
    options. Where nothing tells, all such cells are one fault. Two-digit years are 1970 to 2069.

    Times without a zone are in the options' zone; one that a clock shows twice in autumn is the
    earlier, one that it skips in spring is moved on. With `is_day` the day stays as written,
    whatever the hour and zone behind it; only seconds since 1970 become a day in the options' zone.
    `is_1904` says that serial days count from 1904.
    """
    options = options or Options()
    plain = values.text(column, origin)
    text = _plain_spaces(plain.values)
    is_endless = values.matches(text, ENDLESS)
    text = text.mask(is_endless)
    is_number = values.matches(text, NUMBER)
    local, is_instant, said = _counted(text.where(is_number), is_1904)
    is_iso = values.matches(text, f"^(?:{cells.ISO})$")
    is_zoned = is_iso & values.matches(text, ZONED)
    local = local.fillna(cells.convert(text.where(is_iso), "time", is_day))
    rest = text.mask(is_number | is_iso)
    day, time, ahead, is_unsure, more = _written(rest, options, others)
    if is_day:
        local = local.mask(is_instant, clock.to_local(local, options.timezone)).fillna(day)
        found = local.dt.normalize()
    else:
        local = local.fillna(day + time)
        ahead = ahead.mask(is_instant | is_zoned, pd.Timedelta(0))
        found, odd = _in_utc(local, ahead, options.timezone)
        more += odd
    found = found.where(found.between(cells.EARLIEST, cells.LATEST))
    is_bad = text.notna() & found.isna() & ~is_unsure
    order = [each for each in more if "stands first" in each]
    expected = "; ".join([cells.expected("time", is_day, ""), *order])
    faults = [
        *plain.faults,
        *amounts.unsure(origin, plain.values[is_unsure], ASK),
        *value_faults(origin, str(column.name), plain.values[is_bad], expected),
    ]
    mended = {"the year 9999 read as no end": int(is_endless.sum())} if is_endless.any() else {}
    decided = tuple(f"{column.name}: {each}" for each in [*said, *more])
    return Values(found, decided, tuple(faults), {**plain.mended, **mended})


def day_first_of(column: pd.Series) -> bool | None:
    """Whether the days of a column of text stand before the months, where its cells prove it.

    >>> day_first_of(pd.Series(["03/04/2026", "25/03/2026"]))
    True
    """
    text = _plain_spaces(values.text(column, "").values)
    days = values.pieces(text, text.index, SPLIT)["day"].value_counts()
    forms = {day: written_days.read(str(day)) for day in days.index[:1000]}
    if sum(form is not None for form in forms.values()) < 0.9 * len(forms):
        return None
    return _proved(forms, days)[0]


def _plain_spaces(text: pd.Series) -> pd.Series:
    found = pc.replace_substring_regex(values.array(text), amounts.SPACES, " ")
    return found.to_pandas().set_axis(text.index)


def _counted(numbers: pd.Series, is_1904: bool) -> tuple[pd.Series, pd.Series, list[str]]:
    """Seconds since 1970, serial days and days without separators; which are moments in UTC."""
    whole = numbers.str.replace(r"\..*$", "", regex=True)
    n_digits = whole.str.len()
    count = pd.to_numeric(numbers.where(n_digits <= 16), errors="coerce")
    micros = pd.Series(float("nan"), numbers.index)
    is_instant = pd.Series(False, numbers.index)
    said = []
    for length, (unit, factor) in EPOCHS.items():
        here = n_digits == length
        if here.any():
            is_instant |= here
            micros = micros.mask(here, count * factor)
            said.append(f"{_cells(here)} read as {unit} since 1970")
    is_serial = (n_digits == 5) & count.between(*SERIALS)
    if is_serial.any():
        since = 24_107 if is_1904 else 25_569  # the serial number of 1970-01-01
        micros = micros.mask(is_serial, (count - since) * DAY)
        year = 1904 if is_1904 else 1900
        said.append(f"{_cells(is_serial)} read as serial days from {year}")
    found = pd.to_datetime(micros.round(), unit="us", errors="coerce").astype("datetime64[us]")
    compact = pd.to_datetime(whole.where(n_digits == 8), format="%Y%m%d", errors="coerce")
    return found.fillna(compact.astype("datetime64[us]")), is_instant, said


def _cells(here: pd.Series) -> str:
    n = int(here.sum())
    return "1 cell" if n == 1 else f"{n:,} cells"


def _written(
    text: pd.Series, options: Options, others: Callable[[], bool | None]
) -> tuple[pd.Series, pd.Series, pd.Series, pd.Series, list[str]]:
    """Days, times of day, how far ahead of UTC, which days nothing decides, what was decided."""
    if not text.notna().any():
        nothing = pd.Series(pd.NaT, text.index, dtype="timedelta64[us]")
        day = pd.Series(pd.NaT, text.index, dtype="datetime64[us]")
        return day, nothing, nothing, pd.Series(False, text.index), []
    parts = values.pieces(text, text.index, SPLIT)
    day, is_unsure, said = _days(parts["day"], options, others)
    time, ahead, is_wrong = clock.read(parts["clock"])
    return day.mask(is_wrong), _span(time), _span(ahead), is_unsure, said


def _span(micros: pd.Series) -> pd.Series:
    return pd.to_timedelta(micros, unit="us").astype("timedelta64[us]")


def _days(
    days: pd.Series, options: Options, others: Callable[[], bool | None]
) -> tuple[pd.Series, pd.Series, list[str]]:
    """Written days as midnights, those that nothing decides, and what was decided."""
    counts = days.value_counts()
    forms = {day: written_days.read(str(day)) for day in counts.index}
    is_first, why = _proved(forms, counts)
    unsure = {day for day, form in forms.items() if form and _is_either(form)}
    has_points = all(form.has_points for form in forms.values() if form and form.is_open)
    if is_first is None and unsure and has_points:
        is_first, why = options.day_first is not False, "as points between the numbers mean"
        why = "as stated" if options.day_first is not None else why
    if is_first is None and unsure:
        is_first, why = others(), "as in other columns of the file"
    if is_first is None and unsure:
        is_first, why = options.day_first, "as stated"
    found = {day: _date(form, is_first) for day, form in forms.items()}
    is_unsure = days.isin(unsure if is_first is None else set())
    said = []
    if why and is_first is not None:
        said.append(f"the {'day' if is_first else 'month'} stands first, {why}")
    result = days.map(found) if found else days
    return pd.to_datetime(result).astype("datetime64[us]").mask(is_unsure), is_unsure, said


def _proved(forms: Mapping[str, Written | None], counts: pd.Series) -> tuple[bool | None, str]:
    """Whether the day stands first, by the cells with a number above 12; why."""
    proofs: dict[bool, list[str]] = {True: [], False: []}
    for day, form in forms.items():
        if form and form.is_open and (form.day > 12) != (form.month > 12):
            proofs[form.day > 12].append(day)
    weight = {first: int(counts[days].sum()) if days else 0 for first, days in proofs.items()}
    if not any(weight.values()):
        return None, ""
    is_first = weight[True] >= weight[False]
    return is_first, f"as {proofs[is_first][0]!r} shows"


def _is_either(form: Written) -> bool:
    return form.is_open and form.day <= 12 and form.month <= 12 and form.day != form.month


def _date(form: Written | None, is_first: bool | None) -> date | None:
    if form is None:
        return None
    month, day = form.month, form.day
    if form.is_open and is_first is False:
        month, day = day, month
    try:
        return date(form.year, month, day)
    except ValueError:
        return None


def _in_utc(local: pd.Series, ahead: pd.Series, zone: str) -> tuple[pd.Series, list[str]]:
    """Times less their own distance from UTC, or by the clock of the zone."""
    is_naive = ahead.isna() & local.notna()
    by_clock, odd = clock.to_utc(local.where(is_naive), zone)
    utc = (local - ahead).fillna(by_clock)
    said = [f"times without a zone are those of {zone}"] if is_naive.any() else []
    return utc.astype("datetime64[us]"), said + [odd] * bool(odd)
