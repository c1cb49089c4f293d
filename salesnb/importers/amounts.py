"""Numbers as people write them: decimal comma or point, thousands, currencies, per cent."""

from collections.abc import Callable
from functools import cache

import pandas as pd
import pyarrow.compute as pc
from babel import Locale

from salesnb.checks import value_faults
from salesnb.errors import Fault
from salesnb.importers import values
from salesnb.importers.values import Values

# The symbols of these places are known; where two use the same one, both currencies may be meant.
LOCALES = ("en", "hu", "de", "fr", "es", "cs", "pl", "ro", "bg", "sv", "nb", "da", "de_CH")
SPACES = "[\u00a0\u2007\u2009\u202f]"
UNIT = r"[^\d\s.,'()+\-%][^\d\s,'()+\-%]{0,5}"
SHAPE = (
    rf"^(?P<open>\()?(?P<sign>[-+]?) ?(?P<before>{UNIT})? ?(?P<inner>[-+]?) ?"
    rf"(?P<digits>\d(?:[\d .,']*[\d.,])?|[.,]\d+) ?(?P<after>%|{UNIT})? ?"
    r"(?P<behind>-?)(?P<close>\))?$"
)
POWER = r"^[-+]?\d+(?:\.\d+)?[eE][-+]?\d{1,3}$"
# What can only be read with {mark} as the decimal mark; {other} is then none.
SURE = (
    r"^{mark}\d+$|^\d+{mark}\d{{0,2}}$|^\d+{mark}\d{{4,}}$|^\d{{4,}}{mark}\d+$|^0+{mark}\d+$"
    r"|{other}[\d{other}]*{mark}|[ '][\d ']*{mark}\d+$|\d{other}\d{{3}}{other}\d{{3}}"
)
EITHER = r"^[1-9]\d{0,2}[.,]\d{3}$"
# Thousands by one sign throughout; the last line is how India groups.
WHOLE = (
    r"^(?:\d+|\d{{1,3}}(?: \d{{3}})+|\d{{1,3}}(?:'\d{{3}})+|\d{{1,3}}(?:{other}\d{{3}})+"
    r"|\d{{1,2}}(?:{other}\d{{2}})+{other}\d{{3}})?(?:{mark}\d*)?$"
)
ASK = "--decimal , or --decimal . stated: nothing in the file tells what the mark is"
EXPECTED = "a number such as 1234.5, perhaps with a currency or a per cent sign"


def numbers(
    column: pd.Series, origin: str, decimal: str = "", others: Callable[[], str] = lambda: ""
) -> Values:
    """A column of text as numbers.

    The decimal mark is the one that some cell cannot do without (``1.5``, ``1 234,50``); where no
    cell tells, the one that `others` returns for the other columns of the file, else `decimal`.
    ``1,234`` is a fault where nothing tells. Per cent become shares (``45 %`` is 0.45) where every
    cell is in per cent. Amounts in more than one currency are faults.
    """
    plain = values.text(column, origin)
    name = str(column.name)
    parts = _parts(plain.values)
    mark, why = _decided(parts["digits"], decimal, others)
    faults = [*plain.faults]
    is_unsure = values.matches(parts["digits"], EITHER) if not mark else _none(column)
    faults += unsure(origin, plain.values[is_unsure], ASK)
    number = _number(parts, mark or ".")
    number, said, unit_faults = _units(plain.values, number.mask(is_unsure), parts, origin)
    faults += unit_faults
    is_wrong = plain.values.notna() & number.isna() & ~is_unsure
    reported = {row for fault in unit_faults for row in fault.rows}
    wrong = plain.values[is_wrong & ~plain.values.index.isin(reported)]
    also = f", with a decimal {_word(mark)} {why}" if why else ""
    faults += value_faults(origin, name, wrong, EXPECTED + also)
    said = [f"{name}: decimal {_word(mark)}, {why}"] * bool(why) + said
    return Values(number, tuple(said), tuple(faults), plain.mended)


def decimal_of(column: pd.Series) -> str:
    """The decimal mark that a column of text proves, or "" where it proves none.

    >>> decimal_of(pd.Series(["1.234,50", "1.234"])), decimal_of(pd.Series(["1.234"]))
    (',', '')
    """
    parts = _parts(values.text(column, "").values)
    is_number = parts["digits"].notna()
    known = column.notna()
    return _proved(parts["digits"])[0] if known.any() and is_number[known].mean() > 0.9 else ""


def unsure(origin: str, cells: pd.Series, expected: str) -> list[Fault]:
    """One fault for all cells that nothing decides."""
    if not len(cells):
        return []
    rows = tuple(int(row) for row in cells.index)
    return [Fault(origin, expected, str(cells.name), str(cells.iloc[0]), rows)]


def _word(mark: str) -> str:
    return "comma" if mark == "," else "point"


def _parts(text: pd.Series) -> dict[str, pd.Series]:
    """The pieces of each cell: signs, currency before and after, digits with their marks."""
    array = values.array(text)
    array = pc.replace_substring_regex(array, SPACES, " ")
    array = pc.replace_substring_regex(array, "[’`´]", "'")
    array = pc.replace_substring_regex(array, "^[−–]", "-")
    array = pc.replace_substring_regex(array, "[.,][-–—]+", "")  # 5,- is five without cents
    parts = values.pieces(array, text.index, SHAPE)
    # A power of ten is written with a point everywhere.
    is_power = values.matches(text, POWER)
    return {**parts, "power": text.where(is_power)}


def _decided(digits: pd.Series, decimal: str, others: Callable[[], str]) -> tuple[str, str]:
    """The decimal mark and why; both empty where nothing tells and nothing depends on it."""
    mark, example = _proved(digits)
    if mark:
        return mark, f"as {example!r} shows"
    if not values.matches(digits, EITHER).any():
        return ".", ""
    elsewhere = others()
    if elsewhere:
        return elsewhere, "as in other columns of the file"
    return decimal, "as stated" if decimal else ""


def _proved(digits: pd.Series) -> tuple[str, str]:
    """The mark that most cells prove, with an example."""
    best, example, most = "", "", 0
    for mark, other in ((",", r"\."), (r"\.", ",")):
        is_sure = values.matches(digits, SURE.format(mark=mark, other=other))
        n = int(is_sure.sum())
        if n > most:
            best, example, most = mark[-1], str(digits[is_sure].iloc[0]), n
    return best, example


def _number(parts: dict[str, pd.Series], mark: str) -> pd.Series:
    digits = parts["digits"]
    other = "," if mark == "." else "."
    digits = digits.where(
        values.matches(digits, WHOLE.format(mark=rf"\{mark}", other=rf"\{other}"))
    )
    array = pc.replace_substring_regex(values.array(digits), f"[ '{other}]", "")
    array = pc.replace_substring(array, mark, ".")
    bare = array.to_pandas().set_axis(digits.index).fillna(parts["power"])
    number = pd.to_numeric(bare, errors="coerce").astype("float64")
    signs = [parts[name] == "-" for name in ("sign", "inner", "behind")]
    brackets = parts["open"] == "("
    n_signs = sum(sign.astype(int) for sign in [*signs, brackets])
    is_whole = (brackets == (parts["close"] == ")")) & (n_signs < 2)
    number = number.where(is_whole | parts["power"].notna())
    number = number.where(number.abs() != float("inf"))
    return number.where(n_signs == 0, -number)


def _units(
    written: pd.Series, number: pd.Series, parts: dict[str, pd.Series], origin: str
) -> tuple[pd.Series, list[str], list[Fault]]:
    """Per cent as shares; the currency, which must be one."""
    name = str(written.name)
    is_percent = parts["after"] == "%"
    unit = parts["before"].fillna(parts["after"].mask(is_percent))
    said: list[str] = []
    faults: list[Fault] = []
    if is_percent.any():
        number = number.where(~is_percent, number / 100)
        is_bare = number.notna() & ~is_percent & (number != 0)
        expected = "a per cent sign, as in the other cells"
        faults += value_faults(origin, name, written[is_bare], expected)
        number = number.mask(is_bare)
        said.append(f"{name}: per cent read as shares, 45 % as 0.45")
    counts = unit.value_counts()
    if not len(counts):
        return number, said, faults
    codes, kept = _currency([str(each) for each in counts.index])
    strange = unit.notna() & ~unit.isin(kept)
    more = "in one currency" + (f", {codes} as in most cells" if codes else "")
    faults += value_faults(origin, name, written[strange], f"a number, {more}")
    if codes:
        said.append(f"{name}: amounts in {codes}")
    return number.mask(strange), said, faults


def _currency(units: list[str]) -> tuple[str, list[str]]:
    """The currency of the most frequent unit that is one, and the units that mean the same."""
    meant = [(unit, _codes().get(unit.casefold().rstrip("."), frozenset())) for unit in units]
    first = next((codes for _, codes in meant if codes), frozenset[str]())
    common = first
    kept = []
    for unit, codes in meant:
        if common & codes:
            common &= codes
            kept.append(unit)
    return " or ".join(sorted(common)), kept


@cache
def _codes() -> dict[str, frozenset[str]]:
    """Currencies by code and by symbol, folded."""
    found: dict[str, set[str]] = {}
    for place in LOCALES:
        for code, symbol in Locale.parse(place).currency_symbols.items():
            for unit in (code, symbol):
                found.setdefault(unit.casefold().rstrip("."), set()).add(code)
    for unit, code in {"us$": "USD", "eur.": "EUR", "euro": "EUR", "fr": "CHF"}.items():
        found[unit] = {code}
    return {unit: frozenset(codes) for unit, codes in found.items()}


def _none(column: pd.Series) -> pd.Series:
    return pd.Series(False, column.index)
