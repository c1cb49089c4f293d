"""The tables as they were known on an earlier day: nothing recorded later shines through."""

from collections.abc import Mapping

import pandas as pd

from salesnb import schema


def as_known(tables: Mapping[str, pd.DataFrame], day: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """The tables at the end of `day`.

    Rows dated later are gone and values that became known later are blank. An open deal belongs
    to whoever the log last showed as its owner, and is due when the log last said.
    """
    known = {name: _known(name, table, day) for name, table in tables.items()}
    known["deals"] = _deals(known, tables)
    for name, key in (("reps", "rep_id"), ("products", "product_id")):
        if name in known:
            known = _without_later(name, key, known, day)
    for name in ("deal_lines", "stage_changes", "close_date_changes"):
        if name in known:
            of_deals = among(known[name]["deal_id"], known["deals"]["deal_id"])
            known[name] = known[name][of_deals].reset_index(drop=True)
    return known


def look_up(ids: pd.Series, found: pd.Series) -> pd.Series:
    """The value of `found` (indexed by id, each once) for each of `ids`, in its own type.

    Unlike ``Series.map`` it keeps the type when `found` is empty.
    """
    return found.reindex(ids).set_axis(ids.index)


def among(ids: pd.Series, known: pd.Series) -> pd.Series:
    """Which of `ids` are among `known`; ``Series.isin`` takes forty times as long with text."""
    return pd.Series(pd.Index(known.dropna().unique()).get_indexer(ids) >= 0, index=ids.index)


def _known(name: str, table: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """The rows of a table that were known at the end of a day, later values blank."""
    end, table = day + pd.Timedelta(days=1), table.copy(deep=False)
    if name in schema.DATED_BY and name not in ("reps", "products"):
        dated = table[schema.DATED_BY[name]]
        dated = dated.fillna(table["happens_at"]) if name == "activities" else dated
        table = table[~(dated >= end)].reset_index(drop=True)
    for column, along in schema.KNOWN_ON.get(name, {}).items():
        is_later = table[column] >= end
        blank = [column, *along] if schema.columns(name)[column].nullable else list(along)
        for each in blank:
            table[each] = table[each].mask(is_later)
    return table


def _without_later(
    name: str, key: str, known: dict[str, pd.DataFrame], day: pd.Timestamp
) -> dict[str, pd.DataFrame]:
    """Without the reps or products that came later, but for those already seen on deals."""
    seen = {*known["deals"][key], *known.get("stage_changes", known["deals"]).get(key, ())}
    is_later = (known[name][schema.DATED_BY[name]] > day) & ~known[name][key].isin(seen)
    later = set(known[name].loc[is_later, key])
    return {
        other: table[~table[key].isin(later)].reset_index(drop=True) if key in table else table
        for other, table in known.items()
    }


def _deals(known: dict[str, pd.DataFrame], later: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Deals with the owner and the expected close that the logs showed."""
    deals = known["deals"]
    if "stage_changes" in known:
        changes = known["stage_changes"].dropna(subset="rep_id")
        owner = look_up(deals["deal_id"], _latest(changes, "entered_at", "rep_id"))
        deals["rep_id"] = owner.where(deals["outcome"].isna()).fillna(deals["rep_id"])
    if "close_date_changes" in known:
        changes = known["close_date_changes"]
        due = look_up(deals["deal_id"], _latest(changes, "changed_at", "expected_close_on"))
        # A deal whose date was moved only later had some other date: better blank than wrong.
        never_moved = ~among(deals["deal_id"], later["close_date_changes"]["deal_id"])
        deals["expected_close_on"] = due.fillna(deals["expected_close_on"].where(never_moved))
    return deals


def _latest(log: pd.DataFrame, when: str, what: str) -> pd.Series:
    newest = log.sort_values([when, what]).drop_duplicates("deal_id", keep="last")
    return newest.set_index("deal_id")[what]
