"""The pipeline ahead of the forecast: who books too little to fill it, and when it runs dry."""

from salesnb.finding import Finding, Urgency
from salesnb.outlook import Telling, dry, empty, why_not
from salesnb.team import Team
from salesnb.warning import warning
from salesnb.weekly import booked


def early_warning(team: Team, *, kind: str = "meeting", rep: str | None = None) -> Finding:
    """Who books fewer meetings than usual, early enough to do something about it?

    Each week's count is held against what was to be expected: the rep's own level of the year
    before, times the week's factor (what the others booked that week against their levels), times
    the share of the week at work (leave, and the public holidays of the country in
    ``team.toml``). A new hire is held against the first weeks of the hires before. The evidence
    of a drop is added up week by week (a negative-binomial CUSUM; Page 1954, Hawkins and Olwell
    1998), so that one bad week is no alarm and six meagre ones are. Every week is judged by what
    was known at its end. How often it errs and how soon it finds a drop:
    ``docs/warning_accuracy.md``.

    Parameters
    ----------
    kind : call, email, meeting, demo or proposal
    rep : id or name; the answer then names nobody else

    Returns
    -------
    Finding
        One row per rep and week on the team, the latest week first:

        rep_id
        week : its Monday; the last one is the last whose working days have passed
        n_booked : booked in the week, by the day of booking
        expected, expected_low, expected_high : in a usual week, and the range that holds 90 % of
            them; 0 in a week of leave
        is_alarm : whether the counts have stayed too low for chance
        alarm_since : Monday of the week in which the alarm under way was first raised

    Raises
    ------
    DataError
        The team has no activities, there is no such rep, or no such kind of activity.
    """
    found = warning(team, kind, None if rep is None else team.rep(rep))
    parts = found.headline, found.table, found.draw, found.ask, found.caveats
    return Finding(
        *parts,
        team.currency,
        team.names,
        behind={"n_booked": lambda row: booked(team, kind, row["rep_id"], row["week"])},
    )


def dry_date(team: Team, *, rep: str | None = None, weeks: int = 4) -> Finding:
    """When does the open pipeline fall below what the quota needs, and what would close the gap?

    Followed week by week from meetings through deals to wins: meetings at each rep's present
    pace (leave, holidays and last year's season known) become deals by the rep's own ratio and
    the observed lag; open and new deals go through the stages with the odds and days of earlier
    ones that had waited as long (Aalen and Johansen 1978: open ones censored), shifted by the
    rep's own odds. Ratios and odds are shrunken towards the team's. What the quota needs is its
    next 13 weeks times the required coverage, measured as open amount per amount won in the
    quarter that followed. The band is a parametric bootstrap, made as wide as the outlooks of
    four earlier days, drawn by `Team.at`, had to be to hold 80 %. How often it holds:
    ``docs/dry_date.md``.

    Parameters
    ----------
    rep : id or name; the answer then names nobody else
    weeks : for how many weeks extra meetings are to be booked, 1 to 10

    Returns
    -------
    Finding
        One row per rep and week ahead, the next week first; `rep_id` is blank for all together:

        rep_id, week : Monday; the first week holds the day after `team.as_of`
        n_meetings : to be expected in the week, the running one as a whole
        open_amount, open_amount_low, open_amount_high : open at the end of the week: median and
            80 % band
        needed_amount : open pipeline that the quota of the following 13 weeks needs
        coverage_ratio : open_amount / quota of the following 13 weeks
        required_ratio : needed_amount / the same quota
        won_amount, won_amount_low, won_amount_high : won from now to the end of the week, in all
        quota_amount : quota from now to the end of the week
        is_dry : open_amount is below needed_amount
        dry_share : how often it is, over all draws, what is needed being uncertain too
        dry_on : Monday of the first such week; blank if there is none in 26 weeks
        dry_weeks, dry_weeks_low, dry_weeks_high : whole weeks until then; from the lower and the
            upper end of the band
        extra_meetings, extra_meetings_low, extra_meetings_high : more meetings a week, for `weeks`
            weeks, that keep the open pipeline from falling short in the rest of the quarter (0
            where it does not), through the rep's own ratio; 90 % interval of that ratio. For all
            together: the sum

    Raises
    ------
    DataError
        The team has no activities (no dry date is made up without them), there is no such rep, or
        `weeks` is out of range.
    """
    rep_id = None if rep is None else team.rep(rep)
    team.need("activities", why="a dry date")
    if why := why_not(team, rep_id):
        return Finding(why, empty(), currency=team.currency)
    found = dry(team, rep_id, weeks)
    said = Telling(found)
    parts = said.headline, found.table, said.draw, said.ask, said.caveats
    return Finding(
        *parts,
        team.currency,
        team.names,
        pressing=said.pressing,
        urgency=Urgency.PIPELINE,
    )
