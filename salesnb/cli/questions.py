"""`salesnb show`: one command for each question, with the options of its verb."""

import inspect
import sys
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from salesnb.cli.words import PLAIN, Source, tell

if TYPE_CHECKING:
    from salesnb.finding import Finding
    from salesnb.verbs import Verb

SIMPLE = (str, int, float, bool, str | None, int | None, float | None, bool | None)
show = typer.Typer(invoke_without_command=True, **PLAIN)


class Format(StrEnum):
    """How `salesnb show` writes an answer."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"


As = Annotated[Format, typer.Option("--format", help="How to write the answer.")]
Output = Annotated[Path | None, typer.Option(help="Write to this file instead of the screen.")]


@show.callback()
def show_(context: typer.Context) -> None:
    """Ask the data one question; without one, list every question it can be asked."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@cache
def add_verbs() -> None:
    """Give every verb its command; only now are the topics loaded."""
    from salesnb import verbs

    for name, verb in verbs.find().items():
        show.command(name, help=_help(verb), short_help=verbs.first_line(verb))(_command(verb))


def _command(verb: "Verb") -> Callable[..., None]:
    """A command with one option for each keyword of a verb."""
    import salesnb
    from salesnb import verbs

    def command(source: str, format: Format, output: Path | None, **options: Any) -> None:
        _write(verb(salesnb.load(source), **options), format, output)

    own = [_option(parameter) for parameter in verbs.options(verb)]
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter("source", keyword, annotation=Source),
        *own,
        inspect.Parameter("format", keyword, annotation=As, default=Format.table),
        inspect.Parameter("output", keyword, annotation=Output, default=None),
    ]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    return command


def _option(parameter: inspect.Parameter) -> inspect.Parameter:
    kind = parameter.annotation if parameter.annotation in SIMPLE else str
    return parameter.replace(
        kind=inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[kind, typer.Option()]
    )


def _help(verb: "Verb") -> str:
    # \b keeps the lines of a paragraph as they are: column lists stay lists.
    return (inspect.getdoc(verb) or "").replace("\n\n", "\n\n\b\n")


def _write(finding: "Finding", format: Format, output: Path | None) -> None:
    from salesnb.report.files import write_whole

    if format is Format.parquet and output is None:
        raise typer.BadParameter("Parquet is not for the screen: add --output FILE.")
    written = _as_bytes(finding, format)
    if output is not None:
        write_whole(output, written)
    elif sys.stdout.isatty():
        tell(written.decode(), nl=False)
    else:
        typer.echo(written.decode(), nl=False)


def _as_bytes(finding: "Finding", format: Format) -> bytes:
    import json

    from salesnb.display import for_spreadsheet

    if format is Format.parquet:
        return finding.table.to_parquet(index=False)
    if format is Format.csv:
        return for_spreadsheet(finding.table).encode()
    if format is Format.table:
        return f"{finding}\n".encode()
    rows = finding.table.to_json(orient="records", date_format="iso")
    said = {"headline": finding.headline, "table": json.loads(rows or "[]")}
    said |= {"ask": finding.ask, "caveats": finding.caveats, "currency": finding.currency}
    return (json.dumps(said, ensure_ascii=False, indent=2) + "\n").encode()
