"""Commands for the folder one works in: lay it out, open its notebooks."""

from pathlib import Path
from typing import Annotated

import typer

FOR_JUPYTER = {"allow_extra_args": True, "ignore_unknown_options": True}


def new(
    folder: Annotated[Path, typer.Argument(help="The folder to make, such as myteam.")],
) -> None:
    """Make a folder to work in: notebooks, a demo, empty tables.

    Nothing is written over: a folder that holds anything is left as it is.
    """
    from salesnb import workspace

    workspace.lay_out(folder)
    typer.echo(f"{folder}: notebooks, a made-up team in data/demo, empty tables in data/mine.")
    typer.echo(f"Next: cd {folder}, then salesnb report data/demo; README.md says how to go on.")


def lab(context: typer.Context) -> None:
    """Open the notebooks of this folder in JupyterLab.

    Further options are for JupyterLab, such as --no-browser.
    """
    from jupyterlab.labapp import LabApp

    from salesnb import workspace

    first = workspace.own_notebooks() / workspace.FIRST
    own = [
        "--ServerApp.root_dir=.",
        f"--LabApp.default_url=/lab/tree/{first.as_posix()}",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",  # it asks the network
    ]
    LabApp.launch_instance([*own, *context.args])
