"""Text columns of an export as typed values: what was decided is said, what is wrong is a fault.

A column is decided as a whole, never cell by cell: `03/04/2026` is read like the other days of its
column. Numbers are in `amounts`, days and times in `days`; here is what all kinds share.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from salesnb import cells
from salesnb.checks import value_faults
from salesnb.errors import Fault

# What CRMs, databases and spreadsheets in five languages write where there is nothing.
BLANK = (
    *(
        "NULL",
        "null",
        "N/A",
        "n/a",
        "NaN",
        "nan",
        "None",
        "<NA>",
        "\\N",
        "(blank)",
        "(No value)",
        "-",
        "–",
        "—",
    ),
    *("#N/A", "#NV", "#N/D", "#HIÁNYZIK"),
)
TRUE = ("true", "1", "yes", "y", "t", "x", "igaz", "igen", "wahr", "ja", "vrai", "oui", "verdadero")
FALSE = ("false", "0", "no", "n", "f", "hamis", "nem", "falsch", "nein", "faux", "non", "falso")
FLAGS = {**dict.fromkeys((*TRUE, "sí", "si", "✓"), True), **dict.fromkeys(FALSE, False)}
# =HYPERLINK("address","text") and ="text": a spreadsheet shows the text.
SHOWN = r'^=(?:HYPERLINK\("(?:[^"]|"")*"[,;] ?"(?P<link>(?:[^"]|"")*)"\)|"(?P<text>(?:[^"]|"")*)")$'
FORMULA = r"^=[A-Za-z.]+\((?s:.*)|^=[A-Z]{1,3}\d+\b.*"


@dataclass(frozen=True)
class Options:
    """What can be stated where an export does not tell.

    decimal : ``","`` or ``"."``, the decimal mark of numbers
    day_first : whether ``03/04/2026`` is the third of April
    timezone : the zone of times that state none
    """

    decimal: str = ""
    day_first: bool | None = None
    timezone: str = "UTC"


@dataclass(frozen=True, eq=False)
class Values:
    """A column with typed values, under the row numbers of its table.

    values : text, float64, boolean or datetime64[us] (times in UTC); blank or faulty cells missing
    said : what was decided, in sentences
    faults : the cells that are none, each with its rows
    mended : cells that were replaced, by what was done
    """

    values: pd.Series
    said: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    mended: Mapping[str, int] = field(default_factory=dict)


def text(column: pd.Series, origin: str) -> Values:
    """The cells without space around them, accents as one character, formulas as shown.

    Words that stand for nothing are missing. A formula that shows no text of its own is a fault: it
    is not computed. `origin` names the table in faults.
    """
    values = cells.composed(column.astype("str"))
    values = cells.kept(values.str.strip(), values)
    values = cells.without(values, values == "")
    mended = {}
    is_blank = values.isin(BLANK)
    if is_blank.any():
        for word, n in values[is_blank].value_counts().items():
            mended[f"{word!r} read as a blank cell"] = int(n)
        values = values.mask(is_blank)
    values, n_shown, faults = _without_formulas(values, origin)
    if n_shown:
        mended["a formula replaced by the text that it shows"] = n_shown
    return Values(values, (), faults, mended)


def flags(column: pd.Series, origin: str) -> Values:
    """True and false in English, Hungarian, German, French and Spanish.

    Where the only word is an ``x`` or a tick, blank cells are false, and that is said.
    """
    plain = text(column, origin)
    found = {word: FLAGS.get(word.casefold()) for word in plain.values.dropna().unique()}
    values = plain.values.map({word: flag for word, flag in found.items() if flag is not None})
    wrong = plain.values[plain.values.isin([word for word, flag in found.items() if flag is None])]
    faults = value_faults(origin, str(column.name), wrong, "true or false, in words or as 1 or 0")
    values = values.astype("boolean")
    said: tuple[str, ...] = ()
    if found and {word.casefold() for word in found} <= {"x", "✓"}:
        said = (f"{column.name}: a cell without a mark is false",)
        values = values.fillna(False)
    return Values(values, said, (*plain.faults, *faults), plain.mended)


def matches(text: pd.Series, pattern: str) -> pd.Series:
    """Which cells a pattern of RE2 finds something in; missing ones are false."""
    found = pc.match_substring_regex(array(text), pattern).fill_null(False)
    return found.to_pandas().set_axis(text.index)


def pieces(text: pd.Series | pa.Array, index: pd.Index, pattern: str) -> dict[str, pd.Series]:
    """The named groups of a pattern of RE2 in each cell, missing where there is nothing."""
    found = pc.extract_regex(array(text), pattern)
    gone = found.is_null()
    groups = {kind.name: found.field(kind.name) for kind in found.type}
    return {
        name: pc.if_else(pc.or_(gone, pc.equal(group, "")), None, group).to_pandas().set_axis(index)
        for name, group in groups.items()
    }


def array(text: pd.Series | pa.Array) -> pa.Array:
    """A column of text as an Arrow array in one piece: its patterns are some ten times faster."""
    if isinstance(text, pa.Array):
        return text
    found = pa.array(text, pa.string(), from_pandas=True)
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def _without_formulas(values: pd.Series, origin: str) -> tuple[pd.Series, int, tuple[Fault, ...]]:
    starts = values.str.startswith("=").fillna(False).astype(bool)
    if not starts.any():
        return values, 0, ()
    shown = {formula: _shown(formula) for formula in values[starts].unique()}
    kept = {formula: text for formula, text in shown.items() if text is not None}
    bad = [f for f, text in shown.items() if text is None and re.match(FORMULA, f)]
    is_bad = values.isin(bad)
    faults = value_faults(origin, str(values.name), values[is_bad], "a value, not a formula")
    n_shown = int(values.isin(list(kept)).sum())
    values = values.mask(is_bad).replace(kept)
    return values.mask(values == ""), n_shown, tuple(faults)


def _shown(formula: str) -> str | None:
    found = re.match(SHOWN, formula)
    if not found:
        return None
    inside = found["link"] if found["link"] is not None else found["text"]
    return inside.replace('""', '"').strip()
