"""What is sold and to whom: products, and companies of six kinds."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from salesnb.simulation.clock import dates
from salesnb.simulation.people import People
from salesnb.simulation.plan import Plan
from salesnb.simulation.words import ids, pick, spelled, words

SEGMENT_MIX = np.array([0.5, 0.35, 0.15])
EMPLOYEES = np.log([5, 50, 500, 20000])  # where segments begin and end
DEALS_PER_ACCOUNT = 2.5


@dataclass(frozen=True)
class Accounts:
    """Companies as arrays: each stands in the book of one rep, `first[rep]` is where it begins."""

    rep: np.ndarray
    first: np.ndarray
    kind: np.ndarray
    segment: np.ndarray
    employees: np.ndarray


def products_table(plan: Plan) -> pd.DataFrame:
    """The table `products`: one is launched within the history, one was changed lately."""
    goods = words()["products"]
    launched = np.array([_launch_day(plan, good) for good in goods], float)
    changed = np.full(len(goods), np.nan)
    changed[1] = plan.n_days - 75
    frame = pd.DataFrame(goods)
    return pd.DataFrame(
        {
            "product_id": spelled(product_ids()),
            "name": frame["name"].astype("str"),
            "family": frame["family"].astype("str"),
            "list_price": frame["list_price"].astype(float),
            "margin_rate": frame["margin_rate"].astype(float),
            "role": frame["role"].astype("str"),
            "launched_on": dates(plan, launched),
            "changed_on": dates(plan, changed),
        }
    )


def product_ids() -> list[str]:
    """The ids of the products."""
    return ids("P", len(words()["products"]))


def launch_days(plan: Plan) -> np.ndarray:
    """The day each product came onto the market."""
    return np.array([_launch_day(plan, good) for good in words()["products"]], float)


def _names(plan: Plan, industry: np.ndarray, countries: list[str]) -> list[str]:
    """A name for every company, such as "Tisza Cargo Kft."; two may bear the same."""
    dice, text = plan.dice("account names"), words()["companies"]
    first = dice.choice(text["first_words"], len(industry))
    turn = dice.integers(0, 3, len(industry))
    second = np.array(text["second_words"])[industry, turn]
    forms = [text["forms"][country] for country in countries]
    return [" ".join(parts) for parts in zip(first, second, forms, strict=True)]


def _launch_day(plan: Plan, good: dict) -> float:
    """A negative `launched` counts days before the history, a fraction lies within it."""
    return good["launched"] if good["launched"] < 0 else np.floor(good["launched"] * plan.n_days)


def kinds(trait: str) -> np.ndarray:
    """A trait of the six kinds of companies, one row each."""
    return np.array([kind[trait] for kind in words()["companies"]["classes"].values()])


def kind_names() -> list[str]:
    """The names of the six kinds."""
    return list(words()["companies"]["classes"])


def accounts(plan: Plan, n_deals: np.ndarray) -> Accounts:
    """A book of companies for every rep, in the rep's own mix of segments."""
    dice = plan.dice("accounts")
    sizes = np.ceil(n_deals / DEALS_PER_ACCOUNT).astype(int) + 2
    rep = np.repeat(np.arange(plan.reps), sizes)
    mix = dice.dirichlet(9 * SEGMENT_MIX, plan.reps)
    segment = pick(dice, mix[rep])
    middle, spread = np.log(kinds("employees")[:, 0]), kinds("employees")[:, 1]
    below = ndtr((EMPLOYEES - middle[:, None]) / spread[:, None])
    kind = pick(dice, (kinds("share")[:, None] * np.diff(below)).T[segment])
    # Inverse of the log-normal cut to the segment.
    low, high = below[kind, segment], below[kind, segment + 1]
    z = ndtri(low + dice.random(len(rep)) * (high - low))
    employees = np.round(np.exp(middle[kind] + spread[kind] * z))
    return Accounts(rep, np.cumsum(sizes) - sizes, kind, segment, employees)


def accounts_table(
    plan: Plan, who: People, firms: Accounts, deal_account: np.ndarray, won_on: np.ndarray
) -> pd.DataFrame:
    """The table `accounts`; name, crm_in_use, remote_share and growth_rate are its own.

    `deal_account`, `won_on` : the won deals' companies, and the moments they were won.
    """
    dice, text = plan.dice("account traits"), words()
    n, kind = len(firms.kind), firms.kind
    industry = pick(dice, kinds("industries")[kind])
    age, per_head = kinds("age")[kind], kinds("revenue")[kind]
    years = np.exp(dice.normal(np.log(age[:, 0]), age[:, 1]))
    revenue = firms.employees * np.exp(dice.normal(np.log(per_head[:, 0]), per_head[:, 1]))
    remote, crm = kinds("remote")[kind], pick(dice, kinds("crm")[kind])
    growth = dice.normal(0.12 * kinds("odds")[kind] + 0.05, 0.06)
    code, countries = _countries(dice, who.region[firms.rep])
    churned, expansion = _after_sale(plan, firms, deal_account, won_on)
    table = pd.DataFrame(
        {
            "account_id": spelled(account_ids(firms)),
            "industry": spelled(text["companies"]["industries"], industry),
            "country": spelled(countries, code),
            "employees": firms.employees,
            "annual_revenue": np.round(revenue, -3),
            "founded_year": np.maximum(np.floor(plan.start.year - 1.0 - years), 1850),
            "churned_on": dates(plan, churned),
            "expansion_amount": expansion,
            "name": _names(plan, industry, [countries[each] for each in code]),
            "crm_in_use": spelled(text["market"]["crm"], crm),
            "remote_share": np.round(dice.beta(remote[:, 0], remote[:, 1]), 2),
            "growth_rate": np.round(growth, 3),
        }
    )
    # Nobody's records are complete.
    for column, share in {"annual_revenue": 0.12, "crm_in_use": 0.2, "growth_rate": 0.25}.items():
        table[column] = table[column].mask(dice.random(n) < share)
    return table


def account_ids(firms: Accounts) -> list[str]:
    """The ids of the companies."""
    return ids("A", len(firms.rep), 4)


def _after_sale(
    plan: Plan, firms: Accounts, account: np.ndarray, won_on: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """When customers left, and what those who stay bought on top; NaN where neither."""
    dice, n = plan.dice("after sale"), len(firms.rep)
    first = np.full(n, np.inf)
    np.minimum.at(first, account, won_on)
    churn, expansion = kinds("churn"), kinds("expansion")
    if plan.null:
        churn, expansion = np.full(6, churn.mean()), np.full(6, expansion.mean())
    left = np.floor(first + 120 + dice.exponential(180, n))
    has_left = (dice.random(n) < 2 * churn[firms.kind]) & (left < plan.n_days)
    is_known = (first + 90 < plan.n_days) & ~has_left
    grows = is_known & (dice.random(n) < expansion[firms.kind])
    more = np.round(np.exp(dice.normal(np.log(3500), 0.8, n)) * (1 + 2 * firms.segment), -2)
    return np.where(has_left, left, np.nan), np.where(grows, more, np.nan)


def _countries(dice: np.random.Generator, region: np.ndarray) -> tuple[np.ndarray, list[str]]:
    regions = list(words()["regions"].values())
    names = sorted({country for place in regions for country in place["countries"]})
    shares = np.array([[p["countries"].get(name, 0.0) for name in names] for p in regions])
    return pick(dice, shares[region]), names
