"""What two people write on a one-on-one page: the fields, what they suggest, what the file says."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from textwrap import shorten

from markupsafe import Markup

from salesnb import notes, sessions, standout
from salesnb.team import Team

LONGEST = 160  # characters of a commitment that is asked after


@dataclass(frozen=True)
class Form:
    """The notes of one rep's page.

    facts : what the saved file says of itself
    file : its name
    topics : stages and skills that a talk may be about
    still_open : commitments to ask after, the latest first; session_id, the day they were made,
        the words; beyond the first n_unfolded they are folded away
    """

    facts: Mapping[str, str | int]
    file: str
    topics: tuple[str, ...]
    still_open: tuple[tuple[str, str, str], ...]
    n_unfolded: int = 3


@dataclass(frozen=True)
class Script:
    """The text of a script, and the mark by which a page's policy lets it run."""

    text: Markup
    mark: str


def form(team: Team, rep_id: str, name: str) -> Form:
    """The notes for a rep; `name` is that of the rep's page, safe for a file."""
    seen = standout.of(team, rep_id)
    skills = [skill for each in team.settings.skills.values() for skill in each]
    log = sessions.log(seen).dropna(subset="commitment")
    log = log[log["done_on"].isna()]
    rows = zip(log["session_id"], log["held_on"], log["commitment"], strict=True)
    return Form(
        facts={
            "format": notes.FORMAT,
            "version": notes.VERSION,
            "team": team.settings.name,
            "rep_id": rep_id,
            "rep": seen.name,
            "as_of": str(team.as_of.date()),
            "data": team.fingerprint,
            "salesnb": version("salesnb"),
        },
        file=f"notes-{name}-{team.as_of.date()}.json",
        topics=tuple(dict.fromkeys([*team.stages, *skills])),
        still_open=tuple(
            (session_id, f"{day.date()}", shorten(said, LONGEST, placeholder="…"))
            for session_id, day, said in rows
        ),
    )


@cache
def script() -> Script:
    """The script that keeps the notes in the browser."""
    text = (Path(__file__).parent / "template" / "notes.js").read_text(encoding="utf-8")
    mark = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Script(Markup(text), mark)
