"""How the open pipeline came from one day to another, step by step, adding up to the cent.

Every deal stands in the pipeline or not on the first day and on the last, and each step is the
amount of the deals that came in or left that way. Two pipelines side by side: all open deals, and
those due by a day, which deals enter and leave by their close date too.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from salesnb.team import Team
from salesnb.visits import settled

STEPS = ["start", "new", "reopened", "won", "lost", "pushed", "pulled_in", "resized"]
STEPS += ["handed_over", "removed", "end"]
RARE = ("reopened", "handed_over", "removed")  # left out where no deal went that way
COLUMNS = ["step", "n_deals", "amount", "n_due", "due_amount"]
STATE = ["deal_id", "rep_id", "created_on", "amount", "expected_close_on", "closed_on", "outcome"]


class _Way(NamedTuple):
    """The deals that went through a step, and what that does to the amount and to the number."""

    step: str
    which: pd.Series
    amount: pd.Series
    n: int = 1


def table(
    before: Team, after: Team, due_by: pd.Timestamp, rep_id: str | None = None
) -> pd.DataFrame:
    """The steps from one day's pipeline to another's.

    Parameters
    ----------
    before, after : the team as known on the two days
    due_by : the last day on which a deal may be due to count as due

    Returns
    -------
    DataFrame
        One row per step of `STEPS`, in that order; the `RARE` ones only where they took place:

        step
        n_deals, amount : all open deals; what leaves is negative, the steps add up to ``end``
        n_due, due_amount : the same of those due by `due_by`
    """
    deals = _both(before, after, rep_id)
    everything, due = _counted(_of_all(deals)), _counted(_of_due(deals, due_by))
    found = pd.DataFrame(
        {
            "step": pd.Series(STEPS, dtype="str"),
            "n_deals": everything[0],
            "amount": everything[1],
            "n_due": due[0],
            "due_amount": due[1],
        }
    )
    is_needless = found["step"].isin(RARE) & (found[["n_deals", "n_due"]] == 0).all(axis=1)
    return found[~is_needless].reset_index(drop=True)[COLUMNS]


def gone(
    before: Team, after: Team, due_by: pd.Timestamp, rep_id: str | None, step: str, *, is_due: bool
) -> pd.DataFrame:
    """The deals (`deal_id`) that went through a step, of all or of those due by a day."""
    deals = _both(before, after, rep_id)
    ways = _of_due(deals, due_by) if is_due else _of_all(deals)
    ids = [deals.index[way.which] for way in ways if way.step == step and way.n]
    return pd.DataFrame({"deal_id": [deal for each in ids for deal in each]}, dtype="str")


def _of_all(deals: pd.DataFrame) -> list[_Way]:
    return _ways(deals, deals["is_open_then"], deals["is_open_now"], deals["ended"] != "")


def _of_due(deals: pd.DataFrame, due_by: pd.Timestamp) -> list[_Way]:
    is_due_then = deals["is_open_then"] & (deals["due_then"] <= due_by)
    is_due_now = deals["is_open_now"] & (deals["due_now"] <= due_by)
    # A win by then was due by then, whatever its date said.
    is_due_end = (deals["ended"] == "won") & deals["due_now"].notna()
    is_due_end |= deals["due_now"] <= due_by
    return _ways(deals, is_due_then, is_due_now, (deals["ended"] != "") & is_due_end)


def _both(before: Team, after: Team, rep_id: str | None) -> pd.DataFrame:
    """Every deal with what it was on the first day (`then`) and on the last (`now`)."""
    then, now = _state(before).add_suffix("_then"), _state(after).add_suffix("_now")
    deals = then.join(now, how="outer").sort_index()
    was_known, is_known = deals["rep_id_then"].notna(), deals["rep_id_now"].notna()
    is_open_then = was_known & deals["outcome_then"].isna()
    is_open_now = is_known & deals["outcome_now"].isna()
    # A close on record before the first day is history, unless the deal was open on it.
    ends = is_known & ~is_open_now & (deals["closed_on_now"] > before.as_of)
    ends |= is_open_then & is_known & ~is_open_now
    mine_then, mine_now = (
        was_known if rep_id is None else deals["rep_id_then"] == rep_id,
        is_known if rep_id is None else deals["rep_id_now"] == rep_id,
    )
    return pd.DataFrame(
        {
            "amount_then": deals["amount_then"].fillna(0.0),
            "amount_now": deals["amount_now"].fillna(0.0),
            "due_then": deals["expected_close_on_then"],
            "due_now": deals["expected_close_on_now"],
            "is_open_then": is_open_then & mine_then,
            "is_open_now": is_open_now & mine_now,
            "ended": deals["outcome_now"].where(ends & mine_now, "").fillna(""),
            "is_new": ~was_known,
            "was_closed": was_known & ~is_open_then,
            "is_gone": was_known & ~is_known,
            "is_taken": mine_now & was_known & ~mine_then,
            "is_given": mine_then & is_known & ~mine_now,
        }
    )


def _state(team: Team) -> pd.DataFrame:
    deals = settled(team) if team.has("stage_changes") else team.deals
    return deals[STATE].set_index("deal_id")


def _ways(
    deals: pd.DataFrame, is_in_then: pd.Series, is_in_now: pd.Series, has_ended: pd.Series
) -> list[_Way]:
    """How each deal went, for the pipeline of the deals that are `in`."""
    ended = deals["ended"].where(has_ended | is_in_then, "")
    counts = is_in_now | (ended != "")  # in the pipeline at some time after the first day
    comes, leaves = counts & ~is_in_then, is_in_then & ~counts
    came = [deals["is_taken"], deals["is_new"], deals["was_closed"]]
    way = np.select([comes & how for how in came], ["handed_over", "new", "reopened"], "pulled_in")
    out = np.select([deals["is_gone"], deals["is_given"]], ["removed", "handed_over"], "pushed")
    then, now = deals["amount_then"], deals["amount_now"]
    ins = ("new", "reopened", "handed_over", "pulled_in")
    outs = ("pushed", "handed_over", "removed")
    return [
        _Way("start", is_in_then, then),
        *(_Way(step, comes & (way == step), now) for step in ins),
        *(_Way(step, leaves & (out == step), -then, -1) for step in outs),
        *(_Way(step, ended == step, -now, -1) for step in ("won", "lost")),
        _Way("resized", is_in_then & counts, now - then, 0),
        _Way("end", is_in_now, now),
    ]


def _counted(ways: list[_Way]) -> tuple[list[int], list[float]]:
    """Number and amount of each step."""
    n, amount = dict.fromkeys(STEPS, 0), dict.fromkeys(STEPS, 0.0)
    for way in ways:
        n[way.step] += way.n * int(way.which.sum())
        amount[way.step] += float(way.amount[way.which].sum())
    return [*n.values()], [*amount.values()]
