"""The first thirteen weeks of a manager who comes from the team: whom to speak with, about what."""

import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any
from zlib import crc32

import pandas as pd

from salesnb import cells, units
from salesnb.finding import Finding
from salesnb.language import say, says, to_say
from salesnb.metrics.presence import days_at_work
from salesnb.team import Team
from salesnb.transition.people import manager_of, reps_of

TYPES = {
    "phase": "str",
    "starts_on": "datetime64[us]",
    "ends_on": "datetime64[us]",
    "rep_id": "str",
    "is_peer": "boolean",
    "aim": "str",
    "question": "str",
    "what_changes": "str",
}
NOT_RECORDED = to_say(
    "Who was a team-mate of the manager is not on record (was_peer of reps): one order for all."
)
A_DAY = 2  # first talks on one day; more cannot be listened to
SEARCHED = 90  # days within which a rep is back from leave


def plan(team: Team, *, manager: str = "", starts: str = "") -> Finding:
    """Whom should a new manager speak with first, about what, and what changes when?

    Former team-mates come first, two talks a day, then everybody else; among them whoever has
    waited longest for a session. A rep on leave is spoken with on the first day back. Beside the
    talks, what each phase of the thirteen weeks is for. The texts stand in ``talks.toml``.

    Parameters
    ----------
    manager : id or name, where the manager was a rep here
    starts : first day in the new role, such as ``"2026-07-06"``; by default the Monday after
        `as_of`

    Returns
    -------
    Finding
        One row per phase, and one per first talk, in the order of their days:

        phase : week 1, weeks 2-4, weeks 5-8 or weeks 9-13
        starts_on, ends_on : of the phase; the day of the talk
        rep_id : blank for the whole team
        is_peer : whether the manager's team-mate before
        aim, question
        what_changes : what to say about it

    Raises
    ------
    DataError
        No such rep, or `starts` is no day.
    """
    first = cells.day(starts, "starts") if starts else _monday_after(team.as_of)
    people = reps_of(team, manager_of(team, manager))
    rows = [*_phases(first), *_talks(team, people, first)]
    table = pd.DataFrame(rows, columns=[*TYPES]).astype(TYPES)
    by = ["starts_on", "ends_on", "rep_id"]
    table = table.sort_values(by, ascending=[True, False, True], ignore_index=True)
    return Finding(
        _headline(people, table, first),
        table,
        caveats=() if team.reps["was_peer"].notna().any() else (say(NOT_RECORDED),),
        names=team.names,
    )


def _headline(people: pd.DataFrame, table: pd.DataFrame, first: pd.Timestamp) -> str:
    if people.empty:
        return say("No reps on the team yet: the first talks can be planned when they are.")
    n, n_peers = len(people), int(people["is_peer"].sum())
    last = table.loc[table["rep_id"] != "", "starts_on"].max()
    talks = says("{n} first talk", "{n} first talks", n, n=n)
    if n_peers:
        talks = says(
            "{talks}, the former team-mate first",
            "{talks}, the {n} former team-mates first",
            n_peers,
            talks=talks,
            n=n_peers,
        )
    days = {"first": units.day(first), "last": units.day(last)}
    return say("From {first}: {talks}; the last on {last}.", talks=talks, **days)


def _monday_after(day: pd.Timestamp) -> pd.Timestamp:
    return day + pd.Timedelta(days=7 - day.weekday())


@cache
def _texts() -> dict[str, Any]:
    text = (files("salesnb") / "transition" / "talks.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _phases(first: pd.Timestamp) -> Iterator[dict[str, Any]]:
    monday = first - pd.Timedelta(days=first.weekday())
    for phase in _texts()["phase"]:
        starts = monday + pd.Timedelta(weeks=phase["first_week"] - 1)
        texts = {"phase": phase["name"]}
        texts |= {name: phase[name] for name in ("aim", "question", "what_changes")}
        yield {
            "starts_on": max(starts, first),
            "ends_on": monday + pd.Timedelta(weeks=phase["last_week"], days=-3),
            "rep_id": "",
            **{name: say(text) for name, text in texts.items()},
        }


def _talks(team: Team, people: pd.DataFrame, first: pd.Timestamp) -> Iterator[dict[str, Any]]:
    """A talk for each, on the first free day on which the rep is at work."""
    present = days_at_work(team, first, first + pd.Timedelta(days=SEARCHED))
    days = pd.DatetimeIndex(present.columns)
    present, days = present.loc[:, days.day_of_week < 5], days[days.day_of_week < 5]
    free, held = dict.fromkeys(days, A_DAY), _last_held(team)
    waited = people.assign(last=held.reindex(people["rep_id"]).to_numpy())
    order = ["is_peer", "last", "rep_id"]
    waited = waited.sort_values(order, ascending=[False, True, True], na_position="first")
    for rep_id, is_peer in zip(waited["rep_id"], waited["is_peer"], strict=True):
        here = [day for day in days[present.loc[rep_id]] if free[day]]
        # Away for all of the time looked at: on the first day after it.
        day = here[0] if here else days[-1] + pd.Timedelta(days=1)
        free[day] = free.get(day, 1) - 1
        kind = _texts()["peer" if is_peer else "other"]
        question = kind["questions"][crc32(rep_id.encode()) % len(kind["questions"])]
        aim, changes = kind["aim"], kind["what_changes"]
        yield {
            "phase": _phase_of(day, first),
            "starts_on": day,
            "ends_on": day,
            "rep_id": rep_id,
            "is_peer": is_peer,
            "aim": say(aim),
            "question": say(question),
            "what_changes": say(changes),
        }


def _phase_of(day: pd.Timestamp, first: pd.Timestamp) -> str:
    week = ((day - first).days + first.weekday()) // 7 + 1
    phases = _texts()["phase"]
    fits = [phase["name"] for phase in phases if week <= phase["last_week"]]
    phase = fits[0] if fits else phases[-1]["name"]
    return say(phase)


def _last_held(team: Team) -> pd.Series:
    """The day of each rep's last session on record."""
    return team.coaching.groupby("rep_id")["held_on"].max()
