"""Whose open deals are out of the rep's own usual range: untouched, overdue or stalled ones.

A rep's counts today are held against the same rep's on earlier days, each as known then. What is
named is controlled for the many looks (Benjamini and Hochberg 1995).
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.special import ndtr
from scipy.stats import false_discovery_control

from salesnb import stats
from salesnb.metrics import answers, hygiene, pipeline
from salesnb.metrics.ledger import ledger
from salesnb.metrics.presence import days_at_work
from salesnb.metrics.view import View
from salesnb.once import forget
from salesnb.team import Team

LOOKS, EVERY = 6, 28  # earlier days, and days between them
JUDGED = 3  # of these, the latest are foretold from those before, to learn how far counts wander
PRIOR_DEALS = 10.0  # what the team's share weighs in a rep's usual one
FALSE_SHARE = 0.05  # of those named, expected to be no more than chance
FEWEST = 3  # deals beyond the usual, below which it is not worth a word
COLUMNS = ["rep_id", "reason", "n_now", "usual", "usual_low", "usual_high", "n", "p"]
TABLES = ["reps", "deals", "stage_changes", "close_date_changes", "activities", "accounts"]
TABLES += ["absences"]


def _untouched(view: View) -> pd.DataFrame:
    rows = pipeline.untouched(view)
    return rows.assign(is_it=rows["is_untouched"])


def _overdue(view: View) -> pd.DataFrame:
    rows = hygiene.faults(view).dropna(subset="overdue")
    return rows.assign(is_it=rows["overdue"].astype(bool))


def _stalled(view: View) -> pd.DataFrame:
    rows = pipeline.stalled(view).dropna(subset="is_stalled")
    return rows.assign(is_it=rows["is_stalled"].astype(bool))


# What is counted, and the table without which nothing is known of it on an earlier day.
REASONS: dict[str, tuple[Callable[[View], pd.DataFrame], str]] = {
    "untouched": (_untouched, "activities"),
    "overdue": (_overdue, "close_date_changes"),
    "stalled": (_stalled, "stage_changes"),
}


def unusual(team: Team) -> pd.DataFrame:
    """Where a rep has more such deals than usual, separated from chance; the surest first.

    Returns
    -------
    DataFrame
        rep_id
        reason : ``untouched``, ``overdue`` or ``stalled``
        n_now : such deals today, among the rep's n open ones that can be told
        usual, usual_low, usual_high : such deals to be expected among as many, with 90 % range
        n, p : of so many by chance
    """
    known = Team(team.settings, {name: team.tables[name] for name in TABLES if team.has(name)})
    days = [known.as_of - pd.Timedelta(days=EVERY * i) for i in range(LOOKS, 0, -1)]
    began = known.deals["created_on"].min()
    days = [day for day in days if day > began]
    looks = [_counted(known.at(day)) for day in [*days, known.as_of]] if len(days) > JUDGED else []
    parts = [
        _against_usual(reason, [counts[reason] for counts in looks])
        for reason in (looks[0] if looks else ())
    ]
    found = pd.concat(parts) if parts else pd.DataFrame(columns=COLUMNS, dtype=float)
    found = found[found["rep_id"].isin(_at_work(known))]
    is_named = false_discovery_control(found["p"]) <= FALSE_SHARE if len(found) else []
    found = found[np.asarray(is_named, bool) & (found["n_now"] - found["usual"] >= FEWEST)]
    return found.sort_values(["p", "rep_id", "reason"], ignore_index=True)[COLUMNS]


def _counted(team: Team) -> dict[str, pd.DataFrame]:
    """The open deals of each reason that can be told: rep_id, is_it."""
    view = _view(team)
    found = {
        reason: count(view)[["rep_id", "is_it"]]
        for reason, (count, table) in REASONS.items()
        if team.has(table)
    }
    forget(team)  # one day of a large team is not held while the next is looked at
    return found


def open_now(team: Team, reason: str, rep_id: str) -> pd.DataFrame:
    """The open deals of a rep that are so today (`deal_id`), as `unusual` counts them."""
    rows = REASONS[reason][0](_view(team))
    return rows[rows["is_it"] & (rows["rep_id"] == rep_id)]


def _at_work(team: Team) -> list[str]:
    """The reps who are on the team and were at work for most of the last two weeks."""
    first = team.as_of - pd.Timedelta(days=pipeline.UNTOUCHED_DAYS - 1)
    present = days_at_work(team, first, team.as_of)
    return list(present.index[(present.mean(axis=1) > 0.5) & present.iloc[:, -1]])


def _view(team: Team) -> View:
    return answers.together(ledger(team), sorted(team.reps["rep_id"]), team.as_of, team.as_of)


def _against_usual(reason: str, looks: list[pd.DataFrame]) -> pd.DataFrame:
    """The last look against those before it, rep by rep."""
    counts = [rows.groupby("rep_id")["is_it"].agg(["sum", "size"]) for rows in looks]
    reps = counts[-1].index
    hits = np.array([c["sum"].reindex(reps).fillna(0).to_numpy(float) for c in counts])
    n = np.array([c["size"].reindex(reps).fillna(0).to_numpy(float) for c in counts])
    last = len(looks) - 1
    wandered = [_foretold(hits, n, look)[1] for look in range(last - JUDGED, last)]
    z2 = np.concatenate(wandered) ** 2
    spread = np.sqrt(max(1.0, float(z2[np.isfinite(z2)].mean()) if np.isfinite(z2).any() else 1.0))
    usual, z, sd = *_foretold(hits, n, last), _sd(hits, n, last)
    half = stats.z() * spread * sd
    return pd.DataFrame(
        {
            "rep_id": reps,
            "reason": reason,
            "n_now": hits[last],
            "usual": usual,
            "usual_low": np.maximum(usual - half, 0),
            "usual_high": np.minimum(usual + half, n[last]),
            "n": n[last],
            "p": np.nan_to_num(ndtr(-z / spread), nan=1.0),
        }
    ).astype({"rep_id": "str", "reason": "str"})


def _usual_rate(hits: np.ndarray, n: np.ndarray, look: int) -> tuple[np.ndarray, np.ndarray]:
    """Each rep's share in the looks before one, and the deals it rests on, the team's included."""
    before, seen = hits[:look].sum(axis=0), n[:look].sum(axis=0)
    team = (before.sum() + 1) / (seen.sum() + 2)
    return (before + PRIOR_DEALS * team) / (seen + PRIOR_DEALS), seen + PRIOR_DEALS


def _sd(hits: np.ndarray, n: np.ndarray, look: int) -> np.ndarray:
    """How far chance takes a count from the foretold one, the usual share being estimated."""
    rate, seen = _usual_rate(hits, n, look)
    return np.sqrt(n[look] * rate * (1 - rate) * (1 + n[look] / seen))


def _foretold(hits: np.ndarray, n: np.ndarray, look: int) -> tuple[np.ndarray, np.ndarray]:
    """The count to be expected in one look from those before it, and how far off it was."""
    usual, sd = n[look] * _usual_rate(hits, n, look)[0], _sd(hits, n, look)
    off = hits[look] - usual - 0.5  # continuity
    return usual, np.divide(off, sd, out=np.full(len(sd), np.nan), where=sd > 0)
