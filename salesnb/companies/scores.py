"""How promising a company is before anything is known of the deal: the odds of its kind."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb.companies.segments import Segments, likeliest, segments
from salesnb.companies.words import as_said, said
from salesnb.language import say, to_say
from salesnb.latent import Traits
from salesnb.once import once
from salesnb.team import Team

MUCH, LITTLE = 1.2, 0.8  # times the odds of all, from which a company is an A, below which a C
ENOUGH = 0.5  # of the traits known, below which a company is not judged
ASKED, GIVEN = 3, 2  # questions that would tell; reasons given
PLAIN = 0.02  # difference in win rate below which a trait is no reason
ENDS = ("score", "score_low", "score_high")
UNKNOWN = to_say("not enough known")


@dataclass(frozen=True, eq=False)
class Scorer:
    """What a company's traits say of the odds to win it.

    found : the segments
    base_rate : of a company of which nothing is known
    worth_asking : traits, the one first that tells most of the odds
    """

    found: Segments
    base_rate: float
    worth_asking: tuple[str, ...]

    def score(self, accounts: pd.DataFrame) -> pd.DataFrame:
        """The score of companies by their traits (columns as in ``customers.accounts``).

        Returns
        -------
        DataFrame
            Indexed as `accounts`: segment, score, score_low, score_high, tier, reasons
        """
        found = self.found
        traits = found.scale(accounts)
        ends = zip(ENDS, found.odds.rates(found.design(traits)), strict=True)
        rates, kind = dict(ends), likeliest(found.mixture.posterior(traits))
        used = accounts.reindex(columns=list(found.customers.traits))
        is_known = (used.notna().mean(axis=1) >= ENOUGH).to_numpy()
        is_known = is_known & ((kind >= 0) | (not found.names))
        table = pd.DataFrame({"segment": found.labels(kind), **rates}, index=accounts.index)
        table["tier"] = self._tiers(rates["score"], is_known)
        table["reasons"] = self._reasons(traits, used, is_known)
        return table.astype({"segment": "str", "tier": "str", "reasons": "str"})

    def _tiers(self, score: np.ndarray, is_known: np.ndarray) -> np.ndarray:
        odds = score / (1 - score) / (self.base_rate / (1 - self.base_rate))
        return np.select([~is_known, odds >= MUCH, odds <= LITTLE], [UNKNOWN, "A", "C"], "B")

    def by_trait(self, traits: Traits, trait: int) -> np.ndarray:
        """How far one trait alone moves the win rate from that of all, for each row."""
        rate, _, _ = self.found.odds.rates(self.found.design_by(traits, trait))
        return rate - self.base_rate

    def _reasons(self, traits: Traits, used: pd.DataFrame, is_known: np.ndarray) -> np.ndarray:
        """What speaks for and against each company; what to ask where not enough is known."""
        names, every = self.found.customers.traits, np.arange(len(used))
        moves = np.zeros(used.shape)
        for trait, name in enumerate(names):
            moves[:, trait] = np.where(used[name].isna(), 0.0, self.by_trait(traits, trait))
        words = [as_said(name, used[name]) for name in names]
        text = np.full(len(used), "", dtype=object)
        for _ in range(min(GIVEN, len(names))):
            best = np.abs(moves).argmax(axis=1)
            move = moves[every, best]
            for trait, value in enumerate(words):
                rows = np.flatnonzero((best == trait) & (np.abs(move) >= PLAIN))
                sign = np.where(move[rows] > 0, "+ ", "− ").astype(object)
                text[rows] += np.where(text[rows] == "", "", "; ") + sign + value[rows]
            moves[every, best] = 0
        lacking = used[list(self.worth_asking)].isna().to_numpy()
        for row in np.flatnonzero(~is_known & lacking.any(axis=1)):
            ask = np.array(self.worth_asking)[lacking[row]][:ASKED]
            text[row] = say("ask: {traits}", traits=", ".join(map(said, ask)))
        return text


@once
def scorer(team: Team) -> Scorer:
    """What is learnt from a team's decided deals.

    Raises `DataError` where there are no accounts.
    """
    found = segments(team)
    n_columns = found.design(found.scale(found.customers.accounts.head(0))).shape[1]
    unknown = found.mixture.weight if found.names else np.zeros(n_columns)
    rate, _, _ = found.odds.rates(unknown[None, :])
    bare = Scorer(found, float(rate[0]), ())
    sold = found.customers.accounts[found.customers.is_customer]
    traits, names = found.scale(sold), found.customers.traits
    moves = [
        float(np.std(bare.by_trait(traits, i))) if len(sold) else 0.0 for i in range(len(names))
    ]
    by_move = np.argsort(-np.array(moves), kind="stable")
    return Scorer(found, bare.base_rate, tuple(names[i] for i in by_move))
