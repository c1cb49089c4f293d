"""Tables of which a notebook says that it shows a rep's own rows alone: others' change nothing."""

import nbformat
import numpy as np
import pytest
import torture
from conftest import ROOT
from inprocess import executed

import salesnb
from salesnb import schema
from salesnb.report.inputs import OWN, SECTION
from salesnb.team import Team

REP = "R02"


def own_rows(path):
    return nbformat.read(path, as_version=4).metadata.get(SECTION, {}).get(OWN, [])


NOTEBOOKS = [path for path in sorted((ROOT / "notebooks").glob("*.ipynb")) if own_rows(path)]


def scrambled(team, names):
    """The team with half of the other reps' rows of these tables, their values exchanged."""
    tables, dice = dict(team.tables), np.random.default_rng(1)
    for name in names:
        table = team.tables[name].copy()
        keep = (table["rep_id"] == REP) | (dice.random(len(table)) > 0.5)
        table = table[keep].reset_index(drop=True)
        others = (table["rep_id"] != REP).to_numpy()
        own_key = next(iter(schema.columns(name)))
        for column in table.columns.difference(["rep_id", own_key]):
            shuffled = table.loc[others, column].sample(frac=1, random_state=1)
            table.loc[others, column] = shuffled.to_numpy()
        tables[name] = table
    return Team(team.settings, tables)


def answers(path, team, monkeypatch):
    monkeypatch.setattr(salesnb, "load", lambda _: team)
    return torture.answers(executed(path, rep=REP).cells)


def test_there_are_some():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_other_reps_rows_change_nothing(path, small, monkeypatch):
    names = own_rows(path)
    assert all("rep_id" in schema.columns(name) for name in names)
    other = scrambled(small, names)
    assert all(other.digests[name] != small.digests[name] for name in names)
    first = answers(path, small, monkeypatch)
    assert answers(path, other, monkeypatch) == first
    assert answers(path, scrambled(small, ["deals"]), monkeypatch) != first, "it would be seen"
