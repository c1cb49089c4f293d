"""The skills hires bring, against what ramped colleagues hold: what to teach first."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.stats import t as student

from salesnb import charts, stats
from salesnb.finding import Finding
from salesnb.history import look_up
from salesnb.language import say
from salesnb.metrics.answers import PEERS
from salesnb.metrics.presence import is_here
from salesnb.metrics.ramp import TENURED_MONTHS
from salesnb.ramp import arrival_words
from salesnb.ramp.newcomers import NEW_MONTHS, new
from salesnb.team import Team

ARRIVAL_WEEKS = 26
JUDGES = ("manager", "certification")
PAIRS, ASSUMED = 20, 0.5  # pairs of scores below which so much of a score's spread is taken as true
GAP = ["gap", "gap_low", "gap_high"]
COLUMNS = ["scope", "rep_id", "skill", "assessed_on", "score", "self_score", "target", *GAP]
COLUMNS += ["n_hires", "n_colleagues"]


def first_assessment(
    team: Team, *, rep: str | None = None, weeks: int = ARRIVAL_WEEKS, target: float = 0.0
) -> Finding:
    """Which skills do new hires lack most when they come, and what to teach first?

    The first score of each skill after the hire, by the manager (else by certificate), against
    what colleagues at least a year on the team hold; the hire's own view beside.

    Parameters
    ----------
    rep : one rep alone, by id or name, however long ago the hire was
    weeks : since the hire, within which a score counts as one on arrival
    target : score wanted in every skill; 0 takes what colleagues of the role hold

    Returns
    -------
    Finding
        One row per skill for all hires on record, the largest gap first; then for each hire of the
        last year, the latest first, one row per skill in the same way:

        scope, rep_id : ``team`` or ``rep``
        skill, assessed_on : the day of that first score
        score, self_score : 0-4, by the manager and by the hire; of the team the mean
        target : mean of the colleagues' latest scores in the role, shrunken towards that of all
            roles as far as roles differ by chance; blank below three colleagues
        gap, gap_low, gap_high : target - score with 90 % interval; of a rep shrunken towards the
            gap of all hires as far as a single score is chance
        n_hires, n_colleagues : hires with a score, colleagues behind the target

    Raises
    ------
    DataError
        No assessments, or there is no such rep.

    Notes
    -----
    How much of a score is chance comes from how far manager and rep agree on the same skill
    (reliability as the covariance of two raters; Cronbach et al. 1972).
    """
    wanted = new(team, NEW_MONTHS) if rep is None else pd.DataFrame({"rep_id": [team.rep(rep)]})
    team.need("assessments", why="ramp.first_assessment")
    arrived = _arrived(team, weeks)
    held = _held(team, arrived, target)
    spread = _spread(team, held)
    table = _table(held, spread, wanted["rep_id"], is_team=rep is None)
    return Finding(
        headline=arrival_words.headline(team, held, table, rep, weeks),
        table=table,
        draw=lambda ax: _draw(ax, table),
        ask=arrival_words.ask(table, rep),
        caveats=arrival_words.caveats(team, arrived, table, target),
        names=team.names,
    )


def _arrived(team: Team, weeks: int) -> pd.DataFrame:
    """First scores after the hire: rep_id, role, hired_on, skill, assessed_on, score, self_score.

    One row per rep and skill with a score by the manager, else by certificate, else by oneself.
    """
    rows = team.assessments.merge(team.reps[["rep_id", "role", "hired_on"]], on="rep_id")
    since = (rows["assessed_on"] - rows["hired_on"]).dt.days
    rows = rows[(since >= 0) & (since <= 7 * weeks)]
    rows = rows.sort_values(["assessed_on", "score"], kind="stable")
    keys = ["rep_id", "skill"]
    own = rows[rows["assessor"] == "self"].drop_duplicates(keys).set_index(keys)["score"]
    judged = rows[rows["assessor"].isin(JUDGES)]
    judged = judged.sort_values("assessor", ascending=False, kind="stable").drop_duplicates(keys)
    columns = [*keys, "role", "hired_on", "assessed_on", "score"]
    return judged[columns].join(own.rename("self_score"), on=keys).reset_index(drop=True)


def _colleagues(team: Team) -> pd.DataFrame:
    """The latest judged score of each colleague at least a year on the team, by skill."""
    reps = team.reps[is_here(team)]
    is_new = reps["hired_on"] + pd.DateOffset(months=TENURED_MONTHS) > team.as_of
    rows = team.assessments.merge(reps.loc[~is_new, ["rep_id", "role"]], on="rep_id")
    rows = rows[rows["assessor"].isin(JUDGES)].sort_values(["assessed_on", "score"], kind="stable")
    return rows.drop_duplicates(["rep_id", "skill"], keep="last")


def _held(team: Team, arrived: pd.DataFrame, target: float) -> pd.DataFrame:
    """The first scores with `target`, `n_colleagues`, the target's variance, and the raw gap."""
    if target:
        rows = arrived.assign(target=target, n_colleagues=np.nan, target_variance=0.0)
    else:
        rows = _with_target(arrived, _colleagues(team))
    return rows.assign(raw=rows["target"] - rows["score"]).sort_values(["rep_id", "skill"])


def _with_target(arrived: pd.DataFrame, colleagues: pd.DataFrame) -> pd.DataFrame:
    by_skill = colleagues.groupby("skill")["score"]
    mean, n, within = by_skill.mean(), by_skill.size(), by_skill.var().mean()
    within = 0.0 if np.isnan(within) else float(within)
    by_role = colleagues.fillna({"role": ""}).groupby(["skill", "role"])["score"]
    roles = pd.DataFrame({"mean": by_role.mean(), "n": by_role.size()}).reset_index()
    off = roles["mean"] - look_up(roles["skill"], mean)
    between = max(0.0, float((off**2 - within / roles["n"]).mean())) if len(roles) else 0.0
    own = arrived[["skill", "role"]].fillna({"role": ""})
    own = own.merge(roles, on=["skill", "role"], how="left").set_axis(arrived.index)
    own_n = own["n"].fillna(0.0)
    weight = between / (between + within / own_n.clip(lower=1)) if between > 0 else 0.0 * own_n
    weight = weight.where(own_n > 0, 0.0)
    team_mean, team_n = look_up(arrived["skill"], mean), look_up(arrived["skill"], n).fillna(0)
    goal = team_mean + weight * (own["mean"].fillna(0.0) - team_mean)
    return arrived.assign(
        target=goal.where(team_n >= PEERS),
        n_colleagues=team_n.astype(float),
        target_variance=within / team_n.clip(lower=1),
    )


@dataclass(frozen=True)
class Spread:
    """How far hires are apart in a skill (variance, its degrees of freedom), and what share of
    that is not chance in a single score."""

    variance: float
    df: float
    reliability: float


def _spread(team: Team, held: pd.DataFrame) -> Spread:
    by_skill = held.groupby("skill")["raw"]
    df = float((by_skill.count() - 1).clip(lower=0).sum())
    squares = float(((held["raw"] - by_skill.transform("mean")) ** 2).sum())
    return Spread(squares / df if df else np.nan, df, _reliability(team))


def _reliability(team: Team) -> float:
    """Share of the spread of managers' scores that the reps' own scores bear out."""
    rows = team.assessments
    rows = rows.assign(half=rows["assessed_on"].dt.year * 2 + rows["assessed_on"].dt.month // 7)
    both = rows.pivot_table(index=["rep_id", "skill", "half"], columns="assessor", values="score")
    if not {"manager", "self"} <= set(both):
        return ASSUMED
    both = both[["manager", "self"]].dropna()
    off = both - both.groupby("skill").transform("mean")
    if len(both) < PAIRS or not (off["manager"] ** 2).sum() > 0:
        return ASSUMED
    shared = (off["manager"] * off["self"]).sum() / (off["manager"] ** 2).sum()
    return float(np.clip(shared, 0.05, 0.95))


def _table(held: pd.DataFrame, spread: Spread, reps: pd.Series, is_team: bool) -> pd.DataFrame:
    """The rows of the team, then of each rep."""
    everybody = _of_all(held, spread)
    own = held[held["rep_id"].isin(reps)].merge(
        everybody[["skill", "gap"]].rename(columns={"gap": "usual"}), on="skill"
    )
    gap = own["usual"] + spread.reliability * (own["raw"] - own["usual"])
    sure = spread.variance * spread.reliability * (1 - spread.reliability)
    half = stats.z() * np.sqrt(sure + own["target_variance"])
    own = own.assign(scope="rep", gap=gap, gap_low=gap - half, gap_high=gap + half, n_hires=1.0)
    own["person"] = pd.Index(reps).get_indexer(pd.Index(own["rep_id"]))
    own = own.sort_values(["person", "gap", "skill"], ascending=[True, False, True])
    parts = [everybody, own] if is_team else [own]
    table = pd.concat([part.reindex(columns=COLUMNS) for part in parts], ignore_index=True)
    types = dict.fromkeys(COLUMNS[:3], "str") | dict.fromkeys(COLUMNS[4:], "float64")
    return table.astype({**types, "assessed_on": "datetime64[us]"})


def _of_all(held: pd.DataFrame, spread: Spread) -> pd.DataFrame:
    """One row per skill, all hires on record together, the largest gap first."""
    by_skill = held.groupby("skill")
    columns = ["score", "self_score", "target", "n_colleagues"]
    table = by_skill[columns].mean().assign(gap=by_skill["raw"].mean())
    table["n_hires"] = by_skill["raw"].count().astype(float)
    variance = spread.variance / table["n_hires"] + by_skill["target_variance"].mean()
    quantile = student.ppf((1 + stats.LEVEL) / 2, spread.df) if spread.df > 0 else np.nan
    half = quantile * np.sqrt(variance)
    table = table.assign(gap_low=table["gap"] - half, gap_high=table["gap"] + half, scope="team")
    return table.reset_index().sort_values(["gap", "skill"], ascending=[False, True])


def _draw(ax: Axes, table: pd.DataFrame) -> Axes:
    """Target, manager's and own score by skill: of all hires, or of the one rep."""
    scope = "team" if (table["scope"] == "team").any() else "rep"
    rows = table[(table["scope"] == scope) & table["score"].notna()]
    series = [
        charts.Points(say("ramped colleagues"), rows["target"], colour=charts.MUTED, marker="s"),
        charts.Points(say("on arrival"), rows["score"]),
        charts.Points(say("own view"), rows["self_score"], colour=charts.WARN, marker="^"),
    ]
    charts.dumbbell(ax, list(rows["skill"]), *series, is_rate=False)
    if len(rows):
        ax.set_xlim(0, 4)
        ax.set_xlabel(say("score, 0-4"))
    return ax
