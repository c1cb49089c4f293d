"""Whether a new hire is on track: so many weeks at work against past hires after as many."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter
from scipy.stats import false_discovery_control
from scipy.stats import t as student

from salesnb import charts, stats
from salesnb.finding import Finding
from salesnb.language import say, to_say
from salesnb.metrics import ramp as measured
from salesnb.metrics.answers import PEERS
from salesnb.metrics.ledger import DAY, Ledger, ledger
from salesnb.metrics.presence import days_at_work
from salesnb.ramp import track_words
from salesnb.ramp.newcomers import FEWEST, NEW_MONTHS, new
from salesnb.team import Team
from salesnb.weekly import working_days

DAYS_A_WEEK = 5
FIRST_WEEKS = 4  # at work, before which nothing is said
# A few large deals set amounts far apart by chance: more is asked of them before anybody is named.
CHANCE = {"meetings booked": 0.05, "pipeline opened": 0.01, "won": 0.01}
ITEMS = {
    to_say("meetings booked"): "count",
    to_say("pipeline opened"): "amount",
    to_say("won"): "amount",
}
COLUMNS = ["rep_id", "at_work_weeks", "item", "status", "value", "benchmark"]
COLUMNS += ["below_share", "below_low", "below_high", "n_hires", "chance_rate", "unit"]
TEXTS = ("rep_id", "item", "status", "unit")


def on_track(team: Team, *, rep: str | None = None, months: int = NEW_MONTHS) -> Finding:
    """Which new hires are on track, against past hires after as many weeks at work?

    Activities show first, then the pipeline they open, then what is won; each adds up from the
    first day. Weeks are weeks at work: leave and holidays are out of them. A hire is *ahead* or
    *behind* only where chance, with as many hires looked at, would hardly do it.

    Parameters
    ----------
    rep : one new hire alone, by id or name
    months : since the hire, within which somebody is new

    Returns
    -------
    Finding
        Three rows per new hire, the latest hire first:

        rep_id, at_work_weeks : weeks at work since the hire
        item : ``meetings booked``, ``pipeline opened`` (amount of deals of their own), ``won``
        status : ``ahead`` or ``behind`` where `chance_rate` is at most 5 % (of amounts 1 %), else
            ``on track``; ``too early`` in the first four weeks at work, or where fewer than half
            of past hires had any by then; ``too few to compare`` below five past hires with as
            many weeks behind them
        value : so far; benchmark : median of the past hires after as many weeks, blank below three
        below_share, below_low, below_high : share of past hires who had less, ties half; 90 %
            interval (Wilson 1927)
        n_hires : past hires with as many weeks behind them, whatever became of them
        chance_rate : probability of a value so far from past hires' by chance, two-sided, after
            looking at as many new hires (Benjamini and Hochberg 1995)
        unit : count or amount

    Raises
    ------
    DataError
        The days of deals are made up, no activities, or there is no such rep.

    Notes
    -----
    The probability is that of a further draw from the past hires' distribution, on the scale of
    cube roots, where counts and sums are nearly normal (Wilson and Hilferty 1931): Student's t with
    the spread widened by the one more draw.
    """
    team.need_dates("ramp.on_track")
    team.need("activities", why="ramp.on_track")
    book, wanted = ledger(team), new(team, months, rep)
    table = _compared(book, new(team, months))
    table = table[table["rep_id"].isin(wanted["rep_id"])].reset_index(drop=True)
    return Finding(
        headline=track_words.headline(team, table, months, rep),
        table=table,
        draw=lambda ax: _draw(ax, team, table),
        ask=track_words.ask(team, table),
        caveats=track_words.caveats(team, table),
        currency=team.currency,
        names=team.names,
    )


def _compared(book: Ledger, newcomers: pd.DataFrame) -> pd.DataFrame:
    """Each new hire's rows, against all hires on record with as many days at work."""
    hires = measured.hires(book)
    place = pd.Index(hires["rep_id"]).get_indexer(pd.Index(newcomers["rep_id"]))
    worked = _days_worked(book, hires)
    total = worked[:, -1] if worked.shape[1] else np.zeros(len(hires), int)
    so_far = {item: _so_far(rows, hires, worked) for item, rows in _events(book, hires).items()}
    rows = []
    for rep_id, own in zip(newcomers["rep_id"], place, strict=True):
        for item, sums in so_far.items() if own >= 0 else ():
            found = _against(sums[:, total[own]], own, total >= total[own])
            rows.append((rep_id, total[own] / DAYS_A_WEEK, item, ITEMS[item], *found))
    columns = ["rep_id", "at_work_weeks", "item", "unit", "value", "benchmark"]
    columns += ["below_share", "n_hires", "p", "is_usual"]
    table = pd.DataFrame(rows, columns=columns)
    numbers = [c for c in columns if c not in (*TEXTS, "is_usual")]
    table = table.astype({**dict.fromkeys(numbers, "float64"), "is_usual": "bool"})
    ends = stats.wilson(table["below_share"].to_numpy(), table["n_hires"].to_numpy())
    table["below_low"], table["below_high"] = ends
    return _judged(table).astype(dict.fromkeys(TEXTS, "str"))[COLUMNS]


def _days_worked(book: Ledger, hires: pd.DataFrame) -> np.ndarray:
    """Working days at work since the hire, by the end of each day since the first hire."""
    team = book.team
    first = hires["hired_on"].min()
    if hires.empty:
        return np.zeros((0, 0), int)
    at_work = days_at_work(team, first, team.as_of).reindex(hires["rep_id"]).to_numpy(bool)
    is_working = working_days(team.settings.country, first, team.as_of)
    return np.cumsum(at_work & is_working, axis=1)


def _events(book: Ledger, hires: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What counts for each item: rep_id, on, worth."""
    acts = book.meetings()
    deals = measured.deals_of_hires(book)
    deals = deals[~deals["is_inherited"]].assign(worth=deals["amount"].fillna(0.0))
    won = deals[deals["outcome"] == "won"]
    return {
        "meetings booked": acts.assign(on=acts["booked_at"].dt.normalize(), worth=1.0),
        "pipeline opened": deals.assign(on=deals["created_on"]),
        "won": won.assign(on=won["closed_on"]),
    }


def _so_far(events: pd.DataFrame, hires: pd.DataFrame, worked: np.ndarray) -> np.ndarray:
    """The sum of each hire by the end of their k-th day at work (hires x days, from day 0)."""
    days = int(worked[:, -1].max(initial=0)) if worked.size else 0
    sums = np.zeros((len(hires), days + 1))
    if not worked.size:
        return sums
    rep = pd.Index(hires["rep_id"]).get_indexer(pd.Index(events["rep_id"]))
    day = (events["on"] - hires["hired_on"].min()).dt.days.to_numpy()
    is_own = (rep >= 0) & (day >= 0) & (day < worked.shape[1])
    rep, day = rep[is_own], day[is_own].astype(int)
    is_since = hires["hired_on"].min() + day * DAY >= hires["hired_on"].to_numpy()[rep]
    rep, day, worth = rep[is_since], day[is_since], events["worth"].to_numpy()[is_own][is_since]
    np.add.at(sums, (rep, worked[rep, day]), worth)
    return np.cumsum(sums, axis=1)


def _against(
    sums: np.ndarray, own: int, is_past: np.ndarray
) -> tuple[float, float, float, int, float, bool]:
    """Value, median of the past hires, share below, how many, p, and whether most had any."""
    value, past = sums[own], sums[is_past & (np.arange(len(sums)) != own)]
    n = len(past)
    if not n:
        return value, np.nan, np.nan, 0, np.nan, False
    below = (np.sum(past < value) + 0.5 * np.sum(past == value)) / n
    median = float(np.median(past)) if n >= PEERS else np.nan
    return value, median, below, n, _p(value, past), bool(np.mean(past > 0) >= 0.5)


def _p(value: float, past: np.ndarray) -> float:
    n, roots = len(past), np.cbrt(past)
    spread = np.std(roots, ddof=1) * np.sqrt(1 + 1 / n) if n > 1 else 0.0
    if not spread > 0:
        return np.nan
    return float(2 * student.sf(abs(np.cbrt(value) - roots.mean()) / spread, n - 1))


def _judged(table: pd.DataFrame) -> pd.DataFrame:
    """Adds `chance_rate` over all comparisons that can be made, and `status`."""
    is_few = table["n_hires"] < FEWEST
    is_early = (table["at_work_weeks"] < FIRST_WEEKS) | ~table["is_usual"]
    is_told = ~is_few & ~is_early & table["p"].notna()
    chance = np.full(len(table), np.nan)
    for item in ITEMS:  # each a question of its own, asked of every new hire
        asked = (is_told & (table["item"] == item)).to_numpy()
        if asked.any():
            chance[asked] = false_discovery_control(table.loc[asked, "p"].to_numpy())
    is_apart = chance <= table["item"].map(CHANCE).to_numpy(float)
    is_more = table["below_share"] > 0.5
    status = np.select(
        [is_few, is_early, is_apart & is_more, is_apart],
        ["too few to compare", "too early", "ahead", "behind"],
        default="on track",
    )
    return table.assign(chance_rate=chance, status=status)


def _draw(ax: Axes, team: Team, table: pd.DataFrame) -> Axes:
    """Where each new hire stands among past hires, by item."""
    rows = table[table["n_hires"] >= PEERS]
    if rows.empty:
        return charts.nothing_to_draw(ax, say("Too few past hires to compare with"))
    reps = list(dict.fromkeys(rows["rep_id"]))[:12]
    rows = rows[rows["rep_id"].isin(reps)]
    colours = (charts.ACCENT, charts.MUTED, charts.WARN)
    series = []
    for (item, colour), marker in zip(zip(ITEMS, colours, strict=True), "os^", strict=True):
        own = rows[rows["item"] == item].set_index("rep_id").reindex(reps)
        own = own.where(own["status"] != "too early")
        series.append(charts.Points.of(say(item), own, "below_share", colour, marker))
    charts.dumbbell(ax, [team.names[rep_id] for rep_id in reps], *series)
    ax.axvline(0.5, color=charts.MUTED, linewidth=0.8, linestyle="--")
    ax.set_xlabel(say("share of past hires with less, after as many weeks"))
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return ax
