"""What reps write after a meeting, and whether they told what makes the product different."""

import numpy as np
import pandas as pd

from salesnb.simulation.clock import dates
from salesnb.simulation.market import product_ids
from salesnb.simulation.people import People
from salesnb.simulation.pipeline import Deals
from salesnb.simulation.plan import Plan
from salesnb.simulation.words import spelled, words
from salesnb.simulation.working import DEMO, HELD, MEETING

NOTED_SHARE = 0.75
LANGUAGES = ("en", "hu", "de")
TELLS = (0.75, 0.08)  # how often a claim is told by who tells it and by who does not
TELLER_SHARE = 0.6
STALE, FRESH = 560, (20, 150)  # days since a claim was reviewed


def differentiators_table(plan: Plan) -> pd.DataFrame:
    """The table `differentiators`: each claim in each language; one product has none.

    `language` and `wordings` (another way to say it, where the manager has listed one) are its own.
    """
    dice, claims = plan.dice("claims"), words()["claims"]
    goods = [good["name"] for good in words()["products"]]
    rows = []
    for claim, ago in zip(claims, dice.integers(*FRESH, len(claims)), strict=True):
        reviewed = plan.n_days - (STALE if claim.get("stale") else ago)
        for language in LANGUAGES:
            row = {"differentiator_id": f"{claim['id']}-{language}"}
            row["product_id"] = product_ids()[goods.index(claim["product"])]
            row["claim"] = claim[language][0]
            row |= {name: claim[name] for name in ("proof", "competitor", "owner")}
            row |= {"language": language}
            row["wordings"] = "" if claim.get("unlisted") else claim[language][-1]
            rows.append({**row, "day": float(reviewed)})
    table = pd.DataFrame(rows)
    table.insert(6, "reviewed_on", dates(plan, table.pop("day").to_numpy()))
    blank = ("proof", "competitor", "owner", "wordings")
    return table.replace("", pd.NA).astype(dict.fromkeys(blank, "str"))


def tell_rates(plan: Plan) -> np.ndarray:
    """How often each rep tells each claim of a product when it is the topic (reps x claims)."""
    dice, n = plan.dice("tellers"), len(words()["claims"])
    is_teller = dice.random((plan.reps, n)) < TELLER_SHARE
    return np.where(is_teller, *TELLS) * dice.uniform(0.8, 1.1, (plan.reps, n))


def notes(
    plan: Plan, who: People, deals: Deals, rows: pd.DataFrame
) -> tuple[pd.Series, pd.DataFrame]:
    """The note on each activity, and what was told: row (of `rows`), claim, language."""
    dice, claims = plan.dice("notes"), words()["claims"]
    is_met = rows["kind"].isin([MEETING, DEMO]) & (rows["outcome"] == HELD) & (rows["about"] >= 0)
    at = np.flatnonzero(is_met & (dice.random(len(rows)) < NOTED_SHARE))
    rep, deal = rows["rep"].to_numpy()[at], rows["about"].to_numpy()[at]
    speaks = np.array([LANGUAGES.index(p["language"]) for p in words()["regions"].values()])
    language = speaks[who.region[rep]]
    goods = [good["name"] for good in words()["products"]]
    about = np.array([goods.index(claim["product"]) for claim in claims])
    is_topic = deals.product[deal][:, None] == about
    is_told = is_topic & (dice.random(is_topic.shape) < tell_rates(plan)[rep])
    wording = dice.integers(0, len(claims[0]["en"]), is_told.shape)
    frame = dice.random((len(at), 2))
    text = [
        _note(LANGUAGES[language[i]], frame[i], np.flatnonzero(is_told[i]), wording[i])
        for i in range(len(at))
    ]
    note = np.full(len(rows), -1)
    note[at] = np.arange(len(at))
    row, claim = np.nonzero(is_told)
    told = pd.DataFrame({"row": at[row], "claim": claim, "language": language[row]})
    return spelled(text, note), told


def claim_ids(claim: np.ndarray, language: np.ndarray) -> pd.Series:
    """The differentiator_id of claims in languages."""
    pool = [f"{claim['id']}-{lang}" for claim in words()["claims"] for lang in LANGUAGES]
    return spelled(pool, claim * len(LANGUAGES) + language)


def _note(language: str, frame: np.ndarray, told: np.ndarray, wording: np.ndarray) -> str:
    """An opening, the claims told, a next step: in the rep's own words."""
    opening, closing = words()["notes"][language].values()
    said = [words()["claims"][claim][language][wording[claim]] for claim in told]
    first = opening[int(frame[0] * len(opening))]
    said = [line[0].upper() + line[1:] + "." for line in said]
    return " ".join([first, *said, closing[int(frame[1] * len(closing))]])
