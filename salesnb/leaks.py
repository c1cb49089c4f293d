"""Leaks: where each rep loses deals that the typical rep would bring on, and what that costs.

The computation behind the findings on people: leaks and slow stages of the whole team.
"""

import numpy as np
import pandas as pd

from salesnb import behind, stage_model, units
from salesnb.history import look_up
from salesnb.language import say, to_say
from salesnb.metrics import quarterly
from salesnb.once import once, once_here
from salesnb.stage_model import StageFit
from salesnb.team import Team
from salesnb.units import money, span
from salesnb.visits import visits

IN_TABLE = to_say("Lost amounts in the table are in all, of the deals since {day}, not of a year.")
COSTS = {  # by whether it is the most it can be, and whether it is that of a year
    (False, True): to_say("about {amount} ({ends}) a year"),
    (False, False): to_say("about {amount} ({ends}) in the time on record"),
    (True, True): to_say("at most about {amount} ({ends}) a year"),
    (True, False): to_say("at most about {amount} ({ends}) in the time on record"),
}
WENT = ("advanced", "lost", "open")  # what may become of a visit
TRAITS = ("industry", "country", "employees")


@once
def fitted(team: Team) -> StageFit:
    """The model of the team's stage visits; `DataError` without stage history."""
    return stage_model.fit(known_on_entry(team))


@once
def _cells(team: Team) -> pd.DataFrame:
    return stage_model.cells(fitted(team))


@once
def _slowness(team: Team) -> pd.DataFrame:
    return stage_model.slowness(fitted(team))


def cells(team: Team) -> pd.DataFrame:
    """Every rep at every stage against the typical rep on the same deals.

    Returns
    -------
    DataFrame
        One row per rep and stage with deals, in order of rep, then stage:

        rep_id, stage
        n_visits, n_open : deals that entered the stage; of these still in it
        advance_rate, advance_low, advance_high : the rep's chance that they advance (0-1),
            open deals counted for what their age says
        typical_rate : that of the typical rep on the same deals
        shift_logit : the rep's shift from the typical rep, shrunken towards 0
        shift_low, shift_high : 90 % interval; not shrunken, so it can be wide
        leak_probability, strength_probability : of a shift below -0.3, above +0.3
        tier, strength_tier : ``act``, ``look`` (separated from chance: at most 5 and 10 % of
            those named are expected to be false), ``watch`` (more likely than not),
            ``too_few`` (below 40 deals) or empty
        lost_amount, lost_low, lost_high : amount x (typical - own chance) x own chance to win
            from the next stage on, summed over the deals that entered; negative where the rep
            is better than typical; 90 % interval
        is_upper_bound : more than 40 % of the deals are open, the lost amount is at most this
        n_no_amount : deals without an amount, counted at the mean of their segment
        precision : information on the shift (1 / variance)

    Raises
    ------
    DataError
        The team has no stage history.
    """
    return _cells(team).copy(deep=False)


def rows(team: Team, cell: pd.Series, *outcomes: str) -> pd.DataFrame:
    """The visits behind a row of `cells` or `slowness`: `behind.VISITS`; of these outcomes alone.

    The rep is the one to whom the visit is credited.
    """
    seen = visits(team)
    is_it = (seen["rep_id"] == cell["rep_id"]) & (seen["stage"] == cell["stage"])
    return behind.visits(team, seen[is_it & seen["outcome"].isin(outcomes)])


def by_quarter(team: Team, found: pd.DataFrame) -> pd.DataFrame:
    """The share that went on, quarter by quarter, of the rows of `cells`: `quarterly.gone_on`."""
    seen = visits(team).astype({"stage": "str"})
    shares = quarterly.gone_on(seen, ["rep_id", "stage"], team.as_of)
    places = pd.MultiIndex.from_frame(found[["rep_id", "stage"]].astype("str"))
    return shares.reindex(places).set_axis(found.index)


def years_at(team: Team, rep_id: str, stage: str) -> float:
    """How long this rep's deals have been in the records of a stage; NaN if they never were."""
    return (team.as_of - _since(team).get((rep_id, stage), pd.NaT)) / pd.Timedelta(days=365.25)


def years(team: Team, found: pd.DataFrame) -> np.ndarray:
    """The same for each row of `found`, which has a rep_id and a stage."""
    return (team.as_of - _first(team, found)).to_numpy() / pd.Timedelta(days=365.25)


def lost_in_words(team: Team, cell: pd.Series) -> str:
    """What the deals lost at one cell cost: a year of it, or all of it where less is on record."""
    years = years_at(team, cell["rep_id"], str(cell["stage"]))
    is_of_a_year = years >= 1

    def scaled(amount: float) -> str:
        return money(amount / years if is_of_a_year else amount, team.currency)

    ends = span(cell["lost_low"], cell["lost_high"], scaled)
    words = COSTS[bool(cell["is_upper_bound"]), is_of_a_year]
    return say(words, amount=scaled(cell["lost_amount"]), ends=ends)


def time_covered(team: Team, found: pd.DataFrame) -> tuple[str, ...]:
    """Which time the lost amounts of these cells cover: a headline has those of a year."""
    first = _first(team, found).min()
    return () if pd.isna(first) else (say(IN_TABLE, day=units.day(first)),)


def _first(team: Team, found: pd.DataFrame) -> pd.Series:
    """When the first deal entered the stage of each row; blank where none did."""
    places = pd.MultiIndex.from_frame(found[["rep_id", "stage"]].astype("str"))
    return _since(team).reindex(places)


@once
def _since(team: Team) -> pd.Series:
    """When each rep's deals first entered each stage."""
    seen = visits(team).astype({"stage": "str"})
    return seen.groupby(["rep_id", "stage"])["entered_at"].min()


def slowness(team: Team) -> pd.DataFrame:
    """How long each rep takes at each stage, against the typical rep on the same kind of deals.

    Returns
    -------
    DataFrame
        The columns of `stage_model.slowness`.

    Raises
    ------
    DataError
        The team has no stage history.
    """
    return _slowness(team).copy(deep=False)


def known_on_entry(team: Team) -> pd.DataFrame:
    """Stage visits with the account's traits and the month of entry."""
    return _known_on_entry(team).copy(deep=False)


@once_here
def _known_on_entry(team: Team) -> pd.DataFrame:
    found = visits(team)
    accounts = team.accounts.set_index("account_id")
    for trait in TRAITS:
        found[trait] = look_up(found["account_id"], accounts[trait]) if trait in accounts else None
    # A skipped stage was entered and left when the deal jumped over it.
    found["entered_at"] = found["entered_at"].fillna(found["left_at"])
    return found
