"""Which notebooks to run for whom: whatever is misspelt is found here, before anything runs."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from salesnb.errors import DataError, unknown
from salesnb.metrics.presence import has_left
from salesnb.report import agreement, parameters, standing
from salesnb.report.agreement import Agreement
from salesnb.report.files import safe_names
from salesnb.report.inputs import Inputs
from salesnb.team import Team, load

MANAGER = "Manager's copy"


@dataclass(frozen=True)
class Job:
    """One notebook to run, and the pages to make of it: file to whose copy it is.

    about : the rep whom the pages are about, if they are about one
    agreement : what the form on such pages knows
    inputs : the fingerprint of all that the pages rest on
    """

    notebook: Path
    values: Mapping[str, Any]
    pages: Mapping[str, str]
    about: str = ""
    agreement: Agreement | None = None
    inputs: str = ""


@dataclass(frozen=True)
class Plan:
    """What will be run, for which team, and the folder where the pages go.

    source : the name of the data folder
    parameters : what was asked for, in words
    missing : who has no page, in a sentence, or empty
    is_shared : whether others than the owner may read the pages
    is_keeping : whether the executed notebooks are kept beside them
    sources : the fingerprint of all files that were read
    """

    team: str
    as_of: str
    facts: Mapping[str, str]
    folder: Path
    jobs: tuple[Job, ...]
    source: str = ""
    parameters: str = ""
    missing: str = ""
    is_shared: bool = False
    is_keeping: bool = False
    sources: str = ""


def plan(
    source: str | Path,
    notebooks: str | Path = "notebooks",
    output: str | Path = "reports",
    *,
    only: Iterable[str] = (),
    reps: Iterable[str] = (),
    given: Iterable[str] = (),
    is_shared: bool = False,
    is_keeping: bool = False,
) -> Plan:
    """Decide what to run.

    A notebook with a parameter ``rep`` is run for each rep on the team, or for each of `reps`;
    any other once. `only` names notebooks; `given` are parameters, ``"name=value"``.
    Raises `DataError` for an unknown notebook, parameter or rep, and for faulty data.
    """
    only, reps, given = tuple(only), tuple(reps), tuple(given)
    known = {path: parameters.of(path) for path in _notebooks(Path(notebooks), only)}
    values = parameters.values(given, known)
    # Before the files are read, so that whatever is written meanwhile is seen by the next run.
    read = standing.sources(
        Path(source), Path(notebooks), only=only, reps=reps, given=given,
        is_shared=is_shared, is_keeping=is_keeping,
    )  # fmt: skip
    team, name = load(source), Path(source).resolve().name
    people = _by_name(team, [team.rep(rep) for rep in reps] or _on_the_team(team))
    jobs: list[Job] = []
    for path, types in known.items():
        own = ({"data": str(Path(source).resolve())} if "data" in types else {}) | values[path]
        jobs += _for_reps(path, own, team, people) if "rep" in types else [_for_team(path, own)]
    inputs = Inputs(team)
    jobs = [replace(job, inputs=inputs.of(job)) for job in jobs]
    as_of = f"{team.as_of.day} {team.as_of:%B %Y}"
    folder = Path(output) / str(team.as_of.date())
    return Plan(
        team.settings.name,
        as_of,
        _facts(team, name),
        folder,
        tuple(jobs),
        source=name,
        parameters=", ".join([f"data={name}", *(f"rep={rep}" for rep in reps), *given]),
        missing=_missing(team, reps),
        is_shared=is_shared,
        is_keeping=is_keeping,
        sources=read,
    )


def _missing(team: Team, reps: tuple[str, ...]) -> str:
    """Who has no page, in a sentence: whoever left, unless pages were asked for by name."""
    n, n_left = len(team.reps), len(team.reps) - len(_on_the_team(team))
    if reps:
        return "Only the reps that were asked for."
    have = "has" if n_left == 1 else "have"
    return f"{n_left} of {n} reps {have} left the team: no page." if n_left else ""


def _facts(team: Team, source: str) -> dict[str, str]:
    """What the foot of every page states: the same facts, the same page."""
    return {
        "Data": f"{source}, {team.fingerprint}",
        "salesnb": version("salesnb"),
        "pandas": version("pandas"),
    }


def _notebooks(folder: Path, only: tuple[str, ...]) -> list[Path]:
    found = {path.stem: path for path in sorted(folder.glob("*.ipynb"))}
    short = {_short(name): path for name, path in found.items()}
    chosen = []
    for name in only:
        path = found.get(name) or short.get(name) or Path(name)
        if path.suffix != ".ipynb" or not path.is_file():
            raise unknown("notebook", name, found)
        chosen.append(path)
    if not chosen and not found:
        raise DataError(f"No notebooks in {str(folder)!r}: name their folder with --notebooks.")
    return chosen or list(found.values())


def _short(name: str) -> str:
    return re.sub(r"^\d+_", "", name)


def _for_team(path: Path, values: Mapping[str, Any]) -> Job:
    return Job(path.resolve(), values, {f"{path.stem}.html": ""})


def _for_reps(
    path: Path, values: Mapping[str, Any], team: Team, people: Mapping[str, str]
) -> Iterator[Job]:
    files = safe_names(list(people))
    for rep, name in people.items():
        file = f"{_short(path.stem)}/{files[rep]}"
        pages = {f"{file}.html": f"{name}'s copy", f"{file}.manager.html": MANAGER}
        form = agreement.of(team, rep, files[rep])
        yield Job(path.resolve(), {**values, "rep": rep}, pages, name, form)


def _on_the_team(team: Team) -> list[str]:
    """Who has a page: whoever has not left; for somebody about to come it can be ready."""
    return [*team.reps.loc[~has_left(team), "rep_id"]]


def _by_name(team: Team, ids: list[str]) -> dict[str, str]:
    """Rep id to name, in the order a reader looks for them: accents and case do not count."""
    named = {rep: team.names[rep] for rep in ids}
    return dict(sorted(named.items(), key=lambda item: (_folded(item[1]), item)))


def _folded(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
