"""What a team says of itself in ``team.toml``: name, currency, the day of the export, stages."""

import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import pandas as pd
import tomlkit
from babel import Locale
from babel.numbers import is_currency, list_currencies

from salesnb.comp_plan import Plans
from salesnb.errors import Fault, nearest

FILE = "team.toml"
ZONES = available_timezones()
COUNTRIES = {
    code for code in map(str, Locale("en").territories) if len(code) == 2 and code.isalpha()
}


@dataclass(frozen=True)
class Settings:
    """The settings of a team.

    as_of : the day of the export; "now" for every finding
    currency : ISO 4217 code, the one currency of all amounts
    timezone : for showing; stored times are UTC
    fiscal_year_starts : month, 1-12
    stages : the open stages in order
    skills : stage to the skills it leans on
    country : ISO 3166 code, for public holidays; empty when not known
    is_dated : false where the days of deals are made up, so that nothing can be said of time
    plans : how the team is paid, as ``comp.toml`` beside it says
    """

    as_of: pd.Timestamp
    name: str = "Team"
    currency: str = "EUR"
    timezone: str = "UTC"
    fiscal_year_starts: int = 1
    stages: tuple[str, ...] = ()
    skills: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    country: str = ""
    is_dated: bool = True
    plans: Plans = field(default_factory=Plans)


KNOWN = tuple(item.name for item in fields(Settings) if item.name != "plans")


def read(place: Path) -> tuple[Settings | None, list[Fault]]:
    """The settings in a folder's ``team.toml`` or in a file, or None and what is wrong with it."""
    path = place / FILE if place.is_dir() else place
    if not path.exists():
        expected = f"this file in {path.parent}, at least with as_of = 2026-06-30"
        return None, [Fault(FILE, expected)]
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        return None, [_not_utf8(error)]
    except (tomllib.TOMLDecodeError, OSError) as error:
        return None, [Fault(FILE, "a TOML file in UTF-8", value=str(error))]
    faults = check(raw)
    return (None, faults) if faults else (of(raw), [])


def _not_utf8(error: UnicodeDecodeError) -> Fault:
    """The first line that is in another encoding."""
    number = error.object.count(b"\n", 0, error.start) + 1
    line = error.object.splitlines()[number - 1].decode("utf-8", errors="replace").strip()
    return Fault(FILE, "UTF-8 text: save it again as UTF-8", value=line[:80], rows=(number,))


def check(raw: Mapping[str, Any]) -> list[Fault]:
    """Every fault of the settings as read from TOML."""
    faults = [_unknown(name) for name in raw if name not in KNOWN]
    for name, (is_good, expected) in RULES.items():
        if name in raw and not is_good(raw[name]):
            found = str(raw[name])
            faults.append(
                Fault(FILE, expected, name, found, nearest=nearest(found, OF.get(name, ())))
            )
    if _is_words(raw.get("stages")):
        repeated = [stage for stage, n in Counter(raw["stages"]).items() if n > 1]
        faults += [Fault(FILE, "every stage once", "stages", stage) for stage in repeated]
    if "as_of" not in raw:
        faults.append(Fault(FILE, "the day of the export, such as as_of = 2026-06-30", "as_of"))
    if not faults:
        stages = raw.get("stages", [])
        faults += [
            Fault(FILE, "a stage named in stages", "skills", stage, nearest=nearest(stage, stages))
            for stage in raw.get("skills", {})
            if stage not in stages
        ]
    return faults


def _unknown(name: str) -> Fault:
    close = nearest(name, KNOWN)
    expected = "a known setting" if close else f"one of {', '.join(KNOWN)}"
    return Fault(FILE, expected, name, nearest=close)


def of(raw: Mapping[str, Any]) -> Settings:
    """Settings from checked values."""
    values = dict(raw)
    # The day as written: a time and a zone behind it would only move it.
    values["as_of"] = pd.Timestamp(values["as_of"].isoformat()[:10]).as_unit("us")
    values["stages"] = tuple(values.get("stages", ()))
    values["skills"] = {k: tuple(v) for k, v in values.get("skills", {}).items()}
    return Settings(**values)


def as_toml(settings: Settings) -> str:
    """The text of ``team.toml`` for these settings."""
    values = {name: getattr(settings, name) for name in ("name", "currency")}
    values |= {"as_of": settings.as_of.date(), "timezone": settings.timezone}
    values |= {"country": settings.country} if settings.country else {}
    values |= {} if settings.is_dated else {"is_dated": False}
    values["fiscal_year_starts"] = settings.fiscal_year_starts
    values["stages"] = list(settings.stages)
    values["skills"] = {stage: list(skills) for stage, skills in settings.skills.items()}
    return tomlkit.dumps(values)


def _is_words(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(v, str) and v for v in value)


def _is_skills(value: Any) -> bool:
    return isinstance(value, dict) and all(_is_words(v) for v in value.values())


def _is_day(value: Any) -> bool:
    return isinstance(value, date | datetime) and 1900 <= value.year <= 2100


RULES: dict[str, tuple[Any, str]] = {
    "as_of": (_is_day, "the day of the export without quotes, such as 2026-06-30"),
    "name": (lambda v: isinstance(v, str), "text in quotes"),
    "currency": (lambda v: isinstance(v, str) and is_currency(v), "an ISO 4217 code such as EUR"),
    "timezone": (
        lambda v: isinstance(v, str) and v in ZONES,
        "a zone such as Europe/Budapest",
    ),
    "fiscal_year_starts": (
        lambda v: type(v) is int and 1 <= v <= 12,
        "a month, 1 to 12",
    ),
    "stages": (_is_words, 'different stage names in order: ["Qualification", "Demo"]'),
    "skills": (_is_skills, 'lists of skills by stage: Demo = ["presenting"]'),
    "is_dated": (lambda v: isinstance(v, bool), "true or false"),
    "country": (
        lambda v: v == "" or v in COUNTRIES,
        "an ISO 3166 code of two capitals, such as HU",
    ),
}
# The names a misspelt value is compared with.
OF: dict[str, Any] = {"currency": list_currencies(), "timezone": ZONES}
