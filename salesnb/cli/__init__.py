"""The command line: from a CRM export to pages, and from notes back to the data."""

import sys
from typing import Annotated

import typer

import salesnb

# What takes seconds to load is imported where it is used: help should come at once.
from salesnb.cli import data, folder, pages, questions
from salesnb.cli.words import PLAIN, tell

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, **PLAIN)


def main() -> None:
    """Run the command that was typed; bad data ends with its message and exit code 2."""
    from salesnb.errors import DataError

    if sys.argv[1:2] == ["show"]:
        questions.add_verbs()
    try:
        app()
    except DataError as error:
        tell(error, err=True)
        sys.exit(2)


def _version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"salesnb {salesnb.__version__}")
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """The sales manager's notebooks: from a CRM export to one-on-one pages."""


# In the order in which one meets them.
app.command()(folder.new)
app.command("import", no_args_is_help=True)(data.import_)
app.command()(data.check)
app.command()(pages.report)
app.command()(data.log)
app.command(context_settings=folder.FOR_JUPYTER)(folder.lab)
app.add_typer(
    questions.show, name="show", help="Ask the data one question: salesnb show funnel.leaks DATA."
)
app.command("ride-alongs")(pages.ride_alongs)
app.command()(pages.cards)
app.command()(data.simulate)
