"""What the commands share: how data are named, and how something is said."""

from pathlib import Path
from typing import Annotated, Any

import typer


def _speak(code: str) -> str:
    from salesnb import language

    if code:
        language.use(code)
    return code


PLAIN: dict[str, Any] = {"add_completion": False, "rich_markup_mode": None}
Folder = Annotated[Path, typer.Argument(help="A folder with team.toml and the tables.")]
Source = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="A folder with team.toml and the tables, or a database: postgres://user@host/sales.",
    ),
]
Language = Annotated[
    str,
    typer.Option(
        callback=_speak, metavar="CODE",
        help="The language of what is written: en, hu. [default: SALESNB_LANGUAGE, else en]",
    ),
]  # fmt: skip


def tell(what: object, *, err: bool = False, nl: bool = True) -> None:
    """Say what may hold words of the data; none of them tells the terminal anything."""
    from salesnb.display import plain

    typer.echo(plain(str(what)), err=err, nl=nl)
