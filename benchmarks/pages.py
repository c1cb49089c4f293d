"""What the benchmarks have in common: how they are called, their tables and their pages."""

import argparse
from pathlib import Path

import pandas as pd

DOCS = Path(__file__).parents[1] / "docs"


def options(doc: str, seeds: int | None = None, flags: tuple[str, ...] = ()) -> argparse.Namespace:
    """What was asked for: the flags, each on or off, and the number of seeds."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawTextHelpFormatter)
    for flag in flags:
        parser.add_argument(f"--{flag}", action="store_true")
    if seeds is not None:
        parser.add_argument("--seeds", type=int, default=seeds)
    return parser.parse_args()


def as_markdown(table: pd.DataFrame, digits: int = 2, **of_column: int) -> str:
    """A table in Markdown, fractions to so many digits; `of_column` where one has others."""
    shown = table.astype(object)
    for column in table.select_dtypes("float"):
        form = f"z.{of_column.get(column, digits)}f"
        shown[column] = [format(value, form) if pd.notna(value) else "" for value in table[column]]
    lines = ["| " + " | ".join(map(str, shown.columns)) + " |", "|" + "---|" * shown.shape[1]]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in shown.itertuples(index=False)]
    return "\n".join(lines)


def write(name: str, text: str) -> None:
    """Write a page of the docs and say where."""
    page = DOCS / name
    page.parent.mkdir(exist_ok=True)
    page.write_text(text, encoding="utf-8")
    print(page)
