"""Commands that bring data in: an export, a made-up team, what was agreed in a one-on-one."""

from pathlib import Path
from typing import Annotated, Any

import typer

from salesnb.cli.words import Folder, Source, tell


def check(source: Source) -> None:
    """Check a data set: what it holds, or every fault.

    Each fault is told with table, row, column, the value found and what was expected.
    """
    import salesnb

    tell(salesnb.check(source))


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
        str, typer.Option(help="The encoding of text files, such as cp1250. [default: found out]")
    ] = "",
    as_of: Annotated[str, typer.Option(help="The day of the export. [default: its latest]")] = "",
    stages: Annotated[
        str, typer.Option(help="The open stages in order, with commas. [default: found out]")
    ] = "",
    record_type: Annotated[str, typer.Option(help="Import deals of this record type only.")] = "",
    pipeline: Annotated[str, typer.Option(help="Import deals of this pipeline only.")] = "",
    currency: Annotated[str, typer.Option(help="The currency, where the CRM has but one.")] = "",
    timezone: Annotated[str, typer.Option(help="The zone of times that state none.")] = "UTC",
    decimal: Annotated[
        str,
        typer.Option(
            help="The decimal mark, a comma or a point, where nothing in the export tells."
        ),
    ] = "",
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
    """Turn a CRM export into a data set.

    What is left out is counted by reason, and what was decided on the way is said.
    """
    from salesnb import importers, verbs

    if template is not None:
        if mapping:
            raise typer.BadParameter("with --template nothing is imported: give only its folder.")
        typer.echo(f"{importers.template.write(template)}: {importers.template.GUIDE} says how.")
        return
    if source is None or destination is None:
        raise typer.BadParameter(
            "name a CRM or a mapping, what was exported, and the folder to write, such as: "
            "salesnb import hubspot EXPORT data/ours"
        )
    if update and overwrite:
        raise typer.BadParameter("--update keeps what --overwrite replaces: choose one.")
    if decimal not in ("", ",", "."):
        raise typer.BadParameter(f"--decimal: found {decimal!r}, expected a comma or a point.")
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
    tell(report)
    lacking = verbs.unanswered(report.team)
    if lacking:
        typer.echo("\nCannot be answered, for lack of")
    for table, names in lacking.items():
        typer.echo(f"- {table}: {', '.join(names)}")


def simulate(
    destination: Annotated[Path, typer.Argument(metavar="DEST", help="The folder to write.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same team.")] = 0,
    reps: Annotated[int, typer.Option(min=1, help="How many reps.")] = 24,
    deals_per_rep: Annotated[int, typer.Option(min=1, help="Deals of each.")] = 120,
    deals: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Deals of all reps, in place of --deals-per-rep: to the next whole number for "
            "each. From 300,000 on a company of many teams is made.",
        ),
    ] = None,
    months: Annotated[int, typer.Option(min=1, help="How long its history is.")] = 24,
    as_of: Annotated[str, typer.Option(help="The day on which its history ends.")] = "2026-06-30",
    null: Annotated[bool, typer.Option("--null", help="Everybody differs by chance only.")] = False,
) -> None:
    """Make up a team, to try things out without anybody's data; or a large company, team by team.

    However large a company is, it takes about 1 GB of memory.
    """
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


def log(
    notes: Annotated[
        list[Path],
        typer.Argument(metavar="NOTES...", help="Files that one-on-one pages downloaded."),
    ],
    folder: Folder,
) -> None:
    """Put the notes of one-on-ones into the table coaching.

    All of them or none; notes that were logged before add nothing.
    """
    from salesnb import logbook

    for entry in logbook.log(notes, folder):
        tell(entry)
