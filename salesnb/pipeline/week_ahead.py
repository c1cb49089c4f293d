"""A rep's week ahead on one page: meetings, how long the pipeline carries, deals to touch."""

import pandas as pd

from salesnb import standout
from salesnb.finding import Finding
from salesnb.language import say, says, to_say
from salesnb.outlook import NO_QUOTA, Telling, dry, why_not
from salesnb.standout import Standout
from salesnb.team import Team
from salesnb.units import capital, money, number
from salesnb.warning import Warning, warning

COLUMNS = ["deal_id", "account", "product", "amount", "age_days", "expected_close_on", "why"]
SHOWN = 5
WEEKS = 4  # of extra meetings
UNTOUCHED = to_say("untouched for {n} days")
OVERDUE = to_say("past its expected close")


def week_ahead(team: Team, rep: str) -> Finding:
    """What does this rep's week ahead ask for?

    Meetings booked against the rep's own usual (`pipeline.early_warning`), how long the open
    pipeline carries the quota (`pipeline.dry_date`), and the open deals that wait for a touch:
    those without activity in 14 days and none ahead, and those past their expected close.

    Returns
    -------
    Finding
        One row per deal that waits for a touch, at most five, largest amount first:

        deal_id, account, product, expected_close_on
        amount : team currency
        age_days : since the deal was created
        why : what it waits for

    Raises
    ------
    DataError
        There is no such rep.
    """
    seen = standout.of(team, rep)
    booked = warning(team, "meeting", seen.rep_id) if team.has("activities") else None
    outlook = _outlook(team, seen.rep_id)
    waiting = _waiting(seen)
    said = [
        *([] if booked is None else [_own(booked.headline, seen)]),
        *([] if outlook is None else [_own(outlook.headline, seen)]),
        *([] if outlook is None or outlook.found.outlook.has_quota.any() else [say(NO_QUOTA)]),
        _deals_in_words(seen, waiting),
    ]
    return Finding(
        headline=f"{seen.name}: {' '.join(said)}",
        table=waiting.head(SHOWN)[COLUMNS].reset_index(drop=True),
        draw=None if booked is None else booked.draw,
        ask=_ask(seen, waiting, booked),
        currency=team.currency,
    )


def _outlook(team: Team, rep_id: str) -> Telling | None:
    if not team.has("activities") or why_not(team, rep_id):
        return None
    return Telling(dry(team, rep_id, WEEKS))


def _own(headline: str, seen: Standout) -> str:
    """A headline without the name, to stand among others."""
    return capital(headline.removeprefix(f"{seen.name}: "))


def _waiting(seen: Standout) -> pd.DataFrame:
    """The rep's open deals that wait for a touch, each once, largest first."""
    deals = seen.still_open
    silent = seen.untouched.set_index("deal_id")["silent_days"]
    reasons: dict[str, list[str]] = {deal: [] for deal in deals["deal_id"]}
    for deal, days in silent.items():
        reasons[str(deal)].append(say(UNTOUCHED, n=number(days)))
    for deal in seen.overdue["deal_id"]:
        reasons[deal].append(say(OVERDUE))
    why = ["; ".join(said) for said in reasons.values()]
    deals = deals.assign(why=pd.Series(why, index=deals.index, dtype="str"))
    return deals[deals["why"] != ""]


def _deals_in_words(seen: Standout, waiting: pd.DataFrame) -> str:
    if seen.still_open.empty:
        return say("No deal is open.")
    if waiting.empty:
        return say("No open deal waits for a touch.")
    n = len(waiting)
    total = waiting["amount"].sum()
    said = says(
        "{n} open deal waits for a touch", "{n} open deals wait for a touch", n, n=number(n)
    )
    if not total > 0:
        return f"{said}."
    return f"{said}, " + say("worth {amount}", amount=money(total, seen.team.currency)) + "."


def _ask(seen: Standout, waiting: pd.DataFrame, booked: Warning | None) -> tuple[str, ...]:
    asked = list(booked.ask[:1]) if booked is not None else []
    if len(waiting):
        deal = standout.labels(waiting.head(1), seen.team.currency).iloc[0]
        asked.append(say("What is the next step with {deal}, and who takes it?", deal=deal))
    return tuple(asked)
