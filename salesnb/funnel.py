"""Where deals stop: conversion of each stage, when deals close, how old the open ones are."""

import pandas as pd

from salesnb.finding import Finding
from salesnb.team import Team


def conversion(
    team: Team,
    *,
    by: str | None = None,
    rep: str | None = None,
    starts_on: str | None = None,
    ends_on: str | None = None,
) -> Finding:
    """How many deals go on from each stage?"""
    return Finding("No deals yet.", pd.DataFrame())


def calendar(team: Team) -> Finding:
    """When are deals won and lost?"""
    return Finding("No deals yet.", pd.DataFrame())


def open_age(team: Team, *, rep: str | None = None) -> Finding:
    """How old is the open pipeline, next to the deals that were won?"""
    return Finding("No deals yet.", pd.DataFrame())
