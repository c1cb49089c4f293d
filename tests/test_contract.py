"""What every verb promises, whatever it answers: found by signature, none is left out."""

import inspect
import re
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from pandas.testing import assert_frame_equal
from scramble import scrambled_after

from salesnb import DataError, Finding, schema, verbs
from salesnb.team import Team

VERBS = verbs.find()
MONEY = {
    "deals": ["amount"],
    "deal_lines": ["list_amount", "net_amount"],
    "products": ["list_price"],
    "quotas": ["amount"],
    "goals": ["amount"],
    "accounts": ["expansion_amount"],
    "courses": ["price"],
}
every_verb = pytest.mark.parametrize("name", sorted(VERBS))


def answer(name: str, team: Team, **options) -> Finding:
    """The verb's answer; where it asks for a rep, about the first."""
    verb = VERBS[name]
    parameters = inspect.signature(verb).parameters
    if parameters.get("rep") and parameters["rep"].default is inspect.Parameter.empty:
        options.setdefault("rep", team.reps["rep_id"].min())
    return verb(team, **options)


def ten_times(settings):
    """The settings with ten times the money in the plans by which the team is paid."""
    amounts = ("base_amount", "bonus_amount", "cap_amount")
    more = [
        replace(plan, **{name: 10 * value for name in amounts if (value := getattr(plan, name))})
        for plan in settings.plans
    ]
    return replace(settings, plans=replace(settings.plans, plans=tuple(more)))


def takes_rep(name: str) -> bool:
    return "rep" in inspect.signature(VERBS[name]).parameters


def assert_same(one: Finding, other: Finding) -> None:
    assert one.headline == other.headline
    assert one.ask == other.ask
    assert one.caveats == other.caveats
    assert_frame_equal(one.table, other.table, check_exact=False, rtol=1e-5, atol=1e-8)


@pytest.fixture(scope="module")
def answers(small):
    """Each verb's answer about the small team, asked once."""
    return {name: answer(name, small) for name in VERBS}


# One team for all verbs, so that what several of them ask for is computed once.


@pytest.fixture(scope="module")
def turned(small):
    """The small team with its rows in another order."""
    tables = {
        table: rows.sample(frac=1, random_state=7).reset_index(drop=True)
        for table, rows in small.tables.items()
    }
    return Team(small.settings, tables)


@pytest.fixture(scope="module")
def tenfold(small):
    """The small team with ten times the money."""
    tables = {table: rows.copy() for table, rows in small.tables.items()}
    for table, columns in MONEY.items():
        tables[table][columns] *= 10
    return Team(ten_times(small.settings), tables)


@pytest.fixture(scope="module")
def earlier(small):
    """The small team as known on an earlier day, and the same with all that came later made up."""
    day = (small.as_of - pd.Timedelta(days=120)).date().isoformat()
    return small.at(day), scrambled_after(small, day).at(day)


@pytest.fixture(scope="module")
def idle(small):
    """The reps of the small team without a row in any other table."""
    empty = {table: rows.iloc[:0] for table, rows in small.tables.items()}
    return Team(small.settings, {**empty, "reps": small.reps})


@pytest.fixture(scope="module")
def deserted(small):
    """A team of headers alone, and one before its first day."""
    bare = Team(small.settings, {table: rows.iloc[:0] for table, rows in small.tables.items()})
    return bare, small.at("2015-01-01")


def test_there_are_verbs():
    expected = {"funnel.leaks", "funnel.conversion", "funnel.slow_stages", "funnel.calendar"}
    expected |= {"scorecard.profile", "coaching.questions", "metrics.overview"}
    assert expected <= set(VERBS)


@every_verb
def test_it_can_be_guessed(name):
    signature = inspect.signature(VERBS[name])
    for parameter in list(signature.parameters.values())[1:]:
        assert parameter.kind is parameter.KEYWORD_ONLY or parameter.name == "rep"
        assert parameter.annotation is not inspect.Parameter.empty
        if parameter.name != "rep":
            assert parameter.default is not inspect.Parameter.empty
    first = (inspect.getdoc(VERBS[name]) or "").splitlines()[0]
    assert first.endswith("?"), "the docstring opens with the question that the verb answers"


@every_verb
def test_it_returns_a_finding(name, answers):
    found = answers[name]
    assert isinstance(found, Finding)
    assert found.headline.strip()
    assert "nan" not in found.headline.lower().split()
    assert isinstance(found.table, pd.DataFrame)
    assert all(isinstance(question, str) and question.endswith("?") for question in found.ask)
    assert isinstance(found.ask, tuple)
    assert isinstance(found.caveats, tuple)
    assert found.headline in str(found)
    assert "<" in found._repr_html_()


@every_verb
def test_it_leaves_the_team_as_it_was(name, small):
    before = Team(small.settings, small.tables).fingerprint
    answer(name, small).plot()
    assert Team(small.settings, small.tables).fingerprint == before


@every_verb
def test_the_order_of_rows_does_not_matter(name, turned, answers):
    assert_same(answer(name, turned), answers[name])


@every_verb
def test_ten_times_the_money_changes_amounts_and_nothing_else(name, tenfold, answers):
    before = answers[name].table
    after = answer(name, tenfold).table
    assert list(after) == list(before)
    is_amount_row = before.get("unit", pd.Series("", index=before.index)).eq("amount")
    for column in before:
        factor = pd.Series(1.0, index=before.index)
        is_lost = "lost_amount" in before and column in ("lost_low", "lost_high")
        if is_lost or re.search(r"(^|_)amount($|_)", column):
            factor[:] = 10
        elif re.match(r"(value|benchmark|change|then|now)(_low|_high)?$", column):
            factor = factor.mask(is_amount_row, 10)
        if pd.api.types.is_float_dtype(before[column]):
            wanted = before[column] * factor
            near = 0.1 if column == "paid_amount" else 1e-5  # what is paid comes in whole cents
            np.testing.assert_allclose(after[column], wanted, rtol=2e-3, atol=near, err_msg=column)
        elif not pd.api.types.is_string_dtype(before[column]) or column in ("tier", "rep_id"):
            pd.testing.assert_series_equal(after[column], before[column])


@every_verb
def test_values_lie_within_their_intervals(name, answers):
    table = answers[name].table
    for low in [column for column in table if column.endswith("_low")]:
        stem = low.removesuffix("_low")
        high = table[f"{stem}_high"]
        assert not (table[low] > high + 1e-9).any()
        value = next(
            (
                c
                for c in table
                if re.fullmatch(rf"{stem}(_(rate|share|amount|days|logit|ratio))?", c)
            ),
            None,
        )
        assert value, f"{low} belongs to no value"
        assert not (table[value] < table[low] - 1e-9).any(), value
        assert not (table[value] > high + 1e-9).any(), value


@every_verb
def test_it_draws_into_the_axes_it_is_given(name, answers):
    ax = Figure().add_subplot()
    assert answers[name].plot(ax) is ax
    assert ax.has_data() or ax.texts or ax.patches or ax.lines or ax.child_axes


@every_verb
def test_what_came_later_does_not_shine_through(name, earlier):
    known, made_up = earlier
    assert_same(answer(name, made_up), answer(name, known))


@every_verb
def test_a_count_is_that_of_the_rows_behind_it(name, answers):
    """Of every count that says it has rows behind it; of a long table a few rows of each kind.

    What left the pipeline is counted below zero.
    """
    found = answers[name]
    kinds = [c for c in ("metric", "scope", "what", "factor", "kind") if c in found.table]
    few = found.table.groupby(kinds, dropna=False).head(2) if kinds else found.table.head(12)
    for counted, rows_of in found.behind.items():
        told = 0
        for _, row in few.iterrows():
            with suppress(DataError):  # says why there are none
                assert len(rows_of(row)) == abs(row[counted]), (counted, row.to_dict())
                told += 1
        assert told or few.empty, counted


@pytest.mark.parametrize("name", [name for name in sorted(VERBS) if takes_rep(name)])
def test_a_reps_answer_names_nobody_else(name, small):
    rep = small.deals["rep_id"].value_counts().index[0]
    found = answer(name, small, rep=rep)
    ax = found.plot()
    drawn = [text.get_text() for text in ax.figure.findobj(lambda a: hasattr(a, "get_text"))]
    said = "\n".join([str(found), found.table.to_string(), found._repr_html_(), *drawn])
    for other in small.reps[small.reps["rep_id"] != rep].itertuples():
        assert not re.search(rf"\b{re.escape(other.rep_id)}\b", said)
        assert other.name not in said


@every_verb
def test_nothing_to_go_by(name, idle):
    found = answer(name, idle)
    assert found.headline.strip()
    found.plot()


@every_verb
def test_nobody_to_go_by(name, deserted, answers):
    """An answer, or that there is nobody."""
    is_of_one = "rep" in {p.name for p in verbs.options(VERBS[name]) if p.default is p.empty}
    for team in deserted:
        if is_of_one:
            with pytest.raises(DataError, match="no rep 'R01'"):
                answer(name, team, rep="R01")
            continue
        found = answer(name, team)
        assert found.headline.strip()
        found.plot()
        assert found.headline in str(found)
        for column, values in answers[name].table.items():
            if pd.api.types.is_string_dtype(values):
                assert found.table[column].dtype == values.dtype, column


@every_verb
def test_a_lacking_table_is_named(name, small):
    team = Team(small.settings, {"reps": small.reps, "deals": small.deals})
    try:
        found = answer(name, team)
    except DataError as error:
        lacking = {fault.table for fault in error.faults}
        assert lacking
        assert lacking <= set(schema.MODELS) - {"reps", "deals"}
    else:
        assert found.headline.strip()


@pytest.mark.parametrize("name", [name for name in sorted(VERBS) if takes_rep(name)])
def test_an_unknown_rep_is_an_error(name, small):
    with pytest.raises(DataError, match="no rep 'Nobody'"):
        answer(name, small, rep="Nobody")
