"""What can be asked of a new hire: a plan by ramp quota, from what past hires brought."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter
from scipy.optimize import isotonic_regression

from salesnb import charts
from salesnb.finding import Finding
from salesnb.history import look_up
from salesnb.language import say
from salesnb.metrics.ledger import ledger
from salesnb.metrics.presence import DAYS_A_MONTH
from salesnb.metrics.ramp import TENURED_MONTHS
from salesnb.ramp.earnings import Earnings, earnings, interval
from salesnb.ramp.newcomers import FEWEST, confounded
from salesnb.team import Team
from salesnb.units import money, number, percent, span

SHARE, AMOUNT = ["plan_share", "plan_low", "plan_high"], "plan_amount"
PLAN = ["month", *SHARE, AMOUNT, f"{AMOUNT}_low", f"{AMOUNT}_high", "given_share", "n_hires"]


def quota_plan(team: Team, *, monthly_quota: float = 0.0, months: int = 12) -> Finding:
    """What share of a full quota can be asked of a new hire, month by month?

    What past hires won in each month since the hire, against what colleagues at least a year on
    the team won on average in the same days: season and market are out of it, and the share never
    falls from one month to the next.

    Parameters
    ----------
    monthly_quota : a full quota for a month in the team's currency; 0 takes the median of the
        colleagues' present quotas, or where there are none what the median colleague wins
    months : since the hire, at most; a month that fewer than three hires have behind them is left
        out

    Returns
    -------
    Finding
        One row per month since the hire:

        month : 1 is the first
        plan_share, plan_low, plan_high : of a full quota, at most 1, 90 % interval by bootstrap
            over hires; no interval where no hire has won anything yet
        plan_amount, plan_amount_low, plan_amount_high : that share of a full quota, team currency
        given_share : the quota past hires had in that month, of the colleagues' median for the
            same days; blank without quotas
        n_hires : past hires whose month is over

    Raises
    ------
    DataError
        The days of deals are made up.

    Notes
    -----
    Ratios of sums, made to rise by isotonic regression (Barlow et al. 1972).
    """
    team.need_dates("ramp.quota_plan")
    made = earnings(ledger(team)).first(months)
    full, source = _full_quota(team, made, monthly_quota)
    table = _plan(made, full).assign(given_share=_given(team, made))[PLAN]
    return Finding(
        headline=_plan_headline(table, full, team.currency),
        table=table,
        draw=lambda ax: _draw_plan(ax, table),
        ask=(say("Which month of this plan would you not believe in, and why?"),)
        if len(table)
        else (),
        caveats=_plan_caveats(made, source),
        currency=team.currency,
    )


def _plan(made: Earnings, full: float) -> pd.DataFrame:
    """Share of a full quota by month, its interval, and the amount."""
    months = made.won.shape[1]
    known = ~np.isnan(made.won) & ~np.isnan(made.tenured) & made.is_there
    draws = made.draws()
    won = draws @ np.where(known, made.won, 0.0)
    beside = draws @ np.where(known, made.tenured, 0.0)
    share = np.full((len(draws), months), np.nan)
    for row in np.flatnonzero((beside > 0).any(axis=1)) if months else ():
        seen = beside[row] > 0
        ratio = won[row, seen] / beside[row, seen]
        rising = isotonic_regression(ratio, weights=beside[row, seen]).x
        share[row] = np.interp(np.arange(months), np.flatnonzero(seen), np.minimum(rising, 1.0))
    share = share[~np.isnan(share).any(axis=1)] if months else share
    n = made.n.astype(float)
    low = high = value = np.full(months, np.nan)
    if len(share) > 1:
        value = share[0]
        low, high = interval(value, share[1:], n)
    low, high = (np.where(value > 0, np.clip(end, 0, 1), np.nan) for end in (low, high))
    table = pd.DataFrame(dict(zip(SHARE, (value, low, high), strict=True)))
    for name, end in zip(PLAN[4:7], SHARE, strict=True):
        table[name] = table[end] * full
    return table.assign(month=np.arange(1, months + 1, dtype=float), n_hires=n)


def _full_quota(team: Team, made: Earnings, given: float) -> tuple[float, str]:
    """A full quota for a month, and where it comes from."""
    if given:
        return given, ""
    quotas = _of_colleagues(team)
    now = quotas[(quotas["starts_on"] <= team.as_of) & (quotas["ends_on"] >= team.as_of)]
    if len(now):
        return float(now["a_day"].median() * DAYS_A_MONTH), (
            say("A full quota is the median of the colleagues' present ones, for a month.")
        )
    usual = float(np.median(made.usual)) if len(made.usual) else np.nan
    return usual, say(
        "No quotas of today are on record: a full one is what the median colleague wins."
    )


def _of_colleagues(team: Team) -> pd.DataFrame:
    """The quotas of reps at least a year on the team when they began, by the day."""
    quotas = _by_day(team)
    hired = look_up(quotas["rep_id"], team.reps.set_index("rep_id")["hired_on"])
    return quotas[~(hired + pd.DateOffset(months=TENURED_MONTHS) > quotas["starts_on"])]


def _by_day(team: Team) -> pd.DataFrame:
    quotas = team.quotas
    return quotas.assign(
        a_day=quotas["amount"] / ((quotas["ends_on"] - quotas["starts_on"]).dt.days + 1)
    )


def _given(team: Team, made: Earnings) -> np.ndarray:
    """The median over hires of their quota on the middle day of each month, of a full one."""
    months = made.won.shape[1]
    full = _of_colleagues(team).groupby(["starts_on", "ends_on"])["a_day"].median().rename("full")
    quotas = _by_day(team).merge(full.reset_index(), on=["starts_on", "ends_on"])
    quotas = quotas.merge(made.hires[["rep_id", "hired_on"]], on="rep_id")
    first, last = (
        ((quotas[end] - quotas["hired_on"]).dt.days / DAYS_A_MONTH).to_numpy()[:, None]
        for end in ("starts_on", "ends_on")
    )
    middle = np.arange(months)[None, :] + 0.5
    share = (quotas["a_day"] / quotas["full"]).to_numpy(float)[:, None]
    seen = np.where((first <= middle) & (middle <= last), share, np.nan)
    has_any = ~np.isnan(seen).all(axis=0)
    found = np.full(months, np.nan)
    found[has_any] = np.nanmedian(seen[:, has_any], axis=0)
    return found


def _plan_headline(table: pd.DataFrame, full: float, currency: str) -> str:
    known = table.dropna(subset="plan_share")
    if known.empty:
        return say("Too few hires on record for a plan by ramp quota.")
    at = [month for month in (3, 6, 9, 12) if month in set(known["month"])]
    at = at or [known["month"].iloc[-1]]
    said = ", ".join(
        say("month {n} {share}", n=number(row["month"]), share=percent(row["plan_share"]))
        + _ends(row)
        for _, row in known[known["month"].isin(at)].iterrows()
    )
    worth = "" if np.isnan(full) else say(" of {amount} a month", amount=money(full, currency))
    return say(
        "What past hires brought, as a share of a full quota{amount}: {shares}.",
        amount=worth,
        shares=said,
    )


def _ends(row: pd.Series) -> str:
    known = pd.notna(row["plan_low"])
    return f" ({span(row['plan_low'], row['plan_high'], percent)})" if known else ""


def _plan_caveats(made: Earnings, source: str) -> tuple[str, ...]:
    said = [
        say("What hires won is also what they were given: leads, accounts, a colleague's help.")
    ]
    said += [source] if source else []
    if len(made.hires):
        said.append(
            say(
                "On simulated teams these intervals held the true share in 65 to 90 of 100 cases, "
                "the fewest in months 4 to 6, where the plan asks a little too little "
                "(docs/ramp_accuracy.md)."
            )
        )
    if 0 < len(made.hires) < FEWEST * 2:
        n = number(len(made.hires))
        said.append(say("{n} hires say little: read the interval.", n=n))
    return (*said, *confounded(made.hires["hired_on"]))


def _draw_plan(ax: Axes, table: pd.DataFrame) -> Axes:
    """The plan by month with band, and what was given so far."""
    rows = table.dropna(subset="plan_share")
    if rows.empty:
        return charts.nothing_to_draw(ax)
    month = rows["month"]
    ax.fill_between(
        month, rows["plan_low"], rows["plan_high"], color=charts.ACCENT, alpha=0.2, linewidth=0
    )
    ax.plot(month, rows["plan_share"], "o-", color=charts.ACCENT, label=say("what past hires won"))
    if rows["given_share"].notna().any():
        given = rows["given_share"]
        ax.step(month, given, where="mid", color=charts.MUTED, label=say("the quota they had"))
    ax.set_ylim(0, 1.05)
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.set_xlabel(say("months since the hire"))
    ax.set_ylabel(say("of a full quota"))
    return ax
