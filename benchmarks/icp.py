"""How well kinds of customers are found, and whether their odds rank deals, beside rivals.

    python benchmarks/icp.py            writes docs/icp_accuracy.md
    python benchmarks/icp.py --quick    a few teams, prints only
    python benchmarks/icp.py --scale    a million accounts, a hundred thousand customers

Simulated teams with six planted classes of companies. Agreement is the adjusted Rand index of the
segments with the classes, over customers. Lift is the win rate of the fifth of the deals ranked
first over that of all, of deals closed in the last half-year, the profile learnt from what was
known before. The oracle ranks by the true odds of the class. K-means works on the same traits,
blanks filled with the middle, words as columns of 0 and 1, and is told the true number of classes.
"""

import resource
import time
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
from pages import as_markdown, options, write
from sklearn.cluster import KMeans
from sklearn.ensemble import HistGradientBoostingClassifier

import salesnb
from salesnb import icp
from salesnb.companies import segments as kinds
from salesnb.companies.scores import scorer
from salesnb.latent import alike

SIZES = {43: (4, 70), 164: (8, 125), 683: (32, 130)}  # won customers: reps, deals a rep
TABLES = ("accounts", "products")
HALF_YEAR = pd.Timedelta(days=182)
TOP = 0.2


def simulated(seed: int, reps: int, deals: int, null: bool = False):
    """A team with its truth."""
    return salesnb.simulate(
        seed=seed, reps=reps, deals_per_rep=deals, null=null, tables=TABLES,
        coaching_effect=0, course_effect=0,
    )  # fmt: skip


def one_team(size: int, seed: int) -> dict[str, float]:
    """Agreement and lift on one team."""
    team, truth = simulated(seed, *SIZES[size])
    found = kinds.segments(team)
    sold = found.customers.is_customer
    classes = truth.classes.set_index("account_id")["company_class"]
    true = pd.factorize(classes.reindex(found.customers.accounts.index))[0]
    row = {
        "won": int(found.customers.has_bought.sum()),
        "kinds": len(found.names),
        "empty": float(bool(found.why_none)),
        "agreement": alike(found.kind[sold] + 1, true[sold]),
        "k-means": alike(_k_means(found, sold), true[sold]),
    }
    return row | _lifts(team, classes)


def _k_means(found: kinds.Segments, sold: np.ndarray) -> np.ndarray:
    plain = found.scale(found.customers.accounts[sold]).plain()
    return KMeans(6, n_init=10, random_state=0).fit_predict(plain)


def _lifts(team: salesnb.Team, classes: pd.Series) -> dict[str, float]:
    """Lift of each ranking on the deals of the last half-year."""
    day = team.as_of - HALF_YEAR
    then, deals = scorer(team.at(day)), team.deals
    ahead = deals[(deals["closed_on"] > day) & deals["outcome"].notna()]
    won = ahead["outcome"].eq("won").to_numpy(float)
    accounts = then.found.customers.accounts
    place = accounts.index.get_indexer(ahead["account_id"])
    rankings = {
        "lift": then.score(accounts)["score"].to_numpy()[place],
        "oracle": classes.reindex(ahead["account_id"]).map(true_rates()).to_numpy(),
        "trees": _by_trees(then.found)[place],
    }
    return {name: _lift(score, won) for name, score in rankings.items()}


@cache
def true_rates() -> pd.Series:
    """The win rate of each class, over some large teams that are not judged."""
    parts = []
    for seed in range(3):
        team, truth = simulated(seed, 40, 400)
        parts.append(team.deals.dropna(subset="outcome").merge(truth.classes, on="account_id"))
    decided = pd.concat(parts)
    return decided["outcome"].eq("won").groupby(decided["company_class"]).mean()


def _by_trees(found: kinds.Segments) -> np.ndarray:
    traits = found.scale(found.customers.accounts)
    deals = kinds.with_place(found.customers).dropna(subset="outcome")
    x = np.hstack([traits.numbers, np.where(traits.levels < 0, np.nan, traits.levels)])
    model = HistGradientBoostingClassifier(max_iter=60, learning_rate=0.08, random_state=0)
    model.fit(x[deals["place"]], deals["outcome"].eq("won"))
    return model.predict_proba(x)[:, 1]


def _lift(score: np.ndarray, won: np.ndarray) -> float:
    """Ties are in no order: each takes part by its share."""
    top = TOP * len(score)
    mean = pd.Series(won).groupby(score).transform("mean").to_numpy()
    taken = np.clip(top - np.arange(len(score)), 0, 1)
    return float((mean[np.argsort(-score, kind="stable")] * taken).sum()) / top / won.mean()


def nothing(size: int, seed: int) -> dict[str, float]:
    """A team whose traits go with nothing; and one whose kinds are won alike."""
    team, _ = simulated(seed, *SIZES[size], null=True)
    dice, accounts = np.random.default_rng(seed), team.accounts
    dealt = {
        name: dice.permutation(accounts[name].to_numpy())
        for name in accounts
        if name != "account_id"
    }
    bare = replace(team, tables={**team.tables, "accounts": accounts.assign(**dealt)})
    deals = team.deals
    decided = deals[deals["outcome"].notna()]
    again = decided.groupby("rep_id")["outcome"].transform(lambda o: dice.permutation(o.to_numpy()))
    deals["outcome"] = again.reindex(deals.index).astype("str")
    alike_ = replace(team, tables={**team.tables, "deals": deals})
    found = kinds.segments(alike_)
    return {
        "none where traits are noise": float(icp.segments(bare).table.empty),
        "none ideal where odds are alike": float(not (found.ideal or found.anti)),
    }


def scale() -> None:
    """A million accounts scored, of which a hundred thousand have bought or turned down."""
    team, _ = simulated(0, 40, 1000)
    accounts, deals = team.accounts, team.deals
    dice = np.random.default_rng(0)
    rows = dice.integers(0, len(accounts), 1_000_000)
    big = accounts.iloc[rows].reset_index(drop=True)
    big["account_id"] = np.char.add("A", np.arange(len(big)).astype(str))
    big["employees"] = np.round(big["employees"] * dice.lognormal(0, 0.1, len(big)) + 0.5)
    by_account = deals.dropna(subset="outcome").drop_duplicates("account_id")
    outcome = by_account.set_index("account_id")["outcome"]
    sold = np.flatnonzero(accounts["account_id"].isin(outcome.index).to_numpy()[rows])[:100_000]
    many = pd.DataFrame(
        {
            "deal_id": np.char.add("D", np.arange(len(sold)).astype(str)),
            "rep_id": dice.choice(team.reps["rep_id"], len(sold)),
            "account_id": big["account_id"].to_numpy()[sold],
            "outcome": outcome.reindex(accounts["account_id"].to_numpy()[rows[sold]]).to_numpy(),
            "amount": dice.lognormal(9, 1, len(sold)),
        }
    )
    first = deals["created_on"].min()
    many = many.assign(created_on=first, closed_on=team.as_of, product_id=None)
    many = many.reindex(columns=deals.columns).astype(deals.dtypes)
    tables = {"reps": team.reps, "accounts": big.astype(accounts.dtypes), "deals": many}
    large = salesnb.Team(team.settings, tables)
    started, cpu = time.perf_counter(), time.process_time()
    found = icp.segments(large)
    fitted = time.perf_counter()
    table = icp.scores(large).table
    ended = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{len(table):,} accounts scored, {len(many):,} customers fitted, {len(found.table)} "
        f"segments: {fitted - started:.0f} s + {ended - fitted:.0f} s on the clock, "
        f"{time.process_time() - cpu:.0f} s CPU, {peak:.1f} GiB at most"
    )


def main() -> None:
    """Run, print, and write the page unless quick."""
    asked = options(__doc__, seeds=20, flags=("quick", "scale"))
    if asked.scale:
        scale()
        return
    seeds = range(2000, 2000 + (3 if asked.quick else asked.seeds))
    lines = []
    for size in SIZES:
        found = pd.DataFrame([one_team(size, seed) | nothing(size, seed) for seed in seeds])
        mean = found.mean()
        mean["lift / oracle"] = mean["lift"] / mean["oracle"]
        lines.append(mean)
        print(mean.round(2).to_dict(), flush=True)
    table = pd.DataFrame(lines)
    if not asked.quick:
        write("icp_accuracy.md", PAGE.format(table=as_markdown(table, won=0), seeds=len(seeds)))


PAGE = """# How well ideal customers are found

Made by `python benchmarks/icp.py`: {seeds} simulated teams of each size with six planted classes of
companies whose odds and deal sizes differ.

- *won*: won customers; *kinds*: segments found; *empty*: teams for which the answer was that there
  are no segments.
- *agreement*: adjusted Rand index of segments and true classes over customers (1 is perfect);
  *k-means*: the same for k-means, told the true number.
- *lift*: win rate of the fifth of deals ranked first over that of all, on the last half-year,
  learnt from what was known before; *oracle*: the same, ranked by the true odds of the class;
  *trees*: by
  gradient boosting on the same traits.
- *none where traits are noise*: teams whose traits were dealt out at random, with no segments as
  the answer. *none ideal where odds are alike*: teams whose outcomes were dealt out anew among the
  deals of each rep, with no ideal segment and no opposite.

{table}

A million accounts scored and a hundred thousand customers fitted took 24 seconds of one core and
1.5 GiB at most: `python benchmarks/icp.py --scale`.
"""

if __name__ == "__main__":
    main()
