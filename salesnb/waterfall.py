"""How the open pipeline came from one day to another, step by step, adding up to the cent.

Every deal stands in the pipeline or not on the first day and on the last, and each step is the
amount of the deals that came in or left that way. Two pipelines side by side: all open deals, and
those due by a day, which deals enter and leave by their close date too.
"""

import numpy as np
import pandas as pd

from salesnb.team import Team
from salesnb.visits import settled

STEPS = ["start", "new", "reopened", "won", "lost", "pushed", "pulled_in", "resized"]
STEPS += ["handed_over", "removed", "end"]
RARE = ("reopened", "handed_over", "removed")  # left out where no deal went that way
COLUMNS = ["step", "n_deals", "amount", "n_due", "due_amount"]
STATE = ["deal_id", "rep_id", "created_on", "amount", "expected_close_on", "closed_on", "outcome"]


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
    everything = _steps(deals, deals["is_open_then"], deals["is_open_now"], deals["ended"] != "")
    is_due_then = deals["is_open_then"] & (deals["due_then"] <= due_by)
    is_due_now = deals["is_open_now"] & (deals["due_now"] <= due_by)
    # A win by then was due by then, whatever its date said.
    is_due_end = (deals["ended"] == "won") & deals["due_now"].notna()
    is_due_end |= deals["due_now"] <= due_by
    due = _steps(deals, is_due_then, is_due_now, (deals["ended"] != "") & is_due_end)
    found = pd.DataFrame({"step": STEPS}, dtype="str")
    for names, steps in ((("n_deals", "amount"), everything), (("n_due", "due_amount"), due)):
        for name, values in zip(names, steps, strict=True):
            found[name] = values
    is_needless = found["step"].isin(RARE) & (found[["n_deals", "n_due"]] == 0).all(axis=1)
    return found[~is_needless].reset_index(drop=True)[COLUMNS]


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


def _steps(
    deals: pd.DataFrame, is_in_then: pd.Series, is_in_now: pd.Series, has_ended: pd.Series
) -> tuple[np.ndarray, np.ndarray]:
    """Number and amount of each step, for the pipeline of the deals that are `in`."""
    ended = deals["ended"].where(has_ended | is_in_then, "")
    counts = is_in_now | (ended != "")  # in the pipeline at some time after the first day
    comes = counts & ~is_in_then
    came = [deals["is_taken"], deals["is_new"], deals["was_closed"]]
    way = np.select([comes & how for how in came], ["handed_over", "new", "reopened"], "pulled_in")
    leaves = is_in_then & ~counts
    out = np.select([deals["is_gone"], deals["is_given"]], ["removed", "handed_over"], "pushed")
    then, now = deals["amount_then"].to_numpy(), deals["amount_now"].to_numpy()
    n, amount = dict.fromkeys(STEPS, 0), dict.fromkeys(STEPS, 0.0)

    def add(step: str, which: pd.Series | np.ndarray, values: np.ndarray, sign: int = 1) -> None:
        which = np.asarray(which, bool)
        n[step] += sign * int(which.sum())
        amount[step] += sign * float(values[which].sum())

    add("start", is_in_then, then)
    for step in ("new", "reopened", "handed_over", "pulled_in"):
        add(step, comes & (way == step), now)
    for step in ("pushed", "handed_over", "removed"):
        add(step, leaves & (out == step), then, -1)
    for step in ("won", "lost"):
        add(step, ended == step, now, -1)
    stays = is_in_then & counts
    amount["resized"] = float((now - then)[stays.to_numpy()].sum())
    add("end", is_in_now, now)
    return np.array([*n.values()]), np.array([*amount.values()])
