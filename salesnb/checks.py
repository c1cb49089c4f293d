"""From raw tables to typed ones, with every fault on the way: nothing is dropped or repaired."""

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd

from salesnb import cells, schema
from salesnb.errors import Fault, nearest
from salesnb.history import look_up
from salesnb.schema import pa
from salesnb.settings import Settings

# So many different wrong values of a column are named one by one.
NAMED = 10


def check_tables(
    raw: Mapping[str, pd.DataFrame],
    settings: Settings | None,
    *,
    keys: Mapping[str, Set[str] | None] | None = None,
    whole: bool = True,
) -> tuple[dict[str, pd.DataFrame], list[Fault]]:
    """Type every table and list every fault; the index of a raw table is its row number.

    `keys` are the values of key columns, such as ``"reps.rep_id"``, where not all rows are here,
    None of a column that is missing. Tables that are not `whole` may refer to rows left out.
    """
    tables, faults = {}, []
    for name, frame in raw.items():
        typed, found = as_typed(name, frame)
        # A cell, or a whole column, that is wrong already is not blamed again for being empty.
        known = {(f.column, int(row)) for f in found for row in f.rows or frame.index}
        faults += found + model_faults(name, typed, known)
        if name == "deals":
            faults += closing_faults(typed, known)
        tables[name] = typed
    faults += reference_faults(tables, keys) if whole else []
    faults += [*_overlap_faults(tables), *_early_faults(tables)]
    if settings is not None:
        faults += list(_past_faults(tables, settings)) + list(_stage_faults(tables, settings))
    return {name: frame.reset_index(drop=True) for name, frame in tables.items()}, faults


def as_typed(name: str, raw: pd.DataFrame) -> tuple[pd.DataFrame, list[Fault]]:
    """A table with every column of the schema in its type; columns beyond it follow as they are."""
    known = schema.columns(name)
    faults = _column_faults(name, raw)
    typed = {}
    for column, model in known.items():
        kind = schema.kind(model)
        if column not in raw:
            typed[column] = pd.Series(index=raw.index, dtype=schema.DTYPES[kind])
            continue
        values = cells.blank_to_na(raw[column])
        is_day = column.endswith("_on")
        typed[column] = cells.convert(values, kind, is_day)
        wrong = values[values.notna() & typed[column].isna()]
        expected = partial(cells.expected, kind, is_day)
        faults += value_faults(name, column, wrong, expected, partial(cells.meant, kind))
    for column in raw.columns.difference(list(known), sort=False):
        typed[str(column)] = cells.trait(cells.blank_to_na(raw[column]))
    return pd.DataFrame(typed, index=raw.index, copy=False), faults


def model_faults(
    name: str, table: pd.DataFrame, known: Set[tuple[str, int]] = frozenset()
) -> list[Fault]:
    """What the pandera schema says of a typed table, less the cells in `known`."""
    if table.empty:  # in whose rows nothing is wrong
        return []
    try:
        schema.MODELS[name].validate(table, lazy=True)
    except pa.errors.SchemaErrors as error:
        return [f for found in error.schema_errors for f in _explain(name, table, found, known)]
    return []


def reference_faults(
    tables: Mapping[str, pd.DataFrame], keys: Mapping[str, Set[str] | None] | None = None
) -> list[Fault]:
    """Values that name a row which the other table does not have; an empty one is said once."""
    known = _keys(tables) if keys is None else keys
    faults: list[Fault] = []
    to_empty: dict[str, list[str]] = {}
    for name, table in tables.items():
        for column, (other, other_key) in schema.references(name).items():
            names = known.get(f"{other}.{other_key}")
            if names is None:
                continue
            if n_rows := 0 if names else int(table[column].notna().sum()):
                to_empty.setdefault(other, []).append(f"{name} in {n_rows:,} rows")
                continue
            strange = set(table[column].dropna().unique()) - names
            wrong = table.loc[table[column].isin(strange), column]
            close = partial(nearest, known=names)
            faults += value_faults(name, column, wrong, f"{_a(other_key)} of {other}", close)
    return faults + [
        Fault(
            other,
            f"rows, and it has none; others refer to them: {', '.join(sorted(said))}",
        )
        for other, said in to_empty.items()
    ]


def _keys(tables: Mapping[str, pd.DataFrame]) -> dict[str, Set[str] | None]:
    """The values of each key that others refer to; None if it is missing, a fault of its own."""
    targets = {target for name in tables for target in schema.references(name).values()}
    found: dict[str, Set[str] | None] = {}
    for name, key in targets:
        if name in tables:
            names = set(tables[name][key].dropna())
            found[f"{name}.{key}"] = None if len(tables[name]) and not names else names
    return found


def closing_faults(deals: pd.DataFrame, known: Set[tuple[str, int]] = frozenset()) -> list[Fault]:
    """Deals with an outcome but no day, or a day but no outcome, less the cells in `known`."""
    wrong = {row for column, row in known if column in ("outcome", "closed_on")}
    sound = deals[~deals.index.isin(wrong)]
    no_day = sound[sound["outcome"].notna() & sound["closed_on"].isna()]
    no_outcome = sound[sound["closed_on"].notna() & sound["outcome"].isna()]
    return [
        *value_faults("deals", "outcome", no_day["outcome"], "closed_on filled too"),
        *value_faults("deals", "closed_on", no_outcome["closed_on"], "an outcome: won or lost"),
    ]


def _overlap_faults(tables: Mapping[str, pd.DataFrame]) -> list[Fault]:
    """Quotas of a rep that begin before an earlier one has ended."""
    quotas = tables.get("quotas", schema.empty("quotas"))
    quotas = quotas.drop_duplicates(["rep_id", "starts_on", "ends_on"], keep=False)
    quotas = quotas.sort_values(["rep_id", "starts_on", "ends_on"])
    last = quotas.groupby("rep_id")["ends_on"].cummax().groupby(quotas["rep_id"]).shift()
    both = quotas.assign(last=last)[quotas["starts_on"] <= last].sort_index()
    starts, ends = (both[name].dt.strftime("%Y-%m-%d") for name in ("starts_on", "last"))
    wrong = starts + " for " + both["rep_id"] + " with a quota to " + ends
    return value_faults("quotas", "starts_on", wrong, "one quota of a rep at a time")


def _early_faults(tables: Mapping[str, pd.DataFrame]) -> list[Fault]:
    """Stages entered before their deal was created."""
    if "deals" not in tables or "stage_changes" not in tables:
        return []
    changes = tables["stage_changes"]
    created = tables["deals"].drop_duplicates("deal_id").set_index("deal_id")["created_on"]
    created = look_up(changes["deal_id"], created)
    # A day of grace: a time stored in UTC can fall on the day before the local one.
    is_early = changes["entered_at"] < created - pd.Timedelta(days=1)
    days = (dates[is_early].dt.strftime("%Y-%m-%d") for dates in (changes["entered_at"], created))
    entered, made = days
    wrong = entered + " with created_on " + made
    return value_faults(
        "stage_changes", "entered_at", wrong, "a day not before the deal's created_on"
    )


def _past_faults(tables: Mapping[str, pd.DataFrame], settings: Settings) -> Iterator[Fault]:
    # A day of grace: a time stored in UTC can fall on the day after the local one.
    limit = settings.as_of + pd.Timedelta(days=2)
    for name, table in tables.items():
        for column in schema.PAST.get(name, ()):
            wrong = table.loc[table[column] >= limit, column]
            expected = f"a day not after as_of ({settings.as_of.date()})"
            yield from value_faults(name, column, wrong, expected)


def _stage_faults(tables: Mapping[str, pd.DataFrame], settings: Settings) -> Iterator[Fault]:
    changes = tables.get("stage_changes")
    if changes is None:
        return
    stages = set(settings.stages)
    if not stages and len(changes):
        yield Fault("team.toml", "the open stages in order, as stage_changes has them", "stages")
        return
    wrong = changes.loc[changes["stage"].notna() & ~changes["stage"].isin(stages), "stage"]
    close = partial(nearest, known=stages)
    yield from value_faults("stage_changes", "stage", wrong, "a stage of team.toml", close)


def _column_faults(name: str, raw: pd.DataFrame) -> list[Fault]:
    known = list(schema.columns(name))
    absent = [column for column in known if column not in raw]
    extra = [str(column) for column in raw.columns if column not in known]
    faults = [
        Fault(name, "this column, which is required", column, nearest=nearest(column, extra))
        for column in schema.required(name)
        if column in absent
    ]
    meant = {fault.nearest for fault in faults}
    for column in extra:
        close = nearest(column, absent, at_least=80)
        if close and column not in meant:
            faults.append(Fault(name, "a known column", column, nearest=close))
    return faults


def _explain(
    name: str, table: pd.DataFrame, error: pa.errors.SchemaError, known: Set[tuple[str, int]]
) -> list[Fault]:
    """One pandera error in words: each value once, with its rows."""
    cases = error.failure_cases
    check = error.check if isinstance(error.check, str) else str(error.check.name)
    if check == "multiple_fields_uniqueness":
        columns = schema.MODELS[name].unique or []
        rows = table.loc[sorted(set(cases["index"])), columns].dropna().astype(str)
        wrong = rows.apply(", ".join, axis=1) if len(rows) else pd.Series(dtype="str")
        return value_faults(name, " + ".join(columns), wrong, "every row once")
    if ">=" in check:
        then, first = check.split(" >= ")
        rows = table.loc[sorted(set(cases["index"]))]
        days = rows[[then, first]].apply(lambda d: d.dt.strftime("%Y-%m-%d"))
        wrong = days[then] + f" with {first} " + days[first]
        return value_faults(name, then, wrong, f"a day not before {first}")
    column = str(error.schema.name)
    cases = cases.loc[[(column, int(row)) not in known for row in cases["index"]]]
    wrong = pd.Series(cases["failure_case"].to_numpy(), index=cases["index"].astype(int))
    if check == "not_nullable":
        return value_faults(name, column, wrong.map(lambda _: ""), "a value, which is required")
    if check == "field_uniqueness":
        return value_faults(name, column, wrong.dropna(), "every value once")
    allowed = (getattr(error.check, "statistics", None) or {}).get("allowed_values", ())
    return value_faults(
        name, column, wrong, _in_words(error.check), partial(nearest, known=allowed)
    )


def _in_words(check: Any) -> str:
    statistics = getattr(check, "statistics", None) or {}
    if "allowed_values" in statistics:
        return "one of " + ", ".join(statistics["allowed_values"])
    words = {"min_value": "at least", "max_value": "at most"}
    said = [f"{words[k]} {v:g}" for k, v in statistics.items() if k in words]
    return "a number " + " and ".join(said) if said else str(check)


def value_faults(
    table: str,
    column: str,
    wrong: pd.Series,
    expected: str | Callable[[str], str],
    hint: Callable[[str], str] = lambda value: "",
) -> list[Fault]:
    """One fault for each different wrong value, with all its rows; many are summed up in one."""
    if not len(wrong):
        return []
    values = wrong.astype(str)
    named = list(values.drop_duplicates()[:NAMED])
    rows = {value: tuple(int(r) for r in values.index[values == value]) for value in named}
    said = [
        Fault(
            table,
            expected if isinstance(expected, str) else expected(value),
            column,
            _short(value),
            rows[value],
            hint(value),
        )
        for value in named
    ]
    others = values[~values.isin(named)]
    if len(others):
        found = f"{others.nunique():,} more values such as {_short(others.iloc[0])}"
        said.append(
            replace(said[-1], value=found, rows=tuple(int(r) for r in others.index), nearest="")
        )
    return said


def _a(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


def _short(value: str) -> str:
    return value if len(value) <= 80 else value[:79] + "…"
