"""New hires: by hand with the arithmetic on paper, then on teams whose ramp is known."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

import salesnb
from salesnb import DataError, ramp
from salesnb.settings import Settings
from salesnb.team import of

MONTH = 365.25 / 12
# Months; of 20,082 hires followed for two years: docs/ramp_accuracy.md
TRUE_RAMP, TRUE_MEAN = 9.07, 10.3


def won(rep, day, amount, **more):
    """A deal created ten days before it was won."""
    created = pd.Timestamp(day) - pd.Timedelta(days=10)
    row = {"rep_id": rep, "created_on": created, "closed_on": pd.Timestamp(day)}
    return row | {"outcome": "won", "amount": float(amount)} | more


def reps_of(rows):
    table = pd.DataFrame(rows, columns=["rep_id", "hired_on", "left_on", "role"])
    for column in ("hired_on", "left_on"):
        table[column] = pd.to_datetime(table[column])
    return table.assign(name=table["rep_id"] + " Name")


def team_of(reps, deals, as_of="2025-12-31", **tables):
    deals = pd.DataFrame(deals)
    deals["deal_id"] = [f"D{i:03}" for i in range(len(deals))]
    found = {"reps": reps_of(reps), "deals": deals, **tables}
    return of(Settings(as_of=pd.Timestamp(as_of), stages=("Demo",)), found)


TENURED = [(rep, "2020-01-01", None, "Senior") for rep in ("T1", "T2", "T3")]
HIRES = [
    ("N1", "2025-02-01", None, "Junior"),
    ("N2", "2025-10-01", None, "Junior"),
    ("N3", "2025-03-01", "2025-06-30", "Junior"),
]


def months(rep, first, amounts):
    days = pd.date_range(first, periods=len(amounts), freq="ME")
    return [won(rep, day, amount) for day, amount in zip(days, amounts, strict=True)]


@pytest.fixture(scope="module")
def few():
    """Three colleagues win 100 a month; N1 ramps, N2 has one deal, N3 left without."""
    deals = [each for rep, *_ in TENURED for each in months(rep, "2024-01-31", [100] * 24)]
    deals += [won("N1", f"2025-{month:02}-15", amount) for month, amount in [(3, 50), (4, 90)]]
    deals += [won("N1", f"2025-{month:02}-15", 100) for month in range(5, 13)]
    deals += [won("N2", "2025-10-31", 10)]
    deals += [won("N1", "2025-02-05", 1)]  # created before the hire
    deals += [won("N1", "2025-02-25", 1000)]  # created after it, but opened by T1
    changes = pd.DataFrame(
        {
            "deal_id": [f"D{len(deals) - 1:03}"] * 2,
            "stage": "Demo",
            "entered_at": pd.to_datetime(["2025-02-15", "2025-02-20"]),
            "rep_id": ["T1", "N1"],
        }
    )
    return team_of([*TENURED, *HIRES], deals, stage_changes=changes)


# --- curve


def test_leavers_and_those_on_the_way_count(few):
    first, ramped = (row for _, row in ramp.curve(few).table.iterrows())
    counts = ["n_hires", "n_reached", "n_left", "n_waiting", "n_inherited"]
    assert first[counts].tolist() == [3, 2, 1, 0, 2]
    assert ramped[counts].tolist() == [3, 1, 1, 1, 2]
    # N2 after 30 days, N1 after 42, N3 never: two thirds by day 42, half of them by then.
    assert first["median_months"] == pytest.approx(42 / MONTH)
    assert first["naive_months"] == pytest.approx(36 / MONTH)
    # N1's own three months to May are 240 = 80 % of 300, 119 days after the hire; the thousand
    # that T1 had opened would have done it in March.
    assert ramped["median_months"] == pytest.approx(119 / MONTH)
    assert first["reached_share"] == pytest.approx(2 / 3)


def test_a_hire_cannot_have_ramped_in_a_month_that_is_not_over(few):
    # At the end of May N1 is not known to have ramped: June might not hold.
    ramped = ramp.curve(few.at("2025-05-31")).table.iloc[1]
    assert ramped["n_reached"] == 0
    assert ramp.curve(few.at("2025-06-30")).table.iloc[1]["n_reached"] == 1


def test_all_hired_at_once_is_said(few):
    together = few.reps.assign(
        hired_on=few.reps["hired_on"].mask(few.reps["rep_id"].str[0] == "N", "2025-02-01")
    )
    team = of(few.settings, {**few.tables, "reps": together})
    assert any("were hired in February 2025" in said for said in ramp.curve(team).caveats)
    assert not any("were hired in" in said for said in ramp.curve(few).caveats)


def test_groups(few):
    table = ramp.curve(few, by="cohort").table
    assert table["level"].tolist() == ["2025 H1", "2025 H2"] * 2
    assert table["n_hires"].tolist() == [2, 1, 2, 1]
    with pytest.raises(DataError, match="colour"):
        ramp.curve(few, by="colour")


def test_made_up_days_have_no_ramp(few):
    settings = Settings(as_of=few.as_of, stages=few.stages, is_dated=False)
    with pytest.raises(DataError, match="made up"):
        ramp.curve(of(settings, {"reps": few.reps, "deals": few.deals}))


# --- cost and plan: three months are over for all three hires


def test_balance_by_hand(few):
    table = ramp.cost(few, monthly_cost=20, margin_rate=0.5).table.set_index("item")
    # Won in months 1 to 3: N1 0, 50, 90; N2 10 in the second (31 October is day 30); N3 nothing.
    # Half of the means 0, 20 and 30, less 20 each: -20, -30, -35.
    balance = [table.loc[f"balance after month {month}", "value"] for month in (1, 2, 3)]
    assert balance == pytest.approx([-20, -30, -35])
    assert "balance after month 4" not in table.index
    assert np.isnan(table.loc["break-even month", "value"])
    colleague = 1200 / 365 * MONTH
    assert table.loc["a colleague wins in a month", "value"] == pytest.approx(colleague)
    assert table.loc["a ramp one month faster is worth", "value"] == pytest.approx(colleague / 2)


def test_who_left_costs_nothing_more(few):
    reps = few.reps
    reps["left_on"] = reps["left_on"].mask(reps["rep_id"] == "N3", "2025-03-15")
    team = of(few.settings, {**few.tables, "reps": reps})
    table = ramp.cost(team, monthly_cost=30, margin_rate=0.5).table.set_index("item")
    # Two of three hires are paid: 20 a month per hire made.
    assert table.loc["balance after month 1", "value"] == pytest.approx(-20)


def test_break_even(few):
    table = ramp.cost(few, monthly_cost=5, margin_rate=0.5).table.set_index("item")
    # -5, then 10 - 5 more: 0 after two months.
    assert table.loc["break-even month", "value"] == 2


def test_plan_by_hand(few):
    table = ramp.quota_plan(few, monthly_quota=1000).table
    # Colleagues in the same days: 100 + 0 + 0, 100 + 200 + 200, 100 + 0 + 0.
    assert table["plan_share"].tolist() == pytest.approx([0, 60 / 500, 90 / 100])
    assert table["plan_amount"].tolist() == pytest.approx([0, 120, 900])
    assert np.isnan(table["plan_low"].iloc[0])
    assert table["given_share"].isna().all()


def test_the_quota_that_was_given(few):
    quotas = pd.DataFrame(
        {
            "rep_id": ["T1", "T2", "T3", "N1"],
            "starts_on": pd.Timestamp("2025-02-01"),
            "ends_on": pd.Timestamp("2025-12-31"),
            "amount": [300.0, 400.0, 500.0, 100.0],
        }
    )
    team = of(few.settings, {**few.tables, "quotas": quotas})
    table = ramp.quota_plan(team).table
    assert table["given_share"].tolist() == pytest.approx([0.25] * 3)
    # The median of 300, 400 and 500 for 334 days.
    assert table["plan_amount"].iloc[2] == pytest.approx(0.9 * 400 / 334 * MONTH)


# --- on track


def meetings(rep, first, n):
    """So many meetings booked on the first day."""
    day = pd.Timestamp(first)
    return [{"rep_id": rep, "kind": "meeting", "booked_at": day, "happens_at": day}] * n


@pytest.fixture(scope="module")
def newcomer():
    """Six past hires booked 8 to 18 meetings, N two; N was away for two weeks."""
    past = [(f"H{i}", "2025-01-06", None, "") for i in range(6)]
    rows = [each for i in range(6) for each in meetings(f"H{i}", "2025-01-07", 8 + 2 * i)]
    rows += meetings("N", "2026-04-07", 2)
    activities = pd.DataFrame(rows).assign(activity_id=lambda t: [f"A{i}" for i in t.index])
    absences = pd.DataFrame(
        {"rep_id": ["N"], "starts_on": ["2026-04-13"], "ends_on": ["2026-04-26"]}
    ).astype({"starts_on": "datetime64[us]", "ends_on": "datetime64[us]"})
    reps = [("T1", "2020-01-01", None, ""), *past, ("N", "2026-04-06", None, "")]
    deals = [won("T1", "2025-01-11", 100)]
    return team_of(reps, deals, "2026-06-30", activities=activities, absences=absences)


def test_on_track_by_hand(newcomer):
    found = ramp.on_track(newcomer)
    row = found.table.iloc[0]
    # 6 April to 30 June: 62 days from Monday to Friday, less ten of leave.
    assert row["at_work_weeks"] == pytest.approx(52 / 5)
    assert row[["value", "benchmark", "below_share", "n_hires"]].tolist() == [2, 13, 0, 6]
    roots = np.cbrt([8, 10, 12, 14, 16, 18])
    far = (roots.mean() - np.cbrt(2)) / (roots.std(ddof=1) * np.sqrt(7 / 6))
    assert row["chance_rate"] == pytest.approx(2 * student.sf(far, 5))
    assert row["status"] == "behind"
    assert "N Name (meetings booked)" in found.headline
    # Nobody has ever won anything by then: nothing to be behind with.
    assert found.table["status"].tolist()[1:] == ["too early", "too early"]


def test_few_past_hires_are_no_comparison(newcomer):
    team = newcomer.only(reps=["T1", "H0", "H1", "H2", "H3", "N"])
    found = ramp.on_track(team, rep="N")
    assert set(found.table["status"]) == {"too few to compare"}
    assert "too few" in found.headline


def test_the_first_weeks_are_too_early(newcomer):
    found = ramp.on_track(newcomer.at("2026-04-30"))
    assert found.table.loc[0, "status"] == "too early"


def test_who_is_not_new_is_not_judged(newcomer):
    found = ramp.on_track(newcomer, rep="T1")
    assert found.headline == "T1 Name was hired on 1 January 2020: not within the last 12 months."
    assert found.table.empty


# --- checklist


def test_checklist_by_hand(few):
    tasks = pd.DataFrame(
        [
            ("N1", "Phone", "phone", "2025-02-10", "2025-02-09", True),
            ("N1", "Dial", "phone", "2025-02-12", "2025-02-20", False),
            ("N1", "Access", "tool", "2025-12-21", None, None),
            ("N1", "Offer", "tool", "2025-12-31", None, None),
            ("N1", "Log", "crm", "2025-02-12", "2025-02-20", None),
            ("N3", "Phone", "phone", "2025-03-10", None, None),  # has left
        ],
        columns=["rep_id", "task", "kind", "due_on", "done_on", "is_passed"],
    ).astype({"due_on": "datetime64[us]", "done_on": "datetime64[us]", "is_passed": "boolean"})
    found = ramp.checklist(of(few.settings, {**few.tables, "onboarding": tasks}))
    table = found.table.set_index("kind")
    assert list(table.index) == ["tool", "phone", "crm"]  # overdue, to repeat, the rest
    counts = ["n_tasks", "n_done", "n_passed", "n_to_repeat", "n_ahead", "n_overdue"]
    assert table.loc["tool", counts].tolist() == [2, 0, 0, 0, 1, 1]
    assert table.loc["phone", counts].tolist() == [2, 2, 1, 1, 0, 0]
    assert table.loc["crm", counts].tolist() == [1, 1, 0, 0, 0, 0]
    assert table.loc["tool", "overdue_days"] == 10
    assert table["waits_for"].tolist() == ["Access", "Dial", ""]
    assert table.loc["tool", ["done_share", "n_due"]].tolist() == [0, 1]
    assert found.headline.startswith("1 new hire: 75% of 4 tasks due are done")


# --- first assessment


def scores(rows):
    table = pd.DataFrame(rows, columns=["rep_id", "skill", "assessed_on", "score", "assessor"])
    return table.astype({"assessed_on": "datetime64[us]", "score": "float64"})


@pytest.fixture(scope="module")
def scored(few):
    """Colleagues hold 3 in one skill and 2 in the other; N1 came with 1 and 2, N2 with 2 and 2."""
    held = [
        (rep, skill, "2025-06-01", score, "manager")
        for rep in ("T1", "T2", "T3")
        for skill, score in (("calls", 3), ("offers", 2))
    ]
    held += [("T1", "calls", "2025-01-01", 0, "manager")]  # an earlier one
    own = [
        ("N1", "calls", "2025-02-10", 1, "manager"),
        ("N1", "calls", "2025-05-10", 3, "manager"),  # a later one
        ("N1", "calls", "2025-02-10", 2, "self"),
        ("N1", "offers", "2025-02-10", 2, "manager"),
        ("N2", "calls", "2025-10-10", 2, "certification"),
        ("N2", "offers", "2025-10-10", 2, "manager"),
        ("N3", "calls", "2025-06-29", 0, "manager"),  # after the first weeks
    ]
    return of(few.settings, {**few.tables, "assessments": scores([*held, *own])})


def test_gaps_by_hand(scored):
    found = ramp.first_assessment(scored, weeks=13)
    team = found.table[found.table["scope"] == "team"]
    assert team["skill"].tolist() == ["calls", "offers"]
    assert team["score"].tolist() == [1.5, 2]
    assert team["target"].tolist() == [3, 2]
    assert team["gap"].tolist() == [1.5, 0]
    assert team["self_score"].iloc[0] == 2
    # No two raters to compare: half of a single score's distance is taken as true.
    own = ramp.first_assessment(scored, rep="N1", weeks=13).table
    assert own["gap"].tolist() == [1.5 + 0.5 * (2 - 1.5), 0]
    assert own["assessed_on"].iloc[0] == pd.Timestamp("2025-02-10")


def test_a_target_of_ones_own(scored):
    table = ramp.first_assessment(scored, weeks=13, target=4).table
    assert table.loc[table["scope"] == "team", "gap"].tolist() == [2.5, 2]


def test_beside_two_colleagues_there_is_no_target(scored):
    team = scored.only(reps=["T1", "T2", "N1", "N2"])
    assert ramp.first_assessment(team, weeks=13).table["target"].isna().all()


def test_no_skill_is_named_by_chance(scored):
    assert "no skill stands out" in ramp.first_assessment(scored, weeks=13).headline


# --- teams whose ramp is known


@pytest.fixture(scope="module")
def known():
    """Sixteen teams of 120 reps, 24 of them new: what `curve` and `quota_plan` say."""
    teams = [
        salesnb.simulate(seed=seed, reps=120, deals_per_rep=120, behind_share=0, tables=[])[0]
        for seed in range(300, 316)
    ]
    curves = [ramp.curve(team).table.set_index("milestone").loc["ramped"] for team in teams]
    return pd.DataFrame(curves), [ramp.quota_plan(team).table for team in teams]


def test_the_true_ramp_lies_in_the_band(known):
    rows, _ = known
    holds = ~(rows["median_months_low"] > TRUE_RAMP) & ~(rows["median_months_high"] < TRUE_RAMP)
    assert holds.mean() >= 0.8  # at least 0.9 but for chance: 12 of 16 by chance once in fifteen
    assert abs(rows["median_months"].median() - TRUE_RAMP) < 1


def test_the_mean_of_those_who_made_it_is_too_low(known):
    rows, _ = known
    assert (rows["naive_months"] < TRUE_MEAN).mean() >= 0.8
    assert rows["naive_months"].mean() < min(TRUE_MEAN - 1, rows["median_months"].mean())


def test_the_plan_rises_as_the_ramp_does(known):
    _, plans = known
    at = {month: np.mean([plan["plan_share"][month - 1] for plan in plans]) for month in (2, 6, 12)}
    assert at[2] < 0.05
    assert at[6] == pytest.approx(0.47, abs=0.15)
    assert at[12] == pytest.approx(0.8, abs=0.15)
    assert all(plan["plan_share"].is_monotonic_increasing for plan in plans)


def test_hires_of_one_kind_are_seldom_named_and_one_held_back_is():
    named = []
    for seed in range(4):
        team, _ = salesnb.simulate(
            seed=seed, reps=80, deals_per_rep=60, null=True, tables=["activities", "absences"]
        )
        table = ramp.on_track(team).table
        named.append(table["status"].isin(["ahead", "behind"]).any())
    assert sum(named) <= 1
    rep = table.loc[table["at_work_weeks"].between(12, 40), "rep_id"].iloc[0]
    acts = team.activities
    order = acts.groupby("rep_id").cumcount()
    held_back = acts[~((acts["rep_id"] == rep) & (order % 8 > 0))]
    found = ramp.on_track(of(team.settings, {**team.tables, "activities": held_back}), rep=rep)
    assert found.table.iloc[0]["status"] == "behind"


def test_a_hire_planted_behind_is_named_and_hardly_anybody_else():
    n_planted, found, others = 0, 0, 0
    for seed in range(10):
        team, truth = salesnb.simulate(seed=seed, tables=["activities", "absences"])
        table = ramp.on_track(team).table
        judged = table[table["n_hires"] >= 5]
        assert len(judged) or table.empty  # the latest hires can be compared
        assert set(truth.behind["rep_id"]) <= set(judged["rep_id"])
        named = table[table["status"].isin(["ahead", "behind"])]
        meetings = named[(named["item"] == "meetings booked") & (named["status"] == "behind")]
        n_planted += len(truth.behind)
        found += truth.behind["rep_id"].isin(meetings["rep_id"]).sum()
        others += named.loc[~named["rep_id"].isin(truth.behind["rep_id"]), "rep_id"].nunique()
    assert n_planted >= 8
    assert found >= 0.6 * n_planted  # five to seven past hires leave a good deal to chance
    assert others <= 1
