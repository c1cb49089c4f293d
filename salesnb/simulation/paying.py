"""How the team is paid: one plan in force until today, another one from tomorrow on."""

import tomllib
from dataclasses import replace
from decimal import Decimal
from importlib.resources import files

from salesnb import comp_plan
from salesnb.simulation.plan import Plan


def plans(plan: Plan) -> comp_plan.Plans:
    """The plans of ``comp.toml`` here, the old one until `as_of`."""
    text = files(__package__).joinpath("comp.toml").read_text(encoding="utf-8")
    made = comp_plan.of(tomllib.loads(text, parse_float=Decimal))
    old, new = made.plans
    tomorrow = plan.days[plan.n_days]
    return comp_plan.Plans((replace(old, ends_on=plan.as_of), replace(new, starts_on=tomorrow)))
