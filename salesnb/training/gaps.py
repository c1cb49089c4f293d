"""Gaps: who lacks which skill, as seen by manager, by the rep, and by what becomes of deals."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts
from salesnb.errors import DataError
from salesnb.finding import Finding
from salesnb.language import say, says, to_say
from salesnb.team import Team
from salesnb.training import scores
from salesnb.training.needs import GAP, MOST, assessed, by_skill, needs
from salesnb.units import capital, money, number, span

SHOWN = ["rep_id", "skill", "tier", "score", "n_assessments", "manager_score", "self_score"]
SHOWN += ["leak_probability", "yearly_lost_amount"]
FIRM = ("act", "look")  # tiers separated from chance
TIERS = ("act", "look", "watch", "")
ALSO, ROWS, SEEN_APART = 3, 30, 1.0
CAVEATS = (
    to_say(
        "A score is what somebody saw. The level given here is on the manager's scale, shrunken "
        "towards the team, a score of a year ago counting half."
    ),
    to_say(
        "A gap and a leak at the same place agree that something is there; neither says that a "
        "course would close it."
    ),
)


def gaps(team: Team, *, rep: str | None = None, target: float | None = None) -> Finding:
    """Who lacks which skill by more than chance, and what do the deals say of it?

    The level of each rep at each skill is estimated from all scores together: managers,
    certificates and reps themselves see differently and err differently, a score of a year ago
    counts half, and what is left is shrunken towards the team (Henderson 1975). A gap is named
    where the level is more than half a point below the target by Bayesian false discovery rate
    (Newton et al. 2004). How often it errs: ``docs/training_accuracy.md``.

    Parameters
    ----------
    rep : id or name; the answer then names nobody else
    target : 0-4, for every skill; by default the level that a quarter of all scores reach

    Returns
    -------
    Finding
        One row per rep and skill with a score, gaps beyond chance first, the costliest at the top:

        rep_id, skill
        score, score_low, score_high : level, 0-4, with its 90 % interval
        n_assessments : scores behind it
        manager_score, self_score : means as given
        target : the level aimed at
        gap, gap_low, gap_high : target - score, in points
        gap_probability : of a gap of more than half a point
        tier : ``act`` (of those named at most 5 % are expected to be false), ``look`` (10 %),
            ``watch`` (more likely than not) or empty
        stages : the stages that lean on the skill
        leak_probability : of a leak there, the likeliest of them
        yearly_lost_amount, yearly_lost_amount_low, yearly_lost_amount_high : team currency a
            year; what the typical rep would win beyond this one there, divided among the skills
            of a stage; negative where the rep wins more

    Raises
    ------
    DataError
        The team has no assessments, the target is no score, or there is no such rep.
    """
    team.need("assessments", why="training.gaps")
    if target is not None and not scores.LOWEST <= target <= scores.HIGHEST:
        raise DataError(f"target must lie between 0 and 4, not {target!r}.")
    rep_id = None if rep is None else team.rep(rep)
    found = needs(team, target)
    if rep_id is not None:
        found = found[found["rep_id"] == rep_id]
    table = in_order(found)[GAP]
    names = team.names
    return Finding(
        _headline(team, table, rep_id),
        table,
        lambda ax: _draw(ax, table, names, rep_id is not None),
        ask=_ask(table, names),
        caveats=_caveats(team, table),
        currency=team.currency,
        names=names,
        shown=SHOWN,
        behind={"n_assessments": lambda row: _scores(team, row)},
    )


def _scores(team: Team, row: pd.Series) -> pd.DataFrame:
    """The scores of a rep at a skill."""
    rows = assessed(team)
    return rows[(rows["rep_id"] == row["rep_id"]) & (rows["skill"] == row["skill"])]


def in_order(found: pd.DataFrame) -> pd.DataFrame:
    """Gaps beyond chance first; of one tier the costliest, then the largest."""
    rank = found["tier"].map({tier: place for place, tier in enumerate(TIERS)})
    by = found.assign(rank=rank, cost=found["yearly_lost_amount"].fillna(0).clip(lower=0))
    by = by.assign(cost=by["cost"].round(2), size=by["gap"].round(6))
    by = by.sort_values(["rank", "cost", "size"], ascending=[True, False, False], kind="stable")
    return by.drop(columns=["rank", "cost", "size"]).reset_index(drop=True)


def _headline(team: Team, table: pd.DataFrame, rep_id: str | None) -> str:
    who = "" if rep_id is None else f"{team.names[rep_id]}: "
    if table.empty:
        none = say("no skill has been assessed yet.")
        return f"{who}{none}" if who else say("Nobody's skills are assessed.")
    goal, firm = number(table["target"].iloc[0], 1), table[table["tier"].isin(FIRM)]
    n = number(len(table))
    if firm.empty:
        said = say(
            "nothing stands out: none of {n} scored skills is below {target} by more than chance.",
            n=n,
            target=goal,
        )
        return f"{who}{said if who else capital(said)}{_all_of(table, rep_id)}"
    first = firm.iloc[0]
    place = f"{first['skill']}" if who else f"{team.names[first['rep_id']]}, {first['skill']}"
    level = number(first["score"], 1)
    ends = span(first["score_low"], first["score_high"], lambda v: number(v, 1))
    lie = says(
        "{n_below} of {n} scored skill lies below {target} by more than chance.",
        "{n_below} of {n} scored skills lie below {target} by more than chance.",
        len(firm),
        n_below=number(len(firm)),
        n=n,
        target=goal,
    )
    worst = say(
        "First: {skill}, {level} ({ends}){in_deals}.",
        skill=place,
        level=level,
        ends=ends,
        in_deals=_in_deals(team, first),
    )
    others = _others(firm.iloc[1:], team.names, rep_id)
    return f"{who}{lie} {worst}{others}{_all_of(table, rep_id)}"


def _in_deals(team: Team, row: pd.Series) -> str:
    """What the deals say of a gap, where it is more likely than not that they lose by it."""
    if not row["leak_probability"] >= MOST or not row["yearly_lost_amount"] > 0:
        return ""
    ends = span(
        row["yearly_lost_amount_low"],
        row["yearly_lost_amount_high"],
        lambda v: money(v, team.currency),
    )
    cost = money(row["yearly_lost_amount"], team.currency)
    return say(
        "; deals at {stages} lose about {cost} ({ends}) a year",
        stages=row["stages"],
        cost=cost,
        ends=ends,
    )


def _others(firm: pd.DataFrame, names: Mapping[str, str], rep_id: str | None) -> str:
    if firm.empty:
        return ""
    who = "" if rep_id is not None else firm["rep_id"].map(names) + ", "
    said = [*(who + firm["skill"]).head(ALSO)]
    said += [say("{n} more", n=len(firm) - ALSO)] if len(firm) > ALSO else []
    return " " + say("Also: {skills}.", skills="; ".join(said))


def _all_of(table: pd.DataFrame, rep_id: str | None) -> str:
    """The skills that most of the team lacks."""
    wide = by_skill(table)
    wide = wide[wide["is_team_wide"] & (wide["n_reps"] > 1)]
    if wide.empty or rep_id is not None:
        return ""
    said = [
        say("{skill} ({n_below} of {n})", skill=row.skill, n_below=row.n_below, n=row.n_reps)
        for row in wide.itertuples()
    ]
    return " " + say(
        "Most of the team may lack {skills}: a matter for everybody at once.",
        skills=", ".join(said),
    )


def _ask(table: pd.DataFrame, names: Mapping[str, str]) -> tuple[str, ...]:
    firm = table[table["tier"].isin(FIRM)]
    asked = []
    if len(firm):
        asked.append(say("What would you do differently if this came easily to you?"))
    apart = table["self_score"] - table["manager_score"]
    usual = apart.median()
    if (apart - usual >= SEEN_APART).any():
        asked.append(say("Where rep and manager see a skill differently: which deals show what?"))
    in_deals_only = (table["leak_probability"] >= MOST) & (table["gap_probability"] < MOST)
    if in_deals_only.any():
        asked.append(say("Where deals are lost though the skill is scored high: what else is it?"))
    return tuple(asked)


def _caveats(team: Team, table: pd.DataFrame) -> tuple[str, ...]:
    said = [*map(say, CAVEATS)]
    apart = (table["self_score"] - table["manager_score"]).mean()
    if apart == apart and abs(apart) >= 0.1:
        points = number(abs(apart), 1)
        if apart > 0:
            said.append(
                say("Own scores are on average {points} higher than the manager's.", points=points)
            )
        else:
            said.append(
                say("Own scores are on average {points} lower than the manager's.", points=points)
            )
    if not team.has("stage_changes"):
        said.append(say("No stage history is recorded, so deals say nothing of skills."))
    elif not team.settings.skills:
        said.append(say("The settings do not say which skill each stage leans on."))
    elif table["yearly_lost_amount"].notna().any():
        said.append(
            say("Money is that of a year; where deals are on record for less, of all of it.")
        )
    return tuple(said)


def _draw(ax: Axes, table: pd.DataFrame, names: Mapping[str, str], is_one: bool) -> Axes:
    if is_one:
        return _draw_levels(ax, table)
    shown = table[table["tier"] != ""]
    who = [*dict.fromkeys(shown["rep_id"])][:ROWS]
    what = sorted({*table["skill"]})
    marks = []
    for name, marker, colour, tiers in (
        (say("beyond chance"), "v", charts.WARN, FIRM),
        (say("worth watching"), "o", charts.MUTED, ("watch",)),
    ):
        of = shown[shown["tier"].isin(tiers) & shown["rep_id"].isin(who)]
        places = [
            (who.index(r), what.index(s)) for r, s in zip(of["rep_id"], of["skill"], strict=True)
        ]
        marks.append(charts.Mark(name, marker, colour, places))
    return slanted(charts.mark_grid(ax, [names[rep] for rep in who], what, *marks))


def slanted(ax: Axes) -> Axes:
    """The names below a picture at a slant, so that none stands over another."""
    for label in ax.get_xticklabels():
        label.set(rotation=30, ha="right")
    return ax


def _draw_levels(ax: Axes, table: pd.DataFrame) -> Axes:
    rows = table.sort_values("score", ascending=False, kind="stable")
    if rows.empty:
        return charts.nothing_to_draw(ax)
    seen = charts.Points(say("level"), rows["score"], rows["score_low"], rows["score_high"])
    own = charts.Points(say("own view"), rows["self_score"], colour=charts.MUTED, marker="s")
    charts.dumbbell(ax, rows["skill"].to_list(), seen, own, is_rate=False)
    ax.axvline(rows["target"].iloc[0], color=charts.MUTED, linewidth=1, linestyle="--")
    ax.set_xlim(scores.LOWEST, scores.HIGHEST + 0.1)
    return ax
