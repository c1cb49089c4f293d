"""What became of each job, on the pages themselves and in ``run.json``."""

from dataclasses import dataclass

from upath import UPath

from salesnb.report.files import Place, write_whole
from salesnb.report.plan import Job, Plan
from salesnb.report.standing import FILE, MADE, UNCHANGED, about, as_text

FAILED, WAITING = "failed", "waiting"
LINE = ("title", "summary", "flag", "pressing")


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    status : ``made``, ``unchanged`` (its pages stand, made from the same), ``failed``, or
        ``waiting`` as long as the run has not come to it
    title, summary, flag : its line on the index
    pressing : what does not wait, as JSON; see `page.pressing`
    error : why it failed
    tries : how often it was begun
    seconds, cpu, peak : of the last try: on the clock, of the processor, MiB of memory held
    """

    job: Job
    status: str = WAITING
    title: str = ""
    summary: str = ""
    flag: str = ""
    pressing: str = ""
    error: str = ""
    tries: int = 0
    seconds: float | None = None
    cpu: float | None = None
    peak: float | None = None

    @property
    def is_there(self) -> bool:
        """Whether its pages are."""
        return self.status in (MADE, UNCHANGED)

    @property
    def line(self) -> dict[str, str]:
        """What its pages say of themselves, for the index."""
        return {name: getattr(self, name) for name in LINE}


def to_make(job: Job) -> Outcome:
    """A job that is still to be done."""
    return Outcome(job, title=job.notebook.stem)


def standing(job: Job, folder: Place) -> Outcome:
    """What stands of a job in the folder: `UNCHANGED` if all pages were made from its inputs."""
    said: dict[str, str] = {}
    for name in job.pages:
        own = about(folder / name)
        if not job.inputs or own.get("inputs") != job.inputs:
            return to_make(job)
        said |= own
    title, summary, flag, pressing = (said.get(name, "") for name in LINE)
    return Outcome(job, UNCHANGED, title, summary, flag, pressing)


def left_over(plan: Plan) -> list[Place]:
    """Pages beside those of the plan that it does not make: of people who have left since.

    Behind an address nobody looks.
    """
    if isinstance(plan.folder, UPath):
        return []
    made = {part.folder / name for part in plan.parts for job in part.jobs for name in job.pages}
    of_people = {page.parent for page in made} - {part.folder for part in plan.parts}
    there = {page for folder in of_people for page in folder.glob("*.html")}
    return sorted(there - made)


def record(plan: Plan, outcomes: list[Outcome]) -> Place:
    """Write ``run.json``: of each job its pages, status, effort and error."""
    counts = dict.fromkeys((MADE, UNCHANGED, FAILED, WAITING), 0)
    for outcome in outcomes:
        counts[outcome.status] += 1
    content = {
        "team": plan.team,
        "as_of": plan.as_of,
        **plan.facts,
        "parameters": plan.parameters,
        "sources": plan.sources,
        "is_over": not counts[WAITING],
        **counts,
        "reports": [_as_json(*each) for each in zip(_folders(plan), outcomes, strict=True)],
    }
    return write_whole(plan.folder / FILE, as_text(content), is_shared=plan.is_shared)


def _folders(plan: Plan) -> list[str]:
    """Of each job the folder of its pages, within the plan's own."""
    return [
        "" if part is plan else f"{part.folder.name}/" for part in plan.parts for _ in part.jobs
    ]


def _as_json(folder: str, outcome: Outcome) -> dict:
    job = outcome.job
    figures = {"seconds": outcome.seconds, "cpu_seconds": outcome.cpu, "peak_mib": outcome.peak}
    return {
        "notebook": job.notebook.stem,
        "rep": job.values.get("rep"),
        "pages": [f"{folder}{name}" for name in job.pages],
        "status": outcome.status,
        "tries": outcome.tries,
        **{
            name: None if value is None or value != value else round(value, 3)
            for name, value in figures.items()
        },
        "inputs": job.inputs,
        "error": outcome.error,
    }
