"""Whether deals in which a claim was told are won more often: side by side, never as cause."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import linalg, sparse, special
from scipy.stats import false_discovery_control

from salesnb import behind, charts, mixed, stats
from salesnb.differentiators import listed
from salesnb.differentiators.telling import BLIND, Telling, telling
from salesnb.finding import Finding
from salesnb.history import look_up
from salesnb.language import say, to_say
from salesnb.stage_model.covariates import covariates
from salesnb.team import Team
from salesnb.units import number, span
from salesnb.visits import DAYS_A_MONTH, settled

COLUMNS = ["product", "differentiator_id", "claim", "n_told", "n_untold", "win_rate", "other_rate"]
COLUMNS += ["odds_ratio", "odds_low", "odds_high", "is_apart"]
TRAITS = ["segment", "source", "product_id", "competitor", "amount"]
FIRMS = ["industry", "country", "employees"]
FEWEST = 10  # deals with the claim told, and without, below which nothing is said
WEAK = 2.0  # standard deviation of a log odds ratio before anything is known of it
HELD = 0.5  # of what a trait of the deal, a stage or a rep does to the log odds
ROUNDS, ENOUGH = 30, 1e-8
FALSE_SHARE = 0.05
WHICH = to_say("Which deals of each kind would show whether the telling made a difference?")
NO_CAUSE = to_say(
    "An association, not a cause: reps may tell a claim where the deal goes well anyway, and what "
    "is not on record (the fit, the buyer) is not accounted for."
)


def association(team: Team, *, days: int = 30) -> Finding:
    """Are deals won more often where a claim was told, beside deals of the same kind?

    The odds with the claim told against those without, by a penalised logistic regression with
    segment, source, competitor, amount, traits of the company, month, stage and tenure at the
    first note, the number of notes, and the rep. Long deals give more chances to tell, and deals
    that go well are long: so only notes of the first days after the first one count, and only
    deals that were still open at the end of them (a landmark; Anderson, Cain and Gelber 1983).
    Of all claims named at most 5 % are expected to be chance (Benjamini and Hochberg 1995).

    Parameters
    ----------
    days : from a deal's first note, in which telling counts

    Returns
    -------
    Finding
        One row per claim, in order of the list:

        product, differentiator_id, claim
        n_told, n_untold : deals won or lost, with the claim told in those days and without
        win_rate, other_rate : share won with the claim told, and without
        odds_ratio, odds_low, odds_high : odds of winning with / without, the deal mix taken into
            account, 90 % interval; blank with fewer than ten deals on either side
        is_apart : differs from 1 by more than chance

    Raises
    ------
    DataError
        No activities, products or list of claims; or the days of deals are made up.
    """
    team.need_dates(why="differentiators.association")
    seen = telling(team)
    table = _table(team, seen, days)
    return Finding(
        headline=_headline(table),
        table=table,
        draw=lambda ax: _draw(ax, table),
        ask=(say(WHICH),) * bool(table["is_apart"].any()),
        caveats=(say(NO_CAUSE), _counted(days), say(BLIND)) if len(table) else (),
        shown=[name for name in COLUMNS if name != "differentiator_id"],
        behind={
            "n_told": lambda row: _decided(team, days, row, is_told=True),
            "n_untold": lambda row: _decided(team, days, row, is_told=False),
        },
    )


def _decided(team: Team, days: int, row: pd.Series, *, is_told: bool) -> pd.DataFrame:
    """The decided deals in which a claim was told, or was not."""
    seen = telling(team)
    deals = _deals(team, seen, days)
    is_it = deals["group"] == listed.group_of(seen.claims, row["differentiator_id"])
    return behind.deals(team, deals[is_it & (deals["is_told"] == is_told)])


def _counted(days: int) -> str:
    return say(
        "Counted are notes of the first {n} days after a deal's first one, in deals still open "
        "after them and decided since.",
        n=days,
    )


def _table(team: Team, seen: Telling, days: int) -> pd.DataFrame:
    claims = listed.one_each(seen.claims).set_index("group").sort_index()
    deals = _deals(team, seen, days)
    rows = [_row(deals[deals["group"] == group]) for group in claims.index]
    names = ["n_told", "n_untold", "win_rate", "other_rate", "logit", "error"]
    found = pd.DataFrame(rows, columns=names, index=claims.index, dtype=float)
    half = stats.z() * found["error"]
    for name, logit in (("ratio", 0), ("low", -half), ("high", half)):
        found[f"odds_{name}"] = np.exp(found["logit"] + logit)
    p = 2 * special.ndtr(-(found["logit"] / found["error"]).abs().to_numpy())
    known = ~np.isnan(p)
    found["is_apart"] = False
    if known.any():
        found.loc[known, "is_apart"] = false_discovery_control(p[known]) <= FALSE_SHARE
    found = claims[["product", "differentiator_id", "claim"]].join(found)
    types = {"n_told": int, "n_untold": int, "is_apart": bool} | dict.fromkeys(COLUMNS[:3], "str")
    return found[COLUMNS].astype(types).reset_index(drop=True)


def _deals(team: Team, seen: Telling, days: int) -> pd.DataFrame:
    """One row per decided deal and claim it could have been told: is_told, n_notes, is_won, and
    what was known of the deal at its first note."""
    notes = seen.chances
    first = notes.groupby("deal_id")["happens_at"].min()
    since = (notes["happens_at"] - look_up(notes["deal_id"], first)).dt.days
    notes = notes[since < days]
    by = notes.groupby(["deal_id", "group"])
    found = by.agg(is_told=("is_told", "any"), n_notes=("is_told", "size")).reset_index()
    found["first_at"] = look_up(found["deal_id"], first)
    deals = settled(team)
    if team.has("accounts"):
        deals = deals.merge(team.accounts[["account_id", *FIRMS]], on="account_id", how="left")
    deals = deals.dropna(subset=["outcome", "closed_on"])
    found = found.merge(deals, on="deal_id")
    found = found[found["closed_on"] > found["first_at"] + pd.Timedelta(days=days)]
    hired = look_up(found["rep_id"], team.reps.set_index("rep_id")["hired_on"])
    found["tenure_months"] = (found["first_at"] - hired).dt.days / DAYS_A_MONTH
    found["month"] = found["first_at"].dt.strftime("%Y-%m")
    found["stage"] = _stage(team, found)
    return found.sort_values(["group", "deal_id"], ignore_index=True)


def _stage(team: Team, found: pd.DataFrame) -> pd.Series:
    """The stage in which each deal was at its first note, or blank."""
    log = team.stage_changes.sort_values("entered_at")[["deal_id", "stage", "entered_at"]]
    asked = found[["deal_id", "first_at"]].assign(row=found.index).sort_values("first_at")
    by = {"left_on": "first_at", "right_on": "entered_at", "by": "deal_id"}
    stage = pd.merge_asof(asked, log, **by)  # type: ignore[arg-type]
    return stage.set_index("row")["stage"].reindex(found.index)


def _row(deals: pd.DataFrame) -> tuple[float, ...]:
    """Deals with a claim told and without: counts, shares won, log odds ratio with its error."""
    is_told, won = deals["is_told"].to_numpy(bool), deals["outcome"].eq("won").to_numpy(float)
    n_told, n_untold = is_told.sum(), (~is_told).sum()
    rates = (won[each].mean() if each.any() else np.nan for each in (is_told, ~is_told))
    counts = (n_told, n_untold, *rates)
    if min(n_told, n_untold) < FEWEST or not 0 < won.mean() < 1:
        return (*counts, np.nan, np.nan)
    return (*counts, *effect(won, is_told.astype(float), _design(deals)))


def _design(deals: pd.DataFrame) -> sparse.csr_array:
    """What else may tell of a deal's end, in columns: its mix, its stage, its notes, its rep."""
    known = covariates(deals)
    stage = pd.factorize(deals["stage"], sort=True)[0] + 1
    rep, reps = pd.factorize(deals["rep_id"], sort=True)
    row = np.repeat(np.arange(len(deals)), known.codes.shape[1])
    shape = (len(deals), known.n_levels)
    levels = sparse.csr_array((np.ones(row.size), (row, known.codes.ravel())), shape)
    marks = [levels, mixed.marks(stage, stage.max() + 1), mixed.marks(rep, len(reps))]
    return sparse.csr_array(sparse.hstack([np.log(deals[["n_notes"]].to_numpy(float)), *marks]))


def effect(won: np.ndarray, told: np.ndarray, design: sparse.csr_array) -> tuple[float, float]:
    """The log odds ratio of winning with the claim told, and its standard error."""
    first = np.column_stack([np.ones(len(won)), told])
    columns = sparse.csr_array(sparse.hstack([first, design]))
    penalty = np.r_[mixed.MEAN_PENALTY, WEAK**-2, np.full(design.shape[1], HELD**-2)]
    effects = np.zeros(columns.shape[1])
    for _ in range(ROUNDS):
        chance = special.expit(columns @ effects)
        weight = sparse.diags_array(chance * (1 - chance))
        curve = (columns.T @ weight @ columns).toarray() + np.diag(penalty)
        factor = linalg.cho_factor(curve)
        step = linalg.cho_solve(factor, columns.T @ (won - chance) - penalty * effects)
        effects = effects + step
        if np.abs(step).max() < ENOUGH:
            break
    told_alone = (np.arange(len(effects)) == 1).astype(float)
    return float(effects[1]), float(np.sqrt(linalg.cho_solve(factor, told_alone)[1]))


def _headline(table: pd.DataFrame) -> str:
    known = table.dropna(subset="odds_ratio")
    if known.empty:
        return say(
            "Too few decided deals with call notes to set those with a claim told beside others."
        )
    apart = known[known["is_apart"]]
    if apart.empty:
        return say(
            "No claim goes with more or fewer wins by more than chance, once the deals' mix is "
            "taken into account."
        )
    said = [
        say(
            "“{claim}” (odds x {times}, {ends})",
            claim=row["claim"],
            times=number(row["odds_ratio"], 1),
            ends=span(row["odds_low"], row["odds_high"], lambda each: number(each, 1)),
        )
        for row in apart.to_dict("records")
    ]
    return say(
        "Told where deals are won at other odds than alike ones, whatever the cause: {claims}.",
        claims="; ".join(said),
    )


def _draw(ax: Axes, table: pd.DataFrame) -> Axes:
    """Odds with the claim told against those without, on a scale of factors."""
    known = table.dropna(subset="odds_ratio")
    if known.empty:
        return charts.nothing_to_draw(ax, say("Too few decided deals with call notes"))
    labels = [
        f"{charts.shortened(row['claim'], 28)} ({row['n_told']} / {row['n_untold']})"
        for row in known.to_dict("records")
    ]
    points = charts.Points.of(say("odds with the claim told / without"), known, "odds_ratio")
    charts.dumbbell(ax, labels, points, is_rate=False)
    ax.set_yticks(range(len(labels)), labels)
    ax.axvline(1, color=charts.MUTED, linewidth=1, linestyle="--")
    ax.set_xscale("log")
    low, high = known["odds_low"].min(), known["odds_high"].max()
    ticks = [each for each in (0.25, 0.5, 1, 2, 4) if low / 1.5 <= each <= high * 1.5]
    ax.set_xticks(ticks, [f"{number(each, 2)}x" for each in ticks])
    ax.minorticks_off()
    return ax
