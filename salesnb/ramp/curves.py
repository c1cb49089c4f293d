"""How long new hires take: to the first deal of their own, and until they carry their share."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter
from statsmodels.duration.survfunc import survdiff

from salesnb import charts, stats
from salesnb.errors import unknown
from salesnb.finding import Finding
from salesnb.language import say, to_say
from salesnb.metrics import ramp as measured
from salesnb.metrics.answers import PEERS
from salesnb.metrics.ledger import Ledger, ledger
from salesnb.ramp import curve_words
from salesnb.ramp.curve_words import MEDIAN
from salesnb.ramp.newcomers import milestones
from salesnb.team import Team
from salesnb.units import number

GROUPS = ("", "cohort", "role", "region")
EVERYBODY = "all"
REACHED = ["reached_share", "reached_low", "reached_high"]
COLUMNS = ["milestone", "level", "n_hires", "n_reached", "n_left", "n_waiting", *MEDIAN]
COLUMNS += ["naive_months", *REACHED, "n_inherited", "p"]
NAMES = {"first deal": to_say("first deal"), "ramped": to_say("ramped")}


def curve(team: Team, *, by: str = "", months: int = 6) -> Finding:
    """How long do new hires take to the first deal, and until they have ramped?

    Of everybody hired since the first deal on record. Whoever is not there yet is counted as
    waiting, whoever left first as never getting there; the mean of those who made it, beside, knows
    neither and is too low. Deals that a hire inherited count for nothing here.

    Parameters
    ----------
    by : ``""`` for all together, or ``"cohort"`` (half-year of the hire), ``"role"``, ``"region"``
    months : since the hire, at which the share that is there is given

    Returns
    -------
    Finding
        One row per milestone and group:

        milestone : ``first deal`` or ``ramped``, as in `metrics`
        level : the group; ``all`` without `by`
        n_hires, n_reached : hired, and there by now
        n_left, n_waiting : left without getting there, and still on the way
        median_months, median_months_low, median_months_high : months after which half are there,
            90 % interval; blank where fewer than half are known to be, the low end also below five
            hires
        naive_months : mean months of those who are there
        reached_share, reached_low, reached_high : share there within `months`, 90 % interval;
            blank where nobody was there by then, or nobody has been observed for so long
        n_inherited : won deals left out, because somebody else opened them or before the hire
        p : probability of groups as different by chance alone; blank without `by`

    Raises
    ------
    DataError
        The days of deals are made up, or `by` is none of these.

    Notes
    -----
    1 - Kaplan-Meier with leavers kept at risk is the cumulative incidence with leaving as
    competitor (Fine and Gray 1999); groups are compared by the log-rank test, here that of Gray
    (1988). The interval of the median inverts the beta product band (Fay, Brittain and Proschan
    2013): it holds the true median at least nine times in ten with few hires too.
    """
    team.need_dates("ramp.curve")
    if by not in GROUPS:
        raise unknown("by", by, GROUPS)
    book = ledger(team)
    waits = {name: _grouped(rows, by) for name, rows in milestones(book).items()}
    inherited = _inherited(book, waits["ramped"])
    parts = [_rows(name, rows, months, inherited, by) for name, rows in waits.items()]
    table = pd.concat(parts, ignore_index=True)[COLUMNS]
    return Finding(
        headline=curve_words.headline(table, by),
        table=table,
        draw=lambda ax: _draw(ax, waits, table, by),
        ask=() if by else curve_words.ask(table),
        caveats=curve_words.caveats(waits["ramped"], table, by),
        names=team.names,
    )


def _grouped(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    """The hires with their group: `level`, and its `code` in alphabetical order."""
    hired = rows["hired_on"]
    half = pd.Series(np.where(hired.dt.month <= 6, "H1", "H2"), index=rows.index)
    level = {
        "": pd.Series(EVERYBODY, index=rows.index),
        "cohort": hired.dt.year.astype("str") + " " + half,
        "role": rows["role"].fillna("not recorded"),
        "region": rows["region"].fillna("not recorded"),
    }[by].astype("str")
    names = pd.Index(sorted(level.unique()), dtype="str")
    return rows.assign(level=level, code=names.get_indexer(pd.Index(level)))


def _inherited(book: Ledger, rows: pd.DataFrame) -> pd.Series:
    """Won deals that hires inherited, by group."""
    deals = measured.deals_of_hires(book)
    deals = deals[deals["is_inherited"] & (deals["outcome"] == "won")]
    return deals.merge(rows[["rep_id", "level"]], on="rep_id")["level"].value_counts()


def _rows(
    name: str, rows: pd.DataFrame, months: int, inherited: pd.Series, by: str
) -> pd.DataFrame:
    """The table of one milestone."""
    levels = pd.Index(sorted(rows["level"].unique()) or [EVERYBODY], dtype="str")
    n, seen = len(levels), _incidence(rows)
    there = rows["is_there"].astype(float)
    sums = pd.DataFrame({"n_reached": there, "n_left": rows["is_gone"].astype(float)})
    sums = sums.groupby(rows["level"]).sum().reindex(levels, fill_value=0.0)
    sums["n_hires"] = rows["level"].value_counts().reindex(levels, fill_value=0).astype(float)
    sums["n_waiting"] = sums["n_hires"] - sums["n_reached"] - sums["n_left"]
    made = rows[rows["is_there"]].groupby("level")["months"].mean()
    sums["naive_months"] = made.reindex(levels)
    sums["n_inherited"] = inherited.reindex(levels, fill_value=0).astype(float)
    values = ["value", "value_low", "value_high"]
    waited = stats.waiting_time(seen, n)[values].set_axis(MEDIAN, axis=1).set_axis(levels)
    share = stats.incidence_by(seen, n, months)[values].set_axis(REACHED, axis=1).set_axis(levels)
    longest = rows.groupby("level")["months"].max().reindex(levels)
    share = share.where((longest >= months) | (sums["n_reached"] == sums["n_hires"]), axis=0)
    table = pd.concat([sums, waited, share], axis=1).reset_index(names="level")
    p = _p(rows) if by else np.nan
    return table.assign(milestone=name, p=p).astype({"milestone": "str", "level": "str"})


def _incidence(rows: pd.DataFrame) -> pd.DataFrame:
    there = rows["is_there"].to_numpy(int)
    return stats.incidence(rows["months"].to_numpy(float), there, rows["code"].to_numpy(int))


def _p(rows: pd.DataFrame) -> float:
    """How likely chance alone would set the groups so far apart; NaN where nothing can differ."""
    # A group of which nobody has waited as long as the first to get there says nothing.
    first = rows.loc[rows["is_there"], "months"].min()
    rows = rows[rows.groupby("code")["months"].transform("max") >= first]
    if rows["code"].nunique() < 2:
        return np.nan
    status = rows["is_there"].to_numpy(int)
    try:
        return float(survdiff(rows["months"].to_numpy(), status, rows["code"].to_numpy())[1])
    except np.linalg.LinAlgError:  # groups that were never waiting at the same time
        return np.nan


def _draw(ax: Axes, waits: dict[str, pd.DataFrame], table: pd.DataFrame, by: str) -> Axes:
    """Share of hires who are there by month since the hire, with band; dashed the naive mean."""
    shown = waits if not by else {"ramped": waits["ramped"]}
    lines = {
        (say(NAMES[name]) if not by else str(level)): rows
        for name, of_all in shown.items()
        for level, rows in of_all.groupby("level")
        if not by or len(rows) >= PEERS
    }
    if not lines:
        return charts.nothing_to_draw(ax, say("No group of {n} hires or more yet", n=PEERS))
    palette = [charts.MUTED, charts.ACCENT] if not by else [charts.ACCENT, charts.WARN]
    palette += [charts.MUTED, charts.INK, *charts.shades(2, first=2)]
    for place, (name, rows) in enumerate(lines.items()):
        _line(ax, rows, name, palette[place % len(palette)], has_band=len(lines) <= 2)
    made = table[(table["milestone"] == "ramped") & (table["n_reached"] >= PEERS)]
    naive = made["naive_months"]
    if not by and len(naive):
        label = say("mean of those who have, {n}", n=number(naive.iloc[0], 1))
        ax.axvline(naive.iloc[0], color=charts.WARN, linewidth=1, linestyle="--", label=label)
    ax.set_ylim(0, 1)
    ax.set_xlim(left=0)
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.set_xlabel(say("months since the hire"))
    ax.set_ylabel(say("share ramped") if by else say("share of hires"))
    return ax


def _line(ax: Axes, rows: pd.DataFrame, name: str, colour: str, has_band: bool) -> None:
    seen = _incidence(rows.assign(code=0))
    seen = seen[seen["n_at_risk"] >= (3 if len(rows) > 10 else 1)]
    x = np.r_[0.0, seen["day"]]
    ax.step(x, np.r_[0.0, seen["incidence"]], where="post", color=colour, label=name)
    if has_band:
        bands = pd.concat([stats.incidence_by(seen, 1, day) for day in seen["day"]])
        low, high = (np.r_[0.0, bands[f"value_{end}"].fillna(0.0)] for end in ("low", "high"))
        ax.fill_between(x, low, high, step="post", color=colour, alpha=0.15, linewidth=0)
