"""The rep on one page, and the team by name for its manager."""

from collections.abc import Callable, Iterator

import pandas as pd
from matplotlib.axes import Axes

from salesnb import behind, charts, leaks, standout
from salesnb.errors import DataError
from salesnb.finding import Finding
from salesnb.language import say, says
from salesnb.metrics.presence import has_left
from salesnb.scorecard import stages, trend
from salesnb.standout import FIRM, Standout
from salesnb.team import Team
from salesnb.units import capital

COLUMNS = ["kind", "item", "unit", "value", "value_low", "value_high", "n", "benchmark"]
COLUMNS += ["then", "then_low", "then_high", "n_then", "tier"]
COLUMNS += ["lost_amount", "lost_low", "lost_high", "deals"]
MONTHS = 6  # of a trend
ROWS = 40  # names that fit a picture
VIEW = {"rep_id": "str", "name": "str", "n_deals": "int64", "n_open": "int64"}
VIEW |= {"strengths": "str", "n_strengths": "int64", "leak_stage": "str", "n_leaks": "int64"}
VIEW |= {"n_watch": "int64", "headline": "str"}


def profile(team: Team, rep: str) -> Finding:
    """How does this rep stand: what goes well, what to work on, where do the numbers go?

    Returns
    -------
    Finding
        One row per item:

        kind : strength, work_on or watch (a stage), trend (a metric)
        item : the stage or the metric
        unit : of value, benchmark and then
        value, value_low, value_high, n : with interval and cases
        benchmark : a typical rep's; for a stage on the same deals
        then, then_low, then_high, n_then : of a trend, in the six months before
        tier : of a stage, how well separated from chance
        lost_amount, lost_low, lost_high : team currency, of the stage to work on
        deals : ids of deals that show a strength

    Raises
    ------
    DataError
        There is no such rep.
    """
    seen, good = standout.of(team, rep), stages.strengths(team, rep).table
    deals = good.dropna(subset="stage").groupby("stage")["deal_id"].agg(", ".join)
    strong = _stage_items(seen.strengths, "strength", tier="strength_tier")
    strong["deals"] = strong["item"].map(deals)
    leak = seen.cells["stage"] == (None if seen.leak is None else seen.leak["stage"])
    weak = _stage_items(seen.cells[leak], "work_on" if seen.is_firm else "watch", tier="tier")
    numbers = trend.table_of(team, seen.rep_id, MONTHS)
    moves = numbers.rename(columns={"metric": "item"}).assign(kind="trend")
    parts = [part.reindex(columns=COLUMNS) for part in (strong, weak, moves) if len(part)]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    return Finding(
        f"{seen.name}: {_in_words(seen)}",
        table,
        lambda ax: stages.draw_stages(ax, seen),
        caveats=(*stages.on_flags(seen), *stages.caveats(seen)),
        currency=team.currency,
        names={seen.rep_id: seen.name},
        behind={
            "n": lambda row: _behind(seen, row),
            "n_then": lambda row: _behind(seen, row, is_then=True),
        },
    )


def _behind(seen: Standout, row: pd.Series, *, is_then: bool = False) -> pd.DataFrame:
    """The deals behind a stage, or the rows behind a metric, now or in the months before."""
    if row["kind"] == "trend":
        return trend.rows(seen.team, seen.rep_id, row["item"], MONTHS, is_then=is_then)
    if is_then:
        raise DataError("Of a stage nothing is counted of the months before.")
    return stages.at_stage(seen, row["item"], *leaks.WENT)


def flags(team: Team, rep: str) -> str:
    """What stands out for this rep in a few words, for a list: ``act: Proposal; strength: Demo``.

    Empty where nothing does. Raises `DataError` if there is no such rep.
    """
    seen = standout.of(team, rep)
    stages_by_flag = {
        tier: seen.cells.loc[seen.cells["tier"] == tier, "stage"] for tier in (*FIRM, "watch")
    }
    stages_by_flag["strength"] = seen.strengths["stage"]
    named = {say(flag): names for flag, names in stages_by_flag.items() if len(names)}
    said = [f"{flag}: {', '.join(names)}" for flag, names in named.items()]
    return "; ".join(said)


def team_view(team: Team) -> Finding:
    """Where does each rep stand, for the manager to prepare the one-on-ones?

    By name, not by result: reps have different deals, and what is separated from chance is said.

    Returns
    -------
    Finding
        One row per rep on the team, or about to come, in the order of names:

        rep_id, name
        n_deals, n_open : deals the rep owns; still open
        strengths, n_strengths : stages separated from chance
        leak_stage : the stage to work on, or empty; n_leaks : stages separated from chance
        n_watch : stages worth watching
        headline : the sentence of `work_on`
    """
    reps = team.reps[~has_left(team)].sort_values(["name", "rep_id"])
    views = [standout.of(team, rep_id) for rep_id in reps["rep_id"]]
    table = pd.DataFrame([_view_row(seen) for seen in views], columns=list(VIEW)).astype(VIEW)
    return Finding(
        _team_in_words(table, team.has("stage_changes")),
        table,
        lambda ax: _draw_team(ax, team, views),
        caveats=stages.caveats(views[0]) if views else (),
        currency=team.currency,
        names=team.names,
        behind={
            "n_deals": lambda row: behind.deals(team, standout.of(team, row["rep_id"]).deals),
            "n_open": lambda row: behind.deals(team, standout.of(team, row["rep_id"]).still_open),
        },
    )


def _stage_items(cells: pd.DataFrame, kind: str, tier: str) -> pd.DataFrame:
    items = pd.DataFrame(
        {
            "kind": kind,
            "item": cells["stage"],
            "unit": "rate",
            "value": cells["advance_rate"],
            "value_low": cells["advance_low"],
            "value_high": cells["advance_high"],
            "n": cells["n_visits"],
            "benchmark": cells["typical_rate"],
            "tier": cells[tier],
        }
    )
    return items if kind == "strength" else items.join(cells[stages.LOST])


def _view_row(seen: Standout) -> dict[str, object]:
    cells, leak = seen.cells, seen.leak
    return {
        "rep_id": seen.rep_id,
        "name": seen.name,
        "n_deals": len(seen.deals),
        "n_open": int(seen.deals["outcome"].isna().sum()),
        "strengths": ", ".join(seen.strengths["stage"]),
        "n_strengths": len(seen.strengths),
        "leak_stage": str(leak["stage"]) if leak is not None and seen.is_firm else "",
        "n_leaks": int(cells["tier"].isin(FIRM).sum()),
        "n_watch": int((cells["tier"] == "watch").sum()),
        "headline": capital(stages.work_in_words(seen)),
    }


def _team_in_words(table: pd.DataFrame, has_history: bool) -> str:
    if table.empty:
        return say("Nobody is on the team.")
    n_work, n_strong = (table["n_leaks"] > 0).sum(), (table["n_strengths"] > 0).sum()
    n = len(table)
    reps = says("{n} rep", "{n} reps", n, n=n)
    if not has_history:
        return say("{reps}: no stage history is recorded, so nobody is set apart by it.", reps=reps)
    if not n_work and not n_strong:
        return say("{reps}: nothing is separated from chance for anybody.", reps=reps)
    return say(
        "{reps}: something to work on stands out for {n_work}, a strength for {n_strong}; "
        "for the others nothing is separated from chance.",
        reps=reps,
        n_work=n_work,
        n_strong=n_strong,
    )


def _in_words(seen: Standout) -> str:
    if seen.is_new:
        return say("no deals yet.")
    return f"{stages.strengths_in_words(seen)} {capital(stages.work_in_words(seen))}"


def _draw_team(ax: Axes, team: Team, views: list[Standout]) -> Axes:
    """Reps by name, stages in order: what stands out, told apart by shape and colour.

    Of a large team only the reps for whom anything does.
    """
    kinds = [
        (say("goes well"), "^", charts.ACCENT, lambda seen: seen.cells["strength_tier"].isin(FIRM)),
        (say("to work on"), "v", charts.WARN, lambda seen: seen.cells["tier"].isin(FIRM)),
        (say("worth watching"), "o", charts.MUTED, lambda seen: seen.cells["tier"] == "watch"),
    ]
    if len(views) > ROWS:
        views = [seen for seen in views if any(which(seen).any() for *_, which in kinds)][:ROWS]
    marks = [
        charts.Mark(name, marker, colour, list(_places(views, team, which)))
        for name, marker, colour, which in kinds
    ]
    return charts.mark_grid(ax, [seen.name for seen in views], list(team.stages), *marks)


def _places(
    views: list[Standout], team: Team, which: Callable[[Standout], pd.Series]
) -> Iterator[tuple[int, int]]:
    for row, seen in enumerate(views):
        for stage in seen.cells.loc[which(seen), "stage"]:
            yield row, team.stages.index(stage)
