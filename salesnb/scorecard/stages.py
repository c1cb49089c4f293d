"""What goes well for a rep and the one thing to work on: stages beside the typical rep's."""

import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts, leaks, question_bank, standout
from salesnb.finding import Finding
from salesnb.language import say, says, to_say
from salesnb.stage_model.cells import FEWEST_VISITS
from salesnb.standout import FIRM, Standout
from salesnb.team import Team
from salesnb.units import number, percent, span

RATE = ["stage", "advance_rate", "advance_low", "advance_high", "typical_rate", "n_deals"]
DEAL = ["deal_id", "account", "product", "amount", "closed_on", "age_days"]
LOST = ["lost_amount", "lost_low", "lost_high"]
ON_TIERS = to_say(
    "act, look: separated from chance, of those named at most 5 % and 10 % are expected to be "
    "chance; watch: more likely than not. Of several, the one thing is what costs most."
)
STAGES = ["stage", "tier", "n_deals", "n_open", *RATE[1:-1], *LOST]
SHOWN = 3  # deals that show a strength
NO_HISTORY = to_say("No stage history is recorded, so nothing can be said about single stages.")
ON_TYPICAL = to_say(
    "Typical: what the team's typical rep, this one left out, would reach on the same deals."
)
NO_TYPICAL = to_say("With fewer than three colleagues no typical rep is shown.")
ON_RATES = to_say(
    "Rates are estimates: open deals count by age, few deals are drawn to the typical rep's; a "
    "share counted by hand differs. Below {n} deals no stage is named."
)


def strengths(team: Team, rep: str) -> Finding:
    """What goes well for this rep, and which deals show it?

    A strength is a stage from which the rep's deals move on more often than the typical rep's
    would on the same deals, separated from chance. Where there is none, the largest deals won
    in the last year.

    Returns
    -------
    Finding
        One row per deal that shows it, at most three for each strength, largest first:

        stage : of the strength; empty for a deal that shows none
        advance_rate, advance_low, advance_high : share that moves on, with its interval
        typical_rate : the typical rep's on the same deals
        n_deals : the rep's deals that entered the stage
        deal_id, account, product, closed_on
        amount : team currency
        age_days : from created to won

    Raises
    ------
    DataError
        There is no such rep.
    """
    seen = standout.of(team, rep)
    cells = seen.strengths.rename(columns={"n_visits": "n_deals"})
    shown = _deals_that_show(seen, cells) if len(cells) else seen.wins().head(SHOWN)
    table = shown.reindex(columns=[*RATE, *DEAL])
    table = table.astype(dict.fromkeys(RATE[1:], "float64")).reset_index(drop=True)
    return Finding(
        f"{seen.name}: {strengths_in_words(seen)}",
        table,
        lambda ax: draw_stages(ax, seen),
        ask=_ask_about_a_win(seen, table),
        caveats=caveats(seen),
        currency=team.currency,
        behind={"n_deals": lambda row: at_stage(seen, row["stage"], *leaks.WENT)}
        if len(cells)
        else {},
    )


def work_on(team: Team, rep: str) -> Finding:
    """Which one thing is worth working on with this rep, in money?

    The stage where this rep's deals stop more often than the typical rep's would on the same
    deals, separated from chance: the one with the largest amount lost. Where none is, one that
    is worth watching, or nothing.

    Returns
    -------
    Finding
        One row per stage, in the order of the stages:

        stage
        tier : act (of those flagged at most 5 % are expected to be chance), look (10 %),
            watch (more likely than not), too_few, or empty
        n_deals : the rep's deals that entered the stage; n_open : still there
        advance_rate, advance_low, advance_high : share that moves on, with its interval
        typical_rate : the typical rep's on the same deals
        lost_amount, lost_low, lost_high : team currency, with its interval; only where the tier
            is act, look or watch

    Raises
    ------
    DataError
        There is no such rep.
    """
    seen = standout.of(team, rep)
    table = seen.cells.rename(columns={"n_visits": "n_deals"}).reindex(columns=STAGES)
    is_named = table["tier"].isin([*FIRM, "watch"])
    table[LOST] = table[LOST].where(is_named)
    return Finding(
        f"{seen.name}: {work_in_words(seen)}",
        table,
        lambda ax: draw_stages(ax, seen),
        caveats=(*on_flags(seen), *caveats(seen)),
        currency=team.currency,
        behind={
            "n_deals": lambda row: at_stage(seen, row["stage"], *leaks.WENT),
            "n_open": lambda row: at_stage(seen, row["stage"], "open"),
        },
    )


def at_stage(seen: Standout, stage: str, *outcomes: str) -> pd.DataFrame:
    """The rep's visits of a stage that went so: `behind.VISITS`."""
    return leaks.rows(seen.team, pd.Series({"rep_id": seen.rep_id, "stage": stage}), *outcomes)


def on_flags(seen: Standout) -> tuple[str, ...]:
    """What the words of the tiers mean, and which time the amounts cover, where there are any."""
    named = seen.cells[seen.cells["tier"].isin([*FIRM, "watch"])]
    return (say(ON_TIERS), *leaks.time_covered(seen.team, named)) if len(named) else ()


def _deals_that_show(seen: Standout, cells: pd.DataFrame) -> pd.DataFrame:
    """The largest deals won by way of each stage, beside its numbers; no deal twice."""
    parts: list[pd.DataFrame] = []
    for _, cell in cells.iterrows():
        wins = seen.wins(str(cell["stage"]))
        for part in parts:
            wins = wins[~wins["deal_id"].isin(part["deal_id"])]
        # A strength stands even where no deal is left to show it.
        wins = wins.head(SHOWN) if len(wins) else wins.reindex([0])
        parts.append(wins.assign(**{name: cell[name] for name in RATE}))
    return pd.concat(parts)


def strengths_in_words(seen: Standout) -> str:
    """What goes well, in a sentence without the name."""
    if len(seen.strengths):
        said = [_strength_in_words(cell) for _, cell in seen.strengths.iterrows()]
        return say("deals move on more often than expected {stages}.", stages="; ".join(said))
    if seen.is_new:
        return say("no deals yet.")
    none = _no_strength_in_words(seen)
    wins = seen.wins()
    if wins.empty:
        return say("{no_strength}; no won deals on record yet.", no_strength=none)
    return f"{_wins_in_words(seen, wins)}; {none}."


def _strength_in_words(cell: pd.Series) -> str:
    stage = cell["stage"]
    return say("from {stage}: {rate}", stage=stage, rate=_rate_in_words(cell))


def _no_strength_in_words(seen: Standout) -> str:
    if not seen.has_history:
        return say("no stage history, so no stage is named")
    if seen.can_say:
        return say("no stage stands out as a strength")
    return say("too few deals to name a stage")


def _wins_in_words(seen: Standout, wins: pd.DataFrame) -> str:
    n = len(wins)
    said = says("{n} deal won so far", "{n} deals won so far", n, n=n)
    if seen.has_recent_win:
        said = says("{n} deal won in the last year", "{n} deals won in the last year", n, n=n)
    if wins["amount"].isna().all():
        return said
    largest = standout.labels(wins.head(1), seen.team.currency).iloc[0]
    return say("{wins}, the largest {deal}", wins=said, deal=largest)


def work_in_words(seen: Standout) -> str:
    """What to work on, in a sentence without the name."""
    leak = seen.leak
    if seen.is_new:
        return say("no deals yet.")
    if leak is None:
        return _no_leak_in_words(seen)
    stage, rate = leak["stage"], _rate_in_words(leak)
    if not seen.is_firm:
        return say(
            "{stage} is worth watching, not yet separated from chance: {rate}.",
            stage=stage,
            rate=rate,
        )
    if pd.notna(leak["lost_amount"]):
        rate += f"; {leaks.lost_in_words(seen.team, leak)}"
    return say("deals stop more often than expected at {stage}: {rate}.", stage=stage, rate=rate)


def _no_leak_in_words(seen: Standout) -> str:
    if seen.can_say:
        return say("nothing to work on stands out; no stage is separated from chance.")
    n = number(len(seen.deals))
    if seen.has_history:
        return say("too few deals to judge by (n = {n}).", n=n)
    return say("no stage history to judge by (n = {n}).", n=n)


def _rate_in_words(cell: pd.Series) -> str:
    rate, typical = percent(cell["advance_rate"]), percent(cell["typical_rate"])
    ends = span(cell["advance_low"], cell["advance_high"], percent)
    n = number(cell["n_visits"])
    said = say("{rate} move on ({ends}, n = {n})", rate=rate, ends=ends, n=n)
    if pd.isna(cell["typical_rate"]):
        return said
    return say(
        "{rate} where {typical} of the same deals would with a typical rep",
        rate=said,
        typical=typical,
    )


def caveats(seen: Standout) -> tuple[str, ...]:
    """What to know before leaning on numbers by stage."""
    if not seen.has_history:
        return (say(NO_HISTORY),)
    is_hidden = len(seen.cells) > 0 and seen.cells["typical_rate"].isna().all()
    return (say(NO_TYPICAL if is_hidden else ON_TYPICAL), say(ON_RATES, n=FEWEST_VISITS))


def _ask_about_a_win(seen: Standout, shown: pd.DataFrame) -> tuple[str, ...]:
    shown = shown.dropna(subset="deal_id").head(1)
    if shown.empty:
        return ()
    known = {"won_deal": standout.labels(shown, seen.team.currency).iloc[0]}
    asked = question_bank.choose("strengths", "reality", 1, known, seen.turn, own=1)
    return tuple(question_bank.fill(question.text, known) for question in asked)


def draw_stages(ax: Axes, seen: Standout) -> Axes:
    """The rep's rate at each stage, with its interval, beside the typical rep's."""
    cells = seen.cells.dropna(subset="advance_rate")
    n = cells["n_visits"].map(number).astype("str")
    labels = list(cells["stage"] + " (n = " + n + ")")
    typical = charts.Points(
        say("typical rep, same deals"), cells["typical_rate"], colour=charts.MUTED, marker="D"
    )
    own = charts.Points(
        say("moved on, with interval"),
        cells["advance_rate"],
        cells["advance_low"],
        cells["advance_high"],
    )
    return charts.dumbbell(ax, labels, typical, own)
