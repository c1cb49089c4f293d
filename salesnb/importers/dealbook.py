"""What is asked of the deals of any CRM: a table with what is needed, one kind, one currency."""

from collections.abc import Iterable, Mapping

import pandas as pd

from salesnb.errors import Fault
from salesnb.importers import vendor
from salesnb.importers.source import Source, id_of, named
from salesnb.importers.vendor import Made


def lacking(source: Source, needs: Iterable[tuple[str, ...]]) -> list[Fault]:
    """The columns without which there is no import; of each group one is needed."""
    return [
        Fault(source.table.origin, "this column, by this name or its label", " or ".join(names))
        for names in needs
        if not any(source.has(name) for name in names)
    ]


def choose(
    made: Made,
    deals: Source,
    columns: tuple[str, str],
    names: Mapping[str, str],
    wanted: str,
    what: str,
) -> None:
    """Deals of one kind (`what`: "record type") where one is wanted; else all, and said.

    `columns` are those of its id and its name, `names` the name for each id. A kind is wanted by
    either; `made.faults` has it where there is none.
    """
    id_name, name = columns
    ids = deals.text(id_name)
    called = deals.text(name).fillna(named(ids, names)).fillna(ids)
    counts = called.value_counts()
    if wanted:
        is_meant = (called.str.casefold() == wanted.casefold()) | (ids == wanted)
        if not is_meant.any():
            known = ", ".join(map(str, counts.index)) or "none"
            where = deals.names.get(id_name, deals.names.get(name, ""))
            expected = f"a {what} of the export: {known}"
            made.faults.append(Fault(deals.table.origin, expected, where, wanted))
        deals.leave_out(~is_meant.fillna(False).astype(bool), f"of another {what}")
    elif len(counts) > 1:
        each = ", ".join(f"{name} ({n:,})" for name, n in counts.items())
        option = f"--{what.replace(' ', '-')}"
        made.said.append(f"all {what}s are imported: {each}; {option} chooses one")


def none_left(deals: Source) -> list[Fault]:
    """A fault where every deal is left out."""
    if len(deals.rows):
        return []
    gone = ", ".join(f"{n:,} {reason}" for reason, n in deals.left_out.items())
    return [Fault(deals.table.origin, "deals that are not left out", "", gone)]


def currency(made: Made, source: Source, name: str) -> str:
    """The one currency of a column; several are a fault."""
    counts = source.text(name).value_counts()
    if len(counts) > 1:
        each = ", ".join(f"{code} in {n:,} rows" for code, n in counts.items())
        expected = "amounts in one currency"
        made.faults.append(Fault(source.table.origin, expected, source.names[name], each))
    return str(counts.index[0]) if len(counts) else ""


def closed(
    made: Made, source: Source, closes: pd.Series, changed: pd.Series, limit: pd.Timestamp | None
) -> pd.Series:
    """The days of closing; a close date still ahead gives way to the day of the change.

    `closes` are the close dates of closed deals, `changed` when each entered its last stage;
    `limit` is the end of the day of the export.
    """
    if limit is None:
        return closes
    moved = (closes >= limit) & changed.notna()
    if n := int(moved.sum()):
        made.said.append(
            f"{source.table.origin}: closed deals with a close date still ahead: {n:,}; the "
            "day on which they entered their last stage counts"
        )
    return closes.mask(moved, changed.dt.normalize())


def began(made: Made, source: Source, created: pd.Series, closed: pd.Series) -> pd.Series:
    """The days on which deals began; one that closed before began when it closed, which is said."""
    is_early = closed < created
    if n := int(is_early.sum()):
        made.said.append(
            f"{source.table.origin}: deals entered after the day they closed: {n:,}; they begin on "
            "that day, so that their cycle is 0 days"
        )
    return created.mask(is_early, closed)


def account(
    made: Made,
    source: Source,
    accounts: Mapping[str, str] | None,
    id_name: str,
    name: str,
    otherwise: pd.Series | None = None,
) -> pd.Series:
    """The account of each row, by id or by name; one that is not in the data set is blank.

    `otherwise` is the account where the row names none.
    """
    ids = id_of(source, id_name, name, accounts or {})
    if otherwise is not None:
        ids = ids.fillna(otherwise)
    if accounts is None:
        return ids
    place = source.names.get(id_name, source.names.get(name, "account"))
    what = f"{source.table.origin}, {place}"
    return vendor.known(ids, accounts.values(), what, made.said)
