"""The form of "What do we agree?": what it is told of the team, and the script that keeps it."""

import json
from dataclasses import dataclass
from typing import Any

import pandas as pd

from salesnb import __version__, notes
from salesnb.team import Team

SHOWN = 2  # earlier commitments that are not folded away


@dataclass(frozen=True)
class Commitment:
    """One that is not done yet: what the rep agreed to do, in short, and when."""

    session_id: str
    words: str
    held_on: str
    due_on: str


@dataclass(frozen=True)
class Agreement:
    """What the form knows before anybody writes.

    stamp : what the downloaded file says of its page, as JSON
    topics : stages and skills, as suggestions
    first_on, last_on : the days between which the talk may lie
    open : the rep's commitments that are not done, the latest first
    """

    stamp: str
    topics: tuple[str, ...]
    first_on: str
    last_on: str
    open: tuple[Commitment, ...]

    @property
    def recent(self) -> tuple[Commitment, ...]:
        """The latest of the open commitments."""
        return self.open[:SHOWN]

    @property
    def earlier(self) -> tuple[Commitment, ...]:
        """The other open commitments."""
        return self.open[SHOWN:]


def of(team: Team, rep: str, file: str) -> Agreement:
    """The form for a rep, given by id; `file` is the rep's name in names of files."""
    row = team.reps[team.reps["rep_id"] == rep].iloc[0]
    as_of = str(team.as_of.date())
    stamp = {"format": notes.FORMAT, "version": notes.VERSION, "salesnb": __version__}
    stamp |= {"team": team.settings.name, "rep_id": rep, "name": row["name"]}
    stamp |= {"as_of": as_of, "data": team.fingerprint, "file": f"notes-{file}-{as_of}.json"}
    skills = [skill for skills in team.settings.skills.values() for skill in skills]
    return Agreement(
        stamp=json.dumps(stamp, ensure_ascii=False),
        topics=tuple(dict.fromkeys([*team.stages, *skills])),
        first_on=_day(row["hired_on"]),
        last_on=_day(team.as_of + notes.AHEAD),
        open=_open(team, rep),
    )


def _open(team: Team, rep: str) -> tuple[Commitment, ...]:
    from salesnb import sessions, standout  # load SciPy: nothing for who runs a plan

    log = sessions.log(standout.of(team, rep))
    log = log[log["commitment"].notna() & log["done_on"].isna()]
    return tuple(
        Commitment(
            row["session_id"],
            sessions.brief(row["commitment"]),
            _day(row["held_on"]),
            _day(row["due_on"]),
        )
        for _, row in log.iterrows()
    )


def _day(day: Any) -> str:
    return "" if pd.isna(day) else str(day.date())
