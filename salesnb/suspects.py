"""Rows that look wrong, found where the data are: only these need to be looked at one by one.

A row that is wrong is among them; one that is among them may be sound after all, for `checks`
says. pandera's own backend for Ibis is not enough: it passes over ``unique``, returns wrong
values without their rows, and knows of no other table, nor of a day written as text.
"""

from collections.abc import Iterator, Mapping
from functools import reduce
from operator import or_
from typing import Any

import ibis
import pandas as pd

from salesnb import schema, typed
from salesnb.settings import Settings

Tables = Mapping[str, ibis.Table]


def of(tables: Tables, settings: Settings | None) -> dict[str, ibis.Table]:
    """The rows of each table that look wrong, as they are."""
    early = _early(tables)
    found = {}
    for name, raw in tables.items():
        wrong = [*_cells(name, raw), *_rows(name, raw), *_references(name, raw, tables)]
        wrong += [] if settings is None else [*_by_settings(name, raw, settings)]
        if name == "quotas":
            wrong += _overlaps(raw)
        if early is not None and name in ("deals", "stage_changes"):
            wrong.append(typed.value(name, raw, "deal_id").isin(early["deal_id"]))
        found[name] = raw.filter(reduce(or_, (each.fill_null(False) for each in wrong)))
    return found


def _cells(name: str, raw: ibis.Table) -> Iterator[ibis.Value]:
    """Cells of the wrong kind, blank ones that must be filled, values that are not allowed."""
    for column, model in schema.columns(name).items():
        if column not in raw.columns:
            continue
        value, is_present = typed.value(name, raw, column), typed.is_present(raw[column])
        yield value.isnull() if not model.nullable else is_present & value.isnull()
        for check in model.checks:
            yield _breaks(value, check.statistics or {})
        if model.unique:
            yield _is_twice(raw, value)


def _breaks(value: Any, limits: Mapping[str, Any]) -> ibis.Value:
    if "allowed_values" in limits:
        return value.notin(list(limits["allowed_values"]))
    low, high = limits.get("min_value"), limits.get("max_value")
    return value < low if low is not None else value > high


def _is_twice(raw: ibis.Table, value: Any) -> ibis.Value:
    counts = raw.select(key=value).group_by("key").aggregate(n=ibis._.count())
    return value.isin(counts.filter(counts["n"] > 1)["key"])


def _rows(name: str, raw: ibis.Table) -> Iterator[ibis.Value]:
    """Rows that contradict themselves or repeat another."""
    model = schema.MODELS[name]
    for check in model.checks:
        then, first = check.name.split(" >= ")
        yield typed.value(name, raw, then) < typed.value(name, raw, first)
    if model.unique:
        values = (typed.value(name, raw, column).cast("string") for column in model.unique)
        yield _is_twice(raw, reduce(lambda one, other: one + "|" + other, values))
    if name == "deals":
        outcome, closed = (typed.value(name, raw, c) for c in ("outcome", "closed_on"))
        yield outcome.notnull() != closed.notnull()


def _references(name: str, raw: ibis.Table, tables: Tables) -> Iterator[ibis.Value]:
    """Values that name a row which the other table does not have."""
    for column, (other, key) in schema.references(name).items():
        if column in raw.columns and other in tables and key in tables[other].columns:
            names = tables[other].select(**{key: typed.value(other, tables[other], key)})
            names = names.filter(names[key].notnull())
            yield typed.value(name, raw, column).notin(names[key])


def _by_settings(name: str, raw: ibis.Table, settings: Settings) -> Iterator[ibis.Value]:
    """Days after the export, and stages that ``team.toml`` does not name."""
    limit = ibis.timestamp(str(settings.as_of + pd.Timedelta(days=2)))
    for column in schema.PAST.get(name, ()):
        yield typed.value(name, raw, column) >= limit
    if name == "stage_changes" and settings.stages:
        yield typed.value(name, raw, "stage").notin(list(settings.stages))


def _overlaps(quotas: ibis.Table) -> list[ibis.Value]:
    """All quotas of a rep two of whose follow each other too soon."""
    own = typed.table("quotas", quotas).select("rep_id", "starts_on", "ends_on")
    window = ibis.window(group_by="rep_id", order_by=["starts_on", "ends_on"])
    last = own.mutate(last=own["ends_on"].lag().over(window))
    reps = last.filter(last["starts_on"] <= last["last"])
    return [typed.value("quotas", quotas, "rep_id").isin(reps["rep_id"])]


def _early(tables: Tables) -> ibis.Table | None:
    """The deals of which a stage was entered before they were created."""
    if "stage_changes" not in tables:
        return None
    deals = typed.table("deals", tables["deals"]).select("deal_id", "created_on")
    changes = typed.table("stage_changes", tables["stage_changes"]).select("deal_id", "entered_at")
    both = changes.join(deals, "deal_id")
    early = both.filter(both["entered_at"] < both["created_on"] - ibis.interval(days=1))
    return early.select("deal_id").distinct()
