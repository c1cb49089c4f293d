"""Free text for a page that two people read."""

import re

import pandas as pd

from salesnb.team import Team


def without_names(text: pd.Series, team: Team, rep_id: str) -> pd.Series:
    """The text without the names and ids of a rep's colleagues."""
    others, own = team.reps[team.reps["rep_id"] != rep_id], team.names[rep_id]
    names = sorted({*others["name"], *others["rep_id"]} - {own}, key=len, reverse=True)
    if not names or text.isna().all():
        return text
    pattern = "|".join(re.escape(name) for name in names)
    return text.str.replace(rf"(?<!\w)(?:{pattern})(?!\w)", "a colleague", regex=True)
