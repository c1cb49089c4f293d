"""What the open deals are worth: the odds of each, and how good such odds have been."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from salesnb import charts, deal_odds, stats
from salesnb.finding import Finding
from salesnb.language import say, says, to_say
from salesnb.metrics.ledger import ledger
from salesnb.team import Team
from salesnb.units import fixed, listed, money, number

COLUMNS = ["deal_id", "rep_id", "stage", "age_days", "stage_days", "expected_close_on", "amount"]
COLUMNS += ["win_rate", "win_low", "win_high", "expected_amount"]
BINS = 8
FEWEST = 100  # forecasts with a known end, below which nothing is said of how good they were
RIVALS = {
    "stage_rate": to_say("{error} for stage probabilities"),
    "historic_rate": to_say("{error} for the historic win rate"),
}


def forecast(team: Team, *, rep: str | None = None) -> Finding:
    """What will come of the open deals?

    The chance of each to be won in the end: to advance from its stage, given how long it has been
    there, then from every later stage, by its segment, source, product, competitor, amount and
    the traits of its account, with what is known of its rep, shrunken. The age counts by the
    cumulative incidence of advancing (Aalen and Johansen 1978): an age at which deals have not
    been won any more speaks against a deal, though nobody has closed it. Calibrated on the odds
    of earlier days, each worked out from what was known then. How good it is on simulated teams:
    ``docs/forecast_accuracy.md``.

    Returns
    -------
    Finding
        One row per open deal, largest expected amount first:

        deal_id, rep_id, stage
        age_days, stage_days : days since it was created, and in its stage
        expected_close_on
        amount : team currency
        win_rate, win_low, win_high : chance to be won, with the 90 % interval of the estimate;
            blank for a deal whose stage is not known
        expected_amount : amount x win rate

        The picture: forecasts of earlier days against the share won, of the deals since decided.

    Raises
    ------
    DataError
        There is no such rep, or the days of deals are made up.
    """
    team.need_dates(why="pipeline.forecast")
    found, rep_id = deal_odds.forecast(team), None if rep is None else team.rep(rep)
    table = _table(team, found.now, rep_id)
    checked = found.past.dropna(subset="is_won")
    return Finding(
        headline=_headline(team, found, table),
        table=table,
        draw=lambda ax: _draw(ax, checked),
        ask=(say("Where do you know something of a deal that its stage and age cannot show?"),),
        caveats=_caveats(table, checked),
        currency=team.currency,
        names=team.names,
    )


def _table(team: Team, now: pd.DataFrame, rep_id: str | None) -> pd.DataFrame:
    deals = ledger(team).open_deals
    deals = deals if rep_id is None else deals[deals["rep_id"] == rep_id]
    odds = now[["deal_id", "stage", "stage_days", "win_rate", "win_low", "win_high"]]
    table = deals.merge(odds, on="deal_id", how="left")
    if not team.has("stage_changes"):
        table["stage"] = None
    table["expected_amount"] = table["amount"] * table["win_rate"]
    order = table.sort_values(["expected_amount", "deal_id"], ascending=[False, True])
    return order[COLUMNS].astype({"deal_id": "str", "stage": "str"}).reset_index(drop=True)


def _headline(team: Team, found: deal_odds.Forecast, table: pd.DataFrame) -> str:
    if table.empty:
        return say("No deal is open.")
    n = len(table)
    deals = says("{n} open deal", "{n} open deals", n, n=number(n))
    known = table.dropna(subset="win_rate")
    if known.empty:
        return say(
            "{deals}: nothing is known of their stages, so nothing of their odds.", deals=deals
        )
    n_won = number(known["win_rate"].sum())
    wins = say("{n} of {deals} can be expected to be won", n=n_won, deals=deals)
    if not known["amount"].sum() > 0:
        return f"{wins}."
    total, low, high = deal_odds.total(found, known)
    worth, open_ = money(total, team.currency), money(table["amount"].sum(), team.currency)
    return say(
        "{wins}: {worth} ({low} to {high}) of the {open} that is open.",
        wins=wins,
        worth=worth,
        low=money(low, team.currency),
        high=money(high, team.currency),
        open=open_,
    )


def _caveats(table: pd.DataFrame, checked: pd.DataFrame) -> tuple[str, ...]:
    said = [_record(checked)]
    n_blank = int(table["amount"].isna().sum())
    if n_blank:
        said.append(say("{n} open deals have no amount and count in no sum.", n=number(n_blank)))
    n_unknown = int(table["win_rate"].isna().sum())
    if n_unknown:
        said.append(say("Of {n} open deals no stage is on record.", n=number(n_unknown)))
    said.append(say("To be won in the end, whenever that is; deals not yet created come on top."))
    return tuple(said)


def _record(checked: pd.DataFrame) -> str:
    """How good the forecasts of earlier days were, beside their rivals."""
    if len(checked) < FEWEST:
        return say("Too few earlier forecasts have come to an end to say how good they are.")
    error = {name: _brier(checked, name) for name in ("win_rate", *RIVALS)}
    rivals = listed(say(said, error=fixed(error[name], 3)) for name, said in RIVALS.items())
    own = error["win_rate"]
    said = say(
        "Checked on {days} earlier days with what was known then, {n} forecasts of {n_deals} deals "
        "since decided: Brier score {error}, against {rivals} (0 is perfect).",
        days=checked.day.nunique(),
        n=number(len(checked)),
        n_deals=number(checked.deal_id.nunique()),
        error=fixed(own, 3),
        rivals=rivals,
    )
    if own < min(error[name] for name in RIVALS):
        return said
    return f"{said} " + say("On this team's past a rival was better: lean on it lightly.")


def _brier(checked: pd.DataFrame, name: str) -> float:
    """Mean squared error of a chance (Brier 1950)."""
    return float(((checked[name] - checked["is_won"]) ** 2).mean())


def _draw(ax: Axes, checked: pd.DataFrame) -> Axes:
    """Reliability: of the deals given about the same chance, how many were won."""
    if len(checked) < FEWEST:
        return charts.nothing_to_draw(ax, say("Too few earlier forecasts have come to an end"))
    rank = checked["win_rate"].rank(method="first", pct=True)
    bins = checked.groupby(np.ceil(rank * BINS))
    said, came = bins["win_rate"].mean(), bins["is_won"].mean()
    # A deal seen on several days is one deal, so the interval is that of the deals.
    low, high = stats.wilson(came.to_numpy(), bins["deal_id"].nunique().to_numpy())
    ax.plot(
        [0, 1], [0, 1], color=charts.MUTED, linewidth=1, linestyle="--", label=say("as forecast")
    )
    ax.vlines(said, low, high, color=charts.ACCENT, linewidth=2, alpha=0.5)
    ax.plot(said, came, "o", color=charts.ACCENT, label=say("came"))
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.set_xlabel(say("chance given on earlier days"))
    ax.set_ylabel(say("share won"))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
    return ax
