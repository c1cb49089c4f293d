"""The page that leads to all others: of a plan, and of the packs that a plan is made up of."""

import json
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from salesnb.language import to_say
from salesnb.report import page
from salesnb.report.files import Place, write_whole
from salesnb.report.outcome import FAILED, Outcome
from salesnb.report.plan import Plan

LINES = 5  # of what does not wait, shown without being asked for
ALIKE = 2  # of these, that are about the same


class _Line(NamedTuple):
    link: str
    heading: str
    line: str


def write(plan: Plan, outcomes: Sequence[Outcome]) -> Place:
    """Write the index: links to the pages that stand, errors, and how many are still to come.

    Of packs each its own, and one that leads to them. `outcomes` are in the order of the jobs.
    """
    if not plan.packs:
        return _write(plan, "index.html.j2", **_by_status(outcomes))
    left = iter(outcomes)
    packs = []
    for pack in plan.packs:
        own = list(islice(left, len(pack.jobs)))
        write(pack, own)
        packs.append({"plan": pack, "reps": _reps(pack), "n": len(own), **_by_status(own)})
    return _write(plan, "packs.html.j2", packs=packs)


def _reps(pack: Plan) -> int:
    return len({job.values["rep"] for job in pack.jobs if "rep" in job.values})


def _by_status(outcomes: Sequence[Outcome]) -> dict:
    failed = [each for each in outcomes if each.status == FAILED]
    made = [each for each in outcomes if each.is_there]
    return {
        "failed": failed,
        "made": made,
        "week": _pressing(made),
        "n_waiting": len(outcomes) - len(failed) - len(made),
    }


def _pressing(made: Sequence[Outcome]) -> dict:
    """The lines that do not wait, the most urgent first: a few, and `more`.

    Those of one `Urgency` stand in the order of the pages; from the third on they give way to
    others. `n_pages` is how many pages of the whole team could say so.
    """
    pages = [each for each in made if not each.job.about]
    said = [
        (urgency, _Line(f"{next(iter(each.job.pages))}#{section}", heading, line))
        for each in pages
        for section, heading, line, urgency in json.loads(each.pressing or "[]")
    ]
    alike = {urgency: [line for of, line in said if of == urgency] for urgency, _ in said}
    groups = [alike[urgency] for urgency in sorted(alike)]
    first = [line for lines in groups for line in lines[:ALIKE]]
    lines = first + [line for lines in groups for line in lines[ALIKE:]]
    return {"lines": lines[:LINES], "more": lines[LINES:], "n_pages": len(pages)}


def _write(plan: Plan, template: str, **known: object) -> Place:
    facts = {**plan.facts, to_say("Parameters"): plan.parameters}
    known |= {"script": page.script("tables.js")}
    html = page.template(template).render(plan=plan, facts=facts, **known)
    return write_whole(plan.folder / "index.html", html, is_shared=plan.is_shared)
