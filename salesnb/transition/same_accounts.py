"""Accounts that two reps worked: signs of rivalry, or of help."""

from collections.abc import Hashable
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import behind, charts
from salesnb.finding import Finding
from salesnb.history import look_up
from salesnb.language import say, to_say
from salesnb.team import Team
from salesnb.units import number

TYPES = {
    "account": "str",
    "rep_id": "str",
    "other_rep": "str",
    "sign": "str",
    "n_deals": "int64",
    "n_changed_hands": "int64",
    "n_won": "int64",
    "overlap_days": "float64",
    "last_on": "datetime64[us]",
}
LAST_WEEKS = 31  # days before somebody leaves, in which deals are passed on for it
# What each sign means, in the order in which they are worth a talk.
BOTH, CHANGED = to_say("both at once"), to_say("changed hands")
HANDED, AFTER = to_say("handed over"), to_say("one after the other")
SIGNS = {
    BOTH: "both had a deal open there at the same time",
    CHANGED: "a deal passed from one to the other while both were on the team",
    HANDED: "a deal passed on because its owner left",
    AFTER: "their deals there did not overlap",
}
Pairs = dict[Hashable, tuple[str, ...]]  # by row of the table: the account's id, those of the two
TOLD_APART = to_say(
    "The log cannot tell rivalry from help: two at one account may be a tug of war or a good team. "
    "Ask both, and the customer."
)


def rivalry(team: Team, *, days: int = 365) -> Finding:
    """Which accounts did two reps work, and was it rivalry or help?

    Returns
    -------
    Finding
        One row per account and pair of reps seen there in the last `days`, those at the same
        time first:

        account : its name where recorded, else its id
        rep_id, other_rep : whoever was there first, and the other (name)
        sign : both at once, changed hands, handed over (its owner left), one after the other
        n_deals : deals of either there
        n_changed_hands : of these, those that passed from one to the other
        n_won : of these, won
        overlap_days : days on which both had a deal open there
        last_on : last day on which either did

    Raises
    ------
    DataError
        No deal names its account.
    """
    stays = _recent(team, days)
    shared = stays.groupby("account_id")["rep_id"].nunique()
    table = _table(team, stays[stays["account_id"].isin(shared.index[shared > 1])])
    rank = table["sign"].map({sign: place for place, sign in enumerate(SIGNS)})
    table = table.assign(rank=rank).sort_values(
        ["rank", "overlap_days", "account", "rep_id"], ascending=[True, False, True, True]
    )
    table = table.reset_index(drop=True)
    whose = table[["account_id", "rep_id", "other_id"]].itertuples(name=None)
    pairs: Pairs = {at: tuple(ids) for at, *ids in whose}
    table = table[[*TYPES]]
    return Finding(
        _headline(table, int(team.deals["account_id"].nunique())),
        table,
        lambda ax: _draw(ax, table),
        ask=_ask(table),
        caveats=(say(TOLD_APART),) * bool(len(table)),
        names=team.names,
        behind={
            counted: partial(_there, team, days, pairs, counted)
            for counted in ("n_deals", "n_changed_hands", "n_won")
        },
    )


def _there(team: Team, days: int, pairs: Pairs, counted: str, row: pd.Series) -> pd.DataFrame:
    """The deals of two reps at an account: all, those that changed hands, or those won."""
    account_id, *reps = pairs[row.name]
    stays = _recent(team, days)
    stays = stays[(stays["account_id"] == account_id) & stays["rep_id"].isin(reps)]
    of_both = stays.groupby("deal_id")["rep_id"].transform("nunique") > 1
    kept = {"n_changed_hands": of_both, "n_won": stays["is_won"]}.get(counted)
    stays = stays if kept is None else stays[kept]
    return behind.deals(team, stays.drop_duplicates("deal_id"))


def _recent(team: Team, days: int) -> pd.DataFrame:
    """Who held which deal of the last days at an account."""
    stays = _stays(team, behind.known(team).dropna(subset="account_id"))
    return stays[stays["ends_on"] > team.as_of - pd.Timedelta(days=days)]


def _stays(team: Team, deals: pd.DataFrame) -> pd.DataFrame:
    """From when to when each rep held each deal."""
    moves = team.stage_changes.dropna(subset="rep_id").sort_values(["entered_at", "stage"])
    moves = moves[moves["deal_id"].isin(deals["deal_id"])]
    known = deals.set_index("deal_id")
    before = moves.groupby("deal_id")["rep_id"].shift()
    turns = moves.loc[moves["rep_id"] != before, ["deal_id", "rep_id", "entered_at"]]
    turns = turns.rename(columns={"entered_at": "starts_on"})
    # Whoever owns a deal now took it over at the last, if the log of stages does not show it.
    owner = look_up(deals["deal_id"], turns.groupby("deal_id")["rep_id"].last())
    unseen = deals.loc[owner.isna(), ["deal_id", "rep_id"]]
    unseen = unseen.assign(starts_on=look_up(unseen["deal_id"], known["created_on"]))
    turns = pd.concat([turns, unseen]).sort_values(["deal_id", "starts_on"], ignore_index=True)
    end = look_up(turns["deal_id"], known["closed_on"]).fillna(team.as_of)
    after = turns.groupby("deal_id")["starts_on"].shift(-1)
    left = look_up(turns["rep_id"], team.reps.set_index("rep_id")["left_on"])
    return turns.assign(
        starts_on=turns["starts_on"].dt.normalize(),
        # Whoever left held nothing afterwards, even if the next move came later.
        ends_on=pd.concat([after.fillna(end).dt.normalize(), left], axis=1).min(axis=1),
        account_id=look_up(turns["deal_id"], known["account_id"]),
        account=look_up(turns["deal_id"], known["account"]),
        is_won=look_up(turns["deal_id"], known["outcome"]).eq("won"),
        is_passed_on=after.notna(),
    )


def _table(team: Team, stays: pd.DataFrame) -> pd.DataFrame:
    """One row per account and pair of reps, whoever was there first before the other."""
    pairs = _pairs(stays)
    both = pd.concat([pairs.assign(rep_id=pairs[who]) for who in ("one", "other")])
    both = both.merge(stays, on=["account_id", "rep_id"])
    by = both.groupby("pair")
    won = both[both["is_won"]].groupby("pair")["deal_id"].nunique()
    held_by = both.groupby(["pair", "deal_id"])["rep_id"].transform("nunique")
    changed = both[held_by > 1]
    days = _overlap(both).reindex(pairs.index).fillna(0.0)
    n_changed = changed.groupby("pair")["deal_id"].nunique().reindex(pairs.index).fillna(0)
    handed = _handed_over(team, changed).reindex(pairs.index).eq(True)
    signs = [days > 0, n_changed == 0, handed]
    table = pd.DataFrame(
        {
            "account": by["account"].first(),
            "rep_id": pairs["one"],
            "other_rep": pairs["other"].map(team.names),
            "sign": np.select(signs, [BOTH, AFTER, HANDED], CHANGED),
            "n_deals": by["deal_id"].nunique(),
            "n_changed_hands": n_changed,
            "n_won": won.reindex(pairs.index).fillna(0),
            "overlap_days": days,
            "last_on": by["ends_on"].max(),
        },
        index=pairs.index,
    )
    return table.astype(TYPES).assign(account_id=pairs["account_id"], other_id=pairs["other"])


def _pairs(stays: pd.DataFrame) -> pd.DataFrame:
    """Each two reps at an account: account_id, one (there first), other, and their number, pair."""
    order = stays.groupby(["account_id", "rep_id"])["starts_on"].min().reset_index()
    order = order.sort_values(["account_id", "starts_on", "rep_id"])
    order["place"] = range(len(order))
    pairs = order.merge(order, on="account_id", suffixes=("", "_too"))
    pairs = pairs[pairs["place"] < pairs["place_too"]].sort_values(["place", "place_too"])
    pairs = pairs.rename(columns={"rep_id": "one", "rep_id_too": "other"})
    pairs = pairs[["account_id", "one", "other"]].reset_index(drop=True)
    return pairs.assign(pair=pairs.index)


def _overlap(both: pd.DataFrame) -> pd.Series:
    """The most days on which a deal of one and another deal of the other were open, by pair."""
    mine, theirs = (both[both["rep_id"] == both[who]] for who in ("one", "other"))
    cross = mine.merge(theirs, on="pair", suffixes=("", "_too"))
    cross = cross[cross["deal_id"] != cross["deal_id_too"]]
    ends = cross[["ends_on", "ends_on_too"]].min(axis=1)
    starts = cross[["starts_on", "starts_on_too"]].max(axis=1)
    return (ends - starts).dt.days.clip(lower=0).astype(float).groupby(cross["pair"]).max()


def _handed_over(team: Team, changed: pd.DataFrame) -> pd.Series:
    """Whether every deal that changed hands did so because its owner left, by pair."""
    passed = changed[changed["is_passed_on"]]
    left = look_up(passed["rep_id"], team.reps.set_index("rep_id")["left_on"])
    # Deals are passed on in the last weeks too.
    is_leaving = (left - passed["ends_on"]).dt.days <= LAST_WEEKS
    return is_leaving.groupby(passed["pair"]).all()


def _headline(table: pd.DataFrame, n_accounts: int) -> str:
    if not n_accounts:
        return say("No deal names its account, so nobody can be seen at the same one.")
    if table.empty:
        return say("No account was worked by two reps in the period.")
    counts = table["sign"].value_counts().reindex(list(SIGNS)).dropna().astype(int)
    signs = [say("{n} {sign}", n=count, sign=say(str(sign))) for sign, count in counts.items()]
    n, listed = table["account"].nunique(), ", ".join(signs)
    return say(
        "{n} of {of} accounts were worked by more than one rep: {signs}.",
        n=n,
        of=number(n_accounts),
        signs=listed,
    )


def _ask(table: pd.DataFrame) -> tuple[str, ...]:
    if not (table["sign"] == BOTH).any():
        return ()
    return (
        say("Who speaks with this customer about what, and does the customer know?"),
        say("Whose win will it be, and have you two agreed on that?"),
    )


def _draw(ax: Axes, table: pd.DataFrame) -> Axes:
    if table.empty:
        return charts.nothing_to_draw(ax, say("No account worked by two reps"))
    counts = table["sign"].value_counts().reindex(list(SIGNS)).dropna()
    counts.index = [say(sign) for sign in counts.index]
    pairs = to_say("pairs of reps")
    return charts.stacked(ax, counts.to_frame(say(pairs)), unit=pairs)
