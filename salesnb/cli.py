"""The command line: from a CRM export to pages, and from notes back to the data."""

import inspect
import sys
from collections.abc import Callable
from contextlib import closing
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

# What takes seconds to load is imported where it is used: help should come at once.
if TYPE_CHECKING:
    from salesnb.finding import Finding
    from salesnb.verbs import Verb

SIMPLE = (str, int, float, bool, str | None, int | None, float | None, bool | None)
plain: dict[str, Any] = {"add_completion": False, "rich_markup_mode": None}
app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, **plain)
show = typer.Typer(invoke_without_command=True, **plain)
app.add_typer(show, name="show", help="Ask the data one question: salesnb show funnel.leaks TEAM.")


class Format(StrEnum):
    """How `salesnb show` writes an answer."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"


Folder = Annotated[Path, typer.Argument(help="A folder with team.toml and the tables.")]
Source = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="A folder with team.toml and the tables, or a database: postgres://user@host/sales.",
    ),
]
As = Annotated[Format, typer.Option("--format", help="How to write the answer.")]
Output = Annotated[Path | None, typer.Option(help="Write to this file instead of the screen.")]


def main() -> None:
    """Run the command that was typed; bad data ends with its message and exit code 2."""
    from salesnb.errors import DataError

    if sys.argv[1:2] == ["show"]:
        _add_verbs()
    try:
        app()
    except DataError as error:
        _say(error, err=True)
        sys.exit(2)


def _say(what: object, *, err: bool = False, nl: bool = True) -> None:
    """Say what may hold words of the data; none of them tells the terminal anything."""
    from salesnb.display import plain

    typer.echo(plain(str(what)), err=err, nl=nl)


@app.callback()
def about() -> None:
    """The sales manager's notebooks: from a CRM export to one-on-one pages."""


@app.command()
def check(source: Source) -> None:
    """Check a data set and say what it holds, or every fault with table, row and column."""
    import salesnb

    _say(salesnb.check(source))


@app.command("import", no_args_is_help=True)
def import_(
    mapping: Annotated[
        str,
        typer.Argument(
            help="A CRM: salesforce, hubspot, pipedrive; a mapping: maven, salvirt, a .toml file.",
            show_default=False,
        ),
    ] = "",
    source: Annotated[
        Path | None,
        typer.Argument(
            help="What the CRM exported: a folder, .zip, workbook or file.", show_default=False
        ),
    ] = None,
    destination: Annotated[
        Path | None, typer.Argument(metavar="DEST", help="The folder to write.", show_default=False)
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace what an earlier import wrote there.")
    ] = False,
    update: Annotated[
        bool,
        typer.Option("--update", help="Bring an earlier import up to date; what was logged stays."),
    ] = False,
    encoding: Annotated[
        str, typer.Option(help="How text files are written, such as cp1250. [default: found out]")
    ] = "",
    as_of: Annotated[str, typer.Option(help="The day of the export. [default: its latest]")] = "",
    stages: Annotated[
        str, typer.Option(help="The open stages in order, with commas. [default: found out]")
    ] = "",
    record_type: Annotated[str, typer.Option(help="Import deals of this record type only.")] = "",
    pipeline: Annotated[str, typer.Option(help="Import deals of this pipeline only.")] = "",
    currency: Annotated[str, typer.Option(help="The currency, where the CRM has but one.")] = "",
    timezone: Annotated[str, typer.Option(help="The zone of times that state none.")] = "UTC",
    decimal: Annotated[str, typer.Option(help="The decimal mark, where nothing tells.")] = "",
    day_first: Annotated[
        bool | None,
        typer.Option("--day-first/--month-first", help="How 03/04/2026 is meant, if unclear."),
    ] = None,
    anonymous: Annotated[
        Path | None,
        typer.Option(
            metavar="KEYFILE",
            help="Put pseudonyms for the names of reps and accounts, by the key in this file; it "
            "is made if there is none.",
            show_default=False,
        ),
    ] = None,
    without_notes: Annotated[
        bool, typer.Option("--without-notes", help="Leave out what people wrote in sentences.")
    ] = False,
    template: Annotated[
        Path | None,
        typer.Option(metavar="DEST", help="Write empty tables to fill by hand, and how, instead."),
    ] = None,
) -> None:
    """Turn a CRM export into a data set; rows left out are counted by reason."""
    from salesnb import importers, verbs

    if template is not None:
        if mapping:
            raise typer.BadParameter("with --template nothing is imported: give only its folder.")
        typer.echo(f"{importers.template.write(template)}: {importers.template.GUIDE} says how.")
        return
    if source is None or destination is None:
        raise typer.BadParameter("a mapping, a source and a folder to write are needed.")
    if update and overwrite:
        raise typer.BadParameter("--update keeps what --overwrite replaces: choose one.")
    if decimal not in ("", ",", "."):
        raise typer.BadParameter("--decimal is a comma or a point.")
    stated = importers.Stated(
        as_of=as_of,
        stages=tuple(stage.strip() for stage in stages.split(",") if stage.strip()),
        record_type=record_type,
        pipeline=pipeline,
        currency=currency,
        reading=importers.Options(decimal, day_first, timezone),
    )
    with importers.progress.bar():
        report = importers.run(
            mapping,
            source,
            destination,
            overwrite=overwrite,
            encoding=encoding,
            stated=stated,
            private=importers.Privacy(anonymous, without_notes),
            update=update,
        )
    _say(report)
    lacking = verbs.unanswered(report.team)
    if lacking:
        typer.echo("\nCannot be answered, for lack of")
    for table, names in lacking.items():
        typer.echo(f"- {table}: {', '.join(names)}")


@app.command()
def simulate(
    destination: Annotated[Path, typer.Argument(metavar="DEST", help="The folder to write.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same team.")] = 0,
    reps: Annotated[int, typer.Option(min=1)] = 24,
    deals_per_rep: Annotated[int, typer.Option(min=1)] = 120,
    deals: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Deals of all reps, in place of --deals-per-rep: to the next "
            "whole number for each. From 300,000 on a company of many teams is made.",
        ),
    ] = None,
    months: Annotated[int, typer.Option(min=1)] = 24,
    as_of: Annotated[str, typer.Option(help="The day on which its history ends.")] = "2026-06-30",
    null: Annotated[bool, typer.Option("--null", help="Everybody differs by chance only.")] = False,
) -> None:
    """Make up a team, to try things out without anybody's data; or a large company, team by team.

    However large a company is, it takes about 1 GB of memory.
    """  # fmt: skip
    from salesnb import simulation
    from salesnb.simulation import company

    per_rep = deals_per_rep if deals is None else max(1, round(deals / reps))
    asked: dict[str, Any] = {"seed": seed, "reps": reps, "deals_per_rep": per_rep}
    asked |= {"months": months, "as_of": as_of, "null": null}
    if reps * per_rep >= company.LARGE:
        typer.echo(company.write(destination, **asked))
        return
    team, _ = simulation.simulate(**asked)
    typer.echo(team.save(destination))


@app.command()
def report(
    source: Source,
    notebook: Annotated[
        list[str] | None, typer.Option(help="Only this notebook, by name; may be repeated.")
    ] = None,
    rep: Annotated[
        list[str] | None, typer.Option(help="Only this rep, by id or name; may be repeated.")
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="Set a notebook parameter."),
    ] = None,
    notebooks: Annotated[Path, typer.Option(help="The folder of notebooks.")] = Path("notebooks"),
    output: Annotated[
        str, typer.Option(help="The folder for the pages, or an address: s3://bucket/folder.")
    ] = "reports",
    by: Annotated[
        str, typer.Option(help="One pack for each region or manager: a column of the table reps.")
    ] = "",
    workers: Annotated[int | None, typer.Option(min=1, help="Notebooks run at a time.")] = None,
    dask: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Let a Dask cluster make the pages: tcp://host:8786, or local:4 for four workers "
            "here. Data, notebooks and pages need the same path on all its machines.",
        ),
    ] = "",
    force: Annotated[
        bool, typer.Option("--force", help="Make pages again whose data did not change.")
    ] = False,
    time_limit: Annotated[float, typer.Option(min=1, help="Seconds a notebook may take.")] = 600,
    memory_limit: Annotated[
        float, typer.Option(min=100, help="MiB of memory a notebook may take.")
    ] = 4096,
    keep: Annotated[
        bool, typer.Option("--keep-notebooks", help="Keep the executed notebooks too.")
    ] = False,
    shared: Annotated[
        bool, typer.Option("--shared", help="Let others on this machine read the pages.")
    ] = False,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Keep nothing on disk for the next run.")
    ] = False,
) -> None:
    """Run the notebooks and write their pages: one per team notebook, two per rep.

    Pages whose data, notebook and parameters did not change are left as they are. Ends with 1 if
    a notebook failed, 3 if the index could not be written, 130 if it was stopped.
    """
    from salesnb.report import standing

    asked: dict[str, Any] = {"only": notebook or (), "reps": rep or (), "given": parameter or ()}
    asked |= {"by": by, "is_shared": shared, "is_keeping": keep}
    if not force and (index := standing.index(source, notebooks, output, **asked)):
        typer.echo(index)
        return
    from salesnb import door
    from salesnb.report import batch, outcome
    from salesnb.report.plan import chosen

    chosen(notebooks, asked["only"], asked["given"])  # what is misspelt is told before data load
    options = batch.Options(
        workers=workers, seconds=time_limit, memory=memory_limit, is_forced=force,
        cache=None if no_cache else _cache(), dask=dask,
    )  # fmt: skip
    try:
        with closing(batch.crew(door.located(source), output, options)) as ready:
            plan = ready.plan(source, notebooks, output, **asked)
            outcomes = batch.run(plan, options, ready)
    except KeyboardInterrupt:
        typer.echo("Stopped. The pages made so far stand; the same command goes on.", err=True)
        raise typer.Exit(130) from None
    except OSError as error:
        _say(f"The index could not be written: {error}", err=True)
        raise typer.Exit(3) from None
    except RuntimeError as error:  # what should make the pages was killed, or never began
        _say(str(error), err=True)
        raise typer.Exit(3) from None
    typer.echo(plan.folder / "index.html")
    n_failed = sum(each.status == outcome.FAILED for each in outcomes)
    if n_failed:
        typer.echo(f"{n_failed} of {len(outcomes)} failed: see the page above.", err=True)
        raise typer.Exit(1)


def _cache() -> Path:
    """The user's folder for what can be worked out again."""
    from platformdirs import user_cache_path

    return user_cache_path("salesnb") / "answers"


@app.command("ride-alongs")
def ride_alongs(
    source: Source,
    per_year: Annotated[int, typer.Option(help="Visits with each rep.")] = 2,
    weeks: Annotated[int, typer.Option(help="How far ahead to plan.")] = 8,
    per_week: Annotated[int, typer.Option(help="Visits in a week at most.")] = 2,
    away: Annotated[str, typer.Option(help="Days: 2026-07-06/2026-07-10,2026-07-20")] = "",
    output: Annotated[Path, typer.Option(help="The folder for the files.")] = Path("reports"),
) -> None:
    """Plan the coming ride-alongs: a calendar file, and a sheet to print for each visit."""
    from salesnb.report import ride_alongs as files

    options = {"per_year": per_year, "weeks": weeks, "per_week": per_week}
    _say(files.write(source, output, **options, away=away))


@app.command()
def log(
    notes: Annotated[list[Path], typer.Argument(help="What one-on-one pages downloaded.")],
    folder: Folder,
) -> None:
    """Put the notes of one-on-ones into the coaching table; notes logged before add nothing."""
    from salesnb import logbook

    for entry in logbook.log(notes, folder):
        _say(entry)


@app.command()
def cards(
    source: Source,
    product: Annotated[str | None, typer.Option(help="Only this product, by id or name.")] = None,
    output: Annotated[Path, typer.Option(help="The folder for the pages.")] = Path("reports"),
) -> None:
    """Write a sheet for each product: what makes it different, to print and to pin up."""
    from salesnb.report import cards

    typer.echo(cards.write(source, output, product))


@show.callback()
def show_(context: typer.Context) -> None:
    """Ask the data one question; without one, list every question it can be asked."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@cache
def _add_verbs() -> None:
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
        _say(written.decode(), nl=False)
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
