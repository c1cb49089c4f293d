"""Companies from a list that nobody has sold to yet, read as strictly as a team's accounts."""

from pathlib import Path

import pandas as pd
from pandas.api import types

from salesnb import door
from salesnb.checks import as_typed, model_faults
from salesnb.errors import DataError, Fault


def read(path: Path) -> pd.DataFrame:
    """The accounts of a CSV or Parquet file; columns that are lacking are blank.

    Raises
    ------
    DataError
        There is no such file, or with every fault of it: no account_id, one twice, a value that
        is no number where one is expected.
    """
    if not path.is_file():
        raise DataError(f"There is no file {str(path)!r} to read prospects from.")
    tables, faults = door.read_files({"accounts": path})
    if faults:
        raise DataError(faults)
    typed, faults = as_typed("accounts", tables["accounts"])
    known = {(fault.column, int(row)) for fault in faults for row in fault.rows or typed.index}
    faults += model_faults("accounts", typed, known)
    if faults:
        raise DataError(faults)
    return typed.reset_index(drop=True)


def must_match(prospects: pd.DataFrame, numbers: tuple[str, ...], path: Path) -> None:
    """Raise `DataError` where a trait that is a number of the team's accounts is words here."""
    faults = [
        Fault(path.name, "numbers, as in the accounts of the team", column=name)
        for name in numbers
        if name in prospects and not types.is_numeric_dtype(prospects[name].dtype)
        if prospects[name].notna().any()
    ]
    if faults:
        raise DataError(faults)
