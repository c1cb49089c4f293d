"""The parameters of notebooks: which there are, and values for them from the command line."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import papermill

from salesnb.errors import DataError, unknown

GIVEN = ("data", "rep")  # the batch sets these itself
WORDS = {"bool": "true or false", "int": "a whole number", "float": "a number"}
FLAGS = {"true": True, "false": False}


def of(notebook: Path) -> dict[str, str]:
    """The parameters of a notebook and their types: ``{"data": "str"}``.

    Raises `DataError` for a file that is no notebook, or one that names no kernel.
    """
    try:
        found = papermill.inspect_notebook(notebook)
    except (ValueError, AttributeError, KeyError) as error:
        why = str(error).splitlines()[0][:120]
        raise DataError(
            f"{notebook}: expected a notebook with a kernel: open it in JupyterLab, choose a "
            f"kernel and save it. ({why})"
        ) from None
    return {name: each["inferred_type_name"] for name, each in found.items()}


def values(
    texts: Iterable[str], known: Mapping[Path, Mapping[str, str]]
) -> dict[Path, dict[str, Any]]:
    """What each notebook is given of ``name=value`` texts; it gets those it has a parameter for.

    Raises `DataError` for a name that no notebook knows, or a value that is not of its type.
    """
    given: dict[Path, dict[str, Any]] = {path: {} for path in known}
    names = sorted({name for types in known.values() for name in types} - set(GIVEN))
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise DataError(f"Expected -p NAME=VALUE, found {text!r}.")
        if name in GIVEN:
            raise DataError(f"{name!r} is set by the report itself: name the data, and use --rep.")
        if name not in names:
            # One that the report sets itself may be what was meant; as such it is refused above.
            raise unknown("notebook parameter", name, [*names, *GIVEN], names)
        for path, types in known.items():
            if name in types:
                given[path][name] = _typed(name, value, types[name])
    return given


def _typed(name: str, value: str, type_name: str) -> Any:
    try:
        if type_name == "bool":
            return FLAGS[value.casefold()]
        return {"int": int, "float": float}.get(type_name, str)(value)
    except (KeyError, ValueError):
        raise DataError(
            f"-p {name}: found {value!r}, expected {WORDS.get(type_name, type_name)}."
        ) from None
