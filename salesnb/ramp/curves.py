"""How long new hires take: to the first deal of their own, and until they carry their share."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter
from statsmodels.duration.survfunc import survdiff

from salesnb import charts, stats
from salesnb.errors import unknown
from salesnb.finding import Finding
from salesnb.metrics import ramp as measured
from salesnb.metrics.answers import PEERS
from salesnb.metrics.ledger import Ledger, ledger
from salesnb.ramp.newcomers import FEWEST, confounded, milestones
from salesnb.team import Team
from salesnb.units import number, span

GROUPS = ("", "cohort", "role", "region")
CHANCE = 0.05
EVERYBODY = "all"
MEDIAN = ["median_months", "median_months_low", "median_months_high"]
REACHED = ["reached_share", "reached_low", "reached_high"]
COLUMNS = ["milestone", "level", "n_hires", "n_reached", "n_left", "n_waiting", *MEDIAN]
COLUMNS += ["naive_months", *REACHED, "n_inherited", "p"]
DEFINED = (
    "Ramped: the amount won in three calendar months reaches 80 % of the median of colleagues at "
    "least a year on the team, and does so a month later still. First deal: the first one won that "
    "the hire opened."
)
LEFT = "Who left before a milestone never reaches it; nobody is dropped for having left."


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
        headline=_headline(table, by),
        table=table,
        draw=lambda ax: _draw(ax, waits, table, by),
        ask=() if by else _ask(table),
        caveats=_caveats(waits["ramped"], table, by),
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


def _headline(table: pd.DataFrame, by: str) -> str:
    n = int(table.loc[table["milestone"] == "ramped", "n_hires"].sum())
    if not n:
        return "Nobody was hired since the first deal on record: there is no ramp to see yet."
    if by:
        return _groups_in_words(table, by, n)
    first, ramp = (row for _, row in table.iterrows())
    begun = _half(first, "won a first deal of their own")
    return f"{number(n)} new hires. {begun}, {_lower(ramp)}."


def _half(row: pd.Series, what: str) -> str:
    if row["n_reached"] < PEERS:
        so_far = "Nobody has" if not row["n_reached"] else f"Only {number(row['n_reached'])} have"
        so_far = "Only one has" if row["n_reached"] == 1 else so_far
        return f"{so_far} {what} yet, too few to say how long it takes"
    if np.isnan(row["median_months"]):
        return f"Fewer than half are known to have {what} yet"
    return f"Half had {what} after {_months(row)}"


def _lower(row: pd.Series) -> str:
    said = _half(row, "ramped")
    said = said[0].lower() + said[1:]
    if row["n_reached"] < PEERS or row["n_reached"] == row["n_hires"]:
        return said
    missing = row["n_hires"] - row["n_reached"]
    return (
        f"{said}. The mean of the {number(row['n_reached'])} who have, "
        f"{number(row['naive_months'], 1)} months, is too low: it leaves out the "
        f"{number(missing)} who have not"
    )


def _months(row: pd.Series) -> str:
    middle, low, high = (row[name] for name in MEDIAN)
    ends = "" if np.isnan(low) else f"from {number(low, 1)} on"
    if not np.isnan(low) and not np.isnan(high):
        ends = span(low, high, lambda month: number(month, 1))
    return f"{number(middle, 1)} months" + (f" ({ends})" if ends else "")


def _groups_in_words(table: pd.DataFrame, by: str, n: int) -> str:
    k = table["level"].nunique()
    apart = table.loc[table["p"] * 2 <= CHANCE, "milestone"].unique()  # two milestones, two looks
    what = {"cohort": "half-years of hire", "role": "roles", "region": "regions"}[by]
    said = f"{number(n)} new hires in {number(k)} {what}"
    if k < 2:
        return f"{said}: nothing to compare."
    if not len(apart):
        return f"{said}: no difference in the ramp is separated from chance."
    rows = table[(table["milestone"] == apart[-1]) & table["median_months"].notna()]
    medians = [f"{row['level']} {_months(row)}" for _, row in rows.iterrows()]
    return f"{said} differ beyond chance in the wait until {_event(apart[-1])}: " + (
        "; ".join(medians) + "." if medians else "half of them are nowhere there yet."
    )


def _event(milestone: str) -> str:
    return "they have ramped" if milestone == "ramped" else "the first deal"


def _ask(table: pd.DataFrame) -> tuple[str, ...]:
    if not table["n_hires"].sum():
        return ()
    return (
        "What did those who came up quickly have in their first month that others lacked?",
        "Which part of the wait is the length of our sales cycle, and which part is learning?",
    )


def _caveats(rows: pd.DataFrame, table: pd.DataFrame, by: str) -> tuple[str, ...]:
    if rows.empty:
        return (DEFINED,)
    said = [DEFINED, LEFT, *confounded(rows["hired_on"])]
    n_inherited = table.loc[table["milestone"] == "ramped", "n_inherited"].sum()
    if n_inherited:
        said.append(f"{number(n_inherited)} won deals were inherited and are left out.")
    if len(rows) < FEWEST:
        said.append(f"{number(len(rows))} hires say little: read the interval, not the middle.")
    spans = rows.groupby("level")["hired_on"].agg(["min", "max"]).sort_values("min")
    if by == "cohort" and len(spans) > 1:
        said.append("Half-years differ in season and market too, not only in who was hired.")
    elif by and len(spans) > 1 and (spans["min"].shift(-1) > spans["max"]).any():
        said.append(
            "Some of these groups were hired at other times than the rest: the group and the "
            "calendar cannot be told apart."
        )
    if by == "role":
        said.append("The role is that of today: who ramped may have been promoted since.")
    return tuple(said)


def _draw(ax: Axes, waits: dict[str, pd.DataFrame], table: pd.DataFrame, by: str) -> Axes:
    """Share of hires who are there by month since the hire, with band; dashed the naive mean."""
    shown = waits if not by else {"ramped": waits["ramped"]}
    lines = {
        (name if not by else str(level)): rows
        for name, of_all in shown.items()
        for level, rows in of_all.groupby("level")
        if not by or len(rows) >= PEERS
    }
    if not lines:
        return charts.nothing_to_draw(ax, f"No group of {PEERS} hires or more yet")
    palette = [charts.MUTED, charts.ACCENT] if not by else [charts.ACCENT, charts.WARN]
    palette += [charts.MUTED, charts.INK, *charts.shades(2, first=2)]
    for place, (name, rows) in enumerate(lines.items()):
        _line(ax, rows, name, palette[place % len(palette)], has_band=len(lines) <= 2)
    made = table[(table["milestone"] == "ramped") & (table["n_reached"] >= PEERS)]
    naive = made["naive_months"]
    if not by and len(naive):
        label = f"mean of those who have, {number(naive.iloc[0], 1)}"
        ax.axvline(naive.iloc[0], color=charts.WARN, linewidth=1, linestyle="--", label=label)
    ax.set_ylim(0, 1)
    ax.set_xlim(left=0)
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.set_xlabel("months since the hire")
    ax.set_ylabel("share of hires" if not by else "share ramped")
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
