"""The tables of a team as pandera schemas: types, keys, references, allowed values, order of dates.

A column that is not `optional` is required. Names tell the unit: ``_on`` is a day, ``_at`` a UTC
timestamp, ``_rate`` and ``_share`` lie in 0-1, amounts are in the team's one currency, skill scores
run from 0 to 4.
"""

import sys
from typing import Any

import pandas as pd

# Where PySpark is installed pandera loads it at once, though no table here is Spark's: 0.4 s of
# every start.
sys.modules.setdefault("pyspark", None)  # type: ignore[arg-type]
import pandera.pandas as pa  # noqa: E402

if sys.modules["pyspark"] is None:
    del sys.modules["pyspark"]

Text = str
Number = float
Time = pa.DateTime
Flag = pd.BooleanDtype


# Schemas rather than classes: pandera imports all of dask.dataframe to read the fields of a class,
# a second of every start.
def table(*checks: pa.Check, unique: list[str] | None = None, **columns: pa.Column) -> Any:
    """A table of these columns, in this order; no two rows agree in all that is `unique`."""
    return pa.DataFrameSchema(columns, checks=list(checks), unique=unique)


def filled(kind: Any, **limits: Any) -> pa.Column:
    """A column that every row must fill, within limits: ``filled(Number, ge=0)``."""
    return pa.Column(kind, _checks(limits))


def optional(kind: Any, **limits: Any) -> pa.Column:
    """A column that may be missing or blank."""
    return pa.Column(kind, _checks(limits), nullable=True)


def key() -> pa.Column:
    """The column that names a row: required and unique."""
    return pa.Column(Text, unique=True)


def refers(column: str, nullable: bool = False) -> pa.Column:
    """A column that names a row of another table: ``refers("reps.rep_id")``."""
    return pa.Column(Text, nullable=nullable, metadata={"refers": column})


def one_of(*values: str, nullable: bool = True) -> pa.Column:
    """A column that holds one of these words."""
    return pa.Column(Text, pa.Check.isin(list(values)), nullable=nullable)


def in_order(first: str, then: str) -> pa.Check:
    """A check that `then` is not before `first`; blanks pass."""
    return pa.Check(lambda table: ~(table[then] < table[first]), name=f"{then} >= {first}")


def _checks(limits: dict[str, Any]) -> list[pa.Check]:
    return [getattr(pa.Check, name)(limit) for name, limit in limits.items()]


MODELS = {
    "reps": table(
        in_order("hired_on", "left_on"),
        rep_id=key(),
        name=filled(Text),
        hired_on=optional(Time),
        left_on=optional(Time),
        role=optional(Text),
        region=optional(Text),
        was_peer=optional(Flag),
    ),
    "accounts": table(
        account_id=key(),
        industry=optional(Text),
        country=optional(Text),
        employees=optional(Number, ge=0),
        annual_revenue=optional(Number),
        founded_year=optional(Number, ge=1000, le=2100),
        churned_on=optional(Time),
        expansion_amount=optional(Number),
    ),
    "products": table(
        in_order("launched_on", "changed_on"),
        product_id=key(),
        name=filled(Text),
        family=optional(Text),
        list_price=optional(Number, ge=0),
        margin_rate=optional(Number, le=1),
        role=one_of("push", "core", "minor", "loss_leader"),
        launched_on=optional(Time),
        changed_on=optional(Time),
    ),
    "deals": table(
        in_order("created_on", "closed_on"),
        deal_id=key(),
        rep_id=refers("reps.rep_id"),
        account_id=refers("accounts.account_id", nullable=True),
        product_id=refers("products.product_id", nullable=True),
        source=optional(Text),
        segment=optional(Text),
        competitor=optional(Text),
        created_on=filled(Time),
        amount=optional(Number, ge=0),
        expected_close_on=optional(Time),
        closed_on=optional(Time),
        outcome=one_of("won", "lost"),
        lost_reason=optional(Text),
    ),
    "deal_lines": table(
        deal_id=refers("deals.deal_id"),
        product_id=refers("products.product_id"),
        quantity=optional(Number),
        list_amount=optional(Number),
        net_amount=optional(Number),
    ),
    "stage_changes": table(
        deal_id=refers("deals.deal_id"),
        stage=filled(Text),
        entered_at=filled(Time),
        rep_id=refers("reps.rep_id", nullable=True),
        unique=["deal_id", "stage", "entered_at"],
    ),
    "close_date_changes": table(
        deal_id=refers("deals.deal_id"),
        changed_at=filled(Time),
        expected_close_on=filled(Time),
    ),
    "activities": table(
        activity_id=key(),
        rep_id=refers("reps.rep_id"),
        kind=one_of("call", "email", "meeting", "demo", "proposal", nullable=False),
        booked_at=optional(Time),
        happens_at=filled(Time),
        outcome=one_of("held", "no_show", "cancelled", "rescheduled", "connected", "no_answer"),
        deal_id=refers("deals.deal_id", nullable=True),
        account_id=refers("accounts.account_id", nullable=True),
        minutes=optional(Number, ge=0),
        note=optional(Text),
    ),
    "quotas": table(
        in_order("starts_on", "ends_on"),
        rep_id=refers("reps.rep_id"),
        starts_on=filled(Time),
        ends_on=filled(Time),
        amount=filled(Number, ge=0),
        unique=["rep_id", "starts_on", "ends_on"],
    ),
    "absences": table(
        in_order("starts_on", "ends_on"),
        rep_id=refers("reps.rep_id"),
        starts_on=filled(Time),
        ends_on=filled(Time),
    ),
    "goals": table(
        in_order("starts_on", "ends_on"),
        product_id=refers("products.product_id"),
        starts_on=filled(Time),
        ends_on=filled(Time),
        amount=filled(Number, ge=0),
    ),
    "assessments": table(
        rep_id=refers("reps.rep_id"),
        skill=filled(Text),
        assessed_on=filled(Time),
        score=filled(Number, ge=0, le=4),
        assessor=one_of("self", "manager", "certification"),
    ),
    "courses": table(
        course_id=key(),
        title=filled(Text),
        skill=filled(Text),
        kind=one_of("product", "system", "skill"),
        product_id=refers("products.product_id", nullable=True),
        hours=filled(Number, ge=0),
        price=optional(Number, ge=0),
        seats=optional(Number, ge=0),
        starts_on=optional(Time),
        lift=optional(Number, ge=-4, le=4),
    ),
    "attendance": table(
        rep_id=refers("reps.rep_id"),
        course_id=refers("courses.course_id"),
        completed_on=filled(Time),
        score=optional(Number),
    ),
    "onboarding": table(
        rep_id=refers("reps.rep_id"),
        task=filled(Text),
        kind=one_of("product", "phone", "crm", "tool", "skill", nullable=False),
        due_on=filled(Time),
        done_on=optional(Time),
        is_passed=optional(Flag),
    ),
    "coaching": table(
        in_order("held_on", "due_on"),
        in_order("held_on", "done_on"),
        session_id=key(),
        rep_id=refers("reps.rep_id"),
        held_on=filled(Time),
        kind=one_of("one_on_one", "ride_along", "call_review", "programme", nullable=False),
        minutes=optional(Number, ge=0),
        topic=optional(Text),
        strength=optional(Text),
        question=optional(Text),
        commitment=optional(Text),
        due_on=optional(Time),
        done_on=optional(Time),
        reason=one_of("own", "external", "unclear"),
    ),
    "differentiators": table(
        differentiator_id=key(),
        product_id=refers("products.product_id"),
        claim=filled(Text),
        proof=optional(Text),
        competitor=optional(Text),
        owner=optional(Text),
        reviewed_on=optional(Time),
    ),
    "ideas": table(
        in_order("raised_on", "decided_on"),
        in_order("raised_on", "credited_on"),
        in_order("raised_on", "owned_on"),
        idea_id=key(),
        rep_id=refers("reps.rep_id"),
        raised_on=filled(Time),
        idea=filled(Text),
        decision=one_of("adopted", "declined"),
        decided_on=optional(Time),
        credited_on=optional(Time),
        outcome=one_of("worked", "failed"),
        owned_on=optional(Time),
    ),
}
REQUIRED_TABLES = ("reps", "deals")

# The day on which a row came to be known; tables not named here describe rather than log.
DATED_BY = {
    "reps": "hired_on",
    "products": "launched_on",
    "deals": "created_on",
    "stage_changes": "entered_at",
    "close_date_changes": "changed_at",
    "activities": "booked_at",
    "quotas": "starts_on",
    "absences": "starts_on",
    "goals": "starts_on",
    "assessments": "assessed_on",
    "courses": "starts_on",
    "attendance": "completed_on",
    "onboarding": "due_on",
    "coaching": "held_on",
    "ideas": "raised_on",
}
# Values that became known later than their row: the date that tells when, and what came with it.
KNOWN_ON: dict[str, dict[str, tuple[str, ...]]] = {
    "reps": {"left_on": ()},
    "accounts": {"churned_on": ()},
    "products": {"changed_on": ()},
    "deals": {"closed_on": ("outcome", "lost_reason")},
    "activities": {"happens_at": ("outcome", "minutes", "note")},
    "onboarding": {"done_on": ("is_passed",)},
    "coaching": {"done_on": ()},
    "differentiators": {"reviewed_on": ()},
    "ideas": {"decided_on": ("decision", "outcome"), "credited_on": (), "owned_on": ()},
}
# Days that lie in the past of every export. Bookings, quotas, leave and due dates may lie ahead,
# and so may a coaching session: it is logged before the next export comes.
PAST = {
    "deals": ("created_on", "closed_on"),
    "stage_changes": ("entered_at",),
    "close_date_changes": ("changed_at",),
    "activities": ("booked_at",),
    "assessments": ("assessed_on",),
    "attendance": ("completed_on",),
    "onboarding": ("done_on",),
    "differentiators": ("reviewed_on",),
    "ideas": ("raised_on", "decided_on", "credited_on", "owned_on"),
}


def columns(table: str) -> dict[str, Any]:
    """The columns of a table in their documented order: name to pandera column."""
    return MODELS[table].columns


def references(table: str) -> dict[str, tuple[str, str]]:
    """The columns of a table that refer to another, each with that table and its key."""
    targets = {name: (each.metadata or {}).get("refers") for name, each in columns(table).items()}
    return {name: tuple(target.split(".")) for name, target in targets.items() if target}


def required(table: str) -> list[str]:
    """The names of the columns that every row of a table must fill."""
    return [name for name, column in columns(table).items() if not column.nullable]


def kind(column: Any) -> str:
    """What a column holds: ``text``, ``number``, ``time`` or ``flag``."""
    name = str(column.dtype).lower()
    kinds = {"str": "text", "float": "number", "datetime": "time", "bool": "flag"}
    return next(word for start, word in kinds.items() if name.startswith(start))


DTYPES = {"text": "str", "number": "float64", "time": "datetime64[us]", "flag": "boolean"}


def empty(table: str) -> pd.DataFrame:
    """A table without rows, with every column of the schema in its type."""
    return pd.DataFrame(
        {name: pd.Series(dtype=DTYPES[kind(column)]) for name, column in columns(table).items()}
    )
