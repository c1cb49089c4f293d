"""How far along the goals and quotas are, and where they will end at the usual pace."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter
from scipy.special import gammaincinv

from salesnb import behind, charts, sold, stats
from salesnb.finding import Finding
from salesnb.goals.attainment_words import IN_SIGHT, NO_SEASONS, headline
from salesnb.history import look_up
from salesnb.language import say
from salesnb.metrics.ledger import DAY
from salesnb.metrics.presence import days_at_work
from salesnb.team import Team
from salesnb.units import percent
from salesnb.weekly import working_days

COLUMNS = ["scope", "product", "rep_id", "status", "ends_on", "n_won", "goal_amount", "due_amount"]
COLUMNS += ["won_amount", "attained_ratio", "pace_ratio", "pace_low", "pace_high"]
COLUMNS += ["outlook_amount", "outlook_amount_low", "outlook_amount_high", "product_id"]
SHOWN = ["product", "rep_id", "status", "ends_on", "n_won", "goal_amount", "won_amount"]
SHOWN += ["pace_ratio", "outlook_amount"]
KEYS = {"product": "product_id", "rep": "rep_id"}
YEAR = pd.Timedelta(days=365)
HALF_A_DEAL = 0.5  # added to what is uncertain, so that no deal yet is not certainty
EDGE = 2.0  # of the goal, as far as is drawn
AT_MOST = 3.0  # deals that may stand behind none at all (Poisson, 95 %)


def attainment(team: Team, *, rep: str | None = None) -> Finding:
    """How far along are goals and quotas, and where will they end?

    Each goal and quota whose days hold `team.as_of`. Due so far is the share of its working days
    that have passed: weekends and public holidays taken out, for a rep also leave and the days
    before the hire or after leaving, in the whole amount too. The outlook adds to what is won the
    pace of the last twelve months for the working days left; its interval is that of deals which
    come singly and differ in size (compound Poisson).

    Parameters
    ----------
    rep : id or name; only this rep's quota

    Returns
    -------
    Finding
        The products by id, then the reps by id:

        scope : ``product`` or ``rep``; product, product_id, rep_id
        ends_on : last day of the period
        n_won : deals won in the period so far
        goal_amount : goal, or quota for the days at work; due_amount : of it by now
        won_amount : so far; attained_ratio : won / goal
        pace_ratio, pace_low, pace_high : won / due, 90 % interval
        outlook_amount, outlook_amount_low, outlook_amount_high : at the end of the period, 90 %
        status : ``met``; ``missed`` once the time is over; else ``on_track`` (even the low end
            reaches it), ``short`` (not even the high end does) or ``open``

    Raises
    ------
    DataError
        Neither goals nor quotas, no such rep, or days of deals that are made up.
    """
    rep_id = None if rep is None else team.rep(rep)
    team.need_dates("goals.attainment")
    if rep_id is not None or not team.has("goals"):
        team.need("quotas", why="goals.attainment")
    scopes = ["rep"] if rep_id is not None else [s for s in KEYS if team.has(_source(s))]
    table = pd.concat([_rows(team, scope) for scope in scopes], ignore_index=True)
    if rep_id is not None:
        table = table[table["rep_id"] == rep_id].reset_index(drop=True)
    return Finding(
        headline=headline(team, table, rep_id),
        table=table,
        draw=lambda ax: _draw(ax, table),
        ask=(say(IN_SIGHT),),
        caveats=(say(NO_SEASONS),),
        currency=team.currency,
        names=team.names,
        shown=SHOWN,
        behind={"n_won": lambda row: _won_deals(team, row)},
    )


def _won_deals(team: Team, row: pd.Series) -> pd.DataFrame:
    """The deals won towards a goal or a quota so far, with what counts for it."""
    key = KEYS[row["scope"]]
    asked = getattr(team, _source(row["scope"]))
    asked = asked[(asked[key] == row[key]) & (asked["ends_on"] == row["ends_on"])]
    lines = sold.lines(team).dropna(subset="net_amount")
    lines = lines[(lines[key] == row[key]) & (lines["closed_on"] >= asked["starts_on"].iloc[0])]
    won = lines.groupby("deal_id", as_index=False)["net_amount"].sum()
    return behind.deals(team, won, "net_amount")


def _source(scope: str) -> str:
    return "goals" if scope == "product" else "quotas"


def _rows(team: Team, scope: str) -> pd.DataFrame:
    """The goals or quotas under way, each with what was won and what is to come."""
    key, now = KEYS[scope], team.as_of
    asked = getattr(team, _source(scope))
    asked = asked[(asked["starts_on"] <= now) & (asked["ends_on"] >= now)]
    if scope == "rep":
        reps = team.reps[~(team.reps["left_on"] < now) & ~(team.reps["hired_on"] > now)]
        asked = asked[asked["rep_id"].isin(reps["rep_id"])]
    asked = asked.sort_values([key, "starts_on"], ignore_index=True)
    days = _days(team, asked, key)
    won = _won(team, asked, key, days["since"])
    share, rest = days["passed"] / days["all"], days["left"] / days["before"].clip(lower=1)
    table = asked.assign(
        scope=scope,
        goal_amount=asked["amount"] * days["all"] / days["whole"],
        n_won=won["n"].astype(int),
        won_amount=won["amount"],
    )
    table["due_amount"] = table["goal_amount"] * share
    table = _with_pace(table, won)
    table = _with_outlook(table, won, rest)
    table["status"] = _status(table, days["left"])
    texts = dict.fromkeys(("scope", "product", "product_id", "rep_id", "status"), "str")
    table = table.reindex(columns=COLUMNS).astype(texts)
    table["product"] = look_up(table["product_id"], team.products.set_index("product_id")["name"])
    return table


def _days(team: Team, asked: pd.DataFrame, key: str) -> pd.DataFrame:
    """Working days of each goal: of its `whole` time, of `all` those at work, `passed`, `left`;
    and `before`: those of the year up to now since the product or rep came, `since` that day."""
    now, year_ago = team.as_of, team.as_of - YEAR + DAY
    columns = ["whole", "all", "passed", "left", "before"]
    if asked.empty:
        return pd.DataFrame(columns=columns, dtype=float).assign(since=asked["starts_on"])
    first, last = min(asked["starts_on"].min(), year_ago), asked["ends_on"].max()
    is_working = working_days(team.settings.country, first, last)
    if key == "rep_id":
        at_work = days_at_work(team, first, last).loc[asked[key]].to_numpy(bool)
        came = pd.Series(first, asked.index)
    else:
        at_work = np.ones((len(asked), len(is_working)), bool)
        launched = team.products.set_index("product_id")["launched_on"].reindex(asked[key])
        came = launched.set_axis(asked.index)
    day = np.arange(len(is_working))[None, :]
    start, end = (
        (asked[column] - first).dt.days.to_numpy()[:, None] for column in ("starts_on", "ends_on")
    )
    since = came.where(came > year_ago, year_ago)
    since_day = (since - first).dt.days.to_numpy()[:, None]
    today, at_work = (now - first).days, at_work & is_working
    within = (day >= start) & (day <= end)
    counts = [
        (within & is_working).sum(axis=1),
        (within & at_work).sum(axis=1),
        (within & at_work & (day <= today)).sum(axis=1),
        (within & at_work & (day > today)).sum(axis=1),
        (at_work & (day >= since_day) & (day <= today)).sum(axis=1),
    ]
    found = pd.DataFrame(np.column_stack(counts), asked.index, columns, dtype=float)
    return found.clip(lower=1e-9).assign(left=counts[3].astype(float), since=since)


def _won(team: Team, asked: pd.DataFrame, key: str, since: pd.Series) -> pd.DataFrame:
    """Of each goal: `n`, `amount` and sum of `squares` won in its time, and the same of the year
    before now; `usual` is the size of a deal in general."""
    rows = sold.lines(team).dropna(subset="net_amount")
    rows = rows.groupby([key, "deal_id", "closed_on"])["net_amount"].sum().reset_index()
    usual = float(rows["net_amount"].median()) if len(rows) else 0.0
    rows = rows.merge(asked[[key]].assign(place=asked.index), on=key)
    place, size = rows["place"].to_numpy(), rows["net_amount"].to_numpy()
    is_now = (rows["closed_on"] >= asked["starts_on"].reindex(place).to_numpy()).to_numpy()
    is_year = (rows["closed_on"].to_numpy() >= since.reindex(place).to_numpy()).astype(bool)

    def total(values: np.ndarray) -> np.ndarray:
        return np.bincount(place, values, len(asked))

    return pd.DataFrame(
        {
            "n": total(is_now.astype(float)),
            "amount": total(size * is_now),
            "squares": total(size**2 * is_now),
            "year_amount": total(size * is_year),
            "year_squares": total(size**2 * is_year),
            "usual": usual,
        },
        index=asked.index,
    )


def _with_pace(table: pd.DataFrame, won: pd.DataFrame) -> pd.DataFrame:
    due = table["due_amount"].where(table["due_amount"] > 0)
    amount = won["amount"].where(won["amount"] > 0)
    spread = np.exp(stats.z() * np.sqrt(won["squares"]) / amount)
    ratio = won["amount"] / due
    return table.assign(
        attained_ratio=won["amount"] / table["goal_amount"].where(table["goal_amount"] > 0),
        pace_ratio=ratio,
        pace_low=(ratio / spread).fillna(0).where(due.notna()),
        pace_high=(ratio * spread).fillna(AT_MOST * won["usual"] / due),
    )


def _with_outlook(table: pd.DataFrame, won: pd.DataFrame, rest: pd.Series) -> pd.DataFrame:
    """What is won and what the days left will add; `rest` are these over those of the year."""
    mean = (won["year_amount"] * rest).clip(lower=0)
    squares = won["year_squares"] + HALF_A_DEAL * won["usual"] ** 2
    variance = squares * (rest + rest**2)
    ends = {}
    for end, tail in (("low", (1 - stats.LEVEL) / 2), ("high", (1 + stats.LEVEL) / 2)):
        has_pace = (mean > 0) & (variance > 0)
        shape = (mean**2 / variance).where(has_pace, 1.0)
        gamma = gammaincinv(shape, tail) * (variance / mean).where(has_pace, 0.0)
        bare = stats.z() * np.sqrt(variance) if end == "high" else 0.0
        ends[end] = won["amount"] + gamma.where(mean > 0, bare)
    middle = won["amount"] + mean
    return table.assign(
        outlook_amount=middle,
        outlook_amount_low=np.minimum(ends["low"], middle),
        outlook_amount_high=np.maximum(ends["high"], middle),
    )


def _status(table: pd.DataFrame, left: pd.Series) -> np.ndarray:
    goal = table["goal_amount"] - 1e-6
    return np.select(
        [
            table["won_amount"] >= goal,
            left == 0,
            table["outlook_amount_low"] >= goal,
            table["outlook_amount_high"] < goal,
        ],
        ["met", "missed", "on_track", "short"],
        "open",
    )


def _draw(ax: Axes, table: pd.DataFrame) -> Axes:
    """What is won and where it will end, over the goal; products, or the one rep."""
    rows = table[table["scope"] == "product"]
    rows = (rows if len(rows) else table.head(1)).query("goal_amount > 0")
    if rows.empty:
        return charts.nothing_to_draw(ax)
    labels = rows["product"].fillna(say("quota")).to_list()
    goal = rows["goal_amount"]
    parts = (rows[f"{name}_amount"] / goal for name in ("won", "outlook"))
    won, middle = (part.clip(upper=EDGE) for part in parts)
    low, high = ((rows[f"outlook_amount_{end}"] / goal).clip(upper=EDGE) for end in ("low", "high"))
    series = [
        charts.Points(say("won so far"), won, colour=charts.MUTED, marker="s"),
        charts.Points(say("at the end, at this pace"), middle, low, high),
    ]
    charts.dumbbell(ax, labels, *series, is_rate=False)
    ax.axvline(1, color=charts.INK, linewidth=0.8)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    if max(high.max(), won.max()) >= EDGE:
        edge = percent(EDGE)
        ax.set_xlabel(say("of the goal; what is beyond {edge} stands at the edge", edge=edge))
    return ax
