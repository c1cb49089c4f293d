"""What the commands share: how data are named, and how something is said."""

from pathlib import Path
from typing import Annotated, Any

import typer

PLAIN: dict[str, Any] = {"add_completion": False, "rich_markup_mode": None}
Folder = Annotated[Path, typer.Argument(help="A folder with team.toml and the tables.")]
Source = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="A folder with team.toml and the tables, or a database: postgres://user@host/sales.",
    ),
]


def tell(what: object, *, err: bool = False, nl: bool = True) -> None:
    """Say what may hold words of the data; none of them tells the terminal anything."""
    from salesnb.display import plain

    typer.echo(plain(str(what)), err=err, nl=nl)
