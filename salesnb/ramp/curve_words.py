"""How long new hires take, in words."""

import numpy as np
import pandas as pd

from salesnb.language import say, to_say
from salesnb.metrics.answers import PEERS
from salesnb.ramp.newcomers import FEWEST, confounded
from salesnb.units import number, span

CHANCE = 0.05
MEDIAN = ["median_months", "median_months_low", "median_months_high"]
GROUPED = {
    "cohort": to_say("{n} new hires in {k} half-years of hire"),
    "role": to_say("{n} new hires in {k} roles"),
    "region": to_say("{n} new hires in {k} regions"),
}
DEFINED = to_say(
    "Ramped: the amount won in three calendar months reaches 80 % of the median of colleagues at "
    "least a year on the team, and does so a month later still. First deal: the first one won that "
    "the hire opened."
)
LEFT = to_say("Who left before a milestone never reaches it; nobody is dropped for having left.")
FIRST = {
    "none": to_say(
        "Nobody has won a first deal of their own yet, too few to say how long it takes"
    ),
    "one": to_say(
        "Only one has won a first deal of their own yet, too few to say how long it takes"
    ),
    "few": to_say(
        "Only {n} have won a first deal of their own yet, too few to say how long it takes"
    ),
    "fewer": to_say("Fewer than half are known to have won a first deal of their own yet"),
    "half": to_say("Half had won a first deal of their own after {months}"),
}
RAMPED = {
    "none": to_say("nobody has ramped yet, too few to say how long it takes"),
    "one": to_say("only one has ramped yet, too few to say how long it takes"),
    "few": to_say("only {n} have ramped yet, too few to say how long it takes"),
    "fewer": to_say("fewer than half are known to have ramped yet"),
    "half": to_say("half had ramped after {months}"),
}


def headline(table: pd.DataFrame, by: str) -> str:
    """The answer in a sentence or two."""
    n = int(table.loc[table["milestone"] == "ramped", "n_hires"].sum())
    if not n:
        return say("Nobody was hired since the first deal on record: there is no ramp to see yet.")
    if by:
        return _groups_in_words(table, by, n)
    first, ramp = (row for _, row in table.iterrows())
    return say(
        "{n} new hires. {first_deal}, {ramp}.",
        n=number(n),
        first_deal=_half(first, FIRST),
        ramp=_ramp(ramp),
    )


def _half(row: pd.Series, words: dict[str, str]) -> str:
    n = row["n_reached"]
    if n < PEERS:
        how_many = {0: "none", 1: "one"}.get(n, "few")
        return say(words[how_many], n=number(n))
    fewer, half = words["fewer"], words["half"]
    if np.isnan(row["median_months"]):
        return say(fewer)
    return say(half, months=_months(row))


def _ramp(row: pd.Series) -> str:
    said = _half(row, RAMPED)
    if row["n_reached"] < PEERS or row["n_reached"] == row["n_hires"]:
        return said
    missing = row["n_hires"] - row["n_reached"]
    naive = say(
        "The mean of the {n} who have, {months} months, is too low: it leaves out the {missing} "
        "who have not",
        n=number(row["n_reached"]),
        months=number(row["naive_months"], 1),
        missing=number(missing),
    )
    return f"{said}. {naive}"


def _months(row: pd.Series) -> str:
    middle, low, high = (row[name] for name in MEDIAN)
    said = say("{n} months", n=number(middle, 1))
    if np.isnan(low):
        return said
    ends = span(low, high, lambda month: number(month, 1))
    if np.isnan(high):
        ends = say("from {n} on", n=number(low, 1))
    return f"{said} ({ends})"


def _groups_in_words(table: pd.DataFrame, by: str, n: int) -> str:
    k = table["level"].nunique()
    apart = table.loc[table["p"] * 2 <= CHANCE, "milestone"].unique()  # two milestones, two looks
    said = say(GROUPED[by], n=number(n), k=number(k))
    if k < 2:
        return say("{hires}: nothing to compare.", hires=said)
    if not len(apart):
        return say("{hires}: no difference in the ramp is separated from chance.", hires=said)
    rows = table[(table["milestone"] == apart[-1]) & table["median_months"].notna()]
    medians = [f"{row['level']} {_months(row)}" for _, row in rows.iterrows()]
    waits = "; ".join(medians) if medians else say("half of them are nowhere there yet")
    if apart[-1] == "ramped":
        return say(
            "{hires} differ beyond chance in the wait until they have ramped: {waits}.",
            hires=said,
            waits=waits,
        )
    return say(
        "{hires} differ beyond chance in the wait until the first deal: {waits}.",
        hires=said,
        waits=waits,
    )


def ask(table: pd.DataFrame) -> tuple[str, ...]:
    """Questions for the talk; none where there is nothing to talk about."""
    if not table["n_hires"].sum():
        return ()
    return (
        say("What did those who came up quickly have in their first month that others lacked?"),
        say("Which part of the wait is the length of our sales cycle, and which part is learning?"),
    )


def caveats(rows: pd.DataFrame, table: pd.DataFrame, by: str) -> tuple[str, ...]:
    """What the reader must know before leaning on it."""
    if rows.empty:
        return (say(DEFINED),)
    said = [say(DEFINED), say(LEFT), *confounded(rows["hired_on"])]
    n_inherited = table.loc[table["milestone"] == "ramped", "n_inherited"].sum()
    if n_inherited:
        said.append(say("{n} won deals were inherited and are left out.", n=number(n_inherited)))
    if len(rows) < FEWEST:
        n = number(len(rows))
        said.append(say("{n} hires say little: read the interval, not the middle.", n=n))
    spans = rows.groupby("level")["hired_on"].agg(["min", "max"]).sort_values("min")
    if by == "cohort" and len(spans) > 1:
        said.append(say("Half-years differ in season and market too, not only in who was hired."))
    elif by and len(spans) > 1 and (spans["min"].shift(-1) > spans["max"]).any():
        said.append(
            say(
                "Some of these groups were hired at other times than the rest: the group and the "
                "calendar cannot be told apart."
            )
        )
    if by == "role":
        said.append(say("The role is that of today: who ramped may have been promoted since."))
    return tuple(said)
