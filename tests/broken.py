"""Ways to break a small sound data set, and what is said of each: used by test_load."""

# ruff: noqa: E501  a message is easier to judge on one line

from collections.abc import Callable
from pathlib import Path

import pandas as pd

GOOD = {
    "team.toml": """\
name = "Demo"
currency = "EUR"
as_of = 2026-06-30
timezone = "Europe/Budapest"
stages = ["Qualify", "Demo"]
skills = { Demo = ["presenting"] }
""",
    "reps.csv": """\
rep_id,name,hired_on,left_on
R1,Őry Ágnes,2024-01-01,
R2,Bob 😀,2025-01-01,2026-05-31
""",
    "accounts.csv": """\
account_id,industry,employees
A1,retail,250
A2,"medical, ""other"" care",
""",
    "products.csv": """\
product_id,name,list_price
P1,Basic,100
P2,Pro,250.5
""",
    "deals.csv": """\
deal_id,rep_id,account_id,product_id,created_on,amount,closed_on,outcome
D1,R1,A1,P1,2026-01-05,100,2026-02-05,won
D2,R2,A2,P2,2026-01-06,250.5,2026-03-01,lost
D3,R1,A1,P2,2026-06-01,,,
""",
    "stage_changes.csv": """\
deal_id,stage,entered_at
D1,Qualify,2026-01-05T09:00:00Z
D1,Demo,2026-01-12T11:30:00+01:00
D2,Qualify,2026-01-06
""",
    "activities.csv": """\
activity_id,rep_id,kind,happens_at,deal_id,minutes,note
X1,R1,call,2026-01-04T10:00:00Z,D1,12,"two
lines"
X2,R2,meeting,2026-07-09T10:00:00Z,D2,60,ahead
""",
}
Break = Callable[[Path], None]
DAY = "a day such as 2026-06-30, from 1900 to 2100"
TIME = "a time such as 2026-06-30T09:15:00Z, from 1900 to 2100"
NUMBER = "a plain number such as 1234.5"
QUOTE = 'a quote that ends the cell it begins; quotes inside are doubled: "say ""hello"""'
UTF8 = "UTF-8 text: save it as 'CSV UTF-8'"


def write_good(folder: Path) -> Path:
    """The sound data set in `folder`."""
    folder.mkdir(exist_ok=True)
    for name, text in GOOD.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    return folder


def swap(file: str, old: str, new: str) -> Break:
    """One piece of text for another, once."""

    def apply(folder: Path) -> None:
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8", newline="")

    return apply


def each(file: str, old: str, new: str) -> Break:
    """One piece of text for another, everywhere."""
    return lambda folder: (folder / file).write_text(
        GOOD[file].replace(old, new), encoding="utf-8", newline=""
    )


def put(file: str, content: str | bytes) -> Break:
    """A whole file."""
    data = content.encode() if isinstance(content, str) else content
    return lambda folder: (folder / file).write_bytes(data)


def encoded(file: str, encoding: str) -> Break:
    """A file in another encoding."""
    return lambda folder: (folder / file).write_bytes(GOOD[file].replace("😀", "").encode(encoding))


def add(file: str, line: str) -> Break:
    """One more line."""
    return put(file, GOOD[file] + line + "\n")


def gone(file: str) -> Break:
    """No such file."""
    return lambda folder: (folder / file).unlink()


def renamed(file: str, new: str) -> Break:
    """A file under another name."""
    return lambda folder: (folder / file).rename(folder / new) and None


def directory(file: str) -> Break:
    """A folder where a file should be."""

    def apply(folder: Path) -> None:
        (folder / file).unlink(missing_ok=True)
        (folder / file).mkdir()

    return apply


def parquet(table: str, **columns: list) -> Break:
    """A Parquet file in place of the CSV."""

    def apply(folder: Path) -> None:
        (folder / f"{table}.csv").unlink()
        pd.DataFrame(columns).to_parquet(folder / f"{table}.parquet", index=False)

    return apply


def all_of(*breaks: Break) -> Break:
    """Several at once."""

    def apply(folder: Path) -> None:
        for apply_one in breaks:
            apply_one(folder)

    return apply


# What is done to the data set, and every fault that must be named; {folder} is where it stands.
BROKEN: dict[str, tuple[Break, list[str]]] = {
    # files
    "a required file is missing": (
        gone("deals.csv"),
        ["deals: expected a file deals.csv or deals.parquet in {folder}"],
    ),
    "an Excel file instead": (
        renamed("deals.csv", "deals.xlsx"),
        ["deals: found 'deals.xlsx', expected a file deals.csv or deals.parquet in {folder}"],
    ),
    "a misspelt file": (
        renamed("activities.csv", "activites.csv"),
        [
            "activites.csv: found 'activites', expected a table of the schema (nearest: 'activities')"
        ],
    ),
    "a misspelt required file": (
        renamed("deals.csv", "Deal.csv"),
        ["Deal.csv: found 'Deal', expected a table of the schema (nearest: 'deals')"],
    ),
    "CSV and Parquet": (
        lambda folder: pd.DataFrame({"rep_id": ["R1"]}).to_parquet(folder / "reps.parquet"),
        ["reps: found 'reps.csv and reps.parquet', expected one file, CSV or Parquet, not both"],
    ),
    "a folder instead of a file": (
        directory("accounts.csv"),
        ["accounts.csv: found 'is a directory', expected a file that can be read"],
    ),
    "an empty file": (
        put("accounts.csv", ""),
        ["accounts.csv: found 'an empty file', expected a header and rows"],
    ),
    "nothing but blank lines": (
        put("accounts.csv", "\r\n\r\n"),
        ["accounts.csv: found 'an empty file', expected a header and rows"],
    ),
    "an Excel workbook called CSV": (
        put("accounts.csv", b"PK\x03\x04\x14\x00\x06\x00"),
        [f"accounts.csv: found 'an Excel workbook', expected {UTF8}"],
    ),
    "a picture called CSV": (
        put("accounts.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256))),
        [f"accounts.csv: found 'data that is no text', expected {UTF8}"],
    ),
    # encodings
    "UTF-16": (
        encoded("reps.csv", "utf-16"),
        [f"reps.csv: found 'UTF-16', expected {UTF8}"],
    ),
    "UTF-16 without a mark": (
        encoded("reps.csv", "utf-16-le"),
        [f"reps.csv: found 'UTF-16', expected {UTF8}"],
    ),
    "Latin-2": (
        encoded("reps.csv", "cp1250"),
        [f"reps.csv, row 2, column name: found '\ufffdry \ufffdgnes', expected {UTF8}"],
    ),
    "a NUL byte behind a cell of two lines": (
        each("activities.csv", "ahead", "a\0head"),
        [f"activities.csv, row 3, column note: found 'a\ufffdhead', expected {UTF8}"],
    ),
    # rows and cells of a CSV file
    "too few cells": (
        add("deals.csv", "D4,R1,A1"),
        ["deals.csv, row 5: found '3 cells', expected 8 as in the header"],
    ),
    "too many cells, twice": (
        all_of(swap("deals.csv", "250.5", "250,50"), swap("deals.csv", ",100,", ",1,00,")),
        [
            "deals.csv, rows 2, 3: found '9 cells', expected 8 as in the header "
            "(a cell that holds a ',' needs quotes)"
        ],
    ),
    "a quote that never closes": (
        swap("accounts.csv", "retail", '"retail'),
        [f"accounts.csv, row 2: expected {QUOTE}"],
    ),
    "a last quote that never closes": (
        add("accounts.csv", 'A3,"retail,12'),
        [f"accounts.csv, row 4: expected {QUOTE}"],
    ),
    "text behind a quoted cell": (
        swap("accounts.csv", "retail", '"retail"!'),
        [f"accounts.csv, row 2: expected {QUOTE}"],
    ),
    # columns
    "a required column is missing": (
        each("reps.csv", "name,", "who,"),
        ["reps, column name: expected this column, which is required"],
    ),
    "a misspelt required column": (
        each("deals.csv", "created_on", "create_on"),
        [
            "deals, column created_on: expected this column, which is required (nearest: 'create_on')"
        ],
    ),
    "a misspelt column": (
        each("deals.csv", "amount", "amuont"),
        ["deals, column amuont: expected a known column (nearest: 'amount')"],
    ),
    "a column twice": (
        each("deals.csv", "outcome", "amount"),
        [
            "deals.csv, row 1, column amount: found '2 columns of this name', expected every column once"
        ],
    ),
    "a column without a name": (
        each("accounts.csv", "industry", ""),
        ["accounts.csv, row 1: expected a name for column 2, or that column removed"],
    ),
    "no header": (
        put("reps.csv", "R1,Ann\nR2,Bob\n"),
        [
            "reps, column rep_id: expected this column, which is required",
            "reps, column name: expected this column, which is required",
        ],
    ),
    # settings
    "no team.toml": (
        gone("team.toml"),
        ["team.toml: expected this file in {folder}, at least with as_of = 2026-06-30"],
    ),
    "not TOML": (
        put("team.toml", 'name = "Demo\nas_of = 2026-06-30'),
        [
            "team.toml: found \"Illegal character '\\\\n' (at line 1, column 13)\", expected a TOML file in UTF-8"
        ],
    ),
    "a folder called team.toml": (
        directory("team.toml"),
        [
            "team.toml: found \"[Errno 21] Is a directory: '{folder}/team.toml'\", expected a TOML file in UTF-8"
        ],
    ),
    "no as_of": (
        swap("team.toml", "as_of = 2026-06-30\n", ""),
        ["team.toml, as_of: expected the day of the export, such as as_of = 2026-06-30"],
    ),
    "as_of in quotes": (
        swap("team.toml", "2026-06-30", '"2026-06-30"'),
        [
            "team.toml, as_of: found '2026-06-30', expected the day of the export without quotes, such as 2026-06-30"
        ],
    ),
    "a currency that is none, a zone that is none, a month that is none": (
        all_of(
            swap("team.toml", "EUR", "EURO"),
            swap("team.toml", "Europe/Budapest", "Europe/Budapset"),
            swap(
                "team.toml",
                "as_of",
                "fiscal_year_starts = 13\ncountry = 'Hungary'\nis_dated = 'no'\nas_of",
            ),
        ),
        [
            "team.toml, currency: found 'EURO', expected an ISO 4217 code such as EUR (nearest: 'EUR')",
            "team.toml, timezone: found 'Europe/Budapset', expected a zone such as Europe/Budapest (nearest: 'Europe/Budapest')",
            "team.toml, fiscal_year_starts: found '13', expected a month, 1 to 12",
            "team.toml, is_dated: found 'no', expected true or false",
            "team.toml, country: found 'Hungary', expected an ISO 3166 code of two capitals, such as HU",
        ],
    ),
    "a stage twice": (
        swap("team.toml", '["Qualify", "Demo"]', '["Qualify", "Demo", "Demo"]'),
        ["team.toml, stages: found 'Demo', expected every stage once"],
    ),
    "Latin-2 in team.toml": (
        put("team.toml", "as_of = 2026-06-30\nname = 'Ő'\n".encode("cp1250")),
        [
            "team.toml, row 2: found \"name = '\ufffd'\", expected UTF-8 text: save it again as UTF-8"
        ],
    ),
    "a misspelt setting": (
        swap("team.toml", "currency", "curency"),
        ["team.toml, curency: expected a known setting (nearest: 'currency')"],
    ),
    "stages that are no list, a zone that is one": (
        all_of(
            swap("team.toml", '["Qualify", "Demo"]', '"Qualify, Demo"'),
            swap("team.toml", '"Europe/Budapest"', '["Europe/Budapest"]'),
        ),
        [
            "team.toml, timezone: found \"['Europe/Budapest']\", expected a zone such as Europe/Budapest (nearest: 'Europe/Budapest')",
            'team.toml, stages: found \'Qualify, Demo\', expected different stage names in order: ["Qualification", "Demo"]',
        ],
    ),
    "a skill of an unknown stage": (
        swap("team.toml", "{ Demo =", "{ Demos ="),
        ["team.toml, skills: found 'Demos', expected a stage named in stages (nearest: 'Demo')"],
    ),
    # values
    "an unknown stage": (
        swap("stage_changes.csv", "Demo", "Demmo"),
        [
            "stage_changes, row 3, column stage: found 'Demmo', expected a stage of team.toml (nearest: 'Demo')"
        ],
    ),
    "no stages in team.toml": (
        swap("team.toml", 'stages = ["Qualify", "Demo"]\nskills = { Demo = ["presenting"] }', ""),
        ["team.toml, stages: expected the open stages in order, as stage_changes has them"],
    ),
    "an id twice": (
        add("deals.csv", "D2,R1,A1,P1,2026-02-01,,,"),
        ["deals, rows 3, 5, column deal_id: found 'D2', expected every value once"],
    ),
    "an entry twice": (
        add("stage_changes.csv", "D2,Qualify,2026-01-06T00:00:00Z"),
        [
            "stage_changes, rows 4, 5, columns deal_id + stage + entered_at: found 'D2, Qualify, 2026-01-06', expected every row once"
        ],
    ),
    "a reference to nobody": (
        swap("deals.csv", "D2,R2", "D2,R02"),
        ["deals, row 3, column rep_id: found 'R02', expected a rep_id of reps (nearest: 'R2')"],
    ),
    "a space behind an id": (
        swap("deals.csv", "D2,R2,", "D2,R2 ,"),
        ["deals, row 3, column rep_id: found 'R2 ', expected a rep_id of reps (nearest: 'R2')"],
    ),
    "an empty required cell": (
        swap("deals.csv", "D2,R2", "D2,  "),
        ["deals, row 3, column rep_id: expected a value, which is required"],
    ),
    "a day-first date": (
        swap("deals.csv", "2026-02-05", "05/02/2026"),
        [f"deals, row 2, column closed_on: found '05/02/2026', expected {DAY}"],
    ),
    "a day-first date that can only be one": (
        swap("deals.csv", "2026-03-01", "31.03.2026"),
        [
            f"deals, row 3, column closed_on: found '31.03.2026', expected {DAY} (nearest: '2026-03-31')"
        ],
    ),
    "a serial date of Excel": (
        swap("deals.csv", "2026-01-06", "46028"),
        [f"deals, row 3, column created_on: found '46028', expected {DAY} (nearest: '2026-01-06')"],
    ),
    "the year 206": (
        swap("deals.csv", "2026-01-06", "0206-01-06"),
        [f"deals, row 3, column created_on: found '0206-01-06', expected {DAY}"],
    ),
    "a day that does not exist": (
        swap("deals.csv", "2026-03-01", "2026-02-30"),
        [f"deals, row 3, column closed_on: found '2026-02-30', expected {DAY}"],
    ),
    "today": (
        swap("activities.csv", "2026-01-04T10:00:00Z", "today"),
        [f"activities, row 2, column happens_at: found 'today', expected {TIME}"],
    ),
    "closed before it was created": (
        swap("deals.csv", "2026-03-01", "2026-01-01"),
        [
            "deals, row 3, column closed_on: found '2026-01-01 with created_on 2026-01-06', expected a day not before created_on"
        ],
    ),
    "stage entered before the deal was created": (
        swap("stage_changes.csv", "2026-01-05T09:00:00Z", "2026-01-03T09:00:00Z"),
        [
            "stage_changes, row 2, column entered_at: found '2026-01-03 with created_on 2026-01-05', expected a day not before the deal's created_on"
        ],
    ),
    "a commitment due and done before it was made": (
        put(
            "coaching.csv",
            "session_id,rep_id,held_on,kind,due_on,done_on\n"
            "S1,R1,2026-02-01,one_on_one,2026-01-31,2026-01-30\n",
        ),
        [
            "coaching, row 2, column due_on: found '2026-01-31 with held_on 2026-02-01', expected a day not before held_on",
            "coaching, row 2, column done_on: found '2026-01-30 with held_on 2026-02-01', expected a day not before held_on",
        ],
    ),
    "an idea decided, credited and owned before it was raised": (
        put(
            "ideas.csv",
            "idea_id,rep_id,raised_on,idea,decided_on,credited_on,owned_on\n"
            "I1,R1,2026-02-01,x,2026-01-31,2026-01-30,2026-01-29\n",
        ),
        [
            "ideas, row 2, column decided_on: found '2026-01-31 with raised_on 2026-02-01', expected a day not before raised_on",
            "ideas, row 2, column credited_on: found '2026-01-30 with raised_on 2026-02-01', expected a day not before raised_on",
            "ideas, row 2, column owned_on: found '2026-01-29 with raised_on 2026-02-01', expected a day not before raised_on",
        ],
    ),
    "left before the hire, leave and quotas that end before they begin": (
        all_of(
            swap("reps.csv", "2025-01-01,2026-05-31", "2025-01-01,2024-05-31"),
            put("absences.csv", "rep_id,starts_on,ends_on\nR1,2026-02-02,2026-02-01\n"),
            put("quotas.csv", "rep_id,starts_on,ends_on,amount\nR1,2026-02-02,2026-02-01,5\n"),
        ),
        [
            "absences, row 2, column ends_on: found '2026-02-01 with starts_on 2026-02-02', expected a day not before starts_on",
            "quotas, row 2, column ends_on: found '2026-02-01 with starts_on 2026-02-02', expected a day not before starts_on",
            "reps, row 3, column left_on: found '2024-05-31 with hired_on 2025-01-01', expected a day not before hired_on",
        ],
    ),
    "two quotas at a time": (
        put(
            "quotas.csv",
            "rep_id,starts_on,ends_on,amount\n"
            "R1,2026-01-01,2026-06-30,9\nR1,2026-02-01,2026-02-28,1\n"
            "R1,2026-06-01,2026-12-31,9\nR2,2026-01-01,2026-03-31,1\nR2,2026-04-01,2026-06-30,1\n",
        ),
        [
            "quotas, row 3, column starts_on: found '2026-02-01 for R1 with a quota to 2026-06-30', expected one quota of a rep at a time",
            "quotas, row 4, column starts_on: found '2026-06-01 for R1 with a quota to 2026-06-30', expected one quota of a rep at a time",
        ],
    ),
    "deals without a row": (
        put("deals.csv", GOOD["deals.csv"].splitlines()[0] + "\n"),
        [
            "deals: expected rows, and it has none; others refer to them: activities in 2 rows, stage_changes in 3 rows"
        ],
    ),
    "an outcome without its day": (
        swap("deals.csv", "2026-03-01", ""),
        ["deals, row 3, column outcome: found 'lost', expected closed_on filled too"],
    ),
    "a day without an outcome": (
        swap("deals.csv", ",lost", ","),
        ["deals, row 3, column closed_on: found '2026-03-01', expected an outcome: won or lost"],
    ),
    "an outcome in capitals": (
        swap("deals.csv", "lost", "Lost"),
        ["deals, row 3, column outcome: found 'Lost', expected one of won, lost (nearest: 'lost')"],
    ),
    "closed in the future": (
        swap("deals.csv", "2026-03-01", "2027-03-01"),
        [
            "deals, row 3, column closed_on: found '2027-03-01', expected a day not after as_of (2026-06-30)"
        ],
    ),
    "a negative amount": (
        swap("deals.csv", "250.5", "-250.5"),
        ["deals, row 3, column amount: found '-250.5', expected a number at least 0"],
    ),
    "a thousands separator": (
        swap("deals.csv", "250.5", '"1,234.00"'),
        [f"deals, row 3, column amount: found '1,234.00', expected {NUMBER} (nearest: '1234.00')"],
    ),
    "a decimal comma and a currency": (
        swap("deals.csv", "250.5", '"1 234,50 Ft"'),
        [
            f"deals, row 3, column amount: found '1 234,50 Ft', expected {NUMBER} (nearest: '1234.50')"
        ],
    ),
    "a comma that can be either": (
        swap("deals.csv", "250.5", '"1,234"'),
        [f"deals, row 3, column amount: found '1,234', expected {NUMBER}"],
    ),
    "an endless number": (
        swap("deals.csv", "250.5", "inf"),
        [f"deals, row 3, column amount: found 'inf', expected {NUMBER}"],
    ),
    "NULL as number and as reference": (
        all_of(swap("deals.csv", "250.5", "NULL"), swap("deals.csv", "A2", "NULL")),
        [
            "deals, row 3, column account_id: found 'NULL', expected text, or an empty cell for unknown",
            f"deals, row 3, column amount: found 'NULL', expected {NUMBER}",
        ],
    ),
    "a formula": (
        swap("reps.csv", "Őry Ágnes", '"=HYPERLINK(""https://crm/R1"",""Ágnes"")"'),
        [
            'reps, row 2, column name: found \'=HYPERLINK("https://crm/R1","Ágnes")\', expected a value, not a formula'
        ],
    ),
    "a formula that went wrong": (
        swap("accounts.csv", "retail", "#REF!"),
        [
            "accounts, row 2, column industry: found '#REF!', expected text, or an empty cell for unknown"
        ],
    ),
    "a row behind a cell of two lines and a blank line": (
        swap("activities.csv", "\nX2,R2,meeting", "\n\nX2,R2,meetting"),
        [
            "activities, row 4, column kind: found 'meetting', expected one of call, email, meeting, demo, proposal (nearest: 'meeting')"
        ],
    ),
    # Parquet
    "a damaged Parquet file": (
        all_of(gone("accounts.csv"), put("accounts.parquet", b"PAR1 cut short")),
        [
            "accounts.parquet: found \"Invalid Input Error: No magic bytes found at end of file 'accounts.parquet'\", expected a Parquet file: damaged or cut short, export it again"
        ],
    ),
    "Parquet with other types": (
        parquet(
            "accounts",
            account_id=["A1", "A2"],
            employees=["many", "3"],
            founded_year=[1990.0, 90.0],
        ),
        [
            f"accounts, row 1, column employees: found 'many', expected {NUMBER}",
            "accounts, row 2, column founded_year: found '90.0', expected a number at least 1000",
        ],
    ),
    "Parquet with a time for a number": (
        parquet("accounts", account_id=["A1", "A2"], employees=[pd.Timestamp("2026-01-01")] * 2),
        [f"accounts, rows 1, 2, column employees: found '2026-01-01', expected {NUMBER}"],
    ),
    "Parquet with lists": (
        parquet("accounts", account_id=["A1", "A2"], industry=[["a"], ["b", "c"]]),
        [
            "accounts.parquet, column industry: found 'array<string>', expected text, numbers, dates or flags"
        ],
    ),
    # many at once
    "everything at once": (
        all_of(
            swap("team.toml", "EUR", "XYZ"),
            swap("reps.csv", "R2,", "R1,"),
            swap("deals.csv", "D2,R2,A2", "D2,R2,A9"),
            put("products.csv", "product_id;name\nP1;\nP2;Pro\n"),
        ),
        [
            "team.toml, currency: found 'XYZ', expected an ISO 4217 code such as EUR",
            "products, row 2, column name: expected a value, which is required",
            "reps, rows 2, 3, column rep_id: found 'R1', expected every value once",
            "activities, row 3, column rep_id: found 'R2', expected a rep_id of reps",
            "deals, row 3, column rep_id: found 'R2', expected a rep_id of reps",
            "deals, row 3, column account_id: found 'A9', expected an account_id of accounts",
        ],
    ),
}

# What looks odd and is sound: it loads, and says the same as the original.
SOUND: dict[str, Break] = {
    "as it is": lambda folder: None,
    "a byte-order mark": each("deals.csv", "deal_id,rep", "\ufeffdeal_id,rep"),
    "CRLF": each("deals.csv", "\n", "\r\n"),
    "bare CR": each("deals.csv", "\n", "\r"),
    "mixed line ends": swap("deals.csv", "\n", "\r\n"),
    "semicolons": each("deals.csv", ",", ";"),
    "tabs": each("deals.csv", ",", "\t"),
    "blank lines": all_of(swap("deals.csv", "\n", "\n\n"), swap("deals.csv", "won\n", "won\n  \n")),
    "no line end at the end": each("deals.csv", ",,,\n", ",,,"),
    "quotes everywhere": each("products.csv", "Basic", '"Basic"'),
    "a BOM in team.toml": each("team.toml", "name =", "\ufeffname ="),
    "space around numbers and days": each("deals.csv", "250.5,2026-03-01", " 250.5 , 2026-03-01 "),
    "accents as two characters": each("reps.csv", "Ő", "O\u030b"),
    "a day with an hour": each("deals.csv", "2026-03-01", "2026-03-01T23:30:00-05:00"),
}
