"""A finding asked again in place: for another rep or period, or as it was known on another day."""

import inspect
from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets
import pandas as pd
from babel.dates import format_date

from salesnb.errors import DataError
from salesnb.explore.still import Still, answer
from salesnb.finding import Finding
from salesnb.language import alphabetical, locale, say, to_say
from salesnb.team import Team
from salesnb.units import day as in_words
from salesnb.units import month

EVERYBODY = to_say("the whole team")
USUAL = to_say("the usual period")
SPANS = {  # options that count something
    "months": to_say("Months"),
    "weeks": to_say("Weeks"),
    "days": to_say("Days"),
    "quarters": to_say("Quarters"),
    "sessions": to_say("Sessions"),
}
LONGEST = 366
BACK = 12  # months, and quarters, that can be picked
ANY = ""  # what the verb answers when it is told nothing
WORKING = to_say("Working on it ...")


class Asked(Still):
    """A finding below what it is asked for; pick something else, and it is asked again.

    pickers : ``rep``, ``period``, a number such as ``months``, as far as the verb takes them; and
        ``known_on``, the day as on which the team is taken
    finding : the answer as the pickers stand, or None where the data cannot tell
    """

    def __init__(self, team: Team, verb: Callable[..., Finding], **options: Any):
        self.team, self.verb, self.options = team, verb, options
        self.finding: Finding | None = None
        self.pickers = _pickers(team, verb, options)
        self._teams = {team.as_of: team}
        self._shown = answer()
        side_by_side = ipywidgets.Layout(flex_flow="row wrap")
        super().__init__(
            [ipywidgets.HBox([*self.pickers.values()], layout=side_by_side), self._shown]
        )
        self._ask()
        for picker in self.pickers.values():
            picker.observe(self._turn, names="value")

    def _ask(self) -> None:
        """Raises `DataError` where the data cannot tell."""
        self.finding = None
        picked = {name: picker.value for name, picker in self.pickers.items()}
        day, period = picked.pop("known_on"), picked.pop("period", ())
        fixed = {name: value for name, value in self.options.items() if name not in picked}
        picked = fixed | {name: value for name, value in picked.items() if value != ANY}
        picked |= dict(zip(("starts_on", "ends_on"), period, strict=False))
        if day not in self._teams:
            self._teams[day] = self.team.at(day)
        self.finding = self.verb(self._teams[day], **picked)
        self._shown.value = self.finding._repr_html_()

    def _turn(self, _change: Any) -> None:
        self._shown.value = f"<p>{say(WORKING)}</p>"
        try:
            self._ask()
        except DataError as error:
            self._shown.value = f'<div class="finding"><p>{escape(str(error))}</p></div>'

    def still(self) -> str:
        """The finding alone, as HTML."""
        return self._shown.value


def ask(team: Team, verb: Callable[..., Finding], **options: Any) -> Asked:
    """Ask a question with pickers above the answer: ``explore.ask(team, funnel.leaks)``.

    Picked are, as far as the verb takes them, the rep, the period and numbers such as ``months``;
    and the day as on which the team is known, so that one sees what would have been said then.
    `options` are those of the verb: where the pickers start, and what they do not change.

    Raises `DataError` for what the data cannot tell, and for an unknown rep.
    """
    return Asked(team, verb, **options)


def _pickers(
    team: Team, verb: Callable[..., Finding], options: dict[str, Any]
) -> dict[str, ipywidgets.DOMWidget]:
    takes = inspect.signature(verb).parameters
    found: dict[str, ipywidgets.DOMWidget] = {}
    if "rep" in takes:
        found["rep"] = _rep(
            team, options.get("rep"), takes["rep"].default is not inspect.Parameter.empty
        )
    if {"starts_on", "ends_on"} <= set(takes) and not {"starts_on", "ends_on"} & set(options):
        found["period"] = _list(say("Period"), [(say(USUAL), ()), *_quarters(team)], ())
    for name in (name for name in SPANS if name in takes):
        found[name] = ipywidgets.BoundedIntText(
            value=options.get(name, takes[name].default), min=1, max=LONGEST,
            description=say(SPANS[name]), continuous_update=False,
        )  # fmt: skip
    found["known_on"] = _list(say("Known on"), _days(team), team.as_of)
    return found


def _list(said: str, choices: list[tuple[str, Any]], value: Any) -> ipywidgets.Dropdown:
    return ipywidgets.Dropdown(
        options=choices,
        value=value,
        description=said,
        layout={"width": "max-content"},
        style={"description_width": "initial"},
    )


def _rep(team: Team, rep: str | None, is_optional: bool) -> ipywidgets.Dropdown:
    """The reps by name; nobody is first but by the alphabet."""
    people: list[tuple[str, Any]] = sorted(
        ((name, each) for each, name in team.names.items()),
        key=lambda choice: (alphabetical(choice[0]), choice),
    )
    if not people:
        raise DataError("The table reps has no rows: there is nobody to pick.")
    choices = [*([(say(EVERYBODY), ANY)] if is_optional else []), *people]
    return _list(say("Rep"), choices, team.rep(rep) if rep else choices[0][1])


def _quarters(team: Team) -> list[tuple[str, tuple[str, str]]]:
    """The fiscal quarters since the first deal, the latest first, with their first and last day."""
    last_month = pd.Timestamp(2000, team.settings.fiscal_year_starts, 1) - pd.Timedelta(days=1)
    now = pd.Period(team.as_of, freq=f"Q-{last_month:%b}".upper())
    quarters = [now - back for back in range(BACK)]
    begun = _first_day(team)
    return [
        (_between(each), _ends(each, team.as_of)) for each in quarters if each.end_time >= begun
    ]


def _between(quarter: pd.Period) -> str:
    first = format_date(quarter.start_time, say("MMM"), locale=locale())
    return say("{first} to {last}", first=first, last=month(quarter.end_time))


def _ends(quarter: pd.Period, latest: pd.Timestamp) -> tuple[str, str]:
    first, last = quarter.start_time, min(quarter.end_time, latest)
    return str(first.date()), str(last.date())


def _days(team: Team) -> list[tuple[str, pd.Timestamp]]:
    """The day of the export, and the ends of the months before it since the first deal."""
    ends = [team.as_of - pd.offsets.MonthEnd(back) for back in range(1, BACK + 1)]
    days = [team.as_of, *(day.as_unit("us") for day in ends if day > _first_day(team))]
    return [(in_words(day), day) for day in days]


def _first_day(team: Team) -> pd.Timestamp:
    created = team.deals["created_on"].min()
    return team.as_of if pd.isna(created) else created
