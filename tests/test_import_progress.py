"""The bar of an import, and that reading different cells once is reading each."""

import io
from pathlib import Path

import exports
import pandas as pd
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st
from rich.console import Console

from salesnb.importers import Options, amounts, days, progress, values
from salesnb.importers.columns import Columns
from salesnb.importers.exported import RawTable

DEALS = (
    "Id,OwnerId,StageName,CloseDate,CreatedDate,LastModifiedDate\n"
    "006A,005A,New,2026-05-01,2026-01-01,2026-02-01\n"
)


def shown(folder: Path, is_terminal: bool) -> str:
    file = io.StringIO()
    with progress.bar(Console(file=file, force_terminal=is_terminal, width=100)):
        exports.run("salesforce", folder)
    return file.getvalue()


def test_a_terminal_is_told_how_far_it_is_and_nobody_else(tmp_path):
    folder = exports.write(tmp_path / "export", {"Opportunity": DEALS})
    assert "Writing" in shown(folder, True)
    assert shown(folder, False) == ""


CELLS = st.lists(
    st.sampled_from(
        [
            *("1,5", "1.5", "1 234,50", "12", "", "NULL", "x", "true", "25/03/2026", "03/25/2026"),
            *(
                "03/04/2026",
                "2026-03-04",
                "45 %",
                "€ 12",
                "$ 3",
                "=A1()",
                '="7"',
                "2026-03-29T02:30",
            ),
        ]
    ),
    min_size=1,
    max_size=12,
)


@trials(max_examples=60, deadline=None)
@given(cells=CELLS, times=st.lists(st.integers(0, 11), min_size=50, max_size=60))
def test_cells_that_repeat_are_read_as_if_each_were_read(cells, times):
    written = [cells[at % len(cells)] for at in times]
    column = pd.Series(written, range(2, len(written) + 2), dtype="str", name="c")
    column = column.mask(column == "")
    options = Options(timezone="Europe/Budapest")
    each = {
        "text": values.text(column, "t"),
        "number": amounts.numbers(column, "t"),
        "flag": values.flags(column, "t"),
        "day": days.times(column, "t", options, is_day=True),
        "time": days.times(column, "t", options),
    }
    for kind, expected in each.items():
        table = Columns(RawTable("t", "t", column.to_frame(), Path()), options)
        pd.testing.assert_series_equal(getattr(table, kind)("c"), expected.values)
        assert table.said == [*expected.said]
        assert table.faults == [*dict.fromkeys(expected.faults)]
        assert table.mended == {("c", what): n for what, n in expected.mended.items()}
