"""Pay: every line by hand and to the cent; plans compared, checked and designed."""

import tomllib
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

import salesnb
from salesnb import DataError, comp, comp_plan, explore, pay, sold, stats
from salesnb.comp_plan import Plan, Plans
from salesnb.settings import Settings
from salesnb.team import of

AS_OF = pd.Timestamp("2026-06-30")
REPS = pd.DataFrame({"rep_id": ["R1", "R2"], "name": ["Ágnes Kiss", "Bob Braun"]})
PRODUCTS = pd.DataFrame(
    {
        "product_id": ["P1", "P2", "P3"],
        "name": ["Basic", "Pro", "Trial"],
        "role": ["core", "push", "loss_leader"],
        "margin_rate": [0.5, 0.8, -0.1],
    }
)
Q2 = ("R1", "2026-04-01", "2026-06-30", 1000.0)


def plan_of(text, splits="") -> Plans:
    """Plans from the text of comp.toml."""
    raw = tomllib.loads(f"{text}\n{splits}", parse_float=Decimal)
    assert comp_plan.check(raw) == []
    return comp_plan.of(raw)


def one(rules, splits="") -> Plans:
    return plan_of(f'[[plan]]\nname = "P"\n{rules}', splits)


def team_of(deals, plans, quotas=(Q2,), lines=(), **tables):
    """Won deals (id, rep, day of the close, product, amount) of a team with these plans."""
    made = pd.DataFrame(deals, columns=["deal_id", "rep_id", "closed_on", "product_id", "amount"])
    made = made.assign(created_on="2026-01-01", outcome="won", account_id="A" + made["deal_id"])
    accounts = pd.DataFrame({"account_id": made["account_id"].unique()})
    quotas = pd.DataFrame(quotas, columns=["rep_id", "starts_on", "ends_on", "amount"])
    lines = pd.DataFrame(lines, columns=["deal_id", "product_id", "net_amount"])
    tables = {"reps": REPS, "accounts": accounts, "products": PRODUCTS, "deals": made} | tables
    tables |= {"quotas": quotas} if len(quotas) else {}
    tables |= {"deal_lines": lines} if len(lines) else {}
    return of(Settings(as_of=AS_OF, plans=plans), tables)


def lines_of(team, rep="R1", **options):
    """Rule and amount of each line, in cents, the total last."""
    table = comp.payout(team, rep, **options).table
    cents = (table["paid_amount"] * 100).round().astype(int)
    assert cents.iloc[:-1].sum() == cents.iloc[-1]
    return list(zip(table["rule"], cents, strict=True))


# Lines of pay, by hand


def test_a_band_is_crossed_within_a_deal():
    """Quota 1000: 900 at 5 %, then 300 of which 100 below and 200 above it, at 5 and 7.5 %."""
    plans = one("rate = 0.05\nbands = [{ from = 0, times = 1 }, { from = 1, times = 1.5 }]")
    deals = [("D1", "R1", "2026-04-10", "P1", 900), ("D2", "R1", "2026-05-10", "P1", 300)]
    found = lines_of(team_of(deals, plans))
    assert found == [
        ("commission", 4500),
        ("commission", 500),
        ("commission", 1500),
        ("total", 6500),
    ]


def test_a_deal_with_two_lines_is_cut_at_the_same_place():
    """D2 of 300 crosses after a third: 33.33 + 66.67 of each line of 100 and 200."""
    plans = one("rate = 0.1\nbands = [{ from = 1, times = 2 }]")
    deals = [("D1", "R1", "2026-04-10", "P1", 900), ("D2", "R1", "2026-05-10", "P1", 300)]
    lines = [("D2", "P1", 100.0), ("D2", "P2", 200.0)]
    found = comp.payout(team_of(deals, plans, lines=lines), "R1").table
    assert found["base_amount"].iloc[1:-1].round(2).tolist() == [33.33, 66.67, 66.67, 133.33]
    assert found["pay_rate"].iloc[1:-1].round(4).tolist() == [0.1, 0.1, 0.2, 0.2]
    assert found["paid_amount"].iloc[-1] == pytest.approx(90 + 3.33 + 6.67 + 13.33 + 26.67)


def test_below_the_first_band_the_rate_stands_and_a_decelerator_pays_less():
    plans = one("rate = 0.1\nbands = [{ from = 0, times = 0.5 }, { from = 0.5, times = 1 }]")
    found = lines_of(team_of([("D1", "R1", "2026-04-10", "P1", 600)], plans))
    assert found == [("commission", 2500), ("commission", 1000), ("total", 3500)]


def test_the_cap_takes_off_what_is_beyond_it_and_a_negative_sale_beyond_it_costs_nothing():
    """10 % of 800, 400 and -300 under a cap of 100: 80 + 40 - 20, then 120 - 30 = 90 < 100."""
    plans = one("rate = 0.1\ncap_amount = 100")
    deals = [("D1", "R1", "2026-04-10", "P1", 800), ("D2", "R1", "2026-05-10", "P1", 400)]
    deals.append(("D3", "R1", "2026-06-10", "P1", 0))
    lines = [("D3", "P1", -300.0)]
    found = lines_of(team_of(deals, plans, lines=lines))
    assert found == [
        ("commission", 8000),
        ("commission", 4000),
        ("cap", -2000),
        ("commission", -3000),
        ("cap", 2000),
        ("total", 9000),
    ]


def test_a_cap_counts_anew_in_the_next_period():
    plans = one("rate = 0.1\ncap_amount = 50")
    deals = [("D1", "R1", "2026-03-31", "P1", 800), ("D2", "R1", "2026-04-01", "P1", 800)]
    quotas = [("R1", "2026-01-01", "2026-03-31", 1000.0), Q2]
    found = lines_of(team_of(deals, plans, quotas), starts_on="2026-01-01")
    assert found[-1] == ("total", 10000)


def test_a_customer_who_leaves_in_time_costs_what_was_paid_cap_and_all():
    plans = one("rate = 0.1\ncap_amount = 100\nclawback_days = 30")
    deals = [("D1", "R1", "2026-04-10", "P1", 1200), ("D2", "R1", "2026-04-11", "P1", 200)]
    left = pd.DataFrame(
        {"account_id": ["AD1", "AD2"], "churned_on": ["2026-05-10", "2026-05-12"]}
    )  # 30 days later, and 31
    found = lines_of(team_of(deals, plans, accounts=left))
    assert ("clawback", -10000) in found
    assert [rule for rule, _ in found].count("clawback") == 1
    assert found[-1] == ("total", 0)


def test_a_clawback_counts_on_the_day_the_customer_left():
    plans = one("rate = 0.1\nclawback_days = 90")
    deals = [("D1", "R1", "2026-03-10", "P1", 1000)]
    left = pd.DataFrame({"account_id": ["AD1"], "churned_on": ["2026-05-10"]})
    team = team_of(deals, plans, accounts=left)
    assert lines_of(team) == [("clawback", -10000), ("total", -10000)]
    assert lines_of(team.at("2026-05-09"), starts_on="2026-01-01")[-1] == ("total", 10000)


def test_a_shared_deal_adds_up_to_the_whole():
    """100.01 in three: each line rounds, the credits still add up to it."""
    plans = one("rate = 1", "[splits]\nD1 = { R1 = 0.335, R2 = 0.665 }")
    team = team_of([("D1", "R2", "2026-04-10", "P1", 100.01)], plans)
    own, other = lines_of(team)[-1][1], lines_of(team, "R2")[-1][1]
    assert (own, other) == (3350, 6651)


def test_a_deal_that_changed_hands_is_shared_with_its_first_owner():
    plans = one("rate = 0.1\nopener_share = 0.2")
    log = pd.DataFrame(
        {"deal_id": "D1", "stage": ["a", "b"], "entered_at": ["2026-01-02", "2026-02-02"]}
    ).assign(rep_id=["R2", "R1"])
    team = team_of([("D1", "R1", "2026-04-10", "P1", 1000)], plans)
    team = of(replace(team.settings, stages=("a", "b")), {**team.tables, "stage_changes": log})
    assert lines_of(team)[-1] == ("total", 8000)
    assert lines_of(team, "R2") == [("commission", 2000), ("total", 2000)]
    assert "20% of the credit" in comp.payout(team, "R2").table["why"].iloc[0]


def test_a_plan_that_changes_within_the_period_pays_each_deal_by_its_day():
    """Old 5 % until 15 May, new 10 % after; attainment runs on: D2 begins at 900 of 1000."""
    plans = plan_of("""
        [[plan]]
        name = "old"
        ends_on = 2026-05-15
        rate = 0.05
        [[plan]]
        name = "new"
        starts_on = 2026-05-16
        rate = 0.1
        bands = [{ from = 1, times = 2 }]
    """)
    deals = [("D1", "R1", "2026-05-15", "P1", 900), ("D2", "R1", "2026-05-16", "P1", 300)]
    team = team_of(deals, plans)
    found = lines_of(team)
    assert found[:-1] == [("commission", 4500), ("commission", 1000), ("commission", 4000)]
    assert lines_of(team, plan="old")[-1] == ("total", 6000)
    assert lines_of(team, plan="new")[-1] == ("total", 9000 + 1000 + 4000)


@pytest.mark.parametrize(("rounding", "cents"), [("half_even", (12, 14)), ("half_up", (13, 14))])
def test_halves_are_rounded_as_the_plan_says(rounding, cents):
    """5 % of 2.50 is 12.5 cents, of 2.70 it is 13.5: neither exists in binary."""
    plans = one(f'rate = 0.05\nrounding = "{rounding}"')
    deals = [("D1", "R1", "2026-04-10", "P1", 2.5), ("D2", "R1", "2026-04-11", "P1", 2.7)]
    assert tuple(paid for _, paid in lines_of(team_of(deals, plans))[:-1]) == cents


@pytest.mark.parametrize("quotas", [(), (("R1", "2026-04-01", "2026-06-30", 0.0),)])
def test_without_a_quota_or_with_none_of_it_rates_stand_and_no_bonus_is_due(quotas):
    plans = one(
        "rate = 0.1\nbonus_amount = 50\nbands = [{ from = 0, times = 0.5 }]\ncap_amount = 30"
    )
    found = lines_of(team_of([("D1", "R1", "2026-04-10", "P1", 400)], plans, quotas))
    assert found == [("commission", 4000), ("cap", -1000), ("total", 3000)]


def test_a_product_without_a_rate_is_shown_and_pays_nothing():
    plans = one("role_rates = { push = 0.1 }\nproduct_rates = { P3 = 0.01 }")
    deals = [(f"D{i}", "R1", "2026-04-10", f"P{i}", 100) for i in (1, 2, 3)]
    deals.append(("D4", "R1", "2026-04-10", None, 100))
    found = comp.payout(team_of(deals, plans), "R1")
    paid = dict(zip(found.table["deal_id"], found.table["paid_amount"], strict=True))
    assert [paid[f"D{i}"] for i in (1, 2, 3, 4)] == [0, 10, 1, 0]
    assert found.table["why"].iloc[0] == "no rate for this product"
    assert "2 deals with a product for which the plan has no rate." in found.caveats


def test_the_last_day_of_the_period_belongs_to_it():
    plans = one("rate = 0.1\nbonus_amount = 500\nbonus_from = 1")
    deals = [("D1", "R1", "2026-06-30", "P1", 1000), ("D2", "R1", "2026-03-31", "P1", 700)]
    team = team_of(deals, plans)
    assert lines_of(team) == [("commission", 10000), ("bonus", 50000), ("total", 60000)]
    assert lines_of(team.at("2026-06-29")) == [("total", 0)]


def test_a_negative_deal_goes_back_down_through_the_bands():
    """1200 of 1000, then -300: the 200 above the quota come back at 20 %, 100 at 10 %."""
    plans = one("rate = 0.1\nbands = [{ from = 1, times = 2 }]")
    deals = [("D1", "R1", "2026-04-10", "P1", 1200), ("D2", "R1", "2026-05-10", "P1", 0)]
    found = lines_of(team_of(deals, plans, lines=[("D2", "P1", -300.0)]))
    assert [paid for _, paid in found] == [10000, 4000, -1000, -4000, 9000]


def test_margin_can_be_what_rates_are_taken_of():
    plans = one('rate = 0.1\nbasis = "margin"')
    deals = [("D1", "R1", "2026-04-10", "P2", 100), ("D2", "R1", "2026-04-11", "P3", 100)]
    assert lines_of(team_of(deals, plans))[:-1] == [("commission", 800), ("commission", -100)]


def test_base_pay_goes_by_the_days_of_the_month():
    """Hired on 16 April: 15 of 30 days; left on 10 June: 10 of 30."""
    plans = one("base_amount = 3000")
    reps = REPS.assign(hired_on=["2026-04-16", "2020-01-01"], left_on=["2026-06-10", None])
    team = team_of([], plans, reps=reps)
    assert [paid for _, paid in lines_of(team)] == [150000, 300000, 100000, 550000]
    assert lines_of(team, "R2")[-1] == ("total", 900000)


def test_a_reopened_deal_pays_nothing():
    plans = one("rate = 0.1")
    log = pd.DataFrame({"deal_id": ["D1"], "stage": ["a"], "entered_at": ["2026-06-01T09:00Z"]})
    team = team_of([("D1", "R1", "2026-04-10", "P1", 1000)], plans)
    team = of(replace(team.settings, stages=("a",)), {**team.tables, "stage_changes": log})
    assert lines_of(team) == [("total", 0)]


def test_a_currency_without_cents():
    team = team_of([("D1", "R1", "2026-04-10", "P1", 333)], one("rate = 0.1"))
    team = of(replace(team.settings, currency="JPY"), dict(team.tables))
    assert comp.payout(team, "R1").table["paid_amount"].iloc[-1] == 33


def test_a_misspelt_plan_is_an_error():
    team = team_of([], one("rate = 0.1"))
    with pytest.raises(DataError, match="no plan 'Q'"):
        comp.payout(team, "R1", plan="Q")
    with pytest.raises(DataError, match=r"needs comp\.toml"):
        comp.payout(of(replace(team.settings, plans=Plans()), dict(team.tables)), "R1")


@pytest.mark.parametrize("plan", ["One rate", "By role"])
def test_every_cent_of_the_team_is_on_somebodys_statement(demo, plan):
    """Lines add up to the total, and credits to what was sold."""
    first, last = pd.Timestamp("2025-07-01"), AS_OF
    each = pay.per_rep(demo, first, last, plan)
    options = {"plan": plan, "starts_on": "2025-07-01"}
    for rep in ("R01", "R13", "R24"):
        assert lines_of(demo, rep, **options)[-1][1] == each[rep]
    rows = pay.earned(demo, first, last, plan)
    of_year = sold.within(sold.lines(demo), first, last)["net_amount"]
    base = rows.loc[rows["rule"] == "commission", "base"].sum()
    assert base == (of_year * 100).round().sum()


# comp.toml

ONE = '[[plan]]\nname = "A"\n'
BAD = """
[[plan]]
nam = "A"
rate = 5
role_rates = { pusher = 0.1 }
basis = "nett"
bands = [{ from = 1, times = 2 }, { from = 0.5, times = 1 }]
starts_on = 2026-02-01
ends_on = 2026-01-01

[split]
[splits]
D1 = { R1 = 0.6, R2 = 0.3 }
"""


def test_every_fault_of_comp_toml_is_said_at_once(tmp_path):
    team = team_of([("D1", "R1", "2026-04-10", "P1", 100)], Plans())
    folder = team.save(tmp_path / "team")
    (folder / "comp.toml").write_text(BAD)
    with pytest.raises(DataError) as caught:
        salesnb.load(folder)
    said = [str(fault) for fault in caught.value.faults]
    assert said == [
        "comp.toml, split: expected plan or splits (nearest: 'splits')",
        "comp.toml, plan 1, name: expected a name in quotes",
        "comp.toml, plan 1, nam: expected a rule of a plan (nearest: 'name')",
        "comp.toml, plan 1, rate: found '5', expected a number from 0 to 1, such as 0.05",
        "comp.toml, plan 1, role_rates: found 'pusher', expected one of push, core, minor, "
        "loss_leader (nearest: 'push')",
        "comp.toml, plan 1, basis: found 'nett', expected net or margin (nearest: 'net')",
        said[6],
        "comp.toml, plan 1, ends_on: found '2026-01-01', expected a day not before starts_on",
        said[8],
    ]
    assert "bands in order" in said[6]
    assert "splits, D1" in said[8]


def test_names_that_the_tables_do_not_have_are_faults(tmp_path):
    folder = team_of([("D1", "R1", "2026-04-10", "P1", 100)], Plans()).save(tmp_path / "team")
    text = '[[plan]]\nname = "A"\nproduct_rates = { P11 = 0.1 }\n[splits]\nD1 = { R11 = 1 }\n'
    (folder / "comp.toml").write_text(text)
    with pytest.raises(DataError) as caught:
        salesnb.load(folder)
    assert [str(fault) for fault in caught.value.faults] == [
        "comp.toml, plan A: found 'P11', expected a product_id of products (nearest: 'P1')",
        "comp.toml, splits, D1: found 'R11', expected a rep_id of reps (nearest: 'R1')",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            f"{ONE}ends_on = 2026-01-01\n{ONE}starts_on = 2026-01-02",
            "every name once",
        ),
        ('[[plan]]\nname = "A"\n[[plan]]\nname = "B"', "one plan in force on each day"),
        ("plan = 1", r"a heading \[\[plan\]\]"),
        ("[[plan]", "a TOML file in UTF-8"),
        ('[[plan]]\nname = "A"\nrate = nan', "a number from 0 to 1"),
        ('[[plan]]\nname = "A"\ncap_amount = "9"', "an amount from 0"),
        ('[[plan]]\nname = "A"\nclawback_days = true', "a number of days"),
        ('[[plan]]\nname = "A"\nrole_rates = 1', "for each role"),
        ('[[plan]]\nname = "A"\nbands = [{ from = 0 }]', "bands in order"),
        ("splits = 3", "shares by deal"),
    ],
)
def test_what_is_no_plan_is_said_in_words(tmp_path, text, said):
    (tmp_path / "comp.toml").write_text(text)
    _, faults = comp_plan.read(tmp_path)
    assert len(faults) == 1
    with pytest.raises(DataError, match=said):
        raise DataError(faults)


def test_plans_travel_with_the_team(tmp_path):
    plans = one(
        "rate = 0.055\ncap_amount = 1e4\nbands = [{ from = 0, times = 0.75 }]\n"
        'role_rates = { push = 0.1 }\nstarts_on = 2026-01-01\nrounding = "half_up"',
        "[splits]\nD1 = { R1 = 0.25, R2 = 0.75 }",
    )
    team = team_of([("D1", "R1", "2026-04-10", "P1", 100)], plans)
    again = salesnb.load(team.save(tmp_path / "team"))
    assert again.settings.plans == plans
    assert again.fingerprint == team.fingerprint
    assert team.at("2026-05-01").settings.plans == plans
    other = replace(team.settings, plans=Plans((Plan("P"),)))
    assert of(other, dict(team.tables)).fingerprint != team.fingerprint


# Plans compared

TWO = plan_of("""
    [[plan]]
    name = "old"
    ends_on = 2026-06-30
    rate = 0.05
    [[plan]]
    name = "new"
    starts_on = 2026-07-01
    rate = 0.05
    role_rates = { push = 0.1 }
""")


def test_two_plans_over_the_same_deals_by_hand():
    """R1 sold 1000 of the push product, R2 2000 of the core one: 50 more for R1, nothing for R2."""
    deals = [("D1", "R1", "2026-04-10", "P2", 1000), ("D2", "R2", "2026-01-10", "P1", 2000)]
    found = comp.compare(team_of(deals, TWO))
    table = found.table.set_index("rep_id")
    assert table.loc["R1", ["old_amount", "new_amount", "difference_amount"]].tolist() == [
        50,
        100,
        50,
    ]
    assert table.loc["R2", ["old_amount", "new_amount", "difference_amount"]].tolist() == [
        100,
        100,
        0,
    ]
    assert table["margin_amount"].tolist() == pytest.approx([1800, 800, 1000])
    assert table["n_won"].tolist() == [2, 1, 1]
    assert table.iloc[0]["old_ratio"] == pytest.approx(150 / 1800)
    assert found.headline.startswith("'new' would have cost €50 more than 'old'")
    assert "manager alone" in found.caveats[0]


def test_a_plan_held_against_itself_costs_the_same():
    deals = [("D1", "R1", "2026-04-10", "P2", 1000)]
    found = comp.compare(team_of(deals, TWO), old="old", new="old")
    assert "the same as" in found.headline
    assert (found.table["difference_amount"] == 0).all()
    with pytest.raises(DataError, match="a second plan"):
        comp.compare(team_of(deals, one("rate = 0.1")))
    with pytest.raises(DataError, match="Did you mean 'old'"):
        comp.compare(team_of(deals, TWO), old="olds")


def test_the_band_of_the_cost_covers_other_years():
    """150 reps at a steady pace for eight quarters: what is to be expected lies in nine of ten."""
    rng = np.random.default_rng(7)
    quarters = pd.DatetimeIndex(["2024-08-15"] * 8) + pd.to_timedelta(91 * np.arange(8), unit="D")
    reps = [f"R{i:03d}" for i in range(150)]
    amount = 1000.0 * rng.poisson(6, (150, len(quarters))) + 500
    made = pd.DataFrame({"rep_id": np.repeat(reps, len(quarters)), "amount": amount.ravel()})
    made["closed_on"] = np.tile(quarters, 150)
    made["deal_id"] = [f"D{i:04d}" for i in range(len(made))]
    made = made.assign(created_on="2024-01-01", outcome="won", product_id="P1")
    tables = {"reps": pd.DataFrame({"rep_id": reps, "name": "x"}), "products": PRODUCTS}
    team = of(Settings(as_of=AS_OF, plans=TWO), {**tables, "deals": made})
    table = comp.compare(team, starts_on="2024-07-01").table
    wanted = len(quarters) * 6500 * 0.05 * np.array([150, *np.ones(150)])
    inside = (table["new_amount_low"] <= wanted) & (wanted <= table["new_amount_high"])
    assert inside.iloc[0]
    assert 0.8 <= inside.iloc[1:].mean() <= 0.95


# Health and incentives


def test_health_by_hand():
    """Pay of five reps in the order of their margin; 100 of 150 for results, all of it on push."""
    reps = pd.DataFrame({"rep_id": [f"R{i}" for i in range(5)], "name": "x"})
    deals = [(f"D{i}", f"R{i}", "2026-04-10", "P2", 1000 * (i + 1)) for i in range(5)]
    plans = one("role_rates = { push = 0.1 }\nbase_amount = 10")
    found = comp.health(team_of(deals, plans, reps=reps))
    rows = found.table.set_index("kind")
    assert rows.loc["role", "value"] == 1
    assert rows.loc["variable", "value"] == pytest.approx(1500 / (1500 + 12 * 50))
    assert rows.loc["follows", "value"] == pytest.approx(1)
    assert rows.loc["spread", "value"] == pytest.approx((480 + 80 * 0.6 + 92 - 0) / 420, rel=0.2)
    assert (rows.loc["measures", "value"], rows.loc["measures", "why"]) == (
        2,
        "amount sold, which product",
    )
    assert "measures" not in found.headline


def test_more_than_three_measures_are_too_many():
    rules = "rate = 0.1\nrole_rates = { push = 0.2 }\nbonus_amount = 5\nclawback_days = 9"
    found = comp.health(team_of([("D1", "R1", "2026-04-10", "P2", 1000)], one(rules)))
    assert "hangs on 4 measures" in found.headline


def test_rank_correlation_is_spearmans_and_its_interval_covers():
    rng, hits = np.random.default_rng(2), []
    for _ in range(300):
        x = rng.normal(size=30)
        y = 0.5 * x + np.sqrt(0.75) * rng.normal(size=30)
        value, low, high = stats.rank_correlation(x, y)
        assert value == pytest.approx(spearmanr(x, y).statistic)
        hits.append(low <= 6 / np.pi * np.arcsin(0.25) <= high)
    assert 0.85 <= np.mean(hits) <= 0.95
    assert np.isnan(stats.rank_correlation([1, 2, 3], [1, 2, 3])[0])


def test_an_hour_of_each_product_by_hand():
    """Twelve deals of 6 emails (an hour) each: P1 pays 5 an hour, P3 pays 10 and loses 10."""
    deals = [
        (f"D{i:02d}", "R1", "2026-04-10", product, 100)
        for i, product in enumerate(["P1"] * 12 + ["P3"] * 12)
    ]
    sent = pd.DataFrame({"deal_id": np.repeat([deal[0] for deal in deals], 6)})
    sent = sent.assign(rep_id="R1", kind="email", happens_at="2026-03-02T09:00Z")
    sent["activity_id"] = [f"T{i}" for i in range(len(sent))]
    plans = one("rate = 0.05\nrole_rates = { loss_leader = 0.1 }")
    found = comp.incentives(team_of(deals, plans, activities=sent))
    table = found.table.set_index("product_id")
    assert table["hours"].tolist() == pytest.approx([12, 0, 12])
    assert table["pay_hour_amount"].tolist() == pytest.approx([5, np.nan, 10], nan_ok=True)
    assert table["margin_hour_amount"].tolist() == pytest.approx([50, np.nan, -10], nan_ok=True)
    assert table["status"].tolist() == ["", "", "pays_for_loss"]
    assert "Trial (loss leader) earns €10 an hour where the company loses €10" in found.headline


def test_hours_count_what_took_place():
    from salesnb.effort import effort

    rows = pd.DataFrame(
        [
            ("meeting", "held", 30.0),
            ("meeting", "no_show", None),
            ("demo", None, None),
            ("call", "no_answer", None),
            ("email", None, None),
        ],
        columns=["kind", "outcome", "minutes"],
    ).assign(deal_id="D1", rep_id="R1", happens_at="2026-03-02T09:00Z")
    rows["activity_id"] = [f"T{i}" for i in range(len(rows))]
    team = team_of([("D1", "R1", "2026-04-10", "P1", 100)], Plans(), activities=rows)
    found = effort(team, pd.Timestamp("2026-01-01"), AS_OF)
    assert found.rows["hours"].tolist() == pytest.approx([(30 + 60 + 10) / 60])
    assert found.told == 1


# Design


def asked(**amounts):
    rows = pd.DataFrame({"product_id": [*amounts], "amount": [*amounts.values()]})
    return rows.assign(starts_on="2025-07-01", ends_on="2026-06-30", amount=rows["amount"] * 1.0)


def misfit(table, share):
    return (table[share] - table["goal_share"]).abs().sum() / 2


def test_rates_that_follow_the_goals_by_hand():
    """1500 deals of 2 for P1 and 0.5 for P2, as much wanted of each: the gap is no chance.

    n = 3750 ^ 2 / (1500 x 4.25) = 2206; scatter 2 x 0.3 ^ 2 / 0.5 = 0.36; the prior of 100 deals
    moves the mix from 0.8 to (2206 x 0.8 + 100 x 0.5) / 2306 = 0.787.
    """
    deals = [(f"D{i:04d}", "R1", "2026-04-10", "P1", 2.0) for i in range(1500)]
    deals += [(f"E{i:04d}", "R1", "2026-04-10", "P2", 0.5) for i in range(1500)]
    team = team_of(deals, one("rate = 0.05"), goals=asked(P1=1, P2=1))
    table = comp.design(team, budget=150).table
    assert table["sales_share"].tolist() == pytest.approx([0.8, 0.2])
    assert table["expected_share"].tolist() == pytest.approx([0.78699, 0.21301], abs=1e-4)
    # 75 of pay for each: 75 / (3750 x 0.787), and at most three times 150 / 3750 for the other.
    assert table["new_rate"].tolist() == pytest.approx([0.02541, 0.09389], abs=1e-4)
    assert misfit(table, "designed_share") < 0.03
    bound = comp.design(team, budget=150, highest_rate=0.06)
    assert bound.table["new_rate"].iloc[1] == pytest.approx(0.06)
    assert (bound.table["new_rate"] * bound.table["expected_share"]).sum() == pytest.approx(0.04)
    assert "one rate for all leaves 30%" in bound.headline
    assert "would cost" in bound.caveats[0]


def test_few_deals_do_not_move_rates_far():
    """Two deals say little of the mix: the rates stay near to one for all."""
    deals = [("D1", "R1", "2026-04-10", "P1", 1000), ("D2", "R1", "2026-04-11", "P2", 500)]
    table = comp.design(team_of(deals, one("rate = 0.05"), goals=asked(P1=1, P2=1))).table
    assert table["new_rate"].tolist() == pytest.approx([0.05, 0.05], rel=0.03)


def test_bounds_that_cannot_be_kept_are_said():
    deals = [("D1", "R1", "2026-04-10", "P1", 1000), ("D2", "R1", "2026-04-11", "P3", 500)]
    team = team_of(deals, one("rate = 0.05"), goals=asked(P1=1, P3=1))
    found = comp.design(team, budget=100, highest_rate=0.02)
    assert found.table["new_rate"].tolist() == pytest.approx([0.02, 0.0])  # P3 has no margin
    assert any("not €100 is spent" in caveat for caveat in found.caveats)
    with pytest.raises(DataError, match="between 0 and 1"):
        comp.design(team, lowest_rate=0.3, highest_rate=0.2)
    with pytest.raises(DataError, match="no level 'roles'"):
        comp.design(team, level="roles")


def test_designed_rates_beat_one_rate_in_the_time_after():
    """Designed on what was known at a day, tried on what came: pay lies nearer to the goals.

    Measured over 32 such pairs: in 91 % of them by role and 86 % by product, with a misfit of 11
    and 12 % against 14 %; without drawing the mix to the goals by product in 50 %.
    """
    tables = ["products", "deal_lines", "goals", "quotas", "accounts"]
    nearer, gained = [], []
    for seed in range(1, 9):
        team, _ = salesnb.simulate(seed=seed, reps=16, deals_per_rep=150, tables=tables)
        rates = comp.design(team.at("2025-12-31")).table.set_index("product_id")
        assert (rates["new_rate"] <= rates["highest_rate"] + 1e-9).all()
        came = salesnb.goals.alignment(team, starts_on="2026-01-01").table.set_index("product_id")
        paid = rates["new_rate"].reindex(came.index).fillna(0) * came["sales_share"]
        came["tried"] = paid / paid.sum()
        gained.append(misfit(came, "sales_share") - misfit(came, "tried"))
        nearer.append(gained[-1] > 0)
    assert np.mean(nearer) >= 0.75
    assert np.mean(gained) > 0


# Sliders


def test_turning_a_slider_moves_the_figures(demo):
    shown = explore.rates(demo)
    assert set(shown.sliders) == {"push", "core", "minor", "loss_leader"}
    assert "the same as 'One rate'" in shown.finding.headline
    shown.sliders["push"].value = 0.1
    row = shown.finding.table.iloc[0]
    assert row["difference_amount"] > 0
    said = shown.finding.headline.partition("would")[2]
    assert said.split("(")[0] in shown.children[-1].value.replace("&#x27;", "'")
    still = shown._repr_mimebundle_()["text/html"]
    assert "<table" in still
    assert "10%" in still or "0.1" in still
    assert demo.settings.plans.named("One rate").role_rates == {}
