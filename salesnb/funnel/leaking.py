"""Leaks: who loses deals at which stage that the typical rep would bring on, and what it costs."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts
from salesnb import leaks as computed
from salesnb.finding import Finding, Urgency
from salesnb.language import say, says, to_say
from salesnb.metrics import quarterly
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
    names, has_trend = team.names, team.settings.is_dated and len(cells) > 0
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
        urgency=Urgency.LEAK,
        trend=quarterly.what_it_shows(),
        history=partial(computed.by_quarter, team, cells) if has_trend else None,
        behind={
            "n_visits": lambda cell: computed.rows(team, cell, *computed.WENT),
            "n_open": lambda cell: computed.rows(team, cell, "open"),
        },
    )


def _pressing(team: Team, flagged: pd.DataFrame) -> str:
    if flagged.empty:
        return ""
    first, more = flagged.iloc[0], len(flagged) - 1
    said = say("Deals of {name} leak at {stage}", name=team.names[first.rep_id], stage=first.stage)
    said = _with_cost(team, first, said)
    if not more:
        return said
    also = says("{n} more place stand out.", "{n} more places stand out.", more, n=more)
    return f"{said} {also}"


def _headline(team: Team, cells: pd.DataFrame, flagged: pd.DataFrame) -> str:
    names = team.names
    if cells.empty:
        return say("No deal has entered a stage yet.")
    if flagged.empty:
        n, reps = number(cells["n_visits"].sum()), cells["rep_id"].unique()
        who = names[reps[0]] if len(reps) == 1 else say("{n} reps", n=len(reps))
        if (cells["tier"] == "too_few").all():
            words = to_say(
                "Too few deals to tell anything from chance: {n} stage entries of {who}."
            )
        else:
            words = to_say("Nothing stands out from chance in {n} stage entries of {who}.")
        return say(words, n=n, who=who)
    return _leak(team, flagged.iloc[0]) + _others(flagged.iloc[1:], names)


def _leak(team: Team, cell: pd.Series) -> str:
    said = say(
        "{name} loses deals at {stage}: of {n}, {rate} go on ({ends}), with the typical rep "
        "{typical} of the same deals",
        name=team.names[cell.rep_id],
        stage=cell.stage,
        n=number(cell.n_visits),
        rate=percent(cell.advance_rate),
        ends=span(cell.advance_low, cell.advance_high, percent),
        typical=percent(cell.typical_rate),
    )
    return _with_cost(team, cell, said)


def _with_cost(team: Team, cell: pd.Series, said: str) -> str:
    if pd.isna(cell["lost_amount"]):
        return f"{said}."
    return say("{leak}; that costs {cost}.", leak=said, cost=computed.lost_in_words(team, cell))


def _others(flagged: pd.DataFrame, names: Mapping[str, str]) -> str:
    if flagged.empty:
        return ""
    first, more = flagged.head(ALSO), len(flagged) - ALSO
    said = [
        say("{name} at {stage}", name=names[rep], stage=stage)
        for rep, stage in zip(first["rep_id"], first["stage"], strict=True)
    ]
    said += [say("{n} more", n=more)] if more > 0 else []
    return " " + say("Also: {others}.", others=", ".join(said))


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
        say(
            "Can we walk through the last three deals that stopped at {stage}: what happened just "
            "before?",
            stage=stage,
        )
        for stage in flagged["stage"].drop_duplicates().head(2)
    ]
    if cells["strength_tier"].isin(FIRM).any():
        questions.append(
            say("What is done differently where deals go on more often than expected?")
        )
    if low:
        questions.append(say("What would show whether it is the leads, or what is made of them?"))
    return tuple(questions)


def _caveats(cells: pd.DataFrame, flagged: pd.DataFrame, low: list[str]) -> tuple[str, ...]:
    said = [
        say(
            "A flag says that something is there, not what it is: a skill, a territory, leads of "
            "another kind, or a stage that is entered too early."
        )
    ]
    few = cells["tier"].eq("too_few").sum()
    if few:
        places = number(len(cells))
        said.append(
            say("At {few} of {n} places there are too few deals.", few=number(few), n=places)
        )
    if flagged["is_upper_bound"].any():
        said.append(
            say("Where more than 40 % of the deals are open, the amount is an upper bound.")
        )
    if cells["n_no_amount"].any():
        said.append(say("Deals without an amount count at the mean of their segment."))
    said += [
        say(
            "{name} is low at every stage. Territory or rep? The deals cannot tell; it would help "
            "to record the quality of each lead on arrival, for everyone alike.",
            name=name,
        )
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
