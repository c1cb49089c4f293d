"""The kinds of companies a team sells to, and how often deals with each are won."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb import latent, mixed
from salesnb.companies import odds as kind_odds
from salesnb.companies import words
from salesnb.companies.customers import Customers, Scale, customers, scale
from salesnb.history import look_up
from salesnb.language import say
from salesnb.once import once
from salesnb.team import Team

MOST = 8  # kinds that are still told apart by a reader
FEWEST = 20  # customers below which no kinds are looked for
FEW_WON = 100  # won customers below which what is found is indicative
STABLE = 0.4  # adjusted Rand index of kinds found again in resampled customers, at the least
CHANCE = 0.07  # of kinds being called different in odds that are not
SURE = 0.5  # chance of one kind above which a company is said to be of it


@dataclass(frozen=True, eq=False)
class Segments:
    """Kinds of companies, best first, or none.

    customers, scale, mixture : the companies, how their traits are compared, the kinds
    belongs : (accounts, kinds) the chance that each account is of each kind
    kind : (accounts,) its likeliest kind, -1 where none is likely enough
    names : in plain words
    odds : the chances to win by kind, adjusted for who sold; by trait where there are no kinds
    table : a row per kind: n_won, n_lost, n_open, win_rate, win_low, win_high, value_amount,
        value_amount_low, value_amount_high, is_ideal, is_anti
    overall_rate : won of decided deals, over all kinds
    p : how often chance alone would make the kinds differ as much in odds; NaN without kinds
    stability : adjusted Rand index of the kinds found again in resampled customers
    why_none : why there are none, or empty
    """

    customers: Customers
    scale: Scale
    mixture: latent.Mixture
    belongs: np.ndarray
    kind: np.ndarray
    names: tuple[str, ...]
    odds: mixed.Chances
    table: pd.DataFrame
    overall_rate: float
    p: float
    stability: float
    why_none: str

    @property
    def ids(self) -> list[str]:
        """S1 is the best kind."""
        return [f"S{place + 1}" for place in range(len(self.names))]

    @property
    def segment(self) -> pd.Series:
        """The segment of each account, by account_id; blank where not enough is known."""
        index = self.customers.accounts.index
        return pd.Series(self.labels(self.kind), index=index, dtype="str", name="segment")

    def labels(self, kind: np.ndarray) -> np.ndarray:
        """The ids of kinds, blank for -1."""
        return np.array([*self.ids, None], dtype=object)[kind]

    def design(self, traits: latent.Traits) -> np.ndarray:
        """What `odds` looks at: the kinds a company may be of, or its traits themselves."""
        return self.mixture.posterior(traits) if self.names else traits.plain()

    def design_by(self, traits: latent.Traits, trait: int) -> np.ndarray:
        """The same, were one trait all that is known."""
        if self.names:
            return self.mixture.posterior_by(traits, trait)
        return traits.alone(trait).plain()

    @property
    def ideal(self) -> list[str]:
        """The ids of the ideal segments."""
        return [each for each, is_it in zip(self.ids, self.table["is_ideal"], strict=True) if is_it]

    @property
    def anti(self) -> list[str]:
        """The ids of the segments that are the opposite."""
        return [each for each, is_it in zip(self.ids, self.table["is_anti"], strict=True) if is_it]


@once
def segments(team: Team) -> Segments:
    """The kinds of companies of a team.

    Raises `DataError` where there are no accounts.
    """
    found = customers(team)
    sold = found.accounts[found.is_customer]
    ruler = scale(sold, found.numbers, found.words)
    mixture, steady = _kinds(ruler(sold))
    has_kinds, traits, deals = len(mixture.weight) > 1, ruler(found.accounts), with_place(found)
    decided, belongs = deals.dropna(subset="outcome"), mixture.posterior(traits)
    # One kind's chance follows from those of the others.
    p = kind_odds.p_within_reps(decided, belongs[decided["place"], 1:]) if has_kinds else np.nan
    odds = kind_odds.chances(decided, belongs if has_kinds else traits.plain())
    rows, overall = kind_odds.none(), np.nan
    if has_kinds:
        rows, overall = kind_odds.table(deals, belongs, odds, can_differ=p < CHANCE)
        best_first = np.argsort(-kind_odds.worth(rows), kind="stable")
        mixture, odds = mixture.in_order(best_first), odds.in_order(best_first)
        rows, belongs = rows.iloc[best_first].reset_index(drop=True), belongs[:, best_first]
    kind = likeliest(belongs)
    names = words.names(found, kind, len(mixture.weight)) if has_kinds else ()
    why = _why_none(found, len(mixture.weight), p, steady)
    return Segments(
        found, ruler, mixture, belongs, kind, names, odds, rows, overall, p, steady, why
    )


def likeliest(belongs: np.ndarray) -> np.ndarray:
    """The kind each company is most likely of, -1 where none is likely enough.

    One kind alone is none.
    """
    is_likely = (belongs.max(1, initial=0) >= SURE) & (belongs.shape[1] > 1)
    return np.where(is_likely, belongs.argmax(1), -1)


def _kinds(traits: latent.Traits) -> tuple[latent.Mixture, float]:
    """The kinds, one alone where there are none, and how stable they are."""
    is_enough = len(traits) >= FEWEST and traits.n_traits > 0
    k = latent.number_of_kinds(traits, MOST) if is_enough else 1
    mixture = latent.fit(traits, k)
    steady = latent.stability(traits, mixture) if k > 1 else np.nan
    return (latent.fit(traits, 1) if steady < STABLE else mixture), steady


def _why_none(found: Customers, k: int, p: float, steady: float) -> str:
    n, n_won = int(found.is_customer.sum()), int(found.has_bought.sum())
    if not found.traits:
        return say("no trait of the accounts is on record that is known before the sale")
    if n < FEWEST:
        return say("only {n} accounts have bought or turned down anything", n=n)
    if k == 1 and steady < STABLE:
        return say("kinds found in these accounts are not found again in a resample of them")
    if k == 1:
        return say("the traits of these accounts do not go together in kinds")
    if not p < CHANCE and n_won >= FEW_WON:
        return say(
            "the accounts fall into {n} kinds, but none is won more often than chance explains", n=k
        )
    return ""


def with_place(found: Customers) -> pd.DataFrame:
    """The deals of known companies, with the row of their company as `place`."""
    accounts = found.accounts.index
    place = look_up(found.deals["account_id"], pd.Series(range(len(accounts)), index=accounts))
    return found.deals.assign(place=place).dropna(subset="place").astype({"place": int})
