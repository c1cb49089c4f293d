"""Sliders for the rates of a plan: turn a rate and see what the plan would have cost."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import ipywidgets
import pandas as pd

from salesnb import comp, display, pay
from salesnb.comp_plan import ROLES, Plan
from salesnb.explore.still import Still, answer, table
from salesnb.finding import Finding
from salesnb.language import say, to_say
from salesnb.team import Team
from salesnb.wanted import role_in_words

STILL = to_say("The rates of the plan by role of the product; in JupyterLab they can be moved.")
MOVE = to_say(
    "Rates by role of the product, as in '{plan}': move one, and see what a year would have cost."
)
TURNED = to_say("these rates")
to_say("Rate")  # the column of the table
HIGHEST, STEP = 0.25, 0.005
WIDTH = "36rem"  # so that the mouse can set half a percent


class Rates(Still):
    """A slider for the rate of each role of products, and the plan so changed against itself.

    plan : the plan the sliders start from
    sliders : role to slider
    finding : what `comp.compare` says of the rates as they stand

    The rates of single products stay as they are. On a page, where no slider can move, the rates
    are a table.
    """

    def __init__(self, team: Team, plan: Plan):
        self.team, self.plan = team, plan
        self.sliders = {role: _slider(role, plan) for role in _roles(team)}
        self._shown = answer()
        moved = ipywidgets.Label(say(MOVE, plan=plan.name))
        super().__init__([moved, *self.sliders.values(), self._shown])
        for slider in self.sliders.values():
            slider.observe(self._turn, names="value")
        self._turn()

    def _turn(self, _change: Any = None) -> None:
        rates = {role: Decimal(f"{each.value:.3f}") for role, each in self.sliders.items()}
        turned = replace(self.plan, name=say(TURNED), role_rates={**self.plan.role_rates, **rates})
        plans = replace(self.team.settings.plans, plans=(self.plan, turned))
        team = Team(replace(self.team.settings, plans=plans), self.team.tables)
        self.finding: Finding = comp.compare(team, old=self.plan.name, new=turned.name)
        self._shown.value = self.finding._repr_html_()

    def still(self) -> str:
        """The rates as they stand, as a table."""
        found = [(role_in_words(role), each.value) for role, each in self.sliders.items()]
        return table(say(STILL), display.shown(pd.DataFrame(found, columns=["role", "rate"])))


def rates(team: Team, *, plan: str = "") -> Rates:
    """Sliders for the rates of a plan, by default the one in force, in place of its own by role.

    Raises `DataError` without ``comp.toml``, or for an unknown plan.
    """
    plans = [*pay.chosen(team).values()]
    begun = [each for each in plans if each.starts_on <= team.as_of]
    start = team.settings.plans.named(plan) if plan else (begun or plans)[-1]
    return Rates(team, start)


def _roles(team: Team) -> list[str]:
    found = set(team.products["role"].dropna())
    return [role for role in ROLES if role in found]


def _slider(role: str, plan: Plan) -> ipywidgets.FloatSlider:
    rate: Decimal | None = {role: plan.rate, **plan.role_rates}[role]
    return ipywidgets.FloatSlider(
        value=float(rate or 0),
        min=0.0,
        max=HIGHEST,
        step=STEP,
        readout_format=".1%",
        description=role_in_words(role),
        continuous_update=False,
        layout={"width": WIDTH},
    )
