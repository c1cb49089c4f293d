"""What the activities of all CRMs share: ids, and kinds that are none of the schema's."""

import pandas as pd

from salesnb.importers.source import Source

OTHER_KINDS = 8  # kinds that are none of the schema's, named one by one


def leave_out_others(source: Source, kind: pd.Series, called: pd.Series, what: str) -> None:
    """Leave out rows of no kind, counted by what their type is called."""
    often = {*called[kind.isna()].value_counts().index[:OTHER_KINDS]}
    for name in sorted(often):
        source.leave_out(kind.isna() & (called == name), f"{what} of type {name}")
    source.leave_out(kind.isna(), f"{what} of another type")


def ids(source: Source, name: str) -> pd.Series:
    """Ids, made from the row where a report has none."""
    rows = pd.Series(source.rows.astype("str"), source.rows, dtype="str")
    return source.text(name).fillna(source.table.name + "-" + rows)
