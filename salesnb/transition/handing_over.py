"""The manager's own old pipeline: to whom, by experience, load and fairness."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.optimize import linear_sum_assignment

from salesnb import charts, standout
from salesnb.finding import Finding
from salesnb.metrics.presence import days_at_work
from salesnb.team import Team
from salesnb.transition.people import manager_of, reps_of
from salesnb.units import money, percent

PRIOR = 5.0  # deals that the team's own win rate weighs in a rep's, in a segment
# What an account costs in win rate: each beyond an even load, and each after the first to one rep.
LOAD, SPREAD = 0.02, 0.03
RAMP_DAYS = 180  # new reps take what they can: half the load
TYPES = {
    "deal_id": "str",
    "account": "str",
    "segment": "str",
    "amount": "float64",
    "rep_id": "str",
    "is_peer": "boolean",
    "segment_win_rate": "float64",
    "n_segment": "int64",
    "n_open_before": "int64",
    "n_open_after": "int64",
    "now_with": "str",
}
SUGGESTED = (
    "A suggestion by the record alone: speak with the customer and the rep before a deal moves. "
    "A deal near its close may be best finished by the manager, with the new owner in the room."
)


def handover(team: Team, *, manager: str = "") -> Finding:
    """To whom should the manager's own open deals go?

    The deals of an account go to one rep, so that the reps' win rates in the deals' segments
    (shrunken towards the team's) are as high as possible together, less a charge for each account
    beyond an even load and for each after the first to one rep; reps in their first half-year
    count as half. Solved exactly, as an assignment of accounts to places (Kuhn 1955). Where the
    manager has stopped selling, the deals are those open the day before, and the table says who
    has them now.

    Parameters
    ----------
    manager : id or name among the reps; by default the only one whose role says so

    Returns
    -------
    Finding
        One row per deal, the largest first:

        deal_id, account, segment
        amount : team currency
        rep_id : who is suggested
        is_peer : whether the manager's team-mate before
        segment_win_rate, n_segment : the suggested rep's in the segment, shrunken; deals decided
        n_open_before, n_open_after : the suggested rep's open deals without and with the handover
        now_with : who has the deal now, where it was handed over already (name)

    Raises
    ------
    DataError
        There is no such rep.
    """
    who = manager_of(team, manager)
    then = _as_rep(team, who)
    deals = standout.known(then)
    own = deals[(deals["rep_id"] == who) & deals["outcome"].isna()]
    own = standout.largest(own)
    people = reps_of(then, who)
    table = _suggested(then, own, people, deals) if len(own) and len(people) else _empty()
    table["now_with"] = _now_with(team, table["deal_id"], who)
    return Finding(
        _headline(then, table, who),
        table.astype(TYPES),
        lambda ax: _draw(ax, table, team),
        ask=("What does this customer need to hear from you before the deal moves?",)
        * bool(len(table)),
        caveats=(SUGGESTED,) if len(table) else (),
        currency=team.currency,
        names=team.names,
    )


def _as_rep(team: Team, who: str) -> Team:
    """The team on the manager's last day as a rep."""
    left = team.reps.loc[team.reps["rep_id"] == who, "left_on"]
    day = left.iloc[0] if len(left) and left.notna().all() else team.as_of
    # The day before, for on the last day the deals may have moved already.
    return team.at(day - pd.Timedelta(days=1)) if day <= team.as_of else team


def _empty() -> pd.DataFrame:
    return pd.DataFrame(columns=[*TYPES]).astype(TYPES)


def _suggested(
    team: Team, own: pd.DataFrame, people: pd.DataFrame, deals: pd.DataFrame
) -> pd.DataFrame:
    reps = people["rep_id"]
    decided = deals[deals["outcome"].notna()]
    segments = own["segment"].astype("str").fillna("")
    rate, n = _experience(decided, reps, sorted(set(segments)))
    load = deals[deals["outcome"].isna()].groupby("rep_id").size().reindex(reps).fillna(0)
    # A customer who is split between two reps is where rivalry begins.
    account = pd.factorize(own["account_id"].fillna(own["deal_id"]))[0]
    fit = pd.DataFrame(rate[segments].to_numpy().T).groupby(account).mean().to_numpy()
    chosen = _assigned(fit, load.to_numpy(float), _capacity(team, people))[account]
    taken = np.bincount(chosen, minlength=len(reps))
    return own.assign(
        segment=segments,
        rep_id=reps.to_numpy()[chosen],
        is_peer=people["is_peer"].to_numpy()[chosen],
        segment_win_rate=[rate[s].iloc[r] for s, r in zip(segments, chosen, strict=True)],
        n_segment=[n[s].iloc[r] for s, r in zip(segments, chosen, strict=True)],
        n_open_before=load.to_numpy(int)[chosen],
        n_open_after=(load.to_numpy(int) + taken)[chosen],
        now_with="",
    )[[*TYPES]]


def _experience(
    decided: pd.DataFrame, reps: pd.Series, segments: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Win rates and deals decided, one row per rep, one column per segment."""
    is_won = (decided["outcome"] == "won").astype(float)
    segment = decided["segment"].astype("str").fillna("")
    n = pd.crosstab(decided["rep_id"], segment).reindex(index=reps, columns=segments)
    won = pd.crosstab(decided["rep_id"], segment, is_won, aggfunc="sum")
    n, won = n.fillna(0), won.reindex(index=reps, columns=segments).fillna(0)
    every = is_won.groupby(segment).agg(["sum", "size"]).reindex(segments).fillna(0)
    overall = (is_won.sum() + 1) / (len(is_won) + 2)
    team_rate = (every["sum"] + PRIOR * overall) / (every["size"] + PRIOR)
    return (won + PRIOR * team_rate) / (n + PRIOR), n.astype(int)


def _capacity(team: Team, people: pd.DataFrame) -> np.ndarray:
    """What share of a full load each rep can take: 1, half while new, 0 while away for weeks."""
    ahead = days_at_work(team, team.as_of, team.as_of + pd.Timedelta(days=27))
    is_here = ahead.reindex(people["rep_id"]).mean(axis=1).to_numpy() > 0.5
    is_new = (team.as_of - people["hired_on"]).dt.days < RAMP_DAYS
    share = np.where(is_new, 0.5, 1.0) * is_here
    return share if share.any() else np.ones(len(people))


def _assigned(rate: np.ndarray, load: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The rep, by place, for each account: `rate` has one row per account, one column per rep."""
    n = len(rate)
    place = np.arange(n)
    even = (load.sum() + n) / share.sum()
    # The k-th further account of a rep costs what it adds beyond the rep's part of an even load.
    with np.errstate(divide="ignore", invalid="ignore"):
        full = (load[:, None] + place + 1) / share[:, None]
    charge = LOAD * np.maximum(full - even, 0) + SPREAD * place
    charge = np.where(share[:, None] > 0, charge, 1e6)
    value = rate[:, :, None] - charge[None]
    _, column = linear_sum_assignment(-value.reshape(n, -1))
    return column // n


def _now_with(team: Team, deal_ids: pd.Series, who: str) -> pd.Series:
    owner = team.deals.set_index("deal_id")["rep_id"].reindex(deal_ids)
    moved = owner.where(owner != who)
    return moved.map(team.names).astype("str").fillna("").set_axis(deal_ids.index)


def _headline(team: Team, table: pd.DataFrame, who: str) -> str:
    if not who:
        return "No manager is named among the reps, so there is no old pipeline to hand over."
    if table.empty:
        return "The manager has no open deals to hand over."
    n, reps = len(table), table["rep_id"].nunique()
    total = money(table["amount"].sum(), team.currency)
    peers = percent(table["is_peer"].astype(float).mean())
    return (
        f"{n} open deal{'' if n == 1 else 's'} of the manager, {total}, "
        f"to {reps} rep{'' if reps == 1 else 's'}; {peers} of them to former team-mates."
    )


def _draw(ax: Axes, table: pd.DataFrame, team: Team) -> Axes:
    """Each rep's open deals before the handover, and what is added."""
    if table.empty:
        return charts.nothing_to_draw(ax, "No open deals to hand over")
    load = table.drop_duplicates("rep_id").set_index("rep_id")
    load = load.sort_values(["n_open_after", "account"], ascending=[False, True]).head(15)
    bars = pd.DataFrame(
        {
            "open before": load["n_open_before"],
            "added": load["n_open_after"] - load["n_open_before"],
        }
    )
    bars.index = [team.names[rep] for rep in bars.index]
    return charts.stacked(ax, bars.astype(float), unit="open deals")
