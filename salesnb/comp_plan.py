"""What ``comp.toml`` says of how the team is paid: plans, from when to when, and who shares."""

import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import tomlkit

from salesnb.errors import Fault, nearest, unknown
from salesnb.language import to_say

FILE = "comp.toml"
ROLES = (to_say("push"), to_say("core"), to_say("minor"), to_say("loss_leader"))
ROUNDINGS = {"half_even": ROUND_HALF_EVEN, "half_up": ROUND_HALF_UP}
BASES = ("net", "margin")
FIRST, LAST = pd.Timestamp("1900-01-01"), pd.Timestamp("2100-12-31")
NOTHING, WHOLE = Decimal(0), Decimal(1)


@dataclass(frozen=True)
class Plan:
    """One compensation plan; amounts are in the team's currency, rates 0-1.

    starts_on, ends_on : the days on which it is in force, both within
    rate : of what is sold, where neither the product nor its role has one; None pays nothing
    role_rates, product_rates : of products by role, and by id; the product's comes first
    basis : what rates are taken of, the ``net`` amount of a line or its ``margin``
    bands : attainment from which on rates are multiplied, and by what; in order
    base_amount : a month; bonus_amount : a period whose quota is attained by `bonus_from`
    cap_amount : most commission of a period, None for no cap
    clawback_days : a customer who leaves within these costs what the deal had paid
    opener_share : of a deal's credit to whoever owned it first, where another closed it
    rounding : of every line to the smallest coin, ``half_even`` or ``half_up``
    """

    name: str
    starts_on: pd.Timestamp = FIRST
    ends_on: pd.Timestamp = LAST
    rate: Decimal | None = None
    role_rates: Mapping[str, Decimal] = field(default_factory=dict)
    product_rates: Mapping[str, Decimal] = field(default_factory=dict)
    basis: str = "net"
    bands: tuple[tuple[Decimal, Decimal], ...] = ()
    base_amount: Decimal = NOTHING
    bonus_amount: Decimal = NOTHING
    bonus_from: Decimal = WHOLE
    cap_amount: Decimal | None = None
    clawback_days: int = 0
    opener_share: Decimal = NOTHING
    rounding: str = "half_even"

    @property
    def measures(self) -> tuple[str, ...]:
        """What a rep's pay hangs on under this plan, base pay aside."""
        rates = {self.rate or 0, *self.role_rates.values(), *self.product_rates.values()}
        parts = {
            to_say("amount sold") if self.basis == "net" else to_say("margin sold"): any(rates),
            to_say("which product"): len(rates - {self.rate or 0}) > 0 and any(rates),
            to_say("quota attainment"): bool(self.bands) or self.bonus_amount > 0,
            to_say("customers kept"): self.clawback_days > 0,
        }
        return tuple(name for name, is_used in parts.items() if is_used)


@dataclass(frozen=True)
class Plans:
    """The plans of a team in order of time; `splits` are the shares of reps in single deals."""

    plans: tuple[Plan, ...] = ()
    splits: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.plans)

    def __iter__(self) -> Iterator[Plan]:
        return iter(self.plans)

    def named(self, name: str) -> Plan:
        """The plan of that name; `DataError` with the nearest one otherwise."""
        found = next((plan for plan in self if plan.name == name), None)
        if found is None:
            raise unknown("plan", name, [plan.name for plan in self])
        return found


def read(place: Path) -> tuple[Plans, list[Fault]]:
    """The plans in ``comp.toml`` of a folder or beside a file, and what is wrong with it.

    None without that file.
    """
    path = (place if place.is_dir() else place.parent) / FILE
    if not path.exists():
        return Plans(), []
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"), parse_float=Decimal)
    except UnicodeDecodeError:
        return Plans(), [Fault(FILE, "UTF-8 text: save it again as UTF-8")]
    except (tomllib.TOMLDecodeError, ArithmeticError, OSError) as error:
        return Plans(), [Fault(FILE, "a TOML file in UTF-8", value=str(error))]
    faults = check(raw)
    return (Plans(), faults) if faults else (of(raw), [])


def of(raw: Mapping[str, Any]) -> Plans:
    """Plans from checked values."""
    made = sorted((_plan(each) for each in raw.get("plan", ())), key=lambda plan: plan.starts_on)
    splits = {str(deal): _numbers(shares) for deal, shares in raw.get("splits", {}).items()}
    return Plans(tuple(made), splits)


def _plan(raw: Mapping[str, Any]) -> Plan:
    values = dict(raw)
    for name, value in raw.items():
        if name in ("role_rates", "product_rates"):
            values[name] = _numbers(value)
        elif name == "bands":
            values[name] = tuple((Decimal(b["from"]), Decimal(b["times"])) for b in value)
        elif name in ("starts_on", "ends_on"):
            values[name] = pd.Timestamp(value.isoformat()[:10]).as_unit("us")
        elif name != "clawback_days" and not isinstance(value, str):
            values[name] = Decimal(value)
    return Plan(**values)


def _numbers(raw: Mapping[str, Any]) -> dict[str, Decimal]:
    return {str(name): Decimal(value) for name, value in raw.items()}


# What may stand in a plan: whether a value will do, what is expected, what it means.
Rule = tuple[Callable[[Any], bool], str, str]


def _number(value: Any, low: float = 0, high: float = float("inf")) -> bool:
    is_one = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return is_one and Decimal(value).is_finite() and low <= value <= high


def _day(value: Any) -> bool:
    return isinstance(value, date | datetime) and 1900 <= value.year <= 2100


def _rate(value: Any) -> bool:
    return _number(value, 0, 1)


def _rates(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_rate, value.values()))


def _bands(value: Any) -> bool:
    if not isinstance(value, list) or not all(isinstance(band, dict) for band in value):
        return False
    is_each = all(set(band) == {"from", "times"} and _number(band["times"]) for band in value)
    if not is_each or not all(_number(band["from"]) for band in value):
        return False
    starts = [band["from"] for band in value]
    return starts == sorted(set(starts))


AMOUNT, SHARE = "an amount from 0", "a number from 0 to 1, such as 0.05"
DAY = "a day without quotes, such as 2026-07-01"
RULES: dict[str, Rule] = {
    "name": (lambda v: isinstance(v, str) and bool(v.strip()), "a name in quotes", ""),
    "starts_on": (_day, DAY, "first day in force"),
    "ends_on": (_day, DAY, "last day in force"),
    "basis": (lambda v: v in BASES, "net or margin", "rates are of the net amount or its margin"),
    "rate": (_rate, SHARE, "for products without a rate of their own"),
    "role_rates": (_rates, f"{SHARE}, for each role", "by role of the product"),
    "product_rates": (_rates, f"{SHARE}, for each product", "by product_id; comes before the role"),
    "bands": (
        _bands,
        "bands in order, such as [{ from = 0, times = 0.8 }, { from = 1, times = 1.5 }]",
        "from this attainment of the quota on, rates are multiplied",
    ),
    "base_amount": (_number, AMOUNT, "a month"),
    "bonus_amount": (_number, AMOUNT, "for a quota period that reaches bonus_from"),
    "bonus_from": (_number, "an attainment, such as 1.0", "attainment of the quota"),
    "cap_amount": (_number, AMOUNT, "most commission of a quota period"),
    "clawback_days": (
        lambda v: type(v) is int and v >= 0,
        "a number of days",
        "a customer lost so soon costs the commission",
    ),
    "opener_share": (_rate, SHARE, "of a deal that changed hands, to its first owner"),
    "rounding": (lambda v: v in ROUNDINGS, "half_even or half_up", "of every line, to the cent"),
}
OF: dict[str, Any] = {"basis": BASES, "rounding": tuple(ROUNDINGS)}


def check(raw: Mapping[str, Any]) -> list[Fault]:
    """Every fault of ``comp.toml`` that shows without the tables."""
    faults = [
        Fault(FILE, "plan or splits", name, nearest=nearest(name, ("plan", "splits")))
        for name in raw
        if name not in ("plan", "splits")
    ]
    plans = raw.get("plan", [])
    if not isinstance(plans, list) or not all(isinstance(each, dict) for each in plans):
        return [*faults, Fault(FILE, "a heading [[plan]] above each plan", "plan")]
    for number, each in enumerate(plans, 1):
        faults += _plan_faults(each, f"plan {each.get('name', number)}")
    faults += _split_faults(raw.get("splits", {}))
    return faults or _between(of(raw))


def _plan_faults(raw: Mapping[str, Any], place: str) -> Iterator[Fault]:
    if "name" not in raw:
        yield Fault(FILE, "a name in quotes", f"{place}, name")
    for name, value in raw.items():
        where = f"{place}, {name}"
        if name not in RULES:
            yield Fault(FILE, "a rule of a plan", where, nearest=nearest(name, RULES))
            continue
        is_good, expected, _ = RULES[name]
        if not is_good(value):
            found = str(value)
            yield Fault(FILE, expected, where, found[:80], nearest=nearest(found, OF.get(name, ())))
        elif name == "role_rates":
            for role in set(value) - set(ROLES):
                known = f"one of {', '.join(ROLES)}"
                yield Fault(FILE, known, where, role, nearest=nearest(role, ROLES))
    days = [raw.get(name) for name in ("starts_on", "ends_on")]
    if all(map(_day, days)) and str(days[1])[:10] < str(days[0])[:10]:
        yield Fault(FILE, "a day not before starts_on", f"{place}, ends_on", str(days[1]))


def _split_faults(splits: Any) -> Iterator[Fault]:
    if not isinstance(splits, dict):
        yield Fault(FILE, "shares by deal: D1 = { R1 = 0.6, R2 = 0.4 }", "splits", str(splits)[:80])
        return
    for deal, shares in splits.items():
        if not _rates(shares) or sum(map(Decimal, shares.values())) != 1:
            said = "shares of reps that add up to 1, such as { R1 = 0.6, R2 = 0.4 }"
            yield Fault(FILE, said, f"splits, {deal}", str(shares)[:80])


def _between(plans: Plans) -> list[Fault]:
    """Faults of plans side by side: a name twice, two in force on the same day."""
    names = Counter(plan.name for plan in plans)
    faults = [Fault(FILE, "every name once", "plan", name) for name, n in names.items() if n > 1]
    for one, other in zip(plans.plans, plans.plans[1:], strict=False):
        if other.starts_on <= one.ends_on:
            both = f"{one.name} and {other.name}"
            faults.append(Fault(FILE, "one plan in force on each day", "plan", both))
    return faults


def names(plans: Plans) -> list[tuple[str, str, str, Iterable[str]]]:
    """What plans name: the table, its key, the place in ``comp.toml``, the ids."""
    named: list[tuple[str, str, str, Iterable[str]]] = [
        ("products", "product_id", f"plan {p.name}", p.product_rates) for p in plans
    ]
    named.append(("deals", "deal_id", "splits", plans.splits))
    named += [("reps", "rep_id", f"splits, {deal}", by) for deal, by in plans.splits.items()]
    return named


def name_faults(plans: Plans, tables: Mapping[str, pd.DataFrame]) -> list[Fault]:
    """Products, deals and reps that the plans name and the tables do not have."""
    faults = []
    for table, column, place, words in names(plans):
        known = set(tables[table][column]) if table in tables else set()
        faults += [
            Fault(FILE, f"a {column} of {table}", place, word, nearest=nearest(word, known))
            for word in words
            if word not in known
        ]
    return faults


def as_toml(plans: Plans) -> str:
    """The text of ``comp.toml`` for these plans, each rule with what it means."""
    lines = [
        "# How the team is paid, one [[plan]] after the other; amounts in the team's currency."
    ]
    for plan in plans:
        lines += ["", "[[plan]]"]
        for name, (_, _, meaning) in RULES.items():
            value = getattr(plan, name)
            if value == getattr(Plan, name, None) or value in ({}, FIRST, LAST):
                continue
            lines.append(f"{name} = {_written(value)}" + (f"  # {meaning}" if meaning else ""))
    if plans.splits:
        lines += ["", "[splits]  # who shares in a deal"]
        lines += [f"{_key(deal)} = {_written(by)}" for deal, by in plans.splits.items()]
    return "\n".join(lines) + "\n"


def _written(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, pd.Timestamp):
        return str(value.date())
    if isinstance(value, tuple):
        bands = [f"{{ from = {_written(at)}, times = {_written(x)} }}" for at, x in value]
        return f"[{', '.join(bands)}]"
    if isinstance(value, Mapping):
        pairs = [f"{_key(name)} = {_written(each)}" for name, each in value.items()]
        return "{ " + ", ".join(pairs) + " }"
    return tomlkit.item(value).as_string()


def _key(name: str) -> str:
    return tomlkit.key(name).as_string()
