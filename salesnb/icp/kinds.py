"""The kinds of companies, and which of them are worth most to sell to."""

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import behind, charts, stats
from salesnb.companies.segments import FEW_WON, Segments, with_place
from salesnb.companies.segments import segments as found_segments
from salesnb.finding import Finding
from salesnb.history import look_up
from salesnb.language import say, to_say
from salesnb.team import Team
from salesnb.units import fixed, money, number, percent, span

COLUMNS = ["segment", "name", "n_won", "n_lost", "n_open", "share_of_accounts"]
COLUMNS += [
    "win_rate",
    "win_low",
    "win_high",
    "value_amount",
    "value_amount_low",
    "value_amount_high",
]
AFTER = ["cycle_days", "cycle_low", "cycle_high", "margin_rate", "margin_low", "margin_high"]
AFTER += ["retention_rate", "retention_low", "retention_high"]
AFTER += ["expansion_rate", "expansion_low", "expansion_high"]
LAST = ["rank", "is_ideal", "is_anti"]
A_YEAR = 365.0
BY_NO_MEANS = to_say("Whom a team sells to is its own choice: what it never tried, it cannot know.")


def segments(team: Team) -> Finding:
    """Which kinds of companies does this team sell to, and which are worth most?

    Latent classes of the traits of all companies that bought or turned something down, numbers,
    words and blanks alike (Vermunt and Magidson 2002); as many as rows held out can tell apart
    (Smyth 2000), more than chance gives, and found again in resampled companies. How often deals
    with each are won: a logistic regression with kinds and reps as shrunken effects, so that no
    kind is ideal for being worked by a strong rep. Where the kinds are not won differently
    (score test within reps, companies as cases), there are no segments.

    Returns
    -------
    Finding
        One row per segment, the largest worth (win rate x value) first; none if there are none:

        segment : S1, S2, ...
        name : in plain words, from a decision tree of eight leaves
        n_won, n_lost, n_open : deals
        share_of_accounts : of all accounts on record (0-1)
        win_rate, win_low, win_high : for a typical rep, shrunken towards that of all
        value_amount, value_amount_low, value_amount_high : mean amount of a won deal, shrunken
        cycle_days, cycle_low, cycle_high : median days from creation to won
        margin_rate, margin_low, margin_high : earned / paid, of the lines of won deals; blank
            where no margins are on record
        retention_rate, retention_low, retention_high : customers kept for a year (Kaplan-Meier)
        expansion_rate, expansion_low, expansion_high : customers who bought on top
        rank : by worth
        is_ideal : won clearly more often and worth no less than most, or worth clearly more and
            won no less often
        is_anti : won clearly less often, and worth less

    Raises
    ------
    DataError
        The team has no accounts.
    """
    found = found_segments(team)
    table = _table(team, found)
    return Finding(
        headline=_headline(found, table, team.currency),
        table=table,
        draw=lambda ax: _draw(ax, found, table),
        ask=_ask(table),
        caveats=_caveats(found),
        currency=team.currency,
        names=team.names,
        behind={
            f"n_{outcome}": partial(_deals, team, found, outcome)
            for outcome in ("won", "lost", "open")
        },
    )


def _deals(team: Team, found: Segments, outcome: str, row: pd.Series) -> pd.DataFrame:
    """The deals with companies of a segment that ended so: each company is of its likeliest."""
    deals = with_place(found.customers)
    deals = deals[deals["outcome"].fillna("open") == outcome]
    kind = found.belongs.argmax(1)[deals["place"]]
    return behind.deals(team, deals[kind == found.ids.index(row["segment"])])


def _table(team: Team, found: Segments) -> pd.DataFrame:
    table = pd.DataFrame({"segment": found.ids, "name": list(found.names)}, dtype="str")
    if found.why_none:
        table = table.head(0)
    rows = found.table.head(len(table))
    n = np.bincount(found.kind[found.kind >= 0], minlength=len(found.names))
    table["share_of_accounts"] = (n / max(len(found.kind), 1))[: len(table)]
    table = pd.concat([table, rows, _after_sale(team, found).head(len(table))], axis=1)
    table["rank"] = np.arange(1, len(table) + 1)
    return table[[*COLUMNS, *AFTER, *LAST]]


def _after_sale(team: Team, found: Segments) -> pd.DataFrame:
    """What became of the customers of each segment; blank where nobody recorded it."""
    k, deals = max(len(found.names), 1), found.customers.deals
    kind = pd.Series(found.kind, index=found.customers.accounts.index)
    won = deals[deals["outcome"] == "won"]
    won = won.assign(kind=look_up(won["account_id"], kind))
    won = won[won["kind"] >= 0].astype({"kind": int})
    days = (won["closed_on"] - won["created_on"]).dt.days.to_numpy(float)
    cycle = stats.quantiles(days, won["kind"].to_numpy(), k).drop(columns="n")
    first = won.groupby("account_id").agg(kind=("kind", "first"), on=("closed_on", "min"))
    after = team.accounts.set_index("account_id").reindex(first.index)
    parts = [
        cycle.set_axis(["cycle_days", "cycle_low", "cycle_high"], axis=1),
        _margin(team, won, k),
        _retention(after, first, team.as_of, k),
        _expansion(after, first, k),
    ]
    return pd.concat(parts, axis=1)


def _margin(team: Team, won: pd.DataFrame, k: int) -> pd.DataFrame:
    """Margin on what was paid, of the lines of won deals whose product has one.

    The interval is that of a ratio of sums (Cochran 1977, section 6.4), deals being the cases.
    """
    lines = team.deal_lines.merge(won[["deal_id", "kind"]], on="deal_id")
    margin = look_up(lines["product_id"], team.products.set_index("product_id")["margin_rate"])
    lines = lines.assign(paid=lines["net_amount"], earned=lines["net_amount"] * margin)
    lines = lines.dropna(subset="earned")
    deals = lines.groupby(["kind", "deal_id"], as_index=False)[["paid", "earned"]].sum()
    kind, paid, earned = (deals[name].to_numpy() for name in ("kind", "paid", "earned"))
    n = np.bincount(kind, minlength=k).astype(float)
    total = np.bincount(kind, paid, k)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.bincount(kind, earned, k) / total
        squares = np.bincount(kind, (earned - rate[kind] * paid) ** 2, k)
        half = stats.z() * np.sqrt(squares * n / np.where(n > 1, n - 1, np.nan)) / total
    ends = np.column_stack([rate, rate - half, rate + half])
    columns = ["margin_rate", "margin_low", "margin_high"]
    return pd.DataFrame(np.where(total[:, None] > 0, ends, np.nan), columns=columns)


def _retention(
    after: pd.DataFrame, first: pd.DataFrame, as_of: pd.Timestamp, k: int
) -> pd.DataFrame:
    columns = ["retention_rate", "retention_low", "retention_high"]
    if after["churned_on"].isna().all():
        return pd.DataFrame(np.nan, index=range(k), columns=columns)
    has_left = after["churned_on"].notna()
    until = after["churned_on"].fillna(as_of) - first["on"]
    days = until.dt.days.clip(lower=0).to_numpy(float)
    curve = stats.incidence(days, has_left.to_numpy(int), first["kind"].to_numpy())
    left = stats.incidence_by(curve, k, A_YEAR)
    kept = 1 - left[["value", "value_high", "value_low"]]
    return kept.set_axis(columns, axis=1)


def _expansion(after: pd.DataFrame, first: pd.DataFrame, k: int) -> pd.DataFrame:
    columns = ["expansion_rate", "expansion_low", "expansion_high"]
    grew = (after["expansion_amount"] > 0).to_numpy()
    if not grew.any():
        return pd.DataFrame(np.nan, index=range(k), columns=columns)
    kind = first["kind"].to_numpy()
    found = stats.rates(np.bincount(kind[grew], minlength=k), np.bincount(kind, minlength=k))
    return found.drop(columns="n").set_axis(columns, axis=1)


def _headline(found: Segments, table: pd.DataFrame, currency: str) -> str:
    if table.empty:
        return say("No segments in this data: {why}.", why=found.why_none)
    n = number(len(table))
    ideal, anti = table[table["is_ideal"]], table[table["is_anti"]]
    if ideal.empty and anti.empty:
        return say(
            "{n} kinds of companies; none is won more or less often than chance explains.", n=n
        )
    said = []
    if len(ideal):
        kinds = "; ".join(_in_words(row, currency) for _, row in ideal.iterrows())
        said.append(say("Ideal: {kinds}.", kinds=kinds))
    if len(anti):
        kinds = "; ".join(_odds(row) for _, row in anti.iterrows())
        said.append(say("The opposite: {kinds}.", kinds=kinds))
    said.append(say("Of all, {rate} are won.", rate=percent(found.overall_rate)))
    return " ".join(said)


def _odds(row: pd.Series) -> str:
    inside = span(row["win_low"], row["win_high"], percent)
    n = number(row["n_won"] + row["n_lost"])
    name, segment, rate = row["name"], row["segment"], percent(row["win_rate"])
    return say(
        "{name} ({segment}): {rate} won ({ends}, n = {n})",
        name=name,
        segment=segment,
        rate=rate,
        ends=inside,
        n=n,
    )


def _in_words(row: pd.Series, currency: str) -> str:
    value = row["value_amount"]
    if pd.isna(value):
        return _odds(row)
    return say("{odds}, {amount} a win", odds=_odds(row), amount=money(value, currency))


def _ask(table: pd.DataFrame) -> tuple[str, ...]:
    if not table["is_ideal"].any():
        return (
            say("Which customers were the best to work with, and what do they have in common?"),
        )
    said = [say("What do these customers value that others do not?")]
    said.append(say("Where could we meet more companies like these?"))
    if table["is_anti"].any():
        said.append(say("How early could we tell that a company is of the opposite kind?"))
    return tuple(said)


def _caveats(found: Segments) -> tuple[str, ...]:
    said = []
    n_won = int(found.customers.has_bought.sum())
    if found.names and n_won < FEW_WON:
        said.append(say("Indicative: only {n} customers have bought so far.", n=number(n_won)))
    if found.names and not np.isnan(found.p):
        least = say("less than {rate}", rate=percent(0.001, 1))
        said.append(
            say(
                "Chance alone would set the kinds so far apart in {share} of such teams; found "
                "again in resampled companies with an agreement of {agreement} (1 is perfect).",
                share=percent(found.p, 1) if found.p >= 0.001 else least,
                agreement=fixed(found.stability, 2),
            )
        )
    said += [
        say("Left out: {trait}, {why}.", trait=say(name), why=why)
        for name, why in found.customers.left_out.items()
    ]
    return (*said, say(BY_NO_MEANS))


def _draw(ax: Axes, found: Segments, table: pd.DataFrame) -> Axes:
    """How often deals with each segment are won, beside all."""
    if table.empty:
        return charts.nothing_to_draw(ax, say("No segments in this data"))
    marks = np.select([table["is_ideal"], table["is_anti"]], [" ▲", " ▼"], "")
    n = (table["n_won"] + table["n_lost"]).map(number)
    labels = [
        f"{segment}{mark} (n = {each})"
        for segment, mark, each in zip(table["segment"], marks, n, strict=True)
    ]
    points = charts.Points.of(say("won, with interval"), table, "win_rate")
    charts.dumbbell(ax, labels, points)
    ax.axvline(
        found.overall_rate, color=charts.MUTED, linewidth=1, linestyle="--", label=say("all")
    )
    ax.set_xlim(0, min(1.0, 1.3 * float(table["win_high"].max())))
    return ax
