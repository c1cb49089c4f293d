"""Conversion of every stage, side by side: of those who entered, and of those who left."""

import numpy as np
import pandas as pd

from salesnb import behind, stats
from salesnb.metrics import quarterly
from salesnb.metrics.durations import gone_on
from salesnb.metrics.ledger import DAY, ledger
from salesnb.team import Team
from salesnb.visits import settled

TOTAL = "all"  # the row from creation to won, after those of the stages
BY = {"rep": "rep_id", "segment": "segment", "source": "source"}
BY |= {"product": "product_id", "period": "quarter"}
BLANK = "not recorded"
# What each count counts: of which part, and with which outcomes.
COUNTED = {
    "n_entered": ("cohort", ("advanced", "lost", "open")),
    "n_advanced": ("cohort", ("advanced",)),
    "n_lost": ("cohort", ("lost",)),
    "n_open": ("cohort", ("open",)),
    "n_exits": ("exit", ("advanced", "lost")),
    "n_decided": ("won", ("advanced", "lost", "open")),
}
COUNTS = ["n_entered", "n_advanced", "n_lost", "n_open", "n_skipped"]
COLUMNS = [*COUNTS, "cohort_rate", "cohort_low", "cohort_high"]
COLUMNS += ["n_exits", "exit_rate", "exit_low", "exit_high"]
COLUMNS += ["n_decided", "won_rate", "won_low", "won_high"]


def table(
    team: Team, by: str | None, rep_id: str | None, first: pd.Timestamp, last: pd.Timestamp
) -> pd.DataFrame:
    """The columns of `funnel.conversion` for each stage, then from creation to won."""
    parts, order = _parts(team, by, rep_id, first, last), [*team.stages, TOTAL]
    names = sorted(set().union(*(set(part["group"]) for part in parts.values())))
    every = pd.MultiIndex.from_product([order, names], names=["stage", BY.get(by or "", "group")])
    keys = [
        every.get_indexer(pd.MultiIndex.from_frame(part[["stage", "group"]]))
        for part in parts.values()
    ]
    found = every.to_frame(index=False).join(_rates(parts, keys, len(every)))
    return found if by else found.drop(columns="group")


def rows(
    team: Team,
    by: str | None,
    rep_id: str | None,
    first: pd.Timestamp,
    last: pd.Timestamp,
    counted: str,
    row: pd.Series,
) -> pd.DataFrame:
    """The visits of a stage that one of the counts of a row of `table` counts."""
    part, outcomes = COUNTED[counted]
    found = _parts(team, by, rep_id, first, last)[part]
    group = row[BY[by]] if by else ""
    is_it = (found["stage"] == row["stage"]) & (found["group"] == group)
    found = found[is_it & found["outcome"].isin(outcomes)]
    entered, left = found["entered_on"], found["left_on"]
    return behind.visits(team, found.assign(entered_at=entered, left_at=left))


def by_quarter(
    team: Team, rep_id: str | None, last: pd.Timestamp, found: pd.DataFrame
) -> pd.DataFrame:
    """The exit rate of each row of `table`, quarter by quarter up to the last day."""
    rows = _passed(team, rep_id)
    shares = quarterly.gone_on(
        rows.assign(entered_at=rows["entered_on"], left_at=rows["left_on"]), ["stage"], last
    )
    return shares.reindex(found["stage"]).set_axis(found.index)


def _passed(team: Team, rep_id: str | None) -> pd.DataFrame:
    """The visits of each stage and of the whole way, of all reps or of one."""
    rows = pd.concat([_stages(team), _whole(team)], ignore_index=True)
    return rows if rep_id is None else rows[rows["rep_id"] == rep_id]


def _parts(
    team: Team, by: str | None, rep_id: str | None, first: pd.Timestamp, last: pd.Timestamp
) -> dict[str, pd.DataFrame]:
    """The visits that began, that ended, and whose deal was decided in the period."""
    rows, parts = _passed(team, rep_id), {}
    for part, date in (("cohort", "entered_on"), ("exit", "left_on"), ("won", "decided_on")):
        inside = rows[(rows[date] >= first) & (rows[date] < last + DAY)]
        parts[part] = inside.assign(group=_groups(team, inside, by, date))
    return parts


def _rates(parts: dict[str, pd.DataFrame], keys: list[np.ndarray], n_groups: int) -> pd.DataFrame:
    """Counts and rates per group; `keys` is the group of each row of the cohort, exit, won part."""
    entered, left, decided = parts.values()

    def count(is_counted: pd.Series, key: np.ndarray) -> np.ndarray:
        return np.bincount(key[is_counted.to_numpy(bool)], minlength=n_groups)

    found = {"n_entered": np.bincount(keys[0], minlength=n_groups)}
    for outcome in ("advanced", "lost", "open"):
        found[f"n_{outcome}"] = count(entered["outcome"] == outcome, keys[0])
    found["n_skipped"] = count(entered["is_skipped"], keys[0])
    cohort = gone_on(entered, keys[0], n_groups)
    exits = stats.rates(
        count(left["outcome"] == "advanced", keys[1]), count(left["outcome"] != "open", keys[1])
    )
    won = stats.rates(
        count(decided["deal_outcome"] == "won", keys[2]), np.bincount(keys[2], minlength=n_groups)
    )
    for name, rates, n in (
        ("cohort", cohort, ""),
        ("exit", exits, "n_exits"),
        ("won", won, "n_decided"),
    ):
        ends = {"value": "rate", "value_low": "low", "value_high": "high"}
        found |= {f"{name}_{end}": rates[value].to_numpy() for value, end in ends.items()}
        found |= {n: rates["n"].to_numpy(int)} if n else {}
    return pd.DataFrame(found)[COLUMNS]


def _stages(team: Team) -> pd.DataFrame:
    """Stage visits with the days on which they began, ended, and their deal was decided."""
    rows, deals = ledger(team).all_visits, ledger(team).deals.set_index("deal_id")
    return rows.assign(
        stage=rows["stage"].astype("str"),
        days=rows["days"].where(~rows["is_skipped"], 0.0),
        entered_on=rows["entered_at"].fillna(rows["left_at"]),
        left_on=rows["left_at"],
        decided_on=deals["closed_on"].reindex(rows["deal_id"]).to_numpy(),
        deal_outcome=deals["outcome"].reindex(rows["deal_id"]).to_numpy(),
    )


def _whole(team: Team) -> pd.DataFrame:
    """Deals as visits of one long stage, from creation to won."""
    deals = settled(team)
    return deals.assign(
        stage=TOTAL,
        days=(deals["closed_on"].fillna(team.as_of) - deals["created_on"]).dt.days.clip(lower=0),
        outcome=deals["outcome"].map({"won": "advanced", "lost": "lost"}).fillna("open"),
        is_skipped=False,
        entered_on=deals["created_on"],
        left_on=deals["closed_on"],
        decided_on=deals["closed_on"],
        deal_outcome=deals["outcome"],
    )


def _groups(team: Team, rows: pd.DataFrame, by: str | None, date: str) -> pd.Series:
    if by is None:
        return pd.Series("", index=rows.index, dtype="str")
    if by != "period":
        return rows[BY[by]].fillna(BLANK)
    year_ends = pd.Timestamp(2000, team.settings.fiscal_year_starts, 1) - DAY
    quarter = rows[date].dt.to_period(f"Q-{year_ends:%b}".upper())
    return quarter.dt.strftime("%F-Q%q").astype("str")
