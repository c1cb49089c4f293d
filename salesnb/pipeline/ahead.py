"""The pipeline ahead of the forecast: who books too little to fill it, and when it runs dry."""

from salesnb.finding import Finding
from salesnb.team import Team
from salesnb.warning import warning


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
    return Finding(found.headline, found.table, found.draw, found.ask, found.caveats, team.currency)
