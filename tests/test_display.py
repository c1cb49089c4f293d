"""How a finding reads and looks: units by hand, hostile words as words, the same in every run."""

from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from salesnb import charts, display, markup, units
from salesnb.charts import names
from salesnb.finding import Finding

HOSTILE = [
    "<script>alert(1)</script>",
    "{{7*7}} {% raw %} ${x}",
    'Ann "Q" O\'Neil & Co',
    "$x^2$ _a_ *b* `c`",
    "Őrsi Árvíztűrő 王 😀",
    "</svg></table><img src=x onerror=alert(1)>",
    "&lt;b&gt; &amp;",
]


class Seen(HTMLParser):
    """What a browser would make of a piece of HTML: its tags and its text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text = [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture
def finding():
    table = pd.DataFrame(
        {
            "rep_id": pd.Series(HOSTILE, dtype="str"),
            "win_rate": [0.423, np.nan, 0.5, 0.1, 1, 0, 0.25],
            "win_low": [0.312, np.nan, np.nan, 0, 0.9, 0, 0.1],
            "win_high": [0.551, np.nan, np.nan, 0.2, 1, 0.1, 0.4],
            "n_deals": [57.0, 0, 4, 10, 2000, 3, 8],
            "lost_amount": [12345.6, np.nan, 0, -5, 1e6, 3, 8],
            "closed_on": pd.to_datetime(["2026-06-30", None, *["2026-01-02"] * 5]),
        }
    )

    def draw(ax):
        ax.barh(table["rep_id"], table["win_rate"])
        ax.set_title(HOSTILE[0])

    return Finding(" ".join(HOSTILE), table, draw, tuple(HOSTILE), tuple(HOSTILE), "EUR")


def test_units_come_from_the_name(finding):
    shown = display.readable(finding.table, "EUR")
    assert list(shown) == ["Rep", "Win rate", "n deals", "Lost amount, in all", "Closed"]
    assert shown.iloc[0].tolist() == [HOSTILE[0], "42% (31–55)", "57", "€12,346", "2026-06-30"]
    assert shown.iloc[1].tolist() == [HOSTILE[1], "", "0", "", ""]
    assert shown["Win rate"].iloc[2] == "50%"
    assert shown["n deals"].iloc[4] == "2,000"


def test_people_see_the_columns_meant_for_them_and_the_table_keeps_all():
    table = pd.DataFrame(
        {"rep_id": ["R1"], "win_rate": [0.4], "win_low": [0.3], "win_high": [0.5], "n_won": [8]}
    )
    finding = Finding("one", table, names={"R1": "Ann"}, shown=["win_rate", "rep_id"])
    assert str(finding).splitlines()[2].split() == ["Win", "rate", "Rep"]
    assert "40% (30–50)" in str(finding)
    assert "Deals won" not in finding._repr_html_()
    assert "n_won" in finding.table


def test_differences_of_rates_are_written_in_points():
    table = pd.DataFrame({"effect": [0.07, -0.001], "effect_low": [-0.02, -0.1]})
    shown = display.readable(table.assign(effect_high=[0.16, 0.1]))
    assert shown["Effect, points"].tolist() == ["7 (-2 to 16)", "0 (-10 to 10)"]
    assert display.readable(pd.DataFrame({"gap": [-0.001, 0.5]}))["Gap"].tolist() == [
        "0.00",
        "0.50",
    ]


def test_people_are_shown_by_name_and_kept_by_id():
    table = pd.DataFrame({"rep_id": ["R1", "R2", None], "n_open": [1, 2, 3]})
    finding = Finding("three", table, names={"R1": HOSTILE[0], "R3": "Ann"})
    assert "R2" in str(finding) and "R1" not in str(finding) and "Ann" not in str(finding)
    assert HOSTILE[0] in "".join(Seen(finding._repr_html_()).text)
    assert list(finding.table["rep_id"][:2]) == ["R1", "R2"]


def test_a_ratio_may_be_read_in_percent():
    table = pd.DataFrame({"metric": ["quota_attainment"], "unit": ["percent"], "value": [1.384]})
    assert display.readable(table)["Value"].tolist() == ["138%"]


def test_a_unit_may_stand_in_the_row():
    table = pd.DataFrame(
        {
            "metric": ["win_rate", "sales_cycle_days", "won_amount", "n_won"],
            "unit": ["rate", "days", "amount", "count"],
            "value": [0.42, 31.5, 1234567.8, 12],
            "value_low": [0.31, 20.0, np.nan, np.nan],
            "value_high": [0.55, 44.0, np.nan, np.nan],
        }
    )
    few = pd.DataFrame({"metric": ["meetings_held_per_week"], "unit": ["count"], "value": [0.457]})
    assert display.readable(pd.concat([table, few]).reset_index())["Value"].iloc[-1] == "0.46"
    shown = display.readable(table.sample(frac=1, random_state=3), "HUF").sort_index()
    assert list(shown) == ["Metric", "Value"]
    assert shown["Metric"].tolist() == ["Win rate", "Sales cycle, days", "Won amount", "Deals won"]
    assert shown["Value"].tolist() == ["42% (31–55)", "31.5 (20.0–44.0)", "HUF1,234,568", "12"]


def test_small_rates_and_narrow_intervals_keep_their_digits():
    table = pd.DataFrame({"no_show_rate": [0.012], "no_show_low": [0.004], "no_show_high": [0.031]})
    assert display.readable(table).iloc[0, 0] == "1.2% (0.4–3.1)"
    table = pd.DataFrame({"value": [1.0], "value_low": [0.5], "value_high": [2.0]})
    assert display.readable(table).iloc[0, 0] == "1.00 (0.50–2.00)"


def test_an_interval_below_nought_can_be_read():
    table = pd.DataFrame({"shift": [-0.44], "shift_low": [-0.94], "shift_high": [-0.16]})
    assert display.readable(table).iloc[0, 0] == "-0.44 (-0.94 to -0.16)"


def test_estimated_amounts_do_not_look_exact():
    table = pd.DataFrame({"lost_amount": [69876.5], "lost_low": [22444], "lost_high": [121987]})
    assert display.readable(table, "EUR").iloc[0, 0] == "€69,900 (22,400–122,000)"


def test_a_long_table_is_folded_below_its_picture():
    table = pd.DataFrame({"n": np.arange(13.0)})
    draw = Finding("many", table, lambda ax: ax.plot([1, 2]))
    assert "<details><summary>The numbers, 13 rows</summary>" in draw._repr_html_()
    assert "<details" not in Finding("many", table)._repr_html_()
    assert "<details" not in Finding("few", table.head(12), draw.draw)._repr_html_()


def test_two_columns_with_one_label_both_stay():
    table = pd.DataFrame({"closed": ["a"], "closed_on": pd.to_datetime(["2026-01-01"])})
    assert list(display.readable(table)) == ["Closed", "closed_on"]


def test_words_are_words_and_never_markup(finding):
    seen = Seen(finding._repr_html_())
    said = "".join(seen.text)
    for word in HOSTILE:
        assert said.count(word) >= 4, "in headline, table, questions and caveats"
    assert not {"script", "img"} & {tag for tag, _ in seen.tags}
    assert not [name for _, attrs in seen.tags for name in attrs if name.startswith("on")]
    assert "49" not in said


def test_the_picture_says_aloud_what_was_found(finding):
    (picture,) = [attrs for tag, attrs in Seen(finding._repr_html_()).tags if tag == "svg"]
    assert picture["role"] == "img"
    assert picture["aria-label"] == finding.headline


def test_the_same_finding_is_the_same_html(finding):
    assert finding._repr_html_() == finding._repr_html_()
    assert "DejaVu" not in finding._repr_html_(), "the reader's own fonts"


def test_ids_in_pictures_cannot_clash():
    ax = charts.new_axes()
    ax.plot([1, 2], [1, 2])
    ids = [attrs["id"] for _, attrs in Seen(charts.svg(ax, "a line")).tags if "id" in attrs]
    assert all(any(letter.isdigit() for letter in name) for name in ids)
    assert "figure_1" not in ids


def test_long_tables_say_how_much_is_left():
    table = pd.DataFrame({"n": np.arange(1234.0)})
    assert "... and 1,214 more rows" in markup.html("many", display.shown(table))
    assert markup.html("many", display.shown(table)).count("<tr") == 21
    assert "... and 1,214 more rows" in display.text(display.shown(table))
    assert "more" not in display.text(display.shown(table.head(20)))


def test_a_row_with_a_history_has_a_line_through_it():
    rows = pd.DataFrame([[0, 1, 2, 4.0], [np.nan, 1, np.nan, 2]], index=["b", "a"])
    table = pd.DataFrame({"n": [4.0, 2.0]}, index=["b", "a"])
    html = Finding("two", table, history=lambda: rows)._repr_html_()
    assert html.count('class="trend"') == 1, "two values are no trend"
    # From 2 to 61 in three steps; from the foot at 13 up to 3, a quarter of it for each unit.
    assert 'points="2,13 21.67,10.5 41.33,8 61,3"' in html
    assert 'aria-label="4 values, the last higher than the first"' in html
    assert "Trend" not in Finding("two", table)._repr_html_()


def test_names_of_series_stand_apart_and_near_their_marks():
    assert names.apart([0.5, 0.5], [0.2, 0.4], 0, 1) == pytest.approx([0.5, 0.8])
    assert names.apart([0.1, 0.9, 0.95], [0.2] * 3, 0, 1) == pytest.approx([0.1, 0.7, 0.9])

    def draw(ax):
        near = [charts.Points(name, [0.5], [0.4], [0.6]) for name in ("one", "the other one")]
        charts.dumbbell(ax, ["row"], *near)

    ax = Finding("x", pd.DataFrame(), draw).plot()
    assert ax.get_legend() is None
    ax.figure.canvas.draw()
    one, other = (text.get_window_extent() for text in ax.texts)
    assert one.x1 < other.x0
    marks = ax.transData.transform((0.5, 0))[0]
    assert one.x0 < marks < other.x1
    labels = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert min(box.x0 for box in labels) >= 0, "nothing is cut off at the edge"


def test_colours_of_pages_and_pictures_are_the_same(finding):
    assert set(charts.LIGHT) == set(charts.DARK)
    assert (
        f"var(--accent, {charts.ACCENT})"
        in finding.__class__(
            "x", finding.table, lambda ax: ax.plot([1, 2], color=charts.ACCENT)
        )._repr_html_()
    )


def test_a_finding_without_rows_is_its_headline():
    html = Finding("Nothing stands out.", pd.DataFrame({"n": []}))._repr_html_()
    assert "Nothing stands out." in html
    assert "<table" not in html
    assert "<figure" not in html


@pytest.mark.parametrize(
    ("column", "label"),
    [
        ("age_days", "Age, days"),
        ("days", "Days"),
        ("won_within_90_days", "Won within 90 days"),
        ("n_deals", "n deals"),
        ("n", "n"),
        ("is_ramping", "Ramping"),
        ("account_id", "Account"),
        ("held_on", "Held"),
    ],
)
def test_labels_are_for_people(column, label):
    assert units.label(column) == label


def test_words_are_joined_as_in_a_sentence():
    assert units.listed(["A"]) == "A"
    assert units.listed(["A", "B"]) == "A and B"
    assert units.listed(pd.Series(["A", "B", "C"])) == "A, B and C"
    assert units.listed(iter([])) == ""


def test_a_picture_says_nothing_of_letters_that_no_font_has_or_of_few_days(recwarn):
    def draw(ax):
        ax.set_title("王小明 😀")
        rows = pd.DataFrame({"starts_on": pd.to_datetime(["2026-01-01", "2026-02-01"])})
        charts.over_time(ax, {"one": rows.assign(value=[np.nan, 1.0], value_low=0, value_high=2)})

    ax = Finding("王", pd.DataFrame(), draw).plot()
    ax.figure.canvas.draw()
    assert "王小明 😀" in charts.svg(ax, "王")
    assert [label.get_text() for label in ax.get_xticklabels()] == ["Jan\n2026", "Feb"]
    assert not recwarn.list


def test_bars_without_pieces_are_nothing_to_draw():
    ax = charts.stacked(charts.new_axes(), pd.DataFrame(index=["a deal"]))
    assert not charts.shows_data(ax)


def test_an_interval_in_a_sentence_is_that_of_a_table():
    assert units.span(0.31, 0.55, units.percent) == "31%\N{EN DASH}55%"
    assert units.span(-2, 3) == "-2 to 3", "a minus beside a dash would be misread"
