"""Did coaching on a topic work: the coached against what would have come without it."""

import pandas as pd
from matplotlib.axes import Axes

from salesnb import charts, trials
from salesnb.coaching_log.programmes import programmes
from salesnb.drift import Drift
from salesnb.finding import Finding
from salesnb.language import say, to_say
from salesnb.once import once
from salesnb.team import Team
from salesnb.units import listed, number

COLUMNS = {
    "topic": "str",
    "n_coached": "int64",
    "n_controls": "int64",
    "effect": "float64",
    "effect_low": "float64",
    "effect_high": "float64",
    "verdict": "str",
    "n_more_deals": "float64",
    "naive_change": "float64",
    "n_deals": "int64",
}
WORTHWHILE = 0.03
VERDICTS = {
    "yes": to_say(
        "More deals move on since coaching{on_topic} than would have without it: {figures}."
    ),
    "no": to_say("Coaching{on_topic} made no difference worth its hours: {figures}."),
    "cannot_tell": to_say("Whether coaching{on_topic} worked cannot be told yet: {figures}."),
}
COMES_BACK = to_say(
    "The change from before to after is shown beside the effect because it misleads: whoever was "
    "chosen for a low quarter comes back towards their own level without any coaching."
)
NOT_KNOWN = to_say(
    "Controls were not drawn by lot. The effect leans on the coached having been chosen for "
    "their numbers: a reason that is in no number (a new territory, a wish to learn) counts as "
    "effect. A start drawn by lot makes the next round an experiment."
)


def effect(team: Team, *, worthwhile: float = WORTHWHILE) -> Finding:
    """Did coaching on each topic work?

    Coached are the reps with a programme on the topic: sessions of the kind ``programme``, or
    more sessions on it within six weeks than chance would bring about; the one-on-ones that
    everybody has are no treatment. A topic is a stage, or a skill by way of the stage that leans
    on it. Every deal that entered the stage in the last three years is set against what the
    typical rep makes of the same deal; a deal under way when a programme began counts as open on
    that day, and open deals count for what their age says.

    Reps are picked for coaching because a quarter was low, and low quarters pass by themselves.
    So each coached rep is set against what all earlier quarters of that rep, each weighed by its
    deals, and the same quarters of those not coached let expect (`salesnb.drift`): analysis of
    covariance on all earlier periods, as one model in which several rounds, and reps coached
    twice, count once. In a team of 30 it finds an effect of 6 points in half of all cases, least
    squares on the quarters' rates with HC3 errors in one of ten, with no more false ones: see
    docs/coaching_effect.md.

    Parameters
    ----------
    worthwhile : the least effect worth the hours, in points of the rate (0.03 = 3 points)

    Returns
    -------
    Finding
        One row per topic with a programme, in the order of the stages:

        topic : the stage
        n_coached : reps in a programme on it
        n_controls : other reps with deals in the same time
        effect, effect_low, effect_high : what a programme added to the rate of advancing from
            the stage, in points of the rate (0.06 = 6 points); 90 % interval; blank with fewer
            than two coached or three others
        verdict : ``yes`` if the whole interval lies above 0 (without any effect that happens to
            one topic in twenty), ``no`` if it lies below `worthwhile`, else ``cannot_tell``
        n_more_deals : about how many more deals of the coached at the stage until the interval
            is `worthwhile` on each side; blank when the verdict is yes or no
        naive_change : rate of the coached since, less that of the 91 days before, of the deals
            that left the stage; not the effect
        n_deals : deals of the coached that entered the stage since

    Raises
    ------
    DataError
        There is no coaching log, no stage history, or the days of deals are made up.
    """
    team.need("coaching", "stage_changes", why="coaching_log.effect")
    team.need_dates("coaching_log.effect")
    rows, found = [], begun(team)
    for stage in team.stages:
        own = found[found["stage"] == stage]
        if len(own):
            rows.append(_row(team, stage, own, worthwhile))
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    return Finding(
        _headline(table),
        table,
        lambda ax: _draw(ax, table),
        ask=_ask(table),
        caveats=_caveats(table),
    )


@once
def begun(team: Team) -> pd.DataFrame:
    """The team's coaching `programmes`."""
    return programmes(team)


@once
def panel(team: Team) -> pd.DataFrame:
    """The `trials.panel` of the team's coaching programmes."""
    return trials.panel(team, begun(team))


@once
def fitted(team: Team, stage: str) -> Drift | None:
    """The model of one stage; None with nobody coached or too few others."""
    found = panel(team)
    return trials.fits(found[found["stage"] == stage])


def _row(
    team: Team, stage: str, own: pd.DataFrame, worthwhile: float
) -> dict[str, int | float | str]:
    found = panel(team)
    found = found[found["stage"] == stage]
    before, since = trials.before_and_since(team, [stage], own)
    return {
        "topic": stage,
        "n_coached": own["rep_id"].nunique(),
        "n_controls": len(trials.others(found) - set(own["rep_id"])),
        "naive_change": since - before,
        **trials.verdict(fitted(team, stage), found, worthwhile),
    }


def points(value: float) -> str:
    """A difference of rates in words: ``points(0.063)`` is ``"+6 points"``."""
    return say("{n} points", n=_signed(value))


def _signed(value: float) -> str:
    whole = round(100 * value)
    return ("+" if whole > 0 else "−" if whole < 0 else "") + number(abs(whole))


def _headline(table: pd.DataFrame) -> str:
    if table.empty:
        return say("No topic was coached in a programme yet, so there is no effect to look for.")
    is_few = table["effect"].isna()
    said = []
    for verdict, words in VERDICTS.items():
        rows = table[(table["verdict"] == verdict) & ~is_few]
        if len(rows):
            on = say(" on {topic}", topic=rows["topic"].iloc[0]) if len(rows) == 1 else ""
            said.append(say(words, on_topic=on, figures=_figures(rows)))
    if is_few.any():
        topics = listed(table.loc[is_few, "topic"])
        said.append(say("On {topics} too few were coached, or not, to compare.", topics=topics))
    return " ".join(said)


def _figures(rows: pd.DataFrame) -> str:
    """The effect on each topic, with its interval and n."""
    said = []
    for _, row in rows.iterrows():
        figures = say(
            "{points} ({low} to {high}; {n_coached} coached, {n_deals} deals)",
            points=points(row["effect"]),
            low=_signed(row["effect_low"]),
            high=_signed(row["effect_high"]),
            n_coached=row["n_coached"],
            n_deals=number(row["n_deals"]),
        )
        said.append(f"{row['topic']} {figures}" if len(rows) > 1 else figures)
    return "; ".join(said)


def _ask(table: pd.DataFrame) -> tuple[str, ...]:
    asked = []
    open_yet = table[table["verdict"] == "cannot_tell"].dropna(subset="n_more_deals")
    if len(open_yet):
        more = [
            say("{n} at {topic}", n=number(n), topic=topic)
            for n, topic in zip(open_yet["n_more_deals"], open_yet["topic"], strict=True)
        ]
        asked.append(
            say(
                "What would make you sure that coaching works (more deals of the coached that "
                "would tell: about {deals})?",
                deals=", ".join(more),
            )
        )
    for topic in table.loc[table["verdict"] == "yes", "topic"]:
        asked.append(
            say("What did the coached do differently at {topic}, in their own words?", topic=topic)
        )
    for topic in table.loc[table["verdict"] == "no", "topic"]:
        asked.append(say("What else could those hours on {topic} have gone into?", topic=topic))
    if len(table):
        asked.append(say("Why were these reps chosen, and who could have been but was not?"))
    return tuple(asked)


def _caveats(table: pd.DataFrame) -> tuple[str, ...]:
    if table.empty:
        return ()
    several = say(
        "{n} topics were looked at: without any effect, one in twenty would read yes.",
        n=len(table),
    )
    return (say(COMES_BACK), say(NOT_KNOWN), *([several] if len(table) > 1 else []))


def _draw(ax: Axes, table: pd.DataFrame) -> Axes:
    """The effect with its interval, and the change from before to after, per topic."""
    if table.empty:
        return charts.nothing_to_draw(ax)
    counted = zip(table["topic"], table["n_deals"], strict=True)
    labels = [f"{topic} (n = {number(n)})" for topic, n in counted]
    told = charts.Points(
        say("effect"), 100 * table["effect"], 100 * table["effect_low"], 100 * table["effect_high"]
    )
    naive = charts.Points(
        say("before to after"), 100 * table["naive_change"], colour=charts.MUTED, marker="s"
    )
    charts.dumbbell(ax, labels, told, naive, is_rate=False)
    ax.axvline(0, color=charts.MUTED, linewidth=0.8)
    ax.set_xlabel(say("points of the share of deals that move on"))
    return ax
