"""What the activities of all CRMs share: ids, plain notes, kinds that are none of the schema's."""

import html

import pandas as pd

from salesnb.importers import values
from salesnb.importers.source import Source

TAG = (  # by name, so that "Ann <ann@x.com>" and "a < b" stay
    r"(?i)</?(?:a|b|blockquote|body|br|code|div|em|font|h[1-6]|head|hr|html|i|img|li|ol|p|pre|s|"
    r"span|strong|style|table|tbody|td|th|thead|tr|u|ul)(?:[\s/][^<>]*)?>"
)
OTHER_KINDS = 8  # kinds that are none of the schema's, named one by one


def leave_out_others(source: Source, kind: pd.Series, called: pd.Series, what: str) -> None:
    """Leave out rows of no kind, counted by what their type is called."""
    often = {*called[kind.isna()].value_counts().index[:OTHER_KINDS]}
    for name in sorted(often):
        source.leave_out(kind.isna() & (called == name), f"{what} of type {name}")
    source.leave_out(kind.isna(), f"{what} of another type")


def ids(source: Source, name: str) -> pd.Series:
    """Ids, made from the row where a report has none."""
    rows = pd.Series(source.rows.astype("str"), source.rows, dtype="str")
    return source.text(name).fillna(source.table.name + "-" + rows)


def plain(notes: pd.Series) -> pd.Series:
    """Notes without the tags of their page."""
    has_tags = values.matches(notes, TAG) | values.matches(notes, "&[a-z#0-9]+;")
    shown = notes[has_tags].str.replace(TAG, " ", regex=True).map(html.unescape).str.split()
    text = shown.str.join(" ").astype("str")
    return notes.mask(has_tags, text.reindex(notes.index)).mask(lambda each: each == "")
