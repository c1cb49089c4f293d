"""Two plans replayed over the same deals: what each costs, and whom it pays more or less."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesnb import behind, charts, pay, sold, stats
from salesnb.errors import DataError, Fault
from salesnb.finding import Finding
from salesnb.language import say, to_say
from salesnb.metrics.ledger import DAY
from salesnb.metrics.view import in_words, period
from salesnb.team import Team
from salesnb.units import money, number, percent, span

COLUMNS = ["scope", "rep_id", "n_won", "margin_amount", "old_amount", "new_amount"]
COLUMNS += ["new_amount_low", "new_amount_high", "difference_amount", "difference_amount_low"]
COLUMNS += ["difference_amount_high", "old_ratio", "new_ratio", "status"]
SHOWN = ["scope", "rep_id", "n_won", "margin_amount", "old_amount", "new_amount"]
SHOWN += ["difference_amount", "status"]
DRAWS, SEED, TAILS = 1000, 11, ((1 - stats.LEVEL) / 2, (1 + stats.LEVEL) / 2)
GAINS = [to_say("gains"), to_say("loses")]
SAME = to_say("'{new}' would have cost the same as '{old}' {when}.")
MORE = to_say("'{new}' would have cost {amount} more than '{old}' {when} ({inside}): {total}")
LESS = to_say("'{new}' would have cost {amount} less than '{old}' {when} ({inside}): {total}")
FEWEST = 3  # quarters, below which nothing is said of how far they differ


def compare(
    team: Team,
    *,
    old: str = "",
    new: str = "",
    starts_on: str | None = None,
    ends_on: str | None = None,
) -> Finding:
    """What would the new plan have cost, and who would have earned more or less?

    Both plans pay for the same deals as they were won, by default in the twelve months up to
    `team.as_of`: nobody is taken to sell otherwise because of the plan. The intervals say how much
    chance there is in a year of these people: each rep's quarters are drawn anew (bootstrap,
    1,000 draws).

    Parameters
    ----------
    old, new : plans of ``comp.toml``; by default the one in force and the one after it

    Returns
    -------
    Finding
        The team, then one row per rep who was there, by id; amounts in the team's currency:

        scope : ``team`` or ``rep``; rep_id
        n_won, margin_amount : deals won, and the margin they brought, of the owner at the close
        old_amount : all pay under the old plan
        new_amount, new_amount_low, new_amount_high : under the new one, with 90 % interval
        difference_amount, difference_amount_low, difference_amount_high : new less old
        old_ratio, new_ratio : pay / margin; blank without margin
        status : ``gains`` or ``loses`` where the interval of the difference leaves 0 out

    Raises
    ------
    DataError
        No ``comp.toml``, no such plan, only one plan, or a period that holds no day.
    """
    team.need_dates("comp.compare")
    old, new = _both(team, old, new)
    first, last = period(team, starts_on, ends_on)
    table = _table(team, old, new, first, last)
    ids = [*table["rep_id"].dropna()]
    return Finding(
        headline=_headline(team, table, old, new, in_words(first, last)),
        table=table,
        draw=lambda ax: _draw(ax, table),
        ask=(say("Who would sell differently under the new plan, and is that what we want?"),),
        caveats=_caveats(table, first, last),
        currency=team.currency,
        names=team.names,
        shown=SHOWN,
        behind={
            "n_won": lambda row: _won(
                team, ids if row["scope"] == "team" else [row["rep_id"]], first, last
            )
        },
    )


def _won(team: Team, rep_ids: list[str], first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    rows = sold.within(sold.lines(team), first, last)
    rows = rows[rows["rep_id"].isin(rep_ids)].drop_duplicates("deal_id")
    return behind.deals(team, rows)


def _both(team: Team, old: str, new: str) -> tuple[str, str]:
    """The names of the plans to compare: the one in force on `as_of`, and the one after it."""
    pay.chosen(team)
    plans = team.settings.plans.plans
    begun = [plan.name for plan in plans if plan.starts_on <= team.as_of]
    old = team.settings.plans.named(old or (begun or [plans[0].name])[-1]).name
    names = [plan.name for plan in plans]
    if not new:
        others = [name for name in [*names[names.index(old) + 1 :], *names] if name != old]
        if not others:
            said = "comp.compare needs a second plan in comp.toml to hold against the first."
            raise DataError([Fault("comp.toml", "a second plan")], said)
        new = others[0]
    return old, team.settings.plans.named(new).name


def _table(team: Team, old: str, new: str, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    reps = team.reps
    was_there = ~(reps["hired_on"] > last) & ~(reps["left_on"] < first)
    ids = pd.Index(sorted(reps.loc[was_there, "rep_id"]), dtype="str")
    paid = [_by_quarter(team, ids, first, last, plan) for plan in (old, new)]
    brought = pay.margins(team, first, last).reindex(ids, fill_value=0.0)
    shown = np.vstack([np.ones((1, len(ids))), np.eye(len(ids))])  # the team, then each
    table = pd.DataFrame({"scope": ["team"] + ["rep"] * len(ids)})
    table["rep_id"] = pd.Series([None, *ids], dtype="str")
    table["n_won"] = (shown @ brought["n_won"].to_numpy(float)).astype(int)
    table["margin_amount"] = shown @ brought["margin_amount"].to_numpy(float)
    drawn = _drawn(*paid)
    amounts = {"old": paid[0], "new": paid[1], "difference": paid[1] - paid[0]}
    for number_, (name, by_quarter) in enumerate(amounts.items()):
        value = shown @ by_quarter.sum(axis=1)
        table[f"{name}_amount"] = value
        if name != "old":
            ends = np.quantile(shown @ drawn[number_], TAILS, axis=1)
            least = 0.0 if name == "new" else -np.inf
            table[f"{name}_amount_low"] = np.minimum(np.maximum(ends[0], least), value)
            table[f"{name}_amount_high"] = np.maximum(ends[1], value)
    margin = table["margin_amount"].where(table["margin_amount"] > 0)
    for name in ("old", "new"):
        table[f"{name}_ratio"] = table[f"{name}_amount"] / margin
    is_more, is_less = table["difference_amount_low"] > 0, table["difference_amount_high"] < 0
    is_said = paid[0].shape[1] >= FEWEST
    table["status"] = np.select([is_more & is_said, is_less & is_said], GAINS, "")
    return table.astype({"status": "str"})[COLUMNS]


def _by_quarter(
    team: Team, ids: pd.Index, first: pd.Timestamp, last: pd.Timestamp, plan: str
) -> np.ndarray:
    """What each rep earned in each three months of the period (reps x quarters)."""
    rows = pay.earned(team, first, last, plan)
    n = max(1, round((last - first) / pd.Timedelta(days=91.3)))
    quarter = ((rows["paid_on"] - first) * n // (last - first + DAY)).to_numpy(int)
    rep = ids.get_indexer(pd.Index(rows["rep_id"], dtype="str"))
    found = np.zeros((len(ids), n))
    np.add.at(found, (rep[rep >= 0], quarter[rep >= 0]), rows["coins"].to_numpy(float)[rep >= 0])
    return pay.Coins.of(team.currency).amounts(found)


def _drawn(old: np.ndarray, new: np.ndarray) -> list[np.ndarray]:
    """Pay of a year in each draw (reps x draws): under the old plan, the new one, and what is
    between them. So few quarters vary too little by n / (n - 1), which is made good."""
    dice = np.random.default_rng(SEED)
    reps, n = old.shape
    which = dice.integers(0, n, (reps, DRAWS, n))
    wider = np.sqrt(n / (n - 1)) if n > 1 else 1.0
    found = []
    for paid in (old, new, new - old):
        total = np.take_along_axis(paid[:, None, :], which, axis=2).sum(axis=2)
        middle = paid.sum(axis=1)[:, None]
        found.append(middle + wider * (total - middle))
    return found


def _headline(team: Team, table: pd.DataFrame, old: str, new: str, when: str) -> str:
    row, reps = table.iloc[0], table[table["scope"] == "rep"]
    if reps.empty or (row["old_amount"] == 0 and row["new_amount"] == 0):
        return say(
            "Nothing would have been paid {when} under '{old}' or '{new}'.",
            when=when,
            old=old,
            new=new,
        )
    gap, low, high = row[["difference_amount", "difference_amount_low", "difference_amount_high"]]
    if low == high == 0:
        return say(SAME, new=new, old=old, when=when)
    near, far = sorted((abs(low), abs(high)))
    inside = span(near, far, lambda x: money(x, team.currency))
    said = say(
        MORE if gap >= 0 else LESS,
        new=new,
        old=old,
        when=when,
        amount=money(abs(gap), team.currency),
        inside=inside if low * high > 0 else say("not told apart from no change"),
        total=money(row.new_amount, team.currency),
    )
    if np.isfinite(row["new_ratio"]):
        new, old = (percent(row[f"{plan}_ratio"], 1) for plan in ("new", "old"))
        said = say("{cost}, {new} of the margin against {old}", cost=said, new=new, old=old)
    counts = reps["status"].value_counts()
    n_more, n_less = (number(counts.get(status, 0)) for status in GAINS)
    people = say(
        "{more} of {n} reps would have earned more, {less} less, beyond what quarters differ by "
        "chance.",
        more=n_more,
        n=number(len(reps)),
        less=n_less,
    )
    return f"{said}. {people}"


def _caveats(table: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp) -> tuple[str, ...]:
    said = [
        say("For the manager alone: what single people earn is nobody else's business."),
        say("The same deals under both plans: that people would sell otherwise is not in it."),
    ]
    if (last - first).days < 200:
        said.append(say("Less than three quarters: the intervals say little."))
    return tuple(said)


def _draw(ax: Axes, table: pd.DataFrame) -> Axes:
    """Pay against margin, a line per rep from the old plan to the new one, without names."""
    rows = table[(table["scope"] == "rep") & (table["old_amount"] + table["new_amount"] > 0)]
    if rows.empty:
        return charts.nothing_to_draw(ax)
    ends = rows["margin_amount"], rows["old_amount"], rows["new_amount"]
    ax.vlines(*ends, color=charts.MUTED, linewidth=1)
    ax.plot(*ends[:2], "s", color=charts.MUTED, label=say("old plan"), markersize=4)
    ax.plot(ends[0], ends[2], "o", color=charts.ACCENT, label=say("new plan"), markersize=5)
    for axis in (ax.xaxis, ax.yaxis):
        charts.write_short(axis)
    ax.set_ylim(bottom=0)
    ax.set_xlabel(say("margin brought by a rep"))
    ax.set_ylabel(say("pay"))
    return ax
