"""A team whose every record after a day is made up: what a finding at that day must not see."""

import numpy as np
import pandas as pd

from salesnb import schema
from salesnb.team import Team

CHOICES = {
    ("deals", "outcome"): ["won", "lost"],
    ("activities", "outcome"): ["held", "no_show", "cancelled"],
    ("ideas", "decision"): ["adopted", "declined"],
}


def scrambled_after(team: Team, day: str, seed: int = 0) -> Team:
    """The same team up to `day`; a third of what is dated later is gone, the rest is nonsense."""
    end = pd.Timestamp(day) + pd.Timedelta(days=1)
    rng = np.random.default_rng(seed)
    tables = {}
    for name, table in team.tables.items():
        table = _later_rows(name, table.copy(), end, rng)
        tables[name] = _later_values(name, table, end, rng)
    return Team(team.settings, tables)


def _later_rows(name, table, end, rng):
    column = schema.DATED_BY.get(name)
    if column is None:
        return table
    dated = table[column]
    dated = dated.fillna(table["happens_at"]) if name == "activities" else dated
    is_later = (dated >= end).to_numpy()
    keep = ~is_later | (rng.random(len(table)) > 1 / 3)
    table, is_later = table[keep].reset_index(drop=True), is_later[keep]
    own_key = next(iter(schema.columns(name)))
    for other in table.columns.difference([column, own_key, "happens_at"]):
        shuffled = table.loc[is_later, other].sample(frac=1, random_state=int(rng.integers(1e9)))
        table.loc[is_later, other] = shuffled.to_numpy()
    return table


def _later_values(name, table, end, rng):
    for column, along in schema.KNOWN_ON.get(name, {}).items():
        is_later = (table[column] >= end).to_numpy()
        if schema.columns(name)[column].nullable:
            moved = end + pd.to_timedelta(rng.integers(0, 400, is_later.sum()), unit="D")
            table.loc[is_later, column] = moved.as_unit("us")
        for other in along:
            words = CHOICES.get((name, other))
            kind = schema.kind(schema.columns(name)[other])
            if words:
                table.loc[is_later, other] = rng.choice(words, is_later.sum())
            elif kind == "text":
                table.loc[is_later, other] = "scrambled"
    return table
