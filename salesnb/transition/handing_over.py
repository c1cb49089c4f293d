"""The manager's own old pipeline: to whom, by experience, load and fairness."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.special import expit

from salesnb import behind, charts, mixed, standout
from salesnb.finding import Finding
from salesnb.language import say, says, to_say
from salesnb.metrics.presence import days_at_work
from salesnb.team import Team
from salesnb.transition.people import manager_of, reps_of
from salesnb.units import money

# What an account costs in win rate: each beyond an even load, and each after the first to one rep.
LOAD, SPREAD = 0.02, 0.03
RAMP_DAYS = 180  # new reps take what they can: half the load
MOST_BEYOND = 4  # accounts that one rep may take beyond an even number
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
SUGGESTED = to_say(
    "A suggestion by the record alone: speak with the customer and the rep before a deal moves. "
    "A deal near its close may be best finished by the manager, with the new owner in the room."
)


def handover(team: Team, *, manager: str = "") -> Finding:
    """To whom should the manager's own open deals go?

    The deals of an account go to one rep, so that the reps' win rates in the deals' segments
    (shrunken towards the team's by as much as chance explains) are as high as possible together,
    less a charge for each account beyond an even load and for each after the first to one rep; reps
    in their first half-year count as half. Former team-mates together get no more accounts than
    their part of the team, rounded up. Solved exactly, as an assignment of accounts to places with
    that one limit beside (integer programme, HiGHS). Where the manager has stopped selling, the
    deals are those open the day before, and the table says who has them now.

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
    deals = behind.known(then)
    own = deals[(deals["rep_id"] == who) & deals["outcome"].isna()]
    own = standout.largest(own)
    people = reps_of(then, who)
    table = _suggested(then, own, people, deals) if len(own) and len(people) else _empty()
    table["now_with"] = _now_with(team, table["deal_id"], who)
    return Finding(
        _headline(then, table, who),
        table.astype(TYPES),
        lambda ax: _draw(ax, table, team),
        ask=(say("What does this customer need to hear from you before the deal moves?"),)
        * bool(len(table)),
        caveats=(say(SUGGESTED),) * bool(len(table)),
        currency=team.currency,
        names=team.names,
        behind={
            "n_segment": lambda row: _of_rep(team, who, row["rep_id"], row["segment"]),
            "n_open_before": lambda row: _of_rep(team, who, row["rep_id"]),
        },
    )


def _of_rep(team: Team, who: str, rep_id: str, segment: str | None = None) -> pd.DataFrame:
    """A rep's deals decided in a segment, or those open, on the manager's last day as a rep."""
    then = _as_rep(team, who)
    deals = behind.known(then)
    deals = deals[deals["rep_id"] == rep_id]
    if segment is None:
        return behind.deals(then, deals[deals["outcome"].isna()])
    is_of_kind = deals["segment"].astype("str").fillna("") == segment
    return behind.deals(then, deals[is_of_kind & deals["outcome"].notna()])


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
    is_peer = people["is_peer"].to_numpy(bool)
    chosen = _assigned(fit, load.to_numpy(float), _capacity(team, people), is_peer)[account]
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
    segment = decided["segment"].astype("str").fillna("")
    own = decided[segment.isin(segments) & decided["rep_id"].isin(reps)]
    kind = pd.Index(segments).get_indexer(pd.Index(segment[own.index]))
    rep = pd.Index(reps).get_indexer(pd.Index(own["rep_id"]))
    shape = (len(reps), len(segments))
    pair = np.ravel_multi_index((rep, kind), shape)
    n = np.bincount(pair, minlength=shape[0] * shape[1]).reshape(shape)
    blocks = [mixed.marks(kind, shape[1]), mixed.marks(pair, n.size)]
    fitted = mixed.fit((own["outcome"] == "won").to_numpy(float), blocks)
    mean, of_kind, of_pair = np.split(fitted.effects, [1, 1 + shape[1]])
    rate = expit(mean + of_kind + of_pair.reshape(shape))
    rates, counts = (pd.DataFrame(each, index=reps, columns=segments) for each in (rate, n))
    return rates, counts


def _capacity(team: Team, people: pd.DataFrame) -> np.ndarray:
    """What share of a full load each rep can take: 1, half while new, 0 while away for weeks."""
    ahead = days_at_work(team, team.as_of, team.as_of + pd.Timedelta(days=27))
    is_here = ahead.reindex(people["rep_id"]).mean(axis=1).to_numpy() > 0.5
    is_new = (team.as_of - people["hired_on"]).dt.days < RAMP_DAYS
    share = np.where(is_new, 0.5, 1.0) * is_here
    return share if share.any() else np.ones(len(people))


def _assigned(
    rate: np.ndarray, load: np.ndarray, share: np.ndarray, is_peer: np.ndarray
) -> np.ndarray:
    """The rep, by place, for each account: `rate` has one row per account, one column per rep."""
    n, n_reps = rate.shape
    place = np.arange(min(n, -(-n // max(1, int(share.sum()))) + MOST_BEYOND))
    even = (load.sum() + n) / share.sum()
    # The k-th further account of a rep costs what it adds beyond the rep's part of an even load.
    with np.errstate(divide="ignore", invalid="ignore"):
        full = (load[:, None] + place + 1) / share[:, None]
    charge = LOAD * np.maximum(full - even, 0) + SPREAD * place
    can = np.broadcast_to(share[:, None] > 0, charge.shape)
    value = rate[:, :, None] - np.where(can, charge, 0)
    once = sparse.kron(sparse.eye_array(n), np.ones((1, charge.size)))  # each account to somebody
    taken = sparse.kron(np.ones((1, n)), sparse.eye_array(charge.size))  # each place but once
    is_peers = np.broadcast_to(is_peer[:, None], charge.shape).ravel()
    peers = sparse.csr_array(np.tile(is_peers, n)[None, :].astype(float))
    limits = [LinearConstraint(once, 1, 1), LinearConstraint(taken, 0, 1)]
    if (share[~is_peer] > 0).any():
        most = np.ceil(n * share[is_peer].sum() / share.sum())
        limits.append(LinearConstraint(peers, 0, most))
    able = np.tile(can.ravel(), n).astype(float)
    solved = milp(-value.ravel(), integrality=1, bounds=Bounds(0, able), constraints=limits)
    return solved.x.reshape(n, n_reps, -1).sum(axis=2).argmax(axis=1)


def _now_with(team: Team, deal_ids: pd.Series, who: str) -> pd.Series:
    owner = team.deals.set_index("deal_id")["rep_id"].reindex(deal_ids)
    moved = owner.where(owner != who)
    return moved.map(team.names).astype("str").fillna("").set_axis(deal_ids.index)


def _headline(team: Team, table: pd.DataFrame, who: str) -> str:
    if not who:
        return say("No manager is named among the reps, so there is no old pipeline to hand over.")
    if table.empty:
        return say("The manager has no open deals to hand over.")
    n, reps, n_peers = len(table), table["rep_id"].nunique(), int(table["is_peer"].sum())
    total = money(table["amount"].sum(), team.currency)
    return say(
        "{deals} of the manager, {total}, to {reps}; {n_peers} to former team-mates.",
        deals=says("{n} open deal", "{n} open deals", n, n=n),
        total=total,
        reps=says("{n} rep", "{n} reps", reps, n=reps),
        n_peers=n_peers,
    )


def _draw(ax: Axes, table: pd.DataFrame, team: Team) -> Axes:
    """Each rep's open deals before the handover, and what is added."""
    if table.empty:
        return charts.nothing_to_draw(ax, say("No open deals to hand over"))
    load = table.drop_duplicates("rep_id").set_index("rep_id")
    load = load.sort_values(["n_open_after", "account"], ascending=[False, True]).head(15)
    bars = pd.DataFrame(
        {
            say("open before"): load["n_open_before"],
            say("added"): load["n_open_after"] - load["n_open_before"],
        }
    )
    bars.index = [team.names[rep] for rep in bars.index]
    return charts.stacked(ax, bars.astype(float), unit=to_say("open deals"))
