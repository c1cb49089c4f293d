"""Kinds of companies in plain words: the path to each in a small decision tree."""

import numpy as np
import pandas as pd

from salesnb.companies.customers import Customers
from salesnb.language import say, to_say
from salesnb.units import number, percent

LEAVES, SAID = 8, 3  # of the tree; traits said of a kind at most, if that tells it from others
# Traits of the schema, and others that many CRMs hold, by their columns.
NAMED = (
    *(to_say("industry"), to_say("country"), to_say("employees"), to_say("annual_revenue")),
    *(to_say("revenue_per_head"), to_say("founded"), to_say("founded_years_ago")),
    *(to_say("growth_rate"), to_say("remote_share"), to_say("crm_in_use")),
)
LEAST_LIFT, LEAST_SHARE = 1.5, 0.4  # of a word in a kind, for it to be said to be typical


def names(found: Customers, kind: np.ndarray, k: int) -> tuple[str, ...]:
    """A name for each kind: what a tree of eight leaves asks to find it.

    Parameters
    ----------
    kind : (accounts,) the kind of each account, -1 where it is not known
    """
    design = _design(found)
    tree = _tree(design, kind)
    called: list[str] = []
    for place in range(k):
        path, typical = _conditions(tree, design, found, place, kind), _typical(found, kind, place)
        words = list(dict.fromkeys([*typical[:1], *path, *typical[1:]]))
        longer = (", ".join(words[:n]) for n in range(SAID, len(words) + 1))
        shortest = ", ".join(words[:SAID]) or say("no trait in common")
        called.append(next((name for name in longer if name not in called), shortest))
    return tuple(called)


def _design(found: Customers) -> pd.DataFrame:
    """Numbers as recorded; a column per word, named (trait, word)."""
    columns: dict[tuple[str, str], np.ndarray] = {
        (name, ""): found.accounts[name].to_numpy(float) for name in found.numbers
    }
    for name in found.words:
        values = found.accounts[name]
        for word in sorted(values[found.is_customer].value_counts().head(12).index):
            columns[name, word] = np.where(values.isna(), np.nan, values == word)
    return pd.DataFrame(columns, index=found.accounts.index)


def _tree(design: pd.DataFrame, kind: np.ndarray):
    from sklearn.tree import DecisionTreeClassifier  # a second that others need not wait for

    known = kind >= 0
    leaf = max(5, int(0.01 * known.sum()))
    tree = DecisionTreeClassifier(max_leaf_nodes=LEAVES, min_samples_leaf=leaf, random_state=0)
    return tree.fit(design[known].to_numpy(np.float32), kind[known])


def _conditions(
    tree, design: pd.DataFrame, found: Customers, place: int, kind: np.ndarray
) -> list[str]:
    """The path to the leaf that holds most of a kind, in words."""
    inner, known = tree.tree_, kind >= 0
    at = tree.apply(design[known].to_numpy(np.float32))
    leaves, counts = np.unique(at[kind[known] == place], return_counts=True)
    if not len(leaves):
        return []
    leaf = leaves[counts.argmax()]
    if tree.classes_[inner.value[leaf][0].argmax()] != place:
        return []
    above = {child: (node, side) for node in range(inner.node_count) for side, child in
             (("below", inner.children_left[node]), ("above", inner.children_right[node]))
             if child >= 0}  # fmt: skip
    ranges: dict[str, list[float]] = {}
    words: dict[str, list[str]] = {}
    while leaf in above:
        leaf, side = above[leaf]
        name, word = design.columns[inner.feature[leaf]]
        if word:
            words.setdefault(name, []).append(word if side == "above" else f"not {word}")
        else:
            low_high = ranges.setdefault(name, [-np.inf, np.inf])
            edge, end = inner.threshold[leaf], 1 if side == "below" else 0
            low_high[end] = min(low_high[1], edge) if end else max(low_high[0], edge)
    said = [_words(name, of_it, found, kind == place) for name, of_it in words.items()]
    return [*filter(None, said), *(range_in_words(name, *ends) for name, ends in ranges.items())]


def _words(name: str, found_words: list[str], found: Customers, is_it: np.ndarray) -> str:
    """The word that is met, or the commonest of those that are left."""
    met = [word for word in found_words if not word.startswith("not ")]
    if not met:
        values = found.accounts.loc[is_it, name].dropna().value_counts()
        met = [str(values.index[0])] if len(values) and values.iloc[0] > 0.5 * values.sum() else []
    return in_words(name, met[0]) if met else ""


def in_words(name: str, word: str) -> str:
    """A word of a trait as one would say it: "Software", "CRM in use: modern"."""
    if name in ("industry", "country"):
        return word
    return f"{said(name)}: {say(word) if word in ('yes', 'no') else word}"


def said(name: str) -> str:
    """A trait's name as one would say it: ``"crm_in_use"`` is "CRM in use"."""
    if (known := say(name)) != name:
        return known
    words = name.replace("_", " ").removesuffix(" rate").removesuffix(" share")
    return " ".join(
        word.upper() if word in ("crm", "erp", "it") else word for word in words.split()
    )


def as_said(name: str, values: pd.Series) -> np.ndarray:
    """The values of a trait as one would say them: "160 employees", "CRM in use: modern"."""
    codes, levels = pd.factorize(values if values.dtype != float else _two_digits(values))
    texts = [
        _of(name, _written(name, level)) if isinstance(level, float) else in_words(name, level)
        for level in levels
    ]
    return np.array([*texts, ""], dtype=object)[codes]


def _two_digits(values: pd.Series) -> pd.Series:
    """Numbers as people say them: to two digits."""
    x = values.to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = 10.0 ** (np.floor(np.log10(np.abs(x))) - 1)
        found = np.where(x == 0, 0.0, np.round(x / unit) * unit)
    return pd.Series(found, index=values.index)


def _written(name: str, value: float) -> str:
    if name.endswith(("_share", "_rate")):
        return percent(value)
    digits = 0 if abs(value) >= 10 else 1
    return number(float(f"{value:.2g}"), digits)


def range_in_words(name: str, low: float, high: float) -> str:
    """A range of a number as one would say it: "82–510 employees"."""
    if np.isinf(low):
        return _of(name, say("up to {n}", n=_written(name, high)))
    if np.isinf(high):
        return _of(name, say("over {n}", n=_written(name, low)))
    return _of(name, f"{_written(name, low)}–{_written(name, high)}")


def _of(name: str, figure: str) -> str:
    if name.endswith("_years_ago"):
        trait = said(name.removesuffix("_years_ago"))
        return say("{trait} {n} years ago", trait=trait, n=figure)
    if name == "employees":
        return say("{n} employees", n=figure)
    return f"{said(name)} {figure}"


def _typical(found: Customers, kind: np.ndarray, place: int) -> list[str]:
    """The words that are met in a kind far more often than elsewhere, at most two."""
    is_it, lifts = kind == place, []
    for name in found.words:
        own = found.accounts.loc[is_it, name].value_counts(normalize=True).head(1)
        usual = found.accounts[name].value_counts(normalize=True).reindex(own.index)
        is_typical = (own > LEAST_SHARE) & (own > LEAST_LIFT * usual)
        lifts += [(own[w] / usual[w], in_words(name, str(w))) for w in own.index[is_typical]]
    return [words for _, words in sorted(lifts, reverse=True)[:2]]
