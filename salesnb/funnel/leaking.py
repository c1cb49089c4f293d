"""Leaks: who loses deals at which stage that the typical rep would bring on."""

import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts
from salesnb import leaks as computed
from salesnb.finding import Finding
from salesnb.team import Team
from salesnb.units import money, number

FIRM = ("act", "look")  # separated from chance
NAMED = 3  # cells in a headline
EVERYWHERE = -0.3  # logit shift at every stage from which on it may be the territory


def leaks(team: Team, *, rep: str | None = None) -> Finding:
    """Who loses deals at which stage more often than chance and the deals themselves explain?

    Every rep at every stage against the typical rep of the team on the same deals: segment,
    source, product, size, competitor, month, tenure and the account's traits are taken into
    account, and an open deal counts for what its age says (Larson and Dinse 1985). Estimates are
    shrunken, and flags are given by Bayesian false discovery rate (Stephens 2017).

    Returns
    -------
    Finding
        One row per rep and stage with deals, in order of rep and stage:

        rep_id, stage
        n_visits, n_open : deals that entered the stage; of these still in it
        advance_rate, advance_low, advance_high : the rep's chance that they advance, 90 %
            interval
        typical_rate : the typical rep's on the same deals
        shift_logit, shift_low, shift_high : the rep's shift from the typical rep
        leak_probability, strength_probability : of a shift below -0.3, above +0.3
        tier, strength_tier : ``act`` (of those named at most 5 % are expected to be false),
            ``look`` (10 %), ``watch`` (more likely than not), ``too_few`` or empty
        lost_amount, lost_low, lost_high : team currency; what the typical rep would have won
            beyond this one from the deals that entered; negative for a strength
        is_upper_bound : more than 40 % of the deals are open, the amount is at most this
        n_no_amount : deals without an amount, counted at the mean of their segment
        precision : information on the shift (1 / variance)

    Raises
    ------
    DataError
        The team has no stage history, or no such rep.
    """
    team.need("stage_changes", why="funnel.leaks")
    table = computed.cells(team)
    if rep is not None:
        table = table[table["rep_id"] == team.rep(rep)].reset_index(drop=True)
    names = dict(zip(team.reps["rep_id"], team.reps["name"], strict=True))
    return Finding(
        headline=_headline(table, names, team.currency, rep is not None),
        table=table,
        draw=lambda ax: _draw(ax, table, names, rep is not None),
        ask=_ask(table),
        caveats=_caveats(table, names),
        currency=team.currency,
    )


def _headline(table: pd.DataFrame, names: dict[str, str], currency: str, is_one: bool) -> str:
    if table.empty:
        return "No deal has entered a stage yet."
    flagged = table[table["tier"].isin(FIRM)].sort_values("lost_amount", ascending=False)
    if flagged.empty:
        seen = f"{number(table['n_visits'].sum())} stage entries of "
        who = names[table["rep_id"].iloc[0]] if is_one else f"{table['rep_id'].nunique()} reps"
        return f"Nothing stands out from chance in {seen}{who}."
    first = flagged.head(NAMED)
    cells = [*(first["rep_id"].map(names) + " at " + first["stage"])]
    more = len(flagged) - len(first)
    said = ", ".join(cells) + (f" and {more} more" if more else "")
    total = flagged["lost_amount"].sum()
    cost = f"; about {money(total, currency)} in all" if total > 0 else ""
    return f"Deals stop more often than chance explains: {said}{cost}."


def _ask(table: pd.DataFrame) -> tuple[str, ...]:
    if table["tier"].isin(FIRM).any():
        return ("What do the deals that stopped there have in common, seen from the rep's side?",)
    if table["strength_tier"].isin(FIRM).any():
        return ("What is done differently where deals go on more often, and who could use it?",)
    return ()


def _caveats(table: pd.DataFrame, names: dict[str, str]) -> tuple[str, ...]:
    said = [
        "A flag says that something is there, not what it is: a skill, a territory, leads of "
        "another kind, or a stage that is entered too early."
    ]
    few = table["tier"].eq("too_few").sum()
    if few:
        said.append(f"At {number(few)} of {number(len(table))} places there are too few deals.")
    flagged = table[table["tier"].isin(FIRM)]
    if flagged["is_upper_bound"].any():
        said.append("Where more than 40 % of the deals are open, the amount is an upper bound.")
    if table["n_no_amount"].sum():
        said.append("Deals without an amount count at the mean of their segment.")
    said += [
        f"{names[rep_id]} is low at every stage. Territory or rep? The deals cannot tell; it "
        "would help to record the quality of each lead on arrival."
        for rep_id in _low_everywhere(table)
    ]
    return tuple(said)


def _low_everywhere(table: pd.DataFrame) -> list[str]:
    """Reps low at every stage of two or more, one of them separated from chance."""
    told = table[table["tier"] != "too_few"]
    low = told.assign(
        is_low=told["shift_logit"] <= EVERYWHERE, is_firm=told["tier"].isin(FIRM)
    ).groupby("rep_id")
    found = low["is_low"].all() & low["is_firm"].any() & (low.size() >= 2)
    return [*found.index[found.to_numpy(dtype=bool)]]


def _draw(ax: Axes, table: pd.DataFrame, names: dict[str, str], is_one: bool) -> Axes:
    """Funnel plot: advanced / expected of the typical rep on the same deals."""
    rows = table[table["typical_rate"].between(0, 1, inclusive="neither")]
    if rows.empty:
        return charts.nothing_to_draw(ax)
    # Chance spreads advanced / expected by (1 - p) / p for each deal, p the typical rate: a stage
    # is moved to where as much chance stands at the mean p, so that one pair of limits fits all.
    chance = (1 - rows["typical_rate"]) / rows["typical_rate"]
    decided = (rows["n_visits"] - rows["n_open"]).clip(lower=1)
    is_low, is_high = rows["tier"].isin(FIRM), rows["strength_tier"].isin(FIRM)
    said = rows["stage"] if is_one else rows["rep_id"].map(names) + ", " + rows["stage"]
    return charts.funnel_plot(
        ax,
        (decided * chance.mean() / chance).to_numpy(),
        (rows["advance_rate"] / rows["typical_rate"]).to_numpy(),
        float(chance.mean()),
        said.where(is_low | is_high | is_one, "").to_list(),
        is_low.to_numpy(),
        is_high.to_numpy(),
    )
