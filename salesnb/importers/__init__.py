"""Any export becomes the tables of a team, by a mapping that holds all there is to know of it.

A mapping (``salesnb/crm/*.toml``; ``maven.toml`` explains the form) says which file feeds which
table, what its columns are called, which values are mended, which rows are no data, and what
stands in for values that are missing. This package carries it out and counts what it did.

For the CRMs in `VENDORS`, code stands in place of a mapping: `salesforce`, `hubspot` and
`pipedrive` tell what their objects mean, on `vendor`, `source`, `dealbook`, `deal_log` and others
that all of them share.

Beneath stand `exported` (every form of an export as text tables), `objects` (which object of a CRM
a table is) and `columns` (its columns as typed values, decided as a whole and said).
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from salesnb import door, settings
from salesnb.errors import DataError, Fault
from salesnb.importers import (
    hubspot,
    one_date,
    pipedrive,
    salesforce,
    sheets,
    tables,
    target,
    template,
    vendor,
)
from salesnb.importers import mapping as mappings
from salesnb.importers.columns import Columns
from salesnb.importers.draft import Draft, written
from salesnb.importers.mapping import Plan
from salesnb.importers.privacy import Named, Privacy
from salesnb.importers.report import ImportReport
from salesnb.importers.sheets import Sheet
from salesnb.importers.values import Options
from salesnb.importers.vendor import Stated
from salesnb.settings import Settings

__all__ = ["ImportReport", "Options", "Privacy", "Stated", "run", "template"]

NAMED = ("rep_id", "account_id")  # ids that a mapping may make from names
VENDORS = {
    "hubspot": hubspot.make,
    "pipedrive": pipedrive.make,
    "salesforce": salesforce.make,
}


def run(
    mapping: str | Path,
    source: str | Path,
    dest: str | Path,
    *,
    overwrite: bool = False,
    encoding: str = "",
    stated: Stated | None = None,
    private: Privacy | None = None,
    update: bool = False,
) -> ImportReport:
    """Turn an export into a data set that `salesnb.load` reads.

    `mapping` is a CRM (``"salesforce"``), a built-in mapping (``"maven"``) or a TOML file; `source`
    the export, which is only read: a folder, a zip archive, a workbook or a single file; `dest` a
    new folder, written whole or not at all. With `overwrite` an earlier import there is replaced,
    unless somebody has added or changed files in it; with `update` it is brought up to date, and
    what people added to it stays. `encoding` is that of text files, where it shall not be found
    out; `stated` says what else the export of a CRM may leave open, `private` what is kept out of
    the data set.

    Raises
    ------
    DataError
        With every fault at once: of the mapping, of the files and their columns; then of the
        values, each with the row and column of the export.
    """
    if make := VENDORS.get(str(mapping)):
        return vendor.run(
            str(mapping),
            make,
            source,
            dest,
            stated=stated or Stated(),
            overwrite=overwrite,
            encoding=encoding,
            private=private,
            update=update,
        )
    stated = stated or Stated()
    if replace(stated, reading=Options()) != Stated():
        raise DataError(
            f"A mapping states all itself, save how days and numbers are written; other options "
            f"are for {', '.join(VENDORS)}."
        )
    plan, faults = mappings.read(mapping, VENDORS)
    export = door.must_exist(source, "file or folder")
    place = target.free(Path(dest), export, overwrite, private, update)
    opened, unused, file_faults = sheets.read(plan, export, encoding)
    if faults or file_faults:
        raise DataError([*faults, *file_faults])
    told = tables.told(plan, opened, stated.reading)
    parts, apart = one_date.told_apart(told.parts)
    own, as_of_from, day_faults = _settings(plan, opened, stated.reading)
    draft = Draft(
        plan,
        opened,
        parts,
        own,
        as_of_from,
        unused,
        spellings=told.spellings,
        said=(*told.said, *apart),
        faults=(*day_faults, *told.faults),
        is_currency_told="currency" in plan.settings,
        named=Named(*(frozenset(told.spellings.get(ids, {}).values()) for ids in NAMED)),
    )
    return written(draft, place, overwrite, private, update)


def _settings(
    plan: Plan, opened: Mapping[str, Sheet], reading: Options
) -> tuple[Settings | None, str, list[Fault]]:
    """The settings, and where their day comes from."""
    known = plan.settings if plan.is_dated else {**plan.settings, "is_dated": False}
    if not plan.as_of_columns:
        return settings.of(known), "as the mapping says", []
    places = [(opened[s], c) for s, _, c in (name.partition(".") for name in plan.as_of_columns)]
    found = [Columns(sheet.raw(sheet.rows), reading).day(c).max() for sheet, c in places]
    day = pd.Series(found, dtype="datetime64[us]").max()
    where = ", ".join(f"{sheet.file} {c}" for sheet, c in places)
    if pd.isna(day):
        return None, "", [Fault(plan.path.name, f"a date in {where}", "settings.as_of")]
    return settings.of({**known, "as_of": day}), f"the latest date in {where}", []
