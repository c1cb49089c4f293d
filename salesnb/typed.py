"""Columns of a table in a database in the types of the schema, as Ibis expressions.

What `cells` does to cells in memory, for an engine: careful rather than exact. A text that is
surely a number, a time or a flag becomes one; any other becomes null, and is to be looked at.
"""

from collections.abc import Callable

import ibis

from salesnb import cells, schema
from salesnb.errors import Fault

DAY = (
    "(19|20)[0-9]{2}-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
    "|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)"
)
TIME = f"^{DAY}([T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{{1,6}})?Z?)?$"
NUMBER = "^-?[0-9]{1,15}([.][0-9]{1,15})?$"
NULLS = ["NULL", "null", "NaN", "nan", r"\N", "<NA>"]
ERRORS = ["#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!"]


def table(name: str, raw: ibis.Table) -> ibis.Table:
    """The columns of the schema, each in its type; null what is missing or of another kind."""
    return raw.select(**{column: value(name, raw, column) for column in schema.columns(name)})


def value(name: str, raw: ibis.Table, column: str) -> ibis.Value:
    """A column of the schema in its type."""
    kind = schema.kind(schema.columns(name)[column])
    if column not in raw.columns:
        return ibis.null(TYPES[kind])
    is_day = column.endswith("_on")
    return _time(raw[column], is_day) if kind == "time" else READ[kind](raw[column])


def bare(name: str, raw: ibis.Table, column: str) -> ibis.Value:
    """A column as it stands, if its type will do: for filters, which an index then can serve."""
    kind = schema.kind(schema.columns(name)[column])
    if column not in raw.columns:
        return value(name, raw, column)
    found = raw[column].type()
    is_time = found.is_timestamp() or found.is_date()
    will_do = {"text": found.is_string(), "time": is_time}.get(kind, False)
    return raw[column] if will_do else value(name, raw, column)


def is_present(cell: ibis.Value) -> ibis.Value:
    """Whether anything stands in a cell."""
    if cell.type().is_string():
        return cell.notnull() & (cell.strip() != "")
    if cell.type().is_floating():
        return cell.notnull() & ~cell.isnan()
    return cell.notnull()


def odd(name: str, raw: ibis.Table) -> list[Fault]:
    """Columns of a type that cannot stand in a table."""
    return [
        Fault(name, "text, numbers, dates or flags", column, str(kind))
        for column, kind in raw.schema().items()
        if kind.is_nested() or kind.is_binary()
    ]


def plain(raw: ibis.Table) -> ibis.Table:
    """Whole numbers as text, since a long id would lose digits beside a blank."""
    kinds = raw.schema().items()
    as_text = {c: raw[c].cast("string") for c, kind in kinds if _is_whole(kind) or kind.is_uuid()}
    fractions = [c for c, kind in kinds if kind.is_decimal() and c not in as_text]
    return raw.mutate(**as_text, **{c: raw[c].cast("float64") for c in fractions})


def _is_whole(kind: ibis.DataType) -> bool:
    return kind.is_integer() or (kind.is_decimal() and kind.scale == 0)


def _if(condition: ibis.Value, then: ibis.Value) -> ibis.Value:
    return ibis.cases((condition, then), else_=ibis.null(then.type()))


def _text(cell: ibis.Value) -> ibis.Value:
    words = cell if cell.type().is_string() else cell.cast("string")
    is_none = words.strip().isin(["", *NULLS, *ERRORS]) | words.startswith("=")
    return _if(~is_none, words)


def _number(cell: ibis.Value) -> ibis.Value:
    kind = cell.type()
    if kind.is_string():
        return _if(cell.re_search(NUMBER), cell).cast("float64")
    if not kind.is_numeric() or kind.is_boolean():
        return ibis.null("float64")
    if kind.is_floating():
        return _if(~(cell.isnan() | cell.isinf()), cell).cast("float64")
    return cell.cast("float64")


def _time(cell: ibis.Value, is_day: bool) -> ibis.Value:
    kind = cell.type()
    if kind.is_string():
        text = _if(cell.re_search(TIME), cell).replace("Z", "").replace("T", " ")
        time = (text.left(10) if is_day else text).cast("timestamp")
    elif kind.is_date() or kind.is_timestamp():
        time = cell.cast("timestamp")
        time = time.truncate("D") if is_day else time
    else:
        return ibis.null("timestamp")
    return _if(time.between(ibis.timestamp(str(cells.EARLIEST)), _end(cells.LATEST)), time)


def _end(last: object) -> ibis.Value:
    return ibis.timestamp(str(last)[:26])


def _flag(cell: ibis.Value) -> ibis.Value:
    kind = cell.type()
    if kind.is_boolean():
        return cell
    if not (kind.is_string() or kind.is_integer()):
        return ibis.null("boolean")
    word = cell.cast("string").strip().lower()
    yes = [word for word, flag in cells.FLAGS.items() if flag]
    return _if(word.isin(list(cells.FLAGS)), word.isin(yes))


READ: dict[str, Callable[[ibis.Value], ibis.Value]] = {
    "text": _text,
    "number": _number,
    "flag": _flag,
}
TYPES = {"text": "string", "number": "float64", "time": "timestamp", "flag": "boolean"}
