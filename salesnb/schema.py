"""The tables of a team as pandera models: types, keys, references, allowed values, order of dates.

One class is one table, one field is one column; a field that is not nullable is required. Names
tell the unit: ``_on`` is a day, ``_at`` a UTC timestamp, ``_rate`` and ``_share`` lie in 0-1,
amounts are in the team's one currency, skill scores run from 0 to 4.
"""

from typing import Any

import pandas as pd
import pandera.pandas as pa

Text = str
Number = float
Time = pa.DateTime
Flag = pd.BooleanDtype


def key() -> Any:
    """The column that names a row: required and unique."""
    return pa.Field(unique=True)


def refers(column: str, nullable: bool = False) -> Any:
    """A column that names a row of another table: ``refers("reps.rep_id")``."""
    return pa.Field(nullable=nullable, metadata={"refers": column})


def optional(**checks: Any) -> Any:
    """A column that may be missing or blank."""
    return pa.Field(nullable=True, **checks)


def one_of(*values: str, nullable: bool = True) -> Any:
    """A column that holds one of these words."""
    return pa.Field(nullable=nullable, isin=list(values))


def in_order(first: str, then: str) -> Any:
    """A check that `then` is not before `first`; blanks pass."""

    def check(cls: type, table: pd.DataFrame) -> pd.Series:
        return ~(table[then] < table[first])

    return pa.dataframe_check(check, name=f"{then} >= {first}")


class Reps(pa.DataFrameModel):
    rep_id: Text = key()
    name: Text
    hired_on: Time = optional()
    left_on: Time = optional()
    role: Text = optional()
    region: Text = optional()
    was_peer: Flag = optional()
    _order = in_order("hired_on", "left_on")


class Accounts(pa.DataFrameModel):
    account_id: Text = key()
    industry: Text = optional()
    country: Text = optional()
    employees: Number = optional(ge=0)
    annual_revenue: Number = optional()
    founded_year: Number = optional(ge=1000, le=2100)
    churned_on: Time = optional()
    expansion_amount: Number = optional()


class Products(pa.DataFrameModel):
    product_id: Text = key()
    name: Text
    family: Text = optional()
    list_price: Number = optional(ge=0)
    margin_rate: Number = optional(le=1)
    role: Text = one_of("push", "core", "minor", "loss_leader")
    launched_on: Time = optional()
    changed_on: Time = optional()
    _order = in_order("launched_on", "changed_on")


class Deals(pa.DataFrameModel):
    deal_id: Text = key()
    rep_id: Text = refers("reps.rep_id")
    account_id: Text = refers("accounts.account_id", nullable=True)
    product_id: Text = refers("products.product_id", nullable=True)
    source: Text = optional()
    segment: Text = optional()
    competitor: Text = optional()
    created_on: Time
    amount: Number = optional(ge=0)
    expected_close_on: Time = optional()
    closed_on: Time = optional()
    outcome: Text = one_of("won", "lost")
    lost_reason: Text = optional()
    _order = in_order("created_on", "closed_on")


class DealLines(pa.DataFrameModel):
    deal_id: Text = refers("deals.deal_id")
    product_id: Text = refers("products.product_id")
    quantity: Number = optional()
    list_amount: Number = optional()
    net_amount: Number = optional()


class StageChanges(pa.DataFrameModel):
    deal_id: Text = refers("deals.deal_id")
    stage: Text
    entered_at: Time
    rep_id: Text = refers("reps.rep_id", nullable=True)

    class Config:
        unique = ["deal_id", "stage", "entered_at"]


class CloseDateChanges(pa.DataFrameModel):
    deal_id: Text = refers("deals.deal_id")
    changed_at: Time
    expected_close_on: Time


class Activities(pa.DataFrameModel):
    activity_id: Text = key()
    rep_id: Text = refers("reps.rep_id")
    kind: Text = one_of("call", "email", "meeting", "demo", "proposal", nullable=False)
    booked_at: Time = optional()
    happens_at: Time
    outcome: Text = one_of("held", "no_show", "cancelled", "rescheduled", "connected", "no_answer")
    deal_id: Text = refers("deals.deal_id", nullable=True)
    account_id: Text = refers("accounts.account_id", nullable=True)
    minutes: Number = optional(ge=0)
    note: Text = optional()


class Quotas(pa.DataFrameModel):
    rep_id: Text = refers("reps.rep_id")
    starts_on: Time
    ends_on: Time
    amount: Number = pa.Field(ge=0)
    _order = in_order("starts_on", "ends_on")

    class Config:
        unique = ["rep_id", "starts_on", "ends_on"]


class Absences(pa.DataFrameModel):
    rep_id: Text = refers("reps.rep_id")
    starts_on: Time
    ends_on: Time
    _order = in_order("starts_on", "ends_on")


class Goals(pa.DataFrameModel):
    product_id: Text = refers("products.product_id")
    starts_on: Time
    ends_on: Time
    amount: Number = pa.Field(ge=0)
    _order = in_order("starts_on", "ends_on")


class Assessments(pa.DataFrameModel):
    rep_id: Text = refers("reps.rep_id")
    skill: Text
    assessed_on: Time
    score: Number = pa.Field(ge=0, le=4)
    assessor: Text = one_of("self", "manager", "certification")


class Courses(pa.DataFrameModel):
    course_id: Text = key()
    title: Text
    skill: Text
    kind: Text = one_of("product", "system", "skill")
    product_id: Text = refers("products.product_id", nullable=True)
    hours: Number = pa.Field(ge=0)
    price: Number = optional(ge=0)
    seats: Number = optional(ge=0)
    starts_on: Time = optional()
    lift: Number = optional(ge=-4, le=4)


class Attendance(pa.DataFrameModel):
    rep_id: Text = refers("reps.rep_id")
    course_id: Text = refers("courses.course_id")
    completed_on: Time
    score: Number = optional()


class Onboarding(pa.DataFrameModel):
    rep_id: Text = refers("reps.rep_id")
    task: Text
    kind: Text = one_of("product", "phone", "crm", "tool", "skill", nullable=False)
    due_on: Time
    done_on: Time = optional()
    is_passed: Flag = optional()


class Coaching(pa.DataFrameModel):
    session_id: Text = key()
    rep_id: Text = refers("reps.rep_id")
    held_on: Time
    kind: Text = one_of("one_on_one", "ride_along", "call_review", "programme", nullable=False)
    minutes: Number = optional(ge=0)
    topic: Text = optional()
    strength: Text = optional()
    question: Text = optional()
    commitment: Text = optional()
    due_on: Time = optional()
    done_on: Time = optional()
    reason: Text = one_of("own", "external", "unclear")
    _due = in_order("held_on", "due_on")
    _done = in_order("held_on", "done_on")


class Differentiators(pa.DataFrameModel):
    differentiator_id: Text = key()
    product_id: Text = refers("products.product_id")
    claim: Text
    proof: Text = optional()
    competitor: Text = optional()
    owner: Text = optional()
    reviewed_on: Time = optional()


class Ideas(pa.DataFrameModel):
    idea_id: Text = key()
    rep_id: Text = refers("reps.rep_id")
    raised_on: Time
    idea: Text
    decision: Text = one_of("adopted", "declined")
    decided_on: Time = optional()
    credited_on: Time = optional()
    outcome: Text = one_of("worked", "failed")
    owned_on: Time = optional()
    _decided = in_order("raised_on", "decided_on")
    _credited = in_order("raised_on", "credited_on")
    _owned = in_order("raised_on", "owned_on")


MODELS: dict[str, type[pa.DataFrameModel]] = {
    "reps": Reps,
    "accounts": Accounts,
    "products": Products,
    "deals": Deals,
    "deal_lines": DealLines,
    "stage_changes": StageChanges,
    "close_date_changes": CloseDateChanges,
    "activities": Activities,
    "quotas": Quotas,
    "absences": Absences,
    "goals": Goals,
    "assessments": Assessments,
    "courses": Courses,
    "attendance": Attendance,
    "onboarding": Onboarding,
    "coaching": Coaching,
    "differentiators": Differentiators,
    "ideas": Ideas,
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
    return MODELS[table].to_schema().columns


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
