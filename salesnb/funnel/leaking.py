"""Leaks: who loses deals at which stage that the typical rep would bring on, and what it costs."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts
from salesnb import leaks as computed
from salesnb.finding import Finding
from salesnb.team import Team
from salesnb.units import number, percent, span

FIRM = ("act", "look")  # tiers separated from chance
ALSO = 3  # further cells in a headline
FAR = 2.33  # standard errors that a rep must be below typical, taking all stages together


def leaks(team: Team, *, rep: str | None = None) -> Finding:
    """Who loses deals at which stage more often than chance and the deals themselves explain?

    Every rep at every stage against the typical rep of the team on the same deals: segment,
    source, product, size, competitor, month, tenure and the account's traits are taken into
    account, and an open deal counts for what its age says (Larson and Dinse 1985). Estimates are
    shrunken, and flags are given by Bayesian false discovery rate (Stephens 2017). How often it
    errs and what it finds: ``docs/leaks_accuracy.md``.

    Parameters
    ----------
    rep : id or name; the answer then names nobody else

    Returns
    -------
    Finding
        One row per rep and stage with deals, in order of rep, then stage:

        rep_id, stage
        n_visits, n_open : deals that entered the stage; of these still in it
        advance_rate, advance_low, advance_high : the rep's chance that they advance, 90 %
            interval
        typical_rate : the typical rep's on the same deals
        shift_logit : the rep's shift from the typical rep, shrunken towards 0
        shift_low, shift_high : 90 % interval, not shrunken
        leak_probability, strength_probability : of a shift below -0.3, above +0.3
        tier, strength_tier : ``act`` (of those named at most 5 % are expected to be false),
            ``look`` (10 %), ``watch`` (more likely than not), ``too_few`` or empty
        lost_amount, lost_low, lost_high : team currency; what the typical rep would have won
            beyond this one from the deals that entered; negative for a strength
        is_upper_bound : more than 40 % of the deals are open, the amount is at most this
        n_no_amount : deals without an amount, counted at the mean of their segment

    Raises
    ------
    DataError
        The team has no stage history, or no such rep.
    """
    team.need("stage_changes", why="funnel.leaks")
    rep_id = None if rep is None else team.rep(rep)
    cells = computed.cells(team)
    if rep_id is not None:
        cells = cells[cells["rep_id"] == rep_id].reset_index(drop=True)
    names = team.names
    flagged = cells[cells["tier"].isin(FIRM)]
    flagged = flagged.sort_values("lost_amount", ascending=False, kind="stable")
    low = [names[each] for each in _low_everywhere(cells)]
    return Finding(
        headline=_headline(team, cells, flagged),
        table=cells.drop(columns="precision"),
        draw=lambda ax: _draw(ax, cells, names, rep_id is not None),
        ask=_ask(cells, flagged, low),
        caveats=(*_caveats(cells, flagged, low), *computed.time_covered(team, cells)),
        currency=team.currency,
        names=names,
        pressing=_pressing(team, flagged),
    )


def _pressing(team: Team, flagged: pd.DataFrame) -> str:
    if flagged.empty:
        return ""
    first, more = flagged.iloc[0], len(flagged) - 1
    also = f" {more} more {'place' if more == 1 else 'places'} stand out." if more else ""
    who = team.names[first["rep_id"]]
    return f"Deals of {who} leak at {first['stage']}{_cost(team, first)}.{also}"


def _headline(team: Team, cells: pd.DataFrame, flagged: pd.DataFrame) -> str:
    names = team.names
    if cells.empty:
        return "No deal has entered a stage yet."
    if flagged.empty:
        n, reps = number(cells["n_visits"].sum()), cells["rep_id"].unique()
        who = names[reps[0]] if len(reps) == 1 else f"{len(reps)} reps"
        if (cells["tier"] == "too_few").all():
            return f"Too few deals to tell anything from chance: {n} stage entries of {who}."
        return f"Nothing stands out from chance in {n} stage entries of {who}."
    first = flagged.iloc[0]
    ends = span(first["advance_low"], first["advance_high"], percent)
    return (
        f"{names[first['rep_id']]} loses deals at {first['stage']}: of "
        f"{number(first['n_visits'])}, {percent(first['advance_rate'])} go on ({ends}), with the "
        f"typical rep {percent(first['typical_rate'])} of the same deals{_cost(team, first)}."
        f"{_others(flagged.iloc[1:], names)}"
    )


def _cost(team: Team, cell: pd.Series) -> str:
    if pd.isna(cell["lost_amount"]):
        return ""
    return f"; that costs {computed.lost_in_words(team, cell)}"


def _others(flagged: pd.DataFrame, names: Mapping[str, str]) -> str:
    if flagged.empty:
        return ""
    said = [*(flagged["rep_id"].map(names) + " at " + flagged["stage"]).head(ALSO)]
    said += [f"{len(flagged) - ALSO} more"] if len(flagged) > ALSO else []
    return f" Also: {', '.join(said)}."


def _low_everywhere(cells: pd.DataFrame) -> list[str]:
    """Reps below typical at every stage, and clearly so taking together two or more of them."""
    # As the page shows the rates: where both read 84 %, the rep is not low.
    is_level = cells["advance_rate"].round(2) >= cells["typical_rate"].round(2)
    is_out = cells["rep_id"].isin(cells.loc[is_level, "rep_id"])
    told = cells[~is_out & (cells["tier"] != "too_few")]
    middle = (told["shift_low"] + told["shift_high"]) / 2
    by_rep = told.assign(
        is_low=middle < 0, n=1, weighted=middle * told["precision"], weight=told["precision"]
    ).groupby("rep_id")
    sums = by_rep.agg({"is_low": "all", "n": "sum", "weighted": "sum", "weight": "sum"})
    is_far = sums["weighted"] < -FAR * np.sqrt(sums["weight"])
    return sums.index[is_far & sums["is_low"].astype(bool) & (sums["n"] > 1)].to_list()


def _ask(cells: pd.DataFrame, flagged: pd.DataFrame, low: list[str]) -> tuple[str, ...]:
    questions = [
        f"Can we walk through the last three deals that stopped at {stage}: what happened just "
        "before?"
        for stage in flagged["stage"].drop_duplicates().head(2)
    ]
    if cells["strength_tier"].isin(FIRM).any():
        questions.append("What is done differently where deals go on more often than expected?")
    if low:
        questions.append("What would show whether it is the leads, or what is made of them?")
    return tuple(questions)


def _caveats(cells: pd.DataFrame, flagged: pd.DataFrame, low: list[str]) -> tuple[str, ...]:
    said = [
        "A flag says that something is there, not what it is: a skill, a territory, leads of "
        "another kind, or a stage that is entered too early."
    ]
    few = cells["tier"].eq("too_few").sum()
    if few:
        said.append(f"At {number(few)} of {number(len(cells))} places there are too few deals.")
    if flagged["is_upper_bound"].any():
        said.append("Where more than 40 % of the deals are open, the amount is an upper bound.")
    if cells["n_no_amount"].any():
        said.append("Deals without an amount count at the mean of their segment.")
    said += [
        f"{name} is low at every stage. Territory or rep? The deals cannot tell; it would help to "
        "record the quality of each lead on arrival, for everyone alike."
        for name in low
    ]
    return tuple(said)


def _draw(ax: Axes, cells: pd.DataFrame, names: Mapping[str, str], is_one: bool) -> Axes:
    """Funnel plot: advanced / expected of the typical rep on the same deals."""
    rows = cells[cells["typical_rate"].between(0.01, 0.99)]
    if rows.empty:
        return charts.nothing_to_draw(ax)
    # Chance spreads the ratio by (1 - p)^2 / precision: each place is moved to where as much
    # chance stands for deals of the mean odds, so that one pair of limits fits all stages.
    missing = 1 - rows["typical_rate"]
    spread = float((missing / rows["typical_rate"]).mean())
    is_low, is_high = rows["tier"].isin(FIRM), rows["strength_tier"].isin(FIRM)
    said = rows["stage"] if is_one else rows["rep_id"].map(names) + ", " + rows["stage"]
    return charts.funnel_plot(
        ax,
        (spread * rows["precision"] / missing**2).to_numpy(),
        (rows["advance_rate"] / rows["typical_rate"]).to_numpy(),
        spread,
        said.where(is_low | is_high | is_one, "").to_list(),
        is_low.to_numpy(),
        is_high.to_numpy(),
    )
