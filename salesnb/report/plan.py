"""Which notebooks to run for whom: whatever is misspelt is found here, before anything runs."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from salesnb import __version__, door, language, once, units
from salesnb.dataset import load
from salesnb.errors import DataError, unknown
from salesnb.language import say, says, to_say
from salesnb.report import agreement, parameters, standing
from salesnb.report.agreement import Agreement
from salesnb.report.files import Place, place, safe_names
from salesnb.report.inputs import Inputs
from salesnb.team import Team

MANAGER = to_say("Manager's copy")


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

    part : which part of the team the pages are for, empty for all of it
    parameters : what was asked for, in words
    missing : who has no page, in a sentence, or empty
    is_shared : whether others than the owner may read the pages
    is_keeping : whether the executed notebooks are kept beside them
    source : the address of the data that was asked for
    data, code : fingerprints of these data and of what computes with them
    sources : the fingerprint of all files that were read; empty where it is not known
    language : the code of the language of its pages
    packs : in place of jobs of its own, the plan of each part, in a folder of this one's
    """

    team: str
    as_of: str
    facts: Mapping[str, str]
    folder: Place
    jobs: tuple[Job, ...] = ()
    part: str = ""
    parameters: str = ""
    missing: str = ""
    is_shared: bool = False
    is_keeping: bool = False
    source: str = ""
    data: str = ""
    code: str = ""
    sources: str = ""
    language: str = language.ENGLISH
    packs: tuple["Plan", ...] = ()

    @property
    def title(self) -> str:
        """The team, and which part of it."""
        return f"{self.team}: {self.part}" if self.part else self.team

    @property
    def parts(self) -> tuple["Plan", ...]:
        """The plans that have jobs: its packs, or this one."""
        return self.packs or (self,)


@dataclass(frozen=True)
class _Data:
    """A team, where notebooks find it, and the fingerprints of pages made from it."""

    address: str
    team: Team
    inputs: Inputs


Asked = Mapping[Path, tuple[Mapping[str, str], Mapping[str, Any]]]  # types, values by notebook


def plan(
    source: str | Path,
    notebooks: str | Path = "notebooks",
    output: str | Path = "reports",
    *,
    only: Iterable[str] = (),
    reps: Iterable[str] = (),
    given: Iterable[str] = (),
    by: str = "",
    is_shared: bool = False,
    is_keeping: bool = False,
) -> Plan:
    """Decide what to run.

    A notebook with a parameter ``rep`` is run for each rep on the team, or for each of `reps`;
    any other once. `only` names notebooks; `given` are parameters, ``"name=value"``. `output` is
    a folder, or an address such as ``s3://bucket/folder``.

    With `by`, a column of `reps` such as ``region`` or ``manager``, there is a pack for each of
    its values: pages of the whole team are made from that part's data alone. A rep's page is the
    same in a pack as anywhere: set against the whole team, of whom nobody is named, since a few
    colleagues would tell little, and two pages that differ would be two truths about one rep.

    Raises `DataError` for an unknown notebook, parameter, rep or column, an address that cannot
    be written to, and faulty data.
    """
    only, reps, given = tuple(only), tuple(reps), tuple(given)
    # Before the files are read, so that whatever is written meanwhile is seen by the next run.
    read = standing.sources(
        source, Path(notebooks), only=only, reps=reps, given=given, by=by,
        is_shared=is_shared, is_keeping=is_keeping,
    )  # fmt: skip
    asked = chosen(notebooks, only, given)
    folder = place(output)
    address = door.located(source)
    whole, name = _data(address, load(source)), door.name(address)
    team = whole.team
    ids = [team.rep(rep) for rep in reps] or _on_the_team(team)
    said = [f"data={name}", *([f"by={by}"] if by else []), *(f"rep={rep}" for rep in reps), *given]
    front = Plan(
        team.settings.name,
        units.day(team.as_of),
        _facts(team, name),
        folder / str(team.as_of.date()),
        parameters=", ".join(said),
        missing=_missing(team, reps),
        is_shared=is_shared,
        is_keeping=is_keeping,
        source=whole.address,
        data=team.fingerprint,
        code=once.code(),
        sources=read,
        language=language.now(),
    )
    if not by:
        return replace(front, jobs=tuple(_jobs(asked, whole, whole, ids)))
    front = replace(front, folder=front.folder / f"by_{safe_names([by])[by]}")
    return replace(front, packs=tuple(_packs(front, asked, whole, by, ids, reps)))


def chosen(notebooks: str | Path, only: Iterable[str] = (), given: Iterable[str] = ()) -> Asked:
    """The notebooks to run, each with its parameters' types and the values it is given.

    Raises `DataError` for an unknown notebook or parameter; no data are read.
    """
    known = {path: parameters.of(path) for path in _notebooks(Path(notebooks), tuple(only))}
    values = parameters.values(given, known)
    return {path: (types, values[path]) for path, types in known.items()}


def _data(address: str, team: Team) -> _Data:
    return _Data(address, team, Inputs(team))


def _packs(
    front: Plan, asked: Asked, whole: _Data, by: str, ids: list[str], reps: tuple[str, ...]
) -> Iterator[Plan]:
    """The plan of each part that has anybody to make a page for."""
    parts = whole.team.parts(by)
    if set(parts) == {""}:
        raise DataError(f"The column {by!r} of reps is blank: there is nothing to tell packs by.")
    files = safe_names(list(parts))
    about = say("all {n} reps of the data set", n=len(whole.team.reps))
    for value, members in parts.items():
        own = [rep for rep in ids if rep in set(members)]
        if not own:
            continue
        address = door.part_of(whole.address, by, value)
        part = _data(address, whole.team.part(by, value))
        yield replace(
            front,
            folder=front.folder / files[value],
            jobs=tuple(_jobs(asked, whole, part, own)),
            part=value or f"without {by}",
            facts={**front.facts, to_say("Reps are set against"): about},
            parameters=", ".join([f"data={door.name(address)}", *(f"rep={rep}" for rep in reps)]),
            missing=_missing(part.team, reps),
        )


def _jobs(asked: Asked, whole: _Data, part: _Data, ids: list[str]) -> Iterator[Job]:
    """The jobs for a part of the team, and for these people of it."""
    people = _by_name(whole.team, ids)
    for path, (types, values) in asked.items():
        data = whole if "rep" in types else part
        own = ({"data": data.address} if "data" in types else {}) | dict(values)
        of_reps = "rep" in types
        jobs = _for_reps(path, own, data.team, people) if of_reps else [_for_team(path, own)]
        for job in jobs:
            yield replace(job, inputs=data.inputs.of(job))


def _missing(team: Team, reps: tuple[str, ...]) -> str:
    """Who has no page, in a sentence: whoever left, unless pages were asked for by name."""
    n, n_left = len(team.reps), len(team.reps) - len(_on_the_team(team))
    if reps:
        return say("Only the reps that were asked for.")
    if not n_left:
        return ""
    return says(
        "{n} of {all} reps has left the team: no page.",
        "{n} of {all} reps have left the team: no page.",
        n_left, n=n_left, all=n,
    )  # fmt: skip


def _facts(team: Team, source: str) -> dict[str, str]:
    """What the foot of every page states: the same facts, the same page."""
    return {
        to_say("Data"): f"{source}, {team.fingerprint}",
        "salesnb": __version__,
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
    files = safe_names([*team.reps["rep_id"]])  # all: nobody's depends on who else is asked for
    for rep, name in people.items():
        file = f"{_short(path.stem)}/{files[rep]}"
        pages = {f"{file}.html": say("{name}'s copy", name=name), f"{file}.manager.html": MANAGER}
        form = agreement.of(team, rep, files[rep])
        yield Job(path.resolve(), {**values, "rep": rep}, pages, name, form)


def _on_the_team(team: Team) -> list[str]:
    """Who has a page: whoever has not left; for somebody about to come it can be ready."""
    from salesnb.metrics.presence import has_left  # loads SciPy: nothing for who runs a plan

    return [*team.reps.loc[~has_left(team), "rep_id"]]


def _by_name(team: Team, ids: list[str]) -> dict[str, str]:
    """Rep id to name, in the order a reader looks for them."""
    named = {rep: team.names[rep] for rep in ids}
    return dict(sorted(named.items(), key=lambda item: (language.alphabetical(item[1]), item)))
