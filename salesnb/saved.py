"""The files of a data set, as they are written: what the team says of itself, and its tables."""

import csv
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from salesnb import comp_plan, settings
from salesnb.settings import Settings


def write(
    own: Settings, tables: Mapping[str, pd.DataFrame], folder: Path, format: str = "parquet"
) -> None:
    """Write the files of a team into an existing folder, over what is there."""
    write_settings(own, folder)
    for name, table in tables.items():
        write_table(table, folder / f"{name}.{format}")


def write_settings(own: Settings, folder: Path) -> None:
    """Write ``team.toml``, and ``comp.toml`` where it is known how the team is paid."""
    (folder / settings.FILE).write_text(settings.as_toml(own), encoding="utf-8")
    if plans := own.plans:
        (folder / comp_plan.FILE).write_text(comp_plan.as_toml(plans), encoding="utf-8")


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write the file of a table, CSV or Parquet by its name, over what is there."""
    if path.suffix.lower() == ".csv":
        text = _for_csv(table)
        text.to_csv(
            path,
            index=False,
            lineterminator="\n",
            # A bare carriage return ends a row for most readers; to_csv leaves it unquoted.
            quoting=csv.QUOTE_NONNUMERIC if _has_return(text) else csv.QUOTE_MINIMAL,
        )
    else:
        table.to_parquet(path, index=False, compression="zstd")


def _for_csv(table: pd.DataFrame) -> pd.DataFrame:
    """Days as 2026-06-30, times as 2026-06-30T09:15:00Z."""
    table = table.copy(deep=False)
    for column in table.select_dtypes("datetime"):
        has_parts = (table[column].dt.microsecond > 0).any()
        time = "%Y-%m-%dT%H:%M:%S.%fZ" if has_parts else "%Y-%m-%dT%H:%M:%SZ"
        form = "%Y-%m-%d" if str(column).endswith("_on") else time
        table[column] = table[column].dt.strftime(form)
    return table


def _has_return(table: pd.DataFrame) -> bool:
    texts: pd.DataFrame = table.select_dtypes("str")
    return any(texts[column].str.contains("\r", regex=False).any() for column in texts.columns)
