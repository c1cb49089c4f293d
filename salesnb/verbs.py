"""Every question a team can be asked, found by its signature: there is no list to keep."""

import inspect
import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType

import pandas as pd

import salesnb
from salesnb import schema
from salesnb.errors import DataError
from salesnb.finding import Finding
from salesnb.team import Team

Verb = Callable[..., Finding]
# What stands above the topics and only uses them.
ABOVE = {"cli", "explore", "report", "verbs", "workspace"}


def find() -> dict[str, Verb]:
    """Every verb by its name, such as ``"funnel.leaks"``, in alphabetical order.

    A verb is a public function of a module of salesnb whose first parameter is a `Team` and that
    returns a `Finding`.
    """
    names = sorted({module.name for module in pkgutil.iter_modules(salesnb.__path__)} - ABOVE)
    return {
        f"{name}.{function.__name__}": function
        for name in names
        for function in _verbs_of(import_module(f"salesnb.{name}"))
    }


def first_line(verb: Verb) -> str:
    """The question a verb answers: the first line of its docstring."""
    return (inspect.getdoc(verb) or "").partition("\n")[0]


def options(verb: Verb) -> list[inspect.Parameter]:
    """The parameters of a verb after the team, with their types resolved."""
    return list(inspect.signature(verb, eval_str=True).parameters.values())[1:]


def unanswered(team: Team) -> dict[str, list[str]]:
    """The verbs that a team lacks a table for, by that table.

    Each is asked of the same tables without rows, and one rep: what is lacking shows before
    anything is computed.
    """
    tables = {name: table.head(0) for name, table in team.tables.items()}
    rep = pd.DataFrame({"rep_id": ["R"], "name": ["R"]})
    bare = Team(team.settings, {**tables, "reps": pd.concat([schema.empty("reps"), rep])})
    found: dict[str, list[str]] = {}
    for name, verb in find().items():
        is_of_one = any(o.name == "rep" and o.default is o.empty for o in options(verb))
        try:
            verb(bare, **({"rep": "R"} if is_of_one else {}))
        except DataError as error:
            for table in dict.fromkeys(fault.table for fault in error.faults):
                found.setdefault(table, []).append(name)
    return found


def _verbs_of(module: ModuleType) -> Iterator[Verb]:
    for name, function in sorted(vars(module).items()):
        home = f"{getattr(function, '__module__', '')}."
        is_own = inspect.isfunction(function) and home.startswith(f"{module.__name__}.")
        if is_own and not name.startswith("_") and _is_verb(function):
            yield function


def _is_verb(function: Callable) -> bool:
    signature = inspect.signature(function, eval_str=True)
    first = next(iter(signature.parameters.values()), None)
    return first is not None and first.annotation is Team and signature.return_annotation is Finding
