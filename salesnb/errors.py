"""What is wrong with the data, said all at once and in words that tell where to look."""

from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz import fuzz, process

SHOWN = 60
LISTED = 40  # known names at most


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: where it stands, what was found, what was expected.

    `rows` counts as a spreadsheet does (the header of a CSV is row 1; Parquet has no header). The
    rows of a database have no numbers: `ids` are what stands in their first column.
    """

    table: str
    expected: str
    column: str = ""
    value: str = ""
    rows: tuple[int, ...] = ()
    nearest: str = ""
    ids: tuple[str, ...] = ()

    def __str__(self) -> str:
        rows = self.rows or self.ids
        place = self.table + (f", {_rows(rows)}" if rows else "")
        word = "columns " if " + " in self.column else "column "
        word = "" if self.table.endswith((".toml", ".json")) else word
        place += f", {word}{self.column}" if self.column else ""
        found = f"found {self.value!r}, " if self.value else ""
        hint = f" (nearest: {self.nearest!r})" if self.nearest else ""
        return f"{place}: {found}expected {self.expected}{hint}"


class DataError(ValueError):
    """The data, or a name that was asked for, does not fit; `faults` holds every fault found.

    The message lists the faults, unless they are `said` in a sentence.
    """

    def __init__(self, faults: Iterable[Fault] | str, said: str = ""):
        self.faults = (Fault("data", faults),) if isinstance(faults, str) else tuple(faults)
        if said or isinstance(faults, str):
            super().__init__(said or faults)
            return
        lines = [f"- {fault}" for fault in self.faults[:SHOWN]]
        more = len(self.faults) - SHOWN
        lines += [f"- and {more} more"] if more > 0 else []
        n = len(self.faults)
        super().__init__(f"{n} {'fault' if n == 1 else 'faults'} in the data:\n" + "\n".join(lines))

    def _render_traceback_(self) -> list[str]:
        """What Jupyter shows: the message alone, for the fault is in the data, not in the code."""
        return str(self).splitlines()


def nearest(word: str, known: Iterable[str], at_least: float = 70) -> str:
    """The known name that looks most like `word`, or an empty string."""
    best = process.extractOne(
        str(word), list(known), scorer=fuzz.ratio, processor=str.casefold, score_cutoff=at_least
    )
    return best[0] if best else ""


def some(names: list[str]) -> str:
    """Names in a row; of very many the first."""
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def unknown(
    what: str, word: str, known: Iterable[str], listed: Iterable[str] | None = None
) -> DataError:
    """The error for a name nobody knows: says what is known and what was perhaps meant.

    `listed` are the known names as they are shown, where they go by more than one.
    """
    names = [str(name) for name in known]
    close = nearest(word, names)
    shown = [*dict.fromkeys(names if listed is None else listed)]
    all_known = f"Known: {some(shown) or 'none'}."
    hint = f"Did you mean {close!r}?" if close else all_known
    return DataError(f"There is no {what} {word!r}. {hint}")


def _rows(rows: tuple[int, ...] | tuple[str, ...]) -> str:
    if len(rows) == 1:
        return f"row {rows[0]}"
    more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
    return f"rows {', '.join(map(str, rows[:5]))}{more}"
