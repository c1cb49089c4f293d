"""Commands that write files for people: pages, calendars, cards."""

from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from salesnb.cli.words import Language, Source, tell

LEFT = 4  # pages of people who have left that are named
GOES_ON = "The pages made so far stand; the same command goes on."


def report(
    source: Source,
    notebook: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this notebook, by name; may be repeated."),
    ] = None,
    rep: Annotated[
        list[str] | None,
        typer.Option(metavar="REP", help="Only this rep, by id or name; may be repeated."),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter",
            "-p",
            metavar="NAME=VALUE",
            help="Set a parameter of notebooks; may be repeated.",
        ),
    ] = None,
    notebooks: Annotated[
        Path | None,
        typer.Option(help="The folder of notebooks. [default: notebooks here, else salesnb's own]"),
    ] = None,
    output: Annotated[
        str, typer.Option(help="The folder for the pages, or an address: s3://bucket/folder.")
    ] = "reports",
    by: Annotated[
        str, typer.Option(help="One pack for each region or manager: a column of the table reps.")
    ] = "",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Notebooks run at a time. [default: as many as cores]")
    ] = None,
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
    language: Language = "",
) -> None:
    """Make the pages: one per notebook, and two for each rep.

    Pages whose data, notebook and parameters did not change are left as they are. Ends with 1 if
    a notebook failed, 2 if nothing can be made or written, 3 if the index could not be written in
    the end, 130 if it was stopped.
    """
    from salesnb import workspace
    from salesnb.report import standing

    notebooks = notebooks or workspace.notebooks()
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
        typer.echo(f"Stopped. {GOES_ON}", err=True)
        raise typer.Exit(130) from None
    except OSError as error:
        tell(f"The index could not be written: {error}\n{GOES_ON}", err=True)
        raise typer.Exit(3) from None
    except RuntimeError as error:  # what should make the pages was killed, or never began
        tell(str(error), err=True)
        raise typer.Exit(3) from None
    typer.echo(plan.folder / "index.html")
    if not rep and (left := outcome.left_over(plan)):
        shown = ", ".join(path.name for path in left[:LEFT]) + (", ..." if len(left) > LEFT else "")
        said = f"of people who have none in this run, from earlier ones: {shown}"
        tell(f"Pages in {left[0].parent} {said}. Delete what nobody needs.", err=True)
    n_failed = sum(each.status == outcome.FAILED for each in outcomes)
    if n_failed:
        typer.echo(f"{n_failed} of {len(outcomes)} failed: see the page above.", err=True)
        raise typer.Exit(1)


def _cache() -> Path:
    """The user's folder for what can be worked out again."""
    from platformdirs import user_cache_path

    return user_cache_path("salesnb") / "answers"


def ride_alongs(
    source: Source,
    per_year: Annotated[int, typer.Option(help="Visits with each rep.")] = 2,
    weeks: Annotated[int, typer.Option(help="How far ahead to plan.")] = 8,
    per_week: Annotated[int, typer.Option(help="Visits in a week at most.")] = 2,
    away: Annotated[
        str, typer.Option(help="Days without visits: 2026-07-06/2026-07-10,2026-07-20")
    ] = "",
    output: Annotated[Path, typer.Option(help="The folder for the files.")] = Path("reports"),
    language: Language = "",
) -> None:
    """Plan ride-alongs: a calendar file, a sheet for each visit."""
    from salesnb.report import ride_alongs as files

    options = {"per_year": per_year, "weeks": weeks, "per_week": per_week}
    tell(files.write(source, output, **options, away=away))


def cards(
    source: Source,
    product: Annotated[str | None, typer.Option(help="Only this product, by id or name.")] = None,
    output: Annotated[Path, typer.Option(help="The folder for the pages.")] = Path("reports"),
    language: Language = "",
) -> None:
    """Write a sheet for each product: what makes it different."""
    from salesnb.report import cards

    typer.echo(cards.write(source, output, product))
