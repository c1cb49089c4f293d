"""The sales manager's notebooks: load a team, ask it questions, read the answers together."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from salesnb import (
        coaching,
        coaching_log,
        comp,
        differentiators,
        explore,
        funnel,
        goals,
        icp,
        metrics,
        pipeline,
        ramp,
        scorecard,
        training,
        transition,
    )
    from salesnb.dataset import check, load
    from salesnb.errors import DataError
    from salesnb.finding import Finding
    from salesnb.simulation import simulate
    from salesnb.team import Team

__version__ = "0.1.0"
__all__ = [
    "DataError",
    "Finding",
    "Team",
    "check",
    "coaching",
    "coaching_log",
    "comp",
    "differentiators",
    "explore",
    "funnel",
    "goals",
    "icp",
    "load",
    "metrics",
    "pipeline",
    "ramp",
    "scorecard",
    "simulate",
    "training",
    "transition",
]

# Loaded when first used: `salesnb --help` should not wait for pandas and DuckDB.
HOME = {
    "DataError": "errors",
    "Finding": "finding",
    "Team": "team",
    "check": "dataset",
    "load": "dataset",
    "simulate": "simulation",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'salesnb' has no attribute {name!r}")
    home = import_module(f"salesnb.{HOME.get(name, name)}")
    return getattr(home, name) if name in HOME else home


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
