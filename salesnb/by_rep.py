"""Rows of a table by rep: whose are asked for is found without a look at those of the others."""

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True, eq=False)
class ByRep:
    """The rows of a table in order of their rep, and where each rep's are.

    rows : in order of rep_id, within a rep as they were
    starts : by rep_id, `first` and `n` of the rep's rows
    """

    rows: pd.DataFrame
    starts: pd.DataFrame

    def of(self, *reps: str) -> pd.DataFrame:
        """The rows of these reps, in order of rep_id; none of one who has none."""
        here = self.starts[self.starts.index.isin(reps)]
        first, n = here["first"].to_numpy(), here["n"].to_numpy()
        return self.rows.iloc[np.arange(n.sum()) + np.repeat(first - (n.cumsum() - n), n)]


def by_rep(table: pd.DataFrame) -> ByRep:
    """A table with a column rep_id by rep; rows of nobody are left out."""
    rows = table[table["rep_id"].notna()]
    rows = rows.sort_values("rep_id", kind="stable", ignore_index=True)
    n = rows.groupby("rep_id", observed=True).size()
    return ByRep(rows, pd.DataFrame({"first": n.cumsum() - n, "n": n}))
