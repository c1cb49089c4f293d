"""A company of thousands of reps: many teams, each made up and written before the next."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from salesnb import door, saved, schema
from salesnb.simulation.team import simulate
from salesnb.team import Team

LARGE = 300_000  # deals from which on a company is made team by team
MOST_REPS, MOST_DEALS = 100, 50_000  # of one team: about 1 GB of memory
OF_COMPANY = ("products", "courses", "differentiators")  # the same in every team
ROWS = 50_000  # of a row group, that a slice need not read what it does not ask for


def write(
    folder: str | Path, *, seed: int, reps: int, deals_per_rep: int, months: int, as_of: str,
    null: bool = False,
) -> Path:  # fmt: skip
    """Write a company as Parquet files; the folder appears whole or not at all.

    It takes the memory of one team, however large the company is. The teams follow from the sizes
    alone, so that the same arguments give the same data; each is a `simulate` with a seed of its
    own. Ids begin with the number of the team, and rows stand by team and rep. Raises as
    `simulate`, and where `folder` holds anything.
    """
    place = door.must_be_free(folder)
    options: dict[str, Any] = {
        "deals_per_rep": deals_per_rep,
        "months": months,
        "as_of": as_of,
        "null": null,
    }
    made = (
        simulate(seed=_seed(seed, number), reps=size, **options)[0]
        for number, size in enumerate(sizes(reps, deals_per_rep), start=1)
    )
    with door.whole(place) as aside:
        write_teams(aside, made)
    return place


def write_teams(folder: Path, teams: Iterable[Team]) -> None:
    """Write teams as one company into an existing folder, one after the other."""
    files: dict[str, pq.ParquetWriter] = {}
    goals = []
    try:
        for number, team in enumerate(teams, start=1):
            if number == 1:
                saved.write_settings(team.settings, folder)
            goals.append(team.goals)
            for name, table in _rows(team, number):
                _append(files, folder / f"{name}.parquet", table)
        _append(files, folder / "goals.parquet", _summed(goals))
    finally:
        for file in files.values():
            file.close()


def sizes(reps: int, deals_per_rep: int) -> list[int]:
    """The reps of each team, as alike as can be.

    >>> sizes(250, 1000), sizes(3, 90_000)
    ([50, 50, 50, 50, 50], [1, 1, 1])
    """
    most = max(1, min(MOST_REPS, MOST_DEALS // deals_per_rep))
    n_teams = -(-reps // most)
    return [reps // n_teams + (number < reps % n_teams) for number in range(n_teams)]


def _seed(seed: int, number: int) -> int:
    return int(np.random.SeedSequence(seed, spawn_key=(number,)).generate_state(1)[0])


def _rows(team: Team, number: int) -> Iterator[tuple[str, pd.DataFrame]]:
    """The tables of a team as those of the company; what all teams share is that of the first."""
    shared = {f"{name.removesuffix('s')}_id" for name in OF_COMPANY}
    for name, table in team.tables.items():
        if name == "goals" or (name in OF_COMPANY and number > 1):
            continue
        ids = [e for e in map(str, table) if e.endswith("_id") and e not in shared]
        own = table.assign(**{each: f"{number:03}-" + table[each] for each in ids})
        is_of_reps = "rep_id" in schema.required(name)
        yield name, own.sort_values("rep_id", kind="stable") if is_of_reps else own


def _append(files: dict[str, pq.ParquetWriter], path: Path, table: pd.DataFrame) -> None:
    rows = pa.Table.from_pandas(table, preserve_index=False)
    if path.stem not in files:
        files[path.stem] = pq.ParquetWriter(path, rows.schema, compression="zstd")
    file = files[path.stem]
    file.write_table(rows.cast(file.schema), row_group_size=ROWS)


def _summed(goals: list[pd.DataFrame]) -> pd.DataFrame:
    """What the company wants of a product is what it wants of all its teams."""
    every = pd.concat(goals, ignore_index=True)
    keys = ["product_id", "starts_on", "ends_on"]
    return every.groupby(keys, sort=False)["amount"].sum().reset_index()
